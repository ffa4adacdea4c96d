"""The gates of tools and of retrieval."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import run_engine
from gates import AT_RISK, BREACHED, MET, NO_DATA, SEEN, only, said
from gonogo.config.evidence import (
    Gates,
    Retrieval,
    Tool,
)
from gonogo.evidence.observed import (
    IndexCount,
    ToolCount,
)
from gonogo.results import Gate

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
