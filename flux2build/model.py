"""The nouns that travel between modules: assets, inputs, recipes, orders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Final, NewType

from msgspec import Struct, field
from msgspec.structs import replace

from flux2build.digest import Digest, Json, canonical, of_bytes, of_json, quoted

AssetName = NewType("AssetName", str)
"""`mascot`, or for a family's member `hero[locale=de,theme=dark]`, axes sorted."""

OWNER: Final = "black-forest-labs/"
"""The account that some carriers put before a model's own name."""

_REWRITING: Final = "disable_pup"
"""The parameter that only some carriers have; other carriers may rewrite a prompt."""

KEY_SCHEMA: Final = 1
"""The version of the rules by which orders, derivations and documents are digested."""


def model_name(spelling: str) -> str:
    """Return a model's own name, whatever a carrier's spelling of it is."""
    return spelling.removeprefix(OWNER)


Key = tuple[str | int, ...]
"""A path of keys into the spec: `("asset", "hero", "deliver", 0, "path")`."""


def member(family: str, axes: Mapping[str, str]) -> AssetName:
    """Return the name of a family's member: identity is by key, never by position."""
    if not axes:
        return AssetName(family)
    inside = ",".join([f"{axis}={axes[axis]}" for axis in sorted(axes)])
    return AssetName(f"{family}[{inside}]")


class Source(Struct, frozen=True):
    """An input: a file drawn, shot or written by hand; its path is POSIX, from the spec's folder."""

    path: str

    def __str__(self) -> str:
        return self.path


class MasterOf(Struct, frozen=True):
    """An input: the master of another asset."""

    asset: AssetName

    def __str__(self) -> str:
        return f"asset:{self.asset}"


class OutputOf(Struct, frozen=True):
    """An input: an output of an asset, which is a master or a deliverable, by its path."""

    asset: AssetName
    path: str

    def __str__(self) -> str:
        return f"output:{self.path}"


Input = Source | MasterOf | OutputOf


class Generate(Struct, frozen=True):
    """A paid order: the request for one picture, with every default resolved.

    `params` holds exactly the parameters that are sent, by flux2build's names
    (`width`, `height`, `seed`, `format`, `steps`, …), and nothing else.
    """

    provider: str
    model: str
    prompt: str
    params: Mapping[str, Json]
    take: int = 1

    @property
    def card(self) -> str:
        """The name of the model's card; weights on this machine are named by their digest, too."""
        return self.model.removeprefix(f"{self.provider}/").partition("@sha256:")[0]

    def varied(self, take: int, seed: int | None) -> Generate:
        """The same request as another take and, if one is given, with another seed."""
        params = self.params if seed is None else {**self.params, "seed": seed}
        return replace(self, take=take, params=params)


class Operation(Struct, frozen=True):
    """One step of a derivation; `{"input": n}` in `params` names the recipe's nth input."""

    op: str
    version: int
    params: Mapping[str, Json] = field(default_factory=dict)


class Derive(Struct, frozen=True):
    """A free local derivation: operations on input 0, then an encoding."""

    ops: tuple[Operation, ...]
    encoding: Mapping[str, Json]
    """`format` (png, jpeg, webp, avif), and optionally `quality`, `lossless`, `matte`, …"""


INGREDIENT: Final = "ingredient"
"""The role of the inputs of a document's files, for documents that describe those too."""


class About(Struct, frozen=True):
    """The facts that a document may state about one of its inputs, beyond its bytes."""

    asset: AssetName
    path: str
    """The path in the document: below the output folder, or for a source from the spec's folder."""
    group: str = ""
    """Files of one group show one picture in several sizes and formats."""
    alt: str | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    ops: tuple[Operation, ...] = ()
    """How it was derived; empty for a master or a source."""
    role: str = ""
    """Its name in a preset (`maskable`, `mdpi`), `INGREDIENT`, or empty."""

    @property
    def json(self) -> dict[str, Json]:
        """All facts, as they enter the document's key."""
        return {
            "asset": self.asset,
            "path": self.path,
            "group": self.group,
            "alt": self.alt,
            "title": self.title,
            "tags": sorted(self.tags),
            "axes": self.axes,
            "ops": [[op.op, op.version, op.params] for op in self.ops],
            "role": self.role,
        }


class Write(Struct, frozen=True):
    """A free text whose content follows from facts about the recipe's inputs."""

    document: str
    version: int
    options: Mapping[str, Json]
    about: tuple[About, ...]
    """One for each input."""


Task = Generate | Derive | Write


class Recipe(Struct, frozen=True):
    """One file to have, with every default, style, profile and template resolved."""

    asset: AssetName
    task: Task
    inputs: tuple[Input, ...]
    output: str
    """POSIX path from the spec's folder."""
    key: Key = ()
    """The place in the spec that asks for it; only for messages."""
    role: str = ""
    """Its name in a preset; only for documents."""
    takes: tuple[Generate, ...] = ()
    """The requests of its candidates, if the spec asks for several; the first is the task."""
    candidate: int = 0
    """The number of the candidate that is ordered; 0 for the file itself."""
    unpicked: bool = False
    """Whether it waits for a person to pick a candidate."""

    @property
    def label(self) -> str:
        """Its name for people: its path, or the number of the candidate and its asset."""
        return f"{self.asset}, candidate {self.candidate}" if self.candidate else self.output

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    @property
    def _facts(self) -> tuple[object, ...]:
        places = self.asset, self.inputs, self.output
        return *places, self.task, self.takes, self.candidate, self.unpicked

    @property
    def kind(self) -> str:
        """`generate`, `derive` or `write`."""
        return type(self.task).__name__.lower()


class Asset(Struct, frozen=True):
    """A named image to have, with what the spec says about it beyond its pixels."""

    name: AssetName
    family: str
    axes: Mapping[str, str]
    tags: tuple[str, ...] = ()
    alt: str | None = None
    title: str | None = None
    source: str | None = None
    """The path of its file, if it is not rendered."""
    review: bool = False
    """Whether a person has to approve its picture."""
    expect_text: str | None = None
    """The words that its picture has to show."""
    key: Key = ()

    @property
    def meta(self) -> Digest:
        """The digest of the facts that never render anything: tags, alternative text and title."""
        return _meta(self.tags, self.alt, self.title)


@lru_cache(maxsize=1024)
def _meta(tags: tuple[str, ...], alt: str | None, title: str | None) -> Digest:
    return of_json({"tags": sorted(tags), "alt": alt, "title": title})


class Order(Struct, frozen=True):
    """A purchase, identified by its content; asset, provider and URL are not part of it."""

    model: str
    prompt: str
    params: Mapping[str, Json]
    inputs: tuple[Digest, ...]
    take: int = 1

    @property
    def digest(self) -> Digest:
        """The order's identity in the lock and the ledger: the digest of its canonical JSON."""
        inputs = ",".join(map(quoted, self.inputs))
        return of_bytes(
            f'{{"inputs":[{inputs}],"model":{quoted(self.model)},"params":{_params(self.params)},'
            f'"prompt":{quoted(self.prompt)},"schema":{KEY_SCHEMA},"take":{self.take}}}'.encode()
        )

    @property
    def spellings(self) -> tuple[Digest, Digest]:
        """Its digest, and the earlier one that included a carrier's spelling of the model."""
        return self.digest, replace(self, model=OWNER + self.model).digest

    @property
    def names(self) -> tuple[Digest, ...]:
        """Its digest, and all others under which its picture may be known."""
        orders = (self, *(replace(self, params=params) for params in _alike(self.params)))
        return tuple(name for order in orders for name in order.spellings)


def _params(params: Mapping[str, Json]) -> str:
    """The canonical JSON of parameters, which most orders of a spec share."""
    try:
        return _flat(tuple(params.items()), tuple(map(type, params.values())))
    except TypeError:  # a list or a table is among them
        return canonical(params)


@lru_cache(maxsize=1024)
def _flat(items: tuple[tuple[str, Json], ...], _types: tuple[type[object], ...]) -> str:
    return canonical(dict(items))


def _alike(params: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """Other parameters that ask for the same picture."""
    if _REWRITING not in params:
        yield {**params, _REWRITING: False}
        yield {**params, _REWRITING: True}
    elif params[_REWRITING] is False:
        yield {name: value for name, value in params.items() if name != _REWRITING}


def payload(model: str, prompt: str, params: Mapping[str, Json]) -> Digest:
    """Return the digest of the request, without its inputs and its take."""
    return of_json({"model": model, "prompt": prompt, "params": params})


def payloads(model: str, prompt: str, params: Mapping[str, Json]) -> tuple[Digest, Digest]:
    """Return the payload, and the earlier one that included a carrier's spelling of the model."""
    return payload(model, prompt, params), payload(OWNER + model, prompt, params)


def order_of(task: Generate, inputs: tuple[Digest, ...]) -> Order:
    """Return the order for a task, given the digests of its inputs."""
    return Order(task.model, task.prompt, task.params, inputs, task.take)


def derivation(task: Derive, inputs: tuple[Digest, ...]) -> Digest:
    """Return the digest of a derivation: the same digest means the same pixels."""
    return of_json(
        {
            "schema": KEY_SCHEMA,
            "ops": [[op.op, op.version, op.params] for op in task.ops],
            "encoding": task.encoding,
            "inputs": inputs,
        }
    )


def key_of(task: Task, inputs: tuple[Digest, ...]) -> Digest:
    """Return the key of a task: the digest of its order, derivation or document."""
    match task:
        case Generate():
            return order_of(task, inputs).digest
        case Derive():
            return derivation(task, inputs)
        case Write():
            return of_json(
                {
                    "schema": KEY_SCHEMA,
                    "document": task.document,
                    "version": task.version,
                    "options": task.options,
                    "about": [about.json for about in task.about],
                    "inputs": inputs,
                }
            )


ADOPTED: Final = "adopted"
"""The provider and the source of the cost in the receipt of an adopted picture."""


class Receipt(Struct, frozen=True):
    """The proof of a delivered order, with what it cost in USD."""

    provider: str
    task: str = ""
    """Its id at the provider; for a picture rendered on this machine, the software."""
    cost: Decimal | None = None
    cost_source: str = "unknown"
    """`settled`, `submitted`, `estimated`, `free`, `adopted` or `unknown`."""
    seed: int | None = None
    prompt: str | None = None
    """The prompt as the server reports it, when it differs from the order's."""

    @property
    def paid(self) -> bool:
        """Whether the picture cannot be made again free of charge: it was bought or adopted."""
        return self.cost_source != "free"

    @property
    def adopted(self) -> bool:
        """Whether a person adopted the picture, so that no model rendered it for this order."""
        return self.cost_source == ADOPTED


class Bought(Struct, frozen=True):
    """A picture that has just been rendered or collected; its bytes are in the store."""

    digest: Digest
    receipt: Receipt
    shared: bool = False
    """Whether somebody else of the team has bought it."""


class C2paManifest(Struct, frozen=True):
    """The facts in the active C2PA manifest of a file."""

    state: str
    """`present`; after verification `valid` or `invalid`."""
    signer: str = ""
    """The organization that its certificate names."""
    generator: str = ""
    """The program that created the manifest."""


class Output(Struct, frozen=True):
    """A file that was written, described by its bytes."""

    path: str
    sha256: Digest
    bytes: int
    width: int = 0
    height: int = 0
    format: str = ""
    source_type: str | None = None
    """The IPTC digital source type in its file: empty for none, None if it was not read."""
    colours: str = ""
    """Its dominant colours, as text; empty if they are not known."""
    manifest: C2paManifest | None = None
    """The C2PA manifest in its file."""
    unsigned: Digest | None = None
    """The digest of a signed file before signing, which unlike the signature can be reproduced."""
    text: str | None = None
    """The words in it, as `images.reading` writes them; None if nobody has read it."""
