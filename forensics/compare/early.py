"""What a long backup's beginning says of a loss, while all of it is still being looked through."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.compare import schema
from forensics.compare.options import Listener, Options
from forensics.compare.triage import Glance, Triage
from forensics.evidence import file_of, open_source
from forensics.evidence.beside import beside
from forensics.evidence.head import catalog_of_head, is_long
from forensics.model import Catalog, Table

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_PATIENCE = 1.5  # seconds in which all of a backup may be looked through: then all is said at once
_REST = "Rows are counted when {} has been looked through."


@contextmanager
def telling_early(
    backup: str | Path | Engine | URL,
    live: str | Path | Engine | URL,
    options: Options,
    listener: Listener | None,
    limits: Mapping[str, Any],
) -> Iterator[Callable[[], None]]:
    """Have a listener told what is gone by a long backup's first definitions.

    Args:
        backup, live: both sides, as `open_source` takes them.
        options: which tables are compared.
        listener: is told, from another thread; None is nobody.
        limits: what else `open_source` takes.

    Yields:
        What is to be called when the backup is open: nothing is said any more then.
    """
    is_over = threading.Event()
    speaking = threading.Lock()
    begun = time.monotonic()

    def end() -> None:
        with speaking:
            is_over.set()

    def look(path: Path, told: Listener) -> None:
        words = _words(path, live, options, limits)
        if is_over.wait(max(begun + _PATIENCE - time.monotonic(), 0)):
            return
        with speaking:
            if not is_over.is_set():
                told.knows([*words, _REST.format(path.name)])

    path = _long_file(backup)
    if path and listener:
        beside(lambda: look(path, listener), "early")  # what goes wrong is met again, and said
    try:
        yield end
    finally:
        end()


def _long_file(backup: str | Path | Engine | URL) -> Path | None:
    path = file_of(backup)
    with suppress(OSError, ValueError):
        if path and is_long(path):
            return path
    return None


def _words(
    path: Path, live: str | Path | Engine | URL, options: Options, limits: Mapping[str, Any]
) -> list[str]:
    """What is gone, as far as definitions tell; nothing where live is a file, too."""
    ours = catalog_of_head(path, options.database)
    if file_of(live):
        return []
    with open_source(live, role="live", **limits) as source:
        theirs = source.catalog
    found = []
    for table in ours.roots:
        if options.choose(table.name):
            found.append(_glance(table, theirs))
    return Triage(tuple(found)).words


def _glance(table: Table, live: Catalog) -> Glance:
    now = live.tables.get(table.name)
    gone = []
    for change in schema.drift(table, now) if now else ():
        if change.change == "dropped":
            gone.append(change.column)
    # No byte of it was looked at, and nothing is said of how many there are.
    return Glance(table.name, now is None, tuple(gone), None, None, None, bytes=0)
