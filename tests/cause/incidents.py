"""Incidents for the tests: a database, its dump, what ran since, and Prisma's history of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from forensics.case.facade import Case
from forensics.investigation import compare
from forensics.scratch import Scratch


class Prisma:
    """A migration folder that is written as its migrations run."""

    TABLE = """
    CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY,
        checksum varchar(64) NOT NULL, finished_at timestamptz,
        migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
        started_at timestamptz NOT NULL DEFAULT now(),
        applied_steps_count int NOT NULL DEFAULT 0);
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0
        folder.mkdir()

    def write(self, name: str, text: str) -> Path:
        """Write a migration's file."""
        path = self.folder / name / "migration.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        return path

    def row(
        self,
        name: str,
        text: str,
        finished: str | None = "2026-01-02 10:00+00",
        rolled_back: str | None = None,
        steps: int = 1,
    ) -> str:
        """The SQL that notes a migration in the history."""
        self.count += 1
        checksum = hashlib.sha256(text.encode("utf-8")).hexdigest()
        times = [f"'{t}'" if t else "NULL" for t in (finished, rolled_back)]
        return (
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, "
            "rolled_back_at, started_at, applied_steps_count) "
            f"VALUES ('{self.count}', '{checksum}', {times[0]}, '{name}', {times[1]}, "
            f"'2026-01-02 09:59+00'::timestamptz + {self.count} * interval '1 s', {steps});"
        )

    def ran(self, name: str, text: str) -> str:
        """Write the file; the SQL that runs it and notes it."""
        self.write(name, text)
        return f"{text}\n;{self.row(name, text)}"


def run_incident(
    folder: Path,
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    case_folder: Path,
    edited: Sequence[str] = (),
) -> Case:
    """Build before, dump it, let the application and the migrations run, and compare."""
    live = database(Prisma.TABLE + (folder / "before.sql").read_text())
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    if (folder / "between.sql").exists():
        scratch.run(live, (folder / "between.sql").read_text())
    for path in sorted((folder / "migrations").glob("*/migration.sql")):
        name, text = path.parent.name, path.read_text()
        scratch.run(live, prisma.ran(name, text))
        if name in edited:
            prisma.write(name, text + "-- a word more\n")
    if (folder / "after.sql").exists():
        scratch.run(live, (folder / "after.sql").read_text())
    return compare(backup, scratch.dsn(live), case_folder)
