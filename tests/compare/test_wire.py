"""Fingerprints instead of rows: the answer is that of reading all rows, for far fewer bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import forensics as fx
from forensics.compare import batches
from forensics.compare.options import Options
from forensics.compare.wire import choice, descent, lessening
from forensics.evidence.live.asked import AskedSegment
from forensics.evidence.live.source import LiveSegment
from forensics.scratch import Scratch

TYPES = """
CREATE SCHEMA kit; CREATE DOMAIN kit.moment AS timestamptz;
CREATE TYPE kit.mood AS ENUM ('sad', E'o\\\\k\\t', '');
CREATE TYPE kit.event AS (said text, at timestamptz, raw bytea, tags text[]);
CREATE FUNCTION kit.odd(i int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT (ARRAY['plain', E'tab\\t', E'back\\\\slash', E'\\\\N', E'new\\nline\\r', 'ü🙂é', '',
    E'\\b\\f\\v\\x01', '"', NULL])[1 + i % 10] $$;
"""
BEFORE = (
    TYPES
    + """
CREATE TABLE serial (id bigint PRIMARY KEY, body text, n int NOT NULL, f float8, r real,
  b bytea, tags text[], about jsonb, raw json, at timestamptz, day date, c char(5), yes boolean,
  net inet, mood kit.mood, moment kit.moment, event kit.event, bits bit(3), price numeric(8,2),
  cash money, span interval, name name, twice int GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO serial SELECT i * 3, kit.odd(i), i % 50, i / 7.0, i / 3.0,
  decode(lpad(to_hex(i), 8, '0'), 'hex'), ARRAY[kit.odd(i), kit.odd(i + 1)],
  jsonb_build_object('k', kit.odd(i)), json_build_object('k ', kit.odd(i)),
  timestamptz '2025-01-01 00:00+05:30' + i * interval '61 s', date '2025-01-01' + i, 'c' || i % 9,
  i % 3 = 0, '10.0.0.1', (ARRAY['sad', E'o\\\\k\\t', NULL])[1 + i % 3]::kit.mood, '2025-01-01 UTC',
  CASE WHEN i % 4 = 0 THEN ROW(NULL, NULL, NULL, NULL)::kit.event
       WHEN i % 4 = 1 THEN ROW(kit.odd(i), now(), '\\x5c00', ARRAY[kit.odd(i)])::kit.event END,
  '101', i * 1.5, i, i * interval '1 hour', 'n' || i
  FROM generate_series(1, 700) i;
CREATE TABLE pair (a int, b text, said text, PRIMARY KEY (a, b));
INSERT INTO pair SELECT i % 20, 'k' || lpad(i::text, 5, '0'), kit.odd(i)
  FROM generate_series(1, 900) i ORDER BY md5(i::text);
CREATE TABLE other (id uuid PRIMARY KEY, old text, said varchar(40), gone int);
INSERT INTO other SELECT md5(i::text)::uuid, kit.odd(i), kit.odd(i + 3), nullif(i % 4, 0)
  FROM generate_series(1, 900) i;
CREATE TABLE parted (id int, at timestamp NOT NULL, said text, PRIMARY KEY (at, id))
  PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (MINVALUE) TO ('2025-02-01');
CREATE TABLE parted_2 (said text, at timestamp NOT NULL, id int NOT NULL);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES FROM ('2025-02-01') TO (MAXVALUE);
INSERT INTO parted SELECT i, timestamp '2025-01-01' + i * interval '2 h', kit.odd(i)
  FROM generate_series(1, 800) i;
CREATE TABLE coded (code text COLLATE "C", n numeric, v text, UNIQUE (code));
ALTER TABLE coded ALTER code SET NOT NULL;
INSERT INTO coded SELECT kit.odd(i % 9) || md5(i::text), i, 'v' || i FROM generate_series(1, 800) i;
CREATE TABLE amounts (n numeric PRIMARY KEY, v text);
INSERT INTO amounts SELECT i / 4.0, kit.odd(i) FROM generate_series(-400, 400) i;
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE heir (extra text) INHERITS (parent);
INSERT INTO parent SELECT i, kit.odd(i) FROM generate_series(1, 500) i;
INSERT INTO heir SELECT i, 'heir', 'x' FROM generate_series(1, 500) i;
"""
)
TABLES = ("serial", "pair", "other", "parted", "coded", "amounts", "parent")
RANDOM = {  # what happens to a row, by a table
    "serial": "UPDATE serial SET body = kit.odd(n + 1), event = NULL WHERE {some}(id::text) = 0;"
    " DELETE FROM serial WHERE {some}(id::text) = 1;"
    " UPDATE serial SET id = id + 1 WHERE {some}(id::text) = 2;"
    " INSERT INTO serial (id, n, body) SELECT i * 3 - 1, i, kit.odd(i)"
    " FROM generate_series(-9, 720) i WHERE {some}(i::text) = 3;"
    " UPDATE serial SET raw = '[ ]', f = '-0', tags = NULL, b = NULL WHERE {some}(id::text) = 4;",
    "pair": "UPDATE pair SET said = kit.odd(a) WHERE {some}(b) = 0;"
    " DELETE FROM pair WHERE {some}(b) = 1; UPDATE pair SET a = a + 1 WHERE {some}(b) = 2;",
    "other": "DELETE FROM other WHERE {some}(id::text) = 1;"
    " UPDATE other SET said = NULL WHERE {some}(id::text) = 2;",
    "parted": "DELETE FROM parted WHERE {some}(id::text) = 1;"
    " UPDATE parted SET at = at + interval '40 d' WHERE {some}(id::text) = 2;",
    "coded": "UPDATE coded SET code = code || 'x' WHERE {some}(code) = 0;"
    " DELETE FROM coded WHERE {some}(code) = 1;",
    "amounts": "UPDATE amounts SET n = round(n, 1) WHERE n % 1 = 0 AND {some}(v) = 0;"
    " UPDATE amounts SET n = n + 0.01 WHERE {some}(n::text) = 1;",
    "parent": "DELETE FROM ONLY parent WHERE {some}(id::text) = 0;",
}


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small tables cut into ranges as large ones are."""
    monkeypatch.setattr(batches, "_FEW_BYTES", -1)
    monkeypatch.setattr(choice, "LEAST_BYTES", 0)
    monkeypatch.setattr(lessening, "LEAST_BYTES", 0)
    monkeypatch.setattr(descent, "_COARSE_BYTES", 3000)
    monkeypatch.setattr(descent, "_SHARE", 1.0)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many bytes live answered with, and was asked with, by the kind of question."""
    counted = {"rows": 0, "asked": 0, "answered": 0}
    blocks = LiveSegment.blocks

    def reading(self: LiveSegment) -> Iterator[Any]:
        kind = "rows"
        if isinstance(self, AskedSegment):
            kind = "answered"
            counted["asked"] += len(self.statement())
        for block in blocks(self):
            counted[kind] += len(block)
            yield block

    monkeypatch.setattr(LiveSegment, "blocks", reading)
    return counted


@pytest.fixture(scope="module")
def worlds(
    scratch: Scratch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Path]]:
    """Dumps of one database, in any form, from before anything happened."""
    folder = tmp_path_factory.mktemp("wire")
    scratch.create("wire_before")
    scratch.run("wire_before", BEFORE)
    scratch.run("wire_before", "ANALYZE")
    made: dict[str, Path] = {}

    def dump(form: str) -> Path:
        if form not in made:
            name = form.strip("-").replace(" ", "") + ".dump"
            made[form] = scratch.dump("wire_before", folder / name, *form.split())
        return made[form]

    yield dump
    scratch.drop("wire_before")


def told(case: fx.Case) -> dict[str, Any]:
    """What a case says, but for when and how it was read."""
    found = case.summary()
    for name in ("live", "backup"):
        del found[name]
    for table in found["tables"]:
        table.pop("wire", None)
        table["notes"] = [n for n in table["notes"] if not n.startswith("all of its rows were")]
    return json.loads(json.dumps(found))


def kept(case: fx.Case) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that a case keeps: by table, those of a pair together."""
    found = {}
    with duckdb.connect(str(case.folder / "case.duckdb"), read_only=True) as db:
        tables = db.execute('SELECT number, "table" FROM kit.tables').fetchall()
        held = {name for (name,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        for number, name in tables:
            sides = [f"{side}_{number}" for side in ("backup", "live")]
            if not held.issuperset(sides):
                continue
            ours, theirs = (f"(SELECT * EXCLUDE (pair), pair FROM rows.{side})" for side in sides)
            rows = db.execute(f"SELECT * FROM {ours} o FULL JOIN {theirs} t USING (pair)")
            places = [n for n, column in enumerate(rows.description) if column[0] != "pair"]
            lines = []
            for row in rows.fetchall():
                lines.append(tuple(row[n] for n in places))
            found[name] = sorted(lines, key=repr)
    return found


def both(backup: Path, live: str, folder: Path, **how: Any) -> fx.Case:
    """Compare in full and by fingerprints, hold one against the other, return the second."""
    full = fx.compare(backup, live, folder / "full", options=Options(wire="full", **how))
    low = fx.compare(backup, live, folder / "low", options=Options(wire="low", **how))
    assert told(low) == told(full)
    assert kept(low) == kept(full)
    full.close()
    return low


def ways(case: fx.Case) -> dict[str, str | None]:
    return {result.name.table: result.wire for result in case.results}


FORMS = ("-Fp", "-Fc", "-Fd", "-Fp --rows-per-insert=50")


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_are_told_as_by_reading_all(
    seed: int,
    tight: None,
    worlds: Callable[[str], Path],
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
) -> None:
    live = database(template="wire_before")
    often = (9, 60, 400, 60)[seed]
    some = "CREATE FUNCTION kit.some(t text) RETURNS int LANGUAGE sql IMMUTABLE AS "
    scratch.run(live, f"{some} $$ SELECT abs(hashtext(t || '{seed}')) % {often} $$")
    for number, change in enumerate(RANDOM.values()):
        if (seed + number) % 5:
            scratch.run(live, change.format(some="kit.some"))
    if seed % 2:
        scratch.run(
            live,
            "ALTER TABLE other DROP old; ALTER TABLE other ADD new int DEFAULT 5;"
            "CREATE TABLE p AS SELECT * FROM pair; DROP TABLE pair;"
            "CREATE TABLE pair (said text, extra int, b text, a int, PRIMARY KEY (a, b));"
            "INSERT INTO pair (a, b, said) SELECT a, b, said FROM p; DROP TABLE p;",
        )
    case = both(worlds(FORMS[seed % len(FORMS)]), scratch.dsn(live), tmp_path)
    found = ways(case)
    # Of numbers in INSERTs -0 and 0 are one: those tables are read whole.
    wanted = set(TABLES) - ({"serial"} if seed % len(FORMS) == 3 else set())
    assert {name for name, way in found.items() if way == "low"} == wanted
    case.close()


@pytest.mark.parametrize(
    "change",
    [
        "",
        "TRUNCATE serial, pair, parted",
        "DELETE FROM pair WHERE a <> 7; UPDATE serial SET n = n + 1",
        "DELETE FROM serial WHERE id < 60 OR id > 2000; INSERT INTO pair VALUES (-1, '', 'first'),"
        " (99, E'\\\\z', 'last')",
    ],
)
def test_whatever_is_left_of_a_table(
    change: str,
    tight: None,
    worlds: Callable[[str], Path],
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
) -> None:
    live = database(change, template="wire_before")
    case = both(worlds("-Fc"), scratch.dsn(live), tmp_path)
    assert ways(case)["serial"] == "low"
    case.close()


def test_the_same_text_of_every_type(
    tight: None,
    heard: dict[str, int],
    worlds: Callable[[str], Path],
    scratch: Scratch,
    database: Callable[..., str],
    tmp_path: Path,
) -> None:
    """No row of a table that is intact is fetched: its fingerprints are equal."""
    live = database(template="wire_before")
    with fx.compare(worlds("-Fp"), scratch.dsn(live), tmp_path / "case", wire="low") as case:
        assert ways(case)["serial"] == "low"
        assert all(result.intact for result in case.results)
    assert heard["answered"] < 15_000  # as many as fingerprints have
