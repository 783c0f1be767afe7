"""What is rehearsed at once: it proves the same, has room, and ends when it is told to."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import forensics as fx
from forensics.cause.replay import ROLE, expect_role
from forensics.cli import early, recover
from forensics.cli.voice import Voice
from forensics.errors import RecoveryError, ScratchError
from forensics.recovery import Plan, Scope, Wishes, backup_side, make_plan
from forensics.recovery.rehearse import servers, stage
from forensics.recovery.rehearse.strands import Strands
from forensics.scratch import Ahead, Scratch
from sample_data import build
from tests.recovery.conftest import Incident
from tests.recovery.incidents import DROPPED, SHOP

Build = Callable[..., Incident]
RESTORING = "restoring the backup's rows"
RUNNING = "running recovery.sql on the copy"
FILLING = "running backfill.sql on the copy"
UNDOING = "running undo.sql on the copy"
# It sleeps where the backup is restored, and nowhere else.
SLOW = """
CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
  IF current_database() LIKE 'replay %' THEN PERFORM pg_sleep(60); END IF; RETURN $1; END $$;
CREATE TABLE slept (id int PRIMARY KEY);
CREATE INDEX ON slept (slow(id));
INSERT INTO slept VALUES (1);
"""


@pytest.fixture
def told() -> list[str]:
    """The steps that were told of, each at its first time."""
    return []


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "cores", lambda: 8)


def planned(found: fx.Case, dsn: str, out: Path, told: list[str], **wished: Any) -> Plan:
    def tell(step: str, place: str = "") -> None:
        if step not in told:
            told.append(step)

    return make_plan(found.store, out, Scope(), Wishes(dsn, True, tell=tell, **wished))


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        times = ("seconds", "undo_seconds", "rehearsed_at", "runbook")  # that has them in words
        return {name: without_times(held) for name, held in value.items() if name not in times}
    if isinstance(value, list):
        return [without_times(held) for held in value]
    return value


@pytest.fixture(scope="module")
def sample(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[fx.Case]:
    build.build_live(scratch, "side_by_side")
    folder = tmp_path_factory.mktemp("sample") / "case"
    with fx.compare(build.BACKUP, scratch.dsn("side_by_side"), case=folder) as case:
        yield case
    scratch.drop("side_by_side")


def test_it_proves_what_one_after_the_other_does(
    sample: fx.Case, scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = scratch.dsn("side_by_side")
    at_once: list[str] = []
    found = planned(sample, dsn, tmp_path / "a", at_once, migrations=build.MIGRATIONS)
    assert found.holds, (found.problem, found.problems)
    assert at_once.index(RESTORING) < at_once.index(RUNNING)
    assert at_once.index(FILLING) < at_once.index(UNDOING)
    monkeypatch.setattr(stage, "cores", lambda: 1)
    in_turn: list[str] = []
    other = planned(sample, dsn, tmp_path / "b", in_turn, migrations=build.MIGRATIONS)
    assert in_turn.index(UNDOING) < in_turn.index(FILLING) < in_turn.index(RESTORING)
    assert sorted(at_once) == sorted(in_turn)
    assert without_times(found.as_json()) == without_times(other.as_json())
    names = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*"))
    assert names == sorted(str(p.relative_to(tmp_path / "b")) for p in (tmp_path / "b").rglob("*"))
    for name in names:
        path = tmp_path / "a" / name
        if path.suffix == ".sql":
            assert path.read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_without_room_for_both_the_backup_waits_and_is_opened_once(
    incident: Build, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(SHOP, DROPPED)
    asked: list[int] = []

    def never(server: Scratch, size: int) -> bool:
        asked.append(size)
        return False

    opened: list[object] = []
    open_backup = backup_side.open_backup

    def noted(*how: Any) -> Any:
        opened.append(how)
        return open_backup(*how)

    monkeypatch.setattr(backup_side, "has_room", never)
    monkeypatch.setattr(backup_side, "open_backup", noted)
    plan = planned(found.case, found.dsn, found.out, told)
    assert plan.holds, (plan.problem, plan.problems)
    assert told.index(UNDOING) < told.index(RESTORING)
    assert len(asked) == len(opened) == 1


def test_without_room_for_the_copies_of_live_everything_has_its_turn(
    incident: Build, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(SHOP, DROPPED)
    monkeypatch.setattr(stage, "has_room", lambda *how: False)
    assert planned(found.case, found.dsn, found.out, told).holds
    assert told.index(UNDOING) < told.index(RESTORING)


def test_a_restore_that_fails_is_a_failed_proof_and_the_rest_stands(
    incident: Build, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(SHOP, DROPPED)

    def refuses(*how: Any) -> None:
        raise ScratchError("There is no more of it.")

    monkeypatch.setattr(backup_side, "backup_copy", refuses)
    plan = planned(found.case, found.dsn, found.out, told)
    assert plan.problems == ("full restore: There is no more of it.",)
    assert [option.verified for option in plan.options] == [False, True, True, False]

    def breaks(*how: Any) -> None:
        raise RecoveryError("It is not known how.")

    monkeypatch.setattr(backup_side, "backup_copy", breaks)
    with pytest.raises(RecoveryError, match="It is not known how"):
        planned(found.case, found.dsn, found.out, told)


def test_a_backup_that_was_moved_is_said_to_be(
    incident: Build, told: list[str], tmp_path: Path
) -> None:
    found = incident(SHOP, DROPPED)
    (tmp_path / "backup.dump").rename(tmp_path / "moved.dump")
    plan = planned(found.case, found.dsn, found.out, told)
    assert plan.holds
    (caveat,) = [c for c in plan.options[0].caveats if c.startswith("Not rehearsed")]
    assert "is not at hand" in caveat


def test_no_more_work_at_once_than_have_a_core() -> None:
    strands = Strands(1)
    order: list[str] = []
    one: Future[None] = Future()
    held = threading.Event()

    def first() -> None:
        held.wait(10)
        order.append("first")

    later = strands.begin(partial(order.append, "later"), "later", one)
    strands.begin(first, "first")
    others = [strands.begin(partial(order.append, name), name) for name in ("second", "third")]
    time.sleep(0.2)
    assert order == []
    held.set()
    for other in others:
        other.result(10)
    assert order == ["first", "second", "third"]
    one.set_result(None)
    later.result(10)
    assert order[3:] == ["later"]


# --- the end --------------------------------------------------------------------------------------


@pytest.fixture
def place() -> Iterator[Path]:
    """Where servers lie, open to their account."""
    folder = Path(tempfile.mkdtemp(prefix="sbs"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("step", ["restoring the backup's keys", UNDOING])
def test_a_ctrl_c_does_not_wait_for_a_restore_and_leaves_nothing(
    incident: Build, place: Path, step: str
) -> None:
    found = incident(SHOP + SLOW, DROPPED + "DROP TABLE slept")
    found.case.close()
    command = [sys.executable, "-m", "forensics", "recover", str(found.case.folder)]
    command += ["--out", str(found.out), "--rehearse", "--live", found.dsn]
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(place)}
    )
    assert child.stderr
    for line in child.stderr:
        if line.startswith(step):
            break
    else:
        pytest.fail("it was not told of")
    time.sleep(0.3)
    assert list(place.iterdir())
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    said = child.stderr.read()
    assert child.wait() == 2
    assert time.monotonic() - began < 10
    assert "Traceback" not in said
    assert "Interrupted" in said
    assert list(place.iterdir()) == []


# --- the server -----------------------------------------------------------------------------------


def begun(ahead: Ahead) -> Path:
    """The folder of a server that was begun."""
    assert ahead._begun is not None
    return ahead._begun.folder


def test_a_server_that_nobody_took_is_gone() -> None:
    with Ahead(None) as ahead:
        folder = begun(ahead)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_server_that_was_begun_is_the_one_that_is_taken() -> None:
    with Ahead(None) as ahead:
        folder = begun(ahead)
        with ahead.server(None) as server:
            assert server.folder == folder
            assert server.run("postgres", "SELECT 1") == "1\n"
            ahead.stop()
            assert server.run("postgres", "SELECT 1") == "1\n"
    assert not folder.exists()


def test_where_it_would_lie_elsewhere_another_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with Ahead(None) as ahead:
        folder = begun(ahead)
        elsewhere = Path(tempfile.gettempdir())
        monkeypatch.setattr("forensics.leftovers.memory", lambda size: size and elsewhere)
        with ahead.server(7) as server:
            assert not folder.exists()
            assert server.folder != folder


def test_where_xml_is_needed_it_makes_room_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_knows_xml", lambda server: False)
    monkeypatch.setattr(servers, "_others", lambda least: [])
    with Ahead(None) as ahead:
        folder = begun(ahead)
        with servers.a_server(None, "18", needs_xml=False, likes_xml=True, ahead=ahead) as server:
            assert not folder.exists()
            assert server.run("postgres", "SELECT 1") == "1\n"


def test_one_that_does_not_go_is_no_error_until_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORENSICS_PGBIN", str(tmp_path))
    with Ahead(None) as ahead, pytest.raises(ScratchError, match="has no initdb"):
        ahead.server(None)


def test_it_is_begun_by_what_the_summary_tells(incident: Build) -> None:
    folder = incident(SHOP, DROPPED).case.folder
    with early.server_ahead(folder, wanted=False) as ahead:
        assert ahead is None
    with early.server_ahead(folder, wanted=True) as ahead:
        assert ahead is not None
        assert begun(ahead).is_dir()
    (folder / "summary.json").write_text("{}")
    with early.server_ahead(folder, wanted=True) as ahead:
        assert ahead is None


def test_the_command_begins_it_by_the_summary_and_stops_it_without_a_case(
    incident: Build, place: Path
) -> None:
    found = incident(SHOP, DROPPED)
    found.case.close()
    (found.case.folder / "case.duckdb").unlink()
    command = [sys.executable, "-m", "forensics", "recover", str(found.case.folder)]
    command += ["--out", str(found.out), "--rehearse", "--live", found.dsn]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
        check=False,
    )
    assert done.returncode == 2
    assert "is not a case" in done.stderr
    assert list(place.iterdir()) == []


def test_two_sessions_may_make_the_role_at_once() -> None:
    with Scratch() as server, psycopg.connect(server.dsn()) as first:
        first.execute(f"CREATE ROLE {ROLE} LOGIN BYPASSRLS")
        with psycopg.connect(server.dsn(), autocommit=True) as second:
            waiting = threading.Thread(target=expect_role, args=(second,))
            waiting.start()
            deadline = time.monotonic() + 10
            asked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            while first.execute(asked).fetchone() == (0,):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            first.commit()
            waiting.join()
            assert not second.closed
            assert second.execute("SELECT 1").fetchone() == (1,)


# --- words ----------------------------------------------------------------------------------------


def test_steps_that_take_turns_are_told_of_once(capsys: pytest.CaptureFixture[str]) -> None:
    with recover._telling(Voice(as_json=False, quiet=False)) as tell:
        for step in ("one", "two", "one", "two"):
            tell(step, "here")
    assert capsys.readouterr().err.split() == ["one", "two"]
