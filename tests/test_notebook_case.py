"""The case that a notebook is about: whose it is, where it lies, and what became of live since."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics import notebooks
from forensics.errors import UsageError
from tests.conftest import Incident

BEFORE = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT generate_series(1, 9)"
CHANGE = "DELETE FROM t WHERE id < 3"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is set, and no case lies where notebooks keep theirs."""
    for name in ("FORENSICS_CASE", "FORENSICS_BACKUP", "LIVE_DSN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(notebooks, "CASES", tmp_path / "cases")
    monkeypatch.setattr(notebooks, "SAMPLE", tmp_path / "sample")


@pytest.fixture
def lost(incident: Incident) -> Incident:
    return incident.happens(BEFORE, CHANGE)


def test_the_sample_is_never_laid_beside_somebodys_live_database(
    lost: Incident, monkeypatch: pytest.MonkeyPatch, sample_case: Path
) -> None:
    monkeypatch.setattr(notebooks, "SAMPLE", sample_case)
    with fx.notebook_case() as case:
        assert case.folder == sample_case
    monkeypatch.setenv("LIVE_DSN", lost.live_dsn)
    with pytest.raises(UsageError, match="which incident is this about") as error:
        fx.notebook_case()
    assert "FORENSICS_BACKUP" in str(error.value.hint)


def test_a_backup_alone_is_not_enough(lost: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_BACKUP", str(lost.backup))
    with pytest.raises(UsageError, match="LIVE_DSN is not"):
        fx.notebook_case()


def test_a_case_that_is_named_and_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORENSICS_CASE", "/nowhere/at/all")
    with pytest.raises(UsageError, match="There is no case in /nowhere/at/all"):
        fx.notebook_case()


def test_ones_own_case_is_made_once_and_says_what_live_did_since(
    lost: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORENSICS_BACKUP", str(lost.backup))
    monkeypatch.setenv("LIVE_DSN", lost.live_dsn)
    with fx.notebook_case() as case:
        assert case.folder == tmp_path / "cases" / lost.backup.name
        assert case.totals["missing"] == 2
        assert case.standing == ""
    lost.happens_next("CREATE TABLE later (id int); ALTER TABLE t ADD COLUMN w int")
    with fx.notebook_case() as case:
        assert case.totals["missing"] == 2
        assert "1 table of it was altered, dropped or made" in case.standing
        assert case.standing in case._repr_html_()
        assert "live as it was on" in case._repr_html_()


def test_rows_that_were_written_since_are_counted(
    lost: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lost.compare() as case:
        monkeypatch.setenv("FORENSICS_CASE", str(case.folder))
    monkeypatch.setenv("LIVE_DSN", lost.live_dsn)
    lost.happens_next("INSERT INTO t SELECT generate_series(100, 149)")
    with fx.notebook_case() as case:
        assert "50 rows were written to it" in case.standing


def test_another_database_is_said(
    lost: Incident, monkeypatch: pytest.MonkeyPatch, sample_case: Path
) -> None:
    monkeypatch.setenv("FORENSICS_CASE", str(sample_case))
    monkeypatch.setenv("LIVE_DSN", lost.live_dsn)
    with fx.notebook_case() as case:
        assert case.standing == "LIVE_DSN names another database than the case is about."


def test_a_database_that_does_not_answer_is_no_obstacle(
    lost: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lost.compare() as case:
        monkeypatch.setenv("FORENSICS_CASE", str(case.folder))
    monkeypatch.setenv("LIVE_DSN", "postgresql://nobody@127.0.0.1:1/nothing")
    with fx.notebook_case() as case:
        assert case.standing.startswith("Whether live has moved on since is not known: ")
