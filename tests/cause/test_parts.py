"""Files that hold several migrations and say so: each statement is laid at its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.cause.history import History, place
from forensics.evidence.migrations import HistoryEntry, read_folder
from forensics.evidence.migrations.entries import Row
from forensics.evidence.migrations.tools import supabase
from forensics.model import TableName
from forensics.scratch import Scratch

ALEMBIC = Path(__file__).parents[1] / "cases" / "tools" / "alembic" / "migrations" / "upgrade.sql"


def entry(tool: str, name: str, **more: Any) -> HistoryEntry:
    return HistoryEntry(tool, TableName("public", tool), name, **more)


def alembic(*revisions: str) -> list[HistoryEntry]:
    return [entry("Alembic", name, cumulative=True, replaced=True) for name in revisions]


def placed(
    path: Path, backup: Sequence[HistoryEntry], live: Sequence[HistoryEntry]
) -> tuple[History, list[str]]:
    history = place({"backup": backup, "live": live}, {}, read_folder(path), None)
    return history, [one.name for one in history.between]


# --- Alembic --------------------------------------------------------------------------------------


@pytest.fixture
def upgraded(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path, case_folder: Path
) -> fx.Case:
    """A database that was at b2f0 when it was dumped, and to which the printed SQL was applied."""
    live = database(
        "CREATE TABLE boats (id int PRIMARY KEY, name text);"
        "INSERT INTO boats SELECT i, 'b' FROM generate_series(1, 9) i;"
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('b2f0')"
    )
    backup = scratch.dump(live, tmp_path / "backup.sql")
    scratch.run(live, ALEMBIC.read_text())
    return fx.compare(backup, scratch.dsn(live), case_folder)


def test_what_alembic_prints_is_laid_at_its_revisions(upgraded: fx.Case) -> None:
    found = upgraded.cause(ALEMBIC).found
    took = {}
    for one in found["statements"]:
        if one["rows"] and not one.get("history"):
            took[one["migration"]] = (one["line"], one["rows"])
    assert took == {"c3f0": (11, 3), "e5f0": (17, 1)}
    assert found["unexplained"] == []
    assert found["notes"] == []
    told = {
        one["name"]: (one["in_backup"], one["in_live"], one["file"]) for one in found["migrations"]
    }
    assert told == {
        "b2f0": (True, None, "absent"),
        "d4f0": (False, True, None),
        "c3f0": (False, True, None),
        "e5f0": (False, True, None),
    }
    upgraded.close()


def test_a_head_stands_for_its_own_branch_alone() -> None:
    _, between = placed(ALEMBIC, alembic("b2f0"), alembic("c3f0"))
    assert between == ["c3f0"]
    _, between = placed(ALEMBIC, alembic("b2f0"), alembic("c3f0", "d4f0"))
    assert between == ["d4f0", "c3f0"]


def test_the_statements_that_note_revisions_tell_them_too(tmp_path: Path) -> None:
    lines = []
    for line in ALEMBIC.read_text().splitlines():
        if not line.startswith("--"):
            lines.append(line)
    path = tmp_path / "upgrade.sql"
    path.write_text("\n".join(lines))
    found, between = placed(path, alembic("b2f0"), alembic("e5f0"))
    assert between == ["d4f0", "c3f0", "e5f0"]
    assert found.between[1].statements[0].text.startswith("DELETE FROM boats")


def test_one_revision_keeps_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "tidy.sql"
    path.write_text("-- Running upgrade a -> b\n\nDELETE FROM boats;\n")
    history, between = placed(path, alembic("a"), alembic("b"))
    assert between == ["tidy"]
    assert history.notes == ()


def test_what_takes_a_revision_back_is_not_the_revision(tmp_path: Path) -> None:
    path = tmp_path / "back.sql"
    path.write_text("-- Running downgrade b -> a\n\nDROP TABLE boats;\n")
    [one] = read_folder(path).migrations
    assert (one.name, one.takes_back) == ("back::b -> a", "b")
    assert placed(path, alembic("b"), alembic("b", "c"))[1] == []


def test_an_emptied_history_is_said() -> None:
    history, _ = placed(ALEMBIC, alembic("b2f0"), [])
    assert any("its history was edited" in note for note in history.notes)


# --- others ---------------------------------------------------------------------------------------

_LIQUIBASE = """--liquibase formatted sql

--changeset ann:1 labels:a
CREATE TABLE boats (id int);
--rollback DROP TABLE boats;

--changeset "ann lee":two-b runOnChange:true
DELETE FROM boats;
"""


def test_liquibase_changes_are_known_by_their_lines(tmp_path: Path) -> None:
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "one.sql").write_text(_LIQUIBASE)
    (tmp_path / "changes" / "two.sql").write_text(_LIQUIBASE.replace("boats", "ferries"))
    (tmp_path / "changelog.yaml").write_text("databaseChangeLog: []")
    live = []
    for name in ("changes/one.sql::1::ann", "changes/two.sql::two-b::ann lee"):
        live.append(entry("Liquibase", name))
    history, between = placed(tmp_path, [], live)
    assert between == ["changes/one.sql::1::ann", "changes/two.sql::two-b::ann lee"]
    assert history.between[1].statements[0].text == "DELETE FROM ferries"
    assert history.between[1].statements[0].line == 8
    elsewhere, between = placed(
        tmp_path / "changes" / "one.sql", [], [entry("Liquibase", "db/x/one.sql::1::ann")]
    )
    assert len(between) == 1
    assert elsewhere.notes == ()


def test_what_liquibase_prints_is_known_by_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "update.sql"
    path.write_text(
        "-- Changeset changes/a.xml::1::ann\nSELECT 1;\n-- Changeset changes/a.xml::2::ann\n"
        "DELETE FROM boats;\n"
    )
    _, between = placed(
        path,
        [entry("Liquibase", "changes/a.xml::1::ann")],
        [entry("Liquibase", "changes/a.xml::1::ann"), entry("Liquibase", "changes/a.xml::2::ann")],
    )
    assert between == ["changes/a.xml::2::ann"]


def test_what_ef_core_prints_ends_each_with_its_note(tmp_path: Path) -> None:
    path = tmp_path / "script.sql"
    texts = []
    for name in ("20260101_One", "20260201_Two"):
        texts.append(
            f"START TRANSACTION;\nDELETE FROM boats WHERE name = '{name}';\n"
            'INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion")\n'
            f"VALUES ('{name}', '9.0.0');\nCOMMIT;\n"
        )
    path.write_text("\n".join(texts))
    one, two = (entry("EF Core", name) for name in ("20260101_One", "20260201_Two"))
    history, between = placed(path, [one], [one, two])
    assert between == ["20260201_Two"]
    assert "20260201_Two" in history.between[0].statements[2].text


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("DELETE FROM boats;\nSELECT 'a;b';\n", "match"),
        ("DELETE  FROM boats;\r\n\r\nSELECT 'a;b';\r\n-- done", "match"),
        ("DELETE FROM ferries;\nSELECT 'a;b';\n", "edited"),
    ],
)
def test_supabase_keeps_what_ran(now: str, state: str, tmp_path: Path) -> None:
    path = tmp_path / "20260101000000_tidy.sql"
    path.write_bytes(now.encode())
    name = TableName("supabase_migrations", "schema_migrations")
    kept = '{"DELETE FROM boats","SELECT \'a;b\'"}'
    row = Row("Supabase", name, {"version": "20260101000000", "statements": kept})
    history, _ = placed(tmp_path, [], [supabase.entry(row)])
    assert [one.file for one in history.migrations] == [state]
    bare = Row("Supabase", name, {"version": "20260101000000", "statements": None})
    history, _ = placed(tmp_path, [], [supabase.entry(bare)])
    assert [one.file for one in history.migrations] == [None]


# --- Alembic, backward ----------------------------------------------------------------------------

_DOWN = """BEGIN;

-- Running downgrade c3 -> b2

DELETE FROM boats WHERE id > 7;

UPDATE alembic_version SET version_num='b2' WHERE alembic_version.version_num = 'c3';

-- Running downgrade b2 -> a1

ALTER TABLE boats DROP COLUMN name;

UPDATE alembic_version SET version_num='a1' WHERE alembic_version.version_num = 'b2';

COMMIT;
"""


def states(history: History) -> dict[str, str | None]:
    return {one.name: one.state for one in history.migrations}


def test_what_alembic_prints_of_a_downgrade_took_rows(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path, case_folder: Path
) -> None:
    live = database(
        "CREATE TABLE boats (id int PRIMARY KEY, name text);"
        "INSERT INTO boats SELECT i, 'b' FROM generate_series(1, 9) i;"
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('c3')"
    )
    backup = scratch.dump(live, tmp_path / "backup.sql")
    scratch.run(live, _DOWN)
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "down.sql").write_text(_DOWN)
    with fx.compare(backup, scratch.dsn(live), case_folder) as case:
        found = case.cause(tmp_path / "steps").found
    took = [(s["migration"], s["column"], s["rows"]) for s in found["statements"] if s["rows"]]
    took = [one for one in took if one[1] != "version_num"]
    assert ("down::c3 -> b2", None, 2) in took
    assert ("down::b2 -> a1", "name", 7) in took
    assert found["unexplained"] == found["unknown"] == []
    told = {
        one["name"]: (one["state"], one["in_backup"], one["in_live"]) for one in found["migrations"]
    }
    assert told["c3"] == ("rolled back", True, False)
    assert told["down::c3 -> b2"] == ("applied", False, True)
    assert not any("has no file" in note for note in found["notes"])


@pytest.mark.parametrize(
    ("backup", "live", "ways"),
    [
        (["c3"], ["b2"], ["down::c3 -> b2"]),
        (["c3"], ["a1"], ["down::c3 -> b2", "down::b2 -> a1"]),
        (["b2", "x"], ["a1", "x"], ["down::b2 -> a1"]),
        (["c3"], ["d4"], []),  # it went on, and came back from nowhere
        (["a1"], ["b2"], []),
        (["c3"], [], []),  # back to nothing, of which the file says nothing
    ],
)
def test_a_way_back_ran_where_it_leads_to_what_live_is_at(
    backup: list[str], live: list[str], ways: list[str], tmp_path: Path
) -> None:
    (tmp_path / "down.sql").write_text(_DOWN)
    history, between = placed(tmp_path, alembic(*backup), alembic(*live))
    assert between == ways
    assert [
        name for name, state in states(history).items() if state == "applied" and "->" in name
    ] == ways


def test_back_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "down.sql").write_text("-- Running downgrade a1 -> \n\nDROP TABLE boats;\n")
    history, between = placed(tmp_path, alembic("a1"), [])
    assert between == ["down::a1 -> nothing"]
    assert states(history)["a1"] == "rolled back"


def test_a_merge_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "down.sql").write_text("-- Running downgrade m -> a, b\n\nSELECT 1;\n")
    history, between = placed(tmp_path, alembic("m"), alembic("a", "b"))
    assert between == ["down::m -> a, b"]
    assert not any("no file" in note for note in history.notes)
