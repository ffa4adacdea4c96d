"""The breach summary, to be pasted into an incident: what is over its limit, since when, how far.

Both forms stay under 64 KB, so that they fit into an issue or a message; what is left out is
counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from gonogo.conventions import Severity, Status
from gonogo.exports import figures
from gonogo.exports.safe import address, code, markdown
from gonogo.privacy import clean_label
from gonogo.results import Excursion, ObjectiveResult, ReadinessResult
from gonogo.telling import coincidence, edges, impact

SCHEMA_VERSION: Final = 1
_LARGEST: Final = 60_000
_MOST_INTERVALS: Final = 10
_NOTHING: Final = "Nothing is over its limit"


_Told = list[tuple[ObjectiveResult, list[Excursion]]]


def _told(result: ReadinessResult) -> tuple[_Told, _Told]:
    """Breached objectives with their intervals, and the others that have any; worst first."""
    over: _Told = []
    held: _Told = []
    for o in result.objectives:
        found = [e for e in result.excursions if e.objective == o.id]
        if o.status is Status.BREACHED:
            over.append((o, found))
        elif found:
            held.append((o, found))
    return over, held


# --- Markdown -------------------------------------------------------------------------------------


def breaches_md(result: ReadinessResult) -> str:
    """The summary as Markdown; text from logs can neither mention, link, embed nor break out."""
    over, held = _told(result)
    blocks = [_head(result)]
    if over:
        blocks.append("## Breaches")
        blocks += [_objective(o, found, result) for o, found in over]
    else:
        blocks.append(_nothing(result))
    if held:
        blocks.append("## Excursions of objectives that hold over the period")
        blocks += [_objective(o, found, result) for o, found in held]
    source = f"{markdown(result.generator, 60)}; {figures.conservation(result.ingest)}."
    return _fitted(blocks, f"Made by {source}")


def _head(result: ReadinessResult) -> str:
    lines = [
        f"# {result.readiness.verdict.value}",
        "",
        markdown(figures.summary(result.readiness)),
        "",
    ]
    if result.notice:
        lines += [f"> {markdown(result.notice)}", ""]
    what = f"{markdown(result.site.title)}, {markdown(figures.period(result))}"
    if result.as_of is not None:
        what += f"; data up to {_at(result.as_of, result.period.timezone)}"
    return "\n".join([*lines, what])


def _objective(o: ObjectiveResult, found: list[Excursion], result: ReadinessResult) -> str:
    severity = "" if o.severity is Severity.BLOCKING else f" ({o.severity.value})"
    spread = figures.interval(o)
    between = f" (95 % interval {markdown(spread)})" if spread else ""
    lines = [
        f"### {code(o.expression, 300)}{severity}",
        "",
        f"- Observed {markdown(figures.observed(o))}{between},"
        f" limit {markdown(figures.limit(o))}; {figures.counts(o)}",
        f"- Why: {markdown(o.reason)}",
        f"- Threshold: {markdown(figures.threshold(o))}",
    ]
    if o.is_waived and o.waiver is not None:
        lines.append(
            f"- Waived until {o.waiver.expires} by {markdown(o.waiver.owner)}: "
            f"{markdown(o.waiver.reason)}"
        )
    for e in found[:_MOST_INTERVALS]:
        lines += [f"- {line}" for line in _interval(e, result)]
        lines += [
            f"- {markdown(line)}" for line in edges(e, figures.known_zone(result.period.timezone))
        ]
        if e.impact is not None:
            lines.append(f"- Touched: {markdown(impact(e))}")
        lines += [f"- Coincides: {markdown(coincidence(c))}" for c in e.coincidences[:1]]
    if (more := len(found) - _MOST_INTERVALS) > 0:
        lines.append(f"- and {more} more intervals")
    if not found:
        lines.append(f"- Since: {_unknown_onset(result)}")
    if o.hint:
        lines.append(f"- Next: {markdown(o.hint)}")
    if o.owner:
        lines.append(f"- Owner: {markdown(o.owner)}")
    if o.runbook:
        lines.append(f"- Run book: {address(o.runbook)}")
    return "\n".join(lines)


def _unknown_onset(result: ReadinessResult) -> str:
    if result.period.first is None:
        return "not known, the records carry no time"
    return "spread over the period, no interval stands out"


def _interval(e: Excursion, result: ReadinessResult) -> tuple[str, str]:
    zone = result.period.timezone
    end = "still over at the end of the data" if e.ongoing else f"until {_at(e.end, zone)}"
    return (
        f"Since {_at(e.onset, zone)}, {end}: {figures.share(e.bad, e.total)}",
        f"Peak at {_at(e.peak_at, zone)}: {figures.share(e.peak_bad, e.peak_total)}",
    )


def _at(epoch: int, zone: str) -> str:
    return markdown(figures.moment(epoch, zone))


def _nothing(result: ReadinessResult) -> str:
    near = figures.nearest(result)
    silent = sum(o.status is Status.NO_DATA for o in result.objectives)
    if near is None:
        return f"{_NOTHING}, but no objective could be judged ({silent} without data)."
    return (
        f"{_NOTHING}; nearest: {code(near.expression)}, observed"
        f" {markdown(figures.observed(near))}, limit {markdown(figures.limit(near))}"
        f" ({markdown(figures.threshold(near))})."
        + (f" Without data: {silent} of {len(result.objectives)} objectives." if silent else "")
    )


def _fitted(blocks: list[str], foot: str) -> str:
    kept: list[str] = []
    size = len(foot.encode())
    for block in blocks:
        size += len(block.encode()) + 2
        if size > _LARGEST:
            break
        kept.append(block)
    if left := sum(block.startswith("### ") for block in blocks[len(kept) :]):
        kept.append(f"… and {left} more; they are on the Breaches page.")
    return "\n\n".join([*kept, foot]) + "\n"


# --- JSON -----------------------------------------------------------------------------------------


def breaches_json(result: ReadinessResult) -> str:
    """The summary for programs: keys sorted, times in UTC and in the declared zone."""
    over, held = _told(result)
    near = None if over else figures.nearest(result)
    span = result.period
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "generator": clean_label(result.generator),
        "profile": result.profile,
        "title": clean_label(result.site.title),
        "verdict": result.readiness.verdict.value,
        "slo_verdict": result.slo.verdict.value,
        "headline": clean_label(result.readiness.headline, 600),
        "notice": clean_label(result.notice, 600) if result.notice else "",
        "period": {
            "label": clean_label(span.label),
            "timezone": clean_label(span.timezone),
            "start_utc": None if span.start is None else figures.iso(span.start),
            "end_utc": None if span.end is None else figures.iso(span.end),
        },
        "as_of_utc": None if result.as_of is None else figures.iso(result.as_of),
        "nearest": None if near is None else _objective_json(near),
        "breaches": [],
        "excursions": [],
        "left_out": 0,
    }
    _fill(
        summary,
        (
            ("breaches", [_told_json(o, found, result) for o, found in over]),
            ("excursions", [_told_json(o, found, result) for o, found in held]),
        ),
    )
    text = json.dumps(summary, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return text + "\n"


def _fill(summary: dict[str, Any], lists: Iterable[tuple[str, list[dict[str, Any]]]]) -> None:
    size = len(json.dumps(summary, indent=2, ensure_ascii=False).encode())
    for key, items in lists:
        for item in items:
            text = json.dumps(item, indent=2, ensure_ascii=False)
            # In its list each line is indented by four more columns, and a comma follows.
            length = len(text.encode()) + 5 * (text.count("\n") + 1)
            if size + length > _LARGEST:
                summary["left_out"] += 1
            else:
                summary[key].append(item)
                size += length


def _told_json(
    o: ObjectiveResult, found: list[Excursion], result: ReadinessResult
) -> dict[str, Any]:
    return _objective_json(o) | {
        "intervals": [_interval_json(e, result) for e in found[:_MOST_INTERVALS]],
        "intervals_left_out": max(0, len(found) - _MOST_INTERVALS),
    }


def _objective_json(o: ObjectiveResult) -> dict[str, Any]:
    return {
        "objective": clean_label(o.id, 300),
        "title": clean_label(o.title, 300),
        "expression": clean_label(o.expression, 300),
        "status": o.status.value,
        "severity": o.severity.value,
        "unit": o.unit,
        "comparator": o.comparator,
        "limit": clean_label(o.limit),
        "observed": o.observed,
        "low": o.low,
        "high": o.high,
        "bad": None if o.good is None else o.total - o.good,
        "total": o.total,
        "threshold_source": o.source.value,
        "threshold_note": clean_label(figures.threshold(o), 300),
        "reason": clean_label(o.reason, 600),
        "hint": clean_label(o.hint, 600) if o.hint else "",
        "owner": clean_label(o.owner) if o.owner else None,
        "runbook": clean_label(o.runbook, 300) if o.runbook else None,
    }


def _between(edge: tuple[int, int] | None) -> list[str | None] | None:
    return None if edge is None else [figures.iso(at) for at in edge]


def _interval_json(e: Excursion, result: ReadinessResult) -> dict[str, Any]:
    zone = result.period.timezone
    return {
        "id": clean_label(e.id, 300),
        "since_utc": figures.iso(e.onset),
        "since_local": figures.iso(e.onset, zone),
        "until_utc": None if e.ongoing else figures.iso(e.end),
        "until_local": None if e.ongoing else figures.iso(e.end, zone),
        "ongoing": e.ongoing,
        "since_between_utc": _between(e.onset_between),
        "until_between_utc": _between(e.end_between),
        "bad": e.bad,
        "total": e.total,
        "peak_utc": figures.iso(e.peak_at),
        "peak_bad": e.peak_bad,
        "peak_total": e.peak_total,
        "impact": None if e.impact is None else e.impact.model_dump(),
        "coincidences": [clean_label(coincidence(c), 300) for c in e.coincidences],
    }
