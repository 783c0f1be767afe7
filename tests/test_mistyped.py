"""Connection strings with a slip in them: nothing of one that does not parse is repeated."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import forensics as fx
from forensics.cli import main

# Each part of a string that is to be seen nowhere.
PARTS = ("zoe", "s3cret", "farhost", "fardb")
MISTYPED = (
    "zoe:s3cret@farhost/fardb",
    "zoe:s3cret@farhost:5432/fardb",
    "zoe@farhost:s3cret/fardb",
    "zoe/s3cret@farhost/fardb",
    "//zoe:s3cret@farhost/fardb",
    "postgresql:/zoe:s3cret@farhost/fardb",
    "postgresql:zoe:s3cret@farhost/fardb",
    "postgresql//zoe:s3cret@farhost/fardb",
    "postgresql:///zoe:s3cret@farhost/fardb",
    "postgres;//zoe:s3cret@farhost/fardb",
    "postgreSQL://zoe:s3cret@farhost/fardb",
    "postgresq://zoe:s3cret@farhost/fardb",
    "psql://zoe:s3cret@farhost/fardb",
    "psql postgresql://zoe:s3cret@farhost/fardb",
    "postgresql://zoe:s3cret@farhost:fardb",
    "postgresql://zoe:s3cret:farhost/fardb",
    "postgresql://zoe:s3cret farhost/fardb",
    "postgresql://zoe:s3cr%et@farhost/fardb",
    "postgresql://zoe:s3cret@farhost@fardb",
    "postgresql://zoe:s3cret/x@farhost/fardb",
    "postgresql://zoe:s3cret#x@farhost/fardb?colour=red",
    "postgresql://zoe:s3cret@[farhost/fardb",
    "postgresql://zoe:s3cret@farhost/fardb?password",
    "jdbc:postgresql://farhost/fardb?user=zoe&password=s3cret",
    "DATABASE_URL=postgresql://zoe:s3cret@farhost/fardb",
    "'postgresql://zoe:s3cret@farhost/fardb",
    "<postgresql://zoe:s3cret@farhost/fardb>",
    "host=farhost user=zoe pasword=s3cret dbname=fardb",
    "host=farhost user=zoe password s3cret dbname=fardb",
    "host=farhost, user=zoe, password=s3cret, dbname=fardb, s3cret",
    "host=farhost;user=zoe;password=s3cret;dbname=fardb",
    "dbname=fardb;user=zoe;password=s3cret;host=farhost",
    "host:farhost user:zoe password:s3cret dbname:fardb",
    "host=farhost user=zoe password='s3cret dbname=fardb",
    "-h farhost -U zoe -W s3cret fardb",
    "--host=farhost --username=zoe --password=s3cret fardb",
    "Server=farhost;Database=fardb;User Id=zoe;Password=s3cret;",
    "zoe s3cret farhost fardb",
    "s3cret",
    "\u201cpostgresql://zoe:s3cret@farhost/fardb\u201d",
    "postgresql://zoe:s3cret\n@farhost/fardb",
)
_FILE_NAMES = ("zoe s3cret farhost fardb", "s3cret")  # as the name of a backup they may be meant
PLACES = ("live", "live option", "backup", "inspected", "preflight", "recover", "environment")


def words_for(place: str, backup: Path, case: Path, text: str) -> list[str]:
    """A command line with a mistyped connection string in one place."""
    given = {
        "live": ["compare", str(backup), text, "--case", str(case / "new")],
        "live option": ["compare", str(backup), f"--live={text}", "--case", str(case / "new")],
        "backup": ["compare", text, str(backup), "--case", str(case / "new")],
        "inspected": ["inspect", text],
        "preflight": ["preflight", str(backup), text],
        "recover": ["recover", str(case), "--out", str(case / "out"), "--live", text],
        "environment": ["compare", str(backup), "--case", str(case / "new")],
    }
    return given[place]


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mistyped") / "b.sql"
    path.write_text("CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n")
    fx.compare(path, path, path.parent / "case").close()
    return path


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", MISTYPED)
def test_nothing_of_it_is_repeated(
    text: str,
    place: str,
    backup: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if text in _FILE_NAMES and place in ("backup", "inspected"):
        pytest.skip("it may be a file's name")
    case = backup.parent / "case"
    monkeypatch.setenv("LIVE_DSN", text if place == "environment" else "")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    said = ""
    words = words_for(place, backup, case, text)
    monkeypatch.setattr(sys, "argv", ["forensics", *words, "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    out, err = capfd.readouterr()
    said += out + err
    for path in case.rglob("*"):
        if path.is_file():
            said += path.read_bytes().decode("latin-1")
    assert said.strip()
    found = [part for part in PARTS if part in said]
    assert not found, said[:2000]
