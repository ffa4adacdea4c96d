"""The gates as a checklist for the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gonogo.conventions import Evidence, Status
from gonogo.exports.figures import STATUS_ICONS, STATUS_WORDS
from gonogo.exports.terminal import STATUS_STYLES, console_into
from gonogo.privacy import printable
from gonogo.results import Finding, Gate, ReadinessResult

_EVIDENCE: Final = {
    Evidence.MEASURED: "measured",
    Evidence.FILE: "file",
    Evidence.DECLARED: "declared",
}
_NONE: Final = (
    "No gate is declared: the objectives decide alone. "
    "gonogo init writes the skeleton of all of them."
)


def checklist(result: ReadinessResult, *, width: int, color: bool) -> str:
    """Every gate with its findings, worst first, as text `width` columns wide."""
    out = io.StringIO()
    console = console_into(out, width=width, color=color)
    if not result.gates:
        console.print(Text(_NONE))
    for gate in result.gates:
        console.print(_head(gate))
        console.print(Padding(_findings(gate), (0, 0, 1, 2)))
    if result.config.content:
        console.print(Text(f"configuration {result.config.content}", "dim"))
        console.print(Text("sign-offs are bound to it: it changes with the configuration", "dim"))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def _head(gate: Gate) -> Text:
    text = Text.assemble(_status(gate.status), " ", (printable(gate.title), "bold"))
    if gate.required:
        text.append(" (required)", "dim")
    return text


def _status(status: Status) -> Text:
    return Text(f"{STATUS_ICONS[status]} {STATUS_WORDS[status]}", STATUS_STYLES[status])


def _findings(gate: Gate) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in gate.findings:
        style = "dim" if finding.advice else STATUS_STYLES[finding.status]
        icon = "·" if finding.advice else STATUS_ICONS[finding.status]
        grid.add_row(Text(icon, style), Text("\n").join(_lines(finding)))
    return grid


def _lines(finding: Finding) -> Iterator[Text]:
    by = f", {printable(finding.by)}" if finding.by else ""
    advice = "advice, " if finding.advice else ""
    text = Text(printable(finding.text))
    text.append(f" [{advice}{_EVIDENCE[finding.evidence]}{by}]", "dim")
    yield text
    if finding.next_step:
        yield Text.assemble(("next", "bold"), " ", printable(finding.next_step))
