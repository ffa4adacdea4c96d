"""The committed study is what its script writes, as far as that takes no simulation."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import study

TEXT = (study.HERE / "STUDY.md").read_text(encoding="utf-8")


def test_the_replayed_alerts_of_the_study_are_those_of_the_program() -> None:
    assert study.detection() in TEXT


def test_the_study_has_every_table_of_its_script() -> None:
    tables = [made(2) for _, _, made in study.PARTS]
    for made in tables:
        head, rows = made.splitlines()[0], made.count("\n") - 2
        assert head in TEXT
        table = TEXT[TEXT.index(head) :].split("\n\n")[0]
        assert table.count("\n") - 1 == rows


def test_the_study_keeps_its_goals() -> None:
    """Read off the committed tables: a false GO under 5 %, an excursion in under 5 % of weeks, and
    at least 95 % for percentiles and for onsets and ends."""
    wrong = [float(x) for x in re.findall(r"^\| 1\.5 × \|.*?\|.*?\| ([0-9.]+) % \|", TEXT, re.M)]
    assert len(wrong) == 10
    assert max(wrong) < 5
    quiet = [float(x) for x in re.findall(r"of the limit \| [0-9,]+ \| ([0-9.]+) %", TEXT)]
    assert len(quiet) == 9
    assert max(quiet) < 5
    logs = re.search(rf"## {study.WEEKS}.*?\| 10,500 \| 200 \| ([0-9.]+) % \|", TEXT, re.S)
    assert logs
    assert float(logs[1]) < 5
    held = re.findall(r"^\| .* for .* h \| .* \| ([0-9.]+) % \|$", TEXT, re.M)
    assert len(held) == 8
    assert min(map(float, held)) >= 95
    exact = re.findall(r"^\| p9[59] \| [0-9,]+ \| ([0-9.]+) % \|", TEXT, re.M)
    assert len(exact) == 6
    assert min(map(float, exact)) >= 95
