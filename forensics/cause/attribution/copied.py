"""Where a statement copies rows of a table to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.statements.hazards import ranges

Order = Callable[[TableName], Sequence[str]]


@dataclass(frozen=True)
class _Copy:
    """A statement that fills a table from a SELECT.

    Attributes:
        target: the table that is filled.
        select: the SELECT.
        columns: the columns that are filled, in order; () for all of them.
        anew: whether the table is made by it, with columns named as the SELECT names them.
    """

    target: TableName
    select: Any
    columns: tuple[str, ...] = ()
    anew: bool = False


def copied_columns(
    statement: Statement, name: TableName, schema: str, known: Sequence[str], order: Order
) -> tuple[TableName, dict[str, str]] | None:
    """Return where a statement copies rows of a table to, and which columns; None for others.

    Read are INSERT … SELECT and CREATE TABLE … AS SELECT with the table in FROM and plain columns
    in the list.

    Args:
        statement: what may copy.
        name: the table whose rows may be copied.
        schema: where names without a schema lead.
        known: the columns of `name` that are of interest.
        order: the columns that an INSERT means which names none.

    Returns:
        The table that is filled, and by column of `name` the column that gets it.
    """
    copy = _copy_of(statement, schema)
    if copy is None:
        return None
    source = None
    for item in copy.select.from_clause:
        for relation in ranges(item):
            if _named(relation, schema) == name:
                source = relation
    if source is None:
        return None
    columns = copy.columns
    if not copy.anew and not columns:
        columns = tuple(order(copy.target))
    alias = source.alias.aliasname or name.table
    found = _paired(copy.select, alias, known, columns)
    if not found:
        return None
    return copy.target, found


def _copy_of(statement: Statement, schema: str) -> _Copy | None:
    node = statement.node
    if statement.kind == "insert_stmt":
        columns = tuple(column.res_target.name for column in node.cols)
        return _Copy(_named(node.relation, schema), node.select_stmt.select_stmt, columns)
    if statement.kind == "create_table_as_stmt" and node.into.HasField("rel"):
        return _Copy(_named(node.into.rel, schema), node.query.select_stmt, anew=True)
    return None


def _paired(
    select: Any, alias: str, known: Sequence[str], columns: Sequence[str]
) -> dict[str, str]:
    """By column of the source, the column that its value goes to."""
    found: dict[str, str] = {}
    place = 0
    for item in select.target_list:
        parts = _column(item.res_target.val)
        if parts in (["*"], [alias, "*"]):
            for column in known:
                found[column] = _filled(columns, place, column)
                place += 1
            continue
        if _is_of(parts, alias) and parts[-1] in known:
            as_named = item.res_target.name or parts[-1]
            found.setdefault(parts[-1], _filled(columns, place, as_named))
        place += 1
    return found


def _filled(columns: Sequence[str], place: int, otherwise: str) -> str:
    return columns[place] if place < len(columns) else otherwise


def _column(value: Any) -> list[str]:
    """The words of a plain column, "*" for all of them; [] for any other expression."""
    if not value.HasField("column_ref"):
        return []
    parts = []
    for field in value.column_ref.fields:
        parts.append(field.string.sval if field.HasField("string") else "*")
    return parts


def _is_of(parts: Sequence[str], alias: str) -> bool:
    """Whether a column is one of the table that goes by an alias."""
    if not parts:
        return False
    return len(parts) == 1 or parts[0] == alias


def _named(relation: Any, schema: str) -> TableName:
    return TableName(relation.schemaname or schema, relation.relname)
