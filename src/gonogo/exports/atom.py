"""The Atom feed of all periods (RFC 4287): an entry a period, updated with each edition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from gonogo.exports.safe import xml
from gonogo.history import Entry

_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_MOST: Final = 60


def atom_xml(entries: Sequence[Entry]) -> str:
    """The newest sixty of `entries`, which are in the order of time; addresses are relative.

    Times are those of the data (the end of what was read, else of the period): the same periods
    give the same feed.
    """
    root = ET.Element("feed", xmlns=_NAMESPACE)
    title = next((e.title for e in reversed(entries) if e.title), "LLM application")
    # An id must outlast the address of the site, which is not known here.
    series = hashlib.sha256(title.encode()).hexdigest()
    identity = f"urn:uuid:{_uuid(series)}"
    _add(root, "id", identity)
    _add(root, "title", f"Readiness of {title}")
    _add(root, "updated", _time(max(_updated(e) for e in entries)))
    ET.SubElement(root, "link", rel="self", href="feed.xml")
    ET.SubElement(root, "link", rel="alternate", type="text/html", href="index.html")
    ET.SubElement(ET.SubElement(root, "author"), "name").text = "gonogo"
    for entry in reversed(entries[-_MOST:]):
        root.append(_entry(entry, series))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _entry(entry: Entry, series: str) -> ET.Element:
    verdict = entry.verdict.value if entry.verdict else "unreadable"
    element = ET.Element("entry")
    name = hashlib.sha256(f"{series}\0{entry.name}".encode()).hexdigest()
    _add(element, "id", f"urn:uuid:{_uuid(name)}")
    _add(element, "title", f"{entry.label}: {verdict}")
    _add(element, "updated", _time(_updated(entry)))
    ET.SubElement(
        element, "link", rel="alternate", type="text/html", href=f"{entry.name}/index.html"
    )
    summary = entry.headline or verdict
    if len(entry.editions) > 1:
        last = entry.editions[-1]
        summary += f" (edition {last.number}: {last.reason})"
    _add(element, "summary", summary)
    return element


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = xml(text)


def _updated(entry: Entry) -> int:
    """The newest record, a second later for each further edition: readers look at nothing else."""
    moment = entry.end if entry.as_of is None else entry.as_of
    return (moment or 0) + max(0, len(entry.editions) - 1)


def _time(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _uuid(digest: str) -> str:
    """A UUID of version 8 (RFC 9562: content of the maker's choice) from a SHA-256."""
    d = digest
    return f"{d[:8]}-{d[8:12]}-8{d[13:16]}-8{d[17:20]}-{d[20:32]}"
