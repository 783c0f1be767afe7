"""Why a statement must fail whatever rows there are: a name is taken, or nothing has it.

Only what is certain is said. What a block of code or a function may have made or dropped is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import TableName
from forensics.preflight.forecast import Standing
from forensics.preflight.surroundings.claims import Claim, claims, found
from forensics.preflight.surroundings.following import (
    OF_TABLES,
    RELATIONS,
    TYPES,
    dropped,
    parts_of,
)
from forensics.preflight.surroundings.names import (
    Name,
    Names,
    of_table,
    relation,
)
from forensics.statements.tree import words

TAKEN, ABSENT = "name-taken", "not-there"
_KINDS_OF_TYPES = (*RELATIONS.values(), "type")
_OWN_ROW_TYPES = ("table", "foreign table", "view", "materialized view", "type")


@dataclass(frozen=True)
class Refusal:
    """Why a statement must fail.

    Attributes:
        code: the hazard, `TAKEN` or `ABSENT`.
        says: in words.
        table, column: what it is about.
    """

    code: str
    says: str
    table: TableName | None = None
    column: str | None = None


def refusals(statement: Statement, standing: Standing, names: Names) -> Iterator[Refusal]:
    """Say why a statement must fail as things are, if it must."""
    gone = set(_gone(statement, standing, names))
    for claim in claims(statement, standing, names):
        refusal = _refused(claim, names)
        if refusal and claim.name not in gone:
            yield refusal
    read = _READS.get(statement.kind)
    if read:
        yield from read(statement.node, standing, names)


def _refused(claim: Claim, names: Names) -> Refusal | None:
    name = claim.name
    holder = names.holder(name)
    if holder is None and claim.typed:
        holder = names.holder(Name("type", name.schema, "", name.name))
    if holder is None or claim.passes or holder.kind in claim.replaces:
        return None
    return _taken(name, holder.kind, claim.table)


def _taken(name: Name, kind: str, table: TableName | None) -> Refusal:
    what = _called(name)
    return Refusal(TAKEN, f"fails: {kind} {what} is there already", table)


def _called(name: Name) -> str:
    if name.within:
        return f"{name.name} of {TableName(name.schema, name.within)}"
    return str(TableName(name.schema, name.name)) if name.schema else name.name


def _gone(statement: Statement, standing: Standing, names: Names) -> Iterator[Name]:
    """What a statement drops before it makes anything."""
    if statement.kind != "alter_table_stmt":
        return
    table = found(statement.node.relation, standing, names)
    for item in statement.node.cmds:
        command = item.alter_table_cmd
        if command.subtype == pb.AT_DropConstraint:
            yield of_table("constraint", table, command.name)
            yield relation(TableName(table.schema, command.name))


def _absent(node: Any, standing: Standing, names: Names) -> Refusal | None:
    """That nothing has the name that a RangeVar gives."""
    if node.schemaname:
        name = found(node, standing, names)
        there = names.was(relation(name)) or node.schemaname.startswith("pg_")
    else:
        name = standing.name(node)
        there = names.was_anywhere("relation", node.relname)
    if there or node.schemaname == "information_schema" or name in standing.tables:
        return None
    return Refusal(ABSENT, f"fails: {name} is not there", name)


# --- tables ---------------------------------------------------------------------------------------


def _altered(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    if not node.missing_ok and (refusal := _absent(node.relation, standing, names)):
        yield refusal
        return
    table = standing.name(node.relation)
    if node.objtype != pb.OBJECT_TABLE or table not in standing.tables:
        return
    commands = [item.alter_table_cmd for item in node.cmds]
    gone = {c.name for c in commands if c.subtype in (pb.AT_DropColumn, pb.AT_DropConstraint)}
    for command in commands:
        definition = getattr(command, "def")
        if command.subtype == pb.AT_AddColumn and not command.missing_ok:
            column = definition.column_def.colname
            if column not in gone:
                yield from _column_taken(table, column, standing, names)
        elif command.subtype == pb.AT_AddConstraint:
            yield from _second_key(table, definition.constraint, gone, names)


def _column_taken(
    table: TableName, column: str, standing: Standing, names: Names
) -> Iterator[Refusal]:
    unsure = names.less or column in names.vague
    if column in standing.tables[table].columns and not unsure:
        says = f"fails: {table}.{column} is there already"
        yield Refusal(TAKEN, says, table, column)


def _second_key(
    table: TableName, constraint: Any, gone: set[str], names: Names
) -> Iterator[Refusal]:
    """That a table has a primary key already."""
    if constraint.contype != pb.CONSTR_PRIMARY:
        return
    there = names.primary_key(table)
    if there is None or there in gone or there == constraint.conname:
        return
    yield Refusal(TAKEN, f"fails: {table} has a primary key already, {there}", table)


def _indexed(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    refusal = _absent(node.relation, standing, names)
    if refusal:
        yield refusal
        return
    table = standing.name(node.relation)
    virtual = standing.tables.get(table)
    if virtual is None or names.more:
        return
    for item in node.index_params:
        column = item.index_elem.name
        if column and column not in virtual.columns:
            yield _no_column(table, column)


def _no_column(table: TableName, column: str) -> Refusal:
    return Refusal(ABSENT, f"fails: {table}.{column} is not there", table, column)


def _created(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    """That the schema is not there in which something is to be made."""
    schema = node.relation.schemaname
    if not schema or schema.startswith("pg_") or names.was(Name("schema", "", "", schema)):
        return
    name = TableName(schema, node.relation.relname)
    yield Refusal(ABSENT, f"fails: schema {schema} is not there", name)


def _dropped(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    """That what a DROP names is not there; of tables their own hazard says it."""
    kind = RELATIONS.get(node.remove_type)
    if kind is None or kind in ("table", "foreign table") or node.missing_ok:
        return
    for item in node.objects:
        parts = parts_of(item)
        name = dropped(parts, standing, names)
        if len(parts) > 1:
            there = names.was(relation(name))
        else:
            there = names.was_anywhere("relation", name.table)
        if not there:
            yield Refusal(ABSENT, f"fails: {kind} {name} is not there", name)


# --- renaming -------------------------------------------------------------------------------------


def _renamed(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    kind, new = node.rename_type, node.newname
    if kind in TYPES:
        own = words(node.object.list.items)
        schema = own[-2] if len(own) > 1 else standing.schema
        yield from _goes_to(Name("type", schema, "", new), names, TableName(schema, new))
        return
    if kind == pb.OBJECT_SCHEMA:
        yield from _goes_to(Name("schema", "", "", new), names, None)
        return
    if kind not in RELATIONS and kind not in OF_TABLES and kind != pb.OBJECT_COLUMN:
        return
    refusal = _absent(node.relation, standing, names)
    if refusal:
        if not node.missing_ok:
            yield refusal
        return
    table = found(node.relation, standing, names)
    if kind in RELATIONS:
        target = TableName(table.schema, new)
        yield from _goes_to(relation(target), names, table)
    elif kind in OF_TABLES:
        yield from _goes_to(of_table(OF_TABLES[kind], table, new), names, table)
    else:
        yield from _column_renamed(node, standing, names)


def _goes_to(name: Name, names: Names, table: TableName | None) -> Iterator[Refusal]:
    holder = names.holder(name)
    if holder:
        yield _taken(name, holder.kind, table)


def _column_renamed(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    table = standing.name(node.relation)
    virtual = standing.tables.get(table)
    if virtual is None:
        return
    if node.subname not in virtual.columns and not names.more:
        yield _no_column(table, node.subname)
    yield from _column_taken(table, node.newname, standing, names)


def _moved(node: Any, standing: Standing, names: Names) -> Iterator[Refusal]:
    if node.object_type not in RELATIONS:
        return
    refusal = _absent(node.relation, standing, names)
    if refusal:
        if not node.missing_ok:
            yield refusal
        return
    table = found(node.relation, standing, names)
    yield from _goes_to(relation(TableName(node.newschema, table.table)), names, table)
    if not names.was(Name("schema", "", "", node.newschema)):
        yield Refusal(ABSENT, f"fails: schema {node.newschema} is not there", table)


_READS: dict[str, Callable[[Any, Standing, Names], Iterator[Refusal]]] = {
    "alter_table_stmt": _altered,
    "index_stmt": _indexed,
    "create_stmt": _created,
    "drop_stmt": _dropped,
    "rename_stmt": _renamed,
    "alter_object_schema_stmt": _moved,
}
