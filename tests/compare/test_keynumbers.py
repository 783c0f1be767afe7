"""Whether a key stands in a backup once more, told by numbers that were kept on the way."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from forensics.compare import keynumbers, lines
from forensics.compare.align import Stream, align
from forensics.compare.keynumbers import KeyNumbers
from forensics.evidence.arrays import texts
from forensics.evidence.plain import segments
from forensics.store.values import LONGEST
from tests.conftest import Incident


def field(chance: random.Random, kind: str, most: int) -> str:
    number = chance.randrange(most)
    if kind == "number":
        return str(number)
    if kind == "padded":
        return f"k{number:011}"
    return "é" * chance.randrange(3) + "\\N" * chance.randrange(2) + str(number)


def kept(blocks: Sequence[bytes], places: Sequence[int], width: int) -> KeyNumbers:
    found = KeyNumbers(places, width)
    at = 100
    for block in blocks:
        found.add(block, at)
        at += len(block)
    found.end()
    return found


@pytest.mark.parametrize("in_memory", [1 << 20, 100])
@pytest.mark.parametrize("places", [[0], [0, 1], [1], [2, 0]])
@pytest.mark.parametrize("kind", ["number", "padded", "text"])
def test_no_key_that_stands_again_is_overlooked(
    kind: str, places: list[int], in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keynumbers, "_IN_MEMORY", in_memory)
    chance = random.Random(len(kind) + len(places))
    alone = again = 0
    for _ in range(60):
        most = 400 if len(places) == 1 else {"text": 9}.get(kind, 30)
        rows = []
        for _ in range(60):
            rows.append([field(chance, kind, most) for _ in range(4)])
        written = ["\t".join(row) + "\n" for row in rows]
        blocks = ["".join(written[at : at + 20]).encode() for at in range(0, 60, 20)]
        asked = chance.sample(range(60), 12)
        keys = {tuple(rows[at][place] for place in places) for at in asked}
        starts = np.cumsum([100] + [len(line.encode()) for line in written])
        stands = sum(tuple(row[place] for place in places) in keys for row in rows)
        sought = texts(["\t".join(key) + "\n" for key in sorted(keys)])
        numbers = kept(blocks, places, 4)
        found = numbers.are_alone([sought], np.sort(starts[asked]))
        if stands > len(asked):
            again += 1
            assert not found
        alone += found
        assert numbers.begins == 100
    assert alone
    assert again


@pytest.mark.parametrize(
    "block",
    [
        b"a\t1\nb\n",  # a row of another width
        b"a\t1\nb\t2",  # none that ends
        b"",
        b"a\t" + b"x" * (LONGEST + 1) + b"\n",  # a field that is kept apart
        b"a\t1\n" * (1 << 21),  # more than a number can point into
    ],
)
def test_what_numbers_cannot_tell_they_do_not(block: bytes) -> None:
    found = kept([b"k\t0\n", block], [0], 2)
    assert not found.are_alone([texts(["k\n"])], np.array([100]))


def test_nothing_is_told_of_rows_that_were_not_all_seen() -> None:
    found = KeyNumbers([0], 2)
    assert not found.are_alone([texts(["k\n"])], np.array([0]))
    found.add(b"k\t0\n", 0)
    assert not found.are_alone([texts(["k\n"])], np.array([0]))
    found.end()
    assert found.are_alone([texts(["k\n"])], np.array([0]))
    found.add(b"j\t0\n", 5)
    assert not found.are_alone([texts(["k\n"])], np.array([0]))


def test_where_no_row_is_odd_nothing_is_kept() -> None:
    rows = [f"{number}\tname\n".encode() * 9000 for number in range(9)]
    for gone, begins in ((None, None), (0, len(rows[0]) + len(rows[1])), (8, None)):
        found = KeyNumbers([0], 2)
        ours = Stream(iter(rows), counting=True, seen=found)
        there = [row for number, row in enumerate(rows) if number != gone]
        align(ours, Stream(iter(there)), lambda rows: None)
        list(ours.rest())
        if gone != 0:
            assert found.begins == begins


BEFORE = """
CREATE TABLE lots (code text PRIMARY KEY, place int, note text);
INSERT INTO lots SELECT 'lot-' || lpad((i * 7919 % 3000)::text, 6, '0'), i, repeat('n', 150)
  FROM generate_series(1, 2999) i;
CREATE TABLE tags (place int, lot text, note text, PRIMARY KEY (lot, place));
INSERT INTO tags SELECT i, 'lot ' || i, repeat('t', 150) FROM generate_series(1, 3000) i;
"""
CHANGE = """
DELETE FROM lots WHERE place IN (5, 700, 701, 2500); UPDATE lots SET note = 'x' WHERE place = 900;
DELETE FROM tags WHERE place IN (5, 2500, 2999);
"""


@pytest.mark.parametrize("form", [(), ("-Fc",)])
@pytest.mark.parametrize("again", [False, True])
def test_a_comparison_reads_its_backup_again_only_where_a_key_stands_twice(
    incident: Incident,
    form: tuple[str, ...],
    again: bool,
    one_by_one: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segments, "BLOCK_BYTES", 16 << 10)
    told: list[bool] = []
    are_alone = KeyNumbers.are_alone

    def noting(self: KeyNumbers, *of: object) -> bool:
        told.append(are_alone(self, *of))  # type: ignore[arg-type]
        return told[-1]

    monkeypatch.setattr(KeyNumbers, "are_alone", noting)
    read = _heard(monkeypatch)
    incident.happens(BEFORE, CHANGE, *form)
    if form:
        again = False  # nobody writes a row into an archive
    elif again:
        text = incident.backup.read_text()
        [row] = [line for line in text.splitlines() if "\t900\tnnn" in line]
        [gone] = [line for line in text.splitlines() if "\t5\tnnn" in line]
        # Beside a row that is missing, one of its key that live has with all it holds.
        code = gone.partition("\t")[0]
        incident.happens_next(f"INSERT INTO lots VALUES ('{code}', 5, 'again')")
        incident.backup.write_text(text.replace(row, f"{row}\n{code}\t5\tagain"))
    with incident.compare() as case:
        found = case.result("lots")
        assert (found.missing, found.changed, found.repeated) == ((3, 1, 1) if again else (4, 1, 0))
        assert case.result("tags").missing == 3
    if not form:
        assert sorted(told) == [not again, True]
        assert (max(read.values()) < 20) != again


def _heard(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many blocks of each table were looked at for keys."""
    read: dict[str, int] = {}
    among = lines.Sieve.among

    def noting(self: lines.Sieve, block: bytes) -> tuple[np.ndarray, np.ndarray]:
        name = "lots" if bytes(block[:4]) == b"lot-" else "tags"
        read[name] = read.get(name, 0) + 1
        return among(self, block)

    monkeypatch.setattr(lines.Sieve, "among", noting)
    return read
