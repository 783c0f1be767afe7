"""The table of contents of a pg_dump archive: what its header and its entries say, read without touching the data.

Source of the format: PostgreSQL's own reader and writer (`pg_backup_archiver.c`), versions 1.10 to 1.16, which are
those of PostgreSQL 8.4 to 18. An integer is a sign byte and then `int_size` bytes, lowest first. A string is its
length and its bytes, in the encoding of the dump; length -1 is no string at all. Nothing has a checksum, so every
field is held against what a writer can have written: a length past the end, a section that does not exist.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from struct import Struct

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import copytext
from forensics.evidence.encodings import transcoder
from forensics.model import TableName, quote_identifier

MAGIC = b"PGDMP"
OLDEST, NEWEST = (1, 10), (1, 16)
CUSTOM, TAR, DIRECTORY = 1, 3, 5

# Where an entry's data are, in a custom archive.
POSITION_UNKNOWN, POSITION_KNOWN, NO_DATA = 1, 2, 3

TABLE_DATA = "TABLE DATA"
_LARGE_OBJECTS = ("BLOB", "BLOB METADATA")
_COMPRESSIONS = (None, "gzip", "lz4", "zstd")
_SECTIONS = range(1, 5)  # none, pre-data, data, post-data
_CHUNK = 1 << 18
_LONGEST_STRING = 1 << 28
_LEAST_ENTRY = 60  # bytes that the fields of an entry take when every string is empty

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_COPY = re.compile(
    rf"COPY\s+(?:(?P<schema>{_NAME})\.)?(?P<table>{_NAME})\s*(?:\((?P<columns>(?:[^\")]|\"(?:[^\"]|\"\")*\")*)\))?"
    r"\s*(?P<oids>WITH\s+OIDS\s+)?FROM\s+stdin;\s*\Z",
    re.I,
)
# What a table is made from; functions and the like are left where they are.
_DEFINING = frozenset(
    {
        "EXTENSION",
        "TYPE",
        "DOMAIN",
        "TABLE",
        "FOREIGN TABLE",
        "MATERIALIZED VIEW",
        "SEQUENCE",
        "SEQUENCE OWNED BY",
        "SEQUENCE SET",
        "DEFAULT",
        "CONSTRAINT",
        "CHECK CONSTRAINT",
        "FK CONSTRAINT",
        "INDEX",
        "INDEX ATTACH",
        "TABLE ATTACH",
        "ROW SECURITY",
        "COMMENT",
        "SCHEMA",
        "TRIGGER",
        "POLICY",
        "RULE",
        "STATISTICS",
        "ACL",
        "VIEW",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "SHELL TYPE",
        "CAST",
        "OPERATOR",
        "COLLATION",
    }
)
_OWNED = frozenset({"TABLE", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA"})

HINT = "Look for another copy of the backup; what stands before the damage can still be read from this one."


@dataclass(frozen=True)
class Header:
    """What an archive says of itself.

    `created` is the writer's local time: the archive names no zone, so it is taken for UTC and may be off by the
    writer's offset. `compression` is gzip, lz4, zstd, or None. `format` is CUSTOM, TAR or DIRECTORY (which says TAR).
    """

    version: tuple[int, int, int]
    int_size: int
    offset_size: int
    format: int
    compression: str | None
    created: datetime | None
    database: str | None
    server_version: str | None
    dump_version: str | None


@dataclass(frozen=True)
class Entry:
    """One object of the dump, its fields named as PostgreSQL's `TocEntry` names them.

    `data_state` and `offset` (bytes) are of custom archives, `filename` of directory and tar archives.
    """

    dump_id: int
    had_dumper: bool
    table_oid: int
    oid: int
    tag: str
    desc: str
    section: int
    defn: str
    drop_stmt: str
    copy_stmt: str
    namespace: str
    tablespace: str
    tableam: str
    relkind: str
    owner: str
    with_oids: bool
    dependencies: tuple[int, ...]
    data_state: int = NO_DATA
    offset: int = 0
    filename: str | None = None

    @property
    def copy_target(self) -> tuple[TableName, tuple[str, ...] | None] | None:
        """The table that the entry's rows go to, and the columns that its COPY names (None: it names none).

        Under `--load-via-partition-root` that is not the table they were in. Without a COPY, as `--inserts` leaves
        it, the entry's own table and None. None altogether where the COPY is none that pg_dump writes.
        """
        own = TableName(self.namespace, self.tag)
        if not self.copy_stmt:
            return own, None
        match = _COPY.match(self.copy_stmt)
        if not match:
            return None
        # Before version 1.13 names stand bare, under a search path that the entry's namespace leads.
        schema = copytext.known_columns(match["schema"])[0] if match["schema"] else self.namespace
        target = TableName(schema, copytext.known_columns(match["table"])[0])
        if match["columns"] is None:
            return target, None
        # WITH OIDS, up to PostgreSQL 11, puts the row's oid before what the list names.
        return target, (
            *(("oid",) if match["oids"] else ()),
            *copytext.known_columns(match["columns"]),
        )


@dataclass(frozen=True)
class Toc:
    """A table of contents: `end` is the position after its last byte, in the bytes it was read from."""

    header: Header
    entries: tuple[Entry, ...]
    end: int

    @cached_property
    def by_id(self) -> dict[int, Entry]:
        """The entries by dump id."""
        return {e.dump_id: e for e in self.entries}

    @property
    def data_entries(self) -> tuple[Entry, ...]:
        """The entries that have data of their own in the archive: tables' rows, and large objects."""
        return tuple(e for e in self.entries if e.had_dumper)

    @property
    def table_data(self) -> tuple[Entry, ...]:
        """The entries that hold tables' rows."""
        return tuple(e for e in self.entries if e.desc == TABLE_DATA)

    def _setting(self, desc: str) -> str | None:
        text = next((e.defn for e in self.entries if e.desc == desc), "")
        match = re.search(r"'([^']*)'", text)
        return match[1] if match else None

    @cached_property
    def encoding(self) -> str | None:
        """The encoding of all the archive's text, as PostgreSQL names it."""
        return self._setting("ENCODING")

    @cached_property
    def standard_strings(self) -> bool:
        """Whether `standard_conforming_strings` is on for the archive's statements."""
        return self._setting("STDSTRINGS") != "off"

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many entries there are of each kind, by `desc`."""
        return dict(sorted(Counter(e.desc for e in self.entries).items()))

    @property
    def large_objects(self) -> frozenset[int]:
        """The ids of the large objects that the archive holds."""
        # Up to 1.15 each has an entry; since 1.16 an entry lists the ids of several, one a line.
        listed = (
            e.tag if e.desc == "BLOB" else e.defn for e in self.entries if e.desc in _LARGE_OBJECTS
        )
        return frozenset(int(i) for text in listed for i in text.split() if i.isdigit())

    def statements(self) -> Iterator[str]:
        """Yield the definitions that make up a catalogue, in the archive's order."""
        path = ""
        for entry in self.entries:
            if entry.desc not in _DEFINING or not entry.defn:
                continue
            if self.header.version < (1, 13) and entry.namespace and entry.namespace != path:
                path = entry.namespace
                yield f"SET search_path = {quote_identifier(path)}, pg_catalog;"
            yield entry.defn
            if entry.owner and entry.desc in _OWNED:
                # An archive keeps the owner beside the definition; a plain dump writes this statement.
                name = (
                    TableName(entry.namespace, entry.tag).sql
                    if entry.desc != "SCHEMA"
                    else quote_identifier(entry.tag)
                )
                yield f"ALTER {entry.desc} {name} OWNER TO {quote_identifier(entry.owner)};"


class _Cursor:
    """Walks over bytes that are fetched as they are needed.

    Args:
        read: `read(size, position)` returns up to `size` bytes from `position` on.
        start, end: where to begin, and where the file ends.
        path: for messages.
    """

    def __init__(self, read: Callable[[int, int], bytes], start: int, end: int, path: Path) -> None:
        self._read = read
        self._end = end
        self._path = path
        self._buffer = b""
        self._base = start  # the position of the buffer's first byte
        self._at = 0
        self.int_size = 4

    @property
    def position(self) -> int:
        return self._base + self._at

    @property
    def left(self) -> int:
        return self._end - self.position

    @property
    def int_size(self) -> int:
        return self._integer.size - 1

    @int_size.setter
    def int_size(self, size: int) -> None:
        self._integer = Struct("<BI" if size == 4 else "<BQ")

    def damaged(self, what: str) -> DamagedBackupError:
        return DamagedBackupError(
            f"{self._path} is cut off or corrupt: {what}, at byte {self.position}.", HINT
        )

    def _need(self, size: int) -> None:
        """See to it that the buffer holds `size` bytes from here on."""
        if self._at + size <= len(self._buffer):
            return
        if size > self.left:
            raise self.damaged("its table of contents has no end")
        self._base, self._buffer, self._at = self.position, self._buffer[self._at :], 0
        missing = max(size, min(_CHUNK, self.left)) - len(self._buffer)
        self._buffer += self._read(missing, self._base + len(self._buffer))
        if size > len(self._buffer):
            raise self.damaged("its table of contents has no end")

    def take(self, size: int) -> bytes:
        self._need(size)
        self._at += size
        return self._buffer[self._at - size : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def integer(self) -> int:
        size = self._integer.size
        if self._at + size > len(self._buffer):
            self._need(size)
        sign, value = self._integer.unpack_from(self._buffer, self._at)
        if sign > 1:
            raise self.damaged("an integer's sign is neither plus nor minus")
        self._at += size
        return -value if sign else int(value)

    def text(self) -> bytes | None:
        size = self.integer()
        if size <= 0:
            if size < -1:
                raise self.damaged("a string has a negative length")
            return None if size else b""
        if size > _LONGEST_STRING:
            raise self.damaged(f"a string claims {size} bytes")
        stop = self._at + size
        if stop > len(self._buffer):
            return self.take(size)
        self._at = stop
        return self._buffer[stop - size : stop]

    def number(self) -> int:
        """An unsigned number that is written as a string."""
        digits = self.text() or b""
        if not digits.isdigit() or len(digits) > 10:
            raise self.damaged("a number is not made of digits")
        return int(digits)


def read_toc(read: Callable[[int, int], bytes], start: int, end: int, path: Path) -> Toc:
    """Read an archive's header and entries.

    Args:
        read: `read(size, position)` returns up to `size` bytes from `position` on, like `os.pread` without its file.
        start: the position of the header.
        end: where the file, or the member that holds the table of contents, ends.
        path: the archive, for messages.

    Raises:
        BackupError: it is no archive, or of a version that is not read.
        DamagedBackupError: it is one, and its table of contents is cut off or corrupt; the message names the byte.
    """
    cursor = _Cursor(read, start, end, path)
    if cursor.left < len(MAGIC) or cursor.take(len(MAGIC)) != MAGIC:
        raise BackupError(
            f"{path} is no archive of pg_dump.", "Give a file or folder that pg_dump wrote."
        )
    header = _read_header(cursor, path)
    count = cursor.integer()
    if not 0 <= count <= cursor.left // _LEAST_ENTRY:
        raise cursor.damaged(f"its table of contents claims {count} entries")
    raw = [_read_entry(cursor, header) for _ in range(count)]
    entries = _decoded(raw, path)
    if len({e.dump_id for e in entries}) < len(entries):
        raise cursor.damaged("two entries of its table of contents have the same number")
    return Toc(header, entries, cursor.position)


def _read_header(cursor: _Cursor, path: Path) -> Header:
    major, minor, revision = cursor.byte(), cursor.byte(), cursor.byte()
    if not OLDEST <= (major, minor) <= NEWEST:
        raise BackupError(
            f"{path} is an archive of version {major}.{minor}; versions 1.10 to 1.16 (PostgreSQL 8.4 to 18) are read.",
            "Make it a plain dump with the pg_restore that belongs to its pg_dump: pg_restore -f dump.sql ARCHIVE",
        )
    int_size, offset_size, kind = cursor.byte(), cursor.byte(), cursor.byte()
    if int_size not in (4, 8) or offset_size not in (4, 8) or kind not in (CUSTOM, TAR, DIRECTORY):
        raise cursor.damaged("its header gives sizes or a format that do not exist")
    cursor.int_size = int_size
    if (major, minor) >= (1, 15):
        algorithm = cursor.byte()
        if algorithm >= len(_COMPRESSIONS):
            raise cursor.damaged("its header names a compression that does not exist")
        compression = _COMPRESSIONS[algorithm]
    else:
        level = cursor.integer()
        if not -1 <= level <= 9:
            raise cursor.damaged("its header gives a compression level that does not exist")
        compression = "gzip" if level else None
    second, minute, hour, day, month, year, _ = (cursor.integer() for _ in range(7))
    try:
        created = datetime(year + 1900, month + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        created = None
    database, server, dump = (cursor.text() for _ in range(3))
    return Header(
        (major, minor, revision),
        int_size,
        offset_size,
        kind,
        compression,
        created,
        _lenient(database),
        _lenient(server),
        _lenient(dump),
    )


@dataclass
class _Raw:
    """An entry whose text is not decoded yet: the entry that names the encoding is one of them."""

    numbers: tuple[int, bool, int, int, int]
    texts: tuple[bytes | None, ...]
    relkind: int
    owner: bytes | None
    with_oids: bool
    dependencies: tuple[int, ...]
    data: tuple[int, int, bytes | None]
    position: int


def _read_entry(cursor: _Cursor, header: Header) -> _Raw:
    position = cursor.position
    dump_id, had_dumper = cursor.integer(), cursor.integer()
    table_oid, oid = cursor.number(), cursor.number()
    tag, desc = cursor.text(), cursor.text()
    section = cursor.integer() if header.version >= (1, 11) else 1
    if dump_id <= 0 or had_dumper not in (0, 1) or section not in _SECTIONS or not desc:
        raise cursor.damaged("an entry of its table of contents makes no sense")
    defn, drop_stmt, copy_stmt, namespace, tablespace = (cursor.text() for _ in range(5))
    tableam = cursor.text() if header.version >= (1, 14) else None
    relkind = cursor.integer() if header.version >= (1, 16) else 0
    owner = cursor.text()
    with_oids = cursor.text()
    if (
        with_oids not in (b"true", b"false")
        or not 0 <= relkind < 128
        or (copy_stmt and desc != TABLE_DATA.encode())
    ):
        raise cursor.damaged("an entry of its table of contents makes no sense")
    dependencies = []
    while (dependency := cursor.text()) is not None:
        if not dependency.isdigit() or len(dependency) > 10:
            raise cursor.damaged("an entry depends on what is no number")
        dependencies.append(int(dependency))
    state, offset, filename = NO_DATA, 0, None
    if header.format == CUSTOM:
        state = cursor.byte()
        if state not in (POSITION_UNKNOWN, POSITION_KNOWN, NO_DATA):
            raise cursor.damaged("an entry's data are in a state that does not exist")
        offset = int.from_bytes(cursor.take(header.offset_size), "little")
    else:
        filename = cursor.text()
    return _Raw(
        (dump_id, bool(had_dumper), table_oid, oid, section),
        (tag, desc, defn, drop_stmt, copy_stmt, namespace, tablespace, tableam),
        relkind,
        owner,
        with_oids == b"true",
        tuple(dependencies),
        (state, offset, filename),
        position,
    )


def _lenient(text: bytes | None) -> str | None:
    return text.decode("utf-8", "replace") if text is not None else None


def _decoded(raw: list[_Raw], path: Path) -> tuple[Entry, ...]:
    setting = next((r.texts[2] or b"" for r in raw if r.texts[1] == b"ENCODING"), b"")
    match = re.search(rb"'([^']*)'", setting)
    convert = transcoder(match[1].decode("ascii", "replace") if match else None)

    def decode(text: bytes | None, errors: str = "strict") -> str:
        if not text:
            return ""
        return (convert(text) if convert else text).decode("utf-8", errors)

    entries = []
    for one in raw:
        dump_id, had_dumper, table_oid, oid, section = one.numbers
        tag, desc, defn, drop_stmt, copy_stmt, namespace, tablespace, tableam = one.texts
        state, offset, filename = one.data
        try:
            entries.append(
                Entry(
                    dump_id,
                    had_dumper,
                    table_oid,
                    oid,
                    decode(tag),
                    decode(desc),
                    section,
                    # A definition with a broken character still says most of it; a name would be another name.
                    decode(defn, "replace"),
                    decode(drop_stmt, "replace"),
                    decode(copy_stmt),
                    decode(namespace),
                    decode(tablespace),
                    decode(tableam),
                    chr(one.relkind) if one.relkind else "",
                    decode(one.owner),
                    one.with_oids,
                    one.dependencies,
                    state,
                    offset,
                    decode(filename) or None,
                )
            )
        except (UnicodeDecodeError, BackupError) as error:
            raise DamagedBackupError(
                f"{path} is corrupt: an entry of its table of contents, at byte {one.position}, has a name that is "
                "not in the dump's encoding.",
                HINT,
            ) from error
    return tuple(entries)
