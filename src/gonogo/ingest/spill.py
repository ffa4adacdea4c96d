"""What does not fit in memory goes into temporary files; whether there is room is asked before."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import IO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gonogo.errors import Diagnostic, InputError
from gonogo.ingest.discover import Source
from gonogo.ingest.parquet import UNSOUND, metadata_of
from gonogo.ingest.remote import RemotePath

MEMORY_BUDGET: Final = 160 << 20
"""Bytes that decoded lines may take in memory."""
IDENTITY_BUDGET: Final = 96 << 20
"""Bytes that the identities of lines may take in memory: those of twelve million."""
_LEAST_OF_TEXT: Final = 10
"""A decoded line takes some 420 bytes, whatever its prompts are: a third of a line of 1.2 kB, and
hardly ever less than a tenth."""
UNPACKED: Final = 10
"""Times that packed lines grow when they are unpacked, about."""


class Identity(Protocol):
    """Gives the identities of some lines."""

    def __call__(self) -> NDArray[np.uint64]: ...


class Identities:
    """The identities of all lines: in memory up to a budget, and in a file beyond it.

    The file has no name, so that nothing stays behind, however a run ends.
    """

    def __init__(self, budget: int | None = None) -> None:
        self._room = IDENTITY_BUDGET if budget is None else budget
        self._file: IO[bytes] | None = None
        self.spilled_bytes = 0

    def keep(self, identity: NDArray[np.uint64]) -> Identity:
        """Take the identities of some lines, one after the other; gives what gives them again.

        Raises:
            InputError: the disk for temporary files is full.
        """
        if identity.nbytes <= self._room:
            self._room -= identity.nbytes
            return lambda: identity
        with spilling():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="gonogo-")  # noqa: SIM115
            self._file.seek(self.spilled_bytes)
            self._file.write(identity.tobytes())
            self._file.flush()
        first = self.spilled_bytes
        self.spilled_bytes += identity.nbytes
        return partial(self._read, first, len(identity))

    def _read(self, first: int, lines: int) -> NDArray[np.uint64]:
        assert self._file is not None
        self._file.seek(first)
        return np.frombuffer(self._file.read(8 * lines), dtype=np.uint64)

    def close(self) -> None:
        """Give the file back, if there is one."""
        if self._file is not None:
            self._file.close()


@contextmanager
def spilling() -> Iterator[None]:
    """A disk that is full is told as what it is.

    Raises:
        InputError: there is no room left.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        what = "the disk is full, and what does not fit in memory was to go there"
        raise InputError([_no_room(what)]) from None


def ask_for_room(sources: Sequence[Source]) -> None:
    """Refuse to begin where temporary files cannot have the room that they will need at least.

    Raises:
        InputError: the disk is too full.
    """
    tables = [source for source in sources if source.kind == "parquet"]
    text = sum(
        source.size * (1 if source.packing == "plain" else UNPACKED)
        for source in sources
        if source.kind != "parquet"
    )
    rows = 0
    if sum(source.size for source in tables) > IDENTITY_BUDGET:  # else there is no need to look
        rows = sum(map(_rows, tables))
    needed = max(0, 8 * rows - IDENTITY_BUDGET) + max(0, text // _LEAST_OF_TEXT - MEMORY_BUDGET)
    if needed:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free < needed:
            what = f"at least {needed / 1e9:.1f} GB are needed there while the logs are read"
            raise InputError([_no_room(f"{what}, and {free / 1e9:.1f} GB are free")])


def _rows(source: Source) -> int:
    """Of a file on disk; of others, and of those that are not sound, nothing is said here."""
    if source.path is None or isinstance(source.path, RemotePath):
        return 0
    try:
        return int(metadata_of(source.path).num_rows)
    except UNSOUND:
        return 0


def _no_room(what: str) -> Diagnostic:
    hint = "make room, name another folder in the variable TMPDIR, or roll up a day at a time"
    return Diagnostic("I028", tempfile.gettempdir(), what, hint)
