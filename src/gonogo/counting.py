"""Logs to counts: read once, counted for one period or for several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gonogo.assemble import ingest_report, label, with_settings
from gonogo.cost import dumps as price_dumps
from gonogo.details import looked_at
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import read_logs
from gonogo.ingest.mapped import astray
from gonogo.ingest.stretch import Stretch
from gonogo.ingest.unread import unread_fields
from gonogo.measures import field_coverage
from gonogo.publish import Memory
from gonogo.records import Block, Dictionaries
from gonogo.request import Run
from gonogo.results import Excursion, IngestReport
from gonogo.rollup import engine
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.segments import expand
from gonogo.settings import mapper_of

if TYPE_CHECKING:
    from gonogo.progress import Progress


_NEEDED: Final = ("timestamp", "model", "latency_ms", "status", "input_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run counted: all that it is judged by and remembered for."""

    run: Run
    """with its grouped objectives spread over the values that the logs hold"""
    memory: Memory
    report: IngestReport
    pricing: Pricing
    closer: dict[str, Excursion] = field(default_factory=dict)
    """the excursions that were looked into, by id"""


class _Each:
    """Several map steps over the same blocks."""

    def __init__(self, mappers: Sequence[Mapper]) -> None:
        self._mappers = mappers

    def add(self, block: Block, keep: NDArray[np.bool_], part: int) -> None:
        for mapper in self._mappers:
            mapper.add(block, keep, part)


def count(
    runs: Sequence[Run], progress: Progress, *, verdict_only: bool = False, only_near: bool = False
) -> list[Counted]:
    """The counts of each run, in their order; the runs differ in their periods alone.

    The logs are read, and each block of them loaded, once. For the verdict alone, excursions are
    not looked into. Lines far from the period are not even looked at for duplicates where
    `only_near` says so; then there is one run.

    Raises:
        InputError: the logs cannot be read.
    """
    first = runs[0]
    found = discover(first.request.logs)
    total = sum(source.size for source in found.sources)
    progress.phase("Reading logs", total or None)
    logs = read_logs(
        found,
        first.config.fields,
        progress.advance,
        log_format=first.request.log_format,
        own=first.own_formats(),
        checker=first.checker(),
        stretch=Stretch(first.selection.start, first.selection.end) if only_near else None,
    )
    try:
        logs.learn({o.group_by for o in first.config.objectives if o.group_by})
        runs = [_spread(run, logs.dictionaries) for run in runs]
        rows = max(sum(part.rows for part in logs.parts), 1)
        progress.phase("Counting", total or None)
        # What a price list is asked is part of what is remembered, so each run has its own.
        prices = [Pricing(run.config.prices, run.config.cost) for run in runs]
        mappers = [
            mapper_of(run, logs.dictionaries, own) for run, own in zip(runs, prices, strict=True)
        ]
        engine.add_all(
            logs.blocks(), _Each(mappers), lambda done: progress.advance(total * done // rows)
        )
        partials = [mapper.finish(logs.ids) for mapper in mappers]
        # Before blocks are loaded again: what is met in them is told once.
        how = (first.config.fields, first.request.log_format, first.own_formats())
        lost = astray(found.sources, *how)
        short = [_is_short(run, partial) for run, partial in zip(runs, partials, strict=True)]
        unread = len(unread_fields(found.sources, *how)) if any(short) else 0
        reports = [
            with_settings(
                ingest_report(logs, partial, run.masker, logs.far), lost, unread if lacks else 0
            )
            for run, partial, lacks in zip(runs, partials, short, strict=True)
        ]
        progress.phase("Judging", None)
        closer: list[dict[str, Excursion]] = [{} for _ in runs]
        if not verdict_only:
            closer = [
                looked_at(run, logs, mapper, partial, own)
                for run, mapper, partial, own in zip(runs, mappers, partials, prices, strict=True)
            ]
    finally:
        logs.close()
    return [
        # Before the levers ask for prices of models that the log does not hold.
        Counted(run, Memory(logs.trouble, partial, price_dumps(own.book), run), report, own, near)
        for run, partial, own, report, near in zip(
            runs, partials, prices, reports, closer, strict=True
        )
    ]


def _is_short(run: Run, partial: Partial) -> bool:
    """Whether no call carries one of the fields that a verdict hardly goes without."""
    return any(
        f.required and f.applicable and not f.present and f.field in _NEEDED
        for f in field_coverage(partial, run.config)
    )


def _spread(run: Run, dictionaries: Dictionaries) -> Run:
    """The run with its grouped objectives spread over the values that the logs hold."""
    found = expand(run.config.objectives, dictionaries, lambda *of: label(run.masker, *of))
    return replace(run, config=replace(run.config, objectives=found))
