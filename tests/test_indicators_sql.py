"""Every indicator of the engine equals bench/duckdb.sql: on the sample week and on hostile logs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest

import bench_oracle as oracle
import both_ways
from both_ways import (
    COUNTS,
    GUARDS,
    METRICS,
    POPULATIONS,
    RETRIEVALS,
    SUMS,
    TOOLS,
    Both,
    by_dimension,
    epoch,
    nothing,
    same_counts,
    same_distribution,
    same_histogram,
)
from gonogo.conventions import DIMENSIONS, UNKNOWN
from run_engine import Row, histogram


@pytest.fixture(params=both_ways.LOGS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both_ways.read(request.param, tmp_path_factory)


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
