from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from bot.sandbox.osais import SCENARIOS, Verdict
from bot.sandbox.osais.plays import Made, Naming, Notify, Play, Upload, nominal
from bot.sandbox.osais.scenarios import play_of
from tests.unit.osais_listener import open_stage

#: Scenarios that take longer than a minute of the clock.
SLOW = {"late-upload": 70, "late-upload-closed": 490, "late-upload-gone": 1210}
#: Scenarios in which not every file that was made arrives.
INCOMPLETE = {
    "notify-without-upload",
    "error-after-files",
    "silence-after-file",
    "callbacks-lost",
    "half-lost",
    "film",
    "two-files-in-one",
}
#: Scenarios whose submit is not answered with a uid.
UNANSWERED = {"reply-error", "reply-html", "reply-never", "reply-no-uid"}


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - UNANSWERED))
async def test_a_good_client_answers_every_call_of_a_scenario_as_specified(name: str) -> None:
    async with open_stage() as stage:
        stage.sim.play_next(name)
        uid = await stage.submit(cimg=2)
        await stage.pass_time(12)
        await stage.pass_time(SLOW.get(name, 0), step=10)

        assert [one.to_dict() for one in stage.sim.invalid_acknowledgements if name != "film"] == []
        assert {one.verdict for one in stage.sim.deliveries if one.verdict is Verdict.UNREACHED} == (
            {Verdict.UNREACHED} if name == "connection-lost" else set()
        )
        if name not in INCOMPLETE:
            assert set(stage.listener.files.get(uid, [])) == set(stage.sim.made[uid])


async def test_the_nominal_order_has_the_last_file_after_the_stop() -> None:
    async with open_stage() as stage:
        uid = await stage.submit(cimg=3)
        await stage.pass_time(10)

        assert [number for _, number in stage.listener.stages] == [0, 1, 2, 3, 4, 4, 5, 4]
        assert [one.what for one in stage.sim.deliveries][-3:] == ["notify 5", "notify 4", f"upload {uid}_0336.png"]
        assert stage.listener.files[uid] == stage.sim.made[uid]
        assert len(set(stage.sim.made[uid])) == 3


async def test_calls_come_as_through_a_reverse_proxy() -> None:
    async with open_stage() as stage:
        await stage.submit()
        await stage.pass_time(1)

        assert stage.listener.headers[0]["Host"] == "muster.test"
        assert stage.listener.headers[0]["X-Forwarded-Proto"] == "https"


async def test_scenarios_combine() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("four-files", "urlencoded", "text-after-file", "duplicates", "stop-first")
        uid = await stage.submit(cimg=1)
        await stage.pass_time(12)

        assert [number for _, number in stage.listener.stages] == [0, 0, 1, 1, 2, 2, 3, 3, 5, 5, *[4] * 8]
        assert stage.listener.files[uid] == [sha for sha in stage.sim.made[uid] for _ in range(2)]


async def test_calls_can_come_before_the_answer_to_the_submit() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("all-before-reply")
        uid = await stage.submit(cimg=1)

        assert stage.listener.files[uid] == stage.sim.made[uid]


async def test_half_lost_calls_are_noted_as_lost() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("four-files", "half-lost")
        uid = await stage.submit()
        await stage.pass_time(10)

        assert {one.verdict for one in stage.sim.deliveries} == {Verdict.ACKNOWLEDGED, Verdict.LOST}
        assert len(stage.sim.made[uid]) == 4


async def test_retries_send_what_nobody_took_again() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("silence-after-start", "retries", "half-lost")
        await stage.submit()
        await stage.pass_time(10)

        lost = sum(one.verdict is Verdict.LOST for one in stage.sim.deliveries)
        assert len(stage.sim.deliveries) == 3 + lost
        assert [number for _, number in stage.listener.stages] == [0, 1, 2]


@pytest.mark.parametrize("name", sorted(UNANSWERED - {"reply-never"}))
async def test_a_submit_can_be_answered_badly_though_it_was_accepted(name: str) -> None:
    async with open_stage() as stage:
        stage.sim.play_next(name)
        headers = {"Authorization": f"Bearer {stage.bearer}"}
        address = f"{stage.url}/api/v1/private/client/ai/diffusion"
        async with stage.session.post(address, json={"word": "fox", "width": 64, "height": 64}, headers=headers) as got:
            assert b'"uid"' not in await got.read()
        await stage.pass_time(10)

        [made] = stage.sim.made.values()
        assert len(made) == 1


async def test_a_submit_can_stay_unanswered_until_the_caller_gives_up() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("reply-never")
        address = f"{stage.url}/api/v1/private/client/ai/diffusion"
        headers = {"Authorization": f"Bearer {stage.bearer}"}
        with pytest.raises(TimeoutError):
            await stage.session.post(address, json={"word": "fox"}, headers=headers, timeout=ClientTimeout(total=0.05))
        assert len(stage.sim.requests) == 1


async def test_bearers_can_die_in_the_middle_of_a_request() -> None:
    async with open_stage() as stage:
        stage.sim.play_next("bearer-expires")
        uid = await stage.submit()
        await stage.pass_time(3)

        assert (await stage.call("GET", f"private/client/request/{uid}"))[0] == 401


async def test_a_hold_stops_every_play_until_released() -> None:
    async with open_stage() as stage:
        stage.sim.hold_after(2)
        uid = await stage.submit(cimg=1)
        await stage.pass_time(60, step=5)
        assert [number for _, number in stage.listener.stages] == [0, 1, 2]

        stage.sim.release()
        await stage.pass_time(10)
        assert stage.listener.files[uid] == stage.sim.made[uid]


async def test_two_requests_are_performed_side_by_side() -> None:
    async with open_stage() as stage:
        first, second = await stage.submit(cimg=1), await stage.submit(cimg=1)
        await stage.pass_time(10)

        assert stage.listener.files == stage.sim.made
        order = [uid for uid, _ in stage.listener.stages]
        assert order != sorted(order)
        assert first != second


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(KeyError):
        play_of(["nonsense"], files=1, cost_ms=1, seed=0)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
@pytest.mark.parametrize("files", [0, 1, 4])
def test_every_scenario_writes_a_play_for_any_number_of_files(name: str, files: int) -> None:
    play = play_of([name], files=files, cost_ms=2000, seed=1)
    made = {step.file for step in play.steps if isinstance(step, Made)}
    uploaded = {step.file for step in play.steps if isinstance(step, Upload)}

    assert uploaded <= made
    assert isinstance(play, Play)
    assert SCENARIOS[name].summary


def test_the_page_about_the_simulator_lists_every_scenario() -> None:
    page = (Path(__file__).parents[2] / "docs" / "sandbox-osais.md").read_text(encoding="utf-8")
    rows = {f"| `{one.name}` | {one.summary} |" for one in SCENARIOS.values()}
    assert rows - set(page.splitlines()) == set()


def test_the_costs_come_with_the_stop_alone() -> None:
    costs = {step.stage: step.cost_ms for step in nominal(2, cost_ms=2000, seed=0).steps if isinstance(step, Notify)}
    assert costs == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 2000}


def test_names_of_files_are_of_three_kinds() -> None:
    assert Naming.PLAIN.file_name(7, 0, "png") == "7_0334.png"
    assert Naming.DOUBLE_EXTENSION.file_name(7, 1, "png") == "7.jpg_0335.png"
    assert Naming.ALL_THE_SAME.file_name(7, 1, "png") == Naming.ALL_THE_SAME.file_name(7, 2, "png")
