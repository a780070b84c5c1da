"""Asking the simulator again what a real AI Horde server was asked: what the tests of all recordings share."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import aiohttp

from bot.clock import ManualClock
from bot.sandbox.horde import HordeSim

DATA = Path(__file__).parent.parent / "data" / "horde"
KEYS = {
    "<apikey of alice>": "-tess_trusted_key-0001",
    "<apikey of poor>": "petra-poor-key-0000001",
    "<apikey of worker>": "walt-worker-key-000001",
}
ALICE = KEYS["<apikey of alice>"]
STYLE = "8c6a76ad-aa91-4fc0-a1da-85c32bbef4b7"
#: Where the recorded server found the files that requests name by URL.
RECORDED_FILES = "http://127.0.0.1:17010"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

RequestT = TypeVar("RequestT")
StageT = TypeVar("StageT")
#: What has to have happened before the recorded request is sent.
Arrange = Callable[[StageT], Awaitable[None]]


def cases(folder: str = "") -> Mapping[str, Any]:
    """The recordings of a folder, by name."""
    paths = sorted((DATA / folder).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


@dataclass
class RecordingStage(Generic[RequestT]):
    """A simulator with one worker like the recorded one, its clock, and a client."""

    #: Where its requests lie, and seconds between two looks at one.
    service: ClassVar[str]
    step: ClassVar[float] = 0.25

    sim: HordeSim
    clock: ManualClock
    session: aiohttp.ClientSession
    url: str
    #: The case that is played.
    case: str = ""
    #: The request that was posted meanwhile, and what is fetched instead of the recorded address.
    id: str = ""
    link: str = ""

    async def request(self) -> RequestT:
        """The remembered request, as the simulator has it."""
        raise NotImplementedError

    def adapted(self, body: Any) -> Any:
        """A recorded body with this stage's ids and addresses in it."""
        return body

    async def order(self, payload: Mapping[str, Any], *, key: str = ALICE) -> None:
        """Post a request and remember its id; there is none where it is refused."""
        url, headers = f"{self.url}/api/v2/{self.service}/async", {"apikey": key, "Client-Agent": "arrange"}
        async with self.session.post(url, json=dict(payload), headers=headers) as answer:
            self.id = (await answer.json()).get("id", "")

    async def post(self, **changes: Any) -> None:
        """Order something usual, but for the changes."""
        raise NotImplementedError

    async def delete(self) -> None:
        """Cancel the remembered request."""
        async with self.session.delete(f"{self.url}/api/v2/{self.service}/status/{self.id}"):
            pass

    async def until(self, wanted: Callable[[RequestT], bool]) -> None:
        """Step the clock until the remembered request looks as wanted."""
        for _ in range(2000):
            if wanted(await self.request()):
                return
            await self.clock.advance(self.step)
        raise AssertionError("the request never looked as wanted")

    async def send(self, recorded: Mapping[str, Any]) -> tuple[int, Mapping[str, str], Any]:
        """Send a recorded request; returns status, headers and body: JSON or bytes."""
        path = UUID.sub(self.id, recorded["path"]) if self.id else recorded["path"]
        headers = {name: KEYS.get(value, value) for name, value in recorded["headers"].items()}
        body = self.adapted(recorded["body"])
        sent: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body}
        url = self.link or f"{self.url}/api/v2{path}"
        async with self.session.request(recorded["method"], url, headers=headers, **sent) as answer:
            got = await answer.json() if answer.content_type == "application/json" else await answer.read()
            return answer.status, answer.headers, got


AnyStageT = TypeVar("AnyStageT", bound=RecordingStage[Any])


def prepared(prepare: Callable[[HordeSim], object]) -> Arrange[RecordingStage[Any]]:
    """Do something to the simulator."""

    async def arrange(stage: RecordingStage[Any]) -> None:
        prepare(stage.sim)

    return arrange


def reached(
    wanted: Callable[[RequestT], bool], prepare: Callable[[HordeSim], object] = lambda _: None, **changes: Any
) -> Arrange[RecordingStage[RequestT]]:
    """Order something, and wait until it looks as wanted."""

    async def arrange(stage: RecordingStage[RequestT]) -> None:
        prepare(stage.sim)
        await stage.post(**changes)
        await stage.until(wanted)

    return arrange


def then_deleted(arrange: Arrange[AnyStageT]) -> Arrange[AnyStageT]:
    """Cancel what was ordered."""

    async def both(stage: AnyStageT) -> None:
        await arrange(stage)
        await stage.delete()

    return both


def add_style(sim: HordeSim) -> None:
    """Have the style that recorded requests name."""
    params = {"steps": 8, "sampler_name": "k_euler", "cfg_scale": 6.0, "height": 128, "width": 192}
    sim.add_style("sim-style", prompt="{p}, oil painting###{np}, photo", params=params, style_id=STYLE)


def kind_of(value: Any) -> str:
    """The type of what is neither object nor list, with all numbers alike."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return "number" if number else type(value).__name__


def assert_same_shape(got: Any, recorded: Any, where: str = "body") -> None:
    """Fail where keys or types differ; each entry of a list has to look like one of the recorded ones."""
    if isinstance(got, dict) and isinstance(recorded, dict):
        assert set(got) == set(recorded), where
        for key, member in got.items():
            assert_same_shape(member, recorded[key], f"{where}.{key}")
    elif isinstance(got, list) and isinstance(recorded, list):
        _assert_list_alike(got, recorded, where)
    else:
        assert kind_of(got) == kind_of(recorded), where


def _assert_list_alike(got: list[Any], recorded: list[Any], where: str) -> None:
    if not recorded:
        assert not got, where
    for index, member in enumerate(got):
        failures = []
        for model in recorded:
            try:
                assert_same_shape(member, model, f"{where}[{index}]")
                break
            except AssertionError as failure:
                failures.append(str(failure))
        else:
            raise AssertionError(failures)


#: Fields whose values, not only types, have to be the recorded ones.
_EXACT = ("finished", "processing", "restarted", "waiting", "done", "faulted", "is_possible", "shared", "rc", "errors")
_NUMBERS_THAT_VARY = re.compile(r"requires [\d.]+ kudos|for \d+ more seconds")


def _plain(message: str) -> str:
    return _NUMBERS_THAT_VARY.sub("~", UUID.sub("<id>", message))


def assert_same_values(got: Any, recorded: Any) -> None:
    """Fail where a value differs that does not depend on when and where it was recorded."""
    if not (isinstance(got, dict) and isinstance(recorded, dict)):
        return
    for name in _EXACT:
        assert got.get(name) == recorded.get(name), name
    if isinstance(recorded.get("message"), str):
        assert _plain(got["message"]) == _plain(recorded["message"])
    if "warnings" in recorded:
        assert sorted(map(json.dumps, got["warnings"])) == sorted(map(json.dumps, recorded["warnings"]))
    pairs = (got.get("generations", []), recorded.get("generations", []))
    assert len(pairs[0]) == len(pairs[1])
    key: Callable[[Any], str] = lambda one: json.dumps(one["gen_metadata"])  # noqa: E731
    for mine, theirs in zip(sorted(pairs[0], key=key), sorted(pairs[1], key=key), strict=True):
        for name in ("censored", "state", "gen_metadata", "model"):
            assert mine[name] == theirs[name], name


def assert_same_headers(got: Mapping[str, str], recorded: Mapping[str, str]) -> None:
    """Fail where a header is missing, or what is in the body or the limit differs."""
    assert {name for name in recorded if name not in got} == set()
    assert got["Content-Type"] == recorded["content-type"]
    limit = recorded.get("x-ratelimit-limit")
    if limit is not None:
        # 10 on async is an address that a trusted user has posted from that day.
        assert got["X-RateLimit-Limit"] in ({"2", "10"} if limit in {"2", "10"} else {limit})
