"""Describes open weights at Hugging Face, and fetches them when a person asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from flux2build.errors import SystemFault, one_line
from flux2build.extras import pip_install

_WANTED: Final = [
    "model_index.json",
    *(f"*/*.{ending}" for ending in ("safetensors", "json", "jinja", "txt", "model")),
]
"""The files of a pipeline; a repository may also have the same weights in other formats."""


class Offer(Struct, frozen=True):
    """The weights of a model that can be fetched."""

    repository: str
    revision: str
    licence: str
    bytes: int


def offer(repository: str, endpoint: str | None = None) -> Offer:
    """The weights that a repository offers.

    Raises:
        SystemFault: it cannot be asked.
    """
    with _reached(repository):
        from huggingface_hub import HfApi
        from huggingface_hub.utils import filter_repo_objects

        info = HfApi(endpoint=endpoint).model_info(repository, files_metadata=True)
        files = {file.rfilename: file.size or 0 for file in info.siblings or []}
        file_names = filter_repo_objects(files, allow_patterns=_WANTED)
        size = sum(files[name] for name in file_names)
        card = info.card_data or {}
        licence = str(card.get("license_name") or card.get("license") or "not told")
        return Offer(repository, str(info.sha), one_line(licence), size)


def fetch(offered: Offer, folder: Path, endpoint: str | None = None) -> None:
    """Fetch weights into a folder; files that are there already are not fetched again.

    Raises:
        SystemFault: they cannot be fetched, or cannot be written.
    """
    with _reached(offered.repository):
        from huggingface_hub import snapshot_download

        snapshot_download(
            offered.repository,
            revision=offered.revision,
            local_dir=folder,
            allow_patterns=_WANTED,
            endpoint=endpoint,
        )


@contextmanager
def _reached(repository: str) -> Iterator[None]:
    """Turn exceptions of the library into errors for people.

    Raises:
        SystemFault: something went wrong.
    """
    try:
        yield
    except ImportError as error:
        message = f"fetching weights needs an extra: there is no `{error.name}`"
        raise SystemFault(message, hint=f"`{pip_install('local')}`") from error
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        page = f"https://huggingface.co/{repository}"
        agree = f"agree to its licence at {page}, then `hf auth login`"
        raise SystemFault(
            f"`{repository}` cannot be fetched: {one_line(f'{type(error).__name__}: {error}')}",
            hint=agree if status in {401, 403} else None,
        ) from error
