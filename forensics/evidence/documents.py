"""Whether texts are JSON as PostgreSQL reads it, many of them at once.

`json` takes what the grammar allows. `jsonb` undoes the escapes as well, so it can hold neither
`\\u0000` nor half of a surrogate pair. The engine reads the most in a moment, and is too kind to
some: only where it refuses one, or may have been, Python's stricter reader is asked.
"""

from __future__ import annotations

import json
import re
from threading import local
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

_LINE_FEED = 10
_BLANKS = b" \r"
_DOUBTFUL = (b",]", b",}", b"\\u0000")
_NO_NUMBERS = (b"nan", b"inf")
_BEFORE_NUMBERS = (b"[", b",", b":", b"-", b"\n")
_CHARACTERS = re.compile(
    r"(?:[^\\]|\\[^u]|\\u(?!0000|[dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F])*+\Z", re.S
)
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def _refused(constant: str) -> Any:
    raise ValueError(constant)  # NaN and the infinities are Python's


# Integers of any length pass: how large a number may be is not the grammar's.
_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_refused)
_LINES = pa.schema([("line", pa.large_string())])
_ANY_REFUSED = "SELECT 1 FROM lines WHERE NOT json_valid(line) LIMIT 1"
_mine = local()


def holds(value: str, *, binary: bool) -> bool:
    """Whether a type can hold a value; True where that is not known.

    Args:
        binary: whether the type is `jsonb`.
    """
    try:
        _DECODER.decode(value)
    except RecursionError:
        return True  # servers take deeper ones
    except ValueError:
        return False
    return not binary or _CHARACTERS.match(value) is not None


def all_hold(fields: bytes, *, binary: bool) -> bool:
    """Whether a type can hold every one of many values; False where that is not sure.

    Args:
        fields: the values as COPY writes them, with a line feed behind each.
        binary: whether the type is `jsonb`.
    """
    if not fields:
        return True
    text = _unescaped(fields)
    if text is None:
        return False
    return _engine_holds(text) or _python_holds(text.decode("utf-8", "replace"), binary)


def _unescaped(fields: bytes) -> bytes | None:
    """Undo COPY's escapes, with one kind of blank for all; None where there are rare ones."""
    if b"\\" not in fields:
        return fields
    if b"\0" in fields:
        return None
    text = fields.replace(b"\\\\", b"\0")
    for blank in (b"\\n", b"\\r", b"\\t"):
        text = text.replace(blank, b"\r")
    if b"\\" in text:
        return None
    return text.replace(b"\0", b"\\")


def _engine_holds(text: bytes) -> bool:
    """Whether DuckDB reads all of some lines as JSON, and none that only it would."""
    squeezed = b"\n" + text.lower().translate(None, _BLANKS)
    if any(doubtful in squeezed for doubtful in _DOUBTFUL):
        return False
    for word in _NO_NUMBERS:
        if word in squeezed and any(before + word in squeezed for before in _BEFORE_NUMBERS):
            return False
    feeds = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _LINE_FEED)
    ends = np.concatenate(([0], feeds + 1))
    lines = pa.Array.from_buffers(
        pa.large_string(), len(feeds), [None, pa.py_buffer(ends), pa.py_buffer(text)]
    )
    batch = pa.RecordBatch.from_arrays([lines], schema=_LINES)
    reader = pa.RecordBatchReader.from_batches(_LINES, [batch])
    engine = _engine()
    # A reader of its own: what DuckDB makes of a pyarrow object it asks pandas about.
    engine.register("lines", reader.__arrow_c_stream__())
    try:
        found = engine.execute(_ANY_REFUSED).fetchall()
    except duckdb.Error:
        return False  # bytes that are no UTF-8
    finally:
        engine.unregister("lines")
    return not found


def _engine() -> duckdb.DuckDBPyConnection:
    """This thread's engine."""
    if not hasattr(_mine, "engine"):
        _mine.engine = duckdb.connect(config={"threads": 1})
    engine: duckdb.DuckDBPyConnection = _mine.engine
    return engine


def _python_holds(text: str, binary: bool) -> bool:
    """Whether Python reads all of some lines as JSON, and each as one document."""
    count = text.count("\n")
    lists = text[:-1].replace("\n", "],[")
    try:
        found = _DECODER.decode(f"[[{lists}]]")
    except (ValueError, RecursionError):
        return False
    if len(found) != count or set(map(len, found)) != {1}:
        return False
    return not binary or _ESCAPED.search(text) is None
