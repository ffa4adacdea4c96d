"""Which of the fields that a production log must have are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gonogo.config.model import Config
from gonogo.results import FieldCoverage
from gonogo.rollup.partial import Partial


@dataclass(frozen=True, slots=True)
class _Field:
    counter: str
    names: tuple[str, ...]
    title: str
    hint: str
    table: str | None = None


_FIELDS: Final = (
    _Field(
        "timestamp",
        ("timestamp",),
        "timestamp",
        "log timestamp on every call: without it no incident can be seen",
    ),
    _Field("trace_id", ("trace_id",), "trace id", "log trace_id on every call"),
    _Field(
        "session_or_user",
        ("session_id", "user_id"),
        "session or user id",
        "log session_id or user_id on every call",
    ),
    _Field("model", ("model",), "model", "log response_model, the model that answered"),
    _Field(
        "release_or_prompt",
        ("release", "prompt_version"),
        "release or prompt version",
        "log release or prompt_version, so that a change can be seen",
    ),
    _Field("input_tokens", ("input_tokens",), "input tokens", "log input_tokens"),
    _Field("output_tokens", ("output_tokens",), "output tokens", "log output_tokens"),
    _Field("latency", ("latency_ms",), "latency", "log latency_ms on every call"),
    _Field("ttft", ("ttft_ms",), "time to first token", "log ttft_ms on streamed calls"),
    _Field(
        "outcome",
        ("status",),
        "outcome",
        "log status (ok or error) on every call; an absent or null error is not taken for ok, "
        'unless a mapping file says status = { default = "ok" }',
    ),
    _Field("output", ("output",), "output", "log output, or a hash of it, on every call"),
    _Field(
        "guardrail_flags",
        ("guardrails.triggered",),
        "guardrail flags",
        "log guardrails[].triggered for every check that ran",
        "guardrail_checks",
    ),
    _Field(
        "retrieval_hit",
        ("retrieval.hit",),
        "retrieval hit",
        "log retrieval.hit, or retrieval.expected_chunk_ids beside the chunk ids",
        "retrievals",
    ),
    _Field(
        "retrieval_chunk_ids",
        ("retrieval.chunk_ids",),
        "retrieved chunk ids",
        "log retrieval.chunk_ids",
        "retrievals",
    ),
    _Field(
        "tool_input",
        ("tool_calls.input",),
        "tool input",
        "log tool_calls[].input, or a hash",
        "tool_calls",
    ),
    _Field(
        "tool_outcome",
        ("tool_calls.status",),
        "tool outcome",
        "log tool_calls[].status",
        "tool_calls",
    ),
    _Field(
        "tool_latency",
        ("tool_calls.latency_ms",),
        "tool latency",
        "log tool_calls[].latency_ms",
        "tool_calls",
    ),
)


def field_coverage(partial: Partial, config: Config) -> tuple[FieldCoverage, ...]:
    """Coverage of each required field; one that is declared not applicable is not required."""
    found = []
    for entry in _FIELDS:
        excused = entry.table in config.not_applicable or any(
            name in config.not_applicable for name in entry.names
        )
        found.append(
            FieldCoverage(
                field=" or ".join(entry.names),
                title=entry.title,
                present=partial.counter(f"{entry.counter}.present"),
                applicable=partial.counter(f"{entry.counter}.applicable"),
                required=not excused,
                hint=entry.hint,
            )
        )
    return tuple(found)
