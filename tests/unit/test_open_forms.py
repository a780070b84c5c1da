"""What open forms are about, in the memory of the process."""

from __future__ import annotations

from cogs.open_forms import REMEMBERED_FORMS, OpenForms


def test_a_form_is_remembered_until_it_is_done() -> None:
    forms: OpenForms[str] = OpenForms()
    forms.opened(7, "a cat")
    assert (forms.about("7"), forms.about("8")) == ("a cat", None)
    forms.done("7")
    forms.done("8")
    assert forms.about("7") is None


def test_the_oldest_form_is_forgotten_when_there_are_too_many() -> None:
    forms: OpenForms[int] = OpenForms()
    for interaction_id in range(REMEMBERED_FORMS + 1):
        forms.opened(interaction_id, interaction_id)
    assert (forms.about("0"), forms.about("1")) == (None, 1)
