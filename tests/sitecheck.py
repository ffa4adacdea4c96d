"""Reads pages the way a strict reader would; for the tests of the site."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "link", "br", "input", "img", "hr"}
_SELF_CLOSING = {"path", "rect", "circle", "line", "use", "ellipse", "g", "text", "stop", "svg"}
Attributes = dict[str, str]


@dataclass
class Element:
    tag: str
    attrs: Attributes
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Every element with its attributes and the text right inside of it; raises on bad nesting."""

    source: str
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert not self._open, f"left open: {[e.tag for e in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"attribute twice in <{tag}>: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _SELF_CLOSING, f"<{tag}/> does not close itself in HTML"
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        top = self._open.pop()
        assert top.tag == tag, f"</{tag}> closes <{top.tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attrs: str) -> list[Element]:
        """Elements of a tag whose attributes hold these values; `class_` as one of the classes."""
        wanted = attrs.pop("class_", None)
        return [
            e
            for e in self.elements
            if e.tag == tag
            and all(e.attrs.get(k.replace("_", "-")) == v for k, v in attrs.items())
            and (wanted is None or wanted in e.attrs.get("class", "").split())
        ]

    def ids(self) -> list[str]:
        return [e.attrs["id"] for e in self.elements if "id" in e.attrs]

    def words(self) -> str:
        """All text of the body, white space collapsed."""
        return " ".join(self.all("body")[0].text.split())
