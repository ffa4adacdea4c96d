"""Error budget of the worst objective: what is left of it as the period goes on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import label, limit_text, plural
from gonogo.charts.markers import markers
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import HOUR, Clock, Timeline, column, counts, wall_text
from gonogo.results import Column, ObjectiveResult, ReadinessResult, Scalar, Table

_POINTS = 400
_FLOOR = -1.0  # a budget overspent a hundred times would hide everything else


def _worst(result: ReadinessResult, judged: set[object]) -> ObjectiveResult | None:
    """The first objective, worst first, that has a budget and bins to draw it from."""
    for found in result.objectives:
        if found.budget is None or found.slice_seconds:  # the bins hold events
            continue
        if found.budget.allowed_num > 0 and found.id in judged:
            return found
    return None


def _thinned(bins: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """At most `_POINTS` bins, the last among them; counts are cumulative, so none is lost."""
    step = -(-len(bins) // _POINTS)
    return [b for i, b in enumerate(bins) if (len(bins) - 1 - i) % step == 0]


def burn_down(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Budget left over time against an even burn, ending below zero where it is overspent."""
    table = result.tables.get("objective_bins")
    if table is None or not table.height:
        return None
    ids = column(table, "objective")
    objective = _worst(result, set(ids))
    if objective is None or objective.budget is None:
        return None
    cells = (column(table, "start"), counts(table, "good"), counts(table, "total"))
    rows = sorted(r for i, *r in zip(ids, *cells, strict=True) if i == objective.id)
    if len(rows) < 2 or not any(r[2] for r in rows):
        return None
    spent = list(accumulate(r[2] - r[1] for r in rows))
    bins = _thinned([(r[0], s, r[2]) for r, s in zip(rows, spent, strict=True)])
    allowed = objective.budget.allowed_num / objective.budget.allowed_den
    clock = Clock(result.period.timezone)
    start, end = clock.wall(rows[0][0]), clock.wall(rows[-1][0]) + HOUR * 1000
    left = [1 - s / allowed for _, s, _ in bins]
    points: Rows = [{"t": start, "v": 1.0, "zero": 0}]
    points += [
        {"t": clock.wall(b[0]) + HOUR * 1000, "v": round(max(v, _FLOOR), 4), "zero": 0}
        for b, v in zip(bins, left, strict=True)
    ]
    final = left[-1]
    x = marks.time_x(start, end)
    y = marks.value_channel(alt.Y, "v", max(_FLOOR, min(0.0, *left)), 1, "%")
    color = theme.CATEGORIES[0] if final > 0 else theme.BAD
    text = display.value(round(final, 6), "ratio")
    last = [{"t": end, "v": points[-1]["v"], "text": text}]
    even = [{"t": start, "v": 1.0, "text": ""}, {"t": end, "v": 0.0, "text": ""}]
    note = [{"t": start + (end - start) * 0.7, "v": 0.3, "text": "even burn"}]
    came = markers(result, clock, start, end)
    step = {"interpolate": "step-after"}
    layers = [
        data("left").mark_area(color=color, opacity=0.12, **step).encode(x, y, alt.Y2("zero")),
        data("even").mark_line(color=theme.MUTED, strokeDash=[3, 3], strokeWidth=1).encode(x, y),
        data("note").mark_text(color=theme.MUTED, align="left", dx=8, dy=-6).encode(
            x, y, alt.Text("text:N")
        ),
        data("left").mark_line(color=color, strokeWidth=1.8, **step).encode(x, y),
        data("last").mark_point(filled=True, color=color, size=40, opacity=1).encode(x, y),
        data("last").mark_text(
            align="left", dx=8, fontWeight="bold", fontSize=13, clip=False
        ).encode(x, y, alt.Text("text:N")),
        *came.layers(x),
    ]  # fmt: skip
    gone = next((b for b, v in zip(bins, left, strict=True) if v < 0), None)
    total = sum(r[2] for r in rows)
    allowance = display.value(round(allowed, 1), "count")
    caption = f"{plural(spent[-1], 'bad event')} of {total:,}, where the budget allows {allowance}"
    over = display.value(round(-final, 6), "ratio")
    caption += f": {text} is left." if final >= 0 else f": overspent by {over}."
    if gone is not None:
        caption += f" It ran out in the hour from {wall_text(clock.wall(gone[0]))}."
    columns = (
        Column(key="start", title="Hour", unit="time"),
        Column(key="good", title="Good", unit="count"),
        Column(key="total", title="Total", unit="count"),
        Column(key="bad_so_far", title="Bad so far", unit="count"),
    )
    drawn: dict[str, list[Scalar]] = {
        "start": [r[0] for r in rows], "good": [r[1] for r in rows], "total": [r[2] for r in rows],
        "bad_so_far": spent,
    }  # fmt: skip
    return Drawing(
        id="error-budget", page="readiness", title="Error budget",
        subtitle=f"Left for {label(objective.title, 60)} {limit_text(objective)}, {clock.zone}"
        + (f"; {came.words}." if came.words else "."),
        caption=caption, view=marks.layer(*layers),
        data={"left": points, "even": even, "note": note, "last": last, **came.data},
        span="half", height=290, margins=marks.margins(top=max(4, came.top), right=[text]),
        table=Table(id="error_budget", title="Error budget", columns=columns, data=drawn),
    )  # fmt: skip
