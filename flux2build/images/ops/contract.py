"""The contract of an operation: pixels in, pixels out, nothing else.

A member is a module of `flux2build/images/ops/` that ends in `OP: Final[Op] = …`. Its
parameters are a pydantic model; a field of type `Picture` or `File` names an
input of the recipe, whose bytes arrive in `Given.inputs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Protocol, runtime_checkable

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from flux2build.registry import Family


class InputMark:
    """Marks the field of an operation whose value the spec replaces by the index of an input."""


@runtime_checkable
class Spreading(Protocol):
    """Parameters that may leave one out, to say: one file for each of its values."""

    @property
    def each(self) -> tuple[str, int] | None:
        """The parameter that was left out, and how many values it has, from 0; else None."""


class Params(BaseModel):
    """Parameters of an operation, as written in the spec beside `op = "…"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class AssetInput(BaseModel):
    """Another asset's master, in a field of an operation: `{ asset = "logo" }`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
    asset: str = Field(description="name of an asset, or of a family's member")


class InputIndex(BaseModel):
    """What a `Picture` or `File` field holds inside a recipe: the index of an input."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
    input: int


File = Annotated[str | InputIndex, InputMark(), Field(description="path of a file")]
Picture = Annotated[
    str | AssetInput | InputIndex,
    InputMark(),
    Field(description='path of a picture, or `{ asset = "name" }`'),
]


class Op(Protocol):
    """One operation on pictures; pure: no clock, disk, network or randomness."""

    @property
    def name(self) -> str:
        """Its name in the spec: `op = "crop"`."""

    @property
    def version(self) -> int:
        """Raised whenever the same parameters would give other pixels."""

    @property
    def params(self) -> type[Params]:
        """The model of its parameters."""

    def apply(self, image: Image.Image, params: Any, inputs: Sequence[bytes]) -> Image.Image:
        """The picture after the operation; `inputs` are the recipe's, input 0 the master.

        Raises:
            Flux2BuildError: the operation cannot be done on this picture.
        """


OPS: Final = Family[Op]("flux2build.images.ops", "OP", besides=frozenset({"contract", "inputs"}))
