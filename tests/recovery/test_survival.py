"""No room, a script killed in its middle, a server that crashes under it.

Live stays as it was, and what to do is said.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch
from tests.recovery.conftest import Incident
from tests.recovery.incidents import DROPPED, SHOP

Build = Callable[..., Incident]
MB = 1 << 20

# Values that do not compress: their table grows beyond what a file may hold, and the server's
# log, of 16 MB a file, does not.
MOST = 20 * MB
LARGE = """
CREATE TABLE parents (id int PRIMARY KEY);
INSERT INTO parents SELECT i FROM generate_series(1, 9) i;
CREATE TABLE large (id int PRIMARY KEY, parent int REFERENCES parents, body text STORAGE EXTERNAL);
INSERT INTO large SELECT i, 1 + i % 9,
  (SELECT string_agg(md5(i::text || n), '') FROM generate_series(1, 400) n)
  FROM generate_series(1, 1900) i;
"""


@pytest.fixture(scope="module")
def cramped() -> Iterator[Scratch]:
    """A server of which no file may grow beyond `MOST` bytes, as if the disk were full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    server = Scratch()
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, hard))
    try:
        server.start()  # what it starts has our limit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    yield server
    server.stop()


def test_live_has_no_room_for_the_rows(incident: Build, cramped: Scratch, tmp_path: Path) -> None:
    found = incident(LARGE, "DROP TABLE large")
    found.plan(live=False)
    left = found.scratch.dump(found.database, tmp_path / "left.sql")
    cramped.create("cramped")
    cramped.run("cramped", left.read_bytes())
    there = Incident(cramped, "cramped", "", found.case, found.out)
    said = there.refuses("recovery.sql")
    assert "File too large" in said or "No space left" in said
    assert "Check free disk space" in said
    assert (
        there.sql(
            "SELECT to_regclass('large') IS NULL "
            "AND pg_database_size(current_database()) < 20000000"
        )
        == "t"
    )
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM large") == "1900"


def test_the_scratch_server_has_no_room(incident: Build, cramped: Scratch) -> None:
    found = incident(LARGE, "DELETE FROM large WHERE id < 5")
    wishes = Wishes(found.dsn, True, scratch=cramped)
    plan = make_plan(found.case.store, found.out, Scope(include_unexplained=True), wishes)
    assert not plan.holds
    assert plan.problem is not None
    assert (
        "The rows of large do not go into the scratch PostgreSQL: could not extend file"
        in plan.problem
    )
    assert "Set TMPDIR to a folder with more room" in plan.problem
    assert "The rehearsal could not be held" in (found.out / "runbook.md").read_text()


def test_the_scratch_server_has_no_room_for_the_backup(incident: Build, cramped: Scratch) -> None:
    found = incident(LARGE, "DELETE FROM large; INSERT INTO large VALUES (9999, 1, 'new')")
    wishes = Wishes(found.dsn, True, scratch=cramped)
    plan = make_plan(
        found.case.store, found.out, Scope(("parents",), include_unexplained=True), wishes
    )
    assert plan.problem is None
    assert not plan.holds
    assert plan.problems[0].startswith(
        "full restore: Rows of large do not go in: could not extend file"
    )
    assert "Set TMPDIR" in plan.problems[0]
    assert [o.verified for o in plan.options] == [False, True, True, False]


def test_the_scripts_have_no_room(incident: Build, tmp_path: Path) -> None:
    found = incident(LARGE, "DROP TABLE large")
    found.case.close()
    command = [
        sys.executable,
        "-m",
        "forensics",
        "recover",
        str(found.case.folder),
        "--out",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 2000; exec "$@"', "bash", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (
        "out/recovery.sql cannot be written: File too large. Is the disk full?"
        in done.stderr.replace("\n", " ")
    )


# --- interrupted ----------------------------------------------------------------------------------


@contextmanager
def in_the_middle(found: Incident) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """recovery.sql, waiting for a lock on a parent once its rows are in.

    Yields psql, and the process that serves it.
    """
    with psycopg.connect(found.dsn) as other, psycopg.connect(found.dsn, autocommit=True) as watch:
        other.execute("UPDATE hotels SET name = name WHERE id = 'h1'")
        # The foreign keys come last, and each of them locks its parent.
        command = [
            found.scratch.psql,
            "-X",
            "-q",
            "-d",
            found.database,
            "-f",
            found.out / "recovery.sql",
        ]
        child = subprocess.Popen(
            [str(c) for c in command],
            env=found.scratch.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        ask = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND wait_event_type = 'Lock' AND query LIKE '%FOREIGN KEY%'"
        )
        deadline = time.monotonic() + 10
        while (waiting := watch.execute(ask).fetchone()) is None:
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.02)
        written = (
            "SELECT count(*) FROM pg_locks "
            "WHERE pid = %s AND relation > 16384 AND mode = 'AccessExclusiveLock'"
        )
        held = watch.execute(written, waiting).fetchone()
        assert held is not None and held[0] > 1, "the table was made"
        yield child, waiting[0]
        child.kill()
        child.communicate()
        other.rollback()


def test_psql_is_killed_in_the_middle(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    was = found.state()
    with in_the_middle(found) as (child, served):
        child.send_signal(signal.SIGKILL)
        child.wait()
    deadline = time.monotonic() + 10
    while found.sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {served}") != "0":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert found.state() == was
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM hotel_images") == "54"


def test_the_server_crashes_in_the_middle(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    found.plan()
    was = found.state()
    with suppress(psycopg.OperationalError), in_the_middle(found) as (child, served):
        os.kill(
            served, signal.SIGKILL
        )  # every session ends, sooner or later, and the server recovers from its log
        assert b"server closed the connection" in child.communicate()[1] or child.returncode
    deadline = time.monotonic() + 20
    while True:
        crashed = "reinitializing" in (found.scratch.folder / "log").read_text()
        with suppress(psycopg.OperationalError):
            psycopg.connect(found.dsn).close()
            if crashed:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found.state() == was
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM hotel_images") == "54"
    found.run("undo.sql")
    assert found.state() == was
