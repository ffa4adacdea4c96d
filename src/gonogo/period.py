"""Periods as users write them: `last-week`, `2026-W47`, `2026-11-16..2026-11-20`."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gonogo.errors import Diagnostic, UsageError

_WEEK: Final = re.compile(r"(\d{4})-W(\d{2})$")
_FORMS: Final = (
    "last-week, an ISO week such as 2026-W47, or FROM..TO such as 2026-11-16..2026-11-20"
)


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


def _week(monday: date, zone: ZoneInfo) -> tuple[str, int, int]:
    year, number, _ = monday.isocalendar()
    return (
        f"{year}-W{number:02}",
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


def instant(text: str, zone: ZoneInfo) -> int:
    """Epoch seconds of a date or time given on the command line.

    Raises:
        UsageError: it is neither.
    """
    return _instant(text, zone, text)


def _unusable(text: str, why: str) -> UsageError:
    return UsageError([Diagnostic("U002", "--period", f"'{text}': {why}", f"write {_FORMS}")])
