"""ALTER TABLE: values of columns are kept, SET NOT NULL refuses NULLs with a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.evidence.migrations import Statement
from forensics.model import Table, TableName, quote_identifier
from forensics.recovery.write.migration.archive import Archive
from forensics.recovery.write.migration.model import Kept
from forensics.recovery.write.migration.schema import (
    Schema,
    column_names,
    from_item,
)
from forensics.recovery.write.migration.sql import as_written, cut, inside
from forensics.recovery.write.sqltext import block, comment, listed, quoted

_TAKING = (pb.AT_DropColumn, pb.AT_AlterColumnType)


class Values:
    """Keeps values of columns."""

    def __init__(self, schema: Schema, archive: Archive) -> None:
        self._schema = schema
        self._archive = archive

    def alter(self, statement: Statement) -> Iterator[str] | None:
        """Rewrite ALTER TABLE if it takes values, or refuses some."""
        node = statement.node
        name = self._schema.name(node.relation)
        table = self._schema.tables.get(name)
        if node.objtype != pb.OBJECT_TABLE or table is None:
            return None
        commands = [c.alter_table_cmd for c in node.cmds]
        self._note_detached(table, commands)
        taken: list[str] = []
        required: list[str] = []
        for command in commands:
            if command.subtype in _TAKING and table.column(command.name) is not None:
                taken.append(command.name)
            elif command.subtype == pb.AT_SetNotNull:
                required.append(command.name)
        if not taken and not required:
            return None
        names = [name]
        if node.relation.inh:
            names += self._schema.heirs(table.name)
        return self._alter_safely(statement, names, taken, required)

    def _note_detached(self, table: Table, commands: Sequence[Any]) -> None:
        for command in commands:
            if command.subtype != pb.AT_DetachPartition:
                continue
            name = self._schema.name(getattr(command, "def").partition_cmd.name)
            part = self._schema.tables.get(name)
            if part is not None:
                self._schema.stands_apart(part, table)
                self._schema.tables[name] = replace(part, parent=None)

    def _alter_safely(
        self,
        statement: Statement,
        names: Sequence[TableName],
        taken: Sequence[str],
        required: Sequence[str],
    ) -> Iterator[str]:
        if taken:
            for name in dict.fromkeys(names):
                table = self._schema.tables[name]
                lost = [c for c in column_names(table) if c in taken]
                yield from self.keep(statement.line, name, table, lost)
                self._schema.without(name, lost)
        checks = [_Filled(names[0], column) for column in required]
        for check in checks:
            yield from check.demand()
        yield as_written(statement)
        for check in checks:
            yield check.drop()

    def keep(
        self, line: int, name: TableName, table: Table, columns: Sequence[str]
    ) -> Iterator[str]:
        """Copy the values of columns, with the key of their rows."""
        key = _key(table)
        told_by = key or column_names(table)
        kept = list(dict.fromkeys([*told_by, *columns]))
        place = self._archive.new_name(f"{name.table}_{'_'.join(columns)}")
        self._archive.hold(table, self._schema.first_names(table, kept))
        some = " OR ".join(f"{c} IS NOT NULL" for c in quoted(columns))
        values = comment(", ".join(columns))
        yield f"-- The values of {values}, kept with the key of their rows."
        rows = f"SELECT {listed(kept)} FROM {from_item(table, name)} WHERE {some}"
        yield f"CREATE TABLE {place.sql} AS {rows};"
        counts = " + ".join(f"count({c})" for c in quoted(columns))
        self._archive.kept.append(
            Kept(
                what="values of a column",
                line=line,
                table=table.name,
                archive=place,
                columns=tuple(columns),
                after=f"SELECT {counts} FROM {place.sql}",
                key=tuple(c for c in kept if c not in columns or c in key),
            )
        )


def _key(table: Table) -> tuple[str, ...]:
    """The columns of the primary key, or of the first other one, if there is any."""
    for key in table.keys:
        if key.primary:
            return key.columns
    return table.keys[0].columns if table.keys else ()


@dataclass(frozen=True)
class _Filled:
    """The demand that a column holds no NULL."""

    table: TableName
    column: str

    @property
    def _name(self) -> str:
        table, column = cut(self.table.table, 30), cut(self.column, 20)
        return quote_identifier(f"{table}_{column}_filled")

    def demand(self) -> Iterator[str]:
        """Refuse NULLs, by a constraint that is validated while others write."""
        table, column = self.table.sql, quote_identifier(self.column)
        place = f"{inside(self.table)}.{inside(self.column)}"
        mending = f"UPDATE {table} SET {column} = … WHERE {column} IS NULL"
        yield f"-- Refuse NULLs with a sentence; or decide what goes there: {comment(mending)};"
        yield block(
            [
                f"  IF EXISTS (SELECT FROM {table} WHERE {column} IS NULL) THEN",
                f"    RAISE EXCEPTION 'Column {place} holds NULLs: "
                "decide what goes there before it becomes NOT NULL';",
                "  END IF;",
            ]
        )
        check = f"CHECK ({column} IS NOT NULL) NOT VALID"
        yield f"ALTER TABLE {table} ADD CONSTRAINT {self._name} {check};"
        yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {self._name};"

    def drop(self) -> str:
        """Drop that constraint again, when the column itself demands it."""
        return f"ALTER TABLE {self.table.sql} DROP CONSTRAINT {self._name};"
