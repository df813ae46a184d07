"""Takes the parameters that commands share out of the values of a call."""

from __future__ import annotations

from typing import Any

from flux2build.session.common_options import Choice, CommonOptions


def common_options(values: dict[str, Any]) -> CommonOptions:
    """Take the options that all commands share out of the values of a call."""
    quiet, verbose = values.pop("quiet", False), values.pop("verbose", 0)
    keys = ("file", "several", "profile", "json", "color", "env_file")
    shared = {key: values.pop(key) for key in keys if key in values}
    return CommonOptions(**shared, verbosity=-1 if quiet else verbose)


def choice_of(values: dict[str, Any]) -> Choice:
    """Take the choice of assets out of the values of a call."""
    return Choice(
        selection=values.pop("selection", ()),
        exclude=values.pop("exclude", ()),
        force=values.pop("force", ()),
        reopen=values.pop("reopen", ()),
        refresh=values.pop("refresh_derived", False),
    )
