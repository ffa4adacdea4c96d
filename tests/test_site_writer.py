"""The writer: whole sites only, and only over what gonogo wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonogo.errors import UsageError
from gonogo.site import write, writer

OLD = {"index.html": b"old", "gone.html": b"old", "assets/app.css": b"old"}
NEW = {"index.html": b"new", "data/t.csv": b"new"}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_a_site_is_written_into_a_new_folder_with_its_parents(tmp_path: Path) -> None:
    write(NEW, tmp_path / "deep" / "site")
    listing = {".gonogo-site": b"data/t.csv\nindex.html\n"}
    assert tree(tmp_path / "deep" / "site") == NEW | listing
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["site"]


def test_a_new_site_replaces_the_old_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(OLD, out)
    write(NEW, out)
    assert set(tree(out)) == {"index.html", "data/t.csv", ".gonogo-site"}
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    write(NEW, out)
    assert (out / "index.html").read_bytes() == b"new"


def test_what_others_put_beside_the_pages_survives(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(OLD, out)
    (out / "CNAME").write_text("ready.example")
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref: refs/heads/gh-pages")
    write(NEW, out)
    found = tree(out)
    assert found["CNAME"] == b"ready.example"
    assert found[".git/HEAD"] == b"ref: refs/heads/gh-pages"
    assert "gone.html" not in found
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_is_not_a_site_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(UsageError, match=r"not a gonogo site.*\.gonogo-site.*left alone") as caught:
        write(NEW, tmp_path)
    assert "empty or new folder" in caught.value.diagnostics[0].hint
    assert tree(tmp_path) == {"thesis.doc": b"years of work"}


def test_an_empty_marker_lets_gonogo_add_a_site(tmp_path: Path) -> None:
    out = tmp_path / "pages"
    out.mkdir()
    (out / "CNAME").write_text("ready.example")
    (out / ".gonogo-site").touch()
    write(NEW, out)
    assert set(tree(out)) == {"CNAME", "index.html", "data/t.csv", ".gonogo-site"}


def test_a_file_in_the_place_of_the_site_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(UsageError, match="is a file"):
        write(NEW, tmp_path / "site")


@pytest.mark.parametrize("point", ["write_bytes", "rename-1", "rename-2", "rename-3"])
def test_an_interrupted_build_leaves_the_old_site_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    out = tmp_path / "site"
    write(OLD, out)
    (out / "CNAME").write_text("ready.example")
    before = tree(out)
    name, _, number = point.partition("-")
    real = getattr(Path, name)
    calls = 0

    def interrupted(self: Path, *args: object) -> object:
        nonlocal calls
        calls += 1
        if calls == int(number or 2):
            raise KeyboardInterrupt
        return real(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Path, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(NEW, out)
    assert tree(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["site"]


def test_a_folder_that_cannot_be_replaced_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "site"
    write(OLD, out)

    def busy(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", busy)
        with pytest.raises(UsageError, match=r"cannot be replaced.*busy"):
            write(NEW, out)
    assert (out / "index.html").read_bytes() == b"old"


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to("real")
    write(NEW, tmp_path / "site")
    assert (tmp_path / "site").is_symlink()
    assert (tmp_path / "real" / "index.html").read_bytes() == b"new"


def test_the_limits_of_the_host_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_FILE_BYTES", 4)
    with pytest.raises(UsageError, match=r"big\.json.*100 MB"):
        write({"index.html": b"1234", "big.json": b"12345"}, tmp_path / "site")
    monkeypatch.setattr(writer, "MAX_SITE_BYTES", 7)
    with pytest.raises(UsageError, match="1 GB"):
        write({"a": b"1234", "b": b"1234"}, tmp_path / "site")
    assert not (tmp_path / "site").exists()
    write({"a": b"1234", "b": b"123"}, tmp_path / "site")


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a\\b", ""])
def test_a_path_outside_the_site_is_a_mistake_of_the_caller(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a path inside the site"):
        write({name: b""}, tmp_path / "site")
