"""Every indicator of the engine equals bench/duckdb.sql: on the sample week and on hostile logs."""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import awkward_lines
import bench_oracle as oracle
import run_engine
from gonogo.config.model import Config
from gonogo.conventions import DIMENSIONS, UNKNOWN
from gonogo.results import Table
from gonogo.rollup.partial import Partial
from gonogo.stats.histogram import Histogram
from run_engine import BOUND, Row, histogram

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


@pytest.fixture(scope="module", params=LOGS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    paths, database = LOGS[request.param](tmp_path_factory.mktemp("logs"))
    counted = run_engine.count(paths)
    return Both(paths, database, counted, run_engine.tables(counted.partial))


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


# ── lines and calls ───────────────────────────────────────────────────────────────────────────


def test_lines_duplicates_and_calls(both: Both) -> None:
    (expected,) = both.sql("FROM r_lines").values()
    assert expected == {
        "lines": both.counted.lines - both.counted.quarantined,
        "duplicates": both.counted.duplicates,
        "calls": both.partial.counter("calls"),
        "not_calls": both.partial.counter("not_calls"),
    }
    assert expected["duplicates"] > 0
    assert expected["calls"] > 0


def test_overall(both: Both) -> None:
    (found,) = both.table("overall").values()
    (expected,) = both.sql("FROM r_overall").values()
    same_counts(found, expected, COUNTS | SUMS, "overall")
    for key, source in POPULATIONS.items():
        same_distribution(found, expected, key, source, "overall")
    for name in ("minutes", "sessions", "users"):
        assert found[name] == expected[name]
    same_counts(found, expected, {"session_cost": "session_cost_nano_sum"}, "overall")
    ((busiest,),) = both.database.execute("SELECT max(calls) FROM r_bins").fetchall()
    assert found["peak_bin_calls"] == busiest
    untimed = both.partial.counter("untimed_calls")
    assert untimed == expected["calls"] - expected["timed"]


def by_dimension(both: Both, name: str) -> dict[Any, Row]:
    """The rows of by_<name>, with None for the value that is not logged."""
    rows = both.table(f"by_{name}", "value")
    return {None if value == UNKNOWN else value: row for (value,), row in rows.items()}


@pytest.mark.parametrize("name", DIMENSIONS)
def test_by_dimension(both: Both, name: str) -> None:
    of_calls = both.sql(f"FROM r_by_dimension WHERE dimension = '{name}'", "dimension", "value")
    assert of_calls
    found = by_dimension(both, name)
    others = {
        table: both.sql(f"FROM r_{table} WHERE dimension = '{name}'", "dimension", "value")
        for table in ("guardrails_by_dimension", "retrieval", "tools_by_dimension")
    }
    known = {value for rows in (of_calls, *others.values()) for _, value in rows}
    # What is logged nowhere needs no table, and lines without a call no row for "not logged".
    expected = set() if known == {None} else known - ({None} - {v for _, v in of_calls})
    assert set(found) == expected
    for value, row in found.items():
        where = (name, value)
        calls = of_calls.get(where)
        if calls is not None:
            same_counts(row, calls, COUNTS | SUMS, where)
            for key, source in POPULATIONS.items():
                same_distribution(row, calls, key, source, where)
        else:
            assert row["calls"] == 0
        for names, table in (
            (GUARDS, "guardrails_by_dimension"),
            (RETRIEVALS, "retrieval"),
            (TOOLS, "tools_by_dimension"),
        ):
            same_counts(row, others[table].get(where, nothing(names)), names, where)


def test_children_overall(both: Both) -> None:
    (found,) = both.table("overall").values()
    for names, table in (
        (GUARDS, "guardrails_by_dimension"),
        (RETRIEVALS, "retrieval"),
        (TOOLS, "tools_by_dimension"),
    ):
        (expected,) = both.sql(f"FROM r_{table} WHERE dimension = 'all'").values()
        same_counts(found, expected, names, table)


def test_tenants(both: Both) -> None:
    found = by_dimension(both, "tenant_id")
    expected = both.sql("FROM r_by_dimension WHERE dimension = 'tenant_id'", "value")
    checks = both.sql("FROM r_guardrails_by_dimension WHERE dimension = 'tenant_id'", "value")
    assert {(value,) for value in found} == set(expected) | set(checks)
    names = {k: v for k, v in (COUNTS | SUMS).items() if k in next(iter(found.values()))}
    assert {"calls", "errors", "error_known", "input_tokens", "cost"} <= set(names)
    for value, row in found.items():
        calls = expected.get((value,), nothing(names) | {"latency_us_n": 0, "latency_us_sum": 0})
        same_counts(row, calls, names | {"latency_n": "latency_us_n"}, value)
        same_counts(row, calls, {"latency_sum": "latency_us_sum"}, value)
        same_counts(row, checks.get((value,), nothing(GUARDS)), GUARDS, value)


def test_tenants_per_day(both: Both) -> None:
    frame = both.partial.frames["tenants"].filter(pl.col("calls") > 0)
    found = {(r["day"], r["tenant_id"]): r for r in frame.to_dicts()}
    expected = {
        (epoch(day), tenant): row
        for (day, tenant), row in both.sql("FROM r_tenant", "day", "tenant_id").items()
    }
    assert set(found) == set(expected)
    names = {
        "calls": "calls", "errors": "errors", "error_known": "outcome_known",
        "latency_n": "latency_us_n", "latency_sum": "latency_us_sum",
        "input_tokens": "input_tokens_sum", "output_tokens": "output_tokens_sum",
        "cost": "cost_nano_sum", "cost_n": "cost_nano_n",
    }  # fmt: skip
    for key, row in found.items():
        same_counts(row, expected[key], names, key)


# ── in time ───────────────────────────────────────────────────────────────────────────────────


def test_five_minute_bins(both: Both) -> None:
    frame = (
        both.partial.frames["calls"]
        .filter(pl.col("bin").is_not_null())
        .group_by("bin")
        .agg(
            pl.col("calls").sum(),
            errors=pl.col("calls").filter(pl.col("failed") == 1).sum(),
            latency_us_n=pl.col("latency_n").sum(),
            latency_us_sum=pl.col("latency_sum").sum(),
        )
    )
    found = {row.pop("bin"): row for row in frame.to_dicts()}
    expected = {
        epoch(start): {name: number or 0 for name, number in row.items()}
        for (start,), row in both.sql("FROM r_bins", "bin_start").items()
    }
    assert found == expected


@pytest.mark.parametrize(("table", "bins"), [("hours", 12), ("days", 288)])
def test_hours_and_days(both: Both, table: str, bins: int) -> None:
    counts = ", ".join(
        f"count({source}) AS {source}_n, sum({source})::BIGINT AS {source}_sum, "
        f"min({source}) AS {source}_min, max({source}) AS {source}_max, "
        f"stddev_pop({source}) AS {source}_sd, q({source}) AS {source}_q"
        for source in POPULATIONS.values()
    )
    expected = both.sql(
        f"""SELECT bin // {bins} AS number, count(*) AS calls,
            count(failed) AS outcome_known, count(*) FILTER (failed) AS errors,
            count(retried) AS retries_known, count(*) FILTER (retried) AS retried,
            count(cache_hit) AS cache_known, count(*) FILTER (cache_hit) AS cache_hits,
            count(*) FILTER (answers) AS latency_applicable,
            count(*) FILTER (may_stream) AS ttft_applicable,
            count(*) FILTER (error_class = 'timeout') AS timeouts,
            count(*) FILTER (error_class = 'rate_limit') AS rate_limited,
            count(cost_nano) AS cost_nano_n, sum(cost_nano)::BIGINT AS cost_nano_sum,
            {", ".join(f"count({n}) AS {n}_n, sum({n})::BIGINT AS {n}_sum" for n in oracle.TOKENS)},
            {counts}
        FROM calls WHERE bin IS NOT NULL GROUP BY ALL""",
        "number",
    )
    found = both.table(table, "start")
    timed = {start: row for (start,), row in found.items() if row["calls"]}
    assert set(timed) == {number * bins * 300 for (number,) in expected}
    names = COUNTS | SUMS | {"timeouts": "timeouts", "rate_limited": "rate_limited"}
    for (number,), row in expected.items():
        mine, where = timed[number * bins * 300], (table, number)
        same_counts(mine, row, names, where)
        for key, source in POPULATIONS.items():
            same_distribution(mine, row, key, source, where)
    totals = both.table("overall")[()]
    for name in ("retrievals", "tool_calls", "guard_calls", "tool_errors", "retrieval_hits"):
        assert sum(row[name] for row in found.values()) <= totals[name]


def test_children_per_hour(both: Both) -> None:
    """Of rows with a time: retrievals, tool calls and checked lines by the hour of their line."""
    hours = {start: row for (start,), row in both.table("hours", "start").items()}
    for column, query in (
        ("retrievals", "SELECT start_us FROM kept WHERE retrieval IS NOT NULL"),
        (
            "tool_calls",
            "SELECT start_us FROM (SELECT start_us, unnest(tool_calls) AS t FROM kept) "
            "WHERE t IS NOT NULL",
        ),
        (
            "guard_calls",
            "SELECT start_us FROM kept WHERE len(list_filter(guardrails, "
            "lambda g: g IS NOT NULL)) > 0",
        ),
    ):
        counted = both.sql(
            f"SELECT start_us // 3600000000 AS hour, count(*) AS n FROM ({query}) "
            "WHERE start_us IS NOT NULL GROUP BY ALL",
            "hour",
        )
        expected = {hour * 3600: row["n"] for (hour,), row in counted.items()}
        found = {start: row[column] for start, row in hours.items() if row[column]}
        assert found == expected, column


def test_quantiles_per_day_and_dimension(both: Both) -> None:
    expected = both.sql("FROM r_day_dimension", "day", "dimension", "value")
    assert len(expected) > 7
    for (day, dimension, value), row in expected.items():
        for key, source in POPULATIONS.items():
            found = histogram(both.partial, METRICS[key], dimension, value, epoch(day))
            where = (day, dimension, value, key)
            same_histogram(found, row[f"{source}_n"], row[f"{source}_q"], where)


def test_quantiles_per_hour(both: Both) -> None:
    for (hour,), row in both.sql("FROM r_hour", "hour").items():
        for key, source in POPULATIONS.items():
            found = histogram(both.partial, METRICS[key], "", None, epoch(hour))
            same_histogram(found, row[f"{source}_n"], row[f"{source}_q"], (hour, key))


# ── words ─────────────────────────────────────────────────────────────────────────────────────


def test_error_classes(both: Both) -> None:
    expected = both.sql("FROM r_error_class", "dimension", "value", "error_class")
    errors = both.partial.frames["errors"]
    found: dict[tuple[Any, ...], Row] = {}
    for name in DIMENSIONS:
        counted = errors.group_by(name, "error_class").agg(pl.col("calls").sum())
        for value, kind, calls in counted.iter_rows():
            found[name, value, kind] = {"calls": calls}
    shown = both.table("error_classes", "error_class")
    found |= {("all", None, kind): row for (kind,), row in shown.items()}
    assert found == {key: row for key, row in expected.items() if key[0] != "tenant_id"}
    overall = both.table("overall")[()]
    for kind, column in (("timeout", "timeouts"), ("rate_limit", "rate_limited")):
        assert overall[column] == shown.get((kind,), {"calls": 0})["calls"]
    assert overall["errors"] == sum(row["calls"] for row in shown.values())
    by_model = both.table("error_classes_by_model", "model", "error_class")
    assert {(None if m == UNKNOWN else m, k): row for (m, k), row in by_model.items()} == {
        key[1:]: row for key, row in expected.items() if key[0] == "model"
    }
    for name in DIMENSIONS:
        for value, row in by_dimension(both, name).items():
            limited = expected.get((name, value, "rate_limit"), {"calls": 0})
            assert row["rate_limited"] == limited["calls"], (name, value)
            late = expected.get((name, value, "timeout"), {"calls": 0})
            assert row["timeouts"] == late["calls"], (name, value)


def test_finish_reasons(both: Both) -> None:
    expected = both.sql("FROM r_finish_reason WHERE dimension = 'all'", "finish_reason")
    found = both.table("finish_reasons", "finish_reason")
    (overall,) = both.sql("FROM r_overall").values()
    unsaid = overall["calls"] - overall["finished"]
    assert found.pop((UNKNOWN,), {"calls": 0})["calls"] == unsaid
    assert {key: row["calls"] for key, row in found.items()} == {
        key: row["calls"] for key, row in expected.items()
    }


# ── guardrails, retrieval, tools ──────────────────────────────────────────────────────────────


def named(rows: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(None if k == UNKNOWN else k for k in key): row for key, row in rows.items()}


def test_guardrails(both: Both) -> None:
    found = named(both.table("guardrails", "name", "stage"))
    expected = both.sql("FROM r_guardrails", "name", "stage")
    assert set(found) == set(expected)
    names = {
        "calls": "ran", "known": "flagged", "triggered": "triggered",
        "blocked": "blocked", "bypassed": "bypassed", "latency_n": "latency_us_n",
        "latency_sum": "latency_us_sum",
    }  # fmt: skip
    (lines,) = both.sql("FROM r_guardrails_by_dimension WHERE dimension = 'all'").values()
    requests = both.partial.counter("calls") + lines["ran"] - lines["ran_on_calls"]
    for key, row in found.items():
        same_counts(row, expected[key], names, key)
        exact = dict(zip(QUANTILES, expected[key]["latency_us_q"] or [None] * 4, strict=True))
        for name in ("p50", "p95", "p99"):
            close_quantile(row[f"latency_{name}"], exact[name], (key, name))
        assert row["all_calls"] == requests


def test_guardrails_per_hour(both: Both) -> None:
    found = named(both.table("guardrail_hours", "start", "name", "stage"))
    expected = both.sql(
        """SELECT start_us // 3600000000 * 3600 AS start, name, stage,
            count(*) AS calls, count(triggered) AS known, count(*) FILTER (triggered) AS triggered
        FROM (
            SELECT row_key, start_us, nullif(c.name, '') AS name, nullif(c.stage, '') AS stage,
                bool_or(c.triggered) AS triggered
            FROM (SELECT row_key, start_us, unnest(guardrails) AS c FROM kept
                WHERE start_us IS NOT NULL)
            WHERE c IS NOT NULL GROUP BY ALL
        ) GROUP BY ALL""",
        "start",
        "name",
        "stage",
    )
    assert found == expected


def test_tools(both: Both) -> None:
    found = named(both.table("tools", "tool"))
    expected = both.sql("FROM r_tools", "tool")
    assert set(found) == set(expected)
    names = {
        "calls": "tool_calls", "known": "outcome_known", "errors": "errors",
        "timeouts": "timeouts", "args_known": "arguments_known",
        "args_invalid": "arguments_invalid", "fallback_known": "fallback_known",
        "fallbacks": "fallbacks", "latency_n": "latency_us_n", "latency_sum": "latency_us_sum",
    }  # fmt: skip
    (overall,) = both.sql("FROM r_overall").values()
    for key, row in found.items():
        same_counts(row, expected[key], names, key)
        exact = dict(zip(QUANTILES, expected[key]["latency_us_q"] or [None] * 4, strict=True))
        for name in ("p50", "p95", "p99"):
            close_quantile(row[f"latency_{name}"], exact[name], (key, name))
        assert row["calls_latency_sum"] == overall["latency_us_sum"]


def test_retrieval_by_index(both: Both) -> None:
    frame = both.partial.frames["retrievals"]
    names = {
        "retrievals": "retrievals", "known": "hit_known", "hits": "hits",
        "chunks_known": "chunks_known", "empty": "empty", "failed": "failed", "chunks": "chunks",
        "score_n": "top_score_micro_n", "score_sum": "top_score_micro_sum", "expected": "expected",
        "expected_found": "expected_found", "latency_n": "latency_us_n",
        "latency_sum": "latency_us_sum",
    }  # fmt: skip
    counted = frame.group_by("index_version").agg(pl.col(name).sum() for name in names)
    found = {row["index_version"]: row for row in counted.to_dicts()}
    expected = both.sql("FROM r_retrieval WHERE dimension = 'index_version'", "value")
    assert {(value,) for value in found} == set(expected)
    for value, row in found.items():
        same_counts(row, expected[(value,)], names, value)
    shown = named(both.table("retrieval", "index_version", "embedding_model"))
    for name in names:
        total = sum(row[name] for row in shown.values())
        assert total == sum(row[name] for row in found.values()), name


def test_how_a_hit_was_known(both: Both) -> None:
    frame = both.partial.frames["retrievals"]
    ways = ("by_expectation", "by_flag", "by_content")
    found = {name: int(frame[name].sum()) for name in ways}
    (expected,) = both.sql(
        """SELECT count(*) FILTER (asked) AS by_expectation,
            count(*) FILTER (NOT asked AND hit IS NOT NULL) AS by_flag,
            count(*) FILTER (NOT asked AND hit IS NULL AND got IS NOT NULL) AS by_content
        FROM (SELECT retrieval.hit AS hit, retrieval.chunk_ids AS got,
                coalesce(len(list_distinct(retrieval.expected_chunk_ids)) > 0, false)
                    AND got IS NOT NULL AS asked
            FROM kept WHERE retrieval IS NOT NULL)"""
    ).values()
    assert found == expected


def test_chunks(both: Both) -> None:
    found = both.table("chunks", "chunk")
    expected = both.sql("FROM r_chunks", "chunk_id")
    assert {key: row["retrievals"] for key, row in found.items()} == {
        key: row["retrieved"] for key, row in expected.items()
    }
    assert f"{len(expected):,} different chunks" in both.tables["chunks"].note


# ── field coverage ────────────────────────────────────────────────────────────────────────────


def test_field_coverage(both: Both) -> None:
    names = {
        "session_or_user": "session_or_user_id", "release_or_prompt": "release_or_prompt_version",
        "guardrail_flags": "guardrail_triggered",
    }  # fmt: skip
    expected = both.sql("FROM r_coverage", "field")
    found: dict[str, Counter[str]] = {}
    for name, count in both.partial.frames["counters"].iter_rows():
        field, dot, part = name.partition(".")
        if dot:
            found.setdefault(names.get(field, field), Counter())[part] = count
    # Cost and the output of tools are no required fields: they have no counter.
    assert set(found) == {key for (key,) in expected} - {"cost", "tool_output"}
    for field, counts in found.items():
        assert counts == expected[(field,)], field


# ── tables that are made of others ────────────────────────────────────────────────────────────


def test_retrieval_latency_by_index(both: Both) -> None:
    expected = both.sql(
        """SELECT nullif(retrieval.index_version, '') AS version, q(coalesce(
            micros(retrieval.latency_ms),
            CASE WHEN op IN ('retrieval', 'retrieve', 'rerank') THEN latency END)) AS exact
        FROM kept WHERE retrieval IS NOT NULL GROUP BY ALL""",
        "version",
    )
    shown = named(both.table("retrieval", "index_version", "embedding_model"))
    for (version, _), row in shown.items():
        exact = expected[(version,)]["exact"]
        # A retrieval that failed may say nothing of its model; the log has but one besides.
        if sum(key[0] == version for key in shown) == 1:
            close_quantile(row["latency_p95"], exact[2] if exact else None, version)
    assert {version for version, _ in shown} == {version for (version,) in expected}


def test_the_models_of_one_index_keep_their_own_latencies(tmp_path: Path) -> None:
    took = {"small": [10, 20, 30], "large": [400, 500, 600], None: [7000]}
    lines = [
        {"model": "m", "retrieval": {"index_version": "v1", "embedding_model": model,
                                     "latency_ms": ms, "hit": True}}
        for model, times in took.items() for ms in times
    ]  # fmt: skip
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = run_engine.tables(run_engine.count([log]).partial)["retrieval"]
    found = named(run_engine.rows_of(shown, "index_version", "embedding_model"))
    assert {model for _, model in found} == set(took)
    for model, times in took.items():
        row = found["v1", model]
        assert row["latency_sum"] == sum(times) * 1000
        close_quantile(row["latency_p95"], max(times) * 1000, model)


def test_heatmap(both: Both) -> None:
    expected = both.sql(
        """SELECT isodow(moment) - 1 AS weekday, hour(moment) AS hour, count(*) AS calls,
            count(*) FILTER (failed) AS errors, count(failed) AS error_known,
            count(latency_us) AS latency_n, q(latency_us) AS exact
        FROM (SELECT *, make_timestamp(bin::BIGINT * 300000000) AS moment FROM calls)
        WHERE bin IS NOT NULL GROUP BY ALL""",
        "weekday",
        "hour",
    )
    found = both.table("heatmap", "weekday", "hour")
    assert {key for key, row in found.items() if row["calls"]} == set(expected)
    for key, row in expected.items():
        exact = row.pop("exact")
        close_quantile(found[key].pop("latency_p95"), exact[2] if exact else None, key)
        assert found[key] == row


def test_cost_by_model(both: Both) -> None:
    expected = both.sql(
        """SELECT bin // 72 * 21600 AS start, model::VARCHAR AS model,
            coalesce(sum(cost_nano), 0)::BIGINT AS cost, count(cost_nano) AS cost_n,
            count(*) AS calls
        FROM calls WHERE bin IS NOT NULL GROUP BY ALL""",
        "start",
        "model",
    )
    assert named(both.table("cost_by_model", "start", "model")) == expected


@pytest.mark.parametrize(("key", "source"), [("latency", "latency_us"), ("ttft", "ttft_us")])
def test_distributions_hold_every_call_once(both: Both, key: str, source: str) -> None:
    rows = both.table(f"{key}_distribution", "group", "upper")
    per_model = both.sql(
        f"SELECT model::VARCHAR AS model, count({source}) AS n FROM calls "
        "WHERE model IS NOT NULL GROUP BY ALL",
        "model",
    )
    expected = {model: row["n"] for (model,), row in per_model.items() if row["n"]}
    ((expected["all calls"],),) = both.database.execute(
        f"SELECT count({source}) FROM calls"
    ).fetchall()
    found: Counter[str] = Counter()
    for (group, upper), row in rows.items():
        found[group] += row["count"]
        ((under,),) = both.database.execute(
            f"SELECT count(*) FROM calls WHERE {source} < {upper}"
            + ("" if group == "all calls" else f" AND model::VARCHAR = '{group}'")
        ).fetchall()
        reached = sum(r["count"] for (g, u), r in rows.items() if g == group and u <= upper)
        assert reached == under, (group, upper)
    assert found == expected


RATES = {
    "error_rate": ("errors", "outcome_known", "r_overall"),
    "retry_rate": ("retried", "retries_known", "r_overall"),
    "cache_hit_rate": ("cache_hits", "cache_known", "r_overall"),
    "latency_mean": ("latency_us_sum", "latency_us_n", "r_overall"),
    "latency_ok_mean": ("latency_ok_us_sum", "latency_ok_us_n", "r_overall"),
    "ttft_mean": ("ttft_us_sum", "ttft_us_n", "r_overall"),
    "tps_mean": ("rate_mtps_sum", "rate_mtps_n", "r_overall"),
    "cost_per_call": ("cost_nano_sum", "cost_nano_n", "r_overall"),
    "timeout_rate": ("timeouts", "outcome_known", "classes"),
    "rate_limit_rate": ("limited", "outcome_known", "classes"),
    "guardrail_trigger_rate": ("triggered", "flagged", "r_guardrails_by_dimension"),
    "guardrail_block_rate": ("blocked", "ran", "r_guardrails_by_dimension"),
    "guardrail_bypass_rate": ("bypassed", "ran", "r_guardrails_by_dimension"),
    "retrieval_hit_rate": ("hits", "hit_known", "r_retrieval"),
    "retrieval_empty_rate": ("empty", "chunks_known", "r_retrieval"),
    "retrieval_failed_rate": ("failed", "retrievals", "r_retrieval"),
    "chunks_per_retrieval": ("chunks", "chunks_known", "r_retrieval"),
    "tool_error_rate": ("errors", "outcome_known", "r_tools_by_dimension"),
    "tool_timeout_rate": ("timeouts", "outcome_known", "r_tools_by_dimension"),
    "tool_invalid_argument_rate": (
        "arguments_invalid", "arguments_known", "r_tools_by_dimension"),
    "tool_fallback_rate": ("fallbacks", "fallback_known", "r_tools_by_dimension"),
}  # fmt: skip


def test_every_rate_and_mean_divides_the_right_counts(both: Both) -> None:
    table = both.tables["overall"]
    derived = {c.key: c for c in table.columns if c.kind in ("ratio", "mean")}
    assert set(derived) == set(RATES)
    both.database.execute(
        """CREATE OR REPLACE TEMP VIEW classes AS SELECT NULL AS dimension,
            count(failed) AS outcome_known,
            count(*) FILTER (error_class = 'timeout') AS timeouts,
            count(*) FILTER (error_class = 'rate_limit') AS limited FROM calls"""
    )
    (row,) = both.table("overall").values()
    for key, (num, den, source) in RATES.items():
        where = "WHERE dimension = 'all'" if source.startswith("r_") else ""
        if source == "r_overall":
            where = ""
        ((above, below),) = both.database.execute(
            f"SELECT {num}, {den} FROM {source} {where}"
        ).fetchall()
        column = derived[key]
        assert column.num is not None
        assert column.den is not None
        assert (row[column.num] or 0, row[column.den]) == (above or 0, below), key


def test_what_folds_into_other_keeps_its_counts_and_quantiles(both: Both) -> None:
    tables = run_engine.tables(both.partial, Config(top=1))
    overall = both.table("overall")[()]
    for name in ("model", "release", "service"):
        rows = run_engine.rows_of(tables[f"by_{name}"], "value")
        values = both.database.execute(
            f"SELECT {name}::VARCHAR, count(*) AS n FROM calls WHERE {name} IS NOT NULL "
            "GROUP BY ALL ORDER BY n DESC, 1"
        ).fetchall()
        assert [value for (value,) in rows][:2] == [values[0][0], *["(other)"] * (len(values) > 1)]
        for measure in ("calls", "errors", "latency_n", "cost_n", "tool_calls"):
            assert sum(row[measure] for row in rows.values()) <= overall[measure]
        if len(values) > 1:
            ((n, exact),) = both.database.execute(
                f"SELECT count(latency_us), q(latency_us) FROM calls "
                f"WHERE {name}::VARCHAR <> '{values[0][0]}'"
            ).fetchall()
            assert rows[("(other)",)]["latency_n"] == n
            close_quantile(rows[("(other)",)]["latency_p95"], exact[2] if exact else None, name)


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"])
def test_hours_and_days_are_those_of_the_declared_zone(both: Both, zone: str) -> None:
    counted = run_engine.count(both.paths, timezone=zone).partial
    found = run_engine.tables(counted, Config(timezone=zone))
    bins = both.sql("FROM r_bins", "bin_start")
    for table, parts in (("hours", 4), ("days", 3)):
        expected: Counter[int] = Counter()
        for (start,), row in bins.items():
            local = start.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
            whole = datetime(*local.timetuple()[:parts], tzinfo=ZoneInfo(zone), fold=local.fold)
            expected[int(whole.timestamp())] += row["calls"]
        rows = run_engine.rows_of(found[table], "start")
        assert {start: r["calls"] for (start,), r in rows.items() if r["calls"]} == expected
    heat = run_engine.rows_of(found["heatmap"], "weekday", "hour")
    assert sum(row["calls"] for row in heat.values()) == sum(r["calls"] for r in bins.values())
    assert {hour for _, hour in heat} <= set(range(24))
    utc = both.table("overall")[()]
    assert run_engine.rows_of(found["overall"])[()] == utc
