"""The tables of a result equal bench/duckdb.sql, as the indicators in test_indicators_sql.py do."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

import both_ways
import run_engine
from both_ways import (
    QUANTILES,
    Both,
    close_quantile,
    named,
    same_counts,
)
from gonogo.config.model import Config


@pytest.fixture(params=both_ways.LOGS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both_ways.read(request.param, tmp_path_factory)


# ── guardrails, retrieval, tools ──────────────────────────────────────────────────────────────


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
    # Whole requests are no rows of a table there: tests/test_requests.py counts them by hand.
    assert set(derived) == {*RATES, "request_mean"}
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
