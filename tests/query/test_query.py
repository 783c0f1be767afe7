"""Questions to dumps of every form, held to what PostgreSQL itself answers."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import warnings
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as parquet
import pytest

import forensics as fx
from forensics.case.backup import IncompleteWarning
from forensics.cli import query as command
from forensics.errors import BackupError, DamagedBackupError, QueryError, UnknownTableError
from tests.query import world

ALL = [*world.FORMS, "packed.sql.gz"]
# What PostgreSQL and DuckDB write alike.
AS_TEXT = [
    *("id", "small", "big", "price", "day", "moment", "instant", "clock", "zoned", "yes", "u", "m"),
    *("name", "body", "range", "composite", "counted", "cash", "bits", "object"),
    *("bytes", "huge", "nan", "grid"),
]
AS_JSON = [
    *("doc", "docb", "numbers", "texts", "prices", "moods", "flags", "ids", "any_number", "tens"),
]


def forensics(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forensics", "query", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def asked(path: Path, sql: str, live: str | None = None) -> list[dict[str, Any]]:
    with fx.open_backup(path, live) as backup, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        rows: list[dict[str, Any]] = backup.arrow(sql).to_pylist()
    return rows


def truth(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()  # type: ignore[call-overload,no-any-return]


def exact(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


@pytest.mark.parametrize("form", ALL)
def test_values_are_what_postgresql_says(form: str, dumps: Path, dsn: str) -> None:
    out = dumps / f"kinds-{form}.csv"
    done = forensics(str(dumps / form), "SELECT * FROM kinds ORDER BY id", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert "kinds.huge is given as text" in done.stderr
    with out.open(newline="") as file:
        found = list(csv.DictReader(file))
    listed = ", ".join(f"{c}::text" for c in AS_TEXT)
    wanted = truth(dsn, f"SELECT {listed} FROM kinds ORDER BY id")
    for row, right in zip(found, wanted, strict=True):
        for column, value in zip(AS_TEXT, right, strict=True):
            assert row[column] == (value or ""), (column, row["id"])


@pytest.mark.parametrize("form", ["plain.sql", "custom.dump", "inserts.sql"])
def test_numbers_documents_and_arrays_in_json(form: str, dumps: Path, dsn: str) -> None:
    done = forensics(str(dumps / form), "SELECT * FROM kinds ORDER BY id", "--json")
    assert done.returncode == 0, done.stderr
    answer = exact(done.stdout)
    listed = ", ".join(f"to_json({c})::text" for c in AS_JSON)
    wanted = truth(dsn, f"SELECT {listed} FROM kinds ORDER BY id")
    for row, right in zip(answer["rows"], wanted, strict=True):
        for column, value in zip(AS_JSON, right, strict=True):
            assert row[column] == (None if value is None else exact(value)), (column, row["id"])
    assert [row["r"] for row in answer["rows"]] == [Decimal("1.1"), None, "NaN", 1.5, 1.5]
    assert answer["rows"][2]["d"] == "-Infinity"
    assert answer["rows"][3]["days"] == ["0044-03-15 BC", "infinity"]
    types = {column["name"]: column["type"] for column in answer["columns"]}
    assert types["any_number"] == "DECIMAL(38,3)"
    assert types["price"] == "DECIMAL(10,2)"
    assert types["tens"] == "DECIMAL(7,0)"
    assert types["numbers"] == "INTEGER[]"
    assert types["instant"] == "TIMESTAMP WITH TIME ZONE"
    assert types["grid"] == types["nan"] == types["huge"] == "VARCHAR"


def test_values_that_repeat_themselves_are_typed(dumps: Path) -> None:
    [row] = asked(
        dumps / "custom.dump",
        "SELECT instant - INTERVAL 1 DAY < instant AS earlier, span, isinf(day) AS i,"
        " doc->>'$.a[1]' AS x, octet_length(bytes) AS n, moment::DATE::VARCHAR AS at"
        " FROM kinds WHERE id = 1",
    )
    assert row["earlier"] is True
    assert (row["span"].months, row["span"].days) == (14, -3)
    assert (row["i"], row["x"], row["n"], row["at"]) == (False, "2.5", 4, "2020-02-29")


QUESTIONS = {
    "SELECT count(*) AS n FROM hotels": [{"n": 20000}],
    "SELECT sum(amount) AS s FROM shop.orders": [{"s": Decimal("625625.00")}],
    "SELECT count(*) AS n FROM orders": [{"n": 1000}],
    "SELECT id FROM old.hotels": [{"id": 77}],
    "SELECT id FROM backup.old.hotels": [{"id": 77}],
    "SELECT min(id) AS i FROM backup.hotels": [{"i": 1}],
    'SELECT "Na""me" AS a, name AS b FROM "Odd.S"."Mixed Case"': [{"a": "x", "b": "y"}],
    "SELECT id FROM ev ORDER BY id": [{"id": 1}, {"id": 2}, {"id": 3}],
    "SELECT id FROM ev2 ORDER BY id": [{"id": 2}, {"id": 3}],
    "SELECT id FROM par ORDER BY id": [{"id": 1}, {"id": 2}],
    "SELECT x FROM kid": [{"x": "x"}],
    "SELECT * FROM worked_out": [{"a": 1}],
    "SELECT count(*) AS n FROM empty": [{"n": 0}],
    "SELECT count(*) AS n FROM no_columns": [{"n": 1}],
    "SELECT t FROM one ORDER BY t NULLS LAST": [{"t": ""}, {"t": "x"}, {"t": None}],
    "SELECT a_1 FROM cased": [{"a_1": "x"}],
    "SELECT count(*) AS n FROM hotels a JOIN hotels b USING (id)": [{"n": 20000}],
    "WITH hotels AS (SELECT * FROM hotels WHERE id < 3) SELECT max(id) AS i FROM hotels": [
        {"i": 2}
    ],
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r"
    " WHERE EXISTS (SELECT 1 FROM hotels WHERE id = i) AND i < 4) SELECT max(i) AS i FROM r": [
        {"i": 4}
    ],
    "SELECT (SELECT count(*) FROM one) AS a, (SELECT count(*) FROM one) AS b": [{"a": 3, "b": 3}],
    "SELECT id FROM hotels WHERE id = (SELECT max(id) FROM hotels); -- the last": [{"id": 20000}],
}


@pytest.mark.parametrize("form", ["plain.sql", "custom.dump", "tar.tar", "columns.sql"])
def test_tables_are_there_by_their_names(form: str, dumps: Path) -> None:
    for sql, rows in QUESTIONS.items():
        assert asked(dumps / form, sql) == rows, sql


def test_both_sides_in_one_statement(dumps: Path, dsn: str, scratch: Any) -> None:
    live = "asked_live"
    scratch.create(live, "asked")
    scratch.run(live, "DELETE FROM hotels WHERE id <= 3; UPDATE hotels SET name = 'x' WHERE id = 9")
    try:
        rows = asked(
            dumps / "custom.dump",
            "SELECT b.id, l.name FROM backup.hotels b LEFT JOIN live.hotels l USING (id)"
            " WHERE l.name IS DISTINCT FROM b.name ORDER BY 1",
            scratch.dsn(live),
        )
        assert [row["id"] for row in rows] == [1, 2, 3, 9]
        [kinds] = asked(
            dumps / "plain.sql",
            "SELECT count(*) AS n FROM (SELECT * FROM kinds EXCEPT SELECT * FROM live.kinds)",
            scratch.dsn(live),
        )
        assert kinds == {"n": 0}
        [few] = asked(dumps / "plain.sql", "SELECT id FROM live.hotels LIMIT 1", scratch.dsn(live))
        assert few["id"] == 4
    finally:
        scratch.drop(live)


# --- what is refused ------------------------------------------------------------------------------

REFUSED = {
    "DELETE FROM hotels": "DELETE statement",
    "CREATE TABLE x AS SELECT 1": "CREATE statement",
    "COPY hotels TO '/tmp/x'": "COPY statement",
    "ATTACH 'x'": "ATTACH statement",
    "SET memory_limit = '1GB'": "SET statement",
    "SELECT 1; SELECT 2": "2 statements",
    "": "no question",
    "SHOW TABLES": "not asked in SQL",
    "PIVOT hotels ON id": "PIVOT",
    "SELECT nam FROM hotels": r'"nam" not found.*line 1, column 8',
    "SELECT name\nFROM hotels\nWHERE nope": r'"nope" not found.*line 3, column 7',
    "SELEC": r'syntax error at or near "SELEC" \(line 1, column 1',
    "SELECT name::INT FROM hotels": "Could not convert string '…' to INT32",
    "SELECT * FROM read_csv('/etc/passwd')": "Permission Error",
    "SELECT * FROM read_text('https://x.example/')": "Permission Error",
    "SELECT * FROM live.hotels": "no live database is given",
    "SELECT b FROM worked_out": "it is worked out",
    "SELECT * FROM counted": "materialized view",
    "SELECT * FROM again": "Several tables",
}


def test_what_is_not_answered_is_said_in_a_sentence(dumps: Path) -> None:
    for sql, words in REFUSED.items():
        with pytest.raises(fx.ForensicsError, match=f"(?s){words}"):
            asked(dumps / "custom.dump", sql)


def test_a_table_that_there_is_not_names_near_ones(dumps: Path) -> None:
    with pytest.raises(UnknownTableError, match="Did you mean hotels"):
        asked(dumps / "custom.dump", "SELECT * FROM hotel")
    with pytest.raises(UnknownTableError, match=r"no table /etc/passwd"):
        asked(dumps / "custom.dump", "SELECT * FROM '/etc/passwd'")


def test_an_error_is_words_and_no_traceback(dumps: Path) -> None:
    done = forensics(str(dumps / "custom.dump"), "SELECT nam FROM hotels", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "query"
    assert "Traceback" not in done.stderr
    assert 'Candidate bindings: "name"' in done.stderr


def test_files_are_read_where_that_is_allowed(dumps: Path) -> None:
    (dumps / "ids.csv").write_text("id\n5\n6\n")
    sql = f"SELECT name FROM hotels WHERE id IN (FROM '{dumps}/ids.csv') ORDER BY id"
    assert forensics(str(dumps / "custom.dump"), sql).returncode == 2
    done = forensics(str(dumps / "custom.dump"), sql, "--allow-files", "--format", "csv")
    assert done.stdout == "name\nhotel 5\nhotel 6\n", done.stderr


# --- what is cut ----------------------------------------------------------------------------------


def test_rows_beyond_a_cut_are_said_to_be_missing(dumps: Path) -> None:
    text = (dumps / "plain.sql").read_bytes()
    cut = dumps / "cut.sql"
    cut.write_bytes(text[: text.index(b"\n500\thotel 500\t") + 4])
    done = forensics(str(cut), "SELECT count(*) AS n FROM hotels", "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "n\n499\n")
    assert "breaks off" in done.stderr
    done = forensics(str(cut), "SELECT count(*) AS n FROM hotels", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["complete"], answer["rows"]) == (2, False, [{"n": 499}])
    assert len(answer["damage"]) == 1
    with fx.open_backup(cut) as backup:
        with pytest.warns(IncompleteWarning, match="breaks off"):
            assert backup.arrow("SELECT count(*) AS n FROM hotels").to_pylist() == [{"n": 499}]
        with pytest.raises(DamagedBackupError, match="cut off before the rows"):
            backup.arrow("SELECT count(*) FROM shop.orders")
    done = forensics(str(cut), "SELECT count(*) AS n FROM cased", "--format", "csv")
    assert (done.returncode, done.stdout) == (0, "n\n1\n")
    assert "not whole, but the rows of cased are" in done.stderr


def test_a_corrupt_archive_is_answered_as_far_as_it_goes(dumps: Path) -> None:
    data = bytearray((dumps / "custom.dump").read_bytes())
    path = dumps / "corrupt.dump"
    path.write_bytes(data[: len(data) * 2 // 3])
    done = forensics(str(path), "SELECT count(*) AS n FROM hotels", "--format", "csv")
    assert done.returncode in (0, 2)
    if done.returncode == 0:
        assert done.stdout == "n\n20000\n"


def test_a_garbled_row_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "garbled.sql"
    path.write_text(
        "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (id integer, v text);\n"
        "COPY public.t (id, v) FROM stdin;\n1\ta\n2\tb\nx3\tc\n4\td\n\\.\n\n--\n"
        "-- PostgreSQL database dump complete\n--\n"
    )
    done = forensics(str(path), "SELECT sum(id) AS s FROM t", "--format", "csv")
    assert (done.returncode, done.stdout) == (2, "s\n7\n")
    assert "row 3" in done.stderr


def test_rows_that_were_left_out_are_not_none(scratch: Any, dumps: Path) -> None:
    path = dumps / "without.dump"
    scratch.dump("asked", path, "-Fc", "--exclude-table-data=hotels")
    with pytest.raises(BackupError, match="they were left out"):
        asked(path, "SELECT count(*) FROM hotels")
    assert asked(path, "SELECT column_name FROM (DESCRIBE hotels) LIMIT 1") == [
        {"column_name": "id"}
    ]


# --- how much is read, and where it goes ----------------------------------------------------------


def test_only_what_is_asked_for_is_read(dumps: Path) -> None:
    from forensics.evidence import open_source
    from forensics.query.session import session
    from forensics.query.side import Side

    heard: dict[str, int] = {}

    def hear(name: Any, rows: int) -> None:
        heard[str(name)] = heard.get(str(name), 0) + rows

    with open_source(dumps / "plain.sql") as source:
        sides = {"backup": Side("backup", source)}
        with session(sides, heard=hear) as asking:
            asking.ask("SELECT a.id FROM hotels a JOIN hotels b USING (id)", "text", list)
            [table] = asking._tables.values()
            assert table.stream.wanted == {0}
    assert heard == {"hotels": 20000}


def test_every_format(dumps: Path, tmp_path: Path) -> None:
    backup, sql = str(dumps / "custom.dump"), "SELECT id, name FROM hotels WHERE id < 3 ORDER BY id"
    assert forensics(backup, sql, "--format", "json").stdout == (
        '[\n{"id": 1, "name": "hotel 1"},\n{"id": 2, "name": "hotel 2"}\n]\n'
    )
    assert forensics(backup, sql, "--format", "markdown").stdout == (
        "| id | name |\n| --- | --- |\n| 1 | hotel 1 |\n| 2 | hotel 2 |\n"
    )
    done = forensics(backup, sql)
    assert done.returncode == 0
    assert "hotel 2" in done.stdout
    assert "2 rows" in done.stderr
    out = tmp_path / "x.parquet"
    assert forensics(backup, "SELECT * FROM hotels", "-o", str(out)).returncode == 0
    assert parquet.read_table(out).num_rows == 20000
    assert out.stat().st_mode & 0o077 == 0
    done = forensics(backup, "SELECT day FROM kinds", "-o", str(tmp_path / "y.parquet"))
    assert done.returncode == 2
    assert "holds infinity" in done.stderr
    assert not list(tmp_path.glob("*y*"))
    assert forensics(backup, sql, "--format", "yaml").returncode == 2


def test_a_table_is_shown_as_far_as_one_looks(
    dumps: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer

    monkeypatch.setattr(command, "_SHOWN", 5)
    with pytest.raises(typer.Exit) as ended:
        command.query_command(str(dumps / "plain.sql"), "SELECT id FROM hotels")
    assert ended.value.exit_code == 0
    said = capsys.readouterr()
    assert "first 5 rows" in said.err
    assert said.out.count("│") == 10


def test_a_frame(dumps: Path) -> None:
    with fx.open_backup(dumps / "custom.dump") as backup:
        frame = backup.query("SELECT id, name FROM hotels ORDER BY id LIMIT 2")
        assert list(frame["name"]) == ["hotel 1", "hotel 2"]
        assert "hotels" in backup.tables
        with pytest.raises(QueryError):
            backup.query("SELECT nope FROM hotels")


@pytest.mark.soak
def test_memory_does_not_grow_with_the_table(scratch: Any, tmp_path: Path) -> None:
    """Five million rows joined with themselves, in 200 MB and what the process needs."""
    scratch.create("large")
    scratch.run(
        "large",
        "CREATE TABLE links AS SELECT i AS id, md5(i::text) AS a, md5((i % 1000)::text) AS b"
        " FROM generate_series(1, 5000000) i",
    )
    backup = tmp_path / "large.sql"
    scratch.dump("large", backup)
    scratch.drop("large")
    sql = "SELECT count(*) AS n FROM links x JOIN links y ON x.a = y.a"
    words = [sys.executable, "-m", "forensics", "query", str(backup), sql, "--format", "csv"]
    with (tmp_path / "out").open("w") as out:
        child = subprocess.Popen([*words, "--memory", "200MB"], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (tmp_path / "out").read_text() == "n\n5000000\n"
    assert usage.ru_maxrss / 1024 < 200 + 600
