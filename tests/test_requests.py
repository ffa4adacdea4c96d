"""Requests: what the calls of one trace cost together, worked by hand and held against the page."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import run_engine
from gonogo.results import ReadinessResult
from gonogo.rollup.requests import Requests
from gonogo.stats.hashing import mix

MONDAY = 1_763_337_600
DOLLAR = 10**9


def judged(folder: Path, *files: list[dict[str, Any]], config: str = "") -> ReadinessResult:
    paths = []
    for number, lines in enumerate(files):
        paths.append(folder / f"{number}.jsonl")
        paths[-1].write_text("".join(json.dumps(line) + "\n" for line in lines))
    toml = folder / "readiness.toml"
    toml.write_text(config)
    return run_engine.check(folder / "state", *paths, config=toml if config else None)


def call(trace: str | None, cost: float | None, second: int, **more: Any) -> dict[str, Any]:
    line = {"model": "m", "trace_id": trace, "span_id": f"{trace}-{second}", "cost_usd": cost,
            "timestamp": MONDAY + second}  # fmt: skip
    return {k: v for k, v in {**line, **more}.items() if v is not None}


# Three requests of known cost ($6, $10, $0.50), one with an unknown call, one call in none. The
# first one's calls stand in two files.
FIRST = [call("a", 1, 10), call("b", 10, 11), call("c", 4, 12), call("c", None, 13)]
SECOND = [call("a", 2, 3), call("a", 3, 30), call("d", 0.5, 14), call(None, 7, 15)]


def test_a_request_costs_what_its_calls_do_together(tmp_path: Path) -> None:
    result = judged(tmp_path, FIRST, SECOND)
    units = {k[0]: v for k, v in run_engine.rows_of(result.tables["cost_units"], "unit").items()}
    request = units["request"]
    assert (request["n"], request["cost"]) == (3, round(16.5 * DOLLAR))
    # Of 0.5, 6 and 10 the nearest-rank median is 6, to within a bucket of the histogram.
    assert abs(request["cost_p50"] - 6 * DOLLAR) <= 0.0028 * 6 * DOLLAR
    assert abs(request["cost_p99"] - 10 * DOLLAR) <= 0.0028 * 10 * DOLLAR
    assert request["cost_max"] == 10 * DOLLAR
    note = result.tables["cost_units"].note
    assert "1 with a call of unknown cost are left out" in note
    assert "1 calls without a trace id are in none" in note


def test_the_dearest_requests_are_named_with_their_calls(tmp_path: Path) -> None:
    found = [x for x in judged(tmp_path, FIRST, SECOND).exemplars if x.kind == "dearest_request"]
    assert [(x.trace_id, x.cost_nano_usd, x.calls) for x in found] == [
        ("b", 10 * DOLLAR, 1), ("a", 6 * DOLLAR, 3), ("d", DOLLAR // 2, 1),
    ]  # fmt: skip
    # The second file holds the earliest call of the request.
    assert found[1].time == MONDAY + 3


def test_a_wrapper_is_paid_once_in_its_request_too(tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 10}
    outer = call("t", 2, 0, span_id="outer", **usage)
    inner = call("t", 2, 1, span_id="inner", parent_span_id="outer", **usage)
    (found,) = [x for x in judged(tmp_path, [outer, inner]).exemplars
                if x.kind == "dearest_request"]  # fmt: skip
    assert (found.cost_nano_usd, found.calls) == (2 * DOLLAR, 1)


def test_without_trace_ids_it_is_said(tmp_path: Path) -> None:
    result = judged(tmp_path, [call(None, 1, 1), call(None, 2, 2)])
    units = result.tables["cost_units"]
    assert "request" not in units.data["unit"]
    assert "trace_id" in units.note


def blocks(seed: int, requests: int, n: int) -> list[pl.DataFrame]:
    """Requests of blocks, some of them in several; a request costs one dollar in all."""
    dice = random.Random(seed)
    ids = mix(np.arange(1, requests + 1, dtype=np.uint64)).tolist()
    rows = [(i, share) for i in ids for share in ([4, 6] if dice.random() < 0.3 else [10])]
    dice.shuffle(rows)
    size = -(-len(rows) // n)
    return [
        pl.DataFrame(
            {
                "request": pl.Series([i for i, _ in part], dtype=pl.UInt64),
                **{name: [1] * len(part) for name in ("calls", "known", "start", "place")},
                "cost": [share * DOLLAR // 10 for _, share in part],
            }
        ).select("request", "calls", "known", "cost", "start", "place")
        for part in (rows[k : k + size] for k in range(0, len(rows), size))
    ]


def test_a_sample_of_requests_depends_on_the_set_of_them_alone() -> None:
    found = []
    for seed in range(4):
        parts = blocks(0, 3_000, 7)
        random.Random(seed).shuffle(parts)
        requests = Requests(limit=500)
        for part in parts:
            requests.add(part)
        found.append(requests.finish())
    for other in found[1:]:
        assert other.whole["request"].equals(found[0].whole["request"])
        assert other.counters() == found[0].counters()
    assert found[0].kept <= 500
    # Whole requests, each at a dollar, and a count within four standard errors of 3,000.
    assert found[0].whole["cost"].unique().to_list() == [DOLLAR]
    assert abs(found[0].counters()["requests.all"] - 3_000) <= 4 * 3_000 / found[0].kept ** 0.5
    exact = Requests(limit=3_000)
    for part in blocks(0, 3_000, 7):
        exact.add(part)
    assert exact.finish().counters()["requests.all"] == 3_000


# ── how long a request took ─────────────────────────────────────────────────────────────────────

S = 1_000_000  # µs
FORMATS = Path(__file__).parents[2] / "shared" / "data" / "formats"


def tree(trace: str, span: str, above: str | None, start: float, took: float | None,
         **more: Any) -> dict[str, Any]:  # fmt: skip
    line = {"trace_id": trace, "span_id": span, "parent_span_id": above, "is_span": True,
            "timestamp": MONDAY + start, "latency_ms": None if took is None else took * 1000,
            "operation": "chain", "is_call": False}  # fmt: skip
    return {k: v for k, v in {**line, **more}.items() if v is not None}


def chat(trace: str, span: str, above: str | None, start: float, took: float) -> dict[str, Any]:
    return tree(trace, span, above, start, took, operation="chat", is_call=True, model="m")


TREES = [
    # 3 s around two calls of 1 s
    tree("a", "a1", None, 0, 3), chat("a", "a2", "a1", 0.5, 1), chat("a", "a3", "a1", 1.5, 1),
    # two roots, from second 10 to second 14
    tree("b", "b1", None, 10, 2, status="error"), chat("b", "b2", "b1", 10, 1),
    tree("b", "b3", None, 12, 2),
    # a call that is a request by itself
    chat("c", "c1", None, 20, 0.5),
    # no call of a model: not a request of this application
    tree("d", "d1", None, 30, 9),
    # its parent is not in the logs: an orphan is no root
    chat("e", "e2", "e1", 40, 7),
    # a root whose duration nobody knows
    tree("f", "f1", None, 50, None), chat("f", "f2", "f1", 50, 1),
]  # fmt: skip


def test_a_request_takes_as_long_as_its_root_span(tmp_path: Path) -> None:
    # The second trace's parts stand in different files.
    result = judged(tmp_path, TREES[:5], TREES[5:], config=(
        '[slo]\n"request_latency.p50" = "<= 3s"\n"request_latency.mean" = "<= 2.4s"\n'
        '"latency.p95" = "<= 10s"\n'
    ))  # fmt: skip
    row = {k: v[0] for k, v in result.tables["overall"].data.items()}
    assert (row["request_n"], row["request_sum"]) == (3, 3 * S + 4 * S + S // 2)
    assert (row["request_min"], row["request_max"]) == (S // 2, 4 * S)
    assert row["requests_failed"] == 1
    assert row["latency_n"] == 6  # calls, beside
    found = {o.statistic: o for o in result.objectives if o.indicator == "request_latency"}
    # 2 of 3 requests took at most 3 s; their mean is 2.5 s.
    assert (found["p50"].good, found["p50"].total) == (2, 3)
    assert found["mean"].observed == 2.5 * S
    assert {o.total for o in result.objectives if o.indicator == "latency"} == {6}
    assert result.ingest.orphans == 1


def test_a_request_failed_if_one_of_its_roots_says_so(tmp_path: Path) -> None:
    def request(name: str, *statuses: str | None, took: float | None = 1) -> list[dict[str, Any]]:
        roots = [
            tree(name, f"{name}{n}", None, n, took, status=status)
            for n, status in enumerate(statuses)
        ]
        return [*roots, chat(name, f"{name}-call", f"{name}0", 0, 0.5) | {"status": "ok"}]

    alone = chat("g", "g1", None, 60, 0.5) | {"status": "error"}
    below = chat("h", "h2", "h1", 70, 0.5) | {"status": "error"}
    lines = [
        *request("a", "ok"), *request("b", "ok", "error"), *request("c", None),
        *request("d", "error", took=None),  # that it failed is known
        *request("e", "ok", None),
        alone, tree("h", "h1", None, 70, 1, status="ok"), below,  # caught
        tree("i", "i1", None, 80, 1, status="error"),  # no call of a model
    ]  # fmt: skip
    text = '[slo]\nrequest_error_rate = "<= 5%"\nerror_rate = "<= 5%"\n'
    result = judged(tmp_path, lines, config=text)
    found = {o.indicator: o for o in result.objectives}
    # a, b, d, g and h are known; b, d and g failed. Of the calls only those of g and h did.
    requests = found["request_error_rate"]
    assert (requests.good, requests.total, requests.eligible) == (2, 5, 7)
    assert (found["error_rate"].good, found["error_rate"].total) == (5, 7)


def test_native_lines_that_name_parents_are_trees_too(tmp_path: Path) -> None:
    def plain(line: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in line.items() if k not in ("is_span", "is_call")}

    result = judged(tmp_path, [plain(line) for line in (*TREES[:3], TREES[6])])
    # Whether a native line that stands alone is a whole request nobody can tell.
    assert result.tables["overall"].data["request_n"] == [1]
    assert result.tables["overall"].data["request_sum"] == [3 * S]
    flat = judged(tmp_path, [plain(TREES[6])])
    assert flat.tables["overall"].data["request_n"] == [None]


def test_the_requests_of_a_recorded_export(tmp_path: Path) -> None:
    path = FORMATS / "otlp" / "rec_openinference_openai.otlp.jsonl"
    if not path.exists():
        pytest.skip("the files of ../shared/data/formats are not beside the project")
    result = run_engine.check(tmp_path, path)
    roots = [
        int(span["endTimeUnixNano"]) // 1000 - int(span["startTimeUnixNano"]) // 1000
        for line in path.read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
        if not span.get("parentSpanId")
    ]
    data = result.tables["overall"].data
    assert (data["request_n"], data["request_sum"]) == ([len(roots)], [sum(roots)])
