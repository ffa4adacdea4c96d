"""Names that `readiness.toml` may hold; the loader and the JSON Schema both build on them."""

from __future__ import annotations

from typing import Final

from gonogo.conventions import OTHER_UNITS

SETTINGS: Final = ("timezone", "minimum_coverage", "top")
"""Plain values at the top of the file, above the first section."""

GATE_SECTIONS: Final = (
    "gates",
    "evals",
    "judge",
    "traffic",
    "load_test",
    "data_flow",
    "oversight",
    "guardrail",
    "action",
    "observability",
    "alert",
    "use_case",
    "owners",
    "signoff",
    "failure_mode",
    "constraint",
    "tool",
    "retrieval",
    "red_team",
)
"""Sections of evidence, described in config.gates."""

SECTIONS: Final = (
    "slo",
    "prices",
    "cost",
    "burn_rate",
    "fields",
    "logs",
    "compare",
    "exclude",
    "not_applicable",
    "site",
    *GATE_SECTIONS,
)

OBJECTIVE_KEYS: Final = (
    "limit",
    "severity",
    "minimum",
    "window",
    "group_by",
    "slice",
    "slices",
    "owner",
    "runbook",
    "agreed_by",
    "proposed",
    "waiver",
)
BURN_KEYS: Final = ("alert", "budget", "long", "short")
EXCLUDE_KEYS: Final = ("from", "to", "reason", "owner")
SITE_KEYS: Final = ("title", "subtitle", "logo", "accent", "footer", "trace_url", "publish")

PRICES_KEYS: Final = ("prefer", "public_list", "discount", "max_unknown", "model")
PRICE_RATES: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "audio_input",
    "image_input",
    "output",
    "reasoning",
    "audio_output",
    "per_call",
)
PRICE_KEYS: Final = ("model", "provider", "tier", "from", "to", *PRICE_RATES, "discount")
COST_KEYS: Final = (
    "calls_per_day",
    "cheaper_model",
    "cheaper_provider",
    "cheaper_under_tokens",
    "cheaper_operations",
    "stable_prefix_tokens",
    "trim_percentile",
    "offline_operations",
    "batch_discount",
)

RESERVED: Final = ("notify",)
"""Sections that a later version may read; accepting them in silence would promise too much."""

TOP_MAXIMUM: Final = 500
MINIMUM_MAXIMUM: Final = 10**9

KEY_SYNONYMS: Final = {
    "target": "limit",
    "threshold": "limit",
    "objective": "limit",
    "value": "limit",
    "min_sample": "minimum",
    "minimum_sample": "minimum",
    "samples": "minimum",
    "min": "minimum",
    "level": "severity",
    "time_slice": "slice",
    "timeslice": "slice",
    "by": "group_by",
    "per": "group_by",
    "groupby": "group_by",
    "segment": "group_by",
    "waived": "waiver",
    "expiry": "expires",
    "expires_on": "expires",
    "waived_by": "owner",
    "period": "window",
    "budget_window": "window",
    "burn_rates": "burn_rate",
    "burnrate": "burn_rate",
    "long_window": "long",
    "short_window": "short",
    "run_book": "runbook",
    "team": "owner",
    "approved_by": "agreed_by",
    "start": "from",
    "since": "from",
    "end": "to",
    "until": "to",
    "why": "reason",
    "tz": "timezone",
    "zone": "timezone",
    "coverage": "minimum_coverage",
    "top_n": "top",
    "limit": "top",
    "objectives": "slo",
    "slos": "slo",
    "sla": "slo",
    "thresholds": "slo",
    "mapping": "fields",
    "maintenance": "exclude",
    "exclusions": "exclude",
    "colour": "accent",
    "color": "accent",
    "name": "title",
}

_FIELDS: Final = (
    "timestamp",
    "end_time",
    "trace_id",
    "span_id",
    "parent_span_id",
    "session_id",
    "user_id",
    "tenant_id",
    "service",
    "environment",
    "release",
    "prompt_version",
    "operation",
    "provider",
    "request_model",
    "response_model",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_write_input_tokens",
    "reasoning_output_tokens",
    "latency_ms",
    "ttft_ms",
    "stream",
    "status",
    "ok",
    "error_type",
    "finish_reason",
    "retries",
    "cache_hit",
    "cost_usd",
    "output",
    "input_hash",
    "currency",
    "audio_input_tokens",
    "image_input_tokens",
    "audio_output_tokens",
    "cache_write_1h_input_tokens",
    "service_tier",
    "sample_weight",
    "retrieval",
    "retrieval.hit",
    "retrieval.n_chunks",
    "retrieval.chunk_ids",
    "retrieval.scores",
    "retrieval.latency_ms",
    "retrieval.expected_chunk_ids",
    "retrieval.index_version",
    "retrieval.embedding_model",
    "retrieval.status",
    "retrieval.ok",
    "retrieval.error_type",
    "tool_calls",
    "tool_calls.name",
    "tool_calls.status",
    "tool_calls.ok",
    "tool_calls.error_type",
    "tool_calls.timed_out",
    "tool_calls.latency_ms",
    "tool_calls.arguments_valid",
    "tool_calls.fallback",
    "tool_calls.input",
    "tool_calls.output",
    "guardrails",
    "guardrails.name",
    "guardrails.stage",
    "guardrails.triggered",
    "guardrails.action",
    "guardrails.latency_ms",
    "guardrails.bypassed",
    "guardrails.cost_usd",
    "action",
    "evaluations",
)

CANONICAL_FIELDS: Final = (
    *_FIELDS,
    *(
        name.removesuffix("_ms") + unit
        for name in _FIELDS
        if name.endswith("_ms")
        for unit in OTHER_UNITS
    ),
)
"""What [fields] may map; a duration in the unit of its suffix."""
"""What `[fields]` may map: names of the native log line."""

FIELD_SYNONYMS: Final = {
    "model": "request_model",
    "time": "timestamp",
    "ts": "timestamp",
    "start_time": "timestamp",
    "latency": "latency_ms",
    "latency_s": "latency_ms",
    "duration": "latency_ms",
    "duration_ms": "latency_ms",
    "ttft": "ttft_ms",
    "cost": "cost_usd",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "cached_tokens": "cache_read_input_tokens",
    "error": "error_type",
    "user": "user_id",
    "session": "session_id",
    "tenant": "tenant_id",
    "output_text": "output",
    "response": "output",
}

TABLES: Final = ("retrievals", "tool_calls", "guardrail_checks")

REQUIRED_FIELDS: Final = (
    "timestamp",
    "trace_id",
    "session_id",
    "user_id",
    "model",
    "release",
    "prompt_version",
    "input_tokens",
    "output_tokens",
    "latency_ms",
    "ttft_ms",
    "status",
    "output",
    "retrieval.hit",
    "retrieval.chunk_ids",
    "tool_calls.input",
    "tool_calls.status",
    "tool_calls.latency_ms",
    "guardrails.triggered",
)
"""Fields that a production log must have, unless `[not_applicable]` says why not."""

NOT_APPLICABLE_SYNONYMS: Final = {
    **FIELD_SYNONYMS,
    "request_model": "model",
    "response_model": "model",
    "retrieval": "retrievals",
    "rag": "retrievals",
    "tools": "tool_calls",
    "tool": "tool_calls",
    "guardrails": "guardrail_checks",
    "guardrail": "guardrail_checks",
}
