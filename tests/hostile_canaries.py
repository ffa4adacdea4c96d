"""Canaries: a string of its own in every field of a log line, to be searched for in what we write.

Under the default profile no canary may be in any published byte. In the fields whose *name* is
published (models, tools, statuses) the canary is a secret, an e-mail address or an IP inside
an ordinary name, which must be scrubbed; in ids, messages and texts it is the whole value.
`CANARY_TOKENS` holds the part of each canary that is unique in any spelling, so that a search
for it finds half-scrubbed and escaped canaries as well; an IP address is its own token.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

# Ids, messages and texts: never published, whatever they look like.
_WHOLE = (
    "session_id", "user_id", "tenant_id", "error_type", "error", "error_message", "output",
    "input", "input_hash", "messages", "metadata", "retrieval.chunk_ids",
    "retrieval.expected_chunk_ids", "retrieval.query", "retrieval.error_type", "tool_calls.input",
    "tool_calls.output", "tool_calls.error_type", "action.reviewer", "evaluations.explanation",
    "file path",
)  # fmt: skip
# Names, ids of spans and unreadable values: published or printed, so secrets in them are scrubbed.
_SECRET = (
    "service", "environment", "release", "prompt_version", "operation", "provider",
    "request_model", "response_model", "status", "finish_reason", "trace_id", "span_id",
    "parent_span_id", "retrieval.index_version", "retrieval.embedding_model",
    "retrieval.reranker", "retrieval.status", "tool_calls.name", "tool_calls.status",
    "tool_calls.mcp_server", "guardrails.name", "guardrails.stage", "guardrails.action",
    "guardrails.scope", "action.name", "action.review", "evaluations.name", "evaluations.label",
    "timestamp", "latency_ms", "input_tokens", "unknown key", "bad line", "truncated line",
)  # fmt: skip


def _token(path: str) -> str:
    return "cnry" + hashlib.sha256(path.encode()).hexdigest()[:12]


def _secret(path: str, kind: int) -> tuple[str, str]:
    """A canary that looks like a secret, and its token. Assembled here: none is a real key."""
    token = _token(path)
    upper = token.upper()
    ip = f"203.0.113.{10 + kind}"
    claims = base64.urlsafe_b64encode(json.dumps({"sub": token}).encode()).decode().rstrip("=")
    forms = (
        ("sk-" + token + "T3BlbkFJ" + token[::-1], token),
        (f"{token}@mail.example", token),
        ("ghp_" + token + "0" * 20, token),
        (ip, ip),
        ("AKIA" + upper, upper),
        ("sk-ant-api03-" + token + "-" + token[::-1], token),
        (f"2001:db8::c4:{kind + 16:x}", f"2001:db8::c4:{kind + 16:x}"),
        ("Bearer " + token + token[::-1], token),
        ("eyJhbGciOiJIUzI1NiJ9." + claims + "." + token * 2, token),
    )
    return forms[kind % len(forms)]


def _all() -> dict[str, tuple[str, str]]:
    whole = {path: (_token(path), _token(path)) for path in _WHOLE}
    return whole | {path: _secret(path, kind) for kind, path in enumerate(_SECRET)}


CANARIES: dict[str, str] = {path: canary for path, (canary, _) in _all().items()}
"""Field path -> the canary planted there, as it stands in the log."""

CANARY_TOKENS: dict[str, str] = {path: token for path, (_, token) in _all().items()}
"""Field path -> the part to search for, regardless of case."""

CANARY_FILENAME = f"log-{CANARIES['file path']}.jsonl"
"""Name of the file that holds the canary lines: a path is not published either."""


def canary_lines(n: int) -> list[str]:
    """Return `n` valid lines that together carry every canary of a field; needs n >= 8.

    Every line carries the names and texts. One line in eight has an id, one an unreadable time
    or number; half are errors, told by `error_type` and by `error` in turn.
    """
    return [json.dumps(_line(i)) for i in range(n)]


def canary_bad_lines() -> list[bytes]:
    """Return lines to be quarantined, each with a secret in it."""
    return [
        f"panic: key {CANARIES['bad line']} refused".encode(),
        f'{{"trace_id":"{_token("truncated")}","output":"{CANARIES["truncated line"]}'.encode(),
    ]


def _name(path: str, name: str) -> str:
    return f"{name} {CANARIES[path]}"


def _line(i: int) -> dict[str, Any]:
    ids = hashlib.sha256(f"canary/{i}".encode()).hexdigest()
    odd = i % 8
    out: dict[str, Any] = {
        "timestamp": f"2026-11-16T{8 + i // 60 % 12:02d}:{i % 60:02d}:00.000Z",
        "trace_id": ids[:32],
        "span_id": ids[32:48],
        "parent_span_id": None,
        "session_id": CANARIES["session_id"],
        "user_id": CANARIES["user_id"],
        "tenant_id": CANARIES["tenant_id"],
        "service": _name("service", "support"),
        "environment": _name("environment", "production"),
        "release": _name("release", "2026.47"),
        "prompt_version": _name("prompt_version", "v12"),
        "operation": _name("operation", "chat"),
        "provider": _name("provider", "openai"),
        "request_model": _name("request_model", "gpt-4o"),
        "input_tokens": 100 + i,
        "output_tokens": 30,
        "latency_ms": 700.25 + i,
        "ttft_ms": 200.0,
        "stream": True,
        "status": "ok",
        "finish_reason": _name("finish_reason", "stop"),
        "cost_usd": 0.001,
        "input": f"Please help {CANARIES['input']}",
        "input_hash": CANARIES["input_hash"],
        "output": f"Certainly {CANARIES['output']}",
        "messages": [{"role": "user", "content": f"Hello {CANARIES['messages']}"}],
        "metadata": {"note": CANARIES["metadata"], CANARIES["unknown key"]: 1},
        CANARIES["unknown key"]: "value",
        "error_message": None,
        "retrieval": {
            "hit": i % 3 > 0,
            "query": f"How do I {CANARIES['retrieval.query']}",
            "chunk_ids": [CANARIES["retrieval.chunk_ids"]],
            "expected_chunk_ids": [CANARIES["retrieval.expected_chunk_ids"]],
            "scores": [0.7],
            "latency_ms": 40.0,
            "index_version": _name("retrieval.index_version", "2026-11-16"),
            "embedding_model": _name("retrieval.embedding_model", "embed-3"),
            "reranker": _name("retrieval.reranker", "rerank-3"),
            "status": _name("retrieval.status", "ok"),
            "error_type": None if odd else f"index {CANARIES['retrieval.error_type']} lost",
        },
        "tool_calls": [
            {
                "name": _name("tool_calls.name", "search"),
                "status": _name("tool_calls.status", "ok"),
                "error_type": f"no {CANARIES['tool_calls.error_type']}" if odd == 1 else None,
                "latency_ms": 90.0,
                "mcp_server": f"http://{CANARIES['tool_calls.mcp_server']}:8080/mcp",
                "input": f"find {CANARIES['tool_calls.input']}",
                "output": f"found {CANARIES['tool_calls.output']}",
            }
        ],
        "guardrails": [
            {
                "name": _name("guardrails.name", "pii"),
                "stage": _name("guardrails.stage", "input"),
                "triggered": odd == 2,
                "action": _name("guardrails.action", "redact"),
                "scope": _name("guardrails.scope", "user"),
                "latency_ms": 5.0,
            }
        ],
        "action": {
            "name": _name("action.name", "refund"),
            "tier": 2,
            "review": _name("action.review", "approved"),
            "reviewer": CANARIES["action.reviewer"],
            "review_latency_ms": 60_000,
        },
        "evaluations": [
            {
                "name": _name("evaluations.name", "groundedness"),
                "score": 0.9,
                "label": _name("evaluations.label", "pass"),
                "explanation": f"because {CANARIES['evaluations.explanation']}",
            }
        ],
    }
    message = f"the key {CANARIES['error_message']} was refused"
    changes: dict[int, dict[str, Any]] = {
        0: {"error_type": f"rate_limit for {CANARIES['error_type']}", "error_message": message},
        1: {"error": f"timeout of {CANARIES['error']}", "status": None},
        2: {"status": _name("status", "fine"), "response_model": _name("response_model", "gpt-4o")},
        3: {
            "trace_id": f"{CANARIES['trace_id']} {i}",
            "parent_span_id": CANARIES["parent_span_id"],
        },
        4: {"timestamp": f"at {CANARIES['timestamp']}", "span_id": f"{CANARIES['span_id']} {i}"},
        5: {"latency_ms": f"fast {CANARIES['latency_ms']}"},
        6: {"input_tokens": f"some {CANARIES['input_tokens']}", "status": "error"},
        7: {"error": {"message": f"lost {CANARIES['error']}", "type": "server_error"}},
    }
    return out | changes[odd]
