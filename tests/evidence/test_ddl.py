"""A dump's DDL: what its statements say, and what they leave to the server."""

from __future__ import annotations

import pytest

from forensics.evidence.ddl import read_catalog
from forensics.model import Sequence, TableName


@pytest.mark.parametrize(
    ("statement", "value", "called"),
    [
        ("SELECT pg_catalog.setval('public.s', 5, false);", 5, False),
        ("SELECT setval('s', 5000000000);", 5_000_000_000, True),
        ("SELECT setval('s', -1);", -1, True),
    ],
)
def test_where_a_sequence_stands(statement: str, value: int, called: bool) -> None:
    name = TableName("public", "s")
    assert read_catalog([statement]).sequences == (Sequence(name, value, called),)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('t', 'id'), 5, true);",
        "SELECT setval('s'::regclass, 5);",
        "SELECT setval('s', max(id)) FROM t;",
    ],
)
def test_what_only_the_server_can_work_out_is_left_alone(statement: str) -> None:
    catalog = read_catalog([statement])
    assert catalog.sequences == ()
    assert catalog.unparsed == ()
