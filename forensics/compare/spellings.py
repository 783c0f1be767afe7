"""One value written in several ways: its text as a pinned session of a present server writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import numpy as np

_INSTANT = re.compile(
    r"""
    (?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d)[ ]
    (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>\.\d{1,6})?
    (?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?
    (?P<bc>[ ]BC)?
    """,
    re.X,
)
_OCTAL = re.compile(r"\\([0-7]{3}|\\)")
_COORDINATE = re.compile(r"[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|Infinity|NaN)", re.I)
_DAY = 86_400  # seconds


def instant(text: str) -> str:
    """Turn a timestamptz, written under any TimeZone, into the text that UTC gives."""
    return _INSTANT.sub(_in_utc, text)


def _in_utc(match: re.Match[str]) -> str:
    clock = _length(match["hour"], match["minute"], match["second"])
    offset = _length(match["h"], match["m"], match["s"])
    if match["sign"] == "+":
        offset = -offset
    year = int(match["year"])
    if match["bc"]:
        year = 1 - year
    days, seconds = divmod(int((clock + offset).total_seconds()), _DAY)
    days += _days(year, int(match["month"]), int(match["day"]))
    fraction = (match["fraction"] or "").rstrip("0").rstrip(".")
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    year, month, day = _civil(days)
    era = ""
    if year <= 0:
        year, era = 1 - year, " BC"
    date, time = f"{year:04d}-{month:02d}-{day:02d}", f"{hour:02d}:{minute:02d}:{second:02d}"
    return f"{date} {time}{fraction}+00{era}"


def _length(hours: str, minutes: str | None, seconds: str | None) -> timedelta:
    return timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, any year.

    Source: Hinnant, days_from_civil.
    """
    year -= month <= 2
    era, of_era = divmod(year, 400)
    from_march = (month - 3) % 12
    of_year = (153 * from_march + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    """The inverse of `_days`."""
    era, of_era = divmod(days + 719468, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    day = of_year - (153 * from_march + 2) // 5 + 1
    month = (from_march + 2) % 12 + 1
    return year_of_era + era * 400 + (month <= 2), month, day


def hexadecimal(text: str) -> str:
    """Turn a bytea, written with bytea_output = escape, into hex."""
    if text.startswith("\\x"):
        return text
    return "\\x" + _OCTAL.sub(_unescaped, text).encode("latin-1").hex()


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] == "\\":
        return "\\"
    return chr(int(escape[1], 8))


def money(text: str) -> str:
    """Turn an amount of any lc_monetary into what C makes of it.

    Its digits are the number that is stored, whatever the locale.
    """
    digits = "".join(re.findall(r"\d", text)).rjust(3, "0")
    if not digits.isascii():
        return text
    sign = ""
    if "-" in text or "(" in text:
        sign = "-"
    return f"{sign}${int(digits[:-2]):,}.{digits[-2:]}"


def real(text: str) -> str:
    """Turn a real, of more digits than are needed, into its shortest text."""
    return _shortest(np.float32(text), 6)


def double(text: str) -> str:
    """Turn a double precision, of more digits than are needed, into its shortest text."""
    return _shortest(np.float64(text), 15)


def _shortest(number: np.floating, digits: int) -> str:
    """A float with the fewest digits that tell it apart, as PostgreSQL 12 and later write it.

    Args:
        number: a float32 or float64.
        digits: from how many digits before the point on the exponent is written.
    """
    if np.isnan(number):
        return "NaN"
    if np.isposinf(number):
        return "Infinity"
    if np.isneginf(number):
        return "-Infinity"
    mantissa, _, power = np.format_float_scientific(number, unique=True, trim="-").partition("e")
    if -4 <= int(power) < digits:
        return str(np.format_float_positional(number, unique=True, trim="-"))
    return f"{mantissa}e{int(power):+03d}"


def coordinates(text: str) -> str:
    """Turn every number of a geometric value into its shortest text; all are double precision."""
    return _COORDINATE.sub(lambda number: double(number[0]), text)


# How servers before 12 wrote more digits of a number than are needed to read it again.
FLOATS: dict[str, Callable[[str], str]] = {"real": real, "double precision": double}
SHAPES = ("point", "line", "lseg", "box", "path", "polygon", "circle")
# Types whose text depends on the settings that pg_dump does not pin.
BY_SETTINGS: dict[str, Callable[[str], str]] = {
    "timestamp with time zone": instant,
    "bytea": hexadecimal,
    "money": money,
}
