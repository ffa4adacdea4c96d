"""Environment variables: each of the documented table is its option, and there are no others."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.core import ParameterSource

from gonogo.cli import main
from published import ROOT

ROW = re.compile(r"^\| `(GONOGO_\w+)` \| `(--[\w-]+)` \| ([\w, -]+) \|$", re.MULTILINE)
TABLE = [
    (variable, option, command)
    for variable, option, commands in ROW.findall(
        (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    )
    for command in commands.split(", ")
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("GONOGO_")]:
        monkeypatch.delenv(name)


def options(command: str) -> dict[str, click.Option]:
    found = [o for o in main.commands[command].params if isinstance(o, click.Option)]
    return {max(o.opts, key=len): o for o in found if o.expose_value}


def words_for(option: click.Option) -> list[str]:
    """What could be typed behind an option; nothing behind a flag."""
    if option.is_flag:
        return []
    if isinstance(option.type, click.Choice):
        return [str(next(c for c in option.type.choices if c != option.default))]
    if isinstance(option.type, click.types.IntParamType):
        return ["7"]
    return ["a=b", "c=d"] if option.multiple else ["a=b"]


def parsed(command: str, *typed: str) -> click.Context:
    """A command line as it is understood; LOGS and the like are given and are files."""
    needed = [a for a in main.commands[command].params if isinstance(a, click.Argument)]
    given = [str(Path(__file__))] * sum(a.required for a in needed)
    with click.Context(main, info_name="gonogo", **main.context_settings) as parent:
        return main.commands[command].make_context(command, [*typed, *given], parent=parent)


def test_the_table_has_every_option_and_nothing_else() -> None:
    named = {(option, command) for _, option, command in TABLE}
    assert named == {(o, c) for c in main.commands for o in options(c)}
    assert len(TABLE) == len(named) > 100


@pytest.mark.parametrize(("variable", "name", "command"), TABLE)
def test_a_variable_does_what_its_option_does(
    monkeypatch: pytest.MonkeyPatch, variable: str, name: str, command: str
) -> None:
    option = options(command)[name]
    assert option.name
    words = words_for(option)
    typed = [part for word in words for part in (name, word)] if words else [name]
    expected = parsed(command, *typed).params[option.name]
    default = None if option.required else parsed(command).params[option.name]
    assert expected != default
    for text in ("\n".join([*words, ""]), " ".join(words)) if words else ("true", "1"):
        monkeypatch.setenv(variable, text if option.multiple or not words else words[0])
        context = parsed(command)
        assert context.get_parameter_source(option.name) is ParameterSource.ENVIRONMENT
        assert context.params[option.name] == expected
    monkeypatch.setenv(variable, "")
    if option.required:
        with pytest.raises(click.MissingParameter):
            parsed(command)
    else:
        assert parsed(command).params[option.name] == default


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("release=1 model=a", ("release=1", "model=a")),
        ("release=1\nmodel=a b\n", ("release=1", "model=a b")),
        ("release=first try\n", ("release=first try",)),
        (" \n\n release=1 \r\n", ("release=1",)),
        ("\n", ()),
    ],
)
def test_values_of_a_repeatable_option_may_have_spaces(
    monkeypatch: pytest.MonkeyPatch, text: str, values: tuple[str, ...]
) -> None:
    monkeypatch.setenv("GONOGO_WHERE", text)
    assert parsed("check").params["where"] == values


def test_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_PERIOD", "2026-W47")
    monkeypatch.setenv("GONOGO_WHERE", "release=1")
    found: dict[str, Any] = parsed("check", "--period", "2026-W48", "--where", "model=a").params
    assert (found["period"], found["where"]) == ("2026-W48", ("model=a",))
