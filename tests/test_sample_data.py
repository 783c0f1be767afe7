"""The sample incident: it builds, it is what its page says, and its answers are right."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import ScratchError
from forensics.scratch import Scratch
from sample_data import build
from sample_data.world import BACKUP_AT, GALLERIES, INCIDENT_AT

GALLERY_TABLES = {gallery.table for gallery in GALLERIES}
COMMITTED: dict[str, Any] = json.loads(build.EXPECTED.read_text())
TABLES: dict[str, dict[str, Any]] = {table["table"]: table for table in COMMITTED["tables"]}


@pytest.fixture(scope="module")
def answers(scratch: Scratch) -> Iterator[dict[str, Any]]:
    """The answers worked out anew.

    The databases `before`, `eve` and `live` stay for the tests of this module.
    """
    yield build.answers(scratch)
    for database in ("before", "eve", "live"):
        scratch.drop(database)


def test_the_committed_answers_are_those_of_the_committed_backup(answers: dict[str, Any]) -> None:
    assert answers == COMMITTED


def test_the_committed_backup_is_what_the_seed_gives(scratch: Scratch, tmp_path: Path) -> None:
    committed = gzip.decompress(build.BACKUP.read_bytes())
    writer = re.search(rb"^-- Dumped by pg_dump version (\S+)", committed, re.M)
    assert writer
    if writer[1].decode() != scratch.version:
        pytest.skip("another PostgreSQL writes other comments")
    build.build_before(scratch, "seeded")
    rebuilt = build.write_backup(scratch, "seeded", tmp_path / "backup.sql.gz")
    scratch.drop("seeded")
    assert gzip.decompress(rebuilt.read_bytes()) == committed


def test_the_backup_is_a_whole_plain_dump_of_at_most_three_megabytes() -> None:
    assert build.BACKUP.stat().st_size <= 3_000_000
    text = gzip.decompress(build.BACKUP.read_bytes()).decode()
    assert text.startswith("--\n-- PostgreSQL database dump\n")
    assert text.endswith("-- PostgreSQL database dump complete\n--\n\n\\unrestrict sampledata\n\n")
    assert "OWNER TO" not in text
    assert "Started on" not in text


def test_every_committed_table_adds_up() -> None:
    for table in TABLES.values():
        assert table["missing"] + table["changed"] + table["unchanged"] == (
            table["backup_rows"] or 0
        ), table
        assert table["added"] + table["changed"] + table["unchanged"] == (
            table["live_rows"] or 0
        ), table
    for name in ("missing", "added", "changed", "unchanged"):
        assert COMMITTED["totals"][name] == sum(
            table[name] for table in TABLES.values() if not table.get("history")
        )
    for link in COMMITTED["links"]:
        assert link["missing"] == link["moved"] + link["lost"] == TABLES[link["table"]]["missing"]
        assert link["lost"] == link["restorable"] + link["blocked"]
        assert link["emptied"] <= link["affected"]


def test_the_incident_is_the_one_of_the_story() -> None:
    assert {name for name, table in TABLES.items() if table["state"] == "dropped"} == GALLERY_TABLES
    assert {name for name, table in TABLES.items() if table["state"] == "new"} == {
        "external_hotels",
        "external_hotel_rates",
    }
    assert {name for name, table in TABLES.items() if table["junction"]} == GALLERY_TABLES | {
        "_HotelToTag",
        "favorites",
    }
    dropped = [c for c in COMMITTED["columns"] if c["change"] == "dropped"]
    assert [(c["table"], c["column"]) for c in dropped] == [
        ("external_catalog_items", "updated_at")
    ]
    assert 0 < dropped[0]["values_missing"] < TABLES["external_catalog_items"]["backup_rows"]
    nullable = {
        (c["table"], c["column"]) for c in COMMITTED["columns"] if c["change"] == "nullability"
    }
    assert {
        ("external_search_cache", "query_json"),
        ("external_search_cache", "results_json"),
    } < nullable
    assert (
        58_000
        <= sum(table["backup_rows"] for table in TABLES.values() if table["junction"])
        <= 62_000
    )
    fates = {link["table"]: link for link in COMMITTED["links"]}
    assert all(fates[table]["moved"] > 0 for table in ("hotel_images", "tour_images"))
    assert all(fates[table]["blocked"] > 0 for table in ("hotel_images", "_HotelToTag"))
    assert all(fates[table]["unobservable"] for table in GALLERY_TABLES)


def test_galleries_are_skewed(scratch: Scratch, answers: dict[str, Any]) -> None:
    without, median, most = scratch.run(
        "before",
        """SELECT count(*) FILTER (WHERE n = 0), percentile_disc(0.5) WITHIN GROUP (ORDER BY n),
        max(n)
           FROM (SELECT count(i.id) AS n FROM hotels h LEFT JOIN hotel_images i ON i.hotel_id = h.id
                 GROUP BY h.id) AS galleries""",
    ).split("|")
    assert int(without) > 50
    assert int(median) < 20
    assert int(most) > 150


def test_the_implicit_many_to_many_table_is_as_prisma_5_made_it(
    scratch: Scratch, answers: dict[str, Any]
) -> None:
    constraints = scratch.run(
        "before",
        """SELECT contype, confdeltype FROM pg_constraint
           WHERE conrelid = '"_HotelToTag"'::regclass AND contype <> 'n' ORDER BY conname""",
    )
    assert constraints == "f|c\nf|c\n"
    unique = """
    SELECT count(*) FROM pg_index WHERE indrelid = '"_HotelToTag"'::regclass AND indisunique"""
    assert scratch.run("before", unique) == "1\n"


def test_nothing_in_the_backup_is_younger_than_the_backup(
    scratch: Scratch, answers: dict[str, Any]
) -> None:
    columns = scratch.run(
        "before",
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_schema = 'public'
             AND column_name IN ('created_at', 'updated_at', 'at', 'last_seen_at', 'read_at')""",
    ).splitlines()
    assert len(columns) > 30
    for table, column in (line.split("|") for line in columns):
        oldest, newest = (
            scratch.run("before", f'SELECT min({column}), max({column}) FROM "{table}"')
            .strip()
            .split("|")
        )
        assert datetime.fromisoformat(oldest[:19]) >= datetime(2025, 2, 10, 9)
        assert datetime.fromisoformat(newest[:19]) < BACKUP_AT.replace(tzinfo=None)


def test_the_migration_history_is_the_folders(scratch: Scratch, answers: dict[str, Any]) -> None:
    query = """SELECT migration_name, checksum, applied_steps_count, finished_at AT TIME ZONE 'UTC'
               FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at"""
    live = [line.split("|") for line in scratch.run("live", query).splitlines()]
    assert [row[0] for row in live] == build.migration_names()
    for name, checksum, steps, _ in live:
        assert (
            checksum
            == hashlib.sha256((build.MIGRATIONS / name / "migration.sql").read_bytes()).hexdigest()
        )
        assert steps == "1"
    assert live[-1][0] == build.INCIDENT
    assert datetime.fromisoformat(live[-1][3]) == INCIDENT_AT.replace(tzinfo=None)
    before = [line.split("|")[0] for line in scratch.run("before", query).splitlines()]
    assert before == build.migration_names()[:-1]
    failed = """SELECT applied_steps_count, finished_at IS NULL, logs <> ''
                FROM _prisma_migrations WHERE rolled_back_at IS NOT NULL"""
    assert scratch.run("live", failed) == "0|t|t\n"


def test_the_migration_fails_without_the_statements_that_make_room(
    scratch: Scratch, answers: dict[str, Any]
) -> None:
    for column in ("query_json", "results_json"):
        with pytest.raises(ScratchError, match=f'column "{column}" .* contains null values'):
            scratch.run(
                "eve", f"ALTER TABLE external_search_cache ALTER COLUMN {column} SET NOT NULL"
            )


def test_the_page_gives_the_numbers_of_the_answers() -> None:
    page = (build.HERE / "README.md").read_text()
    totals = COMMITTED["totals"]
    for number in (
        totals["backup_rows"],
        totals["missing"],
        sum(TABLES[t]["missing"] for t in GALLERY_TABLES),
    ):
        assert f"{number:,}" in page
    for link in COMMITTED["links"]:
        assert re.search(
            rf"`{link['table']}` \|.* {TABLES[link['table']]['backup_rows']:,} \|.* "
            rf"{link['lost']:,} \|",
            page,
        )
