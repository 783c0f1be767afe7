"""A database, through one read-only snapshot.

One connection opens a REPEATABLE READ, READ ONLY transaction and exports its snapshot; whatever else reads does so
under that snapshot (`readers`). Transactions are pinned (time zone, date and interval style, float digits, encoding) so
that a value's text depends on the value alone, and row-level security is off: a policy that would hide rows is an error
instead. All connections go to the host that the first one reached.

A standby that has to replay ends the transaction that holds the snapshot. Then a later one is taken for what is left,
on the same server and no other, and whoever reads is told which was read (`Segment.snapshot`). A server that was
restarted, or that ended the session for another reason, is not gone back to: it may hold something else by then.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import postgast
import psycopg
import sqlalchemy
from psycopg import conninfo, sql
from sqlalchemy.pool import NullPool

from forensics.errors import EvidenceError, LiveError, OutdatedError, UsageError, redact
from forensics.evidence import copytext
from forensics.evidence.ddl import normal_type
from forensics.evidence.encodings import transcoder
from forensics.evidence.files import PlainFile
from forensics.evidence.live import readers
from forensics.evidence.live.readers import (
    BEGIN,
    Copying,
    Failure,
    PsqlReader,
    PsycopgReader,
    Reader,
)
from forensics.evidence.plain.source import PlainSource
from forensics.evidence.source import Block, Contents, Segment, Snapshot, Source
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

_KINDS: dict[str, TableKind] = {
    "r": "table",
    "p": "partitioned",
    "f": "foreign",
    "m": "materialized view",
}
_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_IDENTITIES = {"a": "always", "d": "by default", "": ""}
_PARTITION_TREES = 120000  # the version that can tell them
CONNECT_TIMEOUT = 10
LOCK_TIMEOUT = "5s"  # never queue behind a migration for long, and block the application meanwhile
STATEMENT_TIMEOUT = "0"  # reading a large table takes as long as it takes

# What a value's text depends on, besides the value. pg_dump sets the same, but for TimeZone and bytea_output.
_PINNED = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "extra_float_digits": "3",
    "xmloption": "content",
    "search_path": "",
    "quote_all_identifiers": "off",  # names of types, and values of regclass and its like
    "row_security": "off",
    "synchronize_seqscans": "off",  # a table's rows come in the same order each time
    "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "0",
}
_CONFLICT = "40001"  # a standby cancels a query, or ends a session that holds a snapshot, because it has to replay
_FULL = "53300"
_WAITS_FOR_SLOT = (0.3, 1.0, 2.0)  # seconds
_RENEWALS = 5  # tries to take one snapshot

_HINTS = {
    "28P01": "Check the user and the password of the connection string.",
    "28000": "Check the user, and the server's pg_hba.conf.",
    "3D000": "Check the database's name in the connection string.",
    "42501": "Ask for SELECT on it: GRANT SELECT ON TABLE {table} TO {user};",
    "55P03": "Something holds a strong lock on it, a migration for instance. Try again when that has ended.",
    "57014": "The statement ran into a time limit or was cancelled. Try again with --resume.",
    "57P03": "The server starts, stops or recovers. Try again when it takes connections.",
    _CONFLICT: (
        "The standby has to replay, and this query was in its way. Go on with --resume when the primary is quieter; or raise "
        "max_standby_streaming_delay on the standby, or set hot_standby_feedback = on there; or read the primary."
    ),
    _FULL: (
        "All connections that it gives out are taken; the kit needs one, and one for each of --jobs. Try again when the load is "
        "lower, have the application give some up (a smaller pool), or connect as a role for which slots are reserved."
    ),
}
_USAGE = "Ask for the schema first: GRANT USAGE ON SCHEMA {schema} TO {user}; and SELECT: GRANT SELECT ON TABLE {table} TO {user};"
_ROW_SECURITY = "row-level security"
_RESTRICTED = re.compile(
    r"^\\(?:un)?restrict \w+$", re.M
)  # what pg_dump writes for psql around the rest
_URI = re.compile(r"postgres(?:ql)?://(?P<authority>[^/?]*)(?P<rest>.*)\Z", re.S)
_DRIVER = re.compile(r"\Apostgres(?:ql)?\+\w+://")  # as SQLAlchemy names one
_PORTS = re.compile(r"(?:[^:\[\]]*|\[[^\]]*\])(?::\d*)?\Z")


def query(name: str) -> str:
    """Return the text of `queries/NAME.sql`."""
    return (
        resources.files("forensics.evidence.live")
        .joinpath("queries", f"{name}.sql")
        .read_text(encoding="utf-8")
    )


def parameters_of(dsn: str) -> dict[str, Any]:
    """Return what a connection string says, by libpq's names.

    Raises:
        UsageError: it is none. The message repeats nothing of it, and its cause is left out: either could hold a part
            of the password.
    """
    dsn = _DRIVER.sub("postgresql://", dsn)
    if match := _URI.match(dsn):
        authority, rest = match["authority"], match["rest"].partition("?")[0]
        # libpq takes the first @ for the end of the password, and would then look for a host that is half of it.
        bare = "@" not in authority and not all(_PORTS.match(part) for part in authority.split(","))
        if authority.count("@") > 1 or "@" in rest or (bare and "@" in dsn):
            raise UsageError(
                "The connection string is ambiguous: it holds more than one @, or a / or ? before it.",
                "Write special characters of a password as their code: @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25.",
            )
    try:
        return {k: v for k, v in conninfo.conninfo_to_dict(dsn).items() if v is not None}
    except psycopg.Error as error:
        words = (
            re.sub(r'"[^"]*"', '"…"', str(error).strip())
            if "pass" in dsn or "@" in dsn
            else str(error).strip()
        )
    raise UsageError(
        f"This is not a connection string that libpq takes: {redact(words)}.",
        "Write postgresql://user@host:port/database, or host=… dbname=….",
    )


def safe_dsn(dsn: str) -> str:
    """Return a connection string without its secrets, as a URI people can read.

    Raises:
        UsageError: `dsn` is no connection string.
    """
    given = parameters_of(dsn)
    user, host, port, database = (
        str(given.get(k) or "") for k in ("user", "host", "port", "dbname")
    )
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

    It takes one connection, and one more for each thread that reads rows at a time; of those as many as live gives.

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
        self,
        dsn: str,
        *,
        role: str = "live",
        lock_timeout: str = LOCK_TIMEOUT,
        statement_timeout: str = STATEMENT_TIMEOUT,
    ) -> None:
        self.role = role
        self.shown_dsn = safe_dsn(dsn)
        self._settings = {
            **_PINNED,
            "lock_timeout": lock_timeout,
            "statement_timeout": statement_timeout,
            "client_encoding": "UTF8",
        }
        self._parameters = {
            "connect_timeout": CONNECT_TIMEOUT,
            **parameters_of(dsn),
            "application_name": f"forensics ({role})",
            "client_encoding": "UTF8",
        }
        self._engine = sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=self.connect, poolclass=NullPool
        )
        self._readers: list[Reader] = []
        self._idle: list[Reader] = []
        self._most: int | None = (
            None  # readers that live has connections for, once it has refused one
        )
        self._closed = False
        self._free = threading.Condition()
        self._making = threading.Lock()
        self._asking = threading.RLock()
        self._latest: Catalog | None = None
        self._setback: OutdatedError | None = None
        self._news: list[str] = []
        try:
            self._connection, self._server = self._open()
        except BaseException:
            self.close()
            raise
        if self._server["encoding"] == "SQL_ASCII":
            # Such a server holds whatever bytes it was given, and would refuse to call them UTF-8.
            self._settings["client_encoding"] = self._parameters["client_encoding"] = "SQL_ASCII"
        self._snapshot = Snapshot(self._server["snapshot"], self._server["taken_at"])

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def connect(self) -> psycopg.Connection[Any]:
        """Open one more session. It is pinned and read-only within transactions that begin as `_open` begins one.

        Raises:
            LiveError: the database cannot be reached or refuses.
        """
        try:
            # No prepared statements: behind a pooler the next statement may meet another session.
            return psycopg.connect(**self._parameters, autocommit=True, prepare_threshold=None)  # type: ignore[arg-type]
        except psycopg.Error as error:
            words = _words(error)
            state = error.sqlstate or next((s for s, w in _BY_WORDS if w in words), None)
            hint = _HINTS.get(state or "", "Check host, port, network and whether the server runs.")
            raise LiveError(
                f"The {self.role} database {self.shown_dsn} cannot be reached: {words}.",
                hint,
                state,
            ) from error

    def _open(self) -> tuple[sqlalchemy.Connection, dict[str, Any]]:
        """Open a transaction and export its snapshot; return the connection that holds it, and what the server says."""
        connection = None
        try:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(BEGIN)
            connection.exec_driver_sql(self._pins.replace("%", "%%"))
            server = dict(connection.exec_driver_sql(query("server")).mappings().one())
            # Whatever the connection string leaves open, all sessions have to meet the server that holds the snapshot.
            info = connection.connection.driver_connection.info  # type: ignore[union-attr]
            self._parameters |= {"host": info.host, "port": info.port} | (
                {"hostaddr": info.hostaddr} if info.hostaddr else {}
            )
            return connection, server
        except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
            cause = getattr(error, "orig", None) or error
            state = getattr(cause, "sqlstate", None)
            message = f"The {self.role} database {self.shown_dsn} gives no snapshot to read from: {_words(cause)}."
            if connection is not None:
                _end(connection)
            if state == _CONFLICT:
                raise OutdatedError(message, _HINTS[state], state, self.role) from error
            raise LiveError(message, _HINTS.get(state or ""), state) from error

    @property
    def _pins(self) -> str:
        """A SELECT that sets what a transaction's answers depend on, for the length of it, and says who answers."""
        calls = [
            sql.SQL("pg_catalog.set_config({}, {}, true)")
            .format(sql.Literal(k), sql.Literal(v))
            .as_string(None)
            for k, v in self._settings.items()
        ]
        return query("pins").replace("{settings}", ",\n       ".join(calls))

    def _ask(self, name: str) -> list[dict[str, Any]]:
        """The answer to `queries/NAME.sql` under the snapshot."""
        try:
            with self._asking:
                return [dict(r) for r in self._connection.exec_driver_sql(query(name)).mappings()]
        except sqlalchemy.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            message = f"The {self.role} database {self.shown_dsn} does not answer the question '{name}': {_words(error.orig or error)}."
            if state == _CONFLICT:
                raise self._outdated(message, state) from error
            raise LiveError(message, _HINTS.get(state or ""), state) from error

    # --- a snapshot that does not last ----------------------------------------------------------------

    def recovers(self, error: EvidenceError) -> bool:
        if not isinstance(error, LiveError):
            return False
        loss = self._loss()
        if loss is None and not (isinstance(error, OutdatedError) and error.role == self.role):
            return False
        if loss is None and error.sqlstate == _CONFLICT:
            return True  # the query was in the way, and not the snapshot
        if loss and loss.state != _CONFLICT:
            raise self._gone(loss.words, loss.state) from error
        self._renew(loss.words if loss else "a table was rewritten")
        return True

    def unsettled(self) -> OutdatedError | None:
        found, self._setback = self._setback, None
        loss = None if found else self._loss()
        if loss and loss.state != _CONFLICT:
            raise self._gone(loss.words, loss.state)
        return (
            self._outdated(
                f"The snapshot of the {self.role} database is gone: {loss.words}.", _CONFLICT
            )
            if loss
            else found
        )

    def news(self) -> list[str]:
        found, self._news = self._news, []
        return found

    def definition_changed(self, name: TableName) -> bool:
        if self._latest is None:
            return False
        was, now = self.catalog.tables.get(name), self._latest.tables.get(name)
        return (
            was is None
            or now is None
            or replace(was, rows_estimate=0) != replace(now, rows_estimate=0)
        )

    def _outdated(self, message: str, state: str | None) -> OutdatedError:
        self._setback = OutdatedError(
            message,
            _HINTS[_CONFLICT] if state == _CONFLICT else "Go on with --resume.",
            state,
            self.role,
        )
        return self._setback

    def _loss(self) -> Failure | None:
        """Why the transaction that holds the snapshot is gone, or None where it stands."""
        with self._asking:
            try:
                self._connection.exec_driver_sql("SELECT 1")
            except (sqlalchemy.exc.SQLAlchemyError, psycopg.Error) as error:
                cause = getattr(error, "orig", None) or error
                state = getattr(cause, "sqlstate", None)
                if state == "25P02":  # it stands, and a refused question has spoilt it
                    state = _CONFLICT
                return Failure(_words(cause), state)
        return None

    def _gone(self, words: str, state: str | None) -> LiveError:
        return LiveError(
            f"The {self.role} database {self.shown_dsn} was lost: {words}. What was compared is kept.",
            "Go on with --resume when it answers again; what is left is then read from a new snapshot.",
            state,
        )

    def _renew(self, why: str) -> None:
        """Take a later snapshot, on the same server, for whatever is left to read."""
        with self._asking:
            _end(self._connection)
            for left in range(_RENEWALS, 0, -1):
                try:
                    self._connection, server = self._open()
                    if (server["server"], server["standby"]) != (
                        self._server["server"],
                        self._server["standby"],
                    ):
                        _end(self._connection)
                        raise self._gone("it was restarted, or another server answers for it", None)
                    if "catalog" in self.__dict__:
                        self._latest = self._read_catalog()
                    break
                except OutdatedError:
                    if left == 1:
                        raise
                    _end(self._connection)
                    time.sleep(0.2 * (_RENEWALS + 1 - left))
                except LiveError as error:
                    raise self._gone(error.message.rstrip("."), error.sqlstate) from error
            self._snapshot = Snapshot(server["snapshot"], server["taken_at"])
            self._news.append(
                f"The snapshot of the {self.role} database is gone ({why}). What is left is read from one of {server['taken_at']:%H:%M:%S %Z}."
            )

    # --- what it is --------------------------------------------------------------------------------

    @property
    def provenance(self) -> Provenance:  # type: ignore[override]
        server = self._server
        return Provenance(
            kind="database",
            server_version=server["server_version"],
            encoding=server["encoding"],
            dsn=self.shown_dsn,
            database=server["database"],
            snapshot=self.snapshot.identifier,
            taken_at=self.snapshot.taken_at,
            dumped_at=self.snapshot.taken_at if self.role == "backup" else None,
        )

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        for _ in range(_RENEWALS):
            try:
                return self._read_catalog()
            except OutdatedError as error:
                self.recovers(error)
        return self._read_catalog()

    def _read_catalog(self) -> Catalog:
        columns: dict[TableName, list[Column]] = {}
        for r in self._ask("columns"):
            columns.setdefault(_name(r), []).append(
                Column(
                    r["name"],
                    normal_type(r["type"]),
                    r["nullable"],
                    default=None if r["generated"] else r["expression"],
                    generated=r["expression"] if r["generated"] else None,
                    identity=_IDENTITIES.get(r["identity"], ""),
                )
            )
        keys: dict[TableName, list[Key]] = {}
        for r in self._ask("keys"):
            key = Key(r["name"], tuple(r["columns"]), r["primary"], not r["nulls_not_distinct"])
            keys.setdefault(_name(r), []).append(key)
        foreign: dict[TableName, list[ForeignKey]] = {}
        for r in self._ask("foreign_keys"):
            parent = TableName(r["parent_schema"], r["parent_table"])
            key_columns, parent_columns = tuple(r["columns"]), tuple(r["parent_columns"])
            foreign.setdefault(_name(r), []).append(
                ForeignKey(
                    r["name"],
                    key_columns,
                    parent,
                    parent_columns,
                    _ACTIONS.get(r["on_delete"], "no action"),
                )
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
        types = [{**r, "name": normal_type(r["name"])} for r in self._ask("types")]
        return Catalog(
            tables=tables,
            enums={r["name"]: tuple(r["parts"] or ()) for r in types if r["kind"] == "e"},
            domains={r["name"]: normal_type(r["parts"][0]) for r in types if r["kind"] == "d"},
            composites={
                r["name"]: tuple(map(normal_type, r["parts"] or ()))
                for r in types
                if r["kind"] == "c"
            },
            ranges={
                r["name"]: normal_type(r["parts"][0]) for r in types if r["kind"] in ("r", "m")
            },
            multiranges={r["name"]: normal_type(r["parts"][1]) for r in types if r["kind"] == "m"},
            extensions=tuple(r["name"] for r in self._ask("extensions")),
            sequences=tuple(
                ModelSequence(
                    TableName(r["schema"], r["name"]),
                    owner=(TableName(r["owner_schema"], r["owner_table"]), r["owner_column"])
                    if r["owner_column"]
                    else None,
                )
                for r in self._ask("sequences")
            ),
        )

    def statements(self) -> Iterator[str]:
        """The schema as `pg_dump` writes it, under the snapshot; nothing where no pg_dump is there that suits the server.

        Owners and grants are in it where the database is the backup.

        pg_dump only reads, and waits for a lock and for its answers no longer than anything else here does.
        """
        shown, environment = readers.for_programs(self._parameters)
        limit = self._server["statement_milliseconds"] / 1000
        options = [
            "--schema-only",
            # A copy of live is made by one role for itself; what comes back from a backup is to be whose it was.
            *(() if self.role == "backup" else ("--no-owner", "--no-privileges")),
            f"--snapshot={self.snapshot.identifier}",
            f"--lock-wait-timeout={self._settings['lock_timeout']}",
        ]
        with tempfile.TemporaryDirectory(prefix="forensics-") as folder:
            out = Path(folder) / "schema.sql"
            for program in (p.with_name("pg_dump") for p in readers.psql_programs()):
                command = [str(program), *options, "-f", str(out), "-d", shown]
                if program.exists() and not _run(command, environment, limit or None):
                    text = _RESTRICTED.sub("", out.read_text(encoding="utf-8"))
                    try:
                        found = postgast.split(text)
                    except postgast.PgQueryError:  # a word of a later version than the parser's, or one that PostgreSQL wrote wrongly
                        with PlainSource(PlainFile(out)) as dump:
                            found = list(dump.statements())
                    yield from (s.strip() for s in found if s.strip())
                    return

    @cached_property
    def large_objects(self) -> frozenset[int] | None:  # type: ignore[override]
        return frozenset(
            r["oid"]
            for r in self.ask(sql.SQL("SELECT oid::bigint FROM pg_catalog.pg_largeobject_metadata"))
        )

    def contents(self) -> Mapping[TableName, Contents]:
        return {t.name: Contents(t.name, data=True) for t in self.catalog.roots}

    def count(self, name: TableName) -> int:
        statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*name)).as_string(None)
        try:
            with self._savepoint():
                found = self._connection.exec_driver_sql(statement.replace("%", "%%")).scalar_one()
                rewritten = self._connection.exec_driver_sql(
                    self._rewritten(name).replace("%", "%%")
                ).scalar_one()
        except sqlalchemy.exc.DBAPIError as error:
            raise self.failure(
                name, Failure(_words(error.orig or error), getattr(error.orig, "sqlstate", None))
            ) from error
        if rewritten:
            raise self.failure(name, readers.REWRITTEN)
        return int(found)

    def ask(self, question: sql.Composed | sql.SQL, search_path: str = "") -> list[dict[str, Any]]:
        """Run one SELECT under the snapshot, read-only like all else, and return its rows.

        Args:
            question: the SELECT, every identifier quoted.
            search_path: the schema in which its unqualified names lie; "" for none.

        Raises:
            LiveError: the server refused; the session goes on.
        """
        path = sql.SQL("SELECT pg_catalog.set_config('search_path', {}, true)").format(
            sql.Literal(quote_identifier(search_path) if search_path else "")
        )
        try:
            with self._savepoint():
                self._connection.exec_driver_sql(path.as_string(None).replace("%", "%%"))
                return [
                    dict(r)
                    for r in self._connection.exec_driver_sql(
                        question.as_string(None).replace("%", "%%")
                    ).mappings()
                ]
        except sqlalchemy.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            message = f"The {self.role} database {self.shown_dsn} refuses a question: {_words(error.orig or error)}."
            if state == _CONFLICT:
                raise self._outdated(message, state) from error
            raise LiveError(message, None, state) from error

    @contextlib.contextmanager
    def _savepoint(self) -> Iterator[None]:
        """What is done within is undone, and with it the locks it took: nobody waits for them until all is compared."""
        with self._asking:
            self._connection.exec_driver_sql("SAVEPOINT asking")
            try:
                yield
            finally:
                with contextlib.suppress(sqlalchemy.exc.DBAPIError):
                    self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT asking")
                    self._connection.exec_driver_sql("RELEASE SAVEPOINT asking")

    def _rewritten(self, name: TableName) -> str:
        """The SELECT that says whether a table's rows of the snapshot are gone."""
        table = sql.Literal(name.sql).as_string(None)
        asked = [query("rewritten")]
        if (
            self.catalog.tables[name].kind == "partitioned"
            and self._server["version"] >= _PARTITION_TREES
        ):
            asked.append(query("repartitioned"))
        return f"SELECT {' OR '.join(f'({q})' for q in asked)} AS rewritten".replace(
            "{table}", table
        )

    def unreadable(self) -> dict[TableName, str]:
        """Return the tables whose rows this role cannot read, or not all of them, and what to ask for."""
        role = self._server["role"]
        found = {}
        for row in self._ask("privileges"):
            name = _name(row)
            if not row["usage"]:
                found[name] = (
                    f"GRANT USAGE ON SCHEMA {quote_identifier(name.schema)} TO {quote_identifier(role)};"
                )
            elif not row["readable"]:
                found[name] = f"GRANT SELECT ON TABLE {name.sql} TO {quote_identifier(role)};"
            elif row["filtered"]:
                found[name] = (
                    f"ALTER ROLE {quote_identifier(role)} BYPASSRLS; -- or read as the owner of {name.sql}"
                )
        return found

    # --- rows --------------------------------------------------------------------------------------

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        return [LiveSegment(self, name, columns)]

    @contextlib.contextmanager
    def reader(self) -> Iterator[Reader]:
        """Lend a session to copy rows out with; it is kept for the next who asks.

        Raises:
            LiveError: there is none to be had.
        """
        lent = self._take()
        try:
            yield lent
        except BaseException:
            # Whatever stands unread in its pipe belongs to a question that nobody waits for any more.
            lent.close()
            raise
        finally:
            with self._free:
                (self._idle if lent.usable else []).append(lent)
                if not lent.usable and lent in self._readers:
                    self._readers.remove(lent)
                self._free.notify()

    def _take(self) -> Reader:
        waits = iter(_WAITS_FOR_SLOT)
        while True:
            with self._free:
                while (
                    not self._idle
                    and self._most is not None
                    and len(self._readers) >= self._most
                    and not self._closed
                ):
                    self._free.wait(1)
                if self._closed:
                    raise LiveError(
                        f"The {self.role} database is not read any more: the run ends.",
                        "Go on with --resume.",
                    )
                if self._idle:
                    return self._idle.pop()
            try:
                with self._making:
                    made = self._new_reader()
            except LiveError as error:
                if error.sqlstate != _FULL:
                    raise
                with self._free:
                    if self._readers:
                        if self._most is None:
                            self._news.append(
                                f"The {self.role} database gives no more than {len(self._readers) + 1} connections now; "
                                f"{len(self._readers)} {'table is' if len(self._readers) == 1 else 'tables are'} read at a time."
                            )
                        self._most = len(self._readers)
                        continue
                if (seconds := next(waits, None)) is None:
                    raise
                time.sleep(seconds)
                continue
            with self._free:
                if self._closed:
                    made.close()
                else:
                    self._readers.append(made)
                    return made

    def _new_reader(self) -> Reader:
        for program in readers.psql_programs():
            with contextlib.suppress(LiveError):
                return PsqlReader(program, self._parameters, self.role)
        return PsycopgReader(self.connect())  # and where this fails too, it says why

    def task(self, table: TableName, statement: str, snapshot: Snapshot) -> Copying:
        """What a reader is told to copy a table out."""
        return Copying(
            snapshot.identifier,
            self._pins,
            statement,
            self._rewritten(table),
            self._server["server"],
        )

    def failure(self, table: TableName, why: Failure) -> LiveError:
        """Build the error for a table that could not be read, with what to do next."""
        message = f"Table {table} of the {self.role} database cannot be read: {why.words}."
        if why.outdated or why.state == _CONFLICT:
            return self._outdated(message, why.state)
        if _ROW_SECURITY in why.words:
            hint = f"Read as the table's owner, or as a role with BYPASSRLS: a policy of {table} hides rows from this one."
        else:
            hint = _HINTS.get(why.state or "", "Run again with --resume when the database answers.")
            if why.state == "42501" and why.words.startswith("permission denied for schema"):
                hint = _USAGE
            hint = hint.format(
                schema=quote_identifier(table.schema),
                table=table.sql,
                user=quote_identifier(self._server["role"]),
            )
        return LiveError(message, hint, why.state)

    def close(self) -> None:
        with self._free:
            self._closed = True
            ending, self._readers, self._idle = self._readers, [], []
            self._free.notify_all()
        for reader in ending:
            reader.close()
        if connection := self.__dict__.get("_connection"):
            _end(connection)
        self._engine.dispose()


# libpq gives no SQLSTATE for what fails before a session exists; its words do not change between versions.
_BY_WORDS = (
    ("28P01", "password authentication failed"),
    ("3D000", "does not exist"),
    ("28000", "no pg_hba.conf entry"),
    (_FULL, "too many clients already"),
    (_FULL, "remaining connection slots are reserved"),
    (_FULL, "too many connections for"),
    (_FULL, "no more connections allowed"),
    ("57P03", "the database system is"),
)


def _end(connection: sqlalchemy.Connection) -> None:
    """Close a connection that may be lost already."""
    with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError, psycopg.Error):
        readers.end(connection.connection.driver_connection)  # type: ignore[arg-type]
        connection.invalidate()
    with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError, psycopg.Error):
        connection.close()


def _run(command: Sequence[str], environment: Mapping[str, str], seconds: float | None) -> int:
    """Run a program that can be told to stop; return its exit status."""
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.terminate()  # pg_dump then has the server cancel what it waits for
            return child.wait()
        except BaseException:
            child.kill()
            raise


def _name(row: Mapping[str, Any]) -> TableName:
    return TableName(row["schema"], row["table"])


class LiveSegment(Segment):
    """The rows of a table, asked for anew at each `blocks()`, always under the snapshot that stood when it was made."""

    def __init__(self, source: LiveSource, table: TableName, columns: Sequence[str]) -> None:
        super().__init__(table, columns)
        self._source = source
        self.snapshot: Snapshot = source.snapshot
        self._reading: Reader | None = None

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
            self._reading = reader
            answer = reader.copy_out(
                self._source.task(self.table, self._statement(), self.snapshot)
            )
            # SQL_ASCII is no encoding: such a server hands out whatever bytes it holds.
            convert = (
                transcoder("SQL_ASCII") if self._source.provenance.encoding == "SQL_ASCII" else None
            )
            for block in copytext.read_blocks(answer.read):
                yield convert(block) if convert else block
            self._reading = None
            if answer.failure:
                raise self._source.failure(self.table, answer.failure)

    def abandon(self) -> None:
        if reader := self._reading:
            reader.close()
