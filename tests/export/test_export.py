"""Tables of real dumps of every form, as files that PostgreSQL's own programs read back."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import forensics as fx
from forensics.cli import register
from forensics.cli.voice import app
from forensics.scratch import Scratch
from tests.query.world import FORMS

ALL = [*FORMS, "packed.sql.gz"]
FLEET = ["fleet.depots", "fleet.makers", "fleet.vans", "fleet.trips"]


class Done(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def export(*words: str | Path) -> Done:
    register()
    done = CliRunner().invoke(app, ["export", *map(str, words)])
    return Done(done.exit_code, done.stdout, done.stderr)


def named(tables: list[str]) -> list[str]:
    words = []
    for table in tables:
        words += ["--table", table]
    return words


def rows(dsn: str, table: str, columns: str = "t::text", where: str = "true") -> list[Any]:
    with psycopg.connect(dsn) as connection:
        asked = f"SELECT {columns} FROM {table} t WHERE {where} ORDER BY 1"
        return connection.execute(asked).fetchall()  # type: ignore[call-overload,no-any-return]


def restored(scratch: Scratch, dsn: str, archive: Path, *options: str) -> None:
    command = [scratch.bin / "pg_restore", *options, "-d", dsn, archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("form", ALL)
def test_psql_loads_a_script_of_tables(
    form: str, dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    out = tmp_path / "fleet.sql"
    done = export(dumps / form, *named(["fleet.*", "kinds", "Odd.S.Mixed Case"]), "--to", out)
    assert done.returncode == 0, done.stderr
    other = database()
    scratch.run(other, out.read_bytes())
    for table in [*FLEET, "kinds", '"Odd.S"."Mixed Case"']:
        assert rows(scratch.dsn(other), table) == rows(dsn, table), table
    asked = "SELECT nextval('fleet.vans_id_seq'), nextval('fleet.depots_id_seq')"
    with psycopg.connect(scratch.dsn(other)) as connection:
        assert connection.execute(asked).fetchone() == (5001, 3)
        keys = connection.execute(
            "SELECT count(*) FILTER (WHERE contype = 'p'), count(*) FILTER (WHERE contype = 'f'),"
            " count(*) FILTER (WHERE conname = 'heavy') FROM pg_constraint"
            " WHERE conrelid = ANY ('{fleet.vans,fleet.depots,fleet.makers}'::regclass[])"
        ).fetchone()
        assert keys == (3, 2, 1)
        said = connection.execute("SELECT obj_description('fleet.vans'::regclass)").fetchone()
        assert said == ("vans; all of them",)
        indexes = connection.execute(
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'fleet'"
        ).fetchone()
        assert indexes == (11,)
        made = connection.execute(
            "INSERT INTO fleet.vans (plate) VALUES ('x') RETURNING gear::text, ticket, code, twice"
        ).fetchone()
        assert made == ("low", 5500, "a;b", 10004)


@pytest.mark.parametrize("form", ALL)
def test_pg_restore_reads_an_archive_of_tables(
    form: str, dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    out = tmp_path / "fleet.dump"
    done = export(dumps / form, *named(["fleet.*", "kinds"]), "--to", out, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["complete"], len(answer["tables"])) == (True, 5)
    other = database()
    restored(scratch, scratch.dsn(other), out, "--exit-on-error")
    for table in [*FLEET, "kinds"]:
        assert rows(scratch.dsn(other), table) == rows(dsn, table), table
    at_once = database()
    restored(scratch, scratch.dsn(at_once), out, "--jobs=3", "--exit-on-error")
    assert rows(scratch.dsn(at_once), "fleet.vans") == rows(dsn, "fleet.vans")


def test_an_archive_is_read_by_the_kit_and_listed(
    dumps: Path, tmp_path: Path, scratch: Scratch
) -> None:
    out = tmp_path / "some.dump"
    done = export(dumps / "custom.dump", *named(["fleet.vans", "empty", "no_columns"]), "--to", out)
    assert done.returncode == 0, done.stderr
    assert "vans_depot_fkey of fleet.vans to fleet.depots" in done.stderr
    listed = subprocess.run(
        [scratch.bin / "pg_restore", "-l", out], capture_output=True, text=True, check=True
    ).stdout
    assert "TABLE DATA fleet vans" in listed
    assert "SEQUENCE SET fleet vans_id_seq" in listed
    assert "trigger" not in listed.lower()
    inspect = [sys.executable, "-m", "forensics", "inspect", str(out)]
    assert subprocess.run(inspect, capture_output=True, check=False).returncode == 0
    with fx.open_backup(out) as backup:
        found = backup.arrow("SELECT count(*) AS n, sum(length(plate)) AS s FROM fleet.vans")
        assert found.to_pylist() == [{"n": 5000, "s": 23893}]
        assert backup.arrow("SELECT count(*) AS n FROM empty").to_pylist() == [{"n": 0}]
        assert backup.arrow("SELECT count(*) AS n FROM no_columns").to_pylist() == [{"n": 1}]


@pytest.mark.parametrize("form", ["packed.sql.gz", "tar.tar", "inserts.sql"])
@pytest.mark.parametrize("table", ["fleet.vans", "kinds", "marks", "fleet.trips"])
def test_copy_reads_what_was_written_as_csv(
    form: str, table: str, dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch
) -> None:
    out = tmp_path / "rows.csv"
    done = export(dumps / form, "--table", table, "--to", out)
    assert done.returncode == 0, done.stderr
    columns = ", ".join(f'"{name}"' for name in next(csv.reader(out.open(newline=""))))
    with psycopg.connect(dsn) as connection:
        connection.execute(f"CREATE TEMP TABLE again AS SELECT {columns} FROM {table} LIMIT 0")
        with connection.cursor().copy("COPY again FROM STDIN (FORMAT csv, HEADER)") as copy:
            copy.write(out.read_bytes())
        differ = connection.execute(
            f"(SELECT whole::text FROM (SELECT {columns} FROM {table}) whole"
            " EXCEPT ALL SELECT again::text FROM again)"
        ).fetchall()
        assert differ == []
        counted = connection.execute(
            f"SELECT (SELECT count(*) FROM again), (SELECT count(*) FROM {table})"
        ).fetchone()
        assert counted is not None
        assert counted[0] == counted[1]


@pytest.mark.parametrize("form", ["plain.sql", "directory", "inserts.sql"])
def test_parquet_is_typed(form: str, dumps: Path, tmp_path: Path) -> None:
    out = tmp_path / "kinds.parquet"
    done = export(dumps / form, "--table", "kinds", "--to", out)
    assert done.returncode == 0, done.stderr
    assert "Parquet has no infinity" in done.stderr
    found = parquet.read_table(out)
    types = {field.name: str(field.type) for field in found.schema}
    assert types["small"] == "int16"
    assert types["price"] == "decimal128(10, 2)"
    assert types["bytes"] == "binary"
    assert types["numbers"].startswith("list")
    assert types["day"] == "string"
    assert sorted(map(str, found["day"].to_pylist()))[-1] == "infinity"
    assert found.num_rows == 5


@pytest.mark.parametrize("form", ALL)
def test_a_condition_chooses_and_changes_nothing(
    form: str, dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    where = "(\"at\" IS NOT NULL AND weight BETWEEN 10 AND 20 OR id = 4999) AND gear = 'low' -- so"
    where += "\n AND depot IN (SELECT id FROM fleet.depots WHERE name = 'north') OR vans.id = 7"
    wanted = rows(
        dsn,
        "fleet.vans",
        where=(
            "(at IS NOT NULL AND weight BETWEEN 10 AND 20 OR id = 4999) AND gear = 'low'"
            " AND depot IN (SELECT id FROM fleet.depots WHERE name = 'north') OR id = 7"
        ),
    )
    assert len(wanted) > 20
    for suffix in ("sql", "dump"):
        out = tmp_path / f"some.{suffix}"
        done = export(dumps / form, *named(["fleet.vans"]), "--where", where, "--to", out)
        assert done.returncode == 0, done.stderr
        other = database()
        if suffix == "sql":
            scratch.run(other, out.read_bytes())
        else:
            restored(scratch, scratch.dsn(other), out, "--exit-on-error")
        assert rows(scratch.dsn(other), "fleet.vans") == wanted
    out = tmp_path / "some.csv"
    assert export(dumps / form, "-t", "kinds", "--where", "big > 5", "--to", out).returncode == 0
    with out.open(newline="") as file:
        assert [row["numbers"] for row in csv.DictReader(file)] == ["{1,NULL,3}"]


def test_rows_stay_in_their_order(dumps: Path, tmp_path: Path) -> None:
    out = tmp_path / "hotels.csv"
    done = export(dumps / "custom.dump", "--table", "hotels", "--where", "stars = 3", "--to", out)
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as file:
        ids = [int(row["id"]) for row in csv.DictReader(file)]
    assert ids == sorted(ids)
    assert len(ids) == 4000


def test_a_partition_and_an_heir_are_tables_of_their_own(
    dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    out = tmp_path / "parts.sql"
    done = export(dumps / "custom.dump", *named(["fleet.trips_b", "kid"]), "--to", out)
    assert done.returncode == 0, done.stderr
    other = database()
    scratch.run(other, out.read_bytes())
    assert rows(scratch.dsn(other), "fleet.trips_b") == rows(dsn, "fleet.trips_b")
    assert rows(scratch.dsn(other), "kid") == rows(dsn, "kid")


def test_what_is_cut_is_written_as_far_as_it_goes(
    dumps: Path, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    text = (dumps / "plain.sql").read_bytes()
    cut = tmp_path / "cut.sql"
    cut.write_bytes(text[: text.index(b"\n500\thotel 500\t") + 4])
    for suffix in ("csv", "parquet", "sql", "dump"):
        out = tmp_path / f"some.{suffix}"
        done = export(cut, "--table", "hotels", "--to", out)
        assert done.returncode == 2
        assert "breaks off" in done.stderr
        assert out.exists(), suffix
    assert (tmp_path / "some.csv").read_bytes().count(b"\n") == 500
    assert parquet.read_table(tmp_path / "some.parquet").num_rows == 499
    assert b"dump complete" not in (tmp_path / "some.sql").read_bytes()
    for load in ("some.sql", "some.dump"):
        other = database()
        if load.endswith("sql"):
            scratch.run(other, (tmp_path / load).read_bytes())
        else:
            restored(scratch, scratch.dsn(other), tmp_path / load)
        assert len(rows(scratch.dsn(other), "hotels")) == 499
    done = export(cut, "--table", "shop.orders", "--to", tmp_path / "none.csv")
    assert done.returncode == 2
    assert "cut off before the rows" in done.stderr
    assert not (tmp_path / "none.csv").exists()


def test_what_is_wrong_is_a_sentence(dumps: Path, tmp_path: Path) -> None:
    backup = dumps / "custom.dump"
    out = tmp_path / "out.csv"
    out.write_text("precious")
    done = export(backup, "--table", "hotels", "--to", out)
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert out.read_text() == "precious"
    assert export(backup, "--table", "hotels", "--to", out, "--force").returncode == 0
    wrong = {
        ("--table", "hotles", "--to", "x.csv"): "Did you mean hotels",
        ("--table", "flet.vans", "--to", "x.csv"): "fleet.vans",
        ("--table", "zz*", "--to", "x.csv"): "no table zz",
        ("--table", "fleet.*", "--to", "x.csv"): "holds one table",
        ("--table", "hotels", "--to", "x.xml"): "Choose one of .parquet",
        ("--table", "counted", "--to", "x.csv"): "materialized view",
        ("--table", "again", "--to", "x.csv"): "Several tables",
        ("--table", "hotels", "--where", "nam = 1", "--to", "x.csv"): '"nam" not found',
        ("--table", "hotels", "--where", "1; DROP", "--to", "x.csv"): "syntax error",
    }
    for words, said in wrong.items():
        given = [tmp_path / word if word.startswith("x.") else word for word in words]
        done = export(backup, *given)
        assert done.returncode == 2, words
        assert said in done.stderr, (words, done.stderr)
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*x.*"))


def test_rows_without_a_definition_are_written_and_said(
    dumps: Path, tmp_path: Path, scratch: Scratch
) -> None:
    backup = tmp_path / "data.sql"
    scratch.dump("exported", backup, "--data-only")
    out = tmp_path / "hotels.sql"
    done = export(backup, "--table", "hotels", "--to", out)
    assert done.returncode == 0, done.stderr
    assert "does not say how hotels is made" in done.stderr
    assert out.read_bytes().count(b"\thotel ") == 20000


def test_a_database_is_exported_too(
    dumps: Path, dsn: str, tmp_path: Path, scratch: Scratch, database: Callable[..., str]
) -> None:
    out = tmp_path / "vans.csv"
    done = export(dsn, "--table", "fleet.vans", "--where", "id <= 10", "--to", out)
    assert done.returncode == 0, done.stderr
    with out.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 10


def test_in_python(dumps: Path, tmp_path: Path) -> None:
    with fx.open_backup(dumps / "custom.dump") as backup:
        done = backup.export("hotels", tmp_path / "h.parquet", where="stars = 1")
        assert (done.rows, done.complete) == (4000, True)
        with pytest.raises(fx.ForensicsError, match="there already"):
            backup.export("hotels", tmp_path / "h.parquet")
