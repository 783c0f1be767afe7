"""JavaScript tools whose migrations are code: what they run is kept as SQL beside them."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import Driven, Step


def _calls(statements: tuple[str, ...], call: str) -> str:
    return "\n".join(f"  await {call}({json.dumps(one)});" for one in statements)


class InCode(Driven):
    """Both ways are functions in a file; `migrations/NAME.sql` has what the forward one runs."""

    packages: tuple[str, ...]
    script: str

    @classmethod
    def fetch(cls) -> None:
        cls.home = fetched.npm(cls.case, *cls.packages)

    home: Path

    @abstractmethod
    def code(self, step: Step) -> tuple[str, str]:
        """The name of a migration's file, and what it holds."""

    def write(self, step: Step) -> None:
        name, text = self.code(step)
        self.sql(f"code/{name}", text)
        self.sql(f"migrations/{Path(name).stem}.sql", step.text)

    def _do(self, what: str) -> bool:
        self.sql("run.cjs", self.script)
        modules = str(self.home / "node_modules")
        (self.folder / "node_modules").unlink(missing_ok=True)
        (self.folder / "node_modules").symlink_to(modules)
        done = self.run(["node", "run.cjs", what, self.place.url], NODE_PATH=modules)
        return done.returncode == 0

    def up(self) -> bool:
        return self._do("up")

    def back(self, step: Step) -> bool:
        return self._do("down")


class Knex(InCode):
    name, case, version = "Knex", "knex", "3.3.0"
    packages = ("knex@3.3.0", "pg@8.16.3")
    script = """
    const knex = require('knex')({client: 'pg', connection: process.argv[3],
        migrations: {directory: './code'}});
    const done = process.argv[2] === 'up' ? knex.migrate.latest() : knex.migrate.down();
    done.then(() => knex.destroy(), (e) => { console.error(e); process.exit(1); });
    """

    def code(self, step: Step) -> tuple[str, str]:
        return f"{step.day}_{step.name}.js", (
            f"exports.up = async (knex) => {{\n{_calls(step.up, 'knex.raw')}\n}};\n"
            f"exports.down = async (knex) => {{\n{_calls(step.down, 'knex.raw')}\n}};\n"
        )


class Sequelize(InCode):
    name, case, version = "Sequelize, umzug", "sequelize", "6.37, 3.8"
    packages = ("sequelize@6.37.7", "umzug@3.8.3", "pg@8.16.3")
    script = """
    const {Sequelize} = require('sequelize'); const {Umzug, SequelizeStorage} = require('umzug');
    const sequelize = new Sequelize(process.argv[3], {logging: false});
    const umzug = new Umzug({migrations: {glob: 'code/*.js'}, logger: undefined,
        context: sequelize.getQueryInterface(), storage: new SequelizeStorage({sequelize})});
    const done = process.argv[2] === 'up' ? umzug.up() : umzug.down();
    done.then(() => sequelize.close(), (e) => { console.error(e); process.exit(1); });
    """

    def code(self, step: Step) -> tuple[str, str]:
        call = "q.sequelize.query"
        return f"{step.day}-{step.name}.js", (
            f"exports.up = async ({{context: q}}) => {{\n{_calls(step.up, call)}\n}};\n"
            f"exports.down = async ({{context: q}}) => {{\n{_calls(step.down, call)}\n}};\n"
        )


class TypeOrm(InCode):
    name, case, version = "TypeORM", "typeorm", "1.1.1"
    marks = True
    packages = ("typeorm@1.1.1", "pg@8.16.3", "reflect-metadata@0.2.2")
    script = """
    require('reflect-metadata');
    const {DataSource} = require('typeorm');
    const data = new DataSource({type: 'postgres', url: process.argv[3],
        migrations: [__dirname + '/code/*.js'], migrationsTransactionMode: 'each'});
    const done = data.initialize().then(() => process.argv[2] === 'down'
        ? data.undoLastMigration() : data.runMigrations({fake: process.argv[2] === 'fake'}));
    done.then(() => data.destroy(), (e) => { console.error(e); process.exit(1); });
    """

    def code(self, step: Step) -> tuple[str, str]:
        number = f"17000000000{step.number:02}"
        called = step.name.capitalize() + number
        return f"{number}-{step.name.capitalize()}.js", (
            f"exports.{called} = class {called} {{\n"
            f"async up(q) {{\n{_calls(step.up, 'q.query')}\n}}\n"
            f"async down(q) {{\n{_calls(step.down, 'q.query')}\n}}\n}};\n"
        )

    def mark(self, step: Step) -> bool:
        return self._do("fake")

    def file_of(self, step: Step) -> Path:
        return self.as_sql / f"17000000000{step.number:02}-{step.name.capitalize()}.sql"


class Kysely(InCode):
    name, case, version = "Kysely", "kysely", "0.28.8"
    packages = ("kysely@0.28.8", "pg@8.16.3")
    script = """
    const {Kysely, PostgresDialect, Migrator, FileMigrationProvider} = require('kysely');
    const {Pool} = require('pg'); const path = require('path');
    const db = new Kysely({dialect: new PostgresDialect({
        pool: new Pool({connectionString: process.argv[3]})})});
    const migrator = new Migrator({db, provider: new FileMigrationProvider({
        fs: require('fs').promises, path, migrationFolder: path.join(__dirname, 'code')})});
    const done = process.argv[2] === 'up' ? migrator.migrateToLatest() : migrator.migrateDown();
    done.then(async ({error}) => { await db.destroy(); if (error) throw error; })
        .catch((e) => { console.error(e); process.exit(1); });
    """

    def code(self, step: Step) -> tuple[str, str]:
        def body(statements: tuple[str, ...]) -> str:
            return "\n".join(f"  await sql.raw({json.dumps(s)}).execute(db);" for s in statements)

        return f"2026_{step.number:02}_{step.name}.js", (
            "const {sql} = require('kysely');\n"
            f"exports.up = async (db) => {{\n{body(step.up)}\n}};\n"
            f"exports.down = async (db) => {{\n{body(step.down)}\n}};\n"
        )


class MikroOrm(InCode):
    name, case, version = "MikroORM", "mikro_orm", "6.4.16"
    no_mark = "not tried"
    packages = (
        "@mikro-orm/core@6.4.16",
        "@mikro-orm/migrations@6.4.16",
        "@mikro-orm/postgresql@6.4.16",
    )
    script = """
    const {MikroORM, EntitySchema} = require('@mikro-orm/postgresql');
    const {Migrator} = require('@mikro-orm/migrations');
    const properties = {id: {type: 'number', primary: true}};
    const none = new EntitySchema({name: 'None', properties});
    MikroORM.init({clientUrl: process.argv[3], entities: [none], extensions: [Migrator],
        migrations: {path: './code', pathTs: './code', snapshot: false, allOrNothing: false}})
      .then(async (orm) => {
        const migrator = orm.getMigrator();
        await (process.argv[2] === 'up' ? migrator.up() : migrator.down());
        await orm.close();
      }).catch((e) => { console.error(e); process.exit(1); });
    """

    def code(self, step: Step) -> tuple[str, str]:
        called = f"Migration{step.day}_{step.name}"

        def body(statements: tuple[str, ...]) -> str:
            return "\n".join(f"  this.addSql({json.dumps(one)});" for one in statements)

        return f"{called}.js", (
            "const {Migration} = require('@mikro-orm/migrations');\n"
            f"exports.{called} = class {called} extends Migration {{\n"
            f"async up() {{\n{body(step.up)}\n}}\nasync down() {{\n{body(step.down)}\n}}\n}};\n"
        )


KINDS = (Knex, Sequelize, TypeOrm, Kysely, MikroOrm)
