-- The source view `lines` over Parquet files; SET VARIABLE files = ['…/*.parquet'] comes first.
-- row_key orders rows by file and row; columns that are not used are never read.
-- An empty text is a missing one.
SET TimeZone = 'UTC';
CREATE OR REPLACE TEMP VIEW lines AS
SELECT
    (file_index::BIGINT << 40) | file_row_number AS row_key,
    epoch_us(timestamp) AS start_us,
    nullif(trace_id, '') AS trace_id, nullif(span_id, '') AS span_id,
    nullif(session_id, '') AS session_id, nullif(user_id, '') AS user_id,
    nullif(service, '') AS service, nullif(environment, '') AS environment,
    nullif(release, '') AS release, nullif(prompt_version, '') AS prompt_version,
    nullif(operation, '') AS operation, nullif(provider, '') AS provider,
    nullif(tenant_id, '') AS tenant_id,
    coalesce(nullif(response_model, ''), nullif(request_model, '')) AS model,
    input_tokens, output_tokens,
    cache_read_input_tokens, cache_write_input_tokens, reasoning_output_tokens,
    latency_ms, ttft_ms, stream, status, error_type,
    nullif(finish_reason, '') AS finish_reason, retries, cache_hit, cost_usd,
    retrieval, tool_calls, guardrails,
    coalesce(output <> '', false) AS has_output,
    action IS NOT NULL OR len(evaluations) > 0 AS has_other_children
FROM read_parquet(getvariable('files'), file_row_number = true);
