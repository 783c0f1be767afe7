"""Both engines give the same answer, to the row and to the letter of the JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.servers import Sail, Standalone
from forensics.compare import rows
from forensics.compare.cluster import reducer
from forensics.evidence.live import pages
from forensics.scratch import Scratch
from tests.spark.world import FORMS, Expected, World, compared

pytestmark = pytest.mark.spark


@pytest.fixture
def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut tables into many parts, and have nothing read here that executors can read."""
    monkeypatch.setattr(reducer, "_PART", 40_000)

    real, here = rows.compare, rows.left_over

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("rows were read here")

    def watched(*given: Any, **named: Any) -> rows.Found:
        rows.left_over = refuse if named.get("afar") else here
        try:
            return real(*given, **named)
        finally:
            rows.left_over = here

    monkeypatch.setattr(rows, "compare", watched)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.usefixtures("in_small_parts")
def test_sail_says_the_same_of_every_form(
    form: str, world: World, expected: Expected, sail: Sail, tmp_path: Path
) -> None:
    found = compared(world.dumps[form], world.live, tmp_path, sail.master, jobs=2)
    assert found == expected(form)


@pytest.mark.parametrize("form", ["plain", "directory"])
@pytest.mark.usefixtures("in_small_parts")
def test_a_cluster_of_two_workers_says_the_same(
    form: str,
    world: World,
    expected: Expected,
    standalone: Standalone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reducer, "_PART", 200_000)
    found = compared(world.dumps[form], world.live, tmp_path, standalone.master, jobs=2)
    assert found == expected(form)


@pytest.mark.usefixtures("in_small_parts")
def test_a_database_as_the_backup(world: World, sail: Sail, tmp_path: Path) -> None:
    found = compared(world.before, world.live, tmp_path, sail.master)
    there = found.pop("backup")
    assert there["kind"] == "database"


@pytest.mark.parametrize("form", ["plain", "directory", "custom", "tar"])
@pytest.mark.usefixtures("in_small_parts")
def test_files_that_fsspec_reaches(
    form: str, world: World, expected: Expected, sail: Sail, tmp_path: Path
) -> None:
    pytest.importorskip("fsspec")
    url = f"file://{world.dumps[form]}"
    found = compared(url, world.live, tmp_path, sail.master)
    wanted = dict(expected(form))
    assert found.pop("backup")["path"] == url
    wanted.pop("backup")
    assert found == wanted


def test_many_rows_that_differ_are_not_sent_back(
    world: World, expected: Expected, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reducer, "_FEW", 20)
    found = compared(world.dumps["plain"], world.live, tmp_path, sail.master)
    assert found == expected("plain")


def test_old_servers_have_no_ranges_of_pages(
    world: World, expected: Expected, sail: Sail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_VERSION", 999999)
    found = compared(world.dumps["plain"], world.live, tmp_path, sail.master)
    assert found == expected("plain")


@pytest.mark.usefixtures("in_small_parts")
def test_shards_on_spark(world: World, scratch: Scratch, sail: Sail, tmp_path: Path) -> None:
    for name, rest in (("east", 1), ("west", 0)):
        scratch.create(f"{name}_spark", "after_spark")
        scratch.run(
            f"{name}_spark",
            f"DELETE FROM visits WHERE id % 2 = {rest}; DELETE FROM rooms WHERE id % 2 = {rest};",
        )
    lives = [scratch.dsn("east_spark"), scratch.dsn("west_spark")]
    wishes = {"tables": ("visits", "rooms")}
    found = compared(world.dumps["plain"], lives, tmp_path, sail.master, **wishes)
    assert found == compared(world.dumps["plain"], lives, tmp_path, **wishes)
    assert found["totals"]["missing"] == 228
    for name in ("east_spark", "west_spark"):
        scratch.drop(name)
