"""The safer migration, tried on a copy of the backup: nothing lost, and the schema that the original makes.

The copy is built from the backup's own definitions, with the rows of the tables that the migration names at least. Both
migrations run, each on a copy of its own; then every row that was there before is looked for, in its table or in the
archive, and the two schemas are compared as pg_dump writes them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import postgast
import psycopg
from postgast import pg_query_pb2 as pb
from psycopg import sql

from forensics.cause.replay import ROLE
from forensics.model import Catalog, TableName
from forensics.recovery.copies import BackupCopy, a_database, one, row_hash, run_migration, structure_of
from forensics.recovery.migration import Safer
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


def try_migrations(found: Sequence[Safer], copy: BackupCopy, catalog: Catalog, schema: str) -> tuple[Trial, ...]:
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
    notes = [f"The copy of the backup lacks something. {words}" for words in (*copy.short, *copy.notes)][:_NOTES]
    with ExitStack() as stack:
        trials = []
        for safer in found:
            safe, original = (stack.enter_context(a_database(scratch, base, ROLE)) for _ in range(2))
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
        self, scratch: Scratch, databases: tuple[str, str], safer: Safer, catalog: Catalog, schema: str, notes: Sequence[str]
    ) -> None:
        self._scratch, self._safer, self._catalog, self._schema = scratch, safer, catalog, schema
        self._notes = [*notes, *safer.notes]
        self._safe, self._original = databases
        self._problems: list[str] = []

    def run(self) -> Trial:
        scratch = self._scratch
        with psycopg.connect(scratch.dsn(self._safe), autocommit=True) as connection:
            before = self._before(connection)
        started = time.monotonic()
        failed = self._apply(self._safe, self._safer.sql)
        seconds = time.monotonic() - started
        counts = {"rows": 0, "values": 0, "links": 0}
        lost, equal = 0, None
        if failed:
            self._problems.append(f"{self._safer.name} stopped: {failed}")
        else:
            with psycopg.connect(scratch.dsn(self._safe), autocommit=True) as connection:
                lost = self._after(connection, before, counts)
                connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(_BEFORE)))
            if lost:
                self._problems.append(f"{lost:,} rows, values or links stand nowhere after {self._safer.name}.")
            equal = self._schemas_equal()
        return Trial(
            self._safer.name, self._safer.original.name, counts["rows"], counts["values"], counts["links"], lost, equal,
            round(seconds, 3), tuple(self._problems), tuple(self._notes),
        )  # fmt: skip

    def _apply(self, database: str, text: str) -> str | None:
        return run_migration(self._scratch, database, text, self._schema)

    # --- what was there, and where it is ----------------------------------------------------------------

    def _before(self, connection: psycopg.Connection[Any]) -> list[int | None]:
        """Note the hashes of every table's rows, in a schema beside them; return how much there is of what is to be kept."""
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_BEFORE)))
        for number, (name, columns) in enumerate(self._followed()):
            connection.execute(
                f'CREATE TABLE "{_BEFORE}".rows_{number} AS SELECT {row_hash(columns)} AS h, count(*) AS n FROM {name.sql} t GROUP BY 1'
            )
        return [one(connection, k.before) if k.before else None for k in self._safer.kept]

    def _followed(self) -> list[tuple[TableName, list[str]]]:
        """The tables whose every row is looked for, each with the columns that no statement takes from it."""
        taken: dict[TableName, set[str]] = {}
        for kept in self._safer.kept:
            if kept.what == "values of a column":
                taken.setdefault(kept.table, set()).update(kept.columns)
        found = []
        for name in sorted(self._safer.now):
            table = self._catalog.tables.get(name)
            if table is not None and table.kind in ("table", "partitioned") and table.parent is None:
                found.append((name, [c.name for c in table.columns if c.name not in taken.get(name, set())]))
        return found

    def _after(self, connection: psycopg.Connection[Any], before: Sequence[int | None], counts: dict[str, int]) -> int:
        lost = 0
        for number, (name, columns) in enumerate(self._followed()):
            copies = [
                k.archive for k in self._safer.kept if k.table == name and k.what.startswith("rows") and k.archive != self._safer.now[name]
            ]
            places = " UNION ALL ".join(f"SELECT {row_hash(columns)} AS h FROM {p.sql} t" for p in (self._safer.now[name], *copies))
            lost += one(
                connection,
                f'SELECT coalesce(sum(greatest(b.n - coalesce(a.n, 0), 0)), 0)::bigint FROM "{_BEFORE}".rows_{number} b '
                f"LEFT JOIN (SELECT h, count(*) AS n FROM ({places}) p GROUP BY h) a ON a.h = b.h",
            )
        for kept, was in zip(self._safer.kept, before, strict=True):
            there = one(connection, kept.after)
            kind = "rows" if kept.what.startswith("rows") else "values" if kept.what.startswith("values") else "links"
            counts[kind] += there
            if was is not None:
                lost += max(was - there, 0)
        return lost

    def _schemas_equal(self) -> bool | None:
        """Whether the schema is the one that the original makes, but for the archive."""
        failed = self._apply(self._original, self._safer.original.applied.decode("utf-8-sig"))
        if failed:
            self._notes.append(f"The original itself fails on the backup's rows: {failed}")
            return None
        folder = self._scratch.folder / "schema.sql"
        without = ("--no-owner", f"--exclude-schema={self._safer.archive}*")
        safe, original = (sorted(structure_of(self._scratch, d, folder, *without)) for d in (self._safe, self._original))
        if safe == original:
            return True
        odd = sorted(set(safe) ^ set(original))
        self._problems.append(f"The schema after {self._safer.name} is not the original's: {'; '.join(line.strip() for line in odd[:3])}.")
        return False


def write_migration(safer: Safer, out: Path) -> Path:
    """Write a safer migration as Prisma lays them out; return its file."""
    path = out / "migrations" / safer.name / "migration.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(safer.sql.rstrip("\n") + "\n", encoding="utf-8")
    return path
