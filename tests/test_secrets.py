"""A password is in no output, log, case, notebook or traceback, in whichever way it was given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import ForensicsError, redact
from forensics.scratch import Scratch
from tests.conftest import Incident

# Parts by which any of them would be found again; none is a word that stands in an
# output for another reason.
PASSWORD = "gehe1m@Wort:mit/Q'uo\\te%40"
PARTS = ("gehe1m", "Q'uo", "Q%27uo", "uo\\te", "uo%5Cte")
ENCODED = "gehe1m%40Wort%3Amit%2FQ%27uo%5Cte%2540"
QUOTED = "'gehe1m@Wort:mit/Q\\'uo\\\\te%40'"


@pytest.fixture(scope="module")
def guarded(scratch: Scratch) -> Iterator[str]:
    """A role that has to give its password."""
    rules = scratch.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text("local all guarded scram-sha-256\n" + before)
    secret = PASSWORD.replace("'", "''")
    scratch.run(
        "postgres",
        f"CREATE ROLE guarded LOGIN PASSWORD '{secret}'; GRANT pg_read_all_data TO guarded; "
        f"SELECT pg_reload_conf()",
    )
    yield "guarded"
    rules.write_text(before)
    scratch.run("postgres", "DROP ROLE guarded; SELECT pg_reload_conf()")


@pytest.fixture
def lost(incident: Incident) -> Incident:
    return incident.happens(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)",
        "DELETE FROM t WHERE id < 4",
    )


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A backup that needs no server."""
    backup = tmp_path / "small.sql"
    backup.write_text("CREATE TABLE t (id int);\nCOPY t (id) FROM stdin;\n1\n\\.\n")
    return backup


class Given:
    """A connection string, and what has to stand in the environment."""

    def __init__(
        self, form: str, lost: Incident, scratch: Scratch, folder: Path, password: str = ""
    ) -> None:
        encoded = (password and f"wrong{ENCODED}") or ENCODED
        plain = (password and f"wrong{PASSWORD}") or PASSWORD
        quoted = (password and f"'wrong{QUOTED[1:]}") or QUOTED
        where = f"host={scratch.folder} port=5432 user=guarded dbname={lost.live}"
        tail = f"/{lost.live}?host={scratch.folder}&port=5432"
        self.environment: dict[str, str] = {}
        match form:
            case "URI":
                self.dsn = f"postgresql://guarded:{encoded}@{tail}"
            case "URI of SQLAlchemy":
                self.dsn = f"postgresql+psycopg://guarded:{encoded}@{tail}"
            case "URI, as a parameter":
                self.dsn = f"postgresql://guarded@{tail}&password={encoded}"
            case "keywords":
                self.dsn = f"{where} password={quoted}"
            case "PGPASSWORD":
                self.dsn, self.environment = where, {"PGPASSWORD": plain}
            case "passfile":
                file = folder / "passfile"
                escaped = plain.replace("\\", "\\\\").replace(":", "\\:")
                file.write_text(f"*:*:*:*:{escaped}\n")
                file.chmod(0o600)
                self.dsn = f"{where} passfile={file}"
            case "service":
                file = folder / "services"
                file.write_text("[incident]\n" + where.replace(" ", "\n") + f"\npassword={plain}\n")
                self.dsn, self.environment = "service=incident", {"PGSERVICEFILE": str(file)}
            case "sslpassword":
                self.dsn = f"{where} password={quoted} sslpassword={quoted}"


FORMS = (
    "URI",
    "URI of SQLAlchemy",
    "URI, as a parameter",
    "keywords",
    "PGPASSWORD",
    "passfile",
    "service",
    "sslpassword",
)


def clean(text: str) -> None:
    for part in PARTS:
        assert part not in text, text[max(0, text.index(part) - 80) :][:200]


OFTEN = ("URI", "keywords", "service")


@pytest.mark.parametrize(
    "form", [*OFTEN, *(pytest.param(f, marks=pytest.mark.soak) for f in FORMS if f not in OFTEN)]
)
def test_a_password_that_is_right_stands_nowhere(
    form: str,
    guarded: str,
    lost: Incident,
    scratch: Scratch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = Given(form, lost, scratch, tmp_path)
    for name, value in given.environment.items():
        monkeypatch.setenv(name, value)
    with fx.compare(lost.backup, given.dsn, tmp_path / "case", options=fx.Options(jobs=2)) as case:
        assert case.totals["missing"] == 3
        clean(
            case.evidence._repr_html_()
            + case._repr_html_()
            + repr(case)
            + repr(case.evidence)
            + json.dumps(case.summary())
        )
        for suffix in (".html", ".md", ".json") if form == "URI" else (".json",):
            clean(case.report(tmp_path / f"report{suffix}").read_text())
        case.recovery.write(tmp_path / "out", live=given.dsn)
    for folder in ("case", "out"):
        for file in (tmp_path / folder).rglob("*"):
            if file.is_file():
                clean(file.read_bytes().decode("latin-1"))
    clean("".join(capfd.readouterr()))


@pytest.mark.parametrize("form", FORMS)
def test_a_password_that_is_wrong_stands_in_no_traceback(
    form: str,
    guarded: str,
    lost: Incident,
    scratch: Scratch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = Given(form, lost, scratch, tmp_path, "wrong")
    for name, value in given.environment.items():
        monkeypatch.setenv(name, value)
    for dsn in (given.dsn, given.dsn.replace("5432", "5999")):
        try:
            fx.compare(lost.backup, dsn, tmp_path / "case")
        except ForensicsError as error:
            clean(
                "".join(traceback.format_exception(error))
                + repr(error)
                + str(error.__cause__)
                + str(error.__context__)
            )
        else:
            pytest.fail("the server took a wrong password")
        assert not (tmp_path / "case").exists()
        if form == "service":
            break


MISTAKES = (
    f"postgresql://guarded:{PASSWORD}@localhost/x",
    "postgresql://guarded:gehe1m@Q'uo@localhost/x",
    "postgresql://guarded:gehe1m/Q'uo@localhost/x",
    "postgresql://guarded:gehe1m?Q'uo@localhost/x",
    "postgresql://guarded:gehe1m%Q'uo@localhost/x",
    "postgresql+psycopg2://guarded:gehe1m@Q'uo@localhost/x",
    "host=localhost password=gehe1m Q'uo dbname=x",
    "host=localhost password='gehe1m Q\\'uo",
    "host=localhost password=gehe1m colour=red",
    "host=localhost sslpassword='gehe1m' sslmode=sideways",
    "mysql://guarded:gehe1m@Q'uo@localhost/x",
    "host=localhost pasword=gehe1m",
    "guarded:gehe1m@localhost/x",
    "guarded:gehe1m@localhost:1/x?sslmode=require",
    "postgresql:/guarded:gehe1m@localhost/x",
    "postgres:guarded:gehe1m@localhost/x",
    "postgre://guarded:gehe1m@localhost/x",
    "jdbc:postgresql://localhost/x?user=guarded&password=gehe1m",
    "postgresql://localhost/x gehe1m",
    "host=localhost dbname=x gehe1m",
    "localhost guarded gehe1m",
    "gehe1m",
    "host=guarded:gehe1m@localhost dbname=x",
    "host=localhost dbname=guarded:gehe1m@localhost/x",
    "host=localhost user=guarded:gehe1m@localhost",
    "host=localhost port=gehe1m dbname=x",
    "host=localhost port=1 sslmode=gehe1m",
    "host=localhost port=1 connect_timeout=gehe1m",
    "host=localhost port=1 target_session_attrs=gehe1m",
    "guarded:gehe1m@" + "x" * 300,
)


@pytest.mark.parametrize("dsn", MISTAKES)
def test_a_connection_string_that_is_wrong_is_not_repeated(
    dsn: str, small: Path, tmp_path: Path
) -> None:
    with pytest.raises(ForensicsError) as error:
        fx.compare(small, dsn, tmp_path / "case")
    clean(
        "".join(traceback.format_exception(error.value))
        + repr(error.value)
        + str(error.value.__cause__)
        + str(error.value.__context__)
    )
    assert error.value.hint


@pytest.mark.parametrize("debug", ["", "1"])
def test_the_command_keeps_quiet_too(
    debug: str, guarded: str, lost: Incident, scratch: Scratch, tmp_path: Path
) -> None:
    for dsn in (MISTAKES[0],) if debug else (Given("URI", lost, scratch, tmp_path, "wrong").dsn,):
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "forensics",
                "compare",
                str(lost.backup),
                dsn,
                "--case",
                str(tmp_path / "case"),
                "--json",
            ],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "FORENSICS_DEBUG": debug},
        )
        assert done.returncode == 2
        clean(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "BACKUP", "host=localhost", "dbname=x", "password=", "gehe1m"),
        ("compare", "guarded:gehe1m@localhost/x", "BACKUP"),
        ("compare", "postgresql:/guarded:gehe1m@localhost/x", "BACKUP"),
        ("inspect", "postgresql:/guarded:gehe1m@localhost/x"),
        ("loss", "postgresql://guarded:gehe1m@localhost/x"),
        ("loss", "guarded:gehe1m@localhost/x"),
        ("preflight", "BACKUP", "guarded:gehe1m@localhost/x"),
        ("preflight", "guarded:gehe1m@localhost/x", "host=localhost"),
        ("guarded:gehe1m@localhost/x", "compare", "BACKUP"),
        ("compare", "BACKUP", "host=localhost", "--jobs", "guarded:gehe1m@localhost"),
        ("compare", "BACKUP", "--live=guarded:gehe1m@localhost"),
        ("recover", "CASE", "--out", "x", "--live", "guarded:gehe1m@localhost/x"),
    ],
    ids=" ".join,
)
def test_a_word_in_the_wrong_place_is_not_repeated(
    words: tuple[str, ...], small: Path, tmp_path: Path
) -> None:
    given = []
    for word in words:
        given.append(str(small) if word in ("BACKUP", "CASE") else word)
        if word == "CASE":
            fx.compare(small, small, tmp_path / "case").close()
            given[-1] = str(tmp_path / "case")
    done = subprocess.run(
        [sys.executable, "-m", "forensics", *given, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(fx.__file__).parent.parent)},
    )
    assert done.returncode == 2, done.stdout
    clean(done.stdout + done.stderr)
    assert "error" in json.loads(done.stdout)


def test_redacted() -> None:
    assert redact("there is no file app:a/b:c@host/db") == "there is no file app:***@host/db"
    assert redact("postgresql:/app:a@host/db is none") == "postgresql:***@host/db is none"
    assert (
        redact("see postgresql://u:a@b:c/d@host/db, please")
        == "see postgresql://u:***@host/db, please"
    )
    assert redact("password='a\\' b' host=x") == "password=*** host=x"
    assert redact("https://example.org/a:b@c") == "https://example.org/a:b@c"
