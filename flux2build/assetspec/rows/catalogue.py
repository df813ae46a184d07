"""Records from a gettext catalogue: one for each message."""

from __future__ import annotations

from flux2build.assetspec.rows.data_file import DataFile
from flux2build.errors import SpecError


def of_messages(source: DataFile) -> None:
    """Read the messages of a `.po` file, without obsolete ones; a plural's `msgstr` is a list."""
    from flux2build.assetspec.translations import gettext

    try:
        strings = gettext.read(source.file, source.text)
    except SpecError as error:
        source.records.problems.extend(error.problems)
        return
    source.records.columns |= {"msgid", "msgctxt", "msgstr", "fuzzy"}
    for (msgid, context), message in strings.messages.items():
        forms = [form for form in message.forms if form]
        text = forms if len(message.forms) > 1 else "".join(forms)
        cells = {"msgid": msgid, "msgctxt": context, "msgstr": text, "fuzzy": message.fuzzy}
        filled = {name: cell for name, cell in cells.items() if cell not in (None, "", [])}
        source.add(message.place.line, filled)
