"""Bytes to lines: pieces of a file that end at a line's end, with line numbers and offsets.

Nothing here decodes JSON. Invalid UTF-8 is replaced and counted, blank lines are left out, a byte
order mark at the start is dropped, and a compressed file that is cut short gives what can be had.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, Final, cast

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from gonogo.errors import Diagnostic
from gonogo.ingest.discover import Source, sniff

CHUNK_BYTES: Final = 14 << 20
"""As fast as larger ones, at half the memory. Below 32 MB the C library keeps what is freed for the
next chunk, and no page is new again."""
PACKED_READ: Final = 64 << 10
"""A read that meets the cut in a packed file loses what it has: small reads lose little."""
MAX_LINE_BYTES: Final = 256 << 20
_BOM: Final = b"\xef\xbb\xbf"
_NEWLINE: Final = 10
_SEARCHED: Final = 256 << 10
_MEND_LINES: Final = 64


@dataclass(slots=True)
class Chunk:
    """Whole lines of a file: raw bytes, the number of its first line (1-based) and its offset."""

    data: bytes
    first_line: int
    offset: int


@dataclass(slots=True)
class Lines:
    """Stripped, non-blank lines with their numbers (1-based) and byte offsets."""

    texts: pl.Series
    numbers: NDArray[np.int64]
    offsets: NDArray[np.int64]
    invalid_utf8: int


@dataclass(slots=True)
class ByteReader:
    """Reads a source in chunks; hash, size and trouble are known when it is exhausted."""

    source: Source
    bytes_read: int = 0
    problems: list[Diagnostic] = field(default_factory=list)
    is_binary: bool = False
    begin: int = 0
    """where in the file the first line of a share stands"""
    newlines: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        """Of the content as it stands in the file, compressed if it is."""
        return cast(str, self._hash.hexdigest())

    def chunks(self) -> Iterator[Chunk]:
        """Chunks in order. A line longer than 256 MB is cut there and will not parse.

        A file that vanishes or is cut short is a problem to report, not an exception.
        """
        rest, line, offset = b"", 1, 0
        first = self.source.span is None or not self.source.span[0]
        for data in self._pieces():
            piece = data
            if first:
                first = False
                if _looks_binary(data):
                    self.is_binary = True
                    self.problems.append(
                        Diagnostic(
                            "I005",
                            self.source.name,
                            "not a text file",
                            "give JSON lines or Parquet",
                        )
                    )
                    return
                if data.startswith(_BOM):
                    piece, offset = data[3:], 3
            end = piece.rfind(b"\n") + 1
            if not end and len(rest) + len(piece) < MAX_LINE_BYTES:
                rest += piece
                continue
            end = end or len(piece)
            whole = b"".join((rest, memoryview(piece)[:end]))
            rest = piece[end:]
            yield Chunk(whole, line, offset)
            self.newlines += whole.count(b"\n")
            line = self.newlines + 1
            offset += len(whole)
        if rest:
            yield Chunk(rest, line, offset)

    def _pieces(self) -> Iterator[bytes]:
        held: list[bytes] = []
        try:
            with _open(self.source, self) as handle:
                is_packed = hasattr(handle, "read1")
                read, size = (
                    (handle.read1, PACKED_READ) if is_packed else (handle.read, CHUNK_BYTES)
                )
                while piece := read(size):
                    held.append(piece)
                    if not is_packed or sum(map(len, held)) >= CHUNK_BYTES:
                        yield b"".join(held)
                        held = []
        except (EOFError, zlib.error, gzip.BadGzipFile, pa.ArrowInvalid) as error:
            self._cut_short(error)
        except OSError as error:
            if self.source.packing == "zstd":
                self._cut_short(error)
            else:
                self.problems.append(
                    Diagnostic(
                        "I002",
                        self.source.name,
                        f"could not be read to its end: {error.strerror or 'no connection'}",
                        "the lines before are kept",
                    )
                )
        if held:
            yield b"".join(held)

    def _cut_short(self, error: Exception) -> None:
        self.problems.append(
            Diagnostic(
                "I006",
                self.source.name,
                f"the compressed file is damaged or cut short ({error})",
                "what could be unpacked is kept; copy the file again",
            )
        )

    def feed(self, data: bytes) -> None:
        self._hash.update(data)
        self.bytes_read += len(data)


class _Counting:
    """A raw file whose bytes are hashed and counted as they pass."""

    def __init__(self, raw: IO[bytes], reader: ByteReader) -> None:
        self._raw, self._reader = raw, reader
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size)
        self._reader.feed(data)
        return data

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
        self._raw.close()

    def __enter__(self) -> _Counting:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(source: Source, reader: ByteReader) -> Any:
    raw: IO[bytes] = sys.stdin.buffer if source.path is None else source.path.open("rb")
    packing = source.packing
    if source.is_stream:
        head = raw.read(CHUNK_BYTES)
        packing = sniff(head[:16])[1]
        raw = cast(IO[bytes], _Joined(head, raw))
    if source.span is not None:
        cut = Cut(raw, *source.span)
        reader.begin, raw = cut.begin, cast(IO[bytes], cut)
    counted = _Counting(raw, reader)
    if packing == "gzip":
        return gzip.GzipFile(fileobj=cast(Any, counted), mode="rb")
    if packing == "zstd":
        return pa.CompressedInputStream(pa.PythonFile(counted, mode="r"), "zstd")
    return counted


class Cut:
    """The lines of a file whose first byte stands in [start, end), and no others.

    Shares that touch hold every line once, however the lines lie across their borders.
    """

    def __init__(self, raw: IO[bytes], start: int, end: int) -> None:
        self._raw, self._end, self._held = raw, end, b""
        self.begin = start
        if start:
            raw.seek(start - 1)
            self.begin -= 1
            while piece := raw.read(PACKED_READ):
                after = piece.find(b"\n") + 1
                self.begin += after or len(piece)
                if after:
                    self._held = piece[after:]
                    break
        self._at = self.begin
        self._done = self._at >= end

    def read(self, size: int = -1) -> bytes:
        if self._done:
            return b""
        # Not much more than the share: what comes after it is another one's.
        size = min(size, max(self._end - self._at, 0) + PACKED_READ)
        data, self._held = self._held or self._raw.read(size), b""
        last = data.find(b"\n", max(self._end - 1 - self._at, 0))
        if last >= 0:
            data, self._done = data[: last + 1], True
        self._at += len(data)
        return data

    def close(self) -> None:
        self._raw.close()


class _Joined:
    """Bytes already taken from a pipe, followed by the rest of it."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = BytesIO(head), rest

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._rest.read(size)

    def close(self) -> None:
        """The pipe belongs to the process."""


def _looks_binary(data: bytes) -> bool:
    # A log that was cut while its writer had it open begins with a hole of NULs; in other places
    # a NUL spoils its line only.
    head = data.lstrip(b"\x00")[:8192]
    if head.startswith((b"\x89PNG", b"%PDF", b"PK\x03\x04", b"PAR1")):
        return True
    is_log = any(line.lstrip().startswith((b'{"', b"{ ", b"{}")) for line in head.split(b"\n"))
    return b"\x00" in data[:8192] and not is_log


def split(chunk: Chunk) -> Lines:
    """The lines of a chunk as a String series, without copying their text."""
    data = chunk.data if chunk.data.endswith(b"\n") else chunk.data + b"\n"
    ends = _newlines(np.frombuffer(data, dtype=np.uint8))
    texts, invalid = _texts(data, ends)
    offsets = np.empty(len(ends), dtype=np.int64)
    offsets[0] = 0
    offsets[1:] = ends[:-1] + 1
    texts = texts.str.strip_chars(" \t\r\n\ufeff")
    filled = texts.str.len_bytes().to_numpy() > 0
    numbers = np.flatnonzero(filled) + chunk.first_line
    if not filled.all():
        texts, offsets = texts.filter(filled), offsets[filled]
    return Lines(texts, numbers, offsets + chunk.offset, invalid)


def _newlines(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    # Piece by piece: what is compared stays in the processor's cache.
    starts = range(0, len(data), _SEARCHED)
    return np.concatenate(
        [np.flatnonzero(data[at : at + _SEARCHED] == _NEWLINE) + at for at in starts]
    )


def _texts(data: bytes, ends: NDArray[np.int64]) -> tuple[pl.Series, int]:
    """(texts, how many had invalid UTF-8): the bad bytes are replaced, the rest is kept."""
    borders = np.empty(len(ends) + 1, dtype=np.int64)
    borders[0] = 0
    borders[1:] = ends + 1
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(ends), [None, pa.py_buffer(borders), pa.py_buffer(data)]
    )
    raw = cast(pl.Series, pl.from_arrow(array))
    # The cast checks UTF-8, and unlike Arrow's own check lets other threads run meanwhile.
    try:
        return raw.cast(pl.String), 0
    except pl.exceptions.PolarsError:
        return _mended(raw)


def _mended(raw: pl.Series) -> tuple[pl.Series, int]:
    parts, invalid = [], 0
    for start in range(0, len(raw), _MEND_LINES):
        part = raw.slice(start, _MEND_LINES)
        try:
            parts.append(part.cast(pl.String))
        except pl.exceptions.PolarsError:
            lines = part.to_list()
            texts = [line.decode("utf-8", "replace") for line in lines]
            invalid += sum(text.encode() != line for text, line in zip(texts, lines, strict=True))
            parts.append(pl.Series(texts, dtype=pl.String))
    return pl.concat(parts), invalid
