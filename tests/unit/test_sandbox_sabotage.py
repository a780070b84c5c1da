from __future__ import annotations

import json
import re

import pytest

from bot.sandbox.sabotage import FINAL_EDIT

CANCEL = [{"type": 1, "components": [{"type": 2, "custom_id": "job:cancel:1"}]}]
AGAIN = [{"type": 1, "components": [{"type": 2, "custom_id": "job:again:1"}]}]


@pytest.mark.parametrize(
    ("edit", "final"),
    [
        pytest.param({"components": CANCEL, "embeds": [{"description": "▰▱"}]}, False, id="progress"),
        pytest.param({"embeds": [{"description": "▰▱"}], "components": AGAIN}, False, id="a bar is left"),
        pytest.param({"components": CANCEL, "embeds": [{"description": "hm"}]}, False, id="cancel is left"),
        pytest.param({"embeds": [{"description": "no buttons"}]}, False, id="buttons untouched"),
        pytest.param({"components": AGAIN, "embeds": [{"description": "Done\n4"}]}, True, id="the end"),
        pytest.param({"embeds": [{"description": "Done"}], "components": AGAIN}, True, id="the end, other order"),
    ],
)
def test_the_final_edit_is_told_from_the_others(edit: dict[str, object], final: bool) -> None:
    written = json.dumps(edit, ensure_ascii=False, separators=(",", ":"))
    assert (re.search(FINAL_EDIT, written) is not None) is final
