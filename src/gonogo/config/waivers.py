"""A waiver of an objective: who accepts that it is missed, why, and until when."""

from __future__ import annotations

from typing import Final

from gonogo.config.model import Waiver
from gonogo.config.section import Section
from gonogo.config.tables import Key, TableSpec, read_table

WAIVER: Final = TableSpec(
    "waiver",
    "who accepts that it is missed, why, and until when; a condition in place of a NO-GO",
    (
        Key("owner", "text", "who accepts it; printed on the page", required=True),
        Key("reason", "text", "why; printed on the page", required=True),
        Key("expires", "date", "from when it is void", required=True),
    ),
)


def read_waiver(section: Section) -> Waiver | None:
    """`waiver = { owner, reason, expires }` of an objective; every one of the three is needed."""
    hint = 'write waiver = { owner = "…", reason = "…", expires = 2026-12-31 }'
    table = section.expect("waiver", dict, name="a table", hint=hint)
    if table is None:
        return None
    found = read_table(Section(section.problems, (*section.path, "waiver"), table), WAIVER)
    return Waiver(**found) if all(found.values()) else None
