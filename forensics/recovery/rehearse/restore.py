"""The full restore, rehearsed: is every missing row there, and is what live wrote gone?

The backup stands restored in a scratch database. Each row that the case keeps is then looked
for in it, by the hash of its text: the missing ones must be there, the added and changed ones
of live must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb
import psycopg

from forensics.evidence.live.source import LiveSource
from forensics.model import Table, TableName, TableResult, that_count
from forensics.recovery.choose.accident import Accident
from forensics.recovery.choose.price import Price
from forensics.recovery.choose.selection import texts
from forensics.recovery.proof import Proof, Tell, off, silent
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.copies import BackupCopy
from forensics.recovery.rehearse.session import (
    Session,
    copy_rows,
    one,
    pinned_session,
    row_hash,
    run,
    words_of,
)
from forensics.recovery.relations import rows_of
from forensics.recovery.write.sqltext import listed
from forensics.store import Store
from forensics.store.values import spliced


def look_through(
    store: Store,
    copy: BackupCopy,
    price: Price,
    tell: Tell = silent,
) -> Looked:
    """Hold a restored backup against the case.

    Args:
        store: the case, which others may ask meanwhile.
        copy: the backup, restored.
        price: what undoing the schema change would take.
        tell: is told how far it is.
    """
    with LiveSource(copy.scratch.dsn(copy.database), role="restored") as source:
        tables = source.catalog.tables
    with store.query() as cursor, pinned_session(copy.scratch, copy.database) as session:
        found = Looked(store, cursor, copy, tables, price)
        for result in that_count(store.results()):
            tell("looking for the rows in the restored backup", str(result.name))
            found.at(session, result)
    return found


class Looked:
    """What was found in the restored backup, table by table."""

    def __init__(
        self,
        store: Store,
        cursor: duckdb.DuckDBPyConnection,
        copy: BackupCopy,
        tables: Mapping[TableName, Table],
        price: Price,
    ) -> None:
        """Begin; there is nothing found yet.

        Args:
            store, cursor: the case, and who asks it.
            copy: the backup, restored.
            tables: those of the copy.
            price: what undoing the schema change would take.
        """
        self._store, self._cursor, self._copy = store, cursor, copy
        self._tables, self._price = tables, price
        self._accident = Accident(store)
        self._problems = list(copy.short)
        self._restored = self._found = self._gone = 0

    def proof(self, said: tuple[int, int]) -> Proof:
        """What came of looking at all tables.

        Args:
            said: what the option says that it recovers and destroys.
        """
        recovers, destroys = said
        problems = [
            *self._problems,
            *off(recovers, self._found, "recovers"),
            *off(destroys, self._gone, "destroys"),
        ]
        checks = (
            f"{self._restored:,} rows of the backup were restored, "
            f"and {self._found:,} of {recovers:,} missing rows stood among them.",
            f"Of {destroys:,} rows written to live since the backup, {self._gone:,} did not.",
        )
        return Proof(
            self._found,
            self._gone,
            round(self._copy.seconds, 3),
            checks,
            tuple(dict.fromkeys(problems)),
            self._copy.notes,
        )

    def at(self, session: Session, result: TableResult) -> None:
        """Look at one table."""
        table = self._tables.get(result.name)
        if result.state == "new":
            if table is None:
                self._gone += (result.added or 0) - self._price.own.get(result.name, 0)
        elif result.state != "failed" and table is not None:
            rows = one(session, f"SELECT count(*) FROM {rows_of(table)}")
            self._count(result, rows)
            self._found += self._there(session, result, table, rows)
            self._gone += self._written_gone(session, result, table, rows)
            if self._lacks_columns(result, table):
                self._gone += self._price.unseen.get(result.name, 0)

    def _count(self, result: TableResult, rows: int) -> None:
        self._restored += rows
        if rows != result.backup_rows:
            self._problems.append(
                f"Table {result.name} holds {rows:,} rows once restored; "
                f"the backup held {result.backup_rows:,} when compared."
            )

    def _there(self, session: Session, result: TableResult, table: Table, rows: int) -> int:
        """How many of a table's missing rows it holds."""
        if not result.missing or not table.columns:
            return min(result.missing or 0, rows)
        # Of the table's own types, so that a value means the same however the backup spells
        # it.
        columns = self._store.columns(result.name, "backup")
        like = f"SELECT {listed(columns)} FROM {table.name.sql}"
        lines = self._lines(result.name, "backup", "missing")
        self._stage(session, result.name, f"AS {like} WITH NO DATA", columns, lines)
        question = filled("rehearse", "stand_among", hash=row_hash(columns), rows=rows_of(table))
        return one(session, question)

    def _written_gone(
        self,
        session: Session,
        result: TableResult,
        table: Table,
        rows: int,
    ) -> int:
        """How many of the rows that live wrote to a table it does not hold."""
        own = self._accident.condition(result)
        written = (result.added or 0) + (result.changed or 0) - self._accident.rows(result)
        if not written or not result.key:
            # Of equal rows without a key live had so many more than the backup, and as many
            # as that the table holds.
            return written if rows == result.backup_rows else 0
        stored = self._store.columns(result.name, "live")
        # As text: live's types may be others, and may not even be there. Its values were read
        # under these settings.
        texts = ", ".join(f"{listed([column])} text" for column in stored)
        lines = self._lines(result.name, "live", "added", "changed", without=own)
        self._stage(session, result.name, f"({texts})", stored, lines)
        common = [column for column in stored if table.column(column) is not None]
        question = filled("rehearse", "still_there", hash=row_hash(common), rows=rows_of(table))
        return written - one(session, question)

    def _stage(
        self,
        session: Session,
        name: TableName,
        definition: str,
        columns: tuple[str, ...],
        lines: Iterator[str],
    ) -> None:
        """Load rows that the case keeps into the temporary table `kept`."""
        run(session, "DROP TABLE IF EXISTS pg_temp.kept")
        run(session, f"CREATE TEMP TABLE kept {definition}")
        try:
            copy_rows(session, "pg_temp.kept", columns, lines)
        except psycopg.Error as error:
            self._problems.append(
                f"Rows of {name} that the case keeps do not fit the restored table: "
                f"{words_of(error)}."
            )

    def _lines(
        self, name: TableName, side: str, *states: str, without: str | None = None
    ) -> Iterator[str]:
        """The rows that the case keeps of one side's table, as COPY text, but for some."""
        width = len(self._store.columns(name, side))
        fields = ", ".join(f"f{i}" for i in range(width))
        wanted = ", ".join(map(repr, states))
        others = f"AND NOT ({without})" if without else ""
        query = (
            f"SELECT {fields} FROM rows.{side}_{self._store.number(name)} "
            f"WHERE state IN ({wanted}) {others} ORDER BY pair"
        )
        return spliced(self._store.folder, texts(self._cursor, query))

    def _lacks_columns(self, result: TableResult, table: Table) -> bool:
        """Whether the table has none of the columns that only live has."""
        for change in self._store.changes():
            if change.name != result.name or change.change != "added":
                continue
            if table.column(change.column) is not None:
                return False
        return True
