"""Reading files one after the other: what is in each, what is wrong with it, its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow.parquet as pq

from gonogo.adapters import Format, Options
from gonogo.errors import Diagnostic, InputError
from gonogo.ingest import foreign
from gonogo.ingest.beside import Readers
from gonogo.ingest.chunks import ByteReader, Chunk
from gonogo.ingest.containers import Batch
from gonogo.ingest.discover import Source
from gonogo.ingest.fields import LINE_FIELDS
from gonogo.ingest.making import Made, Maker, Portion
from gonogo.ingest.outputs import Checker
from gonogo.ingest.parquet import UNSOUND, gone, metadata_of, nothing_known, slices, unsound
from gonogo.ingest.parts import (
    FILE_SHIFT,
    BlockStore,
    ParquetPart,
    in_one_file,
    parquet_identity,
)
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.ingest.spill import UNPACKED
from gonogo.ingest.stretch import Stretch
from gonogo.parallel import in_order
from gonogo.records import Block

HASH_PARQUET_UP_TO: Final = 256 << 20
_HEAD_BYTES: Final = 4 << 20
"""More than the records that a format is told from."""
_PARENT_COLUMNS: Final = frozenset(
    p for f in LINE_FIELDS if f.name == "parent_span_id" for p in f.paths
)

Advance = Callable[[int], None]


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
    foreign: foreign.Foreign | None = None
    keys: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether progress is told by the bytes of its chunks."""
        packed = self.source.packing != "plain"
        return not packed and (self.foreign is None or self.foreign.container == "lines")


_Item = tuple[_Job, "Chunk | Batch | None"]


class Reading:
    """The reading of sources one after the other; what it met is in its attributes."""

    def __init__(
        self,
        mapping: Mapping[str, str],
        advance: Advance,
        threads: int,
        store: BlockStore,
        log_format: str | None = None,
        checker: Checker | None = None,
        own: Sequence[Format] = (),
        stretch: Stretch | None = None,
    ) -> None:
        self.checker = checker
        self.own = own
        self.options = Options(mapping, outputs=checker is not None)
        self.mapping, self.advance, self.threads, self.store = mapping, advance, threads, store
        self.log_format = log_format
        self.formats: dict[str, Format] = {}
        self.maker = Maker(mapping, checker, stretch)
        self.dictionaries = self.maker.dictionaries
        self.readers = Readers(self.maker, threads)
        self.trouble = Trouble()
        self.files: list[FileCount] = []
        self.parquet: list[ParquetPart] = []
        self.has_parents = False
        self.stretch = stretch
        self.far = 0
        self.last: _Job | None = None

    def read(self, sources: Sequence[Source]) -> None:
        """Every source in order; the lines of all files go through one pool of threads."""
        self.readers.expected = sum(_unpacked_size(source) for source in sources)
        for job, chunk, made in in_order(self._make, self._jobs(sources), self.readers.askers):
            if made is None:
                self._finish(job)
                continue
            job.count.lines += made.lines
            self.far += made.far
            job.count.quarantined += len(made.refused)
            for line in made.refused:
                self.trouble.quarantine(line)
                job.first_refused = job.first_refused or line
            self.trouble.tally.update(made.tally)
            for version, records in made.versions.items():
                self.trouble.strange_version(version, records)
            if made.block is not None:
                self.take(made.block)
            self.advance(len(chunk.data) if job.is_plain and isinstance(chunk, Chunk) else 0)

    def close(self) -> None:
        """End what was started to read with."""
        self.readers.close()

    def take(self, block: Block) -> None:
        """Keep the records of some lines."""
        parents, spans = block.lines["parent_hash"], block.lines["is_span"]
        self.has_parents = self.has_parents or bool((parents != 0).any() or spans.any())
        self.store.add(block)

    def _jobs(self, sources: Sequence[Source]) -> Iterator[_Item]:
        same_size = Counter(source.size for source in sources)
        seen: dict[str, FileCount] = {}
        for number, source in enumerate(sources):
            kind = source.kind if source.packing == "plain" else f"{source.kind}.{source.packing}"
            count = FileCount(source.name, kind, source.size)
            self.files.append(count)
            job = _Job(number, source, count, ByteReader(source))
            if same_size[source.size] > 1 and not source.is_stream:
                self._look_for_twin(job, seen)
            if not (job.twin or job.is_gone):
                yield from self._parquet_rows(job) if source.kind == "parquet" else self._text(job)
            yield job, None

    def _text(self, job: _Job) -> Iterator[_Item]:
        if job.source.span is not None and not self._is_cut(job):
            return
        head, chunks = foreign.first_piece(job.reader)
        if head is None:
            return
        if job.source.span is not None:
            if job.foreign is not None:
                self._is_foreign(job, job.foreign)
            yield from ((job, chunk) for chunk in chunks)
            return
        head, chunks = foreign.whole_document(head, chunks, job.source.name)
        sight = foreign.look(head.data, job.source.name, self.log_format, self.options, self.own)
        job.foreign, job.keys = sight.foreign, sight.keys
        if sight.foreign is None:
            yield from ((job, chunk) for chunk in chunks)
        elif sight.foreign.not_log is None:
            self._is_foreign(job, sight.foreign)
            pieces = sight.foreign.pieces(chunks, job.source.name)
            yield from ((job, piece) for piece in pieces)

    def _is_cut(self, job: _Job) -> bool:
        """Whether this share has lines: one that cannot be cut is read whole by its first share.

        What a file is, is told from its beginning, whichever share of it this is.
        """
        whole = replace(job.source, span=None)
        head, _ = foreign.first_piece(ByteReader(replace(whole, span=(0, _HEAD_BYTES))))
        if head is not None:
            sight = foreign.look(head.data, whole.name, self.log_format, self.options, self.own)
            found = sight.foreign
            if found is None or (found.container == "lines" and found.not_log is None):
                job.foreign, job.keys = found, sight.keys
                return True
        if job.source.span and job.source.span[0]:
            job.is_gone = True
            return False
        job.source, job.reader = whole, ByteReader(whole)
        return True

    def _parquet_rows(self, job: _Job) -> Iterator[_Item]:
        assert job.source.path is not None
        try:
            job.foreign = foreign.look_at_parquet(
                job.source.path, self.log_format, self.options, self.own
            )
            if job.foreign is not None:
                self._is_foreign(job, job.foreign)
                yield from ((job, rows) for rows in foreign.parquet_batches(job.source.path))
                job.count.sha256 = job.count.sha256 or _sha256(job.source)
        except (FileNotFoundError, PermissionError) as error:
            self._gone(job, error)
        except UNSOUND as error:
            raise unsound(job.source.name, error) from None

    def _is_foreign(self, job: _Job, found: foreign.Foreign) -> None:
        if found.format is None:
            return
        job.count.kind = f"{found.format.name} ({job.count.kind})"
        if found.format.name not in self.formats:
            self.formats[found.format.name] = found.format
            self.trouble.files.extend(
                Diagnostic(note.code, job.count.name, note.what, note.hint)
                for note in found.format.notes
            )

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

    def _make(self, item: _Item) -> tuple[_Job, Chunk | Batch | None, Made | None]:
        job, piece = item
        if piece is None:
            return job, None, None
        return (
            job,
            piece,
            self.readers.make(Portion(piece, job.count.name, job.number, job.foreign)),
        )

    def _finish(self, job: _Job) -> None:
        count, self.last = job.count, job
        if job.is_gone:
            return
        if job.twin is not None:
            self.trouble.files.append(count.repeats(job.twin))
        elif job.foreign is not None and job.foreign.not_log is not None:
            self._no_log(job, job.foreign.not_log.title)
        elif job.source.kind == "parquet" and job.foreign is None:
            self.store.close()  # parts of lines and of Parquet stay in the order of the files
            self._parquet(job)
        else:
            if job.source.kind == "jsonl":
                count.sha256 = job.reader.sha256
                count.size = job.reader.bytes_read
            self.trouble.files.extend(job.reader.problems)
            if job.source.span is None:  # else it is known when all shares were read
                self.judge(job.count, job.first_refused, job.keys, job.reader)
                self._about_rows(job)
            if not job.is_plain:
                self.advance(count.size)

    def _no_log(self, job: _Job, title: str) -> None:
        job.count.note = "not read"
        hint = "leave it out, or name its format with --log-format if it is a log after all"
        self.trouble.files.append(
            Diagnostic("I034", job.count.name, f"{title}, not a log; left out", hint)
        )

    def _about_rows(self, job: _Job) -> None:
        told = job.foreign.format if job.foreign else None
        note = told.about_rows(job.count.lines) if told and told.about_rows else None
        if note is not None:
            self.trouble.files.append(Diagnostic(note.code, job.count.name, note.what, note.hint))

    def judge(
        self,
        count: FileCount,
        first: Quarantined | None,
        keys: Sequence[str],
        reader: ByteReader | None = None,
    ) -> None:
        """Say what a file is that was read to its end.

        Raises:
            InputError: no log, or one of which no line can be read.
        """
        problems = reader.problems if reader else []
        if reader and reader.is_binary:
            raise InputError(problems)
        if not count.lines:
            if not problems:
                self.trouble.files.append(Diagnostic("I004", count.name, "the file is empty"))
            count.note = "not read" if problems else "empty"
        elif first is not None and count.quarantined == count.lines and first.code == "I010":
            raise InputError([foreign.unknown(count.name, keys, count.lines)])
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
            metadata = metadata_of(source.path)
            found = list(slices(source.path, self.mapping, timed=self.stretch is not None))
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
            raise nothing_known(source.name, metadata.schema.to_arrow_schema().names)
        self.has_parents = self.has_parents or has_parents
        if not count.sha256 and source.size <= HASH_PARQUET_UP_TO:
            count.sha256 = _sha256(source)
        base = job.number << FILE_SHIFT
        for part in found:
            self.advance(source.size * part.rows // max(count.lines, 1))
            if self.stretch and part.span and self.stretch.misses(*part.span):
                self.far += part.rows
                continue
            self.parquet.append(
                ParquetPart(
                    part.rows,
                    in_one_file(job.number, part.rows),
                    self.store.identities.keep(
                        parquet_identity(part, self.mapping, lasting=self.store.lasting)
                    ),
                    part,
                    self.dictionaries,
                    self.mapping,
                    base + part.offset + 1,
                    versions=part.read_versions(),
                    checker=self.checker,
                )
            )


def _unpacked_size(source: Source) -> int:
    """About how many bytes of text there are."""
    return source.size * (1 if source.packing == "plain" else UNPACKED) * (source.kind != "parquet")


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
