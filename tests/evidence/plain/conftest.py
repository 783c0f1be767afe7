"""A database with everything in it that makes a plain dump hard to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from forensics.scratch import Scratch
from tests.evidence.plain.reading import Truth

SQL = Path(__file__).with_name("everything.sql").read_text("utf-8")


@pytest.fixture(scope="package")
def made(scratch: Scratch) -> Iterator[str]:
    scratch.create("plain_forms")
    scratch.run("plain_forms", SQL)
    yield "plain_forms"
    scratch.drop("plain_forms")


@pytest.fixture(scope="package")
def truth(scratch: Scratch, made: str) -> Truth:
    """Every table's rows, as the server says them."""
    columns = {
        "t": 'id, v, b, n, ba, bits, m, arr, "odd ""name"", x"',
        "blank": "t",
        "empty": "id",
        "p": "id, r",
        "below": "one, two, three, own",
    }
    found = {}
    with psycopg.connect(scratch.dsn(made)) as connection:
        for table, listed in columns.items():
            casts = ", ".join(
                f"{c}::text" if c != "b" else "CASE b WHEN true THEN 't' ELSE 'f' END"
                for c in listed.split(", ")
                if c != 'x"'
            )
            if table == "t":
                casts = casts.replace('"odd ""name""::text', '"odd ""name"", x"::text')
            found[table] = Counter(connection.execute(f"SELECT {casts} FROM {table}").fetchall())
    return found
