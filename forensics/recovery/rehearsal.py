"""The proof: the scripts run on a throw-away PostgreSQL that has live's schema, and the rows that they touch.

The schema comes from live's own `pg_dump`, the rows through the same read-only snapshot. Then, on the copy and never on
live: run `recovery.sql`, look for every lost row in the tables, run it again, run `undo.sql`, and hold every table and
the whole schema against what they were before.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from forensics.compare.schema import drift
from forensics.errors import RecoveryError
from forensics.evidence.live import LiveSource
from forensics.model import Table, TableName
from forensics.recovery.script import LiveState, Work
from forensics.recovery.selection import Selection, Target
from forensics.recovery.sqltext import array, listed, template
from forensics.scratch import Scratch

_LOST = ("restorable", "blocked", "conflicting")
_NOISE = re.compile(r"^(?:--.*|\\(?:un)?restrict .*|)$")

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
        backfill: what came of `backfill.sql`, where there is one.
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
    backfill: Mapping[str, Any] | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether everything went as it should."""
        return not self.problems


def live_state(source: LiveSource, selection: Selection) -> LiveState:
    """Ask live whether it is as it was when compared, and for fingerprints of the tables that rows return to.

    Raises:
        RecoveryError: live changed since it was compared.
        LiveError: it does not answer.
    """
    live = selection.store.catalogs()[1]
    hint = "Compare again into a new case, and write the recovery from that."
    for target in selection.recreated:
        if target.name in source.catalog.tables:
            raise RecoveryError(f"Table {target.name} was gone when live was compared, and is there again.", hint)
    for name in sorted({t.name for t in selection.inserted} | _parents(selection)):
        if name not in source.catalog.tables:
            raise RecoveryError(f"Table {name} was there when live was compared, and is gone.", hint)
        then = {(c.name, c.type) for c in live.tables[name].columns}
        now = {(c.name, c.type) for c in source.catalog.tables[name].columns}
        if then != now:
            changed = ", ".join(sorted({c for c, _ in then ^ now}))
            raise RecoveryError(f"Columns of table {name} changed since live was compared: {changed}.", hint)
    schemas = frozenset(r["nspname"] for r in source.ask(sql.SQL("SELECT nspname FROM pg_namespace")))
    found: dict[TableName, tuple[str, str, str]] = {}
    for target in selection.inserted:
        (prints,) = source.ask(sql.SQL(_fingerprint(_source(source.catalog.tables[target.name]), target.columns)))
        if int(prints["rows"]) != target.live_rows:
            raise RecoveryError(
                f"Table {target.name} held {target.live_rows:,} rows when live was compared, and holds {int(prints['rows']):,} now.", hint
            )
        found[target.name] = (prints["rows"], prints["a"], prints["b"])
    return LiveState(found, schemas)


def _parents(selection: Selection) -> set[TableName]:
    live = selection.store.catalogs()[1]
    return {link.parent for t in selection.targets for link in t.links if link.parent in live.tables}


def _touched(work: Work) -> list[TableName]:
    """The tables of live that the scripts write to or look into."""
    return sorted({t.name for t in work.selection.inserted} | _parents(work.selection) | {r.name for r in work.restored})


def _source(table: Table) -> str:
    return table.name.sql if table.kind == "partitioned" else f"ONLY {table.name.sql}"


def _fingerprint(source: str, columns: Sequence[str]) -> str:
    """The query for rows and two sums over the halves of their MD5, as `pg_temp.fingerprint` of the scripts has it."""
    row = ", ".join(f"t.{listed([c])}" for c in columns)
    return (
        "SELECT count(*)::text AS rows, coalesce(sum(('x' || left(h, 16))::bit(64)::bigint::numeric), 0)::text AS a, "
        "coalesce(sum(('x' || right(h, 16))::bit(64)::bigint::numeric), 0)::text AS b "
        f"FROM (SELECT md5(ROW({row})::text) AS h FROM {source} t) s"
    )


def rehearse(work: Work, source: LiveSource, folder: Path, scratch: Scratch | None = None) -> Rehearsal:
    """Rehearse the scripts that stand in a folder.

    Args:
        work: what they were written from.
        source: live, open; only read.
        folder: where `recovery.sql`, `undo.sql` and perhaps `backfill.sql` stand.
        scratch: a server to rehearse on, running; None starts one.

    Raises:
        RecoveryError: the copy of live could not be made.
        ScratchError: there is no PostgreSQL to rehearse on.
        LiveError: live could not be read.
    """
    with _server(work, source, scratch) as server, a_database(server) as database:
        copy = _Copy(server, database, work, source)
        copy.make()
        return _Run(copy, work, folder).run()


@contextmanager
def a_database(scratch: Scratch, template: str | None = None) -> Iterator[str]:
    """A new database of a name of its own, for a while."""
    name = f"rehearsal_{secrets.token_hex(4)}"
    scratch.create(name, template)
    try:
        yield name
    finally:
        scratch.drop(name)


@contextmanager
def _server(work: Work, source: LiveSource, given: Scratch | None) -> Iterator[Scratch]:
    """A scratch server; where XML is in play, one that was built with it, if the machine has any."""
    if given is not None:
        yield given
        return
    backup, live = work.catalogs
    touched = [backup.tables[t.name] for t in work.selection.recreated]
    touched += [live.tables[n] for n in _touched(work)]
    needs_xml = any(c.type in ("xml", "xml[]") for t in touched for c in t.columns)
    major = int((source.provenance.server_version or "0").split(".")[0])
    others = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/postgres") if p.parts[-3].isdigit() and int(p.parts[-3]) >= major]
    for programs in (None, *(sorted(others, reverse=True) if needs_xml else ())):
        with Scratch(programs) as scratch:
            if not needs_xml or _knows_xml(scratch):
                yield scratch
                return
    raise RecoveryError(
        "The scratch PostgreSQL was built without XML, and tables that the recovery touches have columns of that type.",
        "Point FORENSICS_PGBIN to an installation that has it.",
    )


def _knows_xml(scratch: Scratch) -> bool:
    with psycopg.connect(scratch.dsn(), autocommit=True) as connection:
        try:
            connection.execute("SELECT '<a/>'::xml")
        except psycopg.errors.FeatureNotSupported:
            return False
    return True


class _Copy:
    """Live's schema and the rows that matter, in the scratch server."""

    def __init__(self, scratch: Scratch, database: str, work: Work, source: LiveSource) -> None:
        self.scratch, self.database, self.source = scratch, database, source
        self._work = work
        self.notes: list[str] = []

    def make(self) -> None:
        complaints = self._restore(self._schema())
        touched = _touched(self._work)
        with psycopg.connect(self.scratch.dsn(self.database), autocommit=True) as connection:
            there = {r[0] for r in connection.execute("SELECT rolname FROM pg_roles")}
            for role in sorted({r for d in self._work.definitions.statements for r in d.roles} - there):
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            connection.execute("SET session_replication_role = replica")
            for name in touched:
                if connection.execute("SELECT to_regclass(%s)", [name.sql]).fetchone() == (None,):
                    raise RecoveryError(
                        f"Table {name} cannot be made on the scratch PostgreSQL: {complaints[0] if complaints else 'its definition failed'}.",
                        "It may need an extension that the scratch server lacks. Point FORENSICS_PGBIN to an installation that has it.",
                    )
                self._fill(connection, name)
        self.notes += [f"The scratch PostgreSQL could not make a part of live's schema: {c}." for c in complaints[:5]]

    def _schema(self) -> bytes:
        statements = list(self.source.statements())
        if not statements:
            raise RecoveryError(
                f"No pg_dump at hand can read the schema of {self.source.shown_dsn}, and the rehearsal needs it.",
                "Install a pg_dump of the server's version or a later one, or point FORENSICS_PGBIN to one.",
            )
        return "".join(f"{s.rstrip(';')};\n" for s in statements).encode("utf-8", "surrogateescape")

    def _restore(self, schema: bytes) -> list[str]:
        """Build the schema as far as it goes; return what the server said against it."""
        done = subprocess.run(
            [str(self.scratch.psql), "-X", "-q", "-d", self.database, "-f", "-"], input=schema, capture_output=True,
            env=self.scratch.env, check=False,
        )  # fmt: skip
        lines = done.stderr.decode(errors="replace").splitlines()
        return [line.split("ERROR:", 1)[1].strip().rstrip(".") for line in lines if "ERROR:" in line]

    def _fill(self, connection: psycopg.Connection[Any], name: TableName) -> None:
        columns = tuple(c.name for c in self.source.catalog.tables[name].columns if not c.generated)
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(*name), sql.SQL(", ").join(map(sql.Identifier, columns)))
        try:
            with connection.cursor().copy(statement) as copy:
                for segment in self.source.segments(name, columns):
                    for block in segment.blocks():
                        copy.write(bytes(block))
        except psycopg.Error as error:
            raise RecoveryError(
                f"The rows of {name} do not go into the scratch PostgreSQL: {error.diag.message_primary or error}."
            ) from error


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
    def __init__(self, copy: _Copy, work: Work, folder: Path) -> None:
        self._copy, self._work, self._folder = copy, work, folder
        self._scratch = copy.scratch
        self._found = _Found()
        self._columns: dict[TableName, list[str]] = {}  # of each table, as they were first

    def run(self) -> Rehearsal:
        targets = self._work.selection.targets
        found = self._found
        with psycopg.connect(self._scratch.dsn(self._copy.database), autocommit=True) as self._connection:
            for line in template("session").replace("SET LOCAL", "SET").split("\n"):
                if line.startswith("SET") and "lock_timeout" not in line:
                    self._connection.execute(line)
            before, schema = self._prints(), self._structure()
            self._remember()
            self._invalid_before = self._invalid()
            seconds = self._script("recovery.sql")
            undo_seconds = 0.0
            backfill = None
            if seconds is None:
                found.lost_after = sum(t.rows + t.blocked for t in targets)
            else:
                after, structure = self._prints(), self._structure()
                self._look(before, after)
                if self._script("recovery.sql") is not None:
                    found.idempotent = self._prints() == after and self._structure() == structure
                    self._problem(not found.idempotent, "Running recovery.sql a second time changed something.")
                taken = self._script("undo.sql")
                if taken is not None:
                    undo_seconds = taken
                    found.undo_restores = self._prints() == before and self._structure() == schema
                    self._problem(not found.undo_restores, "After undo.sql the tables or the schema are not as they were before.")
                    backfill = self._backfill(before, schema)
        return Rehearsal(
            lost_before=sum(t.rows + t.blocked for t in targets), lost_after=found.lost_after, blocked=sum(t.blocked for t in targets),
            idempotent=found.idempotent, undo_restores=found.undo_restores, constraints_valid=found.constraints_valid,
            unchanged=found.unchanged, values=found.values, seconds=round(seconds or 0.0, 3), undo_seconds=round(undo_seconds, 3), backfill=backfill,
            problems=tuple(found.problems), notes=tuple(self._copy.notes),
        )  # fmt: skip

    def _problem(self, there: bool, words: str) -> None:
        if there:
            self._found.problems.append(words)

    def _script(self, name: str) -> float | None:
        """Run a script by psql, as people will; return the seconds that it took, or None where it failed."""
        started = time.monotonic()
        done = subprocess.run(
            [str(self._scratch.psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self._copy.database, "-f", str((self._folder / name).resolve())],
            capture_output=True, env=self._scratch.env, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return time.monotonic() - started
        lines = [line for line in done.stderr.decode(errors="replace").splitlines() if "ERROR:" in line or "error:" in line]
        words = lines[0].split("ERROR:", 1)[-1].strip() if lines else f"psql ended with {done.returncode}"
        self._problem(True, f"{name} stopped: {words.rstrip('.')}.")
        return None

    def _prints(self) -> Prints:
        """Every table of the copy: rows and sums over their hashes."""
        found: Prints = {}
        with LiveSource(self._scratch.dsn(self._copy.database), role="rehearsed") as source:
            tables = source.catalog.roots
        for table in tables:
            self._columns.setdefault(table.name, [c.name for c in table.columns])
            found[table.name] = self._print(_source(table), [c.name for c in table.columns])
        return found

    def _print(self, source: str, columns: Sequence[str]) -> tuple[str, ...]:
        found = self._connection.execute(_fingerprint(source, columns)).fetchone()
        assert found is not None
        return tuple(found)

    def _structure(self) -> list[str]:
        return structure_of(self._scratch, self._copy.database, self._scratch.folder / "structure.sql")

    # --- what came back ------------------------------------------------------------------------------

    def _remember(self) -> None:
        """How many copies of each row the surviving targets held before."""
        for n, target in enumerate(self._work.selection.targets, 1):
            if target.kind == "insert":
                self._run(f"CREATE TEMP TABLE before_{n} AS SELECT {_hash(target)} AS h, count(*) AS n FROM {target.name.sql} t GROUP BY 1")
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
        self._problem(self._found.lost_after != blocked, f"{self._found.lost_after:,} rows are still lost, and {blocked:,} were to be.")
        grown = {t.name: t.rows for t in self._work.selection.targets}
        for restored in self._work.restored:
            # Of a table that got columns back, the others must be as they were.
            columns = self._columns[restored.name]
            after = {**after, restored.name: self._print(f"ONLY {restored.name.sql}", columns)}
            for column in restored.columns:
                held = self._connection.execute(f"SELECT count({listed([column.name])}) FROM {restored.name.sql}").fetchone()
                self._found.values += held[0] if held else 0
        odd = [
            str(name) for name in sorted({*before, *after})
            if (name not in grown and before.get(name) != after.get(name))
            or (name in grown and int(after[name][0]) != int(before.get(name, ("0",))[0]) + grown[name])
        ]  # fmt: skip
        self._found.unchanged = not odd
        self._problem(bool(odd), f"Tables hold other rows than they should: {', '.join(odd[:5])}.")
        self._constraints()
        self._definitions()

    def _found_again(self, n: int, target: Target) -> int:
        """How many of a target's lost rows its table now holds, over what it held before."""
        columns = listed(target.columns)
        self._run(f"CREATE TEMP TABLE expected_{n} AS SELECT {columns} FROM {target.name.sql} WITH NO DATA")
        with self._connection.cursor().copy(f"COPY expected_{n} ({columns}) FROM STDIN") as copy:
            for lines in self._work.selection.lines(target, _LOST):
                copy.write(lines)
        statement = (
            f"SELECT coalesce(sum(least(e.n, t.n - coalesce(b.n, 0))), 0)::bigint "
            f"FROM (SELECT {_hash(target)} AS h, count(*) AS n FROM expected_{n} t GROUP BY 1) e "
            f"JOIN (SELECT {_hash(target)} AS h, count(*) AS n FROM {target.name.sql} t GROUP BY 1) t ON t.h = e.h "
            f"LEFT JOIN before_{n} b ON b.h = e.h WHERE t.n > coalesce(b.n, 0)"
        )
        found = self._connection.execute(statement).fetchone()
        assert found is not None
        self._run(f"DROP TABLE expected_{n}")  # its columns hold on to types that undo.sql may drop
        return int(found[0])

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)

    def _invalid(self) -> set[str]:
        names = array([t.name.sql for t in self._work.selection.targets])
        return {r[0] for r in self._connection.execute(template("invalid").replace("{tables}", names))}

    def _constraints(self) -> None:
        """Whether all constraints and indexes of the targets are valid, and every foreign key's parents are there."""
        names = [t.name.sql for t in self._work.selection.targets]
        if not names:
            self._found.constraints_valid = True
            return
        wrong = sorted(self._invalid() - self._invalid_before)
        for child, parent, columns, parent_columns in self._connection.execute(
            template("foreign_keys").replace("{tables}", array(names))
        ).fetchall():
            same = " AND ".join(f"p.{listed([q])} = c.{listed([k])}" for k, q in zip(columns, parent_columns, strict=True))
            filled = " AND ".join(f"c.{listed([k])} IS NOT NULL" for k in columns)
            orphans = self._connection.execute(
                f"SELECT count(*) FROM {child} c WHERE {filled} AND NOT EXISTS (SELECT FROM {parent} p WHERE {same})"
            ).fetchone()
            if orphans and orphans[0]:
                wrong.append(f"{orphans[0]} rows of {child} refer to no row of {parent}")
        self._found.constraints_valid = not wrong
        self._problem(bool(wrong), f"Constraints do not hold: {'; '.join(wrong[:5])}.")

    def _definitions(self) -> None:
        """Whether the tables that were made again are as the backup had them."""
        backup = self._work.catalogs[0]
        with LiveSource(self._scratch.dsn(self._copy.database), role="rehearsed") as source:
            now = source.catalog
        for target in self._work.selection.recreated:
            ours, theirs = backup.tables[target.name], now.tables.get(target.name)
            if theirs is None:
                self._problem(True, f"Table {target.name} did not come back.")
                continue
            changes = [f"{c.column} ({c.change})" for c in drift(ours, theirs)]
            self._problem(bool(changes), f"Table {target.name} came back with other columns: {', '.join(changes)}.")
            keys = {k.name for k in ours.keys} - {k.name for k in theirs.keys}
            wanted = {k.name for k in ours.foreign_keys if k.parent in now.tables} - {k.name for k in theirs.foreign_keys}
            self._problem(bool(keys | wanted), f"Table {target.name} came back without {', '.join(sorted(keys | wanted))}.")

    # --- the new place -------------------------------------------------------------------------------

    def _backfill(self, before: Prints, schema: list[str]) -> Mapping[str, Any] | None:
        if not (self._folder / "backfill.sql").exists():
            return None
        seconds = self._script("backfill.sql")
        if seconds is None:
            return None
        filled = self._prints()
        again = self._script("backfill.sql") is not None and self._prints() == filled
        self._problem(not again, "Running backfill.sql a second time changed something.")
        undone = self._script("undo_backfill.sql") is not None and self._prints() == before and self._structure() == schema
        self._problem(not undone, "After undo_backfill.sql the tables are not as they were before.")
        rows = {name: print_[0] for name, print_ in filled.items()} == {name: print_[0] for name, print_ in before.items()}
        self._problem(not rows, "backfill.sql changed how many rows a table holds.")
        changed = sorted(name for name in filled if filled[name] != before.get(name))
        return {"seconds": round(seconds, 3), "idempotent": again, "undo_restores": undone, "tables": [str(n) for n in changed]}


def _hash(target: Target) -> str:
    return f"md5(ROW({', '.join(f't.{listed([c])}' for c in target.columns)})::text)"


def structure_of(scratch: Scratch, database: str, path: Path, *options: str) -> list[str]:
    """A database's schema as pg_dump writes it to `path`, without comments and blank lines."""
    scratch.dump(database, path, "--schema-only", *options)
    return [line for line in path.read_text(encoding="utf-8").splitlines() if not _NOISE.match(line)]
