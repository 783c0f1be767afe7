"""Markdown escapes what needs it, and nothing else."""

from __future__ import annotations

import pytest

from forensics.markup import code, text
from forensics.text import prose


@pytest.mark.parametrize(
    "said",
    [
        "drop-table",
        "0.323",
        "A••• (20 characters)",
        "timestamp(3) without time zone",
        "hotel_images",
        "10:40:12 UTC",
        "a = b + c, {1}",
        "1.13",
        "3.5 x",
        "wow!",
        "-1",
    ],
)
def test_what_is_harmless_stands_as_it_is(said: str) -> None:
    assert text(said) == said


@pytest.mark.parametrize(
    ("said", "escaped"),
    [
        ("**bold**", r"\*\*bold\*\*"),
        ("_under_ and snake_case", r"\_under\_ and snake_case"),
        ("[x](y)", r"\[x\](y)"),
        ("a | b", r"a \| b"),
        ("`x`", r"\`x\`"),
        ("<i> & co", "&lt;i&gt; &amp; co"),
        ("https://evil.example", r"https\://evil.example"),
        ("www.evil.example", r"www\.evil.example"),
        ("ann@mail.example", r"ann\@mail.example"),
        ("fixes #12", r"fixes \#12"),
        ("# head", r"\# head"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("~~gone~~ $x$", r"\~\~gone\~\~ \$x\$"),
        (":tada: {{ 7 }}", r"\:tada: \{{ 7 }}"),
    ],
)
def test_what_would_be_markup_is_text(said: str, escaped: str) -> None:
    assert text(said) == escaped


@pytest.mark.parametrize("said", ["hotel_images", '"_HotelToTag"', 'DROP TABLE "a b"', "a.b-c"])
def test_names_and_statements_are_code(said: str) -> None:
    assert code(said) == f"`{said}`"


@pytest.mark.parametrize("said", ["a|b", "a`b", "<b>", "a\nb", " a", "a\\b"])
def test_what_would_end_code_is_text(said: str) -> None:
    assert not code(said).startswith("`")


def test_sentences_keep_names_legible() -> None:
    assert prose("lost rows of hotel_images") == "lost rows of hotel_images"
    assert prose("__init__ *") == r"\_\_init\_\_ \*"
