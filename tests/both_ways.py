"""The same log counted by bench/duckdb.sql and by the engine, and what it means to agree."""

from __future__ import annotations

import gzip
import json
import math
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import awkward_lines
import run_engine
from gonogo.conventions import UNKNOWN
from gonogo.results import Table
from gonogo.rollup.partial import Partial
from gonogo.stats.histogram import Histogram
from run_engine import BOUND, Row

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "bench"))
duckdb = pytest.importorskip("duckdb")
import run_duckdb  # noqa: E402  (found through the path above)

QUANTILES = ("p50", "p90", "p95", "p99")
POPULATIONS = {"latency": "latency_us", "latency_ok": "latency_ok_us", "ttft": "ttft_us",
               "tps": "rate_mtps"}  # fmt: skip
METRICS = {"latency": ("latency_ok", "latency_failed"), "latency_ok": ("latency_ok",),
           "ttft": ("ttft",), "tps": ("tps",)}  # fmt: skip
COUNTS = {
    "calls": "calls", "errors": "errors", "error_known": "outcome_known", "retried": "retried",
    "retry_known": "retries_known", "cache_hits": "cache_hits", "cache_known": "cache_known",
    "latency_eligible": "latency_applicable", "ttft_eligible": "ttft_applicable",
    "input_tokens_n": "input_tokens_n", "output_tokens_n": "output_tokens_n",
    "cost_n": "cost_nano_n",
}  # fmt: skip
SUMS = {
    "input_tokens": "input_tokens_sum", "output_tokens": "output_tokens_sum",
    "cache_read_tokens": "cache_read_tokens_sum", "cache_write_tokens": "cache_write_tokens_sum",
    "reasoning_tokens": "reasoning_tokens_sum", "cost": "cost_nano_sum",
}  # fmt: skip
GUARDS = {"guard_calls": "ran", "guard_known": "flagged", "guard_triggered": "triggered",
          "guard_blocked": "blocked", "guard_bypassed": "bypassed"}  # fmt: skip
RETRIEVALS = {
    "retrievals": "retrievals", "retrieval_known": "hit_known", "retrieval_hits": "hits",
    "retrieval_chunks_known": "chunks_known", "retrieval_empty": "empty",
    "retrieval_failed": "failed", "retrieval_chunks": "chunks",
}  # fmt: skip
TOOLS = {
    "tool_calls": "tool_calls", "tool_known": "outcome_known", "tool_errors": "errors",
    "tool_timeouts": "timeouts", "tool_args_known": "arguments_known",
    "tool_args_invalid": "arguments_invalid", "tool_fallback_known": "fallback_known",
    "tool_fallbacks": "fallbacks", "tool_sum": "latency_us_sum",
}  # fmt: skip


# ── one log, both ways ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Both:
    """The same lines, counted by DuckDB and by the engine."""

    paths: list[Path]
    database: Any
    counted: run_engine.Counted
    tables: dict[str, Table]

    @property
    def partial(self) -> Partial:
        return self.counted.partial

    def sql(self, query: str, *keys: str) -> dict[tuple[Any, ...], Row]:
        """The rows of a query by its key columns, which must be unique."""
        result = self.database.execute(query)
        names = [column[0] for column in result.description]
        rows = [dict(zip(names, values, strict=True)) for values in result.fetchall()]
        keyed = {tuple(row.pop(key) for key in keys): row for row in rows}
        assert len(keyed) == len(rows), f"a key is repeated: {query}"
        return keyed

    def table(self, name: str, *keys: str) -> dict[tuple[Any, ...], Row]:
        return run_engine.rows_of(self.tables[name], *keys) if name in self.tables else {}


def sample_week(folder: Path) -> tuple[list[Path], Any]:
    """The committed days; DuckDB reads them without the lines that are no records."""
    days = sorted((ROOT / "sample_logs").glob("support-copilot-*"))
    clean = []
    for path in days:
        clean.append(path)
        if path.suffix == ".gz":
            lines = gzip.decompress(path.read_bytes()).split(b"\n")
            clean[-1] = folder / path.stem
            clean[-1].write_bytes(b"\n".join(filter(is_record, lines)) + b"\n")
    return days, run_duckdb.compute([str(path) for path in clean])


def is_record(line: bytes) -> bool:
    try:
        value = json.loads(line)
    except ValueError:
        return False
    return isinstance(value, dict) and "trace_id" in value


def hostile(folder: Path, kind: str, seed: int, n: int) -> tuple[list[Path], Any]:
    paths = awkward_lines.write(folder, kind, seed, n)
    return paths, run_duckdb.compute([str(path) for path in paths])


LOGS = {
    "sample week": sample_week,
    "hostile jsonl": lambda folder: hostile(folder, "jsonl", 11, 2500),
    "hostile jsonl, few lines": lambda folder: hostile(folder, "jsonl", 23, 60),
    "hostile parquet": lambda folder: hostile(folder, "parquet", 12, 2500),
}


_MADE: dict[str, Both] = {}


def read(name: str, folders: pytest.TempPathFactory) -> Both:
    """One of LOGS, counted once for all test modules."""
    if name not in _MADE:
        paths, database = LOGS[name](folders.mktemp("logs"))
        counted = run_engine.count(paths)
        _MADE[name] = Both(paths, database, counted, run_engine.tables(counted.partial))
    return _MADE[name]


def by_dimension(both: Both, name: str) -> dict[Any, Row]:
    """The rows of by_<name>, with None for the value that is not logged."""
    rows = both.table(f"by_{name}", "value")
    return {None if value == UNKNOWN else value: row for (value,), row in rows.items()}


def named(rows: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    """The rows with None in their keys for what is not logged."""
    return {tuple(None if k == UNKNOWN else k for k in key): row for key, row in rows.items()}


# ── what equal means ──────────────────────────────────────────────────────────────────────────


def same_counts(found: Row, expected: Row, names: dict[str, str], where: Any) -> None:
    """Equal integers; where DuckDB has no rows to add up, zero or nothing."""
    for ours, theirs in names.items():
        assert (found[ours] or 0) == (expected[theirs] or 0), (where, ours)


def close_quantile(found: float | None, exact: int | None, where: Any) -> None:
    """Within the bound of the exact nearest-rank value; a table shows whole numbers."""
    if exact is None:
        assert found is None, where
    else:
        assert found is not None, where
        assert abs(found - exact) <= BOUND * exact + 0.5 * (exact * BOUND > 0.1), (where, exact)


def same_distribution(found: Row, expected: Row, key: str, source: str, where: Any) -> None:
    """n, sum, min, max and sd exactly, the quantiles within their bound."""
    assert found[f"{key}_n"] == expected[f"{source}_n"], (where, key)
    for part in ("sum", "min", "max"):
        assert found[f"{key}_{part}"] == expected[f"{source}_{part}"], (where, key, part)
    exact = expected[f"{source}_sd"]
    shown = found[f"{key}_sd"]
    assert (shown is None) == (exact is None), (where, key)
    if exact is not None:
        # Ours is rounded down to a whole number; DuckDB's has the rounding of a float.
        margin = 1e-9 * (exact + found[f"{key}_max"]) + 1e-3
        assert math.floor(exact - margin) <= shown <= exact + margin, (where, key)
    same_quantiles(found, expected, key, source, where)


def same_quantiles(found: Row, expected: Row, key: str, source: str, where: Any) -> None:
    exact = expected[f"{source}_q"] or [None] * len(QUANTILES)
    for name, number in zip(QUANTILES, exact, strict=True):
        close_quantile(found[f"{key}_{name}"], number, (where, key, name))


def same_histogram(found: Histogram, n: int, exact: list[int] | None, where: Any) -> None:
    assert found.total == n, where
    for percent, number in zip((50, 90, 95, 99), exact or [None] * 4, strict=True):
        close_quantile(found.quantile(percent, 100), number, (where, percent))


def epoch(day: date | datetime | None) -> int | None:
    if day is None:
        return None
    when = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day)
    return int(when.replace(tzinfo=UTC).timestamp())


def nothing(names: dict[str, str]) -> Row:
    return dict.fromkeys(names.values(), 0)
