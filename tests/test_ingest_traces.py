"""What needs more than one line: duplicates, wrapper spans, errors told twice, inherited ids."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from gonogo.config.load import default_config
from gonogo.ingest import duplicates, parts
from gonogo.ingest.discover import discover
from gonogo.ingest.duplicates import find_duplicates
from gonogo.ingest.logs import read_logs
from gonogo.ingest.parts import BlockStore
from gonogo.ingest.spill import Identities
from gonogo.records import MISSING, NO, UNKNOWN_FLAG, YES
from gonogo.rollup import engine
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar, Selection
from hostile import fields
from reading import Read, Row, contents, read, write

RICH = {
    "retrieval": {"hit": True, "chunk_ids": ["c1", "c2"], "scores": [0.5]},
    "tool_calls": [{"name": "search", "status": "ok", "latency_ms": 5}],
    "guardrails": [{"name": "pii", "stage": "input", "triggered": False}],
}


# --- duplicates


def test_the_first_copy_stays_within_a_file_and_across_files(tmp_path: Path) -> None:
    one, two, three = (fields("dup", i) for i in range(3))
    write(tmp_path / "b.jsonl", two, three)
    write(tmp_path / "a.jsonl", one, two, one)
    found = read(tmp_path)
    assert [(row["file"], row["line"]) for row in found.kept] == [(0, 1), (0, 2), (1, 2)]
    assert [f.duplicates for f in found.logs.files] == [1, 1]
    assert found.logs.conflicting() == 0
    swapped = read(tmp_path / "b.jsonl", tmp_path / "a.jsonl")
    assert [(row["file"], row["line"]) for row in swapped.kept] == [(0, 1), (0, 2), (1, 1)]


def test_a_line_that_lacks_an_id_is_nobodys_duplicate(tmp_path: Path) -> None:
    lines = [
        {"trace_id": "t", "latency_ms": 1}, {"span_id": "s", "latency_ms": 1},
        {"trace_id": "t", "span_id": "", "latency_ms": 1}, {"latency_ms": 1},
        {"trace_id": None, "span_id": "s", "latency_ms": 1},
    ]  # fmt: skip
    assert read(write(tmp_path / "a.jsonl", *lines, *lines)).counts() == (10, 10, 0, 0)
    same = [{"trace_id": 7, "span_id": 8, "ok": True}, {"traceId": "7", "id": "8", "ok": True}]
    assert read(write(tmp_path / "b.jsonl", *same)).counts() == (2, 1, 0, 1)


def test_lines_and_parquet_of_the_same_records_are_the_same_rows(tmp_path: Path) -> None:
    rows = [fields("both", i, **RICH, session_id=f"s{i}", retries=i % 2) for i in range(30)]
    write(tmp_path / "a.jsonl", *rows)
    pl.DataFrame(rows).write_parquet(tmp_path / "b.parquet")
    found = read(tmp_path)
    assert found.counts() == (60, 30, 0, 30)
    assert [f.duplicates for f in found.logs.files] == [0, 30]
    assert found.logs.conflicting() == 0
    assert contents(found.rows[:30]) == contents(found.rows[30:])
    assert read(tmp_path / "b.parquet", tmp_path / "a.jsonl").logs.files[0].duplicates == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"latency_ms": 1}, {"status": "error"}, {"session_id": "other"}, {"request_model": "m"},
        {"retrieval": {"hit": False, "chunk_ids": ["c1", "c2"], "scores": [0.5]}},
        {"retrieval": {"hit": True, "chunk_ids": ["c1", "c3"], "scores": [0.5]}},
        {"tool_calls": [{"name": "search", "status": "error", "latency_ms": 5}]},
        {"guardrails": []},
    ],
)  # fmt: skip
def test_copies_that_differ_are_counted(changed: dict[str, Any], tmp_path: Path) -> None:
    first = fields("differ", 0) | RICH
    other = fields("differ", 1) | RICH
    write(tmp_path / "a.jsonl", first, other, first)
    write(tmp_path / "b.jsonl", first | changed, other, other)
    pl.DataFrame([first | changed | {"guardrails": RICH["guardrails"]}]).write_parquet(
        tmp_path / "c.parquet"
    )
    found = read(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert found.counts() == (6, 2, 0, 4)
    assert found.logs.conflicting() == 1
    columnar = read(tmp_path / "a.jsonl", tmp_path / "c.parquet")
    assert columnar.logs.conflicting() == int("guardrails" not in changed)


IDENTITIES = (0, 1, 2, 3, 2**61, 2**62, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1)
"""From every share of all hashes."""


@settings(max_examples=100)
@given(
    st.lists(st.lists(st.sampled_from(IDENTITIES), max_size=30), max_size=5),
    st.sampled_from((0, 100, 10**6)),
    st.sampled_from((1, 7, 10**6)),
)
def test_duplicates_are_those_of_a_plain_set(
    identities: list[list[int]], budget: int, at_once: int
) -> None:
    kept = Identities(budget)
    held = [kept.keep(np.array(i, dtype=np.uint64)) for i in identities]
    assert budget or kept.spilled_bytes == 8 * sum(map(len, identities))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "SORTED_AT_ONCE", at_once)
        found = find_duplicates(held)
    kept.close()
    seen: set[int] = set()
    every = [i for part in identities for i in part]
    for part, doubles in zip(identities, found, strict=True):
        rows = [row for row, identity in enumerate(part) if identity and every.count(identity) > 1]
        assert doubles.rows.tolist() == rows
        assert doubles.identity.tolist() == [part[row] for row in rows]
        for row, is_dropped in zip(rows, doubles.dropped, strict=True):
            assert is_dropped == (part[row] in seen)
            seen.add(part[row])
        assert doubles.kept(len(part)).sum() == len(part) - doubles.dropped.sum()


# --- spilling


def _partial(paths: list[Path], store: BlockStore) -> Partial:
    logs = read_logs(discover(map(str, paths)), {}, lambda _: None, store=store)
    calendar = Calendar(ZoneInfo("Europe/Berlin"))
    mapper = Mapper(default_config().objectives, Selection(), calendar, logs.dictionaries)
    try:
        return engine.run(logs.blocks(), mapper, logs.ids, lambda _: None)
    finally:
        logs.close()


def test_spilling_to_disk_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        fields("spill", i, **RICH, session_id=f"s{i % 9}", status=("ok", "error")[i % 7 == 0],
               parent_span_id=None if i % 3 else fields("spill", i - 1)["span_id"])
        for i in range(600)
    ]  # fmt: skip
    write(tmp_path / "a.jsonl", *rows[:400])
    pl.DataFrame(rows[300:500]).write_parquet(tmp_path / "b.parquet")
    write(tmp_path / "c.jsonl.gz", *rows[450:], "noise")
    whole = _partial([tmp_path], BlockStore())
    monkeypatch.setattr(parts, "PART_ROWS", 100)
    monkeypatch.setattr("gonogo.ingest.chunks.CHUNK_BYTES", 30_000)
    store = BlockStore(budget=0, identities=Identities(0))
    spilled = _partial([tmp_path], store)
    assert store.spilled_bytes > 0
    assert store.identities.spilled_bytes == 8 * (400 + 200 + 150)
    assert len(store.parts) > 4
    assert not [part for part in store.parts if part.path and part.path.exists()]
    assert spilled.sessions.count() == whole.sessions.count() == 9
    assert (spilled.first_us, spilled.last_us) == (whole.first_us, whole.last_us)
    assert whole.counter("calls") == 600
    for name, frame in whole.frames.items():
        assert_frame_equal(frame, spilled.frames[name])
    assert_frame_equal(whole.exemplars, spilled.exemplars)


# --- traces

Span = dict[str, Any]


def span(name: str, parent: str | None = None, **more: Any) -> Span:
    own = {"trace_id": "t", "span_id": name, "parent_span_id": parent, "latency_ms": 100}
    return own | {"status": "ok"} | more


def trace(tmp_path: Path, *spans: Span, name: str = "trace.jsonl") -> dict[str, Row]:
    """The rows of the spans by their names, in whatever order they are logged."""
    found = read(write(tmp_path / name, *spans))
    rows = {one["span_id"]: row for one, row in zip(spans, found.rows, strict=True)}
    backwards = read(write(tmp_path / f"back-{name}", *reversed(spans)))
    assert contents(backwards.rows) == contents(reversed(found.rows))
    assert found.logs.folded() == backwards.logs.folded()
    return rows


def calls(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row["is_call"]}


def failed(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row["is_call"] and row["failed"] == YES}


def usage(tokens_in: int, tokens_out: int, cost: float | None = None) -> Span:
    return {"input_tokens": tokens_in, "output_tokens": tokens_out, "cost_usd": cost}


def test_a_wrapper_that_repeats_its_calls_counts_once(tmp_path: Path) -> None:
    rows = trace(
        tmp_path,
        span("agent"),
        span("chain", "agent", **usage(30, 12, 0.03)),
        span("call-1", "chain", **usage(10, 5, 0.01)),
        span("call-2", "chain", **usage(20, 7, 0.02)),
        span("client", "agent", **usage(8, 2)),
        span("request", "client", **usage(8, 2)),
    )
    assert calls(rows) == {"call-1", "call-2", "request"}


def test_a_call_with_usage_of_its_own_is_no_wrapper(tmp_path: Path) -> None:
    rows = trace(
        tmp_path,
        span("planner", **usage(50, 9)),
        span("call", "planner", **usage(10, 5)),
        span("writer", None, **usage(7, 7)),
        span("tool", "writer", operation="execute_tool"),
    )
    assert calls(rows) == {"planner", "call", "writer"}


def test_only_the_innermost_of_several_errors_counts(tmp_path: Path) -> None:
    wrong = {"status": "error", "error_type": "timeout"}
    rows = trace(
        tmp_path,
        span("request", **usage(90, 1), **wrong),
        span("retry-1", "request", **usage(10, 5), **wrong),
        span("retry-2", "request", **usage(10, 6)),
        span("inner", "retry-1", **usage(3, 3), **wrong),
    )
    assert calls(rows) == set(rows)
    assert failed(rows) == {"inner"}
    assert rows["request"]["failed"] == NO


def test_a_failure_that_nobody_below_had_is_not_folded_away(tmp_path: Path) -> None:
    rows = trace(tmp_path, span("parse", status="error"), span("call", "parse", **usage(1, 1)))
    assert failed(rows) == {"parse"}
    tools = trace(
        tmp_path,
        span("agent", status="error"),
        span("call", "agent", **usage(1, 1)),
        span("tool", "agent", operation="tool", status="error"),
        name="tools.jsonl",
    )
    assert calls(tools) == {"call"}


def test_session_and_user_are_inherited_from_above(tmp_path: Path) -> None:
    rows = trace(
        tmp_path,
        span("root", session_id="s", user_id="u"),
        span("step", "root"),
        span("leaf", "step", user_id="own", **usage(1, 1)),
        span("stranger", "nobody"),
        {**span("elsewhere", "root"), "trace_id": "other"},
    )
    named = trace(
        tmp_path, span("a", session_id="s", user_id="u"), span("b", user_id="own"), name="n.jsonl"
    )
    assert (
        rows["leaf"]["session_hash"] == rows["step"]["session_hash"] == named["a"]["session_hash"]
    )
    assert rows["step"]["user_hash"] == named["a"]["user_hash"]
    assert rows["leaf"]["user_hash"] == named["b"]["user_hash"]
    for name in ("stranger", "elsewhere"):
        assert rows[name]["session_hash"] == 0


def test_a_trace_may_straddle_files_and_formats(tmp_path: Path) -> None:
    spans = [
        span("root", session_id="s"),
        span("wrap", "root", status="error", **usage(4, 2)),
        span("call", "wrap", status="error", **usage(4, 2)),
        span("call", "wrap", status="error", **usage(4, 2)),
    ]
    whole = read(write(tmp_path / "whole.jsonl", *spans))
    folder = tmp_path / "parts"
    folder.mkdir()
    write(folder / "1.jsonl", spans[0])
    pl.DataFrame(spans[1:2]).write_parquet(folder / "2.parquet")
    write(folder / "3.jsonl.gz", spans[2])
    write(folder / "4.jsonl", spans[3])
    apart = read(folder)
    assert contents(apart.rows) == contents(whole.rows)
    assert whole.logs.folded() == apart.logs.folded() == 2
    assert [row["is_call"] for row in apart.kept] == [False, False, True]
    assert {row["session_hash"] for row in apart.kept} == {whole.rows[0]["session_hash"]}
    assert whole.rows[0]["session_hash"] != 0


def test_a_dropped_copy_is_nobodys_parent_or_child(tmp_path: Path) -> None:
    spans = [
        span("wrap", **usage(4, 2)), span("call", "wrap", **usage(4, 2)),
        span("call", "wrap", **usage(4, 2)), span("wrap", session_id="late", **usage(9, 9)),
    ]  # fmt: skip
    found = read(write(tmp_path / "copies.jsonl", *spans))
    assert [(row["is_call"], row["session_hash"]) for row in found.kept] == [(False, 0), (True, 0)]


@pytest.mark.parametrize("size", [1, 2, 3, 70])
def test_a_circle_of_parents_folds_nothing_and_ends(size: int, tmp_path: Path) -> None:
    wrong = {"status": "error", "session_id": "s", **usage(1, 1)}
    circle = [span(f"c{i}", f"c{(i + 1) % size}", **wrong) for i in range(size)]
    below = [span("tail", "c0", **usage(2, 2)), span("leaf", "tail", **usage(2, 2))]
    rows = trace(tmp_path, *circle, *below)
    assert calls(rows) == {*(f"c{i}" for i in range(size)), "leaf"}
    assert failed(rows) == {f"c{i}" for i in range(size)}
    assert rows["leaf"]["session_hash"] == rows["c0"]["session_hash"] != 0


def test_a_chain_far_deeper_than_any_real_one_ends(tmp_path: Path) -> None:
    chain = [span("0", session_id="s")] + [span(str(i), str(i - 1)) for i in range(1, 3_000)]
    found = read(write(tmp_path / "chain.jsonl", *chain))
    assert found.counts() == (3_000, 3_000, 0, 0)
    assert found.rows[-1]["is_call"]


def _plainly(spans: Iterable[Span]) -> tuple[set[str], set[str]]:
    """(calls, failed calls) of a forest of spans, worked out from the leaves up."""
    by_name = {one["span_id"]: one for one in spans}
    names = ("input_tokens", "output_tokens", "cost_usd")
    folded: set[str] = set()

    def below(name: str) -> list[Span]:
        return [one for one in by_name.values() if one["parent_span_id"] == name]

    def effective(one: Span) -> list[int]:
        if one["span_id"] in folded:
            return [
                sum(column) for column in zip(*map(effective, below(one["span_id"])), strict=True)
            ]
        return [one.get(name) or 0 for name in names]

    def fold(one: Span) -> None:
        children = below(one["span_id"])
        for child in children:
            fold(child)
        if children:
            own = [one.get(name) for name in names]
            totals = [sum(c) for c in zip(*map(effective, children), strict=True)]
            candidates = [totals, *map(effective, children)]
            if any(
                all(o is None or o == w for o, w in zip(own, c, strict=True)) for c in candidates
            ):
                folded.add(one["span_id"])

    for one in by_name.values():
        if one["parent_span_id"] is None:
            fold(one)
    wrong = {name for name, one in by_name.items() if one["status"] == "error"}
    told_below = {by_name[name]["parent_span_id"] for name in wrong}
    left = set(by_name) - (folded - (wrong - told_below))
    return left, {name for name in wrong if name not in told_below} & left


@st.composite
def forests(draw: st.DrawFn) -> list[Span]:
    size = draw(st.integers(1, 9))
    numbers = st.none() | st.integers(0, 3)
    return [
        span(
            str(i), None if i == 0 else draw(st.none() | st.integers(0, i - 1).map(str)),
            input_tokens=draw(numbers), output_tokens=draw(numbers),
            status=draw(st.sampled_from(["ok", "ok", "error"])),
        )
        for i in range(size)
    ]  # fmt: skip


@settings(max_examples=80)
@given(forests(), st.randoms(use_true_random=False))
def test_any_forest_folds_as_worked_out_from_its_leaves(
    tmp_path_factory: pytest.TempPathFactory, spans: list[Span], rng: random.Random
) -> None:
    folder = tmp_path_factory.getbasetemp() / "forest"
    folder.mkdir(exist_ok=True)
    rng.shuffle(spans)
    cut = rng.randrange(len(spans) + 1)
    write(folder / "a.jsonl", *spans[:cut])
    write(folder / "b.jsonl", *spans[cut:])
    found = read(*[p for p in (folder / "a.jsonl", folder / "b.jsonl") if p.stat().st_size])
    rows = {one["span_id"]: row for one, row in zip(spans, found.rows, strict=True)}
    assert (calls(rows), failed(rows)) == _plainly(spans)


def test_logs_without_parents_are_left_as_they_are(tmp_path: Path) -> None:
    found: Read = read(write(tmp_path / "flat.jsonl", *(fields("flat", i) for i in range(5))))
    assert found.logs.rules == [None]
    assert {row["failed"] for row in found.rows} == {NO}
    bare = read(write(tmp_path / "bare.jsonl", json.dumps({"latency_ms": 5}))).rows[0]
    assert (bare["failed"], bare["input_tokens"], bare["cache_hit"]) == (
        UNKNOWN_FLAG, MISSING, UNKNOWN_FLAG,
    )  # fmt: skip
