"""Renders the texts of a spec, most of which may be templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.layers import MergedSettings
from flux2build.assetspec.prompts import Prompts, TemplateFault
from flux2build.assetspec.translations.catalog import Translations
from flux2build.errors import Place
from flux2build.model import Key

Scope = Mapping[str, object]
"""The values that a template can name."""


def is_template(text: str) -> bool:
    """Whether Jinja would change a text; most texts have no markup."""
    return "{{" in text or "{%" in text or "{#" in text


@dataclass(frozen=True)
class TextRenderer:
    """Renders texts; what is wrong with a template becomes a fault at a key of the spec."""

    prompts: Prompts
    translations: Translations
    skips: bool = False
    """Whether a missing translation can leave out what the text is for."""

    @cached_property
    def skipping(self) -> TextRenderer:
        """The renderer for deliverables, which are left out if a translation is missing.

        Its templates may raise `UntranslatedError`.
        """
        return replace(self, skips=True)

    def _with_translations(self, scope: Scope) -> Scope:
        return {**scope, "t": self.translations.translate(scope, skips=self.skips)}

    def text(self, source: str, scope: Scope, key: Key) -> str:
        """A text that may be a template.

        Raises:
            FaultyError: the template cannot be rendered.
        """
        if not is_template(source):
            return source
        try:
            return self.prompts.text(source, self._with_translations(scope))
        except TemplateFault as fault:
            raise _faulty(fault, key) from None

    def inside(self, value: Any, scope: Scope, key: Key) -> Any:
        """Every text in a value of TOML, rendered."""
        if isinstance(value, str):
            return self.text(value, scope, key)
        if isinstance(value, Mapping):
            return {name: self.inside(item, scope, (*key, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self.inside(item, scope, (*key, at)) for at, item in enumerate(value)]
        return value

    def prompt(self, settings: MergedSettings, scope: Scope) -> str:
        """The prompt that is sent: prefix, prompt and suffix with a space between.

        Raises:
            FaultyError: there is no prompt, it is empty, or a template in it is wrong.
        """
        parts = [
            self._optional("prompt_prefix", settings, scope),
            self._body(settings, scope),
            self._optional("prompt_suffix", settings, scope),
        ]
        prompt = " ".join(stripped for part in parts if (stripped := part.strip()))
        if not prompt:
            raise FaultyError(Fault(settings.key("prompt"), "the prompt is empty"))
        return prompt

    def _optional(self, name: str, settings: MergedSettings, scope: Scope) -> str:
        text = settings.get(name)
        return self.text(text, scope, settings.key(name)) if text else ""

    def _body(self, settings: MergedSettings, scope: Scope) -> str:
        prompt, template = settings.get("prompt"), settings.get("template")
        if prompt is not None and template is not None:
            message = "`prompt` and `template` exclude each other"
            raise FaultyError(Fault(settings.key("template"), message, hint="keep one of them"))
        try:
            if isinstance(prompt, str):
                return self.prompts.text(prompt, self._with_translations(scope))
            if prompt is not None:
                return self.prompts.table(prompt, self._with_translations(scope))
            if template is not None:
                return self.prompts.file(template, self._with_translations(scope))
        except TemplateFault as fault:
            raise _faulty(fault, settings.key("template" if template else "prompt")) from None
        hint = "say what to see in `prompt` or `template`, or name a picture with `source`"
        raise FaultyError(Fault(settings.asset, "the asset has no prompt", hint=hint))


def _faulty(fault: TemplateFault, key: Key) -> FaultyError:
    """A template's fault at its key or, in a template file, at its line there."""
    at_key = Fault(key, fault.message, hint=fault.hint, template=True)
    if fault.template is None:
        return FaultyError(replace(at_key, key=(*key, *fault.key), line=fault.line))
    return FaultyError(replace(at_key, place=Place(fault.template, fault.line)))
