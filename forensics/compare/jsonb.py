"""The text of a JSON value as jsonb has it.

jsonb orders an object's keys by length and then by bytes, keeps the last of equal keys,
writes ", " and ": ", and holds numbers as numeric. Source: the PostgreSQL manual, "JSON
Types".
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_MOST_DIGITS, _MOST_PLACES = 131_072, 16_383  # before and after numeric's point


class _Number(str):
    """A number of a JSON text, by its digits."""


def jsonb(text: str) -> str:
    """Return a JSON text as jsonb writes it, or as it is where jsonb does not take it."""
    try:
        written = _value(json.loads(text, parse_float=_Number, parse_int=_Number))
        written.encode()  # half of a surrogate pair is JSON, and no text
        return written
    except (ValueError, ArithmeticError, RecursionError):
        return text


def _value(value: Any) -> str:
    if isinstance(value, _Number):
        return _number(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return _object(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)


def _object(value: dict[str, Any]) -> str:
    members = []
    for key in sorted(value, key=_by_length):
        members.append(f"{_string(key)}: {_value(value[key])}")
    return "{" + ", ".join(members) + "}"


def _by_length(key: str) -> tuple[int, bytes]:
    written = key.encode("utf-8", "surrogatepass")
    return len(written), written


def _string(text: str) -> str:
    # Python escapes DEL no more than PostgreSQL does, and both leave all beyond ASCII alone.
    return json.dumps(text, ensure_ascii=False)


def _number(digits: str) -> str:
    number = Decimal(digits)
    if not -_MOST_PLACES <= number.adjusted() <= _MOST_DIGITS:
        raise ValueError("numeric holds no such number")
    sign, figures, exponent = number.as_tuple()
    places = 0
    if isinstance(exponent, int):
        places = max(-exponent, 0)
    text = f"{number:.{places}f}"
    if sign and not any(figures):
        return text.removeprefix("-")
    return text
