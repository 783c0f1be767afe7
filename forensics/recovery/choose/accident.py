"""What the accident itself wrote: no price of a way back.

A changed row is the accident's where nothing of it changed but overwritten values, and `cause`
lays as many of these at statements as there are. A new row is the accident's where a replay of
its statements inserts an equal one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from forensics.evidence import arrays
from forensics.loss.elsewhere.values import comparable
from forensics.loss.sql import alike, numbered, prefixed, renamed
from forensics.loss.sql import listed as comma
from forensics.model import TableName, TableResult
from forensics.store import Store, has_table
from forensics.text import listed

UNASKED = "cause has not run: what the accident itself wrote is counted too."


@dataclass(frozen=True)
class WrittenRows:
    """Rows that the accident's statements wrote into a table, in a table of the case.

    Attributes:
        columns: which; `types` are those of live.
    """

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    def among(self, rows: str, fields: Sequence[str]) -> str:
        """The query for the pairs of rows that are equal to one of these, each to another.

        Args:
            rows: what to select them from, with a `pair`.
            fields: by column, what holds it.
        """
        values = numbered("v", len(fields))
        rank = f"row_number() OVER (PARTITION BY {comma(values)}"
        theirs = comparable(numbered("f", len(fields)), self.types)
        return (
            f"SELECT l.pair FROM (SELECT *, {rank} ORDER BY pair) AS r "
            f"FROM (SELECT pair, {renamed(comparable(fields, self.types), 'v')} FROM {rows})) l "
            f"JOIN (SELECT *, {rank}) AS r "
            f"FROM (SELECT {renamed(theirs, 'v')} FROM {self.table})) w "
            f"ON l.r = w.r AND {alike(prefixed('l', values), prefixed('w', values))}"
        )

    def held_against(self, store: Store, rows: Sequence[Mapping[str, str | None]]) -> int:
        """How many rows of live are equal to one of these, each to another."""
        fields = numbered("f", len(self.columns))
        values = {"pair": arrays.numbers(range(len(rows)))}
        for name in fields:
            values[name] = arrays.values([row[name] for row in rows])
        with store.query() as cursor:
            cursor.register("rows_of_live", pa.table(values))
            question = f"SELECT count(*) FROM ({self.among('rows_of_live', fields)})"
            [(found,)] = cursor.execute(question).fetchall()
            cursor.unregister("rows_of_live")
        return int(found)


def written_by(store: Store) -> dict[TableName, WrittenRows]:
    """By table, the rows that the accident's statements wrote."""
    found = {}
    facts = store.get("written") or ()
    tables = store.catalogs()[1].tables if facts else {}
    for fact in facts:
        name = TableName(**fact["name"])
        types = []
        for column in map(tables[name].column, fact["columns"]):
            types.append(column.type if column else "")
        found[name] = WrittenRows(fact["table"], tuple(fact["columns"]), tuple(types))
    return found


class Accident:
    """The rows of live that a case's accident wrote.

    Args:
        store: the case, open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written = written_by(store)
        laid = _laid(store)
        self._laid: dict[TableName, list[str]] = {}
        self._others: dict[TableName, list[str]] = {}
        for entry in store.overwritten() or ():
            if entry.destroyed:
                known = laid[entry.name, entry.column] + laid[entry.name, None]
                # Statements changed at least as many values as are gone.
                by_table = self._laid if known >= entry.lost > 0 else self._others
                by_table.setdefault(entry.name, []).append(entry.column)

    def note(self) -> str:
        """What of the price is not told apart, or ""."""
        if self._store.get("cause") is None:
            return UNASKED
        short = []
        for name, columns in self._others.items():
            short += [f"{name}.{column}" for column in columns]
        if not short:
            return ""
        return f"Counted too, for no statement is known to have written them: {listed(short)}."

    def condition(self, result: TableResult) -> str | None:
        """The condition that a row of a table that the case keeps of live is the accident's."""
        found = []
        changed, added = self._changed(result), self._added(result)
        if changed:
            found.append(f"(state = 'changed' AND pair IN ({changed}))")
        if added:
            found.append(f"(state = 'added' AND pair IN ({added}))")
        return " OR ".join(found) or None

    def _changed(self, result: TableResult) -> str | None:
        """The query for the pairs of a table's changed rows that the accident wrote; or None."""
        if result.name not in self._laid:
            return None
        query = f"{self._cells(result.name, self._laid)} AND alone"
        if result.name in self._others:
            query += f" EXCEPT {self._cells(result.name, self._others)}"
        return query

    def _added(self, result: TableResult) -> str | None:
        """The query for the pairs of a table's new rows that its statements inserted; or None."""
        written = self._written.get(result.name)
        held = self._store.columns(result.name, "live")
        if written is None or result.state != "compared" or not {*written.columns} <= {*held}:
            return None
        ours = [f"f{held.index(column)}" for column in written.columns]
        rows = f"SELECT * FROM rows.live_{self._store.number(result.name)} WHERE state = 'added'"
        return written.among(f"({rows})", ours)

    def _cells(self, name: TableName, columns: Mapping[TableName, Sequence[str]]) -> str:
        """The query for the pairs of a table's rows of which some columns were overwritten."""
        held = self._store.columns(name, "backup")
        places = ", ".join(str(held.index(column)) for column in columns[name])
        number = self._store.number(name)
        return f"SELECT pair FROM rows.overwritten_{number} WHERE place IN ({places})"

    def rows(self, result: TableResult) -> int:
        """How many of a table's new and changed rows the accident wrote."""
        own = self.condition(result)
        if own is None:
            return 0
        kept = f"rows.live_{self._store.number(result.name)}"
        with self._store.query() as cursor:
            if not has_table(cursor, kept):
                return 0
            found = cursor.execute(f"SELECT count(*) FROM {kept} WHERE {own}").fetchall()
        return int(found[0][0])


def _laid(store: Store) -> Counter[tuple[TableName, str | None]]:
    """How many values statements changed, by table and column; None where no column is named."""
    found: Counter[tuple[TableName, str | None]] = Counter()
    for statement in (store.get("cause") or {}).get("statements", ()):
        if statement["table"] and statement["changed"]:
            name = TableName(statement["schema"], statement["table"])
            found[name, statement["column"]] += statement["changed"]
    return found
