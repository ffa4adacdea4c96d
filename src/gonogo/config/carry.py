"""What `gonogo init` keeps of the configuration in use: all but `[slo]`, as it is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gonogo.config.positions import Block, scan

PROPOSED: Final = "slo"
"""The section that is proposed anew."""

_DRAFT: Final = re.compile(r"""#(?:\[|["\w.-]+\s*=)""")
"""A commented line that is ready to be used."""
_HEADER: Final = re.compile(r"#?\[\[?([\w-]+)[^=]*$")


@dataclass(frozen=True, slots=True)
class Kept:
    """Top-level lines and sections by their first key, each with the comments that belong to it."""

    settings: tuple[tuple[str, str], ...] = ()
    sections: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What was kept, as messages name it: `timezone`, `[fields]`."""
        sections = dict.fromkeys(f"[{key}]" for key, _ in self.sections)
        return (*dict.fromkeys(key for key, _ in self.settings), *sections)

    def section(self, key: str) -> str:
        """All that was kept of a section, with a line end; empty without any."""
        return "".join(f"{text}\n" for name, text in self.sections if name == key)


def read_kept(path: Path) -> Kept:
    """What is kept of a file that `load` has read."""
    return kept(path.read_bytes().decode("utf-8-sig"))


def kept(text: str) -> Kept:
    """What is kept of a configuration, of which `text` is sound TOML.

    Comments go with what they stand directly above, below or beside; those that stand alone, and
    commented sections, do not: they are drafts that `gonogo init` writes again.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    blocks = scan(text).blocks
    firsts = [_above(lines, block, before) for before, block in _pairs(blocks)]
    nexts = [*firsts, len(lines)][1:]
    settings: list[tuple[str, str]] = []
    sections: list[tuple[str, str]] = []
    for block, first, end in zip(blocks, firsts, nexts, strict=True):
        if block.key == PROPOSED:
            continue
        last = block.last if block.is_pair else _below(lines, block.last, end)
        told = (block.key, "\n".join(lines[first:last]))
        (settings if block.is_pair else sections).append(told)
    return Kept(tuple(settings), tuple(sections))


def _pairs(blocks: list[Block]) -> Iterator[tuple[int, Block]]:
    """Each block, and the line below the one before it, counted from 0."""
    before = 0
    for block in blocks:
        yield before, block
        before = block.last


def _above(lines: list[str], block: Block, before: int) -> int:
    """The first line of the comment that a block stands under, counted from 0."""
    first = block.first - 1
    while first > before and _is_comment(lines[first - 1]) and not _DRAFT.match(lines[first - 1]):
        first -= 1
    return first


def _below(lines: list[str], last: int, end: int) -> int:
    """The end of the comment directly below a block; drafts of other sections are left out."""
    below = last
    while below < end and _is_comment(lines[below]):
        below += 1
    if any(_DRAFT.match(line) and line[1] == "[" for line in lines[last:below]):
        below = last
        while _DRAFT.match(lines[below]) and lines[below][1] != "[":
            below += 1
    return below


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def with_kept(text: str, kept: Kept) -> str:
    """A generated text whose drafts give way to the sections that were kept; others are added."""
    out: list[str] = []
    told: set[str] = set()
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        found = _HEADER.match(lines[at])
        section = kept.section(found[1]) if found else ""
        if found is None or not section:
            out.append(lines[at])
            at += 1
            continue
        at = _after_draft(lines, at)
        while out and out[-1].startswith("# "):
            out.pop()
        if found[1] not in told:
            told.add(found[1])
            out += section.removesuffix("\n").split("\n")
    rest = dict.fromkeys(key for key, _ in kept.sections if key not in told)
    return "\n".join(out) + "".join(f"\n{kept.section(key)}" for key in rest)


def _after_draft(lines: list[str], at: int) -> int:
    at += 1
    while lines[at] and not lines[at].startswith("# ") and not _HEADER.match(lines[at]):
        at += 1
    return at


def settings_with_kept(drafts: tuple[tuple[str, str], ...], kept: Kept) -> Iterator[str]:
    """The top of the file: what was kept in place of its draft (key, lines), and what else was."""
    for key, draft in drafts:
        yield "\n".join(text for name, text in kept.settings if name == key) or draft
    known = {key for key, _ in drafts}
    yield from (text for key, text in kept.settings if key not in known)
