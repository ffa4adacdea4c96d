"""The indicator definitions in plain Python, row by row, and awkward rows to try them on."""

from __future__ import annotations

import math
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa

Row = dict[str, Any]
DIMENSIONS = (
    *("service", "environment", "release", "prompt_version"),
    *("operation", "provider", "model", "tenant_id"),
)
NOT_CALL = {"retrieval", "retrieve", "rerank", "execute_tool", "tool", "guardrail"}
BLOCKED = {"blocked", "guardrail_blocked", "content_filter"}
FAILED = {"error", "failed", "failure", "timeout", "cancelled", "exception"}
CLASSES: list[tuple[str, set[str], tuple[str, ...]]] = [
    ("rate_limit", {"429"}, ("rate_limit", "ratelimit", "too_many_requests", "throttl")),
    ("timeout", {"408", "504"}, ("timeout", "timedout", "timed_out", "deadline")),
    ("context_length", set(), ("context_length", "too_long")),
    ("auth", {"401", "403"}, ("unauthori", "forbidden", "authentication", "permission")),
    (
        "server_error",
        {"500", "502", "503", "529"},
        ("overloaded", "internal", "unavailable", "server_error"),
    ),
    ("connection", set(), ("connection", "network", "dns")),
    ("invalid_request", {"400", "404", "413", "422"}, ("bad_request", "invalid")),
]
QUANTILES = (Fraction(1, 2), Fraction(9, 10), Fraction(19, 20), Fraction(99, 100))
TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_write_input_tokens",
    "reasoning_tokens": "reasoning_output_tokens",
}
POPULATIONS = ("latency_us", "latency_ok_us", "ttft_us", "rate_mtps")

TEXT, TRUTH, REAL, WHOLE = pa.string(), pa.bool_(), pa.float64(), pa.int64()


def columns(**groups: str) -> dict[str, pa.DataType]:
    """Fields by type: each keyword is a type's name, its value the fields' names."""
    kinds = {"text": TEXT, "truth": TRUTH, "real": REAL, "whole": WHOLE}
    return {name: kinds[kind] for kind, names in groups.items() for name in names.split()}


RETRIEVAL = columns(text="status error_type index_version", truth="hit", real="latency_ms") | {
    "chunk_ids": pa.list_(TEXT),
    "scores": pa.list_(REAL),
    "expected_chunk_ids": pa.list_(TEXT),
}
TOOL = columns(
    text="name status error_type input output", truth="arguments_valid fallback", real="latency_ms"
)
GUARDRAIL = columns(text="name stage action", truth="triggered bypassed", real="latency_ms")
SCHEMA = pa.schema(
    {"timestamp": pa.timestamp("us", "UTC")}
    | columns(
        text="trace_id span_id session_id user_id tenant_id service environment release "
        "prompt_version operation provider request_model response_model status error_type "
        "finish_reason output",
        truth="stream cache_hit",
        real="latency_ms ttft_ms cost_usd",
        whole="retries " + " ".join(TOKENS.values()),
    )
    | {
        "retrieval": pa.struct(RETRIEVAL),
        "tool_calls": pa.list_(pa.struct(TOOL)),
        "guardrails": pa.list_(pa.struct(GUARDRAIL)),
        "action": pa.struct(columns(text="name", whole="tier")),
        "evaluations": pa.list_(pa.struct(columns(text="name", real="score"))),
    }
)


# ── rows: every field may be missing, and values are chosen to sit on the rules' edges ──────────


def make_rows(seed: int, n: int) -> list[Row]:
    rng = random.Random(seed)
    start = datetime(2026, 11, 16, 22, 0, tzinfo=UTC)
    pick = rng.choice

    def children(most: int, make: Callable[[], Row]) -> list[Row | None] | None:
        if rng.random() < 0.4:
            return pick([None, []])
        return [None if rng.random() < 0.05 else make() for _ in range(rng.randint(1, most))]

    def retrieval() -> Row:
        return {
            "status": pick([None, None, "ok", "error", "timeout", "503"]),
            "error_type": pick([None, None, None, "", "index_unavailable"]),
            "hit": pick([None, True, False]),
            "chunk_ids": pick([None, [], ["a"], ["a", "b", "b"], ["c", "d", None]]),
            "scores": pick([None, [], [0.5], [0.25, 0.75, 0.5]]),
            "latency_ms": pick([None, 12.5, -1.0, 40.0]),
            "expected_chunk_ids": pick([None, None, [], ["b"], ["b", "d", "d"], ["z"]]),
            "index_version": pick([None, "v1", "v2"]),
        }

    def tool() -> Row:
        return {
            "name": pick(["search", "refund", None]),
            "status": pick([None, "ok", "ok", "error", "timed_out", "blocked", "500"]),
            "error_type": pick([None, None, None, "", "ToolTimeoutError", "oops"]),
            "latency_ms": pick([None, 5.5, 100.0, 30_000.0, -3.0]),
            "arguments_valid": pick([None, True, False]),
            "fallback": pick([None, True, False]),
            "input": pick([None, "x"]),
            "output": pick([None, ""]),
        }

    def guardrail() -> Row:
        return {
            "name": pick(["pii", "pii", "toxicity", None]),
            "stage": pick(["input", "output", None]),
            "triggered": pick([None, True, False, False]),
            "action": pick([None, "none", "Block", "deny", "redact"]),
            "bypassed": pick([None, True, False]),
            "latency_ms": pick([None, 1.0, 2.5, 9.0005]),
        }

    rows: list[Row] = []
    for i in range(n):
        if rows and rng.random() < 0.08:  # delivered twice, now and then with other content
            copy = dict(pick(rows))
            if rng.random() < 0.5:
                copy.update(latency_ms=777.0, status="error", service="late")
            rows.append(copy)
            continue
        row: Row = {
            "timestamp": start + timedelta(seconds=rng.randrange(200_000)),
            "trace_id": pick([f"{i:032x}", f"{i // 3:032x}", None]),
            "span_id": pick([f"{i:016x}", f"{i:016x}", None]),
            "session_id": pick([None, f"s-{rng.randrange(20)}"]),
            "user_id": pick([None, f"u-{rng.randrange(12)}"]),
            "tenant_id": pick([None, "acme", "globex", "a'b\"c<script>"]),
            "service": pick([None, "copilot", "docs"]),
            "environment": pick(["production", "production", None]),
            "release": pick([None, "r1", "r2"]),
            "prompt_version": pick([None, "v1"]),
            "operation": pick([None, "chat", "chat", "chat", "Embeddings", "embedding", "other"]),
            "provider": pick([None, "openai"]),
            "request_model": pick([None, "m"]),
            "response_model": pick([None, "m-1", "m-2"]),
            **{name: pick([None, 0, 17, 1_000_003, -4]) for name in TOKENS.values()},
            "latency_ms": pick([None, 0.0, -5.0, 0.0005, 0.0015, 2.0005, rng.uniform(1, 9_000)]),
            "ttft_ms": pick([None, None, 0.0, -1.0, 0.4, 300.25]),
            "stream": pick([None, True, True, False]),
            "status": pick(
                [
                    *(None, "ok", "ok", "SUCCESS", "200", "nan", "", "error", "Failed", "timeout"),
                    *("cancelled", "blocked", "Guardrail_Blocked", "content_filter", "429", "503"),
                ]
            ),
            "error_type": pick(
                [
                    *[None] * 12,
                    *("", "rate_limit_error", "RateLimitError", "Throttling", "APITimeoutError"),
                    *("deadline_exceeded", "401", "invalid_request_error", "prompt is too long"),
                    *("context_length_exceeded", "overloaded_error", "dns", "weird", "408", "529"),
                ]
            ),
            "finish_reason": pick([None, "stop", "length"]),
            "retries": pick([None, 0, 0, 2]),
            "cache_hit": pick([None, False, False, True]),
            "cost_usd": pick([None, 0.0, 0.001234567, 0.25, -1.0]),
            "retrieval": pick([None, retrieval()]),
            "tool_calls": children(3, tool),
            "guardrails": children(4, guardrail),
            "action": pick([None, None, None, {"name": "refund", "tier": 2}]),
            "evaluations": pick([None, [], [{"name": "groundedness", "score": 0.5}]]),
            "output": pick([None, "", "hello"]),
        }
        shape = rng.random()
        if shape < 0.1:  # only a child; nothing of a call, or only values that count as missing
            empty: Row = dict.fromkeys(row)
            empty.update(latency_ms=pick([None, -1.0]), cost_usd=pick([None, -2.0]))
            for name in ("trace_id", "span_id", "service", "retrieval", "guardrails", "action"):
                empty[name] = row[name]
            empty["status"] = pick([None, "ok", "error"])
            row = empty
        elif shape < 0.2:
            row["operation"] = pick(["retrieval", "Rerank", "execute_tool", "guardrail"])
        if rng.random() < 0.05:
            row["timestamp"] = None
        rows.append(row)
    return rows


# ── the same indicators, read off the definitions ────────────────────────────────────────────────


def amount(value: float | None, scale: float) -> int | None:
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return round(value * scale)


def failure(status: str | None, error_type: str | None) -> bool | None:
    word = (status or "").lower()
    if word in BLOCKED:
        return False
    number = float(word) if word.isdigit() else 0.0
    if error_type or word in FAILED or number >= 400:
        return True
    return False if word else None


def classify(status: str | None, error_type: str | None) -> str:
    word = re.sub(r"[\s-]+", "_", (error_type or status or "").strip().lower())
    for name, codes, parts in CLASSES:
        if word in codes or any(part in word for part in parts):
            return name
    return "other"


def says_timeout(word: str | None) -> bool:
    return bool(word) and classify(None, word) == "timeout"


def first_copies(rows: list[Row]) -> list[Row]:
    seen: set[tuple[str, str]] = set()
    kept = []
    for row in rows:
        key = (row["trace_id"], row["span_id"])
        if None not in key:
            if key in seen:
                continue
            seen.add(key)
        kept.append(row)
    return kept


def derive(row: Row) -> Row:
    """The row with what the definitions derive from it."""
    out = dict(row)
    operation = (row["operation"] or "").lower()
    latency, ttft = amount(row["latency_ms"], 1e3), amount(row["ttft_ms"], 1e3)
    if ttft == 0 or row["stream"] is False:
        ttft = None
    if ttft is not None and latency is not None and ttft > latency:
        ttft = None
    cost = amount(row["cost_usd"], 1e9)
    tokens = {
        name: row[field] if row[field] is not None and row[field] >= 0 else None
        for name, field in TOKENS.items()
    }
    model = row["response_model"] if row["response_model"] is not None else row["request_model"]
    child = any(
        row[name] for name in ("retrieval", "tool_calls", "guardrails", "action", "evaluations")
    )
    output = row["output"] or None
    of_a_call = (model, latency, ttft, cost, row["finish_reason"], output, *tokens.values())
    failed = failure(row["status"], row["error_type"])
    answers = row["cache_hit"] is not True and operation not in {"embeddings", "embedding"}
    ok_latency = latency if answers and failed is not True else None
    made = row["output_tokens"] or 0
    start = row["timestamp"]
    out.update(
        op=operation,
        model=model,
        bin=None if start is None else int(start.timestamp()) // 300,
        is_call=operation not in NOT_CALL and not (child and all(v is None for v in of_a_call)),
        failed=failed,
        error_class=classify(row["status"], row["error_type"]) if failed else None,
        answers=answers,
        may_stream=(ttft is not None and row["cache_hit"] is not True)
        or (answers and row["stream"] is not False and failed is not True),
        may_answer=failed is not True
        and (row["status"] or "").lower() not in BLOCKED
        and operation not in {"embeddings", "embedding"},
        output=output,
        all_latency_us=latency,
        latency_us=latency if answers else None,
        latency_ok_us=ok_latency,
        ttft_us=ttft if row["cache_hit"] is not True else None,
        rate_mtps=min(made * 10**9 // ok_latency, 10**12) if ok_latency and made > 0 else None,
        cost_nano=cost,
        **tokens,
    )
    return out


def nearest_rank(values: Iterable[int | None]) -> list[int] | None:
    ranked = sorted(v for v in values if v is not None)
    if not ranked:
        return None
    return [ranked[max(math.ceil(q * len(ranked)), 1) - 1] for q in QUANTILES]


def total(values: Iterable[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def count(rows: Iterable[Row], test: Callable[[Row], object]) -> int:
    return sum(1 for row in rows if test(row))


def known(name: str) -> Callable[[Row], bool]:
    return lambda row: row[name] is not None


def call_columns(calls: list[Row], quantiles: bool) -> Row:
    bins = [c["bin"] for c in calls if c["bin"] is not None]
    out: Row = {
        "first_bin": min(bins, default=None),
        "last_bin": max(bins, default=None),
        "calls": len(calls),
        "timed": len(bins),
        "outcome_known": count(calls, known("failed")),
        "errors": count(calls, lambda c: c["failed"]),
        "finished": count(calls, known("finish_reason")),
        "retries_known": count(calls, known("retries")),
        "retried": count(calls, lambda c: (c["retries"] or 0) > 0),
        "cache_known": count(calls, known("cache_hit")),
        "cache_hits": count(calls, lambda c: c["cache_hit"]),
        "latency_applicable": count(calls, lambda c: c["answers"]),
        "ttft_applicable": count(calls, lambda c: c["may_stream"]),
        "all_latency_us_sum": total(c["all_latency_us"] for c in calls),
        "cost_nano_n": count(calls, known("cost_nano")),
        "cost_nano_sum": total(c["cost_nano"] for c in calls),
        "session_cost_nano_sum": total(
            c["cost_nano"] for c in calls if c["session_id"] is not None
        ),
        "with_trace_id": count(calls, known("trace_id")),
        "with_session_or_user": count(
            calls, lambda c: c["session_id"] is not None or c["user_id"] is not None
        ),
        "with_model": count(calls, known("model")),
        "with_version": count(
            calls, lambda c: c["release"] is not None or c["prompt_version"] is not None
        ),
        "output_applicable": count(calls, lambda c: c["may_answer"]),
        "with_output": count(calls, lambda c: c["may_answer"] and c["output"] is not None),
        "with_latency": count(calls, known("all_latency_us")),
    }
    for name in TOKENS:
        out[f"{name}_n"] = count(calls, known(name))
        out[f"{name}_sum"] = total(c[name] for c in calls)
    for name in POPULATIONS:
        values = [c[name] for c in calls if c[name] is not None]
        mean = Fraction(sum(values), len(values)) if values else Fraction(0)
        squares = sum((v - mean) ** 2 for v in values)
        out |= {
            f"{name}_n": len(values),
            f"{name}_sum": total(values),
            f"{name}_min": min(values, default=None),
            f"{name}_max": max(values, default=None),
            f"{name}_sd": math.sqrt(squares / len(values)) if values else None,
            f"{name}_q": nearest_rank(values) if quantiles else None,
        }
    return out


def quantile_columns(calls: list[Row]) -> Row:
    return {f"{name}_n": count(calls, known(name)) for name in POPULATIONS} | {
        f"{name}_q": nearest_rank(c[name] for c in calls) for name in POPULATIONS
    }


def check_columns(rows: list[Row], match: Callable[[Row], bool]) -> Row:
    ran = [(r, [g for g in r["guardrails"] or [] if g and match(g)]) for r in rows]
    ran = [(r, checks) for r, checks in ran if checks]
    blocks = {"block", "blocked", "deny", "reject"}
    return {
        "checks": sum(len(checks) for _, checks in ran),
        "ran": len(ran),
        "ran_on_calls": sum(1 for r, _ in ran if r["is_call"]),
        "flagged": sum(1 for _, cs in ran if any(g["triggered"] is not None for g in cs)),
        "triggered": sum(1 for _, checks in ran if any(g["triggered"] for g in checks)),
        "blocked": sum(
            1 for _, checks in ran if any((g["action"] or "").lower() in blocks for g in checks)
        ),
        "bypassed": sum(1 for _, checks in ran if any(g["bypassed"] for g in checks)),
    }


def retrieval_columns(rows: list[Row]) -> Row:
    out: Row = defaultdict(int)
    scores, waits, found, wanted, chunks = [], [], [], [], []
    for row in rows:
        one = row["retrieval"]
        got = one["chunk_ids"]
        expected = set(one["expected_chunk_ids"] or []) - {None}
        broken = failure(one["status"], one["error_type"]) or (
            not row["is_call"] and row["failed"] is True
        )
        hit: bool | None
        if broken:
            hit = False
        elif expected and got is not None:
            hit = bool(expected & set(got))
        elif one["hit"] is not None:
            hit = one["hit"]
        else:
            hit = None if got is None else len(got) >= 1
        out["retrievals"] += 1
        out["failed"] += bool(broken)
        out["hit_known"] += hit is not None
        out["hits"] += hit is True
        out["hit_logged"] += bool(
            broken or one["hit"] is not None or (expected and got is not None)
        )
        out["chunks_known"] += got is not None
        out["empty"] += got == [] and not broken
        chunks.append(None if got is None else len(got))
        if one["scores"]:
            scores.append(round(max(one["scores"]) * 1e6))
        if expected and got is not None:
            wanted.append(len(expected))
            found.append(len(expected & set(got)))
        wait = amount(one["latency_ms"], 1e3)
        if wait is None and row["op"] in {"retrieval", "retrieve", "rerank"}:
            wait = row["all_latency_us"]
        waits.append(wait)
    return dict(out) | {
        "chunks": total(chunks),
        "top_score_micro_n": len(scores),
        "top_score_micro_sum": sum(scores) if scores else None,
        "expected_found": total(found),
        "expected": total(wanted),
        "latency_us_n": count([{"x": w} for w in waits], known("x")),
        "latency_us_sum": total(waits),
    }


def tool_columns(calls: list[Row], quantiles: bool) -> Row:
    states = []
    for t in calls:
        late = says_timeout(t["status"]) or says_timeout(t["error_type"])
        states.append((late, True if late else failure(t["status"], t["error_type"])))
    took = [amount(t["latency_ms"], 1e3) for t in calls]
    timed = [us for us in took if us is not None]
    out: Row = {
        "tool_calls": len(calls),
        "outcome_known": sum(1 for _, failed in states if failed is not None),
        "errors": sum(1 for _, failed in states if failed),
        "timeouts": sum(1 for late, _ in states if late),
        "arguments_known": count(calls, known("arguments_valid")),
        "arguments_invalid": count(calls, lambda t: t["arguments_valid"] is False),
        "fallback_known": count(calls, known("fallback")),
        "fallbacks": count(calls, lambda t: t["fallback"]),
        "with_input": count(calls, lambda t: t["input"]),
        "with_output": count(calls, lambda t: t["output"]),
        "latency_us_n": len(timed),
        "latency_us_sum": total(timed),
        "latency_us_min": min(timed, default=None),
        "latency_us_max": max(timed, default=None),
    }
    return out | ({"latency_us_q": nearest_rank(timed)} if quantiles else {})
