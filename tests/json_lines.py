"""Strategies for lines of JSON as no encoder would write them: odd types, escapes, double keys."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from gonogo.ingest.fields import known_paths

_PATHS = known_paths({})
TOP = sorted({path.split(".")[0].removesuffix("[]") for path in _PATHS})
INNER = sorted({part.removesuffix("[]") for path in _PATHS for part in path.split(".")[1:]})
CONTAINERS = sorted({path.split("[]")[0] for path in _PATHS if "[]." in path} | {"error", "usage"})
WORDS = (
    "", "ok", "error", "timeout", "429", "blocked", "3.5", " 12 ", "true", "no", "NaN",
    "2026-11-16T09:00:00Z", "2026-11-16 09:00:00+05:45", "retrieval", "tool_calls", "chat",
    "a\u2028b", "é", "😀", 'q"\\', "\x7f",
)  # fmt: skip
RAW_STRINGS = (
    '"\\ud800"', '"\\udc00x"', '"\\\\ud83d\\ude00"', '"\\ud83d\\ude00"', '"\\ud83d\\ud83d\\ude00"',
    '"\\u0041"', '"a\\/b"', '"\\u0000"', '"\\u00e9"', '"\\\\"',
)  # fmt: skip
RAW_NUMBERS = (
    "0", "-0.0", "1E3", "1.50", "100000000000000000000.0", "NaN", "Infinity", "-Infinity", "1e400",
    "0.1e1", "1e22", "1e23", "5e-324", "1795000000", "1795000000000", "1795000000123456",
    "18446744073709551616", "1" + "0" * 40, "9" * 5_000,
)  # fmt: skip


def _encoded(word: str, ascii_only: bool) -> str:
    alone = any(0xD800 <= ord(char) < 0xE000 for char in word)
    return json.dumps(word, ensure_ascii=ascii_only or alone)


def _array(items: list[str]) -> str:
    return f"[{','.join(items)}]"


def _object(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in pairs) + "}"


_strings = st.builds(_encoded, st.sampled_from(WORDS) | st.text(max_size=6), st.booleans())
_numbers = st.one_of(
    st.integers(-10, 10**6).map(str), st.integers(-(10**30), 10**30).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr), st.sampled_from(RAW_NUMBERS),
)  # fmt: skip
_scalars = st.one_of(
    _strings, _numbers, st.sampled_from(["true", "false", "null"]), st.sampled_from(RAW_STRINGS)
)
_keys = st.sampled_from([*INNER, *TOP, "zzz", "", "x y"])
_values: st.SearchStrategy[str] = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(_array)
        | st.lists(st.tuples(_keys, inner), max_size=4).map(_object)
    ),
    max_leaves=6,
)
_child = st.lists(st.tuples(st.sampled_from(INNER), _scalars | _values), max_size=4).map(_object)
_children = st.one_of(_child, st.lists(_child, max_size=3).map(_array), _values)
_pairs = st.one_of(
    st.tuples(st.sampled_from([n for n in TOP if n not in CONTAINERS]), _scalars | _values),
    st.tuples(st.sampled_from(CONTAINERS), _children),
    st.tuples(_keys, _values),
)


@st.composite
def _lines(draw: st.DrawFn) -> str:
    pairs = draw(st.lists(_pairs, max_size=7))
    if pairs and draw(st.integers(0, 3)) == 0:
        name = draw(st.sampled_from([key for key, _ in pairs]))
        pairs.insert(draw(st.integers(0, len(pairs))), (name, draw(_scalars | _children)))
    return _object(pairs)


lines = _lines()
"""One JSON object as text, most of its names known, in no particular order, some of them twice."""
