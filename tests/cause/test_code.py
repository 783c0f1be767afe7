"""Migrations that are code, beside some in SQL: not read, and never passed over in silence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cause.history import place
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import HistoryEntry, read_folder
from forensics.investigation import compare
from forensics.model import TableName
from forensics.preflight.check import pending
from forensics.scratch import Scratch
from tests.preflight.flying import fly
from tests.test_cli import run

# tool: (the name in its history, its file, what writes it as SQL)
CODE = {
    "Knex": ("20260201000000_trim", "20260201000000_trim.js", "the tool logs"),
    "node-pg-migrate": ("1700000000002_trim", "1700000000002_trim.ts", "the tool logs"),
    "TypeORM": ("Trim1700000000002", "1700000000002-Trim.ts", "the tool logs"),
    "Rails or dbmate": ("20260201000000", "20260201000000_trim.rb", "rails db:migrate"),
    "Ecto": ("20260201000000", "20260201000000_trim.exs", "mix ecto.migrate"),
    "Django": ("yard.0002_trim", "0002_trim.py", "sqlmigrate"),
    "Laravel": ("2026_02_01_000000_trim", "2026_02_01_000000_trim.php", "--pretend"),
    "MikroORM": ("Migration20260201000000", "Migration20260201000000.ts", "the tool logs"),
    "Flyway": ("db.migration.V2__Trim", "V2__Trim.java", "-dryRunOutput"),
    "goose": ("2", "00002_trim.go", "the statements that it runs"),
    "EF Core": ("20260201000000_Trim", "20260201000000_Trim.cs", "dotnet ef"),
}


@pytest.mark.parametrize("tool", CODE)
def test_what_ran_and_is_code_is_said(tool: str, tmp_path: Path) -> None:
    name, file, as_sql = CODE[tool]
    (tmp_path / "0001_boats.sql").write_text("SELECT 1;")
    (tmp_path / file).write_text("code")
    live = [HistoryEntry(tool, TableName("public", "history"), name)]
    history = place({"backup": [], "live": live}, {}, read_folder(tmp_path), None)
    [note] = [one for one in history.notes if "is not read" in one]
    assert f"is code: {file} is not read" in note
    assert as_sql in note
    assert not any("has no file" in one for one in history.notes)


def test_code_of_which_there_is_sql_is_read(tmp_path: Path) -> None:
    for name in ("0001_boats", "0002_trim"):
        (tmp_path / f"{name}.sql").write_text("SELECT 1;")
        (tmp_path / f"{name}.js").write_text("code")
    for other in (
        "knexfile.js",
        "0002_trim.d.ts",
        "node_modules/0003_x.js",
        "20260101_A.Designer.cs",
    ):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("code")
    assert read_folder(tmp_path).unread == ()
    (tmp_path / "0003_more.js").write_text("code")
    assert [one.path.name for one in read_folder(tmp_path).unread] == ["0003_more.js"]
    assert read_folder(tmp_path / "0001_boats.sql").unread == ()


KNEX = "CREATE TABLE knex_migrations (id serial, name text, migration_time timestamptz);"
TWO = KNEX + "INSERT INTO knex_migrations (name) VALUES ('0001_boats.sql'), ('0002_trim.js');"
BOATS = "CREATE TABLE boats (id int); INSERT INTO boats SELECT generate_series(1, 9);"


def open_in(folder: Path, dsn: str) -> list[tuple[str, str, int | None]]:
    """The hazards that were found, and whether the question is open."""
    flight = fly(folder, dsn)
    found = [(w.hazard.code, w.migration, w.rows) for w in flight.hazards]
    assert flight.uncounted == any(code == "not-read" for code, _, _ in found)
    return found


def test_what_is_pending_and_is_code_is_open(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "0001_boats.sql").write_text(BOATS)
    (tmp_path / "0002_trim.js").write_text("code")
    dsn = scratch.dsn(database(TWO + BOATS))
    assert open_in(tmp_path, dsn) == []
    (tmp_path / "0003_hull.js").write_text("code")
    assert open_in(tmp_path, dsn) == [("not-read", "0003_hull.js", None)]
    assert fly(tmp_path, dsn, rehearse=True).uncounted
    # What would be destroyed besides is said, and the question stays open.
    (tmp_path / "0004_away.sql").write_text("DROP TABLE boats;")
    done = run("preflight", tmp_path, dsn, "--json")
    assert done.returncode == 2
    said = json.loads(done.stdout)
    assert [(h["hazard"], h["rows"]) for h in said["hazards"]] == [
        ("drop-table", 9),
        ("not-read", None),
    ]
    assert said["migrations"] == ["0004_away", "0003_hull.js"]
    assert said["notes"][0].startswith("0003_hull.js is code and not read")
    people = run("preflight", tmp_path, dsn)
    assert "Something that may destroy could not be counted." in " ".join(people.stdout.split())
    (tmp_path / "0003_hull.sql").write_text("SELECT 1;")
    assert open_in(tmp_path, dsn) == [("drop-table", "0004_away", 9)]


def alembic(folder: Path, name: str, after: str) -> None:
    """A revision as Alembic names its files: by no number."""
    (folder / f"{name}_change.py").write_text(
        f"from alembic import op\nrevision: str = '{name}'\n"
        f"down_revision: str | None = {after}\n\ndef upgrade():\n    pass\n"
    )


def test_alembic_says_in_its_files_what_came_before(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for name, after in (("ae1", "None"), ("b2f", "'ae1'"), ("c3d", "('b2f',)"), ("d4e", "'c3d'")):
        alembic(tmp_path, name, after)
    (tmp_path / "env.py").write_text("from alembic import context\n")
    (tmp_path / "upgrade.sql").write_text(
        "-- Running upgrade c3d -> d4e\nSELECT 1;\n"
        "UPDATE alembic_version SET version_num='d4e' WHERE alembic_version.version_num = 'c3d';\n"
    )
    folder = read_folder(tmp_path)
    assert [one.path.name[:3] for one in folder.unread] == ["ae1", "b2f", "c3d"]
    ran = "CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES "
    with LiveSource(scratch.dsn(database(f"{ran}('b2f');"))) as live:
        found = pending(folder, live)
    assert [one.path.name[:3] for one in found.unread] == ["c3d"]
    # Between ae1 and d4e, b2f and c3d ran as code.
    sides = {}
    for side, name in (("backup", "ae1"), ("live", "d4e")):
        table = TableName("public", "alembic_version")
        sides[side] = [HistoryEntry("Alembic", table, name, cumulative=True, replaced=True)]
    history = place(sides, {}, folder, None)
    assert [sentence[:3] for sentence in history.unread] == ["b2f", "c3d"]


def test_liquibase_says_in_its_files_which_changes_they_hold(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("--liquibase formatted sql\n--changeset ann:1\nSELECT 1;\n")
    (tmp_path / "master.xml").write_text(
        '<databaseChangeLog xmlns="x"><include file="a.sql"/></databaseChangeLog>'
    )
    (tmp_path / "two.xml").write_text(
        '<databaseChangeLog>\n<changeSet author="ann" id="2">\n<dropTable tableName="t"/>\n'
        "</changeSet>\n<changeSet id='3' author='bob'/></databaseChangeLog>"
    )
    (tmp_path / "three.yaml").write_text(
        "databaseChangeLog:\n  - changeSet:\n      id: 4\n      author: ann\n"
        "      changes:\n        - dropTable: {tableName: t}\n"
        "  - changeSet:\n      id: 5\n      author: ann\n"
    )
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    unread = read_folder(tmp_path).unread
    assert [one.name for one in unread] == [
        "three.yaml::4::ann",
        "three.yaml::5::ann",
        "two.xml::2::ann",
        "two.xml::3::bob",
    ]
    assert [one.is_of("changes/two.xml::2::ann") for one in unread] == [False, False, True, False]


@pytest.mark.parametrize(("more", "status"), [("", 1), ("DELETE FROM boats WHERE id = 3;", 2)])
def test_cause_is_open_where_code_may_have_taken_the_rest(
    more: str,
    status: int,
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    case_folder: Path,
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_boats.sql").write_text(BOATS)
    (folder / "0002_trim.js").write_text("code")
    (folder / "0003_less.sql").write_text("DELETE FROM boats WHERE id > 7;")
    name = database(KNEX + BOATS + "INSERT INTO knex_migrations (name) VALUES ('0001_boats.sql');")
    backup = scratch.dump(name, tmp_path / "backup.sql")
    ran = "INSERT INTO knex_migrations (name) VALUES ('0002_trim.js'), ('0003_less.sql');"
    scratch.run(name, f"DELETE FROM boats WHERE id > 7; {more} {ran}")
    compare(backup, scratch.dsn(name), case_folder).close()
    done = run("cause", case_folder, "--migrations", folder, "--json")
    assert done.returncode == status
    found = json.loads(done.stdout)
    assert [(s["migration"], s["rows"]) for s in found["statements"]] == [("0003_less", 2)]
    said = found["unknown"] if more else found["notes"]
    assert any(sentence.startswith("0002_trim ran between") for sentence in said), said
