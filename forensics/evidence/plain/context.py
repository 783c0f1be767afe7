"""What is in force where a scanner stands in a plain dump: settings, the database, the heading."""

from __future__ import annotations

from dataclasses import dataclass

from forensics.evidence.encodings import readable
from forensics.evidence.files import PlainFile
from forensics.evidence.names import folded_parts
from forensics.evidence.plain.copyforms import CopyForm, read_copy
from forensics.evidence.plain.index import Data
from forensics.model import TableName

PUBLIC = "public"


@dataclass
class Context:
    """What is in force, which every `SET`, `\\connect` and heading changes.

    Attributes:
        heading: the table that the last heading of rows names.
        within: the same, until another object's heading comes.
        fresh: whether no COPY has followed that heading yet.
        part: how many dumps have begun in the file so far.
    """

    file: PlainFile
    database: str | None = None
    encoding: str | None = None
    standard_strings: bool = True
    search_path: str = PUBLIC
    heading: TableName | None = None
    within: TableName | None = None
    fresh: bool = False
    part: int = 0

    def said(self, text: bytes) -> str:
        """Return text for reading."""
        return readable(text, self.file.transcoder(self.encoding))

    def table(self, text: bytes) -> TableName:
        """Return the table that a name means."""
        parts = folded_parts(self.said(text))
        if len(parts) > 1:
            return TableName(parts[-2], parts[-1])
        return TableName(self.search_path, parts[-1])

    def copy(self, statement: bytes) -> CopyForm | None:
        """Read a COPY statement in whatever form; None where it is none that brings rows in."""
        return read_copy(self.said(statement), self.search_path)

    def announce(self, table: TableName) -> None:
        """Take in the heading of a table's rows."""
        self.heading = self.within = table
        self.fresh = True

    def leave(self) -> None:
        """Take in the heading of something else."""
        self.within = None
        self.fresh = False

    def enter(self, database: str) -> None:
        """Go over to another database."""
        self.database = database
        self.search_path = PUBLIC

    def run(self, table: TableName, start: int, end: int) -> Data:
        """Return a run of rows that stands here."""
        return Data(
            table,
            None,
            start,
            end,
            database=self.database,
            written_for=self.heading,
            encoding=self.encoding,
            standard_strings=self.standard_strings,
            part=self.part,
        )
