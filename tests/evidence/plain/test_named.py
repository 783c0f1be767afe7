"""INSERTs that name columns: what a server would refuse or read otherwise is not read as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import BackupError
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.scratch import Scratch
from tests.evidence.plain.reading import rows

SQL = """CREATE TABLE berth (id int PRIMARY KEY, quay text, "Depth" numeric(4, 1));
INSERT INTO berth SELECT i, 'quay ' || i, i + 0.5 FROM generate_series(1, 12) i;
CREATE TABLE mooring (berth_id int, ship text);
INSERT INTO mooring SELECT i, 'ship ' || i FROM generate_series(1, 5) i;
"""
HARMS = {
    "another name": (b'(id, quay, "Depth") VALUES (7,', b'(id, quax, "Depth") VALUES (7,'),
    "another case": (b'(id, quay, "Depth") VALUES (7,', b'(id, quay, "depth") VALUES (7,'),
    "a name twice": (b'(id, quay, "Depth") VALUES (7,', b"(id, quay, quay) VALUES (7,"),
    "a bare word": (b"VALUES (7, 'quay 7',", b"VALUES (7, NUL,"),
}


@pytest.mark.parametrize("form", [(), ("-Ft",)], ids=["plain", "tar"])
@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_list_of_columns_marks_its_table(
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
    harm: str,
    form: tuple[str, ...],
) -> None:
    backup = tmp_path / "backup"
    scratch.dump(database(SQL), backup, "--column-inserts", *form)
    with open_source(backup) as source:
        assert inspect_backup(source).whole
    data = backup.read_bytes()
    before, after = HARMS[harm]
    assert data.count(before) == 1
    # Archives count bytes: what is taken away is made up for by blanks between the words.
    wide = after.replace(b"VALUES ", b"VALUES ".ljust(7 + len(before) - len(after)))
    backup.write_bytes(data.replace(before, wide))
    with open_source(backup) as source:
        found = inspect_backup(source)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables}
    assert "INSERT statement" in (by_name["berth"].problem or "")
    assert by_name["berth"].rows == 6
    assert by_name["mooring"].problem is None
    assert by_name["mooring"].rows == 5


def test_columns_that_were_renamed_behind_the_rows_are_no_damage(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_text(
        "CREATE TABLE crane (id int, lifts int);\n"
        "INSERT INTO crane (id, lifts) VALUES (1, 40);\n"
        "ALTER TABLE crane RENAME COLUMN lifts TO tons;\n"
    )
    with open_source(backup) as source:
        assert inspect_backup(source).whole


def test_names_without_quotes_are_folded_as_a_server_does(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    text = (
        'CREATE TABLE Pilot (ID integer PRIMARY KEY, Name text, "Since" date, FÜR text);\n'
        "INSERT INTO Pilot (ID, NAME, \"Since\", FÜR) VALUES (1, 'Åse', '2020-02-29', 'a');\n"
        'COPY PILOT (Id, nAmE, "Since", fÜr) FROM stdin;\n2\tBo\t2021-01-31\tb\n\\.\n'
    )
    backup = tmp_path / "b.sql"
    backup.write_text(text)
    name = database(text)
    held = scratch.run(name, 'SELECT id, name, "Since", fÜr FROM pilot ORDER BY id')
    wanted = Counter(tuple(line.split("|")) for line in held.splitlines())
    with open_source(backup) as source:
        assert rows(source, "pilot") == wanted
        assert inspect_backup(source).whole


@pytest.mark.parametrize("value", ["DEFAULT", "CURRENT_TIMESTAMP", "seen", "FULL", "truth"])
def test_words_that_are_no_literals_are_not_taken_for_text(tmp_path: Path, value: str) -> None:
    backup = tmp_path / "b.sql"
    backup.write_text(
        "CREATE TABLE log (id int, at text);\nINSERT INTO log VALUES (1, 'now');\n"
        f"INSERT INTO log VALUES (2, {value});\n"
    )
    with open_source(backup) as source, pytest.raises(BackupError, match="from line 3"):
        rows(source, "log")


def test_bare_numbers_and_truths_are_read(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_text(
        "CREATE TABLE log (a numeric, b boolean, c text);\n"
        "INSERT INTO log VALUES (-1.5e+10, TRUE, null), (.5, False, NULL), (0x1F, true, 'x'),\n"
        " (+7::bigint, NULL, 'y'), (1_000, false, E'z\\n');\n"
    )
    with open_source(backup) as source:
        found = rows(source, "log")
    assert found == Counter(
        [
            ("-1.5e+10", "t", None),
            (".5", "f", None),
            ("0x1F", "t", "x"),
            ("+7", None, "y"),
            ("1_000", "f", "z\n"),
        ]
    )


@pytest.mark.parametrize("options", [(), ("--inserts",), ("--rows-per-insert=4",)], ids=str)
def test_a_block_that_stands_twice_with_its_heading_is_damage(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    backup = tmp_path / "b.sql"
    text = scratch.dump(database(SQL), backup, *options).read_text()
    start = text.index("--\n-- Data for Name: mooring")
    end = text.index("--\n-- Name: berth berth_pkey")
    backup.write_text(text[:end] + text[start:end] + text[end:])
    with open_source(backup) as source:
        found = inspect_backup(source)
    assert found.whole is False
    problems = {held.table.name.table: held.problem for held in found.tables}
    assert problems["berth"] is None
    assert "rows of table mooring stand in it twice" in (problems["mooring"] or "")


@pytest.mark.parametrize(
    ("column", "is_sure"),
    [
        ("note text", True),
        ("note text DEFAULT NULL::text", True),
        ("note text DEFAULT 'none'", False),
        ("note text DEFAULT now()", False),
        ("note serial", False),
        ("note int GENERATED ALWAYS AS IDENTITY", False),
        ("note int GENERATED ALWAYS AS (id + 1) STORED", True),
    ],
)
def test_what_a_server_fills_in_is_not_taken_for_null(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, column: str, is_sure: bool
) -> None:
    text = f"CREATE TABLE pier (id int, {column});\nINSERT INTO pier (id) VALUES (1);\n"
    held = scratch.run(database(text), "SELECT note IS NULL FROM pier")
    assert (held == "t\n") == (is_sure and "STORED" not in column)
    backup = tmp_path / "b.sql"
    backup.write_text(text)
    with open_source(backup) as source:
        found = inspect_backup(source)
    assert found.whole is (True if is_sure else None)
    if not is_sure:
        assert "cannot be read from line 2" in found.verdict


def test_what_people_write_and_this_reader_does_not_know_is_no_damage(tmp_path: Path) -> None:
    backup = tmp_path / "b.sql"
    backup.write_text(
        "CREATE TABLE pier (id int, name text);\n"
        "INSERT INTO pier VALUES (1, 'x'::character varying(10)), (2, 'y'::text);\n"
        "INSERT INTO pier VALUES (3, 'a' || 'b');\n"
    )
    with open_source(backup) as source:
        found = inspect_backup(source)
    assert found.whole is None
    assert found.tables[0].rows == 2
    assert "NOT whole" not in found.verdict
