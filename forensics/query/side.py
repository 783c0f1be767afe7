"""The tables of a side by the names that people give them, and their rows as streams."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from forensics.compare.canonical import Writer, base_type
from forensics.compare.schema import stored_columns
from forensics.errors import (
    BackupError,
    DamagedBackupError,
    QueryError,
    UnknownTableError,
    UsageError,
)
from forensics.evidence.source import LackingSegment, Segment, Source
from forensics.model import Catalog, Column, TableName
from forensics.query.kinds import kind_of
from forensics.query.stream import Heard, Held, Stream
from forensics.text import near_matches

if TYPE_CHECKING:
    from forensics.query.question import Named

_ANY_TEXT = ("text", "character varying", "bpchar")
_ROWLESS = {
    "foreign": "a foreign table: its rows are elsewhere",
    "materialized view": "a materialized view: a dump holds its definition, and no rows",
}


class Side:
    """A backup or live, as questions see it.

    Args:
        role: "backup" or "live", which is also the name of its catalogue in SQL.
        source: the side, open.
    """

    def __init__(self, role: str, source: Source) -> None:
        self.role, self.source = role, source
        source.adopt(Catalog())
        self._writer = Writer.of(source)
        self._contents = source.contents()

    @property
    def tables(self) -> list[TableName]:
        """All that can be asked for, partitions by their own names included."""
        return sorted(self.source.catalog.tables)

    # --- names ------------------------------------------------------------------------------------

    def find(self, schema: str, table: str) -> TableName | None:
        """Return the table of a name, or None.

        The letters' case counts where two names differ in nothing else. A name without a schema
        is a table of `public` where there is one, or the only one of that name.

        Raises:
            UsageError: several bear the name.
        """
        for same in (str.__str__, str.lower):
            found = []
            for name in self.tables:
                if same(name.table) == same(table) and schema in ("", name.schema):
                    found.append(name)
            public = [name for name in found if name.schema == "public"]
            if not schema and len(public) == 1:
                return public[0]
            if len(found) > 1:
                listed = ", ".join(map(str, found))
                raise UsageError(
                    f"Several tables of the {self.role} are called {table}: {listed}.",
                    "Name the schema, or put the name in double quotes.",
                )
            if found:
                return found[0]
        if schema and schema != schema.lower():
            return self.find(schema.lower(), table)
        return None

    def unknown(self, named: Named) -> UnknownTableError:
        """What there is to say of a table that there is not."""
        wanted = str(named)
        for role in (f"{self.role}.", ""):
            wanted = wanted.removeprefix(role)
        known = [str(name) for name in self.tables]
        known += [name.table for name in self.tables if name.schema != "public"]
        otherwise = "`forensics inspect` lists those that there are."
        if not self.tables:
            otherwise = "It holds none."
        if self.source.damage:
            otherwise = "The backup is not whole: it may be cut off before that table."
        words = f"The {self.role} has no table {wanted}."
        return UnknownTableError(words, near_matches(wanted, known, otherwise))

    # --- rows -------------------------------------------------------------------------------------

    def stream(self, name: TableName, label: str, heard: Heard, *, heirs: bool = True) -> Stream:
        """Return a table's rows for DuckDB.

        Args:
            name: the table.
            label: what it is called within the session.
            heard: is told of rows that were read.
            heirs: whether rows of tables that inherit from it are among them.

        Raises:
            UsageError: it is of a kind that holds no rows.
        """
        table = self.source.catalog.tables[name]
        if table.kind in _ROWLESS:
            raise UsageError(f"{name} is {_ROWLESS[table.kind]}.", "Ask for a table.")
        columns = []
        for column in self.columns(name, heirs=heirs):
            kind = kind_of(column.type, self._writer)
            change = None
            if not kind.native:
                change = self._writer.canonical(column.type)
            tells = kind.arrow is not None or self._is_any_text(column.type)
            columns.append(Held(column.name, kind, change, tells))

        def segments(wanted: Sequence[str]) -> list[Segment]:
            chosen = list(wanted) or [c.name for c in columns[:1]]
            return self._segments(name, chosen, heirs=heirs)

        stream = Stream(label, name, columns, segments, heard)
        stream.absent = self._absent(name)
        stream.damage = self._damage(name)
        return stream

    def _is_any_text(self, type_name: str) -> bool:
        """Whether values of a type may be any text."""
        return base_type(self._writer.without_domains(type_name)) in _ANY_TEXT

    def columns(self, name: TableName, *, heirs: bool = True) -> list[Column]:
        """Return those columns of a table that every run of its rows has."""
        table = self.source.catalog.tables[name]
        stored = stored_columns(table)
        runs = []
        for segment in self._segments(name, stored, heirs=heirs):
            if not isinstance(segment, LackingSegment):
                runs.append(segment)
        found = []
        for column in table.columns:
            if column.name not in stored:
                continue
            if all(column.name in run.columns for run in runs):
                found.append(column)
        return found

    def lacking(self, name: TableName, columns: Collection[str]) -> list[str]:
        """The columns of a table whose values the side does not hold."""
        table = self.source.catalog.tables[name]
        return [c.name for c in table.columns if c.name not in columns]

    def _segments(
        self, name: TableName, wanted: Sequence[str], *, heirs: bool = True
    ) -> list[Segment]:
        """The rows of a table, of its partitions and of the tables that inherit from it."""
        catalog = self.source.catalog
        found = self._own_segments(name, wanted)
        if not heirs:
            return found
        for heir, table in sorted(catalog.tables.items()):
            if name in table.inherits and table.parent is None:
                found += self._segments(heir, wanted)
        return found

    def _own_segments(self, name: TableName, wanted: Sequence[str]) -> list[Segment]:
        catalog = self.source.catalog
        root = catalog.root(name)
        if root == name or self.source.is_database:
            return self.source.segments(name, wanted)
        leaves = catalog.leaves(name)
        found = []
        for segment in self.source.segments(root, wanted):
            if segment.table in leaves:
                found.append(segment)
            elif segment.table == root and not isinstance(segment, LackingSegment):
                raise UsageError(
                    f"The backup holds the rows of all partitions of {root} together.",
                    f"Ask {root} for them.",
                )
        return found

    def _absent(self, name: TableName) -> BackupError | None:
        """What is said where the side holds no run of a table's rows, not even an empty one."""
        held = self._contents.get(self.source.catalog.root(name))
        if held is not None and held.data:
            return None
        if self.source.damage:
            return DamagedBackupError(
                f"The {self.role} is cut off before the rows of {name}.",
                "Look for a complete copy of it.",
            )
        return BackupError(
            f"The {self.role} holds no rows of {name}: they were left out when it was made.",
            "Was it made with --schema-only or --exclude-table-data? Another may hold them.",
        )

    def _damage(self, name: TableName) -> str | None:
        """Why the side is known not to hold all of a table's rows, before any is read."""
        root = self.source.catalog.root(name)
        held = self._contents.get(root)
        if held is None:
            return None
        if not held.complete:
            return f"The rows of {name} are cut off or corrupt in the {self.role}."
        short = set(held.lacking) & set(self.source.catalog.leaves(name))
        if short:
            listed = ", ".join(map(str, sorted(short)))
            return f"The {self.role} does not hold the rows of {listed}."
        return None


def side_of(sides: Mapping[str, Side], named: Named) -> tuple[Side, str]:
    """Return the side and the schema that a name means.

    Raises:
        QueryError: there is no such side.
    """
    backup = sides["backup"]
    role = (named.catalog or named.schema).lower()
    is_schema = not named.catalog and backup.find(named.schema, named.table)
    if role in ("backup", "live") and not is_schema:
        if role not in sides:
            raise QueryError(
                f"{named} is a table of live, and no live database is given.",
                "Give it with --live DSN.",
            )
        if named.catalog:
            return sides[role], named.schema
        return sides[role], ""
    if named.catalog:
        raise QueryError(
            f"There is no {named.catalog} to ask: tables are of backup, or of live.",
            "Write SCHEMA.TABLE, backup.SCHEMA.TABLE or live.SCHEMA.TABLE.",
        )
    return backup, named.schema
