"""Of which class each missing row is: tables `class_N` of the case's session.

They hold (pair, class, reason) of the missing rows of table N, beside the rows themselves,
which stand in `rows.backup_N`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

import duckdb
import pyarrow as pa

from forensics.evidence import arrays
from forensics.model import TableName
from forensics.recovery.choose.freed import freed
from forensics.recovery.choose.targets import CLASSES, Target
from forensics.recovery.queries import filled
from forensics.store import tables_of
from forensics.store.lending import lend
from forensics.store.literals import literal

_NO_COLUMNS = "its table has no columns, so that there is nothing to bring back"


class Classes:
    """The classes of the missing rows of some targets.

    Attributes:
        translated: by number of a target, its missing rows in the keys that their parents have
            today.
        marked: by number of a target, how often some of its rows were given another class.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._there = tables_of(cursor)
        self.translated: dict[int, str] = {}
        self.marked: Counter[int] = Counter()

    def has(self, table: str) -> bool:
        """Whether the case has a table, such as `rows.backup_1`."""
        return table in self._there

    def rows(self, target: Target) -> str:
        """The relation of a target's missing rows, as they return."""
        return self.translated.get(target.number, f"rows.backup_{target.number}")

    def begin(
        self,
        target: Target,
        chosen: Collection[TableName],
        explained: bool,
    ) -> None:
        """Class a target's missing rows by what the case's earlier stages found.

        Args:
            target: the table.
            chosen: all tables that rows return to.
            explained: whether rows that no statement is known to have taken are set aside.
        """
        n = target.number
        source = "SELECT 0::BIGINT AS pair WHERE false"
        if self.has(f"rows.backup_{n}"):
            source = f"SELECT pair FROM rows.backup_{n} WHERE state = 'missing'"
        self._cursor.execute(filled("choose", "class", n=str(n), source=source))
        if self.has(f"loss.links_{n}"):
            names = literal(list(map(str, chosen)))
            self._cursor.execute(filled("choose", "from_loss", n=str(n), chosen=names))
        if self.has(f"elsewhere.rows_{n}"):
            self._cursor.execute(filled("choose", "elsewhere", n=str(n)))
        if not target.columns:
            self.mark(target, "blocked", "true", _NO_COLUMNS)
        if target.kind == "insert" and explained and self.has(f"cause.rows_{n}"):
            self._cursor.execute(filled("choose", "unexplained", n=str(n)))

    def mark(
        self,
        target: Target,
        name: str,
        condition: str,
        reason: str,
    ) -> int:
        """Give the restorable rows for which a condition holds another class.

        Args:
            target: the table.
            name: the class.
            condition: in DuckDB's SQL, on the row `r`.
            reason: why it is of that class, for people.

        Returns:
            How many rows were marked.
        """
        if not self.has(f"rows.backup_{target.number}"):
            return 0
        statement = filled(
            "choose",
            "mark",
            n=str(target.number),
            kind=literal(name),
            reason=literal(reason),
            rows=self.rows(target),
            condition=condition,
        )
        found = self._cursor.execute(statement).fetchall()
        if not found or not found[0][0]:
            return 0
        self.marked[target.number] += 1
        return int(found[0][0])

    def refuse(self, target: Target, refused: Sequence[tuple[int, str]]) -> None:
        """Mark rows as conflicting.

        Args:
            target: the table.
            refused: which of its restorable rows, numbered from 0 by `pair`, and why.
        """
        self.marked[target.number] += 1
        places, reasons = zip(*refused, strict=True)
        rows = {
            "place": arrays.numbers(places),
            "reason": arrays.values(reasons),
        }
        lend(self._cursor, "refused", pa.table(rows))
        self._cursor.execute(filled("choose", "refused", n=str(target.number)))
        self._cursor.unregister("refused")

    def counted(self, target: Target) -> Target:
        """The target with how many of its rows are of which class, and why."""
        n = target.number
        by_class = f"SELECT class, count(*) FROM class_{n} GROUP BY class"
        found = dict(self._cursor.execute(by_class).fetchall())
        counts = {name: found.get(name, 0) for name in CLASSES}
        why = filled("choose", "staying", n=str(n))
        staying = self._cursor.execute(why).fetchall()
        found_free = freed(self._cursor, target) if self.has(f"loss.links_{n}") else 0
        return replace(target, counts=counts, staying=tuple(staying), freed=found_free)
