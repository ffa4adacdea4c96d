"""Which format a file is of, what is done with bad ones, and what users can add."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reading
from foreign_logs import (
    TRACE,
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
from gonogo import adapters
from gonogo.adapters import Options, Refused
from gonogo.errors import InputError
from gonogo.ingest.containers import container

YES, NO = 1, 0
PHOENIX = {
    "context.span_id": "f" * 16, "context.trace_id": TRACE, "span_kind": "LLM",
    "start_time": "2026-11-16T09:00:00Z", "attributes.llm.model_name": "m",
}  # fmt: skip
MLFLOW = {"info": {"trace_id": "tr-" + TRACE}, "data": {"spans": [{
    "trace_id": TRACE, "span_id": "e" * 16, "name": "n",
    "start_time_unix_nano": 1_795_337_471 * 10**9,
    "end_time_unix_nano": 1_795_337_472 * 10**9,
    "attributes": {"mlflow.spanType": '"LLM"'},
}]}}  # fmt: skip
READABLE = {
    "name": "chat", "startTime": [1_795_337_471, 0], "endTime": [1_795_337_471, 5_000_000],
    "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
    "spanContext": {"traceId": TRACE, "spanId": "a" * 16}, "status": {"code": 0},
}  # fmt: skip
HELICONE = {
    "request_id": "r1", "request_created_at": "2026-11-16T09:00:00Z", "delay_ms": 812,
    "time_to_first_token": 190, "request_model": "gpt-4o", "response_status": 429,
    "prompt_tokens": 11, "completion_tokens": 3, "costUSD": 0.0012,
    "request_properties": {"Helicone-Session-Id": "s1"}, "request_body": {"stream": True},
}  # fmt: skip
PORTKEY = {
    "id": "p1", "created_at": "2026-11-16T09:00:00Z", "ai_org": "openai", "ai_model": "gpt-4o",
    "req_units": 11, "res_units": 3, "cost": 12.5, "response_time": 640,
    "response_status_code": 446, "request_url": "x",
    "response": {"hook_results": {"before_request_hooks": [{"verdict": False}]}},
}  # fmt: skip
CLOUDFLARE = {
    "id": "c1", "created_at": "2026-11-16T09:00:00Z", "provider": "openai", "model": "gpt-4o",
    "model_type": "llm", "success": False, "status_code": 500, "cached": False, "duration": 77,
    "tokens_in": 11, "tokens_out": 3, "cost": 0.0012, "metadata": '{"tenant": "acme"}',
}  # fmt: skip
OPENROUTER = {"data": {
    "id": "g1", "created_at": "2026-11-16T09:00:00Z", "model": "openai/gpt-4o", "latency": 210,
    "generation_time": 900, "tokens_prompt": 9, "tokens_completion": 2, "streamed": True,
    "native_tokens_prompt": 11, "native_tokens_completion": 3, "total_cost": 0.0012,
    "finish_reason": "stop", "cancelled": False, "provider_name": "OpenAI",
}}  # fmt: skip
AZURE = {
    "category": "GatewayLogs", "correlationId": "z1", "time": "2026-11-16T09:00:00Z",
    "durationMs": 300, "isRequestSuccess": True,
    "properties": {"backendResponseBody": json.dumps({
        "model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 3},
        "choices": [{"finish_reason": "stop"}]})},
}  # fmt: skip
SPEND = {
    "request_id": "r", "api_key": "k", "spend": 0.0012, "startTime": "2026-11-16 09:00:00",
    "endTime": "2026-11-16 09:00:02", "completionStartTime": "2026-11-16 09:00:01", "model": "m",
}  # fmt: skip
SAMPLES: dict[str, dict[str, Any]] = {
    "otlp": otlp(chat(1)), "litellm": litellm(), "litellm-spendlogs": SPEND,
    "langfuse": observation("o"), "phoenix": PHOENIX, "bedrock": bedrock(), "mlflow": MLFLOW,
    "langsmith": run("r"), "otel-sdk": READABLE, "azure-openai": AZURE, "cloudflare": CLOUDFLARE,
    "helicone": HELICONE, "openrouter": OPENROUTER, "portkey": PORTKEY,
}  # fmt: skip
NATIVE = {"timestamp": "2026-11-16T09:00:01Z", "model": "gpt-4o", "latency_ms": 793.4}


def test_there_is_a_sample_of_every_format() -> None:
    assert list(adapters.known()) == list(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_is_known_by_what_it_holds(name: str, tmp_path: Path) -> None:
    found = read_records(tmp_path / "a.jsonl", SAMPLES[name])
    assert found.logs.files[0].kind == f"{name} (jsonl)"
    assert len(calls_of(found)) == 1
    assert list(found.logs.formats) == [name]


def test_only_one_format_claims_a_record() -> None:
    for name, record in SAMPLES.items():
        claims = [one.name for one in adapters.known().values() if one.detect(record)]
        assert claims == [name]


def test_native_lines_are_nobody_elses(tmp_path: Path) -> None:
    lines = [
        NATIVE,
        {"id": "a", "trace_id": "b", "created_at": "2026-11-16", "cost": 1, "model": "m"},
    ]
    assert adapters.detect(lines) is None
    assert read_records(tmp_path / "a.jsonl", *lines).logs.files[0].kind == "jsonl"


def test_a_folder_may_hold_many_formats_and_results(tmp_path: Path) -> None:
    for name, record in SAMPLES.items():
        reading.write(tmp_path / f"{name}.jsonl", record)
    reading.write(tmp_path / "native.jsonl", NATIVE)
    reading.write(tmp_path / "zz.json", {"evalId": "e", "results": {"version": 3}})
    found = reading.read(tmp_path)
    assert len(calls_of(found)) == len(SAMPLES) + 1
    assert found.codes.count("I034") == 1
    kinds = {Path(file.name).stem: file.kind for file in found.logs.files}
    assert all(kinds[name].startswith(name) for name in SAMPLES)


def test_mapped_rows_mean_what_their_writers_say(tmp_path: Path) -> None:
    rows = {
        name: calls_of(read_records(tmp_path / f"{name}.jsonl", SAMPLES[name]))[0]
        for name in ("helicone", "portkey", "cloudflare", "openrouter", "azure-openai")
    }
    assert all((row["input_tokens"], row["output_tokens"]) == (11, 3) for row in rows.values())
    helicone, portkey = rows["helicone"], rows["portkey"]
    assert (helicone["duration_us"], helicone["ttft_us"]) == (812_000, 190_000)
    assert (helicone["failed"], helicone["cost_nano_usd"]) == (YES, 1_200_000)
    assert helicone["session_hash"] != 0
    # Whether its cost is in cents or dollars is not sure, so it is not taken.
    assert portkey["cost_nano_usd"] == -1
    assert (portkey["failed"], portkey["is_blocked"], portkey["duration_us"]) == (NO, True, 640_000)
    assert portkey["guardrails"][0]["triggered"] == YES
    cloudflare = rows["cloudflare"]
    assert (cloudflare["failed"], cloudflare["cache_hit"]) == (YES, NO)
    assert cloudflare["tenant_id"] == "acme"
    openrouter = rows["openrouter"]
    assert (openrouter["duration_us"], openrouter["ttft_us"]) == (900_000, 210_000)
    assert (rows["azure-openai"]["failed"], rows["azure-openai"]["model"]) == (NO, "gpt-4o")


def test_spend_logs_tell_a_stream_by_its_first_token(tmp_path: Path) -> None:
    late = {**SPEND, "request_id": "r2", "completionStartTime": SPEND["endTime"]}
    stream, plain = calls_of(read_records(tmp_path / "a.jsonl", SPEND, late))
    assert (stream["ttft_us"], stream["streamed"]) == (1_000_000, YES)
    assert (plain["ttft_us"], plain["streamed"]) == (-1, 2)


def test_cloudwatch_envelopes(tmp_path: Path) -> None:
    inside = json.dumps(bedrock())
    shapes = [
        {"@message": inside, "@timestamp": "x"},
        {"message": inside},
        {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": inside}]},
        {
            "results": [
                [{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": inside}]
            ]
        },
        {"results": [{"field": "@ptr", "value": "x"}, {"field": "@message", "value": inside}]},
    ]
    for number, shape in enumerate(shapes):
        found = read_records(tmp_path / f"{number}.jsonl", shape)
        assert [row["model"] for row in calls_of(found)] == ["anthropic.claude-3-haiku"], shape
        assert found.counts() == (1, 1, 0, 0)


def test_bedrock_streams_close_with_their_metrics(tmp_path: Path) -> None:
    metrics = {
        "inputTokenCount": 7,
        "outputTokenCount": 8,
        "invocationLatency": 900,
        "firstByteLatency": 300,
    }
    body = [{"type": "content_block_delta"}, {"amazon-bedrock-invocationMetrics": metrics}]
    record = bedrock(
        operation="InvokeModelWithResponseStream", input={}, output={"outputBodyJson": body}
    )
    (row,) = calls_of(read_records(tmp_path / "a.jsonl", record))
    assert (row["duration_us"], row["ttft_us"], row["streamed"]) == (900_000, 300_000, YES)
    assert (row["input_tokens"], row["output_tokens"]) == (7, 8)


def test_an_evaluation_event_does_not_pass_for_its_span(tmp_path: Path) -> None:
    event = {
        "eventName": "gen_ai.evaluation.result", "traceId": TRACE, "spanId": f"{1:016x}",
        "timeUnixNano": "1795337471000000000",
        "attributes": [{"key": "gen_ai.evaluation.name", "value": {"stringValue": "grounded"}}],
    }  # fmt: skip
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [event]}]}]}
    found = read_records(tmp_path / "a.jsonl", logs, otlp(chat(1)))
    assert found.counts() == (2, 2, 0, 0)
    assert len(calls_of(found)) == 1
    assert found.logs.orphans == 0


def test_tempo_and_old_collectors(tmp_path: Path) -> None:
    failing = {**chat(1), "status": {"code": "STATUS_CODE_ERROR"}, "kind": "SPAN_KIND_CLIENT"}
    old = {"instrumentationLibrarySpans": [{"spans": [{**chat(2), "parentSpanId": ""}]}]}
    batch = {"scopeSpans": [{"spans": [failing]}]}
    found = read_records(
        tmp_path / "a.jsonl",
        {"batches": [batch]}, {"trace": {"resourceSpans": [old]}},
    )  # fmt: skip
    assert [row["failed"] for row in calls_of(found)] == [YES, NO]


def test_python_sdk_spans(tmp_path: Path) -> None:
    record = {
        "name": "chat", "context": {"trace_id": "0x" + TRACE, "span_id": "0x" + "b" * 16},
        "parent_id": None, "start_time": "2026-11-16T09:00:00.000000Z",
        "end_time": "2026-11-16T09:00:00.250000Z",
        "status": {"status_code": "ERROR", "description": "RateLimitError: slow down"},
        "attributes": {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"},
        "events": [], "resource": {"attributes": {"service.name": "bot"}},
    }  # fmt: skip
    (row,) = calls_of(read_records(tmp_path / "a.jsonl", record))
    assert (row["duration_us"], row["failed"], row["service"]) == (250_000, YES, "bot")


def test_retrieval_guardrail_and_tool_spans(tmp_path: Path) -> None:
    documents = json.dumps([{"id": "d1", "score": 0.9}, {"id": "d2", "score": 0.2}])
    found = read_records(tmp_path / "a.jsonl", otlp(
        span(1, **{"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": documents}),
        span(2, **{"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": "[]"}),
        span(3, failed=True,
             **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "find"}),
        span(4, **{"openinference.span.kind": "GUARDRAIL", "guardrail.name": "pii",
                   "guardrail.status": "blocked"}),
    ))  # fmt: skip
    assert calls_of(found) == []
    hit, miss = (row["retrievals"][0] for row in found.kept[:2])
    assert (hit["hit"], hit["n_chunks"], hit["top_score_micro"]) == (YES, 2, 900_000)
    assert (miss["hit"], miss["n_chunks"], miss["failed"]) == (NO, 0, False)
    (tool,) = found.kept[2]["tool_calls"]
    assert (tool["tool"], tool["failed"], tool["duration_us"]) == ("find", YES, 100_000)
    (check,) = found.kept[3]["guardrails"]
    assert (check["name"], check["triggered"], check["blocked"]) == ("pii", YES, True)


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_a_bad_record_costs_itself_alone(name: str, tmp_path: Path) -> None:
    good = json.dumps(SAMPLES[name])
    found = read_records(tmp_path / "a.jsonl", good, good[: len(good) // 2], "[1]", '"x"')
    assert found.counts()[0] == 4
    assert found.counts()[2] == 3
    assert len(calls_of(found)) == 1


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, member in items:
        found.append((*path, key))
        if isinstance(member, (dict, list)):
            found += places(member, (*path, key))
    return found


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_value_of_any_type_anywhere_makes_lines_or_a_reason(
    name: str, data: st.DataObject
) -> None:
    record = json.loads(json.dumps(SAMPLES[name]))
    *way, last = data.draw(st.sampled_from(places(record)))
    inner = record
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(JUNK)
    made = []
    try:
        made = list(adapters.known()[name].convert(record, Options()))
    except (TypeError, ValueError, AttributeError, KeyError, OverflowError):
        return  # the reader refuses the record with this as its reason
    for line in made:
        assert isinstance(line, Refused) or json.loads(adapters.values.dumps(line)) is not None


def test_whatever_an_adapter_raises_is_a_reason(tmp_path: Path) -> None:
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [chat(1), 7, {"attributes": 5}]}]}]}
    found = read_records(
        tmp_path / "a.jsonl", spans, {"resourceSpans": [{"scopeSpans": [{"spans": 7}]}]}
    )
    assert found.counts() == (4, 1, 3, 0)
    assert found.codes.count("I032") == 1


def test_a_half_written_array_keeps_what_is_whole(tmp_path: Path) -> None:
    records = [observation(f"o{n}") for n in range(5)]
    for indent in (None, 2):
        path = tmp_path / f"{indent}.json"
        path.write_text(json.dumps(records, indent=indent)[:-150])
        found = reading.read(path)
        assert len(calls_of(found)) == 4
        assert found.counts() == (5, 4, 1, 0)
        assert found.codes.count("I011") == 1


def test_a_half_written_document_keeps_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    runs = [run(f"r{n}") for n in range(5)]
    path.write_text(json.dumps({"runs": runs, "cursors": {}}, indent=2)[:-250])
    found = reading.read(path)
    assert 3 <= len(calls_of(found)) <= 4
    assert found.counts()[2] == 1


def test_metrics_are_refused_with_a_reason(tmp_path: Path) -> None:
    found = read_records(tmp_path / "a.jsonl", otlp(chat(1)), {"resourceMetrics": [{"x": 1}]})
    assert found.counts() == (2, 1, 1, 0)
    assert "I033" in found.codes


def test_a_version_not_known_yet_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    newer = bedrock(schemaVersion="9.0", operation="Converse", output={"newBody": {"tokens": 3}})
    found = read_records(tmp_path / "a.jsonl", newer, bedrock("r2"))
    assert len(calls_of(found)) == 2
    assert calls_of(found)[0]["output_tokens"] == -1
    (told,) = (p for p in found.logs.trouble.problems() if p.code == "I036")
    assert (told.example, told.count) == ("bedrock 9.0", 1)
    strange = observation("o", usageDetails="none", startTime="soon", brandNew=[{"a": 1}])
    (row,) = calls_of(read_records(tmp_path / "b.jsonl", strange))
    assert (row["input_tokens"], row["duration_us"]) == (-1, -1)


def test_versions_are_told_by_name_and_not_by_what_a_log_makes_up(tmp_path: Path) -> None:
    def trace(version: object) -> dict[str, Any]:
        meta = {"mlflow.trace_schema.version": version}
        return {"info": {"trace_id": "tr-1", "trace_metadata": meta}, "data": {"spans": []}}

    def told(*versions: object) -> list[tuple[str, int]]:
        spans = [bedrock(str(n), schemaVersion=version) for n, version in enumerate(versions)]
        problems = read_records(tmp_path / "a.jsonl", *spans).logs.trouble.problems()
        return [(p.example, p.count) for p in problems if p.code == "I036"]

    assert told("1.0", None, "1.0") == []
    assert told("1.0", "2.0", "2.0", 3) == [("bedrock 2.0", 2), ("bedrock 3", 1)]
    assert told("<b>9</b>", "x" * 21, {"a": 1}) == [("bedrock ?", 3)]
    made_up = told(*(f"7.{number}" for number in range(30)))
    assert made_up[-1] == ("others", 20)
    assert len(made_up) == 11
    cloudwatch = {"@message": json.dumps(bedrock("m", schemaVersion="2.0"))}
    assert "I036" in read_records(tmp_path / "c.jsonl", cloudwatch).codes
    call = bedrock()  # a trace without spans has no line of its own
    for version, codes in (("3", []), ("4", ["I036"])):
        path = reading.write(tmp_path / f"m{version}.jsonl", trace(version))
        other = reading.write(tmp_path / f"b{version}.jsonl", call)
        assert [c for c in reading.read(path, other).codes if c == "I036"] == codes


def test_what_is_not_known_is_told_with_what_was_seen(tmp_path: Path) -> None:
    path = reading.write(tmp_path / "a.jsonl", {"wibble": 1, "wobble": 2}, {"wibble": 3})
    with pytest.raises(InputError) as caught:
        reading.read(path)
    message = str(caught.value)
    for word in ("wibble, wobble", "litellm", "langfuse", "[fields]", "--log-format"):
        assert word in message
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "I035"


@pytest.mark.parametrize(
    ("head", "kind"),
    [('{"a": 1}\n{"a": 2}\n', "lines"), ('[\n {"a": 1}', "array"), ('[{"a": 1}, {"a"', "array"),
     ('{\n "a": [', "document"), ('{"a": [\n1', "document"), ("[1,2]\n{}\n", "lines"),
     ('{"a":1},[\n{"b":2}', "lines"), ('{"a": "x\n{"b": 1}\n', "lines"), ("", "lines"),
     ('{"a" 1,\n', "lines"), ('[{"a": 1}]', "array")],
)  # fmt: skip
def test_how_records_stand_in_a_file(head: str, kind: str) -> None:
    assert container(head.encode(), "a.json") == kind


def test_native_records_may_stand_in_an_array_or_a_table(tmp_path: Path) -> None:
    array = tmp_path / "a.json"
    array.write_text(json.dumps([NATIVE, {**NATIVE, "latency_ms": 5}], indent=2))
    table = tmp_path / "b.csv"
    table.write_text("timestamp,model,latency_ms\n2026-11-16T09:00:01Z,gpt-4o,793.4\n")
    found = reading.read(array, table)
    assert [row["duration_us"] for row in calls_of(found)] == [793_400, 5_000, 793_400]
