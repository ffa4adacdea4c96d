"""Taking away a field that a production log must have never yields GO."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import run_engine
from gonogo.config.keys import CANONICAL_FIELDS, REQUIRED_FIELDS
from gonogo.config.load import default_config
from gonogo.conventions import Status, Verdict
from gonogo.measures import Distributions, field_coverage, objective_data
from gonogo.readiness import decide
from gonogo.results import ReadinessResult
from gonogo.slo import evaluate
from test_planted import AGREED
from test_sample_logs import generate

Call = dict[str, Any]

REQUIRED: dict[str, tuple[str, ...]] = {
    "timestamp": ("timestamp",),
    "trace id": ("trace_id",),
    "session and user id": ("session_id", "user_id"),
    "model": ("response_model", "request_model"),
    "release and prompt version": ("release", "prompt_version"),
    "input tokens": ("input_tokens",),
    "output tokens": ("output_tokens",),
    "latency": ("latency_ms",),
    "time to first token": ("ttft_ms",),
    "status": ("status",),
    "status and error type": ("status", "error_type"),
    "output": ("output",),
    "guardrails": ("guardrails",),
    "guardrail flags": ("guardrails.triggered",),
    "retrieval": ("retrieval",),
    "retrieval hit": ("retrieval.hit",),
    "retrieved chunk ids": ("retrieval.chunk_ids",),
    "retrieval hit and chunk ids": ("retrieval.hit", "retrieval.chunk_ids"),
    "everything about a hit": ("retrieval.hit", "retrieval.chunk_ids",
                               "retrieval.expected_chunk_ids"),
    "tool calls": ("tool_calls",),
    "tool status": ("tool_calls.status",),
    "tool status and error type": ("tool_calls.status", "tool_calls.error_type"),
    "tool input": ("tool_calls.input",),
    "tool latency": ("tool_calls.latency_ms",),
}  # fmt: skip


def without(calls: Iterable[Call], paths: Iterable[str]) -> Iterator[Call]:
    """The calls without some fields; `a.b` is b of the object, or of each object, under a."""
    for call in calls:
        copy = dict(call)
        for path in paths:
            name, dot, inner = path.partition(".")
            if not dot:
                copy.pop(name, None)
            elif isinstance(copy.get(name), dict):
                copy[name] = {k: v for k, v in copy[name].items() if k != inner}
            elif name in copy:
                copy[name] = [{k: v for k, v in c.items() if k != inner} for c in copy[name]]
        yield copy


def nulled(frame: pl.DataFrame, paths: Iterable[str], where: pl.Expr | None = None) -> pl.DataFrame:
    """The frame with null in some fields, on all rows or on those of `where`."""
    for path in paths:
        name, dot, inner = path.partition(".")
        dtype = frame.schema[name]
        gone = pl.lit(None, dtype=dtype)
        if dot:
            listed = isinstance(dtype, pl.List)
            struct = dtype.inner if isinstance(dtype, pl.List) else dtype
            assert isinstance(struct, pl.Struct)
            source = pl.element() if listed else pl.col(name)
            members = [
                pl.lit(None, dtype=f.dtype).alias(inner) if f.name == inner
                else source.struct.field(f.name)
                for f in struct.fields
            ]  # fmt: skip
            gone = pl.when(source.is_not_null()).then(pl.struct(members))
            gone = pl.col(name).list.eval(gone) if listed else gone
        if where is not None:
            gone = pl.when(where).then(gone).otherwise(pl.col(name))
        frame = frame.with_columns(gone.alias(name))
    return frame


def judge(
    folder: Path, calls: Iterable[Call] | pl.DataFrame, config: str | None
) -> ReadinessResult:
    """The result of calls as JSONL, or of a frame as Parquet."""
    path = None
    if config is not None:
        path = folder / "readiness.toml"
        path.write_text(config)
    if isinstance(calls, pl.DataFrame):
        log = folder / "log.parquet"
        calls.write_parquet(log)
    else:
        log = folder / "log.jsonl"
        log.write_text("".join(json.dumps(call) + "\n" for call in calls))
    return run_engine.check(folder, log, config=path)


def verdict(folder: Path, calls: pl.DataFrame) -> Verdict:
    """The verdict with the defaults, without the tables that come with it."""
    config = default_config()
    calls.write_parquet(folder / "log.parquet")
    partial = run_engine.count([folder / "log.parquet"], config.objectives).partial
    objectives, _ = evaluate(objective_data(partial, config, Distributions(partial)), config)
    coverage = field_coverage(partial, config)
    return decide(objectives, (), telemetry_only=True, coverage=coverage)[1].verdict


@pytest.fixture(scope="module")
def quiet() -> list[Call]:
    return list(generate.calls_for_week(7, False, 2000))


@pytest.fixture(scope="module")
def planted() -> list[Call]:
    return list(generate.calls_for_week())


def fields(calls: Iterable[Call]) -> set[str]:
    """Every field that some call has: `name`, and `name.inner` of children."""
    found = set()
    for call in calls:
        for name, value in call.items():
            found.add(name)
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, dict):
                    found |= {f"{name}.{inner}" for inner in child}
    return found


def test_a_quiet_week_with_every_field_is_a_plain_go(tmp_path: Path, quiet: list[Call]) -> None:
    for config, calls in ((AGREED, generate.parquet_frame(quiet)), (AGREED, quiet), (None, quiet)):
        result = judge(tmp_path, calls, config)
        assert result.readiness.verdict is Verdict.GO
        assert all(field.present > 0 for field in result.coverage)


def test_every_required_field_is_taken_away_here() -> None:
    names = {"model": "response_model"}
    taken = {path for paths in REQUIRED.values() for path in paths}
    assert {names.get(field, field) for field in REQUIRED_FIELDS} <= taken


@pytest.mark.parametrize("name", REQUIRED)
def test_taking_away_a_required_field_never_yields_go(
    tmp_path: Path, quiet: list[Call], name: str
) -> None:
    assert set(REQUIRED[name]) <= fields(quiet)
    for calls, config in (
        (nulled(generate.parquet_frame(quiet), REQUIRED[name]), AGREED),
        (without(quiet, REQUIRED[name]), None),
    ):
        result = judge(tmp_path, calls, config)
        assert result.readiness.verdict in (Verdict.CONDITIONS, Verdict.INCONCLUSIVE)
        assert result.slo.verdict is not Verdict.GO
        # And the reason is that something is missing, not that something went wrong.
        statuses = {o.status for o in result.objectives}
        assert statuses <= {Status.MET, Status.NO_DATA, Status.NOT_APPLICABLE}
        texts = " ".join(reason.text for reason in result.readiness.reasons)
        assert any(w in texts for w in ("is not logged", "is logged on", "carry", "carries")), texts


def test_a_field_that_is_only_there_on_some_calls_is_not_there(
    tmp_path: Path, quiet: list[Call]
) -> None:
    """Every required field again, this time taken from six of ten calls alone."""
    frame = generate.parquet_frame(quiet)
    most = pl.int_range(pl.len()) % 10 < 6
    for name, paths in REQUIRED.items():
        # A call without any child is an ordinary call: nothing says that there should be one.
        if name in ("guardrails", "retrieval", "tool calls"):
            continue
        result = judge(tmp_path, nulled(frame, paths, most), AGREED)
        assert result.readiness.verdict is not Verdict.GO, name


def test_no_field_at_all_makes_the_planted_week_a_go(tmp_path: Path, planted: list[Call]) -> None:
    """Every field that is read, one by one, and the groups above, with the defaults."""
    frame = generate.parquet_frame(planted)
    assert judge(tmp_path, frame, None).readiness.verdict is Verdict.CONDITIONS
    assert verdict(tmp_path, frame) is Verdict.CONDITIONS
    groups = [(field,) for field in sorted(fields(planted) & set(CANONICAL_FIELDS))]
    groups += [paths for paths in REQUIRED.values() if len(paths) > 1]
    assert len(groups) > 45
    for paths in groups:
        assert verdict(tmp_path, nulled(frame, paths)) is not Verdict.GO, paths
