"""Where the options are rehearsed: one server, a copy of live, and the restored backup."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import psycopg

from forensics.cause.history import History
from forensics.cause.replay import ROLE
from forensics.errors import RecoveryError, ScratchError
from forensics.evidence.beside import cores
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.preflight.surroundings import table_bytes
from forensics.recovery.choose.options import Option
from forensics.recovery.choose.overwritten import Values, overwritten_values
from forensics.recovery.choose.price import Price
from forensics.recovery.choose.selection import Selection
from forensics.recovery.choose.targets import Scope
from forensics.recovery.proof import (
    BACKFILL,
    OVERWRITTEN,
    REINSERT,
    ROLL_BACK,
    Proof,
    Rehearsal,
    failed,
)
from forensics.recovery.rehearse.copies import LiveCopy, a_database
from forensics.recovery.rehearse.foresight import foresee, unmakeable
from forensics.recovery.rehearse.live_state import touched
from forensics.recovery.rehearse.orphans import orphans
from forensics.recovery.rehearse.overwritten import foresee_values
from forensics.recovery.rehearse.rehearsal import Outcome, Where, rehearse
from forensics.recovery.rehearse.rollback import Again, rehearse_rollback
from forensics.recovery.rehearse.servers import a_server, expect_room, has_room, has_xml
from forensics.recovery.rehearse.session import said
from forensics.recovery.rehearse.strands import Strands
from forensics.recovery.rehearse.trial import named_tables
from forensics.recovery.wishes import SKIPPABLE, Wishes
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.definitions import Definitions, definitions
from forensics.recovery.write.rollback import Undoing
from forensics.recovery.write.script import Work
from forensics.scratch import Scratch
from forensics.store import Store

_LEFT_OUT = "it was left out on request."
_NOT_AS_BEFORE = "undo.sql did not bring the copy back as it was."


class Stage:
    """Where the options are rehearsed, and what came of it.

    Attributes:
        server: what is rehearsed on, while it runs.
        rehearsal: what came of `recovery.sql` and `undo.sql`.
        proofs: what came of each option that was rehearsed.
        unrehearsed: why others were not.
        problem: why nothing could be rehearsed on a copy of live.
        unmade: partitions that live would not have back, and why.
        strands: what is rehearsed beside.
        beside: where others may work on the server meanwhile, the bytes that the copies of live
            take; None where everything has its turn.
    """

    def __init__(
        self,
        store: Store,
        source: LiveSource,
        wishes: Wishes,
        undo: Undoing,
        history: History | None,
        scope: Scope,
    ) -> None:
        self._store, self._source, self._wishes = store, source, wishes
        self._undo, self._history, self._scope = undo, history, scope
        self.server: Scratch | None = None
        self._copy: LiveCopy | None = None
        self.rehearsal: Rehearsal | None = None
        self.proofs: dict[str, Proof] = {}
        self.unrehearsed: dict[str, str] = {}
        for name in SKIPPABLE:
            if name in wishes.skip:
                self.unrehearsed[name] = _LEFT_OUT
        self.problem: str | None = None
        self.unmade: dict[TableName, str] = {}
        self._cores = cores()
        self.strands = Strands(max(1, self._cores - 1))
        self.beside: int | None = None

    @cached_property
    def sizes(self) -> Mapping[TableName, int]:
        """How large live's tables are."""
        return table_bytes(self._source)

    # --- before the scripts are written ---------------------------------------------------

    def start(self, stack: ExitStack, work: Work) -> None:
        """Start the server.

        Args:
            stack: what stops it in the end.
            work: what the scripts will be written from.
        """
        stack.callback(self.strands.close)
        self._wishes.tell("starting a scratch PostgreSQL")
        try:
            self.server = self._start(stack, work)
        except (ScratchError, RecoveryError, psycopg.Error) as error:
            self.problem = said(error)
            return
        size = _times(3, self.sizes, self._tables(touched(work)))
        # One that was lent goes on where we are stopped, and threads would with it.
        own = self._wishes.scratch is None
        if own and self._cores > 1 and has_room(self.server, size):
            self.beside = size

    def prepare(self, stack: ExitStack, work: Work) -> Work:
        """Copy live.

        Args:
            stack: what removes the copy in the end.
            work: what the scripts will be written from.

        Returns:
            The work without the partitions and the rows that live would refuse.
        """
        if self.server is None:
            return work
        try:
            copy = self._copy_live(self.server, stack, work)
            if copy.lacking:
                self.unrehearsed.setdefault(ROLL_BACK, " ".join(copy.lacking))
            self._copy = copy
            work = self._makeable(work, copy)
            catalog = self._source.catalog
            selection = work.selection.orphaned(orphans(work.selection, copy, catalog))
            refused = foresee(selection, work.definitions, copy, self._wishes.tell)
            selection = selection.refused(refused)
            found = self._values(selection, work, copy)
            return replace(work, selection=selection, overwritten=found)
        except (ScratchError, RecoveryError, psycopg.Error) as error:
            self._copy, self.problem = None, said(error)
            return work

    def _values(self, selection: Selection, work: Work, copy: LiveCopy) -> tuple[Values, ...]:
        """The overwritten values, now that it is known which rows return."""
        if not work.overwritten:
            return ()
        triggers = {values.name: values.triggers for values in work.overwritten}
        again = []
        for values in overwritten_values(selection, self._scope):
            again.append(replace(values, triggers=triggers.get(values.name, ())))
        return foresee_values(again, copy, self._wishes.tell)

    def _start(self, stack: ExitStack, work: Work) -> Scratch:
        ours, theirs = work.catalogs
        own = [ours.tables[name] for name in work.selection.dropped]
        own += [theirs.tables[name] for name in touched(work)]
        server = a_server(
            self._wishes.scratch,
            self._source.provenance.server_version,
            needs_xml=has_xml(own),
            likes_xml=has_xml([*ours.tables.values(), *theirs.tables.values()]),
            size=_size(self._store, self.sizes),
            ahead=self._wishes.ahead,
        )
        return stack.enter_context(server)

    def _copy_live(self, server: Scratch, stack: ExitStack, work: Work) -> LiveCopy:
        """Live's schema, with the rows that are needed and those that there is room for."""
        needed = touched(work)
        tables = self._with_room(server, self._tables(needed), set(needed))
        roles: set[str] = set()
        for definition in (*work.definitions.statements, *work.types.statements):
            roles.update(definition.roles)
        database = stack.enter_context(a_database(server))
        copy = LiveCopy(server, database, self._source)
        copy.make(tables, needed, roles, self._wishes.tell)
        return copy

    def _makeable(self, work: Work, copy: LiveCopy) -> Work:
        """The work without the partitions that do not fit live's tables as they are now."""
        if not work.partitions or unmakeable(work.definitions, copy) is None:
            return work
        kept = []
        for partition in work.partitions:
            why = unmakeable(self._defined(work, [partition.name]), copy)
            if why:
                self.unmade[partition.name] = why
            else:
                kept.append(partition)
        names = work.selection.dropped
        names += [partition.name for partition in kept]
        return replace(work, partitions=tuple(kept), definitions=self._defined(work, names))

    def _defined(self, work: Work, names: Sequence[TableName]) -> Definitions:
        return definitions(self._store.get("ddl") or (), *work.catalogs, names)

    def _tables(self, needed: Collection[TableName]) -> set[TableName]:
        """The tables of live whose rows are copied.

        They are those that the scripts touch, and those that a roll back does.
        """
        if ROLL_BACK in self.unrehearsed:
            return set(needed)
        wanted = {*needed, *self._undo.rows}
        if self._history:
            catalog = self._store.catalogs()[1]
            texts = [m.applied.decode("utf-8-sig") for m in self._history.between]
            named = named_tables(texts, self._history.schema, catalog)
            wanted |= named & catalog.tables.keys()
        found = set()
        for name in wanted & self._source.catalog.tables.keys():
            table = self._source.catalog.tables[name]
            if table.kind in ("table", "partitioned") and table.parent is None:
                found.add(name)
        return found

    def _with_room(
        self,
        server: Scratch,
        tables: set[TableName],
        needed: set[TableName],
    ) -> set[TableName]:
        """The tables that have room on the scratch server.

        They are all that are wished for, or those without which nothing can be rehearsed.
        """
        sizes = self.sizes
        what = "A copy of live's rows"
        try:
            expect_room(server, _times(2, sizes, tables), what)
            return tables
        except RecoveryError as error:
            if tables == needed:
                raise
            expect_room(server, _times(2, sizes, needed), what)
            self.unrehearsed[ROLL_BACK] = str(error)
            return needed

    # --- once they are written ------------------------------------------------------------

    def rehearse(
        self,
        work: Work,
        found: Sequence[Place],
        out: Path,
        choices: Mapping[str, Option],
        price: Price,
    ) -> None:
        """Rehearse what works on live.

        The scripts run on copies of the copy, the roll back on the copy itself: at once, where
        there is room.

        Args:
            work: what the scripts were written from.
            found: the new places of links.
            out: where the scripts stand.
            choices: the options, by name.
            price: what undoing the schema change would take.
        """
        copy = self._copy
        if copy is None:
            return
        if BACKFILL in self.unrehearsed:
            found = ()
        back = None
        destroys = choices[ROLL_BACK].destroys
        if ROLL_BACK not in self.unrehearsed and destroys is not None:
            back = partial(self._rolled_back, copy, (destroys, sum(price.own.values())))
        outcome = coming = None
        try:
            with self._databases(copy, found) as databases:
                if back and self.beside is not None:
                    coming = self.strands.begin(back, ROLL_BACK)
                where = Where(copy, databases, self.strands)
                outcome = rehearse(work, found, where, out, self._wishes.tell)
        except (ScratchError, RecoveryError, psycopg.Error) as error:
            self.problem = said(error)
        else:
            self._keep(outcome, work, found)
        if back:
            self.proofs[ROLL_BACK] = coming.result() if coming else back()

    def _keep(self, outcome: Outcome, work: Work, found: Sequence[Place]) -> None:
        """Keep what came of the scripts."""
        self.rehearsal = outcome.rehearsal
        self.proofs[REINSERT] = outcome.rehearsal.proof
        if work.returning:
            self.proofs[OVERWRITTEN] = outcome.rehearsal.proof_of_values
        if outcome.backfill:
            self.proofs[BACKFILL] = outcome.backfill
        elif found:
            self.unrehearsed[BACKFILL] = _NOT_AS_BEFORE

    def _rolled_back(self, copy: LiveCopy, numbers: tuple[int, int]) -> Proof:
        """What came of the roll back; `numbers` as `rehearse_rollback` is said them."""
        again = None
        if self._history:
            again = Again(self._history.between, self._history.schema)
        catalogs = self._store.catalogs()
        tell = self._wishes.tell
        try:
            return rehearse_rollback(copy, catalogs, self._undo, numbers, again, tell)
        except (ScratchError, psycopg.Error) as error:
            return failed(said(error))

    @contextmanager
    def _databases(self, copy: LiveCopy, found: Sequence[Place]) -> Iterator[list[str]]:
        """The databases to run the scripts in, as `Where` has them.

        The first is the copy of live, or another one where that is still needed.
        """
        with ExitStack() as stack:
            databases = [copy.database]
            if ROLL_BACK not in self.unrehearsed:
                made = a_database(copy.scratch, copy.database, ROLE)
                databases = [stack.enter_context(made)]
            if found and self.beside is not None:
                made = a_database(copy.scratch, copy.database, ROLE)
                databases.append(stack.enter_context(made))
            yield databases


def _size(store: Store, live: Mapping[TableName, int]) -> int | None:
    """About how large all is that may be rehearsed on, where that is known."""
    backup = store.evidence()[0].restored_bytes
    if backup is None:
        return None
    return backup + sum(live.values())


def _times(times: int, sizes: Mapping[TableName, int], names: Collection[TableName]) -> int:
    """The room that tables take so many times: as a copy, and while that is worked on."""
    return times * sum(sizes.get(name, 0) for name in names)
