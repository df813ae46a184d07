"""Where a picture comes from: IPTC's term in its XMP, and the C2PA manifest in its file."""
