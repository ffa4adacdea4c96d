"""Every table can be taken away, and every figure says what it is a figure of."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from gonogo import charts
from gonogo.conventions import ChangeWord
from gonogo.results import (
    Budget,
    Burn,
    BurnAlert,
    Change,
    Column,
    Comparison,
    ReadinessResult,
    Table,
    Witness,
)
from gonogo.site import render
from gonogo.site.figures import COST_PER_1000, Figure, tile
from gonogo.site.objectives import budget_texts, row
from gonogo.site.records import records
from gonogo.site.shell import PAGES
from gonogo.site.tables import Col, count, view
from sitecheck import Page
from synthetic import synthetic_result

HTML = [href for _, href, _ in PAGES]


def change(objective: str, word: ChangeWord, **more: Any) -> Change:
    given: dict[str, Any] = {
        "objective": objective, "title": objective, "unit": "ratio", "word": word, "text": "",
        "new": 0.03, "old": 0.02, "new_total": 100, "old_total": 100, "difference": 0.01,
        "low": 0.005, "high": 0.015, "band": 0.001, "method": "", "adjusted": None,
        "adjusted_low": None, "adjusted_high": None, "adjusted_note": "",
    }  # fmt: skip
    return Change(**(given | more))


def against(*changes: Change, kind: Any = "period", refused: str = "") -> Comparison:
    return Comparison(id="baseline", title="Against 2026-W46", kind=kind, new="this period",
                      old="2026-W46", refused=refused, changes=changes)  # fmt: skip


def week() -> ReadinessResult:
    """The made-up week with an alert, a witness and a comparison."""
    result = synthetic_result()
    first, *rest = result.objectives
    alert = BurnAlert(alert="page", long_seconds=3600, short_seconds=300, fired=1_772_600_400,
                      resolved=None, onset=1_772_600_000, bad=6, total=16, by_chance=False,
                      sentence="")  # fmt: skip
    burn = Burn(seconds=2_592_000, source="", pairs=(), alerts=(alert,))
    witness = Witness(kind="worst", rule="the longest", trace_id="=cmd()", span_id=None,
                      time=1_772_600_100, model="m", operation=None, release=None,
                      duration_us=1500, error_class=None)  # fmt: skip
    excursion, *others = result.excursions
    return result.model_copy(update={
        "objectives": (first.model_copy(update={"burn": burn}), *rest),
        "excursions": (excursion.model_copy(update={"witnesses": (witness,)}), *others),
        "comparisons": (against(change(first.id, ChangeWord.WORSE)),),
    })  # fmt: skip


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    result = week()
    return render(result, charts.render(result))


def csv_of(site: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(site[f"data/{name}.csv"].decode(), newline="")))


@pytest.mark.parametrize("name", HTML)
def test_every_table_has_its_downloads_beside_it(site: dict[str, bytes], name: str) -> None:
    source = site[name].decode()
    for start in source.split('<section class="card')[1:]:
        card = start.partition("</section>")[0]
        if "<table" not in card or 'id="downloads"' in card or 'id="history"' in card:
            continue
        if 'class="objectives"' in card and name != "index.html":
            continue  # rows of the table of the first page
        found = Page(f"<body><section{card.partition('>')[2]}</section></body>".replace(
            "<section", "<section>", 1))  # fmt: skip
        links = [a.attrs["href"] for a in found.all("a") if "download" in a.attrs]
        assert {link.rpartition(".")[2] for link in links} >= {"csv", "json"}, card[:120]
        assert all(link in site for link in links)
    for start in source.split("<figure")[1:]:
        figure = start.partition("</figure>")[0]
        assert "<table" not in figure or "download" in figure


def test_what_a_result_keeps_otherwise_is_a_table_to_download(site: dict[str, bytes]) -> None:
    result = week()
    objectives = csv_of(site, "objectives")
    assert [o["id"] for o in objectives] == [o.id for o in result.objectives]
    for line, o in zip(objectives, result.objectives, strict=True):
        assert line["limit"] == o.limit
        assert line["unit"] == o.unit
        assert float(line["observed"]) == pytest.approx(o.observed)
        assert int(line["total"]) == o.total
    (alert,) = csv_of(site, "burn_alerts")
    assert alert["fired_utc"] == "2026-03-04T05:00:00+00:00"
    assert (alert["bad"], alert["total"], alert["resolved_utc"]) == ("6", "16", "")
    (witness,) = csv_of(site, "witnesses")
    assert witness["trace_id"] == "'=cmd()"  # no formula for a spreadsheet
    assert (witness["duration_us"], witness["excursion"]) == ("1500", result.excursions[0].id)
    (changed,) = csv_of(site, "changes-baseline")
    assert (changed["word"], changed["new"], changed["difference"]) == ("worse", "0.03", "0.01")
    assert [c["present"] for c in csv_of(site, "coverage")] == [
        str(c.present) for c in result.coverage
    ]
    assert csv_of(site, "files")[0]["bytes"] == str(result.ingest.files[0].bytes)
    assert csv_of(site, "problems")[0]["count"] == "5"
    assert len(csv_of(site, "exemplars")) == len(result.exemplars)
    listed = Page(site["data.html"].decode()).words()
    for table in records(result):
        assert table.title in listed
        assert json.loads(site[f"data/{table.id}.json"])["id"] == table.id


def test_the_first_page_answers_before_it_lists_alerts(site: dict[str, bytes]) -> None:
    source = site["index.html"].decode()
    order = [source.index(f'id="{name}"') for name in ("next", "gates", "objectives", "burn-rates")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("word", "more", "text", "tone"),
    [
        (ChangeWord.WORSE, {}, "+1\u00a0pp since 2026-W46, worse", "bad"),
        (ChangeWord.BETTER, {"difference": -0.01}, "−1\u00a0pp since 2026-W46, better", "good"),
        (ChangeWord.NO_CHANGE, {}, "no change since 2026-W46", "none"),
        (ChangeWord.TOO_FEW, {}, "+1\u00a0pp since 2026-W46, too few to tell", "none"),
    ],
)
def test_an_objective_says_what_became_of_it_since_the_period_before(
    word: ChangeWord, more: dict[str, Any], text: str, tone: str
) -> None:
    result = synthetic_result()
    objective = result.objectives[0]
    compared = against(change(objective.id, word, **more))
    page = Page(render(result.model_copy(update={"comparisons": (compared,)}), ())[
        "index.html"].decode())  # fmt: skip
    (note,) = [s for s in page.all("small", class_=tone) if "2026-W46" in s.text]
    assert note.text == text


def test_a_comparison_of_parts_or_a_refused_one_is_no_change_since() -> None:
    result = synthetic_result()
    for compared in (
        against(change(result.objectives[0].id, ChangeWord.WORSE), kind="segment"),
        against(change(result.objectives[0].id, ChangeWord.WORSE), refused="another schema"),
        against(change(result.objectives[0].id, ChangeWord.NOT_COMPARED, difference=None)),
    ):
        found = render(result.model_copy(update={"comparisons": (compared,)}), ())["index.html"]
        assert "since 2026-W46" not in found.decode()
    assert row(result.objectives[0]).change is None


def overall(**data: int) -> ReadinessResult:
    columns = tuple(Column(key=key, title=key, unit="count") for key in data)
    stored: dict[str, Any] = {key: [value] for key, value in data.items()}
    table = Table(id="overall", title="Overall", columns=columns, data=stored)
    return synthetic_result(tables={"overall": table}, objectives=())


HITS = Figure("Cache hits", "ratio", "known", num="hits", whole="calls", counted="hits")


@pytest.mark.parametrize(
    ("known", "value", "unit", "note"),
    [
        (163, "163", "hits", "163 of 10,065 calls log it: no rate"),
        (5_032, "163", "hits", "5,032 of 10,065 calls log it: no rate"),
        (5_033, "3.24", "%", "5,033 of 10,065 calls log it"),
        (10_065, "1.62", "%", "10,065 calls"),
    ],
)
def test_a_rate_that_few_calls_carry_is_no_rate(
    known: int, value: str, unit: str, note: str
) -> None:
    made = tile(overall(hits=163, known=known, calls=10_065), HITS)
    assert made is not None
    assert (made.value, made.unit, made.note) == (value, unit, note)


def test_the_limit_of_a_thousand_calls_is_that_of_a_thousand() -> None:
    result = synthetic_result()
    cost = result.objectives[0].model_copy(update={
        "indicator": "cost_per_call", "statistic": "mean", "selector": {}, "unit": "nano_usd",
        "limit": "20000000", "comparator": "<=",
    })  # fmt: skip
    made = tile(result.model_copy(update={"objectives": (cost,)}), COST_PER_1000)
    assert made is not None
    assert made.note == "limit ≤\u00a0$20.00"  # a thousand times $0.02


@pytest.mark.parametrize(
    ("allowed", "note"),
    [((45, 100), "2 of 0.45"), ((29, 10), "2 of 2.9"), ((2904, 100), "2 of 29")],
)
def test_a_small_budget_is_told_with_its_part_of_an_event(
    allowed: tuple[int, int], note: str
) -> None:
    num, den = allowed
    assert budget_texts(Budget(allowed_num=num, allowed_den=den, bad=2))[1] == note


def test_a_day_is_shown_without_its_midnight() -> None:
    columns = (Column(key="day", title="Day", unit="time"),
               Column(key="calls", title="Calls", unit="count"))  # fmt: skip
    table = Table(id="days", title="Days", columns=columns,
                  data={"day": [1_795_129_200], "calls": [3]})  # fmt: skip
    made = view(table, (Col("Day", "time", "day"), count("Calls", "calls")), "Days",
                zone="Europe/Berlin")  # fmt: skip
    assert made is not None
    # 2026-11-19T23:00:00Z is midnight of the 20th in Berlin.
    assert made.rows[0][0].text.replace("\u00a0", " ") == "Fri 20 Nov 2026"
