"""The page of breaches and excursions, and of traces worth opening."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from gonogo import display
from gonogo.conventions import INTERNAL
from gonogo.results import Excursion, Exemplar, ReadinessResult
from gonogo.site.commands import incident
from gonogo.site.layout import blocks
from gonogo.site.model import (
    Absent,
    BreachesPage,
    Cell,
    ChartView,
    ExcursionView,
    Fact,
    Link,
    Mark,
    Pill,
    Shell,
    Strip,
    TableView,
)
from gonogo.site.objectives import page_of
from gonogo.site.shell import HREF, TITLE
from gonogo.site.tables import plain
from gonogo.site.text import (
    clipped,
    firm,
    heading,
    moment,
    period_text,
    prose,
    ratio_text,
    span_text,
    value_text,
    web_link,
)
from gonogo.telling import coincidence, dimension, impact, step

BREACH: Final = Pill("Breach", "bad", "breached")
EXCURSION: Final = Pill("Excursion", "warn", "risk")
PREFIX: Final = "trace-"
"""What the id of the timeline of an excursion begins with; the id of the excursion follows."""
_WITNESSES: Final = {
    "worst": "The worst", "typical": "A typical one", "control": "A good one, to compare",
}  # fmt: skip
NOTHING: Final = (
    "No breach and no excursion: in no part of the period was an objective outside its limit "
    "by more than chance explains."
)
_KINDS: Final = {
    "slowest": "Slowest", "failed": "Failed", "blocked": "Blocked", "dearest": "Dearest",
    "control": "Good call, to compare", "dearest_request": "Dearest request",
}  # fmt: skip


def _view(e: Excursion, result: ReadinessResult, chart: ChartView | None) -> ExcursionView:
    objective = next((o for o in result.objectives if o.id == e.objective), None)
    page = page_of(objective.indicator) if objective else "readiness"
    interval = span_text(e.onset, e.end, result) + (", still going on" if e.ongoing else "")
    facts = [
        Fact("Bad events", f"{display.count(e.bad)} of {display.count(e.total)}"),
        Fact("Share", ratio_text(e.bad, e.total) if e.total else "–"),
        Fact("Worst stretch", f"{ratio_text(e.peak_bad, e.peak_total)}, "
             f"{moment(e.peak_at, result)}" if e.peak_total else "–"),
        Fact("Lasted", value_text((e.end - e.onset) * 10**6, "us")),
    ]  # fmt: skip
    for title, at, between in (
        ("Began (95 %)", e.onset, e.onset_between), ("Ended (95 %)", e.end, e.end_between),
    ):  # fmt: skip
        if between is not None and between != (at, at):
            facts.append(Fact(title, span_text(*between, result)))
    kind = "Breach" if e.is_breach else "Excursion"
    expression = f" ({objective.expression})" if objective else ""
    summary = (
        f"{kind}: {e.title}{expression}. {interval}. {e.sentence} Report: breaches.html#{e.id}"
    )
    return ExcursionView(
        id=e.id,
        title=heading(e.title),
        pill=BREACH if e.is_breach else EXCURSION,
        sentence=prose(e.sentence, 500),
        interval=interval,
        facts=tuple(facts),
        impact=prose(impact(e), 500) if e.impact else "",
        coincidences=tuple(prose(line, 400) for line in _coinciding(e, result)),
        chart=chart,
        witnesses=_witnesses(e, result, drawn=chart is not None),
        objective=Link(
            "The objective", f"index.html#{objective.slug}" if objective else "index.html"
        ),
        page=Link(f"{TITLE[page]} page", HREF[page]),
        summary=clipped(summary, 900),
        command=incident(e, result),
    )


def _coinciding(e: Excursion, result: ReadinessResult) -> list[str]:
    """What stands out in the interval, and what was seen for the first time near its onset."""
    lines = [coincidence(c) for c in e.coincidences]
    lines += [
        f"{dimension(f.dimension)} {f.value} was seen for the first time at "
        f"{moment(f.time, result)}"
        for f in e.first_seen
    ]
    return lines


def _witnesses(e: Excursion, result: ReadinessResult, drawn: bool) -> TableView | None:
    """Calls worth opening: the worst, a typical one and a good one, and what happened in each
    where no chart beside the table shows it."""
    if not e.witnesses:
        return None
    rows = []
    for w in e.witnesses:
        trace, started = trace_link(w.trace_id, result), firm(moment(w.time, result))
        model = Cell(clipped(w.model or "–"), small=clipped(" · ".join(
            x for x in (w.operation, w.release, w.error_class) if x)))  # fmt: skip
        took = Cell("–" if w.duration_us is None else value_text(w.duration_us, "us"))
        inside = Cell(clipped("; ".join(map(step, w.steps)), 300))
        rows.append((
            Cell(_WITNESSES[w.kind], small=clipped(w.rule)),
            *((replace(trace, small=started), model) if drawn
              else (trace, Cell(started), model, took, inside)),
        ))  # fmt: skip
    cols: tuple[tuple[str, bool], ...] = (("Call", False), ("Trace, started", False),
                                          ("Model", False))  # fmt: skip
    if not drawn:
        cols = (("Call", False), ("Trace", False), ("Started", False), ("Model", False),
                ("Took", True), ("In it", False))  # fmt: skip
    caption = f"Calls worth opening, {heading(e.title)}, {moment(e.onset, result)}"
    return plain(f"calls-{e.id}", caption, cols, rows, sortable=False, download="witnesses")


def _traced(chart: ChartView | None, e: Excursion, result: ReadinessResult) -> ChartView | None:
    """The timeline with its rows leading into the tracer, where there is one."""
    if chart is None or chart.table is None:
        return chart
    # The chart has no room for what a call is for: "A good one, to compare".
    hrefs = {
        _WITNESSES[w.kind].partition(",")[0]: trace_link(w.trace_id, result).href
        for w in e.witnesses
    }
    rows = tuple(
        (replace(first, href=hrefs.get(first.text, "")), *rest) for first, *rest in chart.table.rows
    )
    return replace(chart, table=replace(chart.table, rows=rows))


def _bounds(result: ReadinessResult) -> tuple[int, int] | None:
    start = result.period.start if result.period.start is not None else result.period.first
    end = result.period.end if result.period.end is not None else result.period.last
    return (start, end) if start is not None and end is not None and end > start else None


def _strips(result: ReadinessResult) -> tuple[Strip, ...]:
    bounds = _bounds(result)
    if bounds is None:
        return ()
    start, end = bounds
    found = []
    for objective in result.objectives:
        marks = []
        for e in result.excursions:
            if e.objective != objective.id:
                continue
            left = max(0.0, 1000 * (e.onset - start) / (end - start))
            right = min(1000.0, 1000 * (e.end - start) / (end - start))
            marks.append(
                Mark(
                    f"{left:.1f}",
                    f"{max(4.0, right - left):.1f}",
                    "bad" if e.is_breach else "warn",
                    f"#{e.id}",
                    f"{heading(e.title)}: {span_text(e.onset, e.end, result)}",
                )
            )
        if marks:
            found.append(Strip(heading(objective.title), tuple(marks)))
    return tuple(found)


def trace_cell(exemplar: Exemplar, result: ReadinessResult) -> Cell:
    return trace_link(exemplar.trace_id, result)


def trace_link(trace_id: str | None, result: ReadinessResult) -> Cell:
    """The id of a trace, under the internal profile with its address in the tracer."""
    if trace_id is None:
        return Cell("–", hint="not logged")
    template = result.site.trace_url if result.profile == INTERNAL else None
    href = ""
    if template:
        href = web_link(template.replace("{trace_id}", quote(trace_id, safe="", errors="replace")))
    return Cell(clipped(trace_id, 40), href=href, code=True)


def _exemplars(result: ReadinessResult) -> TableView | None:
    rows = []
    for x in result.exemplars:
        if x.kind == "dearest_request" and x.calls == 1:
            continue  # the same as the dearest call
        duration = "" if x.duration_us is None else value_text(x.duration_us, "us")
        price = "" if x.cost_nano_usd is None else value_text(x.cost_nano_usd, "nano_usd")
        context = " · ".join(filter(None, (x.operation, x.release, x.error_class)))
        rows.append(
            (
                Cell(_KINDS[x.kind], small=clipped(x.rule)),
                trace_cell(x, result),
                Cell(firm(moment(x.time, result)), firm=True),
                Cell(clipped(x.model or "–"), small=clipped(context)),
                Cell(duration or "–", sort=str(x.duration_us) if duration else "-"),
                Cell(price or "–", sort=str(x.cost_nano_usd) if price else "-"),
            )
        )
    if not rows:
        return None
    cols = (
        ("Kind", False),
        ("Trace", False),
        ("Started", False),
        ("Model", False),
        ("Duration", True),
        ("Cost", True),
    )
    return plain("exemplars", "Exemplar traces", cols, rows, download="exemplars")


def page(
    result: ReadinessResult,
    shell: Shell,
    charts: tuple[ChartView, ...],
    downloads: tuple[Link, ...],
) -> BreachesPage:
    """The context of `breaches.html`."""
    timelines = {c.id.removeprefix(PREFIX): c for c in charts if c.id.startswith(PREFIX)}
    views = [
        (e.is_breach, _view(e, result, _traced(timelines.get(e.id), e, result)))
        for e in result.excursions
    ]
    bounds = _bounds(result)
    ends = (moment(bounds[0], result), moment(bounds[1], result)) if bounds else ("", "")
    return BreachesPage(
        shell=shell,
        empty="" if views else f"{NOTHING} Looked at: {period_text(result)}.",
        strips=_strips(result),
        blocks=blocks(c for c in charts if not c.id.startswith(PREFIX)),
        axis=ends,
        breaches=tuple(view for is_breach, view in views if is_breach),
        excursions=tuple(view for is_breach, view in views if not is_breach),
        exemplars=_exemplars(result),
        exemplars_absent=Absent("Traces worth opening", "no call carries an id. Log", "trace_id"),
        downloads=downloads,
    )
