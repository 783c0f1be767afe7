"""Archives that are cut off or corrupt: what can be read is, and the damage is said."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import open_source
from forensics.evidence.archive.source import open_archive
from forensics.evidence.archive.toc import POSITION_KNOWN
from forensics.evidence.inspection import inspect_backup
from forensics.evidence.source import Segment
from forensics.model import TableName
from forensics.scratch import Scratch
from tests.evidence.archive.archives import FORMS, dump, integer, read

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
    """Each table's rows and whether they were read without an error, and whether the archive is
    said to be complete.

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
        begin = whole.index(
            truth if form == "tar" else b"\1" + integer(entry.dump_id), source.toc.end
        )
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


@pytest.mark.parametrize("form", [("-Fd", "-Z0"), ("-Ft",), ("-Fc", "-Z0"), ("-Ft", "--inserts")])
def test_a_value_that_its_type_cannot_hold(
    form: tuple[str, ...], database: Callable[..., str], scratch: Scratch, tmp_path: Path
) -> None:
    name = database(
        "CREATE TABLE jar (id int, filled date);"
        " INSERT INTO jar SELECT i, date '2023-04-01' + i FROM generate_series(1, 20) i"
    )
    whole = scratch.dump(name, tmp_path / "whole", *form)
    files = [whole]
    if whole.is_dir():
        files = [file for file in whole.iterdir() if file.name != "toc.dat"]
    with open_source(whole) as source:
        assert inspect_backup(source).whole
    for file in files:
        file.write_bytes(file.read_bytes().replace(b"2023-04-13", b"2023-04-1x"))
    with open_source(whole) as source:
        found = inspect_backup(source)
        assert not found.whole
        [jar] = found.tables
        assert jar.problem is not None
        assert "row 12 holds a value in column filled" in jar.problem
