"""Timelines of calls worth opening: what happened in each, as long as it took, and when if known.

A log that has its steps inside of the line of a call says how long each took and not when it began:
such bars start at the edge and are pale. Other lines of the trace have a start and stand at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import NAME, label, plural
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import Clock, wall_text
from gonogo.results import Column, Excursion, ReadinessResult, Scalar, Table, Witness

PREFIX: Final = "trace-"
"""What the id of a timeline begins with; the id of its excursion follows."""
MOST: Final = 4
"""Excursions that are drawn; of the others the table alone is shown."""
_STEPS: Final = 10
_LEAST: Final = 0.004
_ROW: Final = 17
_CALLS: Final = {"worst": "The worst", "typical": "A typical one", "control": "A good one"}
_CALL, _LINE, _STEP, _FAILED = "the call", "its trace", "step", "failed"
_COLORS: Final = {
    _CALL: theme.P95, _LINE: theme.CATEGORIES[2], _STEP: theme.P50, _FAILED: theme.BAD,
}  # fmt: skip


@dataclass(frozen=True)
class _Bar:
    """One bar: start from the start of the call (None where it is not logged) and length in µs."""

    witness: str
    name: str
    kind: str
    offset: int | None
    duration: int | None
    failed: bool


def _bars(w: Witness) -> Iterator[_Bar]:
    """The call itself, the lines of its trace by their start, and its steps as they are logged."""
    name = " ".join(filter(None, (w.operation, w.model))) or "call"
    own = _Bar(w.kind, name, _CALL, 0, w.duration_us, w.error_class is not None)
    lines = [_Bar(w.kind, b.name, _LINE, b.offset_us, b.duration_us, b.failed) for b in w.beside]
    yield from sorted([own, *lines], key=lambda b: b.offset or 0)
    for step in w.steps[:_STEPS]:
        yield _Bar(w.kind, step.name, _STEP, None, step.duration_us, step.failed)


def _extent(bars: list[_Bar]) -> tuple[int, int]:
    """From the first start to the last end of what a call's bars show, in µs."""
    low = min(b.offset or 0 for b in bars)
    high = max((b.offset if b.offset is not None else low) + (b.duration or 0) for b in bars)
    return low, max(high, low + 1)


def _start(bar: _Bar) -> str:
    if bar.offset is None:
        return "not logged"
    if bar.offset == 0:
        return "0"
    sign = "−" if bar.offset < 0 else "+"
    return sign + display.duration(abs(bar.offset))


def timelines(result: ReadinessResult) -> list[Drawing]:
    """One drawing for each of the first excursions that have calls worth opening."""
    told = [e for e in result.excursions if any(w.duration_us for w in e.witnesses)]
    clock = Clock(result.period.timezone)
    return [_timeline(e, clock) for e in told[:MOST]]


def _timeline(e: Excursion, clock: Clock) -> Drawing:
    rows: Rows = []
    notes: Rows = []
    shown: list[tuple[str, _Bar]] = []
    heads: list[str] = []
    names: list[str] = []
    keys: list[str] = []
    for w in e.witnesses:
        bars = list(_bars(w))
        low, high = _extent(bars)
        head = _key(len(keys), f"{_CALLS[w.kind]} · {_took(high - low)}")
        keys.append(head)
        heads.append(head)
        for bar in bars:
            key = _key(len(keys), label(bar.name, NAME))
            keys.append(key)
            names.append(key)
            shown.append((key, bar))
            if bar.kind != _CALL or bar.duration != high - low:  # else its heading says it
                notes.append({"label": key, "text": _took(bar.duration)})
            if bar.duration is None:
                continue
            start = 0.0 if bar.offset is None else (bar.offset - low) / (high - low)
            # Ends are cut to the axis, and what is too short to be seen is still a mark.
            start = min(start, 1 - _LEAST)
            end = min(1.0, max(start + bar.duration / (high - low), start + _LEAST))
            row = {"label": key, "a": round(start, 5), "v": round(end, 5)}
            rows.append(row | {"s": _FAILED if bar.failed else bar.kind})
    kinds = [kind for kind in _COLORS if any(r["s"] == kind for r in rows)]
    # Names of an axis are measured several times over, which is half of the work of such a chart.
    scale = alt.Scale(domain=keys, paddingInner=0.35, paddingOuter=0.2)
    y = alt.Y("label:N", title=None, sort=None, scale=scale, axis=None)
    x = marks.value_channel(alt.X, "a", 0, 1, "%", 4)
    color = alt.Color(
        "s:N", scale=marks.color_scale(kinds, [_COLORS[k] for k in kinds]),
        legend=marks.legend(kinds, "square"),
    )  # fmt: skip
    took = data("notes").mark_text(align="left", dx=6, color=theme.MUTED, clip=False)
    name = data("names").mark_text(align="right", dx=-8, clip=False)
    head = data("heads").mark_text(align="right", dx=-8, fontWeight="bold", clip=False)
    view = marks.layer(
        data("bars").mark_bar(cornerRadius=1).encode(x, alt.X2("v"), y, color),
        took.encode(alt.XValue("width"), y, alt.Text("text:N")),
        name.encode(alt.XValue(0), y, alt.Text("text:N")),
        head.encode(alt.XValue(0), y, alt.Text("text:N")),
    )
    sets = {"bars": rows, "notes": notes, "names": _texts(names), "heads": _texts(heads)}
    space = marks.margins(
        names=[key[3:] for key in keys], legend=kinds, right=[n["text"] for n in notes]
    )
    height = _ROW * len(keys)
    about = f"{label(e.title, 60)}, {wall_text(clock.wall(e.onset))}"
    columns = (
        Column(key="call", title="Call", unit="text"),
        Column(key="step", title="Step", unit="text"),
        Column(key="begins", title="Begins", unit="text"),
        Column(key="duration", title="Took", unit="us"),
        Column(key="failed", title="Failed", unit="text"),
    )
    cells: dict[str, list[Scalar]] = {
        "call": [_CALLS[b.witness] for _, b in shown], "step": [b.name for _, b in shown],
        "begins": [_start(b) for _, b in shown], "duration": [b.duration for _, b in shown],
        "failed": ["yes" if b.failed else "no" for _, b in shown],
    }  # fmt: skip
    return Drawing(
        id=f"{PREFIX}{e.id}", page="breaches", title="Where the time went", subtitle=_about(e),
        caption=_finding(e), view=view, data=sets, span="half",
        height=height + space[0].top + space[0].bottom,
        narrow_height=height + space[0].top + space[0].bottom, margins=space,
        keys=tuple(key for key, _ in shown),
        table=Table(id="trace_timeline", title=f"Where the time went, {about}", columns=columns,
                    data=cells),
    )  # fmt: skip


def _key(number: int, text: str) -> str:
    """A name that no other row has: two digits and a blank before it."""
    return f"{number:02d} {text}"


def _texts(keys: list[str]) -> Rows:
    return [{"label": key, "text": key[3:]} for key in keys]


def _took(us: int | None) -> str:
    return "–" if us is None else display.duration(us)


def _about(e: Excursion) -> str:
    parts = ["Each call on a scale of its own, 100 % is all that is known of it"]
    if any(w.steps for w in e.witnesses):
        parts.append("how long steps took is logged, when they began is not")
    if any(len(w.steps) > _STEPS for w in e.witnesses):
        parts.append(f"the first {_STEPS} steps of each")
    if left := sum(w.beside_left_out for w in e.witnesses):
        parts.append(f"{plural(left, 'shorter line')} of the traces left out")
    return "; ".join(parts) + "."


def _finding(e: Excursion) -> str:
    """How long each call took, and what took longest within the worst of them."""
    timed = [w for w in e.witnesses if w.duration_us]
    first = timed[0]
    parts = [f"{_CALLS[first.kind]} took {_took(first.duration_us)}"]
    inside = [b for b in _bars(first) if b.kind == _STEP and b.duration]
    if inside:
        longest = max(inside, key=lambda b: b.duration or 0)
        share = display.ratio(longest.duration or 0, first.duration_us or 1)
        failed = " and failed" if longest.failed else ""
        parts[0] += (
            f", and {label(longest.name, 40)}, its longest step, {_took(longest.duration)} of it "
            f"({share}){failed}"
        )
    others = [w for w in timed[1:] if w.kind == "control"]
    parts += [f"the good one {_took(w.duration_us)}" for w in others]
    return "; ".join(parts) + "."
