"""Either side, opened: a dump, or a database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.errors import UsageError
from forensics.evidence import dumps, heap
from forensics.evidence.afar import Url, is_url
from forensics.evidence.blocks import row_limit
from forensics.evidence.live.dsn import looks_mistyped
from forensics.evidence.source import Source
from forensics.model import LOCK_TIMEOUT, MAX_ROW, STATEMENT_TIMEOUT

if TYPE_CHECKING:
    from forensics.evidence.live.source import LiveSource

_URI = re.compile(r"postgres(ql)?(\+\w+)?://")
# What can be nothing but the name of a file; anything else may hold a password.
_PATH = re.compile(r"\.{0,2}/|~|.*\.(sql|dump|dmp|backup|bak|tar|gz|zst|xz|bz2|lz4)\Z", re.S)


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


def open_sides(sides: Sequence[str | Path], **wishes: Any) -> Source:
    """Open one side: a dump or a database, or several databases whose rows are taken together.

    Args:
        sides: what `open_source` takes, one or several.
        wishes: its other arguments.

    Raises:
        UsageError: there are several, and one is no database, or they are not alike.
        EvidenceError: as `open_source` raises it.
    """
    if len(sides) == 1:
        return open_source(sides[0], **wishes)
    opened: list[LiveSource] = []
    try:
        for side in sides:
            source = open_source(side, **wishes)
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


def open_source(
    side: str | Path,
    *,
    role: str = "backup",
    database: str | None = None,
    lock_timeout: str = LOCK_TIMEOUT,
    statement_timeout: str = STATEMENT_TIMEOUT,
    max_row: str | None = MAX_ROW,
    rate: int | None = None,
) -> Source:
    """Open a dump or a database.

    Args:
        side: a path to a dump, a URL of one that fsspec reaches, or anything that libpq takes. ""
            is a database that the `PG*` variables name.
        role: "backup" or "live", for the words of messages and the application name.
        database: which database of a `pg_dumpall` file.
        lock_timeout, statement_timeout: what a database's session is told, as PostgreSQL writes
            them.
        max_row: how long a row of a dump may be, like "64MB"; reading a table with a longer one
            fails. None is without limit.
        rate: how many bytes of rows are read from a database a second; None is as many as it gives.

    Raises:
        BackupError: the path is not there or is no dump; DamagedBackupError: it is one, cut off
            before its first row.
        LiveError: the database cannot be reached or read.
        UsageError: the connection string is none, or `max_row` is no size.
    """
    heap.keep()
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
