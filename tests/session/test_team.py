"""The team's store that a user's settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from flux2build.errors import UsageError
from flux2build.purchasing.redaction import unkeyed
from flux2build.session import settings
from flux2build.session.team import team_store
from flux2build.sharing.team_store import TeamStore


def opened(tmp_path: Path) -> TeamStore | None:
    """The store that the settings of this moment name."""
    return team_store(settings.read(None), tmp_path)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's configuration."""
    path = tmp_path / "config.toml"
    path.write_text("")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(path))
    return path


def test_none(config: Path) -> None:
    """Without settings there is none."""
    assert opened(config.parent) is None


def test_settings(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The configuration names the store; the variable's URL comes before its own."""
    config.write_text('[store]\nurl = "file:///a"\nmode = "r"\nwhen_down = "alone"\n')
    store = opened(config.parent)
    monkeypatch.setenv("FLUX2BUILD_STORE", "file:///b")
    named = opened(config.parent)

    assert store is not None
    assert (store.url, store.writable, store.alone) == ("file:///a", False, True)
    assert named is not None
    assert (named.url, named.writable) == ("file:///b", False)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("store = 1", "`store` is a table", "1:9"),
        ("[store]\nurl = 7", "`url` is the URL of a team's store", "2:7"),
        ('[store]\nmod = "r"', "`store` has no key `mod`", "2:1"),
        ('[store]\nmode = "w"', '`mode` is `"rw"` or `"r"`', "2:8"),
        ('[store]\nwhen_down = ["stop"]', '`when_down` is `"stop"` or `"alone"`', "2:13"),
        ('[store]\nurl = "ftp://me:secret@x/y"', "`ftp://x/y` is not the URL of a store", "2:7"),
    ],
)
def test_mistakes(config: Path, text: str, message: str, place: str) -> None:
    """A mistake in `[store]` is named with its place, and never with a password."""
    config.write_text(text)
    with pytest.raises(UsageError) as error:
        opened(config.parent)
    (problem,) = error.value.problems

    assert message in problem.message
    assert str(problem.place).endswith(place)
    assert "secret" not in repr(problem)


def test_wrong_variable(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong URL in the variable is told as the variable's."""
    monkeypatch.setenv("FLUX2BUILD_STORE", "nowhere")
    with pytest.raises(UsageError, match="`FLUX2BUILD_STORE`: `nowhere` is not the URL of a store"):
        opened(config.parent)


def test_wrong_token(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is none is told as the token's variable, wherever the URL is written."""
    config.write_text('[store]\nurl = "https://store.example/team"\n')
    monkeypatch.setenv("FLUX2BUILD_STORE_TOKEN", "two words")
    with pytest.raises(UsageError) as error:
        opened(config.parent)
    (problem,) = error.value.problems

    assert problem.message == "`FLUX2BUILD_STORE_TOKEN` does not hold a token"
    assert problem.place is None


def test_path(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a folder's path suggests its URL."""
    monkeypatch.setenv("FLUX2BUILD_STORE", str(config.parent / "a store"))
    with pytest.raises(UsageError) as error:
        opened(config.parent)
    assert error.value.problems[0].hint == f"did you mean `{(config.parent / 'a store').as_uri()}`?"


def test_secrets(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No report shows the token, nor the password of the URL, and the store is called without it."""
    monkeypatch.setenv("FLUX2BUILD_STORE", "https://me:p%40ssword@127.0.0.1/team?")
    monkeypatch.setenv("FLUX2BUILD_STORE_TOKEN", "a-t0ken")
    store = opened(config.parent)

    assert store is not None
    assert store.url == "https://127.0.0.1/team"
    assert unkeyed("p@ssword p%40ssword a-t0ken") == "*** *** ***"
