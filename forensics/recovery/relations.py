"""How a question names a table, and which types it may compare."""

from __future__ import annotations

import re

from forensics.model import Table

_KINDS = (
    {"smallint", "integer", "bigint", "numeric", "real", "double precision"},
    {"text", "character varying", "character", "bpchar", "name"},
    {"date", "timestamp without time zone", "timestamp with time zone"},
)
_TYPE_MODIFIER = re.compile(r"\([^()]*\)|\[\]")


def rows_of(table: Table) -> str:
    """A table as a FROM item: without the tables that inherit from it, with its partitions."""
    if table.kind == "partitioned":
        return table.name.sql
    return f"ONLY {table.name.sql}"


def base_type(text: str) -> str:
    """A type's name as `format_type` prints it, without modifier and array brackets."""
    return _TYPE_MODIFIER.sub("", text)


def comparable(one: str, other: str) -> bool:
    """Whether values of two types compare without a cast that somebody has to write."""
    return _kind(one) == _kind(other)


def _kind(text: str) -> int | str:
    """The kind that a type is of, or the type itself where it is of none."""
    name = base_type(text)
    for number, kind in enumerate(_KINDS):
        if name in kind:
            return number
    return name
