"""Engines as people ask for them: settings in lines, wishes completed, requests as messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.endings import conclude, extended
from bot.domain.engines import Engine, EngineArtifact, EngineRequest, Setting, Step
from bot.domain.jobs import Job
from bot.domain.progress import Progress
from bot.domain.requests import Aspect
from bot.domain.results import Outcome, Result
from bot.domain.sources import SourceMedia
from bot.domain.stages import Stage
from bot.errors import InvalidRequest
from bot.providers.osais.catalogue import bundled
from bot.providers.osais.pictures import fitted
from bot.render import render_details, render_job
from bot.services.engine_settings import lines_of, read_lines
from bot.services.engines import Engines, EngineWish
from bot.services.imagining import ImageWish
from bot.sniffing import sniff
from tests.factories import NOW, make_job
from tests.flow.wishes import picture

PICTURE = SourceMedia(url="https://cdn.discordapp.com/face.png", filename="face.png", width=512, height=512)


class Bundled:
    """The engines that Muster carries."""

    def engines(self) -> list[Engine]:
        return list(bundled().values())

    def get(self, name: str) -> Engine | None:
        return bundled().get(name)


ENGINES = Engines(Bundled())


@pytest.mark.parametrize("engine", bundled().values(), ids=lambda engine: engine.name)
def test_prefilled_lines_read_back_as_what_they_stand_for(engine: Engine) -> None:
    read = read_lines(engine, lines_of(engine))
    assert read == {one.name: one.default for one in engine.parameters if one.default is not None}


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        pytest.param("steps = 20\nsteps = 21", "Line 2 of the settings: `steps` is there twice", id="twice"),
        pytest.param("steps", "Line 1 of the settings: write it as `name = value`", id="no-sign"),
        pytest.param("\n# a note\nstepps = 3", "Line 3 of the settings: diffusion has no such setting", id="unknown"),
        pytest.param("steps = many", "`steps` is a whole number", id="no-number"),
        pytest.param("steps = 101", "`steps` goes from 1 to 100", id="out-of-range"),
        pytest.param("width = 500", "`width` is one of `320`", id="not-allowed"),
        pytest.param("url_upload = https://evil.test/x.png", "no such setting", id="addresses-are-not-taken"),
        pytest.param("token = 1", "no such setting", id="what-the-service-adds"),
        pytest.param("guidance = nan", "`guidance` is a number", id="not-a-number"),
    ],
)
def test_wrong_line_is_named(lines: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_lines(bundled()["diffusion"], lines)
    assert told in caught.value.user_message


@pytest.mark.parametrize(
    ("engine", "lines", "told"),
    [
        pytest.param("gfpgan", "weight = -5", "`weight` goes from 0 to 1", id="weight"),
        pytest.param("facefusion", "distance = 99999", "`distance` goes from 0 to 1.5", id="distance"),
        pytest.param("facefusion", f"\nage = {'x' * 501}", "Line 2 of the settings: `age` takes up to 500", id="text"),
    ],
)
def test_what_a_config_leaves_open_has_bounds_all_the_same(engine: str, lines: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_lines(bundled()[engine], lines)
    assert told in caught.value.user_message


def test_every_wrong_line_is_named_at_once_and_remarks_are_none() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_lines(bundled()["diffusion"], "steps = 900  # 1 to 100\nguidance = often\nseed = 7  # 1 to 1000000")
    assert [line[:6] for line in caught.value.user_message.splitlines()] == ["Line 1", "Line 2"]
    written = lines_of(bundled()["diffusion"])
    assert "steps = 20  # 1 to 100" in written
    assert "seed = random  # 1 to 1000000, or random" in written
    assert read_lines(bundled()["facefusion"], "age = #7 or so")["age"] == "#7 or so", "a text keeps its sign"


@pytest.mark.parametrize("typed", ["diff", "osais:Diff", "diffusion"])
def test_engine_is_meant_by_how_only_its_name_begins(typed: str) -> None:
    assert ENGINES.find(typed).name == "diffusion"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        pytest.param("v", "Did you mean `vqgan` or `vtoonify`?", id="begun-by-two"),
        pytest.param("difusion", "Did you mean `diffusion`?", id="misspelt"),
        pytest.param("wibble", "of that name. There are `ping`", id="nothing-like-it"),
    ],
)
def test_unknown_engine_is_told_with_what_is_near(typed: str, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        ENGINES.find(typed)
    assert told in caught.value.user_message


def sent(request: EngineRequest) -> dict[str, Any]:
    return {setting.name: setting.value for setting in request.settings}


def test_what_counts_only_with_or_without_a_picture_is_left_out_otherwise() -> None:
    without = ENGINES.complete(EngineWish(engine="diffusion", prompt="a boat"))
    with_one = ENGINES.complete(EngineWish(engine="diffusion", prompt="a boat", image=PICTURE))
    assert {"guidance"} == sent(without).keys() - sent(with_one).keys()
    assert {"strength"} == sent(with_one).keys() - sent(without).keys()


@pytest.mark.parametrize(
    ("engine", "lines", "expected"),
    [
        pytest.param("diffusion", "cimg = 4", 4, id="as-many-as-asked"),
        pytest.param("vqgan", "steps = 60\nsaveinterval = 20", 4, id="frames"),
        pytest.param("vqgan", "saveinterval = 0", 1, id="no-frames"),
        pytest.param("sadtalker", "cimg = 4", 1, id="one-whatever-was-asked"),
    ],
)
def test_expected_files_are_a_hint_by_engine(engine: str, lines: str, expected: int) -> None:
    sound = replace(PICTURE, filename="voice.wav")
    wish = EngineWish(engine=engine, prompt="a boat", image=PICTURE, audio=sound, settings=lines)
    assert ENGINES.complete(wish).expected == expected


def test_again_draws_anew_only_what_was_drawn() -> None:
    drawn = ENGINES.complete(EngineWish(engine="diffusion", prompt="a boat"))
    chosen = ENGINES.complete(EngineWish(engine="diffusion", prompt="a boat", settings="seed = 7"))
    assert {sent(ENGINES.again(drawn))["seed"] for _ in range(5)} != {sent(drawn)["seed"]}
    assert ENGINES.again(chosen) == chosen


def test_sound_of_another_kind_is_refused() -> None:
    wish = EngineWish(engine="sadtalker", image=PICTURE, audio=replace(PICTURE, filename="song.ogg"))
    with pytest.raises(InvalidRequest, match=r"ends in \.wav"):
        ENGINES.complete(wish)


LARGE = SourceMedia(
    url="https://cdn.discordapp.com/a", filename="a", content_type="image/webp", size=7 << 20, width=4000, height=200
)


@pytest.mark.parametrize(
    ("fits", "told"),
    [
        pytest.param(True, ["smaller than the 256 pixels"], id="made-to-fit"),
        pytest.param(False, ["than the 256", "only take PNG and JPEG", "1024 pixels", "1024 KB"], id="as-it-is"),
    ],
)
def test_picture_that_does_not_fit_is_remarked_upon(fits: bool, told: list[str]) -> None:
    engines = Engines(Bundled(), fits_pictures=fits)
    remarks = engines.complete(EngineWish(engine="rembg", image=LARGE)).remarks
    assert [part in remark for part, remark in zip(told, remarks, strict=True)] == [True] * len(told)
    assert engines.complete(EngineWish(engine="rembg", image=PICTURE)).remarks == ()
    assert len(engines.paint(ImageWish(prompt="a sea", model="osais:diffusion", source=LARGE)).remarks) == len(told) - 1


def test_imagine_takes_the_nearest_shape_the_engine_has() -> None:
    wide = sent(ENGINES.paint(ImageWish(prompt="a sea", model="osais:diffusion", aspect=Aspect.WIDE)))
    square = sent(ENGINES.paint(ImageWish(prompt="a sea", model="osais:diffusion")))
    assert wide["width"] > wide["height"]
    assert (square["width"], square["height"]) == (512, 512)


# -- messages -----------------------------------------------------------------------------------------------------

REQUEST = EngineRequest(
    engine="diffusion", title="diffusion", prompt="*a boat*", expected=2, settings=(Setting(name="steps", value=20),)
)


def running(step: Step, **changes: Any) -> Job:
    stage = Stage.WAITING if step in {Step.SENT, Step.RECEIVED} else Stage.PROCESSING
    job = make_job(stage=Stage.WAITING, request=REQUEST, provider="osais")
    return replace(job, stage=stage, progress=Progress(stage=stage, step=step.value, heard_at=NOW, **changes))


def shown(job: Job) -> str:
    embed = render_job(job, NOW).embed
    assert embed is not None
    return "\n".join([embed.description, *(f"{field.name}: {field.value}" for field in embed.fields)])


def file(index: int, **changes: Any) -> EngineArtifact:
    artifact = EngineArtifact(index=index, remote_id=f"{index}", sha256=f"{index:064}", extension="png", size=2048)
    return replace(artifact, **changes)


@pytest.mark.parametrize(
    ("step", "finished", "told"),
    [
        pytest.param(Step.SENT, 0, "◉ Sent ─ ○ Received", id="sent"),
        pytest.param(Step.RECEIVED, 0, "◉ Received ─ ○ Started", id="received"),
        pytest.param(Step.STARTED, 0, "◉ Started ─ ○ Working", id="started"),
        pytest.param(Step.WORKING, 1, "◉ Working on file 2", id="working"),
        pytest.param(Step.FILE_DONE, 1, "◉ File 1 done", id="file-done"),
        pytest.param(Step.STOPPED, 1, "1 file here, waiting for the rest", id="stopped"),
        pytest.param(Step.FAILED, 0, "Stopped with an error", id="failed"),
    ],
)
def test_message_shows_the_services_own_stages(step: Step, finished: int, told: str) -> None:
    assert told in shown(running(step, finished=finished))


def test_trouble_has_one_sign() -> None:
    held = running(Step.WORKING).held("OSAIS isn't answering right now.", until=NOW, now=NOW)
    assert shown(held).count("⚠") == 1


def test_words_of_people_and_services_are_escaped() -> None:
    text = shown(running(Step.WORKING, note="[x](https://evil.test) @everyone"))
    assert r"\*a boat\*" in text
    assert "](https://" not in text.replace(r"\]", "")
    assert "@everyone" not in text


@pytest.mark.parametrize(
    ("result", "files", "told"),
    [
        pytest.param(Result(outcome=Outcome.FINISHED), 2, "✅ Done: 2 pictures.", id="finished"),
        pytest.param(Result(outcome=Outcome.PARTIAL, code="error"), 1, "with an error after 1 file", id="error-late"),
        pytest.param(Result(outcome=Outcome.FAILED, code="error"), 0, "error, and no file came of it", id="error"),
        pytest.param(Result(outcome=Outcome.FAILED, code="timeout"), 0, "Nothing more was heard", id="silence"),
        pytest.param(Result(outcome=Outcome.CANCELLED), 0, "Cancelled", id="cancelled"),
        pytest.param(Result(outcome=Outcome.REJECTED, code="no credit"), 0, "OSAIS says: no credit", id="refused"),
    ],
)
def test_every_end_has_its_sentence(result: Result, files: int, told: str) -> None:
    job = running(Step.STOPPED).with_artifacts(*(file(index) for index in range(files))).concluded(result, NOW)
    assert told in shown(job)
    assert len(render_job(job, NOW).files) == files
    assert "diffusion" in str(render_details(job).embed)


def test_more_files_than_a_message_holds_follow_in_a_second_one() -> None:
    many = running(Step.STOPPED).with_artifacts(*(file(index) for index in range(14)))
    rendered = render_job(many.concluded(Result(outcome=Outcome.FINISHED), NOW), NOW)
    assert (len(rendered.files), len(rendered.more_files)) == (10, 4)


def test_late_file_reopens_the_reply_and_changes_the_end() -> None:
    job = running(Step.STOPPED).concluded(Result(outcome=Outcome.FAILED, code="no-file"), NOW).delivered(NOW)
    more = extended(job, file(0), now=NOW)
    assert (more.stage, more.result, more.delivered_at) == (
        Stage.DELIVERING,
        Result(outcome=Outcome.FINISHED),
        None,
    )
    assert extended(more, file(0), now=NOW) is more
    assert extended(running(Step.WORKING), file(0), now=NOW).result is None


def test_file_that_was_given_up_and_comes_late_is_not_missed_any_more() -> None:
    given_up = file(1, remote_id="https://x.test/b.png", name="b.png", sha256="", unreadable=True)
    job = running(Step.STOPPED).with_artifacts(file(0, name="a.png"), given_up)
    job = job.concluded(conclude(job), NOW).delivered(NOW)
    assert "could not be fetched" in shown(job)
    more = extended(job, file(2, name="b.png"), now=NOW)
    assert more.result == Result(outcome=Outcome.FINISHED)
    assert "could not be fetched" not in f"{shown(more)}{render_details(more).embed}"
    failed = replace(running(Step.FAILED), artifacts=(given_up,))
    assert "What it had made could not be fetched" in shown(failed.concluded(conclude(failed), NOW))


# -- files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "media_type", "size"),
    [
        pytest.param(picture(size=(40, 30)), "image/png", (40, 30), id="png"),
        pytest.param(picture(size=(40, 30), kind="JPEG"), "image/jpeg", (40, 30), id="jpeg"),
        pytest.param(picture(size=(40, 30), kind="GIF"), "image/gif", (40, 30), id="gif"),
        pytest.param(picture(size=(40, 30), kind="WEBP"), "image/webp", (40, 30), id="webp"),
        pytest.param(picture(size=(40, 30), kind="WEBP", mode="RGBA"), "image/webp", (40, 30), id="webp-see-through"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", "audio/wav", (0, 0), id="wav"),
        pytest.param(b"\0\0\0\x20ftypisom", "video/mp4", (0, 0), id="mp4"),
        pytest.param(b"\x1aE\xdf\xa3 webm", "video/webm", (0, 0), id="webm"),
        pytest.param(b"ID3\x04", "audio/mpeg", (0, 0), id="mp3"),
    ],
)
def test_file_is_known_by_its_first_bytes(data: bytes, media_type: str, size: tuple[int, int]) -> None:
    found = sniff(data)
    assert found is not None
    assert (found.media_type, (found.width, found.height)) == (media_type, size)


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"<svg xmlns=''/>", b"<!doctype html>", b"\0\0\0\x20ftypheic", b"RIFF", b"\xff\xd8\xff"]
)
def test_strange_or_cut_files_do_no_harm(data: bytes) -> None:
    found = sniff(data)
    assert found is None or (found.width, found.height) == (0, 0)


def test_picture_is_made_to_fit_what_engines_take() -> None:
    small = picture(size=(300, 300))
    assert fitted(small) == (small, "image/png")
    data, media_type = fitted(picture(size=(2000, 1000), kind="WEBP"))
    found = sniff(data)
    assert found is not None
    assert media_type == found.media_type == "image/png"
    assert (found.width, found.height) == (1024, 512)
    assert fitted(picture(size=(1000, 1000)), most_bytes=4000)[1] == "image/jpeg"
