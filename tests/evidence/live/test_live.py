"""Live: one snapshot, pinned settings, never in the way, and every refusal is said of its table."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

import forensics as fx
from forensics.errors import LiveError, OutdatedError, UsageError
from forensics.evidence.live import readers
from forensics.evidence.live.asking import Asking
from forensics.evidence.live.source import LiveSource, safe_dsn
from forensics.model import TableName, TableResult
from forensics.scratch import Scratch
from tests.conftest import Incident

EVERY_TYPE = """
CREATE DOMAIN moment AS timestamptz;
CREATE TYPE span AS RANGE (subtype = timestamptz);
CREATE TYPE event AS (said text, at timestamptz, raw bytea);
CREATE TABLE t (id bigint PRIMARY KEY, f4 real, f8 float8, n numeric, ts timestamp, tz timestamptz,
  ttz timetz, d date, iv interval, ba bytea, mo money, b boolean, arr timestamptz[], rg tstzrange,
  dom moment, own span, ev event, evs event[], bas bytea[], mos money[],
  since timestamptz DEFAULT '2020-01-01 00:00+00', first bytea DEFAULT '\\x00275cff');
INSERT INTO t SELECT i, i / 7.0, i / 3.0, i / 8.0,
  timestamp '2025-01-01' + i * interval '1.000001 s',
  timestamptz '2025-03-30 00:30:00+00' + i * interval '10 min',
  '10:00:00+02', date '0044-03-15 BC' + i, make_interval(months => i, secs => i / 8.0),
  decode(md5(i::text), 'hex'), (i / 100.0)::numeric::money, i % 2 = 0,
  array['2025-07-01 12:00+00'::timestamptz, null], tstzrange('2025-07-01 12:00+00', null),
  '2025-07-01 12:00+00', span('2025-07-01 12:00+00', '2025-07-02 12:00+00'),
  row('2025-07-01 12:00:00+05', '2025-07-01 12:00+00', '\\xff20')::event,
  array[row('a "b"', null, 'x')::event],
  array['\\x5c', null, 'plain']::bytea[], array[(i / 100.0)::numeric::money]
  FROM generate_series(1, 300) i;
CREATE SCHEMA "user";
CREATE TYPE "user"."order" AS (at timestamptz);
CREATE DOMAIN "user"."at (3) [] " AS timestamptz;
CREATE TABLE "table" (at timestamptz);
CREATE TYPE "user"."kind (1)" AS ("a b" "user"."at (3) [] ", o "user"."order");
CREATE TABLE reserved (id int PRIMARY KEY, o "user"."order", d "user"."at (3) [] ",
  k "user"."kind (1)", ks "user"."kind (1)"[], row "table", c regclass);
INSERT INTO reserved SELECT i, o, (o).at, k, array[k], row((o).at)::"table", 't'::regclass
  FROM generate_series(1, 30) i,
  LATERAL (SELECT
    row(timestamptz '2025-03-30 00:30:00+00' + i * interval '10 min')::"user"."order" AS o) x,
  LATERAL (SELECT row((o).at::"user"."at (3) [] ", o)::"user"."kind (1)" AS k) y;
"""
SETTINGS = {
    "timezone": "Asia/Kolkata",
    "datestyle": "German",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "0",
    "default_transaction_read_only": "off",
    "search_path": "pg_catalog",
    "row_security": "on",
    "statement_timeout": "10min",
    "quote_all_identifiers": "on",
}


@pytest.mark.parametrize("dumped_under", ["UTC", "America/New_York"])
def test_settings_of_neither_side_matter(
    dumped_under: str, incident: Incident, scratch: Scratch
) -> None:
    scratch.run(
        "postgres",
        (
            f"ALTER ROLE postgres SET timezone = '{dumped_under}'; "
            f"ALTER ROLE postgres SET bytea_output = 'escape'"
        ),
    )
    try:
        incident.happens(EVERY_TYPE, "")
        for name, value in SETTINGS.items():
            scratch.run("postgres", f"ALTER ROLE postgres SET {name} = '{value}'")
        with incident.compare() as case:
            assert case.complete
            assert case.totals["missing"] == case.totals["changed"] == case.totals["added"] == 0
            assert case.columns.empty  # types, defaults and names of types are spelled alike
    finally:
        scratch.run("postgres", "ALTER ROLE postgres RESET ALL")


def test_what_is_kept_of_a_changed_row_is_written_alike_on_both_sides(
    incident: Incident, scratch: Scratch
) -> None:
    scratch.run(
        "postgres",
        (
            "ALTER ROLE postgres SET timezone = 'America/New_York'; "
            "ALTER ROLE postgres SET bytea_output = 'escape'"
        ),
    )
    try:
        incident.happens(
            EVERY_TYPE,
            (
                "UPDATE t SET n = 0 WHERE id = 3; UPDATE t SET tz = tz + interval '1 s' "
                "WHERE id = 4; DELETE FROM t WHERE id = 5"
            ),
        )
        with incident.compare() as case:
            changed = case.table("t").changed
            assert [c for c in changed.columns if c[1]] == [
                ("n", "backup"),
                ("n", "live"),
                ("tz", "backup"),
                ("tz", "live"),
            ]
            assert changed["tz"].iloc[1].tolist() == [
                "2025-03-30 01:10:00+00",
                "2025-03-30 01:10:01+00",
            ]
            assert case.table("t").missing["tz"].tolist() == ["2025-03-30 01:20:00+00"]
    finally:
        scratch.run("postgres", "ALTER ROLE postgres RESET ALL")


def test_floats_of_a_server_before_12(incident: Incident) -> None:
    """Such a server writes 17 digits; no such programs are at hand, so the text of a dump is made
    what they write."""
    incident.happens(
        (
            "CREATE TABLE t (id int PRIMARY KEY, f float8); "
            "INSERT INTO t SELECT i, i / 10.0 FROM generate_series(1, 99) i"
        ),
        "UPDATE t SET f = 0 WHERE id = 7",
    )
    text = re.sub(
        r"(?m)^(\d+)\t([0-9.]+)$",
        lambda m: f"{m[1]}\t{float(m[2]):.17g}",
        incident.backup.read_text(),
    )
    assert "\t0.10000000000000001\n" in text
    incident.backup.write_text(re.sub("(Dumped from database version) .*", r"\1 11.22", text))
    with incident.compare() as case:
        assert case.evidence.backup.server_version == "11.22"
        assert (case.totals["changed"], case.totals["unchanged"]) == (1, 98)


def test_one_snapshot_for_everything(database: Callable[..., str], scratch: Scratch) -> None:
    name = database("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE u (id int)")
    with LiveSource(scratch.dsn(name)) as live:
        assert live.catalog.tables
        scratch.run(name, "INSERT INTO t VALUES (2); INSERT INTO u VALUES (1)")
        assert live.rows_of(TableName("public", "t"), ["id"]) == [("1",)]
        assert live.count(TableName("public", "u")) == 0


SINCE_THE_SNAPSHOT = {
    "truncated": "TRUNCATE t",
    "rewritten": "ALTER TABLE t ALTER COLUMN id TYPE bigint",
    "made again": "DROP TABLE t; CREATE TABLE t (id int); INSERT INTO t VALUES (1)",
    "a partition is truncated": "TRUNCATE p1",
    "a partition is dropped": "DROP TABLE p1",
    "a partition is detached": "ALTER TABLE p DETACH PARTITION p1",
    "a partition is attached": (
        "CREATE TABLE p3 (id int); INSERT INTO p3 VALUES (25); "
        "ALTER TABLE p ATTACH PARTITION p3 FOR VALUES FROM (20) TO (30)"
    ),
}


@pytest.mark.parametrize("psql", [True, False])
@pytest.mark.parametrize("what", list(SINCE_THE_SNAPSHOT))
def test_what_a_snapshot_no_longer_shows_is_refused(
    what: str,
    psql: bool,
    database: Callable[..., str],
    scratch: Scratch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """These statements change what every older snapshot sees, without a word: rows would seem lost,
    or new."""
    name = database(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); "
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); "
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); "
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); "
        "INSERT INTO p VALUES (1), (11)"
    )
    if not psql:
        monkeypatch.setattr(readers, "psql_programs", list)
    with LiveSource(scratch.dsn(name)) as live:
        table, other = (
            TableName("public", t) for t in ("p", "t")[:: 1 if "partition" in what else -1]
        )
        assert len(live.rows_of(table, ["id"])) == 2
        scratch.run(name, SINCE_THE_SNAPSHOT[what])
        with pytest.raises(OutdatedError, match=f"Table {table.table} "):
            live.rows_of(table, ["id"])
        with pytest.raises(OutdatedError):
            live.count(table)
        assert len(live.rows_of(other, ["id"])) == 2
        unsettled = live.unsettled()
        assert unsettled is not None
        before = live.snapshot
        assert live.recovers(unsettled)
        assert live.snapshot.taken_at > before.taken_at
        assert live.definition_changed(table) == (what in ("rewritten",))
        assert live.count(table) == {"truncated": 0, "a partition is attached": 3}.get(
            what, 2 if what == "rewritten" else 1
        )


@pytest.mark.usefixtures("one_by_one")
def test_a_table_that_is_altered_meanwhile_is_failed(incident: Incident, scratch: Scratch) -> None:
    incident.happens(
        (
            "CREATE TABLE a (id int PRIMARY KEY); "
            "CREATE TABLE b (id int PRIMARY KEY, v text); "
            "INSERT INTO a SELECT generate_series(1, 9); INSERT INTO b VALUES (1, 'x'), (2, 'y')"
        ),
        "DELETE FROM a; DELETE FROM b WHERE id = 1",  # what lost most is compared first
    )

    class Altering(fx.Listener):
        def ends(self, result: TableResult) -> None:
            if result.name.table == "a":
                scratch.run(incident.live, "ALTER TABLE b ALTER COLUMN id TYPE bigint")

    with incident.compare(listener=Altering()) as case:
        assert case.result("b").state == "failed"
        assert "altered" in (case.result("b").reason or "")
    with incident.compare(options=fx.Options(resume=True)) as case:
        assert case.complete
        assert case.result("b").missing == 1


def test_nobody_waits_for_locks_of_questions_that_were_answered(
    database: Callable[..., str], scratch: Scratch
) -> None:
    name = database("CREATE TABLE t (id int); CREATE TABLE u (id int)")
    with LiveSource(scratch.dsn(name)) as live:
        live.count(TableName("public", "t"))
        live.ask(sql.SQL("SELECT max(id) FROM public.t"))
        assert live.rows_of(TableName("public", "u"), ["id"]) == []
        assert (
            scratch.run(
                name,
                (
                    "SELECT relation::regclass FROM pg_locks WHERE relation::regclass::text "
                    "IN ('t', 'u')"
                ),
            )
            == ""
        )
        scratch.run(name, "SET lock_timeout = '1s'; ALTER TABLE t ADD COLUMN v text")


def test_a_lock_is_not_waited_for(incident: Incident, scratch: Scratch) -> None:
    incident.happens(
        (
            "CREATE TABLE held (id int PRIMARY KEY); "
            "CREATE TABLE free (id int PRIMARY KEY); INSERT INTO free VALUES (1)"
        ),
        "DELETE FROM free",
    )
    with psycopg.connect(incident.live_dsn) as other:
        other.execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        with incident.compare(options=fx.Options(lock_timeout="200ms")) as case:
            assert case.result("free").missing == 1
            held = case.result("held")
            assert held.state == "failed"
            assert "lock timeout" in (held.reason or "")
            assert "--resume" in (held.reason or "") or "again" in (held.reason or "")


def test_a_statement_timeout_is_said(incident: Incident) -> None:
    incident.happens(
        (
            "CREATE TABLE t (id int PRIMARY KEY, v text); "
            "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i"
        ),
        "",
    )
    # At 8 MB a second the rows take longer, and nothing else does.
    with incident.compare(options=fx.Options(statement_timeout="400ms", nice=True)) as case:
        assert not case.complete
        assert "statement timeout" in (case.result("t").reason or "")


def test_without_psql_the_rows_are_the_same(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident.happens(EVERY_TYPE, "DELETE FROM t WHERE id < 7")
    monkeypatch.setattr(readers, "psql_programs", list)
    with incident.compare() as case:
        assert case.complete
        assert case.totals["missing"] == 6


def test_without_psql_a_refusal_is_said_too(
    incident: Incident, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident.happens(
        (
            "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); "
            "INSERT INTO b VALUES (1)"
        ),
        "DELETE FROM b",
    )
    scratch.run(incident.live, "CREATE ROLE half LOGIN; GRANT SELECT ON b TO half")
    monkeypatch.setattr(readers, "psql_programs", list)
    try:
        with fx.compare(
            incident.backup,
            incident.live_dsn.replace("postgres@", "half@", 1),
            incident.backup.parent / "half",
        ) as case:
            assert case.result("a").state == "failed"
            assert case.result("b").missing == 1
    finally:
        scratch.run(incident.live, "DROP OWNED BY half; DROP ROLE half")


def test_bytes_of_a_sql_ascii_database_survive(
    scratch: Scratch, tmp_path: pytest.TempPathFactory
) -> None:
    scratch.run(
        "postgres", "CREATE DATABASE raw_bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"
    )
    try:
        scratch.run(
            "raw_bytes",
            (
                r"SET client_encoding = 'SQL_ASCII'; "
                r"CREATE TABLE t (id int PRIMARY KEY, v text); "
                r"INSERT INTO t VALUES (1, E'\xff\xfe'), (2, E'\xc3\xa9'), (3, E'\xff')"
            ),
        )
        backup = scratch.dump("raw_bytes", tmp_path / "b.sql")  # type: ignore[operator]
        scratch.run(
            "raw_bytes", r"SET client_encoding = 'SQL_ASCII'; UPDATE t SET v = E'\xfe' WHERE id = 3"
        )
        with fx.compare(backup, scratch.dsn("raw_bytes"), tmp_path / "case") as case:  # type: ignore[operator]
            assert case.complete
            assert (case.totals["changed"], case.totals["unchanged"]) == (1, 2)
    finally:
        scratch.drop("raw_bytes")


def test_latin1_on_both_sides(scratch: Scratch, tmp_path: pytest.TempPathFactory) -> None:
    scratch.run("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    try:
        scratch.run(
            "latin",
            (
                "SET client_encoding = 'UTF8'; CREATE TABLE t (id int PRIMARY KEY, "
                "v text); INSERT INTO t VALUES (1, 'Zürich'), (2, 'São Paulo'), (3, 'x')"
            ),
        )
        backup = scratch.dump("latin", tmp_path / "b.sql")  # type: ignore[operator]
        assert b"Z\xfcrich" in backup.read_bytes()
        scratch.run("latin", "DELETE FROM t WHERE id = 2")
        with fx.compare(backup, scratch.dsn("latin"), tmp_path / "case") as case:  # type: ignore[operator]
            assert (case.totals["missing"], case.totals["changed"]) == (1, 0)
            assert case.table("t").missing["v"].tolist() == ["São Paulo"]
    finally:
        scratch.drop("latin")


def test_several_readers_at_a_time(database: Callable[..., str], scratch: Scratch) -> None:
    name = database("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 20000)")
    with LiveSource(scratch.dsn(name)) as live:
        found: Counter[int] = Counter()
        threads = [
            threading.Thread(
                target=lambda: found.update([len(live.rows_of(TableName("public", "t"), ["id"]))])
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {20000: 4}


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        (
            "postgresql://reader:pa%20ss@db.example:6432/app?sslmode=require",
            "postgresql://reader@db.example:6432/app",
        ),
        (
            "host=db.example user=reader password='pa ss' dbname=app",
            "postgresql://reader@db.example/app",
        ),
        ("service=prod", "service=prod"),
        ("host=/tmp dbname=x", "postgresql:///x?host=/tmp"),
    ],
)
def test_a_connection_string_is_shown_without_its_password(dsn: str, shown: str) -> None:
    assert safe_dsn(dsn) == shown


def test_what_is_no_connection_string() -> None:
    with pytest.raises(UsageError, match="not a connection string"):
        safe_dsn("host=x colour=red password=geheim")


def test_nobody_listens() -> None:
    with pytest.raises(LiveError) as error:
        LiveSource("postgresql://u:geheim@127.0.0.1:1/x")
    assert "geheim" not in str(error.value)
    assert error.value.hint


def test_temporary_tables_of_other_sessions_are_nobody_s_loss(incident: Incident) -> None:
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)",
        "DELETE FROM t WHERE id = 3",
    )
    with psycopg.connect(incident.live_dsn, autocommit=True) as other:
        other.execute("CREATE TEMP TABLE t (id int); CREATE TEMP TABLE passing (id int)")
        with incident.compare() as case:
            assert [(r.name, r.missing) for r in case.results] == [(TableName("public", "t"), 1)]


def test_a_question_that_took_all_of_its_time_spoils_nothing(
    scratch: Scratch, database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was answered in the last millisecond, and going back to before it is cancelled."""
    name = database("CREATE TABLE boats (id int PRIMARY KEY); INSERT INTO boats VALUES (1), (2)")
    run = Asking.run
    back: list[str] = []

    def slowly(self: Asking, statement: str) -> None:
        if statement.startswith("ROLLBACK TO"):
            back.append(statement)
            if len(back) == 1:
                statement = f"SELECT pg_sleep(0.3); {statement}"
        run(self, statement)

    with LiveSource(scratch.dsn(name)) as live:
        monkeypatch.setattr(Asking, "run", slowly)
        assert live._held.scalars("SELECT set_config('statement_timeout', '100', true)") == [
            "100ms"
        ]
        assert len(back) == 2
        assert live.activity() is not None
        assert live.unsettled() is None
        assert live.count(TableName("public", "boats")) == 2
