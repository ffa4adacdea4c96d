"""Stored partials put together to be judged: no order and no split of them changes a figure."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from gonogo import pipeline, stored
from gonogo.cli import main
from gonogo.errors import ResultError
from gonogo.measures import relabel
from gonogo.measures.runs import heads
from gonogo.progress import Silent
from gonogo.request import Request
from gonogo.rollup import store
from gonogo.rollup.partial import FRAMES, Partial, merge
from gonogo.rollup.together import together
from test_stored import call, from_logs, from_rollups, roll, three_days, write

__all__ = ["three_days"]

MORE: dict[str, Any] = {
    "guardrails": [{"name": "pii", "stage": "input", "triggered": True, "latency_ms": 7}],
    "retrieval": {"index_version": "i1", "chunk_ids": ["a", "b"], "hit": True, "latency_ms": 30},
    "tool_calls": [{"name": "search", "status": "ok", "latency_ms": 40}],
}


def kept(folder: str = "rollups") -> list[store.Kept]:
    return [store.describe(path.parent) for path in sorted(Path(folder).glob("*/rollup.json"))]


def summed(frame: pl.DataFrame, name: str, *, dated: bool) -> pl.DataFrame:
    """One row a key, in order; by hand, without the code under test."""
    spec = FRAMES[name]
    keys = list(spec.keys) if dated else [key for key in spec.keys if key != "day"]
    found = frame.group_by(keys).agg(
        *(pl.col(c).sum() for c in spec.sums),
        *(pl.col(c).min() for c in spec.minimum),
        *(pl.col(c).max() for c in spec.maximum),
    )
    return found.sort(keys, nulls_last=True)


def test_it_holds_the_sums_of_the_merge(logs: Path) -> None:
    for day in range(2):  # of the same hours: rows of one key in several files
        rows = [call(day, n, span_id=f"{day}{n}", trace_id=f"x{n}", **MORE) for n in range(40)]
        write(logs / f"more{day}.jsonl", rows)
    write(logs / "late.jsonl", [call(1, 7, timestamp=None, trace_id="u", **MORE)])
    write(logs / "later.jsonl", [call(1, 7, timestamp=None, trace_id="v", **MORE)])
    roll("logs")
    parts = kept()
    assert len(parts) == 7
    found, expected = together(parts), merge([store.load(part.folder) for part in parts])
    for name in FRAMES:
        dated = name != "chunks"  # judged over all days
        assert expected.frames[name].height or name in (
            "requests",
            "constraints",
            "actions",
            "evaluations",
            "tool_limits",
        ), name
        assert found.frames[name].schema == expected.frames[name].schema
        assert_frame_equal(
            summed(found.frames[name], name, dated=dated),
            summed(expected.frames[name], name, dated=dated),
        )
    # Only histograms, which are added up when they are asked for, have rows of one key twice.
    for name in FRAMES.keys() - {"histograms", "chunks"}:
        assert found.frames[name].height == expected.frames[name].height, name
    assert_frame_equal(found.exemplars, expected.exemplars)
    for name in ("sessions", "users", "prompts"):
        assert list(getattr(found, name).hashes) == list(getattr(expected, name).hashes)
    assert (found.first_us, found.last_us) == (expected.first_us, expected.last_us)
    for name in set(FRAMES) - {"calls", "errors", "checked", "tenants", "retrievals", "chunks",
                               "tool_calls", "guardrails", "guard_users", "extremes",
                               "histograms"}:  # fmt: skip
        assert_frame_equal(found.frames[name], expected.frames[name])  # in the same order, too


def test_files_of_the_same_hours_are_added_up(logs: Path) -> None:
    rows = [call(day, n, **MORE) for day in range(3) for n in range(0, 1200, 7)]
    for path in logs.iterdir():
        path.unlink()
    for number in range(3):
        write(logs / f"{number}.jsonl", rows[number::3])
    roll("logs")
    assert from_rollups() == from_logs("logs")


def test_no_order_of_rows_or_files_changes_a_result(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(logs / "9.jsonl", [call(n % 4, n, span_id=f"o{n}", **MORE) for n in range(90)])
    roll("logs")
    whole = from_rollups()
    shuffled = []

    def stirred(parts: list[store.Kept]) -> Partial:
        parts = random.Random(3).sample(parts, len(parts))
        partial = together(parts)
        for name in ("calls", "errors", "checked", "tenants", "retrievals", "tool_calls", "chunks",
                     "guardrails", "guard_users", "extremes", "histograms"):  # fmt: skip
            frame = partial.frames[name]
            partial.frames[name] = frame.sample(fraction=1, shuffle=True, seed=5)
            shuffled.append(not partial.frames[name].equals(frame))
        return partial

    monkeypatch.setattr(stored, "together", stirred)
    assert from_rollups() == whole
    assert sum(shuffled) >= 9


def test_of_files_outside_the_period_nothing_but_the_span_is_read(logs: Path) -> None:
    roll("logs")
    first = next(one for one in kept() if one.first_us == min(k.first_us or 0 for k in kept()))
    whole = from_rollups(period="2026-11-24..2026-11-26")
    for path in first.folder.glob("*.parquet"):
        path.unlink()
    assert from_rollups(period="2026-11-24..2026-11-26") == whole
    with pytest.raises(ResultError) as caught:
        from_rollups()
    assert caught.value.diagnostics[0].code == "R006"
    assert caught.value.diagnostics[0].where == str(first.folder)


def test_a_damaged_file_is_named(logs: Path) -> None:
    roll("logs")
    folder = kept()[1].folder
    (folder / "calls.parquet").write_bytes(b"PAR1 not really")
    done = CliRunner().invoke(main, ["check", "--from-rollups", "rollups", "-q"])
    assert done.exit_code == 2, done.output
    assert "calls.parquet is damaged or missing" in done.stderr
    assert folder.name in done.stderr


def test_counts_that_a_store_holds_are_not_written_again(logs: Path) -> None:
    roll("logs")
    state = Path("state")
    plain = Request(logs=("logs",), config_path=None, state=state)
    pipeline.build(plain, Path("site"), Silent())
    assert (state / "rollup" / "rollup.json").is_file()
    pipeline.build(
        Request(logs=(), config_path=None, state=state, rollups=Path("rollups")),
        Path("site"),
        Silent(),
    )
    # Neither is that of the logs left beside a result that was not made of it.
    assert not (state / "rollup").exists()
    assert (state / "readiness.json").read_bytes() == Path("site/readiness.json").read_bytes()


def test_heads_are_where_a_key_changes() -> None:
    frame = pl.DataFrame({"a": ["x", "x", None, None, "x"], "b": [1, 1, 1, 2, 2]})
    assert heads(frame, [pl.col("a")]).to_list() == [0, 2, 4]
    assert heads(frame, [pl.col("a"), pl.col("b")]).to_list() == [0, 2, 3, 4]
    assert heads(frame.clear(), [pl.col("a")]).to_list() == []


def test_values_that_get_one_name_are_one_row() -> None:
    """`relabel` by hand: two models that are shown alike, and a pair of which one part changes."""
    columns = FRAMES["tool_calls"].schema
    blank = {name: 0 if kind == pl.Int64 else None for name, kind in columns.items()}
    rows = [
        {**blank, "model": model, "tool": "t", "hour": 0, "calls": calls}
        for model, calls in (("m one", 2), ("m two", 3), ("n", 4))
    ]
    buckets = [
        {"metric": "guardrail_latency", "dimension": "guardrail", "value": f"{name}\x1fin",
         "start": 0, "bucket": 1, "count": 5}
        for name in ("g one", "g two")
    ]  # fmt: skip
    frames = Partial.zero().frames | {
        "tool_calls": pl.DataFrame(rows, schema=columns),
        "histograms": pl.DataFrame(buckets, schema=FRAMES["histograms"].schema),
    }
    found = relabel(Partial(frames), lambda _, text: text.split()[0]).frames
    assert found["tool_calls"].select("model", "calls").rows() == [("m", 5), ("n", 4)]
    assert found["histograms"].select("value", "count").rows() == [("g\x1fin", 10)]
