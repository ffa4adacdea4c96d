"""The report in the terminal: the verdict and its worst reason first, then the evidence."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gonogo import display
from gonogo.conventions import NOT_READ, ChangeWord, Severity, Source, Status, Verdict
from gonogo.exports import compared, figures
from gonogo.privacy import printable
from gonogo.results import Comparison, Decision, ObjectiveResult, ReadinessResult, Reason

STATUS_STYLES: Final = {
    Status.BREACHED: "bold red",
    Status.NO_DATA: "bold magenta",
    Status.AT_RISK: "yellow",
    Status.MET: "green",
    Status.NOT_APPLICABLE: "dim",
}
_VERDICT_STYLES: Final = {
    Verdict.NO_GO: "bold white on red",
    Verdict.INCONCLUSIVE: "bold white on magenta",
    Verdict.CONDITIONS: "bold black on yellow",
    Verdict.GO: "bold black on green",
}
_CHANGE_ICONS: Final = {
    ChangeWord.WORSE: "✗",
    ChangeWord.TOO_FEW: "?",
    ChangeWord.NOT_COMPARED: "–",
    ChangeWord.BETTER: "✓",
    ChangeWord.NO_CHANGE: "=",
}
_CHANGE_STYLES: Final[dict[ChangeWord | None, str]] = {
    ChangeWord.WORSE: "bold red",
    ChangeWord.BETTER: "green",
}
_MOST_REASONS: Final = 6
_MOST_EXCURSIONS: Final = 5
_MOST_HINTS: Final = 4
_MOST_NAMED: Final = 3
_OPEN: Final = (Status.BREACHED, Status.NO_DATA, Status.AT_RISK)
_WIDE: Final = 96
_NARROW: Final = 64


def console_into(out: io.StringIO, *, width: int, color: bool) -> Console:
    """A console that writes text as it is: nothing in it is markup, whatever a log holds."""
    return Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )


def verdict_line(result: ReadinessResult, decision: Decision) -> str:
    """The verdict and the worst reason for it, in one line of plain text."""
    return f"{decision.verdict.value}: {printable(figures.headline(result, decision))}"


def report(
    result: ReadinessResult, decision: Decision, *, width: int, color: bool, site: str = ""
) -> str:
    """The whole report as text `width` columns wide, with ANSI colours where `color` is set.

    `decision` is the one that decides (readiness, or SLO alone); `site` is where the page is.
    """
    out = io.StringIO()
    console = console_into(out, width=width, color=color)
    for part in _parts(result, decision, width, site):
        console.print(part)
    lines = out.getvalue().lstrip(" ").splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _parts(
    result: ReadinessResult, decision: Decision, width: int, site: str
) -> list[RenderableType]:
    parts: list[RenderableType] = [_head(result, decision)]
    first = figures.headline(result, decision)
    if more := [reason for reason in decision.reasons if reason.text != first]:
        parts += [Text(), _reasons(more)]
    if result.objectives:
        parts += [Text(), _objectives(result.objectives, width)]
    if alerts := _alerts(result):
        parts += [Text(), alerts]
    if result.excursions:
        parts += [Text(), _excursions(result)]
    for comparison in result.comparisons:
        parts += [Text(), _compared(comparison)]
    parts += [Text(), _data(result)]
    if look := _look(result, decision, site):
        parts += [Text(), look]
    return parts


def _head(result: ReadinessResult, decision: Decision) -> RenderableType:
    verdict = Text(f" {decision.verdict.value} ", _VERDICT_STYLES[decision.verdict])
    first = figures.headline(result, decision)
    lines = [Text.assemble(verdict, " ", (printable(first), "bold"))]
    if (summary := figures.summary(decision)) and summary != first:
        lines.append(Text(printable(summary)))
    if result.notice:
        lines.append(Text(printable(result.notice), "yellow"))
    if result.slo.verdict is not result.readiness.verdict:
        slo, readiness = result.slo.verdict.value, result.readiness.verdict.value
        lines.append(Text(f"SLO alone: {slo}. Readiness, gates included: {readiness}."))
    title = printable(result.site.title)
    lines.append(Text(f"{title} · {printable(figures.period(result))}", "dim"))
    return Group(*lines)


def _bullets() -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def _reasons(reasons: Sequence[Reason]) -> RenderableType:
    grid = _bullets()
    for reason in reasons[:_MOST_REASONS]:
        grid.add_row(_status(reason.status), Text(printable(reason.text)))
    if (more := len(reasons) - _MOST_REASONS) > 0:
        grid.add_row("", Text(f"and {more} more", "dim"))
    return grid


def _status(status: Status) -> Text:
    return Text(
        f"{figures.STATUS_ICONS[status]} {figures.STATUS_WORDS[status]}", STATUS_STYLES[status]
    )


def _objectives(objectives: tuple[ObjectiveResult, ...], width: int) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    table.add_column("Status", no_wrap=True)
    table.add_column("Objective, worst first", overflow="fold", min_width=16)
    table.add_column("Observed", justify="right", no_wrap=True)
    if width >= _WIDE:
        table.add_column("95 % interval", justify="right", no_wrap=True)
    table.add_column("Limit", justify="right", no_wrap=True)
    if width >= _NARROW:
        table.add_column("n", justify="right", no_wrap=True)
    for o in objectives:
        cells: list[RenderableType] = [_status(o.status), _name(o), Text(figures.observed(o))]
        if width >= _WIDE:
            cells.append(Text(figures.interval(o)))
        cells.append(Text(figures.limit(o)))
        if width >= _NARROW:
            cells.append(Text(display.count(o.total)))
        table.add_row(*cells)
    return table


def _name(objective: ObjectiveResult) -> Text:
    name = Text(printable(objective.id, 120))
    marks = []
    if objective.slice_seconds is not None:  # what is observed is a share of slices
        marks.append(f"{objective.slice_seconds // 60}-minute slices")
    if objective.severity is not Severity.BLOCKING:
        marks.append(objective.severity.value)
    if objective.source is not Source.WRITTEN:
        marks.append(objective.source.value)
    if objective.is_waived:
        marks.append("waived")
    if marks:
        name.append(f" ({', '.join(marks)})", "dim")
    return name


def _alerts(result: ReadinessResult) -> RenderableType | None:
    """The first page of each breached objective; others say theirs as their reason."""
    first = {
        o.id: alert
        for o in result.objectives
        if o.burn and o.status is Status.BREACHED
        for alert in reversed(o.burn.alerts)
        if alert.alert == "page" and not alert.by_chance
    }
    if not first:
        return None
    grid = _bullets()
    for name, alert in list(first.items())[:_MOST_EXCURSIONS]:
        grid.add_row(Text("page", "bold red"), Text(printable(f"{name}: {alert.sentence}", 300)))
    if (more := len(first) - _MOST_EXCURSIONS) > 0:
        grid.add_row("", Text(f"and {more} more", "dim"))
    return grid


def _excursions(result: ReadinessResult) -> RenderableType:
    grid = _bullets()
    zone = figures.known_zone(result.period.timezone)
    for e in result.excursions[:_MOST_EXCURSIONS]:
        when = display.span(e.onset, e.end, zone)
        if e.ongoing:
            when = f"since {display.time(e.onset, zone)}, not over"
        kind = Text("breach", "bold red") if e.is_breach else Text("excursion", "yellow")
        seen = printable(e.seen, 300) or figures.share(e.bad, e.total)
        grid.add_row(kind, Text(f"{printable(e.objective, 120)}: {when}; {seen}"))
    if (more := len(result.excursions) - _MOST_EXCURSIONS) > 0:
        grid.add_row("", Text(f"and {more} more", "dim"))
    return grid


def _compared(comparison: Comparison) -> RenderableType:
    grid = _bullets()
    for word, line in compared.lines(comparison):
        mark = Text("·" if word is None else _CHANGE_ICONS[word], _CHANGE_STYLES.get(word, "dim"))
        grid.add_row(mark, Text(printable(line)))
    return Group(Text(printable(comparison.title), "bold"), grid)


def _data(result: ReadinessResult) -> RenderableType:
    read = result.ingest
    lines = [Text(f"{figures.conservation(result.ingest)}; {display.count(read.calls)} calls")]
    left_out = [
        f"{display.count(number)} {what}"
        for number, what in (
            (read.outside_period, "outside the period"),
            (read.filtered, "not selected"),
            (read.excluded, "in declared exclusions"),
        )
        if number
    ]
    if left_out:
        lines.append(Text(f"of the accepted: {', '.join(left_out)}"))
    lines += [
        Text(f"{display.count(p.count)} × {printable(p.what)} [{printable(p.code, 20)}]", "dim")
        for p in read.problems[:_MOST_REASONS]
    ]
    return Group(*lines)


def _look(result: ReadinessResult, decision: Decision, site: str) -> RenderableType | None:
    steps = [*_mapping_steps(result), *_objective_steps(result)]
    if decision == result.readiness:
        # Gates are few and objectives may be many: each kind has its share of the lines.
        gates = [
            f"{gate.title}: {gate.next_step}"
            for gate in result.gates
            if gate.next_step and gate.status in _OPEN
        ]
        room = _MOST_HINTS - min(len(gates), _MOST_HINTS // 2)
        steps = [*steps[:room], *gates]
    if not steps and not site:
        return None
    grid = _bullets()
    if site:
        grid.add_row(Text("open", "bold"), Text(site))
    for step in steps[:_MOST_HINTS]:
        grid.add_row(Text("next", "bold"), Text(printable(step)))
    return grid


def _mapping_steps(result: ReadinessResult) -> Iterator[str]:
    """Before anything is logged anew: what the log may hold under other names."""
    for p in result.ingest.problems:
        if p.code == NOT_READ:
            yield f"{p.what}: {p.hint}"


def _objective_steps(result: ReadinessResult) -> Iterator[str]:
    """What to do next, worst first; the same step is said once, for all that it is for."""
    titles: dict[str, list[str]] = {}
    for o in result.objectives:
        if o.hint and o.status is not Status.NOT_APPLICABLE:
            titles.setdefault(o.hint, []).append(o.title)
    for hint, named in titles.items():
        others = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        yield f"{', '.join(named[:_MOST_NAMED])}{others}: {hint}"
