"""Where each key of a TOML text stands: tomllib gives values, but no lines and columns.

The scanner walks a text that tomllib accepts and notes positions only; it never judges. On a
text that tomllib refuses it goes as far as it can, which is enough to name a key written twice.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

Path = tuple[str | int, ...]
"""Keys from the top of the document down; elements of an array count from 0."""

Position = tuple[int, int]
"""Line and column, both from 1; a column is one character."""

_BLANK: Final = re.compile(r"[ \t]*")
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")
_STRINGS: Final = (
    # At the end of a multi-line string up to two quotes may stand before the closing three.
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


@dataclass(slots=True)
class Block:
    """A section, or a key above the first of them: its first key and its lines, from 1.

    `last` is where its last value ends.
    """

    key: str
    is_pair: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions of keys and of their values, and the keys that are written twice.

    A table is found at its header, or at the first header or dotted key that implies it.
    `duplicates` holds the path, where it stood first and where it stands again.
    """

    keys: dict[Path, Position] = field(default_factory=dict)
    values: dict[Path, Position] = field(default_factory=dict)
    duplicates: list[tuple[Path, Position, Position]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)

    def at(self, path: Path, *, value: bool = False) -> Position:
        """Where `path` stands, or the nearest thing around it, or the top of the file."""
        if value and path in self.values:
            return self.values[path]
        while path:
            if path in self.keys:
                return self.keys[path]
            path = path[:-1]
        return (1, 1)


def scan(text: str) -> Positions:
    """Positions in a TOML text; line ends may be LF or CRLF."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    with suppress(_Stop, RecursionError):
        scanner.run()
    return scanner.found


class _Stop(Exception):  # noqa: N818 - not an error: the end of what can be understood
    """The text is not TOML from here on."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.index = 0
        self.found = Positions()
        self.line_starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.counts: dict[Path, int] = {}
        """array of tables -> how many of its headers were met"""
        self.defined: dict[Path, Position] = {}
        """what may be written once only: values and plain [headers]"""

    def run(self) -> None:
        base: Path = ()
        self.skip(_BLANK_LINES)
        while self.index < len(self.text):
            first = self.position(self.index)[0]
            if self.text[self.index] == "[":
                base = self.header()
                self.block(base, first, is_pair=False)
            else:
                path = self.pair(base)
                if not base:
                    self.block(path, first, is_pair=True)
            self.found.blocks[-1].last = self.position(self.index)[0]
            self.skip(_BLANK_LINES)

    def block(self, path: Path, first: int, *, is_pair: bool) -> None:
        self.found.blocks.append(Block(str(path[0]), is_pair, first, first))

    def position(self, index: int) -> Position:
        line = bisect_right(self.line_starts, index)
        return line, index - self.line_starts[line - 1] + 1

    def skip(self, pattern: re.Pattern[str]) -> str:
        """Step over what the pattern matches here; _Stop where it does not match at all."""
        match = pattern.match(self.text, self.index)
        if match is None:
            raise _Stop
        self.index = match.end()
        return match[0]

    def take(self, mark: str) -> bool:
        """Step over `mark` if it stands here."""
        here = self.text.startswith(mark, self.index)
        self.index += len(mark) if here else 0
        return here

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise _Stop

    def define(self, path: Path, position: Position) -> None:
        first = self.defined.setdefault(path, position)
        if first != position:
            self.found.duplicates.append((path, first, position))

    def header(self) -> Path:
        """`[a.b]` or `[[a.b]]`: the path that the keys below it belong to."""
        position = self.position(self.index)
        is_array = self.take("[[")
        if not is_array:
            self.expect("[")
        *outer, last = self.key()
        self.expect("]]" if is_array else "]")
        path: Path = ()
        for part in outer:
            path = (*path, part)
            self.found.keys.setdefault(path, position)
            if path in self.counts:  # a header below [[a]] belongs to the newest element of a
                path = (*path, self.counts[path] - 1)
        path = (*path, last)
        self.found.keys.setdefault(path, position)
        if is_array:
            number = self.counts.get(path, 0)
            self.counts[path] = number + 1
            path = (*path, number)
            self.found.keys[path] = position
        else:
            self.define(path, position)
        return path

    def key(self) -> list[str]:
        """A dotted key, its quoted parts decoded."""
        parts: list[str] = []
        while True:
            self.skip(_BLANK)
            if self.text.startswith(('"', "'"), self.index):
                raw = self.skip(_STRINGS[2] if self.text[self.index] == '"' else _STRINGS[3])
                try:
                    parts.append(str(tomllib.loads(f"key = {raw}")["key"]))
                except tomllib.TOMLDecodeError:
                    raise _Stop from None
            else:
                parts.append(self.skip(_BARE_KEY))
            self.skip(_BLANK)
            if not self.take("."):
                return parts

    def pair(self, base: Path) -> Path:
        """`key = value`: the path of the value."""
        self.skip(_BLANK)
        position = self.position(self.index)
        path = base
        for part in self.key():
            path = (*path, part)
            self.found.keys.setdefault(path, position)
        self.define(path, position)
        self.expect("=")
        self.skip(_BLANK)
        self.value(path)
        return path

    def value(self, path: Path) -> None:
        self.found.values.setdefault(path, self.position(self.index))
        if self.take("["):
            self.array(path)
        elif self.take("{"):
            self.inline_table(path)
        elif self.text.startswith(('"', "'"), self.index):
            for pattern in _STRINGS:
                match = pattern.match(self.text, self.index)
                if match is not None:
                    self.index = match.end()
                    return
            raise _Stop
        else:
            self.skip(_SCALAR)

    def array(self, path: Path) -> None:
        number = 0
        self.skip(_BLANK_LINES)
        while not self.take("]"):
            self.found.keys[(*path, number)] = self.position(self.index)
            self.value((*path, number))
            number += 1
            self.skip(_BLANK_LINES)
            self.take(",")
            self.skip(_BLANK_LINES)

    def inline_table(self, path: Path) -> None:
        self.skip(_BLANK_LINES)
        while not self.take("}"):
            self.pair(path)
            self.skip(_BLANK_LINES)
            self.take(",")
            self.skip(_BLANK_LINES)
