"""Charts of the evaluation: the golden set by version, the judge against people."""

from __future__ import annotations

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import NAME, label, plural, unique_labels
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.quality import interval_text, intervals
from gonogo.charts.timeline import Timeline, column
from gonogo.results import Column, ReadinessResult, Scalar, Table

_VERSIONS = 8
_CELLS = 12
"""labels of one kind that a matrix shows; a judge with more of them gives scores, not labels"""
_AGREED, _DIFFER = "agree", "differ"
_PARTS = ("prompt_version", "model", "retrieval")


def _version_names(rows: list[tuple[object, ...]]) -> list[str]:
    """What tells versions apart: only the parts in which they differ, all where none does."""
    differing = [i for i in range(len(_PARTS)) if len({r[i] for r in rows}) > 1]
    return [
        " · ".join(str(r[i]) for i in differing or range(len(_PARTS)) if r[i] is not None)
        for r in rows
    ]


def golden(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Pass rate of each version on the golden set as a dot with its interval, worst first."""
    table = result.tables.get("golden_runs")
    if table is None:
        return None
    keys = (*_PARTS, "passed", "cases")
    runs = [r for r in zip(*(column(table, k) for k in keys), strict=True) if r[4]]
    runs.sort(key=lambda r: ((r[3] or 0) / r[4], str(r)))
    runs = runs[:_VERSIONS]
    if not runs:
        return None
    names = unique_labels(_version_names(runs), NAME)
    ends = intervals([(r[3] or 0, r[4]) for r in runs])
    rows: Rows = [
        {"label": text, "v": round((r[3] or 0) / r[4], 6), "low": a, "high": b,
         "text": f"{r[3] or 0:,} / {r[4]:,}"}
        for text, r, (a, b) in zip(names, runs, ends, strict=True)
    ]  # fmt: skip
    y = marks.names_y(names)
    x = marks.value_channel(alt.X, "v", min(a for a, _ in ends), 1, "%", 4)
    color = theme.CATEGORIES[0]
    span = data("runs").mark_rule(color=color, strokeWidth=3, opacity=0.4)
    dot = data("runs").mark_point(
        filled=True, color=color, size=70, opacity=1, stroke=theme.CARD, strokeWidth=1
    )
    amount = data("runs").mark_text(align="left", dx=8, color=theme.MUTED, clip=False)
    view = marks.layer(
        span.encode(marks.same(x, "low"), alt.X2("high"), y),
        dot.encode(x, y),
        amount.encode(alt.XValue("width"), y, alt.Text("text:N")),
    )
    worst = runs[0]
    caption = (
        f"{names[0]} passes fewest: {worst[3] or 0:,} of {plural(worst[4], 'case')} "
        f"({display.ratio(worst[3] or 0, worst[4])}, 95 % interval {interval_text(*ends[0])})."
    )
    if len(runs) == 1:
        caption = caption.replace(" passes fewest", "", 1)
    columns = (
        *(
            Column(key=key, title=title, unit="text")
            for key, title in zip(_PARTS, ("Prompt version", "Model", "Retrieval"), strict=True)
        ),
        Column(key="passed", title="Passed", unit="count"),
        Column(key="cases", title="Cases", unit="count"),
        Column(key="rate", title="Pass rate", unit="ratio", kind="ratio", num="passed",
               den="cases"),
        Column(key="interval", title="95 % interval", unit="text"),
    )  # fmt: skip
    cells: dict[str, list[Scalar]] = {k: [r[i] for r in runs] for i, k in enumerate(keys)}
    cells["interval"] = [interval_text(*e) for e in ends]
    return Drawing(
        id="golden-pass-rate", page="evaluation", title="Golden set by version",
        subtitle="Share of the cases passed, with 95 % Wilson interval; passed of all at the "
        "right.", caption=caption, view=view, data={"runs": rows}, span="half", height=290,
        narrow_height=max(180, 50 + 32 * len(runs)),
        margins=marks.margins(names=names, right=[str(r["text"]) for r in rows]),
        table=Table(id="golden_pass_rate", title="Golden set by version", columns=columns,
                    data=cells),
    )  # fmt: skip


def judge(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """What the judge said against what people said, each dimension a block of rows."""
    table = result.tables.get("judge_confusion")
    if table is None:
        return None
    keys = ("dimension", "human", "judge", "items")
    cells = [
        tuple(r) for r in zip(*(column(table, k) for k in keys), strict=True) if r[3] is not None
    ]
    cells.sort(key=lambda c: tuple(map(str, c[:3])))
    said = sorted({str(c[2]) for c in cells} | {str(c[1]) for c in cells})
    heads = list(dict.fromkeys((str(c[0]), str(c[1])) for c in cells))
    if not any(c[3] for c in cells) or len(said) > _CELLS or len(heads) > 2 * _CELLS:
        return None
    columns = dict(zip(said, unique_labels(said, 12), strict=True))
    names = dict(
        zip(heads, unique_labels([f"{d}: {label(h, 12)}" for d, h in heads], NAME), strict=True)
    )
    of = {head: sum(c[3] for c in cells if (str(c[0]), str(c[1])) == head) for head in heads}
    rows: Rows = []
    for dimension, human, judged, items in cells:
        head = (str(dimension), str(human))
        share = items / of[head] if items else 0
        rows.append({
            "label": names[head], "x": columns[str(judged)], "text": f"{items:,}",
            "o": round(0.25 + 0.75 * share, 3) if items else 0.08,
            "s": _AGREED if human == judged else _DIFFER,
        })  # fmt: skip
    y = marks.names_y(list(names.values()))
    x = alt.X(
        "x:N", title=None, sort=None,
        scale=alt.Scale(domain=list(columns.values()), paddingInner=0.08),
        axis=alt.Axis(domain=False, ticks=False, labelAngle=0, labelOverlap=False,
                      labelExpr="'judge: ' + datum.value" if len(said) < 4 else "datum.value"),
    )  # fmt: skip
    color = alt.Color(
        "s:N", scale=marks.color_scale((_AGREED, _DIFFER), (theme.HEAT[2], theme.BAD)),
        legend=marks.legend((_AGREED, _DIFFER), "square"),
    )  # fmt: skip
    opacity = alt.Opacity("o:Q", scale=None, legend=None)
    square = data("cells").mark_rect(stroke=theme.CARD, strokeWidth=1)
    number = data("cells").mark_text(
        color=theme.INK, fontWeight="bold", stroke=theme.CARD, strokeWidth=2.5
    )
    agreed = sum(c[3] for c in cells if c[1] == c[2])
    total = sum(c[3] for c in cells)
    caption = f"People and judge agree on {agreed:,} of {plural(total, 'item')} "
    caption += f"({display.ratio(agreed, total)})."
    apart = max(
        (c for c in cells if c[1] != c[2] and c[3]), key=lambda c: (c[3], str(c)), default=None
    )
    if apart is not None:
        caption += f" They differ most on {label(apart[0])}: {apart[3]:,} times people said "
        caption += f"{label(apart[1], 20)} and the judge {label(apart[2], 20)}."
    shown = (
        Column(key="dimension", title="Dimension", unit="text"),
        Column(key="human", title="People said", unit="text"),
        Column(key="judge", title="Judge said", unit="text"),
        Column(key="items", title="Items", unit="count"),
    )
    matrix = marks.layer(
        square.encode(x, y, color, opacity), number.encode(x, y, alt.Text("text:N"))
    )
    drawn: dict[str, list[Scalar]] = {k: [c[i] for c in cells] for i, k in enumerate(keys)}
    return Drawing(
        id="judge-confusion", page="evaluation", title="Judge against people",
        subtitle="Items by what people said (rows) and what the judge said (columns).",
        caption=caption, view=matrix, data={"cells": rows}, span="half",
        height=max(290, 70 + 22 * len(heads)),
        narrow_height=max(220, 70 + 26 * len(heads)),
        margins=marks.margins(names=list(names.values()), legend=(_AGREED, _DIFFER)),
        table=Table(id="judge_confusion", title="Judge against people", columns=shown, data=drawn),
        keys=tuple(names[str(c[0]), str(c[1])] for c in cells),
    )  # fmt: skip
