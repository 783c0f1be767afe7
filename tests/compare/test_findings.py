"""Findings: offered with their evidence, and no count is changed by them."""

from __future__ import annotations

import pytest

import forensics as fx
from forensics.compare.engines import few
from forensics.compare.engines.duckdb import DuckDB
from forensics.scratch import Scratch
from tests.conftest import Incident

BEFORE = """
CREATE TABLE old_links (id text PRIMARY KEY, a int, b int);
INSERT INTO old_links SELECT 'l' || i, i % 9, i FROM generate_series(1, 200) i;
CREATE TABLE unrelated (id text PRIMARY KEY, a int, b int);
INSERT INTO unrelated SELECT 'u' || i, i, i FROM generate_series(1, 200) i;
CREATE SCHEMA app; CREATE TABLE moves (id int PRIMARY KEY, v timestamptz);
INSERT INTO moves SELECT i, '2025-01-01'::timestamptz + i * interval '1 h'
FROM generate_series(1, 50) i;
CREATE TABLE people (id serial PRIMARY KEY, fullname text, city text);
INSERT INTO people (fullname, city) SELECT 'n' || i, 'c' || i % 3
FROM generate_series(1, 100) i;
"""
CHANGE = """
ALTER TABLE old_links RENAME TO new_links; DELETE FROM new_links WHERE b > 190;
ALTER TABLE moves SET SCHEMA app;
DROP TABLE unrelated; CREATE TABLE other (id text PRIMARY KEY, a int, b int);
INSERT INTO other SELECT 'x' || i, 0, i FROM generate_series(1, 9) i;
ALTER TABLE people RENAME fullname TO name; UPDATE people SET name = 'x' WHERE id = 3;
DELETE FROM people WHERE id > 95; SELECT setval('people_id_seq', 40);
"""


def test_findings(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        incident.check(case)
        found = {(f.kind, f.table): f for f in case.findings.itertuples()}
        assert found.keys() == {
            ("renamed table", "old_links"),
            ("renamed table", "moves"),
            ("renamed column", "people"),
            ("sequence behind", "people"),
        }
        links = found["renamed table", "old_links"]
        assert (links.other, links.rows, links.of) == ("new_links", 190, 200)
        assert found["renamed table", "moves"].other == "app.moves"
        column = found["renamed column", "people"]
        assert (column.other, column.rows, column.of) == ("name", 94, 100)
        assert "41" in found["sequence behind", "people"].text
        assert case.result("old_links").state == "dropped"
        assert case.result("old_links").missing == 200


def test_a_schema_that_was_renamed_and_written_to(incident: Incident) -> None:
    """Every row of a table is another now: its name, or its key's, and its keys say what it is."""
    incident.happens(
        "CREATE SCHEMA app; CREATE TABLE app.posts (id int PRIMARY KEY, title text, a int, b int);"
        "INSERT INTO app.posts SELECT i, 'Post ' || i, i, -i FROM generate_series(1, 200) i;"
        "CREATE TABLE visits (id int PRIMARY KEY, page text, n int);"
        "INSERT INTO visits SELECT i, 'p' || i, i FROM generate_series(1, 80) i;"
        "CREATE TABLE gone (id int PRIMARY KEY, title text, n int);"
        "INSERT INTO gone SELECT i, 't' || i, i FROM generate_series(1, 80) i;",
        "ALTER SCHEMA app RENAME TO core; UPDATE core.posts SET title = upper(title), a = b, b = a;"
        "UPDATE core.posts SET title = 'Post 7', a = 7, b = -7 WHERE id = 7;"
        "ALTER TABLE visits RENAME TO page_views; UPDATE page_views SET page = '', n = 0;"
        "DROP TABLE gone; CREATE TABLE fresh (id int PRIMARY KEY, title text, n int);"
        "INSERT INTO fresh SELECT i, 'x' || i, 0 FROM generate_series(1, 80) i;",
    )
    with incident.compare() as case:
        incident.check(case)
        found = {f.table: (f.kind, f.other, f.rows, f.of) for f in case.findings.itertuples()}
        assert found == {
            "posts": ("renamed table", "core.posts", 1, 200),
            "visits": ("renamed table", "page_views", 0, 80),
        }
        texts = " ".join(case.findings["text"])
        assert "200 of its 200 keys are there, and 1 of these rows is equal in all 4" in texts
        assert "80 of its 80 keys are there, and none of these rows is equal in all 3" in texts


def test_numbers_that_differ_in_scale_only_are_said_apart(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric, v text); "
        "INSERT INTO t SELECT i, i / 2.0, 'x' FROM generate_series(1, 20) i",
        "UPDATE t SET n = n::numeric(10, 5) WHERE id <= 4; UPDATE t SET n = 99 WHERE id = 9; "
        "UPDATE t SET n = round(n, 1), v = 'y' WHERE id = 12",
    )
    with incident.compare() as case:
        incident.check(case)
        [note] = case.result("t").notes
        assert note.startswith("4 of the changed rows differ only in the scale")


def test_verify_agrees(incident: Incident) -> None:
    incident.happens(BEFORE, CHANGE)
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert case.complete
        incident.check(case)


def test_verify_notices_a_wrong_answer(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that calls all rows equal is found out."""
    incident.happens(
        "CREATE TABLE t (id int, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 50) i",
        "UPDATE t SET v = -v WHERE id < 5",
    )
    monkeypatch.setattr(few, "_FEW_BYTES", -1)  # few rows are compared without a hash
    run = DuckDB._stream
    monkeypatch.setattr(
        DuckDB,
        "_stream",
        lambda self, statement, **guards: run(
            self, statement.replace("md5_number(line)", "1::HUGEINT"), **guards
        ),
    )
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert not case.complete
        assert "byte for byte" in (case.result("t").reason or "")


def test_enum_labels_that_are_gone(incident: Incident) -> None:
    incident.happens(
        "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int PRIMARY KEY, m mood); "
        "INSERT INTO t VALUES (1, 'sad'), (2, 'ok')",
        "DELETE FROM t WHERE m = 'sad'; ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
    )
    with incident.compare() as case:
        [finding] = case.findings.itertuples()
        assert finding.kind == "enum label gone"
        assert "t.m may hold sad" in finding.text
        assert "New in its place: blue" in finding.text


def test_keys_under_a_new_name_or_with_new_values(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE renamed (id text PRIMARY KEY, v int); "
        "INSERT INTO renamed SELECT 'r' || i, i % 7 FROM generate_series(1, 60) i;"
        "CREATE TABLE rewritten (id text PRIMARY KEY, v int, w timestamptz); "
        "INSERT INTO rewritten SELECT 'r' || i, i, now() FROM generate_series(1, 60) i;"
        "CREATE TABLE refilled (id text PRIMARY KEY, v int); "
        "INSERT INTO refilled SELECT 'r' || i, i FROM generate_series(1, 60) i;"
        "CREATE TABLE some_rewritten (id int PRIMARY KEY, v text); "
        "INSERT INTO some_rewritten SELECT i, 'v' || i FROM generate_series(1, 60) i",
        "ALTER TABLE renamed RENAME id TO uid; UPDATE rewritten SET id = md5(id); "
        "UPDATE refilled SET id = md5(id), v = v + 1000;"
        "UPDATE some_rewritten SET id = id + 1000 WHERE id > 20; "
        "DELETE FROM some_rewritten WHERE id > 1050",
    )
    with incident.compare() as case:
        incident.check(case)
        found = {(f.kind, f.table): (f.rows, f.of) for f in case.findings.itertuples()}
        assert found == {
            ("renamed column", "renamed"): (60, 60),
            ("rewritten key", "rewritten"): (60, 60),
            ("rewritten key", "some_rewritten"): (30, 40),
        }
        for table in ("rewritten", "refilled"):
            assert "the keys were probably rewritten" in case.result(table).notes[0]


def test_what_no_dump_holds_rows_of(incident: Incident, scratch: Scratch) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); "
        "CREATE MATERIALIZED VIEW gone AS SELECT * FROM t; "
        "CREATE MATERIALIZED VIEW stays AS SELECT * FROM t;"
        "CREATE EXTENSION postgres_fdw; "
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw; "
        "CREATE FOREIGN TABLE far (a int) SERVER elsewhere;"
        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 9);"
        "SELECT lo_from_bytea(700001, 'one'), lo_from_bytea(700002, 'two'), "
        "lo_from_bytea(700003, 'three')",
        "DROP MATERIALIZED VIEW gone; DROP FOREIGN TABLE far; SELECT lo_unlink(700002); TRUNCATE u",
    )
    custom = scratch.dump(incident.before, incident.backup.with_suffix(".dump"), "-Fc")
    for backup in (incident.backup, custom, scratch.dsn(incident.before)):
        with fx.compare(
            backup, incident.live_dsn, incident.backup.parent / "case", force=True
        ) as case:
            incident.check(case)
            assert [r.name.table for r in case.results] == ["t", "u"]
            assert "unlogged" in case.result("u").notes[0]
            found = {(f.kind, f.table): (f.rows, f.of) for f in case.findings.itertuples()}
            assert {k: v for k, v in found.items() if k[0] != "gone without rows"} == {
                ("large objects gone", ""): (1, 3)
            }
            assert {t for kind, t in found if kind == "gone without rows"} == {"gone", "far"}


def test_sequences_that_a_default_draws_from(incident: Incident) -> None:
    """Nobody owns such a sequence; it runs dry all the same."""
    incident.happens(
        """CREATE SEQUENCE "Odd ""seq";
        CREATE TABLE t (id bigint DEFAULT nextval('"Odd ""seq"') PRIMARY KEY,
            n int GENERATED BY DEFAULT AS IDENTITY);"""
        "INSERT INTO t SELECT FROM generate_series(1, 20)",
        """SELECT setval('"Odd ""seq"', 20); ALTER TABLE t ALTER n RESTART WITH 5""",
    )
    with incident.compare() as case:
        assert [(f.kind, f.table) for f in case.findings.itertuples()] == [("sequence behind", "t")]
        incident.happens_next("""SELECT setval('"Odd ""seq"', 7)""")
    with incident.compare("again") as case:
        texts = sorted(f.text for f in case.findings.itertuples())
        assert [t.split(" is ")[1].split(",")[0] for t in texts] == ["8", "5"]


def test_sequences_that_meet_no_row(incident: Incident) -> None:
    """Ones that count down, share a column by turns, are reckoned with, are not drawn from."""
    incident.happens(
        """CREATE SEQUENCE falling INCREMENT -1 MINVALUE -100 MAXVALUE -1 START -1;
        CREATE TABLE debts (id bigint PRIMARY KEY DEFAULT nextval('falling'));
        INSERT INTO debts SELECT FROM generate_series(1, 9);
        CREATE SEQUENCE odd INCREMENT 2 START 1; CREATE DOMAIN number AS bigint;
        CREATE TABLE nodes (id number PRIMARY KEY DEFAULT nextval('odd'), t text);
        INSERT INTO nodes (t) SELECT 'here' FROM generate_series(1, 10);
        INSERT INTO nodes SELECT 2 * i, 'there' FROM generate_series(1, 50) i;
        CREATE SEQUENCE shard; CREATE TABLE posts (
            id bigint PRIMARY KEY DEFAULT nextval('shard') + 5000, big bigint);
        INSERT INTO posts (big) SELECT i FROM generate_series(1, 8) i;
        CREATE TABLE loose (id serial PRIMARY KEY); ALTER TABLE loose ALTER id DROP DEFAULT;
        INSERT INTO loose SELECT generate_series(1, 30);
        CREATE SEQUENCE narrow MAXVALUE 50;
        CREATE TABLE ranges (id int PRIMARY KEY DEFAULT nextval('narrow'));
        INSERT INTO ranges SELECT FROM generate_series(1, 4); INSERT INTO ranges VALUES (1000);
        CREATE TABLE marks (id serial PRIMARY KEY, n text);""",
        "",
    )
    with incident.compare() as case:
        assert list(case.findings.itertuples()) == []
    incident.happens_next(
        "SELECT setval('falling', -3); SELECT setval('odd', 9); SELECT setval('narrow', 2);"
        "INSERT INTO marks VALUES (1000)"
    )
    with incident.compare("again") as case:
        found = {f.table: f.text.split(" is ", 1)[1] for f in case.findings.itertuples()}
        assert found == {
            "debts": "-4, and debts.id goes down to -9: inserts will fail "
            "until it is set past that.",
            "nodes": "11, and nodes.id goes up to 19: inserts will fail until it is set past that.",
            "ranges": "3, and ranges.id goes up to 4: inserts will fail until it is set past that.",
            "marks": "1, and marks.id goes up to 1,000: inserts will fail from 1,000 on "
            "until it is set past that.",
        }
