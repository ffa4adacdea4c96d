"""Files, folders and places that this user may not read or write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gonogo.cli import main
from gonogo.errors import InputError
from hostile import line
from reading import read, write


def test_nothing_is_judged_without_a_file_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.jsonl", line("a", 0))
    write(tmp_path / "b.jsonl", line("b", 0))
    real = Path.open

    def refuse(self: Path, *args: Any, **options: Any) -> Any:
        if self.name == "a.jsonl":
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **options)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.where) == ("I003", str(tmp_path / "a.jsonl"))
    result = CliRunner().invoke(main, ["check", str(tmp_path), "-q"])
    assert result.exit_code == 4
    assert "no permission to read it" in result.output


def test_a_folder_that_may_not_be_read_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a.jsonl", line("a", 0))
    (tmp_path / "more").mkdir()
    real = os.scandir

    def refuse(path: Any) -> Any:
        if os.fspath(path).endswith("more"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    for asked in (tmp_path, tmp_path / "more"):
        with pytest.raises(InputError) as caught:
            read(asked)
        (problem,) = caught.value.diagnostics
        assert (problem.code, problem.where) == ("I003", str(tmp_path / "more"))


@pytest.mark.parametrize(
    "words", [["build", "-o", "{place}/site", "-q"], ["init", "-o", "{place}/x.toml"]]
)
def test_a_place_that_may_not_be_written_is_named(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write(tmp_path / "a.jsonl", line("a", 0))
    place = tmp_path / "closed"
    place.mkdir()
    for name in ("mkdir", "open", "write_text", "write_bytes"):
        real = getattr(Path, name)

        def refuse(self: Path, *args: object, real: Any = real, **options: Any) -> Any:
            if place in self.parents:
                raise PermissionError(13, "Permission denied", str(self))
            return real(self, *args, **options)

        monkeypatch.setattr(Path, name, refuse)
    asked = [word.format(place=place) for word in words]
    result = CliRunner().invoke(main, [asked[0], str(log), *asked[1:]], prog_name="gonogo")
    assert result.exit_code == 2, result.output
    assert "U012" in result.output
    assert "internal error" not in result.output
