"""Objectives as rows, as details under their permanent address, and their statuses as pills."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.conventions import PUBLIC, ChangeWord, Severity, Source, Status, Verdict
from gonogo.results import Budget, Change, ObjectiveResult, ReadinessResult
from gonogo.site.burn import budget_facts
from gonogo.site.model import ChangeNote, Fact, Link, ObjectiveDetail, ObjectiveRow, Pill, Tone
from gonogo.site.text import (
    clipped,
    firm,
    heading,
    interval_text,
    limit_text,
    observed_text,
    prose,
    ratio_text,
    web_link,
)

_STATUS: Final = {
    Status.BREACHED: Pill("Breached", "bad", "breached"),
    Status.NO_DATA: Pill("No data", "none", "nodata"),
    Status.AT_RISK: Pill("At risk", "warn", "risk"),
    Status.MET: Pill("Met", "good", "met"),
    Status.NOT_APPLICABLE: Pill("Not applicable", "none", "na"),
}
_VERDICT: Final = {
    Verdict.NO_GO: Pill(Verdict.NO_GO.value, "bad", "breached"),
    Verdict.INCONCLUSIVE: Pill(Verdict.INCONCLUSIVE.value, "none", "nodata"),
    Verdict.CONDITIONS: Pill(Verdict.CONDITIONS.value, "warn", "risk"),
    Verdict.GO: Pill(Verdict.GO.value, "good", "met"),
}
_SOURCE: Final = {
    Source.DEFAULT: "a default of gonogo, agreed by nobody",
    Source.PROPOSED: "proposed, not agreed yet",
    Source.WRITTEN: "written in the configuration",
}
_CHANGES: Final[dict[ChangeWord, tuple[str, Tone]]] = {
    ChangeWord.WORSE: ("worse", "bad"),
    ChangeWord.BETTER: ("better", "good"),
    ChangeWord.NO_CHANGE: ("no change", "none"),
    ChangeWord.TOO_FEW: ("too few to tell", "none"),
    ChangeWord.NOT_COMPARED: ("not compared", "none"),
}
_PAGES: Final = (
    (("latency", "request_latency", "ttft", "output_tokens_per_second"), "latency"),
    (("error", "request_error", "timeout", "rate_limit", "retry", "cache_hit"), "errors"),
    (("guardrail", "retrieval", "tool"), "quality"),
    (("cost", "input_tokens", "output_tokens"), "cost"),
)
_EVENTS: Final = {
    "request": "requests", "guardrail": "calls checked", "retrieval": "retrievals",
    "tool": "tool calls",
}  # fmt: skip


def pill_of(status: Status) -> Pill:
    return _STATUS[status]


def verdict_pill(verdict: Verdict) -> Pill:
    return _VERDICT[verdict]


def page_of(indicator: str) -> str:
    """The page that shows an indicator."""
    for prefixes, page in _PAGES:
        if indicator.startswith(prefixes):
            return page
    return "evaluation"


def _sample(objective: ObjectiveResult) -> str:
    if objective.slice_seconds:
        return f"{display.count(objective.total)} slices of {objective.slice_seconds // 60} min"
    table = objective.indicator.split("_", 1)[0]
    if objective.indicator == "cost_per_request":
        table = "request"
    return f"{display.count(objective.total)} {_EVENTS.get(table, 'calls')}"


def budget_texts(budget: Budget | None) -> tuple[str, str]:
    """How much of the error budget is left, and the events behind it."""
    if budget is None:
        return "–", ""
    if not budget.allowed_num:
        return "none allowed", f"{display.count(budget.bad)} bad"
    allowed = Fraction(budget.allowed_num, budget.allowed_den)
    # Of a small budget the part of an event counts: 2 of 0.4 is no division by zero.
    whole = display.count(int(allowed)) if allowed >= 10 else f"{float(allowed):.2g}"
    note = f"{display.count(budget.bad)} of {whole}"
    left = 1 - budget.bad / allowed
    if left < 0:
        return "overspent", note
    return ratio_text(left.numerator, left.denominator), note


def changes_since(result: ReadinessResult) -> dict[str, ChangeNote]:
    """What became of each objective since an earlier period, by its id; none without one."""
    return {
        change.objective: _change_note(change, clipped(comparison.old, 40))
        for comparison in result.comparisons
        if comparison.kind == "period" and not comparison.refused
        for change in comparison.changes
        if change.difference is not None
    }


def _change_note(change: Change, since: str) -> ChangeNote:
    words, tone = _CHANGES[change.word]
    if change.word is ChangeWord.NO_CHANGE:
        return ChangeNote(f"no change since {since}", tone)
    gap = firm(display.change(change.difference, change.unit))
    return ChangeNote(f"{gap} since {since}, {words}", tone)


def row(objective: ObjectiveResult, change: ChangeNote | None = None) -> ObjectiveRow:
    left, spent = budget_texts(objective.budget)
    severity = "" if objective.severity is Severity.BLOCKING else objective.severity.value
    severity = " · ".join(filter(None, (severity, "waived" if objective.is_waived else "")))
    return ObjectiveRow(
        slug=objective.slug,
        title=heading(objective.title),
        expression=clipped(objective.expression, 200),
        sample=_sample(objective),
        observed=observed_text(objective),
        interval=interval_text(objective),
        limit=limit_text(objective),
        budget=left,
        budget_note=spent,
        status=pill_of(objective.status),
        severity=severity,
        change=change,
    )


def rows_of_page(result: ReadinessResult, page: str) -> tuple[ObjectiveRow, ...]:
    since = changes_since(result)
    return tuple(row(o, since.get(o.id)) for o in result.objectives if page_of(o.indicator) == page)


def _waiver_text(o: ObjectiveResult) -> str:
    if o.waiver is None:
        return ""
    held = "until" if o.waiver.in_force else "not in force, void from"
    return f"{o.waiver.reason} – {o.waiver.owner}, {held} {o.waiver.expires}"


def _facts(objective: ObjectiveResult, result: ReadinessResult) -> tuple[Fact, ...]:
    o, profile = objective, result.profile
    left, spent = budget_texts(o.budget)
    facts = [
        Fact("As written", o.expression),
        Fact("Formula", o.formula),
        Fact("Observed", observed_text(o)),
        Fact(
            "95 % interval", f"{interval_text(o)}, {o.interval_method}" if interval_text(o) else ""
        ),
        Fact(
            "Good events",
            "" if o.good is None else f"{display.count(o.good)} of {display.count(o.total)}",
        ),
        Fact(
            "Coverage",
            f"{display.count(o.total)} of {display.count(o.eligible)} events that could "
            "carry the value"
            if o.eligible
            else "",
        ),
        Fact("Smallest sample judged", display.count(o.minimum)),
        Fact("Further events needed", display.count(o.needed) if o.needed else ""),
        Fact("Error budget", f"{left} ({spent} bad events)" if o.budget else ""),
        *budget_facts(o, result),
        Fact("Severity", o.severity.value),
        Fact("Threshold", _SOURCE[o.source] + (f", by {o.agreed_by}" if o.agreed_by else "")),
        Fact("Waiver", _waiver_text(o)),
        Fact("Defined at", (o.defined_at or "") if profile != PUBLIC else ""),
        Fact("Owner", o.owner or ""),
        Fact("Run book", o.runbook or "", web_link(o.runbook or "")),
    ]
    return tuple(
        Fact(fact.label, clipped(fact.text, 300), fact.href) for fact in facts if fact.text
    )


def detail(objective: ObjectiveResult, result: ReadinessResult) -> ObjectiveDetail:
    titles = {e.id: e.title for e in result.excursions}
    return ObjectiveDetail(
        slug=objective.slug,
        title=heading(objective.title),
        status=pill_of(objective.status),
        reason=prose(objective.reason, 500),
        hint=prose(objective.hint, 500),
        facts=_facts(objective, result),
        excursions=tuple(
            Link(clipped(titles.get(name, name)), f"breaches.html#{name}")
            for name in objective.excursions
        ),
    )
