"""What is known of each excursion beside its counts: impact, coincidences, first sights, calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, Literal

import polars as pl

from gonogo.assemble import label
from gonogo.config.model import Objective
from gonogo.ingest.logs import LogInput
from gonogo.measures import Distributions, objective_data
from gonogo.privacy import clean_label
from gonogo.request import Run
from gonogo.results import Coincidence, Excursion, FirstSeen, Impact, Step, TraceLine, Witness
from gonogo.rollup.costs import Pricing
from gonogo.rollup.investigate import (
    Candidate,
    Findings,
    Window,
    first_times,
    index_shares,
    investigate,
    look_again,
)
from gonogo.rollup.mapper import Mapper
from gonogo.rollup.partial import Partial
from gonogo.rollup.select import Calendar
from gonogo.rollup.siblings import Call, Sibling, Siblings
from gonogo.slo import excursions_of
from gonogo.stats.lift import FALSE_FINDING, log_tail

Label = Callable[[str, str], str]
Ids = Callable[[int, list[int]], pl.DataFrame]
Kind = Literal["worst", "typical", "control"]
MOST: Final = 5
NEAR: Final = 3600
"""Seconds around an onset within which something new is worth a word."""

_RULES: Final = {
    "worst": "the longest among the bad",
    "typical": "a bad one, drawn by a hash of its content",
    "control": "a good one of the same time, drawn by a hash of its content",
}


def looked_at(
    run: Run, logs: LogInput, mapper: Mapper, partial: Partial, pricing: Pricing
) -> dict[str, Excursion]:
    """Every excursion with its details, by its id: the blocks that it lies in are read again."""
    config = run.config
    excursions = excursions_of(objective_data(partial, config, Distributions(partial)), config)
    # Of slices of time, the events that they are judged by are what can be looked at.
    by_id = {o.id: o.sliced.inner if o.sliced else o for o in config.objectives}
    # A request may have calls in any part of the log, and small segments judged together have no
    # selector of their own: their excursions are counted, not looked into.
    excursions = tuple(
        e for e in excursions if e.objective in by_id and by_id[e.objective].spec.table != "traces"
    )
    windows = [Window(by_id[e.objective], e.onset, e.end) for e in excursions]
    if not windows:
        return {}
    calendar, siblings = Calendar(run.zone), Siblings()
    found = investigate(
        logs.blocks(),
        mapper.spans,
        windows,
        run.selection,
        calendar,
        logs.dictionaries,
        pricing,
        siblings,
    )
    again: dict[int, list[Call]] = {}
    for _, candidate in (chosen for f in found for chosen in _chosen(f)):
        for part in siblings.missing(candidate.call, mapper.spans, range(len(logs.parts))):
            again.setdefault(part, []).append(candidate.call)
    look_again(logs.blocks(), again, run.selection, calendar, logs.dictionaries, siblings)
    return {
        e.id: detailed(
            e,
            by_id[e.objective],
            f,
            partial,
            lambda c, t: label(run.masker, c, t),
            logs.ids,
            siblings,
        )
        for e, f in zip(excursions, found, strict=True)
    }


def detailed(
    excursion: Excursion,
    objective: Objective,
    findings: Findings,
    partial: Partial,
    named: Label,
    ids: Ids,
    siblings: Siblings,
) -> Excursion:
    """The excursion with everything that its records say; `partial` has the texts as logged."""
    f = findings
    cost = f.cost if f.priced else None
    extra = None
    if f.priced and f.good_priced:
        extra = f.cost - round(f.good_cost / f.good_priced * f.priced)
    return excursion.model_copy(
        update={
            "impact": Impact(
                calls=f.calls,
                sessions=f.sessions,
                users=f.users,
                tenants=f.tenants,
                without_session=f.without_session,
                without_user=f.without_user,
                cost_nano_usd=cost,
                extra_cost_nano_usd=extra,
                priced=f.priced,
            ),
            "coincidences": _coincidences(f, objective, partial, named),
            "first_seen": _first_seen(excursion, partial, named),
            "witnesses": _witnesses(f, named, ids, siblings),
        }
    )


def _coincidences(
    f: Findings, objective: Objective, partial: Partial, named: Label
) -> tuple[Coincidence, ...]:
    """Values that stand out against other values in the same time, clearest first.

    A value that every event has tells nothing apart: a release is that of all calls until the next
    one, and the selector of an objective implies a provider. Only of a search index there is always
    just one: where nothing else stands out, it is held against its share of the whole period.
    """
    shares = index_shares(partial.frames, objective)
    # What the objective selects by, all its events have.
    own = {key for key, _ in objective.selector} | {objective.group_by}
    kinds = sorted(kind for kind in f.events if kind[0] not in own)
    looks = max(1, len(kinds))
    level = math.log(FALSE_FINDING / looks)
    among: list[tuple[float, Coincidence]] = []
    whole: list[tuple[float, Coincidence]] = []
    for dimension, value in kinds:
        bad, events = f.bad[dimension, value], f.events[dimension, value]
        if not bad:
            continue
        if events < f.all_events:
            tail = log_tail(bad, events, f.all_bad, f.all_events)
            share = events / f.all_events
            found, against = among, "others"
        else:
            share = shares.get((dimension, value), 1.0)
            # Not drawn from the period one by one: the figure orders, the share is what is said.
            tail = f.all_bad * math.log(share) if share < 1 else 0.0
            found, against = whole, "period"
        if tail <= level:
            found.append((tail, _coincidence(f, dimension, value, share, against, named)))
    ranked = sorted(among or whole, key=_clearest)
    return tuple(coincidence for _, coincidence in ranked[:MOST])


def _clearest(found: tuple[float, Coincidence]) -> tuple[float, str, str]:
    return found[0], found[1].dimension, found[1].value


def _coincidence(
    f: Findings, dimension: str, value: str, share: float, against: str, named: Label
) -> Coincidence:
    held: Literal["others", "period"] = "others" if against == "others" else "period"
    bad = f.bad[dimension, value]
    return Coincidence(
        dimension=dimension,
        value=named(dimension, value),
        against=held,
        bad=bad,
        events=f.events[dimension, value],
        all_bad=f.all_bad,
        share=share,
        lift=bad / f.all_bad / share,
    )


def _first_seen(e: Excursion, partial: Partial, named: Label) -> tuple[FirstSeen, ...]:
    if partial.first_us is None:
        return ()
    beginning = partial.first_us // 1_000_000 + NEAR
    found = [
        FirstSeen(dimension=dimension, value=named(dimension, value), time=time)
        for (dimension, value), time in first_times(partial.frames).items()
        # What was there in the first hour of the log may be old.
        if abs(time - e.onset) <= NEAR and time > beginning
    ]
    return tuple(sorted(found, key=lambda x: (abs(x.time - e.onset), x.dimension, x.value)))[:MOST]


def _witnesses(f: Findings, named: Label, ids: Ids, siblings: Siblings) -> tuple[Witness, ...]:
    return tuple(_witness(kind, c, named, ids, siblings) for kind, c in _chosen(f))


def _chosen(f: Findings) -> list[tuple[Kind, Candidate]]:
    chosen: list[tuple[Kind, Candidate]] = []
    taken: set[tuple[int, int]] = set()
    kinds: tuple[tuple[Kind, Sequence[Candidate]], ...] = (
        ("worst", f.worst), ("typical", f.typical), ("control", f.control),
    )  # fmt: skip
    for kind, candidates in kinds:
        for candidate in candidates:
            if (candidate.part, candidate.row) not in taken:
                taken.add((candidate.part, candidate.row))
                chosen.append((kind, candidate))
                break
    return chosen


def _witness(kind: Kind, c: Candidate, named: Label, ids: Ids, siblings: Siblings) -> Witness:
    beside, left_out = siblings.beside(c.call, c.part, c.row)
    texts = ids(c.part, [c.row])
    trace, span = texts["trace_id"][0], texts["span_id"][0]
    texts_of = {
        name: None if text is None else named(name, text)
        for name, text in (("model", c.model), ("operation", c.operation), ("release", c.release))
    }
    return Witness(
        kind=kind,
        rule=_RULES[kind],
        trace_id=None if trace is None else clean_label(trace),
        span_id=None if span is None else clean_label(span),
        time=c.time // 1_000_000,
        duration_us=None if c.duration < 0 else c.duration,
        error_class=c.error_class,
        steps=tuple(
            Step(
                name=clean_label(name),
                duration_us=None if took < 0 else took,
                failed=failed,
            )
            for name, took, failed in c.steps
        ),
        beside=tuple(
            TraceLine(
                name=_name(line, named),
                offset_us=line.time - c.time,
                duration_us=None if line.duration < 0 else line.duration,
                failed=line.failed,
            )
            for line in beside
        ),
        beside_left_out=left_out,
        **texts_of,
    )


def _name(line: Sibling, named: Label) -> str:
    """What a line of a trace is: its step, or its operation and model."""
    if line.step:
        return clean_label(line.step)
    kinds = (("operation", line.operation), ("model", line.model))
    return " ".join(named(kind, text) for kind, text in kinds if text) or "call"
