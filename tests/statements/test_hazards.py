"""Hazards: what is read from the statements of hazards/CODE.sql, and the page of each code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import postgast
import pytest

from forensics.evidence.ddl import read_catalog
from forensics.evidence.migrations import Migration
from forensics.statements import plpgsql
from forensics.statements.hazards import CODES, HAZARDS, Hazard, hazards_of, widens
from forensics.statements.kinds import HazardFile

PAGES = Path(__file__).parents[2] / "docs" / "hazards"
CASES = Path(__file__).parent / "hazards"
CATALOG = read_catalog(
    [
        "CREATE TYPE public.mood AS ENUM ('a')",
        "CREATE TABLE public.p (id int PRIMARY KEY, m public.mood, t timestamp, v varchar(20))",
        "CREATE TABLE public.c (id int PRIMARY KEY, p int)",
        "ALTER TABLE public.c ADD CONSTRAINT c_p_fkey FOREIGN KEY (p) REFERENCES public.p(id)",
        "CREATE TABLE legacy.x (id int)",
    ]
)
# What hangs on deleted rows, and what triggers do, only the data shows.
SHOWN_BY_DATA = ("delete-cascades", "side-effect")
# What is there, only the database.
SHOWN_BY_NAMES = ("name-taken", "not-there")
# What is no SQL, only the files.
SHOWN_BY_FILES = ("not-read",)


def cases() -> dict[str, list[tuple[str, str, str | None]]]:
    """By SQL, what is found in it: hazards/CODE.sql has cases with an empty line between them.

    A case begins with a comment for each hazard (`-- CODE TABLE COLUMN`), or with `-- nothing`; `-`
    is for no table, and the column is left out where there is none.
    """
    found = {}
    for path in sorted(CASES.glob("*.sql")):
        for case in path.read_text().strip().split("\n\n"):
            lines = case.splitlines()
            said = [line[3:].split() for line in lines if line.startswith("-- ")]
            text = "\n".join(lines[len(said) :])
            found[text] = [expected(*words) for words in said if words != ["nothing"]]
    return found


def expected(code: str, table: str, column: str | None = None) -> tuple[str, str, str | None]:
    return code, "None" if table == "-" else table, column


STATEMENTS = cases()


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
        (10, "truncate", "p", "a DO block"),
        (12, "drop-table", "legacy.x", "a DO block"),
        (14, "delete-where", "c", "function purge"),
        (15, "dynamic-sql", "None", "function odd"),
    ]


def test_a_constant_that_is_executed_and_does_not_parse_is_not_known() -> None:
    text = """DO $$ BEGIN
  EXECUTE 'ALTER TABLE p SPLIT IN TWO';
  EXECUTE 'DROP TABLE c';
END $$;
CREATE FUNCTION cut() RETURNS void LANGUAGE sql AS 'DELETE p OUTRIGHT';
"""
    assert [(h.line, h.code, h.known) for h in hazards(text)] == [
        (2, "dynamic-sql", False),
        (3, "dynamic-sql", True),
        (3, "drop-table", False),
        (5, "dynamic-sql", False),
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'a' || 'b'", "ab"),
        ("format('DROP TABLE %I.%I -- %%', 'old', 'Odd \"n\"')", 'DROP TABLE old."Odd ""n""" -- %'),
        ("format('%2$s %1$L', 'it''s', 3)", "3 'it''s'"),
        ("concat('x', quote_ident('order'), quote_literal('a'))", "x\"order\"'a'"),
        ("'a'::text || upper('b')", "aB"),
        ("format('%s', now())", None),
        ("format('%10s', 'a')", None),
        ("format('%s %s', 'a')", None),
        ("'a' || name", None),
        ("'a' || NULL", None),
    ],
)
def test_a_text_put_together_of_constants(text: str, wanted: str | None) -> None:
    assert plpgsql.constant(text) == wanted


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_whose_example_is_one(code: str) -> None:
    page = (PAGES / f"{code}.md").read_text()
    assert page.startswith(f"# {code}\n")
    assert re.findall(r"^## (.*)", page, re.M) == ["The problem", "An example", "The way out"]
    example = re.search(r"```(?:sql|js)\n(.*?)```", page, re.S)
    assert example
    if code in SHOWN_BY_FILES:
        return
    found = {h.code for h in hazards(example[1])}
    assert (
        code in found
        or (code in SHOWN_BY_DATA and "delete-where" in found)
        or (code == "truncate-cascade" and "truncate" in found)  # only the catalogue shows it
        or code in ("drop-schema", "drop-type", *SHOWN_BY_NAMES)
    )
    way_out = "\n".join(
        line[4:] for line in page.split("## The way out")[1].splitlines() if line.startswith("    ")
    )
    if "…" not in way_out:
        postgast.parse(way_out)


@pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.CODE.code)
def test_every_code_has_a_file_and_a_case(hazard: HazardFile) -> None:
    code = hazard.CODE.code
    file = Path(inspect.getfile(hazard))  # type: ignore[arg-type]
    assert file.stem == code.replace("-", "_")
    assert (
        code in SHOWN_BY_DATA + SHOWN_BY_NAMES + SHOWN_BY_FILES
        or f"-- {code} " in (CASES / f"{code}.sql").read_text()
    )


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
