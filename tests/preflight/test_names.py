"""Statements that must fail on what is there already, and those that only look like it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from tests.preflight.flying import fly

BEFORE = """
CREATE SCHEMA store;
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE carts (id int PRIMARY KEY, owner int, note text, feels mood);
CREATE INDEX carts_owner ON carts (owner);
ALTER TABLE carts ADD CONSTRAINT carts_small CHECK (id < 1000);
CREATE TABLE owners (id serial PRIMARY KEY, name text);
CREATE TABLE store.shelves (id int PRIMARY KEY);
CREATE VIEW full_carts AS SELECT id FROM carts;
CREATE SEQUENCE numbers;
CREATE FUNCTION tick() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER ticking BEFORE INSERT ON carts FOR EACH ROW EXECUTE FUNCTION tick();
INSERT INTO carts SELECT i, i, 'n' FROM generate_series(1, 5) i;
"""
TAKEN, ABSENT = "name-taken", "not-there"

FAIL = {
    "CREATE TABLE public.carts (id int);": [(1, TAKEN)],
    "CREATE TABLE full_carts (id int);": [(1, TAKEN)],
    "CREATE TABLE mood (id int);": [(1, TAKEN)],
    "CREATE TABLE new (id int CONSTRAINT carts_pkey PRIMARY KEY);": [(1, TAKEN)],
    "CREATE TABLE carts AS SELECT 1 AS a;": [(1, TAKEN)],
    "CREATE TABLE nowhere.carts (id int);": [(1, ABSENT)],
    "ALTER TABLE carts ADD COLUMN note text;": [(1, TAKEN)],
    "ALTER TABLE carts ADD note text, ADD other text;": [(1, TAKEN)],
    "ALTER TABLE nowhere ADD note text;": [(1, ABSENT)],
    "ALTER TABLE carts RENAME TO owners;": [(1, TAKEN)],
    "ALTER TABLE nowhere RENAME TO owners2;": [(1, ABSENT)],
    "ALTER TABLE carts RENAME note TO owner;": [(1, TAKEN)],
    "ALTER TABLE carts RENAME remark TO body;": [(1, ABSENT)],
    "ALTER TABLE carts SET SCHEMA store;\nALTER TABLE owners RENAME TO carts;": [],
    "ALTER TABLE store.shelves RENAME TO carts;\nALTER TABLE store.carts SET SCHEMA public;": [
        (2, TAKEN)
    ],
    "ALTER TABLE carts ADD CONSTRAINT carts_small CHECK (id < 9000);": [(1, TAKEN)],
    "ALTER TABLE carts ADD PRIMARY KEY (owner);": [(1, TAKEN)],
    "CREATE INDEX carts_owner ON carts (note);": [(1, TAKEN)],
    "CREATE UNIQUE INDEX numbers ON owners (name);": [(1, TAKEN)],
    "CREATE INDEX ON carts (remark);": [(1, ABSENT)],
    "CREATE INDEX ON nowhere (id);": [(1, ABSENT)],
    "CREATE INDEX IF NOT EXISTS carts_owner ON carts (remark);": [(1, ABSENT)],
    "DROP INDEX carts_notes;": [(1, ABSENT)],
    "CREATE TYPE mood AS ENUM ('a');": [(1, TAKEN)],
    "CREATE TYPE carts AS (a int);": [(1, TAKEN)],
    "ALTER TYPE mood ADD VALUE 'wild';": [(1, TAKEN)],
    "CREATE VIEW full_carts AS SELECT 1 AS a;": [(1, TAKEN)],
    "CREATE OR REPLACE VIEW carts AS SELECT 1 AS a;": [(1, TAKEN)],
    "CREATE SEQUENCE numbers;": [(1, TAKEN)],
    "CREATE SCHEMA store;": [(1, TAKEN)],
    "CREATE EXTENSION plpgsql;": [(1, TAKEN)],
    "CREATE TRIGGER ticking AFTER INSERT ON carts EXECUTE FUNCTION tick();": [(1, TAKEN)],
    "ALTER TABLE owners RENAME TO people;\nCREATE TABLE owners"
    " (id int CONSTRAINT owners_pkey PRIMARY KEY);": [(2, TAKEN)],
    "CREATE TABLE a (id int);\nCREATE TABLE a (id int);": [(2, TAKEN)],
    # What is certain is said behind a block of code that makes things, too.
    "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; "
    "END $$;\nCREATE TABLE carts (id int);": [(2, TAKEN)],
}
GO_THROUGH = (
    "CREATE TABLE IF NOT EXISTS carts (id int);",
    "CREATE TABLE store.carts (id int);",
    "CREATE TEMP TABLE carts (id int); ALTER TABLE carts ADD a int;",
    "CREATE TEMP TABLE t2 (id int); ALTER TABLE t2 ADD a int; CREATE INDEX ON t2 (a);",
    "ALTER TABLE carts ADD COLUMN IF NOT EXISTS note text;",
    "ALTER TABLE carts DROP COLUMN note, ADD COLUMN note int;",
    "ALTER TABLE carts DROP CONSTRAINT carts_small, ADD CONSTRAINT carts_small CHECK (id < 2000);",
    "ALTER TABLE carts DROP CONSTRAINT carts_pkey, ADD CONSTRAINT carts_pkey PRIMARY KEY (owner);",
    "ALTER TABLE carts DROP CONSTRAINT carts_pkey; ALTER TABLE carts ADD PRIMARY KEY (owner);",
    "ALTER TABLE IF EXISTS nowhere ADD a int;",
    "ALTER TABLE full_carts RENAME TO other_carts;",
    "ALTER INDEX carts_owner RENAME TO carts_by_owner; CREATE INDEX carts_owner ON carts (note);",
    "DROP INDEX carts_owner; CREATE INDEX carts_owner ON carts (note);",
    "CREATE INDEX IF NOT EXISTS carts_owner ON carts (note);",
    "ALTER TABLE carts DROP COLUMN owner CASCADE; CREATE INDEX carts_owner ON carts (note);",
    "DROP VIEW full_carts; CREATE VIEW full_carts AS SELECT 1 AS a;",
    "CREATE OR REPLACE VIEW full_carts AS SELECT id FROM carts;",
    "DROP TABLE carts CASCADE; CREATE VIEW full_carts AS SELECT 1 AS a; CREATE TABLE carts (i int);"
    "CREATE INDEX carts_owner ON carts (i);",
    "ALTER TABLE carts RENAME TO old; CREATE TABLE carts (id int PRIMARY KEY);",
    "DROP SCHEMA store CASCADE; CREATE SCHEMA store; CREATE TABLE store.shelves (id int);",
    "DROP TRIGGER ticking ON carts; CREATE TRIGGER ticking AFTER INSERT ON carts"
    " EXECUTE FUNCTION tick();",
    "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'wild';",
    "DROP TYPE mood CASCADE; CREATE TYPE mood AS ENUM ('a'); ALTER TABLE carts ADD feels mood;",
    "ALTER TYPE mood RENAME TO mood_old; CREATE TYPE mood AS ENUM ('calm');",
    "CREATE SCHEMA IF NOT EXISTS store; CREATE SCHEMA more; CREATE TABLE more.a (id int);",
    "CREATE EXTENSION IF NOT EXISTS plpgsql;",
    "DO $$ BEGIN DROP TABLE carts CASCADE; END $$; CREATE TABLE carts (id int);",
    "DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'ca' || 'rts CASCADE'; END $$; CREATE TABLE carts ("
    "i int);",
    "DO $$ BEGIN CREATE TABLE made (id int); END $$; ALTER TABLE made ADD a int;",
    "SELECT 1 AS a INTO made; ALTER TABLE made RENAME TO made2; CREATE INDEX made ON made2 (a);",
)


def refused(scratch: Scratch, live: str, text: str, folder: Path) -> list[tuple[int, str]]:
    path = folder / "m.sql"
    path.write_text(text)
    flight = fly(path, scratch.dsn(live))
    found = []
    for warning in flight.hazards:
        if warning.hazard.code in (TAKEN, ABSENT):
            assert warning.fails
            assert not warning.destroys
            found.append((warning.hazard.line, warning.hazard.code))
    return found


@pytest.fixture(scope="module")
def live(scratch: Scratch) -> str:
    scratch.create("names")
    scratch.run("names", BEFORE)
    return "names"


def test_what_must_fail_is_said_and_the_server_agrees(
    scratch: Scratch, live: str, tmp_path: Path
) -> None:
    for text, expected in FAIL.items():
        assert refused(scratch, live, text, tmp_path) == expected, text
        assert _fails(scratch, live, text) == bool(expected), text


def test_what_goes_through_is_not_said_to_fail(scratch: Scratch, live: str, tmp_path: Path) -> None:
    for text in GO_THROUGH:
        assert refused(scratch, live, text, tmp_path) == [], text
        assert not _fails(scratch, live, text), text


def _fails(scratch: Scratch, live: str, text: str) -> bool:
    """Whether the server refuses a script, which is taken back."""
    from forensics.errors import ScratchError

    try:
        scratch.run(live, f"BEGIN;\n{text}\nROLLBACK;")
    except ScratchError:
        return True
    return False


def test_a_statement_that_fails_is_not_taken_as_done(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    live = database(BEFORE)
    text = "ALTER TABLE owners RENAME TO carts;\nDELETE FROM carts;"
    path = tmp_path / "m.sql"
    path.write_text(text)
    flight = fly(path, scratch.dsn(live))
    assert [(h.hazard.code, h.rows) for h in flight.hazards if h.rows] == [("delete-all", 5)]
    assert flight.fails
    assert flight.destroys
