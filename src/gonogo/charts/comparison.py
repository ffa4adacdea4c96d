"""What changed, as dumbbells: each figure's relative change with its interval."""

from __future__ import annotations

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import NAME, label, plural, unique_labels
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import Timeline
from gonogo.conventions import ChangeWord
from gonogo.results import Change, Column, Comparison, ReadinessResult, Scalar, Table
from gonogo.vega.svg import PHONE

_MOST = 12
_REACH = 1.0  # a figure that is ten times the old one would squash all others
_WORDS = ("better", "no change", "worse", "cannot be told")
_COLORS = ("var(--good)", theme.INK, theme.BAD, theme.MUTED)
_SAID = {
    ChangeWord.BETTER: _WORDS[0], ChangeWord.NO_CHANGE: _WORDS[1], ChangeWord.WORSE: _WORDS[2],
}  # fmt: skip


def _drawable(comparison: Comparison) -> list[Change]:
    """Figures whose relative change can be drawn: both sides known, the old one not zero."""
    return [c for c in comparison.changes if c.difference is not None and c.old]


def _title(c: Comparison) -> str:
    new = label(c.new, 60)
    return f"{new[:1].upper()}{new[1:]} against {label(c.old, 60)}"


def dumbbells(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """The first comparison that can be drawn, in the order of its table: worst first."""
    found = next((c for c in result.comparisons if not c.refused and _drawable(c)), None)
    if found is None:
        return None
    changes = _drawable(found)[:_MOST]
    labels = unique_labels([c.title for c in changes], NAME)
    rows: Rows = []
    for text, c in zip(labels, changes, strict=True):
        old = abs(c.old or 1.0)
        ends = [(c.difference if e is None else e) for e in (c.low, c.high)]
        share, low, high = ((v or 0.0) / old for v in (c.difference, *ends))
        cut = [max(-_REACH, min(_REACH, v)) for v in (share, low, high)]
        rows.append({
            "label": text, "zero": 0, "v": round(cut[0], 5), "low": round(cut[1], 5),
            "high": round(cut[2], 5), "s": _SAID.get(c.word, _WORDS[3]),
            "text": f"{display.value(c.old, c.unit)} → {display.value(c.new, c.unit)}",
        })  # fmt: skip
    cut_off = any(abs(r[k]) == _REACH for r in rows for k in ("v", "low", "high"))
    words = [w for w in _WORDS if any(r["s"] == w for r in rows)]
    y = marks.names_y(labels)
    ends_of_axis = [v for r in rows for v in (r["low"], r["high"], r["v"], 0.0)]
    x = marks.value_channel(alt.X, "v", min(ends_of_axis), max(ends_of_axis), "%", 6)
    color = alt.Color(
        "s:N", scale=marks.color_scale(words, [_COLORS[_WORDS.index(w)] for w in words]),
        legend=marks.legend(words, "circle", "full", symbolOpacity=1),
    )  # fmt: skip
    bar = data("changes").mark_rule(strokeWidth=2.5, opacity=0.8)
    span = data("changes").mark_rule(strokeWidth=7, opacity=0.22)
    start = data("changes").mark_point(
        filled=True, fill=theme.CARD, stroke=theme.MUTED, strokeWidth=1.5, size=60, opacity=1
    )
    dot = data("changes").mark_point(filled=True, size=80, opacity=1)
    # On a phone the amounts stand above their rows: beside them they would leave no plot.
    amount = data("changes").mark_text(
        align=alt.ExprRef(f"{PHONE} ? 'right' : 'left'"), dx=alt.ExprRef(f"{PHONE} ? 0 : 8"),
        dy=alt.ExprRef(f"{PHONE} ? -13 : 0"), color=theme.MUTED, clip=False,
    )  # fmt: skip
    view = marks.layer(
        span.encode(marks.same(x, "low"), alt.X2("high"), y, color),
        bar.encode(marks.same(x, "zero"), alt.X2("v"), y, color),
        start.encode(marks.same(x, "zero"), y),
        dot.encode(x, y, color),
        amount.encode(alt.XValue("width"), y, alt.Text("text:N")),
    )
    counted = {w: sum(r["s"] == w for r in rows) for w in words}
    caption = f"Of {plural(len(rows), 'figure')}: " + ", ".join(
        f"{n} {w}" for w, n in counted.items()
    )
    worst = next((c for c in changes if c.word is ChangeWord.WORSE), None)
    if worst is not None:
        name = label(worst.title, 60)
        caption += (
            f". {name[:1].upper()}{name[1:]} went from {display.value(worst.old, worst.unit)} "
        )
        caption += f"to {display.value(worst.new, worst.unit)}"
    keys = ("figure", "word", "old", "new")
    columns = tuple(
        Column(key=key, title=title, unit="text")
        for key, title in zip(keys, ("Figure", "Verdict", "Against", "This"), strict=True)
    )
    cells: dict[str, list[Scalar]] = {
        "figure": [c.title for c in changes],
        "word": [r["s"] for r in rows],
        "old": [display.value(c.old, c.unit) for c in changes],
        "new": [display.value(c.new, c.unit) for c in changes],
    }
    return Drawing(
        id="what-changed", page="readiness", title=_title(found),
        subtitle="Relative change of each figure; wide: 95 % interval of the difference"
        + ("; cut at ±100 %." if cut_off else "."),
        caption=caption + ".", view=view, data={"changes": rows},
        height=90 + 27 * len(rows), narrow_height=100 + 40 * len(rows),
        margins=(
            marks.margins(labels, words, "full", [str(r["text"]) for r in rows])[0],
            marks.margins(labels, words, "full")[1],
        ),
        table=Table(id="what_changed", title="What changed", columns=columns, data=cells),
    )  # fmt: skip
