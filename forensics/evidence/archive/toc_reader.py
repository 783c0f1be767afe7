"""Reads the table of contents of a pg_dump archive, without touching the data.

Source of the format: PostgreSQL's own reader and writer (`pg_backup_archiver.c`), versions 1.10 to
1.16, which are those of PostgreSQL 8.4 to 18. An integer is a sign byte and then `int_size` bytes,
lowest first. A string is its length and its bytes, in the encoding of the dump; length -1 is no
string at all. Nothing has a checksum, so every field is held against what a writer can have
written: a length past the end, a section that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from forensics.errors import BackupError, DamagedBackupError, EmptyBackupError
from forensics.evidence.archive.toc import (
    CUSTOM,
    DIRECTORY,
    HINT,
    INTEGERS,
    MAGIC,
    NO_DATA,
    POSITION_KNOWN,
    POSITION_UNKNOWN,
    TABLE_DATA,
    TAR,
    Entry,
    Header,
    Toc,
    quoted,
)
from forensics.evidence.encodings import transcoder

OLDEST, NEWEST = (1, 10), (1, 16)

_COMPRESSIONS = (None, "gzip", "lz4", "zstd")
_SECTIONS = range(1, 5)  # none, pre-data, data, post-data
_LEVELS = range(-1, 10)
_RELKINDS = range(128)
_CHUNK = 1 << 18
_LONGEST_STRING = 1 << 28
_LONGEST_NUMBER = 10  # digits
_LEAST_ENTRY = 60  # bytes that the fields of an entry take when every string is empty
_SENSELESS = "an entry of its table of contents makes no sense"


def read_toc(read: Callable[[int, int], bytes], start: int, end: int, path: object) -> Toc:
    """Read an archive's header and entries.

    Args:
        read: `read(size, position)` returns up to `size` bytes from `position` on, as `read_at`
            does.
        start: the position of the header.
        end: where the file, or the member that holds the table of contents, ends.
        path: the archive, for messages.

    Raises:
        BackupError: it is no archive, or of a version that is not read.
        DamagedBackupError: it is one, and its table of contents is cut off or corrupt; the message
            names the byte.
    """
    cursor = _Cursor(read, start, end, path)
    if cursor.left < len(MAGIC) or cursor.take(len(MAGIC)) != MAGIC:
        raise EmptyBackupError(
            f"{path} is no archive of pg_dump.", "Give a file or folder that pg_dump wrote."
        )
    header = _read_header(cursor, path)
    count = cursor.integer()
    if not 0 <= count <= cursor.left // _LEAST_ENTRY:
        raise cursor.damaged(f"its table of contents claims {count} entries")
    raw = [_read_entry(cursor, header) for _ in range(count)]
    entries = _decoded(raw, path)
    if len({entry.dump_id for entry in entries}) < len(entries):
        raise cursor.damaged("two entries of its table of contents have the same number")
    return Toc(header, entries, cursor.position)


class _Cursor:
    """Walks over bytes that are fetched as they are needed.

    Args:
        read: `read(size, position)` returns up to `size` bytes from `position` on.
        start, end: where to begin, and where the file ends.
        path: for messages.
    """

    def __init__(
        self, read: Callable[[int, int], bytes], start: int, end: int, path: object
    ) -> None:
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
        self._integer = INTEGERS[size]

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
        layout, at = self._integer, self._at
        begin = at + layout.size
        if begin <= len(self._buffer):  # as it is nearly always: there are thirteen an entry
            sign, size = layout.unpack_from(self._buffer, at)
            if not sign and begin + size <= len(self._buffer) and size <= _LONGEST_STRING:
                self._at = begin + size
                return self._buffer[begin : begin + size]
        size = self.integer()
        if size <= 0:
            if size < -1:
                raise self.damaged("a string has a negative length")
            return b"" if size == 0 else None
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
        if not _is_number(digits):
            raise self.damaged("a number is not made of digits")
        return int(digits)


def _is_number(digits: bytes) -> bool:
    return digits.isdigit() and len(digits) <= _LONGEST_NUMBER


# --- the header ---------------------------------------------------------------------------------


def _read_header(cursor: _Cursor, path: object) -> Header:
    major, minor, revision = cursor.byte(), cursor.byte(), cursor.byte()
    if not OLDEST <= (major, minor) <= NEWEST:
        raise BackupError(
            f"{path} is an archive of version {major}.{minor}; "
            "versions 1.10 to 1.16 (PostgreSQL 8.4 to 18) are read.",
            "Make it a plain dump with the pg_restore that belongs to its pg_dump: "
            "pg_restore -f dump.sql ARCHIVE",
        )
    int_size, offset_size, kind = cursor.byte(), cursor.byte(), cursor.byte()
    if int_size not in (4, 8) or offset_size not in (4, 8) or kind not in (CUSTOM, TAR, DIRECTORY):
        raise cursor.damaged("its header gives sizes or a format that do not exist")
    cursor.int_size = int_size
    return Header(
        version=(major, minor, revision),
        int_size=int_size,
        offset_size=offset_size,
        format=kind,
        compression=_read_compression(cursor, (major, minor)),
        created=_read_time(cursor),
        database=_lenient(cursor.text()),
        server_version=_lenient(cursor.text()),
        dump_version=_lenient(cursor.text()),
    )


def _read_compression(cursor: _Cursor, version: tuple[int, int]) -> str | None:
    if version >= (1, 15):
        algorithm = cursor.byte()
        if algorithm >= len(_COMPRESSIONS):
            raise cursor.damaged("its header names a compression that does not exist")
        return _COMPRESSIONS[algorithm]
    level = cursor.integer()
    if level not in _LEVELS:
        raise cursor.damaged("its header gives a compression level that does not exist")
    return "gzip" if level else None


def _read_time(cursor: _Cursor) -> datetime | None:
    second, minute, hour, day, month, year, _ = (cursor.integer() for _ in range(7))
    try:
        return datetime(year + 1900, month + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _lenient(text: bytes | None) -> str | None:
    if text is None:
        return None
    return text.decode("utf-8", "replace")


# --- the entries --------------------------------------------------------------------------------


@dataclass
class _Raw:
    """An entry whose text is not decoded yet: the entry that names the encoding is one of them.

    `position` is where it stands in the archive.
    """

    position: int
    dump_id: int
    had_dumper: bool
    table_oid: int
    oid: int
    section: int
    tag: bytes | None
    desc: bytes
    defn: bytes | None
    drop_stmt: bytes | None
    copy_stmt: bytes | None
    namespace: bytes | None
    tablespace: bytes | None
    tableam: bytes | None
    relkind: int
    owner: bytes | None
    with_oids: bool
    dependencies: tuple[int, ...]
    data_state: int = NO_DATA
    offset: int = 0
    filename: bytes | None = None


def _read_entry(cursor: _Cursor, header: Header) -> _Raw:
    position = cursor.position
    dump_id, had_dumper = cursor.integer(), cursor.integer()
    table_oid, oid = cursor.number(), cursor.number()
    tag, desc = cursor.text(), cursor.text()
    section = _SECTIONS[0]
    if header.version >= (1, 11):
        section = cursor.integer()
    if dump_id <= 0 or had_dumper not in (0, 1) or section not in _SECTIONS or not desc:
        raise cursor.damaged(_SENSELESS)
    # In the order of the file, and so are the fields below.
    defn, drop_stmt, copy_stmt = cursor.text(), cursor.text(), cursor.text()
    namespace, tablespace = cursor.text(), cursor.text()
    tableam = cursor.text() if header.version >= (1, 14) else None
    relkind = cursor.integer() if header.version >= (1, 16) else 0
    owner, with_oids = cursor.text(), cursor.text()
    if with_oids not in (b"true", b"false") or relkind not in _RELKINDS:
        raise cursor.damaged(_SENSELESS)
    if copy_stmt and desc != TABLE_DATA.encode():
        raise cursor.damaged(_SENSELESS)
    found = _Raw(
        position=position,
        dump_id=dump_id,
        had_dumper=bool(had_dumper),
        table_oid=table_oid,
        oid=oid,
        section=section,
        tag=tag,
        desc=desc,
        defn=defn,
        drop_stmt=drop_stmt,
        copy_stmt=copy_stmt,
        namespace=namespace,
        tablespace=tablespace,
        tableam=tableam,
        relkind=relkind,
        owner=owner,
        with_oids=with_oids == b"true",
        dependencies=_read_dependencies(cursor),
    )
    _read_place(cursor, header, found)
    return found


def _read_dependencies(cursor: _Cursor) -> tuple[int, ...]:
    found = []
    while (dependency := cursor.text()) is not None:
        if not _is_number(dependency):
            raise cursor.damaged("an entry depends on what is no number")
        found.append(int(dependency))
    return tuple(found)


def _read_place(cursor: _Cursor, header: Header, entry: _Raw) -> None:
    """Read where an entry's data are, as the archive's form says it."""
    if header.format != CUSTOM:
        entry.filename = cursor.text()
        return
    entry.data_state = cursor.byte()
    if entry.data_state not in (POSITION_UNKNOWN, POSITION_KNOWN, NO_DATA):
        raise cursor.damaged("an entry's data are in a state that does not exist")
    entry.offset = int.from_bytes(cursor.take(header.offset_size), "little")


def _decoded(raw: Sequence[_Raw], path: object) -> tuple[Entry, ...]:
    convert = transcoder(_encoding_of(raw))

    def decode(text: bytes | None, errors: str = "strict") -> str:
        if not text:
            return ""
        if convert:
            text = convert(text)
        return text.decode("utf-8", errors)

    entries = []
    for one in raw:
        try:
            entries.append(_entry(one, decode))
        except (UnicodeDecodeError, BackupError) as error:
            raise DamagedBackupError(
                f"{path} is corrupt: an entry of its table of contents, at byte {one.position}, "
                "has a name that is not in the dump's encoding.",
                HINT,
            ) from error
    return tuple(entries)


def _encoding_of(raw: Sequence[_Raw]) -> str | None:
    for one in raw:
        if one.desc == b"ENCODING":
            return quoted((one.defn or b"").decode("ascii", "replace"))
    return None


def _is_text(definition: bytes | None, decode: Callable[..., str]) -> bool:
    try:
        decode(definition)
    except (UnicodeDecodeError, BackupError):
        return False
    return True


def _entry(raw: _Raw, decode: Callable[..., str]) -> Entry:
    return Entry(
        dump_id=raw.dump_id,
        had_dumper=raw.had_dumper,
        table_oid=raw.table_oid,
        oid=raw.oid,
        tag=decode(raw.tag),
        desc=decode(raw.desc),
        section=raw.section,
        # A definition with a broken character still says most of it; a name would be another name.
        defn=decode(raw.defn, "replace"),
        drop_stmt=decode(raw.drop_stmt, "replace"),
        copy_stmt=decode(raw.copy_stmt),
        namespace=decode(raw.namespace),
        tablespace=decode(raw.tablespace),
        tableam=decode(raw.tableam),
        relkind=chr(raw.relkind) if raw.relkind else "",
        is_text=_is_text(raw.defn, decode),
        owner=decode(raw.owner),
        with_oids=raw.with_oids,
        dependencies=raw.dependencies,
        data_state=raw.data_state,
        offset=raw.offset,
        filename=decode(raw.filename) or None,
    )
