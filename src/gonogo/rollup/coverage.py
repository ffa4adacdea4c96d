"""Field coverage: of the rows that should carry a field, how many do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gonogo.records import HIT_EXPECTED, HIT_FLAGGED, MISSING, NO_TIME, UNKNOWN_FLAG
from gonogo.rollup.context import Context

FIELDS: Final = (
    "timestamp",
    "trace_id",
    "session_or_user",
    "model",
    "release_or_prompt",
    "input_tokens",
    "output_tokens",
    "latency",
    "ttft",
    "outcome",
    "output",
    "guardrail_flags",
    "retrieval_hit",
    "retrieval_chunk_ids",
    "tool_input",
    "tool_outcome",
    "tool_latency",
)


def count_fields(ctx: Context) -> dict[str, int]:
    """`field.present` and `field.applicable` for every field of FIELDS, over one block."""
    found: dict[str, int] = {}
    for name, present, applicable in _each(ctx):
        found[f"{name}.present"] = present
        found[f"{name}.applicable"] = applicable
    return found


def _each(ctx: Context) -> Iterator[tuple[str, int, int]]:
    calls = ctx.calls
    number = int(calls.sum())

    def of_calls(name: str, present: NDArray[np.bool_]) -> tuple[str, int, int]:
        return name, int((present & calls).sum()), number

    yield of_calls("timestamp", ctx["start_us"] != NO_TIME)
    yield of_calls("trace_id", ctx["trace_hash"] != 0)
    yield of_calls("session_or_user", (ctx["session_hash"] != 0) | (ctx["user_hash"] != 0))
    yield of_calls("model", ctx["model"] != 0)
    yield of_calls("release_or_prompt", (ctx["release"] != 0) | (ctx["prompt_version"] != 0))
    yield of_calls("input_tokens", ctx["input_tokens"] != MISSING)
    yield of_calls("output_tokens", ctx["output_tokens"] != MISSING)
    eligible = ctx.latency_eligible
    yield "latency", int(ctx.latency.sum()), int(eligible.sum())
    yield "ttft", int((ctx.ttft & ctx.ttft_eligible).sum()), int(ctx.ttft_eligible.sum())
    yield of_calls("outcome", ctx["failed"] != UNKNOWN_FLAG)
    finished = (
        calls
        & (ctx["failed"] != 1)
        & ~ctx["is_blocked"].astype(bool)
        & ~(ctx["is_embedding"].astype(bool))
    )
    yield "output", int((finished & ctx["has_output"].astype(bool)).sum()), int(finished.sum())
    checks = ctx.guardrails
    judged = np.zeros(ctx.height, dtype=bool)
    judged[checks.row[checks["triggered"] != UNKNOWN_FLAG]] = True
    # A tracer has a span for a check and another one for the call.
    if "checked" in ctx.columns:
        judged |= ctx["checked"]
    yield of_calls("guardrail_flags", judged)
    retrievals = ctx.retrievals
    # That something came back says little about a hit: it stands in for one, but is not one logged.
    logged = np.isin(retrievals["hit_by"], (HIT_EXPECTED, HIT_FLAGGED))
    logged |= retrievals["failed"].astype(bool)
    yield "retrieval_hit", int(logged.sum()), retrievals.height
    yield "retrieval_chunk_ids", int(retrievals["has_ids"].astype(bool).sum()), retrievals.height
    tools = ctx.tool_calls
    yield "tool_input", int(tools["has_input"].astype(bool).sum()), tools.height
    yield "tool_outcome", int((tools["failed"] != UNKNOWN_FLAG).sum()), tools.height
    yield "tool_latency", int((tools["duration_us"] != MISSING).sum()), tools.height
