"""Error budgets and replayed burn-rate alerts on the first page."""

from __future__ import annotations

from typing import Final

from gonogo import display
from gonogo.results import BurnAlert, ObjectiveResult, ReadinessResult
from gonogo.site.model import Cell, Fact, Pill, TableView
from gonogo.site.tables import plain
from gonogo.site.text import clipped, heading, moment, ratio_text, value_text, web_link

_PILLS: Final = {
    "page": Pill("Page", "bad", "breached"),
    "ticket": Pill("Ticket", "warn", "risk"),
}


def _length(seconds: int) -> str:
    return value_text(seconds * 10**6, "us")


def budget_facts(o: ObjectiveResult, result: ReadinessResult) -> list[Fact]:
    """When the budget ran out, what is left of that of the window, and what was replayed."""
    facts = []
    if o.budget is not None and o.budget.exhausted_at is not None:
        facts.append(Fact("Budget exhausted", moment(o.budget.exhausted_at, result)))
    window = o.window_budget
    if window is not None and window.allowed_num:
        spent = ratio_text(window.bad * window.allowed_den, window.allowed_num)
        seen = window.end - window.start
        rate = "" if seen >= window.seconds else f", at the traffic of {_length(seen)}"
        facts.append(Fact(f"Budget of {_length(window.seconds)}", f"{spent} spent{rate}"))
    if o.burn is not None:
        fired = sum(pair.fired for pair in o.burn.pairs)
        able = sum(not pair.note for pair in o.burn.pairs)
        pairs = f"{able} of {len(o.burn.pairs)} pairs of windows replayed"
        facts.append(
            Fact(
                "Burn-rate alerts",
                f"{display.count(fired)} would have fired; {pairs}",
                web_link(o.burn.source),
            )
        )
        facts += [
            Fact(f"{_length(p.long_seconds)} and {_length(p.short_seconds)}", p.note)
            for p in o.burn.pairs
            if p.note
        ]
    return facts


def _row(o: ObjectiveResult, a: BurnAlert, result: ReadinessResult) -> tuple[Cell, ...]:
    after = "" if a.onset is None else _length(a.fired - a.onset)
    return (
        Cell(heading(o.title), href=f"#{o.slug}", small="may be chance" if a.by_chance else ""),
        Cell("", pill=_PILLS[a.alert]),
        Cell(moment(a.fired, result), sort=str(a.fired)),
        Cell(after or "–", sort=str(a.fired - a.onset) if a.onset is not None else "-"),
        Cell("still on" if a.resolved is None else _length(a.resolved - a.fired),
             sort="-" if a.resolved is None else str(a.resolved - a.fired)),
        Cell(f"{_length(a.long_seconds)}, {_length(a.short_seconds)}",
             hint=clipped(a.sentence, 300)),
        Cell(ratio_text(a.bad, a.total), small=f"{display.count(a.bad)} of "
             f"{display.count(a.total)}"),
    )  # fmt: skip


def burn_table(result: ReadinessResult) -> TableView | None:
    """Every alert that would have fired, by time; None where none would."""
    rows = sorted(
        ((a.fired, o.slug, a.long_seconds, _row(o, a, result))
         for o in result.objectives if o.burn for a in o.burn.alerts),
        key=lambda found: found[:3],
    )  # fmt: skip
    cols = (("Objective", False), ("Alert", False), ("Would have fired", False),
            ("After onset", True), ("Lasted", True), ("Windows", False),
            ("Bad in the long one", True))  # fmt: skip
    if not rows:
        return None
    cells = [row[3] for row in rows]
    return plain("burn-rates", "Burn-rate alerts, replayed", cols, cells, download="burn_alerts")
