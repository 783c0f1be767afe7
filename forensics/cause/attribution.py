"""Which statement did it: what the replay counted, laid beside what `compare` found missing, down to the last row.

For every table the statements' rows and the unexplained ones add up to the rows that are missing. A row that the
application deleted before the migration ran is unexplained where no statement would have taken it; where one would have
(a DROP TABLE), it counts for that statement: nobody can know which came first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psycopg
import pyarrow as pa
import pyarrow.compute as pc

from forensics.cause.history import History, place
from forensics.cause.replay import Replay, Watched, copy_lines
from forensics.cause.timeline import backup_at, timeline
from forensics.errors import EvidenceError, ScratchError, redact
from forensics.evidence import Source, open_source
from forensics.evidence.migrations import MigrationFolder, Statement, history_of
from forensics.model import Catalog, ColumnChange, TableName, TableResult, plain
from forensics.scratch import Scratch
from forensics.statements.hazards import CODES, Hazard, destructive, ranges, read_hazards
from forensics.store import Store

Listener = Callable[[str], None]

_WHOLE = ("drop-table", "truncate", "delete-all", "drop-schema", "rename-table")
_OF_KEY = ("drop-column", "drop-type", "type-change", "update-all", "update-where", "rename-column")
_OF_COLUMN = ("drop-column", "rename-column", "drop-type")


@dataclass(frozen=True)
class Ask:
    """What to attribute by.

    Attributes:
        folder: the migration files; None attributes nothing and only places what the histories say.
        ran: shell patterns of migrations that ran between backup and live, where no history says so.
        scratch: a running server to use; None starts one.
    """

    folder: MigrationFolder | None
    ran: tuple[str, ...] = ()
    scratch: Scratch | None = None


@dataclass
class _Account:
    """What one statement did to one table, or to one column of it."""

    step: int
    migration: str
    statement: Statement
    hazard: str
    name: TableName | None
    column: str | None = None
    rows: int = 0
    moved: int = 0
    changed: int = 0
    blanked: int = 0
    counted: Literal["replay", "backup"] = "replay"
    left_over: bool = False
    moved_to: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Step:
    """A statement between backup and live, with its hazards."""

    number: int
    migration: str
    statement: Statement
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True)
class Attribution:
    """What was worked out.

    Attributes:
        found: as `cause.json` has it.
        taken: by table, the missing rows that a statement took: `pair`, as the case numbers them, and `statement`, the
            place in `found["statements"]`.
        left: by table, the statement that took the missing rows which `taken` does not have, where one did without having been replayed.
    """

    found: dict[str, Any]
    taken: Mapping[TableName, pa.Table]
    left: Mapping[TableName, int]

    def write(self, store: Store) -> None:
        """Write it into a case: the fact `cause`, and tables `cause.rows_N` (pair, statement), N being the table's number."""
        store.put("cause", self.found)
        db = store.connection
        db.execute("DROP SCHEMA IF EXISTS cause CASCADE")
        db.execute("CREATE SCHEMA cause")
        for name in sorted({*self.taken, *self.left}):
            number = store.number(name)
            target = f"cause.rows_{number}"
            db.execute(f"CREATE TABLE {target} (pair BIGINT, statement INTEGER)")
            if name in self.taken:
                db.register("taken", self.taken[name])
                db.execute(f"INSERT INTO {target} SELECT pair, statement FROM taken ORDER BY pair")
                db.unregister("taken")
            if name in self.left:
                db.execute(
                    f"INSERT INTO {target} SELECT pair, ? FROM rows.backup_{number} WHERE state = 'missing' "
                    f"AND pair NOT IN (SELECT pair FROM {target}) ORDER BY pair",
                    [self.left[name]],
                )


def attribute(store: Store, ask: Ask, listener: Listener | None = None) -> Attribution:
    """Work out which migration statement took what.

    Args:
        store: the case, compared to its end; only read.
        listener: is told what is going on.

    Raises:
        UsageError: a pattern of `ask.ran` fits no migration.
        MigrationError: a migration that ran between backup and live does not parse.
        CaseError: the case was written before histories were kept.
    """
    return _Attribution(store, ask, listener or (lambda _: None)).run()


class _Attribution:
    def __init__(self, store: Store, ask: Ask, listener: Listener) -> None:
        self._store, self._ask, self._tell = store, ask, listener
        self._backup, self._live = store.catalogs()
        self._results: dict[TableName, TableResult] = {r.name: r for r in store.results()}
        self._changes: list[ColumnChange] = store.changes()
        self._history = _history(store, ask)
        self._notes = list(self._history.notes)
        self._steps = list(self._read())
        self._accounts: dict[tuple[int, TableName | None, str | None], _Account] = {}
        self._failed: dict[int, str] = {}
        self._measured: set[tuple[TableName, str]] = set()
        self._taken: dict[TableName, pa.Table] = {}
        self._dropped: dict[
            int, int
        ] = {}  # by a step that detached a partition, the step that dropped it
        self._replayed: dict[str, Any] = {"ran": False, "seconds": 0.0, "failed": []}

    def _read(self) -> Iterator[_Step]:
        number = 0
        for migration in self._history.between:
            for statement, hazards in read_hazards(migration, self._backup, self._history.schema):
                number += 1
                yield _Step(number, migration.name, statement, tuple(hazards))

    def run(self) -> Attribution:
        rest = {n: r.missing for n, r in self._results.items() if r.missing}
        values = {
            (c.name, c.column): c.values_missing
            for c in self._changes
            if c.change == "dropped" and c.values_missing
        }
        if self._steps and (rest or values or any(r.changed for r in self._results.values())):
            if not self._replay(rest, values):
                self._failed = {s.number: "it was not replayed" for s in self._steps}
            self._count_from_backup(rest, values)
        self._list_harmless()
        return self._answer(rest, values)

    # --- the replay --------------------------------------------------------------------------------

    def _replay(self, rest: dict[TableName, int], values: dict[tuple[TableName, str], int]) -> bool:
        """Replay; take what is accounted for out of `rest` and `values`. Return whether it ran at all."""
        started = time.monotonic()
        self._tell("starting a scratch PostgreSQL")
        left, held = dict(rest), dict(values)
        try:
            with lent(self._ask.scratch) as scratch, Replay(scratch) as replay:
                self._notes_of_server(scratch)
                whole = self._load(replay)
                watched = self._watch(replay, whole)
                self._measured = {(w.name, c) for w in watched for c in w.values}
                replay.run(
                    self._history.between,
                    self._history.schema,
                    lambda name: self._tell(f"replaying {name}"),
                )
                self._dropped = dict(
                    self._dropped_afterwards({s.number for s in replay.steps if not s.error})
                )
                for one in watched:
                    self._settle(replay, one, left)
                self._settle_values(replay, held)
                self._settle_renamed(replay, watched)
                self._failed = {s.number: s.error for s in replay.steps if s.error}
                self._notes += replay.notes
        except (ScratchError, psycopg.Error) as error:
            words = (
                error.message
                if isinstance(error, ScratchError)
                else redact(str(error).splitlines()[0])
            )
            self._notes.append(
                f"The replay could not run, and statements are counted from the backup alone: {words}"
            )
            # What a broken replay had settled already is not half kept.
            self._accounts.clear()
            self._taken.clear()
            self._measured.clear()
            return False
        rest |= left
        values |= held
        for step in replay.steps:
            if step.error:
                self._replayed["failed"].append(
                    {
                        "migration": step.migration,
                        "line": step.statement.line,
                        "sql": step.statement.text,
                        "error": step.error,
                    }
                )
        self._replayed |= {"ran": True, "seconds": round(time.monotonic() - started, 3)}
        return True

    def _notes_of_server(self, scratch: Scratch) -> None:
        theirs = (
            self._store.evidence()[1].server_version or self._store.evidence()[0].server_version
        )
        self._replayed |= {"server_version": scratch.version, "live_version": theirs}

    def _matter(self) -> set[TableName]:
        """The tables whose rows the replay needs: what differs, what the statements name, and the parents of these."""
        found = {n for n, r in self._results.items() if r.missing or r.changed}
        found |= {c.name for c in self._changes if c.change in ("dropped", "type")}
        named = set()
        for step in self._steps:
            for relation in ranges(step.statement.node):
                named.add(TableName(relation.schemaname or self._history.schema, relation.relname))
            named |= {h.table for h in step.hazards if h.table}
        named = {self._backup.root(n) for n in named if n in self._backup.tables}
        parents = {f.parent for n in named for f in self._backup.tables[n].foreign_keys}
        return {n for n in found | named | parents if n in self._backup.tables}

    def _load(self, replay: Replay) -> set[TableName]:
        """Build the backup's schema and fill the tables that matter; return those that hold every row of the backup."""
        self._tell("building the backup's schema")
        replay.build(self._store.get("ddl") or definitions(self._backup), self._backup.extensions)
        whole: set[TableName] = set()
        source = _reopened(self._store, self._notes)
        try:
            for name in sorted(self._matter()):
                if not replay.has(name):
                    continue
                self._tell(f"loading {name}")
                words = (
                    self._load_from_file(replay, source, name)
                    if source
                    else self._load_from_case(replay, name)
                )
                if words:
                    self._notes.append(
                        f"The rows of {name} could not be loaded into the replay: {words}."
                    )
                elif source or not (self._results.get(name) and self._results[name].unchanged):
                    whole.add(name)
        finally:
            if source:
                source.close()
        replay.finish()
        return whole

    def _load_from_file(self, replay: Replay, source: Source, name: TableName) -> str | None:
        columns = [c.name for c in source.catalog.tables[name].columns if not c.generated]
        for segment in source.segments(name, columns):
            words = replay.load(name, segment.columns, segment.blocks())
            if words:
                return words
        return None

    def _load_from_case(self, replay: Replay, name: TableName) -> str | None:
        columns = self._store.columns(name, "backup")
        return (
            replay.load(name, columns, self._kept(name, columns, ("missing", "changed")))
            if columns
            else None
        )

    def _kept(
        self, name: TableName, columns: Sequence[str], states: Sequence[str], *, pair: bool = False
    ) -> Iterator[bytes]:
        """Rows of the case as COPY text."""
        found = self._store.rows(name, "backup", states)
        places = [found.column_names.index(c, 1) for c in columns]
        for batch in found.to_batches(10_000):
            fields = [batch.column(i).to_pylist() for i in places]
            numbers = [[str(n) for n in batch.column(0).to_pylist()]] if pair else []
            yield from copy_lines(zip(*numbers, *fields, strict=True))

    def _watch(self, replay: Replay, whole: set[TableName]) -> list[Watched]:
        found = []
        for name, result in self._results.items():
            lost = tuple(
                c.column
                for c in self._changes
                if c.name == name and c.change == "dropped" and c.values_missing
            )
            if not (result.missing or result.changed or lost) or name not in self._backup.tables:
                continue
            key = result.key if result.key_source != "all columns" else ()
            stored = self._store.columns(name, "backup")
            if not key and result.state == "compared":
                stored = result.columns
            watched = Watched(
                name,
                key,
                stored,
                values=lost if name in whole else (),
                changed=result.columns if key and result.changed else (),
            )
            words = replay.unbuilt.get(name) or replay.watch(
                watched,
                self._kept(name, stored, ("missing",), pair=True),
                self._kept(name, key, ("changed",)) if watched.changed else None,
            )
            if words:
                self._notes.append(f"{name} could not be followed in the replay: {words}.")
            else:
                found.append(watched)
        return found

    # --- accounts ----------------------------------------------------------------------------------

    def _account(self, number: int, name: TableName | None, column: str | None = None) -> _Account:
        place = (number, name, column)
        if place not in self._accounts:
            step = self._steps[number - 1]
            self._accounts[place] = _Account(
                number, step.migration, step.statement, self._code(step, name, column), name, column
            )
        return self._accounts[place]

    def _code(self, step: _Step, name: TableName | None, column: str | None) -> str:
        if name is None:
            return next((h.code for h in step.hazards), "side-effect")
        about = [
            replace(h, table=name)
            for h in step.hazards
            if h.table and name in self._reached(h.table)
        ]
        hazard = destructive(about, name, column) or (
            destructive(about, name, None) if column else None
        )
        if hazard is None:
            # What changes or drops a column that is the rows' key takes the rows, as far as the key tells them.
            hazard = next((h for h in about if h.code in _OF_KEY), None)
        if hazard is not None:
            return hazard.code
        codes = {h.code for h in step.hazards}
        if codes & {"delete-all", "delete-where"} and self._hangs_on(
            {h.table for h in step.hazards if h.table}, name
        ):
            return "delete-cascades"
        return "drop-cascade" if any(h.cascade for h in step.hazards) else "side-effect"

    def _reached(self, name: TableName) -> set[TableName]:
        """The tables whose rows a statement that names one reaches: itself, the root of a partition, what inherits from it."""
        found = {name, self._backup.root(name)}
        while (
            more := {t.name for t in self._backup.tables.values() if found.intersection(t.inherits)}
            - found
        ):
            found |= more
        return found

    def _hangs_on(self, parents: set[TableName], name: TableName) -> bool:
        """Whether deleting rows of `parents` deletes or empties rows of `name` through foreign keys."""
        seen: set[TableName] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop()
            seen.add(one)
            table = self._backup.tables.get(one)
            follow = ("cascade", "set null", "set default") if one == name else ("cascade",)
            for key in table.foreign_keys if table else ():
                if key.on_delete in follow and key.parent not in seen:
                    if key.parent in parents:
                        return True
                    waiting.append(key.parent)
        return False

    def _settle(self, replay: Replay, watched: Watched, rest: dict[TableName, int]) -> None:
        renamed = next((k for k in watched.key if replay.renamed_column(watched, k)), None)
        if renamed is not None:
            # The rows stand there to the end, under a key that goes by another name: another column has the key's now.
            codes = [
                s.number
                for s in self._steps
                for h in s.hazards
                if (h.code, h.table, h.column) == ("rename-column", watched.name, renamed)
            ]
            if codes and (rows := replay.lay(watched, codes[-1])):
                self._account(codes[-1], watched.name).moved = rows
        for step, rows in sorted((s, n) for s, n in replay.gone(watched).items() if s):
            self._account(self._dropped.get(step, step), watched.name).rows += rows
            rest[watched.name] -= rows
        for step, rows in sorted((s, n) for s, n in replay.changed(watched).items() if s):
            self._account(step, watched.name, self._one_column(step, watched.name)).changed += rows
        for other, columns in self._copies(replay, watched):
            for step, rows in replay.survivors(watched, other, columns).items():
                account = self._account(self._dropped.get(step, step), watched.name)
                account.moved = min(account.rows, max(account.moved, rows))
                account.moved_to.append(str(other))
        taken = replay.taken(watched)
        for step, later in self._dropped.items():
            steps = pc.if_else(
                pc.equal(taken["step"], step), pa.scalar(later, pa.int32()), taken["step"]
            )
            taken = taken.set_column(1, "step", steps)
        self._taken[watched.name] = taken
        self._settle_links(watched)

    def _dropped_afterwards(self, ran: Container[int]) -> Iterator[tuple[int, int]]:
        """Steps that detached a partition which another dropped: while it stood by itself its rows were there.

        Args:
            ran: the steps that ran to their end.
        """
        detached: dict[TableName, int] = {}
        for step in (s for s in self._steps if s.number in ran):
            for hazard in step.hazards:
                if hazard.code == "detach-partition" and not hazard.within:
                    part = getattr(hazard.node, "def").partition_cmd.name
                    schema = part.schemaname or next(
                        (n.schema for n in self._backup.tables if n.table == part.relname), ""
                    )
                    detached[TableName(schema, part.relname)] = step.number
                elif (
                    hazard.code == "drop-table"
                    and hazard.table in detached
                    and hazard.table not in self._live.tables
                ):
                    yield detached.pop(hazard.table), step.number

    def _one_column(self, step: int, name: TableName) -> str | None:
        """The column that a step changes in a table, where it is a single one."""
        codes = ("update-all", "update-where", "type-change")
        columns = {
            h.column for h in self._steps[step - 1].hazards if h.table == name and h.code in codes
        }
        return columns.pop() if len(columns) == 1 else None

    def _settle_links(self, watched: Watched) -> None:
        """Of a junction table's rows that a step took, those whose link live still holds: the loss was classified before."""
        entry = next(
            (
                j
                for j in (self._store.get("loss") or {}).get("junctions", ())
                if TableName(j["schema"], j["table"]) == watched.name
            ),
            None,
        )
        if entry is None or not (entry["moved"] or entry["superseded"]):
            return
        with self._store.query() as cursor:
            cursor.register("taken", self._taken[watched.name])
            kept = cursor.execute(
                f"SELECT step, count(*) FROM taken JOIN loss.links_{int(entry['number'])} l USING (pair) "
                "WHERE l.class IN ('moved', 'superseded') GROUP BY step"
            ).fetchall()
        for step, rows in kept:
            account = self._account(step, watched.name)
            account.moved = max(account.moved, rows)
            account.moved_to += [
                p["table"] + (f".{p['column']}" if p["column"] else "") for p in entry["moved_to"]
            ]

    def _settle_values(self, replay: Replay, values: dict[tuple[TableName, str], int]) -> None:
        gained: dict[tuple[TableName, str], int] = {}
        for effect in replay.effects:
            place = (effect.name, effect.column)
            if effect.blanked:
                self._account(effect.step, effect.name, effect.column).blanked += effect.blanked
            if effect.values < 0:
                # A statement wrote values that the backup did not have: they are no loss of the backup's when they go.
                gained[place] = gained.get(place, 0) - effect.values
            elif effect.values and effect.step:
                spared = min(gained.get(place, 0), effect.values)
                gained[place] = gained.get(place, 0) - spared
                if lost := min(effect.values - spared, values.get(place, 0)):
                    self._account(effect.step, effect.name, effect.column).rows += lost
                    values[place] -= lost

    def _settle_renamed(self, replay: Replay, watched: Sequence[Watched]) -> None:
        """Values of a column that only goes on under another name are not lost."""
        for one in watched:
            for column in one.values:
                if name := replay.renamed_column(one, column):
                    for account in self._accounts.values():
                        if (account.name, account.column, account.hazard) == (
                            one.name,
                            column,
                            "rename-column",
                        ):
                            account.moved = account.rows
                            account.moved_to.append(f"{one.name}.{name}")

    def _copies(
        self, replay: Replay, watched: Watched
    ) -> Iterator[tuple[TableName, dict[str, str]]]:
        """Where rows of a table may stand at the end: under its new name, or where a statement copied them to."""
        if renamed := replay.renamed(watched):
            yield renamed, {c: c for c in (watched.key or watched.columns)}
        for step in self._steps:
            found = copied_columns(
                step.statement,
                watched.name,
                self._history.schema,
                watched.columns,
                replay.columns_of,
            )
            if found and found[0] != watched.name:
                target, columns = found
                telling = {k: columns[k] for k in watched.key if k in columns}
                yield (
                    target,
                    telling if watched.key and len(telling) == len(watched.key) else columns,
                )

    # --- without a replay --------------------------------------------------------------------------

    def _count_from_backup(
        self, rest: dict[TableName, int], values: dict[tuple[TableName, str], int]
    ) -> None:
        """Lay what is left at statements that did not run in the replay, where their text alone says what they took."""
        for step in self._steps:
            failed = self._failed.get(step.number)
            for hazard in step.hazards:
                if hazard.within or hazard.table is None:
                    continue
                place = (hazard.table, hazard.column or "")
                if (
                    hazard.code in _OF_COLUMN
                    and values.get(place)
                    and (failed or place not in self._measured)
                ):
                    self._take_from_backup(self._account(step.number, *place), values.pop(place))
                if not failed or not rest.get(hazard.table):
                    continue
                if hazard.code in _WHOLE:
                    account = self._account(step.number, hazard.table)
                    account.left_over = True
                    self._take_from_backup(account, rest.pop(hazard.table))
                elif hazard.code in ("delete-where", "type-change"):
                    self._notes.append(
                        f"{step.migration}, line {step.statement.line}: not replayed ({failed}), so rows of {hazard.table} "
                        "that it took count as unexplained."
                    )

    @staticmethod
    def _take_from_backup(account: _Account, rows: int) -> None:
        account.rows += rows
        account.counted = "backup"

    def _list_harmless(self) -> None:
        """Statements that can destroy rows and took none that is missing are listed with 0."""
        for step in self._steps:
            for hazard in step.hazards:
                named = (
                    hazard.destroys
                    and hazard.table is not None
                    and not (hazard.within or "").startswith("function")
                )
                table = self._backup.tables.get(hazard.table) if hazard.table else None
                if (
                    named
                    and hazard.table
                    and hazard.code != "drop-cascade"
                    and table
                    and (hazard.column is None or table.column(hazard.column))
                ):
                    # A partition's rows are counted as those of its table.
                    self._account(step.number, self._backup.root(hazard.table), hazard.column)

    # --- the answer --------------------------------------------------------------------------------

    def _answer(
        self, rest: Mapping[TableName, int], values: Mapping[tuple[TableName, str], int]
    ) -> Attribution:
        accounts = sorted(
            self._accounts.values(),
            key=lambda a: (a.step, a.name or TableName("", ""), a.column or ""),
        )
        found = {
            "migrations": [plain(m) for m in self._history.migrations],
            "statements": [_statement(a) for a in accounts],
            "unexplained": [
                {"schema": n.schema, "table": n.table, "rows": rows}
                for n, rows in sorted(rest.items())
                if rows
            ],
            "unexplained_values": [
                {"schema": n.schema, "table": n.table, "column": c, "values": rows}
                for (n, c), rows in sorted(values.items())
                if rows
            ],
            "hazards": [
                {"migration": s.migration, **plain_hazard(h)}
                for s in self._steps
                for h in s.hazards
            ],
            "replay": self._replayed,
            "notes": list(dict.fromkeys(self._notes)),
            "timeline": timeline(self._store, self._history),
        }
        places = {(a.step, a.name): i for i, a in enumerate(accounts) if a.column is None}
        taken = {}
        for name, table in self._taken.items():
            steps = pa.array(
                [places[step, name] for step in table["step"].unique().to_pylist()], pa.int32()
            )
            at = pc.index_in(table["step"], table["step"].unique())
            taken[name] = pa.table({"pair": table["pair"], "statement": steps.take(at)})
        return Attribution(
            found, taken, {a.name: i for i, a in enumerate(accounts) if a.left_over and a.name}
        )


def lent(scratch: Scratch | None) -> AbstractContextManager[Scratch]:
    """A server for the length of a `with` block: the one that is given, which goes on, or one of its own."""
    return nullcontext(scratch) if scratch else Scratch()


def _history(store: Store, ask: Ask) -> History:
    found = store.get("history") or {"backup": [], "live": [], "errors": {}}
    entries = {side: history_of(found[side]) for side in ("backup", "live")}
    return place(entries, found["errors"], ask.folder, backup_at(store), ask.ran)


def _statement(account: _Account) -> dict[str, Any]:
    name = account.name
    return {
        "migration": account.migration,
        "line": account.statement.line,
        "sql": account.statement.text,
        "hazard": account.hazard,
        "schema": name.schema if name else None,
        "table": name.table if name else None,
        "column": account.column,
        "rows": account.rows,
        "moved": account.moved,
        "moved_to": sorted(set(account.moved_to)),
        "changed": account.changed,
        "blanked": account.blanked,
        "counted": account.counted,
    }


def plain_hazard(hazard: Hazard) -> dict[str, Any]:
    """Return a hazard as JSON has it."""
    return {
        "line": hazard.line,
        "sql": hazard.sql,
        "hazard": hazard.code,
        "says": CODES[hazard.code].words,
        "schema": hazard.table.schema if hazard.table else None,
        "table": hazard.table.table if hazard.table else None,
        "column": hazard.column,
        "within": hazard.within,
    }


def _reopened(store: Store, notes: list[str]) -> Source | None:
    """The backup's file, where it is still the one that was compared."""
    was = store.evidence()[0]
    if was.kind == "database" or not was.path or not Path(was.path).exists():
        notes.append(
            "The backup's file is not there any more: the replay knows only the rows that are missing or changed."
        )
        return None
    try:
        source = open_source(was.path, database=was.database)
    except EvidenceError as error:
        notes.append(
            f"The backup's file cannot be read any more, and the replay knows only rows that differ: {error.message}"
        )
        return None
    if source.provenance.sha256 != was.sha256:
        source.close()
        notes.append(
            f"{was.path} is not the file that was compared: the replay knows only the rows that are missing or changed."
        )
        return None
    return source


def copied_columns(
    statement: Statement,
    name: TableName,
    schema: str,
    known: Sequence[str],
    order: Callable[[TableName], Sequence[str]],
) -> tuple[TableName, dict[str, str]] | None:
    """Return where a statement copies rows of `name` to, and by column of `name` the column that gets it; None for others.

    `order` says which columns an INSERT that names none means. Read are INSERT … SELECT and CREATE TABLE … AS SELECT with `name` in FROM and plain columns in the list.
    """
    node, target = statement.node, None
    names: Sequence[str] = ()
    if statement.kind == "insert_stmt":
        target, select = node.relation, node.select_stmt.select_stmt
        names = [c.res_target.name for c in node.cols] or order(
            TableName(target.schemaname or schema, target.relname)
        )
    elif statement.kind == "create_table_as_stmt" and node.into.HasField("rel"):
        target, select = node.into.rel, node.query.select_stmt
    if target is None:
        return None
    sources = {
        TableName(r.schemaname or schema, r.relname): r
        for f in select.from_clause
        for r in ranges(f)
    }
    if name not in sources:
        return None
    alias = sources[name].alias.aliasname or name.table
    found: dict[str, str] = {}
    place = 0
    for item in select.target_list:
        value = item.res_target.val
        parts = (
            [f.string.sval if f.HasField("string") else "*" for f in value.column_ref.fields]
            if value.HasField("column_ref")
            else []
        )
        if parts in (["*"], [alias, "*"]):
            for column in known:
                found[column] = names[place] if place < len(names) else column
                place += 1
            continue
        if parts and (len(parts) == 1 or parts[0] == alias) and parts[-1] in known:
            found.setdefault(
                parts[-1],
                names[place] if place < len(names) else (item.res_target.name or parts[-1]),
            )
        place += 1
    return (TableName(target.schemaname or schema, target.relname), found) if found else None


def definitions(catalog: Catalog) -> list[str]:
    """Return a catalogue as DDL, where a side has no text of its own: types, tables with their keys, and foreign keys.

    What a catalogue does not record is not made: CHECK constraints, triggers, functions, views and plain indexes.
    """
    from forensics.model import quote_identifier as q

    schemas = sorted(
        {t.schema for t in catalog.tables} | {s.name.schema for s in catalog.sequences}
    )
    found = [f"CREATE SCHEMA {q(s)}" for s in schemas if s != "public"]
    found += [
        f"CREATE TYPE {n} AS ENUM ({', '.join(_literal(v) for v in labels)})"
        for n, labels in catalog.enums.items()
    ]
    found += [f"CREATE DOMAIN {n} AS {base}" for n, base in catalog.domains.items()]
    found += [f"CREATE SEQUENCE {s.name.sql}" for s in catalog.sequences]
    foreign = []
    for name, table in sorted(catalog.tables.items()):
        if table.kind == "partition" or table.kind not in ("table", "partitioned"):
            continue
        columns = []
        for c in table.columns:
            text = f"{q(c.name)} {c.type}"
            if c.generated:
                text += f" GENERATED ALWAYS AS ({c.generated}) STORED"
            elif c.identity:
                text += f" GENERATED {c.identity.upper()} AS IDENTITY"
            elif c.default is not None:
                text += f" DEFAULT {c.default}"
            columns.append(text + ("" if c.nullable else " NOT NULL"))
        for k in table.keys:
            listed = ", ".join(map(q, k.columns))
            nulls = "" if k.primary or k.nulls_distinct else " NULLS NOT DISTINCT"
            columns.append(
                f"CONSTRAINT {q(k.name)} {'PRIMARY KEY' if k.primary else 'UNIQUE' + nulls} ({listed})"
            )
        found.append(f"CREATE TABLE {name.sql} ({', '.join(columns)})")
        for f in table.foreign_keys:
            ours, theirs = ", ".join(map(q, f.columns)), ", ".join(map(q, f.parent_columns))
            foreign.append(
                f"ALTER TABLE {name.sql} ADD CONSTRAINT {q(f.name)} FOREIGN KEY ({ours}) REFERENCES {f.parent.sql} ({theirs}) "
                f"ON DELETE {f.on_delete.upper()}"
            )
    return found + foreign


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
