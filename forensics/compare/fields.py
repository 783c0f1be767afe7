"""Arrays of fields, as COPY wrote them, brought to the text that a pinned session writes."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from forensics.compare import nested, spellings
from forensics.evidence import arrays, copytext

Canonical = Callable[[pa.Array], pa.Array]

_LOCAL = (
    r"^(?P<local>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)"
    r"(?P<sign>[+-])(?P<h>\d\d)(?::(?P<m>\d\d))?(?::(?P<s>\d\d))?$"
)
_SECOND = 1_000_000  # microseconds


def each_value(change: nested.Change) -> Canonical:
    """Return what changes every field that is not NULL, its escapes undone and made again."""

    def changed(fields: pa.Array) -> pa.Array:
        found = []
        for field in fields.to_pylist():
            value = copytext.decode_field(field)
            if value is not None:
                field = copytext.encode_field(change(value))
            found.append(field)
        return arrays.texts(found, fields.type)

    return changed


def instants(fields: pa.Array) -> pa.Array:
    """Turn timestamptz fields, written under any TimeZone, into the text that UTC gives."""
    foreign = pc.invert(
        pc.or_(
            pc.ends_with(fields, "+00"), pc.equal(fields, arrays.text(copytext.NULL, fields.type))
        )
    )
    if not pc.any(foreign).as_py():
        return fields
    picked = fields.filter(foreign)
    taken = pc.extract_regex(picked, _LOCAL)
    # An hour more or less may lead out of the years that both write alike.
    edge = pc.or_(pc.starts_with(picked, "0001"), pc.starts_with(picked, "9999"))
    usual = pc.and_not(pc.is_valid(taken), edge)
    result = picked
    if pc.any(usual).as_py():
        shifted = _in_utc(taken.filter(usual)).cast(picked.type)
        result = pc.replace_with_mask(picked, usual, shifted)
    if not pc.all(usual).as_py():
        # Years up to 1 or from 9999 on, infinity: rare enough for Python.
        rare = pc.invert(usual)
        values = [spellings.instant(v) for v in picked.filter(rare).to_pylist()]
        result = pc.replace_with_mask(result, rare, arrays.texts(values, picked.type))
    return pc.replace_with_mask(fields, foreign, result)


def _in_utc(taken: pa.StructArray) -> pa.Array:
    """The instants whose parts were taken from their text, as UTC writes them."""
    local = taken.field("local").cast(pa.string()).cast(pa.timestamp("us"))
    offset = pc.add(
        pc.add(_number(taken, "h", 3600 * _SECOND), _number(taken, "m", 60 * _SECOND)),
        _number(taken, "s", _SECOND),
    )
    east = pc.equal(taken.field("sign"), arrays.text("+", taken.field("sign").type))
    offset = pc.if_else(east, pc.negate(offset), offset)
    text = pc.add(local.cast(pa.int64()), offset).cast(pa.timestamp("us")).cast(pa.string())
    # Arrow writes six digits always; PostgreSQL as many as are needed.
    return pc.binary_join_element_wise(
        pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."),
        arrays.text("+00", text.type),
        arrays.text("", text.type),
    )


def _number(taken: pa.StructArray, name: str, factor: int) -> pa.Array:
    text = taken.field(name)
    number = pc.if_else(
        pc.equal(text, arrays.text("", text.type)), arrays.text("0", text.type), text
    ).cast(pa.int64())
    return pc.multiply(number, arrays.number(factor))


def byteas(fields: pa.Array) -> pa.Array:
    """Turn bytea fields written with bytea_output = escape into hex."""
    plain = pc.or_(
        pc.starts_with(fields, "\\\\x"), pc.equal(fields, arrays.text(copytext.NULL, fields.type))
    )
    if pc.all(plain).as_py():
        return fields
    odd = pc.invert(plain)
    return pc.replace_with_mask(fields, odd, _in_hex(fields.filter(odd)))


_in_hex = each_value(spellings.hexadecimal)
