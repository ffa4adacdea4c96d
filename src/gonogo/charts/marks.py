"""Pieces that charts are layered from: axes, legends, limits, washes and bands.

Only channel objects are used (`alt.Y("v:Q")`, never `y="v:Q"`, `alt.value` or `alt.condition`):
the short forms compare against the whole Vega-Lite schema and cost a hundred times as much.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt

from gonogo.charts import theme
from gonogo.charts.labels import bare_limit, limit_of, limit_text
from gonogo.charts.model import Margins, Rows
from gonogo.charts.timeline import Clock, ticks
from gonogo.conventions import Status
from gonogo.results import ObjectiveResult, ReadinessResult
from gonogo.vega.svg import PHONE

_FAR = 4.0

_FORMATS = {
    "s": "format(datum.value, '.9~g') + ' s'",
    "ms": "format(datum.value, '.9~g') + ' ms'",
    "%": "format(datum.value * 100, '.9~g') + ' %'",
    "$": "'$' + (datum.value < 1e4 ? format(datum.value, ',.9~g') : format(datum.value, '~s'))",
    "n": "format(datum.value, '~s')",
}


@dataclass(frozen=True, slots=True)
class Layers:
    """Charts over each other, the first one below.

    `alt.layer` also finds data and parameters to share among its layers, for which it copies all of
    them to the last axis, three times over; ours name their data and share no parameter.
    """

    charts: tuple[Any, ...]

    def to_dict(self, validate: bool = True) -> dict[str, Any]:
        """The Vega-Lite specification."""
        layer = [c.to_dict(validate=False, context={"top_level": False}) for c in self.charts]
        found = {"$schema": alt.SCHEMA_URL, "layer": layer}
        if validate:
            alt.LayerChart.from_dict(found)
        return found


def layer(*charts: Any) -> Layers:
    """Charts over each other, the first one below."""
    return Layers(charts)


def data(name: str) -> Any:
    """A chart of the rows that go by this name in the data of a drawing."""
    return alt.Chart(alt.NamedData(name))


def time_x(start: int, end: int) -> Any:
    """The x channel of a time chart whose rows hold `t` in wall milliseconds."""
    found = ticks(start, end)
    axis = alt.Axis(
        title=None, values=found.values, tickCount=len(found.values), labelExpr=found.expr,
        tickSize=7, labelAlign="left", labelPadding=-2, labelOffset=4, labelOverlap=False,
    )  # fmt: skip
    # As an explicit `domain`, Vega-Lite would see two different ones where x2 comes into play.
    scale = alt.Scale(type="utc", domainMin=start, domainMax=end, nice=False)
    return alt.X("t:T", scale=scale, axis=axis)


def steps(low: float, high: float, count: int = 5) -> list[float]:
    """Round tick values from at or below `low` to at or above `high`."""
    raw = (high - low) / count or 1.0
    size = 10.0 ** math.floor(math.log10(raw))
    size *= next(m for m in (1, 2, 2.5, 5, 10) if m * size >= raw * 0.999)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [round(i * size, 12) for i in range(first, max(last, first + 1) + 1)]


def value_channel(
    channel: Any, field: str, low: float, high: float, form: str, count: int = 5, **axis: Any
) -> Any:
    """A linear x or y channel from low to high, rounded outwards; `form` is a key of _FORMATS."""
    values = steps(low, high, count)
    expr = _FORMATS[form]
    if channel is alt.X:
        # A phone has room for every other label.
        odd = f"round((datum.value - {values[0]}) / {values[1] - values[0]}) % 2"
        expr = f"{PHONE} && {odd} ? '' : {expr}"
        axis = {"grid": True, "domain": False, "ticks": False, "labelFlush": False} | axis
    return channel(
        f"{field}:Q", title=None, scale=alt.Scale(domain=[values[0], values[-1]], nice=False),
        axis=alt.Axis(
            values=values, tickCount=len(values), labelExpr=expr, labelOverlap=False,
            **axis,
        ),
    )  # fmt: skip


def log_steps(low: float, high: float, most: int = 8) -> list[float]:
    """1, 2, 5, 10, ... from at or below `low` to at or above `high`; fewer where there are many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for digits in ((1, 2, 5), (1, 3), (1,)):
        every = [float(f"{m}e{e}") for e in range(first, last + 1) for m in digits]
        start = max(i for i, v in enumerate(every) if v <= low * 1.001)
        end = min(i for i, v in enumerate(every) if v >= high * 0.999)
        if end - start < most:
            break
    return every[start : max(end, start + 1) + 1]


def log_channel(channel: Any, field: str, low: float, high: float, form: str) -> Any:
    """A logarithmic channel from low (over 0) to high; `form` is a key of _FORMATS."""
    values = log_steps(low, high)
    return channel(
        f"{field}:Q", title=None,
        scale=alt.Scale(type="log", domain=[values[0], values[-1]], nice=False),
        axis=alt.Axis(
            values=values, tickCount=len(values), labelExpr=_FORMATS[form], labelOverlap=False
        ),
    )  # fmt: skip


def same(channel: Any, field: str) -> Any:
    """The same scale and axis for another quantitative field."""
    copied = channel.copy(deep=False)
    copied.shorthand = f"{field}:Q"
    return copied


def names_y(labels: Sequence[str], headings: Sequence[str] = ()) -> Any:
    """A y channel of names in the order given; headings are bold and carry no mark."""
    weight: Any = "normal"
    if headings:
        test = alt.FieldOneOfPredicate(field="value", oneOf=list(headings))
        weight = {"condition": {"test": test, "value": "bold"}, "value": "normal"}
    return alt.Y(
        "label:N", title=None, sort=None,
        scale=alt.Scale(domain=list(labels), paddingInner=0.35, paddingOuter=0.2),
        axis=alt.Axis(
            labelColor=theme.INK, labelPadding=8,
            labelFontWeight=weight, labelOverlap=False,
        ),
    )  # fmt: skip


def _columns(labels: Sequence[str], span: str) -> tuple[int, int]:
    """Columns of a legend on a desktop and on a phone, with rows of about equal length."""
    each = 32 + text_width(labels)
    fits = (max(1, w // each) for w in (theme.WIDE[span] - 60, theme.NARROW - 40))
    wide, narrow = (-(-len(labels) // -(-len(labels) // n)) for n in fits)
    return wide, narrow


def legend(labels: Sequence[str], symbol: str, span: str = "half", **more: Any) -> Any:
    """A legend above the plot, in as many columns as fit."""
    wide, narrow = _columns(labels, span)
    return alt.Legend(
        symbolType=symbol, columns=alt.ExprRef(f"{PHONE} ? {narrow} : {wide}"), **more
    )


def text_width(texts: Sequence[str]) -> int:
    """Pixels that the longest of some labels may take, in a font somewhat wider than ours."""
    return int(6.2 * max(map(len, texts), default=0)) + 2


def margins(
    names: Sequence[str] = (), legend: Sequence[str] = (), span: str = "half",
    right: Sequence[str] = (), top: int = 0,
) -> tuple[Margins, Margins]:  # fmt: skip
    """The margins of a Drawing, on a desktop and on a phone.

    `names` stand left of the plot, `right` in its right gutter, `legend` above it, and `top` more
    pixels between the legend and the plot.
    """
    rows = [-(-len(legend) // n) if legend else 0 for n in _columns(legend or ("",), span)]
    gutter = 20 + text_width(right) if right else Margins.right
    left = text_width(names) + 12 if names else Margins.left
    heights = [Margins.top + (r * theme.LEGEND_ROW + 6 if r else 0) + top for r in rows]
    wide, narrow = (Margins(left=left, right=gutter, top=h) for h in heights)
    return wide, narrow


def color_scale(labels: Sequence[str], colors: Sequence[str]) -> Any:
    return alt.Scale(domain=list(labels), range=list(colors))


def objective_for(
    result: ReadinessResult, indicator: str, *statistics: str
) -> ObjectiveResult | None:
    """The worst objective on an indicator over all calls, of one of the statistics if any given."""
    for found in result.objectives:
        if found.indicator == indicator and not found.selector:
            if found.status is Status.NOT_APPLICABLE or found.slice_seconds:
                continue
            if not statistics or found.statistic in statistics:
                return found
    return None


def on_scale(objective: ObjectiveResult | None, top: float) -> bool:
    """Whether a limit is drawn: not where it would squash data that reach up to `top`."""
    return objective is not None and (top == 0 or float(limit_of(objective)) <= _FAR * top)


def off_scale_text(objective: ObjectiveResult | None, top: float) -> str:
    """What a subtitle says where the limit is not drawn; "" where it is."""
    if objective is None or on_scale(objective, top):
        return ""
    return f"; the limit, {bare_limit(objective)}, is off the scale"


def limit_rows(objective: ObjectiveResult | None, scale: float = 1.0) -> Rows:
    """One row {limit, text} for `limit_layers`; the limit divided by `scale`."""
    if objective is None:
        return []
    return [{"limit": float(limit_of(objective)) / scale, "text": limit_text(objective)}]


def limit_layers(y: Any) -> list[Any]:
    """A dashed line over the data set `limit` and its value in the right gutter, never on data."""
    channel = same(y, "limit")
    rule = data("limit").mark_rule(color=theme.BAD, strokeDash=[4, 3], strokeWidth=1.2)
    text = data("limit").mark_text(
        align="left", baseline="middle", dx=6, color=theme.BAD, fontWeight="bold", clip=False
    )
    return [rule.encode(channel), text.encode(channel, alt.XValue("width"), alt.Text("text:N"))]


def limit_line_layers(x: Any) -> list[Any]:
    """The same as an upright line, with the value above the plot."""
    channel = same(x, "limit")
    rule = data("limit").mark_rule(color=theme.BAD, strokeDash=[4, 3], strokeWidth=1.2)
    text = data("limit").mark_text(color=theme.BAD, fontWeight="bold", clip=False)
    return [rule.encode(channel), text.encode(channel, alt.YValue(-9), alt.Text("text:N"))]


def wash_rows(
    result: ReadinessResult, objective: ObjectiveResult | None, clock: Clock, start: int, end: int
) -> Rows:
    """Excursions of an objective as {t, t2}, cut to the axis, wide enough to be seen."""
    if objective is None:
        return []
    least = (end - start) // 250
    rows = []
    for found in result.excursions:
        if found.objective != objective.id:
            continue
        a, b = max(start, clock.wall(found.onset)), min(end, clock.wall(found.end))
        if a < end and b > start:
            rows.append({"t": min(a, end - least), "t2": min(end, max(b, a + least))})
    return rows


def wash_layer(x: Any, color: str = theme.BAD, name: str = "wash") -> Any:
    return data(name).mark_rect(color=color, opacity=0.09).encode(x, alt.X2("t2"))


def over_limit(
    points: Sequence[tuple[int, float | None]],
    limit: float,
    place: Callable[[float], float] = float,
) -> Rows:
    """The areas between a line and a limit below: rows {t, v, limit}, an empty one after each.

    `place` is the scale of the axis: what is straight on the page is straight on it.
    """
    rows: Rows = []

    def add(t: float, v: float | None) -> None:
        rows.append({"t": round(t), "v": v, "limit": None if v is None else limit})

    for (t0, v0), (t1, v1) in pairwise(points):
        if v0 is None or v1 is None or (v0 <= limit and v1 <= limit):
            if rows and rows[-1]["v"] is not None:
                add(t0, None)
            continue
        rise = place(v1) - place(v0)
        crossing = t0 + (t1 - t0) * (place(limit) - place(v0)) / rise if rise else t0
        if v0 <= limit:
            add(crossing, limit)
        elif not rows or rows[-1]["v"] is None:
            add(t0, v0)
        if v1 > limit:
            add(t1, v1)
        else:
            add(crossing, limit)
            add(t1, None)
    return rows


def band_layers(x: Any, y: Any, color: str) -> list[Any]:
    """A rate with its interval over the data set `rate`: {t, v, low, high, partial}."""
    area = data("rate").mark_area(color=color, opacity=0.16)
    line = data("rate").mark_line(color=color, strokeWidth=1.8)
    dots = data("rate").mark_point(
        filled=True, color=color, size=34, opacity=1, stroke=theme.CARD, strokeWidth=1
    )
    return [
        area.encode(x, same(y, "low"), alt.Y2("high")),
        line.encode(x, y),
        dots.encode(x, y),
        hollow("partial", color).encode(x, y),
    ]


def hollow(name: str, color: str) -> Any:
    """Open circles: bins that are not complete."""
    return data(name).mark_point(
        filled=True, fill=theme.CARD, stroke=color, strokeWidth=1.5, size=34, opacity=1
    )
