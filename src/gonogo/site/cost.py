"""The Cost page: what it came to, whether that can be trusted, and what it would be elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gonogo import display
from gonogo.conventions import DIMENSIONS
from gonogo.results import ReadinessResult
from gonogo.site import figures as f
from gonogo.site.breaches import trace_cell
from gonogo.site.figures import Figure, tiles
from gonogo.site.layout import blocks
from gonogo.site.model import Absent, Cell, ChartView, Section, TableView
from gonogo.site.pivot import token_buckets
from gonogo.site.sections import any_of, by_dimension, objectives, or_absent, pick
from gonogo.site.tables import Col, count, from_column, mean, plain, rate, view
from gonogo.site.text import clipped, firm, heading, moment, value_text

COST_COLS: Final = (
    count("Calls", "calls"),
    Col("Cost", "nano_usd", "cost"),
    mean("Per call", "nano_usd", "cost", "cost_n"),
    rate("With a cost", "cost_n", "calls", "calls whose cost is known / all calls"),
    Col("Input tokens", "tokens", "input_tokens"),
    Col("Output tokens", "tokens", "output_tokens"),
)
_FIGURES: Final = (
    Figure("Spend in the period", "nano_usd", "cost_n", key="cost", colour="c2"),
    Figure("Per call, mean", "nano_usd", "cost_n", num="cost", indicator="cost_per_call",
           statistic="mean", colour="c2"),
    f.COST_PER_1000,
    Figure("Per session", "nano_usd", "sessions", num="session_cost", colour="c3",
           sample="sessions"),
    Figure("Calls with a known cost", "ratio", "calls", num="cost_n", colour="c6"),
)  # fmt: skip
_PROSE: Final = {"assumption": 400}
"""Columns that hold sentences, and how long these may be."""
NO_COST: Final = (
    "no call has a known cost, and an unknown one is unknown, never $0. Log the cost of each call "
    "or what it can be priced by:"
)
WHAT_TO_LOG: Final = "cost_usd, or provider, response_model, input_tokens, output_tokens"


def cost(result: ReadinessResult, charts: Sequence[ChartView]) -> tuple[Section, ...]:
    """The sections of the page; what the log cannot tell is one line each."""
    overall = result.tables.get("overall")
    known = any_of(overall, "cost_n")
    scenario = [replace(c, open=True) for c in pick(charts, "cost-scenarios")]
    first = [c for c in charts if c.id != "cost-scenarios"]
    months = None if scenario else _table(result, "cost_scenarios")
    main = Section("cost", "", tiles=tiles(result, _FIGURES) if known else (), blocks=blocks(first))
    scenarios = Section(
        "scenarios", "Scenarios", "What a month costs at other amounts of traffic",
        blocks=blocks(
            scenario,
            [months, _table(result, "cost_sampling"), _table(result, "cost_traffic")],
        ),
    )  # fmt: skip
    proof = Section(
        "proof", "Proof", "Where the figure comes from, and where log and price list differ",
        blocks=blocks((), [_table(result, f"cost_{name}") for name in (
            "changes", "sources", "proof", "differences", "unknown", "invoice")]),
    )  # fmt: skip
    tokens = Section(
        "tokens", "Tokens",
        blocks=blocks((), [_table(result, "cost_buckets"), token_buckets(overall)]),
    )  # fmt: skip
    parts = Section(
        "parts", "Where the money goes",
        blocks=blocks((), [
            _table(result, "cost_units"), _table(result, "cost_days"),
            _table(result, "cost_waste"), _dearest(result), _dearest_requests(result),
        ]) if known else (),
        choices=by_dimension(result, COST_COLS, "Cost", "cost") if known else (),
        absent=_missing(result) if known else (),
    )  # fmt: skip
    levers = Section(
        "levers", "Levers", "What might be saved, estimated from this log",
        blocks=blocks((), [_table(result, "cost_levers")]),
    )  # fmt: skip
    found = [objectives(result, "cost"), or_absent(main, "Cost", NO_COST, WHAT_TO_LOG)]
    short = "they take calls with a known cost, over a day of logs or with a stated"
    if known:
        found.append(or_absent(scenarios, "Scenarios", short, "[cost] calls_per_day"))
    found += [section for section in (proof,) if section.blocks]
    found.append(or_absent(tokens, "Tokens", "not logged. Log", "input_tokens, output_tokens"))
    return (*found, *(s for s in (parts, levers) if s.blocks or s.choices))


def _table(result: ReadinessResult, name: str) -> TableView | None:
    """A table of the result with the titles that it came with."""
    table = result.tables.get(name)
    if table is None:
        return None
    cols = [from_column(c) for c in table.columns if c.kind != "hidden"]
    units = {c.key: c.unit for c in table.columns}
    cols = [
        replace(c, title=heading(c.title), parts=units.get(c.num, c.parts),
                longest=_PROSE.get(c.key, c.longest))
        for c in cols
    ]  # fmt: skip
    return view(table, cols, table.title, zone=result.period.timezone)


def _missing(result: ReadinessResult) -> tuple[Absent, ...]:
    gone = [d for d in (*DIMENSIONS, "tenant_id") if f"by_{d}" not in result.tables]
    if not gone:
        return ()
    return (Absent("Cost by " + ", ".join(gone), "to see it, log", ", ".join(gone)),)


def _dearest(result: ReadinessResult) -> TableView | None:
    """The dearest calls with their traces."""
    rows = [
        (
            trace_cell(x, result),
            Cell(firm(moment(x.time, result)), firm=True),
            Cell(clipped(x.model or "–"), small=clipped(x.operation or "")),
            Cell(value_text(x.cost_nano_usd, "nano_usd"), sort=str(x.cost_nano_usd)),
        )
        for x in result.exemplars
        if x.kind == "dearest" and x.cost_nano_usd is not None
    ]
    cols = (("Trace", False), ("Started", False), ("Model", False), ("Cost", True))
    return (
        plain("table-cost-dearest", "Dearest calls", cols, rows, download="exemplars")
        if rows
        else None
    )


def _dearest_requests(result: ReadinessResult) -> TableView | None:
    """The traces whose calls together cost most, unless each is a single call."""
    found = [x for x in result.exemplars if x.kind == "dearest_request"]
    rows = [
        (
            trace_cell(x, result),
            Cell(firm(moment(x.time, result))),
            Cell(display.count(x.calls), sort=str(x.calls)),
            Cell(value_text(x.cost_nano_usd, "nano_usd"), sort=str(x.cost_nano_usd)),
        )
        for x in found
        if x.cost_nano_usd is not None and any(other.calls > 1 for other in found)
    ]
    cols = (("Trace", False), ("Started", False), ("Calls", True), ("Cost", True))
    return (
        plain("table-cost-requests", "Dearest requests", cols, rows, download="exemplars")
        if rows
        else None
    )
