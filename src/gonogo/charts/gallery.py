"""The charts there are, in page order. A chart is one function; a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gonogo.charts import (
    budget,
    comparison,
    errors,
    evaluation,
    latency,
    quality,
    scenarios,
    shape,
    traffic,
)
from gonogo.charts.model import Drawing
from gonogo.charts.timeline import Timeline
from gonogo.results import ReadinessResult

GALLERY: Final[tuple[Callable[[ReadinessResult, Timeline | None], Drawing | None], ...]] = (
    budget.burn_down,
    comparison.dumbbells,
    latency.over_time,
    shape.distribution,
    shape.heatmap,
    shape.by_model,
    latency.ttft_over_time,
    shape.ttft_distribution,
    errors.over_time,
    errors.by_class,
    quality.guardrail_rate,
    quality.guardrail_rules,
    quality.hit_rate,
    quality.tool_outcomes,
    quality.tool_error_rate,
    evaluation.golden,
    evaluation.judge,
    traffic.cost,
    scenarios.scenarios,
    traffic.calls,
)
