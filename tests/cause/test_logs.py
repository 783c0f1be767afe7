"""What a tool's log says besides its history: what failed, was taken back, or was only marked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cause.history import History, place
from forensics.evidence import open_source
from forensics.evidence.migrations import HistoryEntry, read_folder, read_history
from forensics.scratch import Scratch

SQITCH = """
CREATE SCHEMA sqitch;
CREATE TABLE sqitch.changes (change_id text PRIMARY KEY, script_hash text, change text,
    project text, committed_at timestamptz);
CREATE TABLE sqitch.events (event text, change_id text, change text, project text, note text,
    requires text[], conflicts text[], tags text[], committed_at timestamptz, committer_name text,
    committer_email text, planned_at timestamptz, planner_name text, planner_email text);
"""
YOYO = """
CREATE TABLE _yoyo_migration (migration_hash text, migration_id text, applied_at_utc timestamp);
CREATE TABLE _yoyo_log (id text, migration_hash text, migration_id text, operation text,
    username text, hostname text, comment text, created_at_utc timestamp);
"""


def sqitch(day: int, event: str, change: str = "trim") -> str:
    at = f"2026-01-{day:02} 10:00+00"
    said = (
        "INSERT INTO sqitch.events (event, change_id, change, committed_at) "
        f"VALUES ('{event}', '{change}', '{change}', '{at}');"
    )
    if event == "deploy":
        said += (
            "INSERT INTO sqitch.changes (change_id, change, committed_at) "
            f"VALUES ('{change}', '{change}', '{at}');"
        )
    elif event == "revert":
        said += f"DELETE FROM sqitch.changes WHERE change = '{change}';"
    return said


def yoyo(day: int, operation: str, name: str = "trim") -> str:
    at = f"2026-01-{day:02} 10:00"
    said = (
        "INSERT INTO _yoyo_log (migration_id, operation, created_at_utc) "
        f"VALUES ('{name}', '{operation}', '{at}');"
    )
    if operation in ("apply", "mark"):
        said += f"INSERT INTO _yoyo_migration VALUES ('x', '{name}', '{at}');"
    else:
        said += f"DELETE FROM _yoyo_migration WHERE migration_id = '{name}';"
    return said


# What the backup's tool had done, what it did since; the state in live, and whether it ran since.
CASES: dict[str, tuple[str, str, str | None, bool]] = {
    "sqitch reverted since": (
        SQITCH + sqitch(2, "deploy"),
        sqitch(4, "revert"),
        "rolled back",
        False,
    ),
    "sqitch deployed and reverted since": (
        SQITCH,
        sqitch(3, "deploy") + sqitch(4, "revert"),
        "rolled back",
        True,
    ),
    "sqitch reverted before": (
        SQITCH + sqitch(1, "deploy") + sqitch(2, "revert"),
        "",
        "rolled back",
        False,
    ),
    "sqitch deployed once more": (
        SQITCH + sqitch(1, "deploy") + sqitch(2, "revert"),
        sqitch(4, "deploy"),
        "applied",
        True,
    ),
    "sqitch failed": (SQITCH, sqitch(4, "fail"), "failed", False),
    "sqitch failed first": (SQITCH, sqitch(3, "fail") + sqitch(4, "deploy"), "applied", True),
    "yoyo rolled back since": (YOYO + yoyo(2, "apply"), yoyo(4, "rollback"), "rolled back", False),
    "yoyo applied once more": (
        YOYO + yoyo(1, "apply") + yoyo(2, "rollback"),
        yoyo(4, "apply"),
        "applied",
        True,
    ),
    "yoyo only marked": (YOYO, yoyo(4, "mark"), "marked as applied", False),
    "yoyo unmarked": (YOYO + yoyo(1, "mark"), yoyo(4, "unmark"), None, False),
}


def said_of(scratch: Scratch, name: str) -> list[HistoryEntry]:
    with open_source(scratch.dsn(name)) as source:
        return read_history(source)


@pytest.mark.parametrize("case", CASES)
def test_a_log_tells_more(
    case: str, scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    before, since, state, ran = CASES[case]
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "trim.sql").write_text("SELECT 1;")
    (tmp_path / "sqitch.plan").write_text(
        "%project=yard\n\ntrim 2026-01-01T00:00:00Z A <a@b> # x\n"
    )
    (tmp_path / "trim.sql").write_text("SELECT 1;")
    name = database(before)
    backup = said_of(scratch, name)
    scratch.run(name, since)
    sides = {"backup": backup, "live": said_of(scratch, name)}
    folder = read_folder(tmp_path)
    history: History = place(sides, {}, folder, None)
    [placed] = history.migrations
    assert placed.state == (state or "marked as applied")
    assert [one.name for one in history.between] == ["trim"] * ran
    if state == "rolled back":
        assert not any("restored from elsewhere" in note for note in history.notes)


def test_a_log_that_nobody_may_read_is_done_without(
    scratch: Scratch, database: Callable[..., str]
) -> None:
    name = database(
        f"{SQITCH}{sqitch(2, 'deploy')} DROP ROLE IF EXISTS peeker; CREATE ROLE peeker LOGIN; "
        "GRANT USAGE ON SCHEMA sqitch TO peeker; GRANT SELECT ON sqitch.changes TO peeker;"
    )
    with open_source(scratch.dsn(name).replace("//postgres@", "//peeker@")) as source:
        assert [one.in_force for one in read_history(source)] == [True]
