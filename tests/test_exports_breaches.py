"""The breach summary: what an incident needs, and nothing that a hostile log could add to it."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gonogo.conventions import Source, Status
from gonogo.exports.breaches import breaches_json, breaches_md
from gonogo.exports.markdown import summary_md
from gonogo.exports.safe import code, markdown
from gonogo.results import ReadinessResult
from hostile import ATTACK_STRINGS
from hostile_canaries import CANARIES, CANARY_TOKENS
from hostile_result import excursion, hostile_result, objective
from synthetic import synthetic_result

MARKDOWN = (
    *ATTACK_STRINGS,
    "@admin", "x@team/ops", "#123", "org/repo#1", "GH-7", "![a](http://e/x.png)", "[a](b)",
    "[a]: http://e", "<b>x</b>", "<http://evil.example>", "&#64;admin", "`a` `` b ```", "a | b",
    "\\`x\\`", "www.evil.example", "HTTPS://EVIL.EXAMPLE/x", "$x$", "~~x~~", "!12 %5 &6",
    "\n# heading\n\n- list\n\n```\ncode\n", "_x_ *y* **z**", "mailto:a@b.example", "<!-- x",
)  # fmt: skip


def _markdown_outputs(result: ReadinessResult) -> list[str]:
    return [breaches_md(result), summary_md(result, result.readiness)]


@pytest.mark.parametrize("text", [t for t in MARKDOWN if t])
def test_hostile_text_does_nothing_in_markdown(text: str) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shapes = []
    for hostile in (text, "harmless"):
        kinds = []
        for out in _markdown_outputs(hostile_result(hostile)):
            said = _from_logs(out)
            assert not re.search(r"@|<|://|(?i:www\.)|GH-\d|\x1b|#\d|\w#|::error", said)
            tokens = parser.parse(out)
            inner = [child for token in tokens for child in token.children or ()]
            kinds.append([t.type for t in tokens])
            kinds.append([t.type for t in inner if t.type in ("strong_open", "code_inline")])
            bad = {"link_open", "image", "html_inline", "html_block", "em_open", "s_open"}
            assert not {t.type for t in (*tokens, *inner)} & bad
        shapes.append(kinds)
    # Whatever the text is, the document has the same headings, lists and tables.
    assert shapes[0] == shapes[1]


def _from_logs(out: str) -> str:
    """Without the marks of the block quote, and the run book, which only a configuration sets."""
    return re.sub(r"(?m)^> |^- Run book: .*", "", out)


@pytest.mark.parametrize("path", [p for p in CANARIES if not CANARIES[p].startswith("cnry")])
def test_no_secret_comes_through_a_summary(path: str) -> None:
    result = hostile_result(f"name {CANARIES[path]}")
    token = CANARY_TOKENS[path].lower()
    for out in (*_markdown_outputs(result), breaches_json(result)):
        assert "name" in out
        assert token not in out.lower()


def test_the_breach_is_told_with_time_peak_counts_and_limit() -> None:
    result = synthetic_result()
    out = breaches_md(result)
    lines = out.splitlines()
    assert lines[0] == "# NO-GO"
    o = result.objectives[0]
    e = next(e for e in result.excursions if e.objective == o.id)
    assert f"### `{o.expression.replace('<=', '≤')}`" in lines
    assert any(line.startswith("- Since Wed 4 Mar 2026 10:00 UTC, until") for line in lines)
    assert any(f"{e.peak_bad} bad of {e.peak_total}" in line for line in lines)
    assert any(f"{o.total - (o.good or 0):,} bad of {o.total:,}" in line for line in lines)
    assert "default threshold" not in out
    assert "nearest" not in out


def test_excursions_of_what_holds_are_told_apart_with_their_limit() -> None:
    result = synthetic_result()
    held = breaches_md(result).split("## Excursions of objectives that hold over the period")[1]
    assert "### `error_rate ≤ 1.5%`" in held
    assert "- Threshold: written in the configuration (readiness.toml:3:1)" in held
    data = json.loads(breaches_json(result))
    assert [b["objective"] for b in data["breaches"]] == ["latency.p95"]
    assert [b["objective"] for b in data["excursions"]] == ["error_rate"]
    assert data["excursions"][0]["intervals"][0]["bad"] == 36


def test_times_are_said_in_utc_and_in_the_declared_zone() -> None:
    base = synthetic_result()
    period = base.period.model_copy(update={"timezone": "Asia/Kolkata"})
    out = breaches_md(synthetic_result(period=period))
    assert "Since Wed 4 Mar 2026 10:00 UTC (Wed 4 Mar 2026 15:30 IST)" in out
    data = json.loads(breaches_json(synthetic_result(period=period)))
    interval = data["breaches"][0]["intervals"][0]
    assert interval["since_utc"] == "2026-03-04T10:00:00Z"
    assert interval["since_local"] == "2026-03-04T15:30:00+05:30"


def test_a_zone_that_does_not_exist_is_taken_as_utc() -> None:
    for zone in ("Mars/Olympus", "../../etc/passwd", "", "\x00"):
        period = synthetic_result().period.model_copy(update={"timezone": zone})
        assert "10:00 UTC, until" in breaches_md(synthetic_result(period=period))


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (Source.DEFAULT, "default threshold, not your SLA"),
        (Source.PROPOSED, "proposed threshold, not agreed yet"),
        (Source.WRITTEN, "written in the configuration (readiness.toml:3:1), agreed by SRE"),
    ],
)
def test_the_source_of_the_threshold_is_said(source: Source, note: str) -> None:
    o = objective("error_rate", source=source, agreed_by=None, defined_at=None)
    if source is Source.WRITTEN:
        o = o.model_copy(update={"agreed_by": "SRE", "defined_at": "readiness.toml:3:1"})
    result = synthetic_result(objectives=(o,), excursions=())
    assert f"- Threshold: {note}" in breaches_md(result).splitlines()
    assert json.loads(breaches_json(result))["breaches"][0]["threshold_note"] == note


def test_with_nothing_over_its_limit_the_nearest_is_named() -> None:
    calm = tuple(
        o.model_copy(update={"status": Status.MET})
        for o in synthetic_result().objectives
        if o.status is not Status.BREACHED
    )
    result = synthetic_result(objectives=calm, excursions=())
    out = breaches_md(result)
    # 2.26 % of 2.5 % is nearer than 0.98 % of 1.5 %, 893 ms of 1.5 s, and 8 % missed of 10 %.
    assert "Nothing is over its limit; nearest: `guardrail_trigger_rate ≤ 2.5%`" in out
    data = json.loads(breaches_json(result))
    assert data["breaches"] == []
    assert data["nearest"]["objective"] == "guardrail_trigger_rate"


def test_the_distance_of_a_rate_that_should_be_high_is_that_of_its_misses() -> None:
    hits = objective("hits", comparator=">=", limit="0.9", observed=0.905, status=Status.MET)
    errors = objective("errors", observed=0.009, status=Status.MET)
    result = synthetic_result(objectives=(errors, hits), excursions=())
    assert json.loads(breaches_json(result))["nearest"]["objective"] == "hits"


def test_nothing_judged_is_not_told_as_nothing_wrong() -> None:
    silent = objective("error_rate", status=Status.NO_DATA, observed=None)
    out = breaches_md(synthetic_result(objectives=(silent,), excursions=()))
    assert "no objective could be judged (1 without data)" in out
    met = objective("error_rate", status=Status.MET, observed=0.001)
    out = breaches_md(synthetic_result(objectives=(met, silent), excursions=()))
    assert "Without data: 1 of 2 objectives." in out


def test_edges_that_are_not_certain_are_given_as_intervals() -> None:
    o = objective("error_rate")
    (e,) = (excursion("error_rate"),)
    unsure = e.model_copy(
        update={"onset_between": (e.onset - 900, e.onset + 300), "end_between": (e.end, e.end)}
    )
    result = synthetic_result(objectives=(o,), excursions=(unsure,))
    out = breaches_md(result)
    assert out.count("with 95 % confidence") == 1
    assert "Began between" in out
    interval = (json.loads(breaches_json(result))["breaches"] or [{}])[0]["intervals"][0]
    assert len(interval["since_between_utc"]) == 2
    assert interval["since_between_utc"][0] < interval["since_utc"]
    assert interval["until_between_utc"] == [interval["until_utc"]] * 2
    certain = synthetic_result(objectives=(o,), excursions=(e,))
    assert "95 % confidence" not in breaches_md(certain)


def test_an_ongoing_breach_has_no_end() -> None:
    o = objective("error_rate")
    result = synthetic_result(objectives=(o,), excursions=(excursion("error_rate", ongoing=True),))
    assert "still over at the end of the data" in breaches_md(result)
    interval = json.loads(breaches_json(result))["breaches"][0]["intervals"][0]
    assert interval["ongoing"] is True
    assert interval["until_utc"] is None


def test_a_breach_without_an_interval_says_why() -> None:
    o = objective("error_rate")
    result = synthetic_result(objectives=(o,), excursions=())
    assert "no interval stands out" in breaches_md(result)
    timeless = result.period.model_copy(
        update={"first": None, "last": None, "start": None, "end": None}
    )
    result = synthetic_result(objectives=(o,), excursions=(), period=timeless, as_of=None)
    assert "the records carry no time" in breaches_md(result)


def test_both_forms_fit_into_64_kb_and_count_what_is_left_out() -> None:
    long = "名" * 400
    many = tuple(objective(f"{i} {long}") for i in range(150))
    spans = tuple(excursion(o.id, i) for o in many[:5] for i in range(100))
    result = hostile_result("x", objectives=many, excursions=spans)
    out, data = breaches_md(result), json.loads(breaches_json(result))
    assert len(out.encode()) < 64_000
    assert len(breaches_json(result).encode()) < 64_000
    shown = out.count("### ")
    assert 0 < shown < 150
    assert f"… and {150 - shown} more" in out
    assert "and 90 more intervals" in out
    assert len(data["breaches"]) + data["left_out"] == 150
    assert len(data["breaches"]) > 0
    assert data["breaches"][0]["intervals_left_out"] == 90


def test_the_same_result_gives_the_same_bytes() -> None:
    assert breaches_md(synthetic_result()) == breaches_md(synthetic_result())
    assert breaches_json(synthetic_result()) == breaches_json(synthetic_result())


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=40), st.text("`|\\\\*_[]()!<>&#@~$ a1\n:/w.", max_size=20)))
def test_any_text_stays_text(text: str) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def inline(made: str) -> list[str]:
        tokens = parser.parse(f"x {made} y")
        assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
        return [t.type for t in tokens[1].children or ()]

    assert inline(code(text)) == ["text", "code_inline", "text"]
    assert set(inline(markdown(text))) <= {"text", "text_special"}


def test_our_own_figures_stay_readable() -> None:
    assert markdown("error_rate was 86.7 %, 1,734 of 2,000") == (
        "error_rate was 86.7 %, 1,734 of 2,000"
    )
    assert markdown("a <= 2.5s & b > 1") == "a ≤ 2.5s &amp; b &gt; 1"
    assert code("latency.p95{model=gpt-4o*} <= 2.5s") == "`latency.p95{model=gpt-4o*} ≤ 2.5s`"


def test_the_markdown_summary_marks_defaults_and_counts_the_rest() -> None:
    many = tuple(objective(f"o{i}", source=Source.DEFAULT) for i in range(40))
    result = synthetic_result(objectives=many, excursions=())
    out = summary_md(result, result.readiness)
    assert "† default threshold, not your SLA" in out
    assert "and 10 more objectives" in out
    assert "10,230 lines = 10,213 accepted + 5 quarantined + 12 duplicates" in out
    plain = summary_md(synthetic_result(), synthetic_result().readiness)
    assert "†" not in plain
