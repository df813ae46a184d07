"""The open weights of this machine: their paths, and their names in orders."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from flux2build.assetspec.faults import FaultyError
from flux2build.assetspec.validation_errors import validated
from flux2build.digest import Digest
from flux2build.errors import Problem, SystemFault, UsageError, did_you_mean
from flux2build.model import Generate
from flux2build.providers.capabilities import Card
from flux2build.providers.local import PROVIDER
from flux2build.purchasing.weights import folder
from flux2build.purchasing.weights.folder import WeightsFolder
from flux2build.purchasing.weights.request import Model
from flux2build.storage import regular
from flux2build.storage.disk import home
from flux2build.storage.index import Index
from flux2build.storage.toml_file import TomlFile
from flux2build.tables.table import Field, Table, rule

Dtype = Literal["auto", "bfloat16", "float16", "float32"]
Offload = Literal["none", "model", "sequential"]

_DIGEST: Final = rb"@sha256:[0-9a-f]{64}"
_LORA: Final = rb'"file":%b,"scale":[^,]+,"sha256":"(sha256:[0-9a-f]{64})"'


class ModelTable(Table):
    """`[local.models.NAME]`: where a model's weights lie, and how they are used."""

    path: str | None = None
    """None where only the workers of a cluster have them."""
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    """The digest of the only weights that are meant."""
    dtype: Dtype | None = None
    offload: Offload | None = None

    @rule
    def _has_a_place(self) -> None:
        if self.path is None and self.digest is None:
            raise ValueError("`path` is missing; or `digest`, if only a cluster has the weights")


class LoraTable(Table):
    """`[local.loras.NAME]`: where a LoRA lies."""

    path: str


class UpscaleTable(Table):
    """`[local.upscale.NAME]`: where a network of ncnn lies that makes pictures larger."""

    path: str = Field(pattern=r"\.param$")


Channels = Annotated[list[float], Field(min_length=3, max_length=3)]


class CutoutTable(Table):
    """`[local.cutout.NAME]`: where a matting model lies, and which colours it expects."""

    path: str = Field(pattern=r"\.onnx$")
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    """The digest of the only file that is meant."""
    size: int = Field(default=1024, ge=16, le=4096)
    """The sides of what it sees, if the file leaves them open."""
    mean: Channels = Field(default=[0.485, 0.456, 0.406])
    std: Channels = Field(default=[0.229, 0.224, 0.225])


class LocalTable(Table):
    """`[local]` of the user's configuration."""

    devices: list[str] = Field(default=["auto"], min_length=1)
    """One worker for each: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    dtype: Dtype = "auto"
    offload: Offload = "none"
    resource: str = Field(default="GPU", pattern=r"^\S*$")
    """What a worker of a cluster must have a unit of to render; empty if anyone may."""
    models: dict[str, ModelTable] = Field(default={})
    loras: dict[str, LoraTable] = Field(default={})
    upscale: dict[str, UpscaleTable] = Field(default={})
    cutout: dict[str, CutoutTable] = Field(default={})


def _home() -> Path:
    """The folder of the stat cache of weights."""
    return home() / "weights"


@dataclass(frozen=True, eq=False)
class LocalModels(Mapping[str, Card]):
    """The cards of the models of `provider = "local"`, by name."""

    config: Mapping[str, Any] = field(default_factory=dict)
    """`[local]` as the user wrote it."""
    written: TomlFile = field(default_factory=lambda: TomlFile("", ""))
    """The user's configuration file."""
    lock: Path | None = None
    """The lock, which names the weights that are not on this machine."""

    @cached_property
    def table(self) -> LocalTable:
        """The user's configuration, validated.

        Raises:
            UsageError: with a problem for each value that is wrong.
        """
        try:
            return validated(LocalTable, self.config, ("local",))
        except FaultyError as error:
            raise UsageError(
                *(
                    self.written.located(
                        Problem(f"`{'.'.join(map(str, f.key))}`: {f.message}", hint=f.hint),
                        f.key,
                        name=f.name,
                    )
                    for f in error.faults
                )
            ) from None

    def of(self, provider: str) -> Mapping[str, Card] | None:
        """These models, for the provider that they belong to."""
        return self if provider == PROVIDER.name else None

    def __getitem__(self, name: str) -> Card:
        """The card of a model; it is a guess for unusable weights, which only `model` refuses."""
        if name not in self.table.models:
            return PROVIDER.cards[name]
        try:
            return self._card(name)
        except SystemFault:
            return PROVIDER.cards.get(name, PROVIDER.cards[PROVIDER.default_model])

    def __iter__(self) -> Iterator[str]:
        """The names of all known and configured models."""
        return iter(sorted({*PROVIDER.cards, *self.table.models}))

    def __len__(self) -> int:
        """The number of models."""
        return len(list(iter(self)))

    @cached_property
    def index(self) -> Index:
        """The stat cache of weights, which all projects of this machine share."""
        return Index.load(str(_home()))

    def folder(self, name: str) -> WeightsFolder:
        """The weights of a configured model.

        Raises:
            SystemFault: they cannot be used.
        """
        return folder.opened(self._place(name))

    def path(self, table: LoraTable | UpscaleTable | CutoutTable) -> Path:
        """The path of a table's weights, relative to the folder of the configuration."""
        return self._path(table.path)

    def _path(self, written: str) -> Path:
        # `Path.expanduser` raises another error if no user has the name behind `~`.
        path = os.path.expanduser(written)  # noqa: PTH111 - see above
        return Path(self.written.name).parent / path

    def _place(self, name: str) -> Path:
        """The path of a model's weights.

        Raises:
            SystemFault: they are not on this machine.
        """
        table = self.table.models.get(name)
        if table is None or table.path is None:
            can_be_fetched = name in PROVIDER.repositories
            fetch = f"`flux2build models fetch {name}`, then " if can_be_fetched else ""
            raise SystemFault(
                f"the weights of `{name}` are not on this machine",
                hint=f'{fetch}add `[local.models.{name}]` with `path = "FOLDER"` to `{self.written.name}`',
            )
        return self._path(table.path)

    def _card(self, name: str) -> Card:
        weights = self.folder(name)
        card = PROVIDER.card(name, weights.pipeline, distilled=weights.distilled)
        if card is None:
            raise SystemFault(
                f"`{weights.path}` has a `{weights.pipeline}`, which `local` cannot render with",
                hint="known: `Flux2Pipeline`, `Flux2KleinPipeline`",
            )
        return card

    def ordered_as(self, name: str) -> str:
        """The name of a model in orders, with the digest of its weights.

        If the weights are missing on this machine, or unusable, the digest is that of the lock:
        locked pictures can be checked and restored everywhere, and only rendering needs weights.
        """
        if name not in self._names:
            self._names[name] = self._named(name)
        return self._names[name]

    @cached_property
    def _names(self) -> dict[str, str]:
        return {}

    def _named(self, name: str) -> str:
        if (own := self.table.models.get(name)) is None:
            return self._locked(name)
        with suppress(SystemFault):
            return f"{PROVIDER.name}/{name}@{self.digest(name)}"
        return f"{PROVIDER.name}/{name}@{own.digest}" if own.digest else self._locked(name)

    def digest(self, name: str) -> Digest:
        """The digest of a configured model's weights.

        Raises:
            SystemFault: they cannot be used.
        """
        place = self._place(name)
        self.index.state(str(place))  # once it is there, a clean tree is judged again
        self._card(name)
        digest = self.folder(name).digest(self.index)
        self.save()
        if self.table.models[name].digest not in {None, digest}:
            raise SystemFault(
                f"the weights of `{name}` are others than `digest` says",
                rows=(("folder", str(place)), ("digest", digest)),
                hint=f"change `digest` in `[local.models.{name}]` of `{self.written.name}`",
            )
        return digest

    def save(self) -> None:
        """Write the stat cache of weights if possible."""
        with suppress(OSError):
            _home().mkdir(parents=True, exist_ok=True)
        self.index.save()

    def lora(self, name: str) -> str:
        """The digest of a LoRA, from its file or else from the lock; empty if unknown."""
        if name in self.table.loras:
            digest = self.index.digest(str(self.path(self.table.loras[name])))
            self.save()
            if digest is not None:
                return digest
        pattern = _LORA % re.escape(json.dumps(name).encode())
        digests = Counter(re.findall(pattern, self.lock_bytes))
        return max(digests, key=lambda each: (digests[each], each)).decode() if digests else ""

    def lora_path(self, name: str) -> str:
        """The file of a LoRA.

        Raises:
            SystemFault: it is not on this machine, or not a safetensors file.
        """
        if name not in self.table.loras:
            suggestion = did_you_mean(name, self.table.loras) if self.table.loras else None
            add = f'add `[local.loras.{name}]` with `path = "FILE"` to `{self.written.name}`'
            raise SystemFault(f"the LoRA `{name}` is not on this machine", hint=suggestion or add)
        path = self.path(self.table.loras[name])
        if path.suffix != ".safetensors" or not path.is_file():
            raise SystemFault(
                f"the LoRA `{name}` cannot be used: `{path}` is not a safetensors file"
            )
        return str(path)

    def missing(self, task: Generate) -> list[str]:
        """The parts that this machine lacks to render a picture, with what to do about them.

        Weights that the user says are on other machines are not missing.
        """
        loras: Any = task.params.get("loras", ())
        key = task.card, *(lora["file"] for lora in loras)
        if key not in self._missing:
            self._missing[key] = [*self._lacking(*key)]
        return self._missing[key]

    @cached_property
    def _missing(self) -> dict[tuple[str, ...], list[str]]:
        return {}

    def _lacking(self, name: str, *loras: str) -> Iterator[str]:
        own = self.table.models.get(name)
        if own is not None and own.path is None:
            return
        try:
            self.model(name)
            for lora in loras:
                self.lora_path(lora)
        except SystemFault as error:
            yield said(error)

    def _locked(self, name: str) -> str:
        bare = f"{PROVIDER.name}/{name}"
        digests = Counter(re.findall(re.escape(bare).encode() + _DIGEST, self.lock_bytes))
        return max(digests, key=lambda each: (digests[each], each)).decode() if digests else bare

    @cached_property
    def lock_bytes(self) -> bytes:
        """The bytes of the lock, even of a broken one, whose faults are found when it is parsed."""
        with suppress(OSError):
            return regular.read(self.lock) if self.lock else b""
        return b""

    def model(self, name: str) -> Model:
        """A model as a worker loads it.

        Raises:
            SystemFault: its weights are not on this machine, or cannot be used.
        """
        table, weights = self.table, self.folder(name)
        own = table.models[name]
        self.digest(name)
        return Model(
            folder=str(weights.path),
            pipeline=weights.pipeline,
            dtype=own.dtype or table.dtype,
            offload=own.offload or table.offload,
            ordered_as=self.ordered_as(name),
        )


def said(error: SystemFault) -> str:
    """An error in a line."""
    problem = error.problems[0]
    return "; ".join(filter(None, (problem.message, problem.hint)))
