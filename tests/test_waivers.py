"""Waivers: a miss that somebody accepts is a condition for as long as the waiver holds."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from gonogo.cli import main

WAIVER = 'waiver = { owner = "Jo <b>Doe</b>", reason = "new provider", expires = 2026-11-20 }\n'
MISSED = '[slo.error_rate]\nlimit = "<= 1%"\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with 1,000 calls of 16 to 18 November, 5 % of them failed."""
    monkeypatch.chdir(tmp_path)
    lines = [
        json.dumps(
            {
                "timestamp": f"2026-11-{16 + n // 400:02}T{n % 24:02}:{n % 60:02}:00Z",
                "trace_id": f"t{n}",
                "latency_ms": 200,
                "status": "error" if n % 20 == 0 else "ok",
            }
        )
        for n in range(1000)
    ]
    (tmp_path / "logs.jsonl").write_text("\n".join(lines))
    return tmp_path


def check(place: Path, config: str, *options: str) -> tuple[int, str]:
    (place / "readiness.toml").write_text(config)
    run = CliRunner().invoke(main, ["check", "logs.jsonl", "--slo-only", *options])
    return run.exit_code, run.stdout


def test_a_missed_objective_blocks_until_somebody_accepts_it(place: Path) -> None:
    assert check(place, MISSED)[0] == 1
    code, said = check(place, MISSED + WAIVER)
    assert code == 0
    assert "GO WITH CONDITIONS" in said
    assert "waived until 2026-11-20 by Jo <b>Doe</b>: new provider" in " ".join(said.split())
    assert check(place, MISSED + WAIVER, "--strict")[0] == 1


def test_an_expired_waiver_holds_nothing_back(place: Path) -> None:
    assert check(place, MISSED + WAIVER, "--as-of", "2026-11-19")[0] == 0
    code, said = check(place, MISSED + WAIVER, "--as-of", "2026-11-20")
    assert code == 1
    assert "it expired on 2026-11-20" in " ".join(said.split())


def test_a_waiver_does_not_stand_in_for_data(place: Path) -> None:
    absent = '[slo."ttft.p95"]\nlimit = "<= 1s"\n'
    assert check(place, absent + WAIVER)[0] == 3


def test_a_waiver_that_is_not_needed_is_no_condition_but_is_told(place: Path) -> None:
    met = '[slo.error_rate]\nlimit = "<= 10%"\n'
    _, text = check(place, met + WAIVER, "--format", "json")
    result = json.loads(text)
    (objective,) = result["objectives"]
    assert objective["status"] == "MET"
    assert objective["waiver"]["in_force"]
    assert not any("waived" in reason["text"] for reason in result["slo"]["reasons"])


def test_every_output_names_the_waiver(place: Path) -> None:
    _, junit = check(place, MISSED + WAIVER, "--format", "junit")
    root = ET.fromstring(junit)
    assert root.get("failures") == "0"
    assert "WAIVED until 2026-11-20 by Jo" in str(root.findtext(".//system-out"))
    CliRunner().invoke(main, ["build", "logs.jsonl", "-o", "site"])
    page = (place / "site" / "index.html").read_text()
    assert "new provider – Jo &lt;b&gt;Doe&lt;/b&gt;, until 2026-11-20" in page
    assert "<b>Doe" not in page
    summary = (place / "site" / "breaches.md").read_text()
    assert "Waived until 2026-11-20 by Jo" in summary


def test_without_times_no_waiver_holds(place: Path) -> None:
    lines = [json.dumps({"trace_id": f"t{n}", "status": "error"}) for n in range(500)]
    (place / "logs.jsonl").write_text("\n".join(lines))
    code, said = check(place, MISSED + WAIVER)
    assert code == 1
    assert "give the present with --as-of" in " ".join(said.split())
    assert check(place, MISSED + WAIVER, "--as-of", "2026-11-18")[0] == 0


def test_ci_and_tables_tell_what_is_waived_from_what_blocks(place: Path) -> None:
    late = '[slo."latency.p50"]\nlimit = "<= 100ms"\n'
    _, said = check(place, MISSED + WAIVER + late, "--format", "github")
    verdict, blocks, waived = said.splitlines()[:3]
    assert verdict.endswith("::1 of 2 objectives is breached, 1 waived")
    assert blocks.startswith("::error title=BREACHED%3A latency.p50,")
    assert waived.startswith("::warning title=BREACHED%2C waived%3A error_rate,")
    assert "::waived until 2026-11-20 by Jo <b>Doe</b>: new provider; 50 of 1,000" in waived

    _, said = check(place, MISSED + WAIVER, "--format", "github")
    assert "::error" not in said
    assert "::the 1 objective is missed but waived, " in said
    _, table = check(place, MISSED + WAIVER + late, "--format", "markdown")
    assert "| ✗ BREACHED, waived | `error_rate` |" in table
    assert "| ✗ BREACHED | `latency.p50` |" in table


def test_a_warning_that_is_waived_says_so(place: Path) -> None:
    _, said = check(place, f'{MISSED}severity = "warning"\n{WAIVER}', "--format", "github")
    assert "waived until 2026-11-20 by Jo" in said
    _, text = check(place, f'{MISSED}severity = "warning"\n{WAIVER}', "--format", "json")
    (reason,) = (r for r in json.loads(text)["slo"]["reasons"] if r["objective"])
    assert reason["text"].endswith(
        "(a warning, does not block; waived until 2026-11-20 by Jo <b>Doe</b>: new provider)"
    )


def test_the_outputs_of_a_step_and_all_periods_count_what_is_waived(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = '[slo."latency.p50"]\nlimit = "<= 100ms"\n'
    (place / "readiness.toml").write_text(MISSED + WAIVER + late)
    build = CliRunner().invoke(main, ["build", "logs.jsonl", "-o", "site", "--period", "2026-W47"])
    assert build.exit_code == 1, build.output
    monkeypatch.setenv("GITHUB_OUTPUT", str(place / "out"))
    CliRunner().invoke(main, ["ci", "site"])
    assert {"breaches=1", "waived=1"} <= set((place / "out").read_text().splitlines())
    page = (place / "site" / "index.html").read_text()
    assert '<td class="n" data-v="2">2<small>1 waived</small></td>' in page
    assert page.count("<small>waived</small>") == 1
    (period,) = json.loads((place / "site" / "history.json").read_text())["periods"]
    assert {o["id"]: o["waived"] for o in period["objectives"]} == {
        "error_rate": True, "latency.p50": False,
    }  # fmt: skip
    first = (place / "site" / "2026-W47" / "index.html").read_text()
    assert "2 breached (1 waived)" in first
