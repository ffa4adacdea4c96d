"""Fields that nothing reads, as `gonogo inspect` names them: shares counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import reading
from foreign_logs import bedrock, chat, litellm, otlp
from gonogo.adapters import own_formats
from gonogo.cli import main
from gonogo.ingest.discover import discover
from gonogo.ingest.unread import unread_fields


def unread(
    *paths: Path, mapping: dict[str, str] | None = None, own: tuple[Path, ...] = ()
) -> dict[str, tuple[str, int, int]]:
    found = discover([str(path) for path in paths])
    every = unread_fields(found.sources, mapping or {}, None, own_formats(own))
    return {u.name: (u.format, u.present, u.records) for u in every}


def native(**more: Any) -> dict[str, Any]:
    return {"timestamp": "2026-11-16T09:00:00Z", "model": "m", "latency_ms": 4, **more}


def test_names_and_shares_of_native_lines(tmp_path: Path) -> None:
    """Of four lines, three have a team, one a nested plan, two tools with a server."""
    tool = {"name": "search", "status": "ok", "mcp_server": "kb"}
    rows = [
        native(team="a"), native(team="b", account={"plan": "gold", "empty": None}),
        native(team="c", tool_calls=[tool, {"name": "x"}]),
        native(team=None, tool_calls=[tool], usage={"prompt_tokens": 3, "odd": 1}),
    ]  # fmt: skip
    path = reading.write(tmp_path / "a.jsonl", *rows)
    assert unread(path) == {
        "team": ("native", 3, 4), "account.plan": ("native", 1, 4),
        "tool_calls.mcp_server": ("native", 2, 4), "usage.odd": ("native", 1, 4),
    }  # fmt: skip
    mapped = unread(path, mapping={"tenant_id": "team", "release": "account.plan"})
    assert set(mapped) == {"tool_calls.mcp_server", "usage.odd"}


def test_parquet_and_text_hold_the_same(tmp_path: Path) -> None:
    rows = [native(team="a", account={"plan": "gold"}), native(team=None, account={"plan": "x"})]
    text = reading.write(tmp_path / "a.jsonl", *rows)
    pl.DataFrame(rows).write_parquet(tmp_path / "b.parquet")
    packed = reading.write(tmp_path / "c.jsonl.gz", *rows)
    expected = {"team": ("native", 1, 2), "account.plan": ("native", 2, 2)}
    assert unread(text) == unread(tmp_path / "b.parquet") == unread(packed) == expected


def test_a_record_of_another_tool_tells_what_its_adapter_left(tmp_path: Path) -> None:
    rows = [
        litellm(1, extra={"team": "x"}, metadata={"user_api_key_team_id": "t", "city": "Rome"},
                response={"model": "m", "choices": [{"message": {"content": "a"}}], "odd": 1}),
        litellm(2),
    ]  # fmt: skip
    found = unread(reading.write(tmp_path / "a.jsonl", *rows))
    assert found["extra.team"] == ("litellm", 1, 2)
    assert found["metadata.city"] == ("litellm", 1, 2)
    assert found["response.odd"] == ("litellm", 1, 2)
    for name in ("metadata.user_api_key_team_id", "response.model", "startTime", "prompt_tokens",
                 "response.choices.message.content"):  # fmt: skip
        assert name not in found
    mapped = unread(tmp_path / "a.jsonl", mapping={"tenant_id": "extra.team"})
    assert "extra.team" not in mapped


def test_attributes_of_spans(tmp_path: Path) -> None:
    spans = [
        chat(1, **{"app.team": "x", "llm.input_messages.0.message.content": "?",
                   "llm.input_messages.7.message.content": "?"}),
        chat(2, **{"gen_ai.usage.input_tokens": 3}),
    ]  # fmt: skip
    path = reading.write(tmp_path / "a.jsonl", otlp(*spans))
    assert unread(path) == {
        "app.team": ("otlp", 1, 2), "llm.input_messages.*.message.content": ("otlp", 1, 2),
    }  # fmt: skip
    assert "app.team" not in unread(path, mapping={"tenant_id": "app.team"})


def test_rows_of_a_mapping_of_ones_own(tmp_path: Path) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'name = "mine"\n[fields]\ntimestamp = "when"\nrequest_model = ["llm.a", "llm.b"]\n'
        '[[tool_calls]]\neach = "steps"\nname = "fn"\n'
    )
    row = {"when": "2026-11-16T09:00:00Z", "llm": {"b": "m", "c": 1},
           "steps": [{"fn": "x", "took": 3}]}  # fmt: skip
    path = reading.write(tmp_path / "a.jsonl", row)
    assert unread(path, own=(mapping,)) == {
        "llm.c": ("mine", 1, 1), "steps.took": ("mine", 1, 1),
    }  # fmt: skip


def test_names_are_hostile(tmp_path: Path) -> None:
    secret = "sk-" + "a1" * 20
    names = {f"id{n}": 1 for n in range(40)}
    row = native(**{secret: 1, "a\x1b[31m\nb": 1, "x" * 5_000: 1, "<script>": 1, "by_user": names})
    lines = [json.dumps(row), json.dumps(native(**{f"k{n}": 1 for n in range(9_000)}))]
    found = unread(reading.write(tmp_path / "a.jsonl", *lines))
    assert not any(secret in name or "\x1b" in name or "\n" in name for name in found)
    assert max(map(len, found)) <= 80
    assert found["by_user.*"] == ("native", 1, 2)
    assert len(found) <= 15_000


@pytest.mark.parametrize("content", ["", "{", "\x00\x01", "[1, 2]", '{"results": []}', "PAR1xx"])
def test_a_file_that_holds_no_records_has_no_names(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    (tmp_path / "b.parquet").write_text(content)
    assert unread(tmp_path / "a.jsonl", tmp_path / "b.parquet") == {}


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["a", "model", "metadata", "response", "x.y"]), inner,
                      max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40)
@given(value=values)
def test_no_record_is_too_odd(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("odd")
    for name, row in (("a", litellm(metadata=value, response=value)),
                      ("b", bedrock(output=value)), ("c", native(odd=value))):  # fmt: skip
        found = unread(reading.write(folder / f"{name}.jsonl", row))
        assert all(0 < present <= records for _, present, records in found.values())


def test_inspect_prints_names_with_how_to_map_them(tmp_path: Path) -> None:
    rows = [native(team=f"canary{n}") if n < 3 else native() for n in range(4)]
    path = reading.write(tmp_path / "a.jsonl", *rows)
    printed = CliRunner().invoke(main, ["inspect", str(path)]).stdout
    assert "in the records, and not read" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("  team ")]
    assert line.split() == ["team", "native", "75", "%", "of", "4"]
    assert "[fields]" in printed
    assert "canary" not in printed
    every = reading.write(tmp_path / "b.jsonl", native())
    assert "not read" not in CliRunner().invoke(main, ["inspect", str(every)]).stdout
