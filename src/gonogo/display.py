"""Numbers to text: the only place where a number is rounded.

Values come in the units of the results (µs, nano-dollars, milli-tokens per second, ratios of 1,
epoch seconds) as int, float or Fraction. Absent is `ABSENT`, never zero. Rounding is half-even, on
exact fractions. `near` adds digits until the text is on the same side of a limit as the value.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from math import floor, log10
from typing import Final
from zoneinfo import ZoneInfo

Number = int | float | Fraction
_Shown = tuple[str, Fraction]

ABSENT: Final = "–"
NOT_LOGGED: Final = "not logged"

_MOST_DIGITS = 30
_SIZES = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def value(number: Number | None, unit: str) -> str:
    """The number in its unit: us, ratio, nano_usd, milli_tps, tokens, count, score."""
    return ABSENT if number is None else _shown(_exactly(number), unit, 0)[0]


def count(number: int | None) -> str:
    """A count with thousands separators: 3,204."""
    return value(number, "count")


def duration(microseconds: Number | None) -> str:
    """A duration given in µs: 793 ms, 2.5 s, 1 min 4 s, 2 h 35 min."""
    return value(microseconds, "us")


def ratio(num: Number | None, den: Number | None) -> str:
    """num / den as a percentage; absent where either is absent or den is 0.

    Never 0 % or 100 % where that is not exact: 0.37 %, 13.6 %, 99.96 %.
    """
    if num is None or not den:
        return ABSENT
    return _ratio(_exactly(num) / _exactly(den), 0)[0]


def money(nano_usd: Number | None) -> str:
    """Money given in nano-dollars: $0.0042, $12.50, $1,204."""
    return value(nano_usd, "nano_usd")


def change(number: Number | None, unit: str) -> str:
    """A difference with its sign: +1.5 s, −0.2 s; of ratios in percentage points: +1.2 pp."""
    if number is None:
        return ABSENT
    text = value(abs(_exactly(number)), unit)
    if unit == "ratio":
        text = text.removesuffix(" %") + " pp"
    return text if not number else f"{'−' if number < 0 else '+'}{text}"


def exact(number: Number, unit: str) -> str:
    """The number with as many digits as it has (a limit is never rounded), thirty at most."""
    goal = _exactly(number)
    return _digits(goal, unit, lambda shown: shown == goal)


def near(number: Number | None, limit: Number | str, unit: str) -> str:
    """The number with as many digits as keep it on its side of the limit.

    99.96 % against 99.95 % shows as 99.96 %, and 2,500.4 ms against 2.5 s as 2.5004 s. `limit` may
    be decimal text. A float that equals the limit as a float counts as equal to it.
    """
    if number is None:
        return ABSENT
    border = Fraction(limit)
    equal = isinstance(number, float) and number == float(border)
    goal = border if equal else _exactly(number)
    return _digits(goal, unit, lambda shown: _side(shown, border) == _side(goal, border))


def interval(low: Number | None, high: Number | None, unit: str) -> str:
    """A two-sided interval, or a one-sided one: 0.7 % to 1.2 %, at most 3.1 s, at least 90 %."""
    if low is None or high is None:
        if high is not None:
            return f"at most {value(high, unit)}"
        return ABSENT if low is None else f"at least {value(low, unit)}"
    return f"{value(low, unit)} to {value(high, unit)}"


def plain(number: Fraction) -> str:
    """Exact decimal text without a unit, such as 0.01; num/den where the decimals do not end."""
    for digits in range(_MOST_DIGITS):
        scaled = number * 10**digits
        if scaled.denominator == 1:
            return str(Decimal(scaled.numerator).scaleb(-digits).normalize().__format__("f"))
    return str(number)


def time(epoch: int | None, zone: str = "UTC") -> str:
    """An instant with its zone: Wed 18 Nov 2026 13:35 UTC."""
    if epoch is None:
        return ABSENT
    at = datetime.fromtimestamp(epoch, ZoneInfo(zone))
    return f"{_day(at)} {at:%H:%M} {_zone_name(at)}"


def clock(epoch: int | None, zone: str = "UTC") -> str:
    """The time of day alone: 13:35."""
    return ABSENT if epoch is None else f"{datetime.fromtimestamp(epoch, ZoneInfo(zone)):%H:%M}"


def day(epoch: int | None, zone: str = "UTC") -> str:
    """The date alone: Wed 18 Nov 2026."""
    return ABSENT if epoch is None else _day(datetime.fromtimestamp(epoch, ZoneInfo(zone)))


def span(start: int | None, end: int | None, zone: str = "UTC") -> str:
    """From start to end: Wed 18 Nov 2026 13:35 to 16:10 UTC; the date twice where it changes."""
    if start is None or end is None:
        return ABSENT
    first = datetime.fromtimestamp(start, ZoneInfo(zone))
    last = datetime.fromtimestamp(end, ZoneInfo(zone))
    same = first.date() == last.date() and _zone_name(first) == _zone_name(last)
    if same:
        return f"{_day(first)} {first:%H:%M} to {last:%H:%M} {_zone_name(last)}"
    return f"{time(start, zone)} to {time(end, zone)}"


def _exactly(number: Number) -> Fraction:
    return Fraction(number)


def _side(number: Fraction, limit: Fraction) -> int:
    return (number > limit) - (number < limit)


def _digits(number: Fraction, unit: str, enough: Callable[[Fraction], bool]) -> str:
    text = ""
    for extra in range(_MOST_DIGITS):
        text, shown = _shown(number, unit, extra)
        if enough(shown):
            break
    return text


def _shown(number: Fraction, unit: str, extra: int) -> _Shown:
    """Text with `extra` digits more than usual, and the number which that text says."""
    if number < 0:
        text, shown = _FORMATS[unit](-number, extra)
        return ("−" + text if shown else text), -shown
    return _FORMATS[unit](number, extra)


def _rounded(number: Fraction, digits: int, keep: int = 0) -> _Shown:
    """`digits` decimals, of which trailing zeros beyond the first `keep` are dropped."""
    scaled = round(number * 10**digits)
    return _decimal(scaled, digits, keep), Fraction(scaled, 10**digits)


def _decimal(scaled: int, digits: int, keep: int = 0) -> str:
    whole, part = divmod(scaled, 10**digits)
    decimals = f"{part:0{digits}d}" if digits else ""
    decimals = decimals[:keep] + decimals[keep:].rstrip("0")
    return f"{whole:,}.{decimals}" if decimals else f"{whole:,}"


def _three(number: Fraction) -> int:
    """Decimals that give three significant digits to a number of at least one."""
    whole = int(number)
    return 2 if whole < 10 else 1 if whole < 100 else 0


def _magnitude(number: Fraction) -> int:
    """Exponent of the leading digit, also where a float would be zero or infinite."""
    try:
        return floor(log10(number))
    except (ValueError, OverflowError):
        return len(str(number.numerator)) - len(str(number.denominator))


def _duration(number: Fraction, extra: int) -> _Shown:
    if not number:
        return "0 ms", number
    whole = int(number)
    for name, size, top in (("µs", 1, 1000), ("ms", 1000, 1000), ("s", 10**6, 60)):
        if whole >= top * size:
            continue
        amount = number / size
        text, shown = _rounded(amount, _three(amount) + extra)
        if shown < top:
            return f"{text} {name}", shown * size
    seconds = number / 10**6
    # A minute is told to the second, an hour to the minute, a day to the hour.
    usual = 1 if seconds < 3600 else 60 if seconds < 86_400 else 3600
    steps = [step for step in (3600, 60, 1) if step <= usual]
    digits = max(0, extra - len(steps) + 1)
    step = Fraction(steps[min(extra, len(steps) - 1)], 10**digits)
    rest = shown = round(seconds / step) * step
    parts = []
    for name, size in _SIZES:
        amount = rest if size == 1 else Fraction(rest // size)
        rest -= amount * size
        if amount:
            parts.append(f"{_rounded(amount, digits)[0]} {name}")
    return " ".join(parts), shown * 10**6


def _ratio(number: Fraction, extra: int) -> _Shown:
    percent = number * 100
    # Close to 100 % the distance to it is what matters: 99.96 % is not 100 %.
    distance = min(percent, 100 - percent) if percent < 100 else percent
    digits = 0
    if distance:
        digits = 1 if distance >= 10 else 2 if distance >= Fraction(1, 10) else 0
        digits = digits or 1 - _magnitude(distance)
    text, shown = _rounded(percent, digits + extra)
    return f"{text} %", shown / 100


def _money(number: Fraction, extra: int) -> _Shown:
    dollars = number / 10**9
    digits, keep = 2, 2
    if dollars >= 1000:
        digits, keep = 0, 0
    elif 0 < dollars < 1:
        digits = max(2, 2 - _magnitude(dollars))
    text, shown = _rounded(dollars, digits + extra, min(keep, digits + extra))
    return f"${text}", shown * 10**9


def _speed(number: Fraction, extra: int) -> _Shown:
    tokens = number / 1000
    text, shown = _rounded(tokens, _three(tokens) + extra)
    return f"{text} tok/s", shown * 1000


def _amount(number: Fraction, extra: int) -> _Shown:
    whole = number.denominator == 1
    return _rounded(number, (0 if whole or number >= 100 else 1) + extra)


def _score(number: Fraction, extra: int) -> _Shown:
    return _rounded(number, 3 + extra)


_FORMATS: Final[dict[str, Callable[[Fraction, int], _Shown]]] = {
    "us": _duration,
    "ratio": _ratio,
    "nano_usd": _money,
    "milli_tps": _speed,
    "tokens": _amount,
    "count": _amount,
    "score": _score,
}


def _day(at: datetime) -> str:
    # Not %a and %b: those follow the machine's locale.
    return f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]} {at.year}"


def _zone_name(at: datetime) -> str:
    name, offset = at.tzname() or "", f"{at:%z}"
    return name if name.isalpha() else f"UTC{offset[:3]}:{offset[3:]}"
