"""What a backup is held to: cut, empty, old, lacking, or as it should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import LiveError, UsageError
from forensics.scratch import Scratch
from tests.prove.nights import CHURN, FORMS, Shop, counts, state, text


@pytest.mark.parametrize("form", FORMS)
def test_a_good_backup_of_every_form_holds(shop: Shop, form: str) -> None:
    backup = shop.dump(*FORMS[form])
    shop.happens(CHURN)
    proof = shop.prove(backup)
    assert proof.holds, proof.verdict
    assert proof["compared"] == {
        "tables": 4,
        "backup_rows": 3003,
        "live_rows": 3044,
        "unchanged": 3003 - 40 - 9,
    }
    invoices = counts(proof, "invoices")
    assert (invoices["added"], invoices["changed"], invoices["missing"]) == (35, 40, 0)
    assert (invoices["backup_rows"], invoices["live_rows"]) == (2000, 2035)
    assert proof["backup"]["sha256"]
    assert proof.unaltered


@pytest.mark.parametrize("form", ["plain", "custom", "tar"])
@pytest.mark.parametrize("share", [0.02, 0.6, 0.97])
def test_a_cut_backup_fails(shop: Shop, form: str, share: float) -> None:
    backup = shop.dump(*FORMS[form])
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * share)])
    proof = shop.prove(backup, out=shop.folder / "proof.json")
    assert proof.holds is False
    assert state(proof, "whole") == "fails"
    assert (shop.folder / "proof.json").exists()


def test_a_directory_that_lacks_its_list_or_a_file_fails(shop: Shop) -> None:
    backup = shop.dump("b.dir", "-Fd")
    largest = max(backup.glob("*.dat*"), key=lambda path: path.stat().st_size)
    kept = largest.read_bytes()
    largest.unlink()
    assert shop.prove(backup).holds is False
    largest.write_bytes(kept[: len(kept) // 2])
    assert shop.prove(backup).holds is False
    (backup / "toc.dat").unlink()
    assert shop.prove(backup).holds is False


@pytest.mark.parametrize("content", [b"", b"<html>502 Bad Gateway</html>", b"\x00" * 4096])
def test_what_is_no_backup_fails(shop: Shop, content: bytes) -> None:
    backup = shop.folder / "b.dump"
    backup.write_bytes(content)
    proof = shop.prove(backup)
    assert proof.holds is False
    assert proof["compared"]["tables"] == 0
    assert proof["backup"]["bytes"] == len(content)


def test_no_rows_are_no_proof(shop: Shop) -> None:
    assert shop.prove(shop.dump("schema.dump", "-Fc", "-s")).holds is False
    shop.happens("DELETE FROM invoices; DELETE FROM customers; DELETE FROM parcels;")
    shop.happens("DELETE FROM countries")
    proof = shop.prove(shop.dump("hollow.dump"))
    assert proof.holds is False
    assert state(proof, "compared") == "fails"
    assert "4 tables and 0 rows" in text(proof, "compared")


def test_a_backup_of_another_database_fails(shop: Shop) -> None:
    backup = shop.dump()
    shop.happens(
        "TRUNCATE customers, invoices, parcels, countries; "
        "INSERT INTO parcels (weight) SELECT 1 FROM generate_series(1, 500)"
    )
    assert state(shop.prove(backup), "alike") == "fails"


def test_a_backup_is_no_proof_of_itself(shop: Shop) -> None:
    backup = shop.dump()
    assert fx.prove(backup, backup).holds is None
    assert fx.prove(shop.dsn, shop.dsn).holds is None


def test_a_database_may_stand_for_a_backup(shop: Shop, scratch: Scratch, template: str) -> None:
    shop.happens(CHURN)
    proof = fx.prove(scratch.dsn(template), shop.dsn)
    assert proof.holds
    assert proof["backup"]["sha256"] is None


# --- age ------------------------------------------------------------------------------------------


def test_age(shop: Shop) -> None:
    backup = shop.dump()
    assert shop.prove(backup, max_age="26h").holds
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    plain = shop.dump("b.sql", "-Fp")
    assert shop.prove(plain, backup_at=long_ago, max_age="26h").holds is False
    assert shop.prove(plain, backup_at=long_ago, max_age="2d").holds
    unknown = shop.prove(plain, max_age="26h")
    assert unknown.holds is None
    assert "--backup-at" in unknown.verdict
    verbose = shop.dump("v.sql", "-Fp", "--verbose")
    assert shop.prove(verbose, max_age="5min").holds
    with pytest.raises(UsageError, match="which is not"):
        shop.prove(verbose, backup_at=long_ago, max_age="26h")
    ahead = datetime.now(UTC) + timedelta(hours=3)
    assert shop.prove(plain, backup_at=ahead, max_age="26h").holds is None


def test_an_old_archive_fails(shop: Shop) -> None:
    """The archive's own time, in its header: seconds to years, as integers of five bytes."""
    backup = shop.dump()
    data = bytearray(backup.read_bytes())
    year = datetime.now(UTC).year - 1900
    at = bytes(data[:200]).index(b"\x00" + year.to_bytes(4, "little"))
    data[at + 1] -= 1
    backup.write_bytes(data)
    proof = shop.prove(backup, max_age="26h")
    assert (proof.holds, state(proof, "age")) == (False, "fails")
    assert "taken for UTC" in text(proof, "age")


# --- tables ---------------------------------------------------------------------------------------


def test_a_backup_that_lacks_a_table_fails(shop: Shop) -> None:
    lacking = shop.dump("b.dump", "-Fc", "-T", "parcels")
    proof = shop.prove(lacking)
    assert proof.holds is False
    assert "parcels (600 rows)" in text(proof, "tables")
    assert shop.prove(lacking, without=["parc*"]).holds
    assert shop.prove(shop.dump("c.sql", "-Fp", "-T", "parcels")).holds is False


def test_an_empty_table_that_foreign_keys_name_was_there(shop: Shop) -> None:
    shop.happens("CREATE TABLE dues (id int PRIMARY KEY)")
    shop.happens("ALTER TABLE parcels ADD due int REFERENCES dues")
    backup = shop.dump("b.dump", "-Fc", "-T", "dues")
    assert "foreign keys" in text(shop.prove(backup), "tables")


def test_a_table_made_since_is_tolerated(shop: Shop) -> None:
    archive = shop.dump()
    shop.happens(
        "CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1), (2); "
        "CREATE TABLE hollow (id int)"
    )
    proof = shop.prove(archive)
    assert proof.holds, proof.verdict
    assert "fresh" in text(proof, "tables")


def test_a_table_of_a_migration_since_is_not_known(shop: Shop) -> None:
    """A plain dump bears no ids: whether the migration made it, or the dump lacks it, none says."""
    shop.happens("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
    shop.happens("INSERT INTO schema_migrations VALUES (20260101000000, false)")
    plain, archive = shop.dump("b.sql", "-Fp"), shop.dump()
    shop.happens(
        "INSERT INTO schema_migrations VALUES (20260102000000, false); "
        "CREATE TABLE fresh (id int PRIMARY KEY); INSERT INTO fresh VALUES (1), (2)"
    )
    assert shop.prove(plain).holds is None
    assert shop.prove(plain, without=["fresh"]).holds
    assert shop.prove(archive).holds


def test_a_dropped_table_speaks_for_the_backup(shop: Shop) -> None:
    backup = shop.dump()
    shop.happens("DROP TABLE parcels")
    proof = shop.prove(backup)
    assert proof.holds
    assert "1 table more of the backup, with 600 rows, is not in live" in text(proof, "alike")
    assert proof["compared"]["tables"] == 3


def test_rows_that_were_not_dumped(shop: Shop) -> None:
    backup = shop.dump("b.dump", "-Fc", "--exclude-table-data=parcels")
    proof = shop.prove(backup)
    assert (proof.holds, state(proof, "rows")) == (False, "fails")
    assert shop.prove(backup, without=["parcels"]).holds


def test_expected_tables(shop: Shop) -> None:
    backup = shop.dump()
    assert shop.prove(backup, expect_tables=4, expect=["invoices", "public.parcels"]).holds
    assert shop.prove(backup, expect_tables=5).holds is False
    proof = shop.prove(backup, expect=["invoice"])
    assert proof.holds is False
    assert "Did you mean" in text(proof, "expected")
    shop.happens("DELETE FROM countries")
    hollow = shop.dump()
    shop.happens("INSERT INTO countries VALUES ('de', 'Germany')")
    assert shop.prove(hollow).holds
    assert shop.prove(hollow, expect=["countries"]).holds is False


# --- rows -----------------------------------------------------------------------------------------


def made_without(shop: Shop, condition: str, form: tuple[str, ...] = ("b.dump", "-Fc")) -> Path:
    """A backup that lacks rows which live has."""
    shop.happens(f"CREATE TABLE aside AS SELECT * FROM invoices WHERE {condition}")
    shop.happens(f"DELETE FROM invoices WHERE {condition}")
    backup = shop.dump(*form, "-T", "aside")
    shop.happens("INSERT INTO invoices SELECT * FROM aside; DROP TABLE aside")
    return backup


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_an_empty_table_with_old_rows_in_live_fails(shop: Shop, form: str) -> None:
    backup = made_without(shop, "true", FORMS[form] if form == "custom" else ("b.sql", "-Fp"))
    proof = shop.prove(backup)
    assert state(proof, "rows") == "fails", proof.verdict
    assert counts(proof, "invoices")["older"] == 2000


def test_a_part_of_a_table_that_is_old_and_lacking_fails(shop: Shop) -> None:
    proof = shop.prove(made_without(shop, "id % 9 = 0"))
    assert state(proof, "rows") == "fails"
    assert counts(proof, "invoices")["older"] == 222


def test_a_table_that_fills_since_holds(shop: Shop) -> None:
    shop.happens("DELETE FROM invoices; ALTER SEQUENCE invoices_id_seq RESTART")
    backup = shop.dump()
    shop.happens(
        "INSERT INTO invoices (customer_id, cents) SELECT 1, i FROM generate_series(1, 5000) i"
    )
    assert shop.prove(backup).holds


def test_an_import_of_many_rows_holds(shop: Shop) -> None:
    """Of long ago, by their own time, and yet new: they have new numbers."""
    backup = shop.dump()
    shop.happens(
        "INSERT INTO invoices (customer_id, cents, created_at) "
        "SELECT 1, i, '2020-01-01' FROM generate_series(1, 4000) i"
    )
    assert shop.prove(backup).holds


def test_whether_rows_are_old_may_not_be_known(shop: Shop) -> None:
    shop.happens("DELETE FROM parcels")
    backup = shop.dump()
    shop.happens("INSERT INTO parcels (weight) SELECT 1 FROM generate_series(1, 90)")
    assert shop.prove(backup).holds
    shop.happens("INSERT INTO parcels (weight) SELECT 1 FROM generate_series(1, 90)")
    assert shop.prove(backup).holds is None
    assert shop.prove(backup, without=["parcels"]).holds


def test_most_that_may_be_missing(shop: Shop) -> None:
    backup = shop.dump()
    shop.happens("DELETE FROM invoices WHERE id <= 100")
    assert shop.prove(backup).holds
    assert shop.prove(backup, max_missing=5).holds
    assert shop.prove(backup, max_missing=4.9).holds is False
    assert shop.prove(backup, max_missing=0, tolerate=["invoices"]).holds


# --- live -----------------------------------------------------------------------------------------


def test_a_table_that_may_not_be_read_is_not_known(shop: Shop, scratch: Scratch) -> None:
    backup = shop.dump()
    shop.happens(
        "DROP ROLE IF EXISTS night; CREATE ROLE night LOGIN; "
        "GRANT SELECT ON customers, parcels, countries TO night"
    )
    proof = fx.prove(backup, shop.dsn.replace("postgres@", "night@", 1))
    assert proof.holds is None
    assert "invoices" in text(proof, "compared")
    shop.happens("DROP OWNED BY night; DROP ROLE night")


def test_no_live_no_answer(shop: Shop) -> None:
    with pytest.raises(LiveError):
        fx.prove(shop.dump(), shop.dsn.replace(f"/{shop.name}", "/not_there"))
