"""What `make check` measures: the columns of a line, in whatever file it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import house


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is measured."""
    monkeypatch.setattr(house, "ROOT", tmp_path)
    place = tmp_path / "room"
    (place / "queries").mkdir(parents=True)
    return place


def test_wide_lines_of_sql(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "ask.py").write_text("NUMBER = 1\n", encoding="utf-8")
    query = room / "queries" / "rows.sql"
    query.write_text(f"-- {'é' * 97}\nSELECT '{'x' * 91}'\n", encoding="utf-8")
    assert house.main([str(room)]) == 0
    query.write_text(f"-- {'é' * 97}\nSELECT '{'x' * 92}'\n", encoding="utf-8")
    assert house.main([str(room)]) == 1
    assert "wide      room/queries/rows.sql:2\n" in capsys.readouterr().out
    assert house.main([str(query)]) == 1


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js"])
def test_wide_lines_of_pages(room: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = room / "templates" / name
    page.parent.mkdir()
    page.write_text(f"{'é' * 100}\n" * 600, encoding="utf-8")
    found = house.measure(room)
    assert (found.lines, list(found.places)) == (0, [])
    page.write_text(f"<p>\n{'é' * 101}\n</p>\n", encoding="utf-8")
    assert house.main([str(room)]) == 1
    assert f"wide      room/templates/{name}:2\n" in capsys.readouterr().out
    assert house.main([str(page)]) == 1


def test_what_is_no_text_is_not_read(room: Path) -> None:
    (room / "picture.png").write_bytes(b"\x89PNG" + b"\xff" * 200)
    (room / "notes.md").write_text("x" * 200, encoding="utf-8")
    assert not list(house.measure(room).places)


def test_sql_is_no_python(room: Path) -> None:
    (room / "ask.py").write_text("NUMBER = 1\n", encoding="utf-8")
    (room / "queries" / "rows.sql").write_text("SELECT 1\n" * 600, encoding="utf-8")
    found = house.measure(room)
    assert (found.lines, found.characters) == (1, len("NUMBER = 1"))
    assert not list(found.places)
