"""The sample project: NO-GO for what is planted, GO when mended, never GO without a piece."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

import run_engine
from gonogo.cli import main
from gonogo.config.evidence import OTHER_GATE_IDS
from gonogo.config.load import load
from gonogo.conventions import Status, Verdict
from gonogo.results import ReadinessResult
from test_sample_logs import generate

PROJECT = Path(__file__).parents[1] / "sample_project"
LOGS = PROJECT.parent / "sample_logs"
CONFIG = "readiness.toml"


def evidence(*words: str) -> list[str]:
    """Run the generator of the project in a process of its own."""
    import subprocess
    import sys

    script = str(PROJECT / "generate.py")
    done = subprocess.run([sys.executable, script, *words], check=True, capture_output=True)
    return done.args


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quiet week of logs."""
    path = tmp_path_factory.mktemp("week") / "week.jsonl"
    generate.main(["--quiet-week", str(path)])
    return path


@pytest.fixture
def mended(tmp_path: Path) -> Path:
    evidence("--mended", "--out", str(tmp_path / "mended"))
    return tmp_path / "mended"


def judge(folder: Path, logs: Path) -> ReadinessResult:
    return run_engine.check(folder / "state", logs, config=folder / CONFIG)


def resign(path: Path) -> None:
    """Let everybody sign the configuration as it is now."""
    content = load(path).content
    text = re.sub(r'configuration = "\w+"', f'configuration = "{content}"', path.read_text())
    path.write_text(text)
    assert load(path).content == content


def test_the_committed_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    evidence("--out", str(tmp_path))
    files = [path.relative_to(PROJECT) for path in sorted(PROJECT.glob("*/*.jsonl"))]
    assert len(files) == 4
    for path in files:
        assert (tmp_path / path).read_bytes() == (PROJECT / path).read_bytes()


def test_no_go_for_exactly_what_is_planted(tmp_path: Path) -> None:
    result = run_engine.check(tmp_path, LOGS, config=PROJECT / CONFIG)
    assert result.readiness.verdict is Verdict.NO_GO
    breached = [f.text for g in result.gates for f in g.findings if f.status is Status.BREACHED]
    assert len(breached) == 2
    assert all("gpt-4o-2024-08-06" in text and "refund-07" in text for text in breached)
    assert not [o for o in result.objectives if o.status is Status.BREACHED]
    assert not [f for g in result.gates for f in g.findings if f.status is Status.NO_DATA]
    # What is planted in the logs makes conditions of the gates that look at the logs.
    at_risk = {g.id for g in result.gates if g.status is Status.AT_RISK}
    assert at_risk == {"projected_traffic", "oversight"}


def test_mended_it_is_go(mended: Path, week: Path) -> None:
    result = judge(mended, week)
    assert result.readiness.verdict is Verdict.GO, result.readiness.reasons
    assert {g.status for g in result.gates} == {Status.MET}
    assert len(result.gates) == 12


def blocks(text: str) -> list[str]:
    """The sections of the file, each with its header."""
    return re.split(r"(?m)^(?=\[)", text)[1:]


PIECES = [
    n
    for n, block in enumerate(blocks((PROJECT / CONFIG).read_text()))
    if not re.match(r"\[(slo|gates)\]", block)
]


@pytest.mark.parametrize("piece", PIECES)
def test_each_section_taken_away_is_inconclusive(mended: Path, week: Path, piece: int) -> None:
    """All twelve gates are required, one section is removed, and everybody signs what is left."""
    path = mended / CONFIG
    text = path.read_text()
    parts = blocks(text)
    gone = parts.pop(piece)
    head = text[: text.index("[")]
    every = '"observability", ' + ", ".join(f'"{name}"' for name in OTHER_GATE_IDS) + "]"
    path.write_text((head + "".join(parts)).replace('"observability"]', every))
    resign(path)
    result = judge(mended, week)
    name = gone.split("]")[0].strip("[")
    assert result.readiness.verdict is Verdict.INCONCLUSIVE, (name, result.readiness.reasons)


@pytest.mark.parametrize(
    "name", ["golden/v11", "golden/v12", "golden/judge", "red-team/garak.report"]
)
def test_each_file_taken_away_is_inconclusive(mended: Path, week: Path, name: str) -> None:
    (mended / f"{name}.jsonl").unlink()
    assert judge(mended, week).readiness.verdict is Verdict.INCONCLUSIVE


def test_actions_are_counted_as_the_log_holds_them(mended: Path, week: Path) -> None:
    """By plain reading of the lines: name, tier and outcome of each, and the time it took."""
    counted: Counter[tuple[str, str, str]] = Counter()
    waited: Counter[tuple[str, str, str]] = Counter()
    for line in week.read_text().splitlines():
        action = json.loads(line).get("action")
        if action:
            outcome = action["review"].replace("not_required", "none")
            key = (action["name"], str(action["tier"]), outcome)
            counted[key] += 1
            waited[key] += round(action.get("review_latency_ms", 0) * 1000)
    table = judge(mended, week).tables["actions"].data
    keys = list(zip(table["action"], table["logged"], table["review"], strict=True))
    assert dict(zip(keys, table["actions"], strict=True)) == dict(counted)
    assert dict(zip(keys, table["latency_us"], strict=True)) == dict(waited)
    assert len(counted) >= 4


def test_a_load_test_at_the_target_is_read_and_judged(mended: Path, week: Path) -> None:
    """The calls of the week squeezed into ten minutes are 1,050 calls a minute."""
    path = mended / CONFIG
    path.write_text(path.read_text().replace("target = 4", "target = 1000"))
    resign(path)
    assert judge(mended, week).readiness.verdict is Verdict.INCONCLUSIVE
    start = datetime(2026, 11, 16, tzinfo=UTC)
    with (mended / "load.jsonl").open("w") as file:
        for i, line in enumerate(week.read_text().splitlines()):
            at = (start + timedelta(milliseconds=i * 600_000 / 10_500)).isoformat()
            file.write(json.dumps(json.loads(line) | {"timestamp": at}) + "\n")
    path.write_text(path.read_text() + '[load_test]\nlogs = ["load.jsonl"]\ndate = 2026-11-16\n')
    resign(path)
    result = judge(mended, week)
    (gate,) = [g for g in result.gates if g.id == "projected_traffic"]
    assert gate.status is Status.MET
    assert gate.text.startswith("the load test peaks at 1050 calls/min, target 1000 calls/min")
    assert {f.by for f in gate.findings} == {"load test of 16 Nov 2026"}
    assert result.readiness.verdict is Verdict.GO


def test_a_change_after_the_signoffs_shows(mended: Path, week: Path) -> None:
    path = mended / CONFIG
    path.write_text(path.read_text().replace('"<= 4s"', '"<= 5s"').replace("# ---", "# -"))
    result = judge(mended, week)
    assert result.readiness.verdict is Verdict.CONDITIONS
    (gate,) = [g for g in result.gates if g.status is not Status.MET]
    assert (gate.id, gate.status) == ("signoffs", Status.AT_RISK)
    assert "the configuration has changed since" in gate.text


def test_gonogo_gates_prints_every_gate_and_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PROJECT, tmp_path / "p")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["gates", str(LOGS), "-c", f"p/{CONFIG}", "-q"])
    assert done.exit_code == 0, done.output
    for title in ("✗ BREACHED Golden set (required)", "✓ MET Sign-offs", "[file", "next"):
        assert title in done.stdout
    assert f"configuration {load(PROJECT / CONFIG).content}" in done.stdout
    assert "[measured, Priya Raman]" in done.stdout


def test_results_can_be_given_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    golden = str(PROJECT / "golden" / "v12.jsonl")
    done = CliRunner().invoke(main, ["gates", str(LOGS), "--evals", golden, "-q"])
    assert done.exit_code == 0, done.output
    assert "refund-07" in done.stdout
    missing = CliRunner().invoke(main, ["gates", str(LOGS), "--evals", "gone.jsonl"])
    assert missing.exit_code == 2
    assert "U013" in missing.stderr
