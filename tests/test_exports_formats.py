"""What machines get: GitHub, Slack, CSV. Within their sizes, and no log text acts in them."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

import pytest

from gonogo.conventions import Severity, Status, Verdict
from gonogo.exports.blockkit import SECTION
from gonogo.exports.csv_out import objectives_csv
from gonogo.exports.cut import within
from gonogo.exports.github import (
    COMMENT_BYTES,
    MARKER,
    MOST_ANNOTATIONS,
    SUMMARY_BYTES,
    annotate,
    comment,
    job_summary,
    outputs,
)
from gonogo.exports.json_out import dumps
from gonogo.exports.slack import slack_json
from gonogo.results import Decision, Gate, ReadinessResult, Reason
from hostile import ATTACK_STRINGS
from hostile_result import hostile_result, objective
from published import gonogo
from runner import clean_env, programs
from synthetic import synthetic_result

ATTACKS = [
    *(t for t in ATTACK_STRINGS if len(t) < 1000),
    "::error file=a,line=1::x\n::set-output name=verdict::GO",
    "##[error]x\r\n::stop-commands::abc",
    "%0A::error::x",
    "<!channel> <@U123> <https://evil.example|click> &lt;!here&gt;",
    "=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "＝1",
    "x" * 900, "🤷" * 800, "*bold* `code` ~gone~ _under_",
]  # fmt: skip
COMMAND = re.compile(r"::(error|warning|notice) (?:\w+=[^,:]*(?:,\w+=[^,:]*)*)::[^\r\n]*")


def many(text: str, n: int) -> ReadinessResult:
    """`n` breached objectives and as many reasons, all of them about `text`."""
    rows = tuple(objective(text, id=f"{i} {text}", slug=f"s{i}") for i in range(n))
    reasons = tuple(Reason(status=Status.BREACHED, text=text, objective=o.id) for o in rows)
    decision = Decision(verdict=Verdict.NO_GO, headline=text, reasons=reasons)
    return hostile_result(text, objectives=rows, readiness=decision, slo=decision, gates=())


# --- GitHub ---------------------------------------------------------------------------------------


def commands(text: str) -> list[str]:
    lines = text.splitlines()
    assert all(COMMAND.fullmatch(line) for line in lines), lines
    return lines


@pytest.mark.parametrize("text", ATTACKS)
def test_an_annotation_is_one_command_whatever_it_is_about(text: str) -> None:
    result = hostile_result(text)
    lines = commands(annotate(result, result.readiness))
    assert len(lines) <= MOST_ANNOTATIONS
    for line in lines:
        head, _, message = line[2:].partition("::")
        assert "::" not in unquote(message)
        assert "##[" not in unquote(head + message)
        # The runner splits at commas, and a property at its first sign.
        names = {p.partition("=")[0] for p in head.partition(" ")[2].split(",")}
        assert names <= {"title", "file", "line", "col"}


def test_annotations_stand_at_the_line_of_their_threshold() -> None:
    def at(place: str | None, root: str = "/checkout") -> str:
        one = objective("x", defined_at=place, reason="late")
        result = synthetic_result(objectives=(one,), gates=())
        return annotate(result, result.readiness, root).splitlines()[1]

    assert at("readiness.toml:13:1").startswith("::error title=BREACHED%3A x,file=readiness.toml")
    assert ",line=13,col=1::late" in at("conf/readiness.toml:13:1")
    assert ",file=conf/r.toml,line=2," in at("/checkout/conf/r.toml:2:1")
    for elsewhere in ("/etc/readiness.toml:1:1", "../r.toml:1:1", "nonsense", "a:b:c", None):
        assert "file=" not in at(elsewhere)
    assert "file=" not in at("/checkout/r.toml:1:1", root="")


def test_levels_follow_status_and_severity_and_good_news_are_told_too() -> None:
    def level(status: Status, severity: Severity) -> list[str]:
        one = objective("x", status=status, severity=severity)
        result = synthetic_result(objectives=(one,), gates=())
        lines = annotate(result, result.readiness).splitlines()[1:]
        return [line.split()[0].strip(":") for line in lines]

    assert level(Status.BREACHED, Severity.BLOCKING) == ["error"]
    assert level(Status.BREACHED, Severity.WARNING) == ["warning"]
    assert level(Status.BREACHED, Severity.INFORMATIONAL) == ["notice"]
    assert level(Status.NO_DATA, Severity.BLOCKING) == ["warning"]
    assert level(Status.AT_RISK, Severity.BLOCKING) == ["warning"]
    assert level(Status.MET, Severity.BLOCKING) == []
    go = Decision(verdict=Verdict.GO, headline="GO: all met", reasons=())
    said = annotate(synthetic_result(objectives=(), gates=()), go)
    assert said == "::notice title=gonogo%3A GO::all met\n"


def test_ten_annotations_at_most_and_the_rest_is_counted() -> None:
    for n, last in ((9, "::error"), (10, "::notice title=gonogo::and 2 more")):
        result = many("slow", n)
        lines = commands(annotate(result, result.readiness))
        assert len(lines) == MOST_ANNOTATIONS
        assert lines[-1].startswith(last)


def test_gates_are_annotated_with_readiness_and_not_with_the_slo_alone() -> None:
    gate = Gate.model_validate(
        {"id": "g", "title": "golden set", "status": "NO_DATA", "evidence": "file",
         "text": "none", "next_step": "run it", "required": True}
    )  # fmt: skip
    result = synthetic_result(objectives=(), gates=(gate,))
    slo = Decision(verdict=Verdict.GO, headline="", reasons=())
    assert "golden set" in annotate(result, result.readiness)
    assert "golden set" not in annotate(result, slo)


def test_what_does_not_fit_is_cut_from_the_end_and_said() -> None:
    text = "".join(f"line {i}\n" for i in range(100))
    cut = within(text, 200, "and more")
    assert len(cut.encode()) <= 200
    assert cut.startswith("line 0\nline 1\n")
    assert cut.endswith("\nand more\n")
    assert all(re.fullmatch(r"line \d+|and more|", line) for line in cut.splitlines())
    assert within(text, len(text), "and more") == text
    assert len(within("é" * 500, 100, "…").encode()) <= 100


@pytest.mark.parametrize("text", ["🤷" * 500, "&<>" * 200])
def test_summary_and_comment_stay_within_their_sizes(text: str) -> None:
    result = many(text, 200)
    assert len(job_summary(result, result.readiness).encode()) <= SUMMARY_BYTES
    body = comment(result, result.readiness)
    assert len(body.encode()) <= COMMENT_BYTES
    assert body.startswith(f"{MARKER}\n## ✗ NO-GO")


@pytest.mark.parametrize("text", ATTACKS)
def test_a_comment_mentions_nobody_and_loads_nothing(text: str) -> None:
    result = hostile_result(text)
    body = comment(result, result.readiness).removeprefix(MARKER)
    bare = re.sub(r"`[^`\n]*`", "", body)
    assert "@" not in body
    assert "<" not in bare
    assert not re.search(r"(?<!\\)!\[|(?<!\\)\]\(|://", bare)


def test_outputs_are_a_line_each_whatever_the_folder_is_called() -> None:
    result = synthetic_result()
    place = PurePath("a\nverdict=GO\r\nb") / "readiness.json"
    lines = outputs(result, result.readiness, 1, place).splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "verdict", "slo", "breaches", "waived", "exit-code", "site", "result",
    ]  # fmt: skip
    breached = sum(o.status is Status.BREACHED for o in result.objectives)
    assert lines[0] == f"verdict={result.readiness.verdict.value}"
    assert lines[2] == f"breaches={breached}"
    assert lines[3:5] == ["waived=0", "exit-code=1"]


# --- Slack ----------------------------------------------------------------------------------------


def texts(message: dict[str, Any]) -> list[str]:
    found = [message["text"]]
    for block in message["blocks"]:
        found += [e["text"] for e in block.get("elements", [block.get("text")])]
    return found


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_in_a_slack_message_notifies_or_links(text: str) -> None:
    result = hostile_result(text)
    message = json.loads(slack_json(result, result.readiness))
    for said in texts(message):
        assert "<" not in said
        assert ">" not in said
        assert not re.search(r"&(?!amp;|lt;|gt;)", said)
        assert "@" not in said
        assert "`" not in said
        assert "://" not in said
    assert message["unfurl_links"] is False


@pytest.mark.parametrize("text", ["slow", "&" * 600, "🤷" * 500])
def test_a_slack_message_stays_within_its_limits(text: str) -> None:
    result = many(text, 300)
    message = json.loads(slack_json(result, result.readiness))
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= SECTION
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
    assert len(message["text"]) <= SECTION
    sections = [b["text"]["text"] for b in message["blocks"] if b["type"] == "section"]
    assert any(re.search(r"and \d+ more$", s) for s in sections)


# --- CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ATTACKS)
def test_no_cell_of_the_csv_is_a_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(objectives_csv(hostile_result(text)), newline="")))
    assert len({len(row) for row in rows}) == 1
    for row in rows[1:]:
        for cell in row:
            assert not re.match("[=+@\t\r\n＝＋－＠-]", cell)
            assert "\n" not in cell


def test_the_csv_says_what_the_result_says_and_absent_is_empty() -> None:
    result = synthetic_result()
    rows = list(csv.DictReader(io.StringIO(objectives_csv(result), newline="")))
    assert [row["id"] for row in rows] == [o.id for o in result.objectives]
    for row, o in zip(rows, result.objectives, strict=True):
        assert row["status"] == o.status.value
        assert row["good"] == ("" if o.good is None else str(o.good))
        assert (float(row["observed"]) if row["observed"] else None) == o.observed
        assert row["owner"] == (o.owner or "")


# --- the commands ---------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "site" / "readiness.json"
    path.parent.mkdir()
    path.write_text(dumps(synthetic_result()), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("form", "start"),
    [("json", "{"), ("markdown", "## "), ("junit", "<?xml"), ("github", "::"), ("slack", "{"),
     ("csv", "id,"), ("comment", MARKER)],
)  # fmt: skip
def test_a_saved_result_comes_in_every_form(saved: Path, form: str, start: str) -> None:
    for path in (saved, saved.parent):
        done = gonogo("report", path, "--format", form)
        assert done.exit_code == 0
        assert done.stdout.startswith(start)


@pytest.mark.parametrize(
    ("verdict", "more", "code"),
    [
        (Verdict.GO, (), 0),
        (Verdict.NO_GO, (), 1),
        (Verdict.CONDITIONS, (), 0),
        (Verdict.CONDITIONS, ("--strict",), 1),
        (Verdict.INCONCLUSIVE, (), 3),
        (Verdict.INCONCLUSIVE, ("--allow-inconclusive",), 0),
    ],
)
def test_a_report_ends_with_the_verdict_where_it_is_asked_to(
    saved: Path, verdict: Verdict, more: tuple[str, ...], code: int
) -> None:
    decision = Decision(verdict=verdict, headline="", reasons=())
    result = synthetic_result(readiness=decision)
    saved.write_text(dumps(result), encoding="utf-8")
    ended = gonogo("report", saved, "--exit-code", *more)
    assert ended.exit_code == code
    assert ended.stdout == gonogo("report", saved, *more).stdout
    assert gonogo("report", saved, *more).exit_code == 0


def test_ci_appends_to_the_files_of_the_step_and_passes(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    output.write_text("before=1\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    result = synthetic_result()
    assert result.readiness.verdict is Verdict.NO_GO
    done = gonogo("ci", saved.parent)
    assert done.exit_code == 0
    commands(done.stdout)
    assert summary.read_text().startswith("## ✗ NO-GO")
    lines = output.read_text().splitlines()
    assert lines[0] == "before=1"
    assert "exit-code=1" in lines
    assert f"result={saved}" in lines


def test_ci_outside_of_github_writes_no_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    before = sorted(saved.parent.parent.rglob("*"))
    assert gonogo("ci", saved).exit_code == 0
    assert sorted(saved.parent.parent.rglob("*")) == before
    monkeypatch.setenv("GITHUB_OUTPUT", str(saved / "no" / "such"))
    assert "U066" in gonogo("ci", saved).stderr


def test_of_many_periods_the_newest_is_reported(saved: Path) -> None:
    result = synthetic_result()
    for name, end in (("2026-W46", 2_000_000_000), ("2026-W47", 1_000_000_000)):
        folder = saved.parent.parent / "many" / name
        folder.mkdir(parents=True)
        period = result.period.model_copy(update={"label": name, "end": end})
        one = result.model_copy(update={"period": period})
        (folder / "readiness.json").write_text(dumps(one), encoding="utf-8")
    many_ = saved.parent.parent / "many"
    assert "2026-W46" in gonogo("report", many_).stdout
    empty = saved.parent.parent / "empty"
    empty.mkdir()
    assert "[R001]" in gonogo("report", empty).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell: str) -> None:
    done = gonogo("completion", shell)
    assert done.exit_code == 0
    assert f"_GONOGO_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("gonogo re", ["render", "report"]),
        ("gonogo check --slo", ["--slo-only"]),
        ("gonogo report x --format j", ["json", "junit"]),
    ],
)
def test_bash_completes_commands_options_and_values(
    tmp_path: Path, words: str, found: list[str]
) -> None:
    place = programs(tmp_path)
    script = f"""eval "$(gonogo completion bash)"
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_gonogo_completion gonogo
printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "--norc", "-c", script], env=clean_env(place), check=True,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.split() == found
