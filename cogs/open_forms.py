"""What the forms that are open at the moment are about, where that does not fit into their custom ids."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

#: Forms that are remembered; they are filled in within minutes.
REMEMBERED_FORMS = 200


class OpenForms(Generic[T]):
    """Remembers something of each form, by the interaction that opened it; the oldest are forgotten."""

    def __init__(self) -> None:
        self._about: OrderedDict[str, T] = OrderedDict()

    def opened(self, interaction_id: int, about: T) -> None:
        """Remember what a form is about."""
        self._about[str(interaction_id)] = about
        while len(self._about) > REMEMBERED_FORMS:
            self._about.popitem(last=False)

    def about(self, opened_by: str) -> T | None:
        """What the form that this interaction opened is about; None when that was forgotten."""
        return self._about.get(opened_by)

    def done(self, opened_by: str) -> None:
        """Forget a form: what it asked for is on its way."""
        self._about.pop(opened_by, None)
