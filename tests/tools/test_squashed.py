"""Django's migrations, squashed into one and then taken away: what the kit says of either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tools.driven import AGAIN, BOATS, HULL, TRIM
from tests.tools.incident import Said, Server, measured_replay
from tests.tools.kinds.in_python import Django

SQUASHED = "0002_trim_squashed_0003_again"


@pytest.mark.matrix
def test_django_squashes(server: Server, tmp_path: Path) -> None:
    Django.fetch()
    tool = Django()
    with server.database("squashed") as place:
        tool.begin(tmp_path, place)
        for step in (BOATS, TRIM, AGAIN):
            tool.write(step)
        assert tool.up()
        backup = server.scratch.dump("squashed", tmp_path / "backup.sql")
        tool.admin("squashmigrations", "yard", "0002", "0003", "--noinput")
        tool.sql(f"printed/yard/migrations/{SQUASHED}.sql", _printed(tool, SQUASHED))
        tool.write(HULL)
        assert tool.up()
        said = Said(tmp_path / "one", backup, place.url, tool.as_sql)
        [squashed] = [m for m in said.cause["migrations"] if "squashed" in m["name"]]
        assert squashed["state"] == "marked as applied"
        assert measured_replay(said, {"hull": 4}) == "yes"
        _take_away(tool, tmp_path)
        said = Said(tmp_path / "two", backup, place.url, tool.as_sql)
        names = [m["name"] for m in said.cause["migrations"] if m["in_live"]]
        assert sorted(names) == ["yard.0001_boats", f"yard.{SQUASHED}", "yard.0010_hull"]
        assert not any("restored from elsewhere" in note for note in said.cause["notes"])
        assert measured_replay(said, {"hull": 4}) == "yes"


def _printed(tool: Django, name: str) -> str:
    return tool.admin("sqlmigrate", "yard", name)


def _take_away(tool: Django, folder: Path) -> None:
    """The migrations that it stands for: their files, and their rows."""
    for one in ("0002_trim", "0003_again"):
        (folder / "yard/migrations" / f"{one}.py").unlink()
        (folder / "printed/yard/migrations" / f"{one}.sql").unlink()
    for path, pattern, new in (
        (SQUASHED, r"    replaces = [^\n]*\n", ""),
        ("0010_hull", "0003_again", SQUASHED),
    ):
        file = folder / "yard/migrations" / f"{path}.py"
        text = re.sub(pattern, new, file.read_text())
        file.write_text(text)
        assert "replaces" not in text
    said = tool.admin("migrate", "yard", "--prune")
    assert "0002_trim" in said, said
