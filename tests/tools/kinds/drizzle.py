"""Drizzle, as it was and as it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.tools.driven import Step
from tests.tools.kinds.in_sql import InSql

_SCRIPT = """
import {drizzle} from 'drizzle-orm/node-postgres'; import {migrate} from
    'drizzle-orm/node-postgres/migrator'; import pg from 'pg';
const pool = new pg.Pool({connectionString: process.argv[3]});
const db = drizzle({client: pool});
await migrate(db, {migrationsFolder: './migrations'});
await pool.end();
"""
_BETWEEN = "\n--> statement-breakpoint\n"


class Journal(InSql):
    name, case, version = "Drizzle 0", "drizzle", "0.45.2"
    packages = ("drizzle-orm@0.45.2", "pg@8.16.3")
    script = _SCRIPT
    can_go_back = False

    def write(self, step: Step) -> None:
        journal = self.as_sql / "meta" / "_journal.json"
        said = {"version": "7", "dialect": "postgresql", "entries": []}
        if journal.exists():
            said = json.loads(journal.read_text())
        entries = said["entries"]
        assert isinstance(entries, list)
        tag = f"{len(entries):04}_{step.name}"
        when = int(datetime(2026, 1, step.number, tzinfo=UTC).timestamp() * 1000) + 345
        entry = {"idx": len(entries), "version": "7", "when": when, "tag": tag, "breakpoints": True}
        entries.append(entry)
        self.sql("migrations/meta/_journal.json", json.dumps(said, indent=2))
        self.sql(f"migrations/{tag}.sql", _BETWEEN.join(f"{one};" for one in step.up))


class Folders(InSql):
    name, case, version = "Drizzle 1", "drizzle_names", "1.0.0-rc.5"
    no_mark = "not tried"
    packages = ("drizzle-orm@1.0.0-rc.5", "pg@8.16.3")
    script = _SCRIPT
    can_go_back = False

    def write(self, step: Step) -> None:
        folder = f"migrations/{step.day}_{step.name}"
        self.sql(f"{folder}/migration.sql", _BETWEEN.join(f"{one};" for one in step.up))
        self.sql(f"{folder}/snapshot.json", '{"version": "8", "dialect": "postgres"}')

    def file_of(self, step: Step) -> Path:
        return self.as_sql / f"{step.day}_{step.name}" / "migration.sql"


KINDS = (Journal, Folders)
