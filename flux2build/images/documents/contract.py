"""The contract of a document: facts about files in, a text out, nothing else.

A member is a module of `flux2build/images/documents/` that ends in
`DOCUMENT: Final[Document] = …`. Its text follows from the facts alone, so that
planning knows whether it is current without writing it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol

from msgspec import Struct

from flux2build.errors import SpecError
from flux2build.model import About, Output, Write
from flux2build.tables.marks import After
from flux2build.tables.table import Table


class Fact(Struct, frozen=True):
    """All that a document may use of one file: what the spec says of it, and its bytes' facts."""

    about: About
    output: Output


Read = Callable[[Fact], bytes]
"""The bytes of a file, for facts that only its pixels have; every call reads the file."""


def _joined(base: str) -> str:
    """The base as a prefix of paths: a folder's name gets its `/`; `…?file=` and `…/img-` stay.

    Raises:
        ValueError: paths after it would not lead to files.
    """
    base = base.strip()
    query = base.partition("?")[2]
    if "#" in base or (query and not query.endswith(("=", "/"))):
        raise ValueError(
            f"paths go after `{base}`, where no file would be found; leave out what begins with "
            f"`{'#' if '#' in base else '?'}`"
        )
    folder = base[-1:].isalnum() and not {"?", "#"} & set(base)
    return f"{base}/" if folder else base


Base = Annotated[str, After(_joined)]
"""A prefix that turns paths into addresses."""


class DocumentOptions(Table):
    """Options of a document, as written in the spec beside its path."""


class Document(Protocol):
    """One kind of document. It is pure: no clock, disk, network or randomness."""

    name: str
    """Its name in the spec: `document = "frames"`."""
    version: int = 1
    """Raised whenever the same facts would give another text."""
    endings: tuple[str, ...] = (".json",)
    """The endings that its path may have."""
    options: type[DocumentOptions] = DocumentOptions
    """The model of its options."""

    def refuse(self, files: Sequence[About], options: Any) -> None:  # noqa: ARG002 - a default
        """Refuse files that `write` cannot describe, before they exist; most documents take any.

        Raises:
            SpecError: there is no such document about these files.
        """
        return

    def write(self, facts: Sequence[Fact], options: Any, read: Read) -> str:
        """The text, the same on every machine; the facts are in the order of the spec.

        Raises:
            Flux2BuildError: there is no such document about these facts.
        """


def compose(
    task: Write, facts: Sequence[Fact], documents: Mapping[str, Document], read: Read
) -> bytes:
    """The bytes of a document.

    Raises:
        SpecError: it is unknown, or of another version than the one that was planned.
    """
    document = documents.get(task.document)
    if document is None or document.version != task.version:
        here = f"version {document.version}" if document else "none"
        raise SpecError(
            f"document `{task.document}` is not the one that was planned",
            rows=(("planned", f"version {task.version}"), ("here", here)),
            hint="plan again with this flux2build",
        )
    options = document.options.model_validate(dict(task.options))
    return document.write(facts, options, read).encode()
