"""Keys without effect, and what is said of them: the cases that cost people money."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace
from PIL import Image

from flux2build.assetspec.reader import load
from flux2build.assetspec.shapes import area_of, ratio_of, sides
from flux2build.assetspec.spec import Spec
from flux2build.errors import SpecError
from flux2build.model import Write
from tests.assetspec.specs import SHIPPED, orders, tree
from tests.odd_pictures import saved

PICTURE = Image.new("RGB", (2000, 2000))
FILES: Mapping[str, str | bytes] = {
    "r.png": saved(PICTURE, "PNG"),
    "r.jpg": saved(PICTURE, "JPEG"),
    "rows.csv": "sku\nA1\nA2\n",
    "l/de.json": '{"h": "Hallo"}',
}
TWO = "[profile.draft]\nprovider = 'sketch'\n[profile.final]\nprovider = 'bfl'\n"
THREE = f"{TWO}model = 'flux-3-image'\n"
ROWS = "[asset.a]\nprompt = 'a'\nrows = { file = 'rows.csv', key = 'sku' }\n"
STYLE = "[style.s]\ndeliver = [{ path = '{{ asset.name }}.x.{{ format }}', quality = 80 }]\n"
CATALOG = "[catalog]\npath = 'l/{locale}.json'\n"
SIZES = "deliver = [{ matrix = { size = ['s'] }, path = 'a-{{ size }}.png' }]"
LOCALES = "deliver = [{ matrix = { locale = ['de'] }, path = '{{ t(\"h\") }}.png' }]"
BFL = "[defaults]\nprovider = 'bfl'\n"


def spec_of(text: str, profile: str | None = None) -> Spec:
    """A spec with what comes with flux2build."""
    return load(tree(text, FILES), "assets.toml", profile, SHIPPED)


def faults(text: str) -> list[str]:
    """The messages of what is wrong, each with its line."""
    with pytest.raises(SpecError) as caught:
        spec_of(text)
    return [f"{p.place.line if p.place else 0}: {p.message}" for p in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[asset.a]\nsource = 'r.png'\nseed = 4", "3: a picture with `source` is not rendered"),
        ("[asset.a]\nsource = 'r.png'\nsign = true", "3: `sign` is about files of `deliver`"),
        ("[asset.a]\nprompt = 'a'\nprovenance = false", "3: `provenance` is about files of"),
        ("[asset.a]\nprompt = 'a'\nsteps = 20", "3: `steps` is not sent to `sketch`"),
        (
            "[asset.a]\nprompt = 'a'\ndeliver = [{ path = 'b.png', quality = 80 }]",
            "3: none of the formats has `quality`",
        ),
        (
            "[asset.a]\nprompt = 'a'\ndeliver = [{ path = 'b.webp', upscale = true }]",
            "3: `upscale` is about `widths` or a `preset`",
        ),
        (
            "[asset.a]\nprompt = 'a'\ndeliver = [{ path = 'b.webp', min_quality = 20 }]",
            "3: `min_quality` is about `max_bytes`",
        ),
        (
            "[asset.a]\nsource = 'r.png'\ndeliver = [{ preset = 'og', safe = 0.5 }]",
            "3: no file of preset `og` has a use for `safe`",
        ),
        (
            "[asset.a]\nprompt = 'a'\nvars = { size = 1 }\nmatrix = { size = ['s'] }",
            "3: the variable `size` is hidden by the axis of the same name",
        ),
        ("[asset.a]\nprompt = 'a'\nvars = { size = 1 }", "3: no template names the variable"),
        (
            "[asset.a]\nprompt = 'a'\nvars = { size = 1 }\n" + SIZES,
            "3: the variable `size` is hidden by the axis of the same name",
        ),
        (
            f"{CATALOG}[asset.a]\nprompt = 'a'\nvars = {{ locale = 'de' }}\n{LOCALES}",
            "5: the variable `locale` is hidden by the axis of the same name",
        ),
        (
            f"{ROWS}exclude = [{{ sku = 'A3' }}]",
            "4: axis `sku` has no value `A3`",
        ),
        (
            f"{BFL}model = 'flux-3-image'\n[asset.a]\nprompt = 'a'\nwidth = 1536",
            "6: model `flux-3-image` has no `width`",
        ),
        (
            "[asset.a]\nprompt = 'a'\nprovider = 'replicate'\nmodel = 'flux-2-klein-4b'\nheight = 768",
            "5: model `flux-2-klein-4b` has no `height`",
        ),
        (
            "[profile.f]\nprovider = 'bfl'\nmodel = 'flux-3-image'\nseed = 1\n[asset.a]\nprompt = 'a'",
            "4: model `flux-3-image` has no `seed`",
        ),
        (
            f"{BFL}model = 'flux-3-image'\n[asset.a]\nprompt = 'a'\nprovider = 'cometapi'",
            "3: provider `cometapi` has no model `flux-3-image`",
        ),
        ("[profile.z]\nprovider = 'sketsh'\n[asset.a]\nprompt = 'a'", "2: unknown provider"),
        ("[profile.z]\noutput = '../x'\n[asset.a]\nprompt = 'a'", "2: output folder `../x`"),
        (
            "[profile.z]\nprompt_suffix = '{{ nowhere }}'\n[asset.a]\nprompt = 'a'",
            "2: `nowhere` is not defined",
        ),
        ("[asset.a]\nprompt = 'a'\naspect_ratio = 'wide'", "3: `wide` is not a shape"),
        ("[asset.a]\nprompt = 'a'\nresolution = 'big'", "3: `big` is not a size class"),
        (
            "[asset.a]\nprompt = 'a'\ndeliver = [{ path = 'b.jpg', matte = '{{ x }}' }]",
            "3: `{{ x }}` is not a colour",
        ),
        ("[vars]\nx = '{{ y }}'\n[asset.a]\nprompt = '{{ x }}'", "2: `x` is not a template"),
        ("[asset.a]\nprompt = 'hat {#FF0000}'", "2: a comment begins with `{#`, and has no end"),
    ],
)
def test_a_key_that_would_be_lost_is_refused(text: str, message: str) -> None:
    """What an asset is said to be and cannot be is an error at its place."""
    (fault,) = faults(text)

    assert fault.startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        f"{TWO}[asset.a]\nprompt = 'a'\nsafety_tolerance = 2",
        f"{THREE}[asset.a]\nprompt = 'a'\nwidth = 512\nheight = 256\nseed = 7",
        "[profile.f]\n[asset.a]\nprompt = '{{ x }}'\nvars = { x = 1 }\nprofile = { f = { vars = { x = 2 } } }",
        "[project]\nprofile = 'p'\n[profile.p]\nseed = 1\n[asset.a]\nprompt = 'a'\nseed = 2",
        f"{STYLE}[asset.a]\nprompt = 'a'\nstyle = 's'\n[asset.b]\nsource = 'r.jpg'\nstyle = 's'",
        f"{TWO}model = 'flux-2-flex'\n[profile.mid]\nprovider = 'bfl'\n[asset.a]\nprompt = 'a'\nsteps = 40",
        f"{CATALOG}[asset.a]\nprompt = \"{{{{ t('h') }}}}\"\nvars = {{ locale = 'de' }}",
    ],
)
def test_a_key_that_some_profile_uses_is_none(text: str) -> None:
    """A key has its effect if any profile or any asset has a use for it."""
    spec = spec_of(text, "default")

    assert not spec.notices


@pytest.mark.parametrize("profile", ["draft", "final"])
def test_what_a_profile_does_not_send_is_noted(profile: str) -> None:
    """A parameter that a profile's model lacks is noted where it is bought, and not of sketches."""
    spec = spec_of(f"{THREE}[asset.a]\nprompt = 'a'\nseed = 7", profile)

    assert spec.notes == (
        {"a": ("`seed` is not sent to flux-3-image",)} if profile == "final" else {}
    )


def test_a_parameter_that_another_model_is_sent_is_no_contradiction() -> None:
    """What defaults say beside a model may be meant for an asset with another one."""
    spec = spec_of(
        f"{BFL}model = 'flux-3-image'\nseed = 3\n[asset.a]\nprompt = 'a'\n"
        "[asset.b]\nprompt = 'b'\nmodel = 'flux-2-pro'"
    )

    assert orders(spec)["b"].params["seed"] == 3
    assert spec.notes == {"a": ("`seed` is not sent to flux-3-image",)}


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("aspect_ratio = '16:9'", (1360, 768)),
        ("aspect_ratio = '16:9'\nresolution = '2k'", (2736, 1536)),
        ("resolution = '768sq'", (768, 768)),
        ("aspect_ratio = 'auto'", (1024, 1024)),
        ("width = 512", (512, 1024)),
    ],
)
def test_a_sketch_has_the_shape_of_the_picture(said: str, size: tuple[int, int]) -> None:
    """A shape in words becomes the sides of the sketch, which is ordered by them alone."""
    (order,) = orders(spec_of(f"[asset.a]\nprompt = 'a'\n{said}")).values()

    assert order.params == {"width": size[0], "height": size[1], "format": "png"}


def test_pixels_of_a_stronger_layer_go_before_a_shape() -> None:
    """A profile may ask for small sketches of whatever shape."""
    text = "[profile.d]\nwidth = 128\nheight = 64\n[asset.a]\nprompt = 'a'\naspect_ratio = '1:1'"

    assert orders(spec_of(text, "d"))["a"].params["width"] == 128


@pytest.mark.parametrize("word", ["0k", "99k", "k", "1:1", "-1", "1e3", "", "0"])
def test_what_is_no_size_class(word: str) -> None:
    """Classes that no picture has are refused, and so are words that are none."""
    assert area_of(word) is None


@pytest.mark.parametrize("word", ["0:1", "1:0", "17:1", "1:17", "16", "16:9:4", "", "x:y"])
def test_what_is_no_shape(word: str) -> None:
    """Shapes that no picture has are refused, and so are words that are none."""
    assert ratio_of(word) is None
    assert sides(1024 * 1024, 1) == (1024, 1024)


def test_a_variable_is_seen_beside_an_axis_of_deliver() -> None:
    """Any text that the axis does not reach sees the variable."""
    text = "[asset.a]\nprompt = 'a {{ size }}'\nvars = { size = 1 }\n"

    assert orders(spec_of(text + SIZES))["a"].prompt == "a 1"


def test_a_folder_of_templates_that_nothing_is_read_from_is_told() -> None:
    """A folder is said for its templates, so that one without a use is probably not the one."""
    spec = spec_of("[project]\ntemplates = 'tmeplates'\n[asset.a]\nprompt = 'a'")

    (notice,) = spec.notices
    assert notice.problem.message == "no template is read from `tmeplates`"


def test_options_of_documents_are_templates() -> None:
    """A name in a web manifest is that of the member, and of `[vars]`."""
    spec = spec_of(
        "[vars]\nbrand = 'Acme'\n[asset.a]\nsource = 'r.png'\nmatrix = { size = ['s', 'l'] }\n"
        "deliver = [{ path = '{{ size }}/i.png', documents = [{ document = 'webmanifest', "
        "path = '{{ size }}/m.webmanifest', name = '{{ brand }} {{ size }}' }] }]\n"
        "[manifest]\npath = 'all.json'\nbase = '/{{ brand }}/'"
    )
    told = [recipe.task.options for recipe in spec.recipes if isinstance(recipe.task, Write)]

    assert [each.get("name", each.get("base")) for each in told] == ["Acme s", "Acme l", "/Acme/"]


def test_weights_of_another_machine_are_not_judged() -> None:
    """A profile of a person's own weights stands in nobody else's way, and uses what it says."""
    text = (
        "[asset.a]\nprompt = 'a'\nsteps = 9\n[profile.mine]\nprovider = 'local'\nmodel = 'my-own'\n"
        "[[asset.a.profile.mine.deliver]]\npath = 'b.webp'\nquality = 70"
    )
    known = replace(SHIPPED, installed={"local"})

    assert load(tree(text), "assets.toml", None, known).recipes


def test_nothing_is_known_of_an_asset_without_members() -> None:
    """A table of rows that is empty today says nothing about the keys of its asset."""
    text = "[asset.a]\nprompt = '{{ row.x }}'\nseed = 3\nrows = { file = 'none.csv', key = 'sku' }"
    files = {"none.csv": "sku,x\n"}

    assert not load(tree(text, files), "assets.toml", None, SHIPPED).recipes
