"""A mark of a chart leads to what it stands for, by pointer and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import PHONE, WIDE, Watched, running, served, violations
from gonogo import charts
from gonogo.results import ReadinessResult, SiteInfo, Step, Witness
from gonogo.site import render, render_history
from gonogo.site.writer import write
from sitecheck import Page
from synthetic import synthetic_result
from test_history import week

TRACER = "https://traces.example/"


def traced(profile: Any = "internal", url: str | None = TRACER + "{trace_id}") -> ReadinessResult:
    """The made-up week, with two calls worth opening in its first excursion."""
    result = synthetic_result()
    first, *others = result.excursions
    seen = tuple(
        Witness(kind=kind, rule="a rule", trace_id=trace, span_id=None, time=first.onset, model="m",
                operation="chat", release=None, duration_us=2_000_000, error_class=None,
                steps=(Step(name="tool search", duration_us=1_000_000, failed=False),))
        for kind, trace in (("worst", "t/1"), ("control", None))
    )  # fmt: skip
    return result.model_copy(update={
        "profile": profile, "site": SiteInfo(title="t", trace_url=url),
        "excursions": (first.model_copy(update={"witnesses": seen}), *others),
    })  # fmt: skip


def page_of(result: ReadinessResult, folder: Path) -> Path:
    write(render(result, charts.render(result)), folder / "site")
    return folder / "site" / "breaches.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running() as found:
        yield found


def test_a_bar_opens_its_trace(browser: Any, tmp_path: Path) -> None:
    address = page_of(traced(), tmp_path).as_uri()
    with Watched(browser) as watched:
        page = watched.page
        page.goto(address)
        page.route(f"{TRACER}**", lambda route: route.fulfill(body="the trace"))
        picture = page.locator("figure[id^=chart-trace-] .picture")
        picture.hover()
        page.locator(".tip").wait_for(state="visible")
        box = picture.locator(".wide svg").bounding_box()
        left, top, width, height = (
            float(n) for n in picture.locator(".wide").get_attribute("data-plot").split()
        )
        # A heading, the call, its step; a heading, the call, its step: six bands.
        page.mouse.move(box["x"] + left + width / 4, box["y"] + top + height * 1.5 / 6)
        assert "Trace: click to open" in page.locator(".tip").inner_text().replace("\n", " ")
        page.mouse.click(box["x"] + left + width / 4, box["y"] + top + height * 1.5 / 6)
        page.wait_for_url(f"{TRACER}t%2F1")
        # The call without an id leads nowhere, and stays where it is.
        page.goto(address)
        picture.hover()
        page.locator(".tip").wait_for(state="visible")
        page.mouse.click(box["x"] + left + width / 4, box["y"] + top + height * 4.5 / 6)
        page.wait_for_timeout(60)
        assert page.url == address
        picture.focus()
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{TRACER}t%2F1")


@pytest.mark.parametrize(
    ("profile", "url"),
    [("public", TRACER + "{trace_id}"), ("internal", None), ("internal", "javascript:{trace_id}")],
)
def test_there_is_no_way_out_of_a_public_page(
    tmp_path: Path, profile: str, url: str | None
) -> None:
    page = Page(page_of(traced(profile, url), tmp_path).read_text())
    assert [a for a in page.all("a") if "t%2F1" in a.attrs["href"]] == []
    named = Page(page_of(traced(), tmp_path / "b").read_text())
    # The call and its step in the chart's table, and the call in that of calls worth opening.
    assert len([a for a in named.all("a") if a.attrs["href"] == f"{TRACER}t%2F1"]) == 3


def test_the_summary_of_an_excursion_is_copied_whole(browser: Any, tmp_path: Path) -> None:
    result = traced()
    page_of(result, tmp_path)
    with served(tmp_path / "site", "") as address, Watched(browser) as watched:
        watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = watched.page
        page.goto(f"{address}/breaches.html")
        card = page.locator(f"[id='{result.excursions[0].id}']")
        card.get_by_role("button", name="Copy summary").click()
        page.locator(".toast").wait_for(state="visible")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert result.excursions[0].sentence in copied
        assert copied.endswith(f"Report: breaches.html#{result.excursions[0].id}\n")


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_page_of_all_periods_keeps_the_same_promises(
    browser: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    entries = [week(number) for number in (1, 2, 4)]
    write(render_history(entries, "gonogo"), tmp_path / "site")
    with Watched(browser, size) as watched:
        page = watched.page
        page.goto((tmp_path / "site" / "index.html").as_uri())
        assert watched.complaints == []
        assert all(url.startswith(("file:", "data:")) for url in watched.requests)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert violations(page) == [], theme
