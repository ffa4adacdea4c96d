"""LiteLLM: StandardLoggingPayload, one JSON object per call, and the SpendLogs table.

Source: litellm/types/utils.py 1.109 and payloads recorded with its proxy 1.106; SpendLogs from
schema.prisma. Times are epoch seconds, or naive UTC texts in older versions and in SpendLogs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gonogo.adapters.answers import logged
from gonogo.adapters.model import Format, Line, Note, Options, Record, Refused
from gonogo.adapters.values import (
    dig,
    elapsed_ms,
    epoch_us,
    first,
    flag,
    line,
    list_of,
    mapping_of,
    number,
    objects,
    settled,
    text,
    there,
    unpacked,
)

_BLOCKED: Final = frozenset({"guardrail_intervened", "blocked"})
_NOT_RUN: Final = frozenset({"not_run"})
_STAGES: Final = {
    "pre_call": "input",
    "during_call": "input",
    "pre_mcp_call": "tool",
    "during_mcp_call": "tool",
    "post_call": "output",
}
_EMBEDDING: Final = frozenset({"embedding", "aembedding"})
_TOOL: Final = "call_mcp_tool"
_PREFIX: Final = "/"


def _detect(record: Record) -> bool:
    return all(key in record for key in ("response_cost", "startTime", "call_type"))


def _detect_spend(record: Record) -> bool:
    return all(key in record for key in ("request_id", "spend", "api_key"))


def _convert(record: Record, options: Options) -> Iterator[Line | Refused]:
    meta = mapping_of(record.get("metadata"))
    usage = mapping_of(meta.get("usage_object")) or mapping_of(dig(record, "response.usage"))
    checks = list(_guardrails(record, meta))
    made = _common(record, meta, usage, options)
    made |= line(
        cost_usd=number(record.get("response_cost")),
        tenant_id=text(
            first(
                meta,
                "user_api_key_team_id",
                "user_api_key_org_id",
                "user_api_key_team_alias",
                "user_api_key_org_alias",
            )
        ),
        user_id=text(
            first(record, "end_user")
            or first(meta, "user_api_key_end_user_id", "user_api_key_user_id")
        ),
        trace_id=text(first(record, "trace_id", "id")),
        span_id=text(first(record, "litellm_call_id", "id")),
        finish_reason=text(dig(unpacked(record.get("response")), "choices.0.finish_reason")),
    )
    status_fields = mapping_of(record.get("status_fields"))
    intervened = status_fields.get("guardrail_status") in _BLOCKED or any(
        check.get("action") == "block" for check in checks
    )
    if record.get("status") == "failure" and intervened:
        made["status"] = "blocked"
    elif record.get("status") == "failure":
        made["status"] = "error"
        made |= line(
            error_type=text(
                first(record, "error_information.error_code", "error_information.error_class")
            )
            or text(dig(record, "error_information.error_class"))
        )
    elif record.get("status") is not None:
        made["status"] = "ok"
    if checks:
        made["guardrails"] = checks
    stores = list(objects(meta.get("vector_store_request_metadata")))
    if stores:
        made["retrieval"] = [_retrieval(store) for store in stores]
    _tool_call(record, meta, made)
    yield settled(made, record, options)


def _common(
    record: Record, meta: Mapping[str, Any], usage: Mapping[str, Any], options: Options
) -> Line:
    start, end = epoch_us(record.get("startTime")), epoch_us(record.get("endTime"))
    opened = epoch_us(record.get("completionStartTime"))
    stream = flag(record.get("stream"))
    call_type = text(record.get("call_type")) or ""
    failed = record.get("status") == "failure"
    tokens = {
        "input_tokens": number(record.get("prompt_tokens")),
        "output_tokens": number(record.get("completion_tokens")),
    }
    if failed and not any(tokens.values()):
        tokens = {}  # zeros that were never counted
    asked = text(record.get("model_group")) or text(record.get("model"))
    return {
        **line(
            timestamp=start,
            end_time=end,
            session_id=text(first(record, "session_id"))
            or text(first(meta, "requester_metadata.session_id", "session_id")),
            operation="embeddings" if call_type in _EMBEDDING else "chat",
            provider=text(record.get("custom_llm_provider")),
            request_model=asked,
            response_model=text(dig(unpacked(record.get("response")), "model"))
            or _bare(text(record.get("model"))),
            # Only a stream has a first token; elsewhere LiteLLM writes the end of the call there.
            stream=bool(stream),
            ttft_ms=elapsed_ms(start, opened) if stream and not failed else None,
            cache_read_input_tokens=number(
                first(
                    usage,
                    "prompt_tokens_details.cached_tokens",
                    "cache_read_input_tokens",
                )
            ),
            cache_write_input_tokens=number(usage.get("cache_creation_input_tokens")),
            cache_write_1h_input_tokens=number(
                first(
                    usage,
                    "cache_creation_token_details.ephemeral_1h_input_tokens",
                    "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
                    "cache_creation.ephemeral_1h_input_tokens",
                )
            ),
            service_tier=text(dig(unpacked(record.get("response")), "service_tier"))
            or text(usage.get("service_tier")),
            reasoning_output_tokens=number(
                dig(usage, "completion_tokens_details.reasoning_tokens")
            ),
            cache_hit=flag(record.get("cache_hit")),
            output=logged(unpacked(record.get("response")), wanted=options.outputs),
            **tokens,
        ),
    }


def _bare(model: str | None) -> str | None:
    """`openai/gpt-4o-mini` is sent to the provider as `gpt-4o-mini`."""
    return model.partition(_PREFIX)[2] or model if model else None


def _guardrails(record: Record, meta: Mapping[str, Any]) -> Iterator[Line]:
    found = unpacked(record.get("guardrail_information"))
    if not found:
        older = first(meta, "standard_logging_guardrail_information", "guardrail_information")
        found = unpacked(older)
    for check in objects(found if isinstance(found, list) else [found] if found else []):
        status = str(check.get("guardrail_status") or "")
        if status in _NOT_RUN:
            continue
        blocked = status in _BLOCKED or (status == "failure" and not check.get("guardrail_id"))
        # A mask keeps the status `success`: only what was masked tells of it.
        masked = _is_mask(check)
        modes = check.get("guardrail_mode")
        mode = modes[0] if isinstance(modes, list) and modes else modes
        duration = number(check.get("duration"))
        broken = status == "guardrail_failed_to_respond"
        yield line(
            name=text(check.get("guardrail_name")) or "guardrail",
            stage=_STAGES.get(str(mode), text(mode)),
            triggered=None if broken else blocked or masked or status == "guardrail_flagged",
            action="block" if blocked else "mask" if masked else None,
            latency_ms=None if duration is None else duration * 1_000,
            cost_usd=number(check.get("guardrail_cost")),
        )


def _is_mask(check: Mapping[str, Any]) -> bool:
    masked = mapping_of(check.get("masked_entity_count"))
    if any(number(count) for count in masked.values()):
        return True
    return any(
        str(item.get("action", "")).upper() == "MASK"
        for item in objects(check.get("guardrail_response"))
    )


def _retrieval(store: Mapping[str, Any]) -> Line:
    start, end = epoch_us(store.get("start_time")), epoch_us(store.get("end_time"))
    response = dig(store, "vector_store_search_response.data")
    documents = list_of(response) if response is not None else None
    made = line(index_version=text(store.get("vector_store_id")), latency_ms=elapsed_ms(start, end))
    if documents is not None:
        made["n_chunks"] = len(documents)
        ids = [text(first(d, "file_id", "id", "filename")) for d in documents]
        if all(ids):
            made["chunk_ids"] = ids
        made["scores"] = [number(dig(d, "score")) for d in documents]
    return made


def _tool_call(record: Record, meta: Mapping[str, Any], made: Line) -> None:
    tool = mapping_of(meta.get("mcp_tool_call_metadata"))
    if not tool:
        return
    made["tool_calls"] = [
        line(
            name=text(tool.get("name")),
            mcp_server=text(tool.get("mcp_server_name")),
            status="error" if record.get("status") == "failure" else "ok",
            latency_ms=elapsed_ms(
                epoch_us(record.get("startTime")), epoch_us(record.get("endTime"))
            ),
            input=there(tool.get("arguments")),
            output=there(tool.get("result")),
        )
    ]
    if record.get("call_type") == _TOOL:
        made["operation"] = "execute_tool"


def _convert_spend(record: Record, options: Options) -> Iterator[Line | Refused]:
    meta = mapping_of(record.get("metadata"))
    usage = mapping_of(meta.get("usage_object"))
    made = _common(record, meta, usage, options)
    checks = list(_guardrails(record, meta))
    start = epoch_us(record.get("startTime"))
    opened = epoch_us(record.get("completionStartTime"))
    end = epoch_us(record.get("endTime"))
    # The table has no column for streams: a first token before the end is the sign of one.
    streamed = start is not None and opened is not None and end is not None and start < opened < end
    made.pop("stream", None)
    made |= line(
        stream=True if streamed else None,
        ttft_ms=elapsed_ms(start, opened) if streamed else None,
        cost_usd=number(record.get("spend")),
        trace_id=text(first(meta, "trace_id")) or text(record.get("request_id")),
        span_id=text(record.get("request_id")),
        tenant_id=text(first(record, "team_id", "organization_id"))
        or text(first(meta, "user_api_key_team_id", "user_api_key_org_id")),
        user_id=text(first(record, "end_user", "user")),
    )
    status = text(record.get("status")) or text(meta.get("status"))
    error = mapping_of(meta.get("error_information"))
    blocked = any(check.get("action") == "block" for check in checks)
    if status == "failure":
        made["status"] = "blocked" if blocked else "error"
        if not blocked:
            made |= line(error_type=text(first(error, "error_code", "error_class")))
    elif status is not None:
        made["status"] = "ok"
    if checks:
        made["guardrails"] = checks
    yield settled(made, record, options)


_FIELDS: Final = {
    "timestamp": "startTime",
    "latency_ms": "endTime − startTime (response_time is the first token's, for streams)",
    "ttft_ms": "completionStartTime − startTime, for streams only",
    "session_id": "session_id, metadata.requester_metadata.session_id",
    "user_id": "end_user",
    "tenant_id": "metadata.user_api_key_team_id, …org_id",
    "request_model": "model_group",
    "response_model": "response.model, or model without its provider",
    "provider": "custom_llm_provider",
    "input_tokens": "prompt_tokens (cached ones included)",
    "output_tokens": "completion_tokens (reasoning included)",
    "cost_usd": "response_cost (SpendLogs: spend); never the sum of cost_breakdown",
    "cache_hit": "cache_hit: the gateway's own cache",
    "status": "status; a failure that a guardrail caused is a block",
    "error_type": "error_information.error_code",
    "guardrails": "guardrail_information; a mask is told by what was masked",
    "retrieval": "metadata.vector_store_request_metadata",
    "tool_calls": "metadata.mcp_tool_call_metadata",
    "output": "response; not where LiteLLM was told to redact it",
}

LITELLM: Final = Format(
    name="litellm",
    title="LiteLLM StandardLoggingPayload",
    detect=_detect,
    convert=_convert,
    fields=_FIELDS,
    lacks=("parent spans", "retrieval and tools outside of the gateway", "release"),
)
SPENDLOGS: Final = Format(
    name="litellm-spendlogs",
    title="LiteLLM SpendLogs table",
    detect=_detect_spend,
    convert=_convert_spend,
    fields=_FIELDS,
    lacks=("whether a call was streamed", "parent spans", "release"),
    notes=(
        Note(
            "I030",
            "LiteLLM SpendLogs do not say which calls were streamed; a first token before the end "
            "counts as a stream",
        ),
    ),
)
