"""What the history shows of a period, read from its readiness.json, whatever version wrote that.

Only keys that every version keeps are read (docs/adr/0015-history.md), and each may be missing: a
period that an older or newer gonogo judged keeps its place, with as much as can be read of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from gonogo.conventions import Status, Verdict
from gonogo.privacy import clean_label

_Name = TypeVar("_Name", bound=StrEnum)
_MOST_OBJECTIVES = 500


@dataclass(frozen=True, slots=True)
class Point:
    """One objective in one period; `observed` and `limit` in its unit, None where unknown."""

    id: str
    slug: str
    title: str
    unit: str
    comparator: str
    limit: str
    observed: float | None
    status: Status | None
    waived: bool = False
    """missed, and accepted by somebody until a day that had not come"""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a period; `as_of` in epoch seconds."""

    number: int
    as_of: int | None
    verdict: Verdict | None
    calls: int
    accepted: int
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One period: times in epoch seconds (UTC), the end excluded; None where not known."""

    name: str
    label: str
    title: str
    logo: str
    """the picture of its pages as a data: URI, as it is written: to be checked before use"""
    start: int | None
    end: int | None
    timezone: str
    provisional: bool
    as_of: int | None
    verdict: Verdict | None
    slo: Verdict | None
    headline: str
    calls: int
    accepted: int
    outside: int
    """accepted records of other periods, which were read with these"""
    profile: str
    generator: str
    settings: str
    """hash of the configuration as used"""
    points: tuple[Point, ...]
    gates: tuple[tuple[str, str], ...]
    """id and status of each gate"""
    editions: tuple[Edition, ...]

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts entries by their time."""
        return (self.end or 0, self.start or 0, self.name)


def read(content: bytes, name: str) -> Entry | None:
    """The entry of a saved result; None where `content` is no result at all."""
    try:
        data = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        return None
    period, ingest = _dict(data, "period"), _dict(data, "ingest")
    readiness, config, site = (_dict(data, key) for key in ("readiness", "config", "site"))
    return Entry(
        name=name,
        label=_text(period, "label") or name,
        title=_text(site, "title"),
        logo=logo if isinstance(logo := site.get("logo"), str) else "",
        start=_whole(period, "start"),
        end=_whole(period, "end"),
        timezone=_zone(_text(period, "timezone")),
        provisional=period.get("provisional") is True,
        as_of=_whole(data, "as_of"),
        verdict=_named(Verdict, readiness.get("verdict")),
        slo=_named(Verdict, _dict(data, "slo").get("verdict")),
        headline=_text(readiness, "headline", 400),
        calls=_whole(ingest, "calls") or 0,
        accepted=_whole(ingest, "accepted") or 0,
        outside=_whole(ingest, "outside_period") or 0,
        profile=_text(data, "profile"),
        generator=_text(data, "generator"),
        settings=_text(config, "content") or _text(config, "sha256"),
        points=tuple(_point(o) for o in _dicts(data, "objectives")[:_MOST_OBJECTIVES]),
        gates=tuple((_text(g, "id"), _text(g, "status")) for g in _dicts(data, "gates")),
        editions=tuple(_edition(r) for r in _dicts(data, "revisions")),
    )


def _point(data: dict[str, Any]) -> Point:
    observed = data.get("observed")
    known = isinstance(observed, int | float) and not isinstance(observed, bool)
    number = float(observed) if known and observed is not None else None
    return Point(
        id=_text(data, "id", 200),
        slug=_text(data, "slug"),
        title=_text(data, "title"),
        unit=_text(data, "unit"),
        comparator=_text(data, "comparator"),
        limit=_text(data, "limit"),
        observed=number if number is not None and isfinite(number) else None,
        status=(status := _named(Status, data.get("status"))),
        waived=status is Status.BREACHED and _dict(data, "waiver").get("in_force") is True,
    )


def _edition(data: dict[str, Any]) -> Edition:
    return Edition(
        number=_whole(data, "number") or 0,
        as_of=_whole(data, "as_of"),
        verdict=_named(Verdict, data.get("verdict")),
        calls=_whole(data, "calls") or 0,
        accepted=_whole(data, "accepted") or 0,
        reason=_text(data, "reason", 300),
    )


def _dict(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _dicts(data: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = data.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(data: dict[str, Any], key: str, limit: int = 120) -> str:
    found = data.get(key)
    return _clean(found, limit) if isinstance(found, str) and found else ""


@lru_cache(maxsize=4096)
def _clean(text: str, limit: int) -> str:
    """Names of objectives and gates are the same every week."""
    return clean_label(text, limit)


def _whole(data: dict[str, Any], key: str) -> int | None:
    found = data.get(key)
    # Beyond the calendar there is nothing to show.
    known = isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**37
    return found if known else None


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"  # of a machine that knows more time zones


def _named(names: type[_Name], found: object) -> _Name | None:
    try:
        return names(str(found))
    except ValueError:
        return None
