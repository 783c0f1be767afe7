"""Hazards: a statement for each code, and its page in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import postgast
import pytest

from forensics.evidence.ddl import read_catalog
from forensics.evidence.migrations import Migration
from forensics.statements.hazards import CODES, Hazard, hazards_of, widens

PAGES = Path(__file__).parents[2] / "docs" / "hazards"
CATALOG = read_catalog(
    [
        "CREATE TYPE public.mood AS ENUM ('a')",
        "CREATE TABLE public.p (id int PRIMARY KEY, m public.mood, t timestamp, v varchar(20))",
        "CREATE TABLE public.c (id int PRIMARY KEY, p int)",
        "ALTER TABLE public.c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES public.p(id)",
        "CREATE TABLE legacy.x (id int)",
    ]
)
STATEMENTS = {
    "DROP TABLE p": [("drop-table", "p", None)],
    "DROP TABLE a, legacy.x": [("drop-table", "a", None), ("drop-table", "legacy.x", None)],
    "DROP TABLE p CASCADE": [("drop-table", "p", None), ("drop-cascade", "p", None)],
    "ALTER TABLE p DROP COLUMN t, DROP COLUMN IF EXISTS v": [
        ("drop-column", "p", "t"),
        ("drop-column", "p", "v"),
    ],
    "DROP SCHEMA legacy CASCADE": [("drop-schema", "legacy.x", None)],
    "DROP TYPE mood CASCADE": [("drop-type", "p", "m")],
    "ALTER TABLE c DROP CONSTRAINT c_p_fkey": [("drop-constraint", "c", None)],
    "TRUNCATE p CASCADE": [("truncate", "p", None), ("drop-cascade", "c", None)],
    "DELETE FROM p": [("delete-all", "p", None)],
    "DELETE FROM ONLY p AS x USING c WHERE c.p = x.id": [("delete-where", "p", None)],
    "UPDATE p SET v = '', t = now()": [("update-all", "p", "v"), ("update-all", "p", "t")],
    "UPDATE p SET v = '' WHERE v IS NULL": [("update-where", "p", "v")],
    "ALTER TABLE p ALTER t TYPE date": [("type-change", "p", "t"), ("table-rewrite", "p", "t")],
    "ALTER TABLE p ALTER v TYPE varchar(40)": [],
    "ALTER TABLE p ALTER v SET NOT NULL": [("set-not-null", "p", "v")],
    "ALTER TABLE p ADD COLUMN n int NOT NULL": [("add-not-null-column", "p", "n")],
    "ALTER TABLE p ADD COLUMN n int NOT NULL DEFAULT 0": [],
    "ALTER TABLE p ADD COLUMN n serial": [("table-rewrite", "p", "n")],
    "ALTER TABLE p ADD UNIQUE (v, t)": [("add-unique", "p", None)],
    "CREATE UNIQUE INDEX CONCURRENTLY ON p (v)": [("add-unique", "p", "v")],
    "CREATE INDEX ON p (v)": [("long-lock", "p", None)],
    "ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES p ON DELETE CASCADE": [
        ("add-foreign-key", "c", "id"),
        ("on-delete-cascade", "c", "id"),
    ],
    "ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES p NOT VALID": [],
    "ALTER TABLE p ADD CHECK (id > 0)": [("add-check", "p", None)],
    "ALTER TABLE p RENAME TO q": [("rename-table", "p", None)],
    "ALTER TABLE p SET SCHEMA legacy": [("rename-table", "p", None)],
    "ALTER TABLE p RENAME COLUMN v TO w": [("rename-column", "p", "v")],
    "DROP TABLE p; CREATE TABLE p (id int)": [
        ("drop-table", "p", None),
        ("drop-and-create", "p", None),
    ],
    "ALTER TABLE p DETACH PARTITION c": [("detach-partition", "p", None)],
    "WITH g AS (DELETE FROM c RETURNING *) SELECT * FROM g": [("delete-all", "c", None)],
    "INSERT INTO p (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET v = 'x'": [
        ("update-where", "p", "v")
    ],
    "MERGE INTO p USING c ON c.p = p.id WHEN MATCHED THEN DELETE": [("delete-where", "p", None)],
    "CREATE TABLE n (id int REFERENCES p ON DELETE CASCADE)": [("on-delete-cascade", "n", "id")],
    "VACUUM FULL p": [("table-rewrite", "p", None)],
    "LOCK TABLE p": [("long-lock", "p", None)],
    "CREATE TABLE fresh (id int, t text); CREATE INDEX ON fresh (t); ALTER TABLE fresh ALTER t SET NOT NULL": [],
    "DROP DATABASE d": [("drop-cascade", "None", None)],
    "PREPARE d AS DELETE FROM p; EXECUTE d; EXPLAIN DELETE FROM p": [("dynamic-sql", "None", None)],
    "EXPLAIN ANALYZE DELETE FROM p": [("delete-all", "p", None)],
    "ALTER TABLE p ALTER v TYPE text USING v::text": [],
    "ALTER TABLE p ALTER v TYPE text USING ''": [
        ("type-change", "p", "v"),
        ("table-rewrite", "p", "v"),
    ],
    "ALTER TABLE c VALIDATE CONSTRAINT c_p_fkey, VALIDATE CONSTRAINT other": [
        ("add-foreign-key", "c", "p"),
        ("add-check", "c", None),
    ],
    "SELECT 1; CREATE VIEW w AS SELECT 1; DROP VIEW w; DROP INDEX i; COMMENT ON TABLE p IS 'DROP TABLE p'": [],
}


def hazards(text: str) -> list[Hazard]:
    return hazards_of(Migration("m", Path("m.sql"), text.encode()), CATALOG)


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_is_read_for_its_hazards(text: str) -> None:
    assert [(h.code, str(h.table), h.column) for h in hazards(text)] == STATEMENTS[text]


def test_do_blocks_and_functions_are_read_to_their_lines() -> None:
    text = """SELECT 1;
DO $body$
DECLARE r record;
BEGIN
  IF true THEN
    DELETE FROM p;
  ELSIF false THEN EXECUTE 'DROP TABLE c';
  END IF;
  FOR r IN SELECT * FROM p LOOP UPDATE p SET v = r.v WHERE id = r.id; END LOOP;
  EXECUTE format('TRUNCATE %I', 'p');
EXCEPTION WHEN others THEN
  DROP TABLE legacy.x;
END $body$;
CREATE FUNCTION purge() RETURNS void LANGUAGE sql AS 'DELETE FROM c WHERE id > 3';
CREATE FUNCTION odd() RETURNS void LANGUAGE plpython3u AS 'plpy.execute("DROP TABLE p")';
"""
    assert [(h.line, h.code, str(h.table), h.within) for h in hazards(text)] == [
        (6, "delete-all", "p", "a DO block"),
        (7, "dynamic-sql", "None", "a DO block"),
        (7, "drop-table", "c", "a DO block"),
        (9, "update-where", "p", "a DO block"),
        (10, "dynamic-sql", "None", "a DO block"),
        (12, "drop-table", "legacy.x", "a DO block"),
        (14, "delete-where", "c", "function purge"),
        (15, "dynamic-sql", "None", "function odd"),
    ]


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_whose_example_is_one(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text()
    assert page.startswith(f"# {code}\n")
    assert re.findall(r"^## (.*)", page, re.M) == ["The problem", "An example", "The way out"]
    example = re.search(r"```sql\n(.*?)```", page, re.S)
    assert example
    found = {h.code for h in hazards(example[1])}
    # What hangs on deleted rows, and what triggers do, only the data shows.
    assert (
        code in found
        or (code in ("delete-cascades", "side-effect") and "delete-where" in found)
        or code in ("drop-schema", "drop-type")
    )
    way_out = "\n".join(
        line[4:] for line in page.split("## The way out")[1].splitlines() if line.startswith("    ")
    )
    if "…" not in way_out:
        postgast.parse(way_out)


def test_every_code_stands_in_the_index() -> None:
    index = (PAGES / "README.md").read_text()
    assert all(f"[{c}]({c}.md)" in index for c in CODES)


@pytest.mark.parametrize(
    ("old", "new", "wide"),
    [
        ("integer", "bigint", True),
        ("bigint", "integer", False),
        ("character varying(10)", "character varying(20)", True),
        ("character varying(20)", "character varying(10)", False),
        ("character varying(20)", "text", True),
        ("text", "character varying(20)", False),
        ("numeric(10,2)", "numeric(12,2)", True),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("numeric(10,2)", "numeric(11,4)", False),
        ("numeric(10,2)", "numeric(10,0)", False),
        ("timestamp(3) without time zone", "timestamp(6) without time zone", True),
        ("timestamp without time zone", "date", False),
        ("json", "jsonb", False),
    ],
)
def test_what_widens_loses_nothing(old: str, new: str, wide: bool) -> None:
    assert widens(old, new) is wide
