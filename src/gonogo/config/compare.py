"""The section `[compare]`, and comparisons as they are written: `release=2026.47..2026.46`."""

from __future__ import annotations

from typing import Final

from gonogo.config.messages import did_you_mean, quoted
from gonogo.config.model import Compare, Contrast
from gonogo.config.section import Section
from gonogo.config.tables import Key, TableSpec, read_rows
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS, Severity

COMPARE: Final = TableSpec(
    "compare",
    "what is held against what, and what a regression does",
    (
        Key("baseline", "text", "readiness.json of the period before, or a folder holding one"),
        Key(
            "against",
            "texts",
            "parts of one log, such as release=2026.47..2026.46, or provider=acme for acme against "
            "all others",
        ),
        Key(
            "band",
            "ratio",
            "change of no practical importance: a share of the old value, for a rate of the bad "
            "share that its limit allows",
            default=Compare().band,
        ),
        Key(
            "regressions",
            "text",
            "what a figure that got worse does to the verdict",
            options=tuple(Severity),
            default=str(Compare().regressions),
        ),
    ),
)


def parse_contrast(text: str) -> Contrast | tuple[str, str]:
    """A comparison as it is written, or (what is wrong, what to write)."""
    name, equals, values = (part.strip() for part in text.partition("="))
    example = "write release=2026.47..2026.46, or provider=acme for acme against all others"
    if not equals or not name:
        return f"{quoted(text)} is not DIMENSION=NEW..OLD", example
    known = (*DIMENSIONS, *WIDE_DIMENSIONS)
    if name not in known:
        return f"{quoted(name)} is no dimension", did_you_mean(name, known)
    new, dots, old = (part.strip() for part in values.partition(".."))
    if not new or (dots and not old):
        return f"{quoted(text)} names only one side", example
    if new == old:
        return f"{quoted(text)} compares {quoted(new)} with itself", example
    return Contrast(name, new, old or None)


def read_compare(root: Section) -> Compare:
    """The `[compare]` table."""
    rows = read_rows(root, COMPARE)
    if not rows:
        return Compare()
    row = rows[0]
    contrasts: list[Contrast] = []
    for number, text in enumerate(row["against"] or ()):
        found = parse_contrast(text)
        if isinstance(found, Contrast):
            contrasts.append(found)
        else:
            root.problems.add((COMPARE.name, "against", number), "C060", *found)
    return Compare(
        band=row["band"],
        regressions=Severity(row["regressions"]),
        baseline=row["baseline"],
        against=tuple(contrasts),
    )
