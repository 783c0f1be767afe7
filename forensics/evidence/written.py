"""Columns of a case's rows as lines of COPY text.

Whole columns are looked at, and not each value by a query: DuckDB takes longer to plan the
escapes of a row than to read the rows of a small table.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.evidence import arrays, copytext

# Controls of bidirectional text, as the bytes of UTF-8: no other encoding of a server has them.
_MARKS = "\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_ODD = f"[\\\\\\x08-\\x0d{_MARKS}]"
_TAB, _LINE_FEED = arrays.text("\t", pa.string()), arrays.text("\n", pa.string())
# Bytes without which no text holds any of them.
_SIGNS = np.zeros(256, dtype=bool)
_SIGNS[list(b"\\\b\t\n\v\f\r\xd8\xe2")] = True


def copy_text(batch: pa.RecordBatch) -> str:
    """Rows as lines of COPY text; each column is one of the text's, whatever it is called."""
    if not len(batch):
        return ""
    fields = [_escaped(column.cast(pa.string())) for column in batch.columns]
    lines = pc.binary_join_element_wise(
        *fields, _TAB, null_handling="replace", null_replacement=copytext.NULL
    )
    ends = arrays.numbers([0, len(lines)])
    (whole,) = pc.binary_join(pa.LargeListArray.from_arrays(ends, lines), _LINE_FEED)
    return f"{whole.as_py()}\n"


def _escaped(column: pa.Array) -> pa.Array:
    """Values as COPY writes them; NULL stays NULL."""
    data = column.buffers()[2]
    if data is None or not _SIGNS[np.frombuffer(data, dtype=np.uint8)].any():
        return column
    if not pc.any(pc.match_substring_regex(column, _ODD)).as_py():
        return column
    column = copytext.escaped(column)
    for mark in _MARKS:
        written = "".join(f"\\x{byte:02x}" for byte in mark.encode())
        column = pc.replace_substring(column, mark, written)
    return column
