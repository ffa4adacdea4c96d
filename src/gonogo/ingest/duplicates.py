"""Lines that were logged twice: told by their ids, the first one stays.

Where a format writes a record again whenever it changes, the version that changed last stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.records import NO_TIME, Block
from gonogo.stats.hashing import mix


@dataclass(frozen=True, slots=True)
class Doubles:
    """The rows of a part whose identity occurs more than once, and which of them are dropped."""

    rows: NDArray[np.int64]
    dropped: NDArray[np.bool_]
    identity: NDArray[np.uint64]

    def kept(self, height: int) -> NDArray[np.bool_]:
        """True for every row of the part but the dropped ones."""
        keep = np.ones(height, dtype=bool)
        keep[self.rows[self.dropped]] = False
        return keep


def find_duplicates(
    identities: Sequence[NDArray[np.uint64]],
    versions: Sequence[NDArray[np.int64] | None] = (),
) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]]]:
    """(dropped, suspect) masks, one a part: the first line of each identity stays.

    Of lines with `versions` (one array a part, None where no line has one) the first one of the
    newest version does.
    """
    nothing = [np.zeros(len(i), dtype=bool) for i in identities]
    if not identities:
        return [], []
    every = np.concatenate(identities)
    every.sort()
    repeated = np.unique(every[1:][(every[1:] == every[:-1]) & (every[1:] != 0)])
    del every
    if not len(repeated):
        return nothing, [n.copy() for n in nothing]
    # A bitmap of the low bits lets nearly every line pass without a search.
    mask = np.uint64(2**24 - 1)
    sieve = np.zeros(2**24, dtype=bool)
    sieve[repeated & mask] = True
    newest = _newest(identities, versions, repeated)
    taken = np.zeros(len(repeated), dtype=bool)
    dropped, suspects = [], []
    for part, identity in enumerate(identities):
        rows = np.flatnonzero(sieve[identity & mask])
        at = np.searchsorted(repeated, identity[rows])
        at = np.minimum(at, len(repeated) - 1)
        hit = repeated[at] == identity[rows]
        rows, at = rows[hit], at[hit]
        # Only a line of the newest version may stay.
        may = np.arange(len(rows))
        if newest is not None:
            may = np.flatnonzero(_of_part(versions, part, len(identity))[rows] == newest[at])
        _, first = np.unique(at[may], return_index=True)
        first = may[first]
        is_first = np.zeros(len(rows), dtype=bool)
        is_first[first] = ~taken[at[first]]
        taken[at[may]] = True
        drop = np.zeros(len(identity), dtype=bool)
        drop[rows[~is_first]] = True
        suspect = np.zeros(len(identity), dtype=bool)
        suspect[rows] = True
        dropped.append(drop)
        suspects.append(suspect)
    return dropped, suspects


def leave_out(
    identities: Sequence[NDArray[np.uint64]],
    dropped: Sequence[NDArray[np.bool_]],
    suspects: Sequence[NDArray[np.bool_]],
    elsewhere: NDArray[np.uint64],
) -> tuple[int, NDArray[np.uint64]]:
    """Drop the lines whose identity is among `elsewhere` too, in the masks of `find_duplicates`.

    Gives the number of lines dropped for that reason, and the identities that stay, sorted.
    """
    left_out, stay = 0, [np.empty(0, dtype=np.uint64)]
    for identity, drop, suspect in zip(identities, dropped, suspects, strict=True):
        there = np.isin(identity, elsewhere) & (identity != 0)
        left_out += int((there & ~drop).sum())
        np.logical_or(drop, there, out=drop)
        np.logical_or(suspect, there, out=suspect)
        stay.append(identity[~drop & (identity != 0)])
    return left_out, np.unique(np.concatenate(stay))


def _of_part(
    versions: Sequence[NDArray[np.int64] | None], part: int, size: int
) -> NDArray[np.int64]:
    found = versions[part]
    return np.full(size, NO_TIME, dtype=np.int64) if found is None else found


def _newest(
    identities: Sequence[NDArray[np.uint64]],
    versions: Sequence[NDArray[np.int64] | None],
    repeated: NDArray[np.uint64],
) -> NDArray[np.int64] | None:
    """The newest version of each repeated identity; None where no line has a version."""
    if all(found is None for found in versions):
        return None
    newest = np.full(len(repeated), NO_TIME, dtype=np.int64)
    for part, identity in enumerate(identities):
        at = np.minimum(np.searchsorted(repeated, identity), len(repeated) - 1)
        hit = repeated[at] == identity
        np.maximum.at(newest, at[hit], _of_part(versions, part, len(identity))[hit])
    return newest


def fingerprints(block: Block, doubles: Doubles) -> tuple[NDArray[Any], ...]:
    """(identity, content, whether it was dropped) of the lines that share their identity.

    A version that a newer one took the place of differs as it should, and is left out.
    """
    suspects = np.zeros(block.lines.height, dtype=bool)
    suspects[doubles.rows] = True
    rows = block.lines.filter(pl.Series(suspects))
    children = np.zeros(len(suspects), dtype=np.uint64)
    frames = (block.retrievals, block.chunks, block.tool_calls, block.guardrails, block.actions,
              block.evaluations)  # fmt: skip
    for seed, frame in enumerate(frames, start=1):
        own = suspects[frame["row"].to_numpy()]
        if own.any():
            mine = frame.filter(pl.Series(own))
            content = mix(mine.drop("row").hash_rows(seed=seed).to_numpy())
            np.add.at(children, mine["row"].to_numpy(), content)
    content = rows.hash_rows(seed=0).to_numpy() + children[suspects]
    superseded = doubles.dropped & (rows["updated_us"].to_numpy() != NO_TIME)
    return doubles.identity[~superseded], content[~superseded], doubles.dropped[~superseded]
