"""Tools and retrieval: what is declared of them, and what the log shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

from gonogo import display
from gonogo.config.evidence import Retrieval, Tool
from gonogo.evidence.findings import DECLARED, MEASURED, Judged, counted, listed
from gonogo.evidence.observed import IndexCount, Observed, ToolCount
from gonogo.results import Column, Finding, Table

MOST_EXTERNAL: Final = 3
"""External tools beyond which a protocol of one's own for each is hard to keep up."""
FEWEST_SCORES: Final = 30
"""Scores of an index version under which their mean says little."""


def tools(declared: Sequence[Tool], observed: Observed) -> Judged:
    """Each tool has a strict schema, a timeout that holds and a fallback; none is unknown."""
    seen = {tool.name.lower(): tool for tool in observed.tools}
    names = {tool.name.lower() for tool in declared}
    found = []
    for name, tool in seen.items():
        if name not in names:
            text = f"{tool.name} was called {counted(tool.calls, 'time')} and is not declared"
            found.append(MEASURED.missing(text, f'declare it: [[tool]] name = "{tool.name}"'))
    for one in declared:
        found += _declared(one)
        found += _seen(one, seen.get(one.name.lower()))
    alone = [tool.name for tool in declared if tool.external and not tool.mcp]
    if len(alone) > MOST_EXTERNAL:
        text = f"{len(alone)} external tools are not reached by MCP: {listed(alone)}"
        found.append(DECLARED.advice(text, "one protocol for all of them is easier to keep up"))
    return Judged(tuple(found), (_tool_table(declared, seen),) if declared else ())


def _declared(one: Tool) -> Iterator[Finding]:
    named = {"schema": one.schema, "timeout": one.timeout, "fallback": one.fallback}
    missing = [name for name, value in named.items() if value is None]
    if missing:
        text = f"{one.name}: no {listed(missing)} is stated"
        yield DECLARED.missing(text, "complete the [[tool]]")
    elif one.schema == "loose":
        text = f"{one.name}: its schema is loose, so that wrong arguments may pass"
        yield DECLARED.at_risk(text, "make its schema strict")
    else:
        assert one.timeout is not None
        limit = display.duration(one.timeout * 1000)
        yield DECLARED.met(f"{one.name}: strict, given up after {limit}, then {one.fallback}")


def _seen(one: Tool, seen: ToolCount | None) -> Iterator[Finding]:
    if seen is None:
        yield DECLARED.met(f"{one.name} is declared; the log shows no call of it")
        return
    calls = counted(seen.calls, "call")
    if one.timeout is not None:
        limit = display.duration(one.timeout * 1000)
        if not seen.timed:
            text = f"{one.name}: none of its {calls} logs how long it took"
            yield MEASURED.missing(text, "log tool_calls[].latency_ms")
        elif seen.over:
            share = display.ratio(seen.over, seen.timed)
            text = f"{one.name}: {seen.over:,} of {counted(seen.timed, 'call')} ({share}) took "
            text += f"longer than its timeout of {limit}"
            yield MEASURED.breached(text, "enforce the timeout, or state the one that holds")
        else:
            text = f"{one.name}: {counted(seen.timed, 'call')} within its timeout of {limit}"
            yield MEASURED.met(text)
    if not seen.args_known:
        text = f"{one.name}: the log does not say whether arguments were valid"
        yield MEASURED.at_risk(text, "log tool_calls[].arguments_valid")
        return
    open_ones = seen.invalid - seen.invalid_handled
    text = f"{one.name}: invalid arguments in {seen.invalid:,} of {calls}"
    if open_ones:
        text += f", {open_ones:,} of them neither refused nor answered by a fallback"
        says = MEASURED.breached if one.schema == "strict" else MEASURED.at_risk
        yield says(text, "refuse arguments that are not valid against the schema")
    elif seen.invalid:
        yield MEASURED.met(f"{text}, each refused or answered by a fallback")


def _tool_table(declared: Sequence[Tool], seen: dict[str, ToolCount]) -> Table:
    none = ToolCount("")
    counts = [seen.get(tool.name.lower(), none) for tool in declared]
    return Table(
        id="tool_declarations",
        title="Tools as declared",
        columns=(
            Column(key="tool", title="tool", unit="text"),
            Column(key="schema", title="schema", unit="text"),
            Column(key="timeout", title="timeout", unit="us"),
            Column(key="timed", title="timed", unit="count", kind="hidden"),
            Column(key="over", title="over", unit="count", kind="hidden"),
            Column(key="over_rate", title="over its timeout", unit="ratio", kind="ratio",
                   num="over", den="timed"),
            Column(key="invalid", title="invalid arguments", unit="count"),
            Column(key="handled", title="of these handled", unit="count"),
            Column(key="fallback", title="fallback", unit="text"),
            Column(key="mcp", title="MCP server", unit="text"),
        ),
        data={
            "tool": [tool.name for tool in declared],
            "schema": [tool.schema for tool in declared],
            "timeout": [t.timeout * 1000 if t.timeout is not None else None for t in declared],
            "timed": [count.timed for count in counts],
            "over": [count.over for count in counts],
            "invalid": [count.invalid for count in counts],
            "handled": [count.invalid_handled for count in counts],
            "fallback": [tool.fallback for tool in declared],
            "mcp": [tool.mcp for tool in declared],
        },
        note="A tenth over the timeout is let be: giving up takes time too.",
    )  # fmt: skip


# --- retrieval ------------------------------------------------------------------------------------


def retrieval(declared: Retrieval, observed: Observed) -> Judged:
    """Queries use the index's embedding model, and scores do not jump with a new index."""
    found: list[Finding] = [*_stated(declared)]
    total = sum(index.retrievals for index in observed.indexes)
    if not total:
        text = "the log shows no retrieval"
        found.append(MEASURED.missing(text, "log retrieval on the calls that look something up"))
        return Judged(tuple(found))
    found += _models(declared, observed.indexes, total)
    found += _scores(declared, observed.indexes)
    return Judged(tuple(found))


def _stated(declared: Retrieval) -> Iterator[Finding]:
    named = {
        "chunk_overlap": declared.chunk_overlap,
        "parent_retrieval": declared.parent_retrieval,
        "reranker": declared.reranker,
    }
    missing = [name for name, value in named.items() if value is None]
    if missing:
        yield DECLARED.at_risk(f"no {listed(missing)} is stated", "complete [retrieval]")
        return
    parent = "with" if declared.parent_retrieval else "without"
    text = f"chunks share {counted(declared.chunk_overlap or 0, 'token')}, {parent} parent "
    yield DECLARED.met(f"{text}retrieval, sorted by {declared.reranker}")


def _models(declared: Retrieval, indexes: Sequence[IndexCount], total: int) -> Iterator[Finding]:
    by_model: dict[str, int] = {}
    for index in indexes:
        by_model[index.model] = by_model.get(index.model, 0) + index.retrievals
    unknown = by_model.pop("", 0)
    step = "log retrieval.embedding_model"
    if not by_model:
        yield MEASURED.missing("no retrieval says which model embedded the query", step)
        return
    if unknown:
        text = f"{unknown:,} of {counted(total, 'retrieval')} do not say which model embedded them"
        yield MEASURED.at_risk(text, step)
    for model, number in by_model.items():
        text = f"{counted(number, 'query', 'queries')} embedded with {model}"
        if model.lower() == declared.embedding_model.lower():
            yield MEASURED.met(f"{text}, the model of the index")
        else:
            text += f", the index with {declared.embedding_model}: their distances mean nothing"
            yield MEASURED.breached(text, "embed queries with the model of the index")


def _scores(declared: Retrieval, indexes: Sequence[IndexCount]) -> Iterator[Finding]:
    """Means of the top score from one index version to the next, in order of their first use."""
    sums: dict[str, list[int]] = {}
    for index in sorted(indexes, key=lambda i: (i.first is None, i.first or 0, i.version)):
        if index.version:
            of = sums.setdefault(index.version, [0, 0])
            of[0] += index.score_n
            of[1] += index.score_micro
    scored = {v: Fraction(micro, n) for v, (n, micro) in sums.items() if n >= FEWEST_SCORES}
    if not scored:
        text = f"no index version has {FEWEST_SCORES} scores to compare"
        yield MEASURED.advice(text, "log retrieval.scores and retrieval.index_version")
        return
    limit = display.exact(declared.score_shift, "ratio")
    steady = True
    for (before, a), (after, b) in pairwise(scored.items()):
        shift = abs(b - a) / abs(a) if a else Fraction(b != a)
        if shift > declared.score_shift:
            steady = False
            shown = display.near(shift, str(declared.score_shift), "ratio")
            text = (
                f"the mean top score went from {float(a) / 1e6:.3f} with index {before} to "
                f"{float(b) / 1e6:.3f} with {after}: {shown}, limit {limit}"
            )
            yield MEASURED.at_risk(text, "find out what the new index changed, and raise or lower "
                                   "thresholds on scores")  # fmt: skip
    if steady:
        text = f"the mean top score is steady over {counted(len(scored), 'index version')}"
        yield MEASURED.met(f"{text}, limit {limit}")
