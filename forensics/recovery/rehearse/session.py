"""Sessions on scratch databases, what they are asked, and what their servers say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from forensics.cause.replay import ROLE, expect_role
from forensics.errors import redact
from forensics.recovery.queries import filled
from forensics.recovery.write.sqltext import copy_in, hash_of, listed, template
from forensics.scratch import Scratch

Session = psycopg.Connection[Any]

_NOISE = re.compile(r"^(?:--.*|\\(?:un)?restrict .*|)$")
MORE_ROOM = "Set TMPDIR to a folder with more room, or narrow the choice with --table or --skip."
_FULL = re.compile(
    r"No space left|File too large|could not (?:extend|write)|quota",
    re.I,
)


def pinned_session(scratch: Scratch, database: str) -> Session:
    """Connect to a scratch database under the settings that the scripts run under.

    The role may do nothing beyond that database.
    """
    session = psycopg.connect(scratch.dsn(database), user=ROLE, autocommit=True)
    for line in template("session").replace("SET LOCAL", "SET").split("\n"):
        if line.startswith("SET") and "lock_timeout" not in line:
            run(session, line)
    return session


def run(session: Session, statement: str) -> psycopg.Cursor[Any]:
    """Run a statement that is composed of quoted names and literals."""
    return session.execute(statement)  # type: ignore[call-overload,no-any-return]


def one(session: Session, question: str) -> int:
    """The one number that a query answers; nothing counts as 0."""
    found = run(session, question).fetchone()
    if not found or found[0] is None:
        return 0
    return int(found[0])


def copy_rows(
    session: Session,
    table: str,
    columns: Sequence[str],
    texts: Iterable[str | bytes],
) -> None:
    """Put COPY text into columns of a table."""
    statement = copy_in(table, columns)
    with session.cursor().copy(statement) as copy:  # type: ignore[call-overload]
        for text in texts:
            copy.write(text)


def row_hash(columns: Iterable[str], server: str | None = None) -> str:
    """The expression for the hash of the text of a row t."""
    fields = ", ".join(f"t.{listed([column])}" for column in columns)
    return hash_of(f"ROW({fields})::text", server)


def fingerprint(source: str, columns: Iterable[str], server: str | None) -> str:
    """The query for how many rows there are, and for two sums over hashes of them.

    They are those of `pg_temp.fingerprint`, which the scripts bring along.

    Args:
        source: a FROM item.
        columns: what counts of a row.
        server: the version of the server that is asked, where it is known.
    """
    return filled("rehearse", "fingerprint", source=source, hash=row_hash(columns, server))


def own_fingerprint(source: str, columns: Iterable[str]) -> str:
    """The same for a server of our own, which answers it several times as fast.

    Two sums of 64 bits each; they are held against each other alone.

    Args:
        source: a FROM item.
        columns: what counts of a row.
    """
    fields = ", ".join(f"t.{listed([column])}" for column in columns)
    return filled("rehearse", "own_fingerprint", source=source, fields=fields)


# --- words ----------------------------------------------------------------------------------------


def words_of(error: psycopg.Error) -> str:
    """A server's words, in one line and without a full stop."""
    words = str(error.diag.message_primary or error)
    return redact(words.splitlines()[0]).rstrip(".")


def said(error: Exception) -> str:
    """What a rehearsal failed of, in words.

    A scratch server may fail in ways that nobody foresaw.
    """
    if isinstance(error, psycopg.Error):
        return f"The scratch PostgreSQL failed: {words_of(error)}."
    return str(error)


def advice(words: str) -> str | None:
    """What to do where a server's words say that there is no room left."""
    if _FULL.search(words):
        return f"Is the disk full? {MORE_ROOM}"
    return None


def complaints(stderr: bytes) -> Iterator[str]:
    """Yield what psql said against what it ran, each in one line and without a full stop."""
    for line in stderr.decode(errors="replace").splitlines():
        if "ERROR:" in line:
            yield line.split("ERROR:", 1)[1].strip().rstrip(".")


# --- whole databases ------------------------------------------------------------------------------


def psql(
    scratch: Scratch,
    database: str,
    *options: str,
    text: bytes | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run psql on a scratch database, quietly and without anybody's settings."""
    return subprocess.run(
        [str(scratch.psql), "-X", "-q", *options, "-d", database],
        input=text,
        capture_output=True,
        env=scratch.env,
        check=False,
    )


def run_migration(scratch: Scratch, database: str, text: str, schema: str) -> str | None:
    """Run a migration in one transaction; return what was said against it.

    The role may do nothing beyond the database.

    Args:
        scratch, database: where to run it.
        text: the migration.
        schema: where names without a schema lead.
    """
    options = ("-1", "-v", "ON_ERROR_STOP=1", "-U", ROLE, "-f", "-")
    whole = f"SET search_path TO {listed([schema])};\n{text}"
    done = psql(scratch, database, *options, text=whole.encode())
    if done.returncode == 0:
        return None
    ended = f"psql ended with {done.returncode}"
    return next(complaints(done.stderr), ended)


def structure_of(scratch: Scratch, database: str, path: Path, *options: str) -> list[str]:
    """A database's schema as pg_dump writes it to `path`, without comments and blank lines."""
    scratch.dump(database, path, "--schema-only", *options)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not _NOISE.match(line)]


def hand_over(session: Session) -> None:
    """Give everything in a scratch database to the role that may do nothing else.

    Untrusted SQL can then run there as that role.
    """
    expect_role(session)
    run(session, filled("rehearse", "hand_over", role=ROLE))
