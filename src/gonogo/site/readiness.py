"""The first page: the answer, and everything that stands behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gonogo import display
from gonogo.conventions import NOT_READ, Status
from gonogo.results import FieldCoverage, ReadinessResult, Reason
from gonogo.site import figures
from gonogo.site.burn import burn_table
from gonogo.site.comparisons import lede, tables
from gonogo.site.gates import STATUS_WORDS, gate_lines, gate_tables
from gonogo.site.layout import blocks
from gonogo.site.model import (
    ChartView,
    Gap,
    Link,
    ReadinessPage,
    ReasonLine,
    ResultLine,
    Shell,
    Step,
    Tone,
)
from gonogo.site.objectives import changes_since, detail, pill_of, row, verdict_pill
from gonogo.site.text import clipped, heading, prose, ratio_text

MOST_REASONS: Final = 3
MOST_ROWS: Final = 7
MOST_STEPS: Final = 6

TILES: Final = (
    (figures.P95, "latency.html"),
    (figures.ERROR_RATE, "errors.html"),
    (figures.COST_PER_1000, "cost.html"),
    (figures.TRIGGERS, "quality.html#guardrails"),
    (figures.HITS, "quality.html#retrieval"),
    (figures.TOOL_ERRORS, "quality.html#tools"),
)
NO_GATES: Final = "none declared; the objectives decide alone."


def _results(result: ReadinessResult) -> tuple[ResultLine, ...]:
    gates = "objectives and gates" if result.gates else "with gates: none declared"
    return (
        ResultLine("SLO", "objectives alone", verdict_pill(result.slo.verdict)),
        ResultLine("Readiness", gates, verdict_pill(result.readiness.verdict)),
    )


def _headline(result: ReadinessResult) -> str:
    """The headline without the verdict, which stands above it in large."""
    text = result.readiness.headline
    return heading(text.removeprefix(f"{result.readiness.verdict.value}: "), 300)


def _reason(reason: Reason, result: ReadinessResult) -> ReasonLine:
    """The reason with what it is about taken out of its text, to be a link."""
    objective = next((o for o in result.objectives if o.id == reason.objective), None)
    gate = next((g for g in result.gates if g.id == reason.gate), None)
    title, href = "", ""
    if objective is not None:
        title, href = objective.title, f"#{objective.slug}"
    elif gate is not None:
        title, href = gate.title, f"#gate-{gate.id}"
    text = reason.text.removeprefix(f"{title}: ")
    return ReasonLine(pill_of(reason.status), heading(title), prose(text, 260), href)


_WORST_FIRST: Final[tuple[Tone, ...]] = ("bad", "warn", "none", "good")


def _tally(result: ReadinessResult) -> str:
    parts = []
    for status, words in STATUS_WORDS:
        n = sum(o.status is status for o in result.objectives)
        if n:
            waived = sum(o.is_waived for o in result.objectives if o.status is status)
            also = f" ({display.count(waived)} waived)" if waived else ""
            parts.append(f"{display.count(n)} {words}{also}")
    total = display.count(len(result.objectives))
    return f"{total} objectives: {', '.join(parts)}" if parts else "No objective is judged."


def _steps(result: ReadinessResult) -> tuple[Step, ...]:
    """Hints of objectives and gates in their order; equal ones of one status make one step."""
    wanted = [(o.hint, o.status, heading(o.title), f"#{o.slug}") for o in result.objectives]
    wanted += [(g.next_step, g.status, heading(g.title), f"#gate-{g.id}") for g in result.gates]
    about: dict[tuple[str, Status], list[Link]] = {}
    for text, status, title, href in wanted:
        if text:
            about.setdefault((text, status), []).append(Link(title, href))
    steps = [
        Step(heading(text, 260), tuple(links), pill_of(status))
        for (text, status), links in about.items()
    ]
    mapping = [
        Step(heading(f"{p.what}: {p.hint}", 260), (), pill_of(Status.NO_DATA))
        for p in result.ingest.problems
        if p.code == NOT_READ
    ]
    return tuple([*mapping, *steps][:MOST_STEPS])


def _missing(field: FieldCoverage) -> int:
    return field.applicable - field.present


def _gaps(result: ReadinessResult) -> tuple[Gap, ...]:
    short = [c for c in result.coverage if c.required and c.applicable and _missing(c)]
    short.sort(key=lambda c: (c.present / c.applicable, c.field))
    return tuple(
        Gap(
            title=heading(c.title),
            share=ratio_text(c.present, c.applicable),
            bar=f"{100 * c.present / c.applicable:.1f}",
            text=clipped(c.hint, 200) or f"{display.count(_missing(c))} rows do not carry it",
        )
        for c in short[:MOST_STEPS]
    )


def _folded_text(result: ReadinessResult) -> str:
    rest = result.objectives[MOST_ROWS:]
    bad = sum(o.status not in (Status.MET, Status.NOT_APPLICABLE) for o in rest)
    return (
        f"{len(rest)} more" + (f", {bad} of them not met" if bad else ", all met") if rest else ""
    )


def page(
    result: ReadinessResult,
    shell: Shell,
    charts: tuple[ChartView, ...],
    downloads: tuple[Link, ...],
) -> ReadinessPage:
    """The context of `index.html`."""
    reasons = result.readiness.reasons
    rest = len(reasons) - MOST_REASONS
    shown = [replace(figure, href=href) for figure, href in TILES]
    met = sum(g.status is Status.MET for g in result.gates)
    since = changes_since(result)
    rows = tuple(row(o, since.get(o.id)) for o in result.objectives)
    return ReadinessPage(
        shell=shell,
        notice=heading(result.notice, 500),
        verdict=verdict_pill(result.readiness.verdict),
        headline=_headline(result),
        results=_results(result),
        reasons=tuple(_reason(r, result) for r in reasons[:MOST_REASONS]),
        more_reasons=f"and {rest} more below" if rest > 0 else "",
        segments=tuple(pill_of(o.status).tone for o in result.objectives),
        tally=_tally(result),
        objectives=rows[:MOST_ROWS],
        folded=rows[MOST_ROWS:],
        folded_text=_folded_text(result),
        gates=tuple(sorted(gate_lines(result), key=lambda g: _WORST_FIRST.index(g.pill.tone))),
        gates_met=f"{display.count(met)} met" if met else "",
        gates_text="" if result.gates else NO_GATES,
        tables=blocks((), gate_tables(result)),
        tiles=figures.tiles(result, shown),
        blocks=blocks(charts),
        changes=lede(result),
        further=blocks((), [*tables(result), burn_table(result)]),
        steps=_steps(result),
        gaps=_gaps(result),
        details=tuple(detail(o, result) for o in result.objectives),
        downloads=downloads,
    )
