"""Where the options are rehearsed: one scratch PostgreSQL, a copy of live, and the backup restored beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from forensics.cause.history import History
from forensics.cause.replay import ROLE
from forensics.errors import BackupError, RecoveryError, ScratchError
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.preflight.surroundings import table_bytes
from forensics.recovery.choose.options import Option
from forensics.recovery.choose.selection import Selection
from forensics.recovery.rehearse.copies import (
    LiveCopy,
    a_database,
    a_server,
    backup_bytes,
    backup_copy,
    expect_room,
    has_xml,
    words_of,
)
from forensics.recovery.rehearse.foresight import foresee, orphans, unmakeable
from forensics.recovery.rehearse.proof import (
    BACKFILL,
    FULL_RESTORE,
    REINSERT,
    ROLL_BACK,
    Proof,
    Tell,
    failed,
    silent,
)
from forensics.recovery.rehearse.rehearsal import Rehearsal, rehearse, touched
from forensics.recovery.rehearse.restore import prove_restore
from forensics.recovery.rehearse.rollback import Again, Undoing, rehearse_rollback
from forensics.recovery.rehearse.trial import named_tables
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.columns import open_backup
from forensics.recovery.write.definitions import definitions
from forensics.recovery.write.script import Work
from forensics.scratch import Scratch
from forensics.store import Store

SKIPPABLE = (FULL_RESTORE, ROLL_BACK, BACKFILL)


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a plan besides the options.

    Attributes:
        live: how to reach live; None leaves it alone. It is only read.
        rehearse: rehearse the scripts on a scratch PostgreSQL; needs `live`.
        migrations: the folder of the migrations, for the safer one; None makes none.
        backup: where the backup lies now, if it was moved; needed for the values of dropped columns, to rehearse the full
            restore, and to try the safer migration.
        ran: shell patterns of migrations that ran since the backup, where no history says so.
        scratch: a server to rehearse on, running; None starts one.
        skip: options that are not rehearsed, of `SKIPPABLE`.
        tell: is told how far the rehearsals are.
    """

    live: str | None = None
    rehearse: bool = False
    migrations: Path | None = None
    backup: str | Path | None = None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None
    skip: tuple[str, ...] = ()
    tell: Tell = silent


class Stage:
    """Where the options are rehearsed, and what came of it.

    Attributes:
        rehearsal: what came of `recovery.sql` and `undo.sql`.
        proofs: what came of each option that was rehearsed.
        unrehearsed: why others were not.
        problem: why nothing could be rehearsed on a copy of live.
        unmade: partitions that live would not have back, and why.
    """

    def __init__(
        self,
        store: Store,
        source: LiveSource,
        wishes: Wishes,
        undo: Undoing,
        history: History | None,
    ) -> None:
        self._store, self._source, self._wishes, self._undo, self._history = (
            store,
            source,
            wishes,
            undo,
            history,
        )
        self._server: Scratch | None = None
        self._copy: LiveCopy | None = None
        self.rehearsal: Rehearsal | None = None
        self.proofs: dict[str, Proof] = {}
        self.unrehearsed: dict[str, str] = {
            s: "it was left out on request." for s in SKIPPABLE if s in wishes.skip
        }
        self.problem: str | None = None
        self.unmade: dict[TableName, str] = {}

    def prepare(self, stack: ExitStack, work: Work) -> Work:
        """Copy live, and return the work without the partitions and the rows that live would refuse."""
        ours, theirs = work.catalogs
        needed = touched(work)
        tables = self._tables(needed)
        own = [ours.tables[t.name] for t in work.selection.recreated] + [
            theirs.tables[n] for n in needed
        ]
        try:
            self._wishes.tell("starting a scratch PostgreSQL")
            self._server = stack.enter_context(
                a_server(
                    self._wishes.scratch,
                    self._source.provenance.server_version,
                    needs_xml=has_xml(own),
                    likes_xml=has_xml([*ours.tables.values(), *theirs.tables.values()]),
                )
            )
            tables = self._with_room(self._server, tables, set(needed))
            copy = LiveCopy(
                self._server, stack.enter_context(a_database(self._server)), self._source
            )
            copy.make(
                tables,
                needed,
                {
                    r
                    for d in (*work.definitions.statements, *work.types.statements)
                    for r in d.roles
                },
                self._wishes.tell,
            )
            if copy.lacking:
                self.unrehearsed.setdefault(ROLL_BACK, " ".join(copy.lacking))
            self._copy = copy
            work = self._makeable(work, copy)
            selection = work.selection.orphaned(orphans(work.selection, copy, self._source.catalog))
            return replace(
                work,
                selection=selection.refused(
                    foresee(selection, work.definitions, copy, self._wishes.tell)
                ),
            )
        except (ScratchError, RecoveryError, psycopg.Error) as error:
            self._copy, self.problem = None, _said(error)
            return work

    def _makeable(self, work: Work, copy: LiveCopy) -> Work:
        """The work without the partitions that cannot be attached to live's tables as they are now."""
        if not work.partitions or unmakeable(work.definitions, copy) is None:
            return work
        ddl = self._store.get("ddl") or ()
        self.unmade = {
            p.name: why
            for p in work.partitions
            if (why := unmakeable(definitions(ddl, *work.catalogs, [p.name]), copy))
        }
        kept = tuple(p for p in work.partitions if p.name not in self.unmade)
        names = [*(t.name for t in work.selection.recreated), *(p.name for p in kept)]
        return replace(work, partitions=kept, definitions=definitions(ddl, *work.catalogs, names))

    def _tables(self, needed: Collection[TableName]) -> set[TableName]:
        """The tables of live whose rows are copied: those that the scripts touch, and those that a roll back does."""
        if ROLL_BACK in self.unrehearsed:
            return set(needed)
        found = {*needed, *self._undo.rows}
        if self._history:
            catalog = self._store.catalogs()[1]
            texts = [m.applied.decode("utf-8-sig") for m in self._history.between]
            found |= {
                n for n in named_tables(texts, self._history.schema, catalog) if n in catalog.tables
            }
        tables = self._source.catalog.tables
        return {
            n
            for n in found
            if n in tables
            and tables[n].kind in ("table", "partitioned")
            and tables[n].parent is None
        }

    def _with_room(
        self, server: Scratch, tables: set[TableName], needed: set[TableName]
    ) -> set[TableName]:
        """The tables that have room on the scratch server: all that are wished for, or those without which nothing can be rehearsed."""
        sizes = table_bytes(self._source)
        try:
            expect_room(server, 2 * sum(sizes.get(n, 0) for n in tables), "A copy of live's rows")
            return tables
        except RecoveryError as error:
            if tables == needed:
                raise
            expect_room(server, 2 * sum(sizes.get(n, 0) for n in needed), "A copy of live's rows")
            self.unrehearsed[ROLL_BACK] = str(error)
            return needed

    def rehearse(
        self, work: Work, found: Sequence[Place], out: Path, choices: dict[str, Option]
    ) -> None:
        """Rehearse what works on live: the scripts on one copy of the copy, the roll back on the copy itself."""
        copy, server, tell = self._copy, self._server, self._wishes.tell
        if copy is None or server is None:
            return
        chosen = () if BACKFILL in self.unrehearsed else found
        try:
            with self._working_copy(copy) as database:
                outcome = rehearse(work, chosen, copy, database, out, tell)
            self.rehearsal = outcome.rehearsal
            self.proofs[REINSERT] = outcome.rehearsal.proof
            if outcome.backfill:
                self.proofs[BACKFILL] = outcome.backfill
            elif chosen:
                self.unrehearsed[BACKFILL] = "undo.sql did not bring the copy back as it was."
        except (ScratchError, RecoveryError, psycopg.Error) as error:
            self.problem = _said(error)
        if ROLL_BACK not in self.unrehearsed:
            again = Again(self._history.between, self._history.schema) if self._history else None
            said = choices[ROLL_BACK].destroys
            try:
                self.proofs[ROLL_BACK] = rehearse_rollback(
                    server, copy.database, self._store.catalogs(), self._undo, said, again, tell
                )
            except (ScratchError, psycopg.Error) as error:
                self.proofs[ROLL_BACK] = failed(_said(error))

    @contextmanager
    def _working_copy(self, copy: LiveCopy) -> Iterator[str]:
        """The database to run the scripts in: the copy of live, or another one where that is still needed."""
        if ROLL_BACK in self.unrehearsed:
            yield copy.database
            return
        with a_database(copy.scratch, copy.database, ROLE) as database:
            yield database

    def restore(
        self, selection: Selection, option: Option, unseen: Mapping[TableName, int]
    ) -> None:
        """Rehearse the full restore, where the backup is at hand and has room."""
        if FULL_RESTORE in self.unrehearsed or self._server is None:
            return
        with ExitStack() as stack:
            try:
                backup = stack.enter_context(open_backup(self._store, self._wishes.backup))
                if not backup.catalog.tables:
                    raise RecoveryError(
                        "the backup defines no tables, and cannot be restored by itself."
                    )
                rows = {r.name: (r.backup_rows, r.live_rows) for r in self._store.results()}
                size = backup_bytes(backup, rows, table_bytes(self._source))
                expect_room(self._server, size, "The restored backup")
            except (RecoveryError, BackupError) as error:
                self.unrehearsed[FULL_RESTORE] = str(error)
                return
            try:
                copied = stack.enter_context(
                    backup_copy(
                        self._server, backup, self._store.get("ddl") or (), None, self._wishes.tell
                    )
                )
                self.proofs[FULL_RESTORE] = prove_restore(
                    selection, copied, (option.recovers, option.destroys), unseen, self._wishes.tell
                )
            except (ScratchError, BackupError, psycopg.Error) as error:
                self.proofs[FULL_RESTORE] = failed(_said(error))


def _said(error: Exception) -> str:
    """What a rehearsal failed of, in words; a scratch server may fail in ways that nobody foresaw."""
    return (
        f"The scratch PostgreSQL failed: {words_of(error)}."
        if isinstance(error, psycopg.Error)
        else str(error)
    )
