"""Build the sample incident on a scratch PostgreSQL.

    python sample_data/build.py     write backup.sql.gz and expected.json anew

`build_live` makes the database as it stood when somebody began to look: the demo and the tests
call it. The steps
before it are public too: `build_before`, `restore_backup`, `write_backup` and `advance`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
import tempfile
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":  # run as a file: the packages lie beside this folder
    sys.path.insert(0, str(HERE.parent))

from forensics.scratch import Scratch  # noqa: E402
from sample_data.truth import expected, expected_links  # noqa: E402
from sample_data.world import BACKUP_AT, INCIDENT_AT, World  # noqa: E402
from sample_data.world import LOOKED_AT as LOOKED_AT  # noqa: E402

BACKUP = HERE / "backup.sql.gz"
EXPECTED = HERE / "expected.json"
MIGRATIONS = HERE / "prisma" / "migrations"
INCIDENT = "20260102103755_add_external_hotels"

_HISTORY_TABLE = """
CREATE TABLE "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
);
"""
# The first try of one migration failed and was marked as rolled back, as happens.
_FAILED = "20250519093017_add_restaurants_and_medical"
_FAILED_LOG = (
    "A migration failed to apply. New migrations cannot be applied before the error is recovered "
    "from.\n\n"
    f"Migration name: {_FAILED}\n\nDatabase error code: 57014\n\nDatabase error:\n"
    "ERROR: canceling statement due to statement timeout\n"
)


def build_before(scratch: Scratch, database: str) -> None:
    """Make `database` as it stood at the time of the backup, from the migrations and the seed.

    Raises:
        ScratchError: the database exists, or the server refused a statement.
    """
    scratch.create(database)
    scratch.run(database, _HISTORY_TABLE)
    for name in migration_names():
        if name < INCIDENT:
            if name == _FAILED:
                scratch.run(
                    database,
                    _history_row(name, _applied_at(name) - timedelta(minutes=26), failed=True),
                )
            scratch.run(database, _migration_sql(name))
            scratch.run(database, _history_row(name, _applied_at(name)))
    scratch.run(database, "".join(World().copy_script()))
    for serial in ("tags", "medical_services", "audit_logs"):
        scratch.run(database, f"SELECT setval('{serial}_id_seq', (SELECT max(id) FROM {serial}))")


def write_backup(scratch: Scratch, database: str, out: Path = BACKUP) -> Path:
    """Dump `database` to `out` as gzipped plain SQL; return `out`.

    The bytes are the same for the same rows and server.

    The dump names no owners and no time: it would be the time of this run, and not that of the
        story.

    Raises:
        ScratchError: pg_dump failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        # pg_dump draws a fresh key for \\restrict unless it is given one.
        plain = scratch.dump(
            database,
            Path(folder) / "backup.sql",
            "--no-owner",
            "--no-privileges",
            "--restrict-key=sampledata",
        )
        with (
            out.open("wb") as raw,
            gzip.GzipFile("", "wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
        ):
            packed.write(plain.read_bytes())
    return out


def restore_backup(scratch: Scratch, database: str, backup: Path = BACKUP) -> None:
    """Make `database` from the committed backup.

    Raises:
        ScratchError: the database exists, or the server refused a statement.
    """
    scratch.create(database)
    scratch.run(database, gzip.decompress(backup.read_bytes()))


def advance(scratch: Scratch, database: str, *, to_the_end: bool = True) -> None:
    """Take a restored `database` to the minute before the migration, or on `to_the_end`.

    Raises:
        ScratchError: the server refused a statement.
    """
    helpers = (HERE / "helpers.sql").read_text()
    scratch.run(database, helpers + (HERE / "after_backup.sql").read_text())
    if to_the_end:
        scratch.run(database, _migration_sql(INCIDENT))
        scratch.run(database, _history_row(INCIDENT, INCIDENT_AT - timedelta(seconds=4.2)))
        scratch.run(database, helpers + (HERE / "after_incident.sql").read_text())


def build_live(scratch: Scratch, database: str) -> str:
    """Make `database` as it stood when somebody began to look; return its connection string.

    Raises:
        ScratchError: the database exists, or the server refused a statement.
    """
    restore_backup(scratch, database)
    advance(scratch, database)
    return scratch.dsn(database)


def migration_names() -> list[str]:
    """The migrations' names in the order in which they were applied, the incident's last."""
    return sorted(path.parent.name for path in MIGRATIONS.glob("*/migration.sql"))


def _migration_sql(name: str) -> str:
    return (MIGRATIONS / name / "migration.sql").read_text()


def _applied_at(name: str) -> datetime:
    """When a migration was deployed: within the three quarters of an hour after it was written."""
    written = datetime.strptime(name[:14], "%Y%m%d%H%M%S").replace(tzinfo=BACKUP_AT.tzinfo)
    return written + timedelta(minutes=38, seconds=random.Random(name).uniform(5, 400))


def _history_row(name: str, started: datetime, *, failed: bool = False) -> str:
    """The row that Prisma writes for a migration, as SQL."""
    checksum = hashlib.sha256((MIGRATIONS / name / "migration.sql").read_bytes()).hexdigest()
    key = uuid.UUID(int=random.Random(f"{name} {failed}").getrandbits(128), version=4)
    finished = "NULL" if failed else f"'{started + timedelta(seconds=4.2)}'"
    logs = f"'{_FAILED_LOG}'" if failed else "NULL"
    rolled_back = f"'{started + timedelta(minutes=14)}'" if failed else "NULL"
    return (
        "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, "
        "logs, rolled_back_at, started_at, applied_steps_count) "
        f"VALUES ('{key}', '{checksum}', {finished}, '{name}', "
        f"{logs}, {rolled_back}, '{started}', {0 if failed else 1});"
    )


def answers(scratch: Scratch) -> dict[str, Any]:
    """Return what `expected.json` holds, worked out anew from the committed backup.

    Leaves the databases `before`, `eve` (of the migration) and `live` on the server.

    Raises:
        ScratchError: one of these exists, or the server refused a statement.
    """
    restore_backup(scratch, "before")
    scratch.create("eve", template="before")
    advance(scratch, "eve", to_the_end=False)
    build_live(scratch, "live")
    return {
        **expected(scratch, "before", "live"),
        "links": expected_links(scratch, "before", "eve", "live"),
    }


def main() -> None:
    """Write the backup and the expected answers."""
    with Scratch() as scratch:
        build_before(scratch, "seeded")
        write_backup(scratch, "seeded")
        found = answers(scratch)
    EXPECTED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    totals = ", ".join(f"{name} {count}" for name, count in found["totals"].items())
    print(f"{BACKUP.name}: {BACKUP.stat().st_size:,} bytes\n{EXPECTED.name}: {totals}")


if __name__ == "__main__":
    main()
