"""The user's settings: where they are looked up, and what happens if they cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from flux2build.errors import Place, SystemFault, UsageError
from flux2build.providers import bfl, replicate
from flux2build.session.settings import UserSettings, config_path, read
from flux2build.storage.toml_file import TomlFile


def test_the_environment_goes_before_the_file_before_the_configuration() -> None:
    """A value is the first that is set; blanks around it are nobody's key."""
    settings = UserSettings(
        environment={"A": " a ", "B": ""},
        env_file={"A": "x", "B": "b"},
        config={"environment": {"A": "y", "B": "y", "C": "c"}},
    )

    assert [settings.value(name) for name in "ABCD"] == ["a", "b", "c", ""]


def test_keys_are_not_shown() -> None:
    """What came from files is in no representation, and so in no report."""
    settings = UserSettings({}, {"KEY": "secret"}, {"environment": {"KEY": "hidden"}})

    assert "secret" not in repr(settings)
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KEY=a1", "a1"),
        ("# keys\n\nexport KEY=a1", "a1"),
        ("export\tKEY = 'two words'", "two words"),
        ('KEY="x=y"', "x=y"),
        ("KEY=", ""),
        ("KEY=a1 # mine", "a1"),
        ('KEY="a1" # mine', "a1"),
        ("KEY=a#1", "a#1"),
        ("\ufeffKEY=a1\r", "a1"),
        ("npm-token=abc\nKEY=a1", "a1"),
        ('PEM="-----BEGIN\nabc\n-----END"\nKEY=a1', "a1"),
        ("PART=a\nKEY=${PART}1", "a1"),
        ("KEY='${none:-a1}'", "a1"),
        ("nonsense\nmy key=1\nKEY=a1", "a1"),
        ('KEY=a1\nOTHER="1', "a1"),
        ("\xa0KEY=a1\xa0 # my\xa0key", "a1"),
    ],
)
def test_env_file(tmp_path: Path, text: str, value: str) -> None:
    """A `.env` that other programs use too is read exactly as python-dotenv reads it."""
    file = tmp_path / ".env"
    file.write_bytes(text.encode() + b"\n")

    assert read(str(file)).value("KEY") == value
    assert dotenv_values(file, encoding="utf-8-sig")["KEY"] == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"A=1\nBFL_API_KEY\n", "keys.env:2:1: this line is not NAME=VALUE"),
        (b"\n\nmy BFL_API_KEY=1\n", "keys.env:3:1: this line is not NAME=VALUE"),
        (b'A=1\nBFL_API_KEY="1\n', "keys.env:2:1: the quote before this value is not closed"),
        (b"export BFL_API_KEY = '1", "keys.env:1:1: the quote before this value is not closed"),
        (b'BFL_API_KEY="1\nA="2"\n', "keys.env:1:1: the quote before this value is not closed"),
        (b'BFL_API_KEY="1" 2\n', "keys.env:1:1: this line is not NAME=VALUE"),
        (
            "A=1\nBFL_API_KEY=k\u200b\n".encode(),
            "keys.env:2:1: an invisible character in this line",
        ),
        ("\n\u200bBFL_API_KEY=k\n".encode(), "keys.env:2:1: an invisible character in this line"),
        (b"\n  export BFL_API_KYE=k\n", "keys.env:2:10: `BFL_API_KYE` is not a variable"),
        ("BFL_API_KEY=k\n".encode("utf-16"), "keys.env` is UTF-16"),
        (b"A=\xff\n", "keys.env:1:3: byte 0xff is not UTF-8"),
        (None, "keys.env` cannot be read: no such file or directory"),
    ],
)
def test_a_bad_env_file(tmp_path: Path, data: bytes | None, message: str) -> None:
    """The file is named, and the line; a value never is."""
    file = tmp_path / "keys.env"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read(str(file))

    (problem,) = caught.value.problems
    assert message in f"{problem.place}: {problem.message}"


def test_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`FLUX2BUILD_CONFIG` names the file; its `[environment]` holds keys, `cards` a path."""
    file = tmp_path / "config.toml"
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(file))
    monkeypatch.delenv("BFL_API_KEY", raising=False)
    tmp_path.joinpath("cards.toml").write_text("# mine", encoding="utf-8")
    file.write_text(
        f'cards = "{tmp_path / "cards.toml"}"\n[environment]\nBFL_API_KEY = "k"\n', encoding="utf-8"
    )

    assert config_path() == file
    assert read(None).value("BFL_API_KEY") == "k"
    assert read(None).cards == "# mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cards = ", "there is no value"),
        ("cards = 3", "`cards` names a file"),
        ('environment = "x"', "`environment` is a table"),
        ("[environment]\nA = 1", "`environment` is a table"),
        ('card = "x"', "`card` is not a setting"),
        ("limits = 3", "`limits` is a table"),
        ("[limits]\nsource_pixel = 3", "there is no limit `source_pixel`"),
        ("[limits]\nsource_pixels = 300_000_000", "from 1 to 250,000,000, not 300000000"),
        ("[limits]\nmade_pixels = 2.5", "limit `made_pixels` is a whole number"),
        ("network = 3", "`network` is a table of `ca`"),
        ("network = { ca = 3 }", "`network` is a table of `ca`"),
        ("network = { proxy = 'x' }", "`network` is a table of `ca`"),
        ("bfl = 3", "`bfl` is a table of `region`"),
        ('bfl = { url = "https://x.example" }', "`bfl` is a table of `region`"),
        ('bfl = { region = "mars" }', "`bfl` has no region `mars`"),
        ('replicate = { region = "eu" }', "`replicate` has no regions to choose from"),
        ("budget = 3", "`budget` is a table of `confirm_above`"),
        ("budget = { per_run = 3 }", "`budget` is a table of `confirm_above`"),
        ("budget = { confirm_above = true }", "`budget` is a table of `confirm_above`"),
        ("budget = { confirm_above = -1 }", "`budget` is a table of `confirm_above`"),
        ("webhooks = 'https://x.example'", "`webhooks` is a table of `url`"),
        ("webhooks = { urls = 'https://x.example' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 3 }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'http://x.example' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'https://me@x.example' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'https://x.example/?a' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'https://x.example:0' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'https://[x' }", "`webhooks` is a table of `url`"),
        ("webhooks = { url = 'https://a b' }", "`webhooks` is a table of `url`"),
        ("budget = { confirm_above = inf }", "`budget` is a table of `confirm_above`"),
    ],
)
def test_a_bad_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, message: str
) -> None:
    """Mistakes in the user's own file are reported like those in a spec."""
    file = tmp_path / "config.toml"
    file.write_text(f"# mine\n\n{text}", encoding="utf-8")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(file))
    with pytest.raises(UsageError) as caught:
        read(None)

    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.excerpt is None  # it may hold a key
    assert problem.place is not None
    assert problem.place.file == str(file)
    assert problem.place.line > 2
    assert problem.place.column > 0


@pytest.mark.parametrize("cards", ["nowhere.toml", "~nobody-of-this-name/k.toml", "\\u0000"])
def test_cards_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cards: str
) -> None:
    """A file of cards that is missing, or cannot be, is an error of the configuration."""
    file = tmp_path / "config.toml"
    file.write_text(f'cards = "{cards}"', encoding="utf-8")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(file))

    with pytest.raises(UsageError, match="cannot be read") as caught:
        read(None)
    assert caught.value.problems[0].place == Place(str(file), 1, 9)


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "https://api.bfl.ai", None),
        ({"HTTPS_PROXY": "http://p:3128"}, "https://api.bfl.ai", "http://p:3128"),
        ({"https_proxy": "p:3128"}, "https://api.bfl.ai", "http://p:3128"),
        ({"FLUX2BUILD_PROXY": "http://q", "HTTPS_PROXY": "http://p"}, "https://a.b", "http://q"),
        ({"HTTPS_PROXY": "http://p"}, "http://127.0.0.1:8000", None),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "x.y, .bfl.ai"}, "https://api.bfl.ai", None),
        ({"HTTPS_PROXY": "http://p", "no_proxy": "*"}, "https://api.bfl.ai", None),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "fl.ai"}, "https://api.bfl.ai", "http://p"),
        ({"ALL_PROXY": "http://a", "HTTPS_PROXY": "http://p"}, "https://api.bfl.ai", "http://p"),
        ({"ALL_PROXY": "socks5://a:1"}, "https://api.bfl.ai", "socks5://a:1"),
        ({"ALL_PROXY": "socks5h://a:1"}, "https://api.bfl.ai", "socks5h://a:1"),
        ({"all_proxy": "a:1"}, "https://api.bfl.ai", "http://a:1"),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "api.bfl.ai:443"}, "https://api.bfl.ai", None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3", None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "10.0.0.0/8"}, "https://11.1.2.3", "http://a"),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "fd00::/8"}, "https://[fd00::1]", None),
        ({"ALL_PROXY": "http://a", "NO_PROXY": "api.bfl.ai"}, "https://api.bfl.ai", None),
    ],
)
def test_the_way_to_a_server(variables: dict[str, str], url: str, expected: str | None) -> None:
    """A proxy is the user's: for https only, and not for the hosts of `NO_PROXY`."""
    assert UserSettings({}, config={"environment": variables}).proxy(url) == expected


def test_a_socks_proxy_takes_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its library the proxy is refused before anything is sent, with the command that adds it."""
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(SystemFault, match="`ALL_PROXY` names a SOCKS proxy") as caught:
        UserSettings({"ALL_PROXY": "socks5://u:secret@p:1"}).proxy("https://api.bfl.ai")

    assert "[socks]" in str(caught.value.problems[0].hint)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["socks4://u:secret@p:1", "socks://p:1", "http://[x", "http://", "http://p:0"]
)
def test_what_is_no_proxy(value: str) -> None:
    """It is named, and not shown: it may hold a password."""
    with pytest.raises(
        UsageError, match="`HTTPS_PROXY` is not the URL of an HTTP or SOCKS5 proxy"
    ) as caught:
        UserSettings({"HTTPS_PROXY": value}).proxy("https://api.bfl.ai")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("network", "variables", "expected"),
    [
        ({}, {}, {}),
        ({}, {"SSL_CERT_FILE": "/a"}, {"SSL_CERT_FILE": "/a"}),
        (
            {},
            {"SSL_CERT_FILE": "/a", "SSL_CERT_DIR": "/d", "REQUESTS_CA_BUNDLE": "/b"},
            {"SSL_CERT_FILE": "/a", "SSL_CERT_DIR": "/d"},
        ),
        ({}, {"REQUESTS_CA_BUNDLE": "/b", "CURL_CA_BUNDLE": "/c"}, {"REQUESTS_CA_BUNDLE": "/b"}),
        ({}, {"CURL_CA_BUNDLE": "/c"}, {"CURL_CA_BUNDLE": "/c"}),
        ({"ca": "/own.pem"}, {"SSL_CERT_FILE": "/a"}, {"network.ca": "/own.pem"}),
        ({"ca": "own.pem"}, {}, {"network.ca": "/home/me/own.pem"}),
        ({"ca": "system"}, {}, {"network.ca": "system"}),
    ],
)
def test_whose_certificates_are_trusted(
    network: dict[str, str], variables: dict[str, str], expected: dict[str, str]
) -> None:
    """The user's own setting comes first, then the variables that other tools read."""
    config = {"network": network, "environment": variables}

    assert (
        UserSettings({}, config=config, written=TomlFile("/home/me/config.toml", "")).authorities
        == expected
    )


@pytest.mark.parametrize(
    ("environment", "config", "endpoint"),
    [
        ({}, {}, "https://api.bfl.ai"),
        ({}, {"bfl": {"region": "eu"}}, "https://api.eu.bfl.ai"),
        ({}, {"bfl": {"region": "us"}}, "https://api.us.bfl.ai"),
        (
            {"FLUX2BUILD_BFL_URL": "https://gateway.example"},
            {"bfl": {"region": "eu"}},
            "https://gateway.example",
        ),
    ],
)
def test_a_region_is_an_endpoint(
    environment: dict[str, str], config: dict[str, object], endpoint: str
) -> None:
    """Orders go where the variable says, else to the region, else where the provider likes."""
    settings = UserSettings(environment, config=config)

    assert settings.endpoint(bfl.PROVIDER) == endpoint
    assert settings.endpoint(replicate.PROVIDER) == "https://api.replicate.com"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("webhooks = {}", ""),
        ('[webhooks]\nurl = "https://x.example"', "https://x.example"),
        ('[webhooks]\nurl = "https://x.example/f2b/"', "https://x.example/f2b"),
        ('[webhooks]\nurl = "http://127.0.0.1:9000"', "http://127.0.0.1:9000"),
    ],
)
def test_where_callbacks_are_received(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, url: str
) -> None:
    """They are wanted where the user's own file names a URL: https, or on this machine."""
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("FLUX2BUILD_CONFIG", str(file))

    assert read(None).public_url == url
