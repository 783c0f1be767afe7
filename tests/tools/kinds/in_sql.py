"""JavaScript tools whose migrations are SQL files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import Driven, Step
from tests.tools.place import Place


class InSql(Driven):
    """A tool that a script of a few lines runs on `migrations/`."""

    packages: tuple[str, ...]
    script: str
    home: Path

    @classmethod
    def fetch(cls) -> None:
        cls.home = fetched.npm(cls.case, *cls.packages)

    def _do(self, what: str) -> bool:
        self.sql("run.mjs", self.script)
        (self.folder / "node_modules").unlink(missing_ok=True)
        (self.folder / "node_modules").symlink_to(self.home / "node_modules")
        return self.run(["node", "run.mjs", what, self.place.url]).returncode == 0

    def up(self) -> bool:
        return self._do("up")

    def back(self, step: Step) -> bool:
        return self._do("down")


class NodePgMigrate(InSql):
    name, case, version = "node-pg-migrate", "node_pg_migrate", "8.0.4"
    packages = ("node-pg-migrate@8.0.4", "pg@8.16.3")
    script = """
    import {runner} from 'node-pg-migrate';
    const [, , direction, databaseUrl] = process.argv;
    await runner({databaseUrl, dir: 'migrations', migrationsTable: 'pgmigrations',
        direction: direction === 'fake' ? 'up' : direction, fake: direction === 'fake',
        count: direction === 'down' ? 1 : Infinity, log: () => {}});
    """
    marks = True

    def write(self, step: Step) -> None:
        text = f"-- Up Migration\n{step.text}\n-- Down Migration\n{step.back}"
        self.sql(f"migrations/17000000000{step.number:02}_{step.name}.sql", text)

    def mark(self, step: Step) -> bool:
        return self._do("fake")


class Postgrator(InSql):
    name, case, version = "postgrator", "postgrator", "8.0.0"
    packages = ("postgrator@8.0.0", "pg@8.16.3")
    script = """
    import Postgrator from 'postgrator'; import pg from 'pg'; import fs from 'fs';
    const client = new pg.Client({connectionString: process.argv[3]}); await client.connect();
    const postgrator = new Postgrator({migrationPattern: 'migrations/*', driver: 'pg',
        database: new URL(process.argv[3]).pathname.slice(1),
        execQuery: (query) => client.query(query)});
    const at = await postgrator.getDatabaseVersion();
    await postgrator.migrate(process.argv[2] === 'up' ? 'max' : String(at - 1));
    await client.end();
    """

    def write(self, step: Step) -> None:
        self.sql(f"migrations/{step.number:03}.do.{step.name}.sql", step.text)
        self.sql(f"migrations/{step.number:03}.undo.{step.name}.sql", step.back)


class GraphileMigrate(InSql):
    name, case, version = "graphile-migrate", "graphile_migrate", "1.4.1"
    packages = ("graphile-migrate@1.4.1",)
    script = """
    import {migrate} from 'graphile-migrate';
    const connectionString = process.argv[3], migrationsFolder = process.cwd() + '/migrations';
    await migrate({connectionString, shadowConnectionString: connectionString + '_shadow',
        rootConnectionString: connectionString.replace(/[^/]*$/, 'postgres'), migrationsFolder});
    process.exit(0);
    """
    can_go_back = False

    def write(self, step: Step) -> None:
        folder = self.as_sql / "committed"
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(folder.iterdir())
        before, last = "", "-"
        if there:
            last = there[-1].read_text().split("--! Hash: ")[1].split("\n")[0]
            before = last
        body = step.text.strip()
        hashed = f"{before}\n{body}".strip() + "\n"
        digest = hashlib.sha1(hashed.encode(), usedforsecurity=False).hexdigest()
        heads = f"--! Previous: {last}\n--! Hash: sha1:{digest}\n\n"
        self.sql(f"migrations/committed/{len(there) + 1:06}-{step.name}.sql", f"{heads}{body}\n")
        self.sql("migrations/current.sql", "-- nothing\n")
        self.sql("migrations/afterReset.sql", "DELETE FROM boats;\n")


class Marv(InSql):
    name, case, version = "marv", "marv", "6.0.0"
    packages = ("marv@6.0.0", "marv-pg-driver@5.0.0", "pg@8.16.3")
    script = """
    import marv from 'marv/api/promise.js'; import driver from 'marv-pg-driver';
    const connection = new URL(process.argv[3]);
    const options = {connection: {host: connection.hostname, port: Number(connection.port),
        database: connection.pathname.slice(1), user: 'postgres', password: 'none'}};
    const migrations = await marv.scan(process.cwd() + '/migrations');
    await marv.migrate(migrations, driver(options));
    process.exit(0);
    """
    can_go_back = False

    def write(self, step: Step) -> None:
        self.sql(f"migrations/{step.number:03}_{step.name}.sql", step.text)


class PostgresMigrations(InSql):
    name, case, version = "postgres-migrations", "postgres_migrations", "5.3.0"
    packages = ("postgres-migrations@5.3.0", "pg@8.16.3")
    script = """
    import {migrate} from 'postgres-migrations';
    const to = new URL(process.argv[3]);
    await migrate({database: to.pathname.slice(1), user: 'postgres', password: 'none',
        host: to.hostname, port: Number(to.port), ensureDatabaseExists: false}, 'migrations');
    """
    can_go_back = False
    count = 0

    def write(self, step: Step) -> None:
        self.count += 1  # it takes no gaps
        self.sql(f"migrations/{self.count}_{step.name}.sql", step.text)


class DbMigrate(InSql):
    name, case, version = "db-migrate", "db_migrate", "0.11.14"
    packages = ("db-migrate@0.11.14", "db-migrate-pg@1.5.2")
    script = ""

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        at = self.place
        there = {"driver": "pg", "host": at.host, "port": at.port, "user": at.user}
        there |= {"database": at.database, "password": "none"}
        self.sql("database.json", json.dumps({"dev": there}))

    def write(self, step: Step) -> None:
        called = f"{step.day}-{step.name}"
        self.sql(f"migrations/sqls/{called}-up.sql", step.text)
        self.sql(f"migrations/sqls/{called}-down.sql", step.back)

        def way(which: str) -> str:
            return (
                f"exports.{which} = (db) => db.runSql(require('fs').readFileSync("
                f"__dirname + '/sqls/{called}-{which}.sql', 'utf8'));\n"
            )

        text = way("up") + way("down") + "exports._meta = {version: 1};\n"
        self.sql(f"migrations/{called}.js", text)

    def _do(self, what: str) -> bool:
        program = self.home / "node_modules" / "db-migrate" / "bin" / "db-migrate"
        (self.folder / "node_modules").unlink(missing_ok=True)
        (self.folder / "node_modules").symlink_to(self.home / "node_modules")
        return self.run(["node", program, what]).returncode == 0

    def file_of(self, step: Step) -> Path:
        return self.as_sql / "sqls" / f"{step.day}-{step.name}-up.sql"


KINDS = (NodePgMigrate, Postgrator, GraphileMigrate, Marv, PostgresMigrations, DbMigrate)
