"""Sessions of a database, all on one server, in transactions that are read-only and pinned.

Transactions are pinned (time zone, date and interval style, float digits, encoding) so that a
value's text depends on the value alone, and row-level security is off: a policy that would hide
rows is an error instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
from psycopg import sql

from forensics.errors import LiveError, OutdatedError
from forensics.evidence.live.asking import Asking
from forensics.evidence.live.dsn import parameters_of, safe_dsn, without_values
from forensics.evidence.live.readers import BEGIN
from forensics.evidence.live.refusals import (
    CONFLICT,
    failure_of,
    failure_to_connect,
    hint_of,
)
from forensics.evidence.live.sql_files import query

CONNECT_TIMEOUT = 10
HASTY = "50ms"  # far less than a deadlock_timeout

# What a value's text depends on, besides the value. pg_dump sets the same, but for TimeZone and
# bytea_output.
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


@dataclass(frozen=True)
class Server:
    """Who answers, as `queries/server.sql` asks.

    `server` is when it was started, and so which; `alone` whether it has one session for all who
    connect.
    """

    server_version: str
    version: int
    database: str
    role: str
    encoding: str
    taken_at: datetime
    standby: bool
    alone: bool
    server: str
    statement_milliseconds: int
    snapshot: str


class Connections:
    """What is needed to open a session of a database.

    Args:
        dsn: anything that libpq takes.
        role: "live" or "backup": what messages and the server's list of sessions call it.
        lock_timeout, statement_timeout: as PostgreSQL writes them.

    Attributes:
        parameters: of libpq. Once a session was open, they name the host that it reached.
        settings: that a transaction of it begins with.

    Raises:
        UsageError: `dsn` is no connection string.
    """

    def __init__(self, dsn: str, role: str, lock_timeout: str, statement_timeout: str) -> None:
        self.role = role
        self.shown_dsn = safe_dsn(dsn)
        self.settings = {
            **_PINNED,
            "lock_timeout": lock_timeout,
            "statement_timeout": statement_timeout,
            "client_encoding": "UTF8",
        }
        self.parameters = {
            "connect_timeout": CONNECT_TIMEOUT,
            **parameters_of(dsn),
            "application_name": f"forensics ({role})",
            "client_encoding": "UTF8",
        }
        self._reached = self.parameters

    def __getstate__(self) -> dict[str, Any]:
        """What another process opens sessions of the same server with."""
        return {**vars(self), "parameters": self._reached}

    def __str__(self) -> str:
        return f"{self.role} database {self.shown_dsn}"

    @property
    def pins(self) -> str:
        """A SELECT that sets what a transaction's answers depend on, for the length of it, and says
        who answers."""
        return _pins(tuple(self.settings.items()))

    def pins_and(self, settings: Mapping[str, str]) -> str:
        """The same with some settings more."""
        return _pins(tuple({**self.settings, **settings}.items()))

    @property
    def hasty_pins(self) -> str:
        """The same for a transaction that holds many tables' locks: it waits for none of them, or
        somebody who waits for one of those might be in its way."""
        return _pins(tuple({**self.settings, "lock_timeout": HASTY}.items()))

    def connect(self) -> psycopg.Connection[Any]:
        """Open one more session. It is pinned and read-only within transactions that begin as
        `open_transaction` begins one.

        Raises:
            LiveError: the database cannot be reached or refuses.
        """
        try:
            # No prepared statements: behind a pooler the next statement may meet another session.
            return psycopg.connect(
                **self.parameters,  # type: ignore[arg-type]
                autocommit=True,
                prepare_threshold=None,
            )
        except psycopg.Error as error:
            why = failure_to_connect(error)
            words = without_values(why.words, self.parameters)
            refusal = LiveError(
                f"The {self} cannot be reached: {words}.",
                hint_of(why.state) or "Check host, port, network and whether the server runs.",
                why.state,
            )
            if words == why.words:
                raise refusal from error
        raise refusal  # its cause would repeat the values

    def open_transaction(self) -> tuple[Asking, Server]:
        """Open a transaction and export its snapshot; return the session that holds it, and what
        the server says.

        Raises:
            OutdatedError: a standby ended it at once.
            LiveError: the database cannot be reached or refuses.
        """
        asking = Asking(self.connect())
        try:
            asking.run(BEGIN)
            asking.run(self.pins)
            [said] = asking.rows(query("server"))
            self._stay_with(asking.info)
        except psycopg.Error as error:
            asking.end()
            why = failure_of(error)
            message = f"The {self} gives no snapshot to read from: {why.words}."
            if why.state == CONFLICT:
                raise OutdatedError(message, hint_of(CONFLICT), CONFLICT, self.role) from error
            raise LiveError(message, hint_of(why.state), why.state) from error
        return asking, Server(**said)

    def _stay_with(self, info: psycopg.ConnectionInfo) -> None:
        """Whatever the connection string leaves open, all sessions have to meet the server that
        holds the snapshot."""
        self.parameters |= {"host": info.host, "port": info.port}
        if info.hostaddr:
            self.parameters["hostaddr"] = info.hostaddr
        # Another machine has neither this one's variables nor its password file.
        self._reached = {**info.get_parameters(), **self.parameters}
        if info.password:
            self._reached["password"] = info.password

    def take_bytes_as_they_are(self) -> None:
        """Of a server without an encoding: it holds whatever bytes it was given, and would refuse
        to call them UTF-8."""
        self.settings["client_encoding"] = "SQL_ASCII"
        self.parameters["client_encoding"] = "SQL_ASCII"


@cache
def _pins(settings: tuple[tuple[str, str], ...]) -> str:
    calls = []
    for name, value in settings:
        call = sql.SQL("pg_catalog.set_config({}, {}, true)")
        calls.append(call.format(sql.Literal(name), sql.Literal(value)).as_string(None))
    return query("pins").replace("{settings}", ",\n       ".join(calls))
