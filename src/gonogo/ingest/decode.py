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
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from gonogo.ingest.fields import Kind, known_paths

BLOCK_LINES: Final = 512
SMALL_BLOCK_LINES: Final = 16
MAX_DEPTH: Final = 5_000
KEY: Final = "\x00gonogo"
_NOTHING: Final = pl.Struct({"\x00": pl.String})
_LONE_ESCAPE: Final = r"\\u[dD][89a-fA-F]"
_PAIRED_ESCAPES: Final = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"

Tree = dict[str, Any]  # member name -> Tree; "" -> Kind where the path may end here


def _known_tree(extra: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path, kind in {**known_paths(), **dict.fromkeys(extra, "text")}.items():
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
    kept: np.ndarray[Any, np.dtype[np.int64]]
    rejected: list[Rejected]
    odd_types: Counter[str] = field(default_factory=Counter)


class Decoder:
    """Decodes the lines of one file; learns from them which known fields the file has.

    `extra` are further dotted paths to read (a user's own mapping).
    """

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self._tree = _known_tree(extra)
        self._shapes: dict[tuple[str, ...], Counter[str]] = {}
        self._names_seen: set[str] = set()
        self._all_names = sorted(_names(self._tree))
        self._schema: pl.Struct = pl.Struct({KEY: pl.String})
        self._run_key = secrets.token_hex(8)

    def decode(self, lines: pl.Series) -> Decoded:
        """Decode stripped, non-empty lines, one JSON object each, after `learn` has seen them."""
        if not len(lines):
            return Decoded(pl.DataFrame(), np.empty(0, np.int64), [])
        schema = self._schema
        keys = [f"{self._run_key}{i:x}" for i in range(len(lines))]
        plausible = lines.str.starts_with("{") & lines.str.ends_with("}") & ~_lone_surrogates(lines)
        keyed = pl.select(
            pl.concat_str(
                pl.lit(f'{{"{_escaped_key()}":"'),
                pl.Series(keys),
                pl.lit('",'),
                lines.str.slice(1),
            )
        ).to_series()
        state = _Run(lines, keyed, keys, schema)
        good = plausible.to_numpy()
        for start in range(0, len(lines), BLOCK_LINES):
            stop = min(start + BLOCK_LINES, len(lines))
            if good[start:stop].all():
                state.block(start, stop)
            else:
                state.pieces(start, stop, good)
        return state.result()

    def learn(self, lines: pl.Series) -> None:
        """Find out which known fields the lines have; not for two threads at once."""
        if not len(lines):
            return
        if not self._names_seen:
            sample = pl.concat([lines.head(200), lines.sample(min(100, len(lines)), seed=1)])
            self._observe(sample)
        unseen = [name for name in self._all_names if name not in self._names_seen]
        if not unseen:
            return
        patterns = [f'"{name}"' for name in unseen]
        hits = lines.filter(lines.str.contains_any(patterns))
        if len(hits):
            found = hits.str.extract_many(patterns).explode().drop_nulls().unique().to_list()
            self._observe(hits.head(200), assume={text.strip('"') for text in found})

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
        self._schema = pl.Struct({KEY: pl.String, **self._members(self._tree, ())})

    def _walk(self, tree: Tree, value: dict[str, Any], path: tuple[str, ...]) -> None:
        for name, sub in tree.items():
            if not name or name not in value:
                continue
            here = (*path, name)
            member = value[name]
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


@dataclass(slots=True)
class _Run:
    lines: pl.Series
    keyed: pl.Series
    keys: list[str]
    schema: pl.Struct
    frames: list[pl.DataFrame] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    odd_types: Counter[str] = field(default_factory=Counter)

    def block(self, start: int, stop: int) -> None:
        frame = self._fast(start, stop)
        if frame is not None:
            self._take(frame, np.arange(start, stop))
            return
        if stop - start > SMALL_BLOCK_LINES:
            for at in range(start, stop, SMALL_BLOCK_LINES):
                self.block(at, min(at + SMALL_BLOCK_LINES, stop))
        else:
            self._slow(range(start, stop))

    def pieces(self, start: int, stop: int, good: np.ndarray[Any, Any]) -> None:
        """Runs of plausible lines as blocks, the others one by one, in order."""
        edges = np.flatnonzero(np.diff(good[start:stop].astype(np.int8))) + start + 1
        for low, high in zip([start, *edges], [*edges, stop], strict=True):
            if good[low]:
                self.block(int(low), int(high))
            else:
                self._slow(range(int(low), int(high)))

    def _fast(self, start: int, stop: int) -> pl.DataFrame | None:
        try:
            series = self.keyed.slice(start, stop - start).str.json_decode(self.schema)
        except pl.exceptions.PolarsError:
            return None
        if len(series) != stop - start:
            return None
        frame = series.struct.unnest()
        same = frame[KEY].to_list() == self.keys[start:stop]
        return frame.drop(KEY) if same else None

    def _slow(self, indices: Iterable[int]) -> None:
        rows, taken = [], []
        fields = {f.name: f.dtype for f in self.schema.fields if f.name != KEY}
        for index in indices:
            value, problem = parse(self.lines[index])
            if problem:
                self.rejected.append(Rejected(index, *problem))
            else:
                rows.append(_project_struct(value, fields, "", self.odd_types))
                taken.append(index)
        if rows:
            frame = pl.DataFrame(rows, schema=fields, orient="row") if fields else pl.DataFrame()
            self._take(frame, np.array(taken))

    def _take(self, frame: pl.DataFrame, index: np.ndarray[Any, Any]) -> None:
        if frame.width:
            known = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
        else:
            known = np.zeros(len(index), dtype=bool)
        if not known.all():
            for at in index[~known].tolist():
                self.rejected.append(Rejected(at, "I010", "no field that is known"))
            frame = frame.filter(known) if frame.width else frame
            index = index[known]
        if len(index):
            self.frames.append(frame)
            self.kept.append(index)

    def result(self) -> Decoded:
        kept = np.concatenate(self.kept) if self.kept else np.empty(0, np.int64)
        frame = pl.concat(self.frames) if self.frames else pl.DataFrame()
        self.rejected.sort(key=lambda r: r.index)
        return Decoded(frame, kept, self.rejected, self.odd_types)


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


def _project_struct(
    value: Mapping[str, Any], fields: Mapping[str, pl.DataType], path: str, odd: Counter[str]
) -> dict[str, Any]:
    return {
        name: _project(value.get(name), dtype, f"{path}.{name}" if path else name, odd)
        for name, dtype in fields.items()
    }


def _project(value: Any, dtype: pl.DataType, path: str, odd: Counter[str]) -> Any:
    if value is None:
        return None
    if isinstance(dtype, pl.Struct):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            fields = {f.name: f.dtype for f in dtype.fields}
            return _project_struct(value, fields, path, odd)  # type: ignore[arg-type]
        odd[path] += 1
        return None
    if isinstance(dtype, pl.List):
        items = value if isinstance(value, list) else [value]
        inner: Any = dtype.inner
        return [_project(item, inner, f"{path}[]", odd) for item in items]
    return _text(value)


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
