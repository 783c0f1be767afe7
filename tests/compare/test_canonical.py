"""Canonical text: a dump written under any settings reads as live's own answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from forensics.compare.canonical import Writer
from forensics.evidence import copytext
from forensics.evidence.live.source import LiveSource
from forensics.model import Catalog
from forensics.scratch import Scratch

ZONES = [
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Africa/Monrovia",
    "Pacific/Apia",
    "Europe/Dublin",
    "<+03:33>-3:33",
]
INSTANTS = [
    "2025-03-30 01:30:00+00",
    "2025-03-30 00:59:59.999999+00",
    "2024-02-29 23:59:59.5+00",
    "1969-12-31 23:59:59+00",
    "0001-01-01 00:00:00+00",
    "0001-01-01 00:00:00+00 BC",
    "0044-03-15 12:00:00+00 BC",
    "4713-12-31 00:00:00+00 BC",
    "10000-01-01 00:00:00+00",
    "294276-12-31 00:00:00+00",
    "infinity",
    "-infinity",
    "1883-11-18 17:00:00+00",
    "9999-12-31 23:00:00+00",
    "1900-02-28 23:00:00+00",
    "2000-01-01 00:00:00.000001+00",
]


@pytest.fixture(scope="module")
def ask(scratch: Scratch, writer: Writer) -> Callable[[str, str], list[str]]:
    def copied(settings: str, query: str) -> list[str]:
        with psycopg.connect(scratch.dsn("canonical")) as connection:
            connection.execute(settings)
            with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
                return [bytes(r).decode()[:-1] for r in copy]

    return copied


TYPES = """
CREATE DOMAIN moment AS timestamptz; CREATE DOMAIN moments AS moment[];
CREATE TYPE span AS RANGE (subtype = timestamptz);
CREATE TYPE event AS (said text, at timestamptz, raw bytea, paid money);
CREATE TYPE nest AS (events event[], spans span, note text);
CREATE TABLE kept (id int, at timestamptz, said text);
"""


@pytest.fixture(scope="module")
def writer(scratch: Scratch) -> Iterator[Writer]:
    """A dump's writer, who knows the types of a database on the server."""
    scratch.create("canonical")
    scratch.run("canonical", TYPES)
    with LiveSource(scratch.dsn("canonical")) as live:
        yield Writer(live.catalog, pinned=False, old_floats=False)
    scratch.drop("canonical")


def canonical(writer: Writer, type_name: str, fields: list[str]) -> list[str]:
    change = writer.canonical(type_name)
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
        (
            "tstzmultirange",
            "SELECT tstzmultirange(tstzrange(v, v, '[]'), "
            "tstzrange(v + interval '24 hours', null)) FROM i "
            "WHERE isfinite(v) AND v < '5000-01-01'",
        ),
        ("public.moment", "SELECT v FROM i"),
        ("public.moments", "SELECT array[v, null]::moments FROM i"),
        ("public.span", "SELECT span(v, null) FROM i"),
        ("public.span[]", "SELECT array[span(v, v, '[]'), 'empty', null] FROM i"),
        (
            "public.event",
            "SELECT row('2025-01-01 00:00:00+05, \"quoted\" \\', v, null, null)::event FROM i",
        ),
        (
            "public.nest",
            "SELECT row(array[row(' ', v, '\\xff5c22', 1234.5)::event, null], "
            "span(null, v), '{(,)}')::nest FROM i",
        ),
        ("public.kept", "SELECT row(1, v, '2025-01-01 00:00:00+05')::kept FROM i"),
    ],
)
def test_instants(
    ask: Callable[[str, str], list[str]], writer: Writer, zone: str, type_name: str, query: str
) -> None:
    values = ", ".join(f"('{i}'::timestamptz)" for i in INSTANTS)
    query = f"WITH i(v) AS (VALUES {values}) {query}"
    written, answered = (
        ask(f"SET timezone = '{z}'; SET bytea_output = '{o}'", query)
        for z, o in ((zone, "escape"), ("UTC", "hex"))
    )
    assert canonical(writer, type_name, written) == answered


def test_null_is_left_alone(writer: Writer) -> None:
    fields = [copytext.NULL, "2025-01-01 05:30:00+05:30"]
    assert canonical(writer, "timestamp with time zone", fields) == [
        copytext.NULL,
        "2025-01-01 00:00:00+00",
    ]


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("bytea", "v"),
        ("bytea[]", "array[v, null, v]"),
        ("public.event", "row('x', null, v, 7)::event"),
        ("public.event[]", "array[row('x', null, v, 7)::event]"),
    ],
)
def test_bytea_in_escape_format(
    ask: Callable[[str, str], list[str]], writer: Writer, type_name: str, value: str
) -> None:
    query = (
        rf"SELECT {value} FROM (SELECT decode(h, 'hex') AS v "
        r"FROM (VALUES (''), ('00'), ('5c'), ('5c78'), ('0a0d09ff'), ('e282ac27'), "
        r"('4e554c4c'), ('7b2c7d')) x(h)) y"
    )
    written, answered = (ask(f"SET bytea_output = '{o}'", query) for o in ("escape", "hex"))
    assert canonical(writer, type_name, written) == answered


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1234567.89", ["$1,234,567.89", "1.234.567,89 €", "1 234 567,89\u202f€", "₹12,34,567.89"]),
        ("-0.05", ["-$0.05", "($0.05)", "0,05- €", "-0,05 €"]),
        ("0", ["$0.00", "0,00 €"]),
        ("-92233720368547758.08", ["-92.233.720.368.547.758,08 €"]),
        ("12.35", ["¥1,235"]),
    ],
)
def test_money_of_any_locale(
    ask: Callable[[str, str], list[str]], writer: Writer, amount: str, written: list[str]
) -> None:
    """The digits are the number that is stored.

    Few locales are installed where tests run, so their text is spelled out.
    """
    answered = ask("SET lc_monetary = 'C'", f"SELECT '{amount}'::money, array['{amount}'::money]")
    fields = answered[0].split("\t")
    assert canonical(writer, "money", written) == fields[:1] * len(written)
    assert canonical(writer, "money[]", ['{"' + w + '"}' for w in written]) == fields[1:] * len(
        written
    )


FLOATS = [
    "0.1",
    "1/3.0",
    "1e15",
    "123456789012345",
    "999999999999999.9",
    "1e-4",
    "9.9e-5",
    "1e300",
    "5e-324",
    "-0",
    "'NaN'",
    "'Infinity'",
    "'-Infinity'",
    "100000",
    "1000000",
]


@pytest.mark.parametrize(
    ("type_name", "digits"), [("real", 9), ("double precision", 17), ("double precision[]", 17)]
)
def test_floats_as_old_servers_wrote_them(
    ask: Callable[[str, str], list[str]], type_name: str, digits: int
) -> None:
    """Servers before 12 wrote as many digits as always tell two floats apart.

    Later ones write as few as tell this one.
    """
    old = Writer(Catalog(), pinned=False, old_floats=True)
    base = type_name.removesuffix("[]")
    inputs = [f for f in FLOATS if base == "double precision" or f not in ("1e300", "5e-324")]
    fields = ask("", f"SELECT v FROM (VALUES {', '.join(f'(({f})::{base})' for f in inputs)}) x(v)")
    long = [
        f
        if f in ("NaN", "Infinity", "-Infinity")
        else f"{np.float32(f) if base == 'real' else np.float64(f):.{digits}g}"
        for f in fields
    ]
    assert "0.10000000000000001" in long or base == "real"
    if type_name != base:
        fields, long = (["{" + ",".join(side) + ",NULL}"] for side in (fields, long))
    assert canonical(old, type_name, long) == fields
    assert Writer(Catalog(), pinned=True, old_floats=False).canonical(type_name) is None


SHAPES = [
    "point(0.1, 1/3.0)",
    "point('-Infinity', 1e300)",
    "box(point(0.1, 0.7), point(-2.3, 1e-7))",
    "'{0.1,-2.2,1e15}'::line",
    "'[(0.1,0),(2,3.3)]'::lseg",
    "'((0.1,0),(2,3.3))'::path",
    "'[(0.1,5)]'::path",
    "'((0.1,0),(2,3.3),(1,0.6))'::polygon",
    "'<(0.1,2),3.3>'::circle",
    "array[point(0.1, 2), null]",
    "array[box(point(0.1, 0.7), point(2, 1)), box(point(3, 0.3), point(1, 1))]",
]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_as_old_servers_wrote_them(ask: Callable[[str, str], list[str]], shape: str) -> None:
    """Their coordinates are double precision, and had as many digits."""
    old = Writer(Catalog(), pinned=False, old_floats=True)
    [type_name, field] = ask("", f"SELECT pg_typeof({shape}), {shape}")[0].split("\t")
    long = re.sub(r"-?\d[\d.]*(e[-+]\d+)?", lambda m: f"{float(m[0]):.17g}", field)
    assert long != field
    assert canonical(old, type_name, [long]) == [field]


def test_other_types_are_their_own_text() -> None:
    writer = Writer(
        Catalog(composites={"public.p": ("text", "numeric")}), pinned=False, old_floats=False
    )
    names = (
        "text",
        "numeric(12,3)",
        "timestamp without time zone",
        "time with time zone",
        "jsonb",
        "text[]",
        "public.p",
        "int4range",
        "double precision",
    )
    for name in names:
        assert writer.canonical(name) is None, name
