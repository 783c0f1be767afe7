"""From a case to a folder of scripts with a plan: the one way in for the facade and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from forensics.errors import RecoveryError, ScratchError, UsageError
from forensics.evidence import open_source
from forensics.evidence.live import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.model import TableName, plain
from forensics.recovery.backfill import Place, asked, places, questions, write_backfill, write_undo_backfill
from forensics.recovery.columns import Restored, open_backup, restored_columns
from forensics.recovery.definitions import definitions
from forensics.recovery.migration import history_between, safer_migration
from forensics.recovery.options import Option, options, recommendation
from forensics.recovery.rehearsal import Rehearsal, live_state, rehearse
from forensics.recovery.runbook import runbook
from forensics.recovery.script import LiveState, Work, write_recovery, write_undo
from forensics.recovery.selection import CLASSES, Scope, Selection, Target, select
from forensics.recovery.sqltext import private_file
from forensics.recovery.trial import Trial, try_migrations, write_migration
from forensics.scratch import Scratch
from forensics.store import Store, make_private
from forensics.text import document

FILES = ("recovery.sql", "undo.sql", "backfill.sql", "undo_backfill.sql", "plan.json", "runbook.md")


@dataclass(frozen=True)
class Wishes:
    """What is wanted of a plan besides the options.

    Attributes:
        live: how to reach live; None leaves it alone. It is only read.
        rehearse: rehearse the scripts on a scratch PostgreSQL; needs `live`.
        migrations: the folder of the migrations, for the safer one; None makes none.
        backup: where the backup lies now, if it was moved; needed for the values of dropped columns, and to try the safer
            migration.
        ran: shell patterns of migrations that ran since the backup, where no history says so.
        scratch: a server to rehearse on, running; None starts one.
    """

    live: str | None = None
    rehearse: bool = False
    migrations: Path | None = None
    backup: str | Path | None = None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None


@dataclass(frozen=True)
class Plan:
    """What can come back, at what price, and the proof.

    Attributes:
        options: the ways out.
        recommendation: what the numbers speak for.
        rehearsal: what came of it, or None where none was held.
        problem: why there is no rehearsal although one was asked for, or None.
        targets: the tables that rows return to.
        left: missing rows of other tables, which were not asked for: (table, rows).
        notes: what else is to be known.
        files: what was written, in the order in which to read it.
        columns: dropped columns whose values return: (table, columns, missing values).
        migrations: the safer migrations that were written.
    """

    options: tuple[Option, ...]
    recommendation: str
    rehearsal: Rehearsal | None
    problem: str | None
    targets: tuple[Target, ...]
    left: tuple[tuple[TableName, int], ...]
    notes: tuple[str, ...]
    files: tuple[str, ...]
    columns: tuple[tuple[TableName, tuple[str, ...], int], ...] = ()
    migrations: tuple[Trial, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no rehearsal failed."""
        return self.problem is None and (self.rehearsal is None or self.rehearsal.holds) and all(t.holds for t in self.migrations)

    def as_json(self) -> dict[str, Any]:
        """The plan as the contract has it, and more."""
        found = None
        if self.rehearsal:
            found = plain(self.rehearsal)
        return {
            "options": [o.as_json() for o in self.options],
            "recommendation": self.recommendation,
            "rehearsal": found,
            "problem": self.problem,
            "tables": [
                {**plain(t.name), "kind": t.kind, "missing": t.missing, **{c: t.counts[c] for c in CLASSES},
                 "reasons": [{"reason": r, "rows": n} for r, n in t.reasons]}
                for t in self.targets
            ],
            "columns": [{**plain(n), "columns": list(c), "values": v} for n, c, v in self.columns],
            "migrations": plain(self.migrations),
            "left": [{**plain(n), "rows": rows} for n, rows in self.left],
            "notes": list(self.notes),
            "files": list(self.files),
        }  # fmt: skip


def make_plan(store: Store, out: Path | None, scope: Scope, wishes: Wishes = Wishes()) -> Plan:
    """Work out the options; write the scripts into a folder, and rehearse them.

    Args:
        store: the case, open.
        out: the folder to write into, or None to write nothing.
        scope: what is to come back.
        wishes: what else is wanted.

    Raises:
        UsageError: the question is wrong.
        RecoveryError: live changed since it was compared, or a file cannot be written.
        LiveError: live does not answer.
        MigrationError: a migration cannot be read.
    """
    with ExitStack() as stack:
        source: LiveSource | None = None
        if wishes.live is not None:
            opened = stack.enter_context(open_source(wishes.live, role="live"))
            if not isinstance(opened, LiveSource):
                raise UsageError("The live side is a dump: there is nothing to recover into.", "Give the database with --live.")
            source = opened
        selection = stack.enter_context(select(store, scope))
        ours, there = store.catalogs()
        state = live_state(source, selection) if source else LiveState()
        defined = definitions(store.get("ddl") or (), ours, there, [t.name for t in selection.recreated])
        restored: tuple[Restored, ...] = ()
        found, notes = places(selection)
        if source:
            found = _asked(source, selection, found)
        if scope.columns:
            restored, more = restored_columns(store, scope, stack.enter_context(open_backup(store, wishes.backup)))
            notes += more
        work = Work(selection, defined, state, restored)
        proof, problem = None, None
        if out is not None:
            _write(out, work, found)
            if wishes.rehearse and source is not None:
                try:
                    proof = rehearse(work, source, out, wishes.scratch)
                except (ScratchError, RecoveryError) as error:
                    problem = str(error)
        trials: tuple[Trial, ...] = ()
        if wishes.migrations is not None and out is not None:
            trials, said = _migrations(store, out, found, wishes)
            notes += said
        choices = options(selection, found, proof)
        plan = Plan(
            choices, recommendation(choices), proof, problem, selection.targets, _left(store, selection), notes,
            tuple(f for f in FILES if out is not None and (found or "backfill" not in f)),
            tuple((r.name, tuple(c.name for c in r.columns), r.values) for r in restored), trials,
        )  # fmt: skip
        if out is not None:
            with private_file(out / "plan.json") as file:
                file.write(document(plan.as_json()))
            with private_file(out / "runbook.md") as file:
                file.write(runbook(store, plan.as_json(), defined))
    return plan


def _write(out: Path, work: Work, found: Sequence[Place]) -> None:
    make_private(out)
    write_recovery(out / "recovery.sql", work)
    write_undo(out / "undo.sql", work)
    for name in ("backfill.sql", "undo_backfill.sql"):
        (out / name).unlink(missing_ok=True)
    if found:
        write_backfill(out / "backfill.sql", work.selection, found)
        write_undo_backfill(out / "undo_backfill.sql", work.selection, found)


def _asked(source: LiveSource, selection: Selection, found: Sequence[Place]) -> tuple[Place, ...]:
    """The new places, with account taken of what live holds there already."""
    known = []
    for place in found:
        keys = [[r["key"] for r in source.ask(sql.SQL(q))] if q else [] for q in questions(place)]
        known.append(asked(selection, place, *keys))
    return tuple(known)


def _migrations(store: Store, out: Path, found: Sequence[Place], wishes: Wishes) -> tuple[tuple[Trial, ...], tuple[str, ...]]:
    """Write a safer migration for each that destroyed something, and try them where that is wished for."""
    assert wishes.migrations is not None
    history = history_between(store, read_folder(wishes.migrations), wishes.ran)
    catalog = store.catalogs()[0]
    written = [s for m in history.between if (s := safer_migration(m, catalog, history.schema, found))]
    for safer in written:
        write_migration(safer, out)
    notes = history.notes if written else (*history.notes, "No migration that ran since the backup destroys anything: none was rewritten.")
    if not (wishes.rehearse and written):
        return tuple(Trial(s.name, s.original.name, None, None, None, None, None, None, (), tuple(s.notes)) for s in written), notes
    with open_backup(store, wishes.backup) as backup:
        ran = [m.applied.decode("utf-8-sig") for m in history.between]
        return try_migrations(written, ran, backup, store.get("ddl") or (), history.schema, wishes.scratch), notes


def _left(store: Store, selection: Selection) -> tuple[tuple[TableName, int], ...]:
    chosen = {t.name for t in selection.targets}
    return tuple((r.name, r.missing) for r in store.results() if r.missing and r.name not in chosen)
