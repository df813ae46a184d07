"""How manifests are verified and deliverables signed: with C2PA's library, where it is installed.

The library takes as long to load as a whole check, so it is loaded by name for
the first file that has a manifest or is to have one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any, Final

from flux2build.digest import Digest, of_bytes
from flux2build.errors import Problem, SystemFault
from flux2build.images.formats.contract import PictureError
from flux2build.images.provenance import c2pa
from flux2build.model import C2paManifest, Derive, Recipe

CERTIFICATE_VARIABLE: Final = "FLUX2BUILD_SIGN_CERT"
KEY_VARIABLE: Final = "FLUX2BUILD_SIGN_KEY"

Sign = Callable[[bytes, bytes, str | None], bytes]
"""A deliverable, its master and IPTC's term for it become the signed deliverable."""


class Signer:
    """Verifies and signs; what cannot be verified is only read."""

    def __init__(self, sign: Sign | None = None) -> None:
        self._sign = sign
        self._unsigned: dict[Digest, Digest] = {}

    def verified(self, data: bytes) -> C2paManifest | None:
        """The manifest of a file, verified where the library is there."""
        found = c2pa.read(data)
        if found is None or not _installed():
            return found
        verified: C2paManifest | None = _signing().verified(data)
        return verified

    def signed(self, task: Derive, data: bytes, master: bytes) -> bytes:
        """A deliverable as its task wants it: signed, or as it is.

        Raises:
            SystemFault: it cannot be signed.
            PictureError: signed, it has more bytes than it may.
        """
        if not task.encoding.get("sign"):
            return data
        if self._sign is None:
            raise SystemFault("there is something to sign that was not planned; build again")
        term, limit = task.encoding.get("source_type"), task.encoding.get("max_bytes")
        signed = self._sign(data, master, str(term) if term else None)
        if isinstance(limit, int) and len(signed) > limit:
            message = f"signed, the file has {len(signed)} bytes; `max_bytes` is {limit}"
            room = f"leave {len(signed) - len(data)} bytes for the signature"
            raise PictureError(Problem(message, hint=room))
        self._unsigned[of_bytes(signed)] = of_bytes(data)
        return signed

    def unsigned(self, digest: Digest) -> Digest | None:
        """What a file that was signed here was before."""
        return self._unsigned.get(digest)


def signer_for(recipes: Iterable[Recipe], setting: Callable[[str], str]) -> Signer:
    """The seal for some work; `setting` says what belongs to the user, by variable.

    Raises:
        SystemFault: there is something to sign, and nothing to sign with.
    """
    tasks = (recipe.task for recipe in recipes)
    if not any(isinstance(task, Derive) and task.encoding.get("sign") for task in tasks):
        return Signer()
    return Signer(signer(setting))


def signer(setting: Callable[[str], str]) -> Sign:
    """What signs with the user's certificate.

    Raises:
        SystemFault: the library, the certificate or its key is missing, or cannot be used.
    """
    if not _installed():
        hint = "`pip install 'flux2build[provenance]'`, or take `sign` out of the spec"
        raise SystemFault(Problem("signing needs the library of C2PA", hint=hint))
    cert, key = setting(CERTIFICATE_VARIABLE), setting(KEY_VARIABLE)
    missing = [n for n, v in ((CERTIFICATE_VARIABLE, cert), (KEY_VARIABLE, key)) if not v]
    if missing:
        hint = f"set {' and '.join(f'`{name}`' for name in missing)} to PEM files of yours"
        raise SystemFault(Problem("the spec says `sign`, and there is no key to do it", hint=hint))
    sign: Sign = _signing().CertificateSigner.of(cert, key).signed
    return sign


def _installed() -> bool:
    return find_spec("c2pa") is not None


def _signing() -> Any:
    return importlib.import_module("flux2build.images.provenance.c2pa_backend")
