"""One file for an e-mail, and templates of one's own: both keep what the site promises."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gonogo import charts
from gonogo.cli import main
from gonogo.conventions import Verdict
from gonogo.errors import UsageError
from gonogo.exports import json_out
from gonogo.results import Decision
from gonogo.site import render, single_file, write_one
from gonogo.site.shell import PAGES
from sitecheck import Page
from synthetic import synthetic_result
from test_site_hostile import NAMES, poisoned

ICON_COLOURS = {
    Verdict.GO: "#0f7d55", Verdict.CONDITIONS: "#9a6200", Verdict.NO_GO: "#c22733",
    Verdict.INCONCLUSIVE: "#5b616e",
}  # fmt: skip


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    result = synthetic_result()
    return render(result, charts.render(result))


@pytest.fixture(scope="module")
def whole(files: dict[str, bytes]) -> str:
    return single_file(files).decode()


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_link_that_is_shared_tells_the_verdict_and_the_icon_shows_it(verdict: Verdict) -> None:
    decision = Decision(verdict=verdict, headline=f"{verdict.value}: because <of> this", reasons=())
    made = render(synthetic_result(readiness=decision), ())
    for name in (href for _, href, _ in PAGES):
        page = Page(made[name].decode())
        (title,) = [m.attrs["content"] for m in page.all("meta", property="og:title")]
        (words,) = [m.attrs["content"] for m in page.all("meta", property="og:description")]
        assert title.startswith(f"{verdict.value} · ")
        assert "because <of> this" in words
    icon = made["assets/favicon.svg"].decode()
    assert ICON_COLOURS[verdict] in icon
    assert not any(c in icon for v, c in ICON_COLOURS.items() if v is not verdict)


def test_one_file_holds_every_page_and_every_link_stays_inside(whole: str) -> None:
    page = Page(whole)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    for name, _, _ in PAGES:
        assert page.all("section", id=name), name
    targets = [a.attrs["href"] for a in page.all("a") if "href" in a.attrs]
    assert len(targets) > 50
    assert {t[1:] for t in targets} <= set(ids)
    assert len(page.all("h1")) == 1
    for element in page.elements:
        for attribute in ("aria-controls", "aria-labelledby", "data-copy"):
            assert element.attrs.get(attribute, ids[0]) in ids, element
    for clip in re.findall(r'clip-path="url\(#([^)]+)\)"', whole):
        assert clip in ids


def test_one_file_asks_for_nothing_and_names_what_may_run(whole: str) -> None:
    page = Page(whole)
    assert not [e for e in page.elements if "src" in e.attrs]
    assert not re.search(r'href="(?!#|data:image/svg\+xml,)', whole)
    policy = next(m.attrs["content"] for m in page.all("meta") if "http-equiv" in m.attrs)
    inline = re.findall(r"<(script|style)>(.*?)</\1>", whole, re.DOTALL)
    assert [tag for tag, _ in inline] == ["script", "style", "script", "script"]
    for _, text in inline:
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_one_file_is_the_same_twice(files: dict[str, bytes], whole: str) -> None:
    assert single_file(dict(reversed(files.items()))).decode() == whole


@pytest.mark.parametrize("name", [*NAMES[:4], 'x" id="stolen" href="data.html', NAMES[8]])
def test_log_text_is_no_markup_in_one_file_either(name: str) -> None:
    whole = single_file(render(poisoned(name), ())).decode()
    page = Page(whole)
    assert not page.all("img")
    assert not any(k.startswith("on") for e in page.elements for k in e.attrs)
    assert "stolen" not in page.ids()
    assert len(page.all("script")) == 3
    assert len(page.all("section", class_="page")) == len(PAGES)


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_one(b"x", tmp_path)
    assert list(tmp_path.iterdir()) == []
    write_one(b"x", tmp_path / "new" / "all.html")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["all.html"]


def own(folder: Path, **templates: str) -> Path:
    folder.mkdir()
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


EXTENDING = """{% extends "built-in/sections.html" %}
{% block content %}<p id="mine">{{ page.shell.site_title }}</p>{{ super() }}{% endblock %}
"""


def test_a_template_goes_before_the_built_in_one_and_may_extend_others(tmp_path: Path) -> None:
    folder = own(
        tmp_path / "t", data='{% extends "base.html" %}{% block content %}mine{% endblock %}'
    )
    (folder / "assets").mkdir()
    (folder / "assets" / "app.css").write_text("body { color: red }")
    plain, made = render(synthetic_result(), ()), render(synthetic_result(), (), folder)
    assert "mine" in Page(made["data.html"].decode()).all("main")[0].text
    assert made["assets/app.css"].startswith(b"body { color: red }")
    # The other pages differ by the address of the style sheet alone, which names its content.
    address = re.compile(rb"app\.css\?v=[0-9a-f]{8}")
    assert address.sub(b"", made["cost.html"]) == address.sub(b"", plain["cost.html"])
    assert made["cost.html"] != plain["cost.html"]


def test_log_text_is_escaped_in_templates_of_ones_own_too(tmp_path: Path) -> None:
    folder = own(tmp_path / "t", breaches="<b>{{ page.shell.site_title }}</b>")
    page = render(poisoned(NAMES[0]), (), folder)["breaches.html"]
    assert page == b"<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ page.colour }}", "colour"),
        ("{% if %}", "Expected an expression"),
        ("a\n{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ page.shell.nav.append(1) }}", "append"),
        ("{% include 'gone.html' %}", "gone.html"),
        ("{{ page.shell.heading | upcase }}", "upcase"),
        ('{% extends "data.html" %}', "recursion"),
    ],
)
def test_a_template_that_cannot_be_used_is_said_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    folder = own(tmp_path / "t", data=text)
    with pytest.raises(UsageError) as caught:
        render(synthetic_result(), (), folder)
    assert caught.value.diagnostics[0].code == "U071"
    assert said in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_folder_that_would_change_nothing_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "gone", own(tmp_path / "typo", indx="x")):
        with pytest.raises(UsageError, match=r"replace one of [\s\S]*index\.html"):
            render(synthetic_result(), (), folder)
    stray = own(tmp_path / "stray", index="x")
    (stray / "assets").mkdir()
    (stray / "assets" / "App.css").write_text("x")
    with pytest.raises(UsageError, match=r"App\.css"):
        render(synthetic_result(), (), stray)


def test_the_command_line_takes_both(tmp_path: Path) -> None:
    saved = tmp_path / "readiness.json"
    saved.write_text(json_out.dumps(synthetic_result(tables={})))
    folder = own(tmp_path / "t", sections=EXTENDING)
    arguments = ["render", str(saved), "-o", str(tmp_path / "site"), "--templates", str(folder),
                 "--single-file", str(tmp_path / "all.html"), "-q"]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert 'id="mine"' in (tmp_path / "site" / "cost.html").read_text()
    assert 'id="cost--mine"' in (tmp_path / "all.html").read_text()
