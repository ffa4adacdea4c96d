"""Paths of [fields] that no record has: said, with what may have been meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from foreign_logs import chat, litellm, otlp
from gonogo.cli import main
from gonogo.ingest.discover import discover
from gonogo.ingest.mapped import _has, astray

ROW = {
    "timestamp": "2026-11-16T09:00:00Z", "model": "m", "status": "ok", "elapsed": 12,
    "steps": [{"fn": "search", "deep": [{"x": 1}]}], "meta": {"took": 3, "none": None},
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(fields: str, rows: list[dict[str, Any]]) -> None:
    Path("readiness.toml").write_text(f"[fields]\n{fields}\n")
    Path("a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def found(mapping: dict[str, str], *paths: str) -> dict[str, tuple[str, int, str]]:
    every = astray(discover(paths or ["a.jsonl"]).sources, mapping, None, ())
    return {one.field: (one.path, one.records, one.near) for one in every}


def test_a_misspelt_path_is_said_with_what_may_be_meant() -> None:
    write('latency_ms = "elapsd"\nrelease = "meta.took"', [ROW] * 42)
    said = '[fields] latency_ms = "elapsd": in none of 42 records; did you mean "elapsed"?'
    shown = run("inspect", "a.jsonl").stdout
    assert f"note: {said}; correct" in shown
    assert (
        "  latency_ms               <- elapsd\n  release                  <- meta.took\n" in shown
    )
    result = json.loads(run("check", "a.jsonl", "--format", "json").stdout)
    (problem,) = [p for p in result["ingest"]["problems"] if p["code"] == "I037"]
    assert (problem["code"], problem["what"]) == ("I037", said)
    assert said in " ".join(run("check", "a.jsonl").stdout.split())
    run("build", "a.jsonl", "-o", "site")
    assert "in none of 42 records" in Path("site/data.html").read_text()


def test_a_path_that_leads_somewhere_is_not_said() -> None:
    write('latency_ms = "elapsed"', [ROW])
    result = json.loads(run("check", "a.jsonl", "--format", "json").stdout)
    assert "I037" not in [p["code"] for p in result["ingest"]["problems"]]
    assert "in none of" not in run("inspect", "a.jsonl").stdout


def test_paths_count_from_the_record() -> None:
    write("", [ROW])
    assert found({"tool_calls.name": "steps.fn", "release": "meta.took"}) == {}
    assert found({"tool_calls.name": "steps[].fn"}) == {}
    assert found({"tool_calls.name": "fn", "release": "meta.none"}) == {
        "tool_calls.name": ("fn", 1, "steps.fn"),
        "release": ("meta.none", 1, ""),  # null in each: as good as absent
    }


def test_one_record_that_has_it_is_enough_and_what_was_not_looked_at_is_not_spoken_of() -> None:
    write('release = "late"', [ROW] * 999 + [ROW | {"late": "r"}])
    assert found({"release": "late"}) == {}
    write('release = "never"', [ROW] * 20_500)
    assert found({"release": "never"}) == {"release": ("never", 20_000, "")}
    assert "in none of the first 20,000 records that were looked at; correct" in (
        run("inspect", "a.jsonl").stdout
    )


def test_parquet_with_dots_in_names_and_several_files() -> None:
    pl.DataFrame({"model": ["m"] * 3, "a.build": [1, 2, 3], "c": [{"d": 1}] * 3}).write_parquet(
        "b.pq"
    )
    write("", [ROW] * 2)
    assert found({"release": "a.build", "latency_ms": "c.d"}, "b.pq") == {}
    assert found({"release": "a.biuld"}, "b.pq", "a.jsonl") == {
        "release": ("a.biuld", 5, "a.build")
    }


def test_other_formats_are_read_by_what_their_records_and_spans_say() -> None:
    Path("l.jsonl").write_text(json.dumps(litellm(1, extra={"team": "x"})) + "\n")
    assert found({"tenant_id": "extra.team"}, "l.jsonl") == {}
    assert found({"tenant_id": "extra.taem"}, "l.jsonl")["tenant_id"][2] == "extra.team"
    Path("o.jsonl").write_text(
        json.dumps(otlp(chat(1, **{"app.team": "x"}), **{"host.name": "h"})) + "\n"
    )
    assert found({"tenant_id": "app.team", "service": "host.name"}, "o.jsonl") == {}
    assert found({"tenant_id": "app.taem"}, "o.jsonl")["tenant_id"][2] == "app.team"


def test_names_of_the_log_are_cleaned() -> None:
    write('latency_ms = "elapsd"', [{"timestamp": 1, "model": "m", "elapsd\x1b[31m": 1}])
    assert "\x1b" not in run("inspect", "a.jsonl").stdout


_VALUES = st.recursive(
    st.none() | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=8,
)


def _leaves(value: Any, at: tuple[str, ...] = ()) -> set[str]:
    """Paths by which something that is not null can be reached, worked out from the leaves up."""
    if isinstance(value, list):
        return {path for item in value for path in _leaves(item, at)}
    here = {".".join(at)} if at and value is not None else set()
    if isinstance(value, dict):
        return here.union(*(_leaves(item, (*at, name)) for name, item in value.items()))
    return here


@given(st.dictionaries(st.sampled_from("ab"), _VALUES))
def test_a_path_is_there_if_a_walk_over_all_values_meets_it(record: dict[str, Any]) -> None:
    met = _leaves(record)
    for path in ("a", "b", "a.a", "a.b", "b.a.b", "a.a.a"):
        if path in met:
            assert _has(record, path)
        elif not any(path == p or p.startswith(f"{path}.") for p in met):
            # An empty list or one of nulls alone is there, and holds nothing to reach.
            assert not _has(record, path) or _lists(record)


def _lists(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_lists(item) for item in value.values())
    return isinstance(value, list)


@pytest.mark.parametrize("path", ["steps.fn", "steps[].fn"])
def test_tools_are_mapped_from_the_record_on_as_the_documentation_has_it(path: str) -> None:
    row = {**ROW, "steps": [{"fn": "search", "secs": 3}]}
    write(f'"tool_calls.name" = "{path}"\n"tool_calls.latency_s" = "steps.secs"', [row] * 5)
    result = json.loads(run("check", "a.jsonl", "--format", "json").stdout)
    data = result["tables"]["tools"]["data"]
    assert (data["tool"], data["latency_sum"]) == (["search"], [5 * 3_000_000])
    assert "I037" not in [p["code"] for p in result["ingest"]["problems"]]


def test_a_null_error_is_ok_where_a_mapping_file_says_so() -> None:
    write("", [ROW | {"status": None, "error": "boom" if n == 0 else None} for n in range(4)])
    assert 'unless a mapping file says status = { default = "ok" }' in (
        run("inspect", "a.jsonl").stdout
    )
    Path("mine.toml").write_text(
        'name = "mine"\ntitle = "ours"\n[fields]\ntimestamp = "timestamp"\n'
        'error_type = "error"\nstatus = { default = "ok" }\n'
    )
    Path("readiness.toml").write_text('[logs]\nmapping = "mine.toml"\n')
    result = json.loads(run("check", "a.jsonl", "--format", "json").stdout)
    overall = result["tables"]["overall"]["data"]
    assert (overall["errors"], overall["error_known"]) == ([1], [4])


def test_lines_without_ids_are_said() -> None:
    ids = {"trace_id": "t", "span_id": "s"}
    write("", [ROW | {"trace_id": "t"}] * 4)
    assert "\nno ids: duplicates cannot be told" in run("inspect", "a.jsonl").stdout
    write("", [ROW | ids | {"span_id": f"s{n}"} for n in range(3)] + [ROW | {"span_id": "s"}])
    assert "\nno trace_id or no span_id on 1 of 4 lines: duplicates cannot be told among them" in (
        run("inspect", "a.jsonl").stdout
    )
    write("", [ROW | ids])
    assert "duplicates cannot be told" not in run("inspect", "a.jsonl").stdout


def test_what_is_not_read_is_the_first_step_where_fields_are_missing() -> None:
    write("", [{k: v for k, v in ROW.items() if k != "status"}] * 30)
    # elapsed, steps.fn, steps.deep.x, meta.took; meta.none is null.
    said = "4 fields are not read: gonogo inspect lists them; map in [fields] what is missing"
    shown = " ".join(run("check", "a.jsonl").stdout.split())
    assert shown[shown.index(" next ") :].startswith(f" next {said}")
    run("build", "a.jsonl", "-o", "site")
    page = Path("site/index.html").read_text().lower()
    assert 0 < page.index(said) < page.index("log status")


def test_nothing_is_said_of_fields_that_are_not_read_where_none_is_missing() -> None:
    whole = {"trace_id": "t", "latency_ms": 5, "input_tokens": 1, "output_tokens": 1, **ROW}
    write("", [whole] * 3)
    assert "not read" not in run("check", "a.jsonl").stdout
    bare = {"timestamp": ROW["timestamp"], "model": "m"}
    write("", [bare] * 3)
    assert "not read" not in run("check", "a.jsonl").stdout
