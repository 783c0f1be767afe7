"""Types that changed between the sides: equal values of either type brought to one text, where the cast loses nothing.

A cast loses nothing where the value can be had back from its result. Where equal values of both types have the same text
anyway (int to bigint, varchar to text, enum to text, a timestamp that gained digits), nothing has to be done; where a cast
may lose something, the rows that it did touch differ in text and count as changed.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare import nested
from forensics.compare.canonical import FLOATS, Canonical, Writer, base_type, each_value

_WHOLE = ("smallint", "integer", "bigint", "oid")
_NUMBERS = (*_WHOLE, "numeric", "real", "double precision")
_TEXTS = ("text", "character varying", "citext", "name")
_PADDED = ("character", "bpchar")
_NETWORKS = ("inet", "cidr")
_LOCAL_TIME, _INSTANT = "timestamp without time zone", "timestamp with time zone"
_MOST_DIGITS, _MOST_PLACES = 131_072, 16_383  # before and after numeric's point
_UUID = re.compile(r"[0-9a-f]{32}\Z")

ASSUMES_UTC = "instants and local times are held to be equal where they are in UTC, because no side says in which zone the type was changed"


def casts_between(
    was: str, now: str, backup: Writer, live: Writer
) -> tuple[Canonical, Canonical] | None:
    """Return what makes a column comparable whose type changed, for the backup's fields and for live's, or None.

    Args:
        was, now: the type on either side, as `format_type` prints it.
        backup, live: who wrote the sides' text: they know the domains.

    Returns:
        None where the texts can be held against each other as they are.
    """
    ours, theirs = (_known(w.without_domains(t)) for w, t in ((backup, was), (live, now)))
    if ours.endswith("[]") and theirs.endswith("[]"):
        found = _between(ours.removesuffix("[]"), theirs.removesuffix("[]"))
        return (
            (each_value(nested.array(found[0])), each_value(nested.array(found[1])))
            if found
            else None
        )
    if (
        (ours, theirs) == ("numeric", "numeric")
        or (ours in _WHOLE and theirs == "numeric")
        or (ours == "numeric" and theirs in _WHOLE)
    ):
        return unscaled, unscaled  # the frequent ones, without a Python call for each row
    if ours in _PADDED and theirs in _TEXTS:
        return trimmed, _as_is
    found = _between(ours, theirs)
    return (each_value(found[0]), each_value(found[1])) if found else None


def assumes_utc(was: str, now: str, backup: Writer, live: Writer) -> bool:
    """Whether values of the two types can only be compared under the assumption of `ASSUMES_UTC`."""
    pair = {
        base_type(w.without_domains(t)).removesuffix("[]") for w, t in ((backup, was), (live, now))
    }
    return pair in ({_LOCAL_TIME, _INSTANT}, {"date", _INSTANT})


def _known(type_name: str) -> str:
    """A type by its name alone; citext belongs to an extension, whose schema differs."""
    name = base_type(type_name)
    return (
        "citext" + name[len(name.removesuffix("[]")) :]
        if name.removesuffix("[]").endswith(".citext")
        else name
    )


def unscaled(fields: pa.Array) -> pa.Array:
    """Turn numbers into the text with the fewest digits: numeric holds 1.50 and 1.5 apart, and they are equal."""
    with_fraction = pc.match_substring(fields, ".")
    short = pc.utf8_rtrim(pc.utf8_rtrim(fields, "0"), ".")
    return pc.if_else(with_fraction, short, fields)


def trimmed(fields: pa.Array) -> pa.Array:
    """Turn char(n) fields into what a cast to text makes of them: without the padding."""
    return pc.utf8_rtrim(fields, " ")


def _as_is(fields: pa.Array) -> pa.Array:
    return fields


Pair = tuple[nested.Change, nested.Change]


def _between(was: str, now: str) -> Pair | None:
    """What makes a value comparable, on either side."""
    if found := _CASTS.get((was, now)):
        return found
    if was in _NUMBERS and now in _NUMBERS and not {was, now} <= {*_WHOLE}:
        return _number, _number
    if was in _TEXTS and now in ("uuid", "jsonb"):
        return (_uuid if now == "uuid" else _jsonb), _same
    if was in _PADDED and now in (*_TEXTS, "uuid", "jsonb"):
        change = {"uuid": _uuid, "jsonb": _jsonb}.get(now, _same)
        return lambda text: change(_unpadded(text)), _same
    if now in _PADDED and was in (*_TEXTS, *_PADDED):
        return (_unpadded if was in _PADDED else _same), _unpadded
    if was == "boolean" and now in _TEXTS:
        return _truth, _same
    if was in _TEXTS and now == "boolean":
        return _truth, _truth
    if {was, now} & {*_NETWORKS} and {was, now} <= {*_NETWORKS, *_TEXTS}:
        return _no_mask, _no_mask
    return None


def _same(text: str) -> str:
    return text


def _unpadded(text: str) -> str:
    return text.rstrip(" ")


def _truth(text: str) -> str:
    return {"t": "true", "f": "false"}.get(text, text)


def _bit(text: str) -> str:
    return {"t": "1", "f": "0"}.get(text, text)


def _midnight(text: str) -> str:
    if text.endswith("infinity"):
        return text
    return f"{text[:-3]} 00:00:00 BC" if text.endswith(" BC") else f"{text} 00:00:00"


def _local(text: str) -> str:
    """An instant as the local time that it is in UTC; pinned sessions write instants in UTC."""
    return text.replace("+00", "", 1)


def _no_mask(text: str) -> str:
    """A network of one address, as inet writes it; a cast to text writes its mask too."""
    return text.removesuffix("/128") if ":" in text else text.removesuffix("/32")


def _number(text: str) -> str:
    """A number's digits, whatever its scale or exponent."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite():
        return text
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    figures = "".join(map(str, digits)).lstrip("0")
    if not figures:
        return "0"
    short = figures.rstrip("0")
    return f"{'-' if sign else ''}{short}e{exponent + len(figures) - len(short)}"


def _double(text: str) -> str:
    return _number(FLOATS["double precision"](text))


def _single(text: str) -> str:
    return _number(FLOATS["double precision"](repr(float(np.float32(text)))))


def _amount(text: str) -> str:
    """An amount of money, as a pinned session writes it, as a number."""
    return _number(text.replace("$", "").replace(",", ""))


def _uuid(text: str) -> str:
    """The uuid that a text spells, where it spells one."""
    digits = text.strip("{}").replace("-", "").lower()
    if not _UUID.match(digits):
        return text
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _jsonb(text: str) -> str:
    """The text of a JSON value as jsonb has it.

    jsonb orders an object's keys by length and then by bytes, keeps the last of equal keys, writes ", " and ": ",
    and holds numbers as numeric. Source: the PostgreSQL manual, "JSON Types".
    """
    try:
        written = _jsonb_text(json.loads(text, parse_float=_Number, parse_int=_Number))
        written.encode()  # half of a surrogate pair is JSON, and no text
        return written
    except (ValueError, ArithmeticError, RecursionError):
        return text  # no JSON, or none that jsonb takes


class _Number(str):
    """A number of a JSON text, by its digits."""


def _jsonb_text(value: Any) -> str:
    if isinstance(value, _Number):
        return _numeric_text(value)
    if isinstance(value, dict):
        keys = sorted(
            value,
            key=lambda k: (
                len(k.encode("utf-8", "surrogatepass")),
                k.encode("utf-8", "surrogatepass"),
            ),
        )
        return "{" + ", ".join(f"{_json_string(k)}: {_jsonb_text(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_jsonb_text, value)) + "]"
    return _json_string(value) if isinstance(value, str) else json.dumps(value)


def _json_string(text: str) -> str:
    # Python escapes DEL no more than PostgreSQL does, and both leave everything beyond ASCII alone.
    return json.dumps(text, ensure_ascii=False)


def _numeric_text(digits: str) -> str:
    number = Decimal(digits)
    if not -_MOST_PLACES <= number.adjusted() <= _MOST_DIGITS:
        raise ValueError("numeric holds no such number")
    sign, figures, exponent = number.as_tuple()
    text = (
        f"{number:.{-exponent}f}"
        if isinstance(exponent, int) and exponent < 0
        else format(number, "f")
    )
    return text.removeprefix("-") if sign and not any(figures) else text


def _both_ways(pairs: dict[tuple[str, str], Pair]) -> dict[tuple[str, str], Pair]:
    return pairs | {(now, was): (theirs, ours) for (was, now), (ours, theirs) in pairs.items()}


_CASTS: dict[tuple[str, str], Pair] = _both_ways(
    {
        # A real's digits are the fewest that tell it from other reals; as a double it has more.
        ("real", "double precision"): (_single, _double),
        ("date", _LOCAL_TIME): (_midnight, _same),
        ("date", _INSTANT): (_midnight, _local),
        (_LOCAL_TIME, _INSTANT): (_same, _local),
        ("money", "numeric"): (_amount, _number),
        ("boolean", "smallint"): (_bit, _same),
        ("boolean", "integer"): (_bit, _same),
        ("boolean", "bigint"): (_bit, _same),
    }
) | {("json", "jsonb"): (_jsonb, _same)}
