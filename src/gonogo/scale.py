"""The map step as functions, for engines that run it in many places: Spark, Dask, Ray, a pool.

    plan = scale.plan(["logs/"], "readiness.toml")
    packs  = each share of plan.shares through plan.read, in any place and order
    counts = the packs of each bucket, all of them together, through plan.count
    plan.save(scale.join(counts), "rollups")

A trace is in one bucket, so that duplicates are found and spans are put together wherever their
lines were read. The result is the one of `gonogo rollup` over all files at once, to the last
integer, whatever the number of shares and buckets.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from gonogo import __version__, adapters
from gonogo.entries import Entry, alone, entries_of, forget, keep, no_file_twice, no_pipe, prepare
from gonogo.errors import Diagnostic, InputError, UsageError
from gonogo.ingest.canonical import hash_seed, share_seed
from gonogo.ingest.discover import Discovery, Source, discover
from gonogo.ingest.logs import settle
from gonogo.ingest.parts import BlockStore
from gonogo.ingest.reader import Reading
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.ingest.shares import (
    REPORT,
    SHARE_BYTES,
    Pack,
    Share,
    ShareReport,
    cut,
    read,
    undeal,
)
from gonogo.measures import relabel
from gonogo.privacy import scrubbed
from gonogo.request import Request, Run, resolve
from gonogo.rollup import engine
from gonogo.rollup.costs import Pricing
from gonogo.rollup.objectives import counted
from gonogo.rollup.piece import Piece
from gonogo.rollup.piece import join as join_pieces
from gonogo.settings import mapper_of, settings_of
from gonogo.stored import Rolled

__all__ = ["Counts", "Pack", "Plan", "Share", "join", "plan"]

SHARES_A_BUCKET: Final = 2
"""Some 130 MB of lines of JSON or 65 MB of Parquet, which a worker counts within a gigabyte."""
MOST_BUCKETS: Final = 1024


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of some buckets; `join` puts them together."""

    piece: Piece
    reports: tuple[ShareReport, ...]
    duplicates: Counter[int]
    """by the number of the file"""
    tally: Counter[tuple[str, str]]
    orphans: int
    folded: int
    conflicts: int

    def packed(self) -> bytes:
        """As small as it can be sent; `unpacked` takes it from tasks of the same job only."""
        return bytes(pa.compress(pickle.dumps(self, protocol=5), codec="zstd", asbytes=True))

    @staticmethod
    def unpacked(data: bytes) -> Counts:
        """What `packed` gave."""
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            counts: Counts = pickle.load(stream)
        return counts


def join(counts: Iterable[Counts]) -> Counts:
    """The counts of all the buckets together."""
    every = list(counts)
    return Counts(
        join_pieces([c.piece for c in every]),
        tuple(report for c in every for report in c.reports),
        sum((c.duplicates for c in every), Counter()),
        sum((c.tally for c in every), Counter()),
        sum(c.orphans for c in every),
        sum(c.folded for c in every),
        sum(c.conflicts for c in every),
    )


@dataclass(frozen=True)
class Work:
    """What a task needs to know; it is sent to where the task runs, and holds no key of ids."""

    run: Run
    names: tuple[str, ...]
    buckets: int
    seed: int
    made_by: tuple[str, ...]
    checked_by: str

    def read(self, share: Share) -> list[Pack]:
        """The records of a share by bucket, and what was met, as a pack of its own."""
        wrong, path = self._begin(), share.source.path
        if path is not None and not path.exists():
            hint = "put the logs where all workers have the same path, and leave them there"
            wrong = Diagnostic("U054", share.source.name, "a worker does not find it", hint)
        if wrong is not None:
            report = ShareReport(
                share.file, share.number, FileCount(share.source.name, "", 0), errors=(wrong,)
            )
            packs: list[Pack] = []
        else:
            run = self.run
            form = run.request.log_format
            own = run.own_formats()
            packs, report = read(share, self.buckets, run.config.fields, form, run.checker(), own)
        told = pickle.dumps(report, protocol=5)
        return [*packs, Pack(share.file % self.buckets, REPORT, told)]

    def count(self, packs: Iterable[Pack]) -> Counts:
        """The counts of a bucket or more, from all packs that these have."""
        self._begin()
        run, store = self.run, BlockStore()
        reading = Reading(run.config.fields, lambda _: None, 1, store)
        reading.files = [FileCount(name, "", 0) for name in self.names]
        reports = []
        for pack in sorted(packs, key=lambda pack: (pack.bucket, pack.order)):
            if pack.order == REPORT:
                reports.append(pickle.loads(pack.data))
            else:
                reading.take(undeal(pack.data, reading.dictionaries))
        store.close()
        logs = settle(reading, list(store.parts))
        try:
            pricing = Pricing(run.config.prices, run.config.cost)
            mapper = mapper_of(run, logs.dictionaries, pricing)
            engine.add_all(logs.blocks(), mapper, lambda _: None, threads=1)
            return Counts(
                mapper.piece(logs.ids),
                tuple(reports),
                Counter({n: f.duplicates for n, f in enumerate(logs.files) if f.duplicates}),
                logs.trouble.tally,
                logs.orphans,
                logs.folded(),
                logs.conflicting(),
            )
        finally:
            logs.close()

    def _begin(self) -> Diagnostic | None:
        """Take part in the run; why that cannot be, if the place of the task is another one."""
        share_seed(self.seed)
        here = _versions()
        if here != self.made_by:
            what = f"a worker has {', '.join(here)}, and what started it {', '.join(self.made_by)}"
            return Diagnostic("U054", "", what, "give all of them the same environment")
        if _checked_by(self.run) != self.checked_by:
            what = "a worker does not find the JSON schemas of [[constraint]]"
            return Diagnostic("U054", "", what, "put them where all workers have the same path")
        return None


@dataclass(frozen=True)
class Plan:
    """An input cut into shares, and what is to be done with them."""

    name: str
    """of the entry that the counts become"""
    found: Discovery
    shares: tuple[Share, ...]
    copies: dict[int, int]
    """files with the content of an earlier one: they have no shares"""
    work: Work

    @property
    def buckets(self) -> int:
        return self.work.buckets

    @property
    def read(self) -> Callable[[Share], list[Pack]]:
        """Share -> packs; may be pickled, and holds no more than a task needs."""
        return self.work.read

    @property
    def count(self) -> Callable[[Iterable[Pack]], Counts]:
        """All packs of one bucket, or of several -> their counts; may be pickled."""
        return self.work.count

    def save(self, counts: Counts, folder: str | Path) -> Rolled:
        """Keep what was counted as one entry of a folder of rollups.

        Raises:
            InputError: a file cannot be read; nothing is kept.
            UsageError: the folder cannot be written, or has one of the files in another entry.
        """
        return self.roll_up(Path(folder), lambda: counts)

    def roll_up(self, folder: Path, counted: Callable[[], Counts]) -> Rolled:
        """The same, counting only if the files are not as they were when they were kept."""
        settings, rolled = settings_of(self.work.run), Rolled()
        prepare(folder)
        names = {source.name for source in self.found.sources}
        with alone(folder):
            entries = {entry.name: entry for entry in entries_of(folder)}
            no_file_twice(self.name, names, entries)
            old, digest = entries.get(self.name), _listing(self.found)
            if old and old.settings == settings and old.count.sha256 == digest:
                rolled.unchanged.append(self.name)
                return rolled
            counts = counted()
            files, trouble = self.told(counts)
            made = Entry(
                folder,
                _sum(self.name, digest, files),
                0,
                settings,
                trouble,
                counts.orphans,
                counts.folded,
                counts.conflicts,
                0,
                (old.folder.name,) if old else (),
                files=tuple(files),
            )
            partial = relabel(counts.piece.whole(), scrubbed)
            keep(folder, made, partial, np.empty(0, dtype=np.uint64))
            forget(old)
        rolled.made.append(self.name)
        rolled.files = len(files)
        return rolled

    def told(self, counts: Counts) -> tuple[list[FileCount], Trouble]:
        """What became of every file, and what was met in them."""
        errors = [d for report in counts.reports for d in report.errors]
        if errors:
            unique = sorted(set(errors), key=lambda d: (d.where, d.code, d.what))
            kind = UsageError if unique[0].code == "U054" else InputError
            raise kind(unique[:10])
        reading = Reading(self.work.run.config.fields, lambda _: None, 1, BlockStore())
        trouble = reading.trouble
        trouble.files.extend(self.found.problems)
        trouble.tally.update(counts.tally)
        by_file: dict[int, list[ShareReport]] = {}
        for report in sorted(counts.reports, key=lambda r: (r.file, r.number)):
            by_file.setdefault(report.file, []).append(report)
        files: list[FileCount] = []
        formats: dict[str, str] = {}
        for number, source in enumerate(self.found.sources):
            if number in self.copies:
                count = FileCount(source.name, source.kind, source.size)
                first = files[self.copies[number]]
                count.kind, count.sha256 = first.kind, first.sha256
                trouble.files.append(count.repeats(first))
            else:
                count = _whole(source, by_file.get(number, []), reading)
                count.duplicates = counts.duplicates[number]
                for name in (f for r in by_file.get(number, []) for f in r.formats):
                    formats.setdefault(name, source.name)
            files.append(count)
        own = {form.name: form for form in self.work.run.own_formats()}
        for name, where in formats.items():
            found = own.get(name) or adapters.choose(self.work.run.request.log_format or name)
            trouble.files.extend(
                Diagnostic(note.code, where, note.what, note.hint)
                for note in (found.notes if found else ())
            )
        return files, trouble


def plan(
    logs: Sequence[str],
    config: str | Path | None = None,
    *,
    buckets: int | None = None,
    share_bytes: dict[str, int] | None = None,
) -> Plan:
    """Look for the files and cut them into shares; nothing but sizes is read of most of them.

    `logs` are files, folders, globs, as the command line has them; `config` a readiness.toml,
    None for the default thresholds. Each bucket is counted in one place: there is one for every
    SHARES_A_BUCKET shares unless told.

    Raises:
        InputError: there are no such files.
        ConfigError, UsageError: the configuration or the logs cannot be used so.
    """
    path = None if config is None else Path(config)
    return of_run(resolve(Request(tuple(map(str, logs)), path)), buckets, share_bytes)


def of_run(run: Run, buckets: int | None = None, share_bytes: dict[str, int] | None = None) -> Plan:
    """The plan of a request that is resolved."""
    _refuse_objectives(run)
    found = discover(run.request.logs)
    no_pipe(found.sources)
    copies = _copies(found.sources)
    shares = [s for s in cut(found.sources, share_bytes or SHARE_BYTES) if s.file not in copies]
    path, form = run.request.config_path, run.request.log_format
    if form is not None:
        adapters.choose(form)
        form = str(Path(form).resolve()) if Path(form).is_file() else form
    sent = replace(
        run,
        masker=replace(run.masker, key=bytes(32)),
        request=replace(run.request, config_path=path and path.resolve(), log_format=form),
    )
    work = Work(
        sent,
        tuple(source.name for source in found.sources),
        buckets or min(-(-len(shares) // SHARES_A_BUCKET) or 1, MOST_BUCKETS),
        hash_seed(),
        _versions(),
        _checked_by(sent),
    )
    return Plan(" ".join(run.request.logs), found, tuple(shares), copies, work)


def _refuse_objectives(run: Run) -> None:
    """What is known only once all tasks have counted cannot be judged by what each counts."""
    for objective in run.config.objectives:
        what = None
        if objective.group_by is not None:
            what = f"{objective.id} is judged for each {objective.group_by}"
        elif counted(objective).spec.table == "traces":
            what = f"{objective.id} is judged by whole requests"
        if what is not None:
            hint = "roll up without --engine, or leave it out of the configuration of this run"
            raise UsageError([Diagnostic("U052", objective.defined_at or "", what, hint)])


def _versions() -> tuple[str, ...]:
    """Whatever decides how ids are hashed, lines are read and calls are priced."""
    return f"gonogo {__version__}", *(f"{n} {version(n)}" for n in ("polars", "genai-prices"))


def _checked_by(run: Run) -> str:
    checker = run.checker()
    return hashlib.sha256(checker.meaning().encode()).hexdigest() if checker else ""


def _copies(sources: Sequence[Source]) -> dict[int, int]:
    """Files that have the content of an earlier one, which only those of the same size may have."""
    sizes = Counter(source.size for source in sources)
    first: dict[str, int] = {}
    found = {}
    for number, source in enumerate(sources):
        if sizes[source.size] > 1 and source.path is not None:
            with source.path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
            if first.setdefault(digest, number) != number:
                found[number] = first[digest]
    return found


def _listing(found: Discovery) -> str:
    """Of names, sizes and times: what many machines hold is not read to see if it is the same."""
    told = [[s.name, s.size, s.path.stat().st_mtime_ns if s.path else 0] for s in found.sources]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _sum(name: str, digest: str, files: Sequence[FileCount]) -> FileCount:
    return FileCount(
        name,
        "files",
        sum(file.size for file in files),
        digest,
        sum(file.lines for file in files),
        sum(file.quarantined for file in files),
        sum(file.duplicates for file in files),
    )


def _whole(source: Source, reports: Sequence[ShareReport], reading: Reading) -> FileCount:
    """A file from what was met in its shares, whose lines are numbered from the file's first."""
    into, begun = reading.trouble, 0
    count = replace(reports[0].count, size=source.size)
    first: Quarantined | None = None
    for report in reports:
        if report is not reports[0]:
            count.lines += report.count.lines
            count.quarantined += report.count.quarantined
        into.add(_moved(report, begun))
        if first is None and report.first is not None:
            first = _at(report.first, begun, report.begin)
        begun += report.newlines
    if not reports[0].whole:
        count.sha256 = ""  # nobody has read all of it
        reading.judge(count, first, reports[0].keys)
    return count


def _moved(report: ShareReport, lines: int) -> Trouble:
    told = report.trouble
    return replace(
        told,
        quarantined=[_at(line, lines, report.begin) for line in told.quarantined],
        first={code: _at(line, lines, report.begin) for code, line in told.first.items()},
    )


def _at(line: Quarantined, lines: int, offset: int) -> Quarantined:
    return replace(line, line=line.line + lines, offset=line.offset + offset)
