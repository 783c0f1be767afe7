"""What to ask for where a role may not read: one statement a schema."""

from __future__ import annotations

from forensics.evidence.unread import unread
from forensics.model import TableName


def grant(name: TableName) -> str:
    return f'GRANT SELECT ON TABLE {name.sql} TO "look";'


def test_one_table_is_asked_for_by_name() -> None:
    name = TableName("Odd", "t")
    assert list(unread({name: grant(name)})) == [
        f'Table {name} cannot be read whole. Ask for: GRANT SELECT ON TABLE "Odd"."t" TO "look";'
    ]


def test_many_tables_are_asked_for_by_schema() -> None:
    names = [TableName(schema, f"t{i}") for schema in ("public", "Odd") for i in range(5)]
    said = list(unread({name: grant(name) for name in names}))
    assert said == [
        "5 tables cannot be read (t0, t1, t2, …). "
        'Ask for: GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "look";',
        "5 tables cannot be read (" + ", ".join(map(str, names[5:8])) + ", …). "
        'Ask for: GRANT SELECT ON ALL TABLES IN SCHEMA "Odd" TO "look";',
    ]


def test_a_schema_and_row_level_security_are_told_apart() -> None:
    usage = 'GRANT USAGE ON SCHEMA "s" TO "look";'
    filtered = TableName("public", "f")
    mine = 'ALTER ROLE "look" BYPASSRLS; -- or read as the owner of "public"."f"'
    said = list(unread({TableName("s", "a"): usage, TableName("s", "b"): usage, filtered: mine}))
    assert said == [
        f"2 tables cannot be read (s.a and s.b). Ask for: {usage}",
        f"Table f cannot be read whole. Ask for: {mine}",
    ]
