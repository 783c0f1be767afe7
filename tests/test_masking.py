"""What of a row may be seen."""

from __future__ import annotations

import pytest

from forensics.masking import MARK, Mask, random_id
from forensics.model import Catalog, Column, ForeignKey, Key, Table, TableName

USERS, LINKS, TEAMS, SESSIONS = (
    TableName("public", n) for n in ("users", "members", "teams", "sessions")
)
CATALOG = Catalog(
    {
        USERS: Table(
            USERS,
            columns=(
                Column("id", "integer"),
                Column("email", "text"),
                Column("active", "boolean"),
                Column("age", "integer"),
            ),
            keys=(Key("users_pkey", ("id",), primary=True), Key("users_email", ("email",))),
        ),
        TEAMS: Table(
            TEAMS,
            columns=(Column("code", "text"), Column("phone", "bigint")),
            keys=(Key("teams_pkey", ("code",), primary=True),),
        ),
        LINKS: Table(
            LINKS,
            columns=(
                Column("user_id", "integer"),
                Column("team", "text"),
                Column("sort_order", "integer"),
                Column("created_at", "timestamp"),
                Column("note", "text"),
            ),
            keys=(Key("members_pkey", ("user_id", "team"), primary=True),),
            foreign_keys=(
                ForeignKey("u", ("user_id",), USERS, ("id",)),
                ForeignKey("t", ("team",), TEAMS, ("code",)),
            ),
        ),
        SESSIONS: Table(
            SESSIONS,
            columns=(Column("id", "text"), Column("user_id", "integer")),
            keys=(Key("s", ("id",), primary=True),),
        ),
    }
)


def masked(table: TableName, **row: str | None) -> dict[str, str | None]:
    show = Mask(CATALOG).columns(table, tuple(row))
    return {c: show[c](v) for c, v in row.items()}


@pytest.mark.parametrize(
    "value",
    [
        "550e8400-e29b-41d4-a716-446655440000",
        "cm70enrl305wcqs1zdkuaw4rf",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "cus_NffrFeUfNV2Hib44x1",
    ],
)
def test_random_ids_are_known(value: str) -> None:
    assert random_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111111",
        "GB29NWBK60161331926819",
        "johnsmith19840101",
        "john.smith@mail.example",
        "AcmeInternationalHoldings",
        "x",
        "",
        "2024-01-01T00:00:00Z",
    ],
)
def test_what_says_something_is_no_random_id(value: str) -> None:
    assert not random_id(value)


def test_serial_numbers_and_flags_are_shown_and_all_else_is_not() -> None:
    found = masked(USERS, id="17", email="a@b.example", active="t", age="43")
    assert found == {"id": "17", "email": MARK, "active": "t", "age": MARK}


def test_null_is_shown_as_null() -> None:
    assert masked(USERS, email=None, age=None) == {"email": None, "age": None}


def test_links_show_their_ends_order_and_times_and_no_text() -> None:
    found = masked(
        LINKS,
        user_id="17",
        team="Oncology ward",
        sort_order="3",
        created_at="2026-01-01",
        note="private",
    )
    assert found == {
        "user_id": "17",
        "team": MARK,
        "sort_order": "3",
        "created_at": "2026-01-01",
        "note": MARK,
    }


def test_natural_keys_are_masked() -> None:
    assert masked(TEAMS, code="DE-4711", phone="4930123456") == {"code": MARK, "phone": MARK}


def test_a_random_key_that_opens_a_door_is_masked() -> None:
    assert masked(SESSIONS, id="cm70enrl305wcqs1zdkuaw4rf") == {"id": MARK}


def test_a_table_that_the_schema_does_not_know_shows_nothing() -> None:
    assert masked(TableName("public", "unknown"), id="1") == {"id": MARK}


def test_labels_keep_a_letter_and_their_length() -> None:
    mask = Mask(CATALOG)
    assert mask.label("Grand Hotel") == "G••• (11 characters)"
    assert mask.label("Yes") == MARK
    assert mask.label(None) is None


def test_unmasked_shows_everything() -> None:
    mask = Mask(CATALOG, on=False)
    assert mask.label("Grand Hotel") == "Grand Hotel"
    assert mask.columns(USERS, ("email",))["email"]("a@b.example") == "a@b.example"


def test_what_a_statement_writes_is_masked_and_what_it_defines_is_not() -> None:
    mask = Mask(CATALOG)
    assert (
        mask.sql("UPDATE users SET email = 'a''b@c.example' WHERE id = 4")
        == f"UPDATE users SET email = '{MARK}' WHERE id = 4"
    )
    assert (
        mask.sql("ALTER TABLE t ALTER c SET DEFAULT 'open'")
        == "ALTER TABLE t ALTER c SET DEFAULT 'open'"
    )


def test_a_server_s_words_do_not_repeat_values() -> None:
    mask = Mask(CATALOG)
    said = mask.sentence(
        "duplicate key value violates unique constraint. Key "
        "(email)=(a(b)@c.example) already exists."
    )
    assert (
        said
        == f"duplicate key value violates unique constraint. Key (email)=({MARK}) already exists."
    )
    assert (
        mask.sentence('invalid input syntax for type integer: "4111 "x" 1111"')
        == f'invalid input syntax for type integer: "{MARK}"'
    )
    assert mask.sentence("permission denied for table users") == "permission denied for table users"
