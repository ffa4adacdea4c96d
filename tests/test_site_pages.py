"""What every page of the site promises, on the made-up week."""

from __future__ import annotations

import gzip
import re
from functools import cache

import pytest

from gonogo import charts
from gonogo.config.keys import RESERVED
from gonogo.conventions import Severity, Status, Verdict
from gonogo.results import Decision, ReadinessResult, Reason
from gonogo.site import render
from gonogo.site.shell import HREF, PAGES
from gonogo.site.templates import templates_dir
from gonogo.site.text import clipped
from sitecheck import Page
from synthetic import synthetic_result

HTML = [href for _, href, _ in PAGES]
EXPORTED = {"readiness.json", "breaches.md", "breaches.json"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def drawn() -> tuple[charts.Chart, ...]:
    return tuple(charts.render(synthetic_result()))


@cache
def site() -> dict[str, bytes]:
    return render(synthetic_result(), drawn())


@cache
def page(name: str) -> Page:
    return Page(site()[name].decode("utf-8"))


def first(result: ReadinessResult) -> Page:
    return Page(render(result, ())["index.html"].decode("utf-8"))


@pytest.mark.parametrize("name", HTML)
def test_a_page_is_well_formed_with_landmarks_and_unique_ids(name: str) -> None:
    found = page(name)
    assert site()[name].startswith(b"<!doctype html>")
    assert found.all("html")[0].attrs["lang"] == "en"
    assert found.elements[1].tag == "head"
    for tag in ("h1", "main", "nav"):
        assert len(found.all(tag)) == 1, tag
    assert len(found.ids()) == len(set(found.ids()))
    assert found.all("a", class_="skip")[0].attrs["href"] == "#content"
    assert found.all("main")[0].attrs["id"] == "content"
    assert [a.attrs["href"] for a in found.all("a", aria_current="page")] == [name]


@pytest.mark.parametrize("name", HTML)
def test_the_content_policy_holds_because_nothing_is_inline(name: str) -> None:
    found = page(name)
    assert [
        m.attrs["content"] for m in found.all("meta", http_equiv="Content-Security-Policy")
    ] == [POLICY]
    assert not found.all("style")
    for element in found.elements:
        assert "style" not in element.attrs, element
        assert not [a for a in element.attrs if a.startswith("on")], element
    scripts = found.all("script")
    assert len(scripts) == 2
    assert all(s.attrs["src"].startswith("assets/") and not s.text for s in scripts)
    assert found.all("meta", name="robots")[0].attrs["content"] == "noindex"


@pytest.mark.parametrize("name", HTML)
def test_every_address_is_relative_and_leads_somewhere(name: str) -> None:
    files = set(site()) | EXPORTED
    for element in page(name).elements:
        for key in ("href", "src", "xlink:href", "action", "srcset"):
            address = element.attrs.get(key)
            if address is None:
                continue
            assert not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|/", address), address
            path, _, anchor = address.partition("#")
            path = path.partition("?")[0] or name
            assert path in files, address
            if anchor:
                assert anchor in page(path).ids(), address


def test_no_other_host_is_named_anywhere_in_markup_styles_or_scripts() -> None:
    for name, content in site().items():
        if name.endswith((".html", ".css", ".js")):
            found = re.findall(rb"(?:https?:)?//[a-z0-9-]+\.[a-z0-9.]+", content)
            assert set(found) <= {b"http://www.w3.org"}, (name, found)


@pytest.mark.parametrize("name", HTML)
def test_every_table_has_a_caption_and_heads_with_a_scope(name: str) -> None:
    found = page(name)
    tables, captions = found.all("table"), found.all("caption")
    assert len(tables) == len(captions)
    assert all(c.text.strip() for c in captions)
    assert all(th.attrs.get("scope") in ("col", "row") for th in found.all("th"))
    assert {th.attrs["aria-sort"] for th in found.all("th") if "aria-sort" in th.attrs} <= {
        "ascending", "descending",
    }  # fmt: skip


@pytest.mark.parametrize("name", HTML)
def test_a_status_is_always_an_icon_and_a_word(name: str) -> None:
    source = site()[name].decode()
    pills = re.findall(r'<span class="pill [a-z]+">(.*?)</span>', source)
    assert pills
    assert all(re.fullmatch(r"<svg class=.*?</svg>[A-Z][A-Za-z -]+", p) for p in pills)


@pytest.mark.parametrize("name", HTML)
def test_a_page_weighs_at_most_40_kb_compressed(name: str) -> None:
    assert len(gzip.compress(site()[name], 9, mtime=0)) <= 40 * 1024


def test_styles_and_scripts_weigh_at_most_16_kb_each() -> None:
    scripts = [c for name, c in site().items() if name.endswith(".js")]
    assert 0 < sum(len(gzip.compress(c, 9, mtime=0)) for c in scripts) <= 16 * 1024
    assert 0 < len(gzip.compress(site()["assets/app.css"], 9, mtime=0)) <= 16 * 1024


def test_every_chart_of_a_page_has_its_table_and_finding() -> None:
    for chart in drawn():
        name = HREF[chart.page]
        figure = next(f for f in page(name).all("figure") if f.attrs["id"] == f"chart-{chart.id}")
        assert "View as table" in figure.text
        assert " ".join(chart.caption.split()) in " ".join(figure.text.split())
        assert f"data/chart-{chart.id}.csv" in site()


def test_objectives_and_excursions_have_permanent_addresses() -> None:
    result = synthetic_result()
    assert {o.slug for o in result.objectives} <= set(page("index.html").ids())
    assert result.excursions
    assert {e.id for e in result.excursions} <= set(page("breaches.html").ids())


def test_the_notice_stands_before_the_verdict() -> None:
    notice = "telemetry only, default thresholds: this is not a readiness decision"
    words = first(synthetic_result(notice=notice, telemetry_only=True)).all("main")[0].text
    assert words.index(notice[1:]) < words.index("NO-GO")
    assert notice[1:] not in page("index.html").words()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_is_said_in_word_title_and_icon(verdict: Verdict) -> None:
    decision = Decision(verdict=verdict, headline="Because of this.", reasons=())
    files = render(synthetic_result(readiness=decision), ())
    found = Page(files["index.html"].decode())
    said = next(e for e in found.elements if e.attrs.get("class", "").startswith("verdict "))
    assert said.text.strip() == verdict.value
    assert found.all("title")[0].text.startswith(verdict.value)
    colours = {Verdict.GO: b"#0f7d55", Verdict.NO_GO: b"#c22733", Verdict.CONDITIONS: b"#9a6200",
               Verdict.INCONCLUSIVE: b"#5b616e"}  # fmt: skip
    assert colours[verdict] in files["assets/favicon.svg"]


def test_both_results_are_shown_where_they_differ() -> None:
    go = Decision(verdict=Verdict.GO, headline="All objectives are met.", reasons=())
    rows = first(synthetic_result(slo=go)).all("ul", class_="two")[0].text
    assert re.search(r"SLO.*GO.*Readiness.*NO-GO", rows, re.DOTALL)


def test_at_most_three_reasons_are_on_the_first_screen() -> None:
    many = tuple(Reason(status=Status.BREACHED, text=f"reason {i}") for i in range(5))
    decision = Decision(verdict=Verdict.NO_GO, headline="Five.", reasons=many)
    text = first(synthetic_result(readiness=decision)).all("ul", class_="reasons")[0].text
    assert [i for i in range(5) if f"reason {i}" in text] == [0, 1, 2]
    assert "and 2 more" in text


def test_objectives_beyond_the_seventh_are_folded_worst_first() -> None:
    result = synthetic_result()
    one = result.objectives[-1]
    more = tuple(one.model_copy(update={"slug": f"more-{i}"}) for i in range(4))
    found = first(synthetic_result(objectives=(*result.objectives, *more)))
    fold = next(d for d in found.all("details", class_="more") if "met" in d.text)
    assert fold.text.strip().startswith("3 more, all met")


def test_no_gate_is_said_without_naming_a_section_that_is_refused() -> None:
    text = first(synthetic_result(gates=())).all("p", class_="gates")[0].text
    assert "none declared" in text
    assert not [name for name in RESERVED if f"[{name}" in text]


def test_a_ratio_shows_its_numerator_and_denominator() -> None:
    overall = synthetic_result().tables["guardrails"]
    row = overall.data["triggered"][0], overall.data["calls"][0]
    assert f"{row[0]:,} of {row[1]:,}" in page("quality.html").words()


def test_severities_that_do_not_block_are_named() -> None:
    result = synthetic_result()
    weak = result.objectives[0].model_copy(update={"severity": Severity.INFORMATIONAL})
    found = first(synthetic_result(objectives=(weak, *result.objectives[1:])))
    assert "informational" in found.all("table", class_="objectives")[0].text


def test_the_conservation_law_is_shown_with_whether_it_holds() -> None:
    assert "Adds up" in page("data.html").words()
    ingest = synthetic_result().ingest.model_copy(update={"quarantined": 999})
    broken = render(synthetic_result(ingest=ingest), ())["data.html"].decode()
    assert "Does not add up" in Page(broken).words()


@pytest.mark.parametrize(
    ("text", "longest", "said"),
    [
        ("it may be as high as 2.19 %", 14, "it may be as…"),
        ("it may be as high as 2.19 %", 13, "it may be as…"),
        ("it may be as high as 2.19 %", 24, "it may be as high as…"),
        ("it may be as high", 17, "it may be as high"),
        ("m" * 90, 80, "m" * 79 + "…"),
        ("tenant " + "x" * 90, 40, "tenant " + "x" * 32 + "…"),
        ("a  b\n c", 80, "a b c"),
    ],
)
def test_a_text_is_cut_behind_a_word(text: str, longest: int, said: str) -> None:
    assert clipped(text, longest) == said


def test_what_coincides_is_a_list_with_bullets() -> None:
    css = (templates_dir() / "assets" / "app.css").read_text()
    assert re.search(r"\.story > ul \{[^}]*list-style: disc", css)
