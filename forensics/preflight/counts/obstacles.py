"""What stands in the way of a new constraint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.statements.hazards import Hazard, walk


def not_null(view: View, subject: Subject) -> Iterator[Finding]:
    """SET NOT NULL: the rows without a value."""
    column = subject.column
    source = f"{subject.relation} AS t"
    rows = view.count(f"SELECT count(*) FROM {source} WHERE {q(column)} IS NULL")
    yield subject.obstacle(
        rows,
        f"{rows:,} rows of {subject.table} have NULL in {column}",
        "no NULL stands in its way",
    )


def new_not_null(view: View, subject: Subject) -> Iterator[Finding]:
    """A new column that is NOT NULL and has no default: any row stands in its way."""
    rows = view.rows(subject.virtual)
    says = (
        f"fails: {subject.table} has {rows:,} rows, "
        f"and they would have no value in {subject.hazard.column}"
    )
    yield subject.obstacle(rows, says, "")


def unique(view: View, subject: Subject) -> Iterator[Finding]:
    """A key or a unique index: the rows that repeat another's values."""
    node = subject.hazard.node
    where = []
    if node.DESCRIPTOR.name == "IndexStmt":
        parts = _indexed(view, node)
        if node.HasField("where_clause"):
            where.append(f"({view.expressions.expression(node.where_clause)})")
    else:
        parts = [q(column) for column in subject.hazard.columns]
    if not node.nulls_not_distinct:
        for part in parts:
            where.append(f"{part} IS NOT NULL")
    source = f"{subject.relation} AS {q(subject.table.table)}"
    if where:
        source += f" WHERE {' AND '.join(where)}"
    groups = f"{source} GROUP BY {', '.join(parts)} HAVING count(*) > 1"
    rows = view.count(
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {groups}) AS repeated"
    )
    yield subject.obstacle(
        rows,
        f"{rows:,} rows of {subject.table} repeat another's values",
        "no value repeats",
    )


def _indexed(view: View, node: Any) -> list[str]:
    """What an index is made of, as text."""
    parts = []
    for parameter in node.index_params:
        element = parameter.index_elem
        if element.name:
            parts.append(q(element.name))
        else:
            parts.append(f"({view.expressions.expression(element.expr)})")
    return parts


def foreign_key(view: View, hazard: Hazard) -> Iterator[Finding]:
    """A foreign key: the rows that refer to none."""
    virtual = view.table(hazard)
    parent_name, theirs = _referred(view, hazard)
    parent = view.tables.get(parent_name)
    if virtual is None or parent is None:
        missing = parent_name if parent is None else hazard.table
        says = f"{missing} is not there"
        yield Finding(hazard, 0, says, fails=not hazard.within)
        return
    primary = parent.table.primary_key
    if not theirs and primary:
        theirs = primary.columns
    if len(theirs) != len(hazard.columns):
        says = f"which key of {parent_name} it refers to is not known, and nothing was counted"
        yield Finding(hazard, None, says)
        return
    given, pairs = [], []
    for ours, other in zip(hazard.columns, theirs, strict=True):
        given.append(f"c.{q(ours)} IS NOT NULL")
        pairs.append(f"p.{q(other)} = c.{q(ours)}")
    found = f"SELECT 1 FROM {parent.relation} AS p WHERE {' AND '.join(pairs)}"
    rows = view.count(
        f"SELECT count(*) FROM {virtual.relation} AS c "
        f"WHERE {' AND '.join(given)} AND NOT EXISTS ({found})"
    )
    says = "every value refers to a row"
    if rows:
        says = f"{rows:,} rows of {hazard.table} refer to no row of {parent_name}"
    yield Finding(hazard, rows, says, fails=rows > 0)


def _referred(view: View, hazard: Hazard) -> tuple[TableName, tuple[str, ...]]:
    """The table that a foreign key refers to, and its columns as far as the key names them."""
    node = hazard.node
    if node.DESCRIPTOR.name != "AlterTableCmd":
        columns = tuple(k.string.sval for k in node.pk_attrs)
        return view.standing.name(node.pktable), columns
    # VALIDATE CONSTRAINT: the key is one of the table's.
    virtual = view.table(hazard)
    for key in virtual.table.foreign_keys if virtual else ():
        if key.name == node.name:
            return key.parent, key.parent_columns
    return TableName("", ""), ()


def check(view: View, subject: Subject) -> Iterator[Finding]:
    """A CHECK, new or to be validated: the rows that do not meet it."""
    constraint = subject.hazard.node
    if constraint.DESCRIPTOR.name == "AlterTableCmd":
        constraint = _unvalidated(view, subject.table, constraint.name)
    if constraint is None:
        name = subject.hazard.node.name
        yield subject.would(f"{name} holds already, or is not there", 0)
        return
    condition = _condition(view, constraint, subject.hazard.column)
    source = f"{subject.relation} AS {q(subject.table.table)}"
    rows = view.count(f"SELECT count(*) FROM {source} WHERE ({condition}) IS FALSE")
    yield subject.obstacle(
        rows,
        f"{rows:,} rows of {subject.table} do not meet the condition",
        "every row meets it",
    )


def _unvalidated(view: View, table: TableName, name: str) -> Any:
    """The constraint of a name, parsed, if it has yet to look at the rows; else None."""
    added = view.standing.unvalidated.get((table, name))
    there = view.around.unvalidated.get((table, name))
    return there if added is None else added


def _condition(view: View, constraint: Any, column: str | None) -> str:
    """A constraint's condition; that of a domain as `column` has to meet it."""
    if constraint.contype == pb.CONSTR_NOTNULL:
        given = [f"{q(k.string.sval)} IS NOT NULL" for k in constraint.keys]
        return " AND ".join(given)
    copy = type(constraint.raw_expr)()
    copy.CopyFrom(constraint.raw_expr)
    if column:
        _put_for_value(copy, column)
    return view.expressions.expression(copy)


def _put_for_value(expression: Any, column: str) -> None:
    """Have a domain's condition speak of a column where it says VALUE."""
    for one in walk(expression):
        if one.DESCRIPTOR.name != "ColumnRef" or len(one.fields) != 1:
            continue
        if one.fields[0].string.sval == "value":
            one.fields[0].string.sval = column
