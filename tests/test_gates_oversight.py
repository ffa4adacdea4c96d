"""The gate of guardrails and human oversight: coverage, actions, attacks, crowds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import run_engine
from gates import AT_RISK, BREACHED, MET, NO_DATA, SEEN, only, said
from gonogo.config.evidence import (
    GUARDRAILS,
    Action,
    Gates,
    Guardrail,
    Oversight,
    RedTeam,
)
from gonogo.conventions import Status
from gonogo.evidence.observed import (
    ActionCount,
    GuardrailCount,
)
from gonogo.evidence.spikes import Spike, spikes
from gonogo.results import Gate

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
