"""Past nights: what is in line with them, and what is a measure at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import UsageError
from forensics.prove.past import limit
from forensics.scratch import Scratch
from tests.prove import nights
from tests.prove.nights import CHURN, Shop, altered, state, text


@pytest.fixture(scope="module")
def six(scratch: Scratch, template: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The proofs of six nights with ordinary churn."""
    scratch.create("six", template)
    shop = nights.Shop(scratch, "six", tmp_path_factory.mktemp("six"))
    for _ in range(6):
        proof = shop.night()
        assert proof.holds, proof.verdict
    scratch.drop("six")
    return shop.proofs


@pytest.fixture
def later(shop: Shop, six: Path) -> Shop:
    """A shop with six nights behind it; its name is as it was in them."""
    for path in six.iterdir():
        said = json.loads(path.read_text())
        said["live"]["database"] = shop.name
        fx.Proof({k: v for k, v in said.items() if k != "sha256"}).write(
            shop.proofs / f"past{path.name}"
        )
    return shop


def test_fewer_than_five_nights_are_no_trend(shop: Shop, later: Shop) -> None:
    for path in sorted(shop.proofs.iterdir())[:2]:
        path.unlink()
    proof = shop.night("DELETE FROM invoices WHERE id % 2 = 0")
    assert proof.holds, proof.verdict
    assert state(proof, "past nights") == "not judged"
    assert "5 are needed" in text(proof, "past nights")


def test_one_more_such_night_is_in_line(later: Shop) -> None:
    proof = later.night()
    assert proof.holds, proof.verdict
    assert "6 past nights" in text(proof, "past nights")
    assert len(proof["history"]["proofs"]) == 6


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM invoices WHERE id % 2 = 0",
        "DELETE FROM countries",
        "UPDATE parcels SET weight = 0",
        "DROP TABLE parcels",
    ],
)
def test_what_is_out_of_line_fails(later: Shop, change: str) -> None:
    proof = later.night(CHURN + change)
    assert proof.holds is False
    assert state(proof, "past nights") == "fails", proof.verdict


def test_a_table_that_is_said_to_come_and_go_is_not_judged(later: Shop) -> None:
    assert later.night("DELETE FROM parcels", tolerate=["parcels"]).holds


def test_many_new_rows_are_in_line(later: Shop) -> None:
    many = "INSERT INTO parcels (weight) SELECT i FROM generate_series(1, 9000) i"
    assert later.night(many).holds


def test_rows_that_live_had_the_night_before_and_the_backup_lacks(later: Shop) -> None:
    """Of which nothing else tells that they are old: no number, no time."""
    later.happens("CREATE TABLE aside AS SELECT * FROM parcels LIMIT 300")
    later.happens("DELETE FROM parcels WHERE code IN (SELECT code FROM aside)")
    proof = later.night("INSERT INTO parcels SELECT * FROM aside; DROP TABLE aside")
    assert state(proof, "past nights") == "fails", proof.verdict
    assert "300 too few" in text(proof, "past nights")


def test_a_table_that_the_night_before_had_and_the_backup_lacks(later: Shop) -> None:
    backup = later.dump("b.dump", "-Fc", "-T", "countries")
    later.happens("DELETE FROM countries")
    proof = later.prove(backup, history=later.proofs)
    assert "earlier night" in text(proof, "tables")


def test_the_same_backup_again_is_said(later: Shop) -> None:
    backup = later.dump()
    assert later.prove(backup, out=later.proofs / "a.json", history=later.proofs).holds
    again = later.prove(backup, out=later.proofs / "b.json", history=later.proofs)
    assert again.holds
    assert any("proven before" in note for note in again["notes"])
    # The proof of an earlier try is not held against the one that takes its place.
    replaced = later.prove(backup, out=later.proofs / "b.json", history=later.proofs)
    assert replaced["history"]["nights"] == 7


def test_nights_that_are_no_measure(later: Shop) -> None:
    first, second, third, *_ = sorted(later.proofs.iterdir())
    altered(first, holds=True, verdict="x")
    second.write_text("{")
    altered(third, proof=2)
    (later.proofs / "other.json").write_text("[1]")
    proof = later.night()
    assert proof.holds, proof.verdict
    assert state(proof, "past nights") == "not judged"
    said = " ".join(proof["notes"])
    for words in ("was altered", "no JSON", "newer kit", "other JSON"):
        assert words in said


def test_a_night_that_failed_is_no_measure(later: Shop) -> None:
    for part in (2, 3):
        proof = later.night(CHURN + f"DELETE FROM parcels WHERE weight % {part} = 0")
        assert state(proof, "past nights") == "fails"
    assert "1 more did not hold" in text(proof, "past nights")


def test_a_folder_that_is_no_history(shop: Shop, six: Path, tmp_path: Path) -> None:
    backup = shop.dump()
    with pytest.raises(UsageError, match="There is no folder"):
        shop.prove(backup, history=tmp_path / "typo")
    other = shop.prove(backup, history=six)
    assert "those about six are taken for its past" in " ".join(other["notes"])
    for path in six.iterdir():
        shutil.copy(path, shop.proofs)
        (shop.proofs / path.name).write_text("no JSON")
    with pytest.raises(UsageError, match="holds no proof"):
        shop.prove(backup, history=shop.proofs)
    empty = tmp_path / "empty"
    empty.mkdir()
    first = shop.prove(backup, history=empty)
    assert first.holds
    assert state(first, "past nights") == "not judged"


def test_limits() -> None:
    quiet = [0.0] * 6
    assert limit(quiet, 10) == 0.3  # three rows
    assert limit(quiet, 3) == 2 / 3  # but not all of them
    assert limit(quiet, 1000) == 0.05
    assert limit(quiet, 1_000_000, 1_000) == 0.001
    assert limit([0.1, 0.12, 0.11, 0.1, 0.12, 0.11], 1000) == pytest.approx(0.11 + 6 * 0.014826)
    assert limit([0, 0, 0, 0, 0, 0.4], 1000) == 0.4  # a night that held is no other's alarm
