"""The verdict as a badge: a flat SVG, and the JSON that shields.io draws one from."""

from __future__ import annotations

import json
from typing import Final

from gonogo.conventions import Verdict
from gonogo.results import ReadinessResult

_LABEL: Final = "readiness"
# Message colours with at least 4.5:1 against white text (WCAG 2.2, 1.4.3).
_COLOURS: Final = {
    Verdict.GO: "#1a7f37",
    Verdict.CONDITIONS: "#9a6700",
    Verdict.NO_GO: "#cf222e",
    Verdict.INCONCLUSIVE: "#656d76",
}
_LABEL_COLOUR: Final = "#444c56"
_PADDING: Final = 6
# Verdana at 11 px: its capitals and lower-case letters are about this wide.
_CAPITAL: Final = 8.2
_SMALL: Final = 6.7


def badge_svg(result: ReadinessResult) -> str:
    """A flat badge, 20 px high; grey where the run was inconclusive."""
    return _svg(result.readiness.verdict)


def badge_json(result: ReadinessResult) -> str:
    """The endpoint format of https://shields.io/badges/endpoint-badge."""
    return _json(result.readiness.verdict)


def badge_of(verdict: Verdict | None) -> dict[str, str]:
    """Both badges of a verdict, by file name; one that cannot be read is inconclusive."""
    known = verdict or Verdict.INCONCLUSIVE
    return {"badge.svg": _svg(known), "badge.json": _json(known)}


def _svg(verdict: Verdict) -> str:
    message = verdict.value
    left, right = _width(_LABEL), _width(message)
    width = left + right
    colour = _COLOURS[verdict]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img"'
        f' aria-label="{_LABEL}: {message}"><title>{_LABEL}: {message}</title>'
        f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="{_LABEL_COLOUR}"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11"'
        ' text-anchor="middle">'
        f"{_text(_LABEL, left / 2, left)}{_text(message, left + right / 2, right)}</g></svg>\n"
    )


def _json(verdict: Verdict) -> str:
    badge = {
        "schemaVersion": 1,
        "label": _LABEL,
        "message": verdict.value,
        "color": _COLOURS[verdict].removeprefix("#"),
        "labelColor": _LABEL_COLOUR.removeprefix("#"),
    }
    return json.dumps(badge, indent=2, sort_keys=True) + "\n"


def _width(text: str) -> int:
    letters = sum(_SMALL if c.islower() else _CAPITAL for c in text)
    return round(letters) + 2 * _PADDING


def _text(text: str, middle: float, width: int) -> str:
    # textLength keeps the text inside its box whatever font the reader has.
    return f'<text x="{middle:g}" y="14" textLength="{width - 2 * _PADDING}">{text}</text>'
