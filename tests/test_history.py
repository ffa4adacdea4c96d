"""What is kept of each period, and the page, the trends and the feed of all of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.charts.trend import TrendPoint, trend
from gonogo.conventions import Status, Verdict
from gonogo.exports.atom import atom_xml
from gonogo.exports.json_out import dumps
from gonogo.history import Archive, Entry, edition, is_period, read
from gonogo.results import Decision, Period, ReadinessResult, SiteInfo
from gonogo.site import render, render_history
from hostile import ATTACK_STRINGS
from hostile_result import hostile_result
from sitecheck import Page
from synthetic import synthetic_result

ATOM = {"a": "http://www.w3.org/2005/Atom"}
# What a first version wrote, as little of it as later versions still have to understand.
OLD = {
    "schema_version": 0,
    "generator": "gonogo 0.0.1",
    "profile": "public",
    "period": {"label": "2025-W52", "start": 1766361600, "end": 1766966400, "timezone": "UTC"},
    "as_of": 1766966000,
    "readiness": {"verdict": "NO-GO", "headline": "NO-GO: too slow"},
    "slo": {"verdict": "GO"},
    "objectives": [
        {"id": "latency.p95", "slug": "latency-p95", "title": "p95 latency", "unit": "us",
         "comparator": "<=", "limit": "2500000", "observed": 2600000.0, "status": "BREACHED"},
        {"id": "vibes", "title": "vibes", "unit": "furlongs", "limit": "many", "observed": 3,
         "status": "SPLENDID"},
    ],
    "ingest": {"calls": 12, "accepted": 13},
}  # fmt: skip


def entry_of(result: ReadinessResult, name: str = "2026-W47") -> Entry:
    found = read(dumps(result).encode(), name)
    assert found is not None
    return found


def week(number: int, **overrides: Any) -> Entry:
    """The made-up result as that of another week of 2026."""
    start = 1766966400 + number * 7 * 86400
    period = Period(
        label=f"2026-W{number:02}", start=start, end=start + 7 * 86400, first=None, last=None,
        timezone="UTC", provisional=False, untimed_calls=0,
    )  # fmt: skip
    return entry_of(synthetic_result(period=period, **overrides), f"2026-W{number:02}")


# --- what is read of a period ---------------------------------------------------------------------


def test_an_entry_says_what_the_result_said() -> None:
    result = synthetic_result()
    entry = entry_of(result)
    assert (entry.verdict, entry.slo) == (result.readiness.verdict, result.slo.verdict)
    assert [p.id for p in entry.points] == [o.id for o in result.objectives]
    assert [p.observed for p in entry.points] == [o.observed for o in result.objectives]
    assert entry.calls == result.ingest.calls
    assert entry.gates == tuple((g.id, g.status.value) for g in result.gates)


def test_a_result_of_another_version_keeps_its_place() -> None:
    for version in (0, 99):
        content = json.dumps(OLD | {"schema_version": version, "surprise": [1]}).encode()
        entry = read(content, "2025-W52")
        assert entry is not None
        assert (entry.verdict, entry.slo, entry.calls) == (Verdict.NO_GO, Verdict.GO, 12)
        first, second = entry.points
        assert (first.status, first.observed) == (Status.BREACHED, 2_600_000)
        assert (second.status, second.observed) == (None, 3)
        page = Page(render_history([entry, week(1)], "gonogo")["index.html"].decode())
        assert "Dec 2025" in page.words()
        assert "2.6 s" in page.words()


def test_a_result_that_cannot_be_judged_any_more_is_shown_as_unreadable_not_as_passed() -> None:
    bare = read(b'{"schema_version": 7, "generator": "gonogo 9"}', "2026-W02")
    assert bare is not None
    assert bare.verdict is None
    words = Page(render_history([bare], "gonogo")["index.html"].decode()).words()
    assert "Unreadable" in words
    assert "written by gonogo 9" in words
    assert "2026-W02: unreadable" in atom_xml([bare])


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*OLD, *OLD["period"], "verdict", "id"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(list(OLD)), JSON), st.binary(max_size=20))
def test_whatever_stands_in_the_file_is_an_entry_or_none(data: dict[str, Any], raw: bytes) -> None:
    read(raw, "2026-W01")
    entry = read(json.dumps(data | {"schema_version": 1}).encode(), "2026-W01")
    assert entry is not None
    render_history([entry], "gonogo")
    ET.fromstring(atom_xml([entry]))


# --- editions -------------------------------------------------------------------------------------


def judged(verdict: Verdict, calls: int, **more: Any) -> ReadinessResult:
    result = synthetic_result(
        readiness=Decision(verdict=verdict, headline=verdict.value, reasons=()), **more
    )
    read_ = result.ingest.model_copy(update={"calls": calls, "accepted": calls})
    return result.model_copy(update={"ingest": read_})


def again(before: ReadinessResult, after: ReadinessResult) -> ReadinessResult:
    return edition(after, entry_of(edition(before, None)))


def test_the_first_edition_needs_no_reason() -> None:
    (only,) = edition(judged(Verdict.GO, 100), None).revisions
    assert (only.number, only.verdict, only.calls, only.reason) == (1, Verdict.GO, 100, "")


def test_the_same_again_is_no_edition() -> None:
    one = judged(Verdict.GO, 100)
    same = one.model_copy(update={"generator": "gonogo 9"})
    assert len(again(one, same).revisions) == 1


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (judged(Verdict.NO_GO, 120), "late records: 20 more calls"),
        (judged(Verdict.GO, 1), "fewer records: 99 calls less"),
        (judged(Verdict.NO_GO, 100), "other evidence"),
        (judged(Verdict.NO_GO, 100, generator="gonogo 9.9"), "judged by gonogo 9.9"),
        (
            judged(Verdict.GO, 100, config=synthetic_result().config.model_copy(
                update={"content": "another"})),
            "other thresholds or settings",
        ),
    ],
)  # fmt: skip
def test_an_edition_says_why(after: ReadinessResult, reason: str) -> None:
    first, second = again(judged(Verdict.GO, 100), after).revisions
    assert (first.number, first.verdict) == (1, Verdict.GO)
    assert (second.number, second.verdict) == (2, after.readiness.verdict)
    assert second.reason == reason


def test_records_of_other_weeks_in_the_same_files_are_no_late_records() -> None:
    one = judged(Verdict.GO, 100)
    more = one.ingest.model_copy(update={"accepted": 5100, "outside_period": 5000})
    assert len(again(one, one.model_copy(update={"ingest": more})).revisions) == 1


# --- the archive ----------------------------------------------------------------------------------


def test_an_archive_gives_back_what_it_was_given_and_keeps_what_was_said_before(
    tmp_path: Path,
) -> None:
    import gzip

    archive = Archive(tmp_path, "public")
    first = edition(judged(Verdict.GO, 100), None)
    second = edition(judged(Verdict.NO_GO, 120), entry_of(first))
    for result in (first, first, second, second):
        pages = {"readiness.json": dumps(result).encode(), "index.html": b"<p>", "data/a.csv": b""}
        archive.save("2026-W47", pages)
        assert archive.pages("2026-W47") == pages
        assert archive.results() == {"2026-W47": pages["readiness.json"]}
    folder = tmp_path / "periods" / "public" / "2026-W47"
    assert sorted(p.name for p in (folder / "editions").iterdir()) == ["1.json.gz"]
    kept = gzip.decompress((folder / "editions" / "1.json.gz").read_bytes())
    assert kept == dumps(first).encode()
    once = (folder / "site.zip").read_bytes()
    archive.save("2026-W47", dict(reversed(pages.items())))
    assert (folder / "site.zip").read_bytes() == once
    assert not [p for p in folder.parent.iterdir() if p.name.startswith(".")]
    assert Archive(tmp_path, "internal").results() == {}


def test_names_of_periods_are_told_from_other_folders() -> None:
    for name in ("2026-W47", "2026-11-16", "2026-11-16_2026-11-20",
                 "20261116T000000Z_20261116T120000Z"):  # fmt: skip
        assert is_period(name)
    for name in ("latest", "assets", "..", "2026", "2026-W47.old", "2026-W47/../x", ""):
        assert not is_period(name)


# --- the page and the feed ------------------------------------------------------------------------


def test_the_page_of_all_periods_shows_each_with_gaps_in_between() -> None:
    entries = [week(1), week(2), week(5)]
    files = render_history(entries, "gonogo 1")
    page = Page(files["index.html"].decode())
    cells = [e.text for e in page.all("span", class_="week")]
    assert [c for c in cells if "W03" in c or "W04" in c]
    assert len(page.all("a", class_="week")) == 3
    assert page.words().count("Not built") == 2
    links = {e.attrs["href"] for e in page.all("a")}
    assert {"2026-W01/index.html", "2026-W05/index.html", "feed.xml", "history.json"} <= links
    assert "../2026-W05/cost.html" in files["latest/cost.html"].decode()
    known = json.loads(files["history.json"])
    assert [p["name"] for p in known["periods"]] == ["2026-W01", "2026-W02", "2026-W05"]
    assert known["periods"][0]["objectives"][0]["observed"] == entries[0].points[0].observed


def test_an_objective_that_is_judged_no_longer_says_so_and_a_new_one_has_no_before() -> None:
    result = synthetic_result()
    before = week(1, objectives=result.objectives[:2])
    now = week(2, objectives=result.objectives[1:3])
    page = Page(render_history([before, now], "gonogo")["index.html"].decode())
    rows = [e.text for e in page.all("tr")]
    gone = [r for r in rows if "no longer judged" in r]
    assert len(gone) == 1
    assert result.objectives[0].title.split(" ", 1)[-1] in gone[0]


def test_a_trend_has_a_point_a_period_and_gaps_where_nothing_was_measured() -> None:
    points = [TrendPoint(v, 2.0, "good") for v in (1.0, None, 3.0)]
    root = ET.fromstring(trend(points))
    circles = root.findall("circle")
    assert [(c.get("cx"), c.get("cy")) for c in circles] == [("5.0", "39.0"), ("215.0", "5.0")]
    line = next(p for p in root.findall("path") if p.get("class") == "line")
    assert line.get("d", "").count("M") == 2
    assert trend([TrendPoint(None, 2.0, "none")]) == ""


def test_the_feed_is_atom_and_an_edition_is_an_update() -> None:
    feed = ET.fromstring(atom_xml([week(1), week(2)]))
    entries = feed.findall("a:entry", ATOM)
    assert [e.findtext("a:title", "", ATOM)[:8] for e in entries] == ["2026-W02", "2026-W01"]
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert element.findtext(f"a:{name}", "", ATOM), name
    first = edition(judged(Verdict.GO, 100), None)
    second = edition(judged(Verdict.NO_GO, 120), entry_of(first))
    feeds = [ET.fromstring(atom_xml([entry_of(r)])) for r in (first, second)]
    ids, times = (
        [f.findtext(f"a:entry/a:{name}", "", ATOM) for f in feeds] for name in ("id", "updated")
    )
    assert ids[0] == ids[1]
    assert times[0] < times[1]
    assert "late records" in feeds[1].findtext("a:entry/a:summary", "", ATOM)


@pytest.mark.parametrize("text", [t for t in ATTACK_STRINGS if len(t) < 1000])
def test_hostile_texts_neither_run_nor_break_the_page_and_the_feed(text: str) -> None:
    result = hostile_result(text, tables={}, site=SiteInfo(title=text or "x"))
    entries = [entry_of(result), entry_of(result, "2026-W48")]
    files = render_history(entries, text)
    page = Page(files["index.html"].decode())
    assert {e.attrs.get("src", "").split("?")[0] for e in page.all("script")} == {
        "assets/theme.js", "assets/app.js",
    }  # fmt: skip
    assert not [e for e in page.elements if any(a.startswith("on") for a in e.attrs)]
    for element in page.all("a"):
        assert not element.attrs["href"].lower().startswith(("javascript:", "data:", "//"))
    feed = ET.fromstring(atom_xml(entries))
    assert {e.tag.partition("}")[2] for e in feed.iter()} == {
        "feed", "id", "title", "updated", "link", "author", "name", "entry", "summary",
    }  # fmt: skip


# --- the age of a page ----------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
@pytest.mark.parametrize(("days", "shown"), [(7, False), (8.5, True), (400, True), (-3, False)])
def test_an_old_page_says_how_old_it_is(tmp_path: Path, days: float, shown: bool) -> None:
    import time

    end = int(time.time() - days * 86400)
    period = synthetic_result().period.model_copy(update={"start": end - 604800, "end": end})
    result = synthetic_result(period=period)
    for name, content in render(result, ()).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'user'}"]
    done = subprocess.run(
        ["chromium", *flags, "--dump-dom", f"file://{tmp_path}/index.html"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    is_old = "old" in done.stdout.partition(">")[0] + done.stdout[:400].split("<head")[0]
    assert is_old is shown
    assert (f"{int(days)} days</span>" in done.stdout) is shown
