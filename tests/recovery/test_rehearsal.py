"""Every option, rehearsed on the sample incident; and what the rehearsal says when it fails."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import forensics as fx
from forensics.errors import RecoveryError, UsageError
from forensics.recovery import Scope, Wishes, make_plan
from forensics.scratch import Scratch
from sample_data import build

EXPECTED = json.loads(build.EXPECTED.read_text())
LOST = sum(j["lost"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag")
BLOCKED = sum(j["blocked"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag")


@pytest.fixture(scope="module")
def sample(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("sample")
    build.build_live(scratch, "sample_live")
    case = fx.compare(build.BACKUP, scratch.dsn("sample_live"), case=folder / "case")
    wishes = Wishes(scratch.dsn("sample_live"), True, build.MIGRATIONS, None, (), scratch)
    plan = make_plan(case.store, folder / "out", Scope(columns=True), wishes)
    yield SimpleNamespace(scratch=scratch, case=case, plan=plan, out=folder / "out", dsn=scratch.dsn("sample_live"))
    case.close()
    scratch.drop("sample_live")


def test_re_inserting_is_proved(sample: SimpleNamespace) -> None:
    proof = sample.plan.rehearsal
    assert proof.problems == ()
    assert (proof.lost_before, proof.lost_after, proof.blocked) == (LOST, BLOCKED, BLOCKED)
    assert proof.idempotent and proof.undo_restores and proof.constraints_valid and proof.unchanged
    assert proof.values == 913 - 8  # eight items with a time are gone themselves
    by_name = {o.name: o for o in sample.plan.options}
    assert by_name["reinsert lost rows"].verified
    assert (by_name["reinsert lost rows"].recovers, by_name["reinsert lost rows"].destroys) == (LOST - BLOCKED, 0)


def test_the_backfill_puts_links_in_order_and_leaves_what_editors_did(sample: SimpleNamespace) -> None:
    option = next(o for o in sample.plan.options if o.name == "backfill")
    assert option.verified
    scratch = sample.scratch
    scratch.create("sample_filled", "sample_live")
    try:
        ask = "SELECT id, gallery_asset_ids, cover_asset_id FROM hotels WHERE gallery_asset_ids IS NOT NULL ORDER BY id"
        before = scratch.run("sample_filled", ask).splitlines()
        scratch.run("sample_filled", (sample.out / "recovery.sql").read_bytes())
        scratch.run("sample_filled", (sample.out / "backfill.sql").read_bytes())
        assert set(before) < set(scratch.run("sample_filled", ask).splitlines())
        wrong = """
          SELECT count(*) FROM hotels h JOIN (SELECT hotel_id, jsonb_agg(asset_id ORDER BY sort_order, created_at) AS list
            FROM hotel_images GROUP BY 1) i ON i.hotel_id = h.id WHERE h.gallery_asset_ids <> i.list"""
        assert int(scratch.run("sample_filled", wrong)) <= len(before)
        none = (
            "SELECT count(*) FROM hotels h WHERE gallery_asset_ids IS NULL AND EXISTS (SELECT FROM hotel_images i WHERE i.hotel_id = h.id)"
        )
        assert scratch.run("sample_filled", none).strip() == "0"
        covers = """SELECT count(*) FROM hotels h JOIN hotel_images i ON i.hotel_id = h.id AND i.is_primary
          WHERE h.cover_asset_id <> i.asset_id AND h.id NOT IN (SELECT id FROM hotels WHERE cover_asset_id IS NULL)"""
        assert int(scratch.run("sample_filled", covers)) <= len(before)
        links = "SELECT sum(jsonb_array_length(gallery_asset_ids)) FROM "
        tables = [
            "cities",
            "city_places",
            "esim_plans",
            "hotels",
            "medical_centers",
            "products",
            "restaurants",
            "tours",
            "transport_products",
        ]
        held = [int(scratch.run(d, links + t).strip() or 0) for d in ("sample_live", "sample_filled") for t in tables]
        assert sum(held[9:]) - sum(held[:9]) == option.recovers
    finally:
        scratch.drop("sample_filled")


def test_a_full_restore_recovers_and_destroys_what_its_option_says(sample: SimpleNamespace) -> None:
    option = next(o for o in sample.plan.options if o.name == "full restore")
    scratch = sample.scratch
    build.restore_backup(scratch, "sample_restored")
    try:
        again = fx.compare(build.BACKUP, scratch.dsn("sample_restored"), case=sample.out / "restored")
        assert again.totals["missing"] == again.totals["changed"] == 0
        again.close()
        written = fx.compare(sample.dsn, scratch.dsn("sample_restored"), case=sample.out / "destroyed")
        # Seen from live, what is missing or changed in the restored database is what the restore destroyed.
        assert written.totals["missing"] + written.totals["changed"] == option.destroys
        written.close()
    finally:
        scratch.drop("sample_restored")
    assert sum(s.rows for s in option.destroyed) == option.destroys
    assert all(s.examples for s in option.destroyed if s.rows and sample.case.store.columns(s.name, "live"))


def test_rolling_back_brings_back_empty_tables(sample: SimpleNamespace) -> None:
    option = next(o for o in sample.plan.options if o.name == "roll back")
    assert option.recovers == 0
    new = [t for t in EXPECTED["tables"] if t["state"] == "new"]
    assert option.destroys == sum(t["live_rows"] for t in new)


def test_the_safer_migration_loses_nothing(sample: SimpleNamespace) -> None:
    (trial,) = sample.plan.migrations
    assert trial.holds, trial.problems
    assert (trial.lost, trial.schema_equal, trial.values) == (0, True, 913)
    assert trial.links == sum(j["missing"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag")


def test_the_plan_is_written_and_private(sample: SimpleNamespace) -> None:
    written = json.loads((sample.out / "plan.json").read_text())
    assert written == json.loads(json.dumps(sample.plan.as_json()))
    assert {o["name"] for o in written["options"]} == {"full restore", "roll back", "reinsert lost rows", "backfill"}
    page = (sample.out / "runbook.md").read_text()
    for word in ("recovery.sql", "undo.sql", "backfill.sql", "undo_backfill.sql", "pg_dump", "Back out", f"{LOST:,}"):
        assert word in page
    assert (sample.out / "plan.json").stat().st_mode & 0o077 == 0


def test_the_facade_keeps_the_proof_in_the_case(sample: SimpleNamespace) -> None:
    recovery = sample.case.recovery(tables=["esim_images"])
    assert list(recovery.options.index) == ["full restore", "roll back", "reinsert lost rows", "backfill"]
    assert "616" in recovery._repr_html_()
    plan = recovery.rehearse(live=sample.dsn)
    assert plan.holds
    assert sample.case.store.get("recovery")["rehearsal"]["lost_before"] == 616
    assert list(recovery.tables["table"]) == ["esim_images"]
    assert recovery.rehearsal.loc["lost before", "value"] == 616
    whole = sample.case.recovery(columns=True)
    assert whole.reasons["rows"].sum() == BLOCKED
    destroyed = whole.destroyed.query("option == 'full restore'")
    assert destroyed["rows"].sum() == next(o for o in sample.plan.options if o.name == "full restore").destroys


def test_live_that_changed_is_not_planned_for(sample: SimpleNamespace) -> None:
    scratch = sample.scratch
    scratch.create("sample_moved", "sample_live")
    try:
        scratch.run("sample_moved", "CREATE TABLE esim_images (id text)")
        with pytest.raises(RecoveryError, match="esim_images was gone when live was compared"):
            make_plan(sample.case.store, sample.out / "moved", Scope(), Wishes(scratch.dsn("sample_moved")))
        scratch.run("sample_moved", "DROP TABLE esim_images; ALTER TABLE hotels ALTER COLUMN id TYPE varchar(40)")
        with pytest.raises(RecoveryError, match="Columns of table hotels changed"):
            make_plan(sample.case.store, sample.out / "moved", Scope(), Wishes(scratch.dsn("sample_moved")))
    finally:
        scratch.drop("sample_moved")


def test_a_wrong_table_and_a_dump_as_live(sample: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--table chooses no table"):
        make_plan(sample.case.store, None, Scope(("nowhere",)))
    plain = tmp_path / "live.sql"
    plain.write_bytes(gzip.decompress(build.BACKUP.read_bytes()))
    with pytest.raises(UsageError, match="a dump"):
        make_plan(sample.case.store, tmp_path / "out", Scope(), Wishes(str(plain)))
