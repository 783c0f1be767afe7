"""Values of files as the text that PostgreSQL writes, as far as their type says which that is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import arrays, copytext

_MODIFIER = re.compile(r"\s*\([^()]*\)")
_WHOLE = ("smallint", "integer", "bigint", "oid")
_TEXTS = ("text", "character varying", "character", "bpchar", "name", "citext")
_NO_VALUES = ("", "NULL", "null", "None", "NaT", "<NA>")
_QUOTED = re.compile(r'[{}",\\\s]|\A\Z|\ANULL\Z', re.I)
_DUCKDB_BYTES = re.compile(r"\\x([0-9A-Fa-f]{2})")

Spell = Callable[[pa.Array], pa.Array]


def base(type_name: str) -> str:
    """A type's name without its modifier."""
    return _MODIFIER.sub("", type_name)


def is_text(type_name: str) -> bool:
    """Whether any text is a value of a type."""
    return base(type_name) in _TEXTS


def type_of(kind: pa.DataType) -> str:
    """Return the type that values of a file would have in PostgreSQL, where nobody says it."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{type_of(kind.value_type)}[]"
    if pa.types.is_dictionary(kind):
        return type_of(kind.value_type)
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp with time zone" if kind.tz else "timestamp without time zone"
    for test, name in _TYPES:
        if test(kind):
            return name
    return "text"


_TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "bigint"),
    (pa.types.is_float32, "real"),
    (pa.types.is_floating, "double precision"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time without time zone"),
    (pa.types.is_binary, "bytea"),
    (pa.types.is_large_binary, "bytea"),
)


def texts(values: pa.Array, type_name: str) -> pa.Array:
    """Return a column's values as text; what a type does not settle stays as the file has it.

    Args:
        values: of a file.
        type_name: of the column, as `format_type` prints it.
    """
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    written = _written(values, type_name)
    if type_name.endswith("[]"):
        return _each_value(written, lambda text: _array_of_text(text, type_name[:-2]))
    if spell := _SPELLINGS.get(base(type_name)):
        written = spell(_without_no_values(written))
    return written


def copied(values: pa.Array) -> pa.Array:
    """Return texts as COPY writes them."""
    return pc.fill_null(copytext.escaped(values), arrays.text(copytext.NULL))


# --- Parquet: values as text ----------------------------------------------------------------------


def _written(values: pa.Array, type_name: str) -> pa.Array:
    kind = values.type
    large = pa.large_string()
    if pa.types.is_boolean(kind):
        return pc.if_else(values, arrays.text("t"), arrays.text("f"))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _each_value(values, lambda value: "\\x" + value.hex())
    if pa.types.is_fixed_size_binary(kind):
        return _each_value(values, _uuid if base(type_name) == "uuid" else _hex)
    if pa.types.is_nested(kind):
        if type_name.endswith("[]"):
            return _each_value(values, lambda value: _array(value, type_name[:-2]))
        return _each_value(values, lambda value: json.dumps(value, default=str))
    if pa.types.is_null(kind):
        return pa.nulls(len(values), large)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        values = values.cast(pa.timestamp("us", kind.tz), safe=False)
    return values.cast(large)


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()


def _uuid(value: bytes) -> str:
    text = value.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _each_value(values: pa.Array, change: Callable[[Any], str]) -> pa.Array:
    """A text of each value: what is nested, and bytes, Arrow cannot write itself."""
    found = ["" if value is None else change(value) for value in values.to_pylist()]
    made = arrays.texts(found)
    return pc.if_else(pc.is_valid(values), made, _null(made))


def _null(values: pa.Array) -> pa.Scalar:
    """NULL of a type; of None Arrow asks pandas."""
    return pa.nulls(1, values.type)[0]


# --- arrays ---------------------------------------------------------------------------------------


def _array(values: Any, element: str) -> str:
    """A list as PostgreSQL writes an array."""
    parts = []
    for value in values:
        if value is None:
            parts.append("NULL")
        elif isinstance(value, list):
            parts.append(_array(value, element))
        else:
            parts.append(_element(_scalar(value), element))
    return "{" + ",".join(parts) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return _hex(value)
    return str(value)


def _element(text: str, type_name: str) -> str:
    if spell := _SPELLINGS.get(base(type_name)):
        spelled = spell(arrays.texts([text]))[0].as_py()
        text = text if spelled is None else spelled
    if _QUOTED.search(text):
        inner = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{inner}"'
    return text


def _array_of_text(text: str, element: str) -> str:
    """An array that a file has as text: DuckDB's and Python's brackets are made braces."""
    if not (text.startswith("[") and text.endswith("]")):
        return text
    try:
        return _array(json.loads(text), element)
    except ValueError:
        pass  # it is not JSON: words stand bare in it
    parts = []
    for part in filter(None, text[1:-1].split(", ")):
        bare = part.strip("'\"")
        parts.append(None if part in ("NULL", "None") else bare)
    return _array(parts, element)


# --- text of files --------------------------------------------------------------------------------


def _without_no_values(values: pa.Array) -> pa.Array:
    """NULL where a text says that there is no value, of a type that has no such value."""
    for word in _NO_VALUES:
        none = pc.equal(values, arrays.text(word, values.type))
        if pc.any(none).as_py():
            values = pc.if_else(none, _null(values), values)
    return values


def _changed(*steps: tuple[str, str]) -> Spell:
    """Make what replaces patterns, one after the other."""

    def spell(values: pa.Array) -> pa.Array:
        for pattern, by in steps:
            if pc.any(pc.match_substring_regex(values, pattern)).as_py():
                values = pc.replace_substring_regex(values, pattern, by)
        return values

    return spell


def _bytes(values: pa.Array) -> pa.Array:
    def change(text: str) -> str:
        if text.count("\\x") > 1 or not text.startswith("\\x"):
            return "\\x" + _DUCKDB_BYTES.sub(lambda m: m[1].lower(), _hexed(text))
        return text.lower()

    return _each_value(values, change)


def _hexed(text: str) -> str:
    """Bytes of which DuckDB writes those that can be read as letters, all as escapes."""
    parts = []
    at = 0
    for found in _DUCKDB_BYTES.finditer(text):
        parts.append("".join(f"\\x{byte:02x}" for byte in text[at : found.start()].encode()))
        parts.append(found[0])
        at = found.end()
    parts.append("".join(f"\\x{byte:02x}" for byte in text[at:].encode()))
    return "".join(parts)


_FRACTION = ((r"(:\d\d\.\d*?)0+(\D.*)?$", r"\1\2"), (r"(:\d\d)\.(\D.*)?$", r"\1\2"))
_CLOCK = (
    (r"^(\S*\d)T(\d)", r"\1 \2"),
    (r"^([-\d]+)$", r"\1 00:00:00"),
    (r"^([-\d]+ \d\d:\d\d)([Z+-].*)?$", r"\1:00\2"),
    *_FRACTION,
)
_SPELLINGS: dict[str, Spell] = {
    "boolean": _changed(
        (r"(?i)^(?:t|true|1|1\.0|yes|y|on)$", "t"), (r"(?i)^(?:f|false|0|0\.0|no|n|off)$", "f")
    ),
    **dict.fromkeys(_WHOLE, _changed((r"^\+", ""), (r"\.0*$", ""))),
    "real": _changed((r"(?i)^(-?)inf(?:inity)?$", r"\1Infinity"), (r"(?i)^nan$", "NaN")),
    "double precision": _changed(
        (r"(?i)^(-?)inf(?:inity)?$", r"\1Infinity"), (r"(?i)^nan$", "NaN")
    ),
    "numeric": _changed((r"^\+", ""), (r"(?i)^nan$", "NaN")),
    "date": _changed((r"[ T]00:00(?::00)?(?:\.0*)?(?:Z|[+-]00(?::?00)?)?$", "")),
    "timestamp without time zone": _changed(
        *_CLOCK, (r"(:\d\d(?:\.\d+)?) ?(?:Z|UTC|\+00(?::?00)?)$", r"\1")
    ),
    "timestamp with time zone": _changed(
        *_CLOCK,
        (r"^(\S+ \d\d:\d\d:\d\d(?:\.\d+)?) ?(?:Z|UTC)?$", r"\1+00"),
        (r"([+-]\d\d):?(\d\d)$", r"\1:\2"),
        (r"([+-]\d\d):00$", r"\1"),
    ),
    "time without time zone": _changed((r"^(\d\d:\d\d)$", r"\1:00"), *_FRACTION),
    "time with time zone": _changed(*_FRACTION),
    "uuid": lambda values: pc.utf8_lower(_changed((r"[{}]", ""))(values)),
    "bytea": _bytes,
}
