"""Archives: what pg_restore makes of them is what we read, to the byte."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import re
import shutil
import subprocess
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import lz4.frame
import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BackupError
from forensics.evidence.archive.source import open_archive
from forensics.evidence.archive.toc import POSITION_KNOWN, POSITION_UNKNOWN, Entry, Toc
from forensics.evidence.files import PlainFile
from forensics.evidence.hashing import Hashing
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.evidence.archive.archives import EVERYTHING, FORMS, PROGRAMS, dump, integer, oracle, read

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
                (
                    f"{e.dump_id}; {e.table_oid} {e.oid} {e.desc} {e.namespace or '-'} "
                    f"{e.tag} {e.owner}"
                )
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


@pytest.mark.parametrize("form", ["custom", "tar"])
def test_nobody_waits_for_the_hash_but_who_asks_for_it(
    modern: Scratch, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dump(modern, tmp_path / form, *FORMS[form])
    with open_archive(path) as source:
        with monkeypatch.context() as patch:
            patch.setattr(Hashing, "hexdigest", lambda hashing: pytest.fail("it was waited for"))
            assert source.identify().complete
            assert source.identify().sha256 is None
            assert source.damage is None
        assert source.provenance.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


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


def _str(text: str | None) -> bytes:
    return integer(-1) if text is None else integer(len(text.encode())) + text.encode()


def older_toc(toc: Toc, minor: int) -> bytes:
    """The bytes of a folder's toc.dat as version 1.`minor` had them, up to 1.13."""
    header = toc.header
    assert header.created
    assert header.compression is None
    time_ = header.created.timetuple()
    out = [b"PGDMP", bytes((1, minor, 0, 4, 8, header.format)), integer(0)]
    out += map(
        integer,
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
    out.append(integer(len(toc.entries)))
    for e in toc.entries:
        out += [
            integer(e.dump_id),
            integer(e.had_dumper),
            _str(str(e.table_oid)),
            _str(str(e.oid)),
            _str(e.tag),
            _str(e.desc),
        ]
        out += [integer(e.section)] if minor >= 11 else []
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
            "the programs of PostgreSQL 15, whose archives can be turned into older "
            "ones, are not here"
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
