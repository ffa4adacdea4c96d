"""The terminal report says the worst first, fits its width, and cannot be taken over by a log."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from gonogo.conventions import Severity, Source, Status, Verdict
from gonogo.exports.junit import junit_xml
from gonogo.exports.terminal import report, verdict_line
from gonogo.results import Decision, Gate, Reason
from hostile import ATTACK_STRINGS
from hostile_canaries import CANARIES, CANARY_TOKENS
from hostile_result import hostile_result, objective
from synthetic import synthetic_result

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _report(result: object = None, *, width: int = 100, color: bool = False, **more: str) -> str:
    shown = result or synthetic_result()
    return report(shown, shown.readiness, width=width, color=color, **more)  # type: ignore[attr-defined,arg-type]


def _failing(reason: str = "1,734 of 2,000 calls failed") -> object:
    worst = objective(
        "error_rate", title="error rate", reason=reason, hint="look at the 429s", owner=None
    )
    other = objective(
        "latency.p95", title="p95 latency", unit="us", limit="4000000", observed=5_000_000.0,
        low=None, high=None,
    )  # fmt: skip
    decision = Decision(
        verdict=Verdict.NO_GO,
        headline="2 of 2 objectives are breached.",
        reasons=(
            Reason(status=Status.BREACHED, text=reason, objective="error_rate"),
            Reason(status=Status.BREACHED, text="slow", objective="latency.p95"),
        ),
    )
    return synthetic_result(
        objectives=(worst, other), readiness=decision, slo=decision, excursions=(),
        notice="telemetry only, default thresholds: this is not a readiness decision",
    )  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("color", [False, True])
def test_a_log_full_of_errors_is_told_so_before_anything_else(width: int, color: bool) -> None:
    out = ANSI.sub("", _report(_failing(), width=width, color=color))
    first = " ".join(out.split())[: len(" NO-GO error rate 86.7 %") + 40].strip()
    assert first.startswith("NO-GO error rate 86.7 %, limit ≤ 1 %: 1,734 bad of 2,000")


def test_the_one_line_verdict_says_the_same() -> None:
    result = _failing()
    line = verdict_line(result, result.readiness)  # type: ignore[attr-defined,arg-type]
    assert line == "NO-GO: error rate 86.7 %, limit ≤ 1 %: 1,734 bad of 2,000 (86.7 %)"


def test_the_notice_the_reasons_and_the_headline_follow() -> None:
    lines = _report(_failing()).splitlines()
    assert lines[1] == "2 of 2 objectives are breached."
    assert lines[2].startswith("telemetry only, default thresholds")
    assert "✗ BREACHED 1,734 of 2,000 calls failed" in lines
    assert "✗ BREACHED slow" in lines


def test_every_objective_has_its_row_worst_first() -> None:
    result = synthetic_result()
    out = _report(result)
    at = [out.index(f"   {o.id} ") for o in result.objectives]
    assert at == sorted(at)
    row = next(line for line in out.splitlines() if line.startswith("! AT RISK"))
    assert re.split(r"\s{2,}", row) == [
        "! AT RISK", "error_rate", "0.98 %", "0.95 % to 1.01 %", "≤ 1.5 %", "10,213",
    ]  # fmt: skip


def test_defaults_and_warnings_are_marked() -> None:
    o = objective("error_rate", source=Source.DEFAULT, severity=Severity.WARNING)
    assert "error_rate (warning, default)" in _report(synthetic_result(objectives=(o,)))


def test_the_lines_that_were_read_add_up_in_print() -> None:
    out = _report()
    assert "10,230 lines = 10,213 accepted + 5 quarantined + 12 duplicates; 10,213 calls" in out
    assert "5 × line is not JSON [GNG101]" in out


def test_what_was_left_out_is_said() -> None:
    base = synthetic_result()
    ingest = base.ingest.model_copy(update={"outside_period": 7, "excluded": 2})
    out = _report(synthetic_result(ingest=ingest))
    assert "of the accepted: 7 outside the period, 2 in declared exclusions" in out
    assert "of the accepted" not in _report()


def test_it_says_where_to_look() -> None:
    out = _report(site="site/index.html")
    assert "open site/index.html" in out
    assert "next p95 latency: Open the breaches and look at the slowest traces." in out


def test_next_steps_are_those_of_objectives_and_of_gates_each_said_once() -> None:
    rows = tuple(objective(f"o{i}", title=f"o{i}", hint="look at the 429s") for i in range(5))
    rows += tuple(objective(f"p{i}", title=f"p{i}", hint=f"mend p{i}") for i in range(5))
    gates = tuple(
        Gate.model_validate(
            {"id": name, "title": name, "status": status, "evidence": "file", "text": "",
             "next_step": f"see to the {name}"}
        )
        for name, status in (("golden set", "NO_DATA"), ("owners", "MET"), ("alerts", "AT_RISK"))
    )  # fmt: skip
    result = synthetic_result(objectives=rows, gates=gates)
    steps = re.findall("^next (.*)$", _report(result), re.MULTILINE)
    assert steps == [
        "o0, o1, o2 and 2 more: look at the 429s",
        "p0: mend p0",
        "golden set: see to the golden set",
        "alerts: see to the alerts",
    ]
    slo = Decision(verdict=Verdict.GO, headline="", reasons=())
    alone = report(result, slo, width=100, color=False)
    assert "golden set" not in alone
    assert alone.count("\nnext ") == 4


def test_two_verdicts_are_told_apart() -> None:
    slo = Decision(verdict=Verdict.GO, headline="", reasons=())
    assert "SLO alone: GO. Readiness, gates included: NO-GO." in _report(synthetic_result(slo=slo))
    assert "SLO alone" not in _report()


@pytest.mark.parametrize("width", [40, 60, 70, 100, 200])
def test_no_line_is_wider_than_asked_for(width: int) -> None:
    out = _report(hostile_result("word " * 50), width=width)
    assert max(len(line) for line in out.splitlines()) <= width


def test_without_colour_there_is_no_escape_sequence_and_with_it_the_text_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    plain = _report()
    assert "\x1b" not in plain
    monkeypatch.setenv("NO_COLOR", "1")
    colored = _report(color=True)
    assert ANSI.sub("", colored).split() == plain.split()


def test_colour_is_used_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in _report(color=True)


@pytest.mark.parametrize("text", ATTACK_STRINGS)
def test_log_text_cannot_act_on_the_terminal_or_the_ci_runner(text: str) -> None:
    result = hostile_result(text)
    for width in (40, 100):
        for color in (False, True):
            out = ANSI.sub("", _report(result, width=width, color=color))
            assert not re.search(
                "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", out
            )
            assert "##[" not in out
            assert not re.search(r"(?m)^\s*::", out)
    assert "\n" not in verdict_line(result, result.readiness)


@pytest.mark.parametrize("path", [p for p in CANARIES if not CANARIES[p].startswith("cnry")])
def test_no_secret_comes_through_the_report(path: str) -> None:
    result = hostile_result(f"name {CANARIES[path]}")
    joined = re.sub(r"\s", "", _report(result, width=200)).lower()
    assert "name" in joined
    assert re.sub(r"\s", "", CANARY_TOKENS[path]).lower() not in joined


def test_rich_markup_in_a_name_is_text() -> None:
    assert "[bold red]x[/]" in _report(hostile_result("[bold red]x[/]"))


# --- JUnit


def test_each_objective_and_gate_is_a_test_case() -> None:
    result = synthetic_result()
    root = ET.fromstring(junit_xml(result))
    cases = root.findall("./testsuite/testcase")
    expected = [o.expression for o in result.objectives] + [g.title for g in result.gates]
    assert [c.get("name") for c in cases] == expected
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("7", "1", "1")


@pytest.mark.parametrize(
    ("status", "child"),
    [
        (Status.BREACHED, "failure"),
        (Status.NO_DATA, "error"),
        (Status.NOT_APPLICABLE, "skipped"),
        (Status.AT_RISK, "system-out"),
        (Status.MET, "system-out"),
    ],
)
def test_the_outcome_of_a_case_follows_the_status(status: Status, child: str) -> None:
    o = objective("error_rate", status=status, hint="do this")
    result = synthetic_result(objectives=(o,), gates=())
    root = ET.fromstring(junit_xml(result))
    (case,) = root.findall("./testsuite/testcase")
    assert [e.tag for e in case] == [child]
    said = (case[0].text or "") + (case[0].get("message") or "")
    assert "86.7 %, limit ≤ 1 %" in said
    assert "default threshold, not your SLA" in said
    assert int(root.get("errors", "")) == (status is Status.NO_DATA)
    assert int(root.get("failures", "")) == (status is Status.BREACHED)
    assert int(root.get("skipped", "")) == (status is Status.NOT_APPLICABLE)


@pytest.mark.parametrize("text", ATTACK_STRINGS)
def test_hostile_text_keeps_the_xml_well_formed_and_of_the_same_shape(text: str) -> None:
    shape = [e.tag for e in ET.fromstring(junit_xml(hostile_result("x"))).iter()]
    out = junit_xml(hostile_result(text))
    assert [e.tag for e in ET.fromstring(out.encode()).iter()] == shape
    assert not re.search(r"(?m)^\s*::|##\[", out)


@pytest.mark.parametrize("path", [p for p in CANARIES if not CANARIES[p].startswith("cnry")])
def test_no_secret_comes_through_the_xml(path: str) -> None:
    out = junit_xml(hostile_result(f"name {CANARIES[path]}"))
    assert CANARY_TOKENS[path].lower() not in out.lower()


def test_the_time_of_the_suite_is_that_of_the_data() -> None:
    assert 'timestamp="2026-03-08T21:40:00"' in junit_xml(synthetic_result())
    assert "timestamp" not in junit_xml(synthetic_result(as_of=None))
