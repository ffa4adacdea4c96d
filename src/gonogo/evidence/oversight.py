"""Guardrails and human review: what is declared, and what the log shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Final

from gonogo import display
from gonogo.config.evidence import Action, Gates, Guardrail, Oversight
from gonogo.conventions import Evidence
from gonogo.evidence.findings import DECLARED, MEASURED, Judged, Says, counted, listed
from gonogo.evidence.guardlabels import labelled
from gonogo.evidence.observed import ActionCount, GuardrailCount, Observed
from gonogo.evidence.outputs import trace_table
from gonogo.evidence.people import day, words
from gonogo.evidence.spikes import judged, spike_table
from gonogo.results import Column, Finding, Table

SLOW_US: Final = 50_000
"""A guardrail whose p95 is above this is worth a look."""

_REVIEWED: Final = ("approved", "rejected", "overridden", "afterwards")
_BEFOREHAND: Final = ("approved", "rejected", "overridden")
_OVERRIDDEN: Final = ("rejected", "overridden")


def oversight(
    gates: Gates,
    observed: Observed,
    attacked: Judged | None = None,
    tested: date | None = None,
    labels: Sequence[Path] = (),
) -> Judged:
    """Both halves of the gate: guardrails in place and tested, actions reviewed by people.

    `attacked` is what a red team found; on the day `tested` it tried every guardrail.
    """
    wanted = gates.oversight or Oversight()
    attacked, told = attacked or Judged(()), labelled(wanted, labels)
    guardrails = [
        replace(g, tested=max(filter(None, (g.tested, tested)), default=None))
        for g in gates.guardrails
    ]
    found = [*_guardrails(guardrails, wanted, observed), *attacked.findings]
    found += told.findings
    found += judged(observed.spikes, observed.zone)
    found += _actions(gates.actions, wanted, observed)
    tables = [_matrix(guardrails, wanted, observed), *told.tables, *attacked.tables]
    if observed.actions:
        tables.append(_action_table(gates.actions, observed.actions))
    tables.append(spike_table(observed.spikes, observed.zone))
    tables.append(_open_actions(gates.actions, observed))
    return Judged(tuple(found), tuple(tables))


# --- guardrails -----------------------------------------------------------------------------------


def _name_of(guarded: str) -> str:
    stage, _, what = guarded.partition(":")
    place = {"input": "on input", "output": "on output", "rate_limit": ""}[stage]
    if stage == "rate_limit":
        return f"rate limit per {what}"
    what = "PII" if what == "pii" else words(what)
    return f"{what} {place}"


def _stage_of(guarded: str) -> str:
    return guarded.partition(":")[0]


def _runs(guardrail: Guardrail, guarded: str, observed: Observed) -> list[GuardrailCount]:
    """What the log shows of a guardrail in the stage; one that logs no stage counts for each."""
    wanted = (_stage_of(guarded), "")
    return [
        g
        for g in observed.guardrails
        if g.name.lower() == guardrail.name.lower() and g.stage.lower() in wanted
    ]


def _guardrails(
    declared: Sequence[Guardrail], wanted: Oversight, observed: Observed
) -> Iterator[Finding]:
    for guarded in wanted.guardrails:
        covering = [g for g in declared if guarded in g.covers]
        if not covering:
            step = f'add [[guardrail]] with covers = ["{guarded}"]'
            yield DECLARED.missing(f"nothing guards against {_name_of(guarded)}"
                                   if _stage_of(guarded) != "rate_limit"
                                   else f"there is no {_name_of(guarded)}", step)  # fmt: skip
        for guardrail in covering:
            yield _ran(guardrail, guarded, wanted, observed)
    for guardrail in declared:
        yield _tested(guardrail, wanted, observed)
    names = {g.name.lower() for g in declared}
    unknown = sorted({g.name for g in observed.guardrails if g.name.lower() not in names})
    if unknown:
        text = f"in the log, but not declared: {listed(unknown)}"
        yield MEASURED.advice(text, "add a [[guardrail]] that says what it covers")
    yield from _costs(observed)


def _ran(guardrail: Guardrail, guarded: str, wanted: Oversight, observed: Observed) -> Finding:
    runs = _runs(guardrail, guarded, observed)
    ran = sum(g.calls for g in runs)
    every = observed.calls + observed.checked
    head = f"{_name_of(guarded)}: {guardrail.name}"
    if not ran:
        step = "log guardrails[].name and .stage where it runs, or correct the name"
        return MEASURED.missing(f"{head} is declared, and never seen in the log", step)
    bypassed = sum(g.bypassed for g in runs)
    text = f"{head} ran on {ran:,} of {counted(every, 'call')} ({display.ratio(ran, every)})"
    if bypassed:
        step = "find out how, in the calls where it was bypassed"
        return MEASURED.at_risk(f"{text} and was bypassed on {bypassed:,}", step)
    asked = wanted.coverage if guardrail.coverage is None else guardrail.coverage
    if Fraction(ran, every) < asked:
        limit = display.ratio(*asked.as_integer_ratio())
        return MEASURED.at_risk(f"{text}; {limit} are asked for", "run it on every call")
    return MEASURED.met(text)


def _tested(guardrail: Guardrail, wanted: Oversight, observed: Observed) -> Finding:
    if guardrail.tested is None or observed.today is None or guardrail.tested > observed.today:
        step = "run a red team against it, and write when in tested"
        return DECLARED.missing(f"{guardrail.name} was not tested", step)
    text = f"{guardrail.name} was tested on {day(guardrail.tested)}"
    if (observed.today - guardrail.tested).days > wanted.test_days:
        step = f"test it again: {wanted.test_days} days are allowed"
        return DECLARED.at_risk(f"{text}, too long ago", step)
    return DECLARED.met(text)


def _costs(observed: Observed) -> Iterator[Finding]:
    for g in observed.guardrails:
        if g.latency_p95 is not None and g.latency_p95 > SLOW_US:
            stage = f" ({g.stage})" if g.stage else ""
            text = f"{g.name}{stage} adds {display.duration(g.latency_p95)} at p95"
            step = "look at what it does: the usual aim is under 50 ms"
            yield MEASURED.advice(text, step)
    share = observed.guardrail_share
    if share is not None:
        text = f"guardrail checks cost {display.ratio(share, 1)} of what calls cost"
        yield MEASURED.advice(text, "hold it against what they stop, on the Quality page")


def _matrix(declared: Sequence[Guardrail], wanted: Oversight, observed: Observed) -> Table:
    rows: list[tuple[str, str | None, str | None, int, int, int]] = []
    every = observed.calls + observed.checked
    for guarded in wanted.guardrails:
        covering = [g for g in declared if guarded in g.covers]
        for g in covering:
            runs = _runs(g, guarded, observed)
            calls, bypassed = sum(r.calls for r in runs), sum(r.bypassed for r in runs)
            tested = None if g.tested is None else str(g.tested)
            rows.append((_name_of(guarded), g.name, tested, calls, every, bypassed))
        if not covering:
            rows.append((_name_of(guarded), None, None, 0, every, 0))
    columns = list(zip(*rows, strict=True)) or [()] * 6
    keys = ("guards", "guardrail", "tested", "calls", "every", "bypassed")
    return Table(
        id="guardrail_matrix",
        title="What must be guarded",
        columns=(
            Column(key="guards", title="guards against", unit="text"),
            Column(key="guardrail", title="guardrail", unit="text"),
            Column(key="calls", title="calls", unit="count", kind="hidden"),
            Column(key="every", title="all calls", unit="count", kind="hidden"),
            Column(key="coverage", title="ran on", unit="ratio", kind="ratio", num="calls",
                   den="every"),
            Column(key="bypassed", title="bypassed", unit="count"),
            Column(key="tested", title="last tested", unit="text"),
        ),
        data={key: list(values) for key, values in zip(keys, columns, strict=True)},
    )  # fmt: skip


# --- actions --------------------------------------------------------------------------------------


def _actions(
    declared: Sequence[Action], wanted: Oversight, observed: Observed
) -> Iterator[Finding]:
    by_name = {action.name.lower(): action for action in declared}
    if not declared:
        text, step = "no action is declared", "add an [[action]] for everything that it may do"
        yield DECLARED.missing(text, step)
    seen: dict[str, list[ActionCount]] = {}
    for count in observed.actions:
        seen.setdefault(count.name.lower(), []).append(count)
    for name, counts in seen.items():
        if name not in by_name:
            number = counted(sum(c.actions for c in counts), "time")
            text = f"{counts[0].name} was done {number} and is not declared"
            yield MEASURED.missing(text, f'declare it: [[action]] name = "{counts[0].name}"')
    for action in declared:
        yield from _declared(action)
        yield from _done(action, seen.get(action.name.lower(), []))
    tiers = {action.tier for action in declared}
    if tiers == {1}:
        text = "every action is in tier 1: nothing is ever reviewed"
        yield DECLARED.at_risk(text, "put what cannot be undone into tier 2 or 3")
    if tiers & {2, 3}:
        yield from _queue(wanted, observed)


def _declared(action: Action) -> Iterator[Finding]:
    if action.reversible is None:
        text = f"{action.name}: nobody says whether it can be undone"
        yield DECLARED.at_risk(text, "write reversible = true or false")
    elif not action.reversible and action.tier == 1:
        text = f"{action.name} cannot be undone, and runs without review (tier 1)"
        yield DECLARED.at_risk(text, "put it into tier 2 or 3")
    hidden = [what for what in ("context", "reasoning") if what not in action.reviewer_sees]
    if action.tier == 3 and hidden:
        text = f"{action.name}: who approves is not shown the {' and the '.join(hidden)}"
        step = 'show them, and write reviewer_sees = ["context", "reasoning"]'
        yield DECLARED.at_risk(text, step)


def _done(action: Action, counts: Sequence[ActionCount]) -> Iterator[Finding]:
    total = sum(c.actions for c in counts)
    head = f"{action.name} (tier {action.tier})"
    if not total:
        yield DECLARED.met(f"{head} is declared; the log shows none")
        return
    logged = {c.tier for c in counts} - {0, action.tier}
    if logged:
        text = f"{head} is logged as tier {', '.join(map(str, sorted(logged)))}"
        yield MEASURED.at_risk(text, "log the declared tier, or declare the logged one")
    if action.tier == 1:
        yield MEASURED.met(f"{head}: done {counted(total, 'time')}, without review")
        return
    fine = _REVIEWED if action.tier == 2 else _BEFOREHAND
    # What waits in the queue has not been done yet.
    bad = sum(c.actions for c in counts if c.review not in (*fine, "pending", "unknown"))
    unknown = sum(c.actions for c in counts if c.review == "unknown")
    asked = "review" if action.tier == 2 else "approval beforehand"
    if bad:
        text = f"{head}: {bad:,} of {counted(total, 'time')} without {asked}"
        yield MEASURED.breached(text, "stop it from running without a person, and look at these")
    if unknown:
        text = f"{head}: {unknown:,} of {counted(total, 'time')} do not log a review"
        yield MEASURED.missing(text, "log action.review")
    if not bad and not unknown:
        yield MEASURED.met(f"{head}: {counted(total, 'time')}, each with {asked}")


def _queue(wanted: Oversight, observed: Observed) -> Iterator[Finding]:
    if wanted.queue_owner is None:
        step = "name queue_owner in [oversight]"
        yield DECLARED.missing("nobody owns the review queue", step)
    reviewed = [c for c in observed.actions if c.review in _REVIEWED and c.tier != 1]
    total, waiting = (
        sum(c.actions for c in reviewed),
        sum(c.actions for c in observed.actions if c.review == "pending"),
    )
    if not total and not waiting:
        return
    parts = [f"{counted(total, 'review')}"]
    overridden = sum(c.actions for c in reviewed if c.review in _OVERRIDDEN)
    if total:
        parts.append(f"{display.ratio(overridden, total)} rejected or changed")
    timed = sum(c.latency_n for c in reviewed)
    if timed:
        mean = Fraction(sum(c.latency_us for c in reviewed), timed)
        parts.append(f"{display.duration(mean)} in the mean")
    parts.append(f"{waiting:,} waiting")
    says = Says(Evidence.MEASURED, wanted.queue_owner or "")
    yield says.met(f"review queue: {', '.join(parts)}")


def _open_actions(declared: Sequence[Action], observed: Observed) -> Table:
    """Single traces in which an action of tier 2 or 3 lacked what it needs."""
    tiers = {action.name.lower(): action.tier for action in declared}
    rows = []
    for w in observed.witnesses:
        tier = tiers.get(w.name.lower()) if w.what == "action" else None
        if tier in (2, 3) and w.why not in (_REVIEWED if tier == 2 else _BEFOREHAND):
            lacks = "no review" if tier == 2 else "no approval beforehand"
            lacks = "reviewed afterwards only" if w.why == "afterwards" else lacks
            lacks = "no review is logged" if w.why == "unknown" else lacks
            rows.append((f"{w.name} (tier {tier})", lacks, w))
    title = "Actions without their review"
    return trace_table("action_traces", title, ("action", "what is missing"), rows)


def _action_table(declared: Sequence[Action], counts: Sequence[ActionCount]) -> Table:
    tiers = {action.name.lower(): action.tier for action in declared}
    return Table(
        id="actions",
        title="Actions and their review",
        columns=(
            Column(key="action", title="action", unit="text"),
            Column(key="tier", title="declared tier", unit="text"),
            Column(key="logged", title="logged tier", unit="text"),
            Column(key="review", title="review", unit="text"),
            Column(key="actions", title="times", unit="count"),
            Column(key="latency_n", title="timed", unit="count", kind="hidden"),
            Column(key="latency_us", title="time", unit="us", kind="hidden"),
            Column(key="latency_mean", title="time to review, mean", unit="us", kind="mean",
                   num="latency_us", den="latency_n"),
        ),
        data={
            "action": [c.name for c in counts],
            "tier": [
                str(tiers[c.name.lower()]) if c.name.lower() in tiers else "not declared"
                for c in counts
            ],
            "logged": [str(c.tier) if c.tier else None for c in counts],
            "review": [c.review for c in counts],
            "actions": [c.actions for c in counts],
            "latency_n": [c.latency_n for c in counts],
            "latency_us": [c.latency_us for c in counts],
        },
    )  # fmt: skip
