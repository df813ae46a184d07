"""The parameters that are sent to a model: settings, checked against the model's card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from flux2build.assetspec.capabilities import Capabilities
from flux2build.assetspec.faults import Fault, FaultyError
from flux2build.assetspec.layers import DEFAULT_PROVIDER, MergedSettings
from flux2build.digest import Json
from flux2build.errors import did_you_mean, nearest
from flux2build.model import model_name
from flux2build.providers.capabilities import FREE, Card

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
)
"""The settings that a model may have or not have."""

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
    usual = capabilities.providers[provider].default_model
    model = model_name(settings.get("model") or usual)
    if settings.brought and model not in cards and cards[usual].price == FREE:
        model = usual  # it stands in for every model, such as `sketch` in a draft
    if model not in cards:
        hint = _elsewhere(model, provider, capabilities)
        message = f"provider `{provider}` has no model `{model}`"
        raise FaultyError(Fault(settings.key("model"), message, hint=hint))
    return provider, cards[model]


def _elsewhere(model: str, provider: str, capabilities: Capabilities) -> str | None:
    """A hint for an unknown model: the providers that have it, or the nearest name."""
    near = nearest(model, capabilities.cards[provider])
    owners = sorted(name for name, cards in capabilities.cards.items() if model in cards)
    if owners and near is None:
        return "it is a model of " + ", ".join(f"`{name}`: set `provider`" for name in owners)
    return did_you_mean(model, capabilities.cards[provider])


def read(
    settings: MergedSettings, card: Card, capabilities: Capabilities
) -> tuple[dict[str, Json], list[Fault]]:
    """The parameters that are sent, and the faults of those that the spec sets."""
    written = {name: settings.get(name) for name in PARAMS if name in settings.values}
    sent: dict[str, Json] = {}
    unused = _unused(settings, card)
    for name in sorted(card.params - unused):
        value = written.get(name, _default(name, card))
        if value is not None:
            sent[name] = cast("Json", value)
    lacking = written.keys() - card.params - card.ignores
    faults = [_lacking(settings, name, card, capabilities) for name in written if name in lacking]
    faults += [fault for name in written if name in sent for fault in _wrong(settings, name, card)]
    faults += _twice(settings, unused & card.params & written.keys(), card)
    if not faults:
        faults += _too_large(settings, sent, card)
    return sent, faults


def _unused(settings: MergedSettings, card: Card) -> frozenset[str]:
    """Of the two ways to ask for a size that a model has, the one that is not used.

    The later layer decides; pixels do where none names a size.
    """
    if not (_PIXELS & card.params and _SHAPE & card.params):
        return frozenset()
    pixels, shape = (
        max((settings.ranks[name] for name in way if name in settings.ranks), default=-1)
        for way in (_PIXELS, _SHAPE)
    )
    return _PIXELS if shape > pixels else _SHAPE


def _twice(settings: MergedSettings, unused: frozenset[str], card: Card) -> Iterator[Fault]:
    """The fault of a size that one layer asks for in both ways."""
    used = _SHAPE if unused & _PIXELS else _PIXELS
    ranks = settings.ranks
    for name in sorted(unused):
        other = next((each for each in sorted(used) if ranks.get(each) == ranks[name]), None)
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
    """The format of a master whose settings name none."""
    return DEFAULT_FORMAT if DEFAULT_FORMAT in card.formats else card.formats[0]


def _lacking(settings: MergedSettings, name: str, card: Card, capabilities: Capabilities) -> Fault:
    every = (other for cards in capabilities.cards.values() for other in cards.values())
    models = {other.model for other in every if name in other.params}
    near = nearest(name, card.params)
    hint = f"did you mean `{near}`?" if near else None
    if models:
        hint = "models that have it: " + ", ".join(f"`{model}`" for model in sorted(models))
    message = f"model `{card.model}` has no `{name}`"
    return Fault(settings.key(name), message, hint=hint, name=True)


def _wrong(settings: MergedSettings, name: str, card: Card) -> Iterator[Fault]:
    """The faults of one value, by the model's card."""
    key, value = settings.key(name), settings.get(name)
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
