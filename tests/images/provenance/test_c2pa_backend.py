"""Deliverables are signed with the user's certificate, once, and anyone can verify them."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("c2pa", reason="the extra `provenance` is not installed")

import c2pa  # type: ignore[import-untyped] # it carries no types
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from flux2build.digest import of_bytes
from flux2build.errors import Exit, SystemFault
from flux2build.images.provenance.c2pa import INVALID, VALID, read
from flux2build.images.provenance.c2pa_backend import signer, verified
from flux2build.images.provenance.iptc import source_type
from flux2build.lockfile import Derived, loads
from flux2build.session.home import user_store
from tests.certificates import ORGANIZATION, Key, keys
from tests.conftest import Site

FORMATS = ["png", "jpeg", "webp", "avif"]
SPEC = """\
[defaults]
width = 128
height = 96
sign = true

[asset.fox]
prompt = "a friendly fox"
deliver = [{ path = "small.{{ format }}", widths = [64], formats = ["png", "jpeg", "webp", "avif"] }]
"""


@pytest.fixture
def signing(empty: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Site:
    """A site whose files are to be signed, by a user who has a certificate."""
    certificate, key = keys(tmp_path)
    monkeypatch.setenv("FLUX2BUILD_SIGN_CERT", certificate)
    monkeypatch.setenv("FLUX2BUILD_SIGN_KEY", key)
    empty.write("assets.toml", SPEC)
    return empty


def said(data: bytes) -> tuple[str, dict[str, Any]]:
    """What C2PA's own reader says of a file: whether it is valid, and its active manifest."""
    manifest = read(data)
    assert manifest is not None
    with c2pa.Reader(io.BytesIO(data)) as reader:
        whole = json.loads(reader.json())
        return reader.get_validation_state(), whole["manifests"][whole["active_manifest"]]


def rows(site: Site) -> dict[str, Derived]:
    """The deliverables in the lock, by path."""
    lock = loads(site.folder.joinpath("assets.lock").read_text("utf-8"), "assets.lock")
    return {row.output.path: row for block in lock.blocks.values() for row in block.derived}


def test_every_format_is_signed_and_valid(signing: Site) -> None:
    """C2PA's own reader finds our claim, the signer, the master as ingredient, and IPTC's term."""
    assert signing.run("build").code == Exit.DONE
    for form in FORMATS:
        data = signing.folder.joinpath(f"small.{form}").read_bytes()
        state, manifest = said(data)
        (ingredient,) = manifest["ingredients"]
        (actions,) = (a for a in manifest["assertions"] if a["label"].startswith("c2pa.actions"))

        assert state in {"Valid", "Trusted"}
        assert manifest["signature_info"]["issuer"] == ORGANIZATION
        assert manifest["claim_generator_info"][0]["name"] == "flux2build"
        assert (ingredient["title"], ingredient["relationship"]) == ("master", "parentOf")
        assert actions["data"]["actions"][-1]["digitalSourceType"].endswith("algorithmicMedia")
        assert source_type(data) == "algorithmicMedia"


def test_the_lock_says_who_signed_what(signing: Site) -> None:
    """The lock has the digest of the signed file, and that of the file before it was signed."""
    assert signing.run("build").code == Exit.DONE
    signed = rows(signing)
    for path, row in signed.items():
        manifest = row.output.manifest
        assert of_bytes(signing.folder.joinpath(path).read_bytes()) == row.output.sha256
        assert manifest is not None
        assert (manifest.state, manifest.signer) == (VALID, ORGANIZATION)

    signing.edit("assets.toml", "sign = true", "")
    assert signing.run("build").code == Exit.DONE
    assert {p: row.output.sha256 for p, row in rows(signing).items()} == {
        p: row.output.unsigned for p, row in signed.items()
    }


def test_nothing_is_signed_twice(signing: Site) -> None:
    """A second build, and a check, leave signed files as they are, without any certificate."""
    assert signing.run("build").code == Exit.DONE
    before = signing.files()
    with pytest.MonkeyPatch.context() as gone:
        gone.delenv("FLUX2BUILD_SIGN_CERT")
        gone.delenv("FLUX2BUILD_SIGN_KEY")
        assert signing.run("build", "-v").code == Exit.DONE
        assert signing.run("check", "--strict").code == Exit.DONE

    assert signing.files() == before


def test_a_signature_that_is_lost_is_made_again_and_one_that_is_replaced_is_kept(
    signing: Site,
) -> None:
    """The same bytes are signed again where the file is gone; an older one can be restored."""
    assert signing.run("build").code == Exit.DONE
    first = rows(signing)["small.webp"].output
    old = signing.folder.joinpath("small.webp").read_bytes()
    signing.folder.joinpath("small.webp").unlink()
    assert signing.run("build").code == Exit.DONE
    second = rows(signing)["small.webp"].output
    assert second.sha256 != first.sha256
    assert second.unsigned == first.unsigned

    signing.folder.joinpath("small.webp").write_bytes(old)
    assert signing.run("check").code == Exit.DRIFT
    signing.edit("assets.toml", "sign = true", "sign = false")
    assert signing.run("build").code == Exit.DONE
    signing.edit("assets.toml", "sign = false", "sign = true")
    assert signing.run("build").code == Exit.DONE


def test_what_is_signed_after_an_edit_is_kept_when_it_is_replaced(signing: Site) -> None:
    """A signed file, which nobody can make again, goes to the store although it was not signed at first."""
    signing.edit("assets.toml", "sign = true", "sign = false")
    assert signing.run("build").code == Exit.DONE
    signing.edit("assets.toml", "sign = false", "sign = true")
    assert signing.run("build").code == Exit.DONE
    signed = {row.output.sha256 for row in rows(signing).values()}

    signing.edit("assets.toml", "friendly", "hungry")
    assert signing.run("build").code == Exit.DONE

    assert [digest for digest in signed if not user_store().has(digest)] == []


def test_without_a_certificate_nothing_is_begun(
    signing: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The build fails before anything is rendered, and the message names what is missing."""
    monkeypatch.delenv("FLUX2BUILD_SIGN_KEY")
    ran = signing.run("build")
    assert ran.code == Exit.SYSTEM
    assert "set `FLUX2BUILD_SIGN_KEY`" in ran.err

    monkeypatch.setenv("FLUX2BUILD_SIGN_KEY", "~nobody-of-this-name/key.pem")
    ran = signing.run("build")
    assert ran.code == Exit.SYSTEM
    assert "key.pem` cannot be read: nobody has that name" in ran.err

    monkeypatch.setenv("FLUX2BUILD_SIGN_KEY", str(tmp_path / "nowhere.pem"))
    ran = signing.run("build")
    assert ran.code == Exit.SYSTEM
    assert "nowhere.pem` cannot be read" in ran.err

    tmp_path.joinpath("nowhere.pem").write_text("no key")
    ran = signing.run("build")
    assert ran.code == Exit.SYSTEM
    assert "is not a private key in PEM" in ran.err
    assert set(signing.files()) == {"assets.toml"}


def test_a_key_that_is_not_the_certificates_own_signs_nothing(
    signing: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file that nobody could verify is not delivered."""
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.setenv("FLUX2BUILD_SIGN_KEY", keys(other)[1])
    ran = signing.run("build")

    assert ran.code == Exit.SYSTEM
    assert "the signature does not match" in ran.err
    assert not signing.folder.joinpath("small.webp").exists()


def test_nothing_is_signed_for_a_fork(signing: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger's pull request gets no signature of the project, though signing is free."""
    monkeypatch.setenv("CIRCLE_PR_REPONAME", "site")
    ran = signing.run("build")

    assert (ran.code, "this build signs files, and a pull request" in ran.err) == (2, True)
    assert set(signing.files()) == {"assets.toml"}
    assert signing.run("build", "--trust-pr").code == 0


@pytest.mark.parametrize("known", [True, False], ids=["warm", "cold"])
def test_an_edit_asks_for_nothing_in_a_fork(
    signing: Site, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """A stranger's edit that asks for signatures is refused, whatever is known of the tree from before."""
    signing.edit("assets.toml", "sign = true", "sign = false")
    assert [signing.run("build").code for _ in range(2)] == [0, 0]
    signing.edit("assets.toml", "sign = false", "sign = true")
    monkeypatch.setenv("CIRCLE_PR_REPONAME", "site")
    before = signing.files()
    if not known:
        shutil.rmtree(".flux2build")

    ran = signing.run("build")

    assert (ran.code, "this build signs files, and a pull request" in ran.err) == (2, True)
    assert signing.files() == before
    assert signing.run("build", "--trust-pr").code == 0
    assert signing.files() != before


def test_nothing_waits_for_a_pipe(signing: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate is a regular file, or an error."""
    os.mkfifo(signing.folder / "chain.pem")
    monkeypatch.setenv("FLUX2BUILD_SIGN_CERT", "chain.pem")
    ran = signing.run("build")

    assert (ran.code, "`chain.pem` cannot be read: it is not a regular" in ran.err) == (6, True)


def test_a_limit_of_bytes_counts_the_signature(signing: Site) -> None:
    """A file that is too large once it is signed is refused, with the size of the signature."""
    signing.edit("assets.toml", "widths = [64]", "widths = [64], max_bytes = 3000")
    ran = signing.run("build")

    assert ran.code == Exit.INCOMPLETE
    assert "bytes for the signature" in ran.err


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=lambda key: type(key).__name__,
)
def test_kinds_of_keys(signing: Site, tmp_path: Path, key: Key) -> None:
    """Every kind of key that C2PA signs with is accepted."""
    assert signing.run("build").code == Exit.DONE
    master = signing.folder.joinpath("fox.png").read_bytes()
    signed = signer(*keys(tmp_path, key))(master, master, None)
    manifest = verified(signed)

    assert manifest is not None
    assert manifest.state == VALID


def test_a_picture_that_was_changed_after_it_was_signed_is_invalid(signing: Site) -> None:
    """A manifest is no more than a claim until it is verified."""
    assert signing.run("build").code == Exit.DONE
    data = bytearray(signing.folder.joinpath("small.jpeg").read_bytes())
    data[-20] ^= 1
    manifest = verified(bytes(data))

    assert manifest is not None
    assert (manifest.state, manifest.signer) == (INVALID, ORGANIZATION)


def test_doctor_says_whether_files_can_be_signed(
    signing: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A certificate is not needed, and is tried when it is set."""
    ready = signing.run("doctor")
    tmp_path.joinpath("key.pem").write_text("no key")
    broken = signing.run("doctor")
    monkeypatch.delenv("FLUX2BUILD_SIGN_CERT")
    monkeypatch.delenv("FLUX2BUILD_SIGN_KEY")
    without = signing.run("doctor")

    assert "certificate and key can be read" in ready.out
    assert "is not a private key in PEM" in broken.out
    assert broken.code == Exit.SYSTEM
    assert "no certificate is set" in without.out
    assert without.code == ready.code == Exit.DONE


def test_keys_stay_with_the_user(signing: Site, tmp_path: Path) -> None:
    """Neither the lock nor a message holds a key or the path to it, and no spec can name one."""
    ran = signing.run("build", "-v")
    everything = (ran.out + ran.err).encode() + b"".join(signing.files().values())
    assert b"PRIVATE KEY" not in everything
    assert str(tmp_path / "key.pem").encode() not in everything

    signing.edit("assets.toml", "sign = true", 'sign = "key.pem"')
    assert "must be true or false" in signing.run("build").err


def test_a_key_with_a_password_is_refused(tmp_path: Path) -> None:
    """The password could not be asked for."""
    certificate, _ = keys(tmp_path)
    with pytest.raises(SystemFault, match="not a private key"):
        signer(certificate, certificate)
