"""Each gate judged from evidence of the tests' own making: people, data, alerts, traffic."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gates import AT_RISK, BREACHED, MET, NO_DATA, NOW, SEEN, TODAY, judged, only, said
from gonogo import pipeline
from gonogo.config.evidence import (
    Alert,
    DataFlow,
    FailureMode,
    Gates,
    LoadTest,
    Observability,
    Owners,
    Signoff,
    Traffic,
    UseCase,
)
from gonogo.conventions import Evidence, Severity, Status
from gonogo.evidence.assess import SPECS
from gonogo.evidence.findings import make_gate
from gonogo.evidence.observed import (
    ConstraintCount,
    Provider,
)
from gonogo.evidence.people import failure_modes, use_case
from gonogo.evidence.traffic import Measured
from gonogo.progress import Silent
from gonogo.results import FieldCoverage, Gate
from synthetic import synthetic_result

# --- which gates count ----------------------------------------------------------------------------


def test_without_a_section_nothing_is_judged_and_required_gates_have_no_data() -> None:
    assert judged(Gates()) == {}
    found = judged(Gates(required=tuple(SPECS)))
    assert list(found) == list(SPECS)
    for gate in found.values():
        assert (gate.status, gate.required) == (NO_DATA, True)
        assert gate.next_step


def test_a_gate_without_a_finding_that_decides_is_not_met() -> None:
    assert make_gate("x", "X", (), required=False).status is NO_DATA


# --- sign-offs ------------------------------------------------------------------------------------


def signed(**more: Any) -> Gate:
    one = Signoff(**{"role": "legal", "by": "Ana", "date": date(2026, 11, 1),
                     "configuration": "now", **more})  # fmt: skip
    return only(Gates(signoff_roles=("legal",), signoffs=(one,)))


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({}, MET, "1 Nov 2026"),
        ({"expires": date(2026, 11, 23)}, MET, "until"),
        ({"expires": TODAY}, NO_DATA, "expired on 22 Nov 2026"),
        ({"date": date(2026, 11, 23)}, NO_DATA, "in the future"),
        ({"configuration": "before"}, AT_RISK, "changed since"),
        ({"configuration": None}, AT_RISK, "not for a stated configuration"),
    ],
)
def test_a_signoff_stands_for_one_configuration_until_it_expires(
    more: dict[str, Any], status: Status, words: str
) -> None:
    gate = signed(**more)
    assert gate.status is status
    assert words in gate.text
    assert gate.findings[0].by == "Ana"


def test_every_role_must_sign_and_a_renewal_heals() -> None:
    old = Signoff("legal", "Ana", date(2026, 1, 1), date(2026, 6, 1), configuration="now")
    new = replace(old, date=date(2026, 6, 1), expires=None)
    gate = only(Gates(signoff_roles=("legal", "risk"), signoffs=(old, new)))
    assert said(gate, NO_DATA) == ["risk has not signed off"]
    assert len(said(gate, MET)) == 1


def test_without_a_present_no_signoff_stands() -> None:
    gates = Gates(signoff_roles=("legal",),
                  signoffs=(Signoff("legal", "Ana", TODAY, configuration="now"),))  # fmt: skip
    assert only(gates, replace(SEEN, today=None)).status is NO_DATA


# --- data flows -----------------------------------------------------------------------------------

FLOW = DataFlow("mail", "OpenAI", "EU", "none", "Ana", date(2026, 11, 1))


def test_a_provider_that_no_flow_names_has_no_data_and_one_without_approval_is_a_breach() -> None:
    assert only(Gates(data_flows=(FLOW,))).status is MET
    other = replace(SEEN, providers=(*SEEN.providers, Provider("elsewhere", 3, None)))
    gate = only(Gates(data_flows=(FLOW,)), other)
    assert gate.status is NO_DATA
    assert "3 calls went to elsewhere, outside of every declared flow" in gate.text
    assert only(Gates(data_flows=(replace(FLOW, approved_by=None),))).status is BREACHED


def test_traffic_before_its_approval_is_a_breach() -> None:
    first = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    for start, status in ((first, MET), (first - 1, BREACHED)):
        seen = replace(SEEN, providers=(Provider("openai", 9, start),))
        assert only(Gates(data_flows=(FLOW,)), seen).status is status


def test_a_log_without_providers_approves_nothing() -> None:
    seen = replace(SEEN, providers=(), without_provider=1000)
    assert only(Gates(data_flows=(FLOW,)), seen).status is NO_DATA
    assert only(Gates(data_flows=(replace(FLOW, region=None),))).status is AT_RISK


# --- use case, owners, failure modes --------------------------------------------------------------

CASE = UseCase(3, 3, 3, 2, 2, Fraction(4), Fraction(1, 20), "Ana")


@pytest.mark.parametrize(
    ("scores", "status"),
    [((3, 3, 3, 2, 2), MET), ((3, 3, 2, 2, 2), AT_RISK), ((2, 2, 2, 2, 1), AT_RISK),
     ((2, 2, 2, 1, 1), BREACHED), ((3, 3, 3, 3, None), NO_DATA)],
)  # fmt: skip
def test_the_rubric(scores: tuple[int | None, ...], status: Status) -> None:
    names = ("value", "frequency", "data", "error_tolerance", "measurable")
    case = replace(CASE, **dict(zip(names, scores, strict=True)))  # type: ignore[arg-type]
    assert only(Gates(use_case=case)).status is status


def test_what_being_wrong_costs_against_the_baseline() -> None:
    seen = replace(SEEN, errors={"timeout": 50})
    gate = only(Gates(use_case=CASE), seen)
    # 50 of 1,000 is the baseline of 5 %; 5 % of 1,000 answers at $4 each are $200.
    assert gate.status is MET
    assert any("$200.00 for 1,000 answers" in text for text in said(gate, MET))
    assert only(Gates(use_case=CASE), replace(SEEN, errors={"timeout": 51})).status is BREACHED
    assert only(Gates(use_case=replace(CASE, accepted_by=None)), seen).status is AT_RISK


@pytest.mark.parametrize(
    ("started", "planned", "status"),
    [(date(2026, 5, 22), None, MET), (date(2026, 5, 21), None, AT_RISK),
     (date(2025, 1, 1), date(2026, 12, 1), MET), (date(2025, 1, 1), date(2026, 11, 1), AT_RISK),
     (date(2026, 12, 1), None, NO_DATA)],
)  # fmt: skip
def test_a_pilot_without_an_end(started: date, planned: date | None, status: Status) -> None:
    case = replace(CASE, pilot_started=started, production_date=planned)
    assert only(Gates(use_case=case)).status is status


def test_owners_are_named_and_production_is_owned_inside() -> None:
    named = Owners("A", "B", "C", "D")
    assert only(Gates(owners=named)).status is MET
    assert only(Gates(owners=replace(named, external=("production",)))).status is AT_RISK
    assert only(Gates(owners=replace(named, external=("eval",)))).status is MET
    assert only(Gates(owners=replace(named, decision=None))).status is NO_DATA


def test_failure_modes_that_nobody_knows_are_listed() -> None:
    mode = FailureMode("limits", ("rate_*",), "low", "retries", "Ana")
    seen = replace(SEEN, errors={"rate_limit": 10, "timeout": 3})
    gate = only(Gates(failure_modes=(mode,)), seen)
    assert said(gate, NO_DATA) == ["3 calls failed with timeout, which no failure mode knows"]
    often = replace(SEEN, errors={"rate_limit": 11})
    assert "is called unlikely" in only(Gates(failure_modes=(mode,)), often).text
    unsaid = replace(mode, mitigation=None)
    assert only(Gates(failure_modes=(unsaid,)), replace(SEEN, errors={})).status is AT_RISK


def test_outputs_that_break_a_constraint_are_a_failure_mode() -> None:
    """Two constraints are broken, by 4 and by 2 outputs, and one mode knows the first of them."""
    mode = FailureMode("promises", (), "high", "a rule in the prompt", "Ana", ("No Promise*",))
    counts = {"no promises": 4, "sources": 2, "length": 0}
    broken = {name: ConstraintCount(90, 90, 0, number) for name, number in counts.items()}
    seen = replace(SEEN, errors={}, constraints=broken)
    gate = only(Gates(failure_modes=(mode,)), seen)
    assert said(gate, NO_DATA) == ["2 outputs broke “sources”, which no failure mode knows"]
    table = failure_modes((mode,), seen).tables[0].data
    assert list(zip(table["name"], table["calls"], table["outputs"], strict=True)) == [
        ("promises", 0, 4), ("sources", 0, 2),
    ]  # fmt: skip


def test_the_table_of_being_wrong() -> None:
    """An error costs $4 and 9 of 60 cases are wrong: $600 for 1,000 answers; at 5 % it is $200."""
    case = UseCase(cost_of_error=Fraction(4), baseline_error_rate=Fraction(1, 10), accepted_by="T")
    table = use_case(case, SEEN, (9, 60)).tables[0].data
    shares = zip(table["num"], table["den"], strict=True)
    assert [Fraction(num, den) for num, den in shares] == [  # type: ignore[arg-type]
        Fraction(15, 100), Fraction(5, 100), Fraction(1, 10),
    ]  # fmt: skip
    assert table["cost"] == [600 * 10**9, 200 * 10**9, 400 * 10**9]
    assert table["accepted_by"] == ["T"] * 3
    assert use_case(UseCase(), SEEN, None).tables[0].data["cost"] == [None, None]


# --- observability --------------------------------------------------------------------------------

FIRED = date(2026, 11, 1)
ALERTS = (
    Alert("latency.p95", "4s", "on-call", FIRED),
    Alert("error_rate", "1%", "on-call", FIRED),
    Alert("guardrail_trigger_rate", "2%", "on-call", FIRED),
)


def test_three_alerts_must_exist_and_have_fired_in_a_test() -> None:
    assert only(Gates(alerts=ALERTS)).status is MET
    for i in range(3):
        rest = ALERTS[:i] + ALERTS[i + 1 :]
        assert only(Gates(alerts=rest)).status is NO_DATA
        for fired, status in ((None, NO_DATA), (date(2026, 11, 23), NO_DATA),
                              (date(2026, 8, 24), MET), (date(2026, 8, 23), AT_RISK)):  # fmt: skip
            changed = (*rest, replace(ALERTS[i], fired_in_test=fired))
            assert only(Gates(alerts=changed)).status is status
    for over, status in (("0.5 %", MET), ("2%", AT_RISK), (None, AT_RISK), ("soon", AT_RISK)):
        changed = (ALERTS[0], replace(ALERTS[1], over=over), ALERTS[2])
        assert only(Gates(alerts=changed)).status is status


def test_logs_are_fresh_gapless_and_complete() -> None:
    gates = Gates(alerts=ALERTS, observability=Observability(24, 12))
    for change, status in (
        ({"newest": NOW - 24 * 3600}, MET),
        ({"newest": NOW - 24 * 3600 - 1}, AT_RISK),
        ({"newest": None}, NO_DATA),
        ({"longest_gap": 12 * 3600 + 300}, AT_RISK),
    ):
        assert only(gates, replace(SEEN, **change)).status is status  # type: ignore[arg-type]
    for present, status in ((90, MET), (89, AT_RISK), (0, NO_DATA)):
        field = FieldCoverage(field="x", title="x", present=present, applicable=100,
                              required=True, hint="log it")  # fmt: skip
        assert only(gates, replace(SEEN, coverage=(field,))).status is status


# --- projected traffic ----------------------------------------------------------------------------


def test_the_target_is_reached_or_has_no_data() -> None:
    result = synthetic_result()
    latency = result.objectives[0].model_copy(
        update={"indicator": "latency", "status": MET, "severity": Severity.BLOCKING}
    )
    cost = latency.model_copy(update={"indicator": "cost_per_call"})
    gates = Gates(traffic=Traffic(Fraction(400)))

    def status(gates: Gates, peak: int, *objectives: Any, **more: Any) -> Status:
        return only(gates, traffic=Measured(Fraction(peak), objectives), **more).status

    gate = only(gates, traffic=Measured(Fraction(12), (latency, cost)))
    assert (gate.status, gate.text) == (
        NO_DATA,
        "measured at 12 calls/min, target 400 calls/min",
    )
    assert status(gates, 400, latency, cost) is MET
    assert status(gates, 400, latency) is NO_DATA
    late = latency.model_copy(update={"status": BREACHED})
    assert status(gates, 400, late, cost) is BREACHED
    tested = Gates(traffic=gates.traffic, load_test=LoadTest(("x",), date(2026, 11, 1)))
    for measured, expected in (
        (Measured(Fraction(400), (latency, cost)), MET),
        (Measured(Fraction(399), (latency, cost)), NO_DATA),
        (Measured(Fraction(400), (late, cost)), BREACHED),
        (Measured(None, problem="no such file"), NO_DATA),
    ):
        assert status(tested, 12, late, load_test=measured) is expected
    gate = only(tested, traffic=Measured(None), load_test=Measured(Fraction(400), (latency, cost)))
    assert {f.evidence for f in gate.findings} == {Evidence.FILE}


@pytest.mark.parametrize("profile", ["public", "internal"])
def test_what_was_signed_is_linked_inside_only(tmp_path: Path, profile: str) -> None:
    config = tmp_path / "readiness.toml"
    link = "https://files.example/s?a=1&b=2"
    config.write_text(
        f'[[signoff]]\nrole = "legal"\nby = "A <b>"\ndate = 2026-11-01\nevidence = "{link}"\n'
    )
    log = tmp_path / "log.jsonl"
    log.write_text('{"timestamp":"2026-11-16T09:00:00Z","model":"m","status":"ok"}\n')
    request = pipeline.Request((str(log),), config, profile=profile, state=tmp_path / "state")
    pipeline.build(request, tmp_path / "site", Silent())
    page = (tmp_path / "site" / "index.html").read_text()
    assert "A &lt;b&gt;" in page
    assert ('href="https://files.example/s?a=1&amp;b=2"' in page) == (profile == "internal")
    every = b"".join(p.read_bytes() for p in (tmp_path / "site").rglob("*") if p.is_file())
    assert (b"files.example" in every) == (profile == "internal")
