"""Rows that live would refuse are known before a script is written.

Held against offering each row to live by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.recovery.conftest import Incident

Build = Callable[..., Incident]

BEFORE = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE DOMAIN small AS int;
CREATE TABLE checked (id int PRIMARY KEY, n int);
INSERT INTO checked SELECT i, i % 9 FROM generate_series(1, 40) i;
CREATE TABLE some_unique (id int PRIMARY KEY, owner int, main boolean);
INSERT INTO some_unique SELECT i, i % 7, i % 3 = 0 FROM generate_series(1, 40) i;
CREATE TABLE folded (id int PRIMARY KEY, mail text);
INSERT INTO folded SELECT i, CASE WHEN i % 2 = 0 THEN 'Name' ELSE 'name' END || (i / 2)
  FROM generate_series(1, 40) i;
CREATE TABLE booked (id int PRIMARY KEY, room int, during int4range);
INSERT INTO booked SELECT i, i % 3, int4range(i, i + 4) FROM generate_series(1, 40) i;
CREATE TABLE narrow (id int PRIMARY KEY, name text, amount numeric, m mood, d small);
INSERT INTO narrow SELECT i, repeat('x', i), i * 1.5, (enum_range(NULL::mood))[1 + i % 3], i
  FROM generate_series(1, 40) i;
CREATE TABLE by_year (id int, year int, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
CREATE TABLE by_year_24 PARTITION OF by_year FOR VALUES IN (2024);
CREATE TABLE by_year_25 PARTITION OF by_year FOR VALUES IN (2025);
INSERT INTO by_year SELECT i, 2024 + i % 2 FROM generate_series(1, 40) i;
CREATE TABLE notes (id int PRIMARY KEY, checked_id int REFERENCES checked);
INSERT INTO notes SELECT i, i FROM generate_series(1, 40) i;
CREATE TABLE labelled (id int PRIMARY KEY, m mood, ms mood[]);
INSERT INTO labelled SELECT i, (enum_range(NULL::mood))[1 + i % 3],
  ARRAY[(enum_range(NULL::mood))[1 + i % 2]] FROM generate_series(1, 40) i;
"""
TABLES = ("checked", "some_unique", "folded", "booked", "narrow", "by_year")
CHANGE = f"""
DELETE FROM notes;
{"".join(f"DELETE FROM {t} WHERE id % 2 = 0;" for t in TABLES)}
DROP TABLE labelled;
ALTER TABLE checked ADD CONSTRAINT positive CHECK (n > 3) NOT VALID;
DELETE FROM some_unique WHERE id % 3 = 0 AND id > 20;
CREATE UNIQUE INDEX one_main ON some_unique (owner) WHERE main;
CREATE UNIQUE INDEX folded_mail ON folded (lower(mail));
CREATE EXTENSION btree_gist;
DELETE FROM booked WHERE id % 8 <> 1;
ALTER TABLE booked ADD CONSTRAINT no_overlap EXCLUDE USING gist (room WITH =, during WITH &&);
DELETE FROM narrow WHERE m = 'glad';
ALTER TABLE narrow ALTER COLUMN name TYPE varchar(50), ALTER COLUMN amount TYPE numeric(4, 2);
ALTER TYPE mood RENAME TO mood_was;
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE narrow ALTER COLUMN m TYPE mood USING m::text::mood;
DROP TYPE mood_was;
UPDATE narrow SET name = left(name, 20); ALTER TABLE narrow ALTER COLUMN name TYPE varchar(20);
ALTER DOMAIN small ADD CONSTRAINT not_12 CHECK (value <> 12) NOT VALID;
DROP TABLE by_year_24; ALTER TABLE by_year ADD COLUMN note text;
"""
CHANGE = CHANGE.replace(
    "ALTER TABLE narrow ALTER COLUMN name TYPE varchar(50), ALTER",
    "DELETE FROM narrow WHERE amount >= 100; ALTER TABLE narrow ALTER",
)
REASONS = {
    ("checked", "it breaks check constraint positive"),
    ("some_unique", "it collides with unique index one_main"),
    ("folded", "it collides with unique index folded_mail"),
    ("booked", "it collides with exclusion constraint no_overlap"),
    ("narrow", "its value does not fit column name of live"),
    ("narrow", "its value does not fit column m of live"),
    ("narrow", "it breaks check constraint not_12"),
    ("by_year", "no partition of live's table takes it"),
    ("labelled", "its value does not fit column m of live"),
    ("notes", "the row of checked that it refers to is gone"),
}


def _offered(found: Incident, table: str) -> int:
    """How many rows of the backup live takes back, offered one by one in order of keys."""
    taken = 0
    rows = (
        psycopg.connect(found.scratch.dsn(found.before))
        .execute(f"SELECT * FROM {table} ORDER BY id")
        .fetchall()
    )
    with psycopg.connect(found.dsn) as live:
        live.execute("SELECT 1")  # a transaction: what follows are savepoints in it
        for row in rows:
            texts = ", ".join(
                psycopg.sql.Literal(
                    str(v) if not isinstance(v, list) else "{" + ",".join(v) + "}"
                ).as_string()
                for v in row
            )
            try:
                with live.transaction():
                    insert = f"INSERT INTO {table} VALUES ({texts})"
                    live.execute(insert)  # type: ignore[call-overload]
                taken += 1
            except psycopg.Error:
                pass
        live.rollback()
    return taken


@pytest.fixture
def refused(incident: Build) -> Incident:
    return incident(BEFORE, CHANGE)


def test_rows_that_live_refuses_are_foreseen(refused: Incident) -> None:
    plan = refused.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, (plan.problem, plan.problems)
    targets = {str(t.name): t for t in plan.targets}
    for table in TABLES:
        assert targets[table].rows == _offered(refused, table), table
        assert targets[table].rows + targets[table].counts["conflicting"] == targets[table].missing
    # The type that the dropped table used has one label fewer now.
    kept = "SELECT count(*) FROM labelled WHERE m <> 'glad'"
    assert targets["labelled"].rows == int(refused.sql(kept, refused.before))
    assert targets["notes"].rows == int(
        refused.sql(
            "SELECT count(*) FROM notes WHERE checked_id % 2 = 1 OR checked_id % 9 > 3",
            refused.before,
        )
    )
    assert {(str(t.name), why) for t in plan.targets for why, _ in t.reasons} >= REASONS
    for _ in range(2):
        refused.run("recovery.sql")
        for table, target in targets.items():
            was = 0 if target.kind == "recreate" else target.live_rows
            assert int(refused.sql(f"SELECT count(*) FROM {table}")) == was + target.rows
    refused.run("undo.sql")
