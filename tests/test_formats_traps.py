"""The traps of log formats, T1 to T16 of the design, each with a test of its own."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import reading
from foreign_logs import (
    START,
    TRACE,
    any_value,
    bedrock,
    calls_of,
    chat,
    litellm,
    observation,
    otlp,
    read_records,
    run,
    span,
)  # fmt: skip
from gonogo.cli import main
from gonogo.records import TIERS
from reading import Read, Row

YES, NO, UNKNOWN = 1, 0, 2


def one(found: Read) -> Row:
    (row,) = calls_of(found)
    return row


def tokens(found: Read) -> list[tuple[int, int]]:
    return [(row["input_tokens"], row["output_tokens"]) for row in calls_of(found)]


USAGE = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10}


def test_t1_usage_of_a_tree_is_counted_once(tmp_path: Path) -> None:
    # An agent repeats its two calls; the second one is wrapped, with a step between the two.
    found = read_records(
        tmp_path / "a.jsonl",
        otlp(
            span(1, **{"gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m",
                       "gen_ai.usage.input_tokens": 250,
                       "gen_ai.aggregated_usage.input_tokens": 250}),
            chat(2, 1, **USAGE),
            chat(3, 1, **{"gen_ai.usage.input_tokens": 140}),
            span(4, 3, **{"gen_ai.operation.name": "invoke_workflow"}),
            chat(5, 4, **{"gen_ai.usage.input_tokens": 150, "gen_ai.usage.output_tokens": 7}),
        ),
    )  # fmt: skip
    assert tokens(found) == [(100, 10), (150, 7)]
    assert found.logs.folded() == 1


def test_t1_a_call_whose_usage_only_its_wrapper_knows_is_one_call(tmp_path: Path) -> None:
    found = read_records(tmp_path / "a.jsonl", otlp(chat(1, **USAGE), chat(2, 1)))
    assert tokens(found) == [(100, 10)]
    assert found.logs.folded() == 1


def test_t1_roll_ups_of_chains_and_agents_are_no_calls(tmp_path: Path) -> None:
    chain = run("root", run_type="chain", prompt_tokens=624, total_cost=0.001572)
    tool = run("t", "root", run_type="tool", name="search")
    assert calls_of(read_records(tmp_path / "s.jsonl", chain, tool)) == []
    agent = observation("a", type="AGENT", usageDetails={"input": 5}, totalCost=1)
    assert calls_of(read_records(tmp_path / "l.jsonl", agent)) == []


def test_t2_input_includes_the_cache_whatever_the_source_says(tmp_path: Path) -> None:
    details = {
        "input": 100,
        "input_cached_tokens": 900,
        "output": 20,
        "output_reasoning_tokens": 30,
    }
    langfuse = one(read_records(tmp_path / "l.jsonl", observation("o", usageDetails=details)))
    assert (langfuse["input_tokens"], langfuse["cache_read_tokens"]) == (1000, 900)
    assert (langfuse["output_tokens"], langfuse["reasoning_tokens"]) == (50, 30)
    given = {
        "inputTokenCount": 100,
        "cacheReadInputTokenCount": 900,
        "cacheWriteInputTokenCount": 50,
    }
    aws = one(read_records(tmp_path / "b.jsonl", bedrock(input=given)))
    assert (aws["input_tokens"], aws["cache_read_tokens"], aws["cache_write_tokens"]) == (
        1050,
        900,
        50,
    )
    cached = {**USAGE, "gen_ai.usage.cache_read.input_tokens": 90}
    otel = one(read_records(tmp_path / "o.jsonl", otlp(chat(1, **cached))))
    assert (otel["input_tokens"], otel["cache_read_tokens"]) == (100, 90)


def test_t3_one_failure_is_one_error_of_its_own_class(tmp_path: Path) -> None:
    raised = {
        "name": "exception", "timeUnixNano": str(START),
        "attributes": [{"key": "exception.type", "value": any_value("openai.RateLimitError")}],
    }  # fmt: skip
    inner = chat(3, 2, failed=True, events=[raised])
    plain = chat(9, None, failed=True, trace="f" * 32, **{"http.response.status_code": 429})
    found = read_records(
        tmp_path / "a.jsonl",
        otlp(span(1, failed=True), chat(2, 1, failed=True, events=[raised]), inner, plain),
    )
    failed = [row for row in calls_of(found) if row["failed"] == YES]
    assert len(failed) == len(calls_of(found)) == 2
    assert failed[0]["error_class"] == failed[1]["error_class"]


def test_t3_a_retry_that_failed_below_a_success_is_an_error(tmp_path: Path) -> None:
    found = read_records(
        tmp_path / "a.jsonl", otlp(chat(1), chat(2, 1, failed=True), chat(3, 1, **USAGE))
    )
    assert [row["failed"] for row in calls_of(found)] == [YES, NO]


def test_t4_a_block_is_no_error_and_a_mask_is_a_trigger(tmp_path: Path) -> None:
    check: dict[str, Any] = {"guardrail_name": "pii", "guardrail_mode": "pre_call"}
    found = read_records(
        tmp_path / "l.jsonl",
        litellm(0, status="failure", error_information={"error_code": "400"},
                guardrail_information=[{**check, "guardrail_status": "guardrail_intervened"}]),
        litellm(1, guardrail_information=[
            {**check, "guardrail_status": "success", "masked_entity_count": {"email": 2}}]),
        litellm(2, guardrail_information=[{**check, "guardrail_status": "success"}]),
        litellm(3, status="failure", error_information={"error_code": "400"},
                guardrail_information=[{**check, "guardrail_status": "success"}]),
    )  # fmt: skip
    rows = calls_of(found)
    assert [row["failed"] for row in rows] == [NO, NO, NO, YES]
    assert [row["is_blocked"] for row in rows] == [True, False, False, False]
    assert [row["guardrails"][0]["triggered"] for row in rows] == [YES, YES, NO, NO]
    body = json.dumps({"error": {"code": "content_filter"}})
    azure = one(read_records(tmp_path / "z.jsonl", {
        "category": "GatewayLogs", "correlationId": "c", "durationMs": 90, "resultSignature": "400",
        "time": "2026-11-16T09:00:00Z", "properties": {"backendResponseBody": body},
    }))  # fmt: skip
    assert (azure["failed"], azure["is_blocked"]) == (NO, True)
    assert azure["guardrails"][0]["blocked"]
    converse = {
        "outputBodyJson": {"stopReason": "guardrail_intervened", "metrics": {"latencyMs": 9}}
    }
    aws = one(read_records(tmp_path / "b.jsonl", bedrock(operation="Converse", output=converse)))
    assert (aws["failed"], aws["is_blocked"], aws["duration_us"]) == (NO, True, 9_000)


def test_t5_every_unit_ends_as_microseconds(tmp_path: Path) -> None:
    ticks = {"requestTime": 638_515_262_815_394_150, "responseTime": 638_515_262_825_394_150}
    shapes: list[tuple[Any, int]] = [
        (otlp(chat(1, ms=250)), 250_000),
        (litellm(), 500_000),
        (observation("o"), 1_500_000),
        ({"delay_ms": 40, "request_created_at": "2026-11-16T09:00:00Z", "request_id": "r",
          "request_model": "m"}, 40_000),
        ({"tokens_in": 1, "duration": 70, "model_type": "llm", "created_at": "2026-11-16"}, 70_000),
        ({"category": "RequestResponse", "durationMs": 5, "properties": json.dumps(ticks)},
         1_000_000),
        ({"name": "chat", "startTime": [START // 10**9, 0], "endTime": [START // 10**9, 30_000_000],
          "attributes": {"gen_ai.operation.name": "chat"}, "spanContext": {"traceId": TRACE}},
         30_000),
        (run("a"), 2_000_000),
    ]  # fmt: skip
    for number, (record, duration) in enumerate(shapes):
        row = one(read_records(tmp_path / f"{number}.jsonl", record))
        assert row["duration_us"] == duration, record
    seconds = one(read_records(
        tmp_path / "ttft.jsonl", otlp(chat(1, **{"gen_ai.response.time_to_first_chunk": 0.05}))
    ))  # fmt: skip
    millis = one(read_records(
        tmp_path / "ms.jsonl", otlp(chat(1, **{"ai.response.msToFirstChunk": 50.0}))
    ))  # fmt: skip
    assert seconds["ttft_us"] == millis["ttft_us"] == 50_000


def test_t6_only_streams_have_a_first_token(tmp_path: Path) -> None:
    start = START / 1e9
    plain, stream = calls_of(read_records(
        tmp_path / "l.jsonl",
        litellm(0),
        litellm(1, stream=True, completionStartTime=start + 1.2, response_time=0.2),
    ))  # fmt: skip
    assert (plain["ttft_us"], plain["streamed"]) == (-1, NO)
    assert (round(stream["ttft_us"], -2), stream["streamed"]) == (200_000, YES)
    root = run("root", run_type="chain", first_token_time="2026-11-16T09:00:01", total_tokens=9)
    inner = run("a", "root", first_token_time="2026-11-16T09:00:01.5")
    assert one(read_records(tmp_path / "s.jsonl", root, inner))["ttft_us"] == 1_500_000


def test_t7_missing_latency_is_missing_and_negative_too(tmp_path: Path) -> None:
    aws = read_records(tmp_path / "b.jsonl", bedrock())
    assert one(aws)["duration_us"] == -1
    (note,) = [p for p in aws.logs.trouble.problems() if p.code == "I030"]
    assert "no latency for InvokeModel" in note.what
    azure = read_records(tmp_path / "z.jsonl", {"category": "RequestResponse", "durationMs": -1021})
    assert one(azure)["duration_us"] == -1
    assert "I016" in azure.codes


def test_t8_a_gateways_cache_hit_is_apart(tmp_path: Path) -> None:
    hit = {"cache_hit": True, "response_cost": 0.0, "cost_breakdown": {"total_cost": 0.5}}
    slp = one(read_records(tmp_path / "l.jsonl", litellm(**hit)))
    assert (slp["cache_hit"], slp["cost_nano_usd"], slp["input_tokens"]) == (YES, 0, 10)
    spend = {"request_id": "r", "spend": 0.0, "api_key": "k", "startTime": "2026-11-16 09:00:00.5",
             "endTime": "2026-11-16 09:00:01", "model": "m"}  # fmt: skip
    texts = read_records(
        tmp_path / "s.jsonl",
        spend | {"cache_hit": "True"},
        spend | {"cache_hit": "None", "request_id": "r2"},
    )
    assert [row["cache_hit"] for row in calls_of(texts)] == [YES, UNKNOWN]
    assert [row["duration_us"] for row in calls_of(texts)] == [500_000] * 2
    cloudflare = {"tokens_in": 1, "duration": 7, "cached": True, "model": "m"}
    assert one(read_records(tmp_path / "c.jsonl", cloudflare))["cache_hit"] == YES


def test_t9_numbers_and_objects_inside_of_texts(tmp_path: Path) -> None:
    spend = {
        "request_id": "r", "spend": "0.002", "api_key": "k", "prompt_tokens": "26",
        "startTime": "2026-11-16 09:00:00", "endTime": "2026-11-16 09:00:01", "status": "failure",
        "metadata": json.dumps({"error_information": {"error_code": "429"}, "trace_id": "t9"}),
    }  # fmt: skip
    row = one(read_records(tmp_path / "s.jsonl", spend))
    assert (row["input_tokens"], row["cost_nano_usd"], row["failed"]) == (26, 2_000_000, YES)
    quoted = {
        "trace_id": "a", "span_id": "b", "name": "c", "start_time_unix_nano": START,
        "end_time_unix_nano": START + 10**9, "status": {"code": "STATUS_CODE_OK"},
        "attributes": {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.llm.model": '"gpt-4o"',
                       "mlflow.chat.tokenUsage": '{"input_tokens": 5, "output_tokens": 6}'},
    }  # fmt: skip
    mlflow = one(read_records(tmp_path / "m.jsonl", {"spans": [quoted]}))
    assert (mlflow["model"], mlflow["input_tokens"], mlflow["output_tokens"]) == ("gpt-4o", 5, 6)


def test_t10_records_of_many_shapes_stand_in_one_file(tmp_path: Path) -> None:
    shapes = [
        observation("a", metadata='{"k": 1}', input="x", usageDetails={"input": 1}),
        observation(
            "b", metadata={"k": [1, {"z": None}]}, input={"m": [1]}, usageDetails={"input": "2"}
        ),
        observation("c", metadata=None, input=[1, "x"], usageDetails=None, modelParameters=7),
    ]
    found = read_records(tmp_path / "a.jsonl", *shapes)
    assert [row["input_tokens"] for row in calls_of(found)] == [1, 2, -1]
    assert found.counts() == (3, 3, 0, 0)


def test_t11_ids_are_one_form_and_naive_times_are_utc(tmp_path: Path) -> None:
    import base64

    packed = base64.b64encode(bytes.fromhex(TRACE)).decode()
    forms = [TRACE, TRACE.upper(), "0x" + TRACE, packed]
    spans = [{**chat(n + 1), "traceId": form} for n, form in enumerate(forms)]
    rows = calls_of(read_records(tmp_path / "a.jsonl", otlp(*spans)))
    assert len({row["trace_hash"] for row in rows}) == 1
    zoned = run("a", start_time="2026-11-16T10:00:00+01:00", end_time="2026-11-16T09:00:02Z")
    naive, other = calls_of(read_records(tmp_path / "b.jsonl", run("b"), zoned))
    assert naive["start_us"] == other["start_us"]
    assert naive["duration_us"] == other["duration_us"] == 2_000_000


def test_t12_what_a_log_cannot_say_is_said(tmp_path: Path) -> None:
    frame = pl.DataFrame({
        "context.span_id": [f"{n:016x}" for n in range(1_000)],
        "context.trace_id": [TRACE] * 1_000,
        "span_kind": ["LLM"] * 1_000,
        "start_time": ["2026-11-16T09:00:00+00:00"] * 1_000,
    })  # fmt: skip
    frame.write_parquet(tmp_path / "limit.parquet")
    frame.head(999).write_parquet(tmp_path / "less.parquet")
    assert "I031" in reading.read(tmp_path / "limit.parquet").codes
    assert "I031" not in reading.read(tmp_path / "less.parquet").codes
    path = reading.write(tmp_path / "a.jsonl", *(otlp(chat(n)) for n in range(1, 31)))
    args = ["check", str(path), "--sampling-rate", "10%", "--format", "json"]
    result = json.loads(CliRunner().invoke(main, args).stdout)
    (note,) = [text for text in result["notes"] if "said to hold" in text]
    assert "10 %" in note
    assert "300 calls" in note


def test_t13_a_trace_in_two_files_and_the_same_export_twice(tmp_path: Path) -> None:
    root = span(1, **{"session.id": "s"})
    first = reading.write(tmp_path / "a.jsonl", otlp(chat(2, 1, **USAGE)))
    second = reading.write(tmp_path / "b.jsonl", otlp(root), otlp(chat(2, 1, **USAGE)))
    found = reading.read(first, second)
    assert found.counts() == (3, 2, 0, 1)
    assert one(found)["session_hash"] != 0
    assert found.logs.orphans == 0
    alone = reading.read(first)
    assert (len(calls_of(alone)), alone.logs.orphans) == (1, 1)


def test_t14_session_id_is_what_the_format_means_by_it(tmp_path: Path) -> None:
    found = read_records(
        tmp_path / "s.jsonl",
        run("a"),
        run("b", trace_id="other", extra={"metadata": {"session_id": "theirs"}}),
    )
    assert [row["session_hash"] != 0 for row in calls_of(found)] == [False, True]
    azure = {"category": "RequestResponse", "durationMs": 1, "Tenant": "westeurope"}
    assert one(read_records(tmp_path / "z.jsonl", azure))["tenant_id"] is None
    mapped = read_records(
        tmp_path / "m.jsonl", otlp(chat(1, **{"metadata.tenant": "acme"})),
        mapping={"tenant_id": "metadata.tenant"},
    )  # fmt: skip
    assert one(mapped)["tenant_id"] == "acme"


@pytest.mark.parametrize("packing", ["lines", "gzip", "bom", "pretty", "array", "concatenated"])
def test_t15_containers(packing: str, tmp_path: Path) -> None:
    records = [observation(f"o{n}", usageDetails={"input": n}) for n in range(1, 4)]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    content = {
        "lines": lines.encode(),
        "gzip": gzip.compress(lines.encode(), mtime=0),
        "bom": b"\xef\xbb\xbf" + lines.encode(),
        "pretty": json.dumps({"data": records, "meta": {}}, indent=2).encode(),
        "array": json.dumps(records, indent=1).encode(),
        "concatenated": "\n".join(json.dumps(r, indent=2) for r in records).encode(),
    }[packing]
    path = tmp_path / "export.json"
    path.write_bytes(content)
    found = reading.read(path)
    assert [row["input_tokens"] for row in calls_of(found)] == [1, 2, 3]
    assert found.counts() == (3, 3, 0, 0)


def test_t15_a_table_with_json_in_its_cells(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(
        "id,traceId,type,parentObservationId,startTime,endTime,model,usageDetails\n"
        'a,t,GENERATION,b,2026-11-16T09:00:00Z,2026-11-16T09:00:02Z,m,"{""input"": 7}"\n'
        "b,t,SPAN,,2026-11-16T09:00:00Z,2026-11-16T09:00:03Z,,\n"
    )
    found = reading.read(path)
    assert (one(found)["input_tokens"], one(found)["duration_us"]) == (7, 2_000_000)
    assert found.counts() == (2, 2, 0, 0)


def test_t16_no_text_secret_or_address_is_published(tmp_path: Path) -> None:
    said = "CANARY my card is 4111"
    record = litellm(
        messages=[{"role": "user", "content": said}], requester_ip_address="203.0.113.9",
        response={"choices": [{"message": {"content": said}}]}, end_user="eve@example.com",
        error_str=said, metadata={"user_api_key_hash": "sk-CANARY0123456789abcdef", "x": said},
    )  # fmt: skip
    more = {"gen_ai.input.messages": said, "gen_ai.output.messages": said, "input.value": said}
    logs = tmp_path / "logs"
    logs.mkdir()
    reading.write(logs / "a.jsonl", record)
    reading.write(logs / "b.jsonl", otlp(chat(1, **more)))
    site = tmp_path / "site"
    args = ["build", str(logs), "-o", str(site), "--state", str(tmp_path / "state"), "-q"]
    result = CliRunner().invoke(main, args)
    assert result.exit_code in (0, 1, 3), result.output
    for path in (*site.rglob("*"), *(tmp_path / "state").rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for secret in (b"CANARY", b"203.0.113.9", b"eve@example.com"):
                assert secret not in content, path


def test_t13_of_several_versions_of_an_observation_the_latest_counts(tmp_path: Path) -> None:
    def version(minute: int, tokens: int, **more: Any) -> dict[str, Any]:
        return {
            "id": "o1", "traceId": "t1", "type": "GENERATION", "parentObservationId": None,
            "startTime": "2026-11-16T09:00:00Z", "endTime": "2026-11-16T09:00:01Z", "model": "m",
            "updatedAt": f"2026-11-16T09:{minute:02}:00Z",
            "usageDetails": {"input": tokens, "output": 1}, **more,
        }  # fmt: skip

    late, early, again = version(5, 50), version(1, 10), version(5, 99)
    for first, second in (([early, late], [again]), ([late], [again, early])):
        found = reading.read(
            reading.write(tmp_path / "a.jsonl", *first),
            reading.write(tmp_path / "b.jsonl", *second),
        )
        # The latest version, and of two as late the first one.
        (row,) = calls_of(found)
        assert row["input_tokens"] == 50
        assert sum(f.duplicates for f in found.logs.files) == 2
        assert found.counts()[0] == 3
        # An older version differs as it should.
        assert found.logs.conflicting() == 0


@pytest.mark.parametrize(
    ("state", "weight"),
    [
        # https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/: what is
        # drawn below the threshold is rejected; c is 3/4 of all, 8 is 1/2, 0 is nothing.
        ("ot=th:c", 4_000), ("ot=th:8", 2_000), ("ot=th:0", 1_000),
        ("vendor=x,ot=rv:12345678901234;th:fd70a3d70a3d71", 100_000),
        ("ot=th:", -1), ("ot=th:zz", -1), ("ot=th:123456789012345", -1), ("th:8", -1), ("", -1),
    ],
)  # fmt: skip
def test_t12_a_sampling_threshold_is_a_weight(state: str, weight: int, tmp_path: Path) -> None:
    raw = {**chat(1, **USAGE), "traceState": state}
    assert one(read_records(tmp_path / "a.jsonl", otlp(raw)))["weight_milli"] == weight


def test_t12_a_weight_among_the_attributes(tmp_path: Path) -> None:
    for number, name in enumerate(("SampleRate", "sampling.weight", "sample_weight")):
        found = read_records(tmp_path / f"{number}.jsonl", otlp(chat(1, **{**USAGE, name: 20})))
        assert one(found)["weight_milli"] == 20_000


def test_t2_writes_for_an_hour_and_tiers_are_told_by_each_source(tmp_path: Path) -> None:
    details = {"prompt_tokens_details": {
        "cache_creation_token_details": {"ephemeral_1h_input_tokens": 300}},
        "cache_creation_input_tokens": 500}  # fmt: skip
    gateway = litellm(
        metadata={"usage_object": details}, prompt_tokens=600,
        response={"model": "m", "service_tier": "flex"},
    )  # fmt: skip
    row = one(read_records(tmp_path / "litellm.jsonl", gateway))
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"]) == (500, 300)
    assert row["service_tier"] == TIERS.index("flex")
    usage = {"input": 100, "input_cache_creation_5m": 200, "input_cache_creation_1h": 300}
    row = one(read_records(tmp_path / "langfuse.jsonl", observation("o1", usageDetails=usage)))
    assert (row["input_tokens"], row["cache_write_tokens"], row["cache_write_1h_tokens"]) == (
        600, 500, 300)  # fmt: skip
    have = {**USAGE, "gen_ai.openai.response.service_tier": "priority"}
    row = one(read_records(tmp_path / "otlp.jsonl", otlp(chat(1, **have))))
    assert row["service_tier"] == TIERS.index("priority")
