"""Foreign keys of what returns and to what returns: which of them can be declared again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postgast import pg_query_pb2 as pb

from forensics.model import Table, TableName
from forensics.recovery.relations import comparable
from forensics.recovery.write.definitions.dump import Statement, detail
from forensics.recovery.write.definitions.model import Incoming
from forensics.recovery.write.definitions.needs import Needs, Sides
from forensics.text import one_line

Lacks = dict[tuple[TableName, str], str]


class ForeignKeys:
    """Decides about foreign keys.

    Attributes:
        incoming: those of other tables that are tried again.
    """

    def __init__(self, sides: Sides, needs: Needs, lacks: Lacks) -> None:
        self._sides = sides
        self._needs = needs
        self._lacks = lacks
        self.incoming: list[Incoming] = []

    def can_be_declared(self, statement: Statement, name: TableName, constraint: Any) -> bool:
        """Whether a returning table finds its parent as it needs it: a returning one, or live's."""
        parent = statement.name(constraint.pktable)
        if parent in self._needs.tables:
            return True
        reason = undeclarable(
            self._sides.backup.tables[name],
            _words(constraint.fk_attrs),
            self._sides.live.tables.get(parent),
            _words(constraint.pk_attrs),
        )
        if reason is None:
            return True
        self._lacks[name, constraint.conname] = (
            f"Table {name} comes back without its foreign key {constraint.conname} "
            f"to {parent}: {reason}."
        )
        return False

    def comes_in_again(self, name: TableName, constraint: Any) -> bool:
        """Whether a surviving table can refer to one that was dropped as it did."""
        table = self._sides.live.tables.get(name)
        if table is None:
            return False
        for column in _words(constraint.fk_attrs):
            if table.column(column) is None:
                return False
        self.incoming.append(Incoming(name, constraint.conname))
        return True

    def went_with_a_partition(self, statement: Statement, name: TableName, constraint: Any) -> None:
        """Note that a surviving table lost its foreign key to a partitioned table, if it did."""
        table = self._sides.live.tables.get(name)
        if table is None or constraint.conname in {k.name for k in table.foreign_keys}:
            return
        parent = statement.name(constraint.pktable)
        self._lacks[name, constraint.conname] = (
            f"Table {name} has no foreign key {constraint.conname} to {parent} any more, "
            "as after DROP TABLE … CASCADE of a partition; it is not declared again. "
            f"By hand: {one_line(statement.sql)};"
        )


def foreign_key_added(command: Any) -> Any | None:
    """The foreign key that a command of ALTER TABLE adds, or None."""
    if command.subtype != pb.AT_AddConstraint:
        return None
    constraint = detail(command).constraint
    if constraint.contype != pb.CONSTR_FOREIGN:
        return None
    return constraint


def undeclarable(
    child: Table,
    columns: Sequence[str],
    parent: Table | None,
    parent_columns: Sequence[str],
) -> str | None:
    """Why a foreign key cannot be declared to a table as it is now, or None where it can.

    Args:
        columns: the child's.
        parent_columns: the parent's; empty for its primary key.
    """
    if parent is None:
        return "that table is gone"
    referred = list(parent_columns)
    if not referred and parent.primary_key:
        referred = list(parent.primary_key.columns)
    for name, other in zip(columns, referred, strict=False):
        ours, theirs = child.column(name), parent.column(other)
        if theirs is None:
            return f"that table has no column {other} any more"
        if ours and not comparable(ours.type, theirs.type):
            return f"column {other} of that table is {theirs.type} now"
    if len(referred) != len(columns) or not _has_key(parent, referred):
        return f"{', '.join(referred) or 'nothing'} is no unique key of that table any more"
    return None


def _has_key(table: Table, columns: Sequence[str]) -> bool:
    return any({*key.columns} == {*columns} for key in table.keys)


def _words(nodes: Sequence[Any]) -> list[str]:
    return [node.string.sval for node in nodes]
