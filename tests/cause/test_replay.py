"""The replay itself: a dump and its functions are untrusted, and run with nothing to reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics.cause.replay import Replay, Watched
from forensics.evidence.migrations import Migration
from forensics.model import TableName
from forensics.scratch import Scratch

T = TableName("public", "t")


def migration(text: str) -> Migration:
    return Migration("m", Path("m.sql"), text.encode())


@pytest.mark.parametrize(
    "attack",
    [
        "COPY t TO PROGRAM 'touch {file}'",
        "COPY t TO '{file}'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'getpid'",
        "CREATE EXTENSION dblink",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_export(lo_from_bytea(0, 'x'), '{file}')",
        "SET ROLE postgres",
        "ALTER ROLE forensics_replay SUPERUSER",
        "CREATE ROLE other SUPERUSER",
    ],
)
def test_a_migration_or_a_dump_reaches_nothing_outside(
    attack: str, scratch: Scratch, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    file = tmp_path / "made"
    text = attack.format(file=file)
    body = text.replace("'", "''")
    if attack.startswith("SELECT"):
        body = body.replace("SELECT", "PERFORM")
    with Replay(scratch) as replay:
        replay.build(
            [
                "CREATE TABLE public.t (id int PRIMARY KEY)",
                "CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql "
                f"AS 'BEGIN {body}; RETURN NEW; END'",
                "CREATE TRIGGER evil BEFORE DELETE ON public.t "
                "FOR EACH ROW EXECUTE FUNCTION public.evil()",
                text,
            ],
            (),
        )
        assert replay.load(T, ["id"], [b"1\n"]) is None
        replay.finish()
        replay.run([migration(f"{text};\nDELETE FROM t;")], "public")
        assert all(s.error or s.left_out for s in replay.steps), [
            (s.statement.text, s.error) for s in replay.steps
        ]
    assert not file.exists()
    assert scratch.run("postgres", "SELECT count(*) FROM pg_roles WHERE rolsuper") == "1\n"


def test_rows_that_come_back_are_not_gone(scratch: Scratch) -> None:
    with Replay(scratch) as replay:
        replay.build(["CREATE TABLE public.t (id int PRIMARY KEY, n text)"], ())
        replay.load(T, ["id", "n"], [b"1\ta\n2\tb\n3\t\\N\n"])
        replay.finish()
        watched = Watched(T, ("id",), ("id", "n"))
        assert replay.watch(watched, [b"7\t1\ta\n8\t3\t\\N\n"]) is None
        replay.run(
            [
                migration(
                    "CREATE TABLE k AS TABLE t; DELETE FROM t;"
                    "INSERT INTO t SELECT * FROM k WHERE id < 3; SELECT 1;"
                )
            ],
            "public",
        )
        assert replay.gone(watched) == {None: 1, 2: 1}
        assert replay.taken(watched).to_pydict() == {"pair": [8], "step": [2]}


def test_a_failed_statement_leaves_the_others_their_say(scratch: Scratch) -> None:
    with Replay(scratch) as replay:
        replay.build(["CREATE TABLE public.t (id int PRIMARY KEY, n text)"], ())
        replay.load(T, ["id", "n"], [b"1\ta\n2\tb\n"])
        replay.finish()
        watched = Watched(T, ("id",), ("id", "n"), values=("n",))
        replay.watch(watched, [b"1\t1\ta\n"])
        text = (
            "BEGIN; GRANT ALL ON t TO nobody; SELECT absent();"
            "ALTER TABLE t DROP COLUMN n, ADD COLUMN v vector(3);"
            "DELETE FROM t WHERE id = 1; COMMIT;"
        )
        replay.run([migration(text)], "public")
        assert [(s.number, bool(s.error), s.left_out) for s in replay.steps] == [
            (1, False, True),
            (2, False, True),
            (3, True, False),
            (4, True, False),
            (5, False, False),
            (6, False, True),
        ]
        assert [(e.step, e.values) for e in replay.effects] == [(4, 2)]
        assert replay.gone(watched) == {5: 1}


def test_a_new_label_of_an_enum_can_be_used_by_the_next_statement(scratch: Scratch) -> None:
    with Replay(scratch) as replay:
        replay.build(
            [
                "CREATE TYPE public.mood AS ENUM ('a')",
                "CREATE TABLE public.t (id int, m public.mood)",
            ],
            (),
        )
        replay.finish()
        replay.run(
            [
                migration(
                    "ALTER TYPE mood ADD VALUE 'b'; INSERT INTO t VALUES (1, 'b');"
                    "CREATE INDEX CONCURRENTLY i ON t (id); DROP INDEX CONCURRENTLY i;"
                )
            ],
            "public",
        )
        assert [s.error for s in replay.steps] == [None] * 4


def test_a_backups_schema_is_built_with_what_hangs_on_it(scratch: Scratch, tmp_path: Path) -> None:
    scratch.create("built")
    try:
        scratch.run(
            "built",
            """CREATE SCHEMA "Odd S"; CREATE EXTENSION citext;
            CREATE DOMAIN pos AS int CHECK (VALUE > 0);
            CREATE TABLE "Odd S"."T" ("Id" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
              c citext, q int, p pos, g int GENERATED ALWAYS AS (q * 2) STORED);
            CREATE TABLE parted (id int, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
            CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a');
            CREATE TABLE child () INHERITS ("Odd S"."T");
            CREATE VIEW v AS SELECT * FROM parted; CREATE INDEX ON parted (r);""",
        )
        from forensics.evidence import open_source

        with (
            open_source(scratch.dump("built", tmp_path / "d.sql")) as source,
            Replay(scratch) as replay,
        ):
            replay.build(source.statements(), source.catalog.extensions)
            replay.finish()
            assert replay.notes == []
            assert replay.unbuilt == {}
            assert replay.has(TableName("Odd S", "T")) and replay.has(TableName("public", "v"))
            assert replay.load(TableName("public", "parted"), ["id", "r"], [b"1\ta\n"]) is None
    finally:
        scratch.drop("built")
