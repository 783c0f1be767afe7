"""What the accident itself wrote: no price of a way back.

A changed row is the accident's where nothing of it changed but overwritten values, and `cause`
lays as many of these at statements as there are.
"""

from __future__ import annotations

from collections import Counter

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
        self._laid = _laid(store)

    def note(self) -> str:
        """What of the price is not told apart, or ""."""
        if self._store.get("cause") is None:
            return UNASKED
        short = []
        for entry in self._store.overwritten() or ():
            if entry.destroyed and not self._is_laid(entry.name, entry.column, entry.lost):
                short.append(f"{entry.name}.{entry.column}")
        if not short:
            return ""
        return f"Counted too, for no statement is known to have written them: {listed(short)}."

    def pairs(self, result: TableResult) -> str | None:
        """The query for the pairs of a table's changed rows that the accident wrote; or None."""
        number = self._store.number(result.name)
        places: list[str] = []
        others: list[str] = []
        held = self._store.columns(result.name, "backup")
        for entry in self._store.overwritten() or ():
            if entry.name != result.name or not entry.destroyed:
                continue
            place = str(held.index(entry.column))
            is_laid = self._is_laid(entry.name, entry.column, entry.lost)
            (places if is_laid else others).append(place)
        if not places:
            return None
        cells = f"rows.overwritten_{number}"
        query = f"SELECT pair FROM {cells} WHERE alone AND place IN ({', '.join(places)})"
        if others:
            query += f" EXCEPT SELECT pair FROM {cells} WHERE place IN ({', '.join(others)})"
        return query

    def rows(self, result: TableResult) -> int:
        """How many of a table's changed rows the accident wrote."""
        query = self.pairs(result)
        if query is None:
            return 0
        with self._store.query() as cursor:
            found = cursor.execute(f"SELECT count(DISTINCT pair) FROM ({query})").fetchone()
        return int(found[0]) if found else 0

    def _is_laid(self, name: TableName, column: str, lost: int) -> bool:
        """Whether statements changed at least as many values as are gone."""
        laid = self._laid[name, column] + self._laid[name, None]
        return laid >= lost > 0


def _laid(store: Store) -> Counter[tuple[TableName, str | None]]:
    """How many values statements changed, by table and column; None where no column is named."""
    found: Counter[tuple[TableName, str | None]] = Counter()
    for statement in (store.get("cause") or {}).get("statements", ()):
        if statement["table"] and statement["changed"]:
            name = TableName(statement["schema"], statement["table"])
            found[name, statement["column"]] += statement["changed"]
    return found
