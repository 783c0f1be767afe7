"""The scratch database of a replay, and the one session in it, without privileges beyond it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import resources
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from forensics.errors import redact
from forensics.model import TableName
from forensics.scratch import Scratch

_PIECE = 64 << 10  # bytes
ROLE = "forensics_replay"  # without any privilege beyond a database of its own
SCHEMA = "forensics replay"  # holds what is followed
# Extensions that open files, connections or other servers: a replay has no use for them.
REACHING = {
    "dblink",
    "postgres_fdw",
    "file_fdw",
    "adminpack",
    "pg_cron",
    "pg_net",
    "http",
    "plpython3u",
    "plperlu",
    "pltclu",
    "aws_s3",
}

Query = str | sql.Composable
Blocks = Iterable[bytes | bytearray | memoryview]


class Database:
    """A database of a scratch server that belongs to `ROLE`, and a session of that role.

    Args:
        scratch: a running server.
        timeout: how long one statement may run, as PostgreSQL writes it; "0" is without limit.

    Raises:
        ScratchError: the server is not running.
    """

    def __init__(self, scratch: Scratch, timeout: str) -> None:
        self._scratch = scratch
        self.name = f"replay {uuid4()}"
        scratch.create(self.name)
        self._hand_over()
        settings = {
            "statement_timeout": timeout,
            "check_function_bodies": "off",
            "client_min_messages": "error",
            # A tenth of the rows that ANALYZE would look at tells large tables from small ones.
            "default_statistics_target": "10",
        }
        self._connection = psycopg.connect(
            scratch.dsn(self.name),
            user=ROLE,
            autocommit=True,
            row_factory=dict_row,
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
        )

    def _hand_over(self) -> None:
        role, database = sql.Identifier(ROLE), sql.Identifier(self.name)
        with self._as_master() as master:
            expect_role(master)
            master.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
            master.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(role))
            schema = sql.Identifier(SCHEMA)
            master.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(schema, role))

    def _as_master(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._scratch.dsn(self.name), autocommit=True)

    def end_session(self) -> None:
        """Let go of the database, so that it can be copied; it stays until `close`."""
        self._connection.close()

    def close(self) -> None:
        """End the session and remove the database."""
        self.end_session()
        self._scratch.drop(self.name)

    def make_extension(self, name: str) -> str | None:
        """Make an extension, which the role may not; return the server's words where it refused."""
        text = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(name))
        try:
            with self._as_master() as master:
                master.execute(text)
        except psycopg.Error as error:
            return words_of(error)
        return None

    # --- statements ------------------------------------------------------------------------------

    def execute(
        self, query: Query, values: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> psycopg.Cursor[dict[str, Any]]:
        """Run a statement of ours, or a query."""
        return self._connection.execute(query, values)  # type: ignore[arg-type]

    def block(self) -> AbstractContextManager[object]:
        """A transaction, or a savepoint of the one there is, for the length of a `with` block."""
        return self._connection.transaction()

    def attempt(self, text: str) -> str | None:
        """Run a statement of others; return the server's words where it refused."""
        try:
            self._connection.execute(text.encode("utf-8"))
        except psycopg.Error as error:
            return words_of(error)
        return None

    def number(self, query: Query) -> int:
        """The number that a query of one row and one column finds."""
        found = self.execute(query).fetchone()
        return int(next(iter(found.values()))) if found else 0

    def copy_in(self, table: sql.Identifier, columns: Sequence[str], blocks: Blocks) -> str | None:
        """Fill a table with COPY text; return the server's words where it refused."""
        names = sql.SQL("({})").format(listed(columns)) if columns else sql.SQL("")
        statement = sql.SQL("COPY {} {} FROM STDIN").format(table, names)
        try:
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                for piece in _gathered(blocks):
                    copy.write(piece)
        except psycopg.Error as error:
            return words_of(error)
        return None

    def copy_out(self, statement: sql.Composed) -> bytes:
        """What a COPY … TO STDOUT says."""
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            return b"".join(bytes(piece) for piece in copy)

    # --- what is there ---------------------------------------------------------------------------

    def has(self, name: TableName) -> bool:
        """Whether there is a table of that name."""
        query = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL AS found"
        found = self.execute(query, [name.sql]).fetchone()
        return bool(found and found["found"])

    def columns_of(self, name: TableName) -> list[str]:
        """The columns that a table has now, in order; none where there is no such table."""
        found = self.execute(query_of("columns"), [name.sql])
        return [row["attname"] for row in found]


def expect_role(master: psycopg.Connection[Any]) -> None:
    """Make sure that there is the role that may do nothing beyond a database of its own."""
    known = master.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [ROLE])
    if known.fetchone():
        return
    try:
        master.execute(sql.SQL("CREATE ROLE {} LOGIN BYPASSRLS").format(sql.Identifier(ROLE)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        return  # another session made it meanwhile


def _gathered(blocks: Blocks) -> Iterator[bytes]:
    """Blocks in larger pieces: each is a look at the connection, whatever its size."""
    pieces: list[bytes] = []
    size = 0
    for block in blocks:
        pieces.append(bytes(block))
        size += len(pieces[-1])
        if size >= _PIECE:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)


@cache
def query_of(name: str) -> sql.SQL:
    """The text of `queries/NAME.sql`, to be filled in."""
    file = resources.files("forensics.cause.replay").joinpath("queries", f"{name}.sql")
    return sql.SQL(file.read_text(encoding="utf-8"))  # type: ignore[arg-type]


def listed(columns: Iterable[str]) -> sql.Composed:
    """Names, quoted, with commas between them."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def words_of(error: psycopg.Error) -> str:
    """What the server said, in one line, without passwords."""
    said = str(error.diag.message_primary or error)
    return redact(said.splitlines()[0]).rstrip(".")
