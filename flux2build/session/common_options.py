"""The options that all commands share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """Which spec and profile a command is about, and how it prints."""

    file: str | None = None
    profile: str | None = None
    json: bool = False
    verbosity: int = 0
    color: str = "auto"
    env_file: str | None = None
