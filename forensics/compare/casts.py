"""Types that changed between the sides: equal values of either type brought to one text.

A cast loses nothing where the value can be had back from its result. Where equal values
of both types have the same text anyway (int to bigint, varchar to text, enum to text, a
timestamp that gained digits), nothing has to be done; where a cast may lose something,
the rows that it did touch differ in text and count as changed.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare import nested, spellings
from forensics.compare.canonical import Writer, base_type
from forensics.compare.fields import Canonical, each_value
from forensics.compare.jsonb import jsonb
from forensics.model import Catalog, TableName

_WHOLE = ("smallint", "integer", "bigint", "oid")
_NUMBERS = (*_WHOLE, "numeric", "real", "double precision")
_TEXTS = ("text", "character varying", "citext", "name")
_PADDED = ("character", "bpchar")
_NETWORKS = ("inet", "cidr")
_LOCAL_TIME, _INSTANT = "timestamp without time zone", "timestamp with time zone"
_UUID = re.compile(r"[0-9a-f]{32}\Z")

ASSUMES_UTC = (
    "instants and local times are held to be equal where they are in UTC, because no side says in "
    "which zone the type was changed"
)


def casts_between(
    was: str, now: str, backup: Writer, live: Writer
) -> tuple[Canonical, Canonical] | None:
    """Return what makes a column comparable whose type changed, for either side's fields.

    Args:
        was, now: the type on either side, as `format_type` prints it.
        backup, live: who wrote the sides' text: they know the domains.

    Returns:
        None where the texts can be held against each other as they are.
    """
    old, new = _known(backup.without_domains(was)), _known(live.without_domains(now))
    if old.endswith("[]") and new.endswith("[]"):
        return _between_arrays(old.removesuffix("[]"), new.removesuffix("[]"))
    # The frequent ones, without a Python call for each row.
    if _only_rescaled(old, new):
        return unscaled, unscaled
    if old in _PADDED and new in _TEXTS:
        return trimmed, _as_is
    found = _between(old, new)
    if found is None:
        return None
    return each_value(found[0]), each_value(found[1])


def assumes_utc(was: str, now: str, backup: Writer, live: Writer) -> bool:
    """Whether values of two types can only be compared under what `ASSUMES_UTC` says."""
    old = base_type(backup.without_domains(was)).removesuffix("[]")
    new = base_type(live.without_domains(now)).removesuffix("[]")
    return {old, new} in ({_LOCAL_TIME, _INSTANT}, {"date", _INSTANT})


def casts_of_column(
    catalogs: tuple[Catalog, Catalog], name: TableName, column: str
) -> tuple[Canonical, Canonical] | None:
    """Return what makes the values that a case keeps of a column comparable, for either side's.

    Args:
        catalogs: the backup's, and live's; both have the table.

    Returns:
        None where the texts can be held against each other as they are.
    """
    backup, live = catalogs
    was, now = backup.tables[name].column(column), live.tables[name].column(column)
    if was is None or now is None or was.type == now.type:
        return None
    ours = Writer(backup, pinned=True, old_floats=False)
    theirs = Writer(live, pinned=True, old_floats=False)
    return casts_between(was.type, now.type, ours, theirs)


def _known(type_name: str) -> str:
    """A type by its name alone; citext belongs to an extension, whose schema differs."""
    name = base_type(type_name)
    element = name.removesuffix("[]")
    if element.endswith(".citext"):
        return "citext" + name.removeprefix(element)
    return name


def _between_arrays(was: str, now: str) -> tuple[Canonical, Canonical] | None:
    found = _between(was, now)
    if found is None:
        return None
    return each_value(nested.array(found[0])), each_value(nested.array(found[1]))


def _only_rescaled(was: str, now: str) -> bool:
    """Whether both types are written without an exponent, and one of them is numeric."""
    exact = (*_WHOLE, "numeric")
    return "numeric" in (was, now) and was in exact and now in exact


# --- whole columns ----------------------------------------------------


def unscaled(fields: pa.Array) -> pa.Array:
    """Turn numbers into the text with the fewest digits.

    numeric holds 1.50 and 1.5 apart, and they are equal.
    """
    with_fraction = pc.match_substring(fields, ".")
    short = pc.utf8_rtrim(pc.utf8_rtrim(fields, "0"), ".")
    return pc.if_else(with_fraction, short, fields)


def trimmed(fields: pa.Array) -> pa.Array:
    """Turn char(n) fields into what a cast to text makes of them: without the padding."""
    return pc.utf8_rtrim(fields, " ")


def _as_is(fields: pa.Array) -> pa.Array:
    return fields


# --- one value --------------------------------------------------------

Pair = tuple[nested.Change, nested.Change]


def _between(was: str, now: str) -> Pair | None:
    """What makes a value comparable, on either side."""
    known = _CASTS.get((was, now))
    if known:
        return known
    if was in _NUMBERS and now in _NUMBERS:
        if was in _WHOLE and now in _WHOLE:
            return None
        return _number, _number
    if was in _TEXTS:
        return _from_text(now)
    if was in _PADDED:
        return _from_padded(now)
    if was == "boolean" and now in _TEXTS:
        return _truth, _same
    if was in _NETWORKS and now in (*_NETWORKS, *_TEXTS):
        return _no_mask, _no_mask
    return None


def _from_text(now: str) -> Pair | None:
    if now == "boolean":
        return _truth, _truth
    if now in _PADDED:
        return _same, _unpadded
    if now in _NETWORKS:
        return _no_mask, _no_mask
    if now in _PARSED:
        return _PARSED[now], _same
    return None


def _from_padded(now: str) -> Pair | None:
    if now in _PADDED:
        return _unpadded, _unpadded
    if now in _TEXTS:
        return _unpadded, _same
    if now in _PARSED:
        parse = _PARSED[now]
        return lambda text: parse(_unpadded(text)), _same
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
    if text.endswith(" BC"):
        return f"{text[:-3]} 00:00:00 BC"
    return f"{text} 00:00:00"


def _local(text: str) -> str:
    """An instant as the local time that it is in UTC; pinned sessions write instants in UTC."""
    return text.replace("+00", "", 1)


def _no_mask(text: str) -> str:
    """A network of one address, as inet writes it; a cast to text writes its mask too."""
    if ":" in text:
        return text.removesuffix("/128")
    return text.removesuffix("/32")


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
    return f"{'-' * sign}{short}e{exponent + len(figures) - len(short)}"


def _double(text: str) -> str:
    return _number(spellings.double(text))


def _single(text: str) -> str:
    """A real as the double precision that it becomes, which has more digits."""
    return _number(spellings.double(repr(float(np.float32(text)))))


def _amount(text: str) -> str:
    """An amount of money, as a pinned session writes it, as a number."""
    return _number(text.replace("$", "").replace(",", ""))


def _uuid(text: str) -> str:
    """The uuid that a text spells, where it spells one."""
    digits = text.strip("{}").replace("-", "").lower()
    if not _UUID.match(digits):
        return text
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


# Types that a text is read as.
_PARSED = {"uuid": _uuid, "jsonb": jsonb}


def _both_ways(pairs: dict[tuple[str, str], Pair]) -> dict[tuple[str, str], Pair]:
    found = dict(pairs)
    for (was, now), (old, new) in pairs.items():
        found[now, was] = new, old
    return found


_CASTS: dict[tuple[str, str], Pair] = _both_ways(
    {
        ("real", "double precision"): (_single, _double),
        ("date", _LOCAL_TIME): (_midnight, _same),
        ("date", _INSTANT): (_midnight, _local),
        (_LOCAL_TIME, _INSTANT): (_same, _local),
        ("money", "numeric"): (_amount, _number),
        ("boolean", "smallint"): (_bit, _same),
        ("boolean", "integer"): (_bit, _same),
        ("boolean", "bigint"): (_bit, _same),
    }
) | {("json", "jsonb"): (jsonb, _same)}
