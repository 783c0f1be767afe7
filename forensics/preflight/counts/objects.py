"""Tables, columns and schemas that go: what they hold, and what holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from forensics.model import TableName
from forensics.model import quote_identifier as q
from forensics.preflight.counts.view import Finding, Subject, View
from forensics.statements.hazards import Hazard


def drop_table(view: View, subject: Subject) -> Iterator[Finding]:
    """DROP TABLE: the rows of the table, and what stands on it."""
    hazard, table = subject.hazard, subject.table
    rows = view.rows(subject.virtual)
    heirs = view.standing.family(table)[1:]
    named = view.named(hazard)
    holding = []
    for holder in (*view.referring(table), *heirs):
        if holder not in named:
            holding.append(str(holder))
    for dependent in view.around.standing_on(table):
        holding.append(str(dependent))
    if not holding or hazard.cascade:
        yield subject.would(f"drops {rows:,} rows of {table}", rows)
        return
    refer = "refers" if len(holding) == 1 else "refer"
    says = f"fails: {_few(holding)} {refer} to {table}; it has {rows:,} rows"
    yield subject.fails(says, rows)


def drop_schema(view: View, hazard: Hazard) -> Iterator[Finding]:
    """DROP SCHEMA: the rows of one of its tables, or whether it is empty as it has to be."""
    assert hazard.table is not None
    schema = hazard.table.schema
    if hazard.table.table != "*":
        virtual = view.table(hazard)
        if virtual:
            rows = view.rows(virtual)
            yield Finding(hazard, rows, f"drops {rows:,} rows of {hazard.table}")
        return
    held = any(name.schema == schema for name in view.tables)
    fails = held and not hazard.cascade
    says = f"fails: schema {schema} is not empty" if fails else ""
    yield Finding(hazard, 0, says, fails, destroys=False)


def truncate(view: View, subject: Subject) -> Iterator[Finding]:
    """TRUNCATE: the rows of the table, and the tables that refer to it."""
    table = subject.table
    rows = view.rows(subject.virtual)
    named = view.named(subject.hazard)
    holders = [name for name in view.referring(table) if name not in named]
    if holders and not subject.hazard.cascade:
        yield subject.fails(f"fails: {_few(holders)} refers to {table}", rows)
    else:
        yield subject.would(f"empties {table}: {rows:,} rows", rows)


def drop_type(view: View, hazard: Hazard) -> Iterator[Finding]:
    """DROP TYPE where no column is of it."""
    yield Finding(hazard, 0, "no column is of that type", destroys=False)


def drop_column(view: View, subject: Subject) -> Iterator[Finding]:
    """DROP COLUMN, or of its type: the values, and what stands on them."""
    hazard, table, column = subject.hazard, subject.table, subject.column
    question = f"SELECT count({q(column)}) FROM {subject.relation} AS t"
    rows = view.count(question)
    obstacle = ""
    if not hazard.cascade:
        obstacle = _holding_column(view, subject)
    if obstacle:
        yield subject.fails(f"fails: {obstacle}", rows)
    else:
        yield subject.would(f"drops {rows:,} values of {table}.{column}", rows)


def _holding_column(view: View, subject: Subject) -> str:
    """What keeps a column from going, in words; "" where nothing does."""
    table, column = subject.table, subject.column
    if subject.hazard.code == "drop-type":
        return f"{table}.{column} is of that type"
    holders: dict[TableName, None] = {}
    for child, key in view.standing.referring(table):
        if column in key.parent_columns:
            holders[child] = None
    if holders:
        return f"{_few(holders)} refers to it"
    standing = view.around.standing_on(table, column)
    return f"{_few(standing)} refers to it" if standing else ""


def detach_partition(view: View, hazard: Hazard) -> Iterator[Finding]:
    """DETACH PARTITION: the rows stay, in a table of their own."""
    command = getattr(hazard.node, "def").partition_cmd
    name = view.standing.name(command.name)
    rows = view.count(f"SELECT count(*) FROM {name.sql} AS t")
    says = f"takes {rows:,} rows out of {hazard.table}; they stay in {name}"
    yield Finding(hazard, rows, says, destroys=False)


def _few(names: Iterable[object]) -> str:
    """The first three of some names."""
    return ", ".join([str(name) for name in names][:3])
