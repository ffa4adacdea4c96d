"""Parts: shares of the input that fit in memory, each able to give its canonical block.

Lines of JSON are decoded once, so their blocks are kept, on disk once they outgrow a budget.
Parquet can be read again, so only its ids are held while duplicates are looked for.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.ingest.access import Tally
from gonogo.ingest.canonical import canonicalise, id_hash
from gonogo.ingest.fields import CHILDREN
from gonogo.ingest.outputs import Checker
from gonogo.ingest.parquet import ParquetSlice
from gonogo.ingest.spill import MEMORY_BUDGET, Identities, Identity, spilling
from gonogo.records import NO_TIME, Block, Dictionaries, Outputs
from gonogo.stats.hashing import mix, stable_hash

PART_ROWS: Final = 120_000
FILE_SHIFT: Final = 40
FILE_NUMBER: Final = np.uint32
"""Logs of one file a minute are more than 65,536 files in two months."""


class Part(Protocol):
    """A share of the accepted lines; all arrays have one entry a line, and so has `identity`."""

    rows: int
    file: NDArray[np.uint32]
    identity: Identity
    versions: NDArray[np.int64] | None
    """when each line was last changed, in a format that logs that; NO_TIME where nothing says so"""

    def load(self, tally: Tally) -> Block: ...

    def ids(self, rows: list[int]) -> pl.DataFrame: ...


def identity(trace: NDArray[np.uint64], span: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for (trace, span); 0 where either is missing: such a line has no identity."""
    both = mix(trace) ^ (mix(span) * np.uint64(0x9E3779B97F4A7C15))
    return np.where((trace == 0) | (span == 0), np.uint64(0), np.maximum(both, np.uint64(1)))


def join_blocks(blocks: list[Block]) -> Block:
    """One block of several, in order."""
    if len(blocks) == 1:
        return blocks[0]
    offsets = np.cumsum([0, *(b.lines.height for b in blocks)])

    def children(frames: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat(
            [
                frame.with_columns((pl.col("row") + int(offset)).cast(pl.UInt32))
                for frame, offset in zip(frames, offsets, strict=False)
            ]
        )

    ids = [b.ids for b in blocks if b.ids is not None]
    return Block(
        np.concatenate([b.position for b in blocks]),
        pl.concat([b.lines for b in blocks]),
        children([b.retrievals for b in blocks]),
        children([b.chunks for b in blocks]),
        children([b.tool_calls for b in blocks]),
        children([b.guardrails for b in blocks]),
        children([b.actions for b in blocks]),
        children([b.evaluations for b in blocks]),
        pl.concat(ids) if ids else None,
        Outputs.join([b.outputs for b in blocks], [b.lines.height for b in blocks]),
    )


@dataclass(slots=True)
class StoredPart:
    """A decoded block, in memory or in a temporary file."""

    rows: int
    file: NDArray[np.uint32]
    identity: Identity
    block: Block | None
    path: Path | None = None
    versions: NDArray[np.int64] | None = None

    def load(self, tally: Tally) -> Block:
        if self.block is not None:
            return self.block
        assert self.path is not None
        with self.path.open("rb") as handle:
            block: Block = pickle.load(handle)
        return block

    def ids(self, rows: list[int]) -> pl.DataFrame:
        ids = self.load(Counter()).ids
        assert ids is not None
        return ids[rows]

    def spill(self, folder: Path, number: int) -> None:
        self.path = folder / f"{number}.block"
        with spilling(), self.path.open("wb") as handle:
            pickle.dump(self.block, handle, protocol=5)
        self.block = None


@dataclass(slots=True)
class ParquetPart:
    """Some rows of a Parquet file."""

    rows: int
    file: NDArray[np.uint32]
    identity: Identity
    source: ParquetSlice
    dictionaries: Dictionaries
    mapping: Mapping[str, str]
    first: int
    versions: NDArray[np.int64] | None = None
    checker: Checker | None = None

    def load(self, tally: Tally) -> Block:
        frame = self.source.read()
        position = np.arange(self.first, self.first + self.rows, dtype=np.uint64)
        block = canonicalise(
            frame, position, self.dictionaries, tally, self.mapping, keep_ids=False
        )
        if self.checker is not None:
            block = replace(block, outputs=self.checker.look(frame, self.mapping, None))
        return block

    def learn(self, keys: Collection[str]) -> None:
        """Put the values of these keys into the dictionaries, as `load` would."""
        columns = self.source.columns
        if all(key in self.dictionaries.dimensions for key in keys):
            children = {name for child in CHILDREN for name in child.names}
            columns = tuple(c for c in columns if c not in children)
        part = replace(self, source=replace(self.source, columns=columns), checker=None)
        part.load(Counter())

    def ids(self, rows: list[int]) -> pl.DataFrame:
        trace, span = self.source.read_ids(self.mapping)
        return pl.DataFrame({"trace_id": trace.gather(rows), "span_id": span.gather(rows)})


def learn(parts: Iterable[Part], keys: Collection[str]) -> None:
    """Put all values of these keys into the dictionaries before anything is counted.

    Lines have been decoded by then; Parquet has not, so its columns are looked at once more.
    """
    late = [part for part in parts if isinstance(part, ParquetPart)]
    if keys and late:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda part: part.learn(keys), late))


def lasting_identity(trace: pl.Series, span: pl.Series) -> NDArray[np.uint64]:
    """The same number for the same ids in every run; `identity` by `id_hash` is of one run only."""
    return identity(stable_hash(trace), stable_hash(span))


def parquet_identity(
    source: ParquetSlice, mapping: Mapping[str, str], *, lasting: bool = False
) -> NDArray[np.uint64]:
    """Identity of each row, from the id columns alone; `lasting` is one to be kept on disk."""
    trace, span = source.read_ids(mapping)
    if lasting:
        return lasting_identity(trace, span)
    return identity(id_hash(trace).to_numpy(), id_hash(span).to_numpy())


@dataclass(slots=True)
class BlockStore:
    """Collects decoded blocks into parts of some 120,000 lines, spilling beyond a budget."""

    budget: int = MEMORY_BUDGET
    lasting: bool = False
    """identities that are the same in every run"""
    parts: list[StoredPart] = field(default_factory=list)
    spilled_bytes: int = 0
    identities: Identities = field(default_factory=Identities)
    _open: list[Block] = field(default_factory=list)
    _open_rows: int = 0
    _held: int = 0
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def add(self, block: Block) -> None:
        if not block.lines.height:
            return
        self._open.append(block)
        self._open_rows += block.lines.height
        if self._open_rows >= PART_ROWS:
            self.close()

    def close(self) -> None:
        """Make a part of what is open."""
        if not self._open:
            return
        block = join_blocks(self._open)
        self._open, self._open_rows = [], 0
        lines = block.lines
        part = StoredPart(
            lines.height,
            _alike((block.position >> np.uint64(FILE_SHIFT)).astype(FILE_NUMBER)),
            self.identities.keep(self._identity(block)),
            block,
            versions=_versions(lines),
        )
        self._held += size_of(block)
        if self._held > self.budget:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="gonogo-")
            part.spill(Path(self._folder.name), len(self.parts))
            self.spilled_bytes += part.path.stat().st_size if part.path else 0
            self._held -= size_of(block)
        self.parts.append(part)

    def _identity(self, block: Block) -> NDArray[np.uint64]:
        if self.lasting and block.ids is not None:
            return lasting_identity(block.ids["trace_id"], block.ids["span_id"])
        lines = block.lines
        return identity(lines["trace_hash"].to_numpy(), lines["span_hash"].to_numpy())

    def cleanup(self) -> None:
        self.identities.close()
        if self._folder is not None:
            self._folder.cleanup()


def nothing() -> NDArray[np.uint64]:
    """The identities of a part of which they are not needed any more."""
    return np.empty(0, dtype=np.uint64)


def in_one_file(number: int, rows: int) -> NDArray[np.uint32]:
    """The file of some lines that are all of one, which takes no room."""
    return np.broadcast_to(FILE_NUMBER(number), (rows,))


def _alike(files: NDArray[np.uint32]) -> NDArray[np.uint32]:
    is_one = len(files) > 0 and bool((files == files[0]).all())
    return in_one_file(int(files[0]), len(files)) if is_one else files


def _versions(lines: pl.DataFrame) -> NDArray[np.int64] | None:
    found = lines["updated_us"].to_numpy()
    return found.copy() if (found != NO_TIME).any() else None


def size_of(block: Block) -> int:
    frames = (block.lines, block.retrievals, block.chunks, block.tool_calls, block.guardrails,
              block.actions, block.evaluations)  # fmt: skip
    ids = block.ids.estimated_size() if block.ids is not None else 0
    outputs = block.outputs.bytes() if block.outputs is not None else 0
    return int(sum(frame.estimated_size() for frame in frames) + ids + outputs)
