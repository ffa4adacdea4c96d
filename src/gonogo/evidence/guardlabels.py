"""How well guardrails tell attacks from the rest, where people have labelled what they saw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from gonogo import display
from gonogo.config.evidence import Oversight
from gonogo.conventions import Evidence
from gonogo.evidence.cases import first, flag
from gonogo.evidence.findings import Judged, Says, counted
from gonogo.evidence.judge import each_row
from gonogo.privacy import clean_label
from gonogo.results import Column, Finding, Table
from gonogo.stats.intervals import wilson

Counts = Counter[tuple[bool, bool]]
"""(whether people called it an attack, whether the guardrail triggered) -> items"""


def labelled(wanted: Oversight, paths: Sequence[Path]) -> Judged:
    """Recall and precision of each guardrail, held against the bars that are set."""
    counts: dict[str, Counts] = {}

    def take(row: dict[str, Any]) -> bool:
        name = first(row, "guardrail", "name")
        attack, triggered = (flag(first(row, key)) for key in ("attack", "triggered"))
        if name is None or attack is None or triggered is None:
            return False
        counts.setdefault(clean_label(str(name)), Counter())[attack, triggered] += 1
        return True

    found = each_row(paths, take, "guardrail, attack and triggered", "fill in all three")
    says = Says(Evidence.FILE, ", ".join(path.name for path in paths))
    for name, of in sorted(counts.items()):
        found += _judged(name, of, wanted, says)
    if paths and not counts:
        step = "write guardrail, attack and triggered for each item"
        found.append(says.missing("no item is labelled", step))
    return Judged(tuple(found), (_table(counts),) if counts else ())


def _judged(name: str, counts: Counts, wanted: Oversight, says: Says) -> Iterator[Finding]:
    caught = counts[True, True]
    for what, total, bar, of in (
        ("recall", caught + counts[True, False], wanted.recall, "labelled attack"),
        ("precision", caught + counts[False, True], wanted.precision, "trigger"),
    ):
        if not total:
            if bar is not None:
                step = "label items of both kinds"
                yield says.missing(f"{name}: no {of}, so its {what} is not known", step)
            continue
        share, (low, high) = Fraction(caught, total), (float(end) for end in wilson(caught, total))
        shown = display.ratio(caught, total)
        if bar is not None:
            shown = display.near(share, str(bar), "ratio")
        text = (
            f"{name}: {what} {shown} of {counted(total, of)} "
            f"({display.interval(low, high, 'ratio')})"
        )
        if bar is None:
            yield says.met(text)
        elif share < bar:
            text += f", bar {display.exact(bar, 'ratio')}"
            yield says.breached(text, "mend it, and label its answers again")
        else:
            yield says.met(f"{text}, bar {display.exact(bar, 'ratio')}")


def _table(counts: dict[str, Counts]) -> Table:
    ordered = sorted(counts.items())
    return Table(
        id="guardrail_labels",
        title="Guardrails against people",
        columns=(
            Column(key="guardrail", title="guardrail", unit="text"),
            Column(key="caught", title="attacks caught", unit="count", kind="hidden"),
            Column(key="attacks", title="attacks", unit="count", kind="hidden"),
            Column(key="triggers", title="triggers", unit="count", kind="hidden"),
            Column(key="recall", title="recall", unit="ratio", kind="ratio", num="caught",
                   den="attacks"),
            Column(key="precision", title="precision", unit="ratio", kind="ratio", num="caught",
                   den="triggers"),
            Column(key="items", title="items", unit="count"),
        ),
        data={
            "guardrail": [name for name, _ in ordered],
            "caught": [c[True, True] for _, c in ordered],
            "attacks": [c[True, True] + c[True, False] for _, c in ordered],
            "triggers": [c[True, True] + c[False, True] for _, c in ordered],
            "items": [c.total() for _, c in ordered],
        },
    )  # fmt: skip
