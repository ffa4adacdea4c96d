"""Whether somebody would notice: alerts that were tested, logs that are fresh and complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.config.evidence import ALERTS, Alert, Observability
from gonogo.conventions import Evidence
from gonogo.evidence.findings import DECLARED, MEASURED, Judged, Says, counted
from gonogo.evidence.observed import Observed
from gonogo.evidence.people import day
from gonogo.results import Column, FieldCoverage, Finding, Table

_TITLES: Final = {
    "latency.p95": "p95 latency",
    "error_rate": "error rate",
    "guardrail_trigger_rate": "guardrail trigger rate",
}
_HIGHEST_ERROR_LIMIT: Final = Fraction(1, 100)
_HOUR: Final = 3600


def observability(alerts: Sequence[Alert], wanted: Observability, observed: Observed) -> Judged:
    """The three alerts that must exist, and what the logs themselves are like."""
    found: list[Finding] = []
    for name in ALERTS:
        given = [alert for alert in alerts if alert.indicator == name]
        if not given:
            text = f"no alert watches the {_TITLES[name]}"
            found.append(DECLARED.missing(text, f'add [[alert]] with indicator = "{name}"'))
        for alert in given:
            found += _alert(alert, wanted, observed)
    found += _fresh(wanted, observed)
    found += [_covered(field, wanted) for field in observed.coverage if field.required]
    return Judged(tuple(found), (_table(alerts),) if alerts else ())


def _alert(alert: Alert, wanted: Observability, observed: Observed) -> Iterator[Finding]:
    says = Says(Evidence.DECLARED, alert.owner or "")
    name = _TITLES[alert.indicator]
    over = f" over {alert.over}" if alert.over else ""
    fired, today = alert.fired_in_test, observed.today
    if fired is None:
        step = "let it fire once, and write fired_in_test"
        yield says.missing(f"the alert on {name}{over} has never fired in a test", step)
    elif today is None or fired > today:
        text = f"the alert on {name}{over} is said to have fired on {day(fired)}, in the future"
        if today is None:
            text = f"the alert on {name}{over}: the logs carry no time to judge its test by"
        yield says.missing(text, "correct the date, or give the present with --as-of")
    elif (today - fired).days > wanted.alert_test_days:
        text = f"the alert on {name}{over} last fired in a test on {day(fired)}"
        step = f"test it again: {wanted.alert_test_days} days are allowed"
        yield says.at_risk(text, step)
    else:
        yield says.met(f"the alert on {name}{over} fired in a test on {day(fired)}")
    if alert.owner is None:
        yield DECLARED.at_risk(f"the alert on {name} wakes nobody", "name its owner")
    if alert.indicator == "error_rate":
        limit = _share(alert.over)
        if limit is None or limit > _HIGHEST_ERROR_LIMIT:
            text = f"the alert on {name} does not say that it fires over 1 %"
            yield DECLARED.at_risk(text, 'write over = "1%", or less')


def _share(text: str | None) -> Fraction | None:
    """The number of a text such as `1%` or `> 0.5 %`."""
    cleaned = (text or "").strip().lstrip("><=").strip()
    if not cleaned.endswith("%"):
        return None
    try:
        return Fraction(cleaned[:-1].strip()) / 100
    except (ValueError, ZeroDivisionError):
        return None


def _fresh(wanted: Observability, observed: Observed) -> Iterator[Finding]:
    if observed.newest is None or observed.as_of is None:
        text = "the logs carry no times, so nobody can say how fresh they are"
        yield MEASURED.missing(text, "log timestamp on every call")
        return
    age, gap = observed.as_of - observed.newest, observed.longest_gap
    newest = display.duration(max(age, 0) * 10**6)
    if age > wanted.freshness_hours * _HOUR:
        text = f"the newest record is {newest} old; {wanted.freshness_hours} h are allowed"
        yield MEASURED.at_risk(text, "find out why no newer records arrive")
    else:
        yield MEASURED.met(f"the newest record is {newest} old" if age > 0 else "the logs are new")
    longest = display.duration(gap * 10**6)
    if gap > wanted.longest_gap_hours * _HOUR:
        text = f"{longest} without a single call; {wanted.longest_gap_hours} h are allowed"
        yield MEASURED.at_risk(text, "find out whether calls or their records are missing")
    elif gap:
        yield MEASURED.met(f"the longest time without a call is {longest}")


def _covered(field: FieldCoverage, wanted: Observability) -> Finding:
    if not field.applicable or not field.present:
        return MEASURED.missing(f"{field.title} is not logged", field.hint)
    share = Fraction(field.present, field.applicable)
    counts = f"{field.present:,} of {counted(field.applicable, 'record')}"
    text = f"{field.title} is logged on {counts}"
    if share < wanted.coverage:
        limit = display.ratio(*wanted.coverage.as_integer_ratio())
        return MEASURED.at_risk(f"{text}; {limit} are asked for", field.hint)
    return MEASURED.met(text)


def _table(alerts: Sequence[Alert]) -> Table:
    columns = (("indicator", "indicator"), ("over", "fires over"), ("owner", "wakes"),
               ("fired_in_test", "last fired in a test"))  # fmt: skip
    return Table(
        id="alerts",
        title="Alerts",
        columns=tuple(Column(key=key, title=title, unit="text") for key, title in columns),
        data={
            key: [None if (value := getattr(a, key)) is None else str(value) for a in alerts]
            for key, _ in columns
        },
    )
