"""The sentences about objectives: concrete numbers, never rounded across a limit."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from gonogo import display
from gonogo.config.expressions import segment_selector
from gonogo.config.model import Objective

_NOUNS: Final = {
    "calls": ("call", "calls"),
    "requests": ("request", "requests"),
    "traces": ("request", "requests"),
    "retrievals": ("retrieval", "retrievals"),
    "tool_calls": ("tool call", "tool calls"),
    "guardrail_checks": ("checked call", "checked calls"),
}
_VERBS: Final = {
    "error_rate": "failed",
    "request_error_rate": "failed",
    "timeout_rate": "timed out",
    "rate_limit_rate": "hit a rate limit",
    "retry_rate": "needed a retry",
    "cache_hit_rate": "came from the cache",
    "guardrail_trigger_rate": "triggered a check",
    "guardrail_block_rate": "got blocked",
    "guardrail_bypass_rate": "bypassed a check",
    "retrieval_hit_rate": "had a hit",
    "retrieval_empty_rate": "found nothing",
    "retrieval_failed_rate": "failed",
    "tool_error_rate": "failed",
    "tool_timeout_rate": "timed out",
    "tool_invalid_argument_rate": "had invalid arguments",
    "tool_fallback_rate": "fell back",
}
"""What the counted events of a ratio did; words that fit one event and many."""

SCENARIOS: Final = {
    "monthly": "monthly cost, today's traffic",
    "monthly_at_10x": "monthly cost, ten times the traffic",
    "monthly_at_target": "monthly cost at the target",
}

_LIMITS: Final = {
    "<=": "limit {}",
    "<": "limit under {}",
    ">=": "limit at least {}",
    ">": "limit over {}",
}
_BEYOND: Final = {
    "<=": "above {}",
    "<": "at or above {}",
    ">=": "below {}",
    ">": "at or below {}",
}
_KEPT: Final = {
    "<=": "kept within {}",
    "<": "stayed under {}",
    ">=": "reached {}",
    ">": "stayed over {}",
}
_BEYOND_TIME: Final = {"<=": "took longer than {}", "<": "took {} or longer"}


def title(objective: Objective) -> str:
    """What a reader calls it: p95 latency; error rate {model=gpt-4o*}."""
    if objective.spec.kind == "projection":
        return SCENARIOS[objective.statistic]
    name = objective.spec.title
    if objective.statistic != "rate":
        name = f"{objective.statistic} {name}"
    return f"{name} {selector(objective)}" if shown_selector(objective) else name


def selector(objective: Objective) -> str:
    """The selector as it is written: {model=gpt-4o*,tool=search}."""
    pairs = (f"{key}={pattern}" for key, pattern in shown_selector(objective))
    return "{" + ",".join(pairs) + "}"


def shown_selector(objective: Objective) -> tuple[tuple[str, str], ...]:
    """The selector with the segment in it, under the name by which that may be shown."""
    if objective.segment is None:
        return objective.selector
    return segment_selector(objective, objective.segment.key, objective.segment.label)


def slugs(ids: Sequence[str]) -> list[str]:
    """A page anchor for each id; ids that would share one get a digest of the id appended."""
    plain = [re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in ids]
    shared = Counter(plain)
    return [
        slug if shared[slug] == 1 else f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        for slug, name in zip(plain, ids, strict=True)
    ]


def events(objective: Objective, number: int) -> str:
    """A number of events with their noun: 1 call, 3,204 tool calls."""
    return f"{display.count(number)} {noun(objective, number)}"


def noun(objective: Objective, number: int = 2) -> str:
    """What is counted, in the singular for one."""
    if objective.sliced is not None:
        return f"slice{'s' if number != 1 else ''} of {objective.sliced.seconds // 60} min"
    pair = _NOUNS[objective.spec.table]
    if objective.indicator == "guardrail_latency":
        pair = ("check", "checks")
    return pair[number != 1]


def limit(objective: Objective) -> str:
    """The limit in words: limit 1 %, limit at least 90 %."""
    shown = display.exact(objective.limit, objective.spec.unit)
    return _LIMITS[objective.comparator].format(shown)


def happened(objective: Objective, good: int, total: int) -> str:
    """The counted events: 12 of 3,204 calls failed; 9 of 80 calls took longer than 2.5 s."""
    counted = good if _good_is_counted(objective) else total - good
    if objective.sliced is not None:
        inner = objective.sliced.inner
        shown = display.exact(inner.limit, inner.spec.unit)
        verb = _KEPT[inner.comparator].format(shown)
    elif objective.statistic == "rate":
        verb = _VERBS[objective.indicator]
    else:
        unit = objective.spec.unit
        words = _BEYOND_TIME if unit == "us" else {}
        verb = words.get(objective.comparator, f"were {_BEYOND[objective.comparator]}")
        verb = verb.format(display.exact(objective.limit, unit))
    return f"{display.count(counted)} of {events(objective, total)} {verb}"


def share(objective: Objective, good: int, total: int) -> str:
    """`happened` with its share on its side of the limit: 12 of 3,204 calls failed (0.37 %)."""
    return f"{happened(objective, good, total)} ({counted_share(objective, good, total)})"


def counted_share(objective: Objective, good: int, total: int) -> str:
    """The share of what is counted, on its side of the limit: of the failed, or of the hits."""
    target = objective.target
    assert target is not None  # a mean has no counted events
    border = target if _good_is_counted(objective) else 1 - target
    counted = good if _good_is_counted(objective) else total - good
    return display.near(Fraction(counted, total), border, "ratio")


def seen(objective: Objective, good: int, total: int) -> str:
    """What was counted, against the limit: 9 of 80 calls failed (11.3 %), limit 1 %."""
    return f"{share(objective, good, total)}, {allowance(objective)}"


def seen_mean(objective: Objective, value_sum: int, total: int) -> str:
    """A mean against its limit: the mean over 80 calls is $0.03, limit $0.02."""
    mean = observed(objective, Fraction(value_sum, total))
    return f"the mean over {events(objective, total)} is {mean}, {limit(objective)}"


def allowance(objective: Objective) -> str:
    """What the share is held against: limit 1 %; of a percentile: 5 % allowed."""
    if objective.quantile is None or objective.target is None:
        return limit(objective)
    shown = display.exact(1 - objective.target, "ratio")
    # x_(ceil(qn)) >= limit needs fewer than qn values below it: exactly qn are one too many.
    return f"{shown} allowed" if is_upper(objective) else f"under {shown} allowed"


def observed(objective: Objective, number: float | Fraction) -> str:
    """A value of the indicator, on its own side of the limit."""
    return display.near(number, objective.limit, objective.spec.unit)


def is_upper(objective: Objective) -> bool:
    """Whether the limit is the highest value allowed, and not the lowest."""
    return objective.comparator in ("<=", "<")


def sentence_case(text: str) -> str:
    """The text with its first letter in upper case; p95 and its like stay as they are."""
    return text if re.match(r"p\d", text) else text[:1].upper() + text[1:]


def _good_is_counted(objective: Objective) -> bool:
    return objective.statistic == "rate" and not objective.spec.bad_is_counted
