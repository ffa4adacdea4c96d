"""Reading one TOML table: every problem is noted with its place, and none stops the reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Any, Final

from gonogo.config.keys import KEY_SYNONYMS, SETTINGS
from gonogo.config.messages import did_you_mean, nearest, quoted
from gonogo.config.positions import Path, Position, Positions
from gonogo.errors import ConfigError, Diagnostic

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (str, "a text"),
    (int, "a whole number"),
    (Decimal, "a number"),
    (dict, "a table"),
    (list, "a list"),
    (date, "a date"),
    (time, "a time of day"),
)


def path_text(path: Path) -> str:
    """`exclude[0].from`, with quotes where TOML wants them: `slo."latency.p95".limit`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
            continue
        shown = part if _BARE.fullmatch(part) else f'"{quoted(part)[1:-1]}"'
        text += f".{shown}" if text else shown
    return text


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    """isinstance, but true and false are no whole numbers."""
    return bool in kinds if isinstance(value, bool) else isinstance(value, kinds)


def shown(value: Any) -> str:
    """A number or text for a message; Python refuses to write out numbers without end."""
    if isinstance(value, str):
        return quoted(value)
    return "the number" if isinstance(value, int) and abs(value) >= 10**18 else str(value)


def kind_of(value: Any) -> str:
    """What a TOML value is, in words."""
    return next(name for kind, name in _KINDS if _is(value, (kind,)))


@dataclass(slots=True)
class Problems:
    """Every problem of one file; `name` is how the file is called in messages."""

    name: str
    positions: Positions = field(default_factory=Positions)
    found: list[tuple[Position, Diagnostic]] = field(default_factory=list)

    def where(self, position: Position) -> str:
        return f"{self.name}:{position[0]}:{position[1]}"

    def add(self, path: Path, code: str, what: str, hint: str = "", *, value: bool = False) -> None:
        """Note a problem at a key, or with `value=True` at what is assigned to it."""
        text = f"{path_text(path)}: {what}" if path else what
        self.add_at(self.positions.at(path, value=value), code, text, hint)

    def add_at(self, position: Position, code: str, what: str, hint: str = "") -> None:
        self.found.append((position, Diagnostic(code, self.where(position), what, hint)))

    def raise_all(self) -> None:
        """Raise ConfigError with all problems in the order of the file, if there are any."""
        if self.found:
            ordered = sorted(self.found, key=lambda problem: problem[0])
            raise ConfigError(tuple(diagnostic for _, diagnostic in ordered))


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the file; the readers give None for what is absent or unusable."""

    problems: Problems
    path: Path
    table: dict[str, Any]

    def wrong(
        self, key: str, code: str, what: str, hint: str = "", *, at_key: bool = False
    ) -> None:
        """Note a problem with the value of `key`, or with the key itself."""
        self.problems.add((*self.path, key), code, what, hint, value=not at_key)

    def known(self, allowed: Sequence[str], required: Sequence[str] = ()) -> None:
        """Note keys that are not allowed, and required ones that are not there."""
        unknown = [key for key in self.table if key not in allowed]
        for key in unknown:
            self.wrong(key, "C005", "unknown key", self.key_hint(key, allowed), at_key=True)
        # A required key that is there under a misspelt name has been said above.
        meant = {nearest(key, allowed, KEY_SYNONYMS) for key in unknown}
        missing = [key for key in required if key not in self.table and key not in meant]
        if missing:
            what = f"{' and '.join(quoted(key) for key in missing)} must be written"
            example = ", ".join(f"{key} = …" for key in missing)
            self.problems.add(self.path, "C008", what, f"add {example}")

    def key_hint(self, key: str, allowed: Sequence[str]) -> str:
        if self.path and key in SETTINGS and nearest(key, allowed, KEY_SYNONYMS) is None:
            return f"write {key} above the first [section]"
        return did_you_mean(key, allowed, KEY_SYNONYMS)

    def expect(self, key: str, *kinds: type, name: str, hint: str = "") -> Any:
        """The value of `key` where it is one of `kinds`; None and a problem where it is not."""
        value = self.table.get(key)
        if value is None or _is(value, kinds):
            return value
        self.wrong(key, "C007", f"{kind_of(value)} stands where {name} is expected", hint)
        return None

    def text(self, key: str, *, may_be_empty: bool = False) -> str | None:
        """A text, its line ends and runs of blanks made one blank."""
        value = self.expect(key, str, name="a text", hint=f'write {key} = "…"')
        if value is None:
            return None
        stripped = " ".join(value.split())
        if _CONTROL.search(stripped):
            what = f"{quoted(stripped)} holds a control character"
            self.wrong(key, "C009", what, "take it out")
            return None
        if not stripped and not may_be_empty:
            self.wrong(key, "C009", "the text is empty", "fill it in, or leave the line out")
            return None
        return stripped

    def integer(self, key: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        value: int | None = self.expect(key, int, name="a whole number")
        if value is not None and not low <= value <= high:
            hint = f"write a whole number from {low} to {high}"
            self.wrong(key, "C026", f"{shown(value)} is out of range", hint)
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """true or false."""
        value: bool | None = self.expect(key, bool, name="true or false")
        return value

    def choice(self, key: str, options: Iterable[str], code: str) -> str | None:
        """One of a few words."""
        value, known = self.text(key), list(options)
        if value is not None and value not in known:
            self.wrong(key, code, f"{quoted(value)} is not known", did_you_mean(value, known))
            return None
        return value
