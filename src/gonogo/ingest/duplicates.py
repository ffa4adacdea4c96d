"""Lines that were logged twice: told by their ids, the first one stays.

Where a format writes a record again whenever it changes, the version that changed last stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest.spill import Identity
from gonogo.records import NO_TIME, Block
from gonogo.stats.hashing import mix

SORTED_AT_ONCE: Final = 1 << 23
"""Identities of which the repeated ones are looked for at a time, about."""


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
    identities: Sequence[Identity],
    versions: Sequence[NDArray[np.int64] | None] = (),
) -> list[Doubles]:
    """The lines of each part that share their identity: the first line of each identity stays.

    Of lines with `versions` (one array a part, None where no line has one) the first one of the
    newest version does.
    """
    repeated = _repeated(identities)
    # A bitmap of the low bits lets nearly every line pass without a search.
    mask = np.uint64(2**24 - 1)
    sieve = np.zeros(2**24, dtype=bool)
    sieve[repeated & mask] = True
    newest = _newest(identities, versions, repeated)
    taken = np.zeros(len(repeated), dtype=bool)
    found = []
    for part, load in enumerate(identities):
        identity = load()
        rows = np.flatnonzero(sieve[identity & mask])
        rows, at = _among(repeated, identity, rows)
        # Only a line of the newest version may stay.
        may = np.arange(len(rows))
        if newest is not None:
            may = np.flatnonzero(_of_part(versions, part, len(identity))[rows] == newest[at])
        _, first = np.unique(at[may], return_index=True)
        first = may[first]
        is_first = np.zeros(len(rows), dtype=bool)
        is_first[first] = ~taken[at[first]]
        taken[at[may]] = True
        found.append(Doubles(rows, ~is_first, identity[rows]))
    return found


def _repeated(identities: Sequence[Identity]) -> NDArray[np.uint64]:
    """The identities that occur more than once, sorted; one share of all hashes at a time."""
    lines = sum(len(load()) for load in identities)
    bits = max(0, (lines // SORTED_AT_ONCE).bit_length())
    found = []
    for share in range(2**bits):
        mine = [np.empty(0, dtype=np.uint64)]
        for load in identities:
            identity = load()
            if bits:
                identity = identity[identity >> np.uint64(64 - bits) == share]
            mine.append(identity)
        every = np.concatenate(mine)
        del mine
        every.sort()
        found.append(np.unique(every[1:][(every[1:] == every[:-1]) & (every[1:] != 0)]))
    return np.concatenate(found)


def _among(
    repeated: NDArray[np.uint64], identity: NDArray[np.uint64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(those of the rows whose identity is repeated, where it stands among the repeated ones)."""
    if not len(repeated):
        return rows[:0], rows[:0]
    at = np.minimum(np.searchsorted(repeated, identity[rows]), len(repeated) - 1)
    hit = repeated[at] == identity[rows]
    return rows[hit], at[hit]


def leave_out(
    identities: Sequence[Identity],
    doubles: Sequence[Doubles],
    elsewhere: NDArray[np.uint64],
) -> tuple[list[Doubles], int, NDArray[np.uint64]]:
    """Drop the lines whose identity is among `elsewhere` too, beside those of `find_duplicates`.

    Gives all of them, the number of lines dropped for that reason, and the identities that stay,
    sorted.
    """
    left_out, stay, found = 0, [np.empty(0, dtype=np.uint64)], []
    for load, own in zip(identities, doubles, strict=True):
        identity = load()
        there = np.isin(identity, elsewhere) & (identity != 0)
        keep = own.kept(len(identity))
        left_out += int((there & keep).sum())
        keep &= ~there
        suspect = there
        suspect[own.rows] = True
        rows = np.flatnonzero(suspect)
        found.append(Doubles(rows, ~keep[rows], identity[rows]))
        stay.append(identity[keep & (identity != 0)])
    return found, left_out, np.unique(np.concatenate(stay))


def _of_part(
    versions: Sequence[NDArray[np.int64] | None], part: int, size: int
) -> NDArray[np.int64]:
    found = versions[part]
    return np.full(size, NO_TIME, dtype=np.int64) if found is None else found


def _newest(
    identities: Sequence[Identity],
    versions: Sequence[NDArray[np.int64] | None],
    repeated: NDArray[np.uint64],
) -> NDArray[np.int64] | None:
    """The newest version of each repeated identity; None where no line has a version."""
    if all(found is None for found in versions):
        return None
    newest = np.full(len(repeated), NO_TIME, dtype=np.int64)
    for part, load in enumerate(identities):
        identity = load()
        rows, at = _among(repeated, identity, np.arange(len(identity)))
        np.maximum.at(newest, at, _of_part(versions, part, len(identity))[rows])
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
