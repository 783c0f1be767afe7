"""Both engines give the same answer, to the row and to the letter of the JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import forensics as fx
from forensics.compare import rows
from forensics.compare.cluster import reducer
from forensics.evidence.live import pages
from forensics.scratch import Scratch
from tests.spark.servers import Sail, Standalone

pytestmark = pytest.mark.spark

BEFORE = """
CREATE TABLE visits (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, fee numeric);
INSERT INTO visits
SELECT i, '2026-01-01'::timestamptz + i * interval '1 min', repeat('w', i % 60) || E'\\t' || i, i
  FROM generate_series(1, 9000) i;
CREATE TABLE badges (floor int, code text);
INSERT INTO badges SELECT i % 7, 'b' || i % 90 FROM generate_series(1, 3000) i;
CREATE TABLE letters (id int PRIMARY KEY, body text);
INSERT INTO letters SELECT i, repeat(md5(i::text), 6000) FROM generate_series(1, 4) i;
CREATE TABLE rooms (id int PRIMARY KEY, wing text, beds int, colour text);
INSERT INTO rooms SELECT i, 'w' || i % 3, i % 4, 'c' || i FROM generate_series(1, 400) i;
CREATE TABLE shifts (id int, day date, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE shifts_a PARTITION OF shifts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE shifts_b PARTITION OF shifts FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO shifts SELECT i, '2026-01-01'::date + i % 59, 'n' FROM generate_series(1, 1000) i;
CREATE TABLE closed (id int PRIMARY KEY); INSERT INTO closed SELECT generate_series(1, 9);
CREATE TABLE quiet (id int PRIMARY KEY, v text); INSERT INTO quiet VALUES (1, 'a'), (2, 'b');
CREATE TABLE wiped (id int PRIMARY KEY, v text);
INSERT INTO wiped SELECT i, 'v' || i FROM generate_series(1, 2000) i;
"""
CHANGE = """
DELETE FROM visits WHERE id BETWEEN 4000 AND 4200 OR id % 500 = 0;
UPDATE visits SET who = 'nobody' WHERE id % 777 = 0;
INSERT INTO visits VALUES (99999, now(), 'late', 1.50);
DELETE FROM badges WHERE ctid IN (SELECT ctid FROM badges WHERE code = 'b5' LIMIT 3);
INSERT INTO badges VALUES (1, 'b1'), (1, 'new');
UPDATE letters SET body = body || 'x' WHERE id = 2; DELETE FROM letters WHERE id = 3;
ALTER TABLE rooms DROP COLUMN colour; ALTER TABLE rooms ALTER beds TYPE numeric(6, 1);
UPDATE rooms SET wing = 'gone' WHERE id = 7; DELETE FROM rooms WHERE id > 390;
DELETE FROM shifts WHERE day = '2026-02-03';
DROP TABLE closed; DELETE FROM wiped;
CREATE TABLE opened (id int); INSERT INTO opened VALUES (1);
"""
FORMS = {
    "plain": (),
    "inserts": ("--inserts",),
    "custom": ("-Fc",),
    "directory": ("-Fd",),
    "tar": ("-Ft",),
}


class World:
    """A database as it was, dumped in each form, and as it is."""

    def __init__(self, scratch: Scratch, folder: Path) -> None:
        self.scratch = scratch
        scratch.create("before_spark")
        scratch.run("before_spark", BEFORE)
        self.dumps = {}
        for form, options in FORMS.items():
            self.dumps[form] = folder / f"backup-{form}"
            scratch.dump("before_spark", self.dumps[form], *options)
        scratch.create("after_spark", "before_spark")
        scratch.run("after_spark", CHANGE)
        self.before, self.live = scratch.dsn("before_spark"), scratch.dsn("after_spark")


@pytest.fixture(scope="module")
def world(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield World(scratch, tmp_path_factory.mktemp("world"))
    for name in ("before_spark", "after_spark"):
        scratch.drop(name)


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut tables into many parts, and have nothing read here that executors can read."""
    monkeypatch.setattr(reducer, "_PART", 40_000)

    real, here = rows.compare, rows.left_over

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("rows were read here")

    def watched(*given: Any, **named: Any) -> rows.Found:
        rows.left_over = refuse if named.get("afar") else here
        try:
            return real(*given, **named)
        finally:
            rows.left_over = here

    monkeypatch.setattr(rows, "compare", watched)


def answer(case: fx.Case) -> dict[str, Any]:
    """All that a case says, but for times, and where it is."""
    with case:
        numbers = {str(r.name): case.store.number(r.name) for r in case.results}
    found: dict[str, Any] = json.loads((Path(case.folder) / "summary.json").read_text("utf-8"))
    found["rows"] = {}
    with duckdb.connect(str(Path(case.folder) / "case.duckdb"), read_only=True) as db:
        listed = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'rows'"
        there = {name for (name,) in db.execute(listed).fetchall()}
        for table, number in numbers.items():
            for side in ("backup", "live"):
                if f"{side}_{number}" in there:
                    held = db.execute(f"SELECT * FROM rows.{side}_{number}").fetchall()
                    # The names of long values hang on a key of the case.
                    texts = [re.sub("values/[0-9a-f]+", "values/", str(row)) for row in held]
                    found["rows"][table, side] = sorted(texts)
    found.pop("live")
    return found


def compared(
    backup: object, live: object, folder: Path, master: str | None = None, **wishes: Any
) -> dict[str, Any]:
    """What one of the engines answers."""
    engine = "spark" if master else "duckdb"
    options = fx.Options(engine=engine, master=master, **wishes)
    return answer(fx.compare(str(backup), str(live), folder / engine, options=options))


Expected = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def expected(world: World, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What DuckDB says of a form of dump."""
    held: dict[str, dict[str, Any]] = {}

    def ask(form: str) -> dict[str, Any]:
        if form not in held:
            folder = tmp_path_factory.mktemp("expected")
            held[form] = compared(world.dumps[form], world.live, folder)
        return held[form]

    return ask


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("in_small_parts")
def test_sail_says_the_same_of_every_form(
    form: str, world: World, expected: Expected, sail: Sail, tmp_path: Path
) -> None:
    found = compared(world.dumps[form], world.live, tmp_path, sail.master, jobs=2)
    assert found == expected(form)


@pytest.mark.parametrize("form", ["plain", "directory"])
@pytest.mark.usefixtures("in_small_parts")
def test_a_cluster_of_two_workers_says_the_same(
    form: str, world: World, expected: Expected, standalone: Standalone, tmp_path: Path
) -> None:
    found = compared(world.dumps[form], world.live, tmp_path, standalone.master, jobs=2)
    assert found == expected(form)


@pytest.mark.usefixtures("in_small_parts")
def test_a_database_as_the_backup(world: World, sail: Sail, tmp_path: Path) -> None:
    found = compared(world.before, world.live, tmp_path, sail.master)
    there = found.pop("backup")
    assert there["kind"] == "database"


@pytest.mark.parametrize("form", ["plain", "directory", "custom", "tar"])
@pytest.mark.usefixtures("in_small_parts")
def test_files_that_fsspec_reaches(
    form: str, world: World, expected: Expected, sail: Sail, tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    url = f"file://{world.dumps[form]}"
    found = compared(url, world.live, tmp_path, sail.master)
    wanted = dict(expected(form))
    assert found.pop("backup")["path"] == url
    wanted.pop("backup")
    assert found == wanted


def test_many_rows_that_differ_are_not_sent_back(
    world: World, expected: Expected, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reducer, "_FEW", 20)
    found = compared(world.dumps["plain"], world.live, tmp_path, sail.master)
    assert found == expected("plain")


def test_old_servers_have_no_ranges_of_pages(
    world: World, expected: Expected, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_RANGE_SCANS", 999999)
    found = compared(world.dumps["plain"], world.live, tmp_path, sail.master)
    assert found == expected("plain")
