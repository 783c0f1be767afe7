"""Rows of COPY text as CSV, as PostgreSQL's own COPY … CSV writes them: no value changes."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import arrays
from forensics.query import fields
from forensics.query.writing import joined

_QUOTED = r'[",\n\r]'


def heading(columns: Sequence[str]) -> bytes:
    """Return the line that names the columns."""
    names = arrays.texts(columns, pa.string())
    if not len(names):
        return b"\n"
    return ",".join(_quoted(names).to_pylist()).encode("utf-8") + b"\n"


def lines(block: bytes, width: int) -> bytes:
    """Return rows as CSV: NULL is nothing, an empty text a pair of quotes.

    Args:
        block: whole lines of COPY text.
        width: how many fields each has.
    """
    if not width:
        return block
    columns = []
    for found in fields.read_as_text(block, width, range(width)):
        columns.append(pc.fill_null(_quoted(fields.values(found)), _text("")))
    made = pc.binary_join_element_wise(*columns, _text(","))
    return joined(pc.binary_join_element_wise(made, _text(""), _text("\n")))


def _text(text: str) -> pa.Scalar:
    return arrays.text(text, pa.string())


def _quoted(values: pa.Array) -> pa.Array:
    """Texts, in quotes where they could be taken for something else."""
    odd = pc.match_substring_regex(values, _QUOTED)
    for text in ("", "\\."):
        odd = pc.or_(odd, pc.equal(values, arrays.text(text, values.type)))
    if not pc.any(odd).as_py():
        return values
    doubled = pc.replace_substring(values, '"', '""')
    quoted = pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text(""))
    return pc.if_else(odd, quoted, values)
