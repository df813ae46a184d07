"""What a command line says: the options that all commands share, and a choice of assets."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

_PLAIN: Final = r"[A-Za-z0-9_*?,+-]+|\d*\+?[A-Za-z0-9_-]+\[[^\]*?]+\](?:\+\d*)?"
"""Names of assets, with what is made from what: none of a file or of a method, and no part of axes."""


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
        """Whether it is one of names, or of everything."""
        named = Choice(selection=self.selection, exclude=self.exclude)
        each = (words.split() for words in (*self.selection, *self.exclude))
        return self == named and all(
            words and all(re.fullmatch(_PLAIN, word) for word in words) for words in each
        )
