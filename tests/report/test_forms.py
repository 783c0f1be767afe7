"""Markdown, workbook, JSON and bundle, and how a report is written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import stat
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics import cli
from forensics.cli.voice import app
from forensics.errors import ReportError, UsageError
from forensics.masking import Mask
from forensics.report import markdown, workbook
from forensics.report.gathering import gather
from forensics.report.rows import with_missing
from forensics.report.writing import SUFFIXES
from tests.conftest import Incident
from tests.report.conftest import LINKS, LONG, tree

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
cli.register()


# --- Markdown ---


def test_markdown_tables_keep_their_shape(nasty: fx.Case) -> None:
    for mask in (True, False):
        width = None
        for line in markdown.render(gather(nasty, mask=mask)).split("\n"):
            if not line.startswith("|"):
                width = None
                continue
            cells = len(re.findall(r"(?<!\\)\|", line))
            assert width in (None, cells), line
            width = cells


def test_markdown_values_are_text_and_nothing_else(nasty: fx.Case) -> None:
    said = markdown.render(gather(nasty, mask=False))
    assert "<script" not in said
    assert "&lt;script&gt;" in said
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "**bold**" not in said


def test_markdown_masks_values(nasty: fx.Case) -> None:
    said = markdown.render(gather(nasty))
    assert not any(secret in said for secret in ("evil.example", "crimson", "mail.example"))
    assert "Values of rows are masked." in said


# --- workbook ---


def cells(path: Path) -> dict[str, list[list[str]]]:
    """A workbook's sheets by name, as rows of texts, read without a spreadsheet library."""
    with zipfile.ZipFile(path) as book:
        shared = [
            "".join(t.itertext())
            for t in tree(book.read("xl/sharedStrings.xml")).iter(f"{SHEET}si")
        ]
        names = [
            s.get("name", "") for s in tree(book.read("xl/workbook.xml")).iter(f"{SHEET}sheet")
        ]
        found = {}
        for number, name in enumerate(names, 1):
            root = tree(book.read(f"xl/worksheets/sheet{number}.xml"))
            assert not list(root.iter(f"{SHEET}f")), "no formula"
            assert not list(root.iter(f"{SHEET}hyperlink")), "no link"
            found[name] = [
                [
                    shared[int(c.findtext(f"{SHEET}v", ""))]
                    if c.get("t") == "s"
                    else c.findtext(f"{SHEET}v", "")
                    for c in row.iter(f"{SHEET}c")
                ]
                for row in root.iter(f"{SHEET}row")
            ]
    return found


def test_the_workbook_holds_text_and_no_formula(nasty: fx.Case, tmp_path: Path) -> None:
    found = cells(nasty.report(tmp_path / "r.xlsx", mask=False))
    first = ["verdict", "actions", "tables", "columns", "junctions", "worst hit"]
    assert list(found)[:6] == first
    guests = found["guests"]
    assert guests[0] == ["id", "name", "born", "email"]
    assert guests[1][1] == "https://cdn.example/very/private.png"
    worst = {row[3] for row in found["worst hit"]}
    assert '=HYPERLINK("https://evil.example","win")' in worst


def test_sheet_names_obey_the_rules_and_differ(nasty: fx.Case, tmp_path: Path) -> None:
    names = list(cells(nasty.report(tmp_path / "r.xlsx")))
    assert len({n.casefold() for n in names}) == len(names)
    assert all(len(n) <= 31 and not re.search(r"[\[\]:*?/\\]", n) for n in names)
    assert sum(n.casefold().startswith(LONG[:20]) for n in names) == 2


def test_the_workbook_masks_values_and_tells_null_from_empty(
    nasty: fx.Case, tmp_path: Path
) -> None:
    masked = cells(nasty.report(tmp_path / "r.xlsx"))
    assert not any(
        "evil.example" in c or "cdn.example" in c
        for rows in masked.values()
        for row in rows
        for c in row
    )
    shown = cells(nasty.report(tmp_path / "s.xlsx", mask=False))
    secrets = next(rows for name, rows in shown.items() if name == LONG[:31])
    assert [row[1:] for row in secrets[1:5]] == [["NULL"], [], ["x"], ["quote \" and ' both"]]


def test_the_workbook_says_what_it_leaves_out(nasty: fx.Case, tmp_path: Path) -> None:
    missing = with_missing(nasty, Mask(nasty.catalogs[0]))
    workbook.write(gather(nasty), missing, tmp_path / "r.xlsx", limit=10)
    rows = cells(tmp_path / "r.xlsx")[list(cells(tmp_path / "r.xlsx"))[6]]
    assert len([r for r in rows if r]) == 1 + 10 + 1
    assert "more rows are not in this sheet" in rows[-1][0]


# --- JSON and bundle ---


def test_json_holds_what_the_stages_found(sample: fx.Case, tmp_path: Path) -> None:
    found = json.loads(sample.report(tmp_path / "r.json").read_text())
    assert set(found) == {"summary", "loss"}
    assert found["summary"]["totals"] == sample.totals
    assert found["loss"]["totals"]["missing"] == sum(
        j["missing"] for j in found["loss"]["junctions"]
    )


def test_the_bundle_holds_every_form_and_every_missing_row(nasty: fx.Case, tmp_path: Path) -> None:
    with zipfile.ZipFile(nasty.report(tmp_path / "r.zip")) as bundle:
        manifest = json.loads(bundle.read("MANIFEST.json"))
        for entry in manifest["files"]:
            content = bundle.read(entry["file"])
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            assert len(content) == entry["bytes"]
        listed = {e["file"] for e in manifest["files"]} | {"MANIFEST.json"}
        assert listed == set(bundle.namelist())
        assert {f"report{s}" for s in SUFFIXES[:-1]} <= listed
        assert manifest["masked"] is True
        rows = {e["table"]: e["rows"] for e in manifest["files"] if "rows" in e}
        assert rows == {r.name.table: r.missing for r in nasty.results if r.missing}
        assert all(
            re.fullmatch(r"rows/[\w.-]+\.csv", e["file"]) for e in manifest["files"] if "rows" in e
        )
        everything = b"".join(bundle.read(n) for n in bundle.namelist() if not n.endswith(".xlsx"))
    assert b"evil.example" not in everything
    assert b"cdn.example" not in everything


def test_postgresql_reads_the_bundle_s_rows_back(
    nasty: fx.Case, scratch, database, tmp_path: Path
) -> None:
    name = database("CREATE TABLE t (id integer PRIMARY KEY, secret text)")
    with zipfile.ZipFile(nasty.report(tmp_path / "r.zip", mask=False)) as bundle:
        entry = next(
            e
            for e in json.loads(bundle.read("MANIFEST.json"))["files"]
            if e.get("table") == LONG[:40]
        )
        content = bundle.read(entry["file"]).decode()
    assert next(csv.reader(io.StringIO(content))) == ["id", "secret"]
    said = scratch.run(
        name,
        "COPY t FROM STDIN WITH (FORMAT csv, HEADER);\n" + content + "\\.\n"
        "SELECT id || ':' || coalesce('[' || secret || ']', 'NULL') FROM t ORDER BY id;",
    )
    assert re.findall(r"\d:.*", said) == ["1:NULL", "2:[]", "3:[x]", "4:[quote \" and ' both]"]


def test_the_same_case_gives_the_same_bundle(nasty: fx.Case, tmp_path: Path) -> None:
    one, two = nasty.report(tmp_path / "1.zip"), nasty.report(tmp_path / "2.zip")
    assert one.read_bytes() == two.read_bytes()


# --- writing ---


@pytest.mark.parametrize("name", ["report.pdf", "report", ".html"])
def test_a_form_that_there_is_not_names_those_that_there_are(
    nasty: fx.Case, tmp_path: Path, name: str
) -> None:
    with pytest.raises(ReportError, match=r"\.html, \.xlsx, \.md, \.json, \.zip"):
        nasty.report(tmp_path / name)


def test_an_unmasked_report_is_its_owner_s_only(nasty: fx.Case, tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = nasty.report(tmp_path / f"r{suffix}", mask=False)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_report_that_cannot_be_written_leaves_the_old_one(nasty: fx.Case, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    with pytest.raises(ReportError, match=r"r\.html"):
        nasty.report(tmp_path / "r.html")


def test_the_command_answers(nasty_folder: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(
        app, ["report", str(nasty_folder), "--out", str(tmp_path / "r.md"), "--json"]
    )
    assert run.exit_code == 0
    assert json.loads(run.stdout)["masked"] is True
    run = CliRunner().invoke(
        app, ["report", str(nasty_folder), "--out", str(tmp_path / "r.doc"), "--json"]
    )
    assert run.exit_code == 2
    assert json.loads(run.stdout)["error"]["kind"] == "report"
    run = CliRunner().invoke(
        app, ["report", str(tmp_path), "--out", str(tmp_path / "r.md"), "--json"]
    )
    assert run.exit_code == 2


def test_figures_of_a_case(nasty: fx.Case) -> None:
    for name in ("loss", "totals", "timeline", "classes"):
        assert nasty.figure(name).name == name
    with pytest.raises(UsageError, match="classes, loss, timeline, totals"):
        nasty.figure("lost")
    junction = nasty.junction(f'"{LINKS.replace(chr(34), chr(34) * 2)}"')
    assert "54" not in junction.figure("by_parent", "guests").alt
    assert "9 of 9" in junction.figure("by_parent", "guests").alt
    with pytest.raises(UsageError, match="by_parent, distribution"):
        junction.figure("pie")


def test_findings_stand_in_every_form(incident: Incident, tmp_path: Path) -> None:
    incident.happens(
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT i, 'v' || "
        "i FROM generate_series(1, 9) i",
        'ALTER TABLE a RENAME TO "b<i>"',
    )
    with incident.compare() as case:
        said = {
            suffix: case.report(tmp_path / f"r.{suffix}").read_bytes()
            for suffix in ("html", "md", "json", "xlsx")
        }
    assert "is probably &#34;b&lt;i&gt;&#34; now: 9 of its 9 rows" in said["html"].decode()
    assert 'is probably "b&lt;i&gt;" now: 9 of its 9 rows' in said["md"].decode()
    assert "9 of its 9 rows" in json.loads(said["json"])["summary"]["findings"][0]["text"]
    with zipfile.ZipFile(tmp_path / "r.xlsx") as book:
        assert "9 of its 9 rows" in book.read("xl/sharedStrings.xml").decode()
