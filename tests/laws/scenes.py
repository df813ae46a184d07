"""The scenes that are killed: small projects in each situation in which money is at stake."""

from __future__ import annotations

from typing import Final

from flux2build.errors import Exit
from tests.laws.crash import Scene

_HEAD: Final = """\
[project]
output = "img"
[defaults]
provider = "bfl"
model = "flux-2-pro"
width = 64
height = 64
"""

_THREE: Final = f"""{_HEAD}
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
[asset.elk]
prompt = "an elk"
"""

_CHAIN: Final = f"""{_HEAD}
[asset.fox]
prompt = "a fox"
[asset.den]
prompt = "its den"
refs = [{{ asset = "fox" }}]
[asset.cub]
prompt = "its cub"
refs = [{{ asset = "den" }}, {{ asset = "fox" }}]
"""

_FILES: Final = f"""{_HEAD}
[asset.fox]
prompt = "a fox"
[[asset.fox.deliver]]
path = "fox-{{{{ width }}}}.{{{{ format }}}}"
widths = [32, 48]
formats = ["webp", "jpeg"]
"""

_TWINS: Final = f"""{_HEAD}
[asset.fox]
prompt = "a fox"
[asset.vix]
prompt = "a fox"
[asset.owl]
prompt = "an owl"
"""

_BAD: Final = f"""{_HEAD}
[asset.fox]
prompt = "a fox"
[asset.owl]
prompt = "a forbidden owl"
[asset.elk]
prompt = "an explicit elk"
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

SCENES: Final = (
    Scene("cold", _THREE, orders=3),
    Scene("chain", _CHAIN, orders=3),
    Scene("deliverables", _FILES, orders=1),
    Scene("twins", _TWINS, orders=2),
    Scene("at once", _THREE, words=("build", "--yes"), orders=3),
    Scene("moderated", _BAD, exit=Exit.INCOMPLETE, orders=3),
    Scene("no credit", _THREE, rules=(_OWL_POORLY,), exit=Exit.BUDGET, orders=1),
    Scene("kept aside", _THREE, rules=(_OWL_SMALL,), exit=Exit.DECIDE, orders=3, kept=True),
    Scene("resume", _THREE, before=(("after", '"ticketed"', *_BUILD, "-j", "1"),), orders=2),
    Scene(
        "forced",
        _THREE,
        before=(_BUILD,),
        words=("build", "--yes", "-j", "1", "--force", "fox"),
        forced=True,
        orders=1,
    ),
    Scene("restored", _THREE, before=(_BUILD, ("delete", "img/fox.png")), orders=0),
    Scene(
        "edited",
        _FILES,
        before=(_BUILD, ("edit", "assets.toml", "a fox", "a red fox")),
        orders=1,
    ),
)


def scene(name: str) -> Scene:
    """A scene by its name."""
    return next(each for each in SCENES if each.name == name)
