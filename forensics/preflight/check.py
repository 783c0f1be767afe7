"""Preflight: what a migration would destroy, and where it would fail, counted on live before it runs.

Nothing is written: every count is a SELECT under the read-only snapshot, over the tables as the statements before would
have left them (`forecast`, `counts`). With a rehearsal the statements themselves are run, on a scratch copy of the tables that
matter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from forensics.cause.attribution import definitions
from forensics.cause.history import place, schema_of
from forensics.cause.replay import Replay, Watched
from forensics.errors import EvidenceError
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import Migration, MigrationFolder, read_history
from forensics.model import TableName
from forensics.preflight.counts import Counts
from forensics.preflight.forecast import Forecast
from forensics.preflight.output import Flight, Rehearsed
from forensics.preflight.surroundings import Surroundings
from forensics.scratch import Scratch
from forensics.statements.hazards import ranges

Listener = Callable[[str], None]

# An ALTER TABLE looks at the rows after it has changed the table's shape, in whatever order it is written.
_LOOKS_AT_ROWS = ("add-unique", "add-foreign-key", "add-check", "set-not-null")


def pending(folder: MigrationFolder, live: LiveSource) -> tuple[tuple[Migration, ...], list[str]]:
    """Return the migrations of a folder that live's history does not have in force; a single one is always returned.

    Raises:
        EvidenceError: the history is there and cannot be read.
    """
    if folder.kind == "single file":
        return folder.migrations, []
    entries = read_history(live)
    if not entries:
        return folder.migrations, [
            "Live holds no migration history that is known here: every migration of the folder is looked at."
        ]
    placed = {
        p.name: p for p in place({"backup": [], "live": entries}, {}, folder, None).migrations
    }
    if not any(placed[m.name].in_live for m in folder.migrations):
        tools = " and ".join(sorted({e.tool for e in entries}))
        return folder.migrations, [
            f"Live's migration history ({tools}) names no file of the folder: every migration of it is looked at."
        ]
    return tuple(
        m for m in folder.migrations if placed[m.name].state in ("pending", "rolled back", "failed")
    ), []


def preflight(
    migrations: Sequence[Migration],
    live: LiveSource,
    *,
    rehearse: bool = False,
    listener: Listener | None = None,
) -> Flight:
    """Count on live what migrations would destroy and what stands in their way.

    Args:
        migrations: in the order in which they would run.
        live: the database, under its snapshot.
        rehearse: also run them on a scratch copy.
        listener: is told what is going on.

    Raises:
        MigrationError: one does not parse.
        LiveError: the database was lost, or refuses to be read.
        ScratchError: the rehearsal's server does not start.
    """
    return _Preflight(live, listener or (lambda _: None), migrations).run(rehearse)


@dataclass
class _Preflight:
    live: LiveSource
    tell: Listener
    migrations: Sequence[Migration]
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._catalog = self.live.catalog
        self._forecast = Forecast(self._catalog, self._schema)
        self._around = Surroundings(self.live)
        self._counts = Counts(
            self.live, self._forecast, self._around, Migration("", Path(), b""), notes=self.notes
        )
        self._followed: set[TableName] = set()

    @cached_property
    def _schema(self) -> str:
        """Where names without a schema lead: where the history table lies, else public."""
        try:
            entries = read_history(self.live)
        except EvidenceError as error:
            self.notes.append(f"{error.message}")
            entries = []
        return schema_of(entries, self.migrations)

    def run(self, rehearse: bool) -> Flight:
        for migration in self.migrations:
            self.tell(f"counting for {migration.name}")
            for statement in migration.statements:
                self._counts.begin(migration, statement)
                hazards = self._forecast.reader(self._around.functions).read(statement)
                last = [
                    h
                    for h in hazards
                    if h.code in _LOOKS_AT_ROWS and statement.kind == "alter_table_stmt"
                ]
                for hazard in hazards:
                    if hazard not in last:
                        self._counts.take(hazard)
                self._counts.take_what_runs_beside(statement)
                self._around.advance(
                    statement,
                    hazards,
                    (self._forecast.schema, *self._forecast.path),
                    self._forecast.tables,
                )
                self._counts.advance(statement)
                for hazard in last:
                    self._counts.take(hazard)
        self._counts.compare_with_successors()
        rehearsal = self._rehearse() if rehearse else None
        names = tuple(m.name for m in self.migrations)
        return Flight(
            tuple(self._counts.found),
            names,
            tuple(dict.fromkeys(self.notes)),
            rehearsal,
            frozenset(self._followed),
        )

    def _rehearse(self) -> tuple[Rehearsed, ...]:
        """Run the statements on a scratch copy of the tables that they name, those around them included."""
        named = set()
        for migration in self.migrations:
            for statement in migration.statements:
                named |= {
                    TableName(r.schemaname or self._schema, r.relname)
                    for r in ranges(statement.node)
                }
        named |= {w.hazard.table for w in self._counts.found if w.hazard.table}
        named = {self._catalog.root(n) for n in named if n in self._catalog.tables}
        parents = {f.parent for n in named for f in self._catalog.tables[n].foreign_keys}
        children = {
            t.name for t in self._catalog.roots if any(f.parent in named for f in t.foreign_keys)
        }
        self.tell("starting a scratch PostgreSQL")
        with Scratch() as scratch, Replay(scratch) as replay:
            statements = list(self.live.statements())
            if not statements:
                self.notes.append(
                    "No pg_dump suits the server: CHECK constraints, triggers, functions and views are not in the rehearsal."
                )
            replay.build(statements or definitions(self._catalog), self._catalog.extensions)
            watched = list(self._copy(replay, sorted(named | parents | children)))
            replay.finish()
            for one in watched:
                words = replay.watch(one)
                if words is None:
                    self._followed.add(one.name)
                else:
                    self.notes.append(f"{one.name} is not followed in the rehearsal: {words}.")
            replay.run(self.migrations, self._schema, lambda name: self.tell(f"rehearsing {name}"))
            took: dict[int, dict[str, int]] = {}
            for one in watched:
                for step, rows in replay.gone(one).items() if one.oid is not None else ():
                    if step:
                        took.setdefault(step, {})[str(one.name)] = rows
            for effect in replay.effects:
                if effect.step and effect.values > 0:
                    took.setdefault(effect.step, {})[f"{effect.name}.{effect.column}"] = (
                        effect.values
                    )
            self.notes += [n.replace("of the replay", "of the rehearsal") for n in replay.notes]
            return tuple(
                Rehearsed(
                    s.migration,
                    s.statement.line,
                    s.statement.text,
                    round(s.seconds, 4),
                    s.error,
                    took.get(s.number, {}),
                )
                for s in replay.steps
            )

    def _copy(self, replay: Replay, names: Sequence[TableName]) -> Iterator[Watched]:
        dropped = {
            (w.hazard.table, w.hazard.column)
            for w in self._counts.found
            if w.hazard.code in ("drop-column", "drop-type") and w.hazard.column
        }
        for name in names:
            table = self._catalog.tables[name]
            columns = tuple(c.name for c in table.columns if not c.generated)
            self.tell(f"copying {name}")
            started = time.monotonic()
            words = None
            for segment in self.live.segments(name, columns):
                words = words or replay.load(name, segment.columns, segment.blocks())
            if words:
                self.notes.append(f"{name} could not be copied for the rehearsal: {words}.")
                continue
            self.tell(f"copied {name} in {time.monotonic() - started:.1f} s")
            key = table.primary_key.columns if table.primary_key else ()
            values = tuple(c for c in columns if (name, c) in dropped)
            yield Watched(name, key, key or columns, values=values)
