"""Text workers: what each serves, how long a text and context it takes, how fast it writes, and the default hall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.text.orders import TextOrder
from bot.sandbox.horde.worker_base import QueueWorker

#: Below so many tokens a second a worker is left out when a request refuses slow workers.
SLOW_LIMIT = 3.0
_VALIDATED = ("koboldcpp/", "aphrodite/", "tabbyAPI/")


@dataclass(slots=True, kw_only=True)
class Scribe(QueueWorker):
    """One text worker. `tokens_per_second` is its speed before the simulator's own speed factor."""

    tokens_per_second: float = 30.0
    max_length: int = 512
    max_context_length: int = 8192
    maintenance: bool = False
    ignores_stops: bool = False
    agent: str = "KoboldCppEmbedWorker:2:https://github.com/LostRuins/koboldcpp"

    def can_serve(self, order: TextOrder) -> bool:
        """Whether this worker, were it free, could take a job of `order`."""
        if not self.online or self.maintenance or self.model_for(order) is None:
            return False
        if order.max_length > self.max_length or order.max_context_length > self.max_context_length:
            return False
        if (order.trusted_workers and not self.trusted) or (not order.slow_workers and self.slow):
            return False
        if order.validated_backends and not self.validated:
            return False
        return not order.workers or (self.id in order.workers) != order.worker_blacklist

    def model_for(self, order: TextOrder) -> str | None:
        """The model this worker would use, or None."""
        return next((name for name in self.models if not order.models or name in order.models), None)

    @property
    def slow(self) -> bool:
        """Whether requests with `slow_workers: false` pass it by."""
        return self.tokens_per_second < SLOW_LIMIT

    @property
    def validated(self) -> bool:
        """Whether it runs a backend that the horde has looked at."""
        return all(name.startswith(_VALIDATED) for name in self.models)

    @property
    def known_speed(self) -> float:
        """Tokens a second as the server believes: one until the first text is delivered, hence its wild guesses."""
        return self.tokens_per_second if self.fulfilled else 1.0


#: (models, tokens per second, longest text, longest context, trusted)
_HALL: tuple[tuple[tuple[str, ...], float, int, int, bool], ...] = (
    (("koboldcpp/Mistral-7B-Instruct-v0.1",), 62.6, 4096, 131_072, True),
    (("koboldcpp/L3-8B-Stheno-v3.2",), 45.0, 512, 8192, True),
    (("aphrodite/Sao10K/L3-8B-Stheno-v3.2",), 80.0, 1024, 16_384, True),
    (("koboldcpp/L3-8B-Stheno-v3.2-Q4_K_M",), 20.0, 256, 4096, False),
    (("koboldcpp/Cydonia-24B-v4.3",), 25.0, 512, 16_384, True),
    (("tabbyAPI/Cydonia-24B-v4.3",), 40.0, 1024, 32_768, True),
    (("koboldcpp/Mistral-Nemo-Instruct-2407",), 35.0, 512, 16_384, True),
    (("aphrodite/mistralai/Mistral-Large-Instruct-2411",), 15.0, 512, 8192, True),
    (("koboldcpp/gemma-3-12b-it",), 35.0, 512, 8192, True),
    (("koboldcpp/gemma-4-31B-it",), 20.0, 1024, 16_384, True),
    (("koboldcpp/gemma-4-E4B-it",), 60.0, 512, 8192, True),
    (("koboldcpp/Qwen2.5-7B-Instruct",), 50.0, 512, 8192, True),
    (("koboldcpp/Qwen3-8B",), 45.0, 1024, 16_384, True),
    (("aphrodite/Qwen/Qwen3.5-27B",), 50.0, 2048, 32_768, True),
    (("koboldcpp/DeepSeek-R1-Distill-Llama-8B",), 45.0, 1024, 8192, True),
    (("koboldcpp/LLaMA2-13B-Tiefighter", "koboldcpp/Fimbulvetr-11B-v2"), 28.0, 512, 4096, True),
    (("koboldcpp/mythalion-13b",), 28.0, 300, 4096, False),
    (("koboldcpp/Wizard-Vicuna-13B-Uncensored",), 28.0, 256, 2048, True),
    (("koboldcpp/c4ai-command-r-v01",), 18.0, 512, 8192, True),
    (("koboldcpp/Phi-3.5-mini-instruct_Uncensored",), 70.0, 512, 4096, True),
    (("koboldcpp/GLM-4-9B-0414", "koboldcpp/GLM-4.7-Flash"), 40.0, 512, 8192, True),
    (("koboldcpp/gpt-oss-20b",), 55.0, 2048, 16_384, True),
    (("koboldcpp/Noromaid-v0.4-Mixtral-Instruct-8x7b-Zloss",), 22.0, 512, 8192, True),
    (("koboldcpp/pythia-12b",), 2.0, 128, 2048, True),
    (("Muse-of-Walt::walt_worker#1",), 30.0, 512, 8192, True),
)
#: The one that hands everything on, stop sequences or not.
_DEAF = "aphrodite/Sao10K/L3-8B-Stheno-v3.2"


@dataclass(slots=True)
class Hall:
    """All text workers, in the order they joined. `families` tells formats of models that only a test knows."""

    rng: Random
    scribes: list[Scribe] = field(default_factory=list)
    families: dict[str, str] = field(default_factory=dict)

    def add(self, models: Iterable[str], *, name: str | None = None, **features: float | bool) -> Scribe:
        """Let one more worker join; without `name` it is the next scribe."""
        identity = new_uuid(self.rng)
        name = name or f"scribe-{len(self.scribes) + 1:02}"
        scribe = Scribe(id=identity, name=name, models=list(models))
        for feature, value in features.items():
            setattr(scribe, feature, value)
        self.scribes.append(scribe)
        return scribe

    def serve(self, model: str, count: int) -> None:
        """Have exactly `count` workers serve `model`; more join when there are too few, idle ones stay."""
        serving = [scribe for scribe in self.scribes if model in scribe.models]
        for scribe in serving[count:]:
            scribe.models.remove(model)
        for _ in range(count - len(serving)):
            self.add([model])

    def by_id(self, identity: str) -> Scribe | None:
        """The worker with that id, or None."""
        return next((scribe for scribe in self.scribes if scribe.id == identity), None)

    @property
    def online(self) -> list[Scribe]:
        """Workers that have called in lately."""
        return [scribe for scribe in self.scribes if scribe.online]

    @property
    def threads(self) -> int:
        """How many texts can be written at once."""
        return sum(scribe.threads for scribe in self.online)

    @property
    def models(self) -> tuple[str, ...]:
        """Every model somebody serves, each once."""
        return tuple(dict.fromkeys(model for scribe in self.online for model in scribe.models))


def default_hall(rng: Random) -> Hall:
    """Scribes for many families of models, with limits as different as on the real horde."""
    hall = Hall(rng)
    for models, speed, length, context, trusted in _HALL:
        hall.add(
            models,
            tokens_per_second=speed,
            max_length=length,
            max_context_length=context,
            trusted=trusted,
            ignores_stops=_DEAF in models,
        )
    return hall
