"""A first `readiness.toml`, its thresholds proposed from what the logs show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from gonogo.config.carry import Kept, settings_with_kept, with_kept
from gonogo.config.skeleton import skeleton
from gonogo.results import ReadinessResult, Scalar

_HEAD: Final = """\
# The configuration of gonogo, as a first draft: each threshold is proposed from what the logs
# showed, which stands behind it. A threshold is called "proposed" on every page until agreed_by
# names who agreed to it. Lines that start with # and a letter or bracket are ready to be used.
"""

_TAIL: Final = """\

# Names of your log that are not known by themselves: field = "dotted.path".
#[fields]
#latency_ms = "metrics.duration_ms"
# A mapping file where units or words need translating (docs/formats.md); relative to this file.
#[logs]
#mapping = "mine.toml"

# Ranges of time to leave out; they are printed on the page. `to` is not part of the range.
#[[exclude]]
#from = 2026-11-18T14:00:00Z
#to = 2026-11-18T16:00:00Z
#reason = "load test"
#owner = "platform team"
"""

_SITE: Final = """\

# What the site calls itself, and what a public page may show.
#[site]
#title = "Support copilot"
#subtitle = "Release candidate"
#logo = "logo.svg"
#accent = "#0a7ea4"
#footer = "Questions: the support team"
#trace_url = "https://tracing.example/trace/{trace_id}"
#publish = ["tenants"]
"""

_STEPS: Final = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
"""Leading digits of a threshold that people remember; times a power of ten."""

_ROOM: Final = Fraction(5, 4)
"""What is observed, times this: the week that was looked at must not stand at its own limit."""
_FAILURE_LADDER: Final = tuple(Fraction(step) / 100 for step in ("0.5", "1", "2", "5"))
_TRIGGER_LADDER: Final = (*_FAILURE_LADDER, *(Fraction(step, 100) for step in (10, 20, 50)))
_HIT_LADDER: Final = tuple(Fraction(step, 100) for step in (99, 98, 95, 90, 85, 80, 75, 70, 60, 50))


@dataclass(frozen=True, slots=True)
class _Proposal:
    """What to propose, from which columns of the table `overall`.

    A percentile takes its value from `value` and its sample from `sample`; a rate or a mean is
    value / sample. `fallback` is what the commented line says where there is nothing to see.
    """

    key: str
    kind: Literal["time", "money", "failures", "triggers", "hits"]
    value: str
    sample: str
    events: str
    fallback: str
    to_log: str
    of: str = ""
    """the column of all that could have carried it"""


_PROPOSALS: Final = (
    _Proposal(
        "latency.p95", "time", "latency_p95", "latency_n", "calls", "<= 4s", "latency_ms", "calls"
    ),
    _Proposal("ttft.p95", "time", "ttft_p95", "ttft_n", "streamed calls", "<= 1s", "ttft_ms"),
    _Proposal(
        "error_rate", "failures", "errors", "error_known", "calls", "<= 1%", "status", "calls"
    ),
    _Proposal(
        "guardrail_trigger_rate",
        "triggers",
        "guard_triggered",
        "guard_calls",
        "checked calls",
        "<= 2%",
        "guardrails",
    ),
    _Proposal(
        "retrieval_hit_rate",
        "hits",
        "retrieval_hits",
        "retrieval_known",
        "retrievals",
        ">= 90%",
        "retrieval.hit or retrieval.chunk_ids",
    ),
    _Proposal(
        "tool_error_rate",
        "failures",
        "tool_errors",
        "tool_known",
        "tool calls",
        "<= 2%",
        "tool_calls",
    ),
    _Proposal(
        "cost_per_call.mean",
        "money",
        "cost",
        "cost_n",
        "calls with a cost",
        "<= $0.02",
        "cost_usd",
        "calls",
    ),
)

_TABLES: Final = (
    ("retrievals", "retrievals", "the application does not retrieve"),
    ("tool_calls", "tool_calls", "the application calls no tools"),
    ("guardrail_checks", "guard_calls", "guardrails run in another service"),
)


_ZONE: Final = """\
# Days and weeks are those of this time zone.
timezone = "{}\""""
_SETTINGS: Final = (
    (
        "minimum_coverage",
        "# The share of calls that must carry a field before its indicator is judged.\n"
        "#minimum_coverage = 0.5",
    ),
    (
        "top",
        "# Values of a dimension that a table shows before the rest folds into (other).\n#top = 20",
    ),
)
_NOTHING: Final = Kept()


def render_init(result: ReadinessResult, kept: Kept = _NOTHING) -> str:
    """A commented `readiness.toml` that `load` reads: one proposal for each thing the logs show.

    What was `kept` of the configuration in use stands in it as it was written there.

    Times and money: observed x 1.25, rounded up to a number that people remember. Failure rates:
    likewise, the next of 0.5, 1, 2 and 5 %; trigger rates go on to 50 %. Hit rates: the misses
    x 1.25, and the step below. What lies beyond the last step is proposed at that step and said to
    be missed today.
    """
    overall = result.tables.get("overall")
    row = {key: cells[0] for key, cells in overall.data.items() if cells} if overall else {}
    timezone = result.period.timezone
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", timezone):
        timezone = "UTC"
    lines = [
        _HEAD,
        *settings_with_kept((("timezone", _ZONE.format(timezone)), *_SETTINGS), kept),
        "",
        "# Objectives; without a single one, the defaults of gonogo apply. The long form also\n"
        "# takes severity, minimum (the smallest sample), owner and runbook.",
        "[slo]",
        *(_objective(proposal, row) for proposal in _PROPOSALS),
        *_a_request(result),
        *_a_month(result),
    ]
    tail = (_plan(result), _TAIL, *_absent(row), _SITE, skeleton(result))
    return "\n".join(lines) + "\n" + with_kept("".join(tail), kept)


def _objective(proposal: _Proposal, row: dict[str, Scalar]) -> str:
    value, sample = row.get(proposal.value), row.get(proposal.sample)
    if not isinstance(value, int) or not isinstance(sample, int) or sample <= 0:
        hint = f"# nothing to propose from: log {proposal.to_log}"
        return f'#"{proposal.key}" = "{proposal.fallback}"  {hint}'
    every = row.get(proposal.of)
    if isinstance(every, int) and 2 * sample < every:
        hint = f"# only {sample:,} of {every:,} {proposal.of} tell it: log {proposal.to_log}"
        return f'#"{proposal.key}" = "{proposal.fallback}"  {hint}'
    limit, seen = _propose(proposal, value, sample)
    long_form = f'{{ limit = "{limit}", proposed = true, agreed_by = "" }}'
    return f'"{proposal.key}" = {long_form}  # observed {seen}'


def _a_request(result: ReadinessResult) -> Iterator[str]:
    """What a request may cost, where it is more than one call."""
    units = result.tables.get("cost_units")
    rows = {unit: n for n, unit in enumerate(units.data["unit"])} if units else {}
    if units is None or not {"request", "call"} <= set(rows):
        return
    place = rows["request"]
    n, p95 = units.data["n"][place], units.data["cost_p95"][place]
    calls = units.data["n"][rows["call"]]
    if isinstance(n, int) and isinstance(p95, int) and isinstance(calls, int) and 0 < n < calls:
        limit = f"<= ${_plain(_humane(Fraction(p95)) / 10**9)}"
        seen = f"${_short(Fraction(p95, 10**9))} over {n:,} requests"
        long_form = f'{{ limit = "{limit}", proposed = true, agreed_by = "" }}'
        yield f'"cost_per_request.p95" = {long_form}  # observed {seen}'


def _scenario(result: ReadinessResult) -> dict[str, int]:
    """Calls a day and nano-dollars a month at today's traffic; empty where a log cannot tell."""
    table = result.tables.get("cost_scenarios")
    if table is None or "Today" not in table.data["scenario"]:
        return {}
    place = table.data["scenario"].index("Today")
    found = {key: table.data[key][place] for key in ("calls", "month")}
    return {k: v for k, v in found.items() if isinstance(v, int) and v > 0}


def _a_month(result: ReadinessResult) -> Iterator[str]:
    """What a month may cost: at the traffic of the log, and at the traffic to be ready for."""
    found = _scenario(result)
    if len(found) < 2:
        hint = "# nothing to propose from: log cost_usd over a day or more"
        yield f'#"cost.monthly" = "<= $5k"  {hint}'
        return
    month, calls = Fraction(found["month"]), found["calls"]
    limit = f"<= ${_plain(_humane(month) / 10**9)}"
    seen = f"observed ${_short(month / 10**9)} a month at {calls:,} calls a day"
    yield f'"cost.monthly" = {{ limit = "{limit}", proposed = true, agreed_by = "" }}  # {seen}'
    target = _target(calls)
    then = month * target / calls
    limit = f"<= ${_plain(_humane(then) / 10**9)}"
    seen = f"${_short(then / 10**9)} a month at {target:,} calls a day; needs [cost] below"
    yield f'#"cost.monthly_at_target" = "{limit}"  # {seen}'


def _target(calls: int) -> int:
    """Ten times the traffic, as a number that people remember."""
    return int(_humane(Fraction(calls * 8)))  # _humane adds a quarter


def _plan(result: ReadinessResult) -> str:
    found = _scenario(result)
    calls = f"{found['calls']:,} calls a day were logged" if found else "the log does not say"
    return (
        "\n# The calls a day to be ready for, which cost.monthly_at_target in [slo] is held\n"
        f"# against ({calls}).\n#[cost]\n#calls_per_day = "
        f"{_target(found['calls']) if found else 100_000}\n"
    )


def _propose(proposal: _Proposal, value: int, sample: int) -> tuple[str, str]:
    """The limit and what was observed, as text."""
    over = f"over {sample:,} {proposal.events}"
    if proposal.kind == "time":
        return f"<= {_time(_humane(Fraction(value)), '')}", f"{_time(Fraction(value), ' ')} {over}"
    share = Fraction(value, sample)
    if proposal.kind == "money":
        dollars = share / 10**9
        return f"<= ${_plain(_humane(share) / 10**9)}", f"${_short(dollars)} {over}"
    seen = f"{_short(share * 100)} % ({value:,} of {sample:,} {proposal.events})"
    if proposal.kind == "hits":
        wanted = 1 - _ROOM * (1 - share)
        step = next((step for step in _HIT_LADDER if step <= wanted), _HIT_LADDER[-1])
        missed, comparator = share < step, ">="
    else:
        ladder = _FAILURE_LADDER if proposal.kind == "failures" else _TRIGGER_LADDER
        step = next((step for step in ladder if step >= _ROOM * share), ladder[-1])
        missed, comparator = share > step, "<="
    return f"{comparator} {_plain(step * 100)}%", seen + (": missed today" if missed else "")


def _humane(value: Fraction) -> Fraction:
    """The smallest memorable whole number that is at least 1.25 x value, and at least 10."""
    wanted, power = value * _ROOM, 1
    while _STEPS[-1] * power < wanted:
        power *= 10
    return Fraction(next(step * power for step in _STEPS if step * power >= wanted))


def _time(us: Fraction, gap: str) -> str:
    for unit, size in (("s", 10**6), ("ms", 10**3)):
        if us >= size:
            return f"{_plain(us / size) if not gap else _short(us / size)}{gap}{unit}"
    return f"{_plain(us) if not gap else _short(us)}{gap}us"


def _plain(value: Fraction) -> str:
    """Every digit of a number that has at most nine decimals."""
    text = f"{value.numerator * 10**9 // value.denominator:010d}"
    return f"{text[:-9]}.{text[-9:]}".rstrip("0").rstrip(".")


def _short(value: Fraction) -> str:
    """Three digits, for reading; the limit beside it is a quarter away, or the counts are."""
    number = float(value)
    if number >= 1000:
        return f"{number:,.0f}"
    if 0 < number < 0.0001:
        return f"{number:.9f}".rstrip("0").rstrip(".")
    return f"{number:.3g}"


def _absent(row: dict[str, Scalar]) -> Iterator[str]:
    """The section for what was never seen: said to be absent only when somebody says so."""
    yield "\n# Tables or fields that the application does not have, each with the reason.\n"
    yield "#[not_applicable]\n"
    for table, count, reason in _TABLES:
        if not row.get(count):
            yield f'#{table} = "{reason}"  # none was seen in the logs\n'
