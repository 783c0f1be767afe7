"""Plain SQL dumps as a Source: what `scanning` finds becomes definitions and rows here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from forensics.errors import BackupError
from forensics.evidence import ddl
from forensics.evidence.defined import DefinedColumns, lost_definitions
from forensics.evidence.files import PlainFile
from forensics.evidence.pieces import Piece
from forensics.evidence.plain import heirs, inserts, origin
from forensics.evidence.plain.doubts import Doubts, as_in_headings, attachments
from forensics.evidence.plain.index import Data, Index, Statement
from forensics.evidence.plain.scanning import index
from forensics.evidence.plain.segments import (
    CopySegment,
    HarmedSegment,
    InsertSegment,
    UnknownOrderSegment,
)
from forensics.evidence.plain.values import Values
from forensics.evidence.plain.walking import Walk
from forensics.evidence.source import (
    Contents,
    LackingSegment,
    Segment,
    Source,
    lacking_partitions,
    leaves_by_root,
)
from forensics.model import Catalog, Provenance, Table, TableName

_LARGE_OBJECT = re.compile(r"\blo_create\('?(\d+)")
_HEAD_BYTES = 1 << 20


class PlainSource(Source):
    """A plain SQL dump.

    Args:
        file: its bytes, unpacked.
        database: which database of a `pg_dumpall` file; needed where it holds several.

    Raises:
        BackupError: it is no dump, or it holds several databases and none is chosen.
        DamagedBackupError: not even its first statement can be read.

    Attributes:
        index: what stands where in the file.
    """

    def __init__(self, file: PlainFile, database: str | None = None) -> None:
        self.file = file
        self.index = index(file)
        if twice := self.index.repeated:
            raise BackupError(
                f"{file.path} holds several dumps one after the other: the rows of table {twice}"
                " stand in it twice.",
                "Cut it at the lines that say 'PostgreSQL database dump'; give the one you mean.",
            )
        self._other = Catalog()  # what live defines
        self._only_counted = False  # whether nobody asks which value stands in which column
        self._closes = origin.writer_closes(file, self.index)
        if not self._closes and origin.damage_of(file, self.index, self.index) is None:
            self.index = self.index.with_last_run_whole()
        self._database = _choose(file, self.index, database)
        self._part = self.index.of(self._database)
        self._texts = _texts_of(file, self._part.statements)
        self._defined = ddl.read_catalog(self.statements())
        self._attached = attachments(self.statements())
        self._named = DefinedColumns(self._defined, self.statements())
        doubts = Doubts(self._part, self._defined, self._attached, self._named, self._lost())
        harms = *self._part.harms, *doubts.harms()
        self._part = replace(self._part, harms=harms)
        self._values = Values(self._defined, self.statements(), by_pg_dump=self._part.by_pg_dump)

    def _lost(self) -> Collection[TableName]:
        """The tables whose rows the dump holds, and whose definition was damaged."""
        if not self._part.by_pg_dump:
            return ()
        held = {data.table for data in self._part.data} - {*self._attached.values()}
        version = origin.server_version(self._part)
        return lost_definitions(self._defined, self.statements(), held, version)

    # --- definitions ------------------------------------------------------------------------------

    def statements(self) -> Iterator[str]:
        """The dump's statements but for the rows, in its order."""
        return iter(self._texts)

    @cached_property
    def large_objects(self) -> frozenset[int] | None:  # type: ignore[override]
        return _large_objects_of(self.statements())

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        return self._defined

    @property
    def edits(self) -> Sequence[str]:
        return self.index.edits

    @property
    def remarks(self) -> Sequence[str]:
        empty = sorted(map(str, self._taken_for_empty))
        return list(origin.remarks(self.index, self.end_is_open, empty))

    @property
    def end_is_open(self) -> bool:
        return self.damage is None and not self._closes

    @property
    def row_security(self) -> bool:
        return self._database in self.index.row_security or None in self.index.row_security

    # --- where it came from -----------------------------------------------------------------------

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        return replace(self.identify(), sha256=self.file.sha256)

    def identify(self) -> Provenance:
        return origin.provenance_of(self.file, self._part, self._database, self.damage)

    @property
    def damage(self) -> str | None:
        return origin.damage_of(self.file, self.index, self._part)

    # --- rows -------------------------------------------------------------------------------------

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for data in self._by_root.get(name, ()):
            found.append(self._segment(data, columns))
        if words := self._harmed.get(name):
            found.append(HarmedSegment(self.file, name, _columns(found, columns), words))
        if lacking := self._lacking.get(name):
            of = _columns(found, columns)
            found.append(LackingSegment(name, of, lacking, self.damage))
        for segment in found:
            segment.max_row = self.max_row
        return found

    def _segment(self, data: Data, columns: Sequence[str]) -> Segment:
        stored = tuple(columns)
        if table := self.catalog.tables.get(data.table):
            stored = tuple(c.name for c in table.columns if not c.generated)
        if data.form == "insert":
            return self._inserts(data, stored)
        if data.columns is not None:
            stored = data.columns
        return CopySegment(self.file, data, stored, self._values.of(data))

    def pieces(self) -> Iterator[Piece]:
        """Yield all that it holds, in its order."""
        segments = []
        for data in self._part.data:
            segments.append(self._segment(data, ()))
            segments[-1].max_row = self.max_row
        return Walk(self.file, self._part, self._texts, segments).pieces()

    def _inserts(self, data: Data, stored: Sequence[str]) -> Segment:
        """A run of INSERTs as a segment."""
        meant: Sequence[str] | None = self._meant_by(data)
        own = self.catalog.tables.get(data.table)
        if own is not None and own.inherits:
            rows = inserts.first_rows(self._first_of(data), data.standard_strings)
            if rows:
                other = self._other.tables.get(data.table)
                meant = heirs.order(own, _inherited(self.catalog, own), other, rows)
        names = inserts.Names(self._named.of(data.table), self._named.filled(data.table))
        if meant is not None:
            return InsertSegment(self.file, data, stored, self._values.of(data), meant, names)
        if not self._only_counted:
            return UnknownOrderSegment(data.table, stored)
        # Which value is of which type is not known, so none can be held against its type.
        return InsertSegment(self.file, data, stored, {}, self._meant_by(data), names)

    def adopt(self, catalog: Catalog) -> None:
        self._other = catalog
        self._only_counted = not catalog.tables
        super().adopt(catalog)

    def _meant_by(self, data: Data) -> tuple[str, ...]:
        """The columns that an INSERT without a list of them means, in order."""
        root = self.catalog.root
        written_for = data.written_for or data.table
        if root(written_for) == root(data.table):
            columns = _table_columns(self.catalog, written_for)
            if columns:
                return columns
        return _table_columns(self.catalog, data.table)

    def _table_of(self, data: Data) -> TableName:
        # `--load-via-partition-root --table=PARTITION` loads into a root that the dump does not
        # define.
        written_for = data.written_for
        if written_for is None or data.table in self.catalog.tables:
            return data.table
        if self._attached.get(written_for) == data.table:
            return written_for
        return data.table

    @cached_property
    def _harmed(self) -> Mapping[TableName, str]:
        """By root table, what is wrong where its rows stand or may stand."""
        found: dict[TableName, str] = {}
        for harm in self._part.harms:
            if harm.table is not None:
                name = self._by_heading.get(harm.table, harm.table)
                found.setdefault(self.catalog.root(name), harm.words)
        return found

    @cached_property
    def _by_root(self) -> Mapping[TableName, Sequence[Data]]:
        """The runs of rows by the table at the top of the tree that theirs belongs to."""
        found: dict[TableName, list[Data]] = {}
        for data in self._part.data:
            root = self.catalog.root(self._table_of(data))
            found.setdefault(root, []).append(data)
        return found

    # --- what it holds ----------------------------------------------------------------------------

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        found: dict[TableName, Sequence[str]] = {}
        for data in self._part.data:
            table = self._table_of(data)
            if not found.get(table):
                found[table] = data.columns or self._columns_of_first_row(data)
        for name in self._promised:
            found.setdefault(name, ())
        return found

    def _columns_of_first_row(self, data: Data) -> Sequence[str]:
        """What a run of INSERTs says of its columns.

        That is their names, or as many as its first row has values, named as VALUES names them.
        """
        if data.form != "insert":
            return ()
        return inserts.columns_of(self._first_of(data), data.standard_strings)

    def _first_of(self, data: Data) -> str:
        """The text that a run of rows begins with."""
        end = min(data.end, data.start + _HEAD_BYTES)
        return self.file.text(data.start, end, data.encoding)

    def contents(self) -> Mapping[TableName, Contents]:
        leaves = leaves_by_root(self.catalog)
        found = {}
        for table in self.catalog.roots:
            found[table.name] = self._contents_of(table, leaves[table.name])
        return found

    def _contents_of(self, table: Table, leaves: Sequence[TableName]) -> Contents:
        runs = self._by_root.get(table.name, ())
        size = 0
        lines = []
        for run in runs:
            size += run.end - run.start
            lines.append(run.lines if run.usual else None)
        return Contents(
            table.name,
            data=bool(runs) or table.name in self._harmed or self._is_promised(table, leaves),
            bytes=size,
            rows=_total([run.rows for run in runs]),
            lines=_total(lines),
            complete=table.name not in self._harmed and all(run.complete for run in runs),
            lacking=self._lacking.get(table.name, ()),
        )

    def _is_promised(self, table: Table, leaves: Sequence[TableName]) -> bool:
        """Whether a table without a run of rows is known to be empty."""
        if not self._promised.isdisjoint((table.name, *leaves)):
            return True
        # A partitioned table without partitions has no heading.
        bare = table.kind == "partitioned" and leaves == (table.name,)
        return bare and bool(self._promised)

    @cached_property
    def _promised(self) -> set[TableName]:
        """Tables that are empty where no run holds rows of theirs.

        An INSERT dump says nothing of them but their heading. Where a dump breaks off there are
        none, for rows may have followed.
        """
        part = self._part
        if origin.break_of(self.file, self.index, part):
            return set()
        if any(harm.table is None for harm in part.harms):
            return set()
        announced = (self._by_heading.get(one.table, one.table) for one in part.announced)
        said = {name for name in announced if self.catalog.root(name) not in self._harmed}
        return said | self._taken_for_empty

    @cached_property
    def _by_heading(self) -> Mapping[TableName, TableName]:
        """Tables by their names in headings."""
        known = [*self.catalog.tables]
        known.extend(data.table for data in self._part.data)
        return {as_in_headings(name): name for name in known}

    @cached_property
    def _taken_for_empty(self) -> set[TableName]:
        """Tables of which nothing is said but their definition, in a dump that says no more.

        Other writers than pg_dump have no headings that tell an empty table from one left out.
        """
        if self.damage or self._part.announced or not self._part.data:
            return set()
        if origin.is_stripped(self.statements()) and self._part.ends_in_rows:
            return set()  # where all tables are defined first, rows of the last may be cut off
        held = {self._table_of(data) for data in self._part.data}
        defined = self.catalog.tables.values()
        return {t.name for t in defined if t.kind in ("table", "partition")} - held

    @cached_property
    def _lacking(self) -> Mapping[TableName, tuple[TableName, ...]]:
        """By root table, the partitions whose rows it does not hold, where it holds others'."""
        found = {}
        for name, leaves in leaves_by_root(self.catalog).items():
            runs = [(d.table, d.written_for) for d in self._by_root.get(name, ())]
            lacking = lacking_partitions(self.catalog, leaves, runs, self._promised)
            if lacking:
                found[name] = lacking
        return found

    def close(self) -> None:
        self.file.close()


def _table_columns(catalog: Catalog, name: TableName) -> tuple[str, ...]:
    """All columns of a table, generated ones included; none where nothing defines it."""
    table = catalog.tables.get(name)
    if table is None:
        return ()
    return tuple(column.name for column in table.columns)


def _inherited(catalog: Catalog, table: Table) -> int:
    """How many of a table's columns are its parents'."""
    names: set[str] = set()
    for parent in table.inherits:
        names.update(_table_columns(catalog, parent))
    return sum(column.name in names for column in table.columns)


def _texts_of(file: PlainFile, statements: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(file.text(one.start, one.end, one.encoding) for one in statements)


def _choose(file: PlainFile, found: Index, wanted: str | None) -> str | None:
    """The database that is meant; None is the one without a name."""
    if wanted is None:
        return _only_database(file, found)
    if wanted not in found.databases:
        held = ", ".join(found.databases) or "one without a name"
        raise BackupError(
            f"{file.path} holds no database {wanted}; it holds {held}.",
            "Choose one of these with --database NAME.",
        )
    return wanted


def _only_database(file: PlainFile, found: Index) -> str | None:
    named = [d for d in found.with_tables if d is not None]
    if len(named) > 1:
        raise BackupError(
            f"{file.path} holds several databases: {', '.join(named)}.",
            "Choose one with --database NAME.",
        )
    if named:
        return named[0]
    return None


def _large_objects_of(statements: Iterable[str]) -> frozenset[int]:
    found: set[int] = set()
    for statement in statements:
        if "lo_create" in statement:
            found.update(map(int, _LARGE_OBJECT.findall(statement)))
    return frozenset(found)


def _columns(segments: Sequence[Segment], wanted: Sequence[str]) -> Sequence[str]:
    """The columns of a segment without rows: those of the others, or what is wanted."""
    if segments:
        return segments[0].columns
    return wanted


def _total(numbers: Sequence[int | None]) -> int | None:
    """The sum of some numbers; None where there are none, or one is not known."""
    if not numbers or None in numbers:
        return None
    return sum(number for number in numbers if number is not None)
