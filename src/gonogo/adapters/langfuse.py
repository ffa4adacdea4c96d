"""Langfuse: observations, traces and scores, from the API, the UI's export and the blob export.

Source: langfuse/langfuse at 62751446 (observation-field-groups.ts, OtelIngestionProcessor.ts) and
20 recorded traces. The API says `parentObservationId`, the blob export `parent_observation_id`.
`latency` and `timeToFirstToken` are seconds in some exports and milliseconds in others, so neither
is read: both are worked out from times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.answers import logged
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.spans import chunks_of
from gonogo.adapters.values import (
    elapsed_ms,
    epoch_us,
    error_of,
    evaluation,
    first,
    line,
    mapping_of,
    number,
    objects,
    settled,
    text,
    there,
    total,
    unpacked,
)

_OBSERVATION_KEYS: Final = ("parentObservationId", "parent_observation_id")
_CALLS: Final = frozenset({"GENERATION", "EMBEDDING"})
_OPERATIONS: Final = {
    "GENERATION": "chat",
    "EMBEDDING": "embeddings",
    "TOOL": "execute_tool",
    "RETRIEVER": "retrieval",
    "GUARDRAIL": "guardrail",
    "AGENT": "invoke_agent",
    "EVALUATOR": "evaluation",
}
_CACHE_READ: Final = (
    "input_cached_tokens",
    "input_cache_read",
    "input_cached",
    "cache_read_input_tokens",
)
_CACHE_WRITE_1H: Final = "input_cache_creation_1h"
_CACHE_WRITE: Final = (
    "input_cache_creation",
    "cache_creation_input_tokens",
    "input_cache_creation_5m",
    _CACHE_WRITE_1H,
)
_REASONING: Final = ("output_reasoning_tokens", "output_reasoning")


def _is_observation(record: Mapping[str, Any]) -> bool:
    return any(key in record for key in _OBSERVATION_KEYS)


def _is_trace(record: Mapping[str, Any]) -> bool:
    return "bookmarked" in record and "public" in record and "timestamp" in record


def _is_score(record: Mapping[str, Any]) -> bool:
    return (
        "value" in record
        and any(key in record for key in ("data_type", "dataType"))
        and any(key in record for key in ("trace_id", "traceId"))
    )


def _detect(record: Record) -> bool:
    if _is_observation(record) or _is_trace(record) or _is_score(record):
        return True
    held = record.get("observations") or record.get("data")
    head = held[0] if isinstance(held, list) and held else None
    return isinstance(head, Mapping) and (_is_observation(head) or _is_trace(head))


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    held = record.get("observations")
    data = record.get("data")
    if isinstance(held, list):
        trace = record.get("trace")
        trace = trace if isinstance(trace, Mapping) else record
        if trace.get("id"):
            yield _trace(trace)
        for observation in held:
            if isinstance(observation, Mapping):
                yield from _one(observation, trace, options)
        for score in objects(trace.get("scores")):
            yield _score(score)
    elif isinstance(data, list):
        for item in objects(data):
            yield from _one(item, {}, options)
    else:
        yield from _one(record, {}, options)


def _one(
    record: Mapping[str, Any], trace: Mapping[str, Any], options: Options
) -> Iterator[Line | Refused]:
    if _is_observation(record) or (first(record, "traceId", "trace_id") and record.get("type")):
        yield settled(_observation(record, trace, options), record, options)
    elif _is_trace(record):
        yield settled(_trace(record), record, options)
    elif _is_score(record):
        yield _score(record)
    else:
        yield Refused("I032", "neither an observation, a trace nor a score of Langfuse")


def _trace(record: Mapping[str, Any]) -> Line:
    """A trace is no call; it carries session, user and release of all that is below it."""
    ident = text(record.get("id"))
    return {
        **line(
            timestamp=epoch_us(record.get("timestamp")),
            trace_id=ident,
            span_id=f"trace:{ident}",
            record_updated_at=epoch_us(first(record, "updatedAt", "updated_at", "event_ts")),
            session_id=text(first(record, "sessionId", "session_id")),
            user_id=text(first(record, "userId", "user_id")),
            environment=text(record.get("environment")),
            release=text(first(record, "release", "version")),
            operation="trace",
        ),
        "is_call": False,
        "is_span": True,
    }


def _score(record: Mapping[str, Any]) -> Line:
    place = line(
        timestamp=epoch_us(record.get("timestamp")),
        trace_id=text(first(record, "trace_id", "traceId")),
        span_id=f"score:{record.get('id')}",
        parent_span_id=text(first(record, "observation_id", "observationId")),
        environment=text(record.get("environment")),
    )
    return evaluation(
        place,
        text(record.get("name")),
        number(record.get("value")),
        text(first(record, "string_value", "stringValue")),
    )


def _observation(record: Mapping[str, Any], trace: Mapping[str, Any], options: Options) -> Line:
    kind = str(record.get("type") or "").upper()
    start = epoch_us(first(record, "startTime", "start_time"))
    end = epoch_us(first(record, "endTime", "end_time"))
    failed = record.get("level") == "ERROR"
    error = error_of(first(record, "statusMessage", "status_message")) if failed else None
    made: Line = {
        **line(
            timestamp=start,
            end_time=end,
            trace_id=text(first(record, "traceId", "trace_id")),
            span_id=text(record.get("id")),
            record_updated_at=epoch_us(first(record, "updatedAt", "updated_at", "event_ts")),
            parent_span_id=text(first(record, *_OBSERVATION_KEYS)),
            session_id=text(first(record, "sessionId", "session_id"))
            or text(first(trace, "sessionId", "session_id")),
            user_id=text(first(record, "userId", "user_id"))
            or text(first(trace, "userId", "user_id")),
            environment=text(record.get("environment")),
            release=text(first(record, "release"))
            or text(first(trace, "release"))
            or text(record.get("version")),
            prompt_version=text(first(record, "promptVersion", "prompt_version")),
            operation=_OPERATIONS.get(kind, "chain"),
            status="error" if failed else "ok",
            error_type=error,
        ),
        "is_call": kind in _CALLS,
        "is_span": True,
    }
    if kind in _CALLS:
        _call(record, start, made, options)
    elif kind == "TOOL":
        made["tool_calls"] = [
            line(
                name=text(record.get("name")),
                status="error" if failed else "ok",
                error_type=error,
                latency_ms=elapsed_ms(start, end),
                input=there(record.get("input")),
                output=there(record.get("output")),
            )
        ]
    elif kind == "RETRIEVER":
        made["retrieval"] = {
            **line(status="error" if failed else "ok", latency_ms=elapsed_ms(start, end)),
            **_documents(record.get("output")),
        }
    elif kind == "GUARDRAIL":
        # Whether it found anything has no field in Langfuse: the check is there, its outcome not.
        made["guardrails"] = [
            line(name=text(record.get("name")), latency_ms=elapsed_ms(start, end))
        ]
    return made


def _documents(output: Any) -> Line:
    found = unpacked(output)
    if isinstance(found, Mapping):
        found = found.get("documents")
    return chunks_of(list(objects(found))) if isinstance(found, list) else {}


def _call(record: Mapping[str, Any], start: int | None, made: Line, options: Options) -> None:
    opened = epoch_us(first(record, "completionStartTime", "completion_start_time"))
    meta = mapping_of(record.get("metadata"))
    made |= line(
        response_model=text(first(record, "model", "provided_model_name", "providedModelName")),
        provider=text(
            first(
                meta,
                "attributes.gen_ai.provider.name",
                "attributes.gen_ai.system",
                "attributes.llm.provider",
                "attributes.llm.system",
                "ls_provider",
            )
        ),
        stream=True if opened is not None else None,
        ttft_ms=elapsed_ms(start, opened),
        output=logged(record.get("output"), wanted=options.outputs),
        **_tokens(record),
        cost_usd=_cost(record),
    )


def _tokens(record: Mapping[str, Any]) -> dict[str, float | None]:
    usage = mapping_of(first(record, "usageDetails", "usage_details"))
    usage = {name: value for name, value in usage.items() if value is not None}
    if not usage:
        older = mapping_of(record.get("usage"))
        return {
            "input_tokens": number(first(older, "input", "promptTokens"))
            or number(first(record, "promptTokens", "prompt_tokens", "inputUsage"))
            or None,
            "output_tokens": number(first(older, "output", "completionTokens"))
            or number(first(record, "completionTokens", "completion_tokens", "outputUsage"))
            or None,
        }
    # The buckets exclude each other: what was read from a cache is not part of `input`.
    inputs = [
        v for n, v in usage.items() if n.startswith("input") or n in _CACHE_READ + _CACHE_WRITE
    ]
    outputs = [v for n, v in usage.items() if n.startswith("output")]
    return {
        "input_tokens": total(inputs),
        "output_tokens": total(outputs),
        "cache_read_input_tokens": total(
            usage[n] for n in (*_CACHE_READ, "prompt_details.cache_read") if n in usage
        ),
        "cache_write_input_tokens": total(usage[n] for n in _CACHE_WRITE if n in usage),
        "cache_write_1h_input_tokens": number(usage.get(_CACHE_WRITE_1H)),
        "reasoning_output_tokens": total(
            usage[n] for n in (*_REASONING, "completion_details.reasoning") if n in usage
        ),
    }


def _cost(record: Mapping[str, Any]) -> float | None:
    """US dollars; a 0 beside an empty cost_details says that no price was known."""
    found = number(first(record, "totalCost", "total_cost", "calculatedTotalCost"))
    details = mapping_of(first(record, "costDetails", "cost_details"))
    if found is None:
        return number(details.get("total"))
    return found if found or details else None


LANGFUSE: Final = Format(
    name="langfuse",
    title="Langfuse observations, traces and scores",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "startTime | start_time (no zone: UTC)",
        "latency_ms": "endTime − startTime (the latency column changed its unit)",
        "ttft_ms": "completionStartTime − startTime",
        "trace_id": "traceId | trace_id",
        "span_id": "id; of several versions the one of the last updatedAt counts",
        "parent_span_id": "parentObservationId | parent_observation_id",
        "session_id": "session_id of the observation, or of its trace",
        "user_id": "user_id of the observation, or of its trace",
        "release": "release of the observation or trace, or version",
        "environment": "environment",
        "prompt_version": "promptVersion | prompt_version",
        "response_model": "model | provided_model_name",
        "input_tokens": "sum of usageDetails input*: its buckets exclude each other",
        "output_tokens": "sum of usageDetails output*",
        "cost_usd": "totalCost | total_cost",
        "status": "level ERROR",
        "error_type": "statusMessage",
        "tool_calls": "observations of type TOOL",
        "retrieval": "observations of type RETRIEVER; ids from their output",
        "guardrails": "observations of type GUARDRAIL, without an outcome",
        "evaluations": "scores",
        "output": "output of generations",
    },
    lacks=(
        "the requested model",
        "error types",
        "the outcome of guardrails",
        "streams without completionStartTime",
    ),
    notes=(
        Note(
            "I030",
            "Langfuse: what LANGFUSE_SAMPLE_RATE dropped is not recorded, and an export is a "
            "window of start times",
            "say so with --sampling-rate, and export whole traces",
        ),
    ),
)
