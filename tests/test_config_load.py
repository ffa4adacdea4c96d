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

from gonogo.config.keys import RESERVED
from gonogo.config.load import default_config, load
from gonogo.config.model import Config, Exclusion, Site
from gonogo.conventions import Severity, Source
from gonogo.errors import ConfigError, Diagnostic
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
accent = "#0a7ea4"
footer = "Ask us"
trace_url = "https://tracing.example/t/{trace_id}?tab=spans"
publish = ["tenants", "chunks", "tenants"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str | bytes) -> Config:
    path = Path("readiness.toml")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path)


def problems(text: str | bytes) -> list[Diagnostic]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    return list(caught.value.diagnostics)


def only(text: str | bytes) -> Diagnostic:
    (diagnostic,) = problems(text)
    return diagnostic


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
        "slo, prices, cost, burn_rate, fields, compare, exclude, not_applicable, site, "
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


EXCLUDE = '[[exclude]]\nreason = "r"\nowner = "o"\n'
PAIR = '[[burn_rate]]\nalert = "page"\nbudget = "2%"\nlong = "1h"\nshort = "5m"\n'
CASES: list[tuple[str, str | bytes, str, str]] = [
    ("C002", b"a = 1\n# \xc3\xa4 \xff\n", "2:5", "save the file as UTF-8"),
    ("C002", "x = 1\n".encode("utf-16"), "1:1", "save the file as UTF-8"),
    ("C003", '[slo]\nerror_rate{model=x} = "<= 1%"\n', "2:11", "in quotes"),
    ("C003", "[slo]\nerror_rate = <= 1%\n", "2:14", 'error_rate = "<= 1%"'),
    ("C003", 'x = "abc', "1:9", "unterminated string"),
    ("C003", 'a = 1\r\nx = "\\q"\r\n', "2:8", "not TOML"),
    ("C003", "x = " + "[" * 5000, "1:1", "nested too deeply"),
    ("C003", "top = " + "1" * 5000, "1:5007", "too long"),
    ("C004", '[slo]\nerror_rate = "a"\nerror_rate = "b"\n', "3:1", "first at readiness.toml:2:1"),
    ("C004", '[fields]\nretrieval.hit = "a"\n"retrieval.hit" = "b"\n', "3:1", "written twice"),
    ("C005", 'timezon = "UTC"\n', "1:1", "did you mean 'timezone'?"),
    ("C005", 'latency.p95 = "<= 2s"\n', "1:1", "in the section [slo]"),
    ("C005", '[slo]\ntimezone = "UTC"\n', "2:1", "above the first [section]"),
    ("C005", "[site]\ntop = 3\n", "2:1", "above the first [section]"),
    ("C005", '[slo]\nerror_rate = { limit = "<= 1%", tagret = "x" }\n', "2:33", "did you mean"),
    ("C005", '[slos]\nerror_rate = "<= 1%"\n', "1:1", "did you mean 'slo'?"),
    ("C006", "[notify]\nx = 1\n", "1:1", "does not read it"),
    ("C060", '[compare]\nagainst = ["modle=a..b"]\n', "2:12", "did you mean 'model'?"),
    ("C007", "timezone = 1\n", "1:12", "a whole number stands where a text"),
    ("C007", 'top = "7"\n', "1:7", "a text stands where a whole number"),
    ("C007", "top = true\n", "1:7", "true or false stands where a whole number"),
    ("C007", "minimum_coverage = true\n", "1:20", "true or false stands where a ratio"),
    ("C007", '[[slo]]\nobjective = "x"\n', "1:1", "a list stands where a table"),
    ("C007", "[slo]\nerror_rate = 0.01\n", "2:14", 'write it as a text: "<= 1%"'),
    ("C007", "[slo]\nretrieval_hit_rate = 99.5\n", "2:22", '">= 90%"'),
    ("C007", "[slo]\nerror_rate = { limit = 1 }\n", "2:24", "a whole number stands"),
    ("C007", "exclude = [1]\n", "1:12", "a whole number stands where a table"),
    ("C007", '[exclude]\nfrom = "x"\n', "1:1", "a table stands where a list"),
    ("C007", "[site]\npublish = [3]\n", "2:12", "a whole number stands where a text"),
    ("C007", "[fields]\nlatency_ms = 3\n", "2:14", "a whole number stands where a text"),
    ("C007", "[slo]\nerror_rate = { limit = '<= 1%', proposed = 'y' }\n", "2:44", "true or false"),
    ("C008", '[slo."error_rate"]\nowner = "x"\n', "1:1", "'limit' must be written"),
    ("C009", '[site]\ntitle = " "\n', "2:9", "empty"),
    ("C009", '[site]\ntitle = "a\\u001bb"\n', "2:9", "control character"),
    ("C009", '[not_applicable]\ntool_calls = ""\n', "2:14", "empty"),
    ("C010", '[slo]\nlatencyy = "<= 2s"\n', "2:1", "did you mean 'latency.p95'?"),
    ("C011", '[slo]\nttft.p95 = "<= 2s"\n', "2:1", 'write "ttft.p95" = "…"'),
    ("C011", '[slo]\nlatency = "<= 2s"\n', "2:1", "needs a statistic"),
    ("C012", '[slo]\n"latency.p101" = "<= 2s"\n', "2:1", "between 0 and 100"),
    ("C013", '[slo]\n"error_rate{model}" = "<= 2%"\n', "2:1", "cannot be read"),
    ("C014", '[slo]\n"error_rate{modle=a}" = "<= 2%"\n', "2:1", "'model'"),
    (
        "C015",
        '[slo]\n"error_rate{model=a,service=b}" = "<= 2%"\n'
        '"error_rate{service=b,model=a}" = "<= 2%"\n',
        "3:1",
        "the same objective as at readiness.toml:2:1",
    ),
    ("C015", '[slo]\n"latency.p95" = "<= 2s"\n"latency.p95.0" = "<= 2s"\n', "3:1", "the same"),
    ("C016", '[slo]\nerror_rate = "1%"\n', "2:14", "did you mean '<= 1%'?"),
    ("C017", "[slo]\nerror_rate = nan\n", "2:14", "NaN is not a number that"),
    ("C017", '[slo]\nerror_rate = "<= -inf"\n', "2:14", "not a number that"),
    ("C018", '[slo]\n"latency.p95" = "<= 2.5"\n', "2:17", "<= 2.5s"),
    ("C019", '[slo]\n"latency.p95" = "<= 2.5%"\n', "2:17", "is not a time"),
    ("C020", '[slo]\nretrieval_hit_rate = ">= 99.5"\n', "2:22", "0.995"),
    ("C021", '[slo]\nerror_rate = ">= 1%"\n', "2:14", "'<= 1%'"),
    ("C022", '[slo."error_rate"]\nlimit = "< 0%"\n', "2:9", "below zero"),
    ("C023", '[slo]\nerror_rate = "<= 1"\n', "2:14", "never be missed"),
    ("C024", '[slo]\n"latency.p95" = "<= 99999999999999s"\n', "2:17", "larger than"),
    ("C025", "[slo]\nerror_rate = {limit='<= 1%', severity='warn'}\n", "2:39", "'warning'"),
    ("C026", "[slo]\nerror_rate = {limit='<= 1%', minimum=0}\n", "2:38", "0 is out of range"),
    ("C026", "top = 0x" + "f" * 5000, "1:7", "out of range"),
    ("C026", "minimum_coverage = 50\n", "1:20", "write 0.5 or 50%"),
    ("C026", "minimum_coverage = nan\n", "1:20", "between 0 and 1"),
    ("C026", 'minimum_coverage = "half"\n', "1:20", "between 0 and 1"),
    ("C026", 'minimum_coverage = "101%"\n', "1:20", "between 0 and 1"),
    ("C026", "minimum_coverage = 1e99999999999999999999\n", "1:20", "between 0 and 1"),
    ("C027", 'timezone = "europe/berlin"\n', "1:12", "did you mean 'Europe/Berlin'?"),
    ("C027", 'timezone = "New York"\n', "1:12", "did you mean 'America/New_York'?"),
    ("C027", 'timezone = "+01:00"\n', "1:12", "is not a known time zone"),
    ("C027", 'timezone = "../../etc/passwd"\n', "1:12", "is not a known time zone"),
    ("C028", '[fields]\nlatency = "a.b"\n', "2:1", "did you mean 'latency_ms'?"),
    ("C028", '[fields]\nretrieval.hits = "a.b"\n', "2:1", "did you mean 'retrieval.hit'?"),
    ("C029", '[fields]\nlatency_ms = "a..b"\n', "2:14", "is not a dotted path"),
    ("C029", '[fields]\nlatency_ms = ".a"\n', "2:14", "is not a dotted path"),
    ("C030", EXCLUDE + 'from = "soon"\nto = 2026-11-18\n', "4:8", "is not a date and time"),
    ("C007", EXCLUDE + "from = 10:00:00\nto = 2026-11-18\n", "4:8", "a time of day stands"),
    (
        "C030",
        'timezone = "Europe/Berlin"\n' + EXCLUDE + "from = 2026-10-25T02:30:00\nto = 2026-10-26\n",
        "5:8",
        "happens twice in Europe/Berlin",
    ),
    (
        "C030",
        'timezone = "Europe/Berlin"\n' + EXCLUDE + "from = 2026-03-29T02:30:00\nto = 2026-10-26\n",
        "5:8",
        "happens never in Europe/Berlin",
    ),
    ("C031", EXCLUDE + "from = 2026-11-18\nto = 2026-11-18\n", "5:6", "ends before it starts"),
    ("C032", '[not_applicable]\nretrieval = "no"\n', "2:1", "did you mean 'retrievals'?"),
    ("C033", '[site]\naccent = "red"\n', "2:10", "is not a colour"),
    ("C033", '[site]\naccent = "#12345g"\n', "2:10", "is not a colour"),
    ("C034", '[site]\ntrace_url = "https://t.example/x"\n', "2:13", "no {trace_id}"),
    ("C034", '[site]\ntrace_url = "https://{trace_id}.example/x"\n', "2:13", "no {trace_id}"),
    ("C034", '[site]\ntrace_url = "https://t.example/{trace_id}/{x}"\n', "2:13", "placeholder"),
    ("C034", '[site]\ntrace_url = "https://me:pw@t.example/{trace_id}"\n', "2:13", "password"),
    ("C034", '[site]\ntrace_url = "//t.example/{trace_id}"\n', "2:13", "not an http or https"),
    (
        "C034",
        "[slo]\nerror_rate = {limit='<= 1%', runbook='javascript:x'}\n",
        "2:38",
        "not an http",
    ),
    (
        "C034",
        "[slo]\nerror_rate = {limit='<= 1%', runbook='http://a/\"<b>'}\n",
        "2:38",
        "character",
    ),
    ("C034", "[slo]\nerror_rate = {limit='<= 1%', runbook='http://[x/'}\n", "2:38", "not a link"),
    ("C035", '[site]\npublish = ["user"]\n', "2:12", "did you mean 'users'?"),
    ("C036", "[gates]\nrequired = ['golden', 'data_flows']\n", "2:13", "'golden_set'"),
    ("C036", "[use_case]\nstage = 'pilots'\n", "2:9", "did you mean 'pilot'?"),
    (
        "C071",
        "[[constraint]]\nname = 'x'\nmust_match = ['ok', 'é(b']\n",
        "3:21",
        "unclosed group (at character 2)",
    ),
    (
        "C071",
        "[[constraint]]\nname = 'x'\nmust_not_match = '(?=x)a'\n",
        "3:18",
        "is not supported (at character 1)",
    ),
    (
        "C071",
        "[[constraint]]\nname = 'x'\nmust_match = '''ab\nc(d'''\n",
        "3:14",
        "unclosed group (at character 5)",
    ),
    (
        "C071",
        "[[constraint]]\nname = 'x'\nmust_match = '(a{1000}){1000}'\n",
        "3:14",
        "too large to be compiled",
    ),
    ("C072", "[[constraint]]\nname = 'x'\njson = false\n", "1:1", "it asks for nothing"),
    (
        "C072",
        "[[constraint]]\nname = 'x'\nmin_chars = 9\nmax_chars = 8\n",
        "3:1",
        "swap min_chars and max_chars",
    ),
    (
        "C073",
        "[[constraint]]\nname = 'x'\njson = true\n[[constraint]]\nname = 'x'\njson = true\n",
        "5:1",
        "the same name twice",
    ),
    ("C018", "[[tool]]\nname = 'x'\ntimeout = '5 sec'\n", "3:11", "write 5s or 800ms"),
    ("C026", "[[tool]]\nname = 'x'\ntimeout = '0s'\n", "3:11", "out of range"),
    (
        "C030",
        "[[data_flow]]\ndata_class = 'x'\nprovider = 'y'\napproved_on = 'soon'\n",
        "4:15",
        "2026-11-16",
    ),
    ("C008", "[[signoff]]\nrole = 'legal'\ndate = 2026-11-01\n", "1:1", "'by'"),
    ("C026", "[[action]]\nname = 'refund'\ntier = 4\n", "3:8", "from 1 to 3"),
    ("C026", "[evals]\nbar = 90\n", "2:7", "0.9 or 90%"),
    ("C026", "[evals]\nthresholds = { faith = 8 }\n", "2:24", "8 is not a ratio"),
    ("C007", "[alert]\nindicator = 'error_rate'\n", "1:1", "a list of tables"),
    ("C007", "[[owners]]\neval = 'x'\n", "1:1", "a table is expected"),
    (
        "C051",
        '[[prices.model]]\nmodel = "m"\ninput = "2 EUR"\noutput = "$3"\n',
        "3:9",
        "'2 EUR' is not an amount in US dollars",
    ),
    (
        "C052",
        '[[prices.model]]\nmodel = "m"\nper_call = "$1"\n[[prices.model]]\nmodel = "m"\n'
        'per_call = "$2"\n',
        "4:1",
        "see line 1, column 1",
    ),
    (
        "C065",
        "[slo.error_rate]\nlimit = '<= 1%'\nslice = '7h'\nslices = '>= 9%'\n",
        "3:9",
        "write 5m, 10m",
    ),
    (
        "C064",
        "[slo.error_rate]\nlimit = '<= 1%'\ngroup_by = 'modle'\n",
        "3:12",
        "did you mean 'model'?",
    ),
    ("C061", PAIR.replace("1h", "an hour"), "4:8", "write a time such as 5m"),
    ("C062", PAIR.replace("5m", "2m"), "5:9", "narrower than the 5-minute bins"),
    ("C063", PAIR.replace("5m", "2h"), "5:9", "is not shorter than the long one"),
    (
        "C008",
        "[slo.error_rate]\nlimit = '<= 1%'\nwaiver = { owner = 'Jo', reason = 'x' }\n",
        "3:1",
        "'expires' must be written",
    ),
    ("C053", '[slo]\n"cost.monthly_at_target" = "<= $5k"\n', "2:1", "add calls_per_day = "),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("code", "text", "place", "says"), CASES)
def test_each_problem_has_its_code_place_and_sentence(
    code: str, text: str | bytes, place: str, says: str
) -> None:
    diagnostic = only(text)
    assert (diagnostic.code, diagnostic.where) == (code, f"readiness.toml:{place}")
    assert says in str(diagnostic)
    assert "\n" not in str(diagnostic)


def test_every_code_of_the_configuration_is_met_above() -> None:
    met = {code for code, *_ in CASES} | {"C001"}
    assert met == {code for code in CODES if code.startswith("C")}


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
    config = read(f'timezone = "Europe/Berlin"\n{EXCLUDE}from = {start}\nto = {end}\n')
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
