"""What users add to the formats, and what inspect and the Data page say of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import reading
from foreign_logs import (
    bedrock,
    calls_of,
    litellm,
    read_records,
)  # fmt: skip
from gonogo import adapters
from gonogo.adapters import Format, Options
from gonogo.cli import main
from gonogo.errors import UsageError

YES, NO = 1, 0
NATIVE = {"timestamp": "2026-11-16T09:00:01Z", "model": "gpt-4o", "latency_ms": 793.4}

# --- what users add -------------------------------------------------------------------------------

MINE = """
name = "mine"
title = "our own log"
records = ["rows"]

[detect]
all = ["when", "took"]

[fields]
timestamp = "when"
latency_ms = { path = "took", unit = "s" }
request_model = ["llm.deployed", "llm.name"]
cost_usd = { path = "cents", scale = 0.01 }
status = [{ path = "result", values = { OK = "ok", DENIED = "blocked" } }, { default = "error" }]
provider = { default = "us" }

[[guardrails]]
name = "policy"
when = "result"
values = ["DENIED"]
action = "block"
"""


def test_a_users_mapping_is_the_same_kind_of_file_as_a_preset(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE)
    rows = [
        {"when": "2026-11-16T09:00:00Z", "took": 1.5, "llm": {"name": "m"}, "cents": 2,
         "result": "OK"},
        {"when": "2026-11-16T09:00:00Z", "took": 2, "llm": '{"name": "m"}', "result": "DENIED"},
        {"when": "2026-11-16T09:00:00Z", "took": None, "result": "CRASH"},
    ]  # fmt: skip
    path = reading.write(tmp_path / "a.jsonl", {"rows": rows})
    found = reading.read(path, log_format=str(tmp_path / "mine.toml"))
    ok, denied, crashed = calls_of(found)
    assert (ok["duration_us"], ok["cost_nano_usd"], ok["model"]) == (1_500_000, 20_000_000, "m")
    assert (denied["is_blocked"], denied["failed"], denied["model"]) == (True, NO, "m")
    assert [row["guardrails"][0]["blocked"] for row in (ok, denied)] == [False, True]
    assert (crashed["failed"], crashed["duration_us"], crashed["provider"]) == (YES, -1, "us")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("latency_ms", "latencyms"), "did you mean 'latency_ms'?"),
        (('unit = "s"', 'unit = "hours"'), "no unit here"),
        (('name = "mine"', ""), "needs a name"),
        (("[detect]", "[detct]"), "did you mean 'detect'?"),
        (('when = "result"', ""), "needs name and when"),
        (("scale = 0.01", "scale = 0"), "other than 0"),
        (("[fields]", "[fields"), "not TOML"),
    ],
)
def test_each_problem_of_a_mapping_is_named(
    change: tuple[str, str], words: str, tmp_path: Path
) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text(MINE.replace(*change, 1))
    path = reading.write(tmp_path / "a.jsonl", {"when": "x"})
    result = CliRunner().invoke(main, ["inspect", str(path), "--format", str(mapping)])
    assert result.exit_code == 2
    assert words in result.stderr
    assert "U031" in result.stderr


def test_a_format_can_be_named_and_a_wrong_name_is_told(tmp_path: Path) -> None:
    path = reading.write(
        tmp_path / "a.jsonl", {"startTime": 1_795_337_471.5, "endTime": 1_795_337_472}
    )
    found = reading.read(path, log_format="litellm")
    assert [row["duration_us"] for row in calls_of(found)] == [500_000]
    with pytest.raises(UsageError, match="did you mean 'litellm'"):
        reading.read(path, log_format="lightllm")
    native = reading.write(tmp_path / "b.jsonl", {**litellm(), "model": "m"})
    assert reading.read(native, log_format="native").logs.files[0].kind == "jsonl"


class _Entry:
    name = "theirs"

    @staticmethod
    def load() -> Format:
        def convert(record: Mapping[str, Any], _: Options) -> list[dict[str, Any]]:
            return [{"model": record["theirs"], "latency_ms": 7}]

        return Format("theirs", "another package's", lambda r: "theirs" in r, convert)


def test_another_package_registers_a_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def entry_points(*, group: str) -> list[type[_Entry]]:
        asked.append(group)
        return [_Entry]

    adapters.known.cache_clear()
    monkeypatch.setattr(adapters, "entry_points", entry_points)
    try:
        (row,) = calls_of(read_records(tmp_path / "a.jsonl", {"theirs": "m1"}))
    finally:
        adapters.known.cache_clear()
    assert asked == ["gonogo.formats"]
    assert (row["model"], row["duration_us"]) == ("m1", 7_000)


def test_a_broken_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(_Entry):
        @staticmethod
        def load() -> Format:
            raise ImportError("no such module")

    adapters.known.cache_clear()
    monkeypatch.setattr(adapters, "entry_points", lambda *, group: [Broken])
    try:
        with pytest.raises(UsageError, match=r"gonogo\.formats: theirs: .* cannot be loaded"):
            read_records(tmp_path / "a.jsonl", NATIVE)
    finally:
        adapters.known.cache_clear()


@pytest.mark.parametrize("rate", ["0", "-1", "2", "110%", "x", "nan"])
def test_a_share_has_to_be_one(rate: str, tmp_path: Path) -> None:
    path = reading.write(tmp_path / "a.jsonl", NATIVE)
    result = CliRunner().invoke(main, ["check", str(path), "--sampling-rate", rate])
    assert result.exit_code == 2
    assert "U032" in result.stderr


def test_inspect_says_what_the_log_is_and_what_maps_to_what(tmp_path: Path) -> None:
    path = reading.write(tmp_path / "a.jsonl", *(litellm(n) for n in range(3)), "broken {")
    result = CliRunner().invoke(main, ["inspect", str(path), "--profile", "internal"])
    assert result.exit_code == 0
    for words in (
        "litellm (jsonl), 4 lines, 1 refused",
        "LiteLLM StandardLoggingPayload",
        "cost_usd                 <- response_cost",
        "ttft_ms                  <- completionStartTime − startTime, for streams only",
        "never there                 parent spans",
        "release or prompt_version       missing",
    ):
        assert words in result.stdout


def test_inspect_names_the_users_own_files(tmp_path: Path) -> None:
    path = reading.write(tmp_path / "my-export.jsonl", litellm(), {"tenant_id": "acme", **NATIVE})
    printed = CliRunner().invoke(main, ["inspect", str(path)]).stdout
    assert f"{path}: litellm" in printed
    # Ids stay as they are in a report, and a report keeps its file names to itself.
    site = tmp_path / "site"
    args = ["build", str(path), "-o", str(site), "--state", str(tmp_path / "state")]
    CliRunner().invoke(main, args)
    assert "my-export" not in (site / "data.html").read_text()


def test_a_package_that_is_installed_brings_its_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real distribution with a real entry point, as pip leaves them in site-packages."""
    packages = tmp_path / "site-packages"
    told = packages / "gonogo_theirs-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: gonogo-theirs\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[gonogo.formats]\ntheirs = gonogo_theirs:FORMAT\n")
    (packages / "gonogo_theirs.py").write_text(
        "from gonogo.adapters import Format, Refused\n"
        "def convert(record, options):\n"
        "    if record['theirs'] == 'bad':\n"
        "        yield Refused('I032', 'theirs is bad')\n"
        "    else:\n"
        "        yield {'model': record['theirs'], 'latency_ms': record['took'] * 1000}\n"
        "FORMAT = Format('theirs', 'their log', lambda r: 'theirs' in r, convert)\n"
    )
    monkeypatch.syspath_prepend(str(packages))
    adapters.known.cache_clear()
    try:
        records = ({"theirs": "m1", "took": 2}, {"theirs": "bad", "took": 1})
        found = reading.read(reading.write(tmp_path / "a.jsonl", *records))
        assert "theirs" in adapters.known()
        assert adapters.choose("theirs") is not None
    finally:
        adapters.known.cache_clear()
    (row,) = calls_of(found)
    assert (row["model"], row["duration_us"]) == ("m1", 2_000_000)
    assert found.counts()[2] == 1
    assert found.logs.files[0].kind == "theirs (jsonl)"


def test_the_data_page_tells_the_format_and_what_it_cannot_say(tmp_path: Path) -> None:
    path = reading.write(tmp_path / "a.jsonl", *(bedrock(f"r{n}") for n in range(3)))
    site = tmp_path / "site"
    args = ["build", str(path), "-o", str(site), "--state", str(tmp_path / "s"), "-q"]
    CliRunner().invoke(main, args)
    pages = "".join(page.read_text() for page in site.rglob("*.html"))
    assert "bedrock (jsonl)" in pages
    assert "no latency for InvokeModel" in pages
