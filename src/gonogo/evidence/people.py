"""Use case, owners, sign-offs, data flows and failure modes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from gonogo import display
from gonogo.config.evidence import (
    DIMENSIONS,
    OWNERS,
    DataFlow,
    FailureMode,
    Gates,
    Owners,
    Signoff,
    UseCase,
)
from gonogo.conventions import Evidence
from gonogo.evidence.findings import DECLARED, MEASURED, Judged, Says, counted, listed
from gonogo.evidence.observed import Observed, Provider
from gonogo.results import Column, Finding, Scalar, Table

STRONG: Final = 13
TRAP: Final = 8
PILOT_MONTHS: Final = 6
_MONTHS_A_YEAR: Final = 12


def words(name: str) -> str:
    """A key as words: data_governance is data governance."""
    return name.replace("_", " ")


def day(when: date) -> str:
    """16 Nov 2026."""
    return f"{when.day} {when:%b %Y}"


# --- use case -------------------------------------------------------------------------------------


def use_case(case: UseCase, observed: Observed, wrong: tuple[int, int] | None) -> Judged:
    """The rubric, the price of errors and the pilot's age; `wrong` is (failed, cases) of the golden
    set, None where there is none."""
    counted_wrong = wrong or (sum(observed.errors.values()), observed.calls)
    table = _wrong_table(case, counted_wrong, "the golden set" if wrong else "failed calls")
    findings = (*_rubric(case), *_errors(case, observed, wrong), *_pilot(case, observed))
    return Judged(findings, (table,))


def _rubric(case: UseCase) -> Iterator[Finding]:
    scores = {name: getattr(case, name) for name in DIMENSIONS}
    missing = [words(name) for name, score in scores.items() if score is None]
    if missing:
        text = f"the use case is not scored on {listed(missing)}"
        yield DECLARED.missing(text, "score each dimension from 1 to 3 in [use_case]")
        return
    total = sum(scores.values())
    text = f"the use case scores {total} of 15"
    if total >= STRONG:
        yield DECLARED.met(f"{text}: strong")
    elif total <= TRAP:
        yield DECLARED.breached(f"{text}: a trap ({TRAP} or less)", "choose another use case")
    else:
        weakest = [words(name) for name, score in scores.items() if score == min(scores.values())]
        step = f"work on {listed(weakest)}"
        yield DECLARED.at_risk(f"{text}: in between ({STRONG} or more is strong)", step)


def _errors(case: UseCase, observed: Observed, wrong: tuple[int, int] | None) -> Iterator[Finding]:
    """What being wrong costs, against how it goes without the model."""
    if case.cost_of_error is None and case.baseline_error_rate is None:
        step = "write cost_of_error, baseline_error_rate and accepted_by in [use_case]"
        yield DECLARED.missing("what a wrong answer costs is not stated", step)
        return
    failed, total = (sum(observed.errors.values()), observed.calls) if wrong is None else wrong
    source = "calls of the log failed" if wrong is None else "cases of the golden set are wrong"
    if not total:
        yield DECLARED.missing("nothing shows how often answers are wrong", "run a golden set")
        return
    rate = Fraction(failed, total)
    text = f"{display.ratio(failed, total)} of {source} ({failed:,} of {total:,})"
    says = MEASURED if wrong is None else Says(Evidence.FILE)
    if case.cost_of_error is not None:
        price = display.money(rate * case.cost_of_error * 1000 * 10**9)
        text += f", {price} for 1,000 answers"
    baseline = case.baseline_error_rate
    if baseline is None:
        yield says.at_risk(f"{text}; no baseline is stated", "write baseline_error_rate")
    else:
        shown = display.ratio(*baseline.as_integer_ratio())
        if rate > baseline:
            step = "lower the error rate, or have somebody accept it with a new baseline"
            yield says.breached(f"{text}; today, without the model, it is {shown}", step)
        else:
            yield says.met(f"{text}; today, without the model, it is {shown}")
    if case.accepted_by is None:
        yield DECLARED.at_risk("nobody has accepted the cost of errors", "fill in accepted_by")
    else:
        yield Says(Evidence.DECLARED, case.accepted_by).met("the cost of errors is accepted")


def _wrong_table(case: UseCase, wrong: tuple[int, int], source: str) -> Table:
    """What it costs to be wrong as often as was seen, 5 % of the time, and as today."""
    rates = [(f"as often as {source} show{'s' if source.startswith('the') else ''}", wrong)]
    rates.append(("5 % of the time", (1, 20)))
    if case.baseline_error_rate is not None:
        ratio = case.baseline_error_rate.as_integer_ratio()
        rates.append(("as today, without the model", ratio))
    rates = [(name, pair) for name, pair in rates if pair[1]]
    price = case.cost_of_error
    costs: list[Scalar] = [
        None if price is None else round(Fraction(*pair) * price * 1000 * 10**9)
        for _, pair in rates
    ]
    return Table(
        id="wrong_answers",
        title="What being wrong costs",
        columns=(
            Column(key="wrong", title="wrong", unit="text"),
            Column(key="num", title="wrong answers", unit="count", kind="hidden"),
            Column(key="den", title="answers", unit="count", kind="hidden"),
            Column(key="rate", title="share", unit="ratio", kind="ratio", num="num", den="den"),
            Column(key="cost", title="cost of 1,000 answers", unit="nano_usd"),
            Column(key="accepted_by", title="accepted by", unit="text"),
        ),
        data={
            "wrong": [name for name, _ in rates],
            "num": [num for _, (num, _) in rates],
            "den": [den for _, (_, den) in rates],
            "cost": costs,
            "accepted_by": [case.accepted_by for _ in rates],
        },
        note="The share of wrong answers times what one costs (cost_of_error of [use_case]).",
    )


def _pilot(case: UseCase, observed: Observed) -> Iterator[Finding]:
    if case.stage is not None:
        yield DECLARED.met(f"rollout stage: {case.stage}")
    started, today = case.pilot_started, observed.today
    if started is None or today is None:
        return
    months = (today.year - started.year) * _MONTHS_A_YEAR + today.month - started.month
    months -= today.day < started.day
    if months < 0:
        yield DECLARED.missing(f"the pilot starts on {day(started)} only", "check pilot_started")
    elif case.production_date is None and (today > _plus_months(started, PILOT_MONTHS)):
        text = f"the pilot runs since {day(started)}, {counted(months, 'month')}, without an end"
        yield DECLARED.at_risk(text, "set production_date, or end the pilot")
    elif case.production_date is not None and case.production_date < today:
        text = f"production was planned for {day(case.production_date)}, which has passed"
        yield DECLARED.at_risk(text, "set production_date anew")


def _plus_months(start: date, months: int) -> date:
    month = start.month - 1 + months
    year, month = start.year + month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1
    for last in (start.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("unreachable: every month has 28 days")


# --- owners ---------------------------------------------------------------------------------------


def owners(named: Owners) -> Judged:
    """A person for each role; production is owned inside."""
    found = []
    for role in OWNERS:
        name = getattr(named, role)
        if name is None:
            text, step = f"nobody is named as {words(role)} owner", f"name {role} in [owners]"
            if role == "domain_expert":
                text = "no domain expert is named"
            found.append(DECLARED.missing(text, step))
        elif role == "production" and role in named.external:
            text = f"production is owned by {name}, an external consultant"
            found.append(DECLARED.at_risk(text, "name somebody of the organisation"))
        else:
            outside = ", external" if role in named.external else ""
            found.append(DECLARED.met(f"{words(role)}: {name}{outside}"))
    return Judged(tuple(found))


# --- sign-offs ------------------------------------------------------------------------------------


def signoffs(gates: Gates, observed: Observed, content: str) -> Judged:
    """One standing sign-off for each role that must sign; the newest of a role counts."""
    found: list[Finding] = []
    for role in gates.signoff_roles:
        given = [s for s in gates.signoffs if s.role == role]
        if not given:
            text = f"{words(role)} has not signed off"
            found.append(DECLARED.missing(text, f'add [[signoff]] with role = "{role}"'))
        else:
            judged = [_signoff(s, observed.today, content) for s in given]
            # A renewed sign-off heals an old one, so the best of a role counts.
            found.append(max(judged, key=_standing))
    others = [s for s in gates.signoffs if s.role not in gates.signoff_roles]
    found += [_signoff(s, observed.today, content) for s in others]
    return Judged(tuple(found), (_signoff_table(gates.signoffs),))


def _signoff_table(given: Sequence[Signoff]) -> Table:
    names = ("role", "by", "date", "expires", "scope", "evidence")
    data = {
        name: [None if (value := getattr(s, name)) is None else str(value) for s in given]
        for name in names
    }
    data["role"] = [words(s.role) for s in given]
    return Table(
        id="signoffs",
        title="Sign-offs",
        columns=tuple(Column(key=name, title=words(name), unit="text") for name in names),
        data={name: list(values) for name, values in data.items()},
    )


def _standing(finding: Finding) -> int:
    order = ("BREACHED", "NO_DATA", "AT_RISK", "MET")
    return order.index(finding.status.value)


def _signoff(s: Signoff, today: date | None, content: str) -> Finding:
    says = Says(Evidence.DECLARED, s.by)
    role = words(s.role)
    head = f"{role}: signed by {s.by} on {day(s.date)}"
    renew = f"let {role} sign again"
    if today is None:
        text = f"{head}; the logs carry no time to judge it by"
        return says.missing(text, "give the present with --as-of")
    if s.date > today:
        return says.missing(f"{head}, which is in the future", "correct the date, or wait for it")
    if s.expires is not None and s.expires <= today:
        return says.missing(f"{head}, expired on {day(s.expires)}", renew)
    scope = f" for {s.scope}" if s.scope else ""
    if s.configuration is None:
        step = f'write configuration = "{content}" into the sign-off'
        return says.at_risk(f"{head}{scope}, but not for a stated configuration", step)
    if s.configuration != content:
        text = f"{head}{scope}; the configuration has changed since ({s.configuration[:16]})"
        return says.at_risk(text, f'{renew}, with configuration = "{content}"')
    until = f", until {day(s.expires)}" if s.expires else ""
    return says.met(f"{head}{scope}{until}")


# --- data flows -----------------------------------------------------------------------------------


def data_flows(flows: Sequence[DataFlow], observed: Observed, zone: ZoneInfo) -> Judged:
    """Every provider of the log has an approved flow, and no call was made before the approval.

    A provider that no flow names has NO_DATA: nobody has said anything. Traffic against what was
    said, to a flow that is not approved or before it was, is BREACHED.
    """
    found: list[Finding] = []
    by_provider: dict[str, list[DataFlow]] = {}
    for flow in flows:
        by_provider.setdefault(flow.provider.lower(), []).append(flow)
        if flow.approved_by is None or flow.approved_on is None:
            text = f"{flow.data_class} to {flow.provider} is not approved"
            step = "fill in approved_by and approved_on"
            found.append(DECLARED.missing(text, step))
        elif observed.today is not None and flow.approved_on > observed.today:
            text = f"{flow.data_class} to {flow.provider} is approved from {day(flow.approved_on)}"
            found.append(DECLARED.missing(text, "wait for the approval, or correct its date"))
        for key in ("region", "retention"):
            if getattr(flow, key) is None:
                text = f"{flow.data_class} to {flow.provider}: no {key} is stated"
                found.append(DECLARED.at_risk(text, f"write {key} into the [[data_flow]]"))
    for provider in observed.providers:
        found += _provider(provider, by_provider.get(provider.name.lower(), []), zone)
    if observed.without_provider:
        counts = f"{observed.without_provider:,} of {counted(observed.calls, 'call')}"
        step = "log provider on every call"
        if not observed.providers:
            found.append(MEASURED.missing("the log does not say which provider was called", step))
        else:
            found.append(MEASURED.at_risk(f"{counts} do not say which provider", step))
    if not observed.calls:
        found.append(MEASURED.missing("no call shows where data went", "build from logs of calls"))
    return Judged(tuple(found), (_flow_table(flows),) if flows else ())


def _provider(provider: Provider, flows: Sequence[DataFlow], zone: ZoneInfo) -> Iterator[Finding]:
    calls = counted(provider.calls, "call")
    approved = [f for f in flows if f.approved_by and f.approved_on]
    if not flows:
        text = f"{calls} went to {provider.name}, outside of every declared flow"
        yield MEASURED.missing(text, "declare and approve a [[data_flow]], or stop the traffic")
        return
    if not approved:
        text = f"{calls} went to {provider.name}, which nobody has approved"
        yield MEASURED.breached(text, "have the flow approved, or stop the traffic")
        return
    for flow in approved:
        assert flow.approved_on is not None
        start = datetime.combine(flow.approved_on, time(), tzinfo=zone).astimezone(UTC)
        if provider.first is not None and provider.first < start.timestamp():
            text = (
                f"{flow.data_class} went to {provider.name} from "
                f"{display.time(provider.first, zone.key)}, before its approval on "
                f"{day(flow.approved_on)}"
            )
            yield MEASURED.breached(text, "find out what was sent before the approval")
        else:
            text = f"{flow.data_class} to {provider.name}: {calls}"
            says = Says(Evidence.MEASURED, flow.approved_by or "")
            yield says.met(f"{text}, approved on {day(flow.approved_on)}")


def _flow_table(flows: Sequence[DataFlow]) -> Table:
    names = ("data_class", "provider", "region", "retention", "approved_by", "approved_on")
    data = {
        name: [None if (value := getattr(f, name)) is None else str(value) for f in flows]
        for name in names
    }
    return Table(
        id="data_flows",
        title="Data flows",
        columns=tuple(Column(key=name, title=words(name), unit="text") for name in names),
        data={name: list(values) for name, values in data.items()},
    )


# --- failure modes --------------------------------------------------------------------------------


def failure_modes(modes: Sequence[FailureMode], observed: Observed) -> Judged:
    """The inventory against the log: error classes and broken constraints that no mode knows."""
    found: list[Finding] = []
    rows = []
    known: set[str] = set()
    known_outputs: set[str] = set()
    violated = {name: c.violated for name, c in observed.constraints.items() if c.violated}
    for mode in modes:
        hit = _matching(observed.errors, mode.errors)
        known |= set(hit)
        outputs = _matching(violated, mode.constraints)
        known_outputs |= set(outputs)
        seen, broken = sum(hit.values()), sum(outputs.values())
        missing = [
            name for name in ("likelihood", "mitigation", "owner") if getattr(mode, name) is None
        ]
        if missing:
            text = f"{mode.name}: no {listed(missing)} is stated"
            found.append(DECLARED.at_risk(text, "complete the [[failure_mode]]"))
        else:
            says = Says(Evidence.DECLARED, mode.owner or "")
            found.append(says.met(f"{mode.name}: {mode.mitigation}"))
        if seen and mode.likelihood == "low" and seen * 100 > observed.calls:
            text = f"{mode.name} is called unlikely, and {counted(seen, 'call')} failed so"
            found.append(MEASURED.at_risk(text, "state the likelihood anew"))
        rows.append((mode, seen, broken))
    unknown = {name: n for name, n in observed.errors.items() if name not in known}
    for name, number in unknown.items():
        text = f"{counted(number, 'call')} failed with {name}, which no failure mode knows"
        step = f'add a [[failure_mode]] with errors = ["{name}"]'
        found.append(MEASURED.missing(text, step))
    unknown_outputs = {name: n for name, n in violated.items() if name not in known_outputs}
    for name, number in unknown_outputs.items():
        text = f"{counted(number, 'output')} broke “{name}”, which no failure mode knows"
        step = f'add a [[failure_mode]] with constraints = ["{name}"]'
        found.append(MEASURED.missing(text, step))
    nothing = [None for _ in (*unknown, *unknown_outputs)]
    text_columns = ("name", "likelihood", "mitigation", "owner")
    table = Table(
        id="failure_modes",
        title="Failure modes",
        columns=(
            *(Column(key=name, title=words(name), unit="text") for name in text_columns),
            Column(key="calls", title="calls", unit="count"),
            Column(key="outputs", title="outputs", unit="count"),
        ),
        data={
            "name": [*(m.name for m, _, _ in rows), *unknown, *unknown_outputs],
            "likelihood": [*(m.likelihood for m, _, _ in rows), *nothing],
            "mitigation": [*(m.mitigation for m, _, _ in rows), *("not known" for _ in nothing)],
            "owner": [*(m.owner for m, _, _ in rows), *nothing],
            "calls": [
                *(seen for _, seen, _ in rows),
                *unknown.values(),
                *(0 for _ in unknown_outputs),
            ],
            "outputs": [*(n for _, _, n in rows), *(0 for _ in unknown), *unknown_outputs.values()],
        },
        note="Calls that failed so in the log, and outputs that broke a constraint of it.",
    )
    return Judged(tuple(found), (table,))


def _matching(seen: Mapping[str, int], patterns: Sequence[str]) -> dict[str, int]:
    return {
        name: number
        for name, number in seen.items()
        if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
    }
