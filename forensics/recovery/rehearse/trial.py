"""The safer migration, tried on a copy of the backup: nothing lost, and the schema that the original makes.

The copy is built from the backup's own definitions, with the rows of the tables that the migration names at least. Both
migrations run, each on a copy of its own; then every row that was there before is looked for, in its table or in the
archive, and the two schemas are compared as pg_dump writes them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import postgast
import psycopg
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.cause.replay import ROLE
from forensics.model import Catalog, Table, TableName
from forensics.recovery.rehearse.copies import (
    BackupCopy,
    a_database,
    one,
    row_hash,
    rows_of,
    run_migration,
    structure_of,
)
from forensics.recovery.write.migration import Kept, Safer
from forensics.recovery.write.sqltext import listed
from forensics.scratch import Scratch

_BEFORE = "forensics_before"
_NOTES = 5


@dataclass(frozen=True)
class Trial:
    """What came of trying one migration.

    Attributes:
        name: the safer migration; `original` the one that it stands in for.
        rows, values, links: how much it kept: parked or copied rows, values of columns, links in their new place.
        lost: rows, values and links that stand nowhere afterwards.
        schema_equal: whether the schema is the original's, but for the archive; None where the original fails.
            Everything is None where the migration was written and not tried.
        seconds: how long it ran.
        problems: what went wrong, a sentence each; empty where the trial holds.
        notes: what else is to be known.
    """

    name: str
    original: str
    rows: int | None
    values: int | None
    links: int | None
    lost: int | None
    schema_equal: bool | None
    seconds: float | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing was lost and the schema is as it should be."""
        return not self.problems


def try_migrations(
    found: Sequence[Safer], copy: BackupCopy, catalog: Catalog, schema: str
) -> tuple[Trial, ...]:
    """Try safer migrations one after the other on a copy of the backup, beside the originals.

    Args:
        found: the migrations, in order.
        copy: the backup, restored, with the rows of the tables that the migrations name at least.
        catalog: the backup's.
        schema: where names without a schema lead.

    Raises:
        ScratchError: a copy of the copy cannot be made.
    """
    scratch, base = copy.scratch, copy.database
    notes = [
        f"The copy of the backup lacks something. {words}" for words in (*copy.short, *copy.notes)
    ][:_NOTES]
    with ExitStack() as stack:
        trials = []
        for safer in found:
            safe, original = (
                stack.enter_context(a_database(scratch, base, ROLE)) for _ in range(2)
            )
            trials.append(_Try(scratch, (safe, original), safer, catalog, schema, notes).run())
            base = original if trials[-1].problems else safe
        return tuple(trials)


def named_tables(texts: Iterable[str], schema: str, catalog: Catalog) -> set[TableName]:
    """The tables that statements name, in whatever place."""
    found: set[TableName] = set()
    for text in texts:
        tree = postgast.parse(text)
        for relation in postgast.find_nodes(tree, pb.RangeVar):
            found.add(TableName(relation.schemaname or schema, relation.relname))
        for drop in postgast.find_nodes(tree, pb.DropStmt):
            for dropped in drop.objects:
                found |= {n for n in catalog.tables if n.schema == dropped.string.sval}
                words = [i.string.sval for i in dropped.list.items]
                if words:
                    found.add(TableName(words[-2] if len(words) > 1 else schema, words[-1]))
    return found


class _Try:
    def __init__(
        self,
        scratch: Scratch,
        databases: tuple[str, str],
        safer: Safer,
        catalog: Catalog,
        schema: str,
        notes: Sequence[str],
    ) -> None:
        self._scratch, self._safer, self._catalog, self._schema = scratch, safer, catalog, schema
        self._notes = [*notes, *safer.notes]
        self._safe, self._original = databases
        self._problems: list[str] = []

    def run(self) -> Trial:
        scratch = self._scratch
        with psycopg.connect(scratch.dsn(self._safe), autocommit=True) as connection:
            self._before(connection)
        started = time.monotonic()
        failed = self._apply(self._safe, self._safer.sql)
        seconds = time.monotonic() - started
        counts = {"rows": 0, "values": 0, "links": 0}
        lost, equal = 0, None
        if failed:
            self._problems.append(f"{self._safer.name} stopped: {failed}")
        else:
            with psycopg.connect(scratch.dsn(self._safe), autocommit=True) as connection:
                lost = self._after(connection, counts)
                connection.execute(
                    sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_BEFORE))
                )
            if lost:
                self._problems.append(
                    f"{lost:,} rows, values or links stand nowhere after {self._safer.name}."
                )
            equal = self._schemas_equal()
        return Trial(
            self._safer.name,
            self._safer.original.name,
            counts["rows"],
            counts["values"],
            counts["links"],
            lost,
            equal,
            round(seconds, 3),
            tuple(self._problems),
            tuple(self._notes),
        )

    def _apply(self, database: str, text: str) -> str | None:
        return run_migration(self._scratch, database, text, self._schema)

    # --- what was there, and where it is ----------------------------------------------------------------

    def _before(self, connection: psycopg.Connection[Any]) -> None:
        """Note the hashes of every table's rows and of the values that are to be kept, in a schema beside them."""
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_BEFORE)))
        for number, (name, columns) in enumerate(self._followed()):
            self._note(
                connection,
                f"rows_{number}",
                f"{row_hash(columns)} AS h",
                rows_of(self._catalog.tables[name]),
            )
        for number, (kept, column) in enumerate(self._values()):
            old = {new: first for first, new in self._safer.called.get(kept.table, {}).items()}
            names = [old.get(c, c) for c in (*kept.key, column)]
            self._note(
                connection,
                f"values_{number}",
                f"{row_hash(names)} AS h",
                rows_of(self._catalog.tables[kept.table]),
                f"t.{listed(names[-1:])} IS NOT NULL",
            )

    @staticmethod
    def _note(
        connection: psycopg.Connection[Any],
        table: str,
        what: str,
        source: str,
        condition: str = "true",
    ) -> None:
        connection.execute(
            f'CREATE TABLE "{_BEFORE}".{table} AS SELECT {what}, count(*) AS n FROM {source} t WHERE {condition} GROUP BY 1'  # type: ignore[call-overload]
        )

    def _followed(self) -> list[tuple[TableName, list[str]]]:
        """The tables whose every row is looked for, each with the columns that no statement takes from it."""
        taken: dict[TableName, set[str]] = {}
        for kept, column in self._values():
            old = {new: first for first, new in self._safer.called.get(kept.table, {}).items()}
            taken.setdefault(kept.table, set()).add(old.get(column, column))
        found = []
        for name in sorted(self._safer.now):
            table = self._catalog.tables.get(name)
            if (
                table is not None
                and table.kind in ("table", "partitioned")
                and table.parent is None
            ):
                found.append(
                    (
                        name,
                        [
                            c.name
                            for c in table.columns
                            if not c.generated and c.name not in taken.get(name, set())
                        ],
                    )
                )
        return found

    def _values(self) -> list[tuple[Kept, str]]:
        """The columns whose every value is looked for, as they are called when they are taken."""
        return [(k, c) for k in self._safer.kept if k.what.startswith("values") for c in k.columns]

    def _after(self, connection: psycopg.Connection[Any], counts: dict[str, int]) -> int:
        """Count what is kept; return how much of what there was stands nowhere."""
        lost = 0
        for number, (name, columns) in enumerate(self._followed()):
            called = self._safer.called.get(name, {})
            now = [called.get(c, c) for c in columns]
            places = [
                p
                for p in (self._safer.now[name], *self._copies(name))
                if self._has(connection, p, now)
            ]
            if self._safer.now[name] not in places:
                self._problems.append(
                    f"Table {name} or a column of it is gone after {self._safer.name}, by a statement that was not rewritten."
                )
            lost += self._lacking(
                connection,
                f"rows_{number}",
                [f"SELECT {row_hash(now)} AS h FROM {self._rows(name, p)} t" for p in places],
            )
        for number, (kept, column) in enumerate(self._values()):
            names = [*kept.key, column]
            there = [
                p
                for p in (kept.archive, *self._copies(kept.table))
                if self._has(connection, p, names)
            ]
            lost += self._lacking(
                connection,
                f"values_{number}",
                [f"SELECT {row_hash(names)} AS h FROM {p.sql} t" for p in there],
            )
        for kept in self._safer.kept:
            there_now = one(connection, kept.after)
            kind = (
                "rows"
                if kept.what.startswith("rows")
                else "values"
                if kept.what.startswith("values")
                else "links"
            )
            counts[kind] += there_now
            lost += max(one(connection, kept.wanted) - there_now, 0) if kept.wanted else 0
        return lost

    def _rows(self, name: TableName, place: TableName) -> str:
        """A place of a table's rows as a FROM item."""
        stood = next((n for n, p in self._safer.now.items() if p == place), None)
        table = self._catalog.tables[stood] if stood else Table(place)
        return rows_of(replace(table, name=place))

    def _copies(self, name: TableName) -> list[TableName]:
        """Where rows of a table were copied to before they were deleted or overwritten, and its partitions that stand by themselves by now."""
        return [
            *(self._safer.now[p] for p, root in sorted(self._safer.apart.items()) if root == name),
            *(
                k.archive
                for k in self._safer.kept
                if k.table == name
                and k.what.startswith("rows")
                and k.archive != self._safer.now.get(name)
            ),
        ]

    @staticmethod
    def _has(connection: psycopg.Connection[Any], table: TableName, columns: Sequence[str]) -> bool:
        found = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [table.sql],
        )
        return set(columns) <= {r[0] for r in found}

    @staticmethod
    def _lacking(connection: psycopg.Connection[Any], noted: str, places: Sequence[str]) -> int:
        """How many of the rows that were noted stand in none of some places."""
        there = " UNION ALL ".join(places) or "SELECT NULL AS h"
        return one(
            connection,
            f'SELECT coalesce(sum(greatest(b.n - coalesce(a.n, 0), 0)), 0)::bigint FROM "{_BEFORE}".{noted} b '
            f"LEFT JOIN (SELECT h, count(*) AS n FROM ({there}) p GROUP BY h) a ON a.h = b.h",
        )

    def _schemas_equal(self) -> bool | None:
        """Whether the schema is the one that the original makes, but for the archive."""
        failed = self._apply(self._original, self._safer.original.applied.decode("utf-8-sig"))
        if failed:
            self._notes.append(f"The original itself fails on the backup's rows: {failed}")
            return None
        folder = self._scratch.folder / "schema.sql"
        without = ("--no-owner", f"--exclude-schema={self._safer.archive}*")
        safe, original = (
            sorted(structure_of(self._scratch, d, folder, *without))
            for d in (self._safe, self._original)
        )
        if safe == original:
            return True
        odd = sorted(set(safe) ^ set(original))
        self._problems.append(
            f"The schema after {self._safer.name} is not the original's: {'; '.join(line.strip() for line in odd[:3])}."
        )
        return False


def write_migration(safer: Safer, out: Path) -> Path:
    """Write a safer migration as Prisma lays them out; return its file."""
    path = out / "migrations" / safer.name / "migration.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(safer.sql.rstrip("\n") + "\n", encoding="utf-8")
    return path
