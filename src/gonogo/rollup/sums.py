"""The counts of a run in the making, in little memory.

Most counts are small, so each column is held in the smallest type that holds its values. Rows of
equal keys are added up column by column: a group-by of all columns at once takes three times the
frame, and was what the memory of a long run peaked at.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.rollup.partial import Spec

ROOM: Final = 2 << 20
"""What new rows of one frame may take, in bytes, before they are added to the others."""


_ADDING: Final = threading.Lock()
"""One frame at a time: adding up takes memory, and other threads have something else to do."""


class Sums:
    """The rows of one frame so far, from any number of threads; texts are codes."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._pieces: list[pl.DataFrame] = []
        self._held = self._pending = 0
        self._lock = threading.Lock()

    def add(self, pieces: Sequence[pl.DataFrame]) -> None:
        """Take more rows, as `narrowed` gives them."""
        with self._lock:
            self._pieces.extend(pieces)
            self._pending += _bytes(pieces)
            # Half of what is held: each row is then sorted some three times, however many come.
            if self._pending <= max(ROOM, self._held // 2):
                return
            taken, self._pieces, self._pending = self._pieces, [], 0
        with _ADDING:
            summed = added_up(self._spec, taken)
        with self._lock:
            self._pieces.append(summed)
            self._held = _bytes([summed])

    def take(self) -> pl.DataFrame:
        """One row for each key; nothing is held any more."""
        pieces, self._pieces = self._pieces, []
        return added_up(self._spec, pieces)


def narrowed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same numbers, each column in the smallest type that holds them."""
    return pl.DataFrame([column.shrink_dtype() for column in frame])


def added_up(spec: Spec, pieces: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row for each key of some frames of integers, narrowed; null is a key as any other."""
    filled = [piece for piece in pieces if piece.height]
    if not filled:
        return pl.DataFrame(schema=spec.schema)
    keys = pl.concat([p.select(spec.keys) for p in filled], how="vertical_relaxed")
    packed = spec.packed(keys).to_numpy()
    order = np.argsort(packed)
    ordered = packed[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    del packed, ordered
    columns = [keys[name].gather(order[first]) for name in spec.keys]
    for add, names in (
        (np.add, spec.sums),
        (np.minimum, spec.minimum),
        (np.maximum, spec.maximum),
    ):
        for name in names:
            values = np.concatenate([_values(piece[name]) for piece in filled])
            columns.append(pl.Series(name, add.reduceat(values[order], first)))
    return narrowed(pl.DataFrame(columns))


def _values(column: pl.Series) -> NDArray[np.int64]:
    assert not column.null_count(), column.name
    return column.to_numpy().astype(np.int64)


def _bytes(frames: Sequence[pl.DataFrame]) -> int:
    return sum(int(frame.estimated_size()) for frame in frames)
