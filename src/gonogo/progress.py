"""How far a run has come, on stderr: a bar on a terminal, plain lines in CI, silence on request."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Progress(Protocol):
    """What a use case tells about its progress; calls are cheap and never fail the run.

    The amounts are bytes where files are read, and may be rows in a later phase: what is shown is
    their share.
    """

    def phase(self, name: str, total_bytes: int | None) -> None:
        """A new phase begins; `total_bytes` is None where its length is not known."""

    def advance(self, done_bytes: int) -> None:
        """`done_bytes` more bytes of the phase are done."""

    def note(self, text: str) -> None:
        """Something worth saying that is no error; `text` may hold text from logs."""


class Silent:
    """Says nothing."""

    def phase(self, name: str, total_bytes: int | None) -> None: ...

    def advance(self, done_bytes: int) -> None: ...

    def note(self, text: str) -> None: ...


class Lines:
    """One line a phase and one for each quarter of it; for logs of CI systems."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._quarters = 0

    def phase(self, name: str, total_bytes: int | None) -> None:
        self._name, self._total, self._done, self._quarters = name, total_bytes, 0, 0
        self._say(name)

    def advance(self, done_bytes: int) -> None:
        self._done += done_bytes
        if not self._total:
            return
        quarters = min(4, 4 * self._done // self._total)
        if self._quarters < quarters < 4:
            self._say(f"{self._name}: {25 * quarters} %")
        self._quarters = max(quarters, self._quarters)

    def note(self, text: str) -> None:
        self._say(_safe(text))

    def _say(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a closed stderr is no reason to lose the result
            print(f"gonogo: {text}", file=self._stream, flush=True)


class Bar:
    """A bar that disappears when it is done; notes stay above it."""

    def __init__(self, bar: RichProgress) -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def phase(self, name: str, total_bytes: int | None) -> None:
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=total_bytes)

    def advance(self, done_bytes: int) -> None:
        if self._task is not None:
            self._bar.advance(self._task, done_bytes)

    def note(self, text: str) -> None:
        self._bar.console.print(f"gonogo: {_safe(text)}", markup=False, highlight=False)


@contextmanager
def open_progress(*, quiet: bool, stream: TextIO | None = None) -> Iterator[Progress]:
    """The progress that fits `stream` (stderr where None): nothing, a bar on a terminal, lines.

    A terminal that says that it is dumb cannot move its cursor back, and gets lines.
    """
    out = sys.stderr if stream is None else stream
    if quiet:
        yield Silent()
    elif not out.isatty() or os.environ.get("TERM") == "dumb":
        yield Lines(out)
    else:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        with RichProgress(*columns, console=Console(file=out), transient=True) as bar:
            yield Bar(bar)


def _safe(text: str) -> str:
    """Notes name files and values: no control characters, no commands to a CI runner."""
    from gonogo.privacy import printable_line

    return printable_line(text)
