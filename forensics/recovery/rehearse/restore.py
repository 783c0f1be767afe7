"""The full restore, rehearsed: is every missing row there, and is everything gone that live has written since?

The backup stands restored in a scratch database. Each row that the case keeps is then looked for in it, by the hash of
its text: the missing ones must be there, the added and changed ones of live must not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from forensics.evidence.live.source import LiveSource
from forensics.model import Table, TableName, TableResult
from forensics.recovery.choose.selection import Selection
from forensics.recovery.rehearse.copies import (
    BackupCopy,
    one,
    pinned_session,
    row_hash,
    rows_of,
    words_of,
)
from forensics.recovery.rehearse.proof import Proof, Tell, off, silent
from forensics.recovery.write.sqltext import listed


def prove_restore(
    selection: Selection,
    copy: BackupCopy,
    said: tuple[int, int],
    unseen: Mapping[TableName, int],
    tell: Tell = silent,
) -> Proof:
    """Hold a restored backup against the case.

    Args:
        selection: of the case; what is selected does not matter.
        copy: the backup, restored.
        said: what the option says that it recovers and destroys.
        unseen: by table, live's rows that differ from the backup's in a column only that the backup has not.
    """
    with LiveSource(copy.scratch.dsn(copy.database), role="restored") as source:
        tables = source.catalog.tables
    with pinned_session(copy.scratch, copy.database) as connection:
        return _Look(selection, connection, tables, tell).run(copy, said, unseen)


class _Look:
    def __init__(
        self,
        selection: Selection,
        connection: psycopg.Connection[Any],
        tables: Mapping[TableName, Table],
        tell: Tell,
    ) -> None:
        self._selection, self._connection, self._tables, self._tell = (
            selection,
            connection,
            tables,
            tell,
        )
        self._problems: list[str] = []

    def run(
        self, copy: BackupCopy, said: tuple[int, int], unseen: Mapping[TableName, int]
    ) -> Proof:
        self._problems += copy.short
        restored = found = gone = values = 0
        for result in self._selection.store.results():
            table = self._tables.get(result.name)
            self._tell("looking for the rows in the restored backup", str(result.name))
            if result.state == "new":
                gone += (result.added or 0) if table is None else 0
            elif result.state != "failed" and table is not None:
                restored += self._count(result, table)
                found += self._there(result, table)
                gone += self._gone(result, table)
                values += unseen.get(result.name, 0) if self._lacks_columns(result, table) else 0
        self._problems += [
            *off(said[0], found, "recovers"),
            *off(said[1], gone + values, "destroys"),
        ]
        checks = [
            f"{restored:,} rows of the backup were restored, and {found:,} of {said[0]:,} missing rows stood among them.",
            f"Of {said[1]:,} rows written to live since the backup, {gone + values:,} did not.",
        ]
        return Proof(
            found,
            gone + values,
            round(copy.seconds, 3),
            tuple(checks),
            tuple(dict.fromkeys(self._problems)),
            copy.notes,
        )

    def _count(self, result: TableResult, table: Table) -> int:
        rows = one(self._connection, f"SELECT count(*) FROM {rows_of(table)}")
        if rows != result.backup_rows:
            self._problems.append(
                f"Table {result.name} holds {rows:,} rows once restored; the backup held {result.backup_rows:,} when compared."
            )
        return rows

    def _there(self, result: TableResult, table: Table) -> int:
        """How many of a table's missing rows it holds."""
        if not result.missing or not table.columns:
            return min(
                result.missing or 0, one(self._connection, f"SELECT count(*) FROM {rows_of(table)}")
            )
        # Of the table's own types, so that a value means the same however the backup spells it.
        columns = self._selection.store.columns(result.name, "backup")
        self._stage(
            result,
            "backup",
            "missing",
            f"AS SELECT {listed(columns)} FROM {table.name.sql} WITH NO DATA",
        )
        return one(
            self._connection,
            f"SELECT sum(least(e.n, t.n)) FROM (SELECT {row_hash(columns)} AS h, count(*) AS n FROM pg_temp.kept t GROUP BY 1) e "
            f"JOIN (SELECT {row_hash(columns)} AS h, count(*) AS n FROM {rows_of(table)} t GROUP BY 1) t ON t.h = e.h",
        )

    def _gone(self, result: TableResult, table: Table) -> int:
        """How many of the rows that live wrote to a table it does not hold."""
        written = (result.added or 0) + (result.changed or 0)
        if not written or not result.key:
            # Of equal rows without a key live had so many more than the backup, and as many as that the table holds.
            return (
                written
                if one(self._connection, f"SELECT count(*) FROM {rows_of(table)}")
                == result.backup_rows
                else 0
            )
        stored = self._selection.store.columns(result.name, "live")
        common = [c for c in stored if table.column(c) is not None]
        # As text: live's types may be others, and may not even be there. Its values were read under these settings.
        texts = ", ".join(f"{listed([c])} text" for c in stored)
        self._stage(result, "live", "added', 'changed", f"({texts})")
        still = one(
            self._connection,
            f"SELECT count(*) FROM (SELECT {row_hash(common)} AS h FROM pg_temp.kept t) e "
            f"WHERE e.h IN (SELECT {row_hash(common)} FROM {rows_of(table)} t)",
        )
        return written - still

    def _stage(self, result: TableResult, side: str, states: str, definition: str) -> None:
        """Load rows that the case keeps into the temporary table `kept`."""
        columns = self._selection.store.columns(result.name, side)
        self._connection.execute("DROP TABLE IF EXISTS pg_temp.kept")  # type: ignore[call-overload]
        self._connection.execute(f"CREATE TEMP TABLE kept {definition}")  # type: ignore[call-overload]
        try:
            with self._connection.cursor().copy(
                f"COPY pg_temp.kept ({listed(columns)}) FROM STDIN"
            ) as copy:  # type: ignore[call-overload]
                for lines in self._lines(result.name, side, states, len(columns)):
                    copy.write(lines)
        except psycopg.Error as error:
            self._problems.append(
                f"Rows of {result.name} that the case keeps do not fit the restored table: {words_of(error)}."
            )

    def _lines(self, name: TableName, side: str, states: str, width: int) -> Iterator[str]:
        fields = ", ".join(f"copy_field(f{i})" for i in range(width))
        number = self._selection.store.number(name)
        yield from self._selection.copy(
            f"SELECT concat_ws(chr(9), {fields}) FROM rows.{side}_{number} WHERE state IN ('{states}') ORDER BY pair"
        )

    def _lacks_columns(self, result: TableResult, table: Table) -> bool:
        """Whether the table has none of the columns that only live has."""
        added = [
            c.column
            for c in self._selection.store.changes()
            if c.name == result.name and c.change == "added"
        ]
        return not any(table.column(c) for c in added)
