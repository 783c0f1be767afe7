"""Which rows lose a value when a schema change is undone.

A row is what it was if it would be the same were the columns that went made again.
"""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from forensics.model import Catalog, Column, TableName, quote_identifier
from forensics.recovery.choose.price import is_constant
from forensics.recovery.choose.reversal import Reversal
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.session import Session, one, run
from forensics.recovery.relations import rows_of
from forensics.recovery.write.sqltext import hash_of, literal

# By table, its columns and their types.
Shape = dict[TableName, dict[str, str]]


class Images:
    """How often each row of the tables that lose something is there, before and after."""

    def __init__(self, session: Session, live: Catalog, change: Reversal) -> None:
        """Keep what the tables hold.

        Args:
            session: of a copy of live.
            live: live's catalogue.
            change: what undoing it is about.
        """
        self._session, self._live, self._change = session, live, change
        self._names = change.hurt
        self._defaults = {name: self._constant_defaults(name) for name in self._names}
        for n, name in enumerate(self._names):
            # NULL under a default holds as little as the default does.
            alike = {}
            for column, default in self._defaults[name].items():
                field = f"t.{quote_identifier(column)}"
                text = f"format('%s', {field})"
                alike[column] = f"CASE WHEN {field} IS NULL THEN {default} ELSE {text} END"
            self._keep(f"before_{n}", name, alike)

    def lost(self, now: Shape) -> int:
        """How many rows are not what they were.

        Args:
            now: the tables as they are by now, in the transaction that undoes the change.
        """
        rows = 0
        for n, name in enumerate(self._names):
            self._keep_again(f"after_{n}", name, now.get(name, {}))
            rows += one(self._session, filled("rehearse", "missing_from_image", n=str(n)))
        return rows

    def _constant_defaults(self, name: TableName) -> dict[str, str]:
        """Of the columns that go, the constant defaults as SQL text.

        That is what their rows hold in them once they are made again.
        """
        found = {}
        for column in self._change.filled.get(name, ()):
            if column.default is not None and is_constant(column.default):
                found[column.name] = self._default(column)
        return found

    def _default(self, column: Column) -> str:
        typed = f"({column.default})::{column.type}"
        found = run(self._session, f"SELECT format('%s', {typed})").fetchone()
        return literal(found[0] if found else None)

    def _keep_again(self, table: str, name: TableName, there: Mapping[str, str]) -> None:
        """Keep the rows of a table as they would be with live's columns."""
        session = self._session
        others = {}
        casts = {}
        for column in self._live.tables[name].columns:
            field = f"t.{quote_identifier(column.name)}"
            if column.name not in there:
                # What a default works out for each row is not known.
                gone = self._defaults[name].get(column.name, "NULL")
                others[column.name] = casts[column.name] = gone
            elif there[column.name] != column.type:
                others[column.name] = f"{field}::{column.type}"
                casts[column.name] = f"{field}::text"
        session.execute("SAVEPOINT image")
        try:
            self._keep(table, name, others)
        except psycopg.Error:
            # No cast leads from the one type to the other: their text has to do.
            session.execute("ROLLBACK TO SAVEPOINT image")
            self._keep(table, name, casts)

    def _keep(self, table: str, name: TableName, others: Mapping[str, str]) -> None:
        """Keep how often each row of a table is there, in live's columns.

        Args:
            table: the temporary table to keep it in.
            name: the table.
            others: what stands in some columns, as SQL.
        """
        fields = []
        for column in self._live.tables[name].columns:
            if not column.generated:
                field = f"t.{quote_identifier(column.name)}"
                fields.append(others.get(column.name, field))
        statement = filled(
            "rehearse",
            "image",
            table=table,
            hash=hash_of(f"ROW({', '.join(fields)})::text", None),
            source=rows_of(self._live.tables[name]),
        )
        run(self._session, statement)
