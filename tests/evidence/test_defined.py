"""Tables whose definition was damaged in a dump that holds their rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.evidence import open_source
from forensics.evidence.inspection import Inspection, inspect_backup
from forensics.scratch import Scratch

SQL = """CREATE TABLE meter (id int PRIMARY KEY, place text, fitted date);
INSERT INTO meter SELECT i, 'place ' || i, date '2020-01-01' + i FROM generate_series(1, 9) i;
CREATE TABLE reader (id int, name text);
INSERT INTO reader SELECT i, 'reader ' || i FROM generate_series(1, 4) i;
"""
OPTIONS = [(), ("--inserts",), ("--column-inserts",), ("-Ft",), ("-Ft", "--inserts")]
HARMS = {
    "its word": (b"CREATE TABLE public.meter", b"CREATE TABLF public.meter"),
    "its name": (b"CREATE TABLE public.meter", b"CREATE TABLE public.metes"),
    "a bracket": (b"CREATE TABLE public.meter (", b"CREATE TABLE public.meter 8"),
    "a comma": (b"place text,", b"place text("),
}


def looked_through(path: Path) -> Inspection:
    with open_source(path) as source:
        return inspect_backup(source)


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_definition_marks_its_table(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    options: tuple[str, ...],
    harm: str,
) -> None:
    backup = tmp_path / "backup"
    scratch.dump(database(SQL), backup, *options)
    before, after = HARMS[harm]
    data = backup.read_bytes()
    backup.write_bytes(data.replace(before, after, 1))
    found = looked_through(backup)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables if held.data}
    assert "definition of table meter is lost or damaged" in (by_name["meter"].problem or "")
    assert by_name["meter"].rows == 9
    assert by_name["reader"].rows == 4
    assert by_name["reader"].problem is None


@pytest.mark.parametrize(
    "options",
    [
        ("--data-only",),
        ("--data-only", "--inserts"),
        ("--data-only", "-Fc"),
        ("--section=data", "--section=post-data"),
        ("--table=day", "--load-via-partition-root"),
        ("--table=meter", "--no-owner"),
    ],
    ids=" ".join,
)
def test_a_dump_that_leaves_definitions_out_is_whole(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    days = (
        "CREATE TABLE days (at date, n int) PARTITION BY RANGE (at);"
        "CREATE TABLE day PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
        "INSERT INTO days VALUES ('2020-02-29', 1);"
    )
    backup = tmp_path / "backup"
    scratch.dump(database(SQL + days), backup, *options)
    assert looked_through(backup).whole


def test_rows_of_a_table_that_an_extension_makes_are_whole(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_text(
        "--\n-- PostgreSQL database dump\n--\n\n"
        "-- Dumped from database version 16.3\n-- Dumped by pg_dump version 16.3\n\n"
        "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public;\n\n"
        "CREATE TABLE public.well (id integer);\n\nALTER TABLE public.well OWNER TO postgres;\n\n"
        "--\n-- Data for Name: spatial_ref_sys; Type: TABLE DATA; Schema: public; Owner: p\n--\n\n"
        "COPY public.spatial_ref_sys (srid, auth_name) FROM stdin;\n900913\tmine\n\\.\n\n\n"
        "--\n-- Data for Name: well; Type: TABLE DATA; Schema: public; Owner: p\n--\n\n"
        "COPY public.well (id) FROM stdin;\n1\n\\.\n\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n"
    )
    assert looked_through(backup).whole
    text = backup.read_text()
    backup.write_text(text.replace("public.well (id integer)", "public.well (id integer"))
    found = looked_through(backup)
    assert found.whole is False
    problems = {held.table.name.table: held.problem for held in found.tables}
    assert problems["spatial_ref_sys"] is None
    assert "definition of table well" in (problems["well"] or "")


@pytest.mark.parametrize(
    "edit",
    [
        ("FROM 16.3", "FROM 19beta2", ") WITH SOMETHING NEW;"),
        ("", "", ") WITH (appendonly=true) DISTRIBUTED BY (id) SUBPARTITION BY LIST (id);"),
    ],
    ids=["of a newer server", "of another program"],
)
def test_a_definition_that_only_other_parsers_know_is_no_damage(
    tmp_path: Path, edit: tuple[str, str, str]
) -> None:
    text = (
        "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 16.3\n\n"
        "CREATE TABLE public.well (\n    id integer\n);\n\n"
        "ALTER TABLE public.well OWNER TO postgres;\n\n"
        "--\n-- Data for Name: well; Type: TABLE DATA; Schema: public; Owner: p\n--\n\n"
        "COPY public.well (id) FROM stdin;\n1\n\\.\n\n\n"
        "--\n-- PostgreSQL database dump complete\n--\n\n"
    )
    newer = "19beta2" if edit[0] else "16.3"
    text = text.replace("version 16.3", f"version {newer}").replace(");\n", edit[2] + "\n", 1)
    backup = tmp_path / "b.sql"
    backup.write_text(text)
    found = looked_through(backup)
    assert found.whole
    assert any("could not be parsed" in said for _, said in found.findings)


def test_a_definition_that_ran_into_rows_is_damage(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    more = "CREATE TABLE visit (id int); INSERT INTO visit SELECT generate_series(1, 3);"
    backup = tmp_path / "b.sql"
    text = scratch.dump(database(SQL + more), backup, "--inserts").read_text()
    start = text.index("CREATE TABLE public.visit (") + len("CREATE TABLE public.visit (")
    end = text.index("(8, 'place 8'")
    backup.write_text(text[:start] + text[end:])
    found = looked_through(backup)
    assert found.whole is False
    assert "cannot be parsed" in (found.damage or "")
    by_name = {held.table.name.table: held for held in found.tables}
    assert "under no heading beside what is damaged" in (by_name["meter"].problem or "")
    assert by_name["reader"].problem is None


def test_a_setting_that_ran_into_rows_is_damage(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    """What lies between, the table's definition and its first rows, is in no statement."""
    more = "CREATE TABLE visit (id int); INSERT INTO visit SELECT generate_series(1, 3);"
    backup = tmp_path / "b.sql"
    text = scratch.dump(database(SQL + more), backup, "--column-inserts").read_text()
    start = text.index("SET default_table_access_method = ") + 34
    end = text.index("INTO public.visit (id) VALUES (2)")
    backup.write_text(text[:start] + text[end:])
    found = looked_through(backup)
    assert found.whole is False
    problems = {held.table.name.table: held.problem for held in found.tables}
    assert "within a statement that cannot be parsed" in (problems["visit"] or "")


def test_an_end_mark_among_an_archives_rows_ends_what_is_sure(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    backup = tmp_path / "b"
    scratch.dump(database(SQL), backup, "-Fd", "-Z0")
    [rows] = [path for path in backup.glob("*.dat") if b"place 9" in path.read_bytes()]
    data = rows.read_bytes()
    rows.write_bytes(data.replace(b"\\.\n", b"\\.\n" + data[data.index(b"8\tplace") :], 1))
    found = looked_through(backup)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables}
    assert "stands among them" in (by_name["meter"].problem or "")
    assert by_name["meter"].rows == 9
    assert by_name["reader"].problem is None
