"""This period against the result of another one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.compare.changes import change, not_compared, ordered
from gonogo.compare.samples import of_side, of_sums
from gonogo.config.model import Config, Objective
from gonogo.conventions import Severity
from gonogo.privacy import clean_label
from gonogo.results import Change, Comparison, IngestReport, ReadinessResult
from gonogo.rollup.objectives import counted
from gonogo.rollup.partial import Partial
from gonogo.slo import wording

_ID: Final = "baseline"
_SETTINGS: Final = ("where ", "excluded ", "field ", "sampling rate", "log format", "timezone ")
"""Lines of the configuration as used that change which calls are counted, or how."""


def refused(why: str) -> Comparison:
    """A baseline that cannot be used, and why."""
    return Comparison(
        id=_ID, title="Against the baseline", kind="period", new="this period", old="the baseline",
        refused=clean_label(why, 400),
    )  # fmt: skip


def against_baseline(
    partial: Partial,
    config: Config,
    baseline: ReadinessResult,
    lines: Sequence[str],
    ingest: IngestReport,
    span: tuple[int, int] | None,
) -> Comparison:
    """Compare a period with the saved result of another.

    lines: the configuration as used; span: first and last record in epoch seconds.
    """
    old = clean_label(baseline.period.label, 80)
    if not baseline.ingest.calls:
        return refused(f"the baseline ({old}) judged no calls")
    if not baseline.blocks:
        return refused(
            f"the baseline ({old}) holds no sums by hour, which differences are drawn from: build "
            "it again from its logs"
        )
    if {f.sha256 for f in baseline.ingest.files} == {f.sha256 for f in ingest.files} and (
        (baseline.period.first, baseline.period.last) == span
    ):
        return refused(f"the baseline ({old}) was made from these same logs and this same period")
    changes = [
        _one(partial, number, counted(objective), baseline, config)
        for number, objective in enumerate(config.objectives)
        if objective.spec.kind != "projection" and objective.segment is None
    ]
    return Comparison(
        id=_ID,
        title=f"Against {old}",
        kind="period",
        new="this period",
        old=old,
        notes=(
            *_thresholds(config, baseline),
            *_settings(lines, baseline),
            *_times(baseline, span),
        ),
        changes=ordered(changes),
    )


def _one(
    partial: Partial, number: int, objective: Objective, baseline: ReadinessResult, config: Config
) -> Change:
    new = of_side(partial, number, 0)
    sums = next((b for b in baseline.blocks if b.objective == objective.id), None)
    settings = config.compare
    if sums is None:
        why = "the baseline has no such objective, or no events of it"
        totals = (int(new["total"].sum()), 0)
        # A new objective is no regression; its limit is judged as ever.
        return not_compared(objective, why, totals, Severity.INFORMATIONAL)
    try:
        old = of_sums(sums)
    except ValueError:
        why = "the sums of the baseline contradict each other"
        return not_compared(objective, why, (int(new["total"].sum()), 0), settings.regressions)
    mix = ("model", "operation")
    return change(objective, new, old, settings, mix=mix, paired=False, counts=True)


def _thresholds(config: Config, baseline: ReadinessResult) -> list[str]:
    """Limits that are not what they were: the figures compare all the same, the verdicts do not."""
    notes = []
    # Which values a dimension has is no change of a threshold.
    before = {o.id: o for o in baseline.objectives if not o.group_by}
    for objective in (o for o in config.objectives if not o.group_by):
        was = before.pop(objective.id, None)
        if was is None:
            notes.append(f"new objective: {objective.expression}")
            continue
        limit = Fraction(was.limit)
        if (was.comparator, limit) == (objective.comparator, objective.limit):
            continue
        change = "changed"
        if was.comparator[0] == objective.comparator[0] and limit != objective.limit:
            looser = (objective.limit > limit) == wording.is_upper(objective)
            change = "loosened" if looser else "tightened"
        shown = display.exact(limit, was.unit)
        sign = was.comparator.replace("<=", "≤").replace(">=", "≥")
        notes.append(
            f"threshold {change}: {objective.expression}, was {sign} {shown}; the difference does "
            "not depend on it, the verdicts of the two periods do"
        )
    notes += [
        f"objective no longer judged: {clean_label(was.expression)}" for was in before.values()
    ]
    return notes


def _settings(lines: Sequence[str], baseline: ReadinessResult) -> list[str]:
    now, then = (
        {line for line in side if line.startswith(_SETTINGS)}
        for side in (lines, baseline.config.lines)
    )
    found = [f"not so in the baseline: {line}" for line in sorted(now - then)]
    return found + [
        f"only so in the baseline: {clean_label(line, 200)}" for line in sorted(then - now)
    ]


def _times(baseline: ReadinessResult, span: tuple[int, int] | None) -> list[str]:
    first, last = baseline.period.first, baseline.period.last
    if span is None or first is None or last is None:
        return []
    if first > span[1]:
        return ["the baseline is later than this period"]
    if last >= span[0]:
        return ["the baseline overlaps this period: calls of both count on both sides"]
    return []
