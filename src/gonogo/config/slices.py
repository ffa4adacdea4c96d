"""Objectives on slices of time: each slice keeps a limit or not, and a share of them must."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from gonogo.config.burn import duration_text, read_window
from gonogo.config.expressions import ExpressionError, default_minimum
from gonogo.config.limits import parse_limit
from gonogo.config.model import Comparator, Objective, Sliced
from gonogo.config.section import Section
from gonogo.indicators import INDICATORS

_HOUR = 3600
_SHARE = INDICATORS["retrieval_hit_rate"]
"""Any ratio of which more is better: what a share of good slices is read as."""

Wanted = tuple[int, Comparator, Fraction, str]
"""seconds of a slice, and the share of slices that must keep the limit: exact, and as written"""


def read_slices(section: Section) -> Wanted | None:
    """`slice = "5m"` and `slices = ">= 99%"` of an objective, which belong together."""
    given = {"slice", "slices"} & set(section.table)
    if not given:
        return None
    if len(given) == 1:
        (only,) = given
        other = 'slices = ">= 99%"' if only == "slice" else 'slice = "5m"'
        section.wrong(only, "C065", "slice and slices belong together", f"add {other}", at_key=True)
        return None
    seconds, text = read_window(section, "slice"), section.text("slices")
    if seconds is not None and _HOUR % seconds:
        what = f"an hour is not made of slices of {duration_text(seconds)}"
        section.wrong("slice", "C065", what, "write 5m, 10m, 15m, 20m, 30m or 1h")
        return None
    if seconds is None or text is None:
        return None
    try:
        comparator, target = parse_limit(text, _SHARE)
    except ExpressionError as error:
        for trouble in error.troubles:
            section.wrong("slices", trouble.code, trouble.what, trouble.hint)
        return None
    return seconds, comparator, target, " ".join(text.split())


def on_slices(inner: Objective, wanted: Wanted, minimum: int | None) -> Objective:
    """The objective that a share of slices keeps the limit of `inner`."""
    seconds, comparator, target, written = wanted
    made = replace(
        inner,
        statistic="rate",
        quantile=None,
        comparator=comparator,
        limit=target,
        expression=f"{inner.expression} in {written} of {duration_text(seconds)}",
        sliced=Sliced(seconds, replace(inner, minimum=1)),
    )
    return replace(made, minimum=default_minimum(target) if minimum is None else minimum)
