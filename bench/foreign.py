"""Logs of other tools for the bench: made-up OTLP/JSON and LiteLLM files of any size.

    python bench/foreign.py {otlp,litellm} --mb 500 -o FILE

Shapes and sizes are those of real exports: an OTLP line holds a request of eight spans with
messages, a LiteLLM line the price table that comes with each call. Only the standard library.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START = 1_795_337_471_000_000_000
MS = 1_000_000
PROMPT = "What does the contract say about the notice period, and from when on does it run? " * 6


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}


def span(dice: random.Random, trace: str, start: int, parent: str, **have: Any) -> dict[str, Any]:
    length = dice.randrange(20, 4_000)
    return {
        "traceId": trace,
        "spanId": f"{dice.getrandbits(64):016x}",
        "parentSpanId": parent,
        "name": "span",
        "kind": 3,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + length * MS),
        "attributes": [{"key": k, "value": any_value(v)} for k, v in have.items()],
        "status": {"code": 2} if dice.random() < 0.01 else {},
    }


def call(dice: random.Random, trace: str, start: int, root: str, turn: int) -> dict[str, Any]:
    have = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.is_streaming": turn % 2 == 0,
        "gen_ai.response.time_to_first_chunk": 0.015,
        "gen_ai.usage.input_tokens": dice.randrange(20, 9_000),
        "gen_ai.usage.output_tokens": dice.randrange(1, 900),
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.input.messages": json.dumps([{"role": "user", "content": PROMPT}]),
        "gen_ai.output.messages": json.dumps([{"content": PROMPT[:200]}]),
        "server.address": "api.example",
        "server.port": 443,
    }
    return span(dice, trace, start, root, **have)


def otlp() -> Iterator[str]:
    dice = random.Random(7)
    number = 0
    while True:
        number += 1
        trace, start = f"{dice.getrandbits(128):032x}", START + number * 250 * MS
        root = span(dice, trace, start, "", **{"session.id": f"s{number % 5_000}"})
        spans = [root]
        spans += [call(dice, trace, start + turn * MS, root["spanId"], turn) for turn in range(7)]
        resource = [{"key": "service.name", "value": any_value("support-bot")}]
        scopes = [{"scope": {"name": "bench"}, "spans": spans}]
        made = {"resource": {"attributes": resource}, "scopeSpans": scopes}
        yield json.dumps({"resourceSpans": [made]}, separators=(",", ":"))


def litellm() -> Iterator[str]:
    dice = random.Random(7)
    prices = {f"price_of_kind_{n}_per_token": None for n in range(220)}
    check = {"guardrail_name": "pii", "guardrail_mode": "pre_call", "guardrail_status": "success"}
    number = 0
    while True:
        number += 1
        start = START / 1e9 + number * 0.25
        end = start + dice.randrange(20, 4_000) / 1_000
        streamed = number % 3 == 0
        tokens = dice.randrange(20, 9_000), dice.randrange(1, 900)
        made = {
            "id": f"chatcmpl-{number}",
            "litellm_call_id": f"call-{number}",
            "trace_id": f"trace-{number}",
            "call_type": "acompletion",
            "stream": True if streamed else None,
            "status": "success",
            "cache_hit": None,
            "startTime": start,
            "endTime": end,
            "completionStartTime": (start + end) / 2 if streamed else end,
            "model": "openai/gpt-4o-mini",
            "model_group": "gpt-4o-mini",
            "custom_llm_provider": "openai",
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "response_cost": tokens[0] * 1.5e-7 + tokens[1] * 6e-7,
            "metadata": {"user_api_key_team_id": f"team-{number % 40}", "usage_object": {}},
            "guardrail_information": [check],
            "messages": [{"role": "user", "content": PROMPT}],
            "response": {"model": "gpt-4o-mini", "choices": [{"message": {"content": PROMPT}}]},
            "model_map_information": {"model_map_value": prices},
        }
        yield json.dumps(made)


def write(kind: str, size: int, path: Path) -> None:
    """A file of at least `size` bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, written = path.with_suffix(".part"), 0
    with part.open("w", encoding="utf-8", newline="\n") as out:
        for line in {"otlp": otlp, "litellm": litellm}[kind]():
            written += out.write(line + "\n")
            if written >= size:
                break
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=["otlp", "litellm"])
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    write(args.kind, args.mb * 1_000_000, args.out)


if __name__ == "__main__":
    main()
