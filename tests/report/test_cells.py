"""Numbers and times are such in a workbook, where nothing of them is lost."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from forensics.report.cells import reader


@pytest.mark.parametrize(
    ("kind", "text", "cell"),
    [
        ("integer", "9", 9),
        ("integer", "-10", -10),
        ("bigint", "123456789012345", 123_456_789_012_345),
        ("bigint", "1234567890123456", "1234567890123456"),
        ("numeric(10,2)", "3.50", 3.5),
        ("numeric", "0.1234567890123456", "0.1234567890123456"),
        ("numeric", "NaN", "NaN"),
        ("numeric", "•••", "•••"),
        ("real", "1e+30", "1e+30"),
        ("double precision", "Infinity", "Infinity"),
        ("integer", "007", "007"),
        ("date", "2026-02-03", date(2026, 2, 3)),
        ("date", "1899-12-31", "1899-12-31"),
        ("date", "infinity", "infinity"),
        ("date", "0044-03-15 BC", "0044-03-15 BC"),
        ("timestamp without time zone", "2026-02-03 04:05:06", datetime(2026, 2, 3, 4, 5, 6)),
        (
            "timestamp(3) with time zone",
            "2026-02-03 04:05:06.789+02",
            datetime(2026, 2, 3, 2, 5, 6, 789_000, UTC),
        ),
        ("timestamp with time zone", "2026-02-03 04:05:06.123456+00", None),
        ("timestamp without time zone", "12026-02-03 04:05:06", None),
    ],
)
def test_what_a_spreadsheet_keeps_is_a_number_or_a_time(kind: str, text: str, cell: object) -> None:
    read = reader(kind)
    assert read is not None
    found = read(text)
    assert found == (text if cell is None else cell)
    assert type(found) is type(text if cell is None else cell)


@pytest.mark.parametrize("kind", ["text", "uuid", "integer[]", "character varying(9)", "interval"])
def test_text_stays_text(kind: str) -> None:
    assert reader(kind) is None
