"""Plain SQL dumps as a Source: `scanning` says what stands where, and here it becomes definitions and rows."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext, ddl
from forensics.evidence.encodings import transcoder
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import inserts
from forensics.evidence.plain.copyforms import as_pg_dump_writes
from forensics.evidence.plain.scanning import Data, index
from forensics.evidence.source import (
    Block,
    Contents,
    LackingSegment,
    Segment,
    Source,
    lacking_partitions,
    leaves_by_root,
)
from forensics.model import Catalog, Provenance, TableName

_LARGE_OBJECT = re.compile(r"\blo_create\('?(\d+)")
_POSITIONS = 2_000  # of rows, looked up at a time: each may map 64 kB of the file
_CHUNK = 4 << 20
_HEAD_BYTES = 1 << 20


class CopySegment(Segment):
    """Rows that COPY wrote, at a byte range of the file."""

    def __init__(self, source: PlainSource, data: Data, columns: Sequence[str]) -> None:
        super().__init__(data.table, columns)
        self._source = source
        self._data = data
        self._rewritten = False  # some of its text was not as PostgreSQL writes it, so that positions are not the file's

    def blocks(self) -> Iterator[Block]:
        file, data = self._source.file, self._data
        if data.copy and data.copy.problem:
            raise BackupError(
                f"The rows of table {data.table} cannot be read: {data.copy.problem}.",
                "Load the file into a scratch database, and dump that.",
            )
        blocks = self._lines()
        yield from (
            as_pg_dump_writes(blocks, data.copy) if data.copy and not data.copy.usual else blocks
        )
        if not data.complete:
            raise DamagedBackupError(
                f"{file.path} breaks off within the rows of table {data.table}, after {data.rows} whole rows.",
                "Look for a complete copy of the backup; what was read stays in the case.",
            )

    def _lines(self) -> Iterator[bytes]:
        """The rows in UTF-8, each a line; but for what only CSV and the like have, as PostgreSQL writes them."""
        data, form = self._data, self._data.copy
        convert = self._source.transcoder(
            form.encoding if form and form.encoding else data.encoding
        )
        for block in _whole_rows(
            copytext.read_blocks(self._source.file.reader(data.start, data.end))
        ):
            if data.line_end == b"\r\n":
                # A carriage return within data is always escaped: this one belongs to the file's line ends.
                block = block.replace(b"\r\n", b"\n")
            if not (form and form.csv) and copytext.has_odd_escapes(block):
                self._rewritten = True
                block = copytext.rewrite_escapes(block, form.delimiter.encode() if form else b"\t")
            yield convert(block) if convert else block

    def lines_at(self, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
        data = self._data
        if (
            self._rewritten
            or data.copy
            or data.line_end != b"\n"
            or self._source.transcoder(data.encoding)
        ):
            yield from super().lines_at(positions)
            return
        # Positions are the file's own: no need to read what lies between.
        file = self._source.file
        with mmap.mmap(file.fd, 0, prot=mmap.PROT_READ) as text:
            read = 0
            for first in range(0, len(positions), _POSITIONS):
                for position in positions[first : first + _POSITIONS].tolist():
                    at = data.start + position
                    yield position, text[at : text.find(b"\n", at)]
                # What was read stays in the system's cache, and no longer counts as this process's memory.
                upto = at // mmap.PAGESIZE * mmap.PAGESIZE
                if hasattr(mmap, "MADV_DONTNEED") and upto > read:
                    text.madvise(mmap.MADV_DONTNEED, read, upto - read)
                    read = upto


def _whole_rows(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that do not end within a row: a backslash before a line's end makes it a part of the data."""
    held = b""
    for block in blocks:
        block = held + block
        lines = block.removesuffix(b"\n").removesuffix(b"\r")
        held = block if (len(lines) - len(lines.rstrip(b"\\"))) % 2 else b""
        if not held:
            yield block
    if held:
        yield held


class InsertSegment(Segment):
    """Rows that INSERT statements hold, turned into COPY text as they stream."""

    def __init__(self, source: PlainSource, data: Data, columns: Sequence[str]) -> None:
        super().__init__(data.table, columns)
        self._source = source
        self._data = data

    def blocks(self) -> Iterator[Block]:
        source, data = self._source, self._data
        read = source.file.reader(data.start, data.end)
        chunks = iter(lambda: read(_CHUNK), b"")
        convert = source.transcoder(data.encoding)
        own = data.written_for or data.table
        own = own if source.catalog.root(own) == source.catalog.root(data.table) else data.table
        yield from inserts.copy_blocks(
            (
                convert(c) if convert else c
                for c in inserts.whole_statements(chunks, data.standard_strings)
            ),
            source.table_columns(own) or source.table_columns(data.table) or self.columns,
            self.columns,
            data.standard_strings,
        )
        if not data.complete:
            raise DamagedBackupError(
                f"{source.file.path} breaks off within the rows of table {data.table}.",
                "Look for a complete copy of the backup; what was read stays in the case.",
            )


class PlainSource(Source):
    """A plain SQL dump.

    Args:
        file: its bytes, unpacked.
        database: which database of a `pg_dumpall` file; needed where it holds several.

    Raises:
        BackupError: it is no dump, or it holds several databases and none is chosen.
        DamagedBackupError: not even its first statement can be read.
    """

    def __init__(self, file: PlainFile, database: str | None = None) -> None:
        self.file = file
        self.index = index(file)
        if twice := self.index.repeated:
            raise BackupError(
                f"{file.path} holds several dumps one after the other: the rows of table {twice} stand in it twice.",
                "Cut it at the lines that say 'PostgreSQL database dump', and give the one that you mean.",
            )
        self._database = self._choose(database)

    def _choose(self, wanted: str | None) -> str | None:
        several = [d for d in self.index.with_tables if d is not None]
        if wanted is None:
            if len(several) > 1:
                raise BackupError(
                    f"{self.file.path} holds several databases: {', '.join(several)}.",
                    "Choose one with --database NAME.",
                )
            return several[0] if several else None
        if wanted not in self.index.databases:
            raise BackupError(
                f"{self.file.path} holds no database {wanted}; it holds {', '.join(self.index.databases) or 'one without a name'}.",
                "Choose one of these with --database NAME.",
            )
        return wanted

    def transcoder(self, encoding: str | None) -> Callable[[bytes], bytes] | None:
        """What turns the file's bytes into UTF-8, where it says that they are of this encoding; None where they are."""
        return None if self.file.recoded else transcoder(encoding)

    def statements(self) -> Iterator[str]:
        """The dump's statements but for the rows, in its order."""
        for one in self.index.statements:
            if one.database in (None, self._database):
                text = os.pread(self.file.fd, one.end - one.start, one.start)
                convert = self.transcoder(one.encoding)
                yield (convert(text) if convert else text).decode("utf-8", "replace")

    @cached_property
    def large_objects(self) -> frozenset[int] | None:  # type: ignore[override]
        return frozenset(
            int(i) for s in self.statements() if "lo_create" in s for i in _LARGE_OBJECT.findall(s)
        )

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        return ddl.read_catalog(self.statements())

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        return replace(self.identify(), sha256=self.file.sha256)

    def identify(self) -> Provenance:
        comments = self.index.comments

        def said(lead: str) -> str | None:
            here = (
                c.removeprefix(lead).strip()
                for c, database in comments
                if c.startswith(lead) and database in (None, self._database)
            )
            return next(here, None)

        return Provenance(
            kind="plain",
            path=str(self.file.path),
            bytes=self.file.packed_size,
            compression=self.file.compression,
            server_version=said("Dumped from database version"),
            dump_version=said("Dumped by pg_dump version"),
            dumped_at=_writers_time(said("Started on")),
            complete=self.damage is None,
            encoding=self.index.encoding(self._database),
            database=self._database,
        )

    @property
    def damage(self) -> str | None:
        """Why the dump is not whole, in words, or None where it ends as its writer ends one."""
        if self.file.damage:
            return self.file.damage
        if self.index.damage:
            return self.index.damage
        said = {c for c, _ in self.index.comments}
        here = {c for c, database in self.index.comments if database in (None, self._database)}
        of_roles_only = (
            "PostgreSQL database cluster dump" in said and "PostgreSQL database dump" not in said
        )
        if "PostgreSQL database dump complete" not in here and not of_roles_only:
            return "its last line, 'PostgreSQL database dump complete', is not there"
        if (
            "PostgreSQL database cluster dump" in said
            and "PostgreSQL database cluster dump complete" not in said
        ):
            return "its last line, 'PostgreSQL database cluster dump complete', is not there"
        if self.index.open_restrict:
            return "its last line, \\unrestrict, is not there"
        return self.index.elsewhere[0] if self.index.elsewhere else None

    @property
    def edits(self) -> Sequence[str]:
        return self.index.edits

    def table_columns(self, name: TableName) -> tuple[str, ...]:
        """The columns that INSERT and COPY without a column list mean, generated ones included."""
        table = self.catalog.tables.get(name)
        return tuple(c.name for c in table.columns) if table else ()

    @property
    def _here(self) -> Iterator[Data]:
        return (d for d in self.index.data if d.database in (None, self._database))

    def _table_of(self, data: Data) -> TableName:
        # `--load-via-partition-root --table=PARTITION` loads into a root that the dump does not define.
        stray = data.table not in self.catalog.tables and data.written_for in self.catalog.tables
        return data.written_for if stray and data.written_for else data.table

    @cached_property
    def _by_root(self) -> Mapping[TableName, Sequence[Data]]:
        """The runs of rows by the table at the top of the tree that theirs belongs to."""
        found: dict[TableName, list[Data]] = {}
        for data in self._here:
            found.setdefault(self.catalog.root(self._table_of(data)), []).append(data)
        return found

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for data in self._by_root.get(name, ()):
            table = self.catalog.tables.get(data.table)
            stored = (
                tuple(c.name for c in table.columns if not c.generated) if table else tuple(columns)
            )
            if data.form == "copy":
                found.append(
                    CopySegment(self, data, data.columns if data.columns is not None else stored)
                )
            else:
                found.append(InsertSegment(self, data, stored))
        if lacking := self._lacking.get(name):
            found.append(LackingSegment(name, found[0].columns, lacking, self.damage))
        return found

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        found: dict[TableName, Sequence[str]] = {}
        for data in self._here:
            if not found.get(self._table_of(data)):
                found[self._table_of(data)] = data.columns or self._columns_of_first_row(data)
        for name in self._promised:
            found.setdefault(name, ())
        return found

    def _columns_of_first_row(self, data: Data) -> Sequence[str]:
        """What a run of INSERTs says of its columns: their names, or as many as it has values, named as VALUES names them."""
        if data.form != "insert":
            return ()
        text = os.pread(self.file.fd, min(data.end - data.start, _HEAD_BYTES), data.start)
        convert = self.transcoder(data.encoding)
        return inserts.columns_of(
            (convert(text) if convert else text).decode("utf-8", "replace"), data.standard_strings
        )

    def contents(self) -> Mapping[TableName, Contents]:
        found = {}
        promised, leaves = self._promised, self._leaves
        for table in self.catalog.roots:
            runs = self._by_root.get(table.name, ())
            rows = [r.rows for r in runs]
            parts = leaves[table.name]
            bare = table.kind == "partitioned" and parts == (table.name,)
            found[table.name] = Contents(
                table.name,
                data=bool(runs)
                or any(p in promised for p in (table.name, *parts))
                or (bare and bool(promised)),
                bytes=sum(r.end - r.start for r in runs),
                rows=sum(r for r in rows if r is not None) if runs and None not in rows else None,
                complete=all(r.complete for r in runs),
                lacking=self._lacking.get(table.name, ()),
            )
        return found

    @cached_property
    def _promised(self) -> set[TableName]:
        """Tables that are empty where no run holds rows of theirs: an INSERT dump says nothing of them but their heading.

        Where a dump breaks off there are none, for rows may have followed.
        """
        if self.damage:
            return set()
        # A heading has a name's line ends as blanks.
        known = (*self.catalog.tables, *(d.table for d in self._here))
        spelled = {
            TableName(*(re.sub(r"[\r\n]", " ", part) for part in name)): name for name in known
        }
        return {
            spelled.get(n, n)
            for n, database in self.index.announced
            if database in (None, self._database)
        }

    @property
    def _leaves(self) -> Mapping[TableName, tuple[TableName, ...]]:
        return leaves_by_root(self.catalog)

    @cached_property
    def _lacking(self) -> Mapping[TableName, tuple[TableName, ...]]:
        found = {}
        for name, leaves in self._leaves.items():
            runs = [(d.table, d.written_for) for d in self._by_root.get(name, ())]
            if lacking := lacking_partitions(self.catalog, leaves, runs, self._promised):
                found[name] = lacking
        return found

    def close(self) -> None:
        self.file.close()


_ZONE = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\s*(.*)\Z")


def _writers_time(text: str | None) -> datetime | None:
    """Return the time of a `--verbose` dump's comment, or None where its zone is a word that nobody can place."""
    match = _ZONE.match(text or "")
    if not match:
        return None
    local = datetime.fromisoformat(match[1])
    zone = match[2].strip()
    if zone in ("UTC", "GMT", "Z", ""):
        return local.replace(tzinfo=UTC)
    if offset := re.fullmatch(r"([+-])(\d\d):?(\d\d)?", zone):
        delta = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return (local - delta if offset[1] == "+" else local + delta).replace(tzinfo=UTC)
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        return None
