"""What comes back is told by the plan where there is one; without it, by what loss found."""

from __future__ import annotations

from typing import Any

from forensics.model import TableName
from forensics.report.outlook import astray, outlook

LOSS: dict[str, Any] = {
    "totals": {"restorable": 5, "blocked": 1128, "conflicting": 2},
    "junctions": [{"schema": "public", "table": "likes", "overwritten": 0, "dangling": {}}],
}
TABLE = {"schema": "public", "table": "likes"}


def test_without_a_plan_loss_tells() -> None:
    found = outlook(LOSS, None)
    assert found is not None
    assert (found.returns, found.freed, found.stays) == (5, None, 1130)
    assert outlook(None, None) is None


def test_a_plan_tells_what_its_parents_free() -> None:
    others = {"schema": "public", "table": "people", "freed": 0}
    found = outlook(LOSS, {"tables": [{**TABLE, "freed": 1046}, others]})
    assert found is not None
    assert (found.returns, found.freed, found.blocked, found.stays) == (1051, 1046, 82, 84)


def test_a_plan_of_before_tells_nothing_of_it() -> None:
    found = outlook(LOSS, {"tables": [TABLE]})
    assert found is not None
    assert (found.freed, found.blocked) == (None, 1128)


def test_links_that_led_nowhere_before_are_no_loss() -> None:
    loss = {"junctions": [{**TABLE, "dangling": {"people": 3}}]}
    assert astray(loss, []) == set()
    assert astray(loss, [TableName("public", "people")]) == {("public", "likes")}
    assert astray({"junctions": [{**TABLE, "overwritten": 1}]}, []) == {("public", "likes")}
