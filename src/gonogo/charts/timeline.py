"""Time on charts: local wall clock, bins, gaps and tick values.

A chart's time axis is a UTC scale fed with local wall time, so that the picture does not depend on
the zone of the machine that renders it. Times here are *wall milliseconds*: epoch milliseconds of
the UTC instant that shows the same clock face as the declared zone does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gonogo.results import ReadinessResult, Table
from gonogo.vega.svg import PHONE

HOUR, DAY, WEEK = 3600, 86_400, 7 * 86_400
_WIDTHS = (HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, WEEK)
_MOST_HOURS = 400
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """Converts epoch seconds to the wall clock of one zone."""

    zone: str

    def wall(self, epoch: float) -> int:
        """Wall milliseconds of an instant."""
        zone = UTC if self.zone == "UTC" else ZoneInfo(self.zone)
        local = datetime.fromtimestamp(epoch, zone).replace(tzinfo=None)
        return round((local - _EPOCH) / timedelta(milliseconds=1))


def wall_second(epoch: int, zone: str) -> int:
    """Second on the wall clock of `zone`, as time axes count."""
    return Clock(zone).wall(epoch) // 1000


def wall_text(wall: int, hours: bool = True) -> str:
    """Wed 4 Mar, 10:00 of wall milliseconds; without names of the machine's locale."""
    at = _EPOCH + timedelta(milliseconds=wall)
    day = f"{DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"
    return f"{day}, {at:%H:%M}" if hours else day


def column(table: Table, key: str) -> list[Any]:
    """A stored column, or Nones where the table lacks it."""
    return table.data.get(key) or [None] * table.height


def counts(table: Table, key: str) -> list[int]:
    """A stored column of counts, absent ones as nothing."""
    return [n or 0 for n in column(table, key)]


@dataclass(frozen=True)
class Bin:
    """One wide bin: first epoch second, wall start and end in ms, two sums, complete or not."""

    epoch: int
    start: int
    end: int
    num: int
    den: int
    partial: bool


def floor(wall: int, width: int) -> int:
    """Start of the bin of `width` seconds that holds a wall time; weeks start on Monday."""
    shift = 3 * DAY * 1000 if width == WEEK else 0  # 1970-01-01 was a Thursday
    return (wall + shift) // (width * 1000) * (width * 1000) - shift


@dataclass(frozen=True)
class Timeline:
    """The rows of `hours` (or of `days`, where hours would be too many), on the wall clock."""

    table: Table
    step: int
    clock: Clock
    walls: list[int]
    partial: list[bool]

    @property
    def start(self) -> int:
        """Begin of the first row, in ms of wall time."""
        return self.walls[0]

    @property
    def end(self) -> int:
        """End of the last row, in ms of wall time."""
        return self.walls[-1] + self.step * 1000

    @property
    def unit(self) -> str:
        return "hour" if self.step == HOUR else "day"

    def text(self, i: int) -> str:
        """When a row starts: Wed 4 Mar, 10:00, or the day alone."""
        return wall_text(self.walls[i], hours=self.step < DAY)

    def middle(self, i: int) -> int:
        """The middle of a row, in ms of wall time."""
        return self.walls[i] + self.step * 500

    def column(self, key: str) -> list[Any]:
        return column(self.table, key)

    def rows(self, keys: dict[str, list[Any]]) -> list[dict[str, Any]]:
        """Rows {t, partial, **keys} at the middle of bins, with an empty row in every gap."""
        found: list[dict[str, Any]] = []
        for i, wall in enumerate(self.walls):
            if i and wall - self.walls[i - 1] > 1500 * self.step:
                t = self.middle(i - 1) + self.step * 1000
                found.append({"t": t, "partial": False} | dict.fromkeys(keys))
            row = {"t": self.middle(i), "partial": self.partial[i]}
            found.append(row | {k: v[i] for k, v in keys.items()})
        return found

    def rebin(self, num: str, den: str, most: int = 16) -> list[Bin]:
        """Sums of two columns in wider bins, at most about `most` of them."""
        span = (self.end - self.start) / 1000
        widths = [s for s in _WIDTHS if s >= self.step]
        width = next((s for s in widths if span / s <= most), WEEK)
        sums: dict[int, Bin] = {}
        columns = (self.column("start"), self.walls, self.column(num), self.column(den))
        for epoch, wall, n, d in zip(*columns, strict=True):
            start = floor(wall, width)
            end = start + width * 1000
            old = sums.get(start) or Bin(epoch, start, end, 0, 0, end > self.full_until)
            sums[start] = replace(old, num=old.num + (n or 0), den=old.den + (d or 0))
        return list(sums.values())

    @property
    def full_until(self) -> int:
        """Wall time up to which bins are complete."""
        return self.walls[-1] if self.partial[-1] else self.end


def timeline(result: ReadinessResult) -> Timeline | None:
    """The time base of a result; None where no record has a time."""
    hours, days = result.tables.get("hours"), result.tables.get("days")
    few = hours is not None and (hours.height <= _MOST_HOURS or days is None)
    table, step = (hours, HOUR) if few else (days, DAY)
    if table is None or not table.height:
        return None
    clock = Clock(result.period.timezone)
    walls = [clock.wall(s) for s in column(table, "start")]
    return Timeline(table, step, clock, walls, [bool(p) for p in column(table, "partial")])


@dataclass(frozen=True)
class Ticks:
    """Tick positions of a time axis in wall milliseconds, and the Vega expression of a label."""

    values: list[int]
    expr: str


# A tick's value is a date, with which arithmetic would make text.
_AT = "time(datum.value)"


def ticks(start: int, end: int) -> Ticks:
    """Hours, days, Mondays or months: at most nine, fewer of them labelled on a phone.

    Counted out here because letting the renderer find overlaps makes it measure every label.
    """
    hours = (end - start) / 1000 / HOUR
    shift, odd = 0, "0"
    if hours <= 72:
        step = next(h for h in (1, 2, 3, 6, 12) if hours / h <= 9) * HOUR
        text = f"utcFormat({_AT}, utchours({_AT}) == 0 ? '%a %-d' : '%H:%M')"
        odd = f"floor({_AT} / {step * 1000}) % 2"
    elif hours <= 18 * 24:
        step = DAY * (1 if hours <= 9 * 24 else 2)
        text = f"utcFormat({_AT}, {PHONE} ? '%a' : '%a %-d')"
    elif hours <= 126 * 24:
        step = WEEK * (1 if hours <= 63 * 24 else 2)
        text = f"utcFormat({_AT}, '%-d %b')"
        shift = 3 * DAY * 1000
        odd = f"floor(({_AT} + {shift}) / {step * 1000}) % 2"
    else:
        step = 0
        text = f"utcFormat({_AT}, utcmonth({_AT}) == 0 && !{PHONE} ? '%b %Y' : '%b')"
    values = _multiples(start, end, step * 1000, shift) if step else _months(start, end)
    late = f"{_AT} > {end - (end - start) // 8}"
    return Ticks(_roomy(values, start, end), f"{PHONE} && ({odd} || {late}) ? '' : {text}")


def _multiples(start: int, end: int, step: int, shift: int) -> range:
    """Multiples of `step`, moved back by `shift`, from start on and before end."""
    return range(-(-(start + shift) // step) * step - shift, end, step)


def _months(start: int, end: int) -> list[int]:
    at = _EPOCH + timedelta(milliseconds=start)
    year, month = at.year, at.month
    found = []
    while (wall := round((datetime(year, month, 1) - _EPOCH) / timedelta(milliseconds=1))) < end:
        if wall >= start:
            found.append(wall)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found[:: -(-len(found) // 9) or 1]


def _roomy(values: Sequence[int], start: int, end: int) -> list[int]:
    """Without a last tick whose label would run over the edge."""
    return [v for v in values if end - v > 0.05 * (end - start)]
