"""Drawing a sketch: a scene that suits the prompt, below its overlays."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from flux2build.providers.sketch.canvas import Box, Canvas
from flux2build.providers.sketch.encoding import encode
from flux2build.providers.sketch.overlays import Caption, Overlay, Stamp, caption, margin, stamp
from flux2build.providers.sketch.palette import of_prompt
from flux2build.providers.sketch.random_source import RandomSource
from flux2build.providers.sketch.scenes import choose
from flux2build.providers.sketch.thumbnails import thumbnails


def picture(  # noqa: PLR0913, PLR0917 - an order, spelt out: five words and its references
    prompt: str,
    width: int,
    height: int,
    format: str,  # noqa: A002 - the word that specs and providers use
    token: str,
    references: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """Draw a sketch as a file; the same arguments always give the same bytes."""
    return encode(draw(prompt, (width, height), token, references), format, prompt)


def draw(
    prompt: str, size: tuple[int, int], token: str, references: Sequence[tuple[str, bytes]] = ()
) -> Image.Image:
    """Draw a sketch: a scene that suits the prompt, below its overlays.

    `token` seeds what the prompt leaves open. References are names with their bytes.
    """
    rng = RandomSource(f"{token}\n{prompt}")
    palette = of_prompt(prompt, rng.fork("palette"))
    card, mark = caption(prompt, *size), stamp(*size)
    canvas = Canvas(*size, _stage(size, card, mark), palette.ground)
    choose(prompt, rng.fork("family"))(canvas, palette, rng.fork("scene"))
    overlays: list[Overlay] = [
        mark,
        *thumbnails(references, *size, mark),
        *([card] if card else []),
    ]
    for overlay in overlays:
        overlay.paint(canvas, palette)
    image = canvas.finish()
    for overlay in overlays:
        overlay.letter(image, palette)
    return image


def _stage(size: tuple[int, int], card: Caption | None, mark: Stamp) -> Box:
    """The part of a picture that its overlays leave free."""
    width, height = size
    edge = margin(width, height)
    if card is None:
        return Box(edge, edge, width - edge, height - edge)
    if card.box.right < width * 0.62 and width > height * 2.2:
        return Box(card.box.right, mark.box.bottom, width - edge, height - edge)
    top = mark.box.bottom if height > width * 1.2 else edge
    return Box(edge, top, width - edge, card.box.top - edge * 0.5)
