"""Where migrations stand: two histories and a folder held against each other, on real tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.cause.history import History, place
from forensics.errors import UsageError
from forensics.evidence import open_source
from forensics.evidence.migrations import HistoryEntry, read_folder, read_history
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma


def entries(scratch: Scratch, database: Callable[..., str], text: str) -> list[HistoryEntry]:
    with open_source(scratch.dsn(database(text)), role="live") as source:
        return read_history(source)


def by_name(history: History) -> dict[str, tuple[str, str, bool, bool, bool, int]]:
    return {
        p.name: (p.state, p.file, p.in_backup, p.in_live, p.rolled_back, p.attempts)
        for p in history.migrations
    }


def test_every_state_is_told_apart(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    prisma = Prisma(tmp_path / "migrations")
    texts = {
        f"{i}_{n}": f"SELECT {i};\n"
        for i, n in enumerate(
            ("before", "after", "marked", "rolled", "failed", "twice", "edited", "crlf", "pending"),
            1,
        )
    }
    for name, text in texts.items():
        prisma.write(name, text)
    before = (
        Prisma.TABLE + prisma.row("1_before", texts["1_before"]) + prisma.row("0_gone", "SELECT 0")
    )
    live = before + "".join(
        (
            prisma.row("2_after", texts["2_after"]),
            prisma.row("3_marked", texts["3_marked"], steps=0),
            prisma.row(
                "4_rolled",
                texts["4_rolled"],
                finished=None,
                rolled_back="2026-01-02 11:00+00",
                steps=0,
            ),
            prisma.row("5_failed", texts["5_failed"], finished=None, steps=0),
            prisma.row(
                "6_twice",
                texts["6_twice"],
                finished=None,
                rolled_back="2026-01-02 11:00+00",
                steps=0,
            ),
            prisma.row("6_twice", texts["6_twice"]),
            prisma.row("7_edited", "SELECT 'as it ran';\n"),
            prisma.row("8_crlf", texts["8_crlf"].replace("\n", "\r\n")),
        )
    )
    found = place(
        {"backup": entries(scratch, database, before), "live": entries(scratch, database, live)},
        {},
        read_folder(prisma.folder),
        None,
    )
    assert by_name(found) == {
        "0_gone": ("applied", "absent", True, True, False, 1),
        "1_before": ("applied", "match", True, True, False, 1),
        "2_after": ("applied", "match", False, True, False, 1),
        "3_marked": ("marked as applied", "match", False, True, False, 1),
        "4_rolled": ("rolled back", "match", False, True, True, 1),
        "5_failed": ("failed", "match", False, True, False, 1),
        "6_twice": ("applied", "match", False, True, False, 2),
        "7_edited": ("applied", "edited", False, True, False, 1),
        "8_crlf": ("applied", "match", False, True, False, 1),
        "9_pending": ("pending", "match", False, False, False, 0),
    }
    assert [m.name for m in found.between] == ["2_after", "6_twice", "7_edited", "8_crlf"]
    said = "\n".join(found.notes)
    for words in (
        "7_edited was edited",
        "3_marked is marked as applied",
        "5_failed failed half-way",
    ):
        assert words in said
    assert found.migrations[-1].name == "9_pending"


def test_contradictions_are_said(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    prisma = Prisma(tmp_path / "migrations")
    for name in ("1_a", "2_skipped", "3_c"):
        prisma.write(name, f"SELECT '{name}'")
    backup = Prisma.TABLE + prisma.row("1_a", "SELECT '1_a'") + prisma.row("0_only_there", "x")
    live = (
        Prisma.TABLE
        + prisma.row("1_a", "SELECT 'another'")
        + prisma.row("3_c", "SELECT '3_c'")
        + prisma.row("4_absent", "x")
    )
    found = place(
        {"backup": entries(scratch, database, backup), "live": entries(scratch, database, live)},
        {},
        read_folder(prisma.folder),
        None,
    )
    said = "\n".join(found.notes)
    assert "0_only_there is in the backup's history and not in live's" in said
    assert "1_a has one checksum in the backup's history and another in live's" in said
    assert "4_absent ran between backup and live and has no file" in said
    assert "2_skipped stands in the folder before migrations that were applied" in said
    assert [m.name for m in found.between] == ["3_c"]


def test_a_newest_version_implies_those_before_it(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for number in (1, 2, 3, 4):
        (tmp_path / f"00{number}_m.up.sql").write_text("SELECT 1")
    table = (
        "CREATE TABLE schema_migrations (version bigint, dirty boolean);"
        "INSERT INTO schema_migrations VALUES ({}, false);"
    )
    found = place(
        {
            "backup": entries(scratch, database, table.format(1)),
            "live": entries(scratch, database, table.format(3)),
        },
        {},
        read_folder(tmp_path),
        None,
    )
    assert [(p.name, p.in_backup, p.in_live, p.checked) for p in found.migrations] == [
        ("001_m", True, True, False),
        ("002_m", False, True, False),
        ("003_m", False, True, False),
        ("004_m", False, False, False),
    ]
    assert [m.name for m in found.between] == ["002_m", "003_m"]


def test_without_the_backups_history_its_time_decides(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    prisma = Prisma(tmp_path / "migrations")
    live = (
        Prisma.TABLE
        + prisma.row("1_a", "x", finished="2026-01-01 10:00+00")
        + prisma.row("2_b", "y", finished="2026-01-03 10:00+00")
    )
    prisma.write("1_a", "x")
    prisma.write("2_b", "y")
    sides = {"backup": [], "live": entries(scratch, database, live)}
    found = place(
        sides,
        {"backup": "not dumped"},
        read_folder(prisma.folder),
        datetime(2026, 1, 2, tzinfo=UTC),
    )
    assert [m.name for m in found.between] == ["2_b"]
    unknown = place(sides, {"backup": "not dumped"}, read_folder(prisma.folder), None)
    assert unknown.between == ()
    assert any(
        "Whether 1_a ran before or after the backup is not known" in n for n in unknown.notes
    )


def test_without_any_history_it_has_to_be_said_what_ran(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text("SELECT 1")
    (tmp_path / "2_b.sql").write_text("SELECT 1")
    empty: dict[str, list[HistoryEntry]] = {"backup": [], "live": []}
    found = place(empty, {}, read_folder(tmp_path), None)
    assert found.between == ()
    assert "--ran NAME" in found.notes[0]
    assert [m.name for m in place(empty, {}, read_folder(tmp_path), None, ("2*",)).between] == [
        "2_b"
    ]
    with pytest.raises(UsageError, match="fits no migration"):
        place(empty, {}, read_folder(tmp_path), None, ("3_c",))


def placed(
    scratch: Scratch, database: Callable[..., str], folder: Path, backup: str, live: str
) -> History:
    return place(
        {"backup": entries(scratch, database, backup), "live": entries(scratch, database, live)},
        {},
        read_folder(folder),
        None,
    )


FLYWAY = """CREATE TABLE flyway_schema_history (
  installed_rank int PRIMARY KEY, version text, description text, type text, script text,
  checksum int, installed_on timestamp, success boolean);"""


def test_what_flyway_repeats_and_what_it_never_runs(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for name in ("V1__old.sql", "V1_1__newer.sql", "V3__pending.sql", "R__views.sql"):
        (tmp_path / name).write_text("SELECT 1")
    row = (
        "INSERT INTO flyway_schema_history "
        "VALUES ({}, {}, 'd', '{}', '{}', {}, '2026-01-0{} 10:00', true);"
    )
    backup = (
        FLYWAY
        + row.format(1, "'1'", "BASELINE", "<< Flyway Baseline >>", "NULL", 1)
        + row.format(2, "NULL", "SQL", "R__views.sql", 5, 1)
    )
    live = (
        backup
        + row.format(3, "'1.1'", "SQL", "v1/V1_1__newer.sql", "NULL", 2)
        + row.format(4, "NULL", "SQL", "R__views.sql", 6, 3)
    )
    found = placed(scratch, database, tmp_path, backup, live)
    assert {p.name: p.state for p in found.migrations} == {
        "V1__old": "marked as applied",
        "V1_1__newer": "applied",
        "R__views": "applied",
        "V3__pending": "pending",
    }
    assert [m.name for m in found.between] == ["V1_1__newer", "R__views"]
    assert any("R__views ran more than once, from files that differ" in n for n in found.notes)


def test_a_dirty_version_failed_and_those_before_it_did_not(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"{number}_m.up.sql").write_text("SELECT 1")
    table = (
        "CREATE TABLE schema_migrations (version bigint, dirty boolean);"
        "INSERT INTO schema_migrations VALUES ({}, {});"
    )
    found = placed(scratch, database, tmp_path, table.format(1, "false"), table.format(3, "true"))
    assert [p.state for p in found.migrations] == ["applied", "applied", "failed"]
    assert [m.name for m in found.between] == ["2_m"]


def test_goose_takes_back_in_a_row_of_its_own(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"0000{number}_m.sql").write_text("-- +goose Up\nSELECT 1;\n-- +goose Down\n")
    table = (
        "CREATE TABLE goose_db_version "
        "(id serial, version_id bigint, is_applied boolean, tstamp timestamp);"
    )
    row = (
        "INSERT INTO goose_db_version (version_id, is_applied, tstamp) "
        "VALUES ({}, {}, '2026-01-0{}');"
    )
    backup = table + row.format(1, "true", 1)
    found = placed(
        scratch,
        database,
        tmp_path,
        backup,
        backup + row.format(2, "true", 2) + row.format(2, "false", 3),
    )
    assert [(p.state, p.rolled_back) for p in found.migrations] == [
        ("applied", False),
        ("rolled back", True),
    ]
    assert any("was taken back" in n for n in found.notes)


def test_what_goose_took_back_did_not_run_again(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / f"0000{number}_m.sql").write_text("-- +goose Up\nSELECT 1;\n-- +goose Down\n")
    backup = (
        "CREATE TABLE goose_db_version (id serial, version_id bigint, is_applied boolean, "
        "tstamp timestamp); INSERT INTO goose_db_version (version_id, is_applied, tstamp) "
        "VALUES (1, true, '2026-01-01'), (2, true, '2026-01-02');"
    )
    row = "INSERT INTO goose_db_version (version_id, is_applied, tstamp) VALUES (2, {}, '{}');"
    back = backup + row.format("false", "2026-01-03")
    assert placed(scratch, database, tmp_path, backup, back).between == ()
    again = placed(scratch, database, tmp_path, backup, back + row.format("true", "2026-01-04"))
    assert [one.name for one in again.between] == ["00002_m"]


def test_names_lead_to_where_the_folders_own_history_lies(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "20260102_drop.sql").write_text("SELECT 1")
    platform = (
        "CREATE SCHEMA auth; CREATE TABLE auth.schema_migrations (version text);"
        "INSERT INTO auth.schema_migrations VALUES ('00');"
    )
    supabase = (
        "CREATE SCHEMA s; CREATE TABLE s.schema_migrations (version text, statements text[]);"
    )
    ran = supabase + "INSERT INTO s.schema_migrations VALUES ('20260102', '{}');"
    assert (
        placed(scratch, database, tmp_path, platform + supabase, platform + ran).schema == "public"
    )
    own = "CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version text);"
    ran = own + "INSERT INTO app.schema_migrations VALUES ('20260102');"
    assert placed(scratch, database, tmp_path, platform + own, platform + ran).schema == "app"


def test_what_sqlmigrate_wrote_is_of_its_app(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    table = (
        "CREATE TABLE django_migrations (id serial PRIMARY KEY, app varchar(255), "
        "name varchar(255), applied timestamptz DEFAULT '2026-01-02 10:00Z');"
    )
    before = (
        table + "INSERT INTO django_migrations (app, name) "
        "VALUES ('auth', '0001_initial'), ('shop', '0001_initial');"
    )
    live = before + "INSERT INTO django_migrations (app, name) VALUES ('shop', '0002_links');"
    sides = {"backup": entries(scratch, database, before), "live": entries(scratch, database, live)}
    for file in (
        "project/shop/migrations/0002_links.sql",
        "flat/shop_0002_links.sql",
        "bare/0002_links.sql",
    ):
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text("SELECT 1;")
        found = place(sides, {}, read_folder(tmp_path / file.split("/")[0]), None)
        assert [m.path for m in found.between] == [path], file
        assert not found.notes
