"""One week of made-up LLM traffic, as Arrow tables of native log lines.

Everything is drawn with numpy in whole columns; a chunk depends on the seed and on its first call
only, so the same request gives the same rows whatever was generated before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FIRST_DAY = datetime(2026, 11, 16, tzinfo=UTC)
DAYS = 7
DAY_US = 86_400_000_000
DAY_SHARE = np.array([1.15, 1.2, 1.2, 1.15, 1.1, 0.6, 0.6])
HOUR_SHARE = np.array(
    [2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 19, 18, 15, 17, 19, 19, 18, 15, 11, 8, 6, 5, 4, 3], float
)

SERVICES = ["copilot", "sales", "docs"]
ENVIRONMENTS = ["production", "staging"]
RELEASES = ["2026.45", "2026.46", "2026.47"]
PROMPTS = ["v11", "v12", "v13", "v13-short"]
OPERATIONS = ["chat", "text_completion", "generate_content", "embeddings"]
REQUEST_MODELS = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash", "embed-3"]
MODELS = [
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "claude-sonnet-4-5-20250929",
    "gemini-2.5-flash",
    "text-embedding-3-large",
]
PROVIDERS = ["openai", "anthropic", "google"]
PROVIDER_OF = np.array([0, 0, 1, 2, 0])
FIRST_TOKEN_MS = np.array([380.0, 240.0, 620.0, 300.0, 0.0])
MS_PER_TOKEN = np.array([9.0, 5.5, 13.0, 4.0, 0.0])
USD_PER_INPUT = np.array([2.5, 0.15, 3.0, 0.3, 0.13]) / 1e6
USD_PER_OUTPUT = np.array([10.0, 0.6, 15.0, 2.5, 0.0]) / 1e6
EMBEDDINGS = 4

TENANTS = [f"t-{i:04d}" for i in range(2_000)]
CHUNKS = [f"c{i}" for i in range(50_000)]
INDEX_VERSIONS = ["2026-11-01", "2026-11-15", "2026-11-18"]
TOOLS = [
    *("search", "get_order", "get_customer", "create_ticket", "refund", "calculator"),
    *("calendar", "send_email", "sql_query", "web_fetch", "translate", "inventory"),
]
MCP_SERVERS = ["crm", "erp", "mail"]
TOOL_ERRORS = ["timeout", "invalid_arguments", "upstream_503", "not_found"]
GUARDRAILS = ["prompt_injection", "pii", "toxicity", "groundedness"]
STAGES = ["input", "input", "output", "output"]
GUARDRAIL_P = np.array([0.004, 0.012, 0.002, 0.02])
GUARDRAIL_MS = np.array([11.0, 6.0, 18.0, 140.0])
ERRORS = ["rate_limit_error", "timeout", "overloaded_error", "invalid_request", "connection_error"]
FINISH = ["stop", "length", "tool_calls", "content_filter"]
TEXT = (
    "the customer order shipped on Monday and will arrive within two working days please reply "
    "here if the parcel is late our policy allows a refund of the full amount after thirty days "
    "I checked the account settings & found “two-factor sign-in” disabled; café résumé naïve 価格 "
    'see \\section "returns" for the steps\n- first\n- second'
)
WORDS = TEXT.split(" ")


@dataclass(frozen=True)
class Shape:
    """What to draw: number of calls, seed, and whether strings come dictionary-encoded.

    ``output_chars`` is the mean length of the output text.
    """

    calls: int
    seed: int = 1
    output_chars: int = 240
    dictionaries: bool = False

    @property
    def users(self) -> int:
        return max(self.calls // 20, 1)


def calls_per_day(calls: int) -> list[int]:
    """Calls of each day of the week; they sum to ``calls``."""
    edges = np.floor(np.cumsum(DAY_SHARE) / DAY_SHARE.sum() * calls + 0.5).astype(int)
    return [int(n) for n in np.diff(edges, prepend=0)]


def times_of_day(shape: Shape, day: int, n: int) -> Ints:
    """Sorted start times of one day's calls: microseconds since the epoch, whole milliseconds."""
    rng = np.random.default_rng([shape.seed, day, 7])
    cumulative = np.concatenate([[0.0], np.cumsum(HOUR_SHARE) / HOUR_SHARE.sum()])
    part = np.interp(np.sort(rng.random(n)), cumulative, np.linspace(0.0, 1.0, 25))
    start = int(FIRST_DAY.timestamp()) * 1_000_000 + day * DAY_US
    return start + (part * 86_400_000 * 0.999999).astype(np.int64) * 1_000


class Chunk:
    """The columns of the calls ``first`` … ``first + len(times)``; see :func:`chunk`."""

    def __init__(self, shape: Shape, first: int, times: Ints) -> None:
        self.shape = shape
        self.first = first
        self.times = times
        self.n = len(times)
        self.rng = np.random.default_rng([shape.seed, first, 11])

    def chance(self, p: float | Floats, n: int | None = None) -> Bools:
        return self.rng.random(self.n if n is None else n, dtype=np.float32) < p

    def choose(self, shares: list[float], n: int | None = None) -> Ints:
        edges = np.cumsum(shares)[:-1] / sum(shares)
        drawn = self.rng.random(self.n if n is None else n, dtype=np.float32)
        return np.searchsorted(edges, drawn, side="right")

    def text(self, words: list[str], codes: Ints, missing: Bools | None = None) -> pa.Array:
        """Strings ``words[codes]``, null where ``missing``."""
        index = pa.array(codes.astype(np.int32), mask=missing)
        coded = pa.DictionaryArray.from_arrays(index, pa.array(words))
        return coded if self.shape.dictionaries else coded.dictionary_decode()

    def hexes(self, digits: int) -> pa.Array:
        raw = self.rng.integers(0, 256, size=self.n * digits // 2, dtype=np.uint8)
        offsets = np.arange(self.n + 1, dtype=np.int32) * digits
        return pa.StringArray.from_buffers(
            self.n, pa.py_buffer(offsets), pa.py_buffer(HEX_PAIRS[raw].tobytes())
        )

    def table(self) -> pa.Table:
        n, rng = self.n, self.rng
        day = (self.times - int(FIRST_DAY.timestamp()) * 1_000_000) / DAY_US
        session = (self.first + np.arange(n) + rng.integers(-40, 40, n)) // 7
        user = scramble(session) % self.shape.users
        # a third of the tenants' weight lies on the largest few, as in any customer base
        tenant = (len(TENANTS) * (scramble(user + 77) % 65_536 / 65_536) ** 2.2).astype(np.int64)
        operation = self.choose([0.8, 0.06, 0.06, 0.08])
        model = np.where(operation == 3, EMBEDDINGS, self.choose([0.35, 0.3, 0.2, 0.15]))
        embeds = model == EMBEDDINGS
        released = np.searchsorted([0.6, 3.4], day) + self.chance(0.03) * (day < 3.4)

        status = self.choose([0.978, 0.016, 0.006])
        failed, blocked = status == 1, status == 2
        error = self.choose([0.45, 0.15, 0.2, 0.12, 0.08])
        cached = self.chance(0.025) & ~failed & ~embeds
        stream = self.chance(0.7) & ~embeds
        untold = self.chance(0.02)

        inputs = np.exp(rng.normal(7.1, 0.9, n)).astype(np.int64) + 12
        outputs = np.where(embeds, 0, np.exp(rng.normal(5.0, 0.8, n)).astype(np.int64) + 1)
        cache_read = np.where(self.chance(0.4), inputs // 2, 0)
        incident = 1.0 + 1.6 * ((np.abs(day - 3.62) < 0.05) & (model == 0))
        wait = np.exp(rng.normal(0.0, 0.45, n)) * incident
        ttft = np.round(FIRST_TOKEN_MS[model] * wait + inputs * 0.01, 2)
        latency = ttft + outputs * MS_PER_TOKEN[model] * np.exp(rng.normal(0.0, 0.25, n)) * incident
        latency += embeds * (28.0 + inputs * 0.004)
        latency = np.where(failed, np.where(error == 1, 30_000.0 + 400 * wait, 90 * wait), latency)
        latency = np.round(np.where(cached, 0.4 + wait, latency), 2)
        cost = np.round(inputs * USD_PER_INPUT[model] + outputs * USD_PER_OUTPUT[model], 7)
        cost = np.where(cached, 0.0, cost)
        words = texts(self.shape.output_chars)

        none = np.zeros(n, dtype=bool)
        silent = failed | embeds
        columns: dict[str, pa.Array] = {
            "timestamp": pa.array(self.times, pa.timestamp("us", "UTC")),
            "trace_id": self.hexes(32),
            "span_id": self.hexes(16),
            "parent_span_id": pa.nulls(n, pa.string()),
            "session_id": numbered("s-", session + 40, self.chance(0.02)),
            "user_id": numbered("u-", user, self.chance(0.03)),
            "tenant_id": self.text(TENANTS, tenant),
            "service": self.text(SERVICES, scramble(tenant) % 10 // 4),
            "environment": self.text(ENVIRONMENTS, self.chance(0.04).astype(np.int64)),
            "release": self.text(RELEASES, released),
            "prompt_version": self.text(PROMPTS, np.minimum(released + self.chance(0.1), 3)),
            "operation": self.text(OPERATIONS, operation),
            "provider": self.text(PROVIDERS, PROVIDER_OF[model]),
            "request_model": self.text(REQUEST_MODELS, model),
            "response_model": self.text(MODELS, model, failed & self.chance(0.5)),
            "input_tokens": pa.array(inputs, mask=failed | untold),
            "output_tokens": pa.array(outputs, mask=failed | untold),
            "cache_read_input_tokens": pa.array(cache_read, mask=failed | untold),
            "cache_write_input_tokens": pa.array(inputs // 8, mask=silent | (model != 2)),
            "reasoning_output_tokens": pa.array(outputs // 3, mask=silent | (model != 3)),
            "latency_ms": pa.array(latency, mask=self.chance(0.004)),
            "ttft_ms": pa.array(ttft, mask=~stream | failed | cached | untold),
            "stream": pa.array(stream),
            "status": self.text(["ok", "error", "blocked"], status),
            "error_type": self.text(ERRORS, error, ~failed),
            "finish_reason": self.text(
                FINISH, np.where(blocked, 3, self.choose([0.85, 0.05, 0.1])), silent
            ),
            "retries": pa.array((self.chance(0.03) * rng.integers(1, 4, n)).astype(np.int64)),
            "cache_hit": pa.array(cached),
            "cost_usd": pa.array(cost, mask=failed | self.chance(0.03)),
            "retrieval": self.retrievals(day),
            "tool_calls": self.tools(silent),
            "guardrails": self.guardrails(blocked),
            "action": self.actions(),
            "evaluations": self.evaluations(silent),
            "output": self.text(words, rng.integers(0, len(words), n), silent | none),
        }
        return pa.table(columns)

    def retrievals(self, day: Floats) -> pa.Array:
        n, rng = self.n, self.rng
        absent = ~self.chance(0.6)
        failed = self.chance(0.006) & ~absent
        size = np.where(self.chance(0.015), 0, 3 + (6 * rng.random(n) ** 1.5).astype(np.int64))
        size = np.where(absent | failed, 0, size)
        offsets, owner, place = spread(size)
        chunk = (len(CHUNKS) * rng.random(len(owner), dtype=np.float32) ** 2.5).astype(np.int64)
        score = np.round(rng.uniform(0.6, 0.97, n)[owner] - 0.04 * place, 3)
        expects = self.chance(0.12) & (size > 0)
        hits = self.chance(0.92)
        expected = np.where(hits, chunk[np.minimum(offsets[:-1], max(len(chunk) - 1, 0))], 49_999)
        index = np.clip(np.floor(day / 2.5).astype(np.int64), 0, 2)
        return struct(
            {
                "status": self.text(["error"], np.zeros(n, dtype=np.int64), ~failed),
                "error_type": self.text(["timeout"], np.zeros(n, dtype=np.int64), ~failed),
                "hit": pa.array(hits & (size > 0), mask=failed | self.chance(0.05)),
                "chunk_ids": lists(offsets, self.text(CHUNKS, chunk)),
                "scores": lists(offsets, pa.array(score)),
                "latency_ms": pa.array(np.round(np.exp(rng.normal(3.6, 0.5, n)), 1)),
                "expected_chunk_ids": lists(
                    np.concatenate([[0], np.cumsum(expects)]), self.text(CHUNKS, expected[expects])
                ),
                "index_version": self.text(INDEX_VERSIONS, index),
            },
            absent,
        )

    def tools(self, silent: Bools) -> pa.Array:
        counts = np.where(silent, 0, self.choose([0.65, 0.2, 0.09, 0.04, 0.02]))
        offsets, owner, _ = spread(counts)
        m = len(owner)
        tool = np.minimum(12 * self.rng.random(m) ** 1.7, 11).astype(np.int64)
        failed = self.chance(0.015 + 0.02 * (tool == 9), m)
        error = self.choose([0.3, 0.3, 0.3, 0.1], m)
        took = np.exp(self.rng.normal(4.6, 0.8, m)) + 30_000 * (failed & (error == 0))
        words = [f"item {i}" for i in range(997)]
        answers = [f"{i} rows" for i in range(61)]
        return lists(
            offsets,
            struct(
                {
                    "name": self.text(TOOLS, tool),
                    "status": self.text(["ok", "error"], failed.astype(np.int64)),
                    "error_type": self.text(TOOL_ERRORS, error, ~failed),
                    "latency_ms": pa.array(np.round(took, 1)),
                    "arguments_valid": pa.array(~(failed & (error == 1))),
                    "fallback": pa.array(self.chance(0.01, m)),
                    "mcp_server": self.text(MCP_SERVERS, tool % 3),
                    "input": self.text(words, self.rng.integers(0, 997, m)),
                    "output": self.text(answers, self.rng.integers(0, 61, m), failed),
                }
            ),
        )

    def guardrails(self, blocked: Bools) -> pa.Array:
        offsets, owner, place = spread(2 + self.choose([0.75, 0.2, 0.05]))
        m = len(owner)
        triggered = self.chance(GUARDRAIL_P[place], m) | (blocked[owner] & (place == 0))
        action = np.where(blocked[owner] & (place == 0), 0, 1)
        took = GUARDRAIL_MS[place] * np.exp(self.rng.normal(0.0, 0.3, m))
        return lists(
            offsets,
            struct(
                {
                    "name": self.text(GUARDRAILS, place),
                    "stage": self.text(STAGES, place),
                    "triggered": pa.array(triggered),
                    "action": self.text(["block", "redact"], action, ~triggered),
                    "bypassed": pa.array(np.ones(m, dtype=bool), mask=~self.chance(0.0005, m)),
                    "latency_ms": pa.array(np.round(took, 1)),
                }
            ),
        )

    def actions(self) -> pa.Array:
        n = self.n
        waits = np.round(np.exp(self.rng.normal(10.5, 0.8, n)))
        return struct(
            {
                "name": self.text(["refund", "close_account"], self.choose([0.9, 0.1])),
                "tier": pa.array(self.rng.integers(1, 4, n)),
                "review": self.text(["approved", "rejected"], self.choose([0.93, 0.07])),
                "reviewer": self.text(["r-1", "r-2", "r-3"], self.rng.integers(0, 3, n)),
                "review_latency_ms": pa.array(waits),
            },
            ~self.chance(0.01),
        )

    def evaluations(self, silent: Bools) -> pa.Array:
        offsets, owner, _ = spread((self.chance(0.08) & ~silent).astype(np.int64))
        score = np.round(self.rng.beta(9.0, 1.2, len(owner)), 2)
        return lists(
            offsets,
            struct(
                {
                    "name": self.text(["groundedness"], np.zeros(len(owner), np.int64)),
                    "score": pa.array(score),
                    "label": self.text(["pass", "fail"], (score < 0.7).astype(np.int64)),
                }
            ),
        )


def chunk(shape: Shape, first: int, times: Ints) -> pa.Table:
    """The native log lines of the calls that start at ``times``, one row a call.

    ``first`` is the number of the first of them in the whole week.
    """
    return Chunk(shape, first, times).table()


def scramble(values: Ints) -> Ints:
    """A fixed pseudo-random non-negative number for each value (splitmix64's finalizer)."""
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def numbered(prefix: str, numbers: Ints, missing: Bools) -> pa.Array:
    text = pa.array(numbers, mask=missing).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar(prefix), text, "")


def spread(counts: Ints) -> tuple[Ints, Ints, Ints]:
    """List offsets for ``counts``, and of every element its row and its place in that row."""
    offsets = np.concatenate([[0], np.cumsum(counts)])
    owner = np.repeat(np.arange(len(counts)), counts)
    return offsets, owner, np.arange(len(owner)) - offsets[:-1][owner]


def lists(offsets: Ints, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values)


def struct(fields: dict[str, pa.Array], missing: Bools | None = None) -> pa.Array:
    mask = None if missing is None else pa.array(missing)
    return pa.StructArray.from_arrays(list(fields.values()), names=list(fields), mask=mask)


def _hex_pairs() -> npt.NDArray[np.uint16]:
    return np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), dtype=np.uint16)


def _texts() -> Callable[[int], list[str]]:
    made: dict[int, list[str]] = {}

    def of_length(chars: int) -> list[str]:
        """4,001 output texts of ``chars`` characters in the mean, some with quotes and accents."""
        if chars not in made:
            rng = np.random.default_rng(chars)
            lengths = rng.integers(chars // 2, chars * 3 // 2, 4_001)
            drawn = rng.integers(0, len(WORDS), (4_001, chars // 2))
            made[chars] = [
                " ".join(WORDS[i] for i in row)[:length]
                for row, length in zip(drawn, lengths, strict=True)
            ]
        return made[chars]

    return of_length


HEX_PAIRS = _hex_pairs()
texts = _texts()
