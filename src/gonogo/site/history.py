"""The page of all periods: strip of verdicts, objectives over time, every period, its editions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

from gonogo import display
from gonogo.charts.trend import TrendPoint, trend
from gonogo.conventions import Status, Verdict
from gonogo.history import Entry, Point
from gonogo.period import is_week, weeks_between
from gonogo.site.model import Link, NavItem, Pill, Shell
from gonogo.site.objectives import pill_of, verdict_pill
from gonogo.site.render import LOGO, favicon, logo_file
from gonogo.site.shell import PAGES
from gonogo.site.templates import environment, templates_dir
from gonogo.site.text import clipped, firm, heading, visible

INDEX: Final = "index.html"
DOWNLOADS: Final = (
    Link("history.json", "history.json"),
    Link("Atom feed", "feed.xml"),
    Link("badge.svg", "badge.svg"),
    Link("badge.json", "badge.json"),
)
_UNKNOWN: Final = Pill("Unreadable", "none", "nodata")
_GAP: Final = Pill("Not built", "none", "na")
_MOST_GAPS: Final = 8
_SIGNS: Final = {"<=": "≤", "<": "<", ">=": "≥", ">": ">"}


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest period, in large."""

    label: str
    dates: str
    verdict: Pill
    headline: str
    href: str


@dataclass(frozen=True, slots=True)
class Week:
    """One cell of the strip; `href` is "" for a week that was never built."""

    label: str
    title: str
    pill: Pill
    href: str


@dataclass(frozen=True, slots=True)
class Trend:
    """One objective over the periods; `note` says where it is no longer judged."""

    title: str
    href: str
    note: str
    picture: Markup
    newest: str
    before: str
    limit: str
    breached: str
    status: Pill
    waived: str


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """One period in the table; `calls_value` is the sort key of `calls`."""

    label: str
    href: str
    dates: str
    note: str
    verdict: Pill
    slo: Pill
    calls: str
    calls_value: str
    breached: str
    waived: str
    editions: str


@dataclass(frozen=True, slots=True)
class RevisionLine:
    """One later edition: GO → NO-GO, and why."""

    label: str
    href: str
    edition: str
    change: str


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The page of all periods."""

    shell: Shell
    css: str
    newest: Newest
    weeks: tuple[Week, ...]
    tally: str
    trends_note: str
    trends: tuple[Trend, ...]
    periods: tuple[PeriodRow, ...]
    revisions_note: str
    revisions: tuple[RevisionLine, ...]
    downloads: tuple[Link, ...]


def render_history(
    entries: Sequence[Entry], version: str, templates: Path | None = None
) -> dict[str, bytes]:
    """The files around the periods: the page, its assets, `history.json`, and `latest/`.

    `entries` are in the order of time, at least one. The same entries give the same bytes.
    """
    folder = templates or templates_dir()
    env = environment(folder)
    newest = entries[-1]
    files = {
        f"assets/{path.name}": path.read_bytes()
        for path in (
            *(folder / "assets" / name for name in ("app.css", "app.js", "theme.js")),
            folder / "history" / "history.css",
        )
    }
    files["assets/favicon.svg"] = favicon(env, _verdict(newest.verdict).tone)
    files |= logo_file(newest.logo)
    page = _page(entries, version, files)
    text = env.get_template("history/index.html").render(page=page)
    files[INDEX] = visible(text).encode()
    files |= {
        f"latest/{href}": env.get_template("history/moved.html")
        .render(href=f"../{newest.name}/{href}", label=f"{title}, {newest.label}")
        .encode()
        for _, href, title in PAGES
    }
    files["history.json"] = history_json(entries).encode()
    files[".nojekyll"] = b""
    return files


def history_json(entries: Sequence[Entry]) -> str:
    """What the page shows, for programs: one object a period, oldest first."""

    def point(p: Point) -> dict[str, Any]:
        return {
            "id": p.id, "title": p.title, "unit": p.unit, "comparator": p.comparator,
            "limit": p.limit, "observed": p.observed, "status": p.status, "waived": p.waived,
        }  # fmt: skip

    periods = [
        {
            "name": e.name, "label": e.label, "start": e.start, "end": e.end,
            "timezone": e.timezone, "provisional": e.provisional, "as_of": e.as_of,
            "readiness": e.verdict, "slo": e.slo, "headline": e.headline, "calls": e.calls,
            "generator": e.generator, "objectives": [point(p) for p in e.points],
            "editions": [
                {"number": r.number, "as_of": r.as_of, "readiness": r.verdict, "calls": r.calls,
                 "reason": r.reason}
                for r in e.editions
            ],
        }
        for e in entries
    ]  # fmt: skip
    body = {"schema_version": 1, "periods": periods}
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _page(entries: Sequence[Entry], version: str, files: Mapping[str, bytes]) -> HistoryPage:
    newest = entries[-1]

    def address(name: str) -> str:
        return f"assets/{name}?v={hashlib.sha256(files[f'assets/{name}']).hexdigest()[:8]}"

    counts = [(v, sum(e.verdict is v for e in entries)) for v in Verdict]
    told = ", ".join(f"{display.count(n)} {v.value}" for v, n in reversed(counts) if n)
    revisions = tuple(_revisions(entries))
    shared = "Line: observed. Dashes: limit. Points: status of the period."
    logo = next((n for n in files if n.startswith(f"assets/{LOGO}")), "").removeprefix("assets/")
    return HistoryPage(
        shell=_shell(entries, version, address(logo) if logo else "", address),
        css=address("history.css"),
        newest=Newest(
            label=clipped(newest.label),
            dates=_dates(newest),
            verdict=_verdict(newest.verdict),
            headline=_headline(newest),
            href=f"{newest.name}/index.html",
        ),
        weeks=tuple(_weeks(entries)),
        tally=f"{_periods(len(entries))}: {told}" if told else _periods(len(entries)),
        trends_note=shared if len(entries) > 1 else "This is the first period: no trend yet.",
        trends=tuple(_trends(entries)),
        periods=tuple(_row(e) for e in reversed(entries)),
        revisions_note=(
            "Periods that were built again and then said something else"
            if revisions
            else "No period was built again with another outcome."
        ),
        revisions=revisions,
        downloads=DOWNLOADS,
    )


def _shell(entries: Sequence[Entry], version: str, logo: str, address: Any) -> Shell:
    newest = entries[-1]
    verdict = _verdict(newest.verdict)
    title = clipped(newest.title) or "LLM application"
    nav = [NavItem(INDEX, "All periods", "history", True, "", "", "none")]
    nav += [
        NavItem(f"{newest.name}/{href}", text, icon, False, "", "", "none")
        for icon, href, text in PAGES
    ]
    return Shell(
        document_title=f"{verdict.word} · All periods · {title}",
        description=clipped(newest.headline, 300),
        site_title=title,
        site_subtitle="",
        heading="All periods",
        lede=f"{title} · {_periods(len(entries))}",
        nav=tuple(nav),
        verdict=verdict,
        facts=(clipped(newest.label), f"{newest.profile} profile"),
        generator=clipped(version),
        footer="",
        css=address("app.css"),
        boot_js=address("theme.js"),
        app_js=address("app.js"),
        charts_js="",  # no chart here answers
        favicon=address("favicon.svg"),
        logo=logo,
        feed="feed.xml",
        ended="" if newest.end is None else str(newest.end),
    )


def _periods(n: int) -> str:
    return f"{display.count(n)} {'period' if n == 1 else 'periods'}"


def _verdict(verdict: Verdict | None) -> Pill:
    return verdict_pill(verdict) if verdict else _UNKNOWN


def _headline(entry: Entry) -> str:
    if entry.verdict is None:
        return f"written by {clipped(entry.generator) or 'another version'}; open it to read it"
    return heading(entry.headline.removeprefix(f"{entry.verdict.value}: "), 300)


def _dates(entry: Entry) -> str:
    if entry.start is None or entry.end is None:
        return ""
    zone = entry.timezone
    if display.clock(entry.start, zone) == display.clock(entry.end, zone) == "00:00":
        return f"{display.day(entry.start, zone)} to {display.day(entry.end - 1, zone)}"
    return display.span(entry.start, entry.end, zone)


# --- the strip ------------------------------------------------------------------------------------


def _weeks(entries: Sequence[Entry]) -> Iterator[Week]:
    """A cell a period; weeks between two ISO weeks that were never built are shown as gaps."""
    for before, entry in pairwise((None, *entries)):
        assert entry is not None
        missing = weeks_between(before.name, entry.name) if before else []
        if len(missing) > _MOST_GAPS:
            label = f"{len(missing)} weeks"
            yield Week(label, f"{missing[0]} to {missing[-1]}: not built", _GAP, "")
        else:
            yield from (Week(name[5:], f"{name}: not built", _GAP, "") for name in missing)
        pill, label = _verdict(entry.verdict), clipped(entry.label, 24)
        same_year = before is not None and before.name[:6] == entry.name[:6]
        short = entry.name[5:] if is_week(entry.name) and same_year else label
        yield Week(short, f"{label}: {pill.word}", pill, f"{entry.name}/index.html")


# --- objectives -----------------------------------------------------------------------------------


def _trends(entries: Sequence[Entry]) -> Iterator[Trend]:
    """Objectives of the newest period in its order, worst first; then those of earlier ones."""
    by_period = [{p.id: p for p in entry.points} for entry in entries]
    ids = dict.fromkeys(i for points in reversed(by_period) for i in points)
    for name in ids:
        points = [points.get(name) for points in by_period]
        known = [p for p in points if p is not None]
        newest, current = known[-1], points[-1]
        # Where its unit changed there is no common scale.
        points = [p if p is not None and p.unit == newest.unit else None for p in points]
        breached = sum(p.status is Status.BREACHED for p in known)
        judged = sum(p.status not in (Status.NOT_APPLICABLE, None) for p in known)
        yield Trend(
            title=heading(newest.title),
            href=f"{entries[-1].name}/index.html#{newest.slug}" if current else "",
            note="" if current else "no longer judged",
            picture=Markup(trend([_trend_point(p) for p in points])),
            newest=_observed(current),
            before=_observed(points[-2]) if len(points) > 1 else "–",
            limit=_limit(newest),
            breached=f"{breached} of {judged}" if judged else "–",
            status=_status(current),
            waived="waived" if current is not None and current.waived else "",
        )


def _status(point: Point | None) -> Pill:
    if point is None:
        return pill_of(Status.NOT_APPLICABLE)
    return pill_of(point.status) if point.status else _UNKNOWN


def _trend_point(point: Point | None) -> TrendPoint:
    if point is None:
        return TrendPoint(None, None, "none")
    tone = pill_of(point.status).tone if point.status else "none"
    limit = _number(point.limit)
    return TrendPoint(point.observed, None if limit is None else float(limit), tone)


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text) if len(text) < 60 and "e" not in text.lower() else None
    except (ValueError, ZeroDivisionError):
        return None


def _observed(point: Point | None) -> str:
    limit = _number(point.limit) if point else None
    if point is None or point.observed is None or limit is None:
        return "–"
    try:
        return firm(display.near(point.observed, limit, point.unit))
    except KeyError:  # a unit of another version
        return f"{point.observed:g}"


def _limit(point: Point) -> str:
    limit = _number(point.limit)
    if limit is None:
        return clipped(point.limit, 20) or "–"
    sign = _SIGNS.get(point.comparator, "")
    try:
        return firm(f"{sign} {display.exact(limit, point.unit)}")
    except KeyError:
        return f"{sign} {float(limit):g}"


# --- periods and editions -------------------------------------------------------------------------


def _row(entry: Entry) -> PeriodRow:
    breached = sum(p.status is Status.BREACHED for p in entry.points)
    waived = sum(p.waived for p in entry.points)
    return PeriodRow(
        label=clipped(entry.label),
        href=f"{entry.name}/index.html",
        dates=_dates(entry),
        note="provisional" if entry.provisional else "",
        verdict=_verdict(entry.verdict),
        slo=_verdict(entry.slo),
        calls=display.count(entry.calls),
        calls_value=str(entry.calls),
        breached=str(breached),
        waived=f"{waived} waived" if waived else "",
        editions=str(max(1, len(entry.editions))),
    )


def _revisions(entries: Sequence[Entry]) -> Iterator[RevisionLine]:
    for entry in reversed(entries):
        for before, after in reversed([*pairwise(entry.editions)]):
            words = [_verdict(e.verdict).word for e in (before, after)]
            verdicts = " → ".join(words) if words[0] != words[1] else f"still {words[1]}"
            yield RevisionLine(
                label=clipped(entry.label),
                href=f"{entry.name}/index.html",
                edition=f"edition {after.number}",
                change=f"{verdicts}, {clipped(after.reason, 200)}",
            )
