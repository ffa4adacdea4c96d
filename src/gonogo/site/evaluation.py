"""The Evaluation page: golden set, regressions, judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gonogo.results import ReadinessResult
from gonogo.site.layout import blocks
from gonogo.site.model import Absent, ChartView, Section
from gonogo.site.objectives import rows_of_page
from gonogo.site.tables import count, rate, text, view

_INTERVAL: Final = text("95 % interval", "interval")

_GOLDEN: Final = Absent(
    "Golden set",
    "no result of one was given, so whether answers are right is not judged here. Name its result "
    "files in [evals], or give them with --evals.",
    "",
)
_REGRESSIONS: Final = Absent(
    "Regressions", "no case changed against a baseline, or none was given as", "[evals] baseline"
)
_JUDGE: Final = Absent(
    "Judge agreement",
    "how far a model that judges can be trusted needs labels by people on the same items:",
    "[judge] labels",
)
_ONLINE: Final = Absent(
    "Online scores", "to follow scores in production, log", "evaluations[].name, .score, .label"
)


def evaluation(result: ReadinessResult, charts: Sequence[ChartView]) -> tuple[Section, ...]:
    """The sections in the order of what decides; what is absent is one line at the end."""
    found = [Section("objectives", "", objectives=rows_of_page(result, "evaluation"))]
    if charts:
        found.append(Section("evaluation", "", blocks=blocks(charts)))
    absent: list[Absent] = []
    for section, line in (
        (_golden(result), _GOLDEN),
        (_changes(result), _REGRESSIONS),
        (_judge(result), _JUDGE),
    ):
        if section.blocks:
            found.append(section)
        else:
            absent.append(line)
    return (*found, Section("evaluation-absent", "Evaluation", absent=(*absent, _ONLINE)))


def _golden(result: ReadinessResult) -> Section:
    runs = (
        text("Prompt version", "prompt_version"), text("Model", "model"),
        text("Retrieval", "retrieval"), count("Cases", "cases"),
        rate("Passed", "passed", "cases"), _INTERVAL,
        rate("Errors", "errored", "cases", "no pass, and not left out"),
        count("Critical", "critical"), count("Critical not passed", "critical_failed"),
        rate("Flaky", "flaky", "cases", "passed in some repeats and failed in others"),
    )  # fmt: skip
    t = result.tables
    made = [
        view(t.get("golden_runs"), runs, "Results by version",
             note="A case passes where every repeat of it did."),
        *(
            view(t.get(f"golden_{name}"), (text(head, "part"), count("Runs", "cases"),
                                           rate("Passed", "passed", "cases"), _INTERVAL), title)
            for name, head, title in (("tags", "Tag", "By tag"), ("stage", "Stage", "By stage"))
        ),
    ]  # fmt: skip
    lede = "Whether the answers to chosen questions are right"
    return Section("golden", "Golden set", lede, blocks=blocks((), made))


def _changes(result: ReadinessResult) -> Section:
    cols = (text("Case", "case"), text("Change", "change"), text("Before → now", "outcome"),
            text("Version", "version"))  # fmt: skip
    table = view(result.tables.get("golden_changes"), cols, "Item by item")
    lede = "A regression blocks like a failing test"
    return Section("regressions", "Regressions and fixes", lede, blocks=blocks((), [table]))


def _judge(result: ReadinessResult) -> Section:
    agreement = (
        text("Dimension", "dimension"), count("Items", "items"),
        rate("Agreement", "agreed", "items"), _INTERVAL,
        text("Cohen’s kappa", "kappa"),
    )  # fmt: skip
    confusion = (text("Dimension", "dimension"), text("People said", "human"),
                 text("Judge said", "judge"), count("Items", "items"))  # fmt: skip
    made = [
        view(result.tables.get("judge_agreement"), agreement, "Agreement with people"),
        view(result.tables.get("judge_confusion"), confusion, "Judge against people", top=20),
    ]
    lede = "Whether a model that gives scores agrees with people"
    return Section("judge", "Judge", lede, blocks=blocks((), made))
