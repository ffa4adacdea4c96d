"""The sample site in a real browser: silent, alone, accessible, complete without scripts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import PHONE, WIDE, Watched, running, served, violations
from gonogo.site import render
from gonogo.site.shell import PAGES
from gonogo.site.writer import write
from test_site_hostile import NAMES, poisoned

ROOT = Path(__file__).parents[1]
HTML = [href for _, href, _ in PAGES]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample project's site; made only where there is a browser."""
    out = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "gonogo", "build", "sample_logs", "-c",
         "sample_project/readiness.toml", "-o", str(out), "--state", str(out.parent / "state")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return out


def open_page(watched: Watched, address: str) -> Any:
    watched.page.goto(address)
    return watched.page


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_pages_say_nothing_ask_nobody_and_fit_the_screen(
    browser: Any, site: Path, size: tuple[int, int]
) -> None:
    with Watched(browser, size) as watched:
        for name in HTML:
            page = open_page(watched, (site / name).as_uri())
            page.mouse.move(size[0] // 2, size[1] // 2)
            assert watched.complaints == [], name
            assert all(url.startswith(("file:", "data:")) for url in watched.requests), name
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px too wide"


def test_a_sub_path_serves_the_same_site(browser: Any, site: Path) -> None:
    with served(site, "/team/readiness") as address, Watched(browser) as watched:
        page = open_page(watched, f"{address}/index.html")
        for title in ("Latency", "Data", "Readiness"):
            page.get_by_role("navigation", name="Pages").get_by_role("link", name=title).click()
            page.wait_for_load_state()
            assert page.locator(".nav [aria-current]").inner_text().startswith(title)
        assert watched.complaints == []
        assert all(url.startswith(address) for url in watched.requests)


def test_the_policy_stops_scripts_styles_and_foreign_hosts(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "index.html").as_uri())
        page.evaluate("""() => {
            window.ran = [];
            const script = document.createElement('script');
            script.textContent = 'window.ran.push("inline")';
            document.body.append(script);
            document.body.insertAdjacentHTML('beforeend',
              '<p id="s" style="color: rgb(1, 2, 3)">x</p><img src="http://foreign.example/x.png">');
        }""")
        page.wait_for_timeout(100)
        assert page.evaluate("window.ran") == []
        assert (
            page.evaluate("getComputedStyle(document.getElementById('s')).color") != "rgb(1, 2, 3)"
        )
        assert len([c for c in watched.complaints if "Content Security Policy" in c]) >= 3
        assert watched.refused == {"http://foreign.example/x.png": "csp"}


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_page_has_an_accessibility_fault(
    browser: Any, site: Path, size: tuple[int, int]
) -> None:
    with Watched(browser, size) as watched:
        for name in HTML:
            page = open_page(watched, (site / name).as_uri())
            page.emulate_media(color_scheme="light")
            assert violations(page) == [], name
            page.emulate_media(color_scheme="dark")  # which changes colours alone
            assert violations(page, "color-contrast") == [], name


def test_the_reader_s_theme_wins_and_is_kept(browser: Any, site: Path) -> None:
    with served(site, "") as address, Watched(browser, color_scheme="light") as watched:
        page = open_page(watched, f"{address}/index.html")
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        page.keyboard.press("t")
        dark = page.evaluate(paper)
        assert dark != light
        open_page(watched, f"{address}/data.html")
        assert page.evaluate(paper) == dark


def test_without_scripts_a_page_is_whole(browser: Any, site: Path) -> None:
    with Watched(browser, java_script_enabled=False) as watched:
        for name in HTML:
            page = open_page(watched, (site / name).as_uri())
            assert watched.complaints == []
            for chart in page.locator(".picture .wide svg").all():
                box = chart.bounding_box()
                assert box is not None, name
                assert box["width"] > 200, name
            assert page.locator(".tools").is_hidden()
            for card in page.locator(".switch > .card").all():
                assert card.is_visible(), "tables that answer one question must all be there"
            fold = page.locator("details.more").first
            if fold.count():
                fold.locator("summary").click()
                assert fold.locator("summary + *").is_visible()


def test_every_page_works_from_the_keyboard_alone(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "index.html").as_uri())
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#content"
        seen = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            place = page.evaluate("""() => {
                const e = document.activeElement;
                const style = getComputedStyle(e);
                return [e.tagName, e.textContent.trim().slice(0, 40), style.outlineStyle];
            }""")
            if place[0] == "BODY":
                break
            assert place[2] != "none", f"focus cannot be seen on {place[:2]}"
            seen.add(tuple(place[:2]))
        assert ("SUMMARY", "View as table") in seen
        page.keyboard.press("?")
        assert page.locator("dialog").is_visible()
        page.keyboard.press("Escape")
        assert page.locator("dialog").is_hidden()
        page.keyboard.press("2")
        page.wait_for_url("**/latency.html")
        page.keyboard.press("]")
        page.wait_for_url("**/errors.html")


def test_a_table_sorts_and_says_how(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "cost.html").as_uri())
        table = page.locator("#table-cost-by-tenant-id table")
        page.get_by_role("link", name="Tenant", exact=True).click()
        cost = table.locator("thead th").nth(2)
        cost.locator("button").click()
        assert cost.get_attribute("aria-sort") == "descending"
        values = [float(v) for v in table.locator("tbody td:nth-child(3)").evaluate_all(
            "cells => cells.map(c => c.dataset.v)")]  # fmt: skip
        assert values == sorted(values, reverse=True)
        assert len(values) == 12


def test_one_of_several_tables_shows_and_its_address_brings_it_back(
    browser: Any, site: Path
) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "errors.html").as_uri())
        cards = page.locator(".switch > .card")
        assert [c.is_visible() for c in cards.all()].count(True) == 1
        page.locator(".choices").get_by_role("link", name="Release").click()
        shown = [c.get_attribute("id") for c in cards.all() if c.is_visible()]
        assert shown == ["table-errors-by-release"]
        open_page(watched, page.url)
        assert page.locator("#table-errors-by-release").is_visible()
        assert page.locator("#table-errors-by-model").is_hidden()


def test_nothing_moves_while_a_page_comes_to_life(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        watched.page.add_init_script("""
            window.shifts = [];
            new PerformanceObserver(list => {
              for (const entry of list.getEntries())
                for (const source of entry.sources)
                  window.shifts.push(source.node ? source.node.outerHTML.slice(0, 80) : '?');
            }).observe({type: 'layout-shift', buffered: true});
        """)
        for name in HTML:
            page = open_page(watched, (site / name).as_uri())
            before = page.locator("body").bounding_box()
            for chart in page.locator(".picture").all()[:3]:
                chart.hover()
            page.wait_for_timeout(60)
            assert page.evaluate("window.shifts") == [], name
            assert page.locator("body").bounding_box()["height"] == before["height"], name


@pytest.mark.parametrize("name", [*NAMES[:4], NAMES[8]], ids=lambda n: ascii(n)[:24])
def test_hostile_log_text_never_runs(browser: Any, tmp_path: Path, name: str) -> None:
    write(render(poisoned(name), ()), tmp_path / "site")
    with Watched(browser) as watched:
        for page_name in HTML:
            page = open_page(watched, (tmp_path / "site" / page_name).as_uri())
            page.mouse.move(700, 500)
            assert watched.complaints == [], page_name
            assert all(url.startswith(("file:", "data:")) for url in watched.requests)
            assert page.locator("main h1").count() == 1
            links = page.locator("a").evaluate_all(
                "all => all.map(a => new URL(a.getAttribute('href'), location).protocol)"
            )
            assert set(links) <= {"file:", "http:", "https:"}
