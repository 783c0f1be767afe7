"""Servers that things happen to: one that is stopped and started, and one with a hot standby that follows it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from forensics.scratch import Scratch

# What was committed has to be there after an immediate stop: other tests' servers wait for no log.
_LASTING = {"synchronous_commit": "on", "full_page_writes": "on"}
_PRIMARY = {**_LASTING, "wal_level": "replica", "max_wal_senders": "4", "hot_standby_feedback": "off"}


class Cluster(Scratch):
    """A server that can be stopped at once, as by a crash, and started again on the same data."""

    def __init__(self, settings: dict[str, str] | None = None) -> None:
        super().__init__(settings={**_LASTING, **(settings or {})})

    def halt(self) -> None:
        """Stop the server in the middle of whatever it does (`pg_ctl stop -m immediate`); its data stay."""
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
        super().__init__({**_PRIMARY, "max_standby_streaming_delay": "0", "wal_retrieve_retry_interval": "100ms", **(settings or {})})
        self._primary = primary

    def _make_cluster(self) -> None:
        # `-R` writes where to stream from. Both run as the same account, so either can reach the other's socket.
        backup = [self._bin / "pg_basebackup", "-D", self.folder / "data", "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        owner = {**self._as_owner(), "env": self._primary.env}
        subprocess.run([str(c) for c in backup], check=True, capture_output=True, **owner)

    def catch_up(self, seconds: float = 20) -> None:
        """Wait until the standby has replayed all that the primary has written.

        Raises:
            AssertionError: it did not within so many seconds.
        """
        with psycopg.connect(self._primary.dsn(), autocommit=True) as primary:
            [written] = primary.execute("SELECT pg_current_wal_flush_lsn()").fetchone() or (None,)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                [there] = connection.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written]).fetchone() or (False,)
            if there:
                return
            time.sleep(0.05)
        raise AssertionError(f"the standby did not catch up within {seconds} seconds")


def sessions(server: Scratch, application: str = "forensics%") -> int:
    """How many sessions of the kit a server has."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s", [application]).fetchone()
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
