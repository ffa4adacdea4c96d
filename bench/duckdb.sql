-- All indicators of gonogo, computed independently in DuckDB from the view `lines`
-- (duckdb_read_jsonl.sql or duckdb_read_parquet.sql), exact, with de-duplication.
-- Every rate is left as its two counts. Units are in the names: _us microseconds, _nano 1e-9 USD,
-- _mtps thousandths of a token per second. "_q" is the list [p50, p90, p95, p99], nearest-rank.
-- A NULL `value` of a dimension stands for the rows that do not carry it.
--
--  r_lines                     lines, duplicates, calls, not_calls
--  r_overall                   one row: the columns of r_by_dimension, sessions, users, quantiles
--  r_by_dimension              one row per dimension and value; quantiles NULL for tenant_id
--  r_hour, r_day_dimension     quantiles per hour, and per day, dimension and value
--  r_bins                      calls, errors, latency per 5 minutes
--  r_error_class, r_finish_reason   counts per dimension (overall: 'all') and value
--  r_tenant                    calls, errors, tokens, cost per day and tenant
--  r_guardrails                per (name, stage); r_guardrails_by_dimension: any check
--  r_retrieval                 overall ('all'), per index_version and per dimension
--  r_chunks                    times each chunk was retrieved
--  r_tools                     per tool; r_tools_by_dimension: all tools
--  r_coverage                  per field: rows it applies to, rows that carry it

-- ── meaning of single values ──────────────────────────────────────────────────────────────────

-- over 2^40 µs (13 days) it is no duration of one call, over 1e15 nano-dollars no cost of one
CREATE OR REPLACE TEMP MACRO micros(ms) AS
    CASE WHEN ms >= 0 AND ms * 1000 <= 1099511627776 THEN round_even(ms * 1000, 0)::BIGINT END;

CREATE OR REPLACE TEMP MACRO nanos(usd) AS
    CASE WHEN usd >= 0 AND usd * 1e9 <= 1e15 THEN round_even(usd * 1e9, 0)::BIGINT END;

CREATE OR REPLACE TEMP MACRO counted(n) AS CASE WHEN n >= 0 THEN n END;

-- a whole number of up to six digits, 429 or 429.0; NULL for every other text
CREATE OR REPLACE TEMP MACRO code_of(word) AS
    CASE WHEN regexp_full_match(word, '[+-]?[0-9]{1,6}([.]0*)?') THEN word::DOUBLE::INTEGER END;

-- the first character is looked at before: a regular expression per row costs
CREATE OR REPLACE TEMP MACRO failing_code(word) AS
    CASE WHEN ascii(word) BETWEEN 43 AND 57 THEN coalesce(code_of(word) >= 400, false)
        ELSE false END;

-- true, false, or NULL where neither status nor error type is there; a block is not an error
CREATE OR REPLACE TEMP MACRO is_failure(status, error_type) AS CASE
    WHEN status = 'ok' AND coalesce(error_type, '') = '' THEN false  -- most rows end here
    WHEN lower(trim(status)) IN ('blocked', 'guardrail_blocked', 'content_filter') THEN false
    WHEN error_type <> '' THEN true
    WHEN lower(trim(status)) IN
            ('error', 'failed', 'failure', 'timeout', 'cancelled', 'exception')
        OR failing_code(trim(status)) THEN true
    WHEN trim(status) <> '' THEN false
END;

CREATE OR REPLACE TEMP MACRO class_of_code(code) AS CASE
    WHEN code = 429 THEN 'rate_limit'
    WHEN code IN (408, 504) THEN 'timeout'
    WHEN code IN (401, 403) THEN 'auth'
    WHEN code IN (400, 404, 413, 422) THEN 'invalid_request'
    WHEN code IN (500, 502, 503, 529) THEN 'server_error'
    ELSE 'other'
END;

-- the first that is found decides, so the narrow ones stand first
CREATE OR REPLACE TEMP MACRO class_of_words(words) AS CASE
    WHEN regexp_matches(words, 'rate_?limit|too_many_requests|throttl') THEN 'rate_limit'
    WHEN regexp_matches(words, 'timeout|timed_?out|deadline') THEN 'timeout'
    WHEN regexp_matches(words, 'context_length|too_long') THEN 'context_length'
    WHEN regexp_matches(words, 'unauthori|forbidden|authentication|permission') THEN 'auth'
    WHEN regexp_matches(words, 'overloaded|internal|unavailable|server_error') THEN 'server_error'
    WHEN regexp_matches(words, 'connection|network|dns') THEN 'connection'
    WHEN regexp_matches(words, 'bad_request|invalid') THEN 'invalid_request'
    ELSE 'other'
END;

-- spaces and hyphens are underscores: 'Too many requests' is too_many_requests
CREATE OR REPLACE TEMP MACRO class_of(text) AS CASE
    WHEN code_of(trim(text)) IS NOT NULL THEN class_of_code(code_of(trim(text)))
    ELSE class_of_words(regexp_replace(lower(trim(text)), '[\s-]+', '_', 'g'))
END;

CREATE OR REPLACE TEMP MACRO error_class(status, error_type) AS
    class_of(coalesce(nullif(error_type, ''), status));

-- the usual words are looked at first: the classes' regular expressions on every tool call cost
CREATE OR REPLACE TEMP MACRO says_timeout(text) AS CASE
    WHEN text IS NULL OR text IN ('ok', 'success', 'error') THEN false
    ELSE class_of(text) = 'timeout'
END;

-- a population's standard deviation from exact sums
CREATE OR REPLACE TEMP MACRO sd(n, total, squares) AS CASE
    WHEN n > 0 THEN sqrt(greatest(0, (squares::DOUBLE - total::DOUBLE * total::DOUBLE / n) / n))
END;

-- ── duplicates: of lines with equal trace and span id the first stays ─────────────────────────
-- A 64-bit hash finds the few candidates cheaply; the ids themselves decide.

CREATE OR REPLACE TEMP TABLE suspects AS
SELECT hash(trace_id, span_id) AS id_hash
FROM lines
WHERE trace_id IS NOT NULL AND span_id IS NOT NULL
GROUP BY id_hash
HAVING count(*) > 1;

CREATE OR REPLACE TEMP TABLE dropped AS
SELECT row_key
FROM (
    SELECT row_key, trace_id, span_id
    FROM lines
    WHERE trace_id IS NOT NULL AND span_id IS NOT NULL
        AND hash(trace_id, span_id) IN (FROM suspects)
)
QUALIFY row_number() OVER (PARTITION BY trace_id, span_id ORDER BY row_key) > 1;

CREATE OR REPLACE TEMP VIEW kept AS
SELECT
    * EXCLUDE (latency_ms, ttft_ms, cost_usd),
    lower(trim(operation)) AS op,
    micros(latency_ms) AS latency,
    CASE
        WHEN micros(ttft_ms) > 0 AND stream IS DISTINCT FROM false
            AND (micros(ttft_ms) > micros(latency_ms)) IS DISTINCT FROM true
        THEN micros(ttft_ms)
    END AS first_token,
    nanos(cost_usd) AS cost,
    is_failure(status, error_type) AS failed
FROM lines
ANTI JOIN dropped USING (row_key);

-- ── lines that are not calls: by their operation, or children with nothing of a call ─────────
-- The children are looked at only for the few lines that carry nothing else: decoding them costs.

CREATE OR REPLACE TEMP TABLE bare AS
SELECT row_key, op
FROM kept
WHERE op IN ('retrieval', 'retrieve', 'rerank', 'execute_tool', 'tool', 'guardrail')
    OR (
        model IS NULL AND latency IS NULL AND first_token IS NULL AND cost IS NULL
        AND finish_reason IS NULL AND NOT has_output
        AND counted(input_tokens) IS NULL AND counted(output_tokens) IS NULL
        AND counted(cache_read_input_tokens) IS NULL AND counted(cache_write_input_tokens) IS NULL
        AND counted(reasoning_output_tokens) IS NULL
    );

CREATE OR REPLACE TEMP TABLE not_calls AS
SELECT row_key
FROM bare
WHERE op IN ('retrieval', 'retrieve', 'rerank', 'execute_tool', 'tool', 'guardrail')
UNION
SELECT row_key
FROM lines
SEMI JOIN bare USING (row_key)
WHERE retrieval IS NOT NULL OR len(tool_calls) > 0 OR len(guardrails) > 0 OR has_other_children;

-- ── calls, flat ───────────────────────────────────────────────────────────────────────────────

CREATE TYPE service_t AS ENUM (SELECT DISTINCT service FROM lines WHERE service IS NOT NULL);
CREATE TYPE environment_t AS ENUM
    (SELECT DISTINCT environment FROM lines WHERE environment IS NOT NULL);
CREATE TYPE release_t AS ENUM (SELECT DISTINCT release FROM lines WHERE release IS NOT NULL);
CREATE TYPE prompt_version_t AS ENUM
    (SELECT DISTINCT prompt_version FROM lines WHERE prompt_version IS NOT NULL);
CREATE TYPE operation_t AS ENUM (SELECT DISTINCT operation FROM lines WHERE operation IS NOT NULL);
CREATE TYPE provider_t AS ENUM (SELECT DISTINCT provider FROM lines WHERE provider IS NOT NULL);
CREATE TYPE model_t AS ENUM (SELECT DISTINCT model FROM lines WHERE model IS NOT NULL);
CREATE TYPE tenant_id_t AS ENUM (SELECT DISTINCT tenant_id FROM lines WHERE tenant_id IS NOT NULL);

-- latency_us, latency_ok_us, ttft_us and rate_mtps are NULL outside the population that the
-- indicator is about; all_latency_us is every call's.
CREATE OR REPLACE TEMP TABLE calls AS
SELECT
    (start_us // 300_000_000)::INTEGER AS bin,
    service::service_t AS service, environment::environment_t AS environment,
    release::release_t AS release, prompt_version::prompt_version_t AS prompt_version,
    operation::operation_t AS operation, provider::provider_t AS provider,
    model::model_t AS model, tenant_id::tenant_id_t AS tenant_id,
    session_id, user_id,
    trace_id IS NOT NULL AS has_trace,
    failed,
    CASE WHEN failed THEN error_class(status, error_type) END AS error_class,
    finish_reason, counted(retries) > 0 AS retried, cache_hit,
    cache_hit IS DISTINCT FROM true AND coalesce(op, '') NOT IN ('embeddings', 'embedding')
        AS answers,
    latency AS all_latency_us,
    CASE WHEN answers THEN latency END AS latency_us,
    CASE WHEN answers AND failed IS DISTINCT FROM true THEN latency END AS latency_ok_us,
    CASE WHEN cache_hit IS DISTINCT FROM true THEN first_token END AS ttft_us,
    ttft_us IS NOT NULL
        OR (answers AND stream IS DISTINCT FROM false AND failed IS DISTINCT FROM true)
        AS may_stream,
    CASE
        WHEN latency_ok_us > 0 AND output_tokens > 0
        THEN least(output_tokens * 1_000_000_000 // latency_ok_us, 1_000_000_000_000)
    END AS rate_mtps,
    failed IS DISTINCT FROM true AND coalesce(op, '') NOT IN ('embeddings', 'embedding')
        AND coalesce(lower(trim(status)), '') NOT IN
            ('blocked', 'guardrail_blocked', 'content_filter')
        AS may_answer,
    may_answer AND has_output AS has_output,
    counted(input_tokens) AS input_tokens, counted(output_tokens) AS output_tokens,
    counted(cache_read_input_tokens) AS cache_read_tokens,
    counted(cache_write_input_tokens) AS cache_write_tokens,
    counted(reasoning_output_tokens) AS reasoning_tokens,
    cost AS cost_nano
FROM kept
ANTI JOIN not_calls USING (row_key);

CREATE OR REPLACE TABLE r_lines AS
SELECT
    (SELECT count(*) FROM lines) AS lines,
    (SELECT count(*) FROM dropped) AS duplicates,
    (SELECT count(*) FROM calls) AS calls,
    (SELECT count(*) FROM not_calls) AS not_calls;

-- ── everything that adds up: one pass, then sums of sums ──────────────────────────────────────

CREATE OR REPLACE TEMP TABLE cells AS
SELECT
    service, environment, release, prompt_version, operation, provider, model,
    tenant_id, bin // 288 AS day_number, grouping(service) AS is_tenant,
    finish_reason, error_class,
    min(bin) AS first_bin, max(bin) AS last_bin,
    count(*) AS calls, count(bin) AS timed,
    count(failed) AS outcome_known, count(*) FILTER (failed) AS errors,
    count(finish_reason) AS finished,
    count(retried) AS retries_known, count(*) FILTER (retried) AS retried,
    count(cache_hit) AS cache_known, count(*) FILTER (cache_hit) AS cache_hits,
    count(*) FILTER (answers) AS latency_applicable,
    count(*) FILTER (may_stream) AS ttft_applicable,
    sum(all_latency_us) AS all_latency_us_sum,
    count(COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])) AS '\0_n',
    sum(COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])) AS '\0_sum',
    sum(COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])::HUGEINT
        * COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])) AS '\0_squares',
    min(COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])) AS '\0_min',
    max(COLUMNS(['latency_us', 'latency_ok_us', 'ttft_us', 'rate_mtps'])) AS '\0_max',
    count(COLUMNS('.*_tokens')) AS '\0_n', sum(COLUMNS('.*_tokens')) AS '\0_sum',
    count(cost_nano) AS cost_nano_n, sum(cost_nano) AS cost_nano_sum,
    sum(cost_nano) FILTER (session_id IS NOT NULL) AS session_cost_nano_sum,
    count(*) FILTER (has_trace) AS with_trace_id,
    count(*) FILTER (session_id IS NOT NULL OR user_id IS NOT NULL) AS with_session_or_user,
    count(model) AS with_model,
    count(*) FILTER (release IS NOT NULL OR prompt_version IS NOT NULL) AS with_version,
    count(*) FILTER (may_answer) AS output_applicable,
    count(*) FILTER (has_output) AS with_output,
    count(all_latency_us) AS with_latency
FROM calls
GROUP BY GROUPING SETS (
    (service, environment, release, prompt_version, operation, provider, model,
        finish_reason, error_class),
    (tenant_id, day_number, finish_reason, error_class)
);

-- every cell once for each dimension that it belongs to, and once for 'all'
CREATE OR REPLACE TEMP MACRO places(
    is_tenant, service, environment, release, prompt_version, operation, provider, model, tenant_id
) AS CASE WHEN is_tenant = 1 THEN [{dimension: 'tenant_id', value: tenant_id::VARCHAR}] ELSE [
    {dimension: 'all', value: NULL::VARCHAR},
    {dimension: 'service', value: service::VARCHAR},
    {dimension: 'environment', value: environment::VARCHAR},
    {dimension: 'release', value: release::VARCHAR},
    {dimension: 'prompt_version', value: prompt_version::VARCHAR},
    {dimension: 'operation', value: operation::VARCHAR},
    {dimension: 'provider', value: provider::VARCHAR},
    {dimension: 'model', value: model::VARCHAR}
] END;

CREATE OR REPLACE TEMP TABLE counts AS
SELECT
    place.dimension, place.value,
    min(first_bin) AS first_bin, max(last_bin) AS last_bin,
    min(COLUMNS('.*_min')), max(COLUMNS('.*_max')), sum(COLUMNS('.*_squares')),
    sum(COLUMNS(lambda c: NOT regexp_matches(
        c, '^(place|first_bin|last_bin|.*_(min|max|squares))$')))::BIGINT
FROM (
    SELECT
        unnest(places(is_tenant, service, environment, release, prompt_version, operation,
            provider, model, tenant_id)) AS place,
        COLUMNS(* EXCLUDE (service, environment, release, prompt_version, operation, provider,
            model, tenant_id, is_tenant, day_number, finish_reason, error_class))
    FROM cells
)
GROUP BY ALL;

-- ── quantiles: exact, per value of a dimension, with and without the day ──────────────────────
-- One statement per dimension: the values of one grouping fit in memory, those of all do not.

CREATE OR REPLACE TEMP MACRO q(x) AS quantile_disc(x, [0.5, 0.9, 0.95, 0.99]);

CREATE OR REPLACE TEMP MACRO quantiles_by(name, by_column) AS TABLE
SELECT
    name AS dimension, by_column::VARCHAR AS value, bin // 288 AS day_number,
    grouping(bin // 288) = 0 AS per_day,
    count(latency_us) AS latency_us_n, q(latency_us) AS latency_us_q,
    count(latency_ok_us) AS latency_ok_us_n, q(latency_ok_us) AS latency_ok_us_q,
    count(ttft_us) AS ttft_us_n, q(ttft_us) AS ttft_us_q,
    count(rate_mtps) AS rate_mtps_n, q(rate_mtps) AS rate_mtps_q
FROM calls
GROUP BY GROUPING SETS ((by_column), (by_column, bin // 288));

CREATE OR REPLACE TEMP TABLE quantiles AS FROM quantiles_by('service', service);
INSERT INTO quantiles FROM quantiles_by('environment', environment);
INSERT INTO quantiles FROM quantiles_by('release', release);
INSERT INTO quantiles FROM quantiles_by('prompt_version', prompt_version);
INSERT INTO quantiles FROM quantiles_by('operation', operation);
INSERT INTO quantiles FROM quantiles_by('provider', provider);
INSERT INTO quantiles FROM quantiles_by('model', model);

CREATE OR REPLACE TEMP TABLE hours AS
SELECT
    bin // 12 AS hour_number, grouping(bin // 12) = 0 AS per_hour,
    count(latency_us) AS latency_us_n, q(latency_us) AS latency_us_q,
    count(latency_ok_us) AS latency_ok_us_n, q(latency_ok_us) AS latency_ok_us_q,
    count(ttft_us) AS ttft_us_n, q(ttft_us) AS ttft_us_q,
    count(rate_mtps) AS rate_mtps_n, q(rate_mtps) AS rate_mtps_q
FROM calls
GROUP BY GROUPING SETS ((), (bin // 12));

CREATE OR REPLACE TABLE r_hour AS
SELECT make_timestamp(hour_number::BIGINT * 3_600_000_000) AS hour,
    * EXCLUDE (hour_number, per_hour)
FROM hours
WHERE per_hour AND hour_number IS NOT NULL;

CREATE OR REPLACE TABLE r_day_dimension AS
SELECT make_timestamp(day_number::BIGINT * 86_400_000_000)::DATE AS day,
    * EXCLUDE (day_number, per_day)
FROM quantiles
WHERE per_day AND day_number IS NOT NULL;

-- ── calls overall and by dimension ────────────────────────────────────────────────────────────

CREATE OR REPLACE TEMP VIEW counts_sd AS
SELECT
    * EXCLUDE (latency_us_squares, latency_ok_us_squares, ttft_us_squares, rate_mtps_squares),
    sd(latency_us_n, latency_us_sum, latency_us_squares) AS latency_us_sd,
    sd(latency_ok_us_n, latency_ok_us_sum, latency_ok_us_squares) AS latency_ok_us_sd,
    sd(ttft_us_n, ttft_us_sum, ttft_us_squares) AS ttft_us_sd,
    sd(rate_mtps_n, rate_mtps_sum, rate_mtps_squares) AS rate_mtps_sd
FROM counts;

CREATE OR REPLACE TABLE r_by_dimension AS
SELECT c.*, latency_us_q, latency_ok_us_q, ttft_us_q, rate_mtps_q
FROM counts_sd AS c
LEFT JOIN quantiles AS x
    ON c.dimension = x.dimension AND c.value IS NOT DISTINCT FROM x.value AND NOT x.per_day
WHERE c.dimension <> 'all';

CREATE OR REPLACE TABLE r_overall AS
SELECT
    c.* EXCLUDE (dimension, value),
    (last_bin - first_bin + 1) * 5 AS minutes,
    (SELECT count(DISTINCT session_id) FROM calls) AS sessions,
    (SELECT count(DISTINCT user_id) FROM calls) AS users,
    latency_us_q, latency_ok_us_q, ttft_us_q, rate_mtps_q
FROM counts_sd AS c, hours AS h
WHERE c.dimension = 'all' AND NOT h.per_hour;

CREATE OR REPLACE TABLE r_bins AS
SELECT
    make_timestamp(bin::BIGINT * 300_000_000) AS bin_start,
    count(*) AS calls, count(*) FILTER (failed) AS errors,
    count(latency_us) AS latency_us_n, sum(latency_us)::BIGINT AS latency_us_sum
FROM calls
WHERE bin IS NOT NULL
GROUP BY bin;

CREATE OR REPLACE TEMP TABLE words AS
SELECT place.dimension, place.value, finish_reason, error_class, sum(calls)::BIGINT AS calls
FROM (
    SELECT
        unnest(places(is_tenant, service, environment, release, prompt_version, operation,
            provider, model, tenant_id)) AS place,
        finish_reason, error_class, calls
    FROM cells
)
GROUP BY ALL;

CREATE OR REPLACE TABLE r_error_class AS
SELECT dimension, value, error_class, sum(calls)::BIGINT AS calls
FROM words
WHERE error_class IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TABLE r_finish_reason AS
SELECT dimension, value, finish_reason, sum(calls)::BIGINT AS calls
FROM words
WHERE finish_reason IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE TABLE r_tenant AS
SELECT
    make_timestamp(day_number::BIGINT * 86_400_000_000)::DATE AS day,
    tenant_id::VARCHAR AS tenant_id,
    sum(COLUMNS(['calls', 'outcome_known', 'errors', 'latency_us_n', 'latency_us_sum',
        'input_tokens_sum', 'output_tokens_sum', 'cost_nano_n', 'cost_nano_sum']))::BIGINT
FROM cells
WHERE is_tenant = 1
GROUP BY day_number, tenant_id;

-- ── guardrails ────────────────────────────────────────────────────────────────────────────────
-- A rate counts lines, not checks, and a check may run twice on a line. Lines have few different
-- patterns of checks, so the patterns are grouped by hash, and one line of each is taken apart.

CREATE OR REPLACE TEMP TABLE check_cells AS
SELECT
    service, environment, release, prompt_version, operation, provider, model, tenant_id,
    grouping(service) AS is_tenant,
    row_key IN (FROM not_calls) AS other_line,
    hash(list_transform(guardrails, lambda g:
        {name: g.name, stage: g.stage, triggered: g.triggered, action: g.action,
            bypassed: g.bypassed, there: g IS NOT NULL})) AS pattern,
    any_value(guardrails) AS checks,
    count(*) AS n
FROM kept
WHERE len(guardrails) > 0
GROUP BY GROUPING SETS (
    (service, environment, release, prompt_version, operation, provider, model,
        other_line, pattern),
    (tenant_id, other_line, pattern)
);

CREATE OR REPLACE TEMP TABLE patterns AS
SELECT pattern, other_line, any_value(checks) AS checks, sum(n)::BIGINT AS n
FROM check_cells
WHERE is_tenant = 0
GROUP BY pattern, other_line;

CREATE OR REPLACE TEMP TABLE pattern_checks AS
SELECT
    pattern, nullif(c.name, '') AS name, nullif(c.stage, '') AS stage, count(*) AS checks,
    count(c.triggered) > 0 AS flagged,
    coalesce(bool_or(c.triggered), false) AS triggered,
    coalesce(bool_or(lower(trim(c.action)) IN ('block', 'blocked', 'deny', 'reject')), false)
        AS blocked,
    coalesce(bool_or(c.bypassed), false) AS bypassed
FROM (SELECT pattern, unnest(any_value(checks)) AS c FROM patterns GROUP BY pattern)
WHERE c IS NOT NULL
GROUP BY pattern, nullif(c.name, ''), nullif(c.stage, '');

CREATE OR REPLACE TEMP TABLE check_latency AS
SELECT nullif(c.name, '') AS name, nullif(c.stage, '') AS stage, count(us) AS latency_us_n,
    sum(us)::BIGINT AS latency_us_sum, q(us) AS latency_us_q
FROM (
    SELECT c, micros(c.latency_ms) AS us
    FROM (SELECT unnest(guardrails) AS c FROM kept)
    WHERE c IS NOT NULL
)
GROUP BY ALL;

-- ran, triggered, …: lines on which a check of that name and stage ran, was triggered, …
CREATE OR REPLACE TABLE r_guardrails AS
SELECT
    c.name, c.stage,
    sum(c.checks * n)::BIGINT AS checks, sum(n)::BIGINT AS ran,
    coalesce(sum(n) FILTER (NOT other_line), 0)::BIGINT AS ran_on_calls,
    coalesce(sum(n) FILTER (flagged), 0)::BIGINT AS flagged,
    coalesce(sum(n) FILTER (triggered), 0)::BIGINT AS triggered,
    coalesce(sum(n) FILTER (blocked), 0)::BIGINT AS blocked,
    coalesce(sum(n) FILTER (bypassed), 0)::BIGINT AS bypassed,
    any_value(latency_us_n) AS latency_us_n, any_value(latency_us_sum) AS latency_us_sum,
    any_value(latency_us_q) AS latency_us_q
FROM pattern_checks AS c
JOIN patterns USING (pattern)
JOIN check_latency AS l
    ON c.name IS NOT DISTINCT FROM l.name AND c.stage IS NOT DISTINCT FROM l.stage
GROUP BY ALL;

CREATE OR REPLACE TABLE r_guardrails_by_dimension AS
WITH lines_with AS (
    SELECT pattern, sum(checks) AS checks, bool_or(flagged) AS flagged,
        bool_or(triggered) AS triggered, bool_or(blocked) AS blocked,
        bool_or(bypassed) AS bypassed
    FROM pattern_checks
    GROUP BY pattern
), placed AS (
    SELECT
        unnest(places(is_tenant, service, environment, release, prompt_version, operation,
            provider, model, tenant_id)) AS place,
        other_line, pattern, n
    FROM check_cells
)
SELECT
    place.dimension, place.value,
    sum(checks * n)::BIGINT AS checks, sum(n)::BIGINT AS ran,
    coalesce(sum(n) FILTER (NOT other_line), 0)::BIGINT AS ran_on_calls,
    coalesce(sum(n) FILTER (flagged), 0)::BIGINT AS flagged,
    coalesce(sum(n) FILTER (NOT other_line AND flagged), 0)::BIGINT AS flagged_calls,
    coalesce(sum(n) FILTER (triggered), 0)::BIGINT AS triggered,
    coalesce(sum(n) FILTER (blocked), 0)::BIGINT AS blocked,
    coalesce(sum(n) FILTER (bypassed), 0)::BIGINT AS bypassed
FROM placed
JOIN lines_with USING (pattern)
GROUP BY place.dimension, place.value;

-- ── retrieval ─────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE TEMP TABLE retrieval_cells AS
SELECT
    service, environment, release, prompt_version, operation, provider, model, tenant_id,
    grouping(service) AS is_tenant, index_version,
    count(*) AS retrievals,
    count(*) FILTER (broken) AS failed,
    count(hit) AS hit_known, count(*) FILTER (hit) AS hits,
    count(*) FILTER (broken OR wanted IS NOT NULL OR logged_hit IS NOT NULL) AS hit_logged,
    count(n_chunks) AS chunks_known, sum(n_chunks) AS chunks,
    count(*) FILTER (n_chunks = 0 AND NOT broken) AS empty,
    count(top_score_micro) AS top_score_micro_n, sum(top_score_micro) AS top_score_micro_sum,
    sum(found) AS expected_found, sum(wanted) AS expected,
    count(latency_us) AS latency_us_n, sum(latency_us) AS latency_us_sum
FROM (
    SELECT
        * EXCLUDE (latency),
        nullif(retrieval.index_version, '') AS index_version,
        retrieval.hit AS logged_hit,
        len(retrieval.chunk_ids) AS n_chunks,
        coalesce(is_failure(retrieval.status, retrieval.error_type), false)
            OR (other_line AND coalesce(failed, false)) AS broken,
        CASE WHEN len(retrieval.expected_chunk_ids) > 0 AND retrieval.chunk_ids IS NOT NULL
            THEN nullif(len(list_distinct(retrieval.expected_chunk_ids)), 0) END AS wanted,
        CASE WHEN wanted IS NOT NULL
            THEN len(list_intersect(retrieval.expected_chunk_ids, retrieval.chunk_ids)) END AS found,
        CASE WHEN broken THEN false ELSE coalesce(found > 0, retrieval.hit, n_chunks >= 1) END
            AS hit,
        round_even(list_max(retrieval.scores) * 1e6, 0)::BIGINT AS top_score_micro,
        coalesce(
            micros(retrieval.latency_ms),
            CASE WHEN op IN ('retrieval', 'retrieve', 'rerank') THEN latency END
        ) AS latency_us
    FROM (SELECT *, row_key IN (FROM not_calls) AS other_line FROM kept)
    WHERE retrieval IS NOT NULL
)
GROUP BY GROUPING SETS (
    (service, environment, release, prompt_version, operation, provider, model, index_version),
    (tenant_id)
);

CREATE OR REPLACE TABLE r_retrieval AS
SELECT
    place.dimension, place.value,
    sum(COLUMNS(* EXCLUDE (place)))::BIGINT
FROM (
    SELECT
        unnest(places(is_tenant, service, environment, release, prompt_version, operation,
            provider, model, tenant_id)
            || CASE WHEN is_tenant = 0
                THEN [{dimension: 'index_version', value: index_version}] ELSE [] END) AS place,
        COLUMNS(* EXCLUDE (service, environment, release, prompt_version, operation, provider,
            model, tenant_id, is_tenant, index_version))
    FROM retrieval_cells
)
GROUP BY place.dimension, place.value;

CREATE OR REPLACE TABLE r_chunks AS
SELECT chunk_id, count(*) AS retrieved
FROM (SELECT unnest(retrieval.chunk_ids) AS chunk_id FROM kept)
WHERE chunk_id <> ''
GROUP BY chunk_id;

-- ── tools ─────────────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE TEMP TABLE tool_cells AS
SELECT
    service, environment, release, prompt_version, operation, provider, model, tenant_id, tool,
    grouping(service) AS is_tenant, grouping(service, tenant_id) = 3 AS is_tool,
    count(*) AS tool_calls,
    count(failed) AS outcome_known, count(*) FILTER (failed) AS errors,
    count(*) FILTER (timed_out) AS timeouts,
    count(arguments_valid) AS arguments_known,
    count(*) FILTER (NOT arguments_valid) AS arguments_invalid,
    count(fallback) AS fallback_known, count(*) FILTER (fallback) AS fallbacks,
    count(*) FILTER (has_input) AS with_input, count(*) FILTER (has_output) AS with_output,
    count(latency_us) AS latency_us_n, sum(latency_us) AS latency_us_sum,
    min(latency_us) AS latency_us_min, max(latency_us) AS latency_us_max,
    q(latency_us) AS latency_us_q
FROM (
    SELECT
        * EXCLUDE (t),
        nullif(t.name, '') AS tool,
        says_timeout(t.status) OR says_timeout(t.error_type) AS timed_out,
        CASE WHEN timed_out THEN true ELSE is_failure(t.status, t.error_type) END AS failed,
        t.arguments_valid, t.fallback,
        coalesce(t.input <> '', false) AS has_input,
        coalesce(t.output <> '', false) AS has_output,
        micros(t.latency_ms) AS latency_us
    FROM (
        SELECT service, environment, release, prompt_version, operation, provider, model,
            tenant_id, unnest(tool_calls) AS t
        FROM kept
    )
    WHERE t IS NOT NULL
)
GROUP BY GROUPING SETS (
    (service, environment, release, prompt_version, operation, provider, model),
    (tenant_id),
    (tool)
);

CREATE OR REPLACE TABLE r_tools_by_dimension AS
SELECT
    place.dimension, place.value,
    min(latency_us_min) AS latency_us_min, max(latency_us_max) AS latency_us_max,
    sum(COLUMNS(* EXCLUDE (place, latency_us_min, latency_us_max)))::BIGINT
FROM (
    SELECT
        unnest(places(is_tenant, service, environment, release, prompt_version, operation,
            provider, model, tenant_id)) AS place,
        COLUMNS(* EXCLUDE (service, environment, release, prompt_version, operation, provider,
            model, tenant_id, is_tenant, tool, is_tool, latency_us_q))
    FROM tool_cells
    WHERE NOT is_tool
)
GROUP BY place.dimension, place.value;

CREATE OR REPLACE TABLE r_tools AS
SELECT
    tool,
    COLUMNS(* EXCLUDE (service, environment, release, prompt_version, operation, provider, model,
        tenant_id, tool, is_tenant, is_tool, latency_us_sum)),
    latency_us_sum::BIGINT AS latency_us_sum
FROM tool_cells
WHERE is_tool;

-- ── field coverage ────────────────────────────────────────────────────────────────────────────

CREATE OR REPLACE TABLE r_coverage AS
WITH totals AS (FROM r_overall),
guards AS (SELECT sum(flagged_calls) AS n FROM r_guardrails_by_dimension WHERE dimension = 'all'),
retrieval AS (FROM r_retrieval WHERE dimension = 'all'),
tool AS (FROM r_tools_by_dimension WHERE dimension = 'all')
SELECT unnest([
    {field: 'timestamp', applicable: calls, present: timed},
    {field: 'trace_id', applicable: calls, present: with_trace_id},
    {field: 'session_or_user_id', applicable: calls, present: with_session_or_user},
    {field: 'model', applicable: calls, present: with_model},
    {field: 'release_or_prompt_version', applicable: calls, present: with_version},
    {field: 'input_tokens', applicable: calls, present: input_tokens_n},
    {field: 'output_tokens', applicable: calls, present: output_tokens_n},
    {field: 'latency', applicable: latency_applicable, present: latency_us_n},
    {field: 'ttft', applicable: ttft_applicable, present: ttft_us_n},
    {field: 'cost', applicable: calls, present: cost_nano_n},
    {field: 'outcome', applicable: calls, present: outcome_known},
    {field: 'output', applicable: output_applicable, present: with_output},
    {field: 'guardrail_triggered', applicable: calls,
        present: coalesce((SELECT n FROM guards), 0)::BIGINT}
], recursive := true)
FROM totals
UNION ALL
SELECT unnest([
    {field: 'retrieval_hit', applicable: retrievals, present: hit_logged},
    {field: 'retrieval_chunk_ids', applicable: retrievals, present: chunks_known}
], recursive := true)
FROM retrieval
UNION ALL
SELECT unnest([
    {field: 'tool_input', applicable: tool_calls, present: with_input},
    {field: 'tool_output', applicable: tool_calls, present: with_output},
    {field: 'tool_outcome', applicable: tool_calls, present: outcome_known},
    {field: 'tool_latency', applicable: tool_calls, present: latency_us_n}
], recursive := true)
FROM tool;
