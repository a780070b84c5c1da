"""Many requests at once: everybody gets on, nobody gets everything, and a service that is away is left in peace."""

from __future__ import annotations

from tests.flow.test_controls import private_answer
from tests.flow.town import Town, words

#: What one person may have here at once unless the settings say otherwise: in work, and waiting.
IN_WORK, WAITING = 2, 8


async def test_one_person_cannot_keep_others_waiting_and_is_told_so_kindly(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    mine = [await town.imagine(f"fox number {number}") for number in range(IN_WORK + WAITING)]
    await mine[2].until(lambda shown: "You have 2 jobs running, this one is next." in shown.text)
    await mine[4].until(lambda shown: "2 more of yours before this one" in shown.text)
    refused = await town.invoke("imagine", {"prompt": "one fox too many"})
    assert "as many requests here as I keep for one person" in private_answer(town, refused)
    other = await town.imagine("a hare", by=town.grace)
    await town.until(lambda: len(town.calls(method="POST", path="/generate/async")) == IN_WORK + 1)
    prompts = [str(call.request["prompt"]) for call in town.calls(method="POST", path="/generate/async")]  # type: ignore[index]
    assert any(prompt.startswith("a hare") for prompt in prompts)
    town.sandbox.horde.set_workers(paused=False)
    await other.end()
    await mine[2].end()
    await town.invoke("jobs cancel", {"job": "all"})
    for reply in mine:
        await reply.end()


async def test_service_that_is_away_is_told_once_in_every_reply_that_waits(town: Town) -> None:
    town.sandbox.horde.set_workers(paused=True)
    replies = [await town.imagine("a fox", by=who) for who in (town.ada, town.grace) for _ in range(2)]
    await town.until(lambda: len({call.path for call in town.calls(path="/generate/check")}) == len(replies))
    town.fault("horde", times=None, action="reset")
    for reply in replies:
        await reply.until(lambda shown: "isn't answering" in shown.text)
    await town.pass_time(120, step=4)
    for reply in replies:
        told = [version for version in reply.versions if "isn't answering" in words(version)]
        assert len(told) == 1, "waiting is no news"
        assert not reply.over
    town.sandbox.faults.clear()
    town.sandbox.horde.set_workers(paused=False)
    for reply in replies:
        await reply.end()
        assert len(reply.hashes) == 1, reply
    assert len(town.calls(method="POST", path="/generate/async")) == len(replies)
