"""Talking to raw completion models as if they were chat models: everything about it that needs no network.

`templates` (with `templates.toml`) and `resolution` know how each family wants to be addressed; `harmless` and
`prompting` turn what people say into a prompt that nobody can forge; `budget` and `limits` make it fit; `stops` and
`sampling` say how the answer is drawn and where it ends; `cleaning` makes of it what a person reads; `planning` puts
all that together; `operators` takes in what the operator says of templates. Pure functions on values of
`bot.domain.conversation`.
"""

from __future__ import annotations

from bot.chat.cleaning import Tidied, tidy
from bot.chat.limits import Limits, WorkerLimits, clamp, free_length
from bot.chat.operators import operators_book
from bot.chat.planning import Voice, plan, second_try, step_down
from bot.chat.prompting import prompt_of
from bot.chat.resolution import Chosen, Evidence, resolve
from bot.chat.templates import Template, TemplateBook, bundled

__all__ = [
    "Chosen",
    "Evidence",
    "Limits",
    "Template",
    "TemplateBook",
    "Tidied",
    "Voice",
    "WorkerLimits",
    "bundled",
    "clamp",
    "free_length",
    "operators_book",
    "plan",
    "prompt_of",
    "resolve",
    "second_try",
    "step_down",
    "tidy",
]
