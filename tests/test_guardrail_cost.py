"""What guardrails cost: of checks that say it, and of the calls that a check makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import reading
import run_engine
from foreign_logs import chat, litellm, otlp, span
from gonogo.cli import main
from gonogo.results import ReadinessResult


def native(number: int, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-11-16T09:00:{number:02d}Z", "trace_id": f"t{number}",
        "span_id": f"s{number}", "operation": "chat", "model": "m", "latency_ms": 100,
        "status": "ok", "cost_usd": 0.01, **more,
    }  # fmt: skip


def guard(number: int, parent: int, **more: Any) -> dict[str, Any]:
    return span(number, parent, **{"openinference.span.kind": "GUARDRAIL", **more})


def model(number: int, parent: int, cost: float) -> dict[str, Any]:
    return chat(number, parent, **{"gen_ai.usage.cost": cost})


def judged(folder: Path, *records: dict[str, Any]) -> ReadinessResult:
    return run_engine.check(folder / "state", reading.write(folder / "a.jsonl", *records))


def row(result: ReadinessResult) -> dict[str, Any]:
    return {name: values[0] for name, values in result.tables["guardrail_cost"].data.items()}


def test_checks_that_say_what_they_cost(tmp_path: Path) -> None:
    """Three checks, two with a cost of $0.001 and $0.002; the calls cost $0.03 together."""
    rows = [
        native(1, guardrails=[{"name": "pii", "triggered": False, "cost_usd": 0.001}]),
        native(2, guardrails=[{"name": "pii", "triggered": True, "cost_usd": "0.002"}]),
        native(3, guardrails=[{"name": "pii", "triggered": False}]),
    ]
    assert row(judged(tmp_path, *rows)) == {
        "checks": 3, "costed": 2, "own": 3_000_000, "calls": 0, "below": 0,
        "spent": 3_000_000, "cost": 30_000_000,
    }  # fmt: skip


def test_calls_below_a_guardrail_span_are_its_cost(tmp_path: Path) -> None:
    """An answer of $0.03; a check whose model costs $0.005, found two spans below it."""
    spans = (
        span(1, **{"gen_ai.operation.name": "invoke_agent"}),
        model(2, 1, 0.03),
        guard(3, 1), span(4, 3, **{"openinference.span.kind": "CHAIN"}), model(5, 4, 0.005),
    )  # fmt: skip
    found = row(judged(tmp_path, otlp(*spans)))
    assert (found["checks"], found["costed"], found["calls"]) == (1, 0, 1)
    assert (found["below"], found["spent"], found["cost"]) == (5_000_000, 5_000_000, 35_000_000)


def test_a_check_that_repeats_the_cost_of_its_calls_counts_once(tmp_path: Path) -> None:
    """The guardrail's span repeats the $0.005 of the call below it; another has $0.001 alone."""
    root = span(1, **{"gen_ai.operation.name": "invoke_agent"})
    repeats = guard(3, 1, **{"gen_ai.usage.cost": 0.005})
    alone = guard(6, 1, **{"gen_ai.usage.cost": 0.001})
    record = otlp(root, model(2, 1, 0.03), repeats, model(5, 3, 0.005), alone)
    found = row(judged(tmp_path, record))
    assert (found["own"], found["below"], found["spent"]) == (1_000_000, 5_000_000, 6_000_000)


def test_a_call_that_found_its_own_trigger_is_no_check(tmp_path: Path) -> None:
    """`gen_ai.guardrail.triggered` on the call itself: the cost is that of the answer."""
    have = {"gen_ai.guardrail.triggered": True, "gen_ai.usage.cost": 0.03}
    agent = span(1, **{"gen_ai.operation.name": "invoke_agent", "gen_ai.guardrail.triggered": True})
    result = judged(tmp_path, otlp(agent, chat(2, 1, **have)))
    assert "guardrail_cost" not in result.tables


@pytest.mark.parametrize("operation", ["guardrail", "moderation", "apply_guardrail"])
def test_a_call_whose_operation_is_a_check(operation: str, tmp_path: Path) -> None:
    rows = [native(1), native(2, operation=operation, is_call=True, cost_usd=0.002)]
    found = row(judged(tmp_path, *rows))
    assert (found["calls"], found["below"], found["cost"]) == (1, 2_000_000, 12_000_000)


def test_litellm_says_what_a_guardrail_cost(tmp_path: Path) -> None:
    check = {"guardrail_name": "pii", "guardrail_status": "success", "guardrail_cost": 0.0002}
    found = row(judged(tmp_path, litellm(guardrail_information=[check])))
    assert (found["own"], found["cost"]) == (200_000, 1_000_000)


def test_the_share_is_advice_and_stands_on_the_page(tmp_path: Path) -> None:
    logs = reading.write(
        tmp_path / "a.jsonl",
        native(1, guardrails=[{"name": "pii", "triggered": False, "cost_usd": 0.001}]),
    )
    config = tmp_path / "readiness.toml"
    config.write_text('[slo]\nerror_rate = "<= 50%"\n[oversight]\nqueue_owner = "A. Nowak"\n')
    result = run_engine.check(tmp_path / "state", logs, config=config)
    (gate,) = [g for g in result.gates if g.id == "oversight"]
    text = "guardrail checks cost 10 % of what calls cost"
    assert text in {f.text for f in gate.findings}
    site = tmp_path / "site"
    args = ["build", str(logs), "-c", str(config), "-o", str(site), "--state", str(tmp_path / "s")]
    CliRunner().invoke(main, [*args, "-q", "--exit-zero"])
    page = (site / "quality.html").read_text()
    assert "What guardrails cost" in page
    assert "carries no cost of a check" not in page


def test_a_log_without_a_cost_of_checks_says_so(tmp_path: Path) -> None:
    logs = reading.write(
        tmp_path / "a.jsonl", native(1, guardrails=[{"name": "pii", "triggered": False}])
    )
    site = tmp_path / "site"
    args = ["build", str(logs), "-o", str(site), "--state", str(tmp_path / "s"), "-q"]
    CliRunner().invoke(main, [*args, "--exit-zero"])
    page = (site / "quality.html").read_text()
    assert "The log carries no cost of a check" in page
    assert "What guardrails cost" not in page
