"""Clocks that cannot be right: records after the present, and few records far from all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import BIN_SECONDS
from gonogo.measures.traffic import timed_calls
from gonogo.rollup.partial import Partial

Ints = NDArray[np.int64]

FAR: Final = 86_400
"""Seconds without a call that part strays from the others."""
FEW: Final = 0.001
"""Share of the calls that strays are, at most; a service that was resumed has more."""
VERY_FAR: Final = 30 * 86_400
"""Seconds without a call that part strays from the others in a log of few calls too."""
HANDFUL: Final = 3
"""Calls that are strays so far off, at most, where the share of them is under `FEW_OF_FEW`."""
FEW_OF_FEW: Final = 0.05


@dataclass(frozen=True, slots=True)
class Strays:
    """Calls dated far before or after all others; times in epoch seconds, to the 5-minute bin.

    `near` is the time of them that is nearest to the others, `gap` seconds off; `edge` the
    farthest.
    """

    calls: int
    near: int
    edge: int
    gap: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """What is odd about the times of calls, to within the 5-minute bins."""

    ahead: Strays | None
    """after the present that was given"""
    late: Strays | None
    early: Strays | None


def clocks(partial: Partial, present: int | None) -> Clocks:
    """Look at the calls of a partial; `present` in epoch seconds where it was given, else None."""
    by_bin = timed_calls(partial, "calls").group_by("bin").agg(pl.col("calls").sum()).sort("bin")
    bins, calls = by_bin["bin"].to_numpy(), by_bin["calls"].to_numpy()
    ahead = None
    if present is not None:
        after = bins > present
        if after.any():
            first = int(bins[after][0])
            ahead = Strays(int(calls[after].sum()), first, int(bins[-1]), first - present)
    return Clocks(ahead, _strays(bins, calls), _strays(-bins[::-1], calls[::-1], mirrored=True))


def _strays(bins: Ints, calls: Ints, *, mirrored: bool = False) -> Strays | None:
    """The calls behind the first long gap behind which there are few; bins ascend."""
    if len(bins) < 2:
        return None
    left = calls.sum() - np.cumsum(calls)[:-1]  # calls behind each gap
    gap, few = np.diff(bins), left <= FEW * calls.sum()
    handful = (left <= HANDFUL) & (left <= FEW_OF_FEW * calls.sum())
    far = (gap > FAR + BIN_SECONDS) & few | (gap > VERY_FAR + BIN_SECONDS) & handful
    found = np.flatnonzero(far)
    if not len(found):
        return None
    at, sign = int(found[0]), -1 if mirrored else 1
    return Strays(int(left[at]), sign * int(bins[at + 1]), sign * int(bins[-1]), int(gap[at]))
