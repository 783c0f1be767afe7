"""Statements that define tables, their columns, keys and references."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.ddl.draft import Draft, changed, names_of
from forensics.evidence.ddl.spelling import (
    expression_text,
    format_type,
    identifier,
    normal_expression,
)
from forensics.model import Column, ForeignKey, Key, Table, TableKind, TableName

_SERIALS: dict[tuple[str, ...], str] = {
    ("smallserial",): "smallint",
    ("serial2",): "smallint",
    ("serial",): "integer",
    ("serial4",): "integer",
    ("bigserial",): "bigint",
    ("serial8",): "bigint",
}
_ADDS_PRIMARY = re.compile(
    r"(?:\s|--[^\n]*\n)*ALTER TABLE ONLY (?:(?P<schema>[a-z_][a-z0-9_]*)\.)?"
    r"(?P<table>[a-z_][a-z0-9_]*)\s+ADD CONSTRAINT (?P<key>[a-z_][a-z0-9_]*) PRIMARY KEY "
    r"\((?P<columns>[a-z_][a-z0-9_]*(?:, [a-z_][a-z0-9_]*)*)\);\s*"
)
_ACTIONS = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}


# --- CREATE TABLE ---------------------------------------------------------------------------------


def create_table(draft: Draft, statement: Any) -> None:
    """CREATE TABLE, partitioned or a partition, with parents or of a type."""
    _create(draft, statement, "table")


def create_foreign_table(draft: Draft, statement: Any) -> None:
    """CREATE FOREIGN TABLE."""
    _create(draft, statement.base_stmt, "foreign")


def create_table_as(draft: Draft, statement: Any) -> None:
    """CREATE MATERIALIZED VIEW; a table that is made of a query stands in no dump."""
    if statement.objtype == pb.OBJECT_MATVIEW:
        name = draft.name(statement.into.rel)
        draft.tables[name] = Table(name, "materialized view")


def _create(draft: Draft, statement: Any, kind: TableKind) -> None:
    name = draft.name(statement.relation)
    parents = tuple(draft.name(node.range_var) for node in statement.inh_relations)
    partition = statement.HasField("partbound")
    if statement.HasField("partspec"):
        kind = "partitioned"
    elif partition:
        kind = "partition"
    values: dict[str, Any] = {}
    if statement.relation.relpersistence == "u":
        values["persistence"] = "unlogged"
    given = _columns_given(draft, statement, parents)
    own = _own_columns(draft, statement, given)
    if partition:
        if parents:
            values["parent"] = parents[0]
    else:
        own = _with_inherited(draft, parents, own)
        values["inherits"] = parents
    draft.tables[name] = Table(name, kind, columns=tuple(own), **values)
    _add_constraints(draft, name, statement)


def _columns_given(draft: Draft, statement: Any, parents: tuple[TableName, ...]) -> list[Column]:
    """The columns that a table has before its own text names any: its type's, or its parent's."""
    if statement.HasField("of_typename"):
        return list(draft.attributes.get(format_type(statement.of_typename), ()))
    if statement.HasField("partbound") and parents and parents[0] in draft.tables:
        return list(draft.tables[parents[0]].columns)
    return []


def _own_columns(draft: Draft, statement: Any, given: list[Column]) -> list[Column]:
    """The columns that a table has by its own text."""
    columns = given
    for element in statement.table_elts:
        if not element.HasField("column_def"):
            continue
        definition = element.column_def
        if definition.HasField("type_name"):
            bare = _bare_column(draft, draft.name(statement.relation), definition)
            columns.append(_constrained(bare, definition))
            continue
        # "a WITH OPTIONS …": the column comes from the type, what is said of it from here.
        for place, column in enumerate(columns):
            if column.name == definition.colname:
                columns[place] = _constrained(column, definition)
    return columns


def _bare_column(draft: Draft, table: TableName, definition: Any) -> Column:
    """A column as its type makes it: serial stands for an integer and its sequence."""
    name = definition.colname
    numbers = _SERIALS.get(names_of(definition.type_name.names))
    if numbers is None:
        return Column(name, format_type(definition.type_name))
    sequence = TableName(table.schema, f"{table.table}_{name}_seq")
    draft.edit_sequence(sequence, owner=(table, name))
    path = f"{identifier(sequence.schema)}.{identifier(sequence.table)}".replace("'", "''")
    default = normal_expression(f"nextval('{path}'::regclass)")
    return Column(name, numbers, nullable=False, default=default)


def _with_inherited(
    draft: Draft, parents: tuple[TableName, ...], columns: list[Column]
) -> list[Column]:
    """The columns of a table that inherits, in PostgreSQL's order.

    Its own text may leave out what it inherits, or say it again; what is inherited comes first,
    in the parents' order.
    """
    own = {column.name: column for column in columns}
    found: dict[str, Column] = {}
    for parent in parents:
        if parent not in draft.tables:
            continue
        for column in draft.tables[parent].columns:
            if column.name not in found:
                inherited = replace(column, identity="")  # who inherits numbers nothing
                found[column.name] = _merged(inherited, own.get(column.name, inherited))
    for name, column in own.items():
        found.setdefault(name, column)
    return list(found.values())


def _merged(above: Column, own: Column) -> Column:
    """A column that a child both inherits and defines."""
    default = own.default
    if default is None:
        default = above.default
    return replace(own, nullable=own.nullable and above.nullable, default=default)


def _constrained(column: Column, definition: Any) -> Column:
    """A column with what its definition says of it."""
    said: dict[str, Any] = {}
    for node in definition.constraints:
        constraint = node.constraint
        if constraint.contype in (pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY):
            said["nullable"] = False
        elif constraint.contype == pb.CONSTR_DEFAULT:
            said["default"] = expression_text(constraint.raw_expr)
        elif constraint.contype == pb.CONSTR_GENERATED:
            said["generated"] = expression_text(constraint.raw_expr)
        elif constraint.contype == pb.CONSTR_IDENTITY:
            said |= {"nullable": False, "identity": _identity(constraint)}
    return changed(column, said) if said else column


def _identity(constraint: Any) -> str:
    if constraint.generated_when == "a":
        return "always"
    return "by default"


# --- keys and references --------------------------------------------------------------------------


def _add_constraints(draft: Draft, name: TableName, statement: Any) -> None:
    for element in statement.table_elts:
        if element.HasField("column_def"):
            definition = element.column_def
            for node in definition.constraints:
                _add_constraint(draft, name, node.constraint, definition.colname)
        elif element.HasField("constraint"):
            _add_constraint(draft, name, element.constraint)


def _add_constraint(
    draft: Draft, name: TableName, constraint: Any, column: str | None = None
) -> None:
    """Add a constraint of a table, or of one of its columns."""
    kind = constraint.contype
    if kind in (pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE):
        columns = _constrained_columns(constraint.keys, column)
        _add_key(draft, name, constraint, columns)
    elif kind == pb.CONSTR_FOREIGN:
        columns = _constrained_columns(constraint.fk_attrs, column)
        foreign = ForeignKey(
            constraint.conname or _constraint_name(draft, name, columns, "fkey"),
            columns,
            draft.name(constraint.pktable),
            names_of(constraint.pk_attrs),
            _ACTIONS.get(constraint.fk_del_action, "no action"),
            names_of(constraint.fk_del_set_cols),
            constraint.is_enforced,
            _ACTIONS.get(constraint.fk_upd_action, "no action"),
        )
        draft.add(name, "foreign_keys", foreign)
    elif kind == pb.CONSTR_ATTR_NOT_ENFORCED and column:
        _let_through(draft, name, column)
    elif kind == pb.CONSTR_NOTNULL and not column:
        for key_column in names_of(constraint.keys):
            draft.edit_column(name, key_column, nullable=False)


def _let_through(draft: Draft, name: TableName, column: str) -> None:
    """NOT ENFORCED behind a column's foreign key, which was the last to be added."""
    table = draft.tables.get(name)
    if table and table.foreign_keys and table.foreign_keys[-1].columns == (column,):
        last = replace(table.foreign_keys[-1], enforced=False)
        draft.tables[name] = replace(table, foreign_keys=(*table.foreign_keys[:-1], last))


def _constrained_columns(listed: Any, column: str | None) -> tuple[str, ...]:
    if column:
        return (column,)
    return names_of(listed)


def _constraint_name(draft: Draft, table: TableName, columns: tuple[str, ...], kind: str) -> str:
    """The name that PostgreSQL gives a constraint whose definition has none."""
    name = "_".join((table.table, *columns, kind))
    held = draft.tables.get(table, Table(table))
    taken = {key.name for key in held.keys}
    taken |= {foreign.name for foreign in held.foreign_keys}
    number = ""
    while name + number in taken:
        number = str(int(number or 0) + 1)
    return name + number


def _add_key(draft: Draft, name: TableName, constraint: Any, columns: tuple[str, ...]) -> None:
    primary = constraint.contype == pb.CONSTR_PRIMARY
    if primary:
        for column in columns:
            draft.edit_column(name, column, nullable=False)
    if constraint.deferrable:
        return
    given = constraint.conname or constraint.indexname
    if not given and primary:
        given = _constraint_name(draft, name, (), "pkey")
    key = Key(
        given or _constraint_name(draft, name, columns, "key"),
        columns,
        primary=primary,
        nulls_distinct=not constraint.nulls_not_distinct,
    )
    draft.add(name, "keys", key)


def add_primary_key(draft: Draft, text: str) -> bool:
    """Take in ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY as pg_dump writes it for each table.

    Returns:
        Whether the text is that, and nothing else. Names in quotes are left to the parser.
    """
    found = _ADDS_PRIMARY.fullmatch(text)
    if found is None:
        return False
    name = TableName(found["schema"] or draft.search_path, found["table"])
    columns = tuple(found["columns"].split(", "))
    for column in columns:
        draft.edit_column(name, column, nullable=False)
    draft.add(name, "keys", Key(found["key"], columns, primary=True))
    return True


def create_index(draft: Draft, statement: Any) -> None:
    """CREATE UNIQUE INDEX, where it is one that tells rows apart."""
    if not statement.unique or statement.HasField("where_clause"):
        return
    columns = tuple(node.index_elem.name for node in statement.index_params)
    if not all(columns):
        return  # one of them is an expression
    key = Key(statement.idxname, columns, nulls_distinct=not statement.nulls_not_distinct)
    draft.add(draft.name(statement.relation), "keys", key)


# --- ALTER TABLE and COMMENT ON TABLE -------------------------------------------------------------


def alter_table(draft: Draft, statement: Any) -> None:
    """ALTER TABLE, as far as the catalogue knows what it changes."""
    if statement.objtype == pb.OBJECT_SEQUENCE:
        return
    name = draft.name(statement.relation)
    for node in statement.cmds:
        command = node.alter_table_cmd
        _alter_column(draft, name, command)
        _alter(draft, name, command)


def _alter_column(draft: Draft, name: TableName, command: Any) -> None:
    """One command of ALTER TABLE, where it changes a column."""
    definition = getattr(command, "def")
    if command.subtype == pb.AT_ColumnDefault:
        default = None
        if definition.WhichOneof("node"):
            default = expression_text(definition)
        draft.edit_column(name, command.name, default=default)
    elif command.subtype == pb.AT_AddIdentity:
        identity = _identity(definition.constraint)
        draft.edit_column(name, command.name, identity=identity, nullable=False)
    elif command.subtype == pb.AT_SetNotNull:
        draft.edit_column(name, command.name, nullable=False)
    elif command.subtype == pb.AT_DropNotNull:
        draft.edit_column(name, command.name, nullable=True)


def _alter(draft: Draft, name: TableName, command: Any) -> None:
    """One command of ALTER TABLE, where it changes the table as a whole."""
    definition = getattr(command, "def")
    if command.subtype == pb.AT_AddConstraint:
        _add_constraint(draft, name, definition.constraint)
    elif command.subtype == pb.AT_AttachPartition:
        _attach(draft, draft.name(definition.partition_cmd.name), name)
    elif command.subtype == pb.AT_EnableRowSecurity:
        draft.edit(name, row_security=True)
    elif command.subtype == pb.AT_AddInherit:
        draft.add(name, "inherits", draft.name(definition.range_var))


def _attach(draft: Draft, child: TableName, parent: TableName) -> None:
    draft.edit(child, parent=parent)
    if child in draft.tables and draft.tables[child].kind != "partitioned":
        draft.edit(child, kind="partition")


def comment(draft: Draft, statement: Any) -> None:
    """COMMENT ON TABLE."""
    if statement.objtype != pb.OBJECT_TABLE:
        return
    path = names_of(statement.object.list.items)
    schema = draft.search_path
    if len(path) > 1:
        schema = path[0]
    draft.edit(TableName(schema, path[-1]), comment=statement.comment)
