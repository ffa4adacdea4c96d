"""Findings and the gates that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gonogo.conventions import Evidence, Status
from gonogo.results import Finding, Gate, Table

_RANK: Final = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Says:
    """Makes findings of one kind of evidence; `by` is who gave it."""

    evidence: Evidence
    by: str = ""

    def _finding(self, status: Status, text: str, next_step: str, advice: bool = False) -> Finding:
        return Finding(
            status=status,
            evidence=self.evidence,
            text=text,
            by=self.by,
            next_step=next_step,
            advice=advice,
        )

    def met(self, text: str) -> Finding:
        return self._finding(Status.MET, text, "")

    def at_risk(self, text: str, next_step: str) -> Finding:
        return self._finding(Status.AT_RISK, text, next_step)

    def missing(self, text: str, next_step: str) -> Finding:
        return self._finding(Status.NO_DATA, text, next_step)

    def breached(self, text: str, next_step: str) -> Finding:
        return self._finding(Status.BREACHED, text, next_step)

    def advice(self, text: str, next_step: str) -> Finding:
        """Worth knowing, but it decides nothing."""
        return self._finding(Status.AT_RISK, text, next_step, advice=True)


MEASURED: Final = Says(Evidence.MEASURED)
FILE: Final = Says(Evidence.FILE)
DECLARED: Final = Says(Evidence.DECLARED)


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging a gate gives: its findings, and tables for the pages."""

    findings: tuple[Finding, ...]
    tables: tuple[Table, ...] = ()


def make_gate(gate_id: str, title: str, findings: Iterable[Finding], *, required: bool) -> Gate:
    """A gate of its findings, worst first; the worst one that is no advice decides.

    A gate without a finding that decides has NO_DATA: an absent thing never passes.
    """
    ordered = sorted(findings, key=lambda f: (f.advice, _RANK[f.status]))
    binding = [f for f in ordered if not f.advice]
    if not binding:
        none = DECLARED.missing("no evidence was given", "")
        ordered, binding = [none, *ordered], [none]
    worst = binding[0]
    return Gate(
        id=gate_id,
        title=title,
        status=worst.status,
        evidence=worst.evidence,
        text=_text(binding),
        next_step=worst.next_step,
        required=required,
        findings=tuple(ordered),
    )


def _text(binding: Sequence[Finding]) -> str:
    """The worst finding, and how many more are as bad; all of them where everything is met."""
    worst = binding[0]
    same = sum(f.status is worst.status for f in binding) - 1
    if not same:
        return worst.text
    return f"{worst.text}; and {same} more" + (" met" if worst.status is Status.MET else "")


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names in a sentence, the first few of many: a, b, c and 4 more."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def counted(number: int, noun: str, plural: str = "") -> str:
    """1 case, 1,204 cases."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
