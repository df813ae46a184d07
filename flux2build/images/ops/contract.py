"""The contract of an operation: pixels in, pixels out, nothing else.

A member is a module of `flux2build/images/ops/` that ends in `OP: Final[type[Op]] = …`, a pydantic
model of the operation's parameters. A field of type `Picture` or `File` names an input of the
recipe, whose bytes are handed to `apply`. An operation overrides the methods that describe it where
their defaults are wrong.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, ClassVar, Final, NamedTuple

from msgspec import Struct

from flux2build.errors import SpecError
from flux2build.images.geometry import Anchor, Size
from flux2build.tables.marks import After
from flux2build.tables.table import Field, Table

if TYPE_CHECKING:
    from PIL import Image


_MODEL: Final = r"[A-Za-z0-9][A-Za-z0-9._-]*"
Inputs = Sequence[bytes]
"""The bytes of a recipe's inputs."""
Scale = tuple[float, float]
"""By how much a picture is scaled, across and down."""


class InputMark(Struct, frozen=True):
    """Marks the field of an operation whose value the spec replaces by the index of an input."""

    picture: bool
    """Whether the outcome shows the input, which makes it a composite; a font is only used."""


class Params(Table):
    """A table of the spec whose keys and types are exactly these."""


class AssetInput(Params):
    """Another asset's master, in a field of an operation: `{ asset = "logo" }`."""

    asset: str = Field(description="name of an asset, or of a family's member")


class FamilyInput(Params):
    """All members of a family, in a list of pictures: `{ family = "icon" }`."""

    family: str = Field(description="name of a family, whose members come in their order")


class InputIndex(Params):
    """What a `Picture` or `File` field holds inside a recipe: the index of an input."""

    input: int


File = Annotated[str | InputIndex, InputMark(picture=False), Field(description="path of a file")]
Picture = Annotated[
    str | AssetInput | InputIndex,
    InputMark(picture=True),
    Field(description='path of a picture, or `{ asset = "name" }`'),
]

Pictures = Annotated[
    str | AssetInput | FamilyInput | InputIndex,
    InputMark(picture=True),
    Field(description='path of a picture, `{ asset = "name" }`, or `{ family = "name" }`'),
]
"""What a list of pictures holds: in a recipe, a family stands there as each of its members."""


class Pivot(Struct, frozen=True):
    """A point of a cell: its anchor, moved inwards by `inset` pixels from the edges."""

    anchor: Anchor
    inset: int = 0


class AtlasLayout(Struct, frozen=True):
    """How an operation lays frames out: in rows, from the top left, in equal cells."""

    inputs: tuple[int, ...]
    """The inputs of the recipe that the frames come from, in reading order."""
    frames: int
    """How many frames each of them has."""
    columns: int
    """Cells in a row."""
    padding: int
    """Pixels between and around cells."""
    pivot: Anchor
    """The point of each frame that lies on that of its cell."""


class Lettered(NamedTuple):
    """A rectangle in pixels with letters in it, and the name of the operation that sets them."""

    left: float
    top: float
    right: float
    bottom: float
    op: str


class Canvas(Struct, frozen=True):
    """What is known of a picture before it is made: its size, and where letters lie on it."""

    size: Size
    letters: tuple[Lettered, ...] = ()

    def moved(self, size: Size, by: tuple[float, float], scale: Scale = (1, 1)) -> Canvas:
        """The canvas of another size on which the picture lies scaled, then moved.

        Raises:
            SpecError: letters would lie outside it.
        """
        letters = tuple(
            Lettered(
                left * scale[0] + by[0],
                top * scale[1] + by[1],
                right * scale[0] + by[0],
                bottom * scale[1] + by[1],
                op,
            )
            for left, top, right, bottom, op in self.letters
        )
        for left, top, right, bottom, op in letters:
            if min(left, top, size[0] - right, size[1] - bottom) <= -1:
                raise SpecError(
                    f"letters would be cut off in {size[0]}x{size[1]} pixels",
                    rows=(("letters", f"from {left:.0f},{top:.0f} to {right:.0f},{bottom:.0f}"),),
                    hint=f"put `{op}` behind what cuts; what stands in `finish` instead of `ops` "
                    "comes after `widths` and presets",
                )
        return Canvas(size, letters)


class Letters(Struct, frozen=True):
    """The letters that an operation sets, and what lies under them."""

    mask: Image.Image
    """Where they are, as an `L` picture."""
    ground: Image.Image
    """What lies under them, as an `RGBA` picture of the same size."""
    color: str
    """Their colour, `#rrggbb` or `#rrggbbaa`."""
    size: int
    """Their size in pixels."""


class Op(Params):
    """One operation on pictures, with its parameters as fields.

    It is pure: no clock, disk, network or randomness.
    """

    name: ClassVar[str]
    """Its name in the spec: `op = "crop"`."""
    version: ClassVar[int] = 1
    """Raised whenever the same parameters would give other pixels."""
    synonyms: ClassVar[tuple[str, ...]] = ()
    """Its names in other programs; a spec that uses one gets a hint."""
    keeps_cells: ClassVar[bool] = False
    """Whether the cells of an atlas lie afterwards where they lay before."""
    spread: ClassVar[str | None] = None
    """A parameter that may be left out, to make one file for each of its values."""
    key_colour: ClassVar[str | None] = None
    """The parameter with the colour that becomes transparent."""
    board_by: ClassVar[str | None] = None
    """A parameter whose presence says that the pictures are boards of frames."""
    sets_words: ClassVar[bool] = False
    """Whether the operation puts letters on the picture, which `letters` describes."""
    discloses: ClassVar[bool] = False
    """Whether people see afterwards that the picture was generated."""
    extra: ClassVar[str] = ""
    """The extra of flux2build that installs its libraries; empty where the core does."""

    @classmethod
    def installed(cls) -> bool:
        """Whether its libraries are there."""
        return True

    def spread_values(self) -> int:
        """How many values the parameter `spread` has; they count from 0."""
        return 0

    def sides(self) -> Mapping[str, int]:
        """The `width` and `height` in pixels that any picture has afterwards, where certain."""
        return {}

    def layout(self) -> AtlasLayout | None:
        """How the frames of an atlas lie, if the operation makes one."""
        return None

    def figure_point(self) -> Pivot | None:
        """The point of each cell on which the operation places the figure in it, if it does."""
        return None

    def foreseen(self, canvas: Canvas | None, inputs: Inputs) -> Canvas | None:
        """The size and the letters of the picture after the operation; None where they are unknown.

        Unless overridden, the operation is taken to leave size and letters where they are.
        Pictures among the inputs are empty; files, such as fonts, have their bytes.

        Raises:
            Flux2BuildError: the operation cannot be done on any picture of this size.
        """
        del inputs
        return canvas

    def letters(self, image: Image.Image, inputs: Inputs) -> Letters | None:
        """The letters that the operation would set on a picture; None unless it sets words.

        Raises:
            Flux2BuildError: the operation cannot be done on this picture.
        """
        del image, inputs
        return None

    @abstractmethod
    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """The picture after the operation; `inputs` are the recipe's, input 0 the master.

        Raises:
            Flux2BuildError: the operation cannot be done on this picture.
        """


class Weights(Params):
    """What `model` holds inside a recipe: the name of a model, and the digest of its weights."""

    name: str
    sha256: str


def _model_name(value: str) -> str:
    if not re.fullmatch(_MODEL, value):
        raise ValueError(f"`{value}` is not the name of a model: letters, digits, `.`, `_` and `-`")
    return value


Model = Annotated[str, After(_model_name)] | Weights
"""A model: its name in a spec, its name and its weights in a recipe."""


class NetworkOp(Op):
    """An operation by a neural network, whose weights lie on this machine.

    The network runs in a process of its own. The weights belong to the user or to a package; a spec
    only names them.
    """

    library: ClassVar[str]
    """The module that runs its networks, which its extra installs; only its own files need it."""

    model: Model

    @classmethod
    def installed(cls) -> bool:
        """Whether the library is there, without importing it."""
        return find_spec(cls.library) is not None

    def apply(self, image: Image.Image, inputs: Inputs) -> Image.Image:
        """Refuse: the picture cannot be made without its network."""
        raise NotImplementedError(self.name)

    def parts(self, image: Image.Image) -> int:
        """How many times it calls its network for a picture: once, unless it works in tiles."""
        del image
        return 1

    def sketched(self, image: Image.Image) -> Image.Image:
        """The sketch after the operation, made without a network; unchanged by default."""
        return image

    @abstractmethod
    def drawn(self, image: Image.Image, network: Network) -> Image.Image:
        """The picture after the operation.

        Raises:
            Flux2BuildError: the network cannot do it.
        """


Network = Callable[["Image.Image"], "Image.Image"]
"""A neural network: it takes a picture without alpha and returns another one."""
Networks = Callable[[NetworkOp, "Image.Image"], "Image.Image"]
"""Does an operation with the network of its model; raises `Flux2BuildError` where it cannot."""
