"""Blocks of COPY text as columns: read at once where they can be, else as text for SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from forensics.compare.fields import Canonical
from forensics.evidence import arrays, copytext
from forensics.evidence.fields import unescape

_PARSING = csv.ParseOptions(
    delimiter="\t",
    quote_char=False,
    double_quote=False,
    escape_char=False,
    ignore_empty_lines=False,
)
# As VALUE_MACRO of `compare.feeding` has it: a backslash is parked as NUL, which no value holds.
_ESCAPES = (
    ("\\\\", "\0"),
    ("\\n", "\n"),
    ("\\t", "\t"),
    ("\\r", "\r"),
    ("\\b", "\b"),
    ("\\f", "\f"),
    ("\\v", "\v"),
    ("\0", "\\"),
)
_RARE_ESCAPE = r"\\[^\\ntrbfv]"


def read_at_once(block: bytes, width: int, wanted: Mapping[int, pa.DataType]) -> list[pa.Array]:
    """Return some columns of a block, of the types that are wanted; texts with their escapes.

    Args:
        block: whole lines.
        width: how many columns there are.
        wanted: by place, the type.

    Raises:
        pa.ArrowInvalid: it cannot be read so.
    """
    if b"\r" in block:
        raise pa.ArrowInvalid("a carriage return would end a line")
    names = [str(place) for place in range(width)]
    read = csv.read_csv(
        pa.BufferReader(block),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=len(block) + 1, column_names=names
        ),
        parse_options=_PARSING,
        convert_options=csv.ConvertOptions(
            column_types={str(place): kind for place, kind in wanted.items()},
            include_columns=[str(place) for place in wanted],
            null_values=[copytext.NULL],
            true_values=["t", "true"],
            false_values=["f", "false"],
            strings_can_be_null=True,
        ),
    )
    return [column.combine_chunks() for column in read.columns]


def read_as_text(block: bytes, width: int, places: Sequence[int]) -> list[pa.Array]:
    """Return some columns of a block as text, with their escapes, NULL where that is written.

    Raises:
        BackupError: a line has another number of fields, or bytes are no UTF-8.
    """
    try:
        return read_at_once(block, width, dict.fromkeys(places, pa.string()))
    except pa.ArrowInvalid:
        pass  # it is told better below
    found: list[list[pa.Array]] = []
    for batch in copytext.line_batches([block]):
        split = copytext.field_columns(batch["line"], width)
        found.append([split[place].cast(pa.string()) for place in places])
    columns = []
    for place in range(len(places)):
        column = pa.chunked_array([batch[place] for batch in found], pa.string())
        columns.append(_without_nulls(column.combine_chunks()))
    return columns


def _without_nulls(fields: pa.Array) -> pa.Array:
    """Fields as COPY wrote them, NULL where it wrote that."""
    is_null = pc.equal(fields, arrays.text(copytext.NULL, fields.type))
    return pc.if_else(is_null, pa.nulls(1, fields.type)[0], fields)


def values(fields: pa.Array) -> pa.Array:
    """Return what texts say, their escapes undone."""
    escaped = pc.match_substring(fields, "\\")
    if not pc.any(escaped).as_py():
        return fields
    if pc.any(pc.match_substring_regex(fields, _RARE_ESCAPE)).as_py():
        return _each(fields)
    for written, meant in _ESCAPES:
        fields = pc.replace_substring(fields, written, meant)
    return fields


def _each(fields: pa.Array) -> pa.Array:
    """The same with escapes that COPY reads and does not write: rare enough for Python."""
    there = pc.fill_null(fields, arrays.text("", fields.type))
    found = [unescape(field) for field in there.to_pylist()]
    nothing = pa.nulls(1, fields.type)[0]
    return pc.if_else(pc.is_valid(fields), arrays.texts(found, fields.type), nothing)


def canonical(fields: pa.Array, change: Canonical) -> pa.Array:
    """Return fields in the text that a pinned session writes."""
    written = pc.fill_null(fields, arrays.text(copytext.NULL, fields.type))
    return _without_nulls(change(written))
