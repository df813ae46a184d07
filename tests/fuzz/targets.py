"""Readers of untrusted bytes, each with good inputs to start from and the errors it may raise."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from PIL import Image

from flux2build import ledger
from flux2build.assetspec import rows, translations
from flux2build.assetspec.prompts import Prompts, TemplateFault
from flux2build.assetspec.reader import load
from flux2build.assetspec.rows.shaping import Shape
from flux2build.errors import LockError, SpecError, SystemFault, UsageError
from flux2build.images.decode import probe
from flux2build.images.dominant import dominant_colours, written
from flux2build.images.formats.lookup import examine, formats, holds_more, xmp
from flux2build.images.lettering import faces
from flux2build.images.provenance import c2pa, iptc
from flux2build.ledger.journal import Journal
from flux2build.lockfile import conflict_line, decoded, dumps, loads
from flux2build.lockfile.merge import sides
from flux2build.providers import PROVIDERS, cards
from flux2build.providers.contract import Remote, Reply
from flux2build.simulator import scenario
from tests.assetspec.specs import SHIPPED, MemoryTree
from tests.assetspec.test_odd_specs import FILES, SPEC
from tests.assetspec.translations.test_strings import PO
from tests.test_compatibility import BEFORE, LOCK

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
FONTS: Final = Path(__file__).parents[1] / "images" / "lettering" / "fonts"


@dataclass(frozen=True)
class Target:
    """One reader of bytes."""

    read: Callable[[bytes], object]
    good: Sequence[bytes]
    errors: tuple[type[Exception], ...] = ()
    words: Sequence[bytes] = ()


def _words(text: str) -> tuple[bytes, ...]:
    return tuple(word.encode() for word in text.split())


def _spec(data: bytes) -> object:
    return load(MemoryTree({"assets.toml": data, **FILES}), "assets.toml", None, SHIPPED)


def _lock(data: bytes) -> None:
    text = decoded(data, "assets.lock")
    read = sides(text, "assets.lock") if conflict_line(text) else (loads(text, "assets.lock"),)
    for lock in read:
        newest = replace(lock, revision=max(lock.revision, lock.needed))
        assert loads(dumps(lock), "assets.lock") == newest


def _ledger(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=_shared_memory()) as file:
        file.write(data)
        file.flush()
        journal = Journal(Path(file.name))
        folded = ledger.fold(journal.read())
        list(ledger.charges(folded))
        journal.problems()


def _shared_memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def _rows(suffix: str) -> Callable[[bytes], object]:
    return lambda data: rows.read(MemoryTree({f"d{suffix}": data}), f"d{suffix}", Shape(("sku",)))


def _strings(suffix: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> None:
        strings = translations.read(MemoryTree({f"pl{suffix}": data}), f"pl{suffix}")
        for number in (0, 1, 5):
            with suppress(ValueError):  # where the catalogue's rule is unclear
                strings.form(number)
        for message in strings.messages.values():
            for form in message.forms:
                with suppress(ValueError):
                    translations.filled(form, "pl", {"n": 2})

    return read


def _reply(data: bytes) -> None:
    """The first digits are the status; the rest is the body of any answer."""
    status = int(data[:3]) if data[:3].isdigit() else 200
    for name in PROVIDERS:
        if isinstance(provider := PROVIDERS[name], Remote):
            reply = Reply(status, {"retry-after": data[3:8].decode("latin-1")}, data[3:])
            provider.ticket(reply, provider.endpoint)
            provider.status(reply)
            provider.uploaded(reply)


def _picture(data: bytes) -> None:
    examine(data), holds_more(data), xmp(data), iptc.source_type(data)
    c2pa.read(data), c2pa.certificate(data), c2pa.source_type(data)
    written(dominant_colours(data))
    probe(data)


def _font(data: bytes) -> None:
    face = faces.Face(data, 700)
    _ = face.name, face.grid, face.cap, face.variable, face.has("A"), face.has("\u0e01")


def _scenario(data: bytes) -> object:
    with tempfile.NamedTemporaryFile(dir=_shared_memory()) as file:
        file.write(data)
        file.flush()
        return scenario.load(Path(file.name))


def _template(data: bytes) -> object:
    scope = {"brand": {"name": "Acme"}, "theme": "dark", "row": {"n": 3, "tags": ["a", "b"]}}
    tree = MemoryTree({"templates/a.j2": data.decode("utf-8", "replace"), "templates/b.j2": "b"})
    return Prompts(tree, "templates").file("a.j2", scope)


def _cards(data: bytes) -> object:
    return cards.merged(data.decode("utf-8", "replace"), "cards.toml")


def _pictures() -> list[bytes]:
    pictures = []
    for mode in ("RGB", "RGBA", "P", "L", "1", "CMYK", "I;16"):
        for form in formats().values():
            if not form.plugin:
                continue
            form.plugin()
            file = io.BytesIO()
            try:
                Image.new(mode, (16, 12), 3 if mode != "CMYK" else (1, 2, 3, 4)).save(
                    file, form.name
                )
            except (OSError, ValueError, KeyError):
                continue
            pictures.append(file.getvalue())
    manifests = Path(__file__).parents[1] / "images" / "provenance" / "manifests"
    return pictures + [path.read_bytes() for path in sorted(manifests.iterdir())]


CSV: Final = b'sku,name,price,note\nA-1,Mug,3.5,"two\nlines"\nB-2,"Cup ""x"" y",4,\n'
JSON: Final = b"""[{"sku": "A-1", "name": "Mug", "tags": ["a", 1, null, true], "deep": {"a": {"b": 1.5}}},
 {"sku": 2, "name": "\\u00fc"}]
"""
YAML: Final = b"""- &a {sku: A-1, tags: [a, 1, null, true], 'deep': {"b": 1.5}}
- sku: 2
  <<: *a
  text: |
    two
    lines
"""
PAGE: Final = b"---\nsku: A-1\ntitle: 'It''s'\n---\n\n# Text\n"
LINES: Final = b"""{"sku": "A-1", "name": "Mug"}
{"sku": 2, "name": "x"}
"""
CATALOGUE: Final = (
    b"""{"hero": {"title": "Do {n, plural, one {domu} other {dom\xc3\xb3w}}"}, "cta": "Kup"}"""
)
TABLES: Final = b"""cta = "Kup"
[hero]
title = "{n} dom"
"""
SCENARIO: Final = b"""latency = 2.5
credits = 12.3
limit = 3
[[rules]]
stage = "submit"
fault = "http"
code = 503
times = "once"
match = { prompt = "fox" }
[[rules]]
stage = "download"
fault = "truncated"
"""
TEMPLATES: Final = (
    b"{{ brand.name | upper }} {% for i in range(3) %}{{ i ~ theme }}{% endfor %}",
    b"{% macro m(a, b=2) %}{{ a * b }}{% endmacro %}{{ m(3) }}{{ m(theme) }}{% set ns = namespace(x=1) %}",
    b"{% include 'b.j2' %}{% if row.n > 2 and theme in ['dark'] %}{{ row.tags | join(', ') }}{% endif %}",
    b"{{ '%05.2f' | format(row.n) }}{{ row | tojson }}{{ [1, 2] | map('string') | list }}{# c #}",
    b"{% set x = {'a': [1, (2, 3)]} %}{{ x.a[1:] }}{{ theme[::-1] }}{{ -row.n ** 2 // 1 % 7 }}",
)
REPLIES: Final = tuple(
    status + json.dumps(body).encode()
    for status in (b"200", b"402", b"422", b"429", b"500")
    for body in (
        {"id": "t-1", "polling_url": "https://api.bfl.ai/v1/get_result?id=t-1", "cost": 3.5},
        {"id": "t-1", "status": "Ready", "result": {"sample": "https://x/y.png", "seed": 1}},
        {"id": "t-1", "status": "Request Moderated", "details": {"Moderation Reasons": ["x"]}},
        {"id": "t", "status": "succeeded", "output": ["https://x/y.png"], "metrics": {"a": 1.5}},
        {"id": "t", "status": "failed", "error": "x", "urls": {"get": "https://x/p/t"}},
        {"detail": [{"loc": ["body", "width"], "msg": "too large", "type": "x"}]},
        {"message": "resets in ~12s", "title": "x", "error": {"message": "insufficient"}},
    )
)

TARGETS: Final[Mapping[str, Target]] = {
    "spec": Target(
        _spec,
        (SPEC.encode(), EXAMPLES.joinpath("assets.toml").read_bytes()),
        (SpecError,),
        _words(
            "[[asset.hero.deliver]] matrix rows = { } [ ] {{ }} {% %} ../ extends [op.x] [catalog]"
        ),
    ),
    "lock": Target(_lock, (LOCK.encode(),), (LockError,), _words("<<<<<<< ======= >>>>>>> [[ ]]")),
    "ledger": Target(
        _ledger,
        (BEFORE.joinpath("ledger.jsonl").read_bytes(),),
        (SystemFault,),
        _words('intended ticketed delivered kept voided "schema": null {} []'),
    ),
    "csv": Target(_rows(".csv"), (CSV,), (SpecError,), (b",", b'"', b"\t")),
    "json": Target(_rows(".json"), (JSON,), (SpecError,), _words("null NaN Infinity {} [] true")),
    "yaml": Target(
        _rows(".yaml"), (YAML,), (SpecError,), _words("<<: *a &a !!str ? - | > --- ~ ' { [ no")
    ),
    "md": Target(_rows(".md"), (PAGE, b"+++\nsku = 1\n+++\n"), (SpecError,), _words("--- +++ : =")),
    "po rows": Target(_rows(".po"), (PO.encode(),), (SpecError,)),
    "jsonl": Target(_rows(".jsonl"), (LINES,), (SpecError,), _words("null NaN {} [] true")),
    "po": Target(_strings(".po"), (PO.encode(),), (SpecError,), _words('msgid msgstr[1] #~ #| "')),
    "strings-json": Target(_strings(".json"), (CATALOGUE,), (SpecError,), _words("null {n} {")),
    "strings-toml": Target(_strings(".toml"), (TABLES,), (SpecError,), _words("[a.b] {n, plural,")),
    "replies": Target(_reply, REPLIES, (), _words("null NaN {} [] 1E+999999 1e-99999999999 true")),
    "pictures": Target(_picture, _pictures(), (SpecError,)),
    # What HarfBuzz raises becomes the failure of one file, as all that is raised while it is made.
    "fonts": Target(_font, tuple(p.read_bytes() for p in FONTS.glob("*.ttf")), (Exception,)),
    "scenario": Target(_scenario, (SCENARIO,), (UsageError,), _words("inf nan [[rules]] = times")),
    "templates": Target(
        _template,
        TEMPLATES,
        (TemplateFault,),
        _words("{{ }} {% %} {%- -%} | ( ) [ ] ** ~ for in if set macro call filter range tojson"),
    ),
    "cards": Target(
        _cards,
        (
            b'[bfl.flux-2-pro.price]\nfirst = 0.025\ndated = "2026-11-01"\nsource = "x"\n',
            b'[bfl.new]\nlike = "bfl/flux-2-pro"\nranges = { seed = [0, 4] }\nmultiple = 16\n',
        ),
        (UsageError,),
        _words("inf nan [] {} like true [sketch.sketch]"),
    ),
}
