"""Files that are no JSON lines: one JSON document, an array of objects, a CSV table.

Records come with the number of the line that they begin on. What is cut short gives what can be
had, and says what was lost.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from gonogo.adapters.model import Refused

Container = Literal["lines", "document", "array", "csv"]

BATCH: Final = 1_000
MAX_DOCUMENT: Final = 512 << 20
_DECODER: Final = json.JSONDecoder()
_SPACE: Final = " \t\r\n\ufeff"
_BLANK: Final = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
_LISTS: Final = re.compile(
    r'"(resourceSpans|resourceLogs|batches|data|runs|spans|traces|observations|results|post|patch|'
    r'events|value)"\s*:\s*\['
)
"""Members whose list holds the records of a document; what is whole of it can be saved."""


@dataclass(slots=True)
class Batch:
    """Some records with their line numbers, and what could not be read between them."""

    records: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    refused: list[tuple[int, Refused]] = field(default_factory=list)


def container(head: bytes, name: str) -> Container:
    """How the records of a file stand in it, told from its beginning."""
    bare = name.removesuffix(".gz").removesuffix(".zst").removesuffix(".zstd")
    start = _BLANK.match(head).end()  # type: ignore[union-attr]  # it matches nothing, too
    opening = head[start : start + 1]
    if bare.endswith((".csv", ".tsv")) and opening not in {b"{", b"["}:
        return "csv"
    if opening not in {b"{", b"["}:
        return "lines"
    # Of many megabytes only the first line is made a text.
    newline = head.find(b"\n", start)
    end = len(head) if newline < 0 else newline
    line = head[start:end].decode("utf-8", "replace").rstrip(_SPACE)
    if _is_whole(line):
        more = _BLANK.fullmatch(head, end) is None
        return "array" if line.startswith("[") and not more else "lines"
    if line.startswith("["):
        return "array" if line[1:].lstrip(_SPACE)[:1] in {"", "{"} else "lines"
    # A line that is sound up to an opening or a comma goes on below; any other one is broken.
    return "document" if newline >= 0 and _goes_on(line) else "lines"


def _goes_on(line: str) -> bool:
    try:
        _DECODER.raw_decode(line)
    except json.JSONDecodeError as error:
        return line.endswith(("{", "[", ",")) and error.pos >= len(line) - 1
    except (ValueError, RecursionError):
        return False
    return False


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def batches(kind: Container, pieces: Iterable[bytes], name: str) -> Iterator[Batch]:
    """The records of a document, an array or a table, some at a time."""
    texts = (piece.decode("utf-8", "replace") for piece in pieces)
    if kind == "csv":
        return _grouped(_rows(texts, "\t" if ".tsv" in name else ","))
    if kind == "array":
        return _grouped(_elements(texts))
    return _grouped(_documents(texts))


Found = tuple[int, "dict[str, Any] | Refused"]


def _grouped(found: Iterator[Found]) -> Iterator[Batch]:
    batch = Batch()
    for number, item in found:
        if isinstance(item, Refused):
            batch.refused.append((number, item))
        else:
            batch.records.append(item)
            batch.numbers.append(number)
        if len(batch.records) >= BATCH:
            yield batch
            batch = Batch()
    if batch.records or batch.refused:
        yield batch


def _record(value: Any) -> dict[str, Any] | Refused:
    if isinstance(value, dict):
        return value
    kind = "array" if isinstance(value, list) else "null" if value is None else "scalar"
    return Refused("I008", f"a JSON {kind}, not an object")


def _elements(texts: Iterator[str], line: int = 1) -> Iterator[Found]:
    """The elements of a JSON array, read as they come."""
    buffer = next(texts, "").lstrip("\ufeff")
    at = buffer.find("[") + 1
    counted = 0
    while True:
        while at < len(buffer) and buffer[at] in " \t\r\n,":
            at += 1
        if at < len(buffer) and buffer[at] == "]":
            return
        line += buffer.count("\n", counted, at)
        counted = at
        try:
            value, end = _DECODER.raw_decode(buffer, at)
            # A number at the end may have more digits in the next piece.
            whole = end < len(buffer)
        except (ValueError, RecursionError):
            whole = False
        if not whole:
            more = next(texts, None)
            if more is None:
                if at < len(buffer):
                    yield line, Refused("I011", "the file ends in the middle of a record")
                else:
                    yield line, Refused("I011", "the array is not closed: the file is cut short")
                return
            buffer, at, counted = buffer[at:] + more, 0, 0
            continue
        yield line, _record(value)
        at = end


def _documents(texts: Iterator[str]) -> Iterator[Found]:
    """JSON values one after the other, each over as many lines as it likes."""
    parts, size = [], 0
    for piece in texts:
        parts.append(piece)
        size += len(piece)
        if size > MAX_DOCUMENT:
            limit = f"one JSON document of more than {MAX_DOCUMENT >> 20} MB"
            yield 1, Refused("I032", f"{limit}; write it as JSON lines")
            return
    text = "".join(parts).lstrip("\ufeff")
    at, line, counted = 0, 1, 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at >= len(text):
            return
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield from _saved(text, at, line, error)
            return
        yield line, _record(value)
        at = end


def _saved(text: str, at: int, line: int, error: Exception) -> Iterator[Found]:
    """The whole elements of the list that a broken document holds."""
    found = _LISTS.search(text, at)
    if found is None:
        reason = getattr(error, "msg", "nested too deep")
        yield line, Refused("I007", f"not JSON: {reason}")
        return
    line += text.count("\n", at, found.end())
    for number, item in _elements(iter([text[found.end() - 1 :]]), line):
        yield number, item if isinstance(item, Refused) else {found[1]: [item]}


def _rows(texts: Iterator[str], delimiter: str) -> Iterator[Found]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    lines = (line for text in texts for line in text.lstrip("\ufeff").splitlines(keepends=True))
    reader = csv.DictReader(lines, delimiter=delimiter)
    number = reader.line_num + 1
    try:
        for row in reader:
            number = reader.line_num
            row.pop(None, None)
            yield number, {k: v for k, v in row.items() if k and v not in (None, "")}
    except csv.Error as error:
        yield number, Refused("I007", f"not a CSV table: {error}")
