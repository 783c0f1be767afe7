"""Which tables are compared by fingerprints: those that can be, where it was asked or is needed.

Where nobody said, the first large table tells: it is read as it stands, and where its rows come too
slowly its reading is cut off, and begun again by fingerprints.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from forensics.compare.canonical import Writer
from forensics.compare.keys import Choice
from forensics.compare.sides import Sides
from forensics.compare.wire.descent import UnlikeError
from forensics.compare.wire.lessening import LEAST_BYTES, Lessened, Lessening
from forensics.compare.wire.ordering import ordered
from forensics.compare.wire.texts import line_of
from forensics.evidence import as_database
from forensics.evidence.source import Source
from forensics.model import Table
from forensics.text import short_size

if TYPE_CHECKING:
    from forensics.evidence.live.source import LiveSource

SLOW = 4_000_000  # bytes a second
_PATIENCE = 2.0  # seconds of waiting, before it is said how fast rows come
_FEWEST = 256 << 10  # bytes: a server that finds no rows is not a slow wire
_TELLING = 4 << 20  # bytes that tell it as well
_HAS_SHA256 = 110000  # the version that has it
_SESSIONS = 2  # that make a table's fingerprints
_MOST_PARTITIONS = 100  # each of them is looked into for each range


class SlowError(Exception):
    """A table's rows come slowly: they are to be read again, by fingerprints."""


class Wire:
    """What is read how, of one run.

    Args:
        wish: "full", "low" or "auto".
        live: the live side.
        folder: where a backup's rows wait while they are held against fingerprints.
        verify: whether every row is to be compared a second time.
        nice: whether one session is to read at a time.
        tell: takes a sentence that people should know.
    """

    def __init__(
        self,
        wish: str,
        live: Source,
        folder: Path,
        *,
        verify: bool = False,
        nice: bool = False,
        tell: Callable[[str], None],
    ) -> None:
        self._live = live
        self._folder = folder
        self._verify = verify
        self._sessions = 1 if nice else _SESSIONS
        self._tell = tell
        self._busy = threading.Lock()
        # None where it is not known yet.
        self._low = {"full": False, "low": True}.get(wish)
        self._asked = wish == "low"

    def lessened(
        self,
        sides: Sides,
        table: Table,
        choice: Choice,
        size: int | None,
        db: duckdb.DuckDBPyConnection,
    ) -> tuple[Lessened, str | None]:
        """Return what there is to read and to compare of a table, and why that is all of it.

        Args:
            sides: none of their rows was read yet.
            table: as live has it.
            choice: the key.
            size: of the backup's rows, as it is known.
            db: a cursor of the case's connection.

        Returns:
            Both sides; and why all rows are read where it was asked for fingerprints, in words.

        Raises:
            EvidenceError: a side could not be read.
        """
        whole = Lessened(sides)
        live = as_database(self._live)
        if live is None or self._low is False or sides.live.is_held:
            return whole, None
        if size is not None and size < LEAST_BYTES:
            return whole, None
        found = self._lessening(live, sides, table, choice)
        if isinstance(found, str):
            return whole, self._said(found)
        if self._low is None:
            if not live.is_beside:
                self._watch(sides)
            return whole, None
        try:
            return found.run(sides, db, self._folder), None
        except UnlikeError as error:
            return whole, self._said(str(error))

    def _said(self, why: str) -> str | None:
        if not self._asked or not why:
            return None
        return f"all of its rows were read: {why}"

    def _lessening(
        self, live: LiveSource, sides: Sides, table: Table, choice: Choice
    ) -> Lessening | str:
        """What leaves out equal ranges of a table, or why nothing can."""
        why = self._unlike(live, sides, table, choice)
        if why:
            return why
        writer = Writer.of(live)
        key = ordered(table, choice.columns, sides.columns, writer)
        if isinstance(key, str):
            return key
        line = line_of(table, sides.columns, writer, "r")
        return Lessening(live, table, key, line, self._sessions)

    def _unlike(self, live: LiveSource, sides: Sides, table: Table, choice: Choice) -> str | None:
        if self._verify:
            return "--verify holds each row against another"
        if live.version < _HAS_SHA256:
            return "servers before 11 have no sha256"
        if live.is_alone or live.provenance.encoding == "SQL_ASCII":
            return "this server is not asked for fingerprints"
        if choice.source not in ("primary key", "unique"):
            return "both sides declare no key that tells its rows apart"
        if sides.live.comparable:
            listed = ", ".join(sides.live.comparable)
            return f"live writes values of {listed} otherwise than the backup"
        leaves = [live.catalog.tables[name] for name in live.catalog.leaves(table.name)]
        if len(leaves) > _MOST_PARTITIONS:
            return f"it has more than {_MOST_PARTITIONS} partitions"
        if any(leaf.kind == "foreign" for leaf in leaves):
            return "a partition of it is a foreign table"
        return None

    # --- how fast rows come -----------------------------------------------------------------------

    def _watch(self, sides: Sides) -> None:
        """Have it heard how fast a table's rows come."""
        from forensics.evidence.live.source import LiveSegment

        gauge = _Gauge(self)
        for segment in sides.live.segments:
            if isinstance(segment, LiveSegment):
                segment.watch = gauge.hear

    def decide(self, rate: float) -> None:
        """Hear how fast a large table's rows come, in bytes a second.

        Raises:
            SlowError: too slowly.
        """
        slow = rate < SLOW
        with self._busy:
            if self._low is None:
                self._low = slow
                if slow:
                    self._tell(
                        f"Live's rows come at {short_size(int(rate))} a second: from here on "
                        "fingerprints are compared, and only what differs is fetched"
                        " (--wire full turns it off)."
                    )
            slow = self._low
        if slow:
            raise SlowError


class _Gauge:
    """Hears pieces of one table's rows until they tell how fast they come."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._bytes, self._seconds = 0, 0.0
        self._began = self._decided = False

    def hear(self, size: int, seconds: float) -> None:
        """So many bytes came, and were waited for so long."""
        if self._decided:
            return
        if not self._began:
            self._began = True  # this one waited for a session and for locks, too
            return
        self._bytes += size
        self._seconds += seconds
        if self._bytes >= _TELLING or (self._seconds >= _PATIENCE and self._bytes >= _FEWEST):
            self._decided = True
            self._wire.decide(self._bytes / max(self._seconds, 1e-9))
