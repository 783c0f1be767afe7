"""Files of other programs, and damaged ones: what is whole, what is not, and how many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import forensics as fx
from forensics.evidence import open_source
from forensics.evidence.inspection import inspect_backup
from forensics.scratch import Scratch
from tests.evidence.plain.reading import rows

FOLDER = Path(__file__).with_name("kinds")
# By file: the tables with as many rows as a server takes; it is whole.
SOUND = {
    "navicat": {"users": 2},
    "dbeaver": {"hotel": 3},
    "dbeaver_ddl": {"hotel": 2},
    "gitea": {"user": 2},
    "old7": {"ships": 2},
    "old8": {"crew": 2},
    "greenplum": {"sales": 2},
    "supabase": {"profiles": 2, "empty_one": 0},
    "sound": {"lot": 3, "bid": 2},
    "postgis": {"lot": 3, "bid": 2, "spatial_ref_sys": 0},
    "timescale": {"lot": 3, "bid": 2, "hypertable": 0},
}
# By file: the rows that are sure of table lot, and what is said of it; bid's two are sure.
DAMAGED = {
    "glued": (1, "row 1 (line 38 of the file) has 5 fields"),
    "halved": (0, "row 2 (line 39 of the file) has 2 fields"),
    "fewer": (0, "row 2 (line 39 of the file) has 2 fields"),
    "more": (2, "row 2 (line 39 of the file) has 4 fields"),
    "blankrow": (0, "row 2 (line 39 of the file) has 1 fields"),
    "badvalue": (2, "row 2 (line 39 of the file) holds a value in column at that date"),
    "noend": (2, "lacks the line that ends the rows"),
    "endcr": (2, "lacks the line that ends the rows"),
    "warnings": (4, "row 2 (line 20 of the file) is a message of another program"),
}
# Whose definitions a server takes, too.
RESTORED = ("navicat", "dbeaver_ddl", "gitea", "old8", "sound")


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_whole(name: str) -> None:
    with open_source(FOLDER / f"{name}.sql") as source:
        found = inspect_backup(source)
    assert found.whole is True, found.verdict
    assert {held.table.name.table: held.rows for held in found.tables} == SOUND[name]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_says_where(name: str) -> None:
    with open_source(FOLDER / f"{name}.sql") as source:
        found = inspect_backup(source)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables}
    sure, words = DAMAGED[name]
    assert by_name["lot"].rows == sure
    assert words in (by_name["lot"].problem or "")
    if "bid" in by_name:
        assert (by_name["bid"].rows, by_name["bid"].problem) == (2, None)


def test_rows_read_under_policies_are_a_lower_bound() -> None:
    with open_source(FOLDER / "rls.sql") as source:
        found = inspect_backup(source)
    assert found.whole is None
    assert found.hidden == ("lot",)


@pytest.mark.parametrize("name", ["sound", "postgis", "timescale", "rls", "badvalue", "more"])
def test_against_live_what_is_sure_is_compared_and_comes_back(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, name: str
) -> None:
    live = database((FOLDER / "sound.sql").read_text())
    scratch.run(live, "DELETE FROM public.lot WHERE id = 3; DELETE FROM public.bid WHERE id = 2")
    dsn = scratch.dsn(live)
    with fx.compare(FOLDER / f"{name}.sql", dsn, tmp_path / "case") as case:
        found = {result.name.table: result for result in case.results}
        assert found["bid"].missing == 1
        if name in DAMAGED:
            assert found["lot"].state == "failed"
            assert case.complete is False
            return
        assert found["lot"].missing == 1
        chosen = case.recovery(include_unexplained=True)
        chosen.write(tmp_path / "out", live=dsn)
    copy = database(template=live)
    script = (tmp_path / "out" / "recovery.sql").read_text()
    scratch.run(copy, script)
    said = scratch.run(copy, "SELECT * FROM public.lot ORDER BY id")
    assert said == scratch.run(
        copy, "VALUES (1, 'a', date '2020-01-01'), (2, 'b', NULL), (3, 'c', '2021-01-01')"
    )


@pytest.mark.parametrize("name", RESTORED)
def test_the_rows_are_those_that_a_server_has(
    scratch: Scratch, database: Callable[..., str], name: str
) -> None:
    path = FOLDER / f"{name}.sql"
    text = path.read_text().replace("SET NAMES utf8;", "")
    if name == "old8":
        text = text.replace("SET default_with_oids = true;", "")
    restored = database(text)
    with open_source(path) as source:
        for table in SOUND[name]:
            [held] = [t for t in source.catalog.roots if t.name.table == table]
            listed = ", ".join(f'"{column.name}"::text' for column in held.columns)
            query = f'COPY (SELECT {listed} FROM "{table}") TO STDOUT'
            said = scratch.run(restored, f"SET timezone = 'Europe/Berlin'; {query}")
            wanted = Counter(said.splitlines())
            found: Counter[str] = Counter()
            for row in rows(source, table).elements():
                found["\t".join("\\N" if value is None else value for value in row)] += 1
            if name in ("navicat", "gitea"):
                said = said.replace("true", "t").replace("false", "f")
                wanted = Counter(said.splitlines())
            assert found == wanted
