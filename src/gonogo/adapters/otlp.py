"""OTLP/JSON: the file exporter of the OpenTelemetry Collector, SDKs over HTTP, Tempo, Phoenix.

Sources: opentelemetry-proto's JSON encoding and examples; the Collector's pdata (ids hex, 64-bit
integers as texts, zero values left out); grafana/tempo's API (protobuf's own JSON: base64 ids, enum
names, `batches`); Phoenix' `/spans/otlpv1` (snake_case, every member there with null). Time is in
nanoseconds, and a status that is not set is a success.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters import answers
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.spans import Event, Span, line_of, resource_of
from gonogo.adapters.values import hex_id, line, number, text

_RESOURCE_SPANS: Final = ("resourceSpans", "resource_spans", "batches")
_RESOURCE_LOGS: Final = ("resourceLogs", "resource_logs")
_RESOURCE_METRICS: Final = ("resourceMetrics", "resource_metrics")
_SCOPE_SPANS: Final = (
    "scopeSpans",
    "scope_spans",
    "instrumentationLibrarySpans",
    "ilSpans",
)
_SCOPE_LOGS: Final = ("scopeLogs", "scope_logs")
_FAILED: Final = frozenset({2, "2", "STATUS_CODE_ERROR", "ERROR"})
_INTEGERS: Final = frozenset({"intValue", "int_value"})
_ARRAYS: Final = frozenset({"arrayValue", "array_value"})
_OBJECTS: Final = frozenset({"kvlistValue", "kvlist_value"})
_THRESHOLD_DIGITS: Final = 14
_DRAWN: Final = 16**_THRESHOLD_DIGITS
_EXCEPTION: Final = frozenset({"exception"})
_ANSWERED: Final = _EXCEPTION | answers.EVENTS
EVALUATION: Final = "gen_ai.evaluation.result"


def _detect(record: Record) -> bool:
    if any(
        isinstance(record.get(key), list)
        for key in (*_RESOURCE_SPANS, *_RESOURCE_LOGS, *_RESOURCE_METRICS)
    ):
        return True
    trace = record.get("trace")
    if isinstance(trace, Mapping) and any(key in trace for key in _RESOURCE_SPANS):
        return True
    data = record.get("data")
    head = data[0] if isinstance(data, list) and data else None
    return isinstance(head, Mapping) and "start_time_unix_nano" in head


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    inner = record.get("trace")
    if isinstance(inner, Mapping):
        record = inner
    data = record.get("data")
    if isinstance(data, list):
        for span in data:
            yield _one(span, {}, {}, options)
    for resource in _members(record, _RESOURCE_SPANS):
        have = attributes_of(_inside(resource.get("resource")).get("attributes"))
        common = resource_of(have)
        for scope in _members(resource, _SCOPE_SPANS):
            for span in scope.get("spans") or ():
                yield _one(span, have, common, options)
    for resource in _members(record, _RESOURCE_LOGS):
        common = resource_of(attributes_of(_inside(resource.get("resource")).get("attributes")))
        for scope in _members(resource, _SCOPE_LOGS):
            for entry in scope.get("logRecords") or scope.get("log_records") or ():
                yield _log(entry, common)
    if any(record.get(key) for key in _RESOURCE_METRICS):
        yield Refused("I033", "OTLP metrics: a histogram holds no calls; export the spans as well")


def _members(record: Record, keys: tuple[str, ...]) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        for item in record.get(key) or ():
            if isinstance(item, Mapping):
                yield item


def _inside(value: Any) -> Mapping[str, Any]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def _one(raw: Any, resource: Mapping[str, Any], common: Line, options: Options) -> Line | Refused:
    if type(raw) is not dict and not isinstance(raw, Mapping):
        return Refused("I032", "a span that is no object")
    try:
        span = span_of(raw, resource, _ANSWERED if options.outputs else _EXCEPTION)
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return Refused("I032", f"a span that is not as OTLP has it ({type(error).__name__})")
    if span.trace_id is None and span.start is None:
        return Refused("I032", "a span without a trace id and without a start")
    made = line_of(span, options, common)
    state = raw.get("traceState") or raw.get("trace_state")
    weight = weight_of(state) if isinstance(state, str) else None
    if weight is not None:
        made.setdefault("sample_weight", weight)
    return made


def span_of(
    raw: Mapping[str, Any], resource: Mapping[str, Any], events: frozenset[str] = _EXCEPTION
) -> Span:
    """A span as it stands in OTLP/JSON, in either spelling; `events` keep their attributes."""
    get = raw.get
    status = _inside(get("status"))
    return Span(
        hex_id(get("traceId") or get("trace_id"), 16),
        hex_id(get("spanId") or get("span_id"), 8),
        hex_id(get("parentSpanId") or get("parent_span_id"), 8),
        str(get("name") or ""),
        nanos(get("startTimeUnixNano") or get("start_time_unix_nano")),
        nanos(get("endTimeUnixNano") or get("end_time_unix_nano")),
        status.get("code") in _FAILED,
        str(status.get("message") or ""),
        attributes_of(get("attributes")),
        [
            Event(
                str(event.get("name") or ""),
                nanos(event.get("timeUnixNano") or event.get("time_unix_nano")),
                attributes_of(event.get("attributes")) if event.get("name") in events else {},
            )
            for event in get("events") or ()
        ],
        resource,
    )


def weight_of(state: str) -> float | None:
    """How many spans one that was kept stands for, by the threshold in its trace state.

    Source: https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    (`ot=th:c` rejects what is drawn below 0xc0000000000000 of 2**56).
    """
    for member in state.split(","):
        vendor, _, values = member.strip().partition("=")
        for value in values.split(";") if vendor == "ot" else ():
            name, _, digits = value.partition(":")
            if name == "th" and 1 <= len(digits) <= _THRESHOLD_DIGITS:
                try:
                    rejected = int(digits.ljust(_THRESHOLD_DIGITS, "0"), 16)
                except ValueError:
                    return None
                return _DRAWN / (_DRAWN - rejected)
    return None


def nanos(value: Any) -> int | None:
    """Nanoseconds since 1970, as a number or a text, to microseconds; 0 is none."""
    if value is None:
        return None
    found = int(value)
    return found // 1_000 if found > 0 else None


def attributes_of(entries: Any) -> dict[str, Any]:
    """`[{"key": …, "value": {"stringValue": …}}]` as a plain dictionary."""
    if isinstance(entries, dict):
        return entries
    found: dict[str, Any] = {}
    for entry in entries or ():
        value = entry.get("value")
        # Nearly all attributes are texts and integers, and there are very many.
        if type(value) is dict:
            inner = value.get("stringValue")
            if inner is None:
                inner = value.get("intValue")
                inner = _any_value(value) if inner is None else int(inner)
            found[entry["key"]] = inner
        else:
            found[entry["key"]] = value
    return found


def _any_value(value: Any) -> Any:
    if type(value) is not dict:
        return value
    for kind, found in value.items():
        if found is None:
            continue
        if kind in _INTEGERS:
            return int(found)
        if kind in _ARRAYS:
            return [_any_value(item) for item in found.get("values") or ()]
        if kind in _OBJECTS:
            return attributes_of(found.get("values"))
        return found
    return None


def _log(entry: Any, common: Line) -> Line | Refused:
    """A log record beside a span: an evaluation's score, or nothing that is counted."""
    if not isinstance(entry, Mapping):
        return Refused("I032", "a log record that is no object")
    try:
        have = attributes_of(entry.get("attributes"))
        time = nanos(entry.get("timeUnixNano")) or nanos(entry.get("observedTimeUnixNano"))
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        return Refused("I032", f"a log record that is not as OTLP has it ({type(error).__name__})")
    name = text(entry.get("eventName")) or text(have.get("event.name")) or ""
    trace = hex_id(entry.get("traceId"), 16)
    made = {
        **common,
        **line(
            timestamp=time,
            trace_id=trace,
            # Its span has these ids too; a log record must not pass for that span a second time.
            span_id=_own_id(entry, name, have, time) if trace else None,
            parent_span_id=hex_id(entry.get("spanId"), 8),
            operation="evaluation" if name == EVALUATION else "event",
        ),
        "is_call": False,
        "is_span": True,
    }
    if name == EVALUATION:
        made["evaluations"] = [
            line(
                name=text(have.get("gen_ai.evaluation.name")),
                score=number(have.get("gen_ai.evaluation.score.value")),
                label=text(have.get("gen_ai.evaluation.score.label")),
            )
        ]
    return made


def _own_id(entry: Mapping[str, Any], name: str, have: Mapping[str, Any], time: int | None) -> str:
    what = have.get("gen_ai.evaluation.name") or ""
    return f"event:{entry.get('spanId')}:{name}:{what}:{time}"


OTLP: Final = Format(
    name="otlp",
    title="OpenTelemetry OTLP/JSON",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "startTimeUnixNano",
        "latency_ms": "endTimeUnixNano − startTimeUnixNano",
        "trace_id": "traceId",
        "span_id": "spanId",
        "parent_span_id": "parentSpanId",
        "session_id": "gen_ai.conversation.id, session.id, …; inherited from the spans above",
        "user_id": "user.id, enduser.id, …; inherited from the spans above",
        "service": "resource service.name",
        "release": "resource service.version",
        "environment": "resource deployment.environment.name",
        "request_model": "gen_ai.request.model, llm.invocation_parameters, …",
        "response_model": "gen_ai.response.model, llm.model_name, …",
        "input_tokens": "gen_ai.usage.input_tokens, llm.token_count.prompt, …",
        "output_tokens": "gen_ai.usage.output_tokens, llm.token_count.completion, …",
        "ttft_ms": "gen_ai.response.time_to_first_chunk, or the event of the first token",
        "status": "status.code; not set is a success",
        "error_type": "error.type, http.response.status_code, or the exception event",
        "cost_usd": "gen_ai.usage.cost, operation.cost, llm.cost.total (few instrumentations)",
        "sample_weight": "traceState ot=th, SampleRate, sampling.weight, …",
        "tool_calls": "spans of operation execute_tool, or of kind TOOL",
        "retrieval": "spans of operation retrieval, or of kind RETRIEVER",
        "guardrails": "spans of kind GUARDRAIL; their outcome from guardrail.* where it is there",
        "evaluations": "log events gen_ai.evaluation.result",
        "output": "gen_ai.output.messages, llm.output_messages, gen_ai.completion, "
        "ai.response.text, output.value, …, or an event of the span",
    },
    lacks=(
        "cost, unless the instrumentation adds it",
        "the outcome of guardrails has no standard",
        "answers that are log records beside the spans (gen_ai.choice)",
    ),
    notes=(
        Note(
            "I030",
            "OTLP spans: what a sampler dropped is told only by a threshold or weight in the spans",
            "if a sampler drops traces, say so with --sampling-rate",
        ),
    ),
)
