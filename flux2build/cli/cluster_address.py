"""The address of a cluster, as it is given on the command line."""

from __future__ import annotations

import re
from typing import Final

import click

_ADDRESS: Final = re.compile(r"local:[1-9][0-9]?|(tcp|tls|ws|wss)://[^\s/]+:[0-9]{1,5}")


class _Address(click.ParamType[str]):
    """`tcp://host:8786`, or `local:2` for processes of this machine."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address; anything else is a usage error."""
        if value and not _ADDRESS.fullmatch(value):
            message = f"`{value}` is not a cluster; write it like tcp://host:8786, or local:2"
            self.fail(message, param, ctx)
        return value


CLUSTER: Final = _Address()
"""A Dask cluster: the address of its scheduler, or `local:N`."""
