"""gonogo makes no network call: whoever posts, fetches or publishes is another program."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from published import start
from weeks import CONFIG, write_week

# Python's own sockets are watched; a process of its own has nothing to connect to either.
WATCHED = """
import os, sys

def watch(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        os.write(2, f"NETWORK: {event}\\n".encode())
        os._exit(99)

sys.addaudithook(watch)
"""
RUN = WATCHED + "from gonogo.__main__ import main\nmain()"
COMMANDS = (
    ("build", "logs", "-o", "site", "--state", "state", "--exit-zero"),
    ("check", "logs", "--format", "junit", "--allow-inconclusive"),
    ("init", "logs", "-o", "-"),
    ("inspect", "logs"),
    ("incident", "logs", "--format", "slack", "-o", "incident"),
    ("report", "site", "--format", "slack"),
    ("ci", "site"),
    ("render", "site/readiness.json", "-o", "again"),
    ("--version",),
)


def test_no_command_asks_the_network(tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text(CONFIG)
    write_week(tmp_path / "logs", "2026-W03", 400)
    for command in COMMANDS:
        done = start(*command, cwd=tmp_path, code=RUN)
        assert "NETWORK" not in done.stderr, (command, done.stderr)
        assert done.returncode == 0, (command, done.stderr)
    assert json.loads((tmp_path / "site" / "readiness.json").read_text())["ingest"]["calls"] == 400


def test_the_watch_would_notice(tmp_path: Path) -> None:
    code = WATCHED + "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:9/')"
    assert start(cwd=tmp_path, code=code).returncode == 99


def test_a_site_is_built_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    alone = [unshare or "", "--map-root-user", "--net"]
    if not unshare or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no network of its own can be had here (unshare --net)")
    write_week(tmp_path / "logs", "2026-W03", 400)
    code = f"import os\nos.execv({unshare!r}, {alone!r} + [os.sys.executable, '-m', 'gonogo', " \
           "'build', 'logs', '-o', 'site', '--state', 'state'])"  # fmt: skip
    done = start(cwd=tmp_path, code=code)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()
