"""The sample of somebody else's log: what its README says of it, and what gonogo makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import run_engine
from gonogo.results import ReadinessResult

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "sample_foreign"
LOG = FOLDER / "support-agent.otlp.jsonl"
S = 1_000_000


def result(folder: Path) -> ReadinessResult:
    return run_engine.check(folder, LOG)


def test_the_file_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    again = tmp_path / "again.jsonl"
    made = [sys.executable, FOLDER / "generate.py", "--out", again]
    subprocess.run([str(word) for word in made], check=True)
    assert again.read_bytes() == LOG.read_bytes()


def test_its_facts_are_those_of_the_readme(tmp_path: Path) -> None:
    found = result(tmp_path)
    row = {k: v[0] for k, v in found.tables["overall"].data.items()}
    # 36 requests, 3 of them blocked; a second call in the 12 that ask a tool.
    assert (found.ingest.lines, row["calls"]) == (162, 33 + 12)
    assert (row["errors"], row["rate_limited"]) == (2, 2)
    assert (row["input_tokens"], row["output_tokens"]) == (43_000, 4_300)
    assert (row["ttft_n"], row["tool_calls"], row["retrievals"]) == (43, 12, 33)
    # 600 x $0.15 + 400 x $0.075 + 100 x $0.60 a million, 43 times; the refused ones cost nothing.
    assert (row["cost"], row["cost_n"]) == (43 * 180_000, 45)
    (check,) = run_engine.rows_of(found.tables["guardrails"], "name").values()
    assert (check["calls"], check["triggered"], check["blocked"]) == (36, 3, 3)
    # Each call stands in a trace whose check says what it found, on a span of its own.
    (flags,) = [c for c in found.coverage if c.field == "guardrails.triggered"]
    assert (flags.present, flags.applicable) == (45, 45)
    readme = (FOLDER / "README.md").read_text()
    for words in ("36, five minutes apart", "| 162:", "| 45:", "| 3 (requests", "| 2 (requests",
                  "$0.00774", "43 answers"):  # fmt: skip
        assert words in readme


def test_its_requests_take_as_long_as_their_root_spans(tmp_path: Path) -> None:
    took = []
    for line in LOG.read_text().splitlines():
        spans = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        root = next(span for span in spans if not span["parentSpanId"])
        if any(span["name"].startswith("chat") for span in spans):
            took.append((int(root["endTimeUnixNano"]) - int(root["startTimeUnixNano"])) // 1000)
    row = {k: v[0] for k, v in result(tmp_path).tables["overall"].data.items()}
    assert (row["request_n"], row["request_sum"]) == (33, sum(took))
    assert row["requests_failed"] == 2
    middle = sorted(took)[16]
    assert abs(row["request_p50"] - middle) <= 0.0028 * middle
    units = run_engine.rows_of(result(tmp_path).tables["cost_units"], "unit")
    assert (units["request",]["n"], units["request",]["cost"]) == (33, 43 * 180_000)


def test_a_check_without_an_outcome_covers_no_call(tmp_path: Path) -> None:
    def spans(trace: str, **check: object) -> list[dict[str, object]]:
        base = {"trace_id": trace, "is_span": True}
        return [
            {**base, "span_id": "c", "operation": "chat", "is_call": True, "model": "m"},
            {**base, "span_id": "g", "operation": "guardrail", "is_call": False,
             "guardrails": [{"name": "pii", **check}]},
        ]  # fmt: skip

    log = tmp_path / "a.jsonl"
    lines = spans("a", triggered=False) + spans("b")
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run_engine.check(tmp_path / "state", log)
    (flags,) = [c for c in found.coverage if c.field == "guardrails.triggered"]
    assert (flags.present, flags.applicable) == (1, 2)
