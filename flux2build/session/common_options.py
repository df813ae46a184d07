"""Values of a command line: the options that all commands share, and a choice of assets."""

from __future__ import annotations

from msgspec import Struct


class CommonOptions(Struct, frozen=True):
    """The spec and profile of a command, and how it prints."""

    file: str | None = None
    profile: str | None = None
    json: bool = False
    verbosity: int = 0
    color: str = "auto"
    env_file: str | None = None
    several: bool = False
    """Whether the command continues with other specs."""


class Choice(Struct, frozen=True):
    """The assets of a command; all of them if none are named."""

    selection: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    refresh: bool = False
    """Whether to derive files again that another encoder wrote."""
    further: int = 0
    """The number of further candidates to order of the selected pictures."""
    reopen: tuple[str, ...] = ()
    """Pictures that are rendered although a person has approved or held them."""

    @property
    def everything(self) -> bool:
        """Whether no asset was named."""
        return not (self.selection or self.exclude)

    @property
    def plain(self) -> bool:
        """Whether it only selects assets, and pictures to render again."""
        return not (self.refresh or self.further or self.reopen)
