"""Folders that a run left behind when it was killed with all its children: the next clears them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics import leftovers
from forensics.scratch import Scratch
from tests.conftest import Incident

_PATIENCE = 60  # seconds
_BEFORE = """CREATE TABLE band (id int PRIMARY KEY, name text);
INSERT INTO band SELECT i, 'band ' || i FROM generate_series(1, 30) i;
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A place for temporary folders whose name leaves room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def started(place: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "forensics", *map(str, arguments)],
        env={**os.environ, "TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _keeper_in(place: Path) -> int | None:
    """The process that looks after a server which runs in a place."""
    for found in place.glob("fx????????/data/postmaster.pid"):
        said = found.read_text().split()
        status = Path(f"/proc/{said[0]}/stat") if said else None
        if status and status.exists():
            return int(status.read_text().rpartition(")")[2].split()[1])
    return None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it looks at processes")
def test_a_rehearsal_that_was_killed_is_cleared_by_the_next(
    incident: Incident, place: Path, tmp_path: Path
) -> None:
    incident.happens(_BEFORE, "DELETE FROM band WHERE id > 20")
    incident.compare().close()
    arguments = ["recover", tmp_path / "case", "--out", tmp_path / "out", "--rehearse"]
    arguments += ["--live", incident.live_dsn]
    first = started(place, *arguments)
    until = time.monotonic() + _PATIENCE
    keeper = None
    while keeper is None and time.monotonic() < until:
        keeper = _keeper_in(place)
        time.sleep(0.02)
    assert keeper is not None, first.communicate()
    first.send_signal(signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    first.communicate()
    assert list(place.glob("fx*")), "it was killed and left nothing behind"
    second = started(place, *arguments)
    said, complaint = second.communicate()
    assert second.returncode == 0, complaint
    assert "10" in said
    assert [path.name for path in place.iterdir() if path.name.startswith("fx")] == []


@pytest.mark.parametrize("what", ["rehearsal", "report", "schema"])
def test_a_folder_of_its_own_that_a_killed_process_left_is_cleared(
    sample_case: Path, place: Path, tmp_path: Path, what: str, scratch: Scratch
) -> None:
    script = f"""
import os, signal
import forensics as fx
from forensics.case import recovery
from forensics.report import writing
from forensics.evidence.live import schema
def die(*arguments, **_):
    os.kill(os.getpid(), signal.SIGKILL)
recovery.make_plan = writing._write = schema._run = die
if {what!r} == "schema":
    list(schema.dumped_schema({{"dbname": "x"}}, [], None))
with fx.open_case({str(sample_case)!r}) as case:
    if {what!r} == "report":
        case.report({str(place / "r.html")!r})
    case.recovery.rehearse({scratch.dsn("postgres")!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = [path for path in place.iterdir() if path.name != "r.html"]
    assert len(left) == 1
    if what == "report":
        with fx.open_case(sample_case) as case:
            case.report(place / "r.html")
        assert [path.name for path in place.iterdir()] == ["r.html"]
        return
    with leftovers.folder(place) as folder:
        assert not left[0].exists()
        assert folder.is_dir()
        with leftovers.folder(place) as beside:
            assert folder.is_dir()
            assert beside.is_dir()
    assert list(place.iterdir()) == []


# --- in memory ------------------------------------------------------------------------------------


@pytest.fixture
def memory(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that passes for one in memory, where nobody named another."""
    monkeypatch.setattr(leftovers, "_MEMORY", place)
    monkeypatch.setattr(leftovers, "_free_memory", lambda: [8 << 30])
    monkeypatch.setattr(leftovers, "_ROOM", 1 << 20)
    monkeypatch.delenv("TMPDIR", raising=False)
    return place


def test_a_small_server_lies_in_memory_and_leaves_nothing_there(memory: Path) -> None:
    with Scratch(size=0) as server:
        assert server.folder.parent == memory
        assert server.run("postgres", "SHOW max_wal_size") == "128MB\n"
    assert not list(memory.iterdir())
    with Scratch() as server:  # how large it becomes nobody said
        assert server.folder.parent != memory


def test_what_is_large_or_has_no_room_does_not(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leftovers.memory(1 << 20) == memory
    assert leftovers.memory(None) is None
    assert leftovers.memory(1 << 30) is None
    monkeypatch.setenv("TMPDIR", str(memory))
    assert leftovers.memory(0) is None
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(leftovers, "_free_memory", lambda: [8 << 30, 1 << 19])
    assert leftovers.memory(0) is None  # as a container is allowed
    monkeypatch.setattr(leftovers, "_MEMORY", memory / "absent")
    assert leftovers.memory(0) is None


def test_what_was_left_in_memory_is_cleared_by_a_server_elsewhere(memory: Path) -> None:
    left = memory / "fxabcdefgh"
    left.mkdir()
    (left / "owner").touch()
    with Scratch():
        assert not left.exists()
