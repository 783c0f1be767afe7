"""Nondeterministic collations, which need a server that was built with ICU."""

from __future__ import annotations

from pathlib import Path

import pytest

import forensics as fx
from forensics.compare import equality
from tests.servers import programs

pytestmark = pytest.mark.matrix
BEFORE = """
CREATE SCHEMA ext;
CREATE COLLATION ext."any Case" (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE names (name text COLLATE ext."any Case" PRIMARY KEY, n int);
INSERT INTO names VALUES ('Ann', 1), ('Łódź', 2), ('Gone', 3), ('same', 4);
CREATE TABLE plain (name text PRIMARY KEY, n int);
INSERT INTO plain VALUES ('Ann', 1), ('same', 4);
"""
CHANGE = """
UPDATE names SET name = 'ANN' WHERE n = 1; UPDATE names SET name = 'łódź' WHERE n = 2;
DELETE FROM names WHERE n = 3; INSERT INTO names VALUES ('New', 6);
DELETE FROM plain WHERE n = 1; INSERT INTO plain VALUES ('ann', 1);
"""
RIGHT = {"names": (1, 1, 2), "plain": (1, 1, 0)}


def _found(case: fx.Case) -> dict[str, tuple[int | None, ...]]:
    return {r.name.table: (r.missing, r.added, r.changed) for r in case.results}


@pytest.mark.parametrize("major", ["12", "18"])
def test_a_name_that_is_written_otherwise_is_one_row(
    major: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with programs.Server(major) as server:
        server.create("names")
        server.run("names", BEFORE)
        before = server.dump("names", tmp_path / "before.dump", "-Fc", program=_newest())
        server.run("names", CHANGE)
        after = server.dump("names", tmp_path / "after.sql", program=_newest())
        with fx.compare(before, server.dsn("names"), tmp_path / "live") as case:
            assert _found(case) == RIGHT
    # Between dumps: the wheel's scratch server has no ICU.
    with fx.compare(before, after, tmp_path / "dumps") as case:
        assert _found(case)["names"] == (3, 3, 0)
        assert any("is not known" in note for note in case.result("names").notes)
    # One of the user's may have it.
    monkeypatch.setattr(equality, "Scratch", lambda: programs.Server(major))
    with fx.compare(before, after, tmp_path / "scratch") as case:
        assert _found(case) == RIGHT


def _newest() -> Path:
    return list(programs.dumpers().values())[-1]
