"""Records of other tools' logs, made for tests."""

from __future__ import annotations

from typing import Any

import reading
from reading import Read, Row

START = 1_795_337_471_000_000_000
MS = 1_000_000
TRACE = "39100ef9b73ef26332a0e955c7c47734"


def calls_of(found: Read) -> list[Row]:
    return [row for row in found.kept if row["is_call"]]


def any_value(value: Any) -> dict[str, Any]:
    """A value as the Collector's file exporter writes it: integers are texts."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    return {"stringValue": value}


def attributes(**values: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def span(
    number: int, parent: int | None = None, *, failed: bool = False, ms: int = 100,
    trace: str = TRACE, events: list[dict[str, Any]] | None = None, **have: Any,
) -> dict[str, Any]:  # fmt: skip
    """A span that starts `number` seconds after START and lasts `ms`."""
    start = START + number * 1_000 * MS
    made: dict[str, Any] = {
        "traceId": trace, "spanId": f"{number:016x}", "name": f"span {number}",
        "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + ms * MS),
        "attributes": attributes(**have), "status": {"code": 2} if failed else {},
        "events": events or [],
    }  # fmt: skip
    return made if parent is None else {**made, "parentSpanId": f"{parent:016x}"}


def chat(number: int, parent: int | None = None, **more: Any) -> dict[str, Any]:
    have = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", **more}
    return span(number, parent, **have)


def otlp(*spans: dict[str, Any], **resource: Any) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": attributes(**resource)},
                "scopeSpans": [{"scope": {"name": "test"}, "spans": list(spans)}],
            }
        ]
    }


def litellm(number: int = 0, **more: Any) -> dict[str, Any]:
    start = START / 1e9 + number
    return {
        "id": f"chatcmpl-{number}", "litellm_call_id": f"call-{number}", "trace_id": f"t{number}",
        "call_type": "acompletion", "stream": None, "status": "success", "cache_hit": None,
        "startTime": start, "endTime": start + 0.5, "completionStartTime": start + 0.5,
        "model": "openai/gpt-4o", "model_group": "gpt-4o", "custom_llm_provider": "openai",
        "prompt_tokens": 10, "completion_tokens": 5, "response_cost": 0.001, "metadata": {},
        **more,
    }  # fmt: skip


def observation(ident: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": ident, "traceId": "t1", "parentObservationId": parent, "type": "GENERATION",
        "startTime": "2026-11-16T09:00:00.000Z", "endTime": "2026-11-16T09:00:01.500Z",
        "model": "gpt-4o", "level": "DEFAULT", **more,
    }  # fmt: skip


def bedrock(request: str = "r1", **more: Any) -> dict[str, Any]:
    return {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "requestId": request,
        "timestamp": "2026-11-16T09:00:00Z", "operation": "InvokeModel",
        "modelId": "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-3-haiku",
        "input": {"inputTokenCount": 100}, "output": {"outputTokenCount": 20}, **more,
    }  # fmt: skip


def run(ident: str, parent: str | None = None, **more: Any) -> dict[str, Any]:
    """A run of LangSmith."""
    return {
        "id": ident, "trace_id": "root", "parent_run_id": parent, "dotted_order": "",
        "run_type": "llm", "start_time": "2026-11-16T09:00:00", "status": "success",
        "end_time": "2026-11-16T09:00:02", "session_id": "the-project", **more,
    }  # fmt: skip


def read_records(path: Any, *records: Any, **more: Any) -> Read:
    return reading.read(reading.write(path, *records), **more)
