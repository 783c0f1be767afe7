"""From a case to a folder of scripts with a plan: the one way in for facade and command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from forensics.cause.history import History
from forensics.errors import UsageError
from forensics.evidence import open_source
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import read_folder
from forensics.model import Column, TableName
from forensics.recovery.backup_side import BackupSide
from forensics.recovery.beside.layout import expect_name, layout
from forensics.recovery.beside.planning import (
    UNASKED,
    Beside,
    advice,
    expect_alone,
    now,
    proofs_of,
    with_laying,
)
from forensics.recovery.beside.planning import steps as steps_beside
from forensics.recovery.beside.proof import rehearse_laying
from forensics.recovery.beside.script import write_laying, write_taking_up
from forensics.recovery.choose.options import Option, options, proved
from forensics.recovery.choose.overwritten import overwritten_values
from forensics.recovery.choose.partitions import (
    Partition,
    dropped_partitions,
    explained,
    returning,
    unmade,
)
from forensics.recovery.choose.price import Price, price
from forensics.recovery.choose.recommendation import Done, recommendation
from forensics.recovery.choose.refusals import expect_sound_text, garbled
from forensics.recovery.choose.selection import Selection, select
from forensics.recovery.choose.tables import keys_went_on
from forensics.recovery.choose.targets import Scope
from forensics.recovery.choose.undefined import explained_undefined
from forensics.recovery.narrow.belongings import Belongings
from forensics.recovery.narrow.survivors import Survivors
from forensics.recovery.plan import Plan
from forensics.recovery.proof import FULL_RESTORE
from forensics.recovery.rehearse.copies import BackupCopy
from forensics.recovery.rehearse.live_state import asked_of_live, live_state
from forensics.recovery.rehearse.overwritten import with_triggers
from forensics.recovery.rehearse.servers import begun_ahead
from forensics.recovery.rehearse.stage import Stage
from forensics.recovery.safer import SaferMigrations, safer_migrations
from forensics.recovery.selected import Selected
from forensics.recovery.stays import HELD, Stay, stays, turned, unexplained
from forensics.recovery.wishes import SKIPPABLE, Wishes
from forensics.recovery.write.backfill import (
    Place,
    places,
    write_backfill,
    write_undo_backfill,
)
from forensics.recovery.write.columns import (
    Restored,
    generated_columns,
    open_backup,
    restored_columns,
)
from forensics.recovery.write.definitions import attached, definitions
from forensics.recovery.write.migration import history_between
from forensics.recovery.write.rollback import undoing
from forensics.recovery.write.runbook import runbook, steps
from forensics.recovery.write.script import (
    LiveState,
    Work,
    write_check,
    write_recovery,
    write_undo,
)
from forensics.recovery.write.sqltext import private_file
from forensics.store import Store, make_private
from forensics.text import counted, document, listed

FILES = (
    "recovery.sql",
    "undo.sql",
    "check.sql",
    "backfill.sql",
    "undo_backfill.sql",
    "plan.json",
    "runbook.md",
)

LAYING = ("recovery.sql", "undo.sql", "plan.json", "runbook.md")


def make_plan(
    store: Store,
    out: Path | None,
    scope: Scope,
    wishes: Wishes | None = None,
) -> Plan:
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
    for name in wishes.skip:
        if name not in SKIPPABLE:
            raise UsageError(
                f"There is no option {name} to leave out.",
                f"These can be: {', '.join(SKIPPABLE)}.",
            )
    with ExitStack() as stack:
        if out is not None and wishes.rehearse:
            wishes = begun_ahead(stack, store, wishes)
        source = _live(stack, wishes)
        making = _brought_back if scope.into is None else _laid_beside
        plan = making(stack, store, out, scope, wishes, source)
        if out is not None:
            _write_plan(store, out, plan)
    return plan


def _laid_beside(
    stack: ExitStack,
    store: Store,
    out: Path | None,
    scope: Scope,
    wishes: Wishes,
    source: LiveSource | None,
) -> Plan:
    """The plan of lost rows that are laid beside the tables, all of them."""
    schema = scope.into or ""
    expect_name(schema)
    expect_alone(scope)
    every = replace(scope, include_unexplained=True)
    return _begun(stack, store, every, wishes, source).lay(out, schema)


def _brought_back(
    stack: ExitStack,
    store: Store,
    out: Path | None,
    scope: Scope,
    wishes: Wishes,
    source: LiveSource | None,
) -> Plan:
    """The plan of rows that return to their tables."""
    draft = _begun(stack, store, scope, wishes, source)
    scope = draft.scope
    if out is not None:
        expect_sound_text(store, draft.tables)
    draft.ask()
    undo = undoing(store)
    if source:
        wishes.tell("asking live what a roll back would take")
    draft.price = price(store, undo.change, source)
    history = _history(store, wishes)
    if out is None or not wishes.rehearse or source is None:
        draft.choose()
        if out is not None:
            draft.write(out)
            draft.safer = draft.migrations(out, history)
        return draft.plan(None, out)
    stage = Stage(store, source, wishes, undo, history, scope)
    side = BackupSide(store, wishes, draft.price)
    stack.callback(side.close)
    draft.prepare(stage, side, stack)
    draft.choose()
    make_private(out)
    side.go_on(stage, draft.choices[0], partial(draft.migrations, out, history))
    draft.write(out)
    draft.rehearse(stage, side, out)
    return draft.plan(stage, out)


def _live(stack: ExitStack, wishes: Wishes) -> LiveSource | None:
    """Live, open, where it is to be asked."""
    if wishes.live is None:
        return None
    source = stack.enter_context(open_source(wishes.live, role="live"))
    if not isinstance(source, LiveSource):
        raise UsageError(
            "The live side is a dump: there is nothing to recover into.",
            "Give the database with --live.",
        )
    return source


def _begun(
    stack: ExitStack,
    store: Store,
    scope: Scope,
    wishes: Wishes,
    source: LiveSource | None,
) -> _Draft:
    """What the scripts are written from, as far as case and backup tell."""
    narrowing = None
    if scope.narrowed:
        survivors = Survivors(store, stack, source, wishes.backup, wishes.tell)
        narrowing = Belongings(store, scope, survivors)
    selection = stack.enter_context(select(store, scope, narrowing))
    if narrowing is not None:
        scope = narrowing.scope
        wishes.tell(f"what belongs to {listed(narrowing.said)}", _sum(selection))
    catalogs = store.catalogs()
    ddl = store.get("ddl") or ()
    partitions = dropped_partitions(selection, scope, attached(ddl))
    again = returning(partitions)
    names = selection.dropped
    names += [partition.name for partition in again]
    defined = definitions(ddl, *catalogs, names)
    restored: tuple[Restored, ...] = ()
    notes: tuple[str, ...] = ()
    if scope.columns:
        backup = stack.enter_context(open_backup(store, wishes.backup))
        restored, notes = restored_columns(store, scope, backup)
    columns: list[Column] = []
    for one in restored:
        columns += one.columns
    types = definitions(ddl, *catalogs, (), columns, defined)
    values = overwritten_values(selection, scope)
    fire = scope.fire_triggers
    work = Work(selection, defined, LiveState(), restored, types, again, values, fire)
    return _Draft(store, scope, wishes, source, work, partitions, notes, narrowing=narrowing)


def _sum(selection: Selection) -> str:
    """How many rows come back, of how many tables."""
    tables = [target for target in selection.targets if target.rows]
    rows = counted(selection.returning, "row")
    return f"{rows} of {counted(len(tables), 'table')} to bring back"


def _history(store: Store, wishes: Wishes) -> History | None:
    """The migrations that ran since the backup, where their folder is given."""
    if not wishes.migrations:
        return None
    return history_between(store, read_folder(wishes.migrations), wishes.ran)


@dataclass
class _Draft:
    """A plan in the making.

    Attributes:
        store, scope, wishes, source: what was asked for, and whom to ask.
        work: what the scripts are written from.
        partitions: the dropped ones, those included that are not made again.
        columns_left: notes on columns that do not return.
        price: what a roll back would take.
        found: the new places of links; `places_left` are notes on links without one.
        choices: the ways out.
        safer: the safer migrations.
        narrowing: what belongs to the rows that were named, where some were.
    """

    store: Store
    scope: Scope
    wishes: Wishes
    source: LiveSource | None
    work: Work
    partitions: tuple[Partition, ...]
    columns_left: tuple[str, ...]
    price: Price = field(default_factory=lambda: Price(False))
    found: tuple[Place, ...] = ()
    places_left: tuple[str, ...] = ()
    choices: tuple[Option, ...] = ()
    safer: SaferMigrations = field(default_factory=SaferMigrations)
    narrowing: Belongings | None = None

    @property
    def tables(self) -> set[TableName]:
        """The tables to which rows or values are to return."""
        chosen = {target.name for target in self.work.selection.targets if target.missing}
        chosen |= {values.name for values in self.work.overwritten}
        return chosen | {restored.name for restored in self.work.restored}

    def ask(self) -> None:
        """Ask live whether it is as it was."""
        if self.source:
            values = with_triggers(self.source, self.work.overwritten)
            work = replace(self.work, overwritten=values)
            self.work = replace(work, live=live_state(self.source, work))

    def prepare(self, stage: Stage, side: BackupSide, stack: ExitStack) -> None:
        """Copy live, and leave out what it would refuse; meanwhile the backup is restored."""
        stage.start(stack, self.work)
        side.begin(stage)
        self.work = stage.prepare(stack, self.work)
        self.partitions = unmade(self.partitions, stage.unmade)
        # A second server would take as long to start as the first.
        self.wishes = replace(self.wishes, scratch=stage.server)

    def choose(self) -> None:
        """Work out the options."""
        selection = self.work.selection
        self.found, self.places_left = places(selection)
        if self.source:
            self.found = asked_of_live(self.source, selection, self.found)
        self.choices = options(
            selection, self.found, self.price, self.work.overwritten, fire=self.work.fire
        )

    def write(self, out: Path) -> None:
        """Write the scripts into a folder."""
        make_private(out)
        write_recovery(out / "recovery.sql", self.work)
        write_undo(out / "undo.sql", self.work)
        write_check(out / "check.sql", self.work)
        backfill, undo_backfill = out / "backfill.sql", out / "undo_backfill.sql"
        backfill.unlink(missing_ok=True)
        undo_backfill.unlink(missing_ok=True)
        if self.found:
            write_backfill(backfill, self.work.selection, self.found)
            write_undo_backfill(undo_backfill, self.work.selection, self.found)

    def rehearse(self, stage: Stage, side: BackupSide, out: Path) -> None:
        """Rehearse the options, and the safer migrations."""
        by_name = {option.name: option for option in self.choices}
        stage.rehearse(self.work, self.found, out, by_name, self.price)
        ended = side.end()
        if ended.proof:
            stage.proofs[FULL_RESTORE] = ended.proof
        if ended.unrehearsed:
            stage.unrehearsed[FULL_RESTORE] = ended.unrehearsed
        self.safer = ended.safer
        self.choices = proved(self.choices, stage.proofs, stage.unrehearsed)

    def migrations(
        self, out: Path, history: History | None, restored: BackupCopy | None = None
    ) -> SaferMigrations:
        """The safer migrations, as `safer_migrations` has them; none where no folder is given."""
        if history is None:
            return SaferMigrations()
        return safer_migrations(self.store, out, self.found, history, self.wishes, restored)

    def plan(self, stage: Stage | None, out: Path | None) -> Plan:
        """The plan.

        Args:
            stage: where it was rehearsed.
            out: the folder that was written to.
        """
        rehearsal = problem = rehearsed_at = None
        if stage is not None:
            rehearsal, problem = stage.rehearsal, stage.problem
        if rehearsal is not None:
            rehearsed_at = now()
        files: tuple[str, ...] = ()
        if out is not None:
            files = tuple(name for name in FILES if self.found or "backfill" not in name)
        found = stays(self.work.selection, self.scope, self.work.overwritten)
        done = Done(self.store.get("cause") is not None, stage is not None)
        plan = Plan(
            options=self.choices,
            recommendation=recommendation(self.choices, unexplained(found), done, turned(found)),
            rehearsal=rehearsal,
            problem=problem,
            targets=self.work.selection.targets,
            stays=found,
            notes=self._notes(stage),
            files=files,
            columns=tuple(map(_columns, self.work.restored)),
            migrations=self.safer.trials,
            scope=self.scope,
            rehearsed_at=rehearsed_at,
            partitions=self.work.partitions,
            overwritten=self.work.overwritten,
            selected=self._selected(found),
        )
        return replace(plan, runbook=tuple(steps(plan.as_json(), self.work.definitions)))

    def lay(self, out: Path | None, schema: str) -> Plan:
        """Lay the lost rows into a schema beside the tables: the plan of that.

        Args:
            out: the folder to write into, or None to write nothing.
            schema: its name.
        """
        selection = self.work.selection
        laid = Beside(schema, layout(selection, schema))
        self.price = price(self.store, undoing(self.store).change, self.source)
        rehearsal = problem = None
        if out is not None:
            expect_sound_text(self.store, self.tables)
            make_private(out)
            for name in FILES:
                (out / name).unlink(missing_ok=True)
            write_laying(out / "recovery.sql", selection, schema, laid.tables)
            write_taking_up(out / "undo.sql", selection, schema, laid.tables)
            if self.wishes.rehearse and self.source is not None:
                held = rehearse_laying(selection, self.source, self.wishes, out, laid.tables)
                rehearsal, problem = held
        choices = with_laying(options(selection, (), self.price), laid, rehearsal)
        if self.wishes.rehearse:
            choices = proved(choices, proofs_of(choices), dict.fromkeys(SKIPPABLE, UNASKED))
        found = stays(selection, self.scope, ())
        plan = Plan(
            options=choices,
            recommendation=advice(laid, rehearsal),
            rehearsal=rehearsal,
            problem=problem,
            targets=selection.targets,
            stays=found,
            notes=(*_renamed(self.store, selection), *self._told),
            files=LAYING if out is not None else (),
            scope=self.scope,
            rehearsed_at=now() if rehearsal else None,
            selected=self._selected(found),
            beside=laid,
        )
        told = [stay.as_json() for stay in found]
        return replace(plan, runbook=tuple(steps_beside(laid, selection, told)))

    @property
    def _told(self) -> tuple[str, ...]:
        """What is to be known of how the rows were found that were named."""
        return self.narrowing.notes if self.narrowing else ()

    def _selected(self, found: Sequence[Stay]) -> Selected | None:
        """What belongs to the rows that were named, and what stays."""
        if self.narrowing is None:
            return None
        targets = self.work.selection.targets
        shares = self.narrowing.shares(targets)
        named = self.narrowing.asked_for and any(t.rows for t in targets if t.kind == "insert")
        left = tuple(stay for stay in found if stay.kind not in HELD)
        return Selected(self.scope.where, self.scope.rows, shares, left, named)

    def _notes(self, stage: Stage | None) -> tuple[str, ...]:
        """What else is to be known."""
        selection = self.work.selection
        rehearsed = stage is not None and stage.problem is None
        return (
            *_renamed(self.store, selection),
            *self._told,
            *garbled(self.store, self.tables),
            *explained(self.partitions, selection, rehearsed),
            *explained_undefined(self.store),
            *self.work.definitions.lacks,
            *generated_columns(self.store, self.scope),
            *self.places_left,
            *self.columns_left,
            *self.safer.notes,
        )


def _columns(restored: Restored) -> tuple[TableName, tuple[str, ...], int]:
    """A table's columns whose values return, and how many are missing."""
    return restored.name, tuple(c.name for c in restored.columns), restored.values


def _renamed(store: Store, selection: Selection) -> Iterator[str]:
    """What is to be known of dropped tables whose rows live seems to hold elsewhere."""
    again = selection.dropped
    for finding in store.get("findings") or ():
        if finding["kind"] != "renamed table":
            continue
        name = TableName(**finding["name"])
        advice = "leave it out with --table where its rows are not lost"
        if name not in again:
            advice = "--table brings it back all the same"
            if keys_went_on(store, name, finding["other"]):
                advice += " once that one's keys have other names"
        yield f"{finding['text'].rstrip('.')}: {advice}."


def _write_plan(store: Store, out: Path, plan: Plan) -> None:
    """Write the plan and the runbook into a folder."""
    with private_file(out / "plan.json") as file:
        file.write(document(plan.as_json()))
    with private_file(out / "runbook.md") as file:
        file.write(runbook(store, plan.as_json()))
