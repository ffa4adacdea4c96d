"""Quality charts: guardrails, retrieval and tools, each rate with its Wilson interval."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import NAME, bare_limit, label, limit_of, plural, unique_labels
from gonogo.charts.markers import markers
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import DAY, HOUR, WEEK, Bin, Timeline, column, wall_text
from gonogo.results import Column, ObjectiveResult, ReadinessResult, Scalar, Table
from gonogo.stats.intervals import wilson

_RULES, _TOOLS = 10, 8
_WIDTHS = {HOUR: "hour", DAY: "day", WEEK: "week"}
_OUTCOMES = ("ok", "error", "timeout")
_OUTCOME_COLORS = (theme.HEAT[1], theme.BAD, theme.WARN)


def intervals(pairs: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """Wilson's 95 % interval of each (events, of); of must be positive."""
    if not pairs:
        return []
    low, high = wilson([p[0] for p in pairs], [p[1] for p in pairs])
    return [(round(float(a), 6), round(float(b), 6)) for a, b in zip(low, high, strict=True)]


def interval_text(low: float, high: float) -> str:
    return display.interval(low, high, "ratio")


def _width(found: Bin) -> str:
    seconds = (found.end - found.start) // 1000
    return _WIDTHS.get(seconds, f"{seconds // HOUR} h")


@dataclass(frozen=True)
class _Rate:
    """A rate over time: where its counts are and how the chart speaks of it."""

    id: str
    title: str
    indicator: str
    num: str
    den: str
    num_title: str
    den_title: str
    color: str
    finding: str
    """what the numerator is, after "7 of 100" """
    low_is_bad: bool = False


_TRIGGERS = _Rate(
    "guardrail-rate", "Guardrail triggers", "guardrail_trigger_rate", "guard_triggered",
    "guard_calls", "Triggered", "Calls checked", theme.CATEGORIES[3],
    "checked calls triggered a guardrail",
)  # fmt: skip
_HITS = _Rate(
    "retrieval-hit-rate", "Retrieval hit rate", "retrieval_hit_rate", "retrieval_hits",
    "retrieval_known", "Hits", "Retrievals", theme.CATEGORIES[2], "retrievals had a hit", True,
)  # fmt: skip
_TOOL_ERRORS = _Rate(
    "tool-error-rate", "Tool errors", "tool_error_rate", "tool_errors", "tool_known", "Failed",
    "Tool calls", theme.CATEGORIES[0], "tool calls failed",
)  # fmt: skip


def _over_time(result: ReadinessResult, base: Timeline | None, rate: _Rate) -> Drawing | None:
    """A rate in wide bins with its Wilson band, limit and excursions."""
    bins = [b for b in base.rebin(rate.num, rate.den) if b.den] if base is not None else []
    if base is None or len(bins) < 2:
        return None
    ends = intervals([(b.num, b.den) for b in bins])
    objective = marks.objective_for(result, rate.indicator)
    shown = [e for pair in ends for e in pair]
    reach = max(shown)
    drawn = objective if marks.on_scale(objective, reach) else None
    shown += [float(limit_of(drawn))] if drawn is not None else []
    # A hit rate lives near 100 %, where a scale from zero would hide every change.
    low = min(shown) if rate.low_is_bad and min(shown) > 0.5 else 0.0
    start, end = min(base.start, bins[0].start), max(base.end, bins[-1].end)
    x = marks.time_x(start, end)
    y = marks.value_channel(alt.Y, "v", low, min(1.0, max(shown)), "%", 4)
    rows: Rows = []
    for i, (b, (bottom, top)) in enumerate(zip(bins, ends, strict=True)):
        if i and b.start > bins[i - 1].end:
            rows.append({"t": bins[i - 1].end, "v": None, "low": None, "high": None})
        values = {"v": round(b.num / b.den, 5), "low": bottom, "high": top}
        rows.append({"t": (b.start + b.end) // 2, "partial": b.partial} | values)
    came = markers(result, base.clock, start, end)
    sets = {
        "rate": rows,
        "partial": [r for r in rows if r.get("partial")],
        "limit": marks.limit_rows(drawn),
        "wash": marks.wash_rows(result, objective, base.clock, start, end),
        **came.data,
    }
    subtitle = f"Per {_width(bins[0])} with 95 % Wilson interval, {base.clock.zone}"
    if sets["wash"] and objective is not None:
        subtitle += f"; shaded: excursions beyond {bare_limit(objective)}"
    if sets["partial"]:
        subtitle += "; open circle: not complete"
    subtitle += f"; {came.words}" if came.words else ""
    subtitle += marks.off_scale_text(objective, reach)
    columns = (
        Column(key="start", title="From", unit="time"),
        Column(key="num", title=rate.num_title, unit="count"),
        Column(key="den", title=rate.den_title, unit="count"),
        Column(key="rate", title="Rate", unit="ratio", kind="ratio", num="num", den="den"),
        Column(key="interval", title="95 % interval", unit="text"),
    )
    cells: dict[str, list[Scalar]] = {
        "start": [b.epoch for b in bins], "num": [b.num for b in bins],
        "den": [b.den for b in bins], "interval": [interval_text(*e) for e in ends],
    }  # fmt: skip
    layers = [marks.wash_layer(x), *marks.limit_layers(y), *came.layers(x)]
    layers += marks.band_layers(x, y, rate.color)
    return Drawing(
        id=rate.id, page="quality", title=rate.title, subtitle=subtitle + ".",
        caption=_finding(rate, bins, objective), view=marks.layer(*layers), data=sets, span="half",
        height=290,
        margins=marks.margins(right=[r["text"] for r in sets["limit"]], top=came.top),
        objective=objective.id if objective is not None else "",
        table=Table(id=rate.id.replace("-", "_"), title=rate.title, columns=columns, data=cells),
    )  # fmt: skip


def _finding(rate: _Rate, bins: list[Bin], objective: ObjectiveResult | None) -> str:
    def share(num: int, den: int) -> str:
        if objective is None:
            return display.ratio(num, den)
        return display.near(Fraction(num, den), limit_of(objective), "ratio")

    total, of = sum(b.num for b in bins), sum(b.den for b in bins)
    caption = f"{total:,} of {of:,} {rate.finding} ({share(total, of)})."
    full = [b for b in bins if not b.partial] or bins
    pick, word = (min, "Lowest") if rate.low_is_bad else (max, "Highest")
    worst = pick(full, key=lambda b: Fraction(b.num, b.den))
    (ends,) = intervals([(worst.num, worst.den)])
    return (
        f"{caption} {word} from {wall_text(worst.start)}: {share(worst.num, worst.den)} of "
        f"{worst.den:,} (95 % interval {interval_text(*ends)})."
    )


def guardrail_rate(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Share of calls with a triggered check."""
    return _over_time(result, base, _TRIGGERS)


def hit_rate(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Share of retrievals with a hit."""
    return _over_time(result, base, _HITS)


def tool_error_rate(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Share of tool calls that failed."""
    return _over_time(result, base, _TOOL_ERRORS)


def guardrail_rules(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Trigger rate of each guardrail and stage as a dot with its interval."""
    table = result.tables.get("guardrails")
    if table is None:
        return None
    keys = ("name", "stage", "triggered", "calls")
    rules = [r for r in zip(*(column(table, k) for k in keys), strict=True) if r[3]]
    rules.sort(key=lambda r: (-(r[2] or 0) / r[3], str(r[0]), str(r[1])))
    rules = rules[:_RULES]
    if not rules:
        return None
    ends = intervals([(r[2] or 0, r[3]) for r in rules])
    often = Counter(r[0] for r in rules)
    names = [f"{r[0]} · {r[1]}" if often[r[0]] > 1 and r[1] else str(r[0]) for r in rules]
    labels = unique_labels([n.replace("_", " ") for n in names], NAME)
    rows = [
        {"label": text, "v": round((r[2] or 0) / r[3], 6), "low": round(a, 6), "high": round(b, 6)}
        for text, r, (a, b) in zip(labels, rules, ends, strict=True)
    ]
    y = marks.names_y(labels)
    top = min(1.0, max(b for _, b in ends))
    x = marks.value_channel(alt.X, "v", 0, top, "%", 4)
    color = theme.CATEGORIES[3]
    view = marks.layer(
        data("rules").mark_rule(color=color, strokeWidth=3, opacity=0.4).encode(
            marks.same(x, "low"), alt.X2("high"), y
        ),
        data("rules").mark_point(
            filled=True, color=color, size=70, opacity=1, stroke=theme.CARD, strokeWidth=1
        ).encode(x, y),
    )  # fmt: skip
    first = rules[0]
    caption = (
        f"{labels[0]} triggers most: {first[2] or 0:,} of {plural(first[3], 'call')} "
        f"({display.ratio(first[2] or 0, first[3])}, 95 % interval {interval_text(*ends[0])})."
    )
    columns = (
        Column(key="name", title="Guardrail", unit="text"),
        Column(key="stage", title="Stage", unit="text"),
        Column(key="triggered", title="Triggered", unit="count"),
        Column(key="calls", title="Calls checked", unit="count"),
        Column(key="rate", title="Trigger rate", unit="ratio", kind="ratio",
               num="triggered", den="calls"),
        Column(key="interval", title="95 % interval", unit="text"),
    )  # fmt: skip
    cells: dict[str, list[Scalar]] = {k: [r[i] for r in rules] for i, k in enumerate(keys)}
    cells["interval"] = [interval_text(*e) for e in ends]
    return Drawing(
        id="guardrail-rules", page="quality", title="Triggers by guardrail",
        subtitle="Share of the calls on which it ran, with 95 % Wilson interval.", caption=caption,
        view=view, data={"rules": rows}, span="half", height=290,
        narrow_height=max(180, 50 + 28 * len(rules)),
        margins=marks.margins(names=labels, right=["1"]),
        table=Table(id="guardrail_rules", title="Triggers by guardrail", columns=columns,
                    data=cells),
    )  # fmt: skip


def tool_outcomes(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """How the calls of each tool ended, as 100 % bars, worst first."""
    table = result.tables.get("tools")
    if table is None:
        return None
    keys = ("tool", "known", "errors", "timeouts")
    tools = [r for r in zip(*(column(table, k) for k in keys), strict=True) if r[1]]
    tools = sorted(tools, key=lambda r: (-r[1], str(r[0])))[:_TOOLS]
    tools.sort(key=lambda r: (-(r[2] or 0) / r[1], str(r[0])))
    if not tools:
        return None
    labels = unique_labels([r[0] for r in tools], NAME)
    bars: Rows = []
    notes: Rows = []
    parts: list[tuple[int, int, int]] = []
    for text, (_, known, errors, timeouts) in zip(labels, tools, strict=True):
        late = min(timeouts or 0, errors or 0)
        part = (known - (errors or 0), (errors or 0) - late, late)
        parts.append(part)
        at = 0.0
        for name, n in zip(_OUTCOMES, part, strict=True):
            if n:
                end = at + n / known
                bars.append({"label": text, "a": round(at, 5), "v": round(end, 5), "s": name})
                at = end
        notes.append(
            {"label": text, "a": 0, "ok": display.ratio(part[0], known), "n": f"{known:,}"}
        )
    y = marks.names_y(labels)
    x = marks.value_channel(alt.X, "a", 0, 1, "%", 4, grid=False)
    color = alt.Color(
        "s:N", scale=marks.color_scale(_OUTCOMES, _OUTCOME_COLORS),
        legend=marks.legend(_OUTCOMES, "square"),
    )  # fmt: skip
    ok = data("notes").mark_text(align="left", dx=7, color=theme.INK, fontWeight="bold")
    n = data("notes").mark_text(align="left", dx=6, color=theme.MUTED, clip=False)
    view = marks.layer(
        data("bars").mark_bar(stroke=theme.CARD, strokeWidth=1).encode(x, alt.X2("v"), y, color),
        ok.encode(x, y, alt.Text("ok:N")),
        n.encode(alt.XValue("width"), y, alt.Text("n:N")),
    )
    worst = tools[0]
    caption = f"None of {plural(sum(r[1] for r in tools), 'tool call')} failed."
    if worst[2]:
        caption = f"{label(worst[0])} fails most: {worst[2]:,} of {plural(worst[1], 'call')} "
        caption += f"({display.ratio(worst[2], worst[1])})"
        caption += f", {plural(parts[0][2], 'timeout')} among them." if parts[0][2] else "."
    columns = (
        Column(key="tool", title="Tool", unit="text"),
        Column(key="known", title="Calls with an outcome", unit="count"),
        *(Column(key=o, title=o, unit="count") for o in _OUTCOMES),
        Column(key="error_rate", title="Error rate", unit="ratio", kind="ratio",
               num="failed", den="known"),
        Column(key="failed", title="Failed", unit="count", kind="hidden"),
    )  # fmt: skip
    cells: dict[str, list[Scalar]] = {
        "tool": [r[0] for r in tools], "known": [r[1] for r in tools],
        **{o: [p[i] for p in parts] for i, o in enumerate(_OUTCOMES)},
        "failed": [r[2] or 0 for r in tools],
    }  # fmt: skip
    return Drawing(
        id="tool-outcomes", page="quality", title="Tool outcomes",
        subtitle="Share of each tool's calls, worst first; calls at the right.", caption=caption,
        view=view, data={"bars": bars, "notes": notes}, span="half", height=290,
        narrow_height=max(180, 70 + 30 * len(tools)),
        margins=marks.margins(names=labels, legend=_OUTCOMES, right=[r["n"] for r in notes]),
        table=Table(id="tool_outcomes", title="Tool outcomes", columns=columns, data=cells),
    )  # fmt: skip
