"""The values that belong to the user and never to a spec: keys, endpoints, own prices.

A value is looked up in the environment, then in the file of `--env-file`, then in the
user's configuration file.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import of_bytes
from flux2build.errors import Place, Problem, SpecError, SystemFault, UsageError
from flux2build.images.limits import OF_PICTURES, PixelLimits
from flux2build.providers.contract import Regional, Remote
from flux2build.session import variables
from flux2build.session.variables import AUTHORITIES, CONFIG_VARIABLE, PROXIES
from flux2build.storage import regular, toml_text
from flux2build.storage.text_files import unseen, unseen_hint
from flux2build.storage.toml_file import TomlFile
from flux2build.storage.user_folders import config_folder

if TYPE_CHECKING:
    from dotenv.parser import Binding

_LONG_TEXT: Final = r"""(["'])[^`]{9,}\1"""
_OPENED: Final = r"""\s*(?:export\s+)?[\w.-]+[^\S\n]*=[^\S\n]*(?:(")[^"\n]*|(')[^'\n]*)(?:\n|\Z)"""
"""A variable whose value begins with a quote, and has no other one in its line."""
_AROUND_ORDERS: Final = frozenset({"budget", "environment", "limits", "network", "webhooks"})
"""The tables of the configuration for placing orders, or of which parts are read separately."""
_OURS: Final = "FLUX2BUILD_"
_PROXY_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})


class UserSettings(Struct, frozen=True):
    """Values by the names of their variables, and model cards that override ours."""

    environment: Mapping[str, str]
    env_file: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    cards: str = ""
    """The TOML of model cards that override those of flux2build."""
    cards_file: str = ""
    """The file with the cards, for messages."""
    written: TomlFile = TomlFile("", "", secret=True)
    """The configuration file."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.written.name!r})"

    @property
    def decisive(self) -> str:
        """The digest of the settings on which recipes and verdicts may depend.

        They do not depend on keys, limits of a connection, or the place and cost of orders.
        """
        own = {name: table for name, table in self.config.items() if name not in _AROUND_ORDERS}
        variables = {**self.config.get("environment", {}), **self.env_file}
        ours = {name: value for name, value in variables.items() if _OURS in name}
        everything = (own, ours, self.pixels, self.cards, self.cards_file)
        return of_bytes(repr(everything).encode("utf-8", "surrogatepass"))

    @property
    def limits(self) -> Mapping[str, Any]:
        """The user's limits of a connection, by name; others have their defaults."""
        table: Mapping[str, Any] = self.config.get("limits", {})
        return {name: value for name, value in table.items() if name not in OF_PICTURES}

    @property
    def pixels(self) -> PixelLimits:
        """The most pixels of a picture."""
        table: Mapping[str, Any] = self.config.get("limits", {})
        return PixelLimits(**{name: table[name] for name in OF_PICTURES & table.keys()})

    @property
    def local(self) -> Mapping[str, Any]:
        """The user's open weights and the devices that they are used on."""
        local: Mapping[str, Any] = self.config.get("local", {})
        return local

    @property
    def public_url(self) -> str:
        """The URL for callbacks, without a slash at its end; empty if they are not wanted."""
        url: str = self.config.get("webhooks", {}).get("url", "")
        return url.rstrip("/")

    @property
    def shares(self) -> bool:
        """Whether a store is named that a team shares."""
        return "url" in self.config.get("store", {}) or bool(self.value("FLUX2BUILD_STORE"))

    @property
    def confirm_above(self) -> Decimal:
        """The most in USD that a build may cost without asking a user who can answer."""
        return Decimal(str(self.config.get("budget", {}).get("confirm_above", 0)))

    def value(self, name: str) -> str:
        """A key or an endpoint; empty if it is not set."""
        values = self.config.get("environment", {})
        for source in (self.environment, self.env_file, values):
            if value := str(source.get(name, "")).strip():
                return value
        return ""

    def endpoint(self, provider: Remote) -> str:
        """The base URL of a provider: from its variable, else its region, else the default."""
        own = self.value(provider.url_variable)
        if not own and isinstance(provider, Regional):
            own = provider.regions.get(self.config.get(provider.name, {}).get("region", ""), "")
        return own or provider.endpoint

    def proxy(self, url: str) -> str | None:
        """The proxy for an https URL; None where its host is reached directly.

        Raises:
            UsageError: the variable does not hold the URL of a proxy.
            SystemFault: it is a SOCKS proxy, and the extra is missing.
        """
        target = urlsplit(url)
        name = next((name for name in PROXIES if self.value(name)), None)
        if name is None or target.scheme != "https" or self._bypasses(target.hostname or ""):
            return None
        value = self.value(name)
        proxy = value if "://" in value else f"http://{value}"
        if not _is_proxy(proxy):
            # It may hold a password, so it is not shown.
            raise UsageError(
                f"`{name}` is not the URL of an HTTP or SOCKS5 proxy",
                hint="write it like `http://proxy.example:3128` or `socks5://proxy.example:1080`; "
                "`FLUX2BUILD_PROXY` comes first",
            )
        if proxy.startswith("socks"):
            _require_socks(name)
        return proxy

    @property
    def authorities(self) -> Mapping[str, str]:
        """The files and folders of certificates to trust, by the settings that name them.

        `system` stands for those of the system; the defaults are trusted if none is named.
        """
        if ca := self.config.get("network", {}).get("ca"):
            return {
                "network.ca": ca if ca == "system" else str(_beside(Path(self.written.name), ca))
            }
        for names in AUTHORITIES:
            if named := {name: value for name in names if (value := self.value(name))}:
                return named
        return {}

    def _bypasses(self, host: str) -> bool:
        """Whether `NO_PROXY` names a host, a domain or network that it is in, or `*`."""
        exempt = (self.value("NO_PROXY") or self.value("no_proxy")).lower().replace(",", " ")
        return any(_exempts(each, host) for each in exempt.split())


def _exempts(named: str, host: str) -> bool:
    """Whether one entry of `NO_PROXY` matches a host; its port does not matter."""
    name = named.partition(":")[0] if named.count(":") == 1 else named
    domain = name.removeprefix("*").removeprefix(".")
    if domain in {"", host} or host.endswith(f".{domain}"):
        return True
    # Lazy: few users name networks, and the import would slow down every start.
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(domain, strict=False)
    except ValueError:
        return False


def _require_socks(name: str) -> None:
    """Refuse a SOCKS proxy without the library for it."""
    from importlib.util import find_spec

    from flux2build.extras import pip_install

    if find_spec("socksio") is None:
        message = f"`{name}` names a SOCKS proxy, which needs an extra"
        raise SystemFault(message, hint=f"`{pip_install('socks')}`")


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in _PROXY_SCHEMES and bool(parts.hostname) and port != 0


def config_path() -> Path:
    """The user's configuration file; FLUX2BUILD_CONFIG moves it."""
    named = os.environ.get(CONFIG_VARIABLE)
    try:
        return Path(named) if named else config_folder() / "config.toml"
    except RuntimeError:  # a user without a name and without `HOME` has no configuration
        return Path(os.devnull) / "config.toml"


def read(env_file: str | None) -> UserSettings:
    """Read the user's current settings.

    Raises:
        UsageError: a named file is missing or cannot be read, or the configuration is wrong.
    """
    path = config_path()
    written = _written(path)
    config = _config(written)
    cards = _cards(path, config)
    return UserSettings(
        environment=os.environ,
        env_file=_assignments(Path(env_file)) if env_file else {},
        config=config,
        cards=_named_text(cards, written) if cards else "",
        cards_file=str(cards or ""),
        written=written,
    )


def files(env_file: str | None) -> Iterator[Path]:
    """Every file from which settings are read, even if it is missing."""
    path = config_path()
    yield path.absolute()
    if env_file:
        yield Path(env_file).absolute()
    with suppress(UsageError):
        if cards := _cards(path, _config(_written(path))):
            yield cards.absolute()


def _cards(path: Path, config: Mapping[str, Any]) -> Path | None:
    """The user's own model cards, relative to the configuration file that names them."""
    if "cards" not in config:
        return None
    return _beside(path, config["cards"])


def _beside(file: Path, named: str) -> Path:
    """A path that a file names, relative to that file."""
    return file.parent / Path(os.path.expanduser(named))  # noqa: PTH111 - `Path` raises for the home of nobody


def _written(path: Path) -> TomlFile:
    """The configuration file, which may be missing."""
    if not os.path.isfile(path):  # noqa: PTH113 - `Path` raises where it must not look
        _require_named(path)
    there = os.path.lexists(path) and str(path) != os.devnull
    return TomlFile(str(path), _text(path) if there else "", secret=True)


def _config(written: TomlFile) -> dict[str, Any]:
    """The configuration: `cards = "FILE"`, and tables such as `[environment]` and `[limits]`."""
    if not written.text:
        return {}
    from flux2build.session import config_faults

    try:
        config = toml_text.parsed(written.text, written.name)
    except SpecError as error:
        raise UsageError(*_discreet(error)) from None
    problems = [
        written.located(Problem(fault.message, hint=fault.hint), fault.key, name=fault.name)
        for fault in config_faults.mistakes(config)
    ]
    table = config.get("environment", {})
    values = table.items() if isinstance(table, dict) else ()
    texts = [name for name, value in values if isinstance(value, str)]
    problems += [
        written.located(problem, ("environment", name), name=True)
        for name, problem in variables.unread(texts, shared=False)
    ]
    if problems:
        raise UsageError(*problems)
    return config


def _require_named(path: Path) -> None:
    """Refuse a missing configuration that the variable names."""
    if os.environ.get(CONFIG_VARIABLE) and (path.is_dir() or not path.exists()):
        what = "a folder" if path.is_dir() else "not there"
        message = f"`{CONFIG_VARIABLE}` names `{path}`, which is {what}"
        raise UsageError(message, hint=f"name a file, or `unset {CONFIG_VARIABLE}`")


def _assignments(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, as python-dotenv reads them."""
    from dotenv.main import resolve_variables
    from dotenv.parser import parse_stream

    pairs: dict[str, str] = {}
    places: dict[str, Place] = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        written, at = binding.original.string, _place(path, binding)
        if binding.key is not None and binding.value is not None:
            pairs[binding.key], places[binding.key] = binding.value, at
        if (fault := _misread(binding.key, binding.value, written)) and variables.mentioned(
            written
        ):
            raise UsageError(Problem(fault[0], at, hint=fault[1]))
    values = {
        name: value or "" for name, value in resolve_variables(pairs.items(), override=True).items()
    }
    # Variables that the shell also sets are not lost.
    unset = (name for name, value in values.items() if os.environ.get(name) != value)
    if problems := [
        replace(problem, place=places[name])
        for name, problem in variables.unread(unset, shared=True)
    ]:
        raise UsageError(*problems)
    return values


def _misread(name: str | None, value: str | None, written: str) -> tuple[str, str] | None:
    """The fault of a line of a `.env` file that would be misread, with a hint."""
    if name is None or value is None:
        if opened := re.match(_OPENED, written):
            return (
                "the quote before this value is not closed",
                f"write `{opened[1] or opened[2]}` after it, too",
            )
        return "this line is not NAME=VALUE", 'write it like `BFL_API_KEY="…"`'
    if letter := next((letter for letter in name + value if unseen(letter)), None):
        return f"an invisible character in this line: {unseen(letter)}", unseen_hint(letter)
    return None


def _place(path: Path, binding: Binding) -> Place:
    """The place of the name in a binding, which starts with the blank lines before it."""
    written = binding.original.string
    at = max(written.find(binding.key or written.strip()), 0)
    column = at - written.rfind("\n", 0, at)
    return Place(str(path), binding.original.line + written.count("\n", 0, at), column)


def _named_text(path: Path, written: TomlFile) -> str:
    """The text of the file that `cards` names; errors are placed at `cards`."""
    try:
        return _text(path)
    except UsageError as error:
        placed = (p if p.place else written.located(p, ("cards",)) for p in error.problems)
        raise UsageError(*placed) from None


def _text(path: Path) -> str:
    try:
        return regular.text(path)
    except SpecError as error:
        raise UsageError(*_discreet(error)) from None


def _discreet(error: SpecError) -> Iterator[Problem]:
    """The problems of a file, without its lines and longer texts, which may contain a key."""
    for problem in error.problems:
        hint = problem.hint and re.sub(_LONG_TEXT, '"…"', problem.hint)
        yield replace(problem, excerpt=None, hint=hint)
