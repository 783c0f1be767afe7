"""What foreign keys do that name the columns they empty, or are not enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.evidence import open_source
from forensics.model import TableName
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch
from tests.preflight.flying import fly

_TABLES = """
CREATE TABLE harbours (region int, id int, name text, PRIMARY KEY (region, id));
INSERT INTO harbours SELECT 1, i, 'h' || i FROM generate_series(1, 6) i;
CREATE TABLE moorings (id int PRIMARY KEY, region int NOT NULL, harbour int,
    FOREIGN KEY (region, harbour) REFERENCES harbours ON DELETE SET NULL (harbour));
INSERT INTO moorings SELECT i, 1, 1 + i % 6 FROM generate_series(1, 24) i;
CREATE TABLE boats (id int PRIMARY KEY, name text);
INSERT INTO boats SELECT i, 'b' || i FROM generate_series(1, 9) i;
CREATE TABLE visits (boat int REFERENCES boats ON DELETE CASCADE NOT ENFORCED,
    region int, harbour int, PRIMARY KEY (boat, region, harbour),
    FOREIGN KEY (region, harbour) REFERENCES harbours);
INSERT INTO visits SELECT i, 1, j FROM generate_series(1, 9) i, generate_series(1, 2) j;
"""


@pytest.fixture(scope="module")
def live(scratch: Scratch) -> Iterator[str]:
    scratch.create("references_of_18")
    scratch.run("references_of_18", _TABLES)
    yield "references_of_18"
    scratch.drop("references_of_18")


def _told(
    text: str, dsn: str, folder: Path
) -> dict[tuple[str, str, str | None], tuple[object, ...]]:
    path = folder / "migration.sql"
    path.write_text(text)
    found = {}
    for one in fly(path, dsn).hazards:
        assert one.hazard.table is not None
        place = one.hazard.code, one.hazard.table.table, one.hazard.column
        found[place] = one.rows, one.fails, one.says
    return found


def test_both_sides_say_so(live: str, scratch: Scratch, tmp_path: Path) -> None:
    for side in (scratch.dsn(live), scratch.dump(live, tmp_path / "backup.sql")):
        with open_source(side) as source:
            tables = source.catalog.tables
        (mooring,) = tables[TableName("public", "moorings")].foreign_keys
        assert (mooring.on_delete, mooring.empties) == ("set null", ("harbour",))
        visits = tables[TableName("public", "visits")].foreign_keys
        told = {key.parent.table: (key.enforced, key.deletes) for key in visits}
        assert told == {"boats": (False, False), "harbours": (True, False)}


def test_only_the_named_column_is_emptied(live: str, scratch: Scratch, tmp_path: Path) -> None:
    found = _told("DELETE FROM harbours WHERE id = 5;", scratch.dsn(live), tmp_path)
    assert found["delete-cascades", "moorings", "harbour"] == (
        4,
        False,
        "empties moorings.harbour in 4 rows (ON DELETE SET NULL)",
    )
    assert not any(column == "region" for _, _, column in found)


def test_what_is_not_enforced_takes_nothing(live: str, scratch: Scratch, tmp_path: Path) -> None:
    found = _told("DELETE FROM boats WHERE id < 4;", scratch.dsn(live), tmp_path)
    assert {place: told[:2] for place, told in found.items()} == {
        ("delete-where", "boats", None): (3, False)
    }


def test_a_key_of_the_migration_may_be_either(live: str, scratch: Scratch, tmp_path: Path) -> None:
    text = (
        "ALTER TABLE moorings ADD COLUMN boat int;\nUPDATE moorings SET boat = 7;\n"
        "ALTER TABLE moorings ADD FOREIGN KEY (boat) REFERENCES boats ON DELETE CASCADE"
        "{};\nDELETE FROM boats WHERE id = 7;"
    )
    enforced = _told(text.format(""), scratch.dsn(live), tmp_path)
    assert enforced["delete-cascades", "moorings", None][:2] == (24, False)
    free = _told(text.format(" NOT ENFORCED"), scratch.dsn(live), tmp_path)
    assert ("delete-cascades", "moorings", None) not in free


def test_a_migration_may_change_what_is_enforced(
    live: str, scratch: Scratch, tmp_path: Path
) -> None:
    text = (
        "ALTER TABLE visits ALTER CONSTRAINT visits_boat_fkey {};\n"
        "ALTER TABLE moorings RENAME harbour TO berth;\n"
        "DELETE FROM boats WHERE id = 7;\nDELETE FROM harbours WHERE id = 6;"
    )
    found = _told(text.format("ENFORCED"), scratch.dsn(live), tmp_path)
    assert found["delete-cascades", "visits", None][:2] == (2, False)
    assert found["delete-cascades", "moorings", "berth"][:2] == (4, False)
    free = _told(text.format("NOT ENFORCED"), scratch.dsn(live), tmp_path)
    assert ("delete-cascades", "visits", None) not in free


def test_links_to_rows_that_are_gone_come_back_where_nothing_refuses_them(
    scratch: Scratch, tmp_path: Path
) -> None:
    scratch.create("references_lost")
    scratch.run("references_lost", _TABLES)
    backup = scratch.dump("references_lost", tmp_path / "backup.sql")
    scratch.run("references_lost", "DELETE FROM boats WHERE id = 3; DROP TABLE visits")
    dsn = scratch.dsn("references_lost")
    with fx.compare(backup, dsn, tmp_path / "case") as case:
        (entry,) = case.loss["junctions"]
        assert (entry["table"], entry["lost"], entry["restorable"], entry["blocked"]) == (
            "visits",
            18,
            18,
            0,
        )
        wishes = Wishes(dsn, True, None, None, (), scratch, ("full restore", "roll back"))
        plan = make_plan(case.store, tmp_path / "out", Scope(), wishes)
        rows = {str(target.name): target.rows for target in plan.targets}
        assert rows["visits"] == 18
    scratch.drop("references_lost")
