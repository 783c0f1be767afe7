"""What stands where in a plain dump: one pass over its text, executing nothing.

The scanner knows as much SQL as `psql` does (its lexer decides where a statement ends): strings, quoted identifiers,
dollar quotes, comments, parentheses, BEGIN ATOMIC bodies. Only a COPY statement that stands where a statement begins
opens a run of rows, which ends at a line that is exactly backslash and point; so text that looks like COPY inside
functions, comments or rows fools nobody. Meta-commands (\\restrict, \\connect, \\copy) are read as what they say.
"""

from __future__ import annotations

import mmap
import os
import re
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext
from forensics.evidence.encodings import transcoder
from forensics.evidence.files import PlainFile
from forensics.evidence.plain import lexer
from forensics.evidence.plain.copyforms import CopyForm, read_copy
from forensics.model import TableName

_SPACE = re.compile(rb"\s*+")
_LINE = re.compile(rb"[^\n]*+\n?")
_CREATES_TABLE = re.compile(rb"CREATE\s+(?:UNLOGGED\s+|FOREIGN\s+)?TABLE\b", re.I)
# As pg_dump writes it (WITH OIDS up to PostgreSQL 11); what people write is left to PostgreSQL's own parser.
_COPY = re.compile(
    rb"COPY\s+((?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)(?:\s*\.\s*(?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+))?)"
    rb"\s*(?:\(([^()]*+|(?:[^()\"]|\"(?:[^\"]|\"\")*+\")*+)\))?\s*(WITH\s+OIDS\s+)?FROM\s+stdin\s*;\Z",
    re.S | re.I,
)
_INSERT = re.compile(
    rb"INSERT\s+INTO\s+((?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)(?:\.(?:\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+))?)\s*",
    re.I,
)
_SETTING = re.compile(
    rb"SET\s+(client_encoding|standard_conforming_strings)\s*(?:=|TO)\s*'?([\w-]+)'?\s*;\Z", re.I
)
_SEARCH_PATH = re.compile(
    rb"SET\s+search_path\s*(?:=|TO)\s*(\"(?:[^\"]|\"\")*\"|[\w$\x80-\xff]+)", re.I
)
_ENCODING = re.compile(rb"\\encoding\s+'?([\w-]+)")
_INCLUDE = re.compile(rb"\\(?:i|ir|include|include_relative)\s+(\S[^\r\n]*)")
_RESTRICT = re.compile(rb"\\(un)?restrict\s+(\S+)")
_COPY_IN = re.compile(rb"\\(copy\s+(?!\()[^\r\n]*\sfrom\s[^\r\n]*)", re.I)
_FROM_STDIN = re.compile(rb"\bFROM\s+STDIN\b", re.I)
# Strings and quoted names as they are; comments, which may stand between any two words.
_COMMENTS = re.compile(
    rb"('[^']*+'|\"[^\"]*+\")|--[^\n]*+|/\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*.*?\*/)*+\*/", re.S
)
_CHANGES = re.compile(rb"(UPDATE|DELETE|TRUNCATE|MERGE)\b(?!\s+(?:FROM\s+)?pg_catalog\.)", re.I)
_CONNECT = re.compile(
    rb"\\c(?:onnect)?\s+(?:-reuse-previous=\w+\s+)?(\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|\S+)"
)
# What pg_dump writes above a table's rows, even where there are none: it tells an empty table from one left out.
_DATA_HEADING = re.compile(rb"Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: ")
_CHUNK = 4 << 20
_MARKER_BYTES = 4  # backslash, point, carriage return, line feed
_FEW = 64
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Data:
    """A run of rows of one table: `form` says whether COPY wrote them or INSERT.

    `start` and `end` are byte offsets in the unpacked file, the end marker left out. `rows` counts the whole lines of
    a COPY run that breaks off; it is None otherwise. `complete` is False where the file ends within it. `written_for` is the table that
    the heading above it names: with --load-via-partition-root a partition, whose order of columns INSERTed values have.
    `copy` is what a COPY that pg_dump does not write says; `encoding`, `standard_strings` and `line_end` hold there; `part` counts
    the dumps of which the file consists.
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
    copy: CopyForm | None = None
    encoding: str | None = None
    standard_strings: bool = True
    line_end: bytes = b"\n"
    part: int = 0


class Statement(NamedTuple):
    """A statement but for those that bring rows in, by byte range."""

    start: int
    end: int
    database: str | None
    encoding: str | None


@dataclass(frozen=True)
class Index:
    """What stands where in a plain dump, by byte offset, and which database each is of.

    Attributes:
        comments: the writer's own words: versions, times, the first and the last line.
        announced: tables whose rows a heading promises, even where there are none.
        edits: statements that change rows which the dump has brought in: pg_dump writes none.
        elsewhere: what belongs to it and is in other files, in words.
        open_restrict: whether a \\restrict has no \\unrestrict.
        damage: why its text breaks off, or None.
    """

    statements: tuple[Statement, ...]
    data: tuple[Data, ...]
    comments: tuple[tuple[str, str | None], ...]
    databases: tuple[str, ...]
    with_tables: tuple[str | None, ...]
    announced: tuple[tuple[TableName, str | None], ...]
    encodings: tuple[tuple[str | None, str], ...]
    edits: tuple[str, ...]
    elsewhere: tuple[str, ...]
    open_restrict: bool
    damage: str | None

    @property
    def is_dump(self) -> bool:
        """Whether anything in the text is what a dump is made of."""
        return bool(self.with_tables or self.data or self.comments)

    def encoding(self, database: str | None) -> str | None:
        """The encoding that a database's part is written in, as it says."""
        found = dict(self.encodings)
        return found.get(database, found.get(None))

    @property
    def repeated(self) -> TableName | None:
        """A table whose rows stand in two dumps of one database, or None."""
        parts: dict[tuple[TableName, str | None], int] = {}
        for data in self.data:
            if parts.setdefault((data.table, data.database), data.part) != data.part:
                return data.table
        return None


def _identifier_parts(text: str) -> list[str]:
    parts = re.findall(r'"(?:[^"]|"")*"|[^.\s]+', text)
    return [p[1:-1].replace('""', '"') if p.startswith('"') else p.lower() for p in parts]


def _unquote(text: str) -> str:
    quote = text[:1]
    return text[1:-1].replace(quote * 2, quote) if quote in ('"', "'") and quote else text


def _without_comments(text: bytes) -> bytes:
    return _COMMENTS.sub(lambda m: m[1] or b" ", text) if b"--" in text or b"/*" in text else text


class _Scanner:
    """The one pass over the unpacked text, up to `size`."""

    def __init__(self, text: mmap.mmap, file: PlainFile) -> None:
        self.text = text
        self.file = file
        self.size = len(text)
        self.statements: list[Statement] = []
        self.data: list[Data] = []
        self.comments: list[tuple[str, str | None]] = []
        self.databases: list[str] = []
        self.with_tables: list[str | None] = []
        self.announced: list[tuple[TableName, str | None]] = []
        self.encodings: dict[str | None, str] = {}
        self.edits: list[str] = []
        self.elsewhere: list[str] = []
        self.restricted: bytes | None = None
        self.heading: TableName | None = None
        self.database: str | None = None
        self.encoding: str | None = None
        self.standard_strings = True
        self.search_path = "public"
        self.part = 0
        self.nul: int | None = None
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
            elif two == b"/*":
                at = self._text_until(lexer.comment_end(self.text, at), at)
            elif two[:1] == b"\\":
                at = self._meta_command(at)
            else:
                at = self._statement(at)
        last = self.data[-1] if self.data else None
        if last and last.form == "insert" and not self.text[last.end : self.size].strip():
            # A run of INSERTs has no end mark: where the file ends with one, more may have followed.
            self.data[-1] = replace(last, complete=False)
        if self.nul is not None:
            self.damage = f"a NUL stands at byte {self.nul}, so it is corrupt there" + (
                f"; {self.damage}" if self.damage else ""
            )
        return Index(
            tuple(self.statements),
            tuple(self.data),
            tuple(self.comments),
            tuple(self.databases),
            tuple(self.with_tables),
            tuple(self.announced),
            tuple(self.encodings.items()),
            tuple(self.edits),
            tuple(self.elsewhere),
            self.restricted is not None,
            self.damage,
        )

    def _text_until(self, end: int, start: int) -> int:
        """Return `end`, or where the text from `start` on ends before it: what stands behind a NUL is not what was written."""
        return self._ends_at(nul) if (nul := self.text.find(b"\0", start, end)) >= 0 else end

    def _ends_at(self, nul: int) -> int:
        self.nul = self.size = nul
        return nul

    def _said(self, text: bytes) -> str:
        convert = transcoder(self.encoding) if not self.file.recoded else None
        return (convert(text) if convert else text).decode("utf-8", "replace")

    def _comment(self, at: int) -> int:
        line = _LINE.match(self.text, at)
        assert line
        words = line[0].strip().lstrip(b"-").strip()
        # The writer's own words (versions, times, the last line); "Name: …" headings of every object are passed over.
        if words.startswith((b"PostgreSQL database", b"Dumped ", b"Started on", b"Completed on")):
            self.comments.append((words.decode("utf-8", "replace"), self.database))
            self.part += words == b"PostgreSQL database dump"
        elif heading := _DATA_HEADING.match(words):
            self.heading = TableName(self._said(heading[2]), self._said(heading[1]))
            self.announced.append((self.heading, self.database))
        return self._text_until(line.end(), at)

    def _meta_command(self, at: int) -> int:
        line = _LINE.match(self.text, at)
        assert line
        if connect := _CONNECT.match(line[0]):
            self._enter(_unquote(self._said(connect[1])))
        elif restrict := _RESTRICT.match(line[0]):
            self.restricted = (
                None
                if restrict[1] and restrict[2] == self.restricted
                else self.restricted
                if restrict[1]
                else restrict[2]
            )
        elif encoding := _ENCODING.match(line[0]):
            self._is_written_in(encoding[1])
        elif include := _INCLUDE.match(line[0]):
            self.elsewhere.append(
                f"it includes {self._said(include[1]).strip()}, which is not read"
            )
        elif (copy := _COPY_IN.match(line[0])) and (
            form := read_copy(self._said(copy[1]), self.search_path)
        ):
            return self._copy(line.end(), form)
        elif copy:
            self.elsewhere.append(
                f"it loads rows that are in another file: {self._said(line[0]).strip()}"
            )
        return self._text_until(line.end(), at)

    def _enter(self, database: str) -> None:
        if match := re.search(r"dbname='((?:[^'\\]|\\.)*)'", database):
            database = re.sub(r"\\(.)", r"\1", match[1])
        self.database = database
        self.search_path = "public"
        if database not in self.databases:
            self.databases.append(database)

    def _is_written_in(self, encoding: bytes) -> None:
        self.encoding = encoding.decode("ascii", "replace")
        self.encodings[self.database] = self.encoding

    def _statement(self, at: int) -> int:
        end = lexer.statement_end(self.text, at, self.standard_strings)
        self._text_until(end or self.size, at)
        if end is None or end > self.size:
            self.damage = f"a statement that begins at byte {at} has no end"
            last = self.data[-1] if self.data else None
            if last and last.form == "insert" and not self.text[last.end : at].strip():
                self.data[-1] = replace(last, complete=False)
            return self.size
        head = self.text[at : min(end, at + _HEAD_BYTES)]
        if head[:6].upper() == b"INSERT" and (
            insert := _INSERT.match(head) or _INSERT.match(_without_comments(head))
        ):
            return self._insert(at, end, insert)
        if head[:4].upper() == b"COPY":
            if form := self._copy_form(self.text[at:end]):
                return self._copy(_LINE.match(self.text, end).end(), form)  # type: ignore[union-attr]
            if _FROM_STDIN.search(head):
                # Its rows would be taken for statements, and those behind them for none.
                self.damage = (
                    f"a COPY statement that PostgreSQL would not understand begins at byte {at}"
                )
                return self.size
        if setting := _SETTING.match(head):
            if setting[1].lower() == b"client_encoding":
                self._is_written_in(setting[2])
            else:
                self.standard_strings = setting[2].lower() == b"on"
        elif path := _SEARCH_PATH.match(head):
            self.search_path = _unquote(self._said(path[1])) or self.search_path
        elif _CHANGES.match(head):
            self.edits.append(" ".join(self._said(head[:120]).split()))
        if _CREATES_TABLE.match(_without_comments(head)):
            self._note_tables()
        self.statements.append(Statement(at, end, self.database, self.encoding))
        return end

    def _note_tables(self) -> None:
        if self.database not in self.with_tables:
            self.with_tables.append(self.database)

    def _table(self, text: bytes) -> TableName:
        parts = _identifier_parts(self._said(text))
        return TableName(parts[-2] if len(parts) > 1 else self.search_path, parts[-1])

    def _insert(self, at: int, end: int, match: re.Match[bytes]) -> int:
        table = self._table(match[1])
        last = self.data[-1] if self.data else None
        if (
            last
            and last.form == "insert"
            and (last.table, last.database, last.written_for)
            == (table, self.database, self.heading)
        ):
            between = self.text[last.end : at]
            if not between.strip():
                self.data[-1] = replace(last, end=end)
                return end
        self._note_tables()
        self.data.append(self._data(table, None, at, end, form="insert"))
        return end

    def _data(
        self, table: TableName, columns: tuple[str, ...] | None, start: int, end: int, **more: Any
    ) -> Data:
        return Data(
            table,
            columns,
            start,
            end,
            database=self.database,
            written_for=self.heading,
            encoding=self.encoding,
            standard_strings=self.standard_strings,
            part=self.part,
            **more,
        )

    def _copy_form(self, statement: bytes) -> CopyForm | None:
        match = _COPY.match(statement)
        if match is None:
            return read_copy(self._said(statement), self.search_path)
        columns = (
            tuple(copytext.known_columns(self._said(match[2]))) if match[2] is not None else None
        )
        if match[3] and columns is not None:
            columns = ("oid", *columns)  # a row's oid stands before what the list names
        return CopyForm(self._table(match[1]), columns)

    def _copy(self, start: int, form: CopyForm) -> int:
        table, columns = form.table, form.columns
        if form.file is not None:
            self.elsewhere.append(
                f"the rows of table {table} are in {form.file}, which is not read"
            )
            return start
        more: dict[str, Any] = {"copy": None if form.usual and not form.encoding else form}
        if self.text[start - 2 : start] == b"\r\n":
            more["line_end"] = b"\r\n"
        stop = self._rows_end(start)
        self._note_tables()
        if stop is None:
            # What follows the last line feed is part of a row at best.
            stop = max(self.text.rfind(b"\n", start - 1, self.size) + 1, start)
            read = self.file.reader(start, stop)
            rows = sum(_line_feeds(chunk) for chunk in iter(lambda: read(_CHUNK), b""))
            self.data.append(
                self._data(table, columns, start, stop, rows=rows, complete=False, **more)
            )
            self.damage = f"the rows of table {table} break off after {rows} whole rows"
            return self.size
        self.data.append(self._data(table, columns, start, stop, **more))
        return _LINE.match(self.text, stop).end()  # type: ignore[union-attr]

    def _rows_end(self, start: int) -> int | None:
        """Return where the rows that begin at `start` end, or None where no end marker follows."""
        at = start
        before = b"\n"  # the byte before the chunk: a marker stands at the beginning of a line
        while chunk := os.pread(self.file.fd, min(_CHUNK, self.size - at), at):
            if (nul := chunk.find(b"\0")) >= 0:
                chunk = chunk[: self._ends_at(at + nul) - at]
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
    if not file.size:
        raise _no_dump(file)
    with mmap.mmap(file.fd, 0, prot=mmap.PROT_READ) as text:
        found = _Scanner(text, file).scan()
    if not found.is_dump:
        raise _no_dump(file)
    return found


_OTHERS = {
    b"PK\x03\x04": ("a ZIP file", "Unpack it, and give the dump that is in it."),
    b"7z\xbc\xaf": ("a 7-Zip file", "Unpack it, and give the dump that is in it."),
    b"Rar!": ("a RAR file", "Unpack it, and give the dump that is in it."),
}


def _no_dump(file: PlainFile) -> BackupError:
    if file.damage:
        return DamagedBackupError(
            f"{file.path} is damaged: {file.damage}; not one statement of it can be read.",
            "Look for another copy of the backup.",
        )
    kind = _OTHERS.get(os.pread(file.fd, 4, 0))
    if kind:
        return BackupError(f"{file.path} is {kind[0]}, and no dump as it stands.", kind[1])
    return BackupError(
        f"{file.path} is not a PostgreSQL dump: no SQL statement and no archive header stands in it.",
        "Give a file or folder that pg_dump or pg_dumpall wrote.",
    )
