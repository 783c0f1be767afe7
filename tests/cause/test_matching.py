"""Which file an entry of a history means, and where names without a schema lead."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from forensics.cause.matching import by_name, match
from forensics.cause.naming import schema_of
from forensics.evidence.migrations import HistoryEntry, Migration
from forensics.model import Column, Table, TableName

JANUARY, FEBRUARY = 1735689600000, 1738368000000


def file(name: str, text: str = "SELECT 1;", made: int | None = None) -> Migration:
    return Migration(name, Path(f"{name}.sql"), text.encode(), made)


def entry(tool: str, name: str, text: str = "", schema: str = "ops", **how: bool) -> HistoryEntry:
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return HistoryEntry(tool, TableName(schema, "history"), name, checksum, **how)


@pytest.mark.parametrize("milliseconds", [0, 123])
def test_drizzle_knows_a_file_by_its_moment_though_it_was_reformatted(milliseconds: int) -> None:
    files = [file("20250101000000_a", "SELECT 1;"), file("20250201000000_b", "select 2;")]
    assert match(entry("Drizzle", str(FEBRUARY + milliseconds), "SELECT 2;"), files) is files[1]


def test_two_files_of_the_same_content_are_two() -> None:
    files = [file("0000_a", "-- custom", JANUARY), file("0001_b", "-- custom", FEBRUARY)]
    for number, made in enumerate((JANUARY, FEBRUARY)):
        assert match(entry("Drizzle", str(made), "-- custom"), files) is files[number]


def test_drizzle_knows_a_file_without_a_moment_by_its_content() -> None:
    files = [file("0000_a", "SELECT 1;"), file("0001_b", "SELECT 2;")]
    assert match(entry("Drizzle", "17", "SELECT 2;"), files) is files[1]
    assert match(entry("Drizzle", "17", "SELECT 3;"), files) is None


def test_flyway_knows_a_renamed_file_by_its_version() -> None:
    files = [file("V1__init"), file("V1_2__more"), file("R__views")]
    assert match(entry("Flyway", "V1.2__other"), files) is files[1]
    assert match(entry("Flyway", "R__other"), files) is None


def test_django_knows_a_squashed_migration_by_its_last() -> None:
    squashed = Migration("0001_squashed_0005_last", Path("shop/migrations/x.sql"), b"SELECT 1;")
    assert match(entry("Django", "shop.0005_last"), [squashed]) is squashed
    assert match(entry("Django", "other.0005_last"), [squashed]) is None


def test_a_version_whose_file_is_gone_stands_for_those_before_it() -> None:
    files = [file("1_a"), file("2_b"), file("4_d")]
    assert list(by_name([entry("golang-migrate", "3", cumulative=True)], files)) == ["1_a", "2_b"]


def tables(*names: str) -> dict[TableName, Table]:
    found = {}
    for name in names:
        one = TableName(*name.split("."))
        found[one] = Table(one, columns=(Column("id", "integer"),))
    history = TableName("ops", "schema_migrations")
    found[history] = Table(history, columns=(Column("version", "text"),))
    return found


@pytest.mark.parametrize(
    ("held", "text", "expected"),
    [
        (["public.a", "ops.other"], "DROP TABLE a;", "public"),
        (["public.a", "ops.a"], "DELETE FROM a;", "ops"),
        (["ops.a", "public.b"], "DELETE FROM a;", "ops"),
        (["public.b"], "CREATE TABLE a (id int);", "public"),
        (["ops.b", "public.c"], "CREATE TABLE a (id int);", "ops"),
        (["ops.a", "public.b"], "DELETE FROM public.b; DELETE FROM a;", "ops"),
        (["public.a"], "DELETE FROM a; this does not parse", "public"),
    ],
)
def test_the_tables_say_where_names_lead(held: list[str], text: str, expected: str) -> None:
    history = [entry("Rails or dbmate", "1")]
    assert schema_of(history, [file("1_a", text)], tables(*held)) == expected
    assert schema_of([entry("Hasura", "1")], [file("1_a", text)], tables(*held)) == "public"
