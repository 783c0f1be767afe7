"""Folders of files that other programs unloaded, held against live."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest
from pyarrow import parquet

import forensics as fx
from forensics.evidence.folder.files import files_of
from forensics.scratch import Scratch

NAME = "unloaded"
TABLES = r"""
CREATE SCHEMA depot;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE goods (
  id int PRIMARY KEY, name text, note text NOT NULL, price numeric(10,2), any_number numeric,
  weight double precision, small real, yes boolean, day date, moment timestamp,
  instant timestamptz, clock time, u uuid, bytes bytea, m mood, doc json, docb jsonb,
  numbers int[], words text[], flags boolean[], big bigint);
INSERT INTO goods SELECT i, CASE i % 3 WHEN 0 THEN NULL ELSE E'na,me "' || i || E'"\nx\\' END,
  CASE i % 4 WHEN 0 THEN '' ELSE 'n' END, i * 1.1, i * 0.50, i / 3.0::float8, i / 7.0::float4,
  i % 2 = 0, date '2024-01-01' + i, timestamp '2024-01-01' + i * interval '1.5 hours',
  timestamptz '2024-01-01 00:00+00' + i * interval '0.25 seconds',
  time '10:00' + i * interval '1 s',
  ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid,
  decode(lpad(to_hex(i), 8, '0'), 'hex'),
  CASE i % 2 WHEN 0 THEN 'sad' ELSE 'ok' END::mood, '{"a": 1}', '{"b": [1, 2]}',
  ARRAY[i, NULL, 3], ARRAY['a b', 'c,d'], ARRAY[true, false], i * 10000000000
  FROM generate_series(1, 200) i;
INSERT INTO goods (id, note) VALUES (999, 'x');
CREATE TABLE depot.boxes (id int PRIMARY KEY, good int REFERENCES goods);
INSERT INTO depot.boxes SELECT i, i FROM generate_series(1, 50) i;
CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);
"""


@pytest.fixture(scope="module")
def dsn(scratch: Scratch) -> Iterator[str]:
    scratch.create(NAME)
    scratch.run(NAME, TABLES)
    yield scratch.dsn(NAME)
    scratch.drop(NAME)


def compared(folder: Path, dsn: str, case: Path) -> dict[str, Any]:
    with fx.compare(folder, dsn, case=case) as found:
        summary: dict[str, Any] = found.summary()
    return summary


def counts(summary: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    found = {}
    for table in summary["tables"]:
        said = (table["missing"], table["added"], table["changed"], table["unchanged"])
        found[f"{table['schema']}.{table['table']}"] = said
    return found


def unload_csv(dsn: str, asked: str, options: str = "HEADER") -> bytes:
    unload = f"COPY ({asked}) TO STDOUT (FORMAT csv, {options})"
    with psycopg.connect(dsn) as connection, connection.cursor().copy(unload) as copy:
        return b"".join(bytes(part) for part in copy)


def test_what_psql_unloaded(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "depot.boxes").mkdir(parents=True)
    (folder / "goods.csv.gz").write_bytes(gzip.compress(unload_csv(dsn, "TABLE goods")))
    for part, rows in enumerate(("id <= 20", "id > 20")):
        text = unload_csv(dsn, f"SELECT * FROM depot.boxes WHERE {rows}")
        (folder / "depot.boxes" / f"part-0000{part}.csv").write_bytes(text)
    summary = compared(folder, dsn, tmp_path / "case")
    assert counts(summary) == {"public.goods": (0, 0, 0, 201), "depot.boxes": (0, 0, 0, 50)}
    assert summary["backup"]["kind"] == "folder"
    assert summary["complete"] is True
    assert summary["columns"] == []


def test_what_duckdb_and_pandas_unloaded(dsn: str, tmp_path: Path) -> None:
    with fx.open_backup(dsn) as backup:
        goods = backup.arrow("SELECT * FROM goods")
    for form in ("parquet", "csv"):
        folder = tmp_path / form
        folder.mkdir()
        target = folder / f"public.goods.{form}"
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'Asia/Kolkata'")
            db.register("goods", goods)
            db.execute(f"COPY (FROM goods) TO '{target}' (FORMAT {form})")
        found = counts(compared(folder, dsn, tmp_path / f"case {form}"))
        assert found == {"public.goods": (0, 0, 0, 201)}, form
    folder = tmp_path / "pandas"
    folder.mkdir()
    plain = "id, name, price, weight, small, yes, day, moment, instant, clock, u, m, big"
    with fx.open_backup(dsn) as backup:
        frame = backup.arrow(f"SELECT {plain} FROM goods WHERE id < 999").to_pandas()
    assert isinstance(frame, pd.DataFrame)
    frame.to_csv(folder / "goods.csv", index=False)
    summary = compared(folder, dsn, tmp_path / "case of pandas")
    assert counts(summary) == {"public.goods": (0, 1, 0, 200)}
    lacking = {c["column"] for c in summary["columns"] if c["change"] == "added"}
    assert {"note", "bytes", "words"} <= lacking


def test_rows_without_names_stand_in_lives_order(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "boxes.csv").write_bytes(unload_csv(dsn, "TABLE depot.boxes", "HEADER false"))
    (folder / "boxes2.tsv").write_text("id\tx\n")
    summary = compared(folder, dsn, tmp_path / "case")
    assert counts(summary)["depot.boxes"] == (0, 0, 0, 50)


def test_what_is_gone_is_missing(scratch: Scratch, dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    with fx.open_backup(dsn) as backup:
        for table in ("goods", "depot.boxes"):
            parquet.write_table(backup.arrow(f"SELECT * FROM {table}"), folder / f"{table}.parquet")
    scratch.create("afterwards", NAME)
    try:
        scratch.run(
            "afterwards",
            "DELETE FROM depot.boxes WHERE id <= 3; UPDATE goods SET price = 1 WHERE id = 9",
        )
        summary = compared(folder, scratch.dsn("afterwards"), tmp_path / "case")
    finally:
        scratch.drop("afterwards")
    assert counts(summary) == {"public.goods": (0, 0, 1, 200), "depot.boxes": (3, 0, 0, 47)}


def test_a_folder_is_asked_and_looked_through(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "goods.csv").write_bytes(unload_csv(dsn, "TABLE goods"))
    with fx.open_backup(tmp_path) as backup:
        [row] = backup.arrow("SELECT count(*) AS n, count(name) AS m FROM goods").to_pylist()
    assert row == {"n": 201, "m": 134}


def test_types_are_lives_where_live_is_asked_too(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "goods.csv").write_bytes(unload_csv(dsn, "TABLE goods"))
    with fx.open_backup(tmp_path, dsn) as backup:
        [row] = backup.arrow(
            "SELECT count(*) AS n, sum(b.price) AS s FROM backup.goods b"
            " JOIN live.goods l ON l.price = b.price AND l.instant = b.instant"
        ).to_pylist()
    assert row == {"n": 200, "s": Decimal("22110.00")}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("hotels.csv", "public.hotels"),
        ("shop.orders.parquet", "shop.orders"),
        ("shop/orders.csv.gz", "shop.orders"),
        ("hotels/part-00000.snappy.parquet", "public.hotels"),
        ("db/public.hotels/1/part-00000-8a0cbe62-c000.gz.parquet", "public.hotels"),
        ("shop/orders/0000_part_00.csv", "shop.orders"),
        ("orders/day=2024-01-01/data_0.parquet", "public.orders"),
        ("cafe.csv", "public.cafe"),
        ("shop/cafe.csv", "shop.cafe"),
        ("data.csv", "public.data"),
    ],
)
def test_files_are_called_as_their_tables(path: str, name: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    (tmp_path / "_SUCCESS").touch()
    [found] = files_of(tmp_path)
    assert f"{found.schema}.{found.table}" == name


def test_it_is_looked_through_and_reported(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "boxes.csv").write_bytes(unload_csv(dsn, "TABLE depot.boxes"))
    inspect = [sys.executable, "-m", "forensics", "inspect", str(folder), "--json"]
    done = subprocess.run(inspect, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"folder"' in json.dumps(json.loads(done.stdout))
    with fx.compare(folder, dsn, case=tmp_path / "case") as case:
        case.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").exists()


def test_no_pandas_is_loaded(tmp_path: Path) -> None:
    live = tmp_path / "live.sql"
    live.write_text(
        "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (id integer, b boolean,"
        " n numeric, at timestamp with time zone);\nCOPY public.t (id, b, n, at) FROM stdin;\n"
        "1\tt\t1.50\t2024-01-01 00:00:00+00\n\\.\n\n--\n-- PostgreSQL database dump complete\n--\n"
    )
    (tmp_path / "t.csv").write_text("id,b,n,at\n1,True,1.5,2024-01-01T00:00:00Z\n")
    words = ["compare", str(tmp_path), str(live), "--case", str(tmp_path / "case")]
    command = [sys.executable, "-X", "importtime", "-m", "forensics", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\|\s+pandas\b", done.stderr)


def test_a_file_that_is_cut_is_said(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    text = gzip.compress(unload_csv(dsn, "TABLE goods"))
    (folder / "goods.csv.gz").write_bytes(text[: len(text) // 2])
    with fx.compare(folder, dsn, case=tmp_path / "case") as found:
        assert not found.complete
