"""Writes a site so that a reader never meets half of one.

The new site is built beside the old and swapped in by two renames. The marker file lists what
gonogo wrote, so that whatever else lives in the folder (a CNAME, a `.git`) survives the swap and
a folder that is not a site is never replaced.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from gonogo.errors import Diagnostic, UsageError

MARKER: Final = ".gonogo-site"
MAX_FILE_BYTES: Final = 100 * 10**6
MAX_SITE_BYTES: Final = 10**9
"""Limits of GitHub: 100 MB a file, 1 GB a Pages site (docs.github.com/en/pages)."""


def write(files: Mapping[str, bytes], out: Path, carried: Collection[str] = ()) -> None:
    """Write `files` (relative POSIX path -> content) as the whole site in the folder `out`.

    `carried` names folders of the site that stands there, which move into the new one as they are.

    Raises UsageError where `out` is something that gonogo did not write, where a limit of size is
    passed, or where the folder cannot be replaced; the old site is then as it was.
    """
    _check_paths(files)
    target = out.resolve()
    kept: dict[str, int] = {}
    for name in carried:
        kept |= _files(target, name)
    _check_sizes(files, sum(kept.values()))
    check_target(out)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.gonogo-new-{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        _fill(files, fresh, kept)
        _swap(fresh, target, out, carried)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write_one(content: bytes, path: Path) -> None:
    """Write one file so that nobody ever reads half of it; its folder is made where it is not.

    Raises UsageError where that cannot be done.
    """
    fresh = path.with_name(f".{path.name}.gonogo-new-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(content)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        hint = "name a file in a folder that gonogo may write"
        raise _refusal("U072", str(path), f"cannot be written ({error.strerror})", hint) from error


def _refusal(code: str, where: str, what: str, hint: str) -> UsageError:
    return UsageError((Diagnostic(code, where, what, hint),))


def _check_paths(files: Mapping[str, bytes]) -> None:
    for name in files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or not path.parts:
            raise ValueError(f"not a path inside the site: {name!r}")


def _files(target: Path, name: str) -> dict[str, int]:
    """Bytes of each file below a folder of the site, by its relative path."""
    found = {}
    for folder, _, names in os.walk(target / name):
        inside = Path(folder).relative_to(target).as_posix()
        for file in names:
            found[f"{inside}/{file}"] = os.stat(f"{folder}/{file}").st_size  # noqa: PTH116
    return found


def _check_sizes(files: Mapping[str, bytes], carried: int) -> None:
    for name, content in files.items():
        if len(content) > MAX_FILE_BYTES:
            raise _refusal(
                "U020",
                name,
                f"is {len(content) / 1e6:,.0f} MB, and a published file may have 100 MB",
                "show fewer values of a dimension (top) or a shorter period",
            )
    total = sum(len(content) for content in files.values()) + carried
    if total > MAX_SITE_BYTES:
        raise _refusal(
            "U021",
            "",
            f"the site would have {total / 1e9:,.2f} GB, and a published site may have 1 GB",
            "publish fewer periods (--keep), show fewer values of a dimension (top)",
        )


def check_target(out: Path) -> None:
    """Raise UsageError where `out` is something that gonogo did not write."""
    target = out.resolve()
    if target.exists() and not target.is_dir():
        raise _refusal("U022", str(out), "is a file", "name a folder that gonogo may write")
    if target.is_dir() and not (target / MARKER).is_file() and any(target.iterdir()):
        raise _refusal(
            "U023",
            str(out),
            f"holds files and is not a gonogo site (it has no {MARKER}), so it is left alone",
            f"name an empty or new folder, or put an empty file {MARKER} into this one "
            "to let gonogo add a site to it",
        )


def _fill(files: Mapping[str, bytes], folder: Path, kept: Collection[str]) -> None:
    folder.mkdir()
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    listing = "".join(f"{name}\n" for name in sorted({*files, *kept}))
    (folder / MARKER).write_text(listing, encoding="utf-8", newline="\n")


def written(out: Path) -> frozenset[str]:
    """Top-level entries of the site at `out` that gonogo wrote; none where there is no site."""
    try:
        lines = (out / MARKER).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return frozenset()
    return frozenset(PurePosixPath(name).parts[0] for name in lines if name)


def _staying(old: Path, carried: Collection[str]) -> list[Path]:
    """Top-level entries of the old site that are in the new one too: foreign ones and carried."""
    ours = written(old) | {MARKER}
    stays = (entry for entry in old.iterdir() if entry.name not in ours or entry.name in carried)
    return sorted(stays)


def _swap(fresh: Path, target: Path, out: Path, carried: Collection[str]) -> None:
    if not target.exists():
        fresh.rename(target)
        return
    old = target.with_name(f".{target.name}.gonogo-old-{os.getpid()}")
    moved: list[tuple[Path, Path]] = []
    try:
        target.rename(old)
        try:
            if (old / MARKER).is_file():
                for entry in _staying(old, carried):
                    place = fresh / entry.name
                    if not place.exists():
                        entry.rename(place)
                        moved.append((entry, place))
            fresh.rename(target)
        except BaseException:
            for entry, place in reversed(moved):
                place.rename(entry)
            old.rename(target)
            raise
    except OSError as error:
        raise _refusal(
            "U024",
            str(out),
            f"cannot be replaced ({error.strerror})",
            "where it is a mount point, name a folder inside of it",
        ) from error
    shutil.rmtree(old, ignore_errors=True)
