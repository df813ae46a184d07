"""Calls C2PA's library: verifies manifests, and signs with the user's certificate.

It needs the extra `provenance`. Nothing is fetched: no list of trusted signers, no
revocations, no remote manifest, no time stamp.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import c2pa  # type: ignore[import-untyped] # it carries no types
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import InvalidVersion, load_der_x509_certificate
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from flux2build import __version__
from flux2build.errors import SystemFault
from flux2build.images.formats.lookup import media_type, sniff
from flux2build.images.provenance.c2pa import INVALID, VALID, certificate, printable, read
from flux2build.images.provenance.iptc import TERMS
from flux2build.model import C2paManifest
from flux2build.storage import regular

_OFFLINE: Final[Mapping[str, Any]] = {
    "verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
"""`valid` means that the signature fits the bytes, not that its signer is trusted."""
_CURVES: Final = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_GENERATOR: Final = {"name": "flux2build", "version": __version__}


def verified(data: bytes) -> C2paManifest | None:
    """The manifest in a picture's file: who signed it, and whether it fits the picture."""
    manifest = read(data)
    if manifest is None:
        return None
    try:
        with c2pa.Reader(_type(data), io.BytesIO(data), context=_context()) as reader:
            fits = reader.get_validation_state() in {"Valid", "Trusted"}
    except Exception:  # noqa: BLE001 - whatever a stranger's manifest does, the picture is paid for
        fits = False
    return replace(manifest, state=VALID if fits else INVALID, signer=_signer(certificate(data)))


def _signer(der: bytes) -> str:
    """The organization, else the common name, of a certificate's subject."""
    try:
        subject = load_der_x509_certificate(der).subject
        kinds = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        names = [each.value for kind in kinds for each in subject.get_attributes_for_oid(kind)]
    except (ValueError, InvalidVersion):
        return ""
    return next((printable(name) for name in names if isinstance(name, str)), "")


def signer(certificate: str, key: str) -> Callable[[bytes, bytes, str | None], bytes]:
    """A function that signs with a certificate and its key, which are in two PEM files.

    It takes a deliverable, its master, which the manifest names as the ingredient, and IPTC's
    term; it raises SystemFault if the certificate cannot be used, or the format cannot be signed.
    Two signatures of the same bytes are never the same.

    Raises:
        SystemFault: a file cannot be read, or C2PA does not sign with such a key.
    """
    secret, certificates = _read(key), _read(certificate)
    algorithm = _algorithm(secret, key).encode()

    def signed(data: bytes, master: bytes, term: str | None) -> bytes:
        action = {"action": "c2pa.transcoded"}
        action |= {"digitalSourceType": TERMS + term} if term else {}
        definition = {"claim_generator_info": [_GENERATOR], "format": _type(data)}
        ingredient = json.dumps({"title": "master", "relationship": "parentOf"})
        out = io.BytesIO()
        try:
            with c2pa.Builder(json.dumps(definition), context=_context()) as builder:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
                builder.add_ingredient(ingredient, _type(master), io.BytesIO(master))
                builder.add_action(json.dumps(action))
                info = c2pa.C2paSignerInfo(algorithm, certificates, secret, None)
                builder.sign(c2pa.Signer.from_info(info), _type(data), io.BytesIO(data), out)
        except c2pa.C2paError as error:
            raise SystemFault(f"cannot sign: {error}", hint=_HINT) from error
        return out.getvalue()

    return signed


_HINT: Final = "give a chain of certificates in PEM, the signer's first, and the key to that one"


def _context() -> c2pa.Context:
    return c2pa.Context(settings=c2pa.Settings.from_dict(dict(_OFFLINE)))


def _type(data: bytes) -> str:
    return media_type(sniff(data))


def _read(path: str) -> bytes:
    try:
        return regular.read(Path(path).expanduser(), regular.LARGEST_SETTINGS)
    except OSError as error:
        raise SystemFault(f"`{path}` cannot be read: {error.strerror}") from error
    except RuntimeError as error:
        raise SystemFault(f"`{path}` cannot be read: nobody has that name") from error


def _algorithm(secret: bytes, path: str) -> str:
    """C2PA's name of the algorithm that a key signs with."""
    try:
        key = load_pem_private_key(secret, None)
    except (ValueError, TypeError) as error:
        raise SystemFault(f"`{path}` is not a private key in PEM without a password") from error
    match key:
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return _CURVES[key.curve.name]
        case rsa.RSAPrivateKey():
            return "ps256"
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
        case _:
            raise SystemFault(f"`{path}` is a kind of key that C2PA does not sign with")
