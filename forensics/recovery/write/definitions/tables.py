"""Statements that make tables and indexes, or change them: those of the tables that return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.model import TableName
from forensics.recovery.write.definitions.defaults import (
    lost_label,
    without_defaults,
)
from forensics.recovery.write.definitions.dump import Statement, detail
from forensics.recovery.write.definitions.foreign_keys import (
    ForeignKeys,
    Lacks,
    foreign_key_added,
)
from forensics.recovery.write.definitions.model import Definition
from forensics.recovery.write.definitions.needs import Needs, Sides
from forensics.recovery.write.definitions.partitions import Partitions
from forensics.recovery.write.sqltext import literal

_BEFORE_ROWS = frozenset(
    {
        pb.AT_ColumnDefault,
        pb.AT_AddIdentity,
        pb.AT_SetNotNull,
        pb.AT_DropNotNull,
        pb.AT_AttachPartition,
        pb.AT_AddInherit,
        pb.AT_ChangeOwner,
        pb.AT_SetStorage,
        pb.AT_SetCompression,
        pb.AT_SetStatistics,
        pb.AT_SetOptions,
        pb.AT_SetRelOptions,
        pb.AT_SetLogged,
        pb.AT_SetUnLogged,
    }
)


class Indexes:
    """The indexes of the tables that return, as far as their statements were read."""

    def __init__(self, partitions: Partitions) -> None:
        self._partitions = partitions
        self._names: set[TableName] = set()
        self._inner: dict[TableName, TableName] = {}

    def __contains__(self, name: TableName) -> bool:
        return name in self._names

    def note(self, table: TableName, name: str) -> None:
        """Note an index, or a constraint that may have one."""
        index = TableName(table.schema, name)
        self._names.add(index)
        if table in self._partitions.inner:
            self._inner[index] = table

    def partition_of(self, index: TableName) -> TableName | None:
        """The table of an index, where that is a partition that returns to a table."""
        return self._inner.get(index)


class Tables:
    """Takes the statements about the tables that return, and those that lead to them.

    Attributes:
        made: the tables that were made so far.
        indexes: and their indexes.
        attaching: what attaches partitions, and their indexes, when they are whole.
        unvalidated: constraints that the backup had not validated either.
    """

    def __init__(self, sides: Sides, needs: Needs, partitions: Partitions, lacks: Lacks) -> None:
        self._sides = sides
        self._needs = needs
        self._partitions = partitions
        self._lacks = lacks
        self.foreign_keys = ForeignKeys(sides, needs, lacks)
        self.indexes = Indexes(partitions)
        self.made: set[TableName] = set()
        self.attaching: list[Definition] = []
        self.unvalidated: set[str] = set()

    def take(self, statement: Statement) -> Definition | None:
        """Take a statement if one of the tables needs it."""
        match statement.kind:
            case "create_stmt":
                return self._create(statement)
            case "index_stmt":
                return self._create_index(statement)
            case "alter_table_stmt":
                return self._alter(statement)
            case _:
                return None

    def _create(self, statement: Statement) -> Definition | None:
        node = statement.node
        name = statement.name(node.relation)
        if name not in self._needs.tables:
            return None
        self.made.add(name)
        gone: set[str] = set()
        for element in node.table_elts:
            if element.HasField("constraint"):
                self.indexes.note(name, element.constraint.conname)
            elif element.HasField("column_def"):
                column = element.column_def.colname
                if self._loses_its_default(name, column):
                    gone.add(column)
        if gone:
            return statement.define("before", sql=without_defaults(node, gone))
        return statement.define("before")

    def _loses_its_default(self, table: TableName, name: str) -> bool:
        column = self._sides.backup.tables[table].column(name)
        kind = lost_label(self._sides, self._needs, column) if column else None
        if column is None or kind is None:
            return False
        self._lacks[table, name] = (
            f"Column {table}.{name} comes back without its default {column.default}: "
            f"live's type {kind} has no such label."
        )
        return True

    def _create_index(self, statement: Statement) -> Definition | None:
        name = statement.name(statement.node.relation)
        if name not in self._needs.tables:
            return None
        self.indexes.note(name, statement.node.idxname)
        if name in self._partitions.inner:
            return statement.define("before")
        return statement.define("after")

    def _alter(self, statement: Statement) -> Definition | None:
        name = statement.name(statement.node.relation)
        if name in self._needs.sequences:
            return statement.define("before")
        if statement.node.objtype == pb.OBJECT_INDEX:
            return self._alter_index(statement, name)
        if name in self._needs.tables:
            return self._alter_table(statement, name)
        return self._alter_other(statement, name)

    def _alter_table(self, statement: Statement, name: TableName) -> Definition | None:
        inner = name in self._partitions.inner
        lenient = False
        for command in statement.commands:
            if command.subtype != pb.AT_AddConstraint:
                continue
            constraint = detail(command).constraint
            foreign = constraint.contype == pb.CONSTR_FOREIGN
            if foreign and not self.foreign_keys.can_be_declared(statement, name, constraint):
                return None
            if constraint.skip_validation:
                self.unvalidated.add(constraint.conname)
            self.indexes.note(name, constraint.conname)
            if inner and not foreign:
                return statement.define("before", lenient=lenient)
            # Rows return by the keys of the whole table; what a partition demands beyond that
            # may stand in the way of some.
            lenient = inner
        if _all_before_rows(statement.commands):
            return statement.define("before", lenient=lenient)
        return statement.define("after", lenient=lenient)

    def _alter_index(self, statement: Statement, name: TableName) -> Definition | None:
        """One may take the index of a partition under that of the whole table."""
        part = _attached_index(statement)
        table = self.indexes.partition_of(part) if part else None
        if part is None or table is None:
            return statement.define("after") if name in self.indexes else None
        if table not in self._partitions.tops:
            return statement.define("before")
        # The table may have lost that index, and PostgreSQL itself looks for one that fits when
        # it attaches a partition.
        regclass = f"to_regclass({literal(part.sql)})"
        there = f"EXISTS (SELECT FROM pg_inherits WHERE inhrelid = {regclass})"
        unless = f"to_regclass({literal(name.sql)}) IS NULL OR {there}"
        self.attaching.append(statement.attach(unless))
        return None

    def _alter_other(self, statement: Statement, name: TableName) -> Definition | None:
        """A surviving table takes a partition back, or refers to a table that returns."""
        for command in statement.commands:
            if self._attaches(statement, command):
                self.attaching.append(statement.attach())
                return None
            key = foreign_key_added(command)
            if key is None:
                continue
            parent = statement.name(key.pktable)
            if parent in self._partitions.over:
                self.foreign_keys.went_with_a_partition(statement, name, key)
            elif parent in self._needs.tables and self.foreign_keys.comes_in_again(name, key):
                lenient = statement.node.objtype == pb.OBJECT_TABLE
                return statement.define("after", lenient=lenient)
        return None

    def _attaches(self, statement: Statement, command: Any) -> bool:
        """Whether a command attaches a partition that returns."""
        if command.subtype != pb.AT_AttachPartition:
            return False
        return statement.name(detail(command).partition_cmd.name) in self._partitions.tops


def _all_before_rows(commands: Sequence[Any]) -> bool:
    return all(command.subtype in _BEFORE_ROWS for command in commands)


def _attached_index(statement: Statement) -> TableName | None:
    """The index that ALTER INDEX … ATTACH PARTITION takes, or None."""
    for command in statement.commands:
        if command.subtype == pb.AT_AttachPartition:
            return statement.name(detail(command).partition_cmd.name)
    return None
