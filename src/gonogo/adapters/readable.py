"""Spans as OpenTelemetry's SDKs print them: JavaScript's ReadableSpan, Python's `span.to_json()`.

Sources: @opentelemetry/sdk-trace-base (times as `[seconds, nanoseconds]`, flat attributes), the
Vercel AI SDK's fixtures, and opentelemetry-sdk for Python (ids with 0x, ISO times).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from gonogo.adapters.model import Format, Line, Options, Record, Refused
from gonogo.adapters.otlp import OTLP
from gonogo.adapters.spans import Event, Span, flat, line_of, resource_of
from gonogo.adapters.values import epoch_us, first, hex_id, mapping_of, objects

_FAILED: Final = frozenset({2, "ERROR", "StatusCode.ERROR"})


def _detect(record: Record) -> bool:
    if not isinstance(record.get("attributes"), Mapping):
        return False
    if isinstance(record.get("startTime"), list):
        return True
    context = record.get("context")
    return (
        isinstance(context, Mapping)
        and "span_id" in context
        and isinstance(record.get("status"), Mapping)
    )


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    status = mapping_of(record.get("status"))
    resource = dict(flat(mapping_of(first(record, "resource.attributes") or {})))
    span = Span(
        hex_id(first(record, "spanContext.traceId", "context.trace_id", "traceId"), 16),
        hex_id(first(record, "spanContext.spanId", "context.span_id", "spanId", "id"), 8),
        hex_id(first(record, "parentSpanContext.spanId", "parentSpanId", "parent_id"), 8),
        str(record.get("name") or ""),
        epoch_us(first(record, "startTime", "start_time")),
        epoch_us(first(record, "endTime", "end_time")),
        first(status, "code", "status_code") in _FAILED,
        str(first(status, "message", "description") or ""),
        dict(flat(mapping_of(record.get("attributes")))),
        [
            Event(
                str(event.get("name") or ""),
                epoch_us(first(event, "time", "timestamp")),
                mapping_of(event.get("attributes")),
            )
            for event in objects(record.get("events"))
        ],
        resource,
    )
    yield line_of(span, options, resource_of(resource))


READABLE: Final = Format(
    name="otel-sdk",
    title="spans printed by an OpenTelemetry SDK",
    detect=_detect,
    convert=_convert,
    fields={
        **OTLP.fields,
        "timestamp": "startTime [s, ns] | start_time",
        "latency_ms": "endTime − startTime",
        "trace_id": "spanContext.traceId | context.trace_id",
        "span_id": "spanContext.spanId | context.span_id",
        "parent_span_id": "parentSpanContext.spanId | parentSpanId | parent_id",
    },
    lacks=OTLP.lacks,
)
