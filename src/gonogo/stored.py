"""Rollups kept file by file: logs are counted once, and verdicts are made from the counts.

A store is a folder with one entry a log file: its partial, the identities of its lines, and
`entry.json`, which says of what content and by which settings it was made. An entry appears whole,
by one rename, so that a killed run leaves nothing half-done; two runs take turns file by file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.config.model import Objective
from gonogo.conventions import ROLLUP_SCHEMA_VERSION
from gonogo.errors import Diagnostic, InputError, ResultError, UsageError
from gonogo.ingest.discover import Discovery, Source, discover
from gonogo.ingest.logs import read_logs
from gonogo.ingest.remote import RemotePath
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.measures import relabel
from gonogo.privacy import clean_label, scrubbed
from gonogo.rollup import engine, grouped, store
from gonogo.rollup.costs import Pricing
from gonogo.rollup.partial import Partial, merge
from gonogo.rollup.segments import expand, values_of
from gonogo.settings import PRICE_LIST, Settings, mapper_of, settings_of

try:
    import fcntl
except ImportError:  # where there is none, two runs at a time may count a line in two files twice
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from gonogo.progress import Progress
    from gonogo.request import Run

_META: Final = "entry.json"
_IDENTITIES: Final = "identities.parquet"
_UNFINISHED: Final = ".new-"
_STALE_SECONDS: Final = 86_400

Ints = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of logs as it was counted."""

    folder: Path
    count: FileCount
    mtime_ns: int
    settings: Settings
    trouble: Trouble
    orphans: int
    folded: int
    conflicts: int
    elsewhere: int
    """lines left out because another file of the store had them already"""
    replaces: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()
    """of each objective of the configuration, those that it may be judged for by itself"""
    files: tuple[FileCount, ...] = ()
    """what was counted together, where that is more than one file"""

    @property
    def name(self) -> str:
        return self.count.name

    def identities(self) -> Ints:
        """Of the lines with ids, sorted; of none where files were counted together."""
        if self.files:
            return np.empty(0, dtype=np.uint64)
        return pl.read_parquet(self.folder / _IDENTITIES)["id"].to_numpy()


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
    for source in found.sources:
        if source.is_stream:
            hint = "save it to a file first: a rollup is of a file"
            raise UsageError([Diagnostic("U050", source.name, "a pipe cannot be told again", hint)])
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
    """Everything in a store that belongs to the run's period, merged.

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
    partials, taken, trouble = [], [], Trouble()
    files: list[FileCount] = []
    for entry in entries:
        partial = store.load(entry.folder)
        if not _is_in_period(run, entry, partial):
            continue
        first = first_of.setdefault(entry.count.sha256, entry.count)
        files.extend(entry.files or (entry.count,))
        if first is not entry.count:
            trouble.files.append(entry.count.repeats(first))
            continue
        taken.append(entry)
        partials.append(partial)
        add(trouble, entry.trouble)
    trouble.files.extend(_overlaps(taken, partials))
    partial, objectives = grouped.numbered(
        merge(partials), run.config.objectives, _values(run, taken), named
    )
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


def _overlaps(entries: Sequence[Entry], partials: Sequence[Partial]) -> list[Diagnostic]:
    """Entries that do not know their lines, among whose times other entries have some too."""
    spans = [(p.first_us, p.last_us) for p in partials]
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
            part = output / f"{_UNFINISHED}{secrets.token_hex(8)}"
            try:
                shutil.copytree(entry.folder, part)
                part.rename(output / entry.folder.name)
            except OSError as error:
                raise _unwritable(output, error) from error
    return len(every)


def entries_of(folder: Path) -> list[Entry]:
    """The finished entries of a store by the name of their file, without those replaced since.

    Raises:
        ResultError: an entry is damaged or of another version.
    """
    if not folder.is_dir():
        return []
    paths = [p for p in sorted(folder.iterdir()) if not p.name.startswith(".")]
    found = [_entry(path) for path in paths if (path / _META).is_file()]
    gone = {name for entry in found for name in entry.replaces}
    return sorted((e for e in found if e.folder.name not in gone), key=lambda e: e.name)


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


def keep(folder: Path, entry: Entry, partial: Partial, identities: Ints) -> None:
    """Write an entry, which appears whole or not at all."""
    meta = {
        "schema_version": ROLLUP_SCHEMA_VERSION,
        "count": asdict(entry.count),
        "mtime_ns": entry.mtime_ns,
        "settings": entry.settings,
        "trouble": _told(entry.trouble),
        "orphans": entry.orphans,
        "folded": entry.folded,
        "conflicts": entry.conflicts,
        "elsewhere": entry.elsewhere,
        "replaces": list(entry.replaces),
        "values": entry.values,
        "files": [asdict(file) for file in entry.files],
    }
    part = folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        store.save(relabel(partial, scrubbed), part)
        pl.DataFrame({"id": identities}).write_parquet(part / _IDENTITIES, statistics=False)
        (part / _META).write_text(json.dumps(meta, sort_keys=True) + "\n")
        part.rename(folder / _folder_name(entry.name))
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise _unwritable(folder, error) from error


def no_file_twice(name: str, names: Collection[str], entries: Mapping[str, Entry]) -> None:
    for entry in entries.values():
        own = {file.name for file in entry.files} or {entry.name}
        both = sorted(own & set(names)) if entry.name != name else []
        if both:
            what = f"{both[0]} is in the entry '{clean_label(entry.name)}' of this folder already"
            hint = "roll it up with the same arguments as then, or into another folder with -o"
            raise UsageError([Diagnostic("U053", name, what, hint)])


def forget(entry: Entry | None) -> None:
    """Remove an entry that another one has replaced."""
    if entry:
        shutil.rmtree(entry.folder, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One run at a time: what one counts, the next one must see as counted."""
    with (folder / ".lock").open("w") as handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Names of tenants and of files are in it: it must not be committed by accident.
        (folder / ".gitignore").write_text("*\n")
        for left in folder.glob(f"{_UNFINISHED}*"):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> UsageError:
    what = error.strerror or "cannot be written"
    return UsageError(
        [Diagnostic("U012", str(folder), what, "choose another folder with -o, or make room")]
    )


def _folder_name(name: str) -> str:
    """A new name for each time a file is counted: an entry is never written over."""
    return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}-{secrets.token_hex(4)}"


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


def _is_in_period(run: Run, entry: Entry, partial: Partial) -> bool:
    start, end = run.selection.start, run.selection.end
    if start is None or end is None:
        return True
    first, last = partial.first_us, partial.last_us
    untimed = partial.counter("untimed_calls")
    if first is None or last is None:
        return False
    if last < start * 1_000_000 or first >= end * 1_000_000:
        return False
    if first >= start * 1_000_000 and last < end * 1_000_000 and not untimed:
        return True
    what = f"{entry.name} " + ("holds calls without a time" if untimed else "reaches past it")
    hint = "a rollup cannot be cut: give the logs themselves, or keep one file a day"
    raise ResultError([Diagnostic("R022", f"--period {run.request.period}", what, hint)])


def _told(trouble: Trouble) -> dict[str, Any]:
    return {
        "tally": [[*key, n] for key, n in sorted(trouble.tally.items())],
        "quarantined": [asdict(line) for line in trouble.quarantined],
        "reasons": dict(sorted(trouble.reasons.items())),
        "first": {code: asdict(line) for code, line in sorted(trouble.first.items())},
        "files": [asdict(problem) for problem in trouble.files],
    }


def _entry(folder: Path) -> Entry:
    try:
        meta = json.loads((folder / _META).read_text())
        version = meta["schema_version"]
        if version == ROLLUP_SCHEMA_VERSION:
            told = meta["trouble"]
            trouble = Trouble(
                Counter({(code, name): n for code, name, n in told["tally"]}),
                [Quarantined(**line) for line in told["quarantined"]],
                Counter(told["reasons"]),
                {code: Quarantined(**line) for code, line in told["first"].items()},
                [Diagnostic(**problem) for problem in told["files"]],
            )
            return Entry(
                folder,
                FileCount(**meta["count"]),
                meta["mtime_ns"],
                meta["settings"],
                trouble,
                meta["orphans"],
                meta["folded"],
                meta["conflicts"],
                meta["elsewhere"],
                tuple(meta["replaces"]),
                tuple(tuple(own) for own in meta.get("values", ())),
                files=tuple(FileCount(**file) for file in meta["files"]),
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"a damaged entry ({clean_label(str(error), 80)})"
        hint = "delete its folder and roll the file up again"
        raise ResultError([Diagnostic("R006", str(folder), what, hint)]) from error
    what = f"a rollup of version {version}; this one reads {ROLLUP_SCHEMA_VERSION}"
    raise ResultError([Diagnostic("R007", str(folder), what, "make it again from the logs")])


def add(into: Trouble, more: Trouble) -> None:
    """Tell in one what was met in two."""
    into.tally.update(more.tally)
    into.files.extend(more.files)
    for line in more.quarantined:
        into.quarantine(line)
    # Those beyond the limit are known by their number alone.
    for code, count in more.reasons.items():
        into.reasons[code] += count - sum(line.code == code for line in more.quarantined)
        into.first.setdefault(code, more.first[code])
