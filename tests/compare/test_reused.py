"""Keys that were used again are told from rows that only changed."""

from __future__ import annotations

import pytest

from tests.conftest import Incident

TAGS = """
CREATE TABLE tags (id serial PRIMARY KEY, name text NOT NULL UNIQUE, colour text DEFAULT 'red');
INSERT INTO tags (name) SELECT 'tag ' || i FROM generate_series(1, 12) i;
"""
PLAIN = """
CREATE TABLE tags (id serial PRIMARY KEY, title text, shown boolean DEFAULT true);
INSERT INTO tags (title) SELECT 'title ' || i FROM generate_series(1, 12) i;
"""
USERS = """
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, name text, logins int DEFAULT 0,
  created_at timestamptz NOT NULL, updated_at timestamptz);
INSERT INTO users (email, name, created_at, updated_at)
SELECT 'u' || i || '@x.test', 'User ' || i, t, t FROM generate_series(1, 40) i,
       LATERAL (SELECT timestamptz '2025-02-01Z' + i * interval '7 h' AS t) s;
"""
PARTS = """
CREATE TABLE parts (id serial PRIMARY KEY, sku text UNIQUE, title text, price numeric, kind int);
INSERT INTO parts (sku, title, price, kind)
SELECT 's' || i, 'part ' || i, i * 2.25, i % 7 FROM generate_series(1, 30) i;
"""
CODES = """
CREATE TABLE plans (code varchar(8) PRIMARY KEY, name text UNIQUE, price int);
INSERT INTO plans SELECT 'p' || i, 'Plan ' || i, i * 100 FROM generate_series(1, 9) i;
"""
UUIDS = """
CREATE TABLE badges (id uuid PRIMARY KEY, title text NOT NULL, points int);
INSERT INTO badges SELECT md5(i::text)::uuid, 'Badge ' || i, i FROM generate_series(1, 9) i;
"""
LINES = """
CREATE TABLE orders (id serial PRIMARY KEY, no text UNIQUE);
CREATE TABLE order_lines (id serial PRIMARY KEY, order_id int REFERENCES orders, sku text,
  qty int, price numeric(8, 2));
INSERT INTO orders (no) SELECT 'A' || i FROM generate_series(1, 10) i;
INSERT INTO order_lines (order_id, sku, qty, price)
SELECT (i + 2) / 3, 's' || (i * 7) % 13, 1 + i % 4, i * 1.25 FROM generate_series(1, 30) i;
"""
NEW_LINES = """
INSERT INTO order_lines (order_id, sku, qty, price) SELECT (i + 2) / 3,
  CASE i WHEN 4 THEN 's2' ELSE 'n' || (i * 5) % 13 END, 1 + (i / 4) % 4, (i * 37 % 100) * 0.77
"""
LISTS = """
CREATE TABLE lists (id int PRIMARY KEY, title text); INSERT INTO lists VALUES (1, 'a'), (2, 'b');
CREATE TABLE entries (id serial PRIMARY KEY, list_id int REFERENCES lists, place int,
  UNIQUE (list_id, place) DEFERRABLE);
INSERT INTO entries (list_id, place) SELECT 1 + i % 2, i FROM generate_series(1, 20) i;
"""
GUIDES = """
CREATE TABLE guides (id serial PRIMARY KEY, name text, phone text, tours int);
INSERT INTO guides (name, phone, tours)
SELECT 'Guide ' || i, '+49 ' || i * 7919, i % 5 FROM generate_series(1, 9) i;
"""
BOXES = """
CREATE TABLE boxes (id serial PRIMARY KEY, json text, made date);
INSERT INTO boxes (json) SELECT '{}' || i FROM generate_series(1, 20) i;
"""


@pytest.mark.parametrize(
    ("before", "change", "rows"),
    [
        pytest.param(
            TAGS,
            "TRUNCATE tags RESTART IDENTITY; "
            "INSERT INTO tags (name) SELECT 'tag ' || 13 - i FROM generate_series(1, 12) i",
            12,
            id="seeded in another order",
        ),
        pytest.param(
            TAGS,
            "TRUNCATE tags RESTART IDENTITY; INSERT INTO tags (name) VALUES ('first'); "
            "INSERT INTO tags (name) SELECT 'tag ' || i FROM generate_series(1, 12) i",
            12,
            id="one more in front",
        ),
        pytest.param(
            TAGS,
            "DELETE FROM tags WHERE id > 8; SELECT setval('tags_id_seq', 8); "
            "INSERT INTO tags (name) SELECT 'tag ' || i FROM unnest(ARRAY[11, 12, 9, 10]) i",
            4,
            id="only the last ones",
        ),
        pytest.param(
            PLAIN,
            "TRUNCATE tags RESTART IDENTITY; "
            "INSERT INTO tags (title) SELECT 'title ' || 13 - i FROM generate_series(1, 12) i",
            12,
            id="imported again without a unique key",
        ),
        pytest.param(
            TAGS,
            "INSERT INTO tags (id, name) SELECT i, 'x' || i FROM generate_series(1, 12) i "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name; "
            "UPDATE tags SET name = 'tag ' || 13 - id",
            12,
            id="written over in another order",
        ),
        pytest.param(
            TAGS,
            "TRUNCATE tags RESTART IDENTITY; "
            "INSERT INTO tags (name) SELECT 'other ' || i FROM generate_series(1, 5) i",
            5,
            id="a sequence that began again",
        ),
        pytest.param(
            USERS,
            "DELETE FROM users WHERE id > 30; SELECT setval('users_id_seq', 30); "
            "INSERT INTO users (email, name, created_at) SELECT 'n' || i, 'New ' || i, "
            "timestamptz '2025-06-01Z' + i * interval '1 h' FROM generate_series(1, 15) i",
            10,
            id="a sequence set back, and past it by now",
        ),
        pytest.param(
            LINES,
            f"TRUNCATE order_lines RESTART IDENTITY; {NEW_LINES} FROM generate_series(1, 30) i",
            30,
            id="seeded anew, and one value is there by chance",
        ),
        pytest.param(
            LINES.replace("(i * 7) % 13", "i") + "ALTER TABLE order_lines ADD note text; "
            "UPDATE order_lines SET note = 'was ' || id % 5;",
            f"DELETE FROM order_lines; {NEW_LINES} FROM generate_series(1, 12) i; "
            "UPDATE order_lines SET id = id - 30, note = 'is ' || id % 6",
            12,
            id="given their numbers by hand",
        ),
        pytest.param(
            PARTS,
            "UPDATE parts SET sku = 'n' || id, title = 'new ' || id, price = id * 1.5, "
            "kind = (id * 5) % 7",
            30,
            id="a new instance that shows no other sign",
        ),
        pytest.param(
            GUIDES,
            "CREATE TEMP TABLE g AS SELECT * FROM guides; TRUNCATE guides RESTART IDENTITY; "
            "INSERT INTO guides (name, phone, tours) SELECT name, phone, tours FROM g "
            "ORDER BY CASE id WHEN 3 THEN 7 WHEN 7 THEN 3 ELSE id END",
            2,
            id="seeded in an order in which most come back to their places",
        ),
        pytest.param(
            CODES,
            "DELETE FROM plans; "
            "INSERT INTO plans SELECT 'p' || 1 + i % 9, 'Plan ' || i, i * 100 "
            "FROM generate_series(1, 9) i",
            9,
            id="codes given out in another order",
        ),
        pytest.param(
            UUIDS,
            "CREATE TABLE was AS SELECT title, points, row_number() OVER (ORDER BY id) AS n, id "
            "FROM badges; UPDATE badges b SET title = o.title, points = o.points "
            "FROM was w JOIN was o ON o.n = 1 + w.n % 9 WHERE b.id = w.id; DROP TABLE was",
            9,
            id="UUIDs that mean other rows",
        ),
    ],
)
def test_other_rows_under_the_same_keys(
    incident: Incident, before: str, change: str, rows: int
) -> None:
    incident.happens(before, change)
    with incident.compare() as case:
        incident.check(case)
        (found,) = [f for f in case.findings.itertuples() if f.kind == "keys used again"]
        assert found.rows == rows
        assert not case.nothing_missing
        assert f"Keys of {found.table} were used again" in case.verdict


@pytest.mark.parametrize(
    ("before", "change"),
    [
        pytest.param(TAGS, "UPDATE tags SET name = 'new' WHERE id = 3", id="one renamed"),
        pytest.param(
            CODES, "UPDATE plans SET name = name || '!', price = price + 1", id="codes stay"
        ),
        pytest.param(
            UUIDS, "UPDATE badges SET title = md5(title), points = 0", id="all of UUIDs edited"
        ),
        pytest.param(TAGS, "UPDATE tags SET name = upper(name)", id="all renamed"),
        pytest.param(
            LINES,
            "UPDATE order_lines SET qty = qty + 1, price = (id * 37 % 100) * 0.77; "
            "CLUSTER order_lines USING order_lines_pkey",
            id="amounts and prices worked out anew",
        ),
        pytest.param(
            LINES,
            "UPDATE order_lines SET sku = 'n' || sku, price = (id * 37 % 100) * 0.77; "
            "CLUSTER order_lines USING order_lines_pkey",
            id="articles given other codes",
        ),
        pytest.param(
            TAGS,
            "UPDATE tags SET name = 'old' WHERE id = 3; INSERT INTO tags (name) VALUES ('tag 3')",
            id="renamed, and its name given anew",
        ),
        pytest.param(TAGS, "UPDATE tags SET name = upper(name); VACUUM FULL tags", id="rewritten"),
        pytest.param(
            USERS,
            "UPDATE users SET email = md5(email), name = md5(name), updated_at = now()",
            id="made anonymous",
        ),
        pytest.param(
            PARTS, "UPDATE parts SET sku = md5(sku), title = md5(title)", id="anonymous parts"
        ),
        pytest.param(
            USERS,
            "UPDATE users SET created_at = now() + id * interval '1 s', updated_at = now()",
            id="times of creation overwritten",
        ),
        pytest.param(USERS, "UPDATE users SET logins = id, updated_at = now()", id="touched"),
        pytest.param(
            USERS,
            "UPDATE users SET email = 'x' WHERE id IN (3, 4); ".replace("'x'", "'x' || id")
            + "UPDATE users SET email = 'u' || 7 - id || '@x.test' WHERE id IN (3, 4)",
            id="two addresses changed hands",
        ),
        pytest.param(LISTS, "UPDATE entries SET place = 21 - place", id="another order"),
        pytest.param(
            BOXES,
            "ALTER TABLE boxes DROP json, DROP made, ADD data jsonb; UPDATE boxes SET data = '{}'",
            id="columns replaced",
        ),
        pytest.param(PLAIN, "UPDATE tags SET shown = NOT shown WHERE id IN (1, 2)", id="flags"),
    ],
)
def test_rows_that_only_changed(incident: Incident, before: str, change: str) -> None:
    *first, last = [part for part in change.split("; ") if part]
    incident.happens(before, "; ".join(first) or "SELECT 1")
    incident.happens_next(last)
    with incident.compare() as case:
        assert "keys used again" not in set(case.findings["kind"])


def test_a_table_that_took_the_name_of_another(incident: Incident) -> None:
    incident.happens(
        BOXES,
        "DROP TABLE boxes; CREATE TABLE boxes (id serial PRIMARY KEY, place text, price numeric); "
        "INSERT INTO boxes (place) SELECT 'p' || i FROM generate_series(1, 30) i",
    )
    with incident.compare() as case:
        (found,) = [f for f in case.findings.itertuples() if f.kind == "keys used again"]
        assert (found.table, found.rows) == ("boxes", 20)
        assert "another table under the old name" in found.text
        assert not case.nothing_missing
