"""The whole site as one HTML file, for an e-mail or an incident: nothing beside it is needed.

The pages stand one under the other. Ids get the name of their page, links between pages become
links within the file, styles and scripts are written into it and named by their hash in the
content policy. What cannot come along - downloads - is left out.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from gonogo.pictures import logo_of
from gonogo.site.shell import HREF

_SCRIPTS: Final = ("assets/app.js", "assets/charts.js")
_TAG: Final = re.compile(r"<[a-zA-Z][^<>]*>")
_ID: Final = re.compile(r' (id|aria-controls|aria-labelledby|data-copy)="([^"]+)"')
_HREF: Final = re.compile(r' href="([^"]*)"')
_CLIP: Final = re.compile(r'="url\(#([^)"]+)\)"')
_MAIN: Final = re.compile(r'<main class="main" id="content">\n(.*)</main>', re.DOTALL)
_GONE: Final = re.compile(r'<span class="get">.*?</span></a></span>', re.DOTALL)
_POLICY: Final = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")[^"]*(">)')
_LOGO: Final = re.compile(r' src="(assets/logo\.[a-z]+)\?[^"]*"')
_KEPT: Final = ("http://", "https://", "#i-")
_PAGES: Final = {href: name for name, href in HREF.items()}


def single_file(files: Mapping[str, bytes]) -> bytes:
    """One HTML document of a site as `gonogo.site.render` gives it (relative path -> content).

    The same files give the same bytes. Log text cannot be mistaken for markup: only tags are
    rewritten, and in a rendered page no log text holds a bare `<`.
    """
    first = files[HREF["readiness"]].decode("utf-8")
    head, rest = first.split('<main class="main" id="content">', 1)
    _, tail = rest.split("</main>", 1)
    head = _TAG.sub(lambda tag: _outer(tag[0]), head)
    body = "".join(_page(name, files[href].decode("utf-8")) for name, href in HREF.items())
    page = f'{head}<main class="main" id="content">\n{body}</main>{tail}'
    return _self_contained(page, files).encode("utf-8")


def _page(name: str, page: str) -> str:
    """The content of one page, its ids and links made part of the whole."""
    found = _MAIN.search(page)
    if found is None:
        raise ValueError(f"the {name} page has no main part; base.html must keep its <main>")
    content = _TAG.sub(lambda tag: _inner(tag[0], name), _GONE.sub("", found[1]))
    # There is one heading of the first rank in a document, and one set of buttons.
    if name != "readiness":
        content = content.replace("<h1>", '<h2 class="title">', 1).replace("</h1>", "</h2>", 1)
        content = re.sub(r'<div class="tools">.*?</div>\n', "", content, count=1, flags=re.DOTALL)
    return f'<section class="page" id="{name}">\n{content}</section>\n'


def _outer(tag: str) -> str:
    """A tag of the frame: links to pages become links to their parts."""
    return _HREF.sub(lambda m: _link(m[1], ""), tag)


def _inner(tag: str, name: str) -> str:
    tag = _ID.sub(lambda m: f' {m[1]}="{name}--{m[2]}"', tag)
    tag = _CLIP.sub(lambda m: f'="url(#{name}--{m[1]})"', tag)
    return _HREF.sub(lambda m: _link(m[1], name), tag)


def _link(href: str, name: str) -> str:
    found = _address(href, name)
    return f' href="{found}"' if found else ""


def _address(href: str, name: str) -> str:
    """An address within the file; "" for a file that is not there."""
    if href.startswith(_KEPT) or href == "#content" or (not name and href.startswith("assets/")):
        return href
    page, _, part = href.partition("#")
    if page and page not in _PAGES:
        return ""
    whose = _PAGES[page] if page else name
    return f"#{whose}--{part}" if part else f"#{whose}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _self_contained(page: str, files: Mapping[str, bytes]) -> str:
    css = files["assets/app.css"].decode("utf-8")
    boot = files["assets/theme.js"].decode("utf-8")
    scripts = [files[name].decode("utf-8") for name in _SCRIPTS]
    icon = quote(files["assets/favicon.svg"].decode("utf-8"))
    policy = (
        f"default-src 'none'; script-src {' '.join(map(_hash, [boot, *scripts]))}; "
        f"style-src {_hash(css)}; img-src data:; base-uri 'none'; form-action 'none'"
    )
    page = _POLICY.sub(lambda m: m[1] + policy + m[2], page)
    page = re.sub(r' data-charts="[^"]*"', "", page, count=1)
    page = re.sub(r'<script src="assets/app\.js[^>]*></script>\n', "", page, count=1)
    page = re.sub(
        r'<script src="assets/theme\.js[^>]*></script>',
        lambda _: f"<script>{boot}</script>", page, count=1,
    )  # fmt: skip
    page = re.sub(r'<link rel="stylesheet"[^>]*>', lambda _: f"<style>{css}</style>", page, count=1)
    page = re.sub(
        r'href="assets/favicon\.svg[^"]*"', f'href="data:image/svg+xml,{icon}"', page, count=1
    )
    page = _LOGO.sub(lambda found: f' src="{logo_of(files[found[1]]).uri()}"', page, count=1)
    inline = "".join(f"<script>{script}</script>\n" for script in scripts)
    return page.replace("</body>", f"{inline}</body>", 1)
