"""The hostile set: files that real and malicious logs are made of, each with what must come of it.

    from hostile import cases, write_case
    @pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
    def test_...(case, tmp_path): path = write_case(case, tmp_path)

A *good* line must be accepted, a *bad* one quarantined; a blank line is neither. No two lines of
the set share their (trace_id, span_id), so the whole set can be read together. Wrongly typed,
NaN and undecodable values cost a good line that field only, and are counted by the reader.
Parquet rows count as lines. The canaries are in hostile_canaries.py, and here by name too.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hostile_canaries import (
    CANARIES,
    CANARY_FILENAME,
    CANARY_TOKENS,
    canary_bad_lines,
    canary_lines,
)

__all__ = [
    "ATTACK_STRINGS",
    "CANARIES",
    "CANARY_FILENAME",
    "CANARY_TOKENS",
    "HostileCase",
    "canary_bad_lines",
    "canary_lines",
    "cases",
    "write_case",
]


@dataclass(frozen=True)
class HostileCase:
    """One hostile file: its bytes, and how many of its lines are to be accepted and quarantined.

    `unreadable`: the file as a whole is refused with a message; its bad lines may then be
    counted as one, or not at all.
    """

    name: str
    filename: str
    data: bytes
    good_lines: int
    bad_lines: int
    note: str
    unreadable: bool = False


def write_case(case: HostileCase, folder: Path) -> Path:
    """Write the case's file into the folder and return its path."""
    path = folder / case.filename
    path.write_bytes(case.data)
    return path


def fields(case: str, i: int, **more: Any) -> dict[str, Any]:
    """An ordinary call as a dict, its ids unique to (case, i), with the fields of `more` set."""
    ids = hashlib.sha256(f"{case}/{i}".encode()).hexdigest()
    return {
        "timestamp": f"2026-11-16T{9 + i // 3600 % 12:02d}:{i // 60 % 60:02d}:{i % 60:02d}.000Z",
        "trace_id": ids[:32],
        "span_id": ids[32:48],
        "service": "hostile",
        "operation": "chat",
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 100 + i,
        "output_tokens": 20 + i,
        "latency_ms": 500.5 + i,
        "status": "ok",
    } | more


def line(case: str, i: int, **more: Any) -> bytes:
    """The call of `fields` as one line of JSON, without the line break; pure ASCII."""
    return json.dumps(fields(case, i, **more)).encode()


def _raw(case: str, i: int, field: str, value: bytes) -> bytes:
    """A line in which the bytes of `value` stand where that field's JSON value belongs."""
    return line(case, i, **{field: "@@"}).replace(b'"@@"', value)


def _case(name: str, good: list[bytes], bad: list[bytes], note: str) -> HostileCase:
    """Good lines around the bad ones, so that a reader that stops early loses good ones."""
    lines = [line(name, 900), *good, *bad, line(name, 901)]
    data = b"\n".join(lines) + b"\n"
    return HostileCase(name, f"{name}.jsonl", data, len(good) + 2, len(bad), note)


def _file(name: str, data: bytes, good: int, bad: int, note: str) -> HostileCase:
    return HostileCase(name, f"{name}.jsonl", data, good, bad, note)


# --- how lines end and are encoded ---------------------------------------------------------


def truncated_last_line() -> HostileCase:
    name = "truncated-last-line"
    lines = [line(name, i) for i in range(4)]
    data = b"\n".join([*lines[:3], lines[3][:97]])
    return _file(name, data, 3, 1, "the last line is cut, and no line break follows it")


def no_final_newline() -> HostileCase:
    name = "no-final-newline"
    data = b"\n".join(line(name, i) for i in range(3))
    return _file(name, data, 3, 0, "the last line is whole and only its line break is missing")


def blank_lines() -> HostileCase:
    name = "blank-lines"
    a, b, c = (line(name, i) for i in range(3))
    data = b"\n\n" + a + b"\n   \t\n" + b + b"\r\n\r\n" + c + b"\n\n\n"
    return _file(name, data, 3, 0, "empty and white lines are not lines; CRLF is a line break")


def byte_order_mark() -> HostileCase:
    name = "byte-order-mark"
    data = b"\xef\xbb\xbf" + b"\n".join(line(name, i) for i in range(3)) + b"\n"
    return _file(name, data, 3, 0, "the first line starts with a UTF-8 BOM")


def invalid_utf8() -> HostileCase:
    name = "invalid-utf-8"
    values = [b'"caf\xe9"', b'"\xff\xfe"', b'"cut \xe2\x82"', b'"overlong \xc0\xaf"']
    good = [_raw(name, i, "output", value) for i, value in enumerate(values)]
    good.append(_raw(name, 8, "request_model", b'"gpt-\x80"'))
    return _case(name, good, [], "accepted with replacement characters, and counted")


def lone_surrogates() -> HostileCase:
    name = "lone-surrogates"
    values = [b'"\\ud800"', b'"a\\udfffb"', b'"\\udc00\\ud800"', b'"raw \xed\xa0\x80"']
    good = [_raw(name, i, "output", value) for i, value in enumerate(values)]
    good.append(_raw(name, 8, "request_model", b'"gpt-\\ud83d"'))
    return _case(name, good, [], "escaped and raw halves of a surrogate pair")


def unicode_line_separators() -> HostileCase:
    name = "unicode-line-separators"
    values = ["a\u2028b", "a\u2029b", "a\u0085b"]
    good = [_raw(name, i, "output", f'"{v}"'.encode()) for i, v in enumerate(values)]
    good += [line(name, 8, output="a\nb\r\n\x0b\x0c\x1c\x00c")]
    return _case(name, good, [], "only a line feed ends a line")


def ten_megabyte_line() -> HostileCase:
    name = "ten-megabyte-line"
    return _case(name, [line(name, 0, output="long " * 2_000_000)], [], "a line of 10 MB")


# --- values --------------------------------------------------------------------------------


def nan_and_infinity() -> HostileCase:
    name = "nan-and-infinity"
    places = [
        ("latency_ms", b"NaN"),
        ("cost_usd", b"Infinity"),
        ("latency_ms", b"-Infinity"),
        ("input_tokens", b"NaN"),
        ("latency_ms", b"1e999"),
        ("latency_ms", b'"NaN"'),
        ("cost_usd", b'"Infinity"'),
        ("retrieval", b'{"hit":true,"scores":[NaN,0.5],"latency_ms":Infinity}'),
    ]
    good = [_raw(name, i, field, value) for i, (field, value) in enumerate(places)]
    return _case(name, good, [], "accepted with that field missing")


def odd_numbers() -> HostileCase:
    name = "odd-numbers"
    values = [
        b'"3.5"', b'" 12 "', b'"1,234"', b'"12ms"', b'""', b"-1", b"-0.0", b"0", b"true", b"null",
        b"1e400", b"1" + b"0" * 400, b"9223372036854775808", b"-9223372036854775809", b"5e-324",
    ]  # fmt: skip
    names = ("latency_ms", "input_tokens", "cost_usd", "retries")
    good = [
        _raw(name, i * 4 + j, field, value)
        for i, value in enumerate(values)
        for j, field in enumerate(names)
    ]
    return _case(name, good, [], "numbers as text, out of range, negative, or no number at all")


def odd_times() -> HostileCase:
    name = "odd-times"
    values: list[Any] = [
        "2026-11-16T09:00:00", "2026-11-16 09:00:00+05:45", "2026-11-16", "2026-02-30T00:00:00Z",
        "2026-11-16T24:00:00Z", "2026-11-16T23:59:60Z", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z", "+10000-01-01T00:00:00Z", "yesterday", "", None, True,
        1_795_000_000, 1_795_000_000.25, 1_795_000_000_000, 1_795_000_000_000_000,
        1_795_000_000_000_000_000, "1795000000", 0, -1, 10**30, [2026, 11, 16], {"seconds": 1},
    ]  # fmt: skip
    good = [line(name, i, timestamp=value) for i, value in enumerate(values)]
    return _case(name, good, [], "a line without a readable time counts in totals")


def duplicate_keys() -> HostileCase:
    name = "duplicate-keys"
    whole = line(name, 0)
    good = [
        b'{"latency_ms":1.5,"status":"error",' + whole[1:],
        line(name, 1)[:-1] + b',"latency_ms":99999,"status":"error"}',
        line(name, 2)[:-1] + b',"retrieval":{"hit":true,"hit":false},"retrieval":{"hit":true}}',
    ]
    return _case(name, good, [], "a key given twice means the same on every path of the reader")


def wrong_types() -> HostileCase:
    name = "wrong-types"
    lists = ("tool_calls", "guardrails", "evaluations")
    structs = ("retrieval", "action")
    scalars = (
        "timestamp", "session_id", "user_id", "tenant_id", "environment", "release",
        "request_model", "input_tokens", "latency_ms", "ttft_ms", "stream", "status",
        "error_type", "finish_reason", "retries", "cost_usd", "cache_hit", "output",
    )  # fmt: skip
    odd: list[tuple[str, Any]] = [(f, v) for f in lists for v in (5, True, "x", {}, {"name": 1})]
    odd += [(f, [5, "x", None, [], {}, {"name": ["search"], "latency_ms": {}}]) for f in lists]
    odd += [(f, v) for f in structs for v in (5, "x", False, [], [{"hit": True}], [5])]
    odd += [(f, v) for f in scalars for v in (["a"], [], {"name": "x"}, {}, [[1]])]
    odd += [
        ("retrieval", {"hit": "maybe", "chunk_ids": 5, "scores": "high", "latency_ms": [1]}),
        ("retrieval", {"hit": 1, "chunk_ids": ["c1", 2, None, {"id": "c"}], "scores": [None, "x"]}),
        ("retrieval", {"hit": {}, "chunk_ids": {"c1": 1}, "expected_chunk_ids": "c1"}),
        ("action", {"name": 5, "tier": "two", "review_latency_ms": "long"}),
    ]
    good = [line(name, i, **{field: value}) for i, (field, value) in enumerate(odd)]
    good += [line(name, 800, trace_id=["t"]), line(name, 801, span_id={"s": 1})]
    return _case(name, good, [], "accepted with that field unreadable, and counted")


def deep_nesting() -> HostileCase:
    name = "deep-nesting"
    depth = 2_000
    values = [
        ("extra", b"[" * depth + b"]" * depth),
        ("extra", b'{"a":' * depth + b"1" + b"}" * depth),
        ("tool_calls", b"[" * depth + b"]" * depth),
        ("retrieval", b'{"chunk_ids":' + b"[" * depth + b"]" * depth + b"}"),
        ("retrieval", b'{"hit":' * depth + b"true" + b"}" * depth),
        ("latency_ms", b"[" * depth + b"1" + b"]" * depth),
    ]
    good = [_raw(name, i, field, value) for i, (field, value) in enumerate(values)]
    bad = [b"[" * 100_000, b'{"a":' * 100_000, b"[" * depth + b"]" * depth]
    return _case(
        name, good, bad, "2,000 levels in an unknown or a known field cost that field only"
    )


# --- lines that are no records -------------------------------------------------------------


def not_objects() -> HostileCase:
    name = "not-objects"
    array = b"[" + line(name, 0) + b"]"
    bad = [
        array, b"[]", b"42", b'"text"', b"null", b"true", b"NaN", b"plain words", b"{", b"}", b"]",
        b",", b"//", b'{"trace_id"}', b"{'trace_id':'x'}", line(name, 1)[:40], line(name, 2) + b",",
        line(name, 3) + b" trailing", b"\x00", b'{"trace_id":"x" "span_id":"y"}',
    ]  # fmt: skip
    return _case(name, [], bad, "arrays, scalars, half objects and text")


def no_known_field() -> HostileCase:
    bad = [b"{}", b'{"heartbeat":true,"seq":1}']
    return _case("no-known-field", [], bad, "an object without any known field is not a record")


def forged_rows() -> HostileCase:
    name = "forged-rows"
    a, b = line(name, 0), line(name, 1)
    bad = [
        a + b"," + b,
        a + b,
        a + b" " + b,
        b'{"trace_id":"x',
        b'y"},{"trace_id":"z"}',
        b'{"trace_id":"x","tool_calls":[{"name":"search"}',
        b'{"name":"get_order"}]}',
        b'{"trace_id":"x"}],[{"trace_id":"y"}',
        b'{"trace_id":"x"}]',
        b'[{"trace_id":"x"}',
    ]
    return _case(name, [], bad, "decoded as one array, these lines forge rows or shift them")


def forged_rows_that_balance() -> HostileCase:
    """One line that makes two rows and two lines that make one: the number of rows is right."""
    name = "forged-rows-that-balance"
    bad = [
        line(name, 0) + b"," + line(name, 1),
        line(name, 2)[:-1] + b',"output":"x',
        b'y","status":"error"}',
    ]
    return _case(name, [line(name, i) for i in range(10, 40)], bad, "the row count hides the shift")


def one_bad_in_every_hundred() -> HostileCase:
    name = "one-bad-in-a-hundred"
    lines = [line(name, i) for i in range(9_000)]
    for i in range(50, 9_000, 100):
        lines[i] = lines[i][:60] if i % 200 == 50 else b"noise " + lines[i]
    data = b"\n".join(lines) + b"\n"
    return _file(name, data, 8_910, 90, "bad lines all over several decoding blocks")


# --- files that are no logs ----------------------------------------------------------------


def empty_file() -> HostileCase:
    return _file("empty", b"", 0, 0, "no byte")


def only_blank() -> HostileCase:
    return _file("only-blank", b"\n\n  \n\r\n", 0, 0, "blank lines and nothing else")


def all_bad() -> HostileCase:
    return _file("all-bad", b"error\nerror again\n", 0, 2, "stops with the first reason")


def binary_file() -> HostileCase:
    noise = random.Random(1).randbytes(4_000)
    data = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + noise + b"IEND\xaeB`\x82"
    bad = sum(bool(part.strip()) for part in data.split(b"\n"))
    return HostileCase("binary", "binary.jsonl", data, 0, bad, "a picture by its bytes", True)


def gzip_cut_in_half() -> HostileCase:
    name = "gzip-cut-in-half"
    whole = gzip.compress(b"\n".join(line(name, i) for i in range(3_000)) + b"\n", 6, mtime=0)
    data = whole[: len(whole) // 2]
    lines = zlib.decompressobj(wbits=31).decompress(data).split(b"\n")
    bad = 1 if lines[-1] else 0
    note = "what could be unpacked is accepted; the line at the cut is bad"
    return HostileCase(name, f"{name}.jsonl.gz", data, len(lines) - 1, bad, note)


def gzip_of_two_members() -> HostileCase:
    name = "gzip-of-two-members"
    data = b"".join(gzip.compress(line(name, i) + b"\n", mtime=0) for i in range(2))
    return HostileCase(name, f"{name}.jsonl.gz", data, 2, 0, "rotated logs, one after the other")


# --- names that attack whoever prints them -------------------------------------------------

ATTACK_STRINGS = (
    "<script>alert(1)</script>", "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\"><svg/onload=alert(4)>", "' onmouseover='alert(5)", "javascript:alert(6)", "<!--", "]]>",
    "</textarea></style></title>", "{{ 7*7 }}", "{% raw %}", "${7*7}", "&lt;b&gt;&amp;",
    "\u202egnp.exe\u202c", "\u2066isolate\u2069", "zero\u200bwidth\ufeff",
    "a\u0300\u0301\u0302" * 9, "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x9b2J", "bell\x07\x08\x7f", "::error::forged", "::set-output name=verdict::GO",
    "x\n::warning::forged", "a\r\nb\r\nc", "EOF\nverdict=GO", "line\u2028and\u2029paragraph",
    "nul\x00byte", "\ufffe\uffff",
    "![x](http://evil.example/track.png)", "[click](javascript:alert(7))", "`code` | **bold** | #1",
    "a|b|c\n|-|-|", "@everyone @here", "<!channel> <@U123>", "http://evil.example/auto",
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "a,b;\"c\"",
    "../../../../etc/passwd", "..\\..\\windows", "/abs/olute", "con", "a/b?c#d", "%2e%2e%2f", ".",
    "__proto__", "constructor", "(other)", "(not logged)", "null", "NaN", "None", "", " ",
    "'; DROP TABLE calls; --", "[bold red]rich[/]", "[/]", "\\", "$(reboot)", "`reboot`",
    "\U0001f4a9\U0001f468\u200d\U0001f469", "M" * 100_000,
)  # fmt: skip
"""Hostile names. The last one is 100 KB long; each is set in every name field of a line."""


def attack_strings() -> HostileCase:
    name = "attack-strings"
    good = [line(name, i, **_named(text)) for i, text in enumerate(ATTACK_STRINGS)]
    return _case(name, good, [], "each name field of a line holds the same attack")


def _named(text: str) -> dict[str, Any]:
    names = (
        "tenant_id", "session_id", "user_id", "service", "environment", "release", "provider",
        "prompt_version", "request_model", "response_model", "finish_reason", "error_type",
        "output",
    )  # fmt: skip
    return dict.fromkeys(names, text) | {
        "retrieval": {
            "hit": True,
            "chunk_ids": [text],
            "index_version": text,
            "embedding_model": text,
            "reranker": text,
        },
        "tool_calls": [{"name": text, "status": text, "mcp_server": text, "input": text}],
        "guardrails": [{"name": text, "stage": text, "triggered": True, "action": text}],
        "action": {"name": text, "tier": 3, "review": text, "reviewer": text},
        "evaluations": [{"name": text, "score": 0.5, "label": text}],
        text or "empty": text,
    }


def canaries() -> HostileCase:
    lines = [row.encode() for row in canary_lines(240)] + canary_bad_lines()
    bad = len(canary_bad_lines())
    data = b"\n".join(lines) + b"\n"
    note = "no canary may be in any published byte under the default profile"
    return HostileCase("canaries", CANARY_FILENAME, data, 240, bad, note)


TEXT_CASES: tuple[Callable[[], HostileCase], ...] = (
    truncated_last_line, no_final_newline, blank_lines, byte_order_mark, invalid_utf8,
    lone_surrogates, unicode_line_separators, ten_megabyte_line, nan_and_infinity, odd_numbers,
    odd_times, duplicate_keys, wrong_types, deep_nesting, not_objects, no_known_field,
    forged_rows, forged_rows_that_balance, one_bad_in_every_hundred, empty_file, only_blank,
    all_bad, binary_file, gzip_cut_in_half, gzip_of_two_members, attack_strings, canaries,
)  # fmt: skip


def cases() -> list[HostileCase]:
    """The whole set, text files first, then Parquet; a few take a moment to build."""
    from hostile_parquet import PARQUET_CASES

    return [build() for build in (*TEXT_CASES, *PARQUET_CASES)]
