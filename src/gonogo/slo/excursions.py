"""Excursions: when, inside the period, an objective was over its limit."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gonogo import display
from gonogo.conventions import BIN_SECONDS
from gonogo.results import Excursion
from gonogo.slo import wording
from gonogo.slo.data import ObjectiveData
from gonogo.stats.scan import RECOVERY_BINS, bad_segments, evidence


def excursions(data: ObjectiveData, slug: str, is_breach: bool) -> tuple[Excursion, ...]:
    """Intervals of bad bins in order of time; none for a mean, whose bins cannot be counted.

    The bin that holds the newest record is incomplete and left out. An excursion is ongoing until
    two full bins with traffic have followed it. Onset and end are borders of 5-minute bins; the id
    is made of the onset as it was first known, which later data leave as it is.
    """
    target = data.objective.target
    if target is None:
        return ()
    full = data.total > 0
    if data.newest is not None:
        full &= data.bins < data.newest // BIN_SECONDS * BIN_SECONDS
    bins, bad, total = data.bins[full], data.bad[full], data.total[full]
    allowed = float(1 - target)
    found = []
    for first, last, named in bad_segments(bins, bad, total, allowed):
        k, n = bad[first:last], total[first:last]
        peak = int(np.argmax(evidence(k, n, allowed)))
        onset, known = int(bins[first]), datetime.fromtimestamp(int(bins[named]), UTC)
        # The sentence needs the numbers and the number needs no sentence: built in two steps.
        draft = Excursion(
            id=f"{slug}-{known:%Y%m%dT%H%MZ}",
            objective=data.objective.id,
            title=wording.title(data.objective),
            is_breach=is_breach,
            onset=onset,
            end=int(bins[last - 1]) + data.width,
            ongoing=len(bins) - last < RECOVERY_BINS,
            bad=int(k.sum()),
            total=int(n.sum()),
            peak_bad=int(k[peak]),
            peak_total=int(n[peak]),
            peak_at=int(bins[first + peak]),
            bins=last - first,
            sentence="",
        )
        found.append(draft.model_copy(update={"sentence": _sentence(data, draft)}))
    return tuple(found)


def _sentence(data: ObjectiveData, e: Excursion) -> str:
    objective = data.objective
    side = "over" if wording.is_upper(objective) else "under"
    lasted = display.duration((e.end - e.onset) * 10**6)
    when = (
        f"has been {side} its limit since {display.time(e.onset)}, still so at the newest record"
        if e.ongoing
        else f"was {side} its limit from {display.span(e.onset, e.end)} ({lasted})"
    )
    seen = wording.share(objective, e.total - e.bad, e.total)
    worst = wording.happened(objective, e.peak_total - e.peak_bad, e.peak_total)
    same_day = e.onset // 86_400 == e.peak_at // 86_400
    at = f"{display.clock(e.peak_at)} UTC" if same_day else display.time(e.peak_at)
    return (
        f"{wording.sentence_case(e.title)} {when}: {seen}, {wording.allowance(objective)}; "
        f"at its worst, at {at}, {worst}."
    )
