"""What a month costs in each scenario, stacked by model, against its limit."""

from __future__ import annotations

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import unique_labels
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import Timeline, column
from gonogo.results import ReadinessResult

_FAR = 4


def scenarios(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """A bar a scenario with the 95 % interval of its cost and, where one is set, its limit."""
    table, models = (result.tables.get(f"cost_scenario{k}") for k in ("s", "_models"))
    if table is None or models is None:
        return None
    names = column(table, "scenario")
    months = [m or 0 for m in column(table, "month")]
    limits = column(table, "limit")
    ends = list(zip(column(table, "low"), column(table, "high"), strict=True))
    ranked = list(dict.fromkeys(column(models, "model")))
    series = dict(zip(ranked, unique_labels(ranked, 24), strict=True))
    stacks: dict[str, int] = {}
    bars: Rows = []
    for name, model, month in zip(
        column(models, "scenario"), column(models, "model"), column(models, "month"), strict=True
    ):
        low = stacks.get(name, 0)
        stacks[name] = low + (month or 0)
        if month:
            row = {"label": name, "a": low / 1e9, "v": stacks[name] / 1e9, "s": series[model]}
            bars.append(row)
    top = max([*months, *(high or 0 for _, high in ends)], default=0)
    if not bars or not top:
        return None
    shown = [limit for limit in limits if limit is not None and limit <= _FAR * top]
    reach = max([top, *shown])
    # A small bar beside one ten times its size still shows that it is there.
    totals: Rows = []
    for name, month, limit in zip(names, months, limits, strict=True):
        over = limit is not None and month > limit
        row = {"label": name, "over": "over" if over else "within"}
        totals.append(row | {"text": display.money(month)})
    spans: Rows = [
        {"label": name, "a": low / 1e9, "v": high / 1e9}
        for name, (low, high) in zip(names, ends, strict=True)
        if low is not None and high is not None
    ]
    ticks: Rows = [
        {"label": name, "a": limit / 1e9}
        for name, limit in zip(names, limits, strict=True)
        if limit is not None and limit in shown
    ]
    legend = list(series.values())
    y = marks.names_y(names)
    x = marks.value_channel(alt.X, "a", 0, reach / 1e9, "$", 4)
    color = alt.Color(
        "s:N", scale=marks.color_scale(legend, theme.CATEGORIES),
        legend=marks.legend(legend, "square", "full"),
    )  # fmt: skip
    amount = {"align": "left", "dx": 6, "fontWeight": "bold", "clip": False}
    layers = [
        data("bars").mark_bar(stroke=theme.CARD, strokeWidth=1).encode(x, alt.X2("v"), y, color),
        data("spans").mark_rule(color=theme.INK, strokeWidth=1.4).encode(x, alt.X2("v"), y),
        # A halo keeps the limit visible on a bar of whatever colour.
        data("ticks").mark_tick(color=theme.CARD, thickness=6, size=38).encode(x, y),
        data("ticks").mark_tick(color=theme.BAD, thickness=2.5, size=38).encode(x, y),
    ]
    for kind, ink in (("within", theme.INK), ("over", theme.BAD)):
        text = data(kind).mark_text(color=ink, **amount)
        layers.append(text.encode(alt.XValue("width"), y, alt.Text("text:N")))
    sets = {kind: [r for r in totals if r["over"] == kind] for kind in ("within", "over")}
    caption = "; ".join(
        f"{name}: {display.money(month)} a month" + _against(month, limit)
        for name, month, limit in zip(names, months, limits, strict=True)
    )
    subtitle = "US dollars a month by model; the line is the 95 % interval"
    subtitle += ", red: the limit" if ticks else ""
    if len(shown) < sum(limit is not None for limit in limits):
        subtitle += "; a limit is off the scale"
    return Drawing(
        id="cost-scenarios", page="cost", title="A month’s cost", subtitle=subtitle + ".",
        caption=caption + ".", view=marks.layer(*layers),
        data={"bars": bars, "spans": spans, "ticks": ticks, **sets}, height=250,
        narrow_height=240,
        margins=marks.margins(
            names=names, legend=legend, span="full", right=[r["text"] for r in totals]
        ),
        table=table,
    )  # fmt: skip


def _against(month: int, limit: int | None) -> str:
    if limit is None:
        return ""
    side = "over" if month > limit else "within"
    return f", {side} the limit of {display.exact(limit, 'nano_usd')}"
