"""From a case to a folder of scripts with a plan: the one way in for the facade and the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from forensics.errors import RecoveryError, ScratchError, UsageError
from forensics.evidence import open_source
from forensics.evidence.live import LiveSource
from forensics.model import TableName, plain
from forensics.recovery.backfill import Place, asked, places, questions, write_backfill, write_undo_backfill
from forensics.recovery.columns import Restored, open_backup, restored_columns
from forensics.recovery.definitions import definitions
from forensics.recovery.options import Option, options, recommendation
from forensics.recovery.rehearsal import Rehearsal, live_state, rehearse, under_snapshot
from forensics.recovery.runbook import runbook
from forensics.recovery.script import LiveState, Work, write_recovery, write_undo
from forensics.recovery.selection import CLASSES, Scope, Selection, Target, select
from forensics.recovery.sqltext import private_file
from forensics.store import Store, make_private

FILES = ("recovery.sql", "undo.sql", "backfill.sql", "undo_backfill.sql", "plan.json", "runbook.md")


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

    @property
    def holds(self) -> bool:
        """Whether no rehearsal failed."""
        return self.problem is None and (self.rehearsal is None or self.rehearsal.holds)

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
            "left": [{**plain(n), "rows": rows} for n, rows in self.left],
            "notes": list(self.notes),
            "files": list(self.files),
        }  # fmt: skip


def make_plan(
    store: Store, out: Path | None, scope: Scope, *, live: str | None = None, rehearsed: bool = False, backup: str | Path | None = None
) -> Plan:
    """Work out the options; write the scripts into a folder, and rehearse them.

    Args:
        store: the case, open.
        out: the folder to write into, or None to write nothing.
        scope: what is to come back.
        live: how to reach live; None leaves it alone. It is only read.
        backup: where the backup lies now; needed only for the values of dropped columns, if it was moved.
        rehearsed: rehearse the scripts on a scratch PostgreSQL; needs `live` and `out`.

    Raises:
        UsageError: the question is wrong.
        RecoveryError: live changed since it was compared, or a file cannot be written.
        LiveError: live does not answer.
    """
    with ExitStack() as stack:
        source: LiveSource | None = None
        if live is not None:
            opened = stack.enter_context(open_source(live, role="live"))
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
            restored, more = restored_columns(store, scope, stack.enter_context(open_backup(store, backup)))
            notes += more
        work = Work(selection, defined, state, restored)
        proof, problem = None, None
        if out is not None:
            _write(out, work, found)
            if rehearsed and source is not None and live is not None:
                try:
                    proof = rehearse(work, source, live, out)
                except (ScratchError, RecoveryError) as error:
                    problem = str(error)
        choices = options(selection, found, proof)
        plan = Plan(
            choices, recommendation(choices), proof, problem, selection.targets, _left(store, selection), notes,
            tuple(f for f in FILES if out is not None and (found or "backfill" not in f)),
            tuple((r.name, tuple(c.name for c in r.columns), r.values) for r in restored),
        )  # fmt: skip
        if out is not None:
            with private_file(out / "plan.json") as file:
                file.write(json.dumps(plan.as_json(), indent=2, ensure_ascii=False) + "\n")
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
    with under_snapshot(source) as connection:
        for place in found:
            filled, covered = questions(place)
            try:
                keys = [[r[0] for r in connection.execute(q)] if q else [] for q in (filled, covered)]
            except psycopg.Error as error:
                raise source.failure(place.owner.name, str(error.diag.message_primary or error), error.sqlstate) from error
            known.append(asked(selection, place, *keys))
    return tuple(known)


def _left(store: Store, selection: Selection) -> tuple[tuple[TableName, int], ...]:
    chosen = {t.name for t in selection.targets}
    return tuple((r.name, r.missing) for r in store.results() if r.missing and r.name not in chosen)
