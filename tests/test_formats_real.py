"""Files as their writers left them, with rows and sums worked out by hand from the files.

The files stand beside the project (../shared/data/formats); without them these tests are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import reading
from reading import Read, Row

FORMATS = Path(__file__).parents[2] / "shared" / "data" / "formats"
pytestmark = pytest.mark.skipif(
    not FORMATS.is_dir(), reason="the files of ../shared/data/formats are not beside the project"
)
YES, NO = 1, 0


def read(*names: str) -> Read:
    return reading.read(*(FORMATS / name for name in names))


def calls_of(found: Read) -> list[Row]:
    return [row for row in found.kept if row["is_call"]]


def total(rows: list[Row], name: str) -> int:
    return sum(row[name] for row in rows if row[name] >= 0)


@dataclass(frozen=True)
class Truth:
    """What a file holds: all records, calls, and sums over the calls (cost in nano-dollars)."""

    format: str
    records: int
    calls: int
    errors: int
    input: int
    output: int
    cost: int | None = None
    blocks: int = 0
    streams: int = 0
    ttft: int = 0
    cached: int = 0
    reasoning: int = 0
    tools: tuple[int, int] = (0, 0)
    """tool calls, failed ones"""
    retrievals: int = 0
    checks: tuple[int, int] = (0, 0)
    """guardrail checks, triggered ones"""
    folded: int = 0


# Three traces of the same seven calls (26/12, 29/12, 1500/12, 26/140, 35/17, 48/12 and an embedding
# of 9), then three that fail (429, 500, 400).
PYTHON_OTEL = {
    "records": 33, "calls": 24, "errors": 3, "input": 3 * (26 + 29 + 1500 + 26 + 35 + 48 + 9),
    "output": 3 * (12 + 12 + 12 + 140 + 17 + 12), "tools": (3, 0),
}  # fmt: skip
DETAILS = {"streams": 3, "ttft": 3, "cached": 3 * 1024, "reasoning": 3 * 128}
PHOENIX = {
    "records": 40, "calls": 11, "errors": 2, "streams": 1, "ttft": 1, "cached": 1024,
    "input": 23 + 26 + 1500 + 31 + 24 + 31 + 24 + 24 + 24, "output": 7 * 12 + 2 * 17,
    "tools": (2, 1), "retrievals": 9, "checks": (9, 1),
}  # fmt: skip
MLFLOW = {
    "records": 26, "calls": 6, "errors": 2, "input": 23 + 26 + 1500 + 23, "output": 4 * 12,
    "cost": 10_650 + 11_100 + 155_400 + 10_650, "streams": 1, "cached": 1024, "tools": (6, 1),
    "retrievals": 6,
}  # fmt: skip

TRUTH = {
    "otlp/rec_openinference_openai.otlp.jsonl": Truth("otlp", **PYTHON_OTEL, **DETAILS),
    "otlp/rec_openllmetry_openai.otlp.jsonl": Truth("otlp", **PYTHON_OTEL, **DETAILS),
    "otlp/rec_otel_openai_v2_legacy.otlp.jsonl": Truth("otlp", **PYTHON_OTEL),
    "otlp/rec_pydantic_ai_logfire.otlp.jsonl": Truth(
        "otlp", 27, 12, 2, 2 * (40 + 54 + 24 + 1500) + 26 + 37, 4 * 17 - 17 + 7 * 12,
        2 * (16_200 + 15_300 + 10_800 + 155_400) + 11_100 + 15_750,
        streams=1, ttft=1, cached=2 * 1024, tools=(3, 1),
    ),
    # The outer span of the embedding has the same operation and no tokens: it is folded.
    "otlp/rec_vercel_ai7_genai.sdkjson.otlp.jsonl": Truth(
        "otlp", 29, 10, 2, 23 + 26 + 1500 + 38 + 52 + 38 + 52 + 9, 5 * 12 + 2 * 17,
        streams=1, ttft=1, cached=1024, tools=(2, 1), folded=1,
    ),
    "otlp/rec_otel_openai_v2_legacy.logs.otlp.jsonl": Truth("otlp", 66, 0, 0, 0, 0),
    "otlp/trace.json": Truth("otlp", 1, 0, 0, 0, 0),
    "otlp/logs.json": Truth("otlp", 1, 0, 0, 0, 0),
    "otlp/events.json": Truth("otlp", 1, 0, 0, 0, 0),
    # Ten kinds of call, three times over but for the embedding; two of each round are cache hits
    # or failures that hold no tokens.
    "litellm/rec_standard_logging_payload.jsonl": Truth(
        "litellm", 31, 31, 6, 3 * (24 + 27 + 1500 + 23 + 31 + 25) + 3 * 24 + 9,
        3 * (12 + 12 + 12 + 140 + 17 + 12) + 3 * 12,
        3 * (10_800 + 11_250 + 155_400 + 641_300 + 14_850 + 10_950) + 10_800 + 180,
        blocks=3, streams=3, ttft=3, cached=3 * 1024, reasoning=3 * 128, checks=(31, 6),
    ),
    "langfuse/agno-2025-06-11.trace.json": Truth(
        "langfuse", 7, 2, 0, 663 + 163, 225 + 20, 234_450 + 36_450, folded=2
    ),
    "langfuse/autogen-2025-06-06.trace.json": Truth("langfuse", 3, 1, 0, 41, 3, 25_000),
    "langfuse/claude-agent-2025-12-22.trace.json": Truth(
        "langfuse", 11, 4, 0, 5 + 5 + 5 + 19, 94 + 56 + 53 + 29,
        1_425_000 + 855_000 + 810_000 + 492_000, tools=(2, 0),
    ),
    "langfuse/langgraph-python-2025-08-22.trace.json": Truth(
        "langfuse", 12, 2, 0, 60 + 108, 15 + 51, 75_000 + 159_000
    ),
    "langfuse/llamaindex-2025-06-05.trace.json": Truth("langfuse", 3, 1, 0, 13, 81, 842_500),
    "langfuse/openai-agents-2025-09-30.trace.json": Truth(
        "langfuse", 8, 2, 0, 85 + 55, 29 + 15, 402_000 + 230_000, tools=(1, 0)
    ),
    "langfuse/pydantic-ai-tools-2025-12-04.trace.json": Truth(
        "langfuse", 13, 4, 0, 417 + 131 + 502 + 265, 53 + 69 + 14 + 73,
        94_350 + 61_050 + 83_700 + 83_550, tools=(3, 0),
    ),
    # The outer span says 14 tokens and the inner one 62: not the sum, and still a wrapper.
    "langfuse/vercel-aisdk-2025-11-17.trace.json": Truth(
        "langfuse", 6, 1, 0, 62, 85, 927_500, tools=(1, 0), folded=1
    ),
    "phoenix/rec_rest_spans.json": Truth("phoenix", **PHOENIX),
    "phoenix/rec_rest_spans_otlpv1.json": Truth("otlp", **PHOENIX),
    "phoenix/rec_spans_dataframe.jsonl": Truth("phoenix", **PHOENIX),
    "phoenix/rec_spans_dataframe.parquet": Truth("phoenix", **PHOENIX),
    "phoenix/rec_span_annotations.jsonl": Truth("phoenix", 1, 0, 0, 0, 0),
    "mlflow/rec_traces_to_json.jsonl": Truth("mlflow", **MLFLOW),
    "mlflow/rec_search_traces.df.jsonl": Truth("mlflow", **MLFLOW),
    "mlflow/rec_search_traces.parquet": Truth("mlflow", **MLFLOW),
    "mlflow/rec_artifact_traces.json": Truth(
        "mlflow", 4, 1, 1, 0, 0, tools=(1, 0), retrievals=1
    ),
    "langsmith/langsmith_py_wrap_openai_.json": Truth("langsmith", 1, 1, 0, 9, 9),
    "langsmith/langsmith_js_wrap_openai_default.json": Truth("langsmith", 1, 1, 0, 9, 9),
    "langsmith/langsmith_py_wrap_openai_stream.json": Truth(
        "langsmith", 1, 1, 0, 9, 9, streams=1, ttft=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUTH)
def test_a_file_gives_what_is_in_it(name: str) -> None:
    truth, found = TRUTH[name], read(name)
    calls = calls_of(found)
    tools = [tool for row in found.kept for tool in row["tool_calls"]]
    checks = [check for row in found.kept for check in row["guardrails"]]
    assert found.logs.files[0].kind.startswith(truth.format)
    assert found.counts() == (truth.records, truth.records, 0, 0)
    got = Truth(
        truth.format,
        len(found.kept),
        len(calls),
        sum(row["failed"] == YES for row in calls),
        total(calls, "input_tokens"),
        total(calls, "output_tokens"),
        total(calls, "cost_nano_usd") if truth.cost is not None else None,
        sum(row["is_blocked"] for row in calls),
        sum(row["streamed"] == YES for row in calls),
        sum(row["ttft_us"] >= 0 for row in calls),
        total(calls, "cache_read_tokens"),
        total(calls, "reasoning_tokens"),
        (len(tools), sum(tool["failed"] == YES for tool in tools)),
        sum(len(row["retrievals"]) for row in found.kept),
        (len(checks), sum(check["triggered"] == YES for check in checks)),
        found.logs.folded(),
    )
    assert got == truth


def test_the_same_traffic_gives_the_same_calls_and_errors_whatever_recorded_it() -> None:
    names = ("openinference_openai", "openllmetry_openai", "otel_openai_v2_legacy")
    seen = []
    for name in names:
        calls = calls_of(read(f"otlp/rec_{name}.otlp.jsonl"))
        classes = sorted(row["error_class"] for row in calls if row["failed"] == YES)
        seen.append((len(calls), classes, total(calls, "input_tokens")))
    assert seen[0] == seen[1] == seen[2]
    # RATE_LIMIT, INVALID_REQUEST and SERVER_ERROR: a class of its own for each failure.
    assert len(set(seen[0][1])) == 3


def test_litellm_latency_is_end_minus_start_and_cache_hits_are_apart() -> None:
    calls = calls_of(read("litellm/rec_standard_logging_payload.jsonl"))
    assert [row["cache_hit"] for row in calls].count(YES) == 2
    assert sum(row["is_embedding"] for row in calls) == 1
    # Line 2, a stream: 698.51 ms in all, 632.04 ms to the first token (response_time says 632).
    assert round(calls[1]["duration_us"] / 1e3, 1) == 698.5
    assert round(calls[1]["ttft_us"] / 1e3, 1) == 632.0
    blocked = [row for row in calls if row["is_blocked"]]
    assert [row["failed"] for row in blocked] == [NO] * 3
    assert all(row["guardrails"][0]["blocked"] for row in blocked)


def test_litellm_masks_are_triggers_and_no_blocks() -> None:
    calls = calls_of(read("litellm/rec_standard_logging_payload.jsonl"))
    masked = [
        row for row in calls
        if row["guardrails"][0]["triggered"] == YES and not row["guardrails"][0]["blocked"]
    ]  # fmt: skip
    assert [row["input_tokens"] for row in masked] == [25, 25, 25]
    assert all(row["failed"] == NO for row in masked)


def test_openinference_ttft_comes_from_the_event() -> None:
    calls = calls_of(read("otlp/rec_openinference_openai.otlp.jsonl"))
    ttft = sorted(round(row["ttft_us"] / 1_000) for row in calls if row["ttft_us"] >= 0)
    assert ttft == [134, 150, 260]


def test_a_failed_openinference_call_still_has_its_model() -> None:
    calls = calls_of(read("otlp/rec_openinference_openai.otlp.jsonl"))
    assert {row["model"] for row in calls if row["failed"] == YES} == {"gpt-4o-mini"}


def test_session_and_user_come_from_the_span_above() -> None:
    calls = calls_of(read("otlp/rec_openinference_openai.otlp.jsonl"))
    # Three handle_request spans name u0/s0, u1/s1 and u2/s0; those that fail name nobody.
    ok = [row for row in calls if row["failed"] != YES]
    assert len({row["session_hash"] for row in ok}) == 2
    assert len({row["user_hash"] for row in ok}) == 3
    assert 0 not in {row["session_hash"] for row in ok}


def test_langfuse_blobs_are_joined_over_files() -> None:
    names = [
        f"langfuse/derived_blob_export/{n}.jsonl" for n in ("observations", "traces", "scores")
    ]
    found = read(*names)
    assert [file.lines for file in found.logs.files] == [46, 8, 9]
    calls = calls_of(found)
    # The calls of the eight single traces: 2 + 1 + 4 + 2 + 1 + 2 + 4 + 1.
    assert len(calls) == 17
    assert total(calls, "input_tokens") == 826 + 41 + 34 + 168 + 13 + 140 + 1315 + 62
    assert total(calls, "output_tokens") == 245 + 3 + 232 + 66 + 81 + 44 + 209 + 85
    # The session of agno's trace stands in traces.jsonl only.
    agno = [row for row in calls if row["input_tokens"] in (663, 163)]
    assert all(row["session_hash"] for row in agno)
    alone = [row for row in calls_of(read(names[0])) if row["input_tokens"] in (663, 163)]
    assert not any(row["session_hash"] for row in alone)


def test_langfuse_latency_is_worked_out_from_times() -> None:
    # `latency` of these files is 1707 here and 4.799 there: milliseconds, and seconds.
    calls = calls_of(read("langfuse/pydantic-ai-tools-2025-12-04.trace.json"))
    assert sorted(row["duration_us"] for row in calls) == [
        1_283_000,
        1_707_000,
        2_050_000,
        2_362_000,
    ]
    agno = calls_of(read("langfuse/agno-2025-06-11.trace.json"))
    assert sorted(row["duration_us"] for row in agno) == [953_000, 4_793_000]


def test_langsmith_times_of_both_sdks() -> None:
    (python,) = calls_of(read("langsmith/langsmith_py_wrap_openai_.json"))
    (stream,) = calls_of(read("langsmith/langsmith_py_wrap_openai_stream.json"))
    (javascript,) = calls_of(read("langsmith/langsmith_js_wrap_openai_default.json"))
    assert python["duration_us"] == 1_118_333  # 58:23.298773 to 58:24.417106
    assert (stream["duration_us"], stream["ttft_us"]) == (1_328_441, 1_238_419)
    assert javascript["duration_us"] == 1_115_000
    assert {row["model"] for row in (python, stream, javascript)} == {"gpt-4o-mini-2024-07-18"}


def test_bedrock_requests_count_once_and_an_intervention_is_a_block() -> None:
    found = read("bedrock/panther_modelinvocation.derived.jsonl")
    # Eight lines of two request ids: ListModels (no call), Converse and InvokeModel, each once. The
    # third line repeats the second's id and says otherwise.
    assert found.counts() == (8, 3, 0, 5)
    assert found.logs.conflicting() == 1
    converse, invoked = calls_of(found)
    assert (converse["duration_us"], converse["is_blocked"]) == (249_000, False)
    assert (invoked["duration_us"], invoked["is_blocked"], invoked["failed"]) == (-1, True, NO)
    (check,) = invoked["guardrails"]
    assert check["name"] == "h28wrktbwagn"
    assert (check["triggered"], check["blocked"], check["duration_us"]) == (YES, True, 179_000)
    assert "I030" in found.codes


def test_a_phoenix_retrieval_has_its_documents() -> None:
    found = read("phoenix/rec_spans_dataframe.parquet")
    retrievals = [r for row in found.kept for r in row["retrievals"]]
    assert sorted(r["n_chunks"] for r in retrievals) == [-1, 2, 2, 2, 2, 2, 2, 2, 2]
    assert max(r["top_score_micro"] for r in retrievals) == 870_000
    chunks = {chunk["chunk"] for row in found.kept for chunk in row["chunks"]}
    assert chunks == {"doc-1", "doc-2"}


@pytest.mark.parametrize(
    "name",
    ["promptfoo/rec_results.json", "promptfoo/rec_results.jsonl", "promptfoo/rec_results.csv",
     "inspect_ai/log_formats.json", "inspect_ai/log_tool_call_error.json",
     "inspect_ai/2025-05-12T20-28-13-04-00_popularity.json", "deepeval/rec_test_run.json",
     "deepeval/langchain_retriever_langchain_schema.json"],
)  # fmt: skip
def test_results_of_evaluations_are_known_and_left_out(name: str) -> None:
    found = read(name)
    assert found.counts() == (0, 0, 0, 0)
    assert found.logs.files[0].note == "not read"
    assert found.codes == ["I034"]
