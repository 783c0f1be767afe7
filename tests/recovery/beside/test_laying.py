"""Lost rows beside the tables: all of them, in live's types, and gone without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from forensics.errors import UsageError
from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

ARCHIVE = """
CREATE SCHEMA old;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE shade AS ENUM ('dark');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE owners (id int PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE papers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  owner_id int NOT NULL REFERENCES owners, price numeric(9, 2), mood mood, n positive, data bytea,
  twice numeric GENERATED ALWAYS AS (price * 2) STORED);
CREATE TABLE old.papers (id int PRIMARY KEY, paper_id bigint REFERENCES papers, shade shade);
CREATE TABLE lines (a int, b text);
INSERT INTO owners SELECT i, 'owner ' || i FROM generate_series(1, 6) i;
INSERT INTO papers (owner_id, price, mood, n, data)
  SELECT 1 + i % 6, i / 4.0, 'ok', i, '\\x00ff' FROM generate_series(1, 30) i;
INSERT INTO old.papers SELECT i, i, 'dark' FROM generate_series(1, 30) i;
INSERT INTO lines SELECT i % 2, E'tab\\there\\nand a line' FROM generate_series(1, 8) i;
"""
BROKEN = """
DROP TABLE old.papers; DROP TYPE shade;
DELETE FROM papers WHERE owner_id IN (1, 2); DELETE FROM owners WHERE id = 1;
DELETE FROM lines WHERE a = 1;
"""


def test_all_lost_rows_are_laid_there_and_taken_away(incident: Build) -> None:
    found = incident(ARCHIVE, BROKEN)
    before = found.state()
    plan = found.plan(rehearse=True, into="restored")
    assert plan.holds and plan.rehearsal
    # Also the papers of an owner that is gone, and rows that nobody knows who took.
    proof = plan.rehearsal
    assert (proof.lost_before, proof.lost_after, proof.idempotent) == (45, 0, True)
    assert proof.undo_restores and proof.unchanged and plan.options[2].verified
    said = json.loads((found.out / "plan.json").read_text())
    assert said["into"]["schema"] == "restored" and said["into"]["rows"] == 45
    names = {(one["schema"], one["table"]): one["name"] for one in said["into"]["tables"]}
    assert names["public", "papers"] == "papers" and names["old", "papers"] == "old_papers"
    assert not (found.out / "check.sql").exists()

    assert "1 row in restored.owners" in found.run("recovery.sql")
    held = "SELECT {0} FROM {1} WHERE {2} ORDER BY id"
    for columns, ours, theirs, taken in (
        ("id, name", "restored.owners", "owners", "id = 1"),
        (
            "id, owner_id, price, mood, n, data",
            "restored.papers",
            "papers",
            "owner_id IN (1, 2)",
        ),
        ("id, paper_id, shade::text", "restored.old_papers", "old.papers", "true"),
    ):
        expected = found.sql(held.format(columns, theirs, taken), found.before)
        assert found.sql(held.format(columns, ours, "true")) == expected
    assert found.sql("SELECT count(*) FROM restored.lines WHERE b LIKE E'tab\\there\\n%'") == "4"
    types = found.sql(
        "SELECT string_agg(format_type(atttypid, atttypmod), ',' ORDER BY attnum) "
        "FROM pg_attribute WHERE attrelid = 'restored.papers'::regclass AND attnum > 0"
    )
    assert types == "bigint,integer,numeric(9,2),mood,positive,bytea"
    assert "has relations of these names already: lines, old_papers" in found.refuses(
        "recovery.sql"
    )
    found.run("undo.sql")
    assert found.state() == before
    assert "is gone" in found.run("undo.sql")


def test_a_schema_that_stood_before_stays(incident: Build) -> None:
    found = incident(ARCHIVE, f"{BROKEN} CREATE SCHEMA mine; CREATE TABLE mine.other (a int);")
    found.plan(into="mine")
    before = found.state()
    found.run("recovery.sql")
    found.run("undo.sql")
    assert found.state() == before
    found.sql("CREATE TABLE mine.lines (a int)")
    assert "Schema mine has relations of these names already: lines" in found.refuses(
        "recovery.sql"
    )
    assert "mine.lines is not the table that recovery.sql laid there" in found.refuses("undo.sql")


def test_looking_and_choosing_as_the_runbook_says(incident: Build) -> None:
    found = incident(ARCHIVE, BROKEN)
    found.plan(into="look", where=("owners.id = 1",))
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM look.papers") == "5"
    page = (found.out / "runbook.md").read_text()
    assert "# Runbook: look at the lost rows beside the tables" in page
    chosen = [line for line in page.splitlines() if line.startswith("INSERT INTO")]
    assert len(chosen) == 2
    # Parents first, with the numbers that they had.
    found.sql(f"BEGIN; {' '.join(chosen)} COMMIT;")
    assert found.sql("SELECT count(*) FROM papers WHERE owner_id = 1") == "5"
    questions = [line for line in page.splitlines() if line.startswith(("SELECT", "TABLE"))]
    assert len(questions) > 6
    for question in questions:
        found.sql(question)
    assert "25 rows of `old.papers`: they do not belong to what was asked for" in page


@pytest.mark.parametrize("schema", ["", "pg_mine", "information_schema", "x" * 64])
def test_names_that_no_schema_can_have(incident: Build, schema: str) -> None:
    found = incident("CREATE TABLE t (id int PRIMARY KEY)", "")
    with pytest.raises(UsageError):
        found.plan(into=schema)
