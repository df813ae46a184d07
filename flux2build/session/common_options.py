"""What every command is asked, whatever else it is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every command is asked: which spec, which profile, how to talk."""

    file: str | None = None
    profile: str | None = None
    json: bool = False
    verbosity: int = 0
    color: str = "auto"
    env_file: str | None = None
