"""The proof of rows that are laid beside the tables: scripts, run on a copy of live's schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from forensics.errors import RecoveryError, ScratchError
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.recovery.beside.layout import LOST, Laid
from forensics.recovery.choose.selection import Selection
from forensics.recovery.proof import Rehearsal, Tell
from forensics.recovery.rehearse.copies import LiveCopy, a_database
from forensics.recovery.rehearse.database import Rehearsed, State
from forensics.recovery.rehearse.offer import offer
from forensics.recovery.rehearse.servers import a_server, has_xml
from forensics.recovery.rehearse.session import one, pinned_session, row_hash, run, said
from forensics.recovery.wishes import Wishes
from forensics.recovery.write.sqltext import listed


def rehearse_laying(
    selection: Selection, source: LiveSource, wishes: Wishes, out: Path, tables: Sequence[Laid]
) -> tuple[Rehearsal | None, str | None]:
    """Run the scripts of a folder on a copy of live's schema.

    Returns:
        What came of it, and why there was none.
    """
    live = selection.store.catalogs()[1]
    xml = has_xml(live.tables.values())
    version = source.provenance.server_version
    size = selection.store.evidence()[0].restored_bytes
    try:
        wishes.tell("starting a scratch PostgreSQL")
        with (
            a_server(
                wishes.scratch,
                version,
                needs_xml=xml,
                likes_xml=xml,
                size=size,
                ahead=wishes.ahead,
            ) as server,
            a_database(server) as database,
        ):
            copy = LiveCopy(server, database, source)
            copy.make([], [], (), wishes.tell)
            with pinned_session(server, database) as session:
                rehearsed = Rehearsed(server, database, session, out, wishes.tell)
                found = _Laying(rehearsed, selection, tables, wishes.tell).run()
            return found, None
    except (ScratchError, RecoveryError, psycopg.Error) as error:
        return None, said(error)


@dataclass
class _Laying:
    """One run of the scripts."""

    database: Rehearsed
    selection: Selection
    tables: Sequence[Laid]
    tell: Tell
    problems: list[str] = field(default_factory=list)

    def run(self) -> Rehearsal:
        """Lay the rows, look at them, try it once more, and take them away."""
        before = self.database.state()
        lost = sum(laid.rows for laid in self.tables)
        found = 0
        unchanged = idempotent = undone = False
        undo_seconds = None
        seconds = self.database.script("recovery.sql", self.problems)
        if seconds is not None:
            after = self.database.state()
            for laid in self.tables:
                found += self._found(laid)
            unchanged = self._nothing_else(before, after)
            idempotent = self._refuses(after)
            undo_seconds = self.database.script("undo.sql", self.problems)
            undone = undo_seconds is not None and self._is_undone(before)
        return Rehearsal(
            lost_before=lost,
            lost_after=lost - found,
            blocked=0,
            idempotent=idempotent,
            undo_restores=undone,
            constraints_valid=seconds is not None,
            unchanged=unchanged,
            seconds=round(seconds or 0.0, 3),
            undo_seconds=round(undo_seconds or 0.0, 3),
            problems=tuple(self.problems),
        )

    def _found(self, laid: Laid) -> int:
        """How many of a table's lost rows stand in the schema; says where others do."""
        session, columns = self.database.session, laid.target.columns
        held = one(session, f"SELECT count(*) FROM {laid.name.sql}")
        if not columns:
            return laid.rows  # there is nothing in them
        shape = f"SELECT {listed(columns)} FROM {laid.name.sql}"
        run(session, f"CREATE TEMP TABLE expected AS {shape} WITH NO DATA")
        query = self.selection.lines_query(laid.target, LOST)
        with session.transaction():
            offer(session, "pg_temp.expected", columns, self.selection, query)
        text = row_hash(columns)
        found = one(
            session,
            f"SELECT count(*) FROM (SELECT {text} FROM {laid.name.sql} t "
            f"INTERSECT ALL SELECT {text} FROM pg_temp.expected t) s",
        )
        run(session, "DROP TABLE pg_temp.expected")
        if found != laid.rows or held != laid.rows:
            self.problems.append(
                f"{laid.name} holds {held:,} rows, {found:,} of them lost rows of "
                f"{laid.target.name}, and {laid.rows:,} were to be."
            )
        return found

    def _nothing_else(self, before: State, after: State) -> bool:
        """Whether no other table holds other rows than it did."""
        ours: set[TableName] = {laid.name for laid in self.tables}
        others = {name: rows for name, rows in after.prints.items() if name not in ours}
        if others == before.prints:
            return True
        self.problems.append("Tables of the application hold other rows than they did.")
        return False

    def _refuses(self, after: State) -> bool:
        """Whether a second run stops, and changes nothing."""
        said: list[str] = []
        again = self.database.script("recovery.sql", said)
        stopped = again is None and "relations of these names already" in " ".join(said)
        if (stopped or not self.tables) and self.database.is_as(after):
            return True
        self.problems.append("A second run of recovery.sql was not refused as it should be.")
        return False

    def _is_undone(self, before: State) -> bool:
        if self.database.is_as(before):
            return True
        self.problems.append("After undo.sql the schema is not as it was before.")
        return False
