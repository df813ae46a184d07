"""Receive providers' callbacks, and file the pictures that they tell of."""

from __future__ import annotations

import json
from typing import Final

import click

from flux2build.cli.amounts import Whole
from flux2build.cli.command import command, option
from flux2build.cli.spooled import take_in_spooled
from flux2build.console.console import Console
from flux2build.errors import SystemFault
from flux2build.extras import pip_install
from flux2build.session.common_options import CommonOptions
from flux2build.session.home import user_journal, user_store
from flux2build.session.settings import read

_NEEDED: Final = {"uvicorn", "h11"}


@command("receive", without={"file", "profile"})
@option("--port", type=Whole(0, 65535), default=0, help="0 picks a free one.")
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on.")
@option(
    "--public-url",
    metavar="URL",
    help="Where providers reach it; default: `[webhooks] url` of your configuration.",
)
def receive(options: CommonOptions, *, port: int, host: str, public_url: str | None) -> None:
    """Receive providers' callbacks, and file the pictures that they tell of.

    Orders name the public URL where `[webhooks]` in your own configuration has it.
    A callback is a hint: the provider is asked with your key, and the picture goes
    into store and ledger, whichever build or machine has ordered it. The first line
    on stdout is the URL of this server, to which something that speaks TLS forwards
    what arrives at the public one. Ctrl-C ends it.
    """
    try:
        from flux2build.session.receiving import reception
    except ModuleNotFoundError as missing:
        if missing.name not in _NEEDED:
            raise
        raise SystemFault(
            f"receiving callbacks needs `{missing.name}`, which is not installed",
            hint=f"`{pip_install('team')}`",
        ) from missing
    settings, console = read(options.env_file), Console.of(options)
    desk = reception(settings, public_url)
    take_in_spooled(user_journal(), user_store(), console)

    def started(url: str) -> None:
        if options.json:
            console.raw(json.dumps({"url": url, "public_url": desk.webhooks.url}) + "\n")
        else:
            console.raw(f"{url}\n")
        names = ", ".join(f"`{provider.name}`" for provider in desk.callers.providers)
        console.say(f"receiving callbacks of {names} for {desk.webhooks.url}")
        for reason in desk.callers.unheard:
            console.warn(reason)
        if settings.public_url != desk.webhooks.url:
            line = f'`webhooks = {{ url = "{desk.webhooks.url}" }}` in your configuration'
            console.say(f"orders name it with {line}", "dim")

    desk.run(host, port, console.say, started)


COMMAND: Final[click.Command] = receive
