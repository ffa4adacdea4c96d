"""Write the sample logs: the week of copilot_week.py as files, delivered as real logs are.

    python sample_logs/generate.py                          the committed files
    python sample_logs/generate.py --quiet-week week.jsonl  a healthy week, nothing planted

Most days are JSONL and two are Parquet. The JSONL days hold 40 lines twice (at-least-once
delivery) and 7 lines that no reader may accept. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from copilot_week import CALLS, NAME, PLANTED, SEED, WEEK_START, Call, calls_for_week

__all__ = ["PLANTED", "calls_for_week", "json_line", "write_week"]

PARQUET_DAYS = (1, 5)  # Tuesday and Saturday, counted from Monday = 0
PARQUET_POLARS = "2.1.0"  # wrote the committed files; another version may write other bytes
LATE_COPIES = 3  # duplicates so late that they land in the next day's file
DUPLICATE_LINES = 40
BROKEN_LINES = 7
MIN_PLANTED_CALLS = 3000  # fewer leave no room for the broken lines on the short Sunday

_TEXT, _NUMBER, _WHOLE, _FLAG = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()
_TEXTS = pl.List(_TEXT)


def json_line(call: Call) -> str:
    """The call as one line of JSON, without the line break."""
    return json.dumps(call, separators=(",", ":"), ensure_ascii=False)


def calls_by_day(seed: int = SEED, n: int = CALLS) -> list[list[Call]]:
    """The calls of the planted week, a list for each day from Monday to Sunday."""
    days: list[list[Call]] = [[] for _ in range(7)]
    for call in calls_for_week(seed, True, n):
        days[datetime.fromisoformat(call["timestamp"]).weekday()].append(call)
    return days


def delivered_lines(days: list[list[Call]], seed: int = SEED) -> dict[int, list[str]]:
    """The lines of each JSONL day, duplicates and broken lines among them.

    Every call stays once in its place: what is added are extra lines.
    """
    rng = random.Random(f"{seed}/delivery")
    lines = {d: [json_line(c) for c in calls] for d, calls in enumerate(days)}
    for day in PARQUET_DAYS:
        del lines[day]
    wednesday, late = 2, len(lines[2]) - 40
    extra: list[tuple[int, float, str]] = []  # day, place among the lines, line
    pool = [(d, i) for d in lines for i in range(len(lines[d])) if d != wednesday or i < late]
    extra += [
        (day, i + rng.randint(1, 60) + 0.5, lines[day][i])
        for day, i in rng.sample(pool, DUPLICATE_LINES - LATE_COPIES)
    ]
    extra += [
        (wednesday + 1, rng.randrange(5) + 0.5, line)
        for line in rng.sample(lines[wednesday][late:], LATE_COPIES)
    ]
    extra += [
        (day, rng.randrange(20, len(lines[day]) - 20) + 0.25, broken)
        for day, broken in _broken_lines(lines)
    ]
    # The writer died in the last line of the week: no line break follows it.
    extra.append((6, float("inf"), lines[6][-1][:211]))
    out = {}
    for day, rows in lines.items():
        placed = [(float(i), row) for i, row in enumerate(rows)]
        placed += [(place, row) for d, place, row in extra if d == day]
        out[day] = [row for _, row in sorted(placed, key=lambda item: item[0])]
    return out


def _broken_lines(lines: dict[int, list[str]]) -> list[tuple[int, str]]:
    """All but the last of the broken lines, each with its day."""
    return [
        (0, lines[0][100][:333]),
        (2, "Traceback (most recent call last):"),
        (2, '{"heartbeat":true,"seq":5123}'),
        (3, '[{"trace_id":"forged-3","status":"ok"}]'),
        (3, '"log rotated"'),
        (4, '{"trace_id":"forged-1","status":"ok"},{"trace_id":"forged-2","status":"ok"}'),
    ]


def parquet_schema() -> dict[str, pl.DataType]:
    """Column types of the Parquet days; the field names are those of the JSON lines."""
    retrieval = {
        "hit": _FLAG, "chunk_ids": _TEXTS, "scores": pl.List(_NUMBER), "latency_ms": _NUMBER,
        "expected_chunk_ids": _TEXTS, "index_version": _TEXT, "embedding_model": _TEXT,
        "reranker": _TEXT, "status": _TEXT, "error_type": _TEXT,
    }  # fmt: skip
    tool = {
        "name": _TEXT, "status": _TEXT, "error_type": _TEXT, "latency_ms": _NUMBER,
        "arguments_valid": _FLAG, "fallback": _FLAG, "mcp_server": _TEXT, "input": _TEXT,
        "output": _TEXT,
    }  # fmt: skip
    check = {
        "name": _TEXT, "stage": _TEXT, "triggered": _FLAG, "action": _TEXT, "latency_ms": _NUMBER,
        "bypassed": _FLAG,
    }  # fmt: skip
    action = {
        "name": _TEXT, "tier": _WHOLE, "review": _TEXT, "reviewer": _TEXT,
        "review_latency_ms": _NUMBER,
    }  # fmt: skip
    evaluation = {"name": _TEXT, "score": _NUMBER, "label": _TEXT}
    names = (
        "trace_id span_id parent_span_id session_id user_id tenant_id service environment release "
        "prompt_version operation provider request_model response_model"
    )
    tokens = "input output cache_read_input cache_write_input reasoning_output"
    return (
        {"timestamp": pl.Datetime("us", "UTC")}
        | dict.fromkeys(names.split(), _TEXT)
        | {f"{name}_tokens": _WHOLE for name in tokens.split()}
        | {"latency_ms": _NUMBER, "ttft_ms": _NUMBER, "stream": _FLAG, "status": _TEXT}
        | {"error_type": _TEXT, "finish_reason": _TEXT, "retries": _WHOLE, "cost_usd": _NUMBER}
        | {"cache_hit": _FLAG, "retrieval": pl.Struct(retrieval)}
        | {"tool_calls": pl.List(pl.Struct(tool)), "guardrails": pl.List(pl.Struct(check))}
        | {"action": pl.Struct(action), "evaluations": pl.List(pl.Struct(evaluation))}
        | {"input_hash": _TEXT, "output": _TEXT}
    )


def parquet_frame(calls: list[Call]) -> pl.DataFrame:
    """The calls as a frame of `parquet_schema`, one row per call; an absent field is null."""
    rows = [c | {"timestamp": datetime.fromisoformat(c["timestamp"])} for c in calls]
    return pl.DataFrame(rows, schema=parquet_schema(), orient="row")


def write_week(folder: Path, seed: int = SEED, n: int = CALLS) -> list[Path]:
    """Write the planted week into the folder, a file per day; return the paths in order."""
    days = calls_by_day(seed, n)
    lines = delivered_lines(days, seed)
    paths = []
    for day, calls in enumerate(days):
        stem = f"{NAME}-{WEEK_START + timedelta(days=day):%Y-%m-%d}"
        if day in PARQUET_DAYS:
            path = folder / f"{stem}.parquet"
            parquet_frame(calls).write_parquet(path, compression="zstd", compression_level=9)
        else:
            path = folder / f"{stem}.jsonl.gz"
            end = "" if day == len(days) - 1 else "\n"
            path.write_bytes(gzipped(("\n".join(lines[day]) + end).encode()))
        paths.append(path)
    return paths


def gzipped(data: bytes) -> bytes:
    """The bytes as one gzip member without a name or a time in it."""
    # Not gzip.compress: its header differs between Python versions.
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()


def main(argv: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make the sample logs.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to fill")
    parser.add_argument("--quiet-week", type=Path, metavar="OUT",
                        help="write one healthy week as a JSONL file instead")  # fmt: skip
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls in a whole quiet week")
    args = parser.parse_args(argv)
    if args.quiet_week is None:
        if args.calls < MIN_PLANTED_CALLS:
            parser.error(f"the planted week needs --calls of at least {MIN_PLANTED_CALLS}")
        args.out.mkdir(parents=True, exist_ok=True)
        write_week(args.out, args.seed, args.calls)
        return
    with args.quiet_week.open("w", encoding="utf-8", newline="\n") as file:
        for call in calls_for_week(args.seed, False, args.calls):
            file.write(json_line(call) + "\n")


if __name__ == "__main__":
    main()
