"""A rehearsal: the statements run on a scratch copy of the tables that matter."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from forensics.cause.attribution import definitions
from forensics.cause.replay import Replay, Watched
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import NOT_UNDERSTOOD, Migration
from forensics.model import TableName
from forensics.preflight.output import Forewarning, Rehearsed
from forensics.scratch import Scratch
from forensics.statements.hazards import ranges, spoken_of

Listener = Callable[[str], None]

_NO_PG_DUMP = (
    "No pg_dump suits the server: CHECK constraints, triggers, functions and views are not in "
    "the rehearsal."
)


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal showed.

    Attributes:
        steps: the statements in order, each with what it took.
        followed: the tables whose rows were followed.
        notes: what could not be copied or followed, and why.
    """

    steps: tuple[Rehearsed, ...]
    followed: frozenset[TableName]
    notes: tuple[str, ...]


class Rehearsing:
    """Runs migrations on a scratch copy.

    Args:
        live: the database, under its snapshot.
        schema: where names without a schema lead.
        found: the hazards that were counted.
        tell: is told what is going on.
    """

    def __init__(
        self,
        live: LiveSource,
        schema: str,
        found: Sequence[Forewarning],
        tell: Listener,
    ) -> None:
        self._live = live
        self._catalog = live.catalog
        self._schema = schema
        self._found = found
        self._tell = tell
        self._notes: list[str] = []

    def run(self, migrations: Sequence[Migration]) -> Rehearsal:
        """Run them, the tables around those that they name included.

        Raises:
            ScratchError: the scratch server does not start.
            LiveError: the database was lost, or refuses to be read.
        """
        names = self._with_neighbours(self._named(migrations))
        self._tell("starting a scratch PostgreSQL")
        with Scratch() as scratch, Replay(scratch) as replay:
            watched = self._build(replay, names)
            followed = self._watch(replay, watched)
            replay.run(migrations, self._schema, self._tell_step)
            took = _taken(replay, watched)
            for note in replay.notes:
                self._notes.append(note.replace("of the replay", "of the rehearsal"))
            steps = _steps(replay, took)
        return Rehearsal(steps, frozenset(followed), tuple(self._notes))

    def _tell_step(self, name: str) -> None:
        self._tell(f"rehearsing {name}")

    # --- which tables ---

    def _named(self, migrations: Sequence[Migration]) -> set[TableName]:
        """The tables that the migrations name, or are a danger to."""
        named = set()
        for migration in migrations:
            for statement in migration.statements:
                if statement.kind == NOT_UNDERSTOOD:
                    named |= spoken_of(statement.text, self._catalog)
                for relation in ranges(statement.node):
                    schema = relation.schemaname or self._schema
                    named.add(TableName(schema, relation.relname))
        for warning in self._found:
            if warning.hazard.table:
                named.add(warning.hazard.table)
        return {self._catalog.root(n) for n in named if n in self._catalog.tables}

    def _with_neighbours(self, named: set[TableName]) -> list[TableName]:
        """Tables with those that they refer to, and those that refer to them."""
        found = set(named)
        for name in named:
            for key in self._catalog.tables[name].foreign_keys:
                found.add(key.parent)
        for table in self._catalog.roots:
            if any(key.parent in named for key in table.foreign_keys):
                found.add(table.name)
        return sorted(found)

    # --- the copy ---

    def _build(self, replay: Replay, names: Sequence[TableName]) -> list[Watched]:
        """Make the tables with what is defined around them, and copy their rows."""
        statements = list(self._live.statements())
        if not statements:
            self._notes.append(_NO_PG_DUMP)
            statements = list(definitions(self._catalog))
        replay.build(statements, self._catalog.extensions)
        watched = list(self._copy(replay, names))
        replay.finish()
        return watched

    def _copy(self, replay: Replay, names: Sequence[TableName]) -> Iterator[Watched]:
        dropped = self._dropped_columns()
        for name in names:
            table = self._catalog.tables[name]
            columns = tuple(c.name for c in table.columns if not c.generated)
            self._tell(f"copying {name}")
            started = time.monotonic()
            words = None
            for segment in self._live.segments(name, columns):
                words = words or replay.load(name, segment.columns, segment.blocks())
            if words:
                self._notes.append(f"{name} could not be copied for the rehearsal: {words}.")
                continue
            self._tell(f"copied {name} in {time.monotonic() - started:.1f} s")
            key = table.primary_key.columns if table.primary_key else ()
            values = tuple(c for c in columns if (name, c) in dropped)
            yield Watched(name, key, key or columns, values=values)

    def _dropped_columns(self) -> set[tuple[TableName | None, str]]:
        dropped = set()
        for warning in self._found:
            hazard = warning.hazard
            if hazard.code in ("drop-column", "drop-type") and hazard.column:
                dropped.add((hazard.table, hazard.column))
        return dropped

    def _watch(self, replay: Replay, watched: Sequence[Watched]) -> list[TableName]:
        """Follow the rows of tables; return those where that can be done."""
        followed = []
        for one in watched:
            words = replay.watch(one)
            if words is None:
                followed.append(one.name)
            else:
                self._notes.append(f"{one.name} is not followed in the rehearsal: {words}.")
        return followed


def _taken(replay: Replay, watched: Sequence[Watched]) -> dict[int, dict[str, int]]:
    """By step, how many rows of which table went, and how many values of which column."""
    took: dict[int, dict[str, int]] = {}
    for one in watched:
        if one.oid is None:
            continue
        for step, rows in replay.gone(one).items():
            if step:
                took.setdefault(step, {})[str(one.name)] = rows
    for effect in replay.effects:
        if effect.step and effect.values > 0:
            column = f"{effect.name}.{effect.column}"
            took.setdefault(effect.step, {})[column] = effect.values
    return took


def _steps(replay: Replay, took: dict[int, dict[str, int]]) -> tuple[Rehearsed, ...]:
    steps = []
    for step in replay.steps:
        steps.append(
            Rehearsed(
                step.migration,
                step.statement.line,
                step.statement.text,
                round(step.seconds, 4),
                step.error,
                took.get(step.number, {}),
                step.statement.kind != NOT_UNDERSTOOD,
            )
        )
    return tuple(steps)
