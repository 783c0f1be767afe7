"""The table of contents of a pg_dump archive: what its header and its entries say of the dump.

`toc_reader` reads one. Its terms are those of PostgreSQL's own reader (`pg_backup_archiver.c`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from struct import Struct
from typing import Any

from forensics.evidence import copytext
from forensics.model import TableName, quote_identifier

MAGIC = b"PGDMP"
CUSTOM, TAR, DIRECTORY = 1, 3, 5

# Where an entry's data are, in a custom archive.
POSITION_UNKNOWN, POSITION_KNOWN, NO_DATA = 1, 2, 3

# An integer is a sign byte and then 4 or 8 bytes, lowest first.
INTEGERS = {4: Struct("<BI"), 8: Struct("<BQ")}

TABLE_DATA = "TABLE DATA"
_LARGE_OBJECTS = ("BLOB", "BLOB METADATA")
# Catalogues whose entries do not bear a number that was counted up: none, and large objects.
_WITHOUT_ORDER = (0, 2613, 2995)
_NAMES_QUALIFIED = (1, 13)  # the version since which definitions need no search path

_NAME = r'(?:"(?:[^"]|"")*"|[^\s".(]+)'
_COPY = re.compile(
    rf"COPY\s+(?:(?P<schema>{_NAME})\.)?(?P<table>{_NAME})\s*"
    r"(?:\((?P<columns>(?:[^\")]|\"(?:[^\"]|\"\")*\")*)\))?"
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

HINT = (
    "Look for another copy of the backup; what stands before the damage can still be read from "
    "this one."
)


@dataclass(frozen=True)
class Header:
    """What an archive says of itself.

    `created` is the writer's local time: the archive names no zone, so it is taken for UTC and may
    be off by the writer's offset. `compression` is gzip, lz4, zstd, or None. `format` is CUSTOM,
    TAR or DIRECTORY (which says TAR).
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

    `data_state` and `offset` (bytes) are of custom archives, `filename` of directory and tar
    archives. `is_text`: whether the definition is in the archive's encoding.
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
    is_text: bool = True

    @cached_property
    def copy_target(self) -> tuple[TableName, tuple[str, ...] | None] | None:
        """The table that the entry's rows go to, and the columns that its COPY names (None: it
        names none).

        Under `--load-via-partition-root` that is not the table they were in. Without a COPY, as
        `--inserts` leaves it, the entry's own table and None. None altogether where the COPY is
        none that pg_dump writes.
        """
        if not self.copy_stmt:
            return TableName(self.namespace, self.tag), None
        match = _COPY.match(self.copy_stmt)
        if not match:
            return None
        # Before version 1.13 names stand bare, under a search path led by the entry's namespace.
        schema = self.namespace
        if match["schema"]:
            schema = copytext.known_columns(match["schema"])[0]
        target = TableName(schema, copytext.known_columns(match["table"])[0])
        if match["columns"] is None:
            return target, None
        columns = tuple(copytext.known_columns(match["columns"]))
        if match["oids"]:
            # Up to PostgreSQL 11: the row's oid comes before what the list names.
            return target, ("oid", *columns)
        return target, columns

    @property
    def ownership(self) -> str:
        """The statement that a plain dump writes where an archive keeps the owner beside the
        definition; "" where the entry has none."""
        if not self.owner or self.desc not in _OWNED:
            return ""
        name = TableName(self.namespace, self.tag).sql
        if self.desc == "SCHEMA":
            name = quote_identifier(self.tag)
        return f"ALTER {self.desc} {name} OWNER TO {quote_identifier(self.owner)};"


def quoted(statement: str) -> str | None:
    """Return what stands between the quotes of a SET, or None."""
    match = re.search(r"'([^']*)'", statement)
    return match[1] if match else None


@dataclass(frozen=True)
class Toc:
    """A table of contents: `end` is the position after its last byte, in the bytes it was read
    from."""

    header: Header
    entries: tuple[Entry, ...]
    end: int

    @cached_property
    def by_id(self) -> dict[int, Entry]:
        """The entries by dump id."""
        return {entry.dump_id: entry for entry in self.entries}

    @property
    def data_entries(self) -> tuple[Entry, ...]:
        """The entries that have data of their own in the archive: tables' rows, and large
        objects."""
        return tuple(entry for entry in self.entries if entry.had_dumper)

    @property
    def table_data(self) -> tuple[Entry, ...]:
        """The entries that hold tables' rows."""
        return tuple(entry for entry in self.entries if entry.desc == TABLE_DATA)

    def _setting(self, desc: str) -> str | None:
        for entry in self.entries:
            if entry.desc == desc:
                return quoted(entry.defn)
        return None

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
        return dict(sorted(Counter(entry.desc for entry in self.entries).items()))

    @property
    def large_objects(self) -> frozenset[int]:
        """The ids of the large objects that the archive holds."""
        found: set[int] = set()
        for entry in self.entries:
            if entry.desc in _LARGE_OBJECTS:
                # Up to 1.15 each has an entry; since 1.16 an entry lists the ids of several, one
                # a line.
                listed = entry.defn
                if entry.desc == "BLOB":
                    listed = entry.tag
                found.update(int(word) for word in listed.split() if word.isdigit())
        return frozenset(found)

    @property
    def object_ids(self) -> dict[str, Any] | None:
        """`Source.object_ids`; large objects may bear any number and say nothing."""
        tables = []
        highest = 0
        for entry in self.entries:
            if entry.desc == TABLE_DATA or entry.table_oid not in _WITHOUT_ORDER:
                highest = max(highest, entry.oid)
            if entry.desc in ("TABLE", TABLE_DATA):
                tables.append({"schema": entry.namespace, "table": entry.tag, "oid": entry.oid})
        if not highest:
            return None
        return {"tables": tables, "highest": highest}

    def statements(self) -> Iterator[str]:
        """Yield the definitions that make up a catalogue, in the archive's order."""
        path = ""
        for entry in self.entries:
            if entry.desc not in _DEFINING or not entry.defn:
                continue
            if self.header.version < _NAMES_QUALIFIED and entry.namespace not in ("", path):
                path = entry.namespace
                yield f"SET search_path = {quote_identifier(path)}, pg_catalog;"
            yield entry.defn
            if entry.ownership:
                yield entry.ownership
