"""Whether latency and cost hold at the traffic to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.config.evidence import LoadTest, Traffic
from gonogo.conventions import Evidence, Severity, Status
from gonogo.evidence.findings import MEASURED, Judged, Says
from gonogo.evidence.people import day
from gonogo.results import Finding, ObjectiveResult

INDICATORS: Final = ("latency", "latency_ok", "ttft", "cost_per_call")


@dataclass(frozen=True, slots=True)
class Measured:
    """One log that may reach the target: its peak in calls per minute, and its objectives."""

    peak: Fraction | None
    objectives: Sequence[ObjectiveResult] = ()
    problem: str = ""
    """why the log cannot be read"""


def projected_traffic(
    traffic: Traffic,
    log: Measured,
    test: LoadTest | None,
    tested: Measured | None,
    today: date | None,
) -> Judged:
    """p95 and cost where the peak reaches the target: in the traffic, else in a load test."""
    target = _per_minute(traffic.target)
    if log.peak is not None and log.peak >= traffic.target:
        head = f"the traffic itself peaks at {_per_minute(log.peak)}, target {target}"
        return Judged((MEASURED.met(head), *_held(log, MEASURED)))
    measured = "no time" if log.peak is None else _per_minute(log.peak)
    missing = f"measured at {measured}, target {target}"
    if test is None or tested is None:
        step = "run a load test at the target, and name its logs in [load_test]"
        return Judged((MEASURED.missing(missing, step),))
    says = Says(Evidence.FILE, "load test" + (f" of {day(test.date)}" if test.date else ""))
    if tested.problem:
        text = f"{missing}; the load test cannot be read: {tested.problem}"
        return Judged((says.missing(text, "check the paths: they are relative to the file"),))
    if test.date is not None and (today is None or test.date > today):
        return Judged((says.missing("the load test is dated in the future", "correct its date"),))
    if tested.peak is None or tested.peak < traffic.target:
        reached = "no time" if tested.peak is None else _per_minute(tested.peak)
        text = f"{missing}; the load test reached {reached}"
        return Judged((says.missing(text, "repeat the load test at the target"),))
    head = f"the load test peaks at {_per_minute(tested.peak)}, target {target}"
    return Judged((says.met(head), *_held(tested, says)))


def _held(measured: Measured, says: Says) -> Iterator[Finding]:
    judged = [
        o
        for o in measured.objectives
        if o.indicator in INDICATORS and o.severity is Severity.BLOCKING
    ]
    for family, name in (("latency", "latency"), ("cost_per_call", "cost")):
        if not any(o.indicator == family and o.status is not Status.NOT_APPLICABLE for o in judged):
            step = f'write a threshold such as "{family}.{"p95" if name == "latency" else "mean"}"'
            yield says.missing(f"no objective judges the {name} at the target", step)
    for o in judged:
        text = f"{o.title} at the target: {o.reason}"
        if o.status is Status.BREACHED:
            yield says.breached(text, o.hint)
        elif o.status is Status.NO_DATA:
            yield says.missing(text, o.hint)
        elif o.status is Status.AT_RISK:
            yield says.at_risk(text, o.hint)
        elif o.status is Status.MET:
            yield says.met(text)


def _per_minute(rate: Fraction) -> str:
    text = display.plain(Fraction(round(rate * 10), 10))
    return f"{text} calls/min"
