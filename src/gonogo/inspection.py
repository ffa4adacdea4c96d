"""What logs hold, without a verdict: their format, which fields are there, some of the rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gonogo.assemble import ingest_report, label, with_settings
from gonogo.config.model import Config
from gonogo.exports.inspection import InspectReport, ReadFormat, UnreadField
from gonogo.ingest.discover import discover
from gonogo.ingest.logs import LogInput, read_logs
from gonogo.ingest.mapped import astray
from gonogo.ingest.unread import unread_fields
from gonogo.pipeline import judge
from gonogo.privacy import Masker
from gonogo.progress import Silent
from gonogo.records import MISSING, NO, NO_TIME, YES, Block
from gonogo.request import Request, Run, resolve
from gonogo.rollup import engine
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.select import Calendar

_Loader = Callable[[], tuple[Block, NDArray[np.bool_]]]
_SHOWN: Final = ("duration_us", "ttft_us", "input_tokens", "output_tokens", "cost_nano_usd")


def inspect(request: Request) -> InspectReport:
    """What the logs hold, without judging them; ids are masked as in a report, file names are not:
    they are those that the user has just typed.

    Raises:
        InputError: the logs cannot be read.
    """
    run = resolve(request)
    masker = run.masker
    run = replace(run, masker=replace(masker, publish=(*masker.publish, "paths")))
    found = discover(request.logs)
    logs = read_logs(
        found,
        run.config.fields,
        Silent().advance,
        log_format=request.log_format,
        own=run.own_formats(),
    )
    try:
        mapper = Mapper((), run.selection, Calendar(run.zone), logs.dictionaries)
        nameless: list[int] = []
        blocks = (_noting(load_block, nameless) for load_block in logs.blocks())
        partial = engine.run(blocks, mapper, logs.ids, Silent().advance)
        report = ingest_report(logs, partial, run.masker)
        sample = _sample(logs, run.masker)
    finally:
        logs.close()
    lost = astray(found.sources, run.config.fields, request.log_format, run.own_formats())
    report = with_settings(report, lost)
    bare = Config(path=run.config.path)
    result = judge(
        Run(request, bare, run.zone, run.selection, run.label, run.masker), partial, report
    )
    fields = [
        (f.field, f"of {f.applicable:,} ({f.title})", f.present)
        for f in result.coverage
        if f.present
    ]
    told = [
        ReadFormat(f.name, f.title, tuple(f.fields.items()), f.lacks) for f in logs.formats.values()
    ]
    sources = found.sources
    unread = [
        UnreadField(u.format, u.name, u.present, u.records)
        for u in unread_fields(sources, run.config.fields, request.log_format, run.own_formats())
    ]
    own = tuple(run.config.fields.items())
    return InspectReport(result, fields, sample, told, unread, own, sum(nameless))


def _noting(load_block: _Loader, nameless: list[int]) -> _Loader:
    """The loader, which notes how many of the lines that it gives lack one of their two ids."""

    def load() -> tuple[Block, NDArray[np.bool_]]:
        block, keep = load_block()
        ids = block.lines.select(
            (pl.col("trace_hash") == 0) | (pl.col("span_hash") == 0)
        ).to_series()
        nameless.append(int(ids.sum()))
        return block, keep

    return load


def _sample(logs: LogInput, masker: Masker) -> pl.DataFrame:
    for load_block in logs.blocks():
        block, _ = load_block()
        head = block.lines.head(10)
        texts = {
            name: pl.Series(logs.dictionaries.dimensions[name].texts(), dtype=pl.String).gather(
                head[name]
            )
            for name in ("operation", "model", "release", "tenant_id")
        }
        shown = {
            name: pl.Series(
                [None if t is None else label(masker, name, t) for t in column], dtype=pl.String
            )
            for name, column in texts.items()
        }
        return pl.DataFrame(
            {
                "start": head["start_us"].replace(NO_TIME, None).cast(pl.Datetime("us")),
                **shown,
                "is_call": head["is_call"],
                "failed": head["failed"].replace_strict({NO: False, YES: True}, default=None),
                **{name: head[name].replace(MISSING, None) for name in _SHOWN},
            }
        )
    return pl.DataFrame()
