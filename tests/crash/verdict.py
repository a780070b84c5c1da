"""Whether a reply ended as promised, judged by what the simulators hold."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any

from tests.crash.beside import further, notices
from tests.crash.ledger import Ledger, Made
from tests.crash.records import Spoken
from tests.crash.stories import Asked
from tests.flow.town import Json, Town, buttons, words

#: What an honest reply says of a request that may or may not have arrived.
UNKNOWABLE = "can't tell whether it arrived"
#: What it says of files that may or may not have come behind it.
UNSURE = "didn't say whether it took them"
#: So much of a text is told.
SHOWN = 400
#: Buttons with which the person can have another go.
RETRY = frozenset({"Again", "Try again"})


class CutOff(Flag):
    """What a death cut off from its answer: whether that arrived is known to the other side alone."""

    NOTHING = 0
    SUBMISSION = auto()
    #: Something sent beside the reply.
    MESSAGE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One promise that was not kept."""

    #: lost, duplicated, or wrong.
    what: str
    why: str

    def __str__(self) -> str:
        """As a person reads it."""
        return f"{self.what}: {self.why}"


def shows_end(version: Json) -> bool:
    """Whether a message shows an end: there are buttons, and nothing left to cancel."""
    labels = [button.get("label") or "" for button in buttons(version)]
    return bool(labels) and "Cancel" not in labels


def answered(asked: Asked) -> bool:
    """Whether the person has an answer; else they saw "the application did not respond"."""
    return asked.record.original_id is not None


def cut_off_of(row: Mapping[str, Any] | None) -> CutOff:
    """What was under way when this was the row."""
    if row is None:
        return CutOff.NOTHING
    submitting = row["stage"] == "submitting" and row["remote_id"] is None
    outbox = json.loads(row["result"] or "{}").get("outbox", ())
    sending = any(message["message_id"] is None for message in outbox)
    return (CutOff.SUBMISSION if submitting else CutOff.NOTHING) | (CutOff.MESSAGE if sending else CutOff.NOTHING)


def judge(
    town: Town,
    ledger: Ledger,
    asked: Asked,
    *,
    row: Mapping[str, Any] | None,
    may_be_lost: bool,
    may_be_unsure: bool = False,
    waiting: int | None = None,
    complete: bool = True,
) -> list[Wrong]:
    """Name every promise that was not kept.

    `may_be_lost`: a submission was cut off before its answer. `may_be_unsure`: a message beside the reply was.
    `waiting`: the end is shown, but its token died before all that belongs to it was; so many files wait in private.
    `complete`: nothing kept the services from making all that was asked for.
    """
    made = asked.made(ledger)
    if not answered(asked):
        return list(_of_silence(made, row))
    versions = town.versions(asked.record.original_id or 0)
    if row is None and refused(versions):
        return [Wrong(what="wrong", why="it was refused, and made all the same")] if made.requests else []
    ends = [version for version in versions if shows_end(version)]
    if not ends:
        return [Wrong(what="lost", why=f"the reply never ended; it shows {words(versions[-1])!r}")]
    wrong = [*_of_the_end(versions, ends), *_of_the_row(row, noted=waiting is None), *_of_the_answers(town, asked)]
    wrong += _of_the_notices(town, asked, row)
    if UNKNOWABLE in words(ends[-1]):
        return [*wrong, *_of_the_unknowable(ends[-1], made, may_be_lost=may_be_lost)]
    shown = [ends[-1], *further(town, asked.record)]
    unsure = UNSURE in words(ends[-1])
    if unsure and not may_be_unsure:
        wrong.append(Wrong(what="lost", why="it says that it can't tell whether files arrived, and it could"))
    return [*wrong, *_of_the_result(shown, asked, made, complete=complete, unsure=unsure, waiting=waiting or 0)]


def refused(versions: Sequence[Json]) -> bool:
    """Whether this is a plain word and never was a job's reply: those have the job's buttons from the start."""
    return not any(buttons(version) for version in versions)


def _of_silence(made: Made, row: Mapping[str, Any] | None) -> Iterator[Wrong]:
    """Nobody was told anything, so nothing may have been done."""
    if made.requests:
        yield Wrong(what="wrong", why=f"the person saw no answer, and {made.requests} requests were made")
    if row is not None and (row["accepted_at"] is not None or row["stage"] != "ended"):
        yield Wrong(what="wrong", why=f"the person saw no answer, and the row is {row['stage']}")


def _of_the_end(versions: Sequence[Json], ends: Sequence[Json]) -> Iterator[Wrong]:
    first = versions.index(ends[0])
    if any(not shows_end(version) for version in versions[first:]):
        yield Wrong(what="wrong", why="the reply ended, and went on")
    # Which files came behind it can only be told afterwards.
    if len({words(version) for version in ends if UNSURE not in words(version)}) > 1:
        yield Wrong(what="wrong", why=f"the reply ended in different ways: {[words(version) for version in ends]}")
    shown = [sorted(file["sha256"] for file in version["attachments"]) for version in ends]
    if any({*before} - {*after} for before, after in itertools.pairwise(shown)):
        yield Wrong(what="lost", why="a file was there, and was gone again")


def _of_the_answers(town: Town, asked: Asked) -> Iterator[Wrong]:
    """A message, unlike an interaction, can be answered any number of times."""
    if isinstance(asked.record, Spoken):
        ended = [answer for answer in asked.record.answers() if shows_end(town.versions(answer)[-1])]
        if len(ended) > 1:
            yield Wrong(what="duplicated", why=f"{len(ended)} messages answer one")


def _of_the_notices(town: Town, asked: Asked, row: Mapping[str, Any] | None) -> Iterator[Wrong]:
    """Whoever is told of a late answer is told once; whether it is late is the bot's business."""
    sent, told = len(notices(town, asked.record)), row is not None and row["notified_at"] is not None
    if sent > 1:
        yield Wrong(what="duplicated", why=f"{sent} messages tell that the answer is there")
    if sent != told:
        yield Wrong(what="wrong", why=f"{sent} messages tell that the answer is there, and the row says {told}")


def _of_the_row(row: Mapping[str, Any] | None, *, noted: bool) -> Iterator[Wrong]:
    if row is None:
        yield Wrong(what="wrong", why="there is no row behind the reply")
    elif noted and (row["stage"] != "ended" or row["delivered_at"] is None):
        yield Wrong(what="wrong", why=f"the reply shows the end, and the row says {row['stage']}")


def _of_the_unknowable(end: Json, made: Made, *, may_be_lost: bool) -> Iterator[Wrong]:
    if not may_be_lost:
        yield Wrong(what="lost", why="it says it can't tell, and it could")
    if not {button.get("label") for button in buttons(end)} & RETRY:
        yield Wrong(what="wrong", why="it can't tell, and offers no other go")
    if made.requests > 1 or end["attachments"]:
        yield Wrong(what="duplicated", why=f"it says it can't tell, and {made.requests} requests were made")


def _of_the_result(
    shown: Sequence[Json], asked: Asked, made: Made, *, complete: bool, unsure: bool, waiting: int
) -> Iterator[Wrong]:
    """`shown`: the reply, and the messages in which it goes on. `unsure`: some of these may not have arrived.

    `waiting`: so many files are to be had by `/jobs show`, where no message can bring them any more.
    """
    said = "\n".join(map(words, shown))
    hashes = [file["sha256"] for message in shown for file in message["attachments"]]
    parts = [words(message) for message in shown if words(message)]
    if made.requests > 1:
        yield Wrong(what="duplicated", why=f"{made.requests} requests were made for {asked.record.label}")
    if made.running:
        yield Wrong(what="wrong", why=f"{made.running} requests are left running")
    if len(set(hashes)) < len(hashes):
        yield Wrong(what="duplicated", why=f"of {len(hashes)} files only {len(set(hashes))} are different")
    if len(set(parts)) < len(parts):
        yield Wrong(what="duplicated", why=f"of {len(parts)} parts only {len(set(parts))} are different")
    if set(hashes) - set(made.files):
        yield Wrong(what="wrong", why="a file is attached that was not made for this")
    missing = set(made.files) - set(hashes) or (complete and len(set(hashes)) < asked.files)
    if missing and not unsure and waiting < asked.files:
        yield Wrong(what="lost", why=f"{len(set(hashes))} of {asked.files} files: {said[:SHOWN]!r}")
    told = any(_says(said, made_text) for made_text in made.texts)
    if asked.words and not told and (made.texts or complete):
        yield Wrong(what="lost", why=f"none of {[text[:SHOWN] for text in made.texts]} is in {said[:SHOWN]!r}")


def _says(shown: str, made: str) -> bool:
    """Whether the shown text holds the made one, by its letters and digits: how it is set out is the bot's business."""
    return bool(_letters(made)) and _letters(made) in _letters(shown)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
