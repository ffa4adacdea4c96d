"""Charts in a real browser: pointing, keys, zoom and legend read the same numbers aloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from browser import Watched, marks, open_page, violations


def test_pointing_at_a_chart_reads_its_table(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        picture = marks(page, "latency-over-time")
        assert not page.evaluate("!!document.querySelector('script[src*=charts]')")
        picture.hover()
        tip = page.locator(".tip")
        tip.wait_for(state="visible")
        words = tip.inner_text()
        when = words.splitlines()[0]
        row = page.locator("#chart-latency-over-time tbody tr").filter(
            has=page.locator("th", has_text=when)
        )
        cells = [c.strip() for c in row.locator("td").all_text_contents()]
        assert len(cells) == 4
        assert all(cell in words.replace("\n", " ") for cell in cells), (words, cells)
        # The heat map's cell under the pointer is the row of its weekday and hour.
        heat = marks(page, "latency-heatmap")
        heat.scroll_into_view_if_needed()
        box = heat.locator(".wide svg").bounding_box()
        left, top, width, height = (
            float(n) for n in heat.locator(".wide").get_attribute("data-plot").split()
        )
        page.mouse.move(box["x"] + left + width * 10.5 / 24, box["y"] + top + height * 2.5 / 7)
        page.wait_for_timeout(50)
        assert tip.inner_text().splitlines()[0] == "Wed 10:00"
        assert watched.complaints == []


def test_keys_read_a_chart_aloud(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "quality.html").as_uri())
        marks(page, "tool-outcomes").focus()
        page.wait_for_function("() => document.querySelector('.tip')")
        page.keyboard.press("ArrowRight")
        first = page.locator("#chart-tool-outcomes tbody tr").first.locator("th").text_content()
        assert page.locator(".spoken").inner_text().startswith(first)
        page.keyboard.press("ArrowRight")
        assert not page.locator(".spoken").inner_text().startswith(first)
        assert watched.complaints == []


def test_a_drag_zooms_every_chart_over_time_and_the_address_keeps_it(
    browser: Any, site: Path
) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        picture = marks(page, "latency-over-time")
        picture.hover()
        page.locator(".tip").wait_for(state="visible")
        box = picture.locator(".wide svg").bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 100)
        page.mouse.down()
        page.mouse.move(box["x"] + 500, box["y"] + 110, steps=4)
        page.mouse.up()
        # The address that the browser tells may lag behind the page's own.
        page.wait_for_function("location.hash.startsWith('#/zoom=')")
        labels = picture.locator(".wide text.later").all_text_contents()
        assert any(":" in label for label in labels), labels
        other = marks(page, "ttft-over-time").locator(".wide")
        assert other.locator("[vector-effect]").count() > 0
        height = page.evaluate("document.body.scrollHeight")
        page.reload()
        picture.locator(".wide text.later").first.wait_for()
        assert picture.locator(".wide text.later").all_text_contents() == labels
        picture.dblclick()
        page.wait_for_function("location.hash === ''")
        assert picture.locator("text.later").count() == 0
        assert page.evaluate("document.body.scrollHeight") == height
        assert watched.complaints == []


def test_a_zoomed_chart_puts_a_moment_where_its_axis_says(browser: Any, site: Path) -> None:
    """The cursor over the middle of a zoomed stretch reads the row of that very hour."""
    with Watched(browser) as watched:
        # Wed 18 Nov 2026, 12:00 to 16:00 UTC; its middle is 14:00.
        start = 1_795_003_200
        address = f"{(site / 'latency.html').as_uri()}#/zoom={start}-{start + 4 * 3600}"
        page = open_page(watched, address)
        picture = marks(page, "latency-over-time")
        picture.locator(".wide text.later").first.wait_for()
        box = picture.locator(".wide svg").bounding_box()
        left, top, width, height = (
            float(n) for n in picture.locator(".wide").get_attribute("data-plot").split()
        )
        page.mouse.move(box["x"] + left + width * 0.51, box["y"] + top + height / 2)
        page.locator(".tip").wait_for(state="visible")
        assert "18 Nov 2026 14:00" in page.locator(".tip strong").inner_text().replace("\xa0", " ")


def test_the_name_of_a_release_follows_its_line_into_a_zoom(browser: Any, site: Path) -> None:
    came = json.loads((site / "readiness.json").read_text())["tables"]["first_seen"]["data"]
    at = came["time"][came["value"].index("2026.47")]
    with Watched(browser) as watched:
        address = f"{(site / 'latency.html').as_uri()}#/zoom={at - 7200}-{at + 7200}"
        page = open_page(watched, address)
        wide = marks(page, "latency-over-time").locator(".wide")
        wide.locator("text.later").first.wait_for()
        left, _, width, _ = (float(n) for n in wide.get_attribute("data-plot").split())
        name = wide.locator("text", has_text="2026.47")
        # A chart says where things are to a tenth of a pixel; zoomed in 40 times that is 4.
        assert float(name.get_attribute("x")) == pytest.approx(left + width / 2, abs=4)
        before = f"zoom={at - 40_000}-{at - 3600}"
        page.evaluate("zoom => { location.hash = '#/' + zoom; }", before)
        name.wait_for(state="hidden")


def test_a_click_on_a_shaded_excursion_opens_it(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        picture = marks(page, "latency-over-time")
        picture.hover()
        page.locator(".tip").wait_for(state="visible")
        link = page.locator("#chart-latency-over-time .shaded a").first
        begin, until = (int(link.get_attribute(f"data-{k}")) for k in ("from", "until"))
        low, high = (
            int(n)
            for n in page.locator("#chart-latency-over-time").get_attribute("data-domain").split()
        )
        box = picture.locator(".wide svg").bounding_box()
        left, top, width, _ = (
            float(n) for n in picture.locator(".wide").get_attribute("data-plot").split()
        )
        share = ((begin + until) / 2 - low) / (high - low)
        page.mouse.click(box["x"] + left + width * share, box["y"] + top + 30)
        page.wait_for_url("**/breaches.html#*")
        assert page.locator(".excursion:target > header h3").inner_text() == "p95 latency"


def test_a_legend_entry_is_a_switch(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        page = open_page(watched, (site / "latency.html").as_uri())
        picture = marks(page, "latency-over-time")
        picture.hover()
        entry = picture.get_by_role("button", name="p99")
        entry.wait_for()
        lines = picture.locator(".wide .off")
        assert lines.count() == 0
        entry.click()
        assert entry.get_attribute("aria-pressed") == "false"
        assert lines.count() > 0
        entry.focus()
        page.keyboard.press("Enter")
        assert lines.count() == 0
        assert violations(page) == []
