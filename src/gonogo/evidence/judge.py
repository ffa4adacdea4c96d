"""Whether a model that gives scores agrees with people."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, Final

from gonogo import display
from gonogo.config.evidence import Judge
from gonogo.conventions import Evidence
from gonogo.evidence.cases import first
from gonogo.evidence.findings import DECLARED, Judged, Says, counted
from gonogo.evidence.observed import Observed
from gonogo.privacy import clean_label
from gonogo.results import Column, Finding, Table
from gonogo.stats.binomial import Z_ONE_SIDED
from gonogo.stats.intervals import wilson
from gonogo.stats.paired import kappa

MOST_LABELS: Final = 12
"""Labels whose table is drawn whole; of more, only the pairs that occur."""

Counts = Counter[tuple[str, str]]
"""(what people said, what the judge said) -> items"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a judge; where it is not trusted, its scores are informational."""

    trusted: bool
    judged: Judged
    declared: bool = True


def judge(given: Judge | None, paths: Sequence[Path], observed: Observed) -> Verdict:
    """Agreement over all dimensions and in each, against the bar."""
    if given is None:
        return Verdict(False, Judged(()), declared=False)
    labels, found = _labels(paths)
    total = sum(labels.values(), Counter[tuple[str, str]]())
    if not total:
        step = "label some cases by hand, and name the file in [judge]"
        found.append(
            DECLARED.missing("no item carries a label of a person and one of the judge", step)
        )
        return Verdict(False, Judged(tuple(found)))
    says = Says(Evidence.FILE, ", ".join(path.name for path in paths))
    trusted = True
    for dimension, counts in [("", total), *(labels.items() if len(labels) > 1 else ())]:
        finding, fine = _agreement(dimension, counts, given, says)
        found.append(finding)
        trusted &= fine
    for finding in _independence(given, observed):
        found.append(finding)
        trusted = False
    return Verdict(trusted, Judged(tuple(found), _tables(labels)))


def _labels(paths: Sequence[Path]) -> tuple[dict[str, Counts], list[Finding]]:
    """Counts by dimension, and what is wrong with the files."""
    labels: dict[str, Counts] = {}

    def take(row: dict[str, Any]) -> bool:
        human, judged = (_label(first(row, name)) for name in ("human", "judge"))
        if human is None or judged is None:
            return False
        dimension = _label(first(row, "dimension")) or "overall"
        labels.setdefault(dimension, Counter())[human, judged] += 1
        return True

    found = each_row(paths, take, "both labels", "fill in human and judge")
    return dict(sorted(labels.items())), found


def each_row(
    paths: Sequence[Path], take: Callable[[dict[str, Any]], bool], lacking: str, step: str
) -> list[Finding]:
    """Hand every row of files of labels to `take`, which says whether it could use it.

    Returns what is wrong with the files: rows that it could not use are without what `lacking`
    names, and `step` mends them.
    """
    found = []
    for path in paths:
        says, bad = Says(Evidence.FILE, path.name), 0
        try:
            for row in _rows_of(path):
                bad += not take(row)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is broken"
            found.append(says.missing(f"{path.name}: {reason}", "check the path and the file"))
        if bad:
            text = f"{path.name}: {counted(bad, 'item')} without {lacking}"
            found.append(says.at_risk(text, step))
    return found


def _rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of labels: JSON lines, CSV or Parquet.

    Raises:
        OSError, ValueError: it cannot be read, or is broken.
    """
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=8192):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8-sig", newline="") as text:
        if path.suffix.lower() == ".csv":
            yield from csv.DictReader(text)
            return
        for line in text:
            row = json.loads(line) if line.strip() else None
            if isinstance(row, dict):
                yield row


def _label(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    return clean_label(str(value).strip().lower(), 40)


def _agreement(dimension: str, counts: Counts, given: Judge, says: Says) -> tuple[Finding, bool]:
    n, agreed = sum(counts.values()), _agreed(counts)
    share, bar = Fraction(agreed, n), display.exact(given.bar, "ratio")
    low, high = (float(end) for end in wilson(agreed, n))
    shown = display.near(share, str(given.bar), "ratio")
    text = (
        f"{'judge' if not dimension else f'judge on {dimension}'}: agrees with people on {shown} "
        f"of {counted(n, 'item')} ({display.interval(low, high, 'ratio')}), bar {bar}"
    )
    found = kappa(counts)
    if found is not None:
        text += f"; Cohen’s kappa {display.value(found[0], 'score')}"
    if share < given.bar:
        step = "mend its instructions, or take another judge: its scores are informational"
        return says.at_risk(text, step), False
    if float(wilson(agreed, n, Z_ONE_SIDED)[0]) < given.bar and not dimension:
        step = "label more items: the true agreement may be below"
        return says.at_risk(text, step), True
    return says.met(text), True


def _independence(given: Judge, observed: Observed) -> Iterator[Finding]:
    deployed = {version.model.lower() for version in observed.versions}
    if given.model and given.model.lower() in deployed:
        text = f"the judge is {given.model}, the deployed model itself"
        yield DECLARED.at_risk(text, "let another, stronger model judge")
    elif not given.stronger:
        text = "the judge is not declared stronger than the deployed models: informational only"
        yield DECLARED.at_risk(text, "take a stronger one, and write stronger = true")


def _tables(labels: dict[str, Counts]) -> tuple[Table, ...]:
    rows = [
        (dimension, human, judged, counts[human, judged])
        for dimension, counts in labels.items()
        for words in [sorted({word for pair in counts for word in pair})]
        # Every pair of labels, so that a cell that nothing fell into reads 0 and is not left out.
        for human, judged in product(words, words)
        if len(words) <= MOST_LABELS or counts[human, judged]
    ]
    columns = list(zip(*rows, strict=True))
    keys = ("dimension", "human", "judge", "items")
    confusion = Table(
        id="judge_confusion",
        title="Judge against people",
        columns=(
            *(Column(key=k, title=t, unit="text") for k, t in
              (("dimension", "dimension"), ("human", "people said"), ("judge", "judge said"))),
            Column(key="items", title="items", unit="count"),
        ),
        data={key: list(values) for key, values in zip(keys, columns, strict=True)},
    )  # fmt: skip
    agreement = Table(
        id="judge_agreement",
        title="Judge agreement",
        columns=(
            Column(key="dimension", title="dimension", unit="text"),
            Column(key="items", title="items", unit="count"),
            Column(key="agreed", title="agreed", unit="count", kind="hidden"),
            Column(key="agreement", title="agreement", unit="ratio", kind="ratio", num="agreed",
                   den="items"),
            Column(key="interval", title="95 % interval", unit="text", help="Wilson"),
            Column(key="kappa", title="Cohen’s kappa, 95 % interval", unit="text"),
        ),
        data={
            "dimension": list(labels),
            "items": [sum(c.values()) for c in labels.values()],
            "agreed": [_agreed(c) for c in labels.values()],
            "interval": [_interval(c) for c in labels.values()],
            "kappa": [_kappa(c) for c in labels.values()],
        },
    )  # fmt: skip
    return agreement, confusion


def _agreed(counts: Counts) -> int:
    return sum(number for (human, judged), number in counts.items() if human == judged)


def _interval(counts: Counts) -> str:
    low, high = wilson(_agreed(counts), sum(counts.values()))
    return display.interval(float(low), float(high), "ratio")


def _kappa(counts: Counts) -> str | None:
    found = kappa(counts)
    if found is None:
        return None
    value, low, high = (display.value(end, "score") for end in found)
    return f"{value} ({low} to {high})"
