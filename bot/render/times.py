"""Times and amounts as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta


def relative(moment: datetime) -> str:
    """Let the reader's own client count: "in 38 seconds", "2 minutes ago"."""
    return f"<t:{int(moment.timestamp())}:R>"


def at_second(moment: datetime) -> str:
    """Show date and time in the reader's own time zone and language."""
    return f"<t:{int(moment.timestamp())}:f>"


def duration(span: timedelta) -> str:
    """Write a span in its two largest units: `8 s`, `3 min 5 s`, `2 h 10 min`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return _two(seconds // 60, "min", seconds % 60, "s")
    if seconds < 86400:
        return _two(seconds // 3600, "h", seconds % 3600 // 60, "min")
    return _two(seconds // 86400, "d", seconds % 86400 // 3600, "h")


def roughly(seconds: int) -> str:
    """Write an estimate no more exactly than it deserves: `~25 s`, `~4 min`, `~2 h`."""
    if seconds < 90:
        return f"~{max(1, seconds)} s"
    if seconds < 5400:
        return f"~{round(seconds / 60)} min"
    return f"~{round(seconds / 3600)} h"


def kudos(amount: float) -> str:
    """Write an amount of kudos: small ones with a decimal, large ones in groups of three digits."""
    number = f"{amount:.1f}".removesuffix(".0") if amount < 10 else f"{amount:,.0f}".replace(",", "\u202f")
    return f"{number} kudos"


def pictures(count: int) -> str:
    """Write a number of pictures."""
    return "1 picture" if count == 1 else f"{count} pictures"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")
