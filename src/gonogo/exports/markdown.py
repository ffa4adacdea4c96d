"""The verdict as short Markdown, for a pull request or a CI job's summary."""

from __future__ import annotations

from typing import Final

from gonogo import display
from gonogo.conventions import Source
from gonogo.exports import compared, figures
from gonogo.exports.safe import code, markdown
from gonogo.results import Decision, ObjectiveResult, ReadinessResult

_MOST_REASONS: Final = 5
_MOST_ROWS: Final = 30


def summary_md(result: ReadinessResult, decision: Decision) -> str:
    """Verdict, reasons, objectives worst first and what was read; a newline at the end."""
    lines = [f"## {figures.VERDICT_ICONS[decision.verdict]} {decision.verdict.value}", ""]
    lines += [markdown(figures.summary(decision)), ""]
    if result.notice:
        lines += [f"> {markdown(result.notice)}", ""]
    lines += [
        f"- **{figures.STATUS_WORDS[reason.status]}** {markdown(reason.text)}"
        for reason in decision.reasons[:_MOST_REASONS]
    ]
    if (more := len(decision.reasons) - _MOST_REASONS) > 0:
        lines.append(f"- and {more} more")
    if result.objectives:
        lines += ["", "| status | objective | observed | limit | n |", "|---|---|---:|---:|---:|"]
        lines += [_row(o) for o in result.objectives[:_MOST_ROWS]]
    if (more := len(result.objectives) - _MOST_ROWS) > 0:
        lines += ["", f"and {more} more objectives"]
    if any(o.source is Source.DEFAULT for o in result.objectives):
        lines += ["", "† default threshold, not your SLA"]
    for comparison in result.comparisons:
        lines += ["", f"**{markdown(comparison.title)}**", ""]
        lines += [f"- {markdown(line)}" for _, line in compared.lines(comparison)]
    lines += ["", f"{figures.conservation(result.ingest)}; {markdown(figures.period(result))}", ""]
    return "\n".join(lines)


def _row(o: ObjectiveResult) -> str:
    mark = " †" if o.source is Source.DEFAULT else ""
    status = f"{figures.STATUS_ICONS[o.status]} {figures.status_words(o)}"
    return (
        f"| {status} | {code(o.id)}{mark} | {markdown(figures.observed(o))} "
        f"| {markdown(figures.limit(o))} | {display.count(o.total)} |"
    )
