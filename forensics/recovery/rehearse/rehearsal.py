"""The proof: the scripts run on a throw-away PostgreSQL that has live's schema, and the rows that they touch.

The schema comes from live's own `pg_dump`, the rows through the same read-only snapshot. Then, on the copy and never on
live: run `recovery.sql`, look for every lost row in the tables, run it again, run `undo.sql`, and hold every table and
the whole schema against what they were before.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from forensics.cause.replay import ROLE
from forensics.compare.schema import drift
from forensics.errors import RecoveryError
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName, quote_identifier
from forensics.recovery.choose.selection import Selection, Target
from forensics.recovery.rehearse.copies import (
    LiveCopy,
    one,
    pinned_session,
    row_hash,
    rows_of,
    structure_of,
)
from forensics.recovery.rehearse.foresight import offer
from forensics.recovery.rehearse.proof import Proof, Tell, failed, off, silent
from forensics.recovery.write.backfill import Place
from forensics.recovery.write.columns import Restored
from forensics.recovery.write.script import LiveState, Work
from forensics.recovery.write.sqltext import array, copy_in, listed, template

_LOST = ("restorable", "blocked", "conflicting")

Prints = dict[TableName, tuple[str, ...]]


@dataclass(frozen=True)
class Rehearsal:
    """What came of it.

    Attributes:
        lost_before, lost_after: lost rows before the recovery and after it.
        blocked: how many of them cannot return, for whatever reason.
        idempotent: running `recovery.sql` again changed nothing.
        undo_restores: after `undo.sql` every table and the schema were as before.
        constraints_valid: every constraint of the tables that were written to holds and is validated.
        unchanged: nothing but the recovered rows differed.
        seconds: how long `recovery.sql` ran.
        undo_seconds: how long `undo.sql` ran.
        values: how many values of dropped columns came back.
        problems: what went wrong, a sentence each; empty where the rehearsal holds.
        notes: what the copy could not have of live.
    """

    lost_before: int
    lost_after: int
    blocked: int
    idempotent: bool
    undo_restores: bool
    constraints_valid: bool
    unchanged: bool
    seconds: float
    undo_seconds: float
    values: int = 0
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything went as it should."""
        return not self.problems

    @property
    def proof(self) -> Proof:
        """The same, as the proof of the option."""
        found = f"{self.lost_before - self.lost_after:,} of {self.lost_before:,} lost rows stood in their tables afterwards"
        checks = (
            f"{found}, and nothing else had changed." if self.unchanged else f"{found}.",
            "A second run changed nothing." if self.idempotent else "",
            "Every constraint held." if self.constraints_valid else "",
            "After undo.sql every table and the schema were as before."
            if self.undo_restores
            else "",
        )
        return Proof(
            self.lost_before - self.lost_after,
            0,
            self.seconds,
            tuple(filter(None, checks)),
            self.problems,
            self.notes,
        )


@dataclass(frozen=True)
class Outcome:
    """What came of rehearsing the scripts: `recovery.sql` with `undo.sql`, and `backfill.sql` with its own where they could be run."""

    rehearsal: Rehearsal
    backfill: Proof | None


def live_state(source: LiveSource, work: Work) -> LiveState:
    """Ask live whether it is as it was when compared, and for fingerprints of the tables that rows return to.

    Args:
        source: live.
        work: what the scripts will be written from.

    Raises:
        RecoveryError: live changed since it was compared.
        LiveError: it does not answer.
    """
    selection, live = work.selection, work.catalogs[1]
    hint = "Compare again into a new case, and write the recovery from that."
    for name in (
        *(t.name for t in selection.recreated),
        *(n for p in work.partitions for n in p.tree),
    ):
        if name in source.catalog.tables:
            raise RecoveryError(
                f"Table {name} was gone when live was compared, and is there again.", hint
            )
    for name in sorted({t.name for t in selection.inserted} | _parents(selection)):
        if name not in source.catalog.tables:
            raise RecoveryError(
                f"Table {name} was there when live was compared, and is gone.", hint
            )
        then = {(c.name, c.type) for c in live.tables[name].columns}
        now = {(c.name, c.type) for c in source.catalog.tables[name].columns}
        if then != now:
            changed = ", ".join(sorted({c for c, _ in then ^ now}))
            raise RecoveryError(
                f"Columns of table {name} changed since live was compared: {changed}.", hint
            )
    schemas = frozenset(
        r["nspname"] for r in source.ask(sql.SQL("SELECT nspname FROM pg_namespace"))
    )
    found: dict[TableName, tuple[str, str, str]] = {}
    for target in selection.inserted:
        (prints,) = source.ask(
            sql.SQL(_fingerprint(rows_of(source.catalog.tables[target.name]), target.columns))
        )
        if int(prints["rows"]) != target.live_rows:
            raise RecoveryError(
                f"Table {target.name} held {target.live_rows:,} rows when live was compared, and holds {int(prints['rows']):,} now.",
                hint,
            )
        found[target.name] = (prints["rows"], prints["a"], prints["b"])
    extras = (*work.definitions.extras, *work.types.extras)
    absent = frozenset(
        e for e in extras if not source.ask(sql.SQL(f"SELECT {e.there} AS there"))[0]["there"]
    )  # type: ignore[arg-type]
    return LiveState(found, schemas, absent)


def _parents(selection: Selection) -> set[TableName]:
    live = selection.store.catalogs()[1]
    return {
        link.parent for t in selection.targets for link in t.links if link.parent in live.tables
    }


def touched(work: Work) -> list[TableName]:
    """The tables of live that the scripts write to or look into."""
    return sorted(
        {t.name for t in work.selection.inserted}
        | _parents(work.selection)
        | {r.name for r in work.restored}
    )


def _fingerprint(source: str, columns: Sequence[str]) -> str:
    """The query for rows and two sums over the halves of their MD5, as `pg_temp.fingerprint` of the scripts has it."""
    row = ", ".join(f"t.{listed([c])}" for c in columns)
    return (
        "SELECT count(*)::text AS rows, coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)::text AS a, "
        "coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)::text AS b "
        f"FROM (SELECT md5(ROW({row})::text) AS h FROM {source} t) s"
    )


def rehearse(
    work: Work,
    found: Sequence[Place],
    copy: LiveCopy,
    database: str,
    folder: Path,
    tell: Tell = silent,
) -> Outcome:
    """Rehearse the scripts that stand in a folder.

    Args:
        work: what they were written from.
        found: the new places of links, where there is a `backfill.sql`.
        copy: live's schema with the rows that the scripts touch.
        database: the database to work in: the copy's, or a copy of that.
        folder: where `recovery.sql`, `undo.sql` and perhaps `backfill.sql` stand.

    Raises:
        ScratchError: the scratch PostgreSQL failed.
    """
    return _Run(copy, work, folder, tell).run(database, found)


@dataclass
class _Found:
    problems: list[str] = field(default_factory=list)
    lost_after: int = 0
    idempotent: bool = False
    undo_restores: bool = False
    constraints_valid: bool = False
    unchanged: bool = False
    values: int = 0


class _Run:
    def __init__(self, copy: LiveCopy, work: Work, folder: Path, tell: Tell) -> None:
        self._work, self._folder, self._tell = work, folder, tell
        self._scratch, self._notes = copy.scratch, copy.notes
        self._database = ""
        self._found = _Found()
        self._columns: dict[TableName, list[str]] = {}  # of each table, as they were first

    def run(self, database: str, places: Sequence[Place]) -> Outcome:
        targets = self._work.selection.targets
        found = self._found
        self._database = database
        with pinned_session(self._scratch, database) as self._connection:
            before, schema = self._prints(), self._structure()
            self._remember()
            self._invalid_before = self._invalid()
            seconds = self._script("recovery.sql", found.problems)
            undo_seconds = 0.0
            as_before = True
            if seconds is None:
                found.lost_after = sum(t.rows + t.blocked for t in targets)
            else:
                after, structure = self._prints(), self._structure()
                self._look(before, after)
                if self._script("recovery.sql", found.problems) is not None:
                    found.idempotent = self._prints() == after and self._structure() == structure
                    self._problem(
                        not found.idempotent,
                        "Running recovery.sql a second time changed something.",
                    )
                taken = self._script("undo.sql", found.problems)
                as_before = found.undo_restores = (
                    taken is not None and self._prints() == before and self._structure() == schema
                )
                if taken is not None:
                    undo_seconds = taken
                    self._problem(
                        not as_before,
                        "After undo.sql the tables or the schema are not as they were before.",
                    )
            backfill = self._backfill(before, schema, places) if as_before and places else None
        rehearsal = Rehearsal(
            lost_before=sum(t.rows + t.blocked for t in targets),
            lost_after=found.lost_after,
            blocked=sum(t.blocked for t in targets),
            idempotent=found.idempotent,
            undo_restores=found.undo_restores,
            constraints_valid=found.constraints_valid,
            unchanged=found.unchanged,
            values=found.values,
            seconds=round(seconds or 0.0, 3),
            undo_seconds=round(undo_seconds, 3),
            problems=tuple(found.problems),
            notes=tuple(self._notes),
        )
        return Outcome(rehearsal, backfill)

    def _problem(self, there: bool, words: str) -> None:
        if there:
            self._found.problems.append(words)

    def _script(self, name: str, problems: list[str]) -> float | None:
        """Run a script by psql, as people will; return the seconds that it took, or None where it failed."""
        self._tell(f"running {name} on the copy")
        started = time.monotonic()
        done = subprocess.run(
            [
                str(self._scratch.psql),
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                ROLE,
                "-d",
                self._database,
                "-f",
                str((self._folder / name).resolve()),
            ],
            capture_output=True,
            env=self._scratch.env,
            check=False,
        )
        if done.returncode == 0:
            return time.monotonic() - started
        lines = done.stderr.decode(errors="replace").splitlines()
        words = next(
            (line.split("ERROR:", 1)[-1] for line in lines if "ERROR:" in line or "error:" in line),
            f"psql ended with {done.returncode}",
        )
        hint = next((line.split("HINT:", 1)[1] for line in lines if "HINT:" in line), "").replace(
            "Nothing was changed.", ""
        )
        problems.append(f"{name} stopped: {words.strip().rstrip('.')}. {hint.strip()}".rstrip())
        return None

    def _prints(self) -> Prints:
        """Every table of the copy: rows and sums over their hashes."""
        found: Prints = {}
        with LiveSource(self._scratch.dsn(self._database), role="rehearsed") as source:
            tables = source.catalog.roots
        for table in tables:
            self._columns.setdefault(table.name, [c.name for c in table.columns])
            found[table.name] = self._print(rows_of(table), [c.name for c in table.columns])
        return found

    def _print(self, source: str, columns: Sequence[str]) -> tuple[str, ...]:
        found = self._connection.execute(_fingerprint(source, columns)).fetchone()
        assert found is not None
        return tuple(found)

    def _structure(self) -> list[str]:
        return structure_of(self._scratch, self._database, self._scratch.folder / "structure.sql")

    # --- what came back ------------------------------------------------------------------------------

    def _remember(self) -> None:
        """How many copies of each row the surviving targets held before."""
        for n, target in enumerate(self._work.selection.targets, 1):
            if target.kind == "insert":
                self._run(
                    f"CREATE TEMP TABLE before_{n} AS SELECT {row_hash(target.columns)} AS h, count(*) AS n FROM {self._source(target)} t GROUP BY 1"
                )
            else:
                self._run(f"CREATE TEMP TABLE before_{n} (h text, n bigint)")

    def _look(self, before: Prints, after: Prints) -> None:
        """Look for every lost row in the tables, and for anything else that differs."""
        lost = found_again = 0
        for n, target in enumerate(self._work.selection.targets, 1):
            lost += target.rows + target.blocked
            if target.columns:
                found_again += self._found_again(n, target)
        self._found.lost_after = lost - found_again
        blocked = sum(t.blocked for t in self._work.selection.targets)
        self._problem(
            self._found.lost_after != blocked,
            f"{self._found.lost_after:,} rows are still lost, and {blocked:,} were to be.",
        )
        grown = {t.name: t.rows for t in self._work.selection.targets}
        for restored in self._work.restored:
            # Of a table that got columns back, the others must be as they were.
            columns = self._columns[restored.name]
            after = {**after, restored.name: self._print(restored.rows, columns)}
            self._values(restored)
        odd = [
            str(name)
            for name in sorted({*before, *after})
            if (name not in grown and before.get(name) != after.get(name))
            or (
                name in grown
                and int(after[name][0]) != int(before.get(name, ("0",))[0]) + grown[name]
            )
        ]
        self._found.unchanged = not odd
        self._problem(bool(odd), f"Tables hold other rows than they should: {', '.join(odd[:5])}.")
        self._constraints()
        self._definitions()

    def _values(self, restored: Restored) -> None:
        """Look for the values of dropped columns in the rows that they belong to."""
        names = [c.name for c in restored.columns]
        held = ", ".join(f"count({listed([c])})" for c in names)
        counts = self._connection.execute(f"SELECT {held} FROM {restored.rows}").fetchone()
        self._found.values += sum(counts or ())
        wanted = [*restored.key, *names]
        self._run(
            f"CREATE TEMP TABLE expected_values AS SELECT {listed(wanted)} FROM {restored.name.sql} WITH NO DATA"
        )
        with self._connection.cursor().copy(copy_in("pg_temp.expected_values", wanted)) as copy:
            for lines in restored.lines():
                copy.write(lines)
        same = " AND ".join(f"t.{listed([k])} = v.{listed([k])}" for k in restored.key)
        texts = (f"ROW({', '.join(f'{a}.{listed([c])}' for c in names)})::text" for a in "tv")
        lacking = one(
            self._connection,
            f"SELECT count(*) FROM pg_temp.expected_values v JOIN {restored.rows} t ON {same} WHERE {' <> '.join(texts)}",
        )
        self._run("DROP TABLE expected_values")
        self._problem(
            lacking > 0,
            f"{lacking:,} rows of {restored.name} do not hold the backup's values of {', '.join(names)}.",
        )

    def _found_again(self, n: int, target: Target) -> int:
        """How many of a target's lost rows its table now holds, over what it held before."""
        columns = listed(target.columns)
        self._run(
            f"CREATE TEMP TABLE expected_{n} AS SELECT {columns} FROM {target.name.sql} WITH NO DATA"
        )
        with self._connection.transaction():
            # Rows that no longer fit live's types are refused here too: they cannot have come back.
            offer(
                self._connection,
                f"pg_temp.expected_{n}",
                target.columns,
                self._work.selection.lines(target, _LOST),
            )
        statement = (
            f"SELECT coalesce(sum(least(e.n, t.n - coalesce(b.n, 0))), 0)::bigint "
            f"FROM (SELECT {row_hash(target.columns)} AS h, count(*) AS n FROM expected_{n} t GROUP BY 1) e "
            f"JOIN (SELECT {row_hash(target.columns)} AS h, count(*) AS n FROM {self._source(target)} t GROUP BY 1) t ON t.h = e.h "
            f"LEFT JOIN before_{n} b ON b.h = e.h WHERE t.n > coalesce(b.n, 0)"
        )
        found = self._connection.execute(statement).fetchone()
        assert found is not None
        self._run(f"DROP TABLE expected_{n}")  # its columns hold on to types that undo.sql may drop
        return int(found[0])

    def _source(self, target: Target) -> str:
        backup, live = self._work.catalogs
        return rows_of((backup if target.kind == "recreate" else live).tables[target.name])

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)

    def _invalid(self) -> set[str]:
        names = array([t.name.sql for t in self._work.selection.targets])
        there = self._connection.execute(template("invalid").replace("{tables}", names))
        return {words for name, words in there if name not in self._work.definitions.unvalidated}

    def _constraints(self) -> None:
        """Whether all constraints and indexes of the targets are valid, and every foreign key's parents are there."""
        names = [t.name.sql for t in self._work.selection.targets]
        if not names:
            self._found.constraints_valid = True
            return
        wrong = sorted(self._invalid() - self._invalid_before)
        for child, parent, whole, parent_whole, columns, parent_columns in self._connection.execute(
            template("foreign_keys").replace("{tables}", array(names))
        ).fetchall():
            same = " AND ".join(
                f"p.{listed([q])} = c.{listed([k])}"
                for k, q in zip(columns, parent_columns, strict=True)
            )
            filled = " AND ".join(f"c.{listed([k])} IS NOT NULL" for k in columns)
            orphans = self._connection.execute(
                f"SELECT count(*) FROM {'' if whole else 'ONLY '}{child} c WHERE {filled} "
                f"AND NOT EXISTS (SELECT FROM {'' if parent_whole else 'ONLY '}{parent} p WHERE {same})"
            ).fetchone()
            if orphans and orphans[0]:
                wrong.append(f"{orphans[0]} rows of {child} refer to no row of {parent}")
        self._found.constraints_valid = not wrong
        self._problem(bool(wrong), f"Constraints do not hold: {'; '.join(wrong[:5])}.")

    def _definitions(self) -> None:
        """Whether the tables that were made again are as the backup had them."""
        backup = self._work.catalogs[0]
        with LiveSource(self._scratch.dsn(self._database), role="rehearsed") as source:
            now = source.catalog
        for target in self._work.selection.recreated:
            ours, theirs = backup.tables[target.name], now.tables.get(target.name)
            if theirs is None:
                self._problem(True, f"Table {target.name} did not come back.")
                continue
            without = self._work.definitions.without
            changes = [
                f"{c.column} ({c.change})"
                for c in drift(ours, theirs)
                if (target.name, c.column) not in without
            ]
            self._problem(
                bool(changes),
                f"Table {target.name} came back with other columns: {', '.join(changes)}.",
            )
            keys = {k.name for k in ours.keys} - {k.name for k in theirs.keys}
            wanted = {
                k.name
                for k in ours.foreign_keys
                if k.parent in now.tables and (target.name, k.name) not in without
            }
            wanted -= {k.name for k in theirs.foreign_keys}
            self._problem(
                bool(keys | wanted),
                f"Table {target.name} came back without {', '.join(sorted(keys | wanted))}.",
            )
        for name in (n for p in self._work.partitions for n in p.tree):
            ours, theirs = backup.tables[name], now.tables.get(name)
            if theirs is None or theirs.parent != ours.parent:
                self._problem(True, f"Partition {name} of {ours.parent} did not come back.")
                continue
            self._problem(
                {k.columns for k in ours.keys} > {k.columns for k in theirs.keys},
                f"Partition {name} came back without a key of its own.",
            )

    # --- the new place -------------------------------------------------------------------------------

    def _backfill(self, before: Prints, schema: list[str], places: Sequence[Place]) -> Proof | None:
        problems: list[str] = []
        for n, place in enumerate(places, 1):
            owner = place.owner.name.sql
            self._run(f"CREATE TEMP TABLE filled_{n} AS SELECT {_kept(place)} FROM {owner} t")
        seconds = self._script("backfill.sql", problems)
        if seconds is None:
            return failed(" ".join(problems))
        links = overwritten = 0
        for n, place in enumerate(places, 1):
            counts = self._connection.execute(_difference(n, place)).fetchone()
            assert counts is not None
            links, overwritten = links + int(counts[0]), overwritten + int(counts[1])
        filled = self._prints()
        if self._script("backfill.sql", problems) is not None and self._prints() != filled:
            problems.append("Running backfill.sql a second time changed something.")
        if self._script("undo_backfill.sql", problems) is not None and (
            self._prints() != before or self._structure() != schema
        ):
            problems.append("After undo_backfill.sql the tables are not as they were before.")
        if {name: print_[0] for name, print_ in filled.items()} != {
            name: print_[0] for name, print_ in before.items()
        }:
            problems.append("backfill.sql changed how many rows a table holds.")
        changed = {name for name in filled if filled[name] != before.get(name)} - {
            p.owner.name for p in places
        }
        if changed:
            problems.append(f"backfill.sql changed rows of {', '.join(map(str, sorted(changed)))}.")
        problems += [
            *off(sum(p.links for p in places), links, "recovers"),
            *off(0, overwritten, "destroys"),
        ]
        checks = (
            f"{links:,} links stood in the new columns that were empty before, and {overwritten:,} values that were there had changed.",
            "A second run changed nothing, and undo_backfill.sql brought every table back as it was.",
        )
        return Proof(
            links, overwritten, round(seconds, 3), checks[: 1 if problems else 2], tuple(problems)
        )


def _kept(place: Place) -> str:
    """The columns of the table that remembers a new place as it was."""
    key, column = (
        quote_identifier(place.owner.parent_columns[0]),
        quote_identifier(place.column.name),
    )
    cover = f"t.{quote_identifier(place.cover.name)}::text" if place.cover else "NULL::text"
    empty = (
        f"coalesce(t.{column}::text = ({place.empty})::{place.column.type}::text, true)"
        if place.empty
        else f"t.{column} IS NULL"
    )
    return f"t.{key} AS key, t.{column}::text AS list, {cover} AS cover, {empty} AS empty"


def _difference(n: int, place: Place) -> str:
    """The query for how many links a new place was given, and how many values that were there it lost."""
    key, column = (
        quote_identifier(place.owner.parent_columns[0]),
        quote_identifier(place.column.name),
    )
    other = f"t.{column}::text IS DISTINCT FROM f.list"
    lost = f"({other} AND NOT f.empty)"
    if place.cover:
        lost = f"({lost} OR (f.cover IS NOT NULL AND t.{quote_identifier(place.cover.name)}::text IS DISTINCT FROM f.cover))"
    return (
        f"SELECT coalesce(sum({place.length}) FILTER (WHERE {other}), 0)::bigint, count(*) FILTER (WHERE {lost}) "
        f"FROM {place.owner.name.sql} t JOIN pg_temp.filled_{n} f ON f.key = t.{key}"
    )
