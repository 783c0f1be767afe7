"""A custom archive, which pg_restore reads: what makes some tables, and their rows.

It is written here and not by a server's pg_dump: that would need a server with the extensions that
the tables' types are of, and would write each value as it reads it. The format is that of
PostgreSQL's own writer (`pg_backup_archiver.c`, `pg_backup_custom.c`), in the version that every
pg_restore since 10 reads.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from forensics.evidence.archive.toc import CUSTOM, MAGIC, NO_DATA, POSITION_KNOWN, TABLE_DATA
from forensics.export.definitions import Definitions, Piece
from forensics.export.script import END, copy_statement
from forensics.model import Provenance, TableName

_VERSION = bytes((1, 13, 0))
_INTEGER, _OFFSET = 4, 8
_LEVEL = 6  # of zlib
_SECTIONS = {"none": 1, "pre-data": 2, "data": 3, "post-data": 4}
_ROWS = 1  # what a run of data begins with
_CHUNK = 1 << 20
_SETTINGS = (
    ("ENCODING", "SET client_encoding = 'UTF8';\n"),
    ("STDSTRINGS", "SET standard_conforming_strings = 'on';\n"),
    ("SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"),
)


@dataclass
class _Entry:
    """An entry of the table of contents."""

    dump_id: int
    kind: str
    name: TableName
    section: str
    sql: str = ""
    copy: str = ""
    needs: tuple[int, ...] = ()
    offset: int = 0


class Archive:
    """Writes a custom archive: the table of contents first, and again once places are known.

    Args:
        file: where it goes, empty.
        provenance: of the backup.
        definitions: what makes the tables.
        tables: those whose rows will come, each with their columns, in this order.
    """

    def __init__(
        self,
        file: IO[bytes],
        provenance: Provenance,
        definitions: Definitions,
        tables: Sequence[tuple[TableName, Sequence[str]]],
    ) -> None:
        self._file, self._provenance = file, provenance
        self._made = time.gmtime()
        self._entries: list[_Entry] = []
        for kind, sql in _SETTINGS:
            self._add(kind, TableName("", kind), "none", sql=sql)
        self._rows: dict[TableName, _Entry] = {}
        self._lay_out(definitions, tables)
        self._write_contents()
        self._packing = zlib.compressobj(_LEVEL)

    # --- the table of contents --------------------------------------------------------------------

    def _add(self, kind: str, name: TableName, section: str, sql: str = "") -> _Entry:
        entry = _Entry(len(self._entries) + 1, kind, name, section, sql)
        self._entries.append(entry)
        return entry

    def _lay_out(
        self, definitions: Definitions, tables: Sequence[tuple[TableName, Sequence[str]]]
    ) -> None:
        """Have an entry for each statement; each needs those before it, for `--jobs`."""
        last: tuple[int, ...] = ()
        for piece in _of(definitions, "pre-data"):
            last = (self._piece(piece, last).dump_id,)
        loaded = list(last)
        for name, columns in tables:
            entry = self._add(TABLE_DATA, name, "data")
            entry.copy, entry.needs = f"{copy_statement(name, columns)}\n", last
            self._rows[name] = entry
            loaded.append(entry.dump_id)
        for piece in _of(definitions, "data"):
            self._piece(piece, last)
        needs = tuple(loaded)
        for piece in _of(definitions, "post-data"):
            needs = (self._piece(piece, needs).dump_id,)

    def _piece(self, piece: Piece, needs: tuple[int, ...]) -> _Entry:
        sql = f"{piece.sql}\n"
        if piece.path:
            sql = f"{piece.path}\n{sql}"
        kind = piece.kind
        if kind == "TABLE CHANGE":
            kind = "DEFAULT"  # which is never taken for a table
        entry = self._add(kind, piece.name, piece.section, sql)
        entry.needs = needs
        return entry

    def _write_contents(self) -> None:
        self._file.seek(0)
        self._file.write(MAGIC + _VERSION + bytes((_INTEGER, _OFFSET, CUSTOM)))
        self._integer(_LEVEL)
        made = self._made
        for number in (made.tm_sec, made.tm_min, made.tm_hour, made.tm_mday, made.tm_mon - 1):
            self._integer(number)
        self._integer(made.tm_year - 1900)
        self._integer(0)
        said = self._provenance
        for text in (said.database or "", said.server_version or "", said.dump_version or ""):
            self._text(text)
        self._integer(len(self._entries))
        for entry in self._entries:
            self._entry(entry)

    def _entry(self, entry: _Entry) -> None:
        has_rows = bool(entry.copy)
        self._integer(entry.dump_id)
        self._integer(int(has_rows))
        for text in ("0", "0", entry.name.table, entry.kind):
            self._text(text)
        self._integer(_SECTIONS[entry.section])
        # Its definition, what drops it, its COPY, schema, tablespace, owner, and no row ids.
        for text in (entry.sql, "", entry.copy, entry.name.schema, "", "", "false"):
            self._text(text)
        for needed in entry.needs:
            self._text(str(needed))
        self._integer(-1)  # no more of them
        self._file.write(bytes((POSITION_KNOWN if has_rows else NO_DATA,)))
        self._file.write(entry.offset.to_bytes(_OFFSET, "little"))

    def _integer(self, number: int) -> None:
        self._file.write(bytes((int(number < 0),)) + abs(number).to_bytes(_INTEGER, "little"))

    def _text(self, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")
        self._integer(len(data))
        self._file.write(data)

    # --- rows -------------------------------------------------------------------------------------

    def begin_rows(self, name: TableName) -> int:
        """Begin a table's rows, and return where they stand."""
        entry = self._rows[name]
        entry.offset = self._file.tell()
        self._file.write(bytes((_ROWS,)))
        self._integer(entry.dump_id)
        return self.restart()

    def restart(self) -> int:
        """Begin the same rows once more where the file stands."""
        self._packing = zlib.compressobj(_LEVEL)
        return self._file.tell()

    def rows(self, lines: bytes) -> None:
        """Write lines."""
        for at in range(0, len(lines), _CHUNK):
            self._chunk(self._packing.compress(lines[at : at + _CHUNK]))

    def end_rows(self) -> None:
        """Write what ends rows."""
        self._chunk(self._packing.compress(END) + self._packing.flush())
        self._integer(0)

    def _chunk(self, data: bytes) -> None:
        if data:
            self._integer(len(data))
            self._file.write(data)

    def close(self) -> None:
        """Write the table of contents again, with the places of the rows."""
        self._write_contents()


def _of(definitions: Definitions, section: str) -> list[Piece]:
    return [piece for piece in definitions.pieces if piece.section == section]
