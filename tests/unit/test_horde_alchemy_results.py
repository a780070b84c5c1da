"""What alchemists send, taken or refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alchemy import DESCRIBING, Form
from bot.errors import ProtocolError
from bot.providers.horde.alchemy_results import MAX_SVG, MAX_TOLD, drawing_of, drawing_size, link_of, told_of

RECORDED = Path(__file__).parents[1] / "data" / "horde" / "alchemy" / "alchemy-status-done-many.json"
SHAPES = '<rect x="0" y="0" width="20" height="100" fill="#297dc7"/>'

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def drawing(inside: str = SHAPES, root: str = 'viewBox="0 0 100 100"') -> dict[str, str]:
    return {"vectorize": f'<svg xmlns="http://www.w3.org/2000/svg" {root}>{inside}</svg>'}


def nested(depth: int) -> list[Any]:
    value: list[Any] = ["deep"]
    for _ in range(depth):
        value = [value]
    return value


def test_recorded_results_are_taken() -> None:
    for row in json.loads(RECORDED.read_text())["response"]["body"]["forms"]:
        form, result = Form(row["form"]), row["result"]
        if form is Form.VECTORIZE:
            assert drawing_of(form, result).decode() == result["vectorize"]
        elif form in DESCRIBING:
            assert json.loads(told_of(form, result)) == result[row["form"]]
        else:
            assert link_of(form, result) == result[row["form"]]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        pytest.param(Form.NSFW, False, id="false"),
        pytest.param(Form.AESTHETIC, 0, id="zero"),
        pytest.param(Form.PALETTE, ["#ffffff"], id="list"),
        pytest.param(Form.PALETTE, {"#ffffff": 0.5}, id="object"),
        pytest.param(Form.AESTHETIC, "7.5", id="number-as-text"),
        pytest.param(Form.DESCRIBE, {"long": ["a", "b"]}, id="odd-but-readable"),
    ],
)
def test_free_results_are_taken_as_they_are(form: Form, value: object) -> None:
    assert json.loads(told_of(form, {form.value: value})) == value


@pytest.mark.parametrize(
    ("form", "result"),
    [
        pytest.param(Form.CAPTION, None, id="no-result"),
        pytest.param(Form.CAPTION, "a cat", id="not-an-object"),
        pytest.param(Form.CAPTION, {"nsfw": True}, id="another-form"),
        pytest.param(Form.CAPTION, {"caption": ""}, id="empty"),
        pytest.param(Form.CAPTION, {"caption": ["a cat"]}, id="caption-list"),
        pytest.param(Form.NSFW, {"nsfw": 1}, id="nsfw-number"),
        pytest.param(Form.TAGS, {"interrogation": ["rain"]}, id="tags-list"),
        pytest.param(Form.AESTHETIC, {"aesthetic": math.nan}, id="not-a-number"),
        pytest.param(Form.DESCRIBE, {"describe": "x" * MAX_TOLD}, id="too-long"),
        pytest.param(Form.DESCRIBE, {"describe": nested(5000)}, id="too-deep"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(form: Form, result: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        told_of(form, result)
    assert caught.value.user_message.startswith("What the worker sent")


@given(st.sampled_from(sorted(DESCRIBING)), anything)
def test_whatever_comes_is_text_that_can_be_kept_or_a_refusal(form: Form, value: Any) -> None:
    try:
        told = told_of(form, {form.value: value})
    except ProtocolError:
        return
    json.loads(told)
    assert len(told.encode()) <= MAX_TOLD


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("ftp://example.org/x", id="other-scheme"),
        pytest.param("data:image/png;base64,AAAA", id="data"),
        pytest.param(["https://example.org/x"], id="list"),
        pytest.param(None, id="null"),
    ],
)
def test_what_is_no_link_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError):
        link_of(Form.CUTOUT, {"strip_background": value})


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<script>alert(1)</script>", id="script"),
        pytest.param("< svg:script >x</svg:script>", id="script-with-a-prefix"),
        pytest.param("<ScRiPt href='#a'/>", id="script-in-odd-case"),
        pytest.param("<foreignObject><body/></foreignObject>", id="html-inside"),
        pytest.param('<rect onload="alert(1)"/>', id="handler"),
        pytest.param('<rect x="0"/onclick\n= "alert(1)"/>', id="handler-after-a-slash"),
        pytest.param('<image href="https://example.org/x.png"/>', id="picture-from-elsewhere"),
        pytest.param("<use xlink:href = '//example.org/x#y'/>", id="shape-from-elsewhere"),
        pytest.param('<a href="&#106;avascript:alert(1)"><rect/></a>', id="link-in-disguise"),
        pytest.param('<image href="data:image/svg+xml,x"/>', id="drawing-inside"),
        pytest.param('<rect fill="url(https://example.org/x)"/>', id="fill-from-elsewhere"),
        pytest.param("<style>@import 'https://example.org/x.css';</style>", id="style-from-elsewhere"),
        pytest.param('<set attributeName="href" to="x"/>', id="change-over-time"),
        pytest.param('<animateTransform attributeName="transform"/>', id="movement"),
        pytest.param('<rect fill="&#117;rl(https://example.org/x)"/>', id="fill-in-disguise"),
        pytest.param(r'<rect style="fill:\75rl(https://example.org/x)"/>', id="style-in-disguise"),
        pytest.param('<rect style="mask:image-set(&quot;https://example.org/x&quot; 1x)"/>', id="one-of-several"),
        pytest.param('<h:img xmlns:h="http://www.w3.org/1999/xhtml" srcset="//example.org"/>', id="html-picture"),
        pytest.param('<h:meta http-equiv="refresh" content="0;URL=https://example.org"/>', id="html-redirect"),
        pytest.param('<g-video poster="https://example.org/x"/>', id="nearly-a-shape"),
        pytest.param('<g xml:base="https://example.org/"><use href="#x"/></g>', id="another-base"),
    ],
)
def test_drawing_that_does_more_than_show_is_refused(inside: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        drawing_of(Form.VECTORIZE, drawing(inside))
    assert "more than shapes" in caught.value.user_message


def test_drawing_with_entities_is_refused() -> None:
    text = '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg viewBox="0 0 1 1">&a;</svg>'
    with pytest.raises(ProtocolError):
        drawing_of(Form.VECTORIZE, {"vectorize": text})


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param(SHAPES, id="shapes"),
        pytest.param('<path d="M0 0h1v1z" fill="url(#paint)"/><use href="#shape"/>', id="references-inside"),
        pytest.param('<g transform="translate(1,2)"><title>one = two</title></g>', id="group"),
        pytest.param('<image href="data:image/png;base64,AAAA"/>', id="pixels-inside"),
        pytest.param("<metadata>a &amp; b</metadata><!-- traced --><linearGradient id='a'/>", id="all-else"),
    ],
)
def test_drawing_of_shapes_is_taken(inside: str) -> None:
    sent = drawing(inside)
    assert drawing_of(Form.VECTORIZE, sent).decode() == sent["vectorize"]


def test_drawing_with_the_preamble_of_a_tracer_is_taken() -> None:
    dtd = '"-//W3C//DTD SVG 20010904//EN" "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd"'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE svg PUBLIC {dtd}>\n<svg viewBox="0 0 1 1">{SHAPES}</svg>'
    assert drawing_of(Form.VECTORIZE, {"vectorize": text}).decode() == text
    with pytest.raises(ProtocolError):
        drawing_of(Form.VECTORIZE, {"vectorize": text.replace("UTF-8", "Shift_JIS")})


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("no drawing", id="text"),
        pytest.param(7, id="number"),
        pytest.param(" " * 5000 + "<svg></svg>", id="begins-late"),
        pytest.param("<svg>" + " " * MAX_SVG + "</svg>", id="too-large"),
    ],
)
def test_what_is_no_drawing_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError):
        drawing_of(Form.VECTORIZE, {"vectorize": value})


@pytest.mark.parametrize(
    ("root", "size"),
    [
        pytest.param('width="96" height="64" viewBox="0 0 32 32"', (96, 64), id="sides"),
        pytest.param("width='96.5px' height='64px'", (96, 64), id="sides-with-units"),
        pytest.param('viewBox="0 0 100.5, 80"', (100, 80), id="box"),
        pytest.param('width="100%" height="100%"', (0, 0), id="relative"),
        pytest.param('viewBox="' + "," * 3000 + '"', (0, 0), id="commas"),
        pytest.param("", (0, 0), id="nothing"),
    ],
)
def test_size_is_read_where_a_drawing_states_it(root: str, size: tuple[int, int]) -> None:
    assert drawing_size(drawing(root=root)["vectorize"].encode()) == size


@pytest.mark.parametrize(
    "filler",
    [
        pytest.param(" href=" + " " * 400_000, id="blanks"),
        pytest.param("<" * 1_400_000, id="angles"),
        pytest.param(" on" + "a" * 1_400_000, id="letters"),
        pytest.param("url(" * 200_000, id="brackets"),
    ],
)
def test_hostile_drawing_is_judged_in_no_time(filler: str) -> None:
    sent = f"<svg>{filler}</svg>"
    try:
        drawing_of(Form.VECTORIZE, {"vectorize": sent})
    except ProtocolError as error:
        assert "more than shapes" in error.user_message  # noqa: PT017 - either answer will do, but soon
