"""What an objective counts, read off the definitions row by row, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import bench_oracle as oracle
from gonogo.config.model import Objective
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS

Row = dict[str, Any]
BLOCKS = {"block", "blocked", "deny", "reject"}

Event = tuple[int | None, Any]
"""the bin, and a value (of a distribution), or good or not (of a ratio)"""


def selects(objective: Objective) -> Callable[[Row, Row | None], bool]:
    """Whether a line and, where one is given, a row of a child table match the selector."""
    tables = {"tool": "name"}

    def select(line: Row, child: Row | None) -> bool:
        for key, pattern in objective.selector:
            of_line = key in DIMENSIONS or key in WIDE_DIMENSIONS
            if not of_line and child is None:
                continue
            text = line[key] if of_line else (child or {})[tables.get(key, key)]
            if not text or not fnmatchcase(text, pattern):
                return False
        return True

    return select


def events(objective: Objective, kept: Sequence[Row]) -> tuple[list[Event], int]:
    """The events that an objective judges among derived rows, and how many it could have judged."""
    return _events(objective.indicator, kept, selects(objective))


def _events(
    indicator: str, kept: Sequence[Row], select: Callable[[Row, Row | None], bool]
) -> tuple[list[Event], int]:
    """What an indicator judges, and how many events could have been judged, line by line."""
    lines = [row for row in kept if select(row, None)]
    calls = [row for row in lines if row["is_call"]]
    answering = [c for c in calls if c["answers"]]

    def values(rows: Sequence[Row], name: str) -> tuple[list[Event], int]:
        return [(r["bin"], r[name]) for r in rows if r[name] is not None], len(rows)

    def shares(rows: Sequence[Row], known: Any, good: Any) -> tuple[list[Event], int]:
        return [(r["bin"], bool(good(r))) for r in rows if known(r)], len(rows)

    def children(name: str) -> list[Row]:
        one_or_many = [(row, row[name]) for row in lines]
        pairs = [(r, c) for r, found in one_or_many
                 for c in ([found] if isinstance(found, dict) else found or []) if c]  # fmt: skip
        return [{"bin": r["bin"], "line": r, **c} for r, c in pairs if select(r, c)]

    match indicator:
        case "latency":
            return values(answering, "latency_us")
        case "latency_ok":
            return values([c for c in answering if c["failed"] is not True], "latency_ok_us")
        case "ttft":
            return values([c for c in calls if c["may_stream"]], "ttft_us")
        case "output_tokens_per_second":
            return values([c for c in answering if c["failed"] is not True], "rate_mtps")
        case "cost_per_call":
            return values(calls, "cost_nano")
        case "cost_per_request":
            return _plain_requests(calls)
        case "input_tokens" | "output_tokens":
            return values(calls, indicator)
        case "error_rate" | "timeout_rate" | "rate_limit_rate":
            kind = {"timeout_rate": "timeout", "rate_limit_rate": "rate_limit"}.get(indicator)
            return shares(
                calls,
                lambda c: c["failed"] is not None,
                lambda c: not c["failed"] or kind not in (None, c["error_class"]),
            )
        case "retry_rate":
            return shares(calls, lambda c: (c["retries"] if c["retries"] is not None else -1) >= 0,
                          lambda c: c["retries"] == 0)  # fmt: skip
        case "cache_hit_rate":
            return shares(calls, lambda c: c["cache_hit"] is not None, lambda c: c["cache_hit"])
    if indicator.startswith("guardrail_"):
        checks = children("guardrails")
        if indicator == "guardrail_latency":
            durations = [(c["bin"], oracle.amount(c["latency_ms"], 1e3)) for c in checks]
            return [(at, us) for at, us in durations if us is not None], len(checks)
        by_line: dict[int, list[Row]] = {}
        for check in checks:
            by_line.setdefault(id(check["line"]), []).append(check)
        found = []
        for of_line in by_line.values():
            flags = [c["triggered"] for c in of_line if c["triggered"] is not None]
            if indicator == "guardrail_trigger_rate" and not flags:
                continue
            bad = {
                "guardrail_trigger_rate": any(flags),
                "guardrail_block_rate": any((c["action"] or "").strip().lower() in BLOCKS
                                            for c in of_line),
                "guardrail_bypass_rate": any(c["bypassed"] for c in of_line),
            }[indicator]  # fmt: skip
            found.append((of_line[0]["bin"], not bad))
        return found, len(by_line)
    if indicator.startswith("retrieval_"):
        return _plain_retrievals(indicator, children("retrieval"))
    return _plain_tools(indicator, children("tool_calls"))


def _plain_requests(calls: list[Row]) -> tuple[list[Event], int]:
    """Calls by trace: a request is in the bin of its first call, and costs what they all do."""
    traces: dict[str, list[Row]] = {}
    for call in calls:
        if call["trace_id"]:
            traces.setdefault(call["trace_id"], []).append(call)
    found = []
    for own in traces.values():
        bins = [c["bin"] for c in own if c["bin"] is not None]
        costs = [c["cost_nano"] for c in own]
        if None not in costs:
            found.append((min(bins, default=None), sum(costs)))
    return found, len(traces)


def _plain_retrievals(indicator: str, rows: list[Row]) -> tuple[list[Event], int]:
    found = []
    for row in rows:
        one = oracle.retrieval_columns([row["line"]])
        if indicator == "retrieval_latency":
            if one["latency_us_n"]:
                found.append((row["bin"], one["latency_us_sum"]))
        elif indicator == "retrieval_failed_rate":
            found.append((row["bin"], not one["failed"]))
        elif indicator == "retrieval_empty_rate" and one["chunks_known"]:
            found.append((row["bin"], not one["empty"]))
        elif indicator == "retrieval_hit_rate" and one["hit_known"]:
            found.append((row["bin"], bool(one["hits"])))
    return found, len(rows)


def _plain_tools(indicator: str, rows: list[Row]) -> tuple[list[Event], int]:
    found = []
    for row in rows:
        one = oracle.tool_columns([row], quantiles=False)
        known, bad = {
            "tool_error_rate": (one["outcome_known"], one["errors"]),
            "tool_timeout_rate": (one["outcome_known"], one["timeouts"]),
            "tool_invalid_argument_rate": (one["arguments_known"], one["arguments_invalid"]),
            "tool_fallback_rate": (one["fallback_known"], one["fallbacks"]),
            "tool_latency": (one["latency_us_n"], one["latency_us_sum"]),
        }[indicator]
        if known:
            found.append((row["bin"], bad if indicator == "tool_latency" else not bad))
    return found, len(rows)
