"""Reading calls: whatever comes, there is a call or a refusal, and a file's name and type are never believed."""

from __future__ import annotations

import base64
import contextlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.callbacks import Notice, Upload
from bot.web.bodies import Body, FilePart, read_body
from bot.web.horde_hooks import read_hint
from bot.web.osais_calls import Call, read_notice, read_upload, token_of
from bot.web.refusals import Refused
from bot.web.sniffing import check_makes, media_type_of

UID = 1_678_361_974_000
JSON = "application/json"


def png(width: int = 2, height: int = 2, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("1" if kind == "PNG" else "RGB", (width, height)).save(file, kind)
    return file.getvalue()


def refused(body: Body) -> int:
    with pytest.raises(Refused) as caught:
        read_upload(body)
    return caught.value.status


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        pytest.param({"uid": UID, "stage": 2, "descr": "AI started"}, JSON, id="json"),
        pytest.param({"uid": str(UID), "stage": " 2", "descr": "AI started"}, "", id="strings-untyped"),
        pytest.param({"uid": f"{UID}.0", "stage": "2.0", "descr": "AI started"}, JSON, id="fractions-as-text"),
        pytest.param({"response": {"uid": UID, "stage": 2.0, "descr": "AI started"}}, "text/plain", id="wrapped"),
        pytest.param(b"uid=1678361974000&stage=2&descr=AI+started", "application/x-www-form-urlencoded", id="form"),
    ],
)
def test_notice_is_read_from_every_encoding(content: object, content_type: str) -> None:
    body = read_body(content if isinstance(content, bytes) else json.dumps(content).encode(), content_type)
    assert read_notice(body) == Call(uid=UID, said=Notice(stage=2, description="AI started"))


def test_odd_fields_of_a_notice_mean_nothing() -> None:
    fields = {"uid": UID, "stage": "soon", "cycle": -3, "filename": False, "engine": ["x"], "descr": {"a": 1}, "x": 1}
    assert read_notice(Body(fields=fields)).said == Notice(stage=0)


@pytest.mark.parametrize("uid", [None, True, "", "1e3", "abc", 0, -5, 1.5, 2**63, "9" * 30, [1]], ids=str)
def test_call_that_names_no_request_is_refused(uid: object) -> None:
    with pytest.raises(Refused, match="uid"):
        read_notice(Body(fields={"uid": uid}))


def test_text_of_a_stranger_is_cut_and_flattened() -> None:
    said = read_notice(
        Body(fields={"uid": UID, "descr": "a\x00b\n\u202ec" + "x" * 900, "filename": "../../etc/pass\x7fwd"})
    ).said
    assert isinstance(said, Notice)
    assert said.description.startswith("a b  cxx")
    assert len(said.description) == 500
    assert said.filename == "pass wd"


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        pytest.param("../../../etc/passwd", "passwd", id="unix-path"),
        pytest.param("C:\\windows\\system32\\a.png", "a.png", id="windows-path"),
        pytest.param("....//..\\.htaccess", "htaccess", id="dots"),
        pytest.param("x" * 300 + ".png", "x" * 100, id="long"),
        pytest.param("a\u202egnp.exe", "a gnp.exe", id="right-to-left"),
    ],
)
def test_names_of_files_are_only_for_display(given_name: str, shown: str) -> None:
    call = read_upload(Body(fields={"uid": UID}, files=(FilePart(filename=given_name, data=png()),)))
    assert isinstance(call.said, Upload)
    assert (call.said.name, call.said.media_type) == (shown, "image/png")


@pytest.mark.parametrize("fields", [{}, {"uid": None}, {"uid": " "}, {"uid": "null"}], ids=str)
def test_uid_may_stand_in_the_files_name(fields: dict[str, object]) -> None:
    assert read_upload(Body(fields=fields, files=(FilePart(filename=f"{UID}_0334.png", data=png()),))).uid == UID
    assert refused(Body(fields={"uid": "soon"}, files=(FilePart(filename=f"{UID}.png", data=png()),))) == 400


@pytest.mark.parametrize(
    "wrapped",
    [
        pytest.param({"image": "IMAGE", "uid": None}, id="beside"),
        pytest.param([{"image": "IMAGE"}], id="in-a-list"),
        pytest.param('{"image": "IMAGE"}', id="as-text"),
    ],
)
def test_what_stands_beside_a_wrapper_counts_too(wrapped: object) -> None:
    body = json.dumps({"uid": UID, "token": "other", "response": wrapped})
    read = read_body(body.replace("IMAGE", base64.b64encode(png()).decode()).encode(), JSON)
    assert read_upload(read).uid == UID
    with pytest.raises(Refused):
        token_of(read, "ours")


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_file_in_base64(prefix: str) -> None:
    packed = prefix + base64.b64encode(png()).decode()
    assert read_upload(read_body(json.dumps({"response": {"uid": UID, "image": packed}}).encode(), JSON)).data == png()


def test_uploads_without_exactly_one_file_are_refused() -> None:
    file = FilePart(filename="a.png", data=png())
    assert refused(Body(fields={"uid": UID}, files=(file, file))) == 400
    assert refused(Body(fields={"uid": UID})) == 400
    assert refused(Body(fields={"uid": UID, "image": "no base64!"})) == 400


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="svg-as-png"),
        pytest.param(b"<!doctype html><script>alert(1)</script>", id="html-as-png"),
        pytest.param(b"\x89PNG\r\n\x1a\n<html>", id="html-behind-a-png-head"),
        pytest.param(b"MZ\x90\x00", id="program"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\x00\x00\x00\x18ftypavif" + bytes(20), id="avif"),
        pytest.param(png(8193, 1), id="too-wide"),
        pytest.param(png(8000, 7000), id="too-many-pixels"),
        pytest.param(png()[:12], id="cut-head"),
    ],
)
def test_what_no_engine_should_send_is_refused(data: bytes) -> None:
    assert refused(Body(fields={"uid": UID}, files=(FilePart(filename="a.png", data=data),))) == 415


@pytest.mark.parametrize(
    ("engine", "media_type"),
    [
        pytest.param("diffusion", "video/mp4", id="film-by-a-painter"),
        pytest.param("coquitts", "image/png", id="picture-by-a-speaker"),
        pytest.param("sadtalker", "audio/wav", id="sound-by-a-film-maker"),
    ],
)
def test_what_an_engine_does_not_make_is_refused(engine: str, media_type: str) -> None:
    with pytest.raises(Refused) as caught:
        check_makes(engine, media_type)
    assert caught.value.status == 415
    check_makes("vtoonify", "video/mp4")
    check_makes("an engine of tomorrow", media_type)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        pytest.param(png(kind="JPEG"), "image/jpeg", id="jpeg"),
        pytest.param(png(kind="WEBP"), "image/webp", id="webp"),
        pytest.param(png(kind="GIF"), "image/gif", id="gif"),
        pytest.param(b"\x00\x00\x00\x18ftypisom" + bytes(20), "video/mp4", id="mp4"),
        pytest.param(b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm", id="webm"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav", id="wav"),
        pytest.param(b"ID3\x04", "audio/mpeg", id="mp3"),
        pytest.param(b"\xff\xfb\x90\x00", "audio/mpeg", id="mp3-without-tags"),
    ],
)
def test_files_are_known_by_their_bytes(data: bytes, media_type: str) -> None:
    assert media_type_of(data) == media_type


def test_multipart_that_is_cut_anywhere_is_refused() -> None:
    head = b'--xyz\r\nContent-Disposition: form-data; name="uid"\r\n\r\n1678361974000\r\n'
    whole = (
        head
        + b'--xyz\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n'
        + png()
        + b"\r\n--xyz--\r\n"
    )
    kind = "multipart/form-data; boundary=xyz"
    assert read_upload(read_body(whole, kind)).data == png()
    for end in range(len(whole) - len(b"--\r\n")):
        with pytest.raises(Refused):
            read_upload(read_body(whole[:end], kind))


def test_input_of_a_form_in_which_no_file_was_chosen_does_not_count() -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="'
    chosen = head + f'a"; filename="{UID}_1.png"\r\n\r\n'.encode() + png() + b"\r\n"
    empty = head + b'b"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    body = read_body(chosen + empty + b"--x--", "multipart/form-data; boundary=x")
    assert read_upload(body).uid == UID


@pytest.mark.parametrize(
    ("request_id", "taken"),
    [
        pytest.param("d9082790-05a0-45e0-9c25-3a116eebc438", True, id="uuid"),
        pytest.param("d908279005a045e09c253a116eebc438_7", True, id="of-another-form"),
        *(pytest.param(odd, False, id=repr(odd)) for odd in ("", "a/b", "..", "a?b", "é", "x" * 65, 7, None)),
    ],
)
def test_webhook_names_a_request_by_one_short_word(request_id: object, taken: bool) -> None:
    with contextlib.nullcontext() if taken else pytest.raises(Refused):
        assert read_hint(json.dumps({"request": request_id, "id": "a-part"}).encode()).request == request_id


def test_tokens_are_echoed_or_ours_and_never_somebody_elses() -> None:
    for none in (None, "", "0", " 0", 0, 0.0, False, "null", "undefined", "ours"):
        assert token_of(Body(fields={"token": none}), "ours") == "ours"
    assert token_of(Body(fields={}), "ours") == "ours"
    for wrong in ("other", "ours ", True, ["ours"], "\udcff"):
        with pytest.raises(Refused) as caught:
            token_of(Body(fields={"token": wrong}), "ours")
        assert caught.value.status == 403
        assert str(wrong) not in caught.value.detail


_TYPES = st.one_of(
    st.sampled_from([JSON, "", "text/html", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]),
    st.text(max_size=60),
)
_PIECES = st.sampled_from(
    [b"--x", b"--x--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="uid"', b"filename*=odd''%ff", b"{",
     b'"uid":1', b"uid=1&", b"\xff", b"\x00", b"[" * 50, b"}", b"; filename=a.png", b"1" * 40]
)  # fmt: skip
_CONTENTS = st.one_of(st.binary(max_size=200), st.lists(_PIECES, max_size=12).map(b"".join))


@settings(max_examples=300, deadline=None)
@given(content=_CONTENTS, content_type=_TYPES)
def test_whatever_is_sent_is_read_or_refused(content: bytes, content_type: str) -> None:
    for read in (read_notice, read_upload):
        with contextlib.suppress(Refused):
            body = read_body(content, content_type)
            token_of(body, "ours")
            assert read(body).uid > 0
    with contextlib.suppress(Refused):
        assert read_hint(content).request
