"""A picture of a user's own: what it is by its bytes, and whether it may be published.

A picture is shown by `<img>`, where no script runs. Whoever opens its address sees it as a page of
the site's host, though, so that an SVG has to be passive by itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

MAX_BYTES: Final = 100_000
_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp",
                 "svg": "image/svg+xml"}  # fmt: skip
_SVG: Final = "http://www.w3.org/2000/svg"
_INERT: Final = ("http://www.w3.org/1999/02/22-rdf-syntax-ns#",)
_W3: Final = re.compile(r"https?://www\.w3\.org/", re.IGNORECASE)
_DRAWN: Final = frozenset((
    "svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style", "switch", "view",
    "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "textPath", "image", "marker", "linearGradient", "radialGradient", "stop", "clipPath", "mask",
    "pattern", "filter", "feBlend", "feColorMatrix", "feComponentTransfer", "feComposite",
    "feConvolveMatrix", "feDiffuseLighting", "feDisplacementMap", "feDistantLight", "feDropShadow",
    "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR", "feGaussianBlur", "feImage", "feMerge",
    "feMergeNode", "feMorphology", "feOffset", "fePointLight", "feSpecularLighting", "feSpotLight",
    "feTile", "feTurbulence",
))  # fmt: skip
"""What draws or describes (www.w3.org/TR/SVG2/eltindex.html): no scripts, links, animations."""

_OWN: Final = re.compile(r"\s*(?:#|data:image/(?:png|jpeg|webp|gif)[;,])", re.IGNORECASE)
_FETCHED: Final = re.compile(
    r"\\|@import|(?:image-set|image|src|url)\(\s*+[\"']?+(?!#)", re.IGNORECASE
)
"""CSS that names anything outside of the file, or that hides what it names behind escapes."""

_DECLARED: Final = re.compile(r"<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"']*)", re.IGNORECASE)
_URI: Final = re.compile(r"data:(image/[a-z+]+);base64,([A-Za-z0-9+/]+={0,2})")
HINT: Final = "name a PNG, JPEG, WebP or SVG file of at most 100 KB"
_PLAIN: Final = "save it as plain SVG, or as PNG"


class UnusableLogo(Exception):  # noqa: N818 - what it is, said to whoever chose the file
    """Why a picture cannot be shown, and what to try."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what, self.hint = what, hint


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that may be published; `kind` is png, jpg, webp or svg."""

    kind: str
    data: bytes

    def uri(self) -> str:
        """The picture as a data: URI, which is how a result holds it."""
        return f"data:{_TYPES[self.kind]};base64,{base64.b64encode(self.data).decode()}"


def logo_of_uri(uri: str) -> Logo | None:
    """The picture in a data: URI; None where it is none that may be published."""
    found = _URI.fullmatch(uri)
    if found is None:
        return None
    try:
        logo = logo_of(base64.b64decode(found[2], validate=True))
    except (binascii.Error, UnusableLogo):
        return None
    return logo if _TYPES[logo.kind] == found[1] else None


def logo_of(data: bytes) -> Logo:
    """A picture from the bytes of a file, whatever that is called.

    Raises:
        UnusableLogo: it cannot be shown.
    """
    if len(data) > MAX_BYTES:
        hint = "make it smaller: it is shown 36 pixels high, for which 10 KB are plenty"
        raise UnusableLogo("it is larger than 100 KB (100,000 bytes)", hint)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Logo("png", data)
    if data.startswith(b"\xff\xd8\xff"):
        return Logo("jpg", data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Logo("webp", data)
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        _check_svg(data)
        return Logo("svg", data)
    raise UnusableLogo("its bytes are neither PNG, JPEG, WebP nor SVG", HINT)


def _check_svg(data: bytes) -> None:
    """Raise UnusableLogo where a document is no SVG, or could do more than be looked at."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnusableLogo("it is SVG, but not in UTF-8", "save it as UTF-8") from None
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in ("utf-8", "us-ascii"):
        raise UnusableLogo("it is SVG, but not in UTF-8", "save it as UTF-8")
    check = _Passive()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = check.doctype
    parser.ProcessingInstructionHandler = check.instruction
    parser.StartElementHandler = check.start
    parser.EndElementHandler = check.end
    parser.CharacterDataHandler = check.text
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        what = f"it is not XML: {expat.ErrorString(error.code)} in line {error.lineno}"
        raise UnusableLogo(what, _PLAIN) from None


class _Passive:
    """Refuses an SVG document at the first thing in it that acts or reaches out."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.style = ""

    def doctype(self, name: str, system: str | None, public: str | None, subset: int) -> None:
        if subset:
            raise UnusableLogo("its document type declares entities", _PLAIN)

    def instruction(self, target: str, data: str) -> None:
        raise UnusableLogo(f"it holds the instruction <?{target[:40]}?>", _PLAIN)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if not self.open and (space, local) != (_SVG, "svg"):
            hint = f'its root must be <svg xmlns="{_SVG}">'
            raise UnusableLogo("it is XML, but not SVG", hint)
        self.open.append(name)
        drawn = local in _DRAWN if space == _SVG else space in _INERT or not _W3.match(space)
        if not drawn:
            raise UnusableLogo(f"it holds the element <{local[:40]}>, which may act", _PLAIN)
        for key, value in attributes.items():
            space, _, local = key.rpartition(" ")
            if not space or _W3.match(space):  # what drawing programs note for themselves is inert
                _check_attribute(local.lower(), value)

    def end(self, name: str) -> None:
        self.open.pop()
        if name == f"{_SVG} style":
            _check_style(self.style)
            self.style = ""

    def text(self, text: str) -> None:
        if self.open[-1] == f"{_SVG} style":
            self.style += text


def _check_attribute(name: str, value: str) -> None:
    if name.startswith("on"):
        raise UnusableLogo(f"it holds the event handler {name[:40]}", _PLAIN)
    if name == "base" or (name in ("href", "src") and not _OWN.match(value)):
        what = f"it refers to something outside of itself ({name})"
        raise UnusableLogo(what, "embed what it shows, or save it as PNG")
    _check_style(value)


def _check_style(text: str) -> None:
    if _FETCHED.search(text):
        what = "its styles refer to something outside of it"
        raise UnusableLogo(what, "embed what it shows, or save it as PNG")
