"""Comparisons as lines of text: the same in the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gonogo.conventions import ChangeWord
from gonogo.results import Comparison

_TOLD: Final = (ChangeWord.WORSE, ChangeWord.BETTER)
_MOST: Final = 6


def lines(comparison: Comparison) -> Iterator[tuple[ChangeWord | None, str]]:
    """(word, line): what got worse or better, then a count of the rest; notes first."""
    if comparison.refused:
        yield None, f"not compared: {comparison.refused}"
        return
    for note in comparison.notes[:_MOST]:
        yield None, note
    told = [c for c in comparison.changes if c.word in _TOLD]
    for change in told[:_MOST]:
        yield change.word, change.text
    rest = [c for c in comparison.changes if c not in told[:_MOST]]
    for word in ChangeWord:
        titles = [c.title for c in rest if c.word is word]
        if titles:
            shown = ", ".join(titles[:_MOST])
            more = f" and {len(titles) - _MOST} more" if len(titles) > _MOST else ""
            yield word, f"{word}: {shown}{more}"
