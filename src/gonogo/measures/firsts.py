"""When releases and prompt versions came: what time charts are marked with."""

from __future__ import annotations

from typing import Final

from gonogo.measures import columns as c
from gonogo.results import Scalar, Table
from gonogo.rollup.investigate import first_times
from gonogo.rollup.partial import Partial

OLD: Final = 3600
"""Seconds from the first record: what is seen within them may be older than the log."""
_DIMENSIONS: Final = ("release", "prompt_version")


def first_seen(partial: Partial) -> dict[str, Table]:
    """The table `first_seen` by its name: releases and prompt versions whose first call is in the
    log, by the start of the 5-minute bin of that call; none where nothing came."""
    if partial.first_us is None:
        return {}
    beginning = partial.first_us // 1_000_000 + OLD
    found = sorted(
        (time, dimension, value)
        for (dimension, value), time in first_times(partial.frames).items()
        if dimension in _DIMENSIONS and time > beginning
    )
    if not found:
        return {}
    columns = (
        c.value("time", "first seen", "time"),
        c.value("dimension", "what", "text"),
        c.value("value", "value", "text"),
    )
    data: dict[str, list[Scalar]] = {
        column.key: [row[i] for row in found] for i, column in enumerate(columns)
    }
    table = Table(id="first_seen", title="First seen", columns=columns, data=data)
    return {table.id: table}
