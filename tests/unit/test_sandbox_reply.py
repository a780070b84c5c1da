from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.sandbox.scenarios.reply import File, Version, buttons_of, lines_of
from bot.sandbox.scenarios.transcript import Transcript

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEPS = "◉ Accepted ─ ◉ Queued #4 ─ ○ Painting 0/4 ─ ○ Done"
CARD = {
    "content": "hello",
    "embeds": [{"title": "T", "description": f"a\n\n{STEPS}", "fields": [{"name": "Seed", "value": "7"}]}],
    "components": [
        {
            "type": 1,
            "components": [
                {"type": 2, "label": "Cancel", "emoji": {"name": "🛑"}, "custom_id": "job:cancel:1"},
                {"type": 2, "label": "Docs", "url": "https://example.org"},
            ],
        },
        {"type": 17, "components": [{"type": 10, "content": "inside"}]},
    ],
}


def version(
    *,
    number: int = 1,
    lines: tuple[str, ...] = (),
    custom_ids: tuple[str, ...] = (),
    files: tuple[File, ...] = (),
    loading: bool = False,
) -> Version:
    return Version(
        number=number,
        at=AT + timedelta(seconds=number),
        lines=lines,
        buttons=tuple(custom_id.split(":")[1] for custom_id in custom_ids),
        custom_ids=custom_ids,
        files=files,
        pings=(),
        loading=loading,
    )


def test_all_text_of_a_message_is_read() -> None:
    assert list(lines_of(CARD)) == ["hello", "T", "a", STEPS, "Seed: 7", "inside"]


def test_buttons_are_read_wherever_they_are() -> None:
    assert list(buttons_of(CARD)) == [("🛑 Cancel", "job:cancel:1"), ("Docs", "")]


@pytest.mark.parametrize(
    ("shown", "stage"),
    [
        pytest.param(version(loading=True), "thinking", id="thinking"),
        pytest.param(version(lines=(STEPS, "▰▰▱"), custom_ids=("job:cancel:1",)), "Queued #4", id="queued"),
        pytest.param(version(lines=("on its way",), custom_ids=("job:cancel:1",)), "under way", id="no steps"),
        pytest.param(version(lines=("▰▱",)), "under way", id="bar without a button"),
        pytest.param(version(lines=("Done",), custom_ids=("job:again:1",)), "ended", id="ended"),
        pytest.param(version(), "under way", id="empty"),
    ],
)
def test_the_stage_is_read_off_a_reply(shown: Version, stage: str) -> None:
    assert shown.stage == stage


def test_the_transcript_tells_when_what_and_which_files_are_new() -> None:
    written: list[str] = []
    transcript = Transcript(written.append)
    transcript.begin(AT)
    old, new = (File(name=f"{n}.webp", url="", size=9, sha256=str(n) * 64) for n in (1, 2))
    before = version(number=1, files=(old,))
    transcript.show(version(number=2, lines=("Done",), custom_ids=("job:again:1",), files=(old, new)), before)
    assert written == [
        "   +2.00 s  [ended] version 2",
        "              Done",
        "              [again]",
        "              + 2.webp  9 bytes  sha256 2222222222222222",
    ]
