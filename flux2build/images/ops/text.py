"""`text`: set words in a real font, exactly, in a box that they never leave."""

from __future__ import annotations

from typing import Final

from PIL import Image

from flux2build.images import lettering
from flux2build.images.ops.contract import Canvas, Inputs, Letters, Op
from flux2build.images.ops.words.params import TextParams


class SetText(TextParams, Op):
    """Words in a real font: wrapped, shrunk to fit, shaped in every script, right to left too."""

    name = "text"
    sets_words = True
    extra = lettering.EXTRA

    @classmethod
    def installed(cls) -> bool:
        """Whether HarfBuzz and ICU are there."""
        return lettering.installed()

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The same canvas with the letters on it, once they are laid out."""
        from flux2build.images.ops.words.drawing import foreseen

        return foreseen(canvas, self, inputs, self.name)

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """The picture with the words on it."""
        from flux2build.images.ops.words.drawing import lettered

        return lettered(image, self, inputs)

    def letters(self, image: Image.Image, inputs: Inputs) -> Letters:
        """The words, and what lies under them."""
        from flux2build.images.ops.words.drawing import letters

        return letters(image, self, inputs)


OP: Final[type[Op]] = SetText
