"""Turns click's errors about a command line into errors like any other.

Exceptions of click name the option, the command or the parameter; the value that is
wrong stands only in their sentences, so pyproject.toml bounds click from above.
"""

from __future__ import annotations

import re
from typing import Final

import click
from click.core import ParameterSource

from flux2build.errors import UsageError, did_you_mean

_REWORDINGS: Final = (
    (r"'(.*)' is not a valid integer range", r"`\1` is not a whole number"),
    (r"'(.*)' is not a valid boolean.*", r"`\1` is neither `true` nor `false`"),
    (r"(\S+) is not in the range (\S+)<=x<=(\S+)", r"\1 is not between \2 and \3"),
    (r"(\S+) is not in the range x>=(\S+)", r"\1 is less than \2"),
    (r"'(.*?)' is not one of .*", r"there is no `\1`"),
    (r"got unexpected extra arguments? \((.*)\)", r"unexpected argument `\1`"),
    (r"option '([^']*)' requires an argument", r"`\1` needs a value"),
    (r"option '([^']*)' does not take a value", r"`\1` does not take a value"),
    (r"'([^']*)'", r"`\1`"),
)
"""Sentences of click, and their replacements."""


def usage_error(wrong: click.ClickException, command: str) -> UsageError:
    """The error for an error of click; `command` is used where click does not name it."""
    context = wrong.ctx if isinstance(wrong, click.UsageError) else None
    path = context.command_path if context else command
    match wrong:
        case click.NoSuchOption():
            message = f"`{path}` has no option `{wrong.option_name}`"
            hint = did_you_mean(wrong.option_name, _options(context))
        case click.exceptions.NoSuchCommand():
            message = f"`{path}` has no command `{wrong.command_name}`"
            hint = did_you_mean(wrong.command_name, _commands(context))
        case click.MissingParameter():
            message, hint = f"`{path}` needs {_name(wrong)}", _choices(wrong)
        case click.BadParameter():
            message, hint = f"{_name(wrong)}: {_plain(wrong.message)}", _choices(wrong)
        case _:
            message, hint = _plain(wrong.format_message()), None
    return UsageError(message, hint=hint or f"see `{path} --help`")


def _plain(message: str) -> str:
    """A sentence of click's without its quotes, its capital and its period."""
    plain = message[:1].lower() + message[1:].rstrip(".")
    for theirs, ours in _REWORDINGS:
        plain = re.sub(theirs, ours, plain, flags=re.DOTALL)
    return plain


def _options(context: click.Context | None) -> list[str]:
    """The long options of a command."""
    params = context.command.get_params(context) if context else []
    return [name for param in params for name in param.opts if name.startswith("--")]


def _commands(context: click.Context | None) -> list[str]:
    group = context.command if context else None
    return group.list_commands(context) if context and isinstance(group, click.Group) else []


def _name(wrong: click.BadParameter) -> str:
    """The option, argument or variable whose value is wrong or missing."""
    param, context = wrong.param, wrong.ctx
    if param is None or param.name is None:
        return "a value"
    if isinstance(param, click.Argument):
        return param.metavar or param.name.upper()
    if context and context.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT:
        return f"`{param.envvar}`"
    return f"`{max(param.opts, key=len)}`"


def _choices(wrong: click.BadParameter) -> str | None:
    """A hint at the choice that is spelled most like the value, or at all of a few."""
    kind, value = wrong.param.type if wrong.param else None, re.match("'(.*?)'", wrong.message)
    if not isinstance(kind, click.Choice):
        return None
    return did_you_mean(value[1] if value else "", [str(choice) for choice in kind.choices])
