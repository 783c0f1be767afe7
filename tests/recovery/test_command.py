"""`recover` on the command line: exit statuses, one JSON document, no password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.recovery.conftest import Incident
from tests.recovery.incidents import DROPPED, SHOP

Build = Callable[..., Incident]
SECRET = "geheim-Wort-2"


def _recover(
    found: Incident, *options: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    found.case.close()
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "forensics",
            "recover",
            str(found.case.folder),
            "--out",
            str(found.out),
            *map(str, options),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "LIVE_DSN"}
        | environment,
    )
    assert "Traceback" not in done.stderr
    for text in (
        done.stdout,
        done.stderr,
        *(p.read_text() for p in found.out.rglob("*") if p.is_file()),
    ):
        assert SECRET not in text
    return done


def _secret(dsn: str) -> str:
    return dsn.replace("postgres@", f"postgres:{SECRET}@", 1)


def test_a_rehearsed_plan_ends_with_0_and_one_document(incident: Build, tmp_path: Path) -> None:
    found = incident(SHOP, DROPPED)
    moved = (tmp_path / "backup.dump").rename(tmp_path / "moved.dump")
    done = _recover(found, "--rehearse", "--json", "--backup", moved, LIVE_DSN=_secret(found.dsn))
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan == json.loads((found.out / "plan.json").read_text())
    proof = plan["rehearsal"]
    assert {
        k: proof[k]
        for k in (
            "lost_before",
            "lost_after",
            "blocked",
            "idempotent",
            "undo_restores",
            "constraints_valid",
        )
    } == {
        "lost_before": 60,
        "lost_after": 6,
        "blocked": 6,
        "idempotent": True,
        "undo_restores": True,
        "constraints_valid": True,
    }
    assert plan["options"][0]["destroyed"] == [
        {"schema": "public", "table": "hotels", "rows": 1, "examples": [{"id": "h4"}]},
    ]
    assert {o["name"]: o["verified"] for o in plan["options"]} == {
        "full restore": True,
        "roll back": True,
        "reinsert lost rows": True,
        "backfill": False,
    }
    # Where nobody watches, a line a step.
    for step in (
        "copying live's rows",
        "running recovery.sql on the copy",
        "undoing the schema change",
        "restoring the backup's rows",
    ):
        assert done.stderr.count(step) == 1
    page = (found.out / "runbook.md").read_text()
    assert (
        "full restore, verified: 90 rows of the backup were restored, "
        "and 61 of 61 missing rows stood among them." in page
    )


def test_options_that_are_not_rehearsed_say_why(incident: Build, tmp_path: Path) -> None:
    found = incident(SHOP, DROPPED)
    (tmp_path / "backup.dump").unlink()
    done = _recover(
        found, "--rehearse", "--live", found.dsn, "--skip", "roll back", "--skip", "backfill"
    )
    assert done.returncode == 0, done.stderr
    assert "is not at hand. Name it with --backup." in done.stdout
    options = {o["name"]: o for o in json.loads((found.out / "plan.json").read_text())["options"]}
    assert {n for n, o in options.items() if o["proof"]} == {"reinsert lost rows"}
    assert options["roll back"]["caveats"][-1] == "Not rehearsed: it was left out on request."
    done = _recover(found, "--rehearse", "--live", found.dsn, "--skip", "fullrestore")
    assert done.returncode == 2
    assert "These can be: full restore, roll back, backfill." in done.stderr


def test_a_rehearsal_that_fails_ends_with_2(incident: Build) -> None:
    found = incident(SHOP, DROPPED + "CREATE VIEW hotel_images AS SELECT 1 AS id")
    done = _recover(
        found,
        "--rehearse",
        "--live",
        _secret(found.dsn),
        "--skip",
        "full restore",
        "--skip",
        "roll back",
    )
    assert done.returncode == 2
    assert (
        "reinsert lost rows: recovery.sql stopped: public.hotel_images is no table any more. "
        "Something else took the name" in done.stderr
    )
    assert json.loads((found.out / "plan.json").read_text())["rehearsal"]["problems"]


def test_without_live_it_writes_and_asks_nobody(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    done = _recover(found, LIVE_DSN="postgresql://nobody@127.0.0.1:1/nowhere")
    assert done.returncode == 0, done.stderr
    assert "was not rehearsed" in done.stdout
    assert json.loads((found.out / "plan.json").read_text())["rehearsal"] is None
    done = _recover(found, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_live_out_of_reach_ends_with_2(incident: Build) -> None:
    found = incident(SHOP, DROPPED)
    done = _recover(
        found, "--rehearse", "--json", "--live", f"postgresql://nobody:{SECRET}@127.0.0.1:1/nowhere"
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "live"


def test_live_that_moved_on_ends_with_2(incident: Build) -> None:
    found = incident(SHOP, "DELETE FROM hotel_images WHERE id <= 10")
    found.sql("DELETE FROM hotel_images WHERE id = 11")
    done = _recover(found, "--rehearse", "--include-unexplained", "--live", found.dsn)
    assert done.returncode == 2
    assert "held 50 rows when live was compared, and holds 49 now" in done.stderr
    assert "Compare again" in done.stderr
