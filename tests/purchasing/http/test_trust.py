"""Whom a client trusts: the user names files, folders or the system; a mistake names the setting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flux2build.errors import UsageError
from flux2build.purchasing.http import authorities
from tests import certificates


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """A file with the certificate of an authority."""
    chain, _ = certificates.keys(tmp_path)
    return Path(chain)


def test_nothing_named_is_the_usual() -> None:
    """Without a setting the usual authorities count."""
    assert authorities({}) is None


def test_a_named_authority_is_trusted_alone(company: Path) -> None:
    """What the file holds is trusted, and nothing else."""
    context = authorities({"SSL_CERT_FILE": str(company)})

    assert context is not None
    assert [each["subject"] for each in context.get_ca_certs()] == [
        ((("organizationName", "Test root"),), (("commonName", "pictures"),))
    ]


def test_a_folder_may_hold_them(tmp_path: Path) -> None:
    """A folder is read when a certificate is looked for in it, by its hash."""
    context = authorities({"SSL_CERT_DIR": str(tmp_path)})

    assert context is not None
    assert context.get_ca_certs() == []


def test_several_folders_may_hold_them(tmp_path: Path) -> None:
    """`SSL_CERT_DIR` is a list, as in OpenSSL, and not every folder of it has to be there."""
    context = authorities({"SSL_CERT_DIR": f"{tmp_path / 'none'}{os.pathsep}{tmp_path}"})

    assert context is not None


def test_the_system_is_asked() -> None:
    """`system` is the system's own store, whatever else is named."""
    assert authorities({"network.ca": "system"}) is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "`SSL_CERT_FILE` names `{}`, which cannot be read: no such file"),
        (b"", "`SSL_CERT_FILE` names `{}`, which holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nnonsense", "which holds no certificate"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A file that is missing or holds something else is an error that names the setting."""
    file = tmp_path / "company.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        authorities({"SSL_CERT_FILE": str(file)})

    (problem,) = caught.value.problems
    assert message.format(file) in problem.message
    hint = "it is a file of certificates in PEM: `-----BEGIN CERTIFICATE-----`"
    if content is None:
        hint = "name a file of certificates in PEM, or `unset SSL_CERT_FILE` to trust the usual authorities"
    assert problem.hint == hint
