"""Gates with their evidence, and the tables of what was declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gonogo import display
from gonogo.conventions import Evidence, Status
from gonogo.results import Finding, Gate, ReadinessResult, Scalar
from gonogo.site.model import Cell, FindingLine, GateLine, Pill, TableView
from gonogo.site.objectives import pill_of
from gonogo.site.tables import Col, count, plain, rate, text, view
from gonogo.site.text import clipped, heading, prose, web_link

STATUS_WORDS: Final = (
    (Status.BREACHED, "breached"),
    (Status.NO_DATA, "without data"),
    (Status.AT_RISK, "at risk"),
    (Status.MET, "met"),
    (Status.NOT_APPLICABLE, "not applicable"),
)
_EVIDENCE: Final = {
    Evidence.MEASURED: "measured from the logs",
    Evidence.FILE: "result file",
    Evidence.DECLARED: "somebody’s word",
}
ADVICE: Final = Pill("Advice", "none", "na")


def gate_lines(result: ReadinessResult) -> tuple[GateLine, ...]:
    """Every gate with its findings; what is not met is shown, what is met folds."""
    return tuple(_gate(g) for g in result.gates)


def _gate(g: Gate) -> GateLine:
    lines = [(f.status is Status.MET, _finding(f)) for f in g.findings]
    return GateLine(
        id=clipped(g.id),
        title=heading(g.title),
        pill=pill_of(g.status),
        required="required" if g.required else "",
        evidence=_EVIDENCE[g.evidence],
        text=prose(g.text, 400),
        next_step=clipped(g.next_step, 300),
        tally=_findings_tally(g),
        findings=tuple(line for met, line in lines if not met),
        folded=tuple(line for met, line in lines if met),
    )


def _finding(f: Finding) -> FindingLine:
    source = _EVIDENCE[f.evidence]
    return FindingLine(
        pill=ADVICE if f.advice else pill_of(f.status),
        text=prose(f.text, 600),
        source=clipped(f"{source}: {f.by}" if f.by else source, 160),
        next_step=clipped(f.next_step, 300),
    )


def _findings_tally(g: Gate) -> str:
    parts = [
        f"{display.count(n)} {words}"
        for status, words in STATUS_WORDS
        if (n := sum(f.status is status and not f.advice for f in g.findings))
    ]
    return ", ".join(parts)


def gate_tables(result: ReadinessResult) -> tuple[TableView | None, ...]:
    """What the gates list beside their findings."""
    t = result.tables
    flows = (text("Data", "data_class"), text("Provider", "provider"), text("Region", "region"),
             text("Kept for", "retention"), text("Approved by", "approved_by"),
             text("Since", "approved_on"))  # fmt: skip
    modes = (text("Failure mode", "name"), count("Calls", "calls"), count("Outputs", "outputs"),
             text("Likely", "likelihood"),
             text("What is done about it", "mitigation"), text("Owner", "owner"))  # fmt: skip
    alerts = (text("Indicator", "indicator"), text("Fires over", "over"), text("Wakes", "owner"),
              text("Last fired in a test", "fired_in_test"))  # fmt: skip
    wrong = (text("Wrong", "wrong"), rate("Share", "num", "den"),
             Col("1,000 answers cost", "nano_usd", "cost"),
             text("Accepted by", "accepted_by"))  # fmt: skip
    return (
        _signoffs(result),
        view(t.get("wrong_answers"), wrong, "What being wrong costs"),
        view(t.get("data_flows"), flows, "Data flows"),
        view(t.get("failure_modes"), modes, "Failure modes"),
        view(t.get("alerts"), alerts, "Alerts"),
    )


def _signoffs(result: ReadinessResult) -> TableView | None:
    """Who signed for what; the link to what was signed only where the profile has left it."""
    table = result.tables.get("signoffs")
    if table is None or not table.height:
        return None
    keys = ("role", "by", "date", "expires", "scope", "evidence")
    heads = ("Role", "Signed by", "On", "Until", "For", "Filed at")
    nothing = [None] * table.height
    rows = [
        tuple(
            _linked(value) if key == "evidence" else Cell("" if value is None else clipped(value))
            for key, value in zip(keys, map(_text_of, row), strict=True)
        )
        for row in zip(*(table.data.get(key, nothing) for key in keys), strict=True)
    ]
    made = plain("table-signoffs", "Sign-offs", [(head, False) for head in heads], rows)
    return replace(made, csv="data/signoffs.csv", json="data/signoffs.json")


def _text_of(value: Scalar) -> str | None:
    return None if value is None else str(value)


def _linked(address: str | None) -> Cell:
    """An address that is http or https as a link, anything else as a text."""
    href = "" if address is None else web_link(address)
    return Cell(clipped(address or "", 60), href=href)
