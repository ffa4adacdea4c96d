"""The catalogue of indicators: what an objective may name, its unit, table, formula and defaults.

An indicator is either a *distribution* of integers (latency in µs), a *ratio* of two counts, or a
*projection* of a mean to a month. Objectives over distributions take a statistic (`latency.p95`,
`cost_per_call.mean`), projections a scenario (`cost.monthly_at_10x`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["distribution", "ratio", "projection"]
Unit = Literal["us", "ratio", "nano_usd", "milli_tps", "tokens"]
Table = Literal["calls", "requests", "traces", "retrievals", "tool_calls", "guardrail_checks"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator.

    `good_is_low` says which side of a limit is good; `bad_is_counted` that the ratio's numerator
    counts bad events (errors) and not good ones (hits). `child_key` names the selector key of its
    table beside the dimensions (`tool`, `name`, ...). `log_field` is what to log to get it.
    """

    name: str
    title: str
    kind: Kind
    unit: Unit
    table: Table
    formula: str
    log_field: str
    good_is_low: bool = True
    child_keys: tuple[str, ...] = ()

    @property
    def bad_is_counted(self) -> bool:
        """Whether its number is the share of bad events, and not of good ones."""
        return self.kind == "ratio" and self.good_is_low


_G = ("name", "stage")
_T = ("tool",)
_R = ("index_version", "embedding_model")

COST_FIELDS: Final = "cost_usd, or response_model, input_tokens and output_tokens"

PROJECTIONS: Final = ("monthly", "monthly_at_10x", "monthly_at_target")
"""Statistics of a projection."""

INDICATORS: Final[dict[str, Indicator]] = {
    i.name: i
    for i in (
        Indicator(
            "latency",
            "latency",
            "distribution",
            "us",
            "calls",
            "duration of every call that has one, failures included; gateway cache hits and "
            "embedding calls left out",
            "latency_ms",
        ),
        Indicator(
            "latency_ok",
            "latency of successful calls",
            "distribution",
            "us",
            "calls",
            "as latency, over calls that did not fail",
            "latency_ms",
        ),
        Indicator(
            "request_latency",
            "latency of whole requests",
            "distribution",
            "us",
            "requests",
            "from the start of a trace's first root span to the end of its last, over traces with "
            "a call of a model",
            "latency_ms and parent_span_id on the spans around the calls",
        ),
        Indicator(
            "ttft",
            "time to first token",
            "distribution",
            "us",
            "calls",
            "time to first token of streamed calls",
            "ttft_ms",
        ),
        Indicator(
            "output_tokens_per_second",
            "output tokens per second",
            "distribution",
            "milli_tps",
            "calls",
            "output tokens / duration, per successful call",
            "output_tokens and latency_ms",
            good_is_low=False,
        ),
        Indicator(
            "cost_per_call",
            "cost per call",
            "distribution",
            "nano_usd",
            "calls",
            "cost of calls that have one: as logged, else priced by their tokens",
            COST_FIELDS,
        ),
        Indicator(
            "cost_per_request",
            "cost per request",
            "distribution",
            "nano_usd",
            "traces",
            "cost of the calls of one trace together, where all of them have one; above 131,072 "
            "requests a sample of them, drawn by a hash of their id",
            f"trace_id, and {COST_FIELDS}",
        ),
        Indicator(
            "cost",
            "cost",
            "projection",
            "nano_usd",
            "calls",
            "mean cost of a call x calls a day x 365/12 days: at the traffic of the log (monthly), "
            "at ten times as much, or at [cost] calls_per_day (monthly_at_target)",
            COST_FIELDS,
        ),
        Indicator(
            "input_tokens",
            "input tokens",
            "distribution",
            "tokens",
            "calls",
            "input tokens per call, cache reads and writes included",
            "input_tokens",
        ),
        Indicator(
            "output_tokens",
            "output tokens",
            "distribution",
            "tokens",
            "calls",
            "output tokens per call, reasoning included",
            "output_tokens",
        ),
        Indicator(
            "error_rate",
            "error rate",
            "ratio",
            "ratio",
            "calls",
            "failed calls / calls whose outcome is known",
            "status",
        ),
        Indicator(
            "request_error_rate",
            "error rate of whole requests",
            "ratio",
            "ratio",
            "requests",
            "requests of which a root span failed / requests with root spans whose outcome is "
            "known, over traces with a call of a model",
            "status and parent_span_id on the spans around the calls",
        ),
        Indicator(
            "timeout_rate",
            "timeout rate",
            "ratio",
            "ratio",
            "calls",
            "calls that timed out / calls whose outcome is known",
            "status and error_type",
        ),
        Indicator(
            "rate_limit_rate",
            "rate-limit rate",
            "ratio",
            "ratio",
            "calls",
            "calls refused with a rate limit / calls whose outcome is known",
            "status and error_type",
        ),
        Indicator(
            "retry_rate",
            "retry rate",
            "ratio",
            "ratio",
            "calls",
            "calls with at least one retry / calls that log retries",
            "retries",
        ),
        Indicator(
            "cache_hit_rate",
            "gateway cache hit rate",
            "ratio",
            "ratio",
            "calls",
            "gateway cache hits / calls that log it",
            "cache_hit",
            good_is_low=False,
        ),
        Indicator(
            "guardrail_trigger_rate",
            "guardrail trigger rate",
            "ratio",
            "ratio",
            "guardrail_checks",
            "calls with a triggered check / calls on which the check ran",
            "guardrails[].triggered",
            child_keys=_G,
        ),
        Indicator(
            "guardrail_block_rate",
            "guardrail block rate",
            "ratio",
            "ratio",
            "guardrail_checks",
            "calls with a blocking check / calls on which the check ran",
            "guardrails[].action",
            child_keys=_G,
        ),
        Indicator(
            "guardrail_bypass_rate",
            "guardrail bypass rate",
            "ratio",
            "ratio",
            "guardrail_checks",
            "calls with a bypassed check / calls on which the check ran",
            "guardrails[].bypassed",
            child_keys=_G,
        ),
        Indicator(
            "guardrail_latency",
            "guardrail latency",
            "distribution",
            "us",
            "guardrail_checks",
            "duration of a check",
            "guardrails[].latency_ms",
            child_keys=_G,
        ),
        Indicator(
            "retrieval_hit_rate",
            "retrieval hit rate",
            "ratio",
            "ratio",
            "retrievals",
            "retrievals with a hit / retrievals whose hit is known; a failed one is no hit",
            "retrieval.hit or retrieval.chunk_ids",
            good_is_low=False,
            child_keys=_R,
        ),
        Indicator(
            "retrieval_empty_rate",
            "empty retrieval rate",
            "ratio",
            "ratio",
            "retrievals",
            "retrievals that found nothing / retrievals whose chunks are known",
            "retrieval.chunk_ids",
            child_keys=_R,
        ),
        Indicator(
            "retrieval_failed_rate",
            "failed retrieval rate",
            "ratio",
            "ratio",
            "retrievals",
            "failed retrievals / retrievals",
            "retrieval.status",
            child_keys=_R,
        ),
        Indicator(
            "retrieval_latency",
            "retrieval latency",
            "distribution",
            "us",
            "retrievals",
            "duration of a retrieval",
            "retrieval.latency_ms",
            child_keys=_R,
        ),
        Indicator(
            "tool_error_rate",
            "tool error rate",
            "ratio",
            "ratio",
            "tool_calls",
            "failed tool calls / tool calls whose outcome is known",
            "tool_calls[].status",
            child_keys=_T,
        ),
        Indicator(
            "tool_timeout_rate",
            "tool timeout rate",
            "ratio",
            "ratio",
            "tool_calls",
            "tool calls that timed out / tool calls whose outcome is known",
            "tool_calls[].status",
            child_keys=_T,
        ),
        Indicator(
            "tool_invalid_argument_rate",
            "invalid tool argument rate",
            "ratio",
            "ratio",
            "tool_calls",
            "tool calls with invalid arguments / tool calls that say",
            "tool_calls[].arguments_valid",
            child_keys=_T,
        ),
        Indicator(
            "tool_fallback_rate",
            "tool fallback rate",
            "ratio",
            "ratio",
            "tool_calls",
            "tool calls answered by a fallback / tool calls that say",
            "tool_calls[].fallback",
            child_keys=_T,
        ),
        Indicator(
            "tool_latency",
            "tool latency",
            "distribution",
            "us",
            "tool_calls",
            "duration of a tool call",
            "tool_calls[].latency_ms",
            child_keys=_T,
        ),
    )
}

DEFAULT_OBJECTIVES: Final = (
    ("latency.p95", "<= 4s"),
    ("error_rate", "<= 1%"),
    ("guardrail_trigger_rate", "<= 2%"),
    ("retrieval_hit_rate", ">= 90%"),
    ("tool_error_rate", "<= 2%"),
)
"""What is judged where there is no configuration: starting points, not anybody's agreement."""
