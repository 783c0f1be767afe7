"""Numbers, times and foreign text, as a reader gets to see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


def count(value: int | None) -> str:
    """A number of rows: 23,486; a dash where it is not known."""
    return "–" if value is None else f"{value:,}"


def percent(part: int | None, whole: int | None) -> str:
    """A share; one that is neither nothing nor all is never rounded to that."""
    if not part or not whole:
        return "0 %"
    if part >= whole:
        return "100 %"
    share = 100 * part / whole
    if share < 0.1:
        return "< 0.1 %"
    if share > 99.9:
        return "> 99.9 %"
    return f"{share:.1f} %" if share < 10 or share > 99 else f"{share:.0f} %"


def plural(number: int, word: str) -> str:
    """The word, in the plural unless there is one."""
    return word if number == 1 else word + "s"


def moment(at: datetime) -> str:
    """A time, to the minute, in UTC: 2 January 2026, 10:40 UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def duration(length: timedelta) -> str:
    """How long something took, in the two largest units: 31 h 40 min."""
    seconds = round(length.total_seconds())
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days >= 3:
        return f"{days:,} days" + (f" {hours} h" if days < 10 and hours else "")
    if days or hours:
        return f"{24 * days + hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def size(number: int | None) -> str:
    """Bytes, as people say them, with the exact number."""
    if number is None:
        return "–"
    value, unit = float(number), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{number:,} bytes" if unit == "bytes" else f"{value:.1f} {unit} ({number:,} bytes)"


def one_line(text: str) -> str:
    """A statement on one line."""
    return " ".join(text.split())


def first_letter(text: str) -> str:
    """The first character that is one for its reader, with the marks that belong to it."""
    end = 1
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return text[:end]


def fact(value: Any) -> str:
    """A fact, as people read it."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{value:,}" if isinstance(value, int) else str(value)


def examples(rows: Iterable[Mapping[str, str | None]]) -> str:
    """Rows by the values of some of their columns: id 7; id 12."""
    return "; ".join(", ".join(f"{column} {'NULL' if value is None else value}" for column, value in row.items()) for row in rows)
