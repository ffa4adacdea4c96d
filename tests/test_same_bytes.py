"""The same logs give the same bytes: anywhere, in any environment, from a wheel, from a result."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from published import ID_KEY, ROOT, SAMPLE, Outcome, gonogo, start, tree


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The sample week, built in a process of its own."""
    folder = tmp_path_factory.mktemp("first")
    ran = start(
        "build", SAMPLE, "-o", "site", cwd=folder, TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C.UTF-8"
    )
    site = folder / "site"
    return site, Outcome(ran.returncode, ran.stdout, ran.stderr, tree(site))


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(n for n in one.keys() | other.keys() if one.get(n) != other.get(n))


def test_zone_hash_seed_folder_locale_and_threads_do_not_matter(
    first: tuple[Path, Outcome], tmp_path: Path
) -> None:
    _, outcome = first
    assert outcome.exit_code in (0, 1), outcome.said
    assert len(outcome.files) > 60
    elsewhere = tmp_path / "a folder, é"
    elsewhere.mkdir()
    again = start(
        "build", SAMPLE, "-o", elsewhere / "other", "--state", tmp_path / "state", cwd=elsewhere,
        TZ="Pacific/Chatham", PYTHONHASHSEED="77", LC_ALL="C", LANG="tr_TR.UTF-8", COLUMNS="61",
        POLARS_MAX_THREADS="1", PYTHONOPTIMIZE="1",
    )  # fmt: skip
    assert again.returncode == outcome.exit_code, again.stderr
    assert differing(tree(elsewhere / "other"), outcome.files) == []


def test_what_the_clock_says_is_not_in_the_site(first: tuple[Path, Outcome]) -> None:
    result = json.loads(first[1].files["readiness.json"])
    assert result["as_of"] == result["period"]["last"]
    year = str(json.loads(first[1].files["readiness.json"])["period"]["label"])[-4:]
    assert year == "2026"
    assert not [n for n, data in first[1].files.items() if str(ROOT).encode() in data]


def test_the_pages_of_the_sample_are_light(first: tuple[Path, Outcome]) -> None:
    weights = {n: len(gzip.compress(data, 9, mtime=0)) for n, data in first[1].files.items()}
    assert {n: w for n, w in weights.items() if n.endswith(".html") and w > 40 * 1024} == {}
    assert weights["assets/app.css"] <= 16 * 1024
    assert sum(w for n, w in weights.items() if n.endswith(".js")) <= 16 * 1024


def test_a_saved_result_renders_to_the_same_bytes(
    first: tuple[Path, Outcome], tmp_path: Path
) -> None:
    site, outcome = first
    ran = gonogo("render", site / "readiness.json", "-o", tmp_path / "again")
    assert ran.exit_code == 0, ran.said
    assert differing(tree(tmp_path / "again"), outcome.files) == []


def test_an_installed_wheel_builds_the_same_bytes(
    first: tuple[Path, Outcome], tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "src", "site_templates"):
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source / name)
    code = "import hatchling.build as b; print(b.build_wheel('dist'))"
    (source / "dist").mkdir()
    built = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    wheel = source / "dist" / built.stdout.strip().splitlines()[-1]
    environment = tmp_path / "env"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60
    )
    python = environment / "bin" / "python"
    packages = next((environment / "lib").glob("python*")) / "site-packages"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps"]
    installed = subprocess.run(
        [*pip, "--no-index", "--quiet", str(wheel)], capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stderr
    # The dependencies are those of this environment: nothing is fetched. A .pth of its own comes
    # after the wheel, and the files in it that would lead back to the checkout are not run.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.rmtree(source)
    script = environment / "bin" / "gonogo"
    where = subprocess.run(
        [python, "-c", "import gonogo; print(gonogo.__file__)"], cwd=tmp_path, text=True,
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert where.startswith(str(environment)), where
    ran = subprocess.run(
        [script, "build", str(SAMPLE), "-o", "site"], cwd=tmp_path, capture_output=True, text=True,
        check=False, env={"GONOGO_ID_KEY": ID_KEY, "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert ran.returncode == first[1].exit_code, ran.stderr
    assert differing(tree(tmp_path / "site"), first[1].files) == []
    assert ran.stdout == first[1].stdout
