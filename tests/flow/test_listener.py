"""The listener against the simulated OSAIS: every way it writes a call is answered as specified, every file is kept."""

from __future__ import annotations

from pathlib import Path

from bot.domain.callbacks import Upload
from bot.domain.engines import EngineRequest
from bot.domain.stages import Stage
from bot.sandbox.osais import Verdict
from tests.factories import make_job
from tests.listening import PUBLIC_URL, open_listening
from tests.unit.osais_listener import open_stage

#: The scenarios that differ in how calls are written; test_osais*.py plays all of them with the whole bot.
WIRE = (
    "connection-lost",
    "double-extension",
    "double-slash",
    "duplicates",
    "empty-file",
    "fields-extra",
    "fields-missing",
    "filename-false",
    "hostile-text",
    "html",
    "huge-picture",
    "in-pieces",
    "json-numbers",
    "json-response",
    "json-strings",
    "json-untyped",
    "mp4-instead",
    "multipart-notify",
    "not-a-file",
    "odd-types",
    "oversize",
    "part-anything",
    "part-image",
    "part-type-wrong",
    "part-upload",
    "same-name",
    "stage-11",
    "stage-missing",
    "svg",
    "text-after-file",
    "token-zero",
    "tokens-absent",
    "truncated-first",
    "two-files-in-one",
    "uid-in-filename",
    "unknown-uid",
    "upload-base64",
    "upload-base64-file",
    "upload-base64-response",
    "upload-before-reply",
    "upload-data-url",
    "upload-without-token",
    "urlencoded",
    "wav-instead",
    "wrong-path",
    "wrong-token",
    "wrong-types",
)
DIFFUSION = EngineRequest(engine="diffusion", title="diffusion", prompt="a fox")
#: The file never arrives as it should.
SPOILT = {"two-files-in-one"}


async def test_every_way_to_write_a_call_is_answered_as_specified(tmp_path: Path) -> None:
    async with open_stage() as stage, open_listening(tmp_path, token=stage.sim.token) as listening:
        stage.mapping.add(PUBLIC_URL, listening.url)
        address = listening.doors.address
        uris = {"domain": address.domain, "uriNotify": address.notify_uri, "uriUpload": address.upload_uri}
        await stage.call("PATCH", "private/client/notify", uris)
        played = {}
        for name in WIRE:
            stage.sim.play_next(name)
            uid = played[name] = await stage.submit(cimg=1)
            await listening.jobs.add(
                make_job(stage=Stage.WAITING, provider="osais", remote_id=str(uid), request=DIFFUSION)
            )
        await stage.pass_time(8, step=1.0)

        assert [one.to_dict() for one in stage.sim.invalid_acknowledgements] == []
        unreached = {one.uid for one in stage.sim.deliveries if one.verdict is Verdict.UNREACHED}
        assert unreached <= {played["connection-lost"]}
        for name in set(WIRE) - SPOILT:
            kept = {call.said.sha256 for call in await listening.kept(played[name]) if isinstance(call.said, Upload)}
            assert kept == set(stage.sim.made[played[name]]), name
        assert listening.woken
