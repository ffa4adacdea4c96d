"""What instrumentations call the same thing: the attribute table of all span formats, as data.

Sources, read in 2026: OpenTelemetry GenAI semantic conventions up to 1.41 and their successor
repository (open-telemetry/semantic-conventions-genai); OpenInference's semantic_conventions.md;
OpenLLMetry/Traceloop 0.62; Vercel AI SDK 6 and 7; pydantic-ai 2 with logfire; OpenLIT; LiteLLM's
otel callback; MLflow 3. The first attribute with a value counts. `a>b` is member b of the JSON that
stands in attribute a. `gen_ai.aggregated_usage.*` is left out on purpose: it repeats what the spans
below it say, and so does `logfire.metrics`.
"""

from __future__ import annotations

from typing import Final, Literal

SpanKind = Literal[
    "llm", "embedding", "tool", "retrieval", "rerank", "guardrail", "agent", "chain", "eval"
]

TEXTS: Final[dict[str, tuple[str, ...]]] = {
    "provider": (
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "mlflow.llm.provider",
        "llm.vendor",
    ),
    "request_model": (
        "gen_ai.request.model",
        "llm.request.model_name",
        "llm.invocation_parameters>model",
        "embedding.invocation_parameters>model",
        "input.value>model",
        "ai.model.id",
        "model",
        "model_name",
    ),
    "response_model": (
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.model_name",
        "embedding.model_name",
        "ai.response.model",
        "mlflow.llm.model",
    ),
    "session_id": (
        "gen_ai.conversation.id",
        "session.id",
        "traceloop.association.properties.session_id",
        "ai.telemetry.metadata.sessionId",
        "langfuse.session.id",
        "session_id",
        "thread_id",
    ),
    "user_id": (
        "user.id",
        "enduser.id",
        "enduser.pseudo.id",
        "traceloop.association.properties.user_id",
        "ai.telemetry.metadata.userId",
        "langfuse.user.id",
        "user_id",
    ),
    "prompt_version": (
        "gen_ai.prompt.version",
        "llm.prompt_template.version",
        "traceloop.prompt.version",
    ),
    "service_tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "gen_ai.response.service_tier",
    ),
    "error_type": ("error.type", "gen_ai.guardrail.error.type"),
}

NUMBERS: Final[dict[str, tuple[str, ...]]] = {
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
        "mlflow.chat.tokenUsage>input_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "mlflow.chat.tokenUsage>output_tokens",
    ),
    "cache_read_input_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "gen_ai.usage.details.cache_read_tokens",
        "mlflow.chat.tokenUsage>cache_read_input_tokens",
    ),
    "cache_write_input_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "mlflow.chat.tokenUsage>cache_creation_input_tokens",
    ),
    "cache_write_1h_input_tokens": ("gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",),
    # Of a sampler that says how many spans each one that it kept stands for.
    "sample_weight": ("sampling.weight", "sample_weight", "adjusted_count", "SampleRate"),
    "reasoning_output_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.reasoningTokens",
    ),
    "cost_usd": (
        "gen_ai.usage.cost",
        "gen_ai.cost.total_cost",
        "operation.cost",
        "llm.cost.total",
        "gen_ai.usage.total_cost",
        "mlflow.llm.cost>total_cost",
    ),
}

TTFT_SECONDS: Final = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.operation.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
)
TTFT_MS: Final = ("ai.response.msToFirstChunk",)
TTFT_EVENTS: Final = (
    "First Token Stream Event",
    "ai.stream.firstChunk",
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
)
STREAM: Final = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming", "stream")
FINISH: Final = (
    "gen_ai.response.finish_reasons",
    "llm.finish_reason",
    "ai.response.finishReason",
    "gen_ai.completion.0.finish_reason",
)
OUTPUT: Final = (
    "gen_ai.output.messages",
    "gen_ai.completion",
    "output.value",
    "ai.response.text",
    "ai.response.object",
    "ai.response.toolCalls",
    "gen_ai.completion.0.content",
    "llm.output_messages",
    "llm.output_messages.0.message.content",
    "mlflow.spanOutputs",
    "gen_ai.tool.call.result",
    "ai.toolCall.result",
    "traceloop.entity.output",
)
INPUT: Final = (
    "gen_ai.tool.call.arguments",
    "ai.toolCall.args",
    "tool.parameters",
    "input.value",
    "mlflow.spanInputs",
    "traceloop.entity.input",
)
KIND: Final = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "ai.operationId",
    "mlflow.spanType",
    "llm.request.type",
)
TOOL_NAME: Final = ("gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name")
TENANT: Final = ("tenant.id", "tenant_id")

GUARDRAIL_NAME: Final = (
    "gen_ai.guardrail.name",
    "gen_ai.guardrail.component.name",
    "guardrail.name",
)
GUARDRAIL_TRIGGERED: Final = ("gen_ai.guardrail.triggered", "guardrail.triggered")
GUARDRAIL_RESULT: Final = (
    "gen_ai.guardrail.status",
    "gen_ai.guardrail.result.value",
    "guardrail.status",
    "guardrail.action",
    "guardrail.result",
)
GUARDRAIL_STAGE: Final = ("gen_ai.guardrail.source", "guardrail.stage")

KINDS: Final[dict[str, SpanKind]] = {
    "chat": "llm",
    "generate_content": "llm",
    "text_completion": "llm",
    "completion": "llm",
    "message": "llm",
    "llm": "llm",
    "chat_model": "llm",
    "ai.generatetext.dogenerate": "llm",
    "ai.streamtext.dostream": "llm",
    "ai.generateobject.dogenerate": "llm",
    "ai.streamobject.dostream": "llm",
    "embeddings": "embedding",
    "embedding": "embedding",
    "ai.embed.doembed": "embedding",
    "ai.embedmany.doembed": "embedding",
    "execute_tool": "tool",
    "tool": "tool",
    "ai.toolcall": "tool",
    "retrieval": "retrieval",
    "retriever": "retrieval",
    "search_memory": "retrieval",
    "rerank": "rerank",
    "reranker": "rerank",
    "guardrail": "guardrail",
    "apply_guardrail": "guardrail",
    "evaluator": "eval",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "agent": "agent",
    "agent_step": "chain",
    "invoke_workflow": "chain",
    "workflow": "chain",
    "task": "chain",
    "chain": "chain",
    "prompt": "chain",
    "parser": "chain",
    "memory": "chain",
    "plan": "chain",
    "fetch_response": "chain",
    "ai.generatetext": "chain",
    "ai.streamtext": "chain",
    "ai.generateobject": "chain",
    "ai.streamobject": "chain",
    "ai.embed": "chain",
    "ai.embedmany": "chain",
}

OPERATIONS: Final[dict[SpanKind, str]] = {
    "llm": "chat",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "retrieval": "retrieval",
    "rerank": "rerank",
    "guardrail": "guardrail",
    "agent": "invoke_agent",
    "chain": "chain",
    "eval": "evaluation",
}
"""The operation that a line says, where the span has no word of its own from OpenTelemetry."""

NATIVE_OPERATIONS: Final = frozenset(
    {
        "chat",
        "generate_content",
        "text_completion",
        "embeddings",
        "execute_tool",
        "retrieval",
        "invoke_agent",
        "create_agent",
    }
)
PROVIDER_SUFFIXES: Final = (".chat", ".responses", ".embedding", ".completion", ".messages")
RESOURCE: Final[dict[str, tuple[str, ...]]] = {
    "service": ("service.name",),
    "release": ("service.version", "app.version"),
    "environment": ("deployment.environment.name", "deployment.environment"),
}
