"""A database as a Source, through one read-only snapshot.

One transaction holds the snapshot (`snapshot`) and answers questions; whatever else reads does so
under that snapshot (`readers`). All connections go to the host that the first one reached, in
transactions that are pinned alike (`connection`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from forensics import crash
from forensics.errors import BoundError, EvidenceError, LiveError, OutdatedError
from forensics.evidence.beside import beside
from forensics.evidence.live import bulk, counting, pages, readers
from forensics.evidence.live.alone import HeldReader
from forensics.evidence.live.catalogue import read_catalog, read_unreadable
from forensics.evidence.live.connection import Connections
from forensics.evidence.live.dsn import parameters_of, safe_dsn
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.making import read_making
from forensics.evidence.live.pace import Pace, Watch, watched
from forensics.evidence.live.readers import Copying, Failure, Reader
from forensics.evidence.live.refusals import CONFLICT, failure_of, hint_for_table
from forensics.evidence.live.runs import Crew, Runs, most_sessions
from forensics.evidence.live.schema import dumped_schema
from forensics.evidence.live.sent import Asked, Remote, SentSegment, blocks_of
from forensics.evidence.live.snapshot import RENEWALS, HeldSnapshot
from forensics.evidence.live.sql_files import query
from forensics.evidence.parts import Cut, Divisible
from forensics.evidence.source import Block, Contents, Segment, Snapshot, Source
from forensics.model import (
    LOCK_TIMEOUT,
    STATEMENT_TIMEOUT,
    Catalog,
    Provenance,
    Table,
    TableName,
    quote_identifier,
)

__all__ = ["LOCK_TIMEOUT", "STATEMENT_TIMEOUT", "LiveSource", "parameters_of", "safe_dsn"]

_PARTITION_TREES = 120000  # the version that can tell them


class LiveSource(Source):
    """A database as a side of the comparison.

    It takes one connection, and one more for each thread that reads rows at a time; of those as
    many as live gives.

    Args:
        dsn: anything that libpq takes; parts left out come from the `PG*` variables and the service
            file.
        role: "live" or "backup": what messages call it.
        lock_timeout, statement_timeout: how long a statement waits for a lock, and runs, before it
            gives up, as PostgreSQL writes it ("5s"; "0" is without limit).
        rate: how many bytes of rows are read a second; None is as many as it gives.
        jobs: how many sessions may read rows at a time.

    Raises:
        UsageError: `dsn` is no connection string.
        LiveError: the database cannot be reached, refuses, or has no snapshot to give.
    """

    pinned = True

    is_database = True

    def __init__(
        self,
        dsn: str,
        *,
        role: str = "live",
        lock_timeout: str = LOCK_TIMEOUT,
        statement_timeout: str = STATEMENT_TIMEOUT,
        rate: int | None = None,
        jobs: int = 1,
    ) -> None:
        self.role = role
        self.pace = Pace(rate)
        self._connections = Connections(dsn, role, lock_timeout, statement_timeout)
        self.shown_dsn = self._connections.shown_dsn
        self._news: list[str] = []
        self._held = HeldSnapshot(self._connections, self._news.append)
        self._server = self._held.server
        crash.asked(role, self._server.server_version)
        if self._server.encoding == "SQL_ASCII":
            self._connections.take_bytes_as_they_are()
        only = HeldReader(self._held) if self._server.alone else None
        self._readers = Lending(self._connections, self._news.append, only)
        most = most_sessions(jobs, str(self._connections.parameters["host"]))
        self.crew = Crew(most, self._readers)
        self._described = False  # whether the catalogue was read
        self._latest: Catalog | None = None  # as a later snapshot shows it

    def connect(self) -> psycopg.Connection[Any]:
        """Open one more session. It is pinned and read-only within transactions that begin as the
        one that holds the snapshot.

        Raises:
            LiveError: the database cannot be reached or refuses.
        """
        return self._connections.connect()

    # --- a snapshot that does not last ------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        return self._held.current

    def recovers(self, error: EvidenceError) -> bool:
        return self._held.recovers(error, self._look_again)

    def _look_again(self) -> None:
        """See what a new snapshot shows of the tables that were described under an older one."""
        if self._described:
            self._latest = read_catalog(self._held.ask)

    def unsettled(self) -> OutdatedError | None:
        return self._held.unsettled()

    def news(self) -> list[str]:
        found = list(self._news)
        del self._news[: len(found)]
        return found

    def definition_changed(self, name: TableName) -> bool:
        if self._latest is None:
            return False
        was, now = self.catalog.tables.get(name), self._latest.tables.get(name)
        if was is None or now is None:
            return True
        return replace(was, rows_estimate=0) != replace(now, rows_estimate=0)

    # --- what it is -------------------------------------------------------------------------------

    @property
    def provenance(self) -> Provenance:  # type: ignore[override]
        server = self._server
        return Provenance(
            kind="database",
            server_version=server.server_version,
            encoding=server.encoding,
            dsn=self.shown_dsn,
            database=server.database,
            snapshot=self.snapshot.identifier,
            taken_at=self.snapshot.taken_at,
            dumped_at=self.snapshot.taken_at if self.role == "backup" else None,
        )

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        found = self._read_catalog()
        self._described = True
        return found

    def _read_catalog(self) -> Catalog:
        for _ in range(RENEWALS):
            try:
                return read_catalog(self._held.ask)
            except OutdatedError as error:
                self.recovers(error)
        return read_catalog(self._held.ask)

    def statements(self) -> Iterator[str]:
        """The schema as `pg_dump` writes it, under the snapshot; nothing where no pg_dump is there
        that suits the server, or where the server has no session to give it.

        Owners and grants are in it where the database is the backup.
        """
        if self._server.alone:
            return iter(())
        options = [
            f"--snapshot={self.snapshot.identifier}",
            f"--lock-wait-timeout={self._connections.settings['lock_timeout']}",
        ]
        if self.role != "backup":
            # A copy of live is made by one role for itself; what comes back from a backup is to be
            # whose it was.
            options += ["--no-owner", "--no-privileges"]
        seconds = self._server.statement_milliseconds / 1000
        return dumped_schema(self._connections.parameters, options, seconds or None)

    @cached_property
    def large_objects(self) -> frozenset[int] | None:  # type: ignore[override]
        found = self.ask(sql.SQL("SELECT oid::bigint FROM pg_catalog.pg_largeobject_metadata"))
        return frozenset(row["oid"] for row in found)

    def contents(self) -> Mapping[TableName, Contents]:
        return {table.name: Contents(table.name, data=True) for table in self.catalog.roots}

    def unreadable(self) -> dict[TableName, str]:
        """Return the tables whose rows this role cannot read, or not all of them, and what to ask
        for."""
        return read_unreadable(self._held.ask, self._server.role)

    def activity(self) -> dict[str, Any] | None:
        [found] = self._held.ask("activity")
        return found

    def making(self) -> dict[str, Any] | None:
        def ask(name: str) -> list[dict[str, Any]]:
            return self.ask(sql.SQL(query(name)))  # type: ignore[arg-type]

        return read_making(ask)

    # --- questions --------------------------------------------------------------------------------

    def count(self, name: TableName) -> int:
        counted = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*name)).as_string(None)
        try:
            found, rewritten = self._held.scalars(counted, self._gone(name))
        except psycopg.Error as error:
            raise self.failure(name, failure_of(error)) from error
        if rewritten:
            raise self.failure(name, readers.REWRITTEN)
        return int(found)

    def counts(self, names: Sequence[TableName], seconds: float) -> dict[TableName, int]:
        return counting.counted(self._held.scalars, self.catalog.tables, names, seconds)

    def ask(self, question: sql.Composed | sql.SQL, search_path: str = "") -> list[dict[str, Any]]:
        """Run one SELECT under the snapshot, read-only like all else, and return its rows.

        Args:
            question: the SELECT, every identifier quoted.
            search_path: the schema in which its unqualified names lie; "" for none.

        Raises:
            LiveError: the server refused; the session goes on.
        """
        return self._held.ask_freely(question, search_path)

    def _gone(self, name: TableName) -> str:
        return _rewritten(self.catalog.tables[name], self.version)

    # --- rows -------------------------------------------------------------------------------------

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        return [LiveSegment(self, name, columns)]

    def several(self, wanted: Mapping[TableName, Sequence[str]]) -> dict[TableName, Segment]:
        snapshot = self.snapshot
        copies = []
        for name, columns in wanted.items():
            copies.append(LiveSegment(self, name, columns).statement())
        task = Copying(
            snapshot.identifier,
            self._connections.hasty_pins,
            bulk.statement_of(copies),
            bulk.check_of(list(wanted)),
            self._server.server,
        )
        with contextlib.suppress(LiveError), self.reader() as reader:
            if not reader.takes_several:
                return {}
            answer = reader.copy_out(task)
            read = self.pace.of(answer.read)
            rows = bulk.answers_of(answer, read, len(wanted), self._server.encoding)
            if rows is None:
                reader.close()  # what it still has to say is not read
                return {}
            found: dict[TableName, Segment] = {}
            for (name, columns), held in zip(wanted.items(), rows, strict=True):
                found[name] = bulk.HeldSegment(name, columns, snapshot, held)
            return found
        return {}

    @property
    def version(self) -> int:
        """The server's version, as a number: 170002."""
        return self._server.version

    @property
    def is_beside(self) -> bool:
        """Whether it is reached by a socket of this machine, and so without a wire."""
        return str(self._connections.parameters["host"]).startswith(("/", "@"))

    @property
    def is_alone(self) -> bool:
        """Whether the server has one session for all who connect."""
        return self._server.alone

    def reader(self) -> contextlib.AbstractContextManager[Reader]:
        """Lend a session to copy rows out with; it is kept for the next who asks.

        Raises:
            LiveError: there is none to be had.
        """
        return self._readers.reader()

    def warm(self) -> None:
        """Open the session that rows will be read by, beside what is asked meanwhile."""
        beside(self._readers.warm, "reader")

    def runs_of(self, name: TableName) -> Runs | None:
        """The runs of a table's pages, where several sessions may read one each; None where not."""
        if self.crew.most < 2 or self.is_alone or self.version < pages.FIRST_VERSION:
            return None
        if self.catalog.tables[name].kind not in ("table", "partition"):
            return None
        with contextlib.suppress(psycopg.Error):  # whoever reads the table meets it again
            _, [(number, size)] = self._held.scalars(counting.HASTE, pages.question([name]))
            return Runs.of(number, size) if number >= 0 else None
        return None

    def task(
        self,
        table: TableName,
        statement: str,
        snapshot: Snapshot,
        settings: Mapping[str, str] | None = None,
    ) -> Copying:
        """What a reader is told to copy a table out, under some settings more."""
        return Copying(
            snapshot.identifier,
            self._connections.pins_and(settings or {}),
            statement,
            self._gone(table),
            self._server.server,
        )

    @cached_property
    def remote(self) -> Remote:
        """The database as other processes reach it."""
        return Remote(self._connections)

    def failure(self, table: TableName, why: Failure) -> LiveError:
        """Build the error for a table that could not be read, with what to do next."""
        message = f"Table {table} of the {self.role} database cannot be read: {why.words}."
        if why.outdated or why.state == CONFLICT:
            return self._held.outdated(message, why.state)
        return LiveError(message, hint_for_table(why, table, self._server.role), why.state)

    def close(self) -> None:
        self._readers.close()
        self._held.close()


def _rewritten(table: Table, version: int) -> str:
    """The SELECT that says whether a table's rows of the snapshot are gone."""
    asked = [f"({query('rewritten')})"]
    if table.kind == "partitioned" and version >= _PARTITION_TREES:
        asked.append(f"({query('repartitioned')})")
    named = sql.Literal(table.name.sql).as_string(None)
    return f"SELECT {' OR '.join(asked)} AS rewritten".replace("{table}", named)


class LiveSegment(Segment, Divisible):
    """The rows of a table, asked for anew at each `blocks()`, always under the snapshot that stood
    when it was made.

    Attributes:
        settings: of the transaction that reads them, beside those of all.
        watch: is told of each piece that came how many bytes it has and how long it was waited for;
            what it raises ends the reading.
    """

    settings: Mapping[str, str] = {}
    waits = True
    is_table = True  # and nothing that only is read like one

    def __init__(self, source: LiveSource, table: TableName, columns: Sequence[str]) -> None:
        super().__init__(table, columns)
        self._source = source
        self.snapshot: Snapshot = source.snapshot
        self.watch: Watch | None = None
        self._let_go: Callable[[], None] | None = None

    def statement(self) -> str:
        """The COPY that reads it."""
        listed = ", ".join(map(quote_identifier, self.columns))
        table = self.table.sql
        kind = self._source.catalog.tables[self.table].kind
        if kind != "table":
            return f"COPY (SELECT {listed} FROM {table}) TO STDOUT"
        if not self.columns:
            return f"COPY {table} TO STDOUT"
        # Of the table alone, without the tables that inherit from it: those are tables of their
        # own.
        return f"COPY {table} ({listed}) TO STDOUT"

    def blocks(self) -> Iterator[Block]:
        found = self._source.runs_of(self.table) if self.is_table and self.columns else None
        with self._source.crew.reading():
            if found is None:
                yield from self._whole()
            else:
                yield from self._in_runs(found)

    def _whole(self) -> Iterator[Block]:
        with self._source.reader() as reader:
            self._let_go = reader.close
            yield from self._read(reader, self.statement(), self.settings, self.watch)
            self._let_go = None

    def _in_runs(self, found: Runs) -> Iterator[Block]:
        listed = ", ".join(map(quote_identifier, self.columns))
        settings = {**self.settings, **pages.SETTINGS}

        def read(reader: Reader, run: int) -> Iterator[Block]:
            statement = pages.copy_of(listed, self.table.sql, found.condition(run))
            return self._read(reader, statement, settings, None if run else self.watch)

        # How fast rows come is told by one session, while no other has a share of the wire.
        together = self._source.crew.together(found.number, read, alone=self.watch is not None)
        self._let_go = together.abandon
        yield from together.blocks()
        self._let_go = None

    def _read(
        self, reader: Reader, statement: str, settings: Mapping[str, str], watch: Watch | None
    ) -> Iterator[Block]:
        task = self._source.task(self.table, statement, self.snapshot, settings)
        answer = reader.copy_out(task)
        read = watched(answer.read, watch)
        yield from blocks_of(self._source.pace.of(read), self._source.provenance.encoding)
        if answer.failure:
            raise self._source.failure(self.table, answer.failure)

    def abandon(self) -> None:
        if let_go := self._let_go:
            let_go()

    # --- read by others ---------------------------------------------------------------------------

    def cuts(self, size: int) -> list[Cut]:
        source = self._source
        tables = pages.tables_of(self.table, source.catalog)
        return pages.cuts(tables, source.ask, source.version, size)

    def part(self, cut: Cut) -> Segment:
        return self.sent().part(cut)

    def sent(self) -> SentSegment:
        source = self._source
        if source.is_alone:
            raise BoundError(f"The {source.role} database has one session for all who connect")
        tables = pages.tables_of(self.table, source.catalog)
        asked = Asked(
            tuple(table.sql for table in tables),
            ", ".join(map(quote_identifier, self.columns)),
            source.task(self.table, self.statement(), self.snapshot),
            source.task(self.table, "", self.snapshot, pages.SETTINGS),
            source.provenance.encoding,
        )
        return SentSegment(self.table, self.columns, source.remote, asked)

    def refused(self, words: str, state: str | None, outdated: bool) -> EvidenceError:
        why = Failure(words, state, outdated)
        if outdated and state != CONFLICT and why != readers.REWRITTEN and self._stands():
            return LiveError(
                f"Table {self.table} of the {self._source.role} database cannot be read by another"
                f" process under this one's snapshot: {words}.",
                "A snapshot reaches neither through a pooler nor to another server: give the"
                " address of the database server itself.",
                state,
            )
        return self._source.failure(self.table, why)

    def _stands(self) -> bool:
        """Whether the transaction does that holds the snapshot."""
        with contextlib.suppress(LiveError):
            return self._source.unsettled() is None
        return False
