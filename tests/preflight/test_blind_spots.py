"""What a statement does without naming it: counted, then run on PostgreSQL and held against it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import LiveError
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
CREATE TABLE lands (code text PRIMARY KEY);
CREATE TABLE towns (land text REFERENCES lands ON UPDATE CASCADE, town int,
    PRIMARY KEY (land, town));
CREATE TABLE roads (land text, town int, road int, PRIMARY KEY (land, town, road),
    FOREIGN KEY (land, town) REFERENCES towns ON UPDATE CASCADE);
CREATE TABLE signs (id int PRIMARY KEY, land text, town int, road int,
    FOREIGN KEY (land, town, road) REFERENCES roads ON UPDATE SET NULL);
CREATE TABLE kinds (kind text PRIMARY KEY);
CREATE TABLE goods (id int PRIMARY KEY, kind text UNIQUE REFERENCES kinds ON UPDATE CASCADE);
CREATE TABLE sales (id int PRIMARY KEY, kind text REFERENCES goods (kind));
CREATE TABLE ranks (rank text PRIMARY KEY REFERENCES ranks ON UPDATE CASCADE);
INSERT INTO lands VALUES ('A'), ('B');
INSERT INTO towns SELECT land, i FROM (VALUES ('A'), ('B')) l (land), generate_series(1, 3) i;
INSERT INTO roads SELECT land, town, i FROM towns, generate_series(1, 4) i;
INSERT INTO signs SELECT row_number() OVER (), land, town, road FROM roads WHERE road < 3;
INSERT INTO kinds VALUES ('x'), ('y');
INSERT INTO goods VALUES (1, 'x'), (2, 'y');
INSERT INTO sales SELECT i, 'y' FROM generate_series(1, 5) i;
INSERT INTO ranks VALUES ('r');
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
    "UPDATE lands SET code = 'N' WHERE code = 'A';": {
        (1, "update-where", "towns", "land"): (3, False),
        (1, "update-where", "roads", "land"): (12, False),
        (1, "update-where", "signs", "land"): (6, False),
    },
    "UPDATE towns SET town = town + 10 WHERE town > 2;": {
        (1, "update-where", "roads", "town"): (8, False),
        (1, "update-where", "signs", "town"): (4, False),
    },
    "UPDATE kinds SET kind = 'n' || kind;": {
        (1, "update-where", "goods", "kind"): (2, False),
        (1, "update-where", "sales", "kind"): (5, True),
    },
    "UPDATE kinds SET kind = 'z' WHERE kind = 'x';": {
        (1, "update-where", "goods", "kind"): (1, False),
        (1, "update-where", "sales", "kind"): None,
    },
    "UPDATE ranks SET rank = 's';": {(1, "update-all", "ranks", "rank"): (1, False)},
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


POLICIES = {
    "ALTER TABLE bills ENABLE ROW LEVEL SECURITY;": "bills leaves its 20 rows where they are",
    "CREATE POLICY few ON bills USING (n > 4);": "few of bills, by itself, hides 4 rows",
    "CREATE POLICY few ON bills FOR SELECT USING (bills.sum > 3);": "hides 2 rows",
    "CREATE POLICY own ON notes USING (who = current_user);": "depends on who asks",
    "ALTER POLICY mine ON notes USING (id < 3);": "mine of notes, by itself, hides 3 rows",
    "DELETE FROM bills WHERE n > 5;\nCREATE POLICY few ON bills USING (n > 4);": "hides 4 rows",
    "CREATE POLICY few ON bills FOR UPDATE USING (n > 4);": "",
    "CREATE POLICY few ON bills FOR INSERT WITH CHECK (n > 4);": "",
    "ALTER TABLE bills DISABLE ROW LEVEL SECURITY;": "",
}


@pytest.mark.parametrize("text", POLICIES)
def test_rows_that_a_policy_hides_are_said(text: str, pets: str, tmp_path: Path) -> None:
    path = tmp_path / "migration.sql"
    path.write_text(text)
    flight = fly(path, pets)
    said = [note for note in flight.notes if "olicy" in note or "ow-level" in note]
    assert len(said) == bool(POLICIES[text])
    assert POLICIES[text] in " ".join(said)
    assert not flight.uncounted


def test_rows_that_are_hidden_from_the_reader_are_no_zero(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(
        "CREATE TABLE kept (id int, who text); INSERT INTO kept VALUES (1, 'a'), (2, 'b');"
        "CREATE TABLE open (id int); INSERT INTO open VALUES (1);"
        "ALTER TABLE kept ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY one ON kept USING (id = 1);"
        "DROP ROLE IF EXISTS looker; CREATE ROLE looker LOGIN;"
        "GRANT SELECT ON kept, open TO looker;"
    )
    dsn = scratch.dsn(name).replace("//postgres@", "//looker@")
    path = tmp_path / "migration.sql"
    path.write_text("DELETE FROM open;")
    assert [w.rows for w in fly(path, dsn).hazards] == [1]
    path.write_text("DELETE FROM kept WHERE id < 3;")
    with pytest.raises(LiveError, match="row-level security"):
        fly(path, dsn)
