"""Incidents as before and after SQL on a real server.

They are `tests/cases/NAME/{before.sql, change.sql, expected.json}`. Every case is held to what a
brute-force count of both databases finds, and to the facts its `expected.json` states.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Incident

CASES = sorted(p.parent for p in (Path(__file__).parent.parent / "cases").glob("*/expected.json"))
STATED = [c for c in CASES if "tables" in json.loads((c / "expected.json").read_text())]


@pytest.mark.parametrize("folder", STATED, ids=lambda p: p.name)
def test_case(folder: Path, incident: Incident) -> None:
    stated = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    incident.happens(
        (folder / "before.sql").read_text("utf-8"),
        (folder / "change.sql").read_text("utf-8"),
        *stated.get("options", ()),
    )
    with incident.compare() as case:
        assert case.complete
        found = {t["table"]: t for t in case.summary()["tables"]}
        for table, wanted in stated["tables"].items():
            assert {k: found[table][k] for k in wanted} == wanted, table
        if not stated.get("by_value") and not any(
            t["key_source"] == "unique" for t in found.values()
        ):
            # The brute force knows no keys but primary ones, and compares text.
            incident.check(case)


@pytest.mark.parametrize("folder", STATED, ids=lambda p: p.name)
def test_nothing_is_missing_from_the_database_that_was_dumped(
    folder: Path, incident: Incident
) -> None:
    incident.happens((folder / "before.sql").read_text("utf-8"), "")
    with incident.compare() as case:
        totals = case.totals
        assert case.complete
        assert case.nothing_missing
        assert totals["missing"] == totals["added"] == totals["changed"] == 0
