"""Plain dumps: every way in which pg_dump writes one, and every way in which one breaks."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import re
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import numpy as np
import psycopg
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics.errors import BackupError, DamagedBackupError
from forensics.evidence import open_source
from forensics.evidence.source import Source
from forensics.model import Catalog, TableName
from forensics.scratch import Scratch

SQL = r"""
CREATE TYPE mood AS ENUM ('sad', 'it''s; ok');
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, b boolean, n numeric, ba bytea, bits bit(3), m mood, arr text[],
  up text GENERATED ALWAYS AS (upper(v)) STORED, "odd ""name"", x" json);
INSERT INTO t (v, b, n, ba, bits, m, arr, "odd ""name"", x")
SELECT (array[NULL, '', '\N', '\.', E'tab\t nl\n cr\r bs\b ff\f vt\v', 'it''s; $$ -- /* "q"', E'back\\slash\\', 'COPY public.t (id) FROM stdin;', 'ünï 🙂 東京'])[1 + i % 9],
  i % 3 = 0, (array['NaN', '-Infinity', '1.50', '-0.001', '1e20'])[1 + i % 5]::numeric, decode(md5(i::text), 'hex'), (i % 8)::bit(3),
  (enum_range(null::mood))[1 + i % 2], array['a,b', NULL, E'q"\\'], json_build_object('k', i)
FROM generate_series(1, 90) i;
CREATE TABLE blank (t text); INSERT INTO blank VALUES (''), (NULL), (''), (E'\\.'), ('COPY blank (t) FROM stdin;');
CREATE TABLE bare (); INSERT INTO bare SELECT FROM generate_series(1, 3);
CREATE TABLE empty (id int PRIMARY KEY);
CREATE TABLE p (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p_b (r text NOT NULL, id int NOT NULL);
ALTER TABLE p ATTACH PARTITION p_b FOR VALUES IN ('b');
INSERT INTO p SELECT i, (array['a', 'b'])[1 + i % 2] FROM generate_series(1, 40) i;
CREATE TABLE above (one int, two text NOT NULL); CREATE TABLE above_too (three int, two text);
CREATE TABLE below (three int, own text, one int NOT NULL) INHERITS (above, above_too);
INSERT INTO below SELECT i, 'b' || i, 2 * i, 'o' || i FROM generate_series(1, 10) i;
CREATE FUNCTION talk(x text DEFAULT ';') RETURNS text LANGUAGE plpgsql AS $body$
begin
  -- a line that looks like data
  perform 'COPY public.blank (t) FROM stdin;
fooled
\.
'; return $q$;$q$;
end $body$;
CREATE FUNCTION atomic(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN 2 ELSE 3 END; SELECT x; END;
CREATE PROCEDURE proc() LANGUAGE sql BEGIN ATOMIC DELETE FROM blank WHERE t = ';'; DELETE FROM empty; END;
CREATE VIEW v AS SELECT id AS begin FROM t;
CREATE RULE r AS ON INSERT TO empty DO ALSO (INSERT INTO blank VALUES ('x;'); DELETE FROM blank WHERE t = 'x;');
COMMENT ON TABLE t IS E'a /* comment; with
COPY public.blank (t) FROM stdin;
fooled
\\.
';
"""
FORMS = {
    "plain": (),
    "inserts": ("--inserts",),
    "column inserts": ("--column-inserts",),
    "batches": ("--rows-per-insert=7",),
    "conflict": ("--inserts", "--on-conflict-do-nothing"),
    "root": ("--load-via-partition-root",),
    "root inserts": ("--load-via-partition-root", "--inserts"),
    "clean": ("--clean", "--if-exists", "--create"),
    "dollars": ("--disable-dollar-quoting",),
    "verbose": ("--verbose",),
    "quoted": ("--quote-all-identifiers",),
    "data only": ("--data-only",),
    "latin1": ("--exclude-table-data=t", "--encoding=LATIN1"),
}


@pytest.fixture(scope="module")
def made(scratch: Scratch) -> Iterator[str]:
    scratch.create("plain_forms")
    scratch.run("plain_forms", SQL)
    yield "plain_forms"
    scratch.drop("plain_forms")


@pytest.fixture(scope="module")
def truth(scratch: Scratch, made: str) -> dict[str, Counter[tuple[str | None, ...]]]:
    """Every table's rows, as the server says them."""
    columns = {
        "t": 'id, v, b, n, ba, bits, m, arr, "odd ""name"", x"',
        "blank": "t",
        "empty": "id",
        "p": "id, r",
        "below": "one, two, three, own",
    }
    found = {}
    with psycopg.connect(scratch.dsn(made)) as connection:
        for table, listed in columns.items():
            casts = ", ".join(
                f"{c}::text" if c != "b" else "CASE b WHEN true THEN 't' ELSE 'f' END"
                for c in listed.split(", ")
                if c != 'x"'
            )
            if table == "t":
                casts = casts.replace('"odd ""name""::text', '"odd ""name"", x"::text')
            found[table] = Counter(connection.execute(f"SELECT {casts} FROM {table}").fetchall())
    return found


def rows(source: Source, table: str) -> Counter[tuple[str | None, ...]]:
    name = TableName("public", table)
    columns = [c.name for c in source.catalog.tables[name].columns if not c.generated]
    return Counter(source.rows_of(name, columns))


@pytest.mark.parametrize("form", FORMS)
def test_every_form(
    form: str,
    scratch: Scratch,
    made: str,
    truth: dict[str, Counter[tuple[str | None, ...]]],
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
    truth: dict[str, Counter[tuple[str | None, ...]]],
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
    scratch: Scratch, made: str, truth: dict[str, Counter[tuple[str | None, ...]]], tmp_path: Path
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


def test_windows_line_ends(
    scratch: Scratch, made: str, truth: dict[str, Counter[tuple[str | None, ...]]], tmp_path: Path
) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    (tmp_path / "crlf.sql").write_bytes(text.replace(b"\n", b"\r\n"))
    with open_source(tmp_path / "crlf.sql") as source:
        assert source.damage is None
        assert rows(source, "t") == truth["t"]
        assert rows(source, "blank") == truth["blank"]


def test_a_cluster_is_listed_and_a_database_chosen(
    scratch: Scratch, made: str, truth: dict[str, Counter[tuple[str | None, ...]]], tmp_path: Path
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
            r"SET client_encoding = 'SQL_ASCII'; CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, E'\xff\xfe'), (2, E'\xc3\xa9'), (3, E'\xff')",
        )
        path = scratch.dump("plain_ascii", tmp_path / "b.sql")
        with open_source(path) as source:
            values = [v for _, v in sorted(source.rows_of(TableName("public", "t"), ["id", "v"]))]
        assert values[1] == "é"
        assert len({*values}) == 3
    finally:
        scratch.drop("plain_ascii")


@pytest.mark.parametrize("form", ["plain", "inserts", "batches"])
def test_a_prefix_never_gives_more_than_it_holds(
    form: str,
    scratch: Scratch,
    made: str,
    truth: dict[str, Counter[tuple[str | None, ...]]],
    tmp_path: Path,
) -> None:
    text = scratch.dump(made, tmp_path / "b.sql", *FORMS[form]).read_bytes()
    chance = random.Random(7)
    path = tmp_path / "cut.sql"
    for size in sorted(chance.sample(range(1, len(text) - 60), 60)):
        path.write_bytes(text[:size])
        try:
            source = open_source(path)
        except BackupError as error:
            assert error.hint
            continue
        with source:
            assert source.damage, size
            for table, wanted in truth.items():
                if TableName("public", table) not in source.catalog.tables:
                    continue
                try:
                    found = rows(source, table)
                except DamagedBackupError:
                    continue
                # Either all of it or none: what is cut raises.
                assert found in (wanted, Counter()), (table, size)
                if not found and wanted:
                    assert not source.contents()[TableName("public", table)].data


def test_a_flipped_byte_ends_in_an_answer(scratch: Scratch, made: str, tmp_path: Path) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    chance = random.Random(11)
    path = tmp_path / "flipped.sql"
    for _ in range(150):
        at = chance.randrange(len(text))
        path.write_bytes(
            text[:at] + bytes([text[at] ^ (1 << chance.randrange(8))]) + text[at + 1 :]
        )
        try:
            with open_source(path) as source:
                for table in source.catalog.roots:
                    source.count(table.name)
        except BackupError as error:
            assert error.hint


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
        text = f"CREATE TABLE public.t (v text);{line}COPY public.t (v) FROM stdin;{line}{line.join(rows)}{ending}"
        (tmp_path / "b.sql").write_bytes(text.encode())
        with open_source(tmp_path / "b.sql") as source:
            found = source.rows_of(TableName("public", "t"), ["v"])
        assert found == [("x" * padding,), ("\\.",), (None,), ("a\\",), ("",), ("\\.",)]


# --- written, joined and edited by people -----------------------------------------------------------

BLANK = "COPY public.blank (t) FROM stdin;\n"


def edited(text: str, statement: str, rows: str | None = None) -> str:
    """The dump with another COPY for table blank, and perhaps other rows."""
    before, rest = text.rsplit(BLANK, 1)  # a function and a comment hold the same words
    own, after = rest.split("\n\\.\n", 1)
    return f"{before}{statement}\n{own if rows is None else rows}\n\\.\n{after}"


BY_HAND: dict[str, Callable[[str], str]] = {
    "comments": lambda t: edited(
        t, "/* a /* nested */ one */ COPY -- here\n /* and */ public.blank (t) FROM stdin;"
    ),
    "options": lambda t: edited(t, "copy blank from STDIN with (format text, null '\\N') ;"),
    "psql": lambda t: edited(t, "\\copy public.blank (t) from stdin"),
    "null": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin WITH NULL AS 'none';",
        "\nnone\n\n\\\\.\nCOPY blank (t) FROM stdin;",
    ),
    "escapes": lambda t: edited(
        t, BLANK[:-1], "\n\\N\n\n\\134\\.\n\\103\\x4f\\PY blank (t) FROM stdin;"
    ),
    "csv": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin WITH CSV HEADER;",
        't\n""\n\n""\n"\\."\nCOPY blank (t) FROM stdin;',
    ),
    "csv options": lambda t: edited(
        t,
        "COPY public.blank (t) FROM stdin (FORMAT csv, NULL '-', QUOTE '''', DELIMITER '|');",
        "\n-\n''\n'\\.'\nCOPY blank (t) FROM stdin;",
    ),
    "wide": lambda t: "\ufeff" + t.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("edit", BY_HAND)
def test_what_people_write(
    edit: str,
    scratch: Scratch,
    made: str,
    truth: dict[str, Counter[tuple[str | None, ...]]],
    tmp_path: Path,
) -> None:
    text = BY_HAND[edit](scratch.dump(made, tmp_path / "b.sql").read_text("utf-8"))
    path = tmp_path / "edited.sql"
    path.write_bytes(text.encode("utf-16-be" if edit == "wide" else "utf-8"))
    with open_source(path) as source:
        assert source.damage is None
        for table, wanted in truth.items():
            assert rows(source, table) == wanted, table
        # Found again by position, as a comparison does it.
        [segment] = source.segments(TableName("public", "blank"), ["t"])
        lines = b"".join(bytes(b) for b in segment.blocks()).split(b"\n")[:-1]
        starts = np.cumsum([0, *(len(line) + 1 for line in lines)])[:-1].astype(np.int64)
        assert [line for _, line in segment.lines_at(starts)] == lines


NOT_WHOLE: dict[str, tuple[Callable[[str], str], str]] = {
    "unknown option": (
        lambda t: edited(t, "COPY public.blank (t) FROM stdin WITH ODD 1;"),
        "COPY statement that PostgreSQL would not",
    ),
    "rows elsewhere": (
        lambda t: t + "\\copy public.blank from 'more.csv' csv\n",
        r"blank are in more\.csv",
    ),
    "another script": (lambda t: t + "\\i more.sql\n", r"includes more\.sql"),
    "a lost sector": (lambda t: t.replace("fooled", "\0" * 512, 1), "a NUL stands at byte"),
    "its last line": (lambda t: t[: t.index("\\unrestrict")], "unrestrict"),
}


@pytest.mark.parametrize("edit", NOT_WHOLE)
def test_what_is_not_whole_is_said(edit: str, scratch: Scratch, made: str, tmp_path: Path) -> None:
    change, words = NOT_WHOLE[edit]
    path = tmp_path / "edited.sql"
    path.write_text(change(scratch.dump(made, tmp_path / "b.sql").read_text("utf-8")), "utf-8")
    with open_source(path) as source:
        assert source.damage is not None
        assert re.search(words, source.damage)


def test_binary_rows_fail_their_table_and_edits_are_said(
    scratch: Scratch, made: str, tmp_path: Path
) -> None:
    text = edited(
        scratch.dump(made, tmp_path / "b.sql").read_text("utf-8"),
        "COPY public.blank (t) FROM stdin (FORMAT binary);",
    )
    (tmp_path / "b.sql").write_text(text + "UPDATE t SET v = upper(v);\n", "utf-8")
    with open_source(tmp_path / "b.sql") as source:
        assert source.edits == ("UPDATE t SET v = upper(v);",)
        with pytest.raises(
            BackupError, match="blank cannot be read: they are written in the format binary"
        ):
            source.count(TableName("public", "blank"))
        assert source.count(TableName("public", "t")) == 90


def test_dumps_in_one_file(
    scratch: Scratch, made: str, truth: dict[str, Counter[tuple[str | None, ...]]], tmp_path: Path
) -> None:
    """A schema and its data may be two dumps; a log to which a job appends every night may not."""
    parts = [
        scratch.dump(made, tmp_path / name, option).read_bytes()
        for name, option in (("s", "--schema-only"), ("d", "--data-only"))
    ]
    (tmp_path / "both.sql").write_bytes(b"".join(parts))
    with open_source(tmp_path / "both.sql") as source:
        assert rows(source, "t") == truth["t"]
    (tmp_path / "twice.sql").write_bytes(scratch.dump(made, tmp_path / "b.sql").read_bytes() * 2)
    with pytest.raises(BackupError, match="several dumps one after the other"):
        open_source(tmp_path / "twice.sql")


def test_packed_twice_and_packed_by_others(scratch: Scratch, made: str, tmp_path: Path) -> None:
    text = scratch.dump(made, tmp_path / "b.sql").read_bytes()
    (tmp_path / "b.gz.zst").write_bytes(zstandard.ZstdCompressor().compress(gzip.compress(text)))
    with open_source(tmp_path / "b.gz.zst") as source:
        assert source.count(TableName("public", "t")) == 90
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("b.sql", text)
    with pytest.raises(BackupError, match=r"is a ZIP file.*Unpack it"):
        open_source(tmp_path / "b.zip")


def test_names_in_the_encoding_of_the_dump(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(
        'CREATE TABLE "Größe" (id int, "naïve" text); INSERT INTO "Größe" VALUES (1, \'é\'), (2, NULL)'
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


def test_a_cluster_cut_after_its_first_database(scratch: Scratch, tmp_path: Path) -> None:
    names = ["cut_one", "cut_two"]
    for name in names:
        scratch.create(name)
        scratch.run(
            name, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); CREATE TABLE u (id int)"
        )
    try:
        path = tmp_path / "all.sql"
        subprocess.run([scratch.bin / "pg_dumpall", "-f", path], env=scratch.env, check=True)
        lines = path.read_bytes().splitlines(keepends=True)
        (begin,) = (n for n, line in enumerate(lines) if line.startswith(b"\\connect cut_two"))
        (end,) = (n for n, line in enumerate(lines) if b"cluster dump complete" in line)
        for last in range(begin + 1, end, 3):
            path.write_bytes(b"".join(lines[:last]))
            for name in names:
                with open_source(path, database=name) as source:
                    assert source.damage, (last, name)
    finally:
        for name in names:
            scratch.drop(name)


PARTS = """CREATE TABLE p (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r); CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
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
        "CREATE TABLE gone (a int, b text); INSERT INTO gone VALUES (1, 'x;'), (2, NULL); CREATE TABLE none (a int)"
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
