"""What is to be attributed: what `compare` found, and the statements that ran in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics.cause.history import History
from forensics.evidence.migrations import Statement
from forensics.model import (
    Catalog,
    ColumnChange,
    TableName,
    TableResult,
    changes_that_count,
    that_count,
)
from forensics.statements.hazards import Hazard, ranges, read_hazards
from forensics.store import Store

ColumnName = tuple[TableName, str]


@dataclass(frozen=True)
class Step:
    """A statement between backup and live, with its hazards; they are counted from 1."""

    number: int
    migration: str
    statement: Statement
    hazards: tuple[Hazard, ...]

    def names(self, schema: str) -> set[TableName]:
        """The tables that the statement names, or is a danger to.

        Args:
            schema: where names without a schema lead.
        """
        found = {hazard.table for hazard in self.hazards if hazard.table}
        for relation in ranges(self.statement.node):
            found.add(TableName(relation.schemaname or schema, relation.relname))
        return found


@dataclass(frozen=True)
class Incident:
    """A case as far as it is asked for its cause; only read.

    Attributes:
        store: the case, for its rows.
        backup: the schema before.
        live: the schema after.
        results: by table, what the comparison found.
        changes: what it found of columns.
        history: where each migration stands.
        steps: the statements of those that ran in between, in order.
    """

    store: Store
    backup: Catalog
    live: Catalog
    results: Mapping[TableName, TableResult]
    changes: Sequence[ColumnChange]
    history: History
    steps: Sequence[Step]

    def lost_columns(self, name: TableName) -> tuple[str, ...]:
        """The columns of a table that live does not have, and whose values are missing."""
        found = []
        for change in self.changes:
            if change.name == name and change.change == "dropped" and change.values_missing:
                found.append(change.column)
        return tuple(found)

    def missing(self) -> Unexplained:
        """What is missing, before anything of it is explained."""
        found = Unexplained({}, {}, {})
        for name, result in self.results.items():
            if result.missing:
                found.rows[name] = result.missing
        for change in self.changes:
            if change.change == "dropped" and change.values_missing:
                found.values[change.name, change.column] = change.values_missing
        for entry in self.store.overwritten() or ():
            if entry.destroyed:
                found.overwritten[entry.name, entry.column] = entry.lost
        return found

    @property
    def differs(self) -> bool:
        """Whether there is anything to explain."""
        results = self.results.values()
        if any(result.missing or result.changed for result in that_count(results)):
            return True
        changes = changes_that_count(self.changes, results)
        return any(change.change == "dropped" and change.values_missing for change in changes)

    def is_history(self, name: TableName | None) -> bool:
        """Whether a table is a migration tool's own: what it lost is not for statements to say."""
        result = self.results.get(name) if name else None
        return result is not None and result.history


@dataclass
class Unexplained:
    """What no statement accounts for yet.

    Attributes:
        rows: by table, its missing rows.
        values: by column that live does not have, its values.
        overwritten: by column, its values that a pattern destroyed; None: not known how many.
    """

    rows: dict[TableName, int]
    values: dict[ColumnName, int]
    overwritten: dict[ColumnName, int | None]

    def of(self, name: TableName | None, column: str | None) -> int:
        """What is left of a table, or of a column of it."""
        if name is None:
            return 0
        if column is None:
            return self.rows.get(name, 0)
        return self.values.get((name, column), 0)


def incident_of(store: Store, history: History) -> Incident:
    """Read a case, and the migrations that ran in between.

    Raises:
        MigrationError: one of them does not parse.
    """
    backup, live = store.catalogs()
    results = {result.name: result for result in store.results()}
    steps = tuple(_steps(history, backup))
    return Incident(store, backup, live, results, store.changes(), history, steps)


def _steps(history: History, backup: Catalog) -> Iterator[Step]:
    number = 0
    for migration in history.between:
        for statement, hazards in read_hazards(migration, backup, history.schema):
            number += 1
            yield Step(number, migration.name, statement, tuple(hazards))
