"""The command line.

Exit statuses, one JSON document, a sentence for each bad input, no password anywhere.
"""

from __future__ import annotations

import gzip
import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from forensics.scratch import Scratch
from tests.conftest import Incident

SECRET = "geheim-Wort-1"
BEFORE = (
    "CREATE TABLE t (id int PRIMARY KEY, v text); "
    "INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 5000) i; "
    "CREATE TABLE u (id int PRIMARY KEY);"
)


def run(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "forensics", *map(str, args)],
        capture_output=True,
        text=True,
        timeout=120,
        env={k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "LIVE_DSN"}
        | environment,
    )
    for stream in (done.stdout, done.stderr):
        assert SECRET not in stream
        assert "Traceback" not in stream
    return done


@pytest.fixture
def lost(incident: Incident) -> Incident:
    return incident.happens(BEFORE, "DELETE FROM t WHERE id > 4990")


def with_password(dsn: str) -> str:
    return dsn.replace("postgres@", f"postgres:{SECRET}@", 1)


def test_compare_says_what_is_missing(lost: Incident, tmp_path: Path) -> None:
    done = run(
        "compare", lost.backup, with_password(lost.live_dsn), "--case", tmp_path / "case", "--json"
    )
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["complete"] is True
    assert summary["totals"]["missing"] == 10
    assert summary == json.loads((tmp_path / "case" / "summary.json").read_text())
    for file in (tmp_path / "case").rglob("*"):
        assert file.is_dir() or SECRET.encode() not in file.read_bytes()


def test_for_people(lost: Incident, tmp_path: Path) -> None:
    done = run("compare", lost.backup, lost.live_dsn, "--case", tmp_path / "case")
    assert done.returncode == 1
    assert "10 backup rows are missing from live" in done.stdout
    assert "1 more table is intact" in done.stdout


def test_nothing_missing(lost: Incident, scratch: Scratch, tmp_path: Path) -> None:
    done = run(
        "compare", lost.backup, scratch.dsn(lost.before), "--case", tmp_path / "case", "--quiet"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_live_from_the_environment(lost: Incident, tmp_path: Path) -> None:
    assert (
        run("compare", lost.backup, "--case", tmp_path / "a", LIVE_DSN=lost.live_dsn).returncode
        == 1
    )
    none = run("compare", lost.backup, "--case", tmp_path / "b", "--json")
    assert none.returncode == 2
    assert json.loads(none.stdout)["error"]["kind"] == "usage"


def test_a_case_is_never_overwritten_without_force(lost: Incident, tmp_path: Path) -> None:
    args = ("compare", lost.backup, lost.live_dsn, "--case", tmp_path / "case")
    assert run(*args).returncode == 1
    again = run(*args)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert run(*args, "--force").returncode == 1
    assert run(*args, "--resume").returncode == 1


def bad_inputs(folder: Path, backup: Path, dsn: str) -> dict[str, tuple[object, str, str]]:
    """By name: backup, live, and a word that the sentence has to hold."""
    text = backup.read_bytes()
    at = text.index(b"COPY public.t ") + 20_000

    def written(name: str, data: bytes) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    packed = gzip.compress(text)
    (folder / "hollow").mkdir()
    return {
        "no such file": (folder / "nothing.sql", dsn, "nothing.sql"),
        "an empty file": (written("empty.sql", b""), dsn, "empty"),
        "noise": (written("noise.dump", os.urandom(5000)), dsn, "not a PostgreSQL dump"),
        "another text": (
            written("letter.sql", b"Dear colleague;\nhow are you;\n"),
            dsn,
            "not a PostgreSQL dump",
        ),
        "a folder that is none": (folder / "hollow", dsn, "toc.dat"),
        "cut within rows": (written("cut.sql", text[:at]), dsn, "break"),
        "cut within a statement": (
            written("cut2.sql", text[: text.index(b"ADD CONSTRAINT")]),
            dsn,
            "no end",
        ),
        "without its last line": (
            written("cut3.sql", text[: text.rindex(b"-- PostgreSQL database dump complete")]),
            dsn,
            "last line",
        ),
        "cut gzip": (written("cut.sql.gz", packed[: len(packed) // 2]), dsn, "cut off or corrupt"),
        "flipped gzip": (
            written("bad.sql.gz", packed[:200] + bytes([packed[200] ^ 255]) + packed[201:]),
            dsn,
            "corrupt",
        ),
        "no such database": (backup, dsn.replace("/t", "/nowhere", 1), "nowhere"),
        "nobody listens": (
            backup,
            f"postgresql://postgres:{SECRET}@127.0.0.1:1/x",
            "cannot be reached",
        ),
        "no connection string": (backup, "postgresql://[x", "connection string"),
        "neither": (backup, "cheese", "neither"),
    }


def test_each_bad_input_is_a_sentence(
    lost: Incident, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for n, (name, (backup, live, word)) in enumerate(
        bad_inputs(tmp_path, lost.backup, with_password(lost.live_dsn)).items()
    ):
        with subtests.test(name):
            done = run("compare", backup, live, "--case", tmp_path / f"case{n}")
            assert done.returncode == 2, done.stderr
            assert word in done.stderr


def test_what_was_compared_is_kept_when_the_backup_is_cut(lost: Incident, tmp_path: Path) -> None:
    text = lost.backup.read_bytes()
    at = text.index(b"COPY public.u ")
    (tmp_path / "cut.sql").write_bytes(text[:at])
    done = run(
        "compare", tmp_path / "cut.sql", lost.live_dsn, "--case", tmp_path / "case", "--json"
    )
    assert done.returncode == 2
    summary = json.loads(done.stdout)
    assert summary["complete"] is False
    states = {t["table"]: t["state"] for t in summary["tables"]}
    assert states == {"t": "compared", "u": "failed"}


def test_a_table_without_permission_is_failed_and_names_the_grant(
    lost: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    scratch.run(
        lost.live,
        "CREATE ROLE blind LOGIN; GRANT SELECT ON u TO blind; "
        "ALTER TABLE u ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON u USING (id < 5)",
    )
    try:
        done = run(
            "compare",
            lost.backup,
            lost.live_dsn.replace("postgres@", "blind@", 1),
            "--case",
            tmp_path / "case",
            "--json",
        )
        assert done.returncode == 2
        reasons = {
            t["table"]: t["reason"]
            for t in json.loads(done.stdout)["tables"]
            if t["state"] == "failed"
        }
        assert 'GRANT SELECT ON TABLE "public"."t" TO "blind"' in reasons["t"]
        assert "policy" in reasons["u"]
        asked = [line for line in done.stderr.splitlines() if "Ask for:" in line]
        assert [("t cannot" in line, "u cannot" in line) for line in asked] == [
            (True, False),
            (False, True),
        ]
        scratch.run(
            lost.live,
            "GRANT SELECT ON t TO blind; DROP POLICY few ON u; "
            "ALTER TABLE u DISABLE ROW LEVEL SECURITY",
        )
        resumed = run(
            "compare", lost.backup, lost.live_dsn, "--case", tmp_path / "case", "--json", "--resume"
        )
        assert resumed.returncode == 1
        assert json.loads(resumed.stdout)["totals"]["missing"] == 10
    finally:
        scratch.run(lost.live, "DROP OWNED BY blind; DROP ROLE blind")


def test_rows_that_were_never_dumped_are_not_lost(
    database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    name = database(BEFORE)
    scratch.dump(name, tmp_path / "b.sql", "--exclude-table-data=t")
    done = run(
        "compare", tmp_path / "b.sql", scratch.dsn(name), "--case", tmp_path / "case", "--json"
    )
    assert done.returncode == 2
    failed = {
        t["table"]: t["reason"] for t in json.loads(done.stdout)["tables"] if t["state"] == "failed"
    }
    assert list(failed) == ["t"]
    assert "never dumped" in failed["t"]


def test_wrong_usage_repeats_no_password(lost: Incident) -> None:
    done = run(
        "compare",
        lost.backup,
        with_password(lost.live_dsn),
        with_password(lost.live_dsn),
        "--case",
        "x",
    )
    assert done.returncode == 2


def test_the_rows_before_a_cut_still_prove_what_is_missing(
    lost: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    scratch.run(lost.live, "DELETE FROM t WHERE id <= 100")
    text = lost.backup.read_bytes()
    (tmp_path / "cut.sql").write_bytes(text[: text.index(b"COPY public.t ") + 20_000])
    done = run(
        "compare", tmp_path / "cut.sql", lost.live_dsn, "--case", tmp_path / "case", "--json"
    )
    assert done.returncode == 2
    [cut] = [t for t in json.loads(done.stdout)["tables"] if t["table"] == "t"]
    assert cut["state"] == "failed"
    assert "100 are missing from live: at least" in cut["reason"]


@pytest.mark.parametrize("options", [(), ("-Fc",)])
def test_a_backup_from_standard_input(
    options: tuple[str, ...], lost: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    backup = scratch.dump(lost.before, tmp_path / "b", *options)
    for data in (backup.read_bytes(), gzip.compress(backup.read_bytes())):
        command = [
            sys.executable,
            "-m",
            "forensics",
            "compare",
            "-",
            lost.live_dsn,
            "--case",
            str(tmp_path / "case"),
            "--json",
            "--force",
        ]
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        assert done.returncode == 1, done.stderr
        assert json.loads(done.stdout)["totals"]["missing"] == 10


# What is asked wrongly, and words of the answer.
ASKED_WRONGLY = {
    "not JOBS": (["--jobs", "0"], "--jobs"),
    "no such option": (["--joobs", "1"], "--joobs"),
    "no memory": (["--memory", "lots"], "--memory lots"),
    "negative memory": (["--memory", "-5GB"], "--memory"),
    "too little memory": (["--memory", "1KB"], "--memory 1KB"),
    "times the wrong way round": (
        ["--backup-at", "2026-01-02", "--incident-at", "2026-01-01"],
        "before the backup",
    ),
    "no such junction table": (["--no-junction", "nothing"], "--no-junction names nothing"),
    "a name that is too long": (["--case", "x" * 300], "too long"),
}


@pytest.mark.parametrize(("more", "words"), ASKED_WRONGLY.values(), ids=ASKED_WRONGLY.keys())
def test_wrong_usage_is_one_json_document_too(
    more: list[str], words: str, lost: Incident, tmp_path: Path
) -> None:
    done = run("compare", lost.backup, lost.live_dsn, "--case", tmp_path / "case", "--json", *more)
    assert done.returncode == 2
    error = json.loads(done.stdout)["error"]
    assert words in error["message"]
    assert "did not foresee" not in error["message"]


def test_a_folder_of_something_else_is_neither_taken_nor_closed(
    lost: Incident, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    for more in ((), ("--force",), ("--resume",)):
        done = run("compare", lost.backup, lost.live_dsn, "--case", tmp_path, "--json", *more)
        assert done.returncode == 2
        assert "holds other things" in json.loads(done.stdout)["error"]["message"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert not (tmp_path / "case.duckdb").exists()
    # One that is closed already is as good as any; and what people put into a case's
    # folder stands in no way of the next.
    tmp_path.chmod(0o700)
    for more in ((), ("--force",)):
        assert (
            run(
                "compare", lost.backup, lost.live_dsn, "--case", tmp_path, "--json", *more
            ).returncode
            == 1
        )


def test_a_case_file_with_a_hole_is_damaged_and_not_in_use(lost: Incident, tmp_path: Path) -> None:
    run("compare", lost.backup, lost.live_dsn, "--case", tmp_path / "case")
    file = tmp_path / "case" / "case.duckdb"
    file.write_bytes(file.read_bytes()[:4096] + b"\xaa" * 4096 + file.read_bytes()[8192:])
    done = run("loss", tmp_path / "case", "--json")
    assert done.returncode == 2
    assert "Corrupt" in json.loads(done.stdout)["error"]["message"]


def test_a_schema_without_permission_is_named_before_its_table(
    lost: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    scratch.run(
        lost.live,
        "CREATE ROLE outsider LOGIN; REVOKE USAGE ON SCHEMA public FROM public; "
        "GRANT SELECT ON t TO outsider",
    )
    try:
        done = run(
            "compare",
            lost.backup,
            lost.live_dsn.replace("postgres@", "outsider@", 1),
            "--case",
            tmp_path / "case",
            "--json",
        )
        reasons = [t["reason"] for t in json.loads(done.stdout)["tables"]]
        assert all('GRANT USAGE ON SCHEMA "public" TO "outsider"' in r for r in reasons)
    finally:
        scratch.run(lost.live, "DROP OWNED BY outsider; DROP ROLE outsider")


def of_no_size() -> dict[str, str]:
    """The environment without what says how large a terminal is."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


def on_a_terminal(command: Sequence[str], lines: int) -> str:
    """Run a command and return what it writes to a terminal of so many lines."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (lines, 110))
    env = of_no_size() | {"TERM": "xterm"}
    child = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=env)
    os.close(theirs)
    found = b""
    with suppress(OSError):  # the other end is closed
        while read := os.read(ours, 1 << 16):
            found += read
    os.close(ours)
    child.wait()
    return found.decode()


def test_a_terminal_shows_the_worst_and_a_pipe_everything(
    incident: Incident, tmp_path: Path
) -> None:
    """The verdict stays in sight; names are whole where nobody's width is known."""
    names = [f"a_table_of_some_length_{n:02d}" for n in range(30)]
    before = "".join(
        f"CREATE TABLE {n} (id int PRIMARY KEY); INSERT INTO {n} VALUES (1), (2);" for n in names
    )
    incident.happens(before, "".join(f"DELETE FROM {n} WHERE id = 1;" for n in names))
    command = [sys.executable, "-m", "forensics", "compare", str(incident.backup)]
    command += [incident.live_dsn, "--force", "--case", str(tmp_path / "case")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=of_no_size())
    assert [name for name in names if name not in done.stdout] == []
    drawn = on_a_terminal(command, 30)
    assert sum(name in drawn for name in names) == 8
    assert "22 more tables lost less" in drawn
    assert drawn.count("\n") < 30
