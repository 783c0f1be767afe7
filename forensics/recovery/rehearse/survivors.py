"""What was there before a safer migration: noted, and looked for again after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from forensics.model import Catalog, Table, TableName
from forensics.recovery.queries import filled
from forensics.recovery.rehearse.session import Session, one, row_hash, run
from forensics.recovery.relations import rows_of
from forensics.recovery.write.migration import Kept, Safer
from forensics.recovery.write.sqltext import listed

# The schema that the notes stand in, beside the tables.
_BEFORE = "forensics_before"

_THERE = (
    "SELECT attname FROM pg_attribute "
    "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
)


@dataclass
class Counts:
    """How many rows, values and links a migration kept, and how many of all are lost."""

    rows: int = 0
    values: int = 0
    links: int = 0
    lost: int = 0

    def add(self, what: str, number: int) -> None:
        """Count what was kept, by the words that `Kept.what` begins with."""
        if what.startswith("rows"):
            self.rows += number
        elif what.startswith("values"):
            self.values += number
        else:
            self.links += number


@dataclass(frozen=True)
class _Value:
    """A column whose every value is looked for, as it is called when it is taken."""

    kept: Kept
    column: str


class Survivors:
    """The rows and values that must stand somewhere once a safer migration has run."""

    def __init__(self, safer: Safer, catalog: Catalog) -> None:
        self._safer, self._catalog = safer, catalog
        self._values: list[_Value] = []
        for kept in safer.kept:
            if kept.what.startswith("values"):
                self._values += [_Value(kept, column) for column in kept.columns]

    # --- before ---------------------------------------------------------------------------

    def note(self, session: Session) -> None:
        """Note the hashes of every table's rows and of the values that are to be kept."""
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_BEFORE)))
        for n, (name, columns) in enumerate(self._followed()):
            table = self._catalog.tables[name]
            _note(session, f"rows_{n}", table, columns)
        for n, value in enumerate(self._values):
            kept = value.kept
            names = [self._once(kept.table, c) for c in (*kept.key, value.column)]
            table = self._catalog.tables[kept.table]
            there = f"t.{listed(names[-1:])} IS NOT NULL"
            _note(session, f"values_{n}", table, names, there)

    def forget(self, session: Session) -> None:
        """Take the notes away."""
        session.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_BEFORE)))

    def _once(self, table: TableName, column: str) -> str:
        """What a column was called before the migration."""
        for first, new in self._safer.called.get(table, {}).items():
            if new == column:
                return first
        return column

    def _followed(self) -> Iterator[tuple[TableName, list[str]]]:
        """The tables whose every row is looked for.

        Each with the columns that no statement takes from it.
        """
        taken = set()
        for value in self._values:
            name = value.kept.table
            taken.add((name, self._once(name, value.column)))
        for name in sorted(self._safer.now):
            table = self._catalog.tables.get(name)
            if table is None or table.kind not in ("table", "partitioned") or table.parent:
                continue
            columns = []
            for column in table.columns:
                if not column.generated and (name, column.name) not in taken:
                    columns.append(column.name)
            yield name, columns

    # --- after ----------------------------------------------------------------------------

    def look(self, session: Session, problems: list[str]) -> Counts:
        """Count what is kept, and how much of what there was stands nowhere.

        Args:
            session: of the database that the migration ran in.
            problems: where it is said which tables are gone.
        """
        counts = Counts()
        for n, (name, columns) in enumerate(self._followed()):
            called = self._safer.called.get(name, {})
            now = [called.get(column, column) for column in columns]
            places = self._places(session, name, now)
            if self._safer.now[name] not in places:
                problems.append(
                    f"Table {name} or a column of it is gone after {self._safer.name}, "
                    "by a statement that was not rewritten."
                )
            sources = [self._rows(name, place) for place in places]
            counts.lost += _lacking(session, f"rows_{n}", now, sources)
        for n, value in enumerate(self._values):
            names = [*value.kept.key, value.column]
            sources = []
            for place in (value.kept.archive, *self._copies(value.kept.table)):
                if _has(session, place, names):
                    sources.append(place.sql)
            counts.lost += _lacking(session, f"values_{n}", names, sources)
        for kept in self._safer.kept:
            there = one(session, kept.after)
            counts.add(kept.what, there)
            if kept.wanted:
                counts.lost += max(one(session, kept.wanted) - there, 0)
        return counts

    def _places(self, session: Session, name: TableName, columns: list[str]) -> list[TableName]:
        """Where rows of a table may stand, of those places that have its columns."""
        found = []
        for place in (self._safer.now[name], *self._copies(name)):
            if _has(session, place, columns):
                found.append(place)
        return found

    def _copies(self, name: TableName) -> Iterator[TableName]:
        """Where rows of a table may stand besides.

        They are partitions that stand by themselves by now, and where rows were copied to
        before they were deleted or overwritten.
        """
        for part, root in sorted(self._safer.apart.items()):
            if root == name:
                yield self._safer.now[part]
        now = self._safer.now.get(name)
        for kept in self._safer.kept:
            if kept.table == name and kept.what.startswith("rows") and kept.archive != now:
                yield kept.archive

    def _rows(self, name: TableName, place: TableName) -> str:
        """A place of a table's rows as a FROM item."""
        table = Table(place)
        for first, now in self._safer.now.items():
            if now == place:
                table = self._catalog.tables[first]
                break
        return rows_of(replace(table, name=place))


def _note(
    session: Session,
    table: str,
    source: Table,
    columns: Sequence[str],
    condition: str = "true",
) -> None:
    """Note which rows there are, by some columns, and how often."""
    statement = filled(
        "rehearse",
        "noted",
        schema=_BEFORE,
        table=table,
        hash=row_hash(columns),
        source=rows_of(source),
        condition=condition,
    )
    run(session, statement)


def _has(session: Session, table: TableName, columns: Sequence[str]) -> bool:
    """Whether a table is there, with some columns."""
    there = {column for (column,) in session.execute(_THERE, [table.sql])}
    return set(columns) <= there


def _lacking(
    session: Session,
    table: str,
    columns: Sequence[str],
    sources: Sequence[str],
) -> int:
    """How many of the rows that were noted stand in none of some places.

    Args:
        session: of the database.
        table: where they were noted.
        columns: what they are called now.
        sources: the places, as FROM items.
    """
    places = "SELECT NULL AS h"
    if sources:
        hashes = f"SELECT {row_hash(columns)} AS h"
        places = " UNION ALL ".join(f"{hashes} FROM {source} t" for source in sources)
    return one(session, filled("rehearse", "nowhere", schema=_BEFORE, table=table, places=places))
