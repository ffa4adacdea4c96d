"""The engine without its command line: logs in, a partial and a result out, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from gonogo import pipeline
from gonogo.config.evidence import Gates
from gonogo.config.model import Config, Objective
from gonogo.conventions import INTERNAL
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import LogInput, read_logs
from gonogo.ingest.outputs import Checker
from gonogo.measures import Distributions, build_tables
from gonogo.progress import Silent
from gonogo.records import Dictionaries
from gonogo.results import ReadinessResult, Table
from gonogo.rollup import engine
from gonogo.rollup.costs import Pricing
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar, Selection
from gonogo.rollup.watched import Watched
from gonogo.stats.histogram import Histogram

Row = dict[str, Any]
BOUND = 0.0028
"""The largest relative error of a quantile that comes out of a histogram."""


@dataclass(frozen=True)
class Counted:
    """What one run of ingest and rollup gave."""

    logs: LogInput
    partial: Partial
    objectives: tuple[Objective, ...] = ()

    def config(self, config: Config) -> Config:
        """The configuration with the objectives that were counted."""
        return replace(config, objectives=self.objectives)

    @property
    def lines(self) -> int:
        return sum(file.lines for file in self.logs.files)

    @property
    def quarantined(self) -> int:
        return sum(file.quarantined for file in self.logs.files)

    @property
    def duplicates(self) -> int:
        return sum(file.duplicates for file in self.logs.files)


def count(
    paths: Iterable[Path | str],
    objectives: Sequence[Objective] = (),
    selection: Selection | None = None,
    timezone: str = "UTC",
    fields: dict[str, str] | None = None,
    pricing: Pricing | None = None,
    spread: Callable[[Sequence[Objective], Dictionaries], Sequence[Objective]] | None = None,
    gates: Gates | None = None,
) -> Counted:
    """The partial of some files, as the pipeline makes it; `fields` is the table of that name.

    `spread` may add objectives once the values of the logs are known.

    Without `pricing` a call costs what its log says, which is what most oracles reckon with.
    """
    found, gates = discover([str(path) for path in paths]), gates or Gates()
    checker = Checker(gates.constraints, Path()) if gates.constraints else None
    logs = read_logs(found, fields or {}, Silent().advance, checker=checker)
    try:
        calendar, watched = Calendar(ZoneInfo(timezone)), Watched.of(gates)
        chosen = selection or Selection()
        if spread is not None:
            objectives = spread(objectives, logs.dictionaries)
        mapper = Mapper(objectives, chosen, calendar, logs.dictionaries, pricing, watch=watched)
        partial = engine.run(logs.blocks(), mapper, logs.ids, Silent().advance)
    finally:
        logs.close()
    return Counted(logs, partial, tuple(objectives))


def tables(partial: Partial, config: Config | None = None) -> dict[str, Table]:
    """The tables of a partial, under their raw names; nothing folds into (other)."""
    config = config or Config(top=10**9)
    calendar = Calendar(ZoneInfo(config.timezone))
    return build_tables(partial, config, calendar, Distributions(partial))


def rows_of(table: Table, *keys: str) -> dict[tuple[Any, ...], Row]:
    """The rows of a table by the values of its key columns, which must be unique."""
    found = [
        dict(zip(table.data, values, strict=True))
        for values in zip(*table.data.values(), strict=True)
    ]
    keyed = {tuple(row.pop(key) for key in keys): row for row in found}
    assert len(keyed) == len(found), f"{table.id} repeats a key"
    return keyed


def histogram(
    partial: Partial, metrics: Iterable[str], dimension: str, value: Any, start: Any
) -> Histogram:
    """One histogram out of a partial's frames; `start` may be any hour or day with `...`."""
    wanted = pl.col("metric").is_in(list(metrics)) & (pl.col("dimension") == dimension)
    if dimension:
        wanted &= pl.col("value").eq_missing(pl.lit(value))
    if start is not ...:
        wanted &= pl.col("start").eq_missing(pl.lit(start))
    cells = partial.frames["histograms"].filter(wanted).group_by("bucket").agg(
        pl.col("count").sum()).sort("bucket")  # fmt: skip
    ends = partial.frames["extremes"].filter(wanted)
    low, high = ends["min"].min(), ends["max"].max()
    return Histogram(
        cells["bucket"].to_numpy(),
        cells["count"].to_numpy().astype(np.int64),
        None if low is None else int(low),  # type: ignore[arg-type]
        None if high is None else int(high),  # type: ignore[arg-type]
    )


def check(
    state: Path,
    *logs: Path | str,
    config: Path | None = None,
    where: Sequence[str] = (),
    period: str | None = None,
    log_format: str | None = None,
) -> ReadinessResult:
    """The result of `gonogo check` over some logs, names unmasked; notes go to `state`."""
    request = pipeline.Request(
        logs=tuple(str(path) for path in logs),
        config_path=config,
        where=tuple(where),
        period=period,
        profile=INTERNAL,
        state=state,
        log_format=log_format,
    )
    return pipeline.analyse(request, Silent())
