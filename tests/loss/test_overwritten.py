"""Links that are gone though no row is missing, and what the commands say of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import Incident

TEAMS = """
CREATE TABLE players (id int PRIMARY KEY, nick text);
CREATE TABLE teams (id int PRIMARY KEY, n text);
INSERT INTO players SELECT i, 'p' || i FROM generate_series(1, 9) i;
INSERT INTO teams SELECT i, 't' || i FROM generate_series(1, 3) i;
CREATE TABLE squads (id serial PRIMARY KEY, team_id int NOT NULL REFERENCES teams,
  player_id int NOT NULL REFERENCES players, position int);
INSERT INTO squads (team_id, player_id, position)
SELECT 1 + i % 3, i, i FROM generate_series(1, 9) i;
"""


def _loss(case: Path) -> tuple[int, dict[str, int]]:
    command = [sys.executable, "-m", "forensics", "loss", str(case), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)["totals"]


def test_links_of_rows_that_say_another_are_overwritten(incident: Incident, tmp_path: Path) -> None:
    # Two of four links only changed places between two rows; an order is no link.
    incident.happens(
        TEAMS,
        "UPDATE squads SET team_id = 3 WHERE id IN (1, 3); "
        "UPDATE squads s SET (team_id, player_id) = (SELECT team_id, player_id FROM squads o "
        "WHERE o.id = 13 - s.id) WHERE id IN (6, 7); UPDATE squads SET position = 99",
    )
    with incident.compare() as case:
        incident.check(case)
        assert not case.nothing_missing
        assert "2 links of squads" in case.verdict
    status, totals = _loss(tmp_path / "case")
    assert (status, totals["missing"], totals["overwritten"]) == (1, 0, 2)


def test_another_order_overwrites_no_link(incident: Incident, tmp_path: Path) -> None:
    incident.happens(TEAMS, "UPDATE squads SET position = 10 - position")
    with incident.compare() as case:
        assert case.nothing_missing
    status, totals = _loss(tmp_path / "case")
    assert (status, totals["overwritten"]) == (0, 0)
