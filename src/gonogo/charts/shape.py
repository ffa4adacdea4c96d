"""How latency is distributed: over all calls, by model and release, by weekday and hour."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import (
    NAME,
    bare_limit,
    label,
    limit_of,
    limit_text,
    plural,
    unique_labels,
)
from gonogo.charts.latency import COLORS, asked, scale_of
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import DAYS, Timeline, column, counts
from gonogo.results import Column, ReadinessResult, Scalar, Table
from gonogo.vega.svg import PHONE

_MODELS, _RELEASES = 8, 4
_CELLS = 12  # fewer hours make no pattern


def _cumulated(table: Table) -> dict[str, list[tuple[int, int]]]:
    """group -> [(upper bound in µs, calls up to it)], ascending."""
    found: dict[str, list[tuple[int, int]]] = {}
    columns = (column(table, "group"), column(table, "upper"), counts(table, "count"))
    for group, upper, count in sorted(zip(*columns, strict=True), key=lambda r: (r[0], r[1])):
        points = found.setdefault(group, [])
        points.append((upper, (points[-1][1] if points else 0) + count))
    return found


def _curve(points: list[tuple[int, int]]) -> list[tuple[int, float]]:
    """(µs, share) without the steps that could not be seen."""
    total = points[-1][1]
    curve: list[tuple[int, float]] = []
    for upper, n in points:
        share = n / total
        if not curve or share - curve[-1][1] >= 0.004 or n == total:
            curve.append((upper, round(share, 4)))
            if share > 0.9995:
                break
    return curve


@dataclass(frozen=True)
class _Spread:
    """A measured duration: prefix of its table and indicator, and how the chart speaks of it."""

    name: str
    title: str
    subtitle: str
    calls: str
    done: str
    took: str


_LATENCY = _Spread(
    "latency", "Latency distribution", "Share of calls answered within a time; log scale.",
    "calls", "were answered within", "took",
)  # fmt: skip
_TTFT = _Spread(
    "ttft", "Distribution of the time to first token",
    "Share of streamed calls that began to answer within a time; log scale.",
    "streamed calls", "began to answer within", "began within",
)  # fmt: skip


def distribution(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Share of calls answered within a time, for all calls and by model, with the objective."""
    return _distribution(result, _LATENCY)


def ttft_distribution(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """The same for the time to first token."""
    return _distribution(result, _TTFT)


def _distribution(result: ReadinessResult, spread: _Spread) -> Drawing | None:
    table = result.tables.get(f"{spread.name}_distribution")
    if table is None or not table.height:
        return None
    groups = _cumulated(table)
    everything = groups.pop("all calls", None)
    if not everything or not everything[-1][1]:
        return None
    largest = sorted(groups, key=lambda g: (-groups[g][-1][1], g))[:5]
    names = ["all calls", *unique_labels(largest, 24, taken=["all calls"])]
    curves = [_curve(p) for p in (everything, *(groups[g] for g in largest))]
    if len(largest) == 1:
        names, curves = names[:1], curves[:1]
    low = min(c[0][0] for c in curves)
    high = max(c[-1][0] for c in curves)
    rows = [
        {"x": round(us / 1000, 3), "v": v, "s": name}
        for name, curve in zip(names, curves, strict=True)
        for us, v in curve
    ]
    every = [(m, m * 10**e) for e in range(-3, 7) for m in (1, 2, 5)]
    seen = [(m, v) for m, v in every if low <= v * 1000 <= high]
    ticks = [v for m, v in seen if m == 1 or len(seen) <= (8 if m == 2 else 12)]
    # A phone has room for powers of ten, or where there are few of them for halves as well.
    tens = sum(m == 1 and v in ticks for m, v in seen)
    hidden = "!= '1'" if tens > 1 else "== '2'"
    x = alt.X(
        "x:Q", title=None,
        scale=alt.Scale(type="log", domain=[low / 1000, high / 1000], nice=False),
        axis=alt.Axis(
            values=ticks, tickCount=len(ticks), grid=False, labelOverlap=False,
            labelExpr=f"{PHONE} && substring(format(datum.value, '.0e'), 0, 1) {hidden} ? '' : "
            "datum.value < 1000 ? format(datum.value, '~g') + ' ms' "
            ": format(datum.value / 1000, '~g') + ' s'",
        ),
    )  # fmt: skip
    y = marks.value_channel(alt.Y, "v", 0, 1, "%", 4)
    colors = marks.color_scale(names, [theme.INK, *theme.CATEGORIES])
    objective = marks.objective_for(result, spread.name, "p50", "p90", "p95", "p99")
    limits = marks.limit_rows(objective, 1000)
    color = alt.Color("s:N", scale=colors, legend=marks.legend(names, "stroke", offset=20))
    lines = data("curves").mark_line(strokeWidth=1.6, clip=True).encode(x, y, color)
    caption = f"Half of all {spread.calls} {spread.done} {_within(everything, 0.5)}, "
    caption += f"95 % within {_within(everything, 0.95)}."
    if objective is not None and objective.good is not None and objective.total:
        goal = asked(objective)
        share = display.near(Fraction(objective.good, objective.total), goal, "ratio")
        caption = f"{share} of {objective.total:,} {spread.calls} {spread.took} "
        caption += f"{limit_text(objective)}; "
        caption += f"the objective asks for {display.exact(goal, 'ratio')}."
    shown = {"all calls", *largest}
    keep = [i for i, g in enumerate(column(table, "group")) if g in shown]
    drawn = {k: [v[i] for i in keep] for k, v in table.data.items()}
    return Drawing(
        id=f"{spread.name}-distribution", page="latency", title=spread.title,
        subtitle=spread.subtitle, caption=caption,
        view=marks.layer(lines, *marks.limit_line_layers(x)),
        data={"curves": rows, "limit": limits}, span="half", height=290,
        margins=marks.margins(legend=names, top=12),
        table=table.model_copy(update={"data": drawn}),
    )  # fmt: skip


def _within(points: list[tuple[int, int]], share: float) -> str:
    return display.duration(next(upper for upper, n in points if n >= share * points[-1][1]))


def _measured(result: ReadinessResult) -> list[tuple[str, str, int, int, int, int]]:
    """(heading, value, sample, p50, p95, p99) of the largest models and releases, slowest first."""
    found = []
    for heading, name, most in (
        ("Model", "by_model", _MODELS),
        ("Release", "by_release", _RELEASES),
    ):
        table = result.tables.get(name)
        if table is None:
            continue
        keys = ("value", "latency_n", "latency_p50", "latency_p95", "latency_p99")
        rows = zip(*(column(table, k) for k in keys), strict=True)
        known = [(heading, *r) for r in rows if None not in r]
        largest = sorted(known, key=lambda r: (-r[2], r[1]))[:most]
        found += sorted(largest, key=lambda r: (-r[4], r[1]))
    return found


def by_model(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """p50, p95 and p99 of each model and release as dots on a line."""
    measured = _measured(result)
    if len(measured) < 2 or not any(r[4] for r in measured):
        return None
    objective = marks.objective_for(result, "latency", "p50", "p90", "p95", "p99")
    limit = limit_of(objective) if objective else None
    top = min(max(r[5] for r in measured), 4 * max(r[4] for r in measured))
    unit, form = scale_of(max(top, float(limit or 0)))
    headings = list(dict.fromkeys(r[0] for r in measured))
    labels = unique_labels([r[1] for r in measured], NAME, taken=headings)
    domain: list[str] = []
    rows: Rows = []
    for (heading, _, _, *percentiles), text in zip(measured, labels, strict=True):
        domain += [text] if heading in domain else [heading, text]
        values = {s: round(v / unit, 4) for s, v in zip(COLORS, percentiles, strict=True)}
        rows.append({"label": text} | values)
    dots = [{"label": r["label"], "v": r[s], "s": s} for r in rows for s in COLORS]
    series = list(COLORS)
    y = marks.names_y(domain, headings)
    x = marks.value_channel(alt.X, "v", 0, max(top, float(limit or 0)) / unit, form, 4)
    color = alt.Color(
        "s:N", scale=marks.color_scale(series, list(COLORS.values())),
        legend=marks.legend(series, "circle", "full", offset=20),
    )  # fmt: skip
    line = data("names").mark_rule(color=theme.MUTED, strokeWidth=2, opacity=0.35, clip=True)
    dot = data("dots").mark_point(
        filled=True, size=70, opacity=1, stroke=theme.CARD, strokeWidth=1, clip=True
    )
    view = marks.layer(
        *marks.limit_line_layers(x),
        line.encode(marks.same(x, "p50"), alt.X2("p99"), y),
        dot.encode(x, y, color),
    )
    first = [r for r in measured if r[0] == headings[0]]
    caption = f"Slowest by p95 is {label(first[0][1])} with {display.duration(first[0][4])}"
    if len(first) > 1:
        caption += f", fastest {label(first[-1][1])} with {display.duration(first[-1][4])}"
    if objective is not None and limit is not None and objective.statistic == "p95":
        over = sum(r[4] > limit for r in first)
        caption += f"; {over} of {plural(len(first), headings[0].lower())} over "
        caption += bare_limit(objective)
    columns = (
        Column(key="kind", title="By", unit="text"),
        Column(key="value", title="Value", unit="text"),
        Column(key="latency_n", title="Calls", unit="count"),
        *(Column(key=f"latency_{s}", title=s, unit="us") for s in COLORS),
    )
    cells: dict[str, list[Scalar]] = {
        c.key: [r[i] for r in measured] for i, c in enumerate(columns)
    }
    title = (
        "Latency by model and release" if len(headings) > 1 else f"Latency by {headings[0].lower()}"
    )
    return Drawing(
        id="latency-by-model", page="latency", title=title,
        subtitle="p50, p95 and p99 of each, slowest first.", caption=caption + ".", view=view,
        data={"names": rows, "dots": dots, "limit": marks.limit_rows(objective, unit)},
        height=max(200, 80 + 27 * len(domain)), narrow_height=max(220, 80 + 24 * len(domain)),
        margins=marks.margins(names=domain, legend=series, span="full", top=12, right=["0 s"]),
        table=Table(id="latency_by_model", title=title, columns=columns, data=cells),
        keys=tuple(labels),
    )  # fmt: skip


def _edges(values: list[int]) -> list[int]:
    """Up to six borders at rounded quantiles, so that the steps differ where the data do."""
    ranked = sorted(values)
    found: list[int] = []
    for q in (0.12, 0.3, 0.5, 0.7, 0.85, 0.95):
        edge = int(float(f"{ranked[int(q * (len(ranked) - 1))]:.1e}"))
        if edge > (found[-1] if found else 0):
            found.append(edge)
    return found


def heatmap(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """p95 latency by weekday and hour in seven steps; cells over the limit are outlined."""
    table = result.tables.get("heatmap")
    if table is None:
        return None
    keys = ("weekday", "hour", "latency_p95", "latency_n")
    cells = [r for r in zip(*(column(table, k) for k in keys), strict=True) if r[2] is not None]
    edges = _edges([c[2] for c in cells]) if len(cells) >= _CELLS else []
    if not edges:
        return None
    unit, form = scale_of(edges[-1])

    def text(us: int) -> str:
        return f"{us / unit:.9g}"

    names = [f"< {text(edges[0])} {form}"]
    names += [f"{text(a)}–{text(b)}" for a, b in pairwise(edges)]
    names.append(f"≥ {text(edges[-1])} {form}")
    objective = marks.objective_for(result, "latency", "p95")
    rows = [
        {"day": DAYS[d], "h": h, "step": names[sum(p95 >= e for e in edges)]}
        for d, h, p95, _ in cells
    ]
    over: Rows = []
    if objective is not None:
        over = [r for r, c in zip(rows, cells, strict=True) if c[2] > limit_of(objective)]
    shades = [theme.HEAT[round(i * 6 / (len(names) - 1))] for i in range(len(names))]
    x = alt.X(
        "h:O", title=None, scale=alt.Scale(domain=list(range(24)), paddingInner=0.1),
        axis=alt.Axis(
            values=list(range(0, 24, 3)), tickCount=8, domain=False, ticks=False, labelAngle=0,
            labelExpr=f"format(datum.value, '02') + ({PHONE} ? '' : ':00')",
            labelOverlap=False,
        ),
    )  # fmt: skip
    y = alt.Y(
        "day:O", title=None, sort=None, scale=alt.Scale(domain=list(DAYS), paddingInner=0.1),
        axis=alt.Axis(domain=False, ticks=False, labelOverlap=False),
    )  # fmt: skip
    color = alt.Color(
        "step:O", scale=marks.color_scale(names, shades),
        legend=marks.legend(names, "square"),
    )  # fmt: skip
    squares = data("cells").mark_rect().encode(x, y, color)
    outlined = data("over").mark_rect(filled=False, stroke=theme.BAD, strokeWidth=1.5)
    worst = max(cells, key=lambda c: c[2])
    caption = (
        f"Slowest: {DAYS[worst[0]]} {worst[1]:02}:00–{(worst[1] + 1) % 24:02}:00, with a p95 of "
        f"{display.duration(worst[2])} over {plural(worst[3], 'call')}."
    )
    subtitle = f"p95 latency by weekday and hour, {result.period.timezone}"
    if objective is not None:
        caption += f" {len(over)} of {len(cells)} hours of the week are over "
        caption += f"{bare_limit(objective)}."
        subtitle += f"; outlined: over {bare_limit(objective)}"
    columns = (
        Column(key="weekday", title="Weekday", unit="text"),
        Column(key="hour", title="Hour", unit="count"),
        Column(key="latency_n", title="Calls", unit="count"),
        Column(key="latency_p95", title="p95", unit="us"),
    )
    drawn: dict[str, list[Scalar]] = {
        "weekday": [DAYS[c[0]] for c in cells], "hour": [c[1] for c in cells],
        "latency_n": [c[3] for c in cells], "latency_p95": [c[2] for c in cells],
    }  # fmt: skip
    return Drawing(
        id="latency-heatmap", page="latency", title="When it is slow", subtitle=subtitle + ".",
        caption=caption, view=marks.layer(squares, outlined.encode(x, y)),
        data={"cells": rows, "over": over}, span="half", height=290, narrow_height=250,
        margins=marks.margins(legend=names),
        table=Table(id="latency_heatmap", title="When it is slow", columns=columns, data=drawn),
    )  # fmt: skip
