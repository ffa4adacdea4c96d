"""One entry of a folder of rollups: the counts of a file of logs, and of what they were made.

It holds its partial, the identities of its lines, and `entry.json`, which says of what content and
by which settings it was made. It appears whole, by one rename, so that a killed run leaves nothing
half-done, and is never written over: a newer one replaces it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.conventions import ROLLUP_SCHEMA_VERSION
from gonogo.errors import Diagnostic, ResultError, UsageError
from gonogo.ingest.discover import Source
from gonogo.ingest.report import FileCount, Quarantined, Trouble
from gonogo.measures import relabel
from gonogo.privacy import clean_label, scrubbed
from gonogo.rollup import store
from gonogo.rollup.partial import Partial
from gonogo.settings import Settings

try:
    import fcntl
except ImportError:  # where there is none, two runs at a time may count a line in two files twice
    fcntl = None  # type: ignore[assignment]

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


def adopt(entry: Entry, folder: Path) -> None:
    """Copy an entry of another folder into this one, where it appears whole or not at all."""
    part = folder / f"{_UNFINISHED}{secrets.token_hex(8)}"
    try:
        shutil.copytree(entry.folder, part)
        part.rename(folder / entry.folder.name)
    except OSError as error:
        raise _unwritable(folder, error) from error


def no_pipe(sources: Iterable[Source]) -> None:
    """Refuse what can be read only once: whether it has changed since could not be told.

    Raises:
        UsageError: there is such a source.
    """
    for source in sources:
        if source.is_stream:
            hint = "save it to a file first: a rollup is of a file"
            raise UsageError([Diagnostic("U050", source.name, "a pipe cannot be told again", hint)])


def no_file_twice(name: str, names: Collection[str], entries: Mapping[str, Entry]) -> None:
    """Refuse to count files, as the entry `name`, that another entry holds already.

    Raises:
        UsageError: there is such a file.
    """
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
    """Make a folder for entries, or free an old one of what killed runs have left in it.

    Raises:
        UsageError: it cannot be written.
    """
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
