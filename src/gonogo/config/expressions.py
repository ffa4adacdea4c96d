"""The text of an objective: `latency.p95{model=gpt-4o*}` and `<= 2.5s`.

    key    indicator[.statistic][{key=glob,key2="a, quoted glob"}]
    limit  comparator number unit

Units: a time takes us, ms, s or min; a ratio % or a plain number from 0 to 1; money a leading $
(and k or M behind); tokens and tokens per second are plain numbers. Everything is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from gonogo.config.limits import parse_limit
from gonogo.config.messages import ExpressionError, Trouble, did_you_mean, nearest, quoted
from gonogo.config.model import Comparator, Objective
from gonogo.conventions import DIMENSIONS, WIDE_DIMENSIONS, Source
from gonogo.indicators import INDICATORS, PROJECTIONS, Indicator
from gonogo.stats.binomial import sample_needed

__all__ = [
    "ExpressionError",
    "Key",
    "default_minimum",
    "parse_key",
    "parse_limit",
    "parse_objective",
    "segment_id",
    "segment_selector",
    "selector_keys",
]

_SMALLEST: Final = 30
_LARGEST: Final = 3000

_INDICATOR_SYNONYMS: Final = {
    "duration": "latency",
    "response_time": "latency",
    "time_to_first_token": "ttft",
    "tps": "output_tokens_per_second",
    "throughput": "output_tokens_per_second",
    "cost": "cost_per_call",
    "price": "cost_per_call",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "errors": "error_rate",
    "failure_rate": "error_rate",
    "request_errors": "request_error_rate",
    "timeouts": "timeout_rate",
    "retries": "retry_rate",
    "hit_rate": "retrieval_hit_rate",
    "tool_errors": "tool_error_rate",
}
_STATISTIC_SYNONYMS: Final = {
    "avg": "mean",
    "average": "mean",
    "median": "p50",
    "med": "p50",
    "max": "p99.9",
    "min": "p1",
}
SELECTOR_SYNONYMS: Final = {
    "tenant": "tenant_id",
    "env": "environment",
    "version": "release",
    "guardrail": "name",
    "name": "tool",
    "index": "index_version",
}
_PERCENTILE = re.compile(r"p([+-]?(?:[0-9]+(?:\.[0-9]+)?|nan|inf(?:inity)?))", re.IGNORECASE)
_PAIR = re.compile(
    r"""\s*(?P<key>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*
        (?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^,{}"=]*?))\s*(?:,|\Z)""",
    re.VERBOSE,
)
_NEEDS_NO_QUOTES = re.compile(r'[^,{}"\\\s=~](?:[^,{}"\\=]*[^,{}"\\\s=])?')


@dataclass(frozen=True, slots=True)
class Key:
    """The left side of an objective, checked; `selector` is sorted by key."""

    indicator: str
    statistic: str
    quantile: Fraction | None
    selector: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        """The one text for this key: two keys that mean the same have the same id."""
        return _id(self.indicator, self.statistic, self.selector)


def _id(indicator: str, statistic: str, selector: tuple[tuple[str, str], ...]) -> str:
    pairs = ",".join(f"{key}={_glob_text(value)}" for key, value in selector)
    name = indicator if statistic == "rate" else f"{indicator}.{statistic}"
    return name + (f"{{{pairs}}}" if pairs else "")


def segment_selector(objective: Objective, key: str, label: str) -> tuple[tuple[str, str], ...]:
    """The selector of one segment, as it is shown."""
    return tuple(sorted({**dict(objective.selector), key: label}.items()))


def segment_id(objective: Objective, label: str) -> str:
    """The id of the objective for one value of the dimension that it is grouped by."""
    selector = segment_selector(objective, objective.group_by or "", label)
    statistic = (objective.sliced.inner if objective.sliced else objective).statistic
    return _id(objective.indicator, statistic, selector)


def _glob_text(value: str) -> str:
    if _NEEDS_NO_QUOTES.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_key(text: str) -> Key:
    """Parse `indicator[.statistic][{selector}]`; raises ExpressionError with every trouble."""
    head, brace, rest = text.strip().partition("{")
    name, dot, statistic = head.strip().partition(".")
    spec = INDICATORS.get(name)
    if spec is None:
        raise ExpressionError([_unknown_indicator(name, statistic)])
    troubles: list[Trouble] = []
    chosen, quantile = _statistic(spec, statistic if dot else None, troubles)
    selector = _selector(spec, rest, troubles) if brace else ()
    if troubles:
        raise ExpressionError(troubles)
    return Key(name, chosen, quantile, selector)


def _unknown_indicator(name: str, statistic: str) -> Trouble:
    what = f"{quoted(name)} is not an indicator"
    glued = re.fullmatch(r"(?:(.+)[_-])?(p[0-9]+|mean)(?:[_-](.+))?", name)
    stem = (glued[1] or glued[3]) if glued else None
    if glued and stem in INDICATORS:
        return Trouble("C010", what, f"did you mean '{stem}.{glued[2]}'?")
    if name.lower() in ("availability", "success_rate"):
        return Trouble("C010", what, "write its opposite, for 99.9 % available: error_rate <= 0.1%")
    near = nearest(name, INDICATORS, _INDICATOR_SYNONYMS)
    if near is None:
        return Trouble("C010", what, f"known are {', '.join(INDICATORS)}")
    stat = ""
    if INDICATORS[near].kind == "distribution":
        stat = f".{statistic or ('p95' if INDICATORS[near].good_is_low else 'p5')}"
    return Trouble("C010", what, f"did you mean '{near}{stat}'?")


def _statistic(  # noqa: PLR0911 - one return a mistake
    spec: Indicator, text: str | None, troubles: list[Trouble]
) -> tuple[str, Fraction | None]:
    """The canonical statistic and, for a percentile, its quantile; adds what is wrong."""
    usual = "p95" if spec.good_is_low else "p5"
    if spec.kind == "ratio":
        if text is not None:
            what = f"{spec.name} is a ratio and takes no statistic ({quoted(text)})"
            troubles.append(Trouble("C011", what, f"write '{spec.name}' alone"))
        return "rate", None
    if spec.kind == "projection":
        return _scenario(spec, text, troubles), None
    if text is None:
        what = f"{spec.name} needs a statistic"
        hint = f"did you mean '{spec.name}.{usual}' or '{spec.name}.mean'?"
        troubles.append(Trouble("C011", what, hint))
        return "mean", None
    if text == "mean":
        return "mean", None
    match = _PERCENTILE.fullmatch(text)
    if match is None:
        what = f"{quoted(text)} is not a statistic"
        options = ("mean", "p1", "p5", "p50", "p90", "p95", "p99", "p99.9")
        near = nearest(text, options, _STATISTIC_SYNONYMS)
        hint = f"did you mean '{spec.name}.{near or usual}'?"
        if text.lower() in ("max", "min"):
            hint = f"an extreme is one call; write a percentile such as '{spec.name}.{near}'"
        troubles.append(Trouble("C011", what, hint))
        return "mean", None
    percent = Decimal(match[1])
    if len(text) > 12 or not percent.is_finite() or not 0 < percent < 100:
        what = f"{quoted(text)} is not a percentile between 0 and 100"
        digits = re.fullmatch(r"(99)(9+)", match[1])
        like = f"p99.{digits[2]}" if digits else usual
        troubles.append(Trouble("C012", what, f"did you mean '{spec.name}.{like}'?"))
        return "mean", None
    if not text.startswith("p"):
        what = f"{quoted(text)} is not a statistic"
        troubles.append(Trouble("C011", what, f"did you mean '{spec.name}.{text.lower()}'?"))
    shown = f"{percent:f}"
    shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
    return f"p{shown}", Fraction(percent) / 100


def _scenario(spec: Indicator, text: str | None, troubles: list[Trouble]) -> str:
    if text in PROJECTIONS:
        return str(text)
    what = f"{quoted(text)} is not a scenario" if text else f"{spec.name} needs a scenario"
    near = nearest(text or "", PROJECTIONS, {"mean": "monthly"}) or PROJECTIONS[0]
    hint = f"did you mean '{spec.name}.{near}'? For the cost of a call write cost_per_call"
    troubles.append(Trouble("C011", what, hint))
    return PROJECTIONS[0]


def selector_keys(spec: Indicator) -> tuple[str, ...]:
    """The keys that a selector of this indicator may name: dimensions and its table's own."""
    if spec.kind == "projection":
        return ()
    return (*spec.child_keys, *DIMENSIONS, *WIDE_DIMENSIONS)


def _selector(spec: Indicator, rest: str, troubles: list[Trouble]) -> tuple[tuple[str, str], ...]:
    if not selector_keys(spec):
        what = f"{spec.name} is about all calls and takes no selector"
        troubles.append(Trouble("C013", what, "leave it out, or choose the calls with --where"))
        return ()
    example = f"write it as {{{selector_keys(spec)[0]}=abc*,environment=production}}"
    if not rest.endswith("}"):
        troubles.append(Trouble("C013", "the selector is not closed with '}'", example))
        return ()
    inner, position = rest[:-1].strip(), 0
    found: dict[str, str] = {}
    if not inner:
        troubles.append(Trouble("C013", "the selector {} is empty", "leave it out"))
    while position < len(inner):
        match = _PAIR.match(inner, position)
        if match is None:
            what = f"the selector cannot be read from {quoted(inner[position:].strip())} on"
            troubles.append(Trouble("C013", what, example))
            return ()
        position = match.end()
        _pair(spec, match, found, troubles)
    if inner.endswith(","):
        troubles.append(Trouble("C013", "the selector ends with a comma", example))
    return tuple(sorted(found.items()))


def _pair(
    spec: Indicator, match: re.Match[str], found: dict[str, str], troubles: list[Trouble]
) -> None:
    key, bare = match["key"], match["bare"]
    value = re.sub(r"\\(.)", r"\1", match["quoted"]) if bare is None else bare
    if key not in selector_keys(spec):
        what = f"{quoted(key)} is not a selector key of {spec.name}"
        hint = did_you_mean(key, selector_keys(spec), SELECTOR_SYNONYMS)
        troubles.append(Trouble("C014", what, hint))
    elif key in found:
        what = f"the selector names {quoted(key)} twice"
        troubles.append(Trouble("C013", what, "write two objectives, or one glob that covers both"))
    if bare is not None and bare.startswith("~"):
        what = f"{quoted(match[0].strip())} is not a glob"
        hint = f"write {key}=value, where * stands for any text and ? for one character"
        troubles.append(Trouble("C013", what, hint))
    elif not value:
        troubles.append(Trouble("C013", f"{quoted(key)} selects nothing", f"write {key}=value"))
    elif not value.isprintable():
        what = f"{quoted(value)} holds a character that cannot be shown"
        troubles.append(Trouble("C013", what, "put ? in its place"))
    found[key] = value


def default_minimum(target: Fraction | None) -> int:
    """The smallest sample that an objective judges where none is written.

    With n good events and no bad one, the one-sided 95 % bound reaches a target share t when
    t^n <= 0.05, so n = ceil(ln 0.05 / ln t): 59 for p95, 299 for p99 and for an error rate of
    1 %, 29 for a hit rate of 90 %. Fewer could never carry the claim. It is kept within 30 (under
    it no figure is worth a decision) and 3000 (so that p99.99 or a limit of 0 % stay possible to
    judge). A mean (`target` is None) takes 30.
    """
    if target is None:
        return _SMALLEST
    needed = sample_needed(0.0, float(1 - target))
    return min(max(needed or _LARGEST, _SMALLEST), _LARGEST)


def parse_objective(key: str, limit: str, *, source: Source, **options: Any) -> Objective:
    """An Objective from its two texts; `options` are further fields of Objective.

    Without a `minimum` among the options, `default_minimum` chooses it. Raises ExpressionError
    that holds what is wrong with the key and what is wrong with the limit.
    """
    troubles: list[Trouble] = []
    parsed: Key | None = None
    sides: tuple[Comparator, Fraction] | None = None
    try:
        parsed = parse_key(key)
    except ExpressionError as error:
        troubles += error.troubles
    # The limit is checked even where the key's statistic or selector is wrong: all at once.
    spec = INDICATORS.get(re.split(r"[.{]", key.strip())[0].strip())
    if spec is not None:
        try:
            sides = parse_limit(limit, spec)
        except ExpressionError as error:
            troubles += error.troubles
    if parsed is None or sides is None:
        raise ExpressionError(troubles)
    comparator, exact = sides
    written = " ".join(limit.strip().removeprefix(comparator).split())
    objective = Objective(
        id=parsed.id,
        indicator=parsed.indicator,
        statistic=parsed.statistic,
        quantile=parsed.quantile,
        selector=parsed.selector,
        comparator=comparator,
        limit=exact,
        expression=f"{parsed.id} {comparator} {written}",
        source=source,
        **options,
    )
    if "minimum" in options:
        return objective
    return replace(objective, minimum=default_minimum(objective.target))
