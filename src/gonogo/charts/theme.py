"""Colours and layout of all charts; the page's style sheet gives the colours their values."""

from __future__ import annotations

from typing import Any, Final

FONT: Final = "Liberation Sans"
"""The font that the renderer carries itself, so that layouts are the same on every machine."""

WIDE: Final = {"full": 1012, "half": 476}
NARROW: Final = 324

TOKENS: Final[dict[str, tuple[str, str]]] = {
    "c1": ("#3251cd", "#889fff"),
    "c2": ("#d16e08", "#f5a04c"),
    "c3": ("#2b9a96", "#5ee3d2"),
    "c4": ("#8a62c9", "#a878ee"),
    "c5": ("#751e3c", "#d3548e"),
    "c6": ("#676d77", "#aeb5bf"),
    "p50": ("#4f94d8", "#5f9be0"),
    "p95": ("#2443b8", "#a9b9ff"),
    "p99": ("#8d8a94", "#85828d"),
    "bad": ("#d6323f", "#ff6b74"),
    "good": ("#0f7d55", "#46c98d"),
    "warn": ("#b97706", "#f0bd5c"),
    "ink": ("#16181d", "#eceef2"),
    "muted": ("#5c6370", "#9aa1ad"),
    "grid": ("#e9ebef", "#25282f"),
    "card": ("#ffffff", "#131418"),
    "h0": ("#e8f0fb", "#182033"),
    "h1": ("#cbdff7", "#20335a"),
    "h2": ("#a3c5f0", "#2a4882"),
    "h3": ("#6fa3e3", "#3a66b4"),
    "h4": ("#3f78d0", "#5a8ade"),
    "h5": ("#204fa8", "#90b3f2"),
    "h6": ("#132d66", "#d6e3fd"),
}
"""Custom property (without its dashes) -> (light, dark)."""

LEGEND_ROW: Final = 16
"""Height of a row of a legend, in pixels."""

LEGEND_OFFSET: Final = 8
"""Pixels between a legend and the plot."""

CATEGORIES: Final = tuple(f"var(--c{i})" for i in range(1, 7))
HEAT: Final = tuple(f"var(--h{i})" for i in range(7))
INK, MUTED, GRID, CARD = "var(--ink)", "var(--muted)", "var(--grid)", "var(--card)"
BAD, WARN = "var(--bad)", "var(--warn)"
P50, P95, P99 = "var(--p50)", "var(--p95)", "var(--p99)"

CONFIG: Final[dict[str, Any]] = {
    "font": FONT,
    "background": None,
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        # Any limit makes the renderer measure each label several times more; ours are cut already.
        "labelLimit": 0,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": MUTED,
        "tickOpacity": 0.5,
    },
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
    "axisX": {"grid": False},
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelColor": INK,
        "labelFontSize": 11,
        "labelLimit": 0,
        "symbolSize": 70,
        "symbolStrokeWidth": 2,
        "columnPadding": 20,
        "rowPadding": 5,
        "offset": LEGEND_OFFSET,
        "padding": 0,
    },
    "line": {"strokeJoin": "round", "strokeCap": "round"},
    "text": {"fontSize": 11, "color": INK},
}
