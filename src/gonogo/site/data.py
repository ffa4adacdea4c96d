"""The page about the data: what was read, how complete it is, and with which settings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from gonogo import display
from gonogo.conventions import Source
from gonogo.results import ReadinessResult
from gonogo.site.commands import build
from gonogo.site.layout import blocks
from gonogo.site.model import Cell, ChartView, DataPage, Fact, Pill, Shell, TableView, Term
from gonogo.site.objectives import verdict_pill
from gonogo.site.tables import int_at, plain
from gonogo.site.text import clipped, heading, moment, period_text, ratio_text, span_text

HOLDS: Final = Pill("Adds up", "good", "met")
BROKEN: Final = Pill("Does not add up", "bad", "breached")
_SOURCE: Final = {
    Source.DEFAULT: "defaults of gonogo: starting points, not anybody’s agreement",
    Source.PROPOSED: "proposed from the logs, not agreed yet",
    Source.WRITTEN: "written in the configuration",
}
_TABLES: Final = {
    "calls": "Calls", "requests": "Requests", "retrievals": "Retrievals",
    "tool_calls": "Tool calls", "guardrail_checks": "Guardrail checks",
}  # fmt: skip


def _n(value: int) -> Cell:
    return Cell(display.count(value), sort=str(value))


def _law(result: ReadinessResult) -> tuple[Term, ...]:
    i = result.ingest
    return (
        Term("", display.count(i.lines), "lines read"),
        Term("=", display.count(i.accepted), "accepted"),
        Term("+", display.count(i.quarantined), "quarantined"),
        Term("+", display.count(i.duplicates), "duplicates"),
    )


def _counts(result: ReadinessResult) -> tuple[Fact, ...]:
    i = result.ingest
    numbers = (
        ("Accepted lines", i.accepted, ""),
        ("Calls", i.calls, ""),
        (
            "Lines that are no call",
            i.not_calls,
            "they hold only a retrieval, a tool call or a check",
        ),
        ("Outside the period", i.outside_period, "counted here, and nowhere else"),
        ("Not selected", i.filtered, "left out by --where"),
        ("Excluded", i.excluded, "inside a declared range ([[exclude]])"),
        ("Folded", i.folded, "wrapper spans that repeat their children, counted once"),
        ("Orphans", i.orphans, "their parent span is not in the logs; they count all the same"),
        (
            "Conflicting duplicates",
            i.conflicting_duplicates,
            "same ids, other content; the first one counts",
        ),
        ("Calls without a time", result.period.untimed_calls, "in totals, not in time series"),
    )
    always = ("Accepted lines", "Calls")
    return tuple(
        Fact(label, display.count(n) + (f" – {words}" if words else ""))
        for label, n, words in numbers
        if n or label in always
    )


def _files(result: ReadinessResult) -> TableView | None:
    rows = [
        (Cell(clipped(f.path, 120), small=clipped(f.note, 200)), Cell(clipped(f.format)),
         _n(f.bytes), _n(f.lines), _n(f.accepted),
         _n(f.quarantined), _n(f.duplicates), Cell(f.sha256[:12], hint=f.sha256))
        for f in result.ingest.files
    ]  # fmt: skip
    cols = (
        ("File", False),
        ("Format", False),
        ("Bytes", True),
        ("Lines", True),
        ("Accepted", True),
        ("Quarantined", True),
        ("Duplicates", True),
        ("SHA-256", False),
    )
    return plain("files", "Files", cols, rows, download="files") if rows else None


def _problems(result: ReadinessResult) -> TableView | None:
    rows = [
        (Cell(clipped(p.what, 200), small=clipped(p.code)), _n(p.count),
         Cell(clipped(p.example, 160)), Cell(clipped(p.hint, 300)))
        for p in result.ingest.problems
    ]  # fmt: skip
    cols = (("Problem", False), ("Count", True), ("First met at", False), ("What to try", False))
    if not rows:
        return None
    return plain("problems", "Problems in the input", cols, rows, download="problems")


def _coverage(result: ReadinessResult) -> TableView:
    rows = []
    failing_first = sorted(
        result.coverage, key=lambda c: c.present / c.applicable if c.applicable else 2.0
    )
    for c in failing_first:
        share = f"{c.present / c.applicable:.6g}" if c.applicable else ""
        rows.append(
            (
                Cell(heading(c.title), small=clipped(c.field)),
                Cell(
                    ratio_text(c.present, c.applicable) if c.applicable else "–",
                    sort=share or "-",
                    bar=f"{100 * c.present / c.applicable:.1f}" if c.applicable else "",
                ),
                Cell(
                    f"{display.count(c.present)} of {display.count(c.applicable)}",
                    sort=str(c.present),
                ),
                Cell("required" if c.required else "useful"),
                Cell(clipped(c.hint, 300)),
            )
        )
    cols = (("Field", False), ("Covered", True), ("Rows", True), ("For production", False),
            ("What to log", False))  # fmt: skip
    return plain("coverage", "Coverage of fields", cols, rows, download="coverage")


def _gaps(result: ReadinessResult) -> str:
    hours = result.tables.get("hours")
    if hours is None or hours.height < 2:
        return "Gaps in time: the logs have no times, or less than two hours of them."
    starts = [s for s in hours.data["start"] if isinstance(s, int)]
    empty = {s for i, s in enumerate(starts) if not int_at(hours, "calls", i)}
    full = [s for s in starts if s not in empty]
    gaps = [(a + 3600, b) for a, b in pairwise(full) if b - a > 3600]
    if not gaps:
        return "Gaps in time: none; every hour between the first and the last call has calls."
    longest = sorted(gaps, key=lambda gap: (gap[0] - gap[1], gap[0]))[:3]
    words = "; ".join(span_text(a, b, result) for a, b in longest)
    n = sum((b - a) // 3600 for a, b in gaps)
    return f"Gaps in time: {display.count(n)} hours without a call. Longest: {words}."


def _prices(result: ReadinessResult) -> str:
    overall = result.tables.get("overall")
    calls, priced = int_at(overall, "calls"), int_at(overall, "cost_n")
    if not calls or not priced:
        return "Prices: no call has a known cost; an unknown price is unknown, never $0."
    counted = f"{display.count(priced)} of {display.count(calls)}"
    return f"Prices: {ratio_text(priced, calls)} of calls have a known cost ({counted}); see Cost."


def _period(result: ReadinessResult) -> str:
    label, words = clipped(result.period.label), period_text(result)
    return words if words == label else f"{label}: {words}"


def _config_facts(result: ReadinessResult) -> tuple[Fact, ...]:
    facts = (
        Fact("Configuration", clipped(result.config.path or "none", 200)),
        Fact("SHA-256", result.config.sha256 or ""),
        Fact("Objectives", _SOURCE[result.config.objectives_source]),
        Fact("Period", _period(result)),
        Fact("Time zone of bins and weeks", clipped(result.period.timezone)),
        Fact("Judged as of", moment(result.as_of, result) if result.as_of is not None else ""),
        Fact("Provisional", "yes: the period ended less than 24 hours before the newest record"
             if result.period.provisional else ""),
        Fact("Profile", result.profile),
        Fact("Made by", clipped(result.generator)),
    )  # fmt: skip
    return tuple(fact for fact in facts if fact.text)


def _history(result: ReadinessResult) -> TableView:
    row = (
        Cell(clipped(result.period.label), small=period_text(result)),
        Cell("", pill=verdict_pill(result.slo.verdict)),
        Cell("", pill=verdict_pill(result.readiness.verdict)),
        _n(result.ingest.calls),
    )
    cols = (("Period", False), ("SLO", False), ("Readiness", False), ("Calls", True))
    return plain("history", "History: this period only", cols, [row])


def _downloads(files: Sequence[tuple[str, str, int]]) -> TableView:
    rows = [
        (Cell(title), Cell("CSV", href=f"data/{name}.csv"), Cell("JSON", href=f"data/{name}.json"),
         _n(height))
        for title, name, height in files
    ]  # fmt: skip
    cols = (("Table", False), ("CSV", False), ("JSON", False), ("Rows", True))
    return plain("downloads", "All tables, to download", cols, rows)


def page(
    result: ReadinessResult,
    shell: Shell,
    charts: tuple[ChartView, ...],
    files: Sequence[tuple[str, str, int]],
) -> DataPage:
    """The context of `data.html`; `files` are (title, name, rows) of the tables under data/."""
    i = result.ingest
    holds = i.lines == i.accepted + i.quarantined + i.duplicates
    return DataPage(
        shell=shell,
        blocks=blocks(charts),
        law=_law(result),
        law_holds=HOLDS if holds else BROKEN,
        counts=_counts(result),
        files=_files(result),
        problems=_problems(result),
        coverage=_coverage(result),
        gaps=_gaps(result),
        prices=_prices(result),
        not_applicable=tuple(
            Fact(_TABLES.get(key, clipped(key)), clipped(reason, 300))
            for key, reason in sorted(result.not_applicable.items())
        ),
        config_facts=_config_facts(result),
        config_lines=tuple(clipped(line, 300) for line in result.config.lines),
        command=build(result) if result.ingest.lines else "",
        history=_history(result),
        notes=tuple(clipped(note, 500) for note in result.notes),
        downloads=_downloads(files),
    )
