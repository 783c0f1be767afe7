"""What undoing the schema change is about: the tables and columns that would go and return.

`prisma migrate resolve --rolled-back` writes one row of a history and nothing else. What
people mean by it is a migration of their own that makes the schema as it was: new tables and
added columns go, with what was written there; dropped tables and columns come back, empty.
Its price is asked of live (`price`), its statements are written (`write.rollback`) and
rehearsed on a copy (`rehearse.rollback`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.model import Catalog, Column, ColumnChange, Table, TableName, that_count
from forensics.recovery.choose.undefined import undefined
from forensics.store import Store


@dataclass(frozen=True)
class Reversal:
    """What goes and what returns where a schema change is undone.

    Attributes:
        new: tables that go; `again` those that come back, empty.
        surviving: tables that both sides have.
        changes: by surviving table, what became of its columns.
        filled: by table, its columns that go.
        retyped: by table, its columns whose type goes back: (column, the type of the backup).
    """

    new: tuple[TableName, ...]
    again: tuple[TableName, ...]
    surviving: tuple[TableName, ...]
    changes: Mapping[TableName, tuple[ColumnChange, ...]]
    filled: Mapping[TableName, tuple[Column, ...]]
    retyped: Mapping[TableName, tuple[tuple[str, str], ...]]

    @property
    def hurt(self) -> list[TableName]:
        """The surviving tables whose rows lose something."""
        return sorted({*self.filled, *self.retyped})

    def columns(self, name: TableName, change: str, catalog: Catalog) -> list[Column]:
        """The columns of a surviving table that changed in one way, as a catalogue has them."""
        table = catalog.tables[name]
        found = []
        for one in self.changes.get(name, ()):
            column = table.column(one.column)
            if one.change == change and column is not None:
                found.append(column)
        return found


def reversal(store: Store) -> Reversal:
    """Work out from a case what undoing the change of the schema is about."""
    live = store.catalogs()[1]
    new, again, surviving = _tables(store)
    changes: dict[TableName, tuple[ColumnChange, ...]] = {}
    for change in store.changes():
        if change.name in surviving:
            changes[change.name] = (*changes.get(change.name, ()), change)
    filled, retyped = {}, {}
    for name in surviving:
        of_table = changes.get(name, ())
        columns = _filled(live.tables[name], of_table)
        if columns:
            filled[name] = columns
        types = _types(of_table)
        if types:
            retyped[name] = types
    return Reversal(new, again, surviving, changes, filled, retyped)


_Names = tuple[TableName, ...]


def _tables(store: Store) -> tuple[_Names, _Names, _Names]:
    """The tables that are new, those that were dropped, and those that both sides have."""
    backup, live = store.catalogs()
    new, dropped, surviving = [], [], []
    not_defined = undefined(store)
    for result in that_count(store.results()):
        name = result.name
        if result.state == "new":
            if _is_own(live.tables[name]):
                new.append(name)
        elif result.state == "dropped":
            if name not in not_defined:
                dropped.append(name)
        elif name in backup.tables and name in live.tables:
            surviving.append(name)
    return tuple(new), tuple(dropped), tuple(surviving)


def _filled(live: Table, changes: tuple[ColumnChange, ...]) -> tuple[Column, ...]:
    """The columns that were added to a table and that rows were written to."""
    found = []
    for change in changes:
        column = live.column(change.column)
        if change.change == "added" and column is not None and not column.generated:
            found.append(column)
    return tuple(found)


def _types(changes: tuple[ColumnChange, ...]) -> tuple[tuple[str, str], ...]:
    """The columns whose type changed, with the type of the backup."""
    found = []
    for change in changes:
        if change.change == "type":
            found.append((change.column, change.before or ""))
    return tuple(found)


def _is_own(table: Table) -> bool:
    return table.kind in ("table", "partitioned") and table.extension is None
