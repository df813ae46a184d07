"""The tables of `assets.toml`: the language of the spec."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from flux2build.images.colour.notation import Colour
from flux2build.images.documents.contract import Base
from flux2build.images.encoding import having
from flux2build.images.formats.avif import Speed
from flux2build.images.formats.contract import Quality, Subsampling
from flux2build.images.formats.ico import IconSide
from flux2build.images.formats.lookup import writable
from flux2build.images.formats.png import PaletteSize
from flux2build.tables.marks import After, Among, Before, OneOf, Schema
from flux2build.tables.table import Field, Table, rule

FormatName = Annotated[str, Among(writable)]


def _templated(text: str) -> str:
    """A text in place of a number, which has to be a template."""
    if "{{" in text or "{%" in text:
        return text
    raise ValueError("must be a whole number, not a text")


def _formats(setting: str) -> str:
    """The formats that have a setting, as people list them: `jpeg, webp and avif`."""
    *names, last = having(setting)
    return f"{', '.join(names)} and {last}" if names else last


def _money(value: object) -> object:
    """A sum as written: `0.1` is exactly ten cents, although its float is not."""
    exact = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if exact else value


Usd = Annotated[Decimal, Before(_money), Schema({"type": "number", "minimum": 0})]


def _optional(
    description: str | Callable[[], str], *, default: object = None, **bounds: Any
) -> Any:
    """A key that may be left out."""
    return Field(default=default, description=description, **bounds)


class AssetRef(Table):
    """Another asset's picture."""

    asset: str = Field(
        description="name of an asset; of a family, the member with the same axes or one by name, "
        "such as `hero[theme=dark]`"
    )


class LoraRef(Table):
    """A LoRA, which alters what a model has learnt."""

    file: str = Field(description="its name in `[local.loras]` of your configuration")
    scale: float = _optional("how much of it is added", default=1.0, ge=-10, le=10)


_Severity = Literal["error", "warning", "off"]
Ref = Annotated[str | AssetRef, OneOf('a path or `{ asset = "name" }`')]
Refs = Annotated[str | list[Ref], OneOf("a list of references")]
Prompt = Annotated[str | dict[str, Any], OneOf("a text or a table")]
Names = Annotated[str | list[str], OneOf("a name or a list of names")]
Weight = Annotated[_Severity | dict[str, Any], OneOf("`error`, `warning`, `off` or a table")]
Side = Annotated[int, Field(ge=1, le=65536)]
_Template = Annotated[str, After(_templated)]
Seed = Annotated[Annotated[int, Field(ge=0)] | _Template, OneOf("")]
Take = Annotated[Annotated[int, Field(ge=1)] | _Template, OneOf("")]
Share = Annotated[float, Field(ge=0, le=1)]
Scalar = str | bool | int


class Deliver(Table):
    """Files to derive from an asset's picture: every width in every format."""

    path: str | None = _optional(
        "path below the output folder; a template that also sees `width` (the width "
        "delivered, else the master's), `height` (the master's, when `widths` is not given) and "
        "`format`; `<master>[-<width>].<format>` when not given"
    )
    preset: str | None = _optional(
        "what a platform asks for, by name: `og`, `favicon`, `play`; `flux2build "
        "presets` lists them; the path also sees `target`, and is `<master>-<preset>.<format>`, or "
        "for a set `<master>/{{ target }}.<format>`, when not given"
    )
    focus: Annotated[list[Share], Field(min_length=2, max_length=2)] | None = _optional(
        "with `preset`: the point to keep as central as possible, from left and top"
    )
    safe: Annotated[float, Field(gt=0, le=1)] | None = _optional(
        "with `preset`: the share of the side that the picture takes where a platform "
        "cuts edges off, instead of the platform's own"
    )
    upscale: bool | None = _optional("allow files with more pixels than the picture has")
    matrix: dict[str, list[Scalar]] | None = _optional(
        "axes of the files, such as sizes or locales: one file for each combination of "
        "values; templates of this entry see them, and nothing more is rendered"
    )
    widths: list[Side] | None = _optional(
        "widths in pixels; one file is made for each", min_length=1
    )
    formats: list[FormatName] | None = _optional(
        "formats; when not given, what the path's ending says, else the master's", min_length=1
    )
    quality: Quality | None = _optional(lambda: f"quality of {_formats('quality')}")
    lossless: bool | None = _optional(lambda: f"keep every pixel exactly ({_formats('lossless')})")
    matte: Colour | None = _optional(
        "colour put behind transparent pixels, as `#RRGGBB` or a CSS name"
    )
    max_bytes: int | None = _optional("largest file; the quality is lowered until it fits", ge=1)
    min_quality: Quality | None = _optional("lowest quality that `max_bytes` may lead to")
    subsampling: Subsampling | None = _optional(
        lambda: f"resolution of colour in {_formats('subsampling')}"
    )
    palette: PaletteSize | None = _optional("reduce a png to this many colours")
    sizes: list[IconSide] | None = _optional(
        "sizes in an ico; 16, 32 and 48 when not given", min_length=1
    )
    speed: Speed | None = _optional("avif: 0 is slow and small, 10 fast and large")
    profile: bool | None = _optional("embed an sRGB colour profile; pixels are sRGB either way")
    ops: list[dict[str, Any]] | None = _optional(
        "operations on the picture, in order, before it is resized"
    )
    finish: list[dict[str, Any]] | None = _optional(
        "operations after the picture has its width, or the shape of its preset: `text` is then "
        "laid out in what is delivered, and nothing cuts it off"
    )
    documents: list[dict[str, Any]] | None = _optional(
        "texts about the files of this entry, each as "
        '`{ document = "…", path = "…" }` and its options'
    )


class Settings(Table):
    """The settings that `[defaults]`, a style, an asset and a profile can have."""

    provider: str | None = _optional(
        "which provider renders; a model that is named below is kept, else its default one is meant"
    )
    model: str | None = _optional("the provider's model")
    prompt: Prompt | None = _optional(
        "what to see: a text, or a table that is sent as canonical JSON; templates"
    )
    template: str | None = _optional(
        "a file of the templates folder, instead of `prompt`; its name is a template"
    )
    prompt_prefix: str | None = _optional("put before a text, with one space between; a template")
    prompt_suffix: str | None = _optional("put after a text, with one space between; a template")
    width: Side | None = _optional("width to render, in pixels")
    height: Side | None = _optional("height to render, in pixels")
    aspect_ratio: str | None = _optional("shape, such as `16:9`, of models without pixel sizes")
    resolution: str | None = _optional("size class, such as `1k`, of models without pixel sizes")
    seed: Seed | None = _optional("start of the model's dice; may be a template")
    format: str | None = _optional("format of the master")
    steps: int | None = _optional("sampling steps", ge=1)
    guidance: float | None = _optional("how literally to take the prompt")
    safety_tolerance: int | None = _optional("moderation: 0 is strict, higher is laxer", ge=0)
    prompt_upsampling: bool | None = _optional("let the provider rewrite the prompt")
    disable_pup: bool | None = _optional("keep the provider from rewriting the prompt")
    grounding: bool | None = _optional("let the model search the web")
    loras: list[LoraRef] | None = _optional(
        "LoRA that are added to open weights, as `{ file, scale }`", min_length=1
    )
    take: Take | None = _optional(
        "another picture for the same request: 2, 3, …; may be a template"
    )
    candidates: int | None = _optional(
        "how many takes to order, of which a person picks one", ge=1, le=16
    )
    seeds: list[Annotated[int, Field(ge=0)]] | None = _optional(
        "the seeds of the candidates, instead of their number",
        min_length=1,
        max_length=16,
    )
    review: Literal["required", "off"] | None = _optional(
        "`required`: a person has to approve the picture before anything is made of it"
    )
    refs: Refs | None = _optional(
        "ordered references: paths from the spec's folder, or other assets; "
        "`{{ ref('name') }}` in a prompt writes `image 1`; a template that names a list of paths "
        "stands for each of them, and one that comes to nothing for none"
    )
    vars: dict[str, Any] | None = _optional(
        "values for templates, merged by name over those of lower layers"
    )
    tags: list[str] | None = _optional("words to select by; templates")
    alt: str | None = _optional("alternative text; a template")
    title: str | None = _optional("title; a template")
    expect_text: str | None = _optional("words that the picture has to show; a template")
    provenance: bool | None = _optional(
        "mark files derived from the picture as generated (IPTC's digital source type, in XMP); "
        "when not given, those of rendered pictures are, and those of a `source` are not"
    )
    sign: bool | None = _optional(
        "sign files derived from the picture (C2PA), with the certificate that the "
        "user's own configuration names"
    )
    deliver: list[Deliver] | None = _optional("files to derive from the picture")


class Profile(Settings):
    """Settings over all assets, chosen with `--profile`."""

    output: str | None = _optional("the output folder, instead of the project's")
    ship: Literal["approved", "all"] | None = _optional("`approved`: derive from nothing else")
    disclosure: Literal["label"] | None = _optional("`label`: what was generated has to have one")
    masters: str | None = _optional(
        "the folder of masters, instead of the project's; with an `output` of its own, when not given, "
        "the folder of the profile's name in the project's"
    )


class Rows(Table):
    """Data, one member for each of its rows."""

    file: str = Field(
        description="path of a file of data (CSV, TSV, JSON, JSON Lines, TOML, YAML, gettext) or of "
        "a page in Markdown or MDX; or a pattern for several, such as `content/**/*.{md,mdx}`"
    )
    key: Names = Field(
        description="the column that names the members, or several; each is an axis, and its value "
        "stands in templates under its name (letters, digits and `_`)"
    )
    where: str | None = _optional(
        "a condition that picks rows; a template that sees the row and `[vars]`: "
        '`"{{ row.stock | int > 0 }}"`'
    )
    fill: list[str] | None = _optional(
        "columns whose blank cells have the value of the row above, as in rows of variants"
    )
    split: dict[str, Annotated[str, Field(min_length=1)]] | None = _optional(
        'columns that are lists, with what separates their items: `{ options = "|" }`'
    )

    @rule
    def _is_keyed(self) -> None:
        if not self.keys:
            raise ValueError("`key` names no column")

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name the members."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key)


class AssetTable(Settings):
    """One picture, or a family of them."""

    source: str | None = _optional("path of a picture that exists and is not rendered; a template")
    style: Names | None = _optional("names of styles, in order; later ones win")
    matrix: dict[str, list[Scalar]] | None = _optional(
        "axes and their values: one member for each combination"
    )
    exclude: list[dict[str, Scalar]] | None = _optional(
        "combinations to leave out, each as some axes with a value"
    )
    rows: Rows | None = _optional("one member for each row of a data file")
    output: str | None = _optional(
        "path of the picture below the folder of masters, else of outputs; a template; "
        "`<asset>.<format>` when not given"
    )
    profile: dict[str, Settings] | None = _optional("settings of this asset in one profile")


class ProjectTable(Table):
    """The project's name and folders."""

    name: str | None = _optional("the project's name, which `doctor` shows")
    output: str = _optional("folder below which every output lies", default=".")
    masters: str | None = _optional(
        "folder below which masters lie, apart from what is derived of them; `output` when not given"
    )
    templates: str = _optional("folder of the templates", default="templates")
    profile: str | None = _optional("profile to use when none is named")


class BudgetTable(Table):
    """Limits in USD."""

    per_run: Usd | None = _optional("most that one build may spend", ge=0)
    per_asset: Usd | None = _optional("most that one picture of an asset may cost", ge=0)
    confirm_above: Usd | None = _optional(
        "ask before a build that may cost more, whatever the user's configuration says", ge=0
    )


class CatalogTable(Table):
    """Where translations are, and what to do when there is none."""

    path: str = Field(
        description="path of a locale's gettext, JSON or TOML file, with `{locale}` in it, such as "
        "`locale/{locale}.po`"
    )
    axis: str = _optional("the axis or variable that says the locale of an asset", default="locale")
    source: str | None = _optional(
        "the locale whose texts are the keys themselves; it needs no file"
    )
    policy: Literal["error", "fallback", "skip"] = _optional(
        "when a translation is missing: an error, another locale's text, or leave out "
        "the deliverable that it is for",
        default="error",
    )
    fallback: Names | None = _optional("with `fallback`: locales to take the text from, in order")
    fuzzy: bool = _optional(
        "use translations that are marked as fuzzy; else they are missing", default=False
    )


class ManifestTable(Table):
    """Texts that tell a site which pictures there are."""

    path: str | None = _optional(
        "a JSON file of all pictures; as all documents below the output folder, or with `./` from the "
        "spec's folder"
    )
    pictures: str | None = _optional(
        "an HTML file of `<picture>` elements; a template: one that says "
        "`{{ asset.name }}` stands for a file for each asset"
    )
    typescript: str | None = _optional("a TypeScript module of all pictures, with their types")
    base: Base = _optional(
        'put before every path, such as `"/images/"`, with a `/` between; nothing when not given',
        default="",
    )
    sizes: str = _optional(
        "how wide pictures are shown: the `sizes` of every `<picture>`", default="100vw"
    )
    color: bool = _optional(
        "tell the average colour of every picture, as a placeholder", default=True
    )


class SpecTable(Table):
    """All of `assets.toml`."""

    extends: list[str] = _optional(
        "files to build upon, from this file's folder; later values win", default=[]
    )
    project: ProjectTable = _optional("names and folders", default=ProjectTable.model_construct())
    vars: dict[str, Any] = _optional("values that every template sees", default={})
    profile: dict[str, Profile] = _optional("settings over all assets, by name", default={})
    catalog: CatalogTable | None = _optional("where translations are, for `{{ t('key') }}`")
    op: dict[str, dict[str, Any]] = _optional(
        "parameters of an operation that every use of it has, by its name, such as "
        "`[op.text]` with a `font`",
        default={},
    )
    budget: BudgetTable = _optional("limits in USD", default=BudgetTable.model_construct())
    checks: dict[str, Weight] = _optional(
        "by a check's name, `error`, `warning`, `off` or its options: see checks.md", default={}
    )
    manifest: ManifestTable = _optional(
        "texts that tell a site which pictures there are", default=ManifestTable.model_construct()
    )
    defaults: Settings = _optional("settings under every asset", default=Settings.model_construct())
    style: dict[str, Settings] = _optional("named presets", default={})
    asset: dict[str, AssetTable] = _optional("the pictures, by name", default={})
