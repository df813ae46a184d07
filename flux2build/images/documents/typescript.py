"""`typescript`: every picture of a site, as a typed module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from flux2build.images.documents.contract import Document, Fact, Read
from flux2build.images.documents.srcset import SiteOptions, site_assets

_HEAD: Final = """\
// Written by flux2build from assets.toml.

export interface Source {
  readonly type: string;
  readonly srcset: string;
}

export interface Picture {
  readonly src: string;
  readonly width: number;
  readonly height: number;
  readonly sizes: string;
  readonly sources: readonly Source[];
  readonly color?: string;
}

export interface AssetFile {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly format: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly role?: string;
}

export interface Asset {
  readonly alt: string | null;
  readonly title: string | null;
  readonly tags: readonly string[];
  readonly axes: Readonly<Record<string, string>>;
  readonly pictures: readonly Picture[];
  readonly files: readonly AssetFile[];
}

export const assets = """

_TAIL: Final = """ as const satisfies Readonly<Record<string, Asset>>;

export type AssetName = keyof typeof assets;
"""

_LINES: Final = {0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Line separators that JSON allows in a text, and that older JavaScript does not."""


class TypeScript(Document):
    """The manifest as constants, whose names and types the compiler checks."""

    name = "typescript"
    endings = (".ts",)
    options = SiteOptions

    def write(self, facts: Sequence[Fact], options: SiteOptions, read: Read) -> str:
        """A module with `assets`, the types of what is in it, and `AssetName`."""
        value = json.dumps(site_assets(facts, options, read), indent=2, ensure_ascii=False)
        return _HEAD + value.translate(_LINES) + _TAIL


DOCUMENT: Final[Document] = TypeScript()
