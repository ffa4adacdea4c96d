"""Rollups kept file by file: logs are counted once, and verdicts are made from the counts.

A store is a folder with one entry a log file (see `gonogo.entries`). Two runs take turns file by
file, so that what one of them counts the other sees as counted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from gonogo.config.model import Objective
from gonogo.entries import (
    Entry,
    adopt,
    alone,
    entries_of,
    forget,
    keep,
    no_file_twice,
    no_pipe,
    prepare,
)
from gonogo.errors import Diagnostic, InputError, ResultError
from gonogo.ingest.discover import Discovery, Source, discover
from gonogo.ingest.logs import read_logs
from gonogo.ingest.remote import RemotePath
from gonogo.ingest.report import FileCount, Trouble
from gonogo.privacy import scrubbed
from gonogo.rollup import engine, grouped, store
from gonogo.rollup.costs import Pricing
from gonogo.rollup.partial import Partial
from gonogo.rollup.segments import expand, values_of
from gonogo.rollup.select import SETTLED
from gonogo.rollup.store import Kept
from gonogo.rollup.together import together
from gonogo.settings import PRICE_LIST, Settings, mapper_of, settings_of

if TYPE_CHECKING:
    from gonogo.progress import Progress
    from gonogo.request import Run


@dataclass(slots=True)
class Rolled:
    """What a run did to a store."""

    made: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    files: int = 0
    """in the entry that an engine made"""


@dataclass(slots=True)
class Stored:
    """What a store holds, summed; it reports like an input that was just read."""

    partial: Partial
    objectives: tuple[Objective, ...]
    """those of the configuration, the grouped ones spread over the values in the store"""
    files: list[FileCount]
    trouble: Trouble
    orphans: int
    _folded: int
    _conflicts: int

    def folded(self) -> int:
        return self._folded

    def conflicting(self) -> int:
        return self._conflicts


def roll_up(run: Run, folder: Path, progress: Progress) -> Rolled:
    """Count every file of the logs that the store does not hold yet as it is now.

    Raises:
        InputError: a file that cannot be read; the files before it are kept.
        UsageError: logs that are no files, or a store that cannot be written.
    """
    found = discover(run.request.logs)
    settings, rolled = settings_of(run), Rolled()
    no_pipe(found.sources)
    prepare(folder)
    progress.phase("Rolling up", sum(source.size for source in found.sources) or None)
    given = {source.name: source for source in found.sources}
    lost = False
    for source in found.sources:
        with alone(folder):
            entries = {entry.name: entry for entry in entries_of(folder)}
            no_file_twice(source.name, [source.name], entries)
            old = entries.get(source.name)
            if old and old.settings == settings and _is_same(source, old):
                rolled.unchanged.append(source.name)
                progress.advance(source.size)
            else:
                lost |= _make(run, source, settings, folder, entries, progress)
                rolled.made.append(source.name)
    for entry in entries_of(folder) if lost else ():
        # What it left out as copies of lines that are gone now has to be counted after all.
        if not entry.elsewhere or entry.name in rolled.made:
            continue
        if entry.name in given:
            with alone(folder):
                entries = {entry.name: entry for entry in entries_of(folder)}
                _make(run, given[entry.name], settings, folder, entries, progress)
            rolled.unchanged.remove(entry.name)
            rolled.made.append(entry.name)
        else:
            progress.note(
                f"{entry.name} left out lines that were in other files too, and some of those "
                "files have lost lines since: roll it up again with them"
            )
    for problem in found.problems:
        progress.note(str(problem))
    return rolled


def load(run: Run, folder: Path, named: Callable[[str, str], str]) -> Stored:
    """Everything in a store that belongs to the run's period; nothing else of it is read.

    `named` (column, text) is how a value of a dimension is shown.

    Raises:
        ResultError: the store is empty, was made by other settings, or cannot be cut at the period.
    """
    entries = entries_of(folder)
    if not entries:
        hint = "make them with gonogo rollup LOGS -o DIR"
        raise ResultError([Diagnostic("R020", str(folder), "holds no rollups", hint)])
    _same_settings(entries, settings_of(run))
    first_of: dict[str, FileCount] = {}
    parts, taken, trouble = [], [], Trouble()
    files: list[FileCount] = []
    is_settled = False
    for entry in entries:
        kept = store.describe(entry.folder)
        if not _is_in_period(run, entry, kept):
            is_settled |= _is_later(run, kept)
            continue
        first = first_of.setdefault(entry.count.sha256, entry.count)
        files.extend(entry.files or (entry.count,))
        if first is not entry.count:
            trouble.files.append(entry.count.repeats(first))
            continue
        taken.append(entry)
        parts.append(kept)
        trouble.add(entry.trouble)
    trouble.files.extend(_overlaps(taken, parts))
    whole = together(parts)
    if is_settled:
        told = pl.DataFrame({"name": ["later"], "count": [1]})
        whole.frames["counters"] = pl.concat([whole.frames["counters"], told])
    partial, objectives = grouped.numbered(whole, run.config.objectives, _values(run, taken), named)
    return Stored(
        partial,
        objectives,
        files,
        trouble,
        sum(entry.orphans for entry in taken),
        sum(entry.folded for entry in taken),
        sum(entry.conflicts for entry in taken),
    )


def _values(run: Run, entries: Sequence[Entry]) -> list[list[tuple[str, ...]]]:
    """What each of the entries holds for each objective."""
    number = len(run.config.objectives)
    held = [entry.values or ((),) * number for entry in entries]  # an older entry groups nothing
    return [[own[i] for own in held] for i in range(number)]


def _overlaps(entries: Sequence[Entry], parts: Sequence[Kept]) -> list[Diagnostic]:
    """Entries that do not know their lines, among whose times other entries have some too."""
    spans = [(part.first_us, part.last_us) for part in parts]
    found = []
    for number, entry in enumerate(entries):
        first, last = spans[number]
        others = (span for n, span in enumerate(spans) if n != number)
        if entry.files and any(
            first is None or last is None or a is None or b is None or (a <= last and first <= b)
            for a, b in others
        ):
            what = "another entry has lines of the same time: those in both are counted twice"
            found.append(Diagnostic("R025", entry.name, what, "roll them up together, or by day"))
    return found


def combine(folders: Sequence[Path], output: Path) -> int:
    """Put the entries of several stores into one; the number of entries it then holds.

    Raises:
        ResultError: a store is empty, the settings differ, or one file has two contents.
    """
    by_name: dict[str, Entry] = {}
    for folder in (*folders, output):
        entries = entries_of(folder)
        if not entries and folder != output:
            raise ResultError([Diagnostic("R020", str(folder), "holds no rollups")])
        for entry in entries:
            known = by_name.get(entry.name, entry)
            by_name[entry.name] = entry
            if known.count.sha256 != entry.count.sha256:
                what = f"two contents of {entry.name}: also in {known.folder.parent}"
                hint = "roll it up again from the file that holds"
                raise ResultError([Diagnostic("R023", str(folder), what, hint)])
    every = sorted(by_name.values(), key=lambda entry: entry.name)
    _same_settings(every, every[0].settings)
    _no_common_lines(every)
    prepare(output)
    for entry in every:
        if entry.folder.parent != output:
            adopt(entry, output)
    return len(every)


def _make(
    run: Run,
    source: Source,
    settings: Settings,
    folder: Path,
    entries: dict[str, Entry],
    progress: Progress,
) -> bool:
    """Count one file; whether lines that the store had of this file are no longer in it."""
    old = entries.get(source.name)
    known = [entry.identities() for name, entry in entries.items() if name != source.name]
    logs = read_logs(
        Discovery((source,), ()),
        run.config.fields,
        progress.advance,
        log_format=run.request.log_format,
        own=run.own_formats(),
        checker=run.checker(),
        elsewhere=np.unique(np.concatenate([np.empty(0, dtype=np.uint64), *known])),
    )
    try:
        pricing = Pricing(run.config.prices, run.config.cost)
        logs.learn({o.group_by for o in run.config.objectives if o.group_by})
        values = [
            sorted({scrubbed("", text) for text in values_of(o, logs.dictionaries)})
            for o in run.config.objectives
        ]
        objectives = expand(run.config.objectives, logs.dictionaries, scrubbed, whole=True)
        mapper = mapper_of(run, logs.dictionaries, pricing, objectives)
        partial = engine.run(logs.blocks(), mapper, logs.ids, lambda _: None)
        partial = grouped.named(partial, objectives)
        conflicts, folded = logs.conflicting(), logs.folded()
    finally:
        logs.close()
    count = logs.files[0]
    assert source.path is not None
    count.sha256 = count.sha256 or _sha256(source.path)
    lost = bool(old and len(np.setdiff1d(old.identities(), logs.identities)))
    made = Entry(
        folder,
        count,
        source.path.stat().st_mtime_ns,
        settings,
        logs.trouble,
        logs.orphans,
        folded,
        conflicts,
        logs.elsewhere,
        (old.folder.name,) if old else (),
        tuple(tuple(own) for own in values),
    )
    keep(folder, made, partial, logs.identities)
    forget(old)
    return lost


def _is_same(source: Source, entry: Entry) -> bool:
    assert source.path is not None
    if source.size != entry.count.size:
        return False
    if source.path.stat().st_mtime_ns == entry.mtime_ns:
        return True
    return _sha256(source.path) == entry.count.sha256


def _sha256(path: Path | RemotePath) -> str:
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        what = f"cannot be opened: {os.strerror(error.errno or 0)}"
        raise InputError([Diagnostic("I002", str(path), what)]) from error


def _same_settings(entries: Sequence[Entry], settings: Settings) -> None:
    problems = []
    for entry in entries:
        differing = [
            name
            for name in sorted({*settings, *entry.settings} - {PRICE_LIST})
            if settings.get(name) != entry.settings.get(name)
        ]
        if differing:
            what = f"{entry.name} was rolled up by other settings: {', '.join(differing)}"
            hint = "roll it up again from the logs, or give the configuration it was made with"
            problems.append(Diagnostic("R021", str(entry.folder.parent), what, hint))
    if problems:
        raise ResultError(problems[:10])


def _no_common_lines(entries: Sequence[Entry]) -> None:
    """Stores that were made apart do not know of each other's lines."""
    every = np.concatenate([entry.identities() for entry in entries])
    common = len(every) - len(np.unique(every))
    if common:
        what = f"{common:,} lines are in more than one of the stores"
        hint = "roll the files up into one store: it leaves out what it has already"
        raise ResultError([Diagnostic("R024", "", what, hint)])


def _is_later(run: Run, kept: Kept) -> bool:
    """Whether an entry outside the period shows that the period is over and settled."""
    end, last = run.selection.end, kept.last_us
    return end is not None and last is not None and last >= (end + SETTLED) * 1_000_000


def _is_in_period(run: Run, entry: Entry, kept: Kept) -> bool:
    start, end = run.selection.start, run.selection.end
    if start is None or end is None:
        return True
    first, last = kept.first_us, kept.last_us
    if first is None or last is None:
        return False
    if last < start * 1_000_000 or first >= end * 1_000_000:
        return False
    (counters,) = store.frames([kept], "counters")
    untimed = counters.filter(pl.col("name") == "untimed_calls")["count"].sum()
    if first >= start * 1_000_000 and last < end * 1_000_000 and not untimed:
        return True
    what = f"{entry.name} " + ("holds calls without a time" if untimed else "reaches past it")
    hint = "a rollup cannot be cut: give the logs themselves, or keep one file a day"
    raise ResultError([Diagnostic("R022", f"--period {run.request.period}", what, hint)])
