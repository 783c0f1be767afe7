"""A row that is longer than --max-row fails its table, in words; others are compared."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forensics.cli import app, compare, inspect
from forensics.compare.options import Options
from forensics.errors import UsageError
from forensics.evidence.blocks import LongRowError, read_blocks, row_limit
from tests.conftest import Incident

BEFORE = """CREATE TABLE scan (id int PRIMARY KEY, page text);
INSERT INTO scan SELECT i, 'page ' || i FROM generate_series(1, 20) i;
INSERT INTO scan VALUES (21, repeat('wide', 100000));
CREATE TABLE shelf (id int PRIMARY KEY, name text);
INSERT INTO shelf SELECT i, 'shelf ' || i FROM generate_series(1, 9) i;"""
CHANGE = "DELETE FROM shelf WHERE id = 3"
COMMANDS = compare, inspect  # importing them registers them
FORMS = [("-Fp",), ("-Fp", "--inserts"), ("-Fc",), ("-Fd",), ("-Ft",), ("-Fc", "--inserts")]


def _run(incident: Incident, folder: Path, size: str) -> tuple[int, str, dict[str, str]]:
    asked = ["compare", str(incident.backup), incident.live_dsn, "--case", str(folder)]
    ran = CliRunner().invoke(app, [*asked, "--max-row", size, "--json"])
    assert ran.stdout, (ran.exit_code, ran.stderr, ran.exception)
    states = {one["table"]: one["state"] for one in json.loads(ran.stdout)["tables"]}
    return ran.exit_code, " ".join(ran.stderr.split()), states


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_its_table_fails(form: tuple[str, ...], incident: Incident, tmp_path: Path) -> None:
    incident.happens(BEFORE, CHANGE, *form)
    status, said, states = _run(incident, tmp_path / "one", "64kB")
    assert (status, states) == (2, {"scan": "failed", "shelf": "compared"})
    assert "A row of table scan is longer than the 65,536 bytes" in said
    assert "--max-row" in said
    assert "begins at line" in said
    status, _, states = _run(incident, tmp_path / "two", "1MB")
    assert (status, states) == (1, {"scan": "compared", "shelf": "compared"})


def test_packed(incident: Incident, tmp_path: Path) -> None:
    incident.happens(BEFORE, CHANGE)
    text = incident.backup.read_bytes()
    line = text[: text.index(b"\n21\twide")].count(b"\n") + 2
    incident.backup.write_bytes(gzip.compress(text))
    status, said, states = _run(incident, tmp_path / "one", "64kB")
    assert (status, states) == (2, {"scan": "failed", "shelf": "compared"})
    assert f"it begins at line {line} of" in said
    ran = CliRunner().invoke(app, ["inspect", str(incident.backup), "--max-row", "64kB"])
    assert ran.exit_code == 2


@pytest.mark.parametrize("limit", [4, 5, 64])
def test_the_limit_is_exact(limit: int) -> None:
    pieces = iter([b"abc\nab", b"c\nabcd\n", b"a"])
    blocks = read_blocks(lambda _: next(pieces, b""), max_row=limit)
    if limit > 4:
        assert b"".join(blocks) == b"abc\nabc\nabcd\na"
        return
    with pytest.raises(LongRowError) as raised:
        list(blocks)
    assert (raised.value.at, raised.value.size) == (8, 5)


def test_sizes() -> None:
    assert [row_limit(s) for s in ("7", "2 kB", "64MB", "1GiB")] == [7, 2048, 64 << 20, 1 << 30]
    for odd in ("", "0", "MB", "-1MB", "1.5MB", "1TB"):
        with pytest.raises(UsageError):
            row_limit(odd)


def test_the_default_goes_by_the_memory_that_there_is(incident: Incident, tmp_path: Path) -> None:
    assert Options().longest_row == "122880kB"
    assert Options(memory="2 GiB").longest_row == "419430kB"
    assert Options(memory="100MB", max_row="1GB").longest_row == "1GB"
    incident.happens(BEFORE.replace("100000", "6000000"), CHANGE)
    asked = ["compare", str(incident.backup), incident.live_dsn, "--json", "--memory", "100MB"]
    ran = CliRunner().invoke(app, [*asked, "--case", str(tmp_path / "case")])
    states = {one["table"]: one["state"] for one in json.loads(ran.stdout)["tables"]}
    assert (ran.exit_code, states) == (2, {"scan": "failed", "shelf": "compared"})
    assert "20,971,520 bytes that --max-row allows" in " ".join(ran.stderr.split())


def test_inspecting_calls_no_backup_damaged_for_a_long_row(
    incident: Incident, tmp_path: Path
) -> None:
    incident.happens(BEFORE, CHANGE)
    ran = CliRunner().invoke(app, ["inspect", str(incident.backup), "--max-row", "64kB", "--json"])
    assert ran.exit_code == 2
    said = json.loads(ran.stdout)
    assert said["whole"] is None
    assert said["verdict"].startswith("Not all of the backup was read: after 20 rows: A row of")
    assert "NOT whole" not in ran.stdout + ran.stderr
    text = incident.backup.read_bytes()
    incident.backup.write_bytes(text.replace(b"\n5\tshelf 5\n", b"\nfive\tshelf 5\n"))
    ran = CliRunner().invoke(app, ["inspect", str(incident.backup), "--max-row", "64kB", "--json"])
    said = json.loads(ran.stdout)
    assert said["whole"] is False
    assert "that integer cannot hold" in said["verdict"]
