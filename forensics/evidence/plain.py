"""Plain SQL dumps, indexed in one pass without executing anything.

The scanner knows as much SQL as `psql` does (its lexer decides where a statement ends): strings, quoted identifiers,
dollar quotes, comments, parentheses, BEGIN ATOMIC bodies. Only a COPY statement that stands where a statement begins
opens a run of rows, which ends at a line that is exactly backslash and point; so text that looks like COPY inside
functions, comments or rows fools nobody. Meta-commands (\\restrict, \\connect) are read as what they say.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext, ddl, inserts, lexer
from forensics.evidence.files import PlainFile
from forensics.evidence.source import Block, Contents, Segment, Source
from forensics.model import Catalog, Provenance, TableName

_SPACE = re.compile(rb"\s*+")
_LINE = re.compile(rb"[^\n]*+\n?")
_CREATES_TABLE = re.compile(rb"CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\b", re.I)
_COPY = re.compile(
    rb"COPY\s+(?:BINARY\s+)?((?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)(?:\s*\.\s*(?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+))?)"
    rb"\s*(?:\((.*)\))?\s+FROM\s+stdin\b[^;]*;\Z",
    re.S | re.I,
)
_INSERT = re.compile(rb"INSERT\s+INTO\s+((?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)(?:\.(?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+))?)\s*", re.I)
_SETTING = re.compile(rb"SET\s+(client_encoding|standard_conforming_strings)\s*(?:=|TO)\s*'?([\w-]+)'?\s*;\Z", re.I)
_SEARCH_PATH = re.compile(rb"SET\s+search_path\s*(?:=|TO)\s*(\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)", re.I)
_CONNECT = re.compile(rb"\\c(?:onnect)?\s+(?:-reuse-previous=\w+\s+)?(\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\S+)")
# What pg_dump writes above a table's rows, even where there are none: it tells an empty table from one left out.
_DATA_HEADING = re.compile(rb"Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: ")
_LARGE_OBJECT = re.compile(r"\blo_create\(")
_POSITIONS = 50_000  # of rows, looked up at a time
_CHUNK = 4 << 20
_MARKER_BYTES = 4  # backslash, point, carriage return, line feed
_FEW = 64
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Data:
    """A run of rows of one table: `form` says whether COPY wrote them or INSERT.

    `start` and `end` are byte offsets in the unpacked file, the end marker left out. `rows` counts the whole lines of
    a COPY run that breaks off; it is None otherwise. `complete` is False where the file ends within it. `written_for` is the table that
    the heading above INSERTs names: with --load-via-partition-root a partition, whose order of columns the values have.
    """

    table: TableName
    columns: tuple[str, ...] | None
    start: int
    end: int
    form: str = "copy"
    rows: int | None = None
    complete: bool = True
    database: str | None = None
    written_for: TableName | None = None


@dataclass(frozen=True)
class Index:
    """What stands where in a plain dump: statements and runs of rows, by byte offset, and the database each is of."""

    statements: tuple[tuple[int, int, str | None], ...]
    data: tuple[Data, ...]
    comments: tuple[str, ...]
    databases: tuple[str, ...]
    with_tables: tuple[str | None, ...]
    announced: tuple[tuple[TableName, str | None], ...]
    encoding: str | None
    standard_strings: bool
    line_end: bytes
    damage: str | None

    @property
    def is_dump(self) -> bool:
        """Whether anything in the text is what a dump is made of."""
        return bool(self.with_tables or self.data or self.comments)


def _identifier_parts(text: bytes) -> list[str]:
    parts = re.findall(rb'"(?:[^"]|"")*"|[^.\s]+', text)
    return [
        p[1:-1].replace(b'""', b'"').decode("utf-8", "replace") if p.startswith(b'"') else p.decode("utf-8", "replace").lower()
        for p in parts
    ]


def _unquote(text: bytes) -> str:
    quote = text[:1]
    if quote in (b'"', b"'"):
        text = text[1:-1].replace(quote * 2, quote)
    return text.decode("utf-8", "replace")


class _Scanner:
    """The one pass over the unpacked text."""

    def __init__(self, text: mmap.mmap, file: PlainFile) -> None:
        self.text = text
        self.file = file
        self.size = len(text)
        self.statements: list[tuple[int, int, str | None]] = []
        self.data: list[Data] = []
        self.comments: list[str] = []
        self.databases: list[str] = []
        self.with_tables: list[str | None] = []
        self.announced: list[tuple[TableName, str | None]] = []
        self.heading: TableName | None = None
        self.database: str | None = None
        self.encoding: str | None = None
        self.standard_strings = True
        self.search_path = "public"
        self.line_end = b"\n"
        self.damage: str | None = None

    def scan(self) -> Index:
        at = 0
        while at < self.size and not self.damage:
            at = _SPACE.match(self.text, at).end()  # type: ignore[union-attr]
            if at >= self.size:
                break
            two = self.text[at : at + 2]
            if two == b"--":
                at = self._comment(at)
            elif two[:1] == b"\\":
                at = self._meta_command(at)
            else:
                at = self._statement(at)
        last = self.data[-1] if self.data else None
        if last and last.form == "insert" and not self.text[last.end :].strip():
            # A run of INSERTs has no end mark: where the file ends with one, more may have followed.
            self.data[-1] = replace(last, complete=False)
        return Index(
            tuple(self.statements), tuple(self.data), tuple(self.comments), tuple(self.databases),
            tuple(self.with_tables), tuple(self.announced), self.encoding, self.standard_strings, self.line_end, self.damage,
        )  # fmt: skip

    def _comment(self, at: int) -> int:
        line = _LINE.match(self.text, at)
        assert line
        words = line[0].strip().lstrip(b"-").strip()
        # The writer's own words (versions, times, the last line); "Name: …" headings of every object are passed over.
        if words.startswith((b"PostgreSQL database", b"Dumped ", b"Started on", b"Completed on")):
            self.comments.append(words.decode("utf-8", "replace"))
        elif heading := _DATA_HEADING.match(words):
            self.heading = TableName(heading[2].decode("utf-8", "replace"), heading[1].decode("utf-8", "replace"))
            self.announced.append((self.heading, self.database))
        return line.end()

    def _meta_command(self, at: int) -> int:
        line = _LINE.match(self.text, at)
        assert line
        if connect := _CONNECT.match(line[0]):
            self._enter(_unquote(connect[1]))
        return line.end()

    def _enter(self, database: str) -> None:
        if match := re.search(r"dbname='((?:[^'\\]|\\.)*)'", database):
            database = re.sub(r"\\(.)", r"\1", match[1])
        self.database = database
        self.search_path = "public"
        if database not in self.databases:
            self.databases.append(database)

    def _statement(self, at: int) -> int:
        end = lexer.statement_end(self.text, at, self.standard_strings)
        if end is None:
            self.damage = f"a statement that begins at byte {at} has no end"
            last = self.data[-1] if self.data else None
            if last and last.form == "insert" and not self.text[last.end : at].strip():
                self.data[-1] = replace(last, complete=False)
            return self.size
        head = self.text[at : min(end, at + _HEAD_BYTES)]
        if head[:6].upper() == b"INSERT" and (insert := _INSERT.match(head)):
            return self._insert(at, end, insert)
        if head[:4].upper() == b"COPY" and (copy := _COPY.match(self.text[at:end])):
            return self._copy(end, copy)
        if setting := _SETTING.match(head):
            if setting[1].lower() == b"client_encoding":
                self.encoding = setting[2].decode()
            else:
                self.standard_strings = setting[2].lower() == b"on"
        elif path := _SEARCH_PATH.match(head):
            self.search_path = _unquote(path[1]) or self.search_path
        if _CREATES_TABLE.match(head):
            self._note_tables()
        self.statements.append((at, end, self.database))
        return end

    def _note_tables(self) -> None:
        if self.database not in self.with_tables:
            self.with_tables.append(self.database)

    def _table(self, text: bytes) -> TableName:
        parts = _identifier_parts(text)
        return TableName(parts[-2] if len(parts) > 1 else self.search_path, parts[-1])

    def _insert(self, at: int, end: int, match: re.Match[bytes]) -> int:
        table = self._table(match[1])
        last = self.data[-1] if self.data else None
        if last and last.form == "insert" and (last.table, last.database, last.written_for) == (table, self.database, self.heading):
            between = self.text[last.end : at]
            if not between.strip():
                self.data[-1] = replace(last, end=end)
                return end
        self._note_tables()
        self.data.append(Data(table, None, at, end, "insert", database=self.database, written_for=self.heading))
        return end

    def _copy(self, end: int, match: re.Match[bytes]) -> int:
        columns = tuple(copytext.known_columns(match[2].decode("utf-8", "replace"))) if match[2] is not None else None
        line = _LINE.match(self.text, end)
        assert line
        if line[0].endswith(b"\r\n"):
            self.line_end = b"\r\n"
        start = line.end()
        table = self._table(match[1])
        stop = self._rows_end(start)
        self._note_tables()
        if stop is None:
            # What follows the last line feed is part of a row at best.
            stop = max(self.text.rfind(b"\n", start - 1, self.size) + 1, start)
            read = self.file.reader(start, stop)
            rows = sum(_line_feeds(chunk) for chunk in iter(lambda: read(_CHUNK), b""))
            self.data.append(Data(table, columns, start, stop, "copy", rows, False, self.database))
            self.damage = f"the rows of table {table} break off after {rows} whole rows"
            return self.size
        self.data.append(Data(table, columns, start, stop, database=self.database))
        return _LINE.match(self.text, stop).end()  # type: ignore[union-attr]

    def _rows_end(self, start: int) -> int | None:
        """Return where the rows that begin at `start` end, or None where no end marker follows."""
        at = start
        before = b"\n"  # the byte before the chunk: a marker stands at the beginning of a line
        while chunk := os.pread(self.file.fd, _CHUNK, at):
            last = at + len(chunk) >= self.size
            found = _marker_in(before + chunk, last)
            if found is not None:
                return at - 1 + found
            # A marker that lies across the edge is seen whole in the next chunk.
            step = len(chunk) if last else len(chunk) - _MARKER_BYTES
            before = chunk[step - 1 : step]
            at += step
        return None


def _marker_in(window: bytes, last: bool) -> int | None:
    """The offset of the line that is exactly backslash and point, or None. A window's first byte is of the line before."""
    found = window.find(b"\\", 1)
    for _ in range(_FEW):
        if found < 0:
            return None
        if _is_marker(window, found, last):
            return found
        found = window.find(b"\\", found + 1)
    # Looking for one byte is fastest where it is rare. Where rows are full of it, look for what comes before it too.
    found = window.find(b"\n\\.", max(found - 1, 0))
    while found >= 0:
        if _is_marker(window, found + 1, last):
            return found + 1
        found = window.find(b"\n\\.", found + 1)
    return None


def _is_marker(window: bytes, at: int, last: bool) -> bool:
    if window[at - 1 : at] != b"\n" or window[at + 1 : at + 2] != b".":
        return False
    after = window[at + 2 : at + 4]
    return after[:1] == b"\n" or after == b"\r\n" or (last and after in (b"", b"\r"))


def _line_feeds(chunk: bytes) -> int:
    # bytes.count takes four times as long.
    return int(np.count_nonzero(np.frombuffer(chunk, dtype=np.uint8) == 10))


def index(file: PlainFile) -> Index:
    """Index a plain dump in one pass.

    Raises:
        BackupError: the text is no dump at all.
    """
    head = os.pread(file.fd, _HEAD_BYTES, 0)
    if not head or b"\0" in head:
        raise _no_dump(file)
    with mmap.mmap(file.fd, 0, prot=mmap.PROT_READ) as text:
        found = _Scanner(text, file).scan()
    if not found.is_dump:
        raise _no_dump(file)
    return found


def _no_dump(file: PlainFile) -> BackupError:
    if file.damage:
        return DamagedBackupError(
            f"{file.path} is damaged: {file.damage}; not one statement of it can be read.", "Look for another copy of the backup."
        )
    return BackupError(
        f"{file.path} is not a PostgreSQL dump: no SQL statement and no archive header stands in it.",
        "Give a file or folder that pg_dump or pg_dumpall wrote.",
    )


class CopySegment(Segment):
    """Rows that COPY wrote, at a byte range of the file."""

    def __init__(self, source: PlainSource, data: Data, columns: Sequence[str]) -> None:
        super().__init__(data.table, columns)
        self._source = source
        self._data = data

    def blocks(self) -> Iterator[Block]:
        file, data = self._source.file, self._data
        convert = copytext.transcoder(self._source.index.encoding)
        for block in copytext.read_blocks(file.reader(data.start, data.end)):
            if self._source.index.line_end == b"\r\n":
                # A carriage return within data is always escaped: this one belongs to the file's line ends.
                block = block.replace(b"\r\n", b"\n")
            yield convert(block) if convert else block
        if not data.complete:
            raise DamagedBackupError(
                f"{file.path} breaks off within the rows of table {data.table}, after {data.rows} whole rows.",
                "Look for a complete copy of the backup; what was read stays in the case.",
            )

    def lines_at(self, positions: np.ndarray) -> Iterator[tuple[int, bytes]]:
        if self._source.index.line_end != b"\n" or copytext.transcoder(self._source.index.encoding):
            yield from super().lines_at(positions)
            return
        # Positions are the file's own: no need to read what lies between.
        file, data = self._source.file, self._data
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
        convert = copytext.transcoder(source.index.encoding)
        yield from inserts.copy_blocks(
            (convert(c) if convert else c for c in inserts.whole_statements(chunks, source.index.standard_strings)),
            source.table_columns(data.written_for or data.table) or source.table_columns(data.table),
            self.columns,
            source.index.standard_strings,
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
        self._database = self._choose(database)

    def _choose(self, wanted: str | None) -> str | None:
        several = [d for d in self.index.with_tables if d is not None]
        if wanted is None:
            if len(several) > 1:
                raise BackupError(f"{self.file.path} holds several databases: {', '.join(several)}.", "Choose one with --database NAME.")
            return several[0] if several else None
        if wanted not in self.index.databases:
            raise BackupError(
                f"{self.file.path} holds no database {wanted}; it holds {', '.join(self.index.databases) or 'one without a name'}.",
                "Choose one of these with --database NAME.",
            )
        return wanted

    def statement(self, start: int, end: int) -> str:
        """The text of the statement at a byte range."""
        text = os.pread(self.file.fd, end - start, start)
        convert = copytext.transcoder(self.index.encoding)
        return (convert(text) if convert else text).decode("utf-8", "replace")

    def statements(self) -> Iterator[str]:
        """The dump's statements but for the rows, in its order."""
        for start, end, database in self.index.statements:
            if database == self._database or database is None:
                yield self.statement(start, end)

    @cached_property
    def large_objects(self) -> int | None:  # type: ignore[override]
        return sum(len(_LARGE_OBJECT.findall(s)) for s in self.statements() if "lo_create" in s)

    @cached_property
    def catalog(self) -> Catalog:  # type: ignore[override]
        return ddl.read_catalog(self.statements())

    @cached_property
    def provenance(self) -> Provenance:  # type: ignore[override]
        return replace(self.identify(), sha256=self.file.sha256)

    def identify(self) -> Provenance:
        comments = self.index.comments

        def said(lead: str) -> str | None:
            return next((c.removeprefix(lead).strip() for c in comments if c.startswith(lead)), None)

        return Provenance(
            kind="plain",
            path=str(self.file.path),
            bytes=self.file.packed_size,
            compression=self.file.compression,
            server_version=said("Dumped from database version"),
            dump_version=said("Dumped by pg_dump version"),
            dumped_at=_writers_time(said("Started on")),
            complete=self.damage is None,
            encoding=self.index.encoding,
            database=self._database,
        )

    @property
    def damage(self) -> str | None:
        """Why the dump is not whole, in words, or None where it ends as its writer ends one."""
        if self.file.damage:
            return self.file.damage
        if self.index.damage:
            return self.index.damage
        if not any(c.endswith("dump complete") for c in self.index.comments):
            return "its last line, 'PostgreSQL database dump complete', is not there"
        return None

    def table_columns(self, name: TableName) -> tuple[str, ...]:
        """The columns that INSERT and COPY without a column list mean, generated ones included."""
        table = self.catalog.tables.get(name)
        return tuple(c.name for c in table.columns) if table else ()

    def _data_of(self, name: TableName) -> list[Data]:
        leaves = {name, *self.catalog.leaves(name)}
        here = (d for d in self.index.data if d.database == self._database or d.database is None)
        return [d for d in here if d.table in leaves or self.catalog.root(d.table) == name]

    def segments(self, name: TableName, columns: Sequence[str]) -> list[Segment]:
        found: list[Segment] = []
        for data in self._data_of(name):
            table = self.catalog.tables.get(data.table)
            stored = tuple(c.name for c in table.columns if not c.generated) if table else tuple(columns)
            if data.form == "copy":
                found.append(CopySegment(self, data, data.columns if data.columns is not None else stored))
            else:
                found.append(InsertSegment(self, data, stored))
        return found

    def held_columns(self) -> Mapping[TableName, Sequence[str]]:
        return {d.table: d.columns or () for d in self.index.data if d.database in (None, self._database)}

    def contents(self) -> Mapping[TableName, Contents]:
        found = {}
        announced = {self.catalog.root(name) for name, database in self.index.announced if database in (None, self._database)}
        for table in self.catalog.roots:
            runs = self._data_of(table.name)
            rows = [r.rows for r in runs]
            # An INSERT dump says nothing of an empty table but its heading; where a dump breaks off, rows may have followed.
            bare = table.kind == "partitioned" and self.catalog.leaves(table.name) == (table.name,)
            empty = (table.name in announced or (bare and bool(announced))) and not self.damage
            found[table.name] = Contents(
                table.name,
                data=bool(runs) or empty,
                bytes=sum(r.end - r.start for r in runs),
                rows=sum(r for r in rows if r is not None) if runs and None not in rows else None,
                complete=all(r.complete for r in runs),
            )
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
