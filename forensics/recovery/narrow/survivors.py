"""Rows of the backup that live on, of the tables that a closure leads through.

The case holds rows that differ, and no others. That a lost task belongs to a project, which lives
on, the task says itself; whose project it is, only the project does. Live is asked where it is open
already, else the backup is read again; what the case holds of a table counts before either.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import duckdb

from forensics.errors import BackupError, LiveError, RecoveryError, UsageError
from forensics.evidence import Source, open_source
from forensics.evidence.live.source import LiveSource
from forensics.loss.sql import alike
from forensics.model import TableName
from forensics.query.kinds import TEXT
from forensics.query.side import Side
from forensics.query.stream import Stream, unheard
from forensics.recovery.proof import Tell, silent
from forensics.recovery.write.columns import open_backup
from forensics.store import Store, has_table

THE = {"backup": "the backup", "live": "live"}


class Survivors:
    """Fetches rows that live on.

    Args:
        store: the case.
        stack: what closes sides that are opened here.
        live: live, where it is open.
        backup: where the backup lies now, if it was moved.
        tell: is told what is read.

    Attributes:
        read: the tables that were read, each with the side that they were read of.
    """

    def __init__(
        self,
        store: Store,
        stack: ExitStack,
        live: LiveSource | None = None,
        backup: str | Path | None = None,
        tell: Tell = silent,
    ) -> None:
        self._store, self._stack, self._tell = store, stack, tell
        self._live, self._backup_at = live, backup
        self._sides: dict[str, Side | None] = {}
        self.read: dict[TableName, str] = {}

    def fetch(
        self, cursor: duckdb.DuckDBPyConnection, name: TableName, columns: Sequence[str], into: str
    ) -> None:
        """Make a table of the rows that live on, with the text of some columns as c0, c1, ….

        Args:
            cursor: on the case.
            name: the table; the columns are the backup's.
            into: what the table is called.

        Raises:
            UsageError: neither live nor the backup is at hand.
            EvidenceError: the side cannot be read.
        """
        key = self._key(name)
        wanted = list(dict.fromkeys((*columns, *key)))
        side, stream = self._stream(name, wanted, bool(key))
        self._tell(f"reading from {THE[side.role]} which rows belong together", str(name))
        self.read[name] = side.role
        places = {held.name: number for number, held in enumerate(stream.columns)}
        cursor.register("lives_on", stream.capsule())
        listing = [f"s.{stream.code(places[c])} AS c{i}" for i, c in enumerate(columns)]
        keys = [f"s.{stream.code(places[c])}" for c in key]
        query = f"SELECT {', '.join(listing)} FROM lives_on s{self._others(name, side, keys)}"
        try:
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS {query}")
        except duckdb.Error:
            if stream.error is not None:
                raise stream.error from None
            raise
        finally:
            cursor.unregister("lives_on")
        if stream.damage:
            raise UsageError(
                f"{stream.damage} So it is not known which rows belong to what was named.",
                "Give live with --live: it is asked for them.",
            )

    # --- sides --------------------------------------------------------------------------------

    def _stream(self, name: TableName, wanted: Sequence[str], keyed: bool) -> tuple[Side, Stream]:
        """The first side that has the columns, and its rows as text."""
        ways: list[tuple[str, Callable[[], Source | None]]] = []
        if self._live is not None and keyed:
            ways.append(("live", lambda: self._live))
        ways += [("backup", self._open_backup), ("live", self._open_live)]
        for role, opened in ways:
            side = self._side(role, opened)
            if side is None or name not in side.source.catalog.tables:
                continue
            stream = side.stream(name, "s", unheard)
            for number, held in enumerate(stream.columns):
                held.kind = TEXT
                if held.name in wanted:
                    stream.wanted.add(number)
            if len(stream.wanted) == len(wanted):
                return side, stream
        raise UsageError(
            f"Which rows belong to what was named only rows of {name} say that live on, and "
            "neither the backup nor live is at hand to read them.",
            "Name the backup with --backup, or give live with --live.",
        )

    def _side(self, role: str, opened: Callable[[], Source | None]) -> Side | None:
        if self._sides.get(role) is None:
            source = opened()
            self._sides[role] = Side(role, source) if source else None
        return self._sides[role]

    def _open_backup(self) -> Source | None:
        try:
            backup = open_backup(self._store, self._backup_at)
        except (RecoveryError, BackupError, LiveError):
            if self._backup_at is not None:
                raise
            return None  # it lies elsewhere by now, or cannot be read: live is asked
        return self._stack.enter_context(backup)

    def _open_live(self) -> Source | None:
        if self._live is not None:
            return self._live
        if not os.environ.get("LIVE_DSN"):
            return None
        return self._stack.enter_context(open_source(os.environ["LIVE_DSN"], role="live"))

    # --- what the case knows better -----------------------------------------------------------

    def _key(self, name: TableName) -> tuple[str, ...]:
        for result in self._store.results():
            if result.name == name and result.key_source != "all columns":
                return result.key
        return ()

    def _others(self, name: TableName, side: Side, keys: Sequence[str]) -> str:
        """The condition that the case does not hold a row itself."""
        number = self._store.number(name)
        kept = f"rows.{side.role}_{number}"
        held = self._store.columns(name, side.role)
        key = self._key(name)
        with self._store.query() as cursor:
            if not key or not has_table(cursor, kept) or not {*key} <= {*held}:
                return ""
        theirs = [f"k.f{held.index(column)}" for column in key]
        return f" WHERE NOT EXISTS (SELECT 1 FROM {kept} k WHERE {alike(keys, theirs)})"
