"""Texts within the size that a service takes, by one rule: whole lines, cut from the end.

What matters most stands first in every report (the verdict, its reasons, the worst objectives), so
the end is what can be missed. The cut is always said.
"""

from __future__ import annotations


def within(text: str, limit: int, note: str) -> str:
    """`text` in at most `limit` bytes of UTF-8; where lines are left out, `note` stands last."""
    if len(text.encode()) <= limit:
        return text
    ending = f"\n{note}\n"
    room = limit - len(ending.encode())
    kept = []
    for line in text.splitlines(keepends=True):
        room -= len(line.encode())
        if room < 0:
            break
        kept.append(line)
    return "".join(kept) + ending


def characters(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, the cut marked with an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
