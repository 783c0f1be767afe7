"""Random schemas, random rows, random changes, dumped in a random form.

What is found is always what a brute-force count says. `make test` does a few hundred incidents,
`make soak` thousands.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import forensics as fx
from forensics.scratch import Scratch

ANY_TEXT = st.text(
    st.sampled_from(
        ["a", "b", "\\", "\t", "\n", "\r", "N", ".", "'", '"', ";", "ü", "🙂", "$", " "]
    ),
    max_size=5,
)
TYPES: dict[str, st.SearchStrategy[object]] = {
    "int": st.integers(-3, 3),
    "bigint": st.integers(-(2**60), 2**60),
    "text": ANY_TEXT,
    "varchar(9)": ANY_TEXT,
    "boolean": st.booleans(),
    "numeric": st.decimals(-99, 99, places=2),
    "float8": st.sampled_from([0.1, -0.0, 1e300, float("nan"), float("inf"), 1 / 3]),
    "timestamptz": st.sampled_from(
        [
            "2025-03-30 01:30:00.5+00",
            "infinity",
            "0044-03-15 00:00:00+00 BC",
            "2025-07-01 00:00:00+05:30",
        ]
    ),
    "timestamp": st.sampled_from(["2025-01-01 00:00:00.001", "-infinity"]),
    "text[]": st.lists(st.one_of(st.none(), ANY_TEXT), max_size=2),
    "jsonb": st.sampled_from(['{"b": 1, "a": [1, 2.50]}', "null", '"\\u00fc"']),
    "bytea": st.binary(max_size=4),
    "interval": st.sampled_from(["1 mon", "-1 day 02:03:04.5"]),
    "json": st.sampled_from(['{"b": 1,  "a": [1, 2.50]}', "[ ]", '"x"']),
    "real": st.sampled_from([0.1, -2.5, float("inf")]),
    "char(4)": st.sampled_from(["", "ab", " x"]),
    "uuid": st.uuids(),
    "date": st.sampled_from(["2025-01-31", "0044-03-15 BC", "infinity"]),
    "money": st.sampled_from(["1234.5", "-0.05"]),
    "inet": st.sampled_from(["10.0.0.1", "::1/64"]),
    "bytea[]": st.lists(st.one_of(st.none(), st.binary(max_size=3)), max_size=2),
    "bit(3)": st.sampled_from(["101", "000"]),
    "kit.moment[]": st.sampled_from(["{}", '{"2025-07-01 00:00:00+05:30",NULL}']),
    "kit.mood": st.sampled_from(["sad", "ok, so", ""]),
    "kit.span": st.sampled_from(
        ["empty", "[2025-03-30 01:30:00+00,)", "(,2025-03-30 01:30:00+00)"]
    ),
    "kit.event": st.sampled_from(
        [
            '("2025-07-01 00:00:00+05","2025-07-01 00:00:00+05","\\\\x5c22",)',
            "(,,,)",
            r'("a ""b""",infinity,,"{""c d""}")',
        ]
    ),
}
OWN_TYPES = """CREATE SCHEMA kit; CREATE DOMAIN kit.moment AS timestamptz;
CREATE TYPE kit.mood AS ENUM ('sad', 'ok, so', '');
CREATE TYPE kit.span AS RANGE (subtype = timestamptz);
CREATE TYPE kit.event AS (said text, at timestamptz, raw bytea, tags text[])"""
# What a column's type may become without any value changing.
WIDER = {
    "int": "numeric(12,2)",
    "bigint": "text",
    "varchar(9)": "text",
    "boolean": "text",
    "numeric": "text",
    "json": "jsonb",
    "jsonb": "json",
    "real": "float8",
    "char(4)": "text",
    "uuid": "text",
    "date": "timestamp",
    "money": "numeric",
    "timestamp": "timestamptz",
    "timestamptz": "timestamp",
    "bit(3)": "varbit",
    "text[]": "varchar[]",
    "kit.mood": "text",
}
FORMS = (
    (),
    ("--inserts",),
    ("--rows-per-insert=3",),
    ("-Fc",),
    ("-Fd",),
    ("-Ft",),
    ("--column-inserts",),
    ("--clean", "--if-exists"),
)
_numbers = count()


@dataclass(frozen=True)
class Plan:
    """A table, and what becomes of it."""

    types: tuple[str, ...]
    key: tuple[int, ...]
    rows: tuple[tuple[object, ...], ...]
    added: tuple[tuple[object, ...], ...]
    delete: int
    update: int
    ends: str


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    types = tuple(draw(st.lists(st.sampled_from(sorted(TYPES)), min_size=1, max_size=4)))
    value = [st.one_of(st.none(), TYPES[t]) for t in types]
    row = st.tuples(*value)
    key = tuple(draw(st.sampled_from([(), (0,), (0, len(types) - 1) if len(types) > 1 else (0,)])))
    if any(types[i] == "json" for i in key):  # which knows no order
        key = ()
    rows, added = draw(st.lists(row, max_size=25)), draw(st.lists(row, max_size=4))
    ends = draw(
        st.sampled_from(
            [
                "kept",
                "kept",
                "kept",
                "dropped",
                "column dropped",
                "column added",
                "rewritten",
                "shuffled",
                "type changed",
                "partitioned",
            ]
        )
    )
    return Plan(
        types,
        key,
        tuple(rows),
        tuple(added),
        draw(st.integers(2, 9)),
        draw(st.integers(2, 9)),
        ends,
    )


def run(connection: psycopg.Connection, statement: str, values: object = None) -> None:
    try:
        with connection.transaction():
            connection.execute(statement, values)  # type: ignore[arg-type]
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        pass  # a random row that the table does not take


def build(connection: psycopg.Connection, schema: str, plans_: list[Plan]) -> None:
    connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
    for n, plan in enumerate(plans_):
        columns = ", ".join(f"c{i} {t}" for i, t in enumerate(plan.types))
        key = (
            f", PRIMARY KEY ({', '.join(f'c{i}' for i in dict.fromkeys(plan.key))})"
            if plan.key
            else ""
        )
        connection.execute(f"CREATE TABLE t{n} ({columns}{key})")
        for row in plan.rows:
            run(connection, f"INSERT INTO t{n} VALUES ({', '.join(['%s'] * len(row))})", row)


def change(connection: psycopg.Connection, plans_: list[Plan]) -> None:
    for n, plan in enumerate(plans_):
        table = f"t{n}"
        run(
            connection,
            f"DELETE FROM {table} WHERE ctid IN (SELECT ctid "
            f"FROM (SELECT ctid, row_number() OVER () AS r FROM {table}) x "
            f"WHERE r %% {plan.delete} = 0)",
            (),
        )
        last = len(plan.types) - 1
        if plan.rows:
            where = (
                "ctid IN (SELECT ctid FROM (SELECT ctid, row_number() OVER () AS r "
                f"FROM {table}) x WHERE r %% {plan.update} = 0)"
            )
            run(connection, f"UPDATE {table} SET c{last} = %s WHERE {where}", (plan.rows[0][last],))
        for row in plan.added:
            run(connection, f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)
        end(connection, plan, table)


def end(connection: psycopg.Connection, plan: Plan, table: str) -> None:
    """What becomes of the table as a whole."""
    last = len(plan.types) - 1
    if plan.ends == "dropped":
        connection.execute(f"DROP TABLE {table}")
    elif plan.ends == "column dropped" and len(plan.types) > 1 and last not in plan.key:
        connection.execute(f"ALTER TABLE {table} DROP COLUMN c{last}")
    elif plan.ends == "type changed":
        for column, wider in wider_types(plan).items():
            connection.execute(
                f"ALTER TABLE {table} ALTER {column} TYPE {wider} USING {column}::{wider}"
            )
    elif plan.ends == "partitioned" and plan.types[0] in ("int", "text", "uuid"):
        connection.execute(
            f"ALTER TABLE {table} RENAME TO old; "
            f"CREATE TABLE {table} (LIKE old INCLUDING DEFAULTS) PARTITION BY HASH (c0);"
            f"CREATE TABLE {table}_0 PARTITION OF {table} "
            "FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
            f"CREATE TABLE {table}_1 PARTITION OF {table} "
            "FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
            f"INSERT INTO {table} SELECT * FROM old; DROP TABLE old"
        )
        if plan.key:
            connection.execute(
                f"ALTER TABLE {table} ADD PRIMARY KEY "
                f"({', '.join(f'c{i}' for i in dict.fromkeys(plan.key))})"
            )
    elif plan.ends == "column added":
        connection.execute(f"ALTER TABLE {table} ADD COLUMN fresh text DEFAULT 'x'")
    elif plan.ends == "rewritten":
        connection.execute(
            f"CREATE TABLE copy (LIKE {table} INCLUDING ALL); "
            f"INSERT INTO copy SELECT * FROM {table}; DROP TABLE {table}; "
            f"ALTER TABLE copy RENAME TO {table}"
        )
    elif plan.ends == "shuffled":
        connection.execute(
            f"CREATE TABLE copy AS SELECT * FROM {table} ORDER BY md5({table}::text); "
            f"TRUNCATE {table}; INSERT INTO {table} SELECT * FROM copy; DROP TABLE copy"
        )


def wider_types(plan: Plan) -> dict[str, str]:
    changed = {
        i: WIDER[t] for i, t in enumerate(plan.types) if t in WIDER and plan.ends == "type changed"
    }
    return {
        f"c{i}": t for i, t in changed.items() if t != "json" or i not in plan.key
    }  # json knows no order


ROOTS = """SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = %s::regnamespace
AND c.relkind IN ('r', 'p') AND NOT c.relispartition"""


def read(
    connection: psycopg.Connection, schema: str, incident: list[Plan]
) -> dict[str, tuple[list[str], list[str], list[tuple[str, ...]]]]:
    """By table: columns, key, rows as COPY text.

    Values are of the types that the incident gives them, which PostgreSQL casts to.
    """
    found = {}
    for (table,) in connection.execute(ROOTS, [schema]).fetchall():
        casts = wider_types(incident[int(table[1:])])
        columns = [
            r[0]
            for r in connection.execute(
                "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass "
                "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                [f"{schema}.{table}"],
            )
        ]
        key = [
            r[0]
            for r in connection.execute(
                "SELECT a.attname::text FROM pg_index i "
                "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
                "WHERE i.indisprimary AND i.indrelid = %s::regclass",
                [f"{schema}.{table}"],
            )
        ]
        values = ", ".join(f"{c}::{casts[c]}" if c in casts else c for c in columns)
        with connection.cursor().copy(
            f"COPY (SELECT {values} FROM {schema}.{table}) TO STDOUT"
        ) as copy:
            rows = [tuple(bytes(r).decode()[:-1].split("\t")) for r in copy]
        found[table] = (columns, sorted(key), rows)
    return found


def expected(before: dict, after: dict) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for table, (columns, key, rows) in before.items():
        if table not in after:
            found[table] = {
                "state": "dropped",
                "backup_rows": len(rows),
                "missing": len(rows),
                "changed": 0,
                "unchanged": 0,
            }
            continue
        now_columns, now_key, now_rows = after[table]
        common = [c for c in columns if c in now_columns]
        ours = [tuple(r[columns.index(c)] for c in common) for r in rows]
        theirs = [tuple(r[now_columns.index(c)] for c in common) for r in now_rows]
        if key and key == now_key:
            left, right = (
                {tuple(r[common.index(k)] for k in key): r for r in side} for side in (ours, theirs)
            )
            counts = {
                "missing": len(left.keys() - right.keys()),
                "added": len(right.keys() - left.keys()),
                "changed": sum(left[k] != right[k] for k in left.keys() & right.keys()),
            }
        else:
            counts = {
                "missing": (Counter(ours) - Counter(theirs)).total(),
                "added": (Counter(theirs) - Counter(ours)).total(),
                "changed": 0,
            }
        unchanged = len(ours) - counts["missing"] - counts["changed"]
        found[table] = {
            "state": "compared",
            "backup_rows": len(ours),
            "live_rows": len(theirs),
            **counts,
            "unchanged": unchanged,
        }
    return found


@pytest.fixture(scope="module")
def connection(scratch: Scratch) -> Iterator[psycopg.Connection]:
    scratch.create("properties")
    with psycopg.connect(
        scratch.dsn("properties"), autocommit=True, prepare_threshold=None
    ) as found:
        found.execute("SET timezone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = 'hex'")
        found.execute(OWN_TYPES)  # type: ignore[arg-type]
        yield found
    scratch.drop("properties")


def hold(
    connection: psycopg.Connection,
    scratch: Scratch,
    folder: Path,
    incident: list[Plan],
    form: tuple[str, ...],
    zone: str,
    **wishes: Any,
) -> None:
    schema = f"s{next(_numbers)}"
    backup, case_folder = folder / schema, folder / f"case_{schema}"
    try:
        build(connection, schema, incident)
        before = read(connection, schema, incident)
        connection.execute(
            f"ALTER DATABASE properties SET timezone = '{zone}'; "
            "ALTER DATABASE properties SET bytea_output = "
            f"'{'hex' if zone == 'UTC' else 'escape'}'"
        )
        scratch.dump("properties", backup, "-n", schema, "-n", "kit", *form)
        change(connection, incident)
        wanted = expected(before, read(connection, schema, incident))
        options = fx.Options(schemas=(schema,), **wishes)
        with fx.compare(backup, scratch.dsn("properties"), case_folder, options=options) as case:
            assert case.complete, [r.reason for r in case.results]
            found = {r.name.table: r for r in case.results}
            assert found.keys() == wanted.keys()
            for table, counts in wanted.items():
                assert {k: getattr(found[table], k) for k in counts} == counts, table
                assert len(case.table(f"{schema}.{table}").missing) == counts["missing"]
    finally:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        shutil.rmtree(case_folder, ignore_errors=True)
        shutil.rmtree(backup, ignore_errors=True) if backup.is_dir() else backup.unlink(
            missing_ok=True
        )


INCIDENTS = st.lists(plans(), min_size=1, max_size=3)
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@given(INCIDENTS, st.sampled_from(FORMS), ZONES)
@settings(max_examples=80, deadline=None, suppress_health_check=QUIET)
def test_random_incidents(
    connection: psycopg.Connection,
    scratch: Scratch,
    tmp_path: Path,
    incident: list[Plan],
    form: tuple[str, ...],
    zone: str,
) -> None:
    hold(connection, scratch, tmp_path, incident, form, zone)


@pytest.mark.soak
@given(INCIDENTS, st.sampled_from(FORMS), ZONES)
@settings(max_examples=4000, deadline=None, suppress_health_check=QUIET)
def test_thousands_of_random_incidents(
    connection: psycopg.Connection,
    scratch: Scratch,
    tmp_path: Path,
    incident: list[Plan],
    form: tuple[str, ...],
    zone: str,
) -> None:
    hold(connection, scratch, tmp_path, incident, form, zone)
