"""Overwritten values, laid at statements by column: one incident of many tables.

Every number is worked out by hand from the two scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.case.cause import verdict
from forensics.cause.attribution import Ask, attribute
from forensics.evidence.migrations import read_folder
from forensics.investigation import compare
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma

BEFORE = """
CREATE TABLE two (id int PRIMARY KEY, plan text, mail text, note text);
INSERT INTO two SELECT i, 'plan ' || i, 'Mail ' || i, nullif('n' || i % 2, 'n0')
  FROM generate_series(1, 40) i;

CREATE TABLE since (id int PRIMARY KEY, state text, other text);
INSERT INTO since SELECT i, 'state ' || i, 'o' FROM generate_series(1, 30) i;

CREATE TABLE back (id int PRIMARY KEY, rate int, other int);
INSERT INTO back SELECT i, i, i FROM generate_series(1, 30) i;

CREATE TABLE cut (id int PRIMARY KEY, price numeric(10,2), size int, wide int, code text,
  flag boolean, made timestamp, doc json);
INSERT INTO cut SELECT i, i / 4.0, i, i, lpad(i::text, 3, '0'), i % 2 = 0,
  timestamp '2026-01-01 10:20:30.5' + i * interval '1 day', json_build_object('i', i)
  FROM generate_series(1, 40) i;

CREATE TABLE using_words (id int PRIMARY KEY, phone text, length text);
INSERT INTO using_words SELECT i, '+1 (555) ' || i, i || ' cm' FROM generate_series(1, 30) i;

CREATE TABLE called (id int PRIMARY KEY, a text, b text, c text);
INSERT INTO called SELECT i, 'a' || i, 'b' || i, 'c' || i FROM generate_series(1, 30) i;

CREATE TABLE parts (id int, region text, amount int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (20);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (20) TO (100);
INSERT INTO parts SELECT i, 'r' || i, i FROM generate_series(1, 40) i;

CREATE TABLE owners (id int PRIMARY KEY, name text);
CREATE TABLE boats (id int PRIMARY KEY, owner int REFERENCES owners ON DELETE SET NULL, name text);
INSERT INTO owners SELECT i, 'owner ' || i FROM generate_series(1, 10) i;
INSERT INTO boats SELECT i, nullif(i % 11, 0), 'boat ' || i FROM generate_series(1, 44) i;

CREATE TABLE orders (id int PRIMARY KEY, total int, checked text);
CREATE TABLE shelves (id int PRIMARY KEY, label text, last_order text);
INSERT INTO orders SELECT i, i, 'by ' || i FROM generate_series(1, 30) i;
INSERT INTO shelves SELECT i, 'shelf ' || i, 'none ' || i FROM generate_series(1, 30) i;
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.checked := NULL; UPDATE shelves SET last_order = ''x'' WHERE id = NEW.id;
   RETURN NEW; END';
CREATE TRIGGER told BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION told();

CREATE TABLE swapped (id int PRIMARY KEY, one text, two text, kept text);
INSERT INTO swapped SELECT i, 'one ' || i, 'two ' || i, 'k' FROM generate_series(1, 20) i;

CREATE TABLE anew (id int PRIMARY KEY, note text, kind text);
INSERT INTO anew SELECT i, nullif('note ' || i, 'note 7'), 'kind ' || i
  FROM generate_series(1, 30) i;

CREATE TABLE built (id int PRIMARY KEY, name text, other text);
INSERT INTO built SELECT i, (ARRAY['Ann ', 'bob '])[1 + i % 2] || i, 'o' || i
  FROM generate_series(1, 30) i;

CREATE TABLE settings (name text PRIMARY KEY, value text, about text);
INSERT INTO settings SELECT 'setting ' || i, 'mine ' || i, 'about ' || i
  FROM generate_series(1, 24) i;

CREATE TABLE mixed_up (id int PRIMARY KEY, tier text, note text);
INSERT INTO mixed_up SELECT i, 'tier ' || i, 'n' || i FROM generate_series(1, 50) i;

CREATE TABLE alone (id int PRIMARY KEY, tier text);
INSERT INTO alone SELECT i, 'tier ' || i FROM generate_series(1, 24) i;

CREATE TABLE keyless (word text, tier text);
INSERT INTO keyless SELECT 'w' || i, 't' || i FROM generate_series(1, 20) i;

CREATE TABLE traded (id int PRIMARY KEY, name text UNIQUE);
INSERT INTO traded SELECT i, 'name ' || i FROM generate_series(1, 20) i;

CREATE TABLE streets (city int, no int, name text, PRIMARY KEY (city, no));
CREATE TABLE houses (id int PRIMARY KEY, city int, no int, colour text,
  FOREIGN KEY (city, no) REFERENCES streets ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO streets SELECT 1 + i % 2, i, 'street ' || i FROM generate_series(1, 10) i;
INSERT INTO houses SELECT i, 1 + i % 2, i, 'red' FROM generate_series(1, 10) i;

CREATE TABLE tickets (code text PRIMARY KEY, no int GENERATED ALWAYS AS IDENTITY, title text);
INSERT INTO tickets (code, title) SELECT 'c' || i, 'title ' || i FROM generate_series(1, 20) i;

CREATE TABLE clock (id int PRIMARY KEY, word text, at timestamptz);
INSERT INTO clock SELECT i, 'w' || i, timestamptz '2026-01-01 10:00Z' + i * interval '1 day'
  FROM generate_series(1, 20) i;

CREATE TABLE ruled (id int PRIMARY KEY, v text);
INSERT INTO ruled SELECT i, 'v' || i FROM generate_series(1, 20) i;

CREATE TABLE seeded (id int PRIMARY KEY, v text, w int);
INSERT INTO seeded SELECT i, 'v' || i, i FROM generate_series(1, 20) i;

CREATE TABLE base (id int PRIMARY KEY, v text);
CREATE TABLE heir (extra text, PRIMARY KEY (id)) INHERITS (base);
INSERT INTO base SELECT i, 'v' || i FROM generate_series(1, 12) i;
INSERT INTO heir SELECT i, 'v' || i, 'e' || i FROM generate_series(21, 40) i;
"""

FIRST = """UPDATE two SET plan = 'free' WHERE id <= 30;
UPDATE two SET mail = lower(mail), note = 'gone';
UPDATE two SET plan = 'none' WHERE id > 20;
UPDATE since SET state = 'open';
UPDATE back SET rate = 0;
UPDATE back SET rate = id WHERE id > 10;
UPDATE back SET rate = -1 WHERE id > 25;
ALTER TABLE cut ALTER price TYPE numeric(10,0), ALTER size TYPE numeric(9,3), ALTER wide TYPE int8;
UPDATE cut SET size = size + 0.5 WHERE id <= 12;
ALTER TABLE cut ALTER code TYPE int USING code::int, ALTER flag TYPE int USING flag::int;
ALTER TABLE cut ALTER made TYPE timestamp(0), ALTER doc TYPE jsonb;
UPDATE cut SET doc = '{}', flag = 0 WHERE id <= 15;
ALTER TABLE using_words ALTER phone TYPE text USING regexp_replace(phone, '[^0-9]', '', 'g');
ALTER TABLE using_words ALTER length TYPE int USING split_part(length, ' ', 1)::int;
ALTER TABLE called RENAME TO called_once;
UPDATE called_once SET a = 'x' WHERE id <= 20;
ALTER TABLE called_once RENAME TO called;
ALTER TABLE called RENAME b TO bee;
UPDATE called SET bee = 'y' WHERE id > 5;
ALTER TABLE called RENAME bee TO b;
UPDATE parts SET amount = 0;
DELETE FROM owners WHERE id <= 4;
UPDATE orders SET total = 0 WHERE id <= 12;
"""

SECOND = """ALTER TABLE swapped RENAME one TO other;
ALTER TABLE swapped RENAME two TO one;
ALTER TABLE swapped RENAME other TO two;
ALTER TABLE anew DROP note;
ALTER TABLE anew ADD note text DEFAULT 'none';
CREATE TABLE built_new AS SELECT id, lower(name) AS name, other FROM built;
DROP TABLE built;
ALTER TABLE built_new RENAME TO built;
ALTER TABLE built ADD PRIMARY KEY (id);
DELETE FROM settings;
INSERT INTO settings SELECT 'setting ' || i, 'default', 'about ' || i FROM generate_series(1, 24) i;
UPDATE mixed_up SET tier = 'basic' WHERE id <= 20;
UPDATE keyless SET tier = 'x' WHERE word < 'w2';
UPDATE traded SET id = CASE id WHEN 1 THEN -1 ELSE 1 END WHERE id IN (1, 2);
UPDATE traded SET id = 2 WHERE id = -1;
UPDATE streets SET no = no + 100 WHERE no > 7;
DELETE FROM streets WHERE no <= 3;
DELETE FROM tickets;
INSERT INTO tickets (code, title) SELECT 'c' || i, 'title ' || i FROM generate_series(1, 20) i;
SET TimeZone = 'Asia/Tokyo';
UPDATE clock SET word = 'x';
UPDATE clock SET at = at + interval '1 hour' WHERE id > 5;
ALTER TABLE ruled RENAME TO ruled_once;
CREATE TABLE ruled (id int PRIMARY KEY, v text);
INSERT INTO ruled SELECT id, CASE WHEN id > 10 THEN 'x' ELSE v END FROM ruled_once;
TRUNCATE seeded;
INSERT INTO seeded SELECT i, 'v' || i, 0 FROM generate_series(1, 20) i;
MERGE INTO base USING (SELECT 3 AS i) m ON base.id <= m.i WHEN MATCHED THEN UPDATE SET v = 'x';
"""

BETWEEN = "UPDATE two SET note = 'mine' WHERE id = 2;"

AFTER = """
UPDATE since SET state = 'closed' WHERE id <= 3;
UPDATE since SET state = 'state ' || id, other = 'p' WHERE id IN (4, 5);
UPDATE mixed_up SET tier = 'basic' WHERE id > 20;
UPDATE alone SET tier = 'basic';
"""

# By table and column, the line of each migration and how many values it overwrote.
OVERWRITTEN: dict[tuple[str, str], dict[tuple[str, int], int]] = {
    ("two", "plan"): {("1", 1): 30, ("1", 3): 10},
    ("two", "mail"): {("1", 2): 40},
    ("two", "note"): {("1", 2): 20},
    ("since", "state"): {("1", 4): 30},
    ("back", "rate"): {("1", 5): 10, ("1", 7): 5},
    ("cut", "price"): {("1", 8): 30},
    ("cut", "size"): {("1", 9): 12},
    ("cut", "code"): {("1", 10): 40},
    ("cut", "made"): {("1", 11): 40},
    ("cut", "doc"): {("1", 12): 15},
    ("cut", "flag"): {("1", 12): 7},
    ("using_words", "phone"): {("1", 13): 30},
    ("using_words", "length"): {("1", 14): 30},
    ("called", "a"): {("1", 16): 20},
    ("called", "b"): {("1", 19): 25},
    ("parts", "amount"): {("1", 21): 40},
    ("boats", "owner"): {("1", 22): 16},
    ("orders", "total"): {("1", 23): 12},
    ("orders", "checked"): {("1", 23): 12},
    ("shelves", "last_order"): {("1", 23): 12},
    ("swapped", "one"): {("2", 1): 20},
    ("swapped", "two"): {("2", 2): 20},
    ("anew", "note"): {("2", 4): 29},
    ("built", "name"): {("2", 7): 15},
    ("settings", "value"): {("2", 10): 24},
    ("mixed_up", "tier"): {("2", 12): 20},
    ("houses", "city"): {("2", 17): 3},
    ("houses", "no"): {("2", 16): 3, ("2", 17): 3},
    ("tickets", "no"): {("2", 18): 20},
    ("clock", "word"): {("2", 21): 20},
    ("clock", "at"): {("2", 22): 15},
    ("ruled", "v"): {("2", 25): 10},
    ("seeded", "w"): {("2", 26): 20},
    ("base", "v"): {("2", 28): 3},
}


@pytest.fixture(scope="module")
def found(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("overwritten")
    scratch.create("overwritten_values")
    try:
        scratch.run("overwritten_values", Prisma.TABLE + BEFORE)
        backup = scratch.dump("overwritten_values", folder / "backup.sql")
        prisma = Prisma(folder / "migrations")
        steps = [BETWEEN, prisma.ran("1", FIRST), prisma.ran("2", SECOND), AFTER]
        for step in steps:
            scratch.run("overwritten_values", step)
        live = scratch.dsn("overwritten_values")
        with compare(backup, live, folder / "case") as case:
            ask = Ask(read_folder(folder / "migrations"), scratch=scratch)
            return attribute(case.store, ask).found
    finally:
        scratch.drop("overwritten_values")


def test_each_overwritten_value_is_laid_at_the_statement_since_which_it_is_another(
    found: dict[str, Any],
) -> None:
    assert found["replay"]["failed"] == []
    laid: dict[tuple[str, str], dict[tuple[str, int], int]] = {}
    for s in found["statements"]:
        if s["changed"]:
            place = laid.setdefault((s["table"], s["column"]), {})
            place[s["migration"], s["line"]] = s["changed"]
    assert laid == OVERWRITTEN


def test_filled_nulls_are_no_overwritten_values(found: dict[str, Any]) -> None:
    filled = {}
    for s in found["statements"]:
        if s["blanked"]:
            filled[s["table"], s["column"], s["line"]] = s["blanked"]
    assert filled == {("two", "note", 2): 20, ("anew", "note", 5): 1}


def test_what_no_statement_overwrote_is_counted_to_the_value(found: dict[str, Any]) -> None:
    rest = {(u["table"], u["column"]): u["values"] for u in found["unexplained_overwritten"]}
    assert rest == {("mixed_up", "tier"): 30, ("alone", "tier"): 24}


def test_rows_that_are_others_under_their_keys_are_not_overwritten(found: dict[str, Any]) -> None:
    its = [s for s in found["statements"] if s["table"] == "traded"]
    assert all(s["rows"] == s["changed"] == 0 for s in its)


def test_rows_without_a_key_are_missing_and_not_overwritten(found: dict[str, Any]) -> None:
    its = [s for s in found["statements"] if s["table"] == "keyless"]
    assert [(s["line"], s["rows"], s["changed"]) for s in its if s["rows"]] == [(13, 11, 0)]
    assert found["notes"] == [
        "keyless has no key that tells its rows apart: 11 rows that line 13 of 2 changed count as "
        "missing, and as added with other values."
    ]


# --- where the replay cannot tell ---

NULLED = """
CREATE TABLE plans (id int PRIMARY KEY, tier text);
CREATE TABLE other (id int PRIMARY KEY, tier text);
INSERT INTO plans SELECT i, 'tier ' || i FROM generate_series(1, 30) i;
INSERT INTO other SELECT i, 'tier ' || i FROM generate_series(1, 30) i;
"""
UPDATED = "UPDATE plans SET tier = 'basic' WHERE id <= 20;"
BY_APPLICATION = "UPDATE plans SET tier = 'basic'; UPDATE other SET tier = 'basic';"


@pytest.mark.parametrize(
    ("migration", "lost", "expected"),
    [
        (UPDATED, False, {"plans": 10, "other": 30}),
        (UPDATED, True, {"plans": None, "other": None}),
        (f"{UPDATED} UPDATE plans SET tier = absent(id);", False, {"plans": None, "other": 30}),
        (f"{UPDATED} SELECT absent();", False, {"plans": None, "other": None}),
        (f"{UPDATED} ALTER TABLE other ADD x absent_type;", False, {"plans": 10, "other": None}),
        ("UPDATE plans SET tier = 'free';", True, {"other": None}),
    ],
)
def test_what_a_replay_cannot_tell_is_not_known(
    migration: str,
    lost: bool,
    expected: dict[str, int | None],
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
) -> None:
    live = database(Prisma.TABLE + NULLED)
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    prisma.write("1", migration)
    scratch.run(live, BY_APPLICATION + prisma.row("1", migration))
    with compare(backup, scratch.dsn(live), tmp_path / "case") as case:
        if lost:
            backup.unlink()
        ask = Ask(read_folder(tmp_path / "migrations"), scratch=scratch)
        found = attribute(case.store, ask).found
    assert {u["table"]: u["values"] for u in found["unexplained_overwritten"]} == expected
    assert "not known" in verdict(found) or None not in expected.values()


def test_without_a_server_no_number_is_known(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live = database(Prisma.TABLE + NULLED)
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("1", UPDATED) + BY_APPLICATION)
    monkeypatch.setenv("FORENSICS_PGBIN", str(tmp_path))
    with compare(backup, scratch.dsn(live), tmp_path / "case") as case:
        found = case.cause(tmp_path / "migrations").found
    assert [u["values"] for u in found["unexplained_overwritten"]] == [None, None]


def test_the_answer_and_the_report_name_columns_and_lines(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(Prisma.TABLE + NULLED)
    backup = scratch.dump(live, tmp_path / "backup.sql")
    prisma = Prisma(tmp_path / "migrations")
    scratch.run(live, prisma.ran("1", f"SELECT 1;\n{UPDATED}") + BY_APPLICATION)
    with compare(backup, scratch.dsn(live), tmp_path / "case") as case:
        attribution = attribute(
            case.store, Ask(read_folder(tmp_path / "migrations"), scratch=scratch)
        )
        with case.writing() as store:
            attribution.write(store)
        assert case.cause().verdict == (
            "Overwritten were: plans.tier: 20 values by line 2 of 1. "
            "30 overwritten values of other.tier are unexplained: no statement overwrote them. "
            "10 overwritten values of plans.tier are unexplained: no statement overwrote them."
        )
        case.report(tmp_path / "report.md")
        case.report(tmp_path / "report.html")
    told = (tmp_path / "report.md").read_text()
    [line] = [line for line in told.splitlines() if line.startswith("| `1` | 2 |")]
    assert [cell.strip() for cell in line.strip("|").split("|")][4:] == [
        "`plans.tier`",
        "0",
        "20",
        "0",
    ]
    assert "- `other.tier`: 30\n- `plans.tier`: 10" in told
    shown = (tmp_path / "report.html").read_text()
    assert "<code>other.tier</code> 30, <code>plans.tier</code> 10." in shown
