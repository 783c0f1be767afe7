"""Where rows end is found window by window, and each line is counted once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from forensics.evidence.plain import markers


@pytest.mark.parametrize("end", [b"\\.\n", b"\\.\r\n", b""], ids=["marked", "of Windows", "cut"])
def test_lines_are_counted_once_however_windows_fall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    monkeypatch.setattr(markers, "_FIRST_CHUNK", 33)
    monkeypatch.setattr(markers, "_CHUNK", 70)
    chance = random.Random(16)
    path = tmp_path / "some.sql"
    for _ in range(60):
        number = chance.randrange(40)
        rows = b"".join(b"\\N\t" * chance.randrange(30) + b"x\n" for _ in range(number))
        path.write_bytes(b"COPY t FROM stdin;\n" + rows + end)
        with path.open("rb") as file:
            found = markers.find_ending(file.fileno(), 19, path.stat().st_size)
        assert found.lines == number
        assert found.marker == (19 + len(rows) if end else None)
