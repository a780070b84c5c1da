"""`/imagine` from the command to the pictures, as people see it."""

from __future__ import annotations

from tests.flow.town import Town


async def test_imagine_ends_with_the_pictures_that_were_painted(town: Town) -> None:
    reply = await (await town.imagine("a lighthouse in a storm", count=4)).end()
    assert len(reply.hashes) == 4, reply
    assert set(reply.hashes) <= town.painted()
    assert len(set(reply.hashes)) == 4
    assert "a lighthouse in a storm" in reply.text
    assert reply.buttons[-4:] == ["Again", "Edit", "Details", "Delete"]


async def test_imagine_shows_every_stage_on_the_way(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    reply = await town.imagine("a quiet harbour", count=2)
    assert "Accepted" in reply.text
    assert reply.buttons == ["Cancel"]
    await reply.until(lambda shown: "Queued #" in shown.text or "expected" in shown.text)
    town.sandbox.horde.set_workers(paused=False)
    await reply.until(lambda shown: "◉ Painting" in shown.text)
    await reply.end()
    assert len(reply.hashes) == 2, reply


async def test_imagine_pings_nobody_and_asks_only_what_it_has_to(town: Town) -> None:
    reply = await (await town.imagine("@everyone <@1> <@&2> ``` a fox")).end()
    for version in reply.versions:
        assert version["pings"] == {"users": [], "roles": [], "everyone": False}
    assert len(town.calls(method="POST", path="/generate/async")) == 1
    assert len(town.calls(path="/generate/status")) == 1
