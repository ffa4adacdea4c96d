"""Times as logs write them to integer microseconds since the epoch, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.records import NO_TIME

EARLIEST_US: Final = 946_684_800_000_000  # 2000-01-01: what is earlier is a broken clock
LATEST_US: Final = 4_102_444_800_000_000  # 2100-01-01

_ZONED: Final = ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z")
_NAIVE: Final = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")


def to_epoch_us(values: pl.Series) -> tuple[NDArray[np.int64], int, int]:
    """Epoch µs of each value (NO_TIME where there is none), how many were naive, how many unread.

    Takes String (ISO 8601 with any offset, or a number), numbers (epoch s, ms, µs or ns, told by
    their magnitude), Datetime and Date. Naive times are UTC. Times outside 2000..2099 are unread.
    """
    dtype = values.dtype
    present = values.is_not_null()
    naive = 0
    if dtype == pl.String:
        out, naive = _from_text(values)
    elif isinstance(dtype, pl.Datetime):
        naive = 0 if dtype.time_zone else int(present.sum())
        out = values.dt.replace_time_zone("UTC") if not dtype.time_zone else values
        out = out.dt.epoch("us")
    elif dtype == pl.Date:
        naive = int(present.sum())
        out = values.cast(pl.Datetime("us")).dt.epoch("us")
    elif dtype.is_numeric():
        out = _from_number(values.cast(pl.Float64))
    else:
        out = pl.Series(values.name, [None] * len(values), dtype=pl.Int64)
    in_range = out.is_between(EARLIEST_US, LATEST_US)
    unread = int((present & ~in_range.fill_null(False)).sum())
    times = out.set(~in_range.fill_null(False), None).fill_null(NO_TIME)
    return times.to_numpy(), naive, unread


def _from_number(numbers: pl.Series) -> pl.Series:
    size = numbers.abs()
    scale = pl.select(
        pl.when(size < 1e11)
        .then(1e6)
        .when(size < 1e14)
        .then(1e3)
        .when(size < 1e17)
        .then(1.0)
        .otherwise(1e-3)
    ).to_series()
    micros = (numbers * scale).round(0)
    return micros.set(~micros.is_between(-9e18, 9e18).fill_null(False), None).cast(pl.Int64)


def _from_text(texts: pl.Series) -> tuple[pl.Series, int]:
    out = _parse(texts, _ZONED[0])
    left = texts.is_not_null() & out.is_null()
    naive = 0
    steps = [(_ZONED[1], False), *((form, True) for form in _NAIVE)]
    for form, is_naive in steps:
        if not left.any():
            return out, naive
        found = _parse(texts, form)
        taken = left & found.is_not_null()
        naive += int(taken.sum()) if is_naive else 0
        out = out.zip_with(~taken, found)
        left &= ~taken
    if left.any():
        found = _from_number(texts.cast(pl.Float64, strict=False))
        taken = left & found.is_not_null()
        out = out.zip_with(~taken, found)
        left &= ~taken
    if left.any():
        one_by_one = [
            _one(text) if wanted else None
            for text, wanted in zip(texts.to_list(), left.to_list(), strict=True)
        ]
        naive += sum(1 for found_one in one_by_one if found_one and found_one[1])
        slow = pl.Series([f[0] if f else None for f in one_by_one], dtype=pl.Int64)
        out = out.zip_with(~left, slow)
    return out, naive


def _parse(texts: pl.Series, form: str) -> pl.Series:
    return texts.str.to_datetime(form, strict=False, time_unit="us").dt.epoch("us")


def _one(text: str) -> tuple[int, bool] | None:
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    naive = when.tzinfo is None
    aware = when.replace(tzinfo=UTC) if naive else when
    seconds = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return seconds.days * 86_400_000_000 + seconds.seconds * 1_000_000 + seconds.microseconds, naive
