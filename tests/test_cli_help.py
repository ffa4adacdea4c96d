"""The command line as its readers meet it: help, the program as a process, progress."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import gonogo
from gonogo.cli import main
from gonogo.conventions import RESULT_SCHEMA_VERSION
from gonogo.progress import Lines, open_progress
from test_cli import COMMANDS, run

# --- help


def test_the_commands_are_listed_in_the_order_of_use() -> None:
    out = run("--help").stdout
    at = [out.index(f"\n  {name} ") for name in COMMANDS]
    assert at == sorted(at)
    assert set(main.commands) == set(COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_help_speaks_of_sla_and_slo_and_gives_examples(command: str) -> None:
    done = run(*([command] if command else []), "--help")
    assert done.exit_code == 0
    assert "SLA" in done.stdout
    assert "SLO" in done.stdout
    assert "Example" in done.stdout or "Start here" in done.stdout
    assert "  gonogo " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_the_help_can_be_parsed(command: str) -> None:
    epilog = main.commands[command].epilog or ""
    examples = [line.split() for line in epilog.splitlines() if line.startswith("  gonogo ")]
    assert examples
    for example in examples:
        words = [w.strip("'") for w in example[2:]]
        for stop in (">", "|", ">>"):
            words = words[: words.index(stop)] if stop in words else words
        made = main.commands[command].make_context(command, words)
        assert isinstance(made, click.Context)


def _python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, **env},
    )  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom gonogo.cli import main\n"
        "try: main(['--help'], prog_name='gonogo')\nexcept SystemExit: pass\n"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = _python(code)
    heavy = {"polars", "pydantic", "rich", "altair", "numpy", "pyarrow", "jinja2", "vl_convert"}
    assert "click" in done.stderr.split()
    assert not heavy & set(done.stderr.split())


# --- processes

PIPE = """
import sys, types
sys.path[:0] = {path!r}
from synthetic import synthetic_result
import gonogo
fake = types.ModuleType("gonogo.pipeline")
fake.Request = lambda **k: None
from gonogo.results import Decision
verdict = Decision(verdict="INCONCLUSIVE", headline="", reasons=())
fake.analyse = lambda request, progress, **how: synthetic_result(readiness=verdict)
sys.modules["gonogo.pipeline"] = gonogo.pipeline = fake
from gonogo.cli import main
main(["check", "logs", "--format", "json"], prog_name="gonogo")
"""


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_does_not_change_the_exit_code(unbuffered: str) -> None:
    code = PIPE.format(path=[str(Path(__file__).parent)])
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=60) == 3
    assert errors == ""


def test_the_module_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gonogo", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[0] == f"gonogo, version {gonogo.__version__}"


def test_the_version_names_the_data_that_verdicts_rest_on() -> None:
    from importlib.metadata import version

    out = run("--version").stdout
    assert f"genai-prices {version('genai-prices')}" in out
    assert re.search(r"changes of price up to 20\d\d-\d\d-\d\d\n", out)
    assert re.search(r"semantic conventions: up to 1\.\d+\n", out)
    assert f"schema {RESULT_SCHEMA_VERSION}" in out


# --- progress


class _Stream:
    """A stderr that is not a terminal."""

    def __init__(self, fails: bool = False) -> None:
        self.text, self.fails = "", fails

    def write(self, text: str) -> int:
        if self.fails:
            raise BrokenPipeError
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def test_plain_progress_says_each_phase_and_its_quarters() -> None:
    stream = _Stream()
    lines = Lines(stream)  # type: ignore[arg-type]
    lines.phase("reading", 4_000_000)
    for _ in range(40):
        lines.advance(100_000)
    lines.phase("counting", None)
    lines.advance(10)
    lines.note("skipped \x1b[31mx\n::error::y")
    assert stream.text.splitlines() == [
        "gonogo: reading", "gonogo: reading: 25 %", "gonogo: reading: 50 %",
        "gonogo: reading: 75 %", "gonogo: counting", "gonogo: skipped x ∷error∷y",
    ]  # fmt: skip


def test_a_closed_stderr_does_not_stop_the_run() -> None:
    lines = Lines(_Stream(fails=True))  # type: ignore[arg-type]
    lines.phase("reading", None)
    lines.note("x")


def shown_on_a_terminal() -> str:
    """What a terminal is sent in the course of a run."""
    import pty

    try:
        leader, follower = pty.openpty()
    except OSError:  # as in a root directory of its own without /dev/pts
        pytest.skip("no terminal can be opened here")
    with (
        os.fdopen(follower, "w", encoding="utf-8") as stream,
        open_progress(quiet=False, stream=stream) as progress,
    ):
        progress.phase("reading [bold]logs", 100)
        progress.advance(50)
        progress.note("a note about [bold]x[/]")
        progress.phase("counting", None)
        progress.advance(1)
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:
        pass
    os.close(leader)
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_a_bar_that_leaves_nothing_but_notes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown_on_a_terminal()
    assert "a note about [bold]x[/]" in text
    assert "reading [bold]logs" in text
    assert "\x1b[" in text


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_that_cannot_draw_a_bar_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert shown_on_a_terminal().splitlines() == [
        "gonogo: reading [bold]logs", "gonogo: reading [bold]logs: 50 %",
        "gonogo: a note about [bold]x[/]", "gonogo: counting",
    ]  # fmt: skip
