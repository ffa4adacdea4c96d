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
from gonogo.ingest.remote import RemotePath
from gonogo.ingest.times import to_epoch_us
from gonogo.records import NO_TIME

ROWS: Final = 50_000
"""Rows of a share at least; up to twice as many. What a thread works with grows with them."""
UNSOUND: Final = (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError)
"""What reading a damaged file may raise."""
_LINE: Final = {f.name: f for f in LINE_FIELDS}


@dataclass(frozen=True, slots=True)
class ParquetSlice:
    """Rows [offset, offset + rows) of a file, and the columns of it that are known."""

    path: Path | RemotePath
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
        if isinstance(self.path, RemotePath):
            return self._fetch(self.path, columns)
        frame = pl.scan_parquet(self.path, glob=False).slice(self.offset, self.rows)
        try:
            return frame.select(columns).collect()
        except (FileNotFoundError, PermissionError) as error:
            raise InputError([gone(str(self.path), error)]) from None
        except UNSOUND as error:
            raise unsound(str(self.path), error) from None

    def _fetch(self, path: RemotePath, columns: tuple[str, ...]) -> pl.DataFrame:
        """By the row groups that hold the rows, over the same connection as all else."""
        try:
            with opened(path) as file:
                groups: list[int] = []
                first = before = 0
                for number in range(file.metadata.num_row_groups):
                    rows = file.metadata.row_group(number).num_rows
                    if before + rows > self.offset and before < self.offset + self.rows:
                        first = before if not groups else first
                        groups.append(number)
                    before += rows
                frame = pl.from_arrow(file.read_row_groups(groups, columns=list(columns)))
        except UNSOUND as error:
            raise unsound(str(path), error) from None
        assert isinstance(frame, pl.DataFrame)
        return frame.slice(self.offset - first, self.rows)


def opened(path: Path | RemotePath) -> pq.ParquetFile:
    """A Parquet file, wherever it is."""
    if isinstance(path, RemotePath):
        return pq.ParquetFile(path.open(), pre_buffer=True)
    return pq.ParquetFile(path)


def column_names(path: Path | RemotePath) -> list[str]:
    """The names of its columns."""
    if isinstance(path, RemotePath):
        with opened(path) as file:
            return list(file.schema_arrow.names)
    return list(pl.read_parquet_schema(path))


def metadata_of(path: Path | RemotePath) -> pq.FileMetaData:
    """What its footer says."""
    with opened(path) as file:
        return file.metadata


def gone(name: str, error: OSError) -> Diagnostic:
    """The file was there when files were looked for, and cannot be read now."""
    return Diagnostic(
        "I002",
        name,
        f"cannot be read any more: {error.strerror}",
        "do not move or rotate logs while they are read",
    )


def unsound(name: str, error: Exception) -> InputError:
    """The error of a file that Parquet cannot make sense of."""
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


def nothing_known(name: str, columns: list[str]) -> InputError:
    """The error of a file of which no column is read."""
    what = f"no column that is known; it has {', '.join(columns[:12])}"
    hint = "map its columns in [fields] of readiness.toml"
    return InputError([Diagnostic("I021", name, what, hint)])


def slices(
    path: Path | RemotePath,
    mapping: Mapping[str, str],
    span: tuple[int, int] | None = None,
    *,
    timed: bool = False,
) -> Iterator[ParquetSlice]:
    """The file in shares of up to 2 * ROWS rows, cut where small row groups end.

    With a `span` only the row groups of which the middle byte stands in it; `timed` ones know their
    times, which takes a look at the statistics of every column.

    Raises:
        polars.exceptions.PolarsError, pyarrow.ArrowException, OSError: the file is not sound.
    """
    columns = known_columns(column_names(path), mapping)
    metadata = metadata_of(path)
    offset = pending = first = 0
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    for number, group in enumerate(groups, 1):
        if span is not None and not span[0] <= _middle(group) < span[1]:
            offset, first = offset + group.num_rows, number
            continue
        pending += group.num_rows
        last = number == len(groups) or (span is not None and _middle(groups[number]) >= span[1])
        if pending >= ROWS or last:
            times = span_of(metadata, range(first, number)) if timed else None
            first = number
            # A huge row group is read in even pieces, so that memory stays bounded.
            for pieces in range(-(-pending // (2 * ROWS)), 0, -1):
                rows = -(-pending // pieces)
                yield ParquetSlice(path, offset, rows, columns, times)
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


def _middle(group: pq.RowGroupMetaData) -> int:
    """The middle byte of a row group in its file."""
    chunks = [group.column(number) for number in range(group.num_columns)]
    begins = [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]
    return int(min(begins) + sum(chunk.total_compressed_size for chunk in chunks) // 2)


def known_columns(columns: list[str], mapping: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that any known field or the user's mapping may stand in."""
    names = {path.split(".")[0] for field in LINE_FIELDS for path in field.paths}
    names |= {name for child in CHILDREN for name in child.names}
    names |= {name for path in mapping.values() for name in (path, path.split(".")[0])}
    return tuple(c for c in columns if c in names)
