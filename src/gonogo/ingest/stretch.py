"""Which lines lie far from a stretch of time, told from their text before anything is decoded.

Only a line that says its time among its first members, in a form that is known, can be far; every
other one is read. Zones and long calls are allowed for: what is left out could not have counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.adapters import Options
from gonogo.ingest import foreign
from gonogo.ingest.chunks import ByteReader, Chunk, split
from gonogo.ingest.discover import Source
from gonogo.ingest.fields import TIME_NAMES
from gonogo.ingest.parquet import metadata_of, span_of
from gonogo.parallel import in_order

MARGIN: Final = 15 * 3600
"""Seconds: a text without its zone may be fourteen hours off, and a call lasts an hour at most."""
_MEMBER: Final = (
    r'[ \t]*"(?:' + "|".join(map(re.escape, TIME_NAMES)) + r')"[ \t]*:[ \t]*'
    r'(?:"(\d{4}-\d\d-\d\d[T ]\d\d)|"?(\d{10})(?:\d{3}|\d{6}|\d{9})?[ \t]*[,.}"])'
)
_FIRST: Final = r"^\{" + _MEMBER
_FIRST_LENGTH: Final = 80
# Before the name there is no bracket: it is a member of the line itself, and in no text.
_LATER: Final = r"^\{[^{\[]*?," + _MEMBER


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start, end) in epoch seconds; None is no border."""

    start: int | None
    end: int | None

    def far(self, lines: pl.Series) -> NDArray[np.bool_]:
        """Whether each line lies outside by more than the margin."""
        hours = _hours(lines)
        return (
            (
                (hours < self._low) | (hours >= self._high)  # a missing hour is in neither
            )
            .fill_null(False)
            .to_numpy()
        )

    def misses(self, first: int, last: int) -> bool:
        """Whether records from `first` to `last` (epoch seconds) all lie outside by as much."""
        return last < self._low or first >= self._high

    @property
    def _low(self) -> int:
        return -(2**62) if self.start is None else self.start - MARGIN - 3600

    @property
    def _high(self) -> int:
        return 2**62 if self.end is None else self.end + MARGIN


def is_told(mapping: Mapping[str, str]) -> bool:
    """Whether times stand where they are looked for: not where the user maps them elsewhere."""
    return not {"timestamp", "end_time"} & set(mapping)


def _hours(lines: pl.Series) -> pl.Series:
    """The hour (epoch seconds) that each line names first as its time, or null."""
    # Most say it first: there a short look is enough.
    found = _named(lines.str.slice(0, _FIRST_LENGTH), _FIRST)
    open_ = found.is_null()
    if not open_.any():
        return found
    places = open_.arg_true()
    return found.scatter(places, _named(lines.gather(places), _LATER))


def _named(lines: pl.Series, pattern: str) -> pl.Series:
    found = lines.str.extract_groups(pattern).struct.unnest()
    text, number = found.to_series(0), found.to_series(1).cast(pl.Int64)
    known = text.drop_nulls().unique()
    starts = [_hour(hour) for hour in known.to_list()]
    hours = text.replace_strict(known, starts, default=None, return_dtype=pl.Int64)
    return hours.fill_null(number)


def _hour(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, f"%Y-%m-%d{text[10]}%H").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def newest_hour(sources: Sequence[Source], log_format: str | None) -> int | None:
    """The latest hour (epoch seconds) that a line names; None where a file does not tell it.

    A look at the text of every line, and at the statistics of Parquet.
    """
    latest: list[int] = []
    for source in sources:
        if source.is_stream or log_format is not None:
            return None
        if source.kind == "parquet":
            span = None if source.path is None else span_of(metadata_of(source.path))
            found = None if span is None else span[1]
        else:
            found = _newest_line(source)
        if found is None:
            return None
        latest.append(found)
    return max(latest, default=None)


def _newest_line(source: Source) -> int | None:
    def latest(chunk: Chunk) -> int | None:
        highest = _hours(split(chunk).texts).max()
        return highest if isinstance(highest, int) else None

    def chunks() -> Iterator[Chunk]:
        head, pieces = foreign.first_piece(ByteReader(source))
        if head is not None:
            sight = foreign.look(head.data, source.name, None, Options())
            if sight.foreign is None:
                yield from pieces

    return max((hour for hour in in_order(latest, chunks()) if hour is not None), default=None)
