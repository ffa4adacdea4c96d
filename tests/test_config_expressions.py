"""Objective texts: exact limits, canonical ids, and a message for each mistake."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.expressions import (
    ExpressionError,
    Key,
    default_minimum,
    parse_key,
    parse_limit,
    parse_objective,
    selector_keys,
)
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS, Source
from gonogo.indicators import DEFAULT_OBJECTIVES, INDICATORS, PROJECTIONS

LATENCY, RATE, HITS = (INDICATORS[n] for n in ("latency", "error_rate", "retrieval_hit_rate"))


def troubles(key: str, limit: str) -> list[tuple[str, str, str]]:
    with pytest.raises(ExpressionError) as caught:
        parse_objective(key, limit, source=Source.WRITTEN)
    return [(t.code, t.part, f"{t.what}; {t.hint}") for t in caught.value.troubles]


@pytest.mark.parametrize(
    ("indicator", "text", "comparator", "limit"),
    [
        ("latency", "<= 2.5s", "<=", 2_500_000),
        ("latency", "<800ms", "<", 800_000),
        ("latency", "<= 50us", "<=", 50),
        ("latency", "<= 50µs", "<=", 50),
        ("latency", "<= 1.5 min", "<=", 90_000_000),
        ("latency", "<= 0.0005ms", "<=", Fraction(1, 2)),
        ("latency", "<= 1_000s", "<=", 10**9),
        ("error_rate", "<= 1%", "<=", Fraction(1, 100)),
        ("error_rate", "<= 0.1 %", "<=", Fraction(1, 1000)),
        ("error_rate", "<= .01", "<=", Fraction(1, 100)),
        ("error_rate", "<= 0%", "<=", 0),
        ("retrieval_hit_rate", ">= 99.95%", ">=", Fraction(9995, 10_000)),
        ("retrieval_hit_rate", ">= 1", ">=", 1),
        ("retrieval_hit_rate", "> 0", ">", 0),
        ("cost_per_call", "<= $0.02", "<=", 20_000_000),
        ("cost_per_call", "<= $5k", "<=", 5000 * 10**9),
        ("cost_per_call", "< $ 1.5M", "<", 15 * 10**14),
        ("output_tokens_per_second", ">= 20.5", ">=", 20_500),
        ("input_tokens", "<= 8000", "<=", 8000),
    ],
)
def test_limits_are_exact(
    indicator: str, text: str, comparator: str, limit: int | Fraction
) -> None:
    assert parse_limit(text, INDICATORS[indicator]) == (comparator, limit)


@settings(deadline=None)
@given(st.decimals(min_value="0.000001", max_value="9999999", places=6))
def test_any_decimal_time_is_exact(seconds: Decimal) -> None:
    assert parse_limit(f"<= {seconds:f}s", LATENCY)[1] == Fraction(seconds) * 10**6
    assert parse_limit(f"<={seconds:f}ms", LATENCY)[1] == Fraction(seconds) * 1000


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value="99.999", places=3))
def test_percent_and_plain_ratio_are_the_same_limit(percent: Decimal) -> None:
    in_percent = parse_limit(f"<= {percent:f}%", RATE)[1]
    assert in_percent == parse_limit(f"<= {percent / 100:f}", RATE)[1] == Fraction(percent) / 100


def keys() -> st.SearchStrategy[tuple[str, tuple[tuple[str, str], ...]]]:
    """(indicator.statistic, selector in any order) for any indicator."""
    letters = st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(' \\",={}~*')
    globs = st.text(letters, min_size=1)

    def one(name: str) -> st.SearchStrategy[tuple[str, tuple[tuple[str, str], ...]]]:
        spec = INDICATORS[name]
        percent = st.decimals(min_value="0.001", max_value="99.999", places=3)
        statistic = percent.map(lambda p: f"{name}.p{p:f}") | st.just(f"{name}.mean")
        head = st.just(name) if spec.kind == "ratio" else statistic
        if spec.kind == "projection":
            return st.tuples(st.sampled_from([f"{name}.{s}" for s in PROJECTIONS]), st.just(()))
        selector = st.dictionaries(st.sampled_from(selector_keys(spec)), globs, max_size=4)
        return st.tuples(head, selector.map(lambda d: tuple(d.items())))

    return st.sampled_from(sorted(INDICATORS)).flatmap(one)


def written(head: str, selector: tuple[tuple[str, str], ...]) -> str:
    def quote(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    pairs = ", ".join(f"{key} = {quote(value)}" for key, value in selector)
    return f"{head}{{{pairs}}}" if pairs else head


@settings(deadline=None)
@given(keys())
def test_canonical_id_round_trips(key: tuple[str, tuple[tuple[str, str], ...]]) -> None:
    head, selector = key
    parsed = parse_key(written(head, selector))
    assert dict(parsed.selector) == dict(selector)
    assert parse_key(parsed.id) == parsed
    assert parse_key(written(head, selector[::-1])).id == parsed.id


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("latency.p95", "latency.p95"),
        (" latency.p095.0 ", "latency.p95"),
        ("latency.p99.90", "latency.p99.9"),
        ("error_rate{service=a,model=gpt-4o*}", "error_rate{model=gpt-4o*,service=a}"),
        ('error_rate{ model = "gpt 4" }', "error_rate{model=gpt 4}"),
        ('error_rate{model="a,b}"}', 'error_rate{model="a,b}"}'),
        (r'tool_error_rate{tool="say \"x\""}', r'tool_error_rate{tool="say \"x\""}'),
    ],
)
def test_canonical_ids(text: str, identity: str) -> None:
    assert parse_key(text).id == identity


def test_percentile_becomes_an_exact_quantile() -> None:
    assert parse_key("latency.p99.9") == Key("latency", "p99.9", Fraction(999, 1000), ())
    assert parse_key("error_rate") == Key("error_rate", "rate", None, ())
    assert parse_key("latency.mean").quantile is None


@pytest.mark.parametrize(
    ("key", "limit", "code", "part", "says"),
    [
        ("latency.p95", "<= 2.5", "C018", "limit", "did you mean '<= 2.5s' or '<= 2.5ms'?"),
        ("latency.p95", "2.5s", "C016", "limit", "did you mean '<= 2.5s'?"),
        ("latency.p95", "=< 2.5s", "C016", "limit", "did you mean '<= 2.5s'?"),
        ("latency.p95", "== 2.5s", "C016", "limit", "did you mean '<= 2.5s'?"),
        ("latency.p95", "≤ 2.5s", "C016", "limit", "did you mean '<= 2.5s'?"),
        ("latency.p95", "fast", "C016", "limit", "write <= and a time such as 2.5s"),
        ("latency.p95", "<= 2,5s", "C016", "limit", "decimal point"),
        ("latency.p95", "<= 1e3s", "C016", "limit", "has an exponent"),
        ("latency.p95", "<= soon", "C016", "limit", "not a number with a unit"),
        ("latency.p95", "<= ٣s", "C016", "limit", "not a number with a unit"),
        ("latency.p95", "<= 2.5 sec", "C019", "limit", "did you mean '<= 2.5s'?"),
        ("latency.p95", "<= 800MS", "C019", "limit", "did you mean '<= 800ms'?"),
        ("latency.p95", "<= 5%", "C019", "limit", "is not a time"),
        ("latency.p95", "<= $5", "C019", "limit", "is not a time"),
        ("latency.p95", "<= NaN", "C017", "limit", "not a number that anything"),
        ("latency.p95", "<= inf s", "C017", "limit", "not a number that anything"),
        ("latency.p95", "<= -1s", "C022", "limit", "no latency is below zero"),
        ("latency.p95", "<= 0s", "C022", "limit", "no latency is zero"),
        ("latency.p95", "<= 99999999999999999999s", "C024", "limit", "larger than any value"),
        ("latency.p95", "<= " + "9" * 31 + "s", "C024", "limit", "31 digits"),
        ("latency.p95", ">= 2.5s", "C021", "limit", "did you mean '<= 2.5s'?"),
        ("error_rate", ">= 1%", "C021", "limit", "a lower error rate is better"),
        ("error_rate", "< 0", "C022", "limit", "no error rate is below zero"),
        ("error_rate", "<= -1%", "C022", "limit", "no error rate is below zero"),
        ("error_rate", "<= 1", "C023", "limit", "did you mean '<= 1%'?"),
        ("error_rate", "<= 100%", "C023", "limit", "can never be missed"),
        ("error_rate", "<= 101%", "C020", "limit", "more than everything"),
        ("error_rate", "<= 2s", "C019", "limit", "is not a ratio"),
        ("retrieval_hit_rate", ">= 99.5", "C020", "limit", "did you mean '99.5%' or '0.995'?"),
        ("retrieval_hit_rate", ">= 995", "C020", "limit", "is not a ratio between 0 and 1"),
        ("retrieval_hit_rate", "> 100%", "C022", "limit", "over 100 %"),
        ("retrieval_hit_rate", ">= 0%", "C023", "limit", "can never be missed"),
        ("retrieval_hit_rate", "<= 90%", "C021", "limit", "did you mean '>= 90%'?"),
        ("cost_per_call.mean", "<= 0.02", "C018", "limit", "did you mean '<= $0.02'?"),
        ("cost_per_call.mean", "<= $5m", "C019", "limit", "is not an amount"),
        ("input_tokens.mean", "<= 8k", "C019", "limit", "plain number of tokens"),
        ("output_tokens_per_second.p5", ">= 20/s", "C019", "limit", "plain number of tokens per"),
        ("latencey.p95", "<= 1s", "C010", "key", "did you mean 'latency.p95'?"),
        ("p95_latency", "<= 1s", "C010", "key", "did you mean 'latency.p95'?"),
        ("latency_p99", "<= 1s", "C010", "key", "did you mean 'latency.p99'?"),
        ("duration.p90", "<= 1s", "C010", "key", "did you mean 'latency.p90'?"),
        ("throughput", ">= 1", "C010", "key", "did you mean 'output_tokens_per_second.p5'?"),
        ("availability", ">= 99%", "C010", "key", "error_rate <= 0.1%"),
        ("xyzzy", "<= 1", "C010", "key", "known are latency"),
        ("", "<= 1", "C010", "key", "known are latency"),
        ("latency", "<= 1s", "C011", "key", "did you mean 'latency.p95'"),
        ("latency.avg", "<= 1s", "C011", "key", "did you mean 'latency.mean'?"),
        ("latency.max", "<= 1s", "C011", "key", "an extreme is one call"),
        ("latency.P95", "<= 1s", "C011", "key", "did you mean 'latency.p95'?"),
        ("latency.q95", "<= 1s", "C011", "key", "did you mean 'latency.p95'?"),
        ("error_rate.p95", "<= 1%", "C011", "key", "takes no statistic"),
        ("latency.p0", "<= 1s", "C012", "key", "between 0 and 100"),
        ("latency.p100", "<= 1s", "C012", "key", "between 0 and 100"),
        ("latency.p-5", "<= 1s", "C012", "key", "between 0 and 100"),
        ("latency.pNaN", "<= 1s", "C012", "key", "between 0 and 100"),
        ("latency.pinf", "<= 1s", "C012", "key", "between 0 and 100"),
        ("latency.p999", "<= 1s", "C012", "key", "did you mean 'latency.p99.9'?"),
        ("latency.p99.9999999999", "<= 1s", "C012", "key", "between 0 and 100"),
        ("error_rate{model=a", "<= 1%", "C013", "key", "not closed"),
        ("error_rate{}", "<= 1%", "C013", "key", "empty"),
        ("error_rate{model}", "<= 1%", "C013", "key", "cannot be read from 'model' on"),
        ("error_rate{model=a service=b}", "<= 1%", "C013", "key", "cannot be read"),
        ("error_rate{model=}", "<= 1%", "C013", "key", "selects nothing"),
        ("error_rate{model=a,}", "<= 1%", "C013", "key", "ends with a comma"),
        ("error_rate{model=a,model=b}", "<= 1%", "C013", "key", "twice"),
        ("error_rate{model=~gpt.*}", "<= 1%", "C013", "key", "is not a glob"),
        ('error_rate{model="a\tb"}', "<= 1%", "C013", "key", "cannot be shown"),
        ("error_rate{modle=a}", "<= 1%", "C014", "key", "did you mean 'model'?"),
        ("error_rate{tool=a}", "<= 1%", "C014", "key", "is not a selector key of error_rate"),
        ("tool_error_rate{name=a}", "<= 1%", "C014", "key", "did you mean 'tool'?"),
        ("error_rate{tenant=a}", "<= 1%", "C014", "key", "did you mean 'tenant_id'?"),
    ],
)
def test_each_mistake_has_its_own_message(
    key: str, limit: str, code: str, part: str, says: str
) -> None:
    found = troubles(key, limit)
    assert [t for t in found if t[:2] == (code, part) and says in t[2]], found


def test_key_and_limit_are_both_reported() -> None:
    found = troubles("latency.p999{modle=x,tool=y}", "> 1h")
    assert [t[:2] for t in found] == [
        ("C012", "key"),
        ("C014", "key"),
        ("C014", "key"),
        ("C021", "limit"),
        ("C019", "limit"),
    ]


def test_messages_stay_on_one_line() -> None:
    ((_, _, text), *_) = troubles("la\n\x1b[31mtency" + "x" * 500, "<= 1s")
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text.split(";")[0]) < 100


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_text_gives_an_objective_or_an_expression_error(key: str, limit: str) -> None:
    for left, right in ((key, limit), ("latency.p95", limit), (f"error_rate{{{key}}}", "<= 1%")):
        try:
            parse_objective(left, right, source=Source.WRITTEN)
        except ExpressionError as error:
            assert error.troubles  # noqa: PT017 - what is tested is that nothing else is raised


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_every_indicator_takes_its_dimensions_and_child_keys(name: str) -> None:
    spec = INDICATORS[name]
    statistic = "" if spec.kind == "ratio" else ".p90"
    if spec.kind == "projection":
        with pytest.raises(ExpressionError, match="takes no selector"):
            parse_key(f"{name}.monthly{{model=a*}}")
        return
    for key in (*DIMENSIONS, *WIDE_DIMENSIONS, *spec.child_keys):
        assert parse_key(f"{name}{statistic}{{{key}=a*}}").selector == ((key, "a*"),)


@pytest.mark.parametrize(
    ("key", "limit", "minimum"),
    [
        ("latency.p95", "<= 2s", 59),
        ("latency.p99", "<= 2s", 299),
        ("latency.p99.9", "<= 2s", 2995),
        ("latency.p50", "<= 2s", 30),
        ("latency.mean", "<= 2s", 30),
        ("output_tokens_per_second.p5", ">= 20", 59),
        ("error_rate", "<= 1%", 299),
        ("error_rate", "<= 0%", 3000),
        ("error_rate", "<= 0.0001%", 3000),
        ("retrieval_hit_rate", ">= 90%", 30),
        ("retrieval_hit_rate", ">= 99%", 299),
    ],
)
def test_default_minimum_can_carry_the_claim(key: str, limit: str, minimum: int) -> None:
    assert parse_objective(key, limit, source=Source.WRITTEN).minimum == minimum


@settings(deadline=None)
@given(st.fractions(min_value=Fraction(91, 100), max_value=Fraction(998, 1000)))
def test_default_minimum_is_the_smallest_clean_sample(target: Fraction) -> None:
    n = default_minimum(target)
    assert float(target) ** n <= 0.05 * (1 + 1e-9)
    assert n == 30 or float(target) ** (n - 1) > 0.05 * (1 - 1e-9)


def test_a_written_minimum_wins() -> None:
    objective = parse_objective("latency.p95", "<= 2s", source=Source.WRITTEN, minimum=7)
    assert objective.minimum == 7


def test_expression_is_canonical_on_the_left_and_as_written_on_the_right() -> None:
    objective = parse_objective(
        "error_rate{service=b,model=a}", " <=  0.10 % ", source=Source.WRITTEN
    )
    assert objective.expression == "error_rate{model=a,service=b} <= 0.10 %"
    assert objective.target == Fraction(999, 1000)


def test_defaults_of_the_catalogue_parse() -> None:
    for key, limit in DEFAULT_OBJECTIVES:
        assert parse_objective(key, limit, source=Source.DEFAULT).id == key


def test_the_syntax_of_the_design_parses() -> None:
    for key, limit in (
        ("ttft.p95{model=gpt-4o*}", "<= 800ms"),
        ("guardrail_trigger_rate{name=prompt_injection}", "<= 0.5%"),
        ("tool_error_rate{tool=search}", "<= 2%"),
        ("cost_per_call.mean", "<= $0.02"),
    ):
        assert parse_objective(key, limit, source=Source.WRITTEN).id == key
