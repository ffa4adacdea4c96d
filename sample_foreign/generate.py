"""Make support-agent.otlp.jsonl: what an OpenTelemetry Collector's file exporter would have written
of an invented support agent. The same bytes each time; only the standard library.

    python sample_foreign/generate.py [--out FILE]

The facts about it are in README.md, and worked out from the rules below, not from the file.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

REQUESTS = 36
EVERY_TOOL, EVERY_RATE_LIMIT, EVERY_BLOCK = 3, 18, 12
"""Requests that ask a tool and then the model again, that fail with a 429, that a check blocks."""
START = 1_794_823_200_000_000_000  # Monday, 16 November 2026, 10:00 UTC, in nanoseconds
MS = 1_000_000
APART = 300_000 * MS
HERE = Path(__file__).parent
SEED = 20261116
Attributes = dict[str, Any]


def value(found: Any) -> dict[str, Any]:
    if isinstance(found, bool):
        return {"boolValue": found}
    if isinstance(found, int):
        return {"intValue": str(found)}
    if isinstance(found, float):
        return {"doubleValue": found}
    if isinstance(found, list):
        return {"arrayValue": {"values": [value(item) for item in found]}}
    return {"stringValue": found}


class Trace:
    """One request: spans with ids that follow from its number."""

    def __init__(self, number: int) -> None:
        self.dice = random.Random(SEED * 1_000 + number)
        self.id = f"{self.dice.getrandbits(128):032x}"
        self.spans: list[dict[str, Any]] = []

    def span(
        self, name: str, parent: str, start: int, took: int, have: Attributes, error: str = ""
    ) -> str:
        """Add a span, times in nanoseconds; its id."""
        made: dict[str, Any] = {
            "traceId": self.id, "spanId": f"{self.dice.getrandbits(64):016x}",
            "parentSpanId": parent, "name": name, "kind": 1,
            "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + took),
            "attributes": [{"key": k, "value": value(v)} for k, v in have.items()],
            "status": {"code": 2, "message": error} if error else {},
        }  # fmt: skip
        self.spans.append(made)
        return str(made["spanId"])


def request(number: int) -> list[dict[str, Any]]:
    """The spans of request `number`, counted from 1."""
    trace = Trace(number)
    dice, start = trace.dice, START + (number - 1) * APART
    failed, blocked = number % EVERY_RATE_LIMIT == 0, number % EVERY_BLOCK == 5
    length = 120 * MS if blocked else dice.randrange(1_200, 3_000) * MS
    root = trace.span(
        "handle_request", "", start, length,
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "support",
         "gen_ai.conversation.id": f"conversation-{number % 9}", "user.id": f"user-{number % 7}"},
        "RateLimitError" if failed else "",
    )  # fmt: skip
    trace.span(
        "check_input", root, start + 5 * MS, 20 * MS,
        {"openinference.span.kind": "GUARDRAIL", "guardrail.name": "prompt_injection",
         "guardrail.stage": "input", "guardrail.triggered": blocked,
         "guardrail.action": "block" if blocked else "allow"},
    )  # fmt: skip
    if blocked:
        return trace.spans
    trace.span(
        "search_handbook", root, start + 30 * MS, dice.randrange(40, 90) * MS,
        {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "handbook-7",
         "retrieval.documents.0.document.id": f"page-{dice.randrange(30)}",
         "retrieval.documents.0.document.score": round(dice.uniform(0.6, 0.95), 3)},
    )  # fmt: skip
    after = start + 150 * MS
    turns = 2 if number % EVERY_TOOL == 0 else 1
    for turn in range(turns):
        chat(trace, root, after, error=failed and turn == turns - 1)
        if turn == 0 and turns == 2:
            trace.span(
                "execute_tool get_order", root, after + 450 * MS, 100 * MS,
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_order",
                 "gen_ai.tool.call.arguments": "{}", "gen_ai.tool.call.result": "{}"},
            )  # fmt: skip
        after += 560 * MS
    return trace.spans


def chat(trace: Trace, parent: str, start: int, *, error: bool) -> None:
    """A call of the model; one that fails has no answer, tokens or first token."""
    have: Attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini", "gen_ai.request.stream": True,
    }  # fmt: skip
    if error:
        have["error.type"] = "429"
        trace.span("chat gpt-4o-mini", parent, start, 60 * MS, have, "rate limit")
        return
    have |= {
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.time_to_first_chunk": 0.18,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.cache_read.input_tokens": 400, "gen_ai.output.messages": "[]",
    }  # fmt: skip
    trace.span("chat gpt-4o-mini", parent, start, trace.dice.randrange(300, 440) * MS, have)


def lines() -> list[str]:
    """One line a request, as the Collector's file exporter batches them."""
    resource = {"service.name": "support-agent", "service.version": "2026.47",
                "deployment.environment.name": "production"}  # fmt: skip
    have = [{"key": k, "value": value(v)} for k, v in resource.items()]
    made = []
    for number in range(1, REQUESTS + 1):
        scope = {"scope": {"name": "support-agent"}, "spans": request(number)}
        spans = [{"resource": {"attributes": have}, "scopeSpans": [scope]}]
        made.append(json.dumps({"resourceSpans": spans}, separators=(",", ":")))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "support-agent.otlp.jsonl")
    args = parser.parse_args()
    args.out.write_text("".join(f"{line}\n" for line in lines()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
