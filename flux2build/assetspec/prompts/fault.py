"""The fault of a template, without importing Jinja, which most specs do not need."""

from __future__ import annotations

from typing import Final

from flux2build.assetspec.prompts.bounds import OverBoundError


class TemplateFault(Exception):  # noqa: N818 - not for the user: the spec turns it into a SpecError
    """A template cannot be rendered; `template` is its file, or None for an inline one."""

    def __init__(
        self, message: str, line: int = 0, template: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.line, self.template, self.hint = message, line, template, hint


RAISED: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OverBoundError,
    RuntimeError,
    SyntaxError,
    TemplateFault,
    TypeError,
    ValueError,
)
"""The errors that reading a template can raise; others are bugs and must not look like faults."""
