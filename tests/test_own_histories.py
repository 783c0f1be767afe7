"""A migration tool's own history is counted, marked, and in no sum, verdict or way back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch

_TOOLS = """
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('a1b2');
CREATE SCHEMA ops; CREATE TABLE ops.schema_migrations (version bigint PRIMARY KEY,
    dirty boolean NOT NULL);
INSERT INTO ops.schema_migrations VALUES (7, false);
CREATE SCHEMA jobs; CREATE TABLE jobs.flyway_schema_history (installed_rank int PRIMARY KEY,
    version text, description text, type text, script text, checksum int, installed_by text,
    installed_on timestamp DEFAULT now(), execution_time int, success boolean);
INSERT INTO jobs.flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 5, 'me',
    '2026-01-01', 1, true), (2, '2', 'b', 'SQL', 'V2__b.sql', 6, 'me', '2026-01-02', 1, true);
CREATE TABLE ferries (id int PRIMARY KEY, name text);
INSERT INTO ferries SELECT i, 'f' || i FROM generate_series(1, 30) i;
"""
_STEP = """
ALTER TABLE ferries ADD COLUMN note text;
UPDATE alembic_version SET version_num = 'c3d4';
DELETE FROM ops.schema_migrations; INSERT INTO ops.schema_migrations VALUES (8, false);
UPDATE jobs.flyway_schema_history SET checksum = 9 WHERE installed_rank = 2;
ALTER TABLE jobs.flyway_schema_history DROP COLUMN description;
"""
_HISTORIES = ["alembic_version", "flyway_schema_history", "schema_migrations"]


@pytest.fixture(scope="module")
def step(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an incident that is none: only histories were written."""
    folder = tmp_path_factory.mktemp("step")
    _happen(scratch, folder, "own_histories", _TOOLS, _STEP)
    (folder / "steps").mkdir()
    upgrade = "ALTER TABLE ferries ADD COLUMN note text;\nUPDATE alembic_version SET version_num = "
    (folder / "steps" / "c3d4_note.sql").write_text(f"{upgrade}'c3d4';\n")
    yield folder
    scratch.drop("own_histories")


def _happen(scratch: Scratch, folder: Path, database: str, before: str, change: str) -> None:
    scratch.create(database)
    scratch.run(database, before)
    scratch.dump(database, folder / "backup.sql")
    scratch.run(database, change)
    fx.compare(folder / "backup.sql", scratch.dsn(database), folder / "case").close()


def _told(*arguments: object) -> tuple[int, Any]:
    command = [sys.executable, "-m", "forensics", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_harmless_step_is_no_loss(step: Path, scratch: Scratch) -> None:
    live = scratch.dsn("own_histories")
    code, found = _told("compare", step / "backup.sql", live, "--case", step / "again")
    assert code == 0
    marked = [table["table"] for table in found["tables"] if table.get("history")]
    assert sorted(marked) == _HISTORIES
    assert found["totals"] == {
        "tables": 1,
        "backup_rows": 30,
        "missing": 0,
        "added": 0,
        "changed": 0,
        "unchanged": 30,
    }
    by_name = {table["table"]: table for table in found["tables"]}
    assert (by_name["alembic_version"]["missing"], by_name["alembic_version"]["added"]) == (1, 1)
    assert by_name["flyway_schema_history"]["changed"] == 1
    assert "history" not in by_name["ferries"]
    assert found["findings"] == []
    assert found["complete"]


def test_what_people_are_told(step: Path) -> None:
    with fx.open_case(step / "case") as case:
        assert case.nothing_missing
        assert case.verdict == "Nothing that was compared is missing from live."
        counting = case.tables.query("not history")
        assert list(counting["table"]) == ["ferries"]
        page = step / "report.md"
        case.report(page)
        said = page.read_text()
        assert (
            "**Nothing is missing but notes of the migration tool itself, which it replaced.**"
            in said
        )
        assert "## Loss by table" not in said


def test_no_statement_has_to_explain_it(step: Path) -> None:
    code, found = _told("cause", step / "case", "--migrations", step / "steps", "--ran", "c3d4*")
    assert code == 0
    assert found["unexplained"] == []
    assert found["unexplained_values"] == []
    own = [one for one in found["statements"] if one["table"] in _HISTORIES]
    assert all(one["history"] for one in own)
    with fx.open_case(step / "case") as case:
        assert case.cause(step / "steps").verdict == "No missing row is laid at a migration."


def test_nothing_of_it_has_a_price_or_returns(step: Path, scratch: Scratch) -> None:
    with fx.open_case(step / "case") as case:
        wishes = Wishes(scratch.dsn("own_histories"), False, None, None, (), scratch, ())
        plan = make_plan(case.store, step / "out", Scope(), wishes)
    assert plan.targets == ()
    told = {option.name: (option.recovers, option.destroys) for option in plan.options}
    assert told["full restore"] == (0, 0)
    assert told["reinsert lost rows"][0] == 0


_ORDINARY = """
CREATE TABLE schema_migrations (version int PRIMARY KEY, dirty boolean, approved_by text);
CREATE TABLE migrations (id int PRIMARY KEY, name text, "timestamp" timestamptz, species text);
CREATE TABLE version (id int PRIMARY KEY, document text);
CREATE TABLE changes (change_id int PRIMARY KEY, change text, committed_at date, price int);
CREATE SCHEMA birds;
CREATE TABLE birds.migrations (id int PRIMARY KEY, name text, "timestamp" timestamptz);
INSERT INTO birds.migrations SELECT i, 'stork', now() FROM generate_series(1, 9) i;
INSERT INTO schema_migrations SELECT i, false, 'x' FROM generate_series(1, 9) i;
INSERT INTO migrations SELECT i, 'stork', now(), 'bird' FROM generate_series(1, 9) i;
INSERT INTO version SELECT i, 'v' FROM generate_series(1, 9) i;
INSERT INTO changes SELECT i, 'c', now(), 1 FROM generate_series(1, 9) i;
"""


def test_a_table_that_only_has_the_name_is_an_ordinary_one(
    scratch: Scratch, tmp_path: Path
) -> None:
    tables = ("schema_migrations", "migrations", "version", "changes", "birds.migrations")
    change = "".join(f"DELETE FROM {name} WHERE ctid < '(0,4)';" for name in tables)
    _happen(scratch, tmp_path, "only_names", _ORDINARY, change)
    with fx.open_case(tmp_path / "case") as case:
        assert not any(table.get("history") for table in case.summary()["tables"])
        assert case.totals["missing"] == 15
        assert not case.nothing_missing
    scratch.drop("only_names")


def test_one_that_is_gone_or_empty_is_a_finding(scratch: Scratch, tmp_path: Path) -> None:
    change = "DROP TABLE alembic_version; DELETE FROM ops.schema_migrations"
    _happen(scratch, tmp_path, "gone_histories", _TOOLS, change)
    with fx.open_case(tmp_path / "case") as case:
        assert case.nothing_missing
        assert case.totals["missing"] == 0
        found = {finding.table: finding for finding in case.findings.itertuples()}
        assert {finding.kind for finding in found.values()} == {"migration history gone"}
        assert found.keys() == {"alembic_version", "schema_migrations"}
        assert "is gone from live" in found["alembic_version"].text
        assert "is empty in live" in found["schema_migrations"].text
        wishes = Wishes(scratch.dsn("gone_histories"), False, None, None, (), scratch, ())
        assert make_plan(case.store, tmp_path / "out", Scope(), wishes).targets == ()
        asked = Scope(tables=("alembic_version",))
        (target,) = make_plan(case.store, tmp_path / "asked", asked, wishes).targets
        assert (str(target.name), target.rows) == ("alembic_version", 1)
    scratch.drop("gone_histories")
