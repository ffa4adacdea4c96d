"""Mapping files: lists inside of a row, and a project that names its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import reading
from foreign_logs import calls_of, litellm
from gonogo.adapters import own_formats
from gonogo.cli import main
from gonogo.errors import UsageError

YES, NO = 1, 0
MINE = """
name = "mine"
title = "our own log"

[detect]
all = ["when", "steps"]

[fields]
timestamp = "when"
latency_ms = { path = "took", unit = "s" }
request_model = "llm"
"""
LISTS = """
[[tool_calls]]
each = "steps"
where = { kind = ["tool", "function"] }
name = "fn"
latency_ms = { path = "secs", unit = "s" }
status = { path = "outcome", values = { done = "ok", broke = "error" } }
input = "given"

[[retrieval]]
each = "search"
chunk_ids = "hits[].id"
scores = "hits[].score"
index_version = { default = "kb-7" }

[[guardrails]]
each = "checks"
name = "rule"
triggered = "hit"
action = { path = "did", values = { stopped = "block" } }
cost_usd = { path = "cents", scale = 0.01 }

[[guardrails]]
name = "policy"
when = "verdict"
values = ["DENIED"]

[[action]]
each = "acts"
name = "what"
tier = "level"
review = { path = "by", values = { human = "approved" } }
review_latency_ms = { path = "waited", unit = "min" }
"""
ROW = {
    "when": "2026-11-16T09:00:00Z", "took": 1.5, "llm": "m", "verdict": "fine",
    "steps": [
        {"kind": "tool", "fn": "search", "secs": 0.25, "outcome": "done", "given": {"q": "x"}},
        {"kind": "thought", "fn": "none", "secs": 9},
        {"kind": "FUNCTION", "fn": "mail", "secs": 2, "outcome": "broke"},
    ],
    "search": {"hits": [{"id": "c1", "score": 0.5}, {"id": "c2", "score": 0.75}]},
    "checks": [{"rule": "pii", "hit": True, "did": "stopped", "cents": 2}, {"rule": "tone",
               "hit": False}, {"cents_of_another": 1}],
    "acts": {"what": "refund", "level": 2, "by": "human", "waited": 3},
}  # fmt: skip


def test_lists_inside_of_a_row_are_what_the_native_log_holds(tmp_path: Path) -> None:
    """Two of three steps are tools; 0.25 s and 2 s; 0.5 and 0.75 are the scores of two chunks."""
    (tmp_path / "mine.toml").write_text(MINE + LISTS)
    path = reading.write(tmp_path / "a.jsonl", ROW)
    found = reading.read(path, log_format=str(tmp_path / "mine.toml"))
    (row,) = calls_of(found)
    tools = [(t["tool"], t["duration_us"], t["failed"], t["has_input"]) for t in row["tool_calls"]]
    assert tools == [("search", 250_000, NO, True), ("mail", 2_000_000, YES, False)]
    (search,) = row["retrievals"]
    assert (search["n_chunks"], search["index_version"]) == (2, "kb-7")
    assert search["top_score_micro"] == 750_000
    assert sorted(c["chunk"] for c in row["chunks"]) == ["c1", "c2"]
    checks = {g["name"]: (g["triggered"], g["blocked"], g["cost_nano_usd"])
              for g in row["guardrails"]}  # fmt: skip
    assert checks == {"pii": (YES, True, 20_000_000), "tone": (NO, False, -1),
                      "policy": (NO, False, -1)}  # fmt: skip
    (action,) = row["actions"]
    assert (action["action"], action["tier"], action["duration_us"]) == ("refund", 2, 180_000_000)


def test_a_default_alone_makes_no_record(tmp_path: Path) -> None:
    """Else a table of passengers, read by the same mapping, would be calls that went well."""
    mapping = tmp_path / "mine.toml"
    mapping.write_text(MINE + 'status = [{ path = "err", values = {} }, { default = "ok" }]\n')
    path = reading.write(
        tmp_path / "a.jsonl",
        {"passengers": 2, "fare": 11.5},
        {"when": "2026-11-16T09:00:00Z", "took": 1.5, "err": None},
    )
    found = reading.read(path, log_format=str(mapping))
    assert found.counts() == (2, 1, 1, 0)
    (row,) = calls_of(found)
    assert row["failed"] == NO
    (line,) = found.logs.trouble.quarantined
    assert (line.line, line.code) == (1, "I010")


def test_a_row_that_is_itself_a_tool_call(tmp_path: Path) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'name = "mine"\n[fields]\ntimestamp = "t"\n'
        'is_call = { path = "kind", values = { llm = "true", tool = "false" } }\n'
        '[[tool_calls]]\nwhere = { kind = "tool" }\nname = "fn"\nlatency_ms = "ms"\n'
    )
    path = reading.write(
        tmp_path / "a.jsonl",
        {"t": "2026-11-16T09:00:00Z", "kind": "llm", "ms": 5},
        {"t": "2026-11-16T09:00:01Z", "kind": "tool", "fn": "mail", "ms": 7},
        {"t": "2026-11-16T09:00:02Z", "kind": "tool", "fn": None, "ms": None},
    )
    found = reading.read(path, log_format=str(mapping))
    assert len(calls_of(found)) == 1
    tools = [(t["tool"], t["duration_us"]) for row in found.kept for t in row["tool_calls"]]
    assert tools == [("mail", 7_000)]


@pytest.mark.parametrize("steps", [None, "text", 7, [], [None, 3, "x", []], {"kind": []}, [[1]]])
def test_a_list_that_is_none_costs_nothing(steps: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE + LISTS)
    row = {**ROW, "steps": steps, "search": steps, "checks": steps, "acts": steps}
    found = reading.read(
        reading.write(tmp_path / "a.jsonl", row), log_format=str(tmp_path / "mine.toml")
    )
    assert found.counts()[2] == 0
    (call,) = calls_of(found)
    assert (call["tool_calls"], call["duration_us"]) == ([], 1_500_000)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('name = "fn"', 'nam = "fn"'), "tool_calls[0].nam: unknown key; did you mean 'name'?"),
        (('secs", unit = "s"', 'secs", unit = "h"'), "tool_calls[0].latency_ms.unit: 'h'"),
        (("[[retrieval]]", "[retrieval]"), "retrieval: an array of tables is needed"),
        (('each = "steps"', "each = 3"), "tool_calls[0].each: the path of a list"),
        (('where = { kind = ["tool", "function"] }', "where = 3"), "tool_calls[0].where: a table"),
        (('name = "what"\ntier = "level"\n', ""), "action[0].review"),
    ],
)
def test_each_problem_is_told_with_its_place(
    change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    mapping = tmp_path / "mine.toml"
    text = (MINE + LISTS).replace(*change, 1)
    if words == "action[0].review":
        text = text.replace('review = { path = "by"', 'review = { pth = "by"')
    mapping.write_text(text)
    path = reading.write(tmp_path / "a.jsonl", ROW)
    done = CliRunner().invoke(main, ["inspect", str(path), "--format", str(mapping)])
    assert done.exit_code == 2
    assert words in done.stderr


# --- [logs] mapping -------------------------------------------------------------------------------


def project(folder: Path, mapping: str, config: str = '[logs]\nmapping = "mine.toml"\n') -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_text(mapping)
    (folder / "readiness.toml").write_text('[slo]\nerror_rate = "<= 50%"\n' + config)
    return folder / "readiness.toml"


def calls(config: Path, *logs: Path, more: tuple[str, ...] = ()) -> dict[str, Any]:
    args = ["check", *map(str, logs), "-c", str(config), "--state", str(config.parent / "s")]
    done = CliRunner().invoke(main, [*args, "-q", "--format", "json", "--profile", "internal",
                                     *more])  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    return {Path(f["path"]).name: (f["format"], f["accepted"]) for f in found["ingest"]["files"]}


def test_a_project_names_its_mapping_and_other_files_stay_what_they_are(tmp_path: Path) -> None:
    config = project(tmp_path / "p", MINE + LISTS)
    mine = reading.write(tmp_path / "mine.jsonl", ROW, ROW | {"when": "2026-11-16T09:00:09Z"})
    other = reading.write(tmp_path / "other.jsonl", litellm())
    native = reading.write(tmp_path / "native.jsonl", {"model": "m", "latency_ms": 4})
    assert calls(config, mine, other, native) == {
        "mine.jsonl": ("mine (jsonl)", 2),
        "other.jsonl": ("litellm (jsonl)", 1),
        "native.jsonl": ("jsonl", 1),
    }
    # The command line comes first.
    forced = calls(config, native, more=("--log-format", "native"))
    assert forced == {"native.jsonl": ("jsonl", 1)}


def test_a_mapping_without_detect_reads_every_file(tmp_path: Path) -> None:
    config = project(tmp_path / "p", 'name = "mine"\n[fields]\nrequest_model = "m"\n')
    native = reading.write(tmp_path / "native.jsonl", {"m": "x", "latency_ms": 4})
    assert calls(config, native) == {"native.jsonl": ("mine (jsonl)", 1)}


def test_its_own_mapping_comes_before_a_format_that_would_claim_the_file(tmp_path: Path) -> None:
    own = MINE.replace('["when", "steps"]', '["startTime"]').replace('"when"', '"startTime"')
    config = project(tmp_path / "p", own)
    path = reading.write(tmp_path / "a.jsonl", litellm())
    assert calls(config, path) == {"a.jsonl": ("mine (jsonl)", 1)}


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    config = project(tmp_path / "p", MINE, '[logs]\nmapping = "gone.toml"\n')
    path = reading.write(tmp_path / "a.jsonl", ROW)
    done = CliRunner().invoke(main, ["check", str(path), "-c", str(config)])
    assert done.exit_code == 2
    assert "gone.toml" in done.stderr
    config = project(tmp_path / "p", MINE, '[logs]\nmaping = "mine.toml"\n')
    done = CliRunner().invoke(main, ["check", str(path), "-c", str(config)])
    assert "did you mean 'mapping'" in done.stderr
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(f'name = "{name}"\n[fields]\nrequest_model = "m"\n')
    with pytest.raises(UsageError, match=r"one\.toml and two\.toml both read every file"):
        own_formats([tmp_path / "one.toml", tmp_path / "two.toml"])
