"""The server is restarted, the connection cut: what was compared is kept.

The run ends with a sentence, and --resume ends right.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import forensics as fx
from forensics.errors import CaseError, LiveError, is_lost
from forensics.evidence import open_source
from forensics.evidence.live import readers
from forensics.evidence.live.source import LiveSource
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.clusters import (
    RIGHT,
    Cluster,
    Interferer,
    Line,
    check,
    children_of,
    once_big_streams,
    once_loss_is_worked_out,
    sessions,
)


def right_so_far(case: fx.Case) -> None:
    """Hold every table that a case says was compared to the truth."""
    for r in case.results:
        if r.state == "compared" and r.name.table in RIGHT:
            assert (r.missing, r.changed) == RIGHT[r.name.table], r


MOMENTS: dict[str, Callable[[Interferer, TableName | None], bool]] = {
    "between tables": lambda me, table: not me.struck and len(me.done) == 1,
    "while a table streams": once_big_streams,
    "after the last table": lambda me, table: not me.struck and len(me.done) == 6,
    "during the loss": once_loss_is_worked_out,
}


@pytest.mark.parametrize(
    ("moment", "jobs"), [*((m, 1) for m in MOMENTS), ("while a table streams", 4)]
)
def test_the_server_is_restarted(
    moment: str, jobs: int, lasting: tuple[Cluster, Path], tmp_path: Path
) -> None:
    cluster, backup = lasting
    listener = Interferer(MOMENTS[moment], cluster.restart)
    with pytest.raises(LiveError, match="was lost") as error:
        fx.compare(
            backup,
            cluster.dsn(),
            tmp_path / "case",
            options=fx.Options(jobs=jobs),
            listener=listener,
        )
    assert listener.struck == 1
    assert "--resume" in (error.value.hint or "")
    with fx.open_case(tmp_path / "case") as case:
        assert not case.complete
        right_so_far(case)
        compared = {r.name.table for r in case.results if r.state == "compared"}
        assert compared >= ({"a_first"} if jobs == 1 else set())
        reasons = [r.reason or "" for r in case.results if r.state == "failed"]
        assert all(reasons)
    with fx.compare(
        backup, cluster.dsn(), tmp_path / "case", options=fx.Options(resume=True)
    ) as case:
        check(case)
        assert bool(case.notes) == bool(compared and len(compared) < 6), (
            "read at two moments, and said so"
        )
    assert sessions(cluster) == 0


def test_the_command_says_it_in_a_sentence(lasting: tuple[Cluster, Path], tmp_path: Path) -> None:
    cluster, backup = lasting
    command = [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        str(backup),
        cluster.dsn(),
        "--case",
        str(tmp_path / "case"),
        "--json",
    ]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with psycopg.connect(cluster.dsn(), autocommit=True) as watch:
        streams = (
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'forensics%' "
            "AND state = 'active' AND query LIKE 'COPY%big%'"
        )
        while child.poll() is None and watch.execute(streams).fetchone() == (0,):
            time.sleep(0.005)
    cluster.restart()
    out, err = child.communicate(timeout=30)
    assert child.returncode == 2
    assert json.loads(out)["error"]["kind"] == "live"
    assert "was lost" in err
    assert "--resume" in err
    assert "Traceback" not in err
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["complete"] is True


def cut_after(line: Line, seconds: float, ended: threading.Event) -> None:
    """Cut a line so many seconds after it is first used, unless all has ended before."""
    while not line.is_used.wait(0.05):
        if ended.is_set():
            return
    if not ended.wait(seconds):
        line.cut()


@pytest.mark.parametrize("psql", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_the_line_is_cut_at_any_moment(
    psql: bool, lasting: tuple[Cluster, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says why it ended.

    No row may seem to be the last, and none that was read be forgotten.
    """
    cluster, backup = lasting
    if not psql:
        monkeypatch.setattr(readers, "psql_programs", list)
    line = Line(cluster, tmp_path)
    chance = random.Random(5)
    cuts = 0
    for attempt in range(40):
        line.is_used.clear()
        ended = threading.Event()
        seconds = chance.random() * (0.4 if attempt < 6 else 5)
        cutting = threading.Thread(target=cut_after, args=(line, seconds, ended))
        cutting.start()
        try:
            with fx.compare(
                backup,
                line.dsn,
                tmp_path / "case",
                options=fx.Options(resume=True, jobs=1 + attempt % 3),
            ) as case:
                if case.complete:
                    break
        except LiveError:
            cuts += 1
        except CaseError as error:
            assert "not begun" in str(error)
        finally:
            ended.set()
            cutting.join()
        if (tmp_path / "case" / "case.duckdb").exists():
            try:
                with fx.open_case(tmp_path / "case") as case:
                    right_so_far(case)
            except CaseError as error:
                assert "not begun" in str(error)
    line.close()
    assert cuts >= 2
    with fx.open_case(tmp_path / "case") as case:
        check(case)


QUESTIONS: dict[str, Callable[[LiveSource], object]] = {
    "its activity": lambda live: live.activity(),
    "its making": lambda live: live.making(),
    "a count": lambda live: live.count(TableName("public", "boats")),
    "a SELECT": lambda live: live.ask(sql.SQL("SELECT 1 AS one")),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_whatever_is_asked_of_a_lost_session_is_refused_in_words(
    question: str, scratch: Scratch, database: Callable[..., str]
) -> None:
    name = database("CREATE TABLE boats (id int PRIMARY KEY); INSERT INTO boats VALUES (1)")
    boats = TableName("public", "boats")
    with open_source(scratch.dsn(name), role="live") as live:
        assert isinstance(live, LiveSource)
        assert live.counts([boats], 5) == {boats: 1}
        with psycopg.connect(scratch.dsn(name), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert live.counts([boats], 5) == {}, "unknown, and not zero"
        with pytest.raises(LiveError, match="the connection was lost") as error:
            QUESTIONS[question](live)
        assert is_lost(error.value)
        with pytest.raises(LiveError, match="was lost"):
            live.recovers(error.value)


@pytest.mark.parametrize("victim", ["psql", "its session", "the session that holds the snapshot"])
def test_a_reader_that_is_killed_is_no_end_of_rows(
    victim: str, lasting: tuple[Cluster, Path], tmp_path: Path
) -> None:
    cluster, backup = lasting

    def kill() -> None:
        if victim == "psql":
            [child] = [
                c
                for c in children_of(os.getpid())
                if b"psql" in Path(f"/proc/{c}/cmdline").read_bytes()
            ]
            subprocess.run(["kill", "-KILL", str(child)], check=True)
            return
        sort = (
            "state = 'active' AND query LIKE 'COPY%'"
            if victim == "its session"
            else "state LIKE 'idle in transaction%'"
        )
        with psycopg.connect(cluster.dsn(), autocommit=True) as other:
            ended = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE application_name LIKE 'forensics%' AND {sort}"
            ).fetchall()
        assert len(ended) == 1

    listener = Interferer(once_big_streams, kill)
    try:
        case = fx.compare(backup, cluster.dsn(), tmp_path / "case", listener=listener)
    except LiveError as error:
        assert victim == "the session that holds the snapshot"
        assert "was lost" in str(error)
        case = fx.open_case(tmp_path / "case")
    with case:
        assert listener.struck == 1
        assert not case.complete
        right_so_far(case)
        if victim != "the session that holds the snapshot":
            assert case.result("big").state == "failed"
            assert "--resume" in (case.result("big").reason or "")
            assert case.result("hotels").state == "compared"
    with fx.compare(
        backup, cluster.dsn(), tmp_path / "case", options=fx.Options(resume=True)
    ) as case:
        check(case)
