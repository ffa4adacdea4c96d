"""From objectives, gates and field coverage to a decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gonogo import display
from gonogo.conventions import Severity, Source, Status, Verdict
from gonogo.results import Decision, FieldCoverage, Gate, ObjectiveResult, Reason

_RANK = {status: rank for rank, status in enumerate(Status)}


def decide(
    objectives: Sequence[ObjectiveResult],
    gates: Sequence[Gate],
    *,
    telemetry_only: bool,
    coverage: Sequence[FieldCoverage],
    regressions: tuple[Sequence[Reason], Sequence[Reason]] = ((), ()),
) -> tuple[Decision, Decision]:
    """The two decisions: (SLO: the objectives alone; readiness: the objectives and every gate).

    A blocking objective or gate that is BREACHED makes NO-GO; else one with NO_DATA, or nothing
    that blocks at all, INCONCLUSIVE; else conditions, each a reason, GO WITH CONDITIONS; else GO.
    Conditions are: a blocking objective or gate AT_RISK, one that is missed but waived, a warning
    BREACHED or with NO_DATA, thresholds proposed but not agreed, and required fields that under
    half of their rows carry (or that have no rows: whoever builds `coverage` sets `required` to
    False where a table is declared not applicable). `telemetry_only` changes words, not the
    verdict. `regressions` are reasons that block and reasons that are conditions; they count for
    readiness alone.
    """
    conditions = [*_proposed(objectives), *_uncovered(coverage)]
    slo = _decision(objectives, (), (), conditions, "")
    note = " (telemetry only, not a readiness decision)" if telemetry_only else ""
    blocking, warned = regressions
    return slo, _decision(objectives, gates, blocking, [*warned, *conditions], note)


def _decision(
    objectives: Sequence[ObjectiveResult],
    gates: Sequence[Gate],
    regressions: Sequence[Reason],
    conditions: Sequence[Reason],
    note: str,
) -> Decision:
    judged = [o for o in objectives if o.status is not Status.NOT_APPLICABLE]
    blocking = [
        *(_of_objective(o) for o in judged if o.severity is Severity.BLOCKING and not o.is_waived),
        *(_of_gate(g) for g in gates if g.status is not Status.NOT_APPLICABLE),
        *regressions,
    ]
    warnings = [
        _of_objective(o, f" ({'; '.join(filter(None, ('a warning, does not block', o.accepted)))})")
        for o in judged
        if o.severity is Severity.WARNING and o.status in (Status.BREACHED, Status.NO_DATA)
    ]
    waived = [_waived(o) for o in judged if o.severity is Severity.BLOCKING and o.is_waived]
    against = [reason for reason in blocking if reason.status is not Status.MET]
    against.sort(key=lambda reason: _RANK[reason.status])
    reasons = [*against, *waived, *warnings, *conditions]
    worst = against[0].status if against else None
    measured = any(o.severity is Severity.BLOCKING and o.total for o in judged)
    if worst is Status.BREACHED:
        verdict = Verdict.NO_GO
    elif worst is Status.NO_DATA or not measured:
        verdict = Verdict.INCONCLUSIVE
        if not any(reason.status is Status.NO_DATA for reason in against):
            text = "no blocking objective could be judged: a verdict needs at least one"
            reasons.insert(0, Reason(status=Status.NO_DATA, text=text))
    elif reasons:
        verdict = Verdict.CONDITIONS
    else:
        verdict = Verdict.GO
        reasons = [Reason(status=Status.MET, text=_all_met(judged, gates))]
    headline = f"{verdict.value}: {_why(verdict, judged, gates, regressions, reasons)}{note}"
    return Decision(verdict=verdict, headline=headline, reasons=tuple(reasons))


def _of_objective(o: ObjectiveResult, note: str = "") -> Reason:
    return Reason(status=o.status, text=f"{o.title}: {o.reason}{note}", objective=o.id)


def _waived(o: ObjectiveResult) -> Reason:
    text = f"{o.title}: missed, {o.accepted} ({o.reason})"
    return Reason(status=Status.AT_RISK, text=text, objective=o.id)


def _of_gate(g: Gate) -> Reason:
    return Reason(status=g.status, text=f"{g.title}: {g.text}", gate=g.id)


def _proposed(objectives: Sequence[ObjectiveResult]) -> list[Reason]:
    """One condition for all thresholds that nobody has agreed to yet."""
    judged = [o for o in objectives if o.status is not Status.NOT_APPLICABLE]
    open_ones = [o for o in judged if o.source is Source.PROPOSED and not o.agreed_by]
    if not open_ones:
        return []
    text = f"{_of(len(open_ones), len(judged), 'threshold')} proposed, not agreed: set agreed_by"
    return [Reason(status=Status.AT_RISK, text=text)]


def _uncovered(coverage: Sequence[FieldCoverage]) -> list[Reason]:
    """A condition for each required field that is not there on half of its rows, worst first."""
    gaps = [f for f in coverage if f.required and 2 * f.present < f.applicable]
    gaps.sort(key=lambda f: (f.present / f.applicable, f.field))
    gaps = [f for f in coverage if f.required and not f.applicable] + gaps
    return [Reason(status=Status.AT_RISK, text=_gap(f)) for f in gaps]


def _gap(f: FieldCoverage) -> str:
    hint = f"; {f.hint}" if f.hint else ""
    if not f.present:
        return f"{f.title} is not logged{hint}"
    share = display.near(f.present / f.applicable, "1/2", "ratio")
    counts = f"{display.count(f.present)} of {display.count(f.applicable)}"
    return f"{f.title} is logged on {share} only ({counts}){hint}"


def _why(
    verdict: Verdict,
    judged: Sequence[ObjectiveResult],
    gates: Sequence[Gate],
    regressions: Sequence[Reason],
    reasons: Sequence[Reason],
) -> str:
    """The sentence after the verdict."""
    waived = sum(o.is_waived and o.severity is Severity.BLOCKING for o in judged)
    also = f", {waived} waived" if waived else ""
    if verdict is Verdict.NO_GO:
        return _counted(judged, gates, regressions, Status.BREACHED, "breached") + also
    if verdict is Verdict.INCONCLUSIVE:
        if not any(
            r.objective or r.gate or r in regressions for r in reasons if r.status is Status.NO_DATA
        ):
            return "no blocking objective could be judged"
        return _counted(judged, gates, regressions, Status.NO_DATA, "without enough data") + also
    if verdict is Verdict.GO:
        return _all_met(judged, gates)
    at_risk = _counted(judged, gates, regressions, Status.AT_RISK, "at risk") + also
    if at_risk == also and waived:
        at_risk = f"{_of(waived, len(judged), 'objective')} missed but waived"
    named = sum(
        r.status is Status.AT_RISK and bool(r.objective or r.gate or r in regressions)
        for r in reasons
    )
    others = len(reasons) - named
    if not others:
        return at_risk
    conditions = f"{others} {'further ' if named else ''}condition{'s' if others > 1 else ''}"
    return f"{at_risk if named else _all_met(judged, gates)}, {conditions}"


def _counted(
    judged: Sequence[ObjectiveResult],
    gates: Sequence[Gate],
    regressions: Sequence[Reason],
    status: Status,
    word: str,
) -> str:
    """How many blocking objectives and gates have the status: 2 of 5 objectives are breached."""
    hit = sum(
        o.status is status and o.severity is Severity.BLOCKING and not o.is_waived for o in judged
    )
    hit_gates = sum(g.status is status for g in gates)
    parts = []
    if hit:
        parts.append(_of(hit, len(judged), "objective"))
    if hit_gates:
        parts.append(_of(hit_gates, _applicable(gates), "gate"))
    if len(parts) == 2:  # one verb for both
        first, second = (part.removesuffix(" is").removesuffix(" are") for part in parts)
        parts = [first, f"{second} are"]
    said = f"{' and '.join(parts)} {word}" if parts else ""
    if compared := sum(r.status is status for r in regressions):
        figures = f"{compared} compared figure{'s are' if compared > 1 else ' is'}"
        words = {Status.BREACHED: "worse", Status.NO_DATA: "without a comparison"}
        said += f"{', ' if said else ''}{figures} {words.get(status, 'perhaps worse')}"
    return said


def _all_met(judged: Sequence[ObjectiveResult], gates: Sequence[Gate]) -> str:
    met = sum(o.status is Status.MET for o in judged)
    text = f"{_of(met, len(judged), 'objective')} met"
    applicable = _applicable(gates)
    return f"{text}, {_of(applicable, applicable, 'gate')} met" if applicable else text


def _applicable(gates: Iterable[Gate]) -> int:
    return sum(g.status is not Status.NOT_APPLICABLE for g in gates)


def _of(part: int, whole: int, noun: str) -> str:
    """Part of a whole with its verb: 2 of 5 objectives are; the 1 objective is; all 5 gates are."""
    if part == whole == 1:
        return f"the 1 {noun} is"
    if part == whole:
        return f"all {whole} {noun}s are"
    return f"{part} of {whole} {noun}s {'is' if part == 1 else 'are'}"
