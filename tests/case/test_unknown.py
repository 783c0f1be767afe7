"""A stage that failed leaves what it was to find unknown: never zero, never nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics import cli, investigation
from forensics.cli.voice import app
from forensics.errors import CaseError, EvidenceError
from forensics.loss import assessment
from tests.conftest import Incident

BEFORE = """
CREATE TABLE crews (id int PRIMARY KEY, name text);
CREATE TABLE ships (id int PRIMARY KEY, name text);
CREATE TABLE ports (id int PRIMARY KEY, name text);
INSERT INTO crews SELECT i, 'c' || i FROM generate_series(1, 9) i;
INSERT INTO ships SELECT i, 's' || i FROM generate_series(1, 9) i;
INSERT INTO ports SELECT i, 'p' || i FROM generate_series(1, 9) i;
CREATE TABLE crew_ships (crew_id int REFERENCES crews, ship_id int REFERENCES ships,
  PRIMARY KEY (crew_id, ship_id));
CREATE TABLE ship_ports (ship_id int REFERENCES ships, port_id int REFERENCES ports,
  PRIMARY KEY (ship_id, port_id));
INSERT INTO crew_ships SELECT i, j FROM generate_series(1, 9) i, generate_series(1, 4) j;
INSERT INTO ship_ports SELECT i, j FROM generate_series(1, 9) i, generate_series(1, 4) j;
"""
CHANGE = "DELETE FROM crew_ships WHERE crew_id < 4; DELETE FROM ship_ports WHERE ship_id = 2"


def broken(*_: object, **__: object) -> NoReturn:
    raise duckdb.IOException("No space left on device")


def run(*arguments: object) -> tuple[int, str, Any]:
    cli.register()
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    answer = None
    if "--json" in arguments:
        answer = json.loads(done.stdout)
    return done.exit_code, done.output, answer


def test_a_junction_that_could_not_be_classified(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    classify = assessment.classify

    def half(work: Any, junction: Any) -> Any:
        if junction.name.table == "crew_ships":
            raise EvidenceError("the well is dry.")
        return classify(work, junction)

    monkeypatch.setattr(assessment, "classify", half)
    incident.happens(BEFORE, CHANGE)
    with incident.compare() as case:
        assert case.complete
        assert "The loss of crew_ships was not classified, because: the well is dry." in (
            case.verdict
        )
        assert set(case.loss["totals"].values()) == {None}
        frame = case.junctions.set_index("table")
        assert frame["lost"].to_dict() == {"ship_ports": 4, "crew_ships": None} or (
            frame["lost"].isna().to_dict() == {"ship_ports": False, "crew_ships": True}
        )
        assert frame["not classified"]["crew_ships"] == "the well is dry."
        [entry] = [j for j in case.loss["junctions"] if j["table"] == "crew_ships"]
        assert (entry["missing"], entry["reason"]) == (12, "the well is dry.")
        assert {entry[name] for name in ("lost", "moved", "restorable", "overwritten")} == {None}
        assert entry["affected"] is entry["dangling"] is None
        assert [parent["table"] for parent in entry["parents"]] == ["crews", "ships"]
        assert json.loads((case.folder / "loss.json").read_text()) == case.loss
        with pytest.raises(CaseError, match="the well is dry"):
            case.junction("crew_ships")
        for suffix in (".md", ".html", ".xlsx", ".json"):
            path = case.report(tmp_path / f"report{suffix}")
            if suffix != ".xlsx":
                assert "the well is dry" in path.read_text()
        folder = case.folder
    status, said, _ = run("loss", folder)
    assert status == 2
    assert "How many links are lost is not known" in said
    assert "0 are lost" not in said
    assert run("compare", incident.backup, incident.live_dsn, "--case", tmp_path / "b")[0] == 2


@pytest.mark.parametrize("stage", ["find_findings", "histories", "assess"])
def test_a_stage_that_came_to_no_end(
    incident: Incident, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stage: str
) -> None:
    incident.happens(BEFORE, CHANGE)
    with monkeypatch.context() as patched:
        patched.setattr(investigation, stage, broken)
        given = (incident.backup, incident.live_dsn, "--case", tmp_path / "c")
        status, _, found = run("compare", *given, "--json")
    assert status == 2
    assert found["totals"]["missing"] == 16
    [unknown] = found["unknown"]
    assert "because: No space left on device" in unknown.replace("IO Error: ", "")
    assert (found["findings"] is None) == (stage == "find_findings")
    status, said, loss = run("loss", tmp_path / "c", "--json")
    assert status == 2
    if stage == "assess":
        assert set(loss["totals"].values()) == {None}
        assert "No space left" in loss["reason"]
        assert [j["lost"] for j in loss["junctions"]] == [None, None]
        assert "0 are lost" not in run("loss", tmp_path / "c")[1]
    with fx.open_case(tmp_path / "c") as case:
        assert "because" in case.verdict
        assert "No space left" in case.report(tmp_path / "report.md").read_text()
        case.report(tmp_path / "report.html")
        assert case.junctions["lost"].isna().all() == (stage == "assess")
    # What failed is done again.
    assert run("compare", *given, "--resume", "--json")[0] == 1


def test_a_sum_in_which_a_failed_table_has_a_part(incident: Incident, tmp_path: Path) -> None:
    incident.happens(BEFORE, CHANGE)
    text = incident.backup.read_text()
    row = text.index("\n", text.index("COPY public.crew_ships")) + 1
    incident.backup.write_text(text[:row] + "no number\t1\n" + text[row:])
    with incident.compare() as case:
        assert case.result("crew_ships").state == "failed"
        assert case.totals["missing"] is None
        assert case.counted["missing"] == 4
        assert case.verdict.startswith("At least 4 backup rows are missing from live")
        assert "it is not known how many of them are links" in case.verdict
        summary = json.loads((case.folder / "summary.json").read_text())
        assert summary["totals"]["missing"] is None
        for suffix in (".md", ".html", ".xlsx", ".json"):
            path = case.report(tmp_path / f"report{suffix}")
        assert "missing" in path.read_text()
        page = (tmp_path / "report.html").read_text()
        assert "backup that could be compared" in page
        assert "could not be compared" in case._repr_html_()
