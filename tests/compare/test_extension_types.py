"""Types of extensions that no wheel brings: what their dumps hold is the value."""

from __future__ import annotations

from pathlib import Path

import forensics as fx

_POINT = "0101000020E6100000000000000000{:02X}40000000000000F03F"
_ROWS = {
    number: (
        f"[{number},0.5,-0.25]",
        f"{{1:{number}.5,7:2}}/8",
        _POINT.format(number),
        f"SRID=4326;POINT({number} 1)",
        f"\\\\x0{number}",
    )
    for number in range(1, 6)
}
_HEAD = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SELECT pg_catalog.set_config('search_path', '', false);

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA gis;

CREATE TABLE public.places (
    id integer NOT NULL,
    v public.vector(3),
    s public.sparsevec(8),
    at gis.geometry(Point,4326),
    area gis.geography(Point,4326),
    raw bytea
);

COPY public.places (id, v, s, at, area, raw) FROM stdin;
"""
_FOOT = """\\.

ALTER TABLE ONLY public.places
    ADD CONSTRAINT places_pkey PRIMARY KEY (id);

--
-- PostgreSQL database dump complete
--
"""


def _dump(path: Path, rows: dict[int, tuple[str, ...]]) -> Path:
    lines = ["\t".join((str(number), *values)) + "\n" for number, values in rows.items()]
    path.write_text(_HEAD + "".join(lines) + _FOOT)
    return path


def test_texts_of_vectors_and_shapes_are_compared_as_they_are(
    tmp_path: Path, case_folder: Path
) -> None:
    after = dict(_ROWS)
    del after[5]
    after[2] = ("[2,0.5,-0.2500001]", *after[2][1:])
    after[3] = (*after[3][:2], _POINT.format(9), *after[3][3:])
    after[4] = ("\\N", *after[4][1:])
    backup = _dump(tmp_path / "before.sql", _ROWS)
    live = _dump(tmp_path / "after.sql", after)
    with fx.compare(backup, live, case_folder) as case:
        found = case.result("places")
    assert (found.missing, found.added, found.changed, found.unchanged) == (1, 0, 3, 1)
    assert not found.notes
