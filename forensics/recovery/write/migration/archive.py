"""The archive: the schemas that a safer migration parks things in, and what stands there."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.model import Catalog, Table, TableName
from forensics.recovery.write.definitions import types_used
from forensics.recovery.write.migration.model import Kept
from forensics.recovery.write.migration.schema import column_names, from_item
from forensics.recovery.write.migration.sql import cut, numbered


class Archive:
    """What is kept.

    Attributes:
        name: the schema for copies, and for tables of the schema `home`.
        schemas: all schemas that have to be made for it.
        kept: in order.
        parked: where tables stand that the original drops, by the names they had before.
        held: the types of what it holds, by the names they had before.
    """

    def __init__(self, name: str, home: str, catalog: Catalog) -> None:
        self.name = name
        self._home = home
        self._catalog = catalog
        self._taken: set[str] = set()
        self.schemas = {name}
        self.kept: list[Kept] = []
        self.parked: dict[TableName, TableName] = {}
        self.held: set[str] = set()

    def schema_for(self, schema: str) -> str:
        """The archive for tables of a schema.

        One for each, because two schemas may have tables and indexes of the same name.
        """
        archive = self.name
        if schema != self._home:
            archive = cut(f"{self.name}_{schema}")
        self.schemas.add(archive)
        return archive

    def schema_for_all_of(self, schema: str) -> str:
        """The name for a schema that is parked as a whole."""
        archive = cut(f"{self.name}_{schema}")
        if archive in self.schemas:  # of tables that were parked one by one before
            return cut(f"{self.name}_all_of_{schema}")
        return archive

    def place_for(self, name: TableName) -> TableName:
        """Where a table is parked."""
        self._taken.add(name.table)
        return TableName(self.schema_for(name.schema), name.table)

    def new_name(self, wanted: str) -> TableName:
        """A name for copies that nothing has yet."""
        name = cut(wanted)
        number = 1
        while name in self._taken:
            number += 1
            name = numbered(wanted, number)
        self._taken.add(name)
        return TableName(self.name, name)

    def park(self, table: Table, place: TableName, line: int, what: str) -> None:
        """Note that a table is parked."""
        self.parked[table.name] = place
        count = f"SELECT count(*) FROM {from_item(table, place)}"
        self._keep_rows(table, place, line, what, count)

    def copy(self, table: Table, place: TableName, line: int, what: str) -> None:
        """Note that rows of a table are copied."""
        self._keep_rows(table, place, line, what, f"SELECT count(*) FROM {place.sql}")

    def _keep_rows(self, table: Table, place: TableName, line: int, what: str, count: str) -> None:
        self.hold(table)
        columns = column_names(table)
        self.kept.append(Kept(what, line, table.name, place, columns, count))

    def hold(self, table: Table, columns: Iterable[str] = ()) -> None:
        """Note that columns of a table are kept, all where none are named; so are their types."""
        names = {*columns} or {*column_names(table)}
        before = self._catalog.tables.get(table.name, table)
        held = [column for column in before.columns if column.name in names]
        self.held |= types_used(self._catalog, held)
