"""The Evaluation page: golden set, regressions, constraints on outputs, judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gonogo import display
from gonogo.results import ReadinessResult, Table
from gonogo.site.breaches import trace_link
from gonogo.site.layout import blocks
from gonogo.site.model import Absent, Cell, ChartView, Section, TableView
from gonogo.site.objectives import rows_of_page
from gonogo.site.tables import Col, count, mean, plain, rate, text, view
from gonogo.site.text import clipped, value_text

MOST_SAID: Final = 5
"""Labels of a judge that stand side by side."""

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
_CONSTRAINTS: Final = Absent(
    "Hard constraints",
    "what every output has to be like (a source named, no personal data, valid JSON) is written in",
    "[[constraint]]",
)
_ONLINE: Final = Absent(
    "Online scores",
    "none is logged. Log",
    "evaluations[].name, .score, .label",
)


def evaluation(result: ReadinessResult, charts: Sequence[ChartView]) -> tuple[Section, ...]:
    """The sections in the order of what decides; what is absent is one line at the end."""
    found = [Section("objectives", "", objectives=rows_of_page(result, "evaluation"))]
    if charts:
        found.append(Section("evaluation", "", blocks=blocks(charts)))
    drawn = {c.id for c in charts}
    absent: list[Absent] = []
    for section, line in (
        (_golden(result), _GOLDEN),
        (_changes(result), _REGRESSIONS),
        (_constraints(result), _CONSTRAINTS),
        (_judge(result, "judge-confusion" in drawn), _JUDGE),
        (_online(result), _ONLINE),
    ):
        if section.blocks:
            found.append(section)
        else:
            absent.append(line)
    if absent:
        found.append(Section("evaluation-absent", "Evaluation", absent=tuple(absent)))
    return tuple(found)


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
            _half(t.get(f"golden_{name}"), (text(head, "part"), count("Runs", "cases"),
                                           rate("Passed", "passed", "cases"), _INTERVAL), title)
            for name, head, title in (("tags", "Tag", "By tag"), ("stage", "Stage", "By stage"))
        ),
    ]  # fmt: skip
    lede = "Whether the answers to chosen questions are right"
    return Section("golden", "Golden set", lede, blocks=blocks((), made))


def _online(result: ReadinessResult) -> Section:
    scores = (
        count("Scores given", "evaluations"),
        rate("Passed", "passed", "judged", "scores that say passed / those that say so or not"),
        mean("Score, mean", "score", "score_sum", "score_n"),
    )
    t, name = result.tables, text("Evaluation", "evaluation")
    made = [
        view(t.get("online_scores"), (name, *scores), "Online scores"),
        view(t.get("online_scores_by_release"), (name, text("Release", "release"), *scores),
             "Online scores by release"),
    ]  # fmt: skip
    lede = "What was scored while the application ran; no objective rests on it"
    return Section("online", "Online scores", lede, blocks=blocks((), made))


def _half(table: Table | None, cols: Sequence[Col], caption: str) -> TableView | None:
    """A narrow table, two of which stand side by side."""
    made = view(table, cols, caption)
    return None if made is None else replace(made, span="half")


def _changes(result: ReadinessResult) -> Section:
    cols = (text("Case", "case"), text("Change", "change"), text("Before → now", "outcome"),
            text("Version", "version"))  # fmt: skip
    table = view(result.tables.get("golden_changes"), cols, "Item by item")
    lede = "A regression blocks like a failing test"
    return Section("regressions", "Regressions and fixes", lede, blocks=blocks((), [table]))


def _constraints(result: ReadinessResult) -> Section:
    cols = (
        text("Constraint", "constraint"), text("Policy", "policy"),
        rate("Broken", "violated", "looked_at", "outputs that break it / outputs looked at"),
        text("Limit", "limit"),
        rate("Output logged", "looked_at", "calls", "outputs looked at / calls that must answer"),
        text("Owner", "owner"),
    )  # fmt: skip
    breaks = (text("Constraint", "constraint"), text("Broken by", "by"),
              count("Outputs", "outputs"))  # fmt: skip
    made = [
        view(result.tables.get("constraints"), cols, "Constraints on outputs"),
        view(result.tables.get("constraint_breaks"), breaks, "What breaks them"),
        traces(result, "constraint_traces", ("Constraint", "Broken by"), "Outputs that break one"),
    ]
    lede = "What every logged output has to be like"
    return Section("constraints", "Hard constraints", lede, blocks=blocks((), made))


def traces(
    result: ReadinessResult, table_id: str, heads: tuple[str, str], caption: str
) -> TableView | None:
    """Single traces with their way into the tracer, where there is one."""
    table = result.tables.get(table_id)
    if table is None or not table.height:
        return None
    zone = result.period.timezone
    rows = [
        (
            Cell(clipped(str(name))),
            Cell(clipped(str(why))),
            trace_link(None if trace is None else str(trace), result),
            Cell("–", hint="not logged") if time is None else Cell(value_text(time, "time", zone)),
            Cell("–", hint="not logged") if model is None else Cell(clipped(str(model))),
        )
        for name, why, trace, time, model in zip(
            *(table.data[key] for key in ("name", "why", "trace_id", "time", "model")), strict=True
        )
    ]
    cols = [*((head, False) for head in heads), ("Trace", False), ("Time", False), ("Model", False)]
    made = plain(f"table-{table_id}", caption, cols, rows, sortable=False)
    csv, json = (f"data/{table_id}.{kind}" for kind in ("csv", "json"))
    return replace(made, note=table.note, csv=csv, json=json)


def _judge(result: ReadinessResult, drawn: bool) -> Section:
    """`drawn` says that a chart shows the confusion, with its table."""
    agreement = (
        text("Dimension", "dimension"), count("Items", "items"),
        rate("Agreement", "agreed", "items"), _INTERVAL,
        text("Cohen’s kappa", "kappa"),
    )  # fmt: skip
    made = [
        view(result.tables.get("judge_agreement"), agreement, "Agreement with people"),
        None if drawn else _confusion(result.tables.get("judge_confusion")),
    ]
    lede = "Whether a model that gives scores agrees with people"
    return Section("judge", "Judge", lede, blocks=blocks((), made))


def _confusion(table: Table | None) -> TableView | None:
    """What people said down, what the judge said across; many labels stay one below the other."""
    columns = (text("Dimension", "dimension"), text("People said", "human"),
               text("Judge said", "judge"), count("Items", "items"))  # fmt: skip
    long = view(table, columns, "Judge against people", top=20)
    if table is None or long is None:
        return None
    keys = ("dimension", "human", "judge", "items")
    cells = list(zip(*(table.data[key] for key in keys), strict=True))
    said = sorted({str(judge) for _, _, judge, _ in cells})
    if len(said) > MOST_SAID:
        return long
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for dimension, human, judge, items in cells:
        row = rows.setdefault((str(dimension), str(human)), {})
        row[str(judge)] = items if isinstance(items, int) else 0
    heads = [("Dimension", False), ("People said", False)]
    made = plain(
        long.id,
        long.caption,
        [*heads, *((f"Judge said {clipped(word, 40)}", True) for word in said)],
        [
            [Cell(clipped(dimension)), Cell(clipped(human)), *(_items(row.get(j)) for j in said)]
            for (dimension, human), row in rows.items()
        ],
        sortable=False,
    )
    return replace(made, csv=long.csv, json=long.json)


def _items(number: int | None) -> Cell:
    return Cell("–", sort="-") if number is None else Cell(display.count(number), sort=str(number))
