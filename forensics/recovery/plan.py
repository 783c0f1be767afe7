"""From a case to a folder of scripts with a plan: the one way in for the facade and the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from forensics.cause.history import History
from forensics.errors import RecoveryError, UsageError
from forensics.evidence import Source, open_source
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.model import TableName, plain
from forensics.recovery.choose.options import Option, options, proved, recommendation
from forensics.recovery.choose.partitions import (
    Partition,
    dropped_partitions,
    explained,
    returning,
    unmade,
)
from forensics.recovery.choose.selection import (
    CLASSES,
    Scope,
    Selection,
    Target,
    keys_went_on,
    select,
)
from forensics.recovery.rehearse.copies import (
    a_server,
    backup_bytes,
    backup_copy,
    expect_room,
    has_xml,
)
from forensics.recovery.rehearse.rehearsal import Rehearsal, live_state
from forensics.recovery.rehearse.rollback import price, undoing
from forensics.recovery.rehearse.stage import SKIPPABLE, Stage, Wishes
from forensics.recovery.rehearse.trial import Trial, named_tables, try_migrations, write_migration
from forensics.recovery.write.backfill import (
    Place,
    asked,
    places,
    questions,
    write_backfill,
    write_undo_backfill,
)
from forensics.recovery.write.columns import (
    Restored,
    generated_columns,
    open_backup,
    restored_columns,
)
from forensics.recovery.write.definitions import definitions
from forensics.recovery.write.migration import Safer, history_between, safer_migration
from forensics.recovery.write.runbook import Step, runbook, steps
from forensics.recovery.write.script import LiveState, Work, write_recovery, write_undo
from forensics.recovery.write.sqltext import private_file
from forensics.store import Store, make_private
from forensics.text import document

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
        migrations: the safer migrations that were written.
        scope: what was asked for.
        rehearsed_at: when it was rehearsed, or None.
        runbook: what is to be done, step by step.
        partitions: dropped partitions that are made again, of tables that are there.
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
    scope: Scope = field(default_factory=Scope)
    rehearsed_at: datetime | None = None
    runbook: tuple[Step, ...] = ()
    partitions: tuple[Partition, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no rehearsal failed."""
        return self.problem is None and not self.problems

    @property
    def problems(self) -> tuple[str, ...]:
        """What the rehearsals found that does not hold, each with the option or the migration that it is about."""
        failed = [f"{o.name}: {p}" for o in self.options if o.proof for p in o.proof.problems]
        return (*failed, *(p for t in self.migrations for p in t.problems))

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
                {
                    **plain(t.name),
                    "kind": t.kind,
                    "missing": t.missing,
                    **{c: t.counts[c] for c in CLASSES},
                    "reasons": [{"reason": r, "rows": n} for r, n in t.reasons],
                }
                for t in self.targets
            ],
            "columns": [{**plain(n), "columns": list(c), "values": v} for n, c, v in self.columns],
            "partitions": [{**plain(p.name), "of": plain(p.parent)} for p in self.partitions],
            "migrations": plain(self.migrations),
            "left": [{**plain(n), "rows": rows} for n, rows in self.left],
            "notes": list(self.notes),
            "files": list(self.files),
            "scope": plain(self.scope),
            "rehearsed_at": plain(self.rehearsed_at),
            "runbook": plain(self.runbook),
        }


def make_plan(store: Store, out: Path | None, scope: Scope, wishes: Wishes | None = None) -> Plan:
    """Work out the options; write the scripts into a folder, and rehearse them.

    Args:
        store: the case, open.
        out: the folder to write into, or None to write nothing.
        scope: what is to come back.
        wishes: what else is wanted; None for nothing.

    Raises:
        UsageError: the question is wrong.
        RecoveryError: live changed since it was compared, or a file cannot be written.
        LiveError: live does not answer.
        MigrationError: a migration cannot be read.
    """
    wishes = wishes or Wishes()
    if wrong := [s for s in wishes.skip if s not in SKIPPABLE]:
        raise UsageError(
            f"There is no option {wrong[0]} to leave out.", f"These can be: {', '.join(SKIPPABLE)}."
        )
    with ExitStack() as stack:
        source: LiveSource | None = None
        if wishes.live is not None:
            opened = stack.enter_context(open_source(wishes.live, role="live"))
            if not isinstance(opened, LiveSource):
                raise UsageError(
                    "The live side is a dump: there is nothing to recover into.",
                    "Give the database with --live.",
                )
            source = opened
        selection = stack.enter_context(select(store, scope))
        ours, there = store.catalogs()
        partitions = dropped_partitions(store, selection, scope)
        made = [*(t.name for t in selection.recreated), *(p.name for p in returning(partitions))]
        defined = definitions(store.get("ddl") or (), ours, there, made)
        restored: tuple[Restored, ...] = ()
        notes: tuple[str, ...] = ()
        if scope.columns:
            restored, notes = restored_columns(
                store, scope, stack.enter_context(open_backup(store, wishes.backup))
            )
        types = definitions(
            store.get("ddl") or (),
            ours,
            there,
            (),
            [c for r in restored for c in r.columns],
            defined,
        )
        work = Work(selection, defined, LiveState(), restored, types, returning(partitions))
        if source:
            work = replace(work, live=live_state(source, work))
        undo = undoing(store)
        if source:
            wishes.tell("asking live what a roll back would take")
        priced = price(store, undo, source)
        history = (
            history_between(store, read_folder(wishes.migrations), wishes.ran)
            if wishes.migrations
            else None
        )

        stage = None
        if out is not None and wishes.rehearse and source is not None:
            stage = Stage(store, source, wishes, undo, history)
            work = stage.prepare(stack, work)
            selection, defined, partitions = (
                work.selection,
                work.definitions,
                unmade(partitions, stage.unmade),
            )
        found, more = places(selection)
        if source:
            found = _asked(source, selection, found)
        choices = options(selection, found, priced)
        if out is not None:
            _write(out, work, found)
        if stage is not None and out is not None:
            stage.rehearse(work, found, out, {o.name: o for o in choices})
            stage.restore(selection, choices[0], priced.unseen)
            choices = proved(choices, stage.proofs, stage.unrehearsed)
        trials: tuple[Trial, ...] = ()
        said: tuple[str, ...] = ()
        if history is not None and out is not None:
            trials, said = _migrations(store, out, found, history, wishes)
        left = _left(store, selection)
        plan = Plan(
            choices,
            recommendation(choices, sum(rows for _, rows in left)),
            stage.rehearsal if stage else None,
            stage.problem if stage else None,
            selection.targets,
            left,
            (
                *_renamed(store, selection),
                *explained(partitions, selection, stage is not None and stage.problem is None),
                *defined.lacks,
                *generated_columns(store, scope),
                *more,
                *notes,
                *said,
            ),
            tuple(f for f in FILES if out is not None and (found or "backfill" not in f)),
            tuple((r.name, tuple(c.name for c in r.columns), r.values) for r in restored),
            trials,
            scope,
            datetime.now(UTC).replace(microsecond=0) if stage and stage.rehearsal else None,
            partitions=work.partitions,
        )
        plan = replace(plan, runbook=tuple(steps(plan.as_json(), defined)))
        if out is not None:
            with private_file(out / "plan.json") as file:
                file.write(document(plan.as_json()))
            with private_file(out / "runbook.md") as file:
                file.write(runbook(store, plan.as_json()))
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


def _migrations(
    store: Store, out: Path, found: Sequence[Place], history: History, wishes: Wishes
) -> tuple[tuple[Trial, ...], tuple[str, ...]]:
    """Write a safer migration for each that destroyed something, and try them where that is wished for."""
    catalog = store.catalogs()[0]
    written = [
        s for m in history.between if (s := safer_migration(m, catalog, history.schema, found))
    ]
    for safer in written:
        write_migration(safer, out)
    notes = (
        history.notes
        if written
        else (
            *history.notes,
            "No migration that ran since the backup destroys anything: none was rewritten.",
        )
    )
    untried = tuple(
        Trial(s.name, s.original.name, None, None, None, None, None, None, (), tuple(s.notes))
        for s in written
    )
    if not (wishes.rehearse and written):
        return untried, notes
    try:
        with open_backup(store, wishes.backup) as backup:
            return _tried(store, backup, written, history, wishes), notes
    except RecoveryError as error:
        return untried, (*notes, f"The safer migration was not tried: {error}")


def _tried(
    store: Store, backup: Source, written: Sequence[Safer], history: History, wishes: Wishes
) -> tuple[Trial, ...]:
    """Try the safer migrations on copies of the backup with the rows of the tables that they name; raises as `try_migrations`."""
    texts = [*(m.applied.decode("utf-8-sig") for m in history.between), *(s.sql for s in written)]
    # What was not rewritten may touch any table.
    tables = (
        None
        if any(s.notes for s in written)
        else named_tables(texts, history.schema, backup.catalog)
    )
    version = backup.provenance.server_version
    likes_xml = has_xml(
        t for t in backup.catalog.tables.values() if tables is None or t.name in tables
    )
    with a_server(wishes.scratch, version, needs_xml=False, likes_xml=likes_xml) as scratch:
        expect_room(
            scratch,
            3 * backup_bytes(backup, {}, {}),
            "Trying the safer migration on copies of the backup",
        )
        with backup_copy(scratch, backup, store.get("ddl") or (), tables, wishes.tell) as copy:
            return try_migrations(written, copy, backup.catalog, history.schema)


def _renamed(store: Store, selection: Selection) -> Iterator[str]:
    """What is to be known of dropped tables whose rows live seems to hold under another name."""
    again = {t.name for t in selection.recreated}
    for finding in store.get("findings") or ():
        name = TableName(**finding["name"])
        if finding["kind"] == "renamed table":
            beside = (
                " once that one's keys have other names"
                if keys_went_on(store, name, finding["other"])
                else ""
            )
            advice = (
                "leave it out with --table where its rows are not lost"
                if name in again
                else f"--table brings it back all the same{beside}"
            )
            yield f"{finding['text'].rstrip('.')}: {advice}."


def _left(store: Store, selection: Selection) -> tuple[tuple[TableName, int], ...]:
    chosen = {t.name for t in selection.targets}
    return tuple((r.name, r.missing) for r in store.results() if r.missing and r.name not in chosen)
