"""Plain dumps: every way in which pg_dump writes one."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import open_source
from forensics.model import Catalog, TableName
from forensics.scratch import Scratch
from tests.evidence.plain.reading import FORMS, Truth, rows


@pytest.mark.parametrize("form", FORMS)
def test_every_form(
    form: str,
    scratch: Scratch,
    made: str,
    truth: Truth,
    tmp_path: Path,
) -> None:
    path = scratch.dump(made, tmp_path / "b.sql", *FORMS[form])
    with open_source(path) as source, open_source(scratch.dsn(made), role="live") as live:
        if not source.catalog.tables:
            source.adopt(live.catalog)
        assert source.damage is None
        for table, wanted in truth.items():
            if form == "latin1" and table == "t":
                assert not source.contents()[TableName("public", "t")].data
            else:
                assert rows(source, table) == wanted, table
        assert source.count(TableName("public", "bare")) == 3
        assert source.contents()[TableName("public", "empty")].data
        if form != "data only":
            assert source.catalog.tables.keys() >= live.catalog.tables.keys()
            assert not source.catalog.unparsed


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("gz", gzip.compress),
        ("zst", zstandard.ZstdCompressor().compress),
        ("lz4", lz4.frame.compress),
        ("xz", lzma.compress),
        ("bz2", bz2.compress),
    ],
)
def test_packed(
    suffix: str,
    pack: Callable[[bytes], bytes],
    scratch: Scratch,
    made: str,
    truth: Truth,
    tmp_path: Path,
) -> None:
    packed = pack(scratch.dump(made, tmp_path / "b.sql").read_bytes())
    (tmp_path / f"b.{suffix}").write_bytes(packed)
    with open_source(tmp_path / f"b.{suffix}") as source:
        assert source.provenance.compression
        assert source.damage is None
        assert rows(source, "t") == truth["t"]
    (tmp_path / "cut").write_bytes(packed[: len(packed) * 2 // 3])
    try:
        cut = open_source(tmp_path / "cut")
    except DamagedBackupError:
        assert suffix in ("zst", "lz4", "bz2"), (
            "these unpack block by block, and the whole dump is one"
        )
        return
    with cut as source:
        assert source.damage
        assert not source.provenance.complete


def test_the_catalogue_is_live_s_own(scratch: Scratch, made: str, tmp_path: Path) -> None:
    path = scratch.dump(made, tmp_path / "b.sql")
    with open_source(path) as source, open_source(scratch.dsn(made), role="live") as live:
        for name, table in live.catalog.tables.items():
            ours = source.catalog.tables[name]
            assert (ours.kind, ours.parent, ours.foreign_keys) == (
                table.kind,
                table.parent,
                table.foreign_keys,
            )
            assert [(c.name, c.type, c.nullable, c.identity) for c in ours.columns] == [
                (c.name, c.type, c.nullable, c.identity) for c in table.columns
            ]
            assert {(k.columns, k.primary) for k in ours.keys} == {
                (k.columns, k.primary) for k in table.keys
            }
        assert (source.catalog.enums, source.catalog.domains) == (
            live.catalog.enums,
            live.catalog.domains,
        )


def test_standard_conforming_strings_off(
    scratch: Scratch, made: str, truth: Truth, tmp_path: Path
) -> None:
    scratch.run("postgres", f"ALTER DATABASE {made} SET standard_conforming_strings = off")
    try:
        for option in ("--inserts", "--no-owner"):
            path = scratch.dump(made, tmp_path / f"b{option}.sql", option)
            assert b"standard_conforming_strings = off" in path.read_bytes()
            with open_source(path) as source:
                assert rows(source, "t") == truth["t"]
    finally:
        scratch.run("postgres", f"ALTER DATABASE {made} RESET standard_conforming_strings")


def test_windows_line_ends(scratch: Scratch, made: str, truth: Truth, tmp_path: Path) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    (tmp_path / "crlf.sql").write_bytes(text.replace(b"\n", b"\r\n"))
    with open_source(tmp_path / "crlf.sql") as source:
        assert source.damage is None
        assert rows(source, "t") == truth["t"]
        assert rows(source, "blank") == truth["blank"]


def test_a_cluster_is_listed_and_a_database_chosen(
    scratch: Scratch, made: str, truth: Truth, tmp_path: Path
) -> None:
    scratch.create("plain other; db")
    try:
        scratch.run("plain other; db", "CREATE TABLE t (only_here int)")
        path = tmp_path / "all.sql"
        subprocess.run([scratch.bin / "pg_dumpall", "-f", path], env=scratch.env, check=True)
        with pytest.raises(BackupError, match=r"several databases.*plain other; db") as error:
            open_source(path)
        assert "--database" in str(error.value)
        with open_source(path, database=made) as source:
            assert source.damage is None
            assert rows(source, "t") == truth["t"]
        with open_source(path, database="plain other; db") as source:
            assert [c.name for c in source.catalog.tables["public", "t"].columns] == ["only_here"]  # type: ignore[index]
        with pytest.raises(BackupError, match="holds no database nowhere"):
            open_source(path, database="nowhere")
    finally:
        scratch.drop("plain other; db")


def test_a_verbose_dump_says_when(scratch: Scratch, made: str, tmp_path: Path) -> None:
    with open_source(scratch.dump(made, tmp_path / "b.sql", "--verbose")) as source:
        assert source.provenance.dumped_at is not None
        assert source.provenance.dumped_at.tzinfo is not None


def test_bytes_of_sql_ascii_survive(scratch: Scratch, tmp_path: Path) -> None:
    scratch.run(
        "postgres", "CREATE DATABASE plain_ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'"
    )
    try:
        scratch.run(
            "plain_ascii",
            r"SET client_encoding = 'SQL_ASCII'; CREATE TABLE t (id int, v text);"
            r" INSERT INTO t VALUES (1, E'\xff\xfe'), (2, E'\xc3\xa9'), (3, E'\xff')",
        )
        path = scratch.dump("plain_ascii", tmp_path / "b.sql")
        with open_source(path) as source:
            values = [v for _, v in sorted(source.rows_of(TableName("public", "t"), ["id", "v"]))]
        assert values[1] == "é"
        assert len({*values}) == 3
    finally:
        scratch.drop("plain_ascii")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
        ),
        min_size=1,
        max_size=20,
    )
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_text_survives(
    scratch: Scratch, made: str, tmp_path: Path, values: list[str | None]
) -> None:
    with psycopg.connect(scratch.dsn(made), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS anything; CREATE TABLE anything (n int, v text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO anything VALUES (%s, %s)", list(enumerate(values)))
    try:
        for option in ("--no-owner", "--inserts"):
            with open_source(
                scratch.dump(made, tmp_path / "b.sql", "-t", "anything", option)
            ) as source:
                assert rows(source, "anything") == Counter(
                    (str(n), v) for n, v in enumerate(values)
                )
    finally:
        scratch.run(made, "DROP TABLE IF EXISTS anything")


@pytest.mark.parametrize("size", [5, 6, 7, 8, 11])
@pytest.mark.parametrize("ending", ["\n\\.\n", "\r\n\\.\r\n", "\n\\."])
def test_the_end_of_rows_is_found_wherever_a_chunk_ends(
    size: int, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forensics.evidence.plain.markers._CHUNK", size)
    monkeypatch.setattr("forensics.evidence.plain.markers._FEW", 2)
    line = "\r\n" if "\r" in ending else "\n"
    for padding in range(12):
        rows = ["x" * padding, "\\\\.", "\\N", "a\\\\", "", "\\\\."]
        text = (
            f"CREATE TABLE public.t (v text);{line}"
            f"COPY public.t (v) FROM stdin;{line}{line.join(rows)}{ending}"
        )
        (tmp_path / "b.sql").write_bytes(text.encode())
        with open_source(tmp_path / "b.sql") as source:
            found = source.rows_of(TableName("public", "t"), ["v"])
        assert found == [("x" * padding,), ("\\.",), (None,), ("a\\",), ("",), ("\\.",)]


def test_names_in_the_encoding_of_the_dump(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(
        'CREATE TABLE "Größe" (id int, "naïve" text);'
        " INSERT INTO \"Größe\" VALUES (1, 'é'), (2, NULL)"
    )
    for options in ((), ("--inserts",), ("--column-inserts",)):
        with open_source(
            scratch.dump(name, tmp_path / "b.sql", "--encoding=LATIN1", *options)
        ) as source:
            assert source.damage is None
            assert sorted(source.rows_of(TableName("public", "Größe"), ["id", "naïve"])) == [
                ("1", "é"),
                ("2", None),
            ]


PARTS = """CREATE TABLE p (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b'); CREATE TABLE p_c PARTITION OF p DEFAULT;
INSERT INTO p SELECT i, (array['a', 'b'])[1 + i % 2] FROM generate_series(1, 40) i;"""


@pytest.mark.parametrize("form", [(), ("--inserts",), ("-Fc",), ("--load-via-partition-root",)])
def test_partitions_whose_rows_are_not_there(
    form: tuple[str, ...], scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name, root = database(PARTS), TableName("public", "p")
    with open_source(scratch.dump(name, tmp_path / "all", *form)) as source:
        assert source.contents()[root].lacking == ()
        assert source.count(root) == 40
    with open_source(
        scratch.dump(name, tmp_path / "some", "--exclude-table-data=p_a", *form)
    ) as source:
        assert source.damage is None
        assert source.contents()[root].lacking == (TableName("public", "p_a"),)
        with pytest.raises(BackupError, match="those of p_a were left out"):
            source.count(root)
    with open_source(scratch.dump(name, tmp_path / "one", "--table=p_a", *form)) as source:
        assert "p_a" in [t.name.table for t in source.catalog.roots]
        assert source.count(TableName("public", "p_a")) == 20
    if form == ():
        text = (tmp_path / "all").read_bytes()
        (tmp_path / "cut").write_bytes(text[: text.index(b"COPY public.p_b")])
        with (
            open_source(tmp_path / "cut") as source,
            pytest.raises(DamagedBackupError, match="p_b, p_c are cut off"),
        ):
            source.count(root)


def test_rows_of_a_dump_that_defines_nothing(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(
        "CREATE TABLE gone (a int, b text); INSERT INTO gone VALUES (1, 'x;'), (2, NULL);"
        " CREATE TABLE none (a int)"
    )
    for option, columns in (
        ("--inserts", ["column1", "column2"]),
        ("--column-inserts", ["a", "b"]),
        ("--rows-per-insert=2", ["column1", "column2"]),
    ):
        with open_source(scratch.dump(name, tmp_path / "b.sql", "--data-only", option)) as source:
            source.adopt(Catalog())
            assert [t.name.table for t in source.catalog.roots] == ["gone", "none"]
            assert sorted(source.rows_of(TableName("public", "gone"), columns)) == [
                ("1", "x;"),
                ("2", None),
            ]
            assert source.contents()[TableName("public", "none")].data
