"""Paired tests against sums and figures worked out by other means."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.stats.paired import kappa, mcnemar, pass_hat, smallest_drop


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_doubled_binomial_tail(regressions: int, fixes: int) -> None:
    n, most = regressions + fixes, max(regressions, fixes)
    tail = Fraction(sum(comb(n, k) for k in range(most, n + 1)), 2**n)
    assert mcnemar(regressions, fixes) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-8)


def test_six_regressions_without_a_fix_are_the_fewest_that_tell() -> None:
    assert smallest_drop() == 6  # 2 / 2**6 = 0.031, 2 / 2**5 = 0.0625
    assert mcnemar(5, 0) == pytest.approx(0.0625)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=6), min_size=1, max_size=5))
def test_pass_hat_is_the_share_of_choices_that_all_pass(tasks: list[list[bool]]) -> None:
    for k in (1, 2, 3):
        shares = []
        for trials in tasks:
            chosen = list(combinations(trials, k))
            shares.append(Fraction(sum(all(c) for c in chosen), len(chosen)))
        found = pass_hat([(sum(t), len(t)) for t in tasks], k)
        assert found == sum(shares, Fraction()) / len(shares)
    assert pass_hat([(1, 2)], 3) is None


def test_kappa_of_a_worked_example() -> None:
    # 20 + 15 of 50 agree (70 %); by chance 0.5 x 0.6 + 0.5 x 0.4 = 50 %: (0.7 - 0.5) / 0.5 = 0.4.
    found = kappa({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15})
    assert found is not None
    assert found[0] == pytest.approx(0.4)
    # By hand: sqrt((0.10972 + 0.10188 - 0.01) / 50) / 0.5 = 0.1270.
    assert found[2] - found[0] == pytest.approx(1.95996 * 0.12700, abs=0.0002)


def test_kappa_where_it_is_not_defined() -> None:
    assert kappa({}) is None
    assert kappa({("y", "y"): 9}) is None
    perfect = kappa({("y", "y"): 5, ("n", "n"): 5})
    assert perfect is not None
    assert perfect[0] == pytest.approx(1.0)
