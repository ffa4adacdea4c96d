"""What is over its limit in a stretch of time: the material of an incident report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gonogo import __version__, display, period
from gonogo.assemble import label
from gonogo.errors import Diagnostic, ResultError, UsageError
from gonogo.exports.json_out import load
from gonogo.request import DEFAULT_STATE, Run
from gonogo.results import (
    BlockSums,
    Excursion,
    Incident,
    Normal,
    ObjectiveResult,
    ReadinessResult,
    Standing,
)
from gonogo.rollup.partial import Partial

DEFAULT_LAST: Final = "2h"
DEFAULT_REACH: Final = "24h"
ALL: Final = "all"
SMALL: Final = 256 << 20
"""Bytes of a log that is read whole where nothing else is said: that takes seconds."""
_LAST: Final = re.compile(r"\s*(\d{1,5})\s*(min|m|h|d)\s*")
_SECONDS: Final = {"min": 60, "m": 60, "h": 3600, "d": 86_400}
_HOUR: Final = 3600
_RESULT: Final = "readiness.json"


def seconds_of(last: str, option: str = "--last") -> int:
    """Seconds of `2h`, `90m`, `1d`.

    Raises:
        UsageError: it is none of these.
    """
    match = _LAST.fullmatch(last)
    if match is None or not int(match[1]):
        what, hint = f"'{last}' is not a length of time", "write 2h, 90m or 1d"
        raise UsageError([Diagnostic("U042", option, what, hint)])
    return int(match[1]) * _SECONDS[match[2]]


def reach_seconds(reach: str | None, size: int) -> int | None:
    """How far before the window a log of so many bytes is read; None is all of it.

    Raises:
        UsageError: it is no length of time.
    """
    if reach is None:
        reach = ALL if size <= SMALL else DEFAULT_REACH
    return None if reach == ALL else seconds_of(reach, "--reach")


def nearby(
    run: Run,
    last: str | None,
    since: str | None,
    until: str | None,
    before: int | None,
    newest: int | None,
) -> Run:
    """The run confined to the window and `before` seconds before it, from a full hour on; the same
    where nothing says where that is, or a period was asked for. `newest` is the newest hour.

    Raises:
        UsageError: a length or a time cannot be read.
    """
    start, end = window(last, since, until, run.zone, newest)
    if before is None or start is None or run.selection.start is not None:
        return run
    confined = replace(run.selection, start=(start - before) // _HOUR * _HOUR)
    if until is not None:
        confined = replace(confined, end=end)
    return replace(run, selection=confined)


def window(
    last: str | None, since: str | None, until: str | None, zone: ZoneInfo, newest: int | None
) -> tuple[int | None, int | None]:
    """[start, end) in epoch seconds; --last counts back from the newest record.

    Raises:
        UsageError: a time cannot be read, or the window ends before it begins.
    """
    if last is not None and since is not None:
        what, hint = "--last and --since exclude each other", "give one of the two"
        raise UsageError([Diagnostic("U042", "--last", what, hint)])
    end = None if until is None else period.instant(until, zone)
    if since is not None:
        start: int | None = period.instant(since, zone)
    else:
        present = end if end is not None else None if newest is None else newest + 1
        start = None if present is None else present - seconds_of(last or DEFAULT_LAST)
    if end is None and newest is not None:
        end = newest + 1
    if start is not None and end is not None and end <= start:
        what, hint = "the window ends before it begins", "no record is as late as --since"
        raise UsageError([Diagnostic("U042", "--since", what, hint)])
    return start, end


def occurrence(
    run: Run,
    result: ReadinessResult,
    partial: Partial,
    bounds: tuple[int | None, int | None],
    like: Path | None,
) -> Incident:
    """The excursions of a result that overlap a window, against what is usual at those hours."""
    start, end = bounds
    found = [e for e in result.excursions if _overlaps(e, start, end)]
    standings = _standings(result, partial, run, start, end)
    found.sort(key=lambda e: (not e.ongoing, -_excess(e, result), e.onset, e.id))
    usual, notes = _usual(run, like)
    normals = {}
    for e in found:
        normal = _normal(e, result, usual, run.zone) or _rest(e, result)
        if normal is not None:
            normals[e.id] = normal
    return Incident(
        generator=f"gonogo {__version__}",
        profile=result.profile,
        title=result.site.title,
        trace_url=result.site.trace_url if result.profile == "internal" else None,
        timezone=result.period.timezone,
        as_of=result.period.last,
        start=start,
        end=end,
        default_thresholds=result.config.objectives_source == "default",
        excursions=tuple(found),
        normals=normals,
        standings=standings,
        ingest=result.ingest,
        notes=(*_cut_off(found, result, run), *notes, *result.notes),
        command=_command(run, start, end),
    )


def _cut_off(found: Sequence[Excursion], result: ReadinessResult, run: Run) -> list[str]:
    """Excursions that were there when reading began, if more of the log could be read."""
    border = run.selection.start
    if border is None or run.request.period:
        return []
    zone = result.period.timezone
    return [
        f"{e.title} was over its limit when reading began, {display.time(border, zone)}: its "
        "beginning may be earlier, and --reach all looks for it."
        for e in found
        if e.onset < border + _HOUR
    ]


def _command(run: Run, start: int | None, end: int | None) -> str:
    """What makes this report again; where the logs are is not told."""
    words = ["gonogo incident LOGS"]
    if run.config.path is not None:
        words.append(f"-c {run.config.path}")
    words += [
        f"--where {name}={label(run.masker, name, text)}" for name, text in run.selection.where
    ]
    for name, time in (("--since", start), ("--until", end)):
        if time is not None:
            words.append(f"{name} {datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}")
    return " ".join(words)


def _overlaps(e: Excursion, start: int | None, end: int | None) -> bool:
    return (start is None or e.end > start) and (end is None or e.onset < end)


def _excess(e: Excursion, result: ReadinessResult) -> float:
    """How many times the allowed share was bad."""
    objective = next(o for o in result.objectives if o.id == e.objective)
    allowed = _allowed(objective)
    return e.bad / e.total / allowed if allowed else float("inf")


def _allowed(objective: ObjectiveResult) -> float:
    budget = objective.budget
    if budget is None or not objective.total:
        return 0.0
    return budget.allowed_num / budget.allowed_den / objective.total


def _standings(
    result: ReadinessResult, partial: Partial, run: Run, start: int | None, end: int | None
) -> tuple[Standing, ...]:
    """Counts of each objective inside the window; the one that uses most of its limit first."""
    frame = partial.frames["objectives"].filter(pl.col("bin").is_not_null())
    if start is not None:
        frame = frame.filter(pl.col("bin") + 299 >= start)
    if end is not None:
        frame = frame.filter(pl.col("bin") < end)
    number = {o.id: str(i) for i, o in enumerate(run.config.objectives) if not o.sliced}
    found = []
    for objective in result.objectives:
        if objective.budget is None or objective.id not in number:
            continue
        rows = frame.filter(pl.col("objective") == number[objective.id])
        good, total = int(rows["good"].sum()), int(rows["total"].sum())
        if total:
            found.append(Standing(objective=objective, bad=total - good, total=total))
    return tuple(sorted(found, key=lambda s: (-used(s), s.objective.id)))


def used(standing: Standing) -> float:
    """Share of what the limit allows that was bad in the window: over 1 it was missed there."""
    allowed = _allowed(standing.objective)
    share = standing.bad / standing.total
    return share / allowed if allowed else float("inf") if share else 0.0


# --- what is usual --------------------------------------------------------------------------------


def _usual(run: Run, like: Path | None) -> tuple[ReadinessResult | None, list[str]]:
    """The result to take the usual from: --like, else the last one of the state."""
    path = like if like is not None else (run.request.state or Path(DEFAULT_STATE))
    file = path / _RESULT if path.is_dir() else path
    if not file.is_file():
        if like is None:
            return None, []
        what, hint = f"there is no {like}", "name a readiness.json, or a folder that holds one"
        raise UsageError([Diagnostic("U040", "--like", what, hint)])
    try:
        return load(file), []
    except ResultError as error:
        return None, [f"what is usual could not be read: {error.diagnostics[0].what}"]


def _normal(
    e: Excursion, result: ReadinessResult, usual: ReadinessResult | None, zone: ZoneInfo
) -> Normal | None:
    """The same hours of the day in another result, judged by the same threshold."""
    if usual is None:
        return None
    here = next(o for o in result.objectives if o.id == e.objective)
    there = next((o for o in usual.objectives if o.id == e.objective), None)
    sums = next((b for b in usual.blocks if b.objective == e.objective), None)
    if there is None or sums is None:
        return None
    if here.statistic != "rate" and (there.limit, there.comparator) != (
        here.limit, here.comparator,
    ):  # fmt: skip
        return None
    hours = {_hour(t, zone) for t in range(e.onset // _HOUR * _HOUR, e.end, _HOUR)}
    overlapping = range(e.onset - _HOUR + 1, e.end)
    bad, total = _summed(sums, hours, zone, overlapping)
    if not total:
        return None
    source = f"the same hours of the day in {usual.period.label}"
    return Normal(bad=bad, total=total, source=source)


def _hour(epoch: int, zone: ZoneInfo) -> int:
    return datetime.fromtimestamp(epoch, zone).hour


def _summed(
    sums: BlockSums, hours: set[int], zone: ZoneInfo, without: Sequence[int]
) -> tuple[int, int]:
    bad = total = 0
    for hour, good, events in zip(sums.hour, sums.good, sums.total, strict=True):
        if hour is not None and hour not in without and _hour(hour, zone) in hours:
            bad, total = bad + events - good, total + events
    return bad, total


def _rest(e: Excursion, result: ReadinessResult) -> Normal | None:
    """Without anything else: the rest of this log."""
    objective = next(o for o in result.objectives if o.id == e.objective)
    if objective.good is None or objective.total <= e.total:
        return None
    bad = objective.total - objective.good - e.bad
    return Normal(bad=bad, total=objective.total - e.total, source="the rest of this log")
