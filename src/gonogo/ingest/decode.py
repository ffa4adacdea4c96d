"""JSON lines to columns: fast in blocks, and never at the price of a wrong row.

Polars decodes a block of lines as one JSON array. A line that is not exactly one object could so
forge a row or swallow its neighbour. Every line therefore carries a key that only this run knows,
as its first member; a block counts only when the keys come back one for one, in order. A block that
fails is cut into small ones, and what still fails is read line by line with the standard library:
slower, lenient, and with a reason for each line that is refused.
"""

from __future__ import annotations

import json
import re
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

from gonogo.ingest.shapes import Members, Odd, Places, project

BLOCK_LINES: Final = 256
SPLIT: Final = 8
SMALLEST_BLOCK: Final = 4
MOST_ADAPTATIONS: Final = 4
MOST_HARD: Final = 40
MOST_MISFITS: Final = 40
"""Of one kind in one place: others of that kind teach nothing new."""
MAX_DEPTH: Final = 5_000
SHALLOW: Final = 300
"""Brackets that a line may have without any thought about the depth of recursion."""
LONGEST_INTEGER: Final = 4_000
KEY: Final = "\x00gonogo"
_LONE_ESCAPE: Final = r"\\u[dD][89a-fA-F]"
# An escaped backslash is taken first: what follows it is no escape.
_PAIRED_ESCAPES: Final = r"\\[^u]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPED_LETTER: Final = r"\\u00[4-7]"
"""Letters need no escape; where they have one, a name may be spelt so that no search finds it."""
_RECURSION: Final = threading.Lock()
_KEYED: Final = pl.concat_str(
    pl.lit(f'{{"{json.dumps(KEY)[1:-1]}":"'), "key", pl.lit('",'), "members"
).alias("line")


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
        self._places = Places(mapping or {})
        self._is_new = True
        self._types: dict[str, pl.DataType] | None = None
        self._settle()
        self._lock = threading.Lock()
        self._run_key = secrets.token_hex(8)

    def decode(self, lines: pl.Series) -> Decoded:
        """Decode stripped, non-empty lines, one JSON object each, after `learn` has seen them."""
        if not len(lines):
            return Decoded(pl.DataFrame(), np.empty(0, np.int64), [])
        numbers = pl.int_range(len(lines), eager=True).cast(pl.String)
        keys = pl.select(pl.lit(self._run_key) + numbers).to_series()
        plausible = lines.str.starts_with("{") & lines.str.ends_with("}") & ~_lone_surrogates(lines)
        keyed = pl.DataFrame({"key": keys, "members": lines.str.slice(1)})
        good = plausible.to_numpy()
        # One look at all keys at the end is cheap; where they differ, every block is looked at.
        compare_each, adapted = False, 0
        while True:
            schema, expression, shape = self._plan
            run = _Run(lines, keyed, keys, schema, expression, compare_each, shape)
            for start in range(0, len(lines), BLOCK_LINES):
                stop = min(start + BLOCK_LINES, len(lines))
                if good[start:stop].all():
                    run.block(start, stop)
                else:
                    run.pieces(start, stop, good)
            # What did not fit may only be of a type not seen before: then it is read again.
            if run.misfits and adapted < MOST_ADAPTATIONS and self._adapt(run.misfits, schema):
                adapted += 1
                continue
            decoded = run.result()
            if decoded is not None:
                # Lines that only the slow reader could take teach the fast one for the next time.
                self._adapt(run.hard, schema)
                return decoded
            assert not compare_each, "keys differ in a block whose keys were compared"
            compare_each = True

    def learn(self, lines: pl.Series) -> None:
        """Find out which known fields the lines have."""
        if not len(lines):
            return
        with self._lock:
            if self._is_new:
                sample = lines.sample(min(40, len(lines)), seed=1)
                self._observe(pl.concat([lines.head(40), sample]))
            unseen = self._places.unseen()
        if not unseen:
            return
        # As a value a name says nothing; only as a key it makes a field to read.
        names = "|".join(re.escape(name) for name in sorted(unseen))
        keys = lines.str.contains(rf'(?-u)[{{,][ \t\r]*"(?:{names})"[ \t\r]*:')
        hits = lines.filter(keys | lines.str.contains(_ESCAPED_LETTER))
        if not len(hits):
            return
        patterns = [f'"{name}":' for name in unseen]
        plain = hits.str.replace_all(r'"\s+:', '":')
        found = plain.str.extract_many(patterns).explode().drop_nulls().unique()
        escaped = hits.filter(hits.str.contains(_ESCAPED_LETTER))
        if len(found) or len(escaped):
            named = hits.filter(plain.str.contains_any(patterns))
            with self._lock:
                self._observe(pl.concat([named.head(40), escaped]), {key[1:-2] for key in found})

    def _observe(self, lines: pl.Series, assume: Iterable[str] = ()) -> None:
        for text in lines.to_list():
            value, _ = parse(text)
            if isinstance(value, dict):
                self._places.observe(value)
        self._places.assume(set(assume))
        self._is_new = False
        self._settle()

    def _adapt(self, misfits: list[dict[str, Any]], used: pl.Struct) -> bool:
        """Whether such values call for another schema than the one that was used."""
        with self._lock:
            for value in misfits:
                self._places.observe(value)
            if misfits:
                self._settle()
            return self._plan[0] != used

    def _settle(self) -> None:
        types = self._places.types()
        if types == self._types:
            return
        self._types = types
        schema = pl.Struct({KEY: pl.String, **types})
        # Made once: turning a wide type into an expression costs more than decoding a block.
        expression = pl.col("line").str.json_decode(schema)
        self._plan = schema, expression, self._places.shape(types)


@dataclass(slots=True)
class _Run:
    lines: pl.Series
    keyed: pl.DataFrame
    keys: pl.Series
    schema: pl.Struct
    expression: pl.Expr
    compare_each: bool
    shape: Members
    pieces_read: list[pl.Series | slice] = field(default_factory=list)
    """In the order of the lines; a slice stands for so many of the rewritten ones."""
    index: list[NDArray[np.int64]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    odd: Odd = field(default_factory=Counter)
    misfits: list[dict[str, Any]] = field(default_factory=list)
    hard: list[dict[str, Any]] = field(default_factory=list)
    _nothing_fits: set[int] = field(default_factory=set)
    _rewritten: list[str] = field(default_factory=list)

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
            block = self.keyed.slice(start, stop - start).select(_KEYED)
            read = block.select(self.expression).to_series()
        except pl.exceptions.PolarsError:
            return None
        if len(read) != stop - start:
            return None
        if self.compare_each and not _same(read.struct.field(KEY), self.keys[start:stop]):
            return None
        return read

    def _slow(self, indices: Iterable[int]) -> None:
        """Write lines anew so that they fit the schema: then they can be decoded all at once."""
        start, taken = len(self._rewritten), []
        for index in indices:
            value, problem = parse(self.lines[index])
            if problem:
                self.rejected.append(Rejected(index, *problem))
                continue
            odd: Odd = Counter()
            row = project(value, self.shape, "", odd)
            if len(self.hard) < MOST_HARD:
                self.hard.append(value)
            if odd:
                if any(self.odd[kind] < MOST_MISFITS for kind in odd):
                    self.misfits.append(value)
                self.odd.update(odd)
            if all(member is None for member in row.values()) and _has_any(value, self.shape):
                self._nothing_fits.add(index)
            self._rewritten.append(json.dumps({KEY: self.keys[index], **row}))
            taken.append(index)
        if taken:
            self.pieces_read.append(slice(start, len(self._rewritten)))
            self.index.append(np.array(taken))

    def result(self) -> Decoded | None:
        """What was read, or None where a row does not carry the key of its line."""
        if not self.pieces_read:
            return Decoded(pl.DataFrame(), np.empty(0, np.int64), self._sorted())
        rewritten = pl.DataFrame({"line": self._rewritten}, schema={"line": pl.String})
        slow = rewritten.select(self.expression).to_series()
        pieces = (slow[p] if isinstance(p, slice) else p for p in self.pieces_read)
        index, frame = np.concatenate(self.index), pl.concat(pieces, rechunk=True).struct.unnest()
        if not _same(frame[KEY], self.keys.gather(index)):
            return None
        frame = frame.drop(KEY)
        if any(not column.null_count() for column in frame.iter_columns()):
            return Decoded(frame, index, self._sorted(), self._odd_types())
        if frame.width:
            known = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
        else:
            known = pl.Series([False]).new_from_index(0, len(index))
        if self._nothing_fits:
            known |= pl.Series(np.isin(index, list(self._nothing_fits)))
        if not known.all():
            for at in index[~known.to_numpy()].tolist():
                self.rejected.append(Rejected(at, "I010", "no field that is known"))
            frame = frame.filter(known) if frame.width else frame
            index = index[known.to_numpy()]
        return Decoded(frame, index, self._sorted(), self._odd_types())

    def _odd_types(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for (path, _), count in self.odd.items():
            found[path] += count
        return found

    def _sorted(self) -> list[Rejected]:
        return sorted(self.rejected, key=lambda r: r.index)


def _same(found: pl.Series, expected: pl.Series) -> bool:
    return bool((found == expected).fill_null(False).all())


def parse(text: str) -> tuple[Any, tuple[str, str] | None]:
    """One line with the standard library: (object, None) or (None, (code, reason))."""
    try:
        deep = text.count("[") + text.count("{") > SHALLOW
        value = _loads_deep(text) if deep else _DECODER.decode(text)
    except RecursionError:
        return None, ("I012", f"nested deeper than {MAX_DEPTH:,} levels")
    except ValueError as error:
        return None, _json_problem(text, error)
    if not isinstance(value, dict):
        return None, ("I008", f"a JSON {_json_type(value)}, not an object")
    return value, None


def _has_any(value: dict[str, Any], shape: Members) -> bool:
    return any(value.get(name) is not None for name in shape.members)


def _loads_deep(text: str) -> Any:
    # The limit is the process's: a thread that lowers it would stop another one half-way.
    with _RECURSION:
        limit = sys.getrecursionlimit()
        try:
            sys.setrecursionlimit(max(limit, MAX_DEPTH))
            return _DECODER.decode(text)
        finally:
            sys.setrecursionlimit(limit)


def _integer(digits: str) -> int | float:
    """Python refuses integers of more than 4,300 digits; as numbers those are infinite."""
    return int(digits) if len(digits) < LONGEST_INTEGER else float(digits)


def _json_problem(text: str, error: ValueError) -> tuple[str, str]:
    message = getattr(error, "msg", "not JSON")
    column = getattr(error, "pos", 0) + 1
    if message == "Extra data":
        return "I009", f"more than one JSON value on the line (column {column:,})"
    if (text.startswith("{") and column >= len(text.rstrip()) - 1) or message.startswith(
        "Unterminated"
    ):
        return "I011", f"the line ends too early: {message} (column {column:,})"
    return "I007", f"not JSON: {message} (column {column:,})"


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_first_wins, parse_int=_integer)


def _json_type(value: object) -> str:
    return "array" if isinstance(value, list) else "null" if value is None else "scalar"


def _lone_surrogates(lines: pl.Series) -> pl.Series:
    """Lines with an escaped half of a surrogate pair: the two readers disagree on those."""
    suspects = lines.str.contains_any([f"\\u{d}{x}" for d in "dD" for x in "89abcdefABCDEF"])
    if not suspects.any():
        return suspects
    alone = lines.str.replace_all(_PAIRED_ESCAPES, "").str.contains(_LONE_ESCAPE)
    return suspects & alone
