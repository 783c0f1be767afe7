"""The safer migration, tried on a copy of the backup: nothing lost, and the right schema.

The copy is built from the backup's own definitions, with the rows of the tables that the
migration names at least. Both migrations run, each on a copy of its own; then every row that
was there before is looked for, in its table or in the archive, and the two schemas are
compared as pg_dump writes them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import postgast
import psycopg
from postgast import pg_query_pb2 as pb

from forensics.cause.replay import ROLE
from forensics.model import Catalog, TableName
from forensics.recovery.proof import Trial
from forensics.recovery.rehearse.copies import BackupCopy, a_database
from forensics.recovery.rehearse.session import run_migration, structure_of
from forensics.recovery.rehearse.survivors import Counts, Survivors
from forensics.recovery.write.migration import Safer
from forensics.scratch import Scratch

_NOTES = 5


def try_migrations(
    found: Sequence[Safer],
    copy: BackupCopy,
    catalog: Catalog,
    schema: str,
) -> tuple[Trial, ...]:
    """Try safer migrations one after the other on a copy of the backup, beside the originals.

    Args:
        found: the migrations, in order.
        copy: the backup, restored, with the rows of the tables that the migrations name at
            least.
        catalog: the backup's.
        schema: where names without a schema lead.

    Raises:
        ScratchError: a copy of the copy cannot be made.
    """
    scratch, base = copy.scratch, copy.database
    notes = []
    for words in (*copy.short, *copy.notes):
        notes.append(f"The copy of the backup lacks something. {words}")
    trials = []
    with ExitStack() as stack:
        for safer in found:
            safe = stack.enter_context(a_database(scratch, base, ROLE))
            original = stack.enter_context(a_database(scratch, base, ROLE))
            attempt = _Try(scratch, safer, catalog, schema, notes[:_NOTES])
            trials.append(attempt.run(safe, original))
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
                words = [item.string.sval for item in dropped.list.items]
                if len(words) > 1:
                    found.add(TableName(words[-2], words[-1]))
                elif words:
                    found.add(TableName(schema, words[0]))
    return found


def write_migration(safer: Safer, out: Path) -> Path:
    """Write a safer migration as Prisma lays them out; return its file."""
    path = out / "migrations" / safer.name / "migration.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(safer.sql.rstrip("\n") + "\n", encoding="utf-8")
    return path


class _Try:
    def __init__(
        self,
        scratch: Scratch,
        safer: Safer,
        catalog: Catalog,
        schema: str,
        notes: Sequence[str],
    ) -> None:
        self._scratch, self._safer, self._schema = scratch, safer, schema
        self._survivors = Survivors(safer, catalog)
        self._notes = [*notes, *safer.notes]
        self._problems: list[str] = []

    def run(self, safe: str, original: str) -> Trial:
        """Try the migration.

        Args:
            safe: the database that it runs in.
            original: the one that the original runs in.
        """
        safer = self._safer
        with psycopg.connect(self._scratch.dsn(safe), autocommit=True) as session:
            self._survivors.note(session)
        started = time.monotonic()
        words = self._apply(safe, safer.sql)
        seconds = time.monotonic() - started
        counts, equal = Counts(), None
        if words:
            self._problems.append(f"{safer.name} stopped: {words}")
        else:
            counts = self._look(safe)
            equal = self._schemas_equal(safe, original)
        return Trial(
            safer.name,
            safer.original.name,
            counts.rows,
            counts.values,
            counts.links,
            counts.lost,
            equal,
            round(seconds, 3),
            tuple(self._problems),
            tuple(self._notes),
        )

    def _apply(self, database: str, text: str) -> str | None:
        return run_migration(self._scratch, database, text, self._schema)

    def _look(self, safe: str) -> Counts:
        """Count what is kept, and what is lost."""
        with psycopg.connect(self._scratch.dsn(safe), autocommit=True) as session:
            counts = self._survivors.look(session, self._problems)
            self._survivors.forget(session)
        if counts.lost:
            self._problems.append(
                f"{counts.lost:,} rows, values or links stand nowhere after {self._safer.name}."
            )
        return counts

    def _schemas_equal(self, safe: str, original: str) -> bool | None:
        """Whether the schema is the one that the original makes, but for the archive."""
        words = self._apply(original, self._safer.original.applied.decode("utf-8-sig"))
        if words:
            self._notes.append(f"The original itself fails on the backup's rows: {words}")
            return None
        ours, theirs = self._structure(safe), self._structure(original)
        if ours == theirs:
            return True
        odd = sorted(set(ours) ^ set(theirs))
        lines = "; ".join(line.strip() for line in odd[:3])
        self._problems.append(
            f"The schema after {self._safer.name} is not the original's: {lines}."
        )
        return False

    def _structure(self, database: str) -> list[str]:
        """A database's schema without the archive, in the order of its lines."""
        path = self._scratch.folder / "schema.sql"
        options = ("--no-owner", f"--exclude-schema={self._safer.archive}*")
        return sorted(structure_of(self._scratch, database, path, *options))
