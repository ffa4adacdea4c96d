"""Result files of evaluation tools, with counts worked out by hand from the files."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from gonogo.config.evidence import Evals
from gonogo.evidence.cases import ERRORED, FAILED, PASSED, UNSCORED, Cases
from gonogo.evidence.evalfiles import UnreadableError, read_cases
from gonogo.evidence.golden import load, runs_of
from gonogo.stats.paired import pass_hat

FORMATS = Path(__file__).parents[2] / "shared" / "data" / "formats"
LOGS = FORMATS.parent / "logs"
real = pytest.mark.skipif(not FORMATS.is_dir(), reason="the real data are not beside the checkout")


def outcomes(cases: Cases) -> dict[str, int]:
    return dict(Counter(cases.frame()["outcome"].to_list()))


def lines(folder: Path, *rows: Any, name: str = "cases.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# --- recorded files -------------------------------------------------------------------------------


@real
@pytest.mark.parametrize("name", ["rec_results.json", "rec_results.jsonl"])
def test_promptfoo_two_prompts_of_one_pass_one_failure_and_one_error(name: str) -> None:
    cases = read_cases(FORMATS / "promptfoo" / name, Evals())
    assert outcomes(cases) == {PASSED: 2, FAILED: 2, ERRORED: 2}
    frame = cases.frame()
    assert sorted(set(frame["case"])) == ["errors", "fails", "greets"]
    assert set(frame["model"]) == {"gpt-4o-mini"}
    versions = sorted(set(frame["prompt_version"]))
    assert versions == ["prompt-352eb2f1", "prompt-f6f72e21"]
    assert "LONGPROMPT" not in str(frame.to_dicts())
    assert [(r.cases, r.passed) for r in runs_of(frame)] == [(3, 1), (3, 1)]


@real
def test_the_wide_csv_of_promptfoo_is_refused_with_what_to_write_instead() -> None:
    with pytest.raises(UnreadableError, match=r"-o results\.json"):
        read_cases(FORMATS / "promptfoo" / "rec_results.csv", Evals())


@real
@pytest.mark.parametrize(
    ("name", "expected", "notes"),
    [
        ("2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval",
         {PASSED: 8, FAILED: 2}, 0),
        ("2025-05-12T20-28-13-04-00_popularity.json", {PASSED: 2, FAILED: 1}, 1),
        ("log_formats.json", {FAILED: 1}, 0),
        ("log_tool_call_error.json", {UNSCORED: 1}, 0),
    ],
)  # fmt: skip
def test_inspect(name: str, expected: dict[str, int], notes: int) -> None:
    cases = read_cases(FORMATS / "inspect_ai" / name, Evals())
    assert (cases.kind, outcomes(cases), len(cases.notes)) == ("Inspect", expected, notes)


@real
def test_deepeval() -> None:
    cases = read_cases(FORMATS / "deepeval" / "rec_test_run.json", Evals())
    assert (cases.kind, outcomes(cases)) == ("DeepEval", {PASSED: 1, FAILED: 1})
    assert dict(cases.frame().select("case", "outcome").rows()) == {"g1": PASSED, "g2": FAILED}


@real
def test_a_trace_that_is_no_result_file_holds_no_case() -> None:
    path = FORMATS / "deepeval" / "langchain_retriever_langchain_schema.json"
    golden = load(Evals(), [path], [])
    assert golden.current.height == 0
    assert any("holds no case" in finding.text for finding in golden.findings)


@real
def test_tau_bench_has_the_published_pass_hat_k() -> None:
    (run,) = runs_of(read_cases(LOGS / "tau_bench.jsonl", Evals()).frame())
    assert (run.cases, run.repeats, sum(c for c, _ in run.trials())) == (50, 4, 84)
    published = {1: 0.42, 2: 0.273, 3: 0.22, 4: 0.2}
    for k, value in published.items():
        found = pass_hat(run.trials(), k)
        assert found is not None
        assert abs(float(found) - value) <= 0.0005
    assert run.passed == 10  # a case passes if each of its four trials did: 20 % of 50


# --- archives, Ragas, OpenAI evals ----------------------------------------------------------------


def archive(path: Path, method: int) -> Path:
    """An Inspect archive with two samples, one with an error; members by Zstandard if 93."""
    sample = {"input": "q", "metadata": {"tags": ["edge"], "critical": True}}
    members = {
        "header.json": {"status": "success", "eval": {"model": "openai/gpt-4o"}},
        "samples/a_epoch_1.json": {**sample, "id": "a", "epoch": 1, "scores": {"m": {"value": 1}}},
        "samples/b_epoch_1.json": {**sample, "id": "b", "epoch": 1, "error": {"message": "x"}},
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            data = json.dumps(content).encode()
            if method == zipfile.ZIP_DEFLATED:
                file.writestr(name, data, compress_type=zipfile.ZIP_DEFLATED)
            else:
                file.writestr(name, pa.Codec("zstd").compress(data, asbytes=True))
                info = file.getinfo(name)
                info.compress_type, info.file_size = 93, len(data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, 93])
def test_inspect_archives_are_read_deflated_and_by_zstandard(tmp_path: Path, method: int) -> None:
    cases = read_cases(archive(tmp_path / "log.eval", method), Evals())
    frame = cases.frame().sort("case")
    assert frame["outcome"].to_list() == [PASSED, ERRORED]
    assert frame["model"].to_list() == ["gpt-4o", "gpt-4o"]
    assert frame["critical"].to_list() == [True, True]


def test_a_ragas_cell_that_is_nan_or_empty_is_not_zero_and_no_pass(tmp_path: Path) -> None:
    path = tmp_path / "ragas.csv"
    path.write_text(
        "user_input,retrieved_contexts,response,faithfulness,relevancy\n"
        "q1,\"['a']\",r,0.9,0.8\nq2,\"['a']\",r,NaN,0.9\nq3,\"['a']\",r,0.2,0.9\nq4,\"['a']\",r,,1\n"
    )
    evals = Evals(thresholds={"faithfulness": Fraction(1, 2)}, threshold=Fraction(7, 10))
    cases = read_cases(path, evals)
    assert cases.frame()["outcome"].to_list() == [PASSED, UNSCORED, FAILED, UNSCORED]
    assert all(cases.frame()["judged"])
    assert "q1" not in set(cases.frame()["case"])


def test_openai_evals(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"spec": {"completion_fns": ["gpt-4o"], "eval_name": "x"}},
        {"sample_id": "a", "type": "match", "data": {"correct": True}},
        {"sample_id": "b", "type": "match", "data": {"correct": False}},
        {"sample_id": "c", "type": "match", "data": {"correct": True}},
        {"sample_id": "c", "type": "error", "data": {}},
        {"sample_id": "d", "type": "sampling", "data": {}},
        {"final_report": {"accuracy": 0.5}},
    )
    frame = read_cases(path, Evals()).frame()
    found = dict(frame.select("case", "outcome").rows())
    assert found == {"a": PASSED, "b": FAILED, "c": ERRORED, "d": UNSCORED}
    assert set(frame["model"]) == {"gpt-4o"}


# --- gonogo's own ---------------------------------------------------------------------------------


def test_scores_thresholds_and_what_is_no_score(tmp_path: Path) -> None:
    rows = [
        ({"score": 0.7, "threshold": 0.7}, PASSED),
        ({"score": 0.69, "threshold": 0.7}, FAILED),
        ({"score": 0.7}, UNSCORED),
        ({"score": 1}, PASSED),
        ({"score": 0}, FAILED),
        ({"score": 1.2, "threshold": 0.5}, UNSCORED),
        ({"score": -0.1, "threshold": 0.5}, UNSCORED),
        ({"score": 7, "passed": True}, UNSCORED),
        ({"passed": True, "score": 0.3}, PASSED),
        ({"passed": "no"}, FAILED),
        ({"passed": True, "error": "timeout"}, ERRORED),
        ({}, UNSCORED),
    ]
    path = lines(tmp_path, *({"case_id": f"c{i}", **row} for i, (row, _) in enumerate(rows)))
    path.write_text(path.read_text() + '{"case_id":"nan","score":NaN,"threshold":0}\n{"broken\n')
    cases = read_cases(path, Evals())
    assert cases.frame()["outcome"].to_list() == [*(o for _, o in rows), UNSCORED]
    assert dict(cases.troubles) == {
        "scores lie outside 0 to 1": 3,
        "scores have no threshold (set threshold in [evals])": 1,
        "lines are not JSON": 1,
    }


def test_csv_and_parquet_hold_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame({
        "case_id": ["a", "b"], "tags": ["edge;normal", "Known failure"], "critical": ["yes", "no"],
        "passed": ["true", "0"], "repeat": [1, 1], "labeller": ["x", None],
    })  # fmt: skip
    frame.write_csv(tmp_path / "c.csv")
    frame.write_parquet(tmp_path / "c.parquet")
    found = [read_cases(tmp_path / f"c.{kind}", Evals()).frame() for kind in ("csv", "parquet")]
    assert found[0].equals(found[1])
    assert found[0]["tags"].to_list() == [["edge", "normal"], ["known_failure"]]
    assert found[0]["labelled"].to_list() == [True, False]
    assert found[0]["outcome"].to_list() == [PASSED, FAILED]


@pytest.mark.parametrize("padding", [0, 9 << 20])
def test_small_and_large_documents_mean_the_same(tmp_path: Path, padding: int) -> None:
    """A large one is read item by item."""
    tests = [{"name": f"t{i}", "success": i > 0, "metricsData": []} for i in range(3)]
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"testCases": tests, "input": "x" * padding}))
    found = read_cases(path, Evals()).frame()
    assert found["outcome"].to_list() == [FAILED, PASSED, PASSED]


def test_nan_in_a_document_does_not_stop_its_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(
        '{"version": 2, "status": "success", "eval": {"model": "a/m"}, "samples": ['
        '{"id": 1, "epoch": 1, "scores": {"f": {"value": NaN}}},'
        '{"id": 2, "epoch": 1, "scores": {"f": {"value": 0.9}}}]}'
    )
    frame = read_cases(path, Evals(threshold=Fraction(1, 2))).frame()
    assert frame["outcome"].to_list() == [UNSCORED, PASSED]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", b"\x00\xff", "not JSON"),
        ("x.json", b'{"evalId": 1, "results": {"results": [{"success": true}, ', "breaks off"),
        ("x.eval", b"PK", "broken"),
        ("x.parquet", b"PAR1", "broken"),
        ("x.csv", b"\xff\xfe\x00", "UTF-8"),
        ("gone.json", None, "No such file"),
    ],
)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableError, match=says):
        read_cases(path, Evals())


def test_an_archive_without_a_header_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("samples/a_epoch_1.json", "{}")
    path = tmp_path / "x.eval"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(UnreadableError, match=r"header\.json"):
        read_cases(path, Evals())


def test_two_hundred_thousand_cases_stay_small_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("w") as file:
        for i in range(200_000):
            file.write(f'{{"case_id":"case-{i}","passed":{"true" if i % 10 else "false"}}}\n')
    tracemalloc.start()
    frame = read_cases(path, Evals()).frame()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert frame.height == 200_000
    assert int((frame["outcome"] == PASSED).sum()) == 180_000
    # 200,000 rows as dicts would take some 150 MB of Python objects; pieces of 8,192 take 7.
    assert peak < 40 << 20


@pytest.mark.parametrize(
    ("success", "outcome"),
    [(True, PASSED), (False, FAILED), (1, PASSED), (0, FAILED), (None, UNSCORED), (2, UNSCORED),
     ("true", UNSCORED), ([], UNSCORED), ({"a": 1}, UNSCORED)],
)  # fmt: skip
def test_a_verdict_that_is_none_spoils_no_file(
    tmp_path: Path, success: object, outcome: str
) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"testCases": [{"name": "a", "input": "x", "success": success}]}))
    assert outcomes(read_cases(path, Evals())) == {outcome: 1}
