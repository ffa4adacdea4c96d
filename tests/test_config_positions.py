"""Line and column of every key: what tomllib reads and what the scanner finds are the same."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.positions import Path, Positions, scan

TRICKY = '''\
# a comment with [header] and key = "value"
title = "a # no comment, [no header], and \\" a quote" # a comment
'literal key' = 'C:\\path'
"quoted.key" = 1
site . title = "dotted with blanks"
 indented = true
empty = ""
empty2 = ''
multi = """
fake = 1
[fake]
\\""" still inside ""\\"
five quotes """""
literal = \'\'\'
fake2 = 1
two quotes \'\'\'\'\'
list = [ # comment ]
  1, [2, "]"], # ,
  { a = 1, b.c = "}" },
]
inline = { x = { y = [1, 2] }, "z z" = """
}""" }
when = 2026-11-18 10:00:00
after = 1

[slo]
"error_rate{model=gpt-4o*}" = "<= 1%"   # selector
'tool_error_rate{tool="a"}' = "<= 2%"

[ slo . "latency.p95" ]
limit = "<= 2.5s"

[[exclude]]
from = 2026-11-18T10:00:00Z
[exclude.more]
x = 1
[[exclude]]
[[exclude.deep]]
a = 1
[[exclude.deep]]
a = 2
[exclude.deep.er]
b = 3
'''


def leaves(value: Any, path: Path = ()) -> dict[Path, Any]:
    """Every value that is no table, by its path."""
    if isinstance(value, dict):
        return {k: v for key, x in value.items() for k, v in leaves(x, (*path, key)).items()}
    if isinstance(value, list) and value:
        found = [leaves(x, (*path, i)) for i, x in enumerate(value)]
        return {k: v for part in found for k, v in part.items()}
    return {path: value}


def offset(text: str, position: tuple[int, int]) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: position[0] - 1]) + position[1] - 1


def starts_with_value(text: str, value: Any) -> bool:
    """Whether some beginning of `text` is TOML for `value`."""
    for end in range(1, len(text) + 1):
        try:
            if tomllib.loads(f"v = {text[:end]}\n")["v"] == value:
                return True
        except tomllib.TOMLDecodeError:
            continue
    return False


def assert_agrees(text: str) -> Positions:
    """Each leaf of the document is found, and what stands at its place is its value."""
    found = scan(text)
    assert not found.duplicates
    for path, value in leaves(tomllib.loads(text)).items():
        if value in ([], {}):
            continue
        rest = text[offset(text, found.values[path]) :]
        assert starts_with_value(rest, value), (path, rest[:40])
        assert offset(text, found.keys[path]) <= offset(text, found.values[path])
    return found


def test_tricky_file() -> None:
    found = assert_agrees(TRICKY)
    lines = TRICKY.split("\n")

    def line_of(start: str, nth: int = 0) -> int:
        return [i for i, line in enumerate(lines, 1) if line.startswith(start)][nth]

    for path, start, column, nth in (
        (("title",), "title", 1, 0),
        (("literal key",), "'literal key'", 1, 0),
        (("quoted.key",), '"quoted.key"', 1, 0),
        (("site", "title"), "site . title", 1, 0),
        (("indented",), " indented", 2, 0),
        (("literal",), "literal =", 1, 0),
        (("list", 1, 1), "  1, [2", 10, 0),
        (("list", 2, "b", "c"), "  { a", 12, 0),
        (("inline", "z z"), "inline", 32, 0),
        (("after",), "after", 1, 0),
        (("slo", "error_rate{model=gpt-4o*}"), '"error_rate', 1, 0),
        (("slo", 'tool_error_rate{tool="a"}'), "'tool_error", 1, 0),
        (("slo", "latency.p95"), "[ slo", 1, 0),
        (("slo", "latency.p95", "limit"), "limit", 1, 0),
        (("exclude", 0), "[[exclude]]", 1, 0),
        (("exclude", 1), "[[exclude]]", 1, 1),
        (("exclude", 0, "more", "x"), "x = 1", 1, 0),
        (("exclude", 1, "deep", 1), "[[exclude.deep]]", 1, 1),
        (("exclude", 1, "deep", 1, "er", "b"), "b = 3", 1, 0),
    ):
        assert found.keys[path] == (line_of(start, nth), column), path
    assert found.values["slo", "error_rate{model=gpt-4o*}"] == (line_of('"error_rate'), 31)


def test_windows_line_ends_and_other_alphabets_count_as_people_do() -> None:
    found = scan('a = "ä€😀" \r\nb = """x\r\ny"""\r\n"ключ" = { c = 1 }\r\n')
    assert found.keys["b",] == (2, 1)
    assert found.keys["ключ", "c"] == (4, 12)


def test_what_is_missing_is_looked_for_around_it() -> None:
    found = scan('x = 1\n\n[site]\ntitle = "t"\n')
    assert found.at(("site", "nothing")) == (3, 1)
    assert found.at(("site", "title")) == (4, 1)
    assert found.at(("site", "title"), value=True) == (4, 9)
    assert found.at(("nowhere", 3, "x")) == (1, 1)


@pytest.mark.parametrize(
    ("text", "path", "first", "again"),
    [
        ("a = 1\nb = 2\na = 3\n", ("a",), (1, 1), (3, 1)),
        ("[s]\nx = 1\n[t]\n[s]\n", ("s",), (1, 1), (4, 1)),
        ("[[e]]\nx = 1\n x = 2\n", ("e", 0, "x"), (2, 1), (3, 2)),
        ("t = { b = 1, b = 2 }\n", ("t", "b"), (1, 7), (1, 14)),
        ("t = { b = 1 }\n[t]\n", ("t",), (1, 1), (2, 1)),
        ('a.b = 1\n"a"."b" = 2\n', ("a", "b"), (1, 1), (2, 1)),
    ],
)
def test_duplicates(text: str, path: Path, first: tuple[int, int], again: tuple[int, int]) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(text)
    assert scan(text).duplicates == [(path, first, again)]


@settings(deadline=None)
@given(st.text(alphabet="ab.=[]{}\"'\\#,\n 1"))
def test_any_text_ends(text: str) -> None:
    found = scan(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert not found.duplicates
    for path, value in leaves(document).items():
        if value not in ([], {}):
            assert path in found.values


NASTY = st.sampled_from(
    ['#"', "'''", '"""', "[a]\nb = 1", "a\\b", "]", "}", ",", "é", "=", "\n", " ", "x"]
)
TEXTS = st.lists(NASTY, max_size=5).map("".join)
NAMES = st.sampled_from(["a", "b-1", "c.d", "e f", '"q"', "'", "{x=y}", "#", "ü", "7"])
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers() | st.booleans() | TEXTS,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(NAMES, inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=4,
)


def render_key(key: str, draw: st.DataObject) -> str:
    if key in ("a", "b-1", "7") and draw.draw(st.booleans()):
        return key
    if "'" not in key and draw.draw(st.booleans()):
        return f"'{key}'"
    return json.dumps(key, ensure_ascii=draw.draw(st.booleans()))


def render_value(value: Any, draw: st.DataObject) -> str:
    if isinstance(value, dict):
        parts = [f"{render_key(k, draw)} = {render_value(v, draw)}" for k, v in value.items()]
        return "{ " + ", ".join(parts) + " }"
    if isinstance(value, list):
        gap = draw.draw(st.sampled_from([" ", "\n", " # ]\n  "]))
        return "[" + "".join(f"{gap}{render_value(v, draw)}{gap}," for v in value) + "]"
    if isinstance(value, str):
        if "'" not in value and "\n" not in value and draw.draw(st.booleans()):
            return f"'{value}'"
        if "'''" not in value and not value.startswith("\n") and draw.draw(st.booleans()):
            return f"'''{value}'''"
        if draw.draw(st.booleans()):
            escaped = value.replace("\\", "\\\\").replace('"""', '""\\"')
            return f'"""\n{escaped}"""'
    return json.dumps(value, ensure_ascii=False)


def render_tables(tree: dict[str, Any], prefix: list[str], draw: st.DataObject) -> str:
    """A table as plain keys, dotted keys, headers and arrays of tables, as drawn."""
    own, below = "", ""
    for key, value in tree.items():
        name = render_key(key, draw)
        style = draw.draw(st.integers(0, 2))
        full = " . ".join([*prefix, name])
        if style and isinstance(value, dict) and value:
            below += f"\n[{full}]\n{render_tables(value, [*prefix, name], draw)}"
        elif style and isinstance(value, list) and all(isinstance(v, dict) for v in value):
            for v in value:
                below += f"[[ {full} ]] # next\n{render_tables(v, [*prefix, name], draw)}"
        else:
            own += f"{name} = {render_value(value, draw)}\n"
    return own + below


@settings(deadline=None)
@given(TREES, st.data())
def test_any_document_in_any_writing(tree: dict[str, Any], draw: st.DataObject) -> None:
    text = render_tables(tree, [], draw)
    assert tomllib.loads(text) == tree
    assert_agrees(text)
