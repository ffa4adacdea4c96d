"""Counts of grouped objectives that outlive a run: under names, where a run has numbers.

A run knows all values of a dimension before it counts, and numbers its objectives. A kept partial
does not: the next file may hold other values. So there a segment is named by the place of its
objective in the configuration and by its value, and gets a number when all partials are together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from gonogo.config.model import Objective
from gonogo.conventions import UNKNOWN
from gonogo.rollup.partial import FRAMES, Partial
from gonogo.rollup.segments import MOST, spread

_SEPARATOR: Final = "\x1f"
_SCOPED: Final = ("histograms", "extremes")


def named(partial: Partial, expanded: Sequence[Objective]) -> Partial:
    """A partial of these objectives, numbered in their order, under names that last."""
    names: dict[str, str] = {}
    written = -1
    for number, objective in enumerate(expanded):
        written += objective.segment is None
        label = "" if objective.segment is None else f"{_SEPARATOR}{objective.segment.label}"
        names[str(number)] = f"{written}{label}"
    renamed = _renamed(partial, names)
    if renamed is not partial:
        renamed.frames.update({n: FRAMES[n].ordered(renamed.frames[n]) for n in _SCOPED})
    return renamed


def numbered(
    partial: Partial,
    objectives: Sequence[Objective],
    values: Sequence[Sequence[Collection[str]]],
    label: Callable[[str, str], str],
) -> tuple[Partial, tuple[Objective, ...]]:
    """A partial of named counts with the objectives that they are numbered by.

    `objectives` are those of the configuration, `values` what each of the partials held for each of
    them, and `label` (key, value) is how a value is shown: those that get one name are one segment.
    Histograms stay in the order that they were in.
    """
    every = [sorted(set().union(*held)) for held in values]
    expanded = _uncrowded(spread(objectives, every, label), values)
    number_of: dict[tuple[int, str | None], str] = {}
    written = -1
    for number, objective in enumerate(expanded):
        written += objective.segment is None
        own = None if objective.segment is None else objective.segment.label
        number_of[written, own] = str(number)
    numbers = {}
    for name in _names(partial):
        place, grouped, value = name.partition(_SEPARATOR)
        own = None
        if grouped:
            key = objectives[int(place)].group_by or ""
            own = UNKNOWN if value == UNKNOWN else label(key, value)
        # Left out: segments of too many values, and those that have an objective of their own.
        if (int(place), own) in number_of:
            numbers[name] = number_of[int(place), own]
    return _renamed(partial, numbers), expanded


def _uncrowded(
    expanded: Sequence[Objective], values: Sequence[Sequence[Collection[str]]]
) -> tuple[Objective, ...]:
    """Without segments that a partial did not count, since it held too many by another name."""
    found: list[Objective] = []
    written = -1
    for objective in expanded:
        written += objective.segment is None
        selected = any(key == objective.group_by for key, _ in objective.selector)
        most = max(map(len, values[written]), default=0) + (not selected)
        if most <= MOST:
            found.append(objective)
        elif objective.segment is None:
            found.append(replace(objective, segments=max(objective.segments, most)))
    return tuple(found)


def _names(partial: Partial) -> list[str]:
    return sorted(partial.frames["objectives"]["objective"].unique().to_list())


def _renamed(partial: Partial, names: Mapping[str, str]) -> Partial:
    """The counts under other names; those that get one name are added, others are left out."""
    if all(old == new for old, new in names.items()) and set(_names(partial)) <= set(names):
        return partial
    frames = dict(partial.frames)
    for frame in ("objectives", "blocks", *_SCOPED):
        column = "value" if frame in _SCOPED else "objective"
        own = pl.lit(True) if frame not in _SCOPED else pl.col("dimension") == "objective"
        rows = frames[frame]
        renamed = rows.filter(own & pl.col(column).is_in(list(names))).with_columns(
            pl.col(column).replace(names)
        )
        others = rows.filter(~own)
        # Only what has a new name can have become one row with another.
        spec = FRAMES[frame]
        summed = spec.ordered(spec.grouped([renamed.select(others.columns)]))
        frames[frame] = pl.concat([others, summed.select(others.columns)])
    return Partial(
        frames,
        partial.sessions,
        partial.users,
        partial.exemplars,
        partial.first_us,
        partial.last_us,
        partial.prompts,
    )
