"""Presets as they are written in `deliver`: what they come to, and what is wrong with them."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from flux2build.assetspec.reader import load
from flux2build.errors import SpecError
from flux2build.model import Derive, Recipe
from tests.assetspec.specs import SHIPPED, MemoryTree


def recipes(entry: str, size: tuple[int, int] = (1600, 1200), ops: str = "") -> list[Recipe]:
    """The files that an entry of `deliver` comes to, for a rendered picture of some size."""
    head = f'[asset.a]\nprompt = "x"\nwidth = {size[0]}\nheight = {size[1]}\n{ops}'
    text = f"{head}deliver = [{entry}]\n"
    spec = load(MemoryTree({"assets.toml": text}), "assets.toml", None, SHIPPED)
    return [recipe for recipe in spec.recipes if recipe.kind != "generate"]


def outputs(entry: str) -> list[str]:
    """Where the files of an entry go."""
    return [recipe.output for recipe in recipes(entry)]


def test_one_file_is_named_by_its_preset() -> None:
    """A preset of one file lies beside its master, with the preset's name."""
    assert outputs('{ preset = "og" }') == ["a-og.jpeg"]
    assert outputs('{ preset = "og", formats = ["png"] }') == ["a-og.png"]
    assert outputs('{ preset = "og", path = "card.jpg" }') == ["card.jpg"]


def test_a_set_lies_in_a_folder() -> None:
    """Files of a set have the names that the platform knows them by."""
    assert outputs('{ preset = "play" }') == ["a/icon.png", "a/feature_graphic.png"]
    at_the_root = outputs('{ preset = "favicon", path = "{{ target }}.{{ format }}" }')
    assert {"favicon.ico", "apple-touch-icon.png", "site.webmanifest"} <= set(at_the_root)


def test_some_of_a_set() -> None:
    """Widths choose among the files of a preset; formats as well."""
    entry = '{ preset = "web", widths = [640, 960], formats = ["webp"] }'

    assert outputs(entry) == ["a/w640.webp", "a/w960.webp"]


def test_the_stricter_limit_counts() -> None:
    """A limit of one's own goes below the platform's, and never above it."""
    (own,) = recipes('{ preset = "youtube-thumb", max_bytes = 300000 }')
    (theirs,) = recipes('{ preset = "youtube-thumb", max_bytes = 9000000 }')

    assert isinstance(own.task, Derive)
    assert isinstance(theirs.task, Derive)
    assert own.task.encoding["max_bytes"] == 300000
    assert theirs.task.encoding["max_bytes"] == 2048 * 1000


def test_focus_is_kept_in_the_middle() -> None:
    """The crop is around the focus of the entry."""
    (recipe,) = recipes('{ preset = "og", focus = [0.25, 0.5] }')

    assert isinstance(recipe.task, Derive)
    assert recipe.task.ops[0].params["focus"] == [0.25, 0.5]


def test_usual_parameters_do_not_reach_presets() -> None:
    """What the spec says of its own operations changes nothing about a platform's sizes."""
    usual = '[op.resize]\nmode = "fit"\n[op.crop]\nanchor = "top"\n'
    text = '[asset.a]\nprompt = "x"\nwidth = 1600\nheight = 1200\ndeliver = [{ preset = "og" }]\n'
    plain = load(MemoryTree({"assets.toml": text}), "assets.toml", None, SHIPPED)
    spec = load(MemoryTree({"assets.toml": usual + text}), "assets.toml", None, SHIPPED)

    assert spec.recipes == plain.recipes


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ('{ preset = "ogg" }', 23, "there is no preset `ogg`"),
        ('{ preset = "og", formats = ["webp"] }', 40, "preset `og` cannot be webp"),
        ('{ preset = "og", widths = [640] }', 39, "has no file that is 640 wide"),
        ("{ focus = [0.5, 0.5] }", 14, "`focus` goes with a `preset`"),
        ('{ preset = "vision_pro" }', 23, "there is no preset `vision_pro`"),
        ('{ preset = "appstore-vision-pro" }', 23, "needs 3840x2160 pixels"),
        ("{ widths = [640, 1601] }", 29, "width 1601 needs 1601 pixels"),
    ],
)
def test_mistakes(entry: str, column: int, message: str) -> None:
    """Each mistake is reported at its place, before anything is rendered."""
    with pytest.raises(SpecError) as caught:
        recipes(entry)

    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (5, column)


def test_a_set_at_one_path() -> None:
    """Files of a set that would overwrite each other get a hint to name the target in the path."""
    with pytest.raises(SpecError) as caught:
        recipes('{ preset = "play", path = "icon.{{ format }}" }')

    assert "two outputs at `icon.png`" in caught.value.problems[0].message
    assert (
        caught.value.problems[0].hint
        == "let the path say `{{ target }}`, which is each file's name"
    )


def test_pixels_are_invented_on_request_only() -> None:
    """With `upscale`, a picture that is too small is enlarged after all."""
    (recipe,) = recipes('{ preset = "appstore-vision-pro", upscale = true }')

    assert isinstance(recipe.task, Derive)
    assert recipe.task.ops[1].params["upscale"] is True
    assert outputs("{ widths = [1601], upscale = true }") == ["a-1601.png"]


def test_a_source_is_measured() -> None:
    """A picture that is a file is as large as its container says."""
    target = io.BytesIO()
    Image.new("RGB", (600, 600)).save(target, "png")
    text = '[asset.a]\nsource = "a.png"\ndeliver = [{ preset = "og" }]\n'

    with pytest.raises(SpecError, match="the picture has 600x600"):
        load(
            MemoryTree({"assets.toml": text, "a.png": target.getvalue()}),
            "assets.toml",
            None,
            SHIPPED,
        )


def test_a_document_of_ones_own_replaces_the_preset_s() -> None:
    """Whoever asks for a web manifest with words gets that one only."""
    asked = '{ document = "webmanifest", path = "app.webmanifest", name = "Acme" }'

    found = outputs(f'{{ preset = "favicon", documents = [{asked}] }}')

    assert [path for path in found if path.endswith(".webmanifest")] == ["app.webmanifest"]
