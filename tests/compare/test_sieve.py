"""The sieve lets every line through that has one of the keys, and nearly no other."""

from __future__ import annotations

import random

import pytest

from forensics.compare.sieve import Sieve
from forensics.evidence.arrays import texts


def field(chance: random.Random, kind: str) -> str:
    number = chance.randrange(60)
    if kind == "number":
        return str(number)
    if kind == "padded":
        return f"k{number:09}"
    if kind == "uuid":
        return f"{number * 2**90:032x}"
    return "é" * chance.randrange(3) + "\\N" * chance.randrange(2) + str(number)


def through(sieve: Sieve, block: bytes) -> list[str]:
    begins, ends = sieve.among(block)
    return [block[a:b].decode() for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]


@pytest.mark.parametrize("places", [[0], [0, 1], [1], [2, 0], [0, 1, 2]])
@pytest.mark.parametrize("kind", ["number", "padded", "uuid", "text"])
def test_every_line_that_has_a_key_comes_through(kind: str, places: list[int]) -> None:
    chance = random.Random(len(kind) + len(places))
    for _ in range(40):
        rows = [[field(chance, kind) for _ in range(4)] for _ in range(chance.randrange(1, 60))]
        keys = {tuple(row[place] for place in places) for row in rows if chance.random() < 0.1}
        keys.add(tuple(field(chance, kind) for _ in places))
        lines = ["\t".join(key) + "\n" for key in sorted(keys)]
        block = "".join("\t".join(row) + "\n" for row in rows).encode()
        found = through(Sieve([texts(lines)], places, 4), block)
        for row in rows:
            if tuple(row[place] for place in places) in keys:
                assert "\t".join(row) + "\n" in found


def test_next_to_none_of_the_others_do() -> None:
    rows = [f"{i}\t{i * 7 % 1009}\tname {i}\n" for i in range(20_000)]
    block = "".join(rows).encode()
    keys = texts([f"{i}\n" for i in range(0, 20_000, 100)])
    found = through(Sieve([keys], [0], 3), block)
    assert 200 <= len(found) < 210


def test_no_key_lets_nothing_through() -> None:
    assert through(Sieve([], [0], 2), b"1\t2\n") == []
