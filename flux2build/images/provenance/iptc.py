"""What a picture's file says about where the picture comes from: IPTC's mark, in XMP.

A machine can read it, as the EU AI Act's article 50 asks for. The terms are those of
https://cv.iptc.org/newscodes/digitalsourcetype.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from flux2build.images.formats import lookup
from flux2build.images.provenance import c2pa


class SourceType(StrEnum):
    """The terms for pictures that were not taken or drawn by a person."""

    TRAINED = "trainedAlgorithmicMedia"
    """Made by a generative model."""
    COMPOSITE = "compositeWithTrainedAlgorithmicMedia"
    """Such a picture together with others."""
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
_TERM: Final = re.compile(rb"DigitalSourceType[^<]{0,200}?digitalsourcetype/([A-Za-z]{1,60})")


def packet(source_type: str) -> bytes:
    """The XMP that marks a picture; the same term always gives the same bytes."""
    return _PACKET.format(TERMS + source_type).encode()


def source_type(data: bytes) -> str:
    """The term that a picture's file is marked with, in XMP or in a C2PA manifest; empty for none.

    Written as an attribute or as an element, in any prefix: the namespace is not
    looked at. Never raises, whatever the bytes.
    """
    term = _TERM.search(lookup.xmp(data))
    return term[1].decode("ascii") if term else c2pa.source_type(data)
