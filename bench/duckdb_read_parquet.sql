-- The source view `lines` over Parquet files; SET VARIABLE files = ['…/*.parquet'] comes first.
-- row_key orders rows by file and row; columns that are not used are never read.
SET TimeZone = 'UTC';
CREATE OR REPLACE TEMP VIEW lines AS
SELECT
    (file_index::BIGINT << 40) | file_row_number AS row_key,
    epoch_us(timestamp) AS start_us,
    trace_id, span_id, session_id, user_id,
    service, environment, release, prompt_version, operation, provider, tenant_id,
    coalesce(response_model, request_model) AS model,
    input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, reasoning_output_tokens,
    latency_ms, ttft_ms, stream, status, error_type, finish_reason, retries, cache_hit, cost_usd,
    retrieval, tool_calls, guardrails,
    output IS NOT NULL AS has_output,
    action IS NOT NULL OR len(evaluations) > 0 AS has_other_children
FROM read_parquet(getvariable('files'), file_row_number = true);
