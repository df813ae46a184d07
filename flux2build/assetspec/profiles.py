"""Which profile of a spec is used."""

from __future__ import annotations

from typing import Final

from flux2build.assetspec import schema
from flux2build.assetspec.faults import Fault, Faults
from flux2build.assetspec.spec_text import SpecText
from flux2build.assetspec.tables import SpecTable
from flux2build.errors import UsageError, did_you_mean

NO_PROFILE: Final = "default"
"""The name of the profile of a spec without profiles."""


def chosen(text: SpecText, tables: SpecTable, asked: str | None, faults: Faults) -> str:
    """The profile to use: the one asked for, the project's, or the one called `default`."""
    declared = schema.names(text.data, "profile")
    if asked is not None:
        if asked in declared or asked == NO_PROFILE:
            return asked
        hint = did_you_mean(asked, declared) or "the spec declares no profiles"
        raise UsageError(f"there is no profile `{asked}`", hint=hint)
    named = tables.project.profile
    if named is not None and named not in declared:
        hint = did_you_mean(named, declared) or f"declare it as `[profile.{named}]`"
        faults.add(Fault(("project", "profile"), f"there is no profile `{named}`", hint=hint))
    return named or NO_PROFILE
