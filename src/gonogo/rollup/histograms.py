"""Counting values into histogram cells, per hour and per day and dimension."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gonogo.rollup.counting import DENSE_CELLS, Ints
from gonogo.stats.histogram import bucket_of


@dataclass(frozen=True, slots=True)
class Cells:
    """Histogram cells of one metric and one scope.

    `group`, `bucket`, `count` have one entry a non-empty cell; `groups`, `low`, `high` one entry a
    group with values: its number, smallest and largest value.
    """

    group: Ints
    bucket: Ints
    count: Ints
    groups: Ints
    low: Ints
    high: Ints


def cells(groups: Ints, values: Ints, buckets: NDArray[np.int32], first: int, width: int) -> Cells:
    """Cells of values by group; `first` and `width` are the range of their buckets."""
    key = groups * width + (buckets - first)
    size = (int(groups.max()) + 1) * width if len(groups) else 0
    if size > max(DENSE_CELLS, 4 * len(key)):
        return _sparse(groups, values, buckets)
    counts = np.bincount(key, minlength=size)
    found = np.flatnonzero(counts)
    group, bucket = np.divmod(found, width)
    edges = np.flatnonzero(np.diff(group)) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges - 1, [len(found) - 1]])
    present = group[starts]
    low_cell, high_cell = np.full(size // width, -1), np.full(size // width, -1)
    low_cell[present], high_cell[present] = found[starts], found[ends]
    # The extremes lie in the outermost buckets, so only those few values are compared.
    low, high = np.full(len(low_cell), 2**62), np.full(len(low_cell), -1)
    at_low, at_high = key == low_cell[groups], key == high_cell[groups]
    np.minimum.at(low, groups[at_low], values[at_low])
    np.maximum.at(high, groups[at_high], values[at_high])
    return Cells(group, bucket + first, counts[found], present, low[present], high[present])


def _sparse(groups: Ints, values: Ints, buckets: NDArray[np.int32]) -> Cells:
    order = np.lexsort((values, buckets, groups))
    group, bucket, value = groups[order], buckets[order], values[order]
    new_cell = np.concatenate([[True], (np.diff(group) != 0) | (np.diff(bucket) != 0)])
    new_group = np.concatenate([[True], np.diff(group) != 0])
    cell_at, group_at = np.flatnonzero(new_cell), np.flatnonzero(new_group)
    count = np.diff(np.concatenate([cell_at, [len(order)]]))
    last = np.concatenate([group_at[1:] - 1, [len(order) - 1]])
    return Cells(
        group[cell_at],
        bucket[cell_at].astype(np.int64),
        count,
        group[group_at],
        value[group_at],
        value[last],
    )


def by_scopes(values: Ints, scopes: list[tuple[str, Ints]]) -> Iterator[tuple[str, Cells]]:
    """Cells of one set of values for each scope (name, group of each value)."""
    if not len(values):
        return
    buckets = bucket_of(values)
    first, last = int(buckets.min()), int(buckets.max())
    for name, groups in scopes:
        yield name, cells(groups, values, buckets, first, last - first + 1)
