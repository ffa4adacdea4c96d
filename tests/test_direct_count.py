"""An objective's verdict is a direct count over the raw log, on random logs, whole and in parts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gonogo.config.expressions import parse_objective
from gonogo.config.model import Config, Objective
from gonogo.conventions import Source, Status
from gonogo.measures import Distributions, objective_data
from gonogo.results import ObjectiveResult
from gonogo.rollup.partial import Partial, merge
from gonogo.slo import evaluate
from run_engine import count

EACH = 40
"""Random logs that one run of the engine reads: each is a service of its own."""
BATCHES = int(os.environ.get("GONOGO_BATCHES", "2"))
"""25 of them are 1,000 logs, and take a minute."""

Line = dict[str, Any]
Limits = tuple[tuple[str, str], ...]
LIMITS: Limits = (
    ("error_rate", "<= 10%"),
    ("error_rate{model=a*}", "< 10%"),
    ("latency.p90", "<= 701ms"),
    ("latency.p50", "< 301ms"),
    ("latency.mean", "<= 440ms"),
    ("tool_error_rate", "<= 20%"),
    ("retrieval_hit_rate", ">= 75%"),
)


def a_log(rng: np.random.Generator, name: str) -> list[Line]:
    """Some 60 calls of one service; any field may be missing on any line."""
    lines = []
    for n in range(int(rng.integers(30, 90))):
        line: Line = {"trace_id": f"{name}-{n}", "service": name, "input_tokens": 10}
        if rng.random() < 0.95:
            minute = int(rng.integers(0, 24 * 60))
            line["timestamp"] = f"2026-11-16T{minute // 60:02}:{minute % 60:02}:00Z"
        if rng.random() < 0.9:
            line["status"] = "error" if rng.random() < 0.1 else "ok"
        if rng.random() < 0.9:
            line["latency_ms"] = int(rng.choice([100, 200, 299, 300, 301, 500, 700, 701, 900]))
        if rng.random() < 0.9:
            line["response_model"] = str(rng.choice(["a1", "a2", "b"]))
        if rng.random() < 0.5:
            hit = rng.random() < 0.75
            line["retrieval"] = {"hit": hit} if rng.random() < 0.9 else {"index_version": "v"}
        line["tool_calls"] = [
            {"name": "t", **({"status": "error" if rng.random() < 0.2 else "ok"}
                             if rng.random() < 0.9 else {})}
            for _ in range(int(rng.integers(0, 3)))
        ]  # fmt: skip
        lines.append(line)
    return lines


def met(key: str, limit: str, lines: Sequence[Line]) -> tuple[bool, int] | None:
    """(whether the limit is met, events) by looking at every line; None without events."""
    number = Fraction(limit.split()[1].rstrip("%ms"))
    low, strict = limit[0] == "<", limit.startswith("< ")
    if key.startswith("latency"):
        values = sorted(line["latency_ms"] for line in lines if "latency_ms" in line)
        if not values:
            return None
        seen = Fraction(sum(values), len(values))
        if not key.endswith("mean"):
            share = Fraction(int(key.split(".p")[1]), 100)
            seen = Fraction(values[-(-share * len(values) // 1) - 1])
        return (seen < number if strict else seen <= number), len(values)
    if key.startswith("error_rate"):
        chosen = [line for line in lines
                  if "{" not in key or line.get("response_model", "").startswith("a")]  # fmt: skip
        events = [line["status"] == "error" for line in chosen if "status" in line]
    elif key.startswith("tool"):
        tools = [tool for line in lines for tool in line["tool_calls"]]
        events = [tool["status"] == "error" for tool in tools if "status" in tool]
    else:
        found = [line["retrieval"] for line in lines if "retrieval" in line]
        events = [one["hit"] for one in found if "hit" in one]
    if not events:
        return None
    seen = Fraction(100 * sum(events), len(events))
    if low:
        return (seen < number if strict else seen <= number), len(events)
    return seen >= number, len(events)


def objectives(names: Sequence[str]) -> tuple[Objective, ...]:
    """Every limit for every service, with a minimum that none of them is under."""
    return tuple(
        parse_objective(
            f"{key[:-1]},service={name}}}" if key.endswith("}") else f"{key}{{service={name}}}",
            limit, source=Source.WRITTEN, minimum=1,
        )
        for name in names for key, limit in LIMITS
    )  # fmt: skip


def judged(partial: Partial, config: Config) -> dict[str, ObjectiveResult]:
    results, _ = evaluate(objective_data(partial, config, Distributions(partial)), config)
    return {result.id: result for result in results}


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_verdict_is_a_direct_count_whole_and_merged_from_parts(
    batch: int, tmp_path: Path
) -> None:
    rng = np.random.default_rng(batch)
    names = [f"s{batch}x{n}" for n in range(EACH)]
    logs = {name: a_log(rng, name) for name in names}
    every = [line for lines in logs.values() for line in lines]
    wanted = objectives(names)
    config = Config(objectives=wanted, minimum_coverage=Fraction(0))
    where = rng.integers(0, 3, len(every))
    for part in range(3):
        chosen = [line for line, at in zip(every, where, strict=True) if at == part]
        text = "".join(json.dumps(line) + "\n" for line in chosen)
        (tmp_path / f"part{part}.jsonl").write_text(text)
    whole = count([tmp_path], wanted).partial
    found = judged(whole, config)
    again = iter(wanted)
    outcomes = set()
    for name in names:
        for key, limit in LIMITS:
            result, expected = found[next(again).id], met(key, limit, logs[name])
            if expected is None:
                assert result.status in (Status.NO_DATA, Status.NOT_APPLICABLE)
                continue
            is_met, events = expected
            assert result.total == events, result.id
            assert (result.status is not Status.BREACHED) == is_met, (result.id, result.reason)
            outcomes.add((key, is_met))
    assert len(outcomes) == 2 * len(LIMITS)  # each limit is met here and missed there
    parts = [count([tmp_path / f"part{part}.jsonl"], wanted).partial for part in (2, 0, 1)]
    assert judged(merge(parts), config) == found
