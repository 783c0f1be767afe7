"""Every option, rehearsed on the sample incident; and what the rehearsal says when it fails.

The databases that the rehearsals work in are kept until the tests have looked into them with
SQL of their own.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import forensics as fx
from forensics.errors import RecoveryError, UsageError
from forensics.evidence import open_source
from forensics.recovery import Proof, Scope, Wishes, make_plan, plan
from forensics.recovery.choose.price import price
from forensics.recovery.choose.reversal import reversal
from forensics.recovery.rehearse import stage
from forensics.recovery.rehearse.copies import LiveCopy, a_database, backup_copy
from forensics.recovery.rehearse.restore import look_through
from forensics.recovery.rehearse.rollback import rehearse_rollback
from forensics.recovery.write.rollback import undoing
from forensics.scratch import Scratch
from sample_data import build

EXPECTED = json.loads(build.EXPECTED.read_text())
LOST = sum(j["lost"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag")
BLOCKED = sum(j["blocked"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag")
# What an application wrote into the columns that the migration added: known from how the
# incident was made.
FILLED = {
    **dict.fromkeys(
        (
            "cities",
            "city_places",
            "esim_plans",
            "hotels",
            "medical_centers",
            "products",
            "restaurants",
            "tours",
            "transport_products",
        ),
        "cover_asset_id IS NOT NULL OR gallery_asset_ids IS NOT NULL",
    ),
    "external_catalog_items": "external_hotel_id IS NOT NULL",
    "hotel_bookings": "external_hotel_id IS NOT NULL OR hotel_source <> 'INTERNAL'",
}


@pytest.fixture(scope="module")
def sample(scratch: Scratch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("sample")
    build.build_live(scratch, "sample_live")
    case = fx.compare(build.BACKUP, scratch.dsn("sample_live"), case=folder / "case")
    wishes = Wishes(scratch.dsn("sample_live"), True, build.MIGRATIONS, None, (), scratch)
    kept: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "drop", kept.append)
        found = make_plan(case.store, folder / "out", Scope(columns=True), wishes)
    yield SimpleNamespace(
        scratch=scratch,
        case=case,
        plan=found,
        out=folder / "out",
        dsn=scratch.dsn("sample_live"),
        kept=kept,
    )
    case.close()
    for name in (*kept, "sample_live"):
        scratch.drop(name)


def option(sample: SimpleNamespace, name: str) -> plan.Option:
    return next(o for o in sample.plan.options if o.name == name)


def test_every_option_is_proved_and_timed(sample: SimpleNamespace) -> None:
    assert sample.plan.holds, (sample.plan.problem, sample.plan.problems)
    for one in sample.plan.options:
        # Two columns hold NULLs by now, so that a roll back does not bring the schema back.
        assert one.verified == (one.name != "roll back"), one
        assert one.seconds is not None and one.seconds > 0
        assert one.proof is not None
        assert (one.proof.recovers, one.proof.destroys) == (one.recovers, one.destroys)
        assert not any(c.startswith("Not rehearsed") for c in one.caveats)


def test_re_inserting_is_proved(sample: SimpleNamespace) -> None:
    proof = sample.plan.rehearsal
    assert proof.problems == ()
    assert (proof.lost_before, proof.lost_after, proof.blocked) == (LOST, BLOCKED, BLOCKED)
    assert proof.idempotent and proof.undo_restores and proof.constraints_valid and proof.unchanged
    assert proof.values == 913 - 8  # eight items with a time are gone themselves
    reinsert = option(sample, "reinsert lost rows")
    assert (reinsert.recovers, reinsert.destroys) == (LOST - BLOCKED, 0)


def test_the_backfill_puts_links_in_order_and_leaves_what_editors_did(
    sample: SimpleNamespace,
) -> None:
    backfill = option(sample, "backfill")
    scratch = sample.scratch
    scratch.create("sample_filled", "sample_live")
    try:
        ask = (
            "SELECT id, gallery_asset_ids, cover_asset_id FROM hotels "
            "WHERE gallery_asset_ids IS NOT NULL ORDER BY id"
        )
        before = scratch.run("sample_filled", ask).splitlines()
        scratch.run("sample_filled", (sample.out / "recovery.sql").read_bytes())
        scratch.run("sample_filled", (sample.out / "backfill.sql").read_bytes())
        assert set(before) < set(scratch.run("sample_filled", ask).splitlines())
        wrong = """
          SELECT count(*) FROM hotels h JOIN (SELECT hotel_id,
            jsonb_agg(asset_id ORDER BY sort_order, created_at) AS list
            FROM hotel_images GROUP BY 1) i ON i.hotel_id = h.id
          WHERE h.gallery_asset_ids <> i.list"""
        assert int(scratch.run("sample_filled", wrong)) <= len(before)
        none = (
            "SELECT count(*) FROM hotels h WHERE gallery_asset_ids IS NULL "
            "AND EXISTS (SELECT FROM hotel_images i WHERE i.hotel_id = h.id)"
        )
        assert scratch.run("sample_filled", none).strip() == "0"
        covers = """SELECT count(*) FROM hotels h JOIN hotel_images i ON i.hotel_id = h.id
            AND i.is_primary
          WHERE h.cover_asset_id <> i.asset_id
            AND h.id NOT IN (SELECT id FROM hotels WHERE cover_asset_id IS NULL)"""
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
        held = [
            int(scratch.run(d, links + t).strip() or 0)
            for d in ("sample_live", "sample_filled")
            for t in tables
        ]
        assert sum(held[9:]) - sum(held[:9]) == backfill.recovers
    finally:
        scratch.drop("sample_filled")


# --- the full restore -----------------------------------------------------------------------------

Run = namedtuple("Run", "columns lines")


def rows_of_the_backup() -> dict[str, Run]:
    """The rows of the backup, cut out of its text with nothing of the kit's."""
    text = gzip.decompress(build.BACKUP.read_bytes()).decode()
    found = re.finditer(
        r"^COPY public\.(\S+) \((.*?)\) FROM stdin;\n(.*?)^\\\.$", text, re.M | re.S
    )
    return {m[1].strip('"'): Run(m[2], sorted(m[3].splitlines())) for m in found}


def copied(scratch: Scratch, database: str, table: str, columns: str) -> list[str]:
    pinned = "SET timezone = 'UTC'; SET extra_float_digits = 3; "
    return sorted(
        scratch.run(
            database, f'{pinned}COPY (SELECT {columns} FROM public."{table}") TO STDOUT'
        ).splitlines()
    )


def test_a_full_restore_is_the_backup_row_by_row(sample: SimpleNamespace) -> None:
    (restored,) = [n for n in sample.kept if n.startswith("replay")]  # once, for all that need it
    scratch, one = sample.scratch, option(sample, "full restore")
    backup = rows_of_the_backup()
    tables = scratch.run(
        restored, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).split()
    assert sorted(tables) == sorted(backup)
    missing = written = 0
    live = set(
        scratch.run(
            "sample_live", "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).split()
    )
    for table, run in backup.items():
        there = copied(scratch, restored, table, run.columns)
        assert there == run.lines, table
        if table == "_prisma_migrations":
            continue  # it returns as it was, and counts in no sum
        columns = (
            "*"
            if table not in live
            else ", ".join(
                c
                for c in run.columns.split(", ")
                if (table, c) != ("external_catalog_items", "updated_at")
            )
        )
        was = copied(scratch, restored, table, columns)
        now = copied(scratch, "sample_live", table, columns) if table in live else []
        missing += len(was) if table not in live else 0
        written += len(now) - len(_common(was, now))
    # Of surviving tables, what is missing by key and not only changed stands in the answers.
    missing += sum(t["missing"] for t in EXPECTED["tables"] if t["state"] == "compared")
    new = sum(
        int(scratch.run("sample_live", f"SELECT count(*) FROM {t}")) for t in live - set(backup)
    )
    assert one.recovers == missing == EXPECTED["totals"]["missing"]
    assert (
        one.destroys == written + new == EXPECTED["totals"]["added"] + EXPECTED["totals"]["changed"]
    )
    assert sum(s.rows for s in one.destroyed) == one.destroys
    assert all(s.examples for s in one.destroyed)
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated"
    assert scratch.run(restored, keys).strip() == str(
        len(re.findall(r"FOREIGN KEY", gzip.decompress(build.BACKUP.read_bytes()).decode()))
    )


def _common(one: list[str], other: list[str]) -> list[str]:
    left = list(one)
    found = []
    for line in other:
        if line in left:
            left.remove(line)
            found.append(line)
    return found


def test_a_restore_that_lacks_rows_or_keeps_what_was_written_is_no_proof(
    sample: SimpleNamespace,
) -> None:
    one, scratch = option(sample, "full restore"), sample.scratch
    store = sample.case.store
    with (
        open_source(build.BACKUP) as backup,
        open_source(sample.dsn, role="live") as live,
    ):
        cost = price(store, reversal(store), live)  # type: ignore[arg-type]
        with backup_copy(scratch, backup, sample.case.store.get("ddl")) as copy:
            said = (one.recovers, one.destroys)
            looked = look_through(store, copy, cost)
            assert looked.proof(said).holds
            assert (
                "It recovers 55,434 rows, and 55,435 were said."
                in looked.proof((said[0] + 1, said[1])).problems
            )
            scratch.run(
                copy.database,
                "DELETE FROM esim_images WHERE ctid IN (SELECT ctid FROM esim_images LIMIT 3); "
                "UPDATE hotels SET name = 'x'",
            )
            changed = scratch.run("sample_live", "COPY (SELECT * FROM settings) TO STDOUT")
            scratch.run(
                copy.database, f"TRUNCATE settings;\nCOPY settings FROM stdin;\n{changed}\\.\n"
            )
            proof = look_through(store, copy, cost).proof(said)
    assert (
        proof.recovers == one.recovers - 3 - 3
    )  # three images, and the three hotels that live lacks
    assert proof.destroys == one.destroys - 1  # the one setting that live had changed is there
    assert any(
        "esim_images holds 613 rows once restored; the backup held 616" in p for p in proof.problems
    )


# --- the roll back --------------------------------------------------------------------------------


@pytest.fixture
def rolled(sample: SimpleNamespace) -> Iterator[tuple[str, Proof]]:
    """A copy of the live database, rolled back as the rehearsal does it, and what that found."""
    scratch, undo = sample.scratch, undoing(sample.case.store)
    with a_database(scratch) as database, open_source(sample.dsn, role="live") as live:
        copy = LiveCopy(scratch, database, live)  # type: ignore[arg-type]
        copy.make([t.name for t in live.catalog.roots], (), ())
        said = option(sample, "roll back").destroys
        yield (
            database,
            rehearse_rollback(copy, sample.case.store.catalogs(), undo, (said, 0)),
        )


def test_rolling_back_takes_what_was_written_and_brings_back_nothing(
    sample: SimpleNamespace, rolled: tuple[str, Proof]
) -> None:
    one, (database, proof), scratch = option(sample, "roll back"), rolled, sample.scratch
    assert proof.holds
    new = [t["table"] for t in EXPECTED["tables"] if t["state"] == "new"]
    dropped = [t["table"] for t in EXPECTED["tables"] if t["state"] == "dropped"]
    filled = {
        t: int(scratch.run("sample_live", f"SELECT count(*) FROM {t} WHERE {c}"))
        for t, c in FILLED.items()
    }
    rows = {t: int(scratch.run("sample_live", f"SELECT count(*) FROM {t}")) for t in new}
    assert sum(filled.values()) > 0
    assert {s.name.table: s.rows for s in one.destroyed} == {
        t: n for t, n in {**filled, **rows}.items() if n
    }
    assert one.destroys == sum(filled.values()) + sum(rows.values()) == proof.destroys
    assert (one.recovers, proof.recovers) == (0, 0)
    for table in new:
        assert scratch.run(database, f"SELECT to_regclass('{table}') IS NULL").strip() == "t"
    for table in dropped:
        assert scratch.run(database, f"SELECT count(*) FROM {table}").strip() == "0"
    for table in FILLED:
        assert scratch.run(database, f"SELECT count(*) FROM {table}") == scratch.run(
            "sample_live", f"SELECT count(*) FROM {table}"
        )
    # The schema is the backup's, but for two columns that hold NULLs by now.
    ask = """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid)
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
        AND attnum > 0 AND NOT attisdropped"""
    (restored,) = [n for n in sample.kept if n.startswith("replay")]  # once, for all that need it
    odd = {*scratch.run(database, ask).splitlines()} ^ {*scratch.run(restored, ask).splitlines()}
    assert {line.rsplit("|", 2)[0] for line in odd} == {
        "hotel_bookings|hotel_id|text",
        "hotel_bookings|room_id|text",
    }
    for column in ("hotel_id", "room_id"):
        assert any(f"hotel_bookings.{column} stays NULL" in n for n in proof.lacks)


def test_the_migrations_make_the_schema_once_more(sample: SimpleNamespace) -> None:
    proof = option(sample, "roll back").proof
    assert proof is not None
    assert (
        "The migrations ran again afterwards, and made live's tables and columns again."
        in proof.checks
    )
    (copy,) = [n for n in sample.kept if not n.startswith("replay")][-1:]
    ask = (
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
        "AND attnum > 0 AND NOT attisdropped"
    )
    assert sample.scratch.run(copy, ask) == sample.scratch.run("sample_live", ask)
    assert sample.scratch.run(copy, "SELECT count(*) FROM external_hotels").strip() == "0"
    assert (
        sample.scratch.run(
            copy, "SELECT count(*) FROM hotels WHERE gallery_asset_ids IS NOT NULL"
        ).strip()
        == "0"
    )


# --- the plan -------------------------------------------------------------------------------------


def test_an_option_whose_numbers_do_not_hold_fails_the_plan(
    sample: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone = rehearse_rollback

    def one_more(*given: object, **named: object) -> Proof:
        destroys, own = given[3]  # type: ignore[misc]
        said = (destroys + 1, own)
        return undone(*given[:3], said, *given[4:], **named)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "rehearse_rollback", one_more)
    wishes = Wishes(sample.dsn, True, None, None, (), sample.scratch, ("full restore", "backfill"))
    found = make_plan(sample.case.store, tmp_path / "out", Scope(("esim_images",)), wishes)
    assert not found.holds
    destroys = option(sample, "roll back").destroys
    assert found.problems == (
        f"roll back: It destroys {destroys:,} rows, and {destroys + 1:,} were said.",
    )
    assert {o.name: o.verified for o in found.options} == {
        "full restore": False,
        "roll back": False,
        "reinsert lost rows": True,
        "backfill": False,
    }
    assert "It does not hold" in (tmp_path / "out" / "runbook.md").read_text()


def test_without_live_the_price_of_a_roll_back_is_not_known_and_says_so(
    sample: SimpleNamespace,
) -> None:
    found = make_plan(sample.case.store, None, Scope())
    one = next(o for o in found.options if o.name == "roll back")
    assert one.destroys == sum(t["live_rows"] for t in EXPECTED["tables"] if t["state"] == "new")
    assert any(
        "Live was not asked how many rows hold values in cities.cover_asset_id" in c
        for c in one.caveats
    )
    assert not one.verified


def test_too_little_room_is_foreseen_and_says_what_is_lacking(
    sample: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = namedtuple("room", "total used free")
    frees: list[int] = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: room(1, 1, frees.pop(0)))

    def planned(*free: int) -> plan.Plan:
        frees[:] = free
        wishes = Wishes(sample.dsn, True, None, None, (), sample.scratch, ("backfill",))
        found = make_plan(sample.case.store, tmp_path / "out", Scope(("esim_images",)), wishes)
        assert frees == []
        return found

    enough, little = 1 << 40, 70_000_000
    # For a copy of what the scripts touch there is enough, for what a roll back touches and for
    # the backup there is not.
    found = planned(little, enough, little)
    assert found.holds
    assert [o.verified for o in found.options] == [False, False, True, False]
    for one, what in (
        (found.options[0], "The restored backup"),
        (found.options[1], "A copy of live's rows"),
    ):
        (caveat,) = [c for c in one.caveats if c.startswith("Not rehearsed")]
        assert re.search(
            rf"{what} needs about \d+ MB in /\S+, and 70 MB are free there\. Set TMPDIR", caveat
        )
    found = planned(1000, 1000, 1000)
    assert not found.holds
    assert "and 1 kB are free there" in (found.problem or "")


def test_the_safer_migration_loses_nothing(sample: SimpleNamespace) -> None:
    (trial,) = sample.plan.migrations
    assert trial.holds, trial.problems
    assert (trial.lost, trial.schema_equal, trial.values) == (0, True, 913)
    assert trial.links == sum(
        j["missing"] for j in EXPECTED["links"] if j["table"] != "_HotelToTag"
    )


def test_the_plan_is_written_and_private(sample: SimpleNamespace) -> None:
    written = json.loads((sample.out / "plan.json").read_text())
    assert written == json.loads(json.dumps(sample.plan.as_json()))
    assert {o["name"] for o in written["options"]} == {
        "full restore",
        "roll back",
        "reinsert lost rows",
        "backfill",
    }
    page = (sample.out / "runbook.md").read_text()
    for word in (
        "recovery.sql",
        "undo.sql",
        "backfill.sql",
        "undo_backfill.sql",
        "pg_dump",
        "Back out",
        f"{LOST:,}",
    ):
        assert word in page
    assert (sample.out / "plan.json").stat().st_mode & 0o077 == 0


def test_the_facade_keeps_the_proof_in_the_case(sample: SimpleNamespace) -> None:
    recovery = sample.case.recovery(tables=["esim_images"])
    assert list(recovery.options.index) == [
        "full restore",
        "roll back",
        "reinsert lost rows",
        "backfill",
    ]
    assert "616" in recovery._repr_html_()
    steps: list[str] = []
    found = recovery.rehearse(
        live=sample.dsn, skip=["full restore"], tell=lambda step, place="": steps.append(step)
    )
    assert found.holds
    assert "undoing the schema change on the copy" in steps
    unverified = recovery.proofs.query("not verified")
    left_out = unverified[unverified["option"] == "full restore"]
    assert left_out["found"].to_list() == ["Not rehearsed: it was left out on request."]
    assert set(unverified["option"]) == {"full restore", "roll back"}
    assert set(recovery.proofs.query("verified")["option"]) == {
        "reinsert lost rows",
        "backfill",
    }
    assert sample.case.store.get("recovery")["rehearsal"]["lost_before"] == 616
    assert list(recovery.tables["table"]) == ["esim_images"]
    assert recovery.rehearsal.loc["lost before", "value"] == 616
    whole = sample.case.recovery(columns=True)
    assert whole.reasons["rows"].sum() == BLOCKED
    destroyed = whole.destroyed.query("option == 'full restore'")
    assert destroyed["rows"].sum() == option(sample, "full restore").destroys
    assert whole.rehearsed_at is None, "another choice was rehearsed"
    assert not whole.options["verified"].any()
    assert whole.rehearsal.empty
    assert whole.proofs.empty
    # Whoever opens the case again sees what was rehearsed, and when.
    again = sample.case.recovery(tables=["esim_images"])
    assert again.rehearsed_at == found.rehearsed_at
    assert f"{found.rehearsed_at:%Y-%m-%d %H:%M} UTC" in again._repr_html_()
    for name in ("options", "tables", "destroyed", "reasons", "rehearsal", "proofs"):
        assert getattr(again, name).equals(getattr(recovery, name)), name
    assert again.options["verified"].to_dict() == {
        "full restore": False,
        "roll back": False,
        "reinsert lost rows": True,
        "backfill": True,
    }
    assert "not rehearsed" not in again.recommendation
    # Once other rows are to come back, it is a proof of nothing.
    kept = sample.case.store.get("recovery")
    kept["tables"][0]["restorable"] -= 1
    with sample.case.writing() as store:
        store.put("recovery", kept)
    assert again.rehearsed_at is None
    assert "not rehearsed" in again.recommendation


def test_live_that_changed_is_not_planned_for(sample: SimpleNamespace) -> None:
    scratch = sample.scratch
    scratch.create("sample_moved", "sample_live")
    try:
        scratch.run("sample_moved", "CREATE TABLE esim_images (id text)")
        with pytest.raises(RecoveryError, match="esim_images was gone when live was compared"):
            make_plan(
                sample.case.store,
                sample.out / "moved",
                Scope(),
                Wishes(scratch.dsn("sample_moved")),
            )
        scratch.run(
            "sample_moved",
            "DROP TABLE esim_images; ALTER TABLE hotels ALTER COLUMN id TYPE varchar(40)",
        )
        with pytest.raises(RecoveryError, match="Columns of table hotels changed"):
            make_plan(
                sample.case.store,
                sample.out / "moved",
                Scope(),
                Wishes(scratch.dsn("sample_moved")),
            )
    finally:
        scratch.drop("sample_moved")


def test_a_wrong_table_and_a_dump_as_live(sample: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--table chooses no table"):
        make_plan(sample.case.store, None, Scope(("nowhere",)))
    plain = tmp_path / "live.sql"
    plain.write_bytes(gzip.decompress(build.BACKUP.read_bytes()))
    with pytest.raises(UsageError, match="a dump"):
        make_plan(sample.case.store, tmp_path / "out", Scope(), Wishes(str(plain)))
