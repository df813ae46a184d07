"""How close `upscale` comes to a photograph that was made smaller: PSNR, beside Lanczos.

    python benchmarks/upscale.py                # 128 by 128 pixels of each photograph, 2 and 4 times
    python benchmarks/upscale.py --side 64 --scales 2 --models art
    python benchmarks/upscale.py --pictures FOLDER --keep FOLDER

The photographs are those that scikit-image ships (`pip install scikit-image`), or yours; without
any, a scene is made. They are made smaller by averaging and by Lanczos, as cameras and tools do, and
written as JPEG in a third way, as pictures from the web are. It needs the extra `upscale`.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import math
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from table import machine, markdown

from flux2build.building.networks.process import NetworkProcess
from flux2build.images.ops.contract import Weights
from flux2build.images.ops.upscale import Upscale
from flux2build.session.image_models import ImageModels
from flux2build.session.local_models import LocalModels

PHOTOGRAPHS = {
    "astronaut": (170, 60),
    "chelsea": (110, 60),
    "coffee": (180, 120),
    "rocket": (260, 150),
}
"""The photographs of scikit-image, and where the part that is used begins."""
SMALLER = {"averaged": Image.Resampling.BOX, "Lanczos": Image.Resampling.LANCZOS}
JPEG = "Lanczos, JPEG 75"


def photographs(folder: Path | None, side: int) -> Iterator[tuple[str, Image.Image]]:
    """Parts of photographs, by name."""
    found = importlib.util.find_spec("skimage")
    if folder is None and found is not None and found.origin is not None:
        for name, (left, top) in PHOTOGRAPHS.items():
            path = next(Path(found.origin).parent.joinpath("data").glob(f"{name}.*"))
            with Image.open(path) as image:
                yield name, image.convert("RGB").crop((left, top, left + side, top + side))
    elif folder is None:
        scene = Image.effect_mandelbrot((side, side), (-2, -1.5, 1, 1.5), 100).convert("RGB")
        yield "a made scene", scene
    else:
        for path in sorted(folder.iterdir()):
            with Image.open(path) as image:
                yield path.stem, image.convert("RGB").crop((0, 0, side, side))


def smaller(image: Image.Image, scale: int, way: str) -> Image.Image:
    """The picture at a part of its size."""
    size = image.width // scale, image.height // scale
    small = image.resize(size, SMALLER.get(way, Image.Resampling.LANCZOS))
    if way != JPEG:
        return small
    target = io.BytesIO()
    small.save(target, "jpeg", quality=75)
    return Image.open(target).convert("RGB")


def psnr(image: Image.Image, wanted: Image.Image) -> float:
    """How like the original it is, in decibels."""
    squares = ImageStat.Stat(ImageChops.difference(image, wanted)).rms
    error = math.sqrt(sum(value**2 for value in squares) / len(squares))
    return 20 * math.log10(255 / error) if error else math.inf


def main() -> None:
    """Print a table of decibels."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--side", type=int, default=128)
    words.add_argument("--scales", type=int, nargs="*", default=[2, 4])
    words.add_argument("--models", nargs="*", default=["art", "photo"])
    words.add_argument("--pictures", type=Path)
    words.add_argument("--keep", type=Path, help="where to write what was made")
    asked = words.parse_args()
    models = ImageModels(LocalModels())
    process = NetworkProcess(models.opened, lambda: False)
    print(machine(), flush=True)
    rows: list[list[str]] = []
    seconds = dict.fromkeys(asked.models, 0.0)
    pixels = 0
    for name, image in photographs(asked.pictures, asked.side):
        for scale in asked.scales:
            for way in (*SMALLER, JPEG):
                small = smaller(image, scale, way)
                wanted = image.crop((0, 0, small.width * scale, small.height * scale))
                made = {"Lanczos": small.resize(wanted.size, Image.Resampling.LANCZOS)}
                pixels += small.width * small.height
                for model in asked.models:
                    weights = Weights(name=model, sha256=models.digest("upscale", model))
                    before = time.perf_counter()
                    op = Upscale(model=weights, scale=scale)
                    made[model] = process.draw(op, small)
                    seconds[model] += time.perf_counter() - before
                figures = [f"{psnr(each, wanted):.1f}" for each in made.values()]
                rows.append([f"{name}, {scale} x, {way}", *figures])
                for title, each in made.items() if asked.keep else ():
                    each.save(asked.keep / f"{name}-{scale}-{way[:8]}-{title}.png")
    process.close()
    print(*markdown(["PSNR in dB", "Lanczos", *asked.models], rows), sep="\n")
    for model, took in seconds.items():
        print(f"{model}: {took / pixels * 1000:.2f} s for 1,000 pixels of the smaller pictures")


if __name__ == "__main__":
    main()
