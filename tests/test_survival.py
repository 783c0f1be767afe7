"""Killed, cut off, refused, out of room: the case opens and says what it knows.

--resume then ends with the same answer.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import forensics as fx
from forensics.errors import CaseError, LiveError
from forensics.evidence.live.source import LiveSource
from forensics.scratch import Scratch
from forensics.store import Store
from tests.conftest import Incident

TABLES = 24
BEFORE = "".join(
    f"CREATE TABLE t{n} (id int PRIMARY KEY, v text); "
    f"INSERT INTO t{n} SELECT i, repeat('x', i % 40) "
    f"FROM generate_series(1, {2000 + 300 * n}) i;"
    for n in range(TABLES)
)
CHANGE = "DROP TABLE t3; DROP TABLE t17;" + "".join(
    f"DELETE FROM t{n} WHERE id % 7 = 0;" for n in range(0, TABLES, 2)
)


@pytest.fixture
def lost(incident: Incident) -> Incident:
    return incident.happens(BEFORE, CHANGE)


def command(lost: Incident, case: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "forensics",
        "compare",
        str(lost.backup),
        lost.live_dsn,
        "--case",
        str(case),
        "--json",
        *more,
    ]


def counts(summary: dict[str, object]) -> object:
    kept = (
        "table",
        "state",
        "backup_rows",
        "live_rows",
        "missing",
        "added",
        "changed",
        "unchanged",
    )
    return [{k: t[k] for k in kept} for t in summary["tables"]]  # type: ignore[attr-defined]


def test_killed_at_any_moment_and_resumed(lost: Incident, tmp_path: Path) -> None:
    with lost.compare("whole") as whole:
        wanted = counts(whole.summary())
    chance = random.Random(3)
    killed = 0
    for attempt in range(8):
        jobs = ("--jobs", "4") if attempt % 2 else ()
        child = subprocess.Popen(
            command(lost, tmp_path / "case", "--resume", *jobs),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        time.sleep(0.7 + chance.random() * 1.2)
        if child.poll() is None:
            child.send_signal(signal.SIGKILL)
            killed += 1
        child.communicate()
        opens_or_says_that_it_was_not_begun(tmp_path / "case")
    assert killed >= 2, "the machine was too fast for this test to kill anything"
    done = subprocess.run(
        command(lost, tmp_path / "case", "--resume"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert counts(json.loads(done.stdout)) == wanted


def opens_or_says_that_it_was_not_begun(folder: Path) -> None:
    if not (folder / "case.duckdb").exists():
        return
    try:
        with fx.open_case(folder) as case:
            assert all(r.state != "failed" for r in case.results)
            assert case.summary()["tables"] is not None
    except CaseError as error:
        assert "not begun" in str(error)
    for path in folder.glob("*.json"):
        json.loads(path.read_text())


# Each kills itself at a moment of its choice: a signal from outside would rarely hit these.
LATE = (
    "between two tables",
    "the findings",
    "the loss is begun",
    "the loss is written",
    "summary.json is written",
    "loss.json is written",
)


@pytest.mark.parametrize(
    "moment", [*LATE[1::2], *(pytest.param(m, marks=pytest.mark.soak) for m in LATE[::2])]
)
def test_killed_late(moment: str, lost: Incident, tmp_path: Path) -> None:
    """In the stages after the tables, and in the middle of a JSON file."""
    script = f"""
import os, signal, sys, pathlib
import forensics as fx
from forensics import store
from forensics.case import facade as cases
moment = {moment!r}
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
class Listener(fx.Listener):
    left = 5
    def ends(self, result):
        self.left -= 1
        if moment == "between two tables" and not self.left: die()
if moment == "the findings": cases.find_findings = die
if moment == "the loss is begun": cases.assess = die
if moment == "the loss is written":
    put = store.Store.put
    def put_or_die(self, name, value):
        if name == "ended_at" and value: die()
        put(self, name, value)
    store.Store.put = put_or_die
if "json" in moment:
    replace = os.replace
    os.replace = lambda a, b: die() if str(b).endswith(moment.split()[0]) else replace(a, b)
fx.compare({str(lost.backup)!r}, {lost.live_dsn!r}, {str(tmp_path / "case")!r},
options=fx.Options(jobs=3), listener=Listener())
"""
    died = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    opens_or_says_that_it_was_not_begun(tmp_path / "case")
    with lost.compare(options=fx.Options(resume=True)) as case:
        assert case.complete
        lost.check(case)
    assert json.loads((tmp_path / "case" / "summary.json").read_text())["complete"] is True
    assert [
        p.name
        for p in (tmp_path / "case").iterdir()
        if p.name not in ("case.duckdb", "summary.json", "loss.json")
    ] == []


def test_a_spill_folder_that_a_killed_process_left_is_removed(
    lost: Incident, tmp_path: Path
) -> None:
    lost.compare().close()
    spill = tmp_path / "case" / "spill"
    spill.mkdir()
    (spill / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"x" * 1000)
    fx.open_case(tmp_path / "case").close()
    assert spill.exists(), "who only reads does not know whether another process uses it"
    lost.compare(options=fx.Options(resume=True)).close()
    assert not spill.exists()


def test_a_notebook_that_holds_the_case(lost: Incident, tmp_path: Path) -> None:
    """Who reads disturbs no reader; who would write is told who is in the way.

    It is told how that ends, too.
    """
    lost.compare().close()
    case = str(tmp_path / "case")
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import forensics as fx, sys; case = fx.open_case({case!r}); "
            "print('open', flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"

    def run(*args: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "forensics", *args], capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr

    (tmp_path / "migrations" / "1_x").mkdir(parents=True)
    (tmp_path / "migrations" / "1_x" / "migration.sql").write_text("DROP TABLE t3;")
    try:
        assert run("loss", case)[0] == 1
        assert run("report", case, "--out", str(tmp_path / "r.md"))[0] == 0
        for args in (
            ["cause", case, "--migrations", str(tmp_path / "migrations"), "--ran", "*"],
            [
                "recover",
                case,
                "--out",
                str(tmp_path / "out"),
                "--rehearse",
                "--live",
                lost.live_dsn,
            ],
        ):
            status, said = run(*args)
            assert status == 2
            assert "is open in another process" in said
            assert "notebook" in said
    finally:
        holder.kill()
        holder.wait()
    with fx.open_case(case) as opened, opened.writing():
        pass


def test_what_live_altered_since_is_compared_anew(incident: Incident, scratch: Scratch) -> None:
    """A case is resumed after tables that it has results of were dropped, altered, made again."""
    tables = "".join(
        f"CREATE TABLE {t} (id int PRIMARY KEY, v text); "
        f"INSERT INTO {t} SELECT i, 'v' FROM generate_series(1, 20) i;"
        for t in "abcde"
    )
    incident.happens(
        tables, "DROP TABLE e; DELETE FROM c WHERE id = 1; CREATE TABLE fresh (id int)"
    )
    incident.compare().close()
    scratch.run(
        incident.live,
        "DROP TABLE a; ALTER TABLE b RENAME v TO w; DROP TABLE fresh; "
        "CREATE TABLE e (id int PRIMARY KEY, v text)",
    )
    told = _Told()
    with incident.compare(options=fx.Options(resume=True), listener=told) as case:
        incident.check(case)
        assert case.complete
        assert [c.column for c in case.columns.itertuples()] == ["v", "w"]
    assert [text.split()[1] for text in told.said] == ["a", "b", "e", "fresh"]


def test_a_case_is_not_resumed_with_another_database(lost: Incident, scratch: Scratch) -> None:
    lost.compare().close()
    with pytest.raises(CaseError, match="another live database"):
        fx.compare(
            lost.backup,
            scratch.dsn("postgres"),
            lost.backup.parent / "case",
            options=fx.Options(resume=True),
        )


class _Told(fx.Listener):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def minds(self, text: str) -> None:
        self.said.append(text)


def test_a_second_process_is_refused(lost: Incident, tmp_path: Path) -> None:
    store = Store(tmp_path / "case", write=True)
    try:
        for more in ((), ("--force",), ("--resume",)):
            done = subprocess.run(
                command(lost, tmp_path / "case", *more), capture_output=True, text=True, check=False
            )
            assert done.returncode == 2
            if more:
                assert json.loads(done.stdout)["error"]["message"].endswith(
                    "is open in another process."
                )
    finally:
        store.close()


class _Cutter(fx.Listener):
    """Does something once so many tables are done."""

    def __init__(self, after: int, what: object) -> None:
        self.left, self.what = after, what

    def ends(self, result: object) -> None:
        self.left -= 1
        if self.left == 0:
            self.what()  # type: ignore[operator]


def test_the_connection_is_cut(lost: Incident, scratch: Scratch) -> None:
    def cut() -> None:
        with psycopg.connect(scratch.dsn(), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name LIKE 'forensics%'"
            )

    try:
        case = lost.compare(listener=_Cutter(5, cut))
    except LiveError:
        case = fx.open_case(lost.backup.parent / "case")
    with case:
        assert not case.complete
        states = [r.state for r in case.results]
        assert states.count("compared") + states.count("dropped") >= 5
    with lost.compare(options=fx.Options(resume=True)) as case:
        assert case.complete
        lost.check(case)


def test_interrupted(lost: Incident) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lost.compare(listener=_Cutter(4, interrupt))
    with fx.open_case(lost.backup.parent / "case") as case:
        assert not case.complete
        assert len(case.results) == 4
    with lost.compare(options=fx.Options(resume=True, jobs=3)) as case:
        assert case.complete
        lost.check(case)


def test_several_jobs_give_the_same_answer(lost: Incident) -> None:
    with lost.compare(options=fx.Options(jobs=4)) as case:
        assert case.complete
        lost.check(case)


@pytest.mark.parametrize("kilobytes", [100, 540, 800])
def test_the_disk_is_full(kilobytes: int, lost: Incident, tmp_path: Path) -> None:
    """A file size limit stands for a full disk: writes fail at a point within the run."""
    limited = [
        "bash",
        "-c",
        'ulimit -f "$0"; exec "$@"',
        str(kilobytes),
        *command(lost, tmp_path / "case"),
    ]
    done = subprocess.run(
        limited,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "FORENSICS_DEBUG": ""},
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    again = subprocess.run(
        command(lost, tmp_path / "case", "--resume"), capture_output=True, text=True, check=False
    )
    assert again.returncode == 1, again.stderr
    assert json.loads(again.stdout)["complete"] is True


SHUFFLED = """CREATE TABLE small (id int PRIMARY KEY);
INSERT INTO small SELECT generate_series(1, 100);
CREATE TABLE large (a text, b text);
INSERT INTO large SELECT md5(i::text), md5((i * 7)::text) FROM generate_series(1, 400000) i"""
REORDERED = """CREATE TABLE other AS SELECT * FROM large ORDER BY md5(b);
DELETE FROM other WHERE a < '01'; DROP TABLE large;
ALTER TABLE other RENAME TO large; DELETE FROM small WHERE id <= 3"""
# A namespace of its own, where anybody may mount a disk of any size in memory.
APART = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else [])]


@pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*APART, "true"], capture_output=True, check=False).returncode != 0,
    reason="this system lets nobody mount a disk of his own",
)
@pytest.mark.parametrize("megabytes", [2, 8, 24])
def test_a_disk_that_is_really_full(megabytes: int, incident: Incident, tmp_path: Path) -> None:
    """Too small a disk for the case, or for what is spilled in the middle of a join.

    Then it grows, and --resume ends the run.
    """
    lost = incident.happens(SHUFFLED, REORDERED)
    disk = tmp_path / "disk"
    disk.mkdir()
    compare, resume = (
        shlex.join(command(lost, disk / "case", *more))
        for more in (["--memory", "40MB"], ["--resume"])
    )
    steps = [
        f"mount -t tmpfs -o size={megabytes}M tmpfs {disk}",
        f"{compare} > {tmp_path}/full.json 2> {tmp_path}/full.err; "
        f"echo $? > {tmp_path}/full.status",
        f"mount -o remount,size=1G {disk}",
        f"{resume} > {tmp_path}/out.json 2> {tmp_path}/out.err; echo $? > {tmp_path}/out.status",
        f"ls {disk}/case > {tmp_path}/left",
    ]
    done = subprocess.run(
        [*APART, "sh", "-c", "\n".join(steps)], capture_output=True, text=True, check=False
    )
    said = (tmp_path / "full.err").read_text()
    assert (tmp_path / "full.status").read_text().strip() == "2", (done.stderr, said)
    assert "Traceback" not in said
    assert "disk" in said, said
    found = json.loads((tmp_path / "full.json").read_text())
    assert (
        "error" in found or {t["table"]: t["state"] for t in found["tables"]}["large"] == "failed"
    )
    summary = json.loads((tmp_path / "out.json").read_text())
    assert (tmp_path / "out.status").read_text().strip() == "1", (tmp_path / "out.err").read_text()
    assert summary["complete"] is True
    missing = {t["table"]: t["missing"] for t in summary["tables"]}
    assert missing == {"small": 3, "large": lost.truth["public", "large"]["missing"]}
    assert "spill" not in (tmp_path / "left").read_text()


def test_nothing_is_left_behind_on_live(lost: Incident, scratch: Scratch) -> None:
    ask = (
        "SELECT count(*) FROM pg_class; SELECT sum(xact_commit) > 0 FROM pg_stat_database; "
        "SELECT count(*) FROM pg_locks WHERE mode NOT IN ('AccessShareLock', 'ExclusiveLock')"
    )
    before = scratch.run(lost.live, ask)
    with lost.compare():
        pass
    assert scratch.run(lost.live, ask) == before


def test_live_cannot_be_written_through_the_kit(lost: Incident) -> None:
    """Not by a statement, and not by one that turns it off first."""
    for attempt in (
        "DELETE FROM public.t0",
        "CREATE TEMP TABLE x ()",
        "SET TRANSACTION READ WRITE",
        "SET transaction_read_only = off",
    ):
        with (
            LiveSource(lost.live_dsn) as live,
            pytest.raises(LiveError, match=r"read-only|read-write mode"),
        ):
            live.ask(sql.SQL(attempt))
