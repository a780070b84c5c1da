from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Busy, InvalidRequest, ProtocolError, ProviderError, Unavailable
from bot.providers.horde import HordeTextClient, TextCatalogue
from bot.providers.horde.rows import RowReader
from bot.providers.horde.text_catalogue import REFERENCE_EVERY, bundled_reference
from bot.providers.horde.text_models import NEVER
from tests.unit.horde_lists import (
    MODELS,
    WORKERS,
    Lists,
    actions,
    assert_reference_is_asked_for_rarely,
    open_lists,
)

RECORDED = Path(__file__).parents[1] / "data" / "horde"
STHENO = ("koboldcpp/L3-8B-Stheno-v3.2", "aphrodite/Sao10K/L3-8B-Stheno-v3.2", "koboldcpp/L3-8B-Stheno-v3.2-Q4_K_M")


class Horde:
    """The lists, and what reads them."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.clock = lists.clock
        self.client = HordeTextClient(lists.calls, lists.session, lists.clock, reference_url=lists.reference_url)
        self.catalogue = TextCatalogue(self.client, lists.clock)


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    async with open_lists("text") as lists:
        yield Horde(lists)


def served(*names: str, count: int = 1, eta: float = 5) -> list[dict[str, Any]]:
    return [{"name": name, "count": count, "eta": eta, "type": "text"} for name in names]


def worker(*models: str, length: int = 512, context: int = 8192, **changes: Any) -> dict[str, Any]:
    row = {
        "name": "w",
        "type": "text",
        "models": list(models),
        "max_length": length,
        "max_context_length": context,
        "online": True,
        "maintenance_mode": False,
        "trusted": True,
    }
    return row | changes


async def test_nothing_is_known_before_the_first_list(horde: Horde) -> None:
    assert not horde.catalogue.live
    assert not horde.catalogue.models()
    assert horde.catalogue.choose() is None
    assert len(bundled_reference()) > 700


async def test_names_of_one_model_are_one_model(horde: Horde) -> None:
    horde.lists.served = [*served(*STHENO, count=2), *served("koboldcpp/Cydonia-24B-v4.3")]
    horde.lists.served[1]["count"] = 5
    horde.lists.workers = [worker(name, length=100 * n) for n, name in enumerate(STHENO, start=1)]
    await horde.catalogue.refresh()
    stheno, cydonia = horde.catalogue.models()
    assert (stheno.name, set(stheno.aliases)) == (STHENO[1], {STHENO[0], STHENO[2]})
    assert (stheno.title, stheno.workers, stheno.size, len(stheno.limits)) == ("L3-8B-Stheno-v3.2", 9, "8B", 3)
    assert (stheno.chosen.template.name, cydonia.chosen.template.name) == ("llama3", "mistral_v7_tekken")
    assert horde.catalogue.live


async def test_limits_count_workers_that_could_take_a_request(horde: Horde) -> None:
    name = "koboldcpp/Qwen3-8B"
    horde.lists.served = served(name)
    horde.lists.workers = [
        worker(name, length=512),
        worker(name, length=1024, context=16_384),
        worker(name, length=4096, maintenance_mode=True),
        worker(name, length=4096, online=False),
        worker(name, length=128, trusted=False),
        worker("koboldcpp/Other", length=4096),
        {"odd": "row"},
    ]
    await horde.catalogue.refresh()
    model = horde.catalogue.info(name)
    assert [one.max_length for one in model.limits] == [512, 1024, 128]
    assert (model.clamp(2048).max_length, model.clamp(2048).max_context) == (512, 8192)
    assert len(model.voice(trusted=True).workers) == 2


async def test_reference_that_is_read_replaces_the_bundled_one(horde: Horde) -> None:
    horde.lists.served = served("koboldcpp/Muse-12B")
    horde.lists.reference = {
        "koboldcpp/Muse-12B": {
            "parameters": 12e9,
            "instruct_format": "Metharme",
            "nsfw": True,
            "tags": ["Popular", 7],
            "settings": {"temperature": 0.9, "sampler_order": [1, 2]},
            "style": "Chat",
            "baseline": None,
        }
    }
    await horde.catalogue.refresh()
    (model,) = horde.catalogue.models()
    assert (model.chosen.template.name, model.nsfw, model.tags) == ("metharme", True, ("popular",))
    assert (model.settings, model.style, model.size) == ((("temperature", 0.9),), "chat", "12B")


async def test_reference_is_asked_for_rarely(horde: Horde) -> None:
    await assert_reference_is_asked_for_rarely(horde.lists, horde.catalogue, every=REFERENCE_EVERY)


async def test_lists_stay_while_the_horde_is_down_and_that_is_logged_once(
    horde: Horde, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot.providers.horde.text_catalogue")
    horde.lists.served, horde.lists.workers = served("koboldcpp/Qwen3-8B"), [worker("koboldcpp/Qwen3-8B")]
    await horde.catalogue.refresh()
    horde.lists.refused = {MODELS: 401, WORKERS: 503}
    for _ in range(3):
        await horde.catalogue.refresh()
    (model,) = horde.catalogue.models()
    assert len(model.limits) == 1
    horde.lists.refused = {}
    await horde.catalogue.refresh()
    assert actions(caplog) == ["catalogue.down"] * 2 + ["catalogue.up"] * 2


async def test_operator_decides_about_template_and_favourites(horde: Horde) -> None:
    horde.lists.served = served("koboldcpp/Cydonia-24B-v4.3", "koboldcpp/Qwen3-8B")
    catalogue = TextCatalogue(
        horde.client, horde.clock, overrides={"Cydonia-24B-v4.3": "metharme"}, pinned=["Gone-7B", "qwen3-8b"]
    )
    await catalogue.refresh()
    assert catalogue.find("Cydonia-24B-v4.3").chosen.template.name == "metharme"
    chosen = catalogue.choose()
    assert chosen is not None
    assert chosen.title == "Qwen3-8B"


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        pytest.param(
            [*served("a/Qwen2.5-7B-Instruct", count=3), *served("a/Cydonia-24B-v4.3", count=3)],
            "Cydonia-24B-v4.3",
            id="larger",
        ),
        pytest.param(
            [*served("a/Qwen2.5-7B-Instruct"), *served("a/Cydonia-24B-v4.3", eta=300)],
            "Qwen2.5-7B-Instruct",
            id="not-for-minutes",
        ),
        pytest.param(
            [*served("a/gemma-3-12b-it", count=3), *served("a/pythia-12b", "a/gemma-3-27b-pt", count=9)],
            "gemma-3-12b-it",
            id="no-base-models",
        ),
        pytest.param(
            [*served("a/Llama-3.2-3B-Instruct", count=9), *served("a/Qwen2.5-7B-Instruct")],
            "Qwen2.5-7B-Instruct",
            id="none-too-small",
        ),
        pytest.param(served("a/Llama-3.2-3B-Instruct"), "Llama-3.2-3B-Instruct", id="small-before-none"),
        pytest.param(
            [*served("a/Nobody-Knows-13B", count=3), *served("a/Qwen2.5-7B-Instruct", count=3)],
            "Qwen2.5-7B-Instruct",
            id="known-format",
        ),
        pytest.param(served("a/Qwen2.5-7B-Instruct", count=0), None, id="nobody"),
    ],
)
async def test_choice_for_somebody_who_did_not(horde: Horde, rows: list[dict[str, Any]], chosen: str | None) -> None:
    horde.lists.served = rows
    await horde.catalogue.refresh()
    model = horde.catalogue.choose()
    assert (model.title if model else None) == chosen


async def test_models_made_for_it_are_chosen_only_where_that_is_admitted(horde: Horde) -> None:
    horde.lists.served = [*served("a/Naughty-24B", count=3), *served("a/Qwen2.5-7B-Instruct", count=3)]
    horde.lists.reference = {"Naughty-24B": {"parameters": 24e9, "instruct_format": "ChatML", "nsfw": True}}
    await horde.catalogue.refresh()
    decent, any_ = horde.catalogue.choose(), horde.catalogue.choose(nsfw=True)
    assert decent is not None
    assert any_ is not None
    assert (decent.title, any_.title) == ("Qwen2.5-7B-Instruct", "Naughty-24B")
    assert [model.title for model in horde.catalogue.choices(nsfw=False)] == ["Qwen2.5-7B-Instruct"]
    with pytest.raises(InvalidRequest):
        horde.catalogue.find("Naughty-24B", nsfw=False)


@pytest.mark.parametrize(
    "text",
    [
        "koboldcpp/L3-8B-Stheno-v3.2",
        "l3-8b-stheno-v3.2",
        "aphrodite/Sao10K/L3-8B-Stheno-v3.2",
        "L3-8B-Stheno-v3.2-Q8_0",
        "l3-8b",
    ],
)
async def test_model_is_found_by_any_of_its_names(horde: Horde, text: str) -> None:
    horde.lists.served = served(*STHENO, "koboldcpp/Qwen3-8B")
    await horde.catalogue.refresh()
    assert horde.catalogue.find(text).title == "L3-8B-Stheno-v3.2"


async def test_unknown_model_is_told_with_close_ones(horde: Horde) -> None:
    horde.lists.served = served(*STHENO, "koboldcpp/Qwen3-8B")
    await horde.catalogue.refresh()
    with pytest.raises(InvalidRequest) as caught:
        horde.catalogue.find("stheno")
    assert "`L3-8B-Stheno-v3.2`" in caught.value.user_message


async def test_choices_follow_what_is_typed(horde: Horde) -> None:
    horde.lists.served = [
        *served("a/Old-Qwen-13B", count=9),
        *served("a/Qwen3-8B", count=2),
        *served("a/Qwen2.5-7B-Instruct", count=0),
        *served("a/Other", count=4),
    ]
    await horde.catalogue.refresh()
    titles = [model.title for model in horde.catalogue.choices("qwen")]
    assert titles == ["Qwen3-8B", "Old-Qwen-13B", "Qwen2.5-7B-Instruct"]
    assert len(horde.catalogue.choices()) == 4


async def test_unserved_model_is_described_as_well_as_can_be(horde: Horde) -> None:
    model = horde.catalogue.info("koboldcpp/Cydonia-24B-v4.3")
    assert (model.workers, model.eta, model.chosen.template.name) == (0, NEVER, "mistral_v7_tekken")


async def test_recorded_lists_are_read(horde: Horde) -> None:
    horde.lists.served = _recorded("status-models-text.json")
    horde.lists.workers = _recorded("status-workers.json")  # of all kinds: those of others have no length and fall out
    await horde.catalogue.refresh()
    (model,) = horde.catalogue.models()
    assert model.title == "Mistral-7B-Instruct-v0.1"
    assert [(one.max_length, one.max_context) for one in model.limits] == [(4096, 131_072)]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param("{}", ProtocolError, id="no-list"),
        pytest.param('[{"models": []', ProtocolError, id="breaks-off"),
        pytest.param("[1, 2]", ProtocolError, id="no-objects"),
        pytest.param("[" + "{" * 3, ProtocolError, id="broken-row"),
    ],
)
async def test_odd_list_of_workers_is_a_protocol_error(horde: Horde, body: str, error: type[ProviderError]) -> None:
    horde.lists.workers = body
    with pytest.raises(error):
        await horde.client.workers()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(429, Busy, id="429"),
        pytest.param(503, Unavailable, id="503"),
        pytest.param(302, Unavailable, id="redirect"),
        pytest.param(403, ProviderError, id="403"),
    ],
)
async def test_refused_list_of_workers_is_told(horde: Horde, status: int, error: type[ProviderError]) -> None:
    horde.lists.refused = {WORKERS: status}
    with pytest.raises(error):
        await horde.client.workers()


async def test_status_is_asked_for_at_most_fifty_times_a_minute(horde: Horde) -> None:
    horde.lists.refused = {"/generate/text/status/x": 404}
    for _ in range(50):
        with pytest.raises(ProviderError):
            await horde.client.status("x")
    with pytest.raises(Busy):
        await horde.client.status("x")
    assert len(horde.lists.asked) == 50


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_rows_are_read_however_they_are_cut(size: int) -> None:
    rows = [{"name": f"wörker {n}", "text": '[{"not": "a row"}]', "n": n} for n in range(30)]
    data = json.dumps(rows, ensure_ascii=False, indent=1).encode()
    reader = RowReader()
    found = [row for at in range(0, len(data), size) for row in reader.feed(data[at : at + size])]
    assert found == rows
    assert reader.ended


def test_row_without_end_is_not_held_for_ever() -> None:
    reader = RowReader(max_row=1000)
    with pytest.raises(ProtocolError):
        list(reader.feed(b'[{"text": "' + b"x" * 2000))


def _recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))["response"]["body"]
