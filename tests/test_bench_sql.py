"""bench/duckdb.sql agrees with a plain-Python computation, on JSONL and on Parquet."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bench_oracle as oracle

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
duckdb = pytest.importorskip("duckdb")
import generate  # noqa: E402  (found through the path above)
import run as harness  # noqa: E402
import run_duckdb  # noqa: E402

Row = dict[str, Any]
Groups = dict[tuple[Any, ...], Row]
FILES = 3


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return oracle.make_rows(seed=7, n=700)


@pytest.fixture(scope="module", params=["jsonl", "parquet", "mixed"])
def database(
    request: pytest.FixtureRequest, rows: list[Row], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    size = -(-len(rows) // FILES)
    for i in range(FILES):
        part = rows[i * size : (i + 1) * size]
        kind = ["jsonl", "parquet"][i % 2] if request.param == "mixed" else request.param
        path = folder / f"part-{i}.{kind}"
        if kind == "jsonl":
            path.write_text("".join(json_line(row, i * size + k) for k, row in enumerate(part)))
        else:
            table = pa.Table.from_pylist(part, schema=oracle.SCHEMA)
            pq.write_table(table, path, row_group_size=50)
    return run_duckdb.compute([str(folder / "part-*")])


@pytest.fixture(scope="module")
def kept(rows: list[Row]) -> list[Row]:
    return [oracle.derive(row) for row in oracle.first_copies(rows)]


@pytest.fixture(scope="module")
def calls(kept: list[Row]) -> list[Row]:
    return [row for row in kept if row["is_call"]]


def json_line(row: Row, number: int) -> str:
    """The row as a log line; times, numbers and absences are written in several ways."""
    out = {k: v for k, v in row.items() if v is not None or number % 3 == 0}
    if row["timestamp"] is not None:
        seconds = row["timestamp"].timestamp()
        east = row["timestamp"].astimezone(timezone(timedelta(hours=5, minutes=30)))
        out["timestamp"] = [
            row["timestamp"].isoformat().replace("+00:00", "Z"),
            row["timestamp"].replace(tzinfo=None).isoformat(sep=" "),
            east.isoformat(),
            seconds,
            int(seconds * 1000),
        ][number % 5]
    if number % 7 == 0 and row["latency_ms"] is not None:
        out["latency_ms"] = repr(row["latency_ms"])
    if row["status"] is not None and row["status"].isdigit():
        out["status"] = int(row["status"])
    return json.dumps(out) + "\n"


def fetch(database: Any, table: str, *keys: str) -> Groups:
    result = database.execute(f"FROM {table}")
    names = [column[0] for column in result.description]
    found = [dict(zip(names, values, strict=True)) for values in result.fetchall()]
    groups = {tuple(row.pop(key) for key in keys): row for row in found}
    assert len(groups) == len(found), f"{table} repeats a key"
    return groups


def same(found: Groups, expected: Groups) -> None:
    """Equal keys, columns and integers; floats to twelve digits."""
    assert set(found) == set(expected)
    for key, row in expected.items():
        assert set(found[key]) == set(row), key
        for name, value in row.items():
            other = found[key][name]
            if isinstance(value, float):
                assert other == pytest.approx(value, rel=1e-9, abs=1e-6), (key, name)
            else:
                assert other == value, (key, name)


def by_value(rows: list[Row], dimension: str) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[row[dimension]].append(row)
    return groups


def everywhere(rows: list[Row]) -> dict[tuple[str, Any], list[Row]]:
    """The rows of every (dimension, value), and of ('all', None)."""
    groups = {("all", None): rows}
    for dimension in oracle.DIMENSIONS:
        groups |= {(dimension, value): found for value, found in by_value(rows, dimension).items()}
    return groups


def start_of(number: int, bins: int) -> datetime:
    return datetime.fromtimestamp(number * bins * 300, UTC).replace(tzinfo=None)


def test_the_first_of_equal_ids_stays_and_other_lines_are_no_calls(
    database: Any, rows: list[Row], kept: list[Row], calls: list[Row]
) -> None:
    assert 0 < len(kept) < len(rows)
    assert 0 < len(calls) < len(kept)
    counted = fetch(database, "r_lines")[()]
    assert counted == {
        "lines": len(rows),
        "duplicates": len(rows) - len(kept),
        "calls": len(calls),
        "not_calls": len(kept) - len(calls),
    }


def test_overall_counts_sums_and_quantiles(database: Any, calls: list[Row]) -> None:
    expected = oracle.call_columns(calls, quantiles=True)
    expected["minutes"] = (expected["last_bin"] - expected["first_bin"] + 1) * 5
    for plural, name in (("sessions", "session_id"), ("users", "user_id")):
        expected[plural] = len({c[name] for c in calls} - {None})
    same(fetch(database, "r_overall"), {(): expected})


def test_every_dimension_has_the_same_columns_for_its_own_calls(
    database: Any, calls: list[Row]
) -> None:
    expected = {
        key: oracle.call_columns(group, quantiles=key[0] != "tenant_id")
        for key, group in everywhere(calls).items()
        if key[0] != "all"
    }
    same(fetch(database, "r_by_dimension", "dimension", "value"), expected)


def test_hours_days_and_bins(database: Any, calls: list[Row]) -> None:
    timed = [c | {"hour": c["bin"] // 12, "day": c["bin"] // 288} for c in calls if c["bin"]]
    same(
        fetch(database, "r_hour", "hour"),
        {
            (start_of(hour, 12),): oracle.quantile_columns(group)
            for hour, group in by_value(timed, "hour").items()
        },
    )
    same(
        fetch(database, "r_day_dimension", "day", "dimension", "value"),
        {
            (start_of(day, 288).date(), dimension, value): oracle.quantile_columns(group)
            for day, of_day in by_value(timed, "day").items()
            for (dimension, value), group in everywhere(of_day).items()
            if dimension not in {"all", "tenant_id"}
        },
    )
    same(
        fetch(database, "r_bins", "bin_start"),
        {
            (start_of(number, 1),): {
                "calls": len(group),
                "errors": oracle.count(group, lambda c: c["failed"]),
                "latency_us_n": oracle.count(group, oracle.known("latency_us")),
                "latency_us_sum": oracle.total(c["latency_us"] for c in group),
            }
            for number, group in by_value(timed, "bin").items()
        },
    )


@pytest.mark.parametrize("name", ["error_class", "finish_reason"])
def test_words_are_counted_per_dimension(database: Any, calls: list[Row], name: str) -> None:
    expected: Groups = {}
    for key, group in everywhere(calls).items():
        for word, n in Counter(c[name] for c in group if c[name] is not None).items():
            expected[(*key, word)] = {"calls": n}
    assert len({key[2] for key in expected}) > 1
    same(fetch(database, f"r_{name}", "dimension", "value", name), expected)


def test_tenants_per_day(database: Any, calls: list[Row]) -> None:
    columns = ("calls", "outcome_known", "errors", "latency_us_n", "latency_us_sum")
    columns += ("input_tokens_sum", "output_tokens_sum", "cost_nano_n", "cost_nano_sum")
    dated = [c | {"day": None if c["bin"] is None else c["bin"] // 288} for c in calls]
    days = by_value(dated, "day")
    expected: Groups = {}
    for day, of_day in days.items():
        for tenant, group in by_value(of_day, "tenant_id").items():
            full = oracle.call_columns(group, quantiles=False)
            key = None if day is None else start_of(day, 288).date()
            expected[(key, tenant)] = {name: full[name] for name in columns}
    same(fetch(database, "r_tenant", "day", "tenant_id"), expected)


def test_guardrail_rates_count_lines_and_not_checks(database: Any, kept: list[Row]) -> None:
    checks = [g for row in kept for g in row["guardrails"] or [] if g]
    names = {(g["name"], g["stage"]) for g in checks}
    expected: Groups = {}
    for name in names:
        took = [
            oracle.amount(g["latency_ms"], 1e3) for g in checks if (g["name"], g["stage"]) == name
        ]
        expected[name] = oracle.check_columns(
            kept, lambda g, name=name: (g["name"], g["stage"]) == name
        ) | {
            "latency_us_n": sum(us is not None for us in took),
            "latency_us_sum": oracle.total(took),
            "latency_us_q": oracle.nearest_rank(took),
        }
    assert any(row["ran"] < row["checks"] for row in expected.values())
    same(fetch(database, "r_guardrails", "name", "stage"), expected)

    per_value: Groups = {}
    for key, group in everywhere(kept).items():
        columns = oracle.check_columns(group, lambda _: True)
        columns["flagged_calls"] = oracle.count(group, has_flag)
        if columns["ran"]:
            per_value[key] = columns
    same(fetch(database, "r_guardrails_by_dimension", "dimension", "value"), per_value)


def has_flag(row: Row) -> bool:
    checks = [g for g in row["guardrails"] or [] if g]
    return row["is_call"] and any(g["triggered"] is not None for g in checks)


def test_retrieval_and_chunks(database: Any, kept: list[Row]) -> None:
    found = [row for row in kept if row["retrieval"] is not None]
    groups = everywhere(found)
    versions = by_value([row | {"v": row["retrieval"]["index_version"]} for row in found], "v")
    groups |= {("index_version", version): group for version, group in versions.items()}
    expected = {key: oracle.retrieval_columns(group) for key, group in groups.items()}
    same(fetch(database, "r_retrieval", "dimension", "value"), expected)
    chunks = Counter(c for row in found for c in row["retrieval"]["chunk_ids"] or [] if c)
    same(
        fetch(database, "r_chunks", "chunk_id"),
        {(chunk,): {"retrieved": n} for chunk, n in chunks.items()},
    )


def test_tools(database: Any, kept: list[Row]) -> None:
    def tools_of(group: list[Row]) -> list[Row]:
        return [t for row in group for t in row["tool_calls"] or [] if t]

    same(
        fetch(database, "r_tools", "tool"),
        {
            (name,): oracle.tool_columns(group, quantiles=True)
            for name, group in by_value(tools_of(kept), "name").items()
        },
    )
    same(
        fetch(database, "r_tools_by_dimension", "dimension", "value"),
        {
            key: oracle.tool_columns(tools_of(group), quantiles=False)
            for key, group in everywhere(kept).items()
            if tools_of(group)
        },
    )


def test_field_coverage(database: Any, kept: list[Row], calls: list[Row]) -> None:
    c = oracle.call_columns(calls, quantiles=False)
    r = oracle.retrieval_columns([row for row in kept if row["retrieval"] is not None])
    t = oracle.tool_columns(
        [t for row in kept for t in row["tool_calls"] or [] if t], quantiles=False
    )
    pairs = {
        "timestamp": (c["calls"], c["timed"]),
        "trace_id": (c["calls"], c["with_trace_id"]),
        "session_or_user_id": (c["calls"], c["with_session_or_user"]),
        "model": (c["calls"], c["with_model"]),
        "release_or_prompt_version": (c["calls"], c["with_version"]),
        "input_tokens": (c["calls"], c["input_tokens_n"]),
        "output_tokens": (c["calls"], c["output_tokens_n"]),
        "latency": (c["latency_applicable"], c["latency_us_n"]),
        "ttft": (c["ttft_applicable"], c["ttft_us_n"]),
        "cost": (c["calls"], c["cost_nano_n"]),
        "outcome": (c["calls"], c["outcome_known"]),
        "output": (c["output_applicable"], c["with_output"]),
        "guardrail_triggered": (c["calls"], oracle.count(kept, has_flag)),
        "retrieval_hit": (r["retrievals"], r["hit_logged"]),
        "retrieval_chunk_ids": (r["retrievals"], r["chunks_known"]),
        "tool_input": (t["tool_calls"], t["with_input"]),
        "tool_output": (t["tool_calls"], t["with_output"]),
        "tool_outcome": (t["tool_calls"], t["outcome_known"]),
        "tool_latency": (t["tool_calls"], t["latency_us_n"]),
    }
    same(
        fetch(database, "r_coverage", "field"),
        {(name,): {"applicable": a, "present": p} for name, (a, p) in pairs.items()},
    )


def test_quantile_disc_is_nearest_rank_at_every_small_size() -> None:
    connection = duckdb.connect()
    for n in range(1, 202):
        found = connection.execute(
            f"SELECT quantile_disc(i, [0.5, 0.9, 0.95, 0.99]) FROM range(1, {n + 1}) t(i)"
        ).fetchone()
        assert found == (oracle.nearest_rank(range(1, n + 1)),)


def test_generated_jsonl_has_the_lines_its_manifest_says(tmp_path: Path) -> None:
    made = generate.generate("jsonl", tmp_path, calls=3_000, duplicates=0.02, bad=0.01, seed=3)
    raw = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*.jsonl")))
    broken = sum(made.broken_lines.values())
    assert min(broken, made.duplicate_lines) > 0
    assert raw.count(b"\n") == made.lines == 3_000 + made.duplicate_lines + broken
    assert sum(not readable(line) for line in raw.splitlines()) == broken
    totals = fetch(run_duckdb.compute([str(tmp_path / "clean" / "*.jsonl")]), "r_lines")[()]
    assert totals["lines"] == 3_000 + made.duplicate_lines
    assert (totals["duplicates"], totals["calls"]) == (made.duplicate_lines, 3_000)


def test_broken_lines_change_no_result(tmp_path: Path) -> None:
    generate.generate("jsonl", tmp_path, calls=3_000, duplicates=0.02, bad=0.01, seed=4)
    whole = run_duckdb.compute([str(tmp_path / "*.jsonl")])
    clean = run_duckdb.compute([str(tmp_path / "clean" / "*.jsonl")])
    tables = run_duckdb.result_tables(whole)
    assert len(tables) == 16
    for table in tables:
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert whole.execute(query).fetchall() == clean.execute(query).fetchall(), table


def readable(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def test_generated_parquet_has_the_rows_its_manifest_says(tmp_path: Path) -> None:
    made = generate.generate("parquet", tmp_path, calls=3_000, duplicates=0.02, bad=0.0, seed=3)
    totals = fetch(run_duckdb.compute([str(tmp_path / "*.parquet")]), "r_lines")[()]
    assert made.duplicate_lines > 0
    assert totals["lines"] == made.lines == 3_000 + made.duplicate_lines
    assert (totals["duplicates"], totals["calls"]) == (made.duplicate_lines, 3_000)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        generate.generate("jsonl", tmp_path / name, calls=500, duplicates=0.02, bad=0.01, seed=5)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*"))
    assert len(files) == 1 + 2 * 7
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_the_harness_measures_a_process_and_says_why_one_failed() -> None:
    fine = harness.measure([sys.executable, "-c", "x = bytearray(200_000_000)"])
    assert fine.failure == ""
    assert fine.wall_s > 0
    assert fine.peak_mb > 200
    script = "import sys; sys.exit('no such file: a.jsonl')"
    assert harness.measure([sys.executable, "-c", script], accepted=(0, 1)).failure == ""
    failed = harness.measure([sys.executable, "-c", script])
    assert failed.failure == "exit code 1: no such file: a.jsonl"


def test_a_failed_command_is_in_the_report_and_no_goal_is_called_met() -> None:
    fine, broken = harness.Run(2.0, 3.0, 100.0), harness.Run(1.0, 1.0, 50.0, "exit code 70: oops")
    races = [
        harness.Race(kind, calls, [broken if kind == "jsonl" else fine], [fine])
        for kind in ("jsonl", "parquet")
        for calls in (1_000, 4_000)
    ]
    text = harness.report("small", races, [])
    assert text.count("exit code 70: oops") == 2
    assert "| jsonl, 4,000 calls | | **not measured**: gonogo failed | |" in text
    assert "| parquet, 4,000 calls: wall time | 1.5 × DuckDB | 1.00 × | met |" in text
