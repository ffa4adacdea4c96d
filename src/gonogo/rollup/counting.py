"""Exact grouped sums over small integer keys, by counting into arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]

DENSE_CELLS: Final = 4_000_000
_EXACT_FLOAT: Final = 2**53
_HALF: Final = 2**26


@dataclass(frozen=True, slots=True)
class Groups:
    """`index` (one entry a row) numbers the groups; `keys[k][index]` is key column k of the row."""

    index: Ints
    keys: list[Ints]
    size: int

    def count(self, where: NDArray[np.bool_] | None = None) -> Ints:
        """Rows of each group."""
        index = self.index if where is None else self.index[where]
        return np.bincount(index, minlength=self.size)

    def sum(self, values: NDArray[np.int64]) -> Ints:
        """Exact sum of int64 values in each group."""
        return exact_sum(self.index, values, self.size)


def group(columns: Sequence[NDArray[np.integer]]) -> Groups:
    """Group rows by columns of non-negative integers."""
    sizes = [int(c.max()) + 1 if len(c) else 1 for c in columns]
    total = 1
    for size in sizes:
        total *= size
    key = np.zeros(len(columns[0]), dtype=np.int64)
    if total >= 2**62:
        # Too wide to pack: narrow the first columns first.
        head = group(columns[:-1])
        tail = group([head.index, columns[-1]])
        return Groups(tail.index, [k[tail.keys[0]] for k in head.keys] + [tail.keys[1]], tail.size)
    for column, size in zip(columns, sizes, strict=True):
        key *= size
        key += column
    if total <= max(DENSE_CELLS, 2 * len(key)):
        found = np.flatnonzero(np.bincount(key, minlength=total))
        places = np.zeros(total, dtype=np.int64)
        places[found] = np.arange(len(found))
        index = places[key]
    else:
        found, index = np.unique(key, return_inverse=True)
    keys: list[Ints] = []
    rest = found
    for size in reversed(sizes):
        rest, remainder = np.divmod(rest, size)
        keys.append(remainder)
    return Groups(index, keys[::-1], len(found))


def largest(column: pl.Series) -> int:
    """The largest of some integers, of which there is at least one."""
    found = column.max()
    assert isinstance(found, int)
    return found


def exact_sum(index: Ints, values: NDArray[np.int64], size: int) -> Ints:
    """Sum per index without the rounding of float weights."""
    if not len(values):
        return np.zeros(size, dtype=np.int64)
    largest = max(int(values.max()), -int(values.min()))
    if largest * len(values) < _EXACT_FLOAT:
        return np.bincount(index, weights=values, minlength=size).astype(np.int64)
    high, low = np.divmod(values, _HALF)
    return exact_sum(index, high, size) * _HALF + exact_sum(index, low, size)


def sum_of_squares(groups: Groups, values: NDArray[np.int64]) -> tuple[Ints, Ints]:
    """(high, low) with high * 2**32 + low = sum of squares per group, for values in [0, 2**46).

    The sum of a group must stay under 2**94. Two columns, because three million squares of two
    seconds in µs outgrow 64 bits.
    """
    high, low = np.divmod(values, 2**16)
    # v² = high²·2³² + 2·high·low·2¹⁶ + low²
    cross = 2 * high * low
    cross_high, cross_low = np.divmod(cross, 2**16)
    return (groups.sum(high * high + cross_high), groups.sum(cross_low * 2**16 + low * low))
