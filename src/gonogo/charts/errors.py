"""Error charts: rate over time, and classes by model."""

from __future__ import annotations

from collections import defaultdict

import altair as alt

from gonogo import display
from gonogo.charts import marks, theme
from gonogo.charts.labels import NAME, bare_limit, label, limit_of, plural, unique_labels
from gonogo.charts.markers import markers
from gonogo.charts.marks import data
from gonogo.charts.model import Drawing, Rows
from gonogo.charts.timeline import Timeline, column
from gonogo.results import Column, ReadinessResult, Scalar, Table

_MODELS, _CLASSES = 7, 5


def over_time(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Failed calls of calls with a known outcome, by hour, with the limit and its excursions."""
    if base is None:
        return None
    pairs = list(zip(base.column("errors"), base.column("error_known"), strict=True))
    rates = [n / d if d and n is not None else None for n, d in pairs]
    known = [(r, i) for i, r in enumerate(rates) if r is not None]
    if len(known) < 2:
        return None
    objective = marks.objective_for(result, "error_rate")
    limit = float(limit_of(objective)) if objective else 0.0
    reach = max(known)[0]
    drawn = objective if marks.on_scale(objective, reach) else None
    top = min(1.0, max(reach, limit * 1.3 if drawn else 0, 0.001))
    x = marks.time_x(base.start, base.end)
    y = marks.value_channel(alt.Y, "v", 0, top, "%")
    rows = base.rows({"v": [None if r is None else round(r, 5) for r in rates]})
    points = [(r["t"], r["v"]) for r in rows]
    came = markers(result, base.clock, base.start, base.end)
    sets = {
        "bins": rows,
        "partial": [r for r in rows if r["partial"] and r["v"] is not None],
        "limit": marks.limit_rows(drawn),
        "wash": marks.wash_rows(result, objective, base.clock, base.start, base.end),
        "over": marks.over_limit(points, limit) if objective else [],
        **came.data,
    }
    layers = [
        marks.wash_layer(x),
        data("over").mark_area(color=theme.BAD, opacity=0.35).encode(x, y, alt.Y2("limit")),
        data("bins").mark_line(color=theme.CATEGORIES[0], strokeWidth=1.5).encode(x, y),
        marks.hollow("partial", theme.CATEGORIES[0]).encode(x, y),
        *marks.limit_layers(y),
        *came.layers(x),
    ]
    errors, outcomes = (sum(p[i] or 0 for p in pairs) for i in (0, 1))
    caption = f"{errors:,} of {plural(outcomes, 'call')} failed ({display.ratio(errors, outcomes)})"
    full = [k for k in known if not base.partial[k[1]]] or known
    at = max(full, key=lambda k: (k[0], -k[1]))[1]
    if errors:
        failed, of = pairs[at]
        caption += f"; the worst {base.unit} was {base.text(at)}, with {failed:,} of {of:,} "
        caption += f"({display.ratio(failed, of)})"
    subtitle = f"Failed calls / calls with a known outcome, by {base.unit}, {base.clock.zone}"
    if sets["wash"] and objective is not None:
        subtitle += f"; shaded: excursions beyond {bare_limit(objective)}"
    if any(base.partial):
        subtitle += f"; open circle: {base.unit} not complete"
    subtitle += f"; {came.words}" if came.words else ""
    subtitle += marks.off_scale_text(objective, reach)
    columns = (
        Column(key="start", title=base.unit.capitalize(), unit="time"),
        Column(key="errors", title="Failed", unit="count"),
        Column(key="error_known", title="Outcome known", unit="count"),
        Column(key="error_rate", title="Error rate", unit="ratio", kind="ratio",
               num="errors", den="error_known"),
    )  # fmt: skip
    keys = ("start", "errors", "error_known")
    return Drawing(
        id="error-rate", page="errors", title="Error rate over time", subtitle=subtitle + ".",
        caption=caption + ".", view=marks.layer(*layers), data=sets, height=280,
        margins=marks.margins(
            span="full", right=[r["text"] for r in sets["limit"]], top=came.top
        ),
        objective=objective.id if objective is not None else "",
        table=Table(id="error_rate_over_time", title="Error rate over time", columns=columns,
                    data={k: base.column(k) for k in keys}),
    )  # fmt: skip


def _counts(result: ReadinessResult) -> dict[str, dict[str, int]]:
    """model -> error class -> failed calls; "all calls" where no model is known."""
    by_model = result.tables.get("error_classes_by_model")
    table = by_model or result.tables.get("error_classes")
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if table is not None:
        models = column(by_model, "model") if by_model else ["all calls"] * table.height
        keys = (column(table, k) for k in ("error_class", "calls"))
        for model, name, n in zip(models, *keys, strict=True):
            counts[model][name] += n or 0
    return counts


def by_class(result: ReadinessResult, base: Timeline | None) -> Drawing | None:
    """Failed calls of each model, stacked by error class."""
    counts = _counts(result)
    totals: dict[str, int] = defaultdict(int)
    for found in counts.values():
        for name, n in found.items():
            totals[name] += n
    if not sum(totals.values()):
        return None
    ranked = sorted((c for c in totals if totals[c]), key=lambda c: (-totals[c], c))
    classes = ranked if len(ranked) <= _CLASSES + 1 else ranked[:_CLASSES]
    names = unique_labels([c.replace("_", " ") for c in classes])
    if len(classes) < len(ranked):
        names.append("other classes")
    models = sorted(counts, key=lambda m: (-sum(counts[m].values()), m))[:_MODELS]
    labels = unique_labels(models, NAME)
    calls = _calls_by_model(result)
    bars: Rows = []
    notes: Rows = []
    for model, text in zip(models, labels, strict=True):
        at = 0
        rest = sum(counts[model].values()) - sum(counts[model].get(c, 0) for c in classes)
        for name, n in zip(
            names, [counts[model].get(c, 0) for c in classes] + [rest], strict=False
        ):
            if n:
                bars.append({"label": text, "a": at, "v": at + n, "s": name})
                at += n
        note = display.ratio(at, calls[model]) if calls.get(model) else f"{at:,}"
        notes.append({"label": text, "v": at, "note": note})
    top = max(r["v"] for r in notes)
    y = marks.names_y(labels)
    x = marks.value_channel(alt.X, "v", 0, top, "n", 5)
    key = marks.legend(names, "square", "full")
    color = alt.Color("s:N", scale=marks.color_scale(names, theme.CATEGORIES), legend=key)
    view = marks.layer(
        data("bars").mark_bar(stroke=theme.CARD, strokeWidth=1).encode(
            marks.same(x, "a"), alt.X2("v"), y, color
        ),
        data("notes").mark_text(align="left", dx=6, color=theme.MUTED, clip=False).encode(
            x, y, alt.Text("note:N")
        ),
    )  # fmt: skip
    failed = sum(totals.values())
    caption = f"The largest class is {label(ranked[0]).replace('_', ' ')}: "
    caption += f"{totals[ranked[0]]:,} of {plural(failed, 'failed call')}"
    caption += f" ({display.ratio(totals[ranked[0]], failed)})."
    if len(counts) > 1:
        share = display.ratio(sum(counts[models[0]].values()), failed)
        caption += f" {label(models[0])} accounts for {share} of all failures."
    rows = [(m, c, counts[m][c]) for m in models for c in ranked if counts[m].get(c)]
    columns = (
        Column(key="model", title="Model", unit="text"),
        Column(key="error_class", title="Class", unit="text"),
        Column(key="calls", title="Failed calls", unit="count"),
    )
    cells: dict[str, list[Scalar]] = {c.key: [r[i] for r in rows] for i, c in enumerate(columns)}
    height = 80 + 34 * len(models)
    return Drawing(
        id="error-classes", page="errors", title="What fails",
        subtitle="Failed calls by model and error class; beside the bar, the error rate.",
        caption=caption, view=view, data={"bars": bars, "notes": notes},
        height=height, narrow_height=height,
        margins=marks.margins(names=labels, legend=names, span="full", right=["86.7%"]),
        table=Table(id="failures", title="What fails", columns=columns, data=cells),
        keys=tuple(labels[models.index(m)] for m, _, _ in rows),
    )  # fmt: skip


def _calls_by_model(result: ReadinessResult) -> dict[str, int]:
    table = result.tables.get("by_model")
    if table is None:
        return {}
    pairs = zip(column(table, "value"), column(table, "error_known"), strict=True)
    return {m: n for m, n in pairs if n}
