"""IPTC's digital source type: a mark in a file's XMP that says where the picture comes from.

It is machine-readable, as article 50 of the EU AI Act asks for. The terms are those of
https://cv.iptc.org/newscodes/digitalsourcetype.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from flux2build.images.provenance import c2pa


class SourceType(StrEnum):
    """The terms for pictures that no person photographed or drew."""

    TRAINED = "trainedAlgorithmicMedia"
    """Made by a generative model."""
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    """Composed of such a picture and others."""
    ALGORITHMIC = "algorithmicMedia"
    """Made by a program that was not trained on anything."""


TERMS: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
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
_TERM: Final = rb"DigitalSourceType[^<]{0,200}?digitalsourcetype/([A-Za-z]{1,60})"


def packet(source_type: str) -> bytes:
    """The XMP packet that marks a picture; the same term always gives the same bytes."""
    return _PACKET.format(TERMS + source_type).encode()


def source_type(data: bytes) -> str:
    """The term in a file's XMP, else in its C2PA manifest; empty when there is none.

    It may be an attribute or an element, with any prefix: the namespace is not
    looked at. Never raises, whatever the bytes.
    """
    from flux2build.images.formats import lookup

    term = re.search(_TERM, lookup.xmp(data))
    return term[1].decode("ascii") if term else c2pa.source_type(data)
