"""One shape for both sides: a Source has a catalog, provenance, and each table's rows.

Rows come as blocks of COPY text. A block is a bytes-like run of whole lines, each ending in a
line feed, in UTF-8 (`encodings.transcoder` says how other encodings get there), fields as COPY
wrote them. A line is a row. Nothing is parsed on the way: what was written alike is alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from forensics.errors import (
    BackupError,
    DamagedBackupError,
    EmptyBackupError,
    EvidenceError,
    OutdatedError,
)
from forensics.evidence.blocks import Block, LongRowError
from forensics.evidence.encodings import strictly
from forensics.evidence.fields import decode_field
from forensics.model import Catalog, Column, Provenance, Table, TableName

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Block",
    "Contents",
    "LackingSegment",
    "Segment",
    "Snapshot",
    "Source",
    "lacking_partitions",
    "leaves_by_root",
]


@dataclass(frozen=True)
class Snapshot:
    """A moment of a database that rows are read from.

    Attributes:
        identifier: the server's name for it.
        taken_at: when it was taken.
    """

    identifier: str
    taken_at: datetime


class Segment(ABC):
    """A run of one table's rows in which `columns` says what stands where.

    A table has one, or several: partitions, COPY statements. `blocks()` yields the same each time.

    Attributes:
        snapshot: the moment that the rows are of, where a database holds them.
        thorough: whether `blocks()` also looks at whether values are such as their types can hold.
        max_row: how many bytes a row of a dump may have, or None.
        held: whether they are few, and in memory.
        waits: whether blocks take their time and can be read ahead, each in memory of its own.
        loses_signs: whether restoring them makes 0 of -0.
    """

    snapshot: Snapshot | None = None
    thorough = False
    held = False
    waits = False
    loses_signs = False
    max_row: int | None = None

    def __init__(self, table: TableName, columns: Sequence[str]) -> None:
        self.table = table
        self.columns = tuple(columns)

    @abstractmethod
    def blocks(self) -> Iterator[Block]:
        """Yield the rows in blocks.

        Raises:
            DamagedBackupError: after the last whole row, where a backup is cut off or corrupt
                within the segment.
            BackupError: after the last row before one that is longer than `max_row`.
            LiveError: the database refused, or was lost.
        """

    def _too_long(self, error: LongRowError, where: str) -> BackupError:
        """What is said of a row that is too long, and begins somewhere."""
        return BackupError(
            f"A row of table {self.table} is longer than the {self.max_row:,} bytes that"
            f" --max-row allows: it begins at {where}, and {error.size:,} bytes of it were read.",
            "If that is a row, allow more with --max-row SIZE; a row takes several times its size"
            " of memory.",
        )

    def as_stored(self) -> Iterator[Block] | None:
        """Yield the rows without a look at them, or return None where that cannot be.

        A block may be a buffer that the next one is read into. They are those that `blocks()`
        yields where `is_sound` says so of each. Who finds a row equal to one of a database's has no
        need to ask: a database writes no other.

        Raises:
            What `blocks()` raises where the rows cannot be read; `blocks()` says it better.
        """
        return None

    def is_sound(self, rows: bytes) -> bool:
        """Whether `blocks()` yields some rows of `as_stored()` as they are."""
        return True

    def abandon(self) -> None:
        """Let go of what `blocks()` waits for in another thread; that one then raises or ends."""

    def judge(self, lines: Sequence[bytes]) -> None:
        """Look at whether the values of some rows are such as their types can hold.

        Args:
            lines: rows that were read, without their line feeds.

        Raises:
            DamagedBackupError: one is not.
        """

    def lines_at(self, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
        """Yield (position, line) for rows that were seen before, without their line feeds.

        Args:
            positions: int64, ascending: offsets of lines' first bytes in the stream of blocks.
        """
        start, at = 0, 0
        for block in self.blocks():
            data = bytes(block)
            end = start + len(data)
            while at < len(positions) and positions[at] < end:
                offset = int(positions[at]) - start
                yield int(positions[at]), data[offset : data.index(b"\n", offset)]
                at += 1
            start = end
            if at == len(positions):
                return


@dataclass(frozen=True)
class Contents:
    """What a backup holds of one table, before any row is read.

    Attributes:
        data: False where the table was defined and its rows were never dumped (`--schema-only`,
            `--exclude-table-data`).
        bytes: the size of its rows as stored.
        rows: how many there are, where the form says it.
        lines: how many lines they are, where that was seen on the way: as many as rows, unless
            somebody wrote a row by hand.
        lacking: partitions whose rows it does not hold, though it holds those of others.
    """

    name: TableName
    data: bool
    bytes: int | None = None
    rows: int | None = None
    lines: int | None = None
    complete: bool = True
    lacking: tuple[TableName, ...] = ()


class LackingSegment(Segment):
    """Partitions whose rows a backup does not hold.

    Reading them fails, so that nobody takes the others' rows for all.
    """

    def __init__(
        self,
        table: TableName,
        columns: Sequence[str],
        partitions: Sequence[TableName],
        damage: str | None,
    ) -> None:
        super().__init__(table, columns)
        said = (
            f"The backup does not hold the rows of every partition of {table}:"
            f" those of {', '.join(map(str, partitions))}"
        )
        self._error: BackupError
        if damage:
            self._error = DamagedBackupError(
                f"{said} are cut off.",
                "Look for a complete copy of the backup, and go on with --resume.",
            )
        else:
            self._error = EmptyBackupError(
                f"{said} were left out.",
                "Was it made with --exclude-table-data? Another backup may hold them.",
            )

    def blocks(self) -> Iterator[Block]:
        raise self._error


def lacking_partitions(
    catalog: Catalog,
    leaves: Sequence[TableName],
    runs: Collection[tuple[TableName, TableName | None]],
    promised: Collection[TableName] = (),
) -> tuple[TableName, ...]:
    """Return the partitions whose rows a dump does not hold, where it holds those of others.

    Args:
        catalog: the dump's.
        leaves: the partitions at the bottom of one table's tree.
        runs: of each run of its rows the table that they go to, and the one that they were in,
            where that is said.
        promised: tables that are known to be empty.
    """
    if not runs:
        return ()
    known: set[TableName | None] = set()
    for to, of in runs:
        if to not in leaves and of not in leaves:
            return ()  # rows that are written to the root may be of any partition
        known |= {to, of}
    lacking = (n for n in leaves if n not in known and n not in promised)
    return tuple(n for n in lacking if catalog.tables[n].kind != "foreign")


def leaves_by_root(catalog: Catalog) -> Mapping[TableName, tuple[TableName, ...]]:
    """By each root table the tables that hold its rows.

    They are its partitions at the bottom, or the table itself.
    """
    above = {table.parent for table in catalog.tables.values()}
    found: dict[TableName, list[TableName]] = {}
    for name in sorted(catalog.tables):
        if name not in above:
            found.setdefault(catalog.root(name), []).append(name)
    return {name: tuple(leaves) for name, leaves in found.items()}


class Source(ABC):
    """One side of an investigation. Use it as a context manager, or call `close()`.

    Attributes:
        pinned: whether values were written under settings that leave one text for one value.
        max_row: how many bytes a row of a dump may have, or None.
        is_database: whether questions can be asked of it.
        is_partial: whether it speaks for its own tables alone, and not of what others there were.
    """

    catalog: Catalog
    provenance: Provenance
    pinned = False
    is_database = False
    is_partial = False
    max_row: int | None = None

    def identify(self) -> Provenance:
        """Return what of the provenance is known at once.

        That is all but the hash of a file that is still being read for it.
        """
        return self.provenance

    @property
    def damage(self) -> str | None:
        """Why the side is not whole, in words, or None."""
        return None

    def unreadable(self) -> Mapping[TableName, str]:
        """The tables whose rows cannot be read, or not all of them, each with what to ask for."""
        return {}

    @property
    def snapshot(self) -> Snapshot | None:
        """The moment that rows are read from now, where the side is a database."""
        return None

    def recovers(self, error: EvidenceError) -> bool:
        """Whether what failed may be tried again, after a short wait.

        A new snapshot is taken where the old one is gone.

        Args:
            error: what this side, or another, raised.

        Raises:
            LiveError: the database is lost; nothing more can be read of it in this run.
        """
        return False

    def unsettled(self) -> OutdatedError | None:
        """The last refusal since this was last asked that `recovers` may get over.

        Even one that nobody was told of.
        """
        return None

    def activity(self) -> dict[str, Any] | None:
        """How many rows were written to a database, and since when that is counted.

        Returns:
            `rows` and `counted_since`, as its statistics tell; None of a dump.
        """
        return None

    def making(self) -> dict[str, Any] | None:
        """When and by which transactions a database's tables were made, as far as it says.

        Returns:
            As `live.making` has it; None of a dump, or where it cannot be asked.
        """
        return None

    def object_ids(self) -> dict[str, Any] | None:
        """The ids that a dump says its objects had.

        Returns:
            `tables`, each with `schema`, `table` and `oid`, and the `highest` id of all objects;
            None where the side does not say.
        """
        return None

    def news(self) -> list[str]:
        """What people should know of the side, in sentences, since this was last asked."""
        return []

    def definition_changed(self, name: TableName) -> bool:
        """Whether a table is another now than the catalogue says.

        It can be where a later snapshot had to be taken.
        """
        return False

    @property
    def edits(self) -> Sequence[str]:
        """Statements of a dump that change the rows which it brought in.

        They are not taken into account.
        """
        return ()

    @property
    def remarks(self) -> Sequence[str]:
        """What is to be known of a dump's text besides damage, in sentences."""
        return ()

    @property
    def end_is_open(self) -> bool:
        """Whether nothing in a dump tells that it is there to its end, though it is not cut."""
        return False

    @property
    def row_security(self) -> bool:
        """Whether the rows were read under row-level security, which may have hidden some."""
        return False

    @property
    def large_objects(self) -> frozenset[int] | None:
        """The ids of the large objects that the side holds, or None where it does not say."""
        return None

    def damage_of_large_objects(self) -> str | None:
        """Read all large objects, where damage in them can be told.

        Returns:
            What is wrong with one, or None.
        """
        return None

    def statements(self) -> Iterator[str]:
        """The schema as SQL statements, in the order in which they build it.

        Nothing where the side cannot say.
        """
        return iter(())

    @abstractmethod
    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        """Return the segments that hold the rows of root table `name`, its partitions included.

        Args:
            name: a table of `catalog`.
            columns: what is wanted. A database answers with exactly these, in this order; a dump
                answers with what it holds, in its own order (`Segment.columns`).
        """

    def several(self, wanted: Mapping[TableName, Sequence[str]]) -> dict[TableName, Segment]:
        """Read the rows of several small tables at once, where that costs less than one by one.

        Args:
            wanted: tables of kind "table", each with the columns that are wanted of it.

        Returns:
            By table, its only segment; nothing where they are better read one by one, which also
            tells what is wrong with one that cannot be read.
        """
        return {}

    def adopt(self, catalog: Catalog) -> None:
        """Take from another catalogue the definitions of tables that this side does not define.

        For a backup that defines nothing (`pg_dump --data-only`), and for tables that an
        extension makes: it holds their rows. A table that the other catalogue does not know is
        taken for one whose columns are those of its COPY statement.
        """
        tables: dict[TableName, Table] = dict(self.catalog.tables)
        own = frozenset(tables)
        for name, columns in self.held_columns().items():
            if name not in own:
                _define(tables, name, columns, catalog)
        if len(tables) == len(own):
            return
        base = self.catalog
        if not own:
            base = catalog
        unparsed = self.catalog.unparsed
        self.catalog = replace(base, tables=dict(sorted(tables.items())), unparsed=unparsed)

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        """By table, the columns that its rows are said to have, where that is said.

        Partitions stand by themselves.
        """
        return {}

    @abstractmethod
    def contents(self) -> Mapping[TableName, Contents]:
        """Return what the side holds, a row for each root table."""

    def counts(self, names: Sequence[TableName], seconds: float) -> dict[TableName, int]:
        """Count the rows of those tables for which a database needs no longer than that.

        Args:
            names: tables, in the order in which they are to be counted.
        """
        return {}

    def rows_of(self, name: TableName, columns: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Return all rows of a small table, in memory, as values in the order of `columns`.

        For tables that are known to be small, like a migration history: not for the hot path.
        """
        found: list[tuple[str | None, ...]] = []
        for segment in self.segments(name, columns):
            places = [segment.columns.index(column) for column in columns]
            for block in segment.blocks():
                for line in strictly(bytes(block)).split("\n")[:-1]:
                    fields = line.split("\t")
                    found.append(tuple(decode_field(fields[place]) for place in places))
        return found

    def count(self, name: TableName) -> int:
        """Count the rows of a table, without keeping any.

        Raises:
            EvidenceError: they cannot be read.
        """
        rows = 0
        for segment in self.segments(name, ()):
            for block in segment.blocks():
                rows += bytes(block).count(b"\n")
        return rows

    def close(self) -> None:
        """Let go of files, connections and child processes.

        Another thread that reads meanwhile gets an error.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()


def _define(
    tables: dict[TableName, Table], name: TableName, columns: Sequence[str], catalog: Catalog
) -> None:
    """Add a table to `tables` as a catalogue knows it, with the tables that it is a part of."""
    known = catalog.tables.get(name)
    if known is None:
        bare = tuple(Column(column, "text") for column in columns)
        tables[name] = Table(name, columns=bare)
    while known is not None:
        tables[known.name] = known
        if known.parent is None:
            return
        known = catalog.tables.get(known.parent)
