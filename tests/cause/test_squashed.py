"""Migrations that were squashed: one row stands for many, and ran for none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from forensics.cause.history import place
from forensics.cause.squashed import unsquashed
from forensics.evidence import open_source
from forensics.evidence.migrations import HistoryEntry, read_folder, read_history
from forensics.scratch import Scratch

TABLE = """
CREATE TABLE django_migrations (id serial, app text, name text, applied timestamptz);
INSERT INTO django_migrations (app, name, applied) VALUES
    ('yard', '0001_boats', '2026-01-01'), ('shop', '0002_trim', '2026-01-01'),
    ('yard', '0002_trim', '2026-01-02'), ('yard', '0003_again', '2026-01-03');
"""
NEW = "INSERT INTO django_migrations (app, name, applied) VALUES ('yard', '{}', '2026-02-01');"
PRUNE = "DELETE FROM django_migrations WHERE app = 'yard' AND name ~ '^000[{}]_[a-z]+$';"
# The one that stands for others, and which of them it is for.
SQUASHED = {"0002_trim_squashed_0003_again": "23", "0001_squashed_0003_again": "123"}


@pytest.mark.parametrize("files", [True, False])
@pytest.mark.parametrize("name", SQUASHED)
def test_one_row_for_many(
    name: str, files: bool, scratch: Scratch, database: Callable[..., str], tmp_path: Path
) -> None:
    def said() -> list[HistoryEntry]:
        with open_source(scratch.dsn(live)) as source:
            return read_history(source)

    live = database(TABLE)
    folder = None
    if files:
        path = tmp_path / "yard" / "migrations" / f"{name}.sql"
        path.parent.mkdir(parents=True)
        path.write_text("DELETE FROM boats;")
        folder = read_folder(tmp_path)
    backup = said()
    scratch.run(live, NEW.format(name))
    both = place(unsquashed({"backup": backup, "live": said()}), {}, folder, None)
    states = {one.name: one.state for one in both.migrations}
    if not files:  # where the others' files are gone their rows mean its file
        assert states[f"yard.{name}"] == "marked as applied"
    assert both.between == ()
    scratch.run(live, PRUNE.format(SQUASHED[name]))
    after = place(unsquashed({"backup": backup, "live": said()}), {}, folder, None)
    assert after.between == ()
    assert not any("restored from elsewhere" in note for note in after.notes), after.notes
    there = {one.name: (one.in_backup, one.in_live) for one in after.migrations}
    assert there[f"yard.{name}"] == (True, True)
    assert there["shop.0002_trim"] == (True, True)
