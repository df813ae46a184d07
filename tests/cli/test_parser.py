"""The command line as people and programs meet it, before any command does its work."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import click
import pytest

from flux2build import registry
from flux2build.cli import commands
from flux2build.cli.amounts import USD
from flux2build.cli.command import COMMANDS
from flux2build.cli.parser import MAIN, run
from flux2build.errors import Exit
from tests.conftest import Ran, Site
from tests.imported import HEAVY, imported


def test_version_imports_next_to_nothing(site: Site) -> None:
    """`--version` needs neither the parser, nor `pathlib`, nor any third-party package."""
    assert imported(site, "--version") & HEAVY == set()


def test_help_imports_the_command_line_only(site: Site) -> None:
    """`--help` names every command without importing one."""
    modules = imported(site, "--help")

    assert modules & (HEAVY - {"click", "pathlib"}) == set()
    assert not [name for name in modules if name.startswith("flux2build.cli.commands.")]


def test_help_names_every_command(site: Site) -> None:
    """The list of commands has them all, each with what it does."""
    ran = site.run("--help")

    assert ran.code == Exit.DONE
    for name in COMMANDS:
        summary = COMMANDS.summary(name).rstrip(".")
        assert f"{name} " in ran.out
        assert summary[:40] in ran.out


def options() -> list[tuple[str, click.Option]]:
    """Every option of every command and its subcommands."""
    every: list[tuple[str, click.Option]] = []
    todo: list[click.Command] = list(COMMANDS.values())
    for command in todo:
        if isinstance(command, click.Group):
            todo.extend(command.commands.values())
        every += [(command.name or "", p) for p in command.params if isinstance(p, click.Option)]
    return every


def test_every_option_has_its_variable() -> None:
    """`--max-cost` is `FLUX2BUILD_MAX_COST`, in every command, and every option says what it does."""
    for command, each in options():
        long = max(each.opts, key=len)

        assert each.envvar == "FLUX2BUILD_" + long[2:].replace("-", "_").upper(), command
        assert each.help, (command, long)


def test_every_variable_is_heeded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable does what its option does."""
    monkeypatch.setenv("FLUX2BUILD_JSON", "1")
    assert site.run("list").out.startswith("{")
    monkeypatch.setenv("FLUX2BUILD_JSON", "0")
    assert site.run("list").out.startswith("mascot")
    monkeypatch.setenv("FLUX2BUILD_EXCLUDE", "hero icon")
    assert site.run("list").out.splitlines() == ["mascot  new       img/mascot.png"]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["biuld"], "`flux2build` has no command `biuld`", "did you mean `build`?"),
        (["xyzzy"], "`flux2build` has no command `xyzzy`", "see `flux2build --help`"),
        (
            ["plan", "--exit-cod"],
            "`flux2build plan` has no option `--exit-cod`",
            "did you mean `--exit-code`?",
        ),
        (["--jsn"], "`flux2build build` has no option `--jsn`", "did you mean `--json`?"),
        (["orders", "shwo"], "`flux2build orders` has no command `shwo`", "did you mean `show`?"),
        (
            ["orders", "adopt"],
            "`flux2build orders adopt` needs ORDER",
            "see `flux2build orders adopt --help`",
        ),
        (["completion"], "`flux2build completion` needs SHELL", "known: `bash`, `fish`, `zsh`"),
        (["cost", "--by", "moth"], "`--by`: there is no `moth`", "did you mean `month`?"),
        (["build", "-j", "0"], "`--jobs`: 0 is not between 1 and 256", None),
        (["build", "-j", "two"], "`--jobs`: `two` is not a whole number", None),
        (
            ["build", "--max-cost", "much"],
            "`--max-cost`: `much` is not an amount in USD; write it like 2.50",
            None,
        ),
        (["simulate", "--latency", "-1"], "`--latency`: -1.0 is less than 0", None),
        (
            ["simulate", "--credits", "many"],
            "`--credits`: `many` is not a number of credits; write it like 250",
            None,
        ),
        (["plan", "-f"], "`-f` needs a value", "see `flux2build plan --help`"),
        (["schema", "extra"], "unexpected argument `extra`", "see `flux2build schema --help`"),
        (["plan", "--exit-code=1"], "`--exit-code` does not take a value", None),
        (["list", "-f", "a", "--file=b"], "`--file` is given 2 times and takes one value", None),
        (
            ["presets", "-f", "nosuch"],
            "`flux2build presets` has no option `-f`",
            "known: `--color`, `--help`, `--json`, `--quiet`, `--verbose`",
        ),
        (
            ["models", "-p", "nosuch"],
            "`flux2build models list` has no option `-p`",
            "known: `--color`, `--env-file`, `--help`, `--json`, `--local`, `--quiet`, `--verbose`",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_usage_errors(site: Site, words: list[str], message: str, hint: str | None) -> None:
    """Words that mean nothing are named, with what may have been meant, and nothing is done."""
    ran = site.run(*words)

    hint = hint or f"see `flux2build {words[0]} --help`"
    assert ran == Ran(Exit.USAGE, "", f"error: {message}\n  hint: {hint}\n")


@pytest.mark.parametrize("words", [["orders"], ["orders", "show", "x"], ["cost"], ["list"]])
def test_a_spec_that_is_not_there(empty: Site, words: list[str]) -> None:
    """A spec that is named must exist, even for a command that could do without one."""
    ran = empty.run(*words, "-f", "nosuch")

    assert (ran.code, ran.err.splitlines()[0]) == (2, "error: there is no spec at `nosuch`")


@pytest.mark.parametrize(
    "number",
    [
        "٣",
        "1_0",
        "\uff15",
        "1e3",
        "1E-2",
        "+1",
        " 1",
        "1 ",
        "1.2.3",
        ".",
        "1,5",
        "nan",
        "inf",
        "$$1",
    ],
)
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("build", "--max-cost"),
        ("watch", "--max-cost"),
        ("build", "--jobs"),
        ("build", "--lock-timeout"),
        ("simulate", "--credits"),
        ("simulate", "--latency"),
        ("simulate", "--port"),
    ],
)
def test_numbers_are_digits_and_one_point(
    site: Site, command: str, option: str, number: str
) -> None:
    """Numbers of other scripts, of Python and of physics are refused, so that no cap is misread."""
    before = site.files()
    ran = site.run(command, option, number)

    assert (ran.code, ran.out, site.files()) == (Exit.USAGE, "", before)
    assert ran.err.startswith(f"error: `{option}`: `{number}` is not a")


@pytest.mark.parametrize(
    ("amount", "usd"),
    [("2", "2"), ("2.50", "2.50"), ("$2.5", "2.5"), ("0", "0"), (".5", "0.5"), ("5.", "5")],
)
def test_amounts_are_exact(amount: str, usd: str) -> None:
    """An amount is read as it is written, with or without its sign and zeros."""
    assert USD.convert(amount, None, None) == Decimal(usd)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FLUX2BUILD_JSON", "perhaps", "`perhaps` is neither `true` nor `false`"),
        ("FLUX2BUILD_VERBOSE", "much", "`much` is not a whole number"),
    ],
)
def test_a_wrong_variable_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    """What is wrong in the environment is not blamed on the command line."""
    monkeypatch.setenv(name, value)
    assert f"`{name}`: {message}" in site.run("plan").err


@pytest.mark.parametrize(
    "words",
    [
        ("-q", "plan", "--json"),
        ("--json", "plan", "-q"),
        ("-vq", "--json", "plan"),
        ("-f", "assets.toml", "--json", "plan"),
        ("-fassets.toml", "plan", "--json"),
        ("--file=assets.toml", "--color", "never", "plan", "--json"),
    ],
)
def test_shared_options_may_stand_before_the_command(site: Site, words: tuple[str, ...]) -> None:
    """`flux2build -q plan` is `flux2build plan -q`."""
    assert site.run(*words) == site.run("plan", "--json")


def test_options_alone_mean_build(site: Site) -> None:
    """Without a command the options are those of `build`, whose values are no commands."""
    assert site.run("--dry-run").out == site.run("plan").out
    assert "there is no asset `plan`" in site.run("--exclude", "plan", "--dry-run").err


@pytest.fixture
def explode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Adds a command `explode` that runs one line of code."""

    def add(code: str) -> None:
        source = (
            f'"""Explode."""\nimport click\n@click.command("explode")\ndef COMMAND():\n {code}\n'
        )
        tmp_path.joinpath("explode.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])

    yield add
    sys.modules.pop("flux2build.cli.commands.explode")
    registry._member.cache_clear()


def test_a_bug_becomes_a_report(site: Site, explode: Callable[[str], None]) -> None:
    """A defect of ours ends with 70 and all that a report needs, but no values of variables."""
    explode('secret = "k-" + "e-y"; return {}[len(secret)]')
    ran = site.run("explode")

    assert (ran.code, ran.out) == (Exit.BUG, "")
    for part in ("please report", "flux2build 0.", "Python 3.", "command: explode", "KeyError: 5"):
        assert part in ran.err
    assert "k-e-y" not in ran.err


def test_an_interrupt_is_no_bug(site: Site, explode: Callable[[str], None]) -> None:
    """Ctrl-C ends with 130 and a sentence, wherever it comes."""
    explode("raise KeyboardInterrupt")
    ran = site.run("explode")

    assert ran.code == Exit.INTERRUPTED
    assert "what was submitted is recorded and resumes" in ran.err


@pytest.mark.parametrize(
    "words", [["list"], ["plan", "--json"], ["graph"], ["schema"], ["models"], ["--help"]]
)
def test_a_closed_pipe_is_no_error(site: Site, words: list[str]) -> None:
    """`flux2build list | head -1` ends quietly with the code it would have had."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        ran = subprocess.run(
            [sys.executable, "-m", "flux2build", *words],
            cwd=site.folder,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (ran.returncode, ran.stderr.replace("* is meant", "")) in {
        (Exit.DONE, ""),
        (Exit.DONE, " when a spec names the provider only\n"),
    }


def test_a_stream_without_unicode_is_no_error(site: Site) -> None:
    """What the terminal's encoding lacks is spelled out."""
    site.edit("assets.toml", "[asset.icon]", '[asset."grün"]')
    ran = subprocess.run(
        [sys.executable, "-m", "flux2build", "list"],
        cwd=site.folder,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == Exit.DONE, ran.stderr
    assert "gr\\xfcn" in ran.stdout


def test_names_of_files_are_utf8_in_every_locale(site: Site) -> None:
    """A picture whose name the locale's encoding lacks is built, and found again."""
    site.edit("assets.toml", "[asset.icon]", '[asset."grün"]')
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in ("build", "check"):
        ran = subprocess.run(
            [sys.executable, "-m", "flux2build", command],
            cwd=site.folder,
            env={**os.environ, **locale},
            capture_output=True,
            text=True,
            check=False,
        )

        assert ran.returncode == Exit.DONE, ran.stderr
        assert ran.stdout.isascii()
    assert list(site.folder.rglob("grün*.png"))


RED: Final = "\x1b[1;31m"


@pytest.mark.parametrize(
    ("words", "variables", "coloured"),
    [
        ((), {}, False),
        (("--color", "always"), {}, True),
        (("--color=always",), {"NO_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1"}, True),
        ((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (("--color", "never"), {"FORCE_COLOR": "1"}, False),
        ((), {"FLUX2BUILD_COLOR": "always"}, True),
        (("--color", "never"), {"FLUX2BUILD_COLOR": "always"}, False),
    ],
)
def test_colour_of_errors(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    variables: dict[str, str],
    *,
    coloured: bool,
) -> None:
    """The option goes before our variable, and both before everybody's."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for command in ("plan", "biuld"):
        ran = site.run(command, "-p", "nobody", *words)
        assert (RED in ran.err) == coloured, ran.err


def test_discovery_goes_upwards_as_far_as_the_repository(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The nearest `assets.toml` is meant, but never one outside the repository."""
    deep = site.folder / "pages" / "about"
    deep.mkdir(parents=True)
    wanted = site.run("list").out
    monkeypatch.chdir(deep)
    assert site.run("list").out == wanted

    tmp_path.joinpath("assets.toml").write_text("", encoding="utf-8")
    site.folder.joinpath("assets.toml").unlink()
    ran = site.run("list")
    assert ran.code == Exit.USAGE
    assert "there is no `assets.toml` here or above" in ran.err
    assert "`flux2build init` writes a starter" in ran.err


def test_a_folder_is_no_spec(site: Site) -> None:
    """`-f FOLDER` is answered with the file that was meant."""
    ran = site.run("plan", "-f", ".")

    assert ran.code == Exit.USAGE
    assert "`.` is a folder" in ran.err
    assert "did you mean `assets.toml`?" in ran.err


def test_quiet_keeps_data_and_errors(site: Site) -> None:
    """`-q` leaves out talk only."""
    assert site.run("build", "-q") == Ran(Exit.DONE, "", "")
    assert site.run("list", "-q").out.startswith("mascot")
    assert "error: " in site.run("list", "-q", "nobody").err


def shell(site: Site, script: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in the folder, in which `$F` is flux2build."""
    return subprocess.run(
        ["sh", "-c", f'F="{sys.executable} -m flux2build"; {script}'],
        cwd=site.folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "built"), [("plan", False), ("plan", True), ("plan --json", False), ("--help", False)]
)
def test_a_full_disk_is_told(site: Site, words: str, *, built: bool) -> None:
    """Output that cannot be written is a fault of the environment, told once, and no bug."""
    if built:
        site.run("build")
    ran = shell(site, f"$F {words} > /dev/full")

    assert ran.returncode == Exit.SYSTEM
    assert ran.stderr == "error: cannot write: no space left on device\n"


@pytest.mark.parametrize(("words", "code"), [("build", Exit.DONE), ("list nobody", Exit.USAGE)])
def test_a_log_on_a_full_disk_stops_no_work(site: Site, words: str, code: Exit) -> None:
    """Messages that cannot be written get lost; the work and its exit code stay the same."""
    assert shell(site, f"$F {words} 2> /dev/full").returncode == code
    assert (site.run("check").code == Exit.DONE) == (words == "build")


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("words", ["plan --json", "build"])
def test_closed_streams_lead_nowhere(site: Site, words: str, *, built: bool) -> None:
    """A process without stdin, stdout or stderr does its work, and writes into no file of ours."""
    if built:
        site.run("build")
    for closing in (">&-", ">&- 2>&- <&-"):
        ran = shell(site, f"$F {words} {closing}")
        assert ran.returncode == Exit.DONE, ran.stderr
        assert "Traceback" not in ran.stderr
    assert site.run("build").code == Exit.DONE
    assert site.run("check").code == Exit.DONE


def test_nobody_is_there_to_confirm(site: Site) -> None:
    """A closed stdin is nobody: a paid build asks nobody, and buys nothing."""
    ran = shell(site, "BFL_API_KEY=k $F build -p final icon <&-")

    assert ran.returncode == Exit.BUDGET
    assert "nobody is here to confirm it" in ran.stderr


@pytest.mark.parametrize("words", ["", "init"])
def test_a_folder_that_is_gone(site: Site, words: str) -> None:
    """An error says that the current folder was removed."""
    ran = shell(site, f"mkdir gone && cd gone && rmdir ../gone && $F {words}")

    assert ran.returncode == Exit.SYSTEM
    assert ran.stderr.endswith(
        "error: the folder you are in is gone\n  hint: `cd` to one that is\n"
    )


def test_python_m(site: Site) -> None:
    """`python -m flux2build` is the command."""
    ran = subprocess.run(
        [sys.executable, "-m", "flux2build", "biuld"],
        cwd=site.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == Exit.USAGE
    assert ran.stderr.startswith("error: `flux2build` has no command `biuld`")


def test_run_returns_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Other programs can call the command line; it never exits by itself."""
    assert run(["--help"]) == Exit.DONE
    assert "Usage: flux2build" in capsys.readouterr().out
    assert MAIN.name == "flux2build"


@pytest.mark.parametrize(
    "words", [("build", "--force", "--dry-run"), ("approve", "fox", "--note", "-q")]
)
def test_an_option_is_no_value_of_the_one_before(site: Site, words: tuple[str, ...]) -> None:
    """It is said which option lacks its value; with `=` anything may be meant."""
    refused = site.run(*words)
    assert (refused.code, f"`{words[-2]}` needs a value" in refused.err) == (Exit.USAGE, True)
    joined = site.run("build", "--force=--dry-run")
    assert "there is no asset `--dry-run`" in joined.err
