"""Each gate judged from evidence of the tests' own making."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gonogo.config.evidence import (
    GUARDRAILS,
    Action,
    Alert,
    DataFlow,
    Evals,
    FailureMode,
    Gates,
    Guardrail,
    Judge,
    LoadTest,
    Observability,
    Oversight,
    Owners,
    Signoff,
    Traffic,
    UseCase,
)
from gonogo.config.model import Config
from gonogo.conventions import Evidence, Severity, Status
from gonogo.evidence.assess import SPECS, Given, assess
from gonogo.evidence.findings import make_gate
from gonogo.evidence.observed import ActionCount, GuardrailCount, Observed, Provider, Version
from gonogo.evidence.traffic import Measured
from gonogo.results import FieldCoverage, Gate
from synthetic import synthetic_result

BREACHED, NO_DATA, AT_RISK, MET = Status.BREACHED, Status.NO_DATA, Status.AT_RISK, Status.MET
TODAY = date(2026, 11, 22)
NOW = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp())
V = Version("v1", "m", "")
SEEN = Observed(
    today=TODAY, as_of=NOW, newest=NOW, calls=1000, versions={V: 1000},
    providers=(Provider("openai", 1000, NOW - 86_400),),
)  # fmt: skip


def judged(
    gates: Gates, observed: Observed = SEEN, content: str = "now", **more: Any
) -> dict[str, Gate]:
    traffic = more.pop("traffic", Measured(None))
    given = Given(observed, ZoneInfo("UTC"), traffic, **more)
    return {g.id: g for g in assess(Config(gates=gates, content=content), given).gates}


def only(gates: Gates, *args: Any, **more: Any) -> Gate:
    (gate,) = judged(gates, *args, **more).values()
    return gate


def said(gate: Gate, status: Status, *, advice: bool = False) -> list[str]:
    return [f.text for f in gate.findings if f.status is status and f.advice is advice]


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


# --- guardrails and actions -----------------------------------------------------------------------

GUARD = Guardrail("shield", ("input:pii",), date(2026, 11, 1))
RAN = GuardrailCount("shield", "input", 950, 5, 0, 10_000)
ACTION = Action("refund", 2, reversible=True)


def oversight(
    guards: tuple[Guardrail, ...] = (GUARD,),
    ran: tuple[GuardrailCount, ...] = (RAN,),
    actions: tuple[Action, ...] = (ACTION,),
    done: tuple[tuple[str, int, str, int], ...] = (("refund", 2, "approved", 3),),
    wanted: tuple[str, ...] = ("input:pii",),
) -> Gate:
    seen = replace(SEEN, guardrails=ran,
                   actions=tuple(ActionCount(*row, 0, 0) for row in done))  # fmt: skip
    gates = Gates(oversight=Oversight(wanted, queue_owner="Ana"), guardrails=guards,
                  actions=actions)  # fmt: skip
    return only(gates, seen)


def test_what_must_be_guarded_is_guarded_on_most_calls_and_tested() -> None:
    assert oversight().status is MET
    assert oversight(guards=(), wanted=GUARDRAILS).status is NO_DATA
    assert len(said(oversight(wanted=GUARDRAILS), NO_DATA)) == len(GUARDRAILS) - 1
    assert oversight(ran=()).status is NO_DATA
    assert oversight(ran=(replace(RAN, stage="output"),)).status is NO_DATA
    assert oversight(ran=(replace(RAN, calls=899),)).status is AT_RISK
    assert oversight(ran=(replace(RAN, bypassed=1),)).status is AT_RISK
    assert oversight(guards=(replace(GUARD, tested=None),)).status is NO_DATA
    assert oversight(guards=(replace(GUARD, tested=date(2026, 1, 1)),)).status is AT_RISK
    lower = replace(GUARD, coverage=Fraction(1, 2))
    assert oversight(guards=(lower,), ran=(replace(RAN, calls=500),)).status is MET


def test_a_slow_guardrail_is_advice_and_decides_nothing() -> None:
    gate = oversight(ran=(replace(RAN, latency_p95=51_000),))
    assert gate.status is MET
    assert said(gate, AT_RISK, advice=True) == ["shield (input) adds 51 ms at p95"]


@pytest.mark.parametrize(
    ("tier", "review", "status"),
    [
        (1, "none", MET), (2, "none", BREACHED), (2, "approved", MET), (2, "rejected", MET),
        (2, "overridden", MET), (2, "afterwards", MET), (2, "pending", MET),
        (2, "unknown", NO_DATA), (3, "none", BREACHED), (3, "afterwards", BREACHED),
        (3, "approved", MET), (3, "unknown", NO_DATA),
    ],
)  # fmt: skip
def test_tiers_and_reviews(tier: int, review: str, status: Status) -> None:
    action = Action("refund", tier, reversible=True, reviewer_sees=("context", "reasoning"))
    mail = Action("mail", 2, reversible=True)
    assert oversight(actions=(action, mail), done=(("refund", tier, review, 3),)).status is status


def test_actions_are_declared_as_they_happen() -> None:
    gate = oversight(done=(("refund", 2, "approved", 1), ("wire", 3, "approved", 2)))
    assert said(gate, NO_DATA) == ["wire was done 2 times and is not declared"]
    assert oversight(done=(("refund", 1, "approved", 1),)).status is AT_RISK
    assert oversight(actions=()).status is NO_DATA
    assert oversight(actions=(), done=()).status is NO_DATA
    assert oversight(actions=(replace(ACTION, reversible=None),)).status is AT_RISK
    first = Action("refund", 1, reversible=True)
    assert "nothing is ever reviewed" in oversight(actions=(first,), done=()).text
    third = Action("refund", 3, reversible=False)
    assert "is not shown the context and the reasoning" in oversight(actions=(third,)).text


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


# --- golden set and judge -------------------------------------------------------------------------


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def cases(n: int = 60, failed: tuple[int, ...] = (), **more: Any) -> list[dict[str, Any]]:
    tags = ("normal", "edge", "known_failure")
    return [
        {"case_id": f"c{i:03}", "passed": i not in failed, "tags": [tags[i % 3]],
         "labeller": "Ana", "prompt_version": "v1", "model": "m", **more}
        for i in range(n)
    ]  # fmt: skip


def golden(
    folder: Path,
    now: list[dict[str, Any]],
    before: list[dict[str, Any]] | None = None,
    *,
    evals: Evals | None = None,
    observed: Observed = SEEN,
    judge: Judge | None = None,
    labels: list[dict[str, Any]] | None = None,
) -> Gate:
    return only(
        Gates(evals=evals or Evals(), judge=judge),
        observed,
        evals=[write(folder, "now.jsonl", now)],
        baseline=[write(folder, "before.jsonl", cases() if before is None else before)],
        labels=[write(folder, "labels.jsonl", labels)] if labels is not None else [],
    )


def test_a_set_that_passes_and_the_drop_it_could_show(tmp_path: Path) -> None:
    gate = golden(tmp_path, cases(failed=(1,)), cases(failed=(1,)))
    assert gate.status is MET
    texts = " / ".join(said(gate, MET))
    # Wilson for 59 of 60: 91.14 % to 99.71 %; six of 60 cases are 10 %.
    assert "98.33 % of 60 cases pass (91.14 % to 99.71 %), bar 90 %" in texts
    assert "the smallest drop that they could show is 10 %" in texts


@pytest.mark.parametrize(
    ("failed", "status"), [(6, AT_RISK), (7, BREACHED), (4, AT_RISK), (1, MET)]
)
def test_the_bar_is_counted_and_the_bound_makes_a_condition(
    tmp_path: Path, failed: int, status: Status
) -> None:
    rows = cases(failed=tuple(range(failed)))
    assert golden(tmp_path, rows, rows).status is status


def test_an_error_is_no_pass_and_is_not_left_out(tmp_path: Path) -> None:
    rows = cases()
    for row in rows[:7]:
        row["error"] = "timeout"
    gate = golden(tmp_path, rows, rows)
    assert gate.status is BREACHED
    assert "88.3 % of 60 cases" in gate.text
    assert "7 with an error" in gate.text


def test_a_critical_case_fails_alone(tmp_path: Path) -> None:
    rows = cases(failed=(3,))
    rows[3]["critical"] = True
    gate = golden(tmp_path, rows, rows)
    assert said(gate, BREACHED) == ["v1 × m: critical case not passed: c003"]


def test_a_regression_blocks_like_a_failing_test(tmp_path: Path) -> None:
    gate = golden(tmp_path, cases(failed=(4,)), cases(failed=(5,)))
    assert gate.status is BREACHED
    assert "1 regression and 1 fix among 60 cases of the baseline" in gate.text
    assert gate.text.endswith("(exact McNemar p = 1): c004")
    allowed = Evals(regressions=1)
    assert golden(tmp_path, cases(failed=(4,)), cases(), evals=allowed).status is MET


def test_a_baseline_of_other_cases_or_of_a_changed_suite(tmp_path: Path) -> None:
    others = [{**row, "case_id": f"x{i}"} for i, row in enumerate(cases())]
    gate = golden(tmp_path, cases(), others)
    assert gate.status is NO_DATA
    assert "the baseline is of other cases" in gate.text
    gate = golden(tmp_path, cases(), cases(58))
    assert said(gate, AT_RISK) == ["v1 × m: the suite has changed: 2 cases are new, 0 are gone"]


def test_repeated_case_ids_and_repeats(tmp_path: Path) -> None:
    gate = golden(tmp_path, [*cases(), *cases(2)])
    assert gate.status is NO_DATA
    assert "2 case ids repeated: c000, c001" in gate.text
    twice = [*cases(repeat=1), *cases(failed=(9,), repeat=2)]
    gate = golden(tmp_path, twice, cases(failed=(9,)))
    # One of 120 trials failed: pass^1 is 119/120, pass^2 59/60.
    assert gate.status is MET
    flaky = said(gate, AT_RISK, advice=True)
    assert flaky == ["v1 × m: pass^1 is 99.17 % and pass^2 98.33 %; 1 of 60 cases are flaky"]


def test_each_version_of_the_traffic_needs_a_run(tmp_path: Path) -> None:
    seen = replace(SEEN, versions={V: 900, Version("v2", "m", "emb"): 100})
    gate = golden(tmp_path, cases(), observed=seen)
    assert gate.status is NO_DATA
    assert said(gate, NO_DATA) == [
        "100 calls were answered by v2 × m × emb, without a golden run of it"
    ]


def test_size_tags_and_labellers_are_conditions(tmp_path: Path) -> None:
    few = cases(49)
    assert golden(tmp_path, few, few).status is AT_RISK
    untagged = [{**row, "tags": ["normal"]} for row in cases()]
    assert "no case is tagged edge, known_failure" in golden(tmp_path, untagged).text
    unnamed = [{**row, "labeller": ""} for row in cases()]
    assert "60 of 60 cases name nobody" in golden(tmp_path, unnamed).text


def test_files_that_are_gone_leave_no_data(tmp_path: Path) -> None:
    gates = Gates(evals=Evals())
    gate = only(gates, evals=[tmp_path / "gone.jsonl"], baseline=[])
    assert gate.status is NO_DATA
    assert any("gone.jsonl: No such file" in text for text in said(gate, NO_DATA))


def labels(agreed: int, total: int) -> list[dict[str, Any]]:
    return [
        {"case_id": f"c{i}", "dimension": "tone", "human": "pass" if i % 2 else "fail",
         "judge": ("pass" if i % 2 else "fail") if i < agreed else ("fail" if i % 2 else "pass")}
        for i in range(total)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("agreed", "change", "status"),
    [
        (95, {}, MET),
        (85, {}, AT_RISK),  # as counted at the bar; the true agreement may be below
        (84, {}, NO_DATA),  # its scores do not count, and there are no others
        (95, {"model": "m"}, NO_DATA),
        (95, {"stronger": None}, NO_DATA),
    ],
)
def test_scores_count_where_the_judge_agrees_with_people(
    tmp_path: Path, agreed: int, change: dict[str, Any], status: Status
) -> None:
    judge = Judge(**{"labels": ("x",), "model": "better", "stronger": True, **change})
    rows = cases(judged_by="better")
    gate = golden(tmp_path, rows, rows, judge=judge, labels=labels(agreed, 100))
    assert gate.status is status


def test_scores_of_an_undeclared_judge_do_not_count(tmp_path: Path) -> None:
    rows = [*cases(55), *({**row, "judged_by": "x"} for row in cases()[55:])]
    gate = golden(tmp_path, rows, cases(55))
    assert "5 runs of cases scored by a model are informational only" in said(gate, NO_DATA)
