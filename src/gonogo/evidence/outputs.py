"""Hard constraints on logged outputs: how often each is broken, by what, and in which traces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.config.evidence import Constraint
from gonogo.evidence.findings import MEASURED, Judged, Says, counted, listed
from gonogo.evidence.observed import ConstraintCount, Observed, Witness
from gonogo.results import Column, Finding, Scalar, Table

TITLES: Final = {
    "must_match": "a pattern is missing",
    "must_not_match": "a forbidden pattern",
    "citation": "no source is named",
    "banned": "a banned phrase",
    "too_short": "too short",
    "too_long": "too long",
    "json": "not JSON",
    "json_schema": "not valid against the schema",
    "email": "an e-mail address",
    "phone": "a phone number",
    "card": "a card number",
    "iban": "an IBAN",
    "national_id": "a national id",
    "secret": "a secret",
}
"""What breaks a constraint, in words."""


def constraints(
    wanted: Sequence[Constraint],
    observed: Observed,
    problems: Mapping[str, str],
    coverage: Fraction,
) -> Judged:
    """Each constraint against its limit; `coverage` is the share of outputs that must be logged."""
    found: list[Finding] = []
    counts = {c.name: observed.constraints.get(c.name, ConstraintCount()) for c in wanted}
    for one in wanted:
        found += _judged(one, counts[one.name], problems.get(one.name), coverage)
    tables = [
        _table(wanted, counts),
        _by_table(wanted, counts),
        trace_table(
            "constraint_traces",
            "Outputs that break a constraint",
            ("constraint", "broken by"),
            [(w.name, TITLES[w.why], w) for w in observed.witnesses if w.what == "constraint"],
        ),
    ]
    return Judged(tuple(found), tuple(table for table in tables if table.height))


def _judged(
    one: Constraint, count: ConstraintCount, problem: str | None, coverage: Fraction
) -> Iterator[Finding]:
    head = f"{one.name}" + (f" ({one.policy})" if one.policy else "")
    says = Says(MEASURED.evidence, one.owner or "")
    if problem is not None:
        yield says.missing(f"{head}: {problem}", "mend the file, and mind where its path starts")
        return
    if not count.calls:
        where = f" for {listed(one.operations)}" if one.operations else ""
        yield says.missing(f"{head}: no call should have an output{where}", "check operations")
        return
    if not count.looked_at:
        if count.unread:
            text = f"{head}: outputs are logged, but the log format does not hand on their text"
            yield says.missing(text, "log them as docs/native-log.md has it")
        else:
            yield says.missing(f"{head}: no output is logged", "log output on every call")
        return
    rate = Fraction(count.violated, count.looked_at)
    limit = display.exact(one.limit, "ratio")
    text = (
        f"{head}: broken by {count.violated:,} of {counted(count.looked_at, 'output')} "
        f"({display.near(rate, str(one.limit), 'ratio')}), limit {limit}"
    )
    if count.by:
        parts = sorted(count.by.items(), key=lambda item: (-item[1], item[0]))
        text += ": " + listed(f"{TITLES[by]} in {number:,}" for by, number in parts)
    if rate > one.limit:
        yield says.breached(text, "look at the traces, on the Evaluation page")
        return
    if Fraction(count.looked_at, count.calls) < coverage:
        share = display.ratio(count.looked_at, count.calls)
        text += f"; only {share} of {counted(count.calls, 'call')} log their output"
        yield says.missing(text, "log output on every call")
        return
    yield says.met(text)


def _table(wanted: Sequence[Constraint], counts: Mapping[str, ConstraintCount]) -> Table:
    return Table(
        id="constraints",
        title="Hard constraints",
        columns=(
            Column(key="constraint", title="constraint", unit="text"),
            Column(key="policy", title="policy", unit="text"),
            Column(key="calls", title="calls", unit="count", help="calls that have to answer"),
            Column(key="looked_at", title="outputs", unit="count", kind="hidden"),
            Column(key="coverage", title="output logged", unit="ratio", kind="ratio",
                   num="looked_at", den="calls"),
            Column(key="violated", title="broken", unit="count", kind="hidden"),
            Column(key="rate", title="broken", unit="ratio", kind="ratio", num="violated",
                   den="looked_at"),
            Column(key="limit", title="limit", unit="text"),
            Column(key="owner", title="owner", unit="text"),
        ),
        data={
            "constraint": [c.name for c in wanted],
            "policy": [c.policy for c in wanted],
            "calls": [counts[c.name].calls for c in wanted],
            "looked_at": [counts[c.name].looked_at for c in wanted],
            "violated": [counts[c.name].violated for c in wanted],
            "limit": [display.exact(c.limit, "ratio") for c in wanted],
            "owner": [c.owner for c in wanted],
        },
        note="Calls that failed, were blocked or embed a text have no output to look at.",
    )  # fmt: skip


def _by_table(wanted: Sequence[Constraint], counts: Mapping[str, ConstraintCount]) -> Table:
    rows = [
        (one.name, TITLES[by], number)
        for one in wanted
        for by, number in sorted(counts[one.name].by.items())
    ]
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return Table(
        id="constraint_breaks",
        title="What breaks constraints",
        columns=(
            Column(key="constraint", title="constraint", unit="text"),
            Column(key="by", title="broken by", unit="text"),
            Column(key="outputs", title="outputs", unit="count"),
        ),
        data={
            key: list(values)
            for key, values in zip(("constraint", "by", "outputs"), columns, strict=True)
        },
    )


def trace_table(
    table_id: str, title: str, heads: tuple[str, str], rows: Sequence[tuple[str, str, Witness]]
) -> Table:
    """Single traces by id, never their text: (name, what is wrong, the trace)."""
    data: dict[str, list[Scalar]] = {
        "name": [name for name, _, _ in rows],
        "why": [why for _, why, _ in rows],
        "trace_id": [w.trace_id for _, _, w in rows],
        "span_id": [w.span_id for _, _, w in rows],
        "time": [w.time for _, _, w in rows],
        "model": [w.model for _, _, w in rows],
    }
    return Table(
        id=table_id,
        title=title,
        columns=(
            Column(key="name", title=heads[0], unit="text"),
            Column(key="why", title=heads[1], unit="text"),
            Column(key="trace_id", title="trace", unit="text"),
            Column(key="span_id", title="span", unit="text", kind="hidden"),
            Column(key="time", title="time", unit="time"),
            Column(key="model", title="model", unit="text"),
        ),
        data=data,
        note="Up to five of each, drawn by a hash of their content; no text is shown.",
    )
