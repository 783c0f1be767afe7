"""A stage that fails is unknown to every command: null in the JSON, said in words, status 2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from typer.testing import CliRunner

from forensics import cli, investigation
from forensics.cli.voice import app
from forensics.errors import LiveError
from forensics.loss import assessment
from forensics.scratch import Scratch
from tests.cause.incidents import Prisma

WHY = "canceling statement due to statement timeout"
BEFORE = """
CREATE TABLE cooks (id int PRIMARY KEY, name text);
CREATE TABLE dishes (id int PRIMARY KEY, name text);
INSERT INTO cooks SELECT i, 'cook ' || i FROM generate_series(1, 12) i;
INSERT INTO dishes SELECT i, 'dish ' || i FROM generate_series(1, 12) i;
CREATE TABLE cook_dishes (cook_id int REFERENCES cooks, dish_id int REFERENCES dishes,
  PRIMARY KEY (cook_id, dish_id));
INSERT INTO cook_dishes SELECT i, j FROM generate_series(1, 12) i, generate_series(1, 5) j;
"""
CHANGE = "DELETE FROM cook_dishes WHERE cook_id > 7"
# A number that would be read as an answer.
ZERO = re.compile(
    r"(?<![\d,.:-])0 (missing )?(links?|rows?|values?|are(?! changed)|is|of them|lost|can|live)\b"
    r"|: 0 of 0"
)


class Kitchen(NamedTuple):
    backup: Path
    dsn: str
    migrations: Path


@pytest.fixture(scope="module")
def kitchen(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kitchen]:
    folder = tmp_path_factory.mktemp("kitchen")
    prisma = Prisma(folder / "migrations")
    scratch.create("kitchen")
    scratch.run("kitchen", BEFORE + Prisma.TABLE + prisma.row("0_init", "x"))
    prisma.write("0_init", "x")
    scratch.dump("kitchen", folder / "backup.sql")
    scratch.run("kitchen", prisma.ran("1_tidy", CHANGE))
    yield Kitchen(folder / "backup.sql", scratch.dsn("kitchen"), prisma.folder)
    scratch.drop("kitchen")


def run(*arguments: object) -> tuple[int, str]:
    cli.register()
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert "Traceback" not in done.output
    return done.exit_code, done.output


def timed_out(*_: object, **__: object) -> NoReturn:
    raise LiveError(f"The live database refused: {WHY}.", sqlstate="57014")


def told(
    kitchen: Kitchen, folder: Path, monkeypatch: pytest.MonkeyPatch, where: Any, stage: str
) -> tuple[str, dict[str, Any]]:
    """What all commands say of a case one stage of which fails, and their documents."""
    case = folder / "case"
    with monkeypatch.context() as patched:
        patched.setattr(where, stage, timed_out)
        statuses = [run("compare", kitchen.backup, kitchen.dsn, "--case", case)]
    statuses.append(run("loss", case))
    statuses.append(run("cause", case, "--migrations", kitchen.migrations))
    assert [status for status, _ in statuses] == [2, 2, 2]
    statuses.append(run("recover", case, "--out", folder / "out"))
    for suffix in ("md", "html", "json", "xlsx"):
        statuses.append(run("report", case, "--out", folder / f"report.{suffix}"))
        assert statuses[-1][0] == 0
    said = [said for _, said in statuses]
    said += [(folder / f"report.{suffix}").read_text() for suffix in ("md", "html")]
    for text in (*said[:2], *said[-2:]):
        assert WHY in text
    documents = {}
    for name in ("summary", "loss", "cause"):
        documents[name] = json.loads((case / f"{name}.json").read_text())
    documents["plan"] = json.loads((folder / "out" / "plan.json").read_text())
    documents["report"] = json.loads((folder / "report.json").read_text())
    documents["statuses"] = [status for status, _ in statuses]
    return "\n".join(said), documents


@pytest.mark.parametrize("stage", ["assess", "classify"])
def test_links_that_were_not_classified(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    where = investigation if stage == "assess" else assessment
    said, found = told(kitchen, tmp_path, monkeypatch, where, stage)
    assert "How many links are lost is not known" in said
    assert not ZERO.search(said), ZERO.search(said)
    for loss in (found["loss"], found["report"]["loss"]):
        assert set(loss["totals"].values()) == {None}
        [entry] = loss["junctions"]
        assert entry["table"] == "cook_dishes"
        assert entry["missing"] == 25
        assert entry["lost"] is entry["restorable"] is entry["affected"] is None
    assert found["statuses"][3] == 2
    assert found["plan"]["options"][0]["freed"] is None
    assert found["plan"]["options"][2]["freed"] is None
    assert [(t["moved"], t["superseded"]) for t in found["plan"]["tables"]] == [(None, None)]
    assert [(s["rows"], s["moved"]) for s in found["cause"]["statements"]] == [(25, None)]
    assert "| of them links of junction tables | 25 |" in said


def test_findings_that_were_not_looked_for(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, found = told(kitchen, tmp_path, monkeypatch, investigation, "find_findings")
    assert found["summary"]["findings"] is None
    assert found["report"]["summary"]["findings"] is None


def test_patterns_that_were_not_looked_for(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, found = told(kitchen, tmp_path, monkeypatch, investigation, "find_overwritten")
    assert found["summary"]["overwritten"] is None
    assert found["cause"]["unexplained_overwritten"] is None


def test_histories_that_were_not_read(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said, found = told(kitchen, tmp_path, monkeypatch, investigation, "histories")
    assert "Which migrations ran since the backup is not known" in said
    cause = found["cause"]
    assert {m["in_live"] for m in cause["migrations"]} == {None}
    assert {m["in_backup"] for m in cause["migrations"]} == {None}
    assert [rest["rows"] for rest in cause["unexplained"]] == [None]
    assert found["loss"]["window"]["incident_at"] is None
