"""Contexts and templates agree, absent data fold, and the same result gives the same bytes."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

import gonogo
from gonogo import charts
from gonogo.conventions import ChangeWord, Severity, Status
from gonogo.indicators import INDICATORS
from gonogo.results import (
    Budget,
    Change,
    Column,
    Comparison,
    ReadinessResult,
    SiteInfo,
    Table,
)
from gonogo.site import model, render, templates_dir
from gonogo.site.figures import ERROR_RATE, P95, trend
from gonogo.site.incident import incident_html
from gonogo.site.layout import blocks
from gonogo.site.model import IncidentPart
from gonogo.site.objectives import budget_texts, page_of
from gonogo.site.shell import PAGES
from gonogo.site.tables import rate, text, view
from sitecheck import Page
from synthetic import synthetic_result

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA"
    "60e6kgAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""

CONTEXTS = [
    thing
    for _, thing in inspect.getmembers(model, inspect.isclass)
    if dataclasses.is_dataclass(thing) and thing.__module__ == model.__name__
]


def bare() -> ReadinessResult:
    """What is left where the logs hold next to nothing."""
    columns = (Column(key="calls", title="Calls", unit="count"),)
    overall = Table(id="overall", title="Overall", columns=columns, data={"calls": [3]})
    return synthetic_result(
        tables={"overall": overall}, objectives=(), excursions=(), exemplars=(), coverage=(),
        gates=(), not_applicable={"retrievals": "a chat without search"},
    )  # fmt: skip


def rich() -> ReadinessResult:
    """Every kind of thing that a result may hold."""
    result = synthetic_result(profile="internal")
    first, *rest = result.objectives
    first = first.model_copy(update={"runbook": "https://wiki.example/latency", "owner": "team-a",
                                     "severity": Severity.WARNING})  # fmt: skip
    more = [first.model_copy(update={"slug": f"more-{i}"}) for i in range(4)]
    changed = Change(objective=first.id, title="p95", unit="us", word=ChangeWord.WORSE, text="",
                     new=2.0, old=1.0, new_total=9, old_total=9, difference=1.0, low=None,
                     high=None, band=None, method="", adjusted=None, adjusted_low=None,
                     adjusted_high=None, adjusted_note="")  # fmt: skip
    before = Comparison(id="baseline", title="Before", kind="period", new="this", old="that",
                        changes=(changed,))  # fmt: skip
    return result.model_copy(update={
        "objectives": (first, *rest, *more), "comparisons": (before,),
        "notice": "read this", "notes": ("small print",),
        "not_applicable": {"retrievals": "no search"},
        "site": SiteInfo(title="t", subtitle="s", footer="f", accent="#3a4fd0", logo=PIXEL,
                         trace_url="https://traces.example/{trace_id}"),
    })  # fmt: skip


def test_contexts_hold_exactly_what_the_templates_use(monkeypatch: pytest.MonkeyPatch) -> None:
    used: dict[type, set[str]] = {}
    real = Environment.getattr

    def recorded(self: Environment, obj: Any, attribute: str) -> Any:
        used.setdefault(type(obj), set()).add(attribute)
        return real(self, obj, attribute)

    monkeypatch.setattr(Environment, "getattr", recorded)
    drawn = charts.render(synthetic_result())
    for result in (rich(), bare(), synthetic_result()):
        render(result, drawn if result.tables.keys() > {"overall"} else ())
    incident_html("a title", "a summary", [IncidentPart("Impact", ("a line",), ("",))], "gonogo")
    # Result lines and the like are all there: a class that no page shows would be dead weight.
    for context in CONTEXTS:
        fields = {f.name for f in dataclasses.fields(context)}
        assert fields == used.get(context, set()), context.__name__


def test_contexts_are_frozen_and_documented() -> None:
    for context in CONTEXTS:
        assert context.__doc__
        assert not context.__doc__.startswith(f"{context.__name__}("), context.__name__
        assert context.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_absent_parts_fold_into_one_line_that_says_what_to_log() -> None:
    pages = {n: Page(c.decode()) for n, c in render(bare(), ()).items() if n.endswith(".html")}
    for name, field in (
        ("latency.html", "latency_ms"),
        ("latency.html", "ttft_ms"),
        ("errors.html", "error_type"),
        ("errors.html", "finish_reason"),
        ("errors.html", "retries"),
        ("quality.html", "guardrails[]"),
        ("quality.html", "tool_calls[]"),
        ("cost.html", "cost_usd"),
        ("cost.html", "input_tokens"),
    ):
        lines = [p.text for p in pages[name].all("p", class_="absent")]
        assert any(re.search(rf"[Ll]og\b.*{re.escape(field)}", line) for line in lines), (
            name,
            field,
        )
    quality = [p.text for p in pages["quality.html"].all("p", class_="absent")]
    assert "Retrieval: declared not applicable: a chat without search" in [
        q.strip() for q in quality
    ]
    for name in ("latency", "errors", "quality", "evaluation", "cost"):
        found = pages[f"{name}.html"]
        assert not found.all("table")
        assert not found.all("figure")
        assert not found.all("h3")
    assert "by more than chance explains" in pages["breaches.html"].words()


def test_an_empty_table_or_an_unlogged_column_is_not_shown() -> None:
    columns = (Column(key="name", title="Name", unit="text"),)
    cols = (text("Name", "name"), rate("Rate", "bad", "all"), rate("Gone", "x", "y"))
    empty = Table(id="t", title="T", columns=columns, data={"name": [], "bad": [], "all": []})
    assert view(empty, cols, "T") is None
    assert view(None, cols, "T") is None
    full = Table(id="t", title="T", columns=columns,
                 data={"name": ["a", "b"], "bad": [0, 0], "all": [0, 0]})  # fmt: skip
    made = view(full, cols, "T")
    assert made is not None
    assert [h.text for h in made.headers] == ["Name"]


def test_long_tables_fold_and_say_their_order() -> None:
    n = 40
    data: dict[str, list[Any]] = {"name": [f"v{i}" for i in range(n)], "all": list(range(n, 0, -1)),
                                  "bad": [1] * n}  # fmt: skip
    columns = (Column(key="name", title="Name", unit="text"),)
    cols = (text("Name", "name"), rate("Rate", "bad", "all"))
    made = view(Table(id="t", title="T", columns=columns, data=data), cols, "T")
    assert made is not None
    assert (len(made.rows), len(made.folded)) == (12, 28)
    assert made.headers[1].sort == "ascending"
    assert made.rows[0][1].small == "1 of 40"


def hours(**data: list[Any]) -> Table:
    return Table(id="hours", title="Hours", columns=(), data=data)


def trend_y(table: Table, figure: Any) -> list[float]:
    drawn = trend(table, figure)
    assert drawn is not None
    line = re.search(r'class="spark-line"[^>]* d="([^"]+)"', drawn)
    assert line
    return [float(y) for y in re.findall(r",([\d.]+)", line[1])]


def test_trends_add_numerators_and_denominators_and_leave_partial_hours_out() -> None:
    # Two hours a point: the ratio of sums is 1/100 and 2/100, the mean of ratios would be equal.
    n = 112
    errors = [0, 1] * 28 + [1, 1] * 28
    known = [90, 10] * 28 + [50, 50] * 28
    ys = trend_y(hours(errors=errors, error_known=known, partial=[False] * n), ERROR_RATE)
    assert len(ys) == 56
    assert len(set(ys[:28])) == len(set(ys[28:])) == 1
    assert ys[0] > ys[-1]
    cut = hours(errors=[1, 1, 9], error_known=[10, 10, 10], partial=[False, False, True])
    assert len(set(trend_y(cut, ERROR_RATE))) == 1


def test_trends_of_percentiles_take_the_highest_hour_and_never_an_average() -> None:
    ys = trend_y(hours(latency_p95=[1, 1] * 28 + [1, 9] * 28), P95)
    assert len(set(ys)) == 2
    spiky = trend_y(hours(latency_p95=[1, 9] * 28 + [9, 9] * 28), P95)
    assert len(set(spiky)) == 1
    assert trend(hours(latency_p95=[5]), P95) is None
    assert trend(None, P95) is None


def test_half_blocks_find_a_neighbour_or_take_the_row() -> None:
    drawn = charts.render(synthetic_result())
    seen = set()
    lonely = [c for c in drawn if c.id != "tool-error-rate"]  # tool outcomes lose their neighbour
    sites = (render(synthetic_result(), drawn), render(synthetic_result(), lonely))
    for name, content in (page for site in sites for page in site.items()):
        if not name.endswith(".html"):
            continue
        spans = re.findall(r'<(?:figure|section) class="card (?:plot )?(full|half|alone)"',
                           content.decode())  # fmt: skip
        seen |= set(spans)
        run = 0
        for span in [*spans, "full"]:
            if span == "half":
                run += 1
            else:
                assert run % 2 == 0, name
                run = 0
    assert seen == {"full", "half", "alone"}
    assert blocks(()) == ()


def test_every_indicator_has_a_page() -> None:
    assert {page_of(name) for name in INDICATORS} == {"latency", "errors", "quality", "cost"}
    assert page_of("golden_set") == "evaluation"


@pytest.mark.parametrize(
    ("budget", "left"),
    [
        (None, "–"),
        (Budget(allowed_num=0, allowed_den=1, bad=3), "none allowed"),
        (Budget(allowed_num=1000, allowed_den=10, bad=100), "0\u00a0%"),
        (Budget(allowed_num=1000, allowed_den=10, bad=101), "overspent"),
        (Budget(allowed_num=1000, allowed_den=10, bad=25), "75\u00a0%"),
    ],
)
def test_the_budget_left_is_never_below_zero_without_saying_so(budget: Any, left: str) -> None:
    assert budget_texts(budget)[0] == left


def test_badges_count_what_is_breached_where_it_is_shown() -> None:
    result = synthetic_result()
    broken = [o for o in result.objectives if o.status is Status.BREACHED]
    index = Page(render(result, ())["index.html"].decode())
    badges = {
        a.attrs["href"]: a.text
        for a in index.all("nav")[0:1] and index.all("a")
        if "breached" in a.text
    }
    for _, href, _ in PAGES:
        n = sum(f"{page_of(o.indicator)}.html" == href for o in broken)
        if n:
            assert f"{n} breached objective" in badges[href]


def tokens() -> dict[str, tuple[str, str]]:
    css = (templates_dir() / "assets" / "app.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", css)
    return {name: (light, dark) for name, light, dark in found}


def test_the_style_sheet_gives_the_charts_their_colours() -> None:
    assert {name: tokens()[name] for name in charts.TOKENS} == charts.TOKENS


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_text_has_a_contrast_of_at_least_four_and_a_half_in_both_themes() -> None:
    found = tokens()
    surfaces = ("bg", "card", "sunk", "side", "hover")
    pairs = [(text_, on) for text_ in ("ink", "soft") for on in surfaces]
    pairs += [(text_, on) for text_ in ("muted", "link") for on in ("bg", "card", "sunk", "side")]
    for tone in ("good", "warn", "bad", "none"):
        pairs += [(f"{tone}-ink", on) for on in (f"{tone}-wash", "card", "bg")]
    pairs.append(("on-accent", "accent"))
    for front, back in pairs:
        for theme in (0, 1):
            ratio = contrast(found[front][theme], found[back][theme])
            assert ratio >= 4.5, (front, back, theme, ratio)


_DIGEST = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from gonogo import charts
from gonogo.site import render
from synthetic import synthetic_result
result = synthetic_result()
digest = hashlib.sha256()
for name, content in render(result, charts.render(result)).items():
    digest.update(name.encode() + b"\\0" + content + b"\\0")
print(digest.hexdigest())
"""


def test_the_same_result_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parent)
    sources = str(Path(gonogo.__file__).resolve().parents[1])
    found = set()
    for seed, zone, locale in (("1", "UTC", "C.UTF-8"), ("77", "Asia/Kolkata", "POSIX")):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale,
                            "PYTHONPATH": sources}  # fmt: skip
        run = subprocess.run([sys.executable, "-c", _DIGEST, tests], env=env, cwd=tmp_path,
                             capture_output=True, text=True, check=True)  # fmt: skip
        found.add(run.stdout)
    assert len(found) == 1, found


def test_templates_are_found_in_a_checkout_and_in_an_installed_package(tmp_path: Path) -> None:
    assert (templates_dir() / "base.html").is_file()
    package = Path(gonogo.__file__).resolve().parent
    installed = tmp_path / "lib" / "gonogo"
    shutil.copytree(package, installed, ignore=shutil.ignore_patterns("__pycache__", "_templates"))
    code = "from gonogo.site import templates_dir; print(templates_dir())"
    env = os.environ | {"PYTHONPATH": str(tmp_path / "lib")}
    command = [sys.executable, "-c", code]
    broken = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "FileNotFoundError" in broken.stderr
    shutil.copytree(templates_dir(), installed / "_templates")
    run = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()) == installed / "_templates"


def test_an_own_folder_of_templates_replaces_the_built_in_one(tmp_path: Path) -> None:
    shutil.copytree(templates_dir(), tmp_path / "mine")
    base = tmp_path / "mine" / "base.html"
    base.write_text(base.read_text(encoding="utf-8").replace("<b>Readiness</b>", "<b>Acme</b>"))
    assert b"<b>Acme</b>" in render(synthetic_result(), (), tmp_path / "mine")["index.html"]


def test_the_accent_of_the_site_is_used_only_if_it_is_a_colour() -> None:
    def css(accent: str) -> bytes:
        return render(synthetic_result(site=SiteInfo(title="t", accent=accent)), ())[
            "assets/app.css"
        ]

    assert b"--accent: #123abc;" in css("#123abc")
    assert b"--accent: #1ac;" in css("#1ac")
    assert b"evil" not in css("#123abc} body { evil: 1")
