"""Columns that are shown or masked by name, in every form."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics import cli
from forensics.cli.voice import app
from forensics.errors import UsageError
from forensics.masking import MARK, Mask
from forensics.model import Catalog, Column, Key, Table, TableName
from forensics.report.writing import SUFFIXES

cli.register()
T = TableName("public", "jobs")
CATALOG = Catalog(
    {
        T: Table(
            T,
            columns=(Column("id", "integer"), Column("state", "text"), Column("who", "text")),
            keys=(Key("p", ("id",), primary=True),),
        )
    },
    enums={"mood": ("sad", "glad")},
)


def said(path: Path) -> str:
    """All text of a report, whatever its form."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return book.read("xl/sharedStrings.xml").decode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as bundle:
            return "".join(bundle.read(n).decode() for n in bundle.namelist() if "xlsx" not in n)
    return path.read_text()


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s != ".json"])
def test_a_column_is_shown_or_masked_by_name(nasty: fx.Case, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    shown = said(nasty.report(path, show=["guests.name"]))
    assert "evil.example" in shown.replace("\\", "")
    for secret in ("mail.example", "1970-05", "kept to oneself", "Room of secrets"):
        assert secret not in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600, "somebody’s names are in it"
    hidden = said(nasty.report(path, mask=False, hide=["public.guests.name"]))
    assert "evil.example" not in hidden
    assert "crimson" not in hidden
    if suffix == ".zip":
        assert "1970-05" in hidden


def test_shown_columns_are_named(nasty: fx.Case, tmp_path: Path) -> None:
    page = nasty.report(tmp_path / "r.html", show=["rooms.title", "guests.name"]).read_text()
    assert "Shown on request: <code>guests.name</code>, <code>rooms.title</code>" in page
    with zipfile.ZipFile(nasty.report(tmp_path / "r.zip", show=["guests.name"])) as bundle:
        assert json.loads(bundle.read("MANIFEST.json"))["shown"] == ["guests.name"]
        assert "Shown although values are masked: guests.name" in bundle.read("README.txt").decode()


def test_a_column_that_there_is_not_names_near_ones(nasty: fx.Case, tmp_path: Path) -> None:
    for asked in ({"show": ["guests.nam"]}, {"hide": ["guests.nam"]}):
        with pytest.raises(UsageError, match=r"no column guests\.nam") as caught:
            nasty.report(tmp_path / "r.md", **asked)
        assert "guests.name" in str(caught.value.hint)
    with pytest.raises(UsageError, match="at once"):
        nasty.report(tmp_path / "r.md", show=["guests.name"], hide=["guests.name"])


def test_the_command_takes_them(nasty_folder: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "r.md")
    base = ["report", str(nasty_folder), "--out", out, "--json"]
    run = CliRunner().invoke(app, [*base, "--show", "guests.name", "--mask", "guests.email"])
    assert run.exit_code == 0
    assert json.loads(run.stdout)["shown"] == ["guests.name"]
    run = CliRunner().invoke(app, [*base, "--mask", "guest.name"])
    assert run.exit_code == 2
    assert "guests.name" in json.loads(run.stdout)["error"]["hint"]


def test_the_bundle_says_whether_it_is_masked(nasty: fx.Case, tmp_path: Path) -> None:
    for mask in (True, False):
        with zipfile.ZipFile(nasty.report(tmp_path / "r.zip", mask=mask)) as bundle:
            told = bundle.read("README.txt").decode()
        assert ("MASKED" in told) is mask
        assert ("are exact" in told) is not mask


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("UPDATE jobs SET state = 'gone' WHERE who = 'ann'", f"'gone' WHERE who = '{MARK}'"),
        ("DELETE FROM jobs WHERE \"state\" <> 'done'", "<> 'done'"),
        ("UPDATE jobs SET who = '[]' WHERE who = ''", "who = '[]' WHERE who = ''"),
        ("DELETE FROM jobs WHERE feeling = 'sad'", "feeling = 'sad'"),
        ("DELETE FROM jobs WHERE who = 'bob'", f"who = '{MARK}'"),
        ("DELETE FROM jobs WHERE statewho = 'bob'", f"statewho = '{MARK}'"),
    ],
)
def test_literals_that_say_why_and_of_whom_nothing_stay(sql: str, seen: str) -> None:
    mask = Mask(CATALOG, shown=frozenset({(T, "state")}))
    assert seen in mask.sql(sql, T)


def test_what_is_hidden_is_hidden_where_it_is_quoted() -> None:
    mask = Mask(CATALOG, on=False, hidden=frozenset({(T, "who")}))
    assert mask.columns(T, ("id", "who"))["who"]("ann") == MARK
    assert mask.columns(T, ("id", "state"))["state"]("x") == "x"
    assert mask.label("Ann Other", T, "who") == MARK
    assert mask.sentence("Key (who)=(ann) is there.") == f"Key (who)=({MARK}) is there."
