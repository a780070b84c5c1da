"""The Horde's three services as the composition root wires them: what one learns of our address, the others know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

import pytest

from bot.app_horde import HordeParts, wire_horde
from bot.chat import plan
from bot.domain.alchemy import AlchemyRequest, Form
from bot.domain.conversation import Role, TextRequest, Turn
from bot.domain.jobs import Job
from bot.errors import ContentRefused, Paused
from bot.providers.horde.gate import REFUSAL_PAUSE
from bot.settings import Settings
from tests.contract.horde_stage import HordeStage, open_stage, picture, source
from tests.factories import make_job, make_request


@pytest.fixture
async def stage() -> AsyncIterator[HordeStage]:
    """A Horde with its default workers, reachable on the loopback."""
    async with open_stage(HordeStage) as stage:
        yield stage


@pytest.fixture
def horde(stage: HordeStage) -> HordeParts:
    """The bot's side of it."""

    async def known_ids(*_: object) -> Collection[str]:
        return ()

    settings = Settings(horde_url=f"{stage.base}/api/v2", horde_text_reference_url=f"{stage.base}/reference/db.json")
    return wire_horde(settings, stage.session, stage.media, stage.clock, known_ids=known_ids, webhooks=None)


def paint() -> Job:
    """A job for a picture."""
    return make_job(request=make_request(model="Deliberate", width=512, height=512, steps=10))


def question(horde: HordeParts) -> TextRequest:
    """A request for an answer."""
    voice = horde.text_models.info("koboldcpp/Qwen2.5-7B-Instruct").voice()
    return plan(voice, (Turn(role=Role.USER, text="Who are you?", author="Ann"),), horde.texts.book, system="Be kind.")


async def test_refused_picture_stops_texts_too_but_not_work_on_pictures(stage: HordeStage, horde: HordeParts) -> None:
    await horde.text_models.refresh()
    answer = make_job(request=question(horde))
    stage.refuse_prompts = True
    with pytest.raises(ContentRefused):
        await horde.images.submit(paint())
    stage.refuse_prompts = False
    with pytest.raises(Paused):
        await horde.texts.turn()
    with pytest.raises(Paused) as caught:  # nobody is asked
        await horde.texts.submit(answer)
    assert caught.value.retry_after == REFUSAL_PAUSE
    await horde.alchemy.turn()
    work = make_job(request=AlchemyRequest(source=source(), forms=(Form.CAPTION,)))
    assert (await horde.alchemy.submit(work, source=picture())).remote_id
    await stage.clock.advance(REFUSAL_PAUSE + 1)
    assert (await horde.texts.submit(answer)).remote_id


async def test_timeout_that_a_text_was_told_of_stops_pictures_too(stage: HordeStage, horde: HordeParts) -> None:
    await horde.text_models.refresh()
    stage.sim.timeout_ip(120)
    with pytest.raises(Paused):
        await horde.texts.submit(make_job(request=question(horde)))
    stage.sim.timeout_ip(0)
    with pytest.raises(Paused):
        await horde.images.turn()
    await stage.clock.advance(121)
    await horde.images.turn()
    assert (await horde.images.submit(paint())).remote_id
