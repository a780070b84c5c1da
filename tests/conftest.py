"""What every test gets: a clean environment, and property tests that a busy machine does not fail."""

from __future__ import annotations

import gc

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("calm", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of tests that stay until the end anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the operator's own settings from tests."""
    for name in ("DISCORD_TOKEN", "HORDE_API_KEY", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
