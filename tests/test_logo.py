"""`[site] logo`: which files are taken, which are refused, and where the picture stands."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gonogo.cli import main
from gonogo.pictures import MAX_BYTES, UnusableLogo, logo_of, logo_of_uri
from gonogo.results import SiteInfo
from gonogo.site import render, single_file
from gonogo.site.shell import PAGES
from sitecheck import Page
from synthetic import synthetic_result
from weeks import write_week

NS = 'xmlns="http://www.w3.org/2000/svg"'
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
PLAIN = f'<svg {NS} viewBox="0 0 9 9"><circle cx="4" cy="4" r="4" fill="#0a7ea4"/></svg>'
DRAWN = f"""\ufeff<?xml version="1.0" encoding="UTF-8"?>
<!-- <script> is only spoken of here -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg {NS} {XLINK} xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" viewBox="0 0 40 20" xml:space="preserve"
  inkscape:export-filename="C:\\logo.png">
<metadata><rdf:RDF><rdf:li>http://example.org/</rdf:li></rdf:RDF></metadata>
<defs><linearGradient id="a"><stop stop-color="red"/></linearGradient>
<path id="p" d="M0 0h9v9z"/></defs>
<style><![CDATA[.b {{ fill: url( "#a" ); }}]]></style>
<g inkscape:label="on click"><use xlink:href="#p" fill="url(#a)" class="b"/></g>
<image href="data:image/png;base64,{base64.b64encode(PNG).decode()}" width="9" height="9"/>
<text>one url(http://not.styled.example/)</text></svg>"""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpg"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "webp"),
        (PLAIN.encode(), "svg"),
        (b"\n " + PLAIN.encode(), "svg"),
        (DRAWN.encode(), "svg"),
    ],
)
def test_a_picture_is_told_by_its_bytes(data: bytes, kind: str) -> None:
    logo = logo_of(data)
    assert (logo.kind, logo.data) == (kind, data)
    assert logo_of_uri(logo.uri()) == logo


def svg(inside: str = "", attributes: str = "") -> bytes:
    return f"<svg {NS} {XLINK} {attributes}>{inside}</svg>".encode()


HOSTILE = [
    (svg("<script>alert(1)</script>"), "the element <script>"),
    (svg("<g><script href='#a'/></g>"), "the element <script>"),
    (svg("<x:script xmlns:x='http://www.w3.org/2000/svg'/>"), "the element <script>"),
    (svg("<script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script>"), "<script>"),
    (svg("<foreignObject><p>x</p></foreignObject>"), "<foreignObject>"),
    (svg("<a href='#x'><path/></a>"), "the element <a>"),
    (svg("<set attributeName='href' to='javascript:alert(1)'/>"), "the element <set>"),
    (svg("<animate attributeName='href' values='javascript:alert(1)'/>"), "<animate>"),
    (svg("<handler xmlns='http://www.w3.org/2001/xml-events'/>"), "<handler>"),
    (svg("<math xmlns='http://www.w3.org/1998/Math/MathML'/>"), "<math>"),
    (svg(attributes="onload='alert(1)'"), "the event handler onload"),
    (svg("<path ONCLICK='alert(1)'/>"), "the event handler onclick"),
    (svg("<use href='https://evil.example/x.svg#a'/>"), "outside of itself (href)"),
    (svg("<use xlink:href='//evil.example/x.svg#a'/>"), "outside of itself (href)"),
    (svg("<image href=' javascript:alert(1)'/>"), "outside of itself (href)"),
    (svg("<image href='data:image/svg+xml,&lt;svg/>'/>"), "outside of itself (href)"),
    (svg("<image href='&#104;ttp://evil.example/'/>"), "outside of itself (href)"),
    (svg(attributes="xml:base='https://evil.example/'"), "outside of itself (base)"),
    (svg("<path fill='url(https://evil.example/x)'/>"), "its styles"),
    (svg("<path style='fill: URL( \"//evil.example/x\")'/>"), "its styles"),
    (svg("<path fill='\\75rl(https://evil.example/x)'/>"), "its styles"),
    (svg("<style>@import 'https://evil.example/x.css';</style>"), "its styles"),
    (svg("<style>path { fill: url(/x) }</style>"), "its styles"),
    (svg("<style>path { fill: u<![CDATA[rl(/x)]]> }</style>"), "its styles"),
    (svg("<style>path { mask: image-set('x.png' 1x) }</style>"), "its styles"),
    (b"<?xml-stylesheet href='x.css'?>" + svg(), "the instruction <?xml-stylesheet?>"),
    (b"<!DOCTYPE svg [<!ENTITY a 'x'>]>" + svg("&a;"), "declares entities"),
    (svg("&a;"), "not XML"),
    (svg("<g>")[:-6], "not XML"),
    (b"<svg><path/></svg>", "XML, but not SVG"),
    (b"<!doctype html><html><script>alert(1)</script></html>", "not XML"),
    (PLAIN.encode("utf-16"), "neither PNG"),
    (b"<!-- \xff -->" + svg(), "not in UTF-8"),
    (b'<?xml version="1.0" encoding="UTF-7"?>' + svg(), "not in UTF-8"),
    (b"GIF89a", "neither PNG, JPEG, WebP nor SVG"),
    (b"\x1f\x8b\x08\x00", "neither PNG"),
    (b"", "neither PNG"),
    (PNG + bytes(MAX_BYTES - len(PNG) + 1), "larger than 100 KB"),
]


@pytest.mark.parametrize(("data", "what"), HOSTILE)
def test_what_acts_reaches_out_or_is_no_picture_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(UnusableLogo) as caught:
        logo_of(data)
    assert what in caught.value.what
    assert caught.value.hint
    # A saved result is not trusted either.
    address = base64.b64encode(data).decode()
    assert logo_of_uri(f"data:image/svg+xml;base64,{address}") is None


def test_the_limit_itself_is_allowed_and_a_kind_must_be_the_declared_one() -> None:
    assert logo_of(PNG + bytes(MAX_BYTES - len(PNG))).kind == "png"
    address = base64.b64encode(PNG).decode()
    assert logo_of_uri(f"data:image/svg+xml;base64,{address}") is None
    assert logo_of_uri("data:image/png;base64,AAA") is None
    assert logo_of_uri("https://evil.example/x.png") is None


def build(folder: Path, logo: str, *more: str) -> Result:
    logs = write_week(folder / "logs", "2026-W47", 3)
    config = folder / "conf" / "readiness.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(f"[site]\ntitle = 'A <b> & co'\nlogo = '{logo}'\n", encoding="utf-8")
    site, state = str(folder / "out" / "site"), str(folder / "state")
    arguments = ["-c", str(config), "-o", site, "--state", state, *more]
    return CliRunner().invoke(main, ["build", str(logs), *arguments])


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("none.svg", None, "'none.svg': there is no such file"),
        ("..", None, "this is a folder"),
        ("a.png", b"text", "'a.png': its bytes are neither PNG"),
        ("a.svg", svg("<script/>"), "holds the element <script>"),
    ],
)
def test_a_logo_that_cannot_be_shown_stops_the_build_before_anything_is_written(
    tmp_path: Path, name: str, content: bytes | None, what: str
) -> None:
    (tmp_path / "conf").mkdir()
    if content is not None:
        (tmp_path / "conf" / name).write_bytes(content)
    outcome = build(tmp_path, name)
    assert outcome.exit_code == 2
    assert "C037" in outcome.output
    assert f"{tmp_path / 'conf' / 'readiness.toml'}:3:8" in outcome.output.replace("\n", "")
    assert what in " ".join(outcome.output.split())
    assert not (tmp_path / "out").exists()


def test_the_logo_stands_on_every_page_beside_the_configuration_and_in_the_one_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "mine").write_bytes(PLAIN.encode())
    one = tmp_path / "one.html"
    assert build(tmp_path, "mine", "--single-file", str(one)).exit_code in (0, 1, 3)
    site = tmp_path / "out" / "site"
    assert (site / "assets" / "logo.svg").read_bytes() == PLAIN.encode()
    for _, href, _ in PAGES:
        (image,) = Page((site / href).read_text("utf-8")).all("img")
        assert image.attrs["alt"] == "A <b> & co"
        # Relative, so that it holds below any path and as a file.
        assert re.fullmatch(r"assets/logo\.svg\?v=[0-9a-f]{8}", image.attrs["src"])
    whole = Page(one.read_text("utf-8"))
    (image,) = whole.all("img")
    embedded = base64.b64encode(PLAIN.encode()).decode()
    assert image.attrs["src"] == f"data:image/svg+xml;base64,{embedded}"
    policy = next(m.attrs["content"] for m in whole.all("meta") if "http-equiv" in m.attrs)
    assert "img-src data:;" in policy
    # From the saved result alone: the same site.
    again = tmp_path / "again"
    saved = ["render", str(site / "readiness.json"), "-o", str(again)]
    CliRunner().invoke(main, saved)
    assert {p.name: p.read_bytes() for p in (again / "assets").iterdir()} == {
        p.name: p.read_bytes() for p in (site / "assets").iterdir()
    }
    assert (again / "index.html").read_bytes() == (site / "index.html").read_bytes()


def test_a_site_of_many_periods_shows_it_on_the_page_of_all_periods(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.png").write_bytes(PNG)
    outcome = build(tmp_path, "a.png", "--period", "2026-W47")
    assert outcome.exit_code in (0, 1, 3), outcome.output
    site = tmp_path / "out" / "site"
    (image,) = Page((site / "index.html").read_text("utf-8")).all("img")
    assert (site / image.attrs["src"].partition("?")[0]).read_bytes() == PNG
    (folder,) = [p for p in site.iterdir() if (p / "readiness.json").is_file()]
    (image,) = Page((folder / "index.html").read_text("utf-8")).all("img")
    assert (folder / image.attrs["src"].partition("?")[0]).read_bytes() == PNG


def test_without_a_logo_there_is_the_sign_and_a_forged_result_shows_it_too() -> None:
    forged = f"data:image/svg+xml;base64,{base64.b64encode(svg('<script/>')).decode()}"
    for logo in (None, "", forged, "https://evil.example/x.png"):
        files = render(synthetic_result(site=SiteInfo(title="t", logo=logo)), ())
        assert not Page(files["index.html"].decode()).all("img")
        assert b'class="logo"' in files["index.html"]
        assert not [name for name in files if "logo" in name]
        assert b"evil" not in single_file(files)
