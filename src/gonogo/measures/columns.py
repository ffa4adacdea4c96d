"""The columns that tables share: what is stored, and what is divided when it is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from gonogo.results import Column, Table

Unit = Literal["text", "count", "us", "ratio", "nano_usd", "tokens", "milli_tps", "time", "score"]

QUANTILES: Final = ((50, "p50"), (90, "p90"), (95, "p95"), (99, "p99"))


def value(key: str, title: str, unit: Unit, about: str = "") -> Column:
    """What is stored and shown."""
    return Column(key=key, title=title, unit=unit, help=about)


def hidden(key: str, unit: Unit = "count") -> Column:
    """What is stored to be divided."""
    return Column(key=key, title=key, unit=unit, kind="hidden")


def ratio(key: str, title: str, num: str, den: str, about: str = "") -> Column:
    """A share: the columns with the keys `num` and `den` divided."""
    return Column(key=key, title=title, unit="ratio", kind="ratio", num=num, den=den, help=about)


def mean(key: str, title: str, unit: Unit, num: str, den: str) -> Column:
    """A mean in `unit`: the columns with the keys `num` and `den` divided."""
    return Column(key=key, title=title, unit=unit, kind="mean", num=num, den=den)


def made(
    table_id: str,
    title: str,
    shape: Iterable[Column],
    rows: Sequence[Mapping[str, Any]],
    note: str = "",
) -> Table:
    """A table of rows that have, by key, at least the columns of `shape` that are stored."""
    columns = tuple(shape)
    stored = [column.key for column in columns if column.kind in ("value", "hidden")]
    data = {key: [row.get(key) for row in rows] for key in stored}
    return Table(id=table_id, title=title, columns=columns, data=data, note=note)


def _distribution(key: str, title: str, unit: Unit) -> tuple[Column, ...]:
    return (
        hidden(f"{key}_n"),
        hidden(f"{key}_sum", unit),
        hidden(f"{key}_min", unit),
        mean(f"{key}_mean", f"{title}, mean", unit, f"{key}_sum", f"{key}_n"),
        value(f"{key}_sd", f"{title}, sd", unit),
        *(value(f"{key}_{p}", f"{title}, {p}", unit) for _, p in QUANTILES),
        value(f"{key}_max", f"{title}, max", unit),
    )


MEASURES: Final = (
    value("calls", "calls", "count"),
    hidden("errors"),
    hidden("error_known"),
    ratio("error_rate", "error rate", "errors", "error_known"),
    hidden("timeouts"),
    ratio("timeout_rate", "timeouts", "timeouts", "error_known"),
    hidden("rate_limited"),
    ratio("rate_limit_rate", "rate limits", "rate_limited", "error_known"),
    hidden("retried"),
    hidden("retry_known"),
    ratio("retry_rate", "retries", "retried", "retry_known"),
    hidden("cache_hits"),
    hidden("cache_known"),
    ratio("cache_hit_rate", "gateway cache hits", "cache_hits", "cache_known"),
    *_distribution("latency", "latency", "us"),
    hidden("latency_eligible"),
    *_distribution("latency_ok", "latency of successful calls", "us"),
    *_distribution("ttft", "time to first token", "us"),
    hidden("ttft_eligible"),
    *_distribution("tps", "output tokens per second", "milli_tps"),
    value("input_tokens", "input tokens", "tokens"),
    hidden("input_tokens_n"),
    value("output_tokens", "output tokens", "tokens"),
    hidden("output_tokens_n"),
    hidden("cache_read_tokens", "tokens"),
    hidden("cache_write_tokens", "tokens"),
    hidden("reasoning_tokens", "tokens"),
    value("cost", "cost", "nano_usd"),
    hidden("cost_n"),
    mean("cost_per_call", "cost per call", "nano_usd", "cost", "cost_n"),
    hidden("guard_calls"),
    hidden("guard_known"),
    hidden("guard_triggered"),
    hidden("guard_blocked"),
    hidden("guard_bypassed"),
    ratio("guardrail_trigger_rate", "guardrail triggers", "guard_triggered", "guard_known"),
    ratio("guardrail_block_rate", "guardrail blocks", "guard_blocked", "guard_calls"),
    ratio("guardrail_bypass_rate", "guardrail bypasses", "guard_bypassed", "guard_calls"),
    hidden("retrievals"),
    hidden("retrieval_known"),
    hidden("retrieval_hits"),
    hidden("retrieval_chunks_known"),
    hidden("retrieval_empty"),
    hidden("retrieval_failed"),
    hidden("retrieval_chunks"),
    ratio("retrieval_hit_rate", "retrieval hits", "retrieval_hits", "retrieval_known"),
    ratio("retrieval_empty_rate", "empty retrievals", "retrieval_empty", "retrieval_chunks_known"),
    ratio("retrieval_failed_rate", "failed retrievals", "retrieval_failed", "retrievals"),
    mean(
        "chunks_per_retrieval",
        "chunks per retrieval",
        "count",
        "retrieval_chunks",
        "retrieval_chunks_known",
    ),
    hidden("tool_calls"),
    hidden("tool_known"),
    hidden("tool_errors"),
    hidden("tool_timeouts"),
    hidden("tool_args_known"),
    hidden("tool_args_invalid"),
    hidden("tool_fallback_known"),
    hidden("tool_fallbacks"),
    hidden("tool_sum", "us"),
    ratio("tool_error_rate", "tool errors", "tool_errors", "tool_known"),
    ratio("tool_timeout_rate", "tool timeouts", "tool_timeouts", "tool_known"),
    ratio(
        "tool_invalid_argument_rate",
        "invalid tool arguments",
        "tool_args_invalid",
        "tool_args_known",
    ),
    ratio("tool_fallback_rate", "tool fallbacks", "tool_fallbacks", "tool_fallback_known"),
)
OVERALL_ONLY: Final = (
    value("sessions", "sessions", "count"),
    value("users", "users", "count"),
    hidden("minutes"),
    hidden("peak_bin_calls"),
    hidden("session_cost", "nano_usd"),
    *_distribution("request", "latency of whole requests", "us"),
    hidden("requests_failed"),
)
GUARDRAILS: Final = (
    value("name", "guardrail", "text"),
    value("stage", "stage", "text"),
    value("calls", "calls checked", "count"),
    hidden("known"),
    hidden("all_calls"),
    ratio("coverage", "coverage", "calls", "all_calls"),
    hidden("triggered"),
    ratio("trigger_rate", "triggered", "triggered", "known"),
    hidden("blocked"),
    ratio("block_rate", "blocked", "blocked", "calls"),
    hidden("bypassed"),
    ratio("bypass_rate", "bypassed", "bypassed", "calls"),
    hidden("latency_n"),
    hidden("latency_sum", "us"),
    mean("latency_mean", "latency, mean", "us", "latency_sum", "latency_n"),
    *(value(f"latency_{p}", f"latency, {p}", "us") for p in ("p50", "p95", "p99")),
)
_SCORES: Final = (
    value("evaluations", "scores given", "count"),
    hidden("judged"),
    hidden("passed"),
    ratio("pass_rate", "passed", "passed", "judged"),
    hidden("score_n"),
    hidden("score_sum", "score"),
    mean("score", "score, mean", "score", "score_sum", "score_n"),
)
ONLINE_SCORES: Final = (value("evaluation", "evaluation", "text"), *_SCORES)
ONLINE_SCORES_BY_RELEASE: Final = (
    value("evaluation", "evaluation", "text"),
    value("release", "release", "text"),
    *_SCORES,
)
TOOLS: Final = (
    value("tool", "tool", "text"),
    value("calls", "calls", "count"),
    hidden("known"),
    hidden("errors"),
    ratio("error_rate", "errors", "errors", "known"),
    hidden("timeouts"),
    ratio("timeout_rate", "timeouts", "timeouts", "known"),
    hidden("args_known"),
    hidden("args_invalid"),
    ratio("invalid_argument_rate", "invalid arguments", "args_invalid", "args_known"),
    hidden("fallback_known"),
    hidden("fallbacks"),
    ratio("fallback_rate", "fallbacks", "fallbacks", "fallback_known"),
    hidden("latency_n"),
    hidden("latency_sum", "us"),
    mean("latency_mean", "latency, mean", "us", "latency_sum", "latency_n"),
    *(value(f"latency_{p}", f"latency, {p}", "us") for p in ("p50", "p95", "p99")),
    hidden("calls_latency_sum", "us"),
    ratio("latency_share", "share of call latency", "latency_sum", "calls_latency_sum"),
)
RETRIEVAL: Final = (
    value("index_version", "index version", "text"),
    value("embedding_model", "embedding model", "text"),
    value("retrievals", "retrievals", "count"),
    hidden("known"),
    hidden("hits"),
    ratio("hit_rate", "hit rate", "hits", "known"),
    hidden("by_expectation"),
    hidden("by_flag"),
    hidden("by_content"),
    hidden("chunks_known"),
    hidden("empty"),
    ratio("empty_rate", "empty", "empty", "chunks_known"),
    hidden("failed"),
    ratio("failed_rate", "failed", "failed", "retrievals"),
    hidden("chunks"),
    mean("chunks_per_retrieval", "chunks", "count", "chunks", "chunks_known"),
    hidden("score_n"),
    hidden("score_sum", "score"),
    mean("top_score", "top score, mean", "score", "score_sum", "score_n"),
    hidden("expected"),
    hidden("expected_found"),
    ratio("recall", "recall", "expected_found", "expected"),
    hidden("latency_n"),
    hidden("latency_sum", "us"),
    mean("latency_mean", "latency, mean", "us", "latency_sum", "latency_n"),
    value("latency_p95", "latency, p95", "us"),
)
