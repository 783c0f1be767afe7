"""What a file of `tools/` says of its tool. Every part may be left out: a tool has what it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry, Row
from forensics.evidence.migrations.shapes import File, Part
from forensics.model import Table

_WHOLE = ("smallint", "integer", "bigint", "numeric")


@dataclass(frozen=True)
class Folder:
    """How a tool lays out its migrations.

    Attributes:
        kind: what such a folder is called (`MigrationFolder.kind`).
        files: returns the files that run forward, in the order in which the tool runs them; None
            where the folder is not laid out so. It raises a MigrationError where the folder is
            the tool's and cannot be made sense of.
    """

    kind: str
    files: Callable[[Path], Sequence[File] | None]


@dataclass(frozen=True)
class Marks:
    """The comments between which a file holds both ways, without their dashes: `migrate:up`."""

    up: str
    down: str


@dataclass(frozen=True)
class Log:
    """A table beside its history in which a tool notes all that it did, the ways back too.

    Attributes:
        table: its name; it lies in the history's schema.
        columns: the columns that are read.
        tell: returns what the history's entries and the log's rows say together.
    """

    table: str
    columns: tuple[str, ...]
    tell: Callable[[list[HistoryEntry], list[Row]], list[HistoryEntry]]


@dataclass(frozen=True)
class HistoryTable:
    """The table in which a tool notes what ran, and how its rows are read.

    Attributes:
        table: its name, in whatever schema.
        columns: the columns that are read; a table that lacks one is another's.
        entry: what a row says, or None where it stands for no migration.
        absent: columns that tell another tool's table of the same name from this one.
        also: the columns that it may have besides, where its name is one that others give to
            tables of their own; with any other column it is theirs. None: the name is its tool's.
        numbers: columns that hold whole numbers, where their names alone are anybody's.
        apart: whether it lies in a schema of its own, in which no migration works.
        schema: that schema, where its tables are told from others' by it.
        optional: columns that are read where there are any; older releases lack them.
        lists: what a row says that lists several migrations; `entry` is not asked then.
        together: what rows say only as a whole: it is given them all.
        log: what says more of them.
    """

    table: str
    columns: tuple[str, ...]
    entry: Callable[[Row], HistoryEntry | None]
    absent: tuple[str, ...] = ()
    also: tuple[str, ...] | None = None
    numbers: tuple[str, ...] = ()
    apart: bool = False
    schema: str | None = None
    optional: tuple[str, ...] = ()
    lists: Callable[[Row], list[HistoryEntry]] | None = None
    together: Callable[[list[HistoryEntry]], list[HistoryEntry]] | None = None
    log: Log | None = None

    def is_in(self, table: Table) -> bool:
        """Whether a table can be this one."""
        if table.name.table != self.table:
            return False
        if self.schema and table.name.schema != self.schema:
            return False
        columns = {column.name for column in table.columns}
        if not columns.issuperset(self.columns) or not columns.isdisjoint(self.absent):
            return False
        for column in table.columns:
            if column.name in self.numbers and column.type not in _WHOLE:
                return False
        return self.also is None or columns <= {*self.columns, *self.optional, *self.also}


@dataclass(frozen=True)
class Kept:
    """A table that a tool keeps beside its history: a lock, a log.

    Attributes:
        table: its name, in whatever schema.
        columns: all that it has: a table with others is somebody else's.
        schema: the schema that is its tool's own; it may have other columns besides there.
    """

    table: str
    columns: tuple[str, ...]
    schema: str | None = None

    def is_in(self, table: Table) -> bool:
        """Whether a table is this one."""
        if table.name.table != self.table:
            return False
        columns = {column.name for column in table.columns}
        if self.schema:
            return table.name.schema == self.schema and columns.issuperset(self.columns)
        return columns == {*self.columns}


@dataclass(frozen=True)
class InCode:
    """Migrations that are written in a language and not in SQL.

    Attributes:
        endings: of its files: `.py`.
        as_sql: what makes the tool say them in SQL.
        parts: returns the migrations that a file of a path holds, where its text says so; none
            where it says of none. Others are told by how their files are called.
    """

    endings: tuple[str, ...]
    as_sql: str
    parts: Callable[[bytes, Path], Sequence[Part]] | None = None


@dataclass(frozen=True)
class Tool:
    """A migration tool.

    Attributes:
        name: what messages and results call it.
        folder: how it lays out its files, where that tells its folder from others.
        marks: what stands above either way in a file that holds both.
        history: its history table.
        keeps: what it keeps beside its history.
        checksum: the checksum that it notes of a file's bytes and path. It is asked for the file
            as it is, with LF and with CRLF line ends.
        version: what it calls a migration of that name and path where it numbers them in a way of
            its own; None where the file is not named so. Others are called by what stands before
            the first underscore.
        order: the version as numbers, where an entry of its history can stand for all before it.
        in_code: what its files are where they hold no SQL.
        as_sql: returns the SQL of a file that holds it in another form, each statement on the line
            where it stands there; None for a file that is no such one.
        parts: returns the migrations that a file holds, where it says so itself; else none.
    """

    name: str
    folder: Folder | None = None
    marks: Marks | None = None
    history: HistoryTable | None = None
    keeps: tuple[Kept, ...] = ()
    checksum: Callable[[bytes, Path], str] | None = None
    version: Callable[[str, Path], str | None] | None = None
    order: Callable[[Path], tuple[int, ...] | None] | None = None
    in_code: InCode | None = None
    as_sql: Callable[[bytes, Path], bytes | None] | None = None
    parts: Callable[[bytes], Sequence[Part]] | None = None
