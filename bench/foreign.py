"""Logs of other tools for the bench: made-up files of any size, JSON lines each.

    python bench/foreign.py KIND --mb 500 -o FILE

Shapes and sizes are those of real exports: an OTLP line holds a request of eight spans with
messages, a LiteLLM line the price table that comes with each call, a Phoenix line all columns of
the data frame. The same arguments give the same bytes. Only the standard library.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
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


def langfuse() -> Iterator[str]:
    """Observations of the blob export."""
    dice = random.Random(7)
    for number in count(1):
        start = START // 1_000_000_000 + number // 4
        length = dice.randrange(20, 4_000) / 1_000
        used, cost = {"input": dice.randrange(20, 9_000), "output": dice.randrange(900)}, 0.000234
        is_call = number % 4 != 1
        made = {
            "id": f"{dice.getrandbits(64):016x}",
            "trace_id": f"{number // 4:032x}",
            "project_id": "bench",
            "environment": "production",
            "type": "GENERATION" if is_call else "SPAN",
            "parent_observation_id": f"{number // 4:016x}" if is_call else None,
            "start_time": f"{datetime.fromtimestamp(start, UTC):%Y-%m-%d %H:%M:%S}.000",
            "end_time": f"{datetime.fromtimestamp(start + length, UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3],
            "name": "chat gpt-4o-mini" if is_call else "answer",
            "metadata": {"team": "bench"},
            "level": "ERROR" if dice.random() < 0.01 else "DEFAULT",
            "status_message": None,
            "version": None,
            "input": json.dumps([{"role": "user", "content": PROMPT}]),
            "output": json.dumps({"role": "assistant", "content": PROMPT[:200]}),
            "provided_model_name": "gpt-4o-mini" if is_call else None,
            "model_parameters": json.dumps({"temperature": 1, "max_tokens": 900}),
            "usage_details": {**used, "total": sum(used.values())} if is_call else {},
            "cost_details": {"total": cost} if is_call else {},
            "completion_start_time": None,
            "total_cost": cost if is_call else None,
            "latency": length,
            "tool_calls": [],
        }
        yield json.dumps(made, separators=(",", ":"))


def langsmith() -> Iterator[str]:
    """Runs as the SDK writes them."""
    dice = random.Random(7)
    for number in count(1):
        root, is_call = f"run-{number // 3}-0", number % 3 != 0
        own = f"run-{number // 3}-{number % 3}"
        start = datetime.fromtimestamp(START // 1_000_000_000 + number // 3, UTC)
        end = start + timedelta(milliseconds=dice.randrange(20, 4_000))
        used = {"input_tokens": dice.randrange(20, 9_000), "output_tokens": dice.randrange(900)}
        message = {"role": "assistant", "content": PROMPT[:200]}
        made = {
            "id": own,
            "trace_id": root,
            "parent_run_id": root if is_call else None,
            "dotted_order": f"20261122T000000000000Z{root}.20261122T000000000000Z{own}",
            "run_type": "llm" if is_call else "chain",
            "name": "ChatOpenAI" if is_call else "answer",
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
            "status": "error" if dice.random() < 0.01 else "success",
            "session_name": "default",
            "tags": [],
            "events": [],
            "inputs": {"messages": [{"role": "user", "content": PROMPT}]},
            "outputs": {"choices": [{"message": message}], "usage_metadata": used},
            "extra": {
                "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini"},
                "runtime": {"sdk": "langsmith-py", "sdk_version": "0.4.1", "runtime": "python"},
                "invocation_params": {"model": "gpt-4o-mini", "stream": False},
            },
        }
        yield json.dumps(made, separators=(",", ":"))


def phoenix() -> Iterator[str]:
    """Rows of the data frame: every column in every row, most of them null."""
    dice = random.Random(7)
    empty = dict.fromkeys(
        f"attributes.{name}"
        for name in (
            "llm.system", "llm.tools", "llm.finish_reason", "tool.name", "tool_call.id",
            "guardrail", "retrieval.documents", "metadata", "tag.tags",
            "llm.token_count.prompt_details.audio", "llm.token_count.completion_details.reasoning",
        )
    )  # fmt: skip
    for number in count(1):
        start = datetime.fromtimestamp(START // 1_000_000_000 + number // 3, UTC)
        end = start + timedelta(milliseconds=dice.randrange(20, 4_000))
        is_call = number % 3 != 0
        tokens = {"prompt": dice.randrange(20, 9_000), "completion": dice.randrange(900)}
        made = {
            "name": "ChatCompletion" if is_call else "answer",
            "span_kind": "LLM" if is_call else "CHAIN",
            "parent_id": f"{number // 3:016x}" if is_call else None,
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
            "status_code": "ERROR" if dice.random() < 0.01 else "OK",
            "status_message": "",
            "events": [],
            "context.span_id": f"{dice.getrandbits(64):016x}",
            "context.trace_id": f"{number // 3:032x}",
            **empty,
            "attributes.session.id": f"s{number % 5_000}",
            "attributes.openinference.span.kind": "LLM" if is_call else "CHAIN",
            "attributes.llm.model_name": "gpt-4o-mini" if is_call else None,
            "attributes.llm.invocation_parameters": json.dumps({"model": "gpt-4o-mini"}),
            "attributes.llm.token_count.prompt": tokens["prompt"] if is_call else None,
            "attributes.llm.token_count.completion": tokens["completion"] if is_call else None,
            "attributes.input.value": PROMPT,
            "attributes.output.value": PROMPT[:200],
            "attributes.llm.input_messages": [{"message.role": "user", "message.content": PROMPT}],
            "attributes.llm.output_messages": [{"message.content": PROMPT[:200]}],
        }
        yield json.dumps(made, separators=(",", ":"))


def mlflow() -> Iterator[str]:
    """Traces of four spans, as `Trace.to_json()` writes them."""
    dice = random.Random(7)
    for number in count(1):
        trace, start = dice.randbytes(16), START + number * 250 * MS
        ids = [base64.b64encode(dice.randbytes(8)).decode() for _ in range(4)]
        spans = []
        for turn, own in enumerate(ids):
            used = {"input_tokens": dice.randrange(20, 9_000), "output_tokens": dice.randrange(900)}
            have: dict[str, Any] = {
                "mlflow.traceRequestId": f"tr-{trace.hex()}",
                "mlflow.spanType": "CHAT_MODEL" if turn else "AGENT",
                "mlflow.spanInputs": {"messages": [{"role": "user", "content": PROMPT}]},
                "mlflow.spanOutputs": {"content": PROMPT[:200]},
            }
            if turn:
                have |= {"model": "gpt-4o-mini", "mlflow.chat.tokenUsage": used}
            spans.append(
                {
                    "trace_id": base64.b64encode(trace).decode(),
                    "span_id": own,
                    "parent_span_id": ids[0] if turn else None,
                    "name": "chat" if turn else "answer",
                    "start_time_unix_nano": start + turn * MS,
                    "end_time_unix_nano": start + dice.randrange(20, 4_000) * MS,
                    "events": [],
                    "status": {"code": "STATUS_CODE_OK", "message": ""},
                    "attributes": {name: json.dumps(value) for name, value in have.items()},
                    "links": [],
                }
            )
        info = {
            "trace_id": f"tr-{trace.hex()}",
            "state": "OK",
            "trace_metadata": {"mlflow.trace.session": f"s{number % 5_000}"},
            "tags": {"mlflow.traceName": "answer"},
        }
        yield json.dumps({"info": info, "data": {"spans": spans}}, separators=(",", ":"))


def bedrock() -> Iterator[str]:
    """Converse calls as the model invocation log has them."""
    dice = random.Random(7)
    for number in count(1):
        when = datetime.fromtimestamp(START // 1_000_000_000 + number // 4, UTC)
        used = {"inputTokens": dice.randrange(20, 9_000), "outputTokens": dice.randrange(900)}
        asked = {"messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
        said = {"role": "assistant", "content": [{"text": PROMPT[:200]}]}
        made = {
            "schemaType": "ModelInvocationLog",
            "schemaVersion": "1.0",
            "timestamp": f"{when:%Y-%m-%dT%H:%M:%SZ}",
            "accountId": "111111111111",
            "region": "eu-west-1",
            "requestId": f"{dice.getrandbits(128):032x}",
            "operation": "Converse",
            "modelId": "eu.anthropic.claude-3-haiku-20240307-v1:0",
            "identity": {"arn": "arn:aws:sts::111111111111:assumed-role/bench/session"},
            "input": {
                "inputContentType": "application/json",
                "inputBodyJson": asked,
                "inputTokenCount": used["inputTokens"],
            },
            "output": {
                "outputContentType": "application/json",
                "outputBodyJson": {
                    "output": {"message": said},
                    "stopReason": "end_turn",
                    "metrics": {"latencyMs": dice.randrange(20, 4_000)},
                    "usage": {**used, "totalTokens": sum(used.values())},
                },
                "outputTokenCount": used["outputTokens"],
            },
        }
        yield json.dumps(made, separators=(",", ":"))


KINDS = {
    "otlp": otlp,
    "litellm": litellm,
    "langfuse": langfuse,
    "langsmith": langsmith,
    "phoenix": phoenix,
    "mlflow": mlflow,
    "bedrock": bedrock,
}


def write(kind: str, size: int, path: Path) -> None:
    """A file of at least `size` bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part, written = path.with_suffix(".part"), 0
    with part.open("w", encoding="utf-8", newline="\n") as out:
        for line in KINDS[kind]():
            written += out.write(line + "\n")
            if written >= size:
                break
    part.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    write(args.kind, args.mb * 1_000_000, args.out)


if __name__ == "__main__":
    main()
