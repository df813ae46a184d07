"""Chooses the profile of a spec."""

from __future__ import annotations

from typing import Final

from flux2build.assetspec import schema
from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.spec_text import SpecText
from flux2build.assetspec.tables import SpecTable
from flux2build.errors import UsageError, did_you_mean

NO_PROFILE: Final = "default"
"""The name of the profile of a spec without profiles."""


def chosen(text: SpecText, tables: SpecTable, name: str | None, faults: Faults) -> str:
    """The profile to use: the requested one, the project's, or `default`."""
    declared = schema.names(text.data, "profile")
    if name is not None:
        if name in declared or name == NO_PROFILE:
            return name
        hint = did_you_mean(name, declared) or "the spec declares no profiles"
        raise UsageError(f"there is no profile `{name}`", hint=hint)
    named = tables.project.profile
    if named is not None and named not in declared:
        hint = did_you_mean(named, declared) or f"declare it as `[profile.{named}]`"
        faults.add(Fault(("project", "profile"), f"there is no profile `{named}`", hint=hint))
    return named or NO_PROFILE
