"""JSON lines to columns: fast in blocks, and never at the price of a wrong row.

Polars decodes a block of lines as one JSON array. A line that is not exactly one object could so
forge a row or swallow its neighbour. Every line therefore carries a key that only this run knows,
as its first member; a block counts only when the keys come back one for one, in order. A block that
fails is cut into small ones, and what still fails is read line by line with the standard library:
slower, lenient, and with a reason for each line that is refused.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest.fields import Kind, known_paths

BLOCK_LINES: Final = 512
SPLIT: Final = 8
SMALLEST_BLOCK: Final = 8
MAX_DEPTH: Final = 5_000
KEY: Final = "\x00gonogo"
_NOTHING: Final = pl.Struct({"\x00": pl.String})
_SPACED_COLONS: Final = ['" :', '"\t:', '"  ']
_LONE_ESCAPE: Final = r"\\u[dD][89a-fA-F]"
_PAIRED_ESCAPES: Final = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"

Tree = dict[str, Any]  # member name -> Tree; "" -> Kind where the path may end here


def _known_tree(mapping: Mapping[str, str]) -> Tree:
    tree: Tree = {}
    for path, kind in known_paths(mapping).items():
        node = tree
        for part in path.split("."):
            node = node.setdefault(part.removesuffix("[]"), {})
        node[""] = kind
    return tree


@dataclass(slots=True)
class Rejected:
    """A line that is not taken: its index in the block, a diagnostic code and the reason."""

    index: int
    code: str
    reason: str


@dataclass(slots=True)
class Decoded:
    """Columns of the good lines; `kept` holds their index among the lines given."""

    frame: pl.DataFrame
    kept: NDArray[np.int64]
    rejected: list[Rejected]
    odd_types: Counter[str] = field(default_factory=Counter)


class Decoder:
    """Decodes the lines of one file; learns from them which known fields the file has.

    `mapping` is a user's own: native field name to dotted path.
    """

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        self._tree = _known_tree(mapping or {})
        self._shapes: dict[tuple[str, ...], Counter[str]] = {}
        self._names_seen: set[str] = set()
        self._all_names = sorted(_names(self._tree))
        self._plan = _plan(pl.Struct({KEY: pl.String}))
        self._lock = threading.Lock()
        self._run_key = secrets.token_hex(8)

    def decode(self, lines: pl.Series) -> Decoded:
        """Decode stripped, non-empty lines, one JSON object each, after `learn` has seen them."""
        if not len(lines):
            return Decoded(pl.DataFrame(), np.empty(0, np.int64), [])
        schema, expression = self._plan
        numbers = pl.int_range(len(lines), eager=True).cast(pl.String)
        keys = pl.select(pl.lit(self._run_key) + numbers).to_series()
        plausible = lines.str.starts_with("{") & lines.str.ends_with("}") & ~_lone_surrogates(lines)
        keyed = pl.select(
            pl.concat_str(
                pl.lit(f'{{"{_escaped_key()}":"'),
                keys,
                pl.lit('",'),
                lines.str.slice(1),
            ).alias("line")
        )
        good = plausible.to_numpy()
        # One look at all keys at the end is cheap; where they differ, every block is looked at.
        for each_block in (False, True):
            run = _Run(lines, keyed, keys, schema, expression, each_block)
            for start in range(0, len(lines), BLOCK_LINES):
                stop = min(start + BLOCK_LINES, len(lines))
                if good[start:stop].all():
                    run.block(start, stop)
                else:
                    run.pieces(start, stop, good)
            decoded = run.result()
            if decoded is not None:
                return decoded
        raise AssertionError("keys differ in a block whose keys were compared")

    def learn(self, lines: pl.Series) -> None:
        """Find out which known fields the lines have."""
        if not len(lines):
            return
        with self._lock:
            if not self._names_seen:
                self._observe(pl.concat([lines.head(40), lines.sample(min(40, len(lines)), seed=1)]))
        unseen = [name for name in self._all_names if name not in self._names_seen]
        if not unseen:
            return
        # As a value a name says nothing; only as a key it makes a field to read.
        if lines.str.contains_any(_SPACED_COLONS).any():
            colons = lines.str.replace_all(r'"\s+:', '":')
        else:
            colons = lines
        patterns = [f'"{name}":' for name in unseen]
        is_hit = colons.str.contains_any(patterns)
        if is_hit.any():
            found = colons.filter(is_hit).str.extract_many(patterns).explode().unique()
            with self._lock:
                self._observe(lines.filter(is_hit).head(40), assume={key[1:-2] for key in found})

    def _observe(self, lines: pl.Series, assume: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        names: set[str] = set(assume)
        for text in lines.to_list():
            value, _ = parse(text)
            if isinstance(value, dict):
                self._walk(self._tree, value, ())
                _collect_names(value, names)
        # A known name that stands in the text somewhere else can no longer be watched for, so
        # it is read where the table expects it from now on.
        self._names_seen |= names & set(self._all_names)
        self._names_seen.add("")
        self._plan = _plan(pl.Struct({KEY: pl.String, **self._members(self._tree, ())}))

    def _walk(self, tree: Tree, value: dict[str, Any], path: tuple[str, ...]) -> None:
        for name, member in value.items():
            if not name or name not in tree:
                continue
            here, sub = (*path, name), tree[name]
            if isinstance(member, dict):
                self._count(here, "object")
                self._walk(sub, member, here)
            elif isinstance(member, list):
                objects = [item for item in member if isinstance(item, dict)]
                self._count(here, "objects" if objects else "list")
                for item in objects:
                    self._walk(sub, item, here)
            elif member is not None:
                self._count(here, "scalar")

    def _count(self, path: tuple[str, ...], shape: str) -> None:
        self._shapes.setdefault(path, Counter())[shape] += 1

    def _members(self, tree: Tree, path: tuple[str, ...]) -> dict[str, pl.DataType]:
        return {
            name: self._type(sub, (*path, name))
            for name, sub in tree.items()
            if name and (name in self._names_seen) and self._wanted(sub, (*path, name))
        }

    def _wanted(self, tree: Tree, path: tuple[str, ...]) -> bool:
        return bool(tree.get("")) or path in self._shapes or any(
            self._wanted(sub, (*path, name)) for name, sub in tree.items()
            if name and name in self._names_seen
        ) and path in self._shapes

    def _type(self, tree: Tree, path: tuple[str, ...]) -> pl.DataType:
        shapes = self._shapes.get(path, Counter())
        kind: Kind | None = tree.get("")
        default = "list" if kind == "texts" else "scalar" if kind else "object"
        order = ("scalar", "list", "objects", "object")
        shape = max(order, key=lambda s: (shapes[s], s == default)) if shapes else default
        if shape == "list" and kind is None:
            shape = "objects"
        if shape == "scalar":
            return pl.String() if kind else self._object(tree, path)
        if shape == "list":
            return pl.List(pl.String)
        inner = self._object(tree, path)
        return pl.List(inner) if shape == "objects" else inner

    def _object(self, tree: Tree, path: tuple[str, ...]) -> pl.Struct:
        members = self._members(tree, path)
        return pl.Struct(members) if members else _NOTHING


def _plan(schema: pl.Struct) -> tuple[pl.Struct, pl.Expr]:
    # Made once: turning a wide type into an expression costs more than decoding a block.
    return schema, pl.col("line").str.json_decode(schema)


@dataclass(slots=True)
class _Run:
    lines: pl.Series
    keyed: pl.DataFrame
    keys: pl.Series
    schema: pl.Struct
    expression: pl.Expr
    compare_each: bool
    pieces_read: list[pl.Series] = field(default_factory=list)
    index: list[Any] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    odd_types: Counter[str] = field(default_factory=Counter)

    def block(self, start: int, stop: int) -> None:
        read = self._fast(start, stop)
        if read is not None:
            self.pieces_read.append(read)
            self.index.append(np.arange(start, stop))
            return
        size = (stop - start) // SPLIT
        if size >= SMALLEST_BLOCK:
            for at in range(start, stop, size):
                self.block(at, min(at + size, stop))
        else:
            self._slow(range(start, stop))

    def pieces(self, start: int, stop: int, good: NDArray[np.bool_]) -> None:
        """Runs of plausible lines as blocks, the others one by one, in order."""
        edges = np.flatnonzero(np.diff(good[start:stop].astype(np.int8))) + start + 1
        for low, high in zip([start, *edges], [*edges, stop], strict=True):
            if good[low]:
                self.block(int(low), int(high))
            else:
                self._slow(range(int(low), int(high)))

    def _fast(self, start: int, stop: int) -> pl.Series | None:
        try:
            read = self.keyed.slice(start, stop - start).select(self.expression).to_series()
        except pl.exceptions.PolarsError:
            return None
        if len(read) != stop - start:
            return None
        if self.compare_each and not _same(read.struct.field(KEY), self.keys[start:stop]):
            return None
        return read

    def _slow(self, indices: Iterable[int]) -> None:
        rows, taken = [], []
        shape = _shape(self.schema)
        for index in indices:
            value, problem = parse(self.lines[index])
            if problem:
                self.rejected.append(Rejected(index, *problem))
            else:
                row = _project(value, shape, "", self.odd_types)
                rows.append({**row, KEY: self.keys[index]})
                taken.append(index)
        if rows:
            self.pieces_read.append(pl.Series(rows, dtype=self.schema))
            self.index.append(np.array(taken))

    def result(self) -> Decoded | None:
        """What was read, or None where a row does not carry the key of its line."""
        if not self.pieces_read:
            return Decoded(pl.DataFrame(), np.empty(0, np.int64), self._sorted())
        index = np.concatenate(self.index)
        frame = pl.concat(self.pieces_read).struct.unnest()
        if not _same(frame[KEY], self.keys.gather(index)):
            return None
        frame = frame.drop(KEY)
        if frame.width:
            known = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
        else:
            known = pl.Series([False]).new_from_index(0, len(index))
        if not known.all():
            for at in index[~known.to_numpy()].tolist():
                self.rejected.append(Rejected(at, "I010", "no field that is known"))
            frame = frame.filter(known) if frame.width else frame
            index = index[known.to_numpy()]
        return Decoded(frame, index, self._sorted(), self.odd_types)

    def _sorted(self) -> list[Rejected]:
        return sorted(self.rejected, key=lambda r: r.index)


def _same(found: pl.Series, expected: pl.Series) -> bool:
    return bool((found == expected).fill_null(False).all())


def parse(text: str) -> tuple[Any, tuple[str, str] | None]:
    """One line with the standard library: (object, None) or (None, (code, reason))."""
    limit = sys.getrecursionlimit()
    try:
        if text.count("[") + text.count("{") > limit // 2:
            sys.setrecursionlimit(MAX_DEPTH)
        value = json.loads(text, object_pairs_hook=_first_wins)
    except RecursionError:
        return None, ("I012", f"nested deeper than {MAX_DEPTH:,} levels")
    except ValueError as error:
        return None, _json_problem(text, error)
    finally:
        sys.setrecursionlimit(limit)
    if not isinstance(value, dict):
        return None, ("I008", f"a JSON {_json_type(value)}, not an object")
    return value, None


def _json_problem(text: str, error: ValueError) -> tuple[str, str]:
    message = getattr(error, "msg", "not JSON")
    column = getattr(error, "pos", 0) + 1
    if message == "Extra data":
        return "I009", f"more than one JSON value on the line (column {column:,})"
    if text.startswith("{") and column >= len(text.rstrip()) - 1 or message.startswith("Unterminated"):
        return "I011", f"the line ends too early: {message} (column {column:,})"
    return "I007", f"not JSON: {message} (column {column:,})"


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _json_type(value: object) -> str:
    return "array" if isinstance(value, list) else "null" if value is None else "scalar"


Shape = dict[str, Any] | list[Any] | None
"""What a place holds: members of an object, the one shape of a list's items, or a text (None)."""


def _shape(dtype: Any) -> Shape:
    if isinstance(dtype, pl.Struct):
        return {f.name: _shape(f.dtype) for f in dtype.fields if f.name != KEY}
    return [_shape(dtype.inner)] if isinstance(dtype, pl.List) else None


def _project(value: Any, shape: Shape, path: str, odd: Counter[str]) -> Any:
    """A value in the shape that the schema asks for; what does not fit is counted and left out."""
    if value is None:
        return None
    if shape is None:
        return _text(value)
    if isinstance(shape, list):
        items = value if isinstance(value, list) else [value]
        return [_project(item, shape[0], f"{path}[]", odd) for item in items]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        odd[path] += 1
        return None
    start = f"{path}." if path else ""
    return {name: _project(value[name], shape[name], start + name, odd)
            for name in value if name in shape}


def _text(value: Any) -> str:
    """A scalar as the fast path writes it; an object or a list as JSON, so that it is there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return np.format_float_positional(value, trim="-") if np.isfinite(value) else str(value)
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def _lone_surrogates(lines: pl.Series) -> pl.Series:
    """Lines with an escaped half of a surrogate pair: the two readers disagree on those."""
    suspects = lines.str.contains_any([f"\\u{d}{x}" for d in "dD" for x in "89abcdefABCDEF"])
    if not suspects.any():
        return suspects
    alone = lines.str.replace_all(_PAIRED_ESCAPES, "").str.contains(_LONE_ESCAPE)
    return suspects & alone


def _escaped_key() -> str:
    return json.dumps(KEY)[1:-1]


def _names(tree: Tree) -> set[str]:
    found = {name for name in tree if name}
    for name, sub in tree.items():
        if name:
            found |= _names(sub)
    return found


def _collect_names(value: Any, found: set[str]) -> None:
    open_values = [value]
    while open_values:
        current = open_values.pop()
        if isinstance(current, dict):
            found.update(current)
            open_values.extend(current.values())
        elif isinstance(current, list):
            open_values.extend(current)
