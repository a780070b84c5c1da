"""Every setting stands in `.env.example` and docs/settings.md, with the default it really has, and no other does."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import DEFAULT_MEDIA_HOSTS, Settings, load_settings

ROOT = Path(__file__).parents[2]
FIELDS = {name.upper() for name in Settings.model_fields}


def example_lines() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def documented() -> dict[str, tuple[str, str]]:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|(.*?)\|(.*)\|$", text, re.MULTILINE)
    return {name: (default, meaning) for name, default, meaning in rows}


def shown_default(name: str) -> str:
    value = Settings.model_fields[name.lower()].default
    if hasattr(value, "get_secret_value"):
        value = value.get_secret_value()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def test_env_example_names_every_setting_with_its_default() -> None:
    assert example_lines() == {name: shown_default(name) for name in FIELDS}


def test_env_example_with_everything_switched_on_is_the_default(tmp_path: Path) -> None:
    everything = tmp_path / ".env"
    everything.write_text("\n".join(f"{name}={value}" for name, value in example_lines().items()), encoding="utf-8")

    assert load_settings({}, everything) == Settings()
    assert load_settings({}, ROOT / ".env.example") == Settings()


def test_settings_page_names_every_setting_with_its_default() -> None:
    shown = {name: default.strip().replace("`", "").replace(", ", ",") for name, (default, _) in documented().items()}

    assert shown == {name: shown_default(name) for name in FIELDS}


def test_settings_page_explains_every_setting() -> None:
    assert [name for name, (_, meaning) in documented().items() if len(meaning.strip()) < 20] == []


def test_settings_page_says_that_media_hosts_are_added() -> None:
    assert all(host in documented()["MEDIA_HOSTS"][0] for host in DEFAULT_MEDIA_HOSTS)
    assert "added" in documented()["MEDIA_HOSTS"][1]
