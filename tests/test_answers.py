"""What models answered, in the shapes of tracers and gateways, against texts worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reading
import run_engine
from foreign_logs import attributes, bedrock, chat, litellm, observation, otlp, run
from gonogo import adapters
from gonogo.adapters import Options
from gonogo.adapters.answers import (
    REMOVED,
    WORDLESS,
    answer_of,
    answer_of_span,
    answer_of_stream,
    text_of,
)
from gonogo.adapters.values import MASKED
from gonogo.conventions import Status
from gonogo.results import ReadinessResult

FORMATS = Path(__file__).parents[2] / "shared" / "data" / "formats"
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MAIL = "write to a@b.example"


# --- shapes ---------------------------------------------------------------------------------------


def completion(content: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **more}
    return {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": message}]}


RESPONSE = {
    "object": "response", "instructions": "be kind", "text": {"format": {"type": "text"}},
    "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant",
         "content": [{"type": "output_text", "text": "one"}, {"type": "output_text", "text": "2"}]},
    ],
}  # fmt: skip
ANTHROPIC = {
    "role": "assistant", "stop_reason": "end_turn",
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {}}],
}  # fmt: skip
OTEL = [
    {"role": "assistant", "finish_reason": "stop",
     "parts": [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "hello"}]},
]  # fmt: skip
LANGCHAIN = {"generations": [[{"text": "", "message": {
    "lc": 1, "type": "constructor", "kwargs": {"content": "hello", "type": "ai"}}}]]}  # fmt: skip


@pytest.mark.parametrize(
    ("logged", "answer"),
    [
        ("hello", "hello"),
        ("", None), (None, None), ({}, None), ([], None), ("{}", "{}"),
        ('"hello"', "hello"),
        ('{"total": 3}', '{"total": 3}'),  # an answer that is itself JSON
        ('{"answer": "x", "sources": []}', '{"answer": "x", "sources": []}'),
        ('[{"name": "x"}]', '[{"name": "x"}]'),
        (completion("hello"), "hello"),
        (json.dumps(completion("hello")), "hello"),
        (json.dumps(json.dumps(completion("hello"))), "hello"),
        (completion('{"a": 1}'), '{"a": 1}'),
        (completion([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]), "a\nb"),
        (completion(None, refusal="I may not"), "I may not"),
        (completion(None, tool_calls=[CALL]), WORDLESS),
        (completion("", function_call={"name": "f", "arguments": "{}"}), WORDLESS),
        (completion("on it", tool_calls=[CALL]), "on it"),
        ({"choices": [{"text": "old"}, {"text": "style"}]}, "old\nstyle"),
        (RESPONSE, "one\n2"),
        ({**RESPONSE, "output": [{"type": "function_call", "name": "f"}]}, WORDLESS),
        (ANTHROPIC, "hello"),
        ({**ANTHROPIC, "content": [{"type": "tool_use", "name": "f", "input": {}}]}, WORDLESS),
        (OTEL, "hello"),
        (json.dumps(OTEL), "hello"),
        ([{"role": "assistant", "parts": [{"type": "tool_call", "name": "f"}]}], WORDLESS),
        (LANGCHAIN, "hello"),
        ({"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]}, "hello"),
        ({"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}}, "hi"),
        ({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]},
         "!"),
        ([{"type": "human", "content": "?"}, {"type": "ai", "content": "!"}], "!"),
        ({"generation": "llama", "stop_reason": "stop"}, "llama"),
        ({"results": [{"outputText": "titan"}]}, "titan"),
        ({"outputs": [{"text": "mistral", "stop_reason": "stop"}]}, "mistral"),
        ({"completions": [{"data": {"text": "jurassic", "tokens": []}}]}, "jurassic"),
        ({"output": "chain"}, "chain"),
        ([{"toolCallId": "c", "toolName": "f", "input": "{}"}], WORDLESS),
        ({"score": 3}, '{"score": 3}'),
        ({"results": [{"text": "x", "mail": "y"}]}, '{"results": [{"text": "x", "mail": "y"}]}'),
        (completion("redacted-by-litellm"), None), ("__REDACTED__", None),
        (7, "7"),
    ],
)  # fmt: skip
def test_the_answer_in_each_shape(logged: Any, answer: str | None) -> None:
    assert answer_of(logged) == answer


def _anthropic(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
    start = {"type": "message_start", "message": {"role": "assistant", "content": []}}
    block = {"type": "content_block_start", "content_block": {"type": "text", "text": ""}}
    pieces = [{"type": "content_block_delta", "delta": d} for d in deltas]
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    return [start, block, *pieces, end, {"amazon-bedrock-invocationMetrics": {}}]


@pytest.mark.parametrize(
    ("pieces", "answer"),
    [
        (_anthropic({"type": "text_delta", "text": "a@"}, {"type": "text_delta", "text": "b.c"}),
         "a@b.c"),
        (_anthropic({"type": "thinking_delta", "thinking": "hm"}), None),
        ([{"content_block": {"type": "tool_use", "name": "f"}},
          {"delta": {"type": "input_json_delta", "partial_json": "{}"}}], WORDLESS),
        ([{"contentBlockDelta": {"delta": {"text": "a"}}},
          {"contentBlockDelta": {"delta": {"text": "b"}}}, {"messageStop": {}}], "ab"),
        ([{"contentBlockStart": {"start": {"toolUse": {"name": "f"}}}}], WORDLESS),
        ([{"choices": [{"delta": {"content": "a"}}]}, {"choices": [{"delta": {}}]},
          {"choices": [{"delta": {"content": "b"}}]}], "ab"),
        ([{"generation": "a", "generation_token_count": 1}, {"generation": "b"}], "ab"),
        ([{"outputText": "a", "index": 0}, {"outputText": "b", "index": 0}], "ab"),
        ([], None),
    ],
)  # fmt: skip
def test_the_pieces_of_a_stream_are_one_text(pieces: list[Any], answer: str | None) -> None:
    """What is looked for may stand across two pieces."""
    assert answer_of_stream(pieces) == answer


@pytest.mark.parametrize(
    ("have", "answer"),
    [
        ({"gen_ai.output.messages": json.dumps(OTEL), "output.value": "other"}, "hello"),
        ({"gen_ai.completion": "plain"}, "plain"),
        ({"gen_ai.completion.0.content": "a", "gen_ai.completion.1.content": "b"}, "a\nb"),
        ({"gen_ai.completion.0.role": "assistant",
          "gen_ai.completion.0.tool_calls.0.name": "f"}, WORDLESS),
        ({f"llm.output_messages.{n}.message.content": f"{n}" for n in (10, 9)}, "9\n10"),
        ({"llm.output_messages.0.message.contents.1.message_content.text": "b",
          "llm.output_messages.0.message.contents.0.message_content.text": "a",
          "llm.output_messages.0.message.contents.0.message_content.type": "text"}, "a\nb"),
        ({"llm.output_messages": [{"message.role": "assistant", "message.content": "x"}]}, "x"),
        ({"llm.output_messages": [{"message.contents": [
            {"message_content.type": "text", "message_content.text": "x"}]}]}, "x"),
        ({"llm.output_messages": [{"message.role": "assistant", "message.tool_calls": [
            {"tool_call.function.name": "f"}]}],
          "output.value": json.dumps(completion(None, tool_calls=[CALL]))}, WORDLESS),
        ({"output.value": json.dumps(completion("x")), "output.mime_type": "application/json"},
         "x"),
        ({"ai.response.text": "x", "ai.response.toolCalls": "[]"}, "x"),
        ({"ai.response.text": "", "ai.response.toolCalls": '[{"toolCallId": "c"}]'}, WORDLESS),
        ({"ai.response.object": '{"a": 1}'}, '{"a": 1}'),
        ({"mlflow.spanOutputs": completion("x")}, "x"),
        ({"gen_ai.tool.call.result": "no answer of a model"}, None),
        ({"llm.output_messages.0.message.content": "__REDACTED__"}, None),
        # An attribute that is there twice, in forms that exclude each other.
        ({"llm.output_messages.0.message.contents": "x",
          "llm.output_messages.0.message.contents.0.message_content.text": "y",
          "llm.output_messages.9999999999.message.content": "z"}, "y"),
    ],
)  # fmt: skip
def test_the_answer_in_the_attributes_of_a_span(have: dict[str, Any], answer: str | None) -> None:
    assert answer_of_span(have, ()) == answer


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("gen_ai.content.completion", {"gen_ai.completion": '[{"role":"ai","content":"x"}]'}),
        ("gen_ai.choice", {"message": '{"role": "assistant", "content": "x"}', "index": 0}),
        ("gen_ai.choice", {"message": '[{"text": "x"}]'}),
        ("gen_ai.client.inference.operation.details",
         {"gen_ai.output.messages": json.dumps(OTEL).replace("hello", "x")}),
    ],
)  # fmt: skip
def test_the_answer_in_an_event_of_an_otlp_span(name: str, inside: dict[str, str]) -> None:
    record = otlp({**chat(1), "events": [{"name": name, "attributes": attributes(**inside)}]})
    (line,) = adapters.known()["otlp"].convert(record, Options(outputs=True))
    assert isinstance(line, dict)
    assert line["output"] == "x"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["content", "choices", "message", "role", "type", "parts", "tool_calls",
                         "delta", "generations", "output", "kwargs", "x", "message.content"]),
        inner, max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150)
@given(values)
def test_whatever_is_logged_costs_no_line_and_hides_nothing(value: Any) -> None:
    """Anything has an answer or none; and a text that is found nowhere is in the JSON of it all."""
    for logged in (value, json.dumps(value), [value]):
        found = answer_of(logged)
        assert found is None or isinstance(found, str)
    answer_of_span({"gen_ai.output.messages": value, "llm.output_messages.0.message.x": value}, ())
    if isinstance(value, dict) and not value.keys() - {"x"}:
        assert value == {} or text_of(value) == json.dumps(value, ensure_ascii=False)


def test_nesting_without_end_is_no_answer_and_no_failure() -> None:
    deep: Any = "x"
    for _ in range(20_000):
        deep = [deep]
    assert answer_of({"content": deep}) == MASKED  # there, and not read
    assert answer_of("[" * 100_000) == "[" * 100_000


# --- each format, through to the gate -------------------------------------------------------------

CONFIG = """
[slo]
error_rate = "<= 99%"
[[constraint]]
name = "x"
must_not_match = ["mock model", "a@b"]
"""


def judged(folder: Path, *logs: Path, config: str = CONFIG) -> ReadinessResult:
    path = folder / "readiness.toml"
    path.write_text(config)
    return run_engine.check(folder / "state", *logs, config=path)


def counted(result: ReadinessResult) -> tuple[int, int, int]:
    """(calls that have to answer, answers that were looked at, broken)"""
    data = result.tables["constraints"].data
    (calls,), (looked,), (broken,) = data["calls"], data["looked_at"], data["violated"]
    return calls, looked, broken  # type: ignore[return-value]


def flat(**have: Any) -> dict[str, Any]:
    return {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **have}


AZURE = {
    "category": "GatewayLogs", "time": "2026-11-16T09:00:00Z", "durationMs": 5,
    "properties": {"backendResponseBody": json.dumps(completion(MAIL)), "responseCode": 200},
}  # fmt: skip
HELICONE = {
    "request_id": "r1", "request_created_at": "2026-11-16T09:00:00Z", "delay_ms": 812,
    "request_model": "m", "response_status": 200, "response_body": completion(MAIL),
}  # fmt: skip
PORTKEY = {
    "id": "p1", "created_at": "2026-11-16T09:00:00Z", "ai_model": "m", "req_units": 1,
    "response_status_code": 200, "response": completion(MAIL),
}  # fmt: skip
PHOENIX = {
    "context.span_id": "f" * 16, "context.trace_id": "a" * 32, "span_kind": "LLM",
    "start_time": "2026-11-16T09:00:00Z", "attributes.llm.model_name": "m",
    "attributes.llm.output_messages": [{"message.role": "assistant", "message.content": MAIL}],
}  # fmt: skip
MLFLOW = {"info": {"trace_id": "tr-" + "a" * 32}, "data": {"spans": [{
    "trace_id": "a" * 32, "span_id": "e" * 16, "name": "n", "status": {"code": "STATUS_CODE_OK"},
    "start_time_unix_nano": 1_795_337_471 * 10**9, "end_time_unix_nano": 1_795_337_472 * 10**9,
    "attributes": {"mlflow.spanType": '"LLM"', "mlflow.spanOutputs": json.dumps(MAIL)},
}]}}  # fmt: skip
READABLE = {
    "name": "chat", "startTime": [1_795_337_471, 0], "endTime": [1_795_337_471, 5_000_000],
    "attributes": flat(**{"ai.response.text": MAIL}), "status": {"code": 0},
    "spanContext": {"traceId": "a" * 32, "spanId": "a" * 16},
}  # fmt: skip
SPEND = {
    "request_id": "q1", "spend": 0.1, "api_key": "k", "startTime": "2026-11-16 09:00:00",
    "endTime": "2026-11-16 09:00:01", "call_type": "acompletion", "model": "m",
    "status": "success", "response": json.dumps(completion(MAIL)),
}  # fmt: skip
PIECES = _anthropic({"type": "text_delta", "text": "a@"}, {"type": "text_delta", "text": "b"})
STREAM = bedrock(operation="InvokeModelWithResponseStream", output={"outputBodyJson": PIECES})


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("otlp", otlp(chat(1, **{"gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": MAIL}]}])}))),
        ("litellm", litellm(response=completion(MAIL))),
        ("litellm-spendlogs", SPEND),
        ("langfuse", observation("o", output={"role": "assistant", "content": MAIL})),
        ("phoenix", PHOENIX),
        ("bedrock", bedrock(output={"outputBodyJson": {"results": [{"outputText": MAIL}]}})),
        ("bedrock", STREAM),
        ("mlflow", MLFLOW),
        ("langsmith", run("r", outputs=LANGCHAIN | {"generations": [[{"text": MAIL}]]})),
        ("langsmith", run("r", outputs=json.dumps(completion(MAIL)))),
        ("otel-sdk", READABLE),
        ("azure-openai", AZURE),
        ("helicone", HELICONE),
        ("portkey", PORTKEY),
    ],
)  # fmt: skip
def test_what_was_answered_reaches_the_gate(
    name: str, record: dict[str, Any], tmp_path: Path
) -> None:
    path = reading.write(tmp_path / "a.jsonl", record)
    result = judged(tmp_path, path)
    assert result.ingest.files[0].format == f"{name} (jsonl)"
    assert counted(result) == (1, 1, 1)
    assert "a@b" not in result.model_dump_json()
    # Without a constraint, no adapter hands on a word of it.
    for line in adapters.known()[name].convert(record, Options()):
        assert "a@b" not in json.dumps(line)


def test_a_mapping_of_ones_own_hands_on_answers(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[detect]\nall = ["when"]\n[fields]\ntimestamp = "when"\n'
        'output = ["reply.text", "reply"]\n'
    )
    rows = [{"when": "2026-11-16T09:00:00Z", "reply": {"text": MAIL}},
            {"when": "2026-11-16T09:00:01Z", "reply": json.dumps(completion("fine"))},
            {"when": "2026-11-16T09:00:02Z", "reply": completion(None, tool_calls=[CALL])},
            {"when": "2026-11-16T09:00:03Z"}]  # fmt: skip
    logs = reading.write(tmp_path / "a.jsonl", *rows)
    config = tmp_path / "readiness.toml"
    config.write_text(CONFIG)
    mapping = str(tmp_path / "mine.toml")
    result = run_engine.check(tmp_path / "s", logs, config=config, log_format=mapping)
    assert counted(result) == (3, 2, 1)


def test_a_place_of_ones_own_in_a_format_that_is_known(tmp_path: Path) -> None:
    """[fields] says where the answer stands, also where it is an object."""
    config = CONFIG + '[fields]\noutput = "metadata.reply"\n'
    rows = [litellm(1, metadata={"reply": MAIL}), litellm(2, metadata={"reply": completion(MAIL)})]
    result = judged(tmp_path, reading.write(tmp_path / "a.jsonl", *rows), config=config)
    assert counted(result) == (2, 2, 2)


def test_an_answer_that_stands_elsewhere_is_unread_not_absent(tmp_path: Path) -> None:
    rows = [bedrock("r1", output={"outputBodyS3Path": "s3://bucket/x.json.gz"}),
            run("r2", outputs_s3_urls={"ROOT": {"s3_url": "x"}})]  # fmt: skip
    for number, row in enumerate(rows):
        folder = tmp_path / str(number)
        folder.mkdir()
        result = judged(folder, reading.write(folder / "a.jsonl", row))
        (gate,) = result.gates
        assert (gate.status, counted(result)) == (Status.NO_DATA, (1, 0, 0))
        assert "outputs are logged, but the log format does not hand on their text" in gate.text


@pytest.mark.parametrize("word", sorted(REMOVED))
def test_an_answer_that_was_redacted_is_not_logged(word: str, tmp_path: Path) -> None:
    row = litellm(response=completion(word))
    (gate,) = judged(tmp_path, reading.write(tmp_path / "a.jsonl", row)).gates
    assert (gate.status, gate.text) == (Status.NO_DATA, "x: no output is logged")


# Read by eye and with a script of its own: calls that neither failed nor embed nor only call tools;
# those of them with a text; those whose text has "mock model" in it. The seven kinds of call of a
# recording are described in test_formats_real.
@pytest.mark.skipif(not FORMATS.is_dir(), reason="the files are not beside the project")
@pytest.mark.parametrize(
    ("name", "answers"),
    [
        # 21 calls, 3 fail, 3 call a tool: 12 answers of the mock model, 3 about the weather.
        ("otlp/rec_openinference_openai.otlp.jsonl", (15, 15, 12)),
        ("otlp/rec_openllmetry_openai.otlp.jsonl", (15, 15, 12)),
        # 12 calls, 2 fail, 3 call a tool.
        ("otlp/rec_pydantic_ai_logfire.otlp.jsonl", (7, 7, 5)),
        # 9 calls, 2 fail, 2 call a tool.
        ("otlp/rec_vercel_ai7_genai.sdkjson.otlp.jsonl", (5, 5, 3)),
        # OpenTelemetry's own instrumentation logs answers as records beside the spans.
        ("otlp/rec_otel_openai_v2_legacy.otlp.jsonl", (18, 0, 0)),
        # 31 calls: 9 fail or are blocked, 1 embeds, 3 call a tool.
        ("litellm/rec_standard_logging_payload.jsonl", (18, 18, 18)),
        # Four traces, two of whose calls fail; what the model says stands in `choices`.
        ("mlflow/rec_traces_to_json.jsonl", (4, 4, 4)),
        ("mlflow/rec_search_traces.parquet", (4, 4, 4)),
        ("langsmith/langsmith_py_wrap_openai_stream.json", (1, 1, 0)),
        # Two calls: one asks for the weather with a tool, the other tells it.
        ("langfuse/openai-agents-2025-09-30.trace.json", (1, 1, 0)),
        # Four calls, two of which only call tools.
        ("langfuse/claude-agent-2025-12-22.trace.json", (2, 2, 0)),
        ("langfuse/pydantic-ai-tools-2025-12-04.trace.json", (2, 2, 0)),
        ("langfuse/langgraph-python-2025-08-22.trace.json", (1, 1, 0)),
        ("langfuse/vercel-aisdk-2025-11-17.trace.json", (0, 0, 0)),
        # 11 calls, 2 fail, 2 call a tool.
        ("phoenix/rec_spans_dataframe.jsonl", (7, 7, 7)),
        ("phoenix/rec_spans_dataframe.parquet", (7, 7, 7)),
        ("phoenix/rec_rest_spans.json", (7, 7, 7)),
    ],
)
def test_the_answers_of_recorded_files(
    name: str, answers: tuple[int, int, int], tmp_path: Path
) -> None:
    result = judged(tmp_path, FORMATS / name)
    assert counted(result) == answers
    assert "mock model" not in result.model_dump_json()
