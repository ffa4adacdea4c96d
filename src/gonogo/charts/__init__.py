"""Charts of a result: Altair specifications rendered at build time to clean inline SVG.

    charts = render(result)     # only those whose data are there, in page order
    sparkline([1, 2, None, 4])  # a tiny trend for a tile

What the page has to provide
----------------------------
Each chart comes twice: `svg_wide` for its place on a desktop (`span` "full": 1012 px wide, "half":
476 px) and `svg_narrow` (324 px) for a phone; CSS shows one of them. Both are `<svg
class="chart" role="img" aria-label=...>` with a `viewBox`, no `style=`, no link, no script and no
font family: text inherits the page's font. `max-width: 100%; height: auto` makes them shrink.

Colours are custom properties, so one SVG follows light and dark. The style sheet defines them
(`theme.TOKENS` holds a light and a dark value of each):

    --c1 ... --c6          categories (models, error classes)
    --p50 --p95 --p99      percentiles
    --bad --good --warn    verdict colours; --bad draws limits and breaches
    --ink --muted --grid   text, secondary text, grid lines
    --card                 the surface under the chart (halos and gaps between bars)
    --h0 ... --h6          heat steps, low to high; --h1 is also the pale part of a bar

A sparkline uses classes alone: `.spark` (the svg), `.spark-line` and `.spark-area`; their stroke
and fill are the style sheet's affair (`currentColor` is a good choice).
"""

from gonogo.charts.model import Chart
from gonogo.charts.render import render, under_way, warm_up
from gonogo.charts.sparkline import sparkline
from gonogo.charts.theme import TOKENS
from gonogo.charts.timeline import wall_second

__all__ = ["TOKENS", "Chart", "render", "sparkline", "under_way", "wall_second", "warm_up"]
