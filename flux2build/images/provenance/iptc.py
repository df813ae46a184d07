"""What a picture's file says about where the picture comes from: IPTC's mark, in XMP.

A machine can read it, as the EU AI Act's article 50 asks for. The terms are those of
https://cv.iptc.org/newscodes/digitalsourcetype.
"""

from __future__ import annotations

import re
import zlib
from enum import StrEnum
from typing import Final

from flux2build.images.container import parts, sniff
from flux2build.images.provenance import c2pa


class SourceType(StrEnum):
    """The terms for pictures that were not taken or drawn by a person."""

    TRAINED = "trainedAlgorithmicMedia"
    """Made by a generative model."""
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    """Such a picture together with others."""
    ALGORITHMIC = "algorithmicMedia"
    """Made by a program that was not trained on anything."""


PNG_KEYWORD: Final = "XML:com.adobe.xmp"

TERMS: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_JPEG_XMP: Final = b"http://ns.adobe.com/xap/1.0/\x00"
_MOST_XMP: Final = 1 << 20
_PACKET: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' Iptc4xmpExt:DigitalSourceType="{}"/>'
    "</rdf:RDF></x:xmpmeta>"
    '<?xpacket end="r"?>'
)
_TERM: Final = re.compile(rb"DigitalSourceType[^<]{0,200}?digitalsourcetype/([A-Za-z]{1,60})")


def packet(source_type: str) -> bytes:
    """The XMP that marks a picture; the same term always gives the same bytes."""
    return _PACKET.format(TERMS + source_type).encode()


def source_type(data: bytes) -> str:
    """The term that a picture's file is marked with, in XMP or in a C2PA manifest; empty for none.

    Written as an attribute or as an element, in any prefix: the namespace is not
    looked at. Never raises, whatever the bytes.
    """
    found = _TERM.search(xmp(data))
    return found[1].decode("ascii") if found else c2pa.source_type(data)


def xmp(data: bytes) -> bytes:
    """The XMP packet of a picture's file; empty where there is none."""
    match sniff(data):
        case "png":
            texts = (_png_text(content) for kind, content in parts(data) if kind == b"iTXt")
            return next(filter(None, texts), b"")
        case "jpeg":
            marked = (content for kind, content in parts(data) if kind == b"\xe1")
            return next((c[len(_JPEG_XMP) :] for c in marked if c.startswith(_JPEG_XMP)), b"")
        case "webp":
            return next((content for kind, content in parts(data) if kind == b"XMP "), b"")
        case "avif" | "ico":
            # The packet lies somewhere among the pixels' bytes; its wrapper is made to be scanned for.
            start = data.find(b"<?xpacket begin")
            end = data.find(b"<?xpacket end", start)
            return data[start:end] if 0 <= start < end else b""
        case _:
            return b""


def _png_text(chunk: bytes) -> bytes:
    """The text of an `iTXt` chunk, if it is XMP."""
    keyword, _, rest = chunk.partition(b"\x00")
    if keyword.decode("latin-1") != PNG_KEYWORD or len(rest) < 2:
        return b""
    text = rest[2:].split(b"\x00", 2)[-1]
    if not rest[0]:
        return text
    try:
        return zlib.decompressobj().decompress(text, _MOST_XMP)
    except zlib.error:
        return b""
