from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from aiohttp import web

from bot.sandbox.osais import Verdict
from bot.sandbox.osais.plays import Expected
from tests.unit.osais_listener import open_stage, refusal


def said(body: object, *, status: int = 201, kind: str = "application/json") -> Callable[[web.Response], web.Response]:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda _: web.Response(status=status, text=text, content_type=kind)


def changed(**changes: object) -> Callable[[web.Response], web.Response]:
    def change(answer: web.Response) -> web.Response:
        data = json.loads(str(answer.text))["data"]
        return web.json_response({"data": {**data, **changes}})

    return change


@pytest.mark.parametrize(
    "bend",
    [
        pytest.param(said("ok", kind="text/plain"), id="no json"),
        pytest.param(said("{", kind="application/json"), id="broken json"),
        pytest.param(said({"data": None}), id="data null"),
        pytest.param(said({}), id="no data"),
        pytest.param(lambda answer: web.json_response(json.loads(str(answer.text)), status=202), id="status 202"),
        pytest.param(lambda answer: web.Response(text=answer.text), id="no content type of json"),
        pytest.param(changed(uid=1), id="another uid"),
        pytest.param(changed(uid="1795262400000"), id="uid as text"),
        pytest.param(changed(token="x"), id="another token"),
        pytest.param(changed(token=None), id="no token"),
        pytest.param(changed(more=1), id="one field too many"),
        pytest.param(lambda _: refusal(403), id="refused"),
        pytest.param(lambda _: web.Response(status=500), id="crashed"),
    ],
)
async def test_an_answer_that_is_no_acknowledgement_is_noted(bend: Callable[[web.Response], web.Response]) -> None:
    async with open_stage() as stage:
        stage.listener.bend = bend
        delivery = await stage.sim.notify(1_795_262_400_000, 2)
        assert delivery.verdict is Verdict.INVALID
        assert delivery.problem
        assert stage.sim.invalid_acknowledgements == [delivery]
        assert stage.sim.client.validated_at is None


@pytest.mark.parametrize(
    "bend",
    [
        pytest.param(lambda answer: answer, id="acknowledged all the same"),
        pytest.param(lambda _: refusal(400), id="another status"),
        pytest.param(said("no", status=403, kind="text/plain"), id="no envelope"),
        pytest.param(said({"data": None}, status=403), id="no message"),
    ],
)
async def test_a_refusal_has_to_be_as_specified(bend: Callable[[web.Response], web.Response]) -> None:
    async with open_stage() as stage:
        stage.listener.bend = bend
        forged = await stage.sim.notify(1, -1, expected=Expected(refusals=frozenset({403})))
        assert forged.verdict is Verdict.INVALID


async def test_a_refusal_as_specified_is_fine() -> None:
    async with open_stage() as stage:
        wire = {"upload_token": "wrong"}
        forged = await stage.sim.upload(1, b"x", wire=wire, expected=Expected(refusals=frozenset({403})))
        assert (forged.verdict, stage.listener.files) == (Verdict.REFUSED, {})


async def test_a_client_that_is_down_gives_no_invalid_acknowledgement() -> None:
    async with open_stage() as stage:
        stage.sim.client.domain = "http://127.0.0.1:1"
        assert (await stage.sim.notify(1, 2)).verdict is Verdict.UNREACHED
        assert stage.sim.invalid_acknowledgements == []
