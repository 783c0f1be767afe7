"""Statements that make, drop and move tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence import ddl
from forensics.evidence.migrations import Statement
from forensics.model import Column, Key, Table, TableName
from forensics.model import quote_identifier as q
from forensics.preflight.forecast.columns import Columns
from forensics.preflight.forecast.expressions import Expressions
from forensics.preflight.forecast.shapes import (
    with_parent_moved,
    without_parents,
)
from forensics.preflight.forecast.standing import Standing, Virtual
from forensics.statements.hazards import ranges

_WITH_INDEXES = 1 << 6  # CREATE_TABLE_LIKE_INDEXES
_DROPS_TABLES = ("drop-table", "drop-schema", "drop-cascade")


class Objects:
    """Takes statements as done that make, drop and move tables.

    Args:
        standing: the tables as they would stand.
        expressions: what makes text of the statements' parts.
        columns: what changes the columns of one table.
    """

    def __init__(
        self,
        standing: Standing,
        expressions: Expressions,
        columns: Columns,
    ) -> None:
        self._standing = standing
        self._expressions = expressions
        self._columns = columns

    # --- dropping ---

    def drop(self, statement: Statement, node: Any) -> None:
        """DROP of tables, schemas and types, with what its CASCADE reaches."""
        hazards = self._standing.reader().read(statement)
        gone = set()
        for hazard in hazards:
            if hazard.code in _DROPS_TABLES and hazard.table:
                gone.add(hazard.table)
        self._drop_tables(gone)
        of_types = node.remove_type in (
            pb.OBJECT_TYPE,
            pb.OBJECT_DOMAIN,
        )
        if of_types and node.behavior == pb.DROP_CASCADE:
            for hazard in hazards:
                name = hazard.table
                if name and hazard.column and name in self._standing.tables:
                    self._columns.drop(name, hazard.column)

    def _drop_tables(self, gone: set[TableName]) -> None:
        standing = self._standing
        went = [name for name in gone if standing.tables.take_out(name)]
        if not went:
            return
        for name, virtual in list(standing.tables.items()):
            if virtual.table.foreign_keys or virtual.table.inherits:
                standing.edit(name, lambda table: without_parents(table, gone))

    # --- making ---

    def create(self, statement: Statement, node: Any) -> None:
        """CREATE TABLE."""
        standing = self._standing
        name = standing.new_name(node.relation)
        if name in standing.tables and node.relation.relpersistence != "t":
            return
        path = f"SET search_path = {q(standing.schema)}"
        made = ddl.read_catalog([path, statement.text]).tables.get(name)
        if made is None:
            return
        for element in node.table_elts:
            if element.HasField("table_like_clause"):
                made = self._like(made, element.table_like_clause)
        standing.made.add(name)
        nulls = [f"{standing.null(c.type)} AS {q(c.name)}" for c in made.columns]
        relation = standing.layers.lay(f"SELECT {', '.join(nulls)} WHERE false")
        standing.tables[name] = Virtual(made, relation)

    def _like(self, made: Table, like: Any) -> Table:
        """A table that is made with the columns of another, and with its keys where it says so."""
        source = self._standing.tables.get(self._standing.name(like.relation))
        if source is None:
            return made
        keys: list[Key] = []
        if like.options & _WITH_INDEXES:
            for key in source.table.keys:
                keys.append(replace(key, name=f"{made.name.table}_{key.name}"))
        columns = (*source.table.columns, *made.columns)
        return replace(made, columns=columns, keys=(*made.keys, *keys))

    def create_as(self, statement: Statement, node: Any) -> None:
        """CREATE TABLE … AS."""
        if node.objtype != pb.OBJECT_TABLE:
            return
        standing = self._standing
        name = standing.new_name(node.into.rel)
        rows = self._expressions.query(node.query)
        names = self._selected(node.query.select_stmt)
        standing.made.add(name)
        table = Table(name, columns=tuple(Column(n, "text") for n in names))
        standing.tables[name] = Virtual(table, standing.layers.lay(rows))

    def _selected(self, select: Any) -> list[str]:
        """The names of the columns that a SELECT gives, as far as its text says."""
        names = [_selected_name(target.res_target) for target in select.target_list]
        if "" not in names:
            return names
        everything: list[str] = []
        for item in select.from_clause:
            for relation in ranges(item):
                virtual = self._standing.tables.get(self._standing.name(relation))
                if virtual:
                    everything += virtual.columns
        return everything

    # --- moving ---

    def rename(self, statement: Statement, node: Any) -> None:
        """ALTER TABLE … RENAME, of the table or of a column."""
        name = self._standing.name(node.relation)
        if name not in self._standing.tables:
            return
        if node.rename_type == pb.OBJECT_TABLE:
            self._move(name, TableName(name.schema, node.newname))
        elif node.rename_type == pb.OBJECT_COLUMN:
            self._columns.rename(name, node.subname, node.newname)

    def set_schema(self, statement: Statement, node: Any) -> None:
        """ALTER TABLE … SET SCHEMA."""
        name = self._standing.name(node.relation)
        if node.object_type == pb.OBJECT_TABLE and name in self._standing.tables:
            self._move(name, TableName(node.newschema, name.table))

    def _move(self, name: TableName, new: TableName) -> None:
        standing = self._standing
        if new in standing.tables:
            return  # it fails
        virtual = standing.tables.take_out(name)
        assert virtual is not None
        # A layer even where nothing else changed: the new name is not yet the database's.
        listed = ", ".join(map(q, virtual.columns)) or "NULL"
        relation = standing.layers.lay(f"SELECT {listed} FROM {virtual.relation} AS t")
        standing.tables[new] = Virtual(replace(virtual.table, name=new), relation)
        for other in standing.tables:
            standing.edit(other, lambda table: with_parent_moved(table, name, new))
        if name in standing.made and not standing.was_there(new):
            # What takes a table's place takes its rows with it, as far as they were copied.
            standing.made.add(new)


def _selected_name(target: Any) -> str:
    """What a SELECT calls a column; "" where its text does not say."""
    if target.name:
        return str(target.name)
    if target.val.HasField("column_ref"):
        return str(target.val.column_ref.fields[-1].string.sval)
    return ""
