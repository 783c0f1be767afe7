"""What a statement does without naming it: counted, then run on PostgreSQL and held against it."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.evidence.migrations import read_folder
from forensics.scratch import Scratch
from tests.preflight.flying import fly
from tests.preflight.test_foretold import what_happens

BEFORE = """
CREATE SCHEMA old;
CREATE TABLE owners (code text PRIMARY KEY, name text);
CREATE TABLE dogs (id int PRIMARY KEY, owner text REFERENCES owners ON UPDATE CASCADE, n text);
CREATE TABLE cats (id int PRIMARY KEY, owner text REFERENCES owners ON UPDATE SET NULL);
CREATE TABLE bills (id int PRIMARY KEY, n int UNIQUE, sum numeric);
CREATE TABLE lines (id int PRIMARY KEY, bill int REFERENCES bills (n));
CREATE TABLE stays (room int, day int, guest text, PRIMARY KEY (room, day));
CREATE TABLE meals (id int PRIMARY KEY, room int, day int,
    FOREIGN KEY (room, day) REFERENCES stays ON UPDATE CASCADE);
CREATE TABLE tags (tag varchar(10) PRIMARY KEY);
CREATE TABLE tagged (id int PRIMARY KEY, tag varchar(10) REFERENCES tags);
CREATE TABLE notes (id int PRIMARY KEY, who text, note text);
CREATE TABLE staff (who text PRIMARY KEY, boss text);
CREATE POLICY mine ON notes
    USING (who = current_user AND EXISTS (SELECT FROM staff WHERE boss = who));
INSERT INTO owners SELECT 'o' || i, 'Owner ' || i FROM generate_series(1, 10) i;
INSERT INTO dogs SELECT i, 'o' || 1 + i % 5, 'd' FROM generate_series(1, 30) i;
INSERT INTO cats SELECT i, 'o' || 1 + i % 3 FROM generate_series(1, 12) i;
INSERT INTO bills SELECT i, i, i * 1.5 FROM generate_series(1, 20) i;
INSERT INTO lines SELECT i, 1 + i % 4 FROM generate_series(1, 40) i;
INSERT INTO stays SELECT i, 1, 'g' FROM generate_series(1, 6) i;
INSERT INTO meals SELECT i, 1 + i % 3, 1 FROM generate_series(1, 9) i;
INSERT INTO tags VALUES ('abc'), ('abd'), ('x');
INSERT INTO tagged SELECT i, (array['abc', 'abd', 'x'])[1 + i % 3] FROM generate_series(1, 9) i;
INSERT INTO notes SELECT i, 'w', 'n' FROM generate_series(1, 5) i;
"""
# The migration; by (line, hazard, table, column) the rows and whether it fails; None: not said.
Place = tuple[int, str, str | None, str | None]
CASES: dict[str, dict[Place, tuple[int | None, bool] | None]] = {
    "UPDATE owners SET code = 'n' || code WHERE code IN ('o1', 'o9');": {
        (1, "update-where", "owners", "code"): (2, False),
        (1, "update-where", "dogs", "owner"): (6, False),
        (1, "update-where", "cats", "owner"): (4, False),
    },
    "UPDATE owners SET code = code, name = 'x';": {
        (1, "update-all", "owners", "name"): (10, False)
    },
    "UPDATE stays SET room = room + 100 WHERE room > 2;": {
        (1, "update-where", "meals", "room"): (3, False),
    },
    "UPDATE bills SET n = n + 100 WHERE n <= 2;": {
        (1, "update-where", "lines", "bill"): (20, True),
    },
    "UPDATE bills SET n = 41 - n;": {(1, "update-where", "lines", "bill"): (40, True)},
    "UPDATE bills SET n = n + 100 WHERE n > 10;": {(1, "update-where", "bills", "n"): (10, False)},
    "INSERT INTO owners VALUES ('o1', 'new'), ('o2', 'Owner 2'), ('o77', 'z')\n"
    "ON CONFLICT (code) DO UPDATE SET name = excluded.name;": {
        (1, "update-where", "owners", "name"): (1, False)
    },
    "INSERT INTO bills (id, sum) SELECT i, '7' FROM generate_series(15, 30) i\n"
    "ON CONFLICT ON CONSTRAINT bills_pkey DO UPDATE SET sum = bills.sum + excluded.sum\n"
    "WHERE bills.n > 17;": {(1, "update-where", "bills", "sum"): (3, False)},
    "WITH w AS (SELECT 'o3' AS c) INSERT INTO owners AS o (code) SELECT c FROM w\n"
    "ON CONFLICT (code) DO UPDATE SET name = 'w';": {
        (1, "update-where", "owners", "name"): (1, False)
    },
    "DO $$ BEGIN EXECUTE format('DELETE FROM %I WHERE ' || quote_ident('id') || ' > %s', "
    "'lines', 30); END $$;": {(1, "delete-where", "lines", None): (10, False)},
    "DO $$ BEGIN EXECUTE 'TRUNCATE ' || 'meals'; END $$;": {
        (1, "truncate", "meals", None): (9, False)
    },
    "ALTER TABLE bills ALTER COLUMN n TYPE text;": {(1, "type-change", "bills", "n"): (40, True)},
    "ALTER TABLE lines ALTER COLUMN bill TYPE uuid USING gen_random_uuid();": {
        (1, "type-change", "lines", "bill"): (40, True)
    },
    "ALTER TABLE bills ALTER COLUMN n TYPE bigint;": {(1, "type-change", "bills", "n"): None},
    "ALTER TABLE tagged ALTER COLUMN tag TYPE varchar(2) USING left(tag, 2);": {
        (1, "type-change", "tagged", "tag"): (6, True)
    },
    "ALTER TABLE lines DROP CONSTRAINT lines_bill_fkey;\n"
    "ALTER TABLE bills ALTER COLUMN n TYPE text;": {(2, "type-change", "bills", "n"): None},
    "ALTER TABLE notes ALTER COLUMN who TYPE varchar(3);": {
        (1, "type-change", "notes", "who"): (0, True)
    },
    "ALTER TABLE staff DROP COLUMN boss;": {(1, "drop-column", "staff", "boss"): (0, True)},
    "DROP POLICY mine ON notes;\nALTER TABLE notes ALTER COLUMN who TYPE varchar(3);": {
        (2, "type-change", "notes", "who"): (0, False)
    },
}


@pytest.fixture(scope="module")
def pets(scratch: Scratch) -> str:
    scratch.create("pets")
    scratch.run("pets", BEFORE)
    return scratch.dsn("pets")


@pytest.mark.parametrize("text", CASES)
def test_it_is_counted(text: str, pets: str, tmp_path: Path) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(text)
    flight = fly(path, pets)
    found = {}
    for w in flight.hazards:
        table = w.hazard.table.table if w.hazard.table else None
        found[w.hazard.line, w.hazard.code, table, w.hazard.column] = (w.rows, w.fails)
    wanted = CASES[text]
    assert {place: found.get(place) for place in wanted} == wanted, (found, flight.notes)
    _, failed = what_happens(pets, read_folder(path).migrations[0])
    assert failed == flight.fails
    assert not flight.uncounted
