"""The loss of every incident in `tests/cases` whose `expected.json` says one, on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Incident

CASES = Path(__file__).parent.parent / "cases"
NAMES = sorted(
    p.parent.name for p in CASES.glob("*/expected.json") if "loss" in json.loads(p.read_text())
)


def where(moved: dict[str, Any]) -> str:
    return f"{moved['table']}.{moved['column']}" if moved["column"] else moved["table"]


@pytest.mark.parametrize("name", NAMES)
def test_every_missing_link_has_its_class(name: str, incident: Incident) -> None:
    folder = CASES / name
    expected = json.loads((folder / "expected.json").read_text())["loss"]
    incident.happens((folder / "before.sql").read_text(), (folder / "change.sql").read_text())
    with incident.compare() as case:
        found = {j["table"]: j for j in case.loss["junctions"]}
        assert found.keys() == expected.keys()
        for table, wanted in expected.items():
            check(case.junction(table), found[table], wanted)


def check(junction: Any, got: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert {k: got[k] for k in wanted["counts"]} == wanted["counts"], got
    assert got["missing"] == got["moved"] + got["superseded"] + got["lost"]
    assert got["lost"] == got["restorable"] + got["blocked"] + got["conflicting"]
    assert {where(m): m["rows"] for m in got["moved_to"] if m["rows"]} == wanted.get("moved_to", {})
    assert sum(m["rows"] for m in got["moved_to"]) == got["moved"]
    for field in ("affected", "emptied", "blocked_by", "conflicts", "dangling"):
        if field in wanted:
            assert got[field] == wanted[field], field
    order = {where(m): m["order"] for m in got["moved_to"]}
    for place, kept in wanted.get("order", {}).items():
        assert order[place] == kept, place
    rows = junction.rows
    assert len(rows) == got["missing"]
    classes = dict(zip(rows.iloc[:, 2], rows["class"], strict=True)) if len(rows) else {}
    for key, kind in wanted.get("rows", {}).items():
        assert kind is None or classes[key] == kind, key
    if "inferred" in wanted:
        assert {p.columns[0] for p in junction.parents if not p.declared} == set(wanted["inferred"])
        assert all(p.evidence for p in junction.parents if not p.declared)
