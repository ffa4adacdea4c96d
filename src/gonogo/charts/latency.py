"""Percentiles over time: latency of all calls, time to first token."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Any

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import bare_limit, limit_of, plural
from gonogo.charts.markers import Markers, markers
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Margins, Rows, Span
from gonogo.charts.timeline import Timeline, column
from gonogo.results import Column, ObjectiveResult, ReadinessResult, Table

SPREAD = 6
"""How many times the usual p95 an axis may reach before it becomes logarithmic."""
COLORS = {"p50": theme.P50, "p95": theme.P95, "p99": theme.P99}


def scale_of(us: float) -> tuple[float, str]:
    """Divisor and unit in which an axis up to `us` microseconds reads well."""
    return (1e6, "s") if us >= 1e6 else (1e3, "ms")


@dataclass(frozen=True)
class _Percentiles:
    """Percentiles of one measure (`prefix`) over time, and how their axis is cut."""

    result: ReadinessResult
    base: Timeline
    prefix: str
    series: tuple[str, ...]
    span: Span
    objective: ObjectiveResult | None
    reach: int
    """the largest percentile, in µs"""
    top: float
    """top of the axis in µs"""
    low: float = 0.0
    """bottom of the axis in µs; where it is not 0 the axis is logarithmic"""

    @property
    def limit(self) -> ObjectiveResult | None:
        """The objective whose limit is drawn."""
        return self.objective if marks.on_scale(self.objective, self.reach) else None

    @property
    def came(self) -> Markers:
        """Releases and prompt versions that came."""
        return markers(self.result, self.base.clock, self.base.start, self.base.end)

    @property
    def about(self) -> str:
        """Id of the objective whose excursions are shaded."""
        return self.objective.id if self.objective is not None else ""

    @property
    def scale(self) -> tuple[float, str]:
        return scale_of(self.top)

    def values(self, statistic: str) -> list[int | None]:
        return self.base.column(f"{self.prefix}_{statistic}")

    def data(self) -> dict[str, Rows]:
        unit = self.scale[0]
        base = self.base
        scaled = {
            s: [None if v is None else round(v / unit, 4) for v in self.values(s)]
            for s in self.series
        }
        rows = base.rows(scaled)
        over: Rows = []
        if self.objective is not None:
            points = [(r["t"], r[self.objective.statistic]) for r in rows]
            limit = float(limit_of(self.objective)) / unit
            over = marks.over_limit(points, limit, math.log if self.low else float)
        partial = [r for r in rows if r["partial"]]
        return {
            "bins": rows,
            "partial": [{"t": r["t"], "v": r[s], "s": s} for r in partial for s in self.series],
            "limit": marks.limit_rows(self.limit, unit),
            "wash": marks.wash_rows(self.result, self.objective, base.clock, base.start, base.end),
            "over": over,
            **self.came.data,
        }

    def view(self) -> Any:
        unit, form = self.scale
        x = marks.time_x(self.base.start, self.base.end)
        y = marks.value_channel(alt.Y, "v", 0, self.top / unit, form)
        if self.low:
            y = marks.log_channel(alt.Y, "v", self.low / unit, self.top / unit, form)
        beyond = data("over").mark_area(color=theme.BAD, opacity=0.35, clip=True)
        layers = [marks.wash_layer(x), beyond.encode(x, y, alt.Y2("limit"))]
        for s in reversed(self.series):
            line = data("bins").mark_line(strokeWidth=1.6 if s == "p95" else 1.3, clip=True)
            layers.append(line.encode(x, marks.same(y, s), alt.ColorDatum(s)))
        open_dots = data("partial").mark_point(
            filled=False, fill=theme.CARD, strokeWidth=1.4, size=26, opacity=1, clip=True
        )
        colors = marks.color_scale(self.series, [COLORS[s] for s in self.series])
        # The legend hangs on this layer: a datum channel, as the lines have, cannot carry one.
        key = marks.legend(self.series, "stroke", self.span, **self.came.legend)
        layers.append(open_dots.encode(x, y, alt.Color("s:N", scale=colors, legend=key)))
        return marks.layer(*layers, *marks.limit_layers(y), *self.came.layers(x))

    def margins(self, sets: dict[str, Rows]) -> tuple[Margins, Margins]:
        return marks.margins(
            legend=self.series, span=self.span, right=[r["text"] for r in sets["limit"]],
            top=self.came.top,
        )  # fmt: skip

    def subtitle(self, washed: bool) -> str:
        base = self.base
        names = f"{', '.join(self.series[:-1])} and {self.series[-1]}"
        parts = [f"{names} by {base.unit}, {base.clock.zone}"]
        if self.low:
            parts.append("log scale")
        if washed and self.objective is not None:
            parts.append(f"shaded: excursions beyond {bare_limit(self.objective)}")
        if any(base.partial):
            parts.append(f"open circles: {base.unit} not complete")
        if self.came.words:
            parts.append(self.came.words)
        return "; ".join(parts) + marks.off_scale_text(self.objective, self.reach) + "."

    def text(self, us: int, statistic: str) -> str:
        """A duration, on the side of the limit where it is."""
        if self.objective is not None and self.objective.statistic == statistic:
            return display.near(us, limit_of(self.objective), "us")
        return display.duration(us)

    def worst(self) -> tuple[int, int] | None:
        """(row, value) of the largest p95, partial bins left out."""
        values = self.values("p95")
        full = [(v, -i) for i, v in enumerate(values) if v is not None and not self.base.partial[i]]
        return (-max(full)[1], max(full)[0]) if full else None

    def table(self, title: str) -> Table:
        keys = ("start", f"{self.prefix}_n", *(f"{self.prefix}_{s}" for s in self.series))
        columns = (
            Column(key=keys[0], title=self.base.unit.capitalize(), unit="time"),
            Column(key=keys[1], title="Calls", unit="count"),
            *(Column(key=f"{self.prefix}_{s}", title=s, unit="us") for s in self.series),
            Column(key="partial", title="Partial", unit="text", kind="hidden"),
        )
        found = {k: self.base.column(k) for k in (*keys, "partial")}
        return Table(id=f"{self.prefix}_over_time", title=title, columns=columns, data=found)


def _percentiles(
    result: ReadinessResult, base: Timeline | None, prefix: str, series: tuple[str, ...], span: Span
) -> _Percentiles | None:
    """None where fewer than two bins have a p95: one makes no line."""
    if base is None or sum(v is not None for v in base.column(f"{prefix}_p95")) < 2:
        return None
    tops = {s: max(v or 0 for v in base.column(f"{prefix}_{s}")) for s in series}
    reach = max(tops.values())
    if not tops["p95"]:
        return None
    objective = marks.objective_for(result, prefix, *series)
    drawn = objective is not None and marks.on_scale(objective, reach)
    limit = float(limit_of(objective)) if objective is not None and drawn else 0.0
    # One 30 s outlier in p99 must not flatten everything else: the axis follows p95 and the limit.
    top = max(min(reach, 3 * max(tops["p95"], limit)), limit * 1.15)
    known = [v for s in series for v in base.column(f"{prefix}_{s}") if v is not None]
    usual = median(v for v in base.column(f"{prefix}_p95") if v is not None)
    # Nor may an hour in which all was slow: beside it, the others are to be told apart.
    low = min(known) if top > SPREAD * usual else 0
    return _Percentiles(result, base, prefix, series, span, objective, reach, top, low)


def over_time(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """p50, p95 and p99 latency by hour, with the limit and its excursions."""
    found = _percentiles(result, base, "latency", ("p50", "p95", "p99"), "full")
    if found is None or base is None:
        return None
    sets, title = found.data(), "Latency over time"
    parts = []
    worst = found.worst()
    if worst:
        when, p95 = base.text(worst[0]), found.text(worst[1], "p95")
        parts.append(f"The slowest {base.unit} was {when}, with a p95 of {p95}.")
    if found.objective is not None:
        known = [v for v in found.values(found.objective.statistic) if v is not None]
        over = sum(v > limit_of(found.objective) for v in known)
        parts.append(
            f"{found.objective.statistic} was over {bare_limit(found.objective)} in {over:,} of "
            f"{plural(len(known), base.unit)}."
        )
    if found.reach > found.top * 1.2:
        parts.append(f"p99 runs off the scale, up to {display.duration(found.reach)}.")
    return Drawing(
        id="latency-over-time", page="latency", title=title,
        subtitle=found.subtitle(bool(sets["wash"])), caption=" ".join(parts), view=found.view(),
        data=sets, table=found.table(title), objective=found.about, height=300,
        margins=found.margins(sets),
    )  # fmt: skip


def ttft_over_time(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """p50 and p95 time to first token by hour."""
    found = _percentiles(result, base, "ttft", ("p50", "p95"), "half")
    if found is None or base is None:
        return None
    sets, title = found.data(), "Time to first token"
    parts = []
    overall = result.tables.get("overall")
    if overall is not None:
        n, eligible, p95 = (column(overall, f"ttft_{k}")[0] for k in ("n", "eligible", "p95"))
        if n and p95 is not None:
            of = f"{n:,} of {max(n, eligible or 0):,} calls that could log it"
            parts.append(f"95 % of streamed calls started within {found.text(p95, 'p95')} ({of}).")
    worst = found.worst()
    if worst:
        when, p95 = base.text(worst[0]), found.text(worst[1], "p95")
        parts.append(f"Slowest {base.unit}: {when}, with a p95 of {p95}.")
    return Drawing(
        id="ttft-over-time", page="latency", title=title,
        subtitle=found.subtitle(bool(sets["wash"])), caption=" ".join(parts), view=found.view(),
        data=sets, table=found.table(title), objective=found.about, span="half", height=290,
        margins=found.margins(sets),
    )  # fmt: skip


def asked(objective: ObjectiveResult) -> Fraction:
    """Share of calls that a percentile objective wants on its good side: p95 -> 95 %."""
    return Fraction(objective.statistic[1:]) / 100
