"""The command line: what it asks the pipeline for, what it prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import gonogo
from gonogo.cli import exit_code, main
from gonogo.conventions import Verdict
from gonogo.errors import ConfigError, Diagnostic, InputError, ResultError, UsageError
from gonogo.exports.json_out import dumps
from gonogo.exports.junit import junit_xml
from gonogo.exports.markdown import summary_md
from gonogo.progress import Progress, Silent
from gonogo.publish import Presentation
from gonogo.results import Decision, ReadinessResult
from hostile_result import hostile_result
from synthetic import synthetic_result

COMMANDS = (
    "build",
    "check",
    "incident",
    "gates",
    "init",
    "inspect",
    "render",
    "explain",
    "schema",
    "rollup",
    "merge",
    "report",
    "ci",
    "config-diff",
    "completion",
)


@dataclass(frozen=True)
class Request:
    logs: tuple[str, ...]
    config_path: Path | None
    period: str | None = None
    where: tuple[str, ...] = ()
    evals: tuple[Path, ...] = ()
    profile: str = "public"
    as_of: str | None = None
    log_format: str | None = None
    sampling_rate: str | None = None
    state: Path | None = None
    invoice: Path | None = None


@dataclass
class Pipeline:
    """Stands in for gonogo.pipeline, and for gonogo.inspection: remembers what it was asked."""

    result: ReadinessResult = field(default_factory=synthetic_result)
    error: BaseException | None = None
    during: Callable[[Progress], None] = lambda progress: None
    lines: tuple[str, ...] = ("calls.jsonl: native log line",)
    requests: list[Any] = field(default_factory=list)
    outputs: list[Path] = field(default_factory=list)
    periods: list[tuple[int | None, int]] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)

    def analyse(self, request: Any, progress: Progress, **_: object) -> ReadinessResult:
        self.requests.append(request)
        self.progress.append(progress)
        self.during(progress)
        if self.error:
            raise self.error
        return self.result

    def build(
        self,
        request: Any,
        output: Path,
        progress: Progress,
        how: Presentation | None = None,
        *,
        keep: int | None = None,
        catch_up: int = 0,
    ) -> ReadinessResult:
        self.outputs.append(output)
        self.periods.append((keep, catch_up))
        return self.analyse(request, progress)

    def render(self, path: Path, output: Path, how: Presentation | None = None) -> ReadinessResult:
        self.requests.append(path)
        self.outputs.append(output)
        if self.error:
            raise self.error
        return self.result

    def inspect(self, request: Any) -> Any:
        self.requests.append(request)
        return types.SimpleNamespace(lines=lambda: iter(self.lines))


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pipeline:
    fake = Pipeline()
    module = types.ModuleType("gonogo.pipeline")
    for name in ("analyse", "build", "render"):
        setattr(module, name, getattr(fake, name))
    module.Request = Request  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gonogo.pipeline", module)
    monkeypatch.setattr(gonogo, "pipeline", module, raising=False)
    monkeypatch.setattr(gonogo, "inspection", fake, raising=False)
    for name in [n for n in os.environ if n.startswith("GONOGO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return fake


def run(*args: str, **env: str) -> Result:
    return CliRunner().invoke(main, args, prog_name="gonogo", env=env or None)


def judged(verdict: Verdict, slo: Verdict | None = None) -> ReadinessResult:
    def decision(v: Verdict) -> Decision:
        return Decision(verdict=v, headline=f"said {v.value}", reasons=())

    return synthetic_result(readiness=decision(verdict), slo=decision(slo or verdict))


# --- asking


def test_options_become_the_request(pipeline: Pipeline, tmp_path: Path) -> None:
    run(
        "check", "a.jsonl", "b/", "-c", "own.toml", "--period", "2026-W47", "--where",
        "environment=production", "--where", "model=gpt-4o*", "--profile", "internal",
        "--as-of", "2026-11-23", "--state", "memory", "--invoice", "bill.csv",
    )  # fmt: skip
    assert pipeline.requests == [
        Request(
            logs=("a.jsonl", "b/"), config_path=Path("own.toml"), period="2026-W47",
            where=("environment=production", "model=gpt-4o*"), profile="internal",
            as_of="2026-11-23", state=Path("memory"), invoice=Path("bill.csv"),
        )
    ]  # fmt: skip


def test_nothing_but_logs_gives_the_defaults(pipeline: Pipeline) -> None:
    run("build", "-")
    assert pipeline.requests == [Request(logs=("-",), config_path=None)]
    assert pipeline.outputs == [Path("site")]


def test_a_configuration_that_is_here_is_used(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text("")
    run("check", "logs")
    run("check", "logs", "--config", "other.toml")
    assert [r.config_path for r in pipeline.requests] == [
        Path("readiness.toml"), Path("other.toml"),
    ]  # fmt: skip


def test_environment_variables_set_shared_and_own_options(pipeline: Pipeline) -> None:
    pipeline.result = judged(Verdict.CONDITIONS)
    done = run(
        "build", "logs", GONOGO_PROFILE="internal", GONOGO_PERIOD="last-week", GONOGO_STRICT="1",
        GONOGO_BUILD_OUTPUT="public", GONOGO_WHERE="environment=production",
    )  # fmt: skip
    assert done.exit_code == 1
    assert pipeline.outputs == [Path("public")]
    assert pipeline.requests[0] == Request(
        logs=("logs",), config_path=None, period="last-week", profile="internal",
        where=("environment=production",),
    )  # fmt: skip


@pytest.mark.parametrize(
    "args",
    [
        ("check",),
        ("check", "logs", "--where", "environment"),
        ("check", "logs", "--where", "=production"),
        ("check", "logs", "--profile", "secret"),
        ("check", "logs", "--format", "pdf"),
        ("check", "logs", "--surprise"),
        ("surprise",),
        ("build", "logs", "-o"),
    ],
)
def test_a_wrong_command_line_exits_with_2(pipeline: Pipeline, args: tuple[str, ...]) -> None:
    done = run(*args)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Error" in done.stderr
    assert pipeline.requests == []


# --- exit codes


@pytest.mark.parametrize(
    ("verdict", "flags", "code"),
    [
        (Verdict.GO, (), 0),
        (Verdict.GO, ("--strict",), 0),
        (Verdict.CONDITIONS, (), 0),
        (Verdict.CONDITIONS, ("--strict",), 1),
        (Verdict.NO_GO, (), 1),
        (Verdict.NO_GO, ("--allow-inconclusive",), 1),
        (Verdict.INCONCLUSIVE, (), 3),
        (Verdict.INCONCLUSIVE, ("--strict",), 3),
        (Verdict.INCONCLUSIVE, ("--allow-inconclusive",), 0),
        (Verdict.INCONCLUSIVE, ("--allow-inconclusive", "--strict"), 0),
    ],
)
@pytest.mark.parametrize("command", ["build", "check"])
def test_the_verdict_becomes_the_exit_code(
    pipeline: Pipeline, command: str, verdict: Verdict, flags: tuple[str, ...], code: int
) -> None:
    pipeline.result = judged(verdict)
    done = run(command, "logs", *flags)
    assert done.exit_code == code
    assert verdict.value in done.stdout


def test_every_verdict_has_an_exit_code() -> None:
    codes = {v: exit_code(v, strict=False, allow_inconclusive=False) for v in Verdict}
    assert codes == {
        Verdict.GO: 0, Verdict.CONDITIONS: 0, Verdict.NO_GO: 1, Verdict.INCONCLUSIVE: 3,
    }  # fmt: skip


def test_slo_only_judges_the_objectives_without_the_gates(pipeline: Pipeline) -> None:
    pipeline.result = judged(Verdict.INCONCLUSIVE, slo=Verdict.GO)
    assert run("check", "logs").exit_code == 3
    done = run("check", "logs", "--slo-only")
    assert done.exit_code == 0
    assert done.stdout.startswith("GO  said GO\n")


def test_rendering_a_saved_result_does_not_judge_it_again(pipeline: Pipeline) -> None:
    done = run("render", "readiness.json", "-o", "again")
    assert done.exit_code == 0
    assert "NO-GO" in done.stdout
    assert "again/index.html" in done.stdout.replace("\\", "/")
    assert pipeline.requests == [Path("readiness.json")]
    assert pipeline.outputs == [Path("again")]


# --- output


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("json", dumps),
        ("junit", junit_xml),
        ("markdown", lambda r: summary_md(r, r.readiness)),
    ],
)
def test_data_goes_to_stdout_and_nothing_else_does(
    pipeline: Pipeline, form: str, expected: Callable[[ReadinessResult], str]
) -> None:
    pipeline.during = lambda progress: (
        progress.phase("reading", 100), progress.advance(60), progress.note("a note"),
    )  # type: ignore[func-returns-value,assignment]  # fmt: skip
    done = run("check", "logs", "--format", form)
    assert done.stdout_bytes.decode() == expected(pipeline.result)
    assert done.stderr.splitlines() == [
        "gonogo: reading", "gonogo: reading: 50 %", "gonogo: a note",
    ]  # fmt: skip


def test_json_on_stdout_holds_no_command_for_a_ci_runner(pipeline: Pipeline) -> None:
    pipeline.result = hostile_result("##[error]x ##vso[task.setvariable]")
    done = run("check", "logs", "--format", "json")
    assert "##" not in done.stdout
    assert json.loads(done.stdout) == json.loads(dumps(pipeline.result))


def test_exit_zero_lets_every_verdict_and_missing_logs_pass_but_no_other_error(
    pipeline: Pipeline,
) -> None:
    pipeline.result = judged(Verdict.NO_GO)
    assert run("build", "-", "--exit-zero", "--keep", "5", "--catch-up", "2").exit_code == 0
    assert pipeline.periods == [(5, 2)]
    assert run("build", "-").exit_code == 1
    pipeline.error = InputError((Diagnostic("I001", "x", "nothing"),))
    done = run("build", "-", "--exit-zero")
    assert (done.exit_code, "[I001]" in done.stderr) == (0, True)
    assert run("build", "-").exit_code == 4
    pipeline.error = UsageError((Diagnostic("U002", "x", "nothing"),))
    assert run("build", "-", "--exit-zero").exit_code == 2


def test_build_says_where_the_site_is(pipeline: Pipeline) -> None:
    done = run("build", "logs", "-o", "public")
    assert f"open {Path('public') / 'index.html'}" in done.stdout
    assert done.stdout.startswith("NO-GO  p95 latency")
    assert "\x1b" not in done.stdout


def test_quiet_is_one_line_and_no_progress(pipeline: Pipeline) -> None:
    pipeline.during = lambda progress: progress.phase("reading", 100)
    done = run("build", "logs", "--quiet")
    assert done.stdout.splitlines() == [
        "NO-GO: p95 latency 2.84 s, limit ≤ 2.8 s: 514 bad of 9,795 (5.25 %)"
    ]
    assert done.stderr == ""
    assert isinstance(pipeline.progress[0], Silent)


def test_inspect_prints_the_lines_of_the_report_with_their_spacing(pipeline: Pipeline) -> None:
    pipeline.lines = (
        "field      found",
        "\x1b[31mmodel\x1b[0m      61 %",
        "::error::x  a@b.example",
    )
    done = run("inspect", "logs")
    assert done.stdout.splitlines() == [
        "field      found", "model      61 %", "∷error∷x  [email]",
    ]  # fmt: skip


def test_init_writes_a_file_once(pipeline: Pipeline, tmp_path: Path) -> None:
    done = run("init", "logs")
    written = (tmp_path / "readiness.toml").read_text(encoding="utf-8")
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "wrote readiness.toml" in done.stderr
    assert '"latency.p95"' in written
    again = run("init", "logs")
    assert again.exit_code == 2
    assert "readiness.toml: the file is there already" in again.stderr
    assert len(pipeline.requests) == 1
    assert run("init", "logs", "--force").exit_code == 0
    assert run("init", "logs", "-o", "-").stdout == written


def test_init_without_calls_writes_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    empty = synthetic_result().ingest.model_copy(update={"calls": 0})
    pipeline.result = synthetic_result(ingest=empty)
    done = run("init", "logs")
    assert done.exit_code == 4
    assert "no calls to propose thresholds from" in done.stderr
    assert not (tmp_path / "readiness.toml").exists()


def test_init_says_where_it_cannot_write(pipeline: Pipeline) -> None:
    done = run("init", "logs", "-o", "nowhere/readiness.toml")
    assert done.exit_code == 2
    assert "nowhere" in done.stderr
    assert "[U012]" in done.stderr


def test_explain_tells_one_code_or_lists_all() -> None:
    assert run("explain", "c005").stdout.startswith("C005: unknown key\n")
    listed = run("explain").stdout.splitlines()
    assert "C005  unknown key" in listed
    assert listed == sorted(listed)
    wrong = run("explain", "X999")
    assert wrong.exit_code == 2
    assert "[U001]" in wrong.stderr


@pytest.mark.parametrize("what", ["result", "config"])
def test_schema_prints_a_schema(what: str) -> None:
    done = run("schema", what)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")
    if what == "result":
        assert run("schema").stdout == done.stdout


# --- errors


@pytest.mark.parametrize(
    ("kind", "code"), [(ConfigError, 2), (UsageError, 2), (ResultError, 2), (InputError, 4)]
)
def test_a_known_error_is_told_in_full_on_stderr(
    pipeline: Pipeline, kind: type[ConfigError], code: int
) -> None:
    pipeline.error = kind(
        (
            Diagnostic("C005", "readiness.toml:13:1", "unknown key", "did you mean 'slo'?"),
            Diagnostic("C009", "readiness.toml:14:1", "empty"),
        )
    )
    done = run("check", "logs", "--format", "json")
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "readiness.toml:13:1: unknown key; did you mean 'slo'? [C005]",
        "readiness.toml:14:1: empty [C009]",
        "gonogo: gonogo explain C005 says more",
        "gonogo: gonogo explain C009 says more",
    ]


def test_log_text_in_an_error_is_harmless_and_paths_stay(pipeline: Pipeline) -> None:
    pipeline.error = InputError(
        (Diagnostic("I007", "/home/bob/x.jsonl:3", "\x1b[2J\n::error::x a@b.example ##[x"),)
    )
    done = run("check", "logs")
    assert done.stderr.splitlines()[0] == ("/home/bob/x.jsonl:3:  ∷error∷x [email] ＃＃[x [I007]")


def test_an_unexpected_error_is_ours_and_says_little(pipeline: Pipeline) -> None:
    pipeline.error = RuntimeError("bad row: a@b.example\n::error::x")
    done = run("check", "logs")
    assert done.exit_code == 70
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "gonogo: internal error: RuntimeError: bad row: [email] ∷error∷x",
        "gonogo: run again with --debug to see where; please report it with that text",
    ]


@pytest.mark.parametrize("args", [("--debug", "check", "logs"), ("check", "logs", "--debug")])
def test_debug_shows_where_without_showing_secrets(
    pipeline: Pipeline, args: tuple[str, ...]
) -> None:
    pipeline.error = RuntimeError("bad row: a@b.example")
    done = run(*args)
    assert done.exit_code == 70
    assert "Traceback" in done.stderr
    assert "in analyse" in done.stderr
    assert "a@b.example" not in done.stderr
    assert run("check", "logs", GONOGO_DEBUG="1").stderr.count("Traceback") == 1


def test_an_interrupt_is_neither_a_verdict_nor_a_crash(pipeline: Pipeline) -> None:
    pipeline.error = KeyboardInterrupt()
    done = run("build", "logs")
    assert done.exit_code == 130
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
