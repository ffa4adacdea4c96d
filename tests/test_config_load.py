"""readiness.toml to Config: every section, and every problem at once with its place."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from zoneinfo import available_timezones

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config_files import only, problems, read
from gonogo.config.keys import RESERVED
from gonogo.config.load import default_config, load
from gonogo.config.model import Config, Exclusion, LogoFile, Site
from gonogo.conventions import Severity, Source
from gonogo.errors import ConfigError
from gonogo.explain import CODES
from gonogo.indicators import DEFAULT_OBJECTIVES

FULL = """\
timezone = "Europe/Berlin"
minimum_coverage = 0.8
top = 7

[slo]
"latency.p95" = "<= 2.5s"
error_rate = "<= 1%"

[slo."ttft.p95{model=gpt-4o*}"]
limit = "<= 800ms"
severity = "warning"
minimum = 100
owner = "chat team"
runbook = "https://wiki.example/ttft"
agreed_by = "ops board, 2026-11-02"

[fields]
latency_ms = "metrics.duration"
retrieval.hit = "rag.found"
"retrieval.chunk_ids" = "rag.ids"

[[exclude]]
from = 2026-11-18T14:00:00
to = "2026-11-18T16:00:00Z"
reason = "load test"
owner = "platform"

[not_applicable]
tool_calls = "calls no tools"
retrieval.hit = "logged by another service"

[site]
title = "Support copilot"
subtitle = "Candidate"
logo = "logo.svg"
accent = "#0a7ea4"
footer = "Ask us"
trace_url = "https://tracing.example/t/{trace_id}?tab=spans"
publish = ["tenants", "chunks", "tenants"]
"""


@pytest.mark.usefixtures("folder")
def test_a_full_file() -> None:
    config = read(FULL)
    latency, errors, ttft = config.objectives
    assert (latency.id, latency.limit, latency.source) == ("latency.p95", 2_500_000, Source.WRITTEN)
    assert (latency.minimum, latency.severity) == (59, Severity.BLOCKING)
    assert latency.defined_at == "readiness.toml:6:1"
    assert (errors.id, errors.limit, errors.minimum) == ("error_rate", Fraction(1, 100), 299)
    assert ttft.selector == (("model", "gpt-4o*"),)
    assert (ttft.severity, ttft.minimum, ttft.owner) == (Severity.WARNING, 100, "chat team")
    assert ttft.runbook == "https://wiki.example/ttft"
    assert ttft.agreed_by == "ops board, 2026-11-02"
    assert ttft.defined_at == "readiness.toml:9:1"
    assert replace(config, objectives=(), sha256=None, content="") == Config(
        path="readiness.toml",
        timezone="Europe/Berlin",
        objectives_source=Source.WRITTEN,
        minimum_coverage=Fraction(4, 5),
        fields={
            "latency_ms": "metrics.duration",
            "retrieval.hit": "rag.found",
            "retrieval.chunk_ids": "rag.ids",
        },
        exclusions=(Exclusion(1795006800, 1795017600, "load test", "platform"),),
        not_applicable={
            "tool_calls": "calls no tools",
            "retrieval.hit": "logged by another service",
        },
        top=7,
        site=Site(
            title="Support copilot",
            subtitle="Candidate",
            logo=LogoFile("logo.svg", "readiness.toml:35:8"),
            accent="#0a7ea4",
            footer="Ask us",
            trace_url="https://tracing.example/t/{trace_id}?tab=spans",
            publish=("tenants", "chunks"),
        ),
    )
    assert config.sha256 == hashlib.sha256(FULL.encode()).hexdigest()


def test_default_config_is_the_catalogue_and_says_so() -> None:
    config = default_config()
    assert [(o.id, o.expression.removeprefix(o.id).strip()) for o in config.objectives] == list(
        DEFAULT_OBJECTIVES
    )
    assert {o.source for o in config.objectives} == {Source.DEFAULT}
    assert config.objectives_source is Source.DEFAULT
    assert (config.path, config.sha256, config.timezone) == (None, None, "UTC")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("text", ["", "[slo]\n", 'timezone = "UTC"\n', "\ufeff# BOM\r\n"])
def test_a_file_without_objectives_keeps_the_defaults(text: str) -> None:
    config = read(text)
    assert config.objectives == default_config().objectives
    assert config.objectives_source is Source.DEFAULT
    assert config.path == "readiness.toml"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "source"),
    [
        ('error_rate = { limit = "<= 1%", proposed = true }', Source.PROPOSED),
        ('error_rate = { limit = "<= 1%", proposed = true, agreed_by = " " }', Source.PROPOSED),
        ('error_rate = { limit = "<= 1%", agreed_by = "" }', Source.PROPOSED),
        ('error_rate = { limit = "<= 1%", proposed = true, agreed_by = "Ada" }', Source.WRITTEN),
        ('error_rate = { limit = "<= 1%", proposed = false }', Source.WRITTEN),
        ('error_rate = { limit = "<= 1%" }', Source.WRITTEN),
    ],
)
def test_proposed_until_agreed(line: str, source: Source) -> None:
    config = read(f"[slo]\n{line}\n")
    assert config.objectives[0].source is config.objectives_source is source
    both = read(f'[slo]\n{line}\n"latency.p95" = "<= 1s"\n')
    assert both.objectives_source is source


@pytest.mark.usefixtures("folder")
def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    text = """\
timezone = "Berlin"
colour = "red"

[slo]
"latency.p95{modle=x}" = "<= 2.5"
error_rate = 99.5

[slo."ttft.p95"]
limt = "<= 1s"
severity = "blocker"

[[exclude]]
from = 2026-11-18T10:00:00Z
to = 2026-11-18T09:00:00Z
reason = ""

[site]
publish = ["tenant"]
"""
    assert [f"{d.code} {d}" for d in problems(text)] == [
        "C027 readiness.toml:1:12: timezone: 'Berlin' is not a known time zone; "
        "did you mean 'Europe/Berlin'?",
        "C005 readiness.toml:2:1: colour: unknown key; known are timezone, minimum_coverage, top, "
        "slo, prices, cost, burn_rate, fields, logs, compare, exclude, not_applicable, site, "
        "gates, evals, judge, traffic, load_test, data_flow, oversight, guardrail, action, "
        "observability, alert, use_case, owners, signoff, failure_mode, constraint, tool, "
        "retrieval, red_team",
        "C014 readiness.toml:5:1: slo.\"latency.p95{modle=x}\": 'modle' is not a selector key of "
        "latency; did you mean 'model'?",
        "C018 readiness.toml:5:26: slo.\"latency.p95{modle=x}\": '2.5' has no unit of time; "
        "did you mean '<= 2.5s' or '<= 2.5ms'?",
        "C007 readiness.toml:6:14: slo.error_rate: a number stands where a threshold is expected; "
        'write it as a text: "<= 1%"',
        "C005 readiness.toml:9:1: slo.\"ttft.p95\".limt: unknown key; did you mean 'limit'?",
        "C025 readiness.toml:10:12: slo.\"ttft.p95\".severity: 'blocker' is not known; "
        "did you mean 'blocking'?",
        "C008 readiness.toml:12:1: exclude[0]: 'owner' must be written; add owner = …",
        "C031 readiness.toml:14:6: exclude[0].to: the range ends before it starts; "
        "swap from and to",
        "C009 readiness.toml:15:10: exclude[0].reason: the text is empty; fill it in, or leave the "
        "line out",
        "C035 readiness.toml:18:12: site.publish[0]: 'tenant' is nothing that can be published; "
        "did you mean 'tenants'?",
    ]


@pytest.mark.usefixtures("folder")
def test_two_keys_written_twice_are_both_said() -> None:
    found = problems("[site]\ntitle = 'a'\ntitle = 'b'\n[slo]\n[site]\n")
    assert [(d.code, d.where) for d in found] == [
        ("C004", "readiness.toml:3:1"),
        ("C004", "readiness.toml:5:1"),
    ]
    assert "site.title is written twice" in found[0].what


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", RESERVED)
def test_sections_of_later_versions_are_refused(name: str) -> None:
    assert only(f"[{name}]\nx = 1\n").code == "C006"
    assert only(f"[[{name}]]\nx = 1\n").code == "C006"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * 1_000_001)
    for path, says in (
        (tmp_path / "none.toml", "no such file"),
        (tmp_path, "a folder"),
        (big, "larger than"),
    ):
        with pytest.raises(ConfigError) as caught:
            load(path)
        (diagnostic,) = caught.value.diagnostics
        assert (diagnostic.code, diagnostic.where) == ("C001", str(path))
        assert says in diagnostic.what
        assert caught.value.exit_code == 2


def test_messages_name_the_file_as_given_and_the_config_only_its_name(tmp_path: Path) -> None:
    path = tmp_path / "prod.toml"
    path.write_text('[slo]\nerror_rate = "<= 1%"\n')
    config = load(path)
    assert config.path == "prod.toml"
    assert config.objectives[0].defined_at == "prod.toml:2:1"
    assert str(tmp_path) not in repr(config)
    path.write_text("x = 1\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.diagnostics[0].where == f"{path}:1:1"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-11-18", "2026-11-19", (1794956400, 1795042800)),
        ("2026-11-18T00:00:00", "'2026-11-18 01:00'", (1794956400, 1794960000)),
        ("2026-11-18T00:00:00Z", "2026-11-18T02:00:00+01:00", (1794960000, 1794963600)),
        ("'2026-11-18T00:00:00.5Z'", "2026-11-18T00:00:01.5Z", (1794960000, 1794960002)),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", (1792888200, 1792891800)),
        ("2026-10-25", "2026-10-26", (1792879200, 1792879200 + 25 * 3600)),
    ],
)
def test_exclusions_are_read_in_the_declared_zone(
    start: str, end: str, seconds: tuple[int, int]
) -> None:
    exclude = '[[exclude]]\nreason = "r"\nowner = "o"\n'
    config = read(f'timezone = "Europe/Berlin"\n{exclude}from = {start}\nto = {end}\n')
    assert config.exclusions == (Exclusion(*seconds, "r", "o"),)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("written", "coverage"),
    [
        ("0.1", Fraction(1, 10)),
        ("0", Fraction(0)),
        ("1", Fraction(1)),
        ('"33.3%"', Fraction(333, 1000)),
        ("1e-999999999", Fraction(0)),
    ],
)
def test_minimum_coverage_is_exact(written: str, coverage: Fraction) -> None:
    assert read(f"minimum_coverage = {written}\n").minimum_coverage == coverage


@pytest.mark.usefixtures("folder")
def test_texts_over_several_lines_become_one() -> None:
    assert read('[site]\ntitle = """\n Two\n  lines """\n').site.title == "Two lines"


@pytest.mark.usefixtures("folder")
def test_every_time_zone_of_the_computer_is_accepted() -> None:
    for name in sorted(available_timezones() - {"localtime", "Factory"})[::40]:
        assert read(f'timezone = "{name}"\n').timezone == name


@pytest.mark.usefixtures("folder")
def test_without_a_time_zone_database_utc_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gonogo.config.load.available_timezones", set)
    assert read('timezone = "UTC"\n').timezone == "UTC"
    assert "install tzdata" in only('timezone = "Europe/Berlin"\n').hint


WORDS = st.sampled_from(
    ["slo", "site", "exclude", "fields", "error_rate", "limit", "from", "to", "reason", "x", "top"]
)
ATOMS = st.sampled_from(["1", "0.5", "nan", "true", '"<= 1%"', '""', "[]", "{}", "2026-11-18"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(
        st.tuples(WORDS, ATOMS).map(" = ".join)
        | WORDS.map("[{}]".format)
        | WORDS.map("[[{}]]".format)
        | st.tuples(WORDS, WORDS, ATOMS).map(lambda t: f"{t[0]}.{t[1]} = {t[2]}")
        | st.text(max_size=5),
        max_size=6,
    )
)
def test_any_file_gives_a_config_or_a_config_error(folder: Path, lines: list[str]) -> None:
    path = folder / "any.toml"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        config = load(path)
    except ConfigError as error:
        assert error.diagnostics  # noqa: PT017 - what is tested is that nothing else is raised
        for diagnostic in error.diagnostics:
            assert diagnostic.code in CODES
    else:
        assert config.objectives


def test_time_zones_are_known_where_the_system_has_none(tmp_path: Path) -> None:
    (tmp_path / "readiness.toml").write_text('timezone = "Asia/Kolkata"\n')
    code = "from pathlib import Path; from gonogo.config.load import load\n"
    code += "from zoneinfo import ZoneInfo, TZPATH; assert not TZPATH\n"
    code += "print(ZoneInfo(load(Path('readiness.toml')).timezone), ZoneInfo('UTC'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=os.environ | {"PYTHONTZPATH": ""},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["Asia/Kolkata", "UTC"]
