"""The settings of an encoding are checked before a pixel is written."""

from __future__ import annotations

import pytest

from flux2build.digest import Json
from flux2build.images.encoding import encoder_of, having, read
from flux2build.images.formats.contract import LossyEncoder, PictureError
from flux2build.images.formats.lookup import writable


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"format": "jpeg", "lossless": True}, "jpeg has no `lossless`: it always gives up detail"),
        ({"format": "png", "quality": 80}, "png has no `quality`: it keeps every pixel"),
        ({"format": "webp", "quality": 80, "lossless": True}, "webp: .* exclude each other"),
        ({"format": "webp", "palette": 8}, "webp has no `palette`"),
        ({"format": "webp", "subsampling": "4:4:4"}, "webp has no `subsampling`"),
        ({"format": "jpeg", "quality": 101}, "less than or equal to 100"),
        ({"format": "jpeg", "quality": 20, "max_bytes": 9}, "`min_quality`"),
        ({"format": "avif", "min_quality": 90, "max_bytes": 9}, "`min_quality`"),
        ({"format": "png", "sizes": [16]}, "png has no `sizes`"),
        ({"format": "ico", "quality": 50}, "ico has no `quality`"),
        ({"format": "bmp"}, "`bmp` is not a format that can be written"),
        ({"format": "png", "matte": "whyte"}, "did you mean `white`"),
    ],
)
def test_settings_that_no_encoder_could_follow_are_refused(
    asked: dict[str, Json], complaint: str
) -> None:
    """Settings that a format does not have, or that contradict each other, are named."""
    with pytest.raises(PictureError, match=complaint):
        read(asked)


def test_the_formats_that_have_a_missing_setting_are_listed() -> None:
    """The message says where the setting would do something."""
    with pytest.raises(PictureError) as caught:
        read({"format": "png", "subsampling": "4:4:4"})

    assert caught.value.problems[0].rows == (("formats", "jpeg, avif"),)


@pytest.mark.parametrize(("name", "quality"), [("jpeg", 85), ("webp", 82), ("avif", 60)])
def test_each_lossy_format_has_its_own_quality(name: str, quality: int) -> None:
    """The defaults look alike, though the scales of the encoders differ."""
    encoder = read({"format": name})

    assert isinstance(encoder, LossyEncoder)
    assert encoder.quality == quality


def test_formats_know_their_settings() -> None:
    """Some settings are for every format, some for a few, and an unknown one is for none."""
    assert having("max_bytes") == writable()
    assert having("quality") == ("jpeg", "webp", "avif")
    assert having("brightness") == ()
    assert [name for name in writable() if not encoder_of(name).signable] == ["ico"]
