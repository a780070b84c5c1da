"""What the horde's lists and totals say of texts: models, workers, performance, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

from bot.sandbox.horde.ids import new_uuid
from bot.sandbox.horde.text.scribes import Scribe
from bot.sandbox.horde.text.world import TextWorld

NOBODY_ETA = 10_000
_PERIODS: Mapping[str, float] = {"minute": 60, "hour": 3600, "day": 86_400}
_CROWD_SEED = "crowd"


def model_rows(text: TextWorld) -> list[dict[str, object]]:
    """Models that somebody serves or waits for, as `/status/models` shows them."""
    jobs: Counter[str] = Counter()
    work: Counter[str] = Counter()
    for request in text.in_order():
        for model in request.order.models:
            jobs[model] += request.waiting
            work[model] += request.waiting * request.order.max_length
    rows: list[dict[str, object]] = []
    for name in dict.fromkeys([*text.hall.models, *jobs]):
        serving = [scribe for scribe in text.hall.online if name in scribe.models]
        speed = sum(scribe.tokens_per_second for scribe in serving)
        rows.append(
            {
                "performance": round(speed / len(serving), 1) if serving else 0.0,
                "queued": float(work[name]),
                "jobs": float(jobs[name]),
                "eta": round(work[name] / speed) if speed else NOBODY_ETA,
                "type": "text",
                "name": name,
                "count": sum(scribe.threads for scribe in serving),
            }
        )
    return rows


def performance(text: TextWorld) -> dict[str, object]:
    """The text part of `/status/performance`."""
    waiting = [request for request in text.requests.values() if request.open]
    return {
        "queued_text_requests": sum(request.waiting for request in waiting),
        "text_worker_count": len(text.hall.online),
        "text_thread_count": text.hall.threads,
        "queued_tokens": float(sum(request.waiting * request.order.max_length for request in waiting)),
        "past_minute_tokens": float(_delivered(text, 60.0)[1]),
    }


def totals(text: TextWorld) -> dict[str, object]:
    """Texts and tokens by period (a day stands for all longer ones)."""
    body: dict[str, object] = {}
    for name in ("minute", "hour", "day", "month", "total"):
        requests, tokens = _delivered(text, _PERIODS.get(name, 86_400.0))
        body[name] = {"requests": requests, "tokens": tokens}
    return body


def models_delivered(text: TextWorld) -> dict[str, object]:
    """Texts by model."""
    counts = dict(Counter(delivery.model for delivery in text.deliveries))
    return {"day": counts, "month": counts, "total": counts}


def _delivered(text: TextWorld, seconds: float) -> tuple[int, int]:
    recent = [delivery.tokens for delivery in text.deliveries if delivery.at > text.now - seconds]
    return len(recent), sum(recent)


def worker_row(scribe: Scribe) -> dict[str, object]:
    """What `/workers` says of a text worker beyond what it says of everybody."""
    return {
        "type": "text",
        "online": scribe.online,
        "threads": scribe.threads,
        "maintenance_mode": scribe.maintenance,
        "requests_fulfilled": scribe.fulfilled,
        "kudos_rewards": round(scribe.earned, 1),
        "kudos_details": {"generated": round(scribe.earned, 1), "uptime": 0},
        "performance": f"{scribe.tokens_per_second:.1f} tokens per second",
        "nsfw": True,
        "trusted": scribe.trusted,
        "uncompleted_jobs": scribe.uncompleted,
        "models": list(scribe.models),
        "bridge_agent": scribe.agent,
        "max_length": scribe.max_length,
        "max_context_length": scribe.max_context_length,
    }


def crowd(text: TextWorld) -> list[Scribe]:
    """Workers that exist in the list only: they make it as large as the public one and serve models nobody asks for."""
    rng = Random(_CROWD_SEED)
    return [
        Scribe(
            id=new_uuid(rng),
            name=f"crowd-{number:05}",
            models=[f"koboldcpp/Crowd-Model-{rng.randrange(200):03}-{'x' * 120}"],
            max_length=rng.choice((80, 120, 256, 512, 1024)),
            max_context_length=rng.choice((1024, 2048, 4096, 8192, 16_384)),
            maintenance=True,
        )
        for number in range(text.crowd)
    ]
