"""Preflight: what a migration would destroy, and where it would fail, before it runs.

Nothing is written: every count is a SELECT under live's read-only snapshot, over the tables as
the statements before would have left them (`forecast`, `counts`). With a rehearsal the
statements themselves are run, on a scratch copy of the tables that matter (`rehearsal`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from forensics.cause.history import place
from forensics.cause.naming import PUBLIC, schema_of
from forensics.errors import EvidenceError, is_lost
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import (
    HistoryEntry,
    Migration,
    MigrationFolder,
    Statement,
    Unread,
    in_force,
    lies_with_tables,
    read_history,
)
from forensics.model import Table
from forensics.preflight.counts import Counts
from forensics.preflight.forecast import Forecast
from forensics.preflight.output import Flight
from forensics.preflight.rehearsal import Listener, Rehearsing
from forensics.preflight.surroundings import Surroundings
from forensics.preflight.unread import not_read

# An ALTER TABLE looks at the rows after it has changed the table's shape, in whatever order it
# is written.
_LOOKS_AT_ROWS = ("add-unique", "add-foreign-key", "add-check", "set-not-null")
_NOT_IN_FORCE = ("pending", "rolled back", "failed")

_NO_HISTORY = (
    "Live holds no migration history that is known here: "
    "every migration of the folder is looked at."
)


@dataclass(frozen=True)
class Pending:
    """What would run next.

    Attributes:
        migrations: in the order in which they would run.
        unread: those that are code.
        notes: what is to be said about how they were chosen.
    """

    migrations: tuple[Migration, ...]
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()


def pending(folder: MigrationFolder, live: LiveSource) -> Pending:
    """Return the migrations of a folder that live's history does not have in force.

    A single file is always returned.

    Raises:
        EvidenceError: the history is there and cannot be read.
    """
    if folder.kind == "single file":
        return Pending(folder.migrations)
    entries = read_history(live)
    unread = _not_in_force(folder, entries)
    if not entries:
        return Pending(folder.migrations, unread, (_NO_HISTORY,))
    history = place({"backup": [], "live": entries}, {}, folder, None)
    placed = {p.name: p for p in history.migrations}
    code_ran = len(unread) < len(folder.unread)
    if not code_ran and not any(placed[m.name].in_live for m in folder.migrations):
        tools = " and ".join(sorted({e.tool for e in entries}))
        note = (
            f"Live's migration history ({tools}) names no file of the folder: "
            "every migration of it is looked at."
        )
        return Pending(folder.migrations, unread, (note,))
    chosen = []
    for migration in folder.migrations:
        if placed[migration.name].state in _NOT_IN_FORCE and not migration.takes_back:
            chosen.append(migration)
    return Pending(tuple(chosen), unread)


def _not_in_force(folder: MigrationFolder, entries: Sequence[HistoryEntry]) -> tuple[Unread, ...]:
    """The migrations in code that a history does not have in force."""
    names = {entry.name for entry in entries if entry.in_force}
    ran = in_force(folder.unread, names)
    return tuple(one for one in folder.unread if one not in ran)


def preflight(
    wanted: Pending,
    live: LiveSource,
    *,
    rehearse: bool = False,
    listener: Listener | None = None,
    folder: MigrationFolder | None = None,
) -> Flight:
    """Count on live what migrations would destroy and what stands in their way.

    Args:
        wanted: what would run.
        live: the database, under its snapshot.
        rehearse: also run them on a scratch copy.
        listener: is told what is going on.
        folder: all migrations, those that ran included: they tell where names lead.

    Raises:
        MigrationError: one does not parse.
        LiveError: the database was lost, or refuses to be read.
        ScratchError: the rehearsal's server does not start.
    """
    tell = listener or _tell_nobody
    migrations = wanted.migrations
    notes = [*wanted.notes, *_of_code(wanted.unread)]
    schema = _schema(folder.migrations if folder else migrations, live, notes)
    counting = _Counting(live, schema, notes)
    for migration in migrations:
        tell(f"counting for {migration.name}")
        for statement in migration.statements:
            counting.take(migration, statement)
    counting.finish()
    found = (*counting.counts.found, *map(not_read, wanted.unread))
    names = (*(m.name for m in migrations), *(one.name for one in wanted.unread))
    if not rehearse:
        return Flight(found, names, _once(notes))
    rehearsal = Rehearsing(live, schema, found, tell).run(migrations)
    notes += rehearsal.notes
    return Flight(found, names, _once(notes), rehearsal.steps, rehearsal.followed)


def _of_code(unread: Iterable[Unread]) -> Iterator[str]:
    """What to do about migrations in code."""
    for one in unread:
        yield (
            f"{one.name} is code and not read: what it would do is not known. "
            f"Have its tool write it as SQL ({one.as_sql})."
        )


def _tell_nobody(words: str) -> None:
    pass


def _once(notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def _schema(migrations: Sequence[Migration], live: LiveSource, notes: list[str]) -> str:
    """Where names without a schema lead."""
    try:
        entries = read_history(live)
    except EvidenceError as error:
        if is_lost(error) or _elsewhere(live.catalog.tables.values()):
            raise
        notes.append(f"{error.message} Names without a schema are taken for public's.")
        return PUBLIC
    return schema_of(entries, migrations, live.catalog.tables)


def _elsewhere(tables: Iterable[Table]) -> bool:
    """Whether a history lies where what its migrations name may lie, too, and that is not public.

    Which of them counts only its rows tell.
    """
    return any(t.name.schema != PUBLIC and lies_with_tables(t) for t in tables)


class _Counting:
    """Takes statements one by one, each over what the ones before would have left."""

    def __init__(self, live: LiveSource, schema: str, notes: list[str]) -> None:
        self._forecast = Forecast(live.catalog, schema)
        self._around = Surroundings(live)
        self.counts = Counts(live, self._forecast, self._around, notes)

    def take(self, migration: Migration, statement: Statement) -> None:
        """Count a statement's hazards, then take it as done."""
        counts = self.counts
        counts.begin(migration, statement)
        hazards = self._forecast.reader(self._around.functions).read(statement)
        last = []
        for hazard in hazards:
            if statement.kind == "alter_table_stmt" and hazard.code in _LOOKS_AT_ROWS:
                last.append(hazard)
            else:
                counts.take(hazard)
        counts.take_what_runs_beside()
        counts.take_broken_keys()
        counts.take_refusals()
        counts.take_policies()
        self._around.advance(statement, hazards, self._forecast.standing)
        counts.advance()
        for hazard in last:
            counts.take(hazard)

    def finish(self) -> None:
        """Look back, once the last statement was taken."""
        self.counts.compare_with_successors()
        self.counts.note_what_was_not_followed()
