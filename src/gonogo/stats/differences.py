"""The difference of a figure between two sides, with a 95 % interval, raw and with one mix.

Calls of one hour are alike, so whole blocks of time are drawn with replacement (Davison and
Hinkley 1997, ch. 3.8) and the interval is that of the differences drawn, widened by Student's t for
few blocks. Under it lies the interval of independent calls, which it is never narrower than: the
square-and-add rule over the intervals of both sides (Newcombe 1998; Zou and Donner 2008), with
Wilson's for a share, order statistics for a percentile and Student's t for a mean. So 0 of 40 calls
against 0 of 40 is no proof that nothing changed.

The mix-adjusted difference is by direct standardisation: both sides get the old side's shares of
the strata (model and operation) that both have.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from gonogo.conventions import BIN_SECONDS
from gonogo.stats.binomial import CONFIDENCE, Z_TWO_SIDED, t_critical
from gonogo.stats.histogram import borders
from gonogo.stats.intervals import (
    HOUR,
    INDEPENDENT,
    MINIMUM_BLOCKS,
    quantile_ranks,
    wilson,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

DRAWS: Final = 2000
_COARSE: Final = 8
LEAST_SHARED: Final = 0.5
"""Share of either side's events that must be of strata which both have, to be adjusted by them."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Events of one side: one row for each start, stratum and histogram bucket, shape (n,).

    start: epoch seconds of an hour or bin, -1 without a time; stratum: index, the same on both
    sides; bucket: lowest of `width` buckets of the histogram, -1 where values are not kept;
    count: events counted by the figure (errors, hits); total: events; sum: of their values.
    """

    start: Ints
    stratum: Ints
    bucket: Ints
    count: Ints
    total: Ints
    sum: Ints
    width: int

    @property
    def events(self) -> int:
        """Number of events in all cells."""
        return int(self.total.sum())


@dataclass(frozen=True, slots=True)
class Figure:
    """What is compared: a share, a mean, or a quantile."""

    kind: Literal["share", "mean", "quantile"]
    quantile: Fraction = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference, new - old, and its 95 % interval; ends are None where the sample has none."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Both sides, their difference as it is, and with one mix (or why there is none)."""

    new: float
    old: float
    raw: Estimate
    method: str
    adjusted: Estimate | None
    note: str


def difference(
    new: Cells, old: Cells, figure: Figure, *, paired: bool, strata: int
) -> Difference | None:
    """Compare two sides; None where one of them has no events. `paired`: both lie in one log, so
    that a block of time is drawn for both at once. The draws are seeded by the counts themselves.
    """
    if not new.events or not old.events:
        return None
    blocks = _blocked(new, old, paired)
    seed = _seed(new, old, figure)
    weights, note = _weights(new, old, strata)
    drawn = _draws(blocks, seed) if blocks else None
    values = {}
    for name, mix in (("raw", None), ("adjusted", weights)):
        if name == "adjusted" and mix is None:
            continue
        both = [_side(cells, figure, mix, strata) for cells in (new, old)]
        floor = _square_and_add(both[0], both[1])
        gap = both[0].value - both[1].value
        spread = None
        if blocks and drawn:
            spread = _drawn(new, old, figure, blocks, mix, strata, drawn)
        values[name] = both, _widest(gap, floor, spread)
    sides, raw = values["raw"]
    method = INDEPENDENT
    if blocks:
        unit = "hours" if blocks.seconds == HOUR else f"{blocks.seconds // 60}-minute blocks"
        method = f"bootstrap over {blocks.said} {unit}"
    adjusted = values["adjusted"][1] if "adjusted" in values else None
    return Difference(sides[0].value, sides[1].value, raw, method, adjusted, note)


# --- one side -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    value: float
    low: float | None
    high: float | None


def _side(cells: Cells, figure: Figure, mix: Floats | None, strata: int) -> _Side:
    """The figure of one side with the interval that independent events would give it."""
    weight, size = _row_weights(cells, mix, strata)
    total = cells.total * weight
    if figure.kind == "share":
        share = float((cells.count * weight).sum() / total.sum())
        low, high = wilson(share * size, size)
        return _Side(share, float(low), float(high))
    if figure.kind == "mean":
        mean = float((cells.sum * weight).sum() / total.sum())
        spread = _spread(cells, total)
        if size < MINIMUM_BLOCKS or spread is None:
            return _Side(mean, None, None)
        half = t_critical(max(1, int(size) - 1), CONFIDENCE, 2) * spread / math.sqrt(size)
        return _Side(mean, mean - half, mean + half)
    keys, index = np.unique(cells.bucket, return_inverse=True)
    summed = np.bincount(index, weights=total)
    at = _Quantiles(summed[None, :] / summed.sum(), keys, cells.width)
    n = int(size)
    low_rank, high_rank = quantile_ranks(n, figure.quantile)
    if low_rank is None or high_rank is None:
        return _Side(at(float(figure.quantile))[0], None, None)
    ends = [at(max(0.0, (r - 0.5) / n))[0] for r in (low_rank, high_rank)]
    return _Side(at(float(figure.quantile))[0], ends[0], ends[1])


def _row_weights(cells: Cells, mix: Floats | None, strata: int) -> tuple[Floats, float]:
    """Weight of each row, and the number of independent events that say as much (Kish 1965)."""
    if mix is None:
        return np.ones(len(cells.total)), float(cells.events)
    have = np.bincount(cells.stratum, weights=cells.total, minlength=strata)
    per_event = np.divide(mix, have, out=np.zeros(strata), where=have > 0)
    size = (per_event * have).sum() ** 2 / (per_event**2 * have).sum()
    return per_event[cells.stratum], float(size)


def _spread(cells: Cells, total: Floats) -> float | None:
    """Standard deviation of the values, from the middles of their buckets."""
    if not (cells.bucket >= 0).any():
        return None
    values = _edges(cells.bucket, cells.width).mean(axis=0)
    mean = np.average(values, weights=total)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=total)))


def _edges(buckets: Ints, width: int) -> Floats:
    """Lower and upper edge of the values that buckets hold, shape (2, n)."""
    table = borders().astype(np.float64)
    top = len(table) - 1
    low, high = table[np.minimum(buckets, top)], table[np.minimum(buckets + width, top)] - 1
    return np.stack([low, np.maximum(low, high)])


class _Quantiles:
    """Quantiles of distributions over the same buckets, linear within a bucket.

    shares: shape (draws, buckets), each row a distribution.
    """

    def __init__(self, shares: Floats, keys: Ints, width: int) -> None:
        self.summed = np.cumsum(shares, axis=1)
        self.shares = shares
        self.low, self.high = _edges(keys, width)

    def __call__(self, q: float) -> Floats:
        last = self.summed[:, -1:]
        goal = q * last[:, 0]
        at = np.argmax(self.summed >= goal[:, None] - 1e-12, axis=1)
        rows = np.arange(len(at))
        inside = self.shares[rows, at]
        part = goal - (self.summed[rows, at] - inside)
        part = np.divide(part, inside, out=np.zeros(len(at)), where=inside > 0)
        found: Floats = self.low[at] + np.clip(part, 0, 1) * (self.high[at] - self.low[at])
        return found


def _square_and_add(new: _Side, old: _Side) -> tuple[float, float] | None:
    if new.low is None or new.high is None or old.low is None or old.high is None:
        return None
    gap = new.value - old.value
    low = gap - math.hypot(new.value - new.low, old.high - old.value)
    high = gap + math.hypot(new.high - new.value, old.value - old.low)
    return low, high


def _widest(
    value: float, floor: tuple[float, float] | None, spread: tuple[float, float] | None
) -> Estimate:
    if floor is None:
        return Estimate(value, None, None)
    low, high = floor
    if spread is not None:
        low, high = min(low, value + spread[0]), max(high, value + spread[1])
    return Estimate(value, low, high)


# --- blocks of time -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Block number of each row of both sides (-1 without a time), and how many blocks there are."""

    seconds: int
    new: Ints
    old: Ints
    counts: tuple[int, int]
    together: int
    """blocks of both sides when they are drawn at once; 0 where each side has its own"""

    @property
    def said(self) -> str:
        new, old = self.counts
        return f"{new} and {old}" if new != old else str(new)


def _blocked(new: Cells, old: Cells, paired: bool) -> _Blocks | None:
    for seconds in (HOUR, BIN_SECONDS):
        times = [np.where(c.start < 0, -1, c.start // seconds) for c in (new, old)]
        known = [np.unique(t[t >= 0]) for t in times]
        if seconds == BIN_SECONDS and not paired:
            return None  # a baseline keeps hours only
        if min(len(k) for k in known) < MINIMUM_BLOCKS:
            continue
        union = np.union1d(known[0], known[1])
        tables = (union, union) if paired else (known[0], known[1])
        index = [
            np.where(t < 0, -1, np.searchsorted(table, t))
            for t, table in zip(times, tables, strict=True)
        ]
        counts = len(known[0]), len(known[1])
        return _Blocks(seconds, index[0], index[1], counts, len(union) if paired else 0)
    return None


def _draws(blocks: _Blocks, seed: int) -> tuple[Floats, Floats]:
    """How often each block of either side comes in each draw with replacement, (draws, blocks)."""
    # RandomState, not Generator: its stream is the same in every version of NumPy (NEP 19).
    random = np.random.RandomState(seed)

    def of(number: int) -> Floats:
        return random.multinomial(number, np.full(number, 1 / number), DRAWS).astype(float)

    new = of(blocks.together or blocks.counts[0])
    return new, new if blocks.together else of(blocks.counts[1])


def _drawn(
    new: Cells,
    old: Cells,
    figure: Figure,
    blocks: _Blocks,
    mix: Floats | None,
    strata: int,
    drawn: tuple[Floats, Floats],
) -> tuple[float, float] | None:
    """How far the difference spreads below and above itself over the draws."""
    sides = ((new, blocks.new, drawn[0]), (old, blocks.old, drawn[1]))
    both = [_replicates(cells, index, often, figure, mix, strata) for cells, index, often in sides]
    gaps = both[0] - both[1]
    gaps = gaps[np.isfinite(gaps)]
    if len(gaps) < DRAWS // 2:
        return None
    point = [_replicates(c, i, np.ones((1, w)), figure, mix, strata)[0] for c, i, w in (
        (new, blocks.new, blocks.together or blocks.counts[0]),
        (old, blocks.old, blocks.together or blocks.counts[1]),
    )]  # fmt: skip
    centre = point[0] - point[1]
    fewest = min(blocks.counts)
    wider = t_critical(fewest - 1, CONFIDENCE, 2) / Z_TWO_SIDED * math.sqrt(fewest / (fewest - 1))
    low, high = np.quantile(gaps, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return (float(low) - centre) * wider, (float(high) - centre) * wider


def _replicates(
    cells: Cells, index: Ints, drawn: Floats, figure: Figure, mix: Floats | None, strata: int
) -> Floats:
    """The figure of each draw, shape (draws,); drawn: how often each block came, (draws, blocks).

    Rows without a time are in every draw once.
    """
    groups = strata if mix is not None else 1
    stratum = cells.stratum if mix is not None else np.zeros(len(cells.stratum), dtype=np.int64)
    # Coarser than the figure itself: only the spread of the draws is used, not where they lie.
    coarse = max(cells.width, _COARSE)
    bucket = cells.bucket // coarse if figure.kind == "quantile" else np.zeros_like(cells.bucket)
    keys, place = np.unique(bucket, return_inverse=True)
    cell = stratum * len(keys) + place
    width = groups * len(keys)

    def summed(values: Ints) -> Floats:
        blocks = drawn.shape[1]
        timed = index >= 0
        at = index[timed] * width + cell[timed]
        matrix = np.bincount(at, weights=values[timed], minlength=blocks * width)
        always = np.bincount(cell[~timed], weights=values[~timed], minlength=width)
        found: Floats = drawn @ matrix.reshape(blocks, width) + always
        return found.reshape(len(drawn), groups, len(keys))

    total = summed(cells.total)
    each = total.sum(axis=2)
    wanted = np.ones(1) if mix is None else mix
    weights = np.where(each > 0, wanted, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = weights / weights.sum(axis=1, keepdims=True)
        if figure.kind == "quantile":
            shares = np.nansum(total / each[:, :, None] * weights[:, :, None], axis=1)
            shares[each.sum(axis=1) == 0] = np.nan
            return _Quantiles(shares, keys * coarse, coarse)(float(figure.quantile))
        values = summed(cells.count if figure.kind == "share" else cells.sum)[:, :, 0]
        found: Floats = np.nansum(values / each * weights, axis=1)
    found[each.sum(axis=1) == 0] = np.nan
    return found


# --- the mix --------------------------------------------------------------------------------------


def _weights(new: Cells, old: Cells, strata: int) -> tuple[Floats | None, str]:
    """The old side's shares of the strata that both have; None and why where there are none."""
    have = [np.bincount(c.stratum, weights=c.total, minlength=strata) for c in (new, old)]
    if strata < 2:
        return None, "one mix: nothing to adjust for"
    common = (have[0] > 0) & (have[1] > 0)
    covered = min(float(h[common].sum() / h.sum()) for h in have)
    if covered < LEAST_SHARED:
        return None, "the two sides share too few models and operations to adjust for the mix"
    mix = np.where(common, have[1], 0.0)
    note = "" if covered == 1 else "without models and operations that only one side has"
    return mix / mix.sum(), note


def _seed(new: Cells, old: Cells, figure: Figure) -> int:
    digest = hashlib.sha256(f"{figure.kind} {figure.quantile}".encode())
    for cells in (new, old):
        for column in (cells.start, cells.stratum, cells.bucket, cells.count, cells.total):
            digest.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
    return int.from_bytes(digest.digest()[:4], "little")
