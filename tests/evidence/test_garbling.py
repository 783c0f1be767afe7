"""Text that went through a code page is told from text that only looks odd."""

from __future__ import annotations

import pyarrow as pa
import pytest

from forensics.evidence.garbling import Tally, together

WORDS = ("Käsehaus", "Crêperie 🥞", "Á la carte – “toujours”", "Ж, чай и сахар", "łódź")


def through(text: str, page: str) -> str:
    """UTF-8 taken for a code page; bytes that it has no sign for become control characters."""
    signs = []
    for byte in text.encode("utf-8"):
        sign = bytes((byte,)).decode(page, "replace")
        signs.append(chr(byte) if sign == "\ufffd" else sign)
    return "".join(signs)


def tally_of(*rows: str) -> Tally:
    found = Tally()
    found.add(pa.array([f"{row}\tplain\n" for row in rows], pa.large_string()))
    return found


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("cp1252", "Windows-1252"),
        ("latin-1", "Latin-1"),
        ("cp437", "code page 437"),
        ("cp850", "code page 850"),
        ("cp1250", "Windows-1250"),
        ("cp1251", "Windows-1251"),
        ("cp866", "code page 866"),
        ("koi8-r", "KOI8-R"),
    ],
)
def test_what_text_was_taken_for(page: str, said: str) -> None:
    found = tally_of(*(through(word, page) for word in WORDS), "ascii").found
    assert found is not None
    assert (found.page, found.rows, found.of) == (said, len(WORDS), len(WORDS))
    assert found.throughout


@pytest.mark.parametrize(
    "rows",
    [
        WORDS,
        ("том", "сад", "рад", "фон"),
        ("Так", "Ні", "Так", "Ні"),
        ("KÓŁKO", "żółw", "źdźbło"),
        ("CAFÉ’S", "Größe", "Ñandú"),
        ("日本", "盲", "東京"),
        ("ΝΈΑ", "Έλα", "καλά"),
    ],
)
def test_sound_text_is_sound(rows: tuple[str, ...]) -> None:
    found = tally_of(*rows).found
    assert found is None or not (found.throughout or found.in_part)


def test_a_part_is_a_part() -> None:
    bad = [through(word, "cp1252") for word in WORDS]
    found = together([tally_of(*bad, *WORDS), tally_of(*bad)]).found
    assert found is not None
    assert (found.rows, found.of, found.throughout, found.in_part) == (10, 15, False, True)
