-- The source view `lines` over JSONL files; SET VARIABLE files = ['…/*.jsonl'] comes first.
-- The text is parsed once into a table: its rowid is the order of files and lines.
-- A value of the wrong type reads as NULL (ignore_errors), numbers in strings as numbers.
SET TimeZone = 'UTC';

-- Times come as ISO 8601 (without an offset: UTC) or as epoch seconds, milli-, micro- or nanoseconds.
CREATE OR REPLACE TEMP MACRO epoch_number_us(n) AS CASE
    WHEN n < 1e11 THEN n * 1e6
    WHEN n < 1e14 THEN n * 1e3
    WHEN n < 1e17 THEN n
    ELSE n / 1e3
END;

CREATE OR REPLACE TEMP TABLE parsed AS
SELECT
    coalesce(
        epoch_us(TRY_CAST(timestamp AS TIMESTAMPTZ)),
        epoch_number_us(TRY_CAST(timestamp AS DOUBLE))::BIGINT
    ) AS start_us,
    trace_id, span_id, session_id, user_id,
    service, environment, release, prompt_version, operation, provider, tenant_id,
    coalesce(response_model, request_model, model) AS model,
    input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, reasoning_output_tokens,
    latency_ms, ttft_ms, stream, status, error_type, finish_reason, retries,
    coalesce(cache_hit, cached) AS cache_hit,
    cost_usd, retrieval, tool_calls, guardrails,
    output IS NOT NULL AS has_output,
    action IS NOT NULL OR len(evaluations) > 0 AS has_other_children
FROM read_json(
    getvariable('files'),
    format = 'newline_delimited',
    ignore_errors = true,
    columns = {
        timestamp: 'VARCHAR', trace_id: 'VARCHAR', span_id: 'VARCHAR',
        session_id: 'VARCHAR', user_id: 'VARCHAR', tenant_id: 'VARCHAR',
        service: 'VARCHAR', environment: 'VARCHAR', release: 'VARCHAR', prompt_version: 'VARCHAR',
        operation: 'VARCHAR', provider: 'VARCHAR',
        request_model: 'VARCHAR', response_model: 'VARCHAR', model: 'VARCHAR',
        input_tokens: 'BIGINT', output_tokens: 'BIGINT', cache_read_input_tokens: 'BIGINT',
        cache_write_input_tokens: 'BIGINT', reasoning_output_tokens: 'BIGINT',
        latency_ms: 'DOUBLE', ttft_ms: 'DOUBLE', stream: 'BOOLEAN',
        status: 'VARCHAR', error_type: 'VARCHAR', finish_reason: 'VARCHAR',
        retries: 'BIGINT', cache_hit: 'BOOLEAN', cached: 'BOOLEAN', cost_usd: 'DOUBLE',
        retrieval: 'STRUCT(status VARCHAR, error_type VARCHAR, hit BOOLEAN, chunk_ids VARCHAR[],
            scores DOUBLE[], latency_ms DOUBLE, expected_chunk_ids VARCHAR[], index_version VARCHAR)',
        tool_calls: 'STRUCT(name VARCHAR, status VARCHAR, error_type VARCHAR, latency_ms DOUBLE,
            arguments_valid BOOLEAN, fallback BOOLEAN, input VARCHAR, output VARCHAR)[]',
        guardrails: 'STRUCT(name VARCHAR, stage VARCHAR, triggered BOOLEAN, action VARCHAR,
            bypassed BOOLEAN, latency_ms DOUBLE)[]',
        action: 'JSON', evaluations: 'JSON[]', output: 'VARCHAR'
    }
);

CREATE OR REPLACE TEMP VIEW lines AS SELECT rowid AS row_key, * FROM parsed;
