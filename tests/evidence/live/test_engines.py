"""A side may be given as an engine or a URL of SQLAlchemy's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

import forensics as fx
from forensics.errors import LiveError, UsageError
from forensics.evidence import open_source
from forensics.evidence.live.dsn import as_text, parameters_of
from forensics.scratch import Scratch

PASSWORD = "s3cret: @/?#%+ 'two\" \\words"
BOATS = """
CREATE TABLE boats (id int PRIMARY KEY, name text);
INSERT INTO boats SELECT i, 'boat ' || i FROM generate_series(1, 9) i;
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Scratch]:
    """A server with a role that has to say its password."""
    with Scratch() as server:
        server.create("harbour")
        server.run("harbour", BOATS)
        server.run("harbour", "CREATE ROLE skipper LOGIN; GRANT SELECT ON boats TO skipper")
        with psycopg.connect(server.dsn("harbour"), autocommit=True) as session:
            session.execute(
                psycopg.sql.SQL("ALTER ROLE skipper PASSWORD {}").format(
                    psycopg.sql.Literal(PASSWORD)
                )
            )
            [[file]] = session.execute("SHOW hba_file").fetchall()
            rules = Path(str(file))
            rules.write_text("local all skipper scram-sha-256\n" + rules.read_text())
            session.execute("SELECT pg_reload_conf()")
        yield server


def url_of(server: Scratch, password: str = PASSWORD, driver: str = "psycopg") -> sqlalchemy.URL:
    return sqlalchemy.URL.create(
        f"postgresql+{driver}",
        "skipper",
        password,
        database="harbour",
        query={"host": str(server.folder), "port": "5432"},
    )


def test_an_engine_is_the_database_that_its_url_names(guarded: Scratch, tmp_path: Path) -> None:
    dump = guarded.dump("harbour", tmp_path / "harbour.sql")
    engine = sqlalchemy.create_engine(url_of(guarded))
    with fx.compare(dump, engine, tmp_path / "case") as case:
        assert (case.complete, case.nothing_missing) == (True, True)
        shown = f"{case.evidence.live} {case.summary()}"
    for file in (tmp_path / "case").iterdir():
        shown += file.read_bytes().decode("latin-1")
    assert "skipper@" in shown
    assert "s3cret" not in shown
    assert engine.pool.status().endswith("Current Checked out connections: 0")  # type: ignore[attr-defined]


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg"])
def test_either_side_and_any_driver(guarded: Scratch, driver: str) -> None:
    url = url_of(guarded, driver=driver)
    with fx.open_backup(url, live=url) as backup:
        assert backup.tables == ["boats"]
        answer = backup.arrow("SELECT count(*) AS n FROM boats JOIN live.boats USING (id)")
    assert answer.to_pylist() == [{"n": 9}]


def test_a_refusal_does_not_show_the_password(
    guarded: Scratch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sqlalchemy.create_engine(url_of(guarded, f"{PASSWORD} not"))
    with caplog.at_level(logging.DEBUG), pytest.raises(LiveError, match="password") as refused:
        open_source(engine, role="live")
    assert "s3cret" not in f"{refused.value!r} {refused.value} {caplog.text}"


def test_several_hosts() -> None:
    url = sqlalchemy.make_url("postgresql://u@/d?host=one:5433&host=two:5434&sslmode=require")
    assert parameters_of(str(as_text(url))) == {
        "user": "u",
        "dbname": "d",
        "host": "one,two",
        "port": "5433,5434",
        "sslmode": "require",
    }


OTHERS = {
    "sqlite:///x.db": "a database of sqlite",
    "mysql://u:s3cret@h/d": "a database of mysql",
    "postgresql+asyncpg://u:s3cret@h/d?ssl=s3cret": "sets an option",
    "postgresql://u:s3cret@/d?host=a:1&host=b&port=2,3": "its hosts",
}


@pytest.mark.parametrize("given", OTHERS)
def test_what_is_no_postgresql_is_refused_in_words(given: str) -> None:
    with pytest.raises(UsageError, match=OTHERS[given]) as refused:
        open_source(sqlalchemy.make_url(given))
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_whatever_else_is_given_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="cannot be given as int"):
        open_source(5)  # type: ignore[arg-type]
