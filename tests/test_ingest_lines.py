"""Reading lines: two readers that agree, and a meaning that no other line can change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import json_lines
from gonogo.config.keys import CANONICAL_FIELDS
from gonogo.conventions import OTHER_UNITS
from gonogo.ingest import decode
from gonogo.ingest.canonical import canonicalise
from gonogo.ingest.decode import Decoder
from gonogo.ingest.fields import CHILDREN, LINE_FIELDS, Field, unit_factor
from gonogo.records import MISSING, NO_TIME, Dictionaries
from hostile import fields
from reading import Row, contents, read, rows_of, write

TABLES = {"retrievals": "retrievals", "tool_calls": "tool_calls", "guardrails": "guardrails"}


def decoded(
    lines: Sequence[str], *, only_slow: bool = False
) -> tuple[dict[int, Row | str], Counter[tuple[str, str]]]:
    """By index: the canonical row, or the code that refuses it; and what could not be read."""
    series = pl.Series(lines, dtype=pl.String)
    decoder = Decoder()
    decoder.learn(series)
    with pytest.MonkeyPatch.context() as patch:
        if only_slow:
            patch.setattr(decode._Run, "_fast", lambda *_: None)
        found = decoder.decode(series)
    tally: Counter[tuple[str, str]] = Counter()
    for path, count in found.odd_types.items():
        tally["I014", path] += count
    out: dict[int, Row | str] = {refused.index: refused.code for refused in found.rejected}
    if len(found.kept):
        dictionaries = Dictionaries()
        position = np.arange(len(found.kept), dtype=np.uint64)
        block = canonicalise(found.frame, position, dictionaries, tally, {}, keep_ids=True)
        assert block.ids is not None
        ids = block.ids.to_dicts()
        rows = contents(rows_of(block, dictionaries))
        for index, row, own in zip(found.kept.tolist(), rows, ids, strict=True):
            out[index] = row | own
    assert sorted(out) == list(range(len(lines)))
    return out, tally


# --- the fast reader and the slow one


def test_only_lines_that_need_it_are_read_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow: list[int] = []
    read_slowly = decode._Run._slow

    def watched(run: Any, indices: Iterable[int]) -> None:
        slow.extend(found := list(indices))
        read_slowly(run, found)

    monkeypatch.setattr(decode._Run, "_slow", watched)
    lines = [json.dumps({"trace_id": f"t{i}", "latency_ms": i}) for i in range(2_000)]
    lines[700] = "Traceback (most recent call last):"
    (tmp_path / "x.jsonl").write_text("\n".join(lines) + "\n")
    assert read(tmp_path / "x.jsonl").counts() == (2_000, 1_999, 1, 0)
    assert slow == [700]


@settings(max_examples=70)
@given(st.lists(json_lines.lines, min_size=1, max_size=12))
def test_the_fast_and_the_slow_reader_agree(lines: list[str]) -> None:
    assert decoded(lines) == decoded(lines, only_slow=True)


@settings(max_examples=50)
@given(st.lists(json_lines.lines, min_size=2, max_size=5))
def test_what_a_line_means_does_not_depend_on_other_lines(lines: list[str]) -> None:
    together, _ = decoded(lines)
    assert together == {i: decoded([line])[0][0] for i, line in enumerate(lines)}


@pytest.mark.parametrize(
    "name", ["trace_id", "output", "latency_ms", "timestamp", "stream", "model"]
)
def test_every_odd_scalar_is_the_same_to_both_readers(name: str) -> None:
    for written in (*json_lines.RAW_STRINGS, *json_lines.RAW_NUMBERS):
        line = f'{{"{name}":{written},"span_id":"s"}}'
        assert decoded([line]) == decoded([line], only_slow=True), written


def test_the_first_of_two_equal_keys_counts_on_every_path() -> None:
    line = '{"status":"ok","status":"error","retrieval":{"hit":true,"hit":false},"retrieval":null}'
    odd = '{"status":"ok","status":"error","retrieval":{"hit":true,"hit":false},"retrieval":[1]}'
    rows = [decoded([text], only_slow=slow)[0][0] for text in (line, odd) for slow in (0, 1)]
    assert rows == [rows[0]] * 4
    assert isinstance(rows[0], dict)
    assert (rows[0]["failed"], rows[0]["retrievals"][0]["hit"]) == (0, 1)


def test_ordinary_lines_never_need_the_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        json.dumps(fields("fast", i, output="é\n" if i % 2 else None, tool_calls=[{"name": "s"}]))
        for i in range(3_000)
    ]

    def fail(*_: Any) -> None:
        raise AssertionError("read line by line")

    monkeypatch.setattr(decode._Run, "_slow", fail)
    rows, tally = decoded(lines)
    assert len(rows) == 3_000
    assert not tally


def test_a_shift_of_rows_that_keeps_their_number_is_noticed() -> None:
    lines = [json.dumps(fields("shift", i)) for i in range(20)]
    expected = decoded(lines)[0]
    # Each begins and ends like an object; as members of one array they make three rows of theirs.
    forged = [
        lines[0] + "," + lines[1], '{"tool_calls":[{"name":"a"}', '{"name":"b"}],"status":"error"}',
    ]  # fmt: skip
    rows = decoded([*lines[:10], *forged, *lines[10:]])[0]
    assert [rows[i] for i in (10, 11, 12)] == ["I009", "I011", "I009"]
    assert [rows[i] for i in (*range(10), *range(13, 23))] == list(expected.values())


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ('{"exception":0}', '{"exception":[]}'),
        ('{"error":{"type":"timeout"}}', '{"error":"timeout"}'),
        ('{"error":"timeout"}', '{"error":{"message":"deadline exceeded"}}'),
        ('{"status":{"code":200}}', '{"status":"error"}'),
        ('{"retrieval":{"hit":true}}', '{"retrieval":[{"hit":true},{"hit":false}]}'),
        ('{"tool_calls":[{"name":"a"},{"name":"b"}]}', '{"tool_calls":{"name":"a"}}'),
        ('{"tool_calls":[]}', '{"tool_calls":5}'),
        ('{"output":{"text":"x"}}', '{"output":"x"}'),
        ('{"output":[{"text":"x"}]}', '{"output":""}'),
        ('{"retrieval":{"chunk_ids":[{"id":"c"}]}}', '{"retrieval":{"chunk_ids":["c"]}}'),
        ('{"retrieval":{"chunks":[{"id":"c"}]}}', '{"retrieval":{"chunks":{"id":"c"}}}'),
        ('{"latency_ms":7}', '{"latency\\u005fms":9}'),
    ],
)
def test_a_type_that_comes_late_is_read_as_if_it_came_first(first: str, later: str) -> None:
    alone = decoded([later])[0][0]
    assert decoded([first] * 400 + [later])[0][400] == alone
    assert decoded([later] + [first] * 400)[0][0] == alone


def test_an_error_that_is_an_object_is_an_error_of_its_type() -> None:
    lines = [
        '{"error":{"type":"RateLimitError","code":"rate_limit"}}', '{"error":{"code":504}}',
        '{"error":{"message":"connection reset"}}', '{"error":{}}', '{"error":null,"status":"ok"}',
    ]  # fmt: skip
    rows, tally = decoded(lines)
    assert [rows[i]["failed"] for i in range(5)] == [1, 1, 1, 2, 0]  # type: ignore[index]
    assert tally == {("I014", "error_type"): 1}


def test_invalid_utf8_costs_its_bytes_only(tmp_path: Path) -> None:
    lines = [json.dumps(fields("utf8", i)).encode() for i in range(200)]
    expected = contents(read(write(tmp_path / "good.jsonl", *lines)).rows)
    lines[120] = lines[120].replace(b"gpt-4o", b"gpt-\xff4o")
    found = read(write(tmp_path / "bad.jsonl", *lines))
    expected[120]["model"] = "gpt-\ufffd4o"
    assert contents(found.rows) == expected
    assert [(p.code, p.count) for p in found.logs.trouble.problems()] == [("I013", 1)]


# --- fields that come late


@pytest.mark.parametrize("threads", [1, 2])
def test_a_field_that_appears_after_fifty_thousand_lines_is_read(
    threads: int, tmp_path: Path
) -> None:
    plain = '{"operation":"retrieval","status":"action","model":"tool_calls"}'
    late = {
        "retrieval": {"hit": True, "chunk_ids": ["c"]}, "tool_calls": [{"name": "search"}],
        "ttft_ms": 5, "latency_ms": 9, "usage": {"prompt_tokens": 3},
        "error": {"type": "timeout"}, "session": "s",
    }  # fmt: skip
    spaced = json.dumps(late).replace('": ', '" \t :\r')
    path = write(tmp_path / "late.jsonl", *[plain] * 55_000, late, *[plain] * 300, spaced)
    rows = read(path, threads=threads).rows
    alone = read(write(tmp_path / "alone.jsonl", late)).rows
    assert contents([rows[55_000], rows[-1]]) == contents(alone) * 2
    assert rows[55_000]["ttft_us"] == 5_000
    assert rows[55_000]["input_tokens"] == 3
    assert [len(rows[55_000][name]) for name in TABLES] == [1, 1, 0]
    assert rows[0] == rows[54_999] | {"line": 1}


# --- names


def _nested(path: str, value: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    inner = _nested(rest, value) if rest else value
    return {name.removesuffix("[]"): [inner] if name.endswith("[]") else inner}


def _value(field: Field, path: str) -> Any:
    """A value of the field; the same instant or length of time under each of its names."""
    if field.name in ("duration", "ttft"):
        return 2_000_000 / unit_factor(path)
    telling = {
        "status": "error",
        "ok": False,
        "is_call": False,
        "action": "block",
        "scores": ["0.5"],
    }
    plain = {"number": 7, "flag": True, "time": "2026-11-16T09:00:07Z", "texts": ["c1"]}
    return telling.get(field.name, plain.get(field.kind, "c1"))


def _line(field: Field, path: str) -> dict[str, Any]:
    value = _value(field, path)
    start = {} if field.name == "start_time" else {"timestamp": "2026-11-16T09:00:00Z"}
    return start | _nested(path, value[0] if "[]" in path and field.kind == "texts" else value)


LINE_ALIASES = [(field, path) for field in LINE_FIELDS for path in field.paths]
CHILD_ALIASES = [
    (child, name, field, path)
    for child in CHILDREN if child.table in TABLES
    for name in child.names
    for field in child.fields
    for path in field.paths
]  # fmt: skip


def test_every_alias_of_a_line_means_its_native_name(tmp_path: Path) -> None:
    lines = [_line(field, path) for field, path in LINE_ALIASES]
    rows = contents(read(write(tmp_path / "aliases.jsonl", *lines)).rows)
    native = {
        field.name: row
        for (field, path), row in zip(LINE_ALIASES, rows, strict=True) if path == field.native
    }  # fmt: skip
    nothing = contents(read(write(tmp_path / "none.jsonl", {"end_time": None, "ok": "?"})).rows)[0]
    for (field, path), row in zip(LINE_ALIASES, rows, strict=True):
        assert row == native[field.name], (field.name, path)
        # A currency alone says nothing; it takes a cost that it is the currency of.
        quiet = field.name in ("start_time", "currency")
        assert row != nothing | {"start_us": row["start_us"]} or quiet, path


def test_every_alias_of_a_child_means_its_native_name(tmp_path: Path) -> None:
    lines = []
    for _, name, field, path in CHILD_ALIASES:
        child = _line(field, path)
        child.pop("timestamp")
        if field.name == "expected_ids":
            child["chunk_ids"] = ["c1"]
        lines += [{"latency_ms": 1, name: [child]}, {"latency_ms": 1, name: child}]
    rows = contents(read(write(tmp_path / "aliases.jsonl", *lines)).rows)
    native: dict[str, Row] = {}
    empty = {
        name: contents(read(write(tmp_path / f"{name}.jsonl", {"latency_ms": 1, name: [{}]})).rows)
        for name in {name for _, name, _, _ in CHILD_ALIASES}
    }
    for (child_of, name, field, path), as_list, as_object in zip(
        CHILD_ALIASES, rows[::2], rows[1::2], strict=True
    ):
        where = (name, field.name, path)
        assert as_list != empty[name][0], where
        assert as_list == as_object, where
        assert len(as_list[child_of.table]) == 1, where
        key = f"{child_of.table}.{field.name}"
        if "score" in path and "[]" in path:  # a document is a document with no id, too
            (found,), (meant,) = as_list["retrievals"], native[key]["retrievals"]
            assert found["top_score_micro"] == meant["top_score_micro"]
            continue
        assert as_list == native.setdefault(key, as_list), where


def test_the_first_alias_with_a_value_counts(tmp_path: Path) -> None:
    found = read(
        write(
            tmp_path / "both.jsonl",
            {"latency_ms": 5, "duration_ms": 9, "prompt_tokens": 3, "tokens_in": 4},
            {"latency_ms": "?", "duration_ms": 9, "response_model": None, "model": "m"},
        )
    )
    assert [row["duration_us"] for row in found.rows] == [5_000, 9_000]
    assert [row["input_tokens"] for row in found.rows] == [3, MISSING]
    assert [row["model"] for row in found.rows] == [None, "m"]


NATIVE: dict[str, Any] = {
    "timestamp": "2026-11-16T09:00:00Z", "end_time": "2026-11-16T09:00:02Z", "trace_id": "t",
    "span_id": "s", "parent_span_id": "p", "session_id": "se", "user_id": "u", "tenant_id": "acme",
    "service": "sv", "environment": "prod", "release": "r", "prompt_version": "v",
    "operation": "chat", "provider": "openai", "request_model": "m", "response_model": "m2",
    "input_tokens": 5, "output_tokens": 6, "cache_read_input_tokens": 1,
    "cache_write_input_tokens": 2, "reasoning_output_tokens": 3, "latency_ms": 1_500,
    "ttft_ms": 200, "stream": True, "status": "ok", "ok": True, "error_type": "timeout",
    "finish_reason": "stop", "retries": 2, "cache_hit": False, "cost_usd": 0.25, "output": "o",
    "input_hash": "h", "currency": "USD", "audio_input_tokens": 1, "image_input_tokens": 1,
    "audio_output_tokens": 2, "cache_write_1h_input_tokens": 1, "service_tier": "batch",
    "sample_weight": 10,
    "retrieval": {
        "hit": True, "n_chunks": 4, "chunk_ids": ["a", "b"], "scores": [0.5, 0.75],
        "latency_ms": 7, "expected_chunk_ids": ["b"], "index_version": "i", "embedding_model": "e",
        "status": "ok", "ok": True, "error_type": "lost",
    },
    "tool_calls": [
        {"name": "search", "status": "ok", "ok": True, "error_type": "dns", "timed_out": True,
         "latency_ms": 8, "arguments_valid": False, "fallback": True, "input": {"q": 1},
         "output": [1]},
        {"name": "order"},
    ],
    "guardrails": [{"name": "pii", "stage": "input", "triggered": True, "action": "block",
                    "latency_ms": 3, "bypassed": True}],
    "action": {"name": "refund"}, 
    "evaluations": [{"name": "g", "score": 0.5, "label": "fail", "passed": True},
                    {"name": "h", "label": "pass"}],
}  # fmt: skip


SAY_THE_SAME = {
    "request_model": ("response_model",), "latency_ms": ("end_time",),
    "status": ("ok", "error_type"), "ok": ("status", "error_type"),
}  # fmt: skip


# The other units of a duration have their own test: tests/test_first_logs.py.
@pytest.mark.parametrize("name", [n for n in CANONICAL_FIELDS if not n.endswith(OTHER_UNITS)])
def test_every_field_can_be_mapped(name: str, tmp_path: Path) -> None:
    container, _, inner = name.partition(".")
    alone = container in ("action", "evaluations")
    gone = {container, *SAY_THE_SAME.get(container, ())}
    line = {key: value for key, value in NATIVE.items() if key not in gone and not alone}
    line |= {"status": "ok"} if alone else {}
    told = NATIVE | {"currency": "EUR"} if name == "currency" else NATIVE
    native = write(tmp_path / "native.jsonl", {**line, container: told[container]})
    if inner:
        whole = NATIVE[container]
        moved = [
            {**{k: v for k, v in one.items() if k != inner}, "deep": {"er": one.get(inner)}}
            for one in (whole if isinstance(whole, list) else [whole])
        ]
        line |= {"own": moved if isinstance(whole, list) else moved[0]}
        paths = ["own.deep.er"]
    else:
        line |= {"own": {"deep": told[name]}, "flat.name": told[name], "plain": told[name]}
        is_child = isinstance(NATIVE[name], (dict, list))
        paths = ["plain"] if is_child else ["own.deep", "flat.name", "plain"]
    mapped = write(tmp_path / "mapped.jsonl", line)
    expected = contents(read(native).rows)
    for path in paths:
        assert contents(read(mapped, mapping={name: path}).rows) == expected, path
    assert contents(read(mapped).rows) != expected


def test_a_mapped_name_comes_before_the_aliases_and_tells_its_unit(tmp_path: Path) -> None:
    path = write(
        tmp_path / "own.jsonl", {"took": {"wall_s": 2}, "latency_ms": 5}, {"latency_ms": 6}
    )
    rows = read(path, mapping={"latency_ms": "took.wall_s"}).rows
    assert [row["duration_us"] for row in rows] == [2_000_000, 6_000]


def test_mapping_reads_parquet_alike(tmp_path: Path) -> None:
    row = {"id.trace": "t", "id.span": "s", "took": {"wall_s": 2.5}, "rag": {"found": True}}
    mapping = {
        "trace_id": "id.trace", "span_id": "id.span", "latency_ms": "took.wall_s",
        "retrieval.hit": "rag.found",
    }  # fmt: skip
    pl.DataFrame([row]).write_parquet(tmp_path / "own.parquet")
    columnar = read(tmp_path / "own.parquet", mapping=mapping)
    as_lines = read(write(tmp_path / "own.jsonl", row), mapping=mapping)
    assert contents(columnar.rows) == contents(as_lines.rows)
    assert columnar.rows[0]["duration_us"] == 2_500_000
    assert columnar.rows[0]["retrievals"][0]["hit"] == 1
    both = read(tmp_path / "own.parquet", tmp_path / "own.jsonl", mapping=mapping)
    assert both.counts() == (2, 1, 0, 1)


# --- numbers and times

NUMBERS: list[tuple[str, int, str]] = [
    ("3.5", 3_500, ""), ('"3.5"', 3_500, ""), ('" 12 "', 12_000, ""), ('"\\t1e3\\n"', 10**6, ""),
    ('"+5"', 5_000, ""), ("7", 7_000, ""), ("-0.0", 0, ""), ("0.0005", 0, ""), ("0.0015", 2, ""),
    ("793.4505", 793_450, ""), ("1e-300", 0, ""), ("null", MISSING, ""), ("-1", MISSING, "I016"),
    ('"-1"', MISSING, "I016"), ("true", MISSING, "I015"), ('"12ms"', MISSING, "I015"),
    ('"1,234"', MISSING, "I015"), ('""', MISSING, "I015"), ("NaN", MISSING, "I015"),
    ('"nan"', MISSING, "I015"), ('"Infinity"', MISSING, "I015"), ("-Infinity", MISSING, "I015"),
    ("1e400", MISSING, "I015"), ("1e300", MISSING, "I015"), ("9" * 5_000, MISSING, "I015"),
    ("[3.5]", MISSING, "I01"), ("{}", MISSING, "I01"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected", "code"), NUMBERS, ids=lambda v: str(v)[:20])
def test_numbers_are_read_leniently_and_never_guessed(
    written: str, expected: int, code: str, tmp_path: Path
) -> None:
    line = f'{{"status":"ok","latency_ms":{written}}}'
    found = read(write(tmp_path / "alone.jsonl", line))
    assert found.rows[0]["duration_us"] == expected
    assert (
        [(c[: len(code)], n) for (c, _), n in found.logs.trouble.tally.items()] == [(code, 1)]
        if code
        else not found.logs.trouble.tally
    )
    among = read(write(tmp_path / "among.jsonl", *['{"latency_ms":4}'] * 30, line)).rows
    assert contents(among[-1:]) == contents(found.rows)


def test_no_number_is_too_large_to_be_harmless(tmp_path: Path) -> None:
    names = (
        "latency_ms", "latency_s", "duration_ns", "ttft_ms", "cost_usd", "input_tokens",
        "output_tokens", "retries", "sample_weight",
    )  # fmt: skip
    values = ["1e12", "1e14", "999999999999999", "1e15", "1e18", "9223372036854775807", "1e30"]
    lines = [f'{{"status":"ok","{name}":{value}}}' for name in names for value in values]
    for row in read(write(tmp_path / "large.jsonl", *lines)).rows:
        for name, value in row.items():
            if name.endswith(("_us", "_tokens", "_usd", "_milli")) and name not in (
                "start_us", "updated_us",
            ):  # fmt: skip
                assert MISSING <= value <= 10**16, name


TIMES: list[tuple[str, str | None, str]] = [
    ('"2026-11-16T09:00:01.008Z"', "2026-11-16T09:00:01.008", ""),
    ('"2026-11-16T09:00:01.123456789Z"', "2026-11-16T09:00:01.123456", ""),
    ('"2026-11-16T14:45:00+05:45"', "2026-11-16T09:00:00", ""),
    ('"2026-11-16 04:00:00-0500"', "2026-11-16T09:00:00", ""),
    ('"2026-11-16T10:00:00+01"', "2026-11-16T09:00:00", ""),
    ('" 2026-11-16T09:00:00Z "', "2026-11-16T09:00:00", ""),
    ('"20261116T090000Z"', "2026-11-16T09:00:00", ""),
    ('"2026-11-16T09:00:00"', "2026-11-16T09:00:00", "I018"),
    ('"2026-11-16 09:00"', "2026-11-16T09:00:00", "I018"),
    ('"2026-11-16"', "2026-11-16T00:00:00", "I018"),
    ("1795000000", "2026-11-18T11:06:40", ""), ("1795000000.25", "2026-11-18T11:06:40.25", ""),
    ("1795000000000", "2026-11-18T11:06:40", ""), ("1795000000000000", "2026-11-18T11:06:40", ""),
    ("1795000000000000000", "2026-11-18T11:06:40", ""), ('"1795000000"', "2026-11-18T11:06:40", ""),
    ("0", None, "I015"), ("-1", None, "I015"), ("1e30", None, "I015"), ("true", None, "I015"),
    ('"yesterday"', None, "I015"), ('""', None, "I015"), ('"0001-01-01T00:00:00Z"', None, "I015"),
    ('"9999-12-31T23:59:59Z"', None, "I015"), ('"2026-02-30T00:00:00Z"', None, "I015"),
    ("[2026,11,16]", None, "I01"), ('{"seconds":1}', None, "I01"), ("null", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected", "code"), TIMES, ids=lambda v: str(v)[:24])
def test_times_are_read_in_every_form(
    written: str, expected: str | None, code: str, tmp_path: Path
) -> None:
    found = read(write(tmp_path / "time.jsonl", f'{{"status":"ok","timestamp":{written}}}'))
    start = found.rows[0]["start_us"]
    if expected is None:
        assert start == NO_TIME
    else:
        when = datetime.fromisoformat(expected).replace(tzinfo=UTC)
        assert start == round(when.timestamp() * 10**6)
    told = [c for c, _ in found.logs.trouble.tally]
    assert [c[: len(code)] for c in told] == ([code] if code else [])


def test_latency_is_end_minus_start_where_both_are_there(tmp_path: Path) -> None:
    start = "2026-11-16T09:00:00Z"
    lines: list[dict[str, Any]] = [
        {"timestamp": start, "end_time": "2026-11-16T09:00:02.5Z", "latency_ms": 9},
        {"timestamp": start, "end_time": "2026-11-16T08:59:59Z", "latency_ms": 9},
        {"timestamp": start, "end_time": None, "latency_ms": 9},
        {"end_time": start, "latency_ms": 9},
    ]
    found = read(write(tmp_path / "end.jsonl", *lines))
    assert [row["duration_us"] for row in found.rows] == [2_500_000, MISSING, 9_000, 9_000]
    assert found.logs.trouble.tally["I016", "end_time"] == 1


def test_ttft_that_cannot_be_is_missing_and_counted(tmp_path: Path) -> None:
    lines = [
        {"ttft_ms": value, "latency_ms": 100, "stream": stream}
        for value, stream in ((50, True), (0, True), (150, True), (50, False), (50, None))
    ]
    found = read(write(tmp_path / "ttft.jsonl", *lines))
    assert [row["ttft_us"] for row in found.rows] == [50_000, MISSING, MISSING, MISSING, 50_000]
    assert found.logs.trouble.tally == {("I017", "ttft"): 2}
