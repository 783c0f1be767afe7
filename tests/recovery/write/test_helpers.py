"""The functions that the statements of recovery.sql and undo.sql have in common, by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from forensics.recovery.write.sqltext import template
from forensics.scratch import Scratch

_SQL = """
CREATE DOMAIN short AS int;
CREATE TABLE bins (n int, h text, x text);
INSERT INTO bins VALUES (1, 'a', NULL), (1, 'a', NULL), (2, 'a', ''), (2, 'a', NULL);
CREATE TABLE heirs () INHERITS (bins);
INSERT INTO heirs VALUES (3, 'c', 'd');
CREATE TABLE drawn (a smallint, b short, c bigint, d numeric, e text, f real, g uuid);
"""


@pytest.fixture
def session(
    scratch: Scratch, database: Callable[..., str]
) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A transaction in which the helpers are there, as a script has them."""
    with psycopg.connect(scratch.dsn(database(_SQL))) as found:
        found.execute(
            "CREATE FUNCTION pg_temp.hash(text) RETURNS text LANGUAGE sql AS 'SELECT md5($1)'"
        )
        found.execute(template("helpers").encode())
        yield found
        found.rollback()


def test_rows_of_a_table_alone(session: psycopg.Connection[tuple[Any, ...]]) -> None:
    asked = "SELECT pg_temp.rows_in('ONLY bins'), pg_temp.rows_in('bins')"
    assert session.execute(asked).fetchone() == (4, 5)


def test_copies_are_counted_by_their_text(session: psycopg.Connection[tuple[Any, ...]]) -> None:
    # NULL and the empty text are two values, and columns may be called as the answer's are.
    asked = "SELECT pg_temp.copies('ONLY bins', '{n,h,x}')"
    (copies,) = session.execute(asked).fetchone() or ("",)
    counted = session.execute(f"SELECT c.n FROM {copies} c ORDER BY c.n".encode()).fetchall()
    assert counted == [(1,), (1,), (2,)]


def test_a_key_as_a_condition(session: psycopg.Connection[tuple[Any, ...]]) -> None:
    session.execute("INSERT INTO targets (n, key) VALUES (1, '{id,Order}')")
    asked = "SELECT pg_temp.by_key(t) FROM targets t"
    assert session.execute(asked).fetchone() == ('t.id = r.id AND t."Order" = r."Order"',)


@pytest.mark.parametrize("column", "abcdefg")
def test_numbers_are_kept(session: psycopg.Connection[tuple[Any, ...]], column: str) -> None:
    asked = "SELECT pg_temp.keeps_numbers('drawn', %s)"
    assert session.execute(asked, [column]).fetchone() == (column in "abcd",)
