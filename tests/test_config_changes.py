"""A changed readiness.toml: what lowers the bar is found, whatever part of the file it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gonogo.config.changes import changes
from gonogo.config.load import load
from published import gonogo

BASE = """\
timezone = "Europe/Berlin"
[slo]
"latency.p95" = "<= 2.5s"
"error_rate" = "<= 1%"
"retrieval_hit_rate" = ">= 90%"
"""


def diff(tmp_path: Path, head: str, base: str = BASE) -> list[tuple[str, bool]]:
    for name, text in (("base.toml", base), ("head.toml", head)):
        (tmp_path / name).write_text(text)
    found = changes(load(tmp_path / "base.toml"), load(tmp_path / "head.toml"))
    return [(change.text, change.looser) for change in found]


@pytest.mark.parametrize(
    ("old", "new", "said", "looser"),
    [
        ("<= 2.5s", "<= 3s", "latency.p95: <= 2.5 s became <= 3 s", True),
        ("<= 2.5s", "<= 2s", "latency.p95: <= 2.5 s became <= 2 s", False),
        ("<= 2.5s", "< 2.5s", "latency.p95: <= 2.5 s became < 2.5 s", False),
        (">= 90%", ">= 80%", "retrieval_hit_rate: >= 90 % became >= 80 %", True),
        (">= 90%", ">= 95%", "retrieval_hit_rate: >= 90 % became >= 95 %", False),
        ('"error_rate" = "<= 1%"\n', "", "error_rate: no longer an objective (was <= 1 %)", True),
        ("[slo]\n", '[slo]\n"tool_error_rate" = "<= 2%"\n',
         "tool_error_rate: a new objective, <= 2 %", False),
        ('"<= 1%"', '{ limit = "<= 1%", severity = "warning" }',
         "error_rate: severity blocking became warning", True),
        ('"<= 1%"', '{ limit = "<= 1%", minimum = 5 }', "error_rate: minimum changed", True),
        ("Europe/Berlin", "UTC", "timezone: changed", True),
        ("[slo]", '[not_applicable]\nretrievals = "none"\n[slo]', "not applicable: changed", True),
        ("[slo]", '[[exclude]]\nfrom = 2026-11-01\nto = 2026-11-02\nreason = "x"\nowner = "y"\n'
         "[slo]", "what is left out: changed", True),
        ("[slo]", '[site]\ntitle = "x"\n[slo]', "site: changed", False),
        ("[slo]", '[gates]\nrequired = ["golden_set"]\n[slo]', "gates: changed", True),
    ],
)  # fmt: skip
def test_each_change_is_told_and_weighed(
    tmp_path: Path, old: str, new: str, said: str, looser: bool
) -> None:
    assert old in BASE
    assert diff(tmp_path, BASE.replace(old, new)) == [(said, looser)]


def test_a_line_more_or_another_order_is_no_change(tmp_path: Path) -> None:
    price = '[[prices.model]]\nmodel = "x"\ninput = "$1"\noutput = "$2"\n'
    assert diff(tmp_path, f"# hello\n\n{BASE}\n{price}", f"{BASE}{price}") == []


def test_what_lowers_the_bar_stands_first(tmp_path: Path) -> None:
    head = BASE.replace("2.5s", "2s").replace("1%", "5%")
    assert [looser for _, looser in diff(tmp_path, head)] == [True, False]


def test_the_command_annotates_and_fails_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diff(tmp_path, BASE.replace("2.5s", "3s"))
    files = (tmp_path / "base.toml", tmp_path / "head.toml")
    plain = gonogo("config-diff", *files)
    assert plain.exit_code == 0
    assert plain.stdout.startswith("! latency.p95: <= 2.5 s became <= 3 s (")
    assert gonogo("config-diff", *files, "--strict").exit_code == 1
    assert gonogo("config-diff", *reversed(files), "--strict").exit_code == 0
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    marked = gonogo("config-diff", *files, "--format", "github")
    assert marked.stdout == (
        "::warning title=readiness.toml,file=head.toml,line=3,col=1"
        "::latency.p95: <= 2.5 s became <= 3 s\n"
    )
    none = gonogo("config-diff", files[0], files[0])
    assert (none.stdout, none.exit_code) == ("", 0)


def test_a_file_that_is_not_there_is_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text(BASE)
    gone = gonogo("config-diff", tmp_path / "readiness.toml", tmp_path / "none.toml")
    assert "retrieval_hit_rate" in gone.stdout or "latency.p95" in gone.stdout
    (tmp_path / "bad.toml").write_text('[slo]\n"x" = 3\n')
    bad = gonogo("config-diff", tmp_path / "readiness.toml", tmp_path / "bad.toml")
    assert bad.exit_code == 2


def test_what_the_judgement_rests_on_is_compared_file_by_file(tmp_path: Path) -> None:
    for side, files in (
        ("base", {"templates/a.html": "a", "templates/old.html": "o", "fields.toml": "f"}),
        ("head", {"templates/a.html": "A", "templates/deep/new.html": "n", "fields.toml": "f"}),
    ):
        for name, text in files.items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / side / "readiness.toml").write_text(BASE)
    # A link is not followed: this one would never end.
    (tmp_path / "head" / "templates" / "z.html").symlink_to("/dev/zero")
    base, head = (tmp_path / side / "readiness.toml" for side in ("base", "head"))
    also = ("--also", "templates", "--also", "fields.toml", "--also", "nowhere")
    done = gonogo("config-diff", base, head, *also, "--strict")
    assert done.exit_code == 1
    said = [line.partition(" (")[0] for line in done.stdout.splitlines()]
    assert said == [
        "! templates/a.html: changed",
        "! templates/deep/new.html: new",
        "! templates/old.html: gone",
        "! templates/z.html: new",
    ]
    assert gonogo("config-diff", base, head, "--also", "fields.toml", "--strict").exit_code == 0
