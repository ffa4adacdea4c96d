"""The action and the workflows: what they run is run here, week after week, as a runner would."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from gonogo.cli import main
from published import ID_KEY, ROOT, tree
from runner import (
    ACTION,
    EVERY,
    OWN,
    WORKFLOWS,
    Runner,
    clean_env,
    git,
    jobs,
    parsed,
    programs,
    steps_of,
)
from sitecheck import Page
from weeks import CONFIG, write_week

PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")


# --- what is in the files -------------------------------------------------------------------------


@pytest.mark.parametrize("path", EVERY, ids=lambda p: p.name)
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    lines = [line.strip(" -") for line in path.read_text().splitlines()]
    used = [line for line in lines if line.startswith("uses: ") and "./" not in line]
    assert all(PINNED.search(line) for line in used), used


@pytest.mark.parametrize("path", EVERY, ids=lambda p: p.name)
def test_no_text_from_outside_becomes_part_of_a_script(path: Path) -> None:
    for step in steps_of(path):
        assert "${{" not in step.get("run", ""), step.get("name")


@pytest.mark.parametrize("path", [*WORKFLOWS, *OWN], ids=lambda p: p.name)
def test_permissions_are_the_least_and_jobs_end(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in workflow["on"]
    for job in jobs(path).values():
        assert "timeout-minutes" in job
        for scope, level in job.get("permissions", {}).items():
            assert level == "read" or scope in (
                "pages", "id-token", "issues", "pull-requests", "contents",
            )  # fmt: skip
    writes = {
        scope
        for job in jobs(path).values()
        for scope, level in job.get("permissions", {}).items()
        if level == "write"
    }
    allowed = {
        "github-weekly.yml": {"pages", "id-token"},
        "github-comment.yml": {"pull-requests"},
        "github-incident.yml": {"issues"},
        "release.yml": {"id-token"},
    }
    assert writes == allowed.get(path.name, set())


def test_the_job_that_may_comment_runs_nothing_of_the_pull_request() -> None:
    path = ROOT / "docs" / "ci" / "github-comment.yml"
    assert not [s for s in steps_of(path) if "checkout" in s.get("uses", "")]
    gate = ROOT / "docs" / "ci" / "github-pull-request.yml"
    assert parsed(gate)["on"] == {"pull_request": None, "push": {"branches": ["main"]}}
    assert "secrets." not in gate.read_text()
    (judge,) = jobs(gate).values()
    assert judge["permissions"] == {"actions": "read", "contents": "read"}
    judged = next(s for s in judge["steps"] if s.get("id") == "gonogo")
    assert judged["with"]["config"] == "base/readiness.toml"


def test_the_variables_that_the_files_set_are_options_of_gonogo() -> None:
    known = {"GONOGO_ID_KEY", "GONOGO_STATE_REPOSITORY", "GONOGO_STATE_KEY", "GONOGO_STATE_TOKEN",
             "GONOGO_STATE_PROJECT", "GONOGO_ISSUE_TOKEN", "GONOGO_READ_TOKEN"}  # fmt: skip
    for name, command in main.commands.items():
        for option in command.params:
            if isinstance(option, click.Option):
                own = f"GONOGO_{name}_{option.name}".upper().replace("-", "_")
                known.add(option.envvar if isinstance(option.envvar, str) else own)
    for path in (*EVERY, ROOT / "docs" / "ci" / "gitlab.yml"):
        used = set(re.findall(r"\bGONOGO_[A-Z_]+\b", path.read_text()))
        assert used <= known, used - known


def test_the_commands_of_the_other_systems_can_be_parsed() -> None:
    for name in ("gitlab.yml", "crontab"):
        text = (ROOT / "docs" / "ci" / name).read_text()
        known = "|".join(main.commands)
        found = re.findall(rf"gonogo ((?:{known}) [^>\n]*)", text)
        assert found
        for line in found:
            command, *arguments = shlex.split(line)
            main.commands[command].make_context(command, arguments)


GITLAB = ROOT / "docs" / "ci" / "gitlab.yml"
LINTERS = {
    "zizmor": (("--offline", "--no-progress"), EVERY),
    "actionlint": ((), [*WORKFLOWS, *OWN]),
    "check-jsonschema workflows": (
        ("--builtin-schema", "vendor.github-workflows"), [*WORKFLOWS, *OWN]
    ),
    "check-jsonschema action": (("--builtin-schema", "vendor.github-actions"), [ACTION]),
    "check-jsonschema gitlab": (("--builtin-schema", "vendor.gitlab-ci"), [GITLAB]),
}  # fmt: skip


def program(tool: str) -> str:
    beside = str(Path(sys.executable).parent)
    found = shutil.which(tool) or shutil.which(tool, path=beside)
    if not found:
        pytest.skip(f"{tool} is not installed")
    return found


@pytest.mark.parametrize("linter", LINTERS)
def test_the_linters_of_workflows_find_nothing(linter: str) -> None:
    options, files = LINTERS[linter]
    tool = program(linter.split(maxsplit=1)[0])
    done = subprocess.run([tool, *options, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def scripts() -> dict[str, str]:
    """Every script that a runner is given, as one text each."""
    found = {
        f"{path.name} {number}": step["run"]
        for path in EVERY
        for number, step in enumerate(steps_of(path))
        if "run" in step
    }
    for name, job in yaml.safe_load(GITLAB.read_text()).items():
        for key in ("before_script", "script", "after_script"):
            if isinstance(job, dict) and key in job:
                found[f"gitlab {name} {key}"] = "\n".join(job[key])
    return found | {".ci/run": (ROOT / ".ci" / "run").read_text()}


@pytest.mark.parametrize("name", scripts())
def test_the_linters_of_scripts_find_nothing(name: str) -> None:
    tool = program("shellcheck")
    done = subprocess.run([tool, "--shell=bash", "-"], input=scripts()[name], check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_action_hands_lines_on_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    fake = programs(tmp_path) / "gonogo"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "[$GONOGO_WHERE]"\n')
    runner = Runner(tmp_path / "work", {}, clean_env(tmp_path / "bin"))
    (step,) = [s for s in steps_of(ACTION) if s.get("id") == "build"]
    inputs = {"logs": "my logs/*.jsonl\n  \n\n$(id)", "arguments": "--evals\nmy results.json\n",
              "where": "release=first try"}  # fmt: skip
    assert runner.run(step, inputs) == 0
    handed = [
        "build",
        "--exit-zero",
        "--evals",
        "my results.json",
        "--",
        "my logs/*.jsonl",
        "$(id)",
    ]
    assert runner.said.splitlines() == [*handed, "[release=first try", "]"]
    assert runner.run(step, {"logs": "logs"}) == 0
    assert runner.said.splitlines()[:4] == ["build", "--exit-zero", "--", "logs"]


# --- four weeks ---------------------------------------------------------------------------------


@dataclass
class Service:
    """What outlives a run: the repository, the state's own repository, the logs, the page."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("repository", "logs"):
            (self.folder / name).mkdir()
        programs(self.folder)
        (self.folder / "repository" / "readiness.toml").write_text(CONFIG)
        git("init", "--bare", "--quiet", "state.git", cwd=self.folder)
        git("clone", "--quiet", "state.git", "first", cwd=self.folder)
        (self.folder / "first" / "README").write_text("state of gonogo\n")
        git("add", ".", cwd=self.folder / "first")
        git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first",
            cwd=self.folder / "first")  # fmt: skip
        git("push", "-q", "origin", "HEAD:main", cwd=self.folder / "first")

    @property
    def page(self) -> Path:
        return self.folder / "pages"

    def weekly(self, now: str) -> tuple[int, Runner]:
        """One run of github-weekly.yml at a time; returns how it ended, and the runner."""
        workflow = ROOT / "docs" / "ci" / "github-weekly.yml"
        machine = self.folder / f"runner-{now[:10]}-{len(list(self.folder.iterdir()))}"
        checkout = machine / "work"
        shutil.copytree(self.folder / "repository", checkout)
        git("clone", "--quiet", self.folder / "state.git", "state", cwd=checkout)
        shutil.copytree(self.folder / "logs", checkout / "logs")
        env = clean_env(
            self.folder / "bin", GONOGO_AS_OF=now, GITHUB_RUN_ID=now, GITHUB_WORKSPACE=str(checkout)
        )
        runner = Runner(checkout, {"secrets.GONOGO_ID_KEY": ID_KEY}, env)
        build, publish, verdict = jobs(workflow).values()
        for step in build["steps"]:
            if step.get("id") == "gonogo":
                runner.use_own_action(step)
            elif step.get("name") == "Keep the state":
                assert runner.run(step) == 0, runner.said
        assert any("deploy-pages" in step["uses"] for step in publish["steps"])
        shutil.rmtree(self.page, ignore_errors=True)
        shutil.copytree(checkout / "public", self.page)
        for name, text in build["outputs"].items():
            runner.scope[f"needs.build.outputs.{name}"] = runner.value(text)
        return runner.run(verdict["steps"][0]), runner


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Four weeks and a rerun, in order: exit code, runner and published bytes of each."""
    service = Service(tmp_path_factory.mktemp("ci"))
    logs, seen = service.folder / "logs", {}

    def run(name: str, now: str) -> None:
        code, runner = service.weekly(now)
        seen[name] = (code, runner, tree(service.page))

    write_week(logs, "2026-W01", 400)
    run("first", "2026-01-06T05:17:00Z")
    write_week(logs, "2026-W02", 400)
    run("second", "2026-01-13T05:17:00Z")
    write_week(logs, "2026-W03", 400, bad_every=4)
    run("third", "2026-01-20T05:17:00Z")
    run("fourth", "2026-01-27T05:17:00Z")
    write_week(logs, "2026-W03", 50, bad_every=2, seed=2)
    run("late", "2026-01-27T09:00:00Z")
    return seen


def week_of(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if path.startswith(f"{name}/")}


def names(files: dict[str, bytes]) -> list[str]:
    return [period["name"] for period in json.loads(files["history.json"])["periods"]]


def words(files: dict[str, bytes], page: str = "index.html") -> str:
    return Page(files[page].decode()).words()


def test_the_first_week_is_published_and_passes(weeks: dict[str, Any]) -> None:
    code, runner, files = weeks["first"]
    assert code == 0, runner.said
    assert names(files) == ["2026-W01"]
    assert "This is the first period" in words(files)
    assert "this is the first period" in words(files, "2026-W01/index.html")
    assert json.loads(files["badge.json"])["message"] == "GO"
    assert runner.summary.startswith("## ✓ GO")
    assert "NO_DATA" not in runner.summary


def test_the_second_week_stands_beside_the_first(weeks: dict[str, Any]) -> None:
    code, _, files = weeks["second"]
    assert code == 0
    assert names(files) == ["2026-W01", "2026-W02"]
    assert week_of(files, "2026-W01") == week_of(weeks["first"][2], "2026-W01")


def test_the_comparison_with_the_week_before_appears_in_the_second(weeks: dict[str, Any]) -> None:
    for name, step in (("2026-W02", "second"), ("2026-W03", "third")):
        files = weeks[step][2]
        (comparison,) = json.loads(files[f"{name}/readiness.json"])["comparisons"]
        assert not comparison["refused"], comparison["refused"]
        changes = {c["objective"]: c for c in comparison["changes"]}
        assert changes
        assert "first period" not in words(files, f"{name}/index.html")
    worse = [c for c in changes.values() if c["word"] == "worse"]
    assert any("error" in json.dumps(c) for c in worse)


def test_the_third_week_is_published_before_it_is_red(weeks: dict[str, Any]) -> None:
    code, runner, files = weeks["third"]
    assert code == 1
    assert names(files) == ["2026-W01", "2026-W02", "2026-W03"]
    assert json.loads(files["badge.json"])["message"] == "NO-GO"
    assert b"error_rate" in files["2026-W03/breaches.md"]
    assert json.loads(files["2026-W03/breaches.json"])
    assert runner.scope["steps.gonogo.outputs.breaches"] == "1"
    assert runner.scope["steps.gonogo.outputs.result"] == "public/2026-W03/readiness.json"
    assert runner.summary.startswith("## ✗ NO-GO")


def test_the_threshold_that_was_breached_is_annotated_at_its_line(weeks: dict[str, Any]) -> None:
    runner = weeks["third"][1]
    step = next(s for s in parsed(ACTION)["runs"]["steps"] if s.get("id") == "report")
    assert runner.run(step, {"output": "public"}) == 0
    line = CONFIG.splitlines().index('"error_rate" = "<= 5%"') + 1
    assert f"file=readiness.toml,line={line},col=1::" in runner.said


def test_the_fourth_week_has_no_logs_and_says_so(weeks: dict[str, Any]) -> None:
    code, _, files = weeks["fourth"]
    assert code == 3
    assert names(files)[-1] == "2026-W04"
    assert json.loads(files["badge.json"])["message"] == "INCONCLUSIVE"
    assert b"#656d76" in files["badge.svg"]
    assert "outside the period" in words(files, "2026-W04/index.html")
    for name in ("2026-W01", "2026-W02", "2026-W03"):
        assert week_of(files, name) == week_of(weeks["third"][2], name)


def test_late_records_of_the_third_week_rebuild_it_with_a_revision_line(
    weeks: dict[str, Any],
) -> None:
    code, _, files = weeks["late"]
    assert code == 3
    before = weeks["fourth"][2]
    assert names(files) == names(before)
    assert "2026-W03, edition 2: still NO-GO, late records: 50 more calls" in words(files)
    saved = json.loads(files["2026-W03/readiness.json"])
    assert saved["ingest"]["calls"] == 450
    assert [r["calls"] for r in saved["revisions"]] == [400, 450]
    for name in ("2026-W01", "2026-W02"):
        assert week_of(files, name) == week_of(before, name)
    assert json.loads(files["badge.json"])["message"] == "INCONCLUSIVE"


def test_nothing_of_the_state_is_published(weeks: dict[str, Any]) -> None:
    for _, runner, files in weeks.values():
        assert not [name for name in files if "rollup" in name or "quarantine" in name]
        assert not (runner.folder / "state" / "id.key").exists()
        assert not [name for name, data in files.items() if ID_KEY.encode() in data]
