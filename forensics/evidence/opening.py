"""Either side, opened: a dump, or a database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from forensics.errors import EvidenceError, UsageError
from forensics.evidence import dumps, heap
from forensics.evidence.afar import Url, is_url
from forensics.evidence.beside import beside
from forensics.evidence.blocks import row_limit
from forensics.evidence.live.dsn import as_text, looks_mistyped
from forensics.evidence.source import Source
from forensics.model import LOCK_TIMEOUT, MAX_ROW, STATEMENT_TIMEOUT

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

    from forensics.evidence.live.source import LiveSource

# A backup of so many bytes is looked through while live answers. While a larger one is, live would
# have to keep a snapshot.
_SHORT = 64 << 20

_URI = re.compile(r"postgres(ql)?(\+\w+)?://")
# What can be nothing but the name of a file; anything else may hold a password.
_PATH = re.compile(r"\.{0,2}/|~|.*\.(sql|dump|dmp|backup|bak|tar|gz|zst|xz|bz2|lz4)\Z", re.S)


@contextmanager
def open_both(
    backup: str | Path | Engine | URL,
    databases: Sequence[str | Path | Engine | URL],
    *,
    database: str | None = None,
    **limits: Any,
) -> Iterator[tuple[Source, Source]]:
    """Open both sides, live while the backup is looked through where that does not take long.

    What is wrong with the backup is said first, as if one had been opened after the other.

    Args:
        backup: as `open_source` takes it.
        databases: what live is: of these one, or several databases.
        database: which database of a `pg_dumpall` file the backup is.
        limits: what else `open_source` takes.

    Raises:
        UsageError, EvidenceError: as `open_source`.
    """
    coming: Future[Source] | None = None
    if _is_short(backup):
        coming = beside(lambda: _described(databases, limits), "live")
    try:
        with open_source(backup, role="backup", database=database, **limits) as ours:
            waited = coming.result() if coming else _open_live(databases, limits)
            with waited as theirs:
                yield ours, theirs
    except BaseException:
        if coming:
            coming.add_done_callback(_let_go)
        raise


def _described(databases: Sequence[str | Path | Engine | URL], limits: Mapping[str, Any]) -> Source:
    """Live, with its catalogue read; where that is refused, whoever asks for it hears of it."""
    source = _open_live(databases, limits)
    if database := as_database(source):
        database.warm()
    with suppress(EvidenceError):
        _ = source.catalog
    return source


def sides_of(
    live: str | Path | Engine | URL | Sequence[str | Path | Engine | URL],
) -> Sequence[str | Path | Engine | URL]:
    """What is taken for live, one or several. A URL of SQLAlchemy's is a tuple as well, and one.

    Raises:
        UsageError: none is.
    """
    if not isinstance(live, list | tuple) or hasattr(live, "drivername"):
        return [cast("str | Path | Engine | URL", live)]
    if not live:
        raise UsageError("No database is given.", "Give one, or several that are shards of one.")
    return [*live]


def _open_live(databases: Sequence[str | Path | Engine | URL], limits: Mapping[str, Any]) -> Source:
    """Open live: a dump or a database, or several databases whose rows are taken together."""
    if len(databases) == 1:
        return open_source(databases[0], role="live", **limits)
    opened: list[LiveSource] = []
    try:
        for side in databases:
            source = open_source(side, role="live", **limits)
            database = as_database(source)
            if database is None:
                source.close()
                raise UsageError(
                    "Only databases can be several that are one side, and one is given as a file.",
                    "Give --live for each database, or one file.",
                )
            opened.append(database)
        from forensics.evidence.live.shards import ShardedSource

        return ShardedSource(opened)
    except BaseException:
        for database in opened:
            database.close()
        raise


def _let_go(coming: Future[Source]) -> None:
    if not coming.exception():
        coming.result().close()


def file_of(side: object) -> Path | None:
    """The path that a side is given by, or None: it is a database."""
    if not isinstance(side, str | Path) or str(side) == "" or looks_like_dsn(str(side)):
        return None
    return Path(side)


def _is_short(backup: object) -> bool:
    """Whether a backup is a file that is soon looked through."""
    file = file_of(backup)
    with suppress(OSError, ValueError):
        return file is not None and file.is_file() and file.stat().st_size <= _SHORT
    return False


def as_database(source: Source) -> LiveSource | None:
    """A side of which questions can be asked, or None: what is a file waits for no driver."""
    if not source.is_database:
        return None
    from forensics.evidence.live.source import LiveSource

    assert isinstance(source, LiveSource)
    return source


def looks_like_dsn(text: str) -> bool:
    """Whether `text` is a connection string rather than a path.

    One is `postgresql://…`, `service=…` or `host=… dbname=…`.
    """
    if _URI.match(text):
        return True
    return "=" in text and not Path(text).exists()


def open_source(
    side: str | Path | Engine | URL,
    *,
    role: str = "backup",
    database: str | None = None,
    lock_timeout: str = LOCK_TIMEOUT,
    statement_timeout: str = STATEMENT_TIMEOUT,
    max_row: str | None = MAX_ROW,
    rate: int | None = None,
    jobs: int = 1,
) -> Source:
    """Open a dump or a database.

    Args:
        side: a path to a dump, a URL of one that fsspec reaches, or anything that libpq takes. ""
            is a database that the `PG*` variables name. Of an engine of SQLAlchemy's its URL is
            taken.
        role: "backup" or "live", for the words of messages and the application name.
        database: which database of a `pg_dumpall` file.
        lock_timeout, statement_timeout: what a database's session is told, as PostgreSQL writes
            them.
        max_row: how long a row of a dump may be, like "64MB"; reading a table with a longer one
            fails. None is without limit.
        rate: how many bytes of rows are read from a database a second; None is as many as it gives.
        jobs: how many sessions may read a database's rows at a time.

    Raises:
        BackupError: the path is not there or is no dump; DamagedBackupError: it is one, cut off
            before its first row.
        LiveError: the database cannot be reached or read.
        UsageError: the connection string is none, or `max_row` is no size.
    """
    heap.keep()
    side = as_text(side)
    longest = None
    if max_row is not None:
        longest = row_limit(max_row)
    if str(side) == "" or looks_like_dsn(str(side)):
        from forensics.evidence.live.source import LiveSource

        return LiveSource(
            str(side),
            role=role,
            lock_timeout=lock_timeout,
            statement_timeout=statement_timeout,
            rate=rate,
            jobs=jobs,
        )
    if is_url(str(side)):
        source = dumps.open_afar(Url(str(side)), database)
        source.max_row = longest
        return source
    there = False
    try:
        there = Path(side).exists()
    except OSError as error:  # a name that is too long, for instance
        if not looks_mistyped(str(side)):
            raise UsageError(
                f"{side} cannot be looked for: {error.strerror}.", "Check the path."
            ) from error
    if not there and (role == "live" or looks_mistyped(str(side))):
        named = str(side)
        if looks_mistyped(named) or not _PATH.match(named):
            named = f"What is given as {role}"
        raise UsageError(
            f"{named} is neither a connection string nor a file.",
            "Give postgresql://user@host/database, or a path to a dump.",
        )
    source = dumps.open_dump(Path(side), database)
    source.max_row = longest
    return source
