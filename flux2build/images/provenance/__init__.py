"""Where a picture comes from: IPTC's term in its XMP, and its C2PA manifest."""
