"""What the accident itself wrote: no price of a way back.

A changed row is the accident's where nothing of it changed but overwritten values, and `cause`
lays as many of these at statements as there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from forensics.model import TableName, TableResult
from forensics.store import Store
from forensics.text import listed

UNASKED = "cause has not run: what the accident itself wrote is counted too."


class Accident:
    """The rows of live that a case's accident wrote.

    Args:
        store: the case, open.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
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

    def pairs(self, result: TableResult) -> str | None:
        """The query for the pairs of a table's changed rows that the accident wrote; or None."""
        if result.name not in self._laid:
            return None
        query = f"{self._cells(result.name, self._laid)} AND alone"
        if result.name in self._others:
            query += f" EXCEPT {self._cells(result.name, self._others)}"
        return query

    def _cells(self, name: TableName, columns: Mapping[TableName, Sequence[str]]) -> str:
        """The query for the pairs of a table's rows of which some columns were overwritten."""
        held = self._store.columns(name, "backup")
        places = ", ".join(str(held.index(column)) for column in columns[name])
        number = self._store.number(name)
        return f"SELECT pair FROM rows.overwritten_{number} WHERE place IN ({places})"

    def rows(self, result: TableResult) -> int:
        """How many of a table's changed rows the accident wrote."""
        query = self.pairs(result)
        if query is None:
            return 0
        with self._store.query() as cursor:
            found = cursor.execute(f"SELECT count(DISTINCT pair) FROM ({query})").fetchall()
        return int(found[0][0])


def _laid(store: Store) -> Counter[tuple[TableName, str | None]]:
    """How many values statements changed, by table and column; None where no column is named."""
    found: Counter[tuple[TableName, str | None]] = Counter()
    for statement in (store.get("cause") or {}).get("statements", ()):
        if statement["table"] and statement["changed"]:
            name = TableName(statement["schema"], statement["table"])
            found[name, statement["column"]] += statement["changed"]
    return found
