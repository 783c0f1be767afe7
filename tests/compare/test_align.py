"""`align`: pairs are equal rows, one from each side; what is left differs as the whole does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.compare import align as module
from forensics.compare.align import Stream, align

LINES = st.lists(st.text("ab\t", max_size=3).map(lambda t: f"{t}\n".encode()), max_size=60)


def blocks(lines: list[bytes], size: int) -> Iterator[memoryview]:
    for at in range(0, len(lines), size):
        block = bytearray(b"".join(lines[at : at + size]))
        yield memoryview(block)
        block[:] = b"#" * len(block)  # the next one is read into it


def walk(ours: list[bytes], theirs: list[bytes], size: int = 7) -> tuple[Stream, Stream, int]:
    backup, live = Stream(blocks(ours, size), counting=True), Stream(blocks(theirs, size + 3))
    return backup, live, align(backup, live, lambda rows: None)


def left_over(stream: Stream) -> list[bytes]:
    return stream.odd + b"".join(bytes(b) for b in stream.rest()).splitlines(keepends=True)


def hold(ours: list[bytes], theirs: list[bytes], size: int = 7) -> int:
    backup, live, paired = walk(ours, theirs, size)
    odd_ours, odd_theirs = left_over(backup), left_over(live)
    whole, rest = Counter(ours), Counter(odd_ours)
    assert rest <= whole
    assert len(ours) - len(odd_ours) == len(theirs) - len(odd_theirs) == paired
    # As multisets, what is left differs exactly as the whole differs.
    assert Counter(ours) - Counter(theirs) == Counter(odd_ours) - Counter(odd_theirs)
    assert Counter(theirs) - Counter(ours) == Counter(odd_theirs) - Counter(odd_ours)
    text = b"".join(ours)
    for position, line in zip(backup.odd_at, backup.odd, strict=True):
        assert text[position : position + len(line)] == line
    return paired


@given(LINES, LINES)
@settings(max_examples=300, deadline=None)
def test_any_two_streams(ours: list[bytes], theirs: list[bytes]) -> None:
    hold(ours, theirs)


@given(LINES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_deletions_updates_and_insertions(ours: list[bytes], chance: random.Random) -> None:
    theirs = [line for line in ours if chance.random() > 0.1]
    theirs = [line[:-1] + b"!\n" if chance.random() < 0.1 else line for line in theirs]
    for _ in range(chance.randrange(4)):
        theirs.insert(chance.randrange(len(theirs) + 1), b"new\n")
    hold(ours, theirs)


def test_nearly_everything_is_paired_where_a_hundredth_is_gone() -> None:
    chance = random.Random(1)
    ours = [f"{i}\tparent{i % 900}\t{chance.random()}\n".encode() for i in range(20_000)]
    theirs = [line for line in ours if chance.random() > 0.01]
    assert hold(ours, theirs, 500) == len(theirs)


def test_gives_up_where_the_order_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEARCH_ALLOWANCE", 1 << 20)
    chance = random.Random(2)
    ours = [f"{i}\tparent{i % 900}\t{chance.random()}\n".encode() for i in range(20_000)]
    theirs = ours[:]
    chance.shuffle(theirs)
    backup, live, _ = walk(ours, theirs, 500)
    assert backup.at < len(backup.data) or backup.fill(), (
        "the walk went on to the end though it paid for nothing"
    )
    hold(ours, theirs, 500)


def test_a_line_longer_than_every_window() -> None:
    long = b"x" * (module._FAR * 3) + b"\n"
    assert hold([b"a\n", long, b"b\n"], [b"a\n", long[:-2] + b"y\n", b"b\n"], 1) == 2
