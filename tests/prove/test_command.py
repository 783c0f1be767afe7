"""The command: exit statuses, files, a sentence for each bad input."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import forensics as fx
from forensics.errors import BackupError, ProofError, UsageError
from forensics.prove.checking import check
from tests.prove.nights import CHURN, FORMS, Shop, altered
from tests.test_cli import SECRET, run, with_password


@pytest.fixture
def proven(shop: Shop) -> tuple[Path, Path]:
    """A backup and its proof."""
    backup, proof = shop.dump(), shop.folder / "proof.json"
    shop.happens(CHURN)
    shop.prove(backup, out=proof)
    return backup, proof


def test_a_proof_is_written_and_checked(shop: Shop) -> None:
    backup, out, page = shop.dump(), shop.folder / "proof.json", shop.folder / "proof.html"
    shop.happens(CHURN)
    dsn = with_password(shop.dsn)
    done = run("prove", backup, dsn, "--out", out, "--report", page, "--json", "--max-age", "2h")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(out.read_text())
    assert SECRET not in out.read_text() + page.read_text()
    assert "signature" in page.read_text()
    done = run("prove", "--check", out, backup)
    assert done.returncode == 0, done.stderr
    assert "4 tables and 3,003 rows" in done.stdout
    backup.write_bytes(backup.read_bytes()[:-1])
    done = run("prove", "--check", out, backup, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["holds"] is False
    done = run("prove", backup, dsn, "--out", out, "--quiet")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "does NOT hold" in done.stderr


def test_a_question_that_cannot_be_asked(shop: Shop, tmp_path: Path) -> None:
    backup = shop.dump("b.sql", "-Fp")
    bad = {
        "no such file": ("gone.dump", shop.dsn),
        "no live": (backup,),
        "no such age": (backup, shop.dsn, "--max-age", "soon"),
        "no such share": (backup, shop.dsn, "--max-missing", "120"),
        "no such history": (backup, shop.dsn, "--history", tmp_path / "none"),
        "no place": (backup, shop.dsn, "--out", "/proc/none/proof.json"),
        "a folder": (backup, shop.dsn, "--out", tmp_path),
        "no page": (backup, shop.dsn, "--report", tmp_path / "page.pdf"),
        "no known time": (backup, shop.dsn, "--max-age", "1d"),
        "two questions": ("--check", tmp_path / "x.json", backup, "--out", tmp_path / "y"),
        "no proof": ("--check", backup, backup),
        "no proof there": ("--check", tmp_path / "none.json", backup),
        "a case": (backup, shop.dsn, "--case", tmp_path / "case"),
    }
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "case.duckdb").touch()
    for what, words in bad.items():
        done = run("prove", *words)
        assert done.returncode == 2, (what, done)
        assert done.stderr or "not known" in done.stdout, what


def test_a_proof_that_was_altered(proven: tuple[Path, Path]) -> None:
    backup, proof = proven
    assert check(proof, backup).holds
    altered(proof, verdict="The backup holds everything.")
    assert check(proof, backup).holds is False
    assert "altered" in check(proof, backup).verdict
    said = json.loads(proof.read_text())
    del said["sha256"]
    proof.write_text(json.dumps(said))
    assert check(proof, backup).holds is False


def test_a_proof_of_another_backup(shop: Shop, proven: tuple[Path, Path]) -> None:
    other = shop.dump("other.dump")
    assert check(proven[1], other).holds is False
    assert "another backup" in check(proven[1], other).verdict


@pytest.mark.parametrize("form", FORMS)
def test_the_hash_is_that_of_the_file_or_of_the_folder(shop: Shop, form: str) -> None:
    backup, out = shop.dump(*FORMS[form]), shop.folder / "proof.json"
    shop.prove(backup, out=out)
    assert check(out, backup).holds
    if backup.is_dir():
        done = subprocess.run(
            ["sh", "-c", "sha256sum * | sha256sum"],
            cwd=backup,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split()[0] == json.loads(out.read_text())["backup"]["sha256"]
        (backup / "toc.dat").write_bytes(b"PGDMP")
        assert check(out, backup).holds is False


def test_a_proof_that_says_no_is_checked_with_no(shop: Shop) -> None:
    backup, out = shop.dump(), shop.folder / "proof.json"
    shop.prove(backup, out=out, expect_tables=99)
    found = check(out, backup)
    assert found.holds is False
    assert found.amiss == ()
    backup.write_bytes(b"")
    shop.prove(backup, out=out)
    assert check(out, backup).amiss == ()


def test_what_is_no_proof(proven: tuple[Path, Path], tmp_path: Path) -> None:
    backup, proof = proven
    for text, words in {
        "{": "no JSON",
        "\x00\xff": "no JSON",
        "[" * 100_000: "no JSON",
        "[]": "other JSON",
        '{"proof": true}': "other JSON",
        '{"proof": 99}': "newer kit",
    }.items():
        proof.write_bytes(text.encode("latin-1"))
        with pytest.raises(ProofError, match=words):
            check(proof, backup)
    with pytest.raises(ProofError, match="folder"):
        check(tmp_path, backup)


def test_what_a_proof_cannot_be_held_to(shop: Shop, proven: tuple[Path, Path]) -> None:
    _, proof = proven
    with pytest.raises(UsageError, match="this is a database"):
        check(proof, shop.dsn)
    with pytest.raises(BackupError, match="There is no file"):
        check(proof, shop.folder / "gone.dump")
    with pytest.raises(UsageError) as caught:
        check(proof, "host=h;user=u;password=s3cret")
    assert "s3cret" not in str(caught.value)


def test_no_room(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, out = shop.dump(), shop.folder / "proof.json"
    out.write_text("before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProofError, match="No space left"):
        shop.prove(backup, out=out)
    assert out.read_text() == "before"
    assert sorted(path.name for path in shop.folder.iterdir()) == [
        "b.dump",
        "proof.json",
        "proofs",
    ]


def test_a_case_is_kept_where_it_is_asked_for(shop: Shop) -> None:
    backup = shop.dump()
    shop.happens("DELETE FROM parcels WHERE weight < 9")
    assert shop.prove(backup, case=shop.folder / "case").holds
    with fx.open_case(shop.folder / "case") as case:
        assert case.totals["missing"] == 8
        assert case.loss is not None


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq")
def test_anyone_can_check_the_hash(proven: tuple[Path, Path]) -> None:
    _, proof = proven
    done = subprocess.run(
        ["sh", "-c", f"jq -jcS 'del(.sha256)' {proof} | sha256sum"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == json.loads(proof.read_text())["sha256"]
