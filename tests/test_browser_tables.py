"""Tables in a real browser: folded rows, narrow screens, and what a push to the side shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import PHONE, Watched, running, violations
from gonogo import charts
from gonogo.conventions import ChangeWord
from gonogo.results import Column, Table
from gonogo.site import render
from gonogo.site.shell import PAGES
from gonogo.site.writer import write
from synthetic import START, synthetic_result
from test_site_tables import against, change

DAY = 86_400
OPEN = "document.querySelectorAll('details').forEach(d => { d.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up week with twenty chunks, a table by day and a comparison."""
    result = synthetic_result()
    text = Column(key="chunk", title="Chunk", unit="text")
    number = Column(key="retrievals", title="Retrievals", unit="count")
    # 20, 1, 19, 2, ...: neither way in order, and the largest ones are not all among the first.
    counts = [n for pair in zip(range(20, 10, -1), range(1, 11), strict=True) for n in pair]
    names = [f"c{n:02}" for n in counts]
    chunks = Table(id="chunks", title="Chunks", columns=(text, number),
                   data={"chunk": list(names), "retrievals": list(counts)})  # fmt: skip
    days = Table(
        id="cost_days", title="Cost by day",
        columns=(Column(key="day", title="day", unit="time"),
                 *(Column(key=f"n{i}", title=f"figure {i}", unit="count") for i in range(6))),
        data={"day": [START + i * DAY for i in range(7)],
              **{f"n{i}": [1_000_000 + i] * 7 for i in range(6)}},
    )  # fmt: skip
    compared = against(*(change(o.id, ChangeWord.WORSE) for o in result.objectives))
    result = result.model_copy(update={
        "tables": result.tables | {"chunks": chunks, "cost_days": days}, "comparisons": (compared,),
    })  # fmt: skip
    out = tmp_path_factory.mktemp("made") / "site"
    write(render(result, charts.render(result)), out)
    return out


def test_folded_rows_are_sorted_with_the_rest(browser: Any, site: Path) -> None:
    with Watched(browser) as watched:
        watched.page.goto((site / "quality.html").as_uri())
        card = watched.page.locator("#table-chunks")
        shown, folded = (card.locator("tbody").nth(i).locator("td") for i in range(2))
        first = [int(n) for n in shown.all_text_contents()]
        assert (len(first), folded.count()) == (8, 12)
        head = card.locator("thead").first.locator("th").nth(1)
        head.locator("button").click()
        values = [int(n) for n in (*shown.all_text_contents(), *folded.all_text_contents())]
        assert values == list(range(20, 0, -1))
        assert shown.count() == 8
        assert card.locator("th[aria-sort=descending]").count() == 2
        card.locator("summary").click()
        card.locator("thead").nth(1).locator("th").nth(1).locator("button").click()
        values = [int(n) for n in (*shown.all_text_contents(), *folded.all_text_contents())]
        assert values == list(range(1, 21))
        assert watched.complaints == []


def test_no_cell_runs_into_its_neighbour_on_a_phone(browser: Any, site: Path) -> None:
    with Watched(browser, PHONE) as watched:
        for _, name, _ in PAGES:
            page = watched.page
            page.goto((site / name).as_uri())
            page.evaluate(OPEN)
            wide = page.evaluate("""() => [...document.querySelectorAll('tbody > tr > *')]
                .filter(c => c.getClientRects().length && c.scrollWidth > c.clientWidth + 1)
                .map(c => c.textContent.trim().slice(0, 40))""")
            assert wide == [], name


def test_a_table_that_is_pushed_aside_keeps_its_names_and_draws_their_edge(
    browser: Any, site: Path
) -> None:
    with Watched(browser, PHONE) as watched:
        page = watched.page
        page.goto((site / "cost.html").as_uri())
        box = page.locator("#table-cost_days .scroll")
        assert box.evaluate("e => e.scrollWidth > e.clientWidth")
        name = box.locator("tbody th").first
        edge = "e => getComputedStyle(e).borderRightColor"
        at = name.bounding_box()["x"]
        still = name.evaluate(edge)
        box.evaluate("e => { e.scrollLeft = 120; }")
        page.wait_for_timeout(60)
        assert name.bounding_box()["x"] == at
        assert name.evaluate(edge) != still
        assert still == "rgba(0, 0, 0, 0)"


def test_the_chart_of_changes_has_room_on_a_phone(browser: Any, site: Path) -> None:
    with Watched(browser, PHONE) as watched:
        page = watched.page
        page.goto((site / "index.html").as_uri())
        chart = page.locator("#chart-what-changed .narrow")
        _, _, width, _ = (float(n) for n in chart.get_attribute("data-plot").split())
        assert width > 150
        boxes = chart.locator("svg text").evaluate_all(
            "all => all.map(t => t.getBoundingClientRect()).map(r => [r.x, r.y, r.right, r.bottom])"
        )
        for i, (left, top, right, bottom) in enumerate(boxes):
            for x, y, x2, y2 in boxes[:i]:
                assert right <= x or x2 <= left or bottom <= y + 2 or y2 <= top + 2


def test_a_page_with_all_its_folds_open_has_no_accessibility_fault(
    browser: Any, site: Path
) -> None:
    with Watched(browser) as watched:
        for _, name, _ in PAGES:
            watched.page.goto((site / name).as_uri())
            watched.page.evaluate(OPEN)
            assert violations(watched.page) == [], name
