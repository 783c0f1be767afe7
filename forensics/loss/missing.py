"""The rows of a table that are missing from live, as they lie in the case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics.loss.sql import literal
from forensics.loss.workspace import Workspace
from forensics.model import Parent, Table, TableName


@dataclass(frozen=True)
class MissingRows:
    """Missing rows of one of the backup's tables.

    Attributes:
        work: the run's workspace.
        name: the table.
        relation: what to select them from; in conditions a row of it goes by `m`.
        translated: whether they are in the keys that their parents have today, so that rows
            which are the same on both sides may say the same link.
    """

    work: Workspace
    name: TableName
    relation: str
    translated: bool = False

    @property
    def table(self) -> Table:
        """The table as the backup defines it."""
        return self.work.backup.catalog.tables[self.name]

    def fields(self, columns: Sequence[str]) -> list[str] | None:
        """The fields that hold columns, or None where one of them is not kept."""
        return self.work.fields("backup", self.name, columns)

    def field(self, column: str) -> str:
        """The field that holds a column; NULL where none does."""
        return self.work.field("backup", self.name, column) or "NULL"

    def condition(self, parent: Parent) -> str:
        """The condition under which a row means a parent."""
        if parent.when is None:
            return "true"
        column, value = parent.when
        return f"m.{self.field(column)} = {literal(value)}"

    def conditions(self, parents: Iterable[Parent]) -> str:
        """The condition under which a row means all of several parents."""
        return " AND ".join(self.condition(parent) for parent in parents)


def missing_rows(work: Workspace, name: TableName) -> MissingRows | None:
    """The missing rows of a table, or None where it was not compared."""
    kept = work.kept("backup", name)
    if kept is None:
        return None
    return MissingRows(work, name, f"(SELECT * FROM {kept} WHERE state = 'missing')")
