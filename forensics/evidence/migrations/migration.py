"""A migration of a folder: its file, and what the tools that could have run it call it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from forensics.evidence.migrations.entries import HistoryEntry
from forensics.evidence.migrations.shapes import Part
from forensics.evidence.migrations.statements import Statement, read_statements
from forensics.evidence.migrations.tools import TOOLS


def _any_of(marks: Iterable[str], more: bytes = b"") -> re.Pattern[bytes]:
    """A comment with one of some marks, whatever blanks stand in it."""
    patterns = []
    for mark in marks:
        words = map(re.escape, mark.encode("ascii").split())
        patterns.append(rb"\s+".join(words))
    return re.compile(rb"^--\s*(?:" + b"|".join(patterns) + rb")\b" + more, re.M | re.S | re.I)


_UP = _any_of(tool.marks.up for tool in TOOLS if tool.marks)
_DOWN_AND_BELOW = _any_of((tool.marks.down for tool in TOOLS if tool.marks), b".*")


@dataclass(frozen=True)
class Migration:
    """One migration of a folder. `text` is the whole file, `applied` what of it runs forward."""

    name: str
    path: Path
    text: bytes
    created_at: int | None = None  # milliseconds since 1970, where Drizzle says it
    part: Part | None = None  # where the file says which migration it holds, or holds several

    @property
    def takes_back(self) -> str | None:
        """The migration that this one takes back, as the history calls it."""
        return self.part.back if self.part else None

    @property
    def marked(self) -> bool:
        """Whether the file holds both ways, between marks."""
        return _UP.search(self.text) is not None

    @property
    def applied(self) -> bytes:
        """The forward part: without what stands below the mark of dbmate, goose or sql-migrate.

        Of a file that holds several migrations, this one's. Lines keep their numbers.
        """
        text = self._sql
        if self.part:
            lines = text.count(b"\n", 0, self.part.start)
            text = b"\n" * lines + text[self.part.start : self.part.end]
        if self.marked:
            return _DOWN_AND_BELOW.sub(b"", text)
        return text

    @property
    def _sql(self) -> bytes:
        """The text, or the SQL that it says in another form."""
        for tool in TOOLS:
            if tool.as_sql and (sql := tool.as_sql(self.text, self.path)) is not None:
                return sql
        return self.text

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The forward statements, those that the parser does not know included.

        Raises:
            MigrationError: the file is no SQL; the message has file, line and column.
        """
        return read_statements(self.applied, str(self.path))

    @cached_property
    def checksums(self) -> frozenset[str]:
        """What any tool may have noted of the file as it is, with LF and with CRLF line ends."""
        unix = self.text.replace(b"\r\n", b"\n")
        kinds = {tool.checksum for tool in TOOLS if tool.checksum}
        found = set()
        for text in {self.text, unix, unix.replace(b"\n", b"\r\n")}:
            for checksum in kinds:
                found.add(checksum(text, self.path))
        return frozenset(found)

    @property
    def version(self) -> str:
        """What tools that number migrations call it: what stands before the first underscore."""
        for tool in TOOLS:
            if tool.version and (version := tool.version(self.name, self.path)) is not None:
                return version
        return re.split(r"[_\-.]", self.name, maxsplit=1)[0]

    @property
    def order(self) -> tuple[int, ...] | None:
        """The version of one of Flyway's versioned migrations, as numbers; None for all others."""
        for tool in TOOLS:
            if tool.order and (order := tool.order(self.path)) is not None:
                return order
        return None


def kept_by(entry: HistoryEntry, name: str) -> Migration | None:
    """What the history itself keeps of a migration that ran; None where it keeps no SQL."""
    if not entry.sql:
        return None
    return Migration(name, Path(str(entry.table)), entry.sql.encode("utf-8"))
