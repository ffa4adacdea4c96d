"""The calls of one week of a support copilot, with known things planted in it.

The same seed gives the same calls on every run. Each call draws from a generator of its own,
seeded by (seed, session, position), so the quiet and the planted week of one seed differ only
in the calls that a plant touches. Standard library only.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Call = dict[str, Any]

SEED = 45
CALLS = 10_500
WEEK_START = datetime(2026, 11, 16, tzinfo=UTC)
WEEK_END = WEEK_START + timedelta(days=7)
NAME = "support-copilot"
RELEASE_SWITCH = datetime(2026, 11, 19, 9, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Planted:
    """One thing planted in the week: from `onset` to `end` (exclusive), both on 5-minute bins.

    `dimension`=`value` is what drives it (None where nothing does); `indicator` is what it
    moves first, `also` what it moves as a consequence.
    """

    name: str
    kind: str
    onset: datetime
    end: datetime
    dimension: str | None
    value: str | None
    indicator: str
    also: tuple[str, ...] = ()

    def covers(self, at: datetime) -> bool:
        """Whether the instant lies inside."""
        return self.onset <= at < self.end


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


SLOW = Planted(
    "provider-slow", "latency", _at(18, 13, 35), _at(18, 16, 10),
    "provider", "openai", "latency", ("ttft", "output_tokens_per_second"),
)  # fmt: skip
ERRORS = Planted(
    "model-errors", "errors", _at(18, 13, 35), _at(18, 16, 10),
    "model", "gpt-4o-2024-08-06", "error_rate", ("rate_limit_rate", "retry_rate"),
)  # fmt: skip
BURST = Planted(
    "injection-burst", "guardrail", _at(20, 10, 20), _at(20, 11, 50),
    "tenant_id", "maple", "guardrail_trigger_rate", ("block_rate", "bypass_rate", "calls"),
)  # fmt: skip
STALE = Planted(
    "stale-index", "retrieval", _at(21, 0), _at(22, 11),
    "index_version", "2026-11-20", "retrieval_hit_rate", ("retrieval_empty_rate",),
)  # fmt: skip
HANG = Planted(
    "tool-hang", "tool", _at(17, 18, 10), _at(17, 20, 40),
    "tool", "get_order", "tool_error_rate", ("tool_timeout_rate", "latency"),
)  # fmt: skip
PARTIAL = Planted("partial-day", "gap", _at(22, 11), _at(23, 0), None, None, "calls")
PLANTED = (HANG, SLOW, ERRORS, BURST, STALE, PARTIAL)
BURST_CALLS = 96


@dataclass(frozen=True)
class Model:
    """A model: prices in nano-dollars per token, speed in output tokens per second."""

    provider: str
    request: str
    response: str
    price_in: int
    price_out: int
    price_read: int
    price_write: int
    speed: float = 0.0
    ttft_ms: float = 0.0


GPT_4O = Model("openai", "gpt-4o", "gpt-4o-2024-08-06", 2500, 10_000, 1250, 2500, 105, 330)
GPT_MINI = Model("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", 150, 600, 75, 150, 125, 280)
SONNET = Model(
    "anthropic", "claude-sonnet-4", "claude-sonnet-4-20250514", 3000, 15_000, 300, 3750, 95, 390
)
EMBED = Model("openai", "text-embedding-3-large", "text-embedding-3-large", 130, 0, 130, 130)

# Calls per hour of a weekday in UTC, as shares of the busiest hour.
HOURS = (
    0.22, 0.20, 0.20, 0.20, 0.22, 0.28, 0.42, 0.65, 0.88, 1.00, 1.00, 0.98,
    0.92, 1.00, 1.00, 1.00, 0.95, 0.88, 0.75, 0.62, 0.50, 0.40, 0.32, 0.26,
)  # fmt: skip
WEEKEND = 0.45
USERS = 600
TENANTS = (
    "alder", "birch", "cedar", "elm", "fir", "hazel",
    "juniper", "larch", "maple", "oak", "pine", "rowan",
)  # fmt: skip
CHUNKS = 420
TOOLS = {  # name: share of tool calls, median ms, server, input, output
    "search": (0.40, 140.0, "kb", "query {}", "{} articles"),
    "get_order": (0.32, 210.0, "crm", "order {}", "order {} shipped"),
    "refund_policy": (0.18, 60.0, None, "region {}", "{} days"),
    "send_email": (0.10, 180.0, "mail", "template {}", "queued {}"),
}
REPLIES = (
    "Your parcel is on its way.", "The refund was issued today.", "Please restart the app.",
    "I have opened a ticket.", "Your plan renews next month.", "The invoice is attached.",
    "You can change it in settings.", "Our team will reply soon.", "That size is back in stock.",
    "Here is a short summary.", "The order can still be changed.", "No action is needed.",
)  # fmt: skip


@dataclass(frozen=True)
class _Session:
    name: str
    user: str
    tenant: str
    model: Model
    attack: bool = False


@dataclass
class _Turn:
    """One call in the making: what every part of it draws from and adds to."""

    rng: random.Random
    at: datetime
    session: _Session
    planted: bool
    operation: str = "chat"
    spent_ms: float = 0.0
    call: Call = field(default_factory=dict)

    def inside(self, plant: Planted) -> bool:
        return self.planted and plant.covers(self.at)

    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def around(self, median: float, sigma: float) -> float:
        return self.rng.lognormvariate(math.log(median), sigma)


def calls_for_week(seed: int = SEED, planted: bool = True, n: int = CALLS) -> Iterator[Call]:
    """Yield the calls of the week in order of time, each as the dict of one native log line.

    A quiet week has exactly `n` calls. A planted one lacks those after the partial day's end
    and has the burst's on top; duplicates and broken lines are the writer's (generate.py).
    """
    plan = _plan(seed, n)
    if planted:
        plan = [step for step in plan if not PARTIAL.covers(step[0])] + _burst(seed)
        plan.sort(key=lambda step: (step[0], step[1].name, step[2]))
    for at, session, position in plan:
        rng = random.Random(f"{seed}/{session.name}/{position}")
        yield _call(_Turn(rng, at, session, planted))


def _plan(seed: int, n: int) -> list[tuple[datetime, _Session, int]]:
    """When each of the `n` calls starts, and whose it is: (start, session, position in it)."""
    rng = random.Random(f"{seed}/plan")
    weights = [HOURS[h % 24] * (WEEKEND if h >= 120 else 1.0) for h in range(168)]
    hours = list(range(168))
    tenant_weights = [1 / (rank + 2) for rank in range(len(TENANTS))]
    # Who works where does not depend on the seed: the same user is in the same tenant always.
    tenant_of = random.Random("tenants").choices(TENANTS, tenant_weights, k=USERS)
    user_weights = [1 / (rank + 30) for rank in range(USERS)]
    plan: list[tuple[datetime, _Session, int]] = []
    number = 0
    while len(plan) < n:
        number += 1
        user = rng.choices(range(USERS), user_weights)[0]
        model = rng.choices((GPT_4O, GPT_MINI, SONNET), (0.46, 0.29, 0.25))[0]
        session = _Session(f"s-{number:05d}", f"u-{user:03d}", tenant_of[user], model)
        at = WEEK_START + timedelta(
            hours=rng.choices(hours, weights)[0], milliseconds=rng.randrange(3_600_000)
        )
        for position in range(1 + min(9, int(rng.expovariate(1 / 3)))):
            if at < WEEK_END and len(plan) < n:
                plan.append((at, session, position))
            at += timedelta(milliseconds=int(rng.lognormvariate(math.log(45_000), 0.7)))
    plan.sort(key=lambda step: (step[0], step[1].name, step[2]))
    return plan


def _burst(seed: int) -> list[tuple[datetime, _Session, int]]:
    rng = random.Random(f"{seed}/burst")
    width_ms = int((BURST.end - BURST.onset).total_seconds() * 1000)
    plan = []
    for i in range(BURST_CALLS):
        number = i * 12 // BURST_CALLS
        session = _Session(f"s-9{number:04d}", f"u-9{number % 3:02d}", str(BURST.value), GPT_MINI,
                           attack=True)  # fmt: skip
        at = BURST.onset + timedelta(
            milliseconds=(i * width_ms + rng.randrange(width_ms)) // BURST_CALLS
        )
        plan.append((at, session, i))
    return plan


def _call(turn: _Turn) -> Call:
    """Build one call: input checks, retrieval, the model, its tools, output checks."""
    rng, session = turn.rng, turn.session
    turn.operation = rng.choices(("chat", "summarize", "embeddings"), (0.83, 0.13, 0.04))[0]
    if session.attack:
        turn.operation = "chat"
    model = EMBED if turn.operation == "embeddings" else session.model
    new = turn.at >= RELEASE_SWITCH
    call = turn.call
    call |= {
        "timestamp": turn.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "trace_id": f"{rng.getrandbits(128):032x}",
        "span_id": f"{rng.getrandbits(64):016x}",
        "parent_span_id": None,
        "session_id": session.name,
        "user_id": session.user,
        "tenant_id": session.tenant,
        "service": NAME,
        "environment": "production",
        "release": "2026.47" if new else "2026.46",
        "prompt_version": "v12" if new else "v11",
        "operation": turn.operation,
        "provider": model.provider,
        "request_model": model.request,
        "response_model": model.response,
        "stream": turn.operation == "chat" and turn.chance(0.92),
        "status": "ok",
        "error_type": None,
        "retries": int(turn.chance(0.012)),
        "cost_usd": 0.0,
        "input_hash": hashlib.sha256(b"%d" % rng.randrange(5000)).hexdigest()[:16],
    }
    if turn.operation == "embeddings":
        _embed(turn, model)
    elif turn.operation == "chat" and not session.attack and turn.chance(0.02):
        _cache_hit(turn, model)
    else:
        _answer(turn, model)
    call["latency_ms"] = round(turn.spent_ms, 2)
    return call


def _embed(turn: _Turn, model: Model) -> None:
    turn.spent_ms = turn.around(70, 0.35) * _slowness(turn, model)
    turn.call["input_tokens"] = int(turn.around(220, 0.5))
    turn.call["cost_usd"] = turn.call["input_tokens"] * model.price_in / 1e9


def _cache_hit(turn: _Turn, model: Model) -> None:
    """A gateway's answer: under 3 ms, tokens filled in, nothing paid, the model not asked."""
    turn.spent_ms = turn.around(0.6, 0.4)
    turn.call |= {"cache_hit": True, "stream": False, "retries": 0, "finish_reason": "stop"}
    turn.call |= _tokens(turn, model)
    turn.call["output"] = turn.rng.choice(REPLIES)


def _answer(turn: _Turn, model: Model) -> None:
    call, chat = turn.call, turn.operation == "chat"
    call["guardrails"] = _input_checks(turn)
    if any(check["action"] == "block" for check in call["guardrails"]):
        call |= {"status": "blocked", "finish_reason": "content_filter", "retries": 0}
        turn.spent_ms += turn.around(8, 0.3)
        return
    if chat and turn.chance(0.68):
        call["retrieval"] = _retrieval(turn)
    slow = _slowness(turn, model)
    errors = turn.inside(ERRORS) and model.response == ERRORS.value
    if errors and turn.chance(0.2):
        call["retries"] = turn.rng.randint(1, 2)
    if turn.chance(0.165 if errors else 0.0032):
        _fail(turn, slow, (0.65, 0.35, 0.0) if errors else (0.3, 0.4, 0.3))
        return
    first = turn.around(model.ttft_ms, 0.4) * slow
    if call["stream"]:
        call["ttft_ms"] = round(turn.spent_ms + first, 2)
    call |= _tokens(turn, model)
    speed = turn.around(model.speed, 0.2)
    turn.spent_ms += first + call["output_tokens"] / speed * 1000 * slow
    call["cost_usd"] = _cost_usd(call, model)
    call["finish_reason"] = "length" if turn.chance(0.008) else "stop"
    if chat and turn.chance(0.45):
        call["tool_calls"] = _tools(turn)
    call["guardrails"] += _output_checks(turn)
    if chat and turn.chance(0.03):
        call["action"] = _action(turn)
    if chat and turn.chance(0.09):
        call["evaluations"] = _evaluations(turn)
    call["output"] = turn.rng.choice(REPLIES)


def _slowness(turn: _Turn, model: Model) -> float:
    return 5.0 if turn.inside(SLOW) and model.provider == SLOW.value else 1.0


def _fail(turn: _Turn, slow: float, mix: tuple[float, float, float]) -> None:
    """The model's provider fails: nothing generated, nothing paid."""
    kinds = ("rate_limit_exceeded", "server_error", "timeout")
    kind = turn.rng.choices(kinds, mix)[0]
    turn.call |= {"status": "error", "error_type": kind}
    if kind == "timeout":
        turn.spent_ms = 20_000.0
    else:
        turn.spent_ms += turn.around(180 if kind == "rate_limit_exceeded" else 700 * slow, 0.3)


def _tokens(turn: _Turn, model: Model) -> Call:
    """Token counts; the input count includes cache reads and writes."""
    summary = turn.operation == "summarize"
    tokens = int(turn.around(2600 if summary else 1300, 0.35))
    cached = 1024 if tokens > 1200 and turn.chance(0.4) else 0
    written = 1024 if model is SONNET and tokens > 1200 and not cached and turn.chance(0.1) else 0
    return {
        "input_tokens": tokens,
        "output_tokens": max(5, int(turn.around(80 if summary else 58, 0.45))),
        "cache_read_input_tokens": cached,
        "cache_write_input_tokens": written,
        "reasoning_output_tokens": 0,
    }


def _cost_usd(call: Call, model: Model) -> float:
    read, written = call["cache_read_input_tokens"], call["cache_write_input_tokens"]
    nano = (
        (call["input_tokens"] - read - written) * model.price_in
        + read * model.price_read
        + written * model.price_write
        + call["output_tokens"] * model.price_out
    )
    return float(nano / 1e9)


def _check(
    turn: _Turn, name: str, stage: str, *, median_ms: float, share: float, action: str,
    bypass: float = 0.0,
) -> Call:  # fmt: skip
    """One guardrail check, triggered on that share of calls and bypassed on a share of those."""
    triggered = turn.chance(share)
    bypassed = triggered and turn.chance(bypass)
    latency = round(turn.around(median_ms, 0.3), 1)
    turn.spent_ms += latency
    return {
        "name": name,
        "stage": stage,
        "triggered": triggered,
        "action": action if triggered and not bypassed else "none",
        "latency_ms": latency,
        "bypassed": bypassed,
    }


def _input_checks(turn: _Turn) -> list[Call]:
    share, bypass = (0.72, 0.03) if turn.session.attack else (0.001, 0.0)
    return [
        _check(turn, "prompt_injection", "input", median_ms=12, share=share, action="block",
               bypass=bypass),
        _check(turn, "pii", "input", median_ms=6, share=0.0015, action="redact"),
    ]  # fmt: skip


def _output_checks(turn: _Turn) -> list[Call]:
    checks = [_check(turn, "pii", "output", median_ms=6, share=0.001, action="redact")]
    if "retrieval" in turn.call:
        checks.append(
            _check(turn, "groundedness", "output", median_ms=70, share=0.002, action="flag")
        )
    return checks


def _retrieval(turn: _Turn) -> Call:
    """One retrieval; the index is rebuilt at midnight, except where it goes stale."""
    rng, stale = turn.rng, turn.inside(STALE)
    latency = round(turn.around(42, 0.35), 1)
    turn.spent_ms += latency
    out: Call = {
        "latency_ms": latency,
        "index_version": STALE.value if stale else f"{turn.at:%Y-%m-%d}",
        "embedding_model": "text-embedding-3-large",
        "reranker": "rerank-3",
    }
    if turn.chance(0.001):
        return out | {"status": "error", "error_type": "connection_reset"}
    hit = turn.chance(0.70 if stale else 0.955)
    empty = not hit and turn.chance(0.2)
    got = [] if empty else rng.sample(range(CHUNKS), rng.randint(3, 5))
    top = rng.uniform(0.74, 0.95) if hit else rng.uniform(0.35, 0.55)
    out |= {
        "hit": hit,
        "chunk_ids": [f"c{i}" for i in got],
        "scores": [round(top * 0.93**rank, 2) for rank in range(len(got))],
    }
    if turn.chance(0.05):
        # Evaluation traffic knows which chunk it should find.
        out["expected_chunk_ids"] = [f"c{got[0] if hit else CHUNKS + rng.randrange(50)}"]
    return out


def _tools(turn: _Turn) -> list[Call]:
    names = turn.rng.choices(list(TOOLS), [tool[0] for tool in TOOLS.values()], k=2)
    if names[0] == names[1] or not turn.chance(0.4):
        del names[1]
    return [_tool(turn, name) for name in names]


def _tool(turn: _Turn, name: str) -> Call:
    rng = turn.rng
    _, median_ms, server, asked, answered = TOOLS[name]
    number = rng.randint(2, 60)
    out: Call = {
        "name": name,
        "status": "ok",
        "error_type": None,
        "latency_ms": round(turn.around(median_ms, 0.45), 1),
        "arguments_valid": True,
        "fallback": turn.chance(0.004),
        "mcp_server": server,
        "input": asked.format(number),
    }
    hanging = turn.inside(HANG) and name == HANG.value and turn.chance(0.9)
    if hanging:
        out |= {"status": "timeout", "error_type": "timeout", "latency_ms": 30_000.0}
    elif turn.chance(0.005):
        valid = turn.chance(0.6)
        kind = "server_error" if valid else "invalid_arguments"
        out |= {"status": "error", "error_type": kind, "arguments_valid": valid}
    else:
        out["output"] = answered.format(number)
    turn.spent_ms += out["latency_ms"]
    return out


def _action(turn: _Turn) -> Call:
    rng = turn.rng
    name, tier = rng.choices((("email", 1), ("refund", 2), ("close_account", 3)), (5, 4, 1))[0]
    if tier == 1:
        return {"name": name, "tier": tier, "review": "not_required"}
    return {
        "name": name,
        "tier": tier,
        "review": "approved" if turn.chance(0.93) else "rejected",
        "reviewer": f"r-{rng.randint(1, 6)}",
        "review_latency_ms": round(turn.around(80_000, 0.5), -2),
    }


def _evaluations(turn: _Turn) -> list[Call]:
    passed = turn.chance(0.96)
    score = turn.rng.uniform(0.8, 0.99) if passed else turn.rng.uniform(0.3, 0.6)
    label = "pass" if passed else "fail"
    return [{"name": "groundedness", "score": round(score, 2), "label": label}]
