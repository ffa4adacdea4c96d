"""Objectives with `group_by`, spread over the values that the logs hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from gonogo.config.expressions import segment_id
from gonogo.config.model import Objective, Segment
from gonogo.conventions import UNKNOWN
from gonogo.records import Dictionaries, Dictionary

MOST: Final = 100
"""Values that one objective is judged for, each by itself."""


def dictionary_of(key: str, dictionaries: Dictionaries) -> Dictionary:
    """The texts of a selector key: a dimension, or what only a child table has."""
    children = {
        "name": dictionaries.guardrail,
        "stage": dictionaries.stage,
        "tool": dictionaries.tool,
        "index_version": dictionaries.index_version,
        "embedding_model": dictionaries.embedding_model,
    }
    return dictionaries.dimensions[key] if key in dictionaries.dimensions else children[key]


def expand(
    objectives: Sequence[Objective], dictionaries: Dictionaries, label: Callable[[str, str], str]
) -> tuple[Objective, ...]:
    """The objectives, each that groups followed by one a value; `label` (key, text) names it.

    Values that get one name are one segment; those without a value are `(not logged)`. An objective
    that is written for a value itself stands in place of its segment. With more than `MOST` values
    there are none, and `Objective.segments` says how many there were.
    """
    written = {objective.id for objective in objectives}
    found: list[Objective] = []
    for objective in objectives:
        key = objective.group_by
        if key is None:
            found.append(objective)
            continue
        globs = [pattern for name, pattern in objective.selector if name == key]
        names: dict[str, list[str | None]] = {} if globs else {UNKNOWN: [None]}
        for text in sorted(filter(None, dictionary_of(key, dictionaries).texts())):
            if all(fnmatchcase(text, pattern) for pattern in globs):
                names.setdefault(label(key, text), []).append(text)
        found.append(replace(objective, segments=len(names)))
        if len(names) > MOST:
            continue
        for name, values in sorted(names.items()):
            made = of_segment(objective, Segment(key, name, tuple(values)))
            if made.id not in written:
                found.append(made)
    return tuple(found)


def of_segment(objective: Objective, segment: Segment) -> Objective:
    """The objective for one segment, under its own id."""
    own = segment_id(objective, segment.label)
    limit = objective.expression.removeprefix(objective.id)
    return replace(objective, id=own, expression=f"{own}{limit}", segment=segment)
