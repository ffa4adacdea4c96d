"""Periods as users write them: `last-week`, `2026-W47`, `2026-11-16..2026-11-20`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gonogo.errors import Diagnostic, UsageError

_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})$")
_FORMS: Final = (
    "last-week, an ISO week such as 2026-W47, or FROM..TO such as 2026-11-16..2026-11-20"
)


_TIMES: Final = "2026-11-18T13:00 in the declared zone, 2026-11-18T13:00Z, or a date"


def resolve(text: str, zone: ZoneInfo, now: datetime) -> tuple[str, int, int]:
    """(label, start, end) of a period in the declared zone; epoch seconds, end excluded.

    FROM and TO are dates (TO is included) or ISO 8601 times (TO is excluded); a time without a
    zone is in the declared one. `now` decides what last week is.

    Raises:
        UsageError: the text is no period, or it ends before it begins.
    """
    if text == "last-week":
        monday = now.astimezone(zone).date()
        monday -= timedelta(days=monday.weekday() + 7)
        return _week(monday, zone)
    week = _WEEK.match(text)
    if week:
        try:
            monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
        except ValueError:
            raise _unusable(text, f"{week[1]} has no week {int(week[2])}") from None
        return _week(monday, zone)
    if ".." not in text:
        raise _unusable(text, "not a period")
    start_text, _, end_text = text.partition("..")
    start, end = _instant(start_text, zone, text), _instant(end_text, zone, text, is_end=True)
    if end <= start:
        raise _unusable(text, "it ends before it begins")
    return text, start, end


def is_week(label: str) -> bool:
    """Whether a label or the name of a folder is an ISO week."""
    return _monday(label) is not None


def weeks_before(label: str, count: int) -> list[str]:
    """The `count` ISO weeks before one, oldest first; none where `label` is no week."""
    monday = _monday(label)
    if monday is None:
        return []
    return [_week_name(monday - timedelta(days=7 * i)) for i in range(count, 0, -1)]


def weeks_between(before: str, after: str) -> list[str]:
    """The ISO weeks between two, oldest first; none where one of them is no week."""
    first, last = _monday(before), _monday(after)
    if first is None or last is None:
        return []
    return [_week_name(first + timedelta(days=7 * i)) for i in range(1, (last - first).days // 7)]


def _monday(label: str) -> date | None:
    week = _WEEK.match(label)
    try:
        return date.fromisocalendar(int(week[1]), int(week[2]), 1) if week else None
    except ValueError:
        return None


def _week_name(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _week(monday: date, zone: ZoneInfo) -> tuple[str, int, int]:
    return (
        _week_name(monday),
        _midnight(monday, zone),
        _midnight(monday + timedelta(days=7), zone),
    )


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp())


def _instant(text: str, zone: ZoneInfo, whole: str, *, is_end: bool = False) -> int:
    try:
        if len(text) == len("2026-11-16"):
            return _midnight(date.fromisoformat(text) + timedelta(days=int(is_end)), zone)
        when = datetime.fromisoformat(text)
    except ValueError:
        raise _unusable(whole, f"'{text}' is neither a date nor a time") from None
    return int((when if when.tzinfo else when.replace(tzinfo=zone)).timestamp())


def instant(text: str, zone: ZoneInfo, option: str) -> int:
    """Epoch seconds of a date or time given as an option of the command line.

    Raises:
        UsageError: it is neither.
    """
    try:
        return _instant(text, zone, text)
    except UsageError:
        what, hint = f"'{text}' is neither a date nor a time", f"write {_TIMES}"
        raise UsageError([Diagnostic("U002", option, what, hint)]) from None


def folder(label: str, start: int, end: int, zone: ZoneInfo) -> str:
    """The name of a period as a folder: 2026-W47, 2026-11-16_2026-11-20 (both included), or times.

    The same period has the same name however it was written; names sort as their periods do,
    within one form.
    """
    if _WEEK.match(label):
        return label
    first, last = (datetime.fromtimestamp(at, zone) for at in (start, end))
    if first.time() == last.time() == time():
        final = last.date() - timedelta(days=1)
        return f"{first.date()}" if final == first.date() else f"{first.date()}_{final}"
    return "_".join(f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}" for at in (start, end))


def _unusable(text: str, why: str) -> UsageError:
    return UsageError([Diagnostic("U002", "--period", f"'{text}': {why}", f"write {_FORMS}")])
