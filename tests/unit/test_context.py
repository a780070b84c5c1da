"""What is said of the place where somebody asked."""

from __future__ import annotations

import pytest

from cogs.context import permissions_named


@pytest.mark.parametrize(
    ("labels", "written"),
    [
        pytest.param(["Attach Files"], "permission **Attach Files**", id="one"),
        pytest.param(["Embed Links", "Attach Files"], "permissions **Embed Links** and **Attach Files**", id="two"),
        pytest.param(["A", "B", "C"], "permissions **A**, **B**, and **C**", id="three"),
    ],
)
def test_permissions_are_named_in_one_breath(labels: list[str], written: str) -> None:
    assert permissions_named(labels) == written
