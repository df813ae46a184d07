"""Catalogues of gettext: `.po` files, as translators' tools write them."""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Callable, Iterator
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

from flux2build.assetspec.translations.message import Key, Message, Strings
from flux2build.errors import Place, Problem, SpecError

_LINE: Final = re.compile(r'(?:msg[a-z_]+(?:\[\d+\])?\s*)?"(?:[^"\\]|\\.)*"')
"""A line with a text of its own; the reader passes over those with a missing quote."""


def read(file: str, text: str) -> Strings:
    """The messages of a `.po` file; obsolete ones are left out.

    Raises:
        SpecError: it is not one.
    """
    _check(file, text)
    try:
        catalog = read_po(io.StringIO(text), abort_invalid=True)
        form = _form(catalog)
    except PoFileError as fault:
        message = str(fault).rpartition(" on ")[0] or str(fault)
        raise SpecError(_not_po(file, fault.lineno + 1, message)) from None
    except (LookupError, TypeError, ValueError) as fault:
        raise SpecError(_not_po(file, 1, str(fault))) from None
    return Strings(file, dict(_messages(file, catalog)), form)


def _check(file: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if bare.startswith(("msg", '"')) and not _LINE.fullmatch(bare):
            raise SpecError(_not_po(file, number, "a text must stand between double quotes"))


def _not_po(file: str, line: int, why: str) -> Problem:
    message = f"this is not a gettext catalogue: {why[:1].lower() + why[1:]}"
    return Problem(message, Place(file, line), hint="`msgfmt --check` of gettext says more")


def _form(catalog: Catalog) -> Callable[[int], int]:
    last = catalog.num_plurals - 1
    choose = gettext.c2py(catalog.plural_expr)
    return lambda number: max(0, min(last, int(choose(number))))


def _messages(file: str, catalog: Catalog) -> Iterator[tuple[Key, Message]]:
    for message in catalog:
        name = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string or ""
        forms = (said,) if isinstance(said, str) else tuple(said)
        if name:
            place = Place(file, message.lineno or 0)
            yield (name, message.context), Message(forms, place, message.fuzzy)
