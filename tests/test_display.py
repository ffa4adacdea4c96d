"""Numbers to text: examples, and the law that rounding never crosses a limit."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo import display

AT = 1_795_008_900  # Wed 18 Nov 2026 13:35 UTC
UNITS = ("us", "ratio", "nano_usd", "milli_tps", "tokens", "count", "score")
_SIZES = {
    "µs": 1,
    "ms": 10**3,
    "s": 10**6,
    "min": 60 * 10**6,
    "h": 3600 * 10**6,
    "d": 86_400 * 10**6,
}


def read(text: str, unit: str) -> Fraction:
    """What a reader takes the text to mean, in the unit of the value."""
    sign = -1 if text.startswith("−") else 1
    text = text.removeprefix("−").replace(",", "")
    if unit == "us":
        parts = re.findall(r"([\d.]+) (µs|ms|s|min|h|d)", text)
        assert " ".join(" ".join(p) for p in parts) == text
        return sign * sum((Fraction(n) * _SIZES[size] for n, size in parts), Fraction(0))
    factor = {"ratio": Fraction(1, 100), "nano_usd": 10**9, "milli_tps": 1000}.get(unit, 1)
    return sign * Fraction(text.strip("$%tok/s ")) * factor


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (None, "–"),
        (0, "0 ms"),
        (12, "12 µs"),
        (1304, "1.3 ms"),
        (793_450, "793 ms"),
        (999_600, "1 s"),
        (2_500_000, "2.5 s"),
        (2_534_000, "2.53 s"),
        (59_999_999, "1 min"),
        (64_000_000, "1 min 4 s"),
        (9_300_000_000, "2 h 35 min"),
        (3_599_900_000, "1 h"),
        (3 * 86_400_000_000 + 4 * 3_600_000_000, "3 d 4 h"),
        (86_399_999_000, "1 d"),
        (-2_500_000, "−2.5 s"),
        (0.4, "0.4 µs"),
    ],
)
def test_durations(microseconds: float | None, text: str) -> None:
    assert display.duration(microseconds) == text


@pytest.mark.parametrize(
    ("num", "den", "text"),
    [
        (12, 3204, "0.37 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (2, 3, "66.7 %"),
        (1, 2, "50 %"),
        (9996, 10_000, "99.96 %"),
        (99_999, 100_000, "99.999 %"),
        (1, 1_000_000, "0.0001 %"),
        (3, 2, "150 %"),
        (None, 5, "–"),
        (5, None, "–"),
        (0, 0, "–"),
    ],
)
def test_ratios(num: int | None, den: int | None, text: str) -> None:
    assert display.ratio(num, den) == text


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (4_200_000, "$0.0042"),
        (20_377_000, "$0.0204"),
        (0, "$0.00"),
        (500_000_000, "$0.50"),
        (12_500_000_000, "$12.50"),
        (1_204_300_000_000, "$1,204"),
        (-4_200_000, "−$0.0042"),
        (1, "$0.000000001"),
    ],
)
def test_money(nano: int, text: str) -> None:
    assert display.money(nano) == text


def test_counts_tokens_speeds_and_scores() -> None:
    assert display.count(3204) == "3,204"
    assert display.count(None) == display.ABSENT
    assert display.value(1304.6, "tokens") == "1,305"
    assert display.value(12.25, "tokens") == "12.2"
    assert display.value(41_234, "milli_tps") == "41.2 tok/s"
    assert display.value(0.92, "score") == "0.92"


def test_times_name_their_zone_and_do_not_follow_the_locale() -> None:
    assert display.time(AT) == "Wed 18 Nov 2026 13:35 UTC"
    assert display.time(AT, "Europe/Berlin") == "Wed 18 Nov 2026 14:35 CET"
    assert display.time(AT, "Asia/Kathmandu") == "Wed 18 Nov 2026 19:20 UTC+05:45"
    assert display.clock(AT) == "13:35"
    assert display.day(AT) == "Wed 18 Nov 2026"
    assert display.span(AT, AT + 9300) == "Wed 18 Nov 2026 13:35 to 16:10 UTC"
    longer = "Wed 18 Nov 2026 13:35 UTC to Thu 19 Nov 2026 13:35 UTC"
    assert display.span(AT, AT + 86_400) == longer
    for absent in (display.time(None), display.clock(None), display.day(None)):
        assert absent == display.ABSENT
    assert display.span(AT, None) == display.ABSENT


def test_a_span_over_the_change_of_the_clocks_names_both_zones() -> None:
    change = 1_792_890_000  # Sun 25 Oct 2026 01:00 UTC
    text = display.span(change - 3600, change + 3600, "Europe/Berlin")
    assert text == "Sun 25 Oct 2026 02:00 CEST to Sun 25 Oct 2026 03:00 CET"


def test_intervals_may_lack_an_end() -> None:
    assert display.interval(0.007, 0.012, "ratio") == "0.7 % to 1.2 %"
    assert display.interval(None, 3_100_000, "us") == "at most 3.1 s"
    assert display.interval(0.9, None, "ratio") == "at least 90 %"
    assert display.interval(None, None, "us") == display.ABSENT


def test_the_examples_of_rounding_at_a_limit() -> None:
    assert display.near(Fraction(9996, 10_000), Fraction(9995, 10_000), "ratio") == "99.96 %"
    assert display.near(Fraction(99_949, 100_000), "0.9995", "ratio") == "99.949 %"
    assert display.near(2_500_400, 2_500_000, "us") == "2.5004 s"
    assert display.near(2_499_600, 2_500_000, "us") == "2.4996 s"
    assert display.near(2_500_000, 2_500_000, "us") == "2.5 s"
    assert display.near(0.01, Fraction(1, 100), "ratio") == "1 %"
    assert display.near(7_200_000_001, 7_200_000_000, "us") == "2 h 0.000001 s"
    assert display.near(None, 1, "us") == display.ABSENT


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=40)
@given(data=st.data())
def test_near_is_read_on_the_side_of_the_limit_where_the_value_is(
    unit: str, data: st.DataObject
) -> None:
    top = 2 if unit in ("ratio", "score") else 10**13
    limit = data.draw(st.fractions(0, top, max_denominator=10**5))
    close = st.fractions(Fraction(-1, 1000), Fraction(1, 1000), max_denominator=10**9)
    number = data.draw(st.one_of(st.just(limit), close.map(lambda c: max(Fraction(0), limit + c))))
    # A limit is decimal text: only such a one can be printed whole.
    limit, number = Fraction(round(limit * 10**9), 10**9), Fraction(round(number * 10**12), 10**12)
    shown = read(display.near(number, limit, unit), unit)
    assert (shown > limit) == (number > limit)
    assert (shown < limit) == (number < limit)


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=40)
@given(number=st.decimals(0, 10**12, places=6))
def test_usual_texts_are_close_and_exact_ones_are_exact(unit: str, number: object) -> None:
    value = Fraction(str(number))
    assert read(display.exact(value, unit), unit) == value
    shown = read(display.value(value, unit), unit)
    # Two digits, an hour of a day, or half of the last decimal that the unit has.
    last = {"us": "0.005", "milli_tps": "5", "tokens": "0.05", "count": "0.05", "score": "0.0005"}
    assert abs(shown - value) <= max(value / 19, Fraction(last.get(unit, 0)))


@given(num=st.integers(0, 10**9), den=st.integers(1, 10**9))
def test_a_percentage_is_0_or_100_only_when_it_is_exactly(num: int, den: int) -> None:
    text = display.ratio(num, den)
    assert (text == "0 %") == (num == 0)
    assert (text == "100 %") == (num == den)


@given(st.decimals(-(10**9), 10**9, places=9))
def test_plain_text_of_a_limit_reads_back_exactly(number: object) -> None:
    value = Fraction(str(number))
    assert Fraction(display.plain(value)) == value
    assert "E" not in display.plain(value)


def test_plain_text_of_a_fraction_without_an_end() -> None:
    assert display.plain(Fraction(1, 3)) == "1/3"
    assert display.plain(Fraction(2_500_000)) == "2500000"
    assert display.plain(Fraction(1, 100)) == "0.01"
