"""What stands around every page: head, navigation with badges, the facts below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gonogo import display
from gonogo.conventions import PUBLIC, Status
from gonogo.results import ReadinessResult
from gonogo.site.model import NavItem, Shell, Tone
from gonogo.site.objectives import page_of, verdict_pill
from gonogo.site.tables import int_at
from gonogo.site.text import clipped, period_text

PAGES: Final = (
    ("readiness", "index.html", "Readiness"),
    ("latency", "latency.html", "Latency"),
    ("errors", "errors.html", "Errors"),
    ("quality", "quality.html", "Quality"),
    ("evaluation", "evaluation.html", "Evaluation"),
    ("cost", "cost.html", "Cost"),
    ("breaches", "breaches.html", "Breaches"),
    ("data", "data.html", "Data"),
)
HREF: Final = {name: href for name, href, _ in PAGES}
TITLE: Final = {name: title for name, _, title in PAGES}

_LEDES: Final = {
    "latency": "How long calls take, when, and for whom",
    "errors": "How many calls fail, how, and where",
    "quality": "Guardrails, retrieval and tools",
    "evaluation": "Whether answers are right: golden set, judges, online scores",
    "cost": "What the calls cost, and what drives it",
    "breaches": "When an objective was outside its limit, and the traces to open",
    "data": "What was read, what was left out, and how complete it is",
}


def _badge(result: ReadinessResult, page: str) -> tuple[str, str, Tone]:
    """How much is wrong on a page: breached objectives; breaches, or excursions without any."""
    tone: Tone = "bad"
    if page == "breaches":
        n = sum(e.is_breach for e in result.excursions)
        what = "breach" if n == 1 else "breaches"
        if not n and result.excursions:
            n, tone = len(result.excursions), "warn"
            what = "excursion" if n == 1 else "excursions"
    else:
        breached = [
            o
            for o in result.objectives
            if o.status is Status.BREACHED and page_of(o.indicator) == page
        ]
        n, waived = len(breached), sum(o.is_waived for o in breached)
        what = "breached objective" if n == 1 else "breached objectives"
        if waived:
            what += f", {display.count(waived)} waived"
        if n == waived:
            tone = "warn"
    return (display.count(n), f"{display.count(n)} {what}", tone) if n else ("", "", "none")


def _nav(result: ReadinessResult, current: str) -> tuple[NavItem, ...]:
    items = []
    for name, href, title in PAGES:
        badge, label, tone = _badge(result, name)
        items.append(NavItem(href, title, name, name == current, badge, label, tone))
    if result.site.history:
        items.append(NavItem("../index.html", "All periods", "history", False, "", "", "none"))
    return tuple(items)


def _facts(result: ReadinessResult) -> tuple[str, ...]:
    models = result.tables.get("by_model")
    counted = f"{display.count(result.ingest.calls)} calls"
    if models is not None and models.height:
        counted += (
            f" · {display.count(models.height)} {'model' if models.height == 1 else 'models'}"
        )
    profile = "public profile" if result.profile == PUBLIC else "internal profile"
    return (period_text(result), counted, profile)


def shell(result: ReadinessResult, page: str, assets: Mapping[str, str]) -> Shell:
    """The frame of one page.

    `assets` holds the addresses css, boot_js, app_js, charts_js, favicon and, if any, logo.
    """
    verdict = verdict_pill(result.readiness.verdict)
    title = clipped(result.site.title)
    lede = _LEDES.get(page, "")
    if page == "readiness":
        calls = int_at(result.tables.get("overall"), "calls")
        parts = [title, period_text(result)]
        if calls is not None:
            parts.append(f"{display.count(calls)} calls")
        lede = " · ".join(parts)
    return Shell(
        document_title=f"{verdict.word} · {TITLE[page]} · {title}",
        description=clipped(result.readiness.headline, 300),
        site_title=title,
        site_subtitle=clipped(result.site.subtitle) if page == "readiness" else "",
        heading="Launch readiness" if page == "readiness" else TITLE[page],
        lede=lede,
        nav=_nav(result, page),
        verdict=verdict,
        facts=_facts(result),
        generator=clipped(result.generator),
        footer=clipped(result.site.footer, 500),
        css=assets["css"],
        boot_js=assets["boot_js"],
        app_js=assets["app_js"],
        charts_js=assets["charts_js"],
        favicon=assets["favicon"],
        logo=assets.get("logo", ""),
        feed="../feed.xml" if result.site.history else "",
        ended="" if result.period.end is None else str(result.period.end),
    )
