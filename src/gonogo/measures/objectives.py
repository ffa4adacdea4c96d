"""The counts that objectives are judged by."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from gonogo.config.model import Config, Objective
from gonogo.measures.frames import Distributions
from gonogo.measures.segments import numbered
from gonogo.measures.traffic import sampling, scenarios
from gonogo.rollup.objectives import counted
from gonogo.rollup.partial import Partial
from gonogo.slo import ObjectiveData
from gonogo.slo.slices import sliced


def _projection(
    objective: Objective, partial: Partial, config: Config
) -> tuple[Fraction | None, str, Fraction | None]:
    """(factor, scenario in words, least coverage) of an objective; see ObjectiveData."""
    spec = objective.spec
    if spec.unit != "nano_usd":
        return Fraction(1), "", None
    least = 1 - config.prices.max_unknown
    if spec.kind != "projection":
        return Fraction(1), "", least
    found = next(s for s in scenarios(partial, config) if s.id == objective.statistic)
    month = found.calls_a_month
    mean = sampling(partial, config).mean
    return None if month is None else month * mean, found.words, least


def objective_data(
    partial: Partial, config: Config, distributions: Distributions
) -> list[ObjectiveData]:
    """The counts of each objective of the configuration, in its order."""
    newest = None if partial.last_us is None else partial.last_us // 1_000_000
    rows = {
        "calls": partial.counter("calls"),
        "requests": int(partial.frames["requests"]["request_n"].sum()),
        "traces": partial.counter("requests.kept"),
        "retrievals": int(partial.frames["retrievals"]["retrievals"].sum()),
        "tool_calls": int(partial.frames["tool_calls"]["calls"].sum()),
        "guardrail_checks": int(partial.frames["guardrails"]["calls"].sum()),
    }
    found = []
    for objective, numbers in numbered(partial, config):
        counts = (
            partial.frames["objectives"]
            .filter(pl.col("objective").is_in(numbers))
            .group_by("bin")
            .agg(pl.col("good", "total", "sum", "eligible").sum())
            .sort("bin", nulls_last=True)
        )
        timed = counts.filter(pl.col("bin").is_not_null())
        untimed = counts.filter(pl.col("bin").is_null())
        of = counted(objective)
        is_mean = of.is_mean
        histogram = None
        if of.spec.kind != "ratio":
            histogram = distributions.get(("objective",), "objective", numbers)
        made = ObjectiveData(
            of,
            timed["bin"].to_numpy(),
            timed["good"].to_numpy(),
            timed["total"].to_numpy(),
            timed["sum"].to_numpy() if is_mean else np.zeros(timed.height, dtype=np.int64),
            int(untimed["good"].sum()),
            int(untimed["total"].sum()),
            int(untimed["sum"].sum()) if is_mean else 0,
            int(counts["eligible"].sum()),
            rows[of.spec.table],
            histogram,
            newest,
            *_projection(of, partial, config),
        )
        found.append(made if objective.sliced is None else sliced(objective, made))
    return found
