"""What the columns of an answer are made into, by DuckDB: lines of text, or columns for Arrow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from forensics.model import quote_identifier, quote_literal
from forensics.text import document

Shape = Literal["arrow", "parquet", "text", "csv", "json"]

_EXACT = re.compile(r"(?:U?(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|DECIMAL\(.*\)|BOOLEAN)\Z")
_FLOATS = ("FLOAT", "DOUBLE")
_TIMES = re.compile(r"(?:DATE|TIMESTAMP.*)\Z")
_FEED = " || chr(10)"
# Arrow, or pandas, would take these for something else.
_NOT_OF_ARROW = ("TIME WITH TIME ZONE", "BIT", "UHUGEINT", "BIGNUM")


class Column(NamedTuple):
    """A column of an answer, and DuckDB's type of it."""

    name: str
    type: str


def selected(sql: str, columns: Sequence[Column], shape: Shape) -> str:
    """Return a SELECT that gives a question's answer in a shape.

    Of "csv" and "json" the answer is one column of lines, each with its line feed.
    """
    names = [f"c{place}" for place in range(len(columns))]
    pairs = list(zip(names, columns, strict=True))
    if shape == "csv":
        listed = _joined([_csv_field(_text(n, c.type)) for n, c in pairs], "','") + _FEED
    elif shape == "json":
        parts = []
        for name, column in pairs:
            key = quote_literal(f"{document(column.name).strip()}: ")
            parts.append(f"{key} || {_json(name, column.type)}")
        listed = f"'{{' || {_joined(parts, quote_literal(', '))} || '}}'{_FEED}"
    elif shape == "text":
        listed = ", ".join(_text(n, c.type) for n, c in pairs)
    else:
        given = []
        for name, column in pairs:
            made = _for_arrow(name, column.type, shape)
            given.append(f"{made} AS {quote_identifier(column.name)}")
        listed = ", ".join(given)
    return f"SELECT {listed} FROM (\n{sql}\n) AS answer({', '.join(names)})"


def _joined(parts: Sequence[str], between: str) -> str:
    return f" || {between} || ".join(parts)


def _text(name: str, kind: str) -> str:
    """A value as PostgreSQL writes it, where DuckDB does otherwise."""
    if kind == "BLOB":
        return f"'\\x' || lower(hex({name}))"
    text = f"CAST({name} AS VARCHAR)"
    if kind in _FLOATS:
        spelled = f"map {{'nan': 'NaN', 'inf': 'Infinity', '-inf': '-Infinity'}}[{text}]"
        return f"coalesce({spelled}, {text})"
    if _TIMES.match(kind):
        era = f"replace({text}, ' (BC)', '') || ' BC'"
        return f"CASE WHEN contains({text}, '(BC)') THEN {era} ELSE {text} END"
    return text


def _csv_field(text: str) -> str:
    """As COPY … CSV writes it: NULL is nothing, and an empty text a pair of quotes."""
    text = f"({text})"
    return (
        f"CASE WHEN {text} IS NULL THEN ''"
        f" WHEN {text} = '' OR {text} = '\\.' OR regexp_matches({text}, '[\",\\n\\r]')"
        f" THEN '\"' || replace({text}, '\"', '\"\"') || '\"' ELSE {text} END"
    )


def _json(name: str, kind: str) -> str:
    if kind == "JSON":  # in which a line feed is but a space
        made = f"replace(CAST({name} AS VARCHAR), chr(10), ' ')"
    elif _EXACT.match(kind):
        made = f"CAST({name} AS VARCHAR)"
    elif kind in _FLOATS:
        text = _text(name, kind)
        made = f"CASE WHEN isfinite({name}) THEN {text} ELSE '\"' || {text} || '\"' END"
    elif kind.endswith("[]"):
        each = f"list_transform({name}, lambda e: {_json('e', kind[:-2])})"
        made = f"'[' || array_to_string({each}, ', ') || ']'"
    elif kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")):
        made = f"CAST(to_json({name}) AS VARCHAR)"
    else:
        made = f"CAST(to_json({_text(name, kind)}) AS VARCHAR)"
    return f"coalesce({made}, 'null')"


def _for_arrow(name: str, kind: str, shape: Shape) -> str:
    if kind in _NOT_OF_ARROW or (kind == "INTERVAL" and shape == "parquet"):
        return f"CAST({name} AS VARCHAR)"
    return name
