-- The source view `lines` over JSONL files; SET VARIABLE files = ['…/*.jsonl'] comes first.
-- The text is parsed once into a table: its rowid is the order of files and lines.
-- An empty text is a missing one. A value of the wrong type reads as NULL (ignore_errors), numbers
-- in strings as numbers; a line that is no JSON object becomes a row of NULLs, and rows without any
-- field are left out.
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
    nullif(trace_id, '') AS trace_id, nullif(span_id, '') AS span_id,
    nullif(session_id, '') AS session_id, nullif(user_id, '') AS user_id,
    nullif(service, '') AS service, nullif(environment, '') AS environment,
    nullif(release, '') AS release, nullif(prompt_version, '') AS prompt_version,
    nullif(operation, '') AS operation, nullif(provider, '') AS provider,
    nullif(tenant_id, '') AS tenant_id,
    coalesce(nullif(response_model, ''), nullif(request_model, ''), nullif(model, '')) AS model,
    input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, reasoning_output_tokens,
    latency_ms, ttft_ms, stream, status, error_type,
    nullif(finish_reason, '') AS finish_reason, retries,
    coalesce(cache_hit, cached) AS cache_hit,
    cost_usd, retrieval, tool_calls, guardrails,
    coalesce(output <> '', false) AS has_output,
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
)
WHERE trace_id IS NOT NULL OR timestamp IS NOT NULL OR span_id IS NOT NULL
    OR session_id IS NOT NULL OR user_id IS NOT NULL OR tenant_id IS NOT NULL
    OR service IS NOT NULL OR environment IS NOT NULL OR release IS NOT NULL
    OR prompt_version IS NOT NULL OR operation IS NOT NULL OR provider IS NOT NULL
    OR request_model IS NOT NULL OR response_model IS NOT NULL OR model IS NOT NULL
    OR input_tokens IS NOT NULL OR output_tokens IS NOT NULL
    OR cache_read_input_tokens IS NOT NULL OR cache_write_input_tokens IS NOT NULL
    OR reasoning_output_tokens IS NOT NULL OR latency_ms IS NOT NULL OR ttft_ms IS NOT NULL
    OR stream IS NOT NULL OR status IS NOT NULL OR error_type IS NOT NULL
    OR finish_reason IS NOT NULL OR retries IS NOT NULL OR cache_hit IS NOT NULL
    OR cached IS NOT NULL OR cost_usd IS NOT NULL OR retrieval IS NOT NULL
    OR tool_calls IS NOT NULL OR guardrails IS NOT NULL OR action IS NOT NULL
    OR evaluations IS NOT NULL OR output IS NOT NULL;

CREATE OR REPLACE TEMP VIEW lines AS SELECT rowid AS row_key, * FROM parsed;
