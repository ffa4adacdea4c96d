"""Records that are written again when they change: the latest version counts, in any container."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import reading


def version(minute: int | None, ms: int, span: str = "s") -> dict[str, Any]:
    at = None if minute is None else datetime(2026, 11, 16, 9, minute, tzinfo=UTC)
    return {
        "timestamp": "2026-11-16T08:00:00Z", "trace_id": "t", "span_id": span, "model": "m",
        "latency_ms": ms, "record_updated_at": at,
    }  # fmt: skip


def written(path: Path, rows: list[dict[str, Any]], kind: str) -> Path:
    """The same rows in Parquet with times, in Parquet with texts, or as JSON lines."""
    if kind == "parquet":
        pl.DataFrame(rows).write_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    at = [{**row, "record_updated_at": (t := row["record_updated_at"]) and t.isoformat()}
          for row in rows]  # fmt: skip
    if kind == "parquet of texts":
        pl.DataFrame(at).write_parquet(path.with_suffix(".parquet"))
        return path.with_suffix(".parquet")
    return reading.write(path.with_suffix(".jsonl"), *at)


KINDS = ("jsonl", "parquet", "parquet of texts")


@pytest.mark.parametrize("kind", KINDS)
def test_the_latest_version_counts(kind: str, tmp_path: Path) -> None:
    """Of 1, 9 (twice) and 5 minutes past nine, the first of the two at nine past stays."""
    rows = [version(1, 10), version(9, 20), version(9, 30), version(5, 40), version(None, 50),
            version(None, 60, "other")]  # fmt: skip
    found = reading.read(written(tmp_path / "a", rows, kind))
    assert [row["duration_us"] for row in found.kept] == [20_000, 60_000]
    assert found.counts() == (6, 2, 0, 4)


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
@pytest.mark.parametrize("newer", [0, 1])
def test_over_files_of_any_kind(first: str, second: str, newer: int, tmp_path: Path) -> None:
    minutes = (9, 3) if newer == 0 else (3, 9)
    paths = [
        written(tmp_path / f"{n}", [version(minute, 10 + n)], kind)
        for n, (minute, kind) in enumerate(zip(minutes, (first, second), strict=True))
    ]
    found = reading.read(*paths)
    assert [row["duration_us"] for row in found.kept] == [10_000 + 1_000 * newer]


def test_without_such_a_column_the_first_row_counts(tmp_path: Path) -> None:
    rows = [version(None, 10), version(None, 20)]
    for row in rows:
        del row["record_updated_at"]
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    assert [row["duration_us"] for row in reading.read(tmp_path / "a.parquet").kept] == [10_000]
