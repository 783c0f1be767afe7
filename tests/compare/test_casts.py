"""Types that changed: a cast that loses nothing leaves a value equal, another does not."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pyarrow as pa
import pytest

import forensics as fx
from forensics.compare import preparation
from forensics.compare.canonical import Writer
from forensics.compare.casts import casts_between
from forensics.evidence import copytext
from forensics.model import Catalog
from forensics.scratch import Scratch
from tests.conftest import Incident

JSONS = [
    '{"b": 1,  "a": [1, 2.50]}',
    '{"aa": 1, "b": 2, "a": {"z": null, "y": true}}',
    '{"a": 1, "a": 2}',
    '"\\u00fc\\n\\t\\" / \\/ \\\\"',
    "1e5",
    "-0",
    "1.10",
    "1E-7",
    "12345678901234567890.10",
    "[ ]",
    "{}",
    '"\\u007f\\u2028"',
    '{"ü": 1, "zz": 2, "a": 3}',
    "null",
    '"tab\\there"',
    "0.000",
    "-1.5e3",
]
NUMBERS = ["100", "0", "-20", "7"]
# (type, new type, values that the cast leaves whole, values that it does not)
CASTS: list[tuple[str, str, list[str], list[str]]] = [
    ("integer", "bigint", NUMBERS, []),
    ("integer", "numeric(12,4)", NUMBERS, []),
    ("bigint", "numeric", ["9223372036854775807"], []),
    ("numeric(10,2)", "numeric(12,4)", ["1.50", "100", "0", "-0.10"], []),
    ("numeric(10,4)", "numeric(10,2)", ["1.5", "100"], ["1.2345"]),
    ("numeric", "integer", ["1.00", "-7", "100"], ["1.5"]),
    (
        "numeric",
        "double precision",
        ["0.1", "-1.50", "100000000000000000000"],
        ["0.12345678901234567890"],
    ),
    ("double precision", "numeric", ["0.1", "1e20", "-2.5"], ["0.1::float8 + 0.2"]),
    ("real", "double precision", ["0.1", "1e30", "'NaN'", "-3.25"], []),
    ("double precision", "real", ["0.5", "'Infinity'", "-3.25"], ["0.1"]),
    ("integer", "double precision", NUMBERS, []),
    ("integer", "text", NUMBERS, []),
    ("json", "jsonb", [f"'{j}'" for j in JSONS], []),
    ("jsonb", "json", ["""'{"b": 1, "a": 2}'"""], []),
    ("text", "jsonb", ["""'{"b":1,"a":[2.50]}'"""], []),
    (
        "text",
        "uuid",
        [
            "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",
            "'{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}'",
            "'a0eebc999c0b4ef8bb6d6bb9bd380a11'",
        ],
        [],
    ),
    ("character(36)", "uuid", ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"], []),
    ("uuid", "text", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], []),
    ("character(6)", "text", ["'ab'", "'  x '", "''"], []),
    ("character(6)", "character(9)", ["'ab'", "''"], []),
    ("text", "character(6)", ["'ab'", "''"], ["'ab '", "'seven letters'"]),
    ("character varying(40)", "character varying(4)", ["'ab'"], ["'seven letters'"]),
    ("date", "timestamp without time zone", ["'2025-01-31'", "'0044-03-15 BC'", "'infinity'"], []),
    (
        "timestamp without time zone",
        "date",
        ["'2025-01-31'", "'-infinity'"],
        ["'2025-01-31 00:00:01'"],
    ),
    (
        "timestamp without time zone",
        "timestamp with time zone",
        ["'2025-01-31 10:00:00.5'", "'infinity'", "'0044-03-15 BC'"],
        [],
    ),
    ("timestamp with time zone", "timestamp without time zone", ["'2025-01-31 10:00:00+00'"], []),
    (
        "timestamp(6) without time zone",
        "timestamp(3) without time zone",
        ["'2025-01-31 10:00:00.123'"],
        ["'2025-01-31 10:00:00.123456'"],
    ),
    (
        "timestamp(3) with time zone",
        "timestamp(6) with time zone",
        ["'2025-01-31 10:00:00.123+00'"],
        [],
    ),
    ("boolean", "text", ["true", "false"], []),
    ("boolean", "integer", ["true", "false"], []),
    ("integer", "boolean", ["1", "0"], ["7"]),
    ("inet", "cidr", ["'10.0.0.1'", "'10.0.0.0/8'", "'::1'"], []),
    ("cidr", "inet", ["'10.0.0.1'", "'10.0.0.0/8'", "'2001:db8::/32'"], []),
    ("inet", "text", ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"], []),
    ("text", "inet", ["'10.0.0.1/32'", "'10.0.0.0/8'", "'2001:db8::'"], []),
    ("text", "boolean", ["'true'", "'f'", "'false'"], ["'yes'"]),
    ("money", "numeric", ["'$1,234.50'", "'-0.05'"], []),
    ("integer[]", "numeric[]", ["'{1,NULL,-3}'", "'{}'"], []),
    ("text[]", "uuid[]", ["'{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,NULL}'"], []),
    ("json[]", "jsonb[]", ["""array['{"b":1,"a":2}'::json, null]"""], []),
    ("bit(3)", "bit varying", ["'101'"], []),
]


@pytest.fixture(scope="module")
def ask(scratch: Scratch) -> Callable[[str], list[str]]:
    def copied(query: str) -> list[str]:
        with psycopg.connect(scratch.dsn()) as connection:
            connection.execute("SET timezone = 'UTC'; SET lc_monetary = 'C'")
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                return [bytes(r).decode()[:-1] for r in copy]

    return copied


@pytest.mark.parametrize(
    ("was", "now", "kept", "touched"), CASTS, ids=[f"{w} to {n}" for w, n, _, _ in CASTS]
)
def test_what_postgresql_casts(
    ask: Callable[[str], list[str]], was: str, now: str, kept: list[str], touched: list[str]
) -> None:
    listed = ", ".join(f"(({v})::{was})" for v in (*kept, *touched))
    # Through text where there is no cast: that is what ALTER … USING is written with.
    through = (
        "::text"
        if (was, now) in (("text", "jsonb"), ("text[]", "uuid[]"), ("json[]", "jsonb[]"))
        else ""
    )
    ours, theirs = (
        ask(f"SELECT v{cast} FROM (VALUES {listed}) x(v)") for cast in ("", f"{through}::{now}")
    )
    writer = Writer(Catalog(), pinned=True, old_floats=False)
    changes = casts_between(was, now, writer, writer) or (lambda f: f, lambda f: f)
    before, after = (
        c(pa.array([*f, copytext.NULL], pa.large_string())).to_pylist()
        for c, f in zip(changes, (ours, theirs), strict=True)
    )
    same = [a == b for a, b in zip(before, after, strict=True)]
    assert same == [True] * len(kept) + [False] * len(touched) + [True], list(
        zip(before, after, strict=True)
    )


CHANGED = """
CREATE DOMAIN code AS char(5);
CREATE TABLE t (id int PRIMARY KEY, u text, j json, n int, at timestamp(3), c code, f real,
tags int[]);
INSERT INTO t SELECT i, upper(md5(i::text)), ('{"b":' || i || ',"a":1}')::json, i,
timestamp '2025-01-01' + i * interval '1.5 s', 'c' || i, i / 7.0, array[i, null]
FROM generate_series(1, 40) i;
CREATE TABLE by_uuid (id text PRIMARY KEY, v text);
INSERT INTO by_uuid SELECT upper(md5(i::text)), 'v' || i FROM generate_series(1, 30) i;
"""


def test_a_migration_that_changes_types(incident: Incident) -> None:
    incident.happens(
        CHANGED,
        "ALTER TABLE t ALTER u TYPE uuid USING u::uuid, ALTER j TYPE jsonb, "
        "ALTER n TYPE numeric(12,2), ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC', "
        "ALTER c TYPE text, ALTER f TYPE double precision, ALTER tags TYPE bigint[], "
        "ALTER id TYPE bigint; ALTER TABLE by_uuid ALTER id TYPE uuid USING id::uuid;"
        "UPDATE t SET n = -1 WHERE id = 3; UPDATE t SET j = '{}' WHERE id = 4; "
        "DELETE FROM t WHERE id > 35; DELETE FROM by_uuid WHERE v = 'v7'",
    )
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert case.complete, [r.reason for r in case.results]
        found = case.result("t")
        assert (found.missing, found.added, found.changed, found.unchanged) == (5, 0, 2, 33)
        assert len(case.columns[case.columns.change == "type"]) == 9
        [note] = found.notes
        assert note.startswith(
            "at: instants and local times are held to be equal where they are in UTC"
        )
        changed = case.table("t").changed
        assert [c for c in changed.columns if c[1] == "backup"] == [
            ("j", "backup"),
            ("n", "backup"),
        ]
        moved = case.result("by_uuid")
        assert (moved.key_source, moved.missing, moved.added, moved.unchanged) == (
            "primary key",
            1,
            0,
            29,
        )


def test_texts_that_no_cast_takes(incident: Incident) -> None:
    """What a migration set to NULL because jsonb refuses it.

    No JSON, too deep for Python, halves of surrogates, numbers beyond numeric.
    """
    incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY, j json, v text); "
        "INSERT INTO t VALUES (1, '1e400000', '1e99999999999999999999'), "
        "(2, '\"\\ud800\"', 'no JSON'), "
        "(3, (repeat('[', 5000) || repeat(']', 5000))::json, repeat('[', 200000)), "
        "(4, '{\"a\":1e5}', '[1,2]'), (5, '\"\\u0000\"', '[\"\\udc00\"]')",
        "ALTER TABLE t ALTER j TYPE jsonb USING CASE id WHEN 4 THEN j::jsonb END, "
        "ALTER v TYPE jsonb USING CASE id WHEN 4 THEN v::jsonb END",
    )
    with incident.compare(options=fx.Options(verify=True)) as case:
        assert case.complete, [r.reason for r in case.results]
        assert (case.result("t").changed, case.result("t").unchanged) == (4, 1)


def test_an_unforeseen_error_fails_its_table_and_no_other(
    incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, v int); "
        "INSERT INTO b VALUES (1, 1)",
        "UPDATE b SET v = 2; ALTER TABLE a ALTER id TYPE numeric",
    )
    monkeypatch.setattr(preparation, "casts_between", lambda *types: 1 // 0)
    with incident.compare() as case:
        assert not case.complete
        assert "ZeroDivisionError" in (case.result("a").reason or "")
        assert case.result("b").changed == 1
