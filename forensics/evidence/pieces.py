"""A dump from its beginning to its end: statements and rows, in its order, in UTF-8."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from forensics.evidence.source import Segment
from forensics.model import TableName


@dataclass(frozen=True)
class Words:
    """The writer's own comments, whole lines."""

    text: str


@dataclass(frozen=True)
class Connecting:
    """What follows is of another database."""

    database: str


@dataclass(frozen=True)
class Saying:
    """One statement or several, rows left out.

    Attributes:
        sql: their text.
        standard_strings: the setting `standard_conforming_strings` in force there.
    """

    sql: str
    standard_strings: bool = True


@dataclass(frozen=True)
class Copying:
    """Rows that COPY reads, with the columns of the segment."""

    table: TableName
    segment: Segment


@dataclass(frozen=True)
class Inserting:
    """Rows that are in INSERTs.

    Attributes:
        table: whose they are.
        statements: gives runs of whole statements; raises BackupError where they break off.
        standard_strings: the setting `standard_conforming_strings` in force there.
    """

    table: TableName
    statements: Callable[[], Iterator[bytes]]
    standard_strings: bool = True


@dataclass(frozen=True)
class Lacking:
    """What belongs into the dump and cannot be given, in words."""

    words: str


Piece = Words | Connecting | Saying | Copying | Inserting | Lacking
