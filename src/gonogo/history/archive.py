"""The memory of published periods, beside the rollup in the state folder.

    state/periods/public/2026-W47/readiness.json    the edition that is published
                                  site.zip          its pages, byte for byte
                                  editions/1.json.gz  what an earlier edition said
                                  rollup/           its counts

Profiles are kept apart, so that a page with names in it never comes back into a public site.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gonogo.errors import Diagnostic, UsageError
from gonogo.history.entry import Entry, read

RESULT: Final = "readiness.json"
_PAGES: Final = "site.zip"
_EDITIONS: Final = "editions"
_ROLLUP: Final = "rollup"
_NAME: Final = re.compile(
    r"\d{4}-W\d\d|\d{4}-\d\d-\d\d(?:_\d{4}-\d\d-\d\d)?|\d{8}T\d{6}Z_\d{8}T\d{6}Z", re.ASCII
)
_MIDNIGHT: Final = (1980, 1, 1, 0, 0, 0)
"""The oldest time that a ZIP knows: the same pages give the same file."""


def is_period(name: str) -> bool:
    """Whether a folder of that name is one of a period (see gonogo.period.folder)."""
    return _NAME.fullmatch(name) is not None


class Archive:
    """The periods of one profile, by name."""

    def __init__(self, state: Path, profile: str) -> None:
        self._root = state / "periods" / profile

    def results(self) -> dict[str, bytes]:
        """The saved result of every period, by name; an unfinished one is not among them."""
        if not self._root.is_dir():
            return {}
        folders = sorted(f for f in self._root.iterdir() if is_period(f.name))
        whole = (f for f in folders if (f / RESULT).is_file() and (f / _PAGES).is_file())
        return {folder.name: (folder / RESULT).read_bytes() for folder in whole}

    def pages(self, name: str) -> dict[str, bytes]:
        """The pages of a period as they were published, by relative path.

        Raises:
            UsageError: the archive of the period is damaged.
        """
        path = self._root / name / _PAGES
        try:
            with zipfile.ZipFile(path) as archive:
                return {entry: archive.read(entry) for entry in archive.namelist()}
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            what = f"the pages of {name} cannot be read: {error}"
            hint = "remove the folder of that period, and build it again from its logs"
            raise UsageError((Diagnostic("U061", str(path), what, hint),)) from error

    def save(self, name: str, pages: Mapping[str, bytes]) -> None:
        """Keep the pages of a period, of which `readiness.json` is one.

        What an earlier edition said moves to the other editions; its rollup stays until it is
        written anew. The folder is replaced as a whole.

        Raises:
            UsageError: the state cannot be written.
        """
        place = self._root / name
        fresh = self._root / f".{name}.new-{os.getpid()}"
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            if place.is_dir():
                shutil.copytree(place, fresh)
                _put_away(fresh, read(pages[RESULT], name))
            fresh.mkdir(parents=True, exist_ok=True)
            (fresh / _PAGES).write_bytes(_zipped(pages))
            (fresh / RESULT).write_bytes(pages[RESULT])
            _replace(fresh, place)
        except OSError as error:
            raise _unwritable(place, error) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def result(self, name: str) -> Path:
        """Where the saved result of a period belongs."""
        return self._root / name / RESULT

    def rollup(self, name: str) -> Path:
        """Where the rollup of a period belongs."""
        return self._root / name / _ROLLUP


def _put_away(folder: Path, now: Entry | None) -> None:
    """What the edition said that stands in `folder`, if the one that comes now is a later one."""
    place = folder / RESULT
    content = place.read_bytes() if place.is_file() else b""
    before = read(content, folder.name)
    if before and now and len(before.editions) < len(now.editions):
        number = max(1, len(before.editions))
        (folder / _EDITIONS).mkdir(exist_ok=True)
        packed = gzip.compress(content, mtime=0)
        (folder / _EDITIONS / f"{number}.json.gz").write_bytes(packed)


def _unwritable(place: Path, error: OSError) -> UsageError:
    what = f"the state cannot be written ({error.strerror}), so the next run may not know of it"
    hint = "name a folder that can be written with --state"
    return UsageError((Diagnostic("U062", str(place), what, hint),))


def _zipped(pages: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(pages):
            info = zipfile.ZipInfo(name, _MIDNIGHT)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, pages[name])
    return out.getvalue()


def _replace(fresh: Path, place: Path) -> None:
    old = place.with_name(f".{place.name}.old-{os.getpid()}")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
