"""What is over its limit in a stretch of time: the material of an incident report."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from gonogo import __version__, display, period
from gonogo.assemble import label
from gonogo.conventions import BIN_SECONDS, PUBLIC, Severity, Status
from gonogo.errors import Diagnostic, ResultError, UsageError
from gonogo.exports.json_out import load
from gonogo.measures import Distributions, objective_data
from gonogo.measures.clocks import FEW, HANDFUL, VERY_FAR, clocks
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
from gonogo.slo import ObjectiveData, wording
from gonogo.slo.measure import measure
from gonogo.stats.scan import LONGEST_GAP

DEFAULT_LAST: Final = "2h"
DEFAULT_REACH: Final = "24h"
ALL: Final = "all"
SMALL: Final = 256 << 20
"""Bytes of a log that is read whole where nothing else is said: that takes seconds."""
_LAST: Final = re.compile(r"\s*(\d{1,5})\s*(min|m|h|d)\s*")
_SECONDS: Final = {"min": 60, "m": 60, "h": 3600, "d": 86_400}
_HOUR: Final = 3600
_RESULT: Final = "readiness.json"
_SEVERITIES: Final = (Severity.BLOCKING, Severity.WARNING, Severity.INFORMATIONAL)


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

    Without --until the end is the newest record, and None where that is before --since.

    Raises:
        UsageError: a time cannot be read, or the window ends before it begins.
    """
    if last is not None and since is not None:
        what, hint = "--last and --since exclude each other", "give one of the two"
        raise UsageError([Diagnostic("U042", "--last", what, hint)])
    end = None if until is None else period.instant(until, zone, "--until")
    if since is not None:
        start: int | None = period.instant(since, zone, "--since")
    else:
        present = end if end is not None else None if newest is None else newest + 1
        start = None if present is None else present - seconds_of(last or DEFAULT_LAST)
    if start is not None and end is not None and end <= start:
        what, hint = "the window ends before it begins", "--until has to be later than --since"
        raise UsageError([Diagnostic("U042", "--since", what, hint)])
    if end is None and newest is not None and (start is None or start <= newest):
        end = newest + 1
    return start, end


def hardly_any(result: ReadinessResult) -> bool:
    """Whether so few records lie near the newest one that its clock may be wrong."""
    read = result.ingest
    return read.accepted - read.outside_period <= max(HANDFUL, FEW * read.accepted)


def without_strays(
    run: Run, partial: Partial, asked: Sequence[str | None]
) -> tuple[Run, int | None, str]:
    """The run without the few records that are dated far after all others.

    Returns (run, its newest record to the bin, what is said of the others); counted back from one
    of those, a window would hold nothing else. Left out are those over 30 days off, unless a time
    that was `asked` for is as late; nearer ones are only told.

    Raises:
        UsageError: a time cannot be read.
    """
    late = clocks(partial, None).late
    if late is None or any(
        period.instant(time, run.zone, "--since") > late.near for time in asked if time is not None
    ):
        return run, None, ""
    newest = late.near - late.gap + BIN_SECONDS - 1
    many = "1 call is" if late.calls == 1 else f"{display.count(late.calls)} calls are"
    far = f"{display.duration(late.gap * 10**6)}{'' if late.calls == 1 else ' or more'}"
    dated = f"{many} dated {display.time(late.edge, run.zone.key)}, {far} after all others"
    if late.gap <= VERY_FAR:
        until = f"{datetime.fromtimestamp(newest + 1, UTC):%Y-%m-%dT%H:%MZ}"
        return run, newest, f"{dated}. If that clock is wrong, say --until {until}."
    cleared = replace(run, selection=replace(run.selection, end=late.near))
    return cleared, newest, f"{dated}: left out, since that clock must be wrong."


def occurrence(
    run: Run,
    result: ReadinessResult,
    partial: Partial,
    bounds: tuple[int | None, int | None],
    like: Path | None,
    reach: str | None = None,
    warning: str = "",
) -> Incident:
    """The excursions of a result that overlap a window, against what is usual at those hours.

    `warning` is what must be read beside the rest; `reach` is repeated in the command.
    """
    start, end = bounds
    newest = result.period.last
    found = [e for e in result.excursions if _overlaps(e, start, end, newest)]
    judged = bounds if newest is not None else (None, None)  # without times all is one stretch
    standings = _standings(result, partial, run, judged, {e.objective for e in found})
    found = sorted(found, key=_first_first(found, result))
    usual, notes = _usual(run, like)
    objectives = {o.id: o for o in run.config.objectives}
    normals = {}
    for e in found:
        normal = _normal(e, result, usual, run.zone) or _rest(e, result)
        if normal is not None:
            good = normal.total - normal.bad
            share = wording.counted_share(objectives[e.objective], good, normal.total)
            normals[e.id] = normal.model_copy(update={"share": share})
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
        warnings=(warning,) if warning else (),
        notes=(*_cut_off(found, result, run), *notes, *result.notes),
        command=_command(run, bounds, like, reach),
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


def _command(
    run: Run, bounds: tuple[int | None, int | None], like: Path | None, reach: str | None
) -> str:
    """What makes this report again; of files the names alone are told."""
    request, words = run.request, ["gonogo incident LOGS"]
    options = [("-c", run.config.path), ("--period", request.period)]
    options += [
        ("--where", f"{name}={label(run.masker, name, text)}") for name, text in run.selection.where
    ]
    times = [None if t is None else f"{datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%M:%SZ}"
             for t in bounds]  # fmt: skip
    options += [
        ("--since", times[0]),
        ("--until", times[1]),
        ("--reach", reach),
        ("--like", None if like is None else like.name),
        ("--profile", None if request.profile == PUBLIC else request.profile),
        ("--log-format", None if request.log_format is None else Path(request.log_format).name),
        ("--sampling-rate", request.sampling_rate),
        ("--as-of", request.as_of),
    ]
    words += [f"{name} {shlex.quote(value)}" for name, value in options if value is not None]
    return " ".join(words)


def _overlaps(e: Excursion, start: int | None, end: int | None, newest: int | None) -> bool:
    until = e.end
    if e.ongoing and newest is not None and newest - until <= LONGEST_GAP:
        until = newest + 1  # too few calls since to say that it is over
    return (start is None or until > start) and (end is None or e.onset < end)


_Order = tuple[bool, int, float, int, int, str]


def _first_first(
    found: Sequence[Excursion], result: ReadinessResult
) -> Callable[[Excursion], _Order]:
    """What goes on before what has ended, what blocks before what warns, then the furthest over its
    limit; a segment behind the whole that holds it, where both are over: it is often the smallest
    that is furthest."""
    objectives = {o.id: o for o in result.objectives}

    def order(e: Excursion) -> _Order:
        own = objectives[e.objective]
        wholes = [
            w for w in found if w.ongoing == e.ongoing and _holds(objectives[w.objective], own)
        ]
        excess = min(_excess(one, objectives[one.objective]) for one in (e, *wholes))
        rank = _SEVERITIES.index(own.severity)
        return not e.ongoing, rank, -excess, len(own.selector), e.onset, e.id

    return order


def _holds(whole: ObjectiveResult, segment: ObjectiveResult) -> bool:
    """Whether all events of one objective are among those of another of its kind."""
    same = (whole.indicator, whole.statistic) == (segment.indicator, segment.statistic)
    return same and whole.selector.items() < segment.selector.items()


def _excess(e: Excursion, objective: ObjectiveResult) -> float:
    """How many times the allowed share was bad."""
    allowed = _allowed(objective)
    return e.bad / e.total / allowed if allowed else float("inf")


def _allowed(objective: ObjectiveResult) -> float:
    budget = objective.budget
    if budget is None or not objective.total:
        return 0.0
    return budget.allowed_num / budget.allowed_den / objective.total


def _standings(
    result: ReadinessResult,
    partial: Partial,
    run: Run,
    bounds: tuple[int | None, int | None],
    needed: set[str],
) -> tuple[Standing, ...]:
    """Counts of each objective inside the window; the one that uses most of its limit first.

    Those that have events there, and those that are `needed` by their ids.
    """
    judged = {o.id: o for o in result.objectives}
    found = []
    for data in objective_data(partial, run.config, Distributions(partial)):
        if data.objective.spec.kind == "projection":
            continue  # of a month, not of a window
        standing = _standing(judged[data.objective.id], data, bounds)
        if standing.total or standing.objective.id in needed:
            found.append(standing)
    return tuple(sorted(found, key=lambda s: (-used(s), s.objective.id)))


def _standing(
    judged: ObjectiveResult, data: ObjectiveData, bounds: tuple[int | None, int | None]
) -> Standing:
    start, end = bounds
    inside = np.ones(len(data.bins), dtype=bool)
    if start is not None:
        inside &= data.bins + data.width > start
    if end is not None:
        inside &= data.bins < end
    whole = bounds == (None, None)  # a record without a time lies in no window
    here = replace(
        data,
        bins=data.bins[inside],
        good=data.good[inside],
        total=data.total[inside],
        sums=data.sums[inside],
        untimed_good=data.untimed_good if whole else 0,
        untimed_total=data.untimed_total if whole else 0,
        untimed_sum=data.untimed_sum if whole else 0,
        histogram=None,
    )
    objective, good, total = data.objective, here.good_count, here.count
    if not total:
        return Standing(objective=judged, bad=0, total=0)
    if objective.target is not None:
        seen = wording.seen(objective, good, total)
        return Standing(objective=judged, bad=total - good, total=total, seen=seen)
    measured = measure(here)
    return Standing(
        objective=judged,
        bad=0,
        total=total,
        seen=wording.seen_mean(objective, here.value_sum, total),
        observed=measured.observed,
        is_over=measured.beyond and judged.status is not Status.NO_DATA,
    )


def used(standing: Standing) -> float:
    """Share of what the limit allows that was bad in the window: over 1 it was missed there."""
    objective = standing.objective
    if not standing.total:
        return 0.0
    if standing.observed is not None:
        limit, value = float(Fraction(objective.limit)), standing.observed
        upper = objective.comparator in ("<=", "<")
        part, whole = (value, limit) if upper else (limit, value)
        return part / whole if whole else float("inf") if part else 0.0
    allowed = _allowed(objective)
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
    if here.slice_seconds is not None:
        return None  # a result keeps calls by the hour, and no slices
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
