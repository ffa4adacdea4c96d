"""AWS Bedrock model invocation logs, from S3 or CloudWatch, with the guardrail's trace.

Sources: the Bedrock user guide on model invocation logging, and records of panther-analysis and of
Elastic's integration. InvokeModel logs no latency at all; Anthropic's counts exclude cached tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.answers import answer_of, answer_of_stream
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused, Versions
from gonogo.adapters.values import (
    dig,
    epoch_us,
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

_SCHEMA: Final = "ModelInvocationLog"
_OPERATIONS: Final = frozenset(
    {"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"}
)
_REGIONS: Final = ("us.", "eu.", "apac.", "global.", "jp.", "us-gov.", "au.", "ca.")
_METRICS: Final = "amazon-bedrock-invocationMetrics"
_ACTION: Final = "amazon-bedrock-guardrailAction"
_POLICY_ACTIONS: Final = frozenset({"BLOCKED", "ANONYMIZED"})
_MASK: Final = "ANONYMIZED"
_GUARDRAIL: Final = "bedrock guardrail"


def _message(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The log inside of an envelope of CloudWatch, or the record itself."""
    if record.get("schemaType") == _SCHEMA:
        return record
    for key in ("@message", "message"):
        inside = mapping_of(record.get(key))
        if inside.get("schemaType") == _SCHEMA:
            return inside
    if record.get("field") == "@message":
        inside = mapping_of(record.get("value"))
        return inside if inside.get("schemaType") == _SCHEMA else None
    return None


def _messages(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any] | None]:
    events = record.get("logEvents") or record.get("events")
    if isinstance(events, list):
        for event in objects(events):
            yield _message(event)
        return
    results = record.get("results")
    if isinstance(results, list):
        # Logs Insights: a list of fields for each row; some tools flatten the two lists to one.
        for row in results:
            for item in objects(row) if isinstance(row, list) else (row,):
                if isinstance(item, Mapping) and item.get("field", "@message") == "@message":
                    yield _message(item)
        return
    if "field" in record and record["field"] != "@message":
        return
    yield _message(record)


def _detect(record: Record) -> bool:
    return any(found is not None for found in _messages(record))


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    for found in _messages(record):
        if found is None:
            yield Refused("I032", "no model invocation log of Bedrock")
        else:
            yield settled(_line(found, options), found, options)


def _line(record: Mapping[str, Any], options: Options) -> Line:
    operation = text(record.get("operation")) or ""
    output = mapping_of(record.get("output"))
    body = unpacked(output.get("outputBodyJson"))
    pieces = list(objects(body)) if isinstance(body, list) else [mapping_of(body)]
    request = text(record.get("requestId"))
    meta = mapping_of(record.get("requestMetadata"))
    is_call = operation in _OPERATIONS
    streamed = operation.endswith("Stream")
    metrics = _last(pieces, _METRICS)
    latency = number(metrics.get("invocationLatency"))
    if latency is None:
        latency = next(
            (m for p in pieces for m in [number(_in(p, "metrics.latencyMs"))] if m is not None),
            None,
        )
    stop = next((s for p in pieces for s in [_stop(p)] if s is not None), None)
    checks = _guardrails(pieces, stop)
    error = text(record.get("errorCode"))
    blocked = any(check.get("action") == "block" for check in checks)
    return {
        **line(
            timestamp=epoch_us(record.get("timestamp")),
            latency_ms=latency,
            ttft_ms=number(metrics.get("firstByteLatency")) if streamed else None,
            stream=streamed,
            trace_id=request,
            span_id=f"{operation}:{request}" if request else None,
            session_id=text(first(meta, "session_id", "sessionId", "session")),
            user_id=text(first(meta, "user_id", "userId", "user")),
            tenant_id=text(first(meta, "tenant_id", "tenantId", "tenant")),
            operation="chat" if is_call else operation,
            provider="aws.bedrock",
            request_model=_model(text(record.get("modelId"))),
            response_model=next((m for p in pieces for m in [text(p.get("model"))] if m), None),
            finish_reason=stop,
            error_type=error,
            status="error" if error else "blocked" if blocked else "ok",
            output=_answer(output, body, wanted=options.outputs),
        ),
        **_tokens(record, output, pieces, metrics),
        **({"guardrails": checks} if checks else {}),
        "is_call": is_call,
    }


def _answer(output: Mapping[str, Any], body: Any, *, wanted: bool) -> str | None:
    """A body of more than 100 KB stands in a file of its own, which is not read."""
    if not wanted or not body:
        return there(body) or there(output.get("outputBodyS3Path"))
    return answer_of_stream(body) if isinstance(body, list) else answer_of(body)


def _in(piece: Mapping[str, Any], path: str) -> Any:
    """A member of a whole answer, or of the event that closes a ConverseStream."""
    found = dig(piece, path)
    return dig(piece, f"metadata.{path}") if found is None else found


def _last(pieces: list[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    for piece in reversed(pieces):
        found = mapping_of(piece.get(name))
        if found:
            return found
    return {}


def _stop(piece: Mapping[str, Any]) -> str | None:
    paths = ("stopReason", "stop_reason", "messageStop.stopReason", "delta.stop_reason")
    return text(first(piece, *paths))


def _model(name: str | None) -> str | None:
    """The model of an id, an ARN or an inference profile."""
    if name is None:
        return None
    bare = name.rpartition("/")[2]
    for region in _REGIONS:
        bare = bare.removeprefix(region)
    return bare


def _tokens(
    record: Mapping[str, Any],
    output: Mapping[str, Any],
    pieces: list[Mapping[str, Any]],
    metrics: Mapping[str, Any],
) -> Line:
    given = mapping_of(record.get("input"))
    usage = next((u for p in pieces for u in [mapping_of(_in(p, "usage"))] if u), {})
    fresh = number(first(given, "inputTokenCount"))
    if fresh is None:
        fresh = number(first(metrics, "inputTokenCount"))
    if fresh is None:
        fresh = number(first(usage, "input_tokens", "inputTokens", "prompt_tokens"))
    if fresh is None:
        fresh = next((n for p in pieces for n in [number(p.get("prompt_token_count"))] if n), None)
    made = number(first(output, "outputTokenCount"))
    if made is None:
        made = number(first(metrics, "outputTokenCount"))
    if made is None:
        made = number(first(usage, "output_tokens", "outputTokens", "completion_tokens"))
    read = number(first(given, "cacheReadInputTokenCount")) or number(
        first(usage, "cache_read_input_tokens", "cacheReadInputTokens")
    )
    written = number(first(given, "cacheWriteInputTokenCount")) or number(
        first(usage, "cache_creation_input_tokens", "cacheWriteInputTokens")
    )
    return line(
        input_tokens=None if fresh is None else total([fresh, read, written]),
        output_tokens=made,
        cache_read_input_tokens=read,
        cache_write_input_tokens=written,
        cache_write_1h_input_tokens=number(dig(usage, "cache_creation.ephemeral_1h_input_tokens")),
    )


def _guardrails(pieces: list[Mapping[str, Any]], stop: str | None) -> list[Line]:
    """One check for each guardrail and side that the trace tells of, or one for its action."""
    checks: list[Line] = []
    action = next((a for p in pieces for a in [text(p.get(_ACTION))] if a), None)
    for piece in pieces:
        trace = mapping_of(first(piece, "amazon-bedrock-trace.guardrail")) or mapping_of(
            _in(piece, "trace.guardrail")
        )
        for stage, place in (
            ("input", trace.get("input") or trace.get("inputAssessment")),
            ("output", trace.get("outputs") or trace.get("outputAssessments")),
        ):
            for name, assessment in _assessments(place):
                checks.append(_check(name, stage, assessment))
    intervened = action == "INTERVENED" or stop == "guardrail_intervened"
    if checks and intervened and not any(check["triggered"] for check in checks):
        checks[0] |= {"triggered": True, "action": "block"}
    if not checks and (action is not None or intervened):
        checks.append(
            line(name=_GUARDRAIL, triggered=intervened, action="block" if intervened else None)
        )
    return checks


def _assessments(place: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in objects(place) if isinstance(place, list) else (mapping_of(place),):
        for name, found in group.items():
            for assessment in objects(found) if isinstance(found, list) else (mapping_of(found),):
                yield str(name), assessment


def _check(name: str, stage: str, assessment: Mapping[str, Any]) -> Line:
    actions = set(_actions(assessment))
    return line(
        name=name,
        stage=stage,
        triggered=bool(actions),
        action="block" if "BLOCKED" in actions else "mask" if _MASK in actions else None,
        latency_ms=number(dig(assessment, "invocationMetrics.guardrailProcessingLatency")),
    )


def _actions(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > 8:
        return
    if isinstance(value, Mapping):
        found = value.get("action")
        if isinstance(found, str) and found in _POLICY_ACTIONS:
            yield found
        for member in value.values():
            yield from _actions(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            yield from _actions(member, depth + 1)


def _versions(record: Record) -> Iterator[Any]:
    return (found.get("schemaVersion") for found in _messages(record) if found is not None)


BEDROCK: Final = Format(
    name="bedrock",
    title="AWS Bedrock model invocation log",
    detect=_detect,
    convert=_convert,
    fields={
        "timestamp": "timestamp (whole seconds)",
        "latency_ms": "Converse: output.outputBodyJson.metrics.latencyMs; streams: "
        "invocationLatency; InvokeModel: not logged",
        "ttft_ms": "firstByteLatency of streams",
        "trace_id": "requestId",
        "session_id": "requestMetadata.session_id",
        "user_id": "requestMetadata.user_id",
        "tenant_id": "requestMetadata.tenant_id",
        "request_model": "modelId, its last part, without the region",
        "response_model": "output.outputBodyJson.model",
        "input_tokens": "inputTokenCount + cacheReadInputTokenCount + cacheWriteInputTokenCount",
        "output_tokens": "outputTokenCount",
        "status": "errorCode; a guardrail's intervention is a block",
        "output": "output.outputBodyJson; not what outputBodyS3Path points to",
        "guardrails": "amazon-bedrock-guardrailAction and amazon-bedrock-trace, or stopReason and "
        "trace.guardrail",
    },
    lacks=(
        "the latency of InvokeModel",
        "cost",
        "sessions and users, unless requestMetadata has them",
        "retrieval and tools",
        "throttled requests, in part",
    ),
    notes=(
        Note(
            "I030",
            "Bedrock logs no latency for InvokeModel, no cost, and may leave out throttled "
            "requests: the error rate is a lower bound",
            "use Converse, or trace the application, for latency objectives",
        ),
    ),
    versions=Versions(frozenset({"1.0"}), _versions),
)
