"""`flux2build completion`: what a shell offers where the user presses Tab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flux2build.errors import Exit
from tests.conftest import Site

MEMBERS = ["hero", "hero[locale=de,theme=dark]", "hero[locale=de,theme=light]"]


@pytest.fixture
def two_axes(site: Site) -> Site:
    """A site whose members have two axes, and so a comma in their names."""
    site.edit(
        "assets.toml",
        'matrix = { theme = ["light", "dark"] }',
        'matrix = { locale = ["de"], theme = ["light", "dark"] }',
    )
    return site


CASES = [
    ("flux2build pl", ["plan"]),
    ("flux2build orders w", ["write-off"]),
    ("flux2build build h", MEMBERS),
    ("flux2build explain ic", ["icon"]),
    ("flux2build build --exclude ic", ["icon"]),
    ("flux2build plan --force ic", ["icon"]),
    ("flux2build -p f", ["final"]),
    ("flux2build plan --profile f", ["final"]),
    ("flux2build --max", ["--max-cost"]),
    ("flux2build cost --by mo", ["model", "month"]),
    ("flux2build build tag:b", ["tag:brand"]),
    ("flux2build list state:mi", ["state:missing"]),
    ("flux2build check --select off", ["off-palette"]),
    ("flux2build presets x-summ", ["x-summary"]),
    ("flux2build -f assets.toml -p f", ["final"]),
    ("flux2build xyzzy", []),
]


@pytest.mark.parametrize(("line", "wanted"), CASES)
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_is_offered(
    two_axes: Site, monkeypatch: pytest.MonkeyPatch, shell: str, line: str, wanted: list[str]
) -> None:
    """Commands, options, choices, profiles and assets are completed, in the shell's own protocol."""
    words = line.split(" ")
    monkeypatch.setenv("_FLUX2BUILD_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
    ran = two_axes.run()

    lines = ran.out.strip().splitlines()
    offered = lines[1::3] if shell == "zsh" else [each.split(",", 1)[1] for each in lines]
    assert [each.partition("\t")[0] for each in offered] == wanted
    assert ran.err == ""


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("flux2build pl", ["plan"]),
        ("flux2build build h", MEMBERS),
        ("flux2build xyzzy", []),
        ("flux2build build hero[locale=de,theme=d", ["dark]"]),
        ("flux2build build 'hero[locale=de,theme=d", ["hero[locale=de,theme=dark]"]),
        ("flux2build plan --profile=f", ["final"]),
        ("flux2build build tag:b", ["brand"]),
    ],
)
def test_in_bash(two_axes: Site, line: str, wanted: list[str]) -> None:
    """A real bash is offered the rest of a name, although it splits words at `=`."""
    script = (
        'eval "$(flux2build completion bash)"; COMP_LINE="$1"; COMP_POINT=${#COMP_LINE}; '
        "_flux2build_completion flux2build; "
        '[ ${#COMPREPLY[@]} -eq 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    # Names of files must not be mistaken for names of assets.
    two_axes.write("plain,heron", "")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", line],
        cwd=two_axes.folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.splitlines() == wanted
    assert ran.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(empty: Site, shell: str) -> None:
    """Each shell gets a script that asks flux2build; nothing but the script is on stdout."""
    ran = empty.run("completion", shell)

    assert (ran.code, ran.err) == (Exit.DONE, "")
    assert "flux2build" in ran.out
    assert "_FLUX2BUILD_COMPLETE" in ran.out


def test_without_a_spec_no_asset_is_offered(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab never answers with an error."""
    monkeypatch.setenv("_FLUX2BUILD_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", "flux2build build h")
    monkeypatch.setenv("COMP_CWORD", "h")
    ran = empty.run()

    assert (ran.code, ran.out.strip(), ran.err) == (Exit.DONE, "", "")


def test_files_are_left_to_the_shell(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `-f` the shell completes files, as it does elsewhere."""
    monkeypatch.setenv("_FLUX2BUILD_COMPLETE", "fish_complete")
    monkeypatch.setenv("COMP_WORDS", "flux2build plan -f ass")
    monkeypatch.setenv("COMP_CWORD", "ass")

    assert site.run().out == "file,ass\n"
