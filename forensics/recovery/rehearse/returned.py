"""What stands in the tables once `recovery.sql` has run: every lost row, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.model import TableName
from forensics.recovery.choose.targets import Target
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.constraints import Constraints
from forensics.recovery.rehearse.database import Prints, Rehearsed
from forensics.recovery.rehearse.named import Named
from forensics.recovery.rehearse.offer import offer
from forensics.recovery.rehearse.overwritten import ReturnedValues
from forensics.recovery.rehearse.session import copy_rows, one, row_hash, run
from forensics.recovery.rehearse.shapes import misshapen
from forensics.recovery.relations import rows_of
from forensics.recovery.write.columns import Restored
from forensics.recovery.write.script import Work
from forensics.recovery.write.sqltext import listed

_LOST = ("restorable", "blocked", "conflicting")


@dataclass(frozen=True)
class Found:
    """What was found, as `Rehearsal` has it."""

    lost_after: int
    values: int
    unchanged: bool
    constraints_valid: bool
    overwritten: int = 0


class Returned:
    """Looks for what came back. Made before the recovery: it keeps what was there."""

    def __init__(self, database: Rehearsed, work: Work, problems: list[str]) -> None:
        """Keep what is there.

        Args:
            database: the copy of live.
            work: what the scripts were written from.
            problems: where it is said what does not hold.
        """
        self._database, self._session = database, database.session
        self._work, self._problems = work, problems
        for n, target in enumerate(work.selection.targets, 1):
            self._remember(n, target)
        self._overwritten = ReturnedValues(self._session, work.returning, problems)
        # Without what is worked out from the values that return.
        self._stored: dict[TableName, tuple[tuple[str, ...], list[str]]] = {}
        live = work.catalogs[1].tables
        for values in work.returning:
            columns = [c.name for c in live[values.name].columns if not c.generated]
            prints = database.print_of(values.source, columns)
            self._stored[values.name] = (prints, columns)
        tables = [target.name.sql for target in work.selection.targets]
        tables += [values.name.sql for values in work.returning]
        unvalidated = work.definitions.unvalidated
        self._constraints = Constraints(self._session, tables, unvalidated)

    def look(self, before: Prints, after: Prints) -> Found:
        """Look for every lost row in the tables, and for anything else that differs.

        Args:
            before: the fingerprints of all tables before the recovery.
            after: those after it.
        """
        lost = self._still_lost()
        then, now = dict(before), dict(after)
        values = 0
        for restored in self._work.restored:
            # Of a table that got columns back, the others must be as they were.
            columns = self._database.columns[restored.name]
            now[restored.name] = self._database.print_of(restored.rows, columns)
            values += self._values(restored)
        for n, overwritten in enumerate(self._work.returning, 1):
            columns = self._stored[overwritten.name][1]
            now[overwritten.name] = self._overwritten.as_before(n, columns)
            then[overwritten.name] = self._stored[overwritten.name][0]
        unchanged = self._nothing_else(then, now)
        self._problems += Named(self._session, self._work).problems()
        broken = self._constraints.broken()
        if broken:
            self._problems.append(f"Constraints do not hold: {'; '.join(broken[:5])}.")
        self._problems += misshapen(self._work, self._database.catalog())
        return Found(lost, values, unchanged, not broken, self._overwritten.look())

    # --- rows -----------------------------------------------------------------------------

    def _remember(self, n: int, target: Target) -> None:
        """Keep how many copies of each row a surviving target held."""
        if target.kind == "insert":
            what = f"SELECT {row_hash(target.columns)} AS h, count(*) AS n"
            rows = f"{what} FROM {self._source(target)} t GROUP BY 1"
            run(self._session, f"CREATE TEMP TABLE before_{n} AS {rows}")
        else:
            run(self._session, f"CREATE TEMP TABLE before_{n} (h text, n bigint)")

    def _source(self, target: Target) -> str:
        backup, live = self._work.catalogs
        if target.kind == "recreate":
            return rows_of(backup.tables[target.name])
        return rows_of(live.tables[target.name])

    def _still_lost(self) -> int:
        """How many lost rows did not come back."""
        selection = self._work.selection
        lost = selection.returning + selection.blocked
        for n, target in enumerate(selection.targets, 1):
            if target.columns:
                lost -= self._found_again(n, target)
        if lost != selection.blocked:
            self._problems.append(
                f"{lost:,} rows are still lost, and {selection.blocked:,} were to be."
            )
        return lost

    def _found_again(self, n: int, target: Target) -> int:
        """How many of a target's lost rows its table now holds, over what it held before."""
        self._expect(f"expected_{n}", target.name, target.columns)
        selection = self._work.selection
        query = selection.lines_query(target, _LOST)
        with self._session.transaction():
            # Rows that no longer fit live's types are refused here too: they cannot have come
            # back.
            offer(self._session, f"pg_temp.expected_{n}", target.columns, selection, query)
        question = filled(
            "rehearse",
            "found_again",
            n=str(n),
            hash=row_hash(target.columns),
            source=self._source(target),
        )
        found = one(self._session, question)
        # Its columns hold on to types that undo.sql may drop.
        run(self._session, f"DROP TABLE expected_{n}")
        return found

    def _expect(self, table: str, name: TableName, columns: tuple[str, ...]) -> None:
        """Make a temporary table of a table's own types, for the rows that are expected."""
        rows = f"SELECT {listed(columns)} FROM {name.sql}"
        run(self._session, f"CREATE TEMP TABLE {table} AS {rows} WITH NO DATA")

    def _nothing_else(self, before: Prints, after: Prints) -> bool:
        """Whether no table holds other rows than it should."""
        grown = {target.name: target.rows for target in self._work.selection.targets}
        odd = []
        for name in sorted({*before, *after}):
            if name in grown:
                held = int(before.get(name, ("0",))[0])
                differs = int(after[name][0]) != held + grown[name]
            else:
                differs = before.get(name) != after.get(name)
            if differs:
                odd.append(str(name))
        if odd:
            names = ", ".join(odd[:5])
            self._problems.append(f"Tables hold other rows than they should: {names}.")
        return not odd

    # --- values ---------------------------------------------------------------------------

    def _values(self, restored: Restored) -> int:
        """Look for the values of dropped columns in the rows that they belong to.

        Returns:
            How many values the columns hold.
        """
        names = tuple(column.name for column in restored.columns)
        held = ", ".join(f"count({listed([name])})" for name in names)
        counts = run(self._session, f"SELECT {held} FROM {restored.rows}").fetchone()
        lacking = self._lacking(restored, names)
        if lacking > 0:
            self._problems.append(
                f"{lacking:,} rows of {restored.name} do not hold the backup's values "
                f"of {', '.join(names)}."
            )
        return sum(counts or ())

    def _lacking(self, restored: Restored, names: tuple[str, ...]) -> int:
        """How many rows do not hold the backup's values in some columns."""
        wanted = (*restored.key, *names)
        self._expect("expected_values", restored.name, wanted)
        copy_rows(self._session, "pg_temp.expected_values", wanted, restored.lines())
        keys = [listed([column]) for column in restored.key]
        question = filled(
            "rehearse",
            "other_values",
            rows=restored.rows,
            same=" AND ".join(f"t.{key} = v.{key}" for key in keys),
            theirs=_of("t", names),
            ours=_of("v", names),
        )
        lacking = one(self._session, question)
        run(self._session, "DROP TABLE expected_values")
        return lacking


def _of(alias: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{alias}.{listed([column])}" for column in columns)
