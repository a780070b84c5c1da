"""OSAIS's answers, whichever way they are written; calls and answers read numbers alike."""

from __future__ import annotations

import pytest

from bot.errors import ProtocolError
from bot.providers.osais.wire import Accepted, Checked, parse
from bot.web.bodies import Body
from bot.web.osais_calls import read_notice
from bot.web.refusals import Refused

#: What holds no files.
ODD: tuple[object, ...] = (None, True, 5, 1.5, "", "soon", "null", [], {})
ROW = {"filename": "https://opensourceais.com/a.png", "cycle": 0}


@pytest.mark.parametrize(
    ("response", "files"),
    [
        pytest.param([ROW, ROW], 2, id="list"),
        pytest.param(ROW, 1, id="one-alone"),
        pytest.param('[{"filename": "a.png"}]', 1, id="as-text"),
        pytest.param([ROW, None, 7, {"filename": 3}, {}], 1, id="odd-rows"),
        *(pytest.param(odd, 0, id=repr(odd)) for odd in ODD),
    ],
)
def test_files_of_a_check_are_read_whatever_holds_them(response: object, files: int) -> None:
    assert len(parse(Checked, {"response": response}).response) == files


@pytest.mark.parametrize(
    ("written", "uid"),
    [
        pytest.param(1678361974000, 1678361974000, id="number"),
        pytest.param(1678361974000.0, 1678361974000, id="fraction"),
        pytest.param(" 1678361974000.0 ", 1678361974000, id="fraction-as-text"),
        pytest.param("000123", 123, id="zeros-in-front"),
        *(pytest.param(odd, None, id=repr(odd)) for odd in (0, "0", -1, "1.5", "12a", True, None, 2**63, "٣")),
    ],
)
def test_calls_and_answers_read_the_same_number(written: object, uid: int | None) -> None:
    if uid is None:
        with pytest.raises(ProtocolError):
            parse(Accepted, {"uid": written})
        with pytest.raises(Refused):
            read_notice(Body(fields={"uid": written}))
    else:
        assert parse(Accepted, {"uid": written}).uid == str(uid)
        assert read_notice(Body(fields={"uid": written})).uid == uid
