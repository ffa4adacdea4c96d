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

import run_engine
from gonogo import pipeline
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
    RedTeam,
    Retrieval,
    Signoff,
    Tool,
    Traffic,
    UseCase,
)
from gonogo.config.model import Config
from gonogo.conventions import Evidence, Severity, Status
from gonogo.evidence.assess import SPECS, Given, assess
from gonogo.evidence.findings import make_gate
from gonogo.evidence.observed import (
    ActionCount,
    ConstraintCount,
    GuardrailCount,
    IndexCount,
    Observed,
    Provider,
    ToolCount,
    Version,
)
from gonogo.evidence.people import failure_modes, use_case
from gonogo.evidence.spikes import Spike, spikes
from gonogo.evidence.traffic import Measured
from gonogo.progress import Silent
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


# --- tools and retrieval --------------------------------------------------------------------------

TOOL = Tool("search", "strict", 5000, "no sources")
CALLED = ToolCount("Search", 10, 10, 10, 0, 2, 2)


def with_tools(*declared: Tool, seen: tuple[ToolCount, ...] = (CALLED,)) -> Gate:
    return only(Gates(tools=declared), replace(SEEN, tools=seen))


def test_a_tool_is_declared_strict_with_a_timeout_that_holds_and_a_fallback() -> None:
    assert with_tools(TOOL).status is MET
    assert with_tools(TOOL, seen=()).status is MET
    for gone in ("schema", "timeout", "fallback"):
        gate = with_tools(replace(TOOL, **{gone: None}))  # type: ignore[arg-type]
        assert (gate.status, gate.text) == (NO_DATA, f"search: no {gone} is stated")
    assert with_tools(replace(TOOL, schema="loose")).status is AT_RISK
    late = with_tools(TOOL, seen=(replace(CALLED, timed=8, over=2),))
    assert late.status is BREACHED
    assert "2 of 8 calls (25 %) took longer than its timeout of 5 s" in late.text
    assert with_tools(TOOL, seen=(replace(CALLED, timed=0),)).status is NO_DATA
    bad = (replace(CALLED, invalid_handled=1),)
    assert with_tools(TOOL, seen=bad).status is BREACHED
    assert with_tools(replace(TOOL, schema="loose"), seen=bad).status is AT_RISK
    assert with_tools(TOOL, seen=(replace(CALLED, args_known=0),)).status is AT_RISK


def test_a_tool_that_nobody_declared_has_no_data() -> None:
    gate = with_tools(TOOL, seen=(CALLED, ToolCount("shell", 3)))
    assert said(gate, NO_DATA) == ["shell was called 3 times and is not declared"]


def test_more_than_three_external_tools_without_mcp_are_advice() -> None:
    many = [replace(TOOL, name=f"t{n}", external=True) for n in range(4)]
    assert not said(with_tools(*many[:3], seen=()), AT_RISK, advice=True)
    gate = with_tools(*many, seen=())
    assert gate.status is MET
    assert "4 external tools are not reached by MCP" in said(gate, AT_RISK, advice=True)[0]
    reached = [*many[:3], replace(many[3], mcp="crm")]
    assert not said(with_tools(*reached, seen=()), AT_RISK, advice=True)


FOUND_BY = Retrieval("E-large", 64, parent_retrieval=False, reranker="r")


def with_retrieval(*indexes: IndexCount, declared: Retrieval = FOUND_BY) -> Gate:
    return only(Gates(retrieval=declared), replace(SEEN, indexes=indexes))


def test_queries_use_the_embedding_model_of_the_index() -> None:
    fine = IndexCount("v1", "e-large", 40, 40, 40 * 800_000, 0)
    assert with_retrieval(fine).status is MET
    assert with_retrieval().status is NO_DATA
    assert with_retrieval(replace(fine, model="")).status is NO_DATA
    other = with_retrieval(fine, replace(fine, model="e-small", retrievals=1))
    assert other.status is BREACHED
    assert "1 query embedded with e-small, the index with E-large" in other.text
    assert with_retrieval(fine, replace(fine, model="")).status is AT_RISK
    assert with_retrieval(fine, declared=replace(FOUND_BY, reranker=None)).status is AT_RISK


def test_scores_do_not_jump_with_a_new_index() -> None:
    # 0.8 in the mean, then 0.72: a shift of exactly a tenth; versions in order of first use.
    old = IndexCount("z", "e-large", 40, 40, 40 * 800_000, 0)
    new = IndexCount("a", "e-large", 50, 50, 50 * 720_000, 3600)
    assert with_retrieval(new, old).status is MET
    lower = with_retrieval(replace(new, score_micro=50 * 719_999), old)
    assert lower.status is AT_RISK
    assert "from 0.800 with index z to 0.720 with a" in lower.text
    few = replace(new, score_n=29, score_micro=0)
    assert with_retrieval(few, old).status is MET


def test_tool_calls_of_a_log_are_held_against_their_timeout(tmp_path: Path) -> None:
    """Durations of 1,100 ms and one µs more; invalid arguments refused, answered and let pass."""
    calls = [
        {"name": "search", "latency_ms": 1100, "status": "ok"},
        {"name": "Search", "latency_ms": 1100.001, "status": "ok"},
        {"name": "search", "status": "ok", "arguments_valid": False},
        {"name": "search", "status": "error", "arguments_valid": False},
        {"name": "search", "status": "ok", "arguments_valid": False, "fallback": True},
        {"name": "other", "latency_ms": 9000},
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"model": "m", "tool_calls": [c]}) + "\n" for c in calls))
    gates = Gates(tools=(replace(TOOL, timeout=1000),))
    frame = run_engine.count([log], gates=gates).partial.frames["tool_limits"]
    assert frame.drop("day").sort("tool").rows() == [("Search", 1, 1, 0, 0), ("search", 1, 0, 3, 2)]


# --- red team, sign-off links, single actions -----------------------------------------------------

GARAK = [
    {"entry_type": "start_run setup", "_config.version": "0.13"},
    {"entry_type": "init", "garak_version": "0.13.1", "start_time": "2026-11-02T20:15:00+00:00"},
    {"entry_type": "attempt", "probe_classname": "dan.Dan_11_0", "prompt": "say <script>"},
    {"entry_type": "eval", "probe": "dan.Dan_11_0", "detector": "d", "passed": 38, "fails": 2,
     "nones": 3, "total_evaluated": 40, "total_processed": 43},
    {"entry_type": "eval", "probe": "encoding.Inject64", "detector": "d", "passed": 60,
     "total": 60},
    {"entry_type": "completion", "end_time": "2026-11-02T21:00:00+00:00"},
]  # fmt: skip


def attacked(path: Path, rows: list[Any], guards: tuple[Guardrail, ...] = (), **more: Any) -> Gate:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    gates = Gates(
        oversight=Oversight(("input:pii",), queue_owner="Ana"), guardrails=guards or (GUARD,),
        actions=(ACTION,), red_team=RedTeam((path.name,), **more),
    )  # fmt: skip
    return only(gates, replace(SEEN, guardrails=(RAN,)), attacks=(path,))


def test_attacks_of_garak_are_counted_as_its_report_has_them(tmp_path: Path) -> None:
    path = tmp_path / "garak.report.jsonl"
    # 98 of 100 attacks were withstood; three outputs no detector could judge.
    gate = attacked(path, GARAK)
    assert gate.status is AT_RISK
    assert said(gate, AT_RISK) == [
        "red team (garak): 3 attacks could not be judged, and count as neither"
    ]
    assert any("98 of 100 attacks withstood (98 %" in text for text in said(gate, MET))
    assert any("of 2 Nov 2026" in text for text in said(gate, MET))
    strict = attacked(path, GARAK, bar=Fraction(99, 100))
    assert strict.status is BREACHED
    assert strict.text.endswith("bar 99 %; weakest against dan.Dan_11_0")
    assert attacked(path, GARAK[:-1]).status is NO_DATA  # it did not end
    assert attacked(path, [*GARAK[:3], GARAK[5]]).status is NO_DATA  # no evaluation
    undated = [GARAK[0], *GARAK[3:]]
    assert "nobody knows when" in attacked(path, undated).text
    assert attacked(path, undated, date=date(2026, 11, 23)).status is NO_DATA
    assert attacked(path, undated, date=date(2026, 1, 1)).status is AT_RISK
    for broken in ({"passed": 5, "total": 4}, {"passed": -1, "total": 4}, {"passed": 1}):
        row = {"entry_type": "eval", "probe": "x", **broken}
        assert "no usable counts" in attacked(path, [row]).text


def test_a_red_team_is_a_test_of_every_guardrail(tmp_path: Path) -> None:
    path, untested = tmp_path / "r.jsonl", (replace(GUARD, tested=None),)
    gate = attacked(path, GARAK, untested)
    assert "shield was tested on 2 Nov 2026" in said(gate, MET)
    assert "shield was not tested" in said(attacked(path, GARAK[:3], untested), NO_DATA)


def test_attacks_of_promptfoo_count_by_plugin(tmp_path: Path) -> None:
    def row(plugin: str | None, *, success: bool, reason: int = 0) -> dict[str, Any]:
        metadata = {} if plugin is None else {"pluginId": plugin, "strategyId": "basic"}
        return {"success": success, "failureReason": reason, "testCase": {"metadata": metadata}}

    rows = [
        row("pii:direct", success=True), row("pii:direct", success=False, reason=1),
        row("jailbreak", success=True), row("jailbreak", success=True, reason=2),
        row(None, success=False),
    ]  # fmt: skip
    path = tmp_path / "redteam.json"
    document = {
        "evalId": "e", "results": {"version": 3, "timestamp": "2026-11-02T08:00:00Z",
                                   "results": rows},
    }  # fmt: skip
    gate = attacked(path, [document])
    assert gate.status is BREACHED
    assert "2 of 4 attacks withstood (50 %" in gate.text
    assert "red team (promptfoo): 1 attack failed" in said(gate, AT_RISK)
    assert "red team (promptfoo): of 2 Nov 2026" in said(gate, MET)
    assert "weakest against jailbreak, pii:direct" in gate.text
    for content in ("{", '{"evalId": 1, "results": [', '{"a": 1}', ""):
        path.write_text(content)
        gates = Gates(red_team=RedTeam(("x",)))
        assert "redteam.json" in " ".join(
            said(only(gates, SEEN, attacks=(path,)), NO_DATA)
        )  # fmt: skip
    gone = only(Gates(red_team=RedTeam(("x",))), SEEN, attacks=(tmp_path / "gone",))
    assert any("No such file" in text for text in said(gone, NO_DATA))


def told(path: Path, **bars: Any) -> Gate:
    gates = Gates(
        oversight=Oversight(("input:pii",), queue_owner="Ana", labels=(path.name,), **bars),
        guardrails=(GUARD,), actions=(ACTION,),
    )  # fmt: skip
    return only(gates, replace(SEEN, guardrails=(RAN,)), guardrail_labels=(path,))


def test_guardrails_are_held_against_what_people_say(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    # 8 of 10 attacks caught; of 16 triggers 8 were attacks.
    items = ["shield,yes,yes"] * 8 + ["shield,yes,no"] * 2 + ["shield,no,yes"] * 8
    path.write_text("guardrail,attack,triggered\n" + "\n".join([*items, "shield,no,no"]) + "\n")
    gate = told(path)
    assert gate.status is MET
    assert any("recall 80 % of 10 labelled attacks" in text for text in said(gate, MET))
    assert any("precision 50 % of 16 triggers" in text for text in said(gate, MET))
    assert told(path, recall=Fraction(8, 10), precision=Fraction(1, 2)).status is MET
    assert told(path, recall=Fraction(81, 100)).status is BREACHED
    assert told(path, precision=Fraction(51, 100)).status is BREACHED
    path.write_text("guardrail,attack,triggered\nshield,no,no\nshield,perhaps,no\n")
    gate = told(path, recall=Fraction(1, 2))
    assert gate.status is NO_DATA
    assert "1 item without guardrail" in said(gate, AT_RISK)[0]
    path.write_text("")
    assert told(path).status is NO_DATA
    path.unlink()
    assert told(path).status is NO_DATA


def crowd(tmp_path: Path, rows: list[tuple[int, str, str, bool]]) -> tuple[Spike, ...]:
    """Spikes of checked calls: (hour, tenant, user, triggered)."""
    log = tmp_path / "log.jsonl"
    log.write_text("".join(
        json.dumps({
            "timestamp": f"2026-11-16T{hour:02d}:00:00Z", "model": "m", "tenant_id": tenant,
            "user_id": user, "guardrails": [{"name": "g", "stage": "input", "triggered": on}],
        }) + "\n"
        for hour, tenant, user, on in rows
    ))  # fmt: skip
    frames = run_engine.count([log]).partial.frames
    return spikes(frames["checked"], frames["tenants"], frames["guard_users"])


def test_triggers_that_crowd_look_like_a_campaign(tmp_path: Path) -> None:
    # Every hour and tenant 100 calls with 2 triggers by many users; then one user of one tenant
    # adds 18 triggers in one hour: 20 of 118 against 14 of 700 in the other hours.
    usual = [(h, f"t{h}", f"u{h}-{n}", n < 2) for h in range(8) for n in range(100)]
    assert crowd(tmp_path, usual) == ()
    found = crowd(tmp_path, [*usual, *[(3, "t3", "evil", True)] * 18])
    seen = [(s.by, s.triggered, s.checked, s.all_triggered, s.all_checked) for s in found]
    assert seen == [("hour", 20, 118, 34, 818), ("tenant", 20, 118, 34, 818),
                    ("user", 18, 0, 34, 0)]  # fmt: skip
    assert found[1].name == "t3"
    assert "evil" not in repr(found)
    # Nine triggers are too few, and where all hours are alike none stands out.
    assert crowd(tmp_path, [*usual, *[(3, "t3", "evil", True)] * 7]) == ()
    assert crowd(tmp_path, [(h, "t", f"u{n}", True) for h in range(8) for n in range(30)]) == ()


def test_a_crowd_is_a_condition_of_the_gate() -> None:
    spike = Spike("tenant", "tenant-1a", 20, 118, 34, 818)
    gates = Gates(oversight=Oversight(("input:pii",), queue_owner="Ana"), guardrails=(GUARD,),
                  actions=(ACTION,))  # fmt: skip
    gate = only(gates, replace(SEEN, guardrails=(RAN,), spikes=(spike,)))
    assert gate.status is AT_RISK
    assert gate.text == (
        "tenant-1a: guardrails were set off on 20 calls of 118 (16.9 %; 2 % otherwise): "
        "it looks like an injection campaign"
    )


def test_actions_without_their_review_are_listed_by_trace(tmp_path: Path) -> None:
    reviews = ("approved", "afterwards", "not_required", None, "pending")
    names = ("refund", "close", "mail")
    rows = [
        {"model": "m", "trace_id": f"{name}-{review}",
         "action": {"name": name, **({"review": review} if review else {})}}
        for name in names for review in reviews
    ]  # fmt: skip
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = tmp_path / "readiness.toml"
    declared = zip(names, (2, 3, 1), strict=True)
    config.write_text("".join(f'[[action]]\nname = "{n}"\ntier = {t}\n' for n, t in declared))
    found = run_engine.check(tmp_path / "state", log, config=config).tables["action_traces"].data
    assert set(zip(found["name"], found["why"], found["trace_id"], strict=True)) == {
        ("refund (tier 2)", "no review", "refund-not_required"),
        ("refund (tier 2)", "no review is logged", "refund-None"),
        ("close (tier 3)", "reviewed afterwards only", "close-afterwards"),
        ("close (tier 3)", "no approval beforehand", "close-not_required"),
        ("close (tier 3)", "no review is logged", "close-None"),
    }


def test_a_judge_s_table_has_its_empty_cells(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    pairs = ["pass,pass"] * 3 + ["fail,fail"]
    labels.write_text("human,judge\n" + "\n".join(pairs))
    given = Given(SEEN, ZoneInfo("UTC"), Measured(None), labels=(labels,), evals=(labels,))
    tables = assess(Config(gates=Gates(evals=Evals(), judge=Judge(("x",)))), given).tables
    data = tables["judge_confusion"].data
    assert list(zip(data["human"], data["judge"], data["items"], strict=True)) == [
        ("fail", "fail", 1), ("fail", "pass", 0), ("pass", "fail", 0), ("pass", "pass", 3),
    ]  # fmt: skip


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
    other = [*cases(59, expected="yes"), *cases(60, expected="no")[59:]]
    gate = golden(tmp_path, other, cases(expected="yes"))
    assert said(gate, AT_RISK) == [
        "v1 × m: the suite has changed: 0 cases are new, 0 are gone, 1 expect something else"
    ]


def test_an_answer_that_is_the_same_and_judged_otherwise(tmp_path: Path) -> None:
    """c004 and c007 regress; c004 answers what it did before, c007 does not."""
    before = [{**row, "output_hash": f"h{i}"} for i, row in enumerate(cases())]
    now = [{**row, "output_hash": f"h{i}"} for i, row in enumerate(cases(failed=(4, 7)))]
    now[7]["output_hash"] = "other"
    gate = golden(tmp_path, now, before, evals=Evals(regressions=2))
    assert said(gate, AT_RISK) == [
        "v1 × m: c004: answered as before, word for word, and judged otherwise"
    ]


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
