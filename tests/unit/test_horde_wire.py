from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ProtocolError
from bot.providers.horde.wire import Accepted, ActiveModel, Check, Reference, Status, User, parse, parse_rows

RECORDINGS = Path(__file__).parents[1] / "data" / "horde"


def recorded(case: str) -> Any:
    """The body of a recorded answer."""
    return json.loads((RECORDINGS / f"{case}.json").read_text())["response"]["body"]


def cases(pattern: str, *, status: int) -> list[Any]:
    """Recordings by name whose answer has that status."""
    files = sorted(RECORDINGS.glob(pattern))
    good = [file for file in files if json.loads(file.read_text())["response"]["status"] == status]
    assert good
    return [pytest.param(file.stem, id=file.stem) for file in good]


@pytest.mark.parametrize("case", cases("image-async-*.json", status=202))
def test_every_recorded_acceptance_is_read(case: str) -> None:
    assert parse(Accepted, recorded(case)).id == recorded(case)["id"]


@pytest.mark.parametrize("case", cases("image-check-*.json", status=200))
def test_every_recorded_check_is_read(case: str) -> None:
    assert parse(Check, recorded(case)).finished == recorded(case)["finished"]


@pytest.mark.parametrize("case", cases("image-status-*.json", status=200) + cases("image-delete-*.json", status=200))
def test_every_recorded_status_is_read(case: str) -> None:
    status = parse(Status, recorded(case))
    assert [one.id for one in status.generations] == [one["id"] for one in recorded(case)["generations"]]


@pytest.mark.parametrize("case", cases("find-user-*.json", status=200))
def test_every_recorded_user_is_read(case: str) -> None:
    assert parse(User, recorded(case)).username == recorded(case)["username"]


def test_only_the_owner_is_told_the_list_of_requests() -> None:
    own = parse(User, recorded("find-user-ok")).active_generations
    assert own is not None
    assert own.image
    assert parse(User, recorded("find-user-shared-key")).active_generations is None


def test_recorded_models_are_read() -> None:
    rows = parse_rows(ActiveModel, recorded("status-models-image"))
    assert {row.name for row in rows} == {row["name"] for row in recorded("status-models-image")}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        pytest.param({"generations": None}, "generations", id="null-is-missing"),
        pytest.param({"finished": "many"}, "finished", id="wrong-type"),
        pytest.param({"generations": [{"img": "x"}]}, "generations.0.id", id="deep"),
    ],
)
def test_odd_answer_names_its_path(change: dict[str, Any], path: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse(Status, recorded("image-status-done-r2") | change)
    assert caught.value.path == path


@pytest.mark.parametrize(
    "data", [pytest.param(None, id="null"), pytest.param([], id="list"), pytest.param("x", id="text")]
)
def test_answer_of_another_shape_is_a_protocol_error(data: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(Check, data)


def test_odd_rows_are_left_out() -> None:
    assert [row.name for row in parse_rows(Reference, [{"name": "a", "style": None}, {"nsfw": True}, 3])] == ["a"]
    with pytest.raises(ProtocolError):
        parse_rows(Reference, {"message": "no"})
