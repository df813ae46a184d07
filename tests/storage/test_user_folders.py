"""The user's folders lie where platformdirs says."""

from __future__ import annotations

import platformdirs
import pytest

from flux2build.storage.user_folders import config_folder, data_folder


@pytest.mark.parametrize("home", ["/home/me", "/", "//net/me/", "/home/me/../you", "/home/ü ", "~"])
@pytest.mark.parametrize(
    "named", [None, "", " ", "/data", "/data/", "//data ", "relative", "~/data"]
)
def test_they_lie_where_platformdirs_says(
    monkeypatch: pytest.MonkeyPatch, home: str, named: str | None
) -> None:
    """Whatever the variables say, the answer is that of the library."""
    monkeypatch.setenv("HOME", home)
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
        if named is not None:
            monkeypatch.setenv(variable, named)

    assert data_folder() == platformdirs.user_data_path("flux2build", appauthor=False)
    assert config_folder() == platformdirs.user_config_path("flux2build")
