"""Defaults of columns that a recovery gives back, or has to leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import postgast
from postgast import pg_query_pb2 as pb

from forensics.model import Column, TableName, quote_identifier
from forensics.recovery.relations import base_type
from forensics.recovery.write.definitions.needs import Needs, Sides, drawn_from

_LABEL = re.compile(r"'((?:[^']|'')*)'::")


def lost_label(sides: Sides, needs: Needs, column: Column) -> str | None:
    """The type of a column whose default is a label that live's type has not, or None."""
    kind = base_type(column.type)
    if kind in needs.types or kind not in sides.backup.enums:
        return None
    labels = sides.live.enums.get(kind)
    found = _LABEL.match(column.default or "")
    if labels is None or found is None or found[1].replace("''", "'") in labels:
        return None
    return kind


def without_defaults(node: Any, columns: set[str]) -> str:
    """CREATE TABLE without the defaults of some columns."""
    tree = pb.ParseResult(version=180000)
    table = tree.stmts.add().stmt.create_stmt
    table.CopyFrom(node)
    for element in table.table_elts:
        if element.HasField("column_def") and element.column_def.colname in columns:
            _drop_default(element.column_def.constraints)
    return str(postgast.deparse(tree))


def _drop_default(constraints: Any) -> None:
    for n in reversed(range(len(constraints))):
        if constraints[n].constraint.contype == pb.CONSTR_DEFAULT:
            del constraints[n]


def drawing_again(sides: Sides, needs: Needs) -> Iterator[tuple[TableName, str, str]]:
    """Columns of surviving tables that drew from a returning sequence, and lost their default.

    Yields:
        Table, column, and the statement that sets the default again.
    """
    drawn = [drawn_from(s) for s in needs.sequences]
    for name, table in sorted(sides.backup.tables.items()):
        surviving = sides.live.tables.get(name)
        if surviving is None or name in needs.tables:
            continue
        for column in table.columns:
            now = surviving.column(column.name)
            was = column.default or ""
            if now and now.default is None and any(text in was for text in drawn):
                quoted = quote_identifier(column.name)
                sql = f"ALTER TABLE {name.sql} ALTER COLUMN {quoted} SET DEFAULT {column.default}"
                yield name, column.name, sql
