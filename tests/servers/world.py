"""One incident that every release can have, with what is right about it."""

from __future__ import annotations

import hashlib
from pathlib import Path

MIGRATION = """\
-- Photos without a place to stand were meant.
DELETE FROM room_photos WHERE photo_id % 10 = 3;
UPDATE rooms SET note = NULL;
"""
NAME = "20260105000000_tidy_up"
# What an application did, whose rows no migration took.
BESIDE = "DELETE FROM visits WHERE id % 50 = 7; DELETE FROM logs WHERE at < '2025-01-03';"
RIGHT = {
    "_prisma_migrations": (0, 0),
    "amounts": (0, 0),
    "logs": (2, 0),
    "photos": (0, 0),
    "room_photos": (30, 0),
    "rooms": (0, 40),
    "visits": (6, 0),
}
NEXT = "DELETE FROM room_photos WHERE photo_id % 10 = 4;\nDELETE FROM visits WHERE id > 290;\n"
NEXT_TAKES = {"room_photos": 30, "visits": 10}

_HISTORY = """
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
  finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text,
  rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count int NOT NULL DEFAULT 0);
"""
_TABLES = """
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube;
CREATE TABLE rooms (id int PRIMARY KEY, code citext UNIQUE, rate float8, share float4,
  stay interval, spot point, shape path, area box, tags hstore, tree ltree, cell cube,
  seen timestamptz, body bytea, price numeric, cost money, data jsonb, wrote pg_lsn, ways float8[],
  span tstzrange, name text COLLATE "C", note text);
CREATE TABLE photos (id int PRIMARY KEY, url text);
CREATE TABLE room_photos (room_id int REFERENCES rooms, photo_id int REFERENCES photos,
  place float8, PRIMARY KEY (room_id, photo_id));
CREATE TABLE amounts (amount numeric PRIMARY KEY, at float8 UNIQUE, what text);
CREATE TABLE logs (at timestamptz, line text);
CREATE TABLE visits (id int NOT NULL, at date NOT NULL, who text) PARTITION BY RANGE (at);
CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2025-06-01');
CREATE TABLE visits_2 PARTITION OF visits FOR VALUES FROM ('2025-06-01') TO ('2027-01-01');
"""
_ROWS = r"""
INSERT INTO rooms SELECT i, 'Room-' || i, CASE i WHEN 1 THEN '-0' WHEN 2 THEN 'NaN'
    WHEN 3 THEN '-Infinity' WHEN 4 THEN 5e-324 WHEN 5 THEN 1.7976931348623157e308
    WHEN 6 THEN 0.1::float8 + 0.2::float8 ELSE i / 7.0::float8 END, i / 3.0::float4,
  make_interval(years => i % 3 - 1, months => i, days => -i, secs => i * 1.5),
  point(i / 3.0, -i / 7.0), path(polygon(box(point(0, i / 3.0), point(1, i)))),
  box(point(0, 0), point(i / 3.0, 1e15 / 7)), hstore('k"' || i, NULL) || 'a=>",b"',
  ('top.r' || i)::ltree, cube(i / 3.0::float8, i),
  timestamptz '2025-01-01 00:00Z' + i * interval '7 h',
  decode(md5(i::text), 'hex'), i * 1.50, i * 1.25::numeric::money, '{"a": [1, 1.50, "ü"]}',
  ('0/' || to_hex(i * 4096))::pg_lsn, ARRAY[0.1, i / 3.0, NULL],
  tstzrange('2025-01-01 00:00Z', '2025-02-01 00:00Z'::timestamptz + i * interval '1 h'),
  CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN E'a\tb\nc\\d' WHEN 2 THEN '\N' ELSE 'Łódź' END, 'note ' || i
  FROM generate_series(1, 40) i;
INSERT INTO photos SELECT i, 'https://img.example/' || i FROM generate_series(1, 300) i;
INSERT INTO room_photos SELECT 1 + i % 40, i, i / 11.0::float8 FROM generate_series(1, 300) i;
INSERT INTO amounts SELECT i + i % 3 * 0.10, i / 3.0::float8, 'w' || i
  FROM generate_series(1, 60) i;
INSERT INTO logs SELECT timestamptz '2025-01-01 00:00Z' + i * interval '1 d', 'l' || i
  FROM generate_series(0, 30) i;
INSERT INTO visits SELECT i, date '2025-01-01' + i, 'v' || i FROM generate_series(1, 300) i;
"""


def script(version: int) -> str:
    """What makes the database on a server of a major version, and of whatever it can more."""
    made = [_HISTORY, _TABLES]
    if version >= 11:
        made.append("ALTER TABLE visits ADD PRIMARY KEY (id, at);")
    else:
        made.append("ALTER TABLE visits_1 ADD PRIMARY KEY (id, at);")
        made.append("ALTER TABLE visits_2 ADD PRIMARY KEY (id, at);")
    made.append(_ROWS)
    if version >= 13:
        made.append("CREATE TABLE xids (id int PRIMARY KEY, x xid8);")
        made.append("INSERT INTO xids SELECT i, (i * 99999999999)::text::xid8 ")
        made.append("FROM generate_series(1, 20) i;")
    return "\n".join(made)


def incident() -> str:
    """What happened, and the history's row of the migration."""
    checksum = hashlib.sha256(MIGRATION.encode()).hexdigest()
    row = (
        "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, "
        f"applied_steps_count) VALUES ('1', '{checksum}', '2026-01-05 10:00Z', '{NAME}', 1);"
    )
    return f"{BESIDE}\n{MIGRATION}\n{row}"


def write_migrations(folder: Path) -> Path:
    """The folder of migrations in which the incident's lies."""
    path = folder / NAME / "migration.sql"
    path.parent.mkdir(parents=True)
    path.write_text(MIGRATION)
    return folder
