"""What a log looks like, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from gonogo import display
from gonogo.results import ReadinessResult

_MOST_UNREAD: Final = 40


@dataclass(frozen=True)
class ReadFormat:
    """A foreign format that was met: where the fields of the native line come from in it."""

    name: str
    title: str
    fields: Sequence[tuple[str, str]]
    lacks: Sequence[str]


@dataclass(frozen=True)
class UnreadField:
    """A field in the records that nothing reads: `present` of `records` of a format have it."""

    format: str
    name: str
    present: int
    records: int


@dataclass(frozen=True)
class InspectReport:
    """What a log looks like: its files, its fields, some canonical rows."""

    result: ReadinessResult
    fields: Sequence[tuple[str, str, int]]
    sample: pl.DataFrame
    formats: Sequence[ReadFormat] = ()
    unread: Sequence[UnreadField] = ()
    own: Sequence[tuple[str, str]] = ()
    """`[fields]`: the field of gonogo and the path that stands for it"""
    nameless: int = 0
    """lines without a trace id or without a span id, by which duplicates are told"""

    def lines(self) -> Iterable[str]:
        ingest = self.result.ingest
        for file in ingest.files:
            yield f"{file.path}: {file.format}, {file.lines:,} lines, {file.quarantined:,} refused"
        yield ""
        yield (
            f"lines {ingest.lines:,} = accepted {ingest.accepted:,} + quarantined "
            f"{ingest.quarantined:,} + duplicates {ingest.duplicates:,}; calls {ingest.calls:,}"
        )
        if self.nameless:
            yield self._nameless()
        for told in self.formats:
            yield ""
            yield f"{told.name}: {told.title}"
            for name, place in told.fields:
                yield f"  {name:<24} <- {place}"
            for lack in told.lacks:
                yield f"  {'never there':<24}    {lack}"
        if self.own:
            yield ""
            yield "[fields] of the configuration"
        for name, place in self.own:
            yield f"  {name:<24} <- {place}"
        for problem in ingest.problems:
            if problem.code.startswith("I03"):
                yield ""
                yield f"note: {problem.what}" + (f"; {problem.hint}" if problem.hint else "")
        yield ""
        yield "field                      rows that carry it"
        thin = {f.field: f.hint for f in self.result.coverage if 2 * f.present < f.applicable}
        for name, title, present in self.fields:
            hint = f"; {thin[name]}" if name in thin else ""
            yield f"{name:<26} {present:>12,}  {title}{hint}"
        missing = [f for f in self.result.coverage if not f.present]
        for field in missing:
            yield f"{field.field:<26} {'missing':>12}  {field.hint}"
        yield from self._unread()
        yield ""
        with pl.Config(
            tbl_rows=10,
            tbl_cols=12,
            fmt_str_lengths=24,
            tbl_hide_dataframe_shape=True,
            tbl_formatting="ASCII_FULL_CONDENSED",
            tbl_width_chars=200,
        ):
            yield from str(self.sample).splitlines()

    def _nameless(self) -> str:
        accepted = self.result.ingest.accepted
        if self.nameless >= accepted:
            return "no ids: duplicates cannot be told (log trace_id and span_id)"
        return (
            f"no trace_id or no span_id on {self.nameless:,} of {accepted:,} lines: duplicates "
            "cannot be told among them"
        )

    def _unread(self) -> Iterable[str]:
        """Names alone: values may be anything."""
        if not self.unread:
            return
        yield ""
        yield "in the records, and not read (of the first records of each file)"
        for one in self.unread[:_MOST_UNREAD]:
            share = display.ratio(one.present, one.records)
            yield f"  {one.name:<50} {one.format:<12} {share} of {one.records:,}"
        if len(self.unread) > _MOST_UNREAD:
            yield f"  and {len(self.unread) - _MOST_UNREAD:,} more"
        yield (
            "map what matters in [fields] of readiness.toml (tenant_id = "
            '"its.name"), or in a mapping file: docs/formats.md'
        )
