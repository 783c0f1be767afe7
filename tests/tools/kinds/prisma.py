"""Prisma 7, whose engine npm has as WebAssembly, and Prisma 8."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import HULL, Driven, Step
from tests.tools.kinds.in_sql import InSql
from tests.tools.place import Place


class Prisma7(InSql):
    """What `migrate deploy` and `migrate resolve` call, called by a script."""

    name, case, version = "Prisma 7", "prisma", "7.10"
    packages = (
        "@prisma/schema-engine-wasm@7.10.0-7.561d7b42579a2459cc8edf3788918b626c640023",
        "@prisma/adapter-pg@7.10.1",
        "@prisma/driver-adapter-utils@7.10.1",
    )
    script = """
    import fs from 'fs'; import {PrismaPg} from '@prisma/adapter-pg';
    import {bindMigrationAwareSqlAdapterFactory as bound} from '@prisma/driver-adapter-utils';
    const [, , what, connectionString] = process.argv;
    const at = fs.realpathSync('node_modules') + '/@prisma/schema-engine-wasm/schema_engine_bg';
    const engine = await import(at + '.js');
    const {instance} = await WebAssembly.instantiate(fs.readFileSync(at + '.wasm'),
        {'./schema_engine_bg.js': engine});
    engine.__wbg_set_wasm(instance.exports); instance.exports.__wbindgen_start();
    const schema = 'datasource db { provider = "postgresql" }';
    const it = await engine.SchemaEngine.new({datamodels: [['schema.prisma', schema]]}, () => {},
        bound(new PrismaPg({connectionString})));
    const text = (name) => fs.readFileSync(`migrations/${name}/migration.sql`, 'utf8');
    const migrationDirectories = fs.readdirSync('migrations').sort().map((path) => (
        {path, migrationFile: {path: 'migration.sql', content: {tag: 'ok', value: text(path)}}}));
    const migrationsList = {baseDir: process.cwd() + '/migrations', shadowDbInitScript: '',
        lockfile: {path: 'migration_lock.toml', content: 'provider = "postgresql"'},
        migrationDirectories};
    if (what === 'up') await it.applyMigrations({migrationsList,
        filters: {externalTables: [], externalEnums: []}});
    else if (what === 'mark') await it.markMigrationApplied({migrationsList,
        migrationName: process.argv[4]});
    else await it.markMigrationRolledBack({migrationName: process.argv[4]});
    process.exit(0);
    """
    can_go_back = False
    resolves = True
    marks = True

    def write(self, step: Step) -> None:
        self.sql(f"migrations/{step.day}_{step.name}/migration.sql", step.text)

    def _tell(self, what: str, step: Step) -> bool:
        called = f"{step.day}_{step.name}"
        return self.run(["node", "run.mjs", what, self.place.url, called]).returncode == 0

    def back(self, step: Step) -> bool:
        return self._tell("back", step)

    def mark(self, step: Step) -> bool:
        return self._tell("mark", step)

    def file_of(self, step: Step) -> Path:
        return self.as_sql / f"{step.day}_{step.name}" / "migration.sql"


class Prisma8(Driven):
    """Each step changes the contract by a column of `log`, and has an operation in SQL besides."""

    name, case, version = "Prisma 8", "prisma_8", "8.0.0-rc.13"
    no_mark = "not tried"
    packages = (
        "prisma@8.0.0-rc.19",
        "@prisma/orm-postgres@8.0.0-rc.13",
        "@prisma/cli-engine@0.6.2",
        "typescript@5.9.3",
    )
    can_go_back = False
    no_way_back = "by a migration of its own"
    beside = ("log",)
    home: Path

    @classmethod
    def fetch(cls) -> None:
        cls.home = fetched.npm(cls.case, *cls.packages)

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        self.steps: list[Step] = []
        self.at = "@empty"
        (folder / "node_modules").symlink_to(self.home / "node_modules")
        self.sql("package.json", '{"private": true, "type": "module"}')
        self.sql(
            "prisma.config.ts",
            "import {definePrismaConfig} from '@prisma/cli-engine';\n"
            "import {defineConfig} from '@prisma/orm-postgres/config';\n"
            "export default definePrismaConfig({orm: defineConfig({contract: './contract.prisma',\n"
            f"    db: {{connection: '{place.url}'}}}})}});\n",
        )

    def _prisma(self, *words: str) -> str:
        package = json.loads((self.home / "node_modules/prisma/package.json").read_text())
        program = "node_modules/prisma/" + package["bin"]["prisma"]
        options = ["--no-interactive", "--format", "human", "--confirm", self.folder.name]
        done = self.run(["node", program, *words, *options])
        self.well = done.returncode == 0
        return done.stdout + done.stderr

    def write(self, step: Step) -> None:
        self.steps.append(step)
        hull = "" if HULL in self.steps else "hull String?\n"
        columns = "".join(f"{one.name} Int?\n" for one in self.steps)
        self.sql(
            "contract.prisma",
            "// use prisma-8\n"
            f'model Boat {{\nid Int @id\nname String\n{hull}@@map("boats")\n}}\n'
            f'model Log {{\nid Int @id\n{columns}@@map("log")\n}}\n',
        )
        self._prisma("contract", "emit")
        said = self._prisma("migration", "plan", "--from", self.at, "--name", step.name)
        assert self.well, said
        [place] = (self.folder / "migrations" / "app").glob(f"*_{step.name}")
        to = json.loads((place / "migration.json").read_text())["to"]
        operations = json.loads((place / "ops.json").read_text())
        sql = [] if step is HULL else [one for one in step.up if "CREATE TABLE" not in one]
        for number, one in enumerate(sql):
            operations.append(_operation(f"{step.name}{number}", one))
        self._say(place, operations, to)
        self.at = to

    def _say(self, place: Path, operations: list[object], to: str) -> None:
        """Have the tool itself write ops.json, with these operations."""
        for file in place.glob("migration.ts"):
            file.unlink()
        ends = [("end", to)]
        if self.at != "@empty":
            ends.append(("start", self.at))
        imports = "".join(
            f"import {one} from '../../snapshots/{it}/contract.json' with {{type: 'json'}};\n"
            for one, it in ends
        )
        fields = "".join(f"  {one}ContractJson = {one};\n" for one, _ in ends)
        text = (
            f"{imports}import {{Migration, MigrationCLI, rawSql}} from "
            "'@prisma/orm-postgres/migration';\n"
            f"export default class M extends Migration {{\n{fields}"
            f"  get operations() {{ return {json.dumps(operations)}.map(rawSql); }}\n}}\n"
            "MigrationCLI.run(import.meta.url, M);\n"
        )
        (place / "migration.mjs").write_text(text)
        done = self.run(["node", place / "migration.mjs"])
        assert done.returncode == 0, done.stderr

    def up(self) -> bool:
        self._prisma("db", "migrate")
        return self.well

    def file_of(self, step: Step) -> Path:
        [place] = (self.folder / "migrations" / "app").glob(f"*_{step.name}")
        return place / "ops.json"


def _operation(name: str, sql: str) -> dict[str, object]:
    return {
        "id": name,
        "label": re.sub(r"\W+", " ", name),
        "operationClass": "data",
        "target": {"id": "postgres"},
        "precheck": [],
        "execute": [{"description": name, "sql": sql}],
        "postcheck": [],
    }


KINDS = (Prisma7, Prisma8)
