"""Fixtures that everybody shares: a real PostgreSQL, databases on it, and a case to write into."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import forensics as fx
from forensics.compare import batches
from forensics.scratch import Scratch
from sample_data import build
from tests import brute, clusters

_numbers = count()


# A server writes a hundred files for each database: in memory that takes a quarter less time.
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  (folders with names of their own are made in it)
_ROOM = 8 << 30  # bytes: what the tests leave lying there, several times


def pytest_configure() -> None:
    """Work in memory where there is room, and have commands that tests interrupt notice it.

    A shell has what it runs in the background ignore Ctrl-C, and so would they.
    """
    if "TMPDIR" not in os.environ and _has_room(_IN_MEMORY):
        os.environ["TMPDIR"] = str(_IN_MEMORY)
        tempfile.tempdir = None
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _has_room(folder: Path) -> bool:
    """Whether a folder in memory takes what the tests write, and leaves memory for them."""
    try:
        known = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return False
    available = re.search(r"MemAvailable:\s+(\d+) kB", known)
    if available is None or not os.access(folder, os.W_OK):
        return False
    return min(int(available[1]) << 10, shutil.disk_usage(folder).free) >= _ROOM


# Files of few tests that take minutes: they begin first, so that no worker waits for them alone.
_LONG = (
    "test_bulk",
    "test_fresh_clone",
    "test_mutations",
    "test_notebooks",
    "test_properties",
    "test_rehearsal",
    "test_survival",
    "test_wire",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


@pytest.fixture(scope="session")
def scratch() -> Iterator[Scratch]:
    """A PostgreSQL server of our own, for the whole run."""
    with Scratch() as server:
        yield server


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each table read by itself, small ones too, so that something can happen in between."""
    monkeypatch.setattr(batches, "_FEW_BYTES", -1)


@pytest.fixture
def database(scratch: Scratch) -> Iterator[Callable[..., str]]:
    """Make a database from SQL (or as a copy of another) and return its name.

    It is dropped afterwards.
    """
    made: list[str] = []

    def make(sql: str = "", template: str | None = None) -> str:
        name = f"t{next(_numbers)}"
        scratch.create(name, template)
        made.append(name)
        if sql:
            scratch.run(name, sql)
        return name

    yield make
    for name in made:
        scratch.drop(name)


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[clusters.Cluster, Path]]:
    """A server that can be stopped at any moment, after the incident of `clusters`.

    With the dump from before; tests change no row.
    """
    with clusters.Cluster() as cluster:
        cluster.run("postgres", clusters.SCHEMA)
        backup = cluster.dump(
            "postgres", tmp_path_factory.mktemp("lasting") / "backup.dump", "-Fc", "-Z1"
        )
        cluster.run("postgres", clusters.CHANGE)
        yield cluster, backup


@pytest.fixture
def case_folder(tmp_path: Path) -> Path:
    """Where a test's case goes."""
    return tmp_path / "case"


class Incident:
    """A database, its dump, and what was done to it afterwards.

    Attributes:
        before: a database as it was when it was dumped.
        live: the database as it is.
        backup: the dump.
    """

    def __init__(self, scratch: Scratch, make: Callable[..., str], folder: Path) -> None:
        self._scratch, self._make, self._folder = scratch, make, folder
        self.before = self.live = ""
        self.backup = folder / "backup.sql"

    def happens(self, before: str, change: str, *options: str) -> Incident:
        """Build a database, dump it with `options`, and change it."""
        self.before = self._make(before)
        self._scratch.dump(self.before, self.backup, *options)
        self.live = self._make(template=self.before)
        self._scratch.run(self.live, change)
        return self

    def happens_next(self, change: str) -> None:
        """Change the live database once more."""
        self._scratch.run(self.live, change)

    def compare(self, folder: str = "case", **how: Any) -> fx.Case:
        """Compare the dump with the live database."""
        return fx.compare(self.backup, self.live_dsn, self._folder / folder, **how)

    def dump_live(self, out: Path, *options: str) -> Path:
        """Dump the live database, too."""
        return self._scratch.dump(self.live, out, *options)

    @property
    def live_dsn(self) -> str:
        return self._scratch.dsn(self.live)

    @property
    def truth(self) -> dict[tuple[str, str], dict[str, object]]:
        """What comparing has to find, by brute force."""
        return brute.expected(self._scratch.dsn(self.before), self.live_dsn)

    def check(self, case: fx.Case) -> None:
        """Hold a case to the truth, and to the two sums that every table has to satisfy."""
        found = {tuple(r.name): r for r in case.results}
        assert found.keys() == self.truth.keys()
        for name, wanted in self.truth.items():
            got = found[name]
            assert {k: getattr(got, k) for k in wanted} == wanted, (name, got)
            assert got.missing + got.changed + got.unchanged == got.backup_rows
            assert got.added + got.changed + got.unchanged == got.live_rows


@pytest.fixture
def incident(scratch: Scratch, database: Callable[..., str], tmp_path: Path) -> Incident:
    """An incident to be: call `happens` on it."""
    return Incident(scratch, database, tmp_path)


@pytest.fixture(scope="session")
def sample_case(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a case of the sample incident; tests only read it."""
    dsn = build.build_live(scratch, "sample_case")
    folder = tmp_path_factory.mktemp("sample") / "case"
    times = {"backup_at": build.BACKUP_AT, "incident_at": build.INCIDENT_AT}
    fx.compare(build.BACKUP, dsn, folder, times=times).close()
    return folder
