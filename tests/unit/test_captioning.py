"""Pictures put into words: patiently, once, and with nothing left behind."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot.clock import ManualClock
from bot.domain.alchemy import Form, FormArtifact
from bot.domain.conversation import Look
from bot.domain.progress import Progress
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.errors import MediaGone, Rejected, RemoteGone, SubmissionUncertain, Unavailable
from bot.providers.base import Harvest
from bot.services.captioning import MAX_PICTURES, PATIENCE, Captioner
from tests.scripted import ScriptedProvider

PICTURE = SourceMedia(url="https://cdn.discordapp.com/a.png")
WAITING = Progress(stage=Stage.WAITING, waiting=1)


class Sources:
    """Hands out bytes, or an error."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def ready(self, source: SourceMedia) -> bytes:
        if self.error is not None:
            raise self.error
        return source.url.encode()


def captioned(text: str) -> Harvest:
    """What an alchemist made."""
    artifact = FormArtifact(index=0, remote_id="r/0", form=Form.CAPTION, told=json.dumps(text))
    return Harvest(artifacts=(artifact,), bytes_of={})


class Waiting:
    """A question that waits for its pictures, and keeps how far they are."""

    def __init__(self, captioner: Captioner) -> None:
        self.captioner = captioner
        self.looks: tuple[Look, ...] = ()

    async def of(self, pictures: list[SourceMedia]) -> tuple[str | None, ...]:
        self.looks = await self.captioner.further(self.looks, pictures)
        return tuple(look.caption for look in self.looks)


def captioner(provider: ScriptedProvider, sources: Sources | None = None) -> tuple[Waiting, ManualClock]:
    clock = ManualClock()
    return Waiting(Captioner(provider, sources or Sources(), clock)), clock


async def test_captions_come_after_some_looks_each_asked_for_once() -> None:
    provider = ScriptedProvider()
    provider.polls.extend([WAITING, WAITING])
    provider.harvests.extend([captioned("a fox"), captioned("a hen")])
    looking, _ = captioner(provider)
    assert await looking.of([PICTURE, PICTURE]) == (None, None)
    assert await looking.of([PICTURE, PICTURE]) == (None, None)
    assert await looking.of([PICTURE, PICTURE]) == ("a fox", "a hen")
    assert provider.calls.count("submit") == 2


async def test_no_more_pictures_than_a_prompt_has_room_for() -> None:
    provider = ScriptedProvider()
    looking, _ = captioner(provider)
    await looking.of([PICTURE] * 9)
    assert provider.calls.count("submit") == MAX_PICTURES


@pytest.mark.parametrize("error", [Rejected("no"), SubmissionUncertain("perhaps")], ids=["refused", "perhaps-lost"])
async def test_a_request_that_was_refused_or_lost_is_not_made_again(error: Exception) -> None:
    provider = ScriptedProvider()
    provider.submits.append(error)
    looking, _ = captioner(provider)
    assert await looking.of([PICTURE]) == ("",)
    assert provider.calls.count("submit") == 1


async def test_a_picture_that_is_gone_ends_without_words() -> None:
    looking, _ = captioner(ScriptedProvider(), Sources(MediaGone("deleted")))
    assert await looking.of([PICTURE]) == ("",)


async def test_a_request_that_the_horde_forgot_ends_without_words() -> None:
    provider = ScriptedProvider()
    provider.polls.append(RemoteGone("expired"))
    looking, _ = captioner(provider)
    assert await looking.of([PICTURE]) == (None,)
    assert await looking.of([PICTURE]) == ("",)


async def test_patience_ends_and_nothing_is_left_behind() -> None:
    provider = ScriptedProvider()
    provider.polls.extend([WAITING, Unavailable("down"), WAITING])
    provider.cancels.append(Unavailable("still down"))
    looking, clock = captioner(provider)
    assert await looking.of([PICTURE]) == (None,)
    assert await looking.of([PICTURE]) == (None,)
    assert await looking.of([PICTURE]) == (None,), "a service that stumbles is waited for"
    await clock.advance((PATIENCE + timedelta(seconds=1)).total_seconds())
    assert await looking.of([PICTURE]) == ("",)
    assert provider.calls.count("cancel") == 1


async def test_what_was_never_handed_over_need_not_be_taken_back() -> None:
    provider = ScriptedProvider()
    provider.submits.extend([Unavailable("down"), Unavailable("down")])
    looking, clock = captioner(provider)
    assert await looking.of([PICTURE]) == (None,)
    await clock.advance((PATIENCE + timedelta(seconds=1)).total_seconds())
    assert await looking.of([PICTURE]) == ("",)
    assert "cancel" not in provider.calls


async def test_another_life_goes_on_from_what_was_written_down_and_can_take_it_back() -> None:
    provider = ScriptedProvider()
    provider.polls.append(WAITING)
    provider.harvests.append(captioned("a fox"))
    before, _ = captioner(provider)
    assert await before.of([PICTURE]) == (None,)
    after, _ = captioner(provider)
    after.looks = before.looks
    assert await after.of([PICTURE]) == (None,)
    await after.captioner.drop(after.looks)
    assert provider.calls == ["submit", "poll", "cancel"]
    assert await after.of([PICTURE]) == ("a fox",)
    await after.captioner.drop(after.looks)
    assert provider.calls.count("cancel") == 1, "what has its words needs no cancel"
