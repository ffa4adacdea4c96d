"""Sparklines by hand: a few hundred bytes where a chart library would need thousands."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

_WIDTH, _HEIGHT, _INSET = 120, 28, 2
_POINTS = 60


def _thinned(values: Sequence[float | None]) -> list[float | None]:
    """At most `_POINTS` means of neighbours; a group with no finite value stays a gap."""
    step = -(-len(values) // _POINTS)
    groups = (values[i : i + step] for i in range(0, len(values), step))
    known = ([v for v in g if v is not None and isfinite(v)] for g in groups)
    return [sum(g) / len(g) if g else None for g in known]


def sparkline(values: Sequence[float | None]) -> str:
    """The trend of `values` (any unit, None = gap) as an SVG string; "" where nothing is known.

    The picture is decoration beside a number that says the same, so it is hidden from readers of
    the accessibility tree. Classes: spark, spark-area, spark-line.
    """
    points = _thinned(values) if values else []
    known = [v for v in points if v is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    scale = (_HEIGHT - 2 * _INSET) / (high - low) if high > low else 0.0
    step = _WIDTH / max(1, len(points) - 1)
    runs: list[list[str]] = [[]]
    ends: list[tuple[float, float]] = []
    for i, value in enumerate(points):
        if value is None:
            runs.append([])
            continue
        y = _HEIGHT - _INSET - (value - low) * scale if scale else _HEIGHT / 2
        if not runs[-1]:
            ends.append((i * step, i * step))
        ends[-1] = (ends[-1][0], i * step)
        runs[-1].append(f"{i * step:.1f},{y:.1f}")
    runs = [run for run in runs if run]
    # A lone point is drawn as a line to itself, which a round line cap makes visible.
    line = "".join("M" + "L".join(run if len(run) > 1 else run * 2) for run in runs)
    area = "".join(
        f"M{a:.1f},{_HEIGHT}L{'L'.join(run)}L{b:.1f},{_HEIGHT}Z"
        for run, (a, b) in zip(runs, ends, strict=True)
    )
    return (
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" '
        f'aria-hidden="true" focusable="false"><path class="spark-area" d="{area}"/>'
        f'<path class="spark-line" vector-effect="non-scaling-stroke" d="{line}"/></svg>'
    )
