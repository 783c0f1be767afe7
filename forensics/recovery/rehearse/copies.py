"""Copies to rehearse on, in a throw-away PostgreSQL: of live, with the rows that matter, and of the whole backup.

Live's schema comes from its own `pg_dump`, its rows through the same read-only snapshot. The backup is built from its own
statements, through the kit's reader. Whatever of a dump is executed, its functions included, is executed by a role that may
do nothing beyond its own database: a dump is untrusted input.
"""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from forensics.cause.replay import ROLE, Replay
from forensics.errors import RecoveryError, redact
from forensics.evidence import Source
from forensics.evidence.live.source import LiveSource
from forensics.model import Catalog, Table, TableName
from forensics.recovery.rehearse.proof import Tell, silent
from forensics.recovery.write.definitions import definitions
from forensics.recovery.write.sqltext import copy_in, listed, template
from forensics.scratch import Scratch

_NOISE = re.compile(r"^(?:--.*|\\(?:un)?restrict .*|)$")
_MOST_WAL = 4 << 30  # what the scratch server lets its log grow to
_SPARE = 64 << 20  # an empty cluster, and what is sorted
_ROOM = "Set TMPDIR to a folder with more room, or narrow the choice with --table or --skip."
_FULL = re.compile(r"No space left|File too large|could not (?:extend|write)|quota", re.I)
_NOTES = 5
# A trigger may fire whatever the session says, and a constraint that was never validated may be broken by rows that are there:
# pg_restore too makes both after the rows.
_AFTER_ROWS = re.compile(
    r"\bNOT VALID\s*;?\s*\Z|^CREATE (?:CONSTRAINT |EVENT )?TRIGGER\b|^ALTER (?:TABLE (?:ONLY )?\S.*|EVENT TRIGGER \S.*) (?:ENABLE|DISABLE)\b",
    re.M,
)


@contextmanager
def a_database(
    scratch: Scratch, template: str | None = None, owner: str | None = None
) -> Iterator[str]:
    """A new database of a name of its own, for a while: empty, or a copy of another that nobody is connected to."""
    name = f"rehearsal_{secrets.token_hex(4)}"
    scratch.create(name, template)
    try:
        if owner:
            scratch.run(
                "postgres",
                sql.SQL("ALTER DATABASE {} OWNER TO {}")
                .format(*map(sql.Identifier, (name, owner)))
                .as_string(),
            )
        yield name
    finally:
        scratch.drop(name)


@contextmanager
def a_server(
    given: Scratch | None, version: str | None, *, needs_xml: bool, likes_xml: bool
) -> Iterator[Scratch]:
    """A scratch server: the one that is given, or one of its own.

    Args:
        given: a server that runs already.
        version: live's; where XML is in play, only programs that are no older will do in place of the wheel's.
        needs_xml: nothing can be rehearsed without the type xml, which the wheel's server was built without.
        likes_xml: more can be rehearsed with it.

    Raises:
        RecoveryError: XML is needed, and no server on this machine was built with it.
        ScratchError: no server starts.
    """
    if given is not None:
        yield given
        return
    major = int((version or "0").split(".")[0])
    others = [
        p.parent
        for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if p.parts[-3].isdigit() and int(p.parts[-3]) >= major
    ]
    tried = (None, *(sorted(others, reverse=True) if needs_xml or likes_xml else ()))
    for programs in tried:
        with Scratch(programs) as scratch:
            if not (needs_xml or likes_xml) or _knows_xml(scratch):
                yield scratch
                return
    if needs_xml:
        raise RecoveryError(
            "The scratch PostgreSQL was built without XML, and tables that the recovery touches have columns of that type.",
            "Point FORENSICS_PGBIN to an installation that has it.",
        )
    with Scratch() as scratch:
        yield scratch


def _knows_xml(scratch: Scratch) -> bool:
    with psycopg.connect(scratch.dsn(), autocommit=True) as connection:
        try:
            connection.execute("SELECT '<a/>'::xml")
        except psycopg.errors.FeatureNotSupported:
            return False
    return True


def has_xml(tables: Iterable[Table]) -> bool:
    """Whether any column of some tables is of the type xml."""
    return any(c.type in ("xml", "xml[]") for t in tables for c in t.columns)


# --- sessions, rows, words ------------------------------------------------------------------------------


def pinned_session(scratch: Scratch, database: str) -> psycopg.Connection[Any]:
    """Connect to a scratch database, as the role that may do nothing beyond it, under the settings that the scripts run under."""
    connection = psycopg.connect(scratch.dsn(database), user=ROLE, autocommit=True)
    for line in template("session").replace("SET LOCAL", "SET").split("\n"):
        if line.startswith("SET") and "lock_timeout" not in line:
            connection.execute(line)  # type: ignore[call-overload]
    return connection


def rows_of(table: Table) -> str:
    """A table as a FROM item: without the tables that inherit from it, with its partitions."""
    return table.name.sql if table.kind == "partitioned" else f"ONLY {table.name.sql}"


def row_hash(columns: Iterable[str], alias: str = "t") -> str:
    """The expression for the MD5 of a row's text."""
    return f"md5(ROW({', '.join(f'{alias}.{listed([c])}' for c in columns)})::text)"


def words_of(error: psycopg.Error) -> str:
    """A server's words, in one line and without a full stop."""
    return redact(str(error.diag.message_primary or error).splitlines()[0]).rstrip(".")


def advice(words: str) -> str | None:
    """What to do where a server's words say that there is no room left."""
    return f"Is the disk full? {_ROOM}" if _FULL.search(words) else None


def one(connection: psycopg.Connection[Any], question: str) -> int:
    """The one number that a query answers; nothing counts as 0."""
    found = connection.execute(question).fetchone()  # type: ignore[call-overload]
    return int(found[0]) if found and found[0] is not None else 0


def structure_of(scratch: Scratch, database: str, path: Path, *options: str) -> list[str]:
    """A database's schema as pg_dump writes it to `path`, without comments and blank lines."""
    scratch.dump(database, path, "--schema-only", *options)
    return [
        line for line in path.read_text(encoding="utf-8").splitlines() if not _NOISE.match(line)
    ]


# --- room ---------------------------------------------------------------------------------------------


def shown_size(size: int) -> str:
    """A number of bytes for people."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def expect_room(scratch: Scratch, size: int, what: str) -> None:
    """Make sure that rows of `size` bytes have room beside the log that the server writes of them.

    Raises:
        RecoveryError: there is less room than that.
    """
    needed = size + min(size, _MOST_WAL) + _SPARE
    free = shutil.disk_usage(scratch.folder).free
    if free < needed:
        raise RecoveryError(
            f"{what} needs about {shown_size(needed)} in {scratch.folder.parent}, and {shown_size(free)} are free there.",
            _ROOM,
        )


def backup_bytes(
    backup: Source,
    rows: Mapping[TableName, tuple[int | None, int | None]],
    live: Mapping[TableName, int],
) -> int:
    """Estimate how large the backup's tables are once restored, their indexes included.

    Args:
        rows: by table, how many rows the backup has and live has.
        live: how large live's tables are, where that is known.
    """
    packed = backup.provenance.kind != "plain" and backup.provenance.compression not in (
        None,
        "none",
    )
    found = 0
    for name, held in backup.contents().items():
        ours, theirs = rows.get(name, (None, None))
        # COPY text takes about half of what rows and their indexes do; packed, a quarter of that.
        by_text = (held.bytes or 0) * (8 if packed else 2)
        if name in live and ours is not None and theirs:
            by_rows = live[name] * ours // theirs
            # Where live lost most of its rows, it may hold the room that they took: that says nothing of the size of a row.
            found += (
                min(by_rows, max(live[name], by_text)) if by_text and ours > theirs else by_rows
            )
        else:
            found += by_text
    return found


# --- live -----------------------------------------------------------------------------------------------


class LiveCopy:
    """Live's schema, and the rows of some of its tables, in a scratch database that belongs to `ROLE`.

    Attributes:
        scratch, database: where it is.
        notes: what it could not have of live.
        lacking: the tables among them that were wished for, a sentence each.
    """

    def __init__(self, scratch: Scratch, database: str, source: LiveSource) -> None:
        self.scratch, self.database, self._source = scratch, database, source
        self.notes: list[str] = []
        self.lacking: list[str] = []

    def make(
        self,
        tables: Collection[TableName],
        needed: Collection[TableName],
        roles: Iterable[str],
        tell: Tell = silent,
    ) -> None:
        """Build the schema as far as it goes, and fill tables.

        Args:
            tables: the tables to fill.
            needed: those of them without which nothing can be rehearsed.
            roles: roles that the scripts name.

        Raises:
            RecoveryError: a table that is needed cannot be made, or its rows do not go in.
            LiveError: live could not be read.
        """
        tell("copying live's schema")
        statements = self._schema()
        late = [s for s in statements if _AFTER_ROWS.search(s)]
        complaints = self._restore([s for s in statements if s not in late])
        with psycopg.connect(self.scratch.dsn(self.database), autocommit=True) as connection:
            there = {r[0] for r in connection.execute("SELECT rolname FROM pg_roles")}
            for role in sorted(set(roles) - there):
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
            connection.execute(
                "SET session_replication_role = replica"
            )  # foreign keys: not every parent is copied
            for n, name in enumerate(sorted(tables), 1):
                tell("copying live's rows", f"{name}, table {n} of {len(tables)}")
                try:
                    if connection.execute("SELECT to_regclass(%s)", [name.sql]).fetchone() == (
                        None,
                    ):
                        raise RecoveryError(
                            f"Table {name} cannot be made on the scratch PostgreSQL: {complaints[0] if complaints else 'its definition failed'}.",
                            "It may need an extension that the scratch server lacks. Point FORENSICS_PGBIN to an installation that has it.",
                        )
                    self._fill(connection, name)
                except RecoveryError as error:
                    if name in needed:
                        raise
                    self.lacking.append(str(error))
        complaints += self._restore(late)
        with psycopg.connect(self.scratch.dsn(self.database), autocommit=True) as connection:
            hand_over(connection)
        self.notes += [
            f"The scratch PostgreSQL could not make a part of live's schema: {c}."
            for c in complaints[:_NOTES]
        ]

    def _schema(self) -> list[str]:
        statements = list(self._source.statements())
        if not statements:
            raise RecoveryError(
                f"No pg_dump at hand can read the schema of {self._source.shown_dsn}, and the rehearsal needs it.",
                "Install a pg_dump of the server's version or a later one, or point FORENSICS_PGBIN to one.",
            )
        return statements

    def _restore(self, statements: Sequence[str]) -> list[str]:
        """Build a part of the schema as far as it goes; return what the server said against it."""
        schema = "".join(f"{s.rstrip(';')};\n" for s in statements).encode(
            "utf-8", "surrogateescape"
        )
        done = subprocess.run(
            [str(self.scratch.psql), "-X", "-q", "-d", self.database, "-f", "-"],
            input=schema,
            capture_output=True,
            env=self.scratch.env,
            check=False,
        )
        lines = done.stderr.decode(errors="replace").splitlines()
        return [
            line.split("ERROR:", 1)[1].strip().rstrip(".") for line in lines if "ERROR:" in line
        ]

    def _fill(self, connection: psycopg.Connection[Any], name: TableName) -> None:
        columns = tuple(
            c.name for c in self._source.catalog.tables[name].columns if not c.generated
        )
        try:
            with connection.cursor().copy(copy_in(name.sql, columns)) as copy:  # type: ignore[call-overload]
                for segment in self._source.segments(name, columns):
                    for block in segment.blocks():
                        copy.write(bytes(block))
        except psycopg.Error as error:
            if isinstance(error, psycopg.errors.CheckViolation) and self._without(
                connection, name, error.diag.constraint_name
            ):
                self._fill(connection, name)
                return
            words = words_of(error)
            raise RecoveryError(
                f"The rows of {name} do not go into the scratch PostgreSQL: {words}.", advice(words)
            ) from error

    def _without(
        self, connection: psycopg.Connection[Any], name: TableName, check: str | None
    ) -> bool:
        """Take away a check that refuses rows which live holds; say whether that was possible."""
        try:
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    sql.SQL(name.sql), sql.Identifier(check or "")
                )
            )  # type: ignore[arg-type]
        except psycopg.Error:
            return False
        self.notes.append(
            f"Check {check} of {name} was left aside: it refuses rows that live holds, because it reads what the copy has not."
        )
        return True


# --- the backup -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BackupCopy:
    """The backup, restored into a scratch database.

    Attributes:
        scratch, database: where it is. Nobody is connected to it.
        seconds: how long restoring it took.
        short: what went wrong with tables, a sentence each: they or their rows are not there.
        notes: what else could not be made.
    """

    scratch: Scratch
    database: str
    seconds: float
    short: tuple[str, ...]
    notes: tuple[str, ...]


@contextmanager
def backup_copy(
    scratch: Scratch,
    backup: Source,
    ddl: Sequence[str],
    tables: Collection[TableName] | None = None,
    tell: Tell = silent,
) -> Iterator[BackupCopy]:
    """Restore a backup through the kit's own reader: definitions, rows by COPY, then keys, indexes and foreign keys.

    Args:
        backup: the backup, open.
        ddl: its statements; empty where it is a database that no pg_dump could read.
        tables: whose rows are wanted; None for all, and then foreign keys are checked against them.

    Raises:
        ScratchError: the database cannot be made.
        BackupError: the backup's rows cannot be read.
    """
    catalog = backup.catalog
    names = [t.name for t in catalog.roots]
    statements = list(ddl) or [d.sql for d in definitions((), catalog, Catalog(), names).statements]
    with Replay(scratch, timeout="0") as copy:
        started = time.monotonic()
        tell("restoring the backup's definitions")
        copy.build(statements, catalog.extensions)
        chosen = [n for n in names if tables is None or n in tables]
        short = []
        for number, name in enumerate(chosen, 1):
            tell("restoring the backup's rows", f"{name}, table {number} of {len(chosen)}")
            if not copy.has(name):
                short.append(
                    f"Table {name} cannot be made: {copy.unbuilt.get(name, 'its definition failed')}."
                )
                continue
            stored = tuple(c.name for c in catalog.tables[name].columns if not c.generated)
            for segment in backup.segments(name, stored):
                if words := copy.load(name, segment.columns, segment.blocks()):
                    short.append(
                        f"Rows of {name} do not go in: {words}. {advice(words) or ''}".rstrip()
                    )
        tell("restoring the backup's keys, indexes and foreign keys")
        copy.finish(checked=tables is None)
        seconds = time.monotonic() - started
        copy.end_session()
        yield BackupCopy(scratch, copy.database, seconds, tuple(short), tuple(copy.notes[:_NOTES]))


def hand_over(connection: psycopg.Connection[Any]) -> None:
    """Give everything in a scratch database to the role that may do nothing else: untrusted SQL can then run there as that role."""
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS").format(sql.Identifier(ROLE)))
    connection.execute(template("hand_over").replace("{role}", ROLE))  # type: ignore[call-overload]


def run_migration(scratch: Scratch, database: str, text: str, schema: str) -> str | None:
    """Run a migration in one transaction, as the role that may do nothing beyond its database; return what was said against it.

    Args:
        schema: where names without a schema lead.
    """
    done = subprocess.run(
        [
            str(scratch.psql),
            "-X",
            "-q",
            "-1",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            ROLE,
            "-d",
            database,
            "-f",
            "-",
        ],
        input=f"SET search_path TO {listed([schema])};\n{text}".encode(),
        capture_output=True,
        env=scratch.env,
        check=False,
    )
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if "ERROR:" in line]
    return (
        lines[0].split("ERROR:", 1)[1].strip().rstrip(".")
        if lines
        else f"psql ended with {done.returncode}"
    )
