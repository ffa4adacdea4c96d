"""Objectives with `group_by`, spread over the values that the logs hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
    objectives: Sequence[Objective],
    dictionaries: Dictionaries,
    label: Callable[[str, str], str],
    *,
    whole: bool = False,
) -> tuple[Objective, ...]:
    """The objectives, each that groups followed by one a value; `label` (key, text) names it.

    Values that get one name are one segment; those without a value are `(not logged)`. An objective
    that is written for a value itself stands in place of its segment, unless they are wanted
    `whole`. With more than `MOST` values there are none, and `Objective.segments` says how many
    there were.
    """
    return spread(objectives, [values_of(o, dictionaries) for o in objectives], label, whole=whole)


def values_of(objective: Objective, dictionaries: Dictionaries) -> list[str]:
    """The values that an objective may be judged for by itself, sorted; none without `group_by`."""
    key = objective.group_by
    if key is None:
        return []
    globs = [pattern for name, pattern in objective.selector if name == key]
    texts = filter(None, dictionary_of(key, dictionaries).texts())
    return sorted(t for t in texts if all(fnmatchcase(t, pattern) for pattern in globs))


def spread(
    objectives: Sequence[Objective],
    values: Sequence[Iterable[str]],
    label: Callable[[str, str], str],
    *,
    whole: bool = False,
) -> tuple[Objective, ...]:
    """As `expand`, of values that are known."""
    written = {objective.id for objective in objectives}
    found: list[Objective] = []
    for objective, texts in zip(objectives, values, strict=True):
        key = objective.group_by
        if key is None:
            found.append(objective)
            continue
        selected = any(name == key for name, _ in objective.selector)
        names: dict[str, list[str | None]] = {} if selected else {UNKNOWN: [None]}
        for text in texts:
            names.setdefault(label(key, text), []).append(text)
        found.append(replace(objective, segments=len(names)))
        if len(names) > MOST:
            continue
        for name, same in sorted(names.items()):
            made = of_segment(objective, Segment(key, name, tuple(same)))
            if whole or made.id not in written:
                found.append(made)
    return tuple(found)


def of_segment(objective: Objective, segment: Segment) -> Objective:
    """The objective for one segment, under its own id."""
    own = segment_id(objective, segment.label)
    limit = objective.expression.removeprefix(objective.id)
    return replace(objective, id=own, expression=f"{own}{limit}", segment=segment)
