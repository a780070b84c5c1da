"""Scenarios about how calls are written: encodings, names of parts, tokens, fields, bodies in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.sandbox.osais.plays import Expected, Naming, Notify, Step, Upload
from bot.sandbox.osais.scenarios.base import (
    Change,
    Scenario,
    each,
    each_call,
    is_stage,
    preceded,
    set_to,
    uploads,
    written,
)
from bot.sandbox.osais.wire import Damage, NotifyEncoding, TokenSent, UploadEncoding

_BAD_REQUEST = Expected(refusals=frozenset({400}))
#: Everything that could do harm if it were believed, in the two free texts of a notification.
HOSTILE_TEXT = "@everyone **bold** <@&1> [click](https://evil.test) ` ||\n# heading\u202e" + "x" * 300
HOSTILE_NAME = "../../../etc/passwd\\..\\\u202egnp.exe"


def _with(change: dict[str, object]) -> Change:
    """Change fields of notifications only."""
    return written(fields=change)


def _bad_types(step: Step) -> Iterable[Step]:
    """Before the notification of stage 2, the same with values of the wrong types, none of which may be believed."""
    if is_stage(step, 2) and isinstance(step, Notify):
        for uid in (None, "soon", True, {"a": 1}, [1], 1.5, ""):
            yield Notify(stage=-1, descr="forged", fields={"uid": uid}, expected=_BAD_REQUEST)
        yield Notify(stage=-1, descr="forged", omit=frozenset({"uid"}), expected=_BAD_REQUEST)
    yield step


def _odd_types(step: Step) -> Iterable[Step]:
    """Values of odd types where no harm is done by taking them for absent."""
    if not isinstance(step, Notify):
        return [step]
    odd = {"cycle": None, "engine": None, "filename": None, "cost": "3.2", "qty": None, "username": False}
    return [replace(step, fields={**step.fields, **odd})]


def _hostile(step: Step) -> Iterable[Step]:
    match step:
        case Notify():
            # The documented words stay in front, for whoever reads a failure from them.
            yield replace(step, descr=f"{step.descr} {HOSTILE_TEXT}", fields={"filename": HOSTILE_NAME})
        case Upload():
            yield replace(step, name=HOSTILE_NAME)
        case _:
            yield step


WRITING = (
    Scenario(name="json-numbers", summary="flat JSON with numbers (the usual way)"),
    Scenario(
        name="json-strings", summary="flat JSON, numbers as strings", change=written(notify=NotifyEncoding.JSON_STRINGS)
    ),
    Scenario(
        name="json-response", summary="JSON below `response`", change=written(notify=NotifyEncoding.JSON_RESPONSE)
    ),
    Scenario(
        name="json-untyped", summary="JSON without a content type", change=written(notify=NotifyEncoding.JSON_UNTYPED)
    ),
    Scenario(name="urlencoded", summary="notifications as a form", change=written(notify=NotifyEncoding.URLENCODED)),
    Scenario(
        name="multipart-notify",
        summary="notifications as multipart without a file",
        change=written(notify=NotifyEncoding.MULTIPART),
    ),
    Scenario(name="part-image", summary="the file part is called image", change=written(part_name="image")),
    Scenario(name="part-upload", summary="the file part is called upload", change=written(part_name="upload")),
    Scenario(name="part-anything", summary="the file part is called ai[0]", change=written(part_name="ai[0]")),
    Scenario(
        name="part-type-wrong", summary="the file part calls itself text/html", change=written(part_type="text/html")
    ),
    Scenario(name="text-after-file", summary="text parts follow the file", change=written(text_after_file=True)),
    Scenario(name="upload-base64", summary="uploads as JSON with base64", change=written(upload=UploadEncoding.BASE64)),
    Scenario(
        name="upload-base64-file",
        summary="the same, called file instead of image",
        change=written(upload=UploadEncoding.BASE64_FILE),
    ),
    Scenario(
        name="upload-base64-response",
        summary="the same below `response`",
        change=written(upload=UploadEncoding.BASE64_RESPONSE),
    ),
    Scenario(
        name="upload-data-url",
        summary="uploads as JSON with a data URL",
        change=written(upload=UploadEncoding.DATA_URL),
    ),
    Scenario(
        name="upload-without-token",
        summary="uploads carry no token",
        change=written(upload_token=TokenSent.ABSENT),
    ),
    Scenario(
        name="tokens-absent",
        summary="no call carries a token",
        change=written(upload_token=TokenSent.ABSENT, notify_token=TokenSent.ABSENT),
    ),
    Scenario(
        name="token-zero",
        summary='calls carry the token "0"',
        change=written(upload_token=TokenSent.ZERO, notify_token=TokenSent.ZERO),
    ),
    Scenario(
        name="uid-in-filename",
        summary="uploads carry no text but the file's name",
        change=written(omit_upload=frozenset({"uid", "token", "cycle", "engine"})),
    ),
    Scenario(
        name="double-extension", summary="names like 1_.jpg_0334.png", change=set_to(naming=Naming.DOUBLE_EXTENSION)
    ),
    Scenario(
        name="s3-names",
        summary="stage 4 names the file as s3://osais/output/...",
        change=each(
            lambda step: [
                replace(step, prefix="s3://osais/output/") if isinstance(step, Notify) and step.stage == 4 else step
            ]
        ),
    ),
    Scenario(
        name="fields-missing",
        summary="nothing but uid, stage and token",
        change=written(omit=frozenset({"cycle", "engine", "username", "filename", "descr", "cost", "qty"})),
    ),
    Scenario(name="fields-extra", summary="fields nobody knows", change=_with({"mood": "fine", "nested": {"a": [1]}})),
    Scenario(name="filename-false", summary="filename is false", change=_with({"filename": False})),
    Scenario(name="engine-other", summary="another engine is named", change=_with({"engine": "vqgan"})),
    Scenario(name="cost-seconds", summary="cost in seconds, as a fraction", change=_with({"cost": 4.21})),
    Scenario(name="odd-types", summary="null and false for optional fields", change=each(_odd_types)),
    Scenario(name="wrong-types", summary="forged calls whose uid is none: 400", change=each(_bad_types)),
    Scenario(name="hostile-text", summary="markdown, mentions and paths in every text", change=each_call(_hostile)),
    Scenario(name="double-slash", summary="a slash too many in the address", change=written(slashes="//")),
    Scenario(name="in-pieces", summary="bodies in pieces of unknown length", change=written(damage=Damage.PIECES)),
    Scenario(
        name="truncated-first",
        summary="each upload is first sent truncated (400), then whole",
        change=preceded(Upload, wire={"damage": Damage.TRUNCATED}, expected=_BAD_REQUEST),
    ),
    Scenario(
        name="connection-lost",
        summary="each upload first dies on the way, then is sent whole",
        change=preceded(Upload, wire={"damage": Damage.CUT}),
    ),
    Scenario(
        name="two-files-in-one",
        summary="each upload carries two files: 400, nothing stored",
        change=lambda play: written(second_file=True)(uploads(expected=_BAD_REQUEST)(play)),
    ),
)
