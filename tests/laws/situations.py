"""The situations in which builds are killed: small projects whose builds spend money."""

from __future__ import annotations

from typing import Final

from flux2build.errors import Exit
from tests.laws.trials import Situation

HEAD: Final = """\
[project]
output = "img"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
"""
"""How the spec of a small project begins whose pictures cost money."""

_THREE: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
[asset.elk]
prompt = "an elk"
"""

_CHAIN: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[asset.den]
prompt = "its den"
refs = [{{ asset = "fox" }}]
[asset.cub]
prompt = "its cub"
refs = [{{ asset = "den" }}, {{ asset = "fox" }}]
"""

_FILES: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox-{{{{ width }}}}.{{{{ format }}}}"
widths = [32, 48]
formats = ["webp", "jpeg"]
"""

_TWINS: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[asset.vix]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
"""

_SEVERAL: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
seeds = [1, 2, 3]
deliver = [{{ formats = ["webp"] }}]
"""

_BAD: Final = f"""{HEAD}
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "a forbidden owl"
[asset.elk]
prompt = "an explicit elk"
"""

_COMETAPI: Final = _THREE.replace('"bfl"', '"cometapi"')
_REPLICATE: Final = """\
[project]
output = "img"
[defaults]
provider = "replicate"
model = "black-forest-labs/flux-2-pro"
width = 256
height = 256
[asset.fox]
prompt = "a fox"
refs = ["den.png"]
[asset.cub]
prompt = "its cub"
refs = [{ asset = "fox" }]
[[asset.cub.deliver]]
path = "cub-{{ width }}.{{ format }}"
widths = [32]
formats = ["webp", "jpeg"]
"""

_BUILD: Final = ("build", "--yes")
_OWL_POORLY: Final = {"stage": "submit", "prompt": "owl", "fault": "http", "code": 402}
_OWL_SMALL: Final = {
    "stage": "download",
    "prompt": "owl",
    "fault": "wrong-size",
    "width": 80,
    "height": 48,
}

SITUATIONS: Final = (
    Situation("cold", _THREE, orders=3),
    Situation("chain", _CHAIN, orders=3),
    Situation("deliverables", _FILES, orders=1),
    Situation("twins", _TWINS, orders=2),
    Situation("at once", _THREE, words=("build", "--yes"), orders=3),
    Situation("moderated", _BAD, exit=Exit.INCOMPLETE, orders=3),
    Situation("no credit", _THREE, rules=(_OWL_POORLY,), exit=Exit.BUDGET, orders=1),
    Situation("kept aside", _THREE, rules=(_OWL_SMALL,), exit=Exit.DECIDE, orders=3),
    Situation("resume", _THREE, before=(("after", '"ticketed"', *_BUILD, "-j", "1"),), orders=2),
    Situation(
        "unwanted",
        _THREE,
        before=(
            ("after", '"ticketed"', *_BUILD, "-j", "1"),
            ("edit", "assets.toml", "a fox", "a red fox"),
        ),
        orders=3,
    ),
    Situation(
        "forced",
        _THREE,
        before=(_BUILD,),
        words=("build", "--yes", "-j", "1", "--force", "fox"),
        forced=True,
        orders=1,
    ),
    Situation("restored", _THREE, before=(_BUILD, ("delete", "img/fox.png")), orders=0),
    Situation(
        "edited",
        _FILES,
        before=(_BUILD, ("edit", "assets.toml", "a fox", "a red fox")),
        orders=1,
    ),
    Situation("cometapi", _COMETAPI, orders=3),
    Situation("replicate", _REPLICATE, before=(("draw", "den.png"),), orders=2),
    Situation(
        "resubmit",
        _THREE,
        before=(("after", "POST ", *_BUILD, "-j", "1"), ("doubt", *_BUILD)),
        words=("orders", "resubmit", "{order}"),
        forced=True,
    ),
    Situation(
        "write off",
        _THREE,
        before=(("after", "POST ", *_BUILD, "-j", "1"), ("doubt", *_BUILD)),
        words=("orders", "write-off", "{order}"),
        forced=True,
    ),
    Situation(
        "adopt",
        _THREE,
        before=(("after", "POST ", *_BUILD, "-j", "1"), ("doubt", *_BUILD)),
        words=("orders", "adopt", "{order}", "{task}"),
    ),
    Situation("candidates", _SEVERAL, exit=Exit.DECIDE, orders=3),
    Situation(
        "picked",
        _SEVERAL,
        before=(("doubt", *_BUILD),),
        words=("pick", "fox", "2"),
    ),
    Situation(
        "reroll",
        _THREE.replace('"a fox"', '"a fox"\nseed = 1'),
        before=(_BUILD,),
        words=("reroll", "fox", "-n", "2", "--yes", "-j", "1"),
        orders=2,
    ),
    Situation(
        "recover",
        _THREE,
        before=(_BUILD, ("delete", "img/fox.png"), ("garble",)),
        words=("orders", "recover", "--yes"),
    ),
)


def situation(name: str) -> Situation:
    """Return a situation by its name."""
    return next(each for each in SITUATIONS if each.name == name)
