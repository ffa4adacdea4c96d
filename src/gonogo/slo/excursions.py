"""Excursions: when, inside the period, an objective was over its limit."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gonogo import display
from gonogo.conventions import BIN_SECONDS
from gonogo.results import Excursion
from gonogo.slo import wording
from gonogo.slo.data import Ints, ObjectiveData
from gonogo.stats.edges import RECOVERY_BINS
from gonogo.stats.scan import bad_segments, evidence, possible_edges


def excursions(data: ObjectiveData, slug: str, is_breach: bool) -> tuple[Excursion, ...]:
    """Intervals of bad bins in order of time; none for a mean, whose bins cannot be counted.

    The bin that holds the newest record is incomplete and left out. An excursion is ongoing until
    two full bins within the limit have followed it. Onset and end are borders of 5-minute bins; the
    id is made of the onset as it was first known, which later data leave as it is.
    """
    target = data.objective.target
    if target is None:
        return ()
    full = data.total > 0
    if data.newest is not None:
        full &= data.bins < data.newest // BIN_SECONDS * BIN_SECONDS
    bins, bad, total = data.bins[full], data.bad[full], data.total[full]
    share = 1 - target
    allowed, kept = float(share), bad * share.denominator <= total * share.numerator
    found = []
    segments = bad_segments(bins, bad, total, allowed)
    edges = possible_edges(bins, bad, total, allowed, segments)
    for (first, last, named), may_be in zip(segments, edges, strict=True):
        recovered = int(kept[last:].sum()) >= RECOVERY_BINS
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
            ongoing=not recovered,
            bad=int(k.sum()),
            total=int(n.sum()),
            peak_bad=int(k[peak]),
            peak_total=int(n[peak]),
            peak_at=int(bins[first + peak]),
            bins=last - first,
            sentence="",
            onset_between=_between(may_be.onset, bins, data.width),
            end_between=_between(may_be.end, bins, data.width) if recovered else None,
        )
        seen = wording.seen(data.objective, draft.total - draft.bad, draft.total)
        sentence = _sentence(data, draft, seen)
        found.append(draft.model_copy(update={"sentence": sentence, "seen": seen}))
    return tuple(found)


def _between(borders: tuple[int, int], bins: Ints, width: int) -> tuple[int, int]:
    """Epoch seconds between which an edge lies: from the end of one bin to the start of another."""
    low, high = borders
    earliest = int(bins[low - 1]) + width if low else int(bins[0])
    return earliest, int(bins[high]) if high < len(bins) else int(bins[-1]) + width


def _sentence(data: ObjectiveData, e: Excursion, seen: str) -> str:
    objective = data.objective
    side = "over" if wording.is_upper(objective) else "under"
    lasted = display.duration((e.end - e.onset) * 10**6)
    when = (
        f"has been {side} its limit since {display.time(e.onset)}, still so at the newest record"
        if e.ongoing
        else f"was {side} its limit from {display.span(e.onset, e.end)} ({lasted})"
    )
    worst = wording.happened(objective, e.peak_total - e.peak_bad, e.peak_total)
    same_day = e.onset // 86_400 == e.peak_at // 86_400
    at = f"{display.clock(e.peak_at)} UTC" if same_day else display.time(e.peak_at)
    return f"{wording.sentence_case(e.title)} {when}: {seen}; at its worst, at {at}, {worst}."
