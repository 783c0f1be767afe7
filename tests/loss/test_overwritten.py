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
        (entry,) = case.loss["junctions"]
        assert entry["affected"] == {"teams": 2, "players": 2}
        assert entry["emptied"] == {"teams": 0, "players": 0}
        teams = case.junction("squads").by_parent("teams").set_index("id")
        assert teams.loc["1", ["state", "had", "has", "overwritten"]].tolist() == [
            "affected",
            3,
            2,
            1,
        ]
    status, totals = _loss(tmp_path / "case")
    assert (status, totals["missing"], totals["overwritten"]) == (1, 0, 2)


def test_another_order_overwrites_no_link(incident: Incident, tmp_path: Path) -> None:
    incident.happens(TEAMS, "UPDATE squads SET position = 10 - position")
    with incident.compare() as case:
        assert case.nothing_missing
    status, totals = _loss(tmp_path / "case")
    assert (status, totals["overwritten"]) == (0, 0)


def test_parents_of_overwritten_links_are_affected_where_they_are_there(
    incident: Incident,
) -> None:
    """Player 9 is gone, and 77 never was there; team 3 holds no link any more."""
    incident.happens(
        f"{TEAMS} ALTER TABLE squads DROP CONSTRAINT squads_player_id_fkey; "
        "INSERT INTO squads (team_id, player_id) VALUES (1, 77); "
        "ALTER TABLE squads ADD FOREIGN KEY (player_id) REFERENCES players NOT VALID",
        "UPDATE squads SET player_id = 4 WHERE player_id IN (9, 77); "
        "UPDATE squads SET team_id = 2 WHERE team_id = 3; DELETE FROM players WHERE id = 9",
    )
    with incident.compare() as case:
        (entry,) = case.loss["junctions"]
        # Of players 2, 5, 8; of team 3 these, of team 1 those with 9 and 77.
        assert entry["overwritten"] == 5
        assert entry["affected"] == {"teams": 2, "players": 3}
        assert entry["emptied"] == {"teams": 1, "players": 0}
        for one in entry["spread"]:
            assert one["untouched"] == one["rows"] - one["affected"]
