"""Servers that things happen to, and an incident on them.

They are stopped and started, followed by a hot standby, or behind a line that is cut.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

import forensics as fx
from forensics.model import TableName, TableResult
from forensics.scratch import Scratch

# What was committed has to be there after an immediate stop: other tests' servers wait for no log.
_LASTING = {"synchronous_commit": "on", "full_page_writes": "on"}
_PRIMARY = {
    **_LASTING,
    "wal_level": "replica",
    "max_wal_senders": "4",
    "hot_standby_feedback": "off",
}


class Cluster(Scratch):
    """A server that can be stopped at once, as by a crash, and started again on the same data."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__(settings={**_LASTING, **(settings or {})})

    def halt(self) -> None:
        """Stop the server in the middle of whatever it does; its data stay."""
        assert self._keeper is not None
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGQUIT)
        self._keeper.wait(timeout=30)

    def resume(self) -> None:
        """Start the server again; return when it takes connections."""
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        self._launch()
        self._wait_until_ready()

    def restart(self) -> None:
        """Stop at once, and start again."""
        self.halt()
        self.resume()


class Primary(Cluster):
    """A server that standbys can follow."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__({**_PRIMARY, **(settings or {})})


class Standby(Cluster):
    """A hot standby of a primary that replays at once, whatever queries are in the way."""

    def __init__(self, primary: Primary, settings: dict[str, str] | None = None) -> None:
        super().__init__(
            {
                **_PRIMARY,
                "max_standby_streaming_delay": "0",
                "wal_retrieve_retry_interval": "100ms",
                **(settings or {}),
            }
        )
        self._primary = primary

    def _make_cluster(self) -> None:
        # `-R` writes where to stream from. Both run as the same account, so either can reach the
        # other's socket.
        backup = [
            self._bin / "pg_basebackup",
            "-D",
            self.folder / "data",
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        ]
        owner = {**self._as_owner(), "env": self._primary.env}
        subprocess.run([str(c) for c in backup], check=True, capture_output=True, **owner)

    def catch_up(self, seconds: float = 60) -> None:
        """Wait until the standby has replayed all that the primary has written.

        Raises:
            AssertionError: it did not within so many seconds.
        """
        with psycopg.connect(self._primary.dsn(), autocommit=True) as primary:
            [written] = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or (None,)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                [there] = connection.execute(
                    "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]
                ).fetchone() or (False,)
            if there:
                return
            time.sleep(0.05)
        said = (self.folder / "log").read_text(errors="replace").splitlines()[-20:]
        raise AssertionError(
            "\n".join(
                [f"the standby did not catch up within {seconds} seconds; its log ends:", *said]
            )
        )


class Line:
    """A socket in `folder` behind which a server is, until the line is cut.

    Attributes:
        is_used: whether there was a connection yet, or since that was cleared.
    """

    def __init__(self, server: Scratch, folder: Path) -> None:
        self._target = str(server.folder / ".s.PGSQL.5432")
        self._open: list[socket.socket] = []
        self.is_used = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / ".s.PGSQL.5432"))
        self._listener.listen()
        self.dsn = f"postgresql://postgres@/postgres?host={folder}&port=5432"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._target)
                self._open += [near, far]
                self.is_used.set()
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 18):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End every connection in the middle of whatever it carries; new ones can be made."""
        cut, self._open = self._open, []
        for end in cut:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut, and take no more."""
        self._listener.close()
        self.cut()


def sessions(server: Scratch, application: str = "forensics%") -> int:
    """How many sessions of the kit a server has."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s", [application]
        ).fetchone()
    return int(row[0]) if row else 0


def children_of(process: int) -> list[int]:
    """The processes whose parent a process is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            found.append(int(stat.parent.name))
    return sorted(found)


# --- an incident ---------------------------------------------------------------------------------

# Large enough that live is still at it when the first rows have come: pipes and blocks read ahead
# hold some 30 MB.
BIG = 400_000
SCHEMA = f"""
CREATE TABLE churn (id int);
CREATE TABLE a_first (id int PRIMARY KEY, v text);
CREATE TABLE big (id int PRIMARY KEY, v text);
CREATE TABLE hotels (id int PRIMARY KEY, name text);
CREATE TABLE images (id int PRIMARY KEY, url text);
CREATE TABLE hotel_images (hotel_id int REFERENCES hotels, image_id int REFERENCES images,
PRIMARY KEY (hotel_id, image_id));
INSERT INTO a_first SELECT i, 'v' || i FROM generate_series(1, 1000) i;
INSERT INTO big SELECT i, repeat(md5(i::text), 4) FROM generate_series(1, {BIG}) i;
INSERT INTO hotels SELECT i, 'hotel ' || i FROM generate_series(1, 500) i;
INSERT INTO images SELECT i, 'https://img.example/' || i FROM generate_series(1, 5000) i;
INSERT INTO hotel_images SELECT 1 + i % 500, i FROM generate_series(1, 5000) i;
"""
CHANGE = """
DELETE FROM a_first WHERE id <= 10; UPDATE big SET v = 'new' WHERE id % 1000 = 0;
DELETE FROM big WHERE id % 1000 = 1;
DELETE FROM hotel_images WHERE image_id % 10 = 3;
"""
RIGHT = {
    "a_first": (10, 0),
    "big": (400, 400),
    "hotel_images": (500, 0),
    "hotels": (0, 0),
    "images": (0, 0),
}


class Interferer(fx.Listener):
    """Does something on the primary, as `when` says; keeps what it was told."""

    def __init__(
        self, when: Callable[[Interferer, TableName | None], bool], what: Callable[[], None]
    ) -> None:
        self._when, self._what = when, what
        self._lock = threading.Lock()
        self.done: list[str] = []
        self.said: list[str] = []
        self.struck = 0

    def _look(self, table: TableName | None) -> None:
        with self._lock:
            if self._when(self, table):
                self.struck += 1
                self._what()

    def rows(self, table: TableName, rows: int) -> None:
        self._look(table)

    def ends(self, result: TableResult) -> None:
        self.done.append(result.name.table)
        self._look(None)

    def minds(self, text: str) -> None:
        self.said.append(text)


def once_big_streams(listener: Interferer, table: TableName | None) -> bool:
    return not listener.struck and table is not None and table.table == "big"


def once_loss_is_worked_out(listener: Interferer, table: TableName | None) -> bool:
    return not listener.struck and len(listener.done) == 6 and table is not None


def check(case: fx.Case) -> None:
    assert case.complete
    assert {
        r.name.table: (r.missing, r.changed) for r in case.results if r.name.table != "churn"
    } == RIGHT
    for r in case.results:
        assert r.missing + r.changed + r.unchanged == r.backup_rows
    entry = case.junction("hotel_images").entry
    assert (entry["missing"], entry["lost"], entry["restorable"]) == (500, 500, 500)
