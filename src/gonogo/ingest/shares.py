"""Shares of an input that are read in different places, and the way of their records from there.

A share is some bytes of a file. What is read of it is dealt out by trace, so that whoever holds the
records of one bucket from all shares holds whole traces, and every copy of a line.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.adapters import Format
from gonogo.errors import Diagnostic, InputError
from gonogo.ingest import foreign
from gonogo.ingest.canonical import canonicalise
from gonogo.ingest.discover import Source
from gonogo.ingest.outputs import Checker
from gonogo.ingest.parquet import UNSOUND, column_names, gone, nothing_known, slices, unsound
from gonogo.ingest.parts import FILE_SHIFT, BlockStore
from gonogo.ingest.reader import Reading
from gonogo.ingest.remote import RemotePath
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.records import (
    ACTION_SCHEMA,
    CHUNK_SCHEMA,
    EVALUATION_SCHEMA,
    GUARDRAIL_SCHEMA,
    RETRIEVAL_SCHEMA,
    TOOL_SCHEMA,
    VIOLATION_SCHEMA,
    Block,
    Dictionaries,
    Outputs,
)
from gonogo.stats.hashing import mix

SHARE_BYTES: Final = {"jsonl": 64 << 20, "parquet": 32 << 20}
_SHARE_SHIFT: Final = 26
"""A share of lines holds fewer than 2**26 of them, and a file at most 2**14 shares: a terabyte."""


@dataclass(frozen=True, slots=True)
class Share:
    """Some bytes of one file: `source.span`, or all of it; `file` numbers files in their order."""

    source: Source
    file: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Pack:
    """Records of one bucket from one share; `order` is the place of the first in the whole input.

    `data` is opened again by tasks of the same job only, as a pickle must be.
    """

    bucket: int
    order: int
    data: bytes


REPORT: Final = -1
"""The order of a pack that holds no records but the report of its share."""


@dataclass(slots=True)
class ShareReport:
    """What reading one share met; line numbers and offsets are of the share."""

    file: int
    number: int
    count: FileCount
    newlines: int = 0
    begin: int = 0
    trouble: Trouble = field(default_factory=Trouble)
    formats: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    first: Quarantined | None = None
    whole: bool = True
    """whether the share turned out to be all of the file"""
    errors: tuple[Diagnostic, ...] = ()
    """why the whole file cannot be read"""


def cut(sources: Sequence[Source], share_bytes: Mapping[str, int] = SHARE_BYTES) -> list[Share]:
    """The shares of all files, in order; what is packed stays whole."""
    found = []
    for file, named in enumerate(sources):
        # Whoever reads it stands in another folder.
        source = replace(named, path=named.path and named.path.resolve())
        size = share_bytes[source.kind]
        if source.packing != "plain" or source.size <= size:
            found.append(Share(source, file))
            continue
        pieces = max(1, round(source.size / size))
        edges = [source.size * n // pieces for n in range(pieces + 1)]
        # What is appended while others read is left for the next time.
        found += [
            Share(replace(source, span=(start, end)), file, number)
            for number, (start, end) in enumerate(pairwise(edges))
        ]
    return found


def read(
    share: Share,
    buckets: int,
    mapping: Mapping[str, str],
    log_format: str | None,
    checker: Checker | None,
    own: Sequence[Format] = (),
) -> tuple[list[Pack], ShareReport]:
    """The records of a share, dealt into `buckets`, and what was met.

    A file that cannot be read at all is told in the report, not raised.
    """
    source = share.source
    store = BlockStore()
    reading = Reading(mapping, lambda _: None, 1, store, log_format, checker, own)
    report = ShareReport(share.file, share.number, FileCount(source.name, source.kind, source.size))
    packs: list[Pack] = []
    try:
        if source.kind == "parquet":
            blocks = _parquet(share, reading, report)
        else:
            blocks = _lines(share, reading, report)
        for block in blocks:
            packs += deal(block, reading.dictionaries, buckets)
    except InputError as error:
        return [], replace(report, errors=tuple(error.diagnostics))
    finally:
        reading.close()
        store.cleanup()
    report.trouble = reading.trouble
    report.formats = tuple(reading.formats)
    told = [(n.code, n.what) for f in reading.formats.values() for n in f.notes]
    # Once for all files of a format, not once a share.
    report.trouble.files = [d for d in report.trouble.files if (d.code, d.what) not in told]
    return packs, report


def _lines(share: Share, reading: Reading, report: ShareReport) -> Iterator[Block]:
    reading.read([share.source])
    reading.store.close()
    job = reading.last
    assert job is not None
    report.count, report.keys, report.first = job.count, job.keys, job.first_refused
    report.begin, report.newlines = job.reader.begin, job.reader.newlines
    report.whole = job.source.span is None
    offset = (share.file << FILE_SHIFT) + (share.number << _SHARE_SHIFT)
    for part in reading.store.parts:
        block = part.load(reading.trouble.tally)
        yield replace(block, position=block.position + np.uint64(offset))


def _is_foreign(path: Path | RemotePath, reading: Reading) -> bool:
    found = foreign.look_at_parquet(path, reading.log_format, reading.options, reading.own)
    return found is not None


def _parquet(share: Share, reading: Reading, report: ShareReport) -> Iterator[Block]:
    source, mapping = share.source, reading.mapping
    assert source.path is not None
    try:
        if _is_foreign(source.path, reading):
            if share.number == 0:  # its rows are turned one by one: it is not cut
                whole = replace(share, source=replace(source, span=None))
                yield from _lines(whole, reading, report)
            else:
                report.count.size = 0
            return
        found = list(slices(source.path, mapping, source.span))
    except (FileNotFoundError, PermissionError) as error:
        report.count.note = "not read"
        reading.trouble.files.append(gone(source.name, error))
        return
    except UNSOUND as error:
        raise unsound(source.name, error) from None
    if source.span is None:
        reading.read([source])  # what is said of a whole file is said there
        report.count = reading.files[0]
    else:
        report.whole = False
        report.count.lines = sum(part.rows for part in found)
        if found and not found[0].columns:
            raise nothing_known(source.name, column_names(source.path))
    for part in found:
        frame = part.read()
        first = (share.file << FILE_SHIFT) + part.offset + 1
        position = np.arange(first, first + part.rows, dtype=np.uint64)
        tally = reading.trouble.tally
        block = canonicalise(frame, position, reading.dictionaries, tally, mapping, keep_ids=True)
        if reading.checker is not None:
            block = replace(block, outputs=reading.checker.look(frame, mapping, None))
        yield block


# ── dealing out ───────────────────────────────────────────────────────────────────────────────

_SCHEMAS: Final = {
    "retrievals": RETRIEVAL_SCHEMA,
    "chunks": CHUNK_SCHEMA,
    "tool_calls": TOOL_SCHEMA,
    "guardrails": GUARDRAIL_SCHEMA,
    "actions": ACTION_SCHEMA,
    "evaluations": EVALUATION_SCHEMA,
    "violations": VIOLATION_SCHEMA,
}


def deal(block: Block, dictionaries: Dictionaries, buckets: int) -> Iterator[Pack]:
    """The lines of a block by trace: all of a trace in one bucket, those without one anywhere."""
    trace = block.lines["trace_hash"].to_numpy()
    spread = mix(np.where(trace == 0, block.position, trace))
    bucket = (spread % np.uint64(buckets)).astype(np.int64)
    order = np.argsort(bucket, kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    edges = np.searchsorted(bucket[order], np.arange(buckets + 1))
    frames = {"lines": block.lines[order]}
    children = {
        "retrievals": block.retrievals,
        "chunks": block.chunks,
        "tool_calls": block.tool_calls,
        "guardrails": block.guardrails,
        "actions": block.actions,
        "evaluations": block.evaluations,
    }
    if block.outputs is not None:
        children["violations"] = block.outputs.violations
    frames |= {name: _moved(frame, place) for name, frame in children.items()}
    if block.ids is not None:
        frames["ids"] = block.ids[order]
    state = None if block.outputs is None else block.outputs.state[order]
    position = block.position[order]
    coded = dictionaries.coded()
    texts = {
        (name, column): dictionary.series()
        for name, columns in coded.items()
        for column, dictionary in columns.items()
    }
    rows = {
        name: np.searchsorted(frame["row"].to_numpy(), edges)
        for name, frame in frames.items()
        if name in children
    }
    for number in range(buckets):
        start, end = int(edges[number]), int(edges[number + 1])
        if start == end:
            continue
        told: dict[str, Any] = {"position": position[start:end]}
        if state is not None:
            told["state"] = state[start:end]
        names: dict[tuple[str, str], list[str | None]] = {}
        for name, frame in frames.items():
            first, last = (start, end) if name not in rows else rows[name][[number, number + 1]]
            if first == last:
                continue
            own = frame.slice(int(first), int(last - first))
            if name in rows:
                own = own.with_columns((pl.col("row") - start).cast(pl.UInt32))
            for column in coded.get(name, ()):
                codes, local = np.unique(own[column].to_numpy(), return_inverse=True)
                names[name, column] = texts[name, column].gather(codes).to_list()
                own = own.with_columns(pl.Series(column, local.astype(np.uint32)))
            told[name] = _bytes(own)
        told["names"] = names
        yield Pack(number, int(position[start]), pickle.dumps(told, protocol=5))


def undeal(data: bytes, dictionaries: Dictionaries) -> Block:
    """The block of one pack, with the codes of `dictionaries`."""
    told = pickle.loads(data)
    coded = dictionaries.coded()
    frames: dict[str, pl.DataFrame] = {}
    for name in ("lines", *_SCHEMAS, "ids"):
        if name not in told:
            continue
        frame = pl.read_ipc(BytesIO(told[name]))
        renewed = []
        for column, dictionary in coded.get(name, {}).items():
            texts = pl.Series(told["names"][name, column], dtype=pl.String)
            codes = dictionary.encode(texts).to_numpy()
            renewed.append(pl.Series(column, codes[frame[column].to_numpy()]))
        frames[name] = frame.with_columns(renewed)
    for name, schema in _SCHEMAS.items():
        frames.setdefault(name, pl.DataFrame(schema=schema))
    return Block(
        told["position"],
        frames["lines"],
        frames["retrievals"],
        frames["chunks"],
        frames["tool_calls"],
        frames["guardrails"],
        frames["actions"],
        frames["evaluations"],
        frames.get("ids"),
        Outputs(told["state"], frames["violations"]) if "state" in told else None,
    )


def _moved(frame: pl.DataFrame, place: NDArray[np.int64]) -> pl.DataFrame:
    """A child table in the order of its lines, pointing at where they are now."""
    row = place[frame["row"].to_numpy()]
    order = np.argsort(row, kind="stable")
    return frame.with_columns(pl.Series("row", row.astype(np.uint32)))[order]


def _bytes(frame: pl.DataFrame) -> bytes:
    out = BytesIO()
    # Texts as the older layout has them: the newer one would carry those of all other buckets too.
    frame.write_ipc(out, compression="lz4", compat_level=pl.CompatLevel.oldest())
    return out.getvalue()
