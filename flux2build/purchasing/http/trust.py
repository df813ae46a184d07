"""The trusted authorities: the usual ones, or those that the user names."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from flux2build.errors import UsageError

SYSTEM: Final = "system"
"""Names the authorities that the operating system trusts."""


def authorities(places: Mapping[str, str]) -> ssl.SSLContext | None:
    """The authorities in files and folders, by the settings that name them; None for the usual ones.

    Raises:
        UsageError: one cannot be read, or holds no certificate.
    """
    if not places:
        return None
    if SYSTEM in places.values():
        return _system()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for setting, place in places.items():
        for each in _folders(place) or [Path(place)]:
            _add(context, setting, each)
    return context


def _folders(place: str) -> list[Path]:
    """The folders of a list as OpenSSL reads it, in `SSL_CERT_DIR`; some may not be there."""
    return [Path(each) for each in place.split(os.pathsep) if each and Path(each).is_dir()]


def _add(context: ssl.SSLContext, setting: str, place: Path) -> None:
    """Trust the certificates of a file, or of a folder in which their names are hashes."""
    try:
        if place.is_dir():
            context.load_verify_locations(capath=place)
        else:
            context.load_verify_locations(cafile=place)
    except ssl.SSLError:
        raise UsageError(
            f"`{setting}` names `{place}`, which holds no certificate",
            hint="it is a file of certificates in PEM: `-----BEGIN CERTIFICATE-----`",
        ) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        remedy = f"`unset {setting}`" if setting.isupper() else "take it away"
        raise UsageError(
            f"`{setting}` names `{place}`, which cannot be read: {why}",
            hint=f"name a file of certificates in PEM, or {remedy} to trust the usual authorities",
        ) from None


def _system() -> ssl.SSLContext:
    if sys.platform != "linux":
        # The standard library reads these stores in part, or not at all.
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()
