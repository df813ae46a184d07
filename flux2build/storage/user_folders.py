"""Where a user's data and configuration lie.

platformdirs decides. The usual case on Linux is repeated here, because importing the library takes
longer than everything else about the user.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "flux2build"


def data_folder() -> Path:
    """The folder of the user's data; `RuntimeError` if its place is unknown."""
    if (folder := _on_linux("XDG_DATA_HOME", ".local/share")) is not None:
        return folder
    import platformdirs

    return platformdirs.user_data_path(_NAME, appauthor=False)


def config_folder() -> Path:
    """The folder of the user's configuration; `RuntimeError` if its place is unknown."""
    if (folder := _on_linux("XDG_CONFIG_HOME", ".config")) is not None:
        return folder
    import platformdirs

    return platformdirs.user_config_path(_NAME)


def _on_linux(variable: str, usual: str) -> Path | None:
    """The folder that a variable of XDG names, else the usual one below `HOME`; None if that is odd."""
    if sys.platform != "linux" or "ANDROID_DATA" in os.environ:
        return None
    if (named := os.environ.get(variable)) is None:
        home = os.environ.get("HOME", "")
        return Path(home, usual, _NAME) if Path(home).is_absolute() else None
    return Path(named, _NAME) if Path(named).is_absolute() else None
