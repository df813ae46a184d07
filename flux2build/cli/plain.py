"""Plain command lines of `build`, `plan`, `check` and `list`, read without the parser.

The parser would read them the same way, and it reads all others. The call with nothing to do
imports this module, so it imports nothing.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer than the answer
    from collections.abc import Sequence
    from typing import Any

_CONFIG = "FLUX2BUILD_CONFIG"
_HARMLESS = {
    "FLUX2BUILD_HOME",
    "FLUX2BUILD_FILE",
    "FLUX2BUILD_PROFILE",
    _CONFIG,
    "FLUX2BUILD_BFL_URL",
    "FLUX2BUILD_COMETAPI_URL",
    "FLUX2BUILD_COMETAPI_REPLICATE_URL",
    "FLUX2BUILD_REPLICATE_URL",
    "FLUX2BUILD_STORE",
    "FLUX2BUILD_DEEP",
    "FLUX2BUILD_SIGN_CERT",
    "FLUX2BUILD_SIGN_KEY",
}
"""Variables without an option, and the variables of plain options."""
_TAKING_A_VALUE = {"-f": "file", "--file": "file", "-p": "profile", "--profile": "profile"}
_SHARED = {"--json": "json", "-q": "quiet", "--quiet": "quiet"}
_FLAGS = {
    "build": {**_SHARED, "-y": "yes", "--yes": "yes", "--trust-pr": "trust_pr"},
    "plan": {**_SHARED, "--exit-code": "exit_code"},
    "check": {**_SHARED, "--strict": "strict"},
    "list": _SHARED,
}
"""The options of each command that take no value."""
_FORMATS = {"concise", "full", "github", "gitlab", "json", "junit", "sarif"}


def read(words: Sequence[str]) -> tuple[str, dict[str, Any]] | None:
    """The command and its parameters; None if the line is not plain."""
    values = _of_variables()
    if values is None:
        return None
    named = bool(words) and words[0] in _FLAGS
    command = words[0] if named else "build"
    rest, given = list(words[named:]), set[str]()
    while rest:
        word, joined, value = rest.pop(0).partition("=")
        if word in _FLAGS[command] and not joined:
            values[_FLAGS[command][word]] = True
        elif _verbose(word) and not joined:
            values["verbose"] = values.get("verbose", 0) + _verbose(word)
        elif word.startswith("-"):
            if not joined and rest:
                value = rest.pop(0)
            name = _named(command, word, value, joined)
            if name is None or name in given:
                return None
            given.add(name)
            values[name] = value
        elif command == "build" or not word:
            return None  # another command, or a plan that was written to a file
        else:
            values["selection"] = (*values.get("selection", ()), f"{word}{joined}{value}")
    return command, values


def _of_variables() -> dict[str, Any] | None:
    """The parameters from the environment; None if it sets others than plain ones."""
    ours = (name for name in os.environ if name.lstrip("_").startswith("FLUX2BUILD_"))
    if any(name not in _HARMLESS for name in ours):
        return None
    if _CONFIG in os.environ and not os.path.exists(os.environ[_CONFIG]):
        return None  # the parser reports it
    if os.pathsep in os.environ.get("FLUX2BUILD_FILE", ""):
        return None  # several specs
    values = {name: os.environ.get(f"FLUX2BUILD_{name.upper()}") for name in ("file", "profile")}
    return {name: value for name, value in values.items() if value}


def _named(command: str, option: str, value: str, joined: str) -> str | None:
    """The parameter of an option with a value; None if the value is odd.

    The parser reads `-p=x` as the value `=x`, knows what an empty value means, and refuses a
    second one, or another option in the place of a value.
    """
    if not value or (option[1:2] != "-" if joined else value.startswith("-")):
        return None
    if command == "check" and option == "--output-format":
        return "output_format" if value in _FORMATS else None
    return _TAKING_A_VALUE.get(option)


def _verbose(word: str) -> int:
    """How often a word contains `-v`."""
    if word == "--verbose":
        return 1
    return len(word) - 1 if word[:1] == "-" and not word[1:].strip("v") else 0
