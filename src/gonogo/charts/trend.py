"""One objective over the periods, by hand: line, limit and a point a period.

Not stretched like a sparkline, since its points carry a status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

_WIDTH, _HEIGHT, _INSET = 220, 44, 5
_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One period: value and limit in the unit of the objective, and the class of its colour."""

    value: float | None
    limit: float | None
    tone: str


def trend(points: Sequence[TrendPoint]) -> str:
    """The newest sixty `points`, oldest first, as an SVG string; "" where no value is known.

    A period without a value is a gap. The picture is decoration beside numbers that say the same,
    so it is hidden from readers of the accessibility tree. Classes: trendline, line, limit, and
    the tone of each point.
    """
    shown = points[-_MOST:]
    known = [v for p in shown for v in (p.value, p.limit) if v is not None and isfinite(v)]
    if not any(p.value is not None for p in shown):
        return ""
    low, high = min(known), max(known)
    scale = (_HEIGHT - 2 * _INSET) / (high - low) if high > low else 0.0
    step = (_WIDTH - 2 * _INSET) / max(1, len(shown) - 1)

    def place(i: int, value: float | None) -> tuple[float, float] | None:
        if value is None or not isfinite(value):
            return None
        y = _HEIGHT - _INSET - (value - low) * scale if scale else _HEIGHT / 2
        return _INSET + i * step, y

    line = _path([place(i, p.value) for i, p in enumerate(shown)])
    limit = _path([place(i, p.limit) for i, p in enumerate(shown)])
    dots = "".join(
        f'<circle class="{p.tone}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="2.6"/>'
        for i, p in enumerate(shown)
        if (at := place(i, p.value)) is not None
    )
    return (
        f'<svg class="trendline" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" aria-hidden="true" focusable="false">'
        f'<path class="limit" d="{limit}"/><path class="line" d="{line}"/>{dots}</svg>'
    )


def _path(places: Sequence[tuple[float, float] | None]) -> str:
    parts, pen = [], "M"
    for at in places:
        if at is None:
            pen = "M"
            continue
        parts.append(f"{pen}{at[0]:.1f},{at[1]:.1f}")
        pen = "L"
    return "".join(parts)
