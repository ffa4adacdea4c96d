"""Parquet as exporters write it: maps, decimals, naive times, JSON in texts, Hive folders."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import reading
from foreign_logs import calls_of
from gonogo.ingest import parquet

NINE = datetime(2026, 11, 16, 9)
MAP = pa.map_(pa.string(), pa.string())
TIME = pa.timestamp("ms")


def write(path: Path, columns: dict[str, pa.DataType], *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema(list(columns.items()))
    full = [{name: row.get(name) for name in columns} for row in rows]
    pq.write_table(pa.Table.from_pylist(full, schema=schema), path)
    return path


OBSERVATION = {
    "id": pa.string(), "trace_id": pa.string(), "type": pa.string(), "level": pa.string(),
    "parent_observation_id": pa.string(), "start_time": TIME, "end_time": TIME,
    "completion_start_time": TIME, "provided_model_name": pa.string(), "usage_details": MAP,
    "total_cost": pa.decimal128(18, 12), "latency": pa.float64(), "metadata": MAP,
    "status_message": pa.string(), "output": pa.string(),
}  # fmt: skip
TRACE = {
    "id": pa.string(), "timestamp": TIME, "session_id": pa.string(), "user_id": pa.string(),
    "release": pa.string(), "public": pa.bool_(), "bookmarked": pa.bool_(),
}  # fmt: skip
RUN = {
    name: pa.string()
    for name in (
        "id", "trace_id", "parent_run_id", "dotted_order", "run_type", "status", "error", "extra",
        "inputs", "outputs", "session_id", "session_name",
    )
} | {"start_time": pa.timestamp("us"), "end_time": pa.timestamp("us"),
     "first_token_time": pa.timestamp("us"), "prompt_tokens": pa.int64(),
     "completion_tokens": pa.int64(), "total_cost": pa.decimal128(18, 12)}  # fmt: skip


def test_langfuse_blob_export(tmp_path: Path) -> None:
    def call(number: int, **more: Any) -> dict[str, Any]:
        start = NINE + timedelta(seconds=number)
        return {
            "id": f"o{number}", "trace_id": "t", "type": "GENERATION", "level": "DEFAULT",
            "parent_observation_id": "root", "start_time": start,
            "end_time": start + timedelta(milliseconds=1_500), "provided_model_name": "gpt-4o",
            "latency": 1_500.0, **more,
        }  # fmt: skip

    write(
        tmp_path / "project/observations/1.parquet", OBSERVATION,
        {**call(0), "id": "root", "type": "SPAN", "parent_observation_id": None},
        call(1, usage_details=[("input", "24"), ("input_cached_tokens", "1000"), ("output", "12"),
                               ("total", "1036")],
             total_cost=Decimal("0.000154"), metadata=[("ls_provider", "openai")],
             completion_start_time=NINE + timedelta(milliseconds=1_250)),
        call(2, level="ERROR", status_message="RateLimitError: slow down"),
    )  # fmt: skip
    write(
        tmp_path / "project/traces/1.parquet", TRACE,
        {"id": "t", "timestamp": NINE, "session_id": "s1", "user_id": "u1", "release": "2026.47",
         "public": False, "bookmarked": False},
    )  # fmt: skip
    found = reading.read(tmp_path)
    assert found.counts() == (4, 4, 0, 0)
    first, second = calls_of(found)
    assert (first["input_tokens"], first["cache_read_tokens"]) == (1_024, 1_000)
    assert (first["output_tokens"], first["cost_nano_usd"]) == (12, 154_000)
    assert (first["duration_us"], first["ttft_us"]) == (1_500_000, 250_000)
    assert (first["provider"], first["model"]) == ("openai", "gpt-4o")
    assert first["session_hash"] == second["session_hash"] != 0
    assert first["user_hash"] == second["user_hash"] != 0
    assert (second["failed"], second["input_tokens"], second["cost_nano_usd"]) == (1, -1, -1)


def test_langsmith_bulk_export_in_its_folders(tmp_path: Path) -> None:
    place = tmp_path / "export_id=e/tenant_id=w/session_id=p/runs/year=2026/month=11/day=16"
    usage = {"input_token_details": {"cache_read": 20}, "output_token_details": {"reasoning": 5}}
    extra = {
        "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o", "thread_id": "th"},
        "invocation_params": {"stream": True},
    }
    common = {"trace_id": "r", "session_id": "project-7", "session_name": "shop"}
    write(
        place / "0.parquet", RUN,
        {"id": "r", "run_type": "chain", "status": "success", "start_time": NINE,
         "end_time": NINE + timedelta(seconds=3), "prompt_tokens": 124, **common},
        {"id": "c", "parent_run_id": "r", "run_type": "llm", "status": "success",
         "start_time": NINE, "end_time": NINE + timedelta(seconds=2),
         "first_token_time": NINE + timedelta(milliseconds=300), "extra": json.dumps(extra),
         "outputs": json.dumps({"usage_metadata": usage, "model": "gpt-4o-2024-08-06"}),
         "prompt_tokens": 124, "completion_tokens": 9, "total_cost": Decimal("0.0004"), **common},
        {"id": "f", "parent_run_id": "r", "run_type": "llm", "status": "error",
         "error": "RateLimitError('429')", "start_time": NINE + timedelta(seconds=2),
         "end_time": NINE + timedelta(seconds=3), **common},
    )  # fmt: skip
    found = reading.read(tmp_path)
    assert found.counts() == (3, 3, 0, 0)
    good, bad = calls_of(found)
    assert (good["input_tokens"], good["output_tokens"]) == (124, 9)
    assert (good["cache_read_tokens"], good["reasoning_tokens"]) == (20, 5)
    assert (good["cost_nano_usd"], good["duration_us"], good["ttft_us"]) == (
        400_000, 2_000_000, 300_000,
    )  # fmt: skip
    assert good["model"] == "gpt-4o-2024-08-06"
    assert (bad["failed"], bad["input_tokens"], bad["service"]) == (1, -1, "shop")


def test_a_large_row_group_is_read_in_even_pieces_and_small_ones_together(tmp_path: Path) -> None:
    def cut(name: str, rows: int, group: int) -> list[tuple[int, int]]:
        path = tmp_path / name
        pq.write_table(pa.table({"model": ["m"] * rows}), path, row_group_size=group)
        return [(piece.offset, piece.rows) for piece in parquet.slices(path, {})]

    most = 2 * parquet.ROWS
    assert cut("large", 3 * most - 2, 3 * most) == [
        (0, most), (most, most - 1), (2 * most - 1, most - 1)]  # fmt: skip
    small = parquet.ROWS // 2 + 1
    assert cut("small", 5 * small, small) == [
        (0, 2 * small),
        (2 * small, 2 * small),
        (4 * small, small),
    ]
    assert cut("one", 1, 1) == [(0, 1)]
