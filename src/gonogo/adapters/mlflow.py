"""MLflow traces: `Trace.to_json()`, `search_traces()` (Parquet, JSON lines), the artifact file.

Source: mlflow 3.17 and recordings of it; traces of version 2 have `request_id` and times in ns
without the `_unix_nano`. Ids are base64, and each attribute's value is JSON inside of a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused, Versions
from gonogo.adapters.spans import Event, Span, line_of
from gonogo.adapters.values import (
    epoch_us,
    evaluation,
    first,
    hex_id,
    line,
    list_of,
    mapping_of,
    number,
    objects,
    text,
    unpacked,
)

_FAILED: Final = frozenset({"STATUS_CODE_ERROR", "ERROR", 2})
_METADATA: Final = ("trace_metadata", "request_metadata")
_SESSION: Final = "mlflow.trace.session"
_USER: Final = "mlflow.trace.user"
_RELEASE: Final = ("mlflow.source.git.commit", "mlflow.modelId")
_LARGEST_BARE: Final = 4_096
"""Texts beyond this are prompts and answers; only short ones are decoded to be read."""


def _has_mlflow_span(spans: Any) -> bool:
    head = next(iter(objects(spans)), {})
    return any(str(name).startswith("mlflow.") for name in mapping_of(head.get("attributes")))


def _detect(record: Record) -> bool:
    info = mapping_of(record.get("info"))
    if info and ("trace_id" in info or "request_id" in info) and "data" in record:
        return True
    if "trace_id" in record and "execution_duration" in record and "spans" in record:
        return True
    return "spans" in record and _has_mlflow_span(record.get("spans"))


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    info = mapping_of(record.get("info")) or record
    data = mapping_of(record.get("data"))
    spans = data.get("spans") if data else record.get("spans")
    meta = next((m for name in _METADATA if (m := mapping_of(info.get(name)))), {})
    common = line(
        session_id=text(meta.get(_SESSION)),
        user_id=text(meta.get(_USER)),
        release=next((v for k in _RELEASE for v in [text(meta.get(k))] if v), None),
    )
    tags = mapping_of(info.get("tags"))
    trace = hex_id(_bare(first(info, "trace_id", "request_id")), 16)
    resource = {**tags, **meta}
    for raw in list_of(spans):
        if not isinstance(raw, Mapping):
            yield Refused("I032", "a span that is no object")
            continue
        yield line_of(_span(raw, trace, resource), options, common)
    for assessment in objects(info.get("assessments")):
        yield _assessment(assessment, trace)


def _bare(value: Any) -> Any:
    found = text(value)
    return found.removeprefix("tr-") if found else None


def _span(raw: Mapping[str, Any], trace: str | None, resource: Mapping[str, Any]) -> Span:
    have = {
        name: _decoded(name, value)
        for name, value in mapping_of(raw.get("attributes")).items()
        if value is not None
    }
    status = raw.get("status")
    code = status.get("code") if isinstance(status, Mapping) else raw.get("status_code")
    message = status.get("message") if isinstance(status, Mapping) else raw.get("status_message")
    return Span(
        hex_id(_bare(first(raw, "trace_id")), 16) or trace,
        hex_id(first(raw, "span_id", "context.span_id"), 8),
        hex_id(first(raw, "parent_span_id", "parent_id"), 8),
        str(raw.get("name") or ""),
        epoch_us(first(raw, "start_time_unix_nano", "start_time"), "ns"),
        epoch_us(first(raw, "end_time_unix_nano", "end_time"), "ns"),
        code in _FAILED,
        str(message or ""),
        have,
        [
            Event(str(event.get("name") or ""), None, mapping_of(event.get("attributes")))
            for event in objects(raw.get("events"))
        ],
        resource,
    )


def _decoded(name: str, value: Any) -> Any:
    if isinstance(value, str) and len(value) > _LARGEST_BARE and name != "mlflow.spanOutputs":
        return value
    found = unpacked(value)
    if found is not value or not isinstance(value, str):
        return found
    return {"true": True, "false": False, "null": None}.get(value, value)


def _assessment(record: Mapping[str, Any], trace: str | None) -> Line:
    feedback = mapping_of(record.get("feedback"))
    value = feedback.get("value")
    place = line(
        timestamp=epoch_us(first(record, "create_time")),
        trace_id=trace,
        span_id=f"assessment:{record.get('assessment_id')}",
        parent_span_id=hex_id(record.get("span_id"), 8),
    )
    score = number(value)
    label = text(value) if score is None else None
    return evaluation(place, text(record.get("assessment_name")), score, label)


def _versions(record: Record) -> Iterator[Any]:
    info = mapping_of(record.get("info")) or record
    for name in _METADATA:
        yield mapping_of(info.get(name)).get("mlflow.trace_schema.version")


MLFLOW: Final = Format(
    name="mlflow",
    title="MLflow traces",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "spans[].start_time_unix_nano",
        "latency_ms": "end_time_unix_nano − start_time_unix_nano",
        "trace_id": "spans[].trace_id (base64), the same as info.trace_id",
        "span_id": "spans[].span_id",
        "parent_span_id": "spans[].parent_span_id",
        "session_id": "info.trace_metadata mlflow.trace.session",
        "user_id": "info.trace_metadata mlflow.trace.user",
        "release": "info.trace_metadata mlflow.source.git.commit",
        "request_model": "attributes model",
        "response_model": "attributes mlflow.llm.model",
        "input_tokens": "attributes mlflow.chat.tokenUsage (cached ones included)",
        "output_tokens": "attributes mlflow.chat.tokenUsage",
        "cost_usd": "attributes mlflow.llm.cost of the span, never of the trace",
        "status": "spans[].status.code",
        "error_type": "exception event",
        "tool_calls": "spans of type TOOL",
        "retrieval": "spans of type RETRIEVER, their outputs",
        "guardrails": "spans of type GUARDRAIL",
        "evaluations": "info.assessments",
        "output": "attributes mlflow.spanOutputs",
    },
    lacks=("the time to first token", "what tracing was sampled at"),
    notes=(
        Note(
            "I030",
            "MLflow records no time to first token, nor the share that tracing was sampled at",
            "say what was sampled with --sampling-rate",
        ),
    ),
    versions=Versions(frozenset({"2", "3"}), _versions),
)
