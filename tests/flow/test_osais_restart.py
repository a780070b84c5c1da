"""The bot dies between two calls of OSAIS: what it was told before is kept, what it missed is asked for."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import aiohttp

from bot.sandbox.osais import Verdict
from bot.sandbox.osais.requests import OsaisRequest
from bot.sandbox.outgoing import AddressMap
from bot.sandbox.serve import Sandbox
from tests.flow.engines import PUBLIC_URL, paint, requests
from tests.flow.lives import Lives
from tests.flow.town import Reply


def happened(request: OsaisRequest, what: str) -> bool:
    return what in request.story


def ended(request: OsaisRequest) -> bool:
    return request.ended_at is not None


async def form_is_sent_after_a_restart(lives: Lives) -> None:
    """The settings are typed while the bot dies and comes back."""
    opened = await lives.invoke("osais run", {"engine": "diffusion", "prompt": "by a form", "settings": True})
    await lives.die_and_live()
    sent = await lives.sandbox.discord.submit_modal(lives.ada, opened, {"lines": "steps = 30\ncimg = 1"})
    await lives.sandbox.discord.wait_answer(sent)
    reply = await Reply(lives, sent).end()
    assert "Done: 1 picture" in reply.text
    (request,) = requests(lives, "by a form")
    assert request.given["steps"] == 30


async def test_killed_between_a_stage_and_the_files_it_asks_for_what_it_missed(tmp_path: Path) -> None:
    proxy = AddressMap.to_free_port(PUBLIC_URL)
    async with Sandbox(speed=4, address_map=proxy) as sandbox, aiohttp.ClientSession() as session:
        lives, osais = Lives(sandbox, tmp_path, session), sandbox.osais
        try:
            await lives.live()
            await lives.move_to("engines")
            await lives.until(lambda: bool(osais.client.domain))
            for stage, words in ((2, "killed after a stage"), (4, "killed after a file")):
                osais.hold_after(stage)
                reply = await paint(lives, words)
                (request,) = requests(lives, words)
                await lives.until(partial(happened, request, f"notify {stage}: acknowledged"))
                await lives.die()
                osais.release()
                await lives.until(partial(ended, request))
                await lives.live()
                await reply.end()
                assert sorted(reply.hashes) == sorted(osais.made[request.uid]), reply
                assert "Done: 2 pictures" in reply.text
                assert len(requests(lives, words)) == 1
            await form_is_sent_after_a_restart(lives)
        finally:
            await lives.end()
        assert osais.invalid_acknowledgements == []
        assert any(one.verdict is Verdict.UNREACHED for one in osais.deliveries)
