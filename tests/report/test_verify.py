"""A bundle against its manifest."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

import forensics as fx
from forensics import cli
from forensics.cli.voice import app
from forensics.report.verifying import verify

cli.register()


@pytest.fixture(scope="module")
def bundle(nasty_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with fx.open_case(nasty_folder) as case:
        return case.report(tmp_path_factory.mktemp("bundle") / "e.zip")


def again(
    bundle: Path, path: Path, changed: dict[str, bytes | None], *added: tuple[str, bytes]
) -> Path:
    """The bundle with files of other contents, or without them, and with others."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = changed.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in added:
            new.writestr(name, content)
    return path


def asked(path: Path) -> tuple[int, dict]:
    run = CliRunner().invoke(app, ["verify", str(path), "--json"])
    return run.exit_code, json.loads(run.stdout)


def test_a_bundle_as_it_was_holds(bundle: Path) -> None:
    status, said = asked(bundle)
    assert status == 0
    assert said["holds"] is True
    assert said["problems"] == []
    assert said["masked"] is True
    assert said["files"] > 5
    run = CliRunner().invoke(app, ["verify", str(bundle)])
    assert "It holds" in run.stdout
    assert said["sha256"] in run.stdout


def test_each_file_that_is_not_as_it_was_is_named(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as old:
        page = old.read("report.html")
        rows = next(n for n in old.namelist() if n.startswith("rows/"))
    flipped = page[:-9] + b"\x00" + page[-8:]
    path = again(
        bundle,
        tmp_path / "e.zip",
        {"report.html": flipped, rows: None},
        ("rows/more.csv", b"x"),
    )
    status, said = asked(path)
    assert status == 1
    assert said["holds"] is False
    found = {(p["file"], p["problem"]) for p in said["problems"]}
    assert found == {
        ("report.html", "changed"),
        (rows, "lacking"),
        ("rows/more.csv", "additional"),
    }
    run = CliRunner().invoke(app, ["verify", str(path)])
    assert run.exit_code == 1
    assert "3 files are not as the manifest says" in run.stdout


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_additional(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as old:
        page = old.read("report.md")
    path = again(bundle, tmp_path / "e.zip", {}, ("report.md", page))
    assert [(p.file, p.problem) for p in verify(path).amiss] == [("report.md", "additional")]


def test_a_cut_bundle_does_not_hold(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    path.write_bytes(bundle.read_bytes()[:-400])
    status, said = asked(path)
    assert status == 1
    assert said["files"] is None
    assert said["problems"][0]["file"] == "e.zip"


def test_a_byte_turned_over_in_a_stream_is_a_change(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(bundle) as old:
        info = old.getinfo("report.html")
    content = bytearray(bundle.read_bytes())
    content[info.header_offset + 30 + len("report.html") + info.compress_size // 2] ^= 0xFF
    path = tmp_path / "e.zip"
    path.write_bytes(content)
    assert [(p.file, p.problem) for p in verify(path).amiss] == [("report.html", "changed")]


@pytest.mark.parametrize("manifest", [None, b"{", b"[]", b'{"files": [{"file": 1}]}'])
def test_what_has_no_manifest_cannot_be_asked(
    bundle: Path, tmp_path: Path, manifest: bytes | None
) -> None:
    status, said = asked(again(bundle, tmp_path / "e.zip", {"MANIFEST.json": manifest}))
    assert status == 2
    assert "MANIFEST.json" in said["error"]["message"]


def test_what_is_no_bundle_cannot_be_asked(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip")
    (tmp_path / "empty.zip").touch()
    for name in ("text.zip", "empty.zip", "absent.zip", "."):
        status, said = asked(tmp_path / name)
        assert status == 2, name
        assert said["error"]["kind"] == "report"
