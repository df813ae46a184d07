"""`flux2build orders`: what is open, and how a person settles it."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from flux2build import ledger
from flux2build.digest import of_bytes
from flux2build.errors import Exit
from flux2build.ledger import Attempt, State
from flux2build.session.home import user_journal
from tests import journals
from tests.conftest import Ran, Site


def picture() -> bytes:
    """A small picture."""
    target = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(target, "png")
    return target.getvalue()


@pytest.fixture
def books(site: Site) -> Site:
    """One order in doubt, one pending, one kept aside, one delivered, one refused."""
    here = str(site.folder)
    doubt, pending, aside, done, refused = (
        journals.intended(name, asset=asset, project=here)
        for name, asset in (
            ("d0ubt1", "mascot"),
            ("pend1ng", "icon"),
            ("kept1", "hero[theme=dark]"),
            ("d0ne1", "icon"),
            ("refused1", "icon"),
        )
    )
    journals.wrote(
        doubt,
        *(pending, journals.ticketed(pending)),
        *(aside, journals.ticketed(aside), journals.kept(aside, journals.kept_bytes(picture()))),
        *(done, journals.ticketed(done), journals.delivered(done)),
        *(refused, journals.voided(refused, charged=False)),
    )
    return site


def attempt(name: str) -> Attempt:
    """What the journal now says about one order."""
    attempts = ledger.fold(user_journal().read()).attempts
    return next(each for each in attempts if each.name == name)


OPEN = """\
d0ubt1  in doubt    2026-11-02 10:00  mascot            bfl/flux-2-pro  at most $0.03
pend1ng  pending     2026-11-02 10:00  icon              bfl/flux-2-pro  at most $0.03
kept1  kept aside  2026-11-02 10:00  hero[theme=dark]  bfl/flux-2-pro  $0.03
"""


@pytest.mark.parametrize("words", [(), ("list",)])
def test_list(books: Site, words: tuple[str, ...]) -> None:
    """What is open is listed, with what can be done about each kind; `orders` alone lists too."""
    ran = books.run("orders", *words)

    assert (ran.code, ran.out) == (Exit.DONE, OPEN)
    for command in ("orders adopt", "orders resubmit", "orders write-off", "orders show"):
        assert f"flux2build {command} ORDER" in ran.err
    assert "The next build collects what is pending, free." in ran.err


def test_list_everything(books: Site) -> None:
    """What is delivered or settled is listed on demand, with what it cost."""
    lines = books.run("orders", "list", "--everything").out.splitlines()

    assert [line.split()[0] for line in lines] == [
        "d0ubt1",
        "pend1ng",
        "kept1",
        "d0ne1",
        "refused1",
    ]
    assert lines[3].endswith("$0.03")
    assert lines[4].endswith("not charged")


def test_nothing_is_open(site: Site) -> None:
    """An empty list is said to be empty, and only to people."""
    assert site.run("orders") == Ran(Exit.DONE, "", "No order is open.\n")
    assert json.loads(site.run("orders", "--json").out) == {"format_version": "1.0", "orders": []}


def test_json(books: Site) -> None:
    """Programs get every fact of every open order."""
    rows = json.loads(books.run("orders", "--json").out)["orders"]

    assert [(row["order"], row["state"]) for row in rows] == [
        ("d0ubt1", "in doubt"),
        ("pend1ng", "pending"),
        ("kept1", "kept aside"),
    ]
    shown = json.loads(books.run("orders", "show", "kept1", "--json").out)
    assert shown == {"format_version": "1.0", **rows[2]}
    assert shown["message"] == "it is 64x64 pixels, 128x96 were ordered"


def test_show(books: Site) -> None:
    """One order by the beginning of its name, with where its bytes lie."""
    ran = books.run("orders", "show", "ke")
    facts = dict(line.split(maxsplit=1) for line in ran.out.splitlines())

    assert facts["asset"] == "hero[theme=dark]"
    assert facts["kept"] == "it is 64x64 pixels, 128x96 were ordered"
    assert facts["picture"] == of_bytes(picture())
    assert Path(facts["file"]).read_bytes() == picture()
    assert "flux2build orders adopt ORDER        take it as it is" in ran.err


@pytest.mark.parametrize(
    "words", [("show", "xx"), ("adopt", "xx", "1"), ("resubmit", "d0"), ("show", "")]
)
def test_names(books: Site, words: tuple[str, ...]) -> None:
    """A name that fits none or several orders settles nothing."""
    ran = books.run("orders", *words)

    assert ran.code == Exit.USAGE
    assert "`flux2build orders list` names them" in ran.err


def test_adopt_a_task(site: Site) -> None:
    """A task found at the provider becomes the ticket of the order in doubt."""
    journals.wrote(journals.intended("d1"))
    ran = site.run("orders", "adopt", "d1", "abc-123")

    assert ran == Ran(
        Exit.DONE,
        "",
        "`bfl` was not asked whether it knows `abc-123`: `BFL_API_KEY` is not set\n"
        "`icon` was bought as abc-123; the next build collects it\n",
    )
    settled = attempt("d1")
    assert settled.state is State.PENDING
    assert settled.ticketed is not None
    assert settled.ticketed.poll == "https://api.bfl.ai/v1/get_result?id=abc-123"


def test_adopt_a_file(books: Site) -> None:
    """A picture that the user fetched goes into the store, and the order counts as delivered."""
    books.folder.joinpath("mine.png").write_bytes(picture())
    assert books.run("orders", "adopt", "d0ubt1", "mine.png").code == Exit.DONE

    settled = attempt("d0ubt1")
    assert settled.delivered is not None
    assert settled.delivered.output == of_bytes(picture())
    assert settled.delivered.receipt.cost == Decimal("0.03")
    assert settled.delivered.receipt.cost_source == "estimated"


@pytest.mark.parametrize("what", [(), (of_bytes(picture()),)], ids=["alone", "by digest"])
def test_adopt_what_was_kept(books: Site, what: tuple[str, ...]) -> None:
    """What was kept aside is taken as it is, with the receipt that came with it."""
    assert books.run("orders", "adopt", "kept1", *what).code == Exit.DONE

    settled = attempt("kept1")
    assert settled.delivered is not None
    assert settled.delivered.output == of_bytes(picture())
    assert settled.delivered.receipt.cost_source == "settled"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("d0ubt1",), "nothing was kept aside for order `d0ubt1`"),
        (("d0ubt1", "there/is/none"), "there is no file `there/is/none`"),
        (("d0ubt1", "none.PNG"), "there is no file `none.PNG`"),
        (("d0ubt1", "assets.toml"), "`assets.toml` is"),
        (("d0ubt1", "sha256:12"), "`sha256:12` is not a digest"),
        (("d0ne1", "abc"), "order `d0ne1` is delivered already"),
    ],
)
def test_what_cannot_be_adopted(books: Site, words: tuple[str, ...], message: str) -> None:
    """A mistake is named, and the journal says nothing new."""
    before = user_journal().read()
    ran = books.run("orders", "adopt", *words)

    assert ran.code == Exit.USAGE
    assert ran.err.startswith(f"error: {message}")
    assert user_journal().read() == before


def test_resubmit(books: Site) -> None:
    """What was not bought costs nothing and may be sent again."""
    assert books.run("plan", "mascot", "-p", "final").code == Exit.DONE
    assert "it costs nothing" in books.run("orders", "resubmit", "d0ubt1").err
    settled = attempt("d0ubt1")
    assert (settled.state, settled.voided and settled.voided.charged) == (State.VOIDED, False)


def test_write_off(books: Site) -> None:
    """What is open can be given up, once; programs get what became of it."""
    row = json.loads(books.run("orders", "write-off", "pend1ng", "--json").out)

    assert (row["order"], row["state"], row["refusal"]) == ("pend1ng", "voided", "written-off")
    assert books.run("orders", "write-off", "pend1ng").code == Exit.USAGE


def test_a_damaged_journal(books: Site) -> None:
    """A damaged journal is listed as far as it can be read, with a warning; nothing is settled in it."""
    path = user_journal().path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"00000000 {}\n", *lines[1:]]))
    ran, settled = books.run("orders"), books.run("orders", "write-off", "pend1ng")

    assert (ran.code, settled.code) == (Exit.DONE, Exit.SYSTEM)
    for said in (ran.err, settled.err):
        assert "the journal of orders is damaged" in said
        assert f"{path}:2" in said
