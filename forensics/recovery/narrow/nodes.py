"""The rows that a closure leads through, as tables: those of the case, and those that live on."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from forensics.loss.sql import literal, present, same
from forensics.model import TableName
from forensics.recovery.narrow.edges import Edge
from forensics.recovery.narrow.survivors import Survivors
from forensics.recovery.narrow.wanted import Wanted
from forensics.store import Store, tables_of


class Nodes:
    """Tables of rows, with the columns that are looked at.

    Each has `node`, a number, `pair` of the row in the case (NULL of one that lives on), and the
    columns' text.

    Args:
        store: the case.
        cursor: on it.
        root: the table whose rows were named.
        names: the tables.
        within: the references between them.
        wanted: which rows were named.

    Attributes:
        by_keys: whether the keys that rows below name are all that is asked of rows of the named
            table that live on.
    """

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        root: TableName,
        names: Sequence[TableName],
        within: Sequence[Edge],
        wanted: Sequence[Wanted],
    ) -> None:
        self._store, self._cursor = store, cursor
        self._root, self._within = root, within
        self._results = {result.name: result for result in store.results()}
        self._there = tables_of(cursor)
        chosen: dict[TableName, dict[str, None]] = {name: {} for name in names}
        for edge in within:
            chosen[edge.child].update(dict.fromkeys(edge.needs))
            chosen[edge.parent].update(dict.fromkeys(edge.parent_columns))
        for one in wanted:
            chosen[root].update(dict.fromkeys(one.columns))
        self._columns = {name: list(columns) for name, columns in chosen.items()}
        self._tables = {name: f"node_{place}" for place, name in enumerate(names)}
        self.by_keys = self._told_by_keys(wanted)

    @property
    def names(self) -> list[TableName]:
        """The tables."""
        return [*self._tables]

    def table(self, name: TableName) -> str:
        """What holds a table's rows: beside it `in_…` and `new_…` are for those that are marked."""
        return self._tables[name]

    def _told_by_keys(self, wanted: Sequence[Wanted]) -> bool:
        incoming = [edge for edge in self._within if edge.parent == self._root]
        if any(edge.child == self._root for edge in incoming):
            return False
        if len({edge.parent_columns for edge in incoming}) != 1:
            return False
        known = set(incoming[0].parent_columns)
        return all(known >= {*one.columns} for one in wanted)

    def field(self, name: TableName, column: str) -> str:
        """Where a table's column stands."""
        return f"c{self._columns[name].index(column)}"

    def fields(self, alias: str, name: TableName, columns: Sequence[str]) -> list[str]:
        """Where some columns of a row stand."""
        return [f"{alias}.{self.field(name, column)}" for column in columns]

    def lay_out(self, survivors: Survivors) -> None:
        """Make the tables.

        Raises:
            UsageError: rows that live on are needed, and no side is at hand.
            EvidenceError: the side cannot be read.
        """
        for name in self._tables:
            if name != self._root or not self.by_keys:
                self._lay_out(name, survivors)
        if self.by_keys:
            self._lay_out_keys()

    def _lay_out(self, name: TableName, survivors: Survivors) -> None:
        """Make a table's nodes: the rows that the case holds, and those that live on."""
        parts = [self._of_case(name)]
        if self._is_led_through(name):
            table = f"lives_on_{self._tables[name]}"
            survivors.fetch(self._cursor, name, self._columns[name], table)
            listing = "".join(f", c{i}" for i in range(len(self._columns[name])))
            parts.append(f"SELECT NULL::BIGINT AS pair{listing} FROM {table}")
        self._make_nodes(name, " UNION ALL ".join(filter(None, parts)))

    def _of_case(self, name: TableName) -> str:
        number = self._store.number(name)
        held = self._store.columns(name, "backup")
        if f"rows.backup_{number}" not in self._there:
            return ""
        listing = "pair"
        for place, column in enumerate(self._columns[name]):
            field = f"f{held.index(column)}" if column in held else "NULL::VARCHAR"
            listing += f", {field} AS c{place}"
        return f"SELECT {listing} FROM rows.backup_{number} WHERE state IN ('missing', 'changed')"

    def _is_led_through(self, name: TableName) -> bool:
        """Whether rows of a table that live on say of others to whom they belong."""
        if not any(edge.parent == name for edge in self._within):
            return False
        result = self._results.get(name)
        if result is None or result.state == "dropped":
            return False
        held = (result.missing or 0) + (result.changed or 0)
        return result.backup_rows is None or result.backup_rows > held

    def _lay_out_keys(self) -> None:
        """Make the named table's nodes of the keys that rows below name."""
        root = self._root
        parts = [self._of_case(root)]
        for edge in self._within:
            if edge.parent != root:
                continue
            fields = self.fields("r", edge.child, edge.columns)
            by_column = dict(zip(edge.parent_columns, fields, strict=True))
            listing = ""
            for place, column in enumerate(self._columns[root]):
                listing += f", {by_column.get(column, 'NULL::VARCHAR')} AS c{place}"
            parts.append(
                f"SELECT DISTINCT NULL::BIGINT AS pair{listing} FROM {self._tables[edge.child]} r "
                f"WHERE {present(fields)} AND {self.means(edge, 'r')}"
            )
        self._make_nodes(root, " UNION ALL ".join(filter(None, parts)))

    def _make_nodes(self, name: TableName, query: str) -> None:
        node = self._tables[name]
        if not query:
            listing = "".join(f", NULL::VARCHAR AS c{i}" for i in range(len(self._columns[name])))
            query = f"SELECT NULL::BIGINT AS pair{listing} WHERE false"
        self._cursor.execute(
            f"CREATE OR REPLACE TEMP TABLE {node} AS "
            f"SELECT row_number() OVER () AS node, q.* FROM ({query}) q"
        )
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE in_{node} (node BIGINT)")
        self._cursor.execute(f"CREATE OR REPLACE TEMP TABLE new_{node} (node BIGINT)")

    def refers(self, edge: Edge, alias: str, marked: str) -> str:
        """The condition that a row names, by a reference, one of some rows of the parent."""
        fields = self.fields(alias, edge.child, edge.columns)
        theirs = self.fields("p", edge.parent, edge.parent_columns)
        rows = f"{self._tables[edge.parent]} p JOIN {marked} m ON m.node = p.node"
        return (
            f"({self.means(edge, alias)} AND EXISTS "
            f"(SELECT 1 FROM {rows} WHERE {same(theirs, fields)}))"
        )

    def means(self, edge: Edge, alias: str) -> str:
        """The condition that a row means this parent."""
        if edge.when is None:
            return "true"
        (field,) = self.fields(alias, edge.child, [edge.when[0]])
        return f"{field} = {literal(edge.when[1])}"
