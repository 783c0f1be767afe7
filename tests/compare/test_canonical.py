"""Canonical text: a dump written under any TimeZone or bytea_output reads as live's own answer."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pyarrow as pa
import pytest

from forensics.compare.canonical import canonical_for, casts_between
from forensics.evidence import copytext
from forensics.model import Catalog
from forensics.scratch import Scratch

ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Africa/Monrovia", "Pacific/Apia", "Europe/Dublin", "<+03:33>-3:33"]
INSTANTS = [
    "2025-03-30 01:30:00+00", "2025-03-30 00:59:59.999999+00", "2024-02-29 23:59:59.5+00", "1969-12-31 23:59:59+00",
    "0001-01-01 00:00:00+00", "0001-01-01 00:00:00+00 BC", "0044-03-15 12:00:00+00 BC", "4713-12-31 00:00:00+00 BC",
    "10000-01-01 00:00:00+00", "294276-12-31 00:00:00+00", "infinity", "-infinity", "1883-11-18 17:00:00+00",
    "9999-12-31 23:00:00+00", "1900-02-28 23:00:00+00", "2000-01-01 00:00:00.000001+00",
]  # fmt: skip


@pytest.fixture(scope="module")
def ask(scratch: Scratch) -> Callable[[str, str], list[str]]:
    def copied(settings: str, query: str) -> list[str]:
        with psycopg.connect(scratch.dsn()) as connection:
            connection.execute(settings)
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                return [bytes(r).decode()[:-1] for r in copy]

    return copied


def canonical(type_name: str, fields: list[str]) -> list[str]:
    change = canonical_for(type_name, Catalog(domains={"public.moment": "timestamp with time zone"}))
    assert change is not None
    return change(pa.array(fields, pa.large_string())).to_pylist()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("type_name", "query"),
    [
        ("timestamp with time zone", "SELECT v FROM i"),
        ("timestamp(3) with time zone", "SELECT v::timestamptz(3) FROM i"),
        ("timestamp with time zone[]", "SELECT array[v, null, v] FROM i"),
        ("tstzrange", "SELECT tstzrange(v, null) FROM i"),
        ("public.moment", "SELECT v FROM i"),
    ],
)
def test_instants(ask: Callable[[str, str], list[str]], zone: str, type_name: str, query: str) -> None:
    values = ", ".join(f"('{i}'::timestamptz)" for i in INSTANTS)
    query = f"WITH i(v) AS (VALUES {values}) {query}"
    written, answered = (ask(f"SET timezone = '{z}'", query) for z in (zone, "UTC"))
    assert canonical(type_name, written) == answered


def test_null_is_left_alone() -> None:
    assert canonical("timestamp with time zone", [copytext.NULL, "2025-01-01 05:30:00+05:30"]) == [copytext.NULL, "2025-01-01 00:00:00+00"]


def test_bytea_in_escape_format(ask: Callable[[str, str], list[str]]) -> None:
    query = r"SELECT decode(h, 'hex') FROM (VALUES (''), ('00'), ('5c'), ('5c78'), ('0a0d09ff'), ('e282ac27')) v(h)"
    written, answered = (ask(f"SET bytea_output = '{o}'", query) for o in ("escape", "hex"))
    assert canonical("bytea", written) == answered


def test_other_types_are_their_own_text() -> None:
    catalog = Catalog()
    for name in ("text", "numeric(12,3)", "timestamp without time zone", "time with time zone", "jsonb", "money", "text[]"):
        assert canonical_for(name, catalog) is None


JSONS = [
    '{"b": 1,  "a": [1, 2.50]}', '{"aa": 1, "b": 2, "a": {"z": null, "y": true}}', '{"a": 1, "a": 2}', '"\\u00fc\\n\\t\\" / \\/ \\\\"', "1e5", "-0", "1.10",
    "1E-7", "12345678901234567890.10", "[ ]", "{}", '"\\u007f\\u2028"', '{"ü": 1, "zz": 2, "a": 3}', "null", '"tab\\there"', "0.000", "-1.5e3",
]  # fmt: skip
CASTS = [
    ("json", "jsonb", [f"'{j}'::json" for j in JSONS]),
    (
        "text",
        "uuid",
        ["'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}'", "'a0eebc999c0b4ef8bb6d6bb9bd380a11'"],
    ),
    ("character(6)", "text", ["'ab'::char(6)", "'  x '::char(6)", "''::char(6)"]),
    ("date", "timestamp without time zone", ["date '2025-01-31'", "date '0044-03-15 BC'", "date 'infinity'"]),
    ("numeric(10,2)", "numeric(12,4)", ["1.50::numeric(10,2)", "100::numeric(10,2)", "0::numeric(10,2)", "-0.10::numeric(10,2)"]),
    ("integer", "numeric(12,4)", ["100", "0", "-20"]),
]


@pytest.mark.parametrize(("was", "now", "values"), CASTS, ids=[f"{w} to {n}" for w, n, _ in CASTS])
def test_casts_that_lose_nothing(ask: Callable[[str, str], list[str]], was: str, now: str, values: list[str]) -> None:
    listed = ", ".join(f"({v})" for v in values)
    queries = [f"SELECT v{cast} FROM (VALUES {listed}) x(v)" for cast in ("", f"::{now}")]
    ours, theirs = (ask("SET timezone = 'UTC'", query) for query in queries)
    casts = casts_between(was, now)
    assert casts is not None
    change, also = casts
    assert (
        change(pa.array([*ours, copytext.NULL], pa.large_string())).to_pylist()
        == also(pa.array([*theirs, copytext.NULL], pa.large_string())).to_pylist()
    )
    assert casts_between(now, was) is None or was == now or "numeric" in was
