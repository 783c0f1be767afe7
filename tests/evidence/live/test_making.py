"""What live says of the making of its tables, and what an archive says of theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import LiveError, OutdatedError
from forensics.evidence import open_source
from forensics.evidence.live.making import read_making
from forensics.scratch import Scratch

SCHEMA = """
CREATE TABLE boats (id serial PRIMARY KEY, name text);
CREATE TABLE crews (boat_id int REFERENCES boats, id int PRIMARY KEY);
CREATE TABLE logs (at date, body text) PARTITION BY RANGE (at);
INSERT INTO boats (name) SELECT 'b' || i FROM generate_series(1, 30) i;
"""


def made(server: Scratch, name: str, dsn: str | None = None) -> dict[str, Any]:
    with open_source(dsn or server.dsn(name), role="live") as live:
        found = live.making()
    assert found is not None
    return {**found, "by": {each["name"]: each for each in found["relations"]}}


def test_a_table_is_as_old_as_it_is_whatever_is_done_to_it(
    scratch: Scratch, database: Callable[..., str]
) -> None:
    name = database(SCHEMA)
    before = made(scratch, name)["by"]
    assert before["boats"]["first_file"] and before["boats_id_seq"]["last_value"] == 30
    assert before["crews"]["together"] and "together" not in before["boats"]
    assert before["logs"]["first_file"] is None
    scratch.run(
        name,
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; ANALYZE;"
        "ALTER TABLE boats ADD COLUMN flag text; ALTER TABLE crews RENAME TO hands;"
        "DELETE FROM boats; VACUUM boats; VACUUM FULL hands; TRUNCATE hands;",
    )
    after = made(scratch, name)["by"]
    for now, then in (("boats", "boats"), ("hands", "crews"), ("logs", "logs")):
        for fact in ("oid", "transaction"):
            assert after[now][fact] == before[then][fact]
    assert "together" not in after["boats"]  # its index remembers
    assert after["boats"]["first_file"] and not after["hands"]["first_file"]
    assert after["boats"]["deleted"] == 30


def test_an_archive_says_the_ids_that_the_tables_had(
    scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    name = database(SCHEMA + "SELECT lo_create(4000000000);")
    live = made(scratch, name)
    for options in (("-Fc",), ("-Ft",), ("-Fc", "--data-only")):
        backup = scratch.dump(name, tmp_path / "-".join(options), *options)
        with open_source(backup) as source:
            ids = source.object_ids()
        assert ids is not None
        for table in ids["tables"]:
            assert live["by"][table["table"]]["oid"] == table["oid"]
        assert {table["table"] for table in ids["tables"]} >= {"boats", "crews"}
        assert max(table["oid"] for table in ids["tables"]) <= ids["highest"] < 4_000_000_000
    with open_source(scratch.dump(name, tmp_path / "plain")) as source:
        assert source.object_ids() is None and source.making() is None


def test_what_a_role_may_not_ask_is_unknown_and_nothing_fails(
    scratch: Scratch, database: Callable[..., str]
) -> None:
    name = database(SCHEMA + "CREATE ROLE mariner LOGIN;")
    found = made(scratch, name, scratch.dsn(name).replace("postgres@", "mariner@"))
    assert "modified" not in found["by"]["boats"]
    assert "last_value" not in found["by"]["boats_id_seq"]
    assert found["by"]["boats"]["transaction"]
    scratch.run("postgres", "DROP ROLE mariner")


def test_a_question_that_is_refused_leaves_the_others() -> None:
    table = {"schema": "public", "name": "t", "oid": 20_000}

    def ask(name: str) -> list[dict[str, Any]]:
        if name == "made":
            return [dict(table)]
        raise LiveError(f"no {name}", sqlstate="42501")

    found = read_making(ask)
    assert found is not None
    assert found["relations"] == [{"schema": "public", "name": "t", "oid": 20_000}]
    assert found["refused"]["files"] == "no made_files"

    def refuse(error: LiveError) -> Callable[[str], list[dict[str, Any]]]:
        def asked(name: str) -> list[dict[str, Any]]:
            raise error

        return asked

    assert read_making(refuse(LiveError("no", sqlstate="42501"))) is None
    assert read_making(refuse(LiveError("internal", sqlstate="XX000"))) is None
    with pytest.raises(LiveError, match="no room"):
        read_making(refuse(LiveError("no room", sqlstate="53300")))
    assert read_making(refuse(OutdatedError("replay", None, "40001", "live"))) is None
    with pytest.raises(LiveError, match="lost"):
        read_making(refuse(LiveError("lost")))
