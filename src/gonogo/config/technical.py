"""The sections about what the application answers with and what it uses, and how they are read."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gonogo.config.evidence import PII, Constraint, RedTeam, Retrieval, Tool
from gonogo.config.patterns import compile_problem, phrases_pattern
from gonogo.config.section import Section
from gonogo.config.tables import Key, TableSpec, numbered_rows, read_rows

MOST_CONSTRAINTS: Final = 200
_TEXT: Final = "text"


CONSTRAINT: Final = TableSpec(
    "constraint",
    "what every logged output has to be like; each rule that is written has to hold",
    (
        Key("name", _TEXT, "how it is called", required=True),
        Key("must_match", "patterns", "regular expressions that must all be found in the output",
            default=()),
        Key("must_not_match", "patterns", "regular expressions of which none may be found",
            default=()),
        Key("citation", "flag", "true: it must name a source, as [1], [text](link) or a link"),
        Key("pii", "texts", "personal and secret data that must not be in it", options=PII,
            default=()),
        Key("min_chars", "whole", "shortest output, in characters", low=1),
        Key("max_chars", "whole", "longest output, in characters", low=1),
        Key("json", "flag", "true: it must be valid JSON"),
        Key("json_schema", _TEXT, "file with a JSON Schema that it must be valid against"),
        Key("banned", "texts", "phrases that must not be in it, as whole words in any case",
            default=()),
        Key("policy", _TEXT, "the policy that asks for it"),
        Key("operations", "texts", "patterns of operations it holds for; all calls without any",
            default=()),
        Key("limit", "ratio", "share of outputs that may break it", default=Fraction(0)),
        Key("owner", _TEXT, "whose it is"),
    ),
    many=True,
)  # fmt: skip
TOOL: Final = TableSpec(
    "tool",
    "a tool that the application may call",
    (
        Key("name", _TEXT, "as the log names it", required=True),
        Key("schema", _TEXT, "how strict its arguments are", options=("strict", "loose")),
        Key("timeout", "duration", "when it is given up, such as 5s or 800ms"),
        Key("fallback", _TEXT, "what happens when it fails"),
        Key("external", "flag", "whether somebody else runs it"),
        Key("mcp", _TEXT, "the MCP server that it is reached by"),
    ),
    many=True,
)
RETRIEVAL: Final = TableSpec(
    "retrieval",
    "how passages are found",
    (
        Key("embedding_model", _TEXT, "the model that the index was built with", required=True),
        Key("chunk_overlap", "whole", "tokens that two chunks share"),
        Key("parent_retrieval", "flag", "whether the document around a chunk is given"),
        Key("reranker", _TEXT, "the model that sorts what was found"),
        Key("score_shift", "ratio", "largest change of the mean top score from one index version "
            "to the next, as a share of it", default=Fraction(1, 10)),
    ),
)  # fmt: skip
RED_TEAM: Final = TableSpec(
    "red_team",
    "results of attacks on the application; paths are relative to this file",
    (
        Key("files", "texts", "reports of garak (JSON lines) or promptfoo redteam", required=True),
        Key("bar", "ratio", "smallest share of attacks that must be withstood",
            default=Fraction(95, 100)),
        Key("days", "whole", "days after which they are too old", low=1, default=180),
        Key("date", "date", "when they were run, where the files do not say"),
    ),
)  # fmt: skip

SPECS: Final = (CONSTRAINT, TOOL, RETRIEVAL, RED_TEAM)
_RULES: Final = ("must_match", "must_not_match", "citation", "pii", "min_chars", "max_chars",
                 "json", "json_schema", "banned")  # fmt: skip


def read_constraints(root: Section) -> tuple[Constraint, ...]:
    """All `[[constraint]]`; names are unique, and each asks for something."""
    found: list[Constraint] = []
    for number, row in numbered_rows(root, CONSTRAINT):
        path = (CONSTRAINT.name, number)
        written = root.table[CONSTRAINT.name][number]
        if not any(row[rule] for rule in _RULES):
            # A rule that is written and cannot be used has been said already.
            if not any(written.get(rule) for rule in _RULES):
                hint = f"write one of {', '.join(_RULES)}"
                root.problems.add(path, "C072", "it asks for nothing", hint)
            continue
        if any(row["name"] == other.name for other in found):
            root.problems.add((*path, "name"), "C073", "the same name twice", "give it another")
        if row["min_chars"] and row["max_chars"] and row["min_chars"] > row["max_chars"]:
            what = "nothing is both so long and so short"
            root.problems.add((*path, "min_chars"), "C072", what, "swap min_chars and max_chars")
        problem = compile_problem(phrases_pattern(row["banned"])) if row["banned"] else None
        if problem is not None:
            root.problems.add((*path, "banned"), "C071", problem, "write fewer, shorter phrases")
        found.append(Constraint(**row))
    if len(found) > MOST_CONSTRAINTS:
        what = f"more than {MOST_CONSTRAINTS} constraints"
        root.problems.add((CONSTRAINT.name, MOST_CONSTRAINTS), "C072", what)
    return tuple(found)


def read_tools(root: Section) -> tuple[Tool, ...]:
    """All `[[tool]]`."""
    return tuple(Tool(**row) for row in read_rows(root, TOOL))


def read_retrieval(root: Section) -> Retrieval | None:
    """`[retrieval]`; None where there is none that says which model."""
    rows = read_rows(root, RETRIEVAL)
    return Retrieval(**rows[0]) if rows and rows[0]["embedding_model"] else None


def read_red_team(root: Section) -> RedTeam | None:
    """`[red_team]`; None where there is none that names files."""
    rows = read_rows(root, RED_TEAM)
    return RedTeam(**rows[0]) if rows and rows[0]["files"] else None
