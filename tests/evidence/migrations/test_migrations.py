"""Migration folders of every tool that is known, and their history tables on a real server and in
its dump."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.documents import plain
from forensics.errors import EvidenceError, MigrationError
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.evidence.migrations import (
    HistoryEntry,
    history_of,
    parse_statements,
    read_folder,
    read_history,
    tools,
)
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


FOLDERS = {
    "prisma": (
        {
            "2_b/migration.sql": "SELECT 2",
            "1_a/migration.sql": "SELECT 1",
            "migration_lock.toml": "",
        },
        "prisma",
        ["1_a", "2_b"],
    ),
    "nested": ({"migrations/1_a/migration.sql": "", "schema.prisma": ""}, "prisma", ["1_a"]),
    "plain": (
        {"10_c.sql": "", "2_b.sql": "", "1_a.sql": ""},
        "plain files",
        ["1_a", "2_b", "10_c"],
    ),
    "flyway": (
        {"V10__c.sql": "", "V2_1__b.sql": "", "V2__a.sql": "", "R__view.sql": "", "U2__a.sql": ""},
        "flyway",
        ["V2__a", "V2_1__b", "V10__c", "R__view"],
    ),
    "django": (
        {"shop/migrations/0002_b.sql": "", "auth/migrations/0001_initial.sql": "", "manage.py": ""},
        "plain files",
        ["auth.0001_initial", "shop.0002_b"],
    ),
    "flyway in folders": (
        {"v2/V2__b.sql": "", "v1/V1__a.sql": "", "R__view.sql": ""},
        "flyway",
        ["V1__a", "V2__b", "R__view"],
    ),
    "diesel": (
        {
            "2025-01-02-000000_b/up.sql": "",
            "2025-01-01-000000_a/up.sql": "",
            "2025-01-01-000000_a/down.sql": "",
        },
        "up files",
        ["2025-01-01-000000_a", "2025-01-02-000000_b"],
    ),
    "sqitch": (
        {
            "sqitch.plan": (
                "%project=p\n\nb 2025-01-01T00:00:00Z x <x@y> # first\n@v1\na [b] "
                "2025-01-02T00:00:00Z x <x@y>\n"
            ),
            "deploy/a.sql": "",
            "deploy/b.sql": "",
            "revert/a.sql": "",
        },
        "sqitch",
        ["b", "a"],
    ),
    "pairs": (
        {"1_a_up.sql": "", "1_a_down.sql": "DROP TABLE a", "2_b_up.sql": ""},
        "up files",
        ["1_a", "2_b"],
    ),
    "ways back": (
        {
            "1_a.sql": "",
            "1_a_rollback.sql": "",
            "2_b.sql": "",
            "2_b.undo.sql": "",
            "3_take_down.sql": "",
        },
        "plain files",
        ["1_a", "2_b", "3_take_down"],
    ),
    "node-pg-migrate": (
        {"1_a.sql": "-- Up Migration\nSELECT 1;\n-- Down Migration\nDROP TABLE a;\n"},
        "marked files",
        ["1_a"],
    ),
    "golang-migrate": (
        {"1_a.up.sql": "", "1_a.down.sql": "DROP TABLE a", "2_b.up.sql": ""},
        "up files",
        ["1_a", "2_b"],
    ),
    "dbmate": (
        {"1_a.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE a;\n"},
        "marked files",
        ["1_a"],
    ),
}


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_is_read_in_its_tools_order(tool: str, tmp_path: Path) -> None:
    files, kind, names = FOLDERS[tool]
    found = read_folder(write(tmp_path, **files))
    assert (found.kind, [m.name for m in found.migrations]) == (kind, names)


def test_drizzle_follows_its_journal(tmp_path: Path) -> None:
    entries = [{"idx": 1, "when": 20, "tag": "0001_a"}, {"idx": 0, "when": 10, "tag": "0000_z"}]
    folder = write(
        tmp_path,
        **{
            "0000_z.sql": "SELECT 1;--> statement-breakpoint\nSELECT 2;",
            "0001_a.sql": "",
            "meta/_journal.json": json.dumps({"entries": entries}),
        },
    )
    found = read_folder(folder)
    assert [(m.name, m.created_at) for m in found.migrations] == [("0000_z", 10), ("0001_a", 20)]
    assert [s.line for s in found.migrations[0].statements] == [1, 2]
    (folder / "0001_a.sql").unlink()
    with pytest.raises(MigrationError, match="lists 0001_a"):
        read_folder(folder)


def test_a_single_migration_is_its_file_or_its_folder(tmp_path: Path) -> None:
    write(tmp_path, **{"1_a/migration.sql": "SELECT 1"})
    assert read_folder(tmp_path / "1_a").migrations[0].name == "1_a"
    assert read_folder(tmp_path / "1_a" / "migration.sql").migrations[0].name == "1_a"


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("migrate:up", "migrate:down"),
        ("+goose Up", "+goose Down"),
        ("Up Migration", "Down Migration"),
    ],
)
def test_what_runs_backward_is_not_read(up: str, down: str, tmp_path: Path) -> None:
    migration = read_folder(
        write(tmp_path, **{"1_a.sql": f"-- {up}\nSELECT 1;\n\n-- {down}\nDROP TABLE a;\n"})
    ).migrations[0]
    assert [s.text for s in migration.statements] == ["SELECT 1"]


def test_statements_have_the_line_of_their_first_word() -> None:
    text = "-- hü\n/* drop\n */ DROP TABLE a; SELECT 'x;\ny';\n\n-- last\nDELETE\nFROM b\n"
    found = parse_statements(text.encode(), "m.sql")
    assert [(s.line, s.kind, s.text) for s in found] == [
        (3, "drop_stmt", "DROP TABLE a"),
        (3, "select_stmt", "SELECT 'x;\ny'"),
        (7, "delete_stmt", "DELETE\nFROM b"),
    ]


def test_sql_that_does_not_parse_is_said_with_line_and_column() -> None:
    with pytest.raises(
        MigrationError, match=r'm\.sql, line 2, column 6: syntax error at or near "TABEL"'
    ):
        parse_statements("SELECT 'ü';\nDROP TABEL a;".encode(), "m.sql")
    with pytest.raises(MigrationError, match=r"m\.sql, line 2: there is a byte that is no UTF-8"):
        parse_statements(b"SELECT 1;\n\xff", "m.sql")


def test_a_folder_without_migrations_is_none(tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="is no migration folder"):
        read_folder(write(tmp_path / "none", **{"README.md": ""}))
    with pytest.raises(
        MigrationError, match=r"is no migration folder.*\.py files do is not read.*alembic upgrade"
    ):
        read_folder(write(tmp_path, **{"env.py": "", "versions/1_a.py": ""}))
    with pytest.raises(MigrationError, match="is not there"):
        read_folder(tmp_path / "absent")


def test_checksums_are_the_same_with_either_line_end(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")
    checksums = read_folder(tmp_path / "a.sql").migrations[0].checksums
    for text in (b"SELECT 1;\nSELECT 2;\n", b"SELECT 1;\r\nSELECT 2;\r\n"):
        assert hashlib.sha256(text).hexdigest() in checksums


# tool: (table and rows, what is read of it)
TOOL_CASES = Path(__file__).parents[2] / "cases" / "tools"
HISTORIES = {
    "Flyway": (
        "CREATE TABLE flyway_schema_history (installed_rank int PRIMARY KEY, "
        "version text, description text, type text, script text, checksum int, "
        "installed_on timestamp, success boolean);"
        "INSERT INTO flyway_schema_history VALUES (0, NULL, 's', 'SCHEMA', 'x', "
        "NULL, '2026-01-01', true), (1, '1', 'a', 'SQL', 'V1__a.sql', -12, "
        "'2026-01-01', true), (2, '2', 'b', 'SQL', 'V2__b.sql', 5, '2026-01-02', "
        "false);",
        [("V1__a", "-12", True, True), ("V2__b", "5", False, False)],
    ),
    "Alembic": (
        (
            "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); "
            "INSERT INTO alembic_version VALUES ('abc1');"
        ),
        [("abc1", None, True, True)],
    ),
    "golang-migrate": (
        (
            "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean); "
            "INSERT INTO schema_migrations VALUES (3, true);"
        ),
        [("3", None, False, False)],
    ),
    "Rails or dbmate": (
        (
            "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); "
            "INSERT INTO schema_migrations VALUES ('20'), ('3');"
        ),
        [("3", None, True, True), ("20", None, True, True)],
    ),
    "Django": (
        (
            "CREATE TABLE django_migrations (id serial PRIMARY KEY, app text, name text, "
            "applied timestamptz); INSERT INTO django_migrations (app, name, "
            "applied) VALUES ('shop', '0001_initial', '2026-01-01 10:00+00');"
        ),
        [("shop.0001_initial", None, True, True)],
    ),
    "Drizzle": (
        (
            "CREATE SCHEMA drizzle; CREATE TABLE drizzle.__drizzle_migrations (id serial "
            "PRIMARY KEY, hash text, created_at bigint); "
            "INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('ff', "
            "17);"
        ),
        [("17", "ff", True, True)],
    ),
    "goose": (
        (
            "CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint, "
            "is_applied boolean, tstamp timestamp); "
            "INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (0, "
            "true, now()), (1, true, now());"
        ),
        [("1", None, True, True)],
    ),
    "Knex": (
        (
            "CREATE TABLE knex_migrations (id serial PRIMARY KEY, name text, batch int, "
            "migration_time timestamptz); INSERT INTO knex_migrations (name, batch, "
            "migration_time) VALUES ('1_a.js', 1, now());"
        ),
        [("1_a", None, True, True)],
    ),
    "Ecto": (
        (
            "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, "
            "inserted_at timestamp); INSERT INTO schema_migrations VALUES (20, "
            "'2026-01-01');"
        ),
        [("20", None, True, True)],
    ),
    "Supabase": (
        (
            "CREATE SCHEMA s; CREATE TABLE s.schema_migrations (version text PRIMARY "
            "KEY, statements text[], name text); INSERT INTO s.schema_migrations VALUES "
            "('20', '{}', 'a');"
        ),
        [("20", None, True, True)],
    ),
    "sqlx": (
        "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, "
        "description text, installed_on timestamptz, success boolean, "
        "checksum bytea, execution_time bigint);"
        "INSERT INTO _sqlx_migrations VALUES (1, 'a', '2026-01-01 10:00+00', true, "
        "'\\x0aff', 1), (2, 'b', '2026-01-02 10:00+00', false, '\\x0b', 1);",
        [("1", "0aff", True, True), ("2", "0b", False, False)],
    ),
    "Diesel": (
        (
            "CREATE TABLE __diesel_schema_migrations (version text PRIMARY KEY, "
            "run_on timestamp); INSERT INTO __diesel_schema_migrations VALUES "
            "('20250101000000', '2026-01-01');"
        ),
        [("20250101000000", None, True, True)],
    ),
    "sqitch": (
        (
            "CREATE SCHEMA sqitch; CREATE TABLE sqitch.changes (change_id text PRIMARY "
            "KEY, change text, committed_at timestamptz); "
            "INSERT INTO sqitch.changes VALUES ('x', 'a', '2026-01-01 10:00+00');"
        ),
        [("a", None, True, True)],
    ),
    "node-pg-migrate": (
        (
            "CREATE TABLE pgmigrations (id serial, name text, run_on timestamp); "
            "INSERT INTO pgmigrations (name, run_on) VALUES ('1_a', '2026-01-01');"
        ),
        [("1_a", None, True, True)],
    ),
    "Liquibase": (
        "CREATE TABLE databasechangelog (id text, author text, filename text, "
        "dateexecuted timestamp, orderexecuted int, exectype text, md5sum text);"
        "INSERT INTO databasechangelog VALUES ('1', 'me', 'db/a.sql', '2026-01-01', "
        "1, 'EXECUTED', '8:aa'), ('2', 'me', 'db/a.sql', '2026-01-02', 2, "
        "'MARK_RAN', '8:bb');",
        [("db/a.sql::1::me", None, True, True), ("db/a.sql::2::me", None, True, False)],
    ),
    "TypeORM": (
        (
            "CREATE TABLE migrations (id serial, timestamp bigint, name text); "
            "INSERT INTO migrations (timestamp, name) VALUES (1, 'Init1');"
        ),
        [("Init1", None, True, True)],
    ),
    "Laravel": (
        (
            "CREATE TABLE migrations (id serial, migration text, batch int); "
            "INSERT INTO migrations (migration, batch) VALUES ('2026_a', 1);"
        ),
        [("2026_a", None, True, True)],
    ),
    "Sequelize": (
        (
            'CREATE TABLE "SequelizeMeta" (name text PRIMARY KEY); '
            "INSERT INTO \"SequelizeMeta\" VALUES ('1-a.js');"
        ),
        [("1-a", None, True, True)],
    ),
    "EF Core": (
        (
            'CREATE TABLE "__EFMigrationsHistory" ("MigrationId" text PRIMARY KEY, '
            '"ProductVersion" text); INSERT INTO "__EFMigrationsHistory" VALUES '
            "('2026_A', '8');"
        ),
        [("2026_A", None, True, True)],
    ),
    "Prisma": (
        Prisma.TABLE + "INSERT INTO _prisma_migrations (id, checksum, finished_at, "
        "migration_name, rolled_back_at, started_at, applied_steps_count) VALUES"
        "('1', 'aa', NULL, 'm1', '2026-01-01', '2026-01-01', 0), ('2', 'aa', "
        "'2026-01-02', 'm1', NULL, '2026-01-02', 1), ('3', 'bb', '2026-01-03', 'm2', "
        "NULL, '2026-01-03', 0), ('4', 'cc', NULL, 'm3', NULL, '2026-01-04', 0);",
        [
            ("m1", "aa", False, False),
            ("m1", "aa", True, True),
            ("m2", "bb", True, False),
            ("m3", "cc", False, False),
        ],
    ),
}


@pytest.mark.parametrize("tool", HISTORIES)
def test_a_history_is_read_from_either_side(
    tool: str, scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    text, expected = HISTORIES[tool]
    live = database(text)
    for side in (
        scratch.dsn(live),
        scratch.dump(live, tmp_path / "d.sql"),
        scratch.dump(live, tmp_path / "d.dump", "-Fc"),
    ):
        with open_source(side) as source:
            found = read_history(source)
        assert {e.tool for e in found} == {tool}
        assert [(e.name, e.checksum, e.in_force, e.ran) for e in found] == expected
        assert history_of(plain(found)) == found


def test_a_history_that_was_not_dumped_is_said(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    live = database(Prisma.TABLE)
    with (
        open_source(scratch.dump(live, tmp_path / "d.sql", "--schema-only")) as source,
        pytest.raises(EvidenceError, match="were not dumped"),
    ):
        read_history(source)
    with open_source(tmp_path / "d.sql") as source:
        found = inspect_backup(source)
    assert found.history is None
    assert any("Which migrations ran is not known: The rows of" in s for _, s in found.findings)


def test_a_table_that_only_shares_the_name_is_no_history(
    database: Callable[..., str], scratch: Scratch
) -> None:
    live = database(
        "CREATE TABLE schema_migrations (id int, note text); CREATE TABLE alembic_version (id int);"
    )
    with open_source(scratch.dsn(live), role="live") as source:
        found: list[HistoryEntry] = read_history(source)
    assert found == []


def test_every_tool_has_one_file_and_one_place_in_the_list() -> None:
    files = {path.stem for path in Path(tools.__file__).parent.glob("*.py")} - {"__init__"}
    assert sorted(tools.FILES) == sorted(files)
    assert len({tool.name for tool in tools.TOOLS}) == len(tools.TOOLS)
    shown = {json.loads(case.read_text())["tool"] for case in TOOL_CASES.glob("*/expected.json")}
    assert {tool.name for tool in tools.TOOLS if tool.history} == set(HISTORIES) | shown
