"""Without the extra `lettering` a spec that needs it is told so; everything else works."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from flux2build.errors import Exit
from flux2build.extras import pip_install
from tests.conftest import Site

WITHOUT: Final = (
    "import sys; sys.modules['uharfbuzz'] = sys.modules['icu4py'] = None; "
    "from flux2build.cli.entry import main; sys.exit(main(sys.argv[1:]))"
)
"""flux2build as it is installed without the extra."""
HINT: Final = f"hint: `{pip_install('lettering')}`"
LETTERED: Final = """
[asset.card]
prompt = "a night train"
[[asset.card.deliver]]
path = "wide.webp"
ops = [
  { op = "crop", ratio = "16:9" },
  { op = "text", text = "Home" },
]
"""
TRANSLATED: Final = """
[catalog]
path = "locale/{locale}.po"
[asset.card]
prompt = "a night train at {{ t('stop') }}"
matrix = { locale = ["de"] }
"""
PO: Final = 'msgid "stop"\nmsgstr "Köln"\n\nmsgid "nights"\nmsgstr "{n} Nächte"\n'


def ran(*words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process that cannot import HarfBuzz and ICU."""
    command = [sys.executable, "-c", WITHOUT, *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )


def place(site: Site, needle: str) -> str:
    """The first place of some words in the spec, as messages give it."""
    lines = site.folder.joinpath("assets.toml").read_text("utf-8").split("\n")
    number = next(at for at, line in enumerate(lines, start=1) if needle in line)
    return f"assets.toml:{number}:{lines[number - 1].index(needle) + 1}"


@pytest.mark.parametrize("word", ["check", "plan", "build"])
def test_text_is_refused_before_anything_is_made(site: Site, word: str) -> None:
    """The error names the line of the operation and the extra, whatever the command."""
    spec = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write("assets.toml", spec + LETTERED)
    process = ran(word)

    assert process.returncode == Exit.USAGE
    assert "error: `text` needs the extra `lettering`" in process.stderr
    assert place(site, '"text", text') in process.stderr
    assert HINT in process.stderr
    assert "Traceback" not in process.stderr
    assert not site.folder.joinpath("img").exists()


@pytest.mark.parametrize("word", ["check", "plan", "build"])
def test_values_in_messages_are_refused_likewise(site: Site, word: str) -> None:
    """What ICU would fill in needs the extra; a message without a place for a value does not."""
    spec = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write("assets.toml", spec + TRANSLATED)
    site.write("locale/de.po", PO)
    assert ran("plan").returncode == Exit.DONE

    site.edit("assets.toml", "t('stop')", "t('nights', n=3)")
    process = ran(word)

    assert process.returncode == Exit.USAGE
    assert "error: `t` needs the extra `lettering` to fill in values" in process.stderr
    assert place(site, "t('nights'").rpartition(":")[0] in process.stderr
    assert HINT in process.stderr
    assert "Traceback" not in process.stderr


def test_everything_else_works(site: Site) -> None:
    """A build with other operations is done, and current for the commands that follow it."""
    spec = site.folder.joinpath("assets.toml").read_text("utf-8")
    site.write("assets.toml", spec + LETTERED.replace('{ op = "text", text = "Home" },', ""))

    for words in (["build"], ["check"], ["plan", "--exit-code"], ["schema"]):
        process = ran(*words)
        assert (process.returncode, process.stderr.count("Traceback")) == (Exit.DONE, 0)
    assert site.folder.joinpath("img/wide.webp").exists()
