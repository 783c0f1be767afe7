"""A database, through one read-only snapshot.

One connection opens a REPEATABLE READ, READ ONLY transaction and exports its snapshot; whatever else reads does so
under that snapshot. Sessions are pinned (time zone, date and interval style, float digits, encoding) so that a value's
text depends on the value alone, and row-level security is off: a policy that would hide rows is an error instead.

Rows come through a `psql` child, because its COPY loop is C: a Python call for every row would halve the speed. Where
there is no psql, or it lacks what the connection needs (TLS, for one), psycopg reads instead: the same text, slower.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import postgast
import psycopg
import sqlalchemy
from psycopg import conninfo, sql
from sqlalchemy.pool import NullPool

from forensics.errors import LiveError, UsageError, redact
from forensics.evidence import copytext
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import PlainSource
from forensics.evidence.source import Block, Contents, Segment, Source
from forensics.model import (
    Catalog,
    Column,
    ForeignKey,
    Key,
    Provenance,
    Table,
    TableKind,
    TableName,
    quote_identifier,
)
from forensics.model import Sequence as ModelSequence
from forensics.scratch import find_programs

_KINDS: dict[str, TableKind] = {"r": "table", "p": "partitioned", "f": "foreign", "m": "materialized view"}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_IDENTITIES = {"a": "always", "d": "by default", "": ""}
_PIPE_BYTES = 1 << 20
_SET_PIPE_SIZE = 1031  # fcntl's F_SETPIPE_SZ, which Python 3.11 on other systems than Linux does not know
_SQLSTATE_LENGTH = 5
_LINE_FEED = 10
_MARKER_BYTES = 64  # more than the line that ends an answer has
CONNECT_TIMEOUT = 10
LOCK_TIMEOUT = "5s"  # never queue behind a migration for long, and block the application meanwhile
STATEMENT_TIMEOUT = "0"  # reading a large table takes as long as it takes

# What a value's text depends on, besides the value. pg_dump sets the same, but for TimeZone and bytea_output.
_PINNED = {
    "default_transaction_read_only": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "3",
    "xmloption": "content",
    "search_path": "",
    "row_security": "off",
    "synchronize_seqscans": "off",  # a table's rows come in the same order each time
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "0",
}
# psql does not set its variable ERROR where a COPY fails after its first rows. The transaction is aborted then, so any
# statement after it fails, and that does set it; and what went wrong stands on standard error.
_PROBE = "SELECT 1 AS alive \\gset"
_SNAPSHOT_TRANSACTION = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_HINTS = {
    "28P01": "Check the user and the password of the connection string.",
    "28000": "Check the user, and the server's pg_hba.conf.",
    "3D000": "Check the database's name in the connection string.",
    "42501": "Ask for SELECT on it: GRANT SELECT ON TABLE {table} TO {user};",
    "55P03": "Something holds a strong lock on it, a migration for instance. Try again when that has ended.",
    "57014": "The statement ran into a time limit or was cancelled. Try again with --resume.",
    "40001": "A standby cancelled the query because of replay. Try again with --resume, or raise max_standby_streaming_delay.",
}
_ROW_SECURITY = "row-level security"
_RESTRICTED = re.compile(r"^\\(?:un)?restrict \w+$", re.M)  # what pg_dump writes for psql around the rest


def query(name: str) -> str:
    """Return the text of `queries/NAME.sql`."""
    return resources.files("forensics.evidence").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def safe_dsn(dsn: str) -> str:
    """Return a connection string without its secrets, as a URI people can read.

    Raises:
        UsageError: `dsn` is no connection string.
    """
    try:
        given = conninfo.conninfo_to_dict(dsn)
    except psycopg.Error as error:
        raise UsageError(
            f"This is not a connection string that libpq takes: {redact(str(error).strip())}.",
            "Write postgresql://user@host:port/database, or host=… dbname=….",
        ) from error
    user, host, port, database = (str(given.get(k) or "") for k in ("user", "host", "port", "dbname"))
    if service := given.get("service"):
        return f"service={service}" + (f" dbname={database}" if database else "")
    at = f"{user}@" if user else ""
    if host.startswith("/"):
        return f"postgresql://{at}/{database}?host={host}" + (f"&port={port}" if port else "")
    return f"postgresql://{at}{host}{':' + port if port else ''}/{database}"


def _words(error: BaseException) -> str:
    """A server's or libpq's message in one line, without its prefixes."""
    diag = getattr(error, "diag", None)
    if diag is not None and diag.message_primary:
        return redact(str(diag.message_primary)).rstrip(".")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    tail = [line for line in lines if "Is the server running" not in line]
    text = tail[0] if tail else type(error).__name__
    for lead in ("connection failed: ", "connection is bad: "):
        text = text.removeprefix(lead)
    return redact(text).rstrip(".")


class LiveSource(Source):
    """A database as a side of the comparison.

    Args:
        dsn: anything that libpq takes; parts left out come from the `PG*` variables and the service file.
        role: "live" or "backup": what messages call it.
        lock_timeout, statement_timeout: how long a statement waits for a lock, and runs, before it gives up, as
            PostgreSQL writes it ("5s"; "0" is without limit).

    Raises:
        UsageError: `dsn` is no connection string.
        LiveError: the database cannot be reached, refuses, or has no snapshot to give.
    """

    pinned = True

    def __init__(
        self, dsn: str, *, role: str = "live", lock_timeout: str = LOCK_TIMEOUT, statement_timeout: str = STATEMENT_TIMEOUT
    ) -> None:
        self.role = role
        self.shown_dsn = safe_dsn(dsn)
        self._settings = {**_PINNED, "lock_timeout": lock_timeout, "statement_timeout": statement_timeout}
        self._parameters = {k: v for k, v in conninfo.conninfo_to_dict(dsn).items() if v is not None}
        self._parameters.setdefault("connect_timeout", CONNECT_TIMEOUT)
        self._parameters["application_name"] = f"forensics ({role})"
        self._engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=self.connect, poolclass=NullPool)
        self._readers: list[_Reader] = []
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()
        try:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._connection.exec_driver_sql(_SNAPSHOT_TRANSACTION)
            self._server = self._ask("server")[0]
        except LiveError:
            self.close()
            raise
        except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
            self.close()
            cause = getattr(error, "orig", None) or error
            state = getattr(cause, "sqlstate", None)
            raise LiveError(
                f"The {role} database {self.shown_dsn} gives no snapshot to read from: {_words(cause)}.", _HINTS.get(state or ""), state
            ) from error

    def connect(self) -> psycopg.Connection[Any]:
        """Open one more pinned, read-only session.

        Raises:
            LiveError: the database cannot be reached or refuses.
        """
        try:
            connection = psycopg.connect(**self._parameters, autocommit=True)  # type: ignore[arg-type]
            with connection.cursor() as cursor:
                cursor.execute(self._pins())
        except psycopg.Error as error:
            words = _words(error)
            state = error.sqlstate or next((s for s, w in _BY_WORDS.items() if w in words), None)
            hint = _HINTS.get(state or "", "Check host, port, network and whether the server runs.")
            raise LiveError(f"The {self.role} database {self.shown_dsn} cannot be reached: {words}.", hint, state) from error
        return connection

    def _pins(self) -> sql.Composed:
        # An SQL_ASCII server holds whatever bytes it was given, and would refuse to call them UTF-8.
        raw = self.__dict__.get("_server", {}).get("encoding") == "SQL_ASCII"
        pins = {**self._settings, "client_encoding": "SQL_ASCII" if raw else "UTF8"}
        return sql.SQL("; ").join(
            sql.SQL("SELECT pg_catalog.set_config({}, {}, false)").format(sql.Literal(k), sql.Literal(v)) for k, v in pins.items()
        )

    def _ask(self, name: str) -> list[dict[str, Any]]:
        """The answer to `queries/NAME.sql` under the snapshot."""
        try:
            return [dict(r) for r in self._connection.exec_driver_sql(query(name)).mappings()]
        except sqlalchemy.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            raise LiveError(
                f"The {self.role} database {self.shown_dsn} does not answer the question '{name}': {_words(error.orig or error)}.",
                _HINTS.get(state or ""), state,
            ) from error  # fmt: skip

    # --- what it is --------------------------------------------------------------------------------

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        server = self._server
        return Provenance(
            kind="database",
            server_version=server["server_version"],
            encoding=server["encoding"],
            dsn=self.shown_dsn,
            database=server["database"],
            snapshot=server["snapshot"],
            taken_at=server["taken_at"],
            dumped_at=server["taken_at"] if self.role == "backup" else None,
        )

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        columns: dict[TableName, list[Column]] = {}
        for r in self._ask("columns"):
            columns.setdefault(_name(r), []).append(
                Column(
                    r["name"], r["type"], r["nullable"],
                    default=None if r["generated"] else r["expression"],
                    generated=r["expression"] if r["generated"] else None,
                    identity=_IDENTITIES.get(r["identity"], ""),
                )
            )  # fmt: skip
        keys: dict[TableName, list[Key]] = {}
        for r in self._ask("keys"):
            key = Key(r["name"], tuple(r["columns"]), r["primary"], not r["nulls_not_distinct"])
            keys.setdefault(_name(r), []).append(key)
        foreign: dict[TableName, list[ForeignKey]] = {}
        for r in self._ask("foreign_keys"):
            parent = TableName(r["parent_schema"], r["parent_table"])
            key_columns, parent_columns = tuple(r["columns"]), tuple(r["parent_columns"])
            foreign.setdefault(_name(r), []).append(
                ForeignKey(r["name"], key_columns, parent, parent_columns, _ACTIONS.get(r["on_delete"], "no action"))
            )
        tables = {}
        for r in self._ask("tables"):
            name = _name(r)
            parents = tuple(TableName(*p) for p in r["parents"] or ())
            kind: TableKind = _KINDS[r["kind"]]
            tables[name] = Table(
                name,
                "partition" if r["is_partition"] and kind == "table" else kind,
                tuple(columns.get(name, ())),
                tuple(keys.get(name, ())),
                tuple(foreign.get(name, ())),
                parent=parents[0] if r["is_partition"] and parents else None,
                inherits=() if r["is_partition"] else parents,
                persistence="unlogged" if r["persistence"] == "u" else "permanent",
                extension=r["extension"],
                row_security=r["row_security"],
                rows_estimate=int(r["rows_estimate"]),
                comment=r["comment"],
            )
        types = self._ask("types")
        return Catalog(
            tables=tables,
            enums={r["name"]: tuple(r["parts"] or ()) for r in types if r["kind"] == "e"},
            domains={r["name"]: r["parts"][0] for r in types if r["kind"] == "d"},
            composites={r["name"]: tuple(r["parts"] or ()) for r in types if r["kind"] == "c"},
            extensions=tuple(r["name"] for r in self._ask("extensions")),
            sequences=tuple(
                ModelSequence(
                    TableName(r["schema"], r["name"]),
                    owner=(TableName(r["owner_schema"], r["owner_table"]), r["owner_column"]) if r["owner_column"] else None,
                )
                for r in self._ask("sequences")
            ),
        )

    def statements(self) -> Iterator[str]:
        """The schema as `pg_dump` writes it, under the snapshot; nothing where no pg_dump is there that suits the server.

        pg_dump only reads, and waits for a lock no longer than anything else here does.
        """
        shown, environment = _for_programs(self._parameters)
        options = [
            "--schema-only",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={self._server['snapshot']}",
            f"--lock-wait-timeout={LOCK_TIMEOUT}",
        ]
        with tempfile.TemporaryDirectory(prefix="forensics-") as folder:
            out = Path(folder) / "schema.sql"
            for program in (p.with_name("pg_dump") for p in _psql_programs()):
                command: list[str | Path] = [program, *options, "-f", out, "-d", conninfo.make_conninfo(**shown)]
                if program.exists() and not subprocess.run(command, env=environment, capture_output=True, check=False).returncode:
                    text = _RESTRICTED.sub("", out.read_text(encoding="utf-8"))
                    try:
                        found = postgast.split(text)
                    except postgast.PgQueryError:  # a word of a later version than the parser's, or one that PostgreSQL wrote wrongly
                        with PlainSource(PlainFile(out)) as dump:
                            found = list(dump.statements())
                    yield from (s.strip() for s in found if s.strip())
                    return

    def contents(self) -> Mapping[TableName, Contents]:
        return {t.name: Contents(t.name, data=True) for t in self.catalog.roots}

    def count(self, name: TableName) -> int:
        statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*name)).as_string(None)
        try:
            self._connection.exec_driver_sql("SAVEPOINT counting")
            found = self._connection.exec_driver_sql(statement.replace("%", "%%")).scalar_one()
            self._connection.exec_driver_sql("RELEASE SAVEPOINT counting")
        except sqlalchemy.exc.DBAPIError as error:
            with contextlib.suppress(sqlalchemy.exc.DBAPIError):
                self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT counting")
            raise self.failure(name, _words(error.orig or error), getattr(error.orig, "sqlstate", None)) from error
        return int(found)

    def ask(self, question: sql.Composed | sql.SQL, search_path: str = "") -> list[dict[str, Any]]:
        """Run one SELECT under the snapshot, read-only like all else, and return its rows.

        Args:
            question: the SELECT, every identifier quoted.
            search_path: the schema in which its unqualified names lie; "" for none.

        Raises:
            LiveError: the server refused; the session goes on.
        """
        text = question.as_string(None).replace("%", "%%")
        path = sql.SQL("SELECT pg_catalog.set_config('search_path', {}, true)").format(
            sql.Literal(quote_identifier(search_path) if search_path else "")
        )
        try:
            self._connection.exec_driver_sql("SAVEPOINT asking")
            self._connection.exec_driver_sql(path.as_string(None).replace("%", "%%"))
            found = [dict(r) for r in self._connection.exec_driver_sql(text).mappings()]
            self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT asking")
        except sqlalchemy.exc.DBAPIError as error:
            with contextlib.suppress(sqlalchemy.exc.DBAPIError):
                self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT asking")
            state = getattr(error.orig, "sqlstate", None)
            words = _words(error.orig or error)
            raise LiveError(f"The {self.role} database {self.shown_dsn} refuses a question: {words}.", None, state) from error
        return found

    def unreadable(self) -> dict[TableName, str]:
        """Return the tables whose rows this role cannot read, or not all of them, and what to ask for."""
        role = self._server["role"]
        found = {}
        for row in self._ask("privileges"):
            name = _name(row)
            if not row["usage"]:
                found[name] = f"GRANT USAGE ON SCHEMA {quote_identifier(name.schema)} TO {quote_identifier(role)};"
            elif not row["readable"]:
                found[name] = f"GRANT SELECT ON TABLE {name.sql} TO {quote_identifier(role)};"
            elif row["filtered"]:
                found[name] = f"ALTER ROLE {quote_identifier(role)} BYPASSRLS; -- or read as the owner of {name.sql}"
        return found

    # --- rows --------------------------------------------------------------------------------------

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        return [LiveSegment(self, name, columns)]

    @contextlib.contextmanager
    def reader(self) -> Iterator[_Reader]:
        """Lend a session that copies rows out under the snapshot; it is kept for the next who asks."""
        with self._lock:
            lent = self._idle.pop() if self._idle else None
        if lent is None:
            lent = self._new_reader()
            with self._lock:
                self._readers.append(lent)
        try:
            yield lent
        except BaseException:
            # Whatever stands unread in its pipe belongs to a question that nobody waits for any more.
            lent.close()
            raise
        if lent.usable:
            with self._lock:
                self._idle.append(lent)

    def _new_reader(self) -> _Reader:
        for program in _psql_programs():
            with contextlib.suppress(LiveError):
                return _PsqlReader(program, self._parameters, self._pins().as_string(None), self._server["snapshot"], self.role)
        return _PsycopgReader(self.connect(), self._server["snapshot"], self.role)

    def failure(self, table: TableName, words: str, state: str | None) -> LiveError:
        """Build the error for a table that could not be read, with what to do next."""
        if _ROW_SECURITY in words:
            hint = f"Read as the table's owner, or as a role with BYPASSRLS: a policy of {table} hides rows from this one."
        else:
            hint = _HINTS.get(state or "", "Run again with --resume when the database answers.")
            hint = hint.format(table=table.sql, user=quote_identifier(self._server["role"]))
        return LiveError(f"Table {table} of the {self.role} database cannot be read: {words}.", hint, state)

    def close(self) -> None:
        for reader in self._readers:
            reader.close()
        self._readers, self._idle = [], []
        if connection := self.__dict__.get("_connection"):
            with contextlib.suppress(sqlalchemy.exc.DBAPIError, psycopg.Error):
                connection.close()
        self._engine.dispose()


# libpq gives no SQLSTATE for what fails before a session exists; its words do not change between versions.
_BY_WORDS = {"28P01": "password authentication failed", "3D000": "does not exist", "28000": "no pg_hba.conf entry"}


def _name(row: Mapping[str, Any]) -> TableName:
    return TableName(row["schema"], row["table"])


def _psql_programs() -> list[Path]:
    """The psql programs to try, the system's own before the wheel's: it speaks TLS."""
    found = []
    if folder := os.environ.get("FORENSICS_PGBIN"):
        found.append(Path(folder) / "psql")
    if system := shutil.which("psql"):
        found.append(Path(system))
    with contextlib.suppress(Exception):
        found.append(find_programs() / "psql")
    return [p for p in dict.fromkeys(found) if p.exists()]


def _for_programs(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What to give a program of libpq's: parameters to show, and an environment that holds the password."""
    shown = {k: v for k, v in parameters.items() if k not in ("password", "sslpassword")}
    environment = {**os.environ, "PGCLIENTENCODING": "UTF8"}
    if password := parameters.get("password"):
        environment["PGPASSWORD"] = str(password)
    return shown, environment


class LiveSegment(Segment):
    """The rows of a table, asked for anew at each `blocks()`, always under the same snapshot."""

    def __init__(self, source: LiveSource, table: TableName, columns: Sequence[str]) -> None:
        super().__init__(table, columns)
        self._source = source

    def _statement(self) -> str:
        listed = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        table = sql.Identifier(*self.table)
        kind = self._source.catalog.tables[self.table].kind
        if kind == "table" and self.columns:
            # Of the table alone, without the tables that inherit from it: those are tables of their own.
            composed = sql.SQL("COPY {} ({}) TO STDOUT").format(table, listed)
        elif kind == "table":
            composed = sql.SQL("COPY {} TO STDOUT").format(table)
        else:
            composed = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(listed, table)
        return composed.as_string(None)

    def blocks(self) -> Iterator[Block]:
        with self._source.reader() as reader:
            answer = reader.copy_out(self._statement())
            # SQL_ASCII is no encoding: such a server hands out whatever bytes it holds.
            convert = copytext.transcoder("SQL_ASCII") if self._source.provenance.encoding == "SQL_ASCII" else None
            for block in copytext.read_blocks(answer.read):
                yield convert(block) if convert else block
            if answer.error:
                raise self._source.failure(self.table, *answer.error)


class _Answer:
    """One COPY's answer while it streams; `error` (words, SQLSTATE) is known once `read` has returned b""."""

    error: tuple[str, str | None] | None = None

    def read(self, size: int) -> bytes:
        raise NotImplementedError


class _Reader:
    """A session that copies rows out, one table after another."""

    usable = True

    def copy_out(self, statement: str) -> _Answer:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class _PsqlReader(_Reader):
    """A psql child that is told what to copy on its standard input.

    After each COPY it is made to print a line that begins with backslash and point, which no row can begin with, and
    that says how the COPY went. Settings and statements go in by pipe; the password through the environment.
    """

    def __init__(self, program: Path, parameters: Mapping[str, Any], pins: str, snapshot: str, role: str) -> None:
        self._role = role
        self._snapshot = snapshot
        shown, environment = _for_programs(parameters)
        self._errors = tempfile.TemporaryFile(prefix="forensics-psql-")
        self._errors_seen = 0
        self._buffer = bytearray()
        self._child = subprocess.Popen(
            [program, "-XAtq", "--no-password", "-d", conninfo.make_conninfo(**shown)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment, bufsize=0,
            start_new_session=True,  # a Ctrl-C in the terminal is ours to handle
        )  # fmt: skip
        assert self._child.stdout is not None
        _widen(self._child.stdout.fileno())
        answer = self._answer_to(f"{pins};")
        while answer.read(1 << 16):
            pass
        if answer.error:
            self.close()
            raise LiveError(f"psql cannot read the {role} database: {answer.error[0]}.")

    def copy_out(self, statement: str) -> _Answer:
        return self._answer_to(
            f"{_SNAPSHOT_TRANSACTION};\nSET TRANSACTION SNAPSHOT '{self._snapshot}';\n{statement};\n{_PROBE}", after="ROLLBACK;\n"
        )

    def _answer_to(self, statement: str, after: str = "") -> _PsqlAnswer:
        assert self._child.stdin is not None
        text = f"\\set VERBOSITY verbose\n{statement}\n\\echo '\\\\.' :ERROR :SQLSTATE\n{after}"
        with contextlib.suppress(BrokenPipeError):  # the answer's end tells what happened
            self._child.stdin.write(text.encode("utf-8"))
        return _PsqlAnswer(self)

    def buffer(self, size: int) -> bytearray:
        """Lend the buffer that answers are read into, of `size` bytes at least."""
        if len(self._buffer) < size:
            self._buffer = bytearray(size)
        return self._buffer

    def take_errors(self) -> str:
        """What psql wrote to standard error since the last call."""
        text = os.pread(self._errors.fileno(), 1 << 16, self._errors_seen)
        self._errors_seen += len(text)
        return text.decode("utf-8", "replace")

    @property
    def output(self) -> int:
        assert self._child.stdout is not None
        return self._child.stdout.fileno()

    def close(self) -> None:
        self.usable = False
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class _PsqlAnswer(_Answer):
    """What psql prints up to the marker. Only the last line there is can be the marker: psql then waits for more."""

    def __init__(self, reader: _PsqlReader) -> None:
        self._reader = reader
        self._held = b""  # the beginning of a line, which may be the marker's
        self._within_line = False
        self._ended = False

    def read(self, size: int) -> bytes:
        """Return the next whole lines, about `size` bytes of them; a longer line in parts."""
        if self._ended:
            return b""
        # One buffer for all that is read: a fresh one each time would cost more in page faults than the reading.
        buffer = self._reader.buffer(max(size, 2 * len(self._held)))
        view = memoryview(buffer)
        filled = len(self._held)
        view[:filled] = self._held
        while filled < len(buffer):
            count = os.readv(self._reader.output, [view[filled:]])
            if not count:
                self._ended = True
                self._reader.usable = False
                self.error = _server_error(self._reader.take_errors()) or ("the connection was lost", "08006")
                return b""
            filled += count
            if buffer[filled - 1] == _LINE_FEED:
                start = buffer.rfind(b"\n", max(0, filled - _MARKER_BYTES), filled - 1) + 1
                if buffer.startswith(b"\\. ", start) and (start or not self._within_line):
                    self._ended = True
                    self._finish(bytes(view[start:filled]))
                    return bytes(view[:start])
        cut = buffer.rfind(b"\n", 0, filled) + 1 or filled
        self._held = bytes(view[cut:filled])
        self._within_line = buffer[cut - 1] != _LINE_FEED
        return bytes(view[:cut])

    def _finish(self, line: bytes) -> None:
        self._ended = True
        parts = line.decode("ascii", "replace").split()
        self.error = _server_error(self._reader.take_errors())
        if self.error is None and parts[1] != "false":
            self.error = ("the server gave no reason", parts[2])


def _server_error(text: str) -> tuple[str, str | None] | None:
    """The first error in what psql wrote (`psql:…: ERROR:  42501: words`): its words and its SQLSTATE, or None."""
    for line in text.splitlines():
        for lead in ("ERROR:  ", "FATAL:  "):
            if lead in line:
                words = line.split(lead, 1)[1]
                code, colon, rest = words.partition(": ")
                coded = bool(colon) and len(code) == _SQLSTATE_LENGTH
                return redact(rest if coded else words).rstrip("."), code if coded else None
        if line.startswith("psql: error: "):
            return redact(line.removeprefix("psql: error: ")).rstrip("."), None
    return None


def _widen(pipe: int) -> None:
    """Give a pipe the largest buffer that an ordinary user may have, where the system can."""
    try:
        import fcntl

        fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
    except (ImportError, OSError):
        pass


class _PsycopgReader(_Reader):
    """Rows through psycopg, where psql cannot be had: the same text, at a Python call a row."""

    def __init__(self, connection: psycopg.Connection[Any], snapshot: str, role: str) -> None:
        self._connection = connection
        self._snapshot = snapshot

    def copy_out(self, statement: str) -> _Answer:
        return _PsycopgAnswer(self._connection, self._snapshot, statement)

    def close(self) -> None:
        self.usable = False
        self._connection.close()


class _PsycopgAnswer(_Answer):
    def __init__(self, connection: psycopg.Connection[Any], snapshot: str, statement: str) -> None:
        self._pieces = self._stream(connection, snapshot, statement)

    def _stream(self, connection: psycopg.Connection[Any], snapshot: str, statement: str) -> Iterator[bytes]:
        try:
            with connection.cursor() as cursor:
                cursor.execute(_SNAPSHOT_TRANSACTION)
                cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
                held: list[bytes] = []
                size = 0
                with cursor.copy(statement.encode("utf-8")) as copy:
                    for piece in copy:
                        held.append(bytes(piece))
                        size += len(held[-1])
                        if size >= copytext.BLOCK_BYTES:
                            yield b"".join(held)
                            held, size = [], 0
                if held:
                    yield b"".join(held)
                cursor.execute("ROLLBACK")
        except psycopg.Error as error:
            self.error = (_words(error), error.sqlstate)
            with contextlib.suppress(psycopg.Error):
                connection.execute("ROLLBACK")

    def read(self, size: int) -> bytes:
        return next(self._pieces, b"")
