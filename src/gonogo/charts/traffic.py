"""Charts of traffic and money: cost over time by model, calls per hour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import plural, unique_labels
from gonogo.charts.markers import markers
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import DAY, HOUR, WEEK, Clock, Timeline, column, floor
from gonogo.results import Column, ReadinessResult, Scalar, Table

_MODELS, _BARS = 5, 64
_REST = "other models"
_WIDTHS = {6 * HOUR: "6 hours", DAY: "day", WEEK: "week"}


@dataclass(frozen=True)
class _Part:
    """What one model cost in one bin: nano-dollars, calls, first epoch second of the bin."""

    start: int
    name: str
    epoch: int
    cost: int
    calls: int


def _names(rows: list[tuple[int, str, int, int]]) -> tuple[dict[str, str], list[str]]:
    """model -> label, and the labels in the order of the stack, largest first."""
    totals: dict[str, int] = defaultdict(int)
    for _, model, nano, _ in rows:
        totals[model] += nano
    ranked = sorted((m for m in totals if totals[m]), key=lambda m: (-totals[m], m))
    shown = ranked if len(ranked) <= _MODELS + 1 else ranked[:_MODELS]
    labels = unique_labels(shown, 24, taken=[_REST])
    name_of = dict.fromkeys(ranked, _REST) | dict(zip(shown, labels, strict=True))
    return name_of, [*labels, *([_REST] if len(shown) < len(ranked) else [])]


def _parts(
    rows: list[tuple[int, str, int, int]], clock: Clock, name_of: dict[str, str]
) -> tuple[list[_Part], int]:
    """Parts by bin and label, and the width of a bin in seconds."""
    walls = [clock.wall(r[0]) for r in rows]
    span = (max(walls) - min(walls)) / 1000
    width = next((w for w in _WIDTHS if span / w < _BARS), WEEK)
    found: dict[tuple[int, str], _Part] = {}
    for (epoch, model, nano, calls), wall in zip(rows, walls, strict=True):
        start = floor(wall, width)
        name = name_of.get(model, _REST)
        old = found.get((start, name)) or _Part(start, name, epoch, 0, 0)
        found[start, name] = _Part(
            start, name, min(old.epoch, epoch), old.cost + nano, old.calls + calls
        )
    return list(found.values()), width


def cost(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Cost over time, stacked by model."""
    table = result.tables.get("cost_by_model")
    if table is None:
        return None
    keys = ("start", "model", "cost", "calls")
    cells = zip(*(column(table, k) for k in keys), strict=True)
    rows = [(e, m, nano or 0, n or 0) for e, m, nano, n in cells if e is not None]
    if not any(r[2] for r in rows):
        return None
    clock = Clock(result.period.timezone)
    name_of, labels = _names(rows)
    parts, width = _parts(rows, clock, name_of)
    parts = sorted((p for p in parts if p.cost), key=lambda p: (p.start, labels.index(p.name)))
    until = base.full_until if base is not None else None
    stacks: dict[int, int] = defaultdict(int)
    sets: dict[str, Rows] = {"full": [], "partial": []}
    for part in parts:
        low = stacks[part.start]
        stacks[part.start] += part.cost
        end = part.start + width * 1000
        row = {"t": part.start, "t2": end, "low": low / 1e9, "v": stacks[part.start] / 1e9}
        cut = until is not None and end > until
        sets["partial" if cut else "full"].append(row | {"s": part.name})
    start, stop = min(stacks), max(stacks) + width * 1000
    came = markers(result, clock, start, stop)
    x = marks.time_x(start, stop)
    y = marks.value_channel(alt.Y, "v", 0, max(stacks.values()) / 1e9, "$")
    color = alt.Color(
        "s:N", scale=marks.color_scale(labels, theme.CATEGORIES),
        legend=marks.legend(labels, "square", "full", **came.legend),
    )  # fmt: skip

    def bars(name: str, opacity: float) -> Any:
        mark = data(name).mark_rect(stroke=theme.CARD, strokeWidth=1.2, fillOpacity=opacity)
        return mark.encode(x, alt.X2("t2"), y, alt.Y2("low"), color)

    subtitle = f"US dollars per {_WIDTHS[width]}, {clock.zone}"
    subtitle += "; pale: not complete" if sets["partial"] else ""
    subtitle += f"; {came.words}" if came.words else ""
    columns = (
        Column(key="start", title="From", unit="time"),
        Column(key="name", title="Model", unit="text"),
        Column(key="cost", title="Cost", unit="nano_usd"),
        Column(key="calls", title="Calls", unit="count"),
    )
    drawn: dict[str, list[Scalar]] = {
        "start": [p.epoch for p in parts], "name": [p.name for p in parts],
        "cost": [p.cost for p in parts], "calls": [p.calls for p in parts],
    }  # fmt: skip
    return Drawing(
        id="cost-over-time", page="cost", title="Cost over time", subtitle=subtitle + ".",
        caption=_spent(table, labels, parts), data=sets | came.data,
        view=marks.layer(bars("full", 1), bars("partial", 0.5), *came.layers(x)), height=290,
        margins=marks.margins(legend=labels, span="full", top=came.top),
        table=Table(id="cost_over_time", title="Cost over time", columns=columns, data=drawn),
    )  # fmt: skip


def _spent(table: Table, labels: list[str], parts: list[_Part]) -> str:
    total = sum(p.cost for p in parts)
    calls, priced = (sum(n or 0 for n in column(table, k)) for k in ("calls", "cost_n"))
    caption = f"{display.money(total)} in all"
    if priced:
        caption += f", {display.money(Fraction(total * 1000, priced))} per 1,000 calls"
    if len(labels) > 1:
        first = sum(p.cost for p in parts if p.name == labels[0])
        caption += f"; {labels[0]} is {display.ratio(first, total)} of it"
    if priced < calls:
        caption += f"; {calls - priced:,} of {plural(calls, 'call')} have no known cost"
    return caption + "."


def calls(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Calls per hour with the failed ones in front; hours without a call are washed."""
    if base is None:
        return None
    counts = [n or 0 for n in base.column("calls")]
    errors = [n or 0 for n in base.column("errors")]
    if len(counts) < 2 or not any(counts):
        return None
    step = base.step * 1000
    full: Rows = []
    partial: Rows = []
    failed: Rows = []
    empty: Rows = []
    for i, wall in enumerate(base.walls):
        if i and wall - base.walls[i - 1] > 1.5 * step:
            empty.append({"t": base.walls[i - 1] + step, "t2": wall})
        span = {"t": wall, "t2": wall + step, "zero": 0}
        if counts[i]:
            (partial if base.partial[i] else full).append(span | {"v": counts[i]})
        else:
            empty.append(span)
        if errors[i]:
            failed.append(span | {"v": errors[i]})
    x = marks.time_x(base.start, base.end)
    y = marks.value_channel(alt.Y, "v", 0, max(counts), "n", 4)
    names = ["calls", "failed"]
    colors = marks.color_scale(names, [theme.CATEGORIES[0], theme.BAD])

    def bars(name: str, kind: str, opacity: float) -> Any:
        mark = data(name).mark_rect(fillOpacity=opacity)
        return mark.encode(x, alt.X2("t2"), y, alt.Y2("zero"), alt.ColorDatum(kind))

    came = markers(result, base.clock, base.start, base.end)
    key = marks.legend(names, "square", "full", **came.legend)
    # A layer without rows gives the legend, which a datum channel cannot carry.
    empty_key = data("key").mark_point(filled=True).encode(
        x, y, alt.Color("s:N", scale=colors, legend=key)
    )  # fmt: skip
    view = marks.layer(
        marks.wash_layer(x, theme.WARN, "empty"), bars("full", "calls", 0.75),
        bars("partial", "calls", 0.3), bars("failed", "failed", 1), empty_key, *came.layers(x),
    )  # fmt: skip
    at = max(range(len(counts)), key=lambda i: (counts[i], -i))
    caption = f"{plural(sum(counts), 'call')}; the busiest {base.unit} was "
    caption += f"{base.text(at)} with {counts[at]:,}"
    missing = sum(round((r["t2"] - r["t"]) / step) for r in empty)
    caption += f"; {plural(missing, base.unit)} without any call" if missing else ""
    if not missing:
        caption += f"; no {base.unit} without a call"
    subtitle = f"By {base.unit}, {base.clock.zone}"
    subtitle += f"; shaded: no call in the {base.unit}" if missing else ""
    subtitle += "; pale: not complete" if partial else ""
    subtitle += f"; {came.words}" if came.words else ""
    columns = (
        Column(key="start", title=base.unit.capitalize(), unit="time"),
        Column(key="calls", title="Calls", unit="count"),
        Column(key="errors", title="Failed", unit="count"),
        Column(key="partial", title="Partial", unit="text", kind="hidden"),
    )
    return Drawing(
        id="calls-over-time", page="data", title=f"Calls per {base.unit}", subtitle=subtitle + ".",
        caption=caption + ".", view=view, height=240, narrow_height=220,
        margins=marks.margins(legend=names, span="full", top=came.top),
        data={"full": full, "partial": partial, "failed": failed, "empty": empty, "key": [],
              **came.data},
        table=Table(id="calls_over_time", title=f"Calls per {base.unit}", columns=columns,
                    data={c.key: base.column(c.key) for c in columns}),
    )  # fmt: skip
