"""--nice: one session that reads rows, and no faster than was said."""

from __future__ import annotations

import time

import pytest

import forensics as fx
from forensics.compare import batches, options
from forensics.evidence.live.lending import Lending
from forensics.evidence.live.pace import Pace
from forensics.evidence.live.readers import Reader
from tests.conftest import Incident
from tests.test_help import forensics

BEFORE = "".join(
    f"CREATE TABLE t{n} (id int PRIMARY KEY, v text);"
    f"INSERT INTO t{n} SELECT i, repeat('v', 1000) FROM generate_series(1, 100) i;"
    for n in range(4)
)


def test_bytes_come_no_faster_than_they_may() -> None:
    asked: list[int] = []

    def read(size: int) -> bytes:
        asked.append(size)
        return b"x" * size

    began = time.monotonic()
    slowly = Pace(1_000_000).of(read)
    got = sum(len(slowly(1 << 20)) for _ in range(3))
    assert asked == [100_000] * 3  # no piece takes longer than a tenth of a second
    assert time.monotonic() - began >= got / 1_000_000 * 0.95
    assert Pace(None).of(read) is read


def test_time_that_was_not_used_is_not_made_up_for() -> None:
    slowly = Pace(1_000_000).of(lambda size: b"x" * size)
    slowly(50_000)
    time.sleep(0.3)
    began = time.monotonic()
    slowly(100_000)
    assert time.monotonic() - began >= 0.09


@pytest.mark.parametrize("one_by_one", [False, True])
def test_a_nice_comparison_reads_slowly_from_one_session(
    one_by_one: bool, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether tables are read together or each by itself."""
    if one_by_one:
        monkeypatch.setattr(batches, "_FEW_BYTES", -1)
    made: list[Reader] = []
    new_reader = Lending._new_reader

    def noted(self: Lending) -> Reader:
        made.append(new_reader(self))
        return made[-1]

    monkeypatch.setattr(Lending, "_new_reader", noted)
    monkeypatch.setattr(options, "NICE_BYTES", 400_000)
    incident.happens(BEFORE, "DELETE FROM t2 WHERE id <= 10")
    began = time.monotonic()
    how = fx.Options(nice=True, jobs=4)
    with incident.compare(options=how) as case:
        assert time.monotonic() - began >= 0.9  # 400 kB of rows
        assert case.totals["missing"] == 10
    assert len(made) == 1


def test_its_help_says_how_gentle_it_is() -> None:
    said = " ".join(forensics("compare", "--help").stdout.split())
    assert "--nice" in said
    assert "8 MB of them" in said
