"""When a period that was published is built again: whether it says something else, and why."""

from __future__ import annotations

from collections.abc import Iterator

from gonogo import display
from gonogo.history.entry import Entry
from gonogo.results import ReadinessResult, Revision


def edition(result: ReadinessResult, before: Entry | None) -> ReadinessResult:
    """`result` with the editions of its period, itself the last.

    Where it says the same as the edition `before`, it *is* that edition: their number and reasons
    stay. A result of before there were editions counts as the first.
    """
    earlier = _revisions(before) if before else ()
    reason = "; ".join(_changes(result, before)) if before else ""
    if before and not reason:
        return result.model_copy(update={"revisions": earlier})
    this = Revision(
        number=earlier[-1].number + 1 if earlier else 1,
        as_of=result.as_of,
        verdict=result.readiness.verdict,
        calls=result.ingest.calls,
        accepted=result.ingest.accepted,
        reason=reason,
    )
    return result.model_copy(update={"revisions": (*earlier, this)})


def _revisions(entry: Entry) -> tuple[Revision, ...]:
    told = tuple(
        Revision(
            number=e.number, as_of=e.as_of, verdict=e.verdict, calls=e.calls, accepted=e.accepted,
            reason=e.reason,
        )
        for e in entry.editions
        if e.verdict is not None
    )  # fmt: skip
    if told or entry.verdict is None:
        return told
    only = Revision(
        number=1, as_of=entry.as_of, verdict=entry.verdict, calls=entry.calls,
        accepted=entry.accepted, reason="",
    )  # fmt: skip
    return (only,)


def _changes(result: ReadinessResult, before: Entry) -> Iterator[str]:
    """What differs from the edition before, in the words of the revision line."""
    records = _records(result, before)
    if records:
        yield records
    if (result.config.content or result.config.sha256 or "") != before.settings:
        yield "other thresholds or settings"
    elif not records and _said(result) != _said_before(before):
        same = result.generator == before.generator
        yield "other evidence" if same else f"judged by {result.generator}"


def _records(result: ReadinessResult, before: Entry) -> str:
    more = result.ingest.calls - before.calls
    what = "calls"
    if not more:
        more, what = result.ingest.accepted - result.ingest.outside_period, "records"
        more -= before.accepted - before.outside
    if more > 0:
        return f"late records: {display.count(more)} more {what}"
    return f"fewer records: {display.count(-more)} {what} less" if more else ""


def _said(result: ReadinessResult) -> tuple[object, ...]:
    """What a reader decides by."""
    return (
        result.readiness.verdict,
        result.slo.verdict,
        {(o.id, o.status, o.observed) for o in result.objectives},
        {(g.id, g.status.value) for g in result.gates},
    )


def _said_before(entry: Entry) -> tuple[object, ...]:
    return (
        entry.verdict,
        entry.slo,
        {(p.id, p.status, p.observed) for p in entry.points},
        set(entry.gates),
    )
