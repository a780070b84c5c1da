"""Which engines the contract suite of storage runs on."""

from __future__ import annotations

import pytest

from tests.contract.store.conftest import ENGINES, POSTGRES


def test_suite_runs_on_postgresql_too() -> None:
    if not POSTGRES:
        pytest.skip("MUSTER_TEST_POSTGRES is not set: the suite of storage runs on SQLite only")
    assert "postgresql" in ENGINES
