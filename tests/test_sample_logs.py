"""The sample week is what its generator says, and what is planted in it is there by plain count."""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import sys
import zlib
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

FOLDER = Path(__file__).parents[1] / "sample_logs"
Call = dict[str, Any]


def load_generator() -> Any:
    """Import sample_logs/generate.py under a name of its own (bench has a generate.py too)."""
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location("sample_generate", FOLDER / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generator()
PLANTED = {plant.name: plant for plant in generate.PLANTED}


def committed(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def jsonl_lines() -> list[str]:
    return [
        line
        for path in committed("*.jsonl.gz")
        for line in gzip.decompress(path.read_bytes()).decode().splitlines()
    ]


def as_call(line: str) -> Call | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "trace_id" in value else None


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value


def parquet_calls(path: Path) -> list[Call]:
    return [
        row | {"timestamp": row["timestamp"].isoformat(timespec="milliseconds")}
        for row in pl.read_parquet(path).to_dicts()
    ]


def started(call: Call) -> datetime:
    return datetime.fromisoformat(call["timestamp"])


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("week")
    generate.write_week(folder)
    return folder


@pytest.fixture(scope="module")
def week() -> list[Call]:
    """Each call of the committed week once, nulls dropped, in order of time."""
    calls: dict[str, Call] = {}
    for line in jsonl_lines():
        call = as_call(line)
        if call is not None:
            calls[call["span_id"]] = without_nulls(call)
    for path in committed("*.parquet"):
        calls |= {call["span_id"]: without_nulls(call) for call in parquet_calls(path)}
    return sorted(calls.values(), key=started)


def inside(week: list[Call], name: str) -> list[Call]:
    return [call for call in week if PLANTED[name].covers(started(call))]


def quiet_part(week: list[Call]) -> list[Call]:
    return [c for c in week if not any(plant.covers(started(c)) for plant in generate.PLANTED)]


def rate(flags: list[bool]) -> float:
    return sum(flags) / len(flags)


def nearest_rank(values: list[float], q: float) -> float:
    return sorted(values)[math.ceil(q * len(values)) - 1]


def error_rate(calls: list[Call]) -> float:
    return rate([call["status"] == "error" for call in calls])


def trigger_rate(calls: list[Call]) -> float:
    checked = [call["guardrails"] for call in calls if call.get("guardrails")]
    return rate([any(check["triggered"] for check in checks) for checks in checked])


def hit_rate(calls: list[Call]) -> float:
    return rate([c["retrieval"].get("hit") is True for c in calls if "retrieval" in c])


def tool_outcomes(calls: list[Call], name: str | None = None) -> list[str]:
    tools = [tool for call in calls for tool in call.get("tool_calls", [])]
    return [tool["status"] for tool in tools if name in {None, tool["name"]}]


def latencies(calls: list[Call]) -> list[float]:
    return [
        c["latency_ms"] for c in calls if not c.get("cache_hit") and c["operation"] != "embeddings"
    ]


def test_the_committed_days_are_the_seven_files_of_the_generator(regenerated: Path) -> None:
    names = [path.name for path in committed("support-copilot-*")]
    assert names == sorted(path.name for path in regenerated.iterdir())
    assert len(names) == 7
    assert sum(name.endswith(".parquet") for name in names) == 2


def test_the_jsonl_days_are_regenerated_line_for_line(regenerated: Path) -> None:
    for path in committed("*.jsonl.gz"):
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(
            (regenerated / path.name).read_bytes()
        )


@pytest.mark.skipif("ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng packs to other bytes")
def test_the_jsonl_days_are_regenerated_byte_for_byte(regenerated: Path) -> None:
    for path in committed("*.jsonl.gz"):
        assert path.read_bytes() == (regenerated / path.name).read_bytes(), path.name


def test_the_parquet_days_are_regenerated_row_for_row(regenerated: Path) -> None:
    for path in committed("*.parquet"):
        again = pl.read_parquet(regenerated / path.name)
        assert pl.read_parquet(path).equals(again, null_equal=True), path.name


@pytest.mark.skipif(
    pl.__version__ != generate.PARQUET_POLARS, reason="another Polars writes other Parquet bytes"
)
def test_the_parquet_days_are_regenerated_byte_for_byte(regenerated: Path) -> None:
    for path in committed("*.parquet"):
        assert path.read_bytes() == (regenerated / path.name).read_bytes(), path.name


def test_a_parquet_row_is_the_call_that_the_generator_yields() -> None:
    days = generate.calls_by_day()
    for day, path in zip(generate.PARQUET_DAYS, committed("*.parquet"), strict=True):
        made = [
            without_nulls(c | {"timestamp": c["timestamp"].replace("Z", "+00:00")})
            for c in days[day]
        ]
        assert [without_nulls(row) for row in parquet_calls(path)] == made


def test_the_sample_is_under_3_mb() -> None:
    assert 500_000 < sum(path.stat().st_size for path in FOLDER.glob("support-copilot-*")) < 3e6


def test_seven_lines_are_broken_and_each_in_its_own_way() -> None:
    broken = [line for line in jsonl_lines() if as_call(line) is None]
    assert len(broken) == generate.BROKEN_LINES == len(set(broken)) == 7
    parsed = []
    for line in broken:
        try:
            parsed.append(type(json.loads(line)).__name__)
        except ValueError as error:
            parsed.append(str(error).split(":")[0])
    assert Counter(parsed)["dict"] == Counter(parsed)["list"] == Counter(parsed)["str"] == 1
    assert Counter(parsed)["Extra data"] == 1
    last = gzip.decompress(committed("*.jsonl.gz")[-1].read_bytes())
    assert not last.endswith(b"\n")
    assert as_call(last.decode().splitlines()[-1]) is None


def test_forty_lines_are_there_twice_and_three_of_them_a_file_later() -> None:
    lines = [line for line in jsonl_lines() if as_call(line) is not None]
    copies = [line for line, n in Counter(lines).items() if n == 2]
    assert len(copies) == generate.DUPLICATE_LINES == 40
    assert len(lines) == len(set(lines)) + 40
    spans = Counter(json.loads(line)["span_id"] for line in lines)
    assert sum(n == 2 for n in spans.values()) == 40
    files = [
        set(gzip.decompress(path.read_bytes()).decode().splitlines())
        for path in committed("*.jsonl.gz")
    ]
    assert sum(sum(line in file for file in files) == 2 for line in copies) == 3


def test_dropping_copies_and_broken_lines_leaves_every_call(week: list[Call]) -> None:
    made = [call["span_id"] for call in generate.calls_for_week()]
    assert sorted(made) == sorted(call["span_id"] for call in week)
    assert 8_000 <= len(made) == len(set(made)) <= 12_000


def test_every_plant_lies_on_five_minute_bins_inside_the_week() -> None:
    for plant in generate.PLANTED:
        for instant in (plant.onset, plant.end):
            assert instant.timestamp() % 300 == 0
        assert datetime.fromisoformat("2026-11-16T00:00Z") <= plant.onset < plant.end
        assert plant.end <= datetime.fromisoformat("2026-11-23T00:00Z")


def test_the_week_is_healthy_outside_the_plants(week: list[Call]) -> None:
    calm = quiet_part(week)
    assert 0.001 < error_rate(calm) < 0.005
    assert nearest_rank(latencies(calm), 0.95) < 2_500
    assert trigger_rate(calm) < 0.01
    assert hit_rate(calm) == pytest.approx(0.95, abs=0.01)
    assert rate([status != "ok" for status in tool_outcomes(calm)]) < 0.01


def test_the_provider_is_five_times_as_slow_and_the_other_is_not(week: list[Call]) -> None:
    incident, calm = inside(week, "provider-slow"), quiet_part(week)

    def middle(calls: list[Call], provider: str) -> float:
        return nearest_rank(latencies([c for c in calls if c["provider"] == provider]), 0.5)

    assert 3.2 < middle(incident, "openai") / middle(calm, "openai") < 5
    assert 0.8 < middle(incident, "anthropic") / middle(calm, "anthropic") < 1.25
    hours = (PLANTED["provider-slow"].end - PLANTED["provider-slow"].onset) / timedelta(hours=1)
    assert 60 <= len(incident) / hours <= 150


def test_one_model_fails_in_the_incident_and_the_others_do_not(week: list[Call]) -> None:
    incident, model = inside(week, "model-errors"), PLANTED["model-errors"].value
    failing = [call for call in incident if call["response_model"] == model]
    assert 0.12 <= error_rate(failing) <= 0.20
    assert error_rate([call for call in incident if call["response_model"] != model]) < 0.02
    kinds = Counter(call["error_type"] for call in failing if call["status"] == "error")
    assert set(kinds) == {"rate_limit_exceeded", "server_error"}


def test_one_tenant_sends_injections_that_are_mostly_blocked(week: list[Call]) -> None:
    burst = inside(week, "injection-burst")
    tenant = [call for call in burst if call["tenant_id"] == PLANTED["injection-burst"].value]
    others = [call for call in burst if call["tenant_id"] != PLANTED["injection-burst"].value]
    assert trigger_rate(tenant) > 0.5
    assert trigger_rate(others) < 0.02
    checks = [
        (check, call["status"])
        for call in tenant
        for check in call.get("guardrails", [])
        if check["name"] == "prompt_injection" and check["triggered"]
    ]
    assert sum(check["bypassed"] for check, _ in checks) == 2
    assert all((status == "blocked") != check["bypassed"] for check, status in checks)
    assert error_rate(tenant) < 0.02


def test_the_index_stays_old_and_loses_its_hits(week: list[Call]) -> None:
    stale = inside(week, "stale-index")
    assert {c["retrieval"]["index_version"] for c in stale if "retrieval" in c} == {"2026-11-20"}
    assert hit_rate(stale) == pytest.approx(0.70, abs=0.04)
    fresh = [
        call
        for call in week
        if "retrieval" in call and not PLANTED["stale-index"].covers(started(call))
    ]
    assert all(c["retrieval"]["index_version"] == c["timestamp"][:10] for c in fresh)


def test_one_tool_times_out_at_thirty_seconds(week: list[Call]) -> None:
    hang = inside(week, "tool-hang")
    assert rate([status == "timeout" for status in tool_outcomes(hang, "get_order")]) > 0.6
    hung = [
        tool for call in week for tool in call.get("tool_calls", []) if tool["status"] == "timeout"
    ]
    assert {(tool["name"], tool["latency_ms"]) for tool in hung} == {("get_order", 30_000.0)}
    assert len(hung) == tool_outcomes(hang).count("timeout")


def test_the_last_day_ends_in_its_eleventh_hour(week: list[Call]) -> None:
    assert not inside(week, "partial-day")
    end = PLANTED["partial-day"].onset
    assert end - timedelta(minutes=10) < started(week[-1]) < end


def test_the_release_changes_once(week: list[Call]) -> None:
    pairs = [(call["release"], call["prompt_version"]) for call in week]
    assert pairs == sorted(pairs)
    assert set(pairs) == {("2026.46", "v11"), ("2026.47", "v12")}
    first = next(call for call in week if call["release"] == "2026.47")
    assert timedelta() <= started(first) - datetime.fromisoformat("2026-11-19T09:10Z")


def test_cost_is_the_token_counts_at_list_prices(week: list[Call]) -> None:
    dollars_per_million = {"gpt-4o-2024-08-06": (2.5, 1.25, 2.5, 10.0),
                           "claude-sonnet-4-20250514": (3.0, 0.3, 3.75, 15.0)}  # fmt: skip
    priced = 0
    for call in week:
        price = dollars_per_million.get(call["response_model"])
        if price and call["status"] == "ok" and not call.get("cache_hit"):
            read, written = call["cache_read_input_tokens"], call["cache_write_input_tokens"]
            fresh = call["input_tokens"] - read - written
            tokens = (fresh, read, written, call["output_tokens"])
            expected = sum(t * p for t, p in zip(tokens, price, strict=True)) / 1e6
            assert call["cost_usd"] == pytest.approx(expected, abs=1e-12)
            priced += 1
    assert priced > 5_000


def test_a_logged_hit_agrees_with_the_expected_chunks(week: list[Call]) -> None:
    probes = [c["retrieval"] for c in week if "expected_chunk_ids" in c.get("retrieval", {})]
    assert len(probes) > 100
    for probe in probes:
        assert probe["hit"] == bool(set(probe["expected_chunk_ids"]) & set(probe["chunk_ids"]))


def test_the_quiet_week_is_the_planted_one_without_its_plants() -> None:
    quiet = list(generate.calls_for_week(planted=False))
    planted = list(generate.calls_for_week())
    assert len(quiet) == 10_500
    assert quiet_part(quiet) == quiet_part(planted)
    # Inside the incident the same calls were made, and another time was taken over them.
    slow = PLANTED["provider-slow"]
    before = [call for call in quiet if slow.covers(started(call))]
    after = [call for call in planted if slow.covers(started(call))]
    assert [call["span_id"] for call in before] == [call["span_id"] for call in after]
    same = {
        provider: rate(
            [a == b for a, b in zip(before, after, strict=True) if a["provider"] == provider]
        )
        for provider in ("openai", "anthropic")
    }
    assert same["anthropic"] == 1
    assert same["openai"] < 0.05


def test_the_quiet_week_command_writes_one_healthy_file(tmp_path: Path) -> None:
    out = tmp_path / "quiet.jsonl"
    generate.main(["--quiet-week", str(out), "--seed", "5", "--calls", "4000"])
    calls = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(calls) == 4_000
    assert calls == list(generate.calls_for_week(5, False, 4_000))
    assert error_rate(calls) < 0.01
    assert trigger_rate(calls) < 0.015
    assert hit_rate(calls) > 0.93
    assert nearest_rank(latencies(calls), 0.95) < 2_500
    assert started(calls[-1]) > datetime.fromisoformat("2026-11-22T20:00Z")
