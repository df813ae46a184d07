"""Verifies C2PA manifests and signs deliverables, where C2PA's library is installed.

The library takes as long to load as a whole check, so it is imported for the
first file that has a manifest or is to have one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Final

from flux2build.digest import Digest, of_bytes
from flux2build.errors import SystemFault
from flux2build.extras import pip_install
from flux2build.images.formats.contract import PictureError
from flux2build.images.provenance import c2pa
from flux2build.model import C2paManifest, Derive, Recipe

CERTIFICATE_VARIABLE: Final = "FLUX2BUILD_SIGN_CERT"
KEY_VARIABLE: Final = "FLUX2BUILD_SIGN_KEY"

Sign = Callable[[bytes, bytes, str | None], bytes]
"""Takes a deliverable, its master and IPTC's term for it; returns the signed deliverable."""


class Signer:
    """Verifies manifests and signs deliverables; without the library, it only reads manifests."""

    def __init__(self, sign: Sign | None = None) -> None:
        self._sign = sign
        self._unsigned: dict[Digest, Digest] = {}

    def verified(self, data: bytes) -> C2paManifest | None:
        """The manifest of a file, verified where the library is installed."""
        manifest = c2pa.read(data)
        if manifest is None or not _installed():
            return manifest
        from flux2build.images.provenance import c2pa_backend

        return c2pa_backend.verified(data)

    def signed(self, task: Derive, data: bytes, master: bytes) -> bytes:
        """The deliverable, signed if its task asks for it.

        Raises:
            SystemFault: it cannot be signed.
            PictureError: the signed file has more bytes than `max_bytes`.
        """
        if not task.encoding.get("sign"):
            return data
        if self._sign is None:
            raise SystemFault("a file is to be signed that was not planned; build again")
        term, limit = task.encoding.get("source_type"), task.encoding.get("max_bytes")
        signed = self._sign(data, master, str(term) if term else None)
        if isinstance(limit, int) and len(signed) > limit:
            message = f"the signed file has {len(signed)} bytes; `max_bytes` is {limit}"
            hint = f"leave {len(signed) - len(data)} bytes for the signature"
            raise PictureError(message, hint=hint)
        self._unsigned[of_bytes(signed)] = of_bytes(data)
        return signed

    def unsigned(self, digest: Digest) -> Digest | None:
        """The digest that a file had before this object signed it; None for other files."""
        return self._unsigned.get(digest)


def signer_for(recipes: Iterable[Recipe], setting: Callable[[str], str]) -> Signer:
    """The signer for some recipes; `setting` looks up the user's variables.

    Raises:
        SystemFault: a recipe is to be signed, and there is nothing to sign with.
    """
    tasks = (recipe.task for recipe in recipes)
    if not any(isinstance(task, Derive) and task.encoding.get("sign") for task in tasks):
        return Signer()
    return Signer(from_settings(setting))


def from_settings(setting: Callable[[str], str]) -> Sign:
    """A function that signs with the user's certificate.

    Raises:
        SystemFault: the library, the certificate or its key is missing, or cannot be used.
    """
    if not _installed():
        hint = f"`{pip_install('provenance')}`, or take `sign` out of the spec"
        raise SystemFault("signing needs C2PA's library", hint=hint)
    variables = (CERTIFICATE_VARIABLE, KEY_VARIABLE)
    if missing := [name for name in variables if not setting(name)]:
        hint = f"set {' and '.join(f'`{name}`' for name in missing)} to PEM files of yours"
        raise SystemFault("the spec says `sign`, and there is no key to sign with", hint=hint)
    from flux2build.images.provenance.c2pa_backend import signer

    return signer(*map(setting, variables))


def _installed() -> bool:
    return find_spec("c2pa") is not None
