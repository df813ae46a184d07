"""A spec that has been read: validated, resolved and immutable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from flux2build.assetspec.trace import Trace
from flux2build.errors import Problem
from flux2build.model import Asset, AssetName, Key, Recipe, Write
from flux2build.storage import paths

if TYPE_CHECKING:
    from flux2build.assetspec.spec_text import SpecText
    from flux2build.assetspec.translations.catalog import Gap


class Budget(Struct, frozen=True):
    """Limits in USD; None means no limit."""

    per_run: Decimal | None = None
    per_asset: Decimal | None = None
    confirm_above: Decimal | None = None


UNUSED_KEY: Final = "unused-key"
COMMENT: Final = "prompt-comment"
ONE_BRACE: Final = "single-brace"
ODD_DATA: Final = "odd-data"
INVISIBLE: Final = "invisible-character"
UNSENT_IMAGE: Final = "unsent-image"


class Notice(Struct, frozen=True):
    """A notice for a person about a key of a spec that is not an error."""

    code: str
    """The code of its finding in `check`."""
    key: Key
    problem: Problem
    name: bool = True
    """Whether it is about the name of the key instead of its value."""


def unused_key(key: Key, message: str, hint: str | None) -> Notice:
    """What is said of a key that assets share and that has no effect."""
    return Notice(UNUSED_KEY, key, Problem(message, hint=hint))


class Spec(Struct, frozen=True, dict=True):
    """A spec in one of its profiles, with every default, style and template resolved."""

    file: str
    name: str
    """The project's name; empty if the spec does not say."""
    profile: str
    usual: str
    """The default profile."""
    profiles: tuple[str, ...]
    """The declared names."""
    output: str
    """The folder below which outputs lie."""
    folders: tuple[str, ...]
    """The folders of the outputs and masters of all profiles."""
    kept: Mapping[str, str]
    """Names for messages of files that are read or kept and so must not be outputs, by path."""
    templates: str
    """The folder of templates, if outputs may not lie in it; else empty."""
    budget: Budget
    checks: Mapping[str, Any]
    """The options of the checks in `[checks]`."""
    assets: Mapping[AssetName, Asset]
    """In the order in which they are declared."""
    recipes: tuple[Recipe, ...]
    gaps: tuple[Gap, ...]
    """Strings that a locale lacks, where the spec allows it."""
    text: SpecText
    notices: tuple[Notice, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Notes to read before the pictures of a family are rendered, by the family's name."""
    tracing: Callable[[], Trace] = Trace
    """Returns which data and templates the recipes depend on."""

    @cached_property
    def trace(self) -> Trace:
        """The data and templates that the recipes depend on."""
        return self.tracing()

    @property
    def ships_approved(self) -> bool:
        """Whether files are made only of approved pictures."""
        return self._says("ship") == "approved"

    @property
    def discloses(self) -> bool:
        """Whether each picture needs a label that says that it was generated."""
        return self._says("disclosure") == "label"

    def _says(self, key: str) -> object:
        """The profile's own table."""
        profiles = self.text.data.get("profile")
        own = profiles.get(self.profile) if isinstance(profiles, Mapping) else None
        return own.get(key) if isinstance(own, Mapping) else None

    @property
    def wanted_profiles(self) -> frozenset[str]:
        """The profiles whose outputs are wanted: all declared ones, and the default one."""
        return frozenset({*self.profiles, self.profile, self.usual})

    @cached_property
    def named(self) -> Mapping[AssetName, Asset]:
        """The assets, and the documents about many of them, each by its path."""
        documents = (r for r in self.recipes if r.asset not in self.assets)
        return {
            **self.assets,
            **{r.asset: Asset(r.asset, str(r.asset), {}, key=r.key) for r in documents},
        }

    @cached_property
    def beside(self) -> frozenset[str]:
        """The documents that lie beside a site's code, and not below the output folder."""
        below = "" if self.output == "." else f"{paths.fold(self.output)}/"
        written = (r.output for r in self.recipes if isinstance(r.task, Write))
        return frozenset(path for path in written if not paths.fold(path).startswith(below))

    def keeps(self, path: str) -> str | None:
        """The name for messages of a file that cannot be an output; None for any other path."""
        folded = paths.fold(path)
        if self.templates and folded.startswith(f"{paths.fold(self.templates)}/"):
            return f"a file of the templates folder `{self.templates}`"
        return self._kept_folds.get(folded)

    @cached_property
    def _kept_folds(self) -> Mapping[str, str]:
        return {paths.fold(path): what for path, what in self.kept.items()}

    def located(self, problem: Problem, key: Key, *, name: bool = False) -> Problem:
        """A problem at a key's value (or its name), with the source line."""
        return self.text.located(problem, key, name=name)
