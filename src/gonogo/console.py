"""What the commands print and write: data to stdout, messages to stderr, nothing unscrubbed."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from gonogo.errors import Diagnostic, GonogoError, UsageError

_NO_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)


def text(content: str) -> None:
    """Text for people, in whatever encoding their stdout has."""
    _emit(content.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace"))


def data(content: str) -> None:
    """Text for programs: always UTF-8."""
    _emit(content.encode("utf-8", "replace"))


def _emit(content: bytes) -> None:
    rest = memoryview(content)
    try:
        out = sys.stdout.buffer
        while rest:
            # Under PYTHONUNBUFFERED a pipe may take a part only.
            rest = rest[out.write(rest) or 0 :]
        out.flush()
    except BrokenPipeError:
        # The reader has gone (| head): the exit code is still the verdict's. Without a stdout,
        # Python would report the same error once more when it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width(is_terminal: bool) -> int:
    """Columns of stdout; a fixed number where it is not a terminal, so that logs compare."""
    import shutil

    fallback = 100
    if not is_terminal and "COLUMNS" not in os.environ:
        return fallback
    return max(40, shutil.get_terminal_size((fallback, 24)).columns)


def say(message: str) -> None:
    """One line to stderr."""
    from gonogo.privacy import printable_line

    _stderr(f"gonogo: {printable_line(message)}")


def _stderr(line: str) -> None:
    with suppress(OSError, ValueError):  # a closed stderr must not change the exit code
        click.echo(line, err=True)


def save(path: Path, content: str) -> None:
    """`content` as a file.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        what = error.strerror or "cannot be written"
        hint = "choose another path with -o"
        raise UsageError((Diagnostic("U012", str(path), what, hint),)) from error


def folder(path: Path) -> None:
    """The folder `path`, made where it is not there.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = error.strerror or "cannot be made"
        raise UsageError((Diagnostic("U012", str(path), what, "choose another folder"),)) from error


def no_place(error: OSError) -> UsageError | None:
    """A place that may not be written, or is full, as the user's to mend; None for other errors."""
    if error.filename is None or error.errno not in _NO_PLACE:
        return None
    what = f"cannot be written: {(error.strerror or 'refused').lower()}"
    hint = "choose another place, make room, or run as a user who may"
    return UsageError([Diagnostic("U012", str(error.filename), what, hint)])


def report(error: GonogoError) -> None:
    """Each diagnostic on a line that starts with its `file:line`, then how to read more."""
    from gonogo.privacy import printable_line

    for diagnostic in error.diagnostics:
        _stderr(printable_line(f"{diagnostic} [{diagnostic.code}]"))
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in error.diagnostics))
    for code in codes[:3]:
        say(f"gonogo explain {code} says more")


def internal(error: Exception, *, with_traceback: bool) -> None:
    """An error that is ours; where it happened only on request."""
    from gonogo.privacy import printable, printable_line

    # The text of an exception may quote a log line.
    say(f"internal error: {type(error).__name__}: {printable(str(error), 300)}")
    if with_traceback:
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            _stderr(printable_line(line))
    else:
        say("run again with --debug to see where; please report it with that text")
