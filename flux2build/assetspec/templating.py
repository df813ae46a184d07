"""Renders the texts of a spec, most of which may be templates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.markup import Markup
from flux2build.assetspec.prompts import Prompts, TemplateFault, is_template
from flux2build.assetspec.translations.catalog import Translations
from flux2build.digest import canonical
from flux2build.errors import Place
from flux2build.model import Key

_EXPRESSION: Final = r"(?s)\{\{((?:(?!\{\{|\}\}|\{%|\{#).)+)\}\}"
"""A text that consists of one expression."""
_AROUND: Final = ("prompt_prefix", "prompt_suffix")

Scope = Mapping[str, object]
"""The values that a template can name."""


class TextRenderer(Struct, frozen=True, dict=True):
    """Renders texts; an error in a template becomes a fault at a key of the spec."""

    prompts: Prompts
    translations: Translations
    skips: bool = False
    """Whether a missing translation can leave out the file of the text."""
    markup: Markup = field(default_factory=Markup)
    """The suspicious markup in the texts."""

    @cached_property
    def skipping(self) -> TextRenderer:
        """The renderer for deliverables, which are left out if a translation is missing.

        Its templates may raise `UntranslatedError`.
        """
        return replace(self, skips=True)

    def _known(self, scope: Scope) -> Scope:
        return {**scope, "t": self.translations.translate(scope, skips=self.skips)}

    def text(self, source: str, scope: Scope, key: Key) -> str:
        """A text that may be a template; `FaultyError` if it cannot be rendered."""
        if "{" not in source:
            return source
        self.markup.examine(source, scope, key)
        return self._rendered(source, scope, key) if is_template(source) else source

    def items(self, source: str, scope: Scope, key: Key) -> list[str]:
        """The texts that one entry of a list adds: all items, if it names a list.

        A template that renders to nothing adds none; a text that is not a template adds itself.
        """
        if not is_template(source):
            return [self.text(source, scope, key)]
        expression = _only_expression(source)
        if expression is None:
            text = self.text(source, scope, key)
            return [text] if text.strip() else []
        self.markup.examine(source, scope, key)
        value = json.loads(self._rendered(f"{{{{ ({expression}) | tojson }}}}", scope, key))
        listed = value if isinstance(value, list) else [value]
        return [text for item in listed if item is not None and (text := str(item).strip())]

    def inside(self, value: Any, scope: Scope, key: Key) -> Any:
        """Every text in a value of TOML, rendered."""

        def rendered(leaf: Any, at: Key) -> Any:
            return self.text(leaf, scope, at) if isinstance(leaf, str) else leaf

        return _mapped(value, key, rendered)

    def prompt(self, settings: MergedSettings, scope: Scope) -> str:
        """The prompt that is sent: prefix, prompt and suffix with a space between, never empty."""
        prefix, suffix = around = [self._optional(name, settings, scope) for name in _AROUND]
        prompt = body = self._body(settings, scope).strip()
        if prefix or suffix:
            if structured(body):
                named = zip(_AROUND, around, strict=True)
                raise FaultyError(*(_glued(settings, name) for name, text in named if text))
            prompt = " ".join(filter(None, (prefix, body, suffix)))
        if not prompt:
            raise FaultyError(Fault(settings.key("prompt"), "the prompt is empty"))
        if not prompt.isascii():
            self.markup.examine_sent(prompt, scope, settings.prompt_key)
        return prompt

    def _optional(self, name: str, settings: MergedSettings, scope: Scope) -> str:
        text = settings.get(name)
        return self.text(text, scope, settings.key(name)).strip() if text else ""

    def _body(self, settings: MergedSettings, scope: Scope) -> str:
        prompt, template = settings.get("prompt"), settings.get("template")
        key = settings.key("prompt" if template is None else "template")
        if prompt is not None and template is not None:
            message = "`prompt` and `template` exclude each other"
            raise FaultyError(Fault(key, message, hint="keep one of them"))
        if template is not None:
            name = self.text(template, scope, key)
            return _located(lambda: self.prompts.file(name, scope, self._known), key)
        if prompt is None:
            hint = "say what to see in `prompt` or `template`, or name a picture with `source`"
            raise FaultyError(Fault(settings.asset, "the asset has no prompt", hint=hint))
        if isinstance(prompt, str):
            return self._prompt(prompt, scope, key)
        _located(lambda: self.prompts.whole(""), key)  # not if there are too many texts already
        table = _mapped(prompt, key, lambda leaf, at: self._json(leaf, scope, at))
        return _located(lambda: self.prompts.whole(canonical(table)), key)

    def _prompt(self, source: str, scope: Scope, key: Key) -> str:
        """A text of a prompt, which is counted even if it is not a template."""
        if "{" in source:
            self.markup.examine(source, scope, key)
        return self._rendered(source, scope, key)

    def _rendered(self, source: str, scope: Scope, key: Key) -> str:
        try:
            return self.prompts.text(source, scope, self._known)
        except TemplateFault as fault:
            raise _placed(fault, key) from None

    def _json(self, leaf: Any, scope: Scope, key: Key) -> Any:
        """A value in a structured prompt, which is sent as JSON."""
        if isinstance(leaf, str):
            return self._prompt(leaf, scope, key)
        if not isinstance(leaf, int | float):
            message = f"a structured prompt cannot hold a {type(leaf).__name__}"
            hint = f'write it as a text: "{leaf}"'
            raise FaultyError(Fault(key, message, hint, template=True))
        if not math.isfinite(leaf):
            message = f"`{leaf}` is not a number that JSON has"
            raise FaultyError(Fault(key, message, template=True))
        return leaf


@lru_cache(maxsize=256)
def _only_expression(source: str) -> str | None:
    """The expression of a text that consists of one; None for any other text."""
    match = re.fullmatch(_EXPRESSION, source.strip())
    return match and match[1]


def structured(prompt: str) -> bool:
    """Whether a prompt is a JSON object."""
    if not (prompt.startswith("{") and prompt.endswith("}")):
        return False
    try:
        return isinstance(json.loads(prompt), dict)
    except (ValueError, RecursionError):
        return False


def _glued(settings: MergedSettings, name: str) -> Fault:
    """The fault of a text beside JSON, which would make it invalid."""
    message = f"`{name}` cannot be put beside a structured prompt, which is sent as JSON"
    hint = f'say it in a field of the prompt, such as `style`, and set `{name} = ""` in the asset'
    return Fault(settings.key(name), message, hint=hint, name=True)


def _mapped(value: Any, key: Key, change: Callable[[Any, Key], Any]) -> Any:
    """A value of TOML, changed except for its tables and lists."""
    if isinstance(value, Mapping):
        return {name: _mapped(item, (*key, name), change) for name, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, (*key, at), change) for at, item in enumerate(value)]
    return change(value, key)


def _located(render: Callable[[], str], key: Key) -> str:
    """The rendering of a template; a fault is at its key or, in a template file, at its line."""
    try:
        return render()
    except TemplateFault as fault:
        raise _placed(fault, key) from None


def _placed(fault: TemplateFault, key: Key) -> FaultyError:
    at_key = Fault(key, fault.message, hint=fault.hint, template=True, line=fault.line)
    if fault.template is None:
        return FaultyError(at_key)
    place = Place(fault.template, fault.line)
    return FaultyError(replace(at_key, line=0, place=place))
