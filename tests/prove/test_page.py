"""The page to sign, and what docs/prove.md says."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
import typer

import forensics as fx
import forensics.cli
from forensics.cli.voice import app
from forensics.errors import ProofError
from forensics.prove.page import render, write_page
from tests.prove.nights import CHURN, Shop

PAGE = (Path(__file__).parents[2] / "docs" / "prove.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The code blocks of one kind."""
    return re.findall(rf"```{kind}(?: outside)?\n(.*?)```", PAGE, re.S)


@pytest.fixture
def proof(shop: Shop) -> fx.Proof:
    backup = shop.dump()
    shop.happens('CREATE TABLE "<b>odd" (id int)')
    shop.happens(CHURN)
    return shop.prove(backup)


def test_the_page_can_be_signed(proof: fx.Proof, tmp_path: Path) -> None:
    page = write_page(proof, tmp_path / "proof.html").read_text(encoding="utf-8")
    for word in ("name", "date", "signature", proof["backup"]["sha256"], proof.sha256):
        assert word in page
    assert "The backup holds what it should" in page
    assert "<b>" not in page
    assert not re.search(r"(?:src|href)=", page)
    with pytest.raises(ProofError, match=r"\.html"):
        write_page(proof, tmp_path / "proof.pdf")


def test_a_page_of_what_does_not_hold(shop: Shop) -> None:
    backup = shop.folder / "b.dump"
    backup.write_bytes(b"")
    page = render(shop.prove(backup))
    assert "does not hold what it should" in page
    assert "accepted" not in page


def test_a_proof_shows_itself(proof: fx.Proof) -> None:
    assert "holds what it should" in repr(proof)
    assert "&lt;b&gt;" in proof._repr_html_()
    assert set(proof.tables["table"]) >= {"invoices", "customers"}


def test_the_commands_of_the_documentation_are_those_of_the_kit() -> None:
    forensics.cli.register()
    command = typer.main.get_command(app).commands["prove"]  # type: ignore[attr-defined]
    known = {name for parameter in command.params for name in parameter.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z-]+", "".join(re.findall(r"forensics prove.*", PAGE))))
    assert named
    assert named <= known
    told = set(re.findall(r"`(--(?:max|expect|with|tolerate|history|backup-at|case)[a-z-]*)", PAGE))
    assert told <= known
    assert len(told) > 6


def test_the_scripts_of_the_documentation_can_be_read() -> None:
    for script in blocks("sh"):
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    yaml = pytest.importorskip("yaml")
    jobs = [yaml.safe_load(text) for text in blocks("yaml")]
    assert len(jobs) == 2
    assert jobs[0]["jobs"]["prove"]["steps"]
    assert any("forensics prove" in line for line in jobs[1]["prove"]["script"])


def test_the_python_of_the_documentation_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.dump("x.dump")
    monkeypatch.chdir(shop.folder)
    [code] = blocks("python")
    exec(code.replace("postgresql://reader@db/app", shop.dsn))  # noqa: S102  (our own page)
    assert (shop.folder / "proof.json").exists()
    assert ast.parse(code)
