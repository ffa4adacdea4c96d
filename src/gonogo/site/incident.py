"""An incident as one HTML file that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gonogo.site.model import IncidentPage, IncidentPart
from gonogo.site.templates import environment, templates_dir
from gonogo.site.text import clipped, visible, web_link


class Part(Protocol):
    """A section of the report, as `gonogo.exports.occurrence` makes it."""

    @property
    def title(self) -> str: ...
    @property
    def lines(self) -> tuple[str, ...]: ...
    @property
    def links(self) -> tuple[str, ...]: ...


def incident_html(title: str, summary: str, parts: Sequence[Part], generator: str) -> bytes:
    """The page; every text is escaped, and control characters are written out."""
    page = IncidentPage(
        title=clipped(title),
        summary=clipped(summary, 600),
        parts=tuple(
            IncidentPart(
                part.title,
                tuple(clipped(line, 900) for line in part.lines),
                tuple(map(web_link, part.links or ("",) * len(part.lines))),
            )
            for part in parts
        ),
        generator=clipped(generator),
    )
    env = environment(templates_dir())
    return visible(env.get_template("incident.html").render(page=page)).encode("utf-8")
