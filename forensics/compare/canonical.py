"""Equal values that were written as different text.

Live answers under pinned settings, so its text depends on the value alone. A dump was written under the settings of
whoever wrote it, and `pg_dump` pins all but three of those that matter: TimeZone, bytea_output and lc_monetary. Servers
before 12 write more digits of a float than are needed to read it again. So only types in which an instant, a bytea, an
amount of money or a float can stand need a canonical text: the one that a pinned session of a present server writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare import nested
from forensics.evidence import copytext
from forensics.evidence.ddl import identifier
from forensics.evidence.source import Source
from forensics.model import Catalog

Canonical = Callable[[pa.Array], pa.Array]

_LOCAL = r"(?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?"
_INSTANT = re.compile(
    r"(?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>\.\d{1,6})?"
    r"(?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?(?P<bc> BC)?"
)
_MODIFIER = re.compile(r'("(?:[^"]|"")*")|\s*\([^()]*\)')
_SHORTEST_FLOATS = 12  # the first major version that writes them
_BUILT_IN_RANGES = {
    "tstzrange": "timestamp with time zone",
    "tstzmultirange": "timestamp with time zone",
}


def base_type(type_name: str) -> str:
    """Return a type's name without its modifier: `character varying`, `timestamp with time zone`, `numeric[]`."""
    return _MODIFIER.sub(lambda m: m[1] or "", type_name)


@dataclass(frozen=True)
class Writer:
    """What is known of whoever wrote a side's text: the types it knows, and which of them need a canonical text.

    Attributes:
        catalog: resolves domains, composite types and ranges.
        pinned: whether its session's settings were ours.
        old_floats: whether it may write floats as servers before 12 do.
    """

    catalog: Catalog
    pinned: bool
    old_floats: bool

    @classmethod
    def of(cls, source: Source) -> Writer:
        """Return the writer of a side's text."""
        version = re.match(r"\d+", source.identify().server_version or "")
        old = int(version[0]) < _SHORTEST_FLOATS if version else not source.pinned
        return cls(source.catalog, source.pinned, old)

    @cached_property
    def _row_types(self) -> dict[str, tuple[str, ...]]:
        """Composite types, those that tables make among them, by name: their attributes' types."""
        tables = {
            f"{identifier(n.schema)}.{identifier(n.table)}": tuple(c.type for c in t.columns)
            for n, t in self.catalog.tables.items()
        }
        return {**tables, **self.catalog.composites}

    def without_domains(self, type_name: str) -> str:
        """Return the type that a domain, or an array of one, is made of in the end; any other type as it is."""
        seen: set[str] = set()
        while (base := type_name.removesuffix("[]")) in self.catalog.domains and base not in seen:
            seen.add(base)
            type_name = self.catalog.domains[base] + type_name[len(base) :]
        return type_name

    def canonical(self, type_name: str) -> Canonical | None:
        """Return what turns fields of a type into the text that a pinned session writes, or None where they are that text.

        Args:
            type_name: as `format_type` prints it.
        """
        type_name = base_type(self.without_domains(type_name))
        if not self.pinned and type_name == "timestamp with time zone":
            return instants
        if not self.pinned and type_name == "bytea":
            return byteas
        change = self._change(type_name, frozenset())
        return None if change is None else each_value(change)

    def _change(self, type_name: str, above: frozenset[str]) -> nested.Change | None:
        type_name = base_type(self.without_domains(type_name))
        if type_name in above:  # a table that holds rows of its own type
            return None
        above |= {type_name}
        if type_name.endswith("[]"):
            element = self._change(type_name.removesuffix("[]"), above)
            return nested.array(element) if element else None
        if type_name in self._row_types:
            parts = [self._change(t, above) for t in self._row_types[type_name]]
            return nested.composite(parts) if any(parts) else None
        if bound := {**_BUILT_IN_RANGES, **self.catalog.ranges}.get(type_name):
            change = self._change(bound, above)
            return nested.ranges(change) if change else None
        if self.old_floats and type_name in FLOATS:
            return FLOATS[type_name]
        if self.old_floats and type_name in _GEOMETRIC:
            return _coordinates
        return None if self.pinned else _BY_SETTINGS.get(type_name)


def each_value(change: nested.Change) -> Canonical:
    """Return what changes every field that is not NULL, one after the other, its escapes undone and made again."""

    def changed(field: str) -> str:
        value = copytext.decode_field(field)
        return field if value is None else copytext.encode_field(change(value))

    return lambda fields: pa.array([changed(f) for f in fields.to_pylist()], type=fields.type)


def instants(fields: pa.Array) -> pa.Array:
    """Turn timestamptz fields, written under any TimeZone, into the text that UTC gives."""
    foreign = pc.invert(pc.or_(pc.ends_with(fields, "+00"), pc.equal(fields, copytext.NULL)))
    if not pc.any(foreign).as_py():
        return fields
    picked = fields.filter(foreign)
    taken = pc.extract_regex(picked, f"^{_LOCAL}$")
    # An hour more or less may lead out of the years that both write alike.
    edge = pc.or_(pc.starts_with(picked, "0001"), pc.starts_with(picked, "9999"))
    usual = pc.and_not(pc.is_valid(taken), edge)
    result = picked
    if pc.any(usual).as_py():
        result = pc.replace_with_mask(picked, usual, _shift(taken.filter(usual)).cast(picked.type))
    if not pc.all(usual).as_py():
        # Years up to 1 or from 9999 on, infinity: rare enough for Python.
        rare = pc.invert(usual)
        values = [_INSTANT.sub(_in_utc, v) for v in picked.filter(rare).to_pylist()]
        result = pc.replace_with_mask(result, rare, pa.array(values, type=picked.type))
    return pc.replace_with_mask(fields, foreign, result)


def _shift(taken: pa.StructArray) -> pa.Array:
    local = taken.field("local").cast(pa.string()).cast(pa.timestamp("us"))

    def number(name: str, factor: int) -> pa.Array:
        text = taken.field(name)
        return pc.multiply(pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()), factor)

    offset = pc.add(
        pc.add(number("h", 3_600_000_000), number("m", 60_000_000)), number("s", 1_000_000)
    )
    east = pc.equal(taken.field("sign"), "+")
    offset = pc.if_else(east, pc.negate(offset), offset)
    text = pc.add(local.cast(pa.int64()), offset).cast(pa.timestamp("us")).cast(pa.string())
    # Arrow writes six digits always; PostgreSQL as many as are needed.
    return pc.binary_join_element_wise(pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."), "+00", "")


def _in_utc(match: re.Match[str]) -> str:
    offset = timedelta(
        hours=int(match["h"]), minutes=int(match["m"] or 0), seconds=int(match["s"] or 0)
    )
    seconds = int(match["hour"]) * 3600 + int(match["minute"]) * 60 + int(match["second"])
    seconds += int(offset.total_seconds()) * (-1 if match["sign"] == "+" else 1)
    year = 1 - int(match["year"]) if match["bc"] else int(match["year"])
    days, seconds = divmod(seconds, 86400)
    year, month, day = _civil(_days(year, int(match["month"]), int(match["day"])) + days)
    shown, era = (year, "") if year > 0 else (1 - year, " BC")
    fraction = (match["fraction"] or "").rstrip("0").rstrip(".")
    return f"{shown:04d}-{month:02d}-{day:02d} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}+00{era}"


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, any year. Source: Hinnant, days_from_civil."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    """The inverse of `_days`."""
    era, of_era = divmod(days + 719468, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year_of_era + era * 400 + (month <= 2), month, day


def byteas(fields: pa.Array) -> pa.Array:
    """Turn bytea fields written with bytea_output = escape into hex."""
    plain = pc.or_(pc.starts_with(fields, "\\\\x"), pc.equal(fields, copytext.NULL))
    if pc.all(plain).as_py():
        return fields
    odd = pc.invert(plain)
    return pc.replace_with_mask(fields, odd, each_value(hexadecimal)(fields.filter(odd)))


_OCTAL = re.compile(r"\\([0-7]{3}|\\)")


def instant(text: str) -> str:
    """Turn a timestamptz, written under any TimeZone, into the text that UTC gives."""
    return _INSTANT.sub(_in_utc, text)


def hexadecimal(text: str) -> str:
    """Turn a bytea, written with bytea_output = escape, into hex."""
    if text.startswith("\\x"):
        return text
    raw = _OCTAL.sub(lambda m: "\\" if m[1] == "\\" else chr(int(m[1], 8)), text)
    return "\\x" + raw.encode("latin-1").hex()


def _money(text: str) -> str:
    """What lc_monetary = C makes of an amount: its digits are the number that is stored, whatever the locale."""
    digits = "".join(re.findall(r"\d", text)).rjust(3, "0")
    if not digits.isascii():
        return text
    sign = "-" if "-" in text or "(" in text else ""
    return f"{sign}${int(digits[:-2]):,}.{digits[-2:]}"


def float_text(number: np.floating, digits: int) -> str:
    """Return a float with the fewest digits that tell it apart, as PostgreSQL 12 and later write it.

    Args:
        number: a float32 or float64.
        digits: from how many digits before the point on the exponent is written: 6 for real, 15 for double precision.
    """
    if np.isnan(number):
        return "NaN"
    if np.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    mantissa, _, power = np.format_float_scientific(number, unique=True, trim="-").partition("e")
    if -4 <= int(power) < digits:
        return str(np.format_float_positional(number, unique=True, trim="-"))
    return f"{mantissa}e{int(power):+03d}"


FLOATS: dict[str, nested.Change] = {
    "real": lambda text: float_text(np.float32(text), 6),
    "double precision": lambda text: float_text(np.float64(text), 15),
}
_GEOMETRIC = ("point", "line", "lseg", "box", "path", "polygon", "circle")
_COORDINATE = re.compile(r"[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|Infinity|NaN)", re.I)


def _coordinates(text: str) -> str:
    """What every number of a geometric value is written as; they are all double precision."""
    return _COORDINATE.sub(lambda m: FLOATS["double precision"](m[0]), text)


_BY_SETTINGS: dict[str, nested.Change] = {
    "timestamp with time zone": instant,
    "bytea": hexadecimal,
    "money": _money,
}


def after(first: Canonical | None, then: Canonical) -> Canonical:
    """Return one change after another."""
    return then if first is None else lambda fields: then(first(fields))


class Shaper:
    """Turns lines as stored into lines that can be compared: some columns, in one order, in canonical text.

    Args:
        stored: the columns of a stored line, in order.
        wanted: the columns of a comparable line, in order.
        canonical: by column, where its text must be made canonical.
        counted: columns whose values that are not NULL are counted on the way, into `values`.
    """

    def __init__(
        self,
        stored: Sequence[str],
        wanted: Sequence[str],
        canonical: Mapping[str, Canonical],
        counted: Sequence[str] = (),
    ) -> None:
        self._width = len(stored)
        self._picks = [(stored.index(c), canonical.get(c)) for c in wanted]
        self._counted = [(c, stored.index(c)) for c in counted if c in stored]
        self.values = {c: 0 for c, _ in self._counted}
        self.changes_nothing = (
            not canonical and not self._counted and tuple(stored) == tuple(wanted)
        )

    def __call__(self, lines: pa.Array) -> pa.Array:
        """Return the comparable lines of stored ones; both end in a line feed."""
        if self.changes_nothing:
            return lines
        fields = copytext.field_columns(lines, self._width)
        for name, at in self._counted:
            self.values[name] += pc.sum(pc.not_equal(fields[at], copytext.NULL)).as_py() or 0
        picked = [change(fields[at]) if change else fields[at] for at, change in self._picks]
        if not picked:
            return pa.array(["\n"] * len(lines), type=lines.type)
        text = (
            picked[0]
            if len(picked) == 1
            else pc.binary_join_element_wise(*picked, pa.scalar("\t", type=lines.type))
        )
        return pc.binary_join_element_wise(
            text, pa.scalar("\n", type=lines.type), pa.scalar("", type=lines.type)
        )
