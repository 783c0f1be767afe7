"""A rewritten migration, and what it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.evidence.migrations import Migration
from forensics.model import TableName


@dataclass(frozen=True)
class Kept:
    """Something that the original destroys and the safer migration keeps.

    Attributes:
        what: in words.
        line: the line of the statement in the original.
        table: the table that it is taken from.
        archive: where it is kept.
        columns: the columns that are kept.
        after: a query for how much of it is kept afterwards.
        key: with values of a column, the columns that tell which row they are of.
        wanted: a query, asked afterwards, for how much has to be there; None where rows and
            values themselves are looked for.
    """

    what: str
    line: int
    table: TableName
    archive: TableName
    columns: tuple[str, ...]
    after: str
    key: tuple[str, ...] = ()
    wanted: str | None = None


@dataclass
class Safer:
    """A rewritten migration.

    Attributes:
        name: the new migration's name, as a folder.
        original: the migration that it stands in for.
        archive: the schema that it parks things in.
        sql: its text.
        kept: what it keeps.
        now: where each table of the schema before it stands afterwards.
        called: by table of that schema, what its columns are called afterwards where they were
            renamed.
        notes: what people should look at.
        apart: partitions that stand by themselves afterwards, by the names of the schema before,
            each with the table at the top.
    """

    name: str
    original: Migration
    archive: str
    sql: str = ""
    kept: list[Kept] = field(default_factory=list)
    now: dict[TableName, TableName] = field(default_factory=dict)
    called: dict[TableName, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    apart: dict[TableName, TableName] = field(default_factory=dict)
