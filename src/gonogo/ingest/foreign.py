"""Logs of other tools: told from their first records, and turned into native lines.

What comes out are lines of JSON as docs/native-log.md has them, so that every number is made where
those of native logs are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from gonogo import adapters
from gonogo.adapters import Format, NotLog, Options, Refused
from gonogo.adapters.values import dumps
from gonogo.errors import Diagnostic
from gonogo.ingest.chunks import ByteReader, Chunk, split
from gonogo.ingest.containers import MAX_DOCUMENT, Batch, Container, batches, container
from gonogo.ingest.decode import parse
from gonogo.ingest.parquet import column_names, opened
from gonogo.ingest.remote import RemotePath

LOOK_AT: Final = 50
"""Records that the format of a file is told from."""
PARQUET_ROWS: Final = 2_000
_MANY: Final = 12
_COPIED: Final = 256


@dataclass(frozen=True, slots=True)
class Adapted:
    """Native lines with the place of the record that each was made from, and what made none."""

    texts: pl.Series
    numbers: NDArray[np.int64]
    offsets: NDArray[np.int64]
    refused: list[tuple[int, int, Refused]]
    """(line number, byte offset, why)"""
    versions: Counter[str] = field(default_factory=Counter)
    """records of versions of the format that are not known"""
    invalid_utf8: int = 0


@dataclass(slots=True)
class Foreign:
    """How the records of one file stand in it, and what turns them into lines.

    Without a `format` the records are native lines already, in a document or a table.
    """

    container: Container
    format: Format | None
    options: Options
    not_log: NotLog | None = None

    def pieces(self, chunks: Iterator[Chunk], name: str) -> Iterator[Chunk | Batch]:
        """The file in shares that can be worked on one by one."""
        if self.container == "lines":
            return chunks
        return batches(self.container, (chunk.data for chunk in chunks), name)

    def adapt(self, piece: Chunk | Batch) -> Adapted:
        """The native lines of one share."""
        made = _Made(self.format, self.options)
        invalid = 0
        if isinstance(piece, Batch):
            for number, why in piece.refused:
                made.refuse(number, 0, why)
            for number, record in zip(piece.numbers, piece.records, strict=True):
                made.take(record, number, 0)
        else:
            lines = split(piece)
            invalid = lines.invalid_utf8
            places = zip(lines.numbers.tolist(), lines.offsets.tolist(), strict=True)
            for text, (number, offset) in zip(_some_by_some(lines.texts), places, strict=True):
                found = _parsed(text)
                if isinstance(found, Refused):
                    made.refuse(number, offset, found)
                else:
                    made.take(found, number, offset)
        return Adapted(
            pl.Series(made.texts, dtype=pl.String),
            np.array(made.numbers, dtype=np.int64),
            np.array(made.offsets, dtype=np.int64),
            made.refused,
            made.versions,
            invalid,
        )


@dataclass(slots=True)
class _Made:
    format: Format | None
    options: Options
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    refused: list[tuple[int, int, Refused]] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)

    def take(self, record: Mapping[str, Any], number: int, offset: int) -> None:
        if self.format is None:
            self._add(dumps(dict(record)), number, offset)
            return
        try:
            for found in self.format.convert(record, self.options):
                if isinstance(found, Refused):
                    self.refuse(number, offset, found)
                else:
                    self._add(dumps(found), number, offset)
            if self.format.versions is not None:
                strange = self.format.versions.strange(record)
                self.versions.update(f"{self.format.name} {version}" for version in strange)
        except Exception as error:
            what = f"not as {self.format.title} has it ({type(error).__name__})"
            self.refuse(number, offset, Refused("I032", what))

    def _add(self, text: str, number: int, offset: int) -> None:
        self.texts.append(text)
        self.numbers.append(number)
        self.offsets.append(offset)

    def refuse(self, number: int, offset: int, why: Refused) -> None:
        self.refused.append((number, offset, why))


def _some_by_some(texts: pl.Series) -> Iterator[str]:
    """All of them, of which few are copied at a time."""
    return chain.from_iterable(
        texts[at : at + _COPIED].to_list() for at in range(0, len(texts), _COPIED)
    )


def _parsed(text: str) -> dict[str, Any] | Refused:
    try:
        found = orjson.loads(text)
        if isinstance(found, dict):
            return found
    except ValueError:
        pass
    value, problem = parse(text)
    return Refused(*problem) if problem else value


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen at the beginning of a file."""

    foreign: Foreign | None
    keys: tuple[str, ...]


def look(
    head: bytes, name: str, chosen: str | None, options: Options, own: Sequence[Format] = ()
) -> Sight:
    """How to read a file, from its first piece; None where it is native JSON lines.

    Raises:
        gonogo.errors.UsageError: no format has the name that was chosen.
    """
    how = container(head, name)
    records = list(_first_records(how, head, name))
    keys = tuple(dict.fromkeys(str(key) for record in records[:3] for key in record))[:_MANY]
    if chosen is not None:
        found = adapters.choose(chosen)
    else:
        found = adapters.detect(records, own)
        kind = adapters.not_a_log(records[0]) if records and found is None else None
        if kind is not None:
            return Sight(Foreign(how, None, options, kind), keys)
    if found is None and how == "lines":
        return Sight(None, keys)
    return Sight(Foreign(how, found, options), keys)


def first_records(head: bytes, name: str, most: int) -> Iterator[Mapping[str, Any]]:
    """The first records of a file, from its first piece; what is none is left out."""
    return _first_records(container(head, name), head, name, most)


def _first_records(
    how: Container, head: bytes, name: str, most: int = LOOK_AT
) -> Iterator[Mapping[str, Any]]:
    if how != "lines":
        first = next(batches(how, iter([head]), name), Batch())
        yield from first.records[:most]
        return
    start = 0
    for _ in range(most):
        end = head.find(b"\n", start)
        line = head[start:] if end < 0 else head[start:end]
        found = _parsed(line.decode("utf-8", "replace").strip(" \t\r\n\ufeff")) if line else None
        if isinstance(found, dict):
            yield found
        if end < 0:
            return
        start = end + 1


def look_at_parquet(
    path: Path | RemotePath, chosen: str | None, options: Options, own: Sequence[Format] = ()
) -> Foreign | None:
    """How to read a Parquet file, from the names of its columns; None where it is native.

    Raises:
        gonogo.errors.UsageError: no format has the name that was chosen.
        polars.exceptions.PolarsError, pyarrow.ArrowException, OSError: the file is not sound.
    """
    if chosen is not None:
        found = adapters.choose(chosen)
    else:
        found = adapters.detect([dict.fromkeys(column_names(path))], own)
    return None if found is None else Foreign("lines", found, options)


def parquet_batches(path: Path | RemotePath) -> Iterator[Batch]:
    """The rows of a Parquet file as records, some at a time.

    Raises:
        pyarrow.ArrowException, OSError, ValueError: the file is not sound.
    """
    number = 1
    with opened(path) as file:
        for arrow in file.iter_batches(batch_size=PARQUET_ROWS):
            frame = pl.from_arrow(arrow)
            assert isinstance(frame, pl.DataFrame)
            records = [
                {name: value for name, value in row.items() if value is not None}
                for row in frame.iter_rows(named=True)
            ]
            yield Batch(records, list(range(number, number + len(records))))
            number += len(records)


def first_piece(reader: ByteReader) -> tuple[Chunk | None, Iterator[Chunk]]:
    """(the first chunk, all of them): a pipe can be read only once."""
    chunks = reader.chunks()
    head = next(chunks, None)
    return (None, iter(())) if head is None else (head, chain((head,), chunks))


def whole_document(
    head: Chunk, chunks: Iterator[Chunk], name: str
) -> tuple[Chunk, Iterator[Chunk]]:
    """The same, with a document in one piece: only as a whole it tells what it is."""
    if container(head.data, name) != "document":
        return head, chunks
    parts, size, rest = [], 0, chunks
    for chunk in rest:
        parts.append(chunk.data)
        size += len(chunk.data)
        if size > MAX_DOCUMENT:
            break
    head = Chunk(b"".join(parts), head.first_line, head.offset)
    return head, chain((head,), rest)


def unknown(name: str, keys: Sequence[str], lines: int) -> Diagnostic:
    """A file of which nothing is known: what was seen, what is known, and how to go on."""
    seen = ", ".join(keys) or "nothing"
    formats = ", ".join((adapters.NATIVE, *adapters.known()))
    return Diagnostic(
        "I035",
        name,
        f"none of its {lines:,} records is of a format that is known; it has {seen}",
        f"known are {formats}; map it with [fields] of readiness.toml or a mapping file "
        "(--log-format mine.toml), or leave it out",
    )
