"""Nobody's text steers what reads it: no name, prompt, path, file or reply, in any output."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

import flux2build
from flux2build.cli import outcome
from flux2build.console.findings import OUTPUT_FORMATS
from flux2build.errors import Exit
from tests.conftest import Ran, Site
from tests.hostile import HALVES, TEXTS, in_toml, steers
from tests.journals import delivered, intended, ticketed, voided, wrote

_HEAD: Final = '[project]\nname = "x"\n[defaults]\nwidth = 64\nheight = 64\n'
_OURS: Final = re.compile(r"::(error|warning) title=flux2build [a-z-]+(,(file|line|col)=[^:,]*)*::")
_FORMATS: Final = list(OUTPUT_FORMATS)
_PLAIN: Final = [text for text in TEXTS if "{{" not in text]


def assert_harmless(ran: Ran, form: str = "") -> None:
    """No line is a command of a workflow, and no character steers; but for `github`'s own lines."""
    for stream in (ran.out, ran.err):
        assert {c for c in stream if steers(c)} <= {"\n"}
        assert not re.search(r"##\w*\[", stream)
        for line in stream.split("\n"):
            if line.lstrip().startswith("::"):
                assert form == "github"
                assert _OURS.match(line)


def read(ran: Ran, form: str) -> str:
    """Every text of a machine's format, which must be well formed."""
    if form in {"json", "sarif", "gitlab"}:
        return "\0".join(_texts(json.loads(ran.out)))
    if form == "junit":
        root = ET.fromstring(ran.out)
        return "\0".join(v for e in root.iter() for v in (*e.attrib.values(), e.text or ""))
    return ran.out


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, each in value.items():
                yield from (name, *_texts(each))
        case list():
            for each in value:
                yield from _texts(each)
        case _:
            pass


def spec(site: Site, *lines: str) -> None:
    """Write a spec with these tables."""
    site.write("assets.toml", _HEAD + "".join(f"{line}\n" for line in lines))


@pytest.fixture
def said(empty: Site) -> Site:
    """A spec that has every hostile text wherever it may have any text."""
    tables = [
        f"[asset.p{n}]\nprompt = {in_toml(text + ' fox')}\nalt = {in_toml(text)}\n"
        f"title = {in_toml(text)}\ntags = [{in_toml(text)}]\n"
        for n, text in enumerate(_PLAIN)
    ]
    named = '[asset."::stop-commands::x"]\nprompt = "x"\n[profile."::error::x"]\n[asset.":"]\nprompt = "y"\n'
    empty.write("rows.json", json.dumps([{"k": n, "p": text} for n, text in enumerate(_PLAIN)]))
    rows = 'rows = { file = "rows.json", key = "k" }\nprompt = "{{ row.p | default(\'\') }} {{ row.k }}"\n'
    spec(empty, *tables, named, f"[asset.row]\n{rows}")
    return empty


@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("plan", "-v"),
        ("plan", "-p", "::error::x"),
        ("show", "*"),
        ("explain", "*"),
        ("explain", "-v", "*"),
        ("list",),
        ("graph",),
        ("graph", "--format", "dot"),
        ("graph", "--format", "mermaid"),
        ("build", "--dry-run"),
        ("doctor",),
        ("prune",),
    ],
    ids=" ".join,
)
def test_commands_for_people(said: Site, words: tuple[str, ...]) -> None:
    """Whatever a valid spec says, no command prints it unescaped."""
    ran = said.run(*words)

    assert ran.code == Exit.DONE, ran.err
    assert_harmless(ran)


def test_prompts_are_shown_line_by_line(empty: Site) -> None:
    """A prompt of several lines is legible, and none of its lines starts a printed line."""
    spec(empty, "[asset.a]", 'prompt = "one\\n::error::two\\n\\u001b[31m"')

    assert "  prompt     one\n           | ::error::two\n           | \\u001b[31m\n" in (
        empty.run("show", "a").out
    )


@pytest.mark.parametrize("command", ["plan", "show *", "list", "explain *", "graph"])
def test_documents_for_programs(said: Site, command: str) -> None:
    """JSON escapes as JSON does: it is harmless as it stands, and reads as what was said."""
    ran = said.run(*command.split(), "--json")

    assert_harmless(ran)
    texts = read(ran, "json")
    if command == "show *":
        assert all(text in texts for text in _PLAIN)


@pytest.mark.parametrize("form", _FORMATS)
def test_findings(said: Site, form: str) -> None:
    """Findings about a valid spec: files that are missing, in every format."""
    ran = said.run("check", "--output-format", form)

    assert ran.code == Exit.DRIFT
    assert_harmless(ran, form)
    read(ran, form)


_FAULTS: Final[dict[str, Callable[[int, str], str]]] = {
    "key": lambda n, text: f'[asset.a{n}]\nprompt = "x"\n{in_toml(text)} = 1\n',
    "table": lambda _, text: f"[{in_toml(text)}]\n",
    "asset": lambda _, text: f'[asset.{in_toml(text)}]\nprompt = "x"\nwidht = 1\n',
    "profile": lambda _, text: f"[profile.{in_toml(text)}]\nwidht = 1\n",
    "variable": lambda n, text: f'[asset.a{n}]\nprompt = "x"\nvars = {{ {in_toml(text)} = 1 }}\n',
    "style": lambda n, text: f'[asset.a{n}]\nprompt = "x"\nstyle = [{in_toml(text)}]\n',
    "source": lambda n, text: f"[asset.a{n}]\nsource = {in_toml(text)}\n",
    "output": lambda n, text: f'[asset.a{n}]\nprompt = "x"\noutput = {in_toml(text + ".png")}\n',
    "reference": lambda n, text: f'[asset.a{n}]\nprompt = "x"\nrefs = [{in_toml(text)}]\n',
    "member": lambda n, text: (
        f'[asset.a{n}]\nprompt = "x"\nrefs = [{{ asset = {in_toml(text)} }}]\n'
    ),
    "template": lambda n, text: f"[asset.a{n}]\ntemplate = {in_toml(text)}\n",
    "prompt": lambda n, text: f"[asset.a{n}]\nprompt = {in_toml('{{ nope }}' + text)}\n",
    "model": lambda n, text: (
        f'[asset.a{n}]\nprompt = "x"\nprovider = {in_toml(text)}\nmodel = {in_toml(text)}\n'
    ),
    "op": lambda n, text: (
        f'[asset.a{n}]\nprompt = "x"\ndeliver = [{{ ops = [{{ op = {in_toml(text)} }}] }}]\n'
    ),
    "format": lambda n, text: (
        f'[asset.a{n}]\nprompt = "x"\ndeliver = [{{ formats = [{in_toml(text)}] }}]\n'
    ),
    "axis": lambda n, text: (
        f'[asset.a{n}]\nprompt = "{{{{ v }}}}"\nmatrix = {{ v = [{in_toml(text)}, {in_toml(text)}] }}\n'
    ),
    "preset": lambda n, text: (
        f'[asset.a{n}]\nprompt = "x"\ndeliver = [{{ preset = {in_toml(text)} }}]\n'
    ),
    "check": lambda _, text: f"[checks.{in_toml(text)}]\nseverity = {in_toml(text)}\n",
}
"""Faults of a spec, each made of a number and a text."""


@pytest.mark.parametrize("fault", _FAULTS)
def test_faults_of_a_spec(empty: Site, fault: str) -> None:
    """Faults are reported in every format, and quote nothing unescaped."""
    spec(empty, *(_FAULTS[fault](n, text) for n, text in enumerate(TEXTS)))
    plain = empty.run("plan")
    assert plain.code == Exit.USAGE
    assert_harmless(plain)
    for form in _FORMATS:
        ran = empty.run("check", "--output-format", form)
        assert ran.code == Exit.USAGE
        assert_harmless(ran, form)
        read(ran, form)


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [
        ("rows.json", "[", '{{"k": {0}, "k": {0}, {0}: 1e999}},'),
        ("rows.jsonl", "", '{{"k": {0}, {0}: [1]}}'),
        ("rows.csv", "k,k", "{0}"),
        ("rows.tsv", "k", "x\t{0}"),
    ],
)
def test_faults_of_a_data_file(empty: Site, name: str, head: str, row: str) -> None:
    """Cells, columns and fields are quoted in messages only after they are escaped."""
    spec(empty, f'[asset.a]\nprompt = "x"\nrows = {{ file = "{name}", key = "k" }}\n')
    for text in (*TEXTS[::7], *HALVES):
        said = json.dumps(text) if name.startswith("rows.j") else text
        written = f"{head}\n{row.format(said)}\n"
        empty.folder.joinpath(name).write_bytes(written.encode(errors="replace"))
        for form in ("full", "json", "github"):
            ran = empty.run("check", "--output-format", form)
            assert ran.code in {Exit.USAGE, Exit.DRIFT}
            assert_harmless(ran, form)
            read(ran, form)


_LOCK_KEYS: Final = ("provider", "model", "prompt", "output.path", "output.format")


def _with(lock: str, key: str, text: str) -> str:
    """A lock with another value of a key."""
    return "\n".join(
        f"{key} = {in_toml(text)}" if line.startswith(f"{key} =") else line
        for line in lock.split("\n")
    )


def test_a_lock(empty: Site) -> None:
    """The text of a lock, whole or damaged, is printed as harmlessly as that of a spec."""
    spec(empty, "[asset.a]", 'prompt = "x"')
    assert empty.run("build").code == Exit.DONE
    lock = empty.folder.joinpath("assets.lock").read_text("utf-8")
    for text in TEXTS[::12]:
        for changed in (
            lock + text,
            f"{lock}\n{in_toml(text)} = 1\n",
            *(_with(lock, key, text) for key in _LOCK_KEYS),
            lock.replace('asset = "a"', f"asset = {in_toml(text)}"),
        ):  # fmt: skip
            empty.folder.joinpath("assets.lock").write_bytes(changed.encode())
            assert_harmless(empty.run("plan"))
            assert_harmless(empty.run("explain", "a"))
            ran = empty.run("check", "--output-format", "github")
            assert_harmless(ran, "github")


def test_changes_of_a_prompt(empty: Site) -> None:
    """The difference of two prompts is one line, whatever they say."""
    spec(empty, "[asset.a]", 'prompt = "a fox"')
    assert empty.run("build").code == Exit.DONE
    spec(empty, "[asset.a]", f"prompt = {in_toml('a ' + ' '.join(_PLAIN) + ' fox')}")
    for words in (("plan",), ("explain", "a")):
        ran = empty.run(*words)
        assert_harmless(ran)
        assert_harmless(json_ran := empty.run(*words, "--json"))
        read(json_ran, "json")


def test_orders(empty: Site) -> None:
    """A ledger may hold anything that a spec or a server said before."""
    spec(empty, "[asset.a]", 'prompt = "x"')
    for n, text in enumerate(TEXTS):
        sent = intended(f"{n:064x}", asset=text, provider=text, model=text, project=text)
        wrote(sent)
        if n % 4 == 1:
            wrote(replace(ticketed(sent), task=text))
        if n % 4 == 2:
            wrote(replace(ticketed(sent), task=text), delivered(sent))
        if n % 4 == 3:
            wrote(replace(voided(sent, charged=True), message=text))
    for words in (
        ("orders",),
        ("orders", "list", "--everything"),
        *(("cost", "--everything", "--by", by) for by in ("asset", "model", "provider", "project")),
        ("doctor",),
    ):
        assert_harmless(empty.run(*words))
        assert_harmless(document := empty.run(*words, "--json"))
        read(document, "json")
    names = [
        row["order"]
        for row in json.loads(empty.run("orders", "list", "--everything", "--json").out)["orders"]
    ]
    assert len(names) == len(TEXTS)
    for name in names[::9]:
        shown = empty.run("orders", "show", name)
        assert shown.code == Exit.DONE
        assert_harmless(shown)


_WORDS: Final[tuple[Callable[[str], tuple[str, ...]], ...]] = (
    lambda text: (text,),
    lambda text: ("plan", text),
    lambda text: ("plan", "--exclude", text),
    lambda text: ("plan", "-p", text),
    lambda text: ("plan", "-f", text),
    lambda text: ("plan", f"--{text}"),
    lambda text: ("plan", "--color", text),
    lambda text: ("plan", "--env-file", text),
    lambda text: ("build", "--max-cost", text),
    lambda text: ("build", "--jobs", text),
    lambda text: ("build", "--force", text),
    lambda text: ("check", "--select", text),
    lambda text: ("check", "--output-format", text),
    lambda text: ("check", "--output-format", "github", "--", text),
    lambda text: ("cost", "--by", text),
    lambda text: ("orders", text),
    lambda text: ("orders", "show", "--", text),
    lambda text: ("orders", "adopt", "--", text, text),
    lambda text: ("presets", "--", text),
    lambda text: ("simulate", "--scenario", text),
    lambda text: ("simulate", "--host", text),
    lambda text: ("completion", "--", text),
)
"""Command lines with a text in them, none of which can be carried out."""


@pytest.mark.parametrize("first", range(len(_WORDS)))
def test_command_lines(empty: Site, first: int) -> None:
    """Words that are wrong are named, escaped."""
    spec(empty, "[asset.a]", 'prompt = "x"')
    # What a process is called with has no NUL, and of halves only those of bytes.
    words_of_bytes = [text for text in TEXTS if "\0" not in text]
    for text in (*words_of_bytes[first % 7 :: 7], "a\udc80b", "\udcff"):
        words = _WORDS[first](text)
        ran = empty.run(*words)
        assert ran.code != Exit.BUG, (words, ran.err)
        assert_harmless(ran, "github" if "github" in words else "")


def test_variables(empty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of variables, and lines of `.env` and configuration files, are escaped, too."""
    spec(empty, "[asset.a]", 'prompt = "x"')
    for text in TEXTS[::3]:
        empty.folder.joinpath("keys.env").write_bytes(f"{text}\n{text} = {text}\n".encode())
        assert_harmless(empty.run("plan", "--env-file", "keys.env"))
        if "\0" not in text:
            for name in ("PROFILE", "FILE", "MAX_COST", "COLOR", "BFL_URL"):
                with monkeypatch.context() as patched:
                    patched.setenv(f"FLUX2BUILD_{name}", text)
                    assert_harmless(empty.run("build", "--dry-run"))
            with monkeypatch.context() as patched:
                config = empty.write("config.toml", f"{in_toml(text)} = {in_toml(text)}\n")
                patched.setenv("FLUX2BUILD_CONFIG", str(config))
                assert_harmless(empty.run("doctor"))
                assert_harmless(empty.run("plan"))


class _Liar(BaseHTTPRequestHandler):
    """A server that says what the prompt asks it to: refused, waiting, failed or done."""

    protocol_version = "HTTP/1.1"
    tasks: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        """Refuse an order with a text, or take it as a task of that name."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind, text = body["prompt"].split(" ", 1)
        if kind == "refused":
            self._say(422, {"detail": text})
        elif kind == "listed":
            self._say(422, {"detail": [{"loc": ["body", text], "msg": text, "type": text}]})
        else:
            self.tasks.append(text)
            assert isinstance(self.server, ThreadingHTTPServer)
            base = f"http://127.0.0.1:{self.server.server_port}"
            url = f"{base}/v1/get_result?id={len(self.tasks) - 1}"
            self._say(200, {"id": text if kind == "named" else "t", "polling_url": url})

    def do_GET(self) -> None:
        """A failure that says the text in all its fields."""
        text = self.tasks[int(self.path.rpartition("=")[2])] if "=" in self.path else ""
        said = {
            "id": "t",
            "status": "Error",
            "result": text,
            "details": {text: text},
            "error": text,
        }
        self._say(200, said)

    def _say(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def liar() -> Iterator[str]:
    """The base URL of the server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Liar) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", ["refused", "listed", "failed", "named"])
def test_replies(empty: Site, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What a server says of an order, and how it names it, steers nothing, now or later."""
    texts = _PLAIN[::4]
    tables = [
        f'[asset.a{n}]\nprompt = "{kind} {{{{ vars_text }}}}"\nvars = {{ vars_text = {in_toml(text)} }}\n'
        for n, text in enumerate(texts)
    ]
    spec(empty, 'provider = "bfl"', *tables)
    monkeypatch.setenv("BFL_API_KEY", "practice")
    with liar() as base:
        monkeypatch.setenv("FLUX2BUILD_BFL_URL", base)
        ran = empty.run("build", "--yes", "--json")
    assert ran.code in {Exit.INCOMPLETE, Exit.DECIDE}, ran.err
    assert_harmless(ran)
    read(ran, "json")
    for words in (("orders", "--everything"), ("plan",), ("doctor",)):
        assert_harmless(empty.run(*words))


def test_a_report_of_a_bug() -> None:
    """Lines of a report are set off, for the message of a bug may be somebody's text."""
    for text in TEXTS:
        bug = KeyError(text)
        bug.__cause__ = ValueError(text)
        assert_harmless(Ran(Exit.BUG, "", outcome._report(bug, "plan")))


def test_one_door() -> None:
    """No module prints past the console's `put`, which escapes a line whole."""
    package = Path(flux2build.__file__).parent
    sources = {path: path.read_text("utf-8") for path in package.rglob("*.py")}
    printing = [path.name for path, text in sources.items() if ".print(" in text]
    writing = [path.name for path, text in sources.items() if ".file.write(" in text]
    console = sources[package / "console" / "console.py"]

    assert printing == ["terminal.py"]  # for lines above a bar, which the console hands to it
    assert writing == ["console.py"]
    assert console.count(".file.write(") == console.count("self.above(line)") == 1
    assert console.count("self._write(") == 1
