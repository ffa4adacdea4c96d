"""The figures of an objective as text, the same in every export."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gonogo import display
from gonogo.conventions import Source, Status, Verdict
from gonogo.results import Decision, IngestReport, ObjectiveResult, ReadinessResult

STATUS_WORDS: Final = {
    Status.BREACHED: "BREACHED",
    Status.NO_DATA: "NO DATA",
    Status.AT_RISK: "AT RISK",
    Status.MET: "MET",
    Status.NOT_APPLICABLE: "N/A",
}
STATUS_ICONS: Final = {
    Status.BREACHED: "✗",
    Status.NO_DATA: "?",
    Status.AT_RISK: "!",
    Status.MET: "✓",
    Status.NOT_APPLICABLE: "–",
}
VERDICT_ICONS: Final = {
    Verdict.NO_GO: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.CONDITIONS: "!",
    Verdict.GO: "✓",
}
_SOURCES: Final = {
    Source.DEFAULT: "default threshold, not your SLA",
    Source.PROPOSED: "proposed threshold, not agreed yet",
    Source.WRITTEN: "written in the configuration",
}


def status_words(objective: ObjectiveResult) -> str:
    """The status as words: BREACHED, or BREACHED, waived."""
    return STATUS_WORDS[objective.status] + (", waived" if objective.is_waived else "")


def observed(objective: ObjectiveResult) -> str:
    """The observed value, never rounded across its limit; – where there is none."""
    return display.near(objective.observed, objective.limit, objective.unit)


def interval(objective: ObjectiveResult) -> str:
    """The 95 % interval; "" where there is none."""
    if objective.low is None and objective.high is None:
        return ""
    return display.interval(objective.low, objective.high, objective.unit)


def limit(objective: ObjectiveResult) -> str:
    """Comparator and limit: ≤ 2.5 s."""
    sign = objective.comparator.replace("<=", "≤").replace(">=", "≥")
    return f"{sign} {display.exact(Fraction(objective.limit), objective.unit)}"


def counts(objective: ObjectiveResult) -> str:
    """How many events were bad, of how many."""
    if objective.good is None:
        return f"{display.count(objective.total)} events"
    return share(objective.total - objective.good, objective.total)


def share(bad: int, total: int) -> str:
    """1,734 bad of 2,000 (86.7 %)."""
    return f"{display.count(bad)} bad of {display.count(total)} ({display.ratio(bad, total)})"


def threshold(objective: ObjectiveResult) -> str:
    """Where the threshold comes from and who agreed to it."""
    text = _SOURCES[objective.source]
    if objective.defined_at:
        text += f" ({objective.defined_at})"
    return f"{text}, agreed by {objective.agreed_by}" if objective.agreed_by else text


def iso(epoch: int, zone: str = "UTC") -> str:
    """A time for programs: 2026-11-18T13:35:00Z, or with the offset of `zone`."""
    return (
        datetime.fromtimestamp(epoch, ZoneInfo(known_zone(zone))).isoformat().replace("+00:00", "Z")
    )


def moment(epoch: int, zone: str) -> str:
    """A time for people, in UTC and, where its clock differs, in the declared zone."""
    utc, local = display.time(epoch), display.time(epoch, known_zone(zone))
    same = datetime.fromtimestamp(epoch, ZoneInfo(known_zone(zone))).utcoffset() == timedelta(0)
    return utc if same else f"{utc} ({local})"


def stretch(start: int, end: int, zone: str) -> str:
    """From when until when, in UTC and, where its clock differs, in the declared zone."""
    utc, local = display.span(start, end), display.span(start, end, known_zone(zone))
    return utc if moment(start, zone) == display.time(start) else f"{utc} ({local})"


def known_zone(name: str) -> str:
    """`name` where it is a time zone on this machine, else UTC: a saved result may name any."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def headline(result: ReadinessResult, decision: Decision) -> str:
    """The first thing to say: how far the worst breach is over its limit, else the worst reason."""
    if not decision.reasons:
        return summary(decision)
    worst = decision.reasons[0]
    for o in result.objectives:
        is_it = o.id == worst.objective and o.status is Status.BREACHED and not o.is_waived
        if is_it and o.observed is not None:
            return f"{o.title} {observed(o)}, limit {limit(o)}: {counts(o)}"
    return worst.text


def summary(decision: Decision) -> str:
    """The headline without the verdict, which stands beside it."""
    return decision.headline.removeprefix(f"{decision.verdict.value}: ")


def nearest(result: ReadinessResult) -> ObjectiveResult | None:
    """The objective that uses up most of what its limit allows; None where none is judged."""
    judged = [(used, o) for o in result.objectives if (used := _used(o)) is not None]
    return max(judged, key=lambda pair: pair[0])[1] if judged else None


def conservation(read: IngestReport) -> str:
    """lines = accepted + quarantined + duplicates, with the figures."""
    return (
        f"{display.count(read.lines)} lines = {display.count(read.accepted)} accepted"
        f" + {display.count(read.quarantined)} quarantined"
        f" + {display.count(read.duplicates)} duplicates"
    )


def period(result: ReadinessResult) -> str:
    """The label of the period, with its start and end in the declared zone where they are known."""
    label, start, end = result.period.label, result.period.start, result.period.end
    if start is None or end is None:
        return label
    return f"{label}, {display.span(start, end, known_zone(result.period.timezone))}"


def _used(objective: ObjectiveResult) -> float | None:
    if objective.observed is None or objective.status not in (Status.MET, Status.AT_RISK):
        return None
    bound, seen = float(Fraction(objective.limit)), objective.observed
    if objective.comparator in ("<=", "<"):
        return seen / bound if bound else 1.0
    if objective.unit == "ratio":
        return (1 - seen) / (1 - bound) if bound < 1 else 1.0
    return bound / seen if seen else 1.0
