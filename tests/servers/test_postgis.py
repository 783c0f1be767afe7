"""PostGIS on a real server, as Debian has it: what did not change is equal, what did is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.scratch import Scratch
from tests.tools import fetched

pytestmark = pytest.mark.matrix
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
BEFORE = """
CREATE EXTENSION postgis;
CREATE TABLE places (id int PRIMARY KEY, at geometry(Point, 4326), far geography, anything geometry,
                     around box2d, whole box3d);
INSERT INTO places SELECT i, ST_SetSRID(ST_MakePoint(i / 3.0, -0.0), 4326),
  ST_MakePoint(i / 7.0, 1e-9)::geography,
  CASE i % 3 WHEN 0 THEN ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')
             WHEN 1 THEN ST_GeomFromText('POINT ZM (1 2 3 ' || i || ')') ELSE 'POINT EMPTY' END,
  'BOX(0 0,1 1)', 'BOX3D(0 0 0,1 1 1)' FROM generate_series(1, 60) i;
CREATE TABLE visits (place int REFERENCES places, who int, PRIMARY KEY (place, who));
INSERT INTO visits SELECT i, w FROM generate_series(1, 60) i, generate_series(1, 3) w;
CREATE INDEX ON places USING gist (at);
"""
# The least that moves a point, one that is taken away, another dimension, and rows.
CHANGE = """
UPDATE places SET at = ST_SetSRID(ST_MakePoint(1 / 3.0 + 1e-16 * 0.6, 0), 4326) WHERE id = 1;
UPDATE places SET far = NULL WHERE id = 2;
UPDATE places SET anything = ST_Force2D(anything) WHERE id = 4;
DELETE FROM visits WHERE place = 3; DELETE FROM places WHERE id = 3;
"""
FORMS = {"plain": (), "inserts": ("--inserts",), "custom": ("-Fc",), "directory": ("-Fd",)}


@pytest.fixture(scope="module")
def live() -> Iterator[Scratch]:
    """Debian's server, with the database that changes."""
    fetched.debian("postgis", "postgresql-15-postgis-3")
    with Scratch(PROGRAMS) as server:
        server.create("places")
        server.run("places", BEFORE)
        yield server


@pytest.fixture(scope="module")
def dumps(live: Scratch, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The database before it changes, in every form; nothing has changed since."""
    folder = tmp_path_factory.mktemp("dumps")
    made = {}
    for form, options in FORMS.items():
        made[form] = live.dump("places", folder / form, *options)
        with fx.compare(made[form], live.dsn("places"), folder / f"{form}-case") as case:
            assert case.totals["missing"] == case.totals["changed"] == 0, form
    live.run("places", CHANGE)
    return made


@pytest.mark.parametrize("form", FORMS)
def test_what_changed_is_named(
    form: str, dumps: dict[str, Path], live: Scratch, tmp_path: Path
) -> None:
    with fx.compare(dumps[form], live.dsn("places"), tmp_path / "case") as case:
        places, visits = case.result("places"), case.result("visits")
        assert (places.missing, places.added, places.changed) == (1, 0, 3)
        assert (visits.missing, visits.changed) == (3, 0)


def test_it_comes_back(
    dumps: dict[str, Path], live: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the throw-away server has the extension too, as the first try's hint says."""
    monkeypatch.setenv("FORENSICS_PGBIN", str(PROGRAMS))
    with fx.compare(dumps["custom"], live.dsn("places"), tmp_path / "case") as case:
        again = case.recovery(include_unexplained=True)
        again.rehearse(live=live.dsn("places"), out=tmp_path / "out")
        assert again.options.loc["reinsert lost rows", "recovers"] == 4
        assert again.options.loc["reinsert lost rows", "verified"]
        # The 8,500 rows of the extension's own table come with it again.
        assert again.options.loc["full restore", "destroys"] == 3
