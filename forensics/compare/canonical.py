"""Equal values that were written as different text.

Live answers under pinned settings, so its text depends on the value alone. A dump was written under the settings of
whoever wrote it, and `pg_dump` pins all but two of those that matter: TimeZone and bytea_output. So only types in which
an instant or a bytea can stand need a canonical text, and only on the side that is a dump.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import copytext
from forensics.model import Catalog

Canonical = Callable[[pa.Array], pa.Array]

_LOCAL = r"(?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?"
_INSTANT = re.compile(
    r"(?P<year>\d{4,6})-(?P<month>\d\d)-(?P<day>\d\d) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>\.\d{1,6})?"
    r"(?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?(?P<bc> BC)?"
)
_BARE_TIME_ZONE = re.compile(r"timestamp(\(\d\))? with time zone\Z")


def canonical_for(type_name: str, catalog: Catalog) -> Canonical | None:
    """Return what turns a dump's fields of a type into the text that a pinned session writes, or None.

    Args:
        type_name: as `format_type` prints it.
        catalog: resolves domains and composite types.
    """
    parts = _built_of(type_name, catalog, set())
    if _BARE_TIME_ZONE.match(type_name):
        return instants
    if type_name == "bytea":
        return byteas
    if any(("with time zone" in p and p.startswith("timestamp")) or p in ("tstzrange", "tstzmultirange") for p in parts):
        return instants_within
    return None


def _built_of(type_name: str, catalog: Catalog, seen: set[str]) -> set[str]:
    base = type_name.removesuffix("[]")
    if base in seen:
        return set()
    seen.add(base)
    found = {base}
    if base in catalog.domains:
        found |= _built_of(catalog.domains[base], catalog, seen)
    for part in catalog.composites.get(base, ()):
        found |= _built_of(part, catalog, seen)
    return found


def instants(fields: pa.Array) -> pa.Array:
    """Turn timestamptz fields, written under any TimeZone, into the text that UTC gives."""
    foreign = pc.invert(pc.or_(pc.ends_with(fields, "+00"), pc.equal(fields, copytext.NULL)))
    if not pc.any(foreign).as_py():
        return fields
    picked = fields.filter(foreign)
    taken = pc.extract_regex(picked, f"^{_LOCAL}$")
    usual = pc.is_valid(taken)
    result = picked
    if pc.any(usual).as_py():
        result = pc.replace_with_mask(picked, usual, _shift(taken.filter(usual)).cast(picked.type))
    if not pc.all(usual).as_py():
        # Years before 1 or after 9999, infinity: rare enough for Python.
        rare = pc.invert(usual)
        values = [_INSTANT.sub(_in_utc, v) for v in picked.filter(rare).to_pylist()]
        result = pc.replace_with_mask(result, rare, pa.array(values, type=picked.type))
    return pc.replace_with_mask(fields, foreign, result)


def _shift(taken: pa.StructArray) -> pa.Array:
    local = taken.field("local").cast(pa.string()).cast(pa.timestamp("us"))

    def number(name: str, factor: int) -> pa.Array:
        text = taken.field(name)
        return pc.multiply(pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()), factor)

    offset = pc.add(pc.add(number("h", 3_600_000_000), number("m", 60_000_000)), number("s", 1_000_000))
    east = pc.equal(taken.field("sign"), "+")
    offset = pc.if_else(east, pc.negate(offset), offset)
    text = pc.add(local.cast(pa.int64()), offset).cast(pa.timestamp("us")).cast(pa.string())
    # Arrow writes six digits always; PostgreSQL as many as are needed.
    return pc.binary_join_element_wise(pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."), "+00", "")


def _in_utc(match: re.Match[str]) -> str:
    offset = timedelta(hours=int(match["h"]), minutes=int(match["m"] or 0), seconds=int(match["s"] or 0))
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


def instants_within(fields: pa.Array) -> pa.Array:
    """Turn every instant within the text of a field (an array, a range, a composite) into UTC."""
    return _each(fields, lambda v: _INSTANT.sub(_in_utc, v))


def byteas(fields: pa.Array) -> pa.Array:
    """Turn bytea fields written with bytea_output = escape into hex."""
    plain = pc.or_(pc.starts_with(fields, "\\\\x"), pc.equal(fields, copytext.NULL))
    if pc.all(plain).as_py():
        return fields
    odd = pc.invert(plain)
    values = [copytext.encode_field(_hex(copytext.decode_field(v) or "")) for v in fields.filter(odd).to_pylist()]
    return pc.replace_with_mask(fields, odd, pa.array(values, type=fields.type))


_OCTAL = re.compile(r"\\([0-7]{3}|\\)")


def _hex(text: str) -> str:
    raw = _OCTAL.sub(lambda m: "\\" if m[1] == "\\" else chr(int(m[1], 8)), text)
    return "\\x" + raw.encode("latin-1").hex()


def _each(fields: pa.Array, change: Callable[[str], str]) -> pa.Array:
    return pa.array([change(v) for v in fields.to_pylist()], type=fields.type)


# --- types that changed between the sides ---------------------------------------------------------

_INTEGER = re.compile(r"(smallint|integer|bigint)\Z")
_NUMERIC = re.compile(r"numeric(\(.*\))?\Z")
_TEXT = re.compile(r"(text|character varying(\(\d+\))?)\Z")
_PADDED = re.compile(r"(character\(\d+\)|bpchar)\Z")
_LOCAL_TIME = re.compile(r"timestamp(\(\d\))? without time zone\Z")


def casts_between(was: str, now: str) -> tuple[Canonical, Canonical] | None:
    """Return what makes a column comparable whose type changed, for the backup's fields and for live's, or None.

    Only casts that lose nothing are made: where the text of equal values is alike anyway (int to bigint, varchar to
    text), none is needed, and where a cast may lose, rows that it touched count as changed.

    Args:
        was, now: the type on either side, as `format_type` prints it.
    """
    if (was, now) == ("json", "jsonb"):
        return jsonbs, as_is
    if _TEXT.match(was) and now == "uuid":
        return uuids, as_is
    if _PADDED.match(was) and _TEXT.match(now):
        return trimmed, as_is
    if was == "date" and _LOCAL_TIME.match(now):
        return midnights, as_is
    if (_NUMERIC.match(was) or _INTEGER.match(was)) and _NUMERIC.match(now):
        return unscaled, unscaled
    return None


def after(first: Canonical | None, then: Canonical) -> Canonical:
    """Return one change after another."""
    return then if first is None else lambda fields: then(first(fields))


def as_is(fields: pa.Array) -> pa.Array:
    """Leave fields as they are."""
    return fields


def trimmed(fields: pa.Array) -> pa.Array:
    """Turn char(n) fields into what a cast to text makes of them: without the padding."""
    return pc.utf8_rtrim(fields, " ")


def midnights(fields: pa.Array) -> pa.Array:
    """Turn dates into the timestamps of their midnights."""

    def midnight(field: str) -> str:
        if field in (copytext.NULL, "infinity", "-infinity"):
            return field
        return f"{field[:-3]} 00:00:00 BC" if field.endswith(" BC") else f"{field} 00:00:00"

    return _each(fields, midnight)


def uuids(fields: pa.Array) -> pa.Array:
    """Turn text into the uuid that it spells, where it spells one."""

    def spelled(field: str) -> str:
        digits = field.strip("{}").replace("-", "").lower()
        if not _UUID.match(digits):
            return field
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    return _each(fields, spelled)


_UUID = re.compile(r"[0-9a-f]{32}\Z")


def unscaled(fields: pa.Array) -> pa.Array:
    """Turn numbers into the text with the fewest digits: numeric holds 1.50 and 1.5 apart, and they are equal."""
    with_fraction = pc.match_substring(fields, ".")
    short = pc.utf8_rtrim(pc.utf8_rtrim(fields, "0"), ".")
    return pc.if_else(with_fraction, short, fields)


def jsonbs(fields: pa.Array) -> pa.Array:
    """Turn json fields into the text of the same value as jsonb.

    jsonb orders an object's keys by length and then by bytes, keeps the last of equal keys, writes ", " and ": ",
    and holds numbers as numeric. Source: the PostgreSQL manual, "JSON Types".
    """

    def as_jsonb(field: str) -> str:
        value = copytext.decode_field(field)
        if value is None:
            return field
        try:
            return copytext.encode_field(_jsonb_text(json.loads(value, parse_float=_Number, parse_int=_Number, parse_constant=_Number)))
        except ValueError:
            return field

    return _each(fields, as_jsonb)


class _Number(str):
    """A number of a JSON text, by its digits."""


def _jsonb_text(value: Any) -> str:
    if isinstance(value, _Number):
        return _numeric_text(value)
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: (len(k.encode("utf-8", "surrogatepass")), k.encode("utf-8", "surrogatepass")))
        return "{" + ", ".join(f"{_json_string(k)}: {_jsonb_text(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_jsonb_text, value)) + "]"
    return _json_string(value) if isinstance(value, str) else json.dumps(value)


def _json_string(text: str) -> str:
    # Python escapes DEL no more than PostgreSQL does, and both leave everything beyond ASCII alone.
    return json.dumps(text, ensure_ascii=False)


def _numeric_text(digits: str) -> str:
    number = Decimal(digits)
    sign, figures, exponent = number.as_tuple()
    text = f"{number:.{-exponent}f}" if isinstance(exponent, int) and exponent < 0 else format(number, "f")
    return text.removeprefix("-") if sign and not any(figures) else text


class Shaper:
    """Turns lines as stored into lines that can be compared: some columns, in one order, in canonical text.

    Args:
        stored: the columns of a stored line, in order.
        wanted: the columns of a comparable line, in order.
        canonical: by column, where its text must be made canonical.
        counted: columns whose values that are not NULL are counted on the way, into `values`.
    """

    def __init__(
        self, stored: Sequence[str], wanted: Sequence[str], canonical: Mapping[str, Canonical], counted: Sequence[str] = ()
    ) -> None:
        self._width = len(stored)
        self._picks = [(stored.index(c), canonical.get(c)) for c in wanted]
        self._counted = [(c, stored.index(c)) for c in counted if c in stored]
        self.values = {c: 0 for c, _ in self._counted}
        self.changes_nothing = not canonical and not self._counted and tuple(stored) == tuple(wanted)

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
        text = picked[0] if len(picked) == 1 else pc.binary_join_element_wise(*picked, pa.scalar("\t", type=lines.type))
        return pc.binary_join_element_wise(text, pa.scalar("\n", type=lines.type), pa.scalar("", type=lines.type))
