"""A sample holds whole lines from all over a table, and is about as large as was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from forensics.evidence import samples
from forensics.evidence.samples import Sample, keep, sample_of
from forensics.model import TableName

NAME = TableName("public", "t")


class _Side:
    """What samples are kept of."""


def _blocks(rows: int, wide: int = 0) -> Iterator[bytes]:
    lines = [f"{number}\t{'x' * wide}\n".encode() for number in range(rows)]
    for at in range(0, rows, 1000):
        yield b"".join(lines[at : at + 1000])


def _sampled(blocks: Iterator[bytes]) -> Sample:
    found = Sample(("id", "x"))
    for block in blocks:
        found.add(memoryview(block))
    found.whole = True
    return found


def _numbers(sample: Sample, part: float) -> list[int]:
    text = b"".join(sample.taken(part))
    assert text.endswith(b"\n")
    return [int(line.split(b"\t")[0]) for line in text.splitlines()]


@pytest.mark.parametrize("most", [16 << 20, 200_000])
def test_rows_come_whole_in_order_and_from_all_over(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_MOST", most)
    sample = _sampled(_blocks(100_000, wide=60))
    assert sample.size <= most
    found = _numbers(sample, 0.02)
    assert found == sorted(set(found))
    assert 700 < len(found) < 4000
    for tenth in range(10):
        within = [n for n in found if tenth * 10_000 <= n < (tenth + 1) * 10_000]
        assert 0.06 < len(within) / len(found) < 0.14
    assert found[0] > 50
    assert found[-1] < 99_950


def test_lines_longer_than_a_piece_are_whole_and_few_rows_are_none() -> None:
    sample = _sampled(_blocks(3000, wide=9000))
    found = _numbers(sample, 0.1)
    assert 200 < len(found) < 1500
    assert b"".join(_sampled(_blocks(100)).taken(1)) == b""


def test_what_is_kept_of_a_source_is_bounded_and_large_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(samples, "_MOST", 100_000)
    source = cast(Any, _Side())
    sample = _sampled(_blocks(50_000, wide=60))
    cut = _sampled(_blocks(50_000, wide=60))
    cut.whole = False
    keep(source, NAME, cut)
    assert sample_of(source, NAME, 0.001) is None
    for name in ("t", "u", "v", "w", "x"):
        keep(source, TableName("public", name), sample)
    assert 1 < len(samples._kept[source]) < 5
    assert sample_of(source, NAME, 0.5) is None
    segment = sample_of(source, NAME, 0.01)
    assert segment is not None
    assert segment.columns == ("id", "x")
    assert list(segment.blocks()) == list(segment.as_stored() or ())
    assert sample_of(cast(Any, _Side()), NAME, 0.01) is None


def test_a_sample_goes_with_its_source(tmp_path: Path) -> None:
    source = cast(Any, _Side())
    keep(source, NAME, _sampled(_blocks(10)))
    before = len(samples._kept)
    del source
    assert len(samples._kept) == before - 1
