"""Every variant of OSAIS's behaviour, played with the whole bot: what the message ends with, and its files.

Variants run side by side in one world, once; each test then looks at one of them. So they also prove that jobs that are
under way together never mix. After each batch, OSAIS's list of answers that were not as specified has to be empty.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.sandbox.discord import File
from bot.sandbox.osais import Verdict
from bot.sandbox.osais.requests import OsaisRequest
from bot.sandbox.osais.scenarios import SCENARIOS
from tests.flow.engines import open_called_town, paint, requests, run_with
from tests.flow.town import Reply, Town, sha256
from tests.flow.wishes import picture

#: Longer than files are taken after the end, in seconds.
TOO_LATE = 16 * 60.0
#: Not played here: large files (test_listener.py, test_osais.py), what takes real time (test_provider_osais.py), and
#: films, which belong to vtoonify. Files that are very late have a test of their own below.
ELSEWHERE = frozenset(
    {"oversize", "big-files", "film", "reply-never", "one-file", "no-stage-0", "late-upload-closed", "late-upload-gone"}
)
#: Nobody knows the request's number: its answer was lost, or told nothing.
UNCERTAIN = {"reply-error", "reply-html"}
#: Nobody knows whose the files are, so none is shown.
NOT_SHOWN = {*UNCERTAIN, "reply-no-uid"}
#: What a message says that does not simply end with every file.
ENDS = {
    "no-files": "no file came of it",
    "error-at-once": "stopped with an error, and no file came of it",
    "error-after-files": "Stopped with an error after 1 file",
    "error-before-files": "Stopped with an error after 2 files",
    "stop-with-error": "no file came of it",
    "silence": "Nothing more was heard",
    "silence-after-start": "Nothing more was heard",
    "silence-after-file": "1 file came; nothing more was heard",
    "poll-empty": "no file came of it",
    "reply-no-uid": "OSAIS refused this request",
    **dict.fromkeys(UNCERTAIN, "I can't tell whether it arrived"),
    # The forged file is no file, and the check shows it as one.
    **dict.fromkeys(("not-a-file", "mp4-instead"), "More was made, but could not be fetched"),
}
#: What is played together: ways to write a call that go with each other (test_listener.py has each by itself), and what
#: only shows in checks.
COMBINED = (
    "bearer-expires poll-nulls poll-unknown-first callbacks-lost",
    "json-strings fields-extra part-image token-zero double-extension",
    "json-response upload-base64-response odd-types engine-other",
    "json-untyped text-after-file upload-without-token fields-missing",
    "urlencoded upload-data-url filename-false cost-seconds",
    "multipart-notify in-pieces part-upload uid-in-filename s3-names",
    "tokens-absent double-slash part-anything part-type-wrong",
    "progress-texts upload-base64 json-numbers",
    "upload-base64-file stage-11 stage-missing",
    "connection-lost retries",
)
FORGED = ("html", "svg", "empty-file", "huge-picture", "wav-instead")
TOGETHER = {name for names in COMBINED for name in names.split()}
VARIANTS = sorted({*SCENARIOS, *COMBINED} - ELSEWHERE - TOGETHER - set(FORGED))
#: Few enough to be over in time on a slow machine.
BATCHES = tuple(VARIANTS[start : start + 9] for start in range(0, len(VARIANTS), 9))


@dataclass
class Played:
    """What came of one variant."""

    request: OsaisRequest
    reply: Reply
    made: list[str]


class Matrix:
    """Plays variants in batches, side by side, when a test first asks for one of a batch."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town = town
        self._folder = folder
        self._played: dict[str, Played] = {}

    async def of(self, name: str) -> Played:
        """What came of a variant."""
        if name not in self._played:
            await self._play(next(batch for batch in BATCHES if name in batch))
        return self._played[name]

    def kept(self, sha256: str) -> bool:
        """Whether the bot's database holds a file of a job's."""
        with contextlib.closing(sqlite3.connect(self._folder / "muster.db")) as database:
            asked = database.execute("SELECT size FROM artifacts WHERE sha256 = ?", (sha256,))
            return asked.fetchone() is not None

    async def _play(self, batch: Sequence[str]) -> None:
        sim, replies = self.town.sandbox.osais, {}
        for name in batch:
            sim.play_next(*name.split())
            # Everybody has a share of their own in the line: so the variants really run side by side.
            person = await self.town.sandbox.discord.make_user(f"Painter of {name}", guilds=[self.town.guild])
            replies[name] = await paint(self.town, f"variant {name}", by=person)
        for reply in replies.values():
            await reply.until(lambda shown: shown.over, step=1.0)
        for name, reply in replies.items():
            (request,) = requests(self.town, f"variant {name}")
            self._played[name] = Played(request=request, reply=reply, made=sim.made[request.uid])
        invalid = [f"{one.uid} {one.what}: {one.problem}" for one in sim.invalid_acknowledgements]
        assert invalid == [], "calls that were not answered as specified"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def matrix(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Matrix]:
    """A world to play them in."""
    folder = tmp_path_factory.mktemp("matrix")
    async with open_called_town(folder) as town:
        yield Matrix(town, folder)


def test_matrix_knows_every_scenario() -> None:
    assert {*ENDS} <= {*VARIANTS}
    assert {*ELSEWHERE, *TOGETHER, *FORGED} <= {*SCENARIOS}


@pytest.mark.parametrize("name", VARIANTS)
async def test_variant_ends_with_its_files_and_its_sentence(matrix: Matrix, name: str) -> None:
    played = await matrix.of(name)
    expected = [] if name in NOT_SHOWN else played.made
    # One that came after the end is added in its own time.
    await played.reply.until(lambda shown: sorted(shown.hashes) == sorted(set(expected)))
    files = "1 picture" if len(set(expected)) == 1 else f"{len(set(expected))} pictures"
    assert ENDS.get(name, f"Done: {files}") in played.reply.text, played.reply
    assert not played.request.oddities


@pytest.mark.parametrize("name", ["nominal", "shuffled", "lower-after-higher", "all-before-reply"])
async def test_message_never_moves_back(matrix: Matrix, name: str) -> None:
    shown = [version["embeds"][0]["description"] for version in (await matrix.of(name)).reply.versions]
    reached = [text.count("◉") for text in shown if "▰" in text]
    assert reached == sorted(reached)


async def test_file_that_comes_after_the_end_is_added_for_a_quarter_of_an_hour(matrix: Matrix) -> None:
    town = matrix.town
    reply = await paint(town, "a late one", count=1)
    (request,) = requests(town, "a late one")
    await reply.end()
    first, late, later = reply.hashes[0], picture("#aa3344"), picture("#33aa44")
    assert (await town.sandbox.osais.upload(request.uid, late)).verdict is Verdict.ACKNOWLEDGED
    await reply.until(lambda shown: len(shown.hashes) == 2)
    assert reply.hashes == [first, sha256(late)]
    assert "Done: 2 pictures" in reply.text
    await town.pass_time(TOO_LATE, step=20.0)
    assert (await town.sandbox.osais.upload(request.uid, later)).verdict is Verdict.ACKNOWLEDGED
    await town.pass_time(60.0, step=5.0)
    assert reply.hashes == [first, sha256(late)]


async def test_film_is_attached_and_one_that_is_too_large_is_named_and_kept(matrix: Matrix) -> None:
    shown, (film,) = await _filmed(matrix.town, "film")
    assert shown.hashes == [film]
    assert shown.now["attachments"][0]["filename"].endswith(".mp4")
    named, (large,) = await _filmed(matrix.town, "film", "big-files")
    assert named.hashes == []
    assert "larger than Discord takes here" in named.text
    assert "12.0 MB" in named.text
    assert "kept for 24 h" in named.text
    assert matrix.kept(large)


async def _filmed(town: Town, *scenarios: str) -> tuple[Reply, list[str]]:
    """A run of vtoonify that has ended, and the hashes of what it made."""
    town.sandbox.osais.play_next(*scenarios)
    reply = await run_with(town, "vtoonify", image=File(filename="face.png", data=picture(size=(320, 320))))
    await reply.end()
    return reply, list(town.sandbox.osais.made.values())[-1]


async def test_texts_of_strangers_are_harmless(matrix: Matrix) -> None:
    for version in (await matrix.of("hostile-text")).reply.versions:
        assert not any(version["pings"].values())
        assert not re.search(r"(?<!\\)\]\(|(?<!\\)\*\*\*|<@[!&]?1>", version["embeds"][0]["description"])
