"""`label`: a visible mark in a corner that says that a picture was generated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from msgspec.structs import replace

from flux2build.errors import SpecError
from flux2build.images import lettering
from flux2build.images.colour.notation import Colour
from flux2build.images.geometry import Anchor
from flux2build.images.ops.contract import Canvas, Inputs, Letters, Op
from flux2build.images.ops.words.params import Backdrop, Fonts, Language, Length, TextParams, pixels
from flux2build.tables.marks import After
from flux2build.tables.table import Field

if TYPE_CHECKING:
    from PIL import Image

_SMALLEST: Final = 9
"""Pixels below which nobody reads letters."""
_ANY: Final = (1024, 1024)
"""Any size, for what does not depend on it."""


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


class Label(Op):
    """A visible label, such as `AI-generated`, on a plate in a corner; the check `disclosure` looks for it."""

    name = "label"
    synonyms = ("badge", "disclosure")
    sets_words = True
    discloses = True
    extra = lettering.EXTRA

    text: Annotated[str, After(_said)] = Field(
        default="AI-generated",
        max_length=200,
        description="what it says, in one line; `\"{{ t('label') }}\"`",
    )
    language: Language | None = Field(
        default=None, description='what it is written in, such as `"{{ locale }}"`'
    )
    font: Fonts | None = Field(
        default=None,
        description="path of a font, or several, as of `text`; Noto Sans when not given",
    )
    anchor: Anchor = Field(default="bottom-right", description="the corner or side where it lies")
    margin: Length = Field(
        default="2%", description="to the edges, in pixels or as a share of the shorter side"
    )
    size: Length = Field(
        default="3%",
        description="of the letters, in pixels or as a share of the shorter side; 9 pixels at least",
    )
    color: Colour = Field(default="#ffffff", description="colour of the letters")
    plate: Colour = Field(default="#000000cc", description="colour of the plate behind them")

    @classmethod
    def installed(cls) -> bool:
        """Whether HarfBuzz and ICU are there."""
        return lettering.installed()

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The same canvas with the letters on it, once they are laid out."""
        from flux2build.images.ops.words.drawing import foreseen

        size = canvas.size if canvas else _ANY
        with _fitting():
            return foreseen(canvas, self._words(size), inputs, self.name)

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """The picture with the label on it."""
        from flux2build.images.ops.words.drawing import lettered

        with _fitting():
            return lettered(image, self._words(image.size), inputs)

    def letters(self, image: Image.Image, inputs: Inputs) -> Letters:
        """What the label says, and what lies under it."""
        from flux2build.images.ops.words.drawing import letters

        with _fitting():
            return letters(image, self._words(image.size), inputs)

    def _words(self, size: tuple[int, int]) -> TextParams:
        """The label as words in a box, on a picture of a size."""
        shorter = min(size)
        margin, height = pixels(self.margin, shorter), max(_SMALLEST, pixels(self.size, shorter))
        room = [max(1, side - 2 * margin) for side in size]
        return TextParams(
            text=self.text,
            font=self.font,
            language=self.language,
            box=[margin, margin, *room],
            anchor=self.anchor,
            size=height,
            min_size=_SMALLEST,
            max_lines=1,
            wrap="none",
            color=self.color,
            backdrop=Backdrop(color=self.plate, padding=height // 2, radius=height // 2),
        )


@contextmanager
def _fitting() -> Iterator[None]:
    """Give the error of a label that does not fit a hint of its own: a label has no box."""
    from flux2build.images.ops.words.drawing import MisfitError

    try:
        yield
    except MisfitError as error:
        hint = "shorten its `text`, or leave files out that are too small for a label"
        raise SpecError(*(replace(each, hint=hint) for each in error.problems)) from error


OP: Final[type[Op]] = Label
