"""Which names a native log may use for which field: the alias table, as data.

A path is dotted; `[]` marks a list. Aliases are tried in order and the first present value wins.
Names whose unit cannot be told (`latency`, `duration`, `time_to_first_token`) are left out on
purpose: a guess that is wrong by a thousand is worse than a field that has to be mapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gonogo.conventions import OTHER_UNITS

Kind = Literal["text", "number", "flag", "time", "presence", "texts"]

MICROSECONDS: Final = {
    "_ms": 1e3,
    "_s": 1e6,
    "_seconds": 1e6,
    "_sec": 1e6,
    "_us": 1.0,
    "_ns": 1e-3,
    "Seconds": 1e6,
    "Micros": 1.0,
    "Nanos": 1e-3,
}


def unit_factor(path: str) -> float:
    """Microseconds per unit of a duration field, told by its suffix; milliseconds without one."""
    for suffix, factor in MICROSECONDS.items():
        if path.endswith(suffix):
            return factor
    return 1e3


def own_path(mapping: Mapping[str, str], name: str) -> tuple[str, str] | None:
    """(path, what tells its unit) of a field in a user's mapping: `latency_s = "took"` is seconds,
    `latency_ms = "took"` milliseconds unless the path itself names another unit."""
    if name in mapping:
        return mapping[name], mapping[name]
    if name.endswith("_ms"):
        for unit in OTHER_UNITS:
            other = name.removesuffix("_ms") + unit
            if other in mapping:
                return mapping[other], other
    return None


@dataclass(frozen=True, slots=True)
class Field:
    """A canonical field: how its values are read and the paths it may stand under."""

    name: str
    kind: Kind
    paths: tuple[str, ...]

    @property
    def native(self) -> str:
        """The name in the native log line, which a user's mapping goes by."""
        return self.paths[0]


def _field(name: str, kind: Kind, *paths: str) -> Field:
    return Field(name, kind, paths)


_DURATION = (
    "latency_ms",
    "duration_ms",
    "elapsed_ms",
    "response_time_ms",
    "latency_s",
    "latency_seconds",
    "duration_s",
    "duration_seconds",
    "latency_us",
    "duration_us",
    "duration_ns",
)

_BESIDE_READ = ("usage.cache_read_input_tokens", "usage.cacheReadInputTokens")
_BESIDE_WRITE = (
    "cache_creation_input_tokens",
    "usage.cache_creation_input_tokens",
    "usage.cacheWriteInputTokens",
)
BESIDE_INPUT: Final = {"cache_read_tokens": _BESIDE_READ, "cache_write_tokens": _BESIDE_WRITE}
"""Names under which Anthropic and Bedrock report cached tokens: beside the input tokens, which do
not hold them. https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html"""

LINE_FIELDS: Final = (
    _field(
        "start_time",
        "time",
        "timestamp",
        "start_time",
        "startTime",
        "@timestamp",
        "ts",
        "time",
        "datetime",
        "created_at",
    ),
    _field("end_time", "time", "end_time", "endTime", "completed_at"),
    _field("trace_id", "text", "trace_id", "traceId", "trace", "request_id", "requestId"),
    _field("span_id", "text", "span_id", "spanId", "call_id", "generation_id", "id"),
    _field("parent_span_id", "text", "parent_span_id", "parentSpanId", "parent_id"),
    _field(
        "session_id", "text", "session_id", "sessionId", "session", "conversation_id", "thread_id"
    ),
    _field("user_id", "text", "user_id", "userId", "user", "end_user"),
    _field(
        "tenant_id",
        "text",
        "tenant_id",
        "tenantId",
        "tenant",
        "org_id",
        "organization_id",
        "account_id",
    ),
    _field("service", "text", "service", "service_name", "app", "application"),
    _field("environment", "text", "environment", "env", "deployment_environment"),
    _field("release", "text", "release", "version", "app_version", "service_version", "deployment"),
    _field("prompt_version", "text", "prompt_version", "promptVersion", "prompt_id"),
    _field("operation", "text", "operation", "operation_name", "op"),
    _field("is_call", "flag", "is_call"),
    _field("is_span", "flag", "is_span"),
    _field("provider", "text", "provider", "provider_name", "vendor"),
    _field("response_model", "text", "response_model", "served_model"),
    _field(
        "request_model", "text", "request_model", "model", "model_name", "modelName", "model_id"
    ),
    _field(
        "input_tokens",
        "number",
        "input_tokens",
        "prompt_tokens",
        "promptTokens",
        "tokens_in",
        "usage.prompt_tokens",
        "usage.input_tokens",
        "usage.inputTokens",
    ),
    _field(
        "output_tokens",
        "number",
        "output_tokens",
        "completion_tokens",
        "completionTokens",
        "tokens_out",
        "usage.completion_tokens",
        "usage.output_tokens",
        "usage.outputTokens",
    ),
    _field(
        "cache_read_tokens",
        "number",
        "cache_read_input_tokens",
        "cached_tokens",
        "cache_read_tokens",
        "usage.prompt_tokens_details.cached_tokens",
        "usage.input_tokens_details.cached_tokens",
        *_BESIDE_READ,
    ),
    _field(
        "cache_write_tokens",
        "number",
        "cache_write_input_tokens",
        "cache_write_tokens",
        *_BESIDE_WRITE,
    ),
    _field(
        "reasoning_tokens",
        "number",
        "reasoning_output_tokens",
        "reasoning_tokens",
        "usage.completion_tokens_details.reasoning_tokens",
        "usage.output_tokens_details.reasoning_tokens",
    ),
    _field(
        "audio_input_tokens",
        "number",
        "audio_input_tokens",
        "input_audio_tokens",
        "usage.prompt_tokens_details.audio_tokens",
    ),
    _field("image_input_tokens", "number", "image_input_tokens", "input_image_tokens"),
    _field(
        "audio_output_tokens",
        "number",
        "audio_output_tokens",
        "output_audio_tokens",
        "usage.completion_tokens_details.audio_tokens",
    ),
    _field(
        "cache_write_1h_tokens",
        "number",
        "cache_write_1h_input_tokens",
        "usage.cache_creation.ephemeral_1h_input_tokens",
        "cache_creation.ephemeral_1h_input_tokens",
    ),
    # Set by adapters of formats that write a record again whenever it changes.
    _field("updated", "time", "record_updated_at"),
    _field("service_tier", "text", "service_tier", "serviceTier", "usage.service_tier"),
    _field("sample_weight", "number", "sample_weight", "adjusted_count", "SampleRate"),
    _field("duration", "number", *_DURATION),
    _field(
        "ttft",
        "number",
        "ttft_ms",
        "time_to_first_token_ms",
        "first_token_ms",
        "ttft_s",
        "time_to_first_token_s",
    ),
    _field("streamed", "flag", "stream", "streaming", "is_streaming"),
    _field("status", "text", "status", "outcome", "status_code", "http_status"),
    _field("ok", "flag", "ok", "success"),
    _field(
        "error_type",
        "text",
        "error_type",
        "errorType",
        "error_code",
        "error.type",
        "error.code",
        "error.message",
        "error",
        "exception_type",
        "exception",
    ),
    _field("finish_reason", "text", "finish_reason", "finishReason", "stop_reason"),
    _field("retries", "number", "retries", "retry_count", "num_retries"),
    _field(
        "cost_usd", "number", "cost_usd", "total_cost_usd", "response_cost", "total_cost", "cost"
    ),
    _field("currency", "text", "currency", "cost_currency"),
    _field("input_hash", "text", "input_hash", "prompt_hash"),
    _field("cache_hit", "flag", "cache_hit", "cacheHit", "cached", "from_cache"),
    _field(
        "output",
        "presence",
        "output",
        "output_text",
        "completion",
        "response",
        "response_text",
        "answer",
    ),
)

TIME_NAMES: Final = tuple(
    path for f in LINE_FIELDS if f.name in ("start_time", "end_time") for path in f.paths
)

_STATUS = (
    _field("status", "text", "status", "outcome"),
    _field("ok", "flag", "ok", "success"),
    _field(
        "error_type",
        "text",
        "error_type",
        "error.type",
        "error.code",
        "error.message",
        "error",
        "error_code",
    ),
    _field("duration", "number", *_DURATION),
)

RETRIEVAL_FIELDS: Final = (
    *_STATUS,
    _field("hit", "flag", "hit"),
    _field("n_chunks", "number", "n_chunks", "chunk_count", "num_chunks", "results"),
    _field(
        "chunk_ids",
        "texts",
        "chunk_ids",
        "chunks[].id",
        "chunks[].chunk_id",
        "documents[].id",
        "document_ids",
    ),
    _field("scores", "texts", "scores", "chunks[].score", "documents[].score"),
    _field("expected_ids", "texts", "expected_chunk_ids", "expected_ids", "expected_document_ids"),
    _field("index_version", "text", "index_version", "index"),
    _field("embedding_model", "text", "embedding_model"),
)
TOOL_FIELDS: Final = (
    *_STATUS,
    _field("name", "text", "name", "tool", "tool_name", "function.name"),
    _field("timed_out", "flag", "timed_out", "timeout"),
    _field("arguments_valid", "flag", "arguments_valid", "valid_arguments"),
    _field("fallback", "flag", "fallback", "used_fallback"),
    _field("input", "presence", "input", "arguments", "args", "parameters", "function.arguments"),
    _field("output", "presence", "output", "result", "response"),
)
GUARDRAIL_FIELDS: Final = (
    _field("name", "text", "name", "guardrail", "rule"),
    _field("stage", "text", "stage"),
    _field("triggered", "flag", "triggered", "flagged"),
    _field("action", "text", "action"),
    _field("bypassed", "flag", "bypassed"),
    _field("duration", "number", *_DURATION),
    _field("cost_usd", "number", "cost_usd", "guardrail_cost", "cost"),
)
ACTION_FIELDS: Final = (
    _field("name", "text", "name", "action", "type"),
    _field("tier", "number", "tier", "risk_tier"),
    _field("review", "text", "review", "review_outcome", "decision"),
    _field(
        "duration",
        "number",
        "review_latency_ms",
        "review_ms",
        "review_latency_s",
        "review_seconds",
    ),
)
EVALUATION_FIELDS: Final = (
    _field("name", "text", "name", "evaluator", "metric"),
    _field("score", "number", "score", "value"),
    _field("label", "text", "label"),
    _field("passed", "flag", "passed", "pass"),
)


@dataclass(frozen=True, slots=True)
class Child:
    """A child table of a line: the names its list or object may have, and its fields."""

    table: str
    names: tuple[str, ...]
    fields: tuple[Field, ...]


CHILDREN: Final = (
    Child("retrievals", ("retrieval", "retrievals"), RETRIEVAL_FIELDS),
    Child("tool_calls", ("tool_calls", "tool_executions"), TOOL_FIELDS),
    Child("guardrails", ("guardrails", "guardrail_checks", "guardrail_results"), GUARDRAIL_FIELDS),
    Child("evaluations", ("evaluations", "evaluation", "eval", "feedback"), EVALUATION_FIELDS),
    Child("actions", ("action", "actions"), ACTION_FIELDS),
)

NOT_CALL_OPERATIONS: Final = (
    "retrieval",
    "retrieve",
    "rerank",
    "execute_tool",
    "tool",
    "guardrail",
)
GUARD_OPERATIONS: Final = ("guardrail", "apply_guardrail", "moderation")
RETRIEVAL_OPERATIONS: Final = ("retrieval", "retrieve", "rerank")
EMBEDDING_OPERATIONS: Final = ("embeddings", "embedding")


def own_containers(mapping: Mapping[str, str], child: Child) -> dict[str, dict[str, str]]:
    """A user's own places for a child table: container -> {native name: path inside it}.

    `retrieval = "rag"` names a container with the native names inside; `"retrieval.hit" =
    "rag.found"` a field in one.
    """
    found: dict[str, dict[str, str]] = {}
    native = child.names[0]
    if native in mapping:
        found[mapping[native]] = {}
    for name, path in mapping.items():
        if name.startswith(f"{native}."):
            container, _, inside = path.partition(".")
            found.setdefault(container.removesuffix("[]"), {})[name] = inside
    return found


def known_paths(mapping: Mapping[str, str]) -> dict[str, Kind]:
    """Every path that the table or the user's mapping knows, with the kind of its value."""
    found: dict[str, Kind] = {}
    for entry in LINE_FIELDS:
        own = own_path(mapping, entry.native)
        for path in (*entry.paths, *(own[:1] if own else ())):
            found[path] = entry.kind
    for child in CHILDREN:
        places: dict[str, dict[str, str]] = {name: {} for name in child.names}
        places |= own_containers(mapping, child)
        for name, inside in places.items():
            for entry in child.fields:
                own = own_path(inside, f"{child.names[0]}.{entry.native}")
                for path in (*entry.paths, *(own[:1] if own else ())):
                    # `chunks[].id` is one text in each of many objects, not a list of texts.
                    kind: Kind = "text" if "[]" in path else entry.kind
                    found[f"{name}[].{path}"] = kind
    return found
