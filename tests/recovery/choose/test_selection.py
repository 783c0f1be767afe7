"""Which missing rows come back: what a statement took, not what the application deleted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.model import TableName
from forensics.recovery import Scope
from forensics.recovery.choose.classes import Classes
from forensics.recovery.choose.selection import select
from forensics.recovery.choose.targets import Target
from tests.recovery.conftest import Incident, left
from tests.recovery.incidents import DROPPED, SHOP

Build = Callable[..., Incident]
NAME = "20260102103755_clean_up"
MIGRATION = (
    "DELETE FROM hotel_images WHERE id <= 10; ALTER TABLE assets ALTER COLUMN url SET NOT NULL"
)


def _caused(build: Build, tmp_path: Path) -> Incident:
    folder = tmp_path / "migrations" / NAME
    folder.mkdir(parents=True)
    (folder / "migration.sql").write_text(MIGRATION)
    # By the application, before the migration: an image and a hotel, and with the hotel its
    # other images.
    found = build(
        SHOP,
        f"DELETE FROM hotel_images WHERE id = 20; DELETE FROM hotels WHERE id = 'h7'; {MIGRATION}",
    )
    found.case.cause(tmp_path / "migrations", ran=[NAME])
    return found


def test_rows_that_a_statement_took_come_back_and_no_others(
    incident: Build, tmp_path: Path
) -> None:
    found = _caused(incident, tmp_path)
    plan = found.plan(rehearse=True)
    assert plan.holds, (plan.problem, plan.rehearsal)
    (target,) = plan.targets
    # Of the ten that the statement deleted, one belonged to the hotel that is gone.
    assert (str(target.name), target.rows, target.counts["blocked"]) == ("hotel_images", 9, 1)
    assert target.counts["unexplained"] == 1 + 5
    missing = next(o for o in plan.options if o.name == "full restore").recovers
    assert (
        f"a full restore would bring back {missing}, also what was removed on purpose"
        in plan.recommendation
    )
    found.run("recovery.sql")
    assert found.sql("SELECT count(*) FROM hotel_images WHERE id <= 10") == "9"
    assert found.sql("SELECT count(*) FROM hotel_images WHERE id = 20 OR hotel_id = 'h7'") == "0"


def test_the_rest_comes_back_when_asked_for(incident: Build, tmp_path: Path) -> None:
    found = _caused(incident, tmp_path)
    plan = found.plan(include_unexplained=True, rehearse=True)
    assert plan.holds, plan.rehearsal
    found.run("recovery.sql")
    assert found.sql("SELECT * FROM hotel_images ORDER BY id") == found.sql(
        "SELECT * FROM hotel_images ORDER BY id", found.before
    )


def test_the_migrations_own_history_stays_as_it_is(incident: Build) -> None:
    before = (
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); "
        "INSERT INTO alembic_version VALUES ('a')"
    )
    found = incident(
        SHOP + before,
        "UPDATE alembic_version SET version_num = 'b'; DELETE FROM assets WHERE id = 20",
    )
    plan = found.plan(include_unexplained=True)
    assert [str(t.name) for t in plan.targets] == ["assets", "hotel_images"]
    assert left(plan) == {"alembic_version": 1}
    assert [t.rows for t in found.plan(include_unexplained=True, tables=("alembic*",)).targets] == [
        1
    ]


def test_a_pattern_narrows(incident: Build, tmp_path: Path) -> None:
    found = incident(
        SHOP,
        "DROP TABLE hotel_images; DELETE FROM hotels WHERE id = 'h1'; "
        "DELETE FROM assets WHERE id = 20",
    )
    plan = found.plan(include_unexplained=True, tables=("hotel_im*", "public.hotels"))
    assert [str(t.name) for t in plan.targets] == ["hotels", "hotel_images"]
    assert plan.targets[1].counts["blocked"] == 3
    assert left(plan) == {"assets": 1}


def test_links_are_followed_again_where_their_parents_return_otherwise(
    incident: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = incident(SHOP, DROPPED)
    marked: list[str] = []
    mark = Classes.mark

    def noted(classes: Classes, target: Target, *how: Any) -> int:
        marked.append(target.name.table)
        return mark(classes, target, *how)

    monkeypatch.setattr(Classes, "mark", noted)
    with select(found.case.store, Scope(include_unexplained=True)) as selection:
        images, hotels = TableName("public", "hotel_images"), TableName("public", "hotels")
        assert marked.count("hotel_images") > 0
        marked.clear()
        same = selection.orphaned({})
        assert marked == []
        assert same.targets == selection.targets
        fewer = same.refused({hotels: [(0, "it was refused")]})
        assert set(marked) == {"hotel_images"}
        before, after = same.target(images), fewer.target(images)
        assert before and after
        assert (before.blocked, after.blocked) == (0, 6)
