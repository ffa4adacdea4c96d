"""Valid log lines with values that sit on the edges of the rules: for comparisons of counts.

The rows are those of bench_oracle, made stranger: empty texts, statuses and error types as people
write them, numbers out of range, children without content. The same seed gives the same lines.
"""

from __future__ import annotations

import json
import random
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import bench_oracle as oracle

Row = dict[str, Any]

STATUSES = (
    " ERROR ", "429.0", "503.", "404 Not Found", "1700000000", "450.5", "399", "+504", "-500",
    "Blocked ", "Exception", "e500", "in progress",
)  # fmt: skip
ERROR_TYPES = (
    "Rate Limit exceeded", "too-many-requests", "Context length exceeded", "prompt too  long",
    "invalid timeout", "invalid context-length", "internal: invalid", "403", "429.0", " 504 ",
    "599", "Server Error", "permission denied", "Unauthorized", "ReadTimedOut", "timed out", "DNS",
    "-429", "connection reset by invalid peer", "too_many_requests: timeout",
)  # fmt: skip
EMPTY_NOW_AND_THEN = (
    "trace_id", "span_id", "session_id", "user_id", "tenant_id", "service", "release", "operation",
    "model", "request_model", "response_model", "finish_reason", "status", "output",
)  # fmt: skip


def make_rows(seed: int, n: int) -> list[Row]:
    """Rows that fit the schema of bench_oracle."""
    rng = random.Random(f"awkward/{seed}")
    rows = oracle.make_rows(seed, n)
    for row in rows:
        for name in EMPTY_NOW_AND_THEN:
            if name in row and rng.random() < 0.03:
                row[name] = ""
        if rng.random() < 0.15:
            row["status"] = rng.choice(STATUSES)
        if rng.random() < 0.1:
            row["error_type"] = rng.choice(ERROR_TYPES)
        if rng.random() < 0.05:
            row["latency_ms"] = rng.choice([1e9, 1_099_511_627.776, 1_099_511_627.777, 1e12, 1e300])
        if rng.random() < 0.05:
            row["cost_usd"] = rng.choice([1e5, 1e6, 1_000_001.0, 1e12])
        if rng.random() < 0.05:
            row["retries"] = -1
        if rng.random() < 0.05:
            row["output_tokens"] = 999_999_937
        if rng.random() < 0.05:
            row["operation"] = rng.choice([" Retrieval ", "EMBEDDINGS ", "Execute_Tool"])
        if rng.random() < 0.05:
            row["guardrails"] = twice(rng)
        for child in (row["retrieval"], *(row["tool_calls"] or []), *(row["guardrails"] or [])):
            if child:
                _strange_child(rng, child)
    return rows


def twice(rng: random.Random) -> list[Row]:
    """The same check several times on a call, now triggered and now not."""
    return [
        {"name": "pii", "stage": "input", "triggered": rng.choice([None, True, False]),
         "action": rng.choice(["block", "none"]), "bypassed": rng.choice([None, True, False]),
         "latency_ms": rng.choice([None, 1.5, 2.5])}
        for _ in range(rng.randint(2, 4))
    ]  # fmt: skip


def _strange_child(rng: random.Random, child: Row) -> None:
    for name in ("name", "stage", "index_version", "status", "error_type"):
        if name in child and rng.random() < 0.04:
            child[name] = ""
    if "chunk_ids" in child:
        if rng.random() < 0.05:
            child["chunk_ids"] = ["a", "", "b"]
        if rng.random() < 0.05:
            child["expected_chunk_ids"] = rng.choice([[None], ["b", None], ["a", "a"]])
        if rng.random() < 0.05:
            child["scores"] = [-0.5, -0.25]
    if "arguments_valid" in child and rng.random() < 0.1:
        child["status"], child["error_type"] = rng.choice(
            [("429", "timeout"), ("timed-out", None), (None, "504"), ("deadline exceeded", "")]
        )
    if "action" in child and rng.random() < 0.05:
        child["action"] = " BLOCKED "


def json_line(row: Row, number: int) -> str:
    """The row as a log line; what a value means is written in one of several ways."""
    out = {k: v for k, v in row.items() if v is not None or number % 3 == 0}
    if row["timestamp"] is not None:
        seconds = row["timestamp"].timestamp()
        out["timestamp"] = [
            row["timestamp"].isoformat().replace("+00:00", "Z"),
            row["timestamp"].replace(tzinfo=None).isoformat(sep=" "),
            row["timestamp"].astimezone(timezone(timedelta(hours=5, minutes=45))).isoformat(),
            seconds,
            int(seconds * 1000),
            str(int(seconds)),
        ][number % 6]
    if number % 7 == 0 and row["latency_ms"] is not None:
        out["latency_ms"] = repr(row["latency_ms"])
    if number % 8 == 0 and row["input_tokens"] is not None:
        out["input_tokens"] = str(row["input_tokens"])
    if (row["status"] or "").isdigit():
        out["status"] = int(row["status"])
    if number % 11 == 0:
        out["trace_id"] = number // 22
    if number % 13 == 0:
        out["parent_span_id"] = f"nobody-{number}"
    if number % 17 == 0 and row["response_model"]:
        out["model"] = "asked-for"
    if number % 19 == 0:
        out |= _empty_children(number)
    if number % 23 == 0:
        out |= {"timestamp": "yesterday", "unheard_of": {"a": [1, {"b": None}]}}
    return json.dumps(out, ensure_ascii=number % 2 == 0) + "\n"


def _empty_children(number: int) -> Row:
    return [
        {"retrieval": {}},
        {"tool_calls": [{}], "guardrails": [{}]},
        {"tool_calls": [None], "guardrails": []},
        {"evaluations": [{}], "action": {}},
    ][number // 19 % 4]  # type: ignore[return-value]


def write(folder: Path, kind: str, seed: int, n: int, lines_per_file: int = 450) -> list[Path]:
    """The rows of a seed as files of a kind (jsonl or parquet) in the folder, in their order."""
    rows = make_rows(seed, n)
    paths = []
    for start in range(0, n, lines_per_file):
        part = rows[start : start + lines_per_file]
        path = folder / f"part-{len(paths)}.{kind}"
        if kind == "jsonl":
            lines = (json_line(row, start + i) for i, row in enumerate(part))
            path.write_text("".join(lines), "utf-8")
        else:
            pq.write_table(pa.Table.from_pylist(part, schema=oracle.SCHEMA), path,
                           row_group_size=100)  # fmt: skip
        paths.append(path)
    return paths
