"""Bytes that are no UTF-8: in rows of every form, in names and in definitions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.evidence import open_source
from forensics.evidence.inspection import Inspection, inspect_backup
from forensics.scratch import Scratch

SQL = """CREATE TABLE shelf (id int PRIMARY KEY, label text DEFAULT 'grün');
INSERT INTO shelf SELECT i, 'süß ' || i FROM generate_series(11, 40) i;
CREATE TABLE jar (id int, "größe" int);
INSERT INTO jar SELECT i, i FROM generate_series(1, 6) i;
"""
PLAIN = [(), ("--inserts",), ("--column-inserts",), ("--rows-per-insert=6",)]
ARCHIVES = [("-Ft",), ("-Ft", "--inserts"), ("-Ft", "--column-inserts"), ("-Fc", "-Z0")]
GROESSE = '"größe"'.encode()


def looked_through(path: Path) -> Inspection:
    with open_source(path) as source:
        return inspect_backup(source)


def problems(found: Inspection) -> dict[str, str | None]:
    assert found.whole is False
    return {held.table.name.table: held.problem for held in found.tables}


@pytest.mark.parametrize("options", PLAIN + ARCHIVES, ids=" ".join)
def test_in_rows_the_place_is_said_and_those_before_it_are_read(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    backup = tmp_path / "backup"
    scratch.dump(database(SQL), backup, *options)
    data = backup.read_bytes()
    word = "süß 25".encode()
    at = data.index(word)
    odd = word.replace(b"\xc3\xbc", b"\xff\xbc")
    damaged = data[:at] + odd + data[at + len(odd) :]
    backup.write_bytes(damaged)
    found = looked_through(backup)
    said = problems(found)
    assert "no UTF-8 (ff)" in (said["shelf"] or "")
    line = damaged.count(b"\n", 0, at) + 1
    place = f"line {line}"
    if options in ARCHIVES:
        place = "line 15" if "inserts" in options[-1] else "row 15"
    assert place in (said["shelf"] or "")
    rows = 12 if "--rows-per-insert=6" in options else 14
    assert {held.table.name.table: held.rows for held in found.tables} == {"shelf": rows, "jar": 6}
    assert said["jar"] is None


@pytest.mark.parametrize("options", [PLAIN[0], PLAIN[2], *ARCHIVES[::3]], ids=" ".join)
@pytest.mark.parametrize(("encoding", "codec"), [("EUC_JP", "euc-jp"), ("GBK", "gbk")])
def test_in_other_encodings_the_place_is_said_too(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    options: tuple[str, ...],
    encoding: str,
    codec: str,
) -> None:
    backup = tmp_path / "backup"
    name = database(SQL.replace("ü", "中").replace("ß", "文").replace("ö", "o"))
    scratch.dump(name, backup, *options, f"--encoding={encoding}")
    data = backup.read_bytes()
    at = data.index("s中文 25".encode(codec)) + 1
    backup.write_bytes(data[:at] + b"\xff\xff" + data[at + 2 :])
    found = looked_through(backup)
    said = problems(found)
    assert f"that mean nothing in {encoding}" in (said["shelf"] or "")
    place = f"line {data.count(bytes([10]), 0, at) + 1}"
    if options in ARCHIVES:
        place = "row 15"
    assert place in (said["shelf"] or "")
    assert said["jar"] is None
    if options != PLAIN[2]:  # of INSERTs, those that were read with it are in doubt, too
        rows = {held.table.name.table: held.rows for held in found.tables}
        assert rows == {"shelf": 14, "jar": 6}


@pytest.mark.parametrize(
    ("options", "before"),
    [
        ((), b"COPY public.jar (id, " + GROESSE),
        (("--inserts",), b"INSERT INTO public.jar VALUES (4,"),
        (("--column-inserts",), b"INSERT INTO public.jar (id, " + GROESSE + b") VALUES (4,"),
        ((), b"CREATE TABLE public.jar"),
        ((), b"CREATE TABLE public.jar (\n    id integer,\n    " + GROESSE),
        (("-Ft",), b"CREATE TABLE public.jar (\n    id integer,\n    " + GROESSE),
    ],
)
@pytest.mark.parametrize("place", ["the table", "a column"])
def test_a_name_is_not_taken_for_another(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    options: tuple[str, ...],
    before: bytes,
    place: str,
) -> None:
    after = before.replace(b".jar", b".j\xfer")
    if place == "a column":
        after = before.replace(b"\xc3\xb6", b"\xfe\xb6")
    if after == before or (options == ("-Ft",) and place == "the table"):
        pytest.skip("it is not named there")
    backup = tmp_path / "backup"
    scratch.dump(database(SQL), backup, *options)
    data = backup.read_bytes()
    assert before in data
    backup.write_bytes(data.replace(before, after, 1))
    said = problems(looked_through(backup))
    assert said["jar"], said
    assert said["shelf"] is None


def test_in_a_file_without_headings_a_name_that_is_no_text_is_damage(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_bytes(
        b"CREATE TABLE jar (id int);\nCOPY j\xe4r (id) FROM stdin;\n1\n\\.\n"
        b"CREATE TABLE lid (id int);\nINSERT INTO l\xe4d VALUES (1);\nINSERT INTO lid VALUES (2);\n"
    )
    found = looked_through(backup)
    assert found.whole is False
    assert "no UTF-8 (e4) stand at line 2" in (found.damage or "")


def test_in_sql_ascii_bytes_survive_in_names_and_rows(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_bytes(
        b"SET client_encoding = 'SQL_ASCII';\nCREATE TABLE j\xe4r (id text);\n"
        b"COPY j\xe4r (id) FROM stdin;\n\xe4\n\\.\nINSERT INTO j\xe4r VALUES ('\xff');\n"
    )
    with open_source(backup) as source:
        assert inspect_backup(source).whole
        [table] = source.catalog.roots
        assert source.count(table.name) == 2
