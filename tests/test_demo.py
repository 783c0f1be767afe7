"""The sample incident, compared.

Every figure of `expected.json`, which was worked out without the library.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import forensics as fx
from forensics.report.gathering import moments
from forensics.sample import SHIPPED as ROOT
from forensics.sample import _in_its_time
from sample_data import build


@pytest.fixture
def case(sample_case: Path) -> Iterator[fx.Case]:
    with fx.open_case(sample_case) as found:
        yield found


EXPECTED = json.loads((ROOT / "sample_data" / "expected.json").read_text(encoding="utf-8"))


def test_every_table(case: fx.Case) -> None:
    found = {t["table"]: t for t in case.summary()["tables"]}
    assert len(found) == len(EXPECTED["tables"])
    for wanted in EXPECTED["tables"]:
        assert {k: found[wanted["table"]][k] for k in wanted} == wanted


def test_totals(case: fx.Case) -> None:
    assert case.totals == EXPECTED["totals"]


def test_every_difference_in_columns(case: fx.Case) -> None:
    def known(changes: list[dict[str, object]]) -> list[tuple[object, ...]]:
        return sorted(
            (c["table"], c["column"], c["change"], c.get("values_missing")) for c in changes
        )

    assert known(case.summary()["columns"]) == known(EXPECTED["columns"])


def test_what_became_of_the_links(case: fx.Case) -> None:
    found = {j["table"]: j for j in case.loss["junctions"]}
    for wanted in EXPECTED["links"]:
        got, parent = found[wanted["table"]], wanted["parent"]
        counts = {
            k: got[k] for k in ("missing", "moved", "lost", "restorable", "blocked") if k in wanted
        }
        assert counts == {k: wanted[k] for k in counts}, wanted["table"]
        assert got["affected"].get(parent, 0) == wanted["affected"]
        assert got["emptied"].get(parent, 0) == wanted["emptied"]


def test_the_sample_is_looked_at_in_its_own_time(sample_case: Path, tmp_path: Path) -> None:
    """Whatever day the demo is run: its timeline is that of its story."""
    copied = shutil.copytree(sample_case, tmp_path / "case")
    with _in_its_time(copied, build.LOOKED_AT) as case:
        assert case.evidence.live.taken_at == build.LOOKED_AT
        assert [moment.at for moment in moments(case)] == [
            build.BACKUP_AT,
            build.INCIDENT_AT,
            build.LOOKED_AT,
        ]
    told = json.loads((copied / "summary.json").read_text(encoding="utf-8"))
    assert told["live"]["taken_at"].startswith("2026-01-03T08:00")
