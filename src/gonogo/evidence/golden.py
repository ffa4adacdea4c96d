"""The golden set: does it meet its bar, against what baseline, for every version in the traffic?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Final

import polars as pl

from gonogo import display
from gonogo.config.evidence import Evals
from gonogo.conventions import Evidence
from gonogo.evidence.cases import ERRORED, PASSED, SCHEMA, UNSCORED
from gonogo.evidence.evalfiles import UnreadableError, read_cases
from gonogo.evidence.findings import FILE, Judged, Says, counted, listed
from gonogo.evidence.golden_tables import change_table, part_table, run_table
from gonogo.evidence.judge import Verdict
from gonogo.evidence.observed import Observed, Version
from gonogo.results import Finding
from gonogo.stats.binomial import Z_ONE_SIDED
from gonogo.stats.intervals import wilson
from gonogo.stats.paired import mcnemar, pass_hat, smallest_drop

GUIDELINE: Final = 200
"""A set of 50 to 200 cases is what people can keep up and what tells a drop."""

_KEYS: Final = ["prompt_version", "model", "retrieval"]
_HASHES: Final = ("expected", "answered")


@dataclass(frozen=True, slots=True)
class Run:
    """One version's run. items: one row a case (`case`, `passed`, `trials`, `outcome`, `critical`,
    `flaky`), where a case passes if every repeat of it did."""

    version: Version
    items: pl.DataFrame

    @property
    def cases(self) -> int:
        return self.items.height

    @property
    def passed(self) -> int:
        """Cases of which every trial passed."""
        return int((self.items["outcome"] == PASSED).sum())

    def trials(self) -> list[tuple[int, int]]:
        """(passed, all) of each case."""
        return list(self.items.select("passed", "trials").rows())

    @property
    def repeats(self) -> int:
        """Trials that every case has."""
        return min(self.items["trials"].to_list(), default=0)


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """What the files hold: cases of the current version and of the baseline, and troubles."""

    current: pl.DataFrame
    baseline: pl.DataFrame
    findings: tuple[Finding, ...]
    has_baseline: bool

    @property
    def wrong(self) -> tuple[int, int] | None:
        """(cases that are no pass, cases) over all current runs; None where there are none."""
        found = runs_of(self.current)
        total = sum(run.cases for run in found)
        return (total - sum(run.passed for run in found), total) if total else None

    def trusted(self, judge: Verdict) -> tuple[GoldenSet, int]:
        """The set without what a judge scored that cannot be trusted, and how much that is."""
        if judge.trusted:
            return self, 0
        current, baseline = (f.filter(~pl.col("judged")) for f in (self.current, self.baseline))
        return replace(self, current=current, baseline=baseline), int(self.current["judged"].sum())


def load(evals: Evals, files: Sequence[Path], baseline: Sequence[Path]) -> GoldenSet:
    """Read all files; one that cannot be read is a finding, and its cases are missing."""
    findings: list[Finding] = []
    frames = [_read(paths, evals, findings) for paths in (files, baseline)]
    return GoldenSet(frames[0], frames[1], tuple(findings), bool(baseline))


def _read(paths: Sequence[Path], evals: Evals, findings: list[Finding]) -> pl.DataFrame:
    frames = [pl.DataFrame(schema=SCHEMA)]
    for path in paths:
        says = Says(Evidence.FILE, path.name)
        try:
            cases = read_cases(path, evals)
        except UnreadableError as error:
            step = "check the path: it is relative to the configuration"
            findings.append(says.missing(f"{path.name}: {error}", step))
            continue
        frame = cases.frame()
        if not frame.height:
            step = "check that this is a file of results"
            findings.append(says.missing(f"{path.name} holds no case", step))
        for what, number in sorted(cases.troubles.items()):
            text = f"{path.name}: {number:,} {what}; none of them counts as a pass"
            findings.append(says.at_risk(text, "correct the file"))
        for note in cases.notes:
            text = f"{path.name}: {note}"
            findings.append(says.missing(text, "run it again, to its end"))
        findings += _twice(frame, path.name, cases.kind)
        frames.append(_numbered(frame) if cases.kind == "promptfoo" else frame)
    return pl.concat(frames)


def _twice(frame: pl.DataFrame, name: str, kind: str) -> Iterator[Finding]:
    """Cases that stand twice with the same repeat: which of them counts cannot be told."""
    if kind == "promptfoo":  # repeats there carry no number
        return
    keys = [*_KEYS, "case", "repeat", "stage"]
    again = frame.group_by(keys).len().filter(pl.col("len") > 1)["case"].unique().sort().to_list()
    if again:
        text = f"{name}: {counted(len(again), 'case id')} repeated: {listed(again)}"
        step = "make them unique, or number the repeats with repeat"
        yield Says(Evidence.FILE, name).missing(text, step)


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(repeat=pl.int_range(pl.len()).over([*_KEYS, "case"]))


def runs_of(frame: pl.DataFrame) -> list[Run]:
    """The runs in a frame of cases, by version; several stages of a trial count as one."""
    trial = ["case", "repeat"]
    found = []
    for key in frame.select(_KEYS).unique().sort(_KEYS).rows():
        part = frame.filter(
            pl.all_horizontal(pl.col(k) == v for k, v in zip(_KEYS, key, strict=True))
        )
        tried = part.group_by(trial).agg(
            (pl.col("outcome") == PASSED).all().alias("passed"),
            (pl.col("outcome") == ERRORED).any().alias("errored"),
            (pl.col("outcome") == UNSCORED).any().alias("unscored"),
            pl.col("critical").any(),
            *(pl.col(name).drop_nulls().first() for name in _HASHES),
        )
        items = tried.group_by("case").agg(
            pl.col("passed").sum().cast(pl.Int64),
            pl.len().cast(pl.Int64).alias("trials"),
            pl.col("errored").any(),
            pl.col("unscored").any(),
            pl.col("critical").any(),
            # Repeats that differ have no one answer to hold against another run's.
            *(
                pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name)
                for name in _HASHES
            ),
        )
        items = items.with_columns(
            outcome=pl.when(pl.col("passed") == pl.col("trials"))
            .then(pl.lit(PASSED))
            .when(pl.col("errored"))
            .then(pl.lit(ERRORED))
            .when(pl.col("unscored"))
            .then(pl.lit(UNSCORED))
            .otherwise(pl.lit("failed")),
            flaky=(pl.col("passed") > 0) & (pl.col("passed") < pl.col("trials")),
        )
        found.append(Run(Version(*key), items.sort("case")))
    return found


def golden_set(evals: Evals, golden: GoldenSet, observed: Observed, judge: Verdict) -> Judged:
    """The gate's findings, and the tables of the Evaluation page."""
    found = [*golden.findings, *judge.judged.findings]
    golden, aside = golden.trusted(judge)
    if aside:
        text = f"{counted(aside, 'run')} of cases scored by a model are informational only"
        step = "show in [judge] that it agrees with people"
        # Below its bar a judge informs; of one that is not declared, nothing is known at all.
        found.append((FILE.at_risk if judge.declared else FILE.missing)(text, step))
    runs, before = runs_of(golden.current), runs_of(golden.baseline)
    if not runs:
        step = "name the result files in [evals], or give them with --evals"
        none = FILE.missing("no result of a golden set can be used", step)
        return Judged((*found, none), judge.judged.tables)
    changes: list[tuple[str, str, str, str]] = []
    for run in runs:
        found += _bar(run, evals)
        found += _critical(run)
        found += _repeats(run)
        if golden.has_baseline:
            found += _against(run, _partner(run, before), evals, changes)
    if not golden.has_baseline:
        step = "keep the results of the last accepted version, and name them in baseline"
        found.append(FILE.at_risk("there is no baseline to compare with", step))
    found += _suite(golden.current, evals)
    found += _versions(observed, {run.version for run in (*runs, *before)})
    tables = [
        run_table([(r.version, r.cases, r.passed, r.items) for r in runs]),
        part_table(golden.current, "tags"),
        part_table(golden.current, "stage"),
        change_table(changes),
    ]
    shown = tuple(table for table in tables if table is not None)
    return Judged(tuple(found), (*shown, *judge.judged.tables))


def _of(run: Run) -> str:
    """The version in front of a sentence; nothing where the files do not say."""
    return f"{run.version}: " if any((run.version.prompt_version, run.version.model)) else ""


def _bar(run: Run, evals: Evals) -> Iterator[Finding]:
    passed, cases = run.passed, run.cases
    low, high = (float(end) for end in wilson(passed, cases))
    bound = float(wilson(passed, cases, Z_ONE_SIDED)[0])
    share, bar = Fraction(passed, cases), display.exact(evals.bar, "ratio")
    shown = display.near(share, str(evals.bar), "ratio")
    interval = display.interval(low, high, "ratio")
    text = f"{_of(run)}{shown} of {counted(cases, 'case')} pass ({interval}), bar {bar}"
    bad = cases - passed
    errored = int((run.items["outcome"] == ERRORED).sum())
    unscored = int((run.items["outcome"] == UNSCORED).sum())
    also = [
        f"{n:,} {word}" for n, word in ((errored, "with an error"), (unscored, "not scored")) if n
    ]
    if also:
        text += f"; of the {bad:,} others {' and '.join(also)}"
    if share < evals.bar:
        yield FILE.breached(text, "look at the cases that fail, on the Evaluation page")
    elif bound < evals.bar:
        step = "more cases would carry the claim that it lasts"
        yield FILE.at_risk(f"{text}; the true share may be below", step)
    else:
        yield FILE.met(text)
    if unscored:
        text = f"{_of(run)}{counted(unscored, 'case')} without a usable score"
        yield FILE.missing(text, "score them, or set threshold in [evals]")


def _critical(run: Run) -> Iterator[Finding]:
    critical = run.items.filter(pl.col("critical"))
    failed = critical.filter(pl.col("outcome") != PASSED)["case"].to_list()
    if failed:
        text = f"{_of(run)}critical {'case' if len(failed) == 1 else 'cases'} not passed: "
        yield FILE.breached(text + listed(failed), "a critical case fails alone: mend it")
    elif critical.height:
        yield FILE.met(f"{_of(run)}all {counted(critical.height, 'critical case')} pass")


def _repeats(run: Run) -> Iterator[Finding]:
    if run.repeats < 2:
        return
    k, trials = run.repeats, run.trials()
    one, every = pass_hat(trials, 1), pass_hat(trials, k)
    assert one is not None
    assert every is not None
    flaky = int(run.items["flaky"].sum())
    ratio = [display.ratio(*value.as_integer_ratio()) for value in (one, every)]
    text = (
        f"{_of(run)}pass^1 is {ratio[0]} and pass^{k} {ratio[1]}; "
        f"{flaky:,} of {counted(run.cases, 'case')} are flaky"
    )
    if flaky:
        yield FILE.advice(text, "find out why the same case passes and fails")
    else:
        yield FILE.met(text)


def _partner(run: Run, baseline: Sequence[Run]) -> Run | None:
    """The baseline's run to compare with: this version's, this model's, or the only one."""
    v = run.version
    for alike in (
        [b for b in baseline if b.version == v],
        [b for b in baseline if (b.version.model, b.version.retrieval) == (v.model, v.retrieval)],
        [b for b in baseline if b.version.model == v.model],
    ):
        if len(alike) == 1:
            return alike[0]
    return baseline[0] if len(baseline) == 1 else None


def _against(
    run: Run, before: Run | None, evals: Evals, changes: list[tuple[str, str, str, str]]
) -> Iterator[Finding]:
    if before is None:
        step = "keep results of this model as baseline"
        yield FILE.missing(f"{_of(run)}the baseline has no run to compare with", step)
        return
    both = run.items.join(before.items, on="case", suffix="_before").sort("case")
    if not both.height:
        text = f"{_of(run)}the baseline is of other cases: none of its {before.cases:,} is here"
        yield FILE.missing(text, "compare with results of the same cases")
        return
    now, then = pl.col("outcome") == PASSED, pl.col("outcome_before") == PASSED
    worse, better = both.filter(then & ~now), both.filter(now & ~then)
    for frame, change in ((worse, "regression"), (better, "fix")):
        rows = frame.select("case", "outcome_before", "outcome").rows()
        changes += [(str(run.version), case, change, f"{a} → {b}") for case, a, b in rows]
    p = display.near(mcnemar(worse.height, better.height), "0.05", "score")
    text = (
        f"{_of(run)}{counted(worse.height, 'regression')} and "
        f"{counted(better.height, 'fix', 'fixes')} among {counted(both.height, 'case')} "
        f"of the baseline (exact McNemar p = {p})"
    )
    if worse.height > evals.regressions:
        text += f": {listed(worse['case'].to_list())}"
        yield FILE.breached(text, "a regression blocks like a failing test: mend it, or accept it")
    else:
        yield FILE.met(text)
    same = worse.filter(pl.col("answered") == pl.col("answered_before"))["case"].to_list()
    if same:
        text = f"{_of(run)}{listed(same)}: answered as before, word for word, and judged otherwise"
        yield FILE.at_risk(text, "look at what judges these cases, or at their threshold")
    added, gone = run.cases - both.height, before.cases - both.height
    other = both.filter(pl.col("expected") != pl.col("expected_before")).height
    if added or gone or other:
        text = f"{_of(run)}the suite has changed: {added:,} cases are new, {gone:,} are gone"
        text += f", {other:,} expect something else" if other else ""
        yield FILE.at_risk(text, "run the baseline's version on the new suite")


def _suite(cases: pl.DataFrame, evals: Evals) -> Iterator[Finding]:
    """What the set itself is like: its size, its tags, who labelled it."""
    size = cases["case"].n_unique()
    drop = display.ratio(min(smallest_drop(), size), size)
    text = f"{counted(size, 'case')}; the smallest drop that they could show is {drop}"
    if size < evals.minimum:
        yield FILE.at_risk(f"{text}; {evals.minimum} are asked for", "add cases")
    elif size > GUIDELINE:
        step = f"50 to {GUIDELINE} cases can be kept up by people"
        yield FILE.advice(text, step)
    else:
        yield FILE.met(text)
    tags = set(cases["tags"].explode().drop_nulls().unique().to_list())
    empty = [tag for tag in evals.tags if tag not in tags]
    if empty:
        text = f"no case is tagged {listed(empty)}"
        yield FILE.at_risk(text, "add such cases, or correct tags in [evals]")
    unlabelled = cases.filter(~pl.col("labelled"))["case"].n_unique()
    if unlabelled:
        text = f"{unlabelled:,} of {counted(size, 'case')} name nobody who labelled them"
        yield FILE.at_risk(text, "write labeller into the cases, or into [evals]")


def _versions(observed: Observed, run: set[Version]) -> Iterator[Finding]:
    """Each version in the traffic needs a run of its own."""
    for version, calls in observed.versions.items():
        if version not in run:
            text = (
                f"{counted(calls, 'call')} were answered by {version}, without a golden run of it"
            )
            yield FILE.missing(text, "run the golden set on it")
    if not observed.versions:
        step = "log prompt_version and response_model"
        yield FILE.missing("the log does not show what answered", step)
