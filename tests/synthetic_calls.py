"""A made-up week of calls: the raw material of `synthetic.py`. Deterministic, in plain Python.

Planted: a slow and failing afternoon on Wednesday, a burst of prompt injection on Friday, a
retrieval index that is stale from Saturday on, a tool that hangs, and a partial newest hour.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime

HOUR = 3600
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
END = START + 7 * 24 * HOUR
LAST = END - 2 * HOUR - 20 * 60
SLOW = (START + 58 * HOUR, START + 64 * HOUR)
INJECTION = (START + 110 * HOUR, START + 113 * HOUR)
STALE = START + 5 * 24 * HOUR
RELEASED = START + 84 * HOUR

# model: provider, share, median seconds, spread, input and output price in nano-dollars a token
MODELS = {
    "atlas-large": ("northwind", 0.28, 1.55, 0.45, 3000, 15000),
    "atlas-mini": ("northwind", 0.52, 0.80, 0.45, 400, 1600),
    "orion-rerank": ("contoso", 0.20, 0.42, 0.40, 100, 300),
}
GUARDS = (
    ("prompt_injection", "input", 0.004),
    ("pii_leak", "output", 0.003),
    ("off_topic", "input", 0.006),
    ("ungrounded_claim", "output", 0.005),
    ("toxicity", "output", 0.0012),
)
TOOLS = (
    ("search_docs", 0.45, 0.012),
    ("create_ticket", 0.22, 0.02),
    ("send_email", 0.15, 0.008),
    ("sql_query", 0.12, 0.035),
    ("web_fetch", 0.06, 0.09),
)
ERRORS = ("rate_limit", "server_error", "timeout", "context_length", "connection")


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    stage: str
    triggered: bool
    blocked: bool
    bypassed: bool
    latency: int


@dataclass(frozen=True, slots=True)
class Retrieval:
    index_version: str
    embedding_model: str
    hit: bool
    failed: bool
    chunks: tuple[str, ...]
    score: int
    latency: int


@dataclass(frozen=True, slots=True)
class Tool:
    tool: str
    status: str
    invalid: bool
    fallback: bool
    latency: int


@dataclass(frozen=True, slots=True)
class Call:
    start: int
    provider: str
    model: str
    operation: str
    release: str
    prompt_version: str
    tenant_id: str
    session: str
    latency: int
    ttft: int | None
    error_class: str | None
    finish_reason: str
    input_tokens: int
    output_tokens: int
    cost: int
    cache_hit: bool
    retried: bool
    service: str = "support-copilot"
    environment: str = "production"
    checks: tuple[Check, ...] = ()
    retrieval: Retrieval | None = None
    tools: tuple[Tool, ...] = field(default=())


def _traffic(hour: int) -> float:
    weekend = 0.45 if hour // 24 >= 5 else 1.0
    return 115 * weekend * (0.30 + 0.85 * max(0.0, math.sin(math.pi * (hour % 24 - 5) / 17)) ** 1.5)


def _checks(rng: random.Random, start: int) -> tuple[Check, ...]:
    found = []
    for name, stage, rate in GUARDS:
        p = 0.12 if name == "prompt_injection" and INJECTION[0] <= start < INJECTION[1] else rate
        hit = rng.random() < p
        bypassed = rng.random() < 0.003
        latency = int(rng.lognormvariate(math.log(42_000), 0.4))
        found.append(Check(name, stage, hit, hit and rng.random() < 0.6, bypassed, latency))
    return tuple(found)


def _retrieval(rng: random.Random, start: int) -> Retrieval:
    stale = start >= STALE
    failed = rng.random() < 0.004
    n = 0 if failed or rng.random() < (0.09 if stale else 0.02) else rng.randint(2, 6)
    chunks = tuple(f"kb-{int(rng.paretovariate(0.9)) % 97:03d}" for _ in range(n))
    return Retrieval(
        "kb-2026-02" if stale else "kb-2026-03", "embed-small-2",
        n > 0 and rng.random() < (0.83 if stale else 0.965), failed, chunks,
        int(1e6 * min(1, rng.betavariate(9, 4 if stale else 3))),
        int(rng.lognormvariate(math.log(95_000), 0.5)),
    )  # fmt: skip


def _tool(rng: random.Random) -> Tool:
    pick, total = rng.random(), 0.0
    name, p = TOOLS[0][0], TOOLS[0][2]
    for tool, share, rate in TOOLS:
        total += share
        if pick < total:
            name, p = tool, rate
            break
    hangs = name == "web_fetch" and rng.random() < 0.05
    status = "timeout" if hangs else "error" if rng.random() < p else "ok"
    latency = 30_000_000 if hangs else int(rng.lognormvariate(math.log(240_000), 0.6))
    return Tool(name, status, rng.random() < p / 3, rng.random() < p / 4, latency)


def _call(rng: random.Random, start: int) -> Call:
    slow = SLOW[0] <= start < SLOW[1]
    pick = rng.random()
    model = "atlas-large" if pick < 0.28 else "atlas-mini" if pick < 0.80 else "orion-rerank"
    provider, _, median, spread, dear_in, dear_out = MODELS[model]
    seconds = rng.lognormvariate(math.log(median), spread) * (2.6 if slow else 1.0)
    rate = 0.055 if slow else 0.007
    error = None
    if rng.random() < rate:
        error = "timeout" if slow and rng.random() < 0.7 else rng.choice(ERRORS)
    cache_hit = rng.random() < 0.04
    rerank = model == "orion-rerank"
    tokens_in = rng.randint(300, 3200)
    tokens_out = 0 if error or rerank else rng.randint(40, 700)
    blocked = rng.random() < 0.006
    return Call(
        start, provider, model, "rerank_answer" if rerank else "chat",
        "2026.03-rc2" if start >= RELEASED else "2026.02", "v14" if start >= RELEASED else "v13",
        f"tenant-{int(rng.paretovariate(0.8)) % 40:02d}", f"s{start // 7200}-{rng.randint(0, 40)}",
        int(seconds * 1e6),
        None if rerank or error else int(seconds * 1e6 * rng.uniform(0.15, 0.4)),
        error, "error" if error else "content_filter" if blocked else "stop",
        tokens_in, tokens_out, tokens_in * dear_in + tokens_out * dear_out,
        cache_hit, rng.random() < (0.08 if slow else 0.015),
        checks=_checks(rng, start),
        retrieval=_retrieval(rng, start) if not rerank and rng.random() < 0.6 else None,
        tools=tuple(_tool(rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))) if not rerank else (),
    )  # fmt: skip


def calls() -> list[Call]:
    """About 10,000 calls of one week, ascending in time."""
    rng = random.Random(20260302)
    found = []
    for hour in range(7 * 24):
        base = START + hour * HOUR
        starts = sorted(base + rng.randrange(HOUR) for _ in range(int(_traffic(hour))))
        found += [_call(rng, at) for at in starts if at < LAST]
    return found
