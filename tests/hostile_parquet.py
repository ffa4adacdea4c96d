"""The Parquet files of the hostile set: other column types, other nesting, other damage."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from hostile import HostileCase, fields, line

_ROWS = 6


def _columns(name: str) -> dict[str, pl.Series]:
    """The ordinary calls of `fields` as columns, in their ordinary types."""
    rows = [fields(name, i) for i in range(_ROWS)]
    return {key: pl.Series(key, [row[key] for row in rows]) for key in rows[0]}


def _parquet(columns: dict[str, pl.Series]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(list(columns.values())).write_parquet(buffer)
    return buffer.getvalue()


def _case(name: str, note: str, **changed: Any) -> HostileCase:
    """Ordinary calls with some columns replaced: a Series, or the values of one."""
    columns = _columns(name)
    for key, values in changed.items():
        columns[key] = (
            values.alias(key) if isinstance(values, pl.Series) else pl.Series(key, values)
        )
    return HostileCase(name, f"{name}.parquet", _parquet(columns), _ROWS, 0, note)


def numbers_as_text() -> HostileCase:
    return _case(
        "parquet-numbers-as-text",
        "numeric text is a number; 'n/a' costs the row that field only",
        latency_ms=["793.45", "n/a", "", None, "1e3", " 5 "],
        input_tokens=["12", "many", None, "7.0", "-3", "NaN"],
        cost_usd=["0.01", "$1", None, "0", "1e-6", "Infinity"],
    )


def naive_times() -> HostileCase:
    start = datetime(2026, 11, 16, 9)
    times = [start + timedelta(minutes=i) for i in range(_ROWS)]
    return _case("parquet-naive-times", "naive times are UTC, and counted", timestamp=times)


def zoned_times() -> HostileCase:
    start = datetime(2026, 11, 16, 9, tzinfo=UTC)
    times = pl.Series([start + timedelta(minutes=i) for i in range(_ROWS)])
    zoned = times.dt.convert_time_zone("Asia/Kathmandu")
    return _case("parquet-zoned-times", "times of another zone", timestamp=zoned)


def nanosecond_times() -> HostileCase:
    times = pl.Series([1_795_000_000_000_000_001 + i for i in range(_ROWS)])
    return _case(
        "parquet-ns-times", "datetime in ns", timestamp=times.cast(pl.Datetime("ns", "UTC"))
    )


def epoch_times() -> HostileCase:
    times = [1_795_000_000_000 + 1_000 * i for i in range(_ROWS - 1)]
    return _case("parquet-epoch-times", "whole epoch milliseconds", timestamp=[*times, None])


def dates() -> HostileCase:
    days = [date(2026, 11, 16 + i) for i in range(_ROWS)]
    return _case("parquet-dates", "a date is its midnight in UTC", timestamp=days)


def durations() -> HostileCase:
    values = [timedelta(milliseconds=500 + i) for i in range(_ROWS)]
    return _case("parquet-durations", "latency as a duration", latency_ms=values)


def other_scalars() -> HostileCase:
    status = [True, False, None, True, True, True]
    return _case(
        "parquet-other-scalars",
        "small, unsigned, decimal, categorical, binary and empty columns",
        input_tokens=pl.Series([1, 2, 3, 4, 5, 255], dtype=pl.UInt8),
        output_tokens=pl.Series([1.0, 2.5, float("nan"), float("inf"), None, -1.0]),
        latency_ms=pl.Series([1.5, 2, 3, 4, 5, 6], dtype=pl.Float32),
        cost_usd=pl.Series([Decimal("0.000125")] * _ROWS, dtype=pl.Decimal(18, 9)),
        request_model=pl.Series(["gpt-4o", "m"] * 3, dtype=pl.Categorical),
        output=pl.Series([b"text", b"\xff\xfe", None, b"", b"\x00", b"x"], dtype=pl.Binary),
        release=pl.Series([202647] * _ROWS),
        retries=pl.Series([None] * _ROWS, dtype=pl.Null),
        status=status,
    )


def wrong_nesting() -> HostileCase:
    tool = {"name": "search", "latency_ms": 5.0}
    return _case(
        "parquet-wrong-nesting",
        "known fields nested otherwise are unreadable; the row is accepted",
        tool_calls=[tool] * _ROWS,
        retrieval=[[{"hit": True}]] * _ROWS,
        guardrails=["none"] * _ROWS,
        evaluations=[5] * _ROWS,
        action=[["refund"]] * _ROWS,
        session_id=[["s-1"]] * _ROWS,
        user_id=[{"id": "u-1"}] * _ROWS,
    )


def json_in_text() -> HostileCase:
    return _case(
        "parquet-json-in-text",
        "nested fields as JSON text, some of it broken",
        retrieval=['{"hit":true}', "{", "null", None, "[]", "5"],
        tool_calls=['[{"name":"search"}]', "[", "{}", None, "[]", "x"],
    )


def unknown_nesting() -> HostileCase:
    deep = [[{"a": [{"b": [[1, 2], []]}], "when": date(2026, 11, 16)}], []]
    known: dict[str, Any] = {"hit": True, "chunk_ids": [1, 2], "extra": {"deep": [[{"x": 1}]]}}
    return _case(
        "parquet-unknown-nesting",
        "columns and members that nobody knows, next to known ones",
        extra=[deep] * _ROWS,
        retrieval=[known] * _ROWS,
        tool_calls=[[{"name": "search", "trace": [[1]], "latency_ms": "5"}]] * _ROWS,
    )


def no_rows() -> HostileCase:
    name = "parquet-no-rows"
    columns = {key: column.clear() for key, column in _columns(name).items()}
    return HostileCase(name, f"{name}.parquet", _parquet(columns), 0, 0, "columns without a row")


def no_known_column() -> HostileCase:
    name = "parquet-no-known-column"
    data = _parquet({"colour": pl.Series("colour", ["red", "green", "blue"])})
    note = "no row has a known field; the file may be refused as a whole"
    return HostileCase(name, f"{name}.parquet", data, 0, 3, note, True)


def cut_in_half() -> HostileCase:
    name = "parquet-cut-in-half"
    data = _parquet(_columns(name))
    note = "the footer is gone, and with it every row"
    return HostileCase(name, f"{name}.parquet", data[: len(data) // 2], 0, 0, note, True)


def text_by_that_name() -> HostileCase:
    name = "parquet-by-name-only"
    data = line(name, 0) + b"\n"
    note = "JSONL under the name of Parquet: refused, or read for what it is"
    return HostileCase(name, f"{name}.parquet", data, 0, 0, note, True)


PARQUET_CASES: tuple[Callable[[], HostileCase], ...] = (
    numbers_as_text, naive_times, zoned_times, nanosecond_times, epoch_times, dates, durations,
    other_scalars, wrong_nesting, json_in_text, unknown_nesting, no_rows, no_known_column,
    cut_in_half, text_by_that_name,
)  # fmt: skip
