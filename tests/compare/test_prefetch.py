"""Blocks that are read ahead come in order, and no more of them than there is room for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from forensics.compare import prefetch
from forensics.compare.prefetch import Prefetch


def test_long_blocks_are_not_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefetch, "_MOST_BYTES", 100)
    made: list[int] = []

    def blocks(size: int) -> Iterator[bytes]:
        for number in range(50):
            made.append(number)
            yield bytes([number]) * size

    for size, most in ((60, 4), (500, 3), (1, 9)):
        made.clear()
        ahead = Prefetch(blocks(size), [], 6)
        found = []
        for block in ahead:
            time.sleep(0.001)
            found.append(block[0])
            assert len(made) - len(found) <= most
        assert found == list(range(50))
        ahead.close()


def test_what_goes_wrong_is_met_by_who_reads_and_who_ends_early_waits_for_nobody() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a\n"
        raise ValueError("broken")

    ahead = Prefetch(broken(), [], 6)
    with pytest.raises(ValueError, match="broken"):
        list(ahead)
    endless = Prefetch(iter(lambda: b"x\n", b""), [], 6)
    assert next(iter(endless)) == b"x\n"
    endless.close()
