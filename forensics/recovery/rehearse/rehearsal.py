"""The proof: the scripts run on a throw-away PostgreSQL with live's schema and rows.

The schema comes from live's own `pg_dump`, the rows that the scripts touch through the same
read-only snapshot. Then, on the copy and never on live: run `recovery.sql`, look for every
lost row in the tables, run it again, run `undo.sql`, and hold every table and the whole schema
against what they were before.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from forensics.recovery.proof import BACKFILL, Proof, Rehearsal, Tell, silent
from forensics.recovery.rehearse.backfill import rehearse_backfill
from forensics.recovery.rehearse.copies import LiveCopy
from forensics.recovery.rehearse.database import Rehearsed, State
from forensics.recovery.rehearse.returned import Returned
from forensics.recovery.rehearse.session import pinned_session
from forensics.recovery.rehearse.strands import Strands
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.script import Work


@dataclass(frozen=True)
class Outcome:
    """What came of rehearsing the scripts.

    Attributes:
        rehearsal: of `recovery.sql` with `undo.sql`.
        backfill: of `backfill.sql` with its own, where they could be run.
    """

    rehearsal: Rehearsal
    backfill: Proof | None


@dataclass(frozen=True)
class Where:
    """Where scripts are rehearsed.

    Attributes:
        copy: live's schema with the rows that the scripts touch.
        databases: the one to work in, the copy's or a copy of that; where `backfill.sql` has
            another, which is alike, it is rehearsed there meanwhile.
        strands: what begins that.
    """

    copy: LiveCopy
    databases: Sequence[str]
    strands: Strands


def rehearse(
    work: Work,
    found: Sequence[Place],
    where: Where,
    folder: Path,
    tell: Tell = silent,
) -> Outcome:
    """Rehearse the scripts that stand in a folder.

    Args:
        work: what they were written from.
        found: the new places of links, where there is a `backfill.sql`.
        where: what they run on.
        folder: where `recovery.sql`, `undo.sql` and perhaps `backfill.sql` stand.
        tell: is told how far it is.

    Raises:
        ScratchError: the scratch PostgreSQL failed.
    """
    scratch, (database, *others) = where.copy.scratch, where.databases
    with pinned_session(scratch, database) as session:
        rehearsed = Rehearsed(scratch, database, session, folder, tell)
        run = _Run(rehearsed, work)
        coming = None
        for other in others:
            filling = partial(_backfilled, rehearsed.twin(other), run.before, found)
            coming = where.strands.begin(filling, BACKFILL)
        return run.run(found, where.copy.notes, coming)


def _backfilled(database: Rehearsed, before: State, places: Sequence[Place]) -> Proof:
    """What came of `backfill.sql` in a database of its own."""
    with database.session:
        return rehearse_backfill(database, before, places)


class _Run:
    def __init__(self, database: Rehearsed, work: Work) -> None:
        self._database = database
        self._problems: list[str] = []
        self.before = database.state()
        self._returned = Returned(database, work, self._problems)
        blocked = work.selection.blocked
        lost = work.selection.returning + blocked
        # What holds where the recovery stops.
        self._stopped = Rehearsal(
            lost_before=lost,
            lost_after=lost,
            blocked=blocked,
            idempotent=False,
            undo_restores=False,
            constraints_valid=False,
            unchanged=False,
            seconds=0.0,
            undo_seconds=0.0,
        )

    def run(
        self, places: Sequence[Place], notes: Sequence[str], coming: Future[Proof] | None
    ) -> Outcome:
        found = self._stopped
        as_before = True
        seconds = self._database.script("recovery.sql", self._problems)
        if seconds is not None:
            found = self._carried_out(round(seconds, 3))
            as_before = found.undo_restores
        backfill = None
        if coming is not None:
            backfill = coming.result()
        elif as_before and places:
            backfill = rehearse_backfill(self._database, self.before, places)
        found = replace(found, problems=tuple(self._problems), notes=tuple(notes))
        return Outcome(found, backfill)

    def _carried_out(self, seconds: float) -> Rehearsal:
        """Look at what `recovery.sql` did, run it again, and take it back."""
        after = self._database.state()
        found = self._returned.look(self.before.prints, after.prints)
        idempotent = self._again(after)
        undo_seconds = self._database.script("undo.sql", self._problems)
        return replace(
            self._stopped,
            lost_after=found.lost_after,
            values=found.values,
            overwritten=found.overwritten,
            unchanged=found.unchanged,
            constraints_valid=found.constraints_valid,
            idempotent=idempotent,
            undo_restores=undo_seconds is not None and self._is_undone(),
            seconds=seconds,
            undo_seconds=round(undo_seconds or 0.0, 3),
        )

    def _again(self, after: State) -> bool:
        """Run it a second time; say whether that changed nothing."""
        if self._database.script("recovery.sql", self._problems) is None:
            return False
        if self._database.is_as(after):
            return True
        self._problems.append("Running recovery.sql a second time changed something.")
        return False

    def _is_undone(self) -> bool:
        """Whether the database is as it was before the recovery."""
        if self._database.is_as(self.before):
            return True
        self._problems.append(
            "After undo.sql the tables or the schema are not as they were before."
        )
        return False
