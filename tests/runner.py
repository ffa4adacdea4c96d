"""A runner of workflows that knows as much of GitHub Actions as the files of docs/ci use.

Steps with `run`, inputs, environment, outputs, and `uses` of our own action. Steps of other actions
are done by hand, and so is what `gh` would ask GitHub.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from published import ROOT

WORKFLOWS = sorted((ROOT / "docs" / "ci").glob("github-*.yml"))
OWN = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
EVERY = [ACTION, *WORKFLOWS, *OWN]


def parsed(path: Path) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for a truth value.
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in data.items()}


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return parsed(path).get("jobs", {})


def steps_of(path: Path) -> list[dict[str, Any]]:
    if path == ACTION:
        return list(parsed(path)["runs"]["steps"])
    return [step for job in jobs(path).values() for step in job.get("steps", [])]


def job(name: str) -> dict[str, Any]:
    """The only job of docs/ci/github-NAME.yml."""
    (found,) = jobs(ROOT / "docs" / "ci" / f"github-{name}.yml").values()
    return found


@dataclass
class Runner:
    """A machine of its own: a checkout, the files of a step, and what steps handed on."""

    folder: Path
    scope: dict[str, str]
    env: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    told: list[str] = field(default_factory=list)

    def value(self, text: str) -> str:
        """`text` with its expressions: a name, or the first of two that is not empty."""

        def one(match: re.Match[str]) -> str:
            for name in match[1].split("||"):
                bare = name.strip()
                found = bare.strip("'") if bare.startswith("'") else self.scope.get(bare, "")
                if found:
                    return found
            return ""

        return re.sub(r"\$\{\{ *(.*?) *\}\}", one, text)

    def run(self, step: dict[str, Any], inputs: dict[str, str] | None = None) -> int:
        """A step with `run`; its outputs are known afterwards as steps.ID.outputs.NAME."""
        scope = self.scope
        self.scope = {**scope, **{f"inputs.{k}": v for k, v in (inputs or {}).items()}}
        env = {name: self.value(str(text)) for name, text in step.get("env", {}).items()}
        self.scope = scope
        files = {}
        for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            files[name] = self.folder.parent / name.lower()
            files[name].write_text("")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder, env={**self.env, **env, **{n: str(p) for n, p in files.items()}},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self.said = done.stdout + done.stderr
        for line in files["GITHUB_OUTPUT"].read_text().splitlines():
            name, _, value = line.partition("=")
            self.scope[f"steps.{step.get('id')}.outputs.{name}"] = value
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        return done.returncode

    def use_own_action(self, step: dict[str, Any]) -> None:
        """Our action with the inputs of a step: Build and Report; Python is there already."""
        action = parsed(ACTION)
        given = {k: self.value(str(v)) for k, v in step["with"].items()}
        assert given.keys() <= action["inputs"].keys()
        inputs = {k: str(v.get("default", "")) for k, v in action["inputs"].items()} | given
        for inner in action["runs"]["steps"]:
            if inner.get("id") in ("build", "report"):
                assert self.run(inner, inputs) == 0, self.said
        for name, output in action["outputs"].items():
            self.scope[f"steps.{step['id']}.outputs.{name}"] = self.value(output["value"])


def git(*args: str | Path, cwd: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "-c", "init.defaultBranch=main", *args], cwd=cwd, check=True,
                   capture_output=True)  # fmt: skip


GH = '''\
#!{python}
"""As much of gh as the workflows use; GH_STATE is the folder of what GitHub knows."""
import json, os, shutil, sys
from pathlib import Path

state = Path(os.environ["GH_STATE"])
words = sys.argv[1:]


def option(name):
    return words[words.index(name) + 1] if name in words else ""


def known(name):
    path = state / f"{{name}}.json"
    return json.loads(path.read_text()) if path.is_file() else []


def save(name, value):
    (state / f"{{name}}.json").write_text(json.dumps(value))


def body():
    (told,) = [word for word in words if word.startswith("body=@")]
    return Path(told.removeprefix("body=@")).read_text()


with (state / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
assert os.environ["GH_TOKEN"] == "job-token"
if words[:2] == ["run", "list"]:
    asked = {{k: option("--" + k) for k in ("workflow", "event", "branch", "status")}}
    for run in known("runs"):
        if all(run[name] == value for name, value in asked.items()):
            print(run["id"])
elif words[:2] == ["run", "download"]:
    (run,) = [run for run in known("runs") if str(run["id"]) == words[2]]
    if not run["artifact"]:
        sys.exit("no artifact matches")
    shutil.copytree(run["artifact"], option("--dir"))
elif words[:2] == ["issue", "create"]:
    text = Path(option("--body-file")).read_text()
    save("issues", [*known("issues"), {{"title": option("--title"), "body": text}}])
elif words[0] == "api" and "PATCH" in words:
    (place,) = [word for word in words if "/issues/comments/" in word]
    comments = known("comments")
    (old,) = [c for c in comments if str(c["id"]) == place.rpartition("/")[2]]
    old["body"] = body()
    save("comments", comments)
elif words[0] == "api" and any(word.endswith("/pulls") for word in words):
    head = next(word for word in words if word.startswith("head=")).removeprefix("head=")
    for pull in known("pulls"):
        if pull["head"] == head and pull["sha"] in option("--jq"):
            print(pull["number"])
elif words[0] == "api" and "--paginate" in words:
    assert "github-actions[bot]" in option("--jq")
    for comment in known("comments"):
        if comment["user"] == "github-actions[bot]" and comment["body"].startswith("{marker}"):
            print(comment["id"])
elif words[0] == "api":
    comments = known("comments")
    number = next(word for word in words if word.endswith("/comments")).split("/")[-2]
    comment = {{"id": len(comments) + 1, "number": number, "user": "github-actions[bot]"}}
    save("comments", [*comments, comment | {{"body": body()}}])
else:
    sys.exit(f"unknown: {{words}}")
'''


def programs(folder: Path) -> Path:
    """A folder with gonogo, a Python that has it installed already, and the gh above."""
    from gonogo.exports.github import MARKER

    place = folder / "bin"
    place.mkdir(parents=True)
    ours = f'exec "{sys.executable}"'
    scripts = {
        "gonogo": f'#!/bin/sh\n{ours} -m gonogo "$@"\n',
        "python": f'#!/bin/sh\ntest "$2" = pip && exit 0\n{ours} "$@"\n',
        "gh": GH.format(python=sys.executable, marker=MARKER),
    }
    for name, text in scripts.items():
        (place / name).write_text(text)
        (place / name).chmod(0o755)
    return place


def clean_env(place: Path, **more: str) -> dict[str, str]:
    """The environment of a step: nothing of ours or GitHub's, and our programs first."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GONOGO_", "GITHUB_"))}
    return env | {"PATH": f"{place}:{env['PATH']}"} | more
