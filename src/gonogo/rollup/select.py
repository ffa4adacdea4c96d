"""Which records count: the period, `--where`, and declared exclusions; and the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.config.model import Exclusion
from gonogo.conventions import BIN_SECONDS
from gonogo.records import NO_TIME, Dictionaries, Dictionary

_MICRO = 1_000_000
SETTLED: Final = 86_400
"""Seconds after the end of a period from which on its records are thought to be all there."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is looked at; [start, end) in epoch seconds, None for everything."""

    start: int | None = None
    end: int | None = None
    where: tuple[tuple[str, str], ...] = ()
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(slots=True)
class Split:
    """Masks over the accepted lines of a block: what is taken, and why the rest is not."""

    taken: NDArray[np.bool_]
    outside: int
    filtered: int
    excluded: int
    later: int
    """of those outside, how many show that the period is over and settled"""


def split(
    lines: pl.DataFrame, keep: NDArray[np.bool_], selection: Selection, dictionaries: Dictionaries
) -> Split:
    """Each accepted line is taken, outside the period, filtered or excluded: exactly one of them.

    A record without a time cannot be outside a period that was not asked for, and is outside one
    that was.
    """
    taken = keep.copy()
    start_us = lines["start_us"].to_numpy()
    outside = np.zeros(len(keep), dtype=bool)
    if selection.start is not None:
        outside |= start_us < selection.start * _MICRO
    if selection.end is not None:
        outside |= (start_us >= selection.end * _MICRO) | (start_us == NO_TIME)
    outside &= taken
    taken &= ~outside
    later = 0
    if selection.end is not None:
        later = int((outside & (start_us >= (selection.end + SETTLED) * _MICRO)).sum())
    wanted = np.ones(len(keep), dtype=bool)
    for name, pattern in selection.where:
        table = matching(dictionaries.dimensions[name], pattern)
        wanted &= table[lines[name].to_numpy()]
    filtered = taken & ~wanted
    taken &= wanted
    excluded = np.zeros(len(keep), dtype=bool)
    for rule in selection.exclusions:
        excluded |= (start_us >= rule.start * _MICRO) & (start_us < rule.end * _MICRO)
    excluded &= taken
    return Split(
        taken & ~excluded,
        int(outside.sum()),
        int(filtered.sum()),
        int(excluded.sum()),
        later,
    )


def matching(dictionary: Dictionary, pattern: str) -> NDArray[np.bool_]:
    """By code: whether the text matches a glob pattern; a missing text never does."""
    texts = dictionary.texts()
    return np.array([text is not None and fnmatchcase(text, pattern) for text in texts], dtype=bool)


@dataclass(slots=True)
class Calendar:
    """Bins, and the hours and days of the declared zone that they fall in."""

    zone: ZoneInfo
    _known: dict[int, tuple[int, int]] = field(default_factory=dict)

    def hours_and_days(self, bins: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Start of the local hour and day (epoch seconds) of each bin start."""
        pairs = [self._known.get(b) or self._work_out(b) for b in bins]
        both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    def _work_out(self, start: int) -> tuple[int, int]:
        local = datetime.fromtimestamp(start, self.zone)
        hour = start - local.minute * 60 - local.second
        day = int(datetime(local.year, local.month, local.day, tzinfo=self.zone).timestamp())
        self._known[start] = (hour, day)
        return hour, day


def bin_numbers(start_us: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int], bool]:
    """(index of each row, bin starts by index, whether index 0 stands for rows without a time)."""
    timed = start_us != NO_TIME
    number = np.where(timed, start_us // (BIN_SECONDS * _MICRO), 0)
    if not timed.any():
        return np.zeros(len(start_us), dtype=np.int64), [0], True
    known = number[timed]
    low, high = int(known.min()), int(known.max())
    if high - low < 2_000_000:
        offset = np.where(timed, number - low, 0)
        present = np.zeros(high - low + 1, dtype=bool)
        present[offset[timed]] = True
        found = np.flatnonzero(present)
        places = np.zeros(len(present), dtype=np.int64)
        places[found] = np.arange(len(found))
        index = places[offset]
        starts = ((found + low) * BIN_SECONDS).tolist()
    else:
        unique, inverse = np.unique(known, return_inverse=True)
        index = np.zeros(len(start_us), dtype=np.int64)
        index[timed] = inverse
        starts = (unique * BIN_SECONDS).tolist()
    untimed = not timed.all()
    if untimed:
        index = np.where(timed, index + 1, 0)
        starts = [0, *starts]
    return index, starts, untimed
