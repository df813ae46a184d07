"""The parameters that are sent to a model: settings, checked against the model's card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar, cast

from msgspec import Struct

from flux2build.assetspec import shapes
from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.layers import DEFAULT_PROVIDER, MergedSettings
from flux2build.assetspec.tables import LoraRef, Settings, SpecTable
from flux2build.digest import Json
from flux2build.errors import did_you_mean, nearest
from flux2build.model import model_name
from flux2build.providers.capabilities import FREE, Card

N = TypeVar("N", int, float)

PARAMS: Final = (
    "width",
    "height",
    "aspect_ratio",
    "resolution",
    "seed",
    "format",
    "steps",
    "guidance",
    "safety_tolerance",
    "prompt_upsampling",
    "disable_pup",
    "grounding",
    "loras",
)
"""The settings that only some models have."""

_PIXELS: Final = frozenset({"width", "height"})
_SHAPE: Final = frozenset({"aspect_ratio", "resolution"})
"""Two ways to ask for a size."""

DEFAULT_SIDE: Final = 1024
DEFAULT_FORMAT: Final = "png"


def choose(settings: MergedSettings, capabilities: Capabilities) -> tuple[str, Card]:
    """The provider and the model that the settings name; `FaultyError` if there is none."""
    provider = settings.get("provider") or DEFAULT_PROVIDER
    cards = capabilities.cards.get(provider)
    if cards is None:
        message, hint = f"unknown provider `{provider}`", did_you_mean(provider, capabilities.cards)
        raise FaultyError(Fault(settings.key("provider"), message, hint))
    written = settings.peek("model")
    usual = cards[capabilities.providers[provider].default_model]
    if written is None:
        return provider, usual
    model = model_name(written)
    if model not in cards and _stands_in(settings, cards):
        return provider, usual
    settings.get("model")
    if model not in cards:
        hint = _elsewhere(model, settings, provider, capabilities)
        message = f"provider `{provider}` has no model `{model}`"
        raise FaultyError(Fault(settings.key("model"), message, hint=hint))
    return provider, cards[model]


def _stands_in(settings: MergedSettings, cards: Mapping[str, Card]) -> bool:
    """Whether a free provider overrides a setting with another provider's model."""
    free = all(card.price == FREE for card in cards.values())
    return free and settings.rank("provider") > settings.rank("model")


def _elsewhere(
    model: str, settings: MergedSettings, provider: str, capabilities: Capabilities
) -> str | None:
    """A hint for an unknown model: the providers that have it, or the nearest name."""
    cards = capabilities.cards[provider]
    owners = sorted(name for name, cards in capabilities.cards.items() if model in cards)
    if owners and settings.rank("provider") > settings.rank("model"):
        usual = capabilities.providers[provider].default_model
        return f'name a model of its own beside the provider, such as `model = "{usual}"`'
    if owners and nearest(model, cards) is None:
        return "it is a model of " + ", ".join(f"`{name}`: set `provider`" for name in owners)
    return did_you_mean(model, cards)


class Parameters(Struct, frozen=True):
    """The parameters that are sent to a model."""

    sent: Mapping[str, Json]
    faults: Sequence[Fault]
    """The faults of the parameters that the spec sets."""
    unsent: Sequence[str] = ()
    """Parameters that the spec sets for other models, and that are not sent to this one."""
    beside: Sequence[str] = ()
    """The unsent parameters that the spec sets for this model."""


def read(settings: MergedSettings, card: Card, capabilities: Capabilities) -> Parameters:
    """The parameters for one model, from the settings."""
    written = [name for name in PARAMS if name in settings.values]
    faults: list[Fault] = []
    sent: dict[str, Json] = {}
    unused = _unused(settings, card)
    try:
        sent |= _shape(settings) if card.shapes else {}
    except FaultyError as error:
        faults += error.faults
    for name in sorted(card.params - unused - sent.keys()):
        value = settings.get(name) if name in written else _default(name, card)
        if value is not None:
            sent[name] = (
                _loras(cast("list[LoraRef]", value), capabilities)
                if name == "loras"
                else cast("Json", value)
            )
    rest = [n for n in written if n not in card.params and not (card.shapes and n in _SHAPE)]
    absent = (n for n in rest if n not in card.ignores and _said_of_model(settings, n))
    faults += [lacking(settings, card, capabilities, name) for name in absent]
    faults += [fault for name in written if name in sent for fault in _wrong(settings, name, card)]
    faults += _twice(settings, unused.intersection(card.params, written), card)
    if not faults:
        faults += _too_large(settings, sent, card)
    if card.price == FREE:  # it replaces models that have the parameters
        return Parameters(sent, faults)
    beside = tuple(name for name in rest if _said_of_model(settings, name))
    return Parameters(sent, faults, tuple(rest), beside)


def _loras(loras: Sequence[LoraRef], capabilities: Capabilities) -> Json:
    """The LoRA of an order: their names, their strengths, and the digests of their weights."""
    return [
        {"file": lora.file, "scale": lora.scale, "sha256": capabilities.lora(lora.file)}
        for lora in loras
    ]


def _said_of_model(settings: MergedSettings, name: str) -> bool:
    """Whether a parameter was set for this model, and not for one that it replaces."""
    rank_of_model = settings.rank("model" if "model" in settings.values else "provider")
    own = settings.rank(name)
    return own == rank_of_model or (own > rank_of_model and settings.key(name)[0] == "asset")


def _shape(settings: MergedSettings) -> dict[str, Json]:
    """The sides for `aspect_ratio` and `resolution`, unless a setting in pixels overrides them."""
    words = _rank(settings, _SHAPE)
    if words < 0 or words < _rank(settings, _PIXELS):
        return {}
    ratio = _in_words(settings, "aspect_ratio", shapes.ratio_of, "1:1", "16:9")
    area = _in_words(settings, "resolution", shapes.area_of, "1k", "2k")
    width, height = shapes.sides(area, ratio)
    return {"width": width, "height": height}


def _in_words(
    settings: MergedSettings, name: str, read: Callable[[str], N | None], usual: str, such: str
) -> N:
    """A shape or a size class as a number; `FaultyError` if it is neither."""
    text = settings.get(name)
    number = read(usual if text is None else text)
    if number is None:
        message = f"`{text}` is not {'a shape' if name == 'aspect_ratio' else 'a size class'}"
        raise FaultyError(Fault(settings.key(name), message, hint=f"write it like `{such}`"))
    return number


def _unused(settings: MergedSettings, card: Card) -> frozenset[str]:
    """The unused way to ask for a size, if a model has both.

    The later layer decides; without a size, pixels do.
    """
    if not (_PIXELS & card.params and _SHAPE & card.params):
        return frozenset()
    return _PIXELS if _rank(settings, _SHAPE) > _rank(settings, _PIXELS) else _SHAPE


def _rank(settings: MergedSettings, names: Iterable[str]) -> int:
    """The rank of the strongest layer with one of these settings; -1 if there is none."""
    return max(map(settings.rank, names))


def _twice(settings: MergedSettings, unused: frozenset[str], card: Card) -> Iterator[Fault]:
    """The fault of a layer that asks for a size in both ways."""
    used = _SHAPE if unused & _PIXELS else _PIXELS
    for name in sorted(unused):
        rank = settings.rank(name)
        other = next((each for each in sorted(used) if settings.rank(each) == rank), None)
        if other:
            message = f"`{card.model}` is asked for a size by `{other}` or by `{name}`, not by both"
            yield Fault(settings.key(name), message, hint=f"leave `{name}` out", name=True)


def _default(name: str, card: Card) -> object:
    if name in card.defaults:
        return card.defaults[name]
    if name in {"width", "height"}:
        return DEFAULT_SIDE
    return default_format(card) if name == "format" else None


def default_format(card: Card) -> str:
    """The format of a master without a format in its settings."""
    return DEFAULT_FORMAT if DEFAULT_FORMAT in card.formats else card.formats[0]


def lacking(settings: MergedSettings, card: Card, capabilities: Capabilities, name: str) -> Fault:
    """The fault of a parameter that a model does not have."""
    having = [
        {other.model for other in cards.values() if name in other.params}
        for cards in sorted(capabilities.cards.values(), key=lambda cards: card in cards.values())
    ]
    models = having[-1] or set().union(*having) - {card.model}
    elsewhere = sorted(
        f"`{provider}`"
        for provider, cards in capabilities.cards.items()
        if card.model in cards and name in cards[card.model].params
    )
    near = nearest(name, card.params)
    hint = f"did you mean `{near}`?" if near else None
    if models:
        hint = "models that have it: " + ", ".join(f"`{model}`" for model in sorted(models))
    if elsewhere:
        hint = f"it has one at {' and '.join(elsewhere)}"
    message = f"model `{card.model}` has no `{name}`"
    return Fault(settings.key(name), message, hint=hint, name=True)


def may_miss(tables: SpecTable, capabilities: Capabilities) -> bool:
    """Whether a shared table sets a parameter that one of its models may lack."""
    shared = (tables.defaults, *tables.style.values(), *tables.profile.values())
    return any(
        not names <= card.params
        for settings in shared
        if (names := {*PARAMS} & settings.model_fields_set)
        for card in _named(settings, capabilities)
        if card.price != FREE
    )


def _named(settings: Settings, capabilities: Capabilities) -> Iterator[Card]:
    """The models that a table may name."""
    if settings.model is not None:
        names = [settings.provider] if settings.provider else [*capabilities.cards]
        model = model_name(settings.model)
        yield from (cards[model] for name in names if model in (cards := capabilities.cards[name]))
    elif settings.provider is not None:
        cards = capabilities.cards[settings.provider]
        yield cards[capabilities.providers[settings.provider].default_model]


def _wrong(settings: MergedSettings, name: str, card: Card) -> Iterator[Fault]:
    """The faults of one value, by the model's card."""
    key, value = settings.key(name), settings.peek(name)
    if isinstance(value, str) and name == "seed":
        return  # a template: each member's number is judged
    if name in card.ranges:
        low, high = card.ranges[name]
        if not low <= value <= high:
            yield Fault(key, f"`{name}` of `{card.model}` goes from {low:.12g} to {high:.12g}")
    choices = card.formats if name == "format" else card.choices.get(name)
    if choices and value not in choices:
        message = f"`{card.model}` has no {name.replace('_', ' ')} `{value}`"
        yield Fault(key, message, hint=did_you_mean(value, choices))
    if name in {"width", "height"}:
        yield from _side(Fault(key, ""), name, value, card)


def _side(at: Fault, name: str, value: int, card: Card) -> Iterator[Fault]:
    low, high = card.min_side, card.max_side
    if not low <= value <= high:
        yield Fault(at.key, f"`{name}` of `{card.model}` goes from {low} to {high} pixels")
    elif value % card.multiple:
        step = card.multiple
        below, above = value // step * step, -(-value // step) * step
        fit = [str(side) for side in (below, above) if low <= side <= high]
        verb = "are" if len(fit) == 2 else "is"
        message = f"{value} is not a multiple of {step}"
        message += f"; {' or '.join(fit)} {verb}" if fit else ""
        hint = "render a size the model can make, then `crop` and `resize` in `deliver`"
        yield Fault(at.key, message, hint=hint)


def _too_large(settings: MergedSettings, sent: Mapping[str, Json], card: Card) -> Iterator[Fault]:
    width, height = sent.get("width"), sent.get("height")
    if isinstance(width, int) and isinstance(height, int) and width * height > card.max_pixels:
        message = (
            f"{width} by {height} is more than the {card.max_pixels:,} pixels of `{card.model}`"
        )
        key = settings.key("width" if "width" in settings.values else "height")
        yield Fault(key, message)
