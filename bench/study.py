"""How often intervals cover, verdicts err and alerts come late: by simulation, with known truth.

    python bench/study.py            prints the tables
    python bench/study.py --write    writes them to bench/STUDY.md
    python bench/study.py --write --only "Onset and end"

Every row starts from its own seed, so a table is the same on every machine. The last table is
worked out by hand beside the program and simulates nothing.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gonogo.config.expressions import parse_objective
from gonogo.config.load import default_config
from gonogo.config.model import Config, Objective
from gonogo.conventions import BIN_SECONDS, Source, Verdict
from gonogo.readiness import decide
from gonogo.slo import ObjectiveData, evaluate
from gonogo.stats.intervals import Traffic, quantile_ranks, ratio_mean, wilson
from gonogo.stats.scan import bad_segments, possible_edges

sys.path.insert(0, str(Path(__file__).parent))

from quiet_weeks import CALLS as SAMPLE_CALLS
from quiet_weeks import HEAD as WEEK_HEAD
from quiet_weeks import row as week_row
from quiet_weeks import weeks as sample_week_runs

HERE = Path(__file__).parent
MONDAY = 1_794_787_200
WEEK = 7 * 86_400 // BIN_SECONDS
HOURS = 7 * 24
A_THIRD = 1 / 3
BURSTS = 0.03
"""Share of the hours in which a provider has trouble, and what fails in them."""
IN_BURSTS = 0.15

Ints = NDArray[np.int64]
Random = np.random.Generator


def hourly(rng: Random, rate: float, bursty: bool) -> NDArray[np.float64]:
    """Bad share by hour, (HOURS,): `rate` on average, all alike or with bad hours among them."""
    if not bursty:
        return np.full(HOURS, rate)
    quiet = (rate - BURSTS * IN_BURSTS) / (1 - BURSTS)
    return np.where(rng.random(HOURS) < BURSTS, IN_BURSTS, quiet)


def week(rng: Random, calls: int, rate: float, bursty: bool) -> tuple[Ints, Ints]:
    """(bad, total) by 5-minute bin of a week of `calls` calls, shape (WEEK,) each."""
    total = np.bincount(rng.integers(0, WEEK, calls), minlength=WEEK)
    share = np.repeat(hourly(rng, rate, bursty), WEEK // HOURS)
    return rng.binomial(total, share), total


def bins() -> Ints:
    return MONDAY + BIN_SECONDS * np.arange(WEEK, dtype=np.int64)


def counts(made: Objective, bad: Ints, total: Ints) -> ObjectiveData:
    """The events of an objective, as the logs of one week would give them."""
    n, zeros = int(total.sum()), np.zeros(WEEK, dtype=np.int64)
    return ObjectiveData(made, bins(), total - bad, total, zeros, 0, 0, 0, n, n, None, None)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %"


# --- intervals ------------------------------------------------------------------------------------


def wilson_coverage(runs: int) -> str:
    """Independent items: the true share is drawn anew each time."""
    rows = []
    for n in (30, 100, 300, 1000, 3000):
        rng = np.random.default_rng(n)
        truth = rng.random(runs * 50)
        good = rng.binomial(n, truth)
        low, high = wilson(good, np.full(len(good), n))
        rows.append((f"{n:,}", percent(((low <= truth) & (truth <= high)).sum(), len(truth))))
    return table(("items", "Wilson covers"), rows)


def order_coverage(runs: int) -> str:
    """Percentiles of a heavy-tailed duration (lognormal, sigma 1), and by exact arithmetic."""
    rows = []
    for percentile, sizes in (("p95", (72, 300, 3000)), ("p99", (368, 1000, 3000))):
        quantile = Fraction(int(percentile[1:]), 100)
        for n in sizes:
            rng = np.random.default_rng(n)
            truth = math.exp(_normal_quantile(float(quantile)))
            low, high = quantile_ranks(n, quantile)
            values = np.sort(rng.lognormal(0, 1, (runs * 2, n)), axis=1)
            covered = np.ones(runs * 2, dtype=bool)
            if low is not None:
                covered &= values[:, low - 1] <= truth
            if high is not None:
                covered &= values[:, high - 1] >= truth
            exact = float(_enclosed(n, quantile, low or 0, high or n + 1))
            chance = 1.96 * math.sqrt(exact * (1 - exact) / (runs * 2))
            rows.append(
                (
                    percentile,
                    f"{n:,}",
                    percent(exact, 1),
                    percent(covered.sum(), runs * 2),
                    f"± {100 * chance:.1f} points",
                )
            )
    return table(
        ("percentile", "calls", "covers, exactly", "simulated", "by chance"), rows
    )  # fmt: skip


def _enclosed(n: int, quantile: Fraction, low: int, high: int) -> Fraction:
    """Probability that from `low` to `high` - 1 of n values lie under the quantile: in integers."""
    p, whole = quantile.numerator, quantile.denominator
    ways = sum(math.comb(n, k) * p**k * (whole - p) ** (n - k) for k in range(low, high))
    return Fraction(ways, whole**n)


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


def traffic_coverage(runs: int) -> str:
    """A rate of 1 % over a week of traffic, calls independent or with bad hours."""
    rows = []
    for bursty in (False, True):
        for calls in (1_000, 3_000, 10_000, 100_000):
            rng = np.random.default_rng(calls + bursty)
            blocks = plain = 0
            for _ in range(runs):
                bad, total = week(rng, calls, 0.01, bursty)
                found = Traffic(bins(), bad, total).interval()
                assert found.low is not None
                assert found.high is not None
                blocks += found.low <= 0.01 <= found.high
                low, high = wilson(int(bad.sum()), int(total.sum()))
                plain += bool(low <= 0.01 <= high)
            kind = "3 % of hours at 15 %" if bursty else "independent"
            rows.append((kind, f"{calls:,}", percent(blocks, runs), percent(plain, runs)))
    return table(("traffic", "calls a week", "hour blocks cover", "plain Wilson covers"), rows)


def mean_coverage(runs: int) -> str:
    """The mean cost of a call, its level the same all week or other in each hour."""
    rows = []
    for spread in (0.0, 0.3):
        for each_hour in (6, 60):
            rng = np.random.default_rng(each_hour + int(10 * spread))
            drawn = np.random.default_rng(7)
            covered = resampled = 0
            for _ in range(runs):
                total = rng.poisson(each_hour, HOURS).astype(np.int64)
                # The mean of a lognormal with sigma s is exp(s^2 / 2): the truth is 1,000.
                level = 1000 * rng.lognormal(-(spread**2) / 2, spread, HOURS)
                hour = np.repeat(np.arange(HOURS), total)
                values = np.round(level[hour] * rng.lognormal(-0.5, 1, len(hour))).astype(np.int64)
                sums = np.bincount(hour, values, minlength=HOURS).astype(np.int64)
                starts = MONDAY + 3600 * np.arange(HOURS, dtype=np.int64)
                mean = ratio_mean(starts, sums, total, (0, 0), float(values.std()))
                assert mean is not None
                assert mean.interval.low is not None
                assert mean.interval.high is not None
                covered += mean.interval.low <= 1000 <= mean.interval.high
                hours = drawn.integers(0, HOURS, (1000, HOURS))
                means = sums[hours].sum(axis=1) / total[hours].sum(axis=1)
                low, high = np.quantile(means, (0.025, 0.975))
                resampled += low <= 1000 <= high
            kind = "hours differ by 30 %" if spread else "independent"
            shares = percent(covered, runs), percent(int(resampled), runs)
            rows.append((kind, f"{each_hour * HOURS:,}", *shares))
    return table(("costs", "calls a week", "t over hours covers", "bootstrap covers"), rows)


# --- verdicts -------------------------------------------------------------------------------------


def errors() -> Objective:
    return parse_objective("error_rate", "<= 1%", source=Source.WRITTEN)


def verdicts(runs: int) -> str:
    """What a service is told whose true error rate is a multiple of its limit of 1 %."""
    rows = []
    for bursty in (False, True):
        # Bad hours alone make 0.45 %, so that with them half of the limit is not much of a test.
        for multiple in (1.5, 1.0, 0.6 if bursty else 0.5):
            for calls in (299, 1_000, 3_000, 10_000, 30_000):
                rng = np.random.default_rng(calls + int(100 * multiple) + bursty)
                found = []
                for _ in range(runs):
                    one = counts(errors(), *week(rng, calls, multiple / 100, bursty))
                    results, _ = evaluate([one], Config())
                    slo, _ = decide(results, (), telemetry_only=False, coverage=())
                    found.append(slo.verdict)
                kind = "3 % of hours at 15 %" if bursty else "independent"
                shares = [percent(found.count(v), runs) for v in reversed(Verdict)]
                rows.append((f"{multiple:g} ×", kind, f"{calls:,}", *shares))
    names = [verdict.value for verdict in reversed(Verdict)]
    return table(("true rate / limit", "traffic", "calls a week", *names), rows)


def quiet_weeks(runs: int) -> str:
    """The default objectives in weeks without an incident, each at a part of what it allows."""
    rows = []
    for part in (A_THIRD, 0.5, 0.8):
        for calls in (1_000, 10_000, 100_000):
            rng = np.random.default_rng(calls + int(100 * part))
            excursions = alerts = chance = 0
            for _ in range(runs):
                made = []
                for objective in default_config().objectives:
                    assert objective.target is not None
                    rate = part * float(1 - objective.target)
                    made.append(counts(objective, *week(rng, calls, rate, False)))
                results, found = evaluate(made, Config())
                fired = [a for r in results if r.burn for a in r.burn.alerts]
                excursions += bool(found)
                alerts += any(not a.by_chance for a in fired)
                chance += any(a.by_chance for a in fired)
            rows.append(
                (
                    f"{part:.2g} of the limit",
                    f"{calls:,}",
                    percent(excursions, runs),
                    percent(alerts, runs),
                    percent(chance, runs),
                )
            )
    head = ("service", "calls a week", "weeks with an excursion", "with an alert that counts",
            "with an alert listed as chance")  # fmt: skip
    return table(head, rows)


def edges(runs: int) -> str:
    """An incident of known length somewhere in a quiet week: where it is said to begin and end."""
    rows = []
    for calls, limit, usual, rate, length in (
        (8, 0.01, 0.003, 0.15, 24), (8, 0.01, 0.003, 0.08, 24), (5, 0.02, 0.007, 0.3, 24),
        (3, 0.1, 0.045, 0.3, 192), (60, 0.01, 0.003, 0.1, 12), (60, 0.01, 0.003, 0.03, 48),
        (400, 0.01, 0.003, 0.05, 12), (400, 0.01, 0.003, 0.02, 48),
    ):  # fmt: skip
        rng = np.random.default_rng(calls + round(1000 * rate))
        found, exact, near, held = 0, 0, 0, 0
        for _ in range(runs):
            total, onset = rng.poisson(calls, WEEK), int(rng.integers(300, 1500))
            end = onset + length
            bad = rng.binomial(total, usual)
            more = rng.binomial((total - bad)[onset:end], rate)
            bad[onset:end] += more
            seen = np.flatnonzero(total > 0)
            segments = bad_segments(bins()[seen], bad[seen], total[seen], limit)
            here = [s for s in segments if seen[s.first] < end and seen[s.last - 1] >= onset]
            if not here or not more.any():
                continue
            found += 1
            # What can be told exactly is the first and the last bin in which it did something.
            hit = onset + np.flatnonzero(more)
            off = (seen[here[0].first] - hit[0], seen[here[-1].last - 1] - hit[-1])
            exact += sum(x == 0 for x in off)
            near += sum(abs(x) <= 1 for x in off)
            may_be = possible_edges(bins()[seen], bad[seen], total[seen], limit, segments)
            (low, high), (least, most) = (
                may_be[segments.index(here[0])].onset, may_be[segments.index(here[-1])].end,
            )  # fmt: skip
            held += (low == 0 or seen[low - 1] < onset) and onset <= seen[high]
            held += seen[least - 1] < end and (most == len(seen) or end <= seen[most])
        rows.append(
            (
                f"{calls:,}",
                f"{usual:.1%}",
                f"{limit:.0%}",
                f"{rate:.0%} for {length / 12:g} h",
                percent(found, runs),
                percent(exact, 2 * found),
                percent(near, 2 * found),
                percent(held, 2 * found),
            )
        )
    head = ("calls in 5 min", "usual rate", "limit", "incident", "found", "edges exact",
            "within one bin", "interval holds the truth")  # fmt: skip
    return table(head, rows)


def sample_weeks(count: int) -> str:
    """What is found where nothing happened, from the log lines on."""
    found = sample_week_runs(count)
    return table(WEEK_HEAD, [week_row(SAMPLE_CALLS, found)])


# --- burn rates -----------------------------------------------------------------------------------


def detection() -> str:
    """An outage begins on Friday 00:00 of a week without errors; limit 0.1 %, budget of 30 days."""
    objective = parse_objective("error_rate", "<= 0.1%", source=Source.WRITTEN, window=30 * 86_400)
    rows = []
    for share, long, factor in (
        (1.0, 3600, 14.4), (0.05, 3600, 14.4), (0.02, 3600, 14.4),
        (0.01, 6 * 3600, 6.0), (0.005, 86_400, 3.0), (0.002, 3 * 86_400, 1.0),
    ):  # fmt: skip
        # SRE workbook, ch. 5: detection time = (1 - SLO) / error ratio x long window x burn rate
        formula = 0.001 / share * factor * long / 60
        bad, total = np.zeros(WEEK, dtype=np.int64), np.full(WEEK, 1000, dtype=np.int64)
        onset = 4 * 288
        bad[onset:] = round(1000 * share)
        (result,), _ = evaluate([counts(objective, bad, total)], Config())
        assert result.burn is not None
        fired = min(a.fired for a in result.burn.alerts if a.long_seconds == long)
        minutes = (fired - int(bins()[onset])) // 60
        rows.append(
            (f"{share:.1%}", f"{long // 3600} h", f"{formula:,.1f} min", f"{minutes:,} min")
        )
    return table(("errors", "long window", "by the formula", "replayed, in whole bins"), rows)


WEEKS = "Quiet weeks of logs"
WEEKS_SAID = (
    "Healthy weeks of the sample project, each under its own seed, written as log lines, read and "
    "judged by the thresholds that the project agreed on (`bench/quiet_weeks.py`). Goal: a false "
    "breach in under 5 % of the weeks."
)
DETECTION = "Burn-rate alerts against the formula"
PARTS = (
    ("Rates of independent items", "True shares drawn evenly from 0 to 1. Goal: 94.5 to 95.5 %.",
     wilson_coverage),
    ("Percentiles", "Goal: at least 95 %. The coverage of ranks is known exactly, by binomial "
     "coefficients; what the simulation may miss it by is beside it.", order_coverage),
    ("Rates of traffic", "A true rate of 1 %. Few bad hours occur in one week, and a week without "
     "any cannot show what they would do: that is what is missing to 95 %.", traffic_coverage),
    ("Means", "Student’s t over hour blocks, never narrower than for independent calls; no random "
     "numbers are drawn, so the same logs give the same interval.", mean_coverage),
    ("Verdicts", "One blocking objective, `error_rate <= 1%`, a week of traffic. Goal: a service "
     "at 1.5 × its limit is GO in under 5 %. At 0.5 × every NO-GO is a false one.", verdicts),
    ("Quiet weeks", "The five default objectives. Goal: an excursion in under 5 % of the weeks.",
     quiet_weeks),
    ("Onset and end", "An incident planted in a quiet week. Exact is the first and the last bin in "
     "which it made an event bad; the interval of each edge, of 95 %, has to hold the border at "
     "which the rate changed.", edges),
)  # fmt: skip

HEAD = """# How often it is right

What intervals, verdicts and burn-rate alerts do where the truth is known, because it was simulated.
`python bench/study.py --write` repeats it; every row has a fixed seed. Small versions of the same
simulations run with every test run (`tests/test_stats_intervals.py`, `tests/test_slo_laws.py`).
A share of 95 % is known to within 2 points from 400 runs, and to within 1.5 from 800.
"""


def report(runs: int, only: str | None = None) -> dict[str, str]:
    """The parts of the study by title, or the one of them."""
    made = {}
    for title, words, part in PARTS:
        if only in (None, title):
            made[title] = f"\n## {title}\n\n{words}\n\n{part(runs)}"
            print(f"{title}: done", file=sys.stderr)
    if only in (None, WEEKS):
        made[WEEKS] = f"\n## {WEEKS}\n\n{WEEKS_SAID}\n\n{sample_weeks(runs // 2)}"
    if only in (None, DETECTION):
        made[DETECTION] = f"\n## {DETECTION}\n\n{detection.__doc__}\n\n{detection()}"
    return made


def whole(parts: dict[str, str], runs: int) -> str:
    taken = f"\nTaken with {runs:,} runs a row (more for items and percentiles).\n"
    return "".join([HEAD, *parts.values(), taken])


def patched(text: str, title: str, part: str) -> str:
    """The study with one of its parts made anew."""
    start = text.find(f"\n## {title}\n")
    if start < 0:  # a new one: before the last
        start = text.index(f"\n## {DETECTION}\n")
        return text[:start] + part + text[start:]
    end = min(at for at in (text.find("\n## ", start + 1), text.find("\nTaken with")) if at > 0)
    return text[:start] + part + text[end:]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    titles = [*(title for title, _, _ in PARTS), WEEKS, DETECTION]
    parser.add_argument("--only", choices=titles, help="one part, the others as they are")
    options = parser.parse_args()
    parts, path = report(options.runs, options.only), HERE / "STUDY.md"
    text = whole(parts, options.runs)
    if options.only:
        text = patched(path.read_text(encoding="utf-8"), options.only, parts[options.only])
    if options.write:
        path.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
