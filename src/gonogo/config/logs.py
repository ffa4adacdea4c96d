"""The section `[logs]`: how the logs of this project are read."""

from __future__ import annotations

from typing import Final

from gonogo.config.section import Section
from gonogo.config.tables import Key, TableSpec, read_rows

LOGS: Final = TableSpec(
    "logs",
    "how the logs are read",
    (
        Key(
            "mapping",
            "texts",
            "mapping files (docs/formats.md), relative to this file: one with [detect] reads the "
            "files that look so, one without reads every file; --log-format comes first",
            default=(),
        ),
    ),
)


def read_mappings(root: Section) -> tuple[str, ...]:
    """The mapping files that `[logs]` names."""
    rows = read_rows(root, LOGS)
    return tuple(rows[0]["mapping"]) if rows else ()
