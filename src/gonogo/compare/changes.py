"""One figure here and there, and the word for it: worse, better, no change, or too few calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

import polars as pl

from gonogo import display
from gonogo.compare.samples import cells
from gonogo.config.model import Compare, Objective
from gonogo.conventions import ChangeWord, Severity, Status
from gonogo.results import Change, Comparison, Reason
from gonogo.slo import wording
from gonogo.stats.differences import Estimate, Figure, difference

EXTRA: Final = (
    ("latency.p95", "<= 4s"),
    ("ttft.p95", "<= 2s"),
    ("output_tokens_per_second.p50", ">= 1"),
    ("error_rate", "<= 1%"),
    ("cost_per_call.mean", "<= $1"),
)
"""Figures that parts of a log are compared by beside the objectives. Of their limits only that of
the error rate counts: it says what difference is of importance."""

_RANK: Final = {word: rank for rank, word in enumerate(ChangeWord)}
_STATUS: Final = {ChangeWord.WORSE: Status.BREACHED, ChangeWord.NOT_COMPARED: Status.NO_DATA}


def figure_of(objective: Objective) -> Figure:
    """What the objective is about: the mean of its events, a quantile, or the share of bad ones."""
    if objective.is_mean:
        return Figure("mean")
    if objective.quantile is not None:
        return Figure("quantile", objective.quantile)
    return Figure("share")


def change(
    objective: Objective,
    new: pl.DataFrame,
    old: pl.DataFrame,
    settings: Compare,
    *,
    mix: Sequence[str],
    paired: bool,
    counts: bool,
) -> Change:
    """Compare one figure. `mix`: columns that make up the mix; `paired`: both sides lie in one
    log; `counts`: whether a regression may count against the verdict."""
    figure = figure_of(objective)
    here, there, strata = cells(new, old, objective, mix, coarse=not paired)
    severity = _severity(objective, settings) if counts else Severity.INFORMATIONAL
    found = difference(here, there, figure, paired=paired, strata=strata)
    if found is None:
        missing = " and ".join(
            name for name, side in (("this", here), ("the other", there)) if not side.events
        )
        why = f"no {wording.noun(objective)} that carry it on {missing} side"
        return not_compared(objective, why, (here.events, there.events), severity)
    band = _band(objective, settings.band, found.old)
    word = _word(objective, found.raw, band)
    adjusted = found.adjusted
    text = _text(objective, found.new, found.old, found.raw, word, (here.events, there.events))
    if word is ChangeWord.TOO_FEW:
        text += f"; up to {_gap(objective, band)} would be of no importance"
    if adjusted is not None and (other := _word(objective, adjusted, band)) is not word:
        text += f"; with the same mix: {other} ({_ends(objective, adjusted)})"
    return Change(
        objective=objective.id,
        title=wording.title(objective),
        unit=objective.spec.unit,
        word=word,
        text=text,
        regression=_regression(objective, word, found.raw),
        severity=severity,
        new=found.new,
        old=found.old,
        new_total=here.events,
        old_total=there.events,
        difference=found.raw.value,
        low=found.raw.low,
        high=found.raw.high,
        band=band,
        method=found.method,
        adjusted=None if adjusted is None else adjusted.value,
        adjusted_low=None if adjusted is None else adjusted.low,
        adjusted_high=None if adjusted is None else adjusted.high,
        adjusted_note=found.note,
    )


def not_compared(
    objective: Objective, why: str, totals: tuple[int, int], severity: Severity
) -> Change:
    """A figure that one of the sides does not have."""
    return Change(
        objective=objective.id,
        title=wording.title(objective),
        unit=objective.spec.unit,
        word=ChangeWord.NOT_COMPARED,
        text=f"{wording.title(objective)}: not compared: {why}",
        # Without events here the objective itself says so already.
        regression=Status.NO_DATA if totals[0] else None,
        severity=severity,
        new=None,
        old=None,
        new_total=totals[0],
        old_total=totals[1],
        difference=None,
        low=None,
        high=None,
        band=None,
        method="",
        adjusted=None,
        adjusted_low=None,
        adjusted_high=None,
        adjusted_note="",
    )


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Worst first; the same words in the order of the objectives."""
    return tuple(sorted(changes, key=lambda c: _RANK[c.word]))


def regressions(
    comparisons: Iterable[Comparison], settings: Compare
) -> tuple[tuple[Reason, ...], tuple[Reason, ...]]:
    """What the comparisons hold against a GO: (what blocks, what is a condition)."""
    found = []
    for comparison in comparisons:
        if comparison.refused:
            text = f"{comparison.title}: not compared: {comparison.refused}"
            found.append((settings.regressions, Reason(status=Status.NO_DATA, text=text)))
        for each in comparison.changes:
            if each.regression is not None:
                text = f"{comparison.title}: {each.text}"
                reason = Reason(status=each.regression, text=text)
                found.append((each.severity, reason))
    blocking = tuple(reason for severity, reason in found if severity is Severity.BLOCKING)
    warning = tuple(
        reason.model_copy(update={"text": f"{reason.text} (a warning, does not block)"})
        for severity, reason in found
        if severity is Severity.WARNING
    )
    return blocking, warning


def _severity(objective: Objective, settings: Compare) -> Severity:
    """As configured, but never more than the objective itself may do."""
    ranks = list(Severity)
    return ranks[max(ranks.index(settings.regressions), ranks.index(objective.severity))]


def _regression(objective: Objective, word: ChangeWord, raw: Estimate) -> Status | None:
    if word is ChangeWord.TOO_FEW:
        # Surely worse, by how much is open: a condition. Perhaps nothing at all: none.
        towards = _worsening(objective, raw)
        return Status.AT_RISK if towards[0] is not None and towards[0] > 0 else None
    return _STATUS.get(word)


def _worsening(objective: Objective, gap: Estimate) -> tuple[float | None, float | None]:
    """The interval in the direction in which things get worse."""
    if wording.is_upper(objective):
        return gap.low, gap.high
    return (
        None if gap.high is None else -gap.high,
        None if gap.low is None else -gap.low,
    )


def _word(objective: Objective, gap: Estimate, band: float) -> ChangeWord:
    low, high = _worsening(objective, gap)
    if low is None or high is None:
        return ChangeWord.TOO_FEW
    if low > band:
        return ChangeWord.WORSE
    if high < -band:
        return ChangeWord.BETTER
    if -band <= low and high <= band:
        return ChangeWord.NO_CHANGE
    return ChangeWord.TOO_FEW


def _band(objective: Objective, share: Fraction, old: float) -> float:
    """What is of no importance: of the old value, or of the bad share that the limit allows."""
    if objective.statistic == "rate" and objective.target is not None:
        return float(share * (1 - objective.target))
    return float(share) * abs(old)


def _text(
    objective: Objective,
    new: float,
    old: float,
    raw: Estimate,
    word: ChangeWord,
    totals: tuple[int, int],
) -> str:
    unit = objective.spec.unit
    return (
        f"{wording.title(objective)}: {word}: {display.value(new, unit)} over "
        f"{wording.events(objective, totals[0])}, against {display.value(old, unit)} over "
        f"{display.count(totals[1])} ({_ends(objective, raw)})"
    )


def _ends(objective: Objective, gap: Estimate) -> str:
    value = display.change(gap.value, objective.spec.unit)
    if gap.low is None or gap.high is None:
        return f"{value}, no interval: too few"
    low, high = (display.change(end, objective.spec.unit) for end in (gap.low, gap.high))
    return f"{value}, 95 % interval {low} to {high}"


def _gap(objective: Objective, band: float) -> str:
    return display.change(band, objective.spec.unit).removeprefix("+")
