"""Two runs over the same items, repeated runs, and two judges of the same items.

- McNemar's exact test: under no change, each item that differs is as likely a regression as a fix
  (McNemar 1947; two-sided binomial).
- pass^k: the chance that k trials of a task all pass, estimated over all choices of k of its n
  trials: C(c, k) / C(n, k) (Yao et al. 2024, https://arxiv.org/abs/2406.12045).
- Cohen's kappa with the large-sample standard error of Fleiss, Cohen and Everitt 1969.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

from gonogo.stats.binomial import Z_TWO_SIDED, log_tail

LEVEL: Final = 0.05


def mcnemar(regressions: int, fixes: int) -> float:
    """Two-sided p-value of the exact test; 1.0 where no item differs."""
    n = regressions + fixes
    if not n:
        return 1.0
    return min(1.0, 2 * math.exp(log_tail(max(regressions, fixes), n, 0.5)))


def smallest_drop(level: float = LEVEL) -> int:
    """Fewest items that must regress, while none is fixed, for the test to tell: 6 at 5 %."""
    items = 1
    while mcnemar(items, 0) >= level:
        items += 1
    return items


def pass_hat(trials: Iterable[tuple[int, int]], k: int) -> Fraction | None:
    """pass^k over tasks given as (passed, trials), those with k trials or more; None: no such."""
    usable = [(c, n) for c, n in trials if n >= k]
    if not usable:
        return None
    return sum((Fraction(math.comb(c, k), math.comb(n, k)) for c, n in usable), Fraction()) / len(
        usable
    )


def kappa(
    counts: Mapping[tuple[str, str], int],
) -> tuple[float, float, float] | None:
    """Cohen's kappa of counts by (one's label, the other's): (kappa, low, high) at 95 %.

    None where it is not defined: no items, or chance alone agrees on all of them.
    """
    n = sum(counts.values())
    if not n:
        return None
    labels = sorted({label for pair in counts for label in pair})
    share = {(a, b): counts.get((a, b), 0) / n for a in labels for b in labels}
    row = {a: sum(share[a, b] for b in labels) for a in labels}
    column = {b: sum(share[a, b] for a in labels) for b in labels}
    agreed = sum(share[a, a] for a in labels)
    chance = sum(row[a] * column[a] for a in labels)
    if chance >= 1:
        return None
    found = (agreed - chance) / (1 - chance)
    spread = sum(share[a, a] * (1 - (row[a] + column[a]) * (1 - found)) ** 2 for a in labels)
    spread += (1 - found) ** 2 * sum(
        share[a, b] * (column[a] + row[b]) ** 2 for a in labels for b in labels if a != b
    )
    spread -= (found - chance * (1 - found)) ** 2
    error = math.sqrt(max(spread, 0.0) / n) / (1 - chance)
    half = Z_TWO_SIDED * error
    return found, max(-1.0, found - half), min(1.0, found + half)
