"""What is taken for the URL of a file, and what is shown of one."""

from __future__ import annotations

import pytest

from forensics.evidence.afar import Url, is_url


@pytest.mark.parametrize(
    "text", ["s3://backups/monday", "GS://b/x.sql", "abfs://box@account/x", "https://h/b.dump"]
)
def test_a_store_has_files(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    [
        "psql://zoe:s3cret@farhost/fardb",
        "pgsql://zoe:s3cret@farhost/fardb",
        "prisma+postgres://farhost/?api_key=s3cret",
        "mysql://zoe:s3cret@farhost/fardb",
        "s3:/backups/monday",
        "backups/s3.sql",
    ],
)
def test_what_may_be_a_connection_string_is_no_file(text: str) -> None:
    assert not is_url(text)


def test_what_opens_a_file_is_not_shown() -> None:
    signed = Url("https://zoe:s3cret@store/b.dump?X-Amz-Signature=s3cret")
    assert str(signed) == "https://zoe:***@store/b.dump?***"
    assert "s3cret" in signed.__reduce__()[1][0], "executors open it"
