"""Hard constraints on logged outputs, against outputs and counts worked out by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import run_engine
from gonogo.config.evidence import PII, Constraint
from gonogo.conventions import Status
from gonogo.ingest.outputs import Checker
from gonogo.ingest.pii import IBAN_LENGTHS, PATTERNS, Pattern, iban, luhn
from gonogo.records import BROKEN_BY
from gonogo.results import Gate, ReadinessResult

SECRET = "sk-" + "a1" * 12
CANARY = "Zebrafinch"


def line(number: int, output: Any, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": f"2026-11-16T09:00:{number % 60:02d}Z", "trace_id": f"t{number}",
        "span_id": f"s{number}", "operation": "chat", "model": "m", "latency_ms": 100,
        "status": "ok", "output": output, **more,
    }  # fmt: skip


def judge(
    folder: Path, lines: list[dict[str, Any]], config: str, *, parquet: bool = False
) -> ReadinessResult:
    logs = folder / ("log.parquet" if parquet else "log.jsonl")
    if parquet:
        pl.DataFrame(lines).write_parquet(logs)
    else:
        logs.write_text("".join(json.dumps(row) + "\n" for row in lines))
    path = folder / "readiness.toml"
    path.write_text('[slo]\nerror_rate = "<= 50%"\n' + config)
    return run_engine.check(folder / "state", logs, config=path)


def gate(result: ReadinessResult) -> Gate:
    (found,) = [g for g in result.gates if g.id == "constraints"]
    return found


def broken(constraint: Constraint, *texts: str, folder: Path = Path()) -> list[set[str]]:
    """What breaks each text."""
    frame = pl.DataFrame({"output": list(texts)})
    checker = Checker([constraint], folder)
    assert not checker.problems, checker.problems
    found = checker.look(frame, {}, None).violations
    return [
        {BROKEN_BY[by] for row, _, by in found.rows() if row == number}
        for number in range(len(texts))
    ]


def breaks(text: str, **rules: Any) -> bool:
    return bool(broken(Constraint("x", **rules), text)[0])


# --- the rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "fine", "bad"),
    [
        ({"must_match": ("^Dear", "Yours$")}, "Dear all. Yours", "Dear all. Bye"),
        ({"must_not_match": (r"\bguarantee",)}, "a warranty", "we guarantee it"),
        ({"citation": True}, "It is so [1].", "It is so."),
        ({"citation": True}, "See https://example.org/x", "See (1)"),
        ({"citation": True}, "See [the terms](/terms)", "See [the terms]"),
        ({"banned": ("no refunds", "c++")}, "norefunds in c", "There are NO\nRefunds."),
        ({"banned": ("ass",)}, "first class", "an ass"),
        ({"banned": ("c++",)}, "c+", "in C++."),
        ({"min_chars": 3}, "äöü", "äö"),
        ({"max_chars": 3}, "äöü", "äöüß"),
        ({"json": True}, '{"a": [1]}', '{"a": [1}'),
        ({"json": True}, "null", "NaN"),
        ({"json": True}, "[]", "[" * 100_000),
    ],
)
def test_each_rule_tells_a_good_output_from_a_bad_one(
    rules: dict[str, Any], fine: str, bad: str
) -> None:
    assert not breaks(fine, **rules)
    assert breaks(bad, **rules)


# Numbers that standards and issuers publish as examples; none belongs to anybody.
PERSONAL = [
    ("email", "write to jane.doe+x@mail.example.org.", "write to jane at example"),
    ("phone", "call +44 20 7946 0958 now", "in 2026 there were 20 7946"),
    ("phone", "call (212) 555-0147", "room 212-555"),
    ("card", "4111 1111 1111 1111 123", "4111 1111 1111 1112"),
    ("card", "card 378282246310005", "order 378282246310006"),
    ("card", "5555-5555-5555-4444", "0000 0000 0000 0000"),
    ("iban", "DE89 3704 0044 0532 0130 00 BIC", "DE88 3704 0044 0532 0130 00"),
    ("iban", "gb29nwbk60161331926819", "GB29NWBK6016133192681"),
    ("national_id", "078-05-1120", "900-05-1120"),
    ("national_id", "QQ 12 34 56 C and AB 12 34 56 C", "GB 12 34 56 C"),
    ("national_id", "12345678Z", "12345678A"),
    ("national_id", "X1234567L", "X1234567T"),
    ("national_id", "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
    ("national_id", "44051401359", "44051401358"),
    ("secret", f"use {SECRET} for it", "use sk-short for it"),
    ("secret", "-----BEGIN RSA PRIVATE KEY-----", "a private key"),
]


@pytest.mark.parametrize(("kind", "bad", "fine"), PERSONAL)
def test_personal_data_is_found_and_its_check_digits_are_checked(
    kind: str, bad: str, fine: str
) -> None:
    assert broken(Constraint("x", pii=PII), bad) == [{kind}]
    assert broken(Constraint("x", pii=(kind,)), fine) == [set()]


def test_each_of_many_texts_has_what_is_in_it_and_no_other() -> None:
    texts = [text for _, bad, _ in PERSONAL for text in (bad, "nothing here")]
    expected = [found for kind, _, _ in PERSONAL for found in ({kind}, set())]
    assert broken(Constraint("x", pii=PII), *texts) == expected
    assert broken(Constraint("x", pii=PII), *reversed(texts)) == expected[::-1]


def test_every_kind_has_patterns_with_a_source_and_a_test() -> None:
    assert {one.kind for one in PATTERNS} == set(PII) == {kind for kind, _, _ in PERSONAL}
    assert all(one.source for one in PATTERNS)
    assert set(PII) < set(BROKEN_BY)


@settings(max_examples=5, deadline=None)
@pytest.mark.parametrize("one", PATTERNS, ids=lambda one: one.pattern[:30])
@given(data=st.data())
def test_what_a_pattern_finds_holds_one_of_its_cues(one: Pattern, data: st.DataObject) -> None:
    # The same language for Python's engine, which the texts are made by.
    form = one.pattern.replace("}+", "}").replace("*+", "*").replace(r"\p{L}", "[a-zé]")
    found = data.draw(st.from_regex(re.compile(form, re.ASCII), fullmatch=True))
    assert any(cue in found.lower() for cue in one.cues)


@settings(max_examples=60)
@given(st.text("0123456789", min_size=12, max_size=18).filter(lambda t: len(set(t)) > 1))
def test_one_check_digit_of_ten_is_right(payload: str) -> None:
    right = [d for d in "0123456789" if luhn(payload + d)]
    assert len(right) == 1 or len(set(payload + right[0])) == 1


@settings(max_examples=60)
@given(st.sampled_from(sorted(IBAN_LENGTHS)), st.data())
def test_an_iban_has_one_pair_of_check_digits_and_its_country_s_length(
    country: str, data: st.DataObject
) -> None:
    size = IBAN_LENGTHS[country] - 4
    account = data.draw(st.text("0123456789ABCDEFXYZ", min_size=size, max_size=size))
    right = [n for n in range(2, 99) if iban(f"{country}{n:02d}{account}")]
    assert len(right) == 1
    assert not iban(f"{country}{right[0]:02d}{account[:-1]}")


def test_a_catastrophic_pattern_takes_linear_time() -> None:
    """Engines that go back over the text would not end before the sun does."""
    text = "a" * 200_000 + "!"
    assert not breaks(text, must_not_match=(r"(a+)+$", r"(a|aa)+$", r"(.*a){12}$"))
    assert breaks(text, must_not_match=(r"(a+)+!",))


# --- JSON Schema ----------------------------------------------------------------------------------


def test_outputs_are_valid_against_a_schema(tmp_path: Path) -> None:
    schema = {
        "type": "object", "required": ["id"], "additionalProperties": False,
        "properties": {"id": {"type": "string", "pattern": "^(a+)+$"}},
        "patternProperties": {"^x_": {"type": "integer"}},
    }  # fmt: skip
    (tmp_path / "s.json").write_text(json.dumps(schema))
    texts = ['{"id":"aa"}', '{"id":"aa","x_1":3}', '{"id":"aa","x_1":"3"}', "{}", "no JSON",
             json.dumps({"id": "a" * 5000 + "!"})]  # fmt: skip
    found = broken(Constraint("x", json_schema="s.json"), *texts, folder=tmp_path)
    assert [bool(one) for one in found] == [False, False, True, True, True, True]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"), ("{", "is not JSON"), ('{"type": 3}', "is none"),
        ('{"$ref": "https://example.org/other.json"}', "refers to another file"),
        ('{"pattern": "(?=x)"}', "is not supported (at character 1)"),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_no_data(
    tmp_path: Path, content: str | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "s.json").write_text(content)
    config = '[[constraint]]\nname = "shape"\njson_schema = "s.json"\n'
    found = gate(judge(tmp_path, [line(1, "{}")], config))
    assert found.status is Status.NO_DATA
    assert words in found.text


# --- over a log -----------------------------------------------------------------------------------

RULES = """
[[constraint]]
name = "no personal data"
policy = "privacy policy, 4"
pii = ["email", "card"]
[[constraint]]
name = "cited"
citation = true
operations = ["chat"]
limit = "50%"
"""


@pytest.mark.parametrize("parquet", [False, True])
def test_rates_and_witnesses_are_those_of_the_log(tmp_path: Path, parquet: bool) -> None:
    lines = [
        line(1, f"{CANARY} [1] a@b.example"),
        line(2, f"{CANARY} [2]"),
        line(3, f"{CANARY}"),
        line(4, "4111111111111111 and c@d.example", operation="title"),
        line(5, None, status="error", error_type="timeout"),
        line(6, "a@b.example", operation="embeddings"),
        line(1, f"{CANARY} [1] a@b.example"),  # a duplicate counts once
    ]
    result = judge(tmp_path, lines, RULES, parquet=parquet)
    table = result.tables["constraints"].data
    assert table["constraint"] == ["no personal data", "cited"]
    # Line 5 failed and line 6 embeds: neither has an answer to look at.
    assert table["calls"] == table["looked_at"] == [4, 3]
    assert table["violated"] == [2, 1]
    breaks = result.tables["constraint_breaks"].data
    assert list(zip(*(breaks[k] for k in ("constraint", "by", "outputs")), strict=True)) == [
        ("no personal data", "a card number", 1),
        ("no personal data", "an e-mail address", 2),
        ("cited", "no source is named", 1),
    ]
    traces = result.tables["constraint_traces"].data
    seen = set(zip(traces["name"], traces["why"], traces["trace_id"], strict=True))
    assert seen == {
        ("no personal data", "an e-mail address", "t1"),
        ("no personal data", "an e-mail address", "t4"),
        ("no personal data", "a card number", "t4"),
        ("cited", "no source is named", "t3"),
    }
    found = gate(result)
    assert found.status is Status.BREACHED
    assert "broken by 2 of 4 outputs (50 %), limit 0 %" in found.text
    assert [f.status for f in found.findings] == [Status.BREACHED, Status.MET]
    assert CANARY not in result.model_dump_json()
    assert "example" not in result.model_dump_json()


def test_an_output_that_is_an_object_is_looked_into(tmp_path: Path) -> None:
    mail = "a@b.example"
    outputs: list[Any] = [
        "plain", {"content": mail}, [{"role": "assistant", "content": [{"text": mail}]}],
        {"choices": [{"message": {"content": mail}}]}, {"content": "fine", "n": 1}, 17, "",
    ]  # fmt: skip
    for order in (1, -1):
        rows = [line(n, output) for n, output in enumerate(outputs[::order])]
        config = '[[constraint]]\nname = "x"\npii = "email"\n'
        result = judge(tmp_path, rows, config)
        assert result.tables["constraints"].data["violated"] == [3]
        assert result.tables["constraints"].data["looked_at"] == [6]


def test_an_output_under_a_name_of_ones_own_and_in_many_files(tmp_path: Path) -> None:
    rows = [line(n, None) | {"reply": {"text": "a@b.example" if n % 3 else "x"}} for n in range(9)]
    config = '[fields]\noutput = "reply.text"\n[[constraint]]\nname = "x"\npii = "email"\n'
    result = judge(tmp_path, rows, config)
    assert result.tables["constraints"].data["violated"] == [6]


def test_outputs_that_are_not_logged_are_no_data(tmp_path: Path) -> None:
    config = '[[constraint]]\nname = "x"\npii = "email"\n'
    nothing = gate(judge(tmp_path, [line(n, None) for n in range(4)], config))
    assert (nothing.status, nothing.text) == (Status.NO_DATA, "x: no output is logged")
    few = gate(judge(tmp_path, [line(n, "hi" if n == 1 else None) for n in range(4)], config))
    assert few.status is Status.NO_DATA
    assert "only 25 % of 4 calls log their output" in few.text
    half = gate(judge(tmp_path, [line(n, "hi" if n < 2 else None) for n in range(4)], config))
    assert half.status is Status.MET
    other = config + 'operations = ["summary"]\n'
    assert "no call should have an output for summary" in gate(
        judge(tmp_path, [line(1, "hi")], other)
    ).text  # fmt: skip


def test_without_a_constraint_no_output_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("an output was read")

    monkeypatch.setattr("gonogo.ingest.outputs.output_texts", never)
    assert not judge(tmp_path, [line(1, "hi")], "").gates


def test_a_million_characters_are_looked_at_once() -> None:
    """Not a measurement: it would run for hours if any rule went over the text again and again."""
    text = ("4111 1111 1111 111" * 20_000) + ("a" * 300_000) + "@" * 100_000
    assert broken(Constraint("x", pii=PII, citation=True, banned=("b b",)), text) == [{"citation"}]
