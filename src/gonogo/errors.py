"""All problems gonogo tells its user about.

    GonogoError
    ├── ConfigError          readiness.toml cannot be used (exit 2); holds every problem found
    ├── UsageError           the command line asks for something impossible (exit 2)
    ├── InputError           no usable logs (exit 4)
    └── ResultError          a saved result cannot be read: too old, too new, or not one (exit 2)

A `Diagnostic` is one problem: its code (see `gonogo explain`), where, what, why and what to try.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gonogo.conventions import EXIT_INPUT, EXIT_USAGE


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem; `where` is `file:line:column`, `file:line`, a dotted key or ""."""

    code: str
    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


@dataclass(eq=False)
class GonogoError(Exception):
    """Base of every error gonogo raises on purpose; carries one or more diagnostics."""

    diagnostics: Sequence[Diagnostic] = field(default_factory=tuple)
    exit_code = EXIT_USAGE

    def __post_init__(self) -> None:
        super().__init__(*self.diagnostics)

    def __str__(self) -> str:
        return "\n".join(str(d) for d in self.diagnostics)


class ConfigError(GonogoError):
    """The configuration cannot be used."""


class UsageError(GonogoError):
    """The command line asks for something that cannot be done."""


class InputError(GonogoError):
    """No usable logs were found."""

    exit_code = EXIT_INPUT


class ResultError(GonogoError):
    """A saved result or rollup cannot be read."""
