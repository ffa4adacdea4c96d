"""Exact binomial tails and bounds, against sums of fractions and published tables."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonogo.stats.binomial import (
    inside,
    log_beta,
    log_head,
    log_tail,
    sample_needed,
    t_critical,
    upper_bound,
)


def exact_tail(k: int, n: int, p: Fraction) -> float:
    return float(sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)))


@given(
    n=st.integers(1, 120),
    share=st.fractions(0, 1, max_denominator=50),
    p=st.fractions(Fraction(1, 500), Fraction(499, 500), max_denominator=500),
)
def test_tails_equal_the_sum_of_fractions(n: int, share: Fraction, p: Fraction) -> None:
    k = int(share * n)
    assert math.exp(log_tail(k, n, float(p))) == pytest.approx(exact_tail(k, n, p), rel=1e-9)
    head = 1 - exact_tail(k + 1, n, p) if k < n else 1.0
    assert math.exp(log_head(k, n, float(p))) == pytest.approx(head, rel=1e-9, abs=1e-12)


def test_a_tail_far_below_the_smallest_float_is_still_a_number() -> None:
    # Every one of 1,000 is bad where 0.1 % may be: exactly 1000 * log(0.001).
    assert log_tail(1000, 1000, 0.001) == pytest.approx(1000 * math.log(0.001), rel=1e-12)
    half = (
        math.lgamma(1e6 + 1) - 2 * math.lgamma(5e5 + 1) + 5e5 * (math.log(1e-6) + math.log1p(-1e-6))
    )
    assert log_tail(500_000, 1_000_000, 1e-6) == pytest.approx(half, abs=1e-4)


def test_the_beta_function_is_complete_at_its_ends_and_symmetric() -> None:
    assert log_beta(2, 3, 0.0) == -math.inf
    assert log_beta(2, 3, 1.0) == 0.0
    both = math.exp(log_beta(2.5, 7.25, 0.3)) + math.exp(log_beta(7.25, 2.5, 0.7))
    assert both == pytest.approx(1, abs=1e-12)


@given(total=st.floats(1, 1e6), share=st.floats(0, 0.999))
def test_the_bound_is_where_the_head_is_five_percent(total: float, share: float) -> None:
    bound = upper_bound(share * total, total)
    assert share <= bound <= 1
    if bound < 1 - 1e-9:
        assert log_head(share * total, total, bound) <= math.log(0.05) + 1e-8
        assert log_head(share * total, total, bound * (1 - 1e-8)) >= math.log(0.05) - 1e-8


def test_published_one_sided_bounds() -> None:
    # Exact one-sided 95 % bounds; 0 of n is the rule of three, 1 - 0.05 ** (1 / n).
    assert upper_bound(0, 100) == pytest.approx(0.02951, abs=5e-6)
    assert upper_bound(1, 100) == pytest.approx(0.04656, abs=5e-6)
    assert upper_bound(2, 50) == pytest.approx(0.12061, abs=5e-6)
    assert upper_bound(7, 7) == 1.0


@pytest.mark.parametrize(("allowed", "needed"), [(0.05, 59), (0.01, 299), (0.1, 29), (0.001, 2995)])
def test_calls_needed_with_nothing_bad(allowed: float, needed: int) -> None:
    assert sample_needed(0.0, allowed) == needed


@given(
    share=st.floats(0, 0.2),
    factor=st.floats(1.05, 10),
    start=st.integers(1, 5000),
)
def test_calls_needed_is_the_first_sample_that_carries_the_claim(
    share: float, factor: float, start: int
) -> None:
    allowed = min(0.9, share * factor + 1e-3)
    needed = sample_needed(share, allowed, start)
    assert needed is not None
    assert needed >= start
    assert inside(share * needed, needed, allowed)
    assert needed == start or not inside(share * (needed - 1), needed - 1, allowed)


def test_no_sample_carries_a_claim_that_does_not_hold() -> None:
    assert sample_needed(0.01, 0.01) is None
    assert sample_needed(0.02, 0.01) is None
    assert sample_needed(0.0, 0.0) is None


def test_nothing_is_inside_a_limit_of_zero_and_everything_inside_one() -> None:
    assert not inside(0, 10**9, 0.0)
    assert inside(5, 5, 1.0)
    assert not inside(0, 0, 0.5)


@given(
    total=st.floats(1, 1e5),
    share=st.floats(0, 1),
    allowed=st.floats(0.001, 0.5),
    shrink=st.floats(0.01, 1),
)
def test_less_independent_evidence_never_carries_more(
    total: float, share: float, allowed: float, shrink: float
) -> None:
    bad = share * allowed * total
    if inside(bad * shrink, total * shrink, allowed):
        assert inside(bad, total, allowed)


@pytest.mark.parametrize(
    ("freedom", "sides", "expected"),
    # The table of Student's t: 0.95 one-sided, 0.975 two-sided.
    [(1, 2, 12.706), (1, 1, 6.314), (7, 1, 1.895), (7, 2, 2.365), (30, 2, 2.042), (120, 1, 1.658)],
)
def test_critical_values_of_students_t(freedom: int, sides: int, expected: float) -> None:
    assert t_critical(freedom, 0.95, sides) == pytest.approx(expected, abs=5e-4)
