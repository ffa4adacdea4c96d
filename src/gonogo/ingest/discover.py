"""From what the user named (files, folders, globs, `-`) to the files to read, in a fixed order."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gonogo.errors import Diagnostic, InputError
from gonogo.ingest.remote import RemotePath, expand, is_remote

Packing = Literal["plain", "gzip", "zstd"]
SUFFIXES: Final = (".jsonl", ".ndjson", ".json", ".log", ".parquet", ".pq")
PACKED_SUFFIXES: Final = (".gz", ".zst", ".zstd")
STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read; `name` is how it is called in reports."""

    path: Path | RemotePath | None
    name: str
    size: int
    kind: Literal["jsonl", "parquet"]
    packing: Packing
    is_stream: bool = False
    """a pipe, which can be read only once: stdin, or what `<(command)` names"""
    span: tuple[int, int] | None = None
    """bytes [start, end) of it: the lines, or the row groups, that begin there; None for all"""


@dataclass(frozen=True, slots=True)
class Discovery:
    """The files found, and what was met on the way (a file named twice, a file not readable)."""

    sources: tuple[Source, ...]
    problems: tuple[Diagnostic, ...]


def discover(arguments: Iterable[str]) -> Discovery:
    """Files for the arguments, each once, sorted by name within a folder or a glob.

    Raises:
        InputError: an argument matches no file, or what it names may not be read.
    """
    paths: list[Path | RemotePath] = []
    problems: list[Diagnostic] = []
    missing: list[Diagnostic] = []
    stdin = False
    for argument in arguments:
        if argument == STDIN:
            stdin = True
            continue
        closed: list[Diagnostic] = []
        if is_remote(argument):
            found: Sequence[Path | RemotePath] = expand(argument, is_log_name)
        else:
            found = _expand(argument, closed)
        missing.extend(closed or ([] if found else [_nothing(argument)]))
        paths.extend(found)
    if missing:
        raise InputError(missing)
    seen: dict[Path | RemotePath, None] = {}
    sources = []
    for path in paths:
        real = path.resolve()
        if real in seen:
            problems.append(Diagnostic("I020", str(path), "named twice; read once"))
            continue
        seen[real] = None
        source = _source(path, problems, missing)
        if source:
            sources.append(source)
    if missing:
        raise InputError(missing)
    if stdin:
        sources.append(Source(None, STDIN, 0, "jsonl", "plain", is_stream=True))
    return Discovery(tuple(sources), tuple(problems))


def _expand(argument: str, closed: list[Diagnostic]) -> Sequence[Path]:
    path = Path(argument)
    if path.is_dir():

        def refused(error: OSError) -> None:
            closed.append(_closed(str(error.filename)))

        walk = os.walk(path, onerror=refused)
        below = (Path(folder, name) for folder, _, names in walk for name in names)
        return sorted(p for p in below if p.is_file() and is_log_name(p.relative_to(path).parts))
    if path.exists() or path.is_symlink():
        return [path]
    if any(c in argument for c in "*?["):
        # Path.glob takes no absolute pattern.
        matches = (Path(p) for p in glob.glob(argument, recursive=True))  # noqa: PTH207
        return sorted(p for p in matches if p.is_file())
    return []


def is_log_name(parts: Sequence[str]) -> bool:
    """Whether a file of a folder is a log, by its path in it."""
    if any(part.startswith(".") for part in parts):
        return False
    name = parts[-1]
    for packed in PACKED_SUFFIXES:
        name = name.removesuffix(packed)
    return name.endswith(SUFFIXES)


def _nothing(argument: str) -> Diagnostic:
    path = Path(argument)
    if is_remote(argument) and not any(c in argument for c in "*?["):
        kinds = ", ".join(SUFFIXES)
        hint = "check the address, or name the files themselves if they are called otherwise"
        return Diagnostic("I001", argument, f"there is no log file below it ({kinds})", hint)
    if path.is_dir():
        kinds = ", ".join(SUFFIXES)
        return Diagnostic(
            "I001",
            argument,
            f"the folder holds no log file ({kinds}, .gz, .zst)",
            "name the files themselves if they are called otherwise",
        )
    if any(c in argument for c in "*?["):
        return Diagnostic(
            "I001",
            argument,
            "the pattern matches no file",
            "put it in quotes so that the shell leaves it alone, or check the folder",
        )
    return Diagnostic("I001", argument, "no such file or folder", _near(path))


def _near(path: Path) -> str:
    import difflib

    folder = path.parent
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean '{folder / close[0]}'?" if close else ""


def _closed(name: str) -> Diagnostic:
    """A verdict without it would not be the one that was asked for."""
    hint = "run as a user who may, change its mode, or leave it out"
    return Diagnostic("I003", name, "no permission to read it", hint)


def _source(
    path: Path | RemotePath, problems: list[Diagnostic], refused: list[Diagnostic]
) -> Source | None:
    try:
        facts = path.stat()
        if isinstance(facts, os.stat_result) and (
            stat.S_ISFIFO(facts.st_mode) or stat.S_ISCHR(facts.st_mode)
        ):
            return Source(path, str(path), 0, "jsonl", "plain", is_stream=True)
        with path.open("rb") as handle:
            head = handle.read(16)
    except PermissionError:
        refused.append(_closed(str(path)))
        return None
    except OSError as error:
        problems.append(
            Diagnostic("I002", str(path), f"cannot be opened: {os.strerror(error.errno or 0)}")
        )
        return None
    kind, packing = sniff(head)
    return Source(path, str(path), facts.st_size, kind, packing)


def sniff(head: bytes) -> tuple[Literal["jsonl", "parquet"], Packing]:
    """Format and packing from the first bytes; names may lie."""
    if head.startswith(b"PAR1"):
        return "parquet", "plain"
    if head.startswith(b"\x1f\x8b"):
        return "jsonl", "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "jsonl", "zstd"
    return "jsonl", "plain"
