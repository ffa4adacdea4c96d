"""Runs gonogo on logs of the tests' own making and collects every byte that comes out."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from gonogo.cli import main
from hostile import fields

ID_KEY = "0123456789abcdef0123456789abcdef"
ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample_logs"


@dataclass(frozen=True)
class Outcome:
    """One command: how it ended, what it printed, what lies in its folders now."""

    exit_code: int
    stdout: str
    stderr: str
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Both streams on one line."""
        return " ".join(f"{self.stdout} {self.stderr}".split())


def tree(folder: Path) -> dict[str, bytes]:
    """Content of every file below a folder, by its path in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def gonogo(*args: str | Path) -> Outcome:
    """A command in this process, with the id key of the tests."""
    runner = CliRunner(env={"GONOGO_ID_KEY": ID_KEY})
    result = runner.invoke(main, [str(arg) for arg in args], prog_name="gonogo")
    return Outcome(result.exit_code, result.stdout, result.stderr)


def build(logs: Path | str, site: Path, *more: str | Path, state: Path | None = None) -> Outcome:
    """`gonogo build`; the files of the site, and of the state under `state/`."""
    memory = state or site.with_name(f"{site.name}-state")
    ran = gonogo("build", logs, "-o", site, "--state", memory, *more)
    files = tree(site) | {f"state/{name}": data for name, data in tree(memory).items()}
    return Outcome(ran.exit_code, ran.stdout, ran.stderr, files)


def start(
    *args: str | Path, cwd: Path, code: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    """`python -m gonogo`, or some code, in a process of its own with little around it."""
    command = ["-c", code] if code else ["-m", "gonogo"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command, *(str(arg) for arg in args)],
        cwd=cwd,
        env=kept | {"GONOGO_ID_KEY": ID_KEY} | env,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def ordinary(n: int, seed: int = 1) -> list[dict[str, Any]]:
    """Calls of a quiet service, all of them good, with a child of every kind."""
    rng = random.Random(seed)
    return [
        fields(
            f"ordinary-{seed}",
            i,
            tenant_id=f"tenant-{i % 3}",
            session_id=f"session-{i // 4}",
            user_id=f"user-{i % 50}",
            latency_ms=round(rng.lognormvariate(6, 0.3), 2),
            release="2026.47",
            ttft_ms=50.0,
            stream=True,
            output="text",
            cost_usd=0.001,
            retrieval={"hit": True, "chunk_ids": [f"chunk-{i % 7}"], "scores": [0.9]},
            tool_calls=[{"name": "search", "status": "ok", "latency_ms": 30.0, "input": "q"}],
            guardrails=[{"name": "pii", "stage": "input", "triggered": False}],
        )
        for i in range(n)
    ]
