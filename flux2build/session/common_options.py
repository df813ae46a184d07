"""What a command line says: the options that all commands share, and a choice of assets."""

from __future__ import annotations

from msgspec import Struct


class CommonOptions(Struct, frozen=True):
    """Which spec and profile a command is about, and how it prints."""

    file: str | None = None
    profile: str | None = None
    json: bool = False
    verbosity: int = 0
    color: str = "auto"
    env_file: str | None = None
    several: bool = False
    """Whether the command goes on with other specs."""


class Choice(Struct, frozen=True):
    """Which assets a command is about; all of them if none are named."""

    selection: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    refresh: bool = False
    """Whether to derive files again that another encoder wrote."""
    further: int = 0
    """How many further candidates of the selected pictures are ordered."""
    reopen: tuple[str, ...] = ()
    """Pictures that are rendered although a person has approved or held them."""

    @property
    def everything(self) -> bool:
        """Whether no asset was named."""
        return not (self.selection or self.exclude)

    @property
    def plain(self) -> bool:
        """Whether it only says which assets are meant, and which pictures are rendered again."""
        return not (self.refresh or self.further or self.reopen)
