"""Parquet logs: the same fields, with the types that the writer gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gonogo.errors import Diagnostic, InputError
from gonogo.ingest.access import Reader, Tally
from gonogo.ingest.fields import CHILDREN, LINE_FIELDS, TIME_NAMES
from gonogo.ingest.times import to_epoch_us
from gonogo.records import NO_TIME

ROWS: Final = 75_000
UNSOUND: Final = (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError)
"""What reading a damaged file may raise."""
_LINE: Final = {f.name: f for f in LINE_FIELDS}


@dataclass(frozen=True, slots=True)
class ParquetSlice:
    """Rows [offset, offset + rows) of a file, and the columns of it that are known."""

    path: Path
    offset: int
    rows: int
    columns: tuple[str, ...]
    span: tuple[int, int] | None = None
    """first and last time (epoch seconds) by the statistics of the file, where they tell"""

    def read(self) -> pl.DataFrame:
        return self._scan(self.columns)

    def read_ids(self, mapping: Mapping[str, str]) -> tuple[pl.Series, pl.Series]:
        """(trace ids, span ids) as texts."""
        own = {mapping[n] for n in ("trace_id", "span_id") if n in mapping}
        wanted = (
            {path.split(".")[0] for name in ("trace_id", "span_id") for path in _LINE[name].paths}
            | own
            | {path.split(".")[0] for path in own}
        )
        frame = self._scan(tuple(c for c in self.columns if c in wanted))
        if not frame.width:
            empty = pl.Series([None], dtype=pl.String).new_from_index(0, self.rows)
            return empty, empty
        read = Reader(frame, Tally(), mapping)
        return read.texts(_LINE["trace_id"]), read.texts(_LINE["span_id"])

    def read_versions(self) -> NDArray[np.int64] | None:
        """When each row was last changed; None where the file has no column that says so."""
        wanted = {path.split(".")[0] for path in _LINE["updated"].paths}
        columns = tuple(c for c in self.columns if c in wanted)
        if not columns:
            return None
        frame, found = self._scan(columns), np.full(self.rows, NO_TIME, dtype=np.int64)
        for _, series in Reader(frame, Tally(), {}).sources(_LINE["updated"]):
            found = np.where(found == NO_TIME, to_epoch_us(series)[0], found)
        return found if (found != NO_TIME).any() else None

    def _scan(self, columns: tuple[str, ...]) -> pl.DataFrame:
        if not columns:
            return pl.DataFrame()
        frame = pl.scan_parquet(self.path, glob=False).slice(self.offset, self.rows)
        try:
            return frame.select(columns).collect()
        except (FileNotFoundError, PermissionError) as error:
            raise InputError([gone(str(self.path), error)]) from None
        except UNSOUND as error:
            raise unsound(str(self.path), error) from None


def gone(name: str, error: OSError) -> Diagnostic:
    """The file was there when files were looked for, and cannot be read now."""
    return Diagnostic(
        "I002",
        name,
        f"cannot be read any more: {error.strerror}",
        "do not move or rotate logs while they are read",
    )


def unsound(name: str, error: Exception) -> InputError:
    first = (str(error).splitlines() or ["unknown"])[0]
    return InputError(
        [
            Diagnostic(
                "I022",
                name,
                f"not a sound Parquet file: {first}",
                "write it again, or leave it out",
            )
        ]
    )


def slices(path: Path, mapping: Mapping[str, str]) -> Iterator[ParquetSlice]:
    """The file in shares of 100,000 to 200,000 rows, cut where small row groups end.

    Raises:
        polars.exceptions.PolarsError, pyarrow.ArrowException, OSError: the file is not sound.
    """
    schema = pl.read_parquet_schema(path)
    columns = known_columns(list(schema), mapping)
    metadata = pq.read_metadata(path)
    offset = pending = first = 0
    for group in range(metadata.num_row_groups):
        pending += metadata.row_group(group).num_rows
        last = group == metadata.num_row_groups - 1
        if pending >= ROWS or last:
            span = span_of(metadata, range(first, group + 1))
            first = group + 1
            while pending:
                # A huge row group is read in pieces, so that memory stays bounded.
                rows = min(pending, 2 * ROWS)
                yield ParquetSlice(path, offset, rows, columns, span)
                offset += rows
                pending -= rows


def span_of(
    metadata: pq.FileMetaData, groups: Sequence[int] | None = None
) -> tuple[int, int] | None:
    """First and last time (epoch seconds) of row groups, by the statistics of the file."""
    schema = metadata.schema.to_arrow_schema()
    present = [name for name in schema.names if name in TIME_NAMES]
    if not present or not all(pa.types.is_timestamp(schema.field(name).type) for name in present):
        return None
    edges: list[datetime] = []
    for group in range(metadata.num_row_groups) if groups is None else groups:
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            if column.path_in_schema in present:
                stats = column.statistics
                if stats is None or not stats.has_min_max or stats.null_count:
                    return None
                try:
                    edges += [stats.min, stats.max]
                except ValueError:  # nanoseconds, which Python's times do not have
                    return None
    if not edges:
        return None
    times = [int(e.replace(tzinfo=e.tzinfo or UTC).timestamp()) for e in edges]
    return min(times), max(times)


def known_columns(columns: list[str], mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that any known field or the user's mapping may stand in."""
    names = {path.split(".")[0] for field in LINE_FIELDS for path in field.paths}
    names |= {name for child in CHILDREN for name in child.names}
    names |= {name for path in mapping.values() for name in (path, path.split(".")[0])}
    return tuple(c for c in columns if c in names)
