"""Migrations that are code, beside some in SQL: not read, and never passed over in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cause.history import place
from forensics.evidence.live.source import LiveSource
from forensics.evidence.migrations import HistoryEntry, read_folder
from forensics.model import TableName
from forensics.preflight.check import pending
from forensics.scratch import Scratch

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


def test_what_is_pending_and_is_code_is_said(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for file in ("0001_boats.sql", "0002_trim.js", "0003_hull.js"):
        (tmp_path / file).write_text("SELECT 1;")
    ran = (
        "CREATE TABLE knex_migrations (id serial, name text, migration_time timestamptz);"
        "INSERT INTO knex_migrations (name) VALUES ('0001_boats.sql'), ('0002_trim.js');"
    )
    with LiveSource(scratch.dsn(database(ran))) as live:
        chosen, notes = pending(read_folder(tmp_path), live)
    assert chosen == ()
    [note] = notes
    assert note.startswith("0003_hull.js is code and not read")
