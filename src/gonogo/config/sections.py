"""The sections `[[exclude]]` and `[site]`, and the links that a configuration may hold."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gonogo.config.keys import EXCLUDE_KEYS, SITE_KEYS
from gonogo.config.messages import did_you_mean, quoted
from gonogo.config.model import Exclusion, LogoFile, Site
from gonogo.config.section import Section, kind_of
from gonogo.conventions import PUBLISHABLE

_COLOUR: Final = re.compile(r"#(?:[0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_HINT: Final = "write 2026-11-18T14:00:00Z, or without the offset for the declared time zone"
_PLACE: Final = "{trace_id}"


def read_exclusions(root: Section, timezone: str) -> tuple[Exclusion, ...]:
    """The declared `[[exclude]]` ranges in the order of the file; `to` is not part of a range."""
    hint = "write it as [[exclude]] with from, to, reason and owner"
    rows: list[Any] = root.expect("exclude", list, name="a list of tables", hint=hint) or []
    zone: tzinfo = UTC if timezone == "UTC" else ZoneInfo(timezone)
    found: list[Exclusion] = []
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            what = f"{kind_of(row)} stands where a table is expected"
            root.problems.add(("exclude", number), "C007", what, hint)
            continue
        section = Section(root.problems, ("exclude", number), row)
        section.known(EXCLUDE_KEYS, required=EXCLUDE_KEYS)
        start, end = instant(section, "from", zone), instant(section, "to", zone)
        reason, owner = section.text("reason"), section.text("owner")
        if start is not None and end is not None and end <= start:
            section.wrong("to", "C031", "the range ends before it starts", "swap from and to")
        elif start is not None and end is not None and reason and owner:
            found.append(Exclusion(floor(start), ceil(end), reason, owner))
    return tuple(found)


def instant(section: Section, key: str, zone: tzinfo) -> Fraction | None:
    """Epoch seconds of a TOML date or time, or of an ISO 8601 text; exact."""
    value = section.expect(key, str, date, name="a date and time", hint=_TIME_HINT)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            what = f"{quoted(value)} is not a date and time"
            section.wrong(key, "C030", what, _TIME_HINT)
            return None
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        if not _is_certain(section, key, moment):
            return None
    try:
        return Fraction((moment - _EPOCH) // timedelta(microseconds=1), 10**6)
    except OverflowError:  # year 1 or 9999, shifted out of the calendar by its offset
        section.wrong(key, "C030", f"{quoted(str(value))} is not a date and time", _TIME_HINT)
        return None


def _is_certain(section: Section, key: str, moment: datetime) -> bool:
    """Whether a local time happens once; where clocks change it may happen twice, or never."""
    if moment.utcoffset() == moment.replace(fold=1).utcoffset():
        return True
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    times = "twice" if back.replace(tzinfo=None) == moment.replace(tzinfo=None) else "never"
    what = f"{moment.replace(tzinfo=None)} happens {times} in {moment.tzinfo}"
    section.wrong(key, "C030", what, "write the offset behind it, such as +01:00")
    return False


def usable_link(section: Section, key: str, *, place: bool = False) -> str | None:
    """An http(s) URL without a password; with `place` it must hold {trace_id} after the host."""
    text = section.text(key)
    if text is None:
        return None
    example = (
        "https://tracing.example/trace/{trace_id}" if place else "https://wiki.example/runbook"
    )
    what = _link_trouble(text, place)
    if what:
        section.wrong(key, "C034", f"{quoted(text)} {what}", f"write it as {example}")
        return None
    return text


def _link_trouble(text: str, place: bool) -> str:  # noqa: PLR0911 - one return a sentence
    if not text.isprintable() or re.search(r"[\s<>\"'\\`]", text):
        return "holds a character that a link cannot hold"
    try:
        parts = urlsplit(text)
        host, user = parts.hostname, parts.username
    except ValueError:
        return "is not a link"
    if parts.scheme not in ("http", "https") or not host:
        return "is not an http or https link"
    if user is not None:
        return "holds a user name or password, and would be published"
    if place:
        if _PLACE not in "".join(parts[2:]):
            return f"has no {_PLACE} behind the host"
        text = text.replace(_PLACE, "")
    if "{" in text or "}" in text:
        return "holds a placeholder that is not filled in"
    return ""


def read_site(root: Section) -> Site:
    """The `[site]` table: what the page calls itself and what it may publish."""
    table = root.expect("site", dict, name="a table", hint="write it as [site]") or {}
    section = Section(root.problems, ("site",), table)
    section.known(SITE_KEYS)
    accent = section.text("accent")
    if accent is not None and not _COLOUR.fullmatch(accent):
        what = f"{quoted(accent)} is not a colour"
        section.wrong("accent", "C033", what, "write it as #0a7ea4")
        accent = None
    return Site(
        title=section.text("title"),
        subtitle=section.text("subtitle", may_be_empty=True) or "",
        logo=_logo(section),
        accent=accent,
        footer=section.text("footer", may_be_empty=True) or "",
        trace_url=usable_link(section, "trace_url", place=True),
        publish=_published(section),
    )


def _logo(section: Section) -> LogoFile | None:
    path = section.text("logo")
    if path is None:
        return None
    problems = section.problems
    place = problems.positions.at((*section.path, "logo"), value=True)
    return LogoFile(path, problems.where(place))


def _published(section: Section) -> tuple[str, ...]:
    rows = section.expect("publish", list, name="a list", hint='write publish = ["tenants"]') or []
    found: list[str] = []
    for number, row in enumerate(rows):
        path = (*section.path, "publish", number)
        if not isinstance(row, str):
            what = f"{kind_of(row)} stands where a text is expected"
            section.problems.add(path, "C007", what, f"known are {', '.join(PUBLISHABLE)}")
        elif row not in PUBLISHABLE:
            what = f"{quoted(row)} is nothing that can be published"
            section.problems.add(path, "C035", what, did_you_mean(row, PUBLISHABLE))
        elif row not in found:
            found.append(row)
    return tuple(found)
