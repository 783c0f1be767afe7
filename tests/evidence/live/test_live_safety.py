"""Live is only read, and left alone: how many connections, which locks, which time limits, and
where the connection string goes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

import forensics as fx
from forensics.errors import LiveError
from forensics.evidence.live import lending, readers
from forensics.evidence.live.readers import server_failure
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.clusters import CHANGE, SCHEMA, Cluster, check, children_of, sessions

WATCH = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'forensics%'),
       (SELECT array_agg(DISTINCT l.mode) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE a.application_name LIKE 'forensics%' AND l.locktype = 'relation'),
       (SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE a.application_name LIKE 'forensics%' AND l.locktype = 'transactionid'),
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
"""


class Watched:
    """What is seen of the kit from outside, as often as can be."""

    def __init__(self, dsn: str) -> None:
        self._dsn, self._done = dsn, threading.Event()
        self.most, self.locks, self.writers, self.temporary, self.looks = 0, set[str](), 0, 0, 0

    def look(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while not self._done.wait(0.002):
                count, modes, writers, temporary = connection.execute(WATCH).fetchone() or (
                    0,
                    [],
                    0,
                    0,
                )
                self.most = max(self.most, count)
                self.locks |= set(modes or ())
                self.writers += writers
                self.temporary += temporary
                self.looks += 1

    def stop(self) -> None:
        self._done.set()


@contextmanager
def watching(dsn: str) -> Iterator[Watched]:
    watched = Watched(dsn)
    thread = threading.Thread(target=watched.look)
    thread.start()
    try:
        yield watched
    finally:
        watched.stop()
        thread.join()


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_a_comparison_takes_of_live(
    jobs: int, lasting: tuple[Cluster, Path], tmp_path: Path
) -> None:
    cluster, backup = lasting
    with (
        watching(cluster.dsn()) as watched,
        fx.compare(backup, cluster.dsn(), tmp_path / "case", options=fx.Options(jobs=jobs)) as case,
    ):
        check(case)
    assert watched.looks > 50
    assert 2 <= watched.most <= jobs + 1
    assert watched.locks == {"AccessShareLock"}
    assert watched.writers == watched.temporary == 0
    assert sessions(cluster) == 0


@contextmanager
def taken(dsn: str, leave: int) -> Iterator[None]:
    """Take all connections that a server gives but so many."""
    with ExitStack() as stack:
        held = []
        try:
            while True:
                held.append(stack.enter_context(psycopg.connect(dsn)))
        except psycopg.OperationalError:
            pass
        for connection in held[len(held) - leave :]:
            connection.close()
        time.sleep(0.2)  # a slot is free when its process has ended
        yield


@pytest.fixture(scope="module")
def crowded(lasting: tuple[Cluster, Path]) -> Iterator[tuple[str, Path]]:
    """A server with six slots for everybody, and a role that may not take the reserved ones."""
    _, backup = lasting
    with Cluster({"max_connections": "8", "superuser_reserved_connections": "2"}) as cluster:
        cluster.run("postgres", SCHEMA.replace("400000", "2000"))
        cluster.run("postgres", "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader")
        backup = cluster.dump("postgres", backup.parent / "crowded.dump", "-Fc")
        cluster.run("postgres", CHANGE)
        yield cluster.dsn().replace("postgres@", "reader@", 1), backup


@pytest.fixture
def held_until_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions are kept until one more was asked for: else the first may be free again by then."""
    refused = threading.Event()
    take, make_do = lending.Lending._take, lending.Lending._make_do

    def taken_and_held(self: lending.Lending) -> readers.Reader:
        lent = take(self)
        refused.wait(10)
        return lent

    def made_do(self: lending.Lending) -> bool:
        refused.set()
        return make_do(self)

    monkeypatch.setattr(lending.Lending, "_take", taken_and_held)
    monkeypatch.setattr(lending.Lending, "_make_do", made_do)


@pytest.mark.parametrize("psql", [True, False])
@pytest.mark.usefixtures("one_by_one", "held_until_one_is_refused")
def test_with_fewer_connections_than_jobs_it_goes_on_with_fewer(
    psql: bool, crowded: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, backup = crowded
    if not psql:
        monkeypatch.setattr(readers, "psql_programs", list)

    said: list[str] = []
    told = fx.Listener()
    monkeypatch.setattr(told, "minds", said.append)
    with (
        taken(dsn, 3),
        fx.compare(
            backup, dsn, tmp_path / "case", options=fx.Options(jobs=6), listener=told
        ) as case,
    ):
        assert case.complete
        assert case.result("a_first").missing == 10
        assert case.junction("hotel_images").entry["lost"] == 500
    assert any("no more than 3 connections" in text for text in said)


def test_where_no_connection_is_free_it_says_so_and_what_to_do(
    crowded: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn, backup = crowded
    monkeypatch.setattr(lending, "_WAITS_FOR_SLOT", (0.05,))
    with (
        taken(dsn, 0),
        pytest.raises(
            LiveError, match=r"remaining connection slots are reserved|too many clients"
        ) as error,
    ):
        fx.compare(backup, dsn, tmp_path / "case")
    assert error.value.sqlstate == "53300"
    for word in ("connections", "pool", "--jobs", "reserved"):
        assert word in (error.value.hint or "")
    with taken(dsn, 1), fx.compare(backup, dsn, tmp_path / "case") as case:
        assert not case.complete
        assert all("--jobs" in (r.reason or "") for r in case.results)
    with fx.compare(backup, dsn, tmp_path / "case", options=fx.Options(resume=True)) as case:
        assert case.complete


def test_time_limits_hold_for_every_statement(
    database: Callable[..., str], scratch: Scratch
) -> None:
    """Of rows, counts, single questions, and of pg_dump, which sets its own limits to none."""
    name = database("CREATE TABLE t (id int)")
    with psycopg.connect(scratch.dsn(name)) as other:
        with LiveSource(scratch.dsn(name), lock_timeout="100ms") as live:
            assert live.catalog.tables
            other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            table = TableName("public", "t")
            for ask in (lambda: live.count(table), lambda: live.rows_of(table, ["id"])):
                with pytest.raises(LiveError, match="lock timeout"):
                    ask()
            began = time.monotonic()
            assert list(live.statements()) == []
            assert time.monotonic() - began < 5
        with LiveSource(scratch.dsn(name), lock_timeout="0", statement_timeout="150ms") as live:
            with pytest.raises(LiveError, match="statement timeout"):
                live.count(table)
            began = time.monotonic()
            assert list(live.statements()) == []
            assert time.monotonic() - began < 5
    assert sessions(scratch) == 0


def test_a_session_s_settings_are_left_as_they_are(
    database: Callable[..., str], scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler gives the session to another client afterwards: it must not find it read-only, or in
    another time zone."""
    name = database("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    asked = "SELECT name || '=' || setting FROM pg_settings ORDER BY name"
    monkeypatch.setattr(readers, "psql_programs", list)
    with LiveSource(scratch.dsn(name)) as live:
        session = live.connect()
        before = session.execute(asked).fetchall()
        reader = readers.PsycopgReader(session)
        answer = reader.copy_out(
            live.task(TableName("public", "t"), "COPY public.t TO STDOUT", live.snapshot)
        )
        assert answer.read(100) == b"1\n"
        assert answer.read(100) == b""
        assert answer.failure is None
        assert session.execute(asked).fetchall() == before
        assert session.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        reader.close()


def test_what_a_connection_string_says_reaches_the_children(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    """And its password is in the arguments of none of them."""
    name = database(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000)"
    )
    backup = scratch.dump(name, tmp_path / "b.sql")
    service = tmp_path / "services"
    service.write_text(
        f"[incident]\nhost={scratch.folder}\nport=5432\nuser=postgres\ndbname={name}\n"
    )
    passfile = tmp_path / "passfile"
    passfile.write_text("*:*:*:*:geheim-im-Passfile\n")
    passfile.chmod(0o600)
    more = (
        f"passfile={passfile} target_session_attrs=read-write sslmode=prefer "
        f"options='-c work_mem=123kB' password=geheim-Wort"
    )
    command = [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        str(backup),
        f"service=incident {more}",
        "--case",
        str(tmp_path / "case"),
        "--lock-timeout",
        "60s",
        "--quiet",
    ]
    with (
        psycopg.connect(scratch.dsn(name)) as other,
        psycopg.connect(scratch.dsn(name), autocommit=True) as watch,
    ):
        other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PGSERVICEFILE": str(service)},
        )
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND application_name LIKE 'forensics%'"
        )
        psql: list[int] = []  # before it, the lock is in the way of a count
        while not psql or not watch.execute(waiting).fetchone()[0]:  # type: ignore[index]
            assert child.poll() is None, child.communicate()
            time.sleep(0.02)
            psql = []
            for one in children_of(child.pid):
                if b"psql" in Path(f"/proc/{one}/cmdline").read_bytes():
                    psql.append(one)
        said = Path(f"/proc/{psql[0]}/cmdline").read_bytes()
        for word in (
            b"passfile=",
            b"target_session_attrs=read-write",
            b"sslmode=prefer",
            b"work_mem=123kB",
            b"service=incident",
            b"host=",
        ):
            assert word in said
        assert b"geheim" not in said
        assert b"geheim" not in Path(f"/proc/{child.pid}/environ").read_bytes()
        other.rollback()
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "geheim" not in out + err


@pytest.mark.parametrize(
    ("said", "words", "state"),
    [
        (
            (
                "psql:<stdin>:5: ERROR:  57014: canceling statement due to statement "
                "timeout\nLOCATION:  x, y.c:1\n"
            ),
            "canceling statement",
            "57014",
        ),
        (
            "psql:<stdin>:5: FEHLER:  57014: storniere Anfrage wegen Zeitüberschreitung\n",
            "storniere Anfrage",
            "57014",
        ),
        (
            (
                "psql:<stdin>:5: WARNING:  01000: careful\npsql:<stdin>:6: FATAL:  "
                "57P01: terminating connection\n"
            ),
            "terminating connection",
            "57P01",
        ),
        ("psql:<stdin>:5: NOTICE:  00000: hello\n", None, None),
        (
            (
                'psql: error: connection to server at "h" failed: FATAL:  sorry, '
                "too many clients already\n"
            ),
            "sorry, too many clients already",
            None,
        ),
        ("", None, None),
    ],
)
def test_a_server_s_words_are_found_in_any_language(
    said: str, words: str | None, state: str | None
) -> None:
    found = server_failure(said)
    if words is None:
        assert found is None
    else:
        assert found is not None
        assert re.match(words, found.words)
        assert found.state == state
