"""Error budgets and replayed burn-rate alerts, against cases worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.config.burn import burn_table, published
from gonogo.config.load import load
from gonogo.config.model import Config, Pair
from gonogo.conventions import Status
from gonogo.errors import ConfigError
from gonogo.results import Burn, ObjectiveResult
from gonogo.slo.burn import replay
from test_slo import MONDAY, data, ints, judge, objective

DAY, HOUR, BIN = 86_400, 3600, 300
THOUSANDTH = objective(limit="0.001", window=30 * DAY)


def judged(result: ObjectiveResult) -> Burn:
    assert result.burn is not None
    return result.burn


@pytest.mark.parametrize(
    ("bad_of_1000", "long", "minutes"),
    [
        # detection time = (1 - SLO) / error ratio x long window x burn rate (SRE workbook, ch. 5),
        # then up to the next whole bin: 0.001 / 1 x 60 x 14.4 = 0.86 min, 17.3, 43.2, 216, 2160.
        (1000, HOUR, 5),
        (50, HOUR, 20),
        (20, HOUR, 45),
        (10, 6 * HOUR, 220),
        (2, 3 * DAY, 2165),
    ],
)
def test_an_outage_is_noticed_when_the_workbook_says(
    bad_of_1000: int, long: int, minutes: int
) -> None:
    total = np.full(7 * 288, 1000)
    bad = np.zeros(7 * 288)
    bad[4 * 288 :] = bad_of_1000  # from Friday on
    result, _ = judge(data(THOUSANDTH, bad, total))
    at = [a for a in judged(result).alerts if a.long_seconds == long]
    assert [a.fired for a in at] == [MONDAY + 4 * DAY + minutes * 60]
    assert [a.resolved for a in at] == [None]


def test_what_burns_at_exactly_the_factor_does_not_alert() -> None:
    total, bad = np.full(7 * 288, 10_000), np.full(7 * 288, 144)
    over = bad.copy()
    over[1000] += 1
    # 14.4 x 0.1 % = 1.44 %: reached and not exceeded, until one more call fails
    assert judged(judge(data(THOUSANDTH, bad, total))[0]).pairs[0].fired == 0
    assert judged(judge(data(THOUSANDTH, over, total))[0]).pairs[0].fired == 1


def test_an_alert_ends_when_its_short_window_is_clean() -> None:
    bad = np.zeros(2 * 288)
    bad[288 : 288 + 6] = 500  # half an hour from Tuesday 00:00
    result, (only,) = judge(data(THOUSANDTH, bad, np.full(2 * 288, 1000)))
    alerts = [a for a in judged(result).alerts if a.long_seconds in (HOUR, 6 * HOUR)]
    start = MONDAY + DAY
    # 1 h and 5 min: from the first bin on, until 5 minutes after the last bad one
    # 6 h and 30 min: 500 of 72,000 is 0.7 %, over 6 x 0.1 % at once; 30 minutes after the last
    assert [(a.fired, a.resolved) for a in alerts] == [
        (start + BIN, start + 7 * BIN),
        (start + BIN, start + 12 * BIN),
    ]
    assert [a.onset for a in alerts] == [start, start] == [only.onset] * 2
    assert alerts[0].sentence == (
        "would have paged on Tue 17 Nov 2026 00:05 UTC, 5 min after onset, at a pace that spends "
        "2 % of the budget in 1 h"
    )
    assert (alerts[0].bad, alerts[0].total) == (500, 12_000)


def test_a_window_that_the_log_does_not_fill_is_not_judged() -> None:
    bad = np.zeros(100)
    bad[:20] = 500  # over from the first record on
    result, _ = judge(data(THOUSANDTH, bad, np.full(100, 1000)))
    burned = judged(result)
    assert [p.note for p in burned.pairs] == [
        "",
        "",
        "not judged: the log spans less than 1 d",
        "not judged: the log spans less than 3 d",
    ]
    assert min(a.fired for a in burned.alerts) == MONDAY + HOUR


def test_a_pair_that_can_never_fire_says_so() -> None:
    loose = objective(limit="0.1")  # 13.44 x 10 % is more than all calls
    result, _ = judge(data(loose, np.zeros(2016), np.full(2016, 10)))
    first, *others = judged(result).pairs
    assert first.note.startswith("cannot fire")
    assert [p.note for p in others] == ["", "", ""]


def test_a_single_failure_in_thin_traffic_alerts_nobody() -> None:
    bad = np.zeros(2016)
    bad[1500] = bad[1501] = 1
    result, _ = judge(data(objective(), bad, np.full(2016, 1)))
    assert judged(result).alerts == ()
    bad[1502] = 1
    alerts = judged(judge(data(objective(), bad, np.full(2016, 1)))[0]).alerts
    assert alerts
    # 3 of 12 calls in an hour at a limit of 1 %: ln(3/12 / 0.01) x 3 + ... = 7.2 < ln(168 / 0.01)
    assert all(a.by_chance for a in alerts)


def test_an_alert_alone_puts_a_met_objective_at_risk() -> None:
    """A day at 2.4 times a limit of 1 %: the week as a whole is met."""
    total = np.full(2016, 40)
    bad = np.zeros(2016)
    bad[2 * 288 : 3 * 288] = np.arange(288) % 25 != 0
    result, _ = judge(data(objective(), bad, total))
    assert result.status is Status.AT_RISK
    assert "it would have opened a ticket on Wed 18 Nov 2026" in result.reason
    assert sum(p.fired for p in judged(result).pairs if p.alert == "page") == 0


def test_no_alerts_for_means_and_for_what_cannot_be_judged() -> None:
    mean = objective("latency", "1000", mean=True)
    assert judge(data(mean, [0] * 40, [10] * 40, sums=[5000] * 40))[0].burn is None
    zero = objective(limit="0")
    assert judge(data(zero, [0] * 40, [10] * 40))[0].burn is None
    assert judge(data(objective(minimum=1000), [0] * 40, [10] * 40))[0].burn is None


# Budgets


def test_the_budget_runs_out_at_the_end_of_the_bin_that_overspends_it() -> None:
    # 1 % of 4,000 calls: 40 may fail; 10 a bin from the 100th on, so the 5th such bin overspends
    bad = np.zeros(400)
    bad[100:110] = 10
    result, _ = judge(data(objective(), bad, np.full(400, 10)))
    assert result.budget is not None
    assert Fraction(result.budget.allowed_num, result.budget.allowed_den) == 40
    assert result.budget.bad == 100
    assert result.budget.exhausted_at == MONDAY + 105 * BIN


def test_a_budget_that_is_spent_exactly_is_not_overspent() -> None:
    bad = np.zeros(400)
    bad[100:104] = 10
    result, _ = judge(data(objective(), bad, np.full(400, 10)))
    assert result.budget is not None
    assert result.budget.exhausted_at is None
    assert result.status is not Status.BREACHED


def test_the_budget_of_a_window_is_that_of_the_newest_stretch() -> None:
    """Ten days, 10 calls a bin; 200 bad on the first day and 100 on the last."""
    bad = np.zeros(2880)
    bad[:20] = bad[-10:] = 10
    weekly, _ = judge(data(objective(window=7 * DAY), bad, np.full(2880, 10)))
    monthly, _ = judge(data(objective(window=30 * DAY), bad, np.full(2880, 10)))
    week, month = weekly.window_budget, monthly.window_budget
    assert week is not None
    assert month is not None
    assert (week.bad, week.total) == (100, 20_160)
    assert Fraction(week.allowed_num, week.allowed_den) == Fraction(20_160, 100)
    assert (week.start, week.end) == (MONDAY + 3 * DAY, MONDAY + 10 * DAY)
    assert (month.bad, month.total) == (300, 28_800)
    # 288 may fail in these ten days, so 864 in thirty days of such traffic
    assert Fraction(month.allowed_num, month.allowed_den) == 864
    assert month.exhausted_at is None


# The replay against its definition


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    places = draw(st.lists(st.integers(0, 120), min_size=1, max_size=50, unique=True))
    total = [draw(st.integers(1, 9)) for _ in places]
    bad = [draw(st.sampled_from([0, 0, 0, 1, n])) for n in total]
    return [MONDAY + BIN * p for p in sorted(places)], bad, total


@settings(max_examples=60)
@given(
    made=traffic(),
    widths=st.sampled_from([(12, 1), (24, 6), (3, 2)]),
    threshold=st.sampled_from([Fraction(1, 4), Fraction(1, 10), Fraction(2, 3)]),
)
def test_a_replay_is_what_looking_every_five_minutes_would_see(
    made: tuple[list[int], list[int], list[int]], widths: tuple[int, int], threshold: Fraction
) -> None:
    bins, bad, total = made
    pair = Pair("page", Fraction(1, 10), widths[0] * BIN, widths[1] * BIN)

    def share(end: int, width: int) -> tuple[int, int]:
        inside = [i for i, b in enumerate(bins) if end - width <= b and b + BIN <= end]
        return sum(bad[i] for i in inside), sum(total[i] for i in inside)

    expected: list[list[int | None]] = []
    was = False
    for end in range(bins[0] + pair.long, bins[-1] + 2 * BIN, BIN):
        (k, n), (short_k, short_n) = share(end, pair.long), share(end, pair.short)
        on = end <= bins[-1] + BIN and k >= 3 and k > threshold * n
        on = on and short_n > 0 and short_k > threshold * short_n
        if on and not was:
            last = expected[-1][1] if expected else None
            if last is not None and end - last < pair.short:
                expected[-1][1] = None
            else:
                expected.append([end, None])
        if was and not on and end <= bins[-1] + BIN:
            expected[-1][1] = end
        was = on
    found = replay(ints(bins), ints(bad), ints(total), pair, threshold, threshold / 2)
    assert [[f.fired, f.resolved] for f in found] == expected


# The tables, and pairs of one's own


def test_the_published_factors_are_those_of_the_books() -> None:
    factors = {
        window: [float(p.factor(window)) for p in table.pairs]
        for window, table in published().items()
    }
    assert factors[30 * DAY] == [14.4, 6, 3, 1]
    assert factors[7 * DAY] == pytest.approx([13.44, 3.5, 1.4, 0.98])
    assert factors[28 * DAY] == pytest.approx([13.44, 5.6, 2.8, 0.9333333])
    assert all(table.source.startswith("https://") for table in published().values())


def read(text: str, tmp_path: Path) -> Config:
    (tmp_path / "readiness.toml").write_text(text)
    return load(tmp_path / "readiness.toml")


def test_pairs_of_ones_own_replace_the_published_ones(tmp_path: Path) -> None:
    config = read(
        '[slo.error_rate]\nlimit = "<= 1%"\nwindow = "12d"\n'
        '[[burn_rate]]\nalert = "page"\nbudget = "10%"\nlong = "2h"\nshort = "10m"\n',
        tmp_path,
    )
    (only,) = config.burn_rates
    assert only == Pair("page", Fraction(1, 10), 7200, 600)
    assert config.objectives[0].window == 12 * DAY
    assert burn_table(12 * DAY, config.burn_rates).pairs == (only,)
    bad = np.zeros(288)
    bad[100:110] = 10
    one = data(replace(config.objectives[0]), bad, np.full(288, 10))
    burned = judged(judge(one, config)[0])
    assert burned.source == ""
    # factor 0.1 x 144 = 14.4 at 1 %: 10 of 240 calls are 4.2 %, 20 8.3 %, 30 12.5 %, 40 16.7 %
    assert [a.fired for a in burned.alerts] == [MONDAY + 104 * BIN]


PAIR = '[[burn_rate]]\nalert = "page"\nbudget = "2%"\nlong = "1h"\nshort = "5m"\n'


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (PAIR.replace("5m", "4m"), "C062", "narrower than the 5-minute bins"),
        (PAIR.replace("5m", "60s"), "C062", "write 5m or more"),
        (PAIR.replace("5m", "7m"), "C062", "write 5m"),
        (PAIR.replace("5m", "1h"), "C063", "not shorter than the long one; a twelfth is usual: 5m"),
        (PAIR.replace("5m", "5 minuten"), "C061", "not a length of time"),
        (PAIR.replace("1h", "2w").replace("5m", "800d"), "C061", "up to a year"),
        (PAIR.replace("2%", "0%"), "C063", "no budget would always be spent"),
        (PAIR.replace("2%", "200%"), "C026", "not a share"),
        (PAIR.replace('"page"', '"pager"'), "C036", "did you mean 'page'?"),
        (PAIR + PAIR, "C063", "the same pair of windows twice"),
        (PAIR.replace("long", "lnog"), "C005", "did you mean 'long'?"),
        (
            '[slo.error_rate]\nlimit = "<= 1%"\nwindow = "29d"\n',
            "C063",
            "write one of 7d, 28d, 30d",
        ),
        ('[slo.error_rate]\nlimit = "<= 1%"\nwindow = "1m"\n', "C062", "narrower than"),
        ('[slo."latency.mean"]\nlimit = "<= 1s"\nwindow = "7d"\n', "C063", "it has no budget"),
    ],
)
def test_windows_that_cannot_be_are_said_with_their_place(
    text: str, code: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text, tmp_path)
    told = [f"{d.code} {d}" for d in raised.value.diagnostics]
    assert any(code in line and said in line for line in told), told
