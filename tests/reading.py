"""Reads logs the way the pipeline does and gives every line back as plain values."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from gonogo.ingest.discover import discover
from gonogo.ingest.logs import LogInput, read_logs
from gonogo.ingest.parts import BlockStore
from gonogo.records import Block, Dictionaries

CHILDREN = ("retrievals", "chunks", "tool_calls", "guardrails", "actions", "evaluations")
Row = dict[str, Any]


@dataclass(frozen=True)
class Read:
    """Some logs as read; `rows` has a dict for each accepted or duplicate line, in order."""

    logs: LogInput
    rows: list[Row]

    @property
    def kept(self) -> list[Row]:
        return [row for row in self.rows if row["kept"]]

    @property
    def codes(self) -> list[str]:
        return [problem.code for problem in self.logs.trouble.problems()]

    def counts(self) -> tuple[int, int, int, int]:
        """Lines, accepted, quarantined, duplicates."""
        files = self.logs.files
        return (
            sum(f.lines for f in files), sum(f.accepted for f in files),
            sum(f.quarantined for f in files), sum(f.duplicates for f in files),
        )  # fmt: skip


def read(
    *paths: Path | str,
    mapping: Mapping[str, str] | None = None,
    store: BlockStore | None = None,
    threads: int | None = None,
    log_format: str | None = None,
) -> Read:
    """Discover and read; checks the conservation law of every file on the way."""
    found = discover([str(path) for path in paths])
    logs = read_logs(
        found, mapping or {}, lambda _: None, threads, store=store, log_format=log_format
    )
    rows: list[Row] = []
    for load in logs.blocks():
        block, keep = load()
        rows += [
            {**row, "kept": bool(kept)}
            for row, kept in zip(rows_of(block, logs.dictionaries), keep, strict=True)
        ]
    logs.close()
    for number, file in enumerate(logs.files):
        assert file.lines == file.accepted + file.quarantined + file.duplicates
        mine = [row for row in rows if row["file"] == number]
        if not file.note.startswith("the same content"):
            assert len(mine) == file.lines - file.quarantined
            assert sum(row["kept"] for row in mine) == file.accepted
    return Read(logs, rows)


def rows_of(block: Block, dictionaries: Dictionaries) -> list[Row]:
    """The lines of a block with their children, codes turned into texts."""
    texts = {
        **{name: found.texts() for name, found in dictionaries.dimensions.items()},
        "finish_reason": dictionaries.finish_reason.texts(),
        "tool": dictionaries.tool.texts(),
        "action": dictionaries.action.texts(),
        "evaluation": dictionaries.evaluation.texts(),
        "name": dictionaries.guardrail.texts(),
        "stage": dictionaries.stage.texts(),
        "index_version": dictionaries.index_version.texts(),
        "embedding_model": dictionaries.embedding_model.texts(),
        "chunk": dictionaries.chunk.texts(),
    }

    def plain(frame: pl.DataFrame) -> list[Row]:
        return [
            {key: texts[key][value] if key in texts else value for key, value in row.items()}
            for row in frame.to_dicts()
        ]

    rows = plain(block.lines)
    for row, position in zip(rows, block.position.tolist(), strict=True):
        row |= {"file": position >> 40, "line": position & ((1 << 40) - 1)}
        row |= {name: [] for name in CHILDREN}
    for name in CHILDREN:
        for child in plain(getattr(block, name)):
            rows[child.pop("row")][name].append(child)
    return rows


def contents(rows: Iterable[Row], *more: str) -> list[Row]:
    """The rows without where they stand."""
    gone = {"file", "line", "kept", *more}
    return [{key: value for key, value in row.items() if key not in gone} for row in rows]


def write(path: Path, *lines: str | bytes | Mapping[str, Any]) -> Path:
    """A file of these lines, each ended; packed if its name says so."""
    raw = b"".join(
        (line if isinstance(line, bytes) else text(line).encode()) + b"\n" for line in lines
    )
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
    return path


def text(line: str | Mapping[str, Any]) -> str:
    return line if isinstance(line, str) else json.dumps(line)
