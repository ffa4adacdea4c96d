"""From counts to statuses: BREACHED > NO_DATA > AT_RISK > MET, worst wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from gonogo import display
from gonogo.config.model import Config, Objective, Segment
from gonogo.conventions import Severity, Source, Status
from gonogo.results import Burn, Excursion, ObjectiveResult, Waiver
from gonogo.rollup.segments import MOST
from gonogo.slo import wording
from gonogo.slo.burn import budget, burn, window_budget, would_have
from gonogo.slo.data import ObjectiveData
from gonogo.slo.excursions import excursions
from gonogo.slo.measure import Measured, measure
from gonogo.stats.binomial import sample_needed
from gonogo.stats.intervals import Interval

Judged = tuple[Status, str, str]
"""status, reason, hint"""

_RANK = {status: rank for rank, status in enumerate(Status)}


def evaluate(
    data: Sequence[ObjectiveData], config: Config, today: date | None = None
) -> tuple[tuple[ObjectiveResult, ...], tuple[Excursion, ...]]:
    """Judge every objective: (results, worst first and then by violation; excursions by onset).

    `today` is the day by which waivers expire; without one none is in force.
    """
    slugs = wording.slugs([d.objective.id for d in data])
    judged = [_judge(d, slug, config, today) for d, slug in zip(data, slugs, strict=True)]
    judged.sort(key=lambda j: (_RANK[j[0].status], -j[2], j[0].id))
    found = sorted((e for _, es, _ in judged for e in es), key=_by_onset)
    return tuple(result for result, _, _ in judged), tuple(found)


def excursions_of(data: Sequence[ObjectiveData], config: Config) -> tuple[Excursion, ...]:
    """The excursions that `evaluate` finds, in its order, without what else it says."""
    slugs = wording.slugs([d.objective.id for d in data])
    found: list[Excursion] = []
    for d, slug in zip(data, slugs, strict=True):
        measured, judged = _measured(d, config)
        if measured is not None and _has_excursions(judged):
            found += excursions(d, slug, is_breach=not measured.met)
    return tuple(sorted(found, key=_by_onset))


def _has_excursions(judged: Judged | None) -> bool:
    """Whether it is told when: of few events too, where they lie beyond the limit without doubt."""
    return judged is None or judged[0] is Status.BREACHED


def _by_onset(excursion: Excursion) -> tuple[int, str]:
    return excursion.onset, excursion.id


def _measured(data: ObjectiveData, config: Config) -> tuple[Measured | None, Judged | None]:
    """What was measured, and the judgement where there is too little of it for a measured one."""
    measured = measure(data) if data.count and data.factor is not None else None
    judged: Judged | None
    if (scattered := _scattered(data.objective)) is not None:
        judged = scattered
    elif measured is not None:
        of = data.events or data
        judged = _uncovered(of, config.minimum_coverage if of.least is None else of.least)
        judged = judged or _small(data, measured)
    elif data.count:
        judged = _unscaled(data)
    elif data.events is not None and data.events.count:
        judged = _unsliced(data.events, data.width)
    else:
        judged = _absent(data.events or data, config)
    return measured, judged


def _judge(
    data: ObjectiveData, slug: str, config: Config, today: date | None
) -> tuple[ObjectiveResult, tuple[Excursion, ...], float]:
    measured, judged = _measured(data, config)
    found: tuple[Excursion, ...] = ()
    burned: Burn | None = None
    if measured is not None and _has_excursions(judged):
        found = excursions(data, slug, is_breach=not measured.met)
    if measured is not None and judged is None:
        burned = burn(data, config, found)
        judged = _met(data, measured, found, burned) if measured.met else _breached(data, measured)
    assert judged is not None  # without events _absent() always says something
    result = _result(data, slug, measured, judged, tuple(e.id for e in found))
    rest = data.objective.segment
    if rest is not None and rest.merged:
        result = _together(data.objective, rest, result)
    waiver, hint = _waiver(data.objective, result, today)
    result = result.model_copy(update={"burn": burned, "waiver": waiver, "hint": hint})
    return result, found, measured.violation if measured else 0.0


def _waiver(
    objective: Objective, result: ObjectiveResult, today: date | None
) -> tuple[Waiver | None, str]:
    """The waiver as it stands today, and the hint with what to do about one that has run out."""
    given, hint = objective.waiver, result.hint
    if given is None:
        return None, hint
    in_force = today is not None and today < given.expires
    if result.status is Status.BREACHED and not in_force:
        why = "the logs carry no time to judge it by: give the present with --as-of"
        if today is not None:
            why = f"it expired on {given.expires.isoformat()}"
        hint = "; ".join(filter(None, (hint, f"the waiver of {given.owner} does not hold: {why}")))
    return Waiver(
        owner=given.owner,
        reason=given.reason,
        expires=given.expires.isoformat(),
        in_force=in_force,
    ), hint


def _unsliced(events: ObjectiveData, width: int) -> Judged:
    """NO_DATA where no event lies in a slice of time that is over."""
    have = wording.events(events.objective, events.count)
    reason = f"none of {have} lies in a complete slice of {display.duration(width * 10**6)}"
    return Status.NO_DATA, reason, "log timestamp, and judge a longer stretch of logs"


def _scattered(objective: Objective) -> Judged | None:
    """NO_DATA where there are more segments than can each be judged by itself."""
    if objective.segment is not None or objective.segments <= MOST:
        return None
    return (
        Status.NO_DATA,
        f"{objective.group_by} has {display.count(objective.segments)} values, and at most {MOST} "
        "can each be judged by itself",
        "narrow the objective with a selector, or group it by another dimension",
    )


def _together(objective: Objective, rest: Segment, result: ObjectiveResult) -> ObjectiveResult:
    """What small segments are together; too small even so, they warn and do not decide."""
    values = "1 value" if rest.merged == 1 else f"{rest.merged} values together"
    least = wording.events(objective, objective.minimum)
    update: dict[str, object] = {
        "reason": f"{result.reason}; {values} of {rest.key} with under {least} each"
    }
    if result.status is Status.NO_DATA and result.severity is Severity.BLOCKING:
        update["severity"] = Severity.WARNING
    return result.model_copy(update=update)


def _absent(data: ObjectiveData, config: Config) -> Judged:
    """There is nothing to judge: not applicable where that is declared or by default, else NO_DATA.

    A declaration holds only here: logs that do carry the value contradict it, and are judged.
    """
    objective = data.objective
    spec, many = objective.spec, wording.noun(objective)
    for key in (spec.table, objective.indicator, spec.log_field):
        if key in config.not_applicable:
            reason = f"declared not applicable: {config.not_applicable[key]}"
            return Status.NOT_APPLICABLE, reason, ""
    log = f"log {spec.log_field}"
    if not data.rows:
        reason = f"no {many} in the logs"
        if objective.source is Source.DEFAULT:
            return Status.NOT_APPLICABLE, reason, f"{log} if the application has any"
        return (
            Status.NO_DATA,
            reason,
            f"{log}, or declare {spec.table} not applicable with a reason",
        )
    if data.eligible:
        has = wording.events(objective, data.eligible)
        return Status.NO_DATA, f"none of {has} carries {spec.log_field}", log
    if wording.shown_selector(objective):
        reason = f"no {many} match {wording.selector(objective)}"
        return Status.NO_DATA, reason, f"check the selector; else {log}"
    return Status.NO_DATA, f"no {many} in the period could carry {spec.log_field}", log


def _uncovered(data: ObjectiveData, least: Fraction) -> Judged | None:
    """NO_DATA where too few of the events that could carry the value do so."""
    objective, eligible = data.objective, max(data.eligible, data.count)
    coverage = Fraction(data.count, eligible)
    if coverage >= least:
        return None
    shown = display.near(coverage, least, "ratio")
    if data.least is not None:
        unknown = display.count(eligible - data.count)
        reason = (
            f"{unknown} of {wording.events(objective, eligible)} have no known cost "
            f"({display.near(1 - coverage, 1 - least, 'ratio')}), at most "
            f"{display.exact(1 - least, 'ratio')} allowed; unknown is not $0"
        )
        return Status.NO_DATA, reason, "log cost_usd, or state the price under [[prices.model]]"
    reason = (
        f"only {display.count(data.count)} of {wording.events(objective, eligible)} carry "
        f"{objective.spec.log_field} ({shown}), at least {display.exact(least, 'ratio')} needed"
    )
    return (
        Status.NO_DATA,
        reason,
        f"log {objective.spec.log_field} on all {wording.noun(objective)}",
    )


def _unscaled(data: ObjectiveData) -> Judged:
    """NO_DATA where the log is too short to say what a day's traffic is."""
    return (
        Status.NO_DATA,
        f"{data.scenario}: the log spans less than a day, which says nothing of a month",
        "judge at least a day of logs, or state calls_per_day and use cost.monthly_at_target",
    )


def _small(data: ObjectiveData, measured: Measured) -> Judged | None:
    """Under the minimum sample nothing is met, and only what is beyond doubt is breached."""
    objective = data.objective
    if measured.total >= objective.minimum:
        return None
    least = f"under the minimum of {wording.events(objective, objective.minimum)}"
    if measured.beyond:
        return Status.BREACHED, f"{_seen(data, measured)}; {least}, but beyond doubt", ""
    missing = wording.events(objective, _needed(data, measured) or 1)
    return Status.NO_DATA, f"{_seen(data, measured)}; {least}", f"{missing} more needed"


def _breached(data: ObjectiveData, measured: Measured) -> Judged:
    objective = data.objective
    hint = ""
    if objective.target is not None:
        bad = data.count - data.good_count
        allowed = int((1 - objective.target) * data.count)
        over = max(1, bad - allowed)
        hint = (
            f"{display.count(over)} bad {wording.noun(objective, over)} more than the "
            f"{display.count(allowed)} that the limit allows"
        )
    return Status.BREACHED, _seen(data, measured), hint


def _met(
    data: ObjectiveData, measured: Measured, found: Sequence[Excursion], burned: Burn | None
) -> Judged:
    """Met as counted; at risk where an excursion, a burn-rate alert or the bound says so."""
    objective = data.objective
    seen, bound = _seen(data, measured), None
    if measured.bound is not None:
        bound = wording.observed(objective, measured.bound)
    upper = wording.is_upper(objective)
    alerts = [a for a in burned.alerts if not a.by_chance] if burned else []
    if measured.carried and not found and not alerts:
        sure = (
            f"; with 95 % confidence {'at most' if upper else 'at least'} {bound}" if bound else ""
        )
        return Status.MET, seen + sure, ""
    parts, hint = [], "look at what changed when it began"
    if len(found) == 1:
        (only,) = found
        when = (
            f"since {display.time(only.onset)}"
            if only.ongoing
            else f"from {display.span(only.onset, only.end)}"
        )
        parts.append(f"not {when}")
    elif found:
        lasted = display.duration(sum(e.end - e.onset for e in found) * 10**6)
        parts.append(f"not in {len(found)} excursions of {lasted} together")
    if alerts:
        # Whoever is woken up matters more than an earlier ticket.
        first = min(alerts, key=lambda alert: (alert.alert != "page", alert.fired))
        parts.append(f"it {would_have(first)}")
    if not measured.carried:
        if not found and not alerts:
            hint = _more(data, measured)
        many = wording.events(objective, measured.total)
        parts.append(
            f"it may be as {'high' if upper else 'low'} as {bound}"
            if bound
            else f"{many} are too few to be sure of it"
        )
    return (
        Status.AT_RISK,
        f"{seen}: met over the period as counted, but {', and '.join(parts)}",
        hint,
    )


def _more(data: ObjectiveData, measured: Measured) -> str:
    if measured.needed is None:
        return f"no number of {wording.noun(data.objective)} at this level would carry the claim"
    more = wording.events(data.objective, measured.needed)
    return f"about {more} more at this level would carry the claim"


def _seen(data: ObjectiveData, measured: Measured) -> str:
    """What was observed, against the limit."""
    objective = data.objective
    if objective.spec.kind == "projection":
        exact = Fraction(data.value_sum, data.count) * (data.factor or 1)
        each = display.money(Fraction(data.value_sum, data.count))
        many = wording.events(objective, data.count)
        projected = wording.observed(objective, exact)
        return (
            f"{projected} a month {data.scenario}, at the {each} that {many} cost on average, "
            f"{wording.limit(objective)}"
        )
    if objective.is_mean:
        return wording.seen_mean(objective, data.value_sum, data.count)
    counted = wording.seen(objective, data.good_count, data.count)
    if objective.quantile is None or measured.observed is None:
        return counted
    value = wording.observed(objective, measured.observed)
    return f"{objective.statistic} is {value}, {wording.limit(objective)}: {counted}"


def _needed(data: ObjectiveData, measured: Measured | None) -> int | None:
    """Further events needed to carry the claim, the minimum sample included."""
    objective, have = data.objective, data.count
    short = max(0, objective.minimum - have)
    if measured is not None:
        return max(measured.needed or 0, short) or None
    if objective.target is None:
        return short or None
    return max(sample_needed(0.0, float(1 - objective.target)) or 0, short) or None


def _result(
    data: ObjectiveData,
    slug: str,
    measured: Measured | None,
    judged: Judged,
    found: tuple[str, ...],
) -> ObjectiveResult:
    o: Objective = data.objective
    status, reason, hint = judged
    interval = measured.interval if measured else Interval(None, None, "none")
    lacking = status in (Status.NO_DATA, Status.AT_RISK)
    return ObjectiveResult(
        id=o.id,
        slug=slug,
        title=wording.title(o),
        expression=o.expression,
        indicator=o.indicator,
        statistic=o.statistic,
        selector=dict(wording.shown_selector(o)),
        comparator=o.comparator,
        limit=display.plain(o.limit),
        unit=o.spec.unit,
        formula=o.spec.formula,
        source=o.source,
        severity=o.severity,
        status=status,
        reason=reason,
        hint=hint,
        observed=measured.observed if measured else None,
        low=interval.low,
        high=interval.high,
        bound=measured.bound if measured and status in (Status.MET, Status.AT_RISK) else None,
        interval_method=interval.method,
        good=None if o.target is None else data.good_count,
        total=data.count,
        eligible=data.eligible,
        minimum=o.minimum,
        needed=_needed(data, measured) if lacking else None,
        budget=budget(data),
        window_budget=window_budget(data),
        excursions=found,
        group_by=o.group_by,
        slice_seconds=None if o.sliced is None else o.sliced.seconds,
        owner=o.owner,
        runbook=o.runbook,
        agreed_by=o.agreed_by,
        defined_at=o.defined_at,
    )
