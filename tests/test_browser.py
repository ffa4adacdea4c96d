"""The sample site in a real browser: silent, alone, accessible, complete without scripts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from browser import PHONE, WIDE, Watched, marks, open_page, served, violations
from gonogo.site import render, single_file, write_one
from gonogo.site.shell import PAGES
from gonogo.site.writer import write
from test_site_hostile import NAMES, poisoned

ROOT = Path(__file__).parents[1]
HTML = [href for _, href, _ in PAGES]


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
            "cells => cells.map(gonogo.valueOf)")]  # fmt: skip
        assert values == sorted(values, reverse=True)
        assert len(values) == 12


def test_a_table_over_time_is_turned_round_and_sorted_by_what_it_shows(
    browser: Any, site: Path
) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        page.locator("#chart-latency-over-time summary").click()
        table = page.locator("#chart-latency-over-time table")
        heads = table.locator("thead th")
        times = table.locator("tbody th").all_text_contents()
        assert heads.nth(0).get_attribute("aria-sort") == "ascending"
        heads.nth(1).locator("button").click()
        calls = [int(c) for c in table.locator("tbody td:nth-child(2)").all_text_contents()]
        assert calls == sorted(calls, reverse=True)
        heads.nth(0).locator("button").click()
        assert table.locator("tbody th").all_text_contents() == times
        heads.nth(0).locator("button").click()
        assert table.locator("tbody th").all_text_contents() == times[::-1]


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


def test_a_filtered_table_adds_up_numerators_and_denominators(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "errors.html").as_uri())
        page.get_by_role("link", name="Tenant", exact=True).click()
        card = page.locator("#table-errors-by-tenant-id")
        rows = card.locator("tbody tr")
        parts = rows.evaluate_all(
            "rows => rows.map(r => [r.cells[0].textContent, gonogo.valueOf(r.cells[1]),"
            " +r.cells[2].dataset.n, +r.cells[2].dataset.d])"
        )
        card.get_by_role("searchbox").fill("a")
        wanted = [p for p in parts if "a" in p[0].lower()]
        picked = [p for p, row in zip(parts, rows.all(), strict=True) if row.is_visible()]
        assert 0 < len(wanted) <= len(picked)
        foot = card.locator("tfoot").locator("th, td").all_text_contents()
        assert foot[0] == f"{len(picked)} of {len(parts)} rows"
        assert foot[1] == f"{sum(p[1] for p in picked):,}"
        share = 100 * sum(p[2] for p in picked) / sum(p[3] for p in picked)
        assert float(foot[2].split()[0]) == pytest.approx(share, rel=1e-3)
        page.wait_for_function("location.hash.includes('find=')")
        page.reload()
        assert card.locator("tfoot").is_visible()
        assert card.get_by_role("searchbox").input_value() == "a"
        card.get_by_role("searchbox").fill("")
        assert card.locator("tfoot").count() == 0
        assert page.evaluate("location.hash") == "#/pick=table-errors-by-tenant-id"


def test_the_address_keeps_legend_tables_choice_order_and_filters(browser: Any, site: Path) -> None:
    """What one reader has chosen, another sees who opens the address that was sent."""
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        picture = marks(page, "latency-over-time")
        picture.hover()
        picture.get_by_role("button", name="p99").click()
        page.locator("#chart-latency-heatmap summary").click()
        page.locator(".choices").get_by_role("link", name="Release").click()
        card = page.locator("#table-latency-by-release")
        card.locator("thead th").nth(1).locator("button").click()
        rows = card.locator("tbody tr th").all_text_contents()
        page.wait_for_timeout(50)
        address = page.url.partition("#")[0] + page.evaluate("location.hash")
        assert all(f"{kind}=" in address for kind in ("off", "table", "pick", "sort")), address
    with Watched(browser) as watched:
        page = open_page(watched, address)
        picture = marks(page, "latency-over-time")
        entry = picture.get_by_role("button", name="p99")
        entry.wait_for()
        assert entry.get_attribute("aria-pressed") == "false"
        assert picture.locator(".wide .off").count() > 0
        assert picture.get_by_role("button", name="p50").get_attribute("aria-pressed") == "true"
        assert page.locator("#chart-latency-heatmap details").get_attribute("open") is not None
        assert page.locator("#chart-latency-over-time details").get_attribute("open") is None
        card = page.locator("#table-latency-by-release")
        assert card.is_visible()
        assert card.locator("thead th").nth(1).get_attribute("aria-sort") == "ascending"
        assert card.locator("tbody tr th").all_text_contents() == rows
        assert watched.complaints == []
        # Taken back, each leaves the address as it was.
        entry.click()
        page.locator("#chart-latency-heatmap summary").click()
        page.wait_for_timeout(50)
        left = page.evaluate("location.hash")
        assert "off=" not in left
        assert "table=chart" not in left
        assert picture.locator(".wide .off").count() == 0


def test_a_button_copies_the_command_that_shows_the_same_again(browser: Any, site: Path) -> None:
    with served(site, "") as address, Watched(browser) as watched:
        watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = open_page(watched, f"{address}/data.html")
        page.get_by_role("button", name="Copy the command that makes this site").click()
        page.locator(".toast").wait_for(state="visible")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "gonogo build LOGS -c readiness.toml --profile public -o site/\n"
        open_page(watched, f"{address}/breaches.html")
        excursion = page.locator(".excursion", has_text="p95 latency").first
        excursion.get_by_text("Look again").click()
        excursion.get_by_role("button", name="Copy the command").click()
        page.locator(".toast").wait_for(state="visible")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == (
            "gonogo incident LOGS -c readiness.toml --since 2026-11-18T13:35:00Z "
            "--until 2026-11-18T16:10:00Z\n"
        )


def test_the_first_page_prints_on_two_sheets(browser: Any, site: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    with Watched(browser, color_scheme="dark") as watched:
        page = open_page(watched, (site / "index.html").as_uri())
        paper = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
        assert len(paper.pages) == 2
        width, height = (float(n) / 72 * 25.4 for n in paper.pages[0].mediabox[2:])
        assert (round(width), round(height)) == (210, 297)
        first = " ".join(paper.pages[0].extract_text().split())
        assert "NO-GO" in first
        assert "Retrieval hit rate" in first
        words = " ".join(" ".join(p.extract_text().split()) for p in paper.pages)
        assert "Next steps" in words
        assert "Gates and sign-offs" in words
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.querySelector('.card')).color") == (
            "rgb(22, 24, 29)"  # dark ink, whatever the screen shows
        )


def test_the_whole_site_as_one_file_works_by_itself(
    browser: Any, site: Path, tmp_path: Path
) -> None:
    files = {p.relative_to(site).as_posix(): p.read_bytes() for p in site.rglob("*.*")}
    write_one(single_file(files), tmp_path / "all.html")
    with Watched(browser) as watched:
        page = open_page(watched, (tmp_path / "all.html").as_uri())
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="Cost").click()
        assert page.locator("#cost h2.title").is_visible()
        picture = page.locator("#errors--chart-error-rate .picture")
        picture.hover()
        page.locator(".tip").wait_for(state="visible")
        assert "UTC" in page.locator(".tip strong").inner_text()
        assert violations(page) == []
        assert watched.complaints == []
        assert [u for u in watched.requests if not u.startswith(("file:", "data:"))] == []
        assert len([u for u in watched.requests if u.startswith("file:")]) == 1
