"""Log text is hostile: it is shown, and never runs, breaks a page or leaves a cell."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from functools import cache
from typing import Any

import pytest

from gonogo.results import Column, ReadinessResult, SiteInfo, Table
from gonogo.site import render
from gonogo.site.tables import to_csv, to_json
from gonogo.site.text import clipped, visible, web_link
from sitecheck import Page
from synthetic import synthetic_result

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></textarea></script><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "a\u202egnp.exe\u2066b\u2069\u200f",
    "nul\x00bell\x07esc\x1b[31m\x9b",
    "lone \ud800 surrogate",
    "x" * 100_000,
    "line\nbreak\ttab\r\n",
)


def poisoned(name: str) -> ReadinessResult:
    """The made-up week with every text that can come from outside replaced by `name`."""
    result = synthetic_result(profile="internal")
    tables = {}
    for key, table in result.tables.items():
        data = {
            column: [name if isinstance(v, str) else v for v in values]
            for column, values in table.data.items()
        }
        tables[key] = table.model_copy(update={"data": data, "note": name})
    told: dict[str, Any] = {"title": name, "reason": name, "hint": name, "expression": name,
                            "owner": name, "runbook": name, "agreed_by": name}  # fmt: skip
    return result.model_copy(update={
        "tables": tables,
        "site": SiteInfo(title=name, subtitle=name, footer=name, accent=name,
                         logo=name,
                         trace_url="javascript:alert('{trace_id}')"),
        "generator": name,
        "notice": name,
        "readiness": result.readiness.model_copy(update={
            "headline": name,
            "reasons": tuple(r.model_copy(update={"text": name}) for r in result.readiness.reasons),
        }),
        "objectives": tuple(o.model_copy(update=told) for o in result.objectives),
        "excursions": tuple(
            e.model_copy(update={"title": name, "sentence": name}) for e in result.excursions
        ),
        "gates": tuple(
            g.model_copy(update={
                "title": name, "text": name, "next_step": name,
                "findings": tuple(
                    f.model_copy(update={"text": name, "by": name, "next_step": name})
                    for f in g.findings
                ),
            })
            for g in result.gates
        ),
        "coverage": tuple(c.model_copy(update={"title": name, "field": name, "hint": name})
                          for c in result.coverage),
        "exemplars": tuple(
            x.model_copy(update={"trace_id": name, "model": name, "operation": name,
                                 "release": name, "error_class": name, "rule": name})
            for x in result.exemplars
        ),
        "ingest": result.ingest.model_copy(update={
            "files": tuple(f.model_copy(update={"path": name, "note": name})
                           for f in result.ingest.files),
            "problems": tuple(p.model_copy(update={"what": name, "example": name, "hint": name})
                              for p in result.ingest.problems),
        }),
        "config": result.config.model_copy(update={"path": name, "lines": (name, name)}),
        "notes": (name,),
        "not_applicable": {"retrievals": name, name: name},
    })  # fmt: skip


@cache
def calm() -> dict[str, Page]:
    """The same pages with a harmless name."""
    files = render(poisoned("calm"), ())
    return {name: Page(content.decode()) for name, content in files.items() if name[-5:] == ".html"}


@pytest.mark.parametrize("name", NAMES, ids=lambda n: ascii(n[:12]))
def test_hostile_text_never_becomes_markup(name: str) -> None:
    files = render(poisoned(name), ())
    for page_name, content in files.items():
        if not page_name.endswith(".html"):
            continue
        found = Page(content.decode("utf-8"))
        assert [e.tag for e in found.elements] == [e.tag for e in calm()[page_name].elements]
        for element, quiet in zip(found.elements, calm()[page_name].elements, strict=True):
            assert element.attrs.keys() - {"title", "id", "href"} == (
                quiet.attrs.keys() - {"title", "id", "href"}
            )
            assert not element.attrs.get("href", "").startswith(("javascript:", "data:"))
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x08\x0e-\x1f]",
                             content.decode("utf-8"))  # fmt: skip
        assert len(gzip.compress(content)) < 40 * 1024
    assert name.encode("utf-8", "replace") not in files["assets/app.css"]


def test_what_was_logged_is_still_there_to_read() -> None:
    words = Page(render(poisoned(NAMES[0]), ())["latency.html"].decode()).words()
    assert NAMES[0] in words
    words = Page(render(poisoned(NAMES[5]), ())["latency.html"].decode()).words()
    assert "a⟨U+202E⟩gnp.exe⟨U+2066⟩b" in words


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https:", "ht\ntp://[", ""],
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert web_link(address) == ""


def test_a_run_book_and_the_tracer_are_linked_where_they_are_web_addresses() -> None:
    result = synthetic_result()
    objective = result.objectives[0].model_copy(
        update={"runbook": "https://wiki.example/run?a=1&b=2"}
    )
    exemplar = result.exemplars[0].model_copy(update={"trace_id": "a/b?c#d&e"})
    info = SiteInfo(title="t", trace_url="https://traces.example/t/{trace_id}")
    changed = {"objectives": (objective,), "exemplars": (exemplar,), "site": info}
    inside = render(synthetic_result(profile="internal", **changed), ())
    links = [a.attrs["href"] for a in Page(inside["index.html"].decode()).all("a")]
    assert "https://wiki.example/run?a=1&b=2" in links
    links = [a.attrs["href"] for a in Page(inside["breaches.html"].decode()).all("a")]
    assert "https://traces.example/t/a%2Fb%3Fc%23d%26e" in links
    outside = render(synthetic_result(profile="public", **changed), ())
    assert b"traces.example" not in outside["breaches.html"]


def a_table(values: list[Any]) -> Table:
    columns = (
        Column(key="name", title="Name", unit="text"),
        Column(key="n", title="N", unit="count"),
        Column(key="d", title="D", unit="us"),
        Column(key="at", title="At", unit="time"),
        Column(key="rate", title="Rate", unit="ratio", kind="ratio", num="n", den="d"),
    )
    n = len(values)
    data = {"name": values, "n": [-1] * n, "d": [8] * n, "at": [0] * n}
    return Table(id="t", title="T", columns=columns, data=data)


def test_a_csv_cell_never_starts_a_formula_and_keeps_its_text() -> None:
    values = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", 'a"b,c\nd', "plain", None]
    rows = list(csv.reader(io.StringIO(to_csv(a_table(values)).decode(), newline="")))
    assert rows[0] == ["name", "n", "d_us", "at_utc", "rate"]
    assert [r[0] for r in rows[1:]] == [
        "'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", 'a"b,c\nd', "plain", "",
    ]  # fmt: skip
    assert rows[1][1:] == ["-1", "8", "1970-01-01T00:00:00+00:00", "-0.125"]


def test_a_json_download_is_the_table_of_the_result() -> None:
    table = a_table(["\ud800", "é", None])
    assert Table(**json.loads(to_json(table))) == table


def test_visible_text_and_clipping() -> None:
    assert visible("a\u202eb\x07\ud800\n") == "a⟨U+202E⟩b⟨U+0007⟩\ufffd\n"
    assert clipped("  a \n b ") == "a b"
    assert clipped("x" * 81) == "x" * 79 + "…"
    assert clipped("x" * 80) == "x" * 80
    assert len(clipped("y " * 10_000)) <= 80
