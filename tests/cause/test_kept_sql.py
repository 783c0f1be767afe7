"""A history that keeps the SQL which ran: it needs no file, and stands before an edited one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import CaseError
from forensics.evidence.migrations import read_folder
from forensics.scratch import Scratch

_PIERS = (
    "CREATE TABLE piers (id int PRIMARY KEY, berth text, note text);"
    "INSERT INTO piers SELECT i, 'b' || i, 'n' FROM generate_series(1, 9) i;"
)
_LEDGER = (
    "CREATE SCHEMA prisma_contract; CREATE TABLE prisma_contract.ledger (id bigserial PRIMARY KEY, "
    "created_at timestamptz DEFAULT now(), space text NOT NULL, migration_name text NOT NULL, "
    "migration_hash text, operations jsonb NOT NULL);"
)
_SUPABASE = (
    "CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations "
    "(version text PRIMARY KEY, statements text[], name text);"
)


def operation(sql: str, *params: object) -> list[dict[str, object]]:
    """What Prisma 8 keeps of one statement."""
    check = {"description": "is there", "sql": "SELECT count(*) > 0 FROM piers", "params": []}
    done = {"description": "does it", "sql": sql, "params": [*params]}
    return [{"id": "one", "precheck": [check], "execute": [done], "postcheck": [check]}]


OPERATIONS = operation("DELETE FROM piers WHERE berth = $1 OR id > $2", "b1", 7)


@pytest.fixture(scope="module")
def ledger(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The case of a migration that Prisma 8 ran."""
    folder = tmp_path_factory.mktemp("ledger")
    scratch.create("ledger")
    scratch.run("ledger", _PIERS + _LEDGER)
    scratch.dump("ledger", folder / "backup.sql")
    said = json.dumps(OPERATIONS).replace("'", "''")
    scratch.run(
        "ledger",
        "DELETE FROM piers WHERE berth = 'b1' OR id > 7;"
        "INSERT INTO prisma_contract.ledger (space, migration_name, operations) "
        f"VALUES ('app', '20260102T1000_trim', '{said}');",
    )
    fx.compare(folder / "backup.sql", scratch.dsn("ledger"), folder / "case").close()
    yield folder
    scratch.drop("ledger")


def took(found: fx.Case, folder: Path | None) -> tuple[list[tuple[str, int, int]], str | None]:
    """What statements took, by migration and line, and what is said of its file."""
    cause = found.cause(folder).found
    assert cause["unexplained"] == []
    rows = [(one["migration"], one["line"], one["rows"]) for one in cause["statements"]]
    [migration] = [one for one in cause["migrations"] if one["in_live"] and not one["in_backup"]]
    return rows, migration["file"]


def written(folder: Path, operations: object, indent: int | None = 2) -> Path:
    """A folder as Prisma 8 lays it out."""
    place = folder / "app" / "20260102T1000_trim"
    place.mkdir(parents=True)
    (place / "migration.json").write_text('{"createdAt": "2026-01-02T10:00:00Z"}')
    (place / "ops.json").write_text(json.dumps(operations, indent=indent))
    return folder


def test_without_a_folder_the_ledger_is_replayed(ledger: Path) -> None:
    with fx.open_case(ledger / "case") as case:
        assert took(case, None) == ([("20260102T1000_trim", 1, 3)], "absent")
        assert any("prisma_contract.ledger keeps of it" in note for note in case.cause().notes)


def test_the_file_is_read_with_its_lines(ledger: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "migrations", OPERATIONS)
    text = (folder / "app" / "20260102T1000_trim" / "ops.json").read_text().splitlines()
    line = [n for n, one in enumerate(text, 1) if "DELETE" in one]
    with fx.open_case(ledger / "case") as case:
        assert took(case, folder) == ([("20260102T1000_trim", *line, 3)], "match")
        assert not any("keeps of it" in note for note in case.cause().notes)


def test_a_file_that_was_reformatted_is_the_same(ledger: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "migrations", OPERATIONS, indent=None)
    with fx.open_case(ledger / "case") as case:
        assert took(case, folder / "app") == ([("20260102T1000_trim", 1, 3)], "match")


def test_an_edited_file_is_not_what_ran(ledger: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "migrations", operation("DELETE FROM piers WHERE id = 4"))
    with fx.open_case(ledger / "case") as case:
        assert took(case, folder) == ([("20260102T1000_trim", 1, 3)], "edited")
        assert any("was edited since it ran: what prisma" in note for note in case.cause().notes)


def test_supabase_keeps_what_ran(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(_PIERS + _SUPABASE)
    scratch.dump(live, tmp_path / "backup.sql")
    scratch.run(
        live,
        "DELETE FROM piers WHERE id < 3; INSERT INTO supabase_migrations.schema_migrations "
        "VALUES ('20260102', ARRAY['-- a \"quoted\" word, {brace}\nDELETE FROM piers "
        "WHERE id < 3 -- last', 'SELECT 1'], 'trim');",
    )
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "20260102_trim.sql").write_text("DELETE FROM piers WHERE id = 9;")
    with fx.compare(tmp_path / "backup.sql", scratch.dsn(live), tmp_path / "case") as case:
        assert took(case, folder) == ([("20260102_trim", 2, 2)], "edited")
        (folder / "20260102_trim.sql").unlink()
        (folder / "1_other.sql").write_text("SELECT 1;")
        assert took(case, folder) == ([("20260102", 2, 2)], "absent")


def test_a_case_whose_history_keeps_no_sql_needs_a_folder(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(_PIERS)
    scratch.dump(live, tmp_path / "backup.sql")
    scratch.run(live, "DELETE FROM piers WHERE id < 3")
    with (
        fx.compare(tmp_path / "backup.sql", scratch.dsn(live), tmp_path / "case") as case,
        pytest.raises(CaseError, match="was not looked for yet"),
    ):
        case.cause()


def test_two_planned_in_one_minute_keep_their_order(tmp_path: Path) -> None:
    for name, second in (("20260102T1000_b", 1), ("20260102T1000_a", 2)):
        place = tmp_path / "app" / name
        place.mkdir(parents=True)
        (place / "ops.json").write_text("[]")
        said = {"createdAt": f"2026-01-02T10:00:0{second}Z"}
        (place / "migration.json").write_text(json.dumps(said))
    names = [one.name for one in read_folder(tmp_path).migrations]
    assert names == ["20260102T1000_b", "20260102T1000_a"]
