"""Dumps of every form, damaged in one way each, by a number that says which."""

from __future__ import annotations

import gzip
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import zstandard

from forensics.scratch import Scratch

SQL = """CREATE TYPE grade AS ENUM ('fine', 'fair', 'poor');
CREATE TABLE orchard (id serial PRIMARY KEY, name varchar(30) NOT NULL, planted date);
INSERT INTO orchard (name, planted)
    SELECT 'Obsthof ü; ' || i, date '2019-01-31' + i FROM generate_series(1, 30) i;
CREATE TABLE tree (id bigint PRIMARY KEY, orchard_id int REFERENCES orchard, grade grade,
    tag uuid, height numeric(6, 2), seen timestamptz, facts jsonb, alive boolean, note text);
INSERT INTO tree SELECT i, 1 + i % 30, (ARRAY['fine', 'fair', 'poor'])[1 + i % 3]::grade,
    md5(i::text)::uuid, i * 0.75, timestamptz '2024-02-28 08:00Z' + i * interval '7 h',
    jsonb_build_object('n', i, 'of', ARRAY[i, i + 1]), i % 2 = 0,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'a\\tb\\\\c' ELSE 'it''s ' || i END
    FROM generate_series(1, 150) i;
CREATE TABLE picker (name text);
INSERT INTO picker SELECT 'picker ' || i FROM generate_series(1, 20) i;
CREATE TABLE picks (tree_id bigint REFERENCES tree, basket int, PRIMARY KEY (tree_id, basket));
INSERT INTO picks SELECT i, i % 7 FROM generate_series(1, 90) i;
CREATE TABLE unused (id int);
CREATE VIEW living AS SELECT * FROM tree WHERE alive;
CREATE FUNCTION says() RETURNS text LANGUAGE sql AS $$ SELECT 'COPY tree FROM stdin;'::text $$;
"""
TABLES = ("orchard", "tree", "picker", "picks", "unused")
_OPTIONS: dict[str, tuple[str, ...]] = {
    "copy": (),
    "inserts": ("--inserts",),
    "column inserts": ("--column-inserts",),
    "batches": ("--rows-per-insert=8",),
    "custom": ("-Fc",),
    "custom uncompressed": ("-Fc", "-Z0"),
    "directory": ("-Fd",),
    "directory uncompressed": ("-Fd", "-Z0"),
    "tar": ("-Ft",),
}
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "zst": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}
_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.decompress,
    "zst": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
}
PACKED = tuple(_PACKERS)
FORMS = (*_OPTIONS, *_PACKERS)
TEXT = ("copy", "inserts", "column inserts", "batches")
_MESSAGE = b"pg_dump: error: connection to server was lost\n"


def make(scratch: Scratch, database: str, folder: Path) -> None:
    """Dump a database in every form into a folder."""
    for form, options in _OPTIONS.items():
        scratch.dump(database, folder / form, *options)
    for form, pack in _PACKERS.items():
        (folder / form).write_bytes(pack((folder / "copy").read_bytes()))


def unpacked(form: str, data: bytes) -> bytes:
    """A dump's text, taken out of what is packed around it."""
    if form in _UNPACKERS:
        return _UNPACKERS[form](data)
    return data


def mutated(form: str, seed: str, folder: Path, to: Path) -> str:
    """Write a damaged copy of a dump, and return what was done to it."""
    chance = random.Random(seed)
    source, target = folder / form, to
    if source.is_dir():
        shutil.copytree(source, to)
        name = chance.choice(sorted(path.name for path in source.iterdir()))
        source, target = source / name, to / name
    ways = _BY_BYTES
    if form in TEXT:
        ways = {**_BY_BYTES, **_BY_LINES}
    way = chance.choice(sorted(ways))
    target.write_bytes(ways[way](source.read_bytes(), chance))
    return f"{form} ({seed}): {way}"


# --- ways ----------------------------------------------------------------------------------------


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]


def _byte(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes((chance.choice(b"\xff\xc3\0'\"\\;\n\t "),)) + data[at + 1 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data))]


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    size = min(chance.choice((1, 16, 512, 4096)), len(data) // 3 + 1)
    return chance.randrange(len(data) - size + 1), size


def _doubled(data: bytes, chance: random.Random) -> bytes:
    at, size = _span(data, chance)
    return data[: at + size] + data[at:]


def _lost(data: bytes, chance: random.Random) -> bytes:
    at, size = _span(data, chance)
    return data[:at] + data[at + size :]


def _swapped(data: bytes, chance: random.Random) -> bytes:
    at, size = _span(data, chance)
    size = max(1, size // 2)
    one, two = data[at : at + size], data[at + size : at + 2 * size]
    return data[:at] + two + one + data[at + 2 * size :]


def _line(lines: list[bytes], chance: random.Random) -> int:
    return chance.randrange(len(lines))


def _line_lost(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[_line(lines, chance)]
    return b"".join(lines)


def _line_doubled(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at = _line(lines, chance)
    lines.insert(at, lines[at])
    return b"".join(lines)


def _message(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(_line(lines, chance), _MESSAGE)
    return b"".join(lines)


def _mark_lost(data: bytes, chance: random.Random) -> bytes:
    marks = [b"\\.\n", b");\n", b" database dump complete\n"]
    present = [mark for mark in marks if mark in data]
    mark = chance.choice(present)
    pieces = data.split(mark)
    at = chance.randrange(1, len(pieces))
    return mark.join(pieces[:at]) + mark.join(pieces[at:])


def _feed_lost(data: bytes, chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    at = _line(lines, chance)
    lines[at] = lines[at].rstrip(b"\n")
    return b"".join(lines)


_Way = Callable[[bytes, random.Random], bytes]
_BY_BYTES: dict[str, _Way] = {
    "bit flipped": _flip,
    "byte written over": _byte,
    "cut": _cut,
    "block doubled": _doubled,
    "block lost": _lost,
    "blocks swapped": _swapped,
}
_BY_LINES: dict[str, _Way] = {
    "line lost": _line_lost,
    "line doubled": _line_doubled,
    "message among lines": _message,
    "end mark lost": _mark_lost,
    "line feed lost": _feed_lost,
}
