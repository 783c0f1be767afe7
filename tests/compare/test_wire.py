"""Fingerprints instead of rows: the answer is that of reading all rows, for far fewer bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import forensics as fx
from forensics.compare import batches
from forensics.compare.options import Options
from forensics.compare.wire import choice, descent, lessening, spool
from forensics.errors import UsageError
from forensics.evidence.live.asked import AskedSegment
from forensics.evidence.live.source import LiveSegment, LiveSource
from forensics.model import TableResult
from forensics.scratch import Scratch
from tests.conftest import Incident

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
    monkeypatch.setattr(descent, "_MANY", 100)
    monkeypatch.setattr(spool, "_MAPPED", 64 << 10)


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


# --- what is read whole, and what decides ---------------------------------------------------------


BOUND = """
CREATE TABLE loose (a int, b text); INSERT INTO loose SELECT i, 'x' FROM generate_series(1, 300) i;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE moods (m mood, n int, PRIMARY KEY (m, n));
INSERT INTO moods SELECT 'sad', i FROM generate_series(1, 300) i;
CREATE TABLE maybe (n int, v text, UNIQUE NULLS NOT DISTINCT (n));
INSERT INTO maybe SELECT i, 'v' FROM generate_series(1, 300) i;
CREATE TABLE mixed (id date PRIMARY KEY, n int);
INSERT INTO mixed SELECT date '0044-03-15 BC' + i * 80, i FROM generate_series(1, 900) i;
CREATE TABLE sure (id int PRIMARY KEY, v text);
INSERT INTO sure SELECT i, 'v' || i FROM generate_series(1, 900) i;
"""
WHY = {
    "loose": "no key",
    "moods": "a type whose order is not known here",
    "maybe": "may be NULL",
    "mixed": "orders its keys otherwise",
}


def notes(result: TableResult) -> str:
    return " ".join(note for note in result.notes if note.startswith("all of its rows were read"))


def test_what_cannot_be_told_by_fingerprints_is_read_and_said(
    tight: None, incident: Incident, tmp_path: Path
) -> None:
    incident.happens(
        BOUND, "DELETE FROM sure WHERE id % 50 = 0; DELETE FROM mixed WHERE n = 5"
    )  # fmt: skip
    with both(incident.backup, incident.live_dsn, tmp_path / "cases") as case:
        for result in case.results:
            assert WHY.get(result.name.table, "") in notes(result), result
            assert (result.wire == "low") == (result.name.table not in WHY)
        tables = {table["table"]: table for table in case.summary()["tables"]}
    assert tables["sure"]["wire"] == "low"
    assert "wire" not in tables["loose"]


def test_tables_of_one_column_of_many_and_of_long_rows(
    tight: None, incident: Incident, tmp_path: Path
) -> None:
    many = ", ".join(f"c{n} text DEFAULT E'{n}\\t'" for n in range(150))
    incident.happens(
        f"CREATE TABLE many (id uuid PRIMARY KEY, {many}); INSERT INTO many (id, c3)"
        " SELECT md5(i::text)::uuid, 'v' || i FROM generate_series(1, 300) i;"
        "CREATE TABLE one (word text PRIMARY KEY);"
        " INSERT INTO one SELECT E'w\\\\\\t' || i FROM generate_series(1, 900) i;"
        "INSERT INTO one VALUES ('');"
        "CREATE TABLE long (a boolean, id oid, v text, PRIMARY KEY (a, id));"
        " INSERT INTO long SELECT i % 2 = 0, i, repeat(i || E'\\n', 40000)"
        " FROM generate_series(1, 60) i",
        "DELETE FROM many WHERE c3 LIKE '%77'; DELETE FROM one WHERE word LIKE '%50';"
        "UPDATE long SET v = 'short' WHERE id = 7; UPDATE long SET a = NOT a WHERE id = 8",
    )
    with both(incident.backup, incident.live_dsn, tmp_path / "cases") as case:
        assert ways(case) == dict.fromkeys(("many", "one", "long"), "low")
        assert [case.result(name).missing for name in ("many", "one", "long")] == [3, 9, 1]


def test_a_backup_that_repeats_keys_is_told_the_same(
    tight: None, incident: Incident, tmp_path: Path
) -> None:
    incident.happens(BOUND, "DELETE FROM sure WHERE id IN (8, 400)")
    text = incident.backup.read_text()
    for i in (8, 77, 400, 401):
        text = text.replace(f"\n{i}\tv{i}\n", f"\n{i}\tv{i}\n{i}\tv{i}\n{i}\tother\n")
    incident.backup.write_text(text)
    with both(incident.backup, incident.live_dsn, tmp_path / "cases", tables=("sure",)) as case:
        [result] = case.results
        assert (result.missing, result.repeated, result.unchanged) == (2, 8, 898)


def test_a_cut_backup_proves_as_much(tight: None, incident: Incident, tmp_path: Path) -> None:
    incident.happens(BOUND, "DELETE FROM sure WHERE id < 30")
    text = incident.backup.read_text()
    incident.backup.write_text(text[: text.index("\n700\tv700\n") + 4])
    for wire in ("full", "low"):
        with incident.compare(wire, wire=wire, options=Options(tables=("sure",))) as case:
            assert "29 are missing" in (case.result("sure").reason or "")


def test_a_reader_may_ask_for_fingerprints(
    tight: None, incident: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    incident.happens(BOUND, "DELETE FROM sure WHERE id < 30")
    scratch.run(
        incident.live,
        "DO $$ BEGIN CREATE ROLE wire_reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;"
        " GRANT pg_read_all_data TO wire_reader",
    )
    dsn = incident.live_dsn.replace("//postgres@", "//wire_reader@")
    with fx.compare(incident.backup, dsn, tmp_path / "reader", wire="low") as case:
        assert (case.result("sure").wire, case.result("sure").missing) == ("low", 29)


def test_an_encoding_that_is_not_ours(tight: None, scratch: Scratch, tmp_path: Path) -> None:
    made = "ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    scratch.run("postgres", f"CREATE DATABASE wire_latin {made}")
    try:
        scratch.run(
            "wire_latin",
            "SET client_encoding = 'UTF8'; CREATE TABLE words (word text PRIMARY KEY, v text);"
            " INSERT INTO words SELECT chr(223 + i % 30) || i, 'é' || i"
            " FROM generate_series(1, 900) i",
        )
        backup = scratch.dump("wire_latin", tmp_path / "backup.sql")
        scratch.run("wire_latin", "DELETE FROM words WHERE v LIKE '%77'")
        with both(backup, scratch.dsn("wire_latin"), tmp_path) as case:
            assert (case.result("words").wire, case.result("words").missing) == ("low", 9)
    finally:
        scratch.drop("wire_latin")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have any rows seem to come slowly, and by a wire."""
    monkeypatch.setattr(LiveSource, "is_beside", False)
    monkeypatch.setattr(choice, "SLOW", 1e15)
    monkeypatch.setattr(choice, "_TELLING", 1)


LARGE = """
CREATE TABLE large (id int PRIMARY KEY, v text);
INSERT INTO large SELECT i, repeat('v' || i, 20) FROM generate_series(1, 40000) i;
CREATE TABLE next (id int PRIMARY KEY, v text);
INSERT INTO next SELECT i, repeat('v' || i, 20) FROM generate_series(1, 30000) i;
"""


class Heard(fx.Listener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def minds(self, text: str) -> None:
        self.said.append(text)


@pytest.mark.parametrize("wire", ["auto", "full"])
def test_slow_rows_are_not_read_on(
    wire: str, slow: None, heard: dict[str, int], incident: Incident, tmp_path: Path
) -> None:
    incident.happens(LARGE, "DELETE FROM large WHERE id BETWEEN 500 AND 700; UPDATE next SET v = ''"
                     " WHERE id < 9")  # fmt: skip
    listener = Heard()
    with incident.compare(options=Options(wire=wire), listener=listener) as case:
        incident.check(case)
        assert set(ways(case).values()) == ({"low"} if wire == "auto" else {None})
    told_so = [said for said in listener.said if "fingerprints" in said]
    assert len(told_so) == (1 if wire == "auto" else 0)
    if wire == "auto":
        assert "--wire full" in told_so[0]
        assert heard["rows"] < 4 << 20


@pytest.mark.parametrize("by_socket", [True, False])
def test_fast_rows_are_read(
    by_socket: bool, slow: None, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes by a socket comes fast enough, however busy the machine is."""
    monkeypatch.setattr(LiveSource, "is_beside", by_socket)
    monkeypatch.setattr(choice, "SLOW", 1e15 if by_socket else 0)
    incident.happens(LARGE, "DELETE FROM large WHERE id = 5")
    with incident.compare() as case:
        assert set(ways(case).values()) == {None}


def test_few_bytes_go_through(heard: dict[str, int], incident: Incident) -> None:
    incident.happens(LARGE, "DELETE FROM large WHERE id BETWEEN 500 AND 700")
    with incident.compare(wire="low") as case:
        incident.check(case)
    size = incident.backup.stat().st_size
    assert heard["rows"] == 0
    assert heard["asked"] + heard["answered"] < size / 50


def test_rows_that_a_small_engine_cannot_put_in_order_go_to_a_larger_one(
    tight: None, incident: Incident, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_SORTING", "1MB")
    used: list[object] = []
    put_in_order = spool.Spool._put_in_order

    def noting(self: spool.Spool, db: Any, rows: Any) -> None:
        used.append(db)
        put_in_order(self, db, rows)

    monkeypatch.setattr(spool.Spool, "_put_in_order", noting)
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        " INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 90000) i",
        "DELETE FROM t WHERE id IN (7, 80000)",
    )
    with incident.compare(wire="low") as case:
        found = case.result("t")
    assert (found.missing, found.wire) == (2, "low")
    assert used


def test_packed_dumps(tmp_path: Path, incident: Incident) -> None:
    incident.happens(LARGE, "DELETE FROM large WHERE id BETWEEN 500 AND 700", "-Fp")
    packed = tmp_path / "backup.sql.gz"
    packed.write_bytes(gzip.compress(incident.backup.read_bytes(), 1))
    with both(packed, incident.live_dsn, tmp_path / "cases") as case:
        assert set(ways(case).values()) == {"low"}


def test_verify_holds_each_row_against_another(
    tight: None, incident: Incident, tmp_path: Path
) -> None:
    incident.happens(BOUND, "DELETE FROM sure WHERE id < 9")
    with incident.compare(options=Options(wire="low", verify=True)) as case:
        assert "--verify" in notes(case.result("sure"))
        assert case.result("sure").wire is None


def test_a_word_that_is_none() -> None:
    with pytest.raises(UsageError, match="--wire lo"):
        Options(wire="lo")
