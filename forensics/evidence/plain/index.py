"""What stands where in a plain dump, by byte offset in the unpacked file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeVar

from forensics.evidence.plain.copyforms import CopyForm
from forensics.model import TableName

BY_PG_DUMP = "PostgreSQL database dump"


@dataclass(frozen=True)
class Data:
    """A run of rows of one table.

    Attributes:
        start, end: where its rows are, the end marker left out.
        form: whether COPY wrote them ("copy") or INSERT ("insert").
        rows: how many whole lines a COPY run has that breaks off; None otherwise.
        lines: how many a COPY run has that does not; None otherwise.
        complete: False where the file ends within it, or its beginning or end is damaged.
        broken: what is wrong with it where the file does not just end, in words.
        written_for: the table that the heading above it names: with --load-via-partition-root a
            partition, whose order of columns INSERTed values have.
        copy: what a COPY says that pg_dump does not write.
        encoding, standard_strings, line_end: what holds there.
        part: of which of the dumps it is that the file consists of.
    """

    table: TableName
    columns: tuple[str, ...] | None
    start: int
    end: int
    form: str = "copy"
    rows: int | None = None
    lines: int | None = None
    complete: bool = True
    broken: str | None = None
    database: str | None = None
    written_for: TableName | None = None
    copy: CopyForm | None = None
    encoding: str | None = None
    standard_strings: bool = True
    line_end: bytes = b"\n"
    part: int = 0

    @property
    def usual(self) -> bool:
        """Whether the rows are written as pg_dump writes them."""
        return self.copy is None or self.copy.usual


class Statement(NamedTuple):
    """A statement but for those that bring rows in."""

    start: int
    end: int
    database: str | None
    encoding: str | None


class Comment(NamedTuple):
    """The writer's own words: versions, times, the first and the last line."""

    words: str
    database: str | None


class Heading(NamedTuple):
    """The promise of a table's rows, even where there are none."""

    table: TableName
    database: str | None
    at: int = 0


class Harm(NamedTuple):
    """What is wrong at one place of a file that can be read on behind it.

    Attributes:
        words: what stands there, to be said behind the file's name.
        table: whose rows are in doubt for it, or None where that is not known.
    """

    words: str
    table: TableName | None
    database: str | None


class _OfDatabase(Protocol):
    @property
    def database(self) -> str | None: ...


_One = TypeVar("_One", bound=_OfDatabase)


@dataclass(frozen=True)
class Index:
    """What stands where in a plain dump, and which database each is of.

    Attributes:
        databases: those that it connects to.
        with_tables: those in which it makes tables or brings rows; None is the one without a name.
        encodings: by database, what its part is written in, as it says.
        edits: statements that change rows which the dump has brought in: pg_dump writes none.
        elsewhere: what belongs to it and is in other files, in words.
        open_restrict: whether a \\restrict has no \\unrestrict.
        row_security: the databases whose rows were read under row-level security; None is the
            one without a name.
        asides: how many lines before its head and behind its end are none of its own.
        damage: why its text breaks off, or None.
        harms: what else is wrong with it, by place.
    """

    statements: tuple[Statement, ...]
    data: tuple[Data, ...]
    comments: tuple[Comment, ...]
    announced: tuple[Heading, ...]
    databases: tuple[str, ...]
    with_tables: tuple[str | None, ...]
    encodings: tuple[tuple[str | None, str], ...]
    edits: tuple[str, ...]
    elsewhere: tuple[str, ...]
    open_restrict: bool
    row_security: tuple[str | None, ...]
    asides: int
    damage: str | None
    harms: tuple[Harm, ...] = ()

    @property
    def is_dump(self) -> bool:
        """Whether anything in the text is what a dump is made of."""
        return bool(self.with_tables or self.data or self.comments)

    def encoding(self, database: str | None) -> str | None:
        """The encoding that a database's part is written in, as it says."""
        found = dict(self.encodings)
        return found.get(database, found.get(None))

    def of(self, database: str | None) -> Index:
        """Return what is of one database, or of none by name, and leave out the others' parts."""
        return replace(
            self,
            statements=_of(self.statements, database),
            data=_of(self.data, database),
            comments=_of(self.comments, database),
            announced=_of(self.announced, database),
            harms=_of(self.harms, database),
        )

    def says(self, words: str) -> int:
        """How often the writer says these very words."""
        return [comment.words for comment in self.comments].count(words)

    @property
    def by_pg_dump(self) -> bool:
        """Whether the writer says that it is pg_dump."""
        return self.says(BY_PG_DUMP) > 0

    def with_last_run_whole(self) -> Index:
        """Return the index of a text that may well end with INSERTs."""
        if not self.data or self.data[-1].form != "insert":
            return self
        return replace(self, data=(*self.data[:-1], replace(self.data[-1], complete=True)))

    @property
    def ends_in_rows(self) -> bool:
        """Whether nothing but rows, or nothing at all, stands behind the last definition."""
        if not self.data or not self.statements:
            return bool(self.data)
        return self.data[-1].end > self.statements[-1].end

    @property
    def repeated(self) -> TableName | None:
        """A table whose rows stand in two dumps of one database, or None."""
        parts: dict[tuple[TableName, str | None], int] = {}
        for data in self.data:
            part = parts.setdefault((data.table, data.database), data.part)
            if part != data.part:
                return data.table
        return None


def _of(everything: Iterable[_One], database: str | None) -> tuple[_One, ...]:
    return tuple(one for one in everything if one.database in (None, database))


@dataclass
class Draft:
    """An Index in the making."""

    statements: list[Statement] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    announced: list[Heading] = field(default_factory=list)
    databases: list[str] = field(default_factory=list)
    with_tables: list[str | None] = field(default_factory=list)
    encodings: dict[str | None, str] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    restricted: bytes | None = None
    row_security: list[str | None] = field(default_factory=list)
    asides: int = 0
    damage: str | None = None
    harms: list[Harm] = field(default_factory=list)

    def note_database(self, database: str) -> None:
        """Take note of a database that the dump connects to."""
        if database not in self.databases:
            self.databases.append(database)

    def note_tables(self, database: str | None) -> None:
        """Take note of a database that has tables."""
        if database not in self.with_tables:
            self.with_tables.append(database)

    @property
    def is_by_pg_dump(self) -> bool:
        """Whether the writer says that it is pg_dump, and not that it has ended."""
        said = [comment.words for comment in self.comments]
        return BY_PG_DUMP in said and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether the last that the writer said is that the dump is complete."""
        return bool(self.comments) and self.comments[-1].words.endswith(" dump complete")

    @property
    def last_inserts(self) -> Data | None:
        """The last run of rows, if INSERT wrote them."""
        if self.data and self.data[-1].form == "insert":
            return self.data[-1]
        return None

    def finished(self) -> Index:
        """Return what was found."""
        return Index(
            statements=tuple(self.statements),
            data=tuple(self.data),
            comments=tuple(self.comments),
            announced=tuple(self.announced),
            databases=tuple(self.databases),
            with_tables=tuple(self.with_tables),
            encodings=tuple(self.encodings.items()),
            edits=tuple(self.edits),
            elsewhere=tuple(self.elsewhere),
            open_restrict=self.restricted is not None,
            row_security=tuple(self.row_security),
            asides=self.asides,
            damage=self.damage,
            harms=tuple(self.harms),
        )
