"""Reading a whole input: every file, every duplicate, every trace, in bounded memory."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gonogo.errors import Diagnostic, InputError
from gonogo.ingest import traces
from gonogo.ingest.access import Tally
from gonogo.ingest.canonical import canonicalise
from gonogo.ingest.chunks import ByteReader, Chunk, split
from gonogo.ingest.decode import Decoder, Rejected
from gonogo.ingest.discover import Discovery, Source
from gonogo.ingest.fields import LINE_FIELDS
from gonogo.ingest.parquet import UNSOUND, gone, slices, unsound
from gonogo.ingest.parts import (
    FILE_NUMBER,
    FILE_SHIFT,
    BlockStore,
    ParquetPart,
    Part,
    parquet_identity,
)
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.records import Block, Dictionaries
from gonogo.stats.hashing import mix

HASH_PARQUET_UP_TO: Final = 256 << 20
_PARENT_COLUMNS: Final = frozenset(
    p for f in LINE_FIELDS if f.name == "parent_span_id" for p in f.paths
)

Advance = Callable[[int], None]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Doubles:
    """The rows of a part whose identity occurs more than once, and which of them are dropped."""

    rows: NDArray[np.int64]
    dropped: NDArray[np.bool_]
    identity: NDArray[np.uint64]

    def kept(self, height: int) -> NDArray[np.bool_]:
        """True for every row of the part but the dropped ones."""
        keep = np.ones(height, dtype=bool)
        keep[self.rows[self.dropped]] = False
        return keep


@dataclass(slots=True)
class LogInput:
    """All accepted and duplicate lines as parts, in the order of files and lines."""

    parts: list[Part]
    doubles: list[Doubles]
    rules: list[traces.TraceRules | None]
    files: list[FileCount]
    trouble: Trouble
    dictionaries: Dictionaries
    store: BlockStore
    _conflicts: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def blocks(self) -> Iterator[Callable[[], tuple[Block, NDArray[np.bool_]]]]:
        """Loaders, one a part; each gives (block, keep): keep is False on duplicates."""
        for number in range(len(self.parts)):
            yield lambda number=number: self._load(number)  # type: ignore[misc]

    def _load(self, number: int) -> tuple[Block, NDArray[np.bool_]]:
        tally: Tally = Counter()
        block = self.parts[number].load(tally)
        doubles = self.doubles[number]
        with self._lock:
            self.trouble.tally.update(tally)
            if len(doubles.rows):
                self._conflicts.append(_fingerprints(block, doubles))
        rules = self.rules[number]
        return (rules.apply(block) if rules else block), doubles.kept(self.parts[number].rows)

    def ids(self, part: int, rows: list[int]) -> pl.DataFrame:
        """trace_id and span_id, as logged, of some rows of a part."""
        return self.parts[part].ids(rows)

    def folded(self) -> int:
        """Wrapper spans that only repeat the calls below them; known once the input is read."""
        return sum(int(rules.folded.sum()) for rules in self.rules if rules)

    def conflicting(self) -> int:
        """Duplicates that differ from the copy that was kept; known once all blocks were loaded."""
        if not self._conflicts:
            return 0
        identity, content, dropped = (np.concatenate(c) for c in zip(*self._conflicts, strict=True))
        frame = pl.DataFrame({"identity": identity, "content": content, "dropped": dropped})
        kept = frame.filter(~pl.col("dropped")).unique("identity").rename({"content": "kept"})
        both = frame.filter("dropped").join(kept, on="identity", how="inner")
        return both.filter(pl.col("content") != pl.col("kept")).height

    def close(self) -> None:
        self.store.cleanup()


def read_logs(
    discovery: Discovery,
    mapping: Mapping[str, str],
    advance: Advance,
    threads: int | None = None,
    *,
    store: BlockStore | None = None,
) -> LogInput:
    """Read every source once (Parquet: its ids), find duplicates and resolve traces.

    Raises:
        InputError: a file in which every line is bad, or a file that is no log at all.
    """
    reading = _Reading(mapping, advance, threads or os.cpu_count() or 1, store or BlockStore())
    reading.trouble.files.extend(discovery.problems)
    reading.read(discovery.sources)
    reading.store.close()
    parts: list[Part] = sorted(
        [*reading.store.parts, *reading.parquet], key=lambda p: int(p.file[0])
    )
    dropped, suspects = find_duplicates([p.identity for p in parts])
    for part, drop in zip(parts, dropped, strict=True):
        if drop.any():
            for index, count in Counter(part.file[drop].tolist()).items():
                reading.files[index].duplicates += count
    rules = _trace_rules(parts, dropped, linked=reading.has_parents)
    doubles = []
    for part, drop, suspect in zip(parts, dropped, suspects, strict=True):
        rows = np.flatnonzero(suspect)
        doubles.append(Doubles(rows, drop[rows], part.identity[rows]))
        # Eight bytes a line are much when there are very many; from here on few are needed.
        part.identity, part.file = part.identity[:0].copy(), part.file[:1].copy()
    return LogInput(
        parts, doubles, rules, reading.files, reading.trouble, reading.dictionaries, reading.store
    )


@dataclass(slots=True)
class _Job:
    """One file on its way through the pool."""

    number: int
    source: Source
    count: FileCount
    reader: ByteReader
    twin: FileCount | None = None
    first_refused: Quarantined | None = None
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of one chunk."""

    block: Block | None
    lines: int
    refused: list[Quarantined]
    tally: Tally


class _Reading:
    def __init__(
        self, mapping: Mapping[str, str], advance: Advance, threads: int, store: BlockStore
    ) -> None:
        self.mapping, self.advance, self.threads, self.store = mapping, advance, threads, store
        # One for all files: mostly they are of one kind, and what it learns changes no meaning.
        self.decoder = Decoder(mapping)
        self.dictionaries = Dictionaries()
        self.trouble = Trouble()
        self.files: list[FileCount] = []
        self.parquet: list[ParquetPart] = []
        self.has_parents = False

    def read(self, sources: Sequence[Source]) -> None:
        """Every source in order; the lines of all files go through one pool of threads."""
        for job, chunk, made in _in_order(self._decode, self._jobs(sources), self.threads):
            if chunk is None:
                self._finish(job)
                continue
            job.count.lines += made.lines
            job.count.quarantined += len(made.refused)
            for line in made.refused:
                self.trouble.quarantine(line)
                job.first_refused = job.first_refused or line
            self.trouble.tally.update(made.tally)
            if made.block is not None:
                parents = made.block.lines["parent_hash"]
                self.has_parents = self.has_parents or bool((parents != 0).any())
                self.store.add(made.block)
            self.advance(len(chunk.data) if job.source.packing == "plain" else 0)

    def _jobs(self, sources: Sequence[Source]) -> Iterator[tuple[_Job, Chunk | None]]:
        same_size = Counter(source.size for source in sources)
        seen: dict[str, FileCount] = {}
        for number, source in enumerate(sources):
            kind = source.kind if source.packing == "plain" else f"{source.kind}.{source.packing}"
            count = FileCount(source.name, kind, source.size)
            self.files.append(count)
            job = _Job(number, source, count, ByteReader(source))
            if same_size[source.size] > 1 and not source.is_stream:
                self._look_for_twin(job, seen)
            if source.kind == "jsonl" and not (job.twin or job.is_gone):
                for chunk in job.reader.chunks():
                    yield job, chunk
            yield job, None

    def _look_for_twin(self, job: _Job, seen: dict[str, FileCount]) -> None:
        try:
            job.count.sha256 = _sha256(job.source)
        except OSError as error:
            self._gone(job, error)
            return
        job.twin = seen.get(job.count.sha256)
        seen.setdefault(job.count.sha256, job.count)

    def _gone(self, job: _Job, error: OSError) -> None:
        job.is_gone, job.count.note = True, "not read"
        self.trouble.files.append(gone(job.source.name, error))

    def _decode(self, item: tuple[_Job, Chunk | None]) -> tuple[_Job, Chunk | None, _Made]:
        job, chunk = item
        tally: Tally = Counter()
        if chunk is None:
            return job, None, _Made(None, 0, [], tally)
        lines = split(chunk)
        if lines.invalid_utf8:
            tally["I013", ""] += lines.invalid_utf8
        self.decoder.learn(lines.texts)
        decoded = self.decoder.decode(lines.texts)
        for path, rows in decoded.odd_types.items():
            tally["I014", path] += rows
        refused = [
            _refusal(job.count.name, lines.numbers, lines.offsets, r) for r in decoded.rejected
        ]
        block = None
        if len(decoded.kept):
            position = (np.uint64(job.number) << np.uint64(FILE_SHIFT)) | (
                lines.numbers[decoded.kept].astype(np.uint64)
            )
            block = canonicalise(
                decoded.frame, position, self.dictionaries, tally, self.mapping, keep_ids=True
            )
        return job, chunk, _Made(block, len(lines.texts), refused, tally)

    def _finish(self, job: _Job) -> None:
        count = job.count
        if job.is_gone:
            return
        if job.twin is not None:
            self._repeat(count, job.twin)
        elif job.source.kind == "parquet":
            self.store.close()  # parts of lines and of Parquet stay in the order of the files
            self._parquet(job)
        else:
            count.sha256 = job.reader.sha256
            count.size = job.reader.bytes_read
            self.trouble.files.extend(job.reader.problems)
            self._judge(job)
            if job.source.packing != "plain":
                self.advance(count.size)

    def _repeat(self, count: FileCount, first: FileCount) -> None:
        count.lines, count.quarantined = first.lines, first.quarantined
        # What was refused there is refused here; the rest is there already.
        count.duplicates = first.lines - first.quarantined
        count.note = f"the same content as {first.name}"
        self.trouble.files.append(
            Diagnostic("I020", count.name, "the same content as an earlier file; counted once")
        )

    def _judge(self, job: _Job) -> None:
        count, first = job.count, job.first_refused
        if job.reader.is_binary:
            raise InputError(job.reader.problems)
        if not count.lines:
            if not job.reader.problems:
                self.trouble.files.append(Diagnostic("I004", count.name, "the file is empty"))
            count.note = "not read" if job.reader.problems else "empty"
        elif first is not None and count.quarantined == count.lines:
            raise InputError(
                [
                    Diagnostic(
                        "I019",
                        f"{count.name}:{first.line}",
                        f"none of its {count.lines:,} lines can be read; the first: {first.reason}",
                        "is it a log in JSON lines? `gonogo inspect` shows what is in it",
                    )
                ]
            )

    def _parquet(self, job: _Job) -> None:
        source, count = job.source, job.count
        assert source.path is not None
        try:
            metadata = pq.read_metadata(source.path)
            found = list(slices(source.path, self.mapping))
            own = {self.mapping[n].split(".")[0] for n in ("parent_span_id",) if n in self.mapping}
            has_parents = _has_values(metadata, _PARENT_COLUMNS | own)
        except (FileNotFoundError, PermissionError) as error:
            self._gone(job, error)
            return
        except UNSOUND as error:
            raise unsound(source.name, error) from None
        count.lines = metadata.num_rows
        if not count.lines:
            self.trouble.files.append(Diagnostic("I004", count.name, "the file has no rows"))
            return
        if found and not found[0].columns:
            columns = ", ".join(metadata.schema.to_arrow_schema().names[:12])
            raise InputError(
                [
                    Diagnostic(
                        "I021",
                        source.name,
                        f"no column that is known; it has {columns}",
                        "map its columns in [fields] of readiness.toml",
                    )
                ]
            )
        self.has_parents = self.has_parents or has_parents
        if not count.sha256 and source.size <= HASH_PARQUET_UP_TO:
            count.sha256 = _sha256(source)
        base = job.number << FILE_SHIFT
        for part in found:
            self.parquet.append(
                ParquetPart(
                    part.rows,
                    np.full(part.rows, job.number, dtype=FILE_NUMBER),
                    parquet_identity(part, self.mapping),
                    part,
                    self.dictionaries,
                    self.mapping,
                    base + part.offset + 1,
                )
            )
            self.advance(source.size * part.rows // max(count.lines, 1))


def _in_order(work: Callable[[T], R], items: Iterator[T], threads: int) -> Iterator[R]:
    """Results in the order of the items, at most `threads + 1` of them under way."""
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[R]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _refusal(
    name: str, numbers: NDArray[np.int64], offsets: NDArray[np.int64], rejected: Rejected
) -> Quarantined:
    at = rejected.index
    return Quarantined(name, int(numbers[at]), int(offsets[at]), rejected.code, rejected.reason)


def find_duplicates(
    identities: Sequence[NDArray[np.uint64]],
) -> tuple[list[NDArray[np.bool_]], list[NDArray[np.bool_]]]:
    """(dropped, suspect) masks, one a part: the first line of each identity stays."""
    nothing = [np.zeros(len(i), dtype=bool) for i in identities]
    if not identities:
        return [], []
    every = np.concatenate(identities)
    every.sort()
    repeated = np.unique(every[1:][(every[1:] == every[:-1]) & (every[1:] != 0)])
    del every
    if not len(repeated):
        return nothing, [n.copy() for n in nothing]
    # A bitmap of the low bits lets nearly every line pass without a search.
    mask = np.uint64(2**24 - 1)
    sieve = np.zeros(2**24, dtype=bool)
    sieve[repeated & mask] = True
    taken = np.zeros(len(repeated), dtype=bool)
    dropped, suspects = [], []
    for identity in identities:
        rows = np.flatnonzero(sieve[identity & mask])
        at = np.searchsorted(repeated, identity[rows])
        at = np.minimum(at, len(repeated) - 1)
        hit = repeated[at] == identity[rows]
        rows, at = rows[hit], at[hit]
        _, first = np.unique(at, return_index=True)
        is_first = np.zeros(len(rows), dtype=bool)
        is_first[first] = ~taken[at[first]]
        taken[at] = True
        drop = np.zeros(len(identity), dtype=bool)
        drop[rows[~is_first]] = True
        suspect = np.zeros(len(identity), dtype=bool)
        suspect[rows] = True
        dropped.append(drop)
        suspects.append(suspect)
    return dropped, suspects


def _fingerprints(block: Block, doubles: Doubles) -> tuple[NDArray[Any], ...]:
    suspects = np.zeros(block.lines.height, dtype=bool)
    suspects[doubles.rows] = True
    rows = block.lines.filter(pl.Series(suspects))
    children = np.zeros(len(suspects), dtype=np.uint64)
    frames = (block.retrievals, block.chunks, block.tool_calls, block.guardrails, block.actions)
    for seed, frame in enumerate(frames, start=1):
        own = suspects[frame["row"].to_numpy()]
        if own.any():
            mine = frame.filter(pl.Series(own))
            content = mix(mine.drop("row").hash_rows(seed=seed).to_numpy())
            np.add.at(children, mine["row"].to_numpy(), content)
    content = rows.hash_rows(seed=0).to_numpy() + children[suspects]
    return doubles.identity, content, doubles.dropped


def _trace_rules(
    parts: Sequence[Part], dropped: Sequence[NDArray[np.bool_]], *, linked: bool
) -> list[traces.TraceRules | None]:
    if not linked:
        return [None] * len(parts)
    scratch: Tally = Counter()
    links = [part.load(scratch).lines.select(traces.LINKS) for part in parts]
    return list(traces.resolve(links, dropped))


def _sha256(source: Source) -> str:
    import hashlib

    assert source.path is not None
    with source.path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _has_values(metadata: pq.FileMetaData, names: frozenset[str]) -> bool:
    """Whether a column of these names has a value, by the file's own statistics."""
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(row_group.num_columns):
            column = row_group.column(index)
            if column.path_in_schema.split(".")[0] in names:
                stats = column.statistics
                if (
                    stats is None
                    or not stats.has_null_count
                    or stats.null_count < row_group.num_rows
                ):
                    return True
    return False
