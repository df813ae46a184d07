"""The command that adds an extra to this installation."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

_PACKAGE: Final = "flux2build"


def pip_install(extra: str) -> str:
    """The command that adds an extra, from where flux2build itself was installed.

    A wheel, a folder and a repository are known by PEP 610's `direct_url.json`. Without
    that record the package came from an index, and its name is enough.
    """
    import json
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        record = distribution(_PACKAGE).read_text("direct_url.json")
        origin = json.loads(record) if record else {}
    except (PackageNotFoundError, ValueError):
        origin = {}
    return f"pip install {requirement(extra, origin)}"


def requirement(extra: str, origin: Mapping[str, Any]) -> str:
    """The requirement for pip, quoted for a shell.

    Args:
        extra: The name of the extra.
        origin: A direct URL record, as PEP 610 defines it; empty for an index.
    """
    name, url = f"{_PACKAGE}[{extra}]", origin.get("url")
    if not isinstance(url, str):
        return shlex.quote(name)
    if origin.get("dir_info", {}).get("editable"):
        from urllib.request import url2pathname

        return f"-e {shlex.quote(f'{url2pathname(urlsplit(url).path)}[{extra}]')}"
    if vcs := origin.get("vcs_info"):
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if subdirectory := origin.get("subdirectory"):
        url += f"#subdirectory={subdirectory}"
    return shlex.quote(f"{name} @ {url}")
