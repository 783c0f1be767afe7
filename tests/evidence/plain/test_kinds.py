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
_SECOND, _END = "2\tb\t\\N\n", "\\.\n\n\n\n--\n-- PostgreSQL database dump complete"
_CREATE = "CREATE TABLE public.lot ("
_PUBLIC, _CATALOG = ("public",) * 2, ("_timescaledb_catalog",) * 2
_EXTENSION = "CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA public;\n\n" + _CREATE
_EMPTY = (
    "\\.\n\n\n--\n-- Data for Name: {}; Type: TABLE DATA; Schema: {}; Owner: postgres\n--\n\n"
    "COPY {}.{} ({}) FROM stdin;\n" + _END
)
_PROJECTIONS = "srid, auth_name, auth_srid, srtext, proj4text"
_CHUNKED = "id, schema_name, table_name"
# By name: what of the sound file is replaced, and by what.
MADE: dict[str, dict[str, str]] = {
    "glued": {"2020-01-01\n": "2020-01-01"},
    "halved": {_SECOND: "2\t\nb\t\\N\n"},
    "fewer": {_SECOND: "2\tb\n"},
    "more": {_SECOND: "2\tb\t\\N\tx\n"},
    "blankrow": {_SECOND: "\n"},
    "badvalue": {_SECOND: "2\tb\t2020-02-30\n"},
    "noend": {_END: _END.removeprefix("\\.\n")},
    "endcr": {_END: _END.replace("\\.", "\\. ", 1)},
    "postgis": {
        _CREATE: _EXTENSION.format("postgis"),
        _END: _EMPTY.format("spatial_ref_sys", *_PUBLIC, "spatial_ref_sys", _PROJECTIONS),
    },
    "timescale": {
        _CREATE: _EXTENSION.format("timescaledb"),
        _END: _EMPTY.format("hypertable", *_CATALOG, "hypertable", _CHUNKED),
    },
    "rls": {
        "row_security = off": "row_security = on",
        "CREATE TABLE public.bid": "ALTER TABLE public.lot ENABLE ROW LEVEL SECURITY;\n"
        "CREATE TABLE public.bid",
    },
}
# Whose definitions a server takes, too.
RESTORED = ("navicat", "dbeaver_ddl", "gitea", "old8", "sound")


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path:
    """The file of a kind: one that is kept, or the sound one with a change."""
    if name not in MADE:
        return FOLDER / f"{name}.sql"
    text = (FOLDER / "sound.sql").read_text()
    for old, new in MADE[name].items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    made = tmp_path / f"{name}.sql"
    made.write_text(text)
    return made


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_file_is_whole(name: str, path: Path) -> None:
    with open_source(path) as source:
        found = inspect_backup(source)
    assert found.whole is True, found.verdict
    assert {held.table.name.table: held.rows for held in found.tables} == SOUND[name]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_says_where(name: str, path: Path) -> None:
    with open_source(path) as source:
        found = inspect_backup(source)
    assert found.whole is False
    by_name = {held.table.name.table: held for held in found.tables}
    sure, words = DAMAGED[name]
    assert by_name["lot"].rows == sure
    assert words in (by_name["lot"].problem or "")
    if "bid" in by_name:
        assert (by_name["bid"].rows, by_name["bid"].problem) == (2, None)


@pytest.mark.parametrize("name", ["rls"])
def test_rows_read_under_policies_are_a_lower_bound(path: Path) -> None:
    with open_source(path) as source:
        found = inspect_backup(source)
    assert found.whole is None
    assert found.hidden == ("lot",)


@pytest.mark.parametrize("name", ["sound", "postgis", "timescale", "rls", "badvalue", "more"])
def test_against_live_what_is_sure_is_compared_and_comes_back(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path, name: str, path: Path
) -> None:
    live = database((FOLDER / "sound.sql").read_text())
    scratch.run(live, "DELETE FROM public.lot WHERE id = 3; DELETE FROM public.bid WHERE id = 2")
    dsn = scratch.dsn(live)
    with fx.compare(path, dsn, tmp_path / "case") as case:
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
    scratch: Scratch, database: Callable[..., str], name: str, path: Path
) -> None:
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
