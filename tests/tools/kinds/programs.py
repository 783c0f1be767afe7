"""Programs: in npm's packages, and in Debian's."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import Driven, Step
from tests.tools.place import Place


class Dbmate(Driven):
    name, case, version = "dbmate", "dbmate", "2.36.0"
    home: Path

    @classmethod
    def fetch(cls) -> None:
        cls.home = fetched.npm("dbmate", "@dbmate/linux-x64@2.36.0")

    def write(self, step: Step) -> None:
        text = f"-- migrate:up\n{step.text}\n-- migrate:down\n{step.back}"
        self.sql(f"migrations/{step.day}_{step.name}.sql", text)

    def _dbmate(self, what: str) -> bool:
        program = self.home / "node_modules/@dbmate/linux-x64/bin/dbmate"
        url = f"{self.place.url}?sslmode=disable"
        options = ["--no-dump-schema", "--url", url, "--migrations-dir", "migrations"]
        return self.run([program, *options, what]).returncode == 0

    def up(self) -> bool:
        return self._dbmate("migrate")

    def back(self, step: Step) -> bool:
        return self._dbmate("rollback")


class Supabase(Driven):
    name, case, version = "Supabase", "supabase", "3.1.0"
    can_go_back = False
    marks = True
    home: Path

    @classmethod
    def fetch(cls) -> None:
        cls.home = fetched.npm("supabase", "@supabase/cli-linux-x64@3.1.0")

    def write(self, step: Step) -> None:
        self.sql(f"supabase/migrations/{step.day}_{step.name}.sql", step.text)

    @property
    def as_sql(self) -> Path:
        return self.folder / "supabase" / "migrations"

    def up(self) -> bool:
        return self._supabase("db", "push", "--include-all", "--yes")

    def mark(self, step: Step) -> bool:
        return self._supabase("migration", "repair", "--status", "applied", step.day, "--yes")

    def _supabase(self, *words: str) -> bool:
        program = self.home / "node_modules/@supabase/cli-linux-x64/bin/supabase"
        url = f"{self.place.url}?sslmode=disable"
        done = self.run([program, *words, "--db-url", url], SUPABASE_TELEMETRY_DISABLED="1")
        return done.returncode == 0


class Sqitch(Driven):
    name, case, version = "sqitch", "sqitch", "1.3.1"
    marks = True
    logs = True

    @classmethod
    def fetch(cls) -> None:
        fetched.debian("sqitch", "sqitch", "libdbd-pg-perl", "postgresql-client")

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        self.target = place.url.replace("postgresql:", "db:pg:")
        self._sqitch("init", "yard", "--engine", "pg", "--top-dir", "migrations")

    def _sqitch(self, *words: str) -> bool:
        who = {"SQITCH_FULLNAME": "Ann", "SQITCH_EMAIL": "ann@example.org"}
        return self.run(["sqitch", *words], HOME=str(self.folder), **who).returncode == 0

    def write(self, step: Step) -> None:
        self._sqitch("add", step.name, "-n", step.name)
        begun = f"-- {step.name}: two of one text are refused\nBEGIN;\n{{}}COMMIT;\n"
        self.sql(f"migrations/deploy/{step.name}.sql", begun.format(step.text))
        self.sql(f"migrations/revert/{step.name}.sql", begun.format(step.back))

    def up(self) -> bool:
        return self._sqitch("deploy", self.target)

    def back(self, step: Step) -> bool:
        went = self._sqitch("revert", "--to", "@HEAD^", "-y", self.target)
        plan = self.as_sql / "sqitch.plan"
        lines = plan.read_text().splitlines(keepends=True)
        plan.write_text("".join(one for one in lines if not one.startswith(step.name)))
        return went

    def mark(self, step: Step) -> bool:
        return self._sqitch("deploy", "--log-only", self.target)

    def file_of(self, step: Step) -> Path:
        return self.as_sql / "deploy" / f"{step.name}.sql"


class SqlMigrate(Driven):
    name, case, version = "sql-migrate", "sql_migrate", "1.2"
    marks = True

    @classmethod
    def fetch(cls) -> None:
        fetched.debian("sql-migrate", "sql-migrate")

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        source = f"host={place.host} port={place.port} dbname={place.database} user={place.user}"
        self.sql(
            "dbconfig.yml",
            "development:\n  dialect: postgres\n  dir: migrations\n"
            f"  datasource: {source} sslmode=disable\n",
        )

    def write(self, step: Step) -> None:
        text = f"-- +migrate Up\n{step.text}\n-- +migrate Down\n{step.back}"
        self.sql(f"migrations/{step.number:04}_{step.name}.sql", text)

    def up(self) -> bool:
        return self.run(["sql-migrate", "up"]).returncode == 0

    def back(self, step: Step) -> bool:
        return self.run(["sql-migrate", "down", "-limit=1"]).returncode == 0

    def mark(self, step: Step) -> bool:
        return self.run(["sql-migrate", "skip"]).returncode == 0


class Liquibase(Driven):
    """Files of SQL that it calls formatted."""

    name, case, version = "Liquibase (SQL)", "liquibase", "4.28.1"
    ending = "sql"
    marks = True
    home: Path

    @classmethod
    def fetch(cls) -> None:
        fetched.debian("java", "default-jre-headless")
        cls.home = fetched.npm("liquibase", "liquibase@4.28.1")

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        self.steps: list[Step] = []

    def write(self, step: Step) -> None:
        self.steps.append(step)
        text = (
            f"--liquibase formatted sql\n\n--changeset ann:{step.number}\n{step.text}"
            f"--rollback {step.down[0]};\n"
        )
        self.sql(f"migrations/{step.number:03}_{step.name}.sql", text)
        self._list()

    @property
    def changes(self) -> Path:
        """The folder of the files that the master lists."""
        return self.as_sql

    def _list(self) -> None:
        files = sorted(path.name for path in self.changes.glob(f"*.{self.ending}"))
        folder = self.changes.name
        included = "".join(f'  <include file="{folder}/{one}"/>\n' for one in files)
        self.sql("changelog.xml", _XML.format(included))

    def _liquibase(self, *words: str) -> bool:
        return self.printed(*words)[0]

    def printed(self, *words: str) -> tuple[bool, str]:
        jars = self.home / "node_modules/liquibase/dist/liquibase"
        paths = [jars / "internal/lib/*", jars / "lib/*", jars]
        url = f"jdbc:postgresql://127.0.0.1:{self.place.port}/{self.place.database}"
        said = [f"--url={url}", "--username=postgres", "--password=none"]
        told = ["--changelog-file=changelog.xml", "--search-path=."]
        program = ["java", "-cp", ":".join(map(str, paths))]
        program += ["liquibase.integration.commandline.LiquibaseCommandLine"]
        done = self.run([*program, *told, *said, *words], LIQUIBASE_ANALYTICS_ENABLED="false")
        return done.returncode == 0, done.stdout

    def up(self) -> bool:
        self._list()
        return self._liquibase("update")

    def back(self, step: Step) -> bool:
        return self._liquibase("rollback-count", "--count=1")

    def mark(self, step: Step) -> bool:
        self._list()
        return self._liquibase("changelog-sync")


class LiquibaseXml(Liquibase):
    """What `update-sql` prints is their SQL, in one file."""

    name, case = "Liquibase (XML)", "liquibase_xml"
    ending = "xml"

    @property
    def changes(self) -> Path:
        return self.folder / "changes"

    def write(self, step: Step) -> None:
        statements = "".join(f"<sql>{one}</sql>\n" for one in step.up)
        change = f'<changeSet id="{step.number}" author="ann">\n{statements}'
        change += f"<rollback>{step.down[0]}</rollback></changeSet>\n"
        self.sql(f"changes/{step.number:03}_{step.name}.xml", _XML.format(change))

    def up(self) -> bool:
        self._list()
        went, text = self.printed("update-sql")
        if went:
            printed = self.as_sql / "update.sql"
            before = printed.read_text() if printed.exists() else ""
            # The machine's name is nobody's business.
            text = re.sub(r"LOCKEDBY = '[^']*'", "LOCKEDBY = 'here'", text)
            self.sql("migrations/update.sql", before + text)
        return self._liquibase("update")

    def file_of(self, step: Step) -> Path:
        return self.as_sql / "update.sql"


class LiquibaseYaml(LiquibaseXml):
    name, case = "Liquibase (YAML)", "liquibase_yaml"
    ending = "yaml"

    def write(self, step: Step) -> None:
        head = f"databaseChangeLog:\n- changeSet:\n    id: {step.number}\n    author: ann\n"
        statements = "".join(f"    - sql: {json.dumps(one)}\n" for one in step.up)
        back = f"    rollback:\n    - sql: {json.dumps(step.down[0])}\n"
        text = f"{head}    changes:\n{statements}{back}"
        self.sql(f"changes/{step.number:03}_{step.name}.yaml", text)


_XML = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://www.liquibase.org/xml/ns/dbchangelog
  http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd">
{}</databaseChangeLog>
"""


KINDS = (Dbmate, Supabase, Sqitch, SqlMigrate, Liquibase, LiquibaseXml, LiquibaseYaml)
